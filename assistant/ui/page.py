"""The chat page: Gradio's `Blocks` around `Assistant`; events in, HTML out.

No state of one visitor is reachable by another: a `Visitor` lives in Gradio's session state,
conversations live in the browser and are sent along with each question.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from pydantic import ValidationError

from assistant.endpoint import Cancellation
from assistant.errors import AssistantError, LibraryNotFound
from assistant.exporting import FORMATS
from assistant.feedback import Rating, rate
from assistant.results import (
    Citation,
    CitationEvent,
    DoneEvent,
    ErrorEvent,
    Event,
    Sentence,
    StatusEvent,
    TextEvent,
    VerdictEvent,
)
from assistant.ui import render
from assistant.ui.icons import icon
from assistant.ui.library_view import add_library_view
from assistant.ui.parts import count_of, fixed, html, said, sent, state_of
from assistant.ui.review_view import add_review_view
from assistant.ui.settings_view import add_settings_view, origins_table
from assistant.ui.turns import Failure, LibraryName, Turn, history_of, markdown_of, turns_of
from assistant.ui.visitors import Shelf, Visitor

__all__ = ["build_page", "head"]

_FOLDER = Path(__file__).parent
_EVERY = 0.06
"""Seconds between two pictures of an answer that is being written."""

_SHOWN_TITLE = 110
"""Characters of a title that is short enough to be asked about."""

log = logging.getLogger("assistant.ui")

_BRAND = f"""<div class="brand"><button type="button" class="icon" id="menu-button" data-act="rail"
aria-label="Conversations">{icon("menu")}</button>{icon("mark")}<span class="name">Abstract
Assistant</span></div>"""
_VIEWS = """<nav class="views" aria-label="Views">
<button type="button" data-act="view" data-view="chat">Chat</button>
<button type="button" data-act="view" data-view="review">Review</button>
<button type="button" data-act="view" data-view="library">Library</button>
<button type="button" data-act="view" data-view="settings">Settings</button></nav>"""
_RAIL = """<div class="rail-head"><h2>Conversations</h2>
<button type="button" class="button small" data-act="new">New</button></div>
<ul></ul><p class="quiet">Your conversations are kept in this browser only.</p>"""
_COMPOSER = f"""<div class="editing">Editing an earlier question; what came after it goes.
<button type="button" data-act="leave-editing">Leave it</button></div>
<form class="composer" data-form="ask"><textarea rows="1" maxlength="20000"
aria-label="Your question" placeholder="Ask about the papers…"></textarea>
<button class="send" aria-label="Ask">{icon("send")}</button>
<button type="button" class="stop" data-act="stop" aria-label="Stop">{icon("stop")}</button></form>"""


def head() -> str:
    """What stands in the head of the page: the theme, before Gradio's own styles."""
    theme = (_FOLDER / "theme.css").read_text(encoding="utf-8")
    return f"<meta name='color-scheme' content='light dark'><style>{theme}</style>"


def build_page(shelf: Shelf) -> gr.Blocks:
    """The page over the libraries of ``shelf``."""
    page: gr.Blocks
    with gr.Blocks(
        title="Abstract Assistant",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(1800, 3600),
    ) as page:
        visitor = gr.State(None, time_to_live=12 * 3600, delete_callback=_leave)
        with gr.Row(elem_id="bar"):
            fixed(_BRAND, "brand")
            fixed(_VIEWS, "views")
            state = html("state")
        with gr.Row(elem_id="chat-view"):
            fixed(_RAIL, "rail")
            with gr.Column(elem_id="talk"):
                thread = html("thread")
                live = html("live")
                fixed(_COMPOSER, "composer")
        panel = html("panel")
        scripts = ("page.js", "map.js")
        bridge = gr.HTML(
            None,
            html_template="",
            js_on_load="\n".join((_FOLDER / name).read_text("utf-8") for name in scripts),
            elem_id="bridge",
        )

        def on(name: str, act: Callable[..., Any], outputs: list[Any], **how: Any) -> None:
            settings = {
                "show_progress": "hidden",
                "trigger_mode": "multiple",
                "api_visibility": "private",
                "concurrency_limit": 8,
                **how,
            }
            getattr(bridge, name)(act, visitor, outputs, **settings)

        add_review_view(on, shelf, visitor, bridge)
        add_library_view(on, shelf, visitor, state, bridge)
        origins = add_settings_view(shelf, visitor, state)

        chat = _Chat(shelf)
        on("open", chat.open, [visitor, thread, state, bridge])
        on("ask", chat.ask, [visitor, thread, live, state, bridge], concurrency_limit=None)
        on("stop", chat.stop, [], concurrency_limit=None)
        on("source", chat.source, [panel], trigger_mode="always_last")
        on("sample", chat.sample, [visitor, thread, state, bridge])
        on("rate", chat.rated, [thread, bridge])
        on("bibtex", chat.bibtex, [bridge])
        on("settings", chat.origins, [origins])
    return page


