"""The Review view: a topic, the papers found for it, the review."""

from __future__ import annotations

import base64
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from pydantic import ValidationError

from assistant.assistant import Assistant
from assistant.endpoint import Cancellation
from assistant.errors import AssistantError, LibraryNotFound
from assistant.review.model import Review, ReviewCandidate, ReviewProgress
from assistant.review.rendering import BINARY, FORMATS, rendered
from assistant.ui import render, review_render
from assistant.ui.parts import Listener, fixed, html, message
from assistant.ui.turns import Failure, LibraryName
from assistant.ui.visitors import ReviewInWork, Visitor

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


def add_review_view(on: Listener, bridge: gr.HTML) -> None:
    """Puts the view on the page; to be called within the `Blocks`."""
    with gr.Column(elem_id="review-view"):
        fixed(_HEAD, "review-head")
        kept = html("review-kept")
        found = html("review-found")
        cost = html("review-cost")
        live = html("review-live")
        result = html("review-result")

    on("seek", _seek, [found, cost, live, result, bridge])
    on("include", _included, [found, cost, bridge])
    on("forecast", _ticked_anew, [cost], trigger_mode="always_last")
    on("compose", _compose, [kept, live, result, bridge], concurrency_limit=None)
    on("resume", _resume, [found, cost, kept, live, result, bridge], concurrency_limit=None)
    on("halt", _halt, [], concurrency_limit=None)
    on("unkeep", _unkeep, [kept, result, bridge])
    on("save", _saved, [bridge])


