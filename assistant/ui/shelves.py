"""The library as a list: which papers, in which order, on which page, as HTML."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from html import escape

from assistant.index import SearchIndex
from assistant.librarymap import LibraryMap

__all__ = ["Wanted", "listing", "tools", "wanted"]

PAGE = 40
_SORTS = ("added", "title", "year", "theme")


@dataclass(frozen=True, slots=True)
class _Row:
    place: int
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


_rows: weakref.WeakKeyDictionary[SearchIndex, list[_Row]] = weakref.WeakKeyDictionary()


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


def listing(index: SearchIndex, themes: LibraryMap | None, want: Wanted, *, writable: bool) -> str:
    """The table of the papers that fit, one page of it, with its tools."""
    found = _found(index, themes, want)
    pages = max(1, -(-len(found) // PAGE))
    page = min(want.page, pages - 1)
    shown = found[page * PAGE : (page + 1) * PAGE]
    body = "".join(_row(row, themes, writable=writable) for row in shown)
    if not shown:
        body = '<tr><td colspan="4">No paper holds all of these words.</td></tr>'
    theme_head = _head("theme", "Theme", want) if themes else '<th class="theme"></th>'
    count = (
        f"{len(found):,} of {len(index):,} papers"
        if len(found) < len(index)
        else (f"{len(found):,} papers" if len(found) != 1 else "One paper")
    )
    return (
        f'<table class="papers" data-sort="{want.sort}"><thead><tr>{_head("title", "Title", want)}'
        f'{theme_head}{_head("year", "Year", want)}<th class="tools"></th></tr></thead>'
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


def _found(index: SearchIndex, themes: LibraryMap | None, want: Wanted) -> list[_Row]:
    rows = _rows.get(index)
    if rows is None:
        rows = _rows[index] = [
            _Row(
                place=place,
                id=paper.id,
                title=paper.label,
                year=paper.year,
                by=", ".join(paper.authors[:3]) + (" and others" if len(paper.authors) > 3 else ""),
                words=" ".join(
                    str(part)
                    for part in (
                        paper.title,
                        paper.abstract,
                        *paper.authors,
                        paper.venue,
                        paper.year,
                    )
                    if part
                ).casefold(),
            )
            for place, paper in enumerate(index.papers())
        ]
    words = want.words.casefold().split()
    found = [row for row in rows if all(word in row.words for word in words)]
    if themes and want.theme is not None:
        found = [row for row in found if themes.theme[row.place] == want.theme]
    kind = want.sort.rstrip("-")
    if kind == "title":
        found.sort(key=lambda row: row.title.casefold())
    elif kind == "year":
        found.sort(key=lambda row: -(row.year or 0))
    elif kind == "theme" and themes:
        found.sort(key=lambda row: themes.theme[row.place])
    else:
        found.reverse()  # the newest first
    if want.sort.endswith("-"):
        found.reverse()
    return found


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


def _row(row: _Row, themes: LibraryMap | None, *, writable: bool) -> str:
    theme = ""
    if themes:
        n = themes.theme[row.place]
        hue = (168 + n * 137.5) % 360
        theme = (
            f'<i class="swatch" style="background:hsl({hue:.1f} 46% 50%)"></i>'
            f"{escape(themes.themes[n])}"
        )
    by = f'<div class="quiet">{escape(row.by)}</div>' if row.by else ""
    remove = ""
    if writable:
        remove = (
            f'<button type="button" class="button small danger" data-act="remove" '
            f'data-paper="{escape(row.id)}" data-title="{escape(row.title)}" '
            f'aria-label="Remove {escape(row.title)}">Remove</button>'
        )
    return (
        f'<tr><td><button type="button" class="link" data-act="source" data-paper="{escape(row.id)}" '
        f'data-library="{"own" if writable else "sample"}">{escape(row.title)}</button>{by}</td>'
        f'<td class="theme">{theme}</td><td class="year">{row.year or ""}</td>'
        f'<td class="tools">{remove}</td></tr>'
    )
