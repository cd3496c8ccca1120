"""How long the chat page takes: the server's start, and the page in a browser.

A step of `eval.bench_worker`. Beside our page runs the one that Gradio's documentation begins
with, a ``ChatInterface``, over the plain LlamaIndex starter. A page is loaded when a question
can be typed; every visit is by a browser profile of its own, so that nothing is cached. Started
as a module it is the starter's server:

    python -m eval.bench_page STARTER_FOLDER PORT
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from eval import runs
from eval.data import EvalError

VISITS = 5
START_SECONDS = 180.0
SETTLE_MS = 1500
CHROMIUM = "EVAL_CHROMIUM"
"""Environment variable that names the browser; else ``chromium`` is looked for."""
_READY = {"ours": "html[data-ready] #composer textarea", "starter": "textarea"}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def page(task: dict[str, Any]) -> dict[str, Any]:
    """Both pages, over the libraries in the folders ``ours`` and ``starter``; visits in turns.

    Returns ``{"ours": {...}, "starter": {...}}``, each with ``start_s`` (the command until the
    first response), ``html_ms``, ``page_ms`` (medians; None without a browser), ``requests``
    and ``transferred_mb`` of one visit.
    """
    ports = {name: _free_port() for name in _READY}
    commands = {
        "ours": [*runs.PROGRAM, "ui", "--library", task["ours"], "--no-browser",
                 "--port", str(ports["ours"])],
        "starter": [sys.executable, "-m", "eval.bench_page", task["starter"],
                    str(ports["starter"])],
    }  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    with _served(commands["ours"], ports["ours"]) as ours:
        found["ours"] = {"start_s": ours}
        with _served(commands["starter"], ports["starter"]) as starter:
            found["starter"] = {"start_s": starter}
            _visit_all(ports, found)
    return found


def _visit_all(ports: dict[str, int], found: dict[str, dict[str, Any]]) -> None:
    urls = {name: f"http://127.0.0.1:{port}/" for name, port in ports.items()}
    html: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(VISITS):
        for name, url in urls.items():
            started = time.perf_counter()
            httpx.get(url, timeout=60).raise_for_status()
            html[name].append((time.perf_counter() - started) * 1000)
    for name, times in html.items():
        found[name] |= {"html_ms": round(statistics.median(times), 1), "page_ms": None}
    browser = os.environ.get(CHROMIUM) or shutil.which("chromium")
    if browser is None:
        runs.note(f"no chromium: page loads are not measured (${CHROMIUM} may name one)")
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    visits: dict[str, list[dict[str, float]]] = {name: [] for name in urls}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=_FLAGS)
        for turn in range(VISITS + 1):
            for name, url in urls.items():
                visit = _visit(chromium, url, _READY[name])
                if turn:  # the first fills caches of the servers
                    visits[name].append(visit)
        chromium.close()
    for name, made in visits.items():
        found[name] |= {
            "page_ms": round(statistics.median(visit["ms"] for visit in made), 1),
            "requests": round(made[-1]["requests"]),
            "transferred_mb": round(made[-1]["bytes"] / 2**20, 2),
        }


def _visit(browser: Any, url: str, ready: str) -> dict[str, float]:
    """Milliseconds until a question can be typed, requests, and bytes received."""
    context = browser.new_context()
    visited = context.new_page()
    network = context.new_cdp_session(visited)
    network.send("Network.enable")
    received: list[float] = []
    network.on("Network.loadingFinished", lambda e: received.append(e["encodedDataLength"]))
    started = time.perf_counter()
    visited.goto(url, wait_until="commit")
    visited.wait_for_selector(ready)
    took = (time.perf_counter() - started) * 1000
    visited.wait_for_timeout(SETTLE_MS)  # a live connection stays open: the network is never idle
    context.close()
    return {"ms": took, "requests": len(received), "bytes": sum(received)}


@contextmanager
def _served(command: list[str], port: int) -> Iterator[float]:
    """A server that ends with the block; gives the seconds until it answered."""
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=runs.ROOT, env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        try:
            while not _answers(port):
                if server.poll() is not None or time.perf_counter() - started > START_SECONDS:
                    raise EvalError(f"The page did not start: {' '.join(command[:4])}…")
                time.sleep(0.02)
            yield round(time.perf_counter() - started, 2)
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=60).is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _starter_server(folder: Path, port: int) -> None:
    import gradio as gr  # noqa: PLC0415

    from assistant.embedding import open_embedder  # noqa: PLC0415
    from assistant.settings import Settings  # noqa: PLC0415
    from eval.starter import open_starter  # noqa: PLC0415

    retriever = open_starter(str(folder), open_embedder(Settings.load()))[2].as_retriever()

    def reply(message: str, _history: list[Any]) -> str:
        return "\n\n".join(node.text for node in retriever.retrieve(message))

    gr.ChatInterface(reply).launch(server_name="127.0.0.1", server_port=port, quiet=True)


if __name__ == "__main__":
    _starter_server(Path(sys.argv[1]), int(sys.argv[2]))
