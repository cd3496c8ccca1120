"""Markdown of an answer to HTML in which nothing runs and nothing is fetched.

HTML in the text is shown as text, links lead to http(s) only and pictures are shown as links.
Citation markers become chips and sentences that are not fully supported are marked, in the
parsed text: no mark changes what is a list, a table, a heading or emphasis. What stands in a
paper (a quotation, a title) is text, whatever signs are in it; only its formulas are formulas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.results import Citation, Sentence

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

__all__ = ["chip", "paper_html", "safe_link", "source_data", "to_html"]

_OPEN, _CLOSE = "\ue010", "\ue011"
"""Stand for the brackets of a paper's text, which are no citation."""
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")
_MARKER = re.compile(r"\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]")
_ANY_MARKER = re.compile(rf"[\[{_OPEN}]\d{{1,3}}(?:\s*[,;–-]\s*\d{{1,3}})*[\]{_CLOSE}]")
_AFTER = re.compile(r"[^\w\s\[]*(?:\s*\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\])*[^\w\s\[]*")
_SIGN = re.compile(r"[.,;:!?)]+")
_BLOCK_SIGN = re.compile(r"^[ \t]*(?:(?:[-*+>|]|#{1,6}|\d{1,3}[.)])[ \t]+)*", re.MULTILINE)
_SPECIAL = re.compile(r"[\\`*_<>#|~&+-]|(?<=\d)\.")
_MEANS_SOMETHING = re.compile(r"[\\`*_<>#|~&\[\]]|^\d+[.)]|^[-+]\s")
"""What Markdown would take for more than text."""
_MATH = re.compile(
    r"(?<![\\$\w])\$\$(?P<display>[^$]+)\$\$(?!\$)"
    r"|(?<![\\$\w])\$(?![\s$])(?P<inline>[^$\n]*?[^\s\\$])\$(?![\d$])"
    r"|\\\((?P<round>.+?)\\\)|\\\[(?P<square>.+?)\\\]",
    re.DOTALL,
)
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
_WORDS = {"partial": "partly supported", "unsupported": "not supported"}


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
    related: bool = False,
) -> str:
    """An answer's text as HTML.

    Args:
        related: the answer is none; its papers are near the question and no more.
    """
    source = _with_dollars(_protected(_PRIVATE.sub("", text), citations, sentences))
    marks = _Marks({c.number: c for c in citations}, sentences, library, related)
    html: str = _parser().render(source, {"marks": marks})
    return html.replace(_OPEN, "[").replace(_CLOSE, "]")


def paper_html(text: str, plain: Callable[[str], str] = escape) -> str:
    """A paper's own text: escaped, letter for letter, its formulas marked as such.

    ``plain``: how what stands between formulas is written, which has to escape it.
    """
    parts, done = [], 0
    for found in _MATH.finditer(text):
        tex = next(part for part in found.groups() if part is not None)
        display = found["display"] is not None or found["square"] is not None
        parts += [plain(text[done : found.start()]), _formula(tex, found[0], display=display)]
        done = found.end()
    return "".join([*parts, plain(text[done:])])


def chip(
    citation: Citation,
    *,
    library: str,
    sentence: Sentence | None = None,
    tag: str = "button",
    related: bool = False,
) -> str:
    """The numbered chip of a citation; the sentence's own quote and verdict come first."""
    quote, support, why = citation.quote, citation.support, citation.why
    if sentence is not None and len(sentence.citations) == 1:
        quote = sentence.quote or quote
        why = sentence.why or why
        support = sentence.support if sentence.support in _WORDS else support  # type: ignore[assignment]
    if tag == "span":
        return f'<span class="chip {support}" aria-hidden="true">{citation.number}</span>'
    shown = citation.model_copy(update={"quote": quote, "support": support, "why": why})
    label = f"Source {citation.number}: {citation.title}"
    return (
        f'<button type="button" class="chip {support}" aria-label="{escape(label)}" '
        f"{source_data(shown, library=library, related=related)}>{citation.number}</button>"
    )


def source_data(citation: Citation, *, library: str, related: bool) -> str:
    """What the page's script has to know of a citation to show its paper, as attributes."""
    data = {
        "act": "source",
        "paper": citation.paper_id,
        "number": str(citation.number),
        "title": citation.title,
        "quote": citation.quote,
        "support": citation.support,
        "score": f"{citation.support_score:.3f}",
        "why": citation.why,
        "library": library,
        "related": "1" if related else "",
    }
    return " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())


# -- before it is parsed -------------------------------------------------------------------------


