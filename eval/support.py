"""The support checker as the program runs it, on pairs whose truth is known.

The pairs are `eval.checker_pairs`', of the papers that the checker was not fitted on
(`eval.checker.held_out`). Each kind of false pair is compared with the true sentences that it
was made from: AUROC of the checker's score, and how often a false pair passes as "supported".
The calibration takes all pairs, each kind of error weighing as much as it occurs in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant.answering.support import Source, SupportChecker
from assistant.embedding import Embedder
from assistant.paper import Paper
from assistant.text import sentences, terms
from eval.checker import STYLES, held_out
from eval.checker_pairs import CHANGES, Pair, make_pairs
from eval.statistics import mean_interval, separation

BINS = 10


@dataclass(frozen=True, slots=True)
class Scored:
    """A pair with the checker's verdict on it."""

    pair: Pair
    score: float
    verdict: str


def check(papers: Sequence[Paper], embedder: Embedder, seed: int) -> list[Scored]:
    """The verdict on every pair made of the held-out papers."""
    abstracts = [paper for paper in papers if paper.kind == "abstract" and paper.abstract]
    checker = SupportChecker(embedder, _idf(abstracts))
    sources: dict[str, Source] = {}
    scored = []
    for pair in make_pairs(papers, seed):
        if held_out(pair.paper):
            key = pair.paper.title_key
            if key not in sources:
                text = pair.paper.abstract
                parts = tuple(text[a:b] for a, b in sentences(text))
                sources[key] = Source(parts, embedder.embed(parts), pair.paper.title)
            verdict = checker.check_sources(pair.sentence, [sources[key]])[0]
            scored.append(Scored(pair, verdict.score, verdict.support))
    return scored


def _idf(papers: Sequence[Paper]) -> Callable[[str], float]:
    documents: dict[str, int] = {}
    for paper in papers:
        for term in set(terms(f"{paper.title} {paper.abstract}")):
            documents[term] = documents.get(term, 0) + 1

    def idf(term: str) -> float:
        n = documents.get(term, 0)
        return float(np.log1p((len(papers) - n + 0.5) / (n + 0.5)))

    return idf


def summary(scored: Sequence[Scored]) -> dict[str, Any]:
    """AUROC by kind of error and by style, verdicts by kind, calibration."""
    right = {s.pair.origin: s for s in scored if s.pair.kind == "right"}
    kinds: dict[str, Any] = {}
    for kind in CHANGES:
        false = [s for s in scored if s.pair.kind == kind and s.pair.origin in right]
        if not false:
            continue
        kinds[kind] = {
            "pairs": len(false),
            **_auroc(false, right),
            "styles": {
                style: _auroc([s for s in false if s.pair.style == style], right)["auroc"]
                for style in STYLES
            },
            "passed_as_supported": mean_interval([s.verdict == "supported" for s in false]),
        }
    return {
        "true_pairs": len(right),
        "true_supported": mean_interval([s.verdict == "supported" for s in right.values()]),
        "kinds": kinds,
        "calibration": calibration([(s.score, bool(s.pair.label)) for s in scored]),
    }


def _auroc(false: Sequence[Scored], right: dict[int, Scored]) -> dict[str, Any]:
    found = separation([right[s.pair.origin].score for s in false], [s.score for s in false])
    return {key: found[key] for key in ("auroc", "low", "high")}


def calibration(scored: Sequence[tuple[float, bool]]) -> list[dict[str, float]]:
    """Bins of the score, each as mean score, share of true pairs, and count."""
    bins = []
    for n in range(BINS):
        low, high = n / BINS, (n + 1) / BINS
        here = [(s, t) for s, t in scored if low <= s < high or (n == BINS - 1 and s >= 1)]
        if here:
            bins.append(
                {
                    "score": round(float(np.mean([s for s, _ in here])), 4),
                    "true": round(float(np.mean([t for _, t in here])), 4),
                    "n": len(here),
                }
            )
    return bins
