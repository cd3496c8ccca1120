"""Trains the cross-encoder that tells whether an abstract bears out a claim.

    python -m pip install torch            (the processor's build; for this command alone)
    python -m eval.entailment --abstracts FOLDER [--without FIELD…]
    python -m eval.entailment --abstracts FOLDER --measure

FOLDER holds clones of arxiv_archive and systematic-review-datasets (`eval.abstracts`), and keeps
what is computed on the way: a run that was stopped goes on after the last whole pass. Without
``--without`` it writes assistant/fitted/entailment.onnx; with it the fields are left out and only
measured. ``--measure`` measures the model of the package on ``sentences/chosen-claims.jsonl``,
which no model has seen. ``sentences/README.md`` is the data's card.

The model starts as the one that reads questions (`eval.cross_encoder`), which finds the sentence
that a claim is about, and learns whether that bears the claim out: from claims that were written,
a true one beside one with a subtle fault (sentences/claims.jsonl), and from sentences of the same
abstracts, copied or reworded, beside what becomes of them when a number, a name, a direction or
two words change places (`eval.checker_pairs`). Of an abstract it reads the sentences that are
nearest to the claim (in training to both twins, so that these are not told by what is read), both
as one text (`assistant.answering.entailment`); which mark a number has changes from pass to pass.
A claim's score is the log-odds that any of the sentences bears it out; two twins stay in one batch,
and the true one has to stand above the other.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from assistant.answering import entailment, particulars
from assistant.answering.entailment import (
    FILE,
    KINDS,
    NUMBERS,
    SLOTS,
    EntailmentModel,
    Together,
    nearest,
    together,
)
from assistant.answering.particulars import bare_claim
from assistant.embedding.base import WordEmbedder
from assistant.embedding.minilm import DIMENSION
from assistant.files import write_atomically
from assistant.paper import Paper
from assistant.settings import Settings
from eval.abstracts import SENTENCES, Abstract, Abstracts
from eval.checker_pairs import make_pairs
from eval.cross_encoder import (
    TARGET as QUESTIONS,
)
from eval.cross_encoder import (
    Task,
    embedder,
    loaded,
    state_of,
    train,
    upper_layers,
    write,
)
from eval.cross_encoder_graph import export_claims, parameters
from eval.data import json_lines

TARGET = Path(__file__).parents[1] / "assistant" / "fitted" / FILE
SEAL = Path(__file__).with_name("entailment.sha256")
"""What the last whole run wrote: the form that `sha256sum --check` reads."""
MADE = 1
"""Pairs of twins that are made of each abstract without a writer."""
_PASSES = 2
_STRANGE = 0.2
"""Share of the true claims that are held against one of the nearest other abstracts, too."""
_NEAREST = 8
_APART = 0.3
"""Deviation of the marks of numbers at the start."""
Claim = tuple[str, frozenset[int]]
"""A claim and the places of the sentences that bear it out, from 0: none where none does."""


@dataclass(frozen=True)
class Twins:
    """A claim that an abstract bears out, and one that it does not."""

    paper: str
    science: str
    true: Claim
    false: Claim


@dataclass(frozen=True)
class Row:
    """A claim as it is read beside an abstract; ``twin``: whether its false twin follows."""

    both: Together
    places: frozenset[int]
    twin: bool = False


def written(lines: Sequence[dict[str, Any]], sciences: dict[str, str]) -> list[Twins]:
    """The claims as they stand in their file: each true one before its twin."""
    return [
        Twins(
            one["p"],
            sciences[one["p"]],
            (bare_claim(one["c"]), frozenset(n - 1 for n in one["a"])),
            (bare_claim(two["c"]), frozenset()),
        )
        for one, two in _twins(lines)
    ]


def _twins(lines: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each true claim and the false one that follows it."""
    for one, two in pairwise(lines):
        if one["p"] == two["p"] and one["t"] and not two["t"]:
            yield one, two


