"""Trains the cross-encoder that tells which sentences of an abstract answer a question.

    python -m pip install torch            (the processor's build; for this command alone)
    python -m eval.cross_encoder --abstracts FOLDER [--without FIELD…]
    python -m eval.cross_encoder --abstracts FOLDER --go-on
    python -m eval.cross_encoder --abstracts FOLDER --measure

FOLDER holds clones of arxiv_archive and systematic-review-datasets (`eval.abstracts`), and keeps
what is computed on the way: a run that was stopped goes on after the last whole pass. Without
``--without`` it writes assistant/fitted/cross-encoder.onnx; with it the fields are left out and
only measured: whether the sentence that is likeliest answers, and how well the likeliest tells
an abstract that answers from the same abstract asked for what it does not say, and from the
nearest other one (AUROC). ``--go-on`` starts from the model of the package in place of the
published layers, and takes one pass at lower rates: so it learned from what was written later.
``--measure`` does the same with the model of the package and the
questions of ``sentences/held-out.jsonl``, which no model has seen. ``sentences/README.md`` is the
data's card.

The upper three layers of all-MiniLM-L6-v2 start as published, question and sentence compared by
the cosine of their means; trained by AdamW on the negative log-likelihood of the sentences that
answer, in a softmax over those of a window and "none of them". For each question the paper it
was written for, and one of the eight nearest others, in which nothing is taken to answer.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from assistant.answering.cross_encoder import windows
from assistant.embedding import open_embedder
from assistant.embedding.base import WordEmbedder
from assistant.embedding.graph import HEADS, LAYERS
from assistant.embedding.minilm import DIMENSION, LOWER_LAYERS, model_folder
from assistant.embedding.weights import SAFETENSORS
from assistant.settings import Settings
from eval.abstracts import SENTENCES, Abstract, Abstracts
from eval.cross_encoder_graph import PARTS, export, parameters
from eval.data import EvalError, json_lines

TARGET = Path(__file__).parents[1] / "assistant" / "fitted" / "cross-encoder.onnx"
SEAL = Path(__file__).with_name("cross-encoder.sha256")
"""What the last whole run wrote: the form that `sha256sum --check` reads."""
BESIDE = 90
"""Abstracts of each source, without questions, among which the nearest others are looked for."""
NEAREST = 8
BATCH = 16
EPOCHS = 3
RATE, HEAD_RATE = 6e-5, 5e-4
"""Learning rates of the published layers, and of what is new."""
AGAIN = 0.6
"""… of them, where a trained model goes on."""
_TWINS = 0.5
"""What it costs, beside the likelihood, where a false twin is not far below the true one
(logistic loss of the difference)."""
_WARM = 50
"""Steps in which the rates rise."""
_QUESTION_START = 14.0, -8.0
"""What a cosine is worth at the start, and the log-odds of one of 0."""

Halves = NDArray[np.float16]
Window = tuple[Halves, NDArray[np.int16]]


@dataclass
class Read:
    """A paper as the lower layers read it: its vector, and its windows."""

    vector: NDArray[np.float32]
    windows: list[Window]


@dataclass
class Item:
    """A question for one paper: the places of the sentences that answer, from 0; maybe none."""

    paper: str
    text: str
    answers: frozenset[int]
    science: str
    vector: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    states: Halves = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    near: list[str] = field(default_factory=list)


Row = tuple[Item, Window, frozenset[int]]
Unit = Sequence[Row]
"""Rows that stay in one batch."""


def gather(folder: Path) -> tuple[list[Item], dict[str, Read]]:
    """The items, and every paper, as the lower layers read them; kept in ``folder``."""
    papers = list(json_lines(SENTENCES / "papers.jsonl"))
    sciences = {line["p"]: line["field"] for line in papers}
    items = [
        Item(line["p"], line["q"], frozenset(n - 1 for n in line["a"]), sciences[line["p"]])
        for line in json_lines(SENTENCES / "items.jsonl")
    ]
    kept = folder / "lower-states.pickle"
    read = lower_states(kept, lambda: _abstracts(folder, papers), set(sciences), items)
    return [item for item in items if item.paper in read], read


def lower_states(
    kept: Path,
    abstracts: Callable[[], Iterable[Abstract]],
    wanted: set[str],
    items: Sequence[Item],
) -> dict[str, Read]:
    """Every paper as the lower layers read it, and so the texts of ``items``; kept in a file.

    ``abstracts`` are read where one of ``wanted`` is not in the file.
    """
    read: dict[str, Read] = {}
    asked: dict[str, tuple[NDArray[np.float32], Halves]] = {}
    if kept.exists():
        read, asked = pickle.loads(kept.read_bytes())  # noqa: S301  (what this command wrote)
    encoder = embedder()

    def of_paper(one: Abstract) -> tuple[str, Read]:
        found = [
            (window.states.astype(np.float16), window.places.astype(np.int16))
            for window in windows(encoder, one.title, one.sentences)
        ]
        vector = encoder.embed_query(f"{one.title}. {' '.join(one.sentences)}")
        return one.digest, Read(vector, found)

    def of_text(text: str) -> tuple[str, tuple[NDArray[np.float32], Halves]]:
        return text, (encoder.embed_query(text), encoder.read(text).lower.astype(np.float16))

    with ThreadPoolExecutor() as pool:
        missing = abstracts() if wanted - set(read) else ()
        new = {one.digest: one for one in missing if one.digest not in read}
        unheard = {item.text for item in items} - set(asked)
        read.update(pool.map(of_paper, new.values()))
        asked.update(pool.map(of_text, unheard))
    if new or unheard:
        kept.write_bytes(pickle.dumps((read, asked)))
    ids = list(read)
    vectors = np.stack([read[name].vector for name in ids])
    place = {name: n for n, name in enumerate(ids)}
    for item in items:
        if item.paper not in read:
            continue
        item.vector, item.states = asked[item.text]
        cosines = vectors @ item.vector
        cosines[place[item.paper]] = -1
        item.near = [ids[n] for n in np.argsort(-cosines)[:NEAREST]]
    return read


def embedder() -> WordEmbedder:
    """The embedding model whose lower layers are built on."""
    found = open_embedder(Settings.load(), notify=print)
    if not isinstance(found, WordEmbedder):
        raise EvalError("The settings name another embedding model than all-MiniLM-L6-v2.")
    return found


def _abstracts(folder: Path, papers: Sequence[dict[str, Any]]) -> Iterator[Abstract]:
    """Those that questions were written for, and others of their sources."""
    collections = Abstracts(folder)
    yield from collections.listed(papers).values()
    for source in sorted({line["s"] for line in papers}):
        yield from collections.some(source, BESIDE)
        print(source, flush=True)


# ---------------------------------------------------------------------- the model, in torch


def upper_layers(settings: Settings) -> Any:
    """The upper layers of the embedding model, as published."""
    import torch  # noqa: PLC0415  (no part of the project)
    from safetensors.torch import load_file  # noqa: PLC0415
    from torch import nn  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    published = load_file(model_folder(settings) / SAFETENSORS)

    class Layer(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self, number: int) -> None:
            super().__init__()
            wide = 4 * DIMENSION
            self.qkv, self.o = nn.Linear(DIMENSION, 3 * DIMENSION), nn.Linear(DIMENSION, DIMENSION)
            self.up, self.down = nn.Linear(DIMENSION, wide), nn.Linear(wide, DIMENSION)
            self.n1, self.n2 = (nn.LayerNorm(DIMENSION, eps=1e-12) for _ in range(2))
            self.drop = nn.Dropout(0.1)
            name = f"encoder.layer.{number}."
            heads = [f"{name}attention.self.{part}" for part in ("query", "key", "value")]
            self.qkv.weight.data = torch.cat([published[f"{head}.weight"] for head in heads])
            self.qkv.bias.data = torch.cat([published[f"{head}.bias"] for head in heads])
            for own, said in PARTS.items():
                part = getattr(self, own)
                part.weight.data = published[f"{name}{said}.weight"].clone()
                part.bias.data = published[f"{name}{said}.bias"].clone()

        def forward(self, x: Any, mask: Any) -> Any:
            rows, tokens, _ = x.shape
            q, k, v = (
                self.qkv(x).view(rows, tokens, 3, HEADS, DIMENSION // HEADS).permute(2, 0, 3, 1, 4)
            )
            seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            seen = seen.transpose(1, 2).reshape(rows, tokens, DIMENSION)
            x = self.n1(x + self.drop(self.o(seen)))
            return self.n2(x + self.drop(self.down(functional.gelu(self.up(x)))))

    return nn.ModuleList(Layer(number) for number in range(LOWER_LAYERS, LAYERS))


def _network(settings: Settings) -> Any:
    """The upper layers, and the new heads."""
    import torch  # noqa: PLC0415
    from torch import nn  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    class Network(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layers = upper_layers(settings)
            self.types = nn.Parameter(torch.zeros(2, DIMENSION))
            self.head, self.mul = nn.Linear(DIMENSION, 1), nn.Linear(DIMENSION, 1)
            for new in (self.head, self.mul):
                nn.init.zeros_(new.weight)
                nn.init.zeros_(new.bias)
            self.tau, self.bias = (nn.Parameter(torch.tensor(x)) for x in _QUESTION_START)

        def forward(self, x: Any, kinds: Any, real: Any, pool: Any) -> Any:
            x = x + self.types[kinds]
            for layer in self.layers:
                x = layer(x, real[:, None, None, :])
            x = x.float()
            of_question = (real & (kinds == 0)).float()
            question = torch.bmm((of_question / of_question.sum(1, keepdim=True))[:, None, :], x)
            sentences = torch.bmm(pool, x)
            both = functional.normalize(sentences, dim=-1) * functional.normalize(question, dim=-1)
            cosine, wide = both.sum(-1), both * DIMENSION**0.5
            odds = self.tau * cosine + self.bias
            return odds + self.head(sentences).squeeze(-1) + self.mul(wide).squeeze(-1)

    return Network()


def log_odds(network: Any, rows: Sequence[Row]) -> tuple[Any, Any, list[list[int]]]:
    """(rows, 1 + sentences) with "none" first; which answer; and the places of the sentences."""
    import torch  # noqa: PLC0415

    places = [sorted({int(n) for n in window[1] if n >= 0}) for _, window, _ in rows]
    tokens = max(len(item.states) + len(window[0]) for item, window, _ in rows)
    widest = 1 + max(map(len, places))
    x = torch.zeros(len(rows), tokens, DIMENSION)
    kinds = torch.zeros(len(rows), tokens, dtype=torch.long)
    real = torch.zeros(len(rows), tokens, dtype=torch.bool)
    pool = torch.zeros(len(rows), widest, tokens)
    right = torch.zeros(len(rows), widest)
    there = torch.zeros(len(rows), widest, dtype=torch.bool)
    for n, ((item, (states, of), answers), held) in enumerate(zip(rows, places, strict=True)):
        asked = len(item.states)
        x[n, :asked] = torch.from_numpy(item.states.astype(np.float32))
        x[n, asked : asked + len(states)] = torch.from_numpy(states.astype(np.float32))
        kinds[n, asked:], real[n, : asked + len(states)] = 1, True
        for column, place in enumerate(held, 1):
            at = np.flatnonzero(of == place)
            pool[n, column, asked + at] = 1 / len(at)
            there[n, column], right[n, column] = True, float(place in answers)
    right[:, 0] = (right.sum(1) == 0).float()
    with torch.autocast("cpu", torch.bfloat16):
        odds = network(x, kinds, real, pool).float()
    odds = odds.masked_fill(~there, -1e4)
    odds[:, 0] = 0
    return odds, right, places


def _batches(
    units: list[Any], chance: random.Random, length: Callable[[Any], int]
) -> list[list[Any]]:
    """The rows of ``units`` in a random order, but with those of like length together."""
    chance.shuffle(units)
    found: list[list[Any]] = []
    for start in range(0, len(units), 20 * BATCH):
        batch: list[Any] = []
        for unit in sorted(units[start : start + 20 * BATCH], key=length):
            batch += unit
            if len(batch) >= BATCH:
                found.append(batch)
                batch = []
        found += [batch] if batch else []
    chance.shuffle(found)
    return found


def _length(unit: Unit) -> int:
    return max(len(item.states) + len(window[0]) for item, window, _ in unit)


def _units(items: Sequence[Item], read: dict[str, Read], chance: random.Random) -> list[Unit]:
    nothing: frozenset[int] = frozenset()
    found: list[Unit] = []
    for item in items:
        found += [((item, window, item.answers),) for window in read[item.paper].windows]
        found.append(((item, chance.choice(read[chance.choice(item.near)].windows), nothing),))
    return found


@dataclass(frozen=True)
class Task:
    """What is trained, on what.

    ``network`` makes it as it begins. ``units``: the rows of a pass, those that stay together in
    one. ``odds``: of a batch, (rows, 1 + sentences) log-odds with "none" first, and which are
    right. ``length`` of a unit. ``twins`` of a batch: places of the rows of which the next one is
    the false twin.
    """

    network: Callable[[], Any]
    units: Callable[[random.Random], list[Any]]
    odds: Callable[[Any, list[Any], random.Random], tuple[Any, Any]]
    length: Callable[[Any], int]
    twins: Callable[[list[Any]], list[int]] | None = None


def train(
    task: Task,
    kept: Path,
    *,
    passes: int = EPOCHS,
    share: float = 1.0,
    after: Callable[[Any], None] | None = None,
) -> Any:
    """The trained network.

    Args:
        task: what is trained.
        kept: where the network is kept after every pass.
        share: of the common rates of learning.
        after: called with the network after every pass.
    """
    import torch  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    torch.manual_seed(1)
    network = task.network()
    old = [p for name, p in network.named_parameters() if name.startswith("layers.")]
    new = [p for name, p in network.named_parameters() if not name.startswith("layers.")]
    rates = [RATE * share, HEAD_RATE * share]
    optimizer = torch.optim.AdamW(
        [{"params": part, "lr": rate} for part, rate in zip((old, new), rates, strict=True)],
        weight_decay=0.01,
    )
    done = 0
    if kept.exists():
        state = torch.load(kept)
        done = state["epochs"]
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
    for epoch in range(done, passes):
        network.train()
        chance = random.Random(epoch)  # noqa: S311
        batches = _batches(task.units(chance), chance, task.length)
        steps = passes * len(batches)
        started, total, seen = time.monotonic(), 0.0, 0
        for n, rows in enumerate(batches, 1):
            step = epoch * len(batches) + n
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * min(1, step / _WARM) * max(0.02, 1 - step / steps)
            odds, right = task.odds(network, rows, chance)
            chances = torch.log_softmax(odds, 1)
            loss = -chances.masked_fill(right == 0, -1e4).logsumexp(1).sum() / BATCH
            if task.twins:
                first, score = task.twins(rows), odds[:, 1:].logsumexp(1)
                apart = score[first] - score[[k + 1 for k in first]]
                loss = loss + _TWINS * functional.softplus(-apart).sum() / BATCH
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            total, seen = total + float(loss.detach()), seen + len(rows)
            if n % 100 == 0 or n == len(batches):
                speed = seen / (time.monotonic() - started)
                print(f"pass {epoch + 1}: {n} of {len(batches)} batches, loss {total / n:.3f}, "
                      f"{speed:.0f} windows/s", flush=True)  # fmt: skip
        state = {"epochs": epoch + 1, "network": network.state_dict()}
        torch.save(state | {"optimizer": optimizer.state_dict()}, kept)
        if after:
            after(network)
    return network


def write(model: bytes, target: Path, seal: Path) -> None:
    """A model as a file of the package, and the digest of that."""
    target.write_bytes(model)
    digest = hashlib.sha256(model).hexdigest()
    seal.write_text(f"{digest}  {target.name}\n", "utf-8")
    print(f"{target}: {len(model):,} bytes")


def state_of(network: Any) -> dict[str, NDArray[np.float32]]:
    """The network's parameters by name."""
    return {name: part.float().numpy() for name, part in network.state_dict().items()}


