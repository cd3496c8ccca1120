"""What evidence is worth in one library: seen against questions that it surely cannot answer.

A threshold that was set on one library fails on another of a different field or size. So each
library is asked some shipped questions of many other fields (``probes.txt``); what the evidence
comes to for those that come nearest is the level that an answer has to clear. It costs about a
second once, and is kept in the cache until the library has changed by a tenth.
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

from assistant.answering.evidence import PassageReader
from assistant.answering.forms import evidence_text
from assistant.answering.question import Question
from assistant.files import write_atomically
from assistant.library import Library
from assistant.retrieval import PaperRetriever

__all__ = ["Calibration", "Calibrations"]

_NEAREST = 16
"""Probes that are read: those that the library comes nearest to."""
_PAPERS = 2
_OTHER_FIELD = 0.85
"""Share of the probes that are surely of other fields than the library's."""
_RECIPE = 1
"""Raised when the probes or the fitted models change."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """``near_from``: cosine from which a paper is of the question's field.

    ``shift``: taken from the log-odds of evidence before they are made a probability.
    """

    near_from: float = 0.0
    shift: float = 0.0


@lru_cache(maxsize=1)
def _probes() -> tuple[str, ...]:
    text = files(__package__).joinpath("probes.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line.strip())


class Calibrations:
    """The calibration of a library, made when it is first wanted and when its papers change.

    Safe in several threads.
    """

    def __init__(self, library: Library, reader: PassageReader, cache: Path) -> None:
        self._library = library
        self._reader = reader
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
        embedder = self._reader.embedder.fingerprint
        named = f"{_RECIPE}\n{self._library.path.absolute()}\n{embedder}\n{size}"
        return hashlib.sha256(named.encode()).hexdigest()[:24]

    def _read(self, key: str) -> Calibration | None:
        with suppress(OSError, ValueError, TypeError):
            return Calibration(**json.loads((self._folder / f"{key}.json").read_text("utf-8")))
        return None

    def _make(self, key: str, retriever: PaperRetriever) -> Calibration:
        found = [(probe, retriever.find(probe, _PAPERS)) for probe in _probes()]
        cosines = [max((p.best_cosine for p in papers), default=0.0) for _, papers in found]
        nearest = sorted(range(len(found)), key=lambda n: -cosines[n])[:_NEAREST]
        levels = []
        for n in nearest:
            probe, papers = found[n]
            wanted = evidence_text(probe)
            vector = self._reader.embedder.embed_query(wanted)
            asked = Question.read(wanted, vector, papers.statistics, self._reader.embedder)
            readings = self._reader.read(asked, papers.papers)
            levels.append(max((reading.log_odds for reading in readings), default=0.0))
        made = Calibration(float(np.quantile(cosines, _OTHER_FIELD)), _shift(levels))
        with suppress(OSError):  # it can be made again
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._folder / f"{key}.json", json.dumps(asdict(made)).encode())
        return made


def _shift(levels: list[float]) -> float:
    """How much more than usual the library gives to what it does not hold."""
    return float(max(0.0, np.quantile(levels, 0.8) - _USUAL)) if levels else 0.0


_USUAL = 0.0
"""What the probes that come nearest get, log-odds, in the libraries that models are fitted on."""
