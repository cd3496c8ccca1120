"""The support model fitted: assistant/fitted/support.json, from pairs that were made and written.

    python -m eval.support_fit PAPERS… --abstracts FOLDER [--out FOLDER]
    python -m eval.support_fit --measure [--abstracts FOLDER]

Made pairs (`eval.checker_pairs`) come from the papers that are named, but for those that
``python -m eval checker`` reports on, and from the digests of the sample library, which are
retellings of some of them. Written pairs (eval/written_pairs.jsonl) are
invented abstracts of some fifty fields, with sentences that hold and sentences that do not;
those whose ``half`` is "fit" are fitted on, the others are reported. Claims are of public
abstracts, which lie in FOLDER (`eval.abstracts`): the cross-encoder has learned from those of
eval/sentences/claims.jsonl, so that only the model without it (support-lexical.json) is fitted on
them; both are on every other paper of eval/sentences/chosen-claims.jsonl, and on all but one
writer's of swap-claims.jsonl, and reported on the rest.
What is fitted is also reported field by field, each by the pairs of all others.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.answering.evidence import PassageReader
from assistant.answering.particulars import bare_claim, numbers
from assistant.answering.support import FEATURES, READ, Source, SupportChecker
from assistant.embedding import Embedder, open_embedder
from assistant.files import write_atomically
from assistant.fitted import LogisticModel, load
from assistant.paper import Paper
from assistant.settings import Settings
from assistant.text import sentences, terms
from eval.abstracts import SENTENCES, Abstracts
from eval.checker import held_out
from eval.checker_pairs import Pair, make_pairs
from eval.data import json_lines

__all__ = ["Written", "fit", "report", "scores", "written"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
WRITTEN = Path(__file__).with_name("written_pairs.jsonl")
_KEPT = Path(str(files("assistant.fitted")))
_MODELS = {"support": (*FEATURES, READ), "support-lexical": FEATURES}
"""The models, and the features that each has."""

_RAISING = {"cosine", "terms_sentence", READ}
_FREE = {"cosine_mean", "copied", "numbers_found", "names_found", "label"}
"""Features whose weights must not lower, and those that may do both; all others must not raise."""
_SHARES = {"wrong_paper": 3.0, "number_swapped": 1.5, "numbers_exchanged": 1.5}
_STYLES = {"digest": (8.0, 0.5), "light": (8.0, 0.3), "copy": (8.0, 0.2)}
"""Weight of all true and of all false made pairs of a style."""
_WRITTEN_SHARE = 120.0
_CLAIMS_SHARE = 40.0
"""Weight of all true and of all false claims, of which there are many more."""
_LIBRARY = 545
"""Papers of the library in which the written abstracts are thought to stand."""
_MOST = 250
"""Papers without a digest that pairs are made from, drawn at random."""
_PARTS = 10
"""Parts of the fields that are left out in turn."""
_LENIENCE = {"support": 0.75, "support-lexical": 0.5}
"""Added to each model's intercept: some 7% of the true sentences of a field that was not seen,
written or claimed, are then flagged; of the hardest, with numbers to be confused, 12%."""
_RIDGE = 1e-3
"""Penalty on the squared weights of features of unit deviation, beside the mean loss."""


@dataclass(frozen=True)
class Written:
    """Features of the written pairs, (pairs, features + 1: `READ` last), whether each holds, its
    kind and field; ``fitted`` marks those that are fitted on. All true ones weigh ``share``, and
    all false ones.
    """

    features: Floats
    holds: Flags
    fitted: Flags
    kinds: list[str]
    fields: list[str]
    share: float = _WRITTEN_SHARE

    def weights(self, chosen: Flags) -> Floats:
        """(chosen pairs,) what each weighs."""
        counts = np.where(self.holds, self.holds[chosen].sum(), (~self.holds[chosen]).sum())
        return np.asarray((self.share / counts)[chosen])


def written(reader: PassageReader) -> Written:
    """The pairs of eval/written_pairs.jsonl; a stem is as rare as in some five hundred papers."""
    rows = list(json_lines(WRITTEN))
    papers = [Paper(title=row["title"], abstract=row["abstract"]) for row in rows]
    held = Counter(t for p in papers for t in set(terms(f"{p.title} {p.abstract}")))
    times = _LIBRARY / len(papers)
    embedder = reader.embedder
    checker = SupportChecker(
        embedder, lambda term: _idf(min(held[term] * times, _LIBRARY - 5), _LIBRARY), reader
    )
    texts: list[tuple[str, Source]] = []
    found: list[tuple[bool, bool, str, str]] = []
    for row, paper in zip(rows, papers, strict=True):
        source = _source(paper, embedder)
        pairs = [(text, "true") for text in row["true"]]
        pairs += [(false["sentence"], false["kind"]) for false in row["false"]]
        texts += [(text, source) for text, _ in pairs]
        found += [(kind == "true", row["half"] == "fit", kind, row["field"]) for _, kind in pairs]
    holds, fitted, kinds, fields = zip(*found, strict=True)
    table = _table(checker, embedder, texts)
    return Written(table, np.array(holds), np.array(fitted), list(kinds), list(fields))


def claimed(reader: PassageReader, folder: Path, name: str) -> Written:
    """The claims of eval/sentences that are in ``name``, each against its abstract in ``folder``.

    Of "chosen-claims" those of every other paper are fitted on, of "swap-claims" all but the
    writer's who is held out, and those beside in which two numbers changed places. From "claims"
    the cross-encoder has learned: it does not read them here.
    """
    lines = list(json_lines(SENTENCES / f"{name}.jsonl"))
    if name == "swap-claims":
        lines += [twin for line in lines if (twin := with_numbers_exchanged(line))]
    wanted = {line["p"] for line in lines}
    names = ("papers", "chosen-papers", "chosen-claims-papers", "swap-claims-papers")
    lists = [SENTENCES / f"{kind}.jsonl" for kind in names]
    known = [line for kept in lists for line in json_lines(kept) if line["p"] in wanted]
    fields = {line["p"]: line["field"] for line in known}
    papers = {
        digest: Paper(title=found.title, abstract=" ".join(found.sentences))
        for digest, found in Abstracts(folder).listed(known).items()
    }
    held = Counter(t for p in papers.values() for t in set(terms(f"{p.title} {p.abstract}")))
    checker = SupportChecker(
        reader.embedder,
        lambda term: _idf(held[term], len(papers)),
        None if name == "claims" else reader,
    )
    sources = {digest: _source(paper, reader.embedder) for digest, paper in papers.items()}
    lines = [line for line in lines if line["p"] in sources]
    table = _table(checker, reader.embedder, [(line["c"], sources[line["p"]]) for line in lines])
    holds = np.array([line["t"] for line in lines])
    kinds = [line["k"] for line in lines]
    of_field = [fields[line["p"]] for line in lines]
    fitted = np.array([_is_fitted(name, line) for line in lines])
    return Written(table, holds, fitted, kinds, of_field, _CLAIMS_SHARE)


def _is_fitted(name: str, line: dict[str, Any]) -> bool:
    if name == "chosen-claims":
        return int(line["p"], 16) % 2 == 0
    return "set" not in line


def with_numbers_exchanged(line: dict[str, Any]) -> dict[str, Any] | None:
    """A true claim of numbers that could be confused with two of them, of one unit, exchanged:
    a false one. None where it has no two.
    """
    text, chance = line["c"], random.Random(line["c"])  # noqa: S311
    found = [n for n in numbers(text) if not n.spelled]
    pairs = [(a, b) for a, b in combinations(found, 2) if a.unit == b.unit and not a.agrees(b)]
    if line["k"] != "numbers" or not pairs:
        return None
    one, two = chance.choice(pairs)
    parts = [text[: one.at], two.shown, text[one.at + len(one.shown) : two.at], one.shown]
    whole = "".join([*parts, text[two.at + len(two.shown) :]])
    return line | {"c": whole, "t": False, "k": "number_swap"}


def _idf(documents: float, papers: int) -> float:
    return math.log1p((papers - documents + 0.5) / (documents + 0.5))


def _source(paper: Paper, embedder: Embedder) -> Source:
    parts = tuple(paper.abstract[a:b] for a, b in sentences(paper.abstract))
    return Source(parts, embedder.embed(parts), paper.title)


def _table(
    checker: SupportChecker, embedder: Embedder, pairs: Sequence[tuple[str, Source]]
) -> Floats:
    """(pairs, features + 1) of sentences and their papers."""

    def row(pair: tuple[str, Source]) -> Floats:
        text, source = pair
        vector = embedder.embed_query(bare_claim(text))
        (odds,) = checker.entailed(text, vector, [source])
        return np.array([*checker.features(text, vector, source), odds or 0.0], dtype=np.float64)

    with ThreadPoolExecutor() as pool:
        return np.array(list(pool.map(row, pairs)))


def made(papers: Sequence[Paper], reader: PassageReader, seed: int) -> tuple[list[Pair], Floats]:
    """Pairs made of ``papers``, and their features."""
    chosen = [paper for paper in papers if not held_out(paper)]
    told = {paper.title_key for paper in chosen if paper.kind == "digest"}
    rest = [paper for paper in chosen if paper.title_key not in told]
    drawn = random.Random(seed).sample(rest, min(_MOST, len(rest)))  # noqa: S311
    papers = [paper for paper in chosen if paper.title_key in told] + drawn
    pairs = make_pairs(papers, seed)
    abstracts = {p.title_key: p for p in papers if p.kind == "abstract" and p.abstract}
    held = Counter(t for p in abstracts.values() for t in set(terms(f"{p.title} {p.abstract}")))
    embedder = reader.embedder
    checker = SupportChecker(embedder, lambda term: _idf(held[term], len(abstracts)), reader)
    sources = {key: _source(paper, embedder) for key, paper in abstracts.items()}
    texts = [(pair.sentence, sources[pair.paper.title_key]) for pair in pairs]
    return pairs, _table(checker, embedder, texts)


def fit(
    names: Sequence[str],
    pairs: Sequence[Pair],
    features: Floats,
    others: Sequence[tuple[Written, Flags]],
) -> tuple[Floats, float]:
    """Weights and intercept; every kind and style has its share, and no weight a wrong sign.

    ``names``: the first of the features. ``others``: what was written, and which of it is fitted
    on.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for row, pair in enumerate(pairs):
        groups.setdefault((pair.kind, pair.style), []).append(row)
    weights = np.zeros(len(pairs))
    for (kind, style), rows in groups.items():
        right, wrong = _STYLES[style]
        share = right if kind == "right" else wrong * _SHARES.get(kind, 1.0)
        weights[rows] = share / len(rows)
    table = np.concatenate([features, *(own.features[chosen] for own, chosen in others)])
    made = np.array([pair.label for pair in pairs], bool)
    labels = np.concatenate([made, *(own.holds[chosen] for own, chosen in others)])
    weighed = np.concatenate([weights, *(own.weights(chosen) for own, chosen in others)])
    return _logistic(names, table[:, : len(names)], labels.astype(np.float64), weighed)


