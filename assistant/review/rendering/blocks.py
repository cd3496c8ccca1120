"""A review as a row of blocks: what Markdown, LaTeX and Word all write, each in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.review.model import COLUMNS, Review, ReviewSentence

__all__ = ["HEADS", "NUMBER_HEADS", "SECTIONS", "Block", "Pieces", "blocks"]

HEADS = ("What it does", "What it reports", "Sample or data", "Where it starts", "Left open")
"""Of `COLUMNS`."""
NUMBER_HEADS = ("What is measured", "Value", "Data", "Against", "In the paper’s words")
SECTIONS = {
    "contributions": "Contributions",
    "numbers": "Reported numbers",
    "disagreements": "Where the papers point different ways",
    "open": "Left open by the papers",
    "answers": "What papers say to the question",
    "related": "Related papers of the library, not written about",
}
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
    if review.table:
        rows: list[list[Pieces]] = [
            [
                _plain(row.theme),
                [(f"{row.title} ", row.number)],
                *(_plain(f"“{c.text}”" if (c := getattr(row, name)) else "") for name in COLUMNS),
            ]
            for row in review.table
        ]
        yield Block(SECTIONS["contributions"], heads=("Theme", "Paper", *HEADS), rows=rows)
    if review.numbers:
        rows = [
            [
                *map(_plain, (n.what, n.value, n.data, n.against)),
                [(f"“{n.cell.quote}” ", n.cell.citation)],
            ]
            for n in review.numbers
        ]
        yield Block(SECTIONS["numbers"], heads=NUMBER_HEADS, rows=rows)
    if review.overview:
        yield Block("Overview", _lines(review.overview))
    for theme in review.themes:
        heading = theme.name
        for paragraph in theme.paragraphs:
            listed = paragraph.kind == "approach" and review.mode == "extractive"
            yield Block(heading, _lines(paragraph.sentences), listed)
            heading = ""
    for name in ("disagreements", "open"):
        said = review.disagreements if name == "disagreements" else review.open_questions
        if said:
            yield Block(SECTIONS[name], _lines(said), listed=True)


def _plain(text: str) -> Pieces:
    return [(text, None)]


def _lines(sentences: Sequence[ReviewSentence]) -> list[Pieces]:
    return [
        [*sentence.pieces(), (_FLAGS.get(sentence.support, ""), None)] for sentence in sentences
    ]
