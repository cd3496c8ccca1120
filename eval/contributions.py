"""Fits the models that tell what a paper does and what it reports (`assistant.review`): of each
column one that reads tokens (`eval.token_model`; needs torch, which is no part of the project), and
one of words, for other embedding models.

    python -m eval.contributions --abstracts FOLDER [--measure]

FOLDER holds the clones that `eval.abstracts` reads. Lines of ``sentences/contributions.jsonl`` are
``{"p", "s", "set", "does", "finds"}``: which sentences of an abstract a reader would take for each
of the two, best first. The models learn from the set "fitted"; where they begin to show a
sentence, and from where it is sure, is set with a fifth of the sources left out in turn.
"held-out", four fields of their own, only measures.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.files import write_atomically
from assistant.fitted import LogisticModel, TokenModel
from assistant.paper import Paper
from assistant.review.cells import Material
from assistant.review.contributions import SURE, Column, word_cues
from eval.abstracts import SENTENCES, Abstracts
from eval.cells import FITTED, threshold
from eval.token_model import States, TokenTrainer, states_of

LABELS = SENTENCES / "contributions.jsonl"
COLUMNS: tuple[Column, ...] = ("does", "finds")
_LEAST, _SOURCES = 10, 6
"""Sentences that a word must stand in, and sources that these must be of."""
_WORD, _C = 0.7, 0.1
"""How much a word counts beside a cue, and the inverse of the penalty."""
_SHOWN: dict[Column, float] = {"does": 0.85, "finds": 0.8}
_STEPS, _DROPPED, _DECAY = 1500, 0.3, 0.1
"""Of the training of the models that read tokens."""
_FOLDS = 5
_SURELY = 0.98
"""Shares of what is shown, and of what is sure, that are to be right."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One abstract: what is read of each sentence that can stand alone (cues and words), which
    of them are right in a column, and which may be shown there; ``states``: of its tokens.
    """

    source: str
    features: dict[int, dict[str, float]]
    states: dict[int, States]
    right: dict[Column, frozenset[int]]
    shown: dict[Column, frozenset[int]]


def read(abstracts: Abstracts, wanted: str) -> list[Labelled]:
    """The abstracts of one set with their labels."""
    lines = [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]
    lines = [line for line in lines if line["set"] == wanted]
    found = abstracts.listed(lines, every=True)
    read_of = []
    for line in lines:
        if (abstract := found.get(line["p"])) is not None:
            paper = Paper(title=abstract.title, abstract=" ".join(abstract.sentences))
            read_of.append((line, Material(paper, abstract.sentences)))
    states = iter(states_of([m.sentences[p] for _, m in read_of for p in m.eligible]))
    return [
        Labelled(
            line["s"],
            {p: cues | word_cues(one.sentences[p]) for p, cues in one.features.items()},
            {place: next(states) for place in one.eligible},
            {column: frozenset(line[column]) for column in COLUMNS},
            {column: frozenset(one.places_for(column)) for column in COLUMNS},
        )
        for line, one in read_of
        if one.eligible
    ]


def fit(papers: Sequence[Labelled], column: Column) -> LogisticModel:
    """The model of ``column``; words count that many sentences of several sources hold."""
    from scipy import sparse  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    read_of = [(paper, place, row) for paper in papers for place, row in paper.features.items()]
    held: Counter[str] = Counter()
    sources: dict[str, set[str]] = defaultdict(set)
    for paper, _, row in read_of:
        for word in filter(_is_word, row):
            held[word] += 1
            sources[word].add(paper.source)
    kept = sorted(w for w, n in held.items() if n >= _LEAST and len(sources[w]) >= _SOURCES)
    at = {word: n for n, word in enumerate(kept)}
    names = sorted(name for name in read_of[0][2] if not _is_word(name))
    rows = np.array([[row[name] for name in names] for _, _, row in read_of])
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    table = sparse.lil_matrix((len(rows), len(kept)))
    for n, (_, _, row) in enumerate(read_of):
        for word in row.keys() & at.keys():
            table[n, at[word]] = _WORD
    right = np.array([place in paper.right[column] for paper, place, _ in read_of])
    joined = sparse.hstack([sparse.csr_matrix((rows - mean) / spread), table.tocsr()]).tocsr()
    model = LogisticRegression(C=_C, max_iter=3000).fit(joined, right)
    cues = model.coef_[0][: len(names)] / spread
    weights = dict(zip(names, map(float, cues), strict=True))
    of_words = (float(_WORD * c) for c in model.coef_[0][len(names) :])
    weights |= dict(zip(kept, of_words, strict=True))
    return LogisticModel(float(model.intercept_[0] - cues @ mean), weights)


def fit_tokens(papers: Sequence[Labelled], column: Column) -> TokenModel:
    """The model of ``column`` that reads tokens."""
    read_of = [(paper, place) for paper in papers for place in paper.features]
    names = sorted(name for name in read_of[0][0].features[read_of[0][1]] if not _is_word(name))
    trainer = TokenTrainer(
        [paper.states[place] for paper, place in read_of],
        np.array([[paper.features[place][name] for name in names] for paper, place in read_of]),
        names,
        np.array([place in paper.right[column] for paper, place in read_of]),
        steps=_STEPS,
        dropped=_DROPPED,
        decay=_DECAY,
    )
    return trainer.train(np.ones(len(read_of)))


def odds_of(model: LogisticModel | TokenModel, paper: Labelled, place: int) -> float:
    """What a model of either kind gives one sentence."""
    if isinstance(model, LogisticModel):
        return model.log_odds_of_few(paper.features[place])
    return model.log_odds(paper.states[place].astype(np.float32), paper.features[place])


def _is_word(name: str) -> bool:
    return name.startswith("'")


def best(
    papers: Sequence[Labelled], models: Sequence[LogisticModel | TokenModel], column: Column
) -> tuple[Floats, Floats]:
    """(papers,) the highest log-odds of each paper by its model, and whether that sentence is
    right.
    """
    highest, right = [], []
    for paper, model in zip(papers, models, strict=True):
        odds = {p: odds_of(model, paper, p) for p in paper.shown[column]}
        top = max(sorted(odds), key=odds.__getitem__, default=None)
        highest.append(-np.inf if top is None else odds[top])
        right.append(top in paper.right[column])
    return np.array(highest), np.array(right, float)


def told(
    papers: Sequence[Labelled], highest: Floats, right: Floats, cuts: tuple[float, float]
) -> str:
    """How many papers have a sentence, and how many that are shown, or sure, are right."""
    shares = []
    for name, least in zip(("shown", "sure"), cuts, strict=True):
        seen = right[highest >= least]
        shares.append(f"{len(seen)} {name}, {seen.mean() if len(seen) else 0:.0%} right")
    return f"{len(papers)} papers: {'; '.join(shares)}"


def scaled(model: LogisticModel | TokenModel, shown: float, scale: float, note: str) -> Any:
    """The content of a model's file, with 0 where it begins to show and `SURE` where it is sure."""
    weights = {n: round(w * scale, 4) for n, w in sorted(model.weights.items())}
    made = {"intercept": round((model.intercept - shown) * scale, 4), "weights": weights}
    if isinstance(model, LogisticModel):
        return made | {"note": note}
    held = asdict(model)
    heads = {name: held[name] for name in ("attend", "attend_bias", "value", "value_bias")}
    return heads | {"out": [round(w * scale, 4) for w in model.out]} | made | {"note": note}


