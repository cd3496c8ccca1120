"""A run that was played by hand, played again: recorded replies of a strong model over the sample
library, through the real client, from the question to what is shown.

played.jsonl holds 25 questions: searches in the model's words, the papers that answer, and three
sentences each, as they hold and with a fault planted (150 sentences), with the words that prove
them. The replies depend on the prompt, as a model's do: what is not in it is not said.

What the verifier says is recorded too, and its writer planted the faults: that it finds them
shows nothing. What is shown is that the path brings what it finds to the reader, and what the
local check finds alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from assistant import Answer, Assistant
from assistant.embedding import Embedder
from assistant.endpoint.ledger import count_tokens
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import Settings
from tests.answering.test_generative import kind_of, prompt_of
from tests.scripted_server import ScriptedServer

QUESTIONS = [
    json.loads(line)
    for line in Path(__file__).with_name("played.jsonl").read_text("utf-8").splitlines()
]
_MARKERS = re.compile(r"\s*\[\d+\](?=\.)")
MISSING = "NOT_IN_LIBRARY None of these papers reports it."
ALL = frozenset({0, 1, 2})


def bare(text: str) -> str:
    """A sentence without its markers."""
    return _MARKERS.sub("", text).strip()


class Played:
    """What the model says to each prompt, and how many tokens it says that it has read.

    ``planted``: the places whose sentence is false. ``blind``: the first searches are of no use.
    ``said``: the places of the sentences that are said at all. ``answers``: what the verifier
    says of the whole.
    """

    def __init__(
        self,
        planted: frozenset[int] = frozenset(),
        *,
        blind: bool = False,
        said: frozenset[int] = ALL,
        answers: bool = True,
    ) -> None:
        self.planted, self.blind, self.said, self.answers = planted, blind, said, answers
        self.calls: list[tuple[str, int]] = []
        self.read: set[str] = set()
        """Titles of gold papers that were in a prompt to answer from."""
        self.row: dict[str, Any] = {}

    def __call__(self, body: dict[str, Any]) -> str:
        kind, prompt = kind_of(body), prompt_of(body)
        self.calls.append((kind, count_tokens(prompt)))
        if kind == "support":
            return self._verdicts(prompt)
        self.row = next((row for row in QUESTIONS if row["question"] in prompt), self.row)
        row = self.row
        if kind == "understand":
            if self.blind:
                return json.dumps({"question": "deep learning", "queries": ["neural networks"]})
            return json.dumps({"question": row["question"], "queries": row["queries"]})
        if kind == "sufficiency":
            return json.dumps({"enough": False, "missing": "it", "queries": row["queries"]})
        return self._draft(row, prompt)

    def _draft(self, row: dict[str, Any], prompt: str) -> str:
        lines = prompt.splitlines()
        said = []
        for place, item in enumerate(row["said"]):
            if item["cites"] not in lines:
                continue
            self.read.add(item["cites"])
            number = lines[lines.index(item["cites"]) - 1].split()[-1]
            if place in self.said:
                text = item["false" if place in self.planted else "true"]
                said.append(f"{text.rstrip('.')} [{number}].")
        return " ".join(said) or MISSING

    def _verdicts(self, prompt: str) -> str:
        found: list[dict[str, Any]] = [{"answers": self.answers}]
        claims = re.findall(r" sentence (\d+)[^\n]*\n+([^\n]+)", prompt)
        lines = prompt.splitlines()
        for number, text in claims:
            item, false = recorded(bare(text))
            # a paper that is cited no more cannot be cited anew
            held = item["cites"] in lines
            marker = lines[lines.index(item["cites"]) - 1].split()[-1] if held else ""
            right = f"{item['true'].rstrip('.')} {marker}." if held else ""
            found.append(
                {
                    "n": int(number),
                    "verdict": "unsupported" if false else "supported",
                    "quotes": item["proof"],
                    "why": item["kind"] if false else "",
                    "text": right if false else None,
                }
            )
        return json.dumps(found)


def recorded(text: str) -> tuple[dict[str, Any], bool]:
    """The pair that a sentence is of, and whether it is the false one."""
    return next(
        (item, text == item["false"])
        for row in QUESTIONS
        for item in row["said"]
        if text in (item["true"], item["false"])
    )


@dataclass
class Run:
    """All questions asked once."""

    played: Played
    answers: list[Answer]

    @cached_property
    def sentences(self) -> dict[str, str]:
        """What stands at the end, without markers, and how it is judged."""
        return {bare(s.text): s.support for a in self.answers for s in a.sentences}

    def share(self, which: str, *supports: str) -> float:
        """Of all recorded sentences, those that stand and are judged so."""
        said = [item[which] for row in QUESTIONS for item in row["said"]]
        return sum(self.sentences.get(text) in supports for text in said) / len(said)


Play = Callable[..., Run]


@pytest.fixture(scope="module")
def play(
    tmp_path_factory: pytest.TempPathFactory, remembered: Embedder, model_cache: Path
) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("played") / "library"
    with ScriptedServer() as server:

        def settings(**generation: Any) -> Settings:
            return Settings(
                library=folder,
                cache=model_cache,
                llm="scripted",
                openai_base_url=server.url,
                openai_api_key="none",
                generation=generation,
            )

        def run(played: Played, questions: int = len(QUESTIONS), **generation: Any) -> Run:
            server.answer = played
            assistant = Assistant(settings(**generation))
            answers = [assistant.ask(row["question"]) for row in QUESTIONS[:questions]]
            assistant.close()
            return Run(played, answers)

        filled = Assistant(settings())
        filled.ingest(SAMPLE_PAPERS)
        filled.close()
        yield run


@pytest.mark.slow
def test_honest_replies_reach_the_reader_whole(play: Play) -> None:
    run = play(Played())
    assert run.played.read == {title for row in QUESTIONS for title in row["gold"]}
    assert all(answer.answered for answer in run.answers)
    assert run.share("true", "supported") >= 0.97
    for answer, row in zip(run.answers, QUESTIONS, strict=True):
        assert set(row["gold"]) >= set(answer.cited_titles)
    quotes = [(s.quote, a) for a in run.answers for s in a.sentences]
    for quote, answer in quotes:  # proofs are the abstract's own words
        held = " ".join(passage.text for passage in answer.passages)
        assert quote
        assert all(piece.strip() in held for piece in quote.split("…"))
    kinds = [kind for kind, _ in run.played.calls]
    assert kinds == ["understand", "answer", "support"] * len(QUESTIONS)
    assert sum(tokens for _, tokens in run.played.calls) / len(QUESTIONS) < 4500


@pytest.mark.slow
def test_planted_faults_are_put_right(play: Play) -> None:
    run = play(Played(frozenset({0, 2})))
    assert run.share("false", "supported", "partial", "unsupported", "none", "unchecked") == 0
    assert run.share("true", "supported") >= 0.95
    assert all(answer.answered for answer in run.answers)
    assert any("put right" in note for answer in run.answers for note in answer.notes)


@pytest.mark.slow
def test_the_local_check_alone(play: Play) -> None:
    """Fewer are caught, and some true ones are flagged; both are said in eval/README.md."""
    honest = play(Played(), verify="local", effort="quick")
    planted = play(Played(ALL), verify="local", effort="quick")
    assert len(honest.played.calls) == len(QUESTIONS)
    assert honest.share("true", "supported") >= 0.80
    assert planted.share("false", "partial", "unsupported") >= 0.55
    # that an honest reply does not answer is hardly ever said
    beside = [a for a in honest.answers if any("does not answer" in note for note in a.notes)]
    assert len(beside) <= 1


@pytest.mark.slow
def test_nothing_is_called_absent_before_it_is_searched_again(play: Play) -> None:
    run = play(Played(blind=True), 8)
    gold = {title for row in QUESTIONS[:8] for title in row["gold"]}
    assert run.played.read == gold
    assert all(answer.answered for answer in run.answers)
    assert not any("None of these papers" in answer.answer for answer in run.answers)
    again = [kind for kind, _ in run.played.calls].count("sufficiency")
    assert 1 <= again <= 8


def test_true_sentences_beside_the_point_are_no_answer(play: Play) -> None:
    """The model says so where it checks; else it is seen from the evidence that a reply gives."""
    judged = play(Played(answers=False), 2)
    assert [answer.status for answer in judged.answers] == ["closest"] * 2
    assert all(s.support == "supported" for a in judged.answers for s in a.sentences)
    assert all(answer.confidence < 0.3 for answer in judged.answers)

    beside = play(Played(said=frozenset({2})), 3, verify="local", effort="quick").answers[2]
    assert QUESTIONS[2]["question"].endswith("How long will we have to wait?")
    assert beside.answer.startswith("The first phase trains all parameters of one block")
    assert beside.status == "closest"
    assert "What it says does not answer the question." in beside.notes


def test_a_server_that_cuts_a_prompt_is_noticed(play: Play) -> None:
    """Ollama answers from what is left of a prompt that is longer than its window."""
    cut = play(Played(), 1).answers[0]
    assert any("OLLAMA_CONTEXT_LENGTH" in note for note in cut.notes)
    whole = play(Played(), 1, passage_tokens=1500).answers[0]  # too short to be sure of
    assert not any("OLLAMA" in note for note in whole.notes)
