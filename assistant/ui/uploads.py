"""Uploads: they queue, each with its progress, a way to stop it, and a report that stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING

from assistant.conversations import new_id
from assistant.reading.sources import SourceReader
from assistant.results import IngestReport
from assistant.ui import render
from assistant.ui.icons import icon
from assistant.ui.turns import Failure

if TYPE_CHECKING:
    from assistant.assistant import Assistant

__all__ = ["Cancelled", "Job", "Uploads"]

_MOST_SHOWN = 20


class Cancelled(Exception):
    """The visitor wants no more of it."""


class Job:
    """Something that brings papers: waiting, in work, or done.

    A kind of job says how it takes them in and how far it is; ``refused`` heads its failure.
    """

    refused = "Not taken in"

    def __init__(self, title: str) -> None:
        self.id = new_id()
        self.title = title
        self.report = IngestReport()
        self.failure: Failure | None = None
        self.cancelled = False
        self.done = False
        self.started = 0.0

    def take_in(self, assistant: Assistant) -> None:
        """Does the work; `tell` is called with each report on the way.

        Raises:
            Cancelled: by `tell`.
            AssistantError: it cannot be done.
        """
        raise NotImplementedError

    def worded(self, text: str) -> str:
        """A message in the visitor's words."""
        return text

    def share(self) -> float | None:
        """How much of it is done, 0 to 1; None where that cannot be known."""
        raise NotImplementedError

    def step(self) -> str:
        """What it is at."""
        stored = self.report.added + self.report.updated
        return f"read {self.report.read:,}, stored {stored:,}" if self.report.read else "opening"

    def tell(self, report: IngestReport) -> None:
        """Takes note of how far it is.

        Raises:
            Cancelled: it is to stop here.
        """
        self.report = report.model_copy()
        if self.cancelled:
            raise Cancelled

    def picture(self) -> str:
        """How far it is, or what became of it."""
        if self.done:
            shown = self.outcome() if self.failure is None else self._failed()
            away = f"Dismiss the report of {self.title}"
            return (
                f'<div class="upload">{shown}<button type="button" class="icon" data-act="cancel" '
                f'data-upload="{self.id}" aria-label="{escape(away)}" title="Dismiss">'
                f"{icon('close')}</button></div>"
            )
        step = "stops…" if self.cancelled else self.step()
        elapsed = f"{time.monotonic() - self.started:.0f} s"
        shown = (
            render.progress(self.share(), f"{self.title}: {step}", elapsed)
            if self.started
            else f'<p class="notes">{escape(self.title)}: waits for its turn.</p>'
        )
        cancel = (
            f'<button type="button" class="button small" data-act="cancel" '
            f'data-upload="{self.id}">Cancel</button>'
        )
        return f'<div class="upload">{shown}{cancel}</div>'

    def outcome(self) -> str:
        """What became of it."""
        return render.report(self.report, self.title, stopped=self.cancelled)

    def _failed(self) -> str:
        assert self.failure is not None  # noqa: S101  for the type checker
        return render.refusal(self.failure, self.refused)


class _Upload(Job):
    """Files that were chosen together."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = [str(file) for file in files]
        self._names = [PurePath(file).name for file in self._files]
        more = " and others" if len(self._names) > 3 else ""
        super().__init__(", ".join(self._names[:3]) + more)
        self._reader: SourceReader | None = None

    def worded(self, text: str) -> str:
        """Names the files as the visitor does."""
        for file, name in zip(self._files, self._names, strict=True):
            text = text.replace(file, name)
        return text

    def share(self) -> float:
        """A file is read ahead of what is stored: both halves count."""
        reader = self._reader
        total = (reader.total_bytes or 0) if reader else 0
        if not reader or not total:
            return 0.0
        read = reader.bytes_read / total
        stored = self.report.added + self.report.updated + self.report.unchanged
        stored += self.report.duplicates
        part = stored / max(1, self.report.read)
        return min(0.99, 0.15 * read + 0.85 * min(1.0, read) * part)

    def take_in(self, assistant: Assistant) -> None:
        """Reads the files."""
        self._reader = SourceReader(self._files)
        self.report = assistant.ingest(self._reader, self.tell)
        for rejection in self.report.rejected:
            rejection.source = PurePath(rejection.source).name


class Uploads:
    """What one visitor adds, files and sources; one is taken in at a time.

    Args:
        own: the assistant of the library that takes it.
        told: what the visitor is told of an error.
        most: files at once.
        closed: the library takes nothing.
    """

    def __init__(
        self,
        own: Callable[[], Assistant],
        told: Callable[[Exception], Failure],
        *,
        most: int,
        closed: bool,
    ) -> None:
        self._own, self._told, self._most, self._closed = own, told, most, closed
        self._lock = threading.Lock()
        self._all: list[Job] = []
        self._working = False

    @property
    def busy(self) -> bool:
        """Whether something is in work or waits."""
        return any(not one.done for one in self._all)

    @property
    def finished(self) -> int:
        """How many are done."""
        return sum(one.done for one in self._all)

    def add(self, files: Sequence[str]) -> None:
        """Takes files in, after those that were chosen before."""
        if not files:
            return
        upload = _Upload(files)
        if len(files) > self._most:
            what = f"At most {self._most} files at once."
            upload.failure = Failure(what=what, do="Add the others afterwards.")
        self.put(upload)

    def put(self, job: Job) -> None:
        """Takes a job in, after those that were there before; one that has failed is shown."""
        if self._closed:
            job.failure = Failure(
                what="This is the sample library, which stays as it is.",
                do="Start 'assistant ui' without --library sample to add papers.",
            )
        job.done = job.failure is not None
        with self._lock:
            self._all = [*self._all, job][-_MOST_SHOWN:]
            if self._working or job.done:
                return
            self._working = True
        threading.Thread(target=self._work, name="assistant-upload", daemon=True).start()

    def cancel(self, name: str) -> None:
        """Stops one that waits or is in work, what is stored already stays; of one that is done
        the report goes.
        """
        with self._lock:
            self._all = [one for one in self._all if not (one.done and one.id == name)]
        for one in self._all:
            if one.id == name:
                one.cancelled = True

    def picture(self) -> str:
        """All of them, the newest first."""
        return "".join(one.picture() for one in reversed(self._all))

    def _work(self) -> None:
        while True:
            with self._lock:
                job = next((one for one in self._all if not one.done), None)
                if job is None:
                    self._working = False
                    return
            try:
                if not job.cancelled:
                    self._do(job)
            finally:
                job.done = True

    def _do(self, job: Job) -> None:
        job.started = time.monotonic()
        try:
            job.take_in(self._own())
        except Cancelled:
            pass
        except Exception as error:  # noqa: BLE001  told, and logged where it is a defect
            job.failure = self._told(error)
            job.failure.what = job.worded(job.failure.what)
