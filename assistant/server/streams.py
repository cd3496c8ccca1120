"""What all doors share of an answer under way: its events, its references, its extra fields."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool

from assistant.assistant import Assistant
from assistant.errors import AssistantError
from assistant.results import Answer, DoneEvent, ErrorEvent, Event, TextEvent
from assistant.server.cutting import Cutter
from assistant.server.failing import DEFECT, Teller, log
from assistant.server.parameters import Asked, ChatRequest, ResponsesRequest

__all__ = [
    "BrokenOff",
    "begun",
    "data",
    "events_of",
    "extra",
    "pieces",
    "places",
    "references",
    "whole",
]

_NO_SAY = "Instructions came along; they have no say: the answer rests on the library alone."


async def events_of(
    assistant: Assistant, asked: Asked, request: ChatRequest | ResponsesRequest
) -> AsyncIterator[Event]:
    """The events of answering what an OpenAI client asked, with its temperature and filters."""
    settings, temperature = assistant.settings, request.temperature
    derived: Assistant | None = None
    if settings.llm and temperature is not None:
        endpoint = settings.endpoint.model_copy(update={"temperature": temperature})
        changed = settings.model_copy(update={"endpoint": endpoint})
        derived = await run_in_threadpool(assistant.derived, changed)
    filters = request.filters.filters() if request.filters else None
    try:
        async for event in (derived or assistant).astream(
            asked.question, asked.history, effort=request.effort, filters=filters
        ):
            yield event
    finally:
        if derived is not None:
            derived.close()


async def begun(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """``events``, once it is certain that the answer can be begun.

    Raises:
        AssistantError: it cannot.
    """
    first = await anext(events)

    async def all_of_them() -> AsyncIterator[Event]:
        yield first
        async for event in events:
            yield event

    return all_of_them()


async def whole(events: AsyncIterator[Event]) -> Answer:
    """The answer that ``events`` end with.

    Raises:
        AssistantError: there is none.
    """
    async for event in events:
        if isinstance(event, DoneEvent):
            return event.answer
        if isinstance(event, ErrorEvent):
            raise event.error or AssistantError(event.message)
    raise AssertionError("a stream ends with its answer or an error")  # pragma: no cover


class BrokenOff(Exception):
    """A stream ended before its answer; the message is for who asked."""


async def pieces(
    events: AsyncIterator[Event], cutter: Cutter, tell: Teller
) -> AsyncIterator[str | Answer]:
    """The text with its references, in pieces as ``cutter`` lets them pass; then the answer.

    Raises:
        BrokenOff: the answer could not be finished; the status has been sent, so that the
            message has to go into the stream.
    """
    try:
        async for event in events:
            if isinstance(event, TextEvent):
                if piece := cutter.take(event.text):
                    yield piece
            elif isinstance(event, ErrorEvent):
                raise BrokenOff(tell.of(event))
            elif isinstance(event, DoneEvent):
                if piece := cutter.take(references(event.answer)) + cutter.end():
                    yield piece
                yield event.answer
    except BrokenOff:
        raise
    except AssistantError as error:
        raise BrokenOff(tell(error)) from None
    except Exception:  # noqa: BLE001  whatever it is, who asked is told that no more comes
        log.exception("a stream broke off")
        raise BrokenOff(DEFECT) from None


def references(answer: Answer) -> str:
    """The references as they stand at the end of the text; empty where nothing is cited."""
    lines = [f"[{c.number}] {c.title}" + (f" {c.url}" if c.url else "") for c in answer.citations]
    return "\n\nReferences\n" + "\n".join(lines) if lines else ""


def extra(answer: Answer, asked: Asked) -> dict[str, Any]:
    """What an answer has beyond its text."""
    fields = {"citations", "sentences", "answered", "status", "confidence", "notes"}
    values = answer.model_dump(mode="json", include=fields)
    if asked.instructed:
        values["notes"] = [*values["notes"], _NO_SAY]
    return values


def places(answer: Answer, content: str) -> list[dict[str, Any]]:
    """Where ``content`` cites a paper that has an address: start, end, title and address."""
    known = {c.number: c for c in answer.citations if c.url}
    body = len(answer.answer)
    return [
        {"start_index": at.start(), "end_index": at.end(), "title": c.title, "url": c.url}
        for at in re.finditer(r"\[(\d{1,4})\]", content[:body])
        if (c := known.get(int(at[1]))) is not None
    ]


def data(value: dict[str, Any], event: str | None = None) -> str:
    """A server-sent event."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(value, ensure_ascii=False)}\n\n"
