"""A review as a row of blocks: what Markdown, LaTeX and Word all write, each in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.review.model import Cell, LeftOut, Review, ReviewSentence, TableRow, Theme

__all__ = [
    "HEADS",
    "LEGEND",
    "MARKS",
    "NUMBER_HEADS",
    "SECTIONS",
    "Block",
    "Pieces",
    "beside",
    "blocks",
    "legend",
    "listed",
    "sections",
    "table_of",
]

HEADS = {"method": "What it does", "result": "What it reports", "scale": "Sample or data"}
"""Of the table's columns that are shown."""
NUMBER_HEADS = ("What is measured", "Value", "Data", "Against", "In the paper’s words")
SECTIONS = {
    "contributions": "Contributions",
    "numbers": "Reported numbers",
    "across": "Across the papers",
    "disagreements": "Where the papers point different ways",
    "open": "Left open by the papers",
    "answers": "What papers say to the question",
    "beyond": "By estimate about the topic, beyond the papers asked for",
    "related": "Related papers of the library, not written about",
}
MARKS = {"likely": " (?)", "sure": ""}
LEGEND = "(?) marks what is likely, not sure, to be what its column asks for."
_LEAST = 0.1
"""Share of the papers that fill a column, from which on it is shown."""
_FLAGS = {"partial": " ⚠ (partial)", "unsupported": " ✗ (unsupported)"}

Pieces = list[tuple[str, int | None]]
"""Text in pieces, each with the number that is cited behind it."""


@dataclass(frozen=True)
class Block:
    """``heading`` above it, if any; then a paragraph or list of ``lines``, or a table."""

    heading: str = ""
    lines: Sequence[Pieces] = ()
    listed: bool = False
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[Pieces]] = ()


def blocks(review: Review) -> Iterator[Block]:
    """The document from its scope to what is left open, without references."""
    yield Block("Scope", _lines(review.scope))
    if review.answers:
        yield Block(SECTIONS["answers"], _lines(review.answers), listed=True)
    if review.overview:
        yield Block("Overview", _lines(review.overview))
    columns, filled = table_of(review)
    themed = len(review.themes) > 1
    if filled:
        rows: list[list[Pieces]] = [
            [
                *([_plain(row.theme)] if themed else []),
                [(f"{row.title} ", row.number)],
                *(_cell(getattr(row, name)) for name in columns),
            ]
            for row in filled
        ]
        heads = (*(["Theme"] if themed else []), "Paper", *columns.values())
        yield Block(SECTIONS["contributions"], heads=heads, rows=rows)
        if told := legend(review):
            yield Block(lines=[_plain(told)])
    if review.numbers:
        rows = [
            [
                *map(_plain, (n.what, n.value, n.data, n.against)),
                [(f"“{n.cell.quote}” ", n.cell.citation)],
            ]
            for n in review.numbers
        ]
        yield Block(SECTIONS["numbers"], heads=NUMBER_HEADS, rows=rows)
    for theme in sections(review):
        heading = theme.name
        for paragraph in theme.paragraphs:
            yield Block(heading, _lines(paragraph.sentences))
            heading = ""
    for name, said in listed(review).items():
        yield Block(SECTIONS[name], _lines(said), listed=True)


def table_of(review: Review) -> tuple[dict[str, str], list[TableRow]]:
    """The columns that some papers fill, with their heads, and the rows that are shown.

    Where a model writes, what a paper says stands in its section, too, and a row without a cell
    is left out.

    What is left open has a section of its own, and no column.
    """
    columns = {
        name: head for name, head in HEADS.items()
        if sum(getattr(row, name) is not None for row in review.table) > _LEAST * len(review.table)
    }  # fmt: skip
    whole = review.mode == "extractive" and columns
    return columns, [r for r in review.table if whole or any(getattr(r, name) for name in columns)]


def legend(review: Review) -> str:
    """What the mark behind a cell means; empty where no cell of the table has it."""
    columns, filled = table_of(review)
    cells = (getattr(row, name) for row in filled for name in columns)
    return LEGEND if any(cell and MARKS[cell.certainty] for cell in cells) else ""


def listed(review: Review) -> dict[str, list[ReviewSentence]]:
    """The sections that are lists, after the themes."""
    said = {
        "across": review.across,
        "disagreements": review.disagreements,
        "open": review.open_questions,
    }
    return {name: sentences for name, sentences in said.items() if sentences}


def beside(review: Review) -> dict[str, list[LeftOut]]:
    """The lists of papers that the review names and is not written about, after its references."""
    lists = {"beyond": review.beyond, "related": review.related}
    return {name: papers for name, papers in lists.items() if papers}


def sections(review: Review) -> list[Theme]:
    """The themes that have a section: what papers say one by one stands in the table."""
    return review.themes if review.mode == "generative" else []


def _cell(cell: Cell | None) -> Pieces:
    return _plain(f"“{cell.text}”{MARKS[cell.certainty]}" if cell else "")


def _plain(text: str) -> Pieces:
    return [(text, None)]


def _lines(sentences: Sequence[ReviewSentence]) -> list[Pieces]:
    return [
        [*sentence.pieces(), (_FLAGS.get(sentence.support, ""), None)] for sentence in sentences
    ]
