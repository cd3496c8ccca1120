"""Fits the model that tells statements of what is to be answered, cited or believed:
assistant/fitted/addressing-statements.json, and what the vectors of all-MiniLM-L6-v2 add to it,
addressing-statements-vectors.json.

    python -m eval.address_statements --abstracts FOLDER --data FOLDER

Learned from: `sentences/attacks.jsonl`, statements (and some orders) as somebody would hide them in
an abstract of any field; against `sentences/innocent.jsonl`, honest sentences that speak of
readers, answers, prompts or instructions, and the sentences of abstracts of `FIELDS`
(`eval/abstracts.py` says where the folder of abstracts is from) and of the sets of ``--data``.
Never from tests/attacks.json. Its log-odds stand beside those of orders (``addressing.json``, which
``eval.address_fit`` fits on other people's instructions and which is not fitted anew here). Those
are asked `STRICTER` more; the intercepts are set so that both together leave out as many sentences
of `FIELDS` that the first fit did not know as the first alone did, each field being left out of
the fit. Then prints the price, before and now, on `OUTSIDE`, which no fit has seen.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from assistant import addressing
from assistant.addressing import LABEL, STRICTER, address_features, address_odds
from assistant.embedding import open_embedder
from assistant.fitted import load
from assistant.settings import Settings
from eval.abstracts import SENTENCES, Abstracts
from eval.address_fit import FITTED, abstracts, mixed

Floats = NDArray[Any]
_LOCAL = "review:Cohen_2006/output/local/"
KNOWN = (
    f"{_LOCAL}Opiods",
    "review:Nagtegaal_2019/output/Nagtegaal_2019",
    "review:Hall_Wahono_Radjenovic_Kitchenham/output/Kitchenham_2010",
)
"""Fields of which the model of orders has seen abstracts, too, as of the sets of ``--data``."""
FIELDS = (
    *(f"arxiv:cs.{name}" for name in ("SE", "SI", "CY", "CR", "RO", "SD", "NI", "AR", "GT")),
    *(f"arxiv:physics.{n}" for n in ("med-ph", "ao-ph", "bio-ph", "hist-ph", "ed-ph", "chem-ph")),
    *(f"arxiv:q-bio.{name}" for name in ("NC", "GN", "QM")),
    *("arxiv:econ.EM", "arxiv:econ.TH", "arxiv:q-fin.GN", "arxiv:stat.AP", "arxiv:stat.ME"),
    *("arxiv:eess.SP", "arxiv:math.HO", "arxiv:math.GR", f"{_LOCAL}NSAIDS"),
    "review:Bannach-Brown_2019/output/Bannach-Brown_2019",
    *KNOWN,
)
OUTSIDE = (
    *("arxiv:econ.GN", "arxiv:q-bio.PE", "arxiv:cs.DL", "arxiv:physics.space-ph"),
    *("arxiv:cs.HC", "arxiv:cs.IR", "arxiv:physics.pop-ph", f"{_LOCAL}BetaBlockers"),
)
"""Fields that no fit has seen."""
PAPERS, PAPERS_OUTSIDE, MOST = 120, 400, 1500
"""Papers of a field, and sentences of a set of ``--data``, at most."""
FOLDS = 8
INNOCENT = 10.0
"""What an innocent sentence counts, beside one of an abstract."""
SURE, DOUBT, VECTORS_DOUBT = 1.25, -0.75, 0.0
"""Bars of the model of orders while it stood alone."""
LEAST = 0.05
"""Weights below this are left out."""


def written(name: str) -> tuple[list[str], list[str]]:
    """The sentences of a file in `SENTENCES`, and their kinds."""
    lines = map(json.loads, (SENTENCES / name).read_text("utf-8").splitlines())
    texts, kinds = zip(*((line["text"], line["kind"]) for line in lines), strict=True)
    return list(texts), list(kinds)


def sentences_of(source: Abstracts, fields: Iterable[str], papers: int) -> dict[str, list[str]]:
    """Field → the sentences of some of its abstracts, each once."""
    return {
        field: list(dict.fromkeys(s for one in source.some(field, papers) for s in one.sentences))
        for field in fields
    }


def bar_for(share: float, rest: NDArray[np.bool_], scores: Floats) -> float:
    """The bar at which ``rest`` and what is above it in ``scores`` are ``share`` of all."""
    free = np.sort(scores[~rest])[::-1]
    return float(free[max(0, min(len(free) - 1, round(share * len(scores)) - int(rest.sum())))])


def folds_of(groups: Floats, kinds: Floats) -> NDArray[np.int64]:
    """A fold for each sentence: those of a group (a field, a kind of attack) share one."""
    chance = np.random.default_rng(0)
    found = np.zeros(len(groups), np.int64)
    for kind in np.unique(kinds):
        names = np.unique(groups[kinds == kind])
        for fold, name in zip(chance.permutation(len(names)), names, strict=True):
            found[(kinds == kind) & (groups == name)] = fold % FOLDS
    return found


def out_of_fold(
    make: Callable[[], Any], rows: Any, wanted: Floats, of: Floats, w: Floats
) -> Floats:
    """The log-odds of each sentence by a model that was fitted without its fold."""
    found = np.zeros(len(wanted))
    for fold in range(FOLDS):
        out = of == fold
        model = make().fit(rows[~out], wanted[~out], sample_weight=w[~out])
        found[out] = model.decision_function(rows[out])
    return found


def keep(name: str, fitted: dict[str, Any]) -> None:
    """Writes a model."""
    text = json.dumps(fitted, ensure_ascii=False) + "\n"
    FITTED.with_name(f"{name}.json").write_text(text, "utf-8")
    print(fitted["note"], f"{name}: {len(fitted['weights']):,} weights", sep="\n")


def main() -> None:
    """Fits, writes both files, and prints how well it does and what it costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--abstracts", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSISTANT_TEST_DATA"))
    given = parser.parse_args()
    source, embed = Abstracts(given.abstracts), open_embedder(Settings.load()).embed
    attacks, innocents = written("attacks.jsonl"), written("innocent.jsonl")
    fields = sentences_of(source, FIELDS, PAPERS)
    fields |= {k: mixed(some)[:MOST] for k, some in abstracts(Path(given.data)).items()}
    texts = [*attacks[0], *innocents[0], *(s for some in fields.values() for s in some)]
    names = [*attacks[1], *innocents[1], *(f for f, some in fields.items() for _ in some)]
    kind = np.repeat([0, 1, 2], [len(attacks[0]), len(innocents[0]), len(texts)])[: len(texts)]
    fold, wanted = folds_of(np.array(names), kind), kind == 0
    weight = np.where(kind == 1, INNOCENT, 1.0)
    vectors = embed(texts)
    orders = np.array([address_odds(text) for text in texts])

    verbs = frozenset(load("addressing").words.split())
    count = CountVectorizer(analyzer=partial(address_features, verbs=verbs), min_df=3, binary=True)
    matrix: csr_matrix = count.fit_transform([LABEL.sub("", text) for text in texts])
    by_words = partial(LogisticRegression, class_weight="balanced", solver="liblinear", C=0.3)
    by_vector = partial(LogisticRegression, class_weight="balanced", C=3.0, max_iter=300)
    base = addressing.BY_ORDER * np.maximum(-12.0, orders)
    words = base + out_of_fold(by_words, matrix, wanted, fold, weight)
    both = words + addressing.BY_VECTOR * out_of_fold(by_vector, vectors, wanted, fold, weight)

    known = {*KNOWN, *(name for name in fields if name not in FIELDS)}
    new = (kind == 2) & np.array([name not in known for name in names])
    doubts = orders + addressing._by("addressing-vectors", vectors)
    share, strict = float((orders[new] > SURE).mean()), orders[new] > SURE + STRICTER
    sure = bar_for(share, strict, words[new])
    sure_both = bar_for(share, strict, both[new])
    share_words = float((orders[new] > DOUBT).mean())
    either = np.maximum(orders - STRICTER, words - sure + SURE)
    doubt = bar_for(share_words, np.zeros(int(new.sum()), bool), either[new])
    share_doubt = float((doubts[new] > VECTORS_DOUBT).mean())
    doubt_both = bar_for(share_doubt, doubts[new] > VECTORS_DOUBT + STRICTER, both[new])
    print(
        f"bars: words {doubt:.2f} (_DOUBT), with vectors {doubt_both - sure_both + SURE:.2f} "
        f"(_VECTORS_DOUBT); {share:.2%} of the new fields left out, {share_words:.2%} doubted by "
        f"words, {share_doubt:.2%} with vectors"
    )
    told = [
        f"{float(((orders > SURE + STRICTER) | (scores > bar))[kind == n].mean()):.0%}"
        for scores, bar in ((words, sure), (both, sure_both))
        for n in (0, 1)
    ]
    note = (
        f"{int(wanted.sum()):,} written statements against {int((kind == 1).sum()):,} innocent "
        f"sentences and {int((kind == 2).sum()):,} of abstracts; with {{}} of the statements of a "
        f"kind that was left out of the fit left out ({float((orders > SURE)[wanted].mean()):.0%} "
        f"by the model of orders alone), {{}} of the innocent ones, {share:.2%} of new abstracts"
    )
    model = by_words().fit(matrix, wanted, sample_weight=weight)
    held = dict(zip(count.get_feature_names_out(), model.coef_[0], strict=True))
    keep(
        "addressing-statements",
        {
            "intercept": round(float(model.intercept_[0]) - sure + SURE, 3),
            "weights": {k: round(float(w), 2) for k, w in held.items() if abs(w) >= LEAST},
            "note": note.format(*told[:2]),
        },
    )
    model = by_vector().fit(vectors, wanted, sample_weight=weight)
    part = addressing.BY_VECTOR
    keep(
        "addressing-statements-vectors",
        {
            "intercept": round(part * float(model.intercept_[0]) - sure_both + sure, 3),
            "weights": {str(n): round(part * float(w), 3) for n, w in enumerate(model.coef_[0])},
            "note": note.format(*told[2:]),
        },
    )
    load.cache_clear()
    price(sentences_of(source, OUTSIDE, PAPERS_OUTSIDE), embed)


def price(fields: dict[str, list[str]], embed: Callable[[list[str]], Floats]) -> None:
    """Prints the shares of sentences that are left out, and doubted, before and now."""
    print("% of sentences, before → now: left out (by words alone) / doubted (by words alone)")
    for name, texts in fields.items():
        vectors = embed(texts)
        orders = np.array([address_odds(text) for text in texts])
        doubts = orders + addressing._by("addressing-vectors", vectors)
        before = orders > SURE, doubts > VECTORS_DOUBT, orders > DOUBT
        now = [addressing._odds(texts, v) > addressing._SURE for v in (vectors, None)]
        now += [np.array(addressing.doubted(texts, v)) for v in (vectors, None)]
        a, b, c = (f"{100 * float(x.mean()):.2f}" for x in before)
        d, e, f, g = (f"{100 * float(x.mean()):.2f}" for x in now)
        print(f"{name} ({len(texts):,}) {a} → {d} ({a} → {e}) / {b} → {f} ({c} → {g})")


if __name__ == "__main__":
    main()
