"""Fits what tells that a sentence steers whoever reads it: assistant/fitted/addressing-vectors.json
and steering.json.

    python -m eval.steering --abstracts FOLDER

Both learn from sentences/steering.jsonl: sentences as somebody may plant them in an abstract to be
cited, to have rules lifted, a picture shown, a tool called, a falsehood told, most of them worded
as statements, customs or notices, and true sentences of abstracts that share their words; and from
the sentences of abstracts of many fields, which lie in FOLDER (`eval.abstracts`), more of those
that speak of texts and readers, and of the sample library. The second learns from claims that were
written for the checker, too (sentences/claims.jsonl), so that it does not tell a way of writing.

The first is a logistic model over a sentence's vector and the log-odds of its words
(`assistant.addressing.address_odds`, fitted by ``python -m eval.address_fit`` on other people's
instructions), which is at hand: it says which sentences are looked at closely. The second reads
those token by token (`assistant.fitted.TokenModel`). Both intercepts are set so that `FALSE` of
the sentences of fields that were left out of the fit are above 0.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from assistant.addressing import LOOKED_AT, SPREAD, address_odds
from assistant.attribution import answers_nothing
from assistant.embedding import open_embedder
from assistant.files import write_atomically
from assistant.fitted import TokenModel
from assistant.paper import Paper
from assistant.reading import read
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import Settings
from eval.abstracts import SENTENCES, Abstracts
from eval.address_fit import cut
from eval.data import json_lines
from eval.token_model import States, TokenTrainer, states_of

FOLDER = Path(__file__).parents[1] / "assistant" / "fitted"
VECTORS, STEERING = "addressing-vectors.json", "steering.json"
FALSE = 0.005
"""Share of the true sentences of fields that were not seen, above 0 by either model."""
EACH, TALKATIVE = 40, 160
"""Abstracts of a source, and of one that often speaks of texts, readers and pupils."""
_FOLDS = 5
_C, _WORDS = 0.005, 3.0
"""Inverse of the penalty, and how much lighter it is for the log-odds of the words."""
_RETOLD = 3
"""How often the sentences of the sample library count, which retell abstracts in few words each."""
_LIKE = 0.1
"""What the true sentences that were written weigh, all together, beside those of abstracts."""
_CLAIMS = 2500
_STEPS, _DROPPED, _DECAY = 2000, 0.2, 0.05
"""Of the training of the model that reads tokens."""
_SHARES = {"steers": 1.0, "field": 0.7, "sample": 0.1, "like": 0.3, "claim": 0.3}
"""How often the parts are drawn while it is trained."""
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
TALK = {f"arxiv:{n}" for n in "cs.CY cs.DL cs.HC math.HO physics.ed-ph physics.hist-ph".split()}
Floats = NDArray[np.float64]


@dataclass
class Corpus:
    """``parts``: of each sentence a key of `_SHARES`; ``folds``: in which it is left out;
    ``level``: whether it sets the bar (the first `EACH` abstracts of each field).
    """

    texts: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    folds: list[int] = field(default_factory=list)
    level: list[bool] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def add(
        self, texts: Sequence[str], part: str, fold: int, source: str = "", *, level: bool = False
    ) -> None:
        """Takes in sentences of one part."""
        self.texts += texts
        self.parts += [part] * len(texts)
        self.folds += [fold] * len(texts)
        self.level += [level] * len(texts)
        self.sources += [source or part] * len(texts)

    def of(self, part: str) -> NDArray[np.bool_]:
        """(sentences,) which are of a part."""
        return np.asarray(np.array(self.parts) == part)


def gathered(abstracts: Path) -> Corpus:
    """All that is learned from.

    Raises:
        EvalError: the abstracts are not there.
    """
    corpus, chance = Corpus(), random.Random(1)  # noqa: S311
    for line in json_lines(SENTENCES / "steering.jsonl"):
        corpus.add([line["t"]], "steers" if line["y"] else "like", chance.randrange(_FOLDS))
    collections = Abstracts(abstracts)
    for n, source in enumerate(SOURCES):
        some = list(collections.some(source, TALKATIVE if source in TALK else EACH))
        for part, level in ((some[:EACH], True), (some[EACH:], False)):
            held = [s for one in part for s in one.sentences if not answers_nothing(s)]
            corpus.add(held, "field", n % _FOLDS, source, level=level)  # others never answer anyway
        print(source, len(some), flush=True)
    sample = (paper for paper in read([SAMPLE_PAPERS]) if isinstance(paper, Paper))
    corpus.add([s for paper in sample for s in cut(paper.abstract)], "sample", 0)
    claims = sorted({line["c"] for line in json_lines(SENTENCES / "claims.jsonl")})
    for claim in chance.sample(claims, _CLAIMS):
        corpus.add([claim], "claim", chance.randrange(_FOLDS))
    return corpus


# ---------------------------------------------------------------------- by vectors


def fitted(rows: Floats, steers: NDArray[np.bool_], weights: Floats) -> tuple[Floats, float]:
    """Weights in the columns' own units, and the intercept."""
    spread = np.full(rows.shape[1], rows[:, :-1].std())  # of the vectors, all alike
    spread[-1] = rows[:, -1].std() / _WORDS
    model = LogisticRegression(C=_C, max_iter=3000)
    model.fit(rows / spread, steers, sample_weight=weights)
    return np.asarray(model.coef_[0] / spread), float(model.intercept_[0])