def _protected(text: str, citations: Sequence[Citation], sentences: Sequence[Sentence]) -> str:
    """``text`` with the words of papers in it written so that Markdown leaves them alone."""
    pieces = {citation.title for citation in citations}
    for quote in [*(c.quote for c in citations), *(s.quote for s in sentences)]:
        pieces.update(part.strip() for part in quote.split("…"))
    special = [p for p in pieces if len(p) > 2 and _MEANS_SOMETHING.search(p)]
    if not special:
        return text
    wanted = re.compile("|".join(re.escape(p) for p in sorted(special, key=len, reverse=True)))
    return wanted.sub(lambda found: _literally(found[0]), text)


def _literally(text: str) -> str:
    """A paper's text as Markdown that shows it letter for letter, but for its formulas."""
    parts, done = [], 0
    for found in _MATH.finditer(text):
        parts += [_escaped(text[done : found.start()]), found[0]]
        done = found.end()
    return "".join([*parts, _escaped(text[done:])])


def _escaped(text: str) -> str:
    text = _SPECIAL.sub(lambda found: "\\" + found[0], text)
    return text.replace("[", _OPEN).replace("]", _CLOSE)


def _with_dollars(text: str) -> str:
    r"""``text`` with the formulas of ``\(…\)`` and ``\[…\]`` in dollars, outside of code."""
    parts = _CODE.split(text)
    for n in range(0, len(parts), 2):
        parts[n] = re.sub(r"(?<!\\)\\\((.+?)\\\)", lambda f: f"${f[1].strip()}$", parts[n])
        parts[n] = re.sub(
            r"(?<!\\)\\\[(.+?)\\\]", lambda f: f"$${f[1].strip()}$$", parts[n], flags=re.DOTALL
        )
    return "".join(parts)


# -- in what was parsed --------------------------------------------------------------------------


@dataclass
class _Range:
    """A stretch of one text token that belongs to a sentence; ``last``: the sentence ends here."""

    start: int
    end: int
    sentence: int
    last: bool = False


class _Marks:
    """Chips and flags for one answer."""

    def __init__(
        self,
        known: Mapping[int, Citation],
        sentences: Sequence[Sentence],
        library: str,
        related: bool,
    ) -> None:
        self._known, self._sentences = known, sentences
        self._library, self._related = library, related

    def put(self, tokens: Sequence[Token]) -> None:
        """Puts them into the inline tokens of a parsed text."""
        blocks = [token for token in tokens if token.type == "inline" and token.children]
        texts = [
            (block, n)
            for block in blocks
            for n, child in enumerate(block.children or ())
            if child.type in ("text", "code_inline", "math_inline")
        ]
        ranges = self._ranges([_child(block, n).content for block, n in texts])
        placed: dict[int, dict[int, list[_Range]]] = {}
        for (block, n), found in zip(texts, ranges, strict=True):
            placed.setdefault(id(block), {})[n] = found
        heads = {id(t) for before, t in pairwise(tokens) if before.type == "th_open"}
        for block in blocks:
            self._rebuild(block, placed.get(id(block), {}), claims=id(block) not in heads)

    def _ranges(self, texts: Sequence[str]) -> list[list[_Range]]:
        """For each text, the stretches of sentences in it, in order."""
        skeleton = [
            (letter, n, at) for n, text in enumerate(texts) for letter, at in _letters(text)
        ]
        whole = "".join(letter for letter, _, _ in skeleton)
        found: list[list[_Range]] = [[] for _ in texts]
        done = 0
        for k, sentence in enumerate(self._sentences):
            wanted = "".join(c for c, _ in _letters(_BLOCK_SIGN.sub("", sentence.text)))
            start = whole.find(wanted, done) if wanted else -1
            if start < 0:
                continue
            done = start + len(wanted)
            _, first, begin = skeleton[start]
            _, last, end = skeleton[done - 1]
            for n in range(first, last + 1):
                text = texts[n]
                one = _Range(0, len(text), k)
                if n == first:
                    floor = found[n][-1].end if found[n] else 0
                    one.start = _word_start(text, begin, floor)
                if n == last:
                    after = _AFTER.match(text, end + 1)
                    one.end = after.end() if after else end + 1
                    one.last = True
                found[n].append(one)
        return found

    def _rebuild(self, block: Token, ranges: Mapping[int, list[_Range]], *, claims: bool) -> None:
        """``claims``: whether it can be unsupported, which the head of a table cannot."""
        from markdown_it.token import Token  # noqa: PLC0415

        made: list[Token] = []
        owed = ""  # a flag that waits until the emphasis or link around its sentence is closed
        depth = 0
        for n, child in enumerate(block.children or ()):
            depth += child.nesting
            if child.type != "text":
                here = ranges.get(n, []) if claims else []
                made.append(child)
                flags = "".join(self._flag(r.sentence) for r in here if r.last)
                owed += flags
            else:
                html, flags = self._text(child.content, ranges.get(n, []) if claims else [])
                made.append(Token("html_inline", "", 0, content=html))
                owed += flags
            if owed and depth == 0:
                made.append(Token("html_inline", "", 0, content=owed))
                owed = ""
        if owed:
            made.append(Token("html_inline", "", 0, content=owed))
        block.children = made

    def _text(self, text: str, ranges: Sequence[_Range]) -> tuple[str, str]:
        """A text token as HTML; and the flag of a sentence that ends with it."""
        parts, done, owed = [], 0, ""
        for one in ranges:
            parts.append(self._chips(text[done : one.start], None))
            sentence = self._sentences[one.sentence]
            inner = self._chips(text[one.start : one.end], sentence)
            if sentence.support in _WORDS and inner.strip():
                inner = f'<span class="said {sentence.support}">{inner}</span>'
            parts.append(inner)
            done = one.end
            if one.last:
                flag = self._flag(one.sentence)
                if done < len(text):
                    parts.append(flag)
                else:
                    owed = flag
        return "".join([*parts, self._chips(text[done:], None)]), owed

    def _flag(self, at: int) -> str:
        support = self._sentences[at].support
        if support not in _WORDS:
            return ""
        return f'<span class="flag {support}">{_WORDS[support]}</span>'

    def _chips(self, text: str, sentence: Sentence | None) -> str:
        parts, done = [], 0
        for found in _MARKER.finditer(text):
            numbers = list(_numbers(found[0]))
            if not self._is_citation(numbers, sentence):
                continue
            parts.append(escape(text[done : found.start()]))
            chips = "".join(self._chip(number, sentence) for number in numbers)
            done = found.end()
            sign = _SIGN.match(text, done)
            if sign:  # stands on the line of its chip
                chips = f'<span class="whole">{chips}{escape(sign[0])}</span>'
                done = sign.end()
            parts.append(chips)
        return "".join([*parts, escape(text[done:])])

    def _is_citation(self, numbers: Sequence[int], sentence: Sentence | None) -> bool:
        if sentence is not None and sentence.citations:
            return set(numbers) <= set(sentence.citations) | set(self._known)
        # while it is written, a citation may be read before it is known
        return set(numbers) <= set(self._known) or not self._sentences

    def _chip(self, number: int, sentence: Sentence | None) -> str:
        if number not in self._known:
            return f'<span class="chip pending">{number}</span>'
        return chip(
            self._known[number], library=self._library, sentence=sentence, related=self._related
        )


