"""A review as a row of blocks: what Markdown, LaTeX and Word all write, each in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.review.model import COLUMNS, Paragraph, Review, ReviewSentence, TableRow, Theme

__all__ = [
    "HEADS",
    "NUMBER_HEADS",
    "SECTIONS",
    "Block",
    "Pieces",
    "blocks",
    "paragraphs",
    "table_of",
]

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
    columns, filled = table_of(review)
    if filled:
        rows: list[list[Pieces]] = [
            [
                _plain(row.theme),
                [(f"{row.title} ", row.number)],
                *(_plain(f"“{c.text}”" if (c := getattr(row, name)) else "") for name in columns),
            ]
            for row in filled
        ]
        heads = ("Theme", "Paper", *columns.values())
        yield Block(SECTIONS["contributions"], heads=heads, rows=rows)
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
        for paragraph in paragraphs(review, theme):
            listed = paragraph.kind == "approach" and review.mode == "extractive"
            yield Block(heading, _lines(paragraph.sentences), listed)
            heading = ""
    for name in ("disagreements", "open"):
        said = review.disagreements if name == "disagreements" else review.open_questions
        if said:
            yield Block(SECTIONS[name], _lines(said), listed=True)


def table_of(review: Review) -> tuple[dict[str, str], list[TableRow]]:
    """The columns that some papers fill, with their heads, and the papers that fill any.

    What is left open has a section of its own, and no column.
    """
    columns = {
        name: head for name, head in zip(COLUMNS, HEADS, strict=True)
        if name != "limits"
        and sum(getattr(row, name) is not None for row in review.table) > _LEAST * len(review.table)
    }  # fmt: skip
    return columns, [r for r in review.table if any(getattr(r, name) for name in columns)]


def paragraphs(review: Review, theme: Theme) -> list[Paragraph]:
    """The section of a theme, without the sentences that stand in the table above it.

    A paper of which nothing else is said is named in one line.
    """
    if review.mode == "generative":
        return theme.paragraphs
    columns, rows = table_of(review)
    told = {c.text for row in rows for name in columns if (c := getattr(row, name))}
    made = []
    for paragraph in theme.paragraphs:
        lines, named = [], []
        for said in paragraph.sentences:
            name, _, _ = said.text.partition(": “")
            parts = said.quote.split(" … ")
            if paragraph.kind == "across" or not told.intersection(parts):
                lines.append(said)
            elif told.issuperset(parts):
                named.append((name, said))
            else:
                text = said.text
                for part in told.intersection(parts):
                    text = text.replace(f" “{part}”", "")
                lines.append(said.model_copy(update={"text": text}))
        if named:
            marked = (f"{name} [{said.citations[-1]}]" for name, said in named)
            quotes = [quote for _, said in named for quote in said.quotes]
            lines.append(
                named[0][1].model_copy(
                    update={
                        "text": f"In the table above: {', '.join(marked)}.",
                        "citations": [quote.number for quote in quotes],
                        "quotes": quotes,
                    }
                )
            )
        made.append(Paragraph(kind=paragraph.kind, sentences=lines))
    return made


def _plain(text: str) -> Pieces:
    return [(text, None)]


def _lines(sentences: Sequence[ReviewSentence]) -> list[Pieces]:
    return [
        [*sentence.pieces(), (_FLAGS.get(sentence.support, ""), None)] for sentence in sentences
    ]
