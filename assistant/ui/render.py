"""Answers, sources, errors and greetings as HTML. Pure functions; every text is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal

from assistant.conversations import Mark
from assistant.paper import Paper
from assistant.results import Answer, Citation, IngestReport
from assistant.ui.icons import icon
from assistant.ui.markdown import chip, paper_html, safe_link, source_data, to_html
from assistant.ui.turns import Failure, LibraryName, Turn, laid_out

__all__ = [
    "SAMPLE_QUESTIONS",
    "about",
    "empty",
    "failure",
    "failure_panel",
    "live",
    "progress",
    "refusal",
    "report",
    "source_panel",
    "state_line",
    "turn",
    "waiting",
    "welcome",
]

SAMPLE_QUESTIONS = (
    "Which papers make training data smaller, and what does it save?",
    "When should pruning start and stop during pre-training?",
    "What does quantising a 70B model to two bits cost?",
)
_SCORE = "Retrieval score, relative to the best match in this library"
_NEAREST = 3
_REJECTIONS = 50
_SUPPORT = {
    "supported": "Supported",
    "partial": "Partly supported",
    "unsupported": "Not supported",
}


# -- the talk ------------------------------------------------------------------------------------


def live(turn: Turn, so_far: Answer | None = None, *, elapsed: float = 0.0) -> str:
    """The turn that is being answered, with what there is of the answer."""
    answer = ""
    if so_far is not None:
        text = laid_out(so_far)
        body = to_html(text, so_far.citations, so_far.sentences, library=turn.library)
        answer = f'<div class="answer caret" aria-busy="true">{body}</div>'
    shown = turn.steps or ["opening the library"]
    listed = "".join(f"<li>{escape(step)}</li>" for step in shown)
    return (
        f'<article class="turn" data-turn="{turn.id}">{_question(turn)}'
        f'<details class="steps working" open><summary><i class="spinner"></i> '
        f'{escape(shown[-1])}… <span class="elapsed" data-elapsed="{elapsed:.1f}"></span></summary>'
        f"<ol>{listed}</ol></details>{answer}</article>"
    )


def waiting(turn: Turn) -> str:
    """A turn that waits until the one before it is answered."""
    return (
        f'<article class="turn waits" data-turn="{turn.id}">{_question(turn)}'
        '<p class="notes">Waits until the answer above is whole. <button type="button" '
        f'class="link" data-act="withdraw" data-turn="{turn.id}">Take it back</button></p></article>'
    )


def turn(turn: Turn, *, last: bool) -> str:
    """A turn that is done."""
    parts = [_question(turn)]
    answer = turn.answer
    if answer is not None:
        parts.append(_steps(turn.steps, answer))
        cut = turn.stopped or turn.failure is not None
        if not cut and answer.status == "answered":
            parts.append(_status(answer))
        parts.append(_answer(answer, turn, cut=cut))
        if turn.stopped:
            parts.append('<p class="notes">Stopped; this is what there was.</p>')
        parts.append(_sources(answer, turn.library, cut=cut))
        parts.append(_notes([] if cut else answer.notes))
    if turn.failure is not None:
        parts.append(failure(turn.failure))
    elif answer is None:
        parts.append('<p class="notes">Stopped before there was an answer.</p>')
    parts.append(_actions(turn, last=last))
    if last and turn.follow_ups:
        parts.append(_follow_ups(turn))
    return f'<article class="turn" data-turn="{turn.id}">{"".join(parts)}</article>'


def _follow_ups(turn: Turn) -> str:
    asks = "".join(
        f'<button type="button" class="ask small" data-act="ask" data-text="{escape(question)}" '
        f'data-library="{turn.library}"><span>{escape(question)}</span></button>'
        for question in turn.follow_ups
    )
    return f'<section class="follow-ups" aria-label="To ask on"><h2>Ask on</h2>{asks}</section>'


_CONFIDENT = ((0.75, "high"), (0.45, "fair"), (0.0, "low"))


def _status(answer: Answer) -> str:
    """How sure it is, in words, with the status where no card says that it is no answer."""
    if not answer.passages:
        return ""
    word = next(word for floor, word in _CONFIDENT if answer.confidence >= floor)
    sure = f"{word} confidence that the library answers this ({answer.confidence:.0%})"
    if answer.status != "answered":
        return f'<span class="status {answer.status}">{sure}</span>'
    return f'<p class="status {answer.status}"><b>Answered from the library</b> <span>{sure}</span></p>'


def _question(turn: Turn) -> str:
    edit, branches = "", ""
    if turn.state == "done":
        edit = (
            f'<button type="button" class="icon" data-act="edit" data-turn="{turn.id}" '
            f'aria-label="Edit this question" title="Edit">{icon("edit")}</button>'
        )
    if len(turn.branches) > 1:
        at = turn.branches.index(turn.id)
        branches = (
            f'<div class="branches"><span class="quiet">Version</span>'
            f"{_branch(turn, at - 1, '‹', 'The version before')}<span>{at + 1} of "
            f"{len(turn.branches)}</span>{_branch(turn, at + 1, '›', 'The next version')}</div>"
        )
    scope = (
        f'<span class="scope-note">Asked {escape(str(turn.filters))}</span>' if turn.filters else ""
    )
    return (
        f'<div class="question">{edit}<p>{escape(turn.question)}</p></div>'
        f'<div class="question-under">{scope}{branches}</div>'
    )


def _branch(turn: Turn, at: int, sign: str, label: str) -> str:
    there = 0 <= at < len(turn.branches)
    to = turn.branches[at] if there else ""
    disabled = "" if there else " disabled"
    return (
        f'<button type="button" class="icon" data-act="branch" data-turn="{to}" '
        f'aria-label="{label}"{disabled}>{sign}</button>'
    )


def _steps(steps: Sequence[str], answer: Answer) -> str:
    if not steps:
        return ""
    seconds = answer.timings_ms.total / 1000
    took = f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds * 1000:.0f} ms"
    read = len({c.paper_id for c in answer.citations} | {p.paper_id for p in answer.passages})
    papers = f"Read {read} papers" if read != 1 else "Read one paper"
    listed = "".join(f"<li>{escape(step)}</li>" for step in steps)
    return (
        f'<details class="steps"><summary>{papers} in {took}</summary><ol>{listed}</ol></details>'
    )


def _answer(answer: Answer, turn: Turn, *, cut: bool) -> str:
    text, library = laid_out(answer), turn.library
    alone = len(answer.sentences) in (1, 2)  # a question of several parts is told in full
    if answer.status == "absent" and answer.mode == "extractive" and alone:
        text = answer.sentences[0].text  # the nearest papers stand below, to be clicked
    related = answer.status != "answered" and not cut
    shown = to_html(text, answer.citations, answer.sentences, library=library, related=related)
    body = f'<div class="answer">{shown}</div>'
    if not related:  # of a part nothing is known yet
        return body
    kind, sign = "No direct answer; the closest there is", "near"
    if answer.status == "absent":
        kind, sign = "Not in this library", "search"
    wider = ""
    if turn.filters and answer.status == "absent":  # of the others nothing is known
        kind = "Not in the papers that were asked"
        if not answer.passages:
            body = f"<p>No paper of the library fits: {escape(str(turn.filters))}.</p>"
        wider = (
            f'<div class="row"><button type="button" class="button" data-act="ask-all" '
            f'data-turn="{turn.id}">Ask all papers</button></div>'
        )
    near = ""
    if not answer.citations and answer.passages:
        rows = "".join(
            f"<li>{_passage_row(p.paper_id, p.title, p.score, library, shown=False)}</li>"
            for p in answer.passages[:_NEAREST]
        )
        near = f'<p class="quiet">The nearest papers:</p><ol class="near">{rows}</ol>'
    return (
        f'<section class="card {answer.status}"><div class="kind">{icon(sign)} {kind} '
        f"{_status(answer)}</div>"
        f"{body}{near}{wider}</section>"
    )


def _sources(answer: Answer, library: LibraryName, *, cut: bool) -> str:
    cited = {citation.paper_id for citation in answer.citations}
    rows = "".join(
        f"<li>{_source_row(c, library, _part(c, answer, cut=cut))}</li>" for c in answer.citations
    )
    used = f"<h2>Sources</h2><ol>{rows}</ol>" if rows else ""
    if len(cited) > _NEAREST and all(title in answer.answer for title in answer.cited_titles):
        # a list of papers has named them all
        used = (
            f'<details class="unused"><summary>Sources: {len(cited)} papers</summary>'
            f"<ol>{rows}</ol></details>"
        )
    rest = [p for p in answer.passages if p.paper_id not in cited]
    if not answer.citations:
        rest = rest[_NEAREST:] if answer.status != "answered" else rest
    unused = ""
    if rest:
        listed = "".join(
            f"<li>{_passage_row(p.paper_id, p.title, p.score, library)}</li>" for p in rest
        )
        count = f"{len(rest)} papers" if len(rest) != 1 else "one paper"
        unused = (
            f'<details class="unused"><summary>Read, but not used: {count}</summary>'
            f"<ol>{listed}</ol></details>"
        )
    return f'<section class="sources">{used}{unused}</section>' if used or unused else ""


Part = Literal["answers", "related", ""]


def _part(citation: Citation, answer: Answer, *, cut: bool) -> Part:
    """What a cited paper does for the question: it answers, or it is related; "" is not known."""
    if cut:
        return ""
    if answer.status != "answered":
        return "related"
    verdicts = {s.support for s in answer.sentences if citation.number in s.citations}
    fits = citation.support == "supported" and verdicts <= {"supported", "partial", "none"}
    return "answers" if fits else "related"


def _source_row(citation: Citation, library: LibraryName, part: Part) -> str:
    number = chip(citation, library=library, tag="span")
    data = source_data(citation, library=library, related=part == "related")
    verdict = citation.support
    flags = f'<span class="flag {part}">{part}</span>' if part else ""
    if verdict != "supported":
        flags += f'<span class="flag {verdict}">{_SUPPORT[verdict]}</span>'
    return (
        f'<button type="button" class="source" {data}>{number}'
        f'<span class="title">{paper_html(citation.title)}</span><span class="score">{flags}</span>'
        "</button>"
    )


def _passage_row(
    paper_id: str, title: str, score: float, library: LibraryName, *, shown: bool = True
) -> str:
    """``shown``: the score, which is relative to the best paper: where none fits it misleads."""
    told = f'<span class="score" title="{_SCORE}">{score:.2f}</span>' if shown else ""
    return (
        f'<button type="button" class="source" data-act="source" data-paper="{escape(paper_id)}" '
        f'data-score="{score:.3f}" data-library="{library}"><span class="title">{paper_html(title)}'
        f"</span>{told}</button>"
    )


def _notes(notes: Iterable[str]) -> str:
    return "".join(f'<p class="notes">{escape(note)}</p>' for note in notes)


def _actions(turn: Turn, *, last: bool) -> str:
    answer = turn.answer
    named = f'data-turn="{turn.id}"'
    buttons: list[str] = []
    if answer is not None and answer.answer:
        buttons.append(
            f'<button type="button" class="icon" data-act="copy" {named} '
            'title="Copy the answer with its references, as rich text and Markdown">'
            f"{icon('copy')}<span>Copy</span></button>"
        )
        if answer.citations:
            buttons.append(
                f'<button type="button" class="icon" data-act="bibtex" {named} '
                f'title="BibTeX of the cited papers">{icon("quote")}<span>BibTeX</span></button>'
            )
        buttons.append(
            f'<button type="button" class="icon" data-act="export" {named} aria-haspopup="menu" '
            f'title="RIS, CSL-JSON, Markdown, HTML">{icon("down-line")}<span>Save</span></button>'
        )
    if last:
        buttons.append(
            f'<button type="button" class="icon" data-act="retry" {named} '
            f'title="Ask again">{icon("retry")}<span>Again</span></button>'
        )
    buttons.append(
        f'<button type="button" class="icon" data-act="link" data-text="{escape(turn.question)}" '
        f'title="Copy a link that asks this question">{icon("link")}<span>Link</span></button>'
    )
    note = ""
    if answer is not None and answer.answer:
        buttons.append('<span class="gap"></span>')
        for rating, label in (("up", "A good answer"), ("down", "Not a good answer")):
            pressed = "true" if turn.rating == rating else "false"
            buttons.append(
                f'<button type="button" class="icon" data-act="rate" data-rating="{rating}" '
                f'{named} aria-pressed="{pressed}" aria-label="{label}" title="{label}">'
                f"{icon(rating)}</button>"
            )
        if turn.rating and not turn.noted:
            note = (
                f'<form class="rate-note" data-form="rate" {named} data-rating="{turn.rating}">'
                '<input name="note" aria-label="A note on this answer" maxlength="2000" '
                'placeholder="What was good or wrong? (stays on this machine)">'
                '<button class="button small">Keep</button></form>'
            )
        elif turn.noted:
            note = '<p class="notes">Thank you; the note is kept.</p>'
    return f'<div class="actions">{"".join(buttons)}</div>{note}'


def failure(failure: Failure) -> str:
    """A card: what did not work, and what to do."""
    do = f"<p>{escape(failure.do)}</p>" if failure.do else ""
    if failure.kind == "empty":
        return (
            f'<section class="card empty"><div class="kind">{icon("search")} No papers yet</div>'
            f"<p>{escape(failure.what)}</p>"
            '<div class="row"><button type="button" class="button first" data-act="sample">'
            'Ask the sample library</button><button type="button" class="button" data-act="view" '
            'data-view="library">Add papers</button></div></section>'
        )
    row = (
        '<div class="row"><button type="button" class="button" data-act="view" '
        'data-view="settings">Settings</button></div>'
    )
    return (
        f'<section class="card error" role="alert"><div class="kind">{icon("alert")} '
        f"This did not work</div><p>{escape(failure.what)}</p>{do}{row}</section>"
    )


# -- beside the talk ----------------------------------------------------------------------------


def source_panel(
    paper: Paper,
    *,
    number: str = "",
    quote: str = "",
    support: str = "",
    score: float | None = None,
    why: str = "",
    related: bool = False,
    library: LibraryName = "own",
    mark: Mark | None = None,
    similar: Sequence[tuple[str, str]] = (),
) -> str:
    """A paper at the side: as a source with its verdict, or by itself.

    Args:
        related: it was cited by an answer that does not answer.
        mark: what the visitor thinks of it.
        similar: ids and titles of the papers nearest to it.
    """
    head = f"Source {number}" if number else "Paper"
    cited = support in _SUPPORT
    title, lines = paper_html(paper.label), about(paper)
    verdict = ""
    if cited or score is not None:
        verdict = _verdict(support, score, why, related=related)
    digest = (
        '<p class="meta quiet">A digest in our own words, not the authors’ abstract.</p>'
        if paper.kind == "digest"
        else ""
    )
    abstract = _highlighted(paper.abstract, quote, support) if paper.abstract else "No abstract."
    return (
        f'<aside class="panel" aria-label="{escape(head)}" tabindex="-1"><header><span>{escape(head)}</span>'
        f'<button type="button" class="icon" data-act="close" aria-label="Close">{icon("close")}'
        f"</button></header><h2>{title}</h2>{lines}{digest}{verdict}"
        f'<p class="abstract">{abstract}</p><p class="meta"><button type="button" class="link" '
        f'data-act="only-paper" data-paper="{escape(paper.id)}" data-title="{escape(paper.label)}">'
        f"Ask only this paper</button></p>{_marked(paper.id, mark)}"
        f"{_similar(similar, library)}</aside>"
    )


def about(paper: Paper) -> str:
    """Who wrote it, where it appeared, and where it is."""
    meta = []
    if paper.authors:
        names = ", ".join(paper.authors[:6]) + (" and others" if len(paper.authors) > 6 else "")
        meta.append(names)
    published = " · ".join(str(part) for part in (paper.venue, paper.year) if part)
    if published:
        meta.append(published)
    lines = "".join(f'<p class="meta">{escape(line)}</p>' for line in meta)
    if link := safe_link(paper.link):
        shown = re.sub(r"^https?://(www\.)?", "", link)
        lines += (
            f'<p class="meta"><a href="{escape(link)}" target="_blank" '
            f'rel="noopener noreferrer nofollow">{escape(shown[:60])}</a></p>'
        )
    return lines


def failure_panel(failure: Failure) -> str:
    """Where a paper cannot be shown."""
    return (
        '<aside class="panel" tabindex="-1"><header><span>Paper</span><button type="button" class="icon" '
        f'data-act="close" aria-label="Close">{icon("close")}</button></header>'
        f"<h2>{escape(failure.what)}</h2><p>{escape(failure.do)}</p></aside>"
    )


def _marked(paper_id: str, mark: Mark | None) -> str:
    """The visitor's own like, tags and note, to be changed."""
    mark = mark or Mark(paper=paper_id)
    liked = "true" if mark.liked else "false"
    return (
        f'<form class="marks" data-form="mark" data-paper="{escape(paper_id)}"><h3>Yours</h3>'
        f'<button type="button" class="button small" data-act="like" aria-pressed="{liked}">'
        f"{'♥ Liked' if mark.liked else '♡ Like'}</button>"
        f'<label>Tags<input name="tags" maxlength="400" value="{escape(", ".join(mark.tags))}" '
        'placeholder="read next, thesis"></label><label>Note<textarea name="note" rows="2" '
        f'maxlength="4000">{escape(mark.note)}</textarea></label></form>'
    )


