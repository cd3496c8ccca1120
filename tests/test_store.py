"""The store: the same promises in a folder, on a Chroma server and in (a stand-in for) Chroma
Cloud, and the way between them.
"""

from __future__ import annotations

import gc
import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import chroma_cloud
import numpy as np
import processes
import pytest
from chroma_server import running
from chromadb.errors import ChromaError
from fake_embedder import FakeEmbedder
from processes import make_papers

from assistant.address import StoreAddress
from assistant.errors import ConfigurationError, LibraryError, LibraryNotFound
from assistant.filters import Filters
from assistant.library import Library
from assistant.paper import Paper
from assistant.retrieval import PaperRetriever
from assistant.settings import RetrievalSettings, Settings
from assistant.store import _VALUE_BYTES, ChromaStore, Row, collections, rows_of

Machine = Callable[..., Library]

PAPERS = [
    Paper(
        title=f"On {animal}, part {part}",
        abstract=f"We watch {animal} by night. They sleep. " + "Nothing else happens. " * 20 * part,
        authors=(f"Lena {animal.title()}", "Bo Li"),
        year=2018 + part,
        venue="Owl Letters" if part else "Bee Journal",
        tags=("birds",) if animal == "owls" else (),
        source="a.bib",
    )
    for animal in ("owls", "bees", "whales")
    for part in range(3)
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="module")
def cloud() -> Iterator[chroma_cloud.ChromaCloud]:
    with chroma_cloud.running() as stand_in:
        yield stand_in


@pytest.fixture(params=["folder", "server", "cloud"])
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    """Opens the one library of the test as from another machine or process each time."""
    monkeypatch.setattr("assistant.library._FOLLOW_SECONDS", 0.0)
    store, token = None, {}
    if request.param == "server":
        store = request.getfixturevalue("server")
    elif request.param == "cloud":
        store = request.getfixturevalue("cloud").store
        token = {"store_token": chroma_cloud.TOKEN}
    opened: list[Library] = []

    def make(name: str = "one", **settings: object) -> Library:
        where = Path(tmp_path.name) if store else tmp_path / "library"
        named = {"store": store, "library": where, "cache": tmp_path / name}
        chosen = Settings.load(**named, **token, **settings)
        opened.append(Library(chosen, FakeEmbedder))
        return opened[-1]

    yield make
    for library in opened:
        library.close()


def titles(library: Library, question: str, filters: Filters | None = None) -> list[str]:
    retriever = PaperRetriever(library, FakeEmbedder(), RetrievalSettings())
    return [found.paper.title for found in retriever.find(question, 3, filters)]


def test_what_one_adds_changes_and_removes_another_sees(machine: Machine) -> None:
    writer, reader = machine("writer"), machine("reader")
    with pytest.raises(LibraryNotFound):
        reader.ready()
    assert writer.ingest(PAPERS).added == 9
    assert list(reader.papers()) == PAPERS
    assert titles(reader, "bees")[0].startswith("On bees")
    changed = PAPERS[0].model_copy(update={"abstract": "Zebras have stripes."})
    assert writer.ingest([changed]).updated == 1
    assert titles(reader, "zebras stripes")[0] == changed.title
    writer.remove([PAPERS[4].id, PAPERS[0].id])
    left = [paper for n, paper in enumerate(PAPERS) if n not in (0, 4)]
    assert [paper.id for paper in reader.papers()] == [paper.id for paper in left]
    assert PAPERS[0].title not in titles(reader, "zebras stripes")
    assert len(reader.store()) == reader.ready().chunks == writer.ready().chunks


def test_several_writers_lose_and_double_nothing(machine: Machine) -> None:
    papers = make_papers(30)
    first, second = machine("first"), machine("second")
    first.ingest(papers[:20])
    report = second.ingest(papers[10:])
    assert (report.added, report.unchanged) == (10, 10)
    assert first.ingest(papers).unchanged == 30
    assert sorted(p.id for p in first.papers()) == sorted(p.id for p in papers)


