"""Answers on a question file: facts, lists, citations, abstention, follow-ups, length, seconds.

Every measure is computed a question at a time (`Judged`), then summed up over all questions of
a kind. With ``leave_out`` each answerable question is asked once more while the papers that
answer it are held back: nothing else is changed, and the library should now say that it does
not hold the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_args

import numpy as np

from assistant import Assistant
from assistant.results import Answer, Message, Sentence, Usage
from eval.data import GoldFinder, Kind, Notify, Question
from eval.facts import states, without_markers
from eval.seams import retrieving_by
from eval.statistics import calibration_error, mean_interval, percentiles, separation
from eval.withheld import Withholding

KINDS: tuple[str, ...] = get_args(Kind)
DEPTH = 100
"""To this rank the gold papers are looked for."""
PAGE = 10
"""Papers of a list that can be wanted on its first page."""


@dataclass
class Judged:
    """One question, its answer, and what is right and wrong about it."""

    asked: Question
    answer: Answer
    gold: list[set[str]]
    """Ids of the papers that each gold title names."""
    facts: list[str]
    gold_ranks: list[int | None] = field(default_factory=list)
    """Rank of each gold paper, from 1; None where it is not among the first `DEPTH`."""
    resolved: bool | None = None
    """Of a follow-up: whether it was understood as `_resolved` says."""
    history: list[str] = field(default_factory=list)
    seconds: float = 0.0
    left_out: bool = False

    @cached_property
    def cited(self) -> list[str]:
        """Ids of the cited papers."""
        return [citation.paper_id for citation in self.answer.citations]

    @cached_property
    def cited_gold(self) -> int:
        """Gold papers that are cited."""
        return sum(any(paper in ids for paper in self.cited) for ids in self.gold)

    @cached_property
    def cited_wrong(self) -> int:
        """Cited papers that are not gold."""
        return sum(not any(paper in ids for ids in self.gold) for paper in self.cited)

    @cached_property
    def facts_found(self) -> list[str]:
        """Gold facts that the answer states."""
        return [fact for fact in self.facts if states(self.answer.answer, fact)]

    @cached_property
    def facts_missing(self) -> list[str]:
        """Gold facts that it does not state."""
        return [fact for fact in self.facts if fact not in self.facts_found]

    @cached_property
    def facts_not_retrieved(self) -> list[str]:
        """Those missing in the retrieved papers already: not the answerer's fault."""
        read = " ".join(f"{p.title} {p.text}" for p in self.answer.passages)
        return [fact for fact in self.facts_missing if not states(read, fact)]

    @property
    def claims(self) -> list[Sentence]:
        """The sentences that claim something."""
        return [s for s in self.answer.sentences if s.support != "none"]

    @cached_property
    def fact_first(self) -> bool | None:
        """Whether the first of them states a gold fact; None without facts."""
        first = self.claims[0].text if self.claims else self.answer.answer
        return any(states(first, fact) for fact in self.facts) if self.facts else None

    @property
    def words(self) -> int:
        """Words of the answer."""
        return len(without_markers(self.answer.answer).split())

    @property
    def confidence(self) -> float:
        """The confidence that the answer shows."""
        return self.answer.confidence

    @property
    def refused(self) -> bool:
        """Whether the assistant said that the library does not hold the answer."""
        return self.answer.status != "answered"

    @property
    def good(self) -> bool:
        """Answered, and as far as that can be told without a reader, rightly."""
        right_paper = self.cited_gold > 0 or not self.gold
        right_fact = bool(self.facts_found) or not self.facts
        answerable = self.asked.answerable and not self.left_out
        return answerable and not self.refused and right_paper and right_fact


