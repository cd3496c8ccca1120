"""Daily papers of Hugging Face, day by day (https://huggingface.co/docs/hub/api).

The query is a date or a range of dates, ``2026-11-01..2026-11-07``; without an end it grows
with each sync.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.results import Rejection
from assistant.sources.base import Cursor, Page, Service, taken, today
from assistant.sources.http import Http, Malformed, NotFound

__all__ = ["SERVICE"]

_DAY = r"\d{4}-\d\d-\d\d"
_RANGE = re.compile(rf"({_DAY})(?:(\.\.)({_DAY})?)?")


def _pages(http: Http, query: str, mark: str | None, cursor: Cursor | None) -> Iterator[Page]:
    first, last = days(query)
    reached = cursor["day"] if cursor else mark
    begin = max(first, date.fromisoformat(reached)) if reached else first
    # the last day of a run is asked for again by the next: it may not have been over
    end = min(last, today())
    day = min(begin, end)
    while True:
        records = [_record(entry, f"hf-papers:{query}") for entry in _listed(http, day)]
        following = day + timedelta(days=1)
        ended = following > end
        yield Page(
            records,
            None if ended else {"day": following.isoformat()},
            min(day, end).isoformat(),
        )
        if ended:
            return
        day = following


def days(query: str) -> tuple[date, date]:
    """First and last day of ``query``, inclusive.

    Raises:
        SourceError: it is no range of dates.
    """
    found = _RANGE.fullmatch(query.strip())
    try:
        if found is None:
            raise ValueError
        first = date.fromisoformat(found[1])
        last = date.fromisoformat(found[3]) if found[3] else date.max if found[2] else first
    except ValueError:
        raise SourceError(
            f"{query!r} is no date and no range of dates.",
            "Give hf-papers:2026-11-01, hf-papers:2026-11-01..2026-11-07 or hf-papers:2026-11-01..",
        ) from None
    if first > min(last, today()):
        raise SourceError(
            f"{query!r} begins after {'its end' if first > last else 'today'}.",
            "Give the earlier date first.",
        )
    return first, last


def _listed(http: Http, day: date) -> list[object]:
    def read() -> list[object]:
        asked = {"date": day.isoformat(), "limit": 100}
        value = http.get("/api/daily_papers", asked).json()
        if not isinstance(value, list):
            raise Malformed("it is no list of papers")
        return value

    try:
        return http.tried(read)
    except NotFound:
        return []  # no papers on that day


def _record(entry: object, source: str) -> Paper | Rejection:
    paper = entry.get("paper", entry) if isinstance(entry, Mapping) else entry
    paper_id = str(paper.get("id") or "") if isinstance(paper, Mapping) else ""
    url = f"https://huggingface.co/papers/{paper_id}" if paper_id else None
    return taken(paper, source, paper_id or "a record without an id", url=url, arxivid=paper_id)


SERVICE = Service(
    "hf-papers",
    "Hugging Face",
    "https://huggingface.co",
    pages=_pages,
    interval=0.5,
    key_header="Authorization",
    key_prefix="Bearer ",
)
