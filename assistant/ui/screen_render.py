"""A screening as HTML of the page. Pure functions; every text is escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from assistant.paper import Paper
from assistant.review.screening import CONSENSUS, Criteria, Decision, Estimate, Verdict
from assistant.review.screenings import Listed
from assistant.review.session import ScreeningSession
from assistant.ui.icons import icon
from assistant.ui.markdown import paper_html
from assistant.ui.render import about, progress
from assistant.ui.turns import LibraryName

__all__ = ["PAST", "SHOWN", "Look", "at_work", "card", "more", "start"]

PAST: dict[Verdict, str] = {"include": "Included", "exclude": "Excluded", "maybe": "Maybe"}
SHOWN = {
    "": "All decided",
    "include": "Included",
    "exclude": "Excluded",
    "maybe": "Maybe",
    "conflicts": "Conflicts",
    "mine": "Decided by me",
    "open": "Not decided",
}
"""What the list of papers may show."""
_KEYS = {"include": "I", "maybe": "M", "exclude": "E"}
_PAGE = 40
_FORMS = {
    "csv": "Decisions (CSV)",
    "ris": "Included (RIS)",
    "bib": "Included (BibTeX)",
    "csl": "Included (CSL-JSON)",
    "svg": "PRISMA diagram (SVG)",
    "json": "Everything (JSON)",
}


class Look(NamedTuple):
    """Who looks, and at which part of the list."""

    reviewer: str
    named: bool  # by their login: they cannot choose another name
    library: LibraryName
    show: str = ""
    words: str = ""
    page: int = 0


def start(screenings: Sequence[Listed]) -> str:
    """The screenings that there are."""
    rows = "".join(
        f'<li><button type="button" class="link" data-act="screening" '
        f'data-screening="{escape(one.name)}">{escape(one.topic)}</button>'
        f'<span class="quiet">{one.decided:,} of {one.papers:,} decided, {one.included:,} included '
        f"· {datetime.fromtimestamp(one.changed, UTC):%-d %B %Y}</span>"
        f'<button type="button" class="icon danger" data-act="unscreen" title="Delete" '
        f'data-screening="{escape(one.name)}" data-title="{escape(one.topic)}" '
        f'aria-label="Delete the screening {escape(one.topic)}">{icon("bin")}</button></li>'
        for one in screenings
    )
    if not rows:
        return ""
    return (
        f'<section class="section"><h2>Go on with</h2><ul class="screenings">{rows}</ul></section>'
    )


def at_work(session: ScreeningSession, look: Look, paper: Paper | None, name: str) -> str:
    """The whole of a screening; `card` and `more` are drawn anew after each decision."""
    kept = session.screening
    chosen = [str(kept.filters)] if kept.filters else []
    chosen += [f"at most {kept.most:,}"] if kept.most else []
    chosen += [f"{session.arrived:,} new since last time"] if session.arrived else []
    told = "".join(f" · {escape(part)}" for part in chosen)
    plural = "" if len(session.papers) == 1 else "s"
    who = (
        f"<b>{escape(look.reviewer)}</b>"
        if look.named
        else f'<input name="reviewer" value="{escape(look.reviewer)}" maxlength="60" '
        'autocomplete="name" required>'
    )
    return (
        f'<section class="screening" data-screening="{escape(name)}">'
        f'<header class="screen-head"><div><h1>{escape(kept.topic)}</h1>'
        f'<p class="quiet">{len(session.papers):,} paper{plural}{told}</p></div>'
        f'<form data-form="screen-reviewer"><label>Deciding as {who}</label></form>'
        '<button type="button" class="button small" data-act="screenings">All screenings</button>'
        '</header><div id="screen-progress"></div>'
        f'<div id="screen-card">{card(session, look, paper)}</div>'
        '<div id="screen-more"></div></section>'
    )


def card(session: ScreeningSession, look: Look, paper: Paper | None) -> str:
    """The paper to decide on, the criteria, and what can be done."""
    if paper is None:
        return (
            '<div class="screen-grid done"><section class="card"><h2>All papers are decided.</h2>'
            "<p>Each decision can be changed in the list below. Export the included "
            f"papers and the PRISMA diagram below.</p></section></div>{_buttons(None, [])}"
        )
    criteria = session.screening.criteria
    held = criteria.words(paper.text)
    marked = _marking(criteria, held)
    why = (
        "Likeliest to be included, by your decisions"
        if session.is_learned(look.reviewer)
        else "In the order of the search, until something is included and something excluded"
    )
    abstract = paper_html(paper.abstract, marked) if paper.abstract else "No abstract."
    return (
        f'<div class="screen-grid"><article data-paper="{escape(paper.id)}" tabindex="-1" '
        f'aria-labelledby="screen-title"><p class="quiet">{why}</p><h2 id="screen-title">'
        f"{paper_html(paper.label, marked)}</h2>{about(paper)}"
        f'<p class="abstract">{abstract}</p></article>'
        f'<aside aria-label="Criteria">{_criteria(criteria, held)}</aside></div>'
        f"{_buttons(paper, _reasons(session))}"
    )


def _marking(criteria: Criteria, held: Mapping[str, Sequence[str]]) -> Callable[[str], str]:
    """Writes text with the words that criteria rest on marked: for, or against."""
    kinds: dict[str, str] = {}
    for kind, names in (("against", criteria.exclude), ("for", criteria.include)):
        kinds |= {word.casefold(): kind for name in names for word in held.get(name, ())}

    def marked(text: str) -> str:
        parts = re.split(r"([^\W_][\w-]*)", text)  # as `Criteria.words` finds them
        for n in range(1, len(parts), 2):
            kind = kinds.get(parts[n].casefold())
            word = escape(parts[n])
            parts[n] = f'<mark class="{kind}">{word}</mark>' if kind else word
        return "".join(part if n % 2 else escape(part) for n, part in enumerate(parts))

    return marked


def _criteria(criteria: Criteria, held: Mapping[str, Sequence[str]]) -> str:
    if not criteria.include and not criteria.exclude:
        return (
            '<p class="quiet">No criteria yet. With criteria, their words are marked in every '
            'abstract and a number key excludes for one.</p><button type="button" class="link" '
            'data-act="screen-criteria">Write criteria</button>'
        )

    def words(name: str) -> str:
        return f'<span class="quiet">{escape(", ".join(held.get(name, ())))}</span>'

    include = "".join(f"<li>{escape(one)} {words(one)}</li>" for one in criteria.include)
    exclude = "".join(
        f'<li><button type="button" data-act="screen-decide" data-verdict="exclude" '
        f'data-reason="{escape(one)}"><kbd>{n if n < 10 else "·"}</kbd><span>{escape(one)} '
        f"{words(one)}</span></button></li>"
        for n, one in enumerate(criteria.exclude, 1)
    )
    made = f'<h3><mark class="for">Include</mark> if</h3><ul>{include}</ul>' if include else ""
    if exclude:
        made += f'<h3><mark class="against">Exclude</mark> if</h3><ol>{exclude}</ol>'
    return made


def _reasons(session: ScreeningSession) -> list[str]:
    """The criteria to exclude by, and the reasons that were given before."""
    given = [d.reason for d in session.screening.decisions if d.reason]
    return list(dict.fromkeys([*session.screening.criteria.exclude, *given]))[:100]


def _buttons(paper: Paper | None, reasons: Sequence[str]) -> str:
    disabled = "" if paper else " disabled"
    verdicts = "".join(
        f'<button type="button" class="button" data-act="screen-decide" '
        f'data-verdict="{verdict}" aria-keyshortcuts="{key}"{disabled}>{verdict.capitalize()} '
        f"<kbd>{key}</kbd></button>"
        for verdict, key in _KEYS.items()
    )
    options = "".join(f'<option value="{escape(one)}"></option>' for one in reasons)
    reason = (
        '<input name="reason" list="screen-reasons" maxlength="300" autocomplete="off" '
        'aria-label="Reason" placeholder="Reason (Enter excludes)">'
        f'<datalist id="screen-reasons">{options}</datalist>'
        if paper
        else ""
    )
    return (
        f'<form class="screen-do" data-form="screen-do"><div>{verdicts}<button type="button" '
        'class="button undo" data-act="screen-undo" aria-keyshortcuts="U">Undo <kbd>U</kbd>'
        f'</button></div>{reason}</form><div class="screen-foot"><p id="screen-last" class="quiet">'
        '</p><label class="quiet"><input type="checkbox" name="keys" checked> Letter keys</label>'
        "</div>"
    )


# -- below: how far it is, what was decided -----------------------------------------------------


def more(session: ScreeningSession, look: Look, estimate: Estimate) -> tuple[str, str]:
    """How far it is; and the list, the reviewers, the criteria, in and out, PRISMA."""
    return _progress(session, look, estimate), "".join(
        (
            _decided(session, look),
            _reviewers(session),
            _criteria_form(session.screening.criteria),
            _in_and_out(),
            _prisma(session),
        )
    )


def _progress(session: ScreeningSession, look: Look, estimate: Estimate) -> str:
    mine = sum(d.reviewer == look.reviewer for d in session.screening.decisions)
    total = max(1, len(session.papers))
    parts = [f"{estimate.included:,} included"]
    others = estimate.decided - mine
    if others > 0:
        parts.append(f"{estimate.decided:,} decided in all")
    if estimate.unfound is not None:
        parts.append(f"about {estimate.unfound:.0f} still unfound, by estimate")
    bar = progress(mine / total, f"{mine:,} of {total:,} decided by you", " · ".join(parts))
    return f"{bar}{_stopping(estimate)}"


def _stopping(estimate: Estimate) -> str:
    """Whether to go on, in words."""
    if estimate.stop:
        return (
            f'<p class="notes stop">The last {estimate.since_last:,} papers were excluded, and the '
            "estimate finds next to nothing left: stopping may be reasonable. It is an estimate "
            "from your own decisions, no guarantee.</p>"
        )
    if estimate.unfound is None and estimate.decided:
        return (
            '<p class="notes">What is unfound is estimated once five papers are included and five '
            "excluded.</p>"
        )
    if estimate.since_last > 4:
        return f'<p class="notes">{estimate.since_last:,} excluded in a row. Go on for now.</p>'
    return ""


def _details(name: str, head: str, inner: str) -> str:
    return (
        f'<details class="screen-part" data-part="{name}"><summary><h2>{head}</h2></summary>'
        f"{inner}</details>"
    )


def _decided(session: ScreeningSession, look: Look) -> str:
    by_paper = session.screening.by_paper()
    final, conflicts = session.screening.final(), set(session.screening.conflicts())
    words = look.words.casefold().split()

    def fits(paper_id: str) -> bool:
        said = by_paper.get(paper_id, {})
        if look.show == "open":
            wanted = not said
        elif look.show == "conflicts":
            wanted = paper_id in conflicts
        elif look.show == "mine":
            wanted = look.reviewer in said
        else:
            wanted = bool(said) and look.show in ("", final[paper_id])
        paper = session.papers[paper_id]
        told = " ".join([paper.title, *paper.authors, *(d.reason for d in said.values())])
        return wanted and all(word in told.casefold() for word in words)

    last = [p for p in reversed(by_paper) if p in session.papers]  # decided last, shown first
    found = [p for p in (session.papers if look.show == "open" else last) if fits(p)]
    pages = max(1, -(-len(found) // _PAGE))
    page = min(look.page, pages - 1)
    rows = "".join(
        _row(session.papers[p], by_paper.get(p, {}), look, p in conflicts)
        for p in found[page * _PAGE : (page + 1) * _PAGE]
    )
    options = "".join(
        f'<option value="{value}"{" selected" if value == look.show else ""}>{name}</option>'
        for value, name in SHOWN.items()
    )
    turns = "".join(
        f'<button type="button" class="button small" data-act="screen-page" data-page="{to}"'
        f"{'' if 0 <= to < pages else ' disabled'}>{label}</button>"
        for label, to in (("Earlier", page - 1), ("Further", page + 1))
    )
    count = f"{len(found):,} paper{'' if len(found) == 1 else 's'}"
    return _details(
        "decided",
        f"Papers and decisions ({len(by_paper):,})",
        '<div class="table-tools"><input type="search" id="screen-words" value="'
        f'{escape(look.words)}" aria-label="Find decided papers" placeholder="Find by words or '
        f'reason…"><select id="screen-show" aria-label="Which papers">{options}</select></div>'
        f'<ul class="decided" data-page="{page}">{rows}</ul><div class="pager"><div role="status">'
        f"{count}</div><span>{turns if pages > 1 else ''}</span></div>",
    )


def _row(paper: Paper, said: Mapping[str, Decision], look: Look, conflict: bool) -> str:
    own = said.get(look.reviewer)
    others = "".join(
        f'<span class="tag" data-verdict="{d.verdict}">{escape(d.reviewer)}: '
        f"{PAST[d.verdict].lower()}{f' ({escape(d.reason)})' if d.reason else ''}</span>"
        for d in said.values()
        if d.reviewer != look.reviewer
    )
    why = f'<span class="quiet">{escape(own.reason)}</span>' if own and own.reason else ""
    settle = ""
    if conflict or CONSENSUS in said:
        settle = _choice(paper, said.get(CONSENSUS), CONSENSUS, "Settled as")
    return (
        f'<li><div><button type="button" class="link" data-act="source" '
        f'data-paper="{escape(paper.id)}" data-library="{look.library}">{paper_html(paper.label)}'
        f'</button> {why}<div class="tags">{others}</div></div><div class="choices">'
        f"{_choice(paper, own, look.reviewer, 'You')}{settle}</div></li>"
    )


def _choice(paper: Paper, now: Decision | None, reviewer: str, label: str) -> str:
    """A decision that can be changed."""
    verdict = now.verdict if now else ""
    options = "".join(
        f'<option value="{value}"{" selected" if value == verdict else ""}>{name}</option>'
        for value, name in (("", "Not decided"), *PAST.items())
    )
    reason = now.reason if now else ""
    return (
        f'<label>{label} <select class="choice" data-paper="{escape(paper.id)}" '
        f'data-now="{verdict}" data-reason="{escape(reason)}" data-reviewer="{escape(reviewer)}" '
        f'aria-label="{label}: {escape(paper.label)}">{options}</select></label>'
    )


def _reviewers(session: ScreeningSession) -> str:
    counts: dict[str, dict[str, int]] = {}
    for decision in session.screening.decisions:
        row = counts.setdefault(decision.reviewer, dict.fromkeys(PAST, 0))
        row[decision.verdict] += 1
    rows = "".join(
        f'<tr><th scope="row">{escape(who)}</th>'
        f"{''.join(f'<td>{n:,}</td>' for n in row.values())}</tr>"
        for who, row in counts.items()
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Reviewer", *PAST.values()))
    table = f'<table class="origins"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    pairs = "".join(
        f"<li>{escape(pair)}: kappa {kappa:.2f}</li>" for pair, kappa in session.agreement().items()
    )
    agreement = f'<p>Agreement (Cohen’s kappa):</p><ul class="plain">{pairs}</ul>' if pairs else ""
    conflicts = len(session.screening.conflicts())
    named = f"Reviewers ({len(counts)})" + (f", conflicts ({conflicts})" if conflicts else "")
    if conflicts:
        agreement += (
            f'<p><button type="button" class="button small" data-act="screen-conflicts">Show '
            f"{conflicts:,} conflict{'' if conflicts == 1 else 's'}</button></p>"
        )
    none = '<p class="quiet">Nobody has decided anything yet.</p>'
    return _details("reviewers", named, f"{table}{agreement}" if rows else none)


def _criteria_form(criteria: Criteria) -> str:
    return _details(
        "criteria",
        "Criteria",
        '<form class="criteria" data-form="screen-criteria"><label>One a line, beginning with '
        f'“include:” or “exclude:”<textarea name="text" rows="6" maxlength="20000">'
        f'{escape(str(criteria))}</textarea></label><div class="row-buttons"><button '
        'class="button small">Save criteria</button> <button type="button" class="link" '
        'data-act="criteria-file">Load from a file…</button></div></form>',
    )


def _in_and_out() -> str:
    saves = "".join(
        f'<button type="button" class="button small" data-act="screen-save" data-form="{form}">'
        f"{name}</button>"
        for form, name in _FORMS.items()
    )
    return _details(
        "files",
        "Export, import",
        f'<div class="saves">{saves}</div><form class="bring" data-form="screen-import"><p>Past '
        "decisions: a CSV, TSV or RIS file of ASReview, Rayyan or Covidence. What was decided here "
        'stays.</p><label>Decided by<input name="who" maxlength="60" placeholder="me, if the file '
        'names nobody"></label><label>Where the file has no verdicts, all are<select name="every">'
        '<option value="">not taken</option><option value="include">included</option><option '
        'value="exclude">excluded</option></select></label><button class="button small">Choose a '
        "file…</button></form>",
    )


def _prisma(session: ScreeningSession) -> str:
    counts = session.screening.prisma()
    rows = "".join(
        f'<tr><th scope="row">{escape(name[:1].upper() + name[1:])}</th><td>{n:,}</td></tr>'
        for name, n in counts.items()
    )
    return _details(
        "prisma",
        "PRISMA",
        f'<div class="prisma"><img alt="" src="data:image/svg+xml,{quote(session.written("svg"))}">'
        "</div>"
        f'<table class="origins"><caption class="visually-hidden">PRISMA counts</caption><tbody>'
        f"{rows}</tbody></table>",
    )
