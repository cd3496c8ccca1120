"""How an answer is laid out: one layout for each form of question.

The answer first, then its evidence, each under its paper's name, in the abstracts' sentences.
No layout edits a sentence; none fills up a budget: what adds nothing is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from assistant.answering.confidence import Assessment
from assistant.answering.draft import Draft
from assistant.answering.evidence import NUMBER, PassageReader
from assistant.answering.forms import Asking
from assistant.answering.membership import on_topic
from assistant.answering.question import Question
from assistant.answering.selection import Candidate, candidates, key_score
from assistant.attribution import quotation
from assistant.retrieval import PaperRetriever
from assistant.retrieved import RetrievedPaper
from assistant.settings import AnswerSettings
from assistant.text import terms, words

__all__ = ["Layout", "worth_in_form"]

_WITHIN = 1.5
"""Log-odds below the best sentence within which another one is worth its words."""
_SAME = 0.92
"""Cosine from which two sentences say the same."""
_LISTED, _NAMED = 8, 20
"""Papers of a list with their key sentence, and those that are named after them."""
_PARTICULAR = 4
"""Content words from which a topic that one paper treats is a question for what it says."""
_NEAR = 2.0
"""Log-odds that a number in the midst of the question's words is worth."""
_WINDOW = 60
"""Characters on both sides of a number that tell what it is a number of."""
_MECHANISM = 3
_BUILDING_ON = 4

_REASON = re.compile(
    r"\b(?:because|due to|owing to|since|as a result of|caused by|stems? from|arises? from"
    r"|results? from|attribut\w+ to|explains?|reason|which (?:makes?|leads?|causes?))\b",
    re.IGNORECASE,
)
_MEANS = re.compile(
    r"\b(?:by (?:\w+ly )?\w+ing|through|via|using|based on|relies on|uses?)\b", re.I
)
_LIMIT = re.compile(
    r"\b(?:however|but|limit\w*|fail\w*|degrad\w*|drawback|difficult\w*|challeng\w*|cannot|unable"
    r"|lack\w*|poor\w*|worse|only|suffer\w*|cost\w*|unless|risk\w*|adverse|not)\b",
    re.IGNORECASE,
)
_BEST = re.compile(
    r"\b(?:best|outperform\w*|superior|better|state[- ]of[- ]the[- ]art|highest|lowest|most"
    r"|exceed\w*|surpass\w*|first choice|preferred|recommended)\b",
    re.IGNORECASE,
)
_IS = re.compile(
    r"\s*,?\s*(?:is|are|refers? to|means|denotes?|describes?)\s+(?:an?|the|one|to)\b", re.I
)
_APPOSITION = re.compile(r"\s*,\s+(?:an?|the|one|which (?:is|are))\b", re.IGNORECASE)
_INTRODUCES = re.compile(
    r"\b(?:propose|introduce|present|develop|describe|called|termed|dubbed|named)\b[^.;]{0,60}$",
    re.IGNORECASE,
)
_TELLS = re.compile(
    r"\s+(?:is|are|has|have|aims?|seeks?|works?|refers?|consists?|uses?|allows?|enables?"
    r"|provides?|offers?|can|reduces?|combines?)\b",
    re.IGNORECASE,
)
_FINDING = re.compile(
    r"\b(?:find|finds|found|findings?|shows?|showed|shown|reveals?|revealed|demonstrate[sd]?"
    r"|observed?|suggests?|suggested|indicates?|indicated|concluded?|significant\w*|results?"
    r"|leads? to|led to|evidence|confirm\w*)\b",
    re.IGNORECASE,
)
_AIM = re.compile(
    r"\b(?:(?:we|i|this (?:paper|study|work|article|report)|the (?:authors?|paper))"
    r" (?:have |has |here )?(?:stud(?:y|ied|ies)|review\w*|investigat\w+|examin\w+|describ\w+"
    r"|discuss\w*|analy[sz]\w+)"
    r"|(?:ha(?:s|ve) been|is|are|was|were) (?:reviewed|studied|investigated|examined|discussed"
    r"|described|presented|analy[sz]ed))\b",
    re.IGNORECASE,
)
"""A sentence that tells what was studied, not what came of it."""
_ASKS_BEST = re.compile(r"\b(?:best|most|strongest|leading|state of the art|sota|optimal)\b", re.I)


