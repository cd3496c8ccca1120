"""The library as a list: which papers, in which order, on which page, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from assistant.conversations import Mark
from assistant.library import Library
from assistant.librarymap import LibraryMap
from assistant.paper import Paper
from assistant.ui.icons import icon
from assistant.ui.markdown import paper_html

__all__ = ["Rows", "Wanted", "listing", "tools", "wanted"]

PAGE = 40
_SORTS = ("added", "title", "year", "theme")


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    title: str
    year: int | None
    by: str
    words: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show of the list. ``sort`` ends with "-" where it goes backwards."""

    words: str = ""
    theme: int | None = None
    sort: str = "added"
    page: int = 0


def wanted(sent: dict[str, object]) -> Wanted:
    """What a browser asked for, made harmless."""
    sort = str(sent.get("sort") or "added")
    theme, page = str(sent.get("theme") or ""), str(sent.get("page") or "0")
    return Wanted(
        words=str(sent.get("words") or "")[:300],
        theme=int(theme) if theme.isascii() and theme.isdigit() and len(theme) < 4 else None,
        sort=sort if sort.rstrip("-") in _SORTS else "added",
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 0,
    )


class Rows:
    """The rows of all papers, made once for each state of a library."""

    def __init__(self) -> None:
        self._made: dict[Path, tuple[str, list[_Row]]] = {}

    def of(self, library: Library) -> list[_Row]:
        """The rows, in the order in which the papers came.

        Raises:
            LibraryNotFound: there is none.
        """
        version, rows = self._made.get(library.path, ("", []))
        if version != library.version:
            version = library.version
            rows = [_row_of(paper) for paper in library.papers()]
            self._made[library.path] = (version, rows)
        return rows


