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
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.embedding.base import WordEmbedder

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]

__all__ = ["UNREAD", "CrossEncoder", "Window", "windows"]

Floats = NDArray[np.float32]

UNREAD = -12.0
"""Log-odds of a sentence that nobody has read: left out, or without a token."""
_FILE = "cross-encoder.onnx"
_REMEMBERED = 64
"""Abstracts whose windows are kept, some 200 kB each."""


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


def windows(embedder: WordEmbedder, title: str, sentences: Sequence[str]) -> Iterator[Window]:
    """The abstract in pieces that the model takes in; no sentence in two, the empty in none."""
    ahead = [n for n, sentence in enumerate(sentences) if sentence]
    while ahead:
        text, starts = f"{title}. ", []
        for n in ahead:
            starts.append(len(text))
            text += f"{sentences[n]} "
        text = text.rstrip()
        states, spans = embedder.lower_states(text)
        at = np.searchsorted(starts, [start for start, _ in spans], side="right") - 1
        last = len(ahead)
        if spans and spans[-1][1] < len(text):  # cut off: the last sentence comes again
            last = max(1, int(at[-1])) if at[-1] >= 0 else 1
        places = np.full(len(states), -1, dtype=np.int64)
        for token, which in enumerate(at, 1):
            if 0 <= which < last:
                places[token] = ahead[which]
        yield Window(states, places)
        ahead = ahead[last:]


class CrossEncoder:
    """The upper layers, ready to read. Safe in several threads.

    Args:
        embedder: whose lower layers they stand on.
    """

    def __init__(self, embedder: WordEmbedder) -> None:
        self._embedder = embedder

        @lru_cache(_REMEMBERED)
        def windows_of(title: str, sentences: tuple[str, ...]) -> tuple[Window, ...]:
            return tuple(windows(embedder, title, sentences))

        self._windows_of = windows_of

    def question(self, text: str) -> Floats:
        """(tokens, dimension) lower states of a question."""
        return self._embedder.lower_states(text)[0]

    def read(self, question: Floats, title: str, sentences: Sequence[str]) -> Floats:
        """(sentences,) log-odds that each answers; `UNREAD` for the empty.

        Args:
            question: as `question` makes it.
            title: of the paper.
            sentences: of its abstract, empty where one is left out.
        """
        found = np.full(len(sentences), UNREAD, dtype=np.float32)
        for window in self._windows_of(title, tuple(sentences)):
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
            found[places] = self._session.run(["log_odds"], given)[0]
        return found

    @cached_property
    def _session(self) -> InferenceSession:
        from assistant.embedding.minilm import open_session  # noqa: PLC0415  (slow)

        return open_session(files("assistant.fitted").joinpath(_FILE).read_bytes())