class Layout:
    """Writes answers into a draft.

    ``write`` returns False where its form finds nothing that may be shown.
    """

    def __init__(
        self,
        draft: Draft,
        retriever: PaperRetriever,
        reader: PassageReader,
        settings: AnswerSettings,
    ) -> None:
        self._draft = draft
        self._retriever = retriever
        self._reader = reader
        self._added = settings.max_sentences - 1
        self._words = settings.max_words
        self._shown: list[Candidate] = []

    def write(self, asked: Asking, assessment: Assessment) -> bool:
        """Answers a question in its form."""
        writers: dict[str, Callable[[Asking, Assessment], bool]] = {
            "list": self._list,
            "definition": self._definition,
            "comparison": self._comparison,
            "explanation": self._explanation,
            "limits": self._limits,
            "yes_no": self._yes_no,
        }
        return writers.get(asked.form, self._fact)(asked, assessment)

    def closest(self, assessment: Assessment, most: int) -> None:
        """What is related, where nothing answers: the best sentence of the nearest papers."""
        used: set[str] = set()
        for candidate in assessment.candidates:
            if len(used) == most:
                return
            if candidate.paper.paper.id not in used and self._take(candidate):
                used.add(candidate.paper.paper.id)

    def paper(self, assessment: Assessment) -> bool:
        """One paper itself: what it does and what it finds, in the order of its abstract."""
        if not assessment.retrieval:
            return False
        found = assessment.retrieval[0]
        scored = sorted(
            (key_score(found, place, assessment.asked), place)
            for place in range(len(found.sentences))
            if quotation(found.paper.abstract, found.spans, [place])
        )
        places = [place for _, place in scored[-_MECHANISM:]]
        if not places or not self._draft.quote(found, places, full_title=True):
            self._draft.title(found.paper)
        return True

    # ------------------------------------------------------------------ forms

    def _fact(self, asked: Asking, assessment: Assessment) -> bool:
        question = assessment.asked
        ranked = _ranked(asked, assessment)
        if question.wants_number:
            numbered = [c for c in ranked if NUMBER.search(c.text)]
            if not numbered or numbered[0].score < ranked[0].score - 2 * _WITHIN:
                self._draft.say("No abstract found here gives a figure for this; what they say:")
            else:
                ranked = [numbered[0], *(c for c in ranked if c is not numbered[0])]
        return self._best(ranked, self._added)

    def _definition(self, asked: Asking, assessment: Assessment) -> bool:
        pattern = _phrase(asked.topic)
        ranked = _ranked(asked, assessment)
        defining = [c for c in ranked if _defines(c.text, pattern) >= _DEFINED]
        if not defining:
            self._draft.say(f"No abstract here defines “{asked.topic}”; what they say of it:")
        others = [c for c in ranked if _defines(c.text, pattern) >= 1 and c not in defining[:1]]
        written = self._best([*defining[:1], *(others or ([] if defining else ranked))], 1)
        if not written:
            return False
        papers = [p for p in self._topic_papers(asked.topic) if p.paper.id not in self._draft.cites]
        if papers:
            more = len(papers) - _BUILDING_ON
            after = f"; and {more} more (ask: papers on {asked.topic})." if more > 0 else "."
            self._draft.name_all("Papers here on it: ", papers[:_BUILDING_ON], after)
        return True

    def _list(self, asked: Asking, assessment: Assessment) -> bool:
        members = on_topic(assessment.question, assessment.retrieval)
        size = len(assessment.question.states.words)
        if len(members) <= (2 if size > _PARTICULAR + 1 else 1) and size >= _PARTICULAR:
            return self._fact(asked, assessment)  # so particular that it asks for a detail
        if not members:
            return False
        count = f"{len(members)} paper{'s' * (len(members) != 1)} here"
        shown = min(len(members), _LISTED)
        topic = f" on “{asked.topic}”" if len(asked.topic.split()) <= 12 else ""
        if len(members) > _LISTED:
            head = f"{count}{topic}; the first {shown} with what they say, then titles:"
        else:
            head = f"{count}{topic}:"
        self._draft.say(head)
        for found in members[:_LISTED]:
            place = _key_sentence(found, assessment.asked)
            if place is None or not self._draft.quote(found, [place], full_title=True):
                self._draft.title(found.paper)
        rest = members[_LISTED:]
        if rest:
            left = len(rest) - (_NAMED - _LISTED)
            more = f"; and {left} more (ask: show more)." if left > 0 else "."
            self._draft.name_all("Also: ", rest[: _NAMED - _LISTED], more)
        return True

    def _comparison(self, asked: Asking, assessment: Assessment) -> bool:
        stems = [frozenset(terms(side)) for side in asked.sides]
        both = [c for c in assessment.candidates if _mentions(c.text, stems) >= 2]
        written = False
        if both:
            written = self._best(both, 1)
        if not written:
            self._draft.say("No abstract found here compares them in one sentence; of each:")
        found_any = written
        for side in asked.sides:
            candidate = self._of_side(side)
            if candidate is None:
                self._draft.say(f"{_capital(side)}: no abstract here speaks of it.")
            elif self._take(candidate, before=f"{_capital(side)} — "):
                found_any = True
        return found_any

    def _explanation(self, asked: Asking, assessment: Assessment) -> bool:
        ranked = _ranked(asked, assessment)
        if not ranked:
            return False
        best = ranked[0]
        beside = [
            c
            for c in ranked[1:8]
            if c.paper is best.paper
            and abs(c.position - best.position) <= 2
            and c.score >= best.score - 2 * _WITHIN
            and not self._repeats(c, [best])
        ]
        places = [best.position]
        room = self._words
        for candidate in beside[: _MECHANISM - 1]:
            room -= len(candidate.text.split())
            if room >= 0:
                places.append(candidate.position)
        if not self._draft.quote(best.paper, places):
            return self._best(ranked, self._added)
        self._shown += [c for c in ranked if c.paper is best.paper and c.position in places]
        others = [
            c for c in ranked if c.paper is not best.paper and c.score >= best.score - _WITHIN
        ]
        self._best(others, 0)
        return True

    def _limits(self, asked: Asking, assessment: Assessment) -> bool:
        ranked = _ranked(asked, assessment)
        told = [c for c in ranked if _LIMIT.search(c.text)]
        if not told:
            self._draft.say(f"Abstracts rarely tell {asked.means}; the nearest that is said:")
        return self._best(told or ranked, self._added, within=2 * _WITHIN)

    def _yes_no(self, asked: Asking, assessment: Assessment) -> bool:
        ranked = _ranked(asked, assessment)
        best: list[Candidate] = []
        for candidate in ranked:
            if candidate.score < ranked[0].score - 2 * _WITHIN or len(best) > self._added:
                break
            if all(candidate.paper is not other.paper for other in best):
                best.append(candidate)
        return self._best(best, self._added, within=2 * _WITHIN)

    # ------------------------------------------------------------------ parts of them

    def _best(self, ranked: Sequence[Candidate], added: int, within: float = _WITHIN) -> bool:
        """The first of ``ranked`` that can stand alone, and at most ``added`` more that add."""
        first: Candidate | None = None
        room = self._words
        for candidate in ranked:
            if first is None:
                first = candidate if self._take(candidate) else None
                continue
            if added == 0 or candidate.score < first.score - within:
                break
            size = len(candidate.text.split())
            if size <= room and self._take(candidate):
                added, room = added - 1, room - size
        return first is not None

    def _take(self, candidate: Candidate, before: str = "") -> bool:
        """Quotes ``candidate`` if nothing that is shown says the same and it can stand alone."""
        if self._repeats(candidate, self._shown):
            return False
        if not self._draft.quote(candidate.paper, [candidate.position]):
            return False
        if before:
            last = self._draft.sentences[-1]
            last.text = before + last.text
        self._shown.append(candidate)
        return True

    def _repeats(self, candidate: Candidate, shown: Iterable[Candidate]) -> bool:
        """Whether something of ``shown`` says the same; never where the numbers differ."""
        numbers = NUMBER.findall(candidate.text)
        ours = set(words(candidate.text))
        for other in shown:
            if other.paper is candidate.paper and other.position == candidate.position:
                return True
            if NUMBER.findall(other.text) != numbers:
                continue
            theirs = set(words(other.text))
            alike = float(
                candidate.paper.vectors[candidate.position] @ other.paper.vectors[other.position]
            )
            if alike >= _SAME or len(ours & theirs) > 0.75 * min(len(ours), len(theirs)):
                return True
        return False

    def _of_side(self, side: str) -> Candidate | None:
        """The best sentence of the library on one side of a comparison."""
        found = self._retriever.find(side, 5)
        question = Question.read(side, found.vector, found.statistics, self._reader.embedder)
        readings = self._reader.read(question, found[:3])
        pattern = _phrase(side)
        stems = frozenset(terms(side))
        fitting = [
            (c.score + _defines(c.text, pattern), n, c)
            for n, c in enumerate(candidates(question, found[:3], readings))
            if stems <= set(terms(f"{c.text} {c.paper.paper.title}"))
            and quotation(c.paper.paper.abstract, c.paper.spans, [c.position])
            and not self._repeats(c, self._shown)
        ]
        return max(fitting, key=lambda scored: scored[:2])[2] if fitting else None

    def _topic_papers(self, topic: str) -> list[RetrievedPaper]:
        found = self._retriever.find(topic, 60)
        question = Question.read(topic, found.vector, found.statistics, self._reader.embedder)
        return on_topic(question, found)


