"""Other processes at the same library, for the tests: started quickly, ended in any way."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from fake_embedder import FakeEmbedder

from assistant import library as library_module
from assistant.errors import AssistantError, LibraryNotFound
from assistant.library import Library
from assistant.paper import Paper
from assistant.retrieval import PaperRetriever
from assistant.settings import RetrievalSettings, Settings

# Imports are done once, by the server that the processes are forked from.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["processes", "chromadb", "llama_index.core", "nltk"])


def start(work: Callable[..., None], *arguments: Any) -> BaseProcess:
    process = _processes.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def queue() -> Any:
    return _processes.SimpleQueue()


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Until ``condition`` holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not happen in time")
        time.sleep(0.005)


def open_library(path: Path, **settings: Any) -> Library:
    embedder = FakeEmbedder()
    return Library(Settings.load(library=path, **settings), lambda: embedder)


def make_papers(count: int, *, version: str = "first") -> list[Paper]:
    """Papers of one to five chunks each."""
    return [
        Paper(
            title=f"Paper number {i} about topic{i % 7}",
            abstract=" ".join(
                f"Sentence {s} of the {version} text tells of topic{i % 7}, of item{i} and of "
                f"{'things ' * 12}in general."
                for s in range(1 + i % 15)
            ),
        )
        for i in range(count)
    ]


def ingest(path: Path, papers: list[Paper], started: Any) -> None:
    """Ingests in small steps, and publishes after each: as many places to break as there are."""
    library_module.BATCH = 5
    library = open_library(path)
    started.put("started")
    library.ingest(papers)


def reindex(path: Path, tokens: int, started: Any) -> None:
    library_module.BATCH = 5
    library = open_library(path, chunking={"max_tokens": tokens})
    started.put("started")
    library.reindex()


def ingest_slowly(path: Path, papers: list[Paper], said: Any, go_on: Path) -> None:
    """Writes and publishes the first half, says so, and waits for ``go_on`` with the rest."""
    library_module.BATCH = 5

    def records() -> Any:
        for i, paper in enumerate(papers):
            if i == len(papers) // 2:
                said.put("half")
                wait_for(go_on.exists)
            yield paper

    open_library(path).ingest(records())
    said.put("done")


def ask_often(path: Path, seconds: float, answers: Any) -> None:
    """Reads all papers again and again, as a page does, and tells what it saw."""
    library = open_library(path)
    sizes, error = [], ""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            sizes.append(len(list(library.papers())))
        except AssistantError as found:
            error = str(found)
    answers.put(json.dumps({"sizes": sizes, "error": error}))


def ingest_on_server(store: str, papers: list[Paper], cache: Path) -> None:
    """As another machine does, in small steps."""
    library_module.BATCH = 5
    Library(Settings.load(store=store, cache=cache), FakeEmbedder).ingest(papers)


def find_on_server(store: str, cache: Path, everything: int, found: Any) -> None:
    """Asks until it sees ``everything``, and tells how many papers each question saw."""
    library_module._FOLLOW_SECONDS = 0.0
    library = Library(Settings.load(store=store, cache=cache), FakeEmbedder)
    retriever = PaperRetriever(library, FakeEmbedder(), RetrievalSettings())
    seen: list[int] = []
    end = time.monotonic() + 60
    while time.monotonic() < end and everything not in seen:
        try:
            papers = retriever.find("what is told of topic3", everything + 50).papers
            seen.append(len({paper.paper.id for paper in papers}))
        except LibraryNotFound:
            time.sleep(0.05)
    found.put(json.dumps(seen))
