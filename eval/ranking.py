"""Retrieval: nDCG@10, Recall@5/10/100 and MRR@10 of the pipeline and of each of its stages.

The measures are those of ir-measures (trec_eval's definitions). The last stage is the program
itself, called as it calls itself; the stages before it are the same parts with one thing less.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from assistant.index import IndexRow, SearchIndex, build_index
from ir_measures import RR, R, nDCG
from numpy.typing import NDArray

from assistant import Assistant
from assistant.retrieval import Ranking, rank
from assistant.settings import RetrievalSettings
from eval.data import Bench, GoldFinder, Question, RetrievalSet
from eval.statistics import mean_interval, paired

MEASURES = (nDCG @ 10, R @ 5, R @ 10, R @ 100, RR @ 10)
NAMES = {"nDCG@10": "nDCG@10", "R@5": "Recall@5", "R@10": "Recall@10", "R@100": "Recall@100",
         "RR@10": "MRR@10"}  # fmt: skip
DEPTH = 100
RRF = 60

Vectors = dict[str, NDArray[np.float32]]
Scored = dict[str, dict[str, float]]
"""Query → document → score."""


def questions_as_set(name: str, questions: list[Question], index: SearchIndex) -> RetrievalSet:
    """A question file as a retrieval set: gold papers are relevant, absent questions left out."""
    finder = GoldFinder(index)
    queries, qrels = {}, {}
    for question in questions:
        if question.answerable:
            from assistant.conversation import standalone  # noqa: PLC0415

            queries[question.id] = standalone(question.question, question.history)
            qrels[question.id] = {
                str(place): 1 for places in finder.places(question) for place in places
            }
    return RetrievalSet(name, queries, qrels)


@dataclass(frozen=True)
class Stage:
    """One line of the table: a name and the run that it gives."""

    name: str
    note: str
    scored: Scored


def per_query(judged: RetrievalSet, scored: Scored) -> dict[str, dict[str, float]]:
    """Measure → query → value; a query without a judged document counts as ir-measures does."""
    run = [
        ir_measures.ScoredDoc(query, document, score)
        for query, documents in scored.items()
        for document, score in documents.items()
    ]
    values: dict[str, dict[str, float]] = {name: {} for name in NAMES.values()}
    for metric in ir_measures.iter_calc(list(MEASURES), judged.judgements(), run):
        values[NAMES[str(metric.measure)]][metric.query_id] = float(metric.value)
    for found in values.values():  # a query for which nothing was found
        for query in judged.queries:
            found.setdefault(query, 0.0)
    return values


def summary(values: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Means over the queries with intervals."""
    return {name: mean_interval(list(found.values())) for name, found in values.items()}


