"""Markdown of an answer to HTML in which nothing runs and nothing is fetched.

HTML in the text is shown as text, links lead to http(s) only and pictures are shown as links.
Citation markers become chips; sentences that are not fully supported are marked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.results import Citation, Sentence

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

__all__ = ["chip", "safe_link", "to_html"]

_OPEN, _CLOSE, _FLAG = "\ue000", "\ue001", "\ue002"
_CHIP, _CHIP_END = "\ue003", "\ue004"
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
_MARKER = re.compile(r"\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]")
_AFTER = re.compile(r"(?:\s*\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\])*[.!?]?")
_WORDS = {"partial": "partly supported", "unsupported": "not supported"}
_BLOCK = re.compile(r"</?(?:p|ul|ol|li|h\d|table|tr|td|th|pre|blockquote|hr)\b")


def safe_link(url: str | None) -> str | None:
    """``url`` where it is a web address, else None."""
    if not url:
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme.lower() in ("http", "https") and parts.netloc else None


def to_html(
    text: str,
    citations: Sequence[Citation] = (),
    sentences: Sequence[Sentence] = (),
    *,
    library: str = "own",
) -> str:
    """An answer's text as HTML."""
    html = _parser().render(_with_sentences(_PRIVATE.sub("", text), sentences))
    known = {citation.number: citation for citation in citations}
    html = re.sub(
        f"{_CHIP}(\\d+)(?::(\\d+))?{_CHIP_END}",
        lambda found: _chip_of(found, known, sentences, library),
        html,
    )
    return _with_marks(html)


def chip(
    citation: Citation, *, library: str, sentence: Sentence | None = None, tag: str = "button"
) -> str:
    """The numbered chip of a citation; the sentence's own quote and verdict come first."""
    quote, support, why = citation.quote, citation.support, citation.why
    if sentence is not None and len(sentence.citations) == 1:
        quote = sentence.quote or quote
        why = sentence.why or why
        support = sentence.support if sentence.support in _WORDS else support  # type: ignore[assignment]
    label = f"Source {citation.number}: {citation.title}"
    data = {
        "act": "source",
        "paper": citation.paper_id,
        "number": str(citation.number),
        "title": citation.title,
        "quote": quote,
        "support": support,
        "score": f"{citation.support_score:.3f}",
        "why": why,
        "library": library,
    }
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    if tag == "span":
        return f'<span class="chip {support}" aria-hidden="true">{citation.number}</span>'
    return (
        f'<button type="button" class="chip {support}" aria-label="{escape(label)}" '
        f"{attributes}>{citation.number}</button>"
    )


def _chip_of(
    found: re.Match[str],
    known: Mapping[int, Citation],
    sentences: Sequence[Sentence],
    library: str,
) -> str:
    number = int(found[1])
    if number not in known:
        return f'<span class="chip pending">{number}</span>'
    at = int(found[2]) if found[2] else None
    sentence = sentences[at] if at is not None and at < len(sentences) else None
    return chip(known[number], library=library, sentence=sentence)


def _with_sentences(text: str, sentences: Sequence[Sentence]) -> str:
    """The Markdown with chips for markers, and signs around sentences that need a mark."""
    pieces: list[str] = []
    done = 0
    for at, sentence in enumerate(sentences):
        start = text.find(sentence.text, done) if sentence.text else -1
        if start < 0:
            continue
        rest = _AFTER.match(text, start + len(sentence.text))
        end = rest.end() if rest else start + len(sentence.text)
        said = _numbered(text[start:end], at)
        if sentence.support in _WORDS:
            sign = "u" if sentence.support == "unsupported" else "p"
            said = f"{_OPEN}{sign}{said}{_CLOSE}{_FLAG}{sign}"
        pieces += [_numbered(text[done:start], None), said]
        done = end
    return "".join([*pieces, _numbered(text[done:], None)])


def _numbered(text: str, at: int | None) -> str:
    """``text`` with signs in place of its markers."""

    def signs(found: re.Match[str]) -> str:
        where = "" if at is None else f":{at}"
        numbers: list[int] = []
        for part in re.split(r"[,;]", found[0][1:-1]):
            ends = [int(n) for n in re.split(r"[–-]", part)]
            numbers += range(ends[0], min(ends[-1], ends[0] + 20) + 1)
        return "".join(f"{_CHIP}{n}{where}{_CHIP_END}" for n in numbers)

    return _MARKER.sub(signs, text)


def _with_marks(html: str) -> str:
    """The signs around sentences as HTML; a sentence over several blocks gets its flag only."""

    def said(found: re.Match[str]) -> str:
        kind, inner = ("unsupported" if found[1] == "u" else "partial"), found[2]
        whole = not _BLOCK.search(inner) and _balanced(inner)
        return f'<span class="said {kind}">{inner}</span>' if whole else inner

    html = re.sub(f"{_OPEN}([up])(.*?){_CLOSE}", said, html, flags=re.DOTALL)
    html = re.sub(
        f"{_FLAG}([up])",
        lambda f: (
            f'<span class="flag {"unsupported" if f[1] == "u" else "partial"}">'
            f"{_WORDS['unsupported' if f[1] == 'u' else 'partial']}</span>"
        ),
        html,
    )
    return re.sub(f"{_OPEN}[up]|{_CLOSE}", "", html)


def _balanced(html: str) -> bool:
    open_tags: list[str] = []
    for closing, name in re.findall(r"<(/?)(\w+)[^>]*>", html):
        if not closing:
            open_tags.append(name)
        elif not open_tags or open_tags.pop() != name:
            return False
    return not open_tags


_made: MarkdownIt | None = None


def _parser() -> MarkdownIt:
    global _made  # noqa: PLW0603  a parser without state, made once
    if _made is None:
        from markdown_it import MarkdownIt  # noqa: PLC0415

        made = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
            ["table", "strikethrough"]
        )
        made.disable(["image", "html_block", "html_inline"])
        made.validateLink = lambda url: safe_link(url) is not None  # type: ignore[method-assign]
        made.add_render_rule("link_open", _link_open)
        _made = made
    return _made


def _link_open(self: object, tokens: Sequence[object], idx: int, *_: object) -> str:
    del self
    url = getattr(tokens[idx], "attrs", {}).get("href", "")
    return f'<a href="{escape(str(url))}" target="_blank" rel="noopener noreferrer nofollow">'
