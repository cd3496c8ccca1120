"""Reviews without a language model, on topics whose relevant papers were labelled by hand.

coverage      share of the relevant papers that the review cites
precision     share of the cited papers that are relevant (a topic's label is strict: neighbours
              that a reader would not mind count as wrong)
citations     share of the citations that the checker calls supported
repetition    share of the sentences with a near-twin among the others (cosine from 0.85)
integrity     share of the quotations and cells that stand in their abstract, letter for letter
comparing     share of the sentences about papers that set two or more side by side
majority      share of the themes (without "Other") whose name more than half of the papers hold
purity        how far a theme holds papers of one kind: for each paper of a theme, the share of
              its three nearest neighbours in the review (by title vectors, which the clustering
              only knows in part) that are in its theme, against what chance would give
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from assistant import Assistant
from assistant.attribution import is_verbatim
from assistant.embedding import Embedder
from assistant.paper import normalised_title
from assistant.review.model import COLUMNS, Review
from assistant.text import terms
from eval.data import EvalError

TOPICS = Path(__file__).with_name("topics") / "listing-pages.jsonl"
TWIN = 0.85
_NEIGHBOURS = 3


class Topic(BaseModel):
    """One line of a topic file; ``relevant`` are titles."""

    model_config = ConfigDict(frozen=True)

    id: str
    topic: str
    kind: Literal["held", "thin", "absent"]
    relevant: list[str]


@dataclass
class Measured:
    """One review and its measures."""

    topic: Topic
    review: Review
    row: dict[str, Any]


def read_topics(path: Path = TOPICS) -> list[Topic]:
    """The topics of a JSON Lines file.

    Raises:
        EvalError: it cannot be read, or a line is not a topic.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Topic.model_validate_json(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise EvalError(f"{path} holds no topics: {' '.join(str(error).split())}") from None


def measure(
    assistant: Assistant,
    topics: Sequence[Topic],
    sizes: Sequence[int],
    note: Callable[[str], None],
) -> dict[str, Any]:
    """Writes every topic's review with each number of papers, and measures it.

    Raises:
        EvalError: the library does not hold a paper that a topic names.
    """
    held = {paper.title_key for paper in assistant.library.papers()}
    for topic in topics:
        missing = [t for t in topic.relevant if normalised_title(t) not in held]
        if missing:
            raise EvalError(
                f"The library does not hold {missing[0]!r}, which the topic {topic.id} names.",
                "Give the papers that the topics were labelled on with --papers.",
            )
    results: dict[str, Any] = {}
    embedder = assistant._embedder()
    for size in sizes:
        measured = []
        for topic in topics:
            measured.append(one(assistant, topic, size, embedder))
            note(f"{topic.id}, {size} papers: {json.dumps(measured[-1].row)}")
        results[str(size)] = {
            "topics": [m.row for m in measured],
            "mean": _means([m.row for m in measured if m.topic.kind == "held"]),
            "forced": forced(assistant, topics[0].topic, size),
            "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }
    return results


def one(assistant: Assistant, topic: Topic, papers: int, embedder: Embedder) -> Measured:
    """The review of one topic, measured."""
    begun = time.perf_counter()
    review = assistant.review(topic.topic, papers=papers)
    seconds = time.perf_counter() - begun
    wanted = {normalised_title(title) for title in topic.relevant}
    cited = {reference.paper.title_key for reference in review.references}
    quotes = [quote.support for s in review.sentences for quote in s.quotes]
    return Measured(
        topic,
        review,
        {
            "topic": topic.id,
            "status": review.status,
            "right": review.status == {"held": "written"}.get(topic.kind, topic.kind),
            "papers": len(cited),
            "relevant": len(wanted),
            "coverage": _share(len(wanted & cited), len(wanted)),
            "coverage_possible": _share(len(wanted & cited), min(len(wanted), papers)),
            "precision": _share(len(wanted & cited), len(cited)),
            "citations": len(quotes),
            "citation_precision": _share(quotes.count("supported"), len(quotes)),
            "sentences": len(list(review.sentences)),
            "integrity": integrity(review),
            "comparing": _share(
                sum(len(s.citations) > 1 for s in review.sentences),
                sum(s.support != "none" for s in review.sentences),
            ),
            "majority": majority(review),
            "repetition": repetition(review, embedder),
            "themes": len(review.themes),
            "purity": purity(review, embedder),
            "filled_cells": _filled(review),
            "seconds": round(seconds, 2),
        },
    )


def forced(assistant: Assistant, topic: str, papers: int) -> dict[str, Any]:
    """Seconds of a review that has to use so many papers, relevant or not."""
    found = [result.paper_id for result in assistant.search(topic, papers)]
    begun = time.perf_counter()
    review = assistant.review(topic, papers=papers, include=found)
    seconds = round(time.perf_counter() - begun, 2)
    sentences = len(list(review.sentences))
    return {"papers": review.counts.used, "seconds": seconds, "sentences": sentences}


def integrity(review: Review) -> float | None:
    """Share of the quotations and cells that are the abstract's (or title's) own letters."""
    held = {r.number: f"{r.paper.abstract}\n{r.paper.title}" for r in review.references}
    quotes = [(q.number, q.text) for s in review.sentences for q in s.quotes]
    for row in review.table:
        cells = (getattr(row, column) for column in COLUMNS)
        quotes += [(cell.citation, cell.text) for cell in cells if cell]
    quotes += [(n.cell.citation, n.cell.quote) for n in review.numbers]
    return _share(sum(is_verbatim(text, held[number]) for number, text in quotes), len(quotes))


def majority(review: Review) -> float | None:
    """Share of the named themes whose name most of their papers hold."""
    texts = {r.number: set(terms(f"{r.paper.title} {r.paper.abstract}")) for r in review.references}
    named = [theme for theme in review.themes if theme.terms]
    kept = [
        theme for theme in named
        if 2 * sum(set(terms(theme.name)) <= texts[n] for n in theme.papers) > len(theme.papers)
    ]  # fmt: skip
    return _share(len(kept), len(named))


def repetition(review: Review, embedder: Embedder) -> float | None:
    """Share of the sentences about papers that have a near-twin."""
    texts = [s.text for s in review.sentences if s.support != "none"]
    if len(texts) < 2:
        return None
    vectors = embedder.embed(texts)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, 0.0)
    return round(float((cosines.max(axis=1) >= TWIN).mean()), 4)


def purity(review: Review, embedder: Embedder) -> dict[str, float] | None:
    """Share of the nearest neighbours of a paper that are in its theme, and what chance gives."""
    references = review.references
    if len(review.themes) < 2:
        return None
    vectors = embedder.embed([reference.paper.label for reference in references])
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    themes = np.array([reference.theme for reference in references])
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :_NEIGHBOURS]
    same = (themes[nearest] == themes[:, None]).mean()
    sizes = np.array([(themes == theme).sum() for theme in themes])
    chance = ((sizes - 1) / max(1, len(themes) - 1)).mean()
    return {"same": round(float(same), 4), "chance": round(float(chance), 4)}


def _filled(review: Review) -> float | None:
    cells = [
        cell is not None
        for row in review.table
        for cell in (row.method, row.result, row.scale, row.limits)
    ]
    return _share(sum(cells), len(cells))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _means(rows: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    names = (
        "papers", "coverage", "coverage_possible", "precision", "citation_precision", "sentences",
        "repetition", "integrity", "comparing", "majority", "themes", "filled_cells", "seconds",
    )  # fmt: skip
    for name in names:
        values = [row[name] for row in rows if row[name] is not None]
        means[name] = round(float(np.mean(values)), 4) if values else None
    for name in ("same", "chance"):
        values = [row["purity"][name] for row in rows if row["purity"] is not None]
        means[f"purity_{name}"] = round(float(np.mean(values)), 4) if values else None
    return means
