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
nearest to the claim. A claim's score is the log-odds that any of them bears it out; two twins stay
in one batch, and the true one has to stand above the other.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
from sklearn.metrics import roc_auc_score

from assistant.answering.cross_encoder import Window, narrowed, nearest
from assistant.answering.particulars import bare_claim
from assistant.paper import Paper
from eval.abstracts import SENTENCES, Abstract, Abstracts
from eval.checker_pairs import make_pairs
from eval.cross_encoder import (
    TARGET as QUESTIONS,
)
from eval.cross_encoder import (
    Item,
    Read,
    Row,
    Unit,
    log_odds,
    lower_states,
    train,
    write,
)
from eval.cross_encoder_graph import parameters
from eval.data import json_lines

TARGET = Path(__file__).parents[1] / "assistant" / "fitted" / "entailment.onnx"
SEAL = Path(__file__).with_name("entailment.sha256")
"""What the last whole run wrote: the form that `sha256sum --check` reads."""
MADE = 1
"""Pairs of twins that are made of each abstract without a writer."""
_PASSES, _SHARE, _TWINS = 2, 1.0, 0.5
_STRANGE = 0.25
"""Share of the true claims that are held against one of the nearest other abstracts, too."""

Twins = tuple[Item, Item]
"""A claim that its abstract bears out, and one that it does not."""


def written(lines: Sequence[dict[str, Any]], sciences: dict[str, str]) -> list[Twins]:
    """The claims as they stand in their file: each true one before its twin."""

    def item(line: dict[str, Any]) -> Item:
        places = frozenset(n - 1 for n in line["a"]) if line["t"] else frozenset()
        return Item(line["p"], bare_claim(line["c"]), places, sciences[line["p"]])

    return [(item(one), item(two)) for one, two in _twins(lines)]


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
        one = own[pair.paper.title_key]
        place = max(range(len(one.sentences)), key=lambda n: _alike(one.sentences[n], right))
        science = sciences[one.digest]
        twins = (
            Item(one.digest, bare_claim(right), frozenset([place]), science),
            Item(one.digest, bare_claim(pair.sentence), frozenset(), science),
        )
        by_paper.setdefault(one.digest, []).append(twins)
    return [
        twins
        for found in by_paper.values()
        for twins in chance.sample(found, min(MADE, len(found)))
    ]


def _alike(one: str, two: str) -> int:
    return len(set(one.lower().split()) & set(two.lower().split()))


def gather(folder: Path) -> tuple[list[Twins], dict[str, Read]]:
    """All twins, and their papers as the lower layers read them; kept in ``folder``."""
    lines = list(json_lines(SENTENCES / "claims.jsonl"))
    wanted = {line["p"] for line in lines}
    listed = [line for line in json_lines(SENTENCES / "papers.jsonl") if line["p"] in wanted]
    sciences = {line["p"]: line["field"] for line in listed}
    abstracts = list(Abstracts(folder).listed(listed).values())
    twins = [*written(lines, sciences), *made(abstracts, sciences)]
    items = [item for both in twins for item in both]
    kept = folder / "claim-states.pickle"
    names = {one.digest for one in abstracts}
    read = lower_states(kept, lambda: abstracts, names, items, sentences=True)
    return [both for both in twins if both[0].paper in read], read


def units(twins: Sequence[Twins], read: dict[str, Read], chance: random.Random) -> list[Unit]:
    """The rows of a pass: twins side by side, and some true claims under another paper."""
    found: list[Unit] = []
    for true, false in twins:
        window = _near(read[true.paper], true, false)
        unit: list[Row] = [(true, window, true.answers), (false, window, frozenset())]
        if chance.random() < _STRANGE:
            other = read[chance.choice(true.near)]
            unit.append((true, _near(other, true), frozenset()))
        found.append(unit)
    return found


def _near(paper: Read, *items: Item) -> Any:
    """Of ``paper`` what is read for ``items``."""
    assert paper.sentences is not None  # noqa: S101
    passage: Any = [Window(*window) for window in cast("Any", paper.windows)]
    cosines = np.sum([paper.sentences @ item.vector for item in items], axis=0)
    window = narrowed(passage, nearest(cosines))
    return window.states, window.places


def score(network: Any, item: Item, paper: Read) -> float:
    """Log-odds that some sentence of the paper bears the claim out."""
    import torch  # noqa: PLC0415

    with torch.no_grad():
        odds, _, _ = log_odds(network, [(item, _near(paper, item), frozenset())])
    return float(odds[:, 1:].logsumexp(1).max())


def measure(network: Any, twins: Sequence[Twins], read: dict[str, Read]) -> dict[str, float]:
    """How well true claims stand above false ones: all (AUROC), and each above its own twin."""
    network.eval()
    found = [[score(network, item, read[item.paper]) for item in both] for both in twins]
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
    from assistant.answering.evidence import PassageReader, PassageText  # noqa: PLC0415
    from assistant.embedding import open_embedder  # noqa: PLC0415
    from assistant.settings import Settings  # noqa: PLC0415

    reader = PassageReader(open_embedder(Settings.load()))
    embed = reader.embedder.embed
    lines = list(json_lines(SENTENCES / "chosen-claims.jsonl"))
    wanted = {line["p"] for line in lines}
    listed = [r for r in json_lines(SENTENCES / "chosen-papers.jsonl") if r["p"] in wanted]
    passages = {
        digest: PassageText(one.title, one.sentences, embed(list(one.sentences)), 0.0)
        for digest, one in Abstracts(folder).listed(listed).items()
    }

    def odds(line: dict[str, Any]) -> float:
        claim = bare_claim(line["c"])
        vector = reader.embedder.embed_query(claim)
        return float(reader.entailed(claim, vector, [passages[line["p"]]])[0])

    twins = [(one, two) for one, two in _twins(lines) if one["p"] in passages]
    scores = np.array([[odds(line) for line in both] for both in twins])
    kinds = [two["k"] for _, two in twins]
    yield f"all: {figures(scores)}"
    for kind in sorted(set(kinds)):
        yield f"{kind}: {figures(scores[[k == kind for k in kinds]])}"


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
    twins, read = gather(options.abstracts)
    without = set(options.without)
    held = [both for both in twins if both[0].science in without]
    learned = [both for both in twins if both[0].science not in without]
    print(f"{len(learned)} pairs of twins to learn from, {len(held)} to measure", flush=True)
    network = train(
        lambda chance: units(learned, read, chance),
        options.abstracts / f"{'-'.join(['entailment', *sorted(without)])}.pt",
        begun=parameters(QUESTIONS.read_bytes()),
        passes=_PASSES,
        share=_SHARE,
        twins=_TWINS,
        after=(lambda network: print(measure(network, held, read), flush=True)) if held else None,
    )
    if not without:
        write(network, TARGET, SEAL)


if __name__ == "__main__":
    main()
