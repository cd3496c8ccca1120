"""A live server over a library of three papers, with the quick embedding model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_embedder import FakeEmbedder
from live import Live

from assistant.assistant import Assistant
from assistant.settings import Settings

PAPERS: list[dict[str, Any]] = [
    {
        "title": "Pruning Experts Without Retraining",
        "abstract": "Experts of a mixture are pruned without retraining. Memory falls by 41%.",
        "authors": ["Ada Lovelace"],
        "year": 2024,
        "doi": "10.1000/prune_1",
    },
    {
        "title": "Gaze Estimation with One Eye",
        "abstract": "A single eye is enough to estimate gaze. The error is 2.3 cm.",
        "year": 2023,
        "arxiv_id": "2301.00001",
    },
    {
        "title": "Sparse Attention for Long Documents",
        "abstract": "Attention over long documents is made sparse, which saves memory.",
        "url": "https://example.org/sparse",
    },
]
QUESTION = "Are experts of a mixture pruned without retraining?"

Serve = Callable[..., Live]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeEmbedder()
    monkeypatch.setattr("assistant.embedding.open_embedder", lambda *_, **__: fake)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    path = tmp_path / "papers.jsonl"
    path.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS), encoding="utf-8")
    return path


@pytest.fixture
def serve(tmp_path: Path, papers: Path) -> Iterator[Serve]:
    """Starts servers: ``serve(llm="scripted", …)``; they end with the test."""
    with ExitStack() as stack:

        def start(*, filled: bool = True, host: str = "127.0.0.1", **settings: Any) -> Live:
            # everything is an answer here: what is tested is the way out, not the threshold
            asked = {"answer": {"answered_from": 0.0, "closest_from": 0.0}, **settings}
            made = Settings.load(library=tmp_path / "served", **asked)
            if filled:
                Assistant(made).ingest([papers])
            return stack.enter_context(Live(made, host=host))

        yield start


@pytest.fixture
def server(serve: Serve) -> Live:
    return serve()


@pytest.fixture
def client(server: Live) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client
