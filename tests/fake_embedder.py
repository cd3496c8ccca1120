"""A deterministic embedding model without weights: each word has a direction of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from assistant.embedding.base import Vectors
from assistant.text import words


@lru_cache(maxsize=100_000)
def _direction(word: str, dimension: int) -> Vectors:
    seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(dimension, dtype=np.float32)


class FakeEmbedder:
    """Texts that share words have vectors that are alike; remembers what it was given.

    ``name`` tells models apart, as in the real ones: others have other fingerprints.
    """

    def __init__(self, name: str = "fake", dimension: int = 32) -> None:
        self.name = name
        self.dimension = dimension
        self.fingerprint = f"{name}:{dimension}"
        self.texts: list[str] = []

    @property
    def embedded(self) -> int:
        """Number of texts embedded so far, questions not counted."""
        return len(self.texts)

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        self.texts.extend(texts)
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        start = _direction(self.name, self.dimension) * np.float32(0.1)
        total = sum((_direction(word, self.dimension) for word in words(text)), start=start)
        vector: Vectors = (total / np.linalg.norm(total)).astype(np.float32)
        return vector

    def count_tokens(self, text: str) -> int:
        return len(text.split())
