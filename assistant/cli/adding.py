"""``assistant ingest``: papers in, with progress, and a report of what became of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.opening import open_for_writing
from assistant.cli.options import Json, Library
from assistant.cli.terminal import Interrupted, Terminal
from assistant.errors import AssistantError
from assistant.paper import Paper
from assistant.reading import SourceReader
from assistant.results import IngestReport, Rejection

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from assistant.assistant import Assistant

__all__ = ["ingest"]

_SHOWN = 10
"""Rejections that are printed one by one."""
_EXAMPLES = 3
"""Papers that a preview shows."""
_EVERY = 5.0
"""Seconds between two lines of progress where nobody looks."""


def ingest(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...", help="Files or folders; '-' is standard input.", show_default=False
        ),
    ] = None,
    library: Library = None,
    reindex: Annotated[
        bool, typer.Option("--reindex", help="Embed the papers that are there anew.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would come out; add nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take papers also of a file that is mostly rejected.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")] = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, metavar="N", help="Cores that embed. [default: all]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add papers to the library, and update those that changed.

    Takes what databases, reference managers and services export (BibTeX, RIS, EndNote, PubMed,
    Web of Science, CSV, JSON, XML, …) and saved listing pages, also gzipped. A record that cannot
    be used is reported, the rest goes in; a file that holds no papers is refused. Interrupted,
    the same command again finishes the job.

    \b
    Examples:
      assistant ingest papers.bib
      assistant ingest page-1.txt page-2.txt exports/
      zcat snapshot.jsonl.gz | assistant ingest -
      assistant ingest savedrecs.txt --dry-run
      assistant ingest --reindex          (after another embedding model was chosen)
    """
    if not sources and not reindex:
        raise typer.BadParameter(
            "name files or folders, or '-' for standard input (or give --reindex).",
            param_hint="SOURCE...",
        )
    sources = sources or []
    if dry_run:
        _preview(sources, force=force, as_json=as_json)
        return
    terminal = Terminal(quiet=quiet)
    settings = {} if workers is None else {"embedding": {"threads": workers}}
    assistant = open_for_writing(library, terminal, **settings)
    embedded = _reindexed(assistant, terminal) if reindex else None
    reader = SourceReader(sources, force=force)
    report = _ingested(assistant, reader, terminal) if sources else IngestReport()
    if as_json:
        extra = {} if embedded is None else {"reindexed": embedded}
        terminal.data(report.model_dump(mode="json") | extra)
    else:
        if embedded is not None:
            terminal.say(f"{embedded:,} papers embedded anew.")
        if sources:
            _show_report(terminal, report)
    if not report.read and report.rejected:
        raise AssistantError(
            f"Nothing was taken in: {len(report.rejected):,} rejected, "
            f"the first because: {report.rejected[0].reason.rstrip('.')}."
        )


def _preview(sources: Sequence[str], *, force: bool, as_json: bool) -> None:
    """Prints what the sources would bring in: how many papers, some of them, what is rejected.

    Raises:
        AssistantError: nothing could be read, or no paper is in it.
    """
    terminal = Terminal()
    reader = SourceReader(sources, force=force)
    count = 0
    examples: list[Paper] = []
    rejected: Counter[str] = Counter()
    first: dict[str, Rejection] = {}
    for result in reader:
        if isinstance(result, Paper):
            count += 1
            examples += [result] if len(examples) < _EXAMPLES else []
        else:
            rejected[result.reason] += 1
            first.setdefault(result.reason, result)
    for note in reader.notes:
        terminal.note(note)
    if as_json:
        reasons = [
            {"reason": reason, "count": n, "source": first[reason].source,
             "where": first[reason].where}
            for reason, n in rejected.most_common()
        ]  # fmt: skip
        shown = [paper.model_dump(mode="json", exclude={"key", "original"}) for paper in examples]
        terminal.data({"papers": count, "examples": shown, "rejected": reasons})
    else:
        _show_preview(terminal, count, examples, rejected, first)
    if not count:
        reason = rejected.most_common(1)[0][0] if rejected else "there is nothing in it"
        raise AssistantError(f"No paper would be taken in: {reason.rstrip('.')}.")


def _show_preview(
    terminal: Terminal,
    count: int,
    examples: Sequence[Paper],
    rejected: Counter[str],
    first: dict[str, Rejection],
) -> None:
    papers = "1 paper" if count == 1 else f"{count:,} papers"
    terminal.say((f"{papers} would be read; nothing was added.", "bold"))
    for paper in examples:
        terminal.say()
        terminal.say((paper.label, "bold"))
        known = (", ".join(paper.authors[:6]), paper.venue, paper.year, paper.doi, paper.arxiv_id)
        terminal.say(" · ".join(str(part) for part in known if part) or "(nothing else is known)")
        terminal.say(_beginning(paper.abstract) or "(no abstract)")
    if rejected:
        terminal.say()
    for reason, n in rejected.most_common(_SHOWN):
        where = ", ".join(filter(None, (first[reason].source, first[reason].where)))
        terminal.say(("rejected ", "yellow"), f"{n:,} × {reason} (first: {where})")


