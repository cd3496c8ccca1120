"""The support checker measured: on pairs labelled by hand, and on pairs made from abstracts.

A labelled pair is a sentence, the titles of the papers that it cites, and whether
these support it. Made pairs (`eval.checker_pairs`) are a true sentence with its paper, and false
ones made from it; the checker was fitted on one half of the papers and is measured on the other
(`held_out`). ``python -m eval.support_fit`` fits it anew.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from assistant.answering.evidence import PassageReader
from assistant.answering.support import RANK, Source, SupportChecker
from assistant.embedding import Embedder
from assistant.paper import Paper, normalised_title
from assistant.text import sentences, terms
from eval.checker_pairs import CHANGES, make_pairs
from eval.data import EvalError
from eval.statistics import calibration_error, mean_interval, separation

STYLES = ("copy", "light", "digest")


class LabelledPair(BaseModel):
    """One line of a file of pairs; ``label`` is what a careful reader says."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    sentence: str
    cited: list[str] = Field(default_factory=list)
    label: str


class Checks:
    """The checker over some papers, each made ready once."""

    def __init__(self, papers: Iterable[Paper], embedder: Embedder) -> None:
        self.papers = {p.title_key: p for p in papers if p.kind == "abstract" and p.abstract}
        self._embedder = embedder
        idf = _idf(list(self.papers.values()))
        self.checker = SupportChecker(embedder, idf, PassageReader(embedder))
        self._sources: dict[str, Source] = {}

    def source(self, key: str) -> Source:
        """The paper with this title key."""
        if key not in self._sources:
            paper = self.papers[key]
            parts = tuple(paper.abstract[a:b] for a, b in sentences(paper.abstract))
            self._sources[key] = Source(parts, self._embedder.embed(parts), paper.title)
        return self._sources[key]

    def verdict(self, sentence: str, keys: Sequence[str]) -> tuple[str, float]:
        """What an answer would say of a sentence that cites these papers, and its score;
        "unsupported" where it cites none.
        """
        if not keys:
            return "unsupported", 0.0
        best, _ = self.checker.check_together(sentence, [self.source(key) for key in keys])
        return best.support, best.score


def _idf(papers: Sequence[Paper]) -> Callable[[str], float]:
    documents: dict[str, int] = {}
    for paper in papers:
        for term in set(terms(f"{paper.title} {paper.abstract}")):
            documents[term] = documents.get(term, 0) + 1

    def idf(term: str) -> float:
        n = documents.get(term, 0)
        return math.log1p((len(papers) - n + 0.5) / (n + 0.5))

    return idf


# ---------------------------------------------------------------------- labelled pairs


def labelled(pairs: Sequence[LabelledPair], checks: Checks) -> dict[str, Any]:
    """AUROC of the score, true sentences flagged and false ones caught, all and by kind.

    Sentences that claim nothing ("none") or cite nothing are only counted.

    Raises:
        EvalError: a cited paper is not among the papers.
    """
    for pair in pairs:
        missing = [t for t in pair.cited if normalised_title(t) not in checks.papers]
        if missing:
            raise EvalError(
                f"No abstract of {missing[0]!r}, which the pair {pair.id} cites.",
                "Give the papers of the pairs with --papers.",
            )
    measured = [pair for pair in pairs if pair.label in RANK and pair.cited]
    rows = []
    for pair in measured:
        keys = [normalised_title(title) for title in pair.cited]
        verdict, score = checks.verdict(pair.sentence, keys)
        rows.append({**pair.model_dump(), "verdict": verdict, "score": round(score, 4)})
    true = [row for row in rows if row["label"] == "supported"]
    false = [row for row in rows if row["label"] != "supported"]

    def share(found: list[dict[str, Any]], test: Callable[[str], bool]) -> dict[str, Any]:
        return mean_interval([test(row["verdict"]) for row in found])

    return {
        "pairs": len(rows),
        "left_out": len(pairs) - len(rows),
        "auroc": separation([row["score"] for row in true], [row["score"] for row in false]),
        "true_flagged": share(true, lambda verdict: verdict != "supported"),
        "true_called_unsupported": share(true, lambda verdict: verdict == "unsupported"),
        "false_caught": share(false, lambda verdict: verdict != "supported"),
        "false_called_unsupported": share(false, lambda verdict: verdict == "unsupported"),
        "kinds": {
            kind: {
                "true": sum(row in true for row in found),
                "false": sum(row in false for row in found),
                "called_supported": sum(row["verdict"] == "supported" for row in found),
            }
            for kind in sorted({row["kind"] for row in rows})
            if (found := [row for row in rows if row["kind"] == kind])
        },
        "rows": rows,
    }


# ---------------------------------------------------------------------- made pairs


def held_out(paper: Paper) -> bool:
    """Whether a paper is for reporting, and not for fitting: half of them, by their titles."""
    return hashlib.sha256(paper.title_key.encode()).digest()[0] % 2 == 1


def made(papers: Sequence[Paper], checks: Checks, seed: int) -> dict[str, Any]:
    """AUROC by kind of error and style, and verdicts, on pairs made of the held-out papers.

    Each kind of false pair is compared with the true sentences that it was made from.
    """
    scored = [
        (pair, *checks.verdict(pair.sentence, [pair.paper.title_key]))
        for pair in make_pairs(papers, seed)
        if held_out(pair.paper)
    ]
    right = {pair.origin: (verdict, score) for pair, verdict, score in scored
             if pair.kind == "right"}  # fmt: skip
    kinds: dict[str, Any] = {}
    for kind in CHANGES:
        false = [(p, v, s) for p, v, s in scored if p.kind == kind and p.origin in right]
        if false:
            auroc = {
                style: separation(
                    [right[p.origin][1] for p, _, _ in false if style in ("all", p.style)],
                    [s for p, _, s in false if style in ("all", p.style)],
                )
                for style in ("all", *STYLES)
            }
            kinds[kind] = {
                "pairs": len(false),
                **auroc["all"],
                "styles": {style: auroc[style]["auroc"] for style in STYLES},
                "passed_as_supported": mean_interval([v == "supported" for _, v, _ in false]),
            }
    return {
        "true_pairs": len(right),
        "true_supported": mean_interval([v == "supported" for v, _ in right.values()]),
        "kinds": kinds,
        "calibration": calibration_error(
            [s for _, _, s in scored], [bool(p.label) for p, _, _ in scored]
        ),
    }
