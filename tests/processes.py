"""Other processes at the same library, for the tests: started quickly, ended in any way."""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from fake_embedder import FakeEmbedder

from assistant import library as library_module
from assistant.errors import AssistantError
from assistant.library import Library
from assistant.paper import Paper
from assistant.records import StoredPaper
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


def contents(library: Library) -> dict[str, StoredPaper]:
    """Id → the paper as the collection holds it."""
    if not len(library):
        return {}
    return {s.paper.id: s for s in library.store().read(library.ready(check=False).ids())}


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


# -- whole commands ------------------------------------------------------------------------------


def start_command(
    arguments: list[str], environment: dict[str, str], told: Path
) -> tuple[BaseProcess, Callable[[], None], Callable[[], str]]:
    """A command line in a process that waits to be let go; and what it has told so far."""
    there, go = queue(), queue()
    process = start(_command, arguments, environment, str(told), there, go)
    assert there.get() == "there"
    return process, lambda: go.put("go"), lambda: told.read_text("utf-8", "replace")


def _command(
    arguments: list[str], environment: dict[str, str], told: str, there: Any, go: Any
) -> None:
    import assistant.embedding  # noqa: PLC0415
    from assistant.cli import main  # noqa: PLC0415

    os.environ.update(environment)
    out = os.open(told, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123
    library_module.BATCH = 5
    assistant.embedding.open_embedder = lambda *_, **__: FakeEmbedder()
    with contextlib.suppress(KeyboardInterrupt):
        there.put("there")
        go.get()
    try:
        if arguments[0].startswith("call "):  # a function of a module of the tests
            module, _, name = arguments[0].removeprefix("call ").rpartition(".")
            code = getattr(importlib.import_module(module), name)(Path(told).parent, *arguments[1:])
        else:
            code = main(arguments)
    except KeyboardInterrupt:
        code = 130
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def keep_conversations(folder: Path) -> int:
    """Keeps turns without end, and tells of each when it is kept."""
    from assistant.conversations import ConversationStore, new_id  # noqa: PLC0415

    store, name = ConversationStore(folder), new_id()
    while True:
        turn = store.append("somebody", name, "Why?", {"n": -1})
        assert turn is not None
        for n in range(5):
            store.save(turn.id, "running", {"n": n, "text": "word " * 50 * n})
            print(turn.id, n, flush=True)  # noqa: T201


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
        except AssistantError:  # there is no library yet, or it is just being made
            time.sleep(0.05)
    found.put(json.dumps(seen))
