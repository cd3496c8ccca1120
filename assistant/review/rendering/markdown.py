"""A review as Markdown that reads well as plain text, too: with numbers, or with citation keys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.escaping import markdown as escaped
from assistant.paper import Paper
from assistant.review.model import COLUMNS, NumberRow, Review, ReviewSentence, TableRow

__all__ = ["HEADS", "citation_line", "keyed", "markdown", "verdict_line"]

HEADS = ("Where it starts", "What it does", "What it reports", "Sample or data", "Left open")
NUMBER_HEADS = ("What is measured", "Value", "Data", "Against", "In the paper’s words")
_FLAGS = {"partial": " ⚠ (partial)", "unsupported": " ✗ (unsupported)"}
_MARK = re.compile(r"\[(\d{1,4})\]")


def markdown(review: Review) -> str:
    """The whole document; citations are numbers."""
    lines = [f"# {escaped(review.title)}", "", "## Scope", "", *_running(review.scope)]
    if review.status == "absent":
        return "\n".join([*lines, *_notes(review)]).rstrip() + "\n"
    lines += ["## Contributions", "", *_table(review.table)]
    if review.numbers:
        lines += ["## Reported numbers", "", *_numbers(review.numbers)]
    if review.overview:
        lines += ["## Overview", "", *_running(review.overview)]
    for theme in review.themes:
        lines += [f"## {escaped(theme.name)}", ""]
        for paragraph in theme.paragraphs:
            listed = paragraph.kind == "approach" and review.mode == "extractive"
            lines += (_list if listed else _running)(paragraph.sentences)
    for heading, sentences in (
        ("Where the papers point different ways", review.disagreements),
        ("Left open by the papers", review.open_questions),
    ):
        if sentences:
            lines += [f"## {heading}", "", *_list(sentences)]
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
    keys = {str(r.number): r.key for r in review.references}
    text = markdown(review)
    body, _, rest = text.partition("## References\n")
    body = _MARK.sub(lambda m: f"[@{keys[m[1]]}]" if keys.get(m[1]) else m[0], body)
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


def _said(sentence: ReviewSentence) -> str:
    return escaped(sentence.text, citations=True) + _FLAGS.get(sentence.support, "")


def _running(sentences: Sequence[ReviewSentence]) -> list[str]:
    return [" ".join(map(_said, sentences)), ""]


def _list(sentences: Sequence[ReviewSentence]) -> list[str]:
    return [*(f"- {_said(sentence)}" for sentence in sentences), ""]


def _table(rows: Sequence[TableRow]) -> list[str]:
    lines = _heads("Theme", "Paper", *HEADS)
    for row in rows:
        cells = [escaped(row.theme), f"{escaped(row.title)} [{row.number}]"]
        for column in COLUMNS:
            cell = getattr(row, column)
            cells.append(f"“{escaped(cell.text)}”" if cell else "")
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _numbers(rows: Sequence[NumberRow]) -> list[str]:
    lines = _heads(*NUMBER_HEADS)
    for row in rows:
        cells = map(escaped, (row.what, row.value, row.data, row.against))
        words = f"“{escaped(row.cell.quote)}” [{row.cell.citation}]"
        lines.append("| " + " | ".join([*cells, words]) + " |")
    return [*lines, ""]


def _heads(*heads: str) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]


def _notes(review: Review) -> list[str]:
    return [line for note in review.notes for line in ("", escaped(note))]
