"""A review as Markdown that reads well as plain text, too."""

from __future__ import annotations

from assistant.escaping import markdown as escaped
from assistant.review.model import COLUMNS, Paragraph, Review, ReviewSentence, TableRow
from assistant.review.wording import clean

__all__ = ["citation_line", "markdown", "verdict_line"]

HEADS = ("Problem", "Method", "Reported result", "Scale or data", "Limits")
_FLAGS = {"partial": " ⚠ (partial)", "unsupported": " ✗ (unsupported)"}


def markdown(review: Review) -> str:
    """The whole document."""
    lines = [f"# {_escaped(review.title)}", "", "## Scope", "", _running(review.scope), ""]
    if review.status == "absent":
        return "\n".join([*lines, *_notes(review)]).rstrip() + "\n"
    if review.overview:
        lines += ["## Overview", "", _running(review.overview), ""]
    for theme in review.themes:
        lines += [f"## {_escaped(theme.name)}", ""]
        for paragraph in theme.paragraphs:
            lines += [_running(paragraph.sentences), ""]
    lines += ["## Comparison", "", *_table(review.table), ""]
    if review.open_questions:
        lines += ["## Open questions", "", *_questions(review.open_questions), ""]
    lines += ["## References", ""]
    lines += [f"{r.number}. {escaped(citation_line(r.paper))}" for r in review.references]
    lines += ["", "---", "", verdict_line(review), *_notes(review)]
    return "\n".join(lines).rstrip() + "\n"


def citation_line(paper: object) -> str:
    """Authors, year, title, venue, and where to read it."""
    from assistant.paper import Paper  # noqa: PLC0415

    if not isinstance(paper, Paper):
        return str(paper)
    authors = paper.authors[:3]
    who = ", ".join(authors) + (" et al." if len(paper.authors) > 3 else "")
    year = f" ({paper.year})" if paper.year else ""
    parts = [who + year, clean(paper.label)] if who else [clean(paper.label) + year]
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


def _running(sentences: list[ReviewSentence]) -> str:
    return " ".join(_escaped(s.text) + _FLAGS.get(s.support, "") for s in sentences)


def _questions(sentences: list[ReviewSentence]) -> list[str]:
    lines: list[str] = []
    for sentence in sentences:
        if sentence.support == "none":
            lines += ["", _escaped(sentence.text), ""]
        else:
            lines.append(f"- {_escaped(sentence.text)}{_FLAGS.get(sentence.support, '')}")
    return lines[1:] if lines and not lines[0] else lines


def _table(rows: list[TableRow]) -> list[str]:
    lines = [f"| Paper | {' | '.join(HEADS)} |", "|" + " --- |" * (len(HEADS) + 1)]
    for row in rows:
        cells = [f"{escaped(row.title)} [{row.number}]"]
        for column in COLUMNS:
            cell = getattr(row, column)
            cells.append(f"{_escaped(cell.text)} [{cell.citation}]" if cell else "")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _notes(review: Review) -> list[str]:
    return [line for note in review.notes for line in ("", _escaped(note))]


def _escaped(text: str) -> str:
    """``text`` as Markdown shows it; citations stay as they are."""
    return escaped(text, citations=True)


def paragraphs_of(paragraph: Paragraph) -> str:
    """One paragraph as running text."""
    return _running(paragraph.sentences)
