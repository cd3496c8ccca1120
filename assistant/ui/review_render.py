"""A review as HTML of the page. Pure functions; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from assistant.conversations import StoredReview
from assistant.paper import Paper
from assistant.results import Citation
from assistant.review.model import (
    Cell,
    Quote,
    Reference,
    Review,
    ReviewCandidate,
    ReviewEstimate,
    ReviewSentence,
    TableRow,
    Theme,
)
from assistant.review.rendering.blocks import (
    MARKS,
    SECTIONS,
    legend,
    listed,
    sections,
    table_of,
)
from assistant.review.rendering.markdown import verdict_line
from assistant.ui import render
from assistant.ui.icons import icon
from assistant.ui.markdown import chip, paper_html
from assistant.ui.turns import LibraryName

__all__ = ["candidates", "cost", "document", "kept", "working"]

_FORMS = {
    "md": "Markdown",
    "html": "HTML",
    "docx": "Word",
    "pdf": "PDF",
    "tex": "LaTeX",
    "bib": "BibTeX",
    "ris": "RIS",
    "csl.json": "CSL-JSON",
    "zip": "Notes for Obsidian and Zotero",
    "csv": "CSV of the table",
    "json": "JSON",
}
_FLAGS = {"partial": "partly supported", "unsupported": "not supported"}
_NEAREST = 3


# -- before it is written --------------------------------------------------------------------------


def candidates(
    found: Sequence[ReviewCandidate], left: set[str], library: LibraryName, told: str = ""
) -> str:
    """The papers to choose from; those of ``left`` are not ticked; ``told``: of what was added."""
    rows = "".join(_candidate(n, one, left, library) for n, one in enumerate(found))
    chosen = sum(one.paper.id not in left for one in found)
    said = f'<p class="notes" role="alert">{escape(told)}</p>' if told else ""
    disabled = "" if chosen else " disabled"
    return (
        '<section class="section"><h2>Papers for the review</h2>'
        "<p>Untick what does not belong. What is only related is listed, not written about.</p>"
        f'<ul class="candidates">{rows}</ul>'
        '<form class="include" data-form="include"><input name="name" maxlength="2000" '
        'aria-label="Another paper of the library" placeholder="Add a paper by its title, DOI or '
        'arXiv id"><button class="button">Add</button></form>'
        f'{said}<div class="review-do"><button type="button" class="button first" '
        f'data-act="compose"{disabled}>Write review</button>'
        f'<span class="quiet" id="review-chosen" role="status">{chosen} of {len(found)} chosen'
        "</span></div></section>"
    )


def _candidate(n: int, one: ReviewCandidate, left: set[str], library: LibraryName) -> str:
    paper = one.paper
    ticked = "" if paper.id in left else " checked"
    by = _by(paper)
    under = f'<span class="quiet">{escape(by)}</span>' if by else ""
    hand = "added by hand" if one.by_hand else f"{one.relevance:.0%} relevant"
    hand += ", to be listed" if one.ring == "related" and not one.by_hand else ""
    return (
        f'<li><input type="checkbox" id="candidate-{n}" value="{escape(paper.id)}"{ticked}>'
        f'<label for="candidate-{n}">{escape(paper.label)}{under}</label>'
        f'<button type="button" class="icon" data-act="source" data-paper="{escape(paper.id)}" '
        f'data-library="{library}" aria-label="Read {escape(paper.label)}" '
        f'title="Read its abstract"><span>{hand}</span></button></li>'
    )


def _by(paper: Paper) -> str:
    names = ", ".join(paper.authors[:3]) + (" and others" if len(paper.authors) > 3 else "")
    return " · ".join(str(part) for part in (names, paper.year) if part)


def cost(estimate: ReviewEstimate | None, model: str | None) -> str:
    """What the language model will be asked for; nothing where there is none."""
    if estimate is None:
        return ""
    return f"<p><b>{escape(model or 'The model')}</b> will write it. {escape(str(estimate))}</p>"


def working(share: float, text: str, right: str) -> str:
    """How far the writing is, and its end."""
    return (
        f'<div class="working">{render.progress(share, text, right)}<button type="button" '
        f'class="button" data-act="halt">{icon("stop").replace("<svg", "<svg width=16")} Stop'
        "</button></div>"
    )


def kept(reviews: Sequence[StoredReview], current: str) -> str:
    """The reviews that were written before, to be opened again or deleted."""
    if not reviews:
        return ""
    rows = "".join(
        f'<li{" class=current" if one.id == current else ""}><button type="button" class="link" '
        f'data-act="review" data-id="{one.id}">{escape(one.title)}</button><span class="quiet">'
        f"{datetime.fromtimestamp(one.created, UTC):%d %b %Y}</span>"
        f'<button type="button" class="icon" data-act="unkeep" data-id="{one.id}" '
        f'data-title="{escape(one.title)}" aria-label="Delete “{escape(one.title)}”">'
        f"{icon('close')}</button></li>"
        for one in reviews
    )
    opened = "" if current else " open"
    return (
        f'<details class="kept"{opened}><summary>Written before: {len(reviews)}</summary>'
        f"<ul>{rows}</ul></details>"
    )


# -- the document ----------------------------------------------------------------------------------


def document(review: Review, library: LibraryName) -> str:
    """The whole review; a card where the library holds nothing on the topic."""
    if review.status == "absent":
        return _absent(review, library)
    page = _Document(review, library)
    made = f"written by {review.model}" if review.model else "without a language model"
    saves = "".join(
        f'<button type="button" class="button small" data-act="save" data-form="{form}">{name}'
        "</button>"
        for form, name in _FORMS.items()
    )
    parts = [
        f"<header><h2>{escape(review.title)}</h2>"
        f'<p class="quiet">{" · ".join([*review.extent, escape(made)])}</p>'
        f'<div class="saves"><span class="quiet">Download</span>{saves}</div></header>',
        _section("Scope", f'<div class="answer scope"><p>{page.run(review.scope)}</p></div>'),
    ]
    if review.answers:
        parts.append(_section(SECTIONS["answers"], page.listed(review.answers)))
    if review.overview:
        inner = f'<div class="answer"><p>{page.run(review.overview)}</p></div>'
        parts.append(_section("Overview", inner))
    if table := page.table():
        parts.append(_section(SECTIONS["contributions"], table))
    parts += [page.theme(theme) for theme in sections(review)]
    parts += [_section(SECTIONS[name], page.listed(said)) for name, said in listed(review).items()]
    parts.append(_section("References", page.references()))
    notes = [verdict_line(review)] * bool(review.model) + review.notes
    parts += [f'<p class="notes">{escape(note)}</p>' for note in notes]
    return f'<article class="review" data-library="{library}">{"".join(parts)}</article>'


def _section(heading: str, inner: str) -> str:
    return f"<section><h3>{escape(heading)}</h3>{inner}</section>"


def _absent(review: Review, library: LibraryName) -> str:
    said = escape(review.scope[0].text) if review.scope else ""
    rows = "".join(
        '<li><button type="button" class="source" data-act="source" '
        f'data-paper="{escape(one.paper_id)}" data-library="{library}"><span class="title">'
        f"{escape(one.title)}</span></button></li>"
        for one in review.left_out[:_NEAREST]
    )
    near = f'<p class="quiet">The nearest papers:</p><ol class="near">{rows}</ol>' if rows else ""
    notes = "".join(f'<p class="notes">{escape(note)}</p>' for note in review.notes)
    return (
        f'<section class="card absent"><div class="kind">{icon("search")} Not in this library</div>'
        f'<div class="answer"><p>{said}</p></div>{near}{notes}</section>'
    )


class _Document:
    """The parts of a review, with what its citations lead to."""

    def __init__(self, review: Review, library: LibraryName) -> None:
        self._review, self._library = review, library
        self._papers = {reference.number: reference.paper for reference in review.references}

    def theme(self, theme: Theme) -> str:
        """A theme's section."""
        inner = [
            f'<div class="answer"><p>{self.run(paragraph.sentences)}</p></div>'
            for paragraph in theme.paragraphs
        ]
        return _section(theme.name, "".join(inner))

    def run(self, sentences: Sequence[ReviewSentence]) -> str:
        """Sentences as running text."""
        return " ".join(self._sentence(sentence) for sentence in sentences)

    def listed(self, sentences: Sequence[ReviewSentence]) -> str:
        """Sentences as a list."""
        lines = "".join(f"<li>{self._sentence(one)}</li>" for one in sentences)
        return f'<div class="answer"><ul>{lines}</ul></div>'

    def table(self) -> str:
        """The comparison table: columns and papers that have cells; nothing without any."""
        columns, filled = table_of(self._review)
        if not filled:
            return ""
        heads = "".join(f'<th scope="col">{h}</th>' for h in ("Paper", *columns.values()))
        rows = ""
        for theme in self._review.themes:
            if len(self._review.themes) > 1:
                span = f'colspan="{1 + len(columns)}"'
                rows += f'<tr><th scope="rowgroup" {span}>{escape(theme.name)}</th></tr>'
            kept = (row for row in filled if row.theme == theme.name)
            rows += "".join(self._row(row, columns) for row in kept)
        told = legend(self._review)
        below = f'<p class="quiet">{told}</p>' if told else ""
        return (
            '<div class="answer wide" tabindex="0" role="region" aria-label="Contributions">'
            f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{below}</div>"
        )

    def references(self) -> str:
        """The cited papers; a click opens one."""
        rows = "".join(f"<li>{self._reference(one)}</li>" for one in self._review.references)
        return f'<ol class="refs">{rows}</ol>'

    def _sentence(self, sentence: ReviewSentence) -> str:
        quotes = {quote.number: quote for quote in sentence.quotes}
        text = "".join(
            paper_html(piece) + (self._chip(n, quotes.get(n)) if n in self._papers else "")
            for piece, n in sentence.pieces()
        )
        flag = _FLAGS.get(sentence.support)
        if flag is None:
            return text
        kind = sentence.support
        return f'<span class="said {kind}">{text}</span><span class="flag {kind}">{flag}</span>'

    def _chip(self, number: int, quote: Quote | None) -> str:
        paper = self._papers[number]
        made = Citation(
            number=number,
            paper_id=paper.id,
            title=paper.label,
            quote=quote.text if quote else "",
            support=quote.support if quote else "supported",
            support_score=quote.score if quote else 0.0,
            why=quote.why if quote else "",
        )
        return chip(made, library=self._library)

    def _row(self, row: TableRow, columns: Iterable[str]) -> str:
        cells = "".join(self._cell(getattr(row, column)) for column in columns)
        own = f'<span class="chip" aria-hidden="true">{row.number}</span>'
        return f'<tr><th scope="row">{escape(row.title)} {own}</th>{cells}</tr>'

    def _cell(self, cell: Cell | None) -> str:
        if cell is None:
            return '<td><span class="quiet" aria-label="not said">–</span></td>'
        quote = Quote(number=cell.citation, text=cell.quote, support=cell.support, score=1.0)
        known = cell.citation in self._papers
        mark = self._chip(cell.citation, quote) if known else ""
        return f"<td>{paper_html(cell.text + MARKS[cell.certainty])}{mark}</td>"

    def _reference(self, reference: Reference) -> str:
        paper = reference.paper
        by = " · ".join(part for part in (_by(paper), paper.venue or "") if part)
        under = f'<br><span class="quiet">{escape(by)}</span>' if by else ""
        return (
            f'<button type="button" class="source" data-act="source" '
            f'data-paper="{escape(paper.id)}" data-number="{reference.number}" '
            f'data-library="{self._library}"><span class="chip" aria-hidden="true">'
            f'{reference.number}</span><span class="title">{escape(paper.label)}{under}</span>'
            "</button>"
        )
