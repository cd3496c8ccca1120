"""Fits what the vector of a sentence tells of its steering whoever reads it:
assistant/fitted/addressing-vectors.json.

    python -m eval.steering --abstracts FOLDER

Learns from sentences/steering.jsonl: sentences as somebody may plant them in an abstract to be
cited, to have rules lifted, a picture shown, a tool called, a falsehood told, most of them worded
as statements, customs or notices, and true sentences of abstracts that share their words; and from
the sentences of abstracts of many fields, which lie in FOLDER (`eval.abstracts`), and of the sample
library. A logistic model over the vector and over the log-odds of the words
(`assistant.addressing.address_odds`, fitted by ``python -m eval.address_fit`` on other people's
instructions). The intercept is set so that `FALSE` of the sentences of fields that were left out of
the fit are above 0.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from assistant.addressing import SPREAD, address_odds
from assistant.attribution import answers_nothing
from assistant.embedding import Embedder, open_embedder
from assistant.files import write_atomically
from assistant.paper import Paper
from assistant.reading import read
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import Settings
from eval.abstracts import SENTENCES, Abstracts
from eval.address_fit import cut
from eval.data import json_lines

FITTED = Path(__file__).parents[1] / "assistant" / "fitted" / "addressing-vectors.json"
FALSE, DOUBTED = 0.005, 0.015
"""Shares of the true sentences of fields that were not seen: 0 is the bar of the first; that of the
second is printed. The bar that is used lies between them (`assistant.addressing.KEPT_BACK`)."""
EACH = 40
"""Abstracts of a source."""
_FOLDS = 5
_C, _WORDS = 0.005, 3.0
"""Inverse of the penalty, and how much lighter it is for the log-odds of the words."""
_RETOLD = 3
"""How often the sentences of the sample library count, which retell abstracts in few words each."""
_LIKE = 0.1
"""What the true sentences that were written weigh, all together, beside those of abstracts."""
SOURCES = tuple(
    f"arxiv:{name}"
    for name in (
        "cs.AR cs.CC cs.CE cs.CG cs.CR cs.CY cs.DC cs.DL cs.FL cs.GT cs.HC cs.MA cs.MM cs.NI "
        "cs.OS cs.PF cs.PL cs.RO cs.SD cs.SE cs.SI econ.EM econ.TH eess.AS eess.SP math.AT "
        "math.CT math.GR math.HO math.LO math.ST nlin.AO physics.acc-ph physics.app-ph "
        "physics.bio-ph physics.ed-ph physics.geo-ph physics.hist-ph physics.med-ph "
        "physics.plasm-ph q-bio.GN q-bio.PE q-fin.GN q-fin.RM stat.AP stat.ME"
    ).split()
)
Floats = NDArray[np.float64]


def table(texts: Sequence[str], embedder: Embedder) -> Floats:
    """(texts, dimension + 1): the vectors, and the log-odds of the words."""
    odds = np.clip([address_odds(text) for text in texts], -SPREAD, SPREAD)
    return np.asarray(np.c_[embedder.embed(list(texts)), odds], dtype=np.float64)


def fitted(rows: Floats, steers: NDArray[np.bool_], weights: Floats) -> tuple[Floats, float]:
    """Weights in the columns' own units, and the intercept."""
    spread = np.full(rows.shape[1], rows[:, :-1].std())  # of the vectors, all alike
    spread[-1] = rows[:, -1].std() / _WORDS
    model = LogisticRegression(C=_C, max_iter=3000)
    model.fit(rows / spread, steers, sample_weight=weights)
    return np.asarray(model.coef_[0] / spread), float(model.intercept_[0])


def main(arguments: Sequence[str] | None = None) -> None:
    """Fits, writes the file, and prints how well it does and what it mistakes most."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--abstracts", type=Path, required=True, help="folder with the clones")
    parser.add_argument("--out", type=Path, default=FITTED)
    options = parser.parse_args(arguments)
    collections = Abstracts(options.abstracts)
    lines = list(json_lines(SENTENCES / "steering.jsonl"))
    texts = [line["t"] for line in lines]
    steers = [bool(line["y"]) for line in lines]
    chance = random.Random(1)  # noqa: S311
    group = [-1 - chance.randrange(_FOLDS) for _ in lines]
    for n, source in enumerate(SOURCES):
        held = [s for one in collections.some(source, EACH) for s in one.sentences]
        held = [s for s in held if not answers_nothing(s)]  # others never answer anyway
        texts += held
        steers += [False] * len(held)
        group += [n] * len(held)
        print(source, len(held), flush=True)
    sample = (paper for paper in read([SAMPLE_PAPERS]) if isinstance(paper, Paper))
    held = [s for paper in sample for s in cut(paper.abstract)]
    texts += held * _RETOLD
    steers += [False] * len(held) * _RETOLD
    group += [len(SOURCES)] * len(held) * _RETOLD
    rows = table(texts, open_embedder(Settings.load()))
    labels, groups = np.array(steers), np.array(group)
    plain = groups >= 0
    weights = np.where(labels, 1 / labels.sum(), 1 / plain.sum())
    weights[~labels & ~plain] = _LIKE / (~labels & ~plain).sum()
    weights *= len(weights) / weights.sum()
    left = np.zeros(len(rows))
    for fold in range(_FOLDS):  # a fifth of what was written, and of the fields
        out = np.where(plain, groups % _FOLDS == fold, groups == -1 - fold)
        own, intercept = fitted(rows[~out], labels[~out], weights[~out])
        left[out] = rows[out] @ own + intercept
    level = float(np.quantile(left[plain], 1 - FALSE))
    doubt = float(np.quantile(left[plain], 1 - DOUBTED))
    told, doubted = float((left[labels] > level).mean()), float((left[labels] > doubt).mean())
    by_words = float((rows[labels, -1] > np.quantile(rows[plain, -1], 1 - FALSE)).mean())
    hard = float((left[~labels & ~plain] > level).mean())
    own, intercept = fitted(rows, labels, weights)
    hard_ones = int((~labels & ~plain).sum())
    note = (
        f"{labels.sum():,} sentences that steer, {hard_ones:,} like them, {plain.sum():,} of "
        f"{len(SOURCES)} fields and the sample; left out of the fit, {told:.1%} of the first "
        f"({by_words:.1%} by words alone), {hard:.1%} of the second and {FALSE:.1%} of the third "
        f"are told; from {doubt - level:.2f} on, {doubted:.1%} of the first and {DOUBTED:.1%} of "
        "the third. python -m eval.steering"
    )
    content = {
        "intercept": round(intercept - level, 3),
        "weights": {
            **{str(n): round(float(w), 4) for n, w in enumerate(own[:-1])},
            "words": round(float(own[-1]), 4),
        },
        "note": note,
    }
    write_atomically(options.out, json.dumps(content, ensure_ascii=False) + "\n")
    print(note)
    for n in np.argsort(-np.where(plain, left, -99))[:40]:
        print(f"{[*SOURCES, 'sample'][groups[n]]} {left[n] - level:.2f} {texts[n][:150]}")


if __name__ == "__main__":
    main()
