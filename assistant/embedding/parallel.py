"""Do numbered tasks on a few threads, report progress, and stop when interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable

_TICK = 0.1  # seconds between two reports; also how soon an interrupt is noticed everywhere


def in_parallel(
    task: Callable[[int], int],
    count: int,
    workers: int,
    report: Callable[[int], None] | None = None,
    *,
    patience: float = 1.0,
) -> None:
    """Call ``task(0)`` ... ``task(count - 1)``, each once, on at most ``workers`` threads.

    Tasks are handed out one by one, so that a slow one holds up nobody. The first error, or an
    interrupt, ends the work: no further task begins, and the error is raised here. Threads
    belong to the call: none is left behind, except one that stays in its task (a call over the
    network) for longer than ``patience`` after the error or interrupt.

    Args:
        task: gets its number, returns how many things it did.
        count: number of tasks.
        workers: one means that everything runs in the caller's thread.
        report: called in the caller's thread with how many things were done since last time.
        patience: seconds. Give it plenty where tasks are short and run in native code: a daemon
            thread that is in there when the interpreter ends takes the process down with it.
    """
    if min(workers, count) <= 1:
        for number in range(count):
            done = task(number)
            if report is not None:
                report(done)
        return
    crew = _Crew(task, count, report)
    try:
        for index in range(min(workers, count)):
            crew.start(f"embedding-{index}")
        while not crew.idle.wait(_TICK):
            crew.tell()
    finally:
        crew.stop.set()
        # not Thread.join: once interrupted, it takes a thread that still runs for ended
        crew.idle.wait(patience)
    if crew.failures:
        raise crew.failures[0]
    crew.tell()


class _Crew:
    """What the threads of one call share."""

    def __init__(
        self, task: Callable[[int], int], count: int, report: Callable[[int], None] | None
    ) -> None:
        self._task = task
        self._numbers = iter(range(count))
        self._report = report
        self._lock = threading.Lock()
        self._done = 0
        self._told = 0
        self._working = 0
        self.stop = threading.Event()
        self.idle = threading.Event()
        self.failures: list[Exception] = []

    def start(self, name: str) -> None:
        """Start one more thread; there is at least one task for it."""
        with self._lock:
            self._working += 1
            self.idle.clear()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        """What every thread runs: one task after another, until there is none or `stop`."""
        try:
            while not self.stop.is_set():
                with self._lock:
                    number = next(self._numbers, None)
                if number is None:
                    return
                done = self._task(number)
                with self._lock:
                    self._done += done
        except Exception as error:  # noqa: BLE001  (raised again in the caller's thread)
            self.failures.append(error)
            self.stop.set()
        finally:
            with self._lock:
                self._working -= 1
                if self._working == 0:
                    self.idle.set()

    def tell(self) -> None:
        """Report what was done since the last time; in the caller's thread."""
        done = self._done
        if self._report is not None and done > self._told:
            self._report(done - self._told)
        self._told = done
