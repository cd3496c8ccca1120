"""The facade: from Python, from async code, from several threads."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import assistant as package
from assistant import Assistant
from assistant.embedding import Embedder
from assistant.errors import LibraryNotFound, SourceError
from assistant.paper import Paper
from assistant.reading import SourceReader
from assistant.results import (
    CitationEvent,
    DoneEvent,
    StatusEvent,
    TextEvent,
    VerdictEvent,
)
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import Settings

QUESTIONS = [
    "When should pruning begin and end during pre-training?",
    "Which papers compress mixtures of experts?",
    "How are draft models trained for speculative decoding?",
    "What helps a transformer to read longer inputs?",
]


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory, real_embedder: Embedder, model_cache: Path
) -> Path:
    folder = tmp_path_factory.mktemp("facade") / "library"
    Assistant(Settings(library=folder, cache=model_cache)).ingest(SAMPLE_PAPERS)
    return folder


def test_the_public_names_are_there_and_nothing_else() -> None:
    assert package.__all__ == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    assert dir(package) == package.__all__
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        package.Nonsense  # noqa: B018


@pytest.mark.parametrize("module", ["assistant", "assistant.answering", "assistant.reading"])
def test_what_a_module_exports_exists(module: str) -> None:
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", []):
        assert hasattr(loaded, name)


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import assistant, sys; "
        "heavy = {'chromadb', 'llama_index', 'onnxruntime', 'gradio', 'openai', 'torch', 'bm25s'}; "
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"


def test_search_gives_each_paper_once_with_its_best_sentence(filled: Path) -> None:
    results = Assistant.open(filled).search("pruning schedules", 10)
    assert [result.rank for result in results] == list(range(1, 11))
    assert len({result.paper_id for result in results}) == 10
    assert results[0].title.startswith("The Journey Matters")
    scores = [result.score for result in results]
    assert scores == sorted(scores, reverse=True)
    papers = {paper.id: paper for paper in Assistant.open(filled).library.papers()}
    assert all(result.passage in papers[result.paper_id].abstract for result in results)


def test_a_stream_tells_the_answer_in_pieces(filled: Path) -> None:
    events = list(Assistant.open(filled).stream(QUESTIONS[0]))
    assert isinstance(events[0], StatusEvent)
    assert isinstance(events[-1], DoneEvent)
    answer = events[-1].answer
    assert "".join(e.text for e in events if isinstance(e, TextEvent)) == answer.answer
    assert [e.citation for e in events if isinstance(e, CitationEvent)] == answer.citations
    assert [e.sentence for e in events if isinstance(e, VerdictEvent)] == answer.sentences
    assert 0 < answer.timings_ms.retrieve < answer.timings_ms.total


def test_threads_and_tasks_get_the_answers_that_one_gets_alone(filled: Path) -> None:
    shared = Assistant.open(filled)
    alone = {question: Assistant.open(filled).ask(question).answer for question in QUESTIONS}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(shared.ask, QUESTIONS * 4))
    assert [answer.answer for answer in answers] == [alone[q] for q in QUESTIONS * 4]

    async def together() -> list[str]:
        found = await asyncio.gather(*(shared.aask(question) for question in QUESTIONS))
        return [answer.answer for answer in found]

    assert asyncio.run(together()) == [alone[question] for question in QUESTIONS]


def test_async_streams_end_with_the_answer(filled: Path) -> None:
    async def last() -> object:
        return [event async for event in Assistant.open(filled).astream(QUESTIONS[0])][-1]

    event = asyncio.run(last())
    assert isinstance(event, DoneEvent)
    assert event.answer.citations


def test_without_a_library_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFound, match="assistant ingest"):
        Assistant.open(tmp_path / "none").ask("Is anybody there?")


def test_new_papers_are_seen_without_opening_again(tmp_path: Path, filled: Path) -> None:
    source = tmp_path / "papers.jsonl"
    source.write_text('{"title": "Beetroot", "abstract": "Beetroot grows by 41 percent in May."}\n')
    reader = Assistant.open(tmp_path / "library")
    Assistant.open(tmp_path / "library").ingest(SAMPLE_PAPERS)
    assert reader.ask("By how much does beetroot grow?").status != "answered"
    Assistant.open(tmp_path / "library").ingest(source)
    answer = reader.ask("By how much does beetroot grow?")
    assert answer.citations[0].title == "Beetroot"
    assert "41 percent" in answer.answer


def test_how_many_papers_comes_from_the_library(filled: Path, sample_papers: list[Paper]) -> None:
    answer = Assistant.open(filled).ask("How many papers do you hold?")
    assert answer.answer == f"The library holds {len(sample_papers)} papers."
    assert answer.citations == []


def test_a_source_reader_tells_how_far_it_is(
    tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.embedding.open_embedder", lambda *_, **__: embedder)
    assistant = Assistant.open(tmp_path / "library")
    with pytest.raises(SourceError):
        assistant.ingest(SourceReader(tmp_path / "none.jsonl"))
    assert not (tmp_path / "library").exists()  # nothing is made for what cannot be read
    reader = SourceReader([SAMPLE_PAPERS])
    assert assistant.ingest(reader).added == 120
    assert reader.bytes_read == reader.total_bytes == SAMPLE_PAPERS.stat().st_size
