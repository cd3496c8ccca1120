"""``assistant sync`` and ``enrich``: papers from services, with progress and a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from assistant.cli.opening import open_for_writing
from assistant.cli.options import Json, Library
from assistant.cli.progress import Shown
from assistant.cli.terminal import Interrupted, Terminal
from assistant.errors import SourceError

if TYPE_CHECKING:
    from assistant.sources.enriching import EnrichProgress
    from assistant.sources.syncing import SyncedSource, SyncProgress, SyncReport

__all__ = ["enrich", "sync"]

_SHOWN = 10
"""Rejections and removals that are printed one by one."""
_EXAMPLES = 3
"""Papers that are named for each reason why they were left."""


def sync(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Services and feeds; all that were synced before, where none is named.",
            show_default=False,
        ),
    ] = None,
    library: Library = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, metavar="N", help="Records of each source, at most."),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Read from the beginning, not what is new only.")
    ] = False,
    list_them: Annotated[bool, typer.Option("--list", help="List what is remembered.")] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget the sources; their papers stay.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")] = False,
    as_json: Json = False,
) -> None:
    """Add what is new at services and feeds.

    The library remembers each source by its name, and how far it was read: the next sync asks
    for what is new or changed since, and goes on where one was interrupted. No host is asked but
    those named. Keys and an e-mail are settings, such as ASSISTANT_SOURCES__OPENALEX__KEY and
    ASSISTANT_SOURCES__EMAIL.

    \b
    Examples:
      assistant sync arxiv:cs.CL --limit 500        (a category, a query or ids)
      assistant sync 'pubmed:asthma AND children' 'openalex:deep sea mining'
      assistant sync 'crossref:copper roofs' 'semanticscholar:"kite wind power"'
      assistant sync hf-papers:2026-11-01..2026-11-07 zotero:groups/123456/ABCD2345
      assistant sync doi:10.1038/nature14539 https://journals.plos.org/plosone/feed/atom
      assistant sync                                (what is new at all of them)
    """
    if list_them or forget:
        _remembered(sources or [], library=library, forget=forget, as_json=as_json)
        return
    terminal = Terminal(quiet=quiet)
    assistant = open_for_writing(library, terminal)
    shown = _Syncing(terminal)
    try:
        with shown:
            report = assistant.sync(sources or [], shown, limit=limit, restart=restart)
    except KeyboardInterrupt:
        raise Interrupted(
            f"Interrupted: {shown.stored:,} papers are stored and kept; the same command goes on "
            "from here."
        ) from None
    if as_json:
        terminal.data(report.model_dump(mode="json"))
    else:
        _show(terminal, report)
    failed = [source for source in report.sources if source.error]
    if failed:
        raise SourceError(" ".join(f"{source.source}: {source.error}" for source in failed))


def enrich(
    library: Library = None,
    service: Annotated[
        Literal["openalex", "crossref"], typer.Option("--from", help="Whom to ask.")
    ] = "openalex",
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Papers to ask for, at most.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also those that were asked for in vain before.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")] = False,
    as_json: Json = False,
) -> None:
    """Fill in authors, years, venues and DOIs that papers lack.

    Each paper is looked for by its DOI or title. Only what is missing is filled in, and only
    where it is surely the same paper; what is left is told with the reason.

    \b
    Examples:
      assistant enrich
      assistant enrich --from crossref --limit 50
    """
    terminal = Terminal(quiet=quiet)
    assistant = open_for_writing(library, terminal)
    shown = Shown(terminal, "asking…")

    def tell(progress: EnrichProgress) -> None:
        text = f"asked for {progress.asked:,} of {progress.total:,} · filled {progress.filled:,}"
        shown.show(text, progress.asked, progress.total, progress.seconds_left)

    try:
        with shown:
            report = assistant.enrich(tell, service=service, limit=limit, again=again)
    except KeyboardInterrupt:
        raise Interrupted(
            "Interrupted: what was filled in is kept; the same command goes on from here."
        ) from None
    if as_json:
        terminal.data(report.model_dump(mode="json"))
        return
    terminal.say(f"{report.lacking:,} papers lacked something; {report.filled:,} were filled in.")
    for field, n in report.fields.items():
        terminal.say(f"{field}: {n:,}", indent=2)
    if report.asked_before:
        terminal.say(f"left, {report.asked_before:,}: asked for before; --again asks once more")
    reasons = Counter(left.reason for left in report.left)
    for reason, n in reasons.most_common():
        terminal.say(f"left, {n:,}: {reason}")
        for left in [one for one in report.left if one.reason == reason][:_EXAMPLES]:
            terminal.say(left.title, indent=2, hang=2)


def _remembered(
    sources: Sequence[str], *, library: str | None, forget: bool, as_json: bool
) -> None:
    """Lists the remembered sources, or forgets the named ones.

    Raises:
        SourceError: one that is to be forgotten is not known.
    """
    from assistant.sources.names import SourceName  # noqa: PLC0415

    terminal = Terminal()
    sync = open_for_writing(library, terminal).sources()
    memory = sync.memory
    known = memory.all()
    if forget:
        names = [str(SourceName.parse(name)) for name in sources]
        if not names:
            raise SourceError("No source is named.", "Name those to forget; --list shows them.")
        if unknown := [name for name in names if name not in known]:
            raise SourceError(f"{unknown[0]!r} is not remembered.", "--list shows what is.")
        for name in names:
            memory.forget(name)
            terminal.say(f"forgotten: {name}; its papers stay")
        return
    held = sync.papers()
    listed = [
        {**s.model_dump(mode="json"), "source": name, "papers": held.get(name, 0), "read": s.papers}
        for name, s in known.items()
    ]
    if as_json:
        terminal.data(listed)
        return
    rows = [
        [
            s["source"],
            f"{s['papers']:,}",
            f"{s['read']:,}",
            s["synced"] or "never to its end",
            "unfinished" if s["cursor"] else "",
        ]
        for s in listed
    ]
    if rows:
        terminal.table(["source", "papers", "read last", "synced", ""], rows)
    else:
        terminal.note("No source is remembered yet: assistant sync SOURCE...")


class _Syncing(Shown):
    """How far a sync is, and how many papers it has stored."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal, "asking…")
        self._by_source: dict[str, int] = {}

    @property
    def stored(self) -> int:
        """Papers stored so far."""
        return sum(self._by_source.values())

    def __call__(self, progress: SyncProgress) -> None:
        """Takes how far it is."""
        self._by_source[progress.source] = progress.added + progress.updated
        text = f"{progress.source}: read {progress.read:,}"
        text += f" of {progress.total:,}" if progress.total else ""
        text += f" · new {progress.added:,}"
        self.show(text, progress.read, progress.total, progress.seconds_left)


def _show(terminal: Terminal, report: SyncReport) -> None:
    heads = ["source", "new", "changed", "known", "removed", "rejected", ""]
    rows = [
        [
            s.source,
            f"{s.added:,}",
            f"{s.updated:,}",
            f"{s.unchanged + s.duplicates:,}",
            f"{len(s.removed):,}",
            f"{len(s.rejected):,}",
            _state(s),
        ]
        for s in report.sources
    ]
    terminal.table(heads, rows)
    for title in report.removed[:_SHOWN]:
        terminal.say(("removed ", "yellow"), f"{title} (its source has withdrawn or deleted it)")
    for rejection in report.rejected[:_SHOWN]:
        where = f"{rejection.source}, {rejection.where}"
        terminal.say(("rejected ", "yellow"), f"{where}: {rejection.reason}")
    hidden = max(0, len(report.rejected) - _SHOWN) + max(0, len(report.removed) - _SHOWN)
    if hidden:
        terminal.say(("…", "yellow"), f" and {hidden:,} more; all are in --json")


def _state(source: SyncedSource) -> str:
    if source.error:
        return "failed"
    if not source.finished:
        return "goes on with the next sync"
    return "new source" if source.first else ""
