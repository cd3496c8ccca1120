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
CHROMIUM = "EVAL_CHROMIUM"
"""Environment variable that names the browser; else ``chromium`` is looked for."""
_READY = {"ours": "html[data-ready] #composer textarea", "starter": "textarea"}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def page(task: dict[str, Any]) -> dict[str, Any]:
    """Both pages, over the libraries in the folders ``ours`` and ``starter``; visits in turns.

    Returns ``{"ours": {...}, "starter": {...}}``, each with ``start_s`` (the command until the
    first response) and ``page_ms`` (median; None without a browser).
    """
    ports = {name: _free_port() for name in _READY}
    ours = [*runs.PROGRAM, "ui", "--library", task["ours"], "--no-browser", "--port"]
    starter = [sys.executable, "-m", "eval.bench_page", task["starter"]]
    with (
        _served([*ours, str(ports["ours"])], ports["ours"]) as first,
        _served([*starter, str(ports["starter"])], ports["starter"]) as second,
    ):
        visits = _visits(ports)
    starts = {"ours": first, "starter": second}
    return {name: {"start_s": starts[name], "page_ms": visits.get(name)} for name in _READY}


def _visits(ports: dict[str, int]) -> dict[str, float]:
    """Median milliseconds until a question can be typed; nothing without a browser."""
    browser = os.environ.get(CHROMIUM) or shutil.which("chromium")
    if browser is None:
        runs.note(f"no chromium: page loads are not measured (${CHROMIUM} may name one)")
        return {}
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    times: dict[str, list[float]] = {name: [] for name in ports}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=_FLAGS)
        for turn in range(VISITS + 1):
            for name, port in ports.items():
                context = chromium.new_context()
                visited = context.new_page()
                started = time.perf_counter()
                visited.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
                visited.wait_for_selector(_READY[name])
                if turn:  # the first fills caches of the servers
                    times[name].append((time.perf_counter() - started) * 1000)
                context.close()
        chromium.close()
    return {name: round(statistics.median(found), 1) for name, found in times.items()}


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
    from eval.starter import Starter  # noqa: PLC0415

    starter = Starter(str(folder), open_embedder(Settings.load()))

    def reply(message: str, _history: list[Any]) -> str:
        return "\n\n".join(node.text for node in starter.find(message))

    gr.ChatInterface(reply).launch(server_name="127.0.0.1", server_port=port, quiet=True)


if __name__ == "__main__":
    _starter_server(Path(sys.argv[1]), int(sys.argv[2]))
