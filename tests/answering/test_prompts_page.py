"""docs/prompts.md shows what goes over the wire; this test writes it anew and compares.

WRITE_DOCS=1 python -m pytest tests/answering/test_prompts_page.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.answering.conftest import PAPERS
from tests.answering.test_generative import AssistantFor, answers, kind_of
from tests.scripted_server import Reply, ScriptedServer

PAGE = Path(__file__).parents[2] / "docs" / "prompts.md"
QUESTION = "How are experts pruned, and where does somebody look?"
DRAFTS = [
    "Memory falls by half on Mixtral [1]. These papers do not say where somebody looks [0].",
    "Memory falls by half on Mixtral [1]. One eye gives an error of 2.3 cm [2].",
]
VERDICTS = [
    {
        "n": 1,
        "verdict": "unsupported",
        "quotes": ["Memory falls by 41% on Mixtral."],
        "why": "41%, not half",
        "text": "Memory falls by 41% on Mixtral [1].",
    },
    {"n": 2, "verdict": "supported", "quotes": ["The error is 2.3 cm on GazeCapture."]},
]
WHAT = {
    "understand": "The question is understood: searches in the words of an abstract",
    "answer": "The answer is written",
    "sufficiency": "The draft says that something is missing: what to search for",
    "support": "The answer is checked, and what does not stand is put right",
}
HEAD = """# What goes over the wire

One question to a library of invented abstracts: every request to the language model, whole, and
what was replied here. Written by `tests/answering/test_prompts_page.py`, which fails when this
page is not what is sent. The prompts are files in [prompts/](../prompts); the system part never
changes from one question to the next, so that a server can keep it; the boundary word, which no
paper holds, stands in the user's part.
"""


def shown(body: dict[str, Any]) -> str:
    parameters = {k: v for k, v in body.items() if k != "messages"}
    parts = [f"`{json.dumps(parameters)}`"]
    parts += [f"{m['role']}\n\n````text\n{m['content'].strip()}\n````" for m in body["messages"]]
    return "\n\n".join(parts)


def test_the_page_shows_what_is_sent(server: ScriptedServer, assistant_for: AssistantFor) -> None:
    plan = {"question": QUESTION, "queries": ["pruning experts"], "library": True}
    more = {
        "enough": False,
        "missing": "where somebody looks",
        "queries": ["gaze estimation with one eye"],
    }
    replies: dict[str, list[Reply | str]] = {
        "understand": [json.dumps(plan)],
        "answer": [*DRAFTS],
        "sufficiency": [json.dumps(more)],
        "support": [json.dumps(VERDICTS, indent=1)],
    }
    answers(server, **{kind: [*texts, ""] for kind, texts in replies.items()})
    assistant = assistant_for(PAPERS[:3])
    answer = assistant.ask(QUESTION, effort="normal", verify="model")
    assert answer.answer == DRAFTS[1].replace("half", "41%")
    parts = [HEAD]
    for body in server.requests:
        kind = kind_of(body)
        reply = replies[kind].pop(0)
        parts.append(f"## {WHAT[kind]}\n\n{shown(body)}\n\nreply\n\n````text\n{reply}\n````\n")
    parts.append(f"## What the reader gets\n\n{answer}\n\n*{' '.join(answer.notes)}*\n")
    page = "\n".join(parts)
    if os.environ.get("WRITE_DOCS"):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page
