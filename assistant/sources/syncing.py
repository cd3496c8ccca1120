"""Syncing: what is new at a source goes into the library, page by page.

A page's papers are stored before its place is remembered: killed at any moment, the next run
repeats a page at the most, and what it holds already is "unchanged". A source that fails does
not keep the others from being read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from pydantic import Field

from assistant.errors import LibraryNotFound, PaperNotFound, SourceError
from assistant.library import Library
from assistant.paper import Paper
from assistant.results import IngestReport, Rejection
from assistant.settings import SourcesSettings
from assistant.sources.base import Page
from assistant.sources.http import Http
from assistant.sources.memory import RememberedSource, SourceMemory
from assistant.sources.names import SourceName

__all__ = ["OnProgress", "Sync", "SyncProgress", "SyncReport", "SyncedSource"]


class SyncedSource(IngestReport):
    """What became of one source.

    ``first``: it had not been synced before. ``finished``: all that is new was read; else
    ``error`` says why not, or the limit was reached. ``removed``: titles of papers that were
    taken out because the source has withdrawn or deleted them.
    """

    source: str
    first: bool = True
    finished: bool = False
    removed: list[str] = Field(default_factory=list)
    withdrawn: int = Field(0, description="records that the source says are withdrawn")
    error: str | None = None


class SyncReport(IngestReport):
    """What a sync did: the sum, and each source by itself."""

    removed: list[str] = Field(default_factory=list)
    sources: list[SyncedSource] = Field(default_factory=list)


class SyncProgress(IngestReport):
    """How far the source being read is; ``total`` counts its records, where it says so."""

    source: str
    total: int | None = None
    seconds_left: float | None = None


OnProgress = Callable[[SyncProgress], None]


class Sync:
    """Reads sources into ``library``.

    Args:
        library: also where it is remembered how far each source was read.
        settings: of the services.
        notify: told when a service makes us wait.
    """

    def __init__(
        self,
        library: Library,
        settings: SourcesSettings,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._library = library
        self._settings = settings
        self._notify = notify
        self.memory = SourceMemory(library.path)

    def run(
        self,
        sources: Sequence[str] = (),
        on_progress: OnProgress | None = None,
        *,
        limit: int | None = None,
        restart: bool = False,
    ) -> SyncReport:
        """Reads what is new of ``sources``; of all that are remembered, where none is named.

        Args:
            sources: as `SourceName.parse` takes them.
            on_progress: told after each page.
            limit: records of each source in this run. A first run that reaches it has ended:
                what lies behind is not wanted; a later one goes on with the next call.
            restart: read them from their beginning.

        Raises:
            SourceError: a name is none, or none of the sources could be read.
            LibraryError: the library cannot be written.
        """
        known = self.memory.all()
        names = [SourceName.parse(name) for name in dict.fromkeys(sources or known)]
        if not names:
            raise SourceError(
                "No source is remembered yet.", "Name one, such as: assistant sync arxiv:cs.CL"
            )
        report = SyncReport()
        started = time.monotonic()
        for name in names:
            remembered = None if restart else known.get(str(name))
            synced = SyncedSource(source=str(name), first=remembered is None)
            report.sources.append(synced)
            try:
                self._read(name, remembered or RememberedSource(), synced, on_progress, limit)
            except SourceError as error:
                synced.error = str(error)
            _add(report, synced)
            report.removed += synced.removed
        report.seconds = time.monotonic() - started
        failed = [s.error for s in report.sources if s.error]
        if len(failed) == len(names) and not report.read:
            raise SourceError(failed[0] or "")
        return report

    def papers(self) -> dict[str, int]:
        """How many papers of the library each source gave."""
        try:
            return dict(self._library.asked(lambda records: records.counts("source")))
        except LibraryNotFound:
            return {}

    def check_remote(self, sources: Sequence[str]) -> None:
        """Whether somebody who is not at this machine may name these.

        Raises:
            SourceError: one is the address of a feed that was not synced here before, or no name.
        """
        known = self.memory.all()
        for name in map(SourceName.parse, sources):
            if name.is_address and str(name) not in known:
                raise SourceError(
                    "A new feed cannot be added from afar.",
                    "Name it once where the program runs: assistant sync ADDRESS.",
                )

    def _read(
        self,
        name: SourceName,
        state: RememberedSource,
        synced: SyncedSource,
        on_progress: OnProgress | None,
        limit: int | None,
    ) -> None:
        first, started, total = state.mark is None, time.monotonic(), None
        held = {} if first and not state.cursor else self._held(str(name))
        before = state.papers if state.cursor else 0
        with Http(name.service, self._settings, self._notify, name.query) as http:
            for page in name.service.pages(http, name.query, state.mark, state.cursor):
                if first and limit is not None:  # a first run takes so many and no more
                    del page.records[max(0, limit - _seen(synced)) :]
                self._store(page, synced, held)
                total = page.total or total
                count = len(page.records) + len(page.withdrawn) + len(page.deleted)
                reached = limit is not None and _seen(synced) >= limit
                synced.finished = page.cursor is None or (reached and first)
                state = RememberedSource(
                    mark=page.mark if synced.finished else state.mark,
                    cursor=None if synced.finished else page.cursor,
                    papers=(state.papers if state.cursor else 0) + count,
                    synced=_now() if synced.finished else state.synced,
                )
                self.memory.save(str(name), state)
                synced.seconds = time.monotonic() - started
                if on_progress is not None:
                    on_progress(_progress(synced, total, before))
                if synced.finished or reached:
                    return

    def _held(self, source: str) -> dict[str, Paper]:
        """What came from ``source`` before, by the source's own ids."""
        papers = self._library.papers()
        return {p.source_id: p for p in papers if p.source == source and p.source_id}

    def _store(self, page: Page, synced: SyncedSource, held: dict[str, Paper]) -> None:
        if page.records:
            records = [self._under_its_id(record, held, synced) for record in page.records]
            _add(synced, self._library.ingest(records))
        synced.withdrawn += len(page.withdrawn)
        if page.withdrawn or page.deleted:
            gone = [held[name].id for name in page.deleted if name in held]
            for name in dict.fromkeys([*page.withdrawn, *gone]):
                with suppress(LibraryNotFound, PaperNotFound):  # it was never here
                    synced.removed += [paper.label for paper in self._library.remove([name])]

    def _under_its_id(
        self, record: Paper | Rejection, held: dict[str, Paper], synced: SyncedSource
    ) -> Paper | Rejection:
        """The record; under the library's id where it is one that has got another title.

        By its title alone it would be a second paper.
        """
        old = held.get(record.source_id or "") if isinstance(record, Paper) else None
        if (
            old is None
            or isinstance(record, Rejection)
            or not old.id.startswith("title:")
            or old.title_key == record.title_key
        ):
            return record
        self._library.remove([old.id])
        synced.updated += 1
        synced.added -= 1
        return record.model_copy(update={"key": old.id})


def _seen(report: IngestReport) -> int:
    return report.read + len(report.rejected)


def _add(report: IngestReport, part: IngestReport) -> None:
    report.read += part.read
    report.added += part.added
    report.updated += part.updated
    report.unchanged += part.unchanged
    report.duplicates += part.duplicates
    report.rejected += part.rejected


def _progress(synced: SyncedSource, total: int | None, before: int) -> SyncProgress:
    done = _seen(synced) + synced.withdrawn
    left = None
    total = total and max(0, total - before)  # of a run that goes on: what is left of it
    if total and done:
        left = synced.seconds * max(0, total - done) / done
    counts = synced.model_dump(include=set(IngestReport.model_fields))
    return SyncProgress.model_validate(
        {**counts, "source": synced.source, "total": total, "seconds_left": left}
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
