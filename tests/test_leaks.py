"""Nothing lasting stays of a library that was opened, asked and closed."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_embedder import FakeEmbedder

from assistant import Assistant, Settings
from assistant.address import StoreAddress
from assistant.embedding import Embedder
from assistant.paper import Paper
from assistant.store import ChromaStore, Row

PROCESS = Path("/proc/self")

pytestmark = pytest.mark.skipif(not PROCESS.is_dir(), reason="counts what Linux tells of a process")


def counted(most: Callable[[dict[str, int]], bool]) -> dict[str, int]:
    """What this process holds; threads that are ending get five seconds for it."""
    for _ in range(50):
        gc.collect()
        status = (PROCESS / "status").read_text("ascii")
        held = {
            "files": len(list((PROCESS / "fd").iterdir())),
            "threads of Python": threading.active_count(),
            "threads": len(list((PROCESS / "task").iterdir())),
            "objects": len(gc.get_objects()),
            "MB": int(status.partition("VmRSS:")[2].split()[0]) // 1024,
        }
        if most(held):
            break
        time.sleep(0.1)
    return held


def filled(folder: Path, papers: list[Paper], embedder: Embedder) -> Settings:
    """The settings of a library that holds the papers."""
    settings = Settings.load(library=folder)
    with Assistant(settings, embedder=embedder) as first:
        first.ingest(papers)
    return settings


def test_a_library_opened_and_closed_ten_times_leaves_nothing(
    tmp_path: Path, sample_papers: list[Paper], real_embedder: Embedder
) -> None:
    settings = filled(tmp_path / "library", sample_papers, real_embedder)

    def opened_and_closed() -> None:
        with Assistant(settings) as one:
            assert one.ask("Which papers prune experts without retraining?").passages

    for _ in range(2):
        opened_and_closed()
    before = counted(lambda _: True)
    for _ in range(8):
        opened_and_closed()

    def within(held: dict[str, int]) -> bool:
        return (
            held["files"] <= before["files"]
            and held["threads of Python"] <= before["threads of Python"]
            and held["threads"] <= before["threads"] + 1
            and held["objects"] <= before["objects"] + 200
            and held["MB"] <= before["MB"] + 100
        )

    after = counted(within)
    assert within(after), (before, after)


def test_what_is_large_goes_at_once_and_not_with_the_collector(
    tmp_path: Path, sample_papers: list[Paper], real_embedder: Embedder
) -> None:
    settings = filled(tmp_path / "library", sample_papers, real_embedder)
    gc.collect()
    gc.disable()
    try:
        one: Any = Assistant(settings)
        one.ask("How many papers are about attention?")
        one.ask("Which papers prune experts without retraining?")
        large = {
            name: weakref.ref(value)
            for name, value in {
                "model": one._embedder(),
                "session": one._embedder()._session,
                "reader": one._reader(),
                "answerer": one._extractive(),
                "statistics": one.library.statistics,
                "collection": one.library.store()._opened,
                "client": one.library.store()._client,
                "Chroma's own": one.library.store()._client.api._server,
            }.items()
        }
        one.close()
        assert [name for name, ref in large.items() if ref() is not None] == []
        assert one.search("attention")  # and is opened again
        one.close()
    finally:
        gc.enable()


def test_clients_opened_at_once_do_not_close_each_other(tmp_path: Path) -> None:
    """Chroma keeps one list of all clients of a process."""
    vector = np.eye(1, FakeEmbedder().dimension, dtype=np.float32)[0]

    def work(number: int) -> int:
        address = StoreAddress("folder", tmp_path / str(number % 4))
        with ChromaStore(address, f"name-{number}", make=True) as store:
            store.upsert([Row(f"{number}#0", "words", {"paper_id": str(number)}, vector)])
            return len(store)

    with ThreadPoolExecutor(8) as at_once:
        assert list(at_once.map(work, range(16))) == [1] * 16