def _similar(papers: Sequence[tuple[str, str]], library: LibraryName) -> str:
    if not papers:
        return ""
    rows = "".join(
        f'<li><button type="button" class="source" data-act="source" '
        f'data-paper="{escape(paper_id)}" data-library="{library}"><span class="title">'
        f"{paper_html(title)}</span></button></li>"
        for paper_id, title in papers
    )
    return f'<section class="sources similar"><h3>Similar papers</h3><ol>{rows}</ol></section>'


def _verdict(support: str, score: float | None, why: str, *, related: bool) -> str:
    share = max(0.0, min(1.0, score or 0.0))
    if support in _SUPPORT and related:
        label, kind, shown = "Related; it does not answer the question", "plain", ""
    elif support in _SUPPORT:
        label, kind = f"The sentence is {_SUPPORT[support].lower()}", support
        shown = f"{share:.0%} support"
    else:
        label, kind, shown = "Read, but not used", "plain", f"retrieval score {share:.2f}"
    reason = f"<p>{escape(why[0].upper() + why[1:])}.</p>" if why.strip() else ""
    meter = f'<div class="meter"><i style="width:{share:.0%}"></i></div>' if shown else ""
    return (
        f'<div class="verdict {kind}"><div class="line"><span>{label}</span><span>{shown}</span></div>'
        f"{meter}{reason}</div>"
    )