class _Chat:
    """What the chat's events do. Holds nothing of any visitor."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def open(self, here: Visitor | None, event: gr.EventData) -> tuple[Any, ...]:
        """A conversation of the browser, or the welcome; then a linked question."""
        here = here or Visitor(self._shelf)
        asked = sent(event)
        turns = turns_of(asked.get("turns"))
        shown = render.thread(turns) if turns else _welcome(here)
        then = str(asked.get("then") or "").strip()
        return here, shown, state_of(here), said(ask=then) if then else gr.skip()

    def ask(self, here: Visitor | None, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        """The pictures of an answer while it is made, then the turn to keep."""
        here = here or Visitor(self._shelf)
        asked = sent(event)
        turns = turns_of(asked.get("turns"))
        if asked.get("library") in ("own", "sample"):
            here.library = asked["library"]
        turn = Turn(question=str(asked.get("text"))[:20_000], library=here.library)
        yield here, render.thread(turns), render.live(turn.question, []), gr.skip(), gr.skip()
        for picture in _answered(here, turn, turns):
            yield here, gr.skip(), picture, gr.skip(), gr.skip()
        message = said(idle=True, conversation=str(asked.get("conversation")), turn=_stored(turn))
        yield here, render.thread([*turns, turn]), "", state_of(here), message

    def stop(self, here: Visitor | None) -> None:
        """Stops what runs for this visitor."""
        if here is not None and here.cancellation is not None:
            here.cancellation.set()

    def source(self, here: Visitor | None, event: gr.EventData) -> str:
        """A paper for the panel at the side."""
        return _panel(here or Visitor(self._shelf), sent(event))

    def sample(self, here: Visitor | None, event: gr.EventData) -> tuple[Any, ...]:
        """Opens the sample library."""
        here = here or Visitor(self._shelf)
        turns = turns_of(sent(event).get("turns"))
        try:
            self._shelf.assistant("sample")
        except AssistantError as error:
            return here, gr.skip(), gr.skip(), said(toast=str(error))
        here.library = "sample"
        again = bool(turns) and turns[-1].failure is not None
        shown = render.thread(turns) if turns else _welcome(here)
        message = said(toast="The sample library is open", again=again)
        return here, shown, state_of(here), message

    def rated(self, here: Visitor | None, event: gr.EventData) -> tuple[Any, ...]:
        """Keeps a thumb or its note."""
        return _rated(here or Visitor(self._shelf), sent(event))

    def bibtex(self, here: Visitor | None, event: gr.EventData) -> Any:
        """The cited papers of a turn, to download."""
        return _bibtex(here or Visitor(self._shelf), turns_of([sent(event).get("turn")]))

    def origins(self, here: Visitor | None) -> str:
        """What is set where."""
        return origins_table(here or Visitor(self._shelf))


def _leave(here: Visitor | None) -> None:
    if here is not None:
        here.close()


def _stored(turn: Turn) -> dict[str, Any]:
    """The turn as the browser keeps it, with its Markdown for the export."""
    kept = turn.slim().model_dump(mode="json", exclude_none=True)
    if turn.answer is not None:
        kept["markdown"] = markdown_of(turn.answer)
    return kept


def _answered(here: Visitor, turn: Turn, before: list[Turn]) -> Iterator[str]:
    """Pictures of the answer while it is made; ``turn`` holds what came of it in the end."""
    here.cancellation = cancellation = Cancellation()
    written = _Written(turn)
    try:
        assistant = here.assistant()
        if not len(assistant.library):
            raise LibraryNotFound("There is no paper in your library yet.", "Add some first.")
        events = assistant.stream(turn.question, history_of(before), cancellation=cancellation)
        last = 0.0
        for event in events:
            written.take(event)
            if cancellation:
                continue  # what comes now is the end, and what there is
            if time.monotonic() - last >= _EVERY or isinstance(event, StatusEvent):
                last = time.monotonic()
                yield written.picture()
    except LibraryNotFound as error:
        turn.failure = Failure(what=error.what, do=error.do, kind="empty")
    except AssistantError as error:
        turn.failure = Failure(what=error.what, do=error.do)
    except Exception:
        log.exception("a question could not be answered")
        turn.failure = Failure(
            what="Something went wrong inside the program; this is a defect.",
            do="Try again; the terminal that it was started from says more.",
        )
    finally:
        if cancellation and not written.whole:
            turn.stopped, turn.failure = True, None
            turn.answer = turn.answer or written.partial()
        here.cancellation = None


class _Written:
    """What has been written of an answer so far."""

    def __init__(self, turn: Turn) -> None:
        self.whole = False
        self._turn = turn
        self._text = ""
        self._citations: list[Citation] = []
        self._sentences: list[Sentence] = []

    def take(self, event: Event) -> None:
        """Takes the next event."""
        turn = self._turn
        if isinstance(event, StatusEvent):
            turn.steps = [*turn.steps, event.text][-60:]
        elif isinstance(event, TextEvent):
            self._text += event.text
        elif isinstance(event, CitationEvent):
            self._citations.append(event.citation)
        elif isinstance(event, VerdictEvent):
            self._sentences[event.index :] = [event.sentence]
        elif isinstance(event, DoneEvent):
            turn.answer, self.whole = event.answer, True
        elif isinstance(event, ErrorEvent):
            turn.answer = event.partial
            error = event.error
            what, do = event.message, ""
            if isinstance(error, AssistantError):
                what, do = error.what, error.do
            turn.failure = Failure(what=what, do=do)

    def picture(self) -> str:
        """The turn as it looks now."""
        turn = self._turn
        return render.live(
            turn.question,
            turn.steps,
            self._text,
            self._citations,
            self._sentences,
            library=turn.library,
        )

    def partial(self) -> Any:
        """What there is, as an answer; None where there is nothing."""
        from assistant.results import Answer  # noqa: PLC0415

        if not self._text.strip():
            return None
        return Answer(
            question=self._turn.question,
            standalone_question=self._turn.question,
            answer=self._text,
            answered=True,
            status="answered",
            confidence=0.0,
            citations=self._citations,
            sentences=self._sentences,
        )


def _welcome(here: Visitor) -> str:
    papers = count_of(here)
    if here.library == "sample" or not papers:
        return render.welcome(here.library, papers, render.SAMPLE_QUESTIONS)
    return render.welcome(here.library, papers, _own_questions(here))


def _own_questions(here: Visitor) -> list[str]:
    """Three questions that the visitor's own library surely answers."""
    try:
        index = here.shelf.assistant("own").library.index(check=False)
    except AssistantError:
        return []
    places = sorted({0, len(index) // 2, len(index) - 1})
    titles = [index.paper(place).title for place in places]
    return [f"What does “{title}” find?" for title in titles if 0 < len(title) <= _SHOWN_TITLE]


def _rated(here: Visitor, asked: dict[str, Any]) -> tuple[Any, ...]:
    """Writes a thumb or its note down; the thread with it, and what is said."""
    turns, at = turns_of(asked.get("turns")), asked.get("at")
    if (
        not isinstance(at, int)
        or not 0 <= at < len(turns)
        or asked.get("rating") not in ("up", "down")
    ):
        return gr.skip(), gr.skip()
    turn = turns[at]
    answer = turn.answer
    if answer is None:
        return gr.skip(), gr.skip()
    rating = Rating(
        id=f"{str(asked.get('conversation'))[:60]}/{at}",
        rating=asked["rating"],
        note=str(asked.get("note") or "")[:2000],
        question=turn.question,
        history=history_of(turns[:at]),
        answer=answer.answer,
        status=answer.status,
        mode=answer.mode,
        model=answer.model,
        confidence=answer.confidence,
        cited_ids=[citation.paper_id for citation in answer.citations],
        cited_titles=answer.cited_titles,
    )
    try:
        rate(here.shelf.assistant(turn.library).library.path, rating)
    except (AssistantError, OSError):
        return gr.skip(), said(
            toast="This could not be kept: the library's folder is not writable."
        )
    return render.thread(turns), gr.skip()


def _bibtex(here: Visitor, turns: list[Turn]) -> Any:
    """The cited papers of a turn as a file for the browser."""
    if not turns or turns[0].answer is None:
        return gr.skip()
    assistant = here.shelf.assistant(turns[0].library)
    library = assistant.library
    papers = []
    for citation in turns[0].answer.citations:
        with contextlib.suppress(AssistantError):  # removed meanwhile
            papers.append(library.paper(citation.paper_id))
    if not papers:
        return said(toast="The cited papers are no longer in the library.")
    text = "".join(FORMATS["bibtex"](papers, assistant.citation_keys()))
    return said(download={"name": "cited-papers.bib", "text": text})


def _panel(here: Visitor, sent: dict[str, Any]) -> str:
    """The paper that was asked for, from the library that it was cited from."""
    library: LibraryName = "sample" if sent.get("library") == "sample" else "own"
    try:
        paper = here.shelf.assistant(library).library.paper(str(sent.get("paper", ""))[:400])
    except AssistantError as error:
        return render.failure_panel(Failure(what=error.what, do=error.do))
    except ValidationError:
        return render.failure_panel(Failure(what="This paper cannot be shown."))
    try:
        score = float(sent["score"]) if sent.get("score") else None
    except (TypeError, ValueError):
        score = None
    return render.source_panel(
        paper,
        number=str(sent.get("number") or "")[:4],
        quote=str(sent.get("quote") or "")[:4000],
        support=str(sent.get("support") or ""),
        score=score,
        why=str(sent.get("why") or "")[:400],
    )