def by_vectors(corpus: Corpus, vectors: Floats, words: Floats) -> dict[str, Any]:
    """What addressing-vectors.json holds."""
    kept = ~corpus.of("claim")
    rows, steers = np.c_[vectors, words][kept], corpus.of("steers")[kept]
    plain, like = (corpus.of("field") | corpus.of("sample"))[kept], corpus.of("like")[kept]
    folds, level = np.array(corpus.folds)[kept], np.array(corpus.level)[kept]
    weights = np.where(steers, 1 / steers.sum(), 0.0)
    counted = np.where(corpus.of("sample")[kept], _RETOLD, 1.0) * plain
    weights += counted / counted.sum() + like * _LIKE / like.sum()
    weights *= len(weights) / weights.sum()
    left = np.zeros(len(rows))
    for fold in range(_FOLDS):
        out = folds == fold
        own, intercept = fitted(rows[~out], steers[~out], weights[~out])
        left[out] = rows[out] @ own + intercept
    bar = float(np.quantile(left[level], 1 - FALSE))
    own, intercept = fitted(rows, steers, weights)
    looked, told = left > bar + LOOKED_AT, left > bar
    note = (
        f"{steers.sum():,} sentences that steer, {like.sum():,} like them, {plain.sum():,} of "
        f"{len(SOURCES)} fields and the sample; left out of the fit, {told[steers].mean():.1%} of "
        f"the first and {FALSE:.1%} of the fields are told; from {LOOKED_AT} on, where tokens are "
        f"read, {looked[steers].mean():.1%} and {looked[level].mean():.1%}. python -m eval.steering"
    )
    weighed = {str(n): round(float(w), 4) for n, w in enumerate(own[:-1])}
    weighed["words"] = round(float(own[-1]), 4)
    return {"intercept": round(intercept - bar, 3), "weights": weighed, "note": note}


# ---------------------------------------------------------------------- by tokens


def by_tokens(corpus: Corpus, states: Sequence[States], words: Floats) -> dict[str, Any]:
    """What steering.json holds; prints what of the fields it mistakes most."""
    level, steers, folds = np.array(corpus.level), corpus.of("steers"), np.array(corpus.folds)
    trainer = TokenTrainer(
        states, words[:, None], ["words"], steers, steps=_STEPS, dropped=_DROPPED, decay=_DECAY
    )
    left = np.zeros(len(words))

    def odds_of(model: TokenModel, rows: NDArray[np.intp]) -> list[float]:
        return [
            model.log_odds(states[row].astype(np.float32), {"words": float(words[row])})
            for row in rows
        ]

    def chances(kept: NDArray[np.bool_]) -> Floats:
        found = np.zeros(len(words))
        for part, share in _SHARES.items():
            own = corpus.of(part) & kept
            found += share * own / max(1, own.sum())
        return found

    bars = []
    for fold in range(_FOLDS):
        out = folds == fold
        rows = np.flatnonzero(out)
        found = np.array(odds_of(trainer.train(chances(~out)), rows))
        bars.append(float(np.quantile(found[level[rows]], 1 - FALSE)))
        left[rows] = found - bars[-1]
        print(f"fold {fold}: {(left[rows][steers[rows]] > 0).mean():.1%}", flush=True)
    model = trainer.train(chances(np.ones(len(words), bool)))
    told = {part: float((left[corpus.of(part)] > 0).mean()) for part in _SHARES}
    talk = level & np.isin(corpus.sources, ["arxiv:math.HO", "arxiv:physics.hist-ph"])
    note = (
        f"{steers.sum():,} sentences that steer, {corpus.of('like').sum():,} like them, "
        f"{corpus.of('field').sum():,} of {len(SOURCES)} fields, {corpus.of('claim').sum():,} "
        f"claims and the sample; left out of the fit, {told['steers']:.1%}, {told['like']:.1%}, "
        f"{FALSE:.1%} (history of mathematics and physics {(left[talk] > 0).mean():.1%}) and "
        f"{told['claim']:.1%} are told. python -m eval.steering"
    )
    for n in np.argsort(-np.where(level, left, -99))[:30]:
        print(f"{corpus.sources[n]} {left[n]:.2f} {corpus.texts[n][:150]}")
    return {
        **asdict(model),
        "intercept": round(model.intercept - float(np.mean(bars)), 3),
        "note": note,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Fits, writes the files, and prints how well they do and what they mistake most."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--abstracts", type=Path, required=True, help="folder with the clones")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    corpus = gathered(options.abstracts)
    words = np.clip([address_odds(text) for text in corpus.texts], -SPREAD, SPREAD)
    vectors = open_embedder(Settings.load()).embed(corpus.texts).astype(np.float64)
    states = states_of(corpus.texts)
    for name, made in (
        (VECTORS, by_vectors(corpus, vectors, words)),
        (STEERING, by_tokens(corpus, states, words)),
    ):
        write_atomically(options.out / name, json.dumps(made, ensure_ascii=False) + "\n")
        print(made["note"])


if __name__ == "__main__":
    main()