_DEFINED = 1.5


def _ranked(asked: Asking, assessment: Assessment) -> list[Candidate]:
    """The sentences, best first in the form of the question."""
    worth = worth_in_form(asked, assessment.asked)
    return sorted(assessment.candidates, key=lambda c: -(c.score + worth(c.text)))


def worth_in_form(asked: Asking, question: Question) -> Callable[[str], float]:
    """What a sentence is worth, in log-odds, in the form of ``question`` beyond its score."""
    if asked.form == "definition":
        topic = _phrase(asked.topic)
        return lambda s: _defines(s, topic)
    if asked.form == "yes_no":
        return _finding
    if asked.form not in {"explanation", "limits", "comparison"} and question.wants_number:
        return lambda s: _NEAR * _number_near(s, question) - 1.0 * bool(_AIM.search(s))
    best = 1.0 * bool(_ASKS_BEST.search(question.text))
    weight, pattern = {
        "explanation": (0.6, _REASON if asked.why else _MEANS),
        "limits": (1.5, _LIMIT),
        "comparison": (0.0, _BEST),
    }.get(asked.form, (best, _BEST))
    return lambda s: weight * bool(pattern.search(s))


def _number_near(sentence: str, question: Question) -> float:
    """Share of the question's words, by weight, that stand around one number of ``sentence``."""
    shares = (
        question.coverage(
            set(terms(sentence[max(0, found.start() - _WINDOW) : found.end() + _WINDOW]))
        )
        for found in NUMBER.finditer(sentence)
    )
    return max(shares, default=0.0)


