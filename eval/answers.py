"""Answers on a question file: facts, citations, abstention, shape, seconds.

Every measure is computed a question at a time (`Judged`), then summed up over all questions of
a kind. With ``leave_out`` each answerable question is asked once more while the papers that
answer it are held back: nothing else is changed, and the library should now say that it does
not hold the answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from assistant import Assistant
from assistant.results import Answer
from assistant.retrieval import PaperRetriever, Ranking
from assistant.settings import RetrievalSettings
from eval.data import GoldFinder, Question
from eval.facts import states, without_markers
from eval.statistics import mean_interval, percentiles, separation

KINDS = ("fact", "find", "multi", "follow", "absent")
REFUSED = ("absent", "closest")


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
    """Rank of each gold paper, from 1, among all papers; None where it is held back."""
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

    @property
    def refused(self) -> bool:
        """Whether the assistant said that the library does not hold the answer."""
        return self.status in REFUSED


def measure(
    assistant: Assistant, questions: Sequence[Question], *, leave_out: bool = False
) -> list[Judged]:
    """Asks every question (twice with ``leave_out``, where it is answerable) and judges it."""
    index = assistant.library.index()
    finder = GoldFinder(index)
    golds = [finder.places(question) for question in questions]
    for question in questions[:3]:  # warm: imports, maps, the model
        assistant.ask(question.question, question.history)
    judged = []
    for question, gold in zip(questions, golds, strict=True):
        judged.append(_ask(assistant, question, gold))
        if leave_out and question.answerable:
            judged.append(_ask_without(assistant, question, gold))
    return judged


def _ask(assistant: Assistant, question: Question, gold: list[list[int]]) -> Judged:
    started = time.perf_counter()
    answer = assistant.ask(question.question, question.history)
    seconds = time.perf_counter() - started
    everything = whole_ranking(assistant, answer.standalone_question)
    rank_of = {int(place): n for n, place in enumerate(everything.places, 1)}
    ranks = [min(rank_of[place] for place in places) for places in gold]
    return judge(assistant, question, answer, gold=gold, ranks=list(ranks), seconds=seconds)


def _ask_without(assistant: Assistant, question: Question, gold: list[list[int]]) -> Judged:
    """The question to the same assistant over the library without its gold papers.

    Their terms still count in the document frequencies; all else is as if they were not there.
    """
    retriever = assistant._retriever()
    hidden = frozenset(place for places in gold for place in places)
    assistant._opened_retriever = cast(
        PaperRetriever, _Withholding(retriever, hidden, assistant.settings.retrieval)
    )
    started = time.perf_counter()
    try:
        answer = assistant.ask(question.question, question.history)
    finally:
        assistant._opened_retriever = retriever
    seconds = time.perf_counter() - started
    ranks: list[int | None] = [None] * len(gold)
    return judge(
        assistant, question, answer, gold=gold, ranks=ranks, seconds=seconds, left_out=True
    )


class _Withholding:
    """A retriever that never finds the papers at the places in ``hidden``."""

    def __init__(
        self, retriever: PaperRetriever, hidden: frozenset[int], settings: RetrievalSettings
    ) -> None:
        self._retriever, self._hidden, self._settings = retriever, hidden, settings

    def rank(self, question: str, k: int | None = None) -> Ranking:
        everything = self._retriever.rank(question, 10**9)
        kept = without(everything, self._hidden, self._settings.dense_weight)
        return _picked(kept, np.arange(min(k or self._settings.top_k, len(kept))))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._retriever, name)


def whole_ranking(assistant: Assistant, asked: str) -> Ranking:
    """All papers, best first."""
    return assistant._retriever().rank(asked, len(assistant.library.index()))


def without(ranking: Ranking, hidden: frozenset[int], dense_weight: float) -> Ranking:
    """``ranking`` of all papers as it would be if ``hidden`` were not in the library.

    The scores are fused again, because their normalisation looked at the hidden papers.
    """
    kept = _picked(ranking, np.flatnonzero([int(place) not in hidden for place in ranking.places]))
    fused = dense_weight * _min_max(kept.cosines) + (1 - dense_weight) * _min_max(kept.bm25)
    fused = fused.astype(np.float32)
    return _picked(replace(kept, scores=fused), np.argsort(-fused, kind="stable"))


def _picked(ranking: Ranking, rows: NDArray[np.intp]) -> Ranking:
    """The papers of ``ranking`` at ``rows``, in that order, with all that is said of each."""
    arrays: dict[str, Any] = {
        f.name: value[rows]
        for f in fields(ranking)
        if isinstance(value := getattr(ranking, f.name), np.ndarray) and f.name != "vector"
    }
    return replace(ranking, **arrays)


def _min_max(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = (float(scores.min()), float(scores.max())) if len(scores) else (0.0, 0.0)
    if high <= low:
        return np.zeros_like(scores)
    scaled: NDArray[np.float32] = (scores - np.float32(low)) / np.float32(high - low)
    return scaled


def judge(
    assistant: Assistant,
    question: Question,
    answer: Answer,
    *,
    gold: list[list[int]],
    ranks: list[int | None],
    seconds: float,
    left_out: bool = False,
) -> Judged:
    """What is right and wrong about ``answer``."""
    index = assistant.library.index()
    gold_ids = [{index.paper(place).id for place in places} for places in gold]
    cited = [citation.paper_id for citation in answer.citations]
    found = [fact for fact in question.gold_facts if states(answer.answer, fact)]
    missing = [fact for fact in question.gold_facts if fact not in found]
    read = " ".join(f"{p.title} {p.text}" for p in answer.passages)
    claims = [s for s in answer.sentences if s.support != "none"]
    paper_of = {citation.number: citation.paper_id for citation in answer.citations}
    usage = answer.usage
    return Judged(
        id=question.id,
        kind=question.kind,
        absent_type=question.absent_type,
        left_out=left_out,
        question=question.question,
        standalone_question=answer.standalone_question,
        status=answer.status,
        confidence=answer.confidence,
        answer=answer.answer,
        cited_titles=answer.cited_titles,
        gold_titles=list(question.gold_titles),
        gold_ranks=ranks,
        cited_gold=sum(any(paper in cited for paper in ids) for ids in gold_ids),
        facts_found=found,
        facts_missing=missing,
        facts_not_retrieved=[fact for fact in missing if not states(read, fact)],
        words=len(without_markers(answer.answer).split()),
        sentences=len(answer.sentences),
        supported=(sum(s.support == "supported" for s in claims) / len(claims) if claims else None),
        seconds=seconds,
        seconds_retrieval=answer.timings_ms.retrieve / 1000,
        prompt_tokens=usage.prompt_tokens if usage else 0,
        completion_tokens=usage.completion_tokens if usage else 0,
        cost_usd=usage.cost_usd if usage else None,
        contexts=[passage.text for passage in answer.passages],
        claims=[(s.text, [paper_of[n] for n in s.citations if n in paper_of]) for s in claims],
    )


# ---------------------------------------------------------------------- summing up


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """All measures: for every kind, for all answerable questions, and of the abstention."""
    asked = [j for j in judged if not j.left_out]
    by_kind = {kind: [j for j in asked if j.kind == kind] for kind in KINDS}
    answerable = [j for j in asked if j.kind != "absent"]
    return {
        "questions": len(asked),
        "kinds": {kind: _measures(of_kind) for kind, of_kind in by_kind.items() if of_kind},
        "fact_and_find": _measures([*by_kind["fact"], *by_kind["find"]]),
        "answerable": _measures(answerable),
        "abstention": abstention(judged),
        "seconds": percentiles([j.seconds for j in asked]),
        "seconds_retrieval": percentiles([j.seconds_retrieval for j in asked]),
        "tokens_per_question": _tokens(asked),
        "cost_usd": sum(j.cost_usd or 0.0 for j in asked) or None,
    }


def _tokens(judged: Sequence[Judged]) -> float:
    return round(
        sum(j.prompt_tokens + j.completion_tokens for j in judged) / max(1, len(judged)), 1
    )


def _measures(judged: Sequence[Judged]) -> dict[str, Any]:
    facts = [j for j in judged if j.facts_found or j.facts_missing]
    cited = [j for j in judged if j.cited_titles and j.gold_titles]
    gold = [j for j in judged if j.gold_titles]
    checked = [j.supported for j in judged if j.supported is not None]
    wanted = sum(len(j.facts_found) + len(j.facts_missing) for j in facts)
    stated = sum(len(j.facts_found) for j in facts)
    return {
        "n": len(judged),
        "gold_in_top_8": _rate(
            float(all(r is not None and r <= 8 for r in j.gold_ranks)) for j in gold
        ),
        "gold_first": _rate(float(1 in j.gold_ranks) for j in gold),
        "facts": round(stated / wanted, 4) if wanted else None,
        "facts_of": wanted,
        "facts_per_question": _rate(
            len(j.facts_found) / (len(j.facts_found) + len(j.facts_missing)) for j in facts
        ),
        "all_facts": _rate(float(not j.facts_missing) for j in facts),
        "facts_not_retrieved": sum(len(j.facts_not_retrieved) for j in facts),
        "citation_recall": _rate(j.cited_gold / len(j.gold_titles) for j in gold),
        "citation_precision": _rate(j.cited_gold / len(j.cited_titles) for j in cited),
        "supported": _rate(checked),
        "refused": _rate(float(j.refused) for j in judged),
        "absent": _rate(float(j.status == "absent") for j in judged),
        "words": _mean([j.words for j in judged]),
        "words_most": max((j.words for j in judged), default=0),
        "sentences": _mean([j.sentences for j in judged]),
        "sentences_most": max((j.sentences for j in judged), default=0),
        "citations": _mean([len(j.cited_titles) for j in judged]),
    }


def _rate(values: Iterable[float]) -> dict[str, Any]:
    return mean_interval(list(values))


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 2) if values else 0.0


def abstention(judged: Sequence[Judged]) -> dict[str, Any]:
    """Refused when absent, answered when present; how well ``confidence`` tells the two."""
    asked = [j for j in judged if not j.left_out]
    answerable = [j for j in asked if j.kind != "absent"]
    absent = [j for j in asked if j.kind == "absent"]
    left_out = [j for j in judged if j.left_out]
    types = sorted({j.absent_type for j in absent if j.absent_type})
    sure = [j.confidence for j in answerable]
    return {
        "refused_when_absent": _rate(float(j.refused) for j in absent),
        "refused_when_present": _rate(float(j.refused) for j in answerable),
        "refused_when_left_out": _rate(float(j.refused) for j in left_out),
        "confidence": separation(sure, [j.confidence for j in absent]),
        "confidence_left_out": separation(sure, [j.confidence for j in left_out]),
        "brier": _brier(answerable, absent),
        "types": {
            name: {
                "refused": _rate(float(j.refused) for j in absent if j.absent_type == name),
                "auroc": separation(sure, [j.confidence for j in absent if j.absent_type == name])[
                    "auroc"
                ],
            }
            for name in types
        },
    }


def _brier(answerable: Sequence[Judged], absent: Sequence[Judged]) -> float | None:
    """Mean squared distance of the confidence from 1 (answerable) or 0 (absent)."""
    if not answerable and not absent:
        return None
    errors = [(1 - j.confidence) ** 2 for j in answerable] + [j.confidence**2 for j in absent]
    return round(float(np.mean(errors)), 4)


def details(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Everything about every question, for reading."""
    rows = []
    for j in judged:
        row = asdict(j)
        del row["contexts"], row["claims"]
        row["seconds"] = round(j.seconds, 4)
        row["seconds_retrieval"] = round(j.seconds_retrieval, 4)
        rows.append(row)
    return rows
