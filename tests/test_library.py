"""The library: what is added, changed and removed is so everywhere, for every reader."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import MakeLibrary
from fake_embedder import FakeEmbedder
from filelock import FileLock
from processes import ask_often, contents, ingest_slowly, make_papers, queue, start, wait_for

from assistant.errors import (
    LibraryError,
    LibraryLocked,
    LibraryMismatch,
    LibraryNotFound,
    PaperNotFound,
)
from assistant.library import MAX_ABSTRACT, Library
from assistant.paper import Paper
from assistant.results import IngestReport, Rejection
from assistant.retrieval import PaperRetriever
from assistant.settings import RetrievalSettings
from assistant.store import paper_of
from assistant.text import terms

FIRST = Paper(
    title="Owls at night",
    abstract=" ".join(f"Owls number {i} hunt voles. " + "They see. " * 9 for i in range(20)),
)
SECOND = Paper(title="Bees by day", abstract="Bees collect nectar. They dance.", doi="10.1234/bees")
THIRD = Paper(title="Only a title about whales")


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    assert report.read == report.added + report.updated + report.unchanged + report.duplicates
    return report.added, report.updated, report.unchanged, report.duplicates


def collection(library: Library) -> dict[str, list[str]]:
    """Paper id → the texts of its rows in Chroma."""
    found = library.store().vector_store().client.get(include=["documents"])
    rows: dict[str, list[str]] = {}
    for row_id, text in sorted(zip(found["ids"], found["documents"] or [], strict=True)):
        rows.setdefault(paper_of(row_id), []).append(text)
    return rows


def chunks(library: Library, paper_id: str) -> int:
    """Chunks of a paper, as the local database counts them."""
    return library.ready(check=False).revisions()[paper_id][0]


def search(library: Library, question: str, k: int = 3) -> list[str]:
    retriever = PaperRetriever(library, FakeEmbedder(), RetrievalSettings())
    return [found.paper.id for found in retriever.find(question, k)]


def test_a_library_that_stays_open_leaves_no_long_journal(make_library: MakeLibrary) -> None:
    library = make_library()
    library.ingest([FIRST, SECOND, THIRD])
    path = library.ready().path
    assert path.with_name(f"{path.name}-wal").stat().st_size == 0
    assert path.stat().st_size < 200_000


# -- adding, changing, removing ------------------------------------------------------------------


def test_ingesting_twice_changes_nothing_and_embeds_nothing(
    make_library: MakeLibrary, embedder: FakeEmbedder
) -> None:
    library = make_library()
    papers = [FIRST, SECOND, THIRD]
    assert counts(library.ingest(papers)) == (3, 0, 0, 0)
    version, embedded = library.version, embedder.embedded
    assert counts(library.ingest(papers)) == (0, 0, 3, 0)
    assert counts(make_library().ingest(reversed(papers))) == (0, 0, 3, 0)
    assert embedder.embedded == embedded
    assert library.version == version


def test_a_changed_abstract_replaces_the_old_one_everywhere(make_library: MakeLibrary) -> None:
    library = make_library()
    library.ingest([FIRST, SECOND, THIRD])
    assert len(collection(library)[FIRST.id]) > 3
    changed = Paper(title="Owls at night", abstract="Badgers dig setts.")
    assert counts(library.ingest([changed])) == (0, 1, 0, 0)
    assert library.paper(FIRST.id).abstract == "Badgers dig setts."
    assert [paper.id for paper in library.papers()] == [FIRST.id, SECOND.id, THIRD.id]
    assert chunks(library, FIRST.id) == 1
    assert collection(library)[FIRST.id] == ["Badgers dig setts."]
    assert library.statistics.document_frequency(terms("voles")[0]) == 0
    assert library.statistics.document_frequency(terms("badgers")[0]) == 1
    assert search(library, "badgers and setts")[0] == FIRST.id
    # and back again, with more chunks than before
    assert counts(library.ingest([FIRST])) == (0, 1, 0, 0)
    assert len(collection(library)[FIRST.id]) == chunks(library, FIRST.id) > 3
    assert not any("Badgers" in text for text in collection(library)[FIRST.id])


def test_what_is_newly_known_is_stored_without_embedding_again(
    make_library: MakeLibrary, embedder: FakeEmbedder
) -> None:
    library = make_library()
    library.ingest([FIRST, SECOND])
    embedded = embedder.embedded
    richer = FIRST.model_copy(update={"doi": "10.1234/owls", "year": 2020})
    assert counts(library.ingest([richer])) == (0, 1, 0, 0)
    assert embedder.embedded == embedded
    paper = library.paper("10.1234/OWLS")
    assert (paper.id, paper.year, paper.abstract) == (FIRST.id, 2020, FIRST.abstract)
    assert len(collection(library)[FIRST.id]) == chunks(library, FIRST.id)
    assert counts(library.ingest([richer, FIRST])) == (0, 0, 1, 1)
    library.close()
    next(library.path.glob("papers-*.sqlite")).unlink()
    assert make_library().paper(FIRST.id).doi == "10.1234/owls"  # the collection knows it, too


def test_removed_papers_are_gone_everywhere(make_library: MakeLibrary) -> None:
    library = make_library()
    library.ingest([FIRST, SECOND, THIRD])
    reader = make_library()
    assert len(reader) == 3
    removed = library.remove(["owls AT night!", SECOND.id, "10.1234/bees"])
    assert [paper.id for paper in removed] == [FIRST.id, SECOND.id]
    assert [paper.id for paper in reader.papers()] == [THIRD.id]
    assert set(collection(library)) == {THIRD.id}
    assert search(library, "owls hunt voles") == [THIRD.id]
    assert library.statistics.document_frequency(terms("voles")[0]) == 0
    with pytest.raises(PaperNotFound, match="No paper"):
        library.paper(FIRST.id)
    library.remove([THIRD.id])
    assert len(library) == 0
    with pytest.raises(LibraryNotFound, match="holds no paper"):
        reader.ready()
    assert counts(library.ingest([FIRST])) == (1, 0, 0, 0)


def test_removing_is_all_or_nothing(make_library: MakeLibrary) -> None:
    library = make_library()
    with pytest.raises(LibraryNotFound):
        library.remove(["anything"])
    assert not library.path.exists()
    library.ingest([FIRST, SECOND])
    with pytest.raises(PaperNotFound, match="'no such paper'"):
        library.remove([FIRST.id, "no such paper"])
    assert len(library) == 2


def test_a_title_that_several_papers_have_names_none(make_library: MakeLibrary) -> None:
    library = make_library()
    twins = [FIRST, Paper(title=FIRST.title, abstract="Quite other words.", doi="10.1234/x")]
    library.ingest(twins)
    with pytest.raises(PaperNotFound, match="More than one paper"):
        library.paper(FIRST.title)
    assert library.paper("doi:10.1234/x").abstract == "Quite other words."


def test_the_report_counts_everything_once(make_library: MakeLibrary) -> None:
    library = make_library()
    library.ingest([FIRST, SECOND])
    long = Paper(title="Book", abstract="word " * MAX_ABSTRACT)
    rejection = Rejection(source="s", where="1", reason="r")
    seen: list[int] = []
    report = library.ingest(
        [FIRST, rejection, SECOND.model_copy(update={"year": 1999}), THIRD, long, THIRD],
        lambda report: seen.append(report.read),
    )
    assert counts(report) == (1, 1, 1, 1)
    assert report.rejected[0].reason == "r"
    assert "50,000" in report.rejected[1].reason
    assert report.seconds > 0
    assert seen[-1] == 4


def test_titles_texts_and_untitled_papers_are_found(make_library: MakeLibrary) -> None:
    library = make_library()
    untitled = Paper(abstract="Penguins huddle in storms.")
    library.ingest([THIRD, untitled, SECOND])
    assert search(library, "whales")[0] == THIRD.id
    assert search(library, "penguins in storms")[0] == untitled.id
    assert chunks(library, THIRD.id) == 1


def test_nothing_to_read_makes_an_empty_library(make_library: MakeLibrary) -> None:
    library = make_library()
    assert len(library) == 0
    assert list(library.papers()) == []
    assert not library.path.exists()
    assert counts(library.ingest([])) == (0, 0, 0, 0)
    assert len(library) == 0
    with pytest.raises(LibraryNotFound, match="assistant ingest"):
        library.ready()


# -- settings ------------------------------------------------------------------------------------


def test_a_library_filled_by_another_model_says_so_and_names_both(
    make_library: MakeLibrary,
) -> None:
    make_library().ingest([FIRST])
    other = make_library(with_embedder=FakeEmbedder("other"))
    for act in (other.ready, lambda: other.ingest([SECOND])):
        with pytest.raises(LibraryMismatch) as found:
            act()
        assert "filled with fake, chunks of 96 tokens" in str(found.value)
        assert "now say other, chunks of 96 tokens" in str(found.value)
        assert "ingest --reindex" in str(found.value)
    assert len(other) == 1  # listing does not depend on the model
    assert [paper.id for paper in other.remove([FIRST.id])] == [FIRST.id]
    same_name = FakeEmbedder()
    same_name.fingerprint = "fake:version 2"
    with pytest.raises(LibraryMismatch, match=r"\(fake:32/.*\(fake:version 2/"):
        make_library(with_embedder=same_name).ready()


def test_reindex_with_another_chunking(make_library: MakeLibrary, embedder: FakeEmbedder) -> None:
    papers = [FIRST, SECOND, THIRD]
    make_library().ingest(papers)
    rows = make_library().ready().chunks
    other = make_library(chunking={"max_tokens": 24})
    with pytest.raises(LibraryMismatch, match=r"96 tokens.*24 tokens"):
        other.ready()
    steps: list[tuple[int, int]] = []
    assert other.reindex(lambda done, total: steps.append((done, total))) == 3
    assert steps == [(0, 3), (3, 3)]
    assert list(other.papers()) == papers
    assert other.ready().chunks > rows
    assert sum(map(len, collection(other).values())) == other.ready().chunks
    assert counts(other.ingest(papers)) == (0, 0, 3, 0)
    with pytest.raises(LibraryMismatch, match=r"24 tokens.*96 tokens"):
        make_library().ready()


def test_reindex_with_another_model(make_library: MakeLibrary) -> None:
    make_library().ingest([FIRST, SECOND])
    model = FakeEmbedder("other", dimension=48)
    other = make_library(with_embedder=model)
    other.reindex()
    assert other.ready().dimension == 48
    assert len([p for p in (other.path / "chroma").iterdir() if p.is_dir()]) == 1
    other.ingest([THIRD])
    assert [paper.id for paper in other.papers()] == [FIRST.id, SECOND.id, THIRD.id]


def test_reindex_without_a_library_makes_none(make_library: MakeLibrary) -> None:
    with pytest.raises(LibraryNotFound):
        make_library().reindex()
    assert not make_library().path.exists()


# -- readers -------------------------------------------------------------------------------------


def test_a_reader_sees_new_papers_without_a_restart(make_library: MakeLibrary) -> None:
    library, reader = make_library(), make_library()
    library.ingest([FIRST])
    assert search(reader, "owls") == [FIRST.id]
    library.ingest([SECOND])
    assert [paper.id for paper in reader.papers()] == [FIRST.id, SECOND.id]
    assert search(reader, "bees nectar")[0] == SECOND.id
    library.remove([SECOND.id])
    assert search(reader, "bees nectar") == [FIRST.id]


def test_a_reader_in_another_thread_goes_on_while_papers_are_added(
    make_library: MakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.library.BATCH", 3)
    library = make_library()
    library.ingest([FIRST])
    sizes: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            sizes.append(len(list(library.papers())))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    asked_inside: list[int] = []
    library.ingest(make_papers(30), lambda _: asked_inside.append(len(library)))
    done.set()
    for thread in readers:
        thread.join()
    assert set(sizes) <= set(range(1, 32, 3)) | {31}
    assert len(set(sizes)) > 3
    assert asked_inside[-1] == 31


def test_a_reader_in_another_process_sees_papers_while_a_writer_is_at_work(
    tmp_path: Path, make_library: MakeLibrary
) -> None:
    said, answers, go_on = queue(), queue(), tmp_path / "go on"
    papers = make_papers(40)
    path = tmp_path / "library"
    writer = start(ingest_slowly, path, papers, said, go_on)
    assert said.get() == "half"
    reader = make_library()
    wait_for(lambda: len(reader) == 20)
    other = start(ask_often, path, 1.0, answers)
    wait_for(lambda: not answers.empty() or other.is_alive())
    time.sleep(0.3)
    go_on.touch()
    assert said.get() == "done"
    seen = json.loads(answers.get())
    writer.join()
    other.join()
    assert seen["error"] == ""
    assert seen["sizes"] == sorted(seen["sizes"])
    assert set(seen["sizes"]) <= {*range(20, 41, 5)}
    assert list(reader.papers()) == papers


def test_opening_an_unchanged_library_costs_next_to_nothing(sample_library: Library) -> None:
    sample_library.ready()
    times = []
    for _ in range(200):
        started = time.perf_counter()
        sample_library.ready()
        times.append(time.perf_counter() - started)
    assert sorted(times)[100] < 0.005  # measured: 0.3 ms


# -- two writers ---------------------------------------------------------------------------------


def test_a_second_writer_waits_and_says_so(
    tmp_path: Path, make_library: MakeLibrary, notes: list[str]
) -> None:
    said, go_on = queue(), tmp_path / "go on"
    writer = start(ingest_slowly, tmp_path / "library", make_papers(20), said, go_on)
    assert said.get() == "half"
    with pytest.raises(LibraryLocked, match=re.escape(str(tmp_path / "library"))) as found:
        make_library(lock={"timeout": 0.4}).ingest([FIRST])
    assert "ASSISTANT_LOCK__TIMEOUT" in str(found.value)
    assert [note for note in notes if "waiting up to 0 s" in note]
    notes.clear()
    timer = threading.Timer(1.0, go_on.touch)
    timer.start()
    assert counts(make_library(lock={"timeout": 30}).ingest([FIRST])) == (1, 0, 0, 0)
    assert [note for note in notes if "waiting up to 30 s" in note]
    writer.join()
    assert len(make_library()) == 21


def test_a_reader_does_not_wait_for_a_writer(make_library: MakeLibrary) -> None:
    library = make_library()
    library.ingest([FIRST])
    library.ready().mark([FIRST.id])  # as a writer that is at work
    with FileLock(library.path / "lock"):
        started = time.perf_counter()
        assert len(make_library()) == 1
        assert time.perf_counter() - started < 0.3


# -- damage --------------------------------------------------------------------------------------


def database(library: Library) -> Path:
    library.close()
    return next(library.path.glob("papers-*.sqlite"))


def lose(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def overwrite(file: Path) -> None:
    file.write_bytes(b"garbage" * 5000)


@pytest.mark.parametrize("damage", [lose, empty, cut, overwrite])
def test_a_damaged_database_is_made_again_from_the_collection(
    sample_library: Library,
    embedder: FakeEmbedder,
    notes: list[str],
    make_library: MakeLibrary,
    damage: Callable[[Path], None],
) -> None:
    question = "sparse pruning"
    before, expected = list(sample_library.papers()), search(sample_library, question, 8)
    damage(database(sample_library))
    after = make_library(sample_library.path)
    assert search(after, question, 8) == expected
    assert list(after.papers()) == before
    assert embedder.embedded == 0
    assert notes == ["making the local database again…"]


def test_a_block_of_zeros_loses_no_paper(
    sample_library: Library, make_library: MakeLibrary
) -> None:
    question, papers = "sparse pruning", list(sample_library.papers())
    before = search(sample_library, question, 8)
    file = database(sample_library)
    whole, chance = file.read_bytes(), random.Random(28)
    for _ in range(8):
        at = chance.randrange(len(whole) - 4096)
        file.write_bytes(whole[:at] + bytes(4096) + whole[at + 4096 :])
        for leftover in file.parent.glob("papers-*.sqlite-*"):
            leftover.unlink()
        after = make_library(sample_library.path)
        assert search(after, question, 8) == before
        assert list(after.papers()) == papers
        after.close()


def test_flipped_bytes_are_never_an_answer(
    sample_library: Library, make_library: MakeLibrary, notes: list[str]
) -> None:
    questions = ["sparse pruning", "speculative decoding", "mixture of experts"]
    before = [search(sample_library, question, 8) for question in questions]
    papers = list(sample_library.papers())
    file = database(sample_library)
    whole, chance = file.read_bytes(), random.Random(14)
    for _ in range(10):
        damaged = bytearray(whole)
        for at in (chance.randrange(len(whole)) for _ in range(40)):
            damaged[at] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        for leftover in file.parent.glob("papers-*.sqlite-*"):
            leftover.unlink()
        again = make_library(sample_library.path)
        found = [search(again, question, 8) for question in questions]
        assert list(again.papers()) == papers
        if found != before:  # the full-text index proposed others: the doctor's check tells
            assert again.ready().sound() != "ok"
        again.repair("flipped")
        assert [search(again, question, 8) for question in questions] == before
        assert again.ready().sound() == "ok"
        again.close()
    assert sum("again…" in note for note in notes) > 12  # ten times it was asked for


def test_a_writer_that_stayed_open_keeps_what_others_wrote(make_library: MakeLibrary) -> None:
    papers = make_papers(450)
    first, second = make_library(), make_library()
    first.ingest(papers[:330])  # 990 rows: Chroma puts them into its graph at 1,000
    assert len(contents(first)) == 330  # it has opened the graph
    second.ingest(papers[330:440])
    first.ingest(papers[440:])
    for library in (first, second):
        library.close()
    assert len(contents(make_library())) == 450


def test_a_lost_library_json_is_made_again(
    sample_library: Library, make_library: MakeLibrary, sample_papers: list[Paper]
) -> None:
    info = sample_library.info
    (sample_library.path / "library.json").unlink()
    again = make_library(sample_library.path)
    assert list(again.papers()) == sample_papers
    assert again.info == info
    (sample_library.path / "library.json").write_text("{")
    database(again).unlink()
    assert counts(again.ingest(sample_papers)) == (0, 0, len(sample_papers), 0)
    assert again.info == info


def test_a_lost_or_damaged_collection_is_not_overwritten(
    sample_library: Library, make_library: MakeLibrary
) -> None:
    chroma, kept = sample_library.path / "chroma", sample_library.path / "kept"
    sample_library.close()
    chroma.rename(kept)
    assert len(sample_library) == 120  # the records are there
    for act in (
        lambda: sample_library.ingest([FIRST]),
        lambda: sample_library.remove([next(sample_library.papers()).id]),
    ):
        with pytest.raises(LibraryError, match="is missing"):
            act()
    shutil.rmtree(chroma, ignore_errors=True)
    chroma.mkdir()
    (chroma / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    with pytest.raises(LibraryError, match="not a database"):
        make_library(sample_library.path).ingest([FIRST])
    shutil.rmtree(chroma)
    kept.rename(chroma)
    assert counts(make_library(sample_library.path).ingest([FIRST])) == (1, 0, 0, 0)


def test_leftovers_of_killed_writers_are_cleaned_up(sample_library: Library) -> None:
    (sample_library.path / "library.json.1.2.part").touch()
    (sample_library.path / "papers-7.part").touch()
    sample_library.ingest([FIRST])
    sample_library.close()
    names = {path.name.split(".")[0].split("-")[0] for path in sample_library.path.iterdir()}
    assert names == {"chroma", "library", "lock", "papers"}


# -- permissions ---------------------------------------------------------------------------------


@pytest.fixture
def read_only(sample_library: Library) -> Iterator[Library]:
    """The sample library in a folder that this process may only read."""
    as_root = os.geteuid() == 0
    paths = [sample_library.path, *sample_library.path.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    sample_library.close()
    for path in modes:
        if path.exists():
            path.chmod(0o555 if path.is_dir() else 0o444)
    parents = [p for p in sample_library.path.parents if p.stat().st_uid == os.geteuid()]
    searchable = {path: path.stat().st_mode for path in parents} if as_root else {}
    if as_root:
        for path in searchable:
            path.chmod(path.stat().st_mode | 0o555)
        os.seteuid(65534)
    try:
        yield sample_library
    finally:
        if as_root:
            os.seteuid(0)
            for path, mode in searchable.items():
                path.chmod(mode)
        for path, mode in modes.items():
            if path.exists():
                path.chmod(mode)


def test_a_read_only_library_answers(
    read_only: Library, make_library: MakeLibrary, notes: list[str]
) -> None:
    reader = make_library(read_only.path)
    assert len(reader) == 120
    assert search(reader, "sparse pruning")
    assert notes == []
    with pytest.raises(LibraryError, match=r"cannot be written: Permission denied.*permissions"):
        reader.ingest([FIRST])


def test_a_read_only_library_that_lags_answers_and_says_so_once(
    sample_library: Library, request: pytest.FixtureRequest, notes: list[str]
) -> None:
    sample_library.ready().mark([next(sample_library.papers()).id])
    sample_library.close()
    read_only = request.getfixturevalue("read_only")
    assert len(read_only) == 120
    assert len(read_only) == 120
    assert len(notes) == 1
    assert "Permission denied. Check" not in notes[0]
    assert "added last may be missing" in notes[0]


def test_a_read_only_library_without_index_says_what_is_wrong(
    sample_library: Library, request: pytest.FixtureRequest, make_library: MakeLibrary
) -> None:
    database(sample_library).unlink()
    read_only = request.getfixturevalue("read_only")
    with pytest.raises(LibraryError, match=r"cannot be written: Permission denied.*permissions"):
        make_library(read_only.path).ready()


# -- the saved pages -----------------------------------------------------------------------------


@pytest.mark.corpus
def test_the_four_pages_hold_545_papers_and_26_repeats(
    seed_records: list[Paper | Rejection], make_library: MakeLibrary, embedder: FakeEmbedder
) -> None:
    library = make_library()
    report = library.ingest(seed_records)
    assert (report.read, report.added, report.duplicates) == (571, 545, 26)
    assert len(library) == 545
    embedded = embedder.embedded
    again = library.ingest(seed_records)
    assert (again.read, again.unchanged, again.duplicates) == (571, 545, 26)
    assert embedder.embedded == embedded
