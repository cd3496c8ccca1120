"""``/v1`` with the real ``openai`` client, and with the next major version of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from live import Live
from scripted_server import Reply, ScriptedServer, failure

from .conftest import PAPERS, QUESTION, Serve


def connected(server: Live) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0)


@pytest.fixture
def openai_client(server: Live) -> Iterator[openai.OpenAI]:
    with connected(server) as client:
        yield client


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


REFUSED: list[dict[str, Any]] = [
    {"n": 2},
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
    {"tool_choice": "required"},
    {"functions": [{"name": "f", "parameters": {}}]},
    {"response_format": {"type": "json_object"}},
    {"logprobs": True},
    {"top_logprobs": 3},
    {"logit_bias": {"50256": -100}},
    {"frequency_penalty": 0.5},
    {"presence_penalty": -0.5},
    {"modalities": ["text", "audio"]},
    {"audio": {"voice": "alloy", "format": "wav"}},
    {"prediction": {"type": "content", "content": "x"}},
    {"web_search_options": {}},
    {"store": True},
    {"service_tier": "flex"},
    {"verbosity": "high"},
    {"temperature": 3},
    {"max_tokens": 0},
    {"stop": ["a", "b", "c", "d", "e"]},
    {"reasoning_effort": "enormous"},
    {"model": "gpt-9"},
    {"extra_body": {"no_such_parameter": 1}},
    {"extra_body": {"filters": {"year": "soon"}}},
    {"extra_body": {"filters": {"colour": ["red"]}}},
]
HONOURED: list[dict[str, Any]] = [
    {"n": 1, "temperature": 0.7, "top_p": 0.9, "seed": 7, "user": "u", "metadata": {"a": "b"}},
    {"tools": [], "tool_choice": "none", "response_format": {"type": "text"}},
    {"frequency_penalty": 0, "presence_penalty": 0.0, "logprobs": False, "store": False},
    {"reasoning_effort": "low", "verbosity": "medium", "service_tier": "auto"},
    {"max_tokens": 100_000, "max_completion_tokens": 100_000, "stop": None},
]


def chat(client: openai.OpenAI, **more: Any) -> Any:
    asked = {"model": "abstract-assistant", "messages": [{"role": "user", "content": QUESTION}]}
    return client.chat.completions.create(**{**asked, **more})


@pytest.mark.parametrize("more", REFUSED, ids=lambda more: next(iter(more)))
def test_what_cannot_be_honoured_is_refused(openai_client: openai.OpenAI, more: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        chat(openai_client, **more)
    name = next(iter(more.get("extra_body", more)))
    body = caught.value.body
    assert isinstance(body, dict)
    assert body.keys() == {"message", "type", "param", "code"}
    assert name in f"{body['param']} {body['message']}" or name == "filters"


@pytest.mark.parametrize("more", HONOURED, ids=lambda more: next(iter(more)))
def test_what_is_done_anyway_may_be_said(openai_client: openai.OpenAI, more: Any) -> None:
    assert "retraining" in chat(openai_client, **more).choices[0].message.content


@pytest.fixture(scope="module")
def next_client(model_cache: Path) -> Path:
    """A folder with the next major version of the client, which pip fetches once."""
    folder = model_cache / "openai-3"
    if not (folder / "openai").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder)]
        subprocess.run([*command, "openai>=3,<4"], check=True, timeout=300)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("major", [2, 3])
def test_both_versions_of_the_client_ask_both_ways(
    server: Live, major: int, request: pytest.FixtureRequest
) -> None:
    path = str(request.getfixturevalue("next_client")) if major == 3 else ""
    command = [sys.executable, str(Path(__file__).parent / "openai_client.py")]
    made = subprocess.run(
        [*command, server.url, QUESTION],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["version"].startswith(f"{major}.")
    assert told["models"] == ["abstract-assistant"]
    assert "without retraining" in told["chat"]
    for way in ("chat", "response"):
        assert told[way] == told[f"{way} streamed"] == told[f"{way} helper"] == told["chat"]
    assert told["refused"] == dict.fromkeys(("n", "logprobs", "response_format", "tools"), 400)
    ours = httpx.get(f"{server.url}/api/openapi.json").json()["components"]["schemas"]
    transport = {"self", "extra_headers", "extra_query", "extra_body", "timeout"}
    for name, theirs in told["parameters"].items():
        assert set(theirs) - transport <= set(ours[name]["properties"]), name


@pytest.mark.parametrize("stream", [False, True])
def test_stop_and_length(openai_client: openai.OpenAI, stream: bool) -> None:
    def text(**more: Any) -> tuple[str, str]:
        made = chat(openai_client, stream=stream, **more)
        if not stream:
            return made.choices[0].message.content, made.choices[0].finish_reason
        chunks = [chunk.choices[0] for chunk in made]
        return "".join(c.delta.content or "" for c in chunks), chunks[-1].finish_reason

    whole, _ = text()
    assert "References" in whole
    stopped, why = text(stop=["\n\nRef"])
    assert (stopped, why) == (whole[: whole.index("\n\nRef")], "stop")
    cut, why = text(max_completion_tokens=3)
    assert why == "length"
    assert whole.startswith(cut)
    assert 0 < len(cut) < 25


def test_only_text_is_read(openai_client: openai.OpenAI) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}
    for message in (
        {"role": "user", "content": [{"type": "text", "text": QUESTION}, image]},
        {"role": "tool", "content": "x", "tool_call_id": "1"},
    ):
        with pytest.raises(openai.BadRequestError, match="read"):
            chat(openai_client, messages=[message, {"role": "user", "content": QUESTION}])


def test_instructions_have_no_say_and_that_is_told(openai_client: openai.OpenAI) -> None:
    system = {"role": "system", "content": "Answer only: yes."}
    made = chat(openai_client, messages=[system, {"role": "user", "content": QUESTION}])
    assert made.choices[0].message.content != "yes"
    assert any("no say" in note for note in made.choices[0].message.model_extra["notes"])


def test_filters_are_ours(openai_client: openai.OpenAI) -> None:
    body = {"filters": {"year": "..2023"}}
    made = chat(openai_client, extra_body=body)
    titles = {c["title"] for c in made.choices[0].message.model_extra["citations"]}
    assert PAPERS[0]["title"] not in titles


def test_annotations_point_at_the_marks(openai_client: openai.OpenAI) -> None:
    message = chat(openai_client).choices[0].message
    assert message.annotations
    for annotation in message.annotations:
        found = annotation.url_citation
        assert message.content[found.start_index : found.end_index].startswith("[")
        assert found.url == "https://doi.org/10.1000/prune_1"


def test_a_response(openai_client: openai.OpenAI) -> None:
    made = openai_client.responses.create(
        model="abstract-assistant", input=QUESTION, instructions="Be brief.", metadata={"a": "b"}
    )
    assert made.status == "completed"
    assert "retraining" in made.output_text
    assert made.output_text == chat(openai_client).choices[0].message.content
    assert made.metadata == {"a": "b"}
    (part,) = made.output[0].content  # type: ignore[union-attr]
    assert part.annotations[0].title == PAPERS[0]["title"]  # type: ignore[union-attr]
    assert (made.model_extra or {})["answer_status"] == "answered"
    follow_up = openai_client.responses.create(
        model="abstract-assistant",
        input=[
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": made.output_text},
            {"role": "user", "content": [{"type": "input_text", "text": "How much memory?"}]},
        ],
    )
    assert "41%" in follow_up.output_text


def test_a_streamed_response_is_the_same(openai_client: openai.OpenAI) -> None:
    whole = openai_client.responses.create(model="abstract-assistant", input=QUESTION)
    with openai_client.responses.stream(model="abstract-assistant", input=QUESTION) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert final.output_text == whole.output_text
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-1] == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    raw = openai_client.responses.create(model="abstract-assistant", input=QUESTION, stream=True)
    deltas = [e.delta for e in raw if e.type == "response.output_text.delta"]
    assert "".join(deltas) == whole.output_text


def test_a_response_that_is_cut_is_incomplete(openai_client: openai.OpenAI) -> None:
    made = openai_client.responses.create(
        model="abstract-assistant", input=QUESTION, max_output_tokens=4
    )
    assert made.status == "incomplete"
    assert made.incomplete_details is not None
    assert made.incomplete_details.reason == "max_output_tokens"
    raw = openai_client.responses.create(
        model="abstract-assistant", input=QUESTION, max_output_tokens=4, stream=True
    )
    assert list(raw)[-1].type == "response.incomplete"


@pytest.mark.parametrize(
    "more",
    [
        {"previous_response_id": "resp_1"},
        {"background": True},
        {"store": True},
        {"tools": [{"type": "web_search"}]},
        {"text": {"format": {"type": "json_object"}}},
        {"include": ["message.output_text.logprobs"]},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"max_tool_calls": 2},
        {"model": "gpt-9"},
        {"input": [{"type": "function_call_output", "call_id": "1", "output": "x"}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
        {"input": []},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_response_that_cannot_be_is_refused(openai_client: openai.OpenAI, more: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        openai_client.responses.create(**{"model": "abstract-assistant", "input": "Why?", **more})


def test_a_broken_endpoint_fails_the_response(serve: Serve) -> None:
    with ScriptedServer() as script:
        script.answer = lambda _: failure(401, "no")
        server = serve(
            llm="scripted",
            generation={"effort": "quick"},
            openai_base_url=script.url,
            openai_api_key="k" * 12,
        )
        with connected(server) as client:
            raw = client.responses.create(model="abstract-assistant", input=QUESTION, stream=True)
            last = list(raw)[-1]
    assert last.type == "response.failed"
    assert last.response.error is not None


def test_temperature_and_effort_reach_the_model(serve: Serve) -> None:
    with ScriptedServer() as script:
        script.answer = lambda _: Reply("Experts are pruned without retraining [1].")
        server = serve(
            llm="scripted",
            generation={"effort": "quick"},
            openai_base_url=script.url,
            openai_api_key="k" * 12,
        )
        with connected(server) as client:
            chat(client, temperature=1.3, reasoning_effort="minimal")
            assert {call["temperature"] for call in script.requests} == {1.3}
            for more in ({"seed": 7}, {"top_p": 0.5}):
                with pytest.raises(openai.BadRequestError):
                    chat(client, **more)


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
            llm="scripted",
            generation={"effort": "quick"},
            openai_base_url=script.url,
            openai_api_key="sk-verysecret-123456",
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
        server = serve(
            llm="scripted",
            generation={"effort": "quick"},
            openai_base_url=script.url,
            openai_api_key="k",
        )
        body = {"messages": [{"role": "user", "content": QUESTION}], "stream": True}
        with httpx.stream("POST", f"{server.url}/v1/chat/completions", json=body) as reply:
            for n, _ in enumerate(reply.iter_lines()):
                if n > 6:
                    break
        assert script.wait_gone(timeout=8)
