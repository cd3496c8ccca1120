"""Embedding models around the real one: one that remembers vectors, one that makes them up."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from assistant.embedding import Embedder, Vectors

NOISE = 0.15
"""Length of the noise added to a reused unit vector: cosine to the real one about .989."""
_PREFIX = 32

Progress = Callable[[int], None] | None


class Wrapped:
    """An embedding model around another; what is not changed here is the other's."""

    def __init__(self, embedder: Embedder) -> None:
        self._inner = embedder
        self.dimension, self.name = embedder.dimension, embedder.name
        self.fingerprint = embedder.fingerprint
        for name in ("read", "word_rarity"):  # a model that tells of the words inside
            if hasattr(embedder, name):
                setattr(self, name, getattr(embedder, name))

    def embed(self, texts: Sequence[str], progress: Progress = None) -> Vectors:
        """(texts, dimension) unit vectors."""
        return self._inner.embed(texts, progress)

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of a question: always computed, as questions are timed."""
        return self._inner.embed_query(text)

    def count_tokens(self, text: str) -> int:
        """As the model counts."""
        return self._inner.count_tokens(text)


class RememberingEmbedder(Wrapped):
    """Looks a text up on disk before it embeds it; same vectors, bit for bit."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        super().__init__(embedder)
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(embedder.fingerprint.encode()).hexdigest()[:12]
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            folder / f"vectors-{name}.sqlite", check_same_thread=False, timeout=60
        )
        self._db.execute("create table if not exists vectors (hash blob primary key, vector blob)")

    def embed(self, texts: Sequence[str], progress: Progress = None) -> Vectors:
        """As the model does it; only texts that were never seen are computed."""
        hashes = [hashlib.sha256(text.encode("utf-8", "replace")).digest()[:16] for text in texts]
        with self._lock:
            known = {key: self._look_up(key) for key in set(hashes)}
        new = list({h: i for i, h in enumerate(hashes) if known[h] is None}.items())
        if new:
            computed = self._inner.embed([texts[i] for _, i in new], progress)
            with self._lock, self._db:
                self._db.executemany(
                    "insert or replace into vectors values (?, ?)",
                    [(key, row.tobytes()) for (key, _), row in zip(new, computed, strict=True)],
                )
            known.update({key: row for (key, _), row in zip(new, computed, strict=True)})
        rows = np.empty((len(texts), self.dimension), dtype=np.float32)
        for n, key in enumerate(hashes):
            rows[n] = known[key]
        return rows

    def _look_up(self, key: bytes) -> Vectors | None:
        found = self._db.execute("select vector from vectors where hash = ?", (key,)).fetchone()
        return None if found is None else np.frombuffer(found[0], dtype=np.float32)


class TimedEmbedder(Wrapped):
    """Counts its seconds; with ``real`` texts it reuses their vectors, with a little noise.

    A text gets the vector of the real one that begins alike, else that of any.
    """

    def __init__(self, embedder: Embedder, real: Sequence[str] = ()) -> None:
        super().__init__(embedder)
        self._pool = embedder.embed(list(real)) if real else None
        self._known: Mapping[str, int] = {text[:_PREFIX]: n for n, text in enumerate(real)}
        self._noise = np.random.default_rng(1)
        self.seconds = 0.0

    def embed(self, texts: Sequence[str], progress: Progress = None) -> Vectors:
        """Computed, or reused where real texts were given."""
        started = time.perf_counter()
        if self._pool is None:
            vectors = self._inner.embed(texts, progress)
        else:
            rows = self._pool[[self._place(text, len(self._pool)) for text in texts]]
            noise = self._noise.standard_normal(rows.shape, dtype=np.float32)
            rows = rows + noise * np.float32(NOISE / np.sqrt(rows.shape[1]))
            vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self.seconds += time.perf_counter() - started
        return vectors

    def _place(self, text: str, pool: int) -> int:
        any_place = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % pool
        return self._known.get(text[:_PREFIX], any_place)
