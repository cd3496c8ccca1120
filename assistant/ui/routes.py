"""What the page's script asks for by plain HTTP: conversations, their turns, their answers.

Everything is keyed by the conversation that it belongs to, so that nothing is drawn into
another; an answer in work is followed as server-sent events, which a browser takes up again
by itself after a broken line. Not part of the public API.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from assistant.answering.extractive import NOTE
from assistant.conversations import Mark
from assistant.errors import AssistantError, ConversationNotFound, QuestionError
from assistant.feedback import Rating, rate
from assistant.filters import Filters
from assistant.results import Message
from assistant.ui import exports, render, screen_routes
from assistant.ui.answers import Live
from assistant.ui.parts import count_of
from assistant.ui.suggestions import questions_about
from assistant.ui.turns import MAX_QUESTION, LibraryName, Turn, history_of, markdown_of, turn_of
from assistant.ui.visitors import Shelf, Visitor
from assistant.ui.who import Here, Page, Who

__all__ = ["install"]

_EVERY = 0.08
"""Seconds between two looks at an answer that is being written, and at one that waits."""
_OTHERS_EVERY, _OWN_EVERY = 1.0, 5.0
"""Seconds between two looks into the store: for what another process writes, or this one."""
_OFFERED = 200
"""Values that are offered to choose papers by."""

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{8,64}$")]


class Asked(BaseModel):
    """A question. ``instead_of``: the turn that it branches beside."""

    id: str | None = Field(None, pattern=r"^[A-Za-z0-9-]{8,64}$")
    text: str = Field(min_length=1, max_length=MAX_QUESTION)
    library: LibraryName | None = None
    instead_of: str | None = Field(None, max_length=80)
    filters: Filters = Filters()
    year: str = Field("", max_length=400)


class Changed(BaseModel):
    """What to change about a conversation."""

    title: str | None = Field(None, min_length=1, max_length=200)
    pinned: bool | None = None
    folder: str | None = Field(None, max_length=80)


class Rated(BaseModel):
    """A thumb, and a note."""

    rating: Literal["up", "down"]
    note: str = Field("", max_length=2000)


def install(app: FastAPI, shelf: Shelf) -> None:
    """Lets ``app`` answer the page's script."""
    page = app.state.page = Page(shelf, lru_cache(maxsize=512)(_done))  # some 60 kB each
    shelf.at_end.append(page.answers.close)
    app.include_router(_router)
    app.include_router(screen_routes.router)


_router = APIRouter(prefix="/page", include_in_schema=False)
# -- conversations


@_router.get("/conversations")
def conversations(who: Who, words: Annotated[str, Query(max_length=300)] = "") -> dict[str, Any]:
    found = who.store.conversations(who.owner, words)
    return {
        "revision": who.store.revision(who.owner),
        "kept": who.page.shelf.kept,
        "conversations": [one.model_dump() for one in found],
    }


@_router.get("/revision")
def revision(who: Who) -> dict[str, int]:
    return {"revision": who.store.revision(who.owner)}


@_router.get("/conversations/{name}")
def conversation(who: Who, name: Name) -> dict[str, Any]:
    return _shown(who, name)


@_router.get("/welcome")
def welcome(who: Who) -> dict[str, str]:
    return {"html": _welcome(who.visitor)}


@_router.patch("/conversations/{name}")
def change(who: Who, name: Name, wanted: Changed) -> dict[str, bool]:
    who.store.change(who.owner, name, **wanted.model_dump())
    return {"done": True}


@_router.delete("/conversations/{name}")
def delete(who: Who, name: Name) -> dict[str, bool]:
    who.store.delete(who.owner, name)
    who.answers.stop(name)
    return {"done": True}


# -- questions


@_router.post("/conversations/{name}/ask")
def ask(who: Who, name: Name, asked: Asked) -> dict[str, Any]:
    question = asked.text.strip()
    if not question:
        raise QuestionError("The question holds no word.", "Ask something.")
    if who.answers.full:  # the page keeps the question and sends it again
        raise HTTPException(503, "Too many questions at once.", {"Retry-After": "3"})
    if asked.library is not None and not count_of(who.visitor):  # a first visit, to the sample
        who.visitor.library = asked.library
    library = asked.library or who.visitor.library
    filters = who.resolved(asked.filters, asked.year, library)
    turn = Turn(question=question, library=library, filters=filters)
    made = who.store.append(
        who.owner,
        name,
        question,
        turn.stored(),
        instead_of=asked.instead_of,
        turn=asked.id,
    )
    if made is not None:
        who.answers.begin(who.visitor, name, made)
    return _shown(who, name)


