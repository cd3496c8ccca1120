"""What an embedding model is to the rest of the program: text in, unit vectors out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


@runtime_checkable
class WordEmbedder(Embedder, Protocol):
    """An embedding model that also tells of the words inside a text."""

    def embed_spans(self, text: str, spans: Sequence[tuple[int, int]]) -> tuple[Vectors, Vectors]:
        """The text's vector, (dimension,), and those of pieces of it, (len(spans), dimension)."""

    def word_rarity(self, word: str) -> float:
        """How rare a word is in English: 0 for the commonest, 1 for the rarest."""

    def lower_states(self, text: str) -> tuple[Vectors, list[tuple[int, int]]]:
        """What the lower three layers of all-MiniLM-L6-v2 make of each token, (tokens, 384), with
        one at either end that stands for the text; the half-open ranges of characters of the
        tokens between these.
        """
