"""Which papers are asked, as the doors take it: year, venue, author, source, tag."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from assistant.filters import Filters, chosen_years

__all__ = ["Chosen", "chosen"]

YEAR = "2022, 2021..2024, 2021.. or ..2024; several with commas"
Words = Annotated[list[str], Field(max_length=50)]


class Chosen(BaseModel):
    """Papers must fit every field that is given; within one field, any of its values."""

    model_config = ConfigDict(extra="forbid")

    year: str | None = Field(None, max_length=200, description=YEAR)
    venue: Words = Field(default_factory=list, description="parts of the venue's name")
    author: Words = Field(default_factory=list, description="parts of an author's name")
    source: Words = Field(default_factory=list, description="parts of the source's name")
    tag: Words = Field(default_factory=list, description="parts of a tag")

    def filters(self) -> Filters | None:
        """As `Assistant` takes them; None where nothing is chosen.

        Raises:
            QuestionError: the year is none.
        """
        found = Filters(
            **(chosen_years(self.year) if self.year else {}),
            venue=tuple(self.venue),
            author=tuple(self.author),
            source=tuple(self.source),
            tag=tuple(self.tag),
        )
        return found or None


def chosen(
    year: Annotated[str | None, Query(max_length=200, description=YEAR)] = None,
    venue: Annotated[list[str] | None, Query(max_length=50)] = None,
    author: Annotated[list[str] | None, Query(max_length=50)] = None,
    source: Annotated[list[str] | None, Query(max_length=50)] = None,
    tag: Annotated[list[str] | None, Query(max_length=50)] = None,
) -> Filters | None:
    """The filters of a query string; a name may be repeated, and any of its values fits."""
    made = Chosen(
        year=year, venue=venue or [], author=author or [], source=source or [], tag=tag or []
    )
    return made.filters()