def _highlighted(abstract: str, quote: str, support: str) -> str:
    """The abstract with the pieces of the quote marked; white space and case may differ."""
    kind = support if support in ("partial", "unsupported") else ""
    parts, done = [], 0
    for piece in quote.split("…"):
        words = piece.split()
        if not words:
            continue
        wanted = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
        found = wanted.search(abstract, done)
        if found is None:
            continue
        parts.append(paper_html(abstract[done : found.start()]))
        parts.append(f'<mark class="{kind}">{paper_html(found[0])}</mark>')
        done = found.end()
    return "".join([*parts, paper_html(abstract[done:])])


# -- around it -------------------------------------------------------------------------------------


def welcome(library: LibraryName, papers: int, questions: Sequence[str]) -> str:
    """What a conversation begins with."""
    asks = "".join(
        f'<button type="button" class="ask" data-act="ask" data-text="{escape(question)}" '
        f'data-library="{library if papers else "sample"}"><span>{escape(question)}</span></button>'
        for question in questions
    )
    sample = library == "sample" or not papers
    about = "the sample library" if sample else "your library"
    begin = ""
    if sample:
        use = (
            ""
            if library == "sample"
            else '<button type="button" class="button" data-act="sample">Open the sample library</button>'
        )
        begin = (
            '<div class="begin"><div><h2>The sample library</h2><p>120 papers on making models '
            f"smaller and faster, told again in our own words. Nothing to set up.</p>{use}</div>"
            "<div><h2>Your own papers</h2><p>Saved listing pages, BibTeX, RIS, CSV, JSON Lines: "
            "whatever holds titles and abstracts. They stay on this machine.</p>"
            '<button type="button" class="button" data-act="view" data-view="library">Add papers'
            "</button></div></div>"
        )
    listed = f'<div class="asks"><h2>Try one, from {about}</h2>{asks}</div>' if asks else ""
    return (
        '<section class="welcome"><h1>Ask your papers.</h1><p>Every sentence of an answer cites the '
        "papers it rests on, with the sentence of the abstract that supports it. What the library "
        f"does not hold, you will be told.</p>{listed}{begin}</section>"
    )


