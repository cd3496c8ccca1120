"""Answers and conversations as files: for reading, for a reference manager, to take elsewhere."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Literal

from assistant.errors import AssistantError, PaperNotFound
from assistant.exporting import FORMATS
from assistant.paper import Paper
from assistant.ui.markdown import safe_link, to_html
from assistant.ui.turns import Turn, laid_out, markdown_of
from assistant.ui.visitors import Shelf

__all__ = ["Form", "file_name", "of_turns", "rich_text"]

Form = Literal["md", "html", "rich", "bib", "ris", "csl", "json"]
_WRITERS = {"bib": "bibtex", "ris": "ris", "csl": "csl"}
_ENDINGS = {"csl": "csl.json", "rich": "html"}


def file_name(title: str, ending: str) -> str:
    """A file's name that says what is in it."""
    plain = re.sub(r"[^\w]+", "-", title).strip("-")[:60].rstrip("-")
    return f"{plain or 'conversation'}.{ending}"


def of_turns(shelf: Shelf, turns: Sequence[Turn], title: str, form: Form) -> dict[str, str]:
    """``name`` and ``text`` of a file that holds ``turns``.

    Raises:
        PaperNotFound: the papers that are cited are no longer in the library.
        AssistantError: a library cannot be opened.
    """
    name = file_name(title, _ENDINGS.get(form, form))
    if form == "md":
        return {"name": name, "text": _markdown(turns, title)}
    if form == "html":
        return {"name": name, "text": _snapshot(turns, title)}
    if form == "rich":
        return {"name": name, "text": "".join(rich_text(turn) for turn in turns)}
    writer = FORMATS.get(_WRITERS.get(form, form))
    if writer is None:
        raise PaperNotFound(f"Papers cannot be written as {form} here.", "Choose BibTeX or RIS.")
    papers = list(_cited(shelf, turns))
    if not papers:
        raise PaperNotFound("The cited papers are no longer in the library.")
    keys: dict[str, str] = {}
    for library in dict.fromkeys(turn.library for turn in turns):
        keys = {**shelf.assistant(library).citation_keys(), **keys}
    return {"name": name, "text": "".join(writer(papers, keys))}


def _cited(shelf: Shelf, turns: Sequence[Turn]) -> Iterator[Paper]:
    """The papers that are cited, each once, in the order of their first citation."""
    seen: set[str] = set()
    for turn in turns:
        library = shelf.assistant(turn.library).library
        for citation in turn.answer.citations if turn.answer else ():
            if citation.paper_id not in seen:
                seen.add(citation.paper_id)
                with contextlib.suppress(AssistantError):  # removed meanwhile
                    yield library.paper(citation.paper_id)


def _markdown(turns: Sequence[Turn], title: str) -> str:
    parts = [f"# {title}\n"]
    for turn in turns:
        asked = "\n".join(f"> {line}" for line in turn.question.splitlines())
        parts.append(f"## Question\n\n{asked}\n")
        if turn.answer is not None:
            parts.append(markdown_of(turn.answer))
        if turn.failure is not None:
            parts.append(f"*{turn.failure.what} {turn.failure.do}*\n")
    return "\n".join(parts)


def rich_text(turn: Turn) -> str:
    """The answer with its references as plain HTML, for a word processor."""
    answer = turn.answer
    if answer is None:
        return ""
    shown = to_html(laid_out(answer), answer.citations, answer.sentences)
    shown = re.sub(r"<button[^>]*>(\d+)</button>", r"<sup>[\1]</sup>", shown)
    shown = re.sub(r'<span class="flag [a-z]+">([^<]*)</span>', r" <i>(\1)</i>", shown)
    rows = []
    for citation in answer.citations:
        link = safe_link(citation.url)
        title = escape(citation.title)
        named = f'<a href="{escape(link)}">{title}</a>' if link else title
        verdict = "" if citation.support == "supported" else f" <i>({citation.support})</i>"
        quote = f"<br><q>{escape(citation.quote)}</q>" if citation.quote else ""
        rows.append(f'<li value="{citation.number}">{named}{verdict}{quote}</li>')
    listed = f"<h3>References</h3><ol>{''.join(rows)}</ol>" if rows else ""
    return f"<div>{shown}{listed}</div>"


_STYLE = """:root{color-scheme:light dark}body{font:17px/1.6 Charter,Georgia,serif;max-width:44rem;
margin:3rem auto;padding:0 1.2rem}h1{font-size:1.7rem;line-height:1.25}h2{font-size:1.15rem;
border-top:1px solid #8884;padding-top:1.4rem;margin-top:2.4rem}h3{font-size:1rem}sup{line-height:0}
.said.unsupported{text-decoration:underline wavy #c0392b}.said.partial{text-decoration:
underline dotted #b97800}i,.quiet{opacity:.75}table{border-collapse:collapse}
td,th{border:1px solid #8886;padding:.3rem .6rem;text-align:left}li{margin:.5rem 0}
q{font-size:.93em}"""


def _snapshot(turns: Sequence[Turn], title: str) -> str:
    """One file that can be read anywhere and runs nothing."""
    parts = []
    for turn in turns:
        parts.append(f"<h2>{escape(turn.question)}</h2>")
        if turn.filters:
            parts.append(f'<p class="quiet">Asked {escape(str(turn.filters))}.</p>')
        answer = turn.answer
        if answer is not None and answer.passages and answer.status != "answered":
            told = "Not in this library." if answer.status == "absent" else "No direct answer."
            parts.append(f"<p><b>{told}</b></p>")
        parts.append(rich_text(turn))
        if turn.stopped:
            parts.append('<p class="quiet">Stopped; this is what there was.</p>')
        if turn.failure is not None:
            parts.append(f"<p><i>{escape(turn.failure.what)}</i></p>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width"><meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f'{"".join(parts)}<p class="quiet">Made by Abstract Assistant.</p></body></html>'
    )