def _finding(sentence: str) -> float:
    """What it is worth that ``sentence`` tells a finding, and not only what was studied."""
    return 1.2 * bool(_FINDING.search(sentence)) - 1.0 * bool(_AIM.search(sentence))


def _phrase(topic: str) -> re.Pattern[str]:
    """Finds ``topic`` in a sentence, whatever its hyphens and plurals are."""
    pieces = [re.escape(re.sub(r"(?<=\w{3})e?s$", "", word)) for word in words(topic)]
    return re.compile(r"\b" + r"\w{0,3}[\s‐-―-]+".join(pieces) + r"\w{0,3}\b", re.IGNORECASE)


def _defines(sentence: str, topic: re.Pattern[str]) -> float:
    """How much ``sentence`` looks like one that says what ``topic`` is."""
    found = topic.search(sentence)
    if not found:
        return -1.0
    after = sentence[found.end() : found.end() + 60]
    start = 0.5 * (found.start() <= 5)
    after = re.sub(r"^\s*\([^)]*\)", "", after)
    if _IS.match(after):
        return 2.5 + start
    if _APPOSITION.match(after):
        return 2.0 + start
    if _INTRODUCES.search(sentence[: found.start()]):
        return 2.0
    if _TELLS.match(after):
        return 1.0 + start + 0.5 * (found.start() <= 5)
    return start


def _key_sentence(found: RetrievedPaper, question: Question) -> int | None:
    """The place of the sentence that tells best what the paper does about the question."""
    scored = [
        (key_score(found, place, question), place)
        for place in range(len(found.sentences))
        if quotation(found.paper.abstract, found.spans, [place])
    ]
    return max(scored)[1] if scored else None


def _mentions(sentence: str, sides: Sequence[frozenset[str]]) -> int:
    bag = set(terms(sentence))
    return sum(side <= bag for side in sides)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
