"""Which sentence says what a paper is: fits `Material.telling` on papers and their summaries.

    python -m eval.telling TRAIN.jsonl TEST.jsonl

Lines are those of SciTLDR (Apache-2.0; SciTLDR-A of allenai/scitldr): ``{"title", "source": [the
sentences of an abstract], "target": [summaries in one sentence, by author and readers]}``. A
sentence is as good as the F1 of its stems and those of the nearest summary. The fit is a softmax
over the sentences of each abstract against one over how good they are; words play no part. The
note holds how good the chosen sentence of the second file is, beside the first, a middle one and
the best that there is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assistant.embedding import Embedder, open_embedder
from assistant.files import write_atomically
from assistant.paper import Paper
from assistant.review.cells import Material
from assistant.settings import Settings
from assistant.text import terms

MODEL = Path(__file__).parents[1] / "assistant" / "fitted" / "telling.json"
_SHARP, _PENALTY, _MOST = 12.0, 0.5, (500, 300)
"""Of the softmax of how good sentences are; of squared weights; papers of each file."""
Abstracts = list[tuple[list[dict[str, float]], np.ndarray]]


def f1(one: str, two: str) -> float:
    """Of the stems of two texts."""
    first, second = set(terms(one)), set(terms(two))
    return 2 * len(first & second) / max(1, len(first) + len(second))


def read(
    file: Path, embedder: Embedder, most: int
) -> Iterator[tuple[list[dict[str, float]], np.ndarray]]:
    """Cues of each sentence of an abstract, and how good each is."""
    lines = [json.loads(row) for row in file.read_text("utf-8").splitlines()[:most]]
    for line in lines:
        texts = line["source"]
        if len(texts) < 4 or not line.get("title"):
            continue
        vectors = embedder.embed(texts)
        mean = vectors.mean(axis=0)
        near = vectors @ (mean / np.linalg.norm(mean))
        paper = Paper(title=line["title"], abstract=" ".join(texts))
        material = Material(paper, texts, near.tolist())
        good = np.array([max(f1(text, said) for said in line["target"]) for text in texts])
        yield [material.telling_cues(n) for n in range(len(texts))], good


def fitted(abstracts: Abstracts) -> dict[str, float]:
    """The weights."""
    from scipy.optimize import minimize  # noqa: PLC0415

    names = list(abstracts[0][0][0])
    tables = [np.array([[row[name] for name in names] for row in rows]) for rows, _ in abstracts]
    spread = np.concatenate(tables).std(axis=0) + 1e-6
    wanted = [np.exp(_SHARP * good) / np.exp(_SHARP * good).sum() for _, good in abstracts]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = _PENALTY * weights @ weights, 2 * _PENALTY * weights
        for table, share in zip(tables, wanted, strict=True):
            odds = table / spread @ weights
            chance = np.exp(odds - odds.max())
            chance /= chance.sum()
            total -= share @ np.log(chance + 1e-12)
            slope -= (table / spread).T @ (share - chance)
        return float(total), slope

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B").x / spread
    return {name: round(float(w), 3) for name, w in zip(names, found, strict=True)}


def measured(weights: dict[str, float], abstracts: Abstracts) -> str:
    """How good the chosen sentences are."""
    chosen, best, first, middle = np.mean(
        [
            (
                good[int(np.argmax([sum(w * row[n] for n, w in weights.items()) for row in rows]))],
                good.max(),
                good[0],
                good[len(good) // 2],
            )
            for rows, good in abstracts
        ],
        axis=0,
    )
    return (
        f"F1 of the chosen sentence with the summary, {len(abstracts)} other abstracts: "
        f"{chosen:.3f} (the first {first:.3f}, a middle one {middle:.3f}, the best {best:.3f})"
    )


def main(train: Path, test: Path) -> None:
    """Fits, measures, writes the model."""
    embedder = open_embedder(Settings.load())
    abstracts, others = (
        list(read(file, embedder, most)) for file, most in zip((train, test), _MOST, strict=True)
    )
    weights = fitted(abstracts)
    note = f"{len(abstracts)} abstracts of SciTLDR; {measured(weights, others)}"
    write_atomically(MODEL, json.dumps({"intercept": 0.0, "weights": weights, "note": note}) + "\n")
    print(note)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
