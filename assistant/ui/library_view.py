"""The Library view: adding papers, the list, the map."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import gradio as gr
from gradio.exceptions import InvalidPathError
from gradio.utils import get_upload_folder

from assistant.assistant import Assistant
from assistant.errors import AssistantError
from assistant.librarymap import LibraryMap
from assistant.reading.formats import FORMATS
from assistant.reading.sources import SourceReader
from assistant.results import IngestReport
from assistant.ui import render, shelves
from assistant.ui.parts import Listener, fixed, html, said, sent, state_of
from assistant.ui.turns import Failure
from assistant.ui.visitors import Shelf, Visitor

__all__ = ["add_library_view"]

log = logging.getLogger("assistant.ui")

_EVERY = 0.15
"""Seconds between two looks at how far an upload is."""

_HEAD = """<header class="page-head"><h1>Library</h1><p>Add saved listing pages, JSON Lines, JSON,
CSV or TSV, BibTeX, RIS and PubMed files, also gzipped. A record that cannot be used is reported,
the rest goes in; adding a file again updates what changed.</p></header>"""
_MAP = """<section class="section"><h2>Map</h2><p>Papers that are near in meaning lie near each
other; those of your last answer are ringed. Double-click, pinch or use the buttons to zoom.</p>
<div class="map"><canvas role="img" aria-label="Map of the library; the list below holds the same
papers"></canvas><div class="zoom"><button type="button" data-zoom="in" aria-label="Nearer">+</button>
<button type="button" data-zoom="out" aria-label="Further">−</button><button type="button"
data-zoom="all" aria-label="The whole map">◦</button></div></div><ul class="legend"></ul></section>"""


def add_library_view(
    on: Listener, shelf: Shelf, visitor: gr.State, state: gr.HTML, bridge: gr.HTML
) -> None:
    """Puts the view on the page; to be called within the `Blocks`."""
    with gr.Column(elem_id="library-view"):
        fixed(_HEAD, "library-head")
        upload = gr.File(
            label="Files of papers",
            file_count="multiple",
            file_types=sorted({e for f in FORMATS.values() for e in f.extensions} | {".gz"}),
            elem_id="upload",
            height=150,
        )
        _only_uploads(upload)
        report = html("report")
        fixed(_MAP, "map")
        fixed('<section class="section"><h2>Papers</h2></section>', "papers-head")
        tools = html("tools")
        papers = html("papers")

    def view(here: Visitor | None, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        here = here or Visitor(shelf)
        if sent(event).get("view") != "library":
            yield here, gr.skip(), gr.skip(), gr.skip()
            return
        yield from ((here, *shown) for shown in _shown(here))

    def listed(here: Visitor | None, event: gr.EventData) -> str:
        return _list(here or Visitor(shelf), shelves.wanted(sent(event)))

    def remove(here: Visitor | None, event: gr.EventData) -> tuple[Any, ...]:
        here = here or Visitor(shelf)
        asked = sent(event)
        if here.library == "sample":
            return here, gr.skip(), gr.skip(), said(toast="The sample library stays as it is.")
        try:
            gone = shelf.assistant("own").library.remove([str(asked.get("paper", ""))[:400]])
            told = f"Removed: {gone[0].label}"
        except AssistantError as error:
            told = str(error)
        list_html = _list(here, shelves.wanted(asked))
        return here, list_html, state_of(here), said(toast=told)

    def add(files: list[str] | None, here: Visitor | None) -> Iterator[tuple[Any, ...]]:
        here = here or Visitor(shelf)
        for picture in _added(shelf, here, files or []):
            yield here, picture, gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.skip()
        yield here, gr.skip(), gr.skip(), gr.skip(), state_of(here), gr.skip(), None
        for tool, table, message in _shown(here):
            yield here, gr.skip(), tool, table, gr.skip(), message, gr.skip()

    on("view", view, [visitor, tools, papers, bridge], concurrency_limit=4)
    on("list", listed, [papers], trigger_mode="always_last")
    on("remove", remove, [visitor, papers, state, bridge])
    upload.upload(
        add,
        [upload, visitor],
        [visitor, report, tools, papers, state, bridge, upload],
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=4,
    )


def _only_uploads(upload: gr.File) -> None:
    """Lets ``upload`` take nothing but what was uploaded.

    What a visitor sends is a path or an address; Gradio would copy the file, or fetch it, and
    its own check is switched off in an app that is mounted rather than launched.
    """
    take = upload.async_move_resource_to_block_cache

    async def checked(url_or_file_path: str | Path | None) -> str | None:
        folder = Path(get_upload_folder()).resolve()
        if url_or_file_path is not None:
            inside = Path(url_or_file_path).resolve().is_relative_to(folder)
            if not inside or "://" in str(url_or_file_path):
                raise InvalidPathError("This file was not uploaded.")
        return await take(url_or_file_path)

    upload.async_move_resource_to_block_cache = checked  # type: ignore[method-assign]


def _shown(here: Visitor) -> Iterator[tuple[Any, Any, Any]]:
    """Tools, list and map: the list at once, the map when it is made."""
    writable = here.library == "own"
    try:
        index = here.shelf.assistant(here.library).library.index(check=False)
    except AssistantError as error:
        empty = render.empty(error.what)
        yield "", empty, said(map=_EMPTY_MAP)
        return
    maps = here.shelf.maps
    themes = maps.made(index)
    if themes is None:
        yield shelves.tools(None), _table(here, index, None), gr.skip()
        try:
            themes = maps.map(index)
        except Exception:
            log.exception("the map could not be made")
            yield gr.skip(), gr.skip(), said(toast="The map could not be made.")
            return
    library = "own" if writable else "sample"
    message = said(map={"map": themes.model_dump(), "library": library})
    yield shelves.tools(themes), _table(here, index, themes), message


_EMPTY_MAP = {
    "map": LibraryMap(ids=[], titles=[], x=[], y=[], theme=[], themes=[]).model_dump(),
    "library": "own",
}


def _table(here: Visitor, index: Any, themes: LibraryMap | None) -> str:
    return shelves.listing(index, themes, shelves.Wanted(), writable=here.library == "own")


def _list(here: Visitor, want: shelves.Wanted) -> str:
    try:
        index = here.shelf.assistant(here.library).library.index(check=False)
    except AssistantError as error:
        return render.empty(error.what)
    themes = here.shelf.maps.made(index)
    return shelves.listing(index, themes, want, writable=here.library == "own")


def _added(shelf: Shelf, here: Visitor, files: list[str]) -> Iterator[str]:
    """Pictures of an upload that is being taken in; the last one is the report."""
    most = shelf.settings.server.max_files
    if shelf.own_is_sample:
        yield _refused(
            "This is the sample library, which stays as it is.",
            "Start 'assistant ui' without --library sample to add papers.",
        )
        return
    if len(files) > most:
        yield _refused(f"At most {most} files at once.", "Add the others afterwards.")
        return
    if not files:
        return
    here.library = "own"
    work = _Work(shelf.assistant("own"), files)
    while not work.wait(_EVERY):
        yield work.picture()
    yield work.outcome()


class _Work:
    """An upload that is taken in by a thread of its own."""

    def __init__(self, assistant: Assistant, files: list[str]) -> None:
        self._assistant = assistant
        self._files = [str(file) for file in files]
        self._reader = SourceReader(files)
        self._so_far = IngestReport()
        self._failure: Failure | None = None
        self._done = threading.Event()
        self._started = time.monotonic()
        threading.Thread(target=self._run, name="assistant-upload", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether it is done, after so many seconds at most."""
        return self._done.wait(seconds)

    def picture(self) -> str:
        """How far it is."""
        total, done = self._reader.total_bytes or 0, self._reader.bytes_read
        stored = self._so_far.added + self._so_far.updated
        # a file is read ahead of what is stored: both halves count
        share = 0.0
        if total:
            read = done / total
            stored_share = stored / max(1, self._so_far.read) if self._so_far.read else 0.0
            share = (
                min(0.99, 0.15 * read + 0.85 * read * stored_share)
                if read < 1
                else min(0.99, 0.15 + 0.85 * stored_share)
            )
        left = f"{time.monotonic() - self._started:.0f} s"
        text = f"Read {self._so_far.read:,} · stored {stored:,}"
        return render.progress(share, text if self._so_far.read else "Opening…", left)

    def outcome(self) -> str:
        """What became of it."""
        if self._failure is not None:
            return _refused(self._failure.what, self._failure.do)
        for rejection in self._so_far.rejected:
            rejection.source = PurePath(rejection.source).name
        return render.report(self._so_far)

    def _run(self) -> None:
        try:
            self._so_far = self._assistant.ingest(self._reader, self._tell)
        except AssistantError as error:
            what = error.what
            for file in self._files:
                what = what.replace(file, PurePath(file).name)
            self._failure = Failure(what=what, do=error.do)
        except Exception:
            log.exception("an upload could not be taken in")
            self._failure = Failure(what="Something went wrong inside the program.")
        finally:
            self._done.set()

    def _tell(self, report: IngestReport) -> None:
        self._so_far = report.model_copy()


def _refused(what: str, do: str) -> str:
    return render.refusal(Failure(what=what[:4000], do=do[:4000]))
