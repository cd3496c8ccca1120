"""Sources on the page: a place to name one, those remembered, and their syncing.

A sync waits and works among the uploads (`assistant.ui.uploads`): the same progress, cancel and
lasting report. Only what the visitor names, or asks for by its button, is contacted; somebody
who is not at this machine cannot add a feed's address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant.errors import AssistantError
from assistant.sources.memory import RememberedSource, SourceMemory
from assistant.sources.names import SourceName
from assistant.sources.syncing import SyncedSource, SyncProgress
from assistant.ui import render
from assistant.ui.parts import Listener, html, message, state_of
from assistant.ui.turns import Failure
from assistant.ui.uploads import Job
from assistant.ui.visitors import Visitor

if TYPE_CHECKING:
    from assistant.assistant import Assistant

__all__ = ["add_syncing"]

_MOST = 500
"""Records of a first sync, as the form proposes."""
_MOST_EVER = 100_000
_LONGEST = 2000
_PLACEHOLDER = "arxiv:cs.CL, pubmed:cystic fibrosis, the address of a feed…"

Followed = Callable[[Visitor], Iterator[tuple[Any, ...]]]


class _Syncing(Job):
    """The syncing of the named sources; of all that are remembered, where none is named."""

    refused = "Not synced"

    def __init__(
        self, names: Sequence[str], most: int, failure_of: Callable[[Exception], Failure]
    ) -> None:
        super().__init__(", ".join(names) or "all sources")
        self._names = list(names)
        self._most, self._failure_of = most, failure_of
        self._waits = ""
        self._synced: list[SyncedSource] = []
        self._progress: SyncProgress | None = None

    def take_in(self, assistant: Assistant) -> None:
        """Asks the services; what each page brings is stored before the next is asked for."""
        report = assistant.sync(self._names, self._told, limit=self._most, notify=self._wait)
        for source in report.sources:
            source.error = source.error and str(self._failure_of(AssistantError(source.error)))
        self.report, self._synced = report, report.sources

    def _told(self, progress: SyncProgress) -> None:
        self._progress, self._waits = progress, ""
        self.tell(progress)

    def _wait(self, why: str) -> None:
        self._waits = why
        self.tell(self.report)

    def share(self) -> float | None:
        """Of the source that is being read, as far as it says how much there is."""
        if self._progress is None or not self._progress.total:
            return None
        return self._progress.read / max(1, min(self._progress.total, self._most))

    def step(self) -> str:
        """What is being asked, or why it waits."""
        if self._waits or self._progress is None:
            return self._waits or "asking…"
        left = self._progress.seconds_left
        named = f"{self._progress.source}: " if len(self._names) != 1 else ""
        return f"{named}{super().step()}" + (f", {left:.0f} s left" if left else "")

    def outcome(self) -> str:
        """A report of each source."""
        return "".join(map(_outcome, self._synced)) or super().outcome()


def _outcome(synced: SyncedSource) -> str:
    if synced.error:
        return render.refusal(Failure(what=f"{synced.source}: {synced.error}"), _Syncing.refused)
    more = "" if synced.finished else " (there is more: sync it again to go on)"
    gone = f" ({len(synced.removed):,} withdrawn papers were removed)" if synced.removed else ""
    return render.report(synced, f"{synced.source}{more}{gone}")


def add_syncing(
    on: Listener, followed: Followed, outputs: Sequence[gr.HTML], state: gr.HTML
) -> None:
    """Puts the sources on the page; to be called within the view's column.

    ``outputs`` take what ``followed`` yields of the jobs in work; the last is the bridge.
    """
    sources = html("sources")

    def listed(here: Visitor, _: dict[str, Any]) -> str:
        return _sources(here)

    def forget(here: Visitor, asked: dict[str, Any]) -> tuple[Any, ...]:
        name = str(asked.get("source", ""))[:_LONGEST]
        try:
            known = not here.shelf.own_is_sample and _memory(here).forget(name)
            told = f"Forgotten: {name}. Its papers stay." if known else "It is not remembered."
        except AssistantError as error:
            told = str(here.failure(error))
        return _sources(here), message(toast=told)

    def sync(here: Visitor, asked: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        here.uploads.put(_job(here, asked))
        yield here.uploads.picture(), *[gr.skip()] * (len(outputs) + 1)
        for shown in followed(here):
            yield *shown, gr.skip(), gr.skip()
        yield *[gr.skip()] * len(outputs), _sources(here), state_of(here)

    on("sources", listed, [sources], concurrency_limit=16)
    on("forget", forget, [sources, outputs[-1]])
    on("sync", sync, [*outputs, sources, state], concurrency_limit=16)


def _job(here: Visitor, asked: dict[str, Any]) -> _Syncing:
    """The job that a visitor asks for; failed already where it must not be done."""
    text = " ".join(str(asked.get("source", ""))[:_LONGEST].split())
    most = str(asked.get("most", "")).strip()[:9]
    most_wanted = int(most) if most.isdecimal() else 0
    names = [] if asked.get("all") else [text]
    job = _Syncing(names, min(most_wanted or _MOST_EVER, _MOST_EVER), here.failure)
    try:
        parsed = [str(SourceName.parse(name)) for name in names]
        if not here.shelf.trusted:
            here.shelf.assistant("own").sources().check_remote(parsed)
    except AssistantError as error:
        job.failure = here.failure(error)
    return job


def _memory(here: Visitor) -> SourceMemory:
    return here.shelf.assistant("own").sources().memory


def _sources(here: Visitor) -> str:
    """The form, and what is remembered."""
    if here.library == "sample":
        return ""
    try:
        sync = here.shelf.assistant("own").sources()
        known, held = sync.memory.all(), sync.papers()
    except AssistantError as error:
        return render.refusal(here.failure(error), "Sources")
    rows = "".join(_row(name, source, held.get(name, 0)) for name, source in known.items())
    every = (
        '<button type="button" class="button small" data-act="sync-all">Sync all</button>'
        if len(known) > 1
        else ""
    )
    table = f'<ul class="synced">{rows}</ul>{every}' if rows else ""
    return (
        '<section class="section"><h2>Sources</h2><p>Papers of arXiv, PubMed, OpenAlex, Semantic '
        "Scholar, Crossref, Hugging Face’s daily papers, Zotero and feeds. Only the source that "
        "you sync is asked; the next sync brings what is new.</p>"
        '<form class="table-tools" data-form="sync"><input name="source" required '
        f'maxlength="{_LONGEST}" aria-label="Source" placeholder="{escape(_PLACEHOLDER)}">'
        f'<label>at most <input name="most" value="{_MOST}" inputmode="numeric" '
        'pattern="[0-9]{1,6}" aria-label="Records at most"></label>'
        f'<button class="button">Sync</button></form>{table}</section>'
    )


def _row(name: str, source: RememberedSource, papers: int) -> str:
    when = f"synced {source.synced[:16].replace('T', ' ')} UTC" if source.synced else "unfinished"
    if source.synced and source.cursor:
        when += ", there is more"
    noun = "paper" if papers == 1 else "papers"
    shown, data = escape(name), f'data-source="{escape(name, quote=True)}"'
    return (
        f'<li><b>{shown}</b><span class="quiet">{papers:,} {noun}, {when}</span>'
        f'<button type="button" class="button small" data-act="sync" {data}>Sync</button>'
        f'<button type="button" class="link danger" data-act="forget" {data} '
        f'aria-label="Forget {shown}">Remove</button></li>'
    )
