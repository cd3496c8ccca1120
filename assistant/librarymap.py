"""The map of a library: its papers as points on a plane, near where their meaning is near.

The vector of a paper is the mean of its chunks. t-SNE lays the vectors out (principal
components begin it, so the same library gives the same map); its themes are those of
`assistant.themes`, found in the embedding's own space.
"""

from __future__ import annotations

import hashlib
import json
import threading
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from assistant.files import write_atomically
from assistant.index import SearchIndex
from assistant.themes import cluster, named

__all__ = ["LibraryMap", "MapMaker"]

Floats = NDArray[np.float32]

VERSION = 2
MOST_LAID_OUT = 3000
"""Papers that t-SNE places; those beyond stand between their nearest placed neighbours."""
_MOST_THEMES = 12
_DIMENSIONS = 40
_ITERATIONS = 500
_NEIGHBOURS = 5
_SEED = 0


class LibraryMap(BaseModel):
    """Papers in index order: place (in [0, 1]), theme, title; and the names of the themes."""

    version: int = VERSION
    ids: list[str]
    titles: list[str]
    x: list[float]
    y: list[float]
    theme: list[int]
    themes: list[str]


class MapMaker:
    """Makes the map of an index once, and keeps it in memory and in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._made: weakref.WeakKeyDictionary[SearchIndex, LibraryMap] = weakref.WeakKeyDictionary()

    def made(self, index: SearchIndex) -> LibraryMap | None:
        """The map, where it was made before."""
        return self._made.get(index)

    def map(self, index: SearchIndex) -> LibraryMap:
        """The map; some seconds for thousands of papers that were not laid out before."""
        with self._lock:
            found = self._made.get(index)
            if found is None:
                file = self._folder / f"{_name(index)}.json"
                found = _read(file, len(index))
                if found is None:
                    found = _made(index)
                    _keep(file, found)
                self._made[index] = found
            return found


def _made(index: SearchIndex) -> LibraryMap:
    papers = list(index.papers())
    titles = [paper.title for paper in papers]
    vectors = _means(index)
    places = _places(vectors)
    count = max(1, min(_MOST_THEMES, round((len(papers) / 2) ** 0.5)))
    abstracts = [paper.abstract for paper in papers]
    themes = named(cluster(vectors, count=count), vectors, titles, abstracts, idf=index.idf)
    theme = np.zeros(len(papers), dtype=np.int64)
    for n, one in enumerate(themes):
        theme[one.members] = n
    return LibraryMap(
        ids=[paper.id for paper in papers],
        titles=[paper.label for paper in papers],
        x=[round(float(x), 4) for x in places[:, 0]],
        y=[round(float(y), 4) for y in places[:, 1]],
        theme=theme.tolist(),
        themes=[one.name for one in themes],
    )


def _means(index: SearchIndex) -> Floats:
    """(papers, dimension) unit vectors."""
    means = np.stack([index.chunk_vectors(i).mean(axis=0) for i in range(len(index))])
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.maximum(norms, 1e-9), dtype=np.float32)


def _places(vectors: Floats) -> Floats:
    """(papers, 2) in [0, 1]."""
    n = len(vectors)
    if n < 4:
        return np.stack([np.linspace(0.3, 0.7, n), np.full(n, 0.5)], axis=1).astype(np.float32)
    rows = np.arange(n)
    if n > MOST_LAID_OUT:
        rows = np.sort(np.random.default_rng(_SEED).choice(n, MOST_LAID_OUT, replace=False))
    laid = _laid_out(vectors[rows])
    low, high = laid.min(axis=0), laid.max(axis=0)
    laid = (laid - low) / np.maximum(high - low, 1e-9)
    places = np.zeros((n, 2), dtype=np.float32)
    places[rows] = laid
    rest = np.setdiff1d(np.arange(n), rows)
    for start in range(0, len(rest), 2048):
        some = rest[start : start + 2048]
        near = np.argpartition(-(vectors[some] @ vectors[rows].T), _NEIGHBOURS, axis=1)
        places[some] = laid[near[:, :_NEIGHBOURS]].mean(axis=1)
    return places


def _laid_out(vectors: Floats) -> Floats:
    from sklearn.decomposition import PCA  # noqa: PLC0415
    from sklearn.manifold import TSNE  # noqa: PLC0415

    n = len(vectors)
    components = min(_DIMENSIONS, n - 1, vectors.shape[1])
    reduced = PCA(components, svd_solver="full", random_state=_SEED).fit_transform(vectors)
    if n < 12:
        return np.asarray(reduced[:, :2], dtype=np.float32)
    layout = TSNE(
        2,
        perplexity=min(30.0, n / 4),
        init="pca",
        max_iter=_ITERATIONS,
        random_state=_SEED,
        n_jobs=2,
    )
    return np.asarray(layout.fit_transform(reduced), dtype=np.float32)


def _name(index: SearchIndex) -> str:
    """Changes with anything that the map is made from."""
    meta = index.meta
    ids = hashlib.sha256(index.paper_bytes(0, len(index))).hexdigest()
    return hashlib.sha256(f"{VERSION}/{meta.fingerprint}/{ids}".encode()).hexdigest()[:24]


def _read(file: Path, papers: int) -> LibraryMap | None:
    try:
        found = LibraryMap.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None
    return found if len(found.ids) == papers else None


def _keep(file: Path, made: LibraryMap) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        old = sorted(file.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in old[:-7]:
            path.unlink(missing_ok=True)
        write_atomically(file, json.dumps(made.model_dump(), separators=(",", ":")))
    except OSError:
        pass  # it is made again next time
