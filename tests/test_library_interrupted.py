"""Whatever interrupts a writer, the library opens, holds whole papers, and can be finished."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MakeLibrary
from fake_embedder import FakeEmbedder
from processes import contents, ingest, make_papers, open_library, queue, reindex, start

from assistant.errors import LibraryError
from assistant.library import Library, embedded
from assistant.paper import Paper
from assistant.records import StoredPaper
from assistant.store import collections

KILLS = 10
OLD = make_papers(60, version="first")
NEW = make_papers(120, version="second, which is another,")


def is_whole(library: Library, *versions: Sequence[Paper], tokens: int = 96) -> int:
    """Checks that records and collection hold the same whole papers, each of one of ``versions``.

    Returns the number of papers.
    """
    held = list(library.papers())
    in_store = contents(library)
    records = library.ready(check=False)
    assert records.pending == []
    assert set(in_store) == {paper.id for paper in held}
    assert len(library.store()) == records.chunks == sum(len(s.vectors) for s in in_store.values())
    assert records.sound() == "ok"
    expected = [
        {stored.paper.id: stored for stored, _ in embedded(version, FakeEmbedder(), tokens)}
        for version in versions
    ]
    scoring = records.scoring([int(place) for place in records.all_places()])
    for n, paper in enumerate(held):
        assert in_store[paper.id].paper == paper
        meant = [
            v[paper.id]
            for v in expected
            if paper.id in v and v[paper.id].paper.content_hash == paper.content_hash
        ]
        equal(in_store[paper.id], meant[0])
        block = scoring.vectors[scoring.chunk_starts[n] : scoring.chunk_starts[n + 1]]
        np.testing.assert_allclose(block, meant[0].vectors, atol=0.005)
    return len(held)


def equal(a: StoredPaper, b: StoredPaper) -> None:
    assert a.paper.content_hash == b.paper.content_hash
    assert a.spans == b.spans
    np.testing.assert_allclose(a.vectors, b.vectors, atol=1e-6)


def end(work: Any, arguments: tuple[Any, ...], after: float, how: signal.Signals) -> float:
    """Starts a process, ends it ``after`` seconds of its work; returns how long it lived."""
    started = queue()
    process = start(work, *arguments, started)
    assert started.get() == "started"
    begun = time.perf_counter()
    process.join(after)
    if process.is_alive() and process.pid is not None:
        os.kill(process.pid, how)
    process.join(30)
    assert not process.is_alive()
    return time.perf_counter() - begun


@pytest.fixture(scope="module")
def old_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of the old papers, some of which the new ones change."""
    folder = tmp_path_factory.mktemp("old") / "library"
    open_library(folder).ingest(OLD)
    return folder