@_router.post("/conversations/{name}/stop")
def stop(who: Who, name: Name) -> dict[str, bool]:
    who.store.conversation(who.owner, name)
    who.answers.stop(name)
    return {"done": True}


@_router.delete("/turns/{name}")
def withdraw(who: Who, name: Name) -> dict[str, Any]:
    return _shown(who, who.store.withdraw(who.owner, name))


@_router.post("/turns/{name}/choose")
def choose(who: Who, name: Name) -> dict[str, Any]:
    return _shown(who, who.store.choose(who.owner, name))


@_router.post("/turns/{name}/rate")
def rated(who: Who, name: Name, given: Rated) -> dict[str, Any]:
    conversation, kept = who.store.turn(who.owner, name)
    turn = turn_of(kept)
    if turn.answer is None or turn.state != "done":
        raise ConversationNotFound("There is no answer to rate here.")
    turn.rating, turn.noted = given.rating, bool(given.note.strip())
    before = [turn_of(one) for one in who.store.path(conversation, kept.parent or "-")]
    _rate(who.page.shelf, f"{conversation}/{kept.id}"[:100], turn, given.note, history_of(before))
    who.store.save(kept.id, "done", turn.stored())
    return _shown(who, conversation)


@_router.get("/conversations/{name}/follow")
async def follow(request: Request, who: Who, name: Name) -> StreamingResponse:
    await run_in_threadpool(who.store.conversation, who.owner, name)
    events = _followed(request, who, name)
    return StreamingResponse(events, media_type="text/event-stream")


# -- out and in


@_router.get("/turns/{name}/export")
def export_turn(who: Who, name: Name, form: exports.Form) -> dict[str, str]:
    _, kept = who.store.turn(who.owner, name)
    turn = turn_of(kept)
    return exports.of_turns(who.page.shelf, [turn], turn.question, form)


@_router.get("/conversations/{name}/export")
def export_one(who: Who, name: Name, form: exports.Form) -> dict[str, str]:
    one = who.store.conversation(who.owner, name)
    if form == "json":
        made = who.store.exported(who.owner, name)
        return {
            "name": exports.file_name(one.title, "json"),
            "text": json.dumps(made, ensure_ascii=False, indent=1),
        }
    turns = [turn_of(turn) for turn in who.store.path(name)]
    return exports.of_turns(who.page.shelf, turns, one.title, form)


@_router.get("/export")
def export_all(who: Who) -> dict[str, str]:
    text = json.dumps(who.store.exported(who.owner), ensure_ascii=False, indent=1)
    return {"name": "conversations.json", "text": text}


@_router.post("/import")
def take_in(who: Who, text: Annotated[str, Body(embed=True)]) -> dict[str, int]:
    conversations, reviews = who.store.imported(who.owner, text)
    return {"conversations": conversations, "reviews": reviews}


# -- papers


@_router.get("/marks")
def marks(who: Who) -> dict[str, Any]:
    return {"marks": [mark.model_dump() for mark in who.store.marks(who.owner).values()]}


@_router.put("/marks")
def mark(who: Who, given: Mark) -> dict[str, bool]:
    who.store.mark(who.owner, given)
    return {"done": True}


@_router.get("/scope")
def scope(who: Who, library: LibraryName | None = None) -> dict[str, list[str]]:
    """What papers may be chosen by: the values that are most frequent in a library."""
    opened = who.visitor.assistant(library).library

    def most(column: str) -> list[str]:
        counts: Counter[str] = Counter()
        for values, papers in opened.asked(lambda r: r.counts(column)):
            counts.update(dict.fromkeys(filter(None, values.split("\n")), papers))
        return [value for value, _ in counts.most_common(_OFFERED)]

    tags = {tag for mark in who.store.marks(who.owner).values() for tag in mark.tags}
    files = dict.fromkeys(PurePath(source).name for source in most("source"))
    return {
        "year": sorted(most("year"), reverse=True),
        "venue": most("venue"),
        "author": most("authors"),
        "source": list(files),
        "tag": sorted(tags),
    }