def _seek(here: Visitor, asked: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    yield "", "", _looking(), "", gr.skip()
    yield *_sought(here, asked), message(review="found")


def _compose(here: Visitor, asked: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    yield gr.skip(), review_render.working(0.0, "Opening the library…", ""), "", gr.skip()
    _begin(here, _ticked(here.review, asked))
    for picture in _pictures(here):
        yield gr.skip(), picture, gr.skip(), gr.skip()
    yield *_result(here), message(review="written", id=here.review.review_id)


def _resume(here: Visitor, asked: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """What there is, after a reload or from another window; then what is in work."""
    wanted = str(asked.get("id") or "")
    work = here.review
    if wanted and wanted != work.review_id and work.writing is None:
        here.review = work = _reopened(here, wanted)
    listed = _list(work) if work.candidates else ""
    if work.writing is not None:
        told = message(review="writing", topic=work.topic)
        yield listed, gr.skip(), _kept(here), work.writing.picture(), "", told
        for picture in _pictures(here):
            yield gr.skip(), gr.skip(), gr.skip(), picture, gr.skip(), gr.skip()
    told = message(review="resumed", topic=work.topic, id=work.review_id)
    yield listed, gr.skip(), *_result(here), told


def _pictures(here: Visitor) -> Iterator[str]:
    """How far the writing is, until it ends."""
    while (writing := here.review.writing) is not None:
        yield writing.picture()
        writing.wait(_EVERY)


def _result(here: Visitor) -> tuple[str, str, str]:
    """The list of what is kept, the card, the document."""
    work = here.review
    shown = review_render.document(work.review, work.library) if work.review else ""
    return _kept(here), work.card, shown


def _ticked_anew(here: Visitor, asked: dict[str, Any]) -> str:
    work = here.review
    chosen = _ticked(work, asked)
    work.unticked = {one.paper.id for one in work.candidates} - {one.paper.id for one in chosen}
    return _forecast(here, chosen)


def _halt(here: Visitor, _: dict[str, Any]) -> None:
    if here.review.cancellation is not None:
        here.review.cancellation.set()


def _unkeep(here: Visitor, asked: dict[str, Any]) -> tuple[Any, ...]:
    """Deletes a review that is kept."""
    name = str(asked.get("id") or "")
    try:
        here.shelf.store.delete_review(here.owner, name)
    except AssistantError as error:
        return gr.skip(), gr.skip(), message(toast=str(here.failure(error)))
    gone = message(toast="The review is deleted.")
    if here.review.review_id != name:
        return _kept(here), gr.skip(), gone
    here.review.review, here.review.review_id = None, ""
    return _kept(here), "", gone


def _kept(here: Visitor) -> str:
    """The reviews that were written before."""
    return review_render.kept(here.shelf.store.reviews(here.owner), here.review.review_id)


def _reopened(here: Visitor, name: str) -> ReviewInWork:
    """A review out of the library's folder, to be read again."""
    try:
        stored = here.shelf.store.review(here.owner, name)
        made = Review.model_validate(stored.data["review"])
    except AssistantError as error:
        return ReviewInWork(card=_card(here, error))
    except (KeyError, ValidationError):
        what = "This review was kept in a form that cannot be read."
        return ReviewInWork(card=render.failure(Failure(what=what, do="Write it again.")))
    library: LibraryName = "sample" if stored.data.get("library") == "sample" else "own"
    return ReviewInWork(topic=made.topic, library=library, review=made, review_id=name)


def _list(work: ReviewInWork) -> str:
    return review_render.candidates(work.candidates, work.unticked, work.library)


def _looking() -> str:
    return '<p class="quiet" role="status"><i class="spinner"></i> Looking for papers…</p>'


def _sought(here: Visitor, asked: dict[str, Any]) -> tuple[str, str, str, str]:
    """List, cost, card and document after a search."""
    topic = str(asked.get("topic") or "")[:4000]
    if here.review.writing is not None:  # it goes on; what it writes is kept
        failure = Failure(what="A review is being written.", do="Wait for it, or stop it first.")
        return "", "", render.refusal(failure, "One at a time"), ""
    here.review = work = ReviewInWork(topic=topic, library=here.library)
    try:
        assistant = _opened(here)
        papers = _count(asked.get("papers"))
        work.candidates = assistant.review_candidates(topic, papers)
        if not any(one.ring == "core" for one in work.candidates):
            # it says so itself, without a call of a language model
            work.candidates = []
            absent = assistant.review(topic, papers)
            return "", "", "", review_render.document(absent, work.library)
        shown = _list(work)
    except Exception as error:  # noqa: BLE001  _card logs what is no error of ours
        return "", "", _card(here, error), ""
    return shown, _forecast(here, work.candidates), "", ""


def _opened(here: Visitor) -> Assistant:
    """The visitor's assistant over the library of their review, which holds something.

    Raises:
        LibraryNotFound: it holds nothing.
    """
    assistant = here.assistant(here.review.library)
    if not len(assistant.library):
        raise LibraryNotFound("There is no paper in your library yet.", "Add some first.")
    return assistant


def _count(value: object) -> int:
    text = str(value or "").strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else _USUAL
    return max(1, min(_MOST, number))


def _ticked(work: ReviewInWork, asked: dict[str, Any]) -> list[ReviewCandidate]:
    sent_ids = asked.get("ticks")
    ids = set(map(str, sent_ids if isinstance(sent_ids, list) else []))
    return [one for one in work.candidates if one.paper.id in ids]


def _choice(work: ReviewInWork, chosen: list[ReviewCandidate]) -> dict[str, Any]:
    """What was chosen, as `Assistant.review` takes it."""
    kept = {one.paper.id for one in chosen}
    return {
        # those that are only related are listed, unless they were added by hand
        "papers": max(1, sum(one.ring == "core" or one.by_hand for one in chosen)),
        "include": [one.paper.id for one in chosen if one.by_hand],
        "exclude": [one.paper.id for one in work.candidates if one.paper.id not in kept],
    }


def _forecast(here: Visitor, chosen: list[ReviewCandidate]) -> str:
    """Tokens and cost of what is chosen; nothing without a language model."""
    try:
        assistant = here.assistant(here.review.library)
        if not assistant.settings.llm or not chosen:
            return ""
        estimate = assistant.preview_review(here.review.topic, **_choice(here.review, chosen))
    except Exception as error:  # noqa: BLE001  the card's maker logs it
        return _card(here, error)
    return review_render.cost(estimate, assistant.settings.llm)


def _included(here: Visitor, asked: dict[str, Any]) -> tuple[Any, ...]:
    """The list with one more paper, or with what is wrong about it; the cost."""
    work, name = here.review, str(asked.get("name") or "").strip()[:2000]
    if not name or not work.candidates:
        return gr.skip(), gr.skip(), gr.skip()
    chosen = _ticked(work, asked)
    refused = ""
    try:
        paper = here.assistant(work.library).library.paper(name)
    except AssistantError as error:
        refused = str(here.failure(error))
    except Exception:
        log.exception("a paper could not be looked up")
        refused = "This paper could not be looked up."
    else:
        old = next((one for one in work.candidates if one.paper.id == paper.id), None)
        if old is None:
            old = ReviewCandidate(paper=paper, relevance=0.0, by_hand=True)
            work.candidates = [*work.candidates, old]
        else:
            refused = "" if old not in chosen else f"It is among them already: {paper.label}"
        if old not in chosen:
            chosen.append(old)
    kept = {one.paper.id for one in chosen}
    left = {one.paper.id for one in work.candidates} - kept
    work.unticked = left
    shown = review_render.candidates(work.candidates, left, work.library, refused)
    return shown, _forecast(here, chosen), gr.skip() if refused else message(review="added")


def _begin(here: Visitor, chosen: list[ReviewCandidate]) -> None:
    """Begins to write; a thread of the server does, whoever looks on, and keeps what comes."""
    work = here.review
    if work.writing is not None:
        return
    work.review, work.review_id, work.card = None, "", ""
    if not chosen:
        failure = Failure(what="No paper is chosen.", do="Find papers, and leave some ticked.")
        work.card = render.refusal(failure, "Nothing to write from")
        return
    try:
        assistant, choice = _opened(here), _choice(work, chosen)
    except AssistantError as error:
        work.card = _card(here, error)
        return
    work.cancellation = cancellation = Cancellation()

    def write(tell: Callable[[ReviewProgress], None]) -> Review:
        return assistant.review(work.topic, **choice, on_progress=tell, cancellation=cancellation)

    def done(writing: _Work) -> None:
        if cancellation:
            work.card = '<p class="notes" role="status">Stopped; nothing was written.</p>'
        elif writing.error is not None:
            work.card = _card(here, writing.error)
        elif writing.review is not None:
            work.review = writing.review
            data = {"review": writing.review.model_dump(mode="json"), "library": work.library}
            try:
                work.review_id = here.shelf.store.keep_review(here.owner, work.topic, data)
            except AssistantError as error:
                work.card = _card(here, error)
        work.writing = work.cancellation = None

    work.writing = _Work(write, cancellation, done)
    work.writing.start()


class _Work:
    """A review that is written by a thread of its own."""

    def __init__(
        self,
        write: Callable[[Callable[[ReviewProgress], None]], Review],
        cancellation: Cancellation,
        on_end: Callable[[_Work], None],
    ) -> None:
        self.review: Review | None = None
        self.error: Exception | None = None
        self._write = write
        self._cancellation = cancellation
        self._progress: ReviewProgress | None = None
        self._done = threading.Event()
        self._on_end = on_end
        self._started = time.monotonic()

    def start(self) -> None:
        """Begins, in a thread of its own."""
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
            self._on_end(self)
            self._done.set()

    def _tell(self, progress: ReviewProgress) -> None:
        if self._cancellation:
            raise _Stopped
        self._progress = progress


def _card(here: Visitor, error: Exception) -> str:
    return render.failure(here.failure(error))


def _saved(here: Visitor, asked: dict[str, Any]) -> Any:
    """The review as a file for the browser."""
    made, form = here.review.review, str(asked.get("form"))
    if made is None or form not in (*FORMATS, *BINARY):
        return message(toast="There is no review to download any more: write it again.")
    name = re.sub(r"[^\w]+", "-", made.topic).strip("-")[:60].rstrip("-") or "review"
    try:
        content = rendered(made, form)
    except AssistantError as error:
        return message(toast=str(here.failure(error)))
    file = {"name": f"{name}.{form}"}
    if isinstance(content, bytes):
        return message(download={**file, "base64": base64.b64encode(content).decode("ascii")})
    return message(download={**file, "text": content})
