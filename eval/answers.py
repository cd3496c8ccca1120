"""Answers on a question file: facts, lists, citations, abstention, follow-ups, length, seconds.

Every measure is computed a question at a time (`Judged`), then summed up over all questions of
a kind. With ``leave_out`` each answerable question is asked once more while the papers that
answer it are held back: nothing else is changed, and the library should now say that it does
not hold the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

import numpy as np

from assistant import Assistant
from assistant.results import Answer, Message
from eval.data import GoldFinder, Kind, Notify, Question
from eval.facts import states, without_markers
from eval.seams import retriever_of, retrieving_by
from eval.statistics import calibration_error, mean_interval, percentiles, separation
from eval.withheld import Withholding

KINDS: tuple[str, ...] = get_args(Kind)
REFUSED = ("absent", "closest")
DEPTH = 100
"""To this rank the gold papers are looked for."""
PAGE = 10
"""Papers of a list that can be wanted on its first page."""


@dataclass
class Judged:
    """One question, its answer, and what is right and wrong about it."""

    id: str
    kind: str
    absent_type: str | None
    left_out: bool
    question: str
    standalone_question: str
    status: str
    confidence: float
    answer: str
    cited_titles: list[str]
    gold_titles: list[str]
    gold_ranks: list[int | None]
    """Rank of each gold paper, from 1; None where it is not among the first `DEPTH`."""
    cited_gold: int
    facts_found: list[str]
    facts_missing: list[str]
    facts_not_retrieved: list[str]
    """Missing in the abstracts of the retrieved papers already: not the answerer's fault."""
    words: int
    sentences: int
    supported: float | None
    seconds: float
    seconds_retrieval: float
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    contexts: list[str] = field(default_factory=list)
    claims: list[tuple[str, list[str]]] = field(default_factory=list)
    """Sentences that claim something, each with the ids of the papers that it cites."""
    form: str = ""
    history: list[str] = field(default_factory=list)
    fact_first: bool | None = None
    """Whether the first sentence that claims something states a gold fact; None without facts."""
    cited_wrong: int = 0
    """Cited papers that are not gold."""
    follow_type: str | None = None
    resolved: bool | None = None
    """Of a follow-up: whether it was understood as `_resolved` says."""

    @property
    def refused(self) -> bool:
        """Whether the assistant said that the library does not hold the answer."""
        return self.status in REFUSED

    @property
    def good(self) -> bool:
        """Answered, and as far as that can be told without a reader, rightly."""
        wanted = bool(self.facts_found or self.facts_missing)
        right_paper = self.cited_gold > 0 or not self.gold_titles
        return (
            self.kind != "absent"
            and not self.left_out
            and not self.refused
            and right_paper
            and (bool(self.facts_found) or not wanted)
        )


def measure(
    assistant: Assistant,
    questions: Sequence[Question],
    *,
    leave_out: bool = False,
    notify: Notify = lambda _: None,
) -> list[Judged]:
    """Asks every question (twice with ``leave_out``, where it is answerable) and judges it."""
    finder = GoldFinder(assistant.library)
    golds = [finder.ids(question) for question in questions]
    for question in questions[:3]:  # warm: imports, maps, the model
        assistant.ask(question.question, question.history)
    judged = []
    for n, (question, gold) in enumerate(zip(questions, golds, strict=True), 1):
        judged.append(_asked(assistant, question, gold))
        if leave_out and question.answerable and question.kind != "library":
            judged.append(_asked(assistant, question, gold, left_out=True))
        if n % 25 == 0:
            notify(f"{n} of {len(questions)} questions")
    return judged