def test_two_processes_ask_a_server_while_a_third_ingests(server: str, tmp_path: Path) -> None:
    papers, found = make_papers(60), processes.queue()
    askers = [
        processes.start(processes.find_on_server, server, tmp_path / f"asker{n}", 60, found)
        for n in range(2)
    ]
    writer = processes.start(processes.ingest_on_server, server, papers, tmp_path / "writer")
    for _ in askers:
        processes.wait_for(lambda: not found.empty(), 90)
        seen = json.loads(found.get())
        assert seen == sorted(seen)  # papers only come
        assert seen[-1] == len(papers)
    for process in [writer, *askers]:
        process.join(30)
        assert process.exitcode == 0


def test_a_question_waits_while_the_first_rows_of_a_server_arrive(
    server: str, tmp_path: Path
) -> None:
    """A server fails for a moment then, see `_patiently`; who asks without us is told so."""
    address, vector = StoreAddress.parse(server, tmp_path, tmp_path), np.eye(1, 384, dtype="f4")[0]
    rows = [Row(f"{n}#0", "word " * 400, {"paper_id": str(n)}, vector) for n in range(128)]

    def ask(work: Callable[[], Any], done: threading.Event) -> list[str]:
        failed: list[str] = []
        while not done.is_set():
            try:
                work()
            except (ChromaError, LibraryError) as error:
                failed.append(str(error))
        return failed

    failed_for_others = 0
    with ThreadPoolExecutor(2) as askers:
        for number in range(60):
            name, done = f"arriving-{number}", threading.Event()
            with (
                ChromaStore(address, name, make=True) as writer,
                ChromaStore(address, name) as ours,
                ChromaStore(address, name) as theirs,
            ):
                bare = theirs.vector_store().client
                asked = [
                    askers.submit(ask, partial(ours.nearest, vector, 3), done),
                    askers.submit(ask, partial(bare.query, vector.tolist(), n_results=3), done),
                ]
                time.sleep(0.02)
                writer.upsert(rows)
                done.set()
                told, told_to_others = (one.result() for one in asked)
                assert told == []
                assert len(ours.nearest(vector, 3)) == 3
            failed_for_others += any("Nothing found on disk" in one for one in told_to_others)
            if failed_for_others == 4:
                return
    pytest.fail("the server no longer fails then: _patiently can go")


def test_a_lost_local_database_comes_back_letter_for_letter(machine: Machine) -> None:
    rich = Paper(
        title="Ünïcode — titles",
        abstract="First.Second (a; b). 深度学习。很好。 " + "x" * 900 + " End of it.",
        authors=tuple(f"Author Number{n}" for n in range(400)),
        doi="10.1234/rich",
        url="https://example.org/rich",
        original={"abstract": "y" * 3000},
    )
    writer = machine()
    writer.ingest([*PAPERS, rich, Paper(title="Only a title")])
    held = list(writer.papers())
    writer.close()
    for file in writer.path.glob("papers*.sqlite*"):
        file.unlink()
    again = machine()
    assert list(again.papers()) == held
    assert again.paper("10.1234/rich").authors == rich.authors
    assert titles(again, "whales")[0].startswith("On whales")


