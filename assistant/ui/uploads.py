"""Uploads: they queue, each with its progress, a way to stop it, and a report that stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from html import escape
from pathlib import PurePath

from assistant.conversations import new_id
from assistant.reading.sources import SourceReader
from assistant.results import IngestReport
from assistant.ui import render
from assistant.ui.turns import Failure

__all__ = ["Uploads"]

_MOST_SHOWN = 20

Taking = Callable[[SourceReader, Callable[[IngestReport], None]], IngestReport]


class _Cancelled(Exception):
    """The visitor wants no more of it."""


class _Upload:
    """Files that were chosen together: waiting, in work, or done."""

    def __init__(self, files: Sequence[str]) -> None:
        self.id = new_id()
        self.files = [str(file) for file in files]
        self.names = [PurePath(file).name for file in self.files]
        self.reader: SourceReader | None = None
        self.report = IngestReport()
        self.failure: Failure | None = None
        self.cancelled = False
        self.done = False
        self.started = 0.0

    def picture(self) -> str:
        """How far it is, or what became of it."""
        if self.done:
            return self._outcome()
        name = ", ".join(self.names[:3]) + (" …" if len(self.names) > 3 else "")
        shown = (
            render.progress(self._share(), f"{name}: {self._step()}", self._elapsed())
            if self.reader is not None
            else f'<p class="notes">{escape(name)}: waits for its turn.</p>'
        )
        cancel = (
            f'<button type="button" class="button small" data-act="cancel" '
            f'data-upload="{self.id}">Cancel</button>'
        )
        return f'<div class="upload">{shown}{cancel}</div>'

    def _share(self) -> float:
        """A file is read ahead of what is stored: both halves count."""
        reader = self.reader
        total = (reader.total_bytes or 0) if reader else 0
        if not reader or not total:
            return 0.0
        read = reader.bytes_read / total
        stored = self.report.added + self.report.updated + self.report.unchanged
        stored += self.report.duplicates
        part = stored / max(1, self.report.read)
        return min(0.99, 0.15 * read + 0.85 * min(1.0, read) * part)

    def _step(self) -> str:
        stored = self.report.added + self.report.updated
        return f"read {self.report.read:,}, stored {stored:,}" if self.report.read else "opening"

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self.started:.0f} s"

    def _outcome(self) -> str:
        if self.failure is not None:
            return render.refusal(self.failure)
        for rejection in self.report.rejected:
            rejection.source = PurePath(rejection.source).name
        title = ", ".join(self.names[:3]) + (" and others" if len(self.names) > 3 else "")
        return render.report(self.report, title, stopped=self.cancelled)


class Uploads:
    """The uploads of one visitor; one is taken in at a time.

    Args:
        take: takes what is read into the library, and tells how far it is.
        told: what the visitor is told of an error.
        most: files at once.
        closed: the library takes nothing.
    """

    def __init__(
        self, take: Taking, told: Callable[[Exception], Failure], *, most: int, closed: bool
    ) -> None:
        self._take, self._told, self._most, self._closed = take, told, most, closed
        self._lock = threading.Lock()
        self._all: list[_Upload] = []
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
        if self._closed:
            upload.failure = Failure(
                what="This is the sample library, which stays as it is.",
                do="Start 'assistant ui' without --library sample to add papers.",
            )
        elif len(files) > self._most:
            what = f"At most {self._most} files at once."
            upload.failure = Failure(what=what, do="Add the others afterwards.")
        upload.done = upload.failure is not None
        with self._lock:
            self._all = [*self._all, upload][-_MOST_SHOWN:]
            if self._working or upload.done:
                return
            self._working = True
        threading.Thread(target=self._work, name="assistant-upload", daemon=True).start()

    def cancel(self, name: str) -> None:
        """Stops one that waits or is in work; what is stored already stays."""
        for one in self._all:
            if one.id == name:
                one.cancelled = True

    def picture(self) -> str:
        """All of them, the newest first."""
        return "".join(one.picture() for one in reversed(self._all))

    def _work(self) -> None:
        while True:
            with self._lock:
                upload = next((one for one in self._all if not one.done), None)
                if upload is None:
                    self._working = False
                    return
            try:
                if not upload.cancelled:
                    self._take_in(upload)
            finally:
                upload.done = True

    def _take_in(self, upload: _Upload) -> None:
        upload.started = time.monotonic()

        def tell(report: IngestReport) -> None:
            upload.report = report.model_copy()
            if upload.cancelled:
                raise _Cancelled

        try:
            upload.reader = SourceReader(upload.files)
            upload.report = self._take(upload.reader, tell)
        except _Cancelled:
            pass
        except Exception as error:  # noqa: BLE001  told, and logged where it is a defect
            upload.failure = failure = self._told(error)
            for file, name in zip(upload.files, upload.names, strict=True):
                failure.what = failure.what.replace(file, name)
