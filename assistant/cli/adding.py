"""``assistant ingest``: papers in, with progress, and a report of what became of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.opening import open_for_writing
from assistant.cli.options import Json, Library
from assistant.cli.progress import Shown
from assistant.cli.terminal import Interrupted, Terminal
from assistant.errors import AssistantError
from assistant.paper import Paper
from assistant.reading import SourceReader
from assistant.results import IngestReport, Rejection

if TYPE_CHECKING:
    from assistant.assistant import Assistant

__all__ = ["ingest"]

_SHOWN = 10
"""Rejections that are printed one by one."""
_EXAMPLES = 3
"""Papers that a preview shows."""


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
    shown = _Ingesting(reader, terminal)
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
    shown = Shown(terminal)

    def tell(done: int, total: int) -> None:
        shown.show(f"embedded anew: {done:,} of {total:,} papers", done, total, None)

    try:
        with shown:
            return assistant.library.reindex(tell)
    except KeyboardInterrupt:
        raise Interrupted(
            "Interrupted: the library is as it was; the same command again goes on from here."
        ) from None


class _Ingesting(Shown):
    """How far an ingest is: of the bytes of the files, and in papers."""

    def __init__(self, reader: SourceReader, terminal: Terminal) -> None:
        super().__init__(terminal, "opening the library…")
        self._reader = reader
        self._started = time.monotonic()
        self.stored = 0

    def __call__(self, report: IngestReport) -> None:
        """Takes the report so far."""
        self.stored = report.added + report.updated
        rate = self.stored / max(report.seconds, 1e-3)
        text = f"read {report.read:,} · stored {self.stored:,} · {rate:,.0f} papers/s"
        total, done = self._reader.total_bytes, self._reader.bytes_read
        left = None
        if total and done:
            left = (time.monotonic() - self._started) * max(0.0, total / done - 1)
        self.show(text, done, total, left)


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
    rest: Counter[str] = Counter(r.reason for r in report.rejected[_SHOWN:])
    reason, n = rest.most_common(1)[0]
    return f" ({n:,} times: {reason}); all are in --json"