def main() -> None:
    """Fits or measures both columns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--abstracts", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--measure", action="store_true", help="write no model")
    given = parser.parse_args()
    abstracts = Abstracts(given.abstracts)
    papers, held_out = read(abstracts, "fitted"), read(abstracts, "held-out")
    ways: list[tuple[str, Callable[[Sequence[Labelled], Column], LogisticModel | TokenModel]]]
    ways = [("", fit), ("_tokens", fit_tokens)]
    for column, (ending, way) in product(COLUMNS, ways):
        sources = sorted({paper.source for paper in papers})
        fold = {source: n % _FOLDS for n, source in enumerate(sources)}
        apart = [way([p for p in papers if fold[p.source] != n], column) for n in range(_FOLDS)]
        highest, right = best(papers, [apart[fold[paper.source]] for paper in papers], column)
        shown, _ = threshold(highest, right, _SHOWN[column])
        sure = max(shown + 1e-6, threshold(highest, right, _SURELY)[0])
        note = f"each fifth of sources by the others, {told(papers, highest, right, (shown, sure))}"
        model = way(papers, column)
        highest, right = best(held_out, [model] * len(held_out), column)
        note += f"; four other fields, {told(held_out, highest, right, (shown, sure))}"
        print(f"{column}{ending}: {note}; likeliest right {right.mean():.1%}", flush=True)
        made = scaled(model, shown, SURE / (sure - shown), note)
        if not given.measure:
            name = f"contribution_{column}{ending}.json"
            write_atomically(FITTED / name, json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