def test_filters_are_pushed_down(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    library = machine()
    library.ingest([*PAPERS, *make_papers(40)])
    asked: list[object] = []
    name = "found" if library.store().hybrid else "nearest"
    finds = getattr(type(library.store()), name)

    def watched(*given: object) -> list[str]:
        asked.append(given[-1])
        found: list[str] = finds(*given)
        allowed = {p.id for p in PAPERS}
        assert given[-1] is None or set(found) <= allowed  # Chroma itself has filtered
        return found

    monkeypatch.setattr(f"assistant.store.ChromaStore.{name}", watched)
    since = titles(library, "owls", Filters(first_year=2019, author=("OWLS",)))
    assert since == ["On owls, part 1", "On owls, part 2"]
    assert titles(library, "owls", Filters(venue=("bee j",))) == [
        "On owls, part 0", "On bees, part 0", "On whales, part 0",
    ]  # fmt: skip
    assert set(titles(library, "anything", Filters(tag=("bird",)))) == {
        f"On owls, part {n}" for n in range(3)
    }
    assert titles(library, "owls", Filters(author=("nobody",))) == []
    assert titles(library, "owls", Filters(ids=(PAPERS[7].id,))) == [PAPERS[7].title]
    since = titles(library, "owls", Filters(years=(2019, 2020), author=("owls",)))
    assert since == ["On owls, part 1", "On owls, part 2"]
    assert len(asked) == 5  # of an author whom nobody knows Chroma is not asked


def test_a_cloud_is_asked_once_and_within_its_quotas(
    machine: Machine, cloud: chroma_cloud.ChromaCloud, request: pytest.FixtureRequest
) -> None:
    if "cloud" not in request.node.callspec.id:
        pytest.skip("of Chroma Cloud only")
    library = machine()
    many = [p.model_copy(update={"authors": (f"Lena Number{n}",)}) for n, p in enumerate(PAPERS)]
    library.ingest(many[:1])
    cloud.busy = 2  # waits, and goes on
    library.ingest([*many, *make_papers(400)])
    cloud.asked.clear()
    assert titles(library, "owls by night")[0].startswith("On owls")
    searches = [body for path, body in cloud.asked if path.endswith("/search")]
    assert len(searches) == 1
    assert not [path for path, _ in cloud.asked if path.endswith("/query")]
    by_words = '"key": "words"' in json.dumps(searches[0])
    assert by_words
    assert '"key": "#embedding"' in json.dumps(searches[0])
    # nine names of authors would be nine predicates: they are compared here instead
    found = titles(library, "night", Filters(author=("lena number",), first_year=2019))
    assert found
    assert all(title.endswith(("part 1", "part 2")) for title in found)


def test_what_a_cloud_refuses_is_said(
    cloud: chroma_cloud.ChromaCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ingest(**settings: object) -> None:
        chosen = Settings.load(store=cloud.store, library=tmp_path, cache=tmp_path, **settings)
        Library(chosen, FakeEmbedder).ingest(PAPERS)

    for token in ({}, {"store_token": "wrong"}):
        with pytest.raises(LibraryError, match=r"wants a token.*ASSISTANT_STORE_TOKEN"):
            ingest(**token)
    monkeypatch.setitem(chroma_cloud.QUOTAS, "keys", 3)
    with pytest.raises(LibraryError, match="takes no more: keys"):
        ingest(store_token=chroma_cloud.TOKEN)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ResourceWarning)
        gc.collect()  # what was refused has left no connection open
    assert [str(one.message) for one in said] == []


def test_a_copy_answers_as_the_original(
    machine: Machine, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.library._FOLLOW_SECONDS", 0.0)
    library = machine()
    library.ingest([*PAPERS, *make_papers(25)])
    there = Library(
        Settings.load(store=server, library=Path("copy-of-" + tmp_path.name), cache=tmp_path / "c"),
        FakeEmbedder,
    )
    assert library.copy_to(there) == 34
    back = Library(Settings.load(library=tmp_path / "back", cache=tmp_path / "d"), FakeEmbedder)
    assert there.copy_to(back) == 34
    for question in ("owls by night", "topic3 things", "whales"):
        expected = PaperRetriever(library, FakeEmbedder(), RetrievalSettings()).find(question)
        found = PaperRetriever(back, FakeEmbedder(), RetrievalSettings()).find(question)
        assert [p.paper.id for p in found] == [p.paper.id for p in expected]
        np.testing.assert_allclose([p.score for p in found], [p.score for p in expected], atol=1e-5)
    assert list(back.papers()) == list(library.papers())
    there.close()
    back.close()


def test_no_value_is_longer_than_a_cloud_takes() -> None:
    paper = Paper(
        title="t " * 3000,
        abstract="a",
        authors=tuple(f"Äuthor {n}" for n in range(3000)),
        original={"title": "o" * 50_000},
    )
    from assistant.library import embedded  # noqa: PLC0415

    for stored, chunks in embedded([paper], FakeEmbedder(), 96):
        for row in rows_of(stored, chunks):
            assert len(row.document.encode()) <= 16_384
            for value in row.metadata.values():
                size = len(value.encode()) if isinstance(value, str) else 0
                size = sum(len(v.encode()) for v in value) if isinstance(value, list) else size
                assert size <= 4096
            assert len(row.metadata) <= 32
    assert _VALUE_BYTES < 4096


def test_rows_that_repeat_what_their_ids_say_are_read(tmp_path: Path) -> None:
    """As they were written before: each with its place and the number of chunks."""
    from assistant.library import embedded  # noqa: PLC0415

    paper = Paper(
        title="Owls", abstract=" ".join(f"Owls number {n} hunt voles." for n in range(99))
    )
    [(stored, chunks)] = embedded([paper], FakeEmbedder(), 96)
    rows = rows_of(stored, chunks)
    assert len(rows) > 2
    for n, row in enumerate(rows):
        row.metadata.update(ordinal=n, chunks=len(rows))
    with ChromaStore(StoreAddress("folder", tmp_path), "papers", make=True) as store:
        store.upsert(rows)
        assert [one.paper for one in store.read([paper.id])] == [paper]


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("ftp://host", "no address of a Chroma server"),
        ("http://host:port", "no address of a Chroma server"),
        ("chroma-cloud:tenant", "no tenant and database"),
    ],
)
def test_a_store_that_is_none_is_said(store: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=says):
        StoreAddress.parse(store, tmp_path, tmp_path)


