"""The map of a library: its papers as points on a plane, near where their meaning is near.

The vector of a paper is the mean of its chunks. t-SNE lays the vectors out (principal
components begin it, so the same library gives the same map); its themes are those of
`assistant.themes`, found in the embedding's own space.

A map that people know stays: papers that are added stand between the nearest of those that were
there, in the theme of most of these, and those keep place, theme and colour. Only a library that
has doubled since it was laid out is laid out anew.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from assistant.files import read_sealed, write_sealed
from assistant.library import Library
from assistant.themes import cluster, named

__all__ = ["LibraryMap", "MapMaker"]

Floats = NDArray[np.float32]

VERSION = 3
MOST_LAID_OUT = 3000
"""Papers that t-SNE places; those beyond stand between their nearest placed neighbours."""
_MOST_THEMES = 12
_DIMENSIONS = 40
_ITERATIONS = 500
_NEIGHBOURS = 5
_SEED = 0
_GROWN = 2.0
"""Times as many papers as were laid out, from which on the map is laid out anew."""
_APART = 0.012
"""How far from the middle of its neighbours a point that was added stands, at the most."""


class LibraryMap(BaseModel):
    """Papers in the library's order: place (in [0, 1]), theme, title; and the themes' names.

    ``laid_out``: how many papers there were when the map was laid out.
    """

    version: int = VERSION
    ids: list[str]
    titles: list[str]
    x: list[float]
    y: list[float]
    theme: list[int]
    themes: list[str]
    laid_out: int = 0


class MapMaker:
    """Makes the map of a library once, and keeps it in memory and in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._made: dict[Path, tuple[str, LibraryMap]] = {}

    def made(self, library: Library) -> LibraryMap | None:
        """The map, where it was made before."""
        version, found = self._made.get(library.path, ("", None))
        return found if version == library.version else None

    def map(self, library: Library) -> LibraryMap:
        """The map; some seconds for thousands of papers that were not laid out before."""
        with self._lock:
            found = self.made(library)
            if found is None:
                version = library.version
                file = self._folder / f"{_name(library)}.json"
                kept = _read(file)
                found = _of(library, kept)
                if found != kept:
                    _keep(file, found)
                self._made[library.path] = (version, found)
            return found


def _of(library: Library, kept: LibraryMap | None) -> LibraryMap:
    """The map of the papers that there are, on the ground of the one that was kept."""
    ids, vectors = library.vectors()
    papers = {paper.id: paper for paper in library.papers()}
    there = [n for n, name in enumerate(ids) if name in papers]
    ids, vectors = [ids[n] for n in there], vectors[there]
    titles = [papers[name].label for name in ids]
    old = {name: n for n, name in enumerate(kept.ids)} if kept else {}
    known = [n for n, name in enumerate(ids) if name in old]
    if kept is None or not known or len(ids) >= _GROWN * max(kept.laid_out, _NEIGHBOURS):
        places = _places(vectors)
        count = max(1, min(_MOST_THEMES, round((len(ids) / 2) ** 0.5)))
        themes = named(
            cluster(vectors, count),
            vectors,
            [papers[name].title for name in ids],
            [papers[name].abstract for name in ids],
            idf=library.statistics.idf,
        )
        theme = np.zeros(len(ids), dtype=np.int64)
        for n, one in enumerate(themes):
            theme[one.members] = n
        names = [one.name for one in themes]
        return _map(ids, titles, places, theme.tolist(), names, len(ids))
    places = np.zeros((len(ids), 2), dtype=np.float32)
    theme_of = [0] * len(ids)
    for n in known:
        at = old[ids[n]]
        places[n] = kept.x[at], kept.y[at]
        theme_of[n] = kept.theme[at]
    _put_between(vectors, places, theme_of, known)
    return _map(ids, titles, places, theme_of, kept.themes, kept.laid_out)


def _put_between(vectors: Floats, places: Floats, theme_of: list[int], known: list[int]) -> None:
    """Gives the papers that are not ``known`` a place and a theme among those that are."""
    fixed = np.asarray(known)
    rest = np.setdiff1d(np.arange(len(vectors)), fixed)
    around = np.random.default_rng(_SEED)
    many = min(_NEIGHBOURS, len(fixed))
    for start in range(0, len(rest), 2048):
        some = rest[start : start + 2048]
        near = fixed[np.argsort(-(vectors[some] @ vectors[fixed].T), axis=1)[:, :many]]
        for n, neighbours in zip(some, near, strict=True):
            middle = places[neighbours].mean(axis=0)
            places[n] = np.clip(middle + around.uniform(-_APART, _APART, 2), 0, 1)
            theme_of[n] = Counter(theme_of[at] for at in neighbours).most_common(1)[0][0]


def _map(
    ids: list[str],
    titles: list[str],
    places: Floats,
    theme: list[int],
    themes: list[str],
    laid_out: int,
) -> LibraryMap:
    return LibraryMap(
        ids=ids,
        titles=titles,
        x=[round(float(x), 4) for x in places[:, 0]],
        y=[round(float(y), 4) for y in places[:, 1]],
        theme=theme,
        themes=themes,
        laid_out=laid_out,
    )


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


def _name(library: Library) -> str:
    """One map a library, for each embedding model that it may be filled with."""
    width = library.vectors()[1].shape[1]
    named = f"{VERSION}/{library.path.resolve()}/{width}"
    return hashlib.sha256(named.encode()).hexdigest()[:24]


def _read(file: Path) -> LibraryMap | None:
    try:
        found = LibraryMap.model_validate_json(read_sealed(file))
    except (OSError, ValueError):
        return None
    parts = (found.titles, found.x, found.y, found.theme)
    whole = all(len(part) == len(found.ids) for part in parts)
    return found if whole and found.version == VERSION else None


def _keep(file: Path, made: LibraryMap) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        old = sorted(file.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in old[:-7]:
            path.unlink(missing_ok=True)
        write_sealed(file, json.dumps(made.model_dump(), separators=(",", ":")))
    except OSError:
        pass  # it is made again next time
