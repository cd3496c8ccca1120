"""A review as Markdown that reads well as plain text, too: with numbers, or with citation keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assistant.escaping import markdown as escaped
from assistant.paper import Paper
from assistant.review.model import Review
from assistant.review.rendering.blocks import SECTIONS, Block, Pieces, beside, blocks

__all__ = ["citation_line", "keyed", "markdown", "verdict_line"]

Mark = Callable[[int], str]


def markdown(
    review: Review, mark: Mark = "[{}]".format, references: Sequence[str] | None = None
) -> str:
    """The whole document; ``mark`` writes a citation, as its number if not given.

    ``references``: the lines that stand for them, if not these themselves.
    """
    lines = [f"# {escaped(review.title)}", ""]
    for block in blocks(review):
        lines += _block(block, mark)
    if review.references:
        lines += ["## References", ""]
    if references is None:
        references = [
            f"{r.number}. {escaped(citation_line(r.paper))}{' (new)' if r.new else ''}"
            for r in review.references
        ]
    lines += references
    for name, papers in beside(review).items():
        lines += ["", f"## {SECTIONS[name]}", ""]
        lines += [f"- {escaped(left.title)}" for left in papers]
    if review.references and review.model:
        lines += ["", "---", "", verdict_line(review)]
    lines += [line for note in review.notes for line in ("", escaped(note))]
    return "\n".join(lines).rstrip() + "\n"


def keyed(review: Review) -> str:
    """The whole document for Pandoc: citations are ``[@key]``, references come from its .bib."""
    keys = {r.number: r.key for r in review.references}

    def mark(number: int) -> str:
        return f"[@{keys[number]}]" if keys.get(number) else f"[{number}]"

    return markdown(review, mark, ["::: {#refs}", ":::"])


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


def _block(block: Block, mark: Mark) -> list[str]:
    lines = [f"## {escaped(block.heading)}", ""] if block.heading else []
    if block.heads:
        lines += [f"| {' | '.join(block.heads)} |", "|" + " --- |" * len(block.heads)]
        lines += [f"| {' | '.join(_text(cell, mark) for cell in row)} |" for row in block.rows]
    elif block.listed:
        lines += [f"- {_text(line, mark)}" for line in block.lines]
    else:
        lines.append(" ".join(_text(line, mark) for line in block.lines))
    return [*lines, ""]


def _text(pieces: Pieces, mark: Mark) -> str:
    return "".join(_inline(text) + (mark(n) if n else "") for text, n in pieces).strip()


def _inline(text: str) -> str:
    """A piece inside a line: the spaces at its ends stay."""
    left, right = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{left}{escaped(text)}{right if text.strip() else ''}"
