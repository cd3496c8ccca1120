"""What an embedding model is to the rest of the program: text in, unit vectors out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@runtime_checkable
class Embedder(Protocol):
    """An embedding model. Safe to use from several threads at once.

    For an endpoint, ``dimension`` and ``fingerprint`` may make a call the first time they are
    read, and raise what a call raises.
    """

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def name(self) -> str:
        """Name for people, such as ``all-MiniLM-L6-v2/int8``."""

    @property
    def fingerprint(self) -> str:
        """Short text that is equal exactly when the vectors of two models are comparable."""

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of ``texts``, in their order.

        Args:
            texts: any strings, empty ones too; what a model cannot take in is cut off.
            progress: called in the caller's thread with the number of texts just done.

        Returns:
            shape (len(texts), dimension), every row of length 1. A row depends on its text
            alone, not on the rows beside it.

        Raises:
            EndpointError: the endpoint did not answer, or not with vectors.
        """

    def embed_query(self, text: str) -> Vectors:
        """Vector of one question: shape (dimension,), length 1."""

    def count_tokens(self, text: str) -> int:
        """Number of tokens of ``text``, without those that a model puts around it."""


@dataclass(frozen=True, slots=True)
class TextStates:
    """What a model makes of each token of a text, as far as it takes the text in.

    ``last``: (tokens, dimension) states of its last layer; ``lower``: those of the third of
    all-MiniLM-L6-v2; both with one at either end that stands for the text. ``spans``: half-open
    ranges of characters of the tokens between these. ``ids``: what these tokens are.
    """

    last: Vectors
    lower: Vectors
    spans: Sequence[tuple[int, int]]
    ids: Sequence[int]

    @property
    def lower_tokens(self) -> Vectors:
        """(tokens, dimension) `lower` without the two at the ends, which a `TokenModel` reads."""
        return self.lower[1:-1]

    def pooled(self, pieces: Sequence[tuple[int, int]]) -> Vectors:
        """Vectors of pieces of the text, each seen in the light of the whole ("late" pooling).

        A piece's vector is the mean of the last states of the tokens that begin in it, brought to
        length 1.

        Args:
            pieces: half-open ranges of characters.

        Returns:
            shape (len(pieces), dimension); zeros for a piece without a token (blank, or beyond
            what the model takes in).
        """
        starts = np.array([start for start, _ in self.spans], dtype=int)
        inner = self.last[1:-1]
        vectors = np.zeros((len(pieces), self.last.shape[1]), dtype=np.float32)
        for row, (start, end) in enumerate(pieces):
            inside = (starts >= start) & (starts < end)
            if inside.any():
                mean = inner[inside].mean(axis=0)
                vectors[row] = mean / np.linalg.norm(mean)
        return vectors


@runtime_checkable
class WordEmbedder(Embedder, Protocol):
    """An embedding model that also tells of the words inside a text."""

    def read(self, text: str) -> TextStates:
        """What it makes of each token of ``text``."""

    def word_rarity(self, word: str) -> float:
        """How rare a word is in English: 0 for the commonest, 1 for the rarest."""
