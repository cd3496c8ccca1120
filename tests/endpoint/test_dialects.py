"""How servers of this protocol differ: what vLLM, Ollama, llama.cpp, LM Studio, OpenRouter and
Azure are documented to send, byte for byte where it matters, through the real client.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from assistant.endpoint.chat import Finished
from assistant.errors import (
    ContentFiltered,
    ContextTooLong,
    EndpointError,
    EndpointFailed,
    ModelUnknown,
    QuotaExhausted,
)
from tests.endpoint.test_chat import EndpointFor, run, text_of
from tests.scripted_server import Reply, ScriptedServer


def event(**fields: Any) -> str:
    return f"data: {json.dumps(fields)}\n\n"


def delta(finish: str | None = None, **fields: Any) -> str:
    choice = {"index": 0, "delta": fields, "finish_reason": finish}
    return event(id="1", object="chat.completion.chunk", created=0, model="m", choices=[choice])


USAGE = {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}
END = event(id="1", object="chat.completion.chunk", created=0, model="m", choices=[], usage=USAGE)


def sent(*events: str) -> Reply:
    return Reply(raw_events=[*events], finish=None, usage=None)


REPLIES = {
    "vLLM, a thinking model": sent(
        delta(role="assistant", content=""),
        delta(reasoning_content="hm"),
        delta(reasoning_content=" so", content=None),
        delta(content="ok"),
        delta("stop", content=""),
        END,
    ),
    "Ollama, a thinking model": sent(
        delta(role="assistant", content="", reasoning="hm"),
        delta(role="assistant", content="ok"),
        delta("stop", role="assistant", content=""),
        END,
    ),
    "OpenRouter, which says that it works": sent(
        ": OPENROUTER PROCESSING\n\n",
        ": OPENROUTER PROCESSING\n\n",
        delta(role="assistant", content="ok", reasoning=None, reasoning_details=[]),
        delta("stop", content=""),
        END,
    ),
    "Azure, which judges the prompt first": sent(
        event(
            id="", object="", created=0, model="", choices=[], prompt_filter_results=[{"index": 0}]
        ),
        delta(content="ok"),
        delta("stop"),
        END,
    ),
    "llama.cpp, which adds timings": sent(
        delta(role="assistant", content=None),
        delta(content="ok"),
        event(
            id="1",
            object="chat.completion.chunk",
            created=0,
            model="m",
            choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}],
            usage=USAGE,
            timings={"prompt_ms": 1.0},
        ),
    ),
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
def test_what_is_said_is_shown_and_counted(
    reply: Reply, server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.append(reply)
    pieces = run(endpoint_for())
    assert text_of(pieces) == "ok"
    assert isinstance(pieces[-1], Finished)
    usage = pieces[-1].usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.estimated) == (7, 9, False)


TOO_LONG = [
    # vLLM of before 0.10, without a wrapper; of now, with one
    {
        "object": "error",
        "message": "This model's maximum context length is 2048 tokens. However, you requested "
        "3029 tokens (1829 in the messages, 1200 in the completion).",
        "type": "BadRequestError",
        "param": None,
        "code": 400,
    },
    {
        "error": {
            "message": "'max_tokens' or 'max_completion_tokens' is too large: 1200. This model's "
            "maximum context length is 2048 tokens and your request has 1829 input tokens.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        }
    },
    {"object": "error", "message": "max_tokens must be at least 1, got -186.", "code": 400},
    # llama.cpp
    {
        "error": {
            "code": 400,
            "message": "the request exceeds the available context size, try increasing it",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 1829,
            "n_ctx": 1024,
        }
    },
    # LM Studio
    {
        "error": "Trying to keep the first 4098 tokens when context the overflows. However, the "
        "model is loaded with context length of only 4096 tokens"
    },
]
ERRORS: list[tuple[Reply, type[EndpointError], str]] = [
    *((Reply(status=400, error=body), ContextTooLong, "CONTEXT_WINDOW") for body in TOO_LONG),
    (
        Reply(
            status=404,
            error={
                "error": {
                    "message": "model 'x' not found",
                    "type": "api_error",
                    "param": None,
                    "code": None,
                }
            },
        ),
        ModelUnknown,
        "--llm",
    ),
    (
        Reply(status=404, error={"object": "error", "message": "The model `x` does not exist."}),
        ModelUnknown,
        "--llm",
    ),
    (
        Reply(status=402, error={"error": {"code": 402, "message": "Insufficient credits"}}),
        QuotaExhausted,
        "credit",
    ),
    (
        Reply(
            status=400,
            error={
                "error": {
                    "message": "The response was filtered",
                    "code": "content_filter",
                    "innererror": {"code": "ResponsibleAIPolicyViolation"},
                }
            },
        ),
        ContentFiltered,
        "other words",
    ),
    # OpenRouter in the middle of a stream, LM Studio as an event of its own
    (
        sent(delta(content="So"), event(error={"code": 502, "message": "Provider disconnected"})),
        EndpointFailed,
        "Provider disconnected",
    ),
    (
        sent('event: error\ndata: {"error": {"message": "The model has crashed"}}\n\n'),
        EndpointFailed,
        "crashed",
    ),
]


@pytest.mark.parametrize(("reply", "kind", "says"), ERRORS)
def test_what_goes_wrong_is_named(
    reply: Reply,
    kind: type[EndpointError],
    says: str,
    server: ScriptedServer,
    endpoint_for: EndpointFor,
) -> None:
    server.replies.append(reply)
    with pytest.raises(kind) as caught:
        run(endpoint_for())
    assert says in str(caught.value)
    assert len(server.requests) == 1  # nothing that could be left out was refused


REFUSALS = {
    "a strict server": (
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "stream_options"],
                    "msg": "Extra inputs are not permitted",
                }
            ]
        },
        422,
        "stream_options",
    ),
    "a template without a system": (
        {"object": "error", "message": "System role not supported", "code": 400},
        400,
        None,
    ),
    "a template that wants turns": (
        {
            "object": "error",
            "message": "Conversation roles must alternate user/assistant/user/assistant/...",
            "code": 400,
        },
        400,
        None,
    ),
}


@pytest.mark.parametrize(("body", "status", "left_out"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_is_refused_is_left_out(
    body: dict[str, Any],
    status: int,
    left_out: str | None,
    server: ScriptedServer,
    endpoint_for: EndpointFor,
) -> None:
    server.replies.extend([Reply(status=status, error=body), Reply("ok")])
    assert text_of(run(endpoint_for())) == "ok"
    if left_out:
        assert left_out in server.requests[0]
        assert left_out not in server.requests[1]
    else:
        assert [m["role"] for m in server.requests[1]["messages"]] == ["user"]


def test_windows_as_servers_tell_them(server: ScriptedServer, endpoint_for: EndpointFor) -> None:
    for model in (
        {"id": "scripted", "max_model_len": 2048},  # vLLM
        {"id": "scripted", "meta": {"n_ctx": 2048, "n_ctx_train": 8192}},  # llama.cpp
        {"id": "scripted", "context_length": 2048},  # OpenRouter
        {"id": "scripted", "max_context_length": 8192, "loaded_context_length": 2048},  # LM Studio
    ):
        server.models = [model]
        assert endpoint_for().context_window() == 2048
    server.models = [{"id": "scripted", "object": "model", "owned_by": "library"}]  # Ollama
    assert endpoint_for().context_window() is None