@pytest.fixture(scope="module")
def whole_run(old_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The library after an ingest that nobody interrupted, and how long it took."""
    folder = tmp_path_factory.mktemp("whole") / "library"
    shutil.copytree(old_folder, folder)
    return folder, end(ingest, (folder, NEW), 60, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_ingest_ended_at_random_points(
    old_folder: Path, whole_run: tuple[Path, float], tmp_path: Path, how: signal.Signals
) -> None:
    finished, seconds = whole_run
    expected = contents(open_library(finished))
    assert len(expected) == 120
    chance = random.Random(20260729)
    path = tmp_path / "library"
    shutil.copytree(old_folder, path)
    held: list[int] = []
    for number in range(KILLS):
        if number % 4 == 0:  # now and then from the beginning, mostly on top of earlier kills
            shutil.rmtree(path)
            shutil.copytree(old_folder, path)
        end(ingest, (path, NEW), chance.uniform(0, seconds * 0.9), how)
        held.append(is_whole(open_library(path), OLD, NEW))
        assert held[-1] >= len(OLD)
    assert any(len(OLD) < n < len(NEW) for n in held), held
    report = open_library(path).ingest(NEW)
    assert report.read == 120
    assert is_whole(open_library(path), NEW) == 120
    final = contents(open_library(path))
    assert list(final) == list(expected)
    for paper_id, row in expected.items():
        equal(final[paper_id], row)
    assert open_library(path).ingest(NEW).unchanged == 120
    assert list(path.rglob("*.part*")) == []


@pytest.mark.slow
def test_a_reindex_killed_at_random_points(old_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "library"
    shutil.copytree(old_folder, path)
    seconds = end(reindex, (path, 24), 60, signal.SIGKILL)
    assert is_whole(open_library(path, chunking={"max_tokens": 24}), OLD, tokens=24) == 60
    shutil.rmtree(path)
    shutil.copytree(old_folder, path)
    chance = random.Random(20260730)
    for _ in range(4):
        end(reindex, (path, 24), chance.uniform(0, seconds * 0.8), signal.SIGKILL)
        library = open_library(path)
        info = library.info
        assert info is not None
        if info.chunk_tokens == 96:  # the old one stays in use until the new one is whole
            assert [paper.id for paper in library.papers()] == [paper.id for paper in OLD]
            assert len(library) == 60
    # papers that changed in the meantime are not taken from the half-made collection
    if info.chunk_tokens == 96:
        open_library(path).ingest(NEW[:10])
    library = open_library(path, chunking={"max_tokens": 24})
    library.reindex()
    assert is_whole(library, OLD, NEW, tokens=24) == 60
    assert len([p for p in (path / "chroma").iterdir() if p.is_dir()]) == 1


@pytest.mark.parametrize("at", ["delete_collection", "rmtree"])
def test_what_a_reindex_left_when_it_was_ended_at_its_end_goes_with_the_next(
    old_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    path = tmp_path / "library"
    shutil.copytree(old_folder, path)

    def ends(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    import chromadb.api.client  # noqa: PLC0415

    where: Any = shutil if at == "rmtree" else chromadb.api.client.Client
    with monkeypatch.context() as patch:
        patch.setattr(where, at, ends)
        with pytest.raises(KeyboardInterrupt):
            open_library(path, chunking={"max_tokens": 24}).reindex()
    assert len([p for p in (path / "chroma").iterdir() if p.is_dir()]) == 2
    library = open_library(path, chunking={"max_tokens": 24})
    library.reindex()
    assert is_whole(library, OLD, tokens=24) == 60
    assert len([p for p in (path / "chroma").iterdir() if p.is_dir()]) == 1
    assert len(collections(library.address)) == 1


def test_an_error_of_the_reader_keeps_what_was_read(make_library: MakeLibrary) -> None:
    def records() -> Iterator[Paper]:
        yield from OLD
        raise KeyboardInterrupt

    library = make_library()
    with pytest.raises(KeyboardInterrupt):
        library.ingest(records())
    # what was not a whole batch yet is not lost by accident, it comes with the next call
    assert is_whole(library, OLD) in (0, 60)
    assert library.ingest(OLD).read == 60
    assert is_whole(library, OLD) == 60


# -- a full disk ---------------------------------------------------------------------------------


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def records_full(*_: object, **__: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def chroma_full(*_: object, **__: object) -> None:
    from chromadb.errors import InternalError  # noqa: PLC0415

    raise InternalError("error returned from database: (code: 13) database or disk is full")


@pytest.mark.parametrize(
    ("where", "fails", "says"),
    [
        ("assistant.store.ChromaStore.upsert", no_space, "No space left on device"),
        ("assistant.store.ChromaStore.upsert", chroma_full, "database or disk is full"),
        ("assistant.records.Records.put", records_full, "database or disk is full"),
        ("assistant.records.Records.mark", records_full, "database or disk is full"),
    ],
)
def test_a_full_disk_at_any_step(
    make_library: MakeLibrary,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    fails: Any,
    says: str,
) -> None:
    monkeypatch.setattr("assistant.library.BATCH", 20)
    library = make_library()
    library.ingest(OLD)
    with monkeypatch.context() as patch:
        patch.setattr(where, fails)
        with pytest.raises(LibraryError, match=says) as found:
            library.ingest(NEW)
        assert "kept" in str(found.value)
        assert "make room" in str(found.value)
        assert len(library) >= 60
    assert is_whole(make_library(), OLD, NEW) >= 60
    assert library.ingest(NEW).read == 120
    assert is_whole(library, NEW) == 120


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a small file system")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=4m", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_is_really_full(
    small_disk: Path, make_library: MakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.library.BATCH", 20)
    path = small_disk / "library"
    papers = make_papers(1000)
    with pytest.raises(LibraryError, match="MB are free on the disk of") as found:
        make_library(path).ingest(papers)
    assert str(path) in str(found.value)
    held = len(make_library(path))
    assert 0 < held < 1000
    assert [paper.id for paper in make_library(path).papers()] == [p.id for p in papers[:held]]
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    held = is_whole(make_library(path), papers)
    assert held > 0
    few = papers[: held + 40]
    assert make_library(path).ingest(few).read == len(few)
    assert is_whole(make_library(path), papers) == len(few)
