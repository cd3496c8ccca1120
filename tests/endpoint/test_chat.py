"""Calls to an endpoint, with the real openai client over real sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage

from assistant.endpoint import (
    Cancellation,
    Delta,
    Endpoint,
    Finished,
    Ledger,
    Piece,
    Waiting,
    examine,
    probe,
)
from assistant.endpoint.ledger import Price, count_tokens, price_of
from assistant.endpoint.spoken import SpokenText
from assistant.endpoint.target import CHAT, Target, address
from assistant.errors import (
    Cancelled,
    ConfigurationError,
    ContentFiltered,
    ContextTooLong,
    CostCapReached,
    EndpointError,
    EndpointFailed,
    EndpointSlow,
    EndpointUnreachable,
    KeyRefused,
    ModelUnknown,
    QuotaExhausted,
    RateLimited,
    ReplyCut,
    ReplyEmpty,
    ReplyMalformed,
)
from assistant.results import Usage
from assistant.settings import Settings
from tests.scripted_server import Reply, ScriptedServer, failure

KEY = "sk-test-0123456789abcdef"
EndpointFor = Callable[..., Endpoint]
SettingsFor = Callable[..., Settings]


def ask(text: str = "hi") -> list[ChatMessage]:
    return [ChatMessage(role="system", content="be kind"), ChatMessage(role="user", content=text)]


def run(endpoint: Endpoint, ledger: Ledger | None = None, **more: Any) -> list[Piece]:
    return list(endpoint.stream(ask(), ledger or Ledger(), **more))


def text_of(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Delta))


# -- a call that goes well


def test_a_reply_streams_with_its_usage(server: ScriptedServer, endpoint_for: EndpointFor) -> None:
    server.replies.append(Reply("Pruning helps [1].", usage=(321, 45)))
    ledger = Ledger()
    pieces = run(endpoint_for(), ledger)
    assert text_of(pieces) == "Pruning helps [1]."
    assert len([p for p in pieces if isinstance(p, Delta)]) > 1
    assert isinstance(pieces[-1], Finished)
    assert ledger.usage == Usage(prompt_tokens=321, completion_tokens=45, calls=1)
    sent = server.requests[0]
    assert sent["model"] == "scripted"
    assert sent["stream"] is True
    assert sent["max_tokens"] == 1200
    assert [m["role"] for m in sent["messages"]] == ["system", "user"]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_usage_is_estimated_where_it_is_not_reported(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.append(Reply("four words of text", usage=None))
    ledger = Ledger()
    run(endpoint_for(), ledger)
    assert ledger.usage.estimated
    assert ledger.usage.prompt_tokens > 0
    assert ledger.usage.completion_tokens == count_tokens("four words of text")


def test_the_small_model_takes_the_small_steps(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.answer = lambda _: "ok"
    endpoint = endpoint_for(llm_small="tiny")
    run(endpoint)
    run(endpoint, small=True)
    assert [r["model"] for r in server.requests] == ["scripted", "tiny"]


def test_thoughts_are_not_shown(server: ScriptedServer, endpoint_for: EndpointFor) -> None:
    for chunk in (1, 2, 50):
        server.replies.append(Reply("<think>hm [1]</think>\n\nYes <think>.", chunk=chunk))
        assert text_of(run(endpoint_for())) == "Yes <think>."
    server.replies.append(Reply("<thin", chunk=2))
    assert text_of(run(endpoint_for())) == "<thin"


def test_the_older_completions_can_be_chosen(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.append("plain")
    assert text_of(run(endpoint_for(endpoint={"chat": False}))) == "plain"
    assert "prompt" in server.requests[0]


# -- what a server may refuse


def test_a_parameter_that_is_refused_is_left_out_from_then_on(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    message = "Unsupported parameter: 'max_tokens' is not supported with this model."
    server.replies.extend(
        [
            failure(400, message, "unsupported_parameter"),
            failure(400, "Unsupported value: 'temperature' does not support 0.1", "x"),
            Reply("ok"),
            Reply("ok"),
        ]
    )
    endpoint = endpoint_for()
    assert text_of(run(endpoint)) == "ok"
    assert text_of(run(endpoint)) == "ok"
    assert len(server.requests) == 4
    for sent in server.requests[2:]:
        assert "max_tokens" not in sent
        assert sent["max_completion_tokens"] == 1200
        assert "temperature" not in sent


FAILURES = [
    (failure(401, f"Incorrect API key provided: {KEY}", "invalid_api_key"), KeyRefused, "API_KEY"),
    (failure(403, "no access"), KeyRefused, "OPENAI_API_KEY"),
    (failure(404, "The model `x` does not exist", "model_not_found"), ModelUnknown, "--llm"),
    (failure(400, "model 'x' not found, try pulling it first"), ModelUnknown, "--llm"),
    (Reply(status=404, error={"detail": "Not Found"}), EndpointUnreachable, "/v1"),
    (failure(429, "You exceeded your current quota", "insufficient_quota"), QuotaExhausted, "cred"),
    (failure(402, "Insufficient balance"), QuotaExhausted, "credit"),
    (
        failure(400, "This model's maximum context length is 8192", "context_length_exceeded"),
        ContextTooLong,
        "CONTEXT_WINDOW",
    ),
    (
        failure(400, "the request exceeds the available context size"),
        ContextTooLong,
        "PASSAGE_TOKENS",
    ),
    (failure(400, "blocked", "content_filter"), ContentFiltered, "other words"),
    (failure(400, "something odd"), EndpointFailed, "HTTP 400"),
    (Reply("", finish="content_filter"), ContentFiltered, "filter"),
    (Reply(""), ReplyEmpty, "empty"),
    (Reply(raw_body=b"<html>hello</html>", content_type="text/html"), ReplyEmpty, "/v1"),
    (Reply(raw_events=["data: {not json}\n\n"]), ReplyMalformed, "/v1"),
    (Reply(raw_events=['data: {"choices": null}\n\n']), ReplyMalformed, "format"),
    (Reply(raw_events=['data: {"choices": [{"delta": 3}]}\n\n']), ReplyMalformed, "format"),
    (
        Reply(raw_events=['data: {"error": {"message": "CUDA out of memory"}}\n\n']),
        EndpointFailed,
        "CUDA",
    ),
]


def test_a_model_that_only_thinks_gets_more_room_once(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    endpoint = endpoint_for()
    server.replies.extend([Reply("", finish="length"), Reply("ok")])
    assert text_of(run(endpoint)) == "ok"
    first, second = (sent["max_tokens"] for sent in server.requests)
    assert second > first + 1000
    server.replies.append(Reply("", finish="length"))
    with pytest.raises(ReplyEmpty, match="--max-tokens"):
        run(endpoint)


def test_a_model_without_a_system_role_gets_one_message(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.extend([failure(400, "System role not supported"), Reply("ok")])
    assert text_of(run(endpoint_for())) == "ok"
    assert [m["role"] for m in server.requests[-1]["messages"]] == ["user"]


@pytest.mark.parametrize(
    ("url", "base", "query"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1", {}),
        ("http://localhost:1234/v1/", "http://localhost:1234/v1", {}),
        ("https://h.example/v1/chat/completions", "https://h.example/v1", {}),
        (
            "https://me.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
            "https://me.openai.azure.com/openai/deployments/d",
            {"api-version": "2024-10-21"},
        ),
    ],
)
def test_addresses_as_people_give_them(url: str, base: str, query: dict[str, str]) -> None:
    found, parameters = address(url)
    target = Target(found, "sk-0123456789ab", "m", CHAT, parameters)
    assert (target.base_url, target.query) == (base, query)
    assert bool(target.headers) == ("azure" in url)


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("<think>hm</think>\n\nok", "ok"),
        ("p < 0.05 and a <b> c", "p < 0.05 and a <b> c"),
        ("ok<|im_end|>\nuser: more", "ok"),
        ("ok</s>", "ok"),
        ("<thin ice", "<thin ice"),
        ("ends with <", "ends with <"),
        ("<|im_start|>assistant\n68 were.<|im_end|>", "68 were."),
        ("<|im_start|>assistant\n<think>hm</think>ok", "ok"),
    ],
)
def test_only_what_is_spoken_is_given_on(reply: str, shown: str, size: int) -> None:
    spoken = SpokenText()
    pieces = [reply[n : n + size] for n in range(0, len(reply), size)]
    assert "".join(map(spoken.feed, pieces)) + spoken.finish() == shown


@pytest.mark.parametrize(("reply", "kind", "says"), FAILURES)
def test_every_failure_has_its_own_message(
    reply: Reply,
    kind: type[EndpointError],
    says: str,
    server: ScriptedServer,
    endpoint_for: EndpointFor,
) -> None:
    server.replies.append(reply)
    with pytest.raises(EndpointError) as caught:
        run(endpoint_for())
    error = caught.value
    assert type(error) is kind
    assert says in str(error)
    assert error.do
    assert KEY not in str(error)
    assert len(str(error)) < 420
    assert len(server.requests) == 1  # none of these is worth another try


def test_the_message_names_what_was_tried(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.append(failure(401, "no"))
    with pytest.raises(KeyRefused, match=r"'scripted' at http://127\.0\.0\.1:\d+/v1 \(key …cdef\)"):
        run(endpoint_for())


def test_a_host_that_is_not_there_fails_within_three_seconds(endpoint_for: EndpointFor) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}/v1", "http://no-such-host.invalid/v1"):
            began = time.monotonic()
            with pytest.raises(EndpointUnreachable, match="OPENAI_BASE_URL"):
                run(endpoint_for(openai_base_url=url))
            assert time.monotonic() - began < 3


def test_a_host_that_swallows_packets_fails_within_three_seconds(
    endpoint_for: EndpointFor,
) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        held = [socket.socket() for _ in range(3)]  # fill the backlog: the next one waits
        for line in held:
            line.setblocking(False)
            line.connect_ex(address)
        time.sleep(0.05)
        began = time.monotonic()
        with pytest.raises(EndpointError) as caught:
            run(endpoint_for(openai_base_url=f"http://127.0.0.1:{address[1]}/v1"))
        assert isinstance(caught.value, EndpointUnreachable)
        assert time.monotonic() - began < 3
        for line in held:
            line.close()


def test_silence_ends_after_the_timeout(server: ScriptedServer, endpoint_for: EndpointFor) -> None:
    server.replies.append(Reply("late", before=5))
    with pytest.raises(EndpointSlow, match="TIMEOUT"):
        run(endpoint_for(endpoint={"timeout": 0.2}))
    server.replies.append(Reply("too late", chunk=1, between=5))
    with pytest.raises(EndpointSlow, match="silent"):
        run(endpoint_for(endpoint={"timeout": 0.2}))


# -- a reply that breaks off


@pytest.mark.parametrize(
    "reply",
    [
        Reply("Pruning helps a lot", cut_after=2),
        Reply("Pruning helps a lot", finish=None, done=False),
        Reply("Pruning helps", raw_events=["data: {bad\n\n"]),
    ],
)
def test_what_came_before_the_break_is_kept(
    reply: Reply, server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.append(reply)
    ledger, pieces = Ledger(), list[Piece]()
    with pytest.raises((ReplyCut, ReplyMalformed)) as caught:
        pieces.extend(endpoint_for().stream(ask(), ledger))
    assert text_of(pieces).startswith("Pruning helps"[:13])
    assert caught.value.usage == ledger.usage
    assert ledger.usage.completion_tokens > 0
    assert len(server.requests) == 1  # what has been shown is not asked for again


# -- what passes


def test_retries_honour_retry_after_and_say_so(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.extend([failure(429, "slow down", retry_after="1"), Reply("ok")])
    began = time.monotonic()
    pieces = run(endpoint_for())
    assert time.monotonic() - began >= 1
    assert [p.text for p in pieces if isinstance(p, Waiting)] == [
        "rate limited (429); trying again in 1 s (1 of 3)"
    ]
    assert text_of(pieces) == "ok"


@pytest.mark.parametrize(
    "headers", [{"retry-after-ms": "40"}, {"retry-after": formatdate(time.time() - 5, usegmt=True)}]
)
def test_retry_after_in_its_other_forms(
    headers: dict[str, str], server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    busy = failure(503, "busy")
    busy.headers = headers
    server.replies.extend([busy, Reply("ok")])
    began = time.monotonic()
    assert text_of(run(endpoint_for())) == "ok"
    assert time.monotonic() - began < 0.4


def test_a_wait_that_is_too_long_is_refused(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.append(failure(429, "slow down", retry_after="3600"))
    with pytest.raises(RateLimited, match="3600 s"):
        run(endpoint_for())


def test_retries_end(server: ScriptedServer, endpoint_for: EndpointFor) -> None:
    server.answer = lambda _: failure(500, "oops", retry_after="0")
    with pytest.raises(EndpointFailed, match="HTTP 500"):
        run(endpoint_for(endpoint={"max_retries": 2}))
    assert len(server.requests) == 3


def test_a_line_that_is_lost_before_the_reply_is_tried_again(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.extend([Reply("x", cut_after=0), Reply("ok")])
    pieces = run(endpoint_for())
    assert text_of(pieces) == "ok"
    assert any(isinstance(p, Waiting) and "lost" in p.text for p in pieces)


# -- stopping


def test_closing_the_iterator_stops_the_request(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.append(Reply("x" * 500, chunk=1, between=0.05))
    stream = endpoint_for().stream(ask(), ledger := Ledger())
    next(stream)
    stream.close()
    assert server.wait_gone()
    assert ledger.usage.completion_tokens > 0  # what was written is counted


def test_a_request_is_stopped_before_its_first_token(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.append(Reply("x", before=30))
    cancellation = Cancellation()
    timer = threading.Timer(0.3, cancellation.set)
    timer.start()
    with pytest.raises(Cancelled):
        run(endpoint_for(), cancellation=cancellation)
    assert server.wait_gone()
    with pytest.raises(Cancelled):  # set once, it stays set
        run(endpoint_for(), cancellation=cancellation)
    timer.join()


def test_closing_the_endpoint_stops_what_runs(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    server.replies.append(Reply("x" * 500, chunk=1, between=0.05))
    endpoint = endpoint_for()
    stream = endpoint.stream(ask(), Ledger())
    next(stream)
    endpoint.close()
    with pytest.raises(Cancelled):
        list(stream)
    assert server.wait_gone()


def test_twenty_streams_at_once_do_not_mix(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        name = body["messages"][-1]["content"]
        return Reply(f"{name} " * 40, chunk=5, between=0.005)

    server.answer = answer
    endpoint = endpoint_for()

    def one(n: int) -> str:
        return text_of(list(endpoint.stream(ask(f"q{n:02}"), Ledger())))

    with ThreadPoolExecutor(20) as pool:
        texts = list(pool.map(one, range(20)))
    assert texts == [f"q{n:02} " * 40 for n in range(20)]
    assert server.most_open >= 15
    assert not [t for t in threading.enumerate() if "assistant-endpoint" in t.name][1:]


# -- settings


def test_nothing_is_guessed_about_the_window(
    server: ScriptedServer, endpoint_for: EndpointFor
) -> None:
    assert endpoint_for().context_window() == 32_768
    assert endpoint_for(endpoint={"context_window": 9000}).context_window() == 9000
    server.models = [{"id": "scripted"}]
    assert endpoint_for().context_window() is None
    server.models = [{"id": "scripted", "meta": {"n_ctx": 4096}}]
    assert endpoint_for().context_window() == 4096
    server.models = 404
    assert endpoint_for().context_window() is None
    server.models = 401
    with pytest.raises(KeyRefused):
        endpoint_for().context_window()


def test_openai_needs_a_key_and_others_do_not(settings_for: SettingsFor) -> None:
    settings = Settings.load(llm="gpt-4o-mini")
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        Target.from_settings(settings)
    local = Settings.load(llm="llama3.2", openai_base_url="http://localhost:11434/v1/")
    assert str(Target.from_settings(local)) == (
        "the model 'llama3.2' at http://localhost:11434/v1 (no key)"
    )
    for wrong in ("localhost:11434", "ftp://x/v1", "http://", "http://[x/v1"):
        with pytest.raises(ConfigurationError, match="OPENAI_BASE_URL"):
            Target.from_settings(settings_for(openai_base_url=wrong))
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        Target.from_settings(settings_for(openai_api_key="sk- with space"))


def test_secrets_are_masked_wherever_they_stand(settings_for: SettingsFor) -> None:
    settings = settings_for(openai_base_url="http://me:secret@host/v1/chat/completions")
    target = Target.from_settings(settings)
    assert target.base_url.endswith("@host/v1")
    for shown in (str(target), repr(target), repr(settings), target.masked(f"bad {KEY}")):
        assert KEY not in shown
    assert "secret" not in str(target)


def test_an_unusable_model_is_refused_with_a_sentence(endpoint_for: EndpointFor) -> None:
    with pytest.raises(ConfigurationError, match="chat completions"):
        run(endpoint_for(llm="gpt-5.4-pro"))


# -- cost


def test_prices_come_from_a_kept_library() -> None:
    price = price_of(Target("https://api.openai.com/v1", "k", "gpt-4o-mini"))
    assert price is not None
    assert 0 < price.prompt < price.completion < 1e-4
    assert price.context_window == 128_000
    assert price_of(Target("http://127.0.0.1:1/v1", "k", "gpt-4o-mini")) is None
    assert price_of(Target("https://example.org/v1", "k", "no-such-model")) is None


def test_the_cap_shortens_a_reply_and_then_refuses_it() -> None:
    target, price = Target("https://api.openai.com/v1", "k", "m"), Price(1e-6, 1e-5)
    ledger = Ledger(cap=0.01)
    assert ledger.afford(price, 1000, 800, target) == 800
    assert ledger.afford(price, 1000, 2000, target) == 900
    ledger.add(Usage(prompt_tokens=1, cost_usd=0.0088, calls=1))
    with pytest.raises(CostCapReached, match=r"\$0\.01"):
        ledger.afford(price, 1000, 800, target)
    with pytest.raises(ConfigurationError, match="max-tokens"):
        Ledger(cap=1).afford(None, 1, 1, target)


def test_usages_add_up() -> None:
    some = Usage(prompt_tokens=1, completion_tokens=2, cost_usd=0.5, calls=1)
    total = sum([some, some], Usage())
    assert (total.prompt_tokens, total.calls, total.cost_usd) == (2, 2, 1.0)
    assert (total + Usage(prompt_tokens=1, calls=1)).cost_usd is None


def test_tokens_are_rather_over_than_underestimated() -> None:
    from llama_index.core.utils import get_tokenizer  # noqa: PLC0415

    encode = get_tokenizer()
    for text in (
        "Sparse mixture-of-experts models scale capacity at constant cost.",
        "専門家の混合モデルは計算量を増やさずに容量を拡大する。",
        "نماذج الخبراء المختلطة توسع السعة",
    ):
        real = len(encode(text))
        assert 0.75 * real <= count_tokens(text) <= 2.5 * real


# -- kept replies


def test_replies_are_kept_only_when_asked_for(
    server: ScriptedServer, endpoint_for: EndpointFor, settings_for: SettingsFor
) -> None:
    from assistant.endpoint import clear_replies  # noqa: PLC0415

    server.answer = lambda _: "fresh"
    run(endpoint_for())
    run(endpoint_for())
    assert len(server.requests) == 2
    ledger = Ledger()
    assert text_of(run(endpoint_for(cache=True))) == "fresh"
    assert text_of(run(endpoint_for(cache=True), ledger)) == "fresh"
    assert len(server.requests) == 3
    assert ledger.usage.calls == 0
    run(endpoint_for(cache=True, endpoint={"temperature": 0.7}))
    run(endpoint_for(cache=True), small=True, max_tokens=9)
    assert len(server.requests) == 5
    kept = list((settings_for().cache / "replies").glob("*/*.json"))
    assert KEY not in "".join(path.read_text() for path in kept)
    kept[0].write_text("{broken")
    assert clear_replies(settings_for()) == 3
    assert clear_replies(settings_for()) == 0


def test_half_a_reply_is_not_kept(server: ScriptedServer, endpoint_for: EndpointFor) -> None:
    server.replies.extend([Reply("broken reply", cut_after=1), Reply("whole")])
    endpoint = endpoint_for(cache=True)
    with pytest.raises(ReplyCut):
        run(endpoint)
    assert text_of(run(endpoint)) == "whole"


# -- the test button


def test_a_probe_tells_what_there_is(server: ScriptedServer, settings_for: SettingsFor) -> None:
    server.replies.append("ready")
    result = probe(settings_for())
    assert result.ok
    assert result.models == ["scripted"]
    assert result.context_window == 32_768
    assert result.first_token_ms is not None
    server.replies.append(failure(401, "bad"))
    checks = {check.name: check for check in examine(settings_for())}
    assert (checks["endpoint"].state, checks["key"].state) == ("ok", "broken")
    assert list(checks) == ["endpoint", "key"]
    server.replies.append("ready")
    checks = {check.name: check for check in examine(settings_for())}
    assert list(checks) == ["endpoint", "key", "model", "first token"]
    assert {check.state for check in checks.values()} == {"ok"}
    assert "32,768" in checks["model"].found
    server.replies.append(failure(401, "bad"))
    result = probe(settings_for())
    assert "OPENAI_API_KEY" in result.error
    assert KEY not in json.dumps(result.model_dump())
    assert "No language model" in probe(settings_for(llm="")).error


def test_ctrl_c_stops_the_request(server: ScriptedServer, endpoint_for: EndpointFor) -> None:
    server.replies.append(Reply("x", before=30))
    endpoint = endpoint_for()
    endpoint.context_window()  # the imports are done, the next wait is for the reply

    def press() -> None:
        while not server.open:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    person = threading.Thread(target=press)
    person.start()
    with pytest.raises(KeyboardInterrupt):
        run(endpoint)
    person.join()
    assert server.wait_gone()


def test_a_closed_endpoint_says_so(server: ScriptedServer, endpoint_for: EndpointFor) -> None:
    endpoint = endpoint_for()
    endpoint.close()
    with pytest.raises(Cancelled, match="closed"):
        run(endpoint)
    endpoint.close()


def test_any_chat_model_of_llamaindex_may_be_given(tmp_path: Path) -> None:
    from llama_index.core.llms import MockLLM  # noqa: PLC0415

    endpoint = Endpoint(Settings.load(cache=tmp_path), llm=MockLLM(max_tokens=4))
    ledger = Ledger()
    pieces = run(endpoint, ledger)
    endpoint.close()
    assert text_of(pieces)
    assert isinstance(pieces[-1], Finished)
    assert ledger.usage.calls == 1
    assert ledger.usage.estimated


@pytest.mark.parametrize(("window", "state"), [(2048, "attention"), (512, "broken")])
def test_a_small_window_is_told_by_the_doctor(
    window: int, state: str, server: ScriptedServer, settings_for: SettingsFor
) -> None:
    server.models = [{"id": "scripted", "max_model_len": window}]
    server.answer = lambda _: "ready"
    checks = {check.name: check for check in examine(settings_for())}
    assert checks["context window"].state == state
    assert "papers" in checks["context window"].found
