"""A cross-encoder for claims: reads a claim and the nearest sentences of an abstract together, and
tells which of them bear it out.

All six layers see both: MiniLM's lower three, as the embedding model has them, read the claim,
``[SEP]``, the title and the sentences as one text; the upper three were trained, and are a file of
the package, ``fitted/entailment.onnx`` (int8). Between the two each token is told on which side it
stands, whether the other side has it, too, and, where it is of a number, which: one and the same
mark on both sides for numbers that agree, so that the model sees when they changed places, and
another for those that what is read of the abstract does not have. ``python -m eval.entailment``
trains it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.answering.cross_encoder import PackagedModel, joined
from assistant.answering.particulars import Number, numbers
from assistant.embedding.base import WordEmbedder

__all__ = [
    "FILE",
    "KINDS",
    "NUMBERS",
    "SLOTS",
    "EntailmentModel",
    "Together",
    "nearest",
    "together",
]

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

FILE = "entailment.onnx"
"""The model, in ``assistant/fitted``."""
_NEAREST = 3
"""Sentences of an abstract that are read for a claim."""
_BETWEEN = " [SEP] "
_MARK = re.compile(r"\[(SEP|CLS|MASK|PAD|UNK)\]")
KINDS = 4
"""Kinds of tokens: of the claim and of the abstract, each without and with its like beside."""
SLOTS = 9
"""Numbers of a claim that are told apart."""
_ABSENT, _OTHER, _NONE = SLOTS, SLOTS + 1, SLOTS + 2
"""Marks of a number of the claim that is not in what is read of the abstract, of one that only
that has, and of what is no number."""
NUMBERS = SLOTS + 3
"""Marks there are."""
_TITLE, _CLAIM = -1, -2


@dataclass(frozen=True, slots=True)
class Together:
    """A claim and what is read for it, as the upper layers get it; each of (tokens,) but ``lower``.

    ``lower``: (tokens, dimension) states of the third layer. ``kinds``: see `KINDS`. ``marks``:
    of numbers. ``places``: the sentence of each token, -1 for the title and the end, -2 for the
    claim.
    """

    lower: Floats
    kinds: Places
    marks: Places
    places: Places

    @property
    def of_claim(self) -> NDArray[np.bool_]:
        """(tokens,) which are of the claim, with the marks around it."""
        return np.asarray(self.places == _CLAIM)

    @property
    def read(self) -> list[int]:
        """The sentences that it holds, at least in part."""
        return [int(place) for place in np.unique(self.places) if place >= 0]


def nearest(cosines: Floats) -> list[int]:
    """The sentences that are read of an abstract for a claim, by their cosines to it; the nearest
    first.
    """
    return [int(n) for n in np.argsort(-cosines, kind="stable")[:_NEAREST]]


def together(
    embedder: WordEmbedder, claim: str, title: str, sentences: Mapping[int, str]
) -> Together:
    """Reads ``claim`` beside ``sentences``, by their places, under their ``title``.

    ``sentences`` come nearest first: where the model does not take all in (some two hundred
    words), the last of them is left out, and only then something cut off.
    """
    claim, title = _plain(claim), _plain(title)
    kept = {place: _plain(text) for place, text in sentences.items()}
    while True:
        own = sorted(kept)
        text, starts = joined(f"{claim}{_BETWEEN}{title}", [kept[place] for place in own])
        states = embedder.read(text)
        whole = not states.spans or states.spans[-1][1] >= len(text.rstrip())
        if whole or len(kept) < 2:
            break
        kept.popitem()
    border = len(claim) + len(_BETWEEN)
    places = np.full(len(states.lower), _TITLE, np.int64)
    places[0] = _CLAIM
    for token, (start, _) in enumerate(states.spans, 1):
        if start < border - 1:
            places[token] = _CLAIM
        elif starts and start >= starts[0]:
            places[token] = own[bisect_right(starts, start) - 1]
    of_claim = places == _CLAIM
    ids = np.array([-1, *states.ids, -1])
    held = np.where(of_claim, np.isin(ids, ids[~of_claim]), np.isin(ids, ids[of_claim]))
    kinds = np.where(of_claim, 0, 2) + held
    seen = states.spans[-1][1] if states.spans else 0
    parts = [title, *(kept[place] for place in own)]
    begun = zip(parts, [border, *starts], strict=True)
    theirs = [(n, start + n.at) for part, start in begun for n in numbers(part)]
    theirs = [(number, at) for number, at in theirs if at < seen]
    marks = _marks(states.spans, len(places), numbers(claim), theirs)
    return Together(states.lower, kinds.astype(np.int64), marks, places)


def _plain(text: str) -> str:
    """``text`` without what the tokenizer takes for a mark of its own, as long as it was."""
    return _MARK.sub(lambda found: f"({found[1]})", text)


def _marks(
    spans: Sequence[tuple[int, int]],
    count: int,
    said: Sequence[Number],
    theirs: Sequence[tuple[Number, int]],
) -> Places:
    """(count,) the mark of each token.

    Args:
        said: the numbers of the claim.
        theirs: those beside it, and where each stands in the whole text.
    """
    slots: dict[int, int] = {}
    ranges: list[tuple[int, int, int]] = []
    for other, at in theirs:
        like = [n for n, number in enumerate(said) if number.agrees(other)]
        best = min(like, key=lambda n: _unlike(said[n], other), default=None)
        slot = _OTHER
        if best is not None:
            same = (n for n in slots if _same(said[n], said[best]))
            slot = slots.setdefault(best, next((slots[n] for n in same), len(set(slots.values()))))
            slots.update({n: slot for n in like if _same(said[n], said[best])})
        ranges.append((at, at + len(other.shown), slot if slot < SLOTS else _OTHER))
    for n, number in enumerate(said):
        slot = slots.get(n, _ABSENT)
        ranges.append((number.at, number.at + len(number.shown), min(slot, _ABSENT)))
    marks = np.full(count, _NONE, np.int64)
    for token, (start, end) in enumerate(spans, 1):
        for begins, ends, slot in ranges:
            if start < ends and end > begins:
                marks[token] = slot
    return marks


def _same(one: Number, two: Number) -> bool:
    return one.readings == two.readings and one.stance == two.stance


def _unlike(mine: Number, other: Number) -> int:
    """By how little two numbers that agree do so: 0 for the same in all that they may mean."""
    return 0 if mine.readings == other.readings else 1 + (mine.readings[0] != other.readings[0])


class EntailmentModel(PackagedModel):
    """The upper layers, ready to read. Safe in several threads."""

    file = FILE

    def read(self, both: Together) -> Floats:
        """(sentences read,) log-odds that each bears the claim out, against that none does."""
        places = both.read
        if not places:
            return np.zeros(0, np.float32)
        inside = both.places[None, :] == np.array(places)[:, None]
        claim = both.of_claim.astype(np.float32)
        given = {
            "lower": both.lower[None],
            "kinds": both.kinds,
            "marks": both.marks,
            "claim": claim[None] / claim.sum(),
            "pool": (inside / inside.sum(axis=1, keepdims=True)).astype(np.float32),
        }
        found: Floats = self.session.run(["log_odds"], given)[0]
        return found