def _asked(
    assistant: Assistant, question: Question, gold: list[set[str]], *, left_out: bool = False
) -> Judged:
    """The question asked and judged; ``left_out``: over the library without its gold papers."""
    hidden = frozenset(paper for ids in gold for paper in ids)
    weight = assistant.settings.retrieval.dense_weight
    withholding = Withholding(retriever_of(assistant), hidden, weight)
    with retrieving_by(assistant, withholding) if left_out else nullcontext():
        history, before = _before(assistant, question)
        started = time.perf_counter()
        answer = assistant.ask(question.question, history)
        seconds = time.perf_counter() - started
    gold = gold + _named_before(question, before)
    ranks: list[int | None] = [None] * len(gold)
    if not left_out and gold:
        found = retriever_of(assistant).find(answer.standalone_question, DEPTH)
        rank_of = {paper.paper.id: n for n, paper in enumerate(found, 1)}
        ranks = [min((rank_of[i] for i in ids if i in rank_of), default=None) for ids in gold]
    facts = [fact.format(papers=len(assistant.library)) if fact == "{papers}" else fact
             for fact in question.gold_facts]  # fmt: skip
    said = [turn.content for turn in history]
    judged = _judged(question, answer, gold, ranks, facts, said)
    judged.left_out, judged.seconds = left_out, seconds
    judged.resolved = None if left_out else _resolved(question, answer, gold, before)
    return judged


def _before(assistant: Assistant, question: Question) -> tuple[list[Message], list[Answer]]:
    """The turns before the question; those of ``turns`` are asked now."""
    history, answers = list(question.history), []
    for turn in question.turns:
        answer = assistant.ask(turn, history)
        answers.append(answer)
        history += [
            Message(role="user", content=turn),
            Message(role="assistant", content=answer.answer),
        ]
    return history, answers


def _named_before(question: Question, before: Sequence[Answer]) -> list[set[str]]:
    """The papers that a gold title such as "#2" or "#-1" names: of the answer before, by place."""
    wanted = [int(title[1:]) for title in question.gold_titles if title.startswith("#")]
    shown = [citation.paper_id for answer in before[-1:] for citation in answer.citations]
    places = [n - 1 if n > 0 else len(shown) + n for n in wanted]
    return [{shown[p]} if 0 <= p < len(shown) else set() for p in places]


def _resolved(
    question: Question, answer: Answer, gold: list[set[str]], before: Sequence[Answer]
) -> bool | None:
    """Whether a follow-up was understood, by the papers that the answer cites.

    A place or number ("the second one", "[2]"): its paper, and no other, comes first. "compare":
    all gold papers. "another": a gold paper, and none that the answer before cited. Otherwise
    (a pronoun, a switch of the topic): a gold paper.
    """
    if question.follow_type is None:
        return None
    cited = [citation.paper_id for citation in answer.citations]
    hit = [any(paper in ids for paper in cited) for ids in gold]
    if question.follow_type in ("ordinal", "marker"):
        return bool(cited) and any(cited[0] in ids for ids in gold)
    if question.follow_type == "compare":
        return bool(hit) and all(hit)
    if question.follow_type == "another":
        shown = {citation.paper_id for turn in before for citation in turn.citations}
        return any(hit) and not shown & set(cited)
    return any(hit)


def _judged(
    question: Question,
    answer: Answer,
    gold: list[set[str]],
    ranks: list[int | None],
    facts: list[str],
    history: list[str],
) -> Judged:
    """What is right and wrong about ``answer``."""
    cited = [citation.paper_id for citation in answer.citations]
    right = set().union(*gold)
    found = [fact for fact in facts if states(answer.answer, fact)]
    missing = [fact for fact in facts if fact not in found]
    read = " ".join(f"{p.title} {p.text}" for p in answer.passages)
    claims = [s for s in answer.sentences if s.support != "none"]
    first = claims[0].text if claims else answer.answer
    paper_of = {citation.number: citation.paper_id for citation in answer.citations}
    usage = answer.usage
    return Judged(
        id=question.id,
        kind=question.kind,
        absent_type=question.absent_type,
        left_out=False,
        question=question.question,
        standalone_question=answer.standalone_question,
        status=answer.status,
        confidence=answer.confidence,
        answer=answer.answer,
        cited_titles=answer.cited_titles,
        gold_titles=list(question.gold_titles),
        gold_ranks=ranks,
        cited_gold=sum(any(paper in cited for paper in ids) for ids in gold),
        cited_wrong=sum(paper not in right for paper in cited),
        facts_found=found,
        facts_missing=missing,
        facts_not_retrieved=[fact for fact in missing if not states(read, fact)],
        fact_first=any(states(first, fact) for fact in facts) if facts else None,
        words=len(without_markers(answer.answer).split()),
        sentences=len(answer.sentences),
        supported=(sum(s.support == "supported" for s in claims) / len(claims) if claims else None),
        seconds=0.0,
        seconds_retrieval=answer.timings_ms.retrieve / 1000,
        prompt_tokens=usage.prompt_tokens if usage else 0,
        completion_tokens=usage.completion_tokens if usage else 0,
        cost_usd=usage.cost_usd if usage else None,
        contexts=[passage.text for passage in answer.passages],
        claims=[(s.text, [paper_of[n] for n in s.citations if n in paper_of]) for s in claims],
        form=getattr(answer, "form", None) or "",
        history=history,
        follow_type=question.follow_type,
    )


