"""Retrieval: nDCG@10, Recall@5/10/100 and MRR@10 of the program, and of its two halves.

The measures are those of ir-measures (trec_eval's definitions). Every line of the table is the
program itself, called as it calls itself, with other settings: its lexical half alone (the
baseline), its dense half alone, and both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ir_measures
from ir_measures import RR, R, nDCG

from assistant import Assistant
from assistant.embedding import Embedder
from eval.data import GoldFinder, Question, RetrievalSet
from eval.statistics import mean_interval, paired

MEASURES = (nDCG @ 10, R @ 5, R @ 10, R @ 100, RR @ 10)
NAMES = {"nDCG@10": "nDCG@10", "R@5": "Recall@5", "R@10": "Recall@10", "R@100": "Recall@100",
         "RR@10": "MRR@10"}  # fmt: skip
STAGES = {"BM25 of the program": 0.0, "dense of the program": 1.0, "the program": None}
"""Stage → weight of the dense half; None: as in the settings."""
DEPTH = 100

Scored = dict[str, dict[str, float]]
"""Query → document → score."""


def questions_as_set(name: str, questions: list[Question], assistant: Assistant) -> RetrievalSet:
    """A question file as a retrieval set: gold papers are relevant, absent questions left out."""
    from assistant.conversation import standalone  # noqa: PLC0415

    finder = GoldFinder(assistant.library.papers())
    queries, qrels = {}, {}
    for question in questions:
        gold = finder.ids(question)
        if gold and not question.turns:
            queries[question.id] = standalone(question.question, question.history)
            qrels[question.id] = {paper: 1 for ids in gold for paper in ids}
    return RetrievalSet(name, queries, qrels)


def ranked(
    judged: RetrievalSet, assistant: Assistant, embedder: Embedder, weight: float | None
) -> Scored:
    """The run of the program's own retrieval, with this weight of its dense half."""
    if weight is not None:
        changed = assistant.settings.retrieval.model_copy(update={"dense_weight": weight})
        settings = assistant.settings.model_copy(update={"retrieval": changed})
        assistant = Assistant(settings, embedder=embedder)
    retriever = assistant.retriever
    return {
        query: {
            (paper.paper.source_id or "") if judged.by_source else paper.paper.id: paper.score
            for paper in retriever.find(text, DEPTH)
            if paper.score > 0
        }
        for query, text in judged.queries.items()
    }


def per_query(judged: RetrievalSet, scored: Scored) -> dict[str, dict[str, float]]:
    """Measure → query → value; 0 for a query for which nothing was found."""
    run = [
        ir_measures.ScoredDoc(query, document, score)
        for query, documents in scored.items()
        for document, score in documents.items()
    ]
    values = {name: dict.fromkeys(judged.queries, 0.0) for name in NAMES.values()}
    for metric in ir_measures.iter_calc(list(MEASURES), judged.judgements(), run):
        values[NAMES[str(metric.measure)]][metric.query_id] = float(metric.value)
    return values


def summary(values: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Means over the queries with intervals."""
    return {name: mean_interval(list(found.values())) for name, found in values.items()}


def measure(judged: RetrievalSet, assistant: Assistant, embedder: Embedder) -> dict[str, Any]:
    """All stages, each with its measures and its difference to BM25 alone, the baseline."""
    rows: list[dict[str, Any]] = []
    baseline: dict[str, dict[str, float]] = {}
    for stage, weight in STAGES.items():
        values = per_query(judged, ranked(judged, assistant, embedder, weight))
        baseline = baseline or values
        queries = sorted(judged.queries)
        rows.append(
            {
                "stage": stage,
                "note": "alone" if weight is not None else "",
                "measures": summary(values),
                "against_bm25": {
                    name: paired(
                        [values[name][q] for q in queries], [baseline[name][q] for q in queries]
                    )
                    for name in ("nDCG@10", "Recall@10")
                },
                "per_query": {q: round(values["nDCG@10"][q], 4) for q in queries},
            }
        )
    return {
        "papers": len(assistant.library),
        "queries": len(judged.queries),
        "stages": rows,
    }