def loaded(
    network: Any, begun: Mapping[str, NDArray[np.float32]], new: Collection[str] = ()
) -> Any:
    """``network`` with the parameters of one that was trained; ``new`` are not of that."""
    import torch  # noqa: PLC0415

    given = {name: torch.from_numpy(np.array(part)) for name, part in begun.items()}
    missing, strange = network.load_state_dict(given, strict=False)
    if strange or set(missing) != set(new):
        raise EvalError(f"The trained model has other parameters: {[*missing, *strange]}.")
    return network


def measure(network: Any, items: Sequence[Item], read: dict[str, Read]) -> dict[str, float]:
    """How the network does on ``items`` that it has not seen; see the module's docstring."""
    import torch  # noqa: PLC0415

    network.eval()

    def best(item: Item, paper: str) -> tuple[float, int]:
        rows: list[Row] = [(item, window, frozenset()) for window in read[paper].windows]
        with torch.no_grad():
            odds, _, places = log_odds(network, rows)
        return max(
            (float(value), place)
            for values, held in zip(odds, places, strict=True)
            for value, place in zip(values[1:], held, strict=False)
        )

    asked = [item for item in items if item.answers]
    found = [best(item, item.paper) for item in asked]
    detail = [best(item, item.paper)[0] for item in items if not item.answers]
    near = [best(item, item.near[0])[0] for item in asked]
    values = [value for value, _ in found]
    hits = [place in item.answers for (_, place), item in zip(found, asked, strict=True)]
    cosine = [_by_cosine(item, read[item.paper]) in item.answers for item in asked]
    return _figures(hits, cosine, values, detail, near)


