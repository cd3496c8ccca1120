"""Fits the models that tell what a paper does and what it reports (`assistant.review`).

    python -m eval.contributions --abstracts FOLDER [--measure]

FOLDER holds the clones that `eval.abstracts` reads. Lines of ``sentences/contributions.jsonl`` are
``{"p", "s", "set", "does", "finds"}``: which sentences of an abstract a reader would take for each
of the two, best first. The models learn from the set "fitted"; where they begin to show a
sentence, and from where it is sure, is set with one source left out in turn. "held-out", four
fields of their own, only measures.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.files import write_atomically
from assistant.paper import Paper
from assistant.review.cells import Material
from assistant.review.contributions import SURE, Column, word_cues
from eval.abstracts import SENTENCES, Abstracts

FITTED = Path(__file__).parents[1] / "assistant" / "fitted"
LABELS = SENTENCES / "contributions.jsonl"
COLUMNS: tuple[Column, ...] = ("does", "finds")
_LEAST, _SOURCES = 10, 6
"""Sentences that a word must stand in, and sources that these must be of."""
_WORD, _C = 0.7, 0.1
"""How much a word counts beside a cue, and the inverse of the penalty."""
_SHOWN: dict[Column, float] = {"does": 0.85, "finds": 0.8}
_SURELY = 0.98
"""Shares of what is shown, and of what is sure, that are to be right."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One abstract: cues and words of each sentence that can stand alone, which are right in a
    column, and which may be shown there.
    """

    source: str
    places: tuple[int, ...]
    cues: tuple[dict[str, float], ...]
    words: tuple[frozenset[str], ...]
    right: dict[Column, frozenset[int]]
    shown: dict[Column, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic regression, by names."""

    intercept: float
    weights: dict[str, float]

    def odds(self, paper: Labelled) -> Floats:
        """(places,) log-odds of each."""
        return np.array(
            [
                self.intercept
                + sum(self.weights.get(name, 0.0) * value for name, value in cues.items())
                + sum(self.weights.get(word, 0.0) for word in words)
                for cues, words in zip(paper.cues, paper.words, strict=True)
            ]
        )


def read(abstracts: Abstracts, wanted: str) -> list[Labelled]:
    """The abstracts of one set with their labels."""
    lines = [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]
    lines = [line for line in lines if line["set"] == wanted]
    found = abstracts.listed(lines, every=True)
    made = []
    for line in lines:
        if (abstract := found.get(line["p"])) is None:
            continue
        paper = Paper(title=abstract.title, abstract=" ".join(abstract.sentences))
        material = Material(paper, abstract.sentences)
        made.append(
            Labelled(
                line["s"],
                tuple(material.eligible),
                tuple(material.contribution_cues(place) for place in material.eligible),
                tuple(frozenset(word_cues(abstract.sentences[p])) for p in material.eligible),
                {column: frozenset(line[column]) for column in COLUMNS},
                {column: frozenset(material.places_for(column)) for column in COLUMNS},
            )
        )
    return [paper for paper in made if paper.places]


def fit(papers: Sequence[Labelled], column: Column) -> Model:
    """The model of ``column``; words count that many sentences of several sources hold."""
    from scipy import sparse  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    held: Counter[str] = Counter()
    sources: dict[str, set[str]] = defaultdict(set)
    for paper in papers:
        for words in paper.words:
            held.update(words)
            for word in words:
                sources[word].add(paper.source)
    kept = sorted(w for w, n in held.items() if n >= _LEAST and len(sources[w]) >= _SOURCES)
    at = {word: n for n, word in enumerate(kept)}
    names = sorted(papers[0].cues[0])
    rows = np.array([[cues[name] for name in names] for p in papers for cues in p.cues])
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    table = sparse.lil_matrix((len(rows), len(kept)))
    for n, words in enumerate(words for paper in papers for words in paper.words):
        for word in words & at.keys():
            table[n, at[word]] = _WORD
    right = np.array([place in p.right[column] for p in papers for place in p.places])
    joined = sparse.hstack([sparse.csr_matrix((rows - mean) / spread), table.tocsr()]).tocsr()
    model = LogisticRegression(C=_C, max_iter=3000).fit(joined, right)
    cues = model.coef_[0][: len(names)] / spread
    weights = dict(zip(names, map(float, cues), strict=True))
    weights |= {
        w: float(_WORD * c) for w, c in zip(kept, model.coef_[0][len(names) :], strict=True)
    }
    return Model(float(model.intercept_[0] - cues @ mean), weights)


def best(
    papers: Sequence[Labelled], odds: Sequence[Floats], column: Column
) -> tuple[Floats, Floats]:
    """(papers,) the highest log-odds of each paper, and whether that sentence is right."""
    highest, right = [], []
    for paper, one in zip(papers, odds, strict=True):
        allowed = [n for n, place in enumerate(paper.places) if place in paper.shown[column]]
        top = max(allowed, key=lambda n: one[n], default=None)
        highest.append(-np.inf if top is None else float(one[top]))
        right.append(top is not None and paper.places[top] in paper.right[column])
    return np.array(highest), np.array(right, float)


def threshold(highest: Floats, right: Floats, wanted: float) -> float:
    """The log-odds from which ``wanted`` of what is shown is right."""
    order = np.argsort(-highest, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= wanted)
    return float(highest[order[good[-1]]]) if len(good) else float(highest.max()) + 1.0


def told(
    papers: Sequence[Labelled], highest: Floats, right: Floats, cuts: tuple[float, float]
) -> str:
    """How many papers have a sentence, and how many that are shown, or sure, are right."""
    shares = []
    for name, least in zip(("shown", "sure"), cuts, strict=True):
        seen = right[highest >= least]
        shares.append(f"{len(seen)} {name}, {seen.mean() if len(seen) else 0:.0%} right")
    return f"{len(papers)} papers: {'; '.join(shares)}"


def main() -> None:
    """Fits or measures both columns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--abstracts", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--measure", action="store_true", help="write no model")
    given = parser.parse_args()
    abstracts = Abstracts(given.abstracts)
    papers, held_out = read(abstracts, "fitted"), read(abstracts, "held-out")
    for column in COLUMNS:
        odds: list[Floats] = [np.empty(0)] * len(papers)
        for source in sorted({paper.source for paper in papers}):
            apart = fit([paper for paper in papers if paper.source != source], column)
            for n, paper in enumerate(papers):
                if paper.source == source:
                    odds[n] = apart.odds(paper)
        highest, right = best(papers, odds, column)
        shown = threshold(highest, right, _SHOWN[column])
        sure = max(shown + 1e-6, threshold(highest, right, _SURELY))
        note = f"each source by the others, {told(papers, highest, right, (shown, sure))}"
        model = fit(papers, column)
        highest, right = best(held_out, [model.odds(paper) for paper in held_out], column)
        note += f"; four other fields, {told(held_out, highest, right, (shown, sure))}"
        print(f"{column}: {note}")
        scale = SURE / (sure - shown)
        made = {
            "intercept": round((model.intercept - shown) * scale, 4),
            "weights": {n: round(w * scale, 4) for n, w in sorted(model.weights.items())},
            "note": note,
        }
        if not given.measure:
            write_atomically(FITTED / f"contribution_{column}.json", json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