def _child(block: Token, n: int) -> Token:
    return (block.children or [])[n]


def _letters(text: str) -> Iterator[tuple[str, int]]:
    """The letters and digits of ``text`` that are no citation, with their places."""
    markers = {at for found in _ANY_MARKER.finditer(text) for at in range(*found.span())}
    for at, sign in enumerate(text):
        if sign.isalnum() and at not in markers:
            yield sign.lower()[:1], at


def _word_start(text: str, at: int, floor: int) -> int:
    while at > floor and not text[at - 1].isspace():
        at -= 1
    return at


def _numbers(marker: str) -> Iterator[int]:
    for part in re.split(r"[,;]", marker[1:-1]):
        ends = [int(n) for n in re.split(r"[–-]", part)]
        yield from range(ends[0], min(ends[-1], ends[0] + 20) + 1)


# -- the parser ------------------------------------------------------------------------------------


def _formula(tex: str, shown: str, *, display: bool) -> str:
    kind = "math display" if display else "math"
    return f'<span class="{kind}" data-tex="{escape(tex.strip())}">{escape(shown)}</span>'


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """The parser, which has no state and is made once."""
    from markdown_it import MarkdownIt  # noqa: PLC0415
    from mdit_py_plugins.dollarmath import dollarmath_plugin  # noqa: PLC0415

    made = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
        ["table", "strikethrough"]
    )
    made.disable(["image", "html_block", "html_inline"])
    dollarmath_plugin(
        made, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True
    )
    made.validateLink = lambda url: safe_link(url) is not None  # type: ignore[method-assign]
    made.add_render_rule("link_open", _link_open)
    for kind in ("math_inline", "math_inline_double", "math_block"):
        made.add_render_rule(kind, _math)
    made.core.ruler.push("marks", _put_marks)
    return made


def _put_marks(state: StateCore) -> None:
    marks = state.env.get("marks")
    if isinstance(marks, _Marks):
        marks.put(state.tokens)


def _math(self: object, tokens: Sequence[Token], idx: int, *_: object) -> str:
    del self
    token = tokens[idx]
    display = token.type != "math_inline"
    sign = "$$" if display else "$"
    tex = token.content.replace(_OPEN, "[").replace(_CLOSE, "]")
    made = _formula(tex, f"{sign}{tex}{sign}", display=display)
    return f"<p>{made}</p>" if token.type == "math_block" else made


def _link_open(self: object, tokens: Sequence[Token], idx: int, *_: object) -> str:
    del self
    url = tokens[idx].attrs.get("href", "")
    return f'<a href="{escape(str(url))}" target="_blank" rel="noopener noreferrer nofollow">'
