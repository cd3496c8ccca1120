"""What all services have in common: waits, broken lines, keys, hosts, names, memory."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from assistant.errors import LibraryError, SourceError
from assistant.library import Library
from assistant.sources.memory import FILE
from assistant.sources.names import SourceName
from assistant.sources.syncing import SyncProgress
from tests.sources.conftest import MakeSync
from tests.sources.test_services import deposit, items, serve, work


@pytest.fixture
def dead_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def cutting_server() -> Iterator[str]:
    """Promises a hundred bytes, sends ten, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve_it() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")

    thread = threading.Thread(target=serve_it, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_no_network_is_one_sentence_and_loses_nothing(
    httpserver: HTTPServer, make_sync: MakeSync, library: Library, dead_address: str
) -> None:
    serve(httpserver, "/crossref/works", items(deposit(1), cursor=None))
    make_sync().run(["crossref:roofs"])
    with pytest.raises(SourceError) as raised:
        make_sync(crossref={"url": dead_address, "interval": 0}).run()
    assert str(raised.value).startswith("Crossref (127.0.0.1:")
    assert "cannot be reached. Look after the network" in str(raised.value)
    assert len(library) == 1
    assert make_sync().run().read == 1


def test_a_source_that_fails_does_not_keep_others_from_being_read(
    httpserver: HTTPServer, make_sync: MakeSync, library: Library, dead_address: str
) -> None:
    serve(httpserver, "/crossref/works", items(deposit(1), cursor=None))
    sync = make_sync(openalex={"url": dead_address, "interval": 0})
    report = sync.run(["openalex:wells", "crossref:roofs"])
    assert len(library) == 1
    assert "cannot be reached" in (report.sources[0].error or "")
    assert report.sources[1].finished


def test_a_cut_connection_is_tried_again(
    make_sync: MakeSync, cutting_server: str, waits: list[str]
) -> None:
    sync = make_sync(crossref={"url": cutting_server, "interval": 0}, retries=2)
    with pytest.raises(SourceError, match=r"The connection to Crossref \(.*\) broke off"):
        sync.run(["crossref:roofs"])
    assert len(waits) == 2


def test_a_long_wait_is_not_waited_for(
    httpserver: HTTPServer, make_sync: MakeSync, waits: list[str]
) -> None:
    answer = Response("later", 429, {"Retry-After": "Fri, 01 Jan 2999 00:00:00 GMT"})
    serve(httpserver, "/crossref/works", answer)
    with pytest.raises(SourceError, match=r"asks to wait [\d,]+ s"):
        make_sync().run(["crossref:roofs"])
    assert waits == []


def test_what_cannot_pass_is_not_tried_again(httpserver: HTTPServer, make_sync: MakeSync) -> None:
    asked = serve(httpserver, "/crossref/works", Response("filter is not valid", 400))
    with pytest.raises(SourceError, match="does not take the request"):
        make_sync().run(["crossref:roofs"])
    assert len(asked) == 1


@pytest.mark.parametrize("answer", ["<html>Sign in</html>", "[]", '{"status": "ok"}', ""])
def test_an_answer_that_is_something_else(
    httpserver: HTTPServer, make_sync: MakeSync, answer: str
) -> None:
    serve(httpserver, "/openalex/works", Response(answer))
    with pytest.raises(SourceError, match=r"answer of OpenAlex .* cannot be used"):
        make_sync().run(["openalex:wells"])


def test_no_other_host_is_asked(httpserver: HTTPServer, make_sync: MakeSync) -> None:
    moved = Response("", 302, {"Location": "https://elsewhere.example/works"})
    serve(httpserver, "/crossref/works", moved)
    with pytest.raises(SourceError, match=r"another host, elsewhere\.example"):
        make_sync().run(["crossref:roofs"])


def test_a_redirection_within_the_host_is_followed(
    httpserver: HTTPServer, make_sync: MakeSync, library: Library
) -> None:
    serve(httpserver, "/crossref/works", Response("", 301, {"Location": "/v2/works"}))
    serve(httpserver, "/v2/works", items(deposit(1), cursor=None))
    make_sync().run(["crossref:roofs"])
    assert len(library) == 1


def test_keys_are_sent_and_never_shown(
    httpserver: HTTPServer, make_sync: MakeSync, caplog: pytest.LogCaptureFixture, library: Library
) -> None:
    page = {"meta": {"count": 1, "next_cursor": None}, "results": [work(1)]}
    asked = serve(httpserver, "/openalex/works", page, Response("no", 401))
    sync = make_sync(keys={"openalex": "s3cret"})
    with caplog.at_level(logging.DEBUG):
        sync.run(["openalex:wells"])
        with pytest.raises(SourceError) as raised:
            sync.run(restart=True)
    assert [a["api_key"] for a in asked] == ["s3cret", "s3cret"]
    assert "ASSISTANT_SOURCES__OPENALEX__KEY" in str(raised.value)
    logged = [r.getMessage() for r in caplog.records if r.name != "werkzeug"]
    shown = f"{logged}{raised.value}{sync!r}{sync.__dict__}"
    assert "s3cret" not in shown
    assert "s3cret" not in (library.path / FILE).read_text()


def test_progress_knows_the_time_left(httpserver: HTTPServer, make_sync: MakeSync) -> None:
    serve(httpserver, "/crossref/works", items(deposit(1)), items(deposit(2)), items())
    told: list[SyncProgress] = []
    make_sync().run(["crossref:roofs"], told.append)
    assert [(p.source, p.read, p.total) for p in told] == [
        ("crossref:roofs", 1, 3),
        ("crossref:roofs", 2, 3),
        ("crossref:roofs", 2, 3),
    ]
    assert told[0].seconds_left


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("arxiv:cs.CL", "arxiv:cs.CL"),
        (" ArXiv:  graph   networks ", "arxiv:graph networks"),
        ("hf_papers:2026-01-01", "hf-papers:2026-01-01"),
        ("doi:10.1000/x", "doi:10.1000/x"),
        ("https://example.org/feed.xml", "https://example.org/feed.xml"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert str(SourceName.parse(text)) == name


@pytest.mark.parametrize("text", ["papers.bib", "scopus:cats", "arxiv:", "", "ftp://x.org/f"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(SourceError, match="Sources are"):
        SourceName.parse(text)


def test_memory_is_whole_or_says_so(
    httpserver: HTTPServer, make_sync: MakeSync, library: Library
) -> None:
    with pytest.raises(SourceError, match="No source is remembered"):
        make_sync().run()
    serve(httpserver, "/crossref/works", items(deposit(1), cursor=None))
    sync = make_sync()
    sync.run(["crossref:roofs"])
    assert list(sync.memory.all()) == ["crossref:roofs"]
    assert sync.memory.all()["crossref:roofs"].papers == 1
    assert sync.memory.forget("crossref:roofs")
    assert not sync.memory.forget("crossref:roofs")
    (library.path / FILE).write_text("{")
    with pytest.raises(LibraryError, match="cannot be read"):
        sync.run()