def state_line(library: LibraryName, papers: int, mode: str) -> str:
    """How many papers, which library, extractive or which model."""
    name = "Sample library" if library == "sample" else "Your library"
    count = f"{papers:,} paper" + ("" if papers == 1 else "s")
    dot = "" if papers else " none"
    return (
        f'<div class="state" role="status"><i class="dot{dot}"></i><span><b>{count}</b> · {name} · '
        f"{escape(mode)}</span>"
        f'<button type="button" data-act="theme" aria-label="Light or dark" title="Light or dark">'
        f"{icon('theme')}</button></div>"
    )


def progress(done: float | None, text: str, right: str = "") -> str:
    """A bar that is filled as far as the work is."""
    share = 0.0 if done is None else max(0.0, min(1.0, done))
    return (
        f'<div class="progress" role="progressbar" aria-label="{escape(text)}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share * 100:.0f}"><div class="track"><i style="width:{share:.1%}"></i></div>'
        f"<p><span>{escape(text)}</span><span>{escape(right)}</span></p></div>"
    )


def empty(what: str) -> str:
    """Where a list would be."""
    return f'<p class="quiet">{escape(what)}</p>'


def refusal(failure: Failure, title: str = "Not taken in") -> str:
    """Why an upload, or a setting, was not taken."""
    do = f"<p>{escape(failure.do)}</p>" if failure.do else ""
    return (
        f'<section class="card error" role="alert"><div class="kind">{icon("alert")} {title}'
        f"</div><p>{escape(failure.what)}</p>{do}</section>"
    )


