"""Papers chosen for a topic, against labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.embedding import Embedder
from assistant.paper import Paper
from assistant.settings import Settings
from eval import candidates


def test_average_precision() -> None:
    assert candidates.average_precision([True, False, True]) == pytest.approx((1 + 2 / 3) / 2)
    assert candidates.average_precision([False, True], 2) == pytest.approx(0.25)
    assert candidates.average_precision([False, False]) is None


def test_a_topic_is_measured_on_what_both_readers_call_core(
    tmp_path: Path, remembering_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = ("tides", "bees", "glaciers", "violins", "bread", "comets", "harbours", "orchids")
    papers = [
        Paper(title=f"A Study of {s.title()}", abstract=f"We study {s}. The {s} changed slowly.")
        for s in subjects
    ]
    assistant = Assistant(Settings(library=tmp_path / "library"))
    assistant._opened_embedder = remembering_embedder
    assistant.library.ingest(papers)
    monkeypatch.setattr(candidates.Assistant, "open", lambda _: assistant)
    ids = {subject: paper.id for subject, paper in zip(subjects, papers, strict=True)}
    lines = [
        {"id": "a", "topic": "violins", "kind": "one word", "labels": {
            ids["violins"]: ["core", "core"], ids["bees"]: ["off", "related"]}},
        {"id": "b", "topic": "federated learning", "kind": "absent", "labels": {
            ids["bread"]: ["off", "off"], ids["bees"]: ["core", "off"]}},
    ]  # fmt: skip
    file = tmp_path / "labels.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = candidates.measure("anywhere", [file])
    first, second = found["topics"]
    assert (first["core"], first["ap"], first["recall"]) == (1, 1.0, 1.0)
    assert (second["core"], second["ap"], second["false_presence"]) == (0, None, False)
    assert found["false_absences"] == 0
    assert found["readers_agree"] == 0.5
