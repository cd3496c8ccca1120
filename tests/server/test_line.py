"""Back-pressure: some work, some wait, the rest is told when to come."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from assistant.assistant import Assistant
from assistant.library import Library
from assistant.paper import Paper
from assistant.server.line import Line

from .conftest import QUESTION, Serve


def test_too_many_are_told_when_to_come(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    asked = Assistant.search

    def slow(self: Assistant, *args: object, **more: object) -> object:
        go.wait(20)
        return asked(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Assistant, "search", slow)
    server = serve(server={"at_once": 2, "waiting": 3})

    def search(_: int) -> httpx.Response:
        return httpx.get(f"{server.url}/api/search", params={"q": QUESTION}, timeout=40)

    with ThreadPoolExecutor(12) as pool:
        replies = [pool.submit(search, n) for n in range(12)]
        refused = _until(replies, 7)
        # the rest works or waits, and the server still answers what costs nothing
        health = httpx.get(f"{server.url}/health", timeout=5)
        assert health.json() == {"status": "ok"}
        assert httpx.get(f"{server.url}/api/papers", timeout=5).status_code == 200
        go.set()
        done = [r.result() for r in replies]
    assert sorted(r.status_code for r in done) == [200] * 5 + [503] * 7
    for reply in refused:
        assert 1 <= int(reply.headers["retry-after"]) <= 120
        assert reply.json()["error"]["code"] == "overloaded"
    # and afterwards there is room again
    assert search(0).status_code == 200


def test_health_needs_no_thread_and_no_library(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, held = threading.Event(), threading.Semaphore(0)

    def stuck(_: Library) -> list[Paper]:
        held.release()
        go.wait(30)
        return []

    server = serve()
    monkeypatch.setattr(Library, "papers", stuck)
    with ThreadPoolExecutor(60) as pool:
        waiting = [
            pool.submit(httpx.get, f"{server.url}/api/papers", timeout=40) for _ in range(60)
        ]
        for _ in range(40):  # all threads that the server has for requests
            assert held.acquire(timeout=10)
        started = time.monotonic()
        for _ in range(20):
            assert httpx.get(f"{server.url}/health", timeout=5).status_code == 200
        assert not any(one.done() for one in waiting)
        go.set()
    assert time.monotonic() - started < 10


def _until(futures: list, count: int) -> list[httpx.Response]:  # type: ignore[type-arg]
    end = time.monotonic() + 15
    while time.monotonic() < end:
        done = [f.result() for f in futures if f.done()]
        if len(done) >= count:
            return done
        time.sleep(0.02)
    raise AssertionError(f"{len(done)} of {count} were answered")


def test_nobody_waits_for_ever() -> None:
    async def run() -> list[int]:
        statuses = []

        async def work(scope: object, receive: object, send: object) -> None:
            await asyncio.sleep(0.3)

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(int(str(message["status"])))

        line = Line(work, at_once=1, waiting=5, longest=0.05)  # type: ignore[arg-type]
        scope = {"type": "http", "method": "POST", "path": "/api/ask", "headers": []}
        await asyncio.gather(*(line(scope, None, send) for _ in range(3)))  # type: ignore[arg-type]
        return statuses

    assert asyncio.run(run()) == [503, 503]


def test_who_goes_away_while_waiting_takes_no_place() -> None:
    async def run() -> bool:
        async def work(scope: object, receive: object, send: object) -> None:
            await asyncio.sleep(0.05)

        line = Line(work, at_once=1, waiting=1)  # type: ignore[arg-type]
        scope = {"type": "http", "method": "POST", "path": "/api/ask", "headers": []}
        first = asyncio.create_task(line(scope, None, None))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        second = asyncio.create_task(line(scope, None, None))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        second.cancel()
        await first
        await asyncio.wait_for(line(scope, None, None), 1)  # type: ignore[arg-type]
        return second.cancelled()

    assert asyncio.run(run())
