"""What `eval.address_statements` learns from: whole, and not the attacks that measure the guard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.text import words
from eval.abstracts import SENTENCES

ATTACKS = Path(__file__).parent.parent / "attacks.json"


def lines(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (SENTENCES / name).read_text("utf-8").splitlines()]


def runs(text: str, length: int) -> set[str]:
    held = words(text)
    return {" ".join(held[n : n + length]) for n in range(len(held) - length + 1)}


@pytest.mark.parametrize(("name", "least"), [("attacks.jsonl", 500), ("innocent.jsonl", 250)])
def test_every_line_is_a_sentence_of_its_own(name: str, least: int) -> None:
    found = lines(name)
    assert all(line.keys() == {"text", "kind"} and line["text"].strip() for line in found)
    assert len({line["text"] for line in found}) == len(found) >= least


def test_no_attack_that_measures_the_guard_is_learned_from() -> None:
    measured = json.loads(ATTACKS.read_text("utf-8"))["attacks"]
    known = set[str]().union(*(runs(attack["text"], 5) for attack in measured))
    for line in lines("attacks.jsonl"):
        assert not runs(line["text"], 5) & known, line["text"]
        assert not {"canal", "lock", "locks"} & set(words(line["text"])), line["text"]
