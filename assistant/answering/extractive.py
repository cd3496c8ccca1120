"""Extractive answering: a few sentences of the abstracts that answer this question.

Sentences are chosen by score (`selection`), worded so that they stand alone (`wording`), put
in an order in which the direct answer comes first, and cited. The confidence decides whether
they are called an answer, the closest thing, or are withheld.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.answering.confidence import Assessment, assess
from assistant.answering.evidence import PassageReader
from assistant.answering.question import Question
from assistant.answering.selection import Candidate, candidates
from assistant.answering.support import Source, SupportChecker, Verdict
from assistant.answering.wording import shortened, standing_alone
from assistant.results import Answer, Citation, Passage, Sentence
from assistant.retrieval import Ranking
from assistant.settings import AnswerSettings
from assistant.text import words

__all__ = ["answer", "best_passage", "passages"]

CLOSEST = "Nothing in this library answers this directly; the closest is:"
ABSENT = "This library does not hold the answer."
NOTE = (
    "This answer is made of sentences of the abstracts. For written answers connect a language "
    "model: set OPENAI_API_KEY (or OPENAI_BASE_URL) and ASSISTANT_LLM."
)
_CLOSEST_SENTENCES = 2
_NAMED_WHEN_ABSENT = 3
_SAME = 0.92
"""Cosine from which two sentences say the same."""
_FILL = 5.0
"""A sentence whose log-odds are so far below the best one's is not worth its words."""
_DIRECT_AMONG = 3
"""The first sentence is the most direct one of so many likeliest."""
_SEVERAL_WITHIN, _FEW_WITHIN = 5.0, 1.5
"""Papers whose evidence is so many log-odds below the best one's still belong to an answer that
covers several papers, or few."""


def best_passage(ranking: Ranking, place: int) -> str:
    """The sentence of the paper at ``place`` that is nearest to the question."""
    index = ranking.index
    paper, spans = index.paper(place), index.spans(place)
    if not spans:
        return paper.label
    start, end = spans[int(np.argmax(index.sentence_vectors(place) @ ranking.vector))]
    return paper.abstract[start:end]


def passages(ranking: Ranking) -> list[Passage]:
    """The papers of ``ranking`` as they are given to an answerer, best first."""
    found: list[Passage] = []
    for n, place in enumerate(map(int, ranking.places)):
        paper = ranking.index.paper(place)
        found.append(
            Passage(
                paper_id=paper.id,
                title=paper.label,
                text=paper.abstract,
                score=round(float(ranking.scores[n]), 4),
                url=paper.link,
            )
        )
    return found


def answer(
    question: str, asked: str, ranking: Ranking, reader: PassageReader, settings: AnswerSettings
) -> Answer:
    """Answers ``question`` from the papers of ``ranking``, without a language model.

    Args:
        asked: the standalone form of the question, which the ranking was made for.
    """
    assessment = assess(ranking, asked, reader, settings)
    result = Answer(
        question=question,
        standalone_question=asked,
        answer="",
        answered=assessment.status == "answered",
        status=assessment.status,
        confidence=assessment.confidence,
        passages=passages(ranking),
        notes=[] if assessment.status == "absent" else [NOTE],
    )
    if assessment.status == "absent":
        result.sentences = _absent(result.passages)
    else:
        closest = assessment.status == "closest"
        direct = _direct_question(question, assessment.question, reader)
        chosen = _chosen(direct, assessment, ranking, settings, closest=closest)
        if closest:
            result.sentences.append(Sentence(text=CLOSEST))
        _write(result, chosen, ranking, SupportChecker(reader.embedder, ranking.index.idf))
    result.answer = " ".join(sentence.text for sentence in result.sentences)
    return result