def shipped(folder: Path) -> dict[str, float]:
    """How the model of the package does on the questions that no model has seen."""
    from assistant.answering.cross_encoder import CrossEncoder  # noqa: PLC0415

    model = embedder()
    encoder, collections = CrossEncoder(), Abstracts(folder)
    papers = collections.listed(list(json_lines(SENTENCES / "held-out-papers.jsonl")))
    ids = list(papers)
    vectors = model.embed([f"{p.title}. {' '.join(p.sentences)}" for p in papers.values()])
    passages = {name: list(windows(model, p.title, p.sentences)) for name, p in papers.items()}
    hits: list[bool] = []
    cosine: list[bool] = []
    told: list[float] = []
    detail: list[float] = []
    near: list[float] = []
    for line in json_lines(SENTENCES / "held-out.jsonl"):
        if line["p"] not in papers:
            continue
        paper, asked = papers[line["p"]], model.read(line["q"]).lower
        odds = encoder.read(asked, passages[line["p"]], len(paper.sentences))
        if not line["a"]:
            detail.append(float(odds.max()))
            continue
        vector = model.embed_query(line["q"])
        told.append(float(odds.max()))
        hits.append(int(odds.argmax()) + 1 in line["a"])
        own = model.embed(list(paper.sentences)) @ vector
        cosine.append(int(own.argmax()) + 1 in line["a"])
        order = [n for n in np.argsort(-(vectors @ vector)) if ids[n] != line["p"]]
        other = ids[order[0]]
        size = len(papers[other].sentences)
        near.append(float(encoder.read(asked, passages[other], size).max()))
    return _figures(hits, cosine, told, detail, near)