class Set:
    """A retrieval set over an opened library, with everything that its stages share."""

    def __init__(self, bench: Bench, judged: RetrievalSet, assistant: Assistant) -> None:
        self.judged = judged
        self.bench = bench
        self.assistant = assistant
        self.settings: RetrievalSettings = bench.settings.retrieval
        self.index = assistant.library.index()
        self.vectors: Vectors = {
            query: bench.embedder.embed_query(text) for query, text in judged.queries.items()
        }
        # a document is named by its source's id where the set is BEIR's, else by its place
        by_source = all("id:" in paper.id for paper in self.index.papers())
        self.names = [
            str(paper.source_id if by_source else place)
            for place, paper in enumerate(self.index.papers())
        ]

    def ranked(self, index: SearchIndex, settings: RetrievalSettings) -> Scored:
        """The run of the program's own ranking, with ``settings``, over ``index``."""
        return self._scored(lambda query, text: rank(
            index, text, self.vectors[query], settings, DEPTH
        ))  # fmt: skip

    def reciprocal(self, index: SearchIndex, settings: RetrievalSettings) -> Scored:
        """The dense and the BM25 ranking fused by reciprocal ranks, k = 60."""
        scored: Scored = {}
        for query, text in self.judged.queries.items():
            total = np.zeros(len(index))
            for weight in (1.0, 0.0):
                alone = settings.model_copy(update={"dense_weight": weight})
                ranking = rank(index, text, self.vectors[query], alone, len(index))
                hits = ranking.scores > 0
                total[ranking.places[hits]] += 1 / (RRF + 1 + np.arange(int(hits.sum())))
            best = np.argsort(-total, kind="stable")[:DEPTH]
            scored[query] = {self.names[i]: float(total[i]) for i in best if total[i] > 0}
        return scored

    def _scored(self, ranked: Callable[[str, str], Ranking]) -> Scored:
        scored: Scored = {}
        for query, text in self.judged.queries.items():
            ranking = ranked(query, text)
            scored[query] = {
                self.names[int(place)]: float(score)
                for place, score in zip(ranking.places, ranking.scores, strict=True)
                if score > 0
            }
        return scored

    @contextmanager
    def variant(self, changes: Mapping[str, Any], *, whole: bool = False) -> Iterator[SearchIndex]:
        """The library's index with other BM25 parameters, or one vector a whole abstract."""
        folder = Path(tempfile.mkdtemp(prefix="assistant-eval-"))
        try:
            rows = self._whole_rows() if whole else self.index.rows()
            build_index(folder / "index", rows, self.index.meta.model_copy(update=dict(changes)))
            yield SearchIndex(folder / "index")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _whole_rows(self) -> Iterator[IndexRow]:
        papers = list(self.index.papers())
        texts = [". ".join(filter(None, (paper.title, paper.abstract))) for paper in papers]
        vectors = self.bench.embedder.embed(texts)
        for place, row in enumerate(self.index.rows()):
            yield replace(row, vectors=vectors[place : place + 1])


def stages(measured: Set, *, quick: bool = False) -> Iterator[Stage]:
    """The pipeline, one thing at a time, until the program with its settings.

    Quick: its two halves and itself.
    """
    ours = measured.settings
    dense, lexical = (ours.model_copy(update={"dense_weight": w}) for w in (1.0, 0.0))
    best = ours.model_copy(update={"best_chunk_weight": 1.0})
    tokens = measured.bench.settings.chunking.max_tokens
    if quick:
        yield Stage("BM25 of the program", "alone", measured.ranked(measured.index, lexical))
        yield Stage("dense of the program", "alone", measured.ranked(measured.index, dense))
        yield Stage("the program", "", measured.ranked(measured.index, ours))
        return
    with measured.variant({"title_repeats": 1}) as plain:
        yield Stage("BM25 alone", "title counted once", measured.ranked(plain, lexical))
    with measured.variant({"title_repeats": 1}, whole=True) as whole:
        yield Stage("dense alone", "whole abstract, one vector", measured.ranked(whole, dense))
        yield Stage("both, reciprocal ranks", f"k = {RRF}", measured.reciprocal(whole, ours))
        yield Stage("both, min-max", f"{ours.dense_weight:g} dense", measured.ranked(whole, ours))
    with measured.variant({"title_repeats": 1}) as plain:
        yield Stage("+ chunks", f"≤ {tokens} tokens, best chunk", measured.ranked(plain, best))
        yield Stage(
            "+ mean of chunks", f"{ours.best_chunk_weight:g} best chunk",
            measured.ranked(plain, ours),
        )  # fmt: skip
    yield Stage(
        "the program", f"+ title {ours.title_repeats} times in BM25",
        measured.ranked(measured.index, ours),
    )  # fmt: skip
    yield Stage("BM25 of the program", "alone", measured.ranked(measured.index, lexical))
    yield Stage("dense of the program", "alone", measured.ranked(measured.index, dense))


def measure(measured: Set, *, quick: bool = False) -> dict[str, Any]:
    """All stages, each with its measures and its difference to BM25 alone, the baseline."""
    rows: list[dict[str, Any]] = []
    baseline: dict[str, dict[str, float]] | None = None
    for stage in stages(measured, quick=quick):
        values = per_query(measured.judged, stage.scored)
        baseline = baseline or values
        queries = sorted(baseline["nDCG@10"])
        rows.append(
            {
                "stage": stage.name,
                "note": stage.note,
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
        "papers": len(measured.index),
        "queries": len(measured.judged.queries),
        "stages": rows,
    }
