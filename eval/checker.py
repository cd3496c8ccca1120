"""The support checker measured: AUROC by kind of false pair, on papers that it was not fitted on.

    python -m eval.checker           the table
    python -m eval.checker --fit     coefficients for assistant/answering/support.py as well

Reads the listing pages in the folder that ASSISTANT_TEST_DATA names, and the digests of the
sample library as retellings of the same papers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.answering.support import FEATURES, Source, SupportChecker
from assistant.embedding import Embedder, open_embedder
from assistant.fitted import load
from assistant.paper import Paper
from assistant.settings import Settings
from assistant.text import sentences, terms
from eval.checker_pairs import CHANGES, Pair, make_pairs

__all__ = ["CheckerReport", "measure", "read_papers"]

Floats = NDArray[np.float64]
STYLES = ("copy", "light", "digest")


@dataclass(frozen=True)
class CheckerReport:
    """AUROC by (kind, style); style "all" is every style. ``counts`` are of false pairs."""

    auroc: dict[tuple[str, str], float]
    counts: dict[tuple[str, str], int]

    def markdown(self) -> str:
        """The table as it stands in the report."""
        columns = ("all", *STYLES)
        lines = [
            "| false pair | " + " | ".join(columns) + " | pairs |",
            "|---|" + "---|" * (len(columns) + 1),
        ]
        for kind in CHANGES:
            cells = [f"{self.auroc.get((kind, style), math.nan):.3f}" for style in columns]
            lines.append(f"| {kind} | {' | '.join(cells)} | {self.counts.get((kind, 'all'), 0)} |")
        return "\n".join(lines)


def read_papers(data: Path) -> list[Paper]:
    """The abstracts of the pages in ``data``, and the digests of the sample library."""
    from assistant.reading import read  # noqa: PLC0415
    from assistant.sample import SAMPLE_PAPERS  # noqa: PLC0415

    records = read([*sorted(data.glob("*.txt")), SAMPLE_PAPERS])
    return [record for record in records if isinstance(record, Paper)]


def held_out(paper: Paper) -> bool:
    """Whether a paper is for reporting, and not for fitting: half of them, by their titles."""
    return hashlib.sha256(paper.title_key.encode()).digest()[0] % 2 == 1


def measure(papers: Sequence[Paper], embedder: Embedder, seed: int = 0) -> CheckerReport:
    """The checker as it stands, on the papers that it was not fitted on."""
    pairs = make_pairs(papers, seed)
    features = feature_table(pairs, papers, embedder)
    chosen = np.array([held_out(pair.paper) for pair in pairs])
    weights, intercept = _kept()
    scores = features @ weights + intercept
    return report([p for p, c in zip(pairs, chosen, strict=True) if c], np.asarray(scores)[chosen])


def _kept() -> tuple[Floats, float]:
    """The weights in use, in the order of FEATURES, and the intercept."""
    model = load("support")
    return np.array([model.weights[name] for name in FEATURES]), model.intercept


def feature_table(pairs: Sequence[Pair], papers: Sequence[Paper], embedder: Embedder) -> Floats:
    """(pairs, len(FEATURES)); every text is embedded once."""
    abstracts = [p for p in papers if p.kind == "abstract" and p.abstract]
    documents: dict[str, int] = {}
    for paper in abstracts:
        for term in set(terms(f"{paper.title} {paper.abstract}")):
            documents[term] = documents.get(term, 0) + 1
    total = len(abstracts)

    def idf(term: str) -> float:
        n = documents.get(term, 0)
        return math.log1p((total - n + 0.5) / (n + 0.5))

    texts = list(dict.fromkeys(pair.sentence for pair in pairs))
    vectors = dict(zip(texts, embedder.embed(texts), strict=True))
    sources = {paper.title_key: _source(paper, embedder) for paper in abstracts}
    checker = SupportChecker(embedder, idf)
    rows = [
        checker.features(pair.sentence, vectors[pair.sentence], sources[pair.paper.title_key])
        for pair in pairs
    ]
    return np.array(rows, dtype=np.float64)


def _source(paper: Paper, embedder: Embedder) -> Source:
    parts = tuple(paper.abstract[a:b] for a, b in sentences(paper.abstract))
    return Source(parts, embedder.embed(parts), paper.title)


def report(pairs: Sequence[Pair], scores: Floats) -> CheckerReport:
    """AUROC of each kind against the true sentences that it was made from."""
    table: dict[tuple[str, str], float] = {}
    counts: dict[tuple[str, str], int] = {}
    by_origin = {p.origin: s for p, s in zip(pairs, scores, strict=True) if p.kind == "right"}
    for kind in CHANGES:
        for style in ("all", *STYLES):
            false = [
                (s, by_origin[p.origin])
                for p, s in zip(pairs, scores, strict=True)
                if p.kind == kind and p.origin in by_origin and style in ("all", p.style)
            ]
            counts[kind, style] = len(false)
            if false:
                below, above = zip(*false, strict=True)
                table[kind, style] = auroc(np.array(above), np.array(below))
    return CheckerReport(table, counts)


def auroc(positive: Floats, negative: Floats) -> float:
    """The chance that a true pair scores above a false one, ties counted half."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.mean() / 2 / len(negative))


