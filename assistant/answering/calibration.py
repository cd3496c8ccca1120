"""What evidence is worth in one library: seen against questions that it surely cannot answer.

A threshold that was set on one library fails on another of a different field or size. So each
library is asked some shipped questions of many fields (``probes.txt``); how near its papers come to
those is the level that a question of its own field lies above. It costs about a second once,
and is kept in the cache until the library has changed by a tenth.
"""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from assistant.embedding import Embedder
from assistant.files import read_sealed, write_sealed
from assistant.library import Library
from assistant.retrieval import PaperRetriever

__all__ = ["Calibration", "Calibrations"]

_OTHER_FIELD = 0.85
"""Share of the probes that are surely of other fields than the library's."""
_RECIPE = 1
"""Raised when the probes or the fitted models change."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """``near_from``: cosine to the nearest chunk that questions of the library's field exceed."""

    near_from: float = 0.3


@lru_cache(maxsize=1)
def _probes() -> tuple[str, ...]:
    text = files(__package__).joinpath("probes.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line.strip())


class Calibrations:
    """The calibration of a library, made when it is first wanted and when its papers change.

    Safe in several threads.
    """

    def __init__(self, library: Library, embedder: Embedder, cache: Path) -> None:
        self._library = library
        self._embedder = embedder
        self._folder = cache.expanduser() / "calibration"
        self._lock = threading.Lock()
        self._kept: tuple[str, Calibration] | None = None

    def of(self, retriever: PaperRetriever) -> Calibration:
        """The calibration of the library that ``retriever`` searches."""
        with self._lock:
            key = self._key()
            if self._kept is None or self._kept[0] != key:
                self._kept = (key, self._read(key) or self._make(key, retriever))
            return self._kept[1]

    def _key(self) -> str:
        """Changes when the library has grown or shrunk by about a tenth."""
        size = round(np.log(max(1, len(self._library))) * 10)
        named = f"{_RECIPE}\n{self._library.path.absolute()}\n{self._embedder.fingerprint}\n{size}"
        return hashlib.sha256(named.encode()).hexdigest()[:24]

    def _read(self, key: str) -> Calibration | None:
        with suppress(OSError, ValueError, TypeError, KeyError):
            kept = json.loads(read_sealed(self._folder / f"{key}.json"))
            return Calibration(near_from=float(kept["near_from"]))
        return None

    def _make(self, key: str, retriever: PaperRetriever) -> Calibration:
        cosines = [
            max((paper.best_cosine for paper in retriever.find(probe, 1)), default=0.0)
            for probe in _probes()
        ]
        made = Calibration(float(np.quantile(cosines, _OTHER_FIELD)))
        with suppress(OSError):  # it can be made again
            self._folder.mkdir(parents=True, exist_ok=True)
            write_sealed(self._folder / f"{key}.json", json.dumps(asdict(made)))
        return made