def _welcome(here: Visitor) -> str:
    """What a conversation begins with."""
    papers = count_of(here)
    questions: Sequence[str] = render.SAMPLE_QUESTIONS
    if here.library == "own" and papers:
        questions = questions_about(here.assistant("own"))
    return render.welcome(here.library, papers, questions)


def _shown(who: Here, name: str) -> dict[str, Any]:
    """A conversation as the page draws it."""
    one = who.store.conversation(who.owner, name)
    turns = [turn_of(kept) for kept in who.store.path(name)]
    answers = [turn.answer for turn in turns if turn.answer and NOTE in turn.answer.notes]
    for answer in answers[1:]:  # how answers are made is told once
        answer.notes.remove(NOTE)
    live = who.answers.live(name)
    return {
        "id": name,
        "title": one.title,
        "revision": one.revision,
        "busy": any(turn.state != "done" for turn in turns),
        "turns": [
            who.page.picture_of(turn.model_dump_json(), turn is turns[-1])
            if turn.state == "done"
            else {**_told(turn), "html": _picture(turn, live)}
            for turn in turns
        ],
    }


def _told(turn: Turn) -> dict[str, Any]:
    """What the script needs to know of a turn."""
    return {
        "id": turn.id,
        "state": turn.state,
        "question": turn.question,
        "library": turn.library,
        "filters": turn.filters.model_dump(mode="json"),
        "cited": [c.paper_id for c in turn.answer.citations] if turn.answer else [],
    }


def _done(turn_json: str, last: bool) -> dict[str, Any]:
    """A turn that is done: its picture, and what copying it gives."""
    turn = Turn.model_validate_json(turn_json)
    return {
        **_told(turn),
        "html": render.turn(turn, last=last),
        "markdown": markdown_of(turn.answer) if turn.answer else "",
        "rich": exports.rich_text(turn),
    }


def _picture(turn: Turn, live: Live | None) -> str:
    """A turn that waits or is in work."""
    if live is not None and live.turn.id == turn.id:
        return render.live(live.turn, live.partial(), elapsed=live.elapsed)
    if turn.state == "waiting":
        return render.waiting(turn)
    return render.live(turn, turn.answer)  # another process writes it


async def _followed(request: Request, who: Here, name: str) -> AsyncIterator[str]:
    """Pictures of a conversation while something of it is in work."""
    revision, version, looked = -1, (-1, ""), 0.0
    clock = asyncio.get_running_loop().time
    answers = who.answers
    while True:
        live, now = answers.live(name), clock()
        in_work = live.turn.id if live else ""
        every = _OWN_EVERY if answers.busy(name) else _OTHERS_EVERY
        if in_work != version[1] or now - looked >= every or revision < 0:
            looked = now
            if await request.is_disconnected():
                return
            try:
                shown = await run_in_threadpool(_shown, who, name)
            except AssistantError as error:
                yield _event("gone", {"id": name, "message": str(who.visitor.failure(error))})
                return
            if shown["revision"] != revision or in_work != version[1]:
                revision = shown["revision"]
                yield _event("conversation", shown)
            if not shown["busy"] and not answers.busy(name):
                yield _event("end", {"id": name})
                return
        if live is not None and (live.version, in_work) != version:
            html = await run_in_threadpool(_picture, live.turn, live)
            yield _event("turn", {"conversation": name, "id": in_work, "html": html})
        version = (live.version, in_work) if live else (-1, "")
        await asyncio.sleep(_EVERY)


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _rate(shelf: Shelf, name: str, turn: Turn, note: str, history: list[Message]) -> None:
    """Writes a thumb or its note down, for those who measure the answers.

    Raises:
        LibraryError: the folder is not writable.
    """
    answer = turn.answer
    assert answer is not None  # noqa: S101  for the type checker
    rating = Rating(
        id=name,
        rating=turn.rating or "up",
        note=note,
        question=turn.question,
        history=history,
        answer=answer.answer,
        status=answer.status,
        mode=answer.mode,
        model=answer.model,
        confidence=answer.confidence,
        cited_ids=[citation.paper_id for citation in answer.citations],
        cited_titles=answer.cited_titles,
    )
    rate(shelf.assistant(turn.library).library.path, rating)