def made(abstracts: Sequence[Abstract], sciences: dict[str, str]) -> list[Twins]:
    """Twins that are made of sentences of ``abstracts``, copied or reworded."""
    papers = [Paper(title=one.title, abstract=" ".join(one.sentences)) for one in abstracts]
    own = {paper.title_key: one for paper, one in zip(papers, abstracts, strict=True)}
    chance = random.Random(1)  # noqa: S311
    by_paper: dict[str, list[Twins]] = {}
    right = ""
    for pair in make_pairs(papers):
        if pair.kind == "right":
            right = pair.sentence
        if pair.label or pair.kind in ("wrong_paper", "other_paper"):
            continue
        if bare_claim(pair.sentence).casefold() == bare_claim(right).casefold():
            continue  # it reads the same
        one = own[pair.paper.title_key]
        place = max(range(len(one.sentences)), key=lambda n: _alike(one.sentences[n], right))
        twins = Twins(
            one.digest,
            sciences[one.digest],
            (bare_claim(right), frozenset([place])),
            (bare_claim(pair.sentence), frozenset()),
        )
        by_paper.setdefault(one.digest, []).append(twins)
    return [
        twins
        for found in by_paper.values()
        for twins in chance.sample(found, min(MADE, len(found)))
    ]


def _alike(one: str, two: str) -> int:
    return len(set(one.lower().split()) & set(two.lower().split()))


class Papers:
    """The abstracts that claims are of, as the embedding model knows them."""

    def __init__(self, abstracts: Sequence[Abstract], model: WordEmbedder) -> None:
        self._model = model
        self._abstracts = {one.digest: one for one in abstracts}
        self._sentences = {d: model.embed(list(a.sentences)) for d, a in self._abstracts.items()}
        whole = [f"{one.title}. {' '.join(one.sentences)}" for one in abstracts]
        vectors = model.embed(whole)
        order = np.argsort(-(vectors @ vectors.T), axis=1)[:, : _NEAREST + 1]
        self.near = {
            one.digest: [abstracts[n].digest for n in row if abstracts[n] is not one]
            for one, row in zip(abstracts, order, strict=True)
        }

    def __contains__(self, digest: str) -> bool:
        return digest in self._abstracts

    def read(self, claim: str, digest: str, *beside: str) -> Together:
        """``claim`` beside the sentences that are nearest to it, and to those ``beside`` it."""
        one, vectors = self._abstracts[digest], self._sentences[digest]
        texts = (claim, *beside)
        cosines = np.sum([vectors @ self._model.embed_query(t) for t in texts], axis=0)
        sentences = {place: one.sentences[place] for place in nearest(cosines)}
        return together(self._model, claim, one.title, sentences)


def gather(folder: Path) -> tuple[list[Twins], Papers]:
    """All twins, and their papers."""
    lines = list(json_lines(SENTENCES / "claims.jsonl"))
    wanted = {line["p"] for line in lines}
    listed = [line for line in json_lines(SENTENCES / "papers.jsonl") if line["p"] in wanted]
    sciences = {line["p"]: line["field"] for line in listed}
    abstracts = list(Abstracts(folder).listed(listed).values())
    papers = Papers(abstracts, embedder())
    lines = [line for line in lines if line["p"] in papers]
    return [*written(lines, sciences), *made(abstracts, sciences)], papers


Unit = list[Row]


def units(twins: Sequence[Twins], papers: Papers, kept: Path) -> list[Unit]:
    """Twins side by side, and some true claims under another paper; kept in a file."""
    if kept.exists():
        given = pickle.loads(kept.read_bytes())  # noqa: S301  (what this wrote)
        return [[Row(Together(*both), places, twin) for both, places, twin in one] for one in given]
    chance = random.Random(1)  # noqa: S311
    others = [
        chance.choice(papers.near[one.paper]) if chance.random() < _STRANGE else None
        for one in twins
    ]

    def unit(one: Twins, other: str | None) -> Unit:
        (true, places), (false, _) = one.true, one.false
        rows = [
            Row(_small(papers.read(true, one.paper, false)), places, twin=True),
            Row(_small(papers.read(false, one.paper, true)), frozenset()),
        ]
        if other is not None:
            rows.append(Row(_small(papers.read(true, other)), frozenset()))
        return rows

    with ThreadPoolExecutor(2) as pool:
        found = [one for one in pool.map(unit, twins, others) if all(r.both.read for r in one)]
    parts = ("lower", "kinds", "marks", "places")
    plain = [
        [(tuple(getattr(row.both, p) for p in parts), row.places, row.twin) for row in one]
        for one in found
    ]
    write_atomically(kept, pickle.dumps(plain))
    return found


