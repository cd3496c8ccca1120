from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from assistant.assistant import Assistant
from tests.sources.test_arxiv import Arxiv, entry

from .conftest import Run


def deposit(number: int) -> dict[str, Any]:
    return {
        "DOI": f"10.1000/b{number}",
        "title": [f"Bells Cast in Year {number}"],
        "abstract": "<jats:p>Bells ring when struck.</jats:p>",
        "author": [{"given": "Ann", "family": "Bell"}],
    }


def count() -> int:
    return len(Assistant().library)


@pytest.fixture
def pages(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Crossref on loopback; the answers that it gives, in their order."""
    left: list[Any] = []

    def answer(request: Request) -> Response:
        del request
        found = left.pop(0)
        if isinstance(found, int):
            return Response("", found)
        message = {"total-results": 2, "items": found, "next-cursor": "n" if found else None}
        return Response(json.dumps({"message": message}))

    httpserver.expect_request("/works").respond_with_handler(answer)
    address = httpserver.url_for("").rstrip("/")
    monkeypatch.setenv("ASSISTANT_SOURCES__CROSSREF__URL", address)
    monkeypatch.setenv("ASSISTANT_SOURCES__CROSSREF__INTERVAL", "0")
    monkeypatch.setenv("ASSISTANT_SOURCES__BACKOFF", "0")
    monkeypatch.setenv("ASSISTANT_SOURCES__RETRIES", "1")
    yield left
    assert left == []


def test_sync_twice_is_only_what_is_new(run: Run, pages: list[Any]) -> None:
    pages += [[deposit(1)], [deposit(2)], []]
    result = run("sync", "crossref:bells", "--quiet")
    assert (result.code, result.err) == (0, "")
    assert result.out.split("\t") == ["crossref:bells", "2", "0", "0", "0", "0", "new source\n"]
    pages += [[deposit(2), deposit(3)], []]
    report = run("sync", "--json").json
    assert (report["added"], report["unchanged"], report["read"]) == (1, 1, 2)
    listed = run("sync", "--list", "--json").json
    assert [(s["source"], s["papers"], s["read"], s["cursor"]) for s in listed] == [
        ("crossref:bells", 3, 2, None)
    ]
    assert "its papers stay" in run("sync", "--forget", "crossref:bells").out
    assert run("sync", "--list", "--json").json == []
    assert count() == 3


def test_two_services_synced_again_give_only_what_is_new_or_changed(
    run: Run, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    arxiv = Arxiv(httpserver, [entry(n, f"2026-01-0{n}T10:00:00Z") for n in (1, 2, 3)])
    indexed = {1: "2020-01-01", 2: "2020-01-02"}
    asked: list[str] = []

    def works(request: Request) -> Response:
        """Crossref as documented: only what was indexed on the day that is asked for or later."""
        asked.append(request.args.get("filter", ""))
        since = asked[-1].partition("from-index-date:")[2][:10]
        first = request.args["cursor"] == "*"
        items = [deposit(n) for n, day in indexed.items() if first and day >= since]
        message = {"total-results": len(items), "items": items, "next-cursor": "n"}
        return Response(json.dumps({"message": message}))

    httpserver.expect_request("/crossref/works").respond_with_handler(works)
    for name in ("arxiv", "crossref"):
        setting = f"ASSISTANT_SOURCES__{name.upper()}__"
        monkeypatch.setenv(f"{setting}URL", httpserver.url_for(f"/{name}"))
        monkeypatch.setenv(f"{setting}INTERVAL", "0")
    command = ("sync", "crossref:bells", "arxiv:cs.CE", "--quiet")

    def synced() -> list[list[str]]:
        result = run(*command)
        assert (result.code, result.err) == (0, "")
        return [line.split("\t") for line in result.out.splitlines()]

    assert synced() == [
        ["crossref:bells", "2", "0", "0", "0", "0", "new source"],
        ["arxiv:cs.CE", "3", "0", "0", "0", "0", "new source"],
    ]
    indexed[3] = "2999-01-01"
    arxiv.entries[0].update(updated="2026-02-02T00:00:00Z", summary="The bridges came down.")
    asked.clear()
    assert synced() == [
        ["crossref:bells", "1", "0", "0", "0", "0", ""],
        ["arxiv:cs.CE", "0", "1", "0", "0", "0", ""],
    ]
    assert all("from-index-date:20" in filters for filters in asked)
    assert Assistant().library.paper("2601.00001").abstract == "The bridges came down."
    del indexed[3]  # the day of the last sync is past
    assert synced() == [
        ["crossref:bells", "0", "0", "0", "0", "0", ""],
        ["arxiv:cs.CE", "0", "0", "0", "0", "0", ""],
    ]
    assert count() == 6


def test_a_failure_is_one_sentence_and_keeps_what_came(run: Run, pages: list[Any]) -> None:
    pages += [[deposit(1)], 503, 503]
    result = run("sync", "crossref:bells")
    assert result.code == 1
    assert "is out of order (status 503)" in result.err.splitlines()[-1]
    assert "goes on there" in result.err.splitlines()[-1]
    assert count() == 1
    pages += [[deposit(2)], []]
    assert run("sync", "--json").json["added"] == 1


def test_the_bar_of_a_person(on_terminal: Run, pages: list[Any]) -> None:
    pages += [[deposit(1)], []]
    result = on_terminal("sync", "crossref:bells")
    assert result.code == 0
    assert "crossref:bells" in result.out
    assert "read 1 of 2" in result.err


@pytest.mark.parametrize("name", ["papers.bib", "scopus:cats"])
def test_what_is_no_source(run: Run, name: str) -> None:
    result = run("sync", name)
    assert result.code == 1
    assert "is no source that can be synced" in result.err


def test_forget_what_is_not_known(run: Run) -> None:
    assert "is not remembered" in run("sync", "--forget", "arxiv:cs.CL").err
    assert run("sync", "--forget").code == 1
    assert run("sync").code == 1


def test_enrich_says_what_it_filled_and_what_it_left(
    run: Run, source: Path, pages: list[Any]
) -> None:
    run("ingest", str(source), "--quiet")
    known = {**deposit(1), "title": ["Gaze [bold]Estimation[/bold] with One Eye"]}
    known["abstract"] = ""
    pages += [[known], []]
    result = run("enrich", "--from", "crossref", "--quiet")
    assert result.code == 0, result.err
    assert "2 papers lacked something; 1 were filled in." in result.out
    assert "authors: 1" in result.out
    assert "Crossref knows no paper with this title" in result.out
