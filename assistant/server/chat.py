"""``/v1``: the library as a model that any client of OpenAI's chat completions can ask.

Citations come twice: as references at the end of the text, for clients that show text only,
and whole in extra fields (``message.citations`` and, in a stream, the last delta's).
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from assistant.assistant import Assistant
from assistant.errors import AssistantError
from assistant.results import Answer, DoneEvent, ErrorEvent, Event, Message, TextEvent
from assistant.server.api import Failed, begun
from assistant.server.failing import DEFECT, log, told

__all__ = ["MODEL", "chat_router"]

MODEL = "abstract-assistant"
_CREATED = 1_700_000_000


class Part(BaseModel):
    """A piece of a message; only text is read."""

    model_config = ConfigDict(extra="ignore")

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """A message of the conversation; system messages and tools have no say here."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """The text in it."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text)
        return self.content or ""


class StreamOptions(BaseModel):
    """Of a stream."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool | None = False


class ChatRequest(BaseModel):
    """What clients send; sampling settings are taken and have no effect."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(MODEL, max_length=200)
    messages: list[ChatMessage] = Field(min_length=1, max_length=1000)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(1, ge=1, le=1, description="one answer")


def chat_router(assistant: Assistant) -> APIRouter:
    """The routes over one assistant."""
    failures: dict[int | str, dict[str, Any]] = {
        status: {"model": Failed}
        for status in (400, 401, 403, 404, 405, 409, 413, 421, 422, 429, 502, 503, 504)
    }
    router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"], responses=failures)

    @router.get("/models")
    def models() -> dict[str, Any]:
        """The one model: the library."""
        return {"object": "list", "data": [_described()]}

    @router.get("/models/{model}")
    def model(model: str) -> dict[str, Any]:
        """The one model, by its name."""
        if model != MODEL:
            raise HTTPException(404, f"There is no model {model!r}; this is {MODEL!r}.")
        return _described()

    @router.post("/chat/completions")
    async def complete(request: ChatRequest) -> Any:
        """Answers the last message of the user, with citations."""
        question, history = _asked(request.messages)
        if not request.stream:
            return _completion(await assistant.aask(question, history))
        events = await begun(assistant, question, history)
        usage = bool(request.stream_options and request.stream_options.include_usage)
        return StreamingResponse(_chunks(events, usage=usage), media_type="text/event-stream")

    return router


def _described() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": _CREATED, "owned_by": "abstract-assistant"}


def _asked(messages: list[ChatMessage]) -> tuple[str, list[Message]]:
    said = [m for m in messages if m.role in ("user", "assistant") and m.text.strip()]
    if not said or said[-1].role != "user":
        raise HTTPException(422, "messages: the last one must be a question of the user's.")
    history = [
        Message(role="user" if m.role == "user" else "assistant", content=m.text) for m in said[:-1]
    ]
    return said[-1].text, history


def references(answer: Answer) -> str:
    """The references as they stand at the end of the text; empty where nothing is cited."""
    lines = [f"[{c.number}] {c.title}" + (f" {c.url}" if c.url else "") for c in answer.citations]
    return "\n\nReferences\n" + "\n".join(lines) if lines else ""


def _extra(answer: Answer) -> dict[str, Any]:
    """What an answer has beyond its text."""
    fields = {"citations", "sentences", "answered", "status", "confidence", "notes"}
    return answer.model_dump(mode="json", include=fields)


def _usage(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    prompt, completion = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _completion(answer: Answer) -> dict[str, Any]:
    content = answer.answer + references(answer)
    message = {"role": "assistant", "content": content, **_extra(answer)}
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": _usage(answer),
    }


async def _chunks(events: AsyncIterator[Event], *, usage: bool) -> AsyncIterator[str]:
    head = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": MODEL,
    }

    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _data({**head, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    try:
        async for event in events:
            if isinstance(event, TextEvent):
                yield chunk({"content": event.text})
            elif isinstance(event, ErrorEvent):
                yield _data(told(event.message, "server_error"))
                return
            elif isinstance(event, DoneEvent):
                answer = event.answer
                if listed := references(answer):
                    yield chunk({"content": listed})
                yield chunk(_extra(answer), "stop")
                if usage:
                    yield _data({**head, "choices": [], "usage": _usage(answer)})
    except AssistantError as error:
        yield _data(told(str(error), "server_error"))
        return
    except Exception:  # noqa: BLE001  the status has been sent: the error goes into the stream
        log.exception("a stream broke off")
        yield _data(told(DEFECT, "server_error"))
        return
    yield "data: [DONE]\n\n"


def _data(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
