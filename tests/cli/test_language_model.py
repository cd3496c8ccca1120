"""The command line with a language model: a scripted server that answers over real sockets."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.results import (
    Answer,
    DoneEvent,
    ErrorEvent,
    Sentence,
    StatusEvent,
    TextEvent,
    Usage,
    VerdictEvent,
)
from tests.scripted_server import Reply, ScriptedServer, failure

from .conftest import Run, Script
from .fakes import made_answer

QUESTION = "Which experts are pruned without retraining?"
REPLY = "Experts of a mixture are pruned without retraining [1]."
KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        running.answer = cited
        yield running


@pytest.fixture
def model(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, filled: Path) -> Path:
    """The settings name the scripted server, and the library has papers."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ASSISTANT_LLM", "scripted")
    monkeypatch.setenv("ASSISTANT_GENERATION__EFFORT", "quick")  # one call a question
    monkeypatch.setenv("NO_COLOR", "1")
    return filled


def cited(body: dict[str, Any]) -> str:
    """A reply that cites the paper on pruning by the number that the prompt gives it."""
    lines = body["messages"][-1]["content"].splitlines()
    number = next(
        (lines[n - 1].split()[-1] for n, line in enumerate(lines) if line.startswith("Pruning Ex")),
        "1",
    )
    return REPLY.replace("[1]", f"[{number}]")


# -- ask


def test_an_answer_with_what_it_took(run: Run, model: Path, server: ScriptedServer) -> None:
    result = run("ask", QUESTION)
    assert result.code == 0
    assert result.out.splitlines()[0] == REPLY
    assert "[1] Pruning Experts Without Retraining" in result.out
    assert result.err.endswith("scripted: 100 tokens in, 20 out.\n")
    answer = Answer.model_validate(run("ask", QUESTION, "--json").json)
    assert (answer.mode, answer.model) == ("generative", "scripted")
    assert server.requests[0]["max_tokens"] == 1200


def test_options_reach_the_model(run: Run, filled: Path, server: ScriptedServer) -> None:
    server.models = [{"id": "other"}]
    options = ["--base-url", server.url, "--llm", "other", "--max-tokens", "77"]
    result = run("ask", QUESTION, *options, "--effort", "quick", "--language", "Klingon")
    assert result.code == 0
    assert result.err.endswith("other: 100 tokens in, 20 out.\n")
    (request,) = server.requests
    assert (request["model"], request["max_tokens"]) == ("other", 77)
    assert "Klingon" in request["messages"][0]["content"]
    server.replies.extend([Reply(cited(request)), '{"1": "supported"}'])
    checked = run("ask", QUESTION, *options, "--effort", "quick", "--verify", "model")
    assert "in 2 calls" in checked.err


@pytest.mark.parametrize(
    ("option", "named"),
    [
        (["--effort", "deep"], "--effort"),
        (["--max-cost", "1"], "--max-cost"),
        (["--verify", "off"], "--verify"),
        (["--base-url", "http://localhost:1/v1"], "--base-url"),
    ],
)
def test_an_option_without_a_model_is_refused(
    option: list[str], named: str, run: Run, filled: Path
) -> None:
    result = run("ask", QUESTION, *option)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"{named} is for what a language model writes")
    assert "--llm" in result.err


def test_a_wrong_option_is_wrong_usage_or_one_sentence(run: Run, model: Path) -> None:
    assert run("ask", QUESTION, "--effort", "huge").code == 2
    assert run("ask", QUESTION, "--max-tokens", "1").code == 2
    result = run("ask", QUESTION, "--max-cost", "-1")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "max_cost" in result.err


def test_no_model_by_an_empty_name(run: Run, model: Path, server: ScriptedServer) -> None:
    result = run("ask", QUESTION, "--llm", "", "--json")
    assert result.json["mode"] == "extractive"
    assert server.requests == []


def test_a_cap_without_a_price_is_said(run: Run, filled: Path) -> None:
    url = "http://models.invalid/v1"
    result = run("ask", QUESTION, "--llm", "x", "--base-url", url, "--max-cost", "0.01")
    assert result.code == 1
    assert result.err.count("\n") == 1


def test_a_broken_stream_keeps_and_marks_what_came(
    run: Run, model: Path, server: ScriptedServer
) -> None:
    broken = Reply(f"{REPLY} And then", cut_after=9)
    server.replies.extend([broken, broken])
    result = run("ask", QUESTION)
    assert result.code == 1
    assert re.match(r"Experts of a mixture .*\(not finished\)\n", result.out)
    assert result.err.count("broke off") == 1  # said once, though the partial notes it too
    assert result.err.splitlines()[-1].endswith("Ask again.")
    result = run("ask", QUESTION, "--json")
    assert (result.code, result.out) == (1, "")
    assert "broke off" in result.err


