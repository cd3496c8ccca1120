"""Chromium, and the page served over libraries that the tests fill."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from chromium import CHROMIUM
from live import Live
from remembering import RememberingQuestions
from scripted_server import ScriptedServer

from assistant.assistant import Assistant
from assistant.embedding import Embedder
from assistant.settings import Settings

GRADIO = [
    # Gradio looks at a name of Starlette's and of Python's that are on their way out
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
"""Marks of a module whose tests make the page."""
BROWSER = [pytest.mark.browser, pytest.mark.slow, *GRADIO]
"""Marks of a module whose tests drive a browser."""
SHOTS = Path(__file__).parent.parent / "screenshots"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser; it ends with the module, as an event loop runs in this thread until then."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there; apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  only where it is used

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


Serve = Callable[..., Live]


@pytest.fixture
def fresh_script() -> Iterator[ScriptedServer]:
    """A scripted language model for one test."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="session")
def filled_libraries() -> dict[str, Path]:
    """Libraries that copies are made of, by the lines of their papers."""
    return {}


@pytest.fixture(scope="session")
def page_embedder(real_embedder: Embedder) -> Embedder:
    """The real model; papers are computed whenever they come in, questions once."""
    return RememberingQuestions(real_embedder)


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory,
    page_embedder: Embedder,
    filled_libraries: dict[str, Path],
    model_cache: Path,
) -> Iterator[Serve]:
    """Starts pages with the real embedding model; they end with the module."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr("assistant.embedding.open_embedder", lambda *_, **__: page_embedder)
        uploads = tmp_path_factory.mktemp("uploads")
        patch.setenv("GRADIO_TEMP_DIR", str(uploads))
        cache = tmp_path_factory.mktemp("cache")
        for name in os.environ:
            if name.startswith(("ASSISTANT_", "OPENAI_")):
                patch.delenv(name)

        def filled(lines: str) -> Path:
            if lines not in filled_libraries:
                folder = tmp_path_factory.mktemp("filled")
                source = folder / "papers.jsonl"
                source.write_text(lines, encoding="utf-8")
                with Assistant(Settings.load(library=folder / "library", cache=cache)) as first:
                    first.ingest([source])
                filled_libraries[lines] = folder / "library"
            return filled_libraries[lines]

        def start(*papers: dict[str, Any], host: str = "127.0.0.1", **settings: Any) -> Live:
            folder = tmp_path_factory.mktemp("library") / "library"
            made = Settings.load(library=folder, cache=cache, **settings)
            if papers:
                shutil.copytree(filled("\n".join(map(json.dumps, papers))), folder)
            return stack.enter_context(Live(made, page=True, host=host))

        yield start


class Visit:
    """A page in a browser profile of its own; notes all that should not happen."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.url = url
        self.trouble: list[str] = []
        size = options.pop("size", (1400, 900))
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, accept_downloads=True, **options
        )
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("request", self._request)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.trouble.append(f"dialog: {dialog.message}"))

    def _request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1":
            self.trouble.append(f"request: {request.url}")

    def _console(self, message: Any) -> None:
        # Gradio's script says so of its own request when a page is left in the middle of one
        left = "AbortError" in message.text or "Connection errored out" in message.text
        if message.type == "error" and not left:
            self.trouble.append(f"console: {message.text}")

    def open(self, where: str = "/") -> Visit:
        self.page.goto(self.url + where)
        self.page.wait_for_selector("html[data-ready]")
        self.page.wait_for_selector(".welcome, .turn", state="attached")
        return self

    def ask(self, question: str) -> Any:
        """Asks, and waits until the answer (or the card) is there; gives its turn."""
        turns = self.page.locator("#thread .turn")
        before = turns.count()
        count = "+(document.documentElement.dataset.answers || 0)"
        answers = self.page.evaluate(count)
        self.page.fill("#composer textarea", question)
        self.page.keyboard.press("Enter")
        self.page.wait_for_function(f"{count} > {answers}")
        self.page.wait_for_selector(f"#thread .turn >> nth={before}")
        return turns.nth(before)

    def shot(self, name: str) -> None:
        """A picture to look at, once what slides and fades stands."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=str(SHOTS / f"{name}.png"))


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Visit]]:
    """``visit(url, size=…, color_scheme=…)``: a visitor; at the end nothing may have gone wrong."""
    visits: list[Visit] = []

    def come(url: str, **options: Any) -> Visit:
        made = Visit(chromium, url, **options)
        visits.append(made)
        return made

    yield come
    for made in visits:
        made.context.close()
    assert [line for made in visits for line in made.trouble] == []
