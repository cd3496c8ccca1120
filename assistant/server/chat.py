"""``/v1``: the library as a model that any client of OpenAI's can ask, in both of its ways.

Chat completions and responses, whole or streamed. Citations come three times: as references at
the end of the text, for clients that show text only; as annotations, for those that show links;
and whole in extra fields (``message.citations``, in a stream the last delta's).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from assistant.assistant import Assistant
from assistant.results import Answer, Event
from assistant.server.cutting import Cutter
from assistant.server.failing import EVENT_STREAM, FAILURES, Refused, Teller, told
from assistant.server.parameters import MODEL, Asked, ChatRequest, ResponsesRequest
from assistant.server.responding import responded, response_events
from assistant.server.streams import (
    BrokenOff,
    begun,
    data,
    events_of,
    extra,
    pieces,
    places,
    references,
    whole,
)

__all__ = ["chat_router"]

_CREATED = 1_700_000_000
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": EVENT_STREAM}}


def chat_router(assistant: Assistant, tell: Teller) -> APIRouter:
    """The routes over one assistant."""
    router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"], responses=FAILURES)

    @router.get("/models")
    def models() -> dict[str, Any]:
        """The one model: the library."""
        return {"object": "list", "data": [_described()]}

    @router.get("/models/{model}")
    def model(model: str) -> dict[str, Any]:
        """The one model, by its name."""
        if model != MODEL:
            raise Refused(
                404, f"There is no model {model!r}; this is {MODEL!r}.", code="model_not_found"
            )
        return _described()

    @router.post("/chat/completions", responses=_STREAM)
    async def complete(request: ChatRequest) -> Any:
        """Answers the last message of the user, with citations.

        A parameter that cannot be honoured is refused with 400.
        """
        request.check(assistant.settings)
        asked = request.asked()
        events = events_of(assistant, asked, request)
        cutter = Cutter(request.stops, request.most)
        if not request.stream:
            return _completion(await whole(events), cutter, asked)
        usage = bool(request.stream_options and request.stream_options.include_usage)
        chunks = _chunks(await begun(events), cutter, asked, tell, usage=usage)
        return StreamingResponse(chunks, media_type="text/event-stream")

    @router.post("/responses", responses=_STREAM)
    async def respond(request: ResponsesRequest) -> Any:
        """Answers the last message of the input, with citations; nothing is stored.

        A parameter that cannot be honoured is refused with 400.
        """
        request.check(assistant.settings)
        asked = request.asked()
        events = events_of(assistant, asked, request)
        if not request.stream:
            return responded(request, await whole(events), asked)
        sent = response_events(request, await begun(events), asked, tell)
        return StreamingResponse(sent, media_type="text/event-stream")

    return router


def _described() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": _CREATED, "owned_by": "abstract-assistant"}


def _usage(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    prompt, completion = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _extra(answer: Answer, asked: Asked, content: str) -> dict[str, Any]:
    annotations = [
        {"type": "url_citation", "url_citation": place} for place in places(answer, content)
    ]
    return {**extra(answer, asked), "annotations": annotations}


def _completion(answer: Answer, cutter: Cutter, asked: Asked) -> dict[str, Any]:
    content = cutter.take(answer.answer + references(answer)) + cutter.end()
    message = {
        "role": "assistant",
        "content": content,
        "refusal": None,
        **_extra(answer, asked, content),
    }
    choice = {"index": 0, "message": message, "finish_reason": cutter.finish, "logprobs": None}
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [choice],
        "usage": _usage(answer),
    }


async def _chunks(
    events: AsyncIterator[Event], cutter: Cutter, asked: Asked, tell: Teller, *, usage: bool
) -> AsyncIterator[str]:
    head: dict[str, Any] = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": MODEL,
    }
    if usage:
        head["usage"] = None

    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return data({**head, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    content = ""
    try:
        async for piece in pieces(events, cutter, tell):
            if isinstance(piece, str):
                content += piece
                yield chunk({"content": piece})
                continue
            yield chunk(_extra(piece, asked, content), cutter.finish)
            if usage:
                yield data({**head, "choices": [], "usage": _usage(piece)})
    except BrokenOff as error:
        yield data(told(str(error), "server_error"))
        return
    yield "data: [DONE]\n\n"