def _beginning(text: str, length: int = 240) -> str:
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0] + " …"


def _ingested(assistant: Assistant, reader: SourceReader, terminal: Terminal) -> IngestReport:
    shown = _Shown(reader, terminal)
    try:
        with shown:
            report = assistant.ingest(reader, shown)
    except KeyboardInterrupt:
        stored = shown.stored
        what = f"{stored:,} papers are stored and kept" if stored else "what was stored is kept"
        raise Interrupted(f"Interrupted: {what}; the same command again finishes.") from None
    for note in reader.notes:
        terminal.note(note)
    return report


def _reindexed(assistant: Assistant, terminal: Terminal) -> int:
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if terminal.rich_notes:
            terminal.working(f"embedding anew: {done:,} of {total:,} papers")
        elif time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            terminal.note(f"embedded anew: {done:,} of {total:,} papers")

    try:
        return assistant.library.reindex(tell)
    except KeyboardInterrupt:
        raise Interrupted(
            "Interrupted: the library is as it was; the same command again goes on from here."
        ) from None
    finally:
        terminal.settle()


class _Shown:
    """Progress of an ingest: live on a terminal, a line now and then elsewhere."""

    def __init__(self, reader: SourceReader, terminal: Terminal) -> None:
        self._reader = reader
        self._terminal = terminal
        self._report = IngestReport()
        self._started = self._last = time.monotonic()
        self._live: tuple[Progress, TaskID] | None = None

    @property
    def stored(self) -> int:
        """Papers stored so far."""
        return self._report.added + self._report.updated

    def __enter__(self) -> None:
        self._terminal.working("opening the library…")

    def __exit__(self, *_: object) -> None:
        self._terminal.settle()
        if self._live is not None:
            self._live[0].stop()

    def __call__(self, report: IngestReport) -> None:
        """Takes the report so far."""
        self._report = report
        if self._terminal.quiet:
            return
        if self._terminal.rich_notes:
            self._update()
        elif time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            self._terminal.note(f"{self._counts()}{self._left()}")

    def _counts(self) -> str:
        rate = self.stored / max(self._report.seconds, 1e-3)
        return f"read {self._report.read:,} · stored {self.stored:,} · {rate:,.0f} papers/s"

    def _left(self) -> str:
        total, done = self._reader.total_bytes, self._reader.bytes_read
        if not total or not done:
            return ""
        left = (time.monotonic() - self._started) * max(0.0, total / done - 1)
        return f" · {_duration(left)} left"

    def _update(self) -> None:
        if self._live is None:
            self._terminal.settle()
            self._live = self._begin()
        progress, task = self._live
        progress.update(
            task,
            completed=self._reader.bytes_read,
            total=self._reader.total_bytes,
            counts=self._counts(),
            left=self._left(),
        )

    def _begin(self) -> tuple[Progress, TaskID]:
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

        progress = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.fields[counts]}{task.fields[left]}", markup=False),
            console=self._terminal.err,
            transient=True,
        )
        task = progress.add_task("", total=self._reader.total_bytes, counts="", left="")
        progress.start()
        return progress, task


def _show_report(terminal: Terminal, report: IngestReport) -> None:
    counts = {
        "read": report.read,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "duplicates": report.duplicates,
        "rejected": len(report.rejected),
    }
    if terminal.rich:
        terminal.table(["read", *list(counts)[1:]], [[f"{n:,}" for n in counts.values()]])
    else:
        for name, n in counts.items():
            terminal.say(f"{name}\t{n}")
    for rejection in report.rejected[:_SHOWN]:
        where = ", ".join(filter(None, (rejection.source, rejection.where)))
        terminal.say(("rejected ", "yellow"), f"{where}: {rejection.reason}")
    if len(report.rejected) > _SHOWN:
        terminal.say(("…", "yellow"), f" and {len(report.rejected) - _SHOWN:,} more", _most(report))


def _most(report: IngestReport) -> str:
    """The commonest reason of those that are not printed."""
    rest: Counter[str] = Counter(r.reason for r in _hidden(report))
    reason, n = rest.most_common(1)[0]
    return f" ({n:,} times: {reason}); all are in --json"


def _hidden(report: IngestReport) -> list[Rejection]:
    return report.rejected[_SHOWN:]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