def measure(
    assistant: Assistant,
    questions: Sequence[Question],
    *,
    leave_out: bool = False,
    notify: Notify = lambda _: None,
) -> list[Judged]:
    """Asks every question (twice with ``leave_out``, where it is answerable) and judges it."""
    finder = GoldFinder(assistant.library.papers())
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
    asked_of = assistant
    if left_out:
        hidden = frozenset(paper for ids in gold for paper in ids)
        weight = assistant.settings.retrieval.dense_weight
        asked_of = retrieving_by(assistant, Withholding(assistant.retriever, hidden, weight))
    history, before = _before(asked_of, question)
    started = time.perf_counter()
    answer = asked_of.ask(question.question, history)
    seconds = time.perf_counter() - started
    gold = gold + _named_before(question, before)
    count = str(len(assistant.library))
    judged = Judged(
        question,
        answer,
        gold,
        facts=[fact.replace("{papers}", count) for fact in question.gold_facts],
        gold_ranks=[None] * len(gold),
        resolved=None if left_out else _resolved(question, answer, gold, before),
        history=[turn.content for turn in history],
        seconds=seconds,
        left_out=left_out,
    )
    if gold and not left_out:
        found = assistant.retriever.find(answer.standalone_question, DEPTH)
        rank_of = {paper.paper.id: n for n, paper in enumerate(found, 1)}
        judged.gold_ranks = [
            min((rank_of[i] for i in ids if i in rank_of), default=None) for ids in gold
        ]
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


# ---------------------------------------------------------------------- summing up


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """All measures: for every kind, for all answerable questions, and of the abstention."""
    asked = [j for j in judged if not j.left_out]
    by_kind = {kind: [j for j in asked if j.asked.kind == kind] for kind in KINDS}
    spent = [j.answer.usage or Usage() for j in asked]
    return {
        "questions": len(asked),
        "kinds": {kind: _measures(of_kind) for kind, of_kind in by_kind.items() if of_kind},
        "fact_and_find": _measures([*by_kind["fact"], *by_kind["find"]]),
        "answerable": _measures(_present(asked)),
        "lists": _lists(by_kind["list"]),
        "follow_ups": _follow_ups(by_kind["follow"]),
        "abstention": abstention(judged),
        "seconds": percentiles([j.seconds for j in asked]),
        "seconds_retrieval": percentiles([j.answer.timings_ms.retrieve / 1000 for j in asked]),
        "tokens_per_question": round(_mean([u.prompt_tokens + u.completion_tokens for u in spent])),
        "cost_usd": sum(u.cost_usd or 0.0 for u in spent) or None,
    }


def _present(judged: Iterable[Judged]) -> list[Judged]:
    """The questions that the papers answer: neither absent nor about the library itself."""
    return [j for j in judged if j.asked.kind not in ("absent", "library")]


def _measures(judged: Sequence[Judged]) -> dict[str, Any]:
    facts = [j for j in judged if j.facts]
    gold = [j for j in judged if j.gold]
    cited = [j for j in gold if j.cited]
    claiming = [j for j in judged if j.claims]
    wanted = sum(len(j.facts) for j in facts)
    return {
        "n": len(judged),
        "gold_in_top_8": _rate(all(r is not None and r <= 8 for r in j.gold_ranks) for j in gold),
        "gold_first": _rate(1 in j.gold_ranks for j in gold),
        "context_precision": _rate(
            average_precision(j.gold_ranks, len(j.answer.passages)) for j in gold
        ),
        "facts": round(sum(len(j.facts_found) for j in facts) / wanted, 4) if wanted else None,
        "facts_of": wanted,
        "fact_first": _rate(bool(j.fact_first) for j in facts),
        "all_facts": _rate(not j.facts_missing for j in facts),
        "facts_not_retrieved": sum(len(j.facts_not_retrieved) for j in facts),
        "citation_recall": _rate(j.cited_gold / len(j.gold) for j in gold),
        "citation_precision": _rate(j.cited_gold / (j.cited_gold + j.cited_wrong) for j in cited),
        "supported": _rate(_share_supported(j.claims) for j in claiming),
        "answered": _rate(not j.refused for j in judged),
        "refused": _rate(j.refused for j in judged),
        "absent": _rate(j.answer.status == "absent" for j in judged),
        "good": _rate(j.good for j in judged),
        "words": _mean([j.words for j in judged]),
        "words_median": float(np.median([j.words for j in judged])) if judged else 0.0,
        "words_most": max((j.words for j in judged), default=0),
        "sentences": _mean([len(j.answer.sentences) for j in judged]),
        "sentences_most": max((len(j.answer.sentences) for j in judged), default=0),
        "citations": _mean([len(j.cited) for j in judged]),
    }


