"""Filters: which papers are asked, by what is known of them besides their text."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from assistant.errors import QuestionError
from assistant.paper import Paper

__all__ = ["Filters", "chosen_years", "year_range"]

_OLDEST, _NEWEST = 1500, 2100
"""Years at which an open range ends where several are given."""
_YEARS = re.compile(r"\s*(\d{4})?\s*(\.\.|-|–)?\s*(\d{4})?\s*")


def year_range(text: str) -> tuple[int | None, int | None]:
    """``"2021..2024"``, ``"2021.."``, ``"..2024"`` or ``"2022"`` as (first, last), inclusive.

    Raises:
        QuestionError: it is none of these.
    """
    found = _YEARS.fullmatch(text)
    if found is None or not (found[1] or found[3]):
        raise QuestionError(
            f"{text!r} is no year and no range of years.",
            "Give 2022, 2021..2024, 2021.. or ..2024.",
        )
    if found[2] is None:
        year = int(found[1])
        return year, year
    return (int(found[1]) if found[1] else None, int(found[3]) if found[3] else None)


def chosen_years(text: str) -> dict[str, Any]:
    """``"2019, 2021..2023"`` as fields of `Filters`; each part as `year_range` takes it.

    Raises:
        QuestionError: a part is no year and no range of years.
    """
    ranges = [year_range(part) for part in text.split(",")]
    if len(ranges) == 1:
        return dict(zip(("first_year", "last_year"), ranges[0], strict=True))
    years = {y for first, last in ranges for y in range(first or _OLDEST, (last or _NEWEST) + 1)}
    return {"years": tuple(sorted(years))}


class Filters(BaseModel):
    """Papers must fit every field that is given; within one field, any of its values.

    ``venue``, ``author``, ``source`` and ``tag`` are compared without regard to case, as parts:
    ``author=["brandt"]`` fits "Lena Brandt". ``ids`` names papers one by one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_year: int | None = None
    last_year: int | None = None
    years: tuple[int, ...] = Field((), description="only of these, one by one")
    venue: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    ids: tuple[str, ...] = Field((), description="only these papers, by id")

    def __bool__(self) -> bool:
        return self != Filters()

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Column of the records → parts of which one must be held; only those that are given."""
        given = {
            "venue": self.venue,
            "authors": self.author,
            "source": self.source,
            "tags": self.tag,
        }
        return {column: wanted for column, wanted in given.items() if wanted}

    @property
    def by_year(self) -> bool:
        """Whether the year counts."""
        return bool(self.years) or (self.first_year, self.last_year) != (None, None)

    def holds(self, year: int | None) -> bool:
        """Whether papers of ``year`` pass, as far as the year counts."""
        if self.first_year is not None and (year is None or year < self.first_year):
            return False
        if self.last_year is not None and (year is None or year > self.last_year):
            return False
        return not self.years or year in self.years

    def fits(self, paper: Paper) -> bool:
        """Whether ``paper`` passes."""
        if not self.holds(paper.year):
            return False
        if self.ids and paper.id not in self.ids:
            return False
        return all(
            _any_part(wanted, getattr(paper, column)) for column, wanted in self.columns.items()
        )

    def __str__(self) -> str:
        parts = []
        if self.first_year is not None or self.last_year is not None:
            parts.append(_years(self.first_year, self.last_year))
        parts += [f"of {' or '.join(_runs(self.years))}"] if self.years else []
        parts += [f"by {' or '.join(self.author)}"] if self.author else []
        parts += [f"venue {' or '.join(self.venue)}"] if self.venue else []
        parts += [f"source {' or '.join(self.source)}"] if self.source else []
        parts += [f"tag {' or '.join(self.tag)}"] if self.tag else []
        parts += [f"{len(self.ids)} chosen papers"] if self.ids else []
        return ", ".join(parts)


def _years(first: int | None, last: int | None) -> str:
    if first == last:
        return f"of {first}"
    if last is None:
        return f"since {first}"
    return f"up to {last}" if first is None else f"of {first} to {last}"


def _runs(years: tuple[int, ...]) -> list[str]:
    """Years that follow each other as one."""
    runs = [
        [year for _, year in run]
        for _, run in groupby(enumerate(sorted(years)), lambda pair: pair[1] - pair[0])
    ]
    return [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]


def _any_part(wanted: tuple[str, ...], held: str | tuple[str, ...] | None) -> bool:
    values = (held or "",) if isinstance(held, str | None) else held
    return any(w.casefold() in v.casefold() for w in wanted for v in values)
