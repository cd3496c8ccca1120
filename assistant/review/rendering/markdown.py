"""A review as Markdown that reads well as plain text, too: with numbers, or with citation keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assistant.escaping import markdown as escaped
from assistant.paper import Paper
from assistant.review.model import COLUMNS, NumberRow, Review, ReviewSentence, TableRow

__all__ = ["HEADS", "citation_line", "keyed", "markdown", "verdict_line"]

HEADS = ("What it does", "What it reports", "Sample or data", "Where it starts", "Left open")
NUMBER_HEADS = ("What is measured", "Value", "Data", "Against", "In the paper’s words")
_FLAGS = {"partial": " ⚠ (partial)", "unsupported": " ✗ (unsupported)"}
Mark = Callable[[int], str]


def markdown(review: Review, mark: Mark = "[{}]".format) -> str:
    """The whole document; ``mark`` writes a citation, as its number if not given."""
    parts = _Parts(mark)
    lines = [f"# {escaped(review.title)}", "", "## Scope", "", *parts.running(review.scope)]
    if review.status == "absent":
        return "\n".join([*lines, *_notes(review)]).rstrip() + "\n"
    lines += ["## Contributions", "", *parts.table(review.table)]
    if review.numbers:
        lines += ["## Reported numbers", "", *parts.numbers(review.numbers)]
    if review.overview:
        lines += ["## Overview", "", *parts.running(review.overview)]
    for theme in review.themes:
        lines += [f"## {escaped(theme.name)}", ""]
        for paragraph in theme.paragraphs:
            listed = paragraph.kind == "approach" and review.mode == "extractive"
            lines += (parts.listed if listed else parts.running)(paragraph.sentences)
    for heading, sentences in (
        ("Where the papers point different ways", review.disagreements),
        ("Left open by the papers", review.open_questions),
    ):
        if sentences:
            lines += [f"## {heading}", "", *parts.listed(sentences)]
    lines += ["## References", ""]
    for r in review.references:
        new = " (new)" if r.new else ""
        lines.append(f"{r.number}. {escaped(citation_line(r.paper))}{new}")
    if review.related:
        lines += ["", "## Related papers of the library, not written about", ""]
        lines += [f"- {escaped(left.title)}" for left in review.related]
    lines += ["", "---", "", verdict_line(review), *_notes(review)]
    return "\n".join(lines).rstrip() + "\n"


def keyed(review: Review) -> str:
    """The whole document for Pandoc: citations are ``[@key]``, references come from its .bib."""
    keys = {r.number: r.key for r in review.references}

    def mark(number: int) -> str:
        return f"[@{keys[number]}]" if keys.get(number) else f"[{number}]"

    body, _, rest = markdown(review, mark).partition("## References\n")
    _, _, tail = rest.partition("\n---\n")
    return f"{body}## References\n\n::: {{#refs}}\n:::\n\n---\n{tail}"


def citation_line(paper: Paper) -> str:
    """Authors, year, title, venue, and where to read it."""
    authors = paper.authors[:3]
    who = ", ".join(authors) + (" et al." if len(paper.authors) > 3 else "")
    year = f" ({paper.year})" if paper.year else ""
    parts = [who + year, paper.label] if who else [paper.label + year]
    parts += [paper.venue or "", paper.link or ""]
    return ". ".join(part.rstrip(".") for part in parts if part) + "."


def verdict_line(review: Review) -> str:
    """How many sentences are supported, partial, unsupported."""
    v = review.verdicts
    checked = v.supported + v.partial + v.unsupported
    return (
        f"Of {checked} sentences about the papers, {v.supported} are supported by the abstracts "
        f"that they cite, {v.partial} in part, {v.unsupported} are not; {v.own} more tell about "
        "this review."
    )


class _Parts:
    """The parts of the document, with one way of writing citations."""

    def __init__(self, mark: Mark) -> None:
        self._mark = mark

    def running(self, sentences: Sequence[ReviewSentence]) -> list[str]:
        """As a paragraph."""
        return [" ".join(map(self._said, sentences)), ""]

    def listed(self, sentences: Sequence[ReviewSentence]) -> list[str]:
        """As a list."""
        return [*(f"- {self._said(sentence)}" for sentence in sentences), ""]

    def table(self, rows: Sequence[TableRow]) -> list[str]:
        """What each paper contributes."""
        lines = _heads("Theme", "Paper", *HEADS)
        for row in rows:
            cells = [escaped(row.theme), f"{escaped(row.title)} {self._mark(row.number)}"]
            for column in COLUMNS:
                cell = getattr(row, column)
                cells.append(f"“{escaped(cell.text)}”" if cell else "")
            lines.append("| " + " | ".join(cells) + " |")
        return [*lines, ""]

    def numbers(self, rows: Sequence[NumberRow]) -> list[str]:
        """What is reported in numbers."""
        lines = _heads(*NUMBER_HEADS)
        for row in rows:
            cells = map(escaped, (row.what, row.value, row.data, row.against))
            words = f"“{escaped(row.cell.quote)}” {self._mark(row.cell.citation)}"
            lines.append("| " + " | ".join([*cells, words]) + " |")
        return [*lines, ""]

    def _said(self, sentence: ReviewSentence) -> str:
        text = "".join(
            _inline(piece) + (self._mark(number) if number else "")
            for piece, number in sentence.pieces()
        )
        return text + _FLAGS.get(sentence.support, "")


def _inline(text: str) -> str:
    """A piece inside a line: the spaces at its ends stay."""
    left, right = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{left}{escaped(text)}{right if text.strip() else ''}"


def _heads(*heads: str) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]


def _notes(review: Review) -> list[str]:
    return [line for note in review.notes for line in ("", escaped(note))]
