"""An answer as OpenAI's responses API has it, whole or as its events."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from assistant.results import Answer, Event
from assistant.server.cutting import Cutter
from assistant.server.failing import Teller
from assistant.server.parameters import MODEL, Asked, ResponsesRequest
from assistant.server.streams import BrokenOff, data, extra, pieces, places, references

__all__ = ["responded", "response_events"]


_OWN = {"status": "answer_status"}
"""Fields of an answer whose name a response has a meaning of its own for."""


class _Response:
    """One response as it grows; the ids and the time are its own."""

    def __init__(self, request: ResponsesRequest) -> None:
        self._request = request
        self._id, self.item_id = f"resp_{uuid.uuid4().hex}", f"msg_{uuid.uuid4().hex}"
        self._created = int(time.time())
        self.cutter = Cutter((), request.max_output_tokens)
        self.text = ""

    def body(self, status: str, **changed: Any) -> dict[str, Any]:
        """The response object."""
        request = self._request
        reasoning = request.reasoning.effort if request.reasoning else None
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": request.instructions,
            "max_output_tokens": request.max_output_tokens,
            "max_tool_calls": None,
            "metadata": request.metadata or {},
            "model": MODEL,
            "output": [],
            "parallel_tool_calls": request.parallel_tool_calls is not False,
            "previous_response_id": None,
            "reasoning": {"effort": reasoning, "summary": None},
            "service_tier": "default",
            "store": False,
            "temperature": request.temperature,
            "text": {"format": {"type": "text"}},
            "tool_choice": request.tool_choice or "auto",
            "tools": [],
            "top_logprobs": 0,
            "top_p": request.top_p,
            "truncation": request.truncation or "disabled",
            "usage": None,
            "user": request.user,
            **changed,
        }

    def part(self, annotations: list[dict[str, Any]]) -> dict[str, Any]:
        """The text as a part of the message."""
        return {
            "type": "output_text",
            "text": self.text,
            "annotations": annotations,
            "logprobs": [],
        }

    def item(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        """The message."""
        return {
            "id": self.item_id,
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }

    def finished(
        self, answer: Answer, asked: Asked, annotations: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """The response once its text is whole, or cut."""
        cut = self.cutter.finish == "length"
        status = "incomplete" if cut else "completed"
        return self.body(
            status,
            output=[self.item(status, [self.part(annotations)])],
            incomplete_details={"reason": "max_output_tokens"} if cut else None,
            usage=_usage(answer),
            **{_OWN.get(name, name): value for name, value in extra(answer, asked).items()},
        )


def responded(request: ResponsesRequest, answer: Answer, asked: Asked) -> dict[str, Any]:
    """The whole response."""
    made = _Response(request)
    made.text = made.cutter.take(answer.answer + references(answer)) + made.cutter.end()
    return made.finished(answer, asked, _annotations(answer, made.text))


async def response_events(
    request: ResponsesRequest, events: AsyncIterator[Event], asked: Asked, tell: Teller
) -> AsyncIterator[str]:
    """The response as server-sent events."""
    made, number = _Response(request), -1
    inside = {"item_id": made.item_id, "output_index": 0, "content_index": 0}

    def sent(kind: str, **values: Any) -> str:
        nonlocal number
        number += 1
        return data({"type": kind, "sequence_number": number, **values}, kind)

    yield sent("response.created", response=made.body("in_progress"))
    yield sent("response.in_progress", response=made.body("in_progress"))
    yield sent("response.output_item.added", output_index=0, item=made.item("in_progress", []))
    yield sent("response.content_part.added", **inside, part=made.part([]))
    try:
        async for piece in pieces(events, made.cutter, tell):
            if isinstance(piece, str):
                made.text += piece
                yield sent("response.output_text.delta", **inside, delta=piece, logprobs=[])
                continue
            annotations = _annotations(piece, made.text)
            for n, found in enumerate(annotations):
                kind = "response.output_text.annotation.added"
                yield sent(kind, **inside, annotation_index=n, annotation=found)
            body = made.finished(piece, asked, annotations)
            (item,) = body["output"]
            yield sent("response.output_text.done", **inside, text=made.text, logprobs=[])
            yield sent("response.content_part.done", **inside, part=item["content"][0])
            yield sent("response.output_item.done", output_index=0, item=item)
            yield sent(f"response.{body['status']}", response=body)
    except BrokenOff as error:
        problem = {"code": "server_error", "message": str(error)}
        yield sent("response.failed", response=made.body("failed", error=problem))


def _annotations(answer: Answer, text: str) -> list[dict[str, Any]]:
    return [{"type": "url_citation", **place} for place in places(answer, text)]


def _usage(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    prompt, completion = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": prompt + completion,
    }