def test_a_server_that_does_not_answer_is_said(tmp_path: Path) -> None:
    settings = Settings.load(store="http://127.0.0.1:9", cache=tmp_path)
    with pytest.raises(LibraryError, match=r"127\.0\.0\.1:9 does not answer.*ASSISTANT_STORE"):
        Library(settings, FakeEmbedder).ingest(PAPERS)


def test_the_collection_says_what_filled_it(machine: Machine) -> None:
    library = machine()
    library.ingest(PAPERS)
    info = library.info
    assert info is not None
    described = dict(collections(library.address, chroma_cloud.TOKEN))
    assert described[info.collection]["fingerprint"] == info.fingerprint


def test_a_plain_llamaindex_index_reads_the_collection(machine: Machine) -> None:
    from llama_index.core import VectorStoreIndex  # noqa: PLC0415
    from llama_index.core.embeddings import MockEmbedding  # noqa: PLC0415

    library = machine()
    library.ingest(PAPERS)
    index = VectorStoreIndex.from_vector_store(
        library.store().vector_store(), embed_model=MockEmbedding(32)
    )
    nodes = index.as_retriever(similarity_top_k=4).retrieve("owls")
    assert len(nodes) == 4
    assert all(node.metadata["title"].startswith("On ") and node.text for node in nodes)


def test_papers_may_go_into_a_given_vector_store(tmp_path: Path) -> None:
    import chromadb  # noqa: PLC0415
    from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415

    client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
    collection = client.create_collection(
        "mine-and-only-mine", embedding_function=None, metadata={"hnsw:space": "cosine"}
    )
    store = ChromaVectorStore(chroma_collection=collection)
    library = Library(Settings.load(cache=tmp_path), FakeEmbedder, store=store)
    library.ingest(PAPERS)
    assert collection.count() == library.ready().chunks
    assert titles(library, "bees")[0].startswith("On bees")
    library.close()