def listing(
    rows: Sequence[_Row],
    themes: LibraryMap | None,
    want: Wanted,
    *,
    writable: bool,
    marks: Mapping[str, Mark] | None = None,
) -> str:
    """The table of the papers that fit, one page of it, with its tools.

    ``marks``: what the visitor thinks of papers; their tags and notes are found by words, too.
    """
    marks = marks or {}
    theme_of = dict(zip(themes.ids, themes.theme, strict=True)) if themes else {}
    found = _found(rows, theme_of, want, marks)
    pages = max(1, -(-len(found) // PAGE))
    page = min(want.page, pages - 1)
    shown = found[page * PAGE : (page + 1) * PAGE]
    body = "".join(
        _row(row, themes, theme_of.get(row.id), marks.get(row.id), writable=writable)
        for row in shown
    )
    if not shown:
        body = '<tr><td colspan="4">No paper holds all of these words.</td></tr>'
    theme_head = (
        _head("theme", "Theme", want)
        if themes
        else '<th class="theme"><span class="visually-hidden">Theme</span></th>'
    )
    count = (
        f"{len(found):,} of {len(rows):,} papers"
        if len(found) < len(rows)
        else (f"{len(found):,} papers" if len(found) != 1 else "One paper")
    )
    return (
        f'<table class="papers" data-sort="{want.sort}"><thead><tr>{_head("title", "Title", want)}'
        f'{theme_head}{_head("year", "Year", want)}<th class="tools"><span class="visually-hidden">Remove</span></th></tr></thead>'
        f"<tbody>{body}</tbody></table>"
        f'<div class="pager"><div role="status">{count}</div><span>{_turn("Earlier", page - 1, want, page > 0)}'
        f"{_turn('Further', page + 1, want, page + 1 < pages)}</span></div>"
    )


def tools(themes: LibraryMap | None) -> str:
    """The search box and the filter by theme."""
    options = "".join(
        f'<option value="{n}">{escape(name)}</option>'
        for n, name in enumerate(themes.themes if themes else [])
    )
    return (
        '<div class="table-tools"><input type="search" id="paper-words" aria-label="Find papers" '
        'placeholder="Find by words, author, year…"><select id="paper-theme" aria-label="Theme">'
        f'<option value="">All themes</option>{options}</select></div>'
    )


def _found(
    rows: Sequence[_Row], theme_of: Mapping[str, int], want: Wanted, marks: Mapping[str, Mark]
) -> list[_Row]:
    words = want.words.casefold().split()
    found = [row for row in rows if _holds(row, words, marks.get(row.id))]
    if theme_of and want.theme is not None:
        found = [row for row in found if theme_of.get(row.id) == want.theme]
    kind = want.sort.rstrip("-")
    if kind == "title":
        found.sort(key=lambda row: row.title.casefold())
    elif kind == "year":
        found.sort(key=lambda row: -(row.year or 0))
    elif kind == "theme" and theme_of:
        found.sort(key=lambda row: theme_of.get(row.id, -1))
    else:
        found.reverse()  # the newest first
    if want.sort.endswith("-"):
        found.reverse()
    return found


def _holds(row: _Row, words: Sequence[str], mark: Mark | None) -> bool:
    held = row.words
    if mark is not None:
        own = [*mark.tags, mark.note, "liked" if mark.liked else ""]
        held = " ".join([held, *own]).casefold()
    return all(word in held for word in words)


def _row_of(paper: Paper) -> _Row:
    told = (paper.title, paper.abstract, *paper.authors, paper.venue, paper.year, *paper.tags)
    return _Row(
        id=paper.id,
        title=paper.label,
        year=paper.year,
        by=", ".join(paper.authors[:3]) + (" and others" if len(paper.authors) > 3 else ""),
        words=" ".join(str(part) for part in told if part).casefold(),
    )


def _head(kind: str, label: str, want: Wanted) -> str:
    now = want.sort.rstrip("-") == kind
    back = now and not want.sort.endswith("-")
    order = f' aria-sort="{"ascending" if back else "descending"}"' if now else ""
    sign = (" ↓" if back else " ↑") if now else ""
    sort = f"{kind}-" if back else kind
    return (
        f'<th class="{kind}" scope="col"{order}><button type="button" data-act="list" '
        f'data-sort="{sort}" data-words="{escape(want.words)}" '
        f'data-theme="{"" if want.theme is None else want.theme}">{label}{sign}</button></th>'
    )


def _turn(label: str, page: int, want: Wanted, there: bool) -> str:
    disabled = "" if there else " disabled"
    return (
        f'<button type="button" class="button small" data-act="list" data-page="{max(page, 0)}" '
        f'data-sort="{want.sort}" data-words="{escape(want.words)}" '
        f'data-theme="{"" if want.theme is None else want.theme}"{disabled}>{label}</button>'
    )


def _row(
    row: _Row, themes: LibraryMap | None, n: int | None, mark: Mark | None, *, writable: bool
) -> str:
    theme = ""
    if themes and n is not None:
        hue = (168 + n * 137.5) % 360
        theme = (
            f'<i class="swatch" style="background:hsl({hue:.1f} 46% 50%)"></i>'
            f"{escape(themes.themes[n])}"
        )
    by = f'<div class="quiet">{escape(row.by)}</div>' if row.by else ""
    remove = ""
    if writable:
        remove = (
            f'<button type="button" class="icon danger" data-act="remove" title="Remove" '
            f'data-paper="{escape(row.id)}" data-title="{escape(row.title)}" '
            f'aria-label="Remove {escape(row.title)}">{icon("bin")}</button>'
        )
    return (
        f'<tr><td><button type="button" class="link" data-act="source" data-paper="{escape(row.id)}" '
        f'data-library="{"own" if writable else "sample"}">{paper_html(row.title)}</button>{by}'
        f"{_own_marks(mark)}</td>"
        f'<td class="theme">{theme}</td><td class="year">{row.year or ""}</td>'
        f'<td class="tools">{remove}</td></tr>'
    )


def _own_marks(mark: Mark | None) -> str:
    if mark is None:
        return ""
    parts = ['<span class="tag">♥</span>'] if mark.liked else []
    parts += [f'<span class="tag">{escape(tag)}</span>' for tag in mark.tags]
    parts += ['<span class="tag">note</span>'] if mark.note else []
    return f'<div class="tags">{"".join(parts)}</div>' if parts else ""
