"""The Library view: adding papers, the list, the map."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.exceptions import InvalidPathError
from gradio.utils import get_upload_folder

from assistant.errors import AssistantError
from assistant.librarymap import LibraryMap
from assistant.reading.formats import FORMATS
from assistant.ui import render, shelves
from assistant.ui.parts import Listener, fixed, html, message, state_of
from assistant.ui.syncing import add_syncing
from assistant.ui.visitors import Shelf, Visitor

__all__ = ["add_library_view"]

log = logging.getLogger("assistant.ui")

_EVERY = 0.15
"""Seconds between two looks at how far an upload is."""

_HEAD = """<header class="page-head"><h1>Library</h1><p>Add saved listing pages, JSON Lines, JSON,
CSV, TSV or Excel, BibTeX, RIS and PubMed files, also gzipped. A record that cannot be used is reported,
the rest goes in; adding a file again updates what changed.</p></header>"""
_MAP = """<section class="section"><h2>Map</h2><p>Papers that are near in meaning lie near each
other; those of your last answer are ringed. Double-click, pinch or use the buttons to zoom.</p>
<div class="map"><canvas role="img" aria-label="Map of the library; the list below holds the same
papers"></canvas><div class="zoom"><button type="button" data-zoom="in" aria-label="Nearer">+</button>
<button type="button" data-zoom="out" aria-label="Further">−</button><button type="button"
data-zoom="all" aria-label="The whole map">◦</button></div></div><ul class="legend"></ul></section>"""


def add_library_view(on: Listener, shelf: Shelf, state: gr.HTML, bridge: gr.HTML) -> None:
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
        sources = gr.Column(elem_id="sources-part")
        report = html("report")
        fixed(_MAP, "map")
        fixed('<section class="section"><h2>Papers</h2></section>', "papers-head")
        tools = html("tools")
        papers = html("papers")

    def view(here: Visitor, _: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        yield here.uploads.picture(), gr.skip(), gr.skip(), gr.skip()
        for shown in _shown(here):
            yield gr.skip(), *shown
        yield from _followed(here)

    def listed(here: Visitor, asked: dict[str, Any]) -> str:
        return _list(here, shelves.wanted(asked))

    def remove(here: Visitor, asked: dict[str, Any]) -> tuple[Any, ...]:
        if here.library == "sample":
            return gr.skip(), gr.skip(), message(toast="The sample library stays as it is.")
        try:
            gone = shelf.assistant("own").library.remove([str(asked.get("paper", ""))[:400]])
            told = f"Removed: {gone[0].label}"
        except AssistantError as error:
            told = str(here.failure(error))
        return _list(here, shelves.wanted(asked)), state_of(here), message(toast=told)

    def add(files: list[str] | None, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        here = shelf.visitor(request.request)
        here.uploads.add(files or [])
        yield here.uploads.picture(), gr.skip(), gr.skip(), gr.skip(), None, gr.skip()
        for picture, tool, table, told in _followed(here, new=True):
            yield picture, tool, table, told, gr.skip(), state_of(here)

    def cancel(here: Visitor, asked: dict[str, Any]) -> str:
        here.uploads.cancel(str(asked.get("upload", "")))
        return here.uploads.picture()

    with sources:
        add_syncing(on, _followed, [report, tools, papers, bridge], state)
    on("view", view, [report, tools, papers, bridge], concurrency_limit=16)
    on("list", listed, [papers], trigger_mode="always_last")
    on("remove", remove, [papers, state, bridge])
    on("cancel", cancel, [report], concurrency_limit=None)
    upload.upload(
        add,
        [upload],
        [report, tools, papers, bridge, upload, state],
        show_progress="hidden",
        trigger_mode="multiple",  # a second upload waits for its turn, and is not dropped
        api_visibility="private",
        concurrency_limit=16,
    )


def _followed(here: Visitor, *, new: bool = False) -> Iterator[tuple[Any, ...]]:
    """Pictures of the uploads until they are done, then the list and the map that came of it.

    Args:
        new: one has just begun, and may be done already.
    """
    if not (new or here.uploads.busy):
        return
    seen = here.uploads.finished
    while here.uploads.busy:
        yield here.uploads.picture(), gr.skip(), gr.skip(), gr.skip()
        time.sleep(_EVERY)
        if here.uploads.finished != seen:  # one is in: what it brought is seen at once
            seen = here.uploads.finished
            yield (
                here.uploads.picture(),
                shelves.tools(None),
                _list(here, shelves.Wanted()),
                gr.skip(),
            )
    yield here.uploads.picture(), gr.skip(), gr.skip(), message(state=True)
    for tool, table, told in _shown(here):
        yield here.uploads.picture(), tool, table, told


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
    try:
        library = here.shelf.assistant(here.library).library
        empty = not len(library)
    except AssistantError as error:
        yield "", render.empty(here.failure(error).what), message(map=_EMPTY_MAP)
        return
    if empty:
        yield "", render.empty("There is no paper here yet."), message(map=_EMPTY_MAP)
        return
    maps = here.shelf.maps
    themes = maps.made(library)
    if themes is None:
        yield shelves.tools(None), _table(here, None), gr.skip()
        try:
            themes = maps.map(library)
        except Exception:
            log.exception("the map could not be made")
            yield gr.skip(), gr.skip(), message(toast="The map could not be made.")
            return
    told = message(map={"map": themes.model_dump(), "library": here.library})
    yield shelves.tools(themes), _table(here, themes), told


_EMPTY_MAP = {
    "map": LibraryMap(ids=[], titles=[], x=[], y=[], theme=[], themes=[]).model_dump(),
    "library": "own",
}


def _table(here: Visitor, themes: LibraryMap | None) -> str:
    return shelves.listing(
        here.shelf.rows.of(here.shelf.assistant(here.library).library),
        themes,
        shelves.Wanted(),
        writable=here.library == "own",
        marks=here.shelf.store.marks(here.owner),
    )


def _list(here: Visitor, want: shelves.Wanted) -> str:
    try:
        library = here.shelf.assistant(here.library).library
        return shelves.listing(
            here.shelf.rows.of(library),
            here.shelf.maps.made(library),
            want,
            writable=here.library == "own",
            marks=here.shelf.store.marks(here.owner),
        )
    except AssistantError as error:
        return render.empty(here.failure(error).what)
