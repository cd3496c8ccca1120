"""Sync, digest, likes and similar papers over HTTP and MCP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from mcp import Client
from pytest_httpserver import HTTPServer

from assistant.assistant import Assistant
from assistant.embedding import Embedder
from assistant.paper import Paper
from assistant.server import failing
from assistant.server.news import add_routes
from assistant.server.tools import make_tools
from assistant.settings import Settings
from assistant.watch import Watches

PAPERS: list[dict[str, Any]] = [
    {
        "title": "Pruning Experts Without Retraining",
        "abstract": "Experts of a mixture are pruned without retraining. Memory falls by 41%.",
        "doi": "10.1000/prune_1",
    },
    {
        "title": "Gaze Estimation with One Eye",
        "abstract": "A single eye is enough to estimate gaze. The error is 2.3 cm.",
    },
]
NEW = {"DOI": "10.1000/new", "title": ["Pruning Experts Again"], "abstract": "Experts go again."}


@pytest.fixture
def assistant(
    tmp_path: Path,
    httpserver: HTTPServer,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
) -> Assistant:
    monkeypatch.setattr("assistant.embedding.open_embedder", lambda *_, **__: embedder)
    message = {"total-results": 1, "items": [NEW], "next-cursor": None}
    httpserver.expect_request("/works").respond_with_json({"message": message})
    address = httpserver.url_for("").rstrip("/")
    sources = {"crossref": {"url": address, "interval": 0}}
    made = Assistant(Settings.load(library=tmp_path / "library", sources=sources))
    made.library.ingest([Paper.model_validate(paper) for paper in PAPERS])
    return made


@pytest.fixture
def client(assistant: Assistant) -> Iterator[TestClient]:
    app, router = FastAPI(), APIRouter(prefix="/api")
    add_routes(router, assistant, writable=True)
    app.include_router(router)
    failing.install(app, failing.Teller(here=True))
    with TestClient(app) as made:
        yield made


def test_what_is_new_over_http(client: TestClient, assistant: Assistant) -> None:
    assert client.get("/api/digest").status_code == 404
    Watches(assistant.library).add("pruning", "pruning experts")
    report = client.post("/api/sync", json={"sources": ["crossref:experts"]}).json()
    assert (report["added"], report["sources"][0]["finished"]) == (1, True)
    for _ in range(2):  # asking does not count as having seen it
        shown = client.get("/api/digest", params={"watch": "pruning"}).json()["watches"][0]
        assert [paper["title"] for paper in shown["papers"]] == ["Pruning Experts Again"]
    liked = client.post("/api/likes", json={"paper": "10.1000/new", "liked": True})
    assert liked.json()["title"] == "Pruning Experts Again"
    found = client.get("/api/similar/doi:10.1000/new", params={"k": 1}).json()
    assert [paper["title"] for paper in found] == [PAPERS[0]["title"]]


@pytest.mark.parametrize("source", ["http://169.254.169.254/latest", "nothing", "arxiv:"])
def test_nobody_from_afar_names_an_address(client: TestClient, source: str) -> None:
    answer = client.post("/api/sync", json={"sources": [source]})
    assert answer.status_code == 422
    assert "error" in answer.json()


def test_the_sample_library_stays_as_it_is(assistant: Assistant) -> None:
    app, router = FastAPI(), APIRouter()
    add_routes(router, assistant, writable=False)
    app.include_router(router)
    with TestClient(app) as client:
        assert client.post("/sync", json={}).status_code == 409
        assert client.post("/likes", json={"paper": "x", "liked": True}).status_code == 409


def test_the_tools(assistant: Assistant) -> None:
    server = make_tools(assistant, failing.Teller(here=True))

    async def run() -> list[Any]:
        async with Client(server) as client:
            return [
                await client.call_tool("sync", {"sources": ["crossref:experts"]}),
                await client.call_tool("similar", {"name": "10.1000/new", "k": 1}),
                await client.call_tool("sync", {"sources": ["http://localhost/feed"]}),
                await client.call_tool("digest", {"watch": "none"}),
            ]

    synced, similar, refused, unknown = asyncio.run(run())
    assert synced.structured_content["added"] == 1
    assert similar.structured_content["result"][0]["title"] == PAPERS[0]["title"]
    assert refused.is_error
    assert "from afar" in str(refused.content)
    assert unknown.is_error
