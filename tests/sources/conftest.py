"""A library of the test's own, and services that are all asked on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from assistant.library import Library
from assistant.settings import SourcesSettings
from assistant.sources.syncing import Sync

SERVICES = "arxiv openalex semanticscholar pubmed crossref hf_papers zotero".split()

MakeSync = Callable[..., Sync]


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fails a test that asks for any other host; returns the hosts that were asked for."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def only_loopback(host: Any, *arguments: Any, **named: Any) -> Any:
        asked.append(str(host))
        assert host in ("localhost", "127.0.0.1", "::1"), f"{host} was asked for"
        return resolve(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", only_loopback)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return asked


@pytest.fixture
def waits() -> list[str]:
    """What was told about waiting."""
    return []


@pytest.fixture
def library(make_library: Callable[..., Library]) -> Library:
    return make_library()


@pytest.fixture
def make_sync(library: Library, httpserver: HTTPServer, waits: list[str]) -> MakeSync:
    """Opens a `Sync` whose services all lie on the server, with other settings if wanted."""

    def make(**settings: Any) -> Sync:
        address = httpserver.url_for("").rstrip("/")
        keys = settings.pop("keys", {})
        own = {
            name: {"url": f"{address}/{name}", "interval": 0, "key": keys.get(name)}
            for name in SERVICES
        }
        own["feed"] = {"interval": 0}
        chosen = SourcesSettings(**{"backoff": 0.01, "timeout": 5.0, **own, **settings})
        return Sync(library, chosen, waits.append)

    return make


def titles(library: Library) -> list[str]:
    return sorted(paper.title for paper in library.papers())
