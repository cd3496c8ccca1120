"""The Review view: a topic, the papers found for it, the review."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from assistant.assistant import Assistant
from assistant.endpoint import Cancellation
from assistant.errors import AssistantError, LibraryNotFound
from assistant.review.model import Review, ReviewCandidate, ReviewProgress
from assistant.review.rendering import FORMATS
from assistant.review.rendering import render as rendered
from assistant.ui import render, review_render
from assistant.ui.parts import Listener, fixed, html, said, sent
from assistant.ui.turns import Failure
from assistant.ui.visitors import Desk, Shelf, Visitor

__all__ = ["add_review_view"]

log = logging.getLogger("assistant.ui")

_EVERY = 0.12
"""Seconds between two looks at how far a review is."""
_MOST = 200
_USUAL = 20

_HEAD = f"""<header class="page-head"><h1>Review</h1><p>A literature review of a topic from the
papers of the library: themes, a comparison table, open questions, references. Every sentence
cites what it rests on and is compared with it.</p></header>
<form class="seek" data-form="seek"><label>Topic<input name="topic" id="review-topic"
maxlength="4000" placeholder="mixture-of-experts compression"></label><label class="few">Papers
<input name="papers" id="review-papers" type="number" min="1" max="{_MOST}"
value="{_USUAL}"></label>
<button class="button first">Find papers</button></form>"""


class _Stopped(Exception):
    """The visitor wants no more of it."""


def add_review_view(on: Listener, shelf: Shelf, visitor: gr.State, bridge: gr.HTML) -> None:
    """Puts the view on the page; to be called within the `Blocks`."""
    with gr.Column(elem_id="review-view"):
        fixed(_HEAD, "review-head")
        found = html("review-found")
        cost = html("review-cost")
        live = html("review-live")
        result = html("review-result")

    def seek(here: Visitor | None, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        here = here or Visitor(shelf)
        yield here, "", "", _looking(), "", gr.skip()
        yield here, *_sought(here, sent(event)), said(desk="found")

    def include(here: Visitor | None, event: gr.EventData) -> Any:
        return _included(here or Visitor(shelf), sent(event))

    def forecast(here: Visitor | None, event: gr.EventData) -> str:
        here = here or Visitor(shelf)
        return _forecast(here, _ticked(here.desk, sent(event)))

    def compose(here: Visitor | None, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        here = here or Visitor(shelf)
        yield here, review_render.working(0.0, "Opening the library…", ""), "", gr.skip()
        for picture in _written(here, _ticked(here.desk, sent(event))):
            yield here, picture, gr.skip(), gr.skip()
        made = here.desk.review
        shown = review_render.document(made, here.desk.library) if made else ""
        yield here, "" if made else gr.skip(), shown, said(desk="written")

    def halt(here: Visitor | None) -> None:
        if here is not None and here.desk.cancellation is not None:
            here.desk.cancellation.set()

    def save(here: Visitor | None, event: gr.EventData) -> Any:
        return _saved(here or Visitor(shelf), str(sent(event).get("form")))

    on("seek", seek, [visitor, found, cost, live, result, bridge])
    on("include", include, [found, cost, bridge])
    on("forecast", forecast, [cost], trigger_mode="always_last")
    on("compose", compose, [visitor, live, result, bridge])
    on("halt", halt, [], concurrency_limit=None)
    on("save", save, [bridge])


def _looking() -> str:
    return '<p class="quiet" role="status"><i class="spinner"></i> Looking for papers…</p>'


def _sought(here: Visitor, asked: dict[str, Any]) -> tuple[str, str, str, str]:
    """List, cost, card and document after a search."""
    topic = str(asked.get("topic") or "")[:4000]
    here.desk = desk = Desk(topic=topic, library=here.library)
    try:
        assistant = _opened(here)
        papers = _count(asked.get("papers"))
        desk.candidates = assistant.review_candidates(topic, papers)
        if not desk.candidates:  # it says so itself, without a call of a language model
            absent = assistant.review(topic, papers)
            return "", "", "", review_render.document(absent, desk.library)
        shown = review_render.candidates(desk.candidates, set(), desk.library)
    except Exception as error:  # noqa: BLE001  _card logs what is no error of ours
        return "", "", _card(error), ""
    return shown, _forecast(here, desk.candidates), "", ""


def _opened(here: Visitor) -> Assistant:
    """The visitor's assistant over the library of their desk, which holds something.

    Raises:
        LibraryNotFound: it holds nothing.
    """
    assistant = here.assistant(here.desk.library)
    if not len(assistant.library):
        raise LibraryNotFound("There is no paper in your library yet.", "Add some first.")
    return assistant


def _count(value: object) -> int:
    text = str(value or "").strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else _USUAL
    return max(1, min(_MOST, number))


def _ticked(desk: Desk, asked: dict[str, Any]) -> list[ReviewCandidate]:
    sent_ids = asked.get("ticks")
    ids = set(map(str, sent_ids if isinstance(sent_ids, list) else []))
    return [one for one in desk.candidates if one.paper.id in ids]


def _choice(desk: Desk, chosen: list[ReviewCandidate]) -> dict[str, Any]:
    """What was chosen, as `Assistant.review` takes it."""
    kept = {one.paper.id for one in chosen}
    return {
        "papers": len(chosen),
        "include": [one.paper.id for one in chosen if one.by_hand],
        "exclude": [one.paper.id for one in desk.candidates if one.paper.id not in kept],
    }


def _forecast(here: Visitor, chosen: list[ReviewCandidate]) -> str:
    """Tokens and cost of what is chosen; nothing without a language model."""
    try:
        assistant = here.assistant(here.desk.library)
        if not assistant.settings.llm or not chosen:
            return ""
        estimate = assistant.preview_review(here.desk.topic, **_choice(here.desk, chosen))
    except Exception as error:  # noqa: BLE001  _card logs it
        return _card(error)
    return review_render.cost(estimate, assistant.settings.llm)


def _included(here: Visitor, asked: dict[str, Any]) -> tuple[Any, ...]:
    """The list with one more paper, or with what is wrong about it; the cost."""
    desk, name = here.desk, str(asked.get("name") or "").strip()[:2000]
    if not name or not desk.candidates:
        return gr.skip(), gr.skip(), gr.skip()
    chosen = _ticked(desk, asked)
    told = ""
    try:
        paper = here.assistant(desk.library).library.paper(name)
    except AssistantError as error:
        told = str(error)
    except Exception:
        log.exception("a paper could not be looked up")
        told = "This paper could not be looked up."
    else:
        old = next((one for one in desk.candidates if one.paper.id == paper.id), None)
        if old is None:
            old = ReviewCandidate(paper=paper, relevance=0.0, by_hand=True)
            desk.candidates = [*desk.candidates, old]
        else:
            told = "" if old not in chosen else f"It is among them already: {paper.label}"
        if old not in chosen:
            chosen.append(old)
    kept = {one.paper.id for one in chosen}
    left = {one.paper.id for one in desk.candidates} - kept
    shown = review_render.candidates(desk.candidates, left, desk.library, told)
    return shown, _forecast(here, chosen), gr.skip() if told else said(desk="added")


def _written(here: Visitor, chosen: list[ReviewCandidate]) -> Iterator[str]:
    """Pictures of a review that is being written; the desk holds what came of it."""
    desk = here.desk
    desk.review = None
    if not chosen:
        failure = Failure(what="No paper is chosen.", do="Find papers, and leave some ticked.")
        yield render.refusal(failure, "Nothing to write from")
        return
    desk.cancellation = cancellation = Cancellation()
    try:
        assistant, choice = _opened(here), _choice(desk, chosen)

        def write(tell: Callable[[ReviewProgress], None]) -> Review:
            return assistant.review(
                desk.topic, **choice, on_progress=tell, cancellation=cancellation
            )

        work = _Work(write, cancellation)
        while not work.wait(_EVERY) and not cancellation:
            yield work.picture()
        if cancellation:
            yield '<p class="notes" role="status">Stopped; nothing was written.</p>'
        elif work.error is not None:
            yield _card(work.error)
        desk.review = None if cancellation else work.review
    except AssistantError as error:
        yield _card(error)
    finally:
        cancellation.set()  # who leaves stops it
        desk.cancellation = None


class _Work:
    """A review that is written by a thread of its own."""

    def __init__(
        self,
        write: Callable[[Callable[[ReviewProgress], None]], Review],
        cancellation: Cancellation,
    ) -> None:
        self.review: Review | None = None
        self.error: Exception | None = None
        self._write = write
        self._cancellation = cancellation
        self._progress: ReviewProgress | None = None
        self._done = threading.Event()
        self._started = time.monotonic()
        threading.Thread(target=self._run, name="assistant-review", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether it is done, after so many seconds at most."""
        return self._done.wait(seconds)

    def picture(self) -> str:
        """How far it is."""
        now = self._progress
        if now is None:
            return review_render.working(0.0, "Opening the library…", "")
        text = f"{now.step[:1].upper()}{now.step[1:]}"
        right = [f"{now.tokens:,} tokens"] if now.tokens else []
        if now.seconds_left is not None:
            right.append(f"{now.seconds_left:.0f} s left")
        else:
            right.append(f"{time.monotonic() - self._started:.0f} s")
        return review_render.working(now.done / max(1, now.total), text, " · ".join(right))

    def _run(self) -> None:
        try:
            self.review = self._write(self._tell)
        except _Stopped:
            pass
        except Exception as error:  # noqa: BLE001  shown as a card
            self.error = error
        finally:
            self._done.set()

    def _tell(self, progress: ReviewProgress) -> None:
        if self._cancellation:
            raise _Stopped
        self._progress = progress


def _card(error: Exception) -> str:
    if isinstance(error, LibraryNotFound):
        return render.failure(Failure(what=error.what, do=error.do, kind="empty"))
    if isinstance(error, AssistantError):
        return render.failure(Failure(what=error.what[:4000], do=error.do[:4000]))
    log.error("a review could not be written", exc_info=error)
    return render.failure(
        Failure(
            what="Something went wrong inside the program; this is a defect.",
            do="Try again; the terminal that it was started from says more.",
        )
    )


def _saved(here: Visitor, form: str) -> Any:
    """The review as a file for the browser."""
    made = here.desk.review
    if made is None or form not in FORMATS:
        return said(toast="There is no review to download any more: write it again.")
    name = re.sub(r"[^\w]+", "-", made.topic).strip("-")[:60].rstrip("-") or "review"
    return said(download={"name": f"{name}.{form}", "text": rendered(made, form)})