def _share_supported(claims: Sequence[Sentence]) -> float:
    return sum(s.support == "supported" for s in claims) / len(claims)


def average_precision(gold_ranks: Sequence[int | None], read: int) -> float:
    """Mean of the precision at the rank of each gold paper; 0 for one that was not read."""
    ranks = sorted(rank for rank in gold_ranks if rank is not None and rank <= read)
    precisions = [found / rank for found, rank in enumerate(ranks, 1)]
    return sum(precisions) / len(gold_ranks) if gold_ranks else 0.0


def _lists(judged: Sequence[Judged]) -> dict[str, Any]:
    """Of the papers wanted (a page of them at the most) those shown; of those shown the wanted."""
    return {
        "recall": _rate(min(1.0, j.cited_gold / min(len(j.gold) or 1, PAGE)) for j in judged),
        "precision": _rate(j.cited_gold / len(j.cited) if j.cited else 0.0 for j in judged),
    }


def _follow_ups(judged: Sequence[Judged]) -> dict[str, Any]:
    """Share understood, by how the follow-up leans on what was said before."""
    types = sorted({j.asked.follow_type for j in judged if j.asked.follow_type})
    return {
        name: _rate(bool(j.resolved) for j in judged if j.asked.follow_type == name)
        for name in types
    }


def _rate(values: Iterable[float]) -> dict[str, Any]:
    return mean_interval([float(value) for value in values])


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 2) if values else 0.0


def abstention(judged: Sequence[Judged]) -> dict[str, Any]:
    """Refused when absent, answered when present; what ``confidence`` tells, and how truly."""
    asked = [j for j in judged if not j.left_out and j.asked.kind != "library"]
    present, absent = _present(asked), [j for j in asked if j.asked.kind == "absent"]
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
        "called_absent_when_present": _rate(j.answer.status == "absent" for j in present),
        "refused_when_left_out": _rate(j.refused for j in left_out),
        "confidence": told(absent),
        "confidence_left_out": told(left_out),
        "brier": _brier(present, absent),
        "calibration": calibration_error([j.confidence for j in asked], [j.good for j in asked]),
        "good_when_sure": _rate(j.good for j in asked if not j.refused and j.confidence >= 0.8),
        "types": {
            name: {"refused": _rate(j.refused for j in found), "auroc": told(found)["auroc"]}
            for name, found in by(lambda j: j.asked.absent_type, absent).items()
        },
        "present_kinds": {
            name: {
                "refused": _rate(j.refused for j in found),
                "absent": _rate(j.answer.status == "absent" for j in found),
            }
            for name, found in by(lambda j: j.asked.kind, present).items()
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
    return [
        {
            **j.asked.model_dump(exclude={"history", "answer", "gold_facts"}, exclude_none=True),
            "reference": j.asked.answer,
            "history": j.history,
            "left_out": j.left_out,
            "standalone_question": j.answer.standalone_question,
            "status": j.answer.status,
            "confidence": j.confidence,
            "form": getattr(j.answer, "form", None),
            "answer": j.answer.answer,
            "cited_titles": j.answer.cited_titles,
            "cited_gold": j.cited_gold,
            "gold_ranks": j.gold_ranks,
            "facts_found": j.facts_found,
            "facts_missing": j.facts_missing,
            "facts_not_retrieved": j.facts_not_retrieved,
            "fact_first": j.fact_first,
            "resolved": j.resolved,
            "words": j.words,
            "seconds": round(j.seconds, 4),
        }
        for j in judged
    ]
