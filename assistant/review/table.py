"""A table over papers: any columns a person names, each cell in the abstract's own words.

Columns that can be read by form alone (`assistant.review.cells`) are: sample size, p-value, data
set, compared with, name, numbers, any "METRIC=value", and whole sentences for problem, method,
result, limits; year, authors, venue and doi come from the record. Any other column takes the
numbers that measure it, and is filled by a language model where one is given; what the model
copies is looked up in the abstract, and dropped if it does not stand there. Cells that a person
corrected stay corrected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, Field

from assistant.attribution import short_name
from assistant.errors import LibraryError, QuestionError
from assistant.files import read_sealed, write_sealed
from assistant.results import Usage
from assistant.review.cells import Material
from assistant.review.model import Cell
from assistant.text import terms

__all__ = [
    "Corrections",
    "Row",
    "Table",
    "checked_columns",
    "leaderboard",
    "reader_of",
    "tabulated",
]

_MOST_COLUMNS = 20
_MOST_CELLS = 4
"""Texts in one cell."""
Reader = Callable[[Material], list[Cell]]


class Row(BaseModel):
    """One paper; a column that its abstract does not fill is missing from ``cells``."""

    paper_id: str
    title: str
    key: str = ""
    cells: dict[str, list[Cell]] = Field(default_factory=dict)

    def text(self, column: str) -> str:
        """What stands in a column."""
        return "; ".join(cell.text for cell in self.cells.get(column, []))

    def number(self, column: str) -> float | None:
        """The first number of a column."""
        found = re.search(r"\d+(?:\.\d+)?", self.text(column).replace(",", ""))
        return float(found.group()) if found else None


class Table(BaseModel):
    """Rows in the order that was asked for; ``topic`` is None for the whole library."""

    topic: str | None = None
    columns: list[str]
    rows: list[Row] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    usage: Usage | None = None

    def sorted_by(self, column: str) -> Table:
        """By the first number of a column, the highest first; rows without one at the end.

        Raises:
            QuestionError: there is no such column.
        """
        if column not in self.columns:
            raise QuestionError(
                f"There is no column {column!r} to sort by.", f"Use {', '.join(self.columns)}."
            )
        known = {id(row): row.number(column) for row in self.rows}
        order = sorted(
            self.rows, key=lambda r: (known[id(r)] is None, -(known[id(r)] or 0.0), r.title)
        )
        return self.model_copy(update={"rows": order})

    def without_empty_columns(self) -> Table:
        """Without the columns that no row fills; as it is where none would be left."""
        filled = [name for name in self.columns if any(row.cells.get(name) for row in self.rows)]
        empty = [name for name in self.columns if name not in filled]
        if not filled or not empty:
            return self
        note = f"Left out, for no abstract surely gives it: {', '.join(empty)}."
        return self.model_copy(update={"columns": filled, "notes": [*self.notes, note]})


def checked_columns(columns: str | Sequence[str]) -> list[str]:
    """The columns that were named, each once.

    Raises:
        QuestionError: there is none, or there are too many.
    """
    listed = columns.split(",") if isinstance(columns, str) else list(columns)
    names = list(dict.fromkeys(" ".join(name.split()) for name in listed if name.strip()))
    if not names or len(names) > _MOST_COLUMNS:
        raise QuestionError(
            f"A table has 1 to {_MOST_COLUMNS} columns, and {len(names)} were named.",
            "Name some, such as method, result, sample size.",
        )
    return names


def _problem(material: Material) -> list[Cell]:
    return [material.problem] if material.problem else []


def _aim(material: Material) -> list[Cell]:
    return [material.aim] if material.aim else []


def _contribution(part: int) -> Reader:
    def read(material: Material) -> list[Cell]:
        cell = material.contribution[part]
        return [cell] if cell else []

    return read


def _record(field: str) -> Reader:
    def read(material: Material) -> list[Cell]:
        value = getattr(material.paper, field)
        text = "; ".join(value) if isinstance(value, tuple) else str(value or "")
        return [Cell(text=text, citation=material.number, quote="")] if text else []

    return read


def _limits(material: Material) -> list[Cell]:
    cell = material.left_open()
    return [cell] if cell else []


def _name(material: Material) -> list[Cell]:
    name = short_name(material.paper)
    place = next((n for n, s in enumerate(material.sentences) if name in s), None)
    return [] if name == material.paper.label or place is None else [material.cell(name, place)]


_READERS: tuple[tuple[str, Reader], ...] = (
    ("problem background motivation gap", _problem),
    ("aim objective purpose question hypothesis", _aim),
    ("method methods approach contribution", _contribution(0)),
    ("result results finding findings conclusion", _contribution(1)),
    ("limits limit limitations limitation", _limits),
    ("sample size|n|participants|sample", Material.sample_size),
    ("p|p-value|p value|significance", Material.p_values),
    ("data set|data sets|dataset|datasets|data|benchmark|benchmarks|corpus", Material.data),
    ("compared with|baseline|baselines|comparator|control|versus|comparison",
     Material.compared_with),
    ("numbers|values|metric=value|metrics|metric", Material.values),
    ("name|method name|system|model", _name),
    ("year", _record("year")), ("authors", _record("authors")), ("venue", _record("venue")),
    ("doi", _record("doi")),
)  # fmt: skip


def reader_of(column: str) -> tuple[Reader, bool]:
    """How a column is filled by form alone, and whether that is all that it asks for."""
    name = column.casefold()
    for names, reader in _READERS:
        if name in (names.split("|") if "|" in names else names.split()):
            return reader, True
    wanted = re.sub(r"\s*=\s*(?:value|number|\?)?$", "", column)
    return (lambda material: material.values(wanted)), "=" in column


def tabulated(
    materials: Sequence[Material],
    columns: Sequence[str],
    *,
    topic: str | None = None,
    keys: Mapping[str, str] | None = None,
    corrections: Corrections | None = None,
    free: Mapping[tuple[str, str], list[Cell]] | None = None,
) -> Table:
    """The table; ``free`` holds what a language model read, by paper id and column."""
    readers = {column: reader_of(column) for column in columns}
    table = Table(topic=topic, columns=list(columns))
    for n, material in enumerate(materials, 1):
        material.number = n
        paper = material.paper
        row = Row(paper_id=paper.id, title=paper.label, key=(keys or {}).get(paper.id, ""))
        for column, (reader, _) in readers.items():
            cells = (free or {}).get((paper.id, column)) or reader(material)
            if corrections and (text := corrections.of(paper.id, column)) is not None:
                cells = [Cell(text=text, citation=n, quote="", corrected=True)] if text else []
            if cells:
                unique = {cell.text: cell for cell in cells}
                row.cells[column] = list(unique.values())[:_MOST_CELLS]
        table.rows.append(row)
    if free is None and (open_ := [c for c, (_, sure) in readers.items() if not sure]):
        table.notes.append(
            f"Without a language model {', '.join(open_)} holds only numbers that measure it."
        )
    return table


def leaderboard(materials: Iterable[Material], metric: str) -> Table:
    """One row a number that measures ``metric``, the highest first."""
    columns = ["metric", "value", "data set", "compared with"]
    table = Table(topic=metric, columns=columns)
    wanted = set(terms(metric))
    for n, material in enumerate(materials, 1):
        material.number = n
        for one in material.measured:
            if not wanted <= set(terms(one.what)):
                continue
            sentence = material.sentences[one.place]
            cells = {
                "metric": [material.cell(one.named, one.place)],
                "value": [material.cell(one.value, one.place)],
                "data set": [c for c in material.data() if c.quote == sentence],
                "compared with": [c for c in material.compared_with() if c.quote == sentence],
            }
            kept = {name: held for name, held in cells.items() if held}
            paper = material.paper
            table.rows.append(Row(paper_id=paper.id, title=paper.label, cells=kept))
    return table.sorted_by("value")


class Corrections:
    """What people put in the place of cells; a JSON file beside the library.

    Raises:
        LibraryError: the file cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._held: dict[str, dict[str, str]] = (
                json.loads(read_sealed(file)) if file.exists() else {}
            )
            self._held.pop("seal", None)
        except (OSError, ValueError) as error:
            raise LibraryError(
                f"The corrections of tables in {file} cannot be read ({error}).",
                "Mend the file, or move it away.",
            ) from None

    def of(self, paper_id: str, column: str) -> str | None:
        """The correction of a cell; "" says that it is to be empty."""
        return self._held.get(paper_id, {}).get(column.casefold())

    def keep(self, paper_id: str, column: str, text: str) -> None:
        """Keeps ``text`` for a cell."""
        self._held.setdefault(paper_id, {})[column.casefold()] = " ".join(text.split())
        try:
            write_sealed(self._file, json.dumps(self._held, ensure_ascii=False, indent=1))
        except OSError as error:
            raise LibraryError(
                f"The correction cannot be kept in {self._file} ({error.strerror}).",
                "Make the folder writable.",
            ) from None