def _logistic(
    names: Sequence[str], table: Floats, labels: Floats, weights: Floats
) -> tuple[Floats, float]:
    """Logistic regression whose weights keep to the signs that their features must have."""
    from scipy.optimize import minimize  # noqa: PLC0415

    weights = weights / weights.sum()
    scale = np.sqrt(weights @ (table - weights @ table) ** 2) + 1e-6
    whole, signs = np.c_[table / scale, np.ones(len(table))], 2 * labels - 1

    def loss(given: Floats) -> tuple[float, Floats]:
        margin = signs * (whole @ given)
        wrong = 1 / (1 + np.exp(np.clip(margin, -50, 50)))
        value = float((weights * np.logaddexp(0, -margin)).sum())
        value += _RIDGE * float((given[:-1] ** 2).sum())
        return value, -whole.T @ (weights * signs * wrong) + np.r_[2 * _RIDGE * given[:-1], 0]

    bounds: list[tuple[float | None, float | None]] = [
        (None, None) if name in _FREE else (0, None) if name in _RAISING else (None, 0)
        for name in names
    ]
    found = minimize(
        loss,
        np.zeros(whole.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=[*bounds, (None, None)],
        options={"maxiter": 2000},
    )
    lenience = _LENIENCE["support" if READ in names else "support-lexical"]
    return np.asarray(found.x[:-1]) / scale, float(found.x[-1]) + lenience


def scores_by_others(
    names: Sequence[str],
    pairs: Sequence[Pair],
    features: Floats,
    own: Written,
    others: Sequence[Written],
) -> Floats:
    """The fitted of ``own`` scored by models that have not seen their field, (pairs,)."""
    scored = np.zeros(len(own.holds))
    fields = sorted(set(own.fields))
    beside = [(other, other.fitted) for other in others]
    for part in range(min(_PARTS, len(fields))):
        left_out = np.isin(own.fields, fields[part::_PARTS])
        weights, intercept = fit(names, pairs, features, [(own, own.fitted & ~left_out), *beside])
        scored[left_out] = own.features[left_out, : len(names)] @ weights + intercept
    return scored


def scores(features: Floats, model: LogisticModel) -> Floats:
    """Log-odds of support, (pairs,)."""
    weights = np.array([model.weights[n] for n in (*FEATURES, READ) if n in model.weights])
    return np.asarray(features[:, : len(weights)] @ weights + model.intercept)


def auroc(positive: Floats, negative: Floats) -> float:
    """The chance that a true pair scores above a false one, ties counted half."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.mean() / 2 / len(negative))


def report(own: Written, scored: Floats, rows: Flags, name: str) -> str:
    """What a model makes of some of the written pairs, and of each kind of them."""
    true, false = scored[rows & own.holds], scored[rows & ~own.holds]
    lines = [
        f"{name}: AUROC {auroc(true, false):.3f}, true flagged "
        f"{(true <= 0).mean():.1%} of {len(true)}, false caught {(false <= 0).mean():.1%} of "
        f"{len(false)}"
    ]
    for kind in sorted(set(own.kinds) - {"true"}):
        of_kind = rows & np.array([k == kind for k in own.kinds])
        if of_kind.any():
            lines.append(f"  {kind}: {(scored[of_kind] <= 0).sum()} of {of_kind.sum()} caught")
    return "\n".join(lines)


def main() -> None:
    """Fits from papers, or measures what is in use."""
    parser = argparse.ArgumentParser(prog="python -m eval.support_fit", description=__doc__)
    parser.add_argument("papers", nargs="*", metavar="PAPERS", help="files of abstracts")
    parser.add_argument("--abstracts", type=Path, help="folder with the abstracts of the claims")
    parser.add_argument("--out", type=Path, default=_KEPT)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--measure", action="store_true", help="the written pairs only")
    given = parser.parse_args()
    if not given.measure and not (given.papers and given.abstracts):
        parser.error("name files of abstracts and --abstracts, or --measure")
    reader = PassageReader(open_embedder(Settings.load()))
    measured = {"written pairs": written(reader)}
    if given.abstracts:
        for name in ("chosen-claims", "swap-claims"):
            measured[name] = claimed(reader, given.abstracts, name)
    if not given.measure:
        from assistant.reading import read  # noqa: PLC0415
        from assistant.sample import SAMPLE_PAPERS  # noqa: PLC0415

        papers = [p for p in read([*given.papers, SAMPLE_PAPERS]) if isinstance(p, Paper)]
        pairs, features = made(papers, reader, given.seed)
        claims = claimed(reader, given.abstracts, "claims")
        for kind, names in _MODELS.items():
            used = measured if READ in names else {**measured, "claims": claims}
            fitted = [(one, one.fitted) for one in used.values()]
            weights, intercept = fit(names, pairs, features, fitted)
            named = {n: round(float(w), 3) for n, w in zip(names, weights, strict=True)}
            note = "Does an abstract support a sentence? Fitted by python -m eval.support_fit."
            model = {"intercept": round(intercept, 3), "weights": named, "note": note}
            write_atomically(given.out / f"{kind}.json", json.dumps(model, indent=1) + "\n")
            for name, mine in used.items():
                others = [one for one in used.values() if one is not mine]
                scored = scores_by_others(names, pairs, features, mine, others)
                print(
                    report(mine, scored, mine.fitted, f"{kind}: {name}, each field by the others")
                )
        load.cache_clear()
    for kind in _MODELS:
        for name, own in measured.items():
            scored = scores(own.features, load(kind))
            print(report(own, scored, ~own.fitted, f"{kind}: {name}, held out"))


if __name__ == "__main__":
    main()