def _figures(
    hits: Sequence[bool],
    cosine: Sequence[bool],
    told: Sequence[float],
    detail: Sequence[float],
    near: Sequence[float],
) -> dict[str, float]:
    """Shares of the questions whose likeliest, or most alike, sentence answers; and the AUROCs of
    the likeliest's log-odds, ``told`` against questions for a ``detail`` and ``near`` abstracts.
    """
    return {
        "questions": len(hits),
        "first": round(float(np.mean(hits)), 3),
        "first by cosine": round(float(np.mean(cosine)), 3),
        "auroc, not said there": _auroc(told, detail),
        "auroc, nearest other": _auroc(told, near),
    }


def _auroc(right: Sequence[float], wrong: Sequence[float]) -> float:
    labels = [1] * len(right) + [0] * len(wrong)
    return round(float(roc_auc_score(labels, [*right, *wrong])), 3)


def _by_cosine(item: Item, paper: Read) -> int:
    asked = item.states.astype(np.float32).mean(0)
    means = {
        int(n): states[places == n].astype(np.float32).mean(0)
        for states, places in paper.windows
        for n in np.unique(places)
        if n >= 0
    }
    return max(means, key=lambda n: float(means[n] @ asked / np.linalg.norm(means[n])))


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, measures, and writes the model where nothing was left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--abstracts", type=Path, required=True, help="folder with the clones")
    parser.add_argument("--without", nargs="*", default=[], help="fields to leave out and measure")
    parser.add_argument("--go-on", action="store_true", help="from the model of the package")
    parser.add_argument("--measure", action="store_true", help="the model of the package")
    options = parser.parse_args(arguments)
    if options.measure:
        print(shipped(options.abstracts))
        return
    items, read = gather(options.abstracts)
    without = set(options.without)
    held = [item for item in items if item.science in without]
    print(f"{len(items) - len(held)} questions to learn from, {len(held)} to measure", flush=True)
    told = ["", *(["again"] if options.go_on else []), *sorted(without)]
    kept = options.abstracts / f"cross-encoder{'-'.join(told)}.pt"
    begun = parameters(TARGET.read_bytes()) if options.go_on else None
    learned = [item for item in items if item.science not in without]
    task = Task(
        lambda: loaded(_network(Settings.load()), begun) if begun else _network(Settings.load()),
        lambda chance: _units(learned, read, chance),
        lambda network, rows, _: log_odds(network, rows)[:2],
        _length,
    )
    network = train(
        task,
        kept,
        passes=1 if begun else EPOCHS,
        share=AGAIN if begun else 1.0,
        after=(lambda network: print(measure(network, held, read), flush=True)) if held else None,
    )
    if not without:
        write(export(state_of(network)), TARGET, SEAL)


if __name__ == "__main__":
    main()
