"""Chroma's graph of vectors: damage is never an answer and never a crash, and no false alarm."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import MakeLibrary
from fake_embedder import FakeEmbedder
from processes import ingest, make_papers, open_library, queue, start, wait_for

from assistant import library as library_module
from assistant.graph import NOTES, Graph, GraphDamaged
from assistant.library import Library
from assistant.store import paper_of

FILES = ["data_level0.bin", "header.bin", "index_metadata.pickle", "length.bin", "link_lists.bin"]
PAPERS = make_papers(360)  # more than 1,000 rows: Chroma writes a graph


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graph") / "library"
    library = open_library(folder)
    library.ingest(PAPERS)
    library.close()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "library"))


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for each time that a graph is tried in a process of its own."""
    lines: list[str] = []
    before = Graph.try_it

    def counted(self: Graph, *, copied: bool = False) -> None:
        lines.append("tried")
        before(self, copied=copied)

    monkeypatch.setattr(Graph, "try_it", counted)
    return lines


def graph(folder: Path, name: str) -> Path:
    return next(folder.glob(f"chroma/*/{name}"))


def nearest(library: Library) -> list[str]:
    vector = FakeEmbedder().embed_query("which method is that of paper seven")
    return library.store().nearest(vector, 30)


def emptied(data: bytes) -> bytes:
    return b""


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def zeroed(data: bytes) -> bytes:
    return bytes(len(data))


def flipped(data: bytes) -> bytes:
    at = len(data) // 3
    return data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :]


@pytest.mark.parametrize("damage", [emptied, cut, zeroed, flipped, None])
@pytest.mark.parametrize("name", FILES)
def test_damage_is_said(
    name: str,
    damage: Callable[[bytes], bytes] | None,
    folder: Path,
    make_library: MakeLibrary,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library_module, "MENDED_AT_ONCE", 0)
    file = graph(folder, name)
    if damage is None:
        file.unlink()
    elif (data := damage(file.read_bytes())) != file.read_bytes():
        file.write_bytes(data)
    else:
        pytest.skip("it is all zero already")
    with pytest.raises(GraphDamaged, match="doctor --repair"):
        nearest(make_library(folder))


def test_a_small_library_is_mended_by_whoever_finds_the_damage(
    folder: Path, make_library: MakeLibrary, notes: list[str], tried: list[str]
) -> None:
    before = nearest(make_library(folder))
    open_before = make_library(folder)  # a page, say, that goes on
    assert nearest(open_before) == before
    file = graph(folder, "data_level0.bin")
    file.write_bytes(flipped(file.read_bytes()))
    assert nearest(make_library(folder)) == before
    assert [note for note in notes if "graph of vectors" in note]
    notes.clear()
    assert nearest(make_library(folder)) == before == nearest(open_before)
    open_before.ingest(make_papers(361))  # into what was made anew
    again = make_library(folder)
    assert len({paper_of(row) for row in again.store().row_ids()}) == len(again) == 361
    assert notes == [] == tried


def test_what_a_killed_writer_left_half_written_is_mended_as_well(
    folder: Path, make_library: MakeLibrary, notes: list[str], tried: list[str]
) -> None:
    before = nearest(make_library(folder))
    (folder / NOTES).unlink()  # it was killed before its note
    file = graph(folder, "header.bin")
    file.write_bytes(zeroed(file.read_bytes()))  # Chroma crashes on it
    assert nearest(make_library(folder)) == before
    assert tried == ["tried"]
    assert [note for note in notes if "cannot be loaded" in note]
    notes.clear()
    assert nearest(make_library(folder)) == before
    assert notes == []


def test_writers_and_readers_that_take_turns_raise_no_alarm(
    tmp_path: Path, make_library: MakeLibrary, notes: list[str], tried: list[str]
) -> None:
    reader = make_library()
    for number in (40, 200, 345, 350, 470):  # below, at and beyond what is written as a graph
        writer = make_library()
        writer.ingest(make_papers(number))
        for library in (writer, reader, make_library()):
            assert nearest(library)
    reader.remove([paper.id for paper in list(reader.papers())[:30]])
    assert nearest(make_library())
    assert notes == [] == tried
    assert (tmp_path / "library" / NOTES).is_file()


def test_a_writer_that_was_killed_leaves_a_graph_that_is_tried_once(
    folder: Path, make_library: MakeLibrary, tried: list[str]
) -> None:
    notes = folder / NOTES
    stale = notes.read_bytes()
    writer = make_library(folder)
    writer.ingest(make_papers(720))
    writer.close()
    assert notes.read_bytes() != stale
    notes.write_bytes(stale)  # as if it had been killed before it could note what it wrote
    found = nearest(make_library(folder))
    assert len(tried) == 1
    assert nearest(make_library(folder)) == found
    assert len(tried) == 1


def test_without_a_note_the_graph_is_tried_once_and_damage_told(
    folder: Path, make_library: MakeLibrary, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / NOTES).write_text("{}")
    assert nearest(make_library(folder)) == nearest(make_library(folder))
    assert len(tried) == 1
    (folder / NOTES).unlink()
    file = graph(folder, "header.bin")
    file.write_bytes(zeroed(file.read_bytes()))  # Chroma crashes on it
    monkeypatch.setattr(library_module, "MENDED_AT_ONCE", 0)
    with pytest.raises(GraphDamaged, match="cannot be loaded"):
        nearest(make_library(folder))


def test_while_a_writer_is_at_work_nobody_tries_its_graph(
    folder: Path, make_library: MakeLibrary, tried: list[str]
) -> None:
    reader, writer = make_library(folder), make_library(folder)
    seen: list[list[str]] = []
    writer.ingest(make_papers(720), lambda _: seen.append(nearest(reader)))
    assert len(seen) > 3
    assert tried == []


def test_a_killed_writer_of_many_rows_leaves_whole_papers(
    folder: Path, make_library: MakeLibrary, tried: list[str]
) -> None:
    begun = queue()
    process = start(ingest, folder, make_papers(900), begun)
    assert begun.get() == "started"
    wait_for(lambda: len(make_library(folder)) > 500)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    again = make_library(folder)
    assert nearest(again)
    assert len(tried) <= 1
    assert {paper_of(row) for row in again.store().row_ids()} == {p.id for p in again.papers()}
