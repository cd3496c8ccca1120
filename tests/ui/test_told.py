"""What every view tells of errors to somebody on another machine: no address, path or key."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_embedder import FakeEmbedder
from live import Live
from scripted_server import ScriptedServer, failure

from assistant.assistant import Assistant
from assistant.conversations import ConversationStore
from assistant.errors import AssistantError, ConfigurationError, KeyRefused, LibraryMismatch
from assistant.paper import Paper
from assistant.review.model import ReviewCandidate
from assistant.settings import Settings
from assistant.ui import page, settings_view
from assistant.ui.answers import Live as Written
from assistant.ui.turns import Turn
from assistant.ui.visitors import Choices, Shelf, Visitor

from .conftest import GRADIO

pytestmark = GRADIO

SECRET = "http://10.0.0.5:9/v1 of /srv/secret refuses the key sk-12…89"
ERRORS = [KeyRefused(SECRET, SECRET), LibraryMismatch(SECRET, SECRET), ConfigurationError(SECRET)]
PARTS = ("10.0.0.5", "/srv", "sk-12", "…89")
Acts = dict[str, Callable[..., Any]]
SENT = {
    "source": {"paper": "x"},
    "seek": {"topic": "pruning", "papers": "3"},
    "include": {"name": "A paper", "ticks": ["title:one"]},
    "forecast": {"ticks": ["title:one"]},
    "compose": {"ticks": ["title:one"]},
    "resume": {"id": "0123456789"},
    "remove": {"paper": "x"},
    "save": {"form": "md"},
    "unkeep": {"id": "0123456789"},
}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    fake = FakeEmbedder()
    monkeypatch.setattr("assistant.embedding.open_embedder", lambda *_, **__: fake)
    settings = Settings.load(library=tmp_path / "own", llm="m", openai_api_key="k" * 20)
    return Shelf(settings, trusted=False)


@pytest.fixture
def acts(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Acts:
    """What the page does when its script sends something, by the names of what it sends."""
    found: Acts = {}
    wrap = page._for_visitor

    def noted(shelf: Shelf, act: Callable[..., Any]) -> Callable[..., Any]:
        found[act.__name__.strip("_")] = act
        return wrap(shelf, act)

    monkeypatch.setattr(page, "_for_visitor", noted)
    built(shelf)
    return found


def built(shelf: Shelf) -> Any:
    """The page, made where an event loop runs, as the server makes it."""

    async def make() -> Any:
        return page.build_page(shelf)

    return asyncio.run(make())


def everything(act: Callable[..., Any], here: Visitor, sent: dict[str, Any]) -> str:
    told = act(here, sent)
    return repr(list(told) if inspect.isgenerator(told) else told)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_no_view_tells_of_the_server(
    error: AssistantError,
    shelf: Shelf,
    acts: Acts,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    store = ConversationStore(None)

    def broken(*_: object, **__: object) -> Any:
        raise error

    monkeypatch.setattr(Shelf, "store", property(lambda _: store))
    for name in ("review", "delete_review", "keep_review"):
        monkeypatch.setattr(store, name, broken)
    monkeypatch.setattr(shelf, "assistant", broken)
    monkeypatch.setattr("assistant.ui.review_view.rendered", broken)
    here = Visitor(shelf)
    here.review.topic = "pruning"
    one = Paper(title="One", abstract="It is one.")
    here.review.candidates = [ReviewCandidate(paper=one, relevance=0.5)]
    told = {}
    aliases = {"sought": "seek", "included": "include", "ticked_anew": "forecast"}
    for name, act in acts.items():
        wanted = aliases.get(name, name)
        sent = SENT.get(wanted, SENT["source"])
        told[name] = everything(act, here, {**sent, "ticks": [one.id]})
    assert len(told) >= 14
    values = ("Your library", 8, "A language model", "", "m", "", "normal", "English")
    told["apply"] = settings_view._apply(here, values)
    told["try"] = settings_view._tried(here, values)
    told["origins"] = settings_view.origins_table(here)
    uploads = here.uploads
    file = tmp_path / "papers.jsonl"
    file.write_text("{}", encoding="utf-8")
    uploads.add([str(file)])
    while uploads.busy:
        time.sleep(0.01)
    told["upload"] = uploads.picture()
    assert "cannot" in told["upload"] or "could not" in told["upload"]
    for name, text in told.items():
        assert not [part for part in PARTS if part in text], (name, text)
    assert sum("terminal" in text for text in told.values()) >= 8


def test_settings_tell_no_address_of_the_server(shelf: Shelf, tmp_path: Path) -> None:
    with ScriptedServer() as script:
        script.answer = lambda _: failure(401, "Incorrect API key provided: sk-12***89")
        settings = Settings.load(library=tmp_path, llm="m", openai_base_url=script.url)
        address = script.url.removeprefix("http://").removesuffix("/v1")
        for trusted in (True, False):
            other = Shelf(settings, trusted=trusted)
            other.assistant = lambda _, settings=settings: Assistant(settings)  # type: ignore[method-assign]
            here = Visitor(other)
            told = settings_view._tested(here, settings) + settings_view.origins_table(here)
            assert (address in told) is trusted
            assert (str(tmp_path) in told) is trusted
            assert trusted or "sk-12" not in told
            made = built(other).get_config_file()
            assert (address in repr(made)) is trusted


def test_what_there_is_of_an_answer_does_not_repeat_the_error() -> None:
    from assistant.results import Answer, ErrorEvent  # noqa: PLC0415

    partial = Answer(
        question="Why?",
        standalone_question="Why?",
        answer="So.",
        answered=False,
        status="closest",
        confidence=0.0,
        notes=[f"This answer is not finished: {SECRET}"],
    )
    for here in (True, False):
        live = Written(Turn(question="Why?"), "conversation", here=here)
        live.take(ErrorEvent(message=SECRET, error=ERRORS[0], partial=partial))
        assert ("sk-12" in repr(live.turn.stored())) is here


def test_no_route_of_the_page_tells_of_the_server(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise ERRORS[1]

    with (
        Live(shelf.settings, page=True, host="0.0.0.0") as live,
        httpx.Client(base_url=f"{live.url}/page") as client,
    ):
        made = client.post("/conversations/0123456789/ask", json={"text": "Why?"})
        assert made.status_code == 200
        monkeypatch.setattr(Shelf, "assistant", broken)
        for name in ("conversations", "conversation", "append", "turn", "exported", "imported"):
            monkeypatch.setattr(ConversationStore, name, broken)
        replies = [
            client.get("/conversations"),
            client.get("/conversations/0123456789"),
            client.get("/scope"),
            client.post("/conversations/0123456789/ask", json={"text": "Why?"}),
            client.get("/turns/0123456789/export", params={"form": "md"}),
            client.get("/export"),
            client.post("/import", json={"text": "{}"}),
            client.get("/conversations/0123456789/follow"),
        ]
        for reply in replies:
            assert reply.status_code >= 400, reply.url
            assert not [part for part in PARTS if part in reply.text], reply.text


def test_a_visitor_of_this_machine_is_told_everything(shelf: Shelf) -> None:
    shelf.trusted = True
    here = Visitor(shelf)
    here.choose(Choices())
    assert str(here.failure(ERRORS[0])) == f"{SECRET} {SECRET}"
