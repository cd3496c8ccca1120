"""``python -m eval.transcript [FILE]``: what the terminal says when a language model answers.

Runs the real program, each scene a process of its own, over the sample library, against a
scripted server on loopback that plays the model: well, badly, or not at all. The tokens are
those that the endpoint would count, about (`assistant.endpoint.count_tokens`).
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.endpoint import count_tokens
from assistant.sample import SAMPLE_PAPERS
from eval import runs
from tests.scripted_server import Reply, ScriptedServer, failure

GAZE, QUANT = "One Eye is All You Need", "EfficientQAT"
ONE_EYE = "With one eye the error on GazeCapture is 2.312 cm, and 1.951 cm after calibration"
BOTH = "With both eyes it is 1.591 cm, and 1.439 cm after calibration"
HOURS = "EfficientQAT took 41 hours on one A100-80GB for a 2-bit Llama-2-70B"
ASKED = "What is the gaze error with one eye?"
FOLLOWING = '{"question": "What is the gaze error with both eyes?", "queries": ["gaze error"]}'
TWO = "What is the gaze error with one eye, and how long does EfficientQAT take for a 70B model?"
TWO_PLAN = f'{{"question": "{TWO}", "queries": ["gaze error one eye", "EfficientQAT 70B hours"]}}'

Cite = Callable[[str], int]
"""From the beginning of a title to the number that the prompt gives the paper; 9 if it has none."""


@dataclass(frozen=True)
class Scene:
    """One command line, and what the model replies: a text from the numbers, or a failure."""

    title: str
    arguments: tuple[str, ...]
    answers: Sequence[Callable[[Cite], str] | Reply]
    plan: str = ""
    typed: str = ""
    environment: dict[str, str] = field(default_factory=dict)


SCENES = (
    Scene("a plain question", ("ask", ASKED), [lambda n: f"{ONE_EYE} [{n(GAZE)}]."]),
    Scene(
        "a follow-up, in a conversation",
        ("chat",),
        [lambda n: f"{ONE_EYE} [{n(GAZE)}].", lambda n: f"{BOTH} [{n(GAZE)}]."],
        plan=FOLLOWING,
        typed=f"{ASKED}\nAnd with both eyes?\n/sources\n/usage\n",
    ),
    Scene(
        "a question of two parts",
        ("ask", TWO),
        [lambda n: f"{ONE_EYE} [{n(GAZE)}]. {HOURS} [{n(QUANT)}]."],
        plan=TWO_PLAN,
    ),
    Scene("not in the library (no call)", ("ask", "Who won the 2018 football World Cup?"), []),
    Scene(
        "a paper that was not given, and one that does not say it",
        ("ask", ASKED),
        [lambda n: f"{ONE_EYE} [{n(GAZE)}]. It runs on every phone [47]."],
    ),
    Scene(
        "a wrong number", ("ask", ASKED), [lambda n: f"With one eye it is 0.312 cm [{n(GAZE)}]."]
    ),
    Scene(
        "a stream that breaks",
        ("ask", ASKED),
        [Reply(f"{ONE_EYE} [1]. With both ey", cut_after=14)],
    ),
    Scene(
        "the same as JSON", ("ask", ASKED, "--json"), [Reply(f"{ONE_EYE} [1]. With", cut_after=13)]
    ),
    Scene(
        "a 429, then an answer",
        ("ask", ASKED),
        [
            failure(429, "Rate limit reached", "rate_limit_exceeded", retry_after="3"),
            lambda n: f"{ONE_EYE} [{n(GAZE)}].",
        ],
    ),
    Scene(
        "no quota left",
        ("ask", ASKED),
        [failure(429, "You exceeded your current quota", "insufficient_quota")],
    ),
    Scene("a wrong key", ("ask", ASKED), [failure(401, "Incorrect API key provided")]),
    Scene(
        "a model that the server does not have",
        ("ask", ASKED, "--llm", "gpt-99"),
        [failure(404, "The model 'gpt-99' does not exist", "model_not_found")],
    ),
    Scene(
        "nobody there",
        ("ask", ASKED),
        [],
        environment={"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"},
    ),
    Scene("an option that needs a model", ("ask", ASKED, "--llm", "", "--effort", "deep"), []),
)


def main(arguments: Sequence[str]) -> int:
    """Plays all scenes; the transcript goes to a file, or to standard output."""
    out = "\n".join(play(scene) for scene in SCENES)
    if arguments:
        Path(arguments[0]).write_text(out, encoding="utf-8")
    else:
        print(out)
    return 0


def play(scene: Scene) -> str:
    """The command line, what it printed, how it ended and what it asked of the model."""
    with ScriptedServer() as server:
        server.models = [{"id": "scripted", "max_model_len": 32_768}]
        server.answer = _model(scene)
        done = subprocess.run(
            [*runs.PROGRAM, *scene.arguments],
            input=scene.typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=_environment(server.url) | scene.environment,
            cwd=runs.ROOT,
            check=False,
        )
        calls = [count_tokens(_prompt(body)) for body in server.requests]
    called = ", ".join(f"{tokens:,}" for tokens in calls) or "none"
    command = shlex.join(["assistant", *scene.arguments])
    typed = f"(typed)\n{scene.typed}(printed)\n" if scene.typed else ""
    return (
        f"=== {scene.title}\n$ {command}\n{typed}{done.stdout.rstrip()}\n"
        f"--- exit code {done.returncode}; prompt tokens by call: {called}\n"
    )


def _environment(url: str) -> dict[str, str]:
    """The person's own, without the settings of the person."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "ASSISTANT_"))}
    cache = os.environ.get("ASSISTANT_CACHE")
    return kept | {
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": "sk-scripted-0123456789",
        "ASSISTANT_LLM": "scripted",
        "ASSISTANT_LIBRARY": "sample",
        **({"ASSISTANT_CACHE": cache} if cache else {}),
    }


def _model(scene: Scene) -> Callable[[dict[str, Any]], Reply]:
    """Plays the model: the plan where a plan is asked for, else the next answer."""
    answers = list(scene.answers)

    def reply(body: dict[str, Any]) -> Reply:
        if "prepare searches" in body["messages"][0]["content"]:
            return _counted(body, scene.plan)
        answer = answers.pop(0)
        if isinstance(answer, Reply):
            return answer
        return _counted(body, answer(lambda title: _number(body, title)))

    return reply


def _counted(body: dict[str, Any], text: str) -> Reply:
    return Reply(text, usage=(count_tokens(_prompt(body)), count_tokens(text)))


def _number(body: dict[str, Any], title: str) -> int:
    lines = body["messages"][-1]["content"].splitlines()
    places = [n for n, line in enumerate(lines) if line.startswith(title)]
    return int(lines[places[0] - 1].split()[-1]) if places else 9


def _prompt(body: dict[str, Any]) -> str:
    return "\n".join(message["content"] for message in body["messages"])


if __name__ == "__main__":
    if not SAMPLE_PAPERS.is_file():
        raise SystemExit("The sample papers are missing; run this in a clone of the repository.")
    raise SystemExit(main(sys.argv[1:]))