def _absent(nearest: Sequence[Passage]) -> list[Sentence]:
    titles = [f"“{passage.title}”" for passage in nearest[:_NAMED_WHEN_ABSENT]]
    sentences = [Sentence(text=ABSENT)]
    if titles:
        which = "paper is" if len(titles) == 1 else "papers are"
        listed = titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
        sentences.append(Sentence(text=f"Its nearest {which} {listed}."))
    return sentences


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A sentence of the answer, and how it will read."""

    candidate: Candidate
    text: str


class _Draft:
    """Sentences taken so far; refuses repetitions and what would not fit."""

    def __init__(self, question: Question, sentences: int, most_words: int) -> None:
        self._question = question
        self._left, self._words_left = sentences, most_words
        self.chosen: list[_Chosen] = []

    @property
    def full(self) -> bool:
        return self._left == 0

    def papers(self) -> dict[str, int]:
        """Paper id → sentences taken of it."""
        counts: dict[str, int] = {}
        for taken in self.chosen:
            counts[taken.candidate.paper.id] = counts.get(taken.candidate.paper.id, 0) + 1
        return counts

    def take(self, candidate: Candidate) -> bool:
        """Takes ``candidate`` if there is room for it and nothing says the same."""
        if self.full or any(_repeats(candidate, taken.candidate) for taken in self.chosen):
            return False
        text = standing_alone(
            shortened(candidate.text, self._question),
            candidate.paper,
            named=candidate.paper.id in self.papers(),
        )
        size = len(text.split()) + 1  # and its marker
        if self.chosen and size > self._words_left:
            return False
        self.chosen.append(_Chosen(candidate, text))
        self._left, self._words_left = self._left - 1, self._words_left - size
        return True


def _direct_question(text: str, asked: Question, reader: PassageReader) -> Question:
    """What the sentences are chosen for: of a follow-up, its own words before their context.

    The context finds the paper; in it, the sentences that match the context are those that
    have been said already.
    """
    if text == asked.text:
        return asked
    vector = reader.embedder.embed_query(text) + asked.vector
    vector /= np.linalg.norm(vector)
    return Question.read(text, vector, asked.index, reader.embedder)


def _chosen(
    question: Question,
    assessment: Assessment,
    ranking: Ranking,
    settings: AnswerSettings,
    *,
    closest: bool,
) -> list[_Chosen]:
    """The sentences of the answer, the first of each paper before the others of it."""
    lowest = min(assessment.evidence, default=0.0)
    evidence = assessment.evidence + [lowest] * (len(ranking) - len(assessment.evidence))
    found = candidates(question, ranking, evidence)
    sentences = _CLOSEST_SENTENCES if closest else settings.max_sentences
    draft = _Draft(question, sentences, settings.max_words - closest * len(CLOSEST.split()))
    if question.wants_papers:
        _take_papers(draft, found, evidence, question)
    else:
        _take_facts(draft, found)
    return draft.chosen


def _take_facts(draft: _Draft, found: Sequence[Candidate]) -> None:
    """The likeliest sentences; the most direct of the first paper's before the others."""
    by_score = sorted(found, key=lambda c: -c.score)
    best = by_score[0] if by_score else None
    enough = [c for c in by_score if best and c.score >= best.score - _FILL]
    direct = [c for c in enough[:_DIRECT_AMONG] if best and c.paper.id == best.paper.id]
    if direct:
        draft.take(max(direct, key=lambda c: c.directness))
    for candidate in enough:
        draft.take(candidate)


def _take_papers(
    draft: _Draft, found: Sequence[Candidate], evidence: Sequence[float], question: Question
) -> None:
    """The most direct sentence of each paper that the evidence speaks for, then second ones."""
    width = _SEVERAL_WITHIN if question.wants_several else _FEW_WITHIN
    standing = {c.rank: evidence[c.rank] - 0.5 * c.rank for c in found}
    best = max(standing.values(), default=0.0)
    ranks = sorted((r for r in standing if standing[r] >= best - width), key=lambda r: -standing[r])
    for turn in range(3):
        for rank in ranks:
            own = sorted((c for c in found if c.rank == rank), key=lambda c: -c.directness)
            taken = {id(t.candidate) for t in draft.chosen}
            fresh = [c for c in own if id(c) not in taken]
            if len(own) - len(fresh) == turn and any(draft.take(c) for c in fresh[:2]):
                continue


def _repeats(one: Candidate, other: Candidate) -> bool:
    """Whether two sentences say the same."""
    if float(one.vector @ other.vector) >= _SAME:
        return True
    ours, theirs = set(words(one.text)), set(words(other.text))
    return len(ours & theirs) > 0.75 * min(len(ours), len(theirs))


def _write(
    result: Answer, chosen: Sequence[_Chosen], ranking: Ranking, checker: SupportChecker
) -> None:
    """Puts the sentences in order and cites them, one number a paper, each with its verdict.

    The words are the abstract's, but naming a subject or leaving a part out could still bend
    what they say: so they are checked like anybody's.
    """
    groups: dict[str, list[_Chosen]] = {}
    for taken in chosen:
        groups.setdefault(taken.candidate.paper.id, []).append(taken)
    for number, (first, *rest) in enumerate(groups.values(), 1):
        paper = first.candidate.paper
        source = _source(ranking, first.candidate)
        verdicts: list[Verdict] = []
        for taken in (first, *sorted(rest, key=lambda t: t.candidate.position)):
            verdicts.append(checker.check_sources(taken.text, [source])[0])
            result.sentences.append(
                Sentence(
                    text=_marked(taken.text, number),
                    citations=[number],
                    support=verdicts[-1].support,
                )
            )
        result.citations.append(
            Citation(
                number=number,
                paper_id=paper.id,
                title=paper.label,
                url=paper.link,
                quote=first.candidate.text,
                support=verdicts[0].support,
                support_score=round(verdicts[0].score, 4),
                why=verdicts[0].why,
            )
        )


def _source(ranking: Ranking, candidate: Candidate) -> Source:
    """The abstract that a sentence was taken from, for the checker."""
    place = int(ranking.places[candidate.rank])
    abstract = candidate.paper.abstract
    spans = ranking.index.spans(place)
    return Source(
        tuple(abstract[start:end] for start, end in spans),
        ranking.index.sentence_vectors(place),
        candidate.paper.label,
    )


def _marked(text: str, number: int) -> str:
    """``text`` with its marker before the full stop."""
    end = re.search(r"[.!?]?$", text)
    cut = end.start() if end else len(text)
    return f"{text[:cut].rstrip()} [{number}]{text[cut:] or '.'}"