# ---------------------------------------------------------------------- summing up


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """All measures: for every kind, for all answerable questions, and of the abstention."""
    asked = [j for j in judged if not j.left_out]
    by_kind = {kind: [j for j in asked if j.kind == kind] for kind in KINDS}
    return {
        "questions": len(asked),
        "kinds": {kind: _measures(of_kind) for kind, of_kind in by_kind.items() if of_kind},
        "fact_and_find": _measures([*by_kind["fact"], *by_kind["find"]]),
        "answerable": _measures(_present(asked)),
        "lists": _lists(by_kind["list"]),
        "follow_ups": _follow_ups(by_kind["follow"]),
        "abstention": abstention(judged),
        "seconds": percentiles([j.seconds for j in asked]),
        "seconds_retrieval": percentiles([j.seconds_retrieval for j in asked]),
        "tokens_per_question": _tokens(asked),
        "cost_usd": sum(j.cost_usd or 0.0 for j in asked) or None,
    }


def _present(judged: Iterable[Judged]) -> list[Judged]:
    """The questions that the papers answer: neither absent nor about the library itself."""
    return [j for j in judged if j.kind not in ("absent", "library")]


def _tokens(judged: Sequence[Judged]) -> float:
    spent = sum(j.prompt_tokens + j.completion_tokens for j in judged)
    return round(spent / max(1, len(judged)), 1)


def _measures(judged: Sequence[Judged]) -> dict[str, Any]:
    facts = [j for j in judged if j.facts_found or j.facts_missing]
    gold = [j for j in judged if j.gold_ranks]
    cited = [j for j in gold if j.cited_titles]
    wanted = sum(len(j.facts_found) + len(j.facts_missing) for j in facts)
    return {
        "n": len(judged),
        "gold_in_top_8": _rate(all(r is not None and r <= 8 for r in j.gold_ranks) for j in gold),
        "gold_first": _rate(1 in j.gold_ranks for j in gold),
        "context_precision": _rate(average_precision(j.gold_ranks, len(j.contexts)) for j in gold),
        "facts": round(sum(len(j.facts_found) for j in facts) / wanted, 4) if wanted else None,
        "facts_of": wanted,
        "fact_first": _rate(bool(j.fact_first) for j in facts),
        "all_facts": _rate(not j.facts_missing for j in facts),
        "facts_not_retrieved": sum(len(j.facts_not_retrieved) for j in facts),
        "citation_recall": _rate(j.cited_gold / len(j.gold_ranks) for j in gold),
        "citation_precision": _rate(j.cited_gold / (j.cited_gold + j.cited_wrong) for j in cited),
        "supported": _rate(j.supported for j in judged if j.supported is not None),
        "answered": _rate(not j.refused for j in judged),
        "refused": _rate(j.refused for j in judged),
        "absent": _rate(j.status == "absent" for j in judged),
        "good": _rate(j.good for j in judged),
        "words": _mean([j.words for j in judged]),
        "words_median": float(np.median([j.words for j in judged])) if judged else 0.0,
        "words_most": max((j.words for j in judged), default=0),
        "sentences": _mean([j.sentences for j in judged]),
        "sentences_most": max((j.sentences for j in judged), default=0),
        "citations": _mean([len(j.cited_titles) for j in judged]),
    }


