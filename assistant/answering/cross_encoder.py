"""A cross-encoder: reads a question and an abstract together, and tells which sentences answer.

MiniLM's lower three layers read the question and the abstract apart, as the embedding model
does; its upper three were trained to read both at once. For each sentence comes the log-odds
that it answers the question, against the case that nothing in the abstract does. The upper
layers are a file of the package, ``fitted/cross-encoder.onnx`` (int8); ``python -m
eval.cross_encoder`` trains it and tells on what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from assistant.embedding.base import TextStates, WordEmbedder

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]

__all__ = [
    "UNREAD",
    "CrossEncoder",
    "PackagedModel",
    "Window",
    "joined",
    "windows",
]

Floats = NDArray[np.float32]

UNREAD = -12.0
"""Log-odds of a sentence that nobody has read: left out, or without a token."""


@dataclass(frozen=True, slots=True)
class Window:
    """As much of an abstract as is read at once, under its title.

    ``states``: (tokens, dimension) lower states. ``places``: (tokens,) the sentence of each
    token, -1 for the title and for a sentence that is cut off here.
    """

    states: Floats
    places: NDArray[np.int64]

    @property
    def read(self) -> list[int]:
        """The sentences that are wholly in it."""
        return [int(place) for place in np.unique(self.places) if place >= 0]


def windows(
    embedder: WordEmbedder, title: str, sentences: Sequence[str], whole: TextStates | None = None
) -> Iterator[Window]:
    """The abstract in pieces that the model takes in; no sentence in two, the empty in none.

    ``whole``: what ``embedder`` reads in `joined` of them, if that is at hand.
    """
    ahead = list(range(len(sentences)))
    while any(sentences[n] for n in ahead):
        text, starts = joined(title, [sentences[n] for n in ahead])
        read = whole or embedder.read(text)
        whole = None
        at = np.searchsorted(starts, [start for start, _ in read.spans], side="right") - 1
        last = len(ahead)
        if read.spans and read.spans[-1][1] < len(text.rstrip()):
            last = max(1, int(at[-1]))  # cut off: the last sentence comes again
        places = np.full(len(read.lower), -1, dtype=np.int64)
        for token, which in enumerate(at, 1):
            if 0 <= which < last:
                places[token] = ahead[which]
        yield Window(read.lower, places)
        ahead = ahead[last:]


def joined(title: str, sentences: Sequence[str]) -> tuple[str, list[int]]:
    """Title and sentences as one text, and where in it each sentence begins."""
    text, starts = f"{title}.", []
    for sentence in sentences:
        starts.append(len(text) + 1)
        text += f" {sentence}"
    return text, starts


class PackagedModel:
    """A trained model of the package, ``file`` in ``assistant/fitted``."""

    file: ClassVar[str]

    def open(self) -> None:
        """Opens the model, which else the first reading does."""
        _ = self.session

    @cached_property
    def session(self) -> InferenceSession:
        """The model, opened."""
        from assistant.embedding.minilm import open_session  # noqa: PLC0415  (slow)

        return open_session(files("assistant.fitted").joinpath(self.file).read_bytes())


class CrossEncoder(PackagedModel):
    """The upper layers, ready to read. Safe in several threads."""

    file = "cross-encoder.onnx"

    def read(self, question: Floats, passage: Sequence[Window], sentences: int) -> Floats:
        """(sentences,) log-odds that each answers; `UNREAD` for the empty.

        Args:
            question: (tokens, dimension) lower states of it.
            passage: title and abstract, as `windows` gives them.
            sentences: how many the abstract has, the empty ones included.
        """
        found = np.full(sentences, UNREAD, dtype=np.float32)
        for window in passage:
            places = window.read
            if not places:
                continue
            inside = window.places[None, :] == np.array(places)[:, None]
            pool = inside / inside.sum(axis=1, keepdims=True)
            given = {
                "question": question[None],
                "passage": window.states[None],
                "pool": pool.astype(np.float32),
            }
            found[places] = self.session.run(["log_odds"], given)[0]
        return found