def test_a_wait_is_told(run: Run, on_terminal: Run, model: Path, server: ScriptedServer) -> None:
    busy = failure(429, "slow down", "rate_limit_exceeded", retry_after="1")
    server.replies.append(busy)
    result = run("ask", QUESTION, "--json")
    assert result.code == 0
    assert result.err == "Rate limited (429); trying again in 1 s (1 of 3).\n"
    server.replies.append(busy)
    result = on_terminal("ask", QUESTION)
    assert "rate limited (429); trying again in 1 s" in result.err


def test_a_person_sees_it_written_with_sources_and_quotes(on_terminal: Run, model: Path) -> None:
    result = on_terminal("ask", QUESTION)
    assert result.code == 0
    assert result.out.startswith(REPLY)
    assert "“Experts of a mixture are pruned without retraining.”" in result.out
    assert "reading" in result.err
    assert "100 tokens in, 20 out" in result.err


def test_a_person_sees_where_it_broke(
    on_terminal: Run, model: Path, server: ScriptedServer
) -> None:
    server.replies.append(Reply(f"{REPLY} And then", cut_after=9))
    result = on_terminal("ask", QUESTION)
    assert result.code == 1
    assert "(not finished)" in result.out.splitlines()[0]
    assert "Sources:" in result.out
    assert result.err.rstrip().endswith("Ask again.")


def test_verdicts_stand_behind_their_sentences(
    on_terminal: Run, model: Path, script: Script
) -> None:
    wrong = Sentence(text="It falls by 99% [1].", citations=[1], support="unsupported")
    late = Sentence(text="It is free.", support="supported")
    answer = made_answer(
        answer="It falls by 99% [1]. It is free.",
        sentences=[wrong, late.model_copy(update={"support": "partial"})],
        mode="generative",
    )
    script.turns = [
        [
            TextEvent(text="It falls by 99% [1]."),
            VerdictEvent(index=0, sentence=wrong),
            TextEvent(text=" It is free."),
            VerdictEvent(index=1, sentence=late),
            StatusEvent(text="checking 2 sentences"),
            DoneEvent(answer=answer),
        ]
    ]
    lines = on_terminal("ask", QUESTION).out.splitlines()
    assert lines[0] == "It falls by 99% [1]. (not supported) It is free."
    assert lines[1] == "partly supported: “It is free.”"


# -- chat


def test_chat_sums_what_was_taken(run: Run, model: Path, server: ScriptedServer) -> None:
    def answer(body: dict[str, Any]) -> Reply | str:
        return Reply(cited(body), usage=(1000, 50))

    server.answer = answer
    lines = f"/usage\n{QUESTION}\nWhich paper prunes experts of a mixture?\n/usage\n/new\n/usage\n"
    result = run("chat", "--effort", "quick", stdin=lines)
    assert result.code == 0
    assert result.err.count("No language model has been called") == 2
    assert "This conversation: 2,000 tokens in, 100 out in 2 calls.\n" in result.out


def test_chat_counts_turns_that_failed(run: Run, filled: Path, script: Script) -> None:
    from assistant.errors import ReplyCut  # noqa: PLC0415

    error = ReplyCut("It broke off.", "Ask again.")
    error.usage = Usage(prompt_tokens=10, completion_tokens=1, calls=1, cost_usd=0.00001)
    partial = made_answer(answer="Half", citations=[], sentences=[], notes=[])
    script.turns = [
        [
            TextEvent(text="Half"),
            ErrorEvent(message=str(error), partial=partial, error=error),
        ]
    ]
    result = run("chat", stdin="one?\n/usage\n")
    assert result.code == 1
    assert "Half… (not finished)\n" in result.out
    assert "10 tokens in, 1 out, less than $0.0001." in result.out
    assert "It broke off. Ask again." in result.err


def test_chat_says_who_answers(on_terminal: Run, model: Path) -> None:
    assert "3 papers, answered by scripted." in on_terminal("chat", keys=[]).err


# -- cache


def test_kept_replies_are_counted_and_cleared(
    run: Run, model: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("cache", "show", "--json").json["replies"] == 0
    assert run("cache", "clear").out == "0 replies removed.\n"
    result = run("cache", "show")
    assert result.out.startswith("0 replies, 0.0 MB, in ")
    assert "ASSISTANT_GENERATION__CACHE" in result.err
    monkeypatch.setenv("ASSISTANT_GENERATION__CACHE", "true")
    first = run("ask", QUESTION, "--json").json
    again = run("ask", QUESTION)
    assert again.out.startswith(first["answer"])
    assert "tokens" not in again.err  # nothing was called, nothing was taken
    assert len(server.requests) == 1
    kept = run("cache", "show", "--json").json
    assert kept["replies"] == 1
    assert kept["bytes"] > 0
    assert run("cache", "show").err == ""
    assert run("cache", "clear").out == "1 reply removed.\n"
    assert not Path(kept["folder"]).exists()
    run("ask", QUESTION)
    assert len(server.requests) == 2
    assert run("cache", "clear", "--json").json == {"removed": 1}


def test_a_cache_that_cannot_be_cleared_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "replies").touch()  # a file where the folder belongs
    result = run("cache", "clear")
    assert (result.code, result.out) == (1, "")
    assert "cannot be removed" in result.err