def average_precision(gold_ranks: Sequence[int | None], read: int) -> float:
    """Mean of the precision at the rank of each gold paper; 0 for one that was not read."""
    ranks = sorted(rank for rank in gold_ranks if rank is not None and rank <= read)
    precisions = [found / rank for found, rank in enumerate(ranks, 1)]
    return sum(precisions) / len(gold_ranks) if gold_ranks else 0.0


def _lists(judged: Sequence[Judged]) -> dict[str, Any]:
    """Of the papers wanted (a page of them at the most) those shown; of those shown the wanted."""
    return {
        "recall": _rate(min(1.0, j.cited_gold / min(len(j.gold_titles), PAGE)) for j in judged),
        "precision": _rate(
            j.cited_gold / len(j.cited_titles) if j.cited_titles else 0.0 for j in judged
        ),
    }


def _follow_ups(judged: Sequence[Judged]) -> dict[str, Any]:
    """Share understood, by how the follow-up leans on what was said before."""
    types = sorted({j.follow_type for j in judged if j.follow_type})
    return {
        name: _rate(bool(j.resolved) for j in judged if j.follow_type == name) for name in types
    }


def _rate(values: Iterable[float]) -> dict[str, Any]:
    return mean_interval([float(value) for value in values])


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 2) if values else 0.0


def abstention(judged: Sequence[Judged]) -> dict[str, Any]:
    """Refused when absent, answered when present; what ``confidence`` tells, and how truly."""
    asked = [j for j in judged if not j.left_out and j.kind != "library"]
    present, absent = _present(asked), [j for j in asked if j.kind == "absent"]
    left_out = [j for j in judged if j.left_out]
    sure = [j.confidence for j in present]

    def told(others: Sequence[Judged]) -> dict[str, Any]:
        return separation(sure, [j.confidence for j in others])

    def by(key: Callable[[Judged], str | None], of: Sequence[Judged]) -> dict[str, list[Judged]]:
        names = sorted({name for j in of if (name := key(j))})
        return {name: [j for j in of if key(j) == name] for name in names}

    return {
        "refused_when_absent": _rate(j.refused for j in absent),
        "refused_when_present": _rate(j.refused for j in present),
        "called_absent_when_present": _rate(j.status == "absent" for j in present),
        "refused_when_left_out": _rate(j.refused for j in left_out),
        "confidence": told(absent),
        "confidence_left_out": told(left_out),
        "brier": _brier(present, absent),
        "calibration": calibration_error([j.confidence for j in asked], [j.good for j in asked]),
        "good_when_sure": _rate(j.good for j in asked if not j.refused and j.confidence >= 0.8),
        "types": {
            name: {"refused": _rate(j.refused for j in found), "auroc": told(found)["auroc"]}
            for name, found in by(lambda j: j.absent_type, absent).items()
        },
        "present_kinds": {
            name: {
                "refused": _rate(j.refused for j in found),
                "absent": _rate(j.status == "absent" for j in found),
            }
            for name, found in by(lambda j: j.kind, present).items()
        },
    }


def _brier(present: Sequence[Judged], absent: Sequence[Judged]) -> float | None:
    """Mean squared distance of the confidence from 1 (answerable) or 0 (absent)."""
    if not present and not absent:
        return None
    errors = [(1 - j.confidence) ** 2 for j in present] + [j.confidence**2 for j in absent]
    return round(float(np.mean(errors)), 4)


def details(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Everything about every question, for reading, for grading and for comparing."""
    rows = []
    for j in judged:
        row = asdict(j)
        del row["contexts"], row["claims"]
        row["seconds"] = round(j.seconds, 4)
        row["seconds_retrieval"] = round(j.seconds_retrieval, 4)
        rows.append(row)
    return rows