def _small(both: Together) -> Together:
    return Together(both.lower.astype(np.float16), both.kinds, both.marks, both.places)


def _network() -> Any:
    """The upper layers, what they are told of each token, and the heads."""
    import torch  # noqa: PLC0415  (no part of the project)
    from torch import nn  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    class Network(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layers = upper_layers(Settings.load())
            self.kinds = nn.Parameter(torch.zeros(KINDS, DIMENSION))
            marks = torch.randn(NUMBERS, DIMENSION) * _APART
            marks[-1] = 0
            self.marks = nn.Parameter(marks)
            self.head, self.mul, self.claim = (nn.Linear(DIMENSION, 1) for _ in range(3))
            for new in (self.head, self.mul, self.claim):
                nn.init.zeros_(new.weight)
                nn.init.zeros_(new.bias)
            self.tau, self.bias = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(0.0))

        def forward(self, x: Any, kinds: Any, marks: Any, real: Any, claim: Any, pool: Any) -> Any:
            x = x + self.kinds[kinds] + self.marks[marks]
            for layer in self.layers:
                x = layer(x, real[:, None, None, :])
            x = x.float()
            said, sentences = torch.bmm(claim[:, None, :], x), torch.bmm(pool, x)
            both = functional.normalize(sentences, dim=-1) * functional.normalize(said, dim=-1)
            odds = self.tau * both.sum(-1) + self.bias + self.claim(said).squeeze(-1)
            return (
                odds
                + self.head(sentences).squeeze(-1)
                + self.mul(both * DIMENSION**0.5).squeeze(-1)
            )

    begun = parameters(QUESTIONS.read_bytes())
    types = begun.pop("types")
    begun["kinds"] = np.repeat(types, KINDS // 2, axis=0)
    return loaded(Network(), begun, ("marks", "claim.weight", "claim.bias"))


def log_odds(
    network: Any, rows: Sequence[Row], chance: random.Random | None = None
) -> tuple[Any, Any]:
    """(rows, 1 + sentences) with "none" first, and which bear the claim out.

    ``chance``: the marks of numbers are dealt anew, alike for twins.
    """
    import torch  # noqa: PLC0415

    tokens = max(len(row.both.places) for row in rows)
    widest = 1 + max(len(row.both.read) for row in rows)
    x = torch.zeros(len(rows), tokens, DIMENSION)
    kinds = torch.zeros(len(rows), tokens, dtype=torch.long)
    marks = torch.full((len(rows), tokens), NUMBERS - 1)
    real = torch.zeros(len(rows), tokens, dtype=torch.bool)
    claim = torch.zeros(len(rows), tokens)
    pool = torch.zeros(len(rows), widest, tokens)
    right = torch.zeros(len(rows), widest)
    there = torch.zeros(len(rows), widest, dtype=torch.bool)
    dealt = list(range(NUMBERS))
    for n, row in enumerate(rows):
        both, size = row.both, len(row.both.places)
        x[n, :size] = torch.from_numpy(both.lower.astype(np.float32))
        kinds[n, :size] = torch.from_numpy(both.kinds)
        if chance and not (n and rows[n - 1].twin):
            dealt[:SLOTS] = chance.sample(range(SLOTS), SLOTS)
        marks[n, :size] = torch.from_numpy(np.array(dealt)[both.marks])
        real[n, :size] = True
        of_claim = both.of_claim
        claim[n, :size] = torch.from_numpy(of_claim / of_claim.sum())
        for column, place in enumerate(both.read, 1):
            inside = both.places == place
            pool[n, column, :size] = torch.from_numpy(inside / inside.sum())
            there[n, column], right[n, column] = True, float(place in row.places)
        if row.places and not right[n].any():  # what bears it out was not read: it may be any
            right[n, 1 : 1 + len(both.read)] = 1
    right[:, 0] = (right.sum(1) == 0).float()
    with torch.autocast("cpu", torch.bfloat16):
        odds = network(x, kinds, marks, real, claim, pool).float()
    odds = odds.masked_fill(~there, -1e4)
    odds[:, 0] = 0
    return odds, right


def measure(network: Any, twins: Sequence[Twins], papers: Papers) -> dict[str, float]:
    """How well true claims stand above false ones: all (AUROC), and each above its own twin."""
    import torch  # noqa: PLC0415

    network.eval()
    found = []
    for one in twins:
        rows = [Row(papers.read(text, one.paper), frozenset()) for text, _ in (one.true, one.false)]
        with torch.no_grad():
            odds, _ = log_odds(network, rows)
        found.append(odds[:, 1:].logsumexp(1).numpy())
    return figures(np.array(found))


def figures(scores: Any) -> dict[str, float]:
    """``scores``: (twins, 2), the true one first."""
    labels = np.tile([1, 0], len(scores))
    bar = float(np.quantile(scores[:, 0], 0.1))
    return {
        "twins": len(scores),
        "auroc": round(float(roc_auc_score(labels, scores.ravel())), 3),
        "above its twin": round(float((scores[:, 0] > scores[:, 1]).mean()), 3),
        "caught where 10% of the true are flagged": round(float((scores[:, 1] < bar).mean()), 3),
    }


def shipped(folder: Path) -> Iterator[str]:
    """How the model of the package does on the claims that no model has seen, by kind."""
    model, kinds, scores = EntailmentModel(), [], []
    lines = list(json_lines(SENTENCES / "chosen-claims.jsonl"))
    wanted = {line["p"] for line in lines}
    lists = ("chosen-papers", "chosen-claims-papers")
    listed = [r for n in lists for r in json_lines(SENTENCES / f"{n}.jsonl") if r["p"] in wanted]
    papers = Papers(list(Abstracts(folder).listed(listed).values()), embedder())
    for one, two in _twins([line for line in lines if line["p"] in papers]):
        read = [papers.read(bare_claim(line["c"]), line["p"]) for line in (one, two)]
        if not all(both.read for both in read):
            continue
        scores.append([float(np.logaddexp.reduce(model.read(both))) for both in read])
        kinds.append(two["k"])
    table: NDArray[np.float64] = np.array(scores)
    yield f"all: {figures(table)}"
    for kind in sorted(set(kinds)):
        yield f"{kind}: {figures(table[[k == kind for k in kinds]])}"


def _digest() -> str:
    """Of all that the rows are made of: those that are kept are of no other."""
    made_by = [Path(module.__file__ or "") for module in (entailment, particulars)]
    texts = [path.read_bytes() for path in (*made_by, Path(__file__), SENTENCES / "claims.jsonl")]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:8]


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, measures, and writes the model where nothing was left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--abstracts", type=Path, required=True, help="folder with the clones")
    parser.add_argument("--without", nargs="*", default=[], help="fields to leave out and measure")
    parser.add_argument("--measure", action="store_true", help="the model of the package")
    options = parser.parse_args(arguments)
    if options.measure:
        print(*shipped(options.abstracts), sep="\n")
        return
    twins, papers = gather(options.abstracts)
    without = set(options.without)
    held = [one for one in twins if one.science in without]
    learned = [one for one in twins if one.science not in without]
    print(f"{len(learned)} pairs of twins to learn from, {len(held)} to measure", flush=True)
    name = "-".join(["entailment", _digest(), *sorted(without)])
    rows = units(learned, papers, options.abstracts / f"{name}.pickle")
    task = Task(
        _network,
        lambda _: list(rows),
        log_odds,
        lambda unit: max(len(row.both.places) for row in unit),
        lambda batch: [n for n, row in enumerate(batch) if row.twin],
    )
    network = train(
        task,
        options.abstracts / f"{name}.pt",
        passes=_PASSES,
        after=(lambda network: print(measure(network, held, papers), flush=True)) if held else None,
    )
    if not without:
        write(export_claims(state_of(network)), TARGET, SEAL)


if __name__ == "__main__":
    main()