def report(made: IngestReport, title: str = "", *, stopped: bool = False) -> str:
    """What became of the papers that were added; ``stopped``: before all were read."""
    counts = {
        "Added": made.added,
        "Updated": made.updated,
        "Unchanged": made.unchanged,
        "Duplicates": made.duplicates,
        "Rejected": len(made.rejected),
    }
    cells = "".join(f"<div><dt>{name}</dt><dd>{n:,}</dd></div>" for name, n in counts.items())
    rows = "".join(
        f"<li><b>{escape(', '.join(filter(None, (r.source, r.where))))}</b>: {escape(r.reason)}</li>"
        for r in made.rejected[:_REJECTIONS]
    )
    more = len(made.rejected) - _REJECTIONS
    rows += f"<li>… and {more:,} more</li>" if more > 0 else ""
    listed = f'<ul class="rejected">{rows}</ul>' if rows else ""
    named = f'<div class="kind">{escape(title)}</div>' if title else ""
    end = "Cancelled: what was stored until then stays. " if stopped else ""
    return (
        f'<section class="card" role="status">{named}<dl class="counts">{cells}</dl>{listed}'
        f'<p class="quiet" style="margin-top:12px">{end}Read {made.read:,} in {made.seconds:.1f} s.'
        "</p></section>"
    )
