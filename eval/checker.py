"""The support checker measured: AUROC by kind of false pair, on papers that it was not fitted on.

    python -m eval.checker           the table, and the written pairs
    python -m eval.checker --fit     assistant/fitted/support.json anew

Reads the listing pages in the folder that ASSISTANT_TEST_DATA names, the digests of the sample
library as retellings of the same papers, and eval/written_pairs.jsonl: abstracts of fifteen
fields with sentences that hold and sentences that do not, written for this. Every second of
those abstracts is fitted on, the others are reported.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.answering.particulars import bare_claim
from assistant.answering.support import FEATURES, Source, SupportChecker
from assistant.embedding import Embedder, open_embedder
from assistant.files import write_atomically
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


def _keep(weights: Floats, intercept: float) -> None:
    """Writes the model that the program reads."""
    named = {name: round(float(w), 3) for name, w in zip(FEATURES, weights, strict=True)}
    note = (
        "Does an abstract support a sentence? Fitted by python -m eval.checker --fit on "
        "sentences of abstracts, their retellings, false ones made from both, and half of "
        "eval/written_pairs.jsonl."
    )
    model = {"intercept": round(intercept, 3), "weights": named, "note": note}
    text = json.dumps(model, indent=1) + "\n"
    write_atomically(Path(str(files("assistant.fitted"))) / "support.json", text)


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


WRITTEN = Path(__file__).with_name("written_pairs.jsonl")
_RAISING = {"cosine", "cosine_two", "terms_sentence", "terms_abstract", "number_context"}
_FREE = {"cosine_mean", "copied", "numbers_found", "names_found", "label"}
_SHARES = {"wrong_paper": 3.0, "number_swapped": 1.5, "numbers_exchanged": 1.5}
_STYLES = {"digest": (8.0, 0.5), "light": (3.0, 0.3), "copy": (1.0, 0.2)}
_WRITTEN_SHARE = 4.0
_LENIENCE = 0.2
"""Added to the intercept: a tenth of the true written sentences is then flagged."""


@dataclass(frozen=True)
class Written:
    """Features of the written pairs, (pairs, features), whether each holds, and its kind;
    ``fitted`` marks those that are fitted on.
    """

    features: Floats
    holds: NDArray[np.bool_]
    fitted: NDArray[np.bool_]
    kinds: list[str]


def written(embedder: Embedder) -> Written:
    """The pairs of eval/written_pairs.jsonl; a stem is as rare as in some five hundred papers."""
    rows = [json.loads(line) for line in WRITTEN.read_text("utf-8").splitlines()]
    papers = [Paper(title=row["title"], abstract=row["abstract"]) for row in rows]
    held = Counter(t for p in papers for t in set(terms(f"{p.title} {p.abstract}")))

    def idf(term: str) -> float:
        n = min(held[term] * 20, 540)
        return math.log1p((545 - n + 0.5) / (n + 0.5))

    checker = SupportChecker(embedder, idf)
    found: list[tuple[Floats, bool, bool, str]] = []
    for place, (row, paper) in enumerate(zip(rows, papers, strict=True)):
        source = _source(paper, embedder)
        pairs = [(text, "true") for text in row["true"]]
        pairs += [(false["sentence"], false["kind"]) for false in row["false"]]
        for text, kind in pairs:
            vector = embedder.embed_query(bare_claim(text))
            features = np.asarray(checker.features(text, vector, source), dtype=np.float64)
            found.append((features, kind == "true", place % 2 == 0, kind))
    table, holds, fitted, kinds = zip(*found, strict=True)
    return Written(np.array(table), np.array(holds), np.array(fitted), list(kinds))


def fit(pairs: Sequence[Pair], features: Floats, own: Written) -> tuple[Floats, float]:
    """Weights and intercept; every kind and style has its share, and no weight a wrong sign."""
    groups: dict[tuple[str, str], list[int]] = {}
    for row, pair in enumerate(pairs):
        groups.setdefault((pair.kind, pair.style), []).append(row)
    weights = np.zeros(len(pairs))
    for (kind, style), rows in groups.items():
        right, wrong = _STYLES[style]
        share = right if kind == "right" else wrong * _SHARES.get(kind, 1.0)
        weights[rows] = share / len(rows)
    chosen = own.fitted
    counts = np.where(own.holds, own.holds[chosen].sum(), (~own.holds[chosen]).sum())
    table = np.concatenate([features, own.features[chosen]])
    labels = np.concatenate([[p.label for p in pairs], own.holds[chosen]]).astype(np.float64)
    return _logistic(table, labels, np.concatenate([weights, (_WRITTEN_SHARE / counts)[chosen]]))


def _logistic(table: Floats, labels: Floats, weights: Floats) -> tuple[Floats, float]:
    """Logistic regression whose weights keep to the signs that their features must have."""
    from scipy.optimize import minimize  # noqa: PLC0415

    whole, signs = np.c_[table, np.ones(len(table))], 2 * labels - 1
    weights = weights / weights.sum()

    def loss(given: Floats) -> tuple[float, Floats]:
        margin = signs * (whole @ given)
        wrong = 1 / (1 + np.exp(np.clip(margin, -50, 50)))
        value = float((weights * np.logaddexp(0, -margin)).sum() + 1e-4 * (given[:-1] ** 2).sum())
        return value, -whole.T @ (weights * signs * wrong) + np.r_[2e-4 * given[:-1], 0]

    bounds: list[tuple[float | None, float | None]] = [
        (None, None) if name in _FREE else (0, None) if name in _RAISING else (None, 0)
        for name in FEATURES
    ]
    found = minimize(
        loss,
        np.zeros(whole.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=[*bounds, (None, None)],
        options={"maxiter": 2000},
    )
    return np.asarray(found.x[:-1]), float(found.x[-1]) + _LENIENCE


def written_table(own: Written, scores: Floats) -> str:
    """What the checker makes of the written pairs that it was not fitted on."""
    lines = []
    for name, rows in (("fitted on", own.fitted), ("held out", ~own.fitted)):
        true, false = scores[rows & own.holds], scores[rows & ~own.holds]
        lines.append(
            f"written pairs, {name}: AUROC {auroc(true, false):.3f}, true flagged "
            f"{(true <= 0).mean():.1%} of {len(true)}, false caught {(false <= 0).mean():.1%} of "
            f"{len(false)}"
        )
    for kind in sorted(set(own.kinds) - {"true"}):
        rows = np.array([k == kind for k in own.kinds])
        lines.append(f"  {kind}: {(scores[rows] <= 0).sum()} of {rows.sum()} caught")
    return "\n".join(lines)


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
    own = written(embedder)
    weights, intercept = _kept()
    if given.fit:
        fitted = [p for p, c in zip(pairs, chosen, strict=True) if not c]
        weights, intercept = fit(fitted, features[~chosen], own)
        _keep(weights, intercept)
    scores = features[chosen] @ weights + intercept
    print(report(tested, scores).markdown())
    print(thresholds(tested, scores))
    print(written_table(own, own.features @ weights + intercept))


if __name__ == "__main__":
    main()