def fit(pairs: Sequence[Pair], features: Floats) -> tuple[Floats, float]:
    """Coefficients and intercept; every kind weighs the same, digests as much as the rest."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    labels = np.array([pair.label for pair in pairs])
    groups: dict[tuple[str, bool], list[int]] = {}
    for row, pair in enumerate(pairs):
        groups.setdefault((pair.kind, pair.style == "digest"), []).append(row)
    weights = np.zeros(len(pairs))
    for (kind, _), rows in groups.items():
        share = {"right": 4.0, "wrong_paper": 1.5, "number_swapped": 0.5}.get(kind, 1.0)
        weights[rows] = share / len(rows)
    model: Any = LogisticRegression(C=30.0, max_iter=5000)
    model.fit(features, labels, sample_weight=weights * len(pairs) / weights.sum())
    return np.asarray(model.coef_[0]), float(model.intercept_[0])


def thresholds(pairs: Sequence[Pair], scores: Floats) -> str:
    """How many true and false sentences pass at several scores."""
    probability = 1 / (1 + np.exp(-scores))
    lines = []
    for limit in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        cells = []
        for kind, style in [("right", s) for s in STYLES] + [(k, "all") for k in CHANGES]:
            rows = [i for i, p in enumerate(pairs) if p.kind == kind and style in ("all", p.style)]
            passed = float((probability[rows] >= limit).mean()) if rows else math.nan
            cells.append(f"{kind}/{style} {passed:.2f}")
        lines.append(f"{limit}: " + ", ".join(cells))
    return "\n".join(lines)


def main() -> None:
    """Prints the table, and the coefficients with ``--fit``."""
    parser = argparse.ArgumentParser(prog="python -m eval.checker", description=__doc__)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="papers as [{title, abstract}], not pages")
    given = parser.parse_args()
    if given.json:
        from assistant.sample import SAMPLE_PAPERS  # noqa: PLC0415

        lines = [*json.loads(given.json.read_text("utf-8"))]
        papers = [Paper.model_validate({k: p[k] for k in ("title", "abstract")}) for p in lines]
        digests = SAMPLE_PAPERS.read_text("utf-8").splitlines()
        papers += [Paper.model_validate_json(line) for line in digests]
    else:
        data = os.environ.get("ASSISTANT_TEST_DATA")
        if not data:
            parser.error("set ASSISTANT_TEST_DATA to the folder of the listing pages")
        papers = read_papers(Path(data))
    embedder = open_embedder(Settings.load())
    pairs = make_pairs(papers, given.seed)
    features = feature_table(pairs, papers, embedder)
    chosen = np.array([held_out(pair.paper) for pair in pairs])
    tested = [p for p, c in zip(pairs, chosen, strict=True) if c]
    weights, intercept = _kept()
    if given.fit:
        fitted = [p for p, c in zip(pairs, chosen, strict=True) if not c]
        weights, intercept = fit(fitted, features[~chosen])
        for name, weight in zip(FEATURES, weights, strict=True):
            print(f"    {weight:+.3f}  # {name}")
        print(f"INTERCEPT = {intercept:.3f}")
    scores = features[chosen] @ weights + intercept
    print(report(tested, scores).markdown())
    print(thresholds(tested, scores))


if __name__ == "__main__":
    main()
