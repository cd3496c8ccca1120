"""``/v1`` with the real ``openai`` client."""

from __future__ import annotations

import httpx
import openai
import pytest
from live import Live
from scripted_server import Reply, ScriptedServer, failure

from .conftest import PAPERS, QUESTION, Serve


def connected(server: Live) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0)


def test_models(server: Live) -> None:
    with connected(server) as client:
        assert [model.id for model in client.models.list()] == ["abstract-assistant"]
        assert client.models.retrieve("abstract-assistant").owned_by == "abstract-assistant"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("gpt-9")


def test_completion_with_citations(server: Live) -> None:
    with connected(server) as client:
        made = client.chat.completions.create(
            model="abstract-assistant",
            temperature=0.3,
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
            ],
        )
    message = made.choices[0].message
    assert made.choices[0].finish_reason == "stop"
    assert message.content is not None
    assert message.content.rstrip().splitlines()[-1].startswith("[")
    assert "References" in message.content
    extra = message.model_extra or {}
    assert extra["citations"][0]["title"] == PAPERS[0]["title"]
    assert extra["status"] == "answered"


def test_a_stream_is_the_same_answer(server: Live) -> None:
    messages: list[openai.types.chat.ChatCompletionMessageParam] = [
        {"role": "user", "content": QUESTION}
    ]
    with connected(server) as client:
        whole = client.chat.completions.create(model="abstract-assistant", messages=messages)
        with client.chat.completions.create(
            model="abstract-assistant",
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
        ) as stream:
            chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    last = [c for c in chunks if c.choices][-1]
    assert last.choices[0].finish_reason == "stop"
    assert (last.choices[0].delta.model_extra or {})["citations"]
    assert chunks[-1].usage is not None


def test_errors_are_openais(serve: Serve) -> None:
    server = serve(filled=False)
    with connected(server) as client:
        with pytest.raises(openai.NotFoundError, match="no library"):
            client.chat.completions.create(
                model="abstract-assistant", messages=[{"role": "user", "content": "Why?"}]
            )
        with pytest.raises(openai.NotFoundError, match="no library"):
            client.chat.completions.create(
                model="abstract-assistant",
                messages=[{"role": "user", "content": "Why?"}],
                stream=True,
            )
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(
                model="abstract-assistant", messages=[{"role": "assistant", "content": "Hm."}]
            )


def test_a_broken_endpoint_is_an_error_of_the_stream(serve: Serve) -> None:
    with ScriptedServer() as script:
        script.answer = lambda _: failure(401, "Incorrect API key provided: sk-verysecret")
        server = serve(
            llm="scripted", openai_base_url=script.url, openai_api_key="sk-verysecret-123456"
        )
        with connected(server) as client:
            with (
                pytest.raises(openai.APIError) as caught,
                client.chat.completions.create(
                    model="abstract-assistant",
                    messages=[{"role": "user", "content": QUESTION}],
                    stream=True,
                ) as stream,
            ):
                list(stream)
            assert "sk-verysecret-123456" not in str(caught.value)
            with pytest.raises(openai.InternalServerError):
                client.chat.completions.create(
                    model="abstract-assistant", messages=[{"role": "user", "content": QUESTION}]
                )


def test_a_client_that_goes_stops_the_model(serve: Serve) -> None:
    with ScriptedServer() as script:
        script.answer = lambda _: Reply("Experts are pruned [1]. " * 200, between=0.05)
        server = serve(llm="scripted", openai_base_url=script.url, openai_api_key="k")
        body = {"messages": [{"role": "user", "content": QUESTION}], "stream": True}
        with httpx.stream("POST", f"{server.url}/v1/chat/completions", json=body) as reply:
            for n, _ in enumerate(reply.iter_lines()):
                if n > 6:
                    break
        assert script.wait_gone(timeout=8)
