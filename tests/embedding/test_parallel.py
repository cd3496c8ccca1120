"""Tasks run once each; the first error ends the work and is raised."""

from __future__ import annotations

import threading
import time

import pytest

from assistant.embedding.parallel import in_parallel


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_every_task_runs_once(workers: int) -> None:
    done: list[int] = []
    steps: list[int] = []

    def task(number: int) -> int:
        done.append(number)
        return 2

    in_parallel(task, 20, workers, steps.append)
    assert sorted(done) == list(range(20))
    assert sum(steps) == 40


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_ends_the_work(workers: int) -> None:
    begun: list[int] = []

    def task(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise LookupError("three")
        time.sleep(0.005)
        return 1

    with pytest.raises(LookupError, match="three"):
        in_parallel(task, 1000, workers)
    assert len(begun) < 20


def test_reports_come_in_the_callers_thread_and_may_end_the_work() -> None:
    begun: list[int] = []

    def task(number: int) -> int:
        begun.append(number)
        time.sleep(0.01)
        return 1

    def report(done: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_parallel(task, 1000, 2, report)
    assert len(begun) < 100
    time.sleep(0.05)  # a thread says that it is done a moment before it ends
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("embedding-")]


def test_a_task_that_hangs_does_not_hold_an_interrupt_up() -> None:
    release = threading.Event()

    def task(number: int) -> int:
        if number:
            release.wait(30)
        return 1

    def report(done: int) -> None:
        raise KeyboardInterrupt

    begin = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        in_parallel(task, 3, 2, report, patience=0.2)
    assert time.perf_counter() - begin < 2
    release.set()