# -- doctor


def _checks(result: Any) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in result.json["checks"]}


def test_doctor_calls_the_model_once(run: Run, model: Path, server: ScriptedServer) -> None:
    result = run("doctor")
    assert result.code == 0
    lines = [line for line in result.out.splitlines() if "nothing is broken" not in line.lower()]
    assert f"ok endpoint: {server.url} answers" in lines
    assert "ok key: key …cdef, taken" in lines
    assert any(line.startswith("ok model: scripted, context window 32,768") for line in lines)
    assert any(re.match(r"ok first token: after \d+ ms", line) for line in lines)
    assert KEY not in result.out
    assert len(server.requests) == 1


def test_doctor_names_the_part_that_is_broken(
    run: Run, model: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = None
    server.replies.append(failure(401, f"Incorrect API key provided: {KEY}"))
    result = run("doctor", "--json")
    checks = _checks(result)
    assert (result.code, checks["endpoint"]["state"]) == (1, "ok")
    assert checks["key"]["state"] == "broken"
    assert "OPENAI_API_KEY" in checks["key"]["do"]
    assert "first token" not in checks
    assert KEY not in result.out
    server.replies.append(failure(404, "The model 'scripted' does not exist", "model_not_found"))
    server.models = [{"id": f"model-{n}"} for n in range(14)]
    checks = _checks(run("doctor", "--json"))
    assert checks["key"]["state"] == "ok"
    assert checks["model"]["state"] == "broken"
    assert "It has: model-0, " in checks["model"]["do"]
    assert "and 2 more" in checks["model"]["do"]
    server.replies.append(failure(429, "slow down", "rate_limit_exceeded", retry_after="30"))
    checks = _checks(run("doctor", "--json"))
    assert checks["reply"]["state"] == "broken"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:hidden@127.0.0.1:9/v1?key=hidden")
    result = run("doctor", "--json")
    assert "hidden" not in result.out
    checks = _checks(result)
    assert checks["endpoint"]["state"] == "broken"
    assert "key" not in checks


def test_doctor_looks_for_the_small_model(
    run: Run, model: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_LLM_SMALL", "absent")
    checks = _checks(run("doctor", "--json"))
    assert checks["small model"]["state"] == "attention"
    assert "It has: scripted." in checks["small model"]["do"]


def test_doctor_without_a_model_calls_nobody(
    run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the doctor went to the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    result = run("doctor", "--json")
    check = _checks(result)["language model"]
    assert (result.code, check["state"]) == (0, "ok")
    assert "OPENAI_API_KEY is set" in check["found"]
    assert "ASSISTANT_LLM" in check["do"]
    assert KEY not in result.out


def test_doctor_says_which_variables_are_no_settings(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ASSISTANT_LIBARY", "ASSISTANT_RETREIVAL__TOP_K", "ASSISTANT_OPENAI_API_KEY"):
        monkeypatch.setenv(name, "7")
    monkeypatch.setenv("ASSISTANT_QUUX", "secret-value")
    monkeypatch.setenv("ASSISTANT_RETRIEVAL__TOP_K", "7")
    result = run("doctor")
    assert result.code == 0
    said = [line for line in result.out.splitlines() if line.lstrip("! ").startswith("environment")]
    assert [line.split("environment: ")[1] for line in said] == [
        "ASSISTANT_LIBARY is set, and there is no such setting. Did you mean ASSISTANT_LIBRARY?",
        "ASSISTANT_OPENAI_API_KEY is set, and there is no such setting. "
        "Did you mean OPENAI_API_KEY?",
        "ASSISTANT_QUUX is set, and there is no such setting. Unset it; it changes nothing.",
        "ASSISTANT_RETREIVAL__TOP_K is set, and there is no such setting. "
        "Did you mean ASSISTANT_RETRIEVAL__TOP_K?",
    ]
    assert "secret-value" not in result.out


def test_help_says_how(run: Run) -> None:
    for command in ("ask", "chat"):
        text = " ".join(run(command, "--help").out.split())
        for option in ("--llm", "--base-url", "--effort", "--verify", "--max-tokens", "--max-cost"):
            assert option in text
    assert "clear" in run("cache", "--help").out
    json.dumps(run("cache", "show", "--json").json)


def test_a_verdict_says_why(run: Run, model: Path, server: ScriptedServer) -> None:
    server.answer = None
    server.replies.append("Memory falls by 99% [1]. Sailors of Norway invented it [47].")
    out = run("ask", "By how much does memory fall when experts are pruned?").out
    assert "(not supported — cites a paper that was not given)" in out
