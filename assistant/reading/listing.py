"""Saved listing pages of the Daily Papers kind: a title, its abstract, the next title, …

One line a title, one line an abstract, with or without empty lines between. A text is such a page
if the page's frame stands in it, or if all of it reads so: `is_listing`; any text in which a short
line is followed by a long one is not. The page's own frame
("Subscribe", "Daily Papers", a date) stands before the first title, and the last word of it may be
glued to that title. Nothing marks what a line is, so each is judged by how it reads (`_prose`), and
where the lines around an entry do not alternate, by which title's words the abstract repeats. An
entry that is damaged is rejected by line number; its neighbours stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TextIO

from assistant.paper import Paper
from assistant.reading.abstracts import clean_abstract, clean_text
from assistant.reading.streams import numbered_lines
from assistant.results import Rejection

__all__ = ["is_listing", "read_listing"]

_DAYS = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\ "
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_FRAME = re.compile(
    rf"""new | subscribe | daily\ papers | get\ trending\ papers\ in\ your\ email\ inbox.*
    | by\ ?ak\ and\ the\ research\ community
    | (?:{_DAYS})?(?:{_MONTHS})[a-z]*\.?\ \d{{1,2}}(?:,?\ \d{{4}})?
    | \d{{1,2}}\ (?:{_MONTHS})[a-z]*\.?(?:\ \d{{4}})? | \d{{4}}-\d\d-\d\d | [\W\d_]*""",
    re.VERBOSE | re.IGNORECASE,
)
_GLUED = re.compile(r"Subscribe(?!(?:r|rs|d|s)?(?![A-Za-z]))(?=\S)")
_SENTENCE_BREAK = re.compile(r"[a-z0-9)\]%][.!?][\"”’)]*\s+[A-Z]")
_SENTENCE_END = re.compile(r"[.!?…。]['\"’”)\]}*$]*$")
_ADDRESS_END = re.compile(r"(?:https?://|www\.|\w\.(?:com|org|io|net)/)\S*$")
_KEYWORDS_END = re.compile(r"(?:key ?words|index terms)\b.{0,300}$", re.IGNORECASE)
_NARRATION = re.compile(r"(?:We|This|These|In this|In order|Our|Here|The authors|It)\b")
_COMMON = re.compile(
    "all|and|are|can|does|each|for|from|has|have|how|into|its|more|not|our|than|that|the|their"
    "|them|these|they|this|via|what|when|which|why|with|you|your"
)
_FRAME_MARK = re.compile(
    r"(?i:daily papers$|get trending papers in your email|by ?ak and the research community)"
    r"|Subscribe$|Subscribe(?=[A-Z0-9])",
)
_FRAME_LINES = 12
_ENOUGH_PAIRS = 3
_SCHOLARLY = re.compile(
    r"\b(?:we|this (?:paper|work|study|article|review|survey|report|chapter|thesis|research)"
    r"|(?:the|in this) (?:paper|study|article|review)|the authors?|our (?:results|findings|method"
    r"|approach|experiments|analysis|study)|(?:results|findings|experiments) (?:show|suggest"
    r"|indicate|demonstrate|reveal|confirm)|(?:was|were) (?:studied|measured|investigated|observed"
    r"|analy[sz]ed|examined|assessed|evaluated|compared|determined))\b",
    re.IGNORECASE,
)
_FRAME_WORDS = 6  # an unknown line of the frame hardly has more
_MOST_WAITING = 200  # lines held while no abstract comes


def _prose(line: str) -> bool:
    """Whether a line reads like an abstract rather than like a title.

    Abstracts are long, end like a sentence, hold several, and are in lower case; none of these
    is true of all. The weights let any two of them outvote a short length: a title of 300
    characters stays a title, an abstract of one line stays an abstract.
    """
    words = [word for word in line.split() if len(word) > 3]
    lower = sum(word[0].islower() for word in words)
    score = len(line) / 350
    score += 0.5 * (line.endswith((".", ".)", '."')) and len(words) > 3)
    score += 0.35 * bool(_SENTENCE_BREAK.search(line))
    score += 0.25 * (lower > 0.6 * len(words))
    score += 0.2 * bool(_NARRATION.match(line))
    return score >= 1


@dataclass
class _Line:
    number: int
    text: str

    def likeness(self, other: _Line) -> float:
        """The share of this line's words that the other one has too, by their beginnings."""
        stems = _stems(self.text)
        return len(stems & _stems(other.text)) / len(stems) if stems else 0.0


def _stems(text: str) -> set[str]:
    words = (word.lower() for word in re.findall(r"[^\W_]{3,}", text))
    return {word[:5] for word in words if not _COMMON.fullmatch(word)}


@dataclass
class _Block:
    """Lines that read like titles, followed by lines that read like abstracts: mostly one each."""

    titles: list[_Line] = field(default_factory=list)
    abstracts: list[_Line] = field(default_factory=list)


def is_listing(head: str) -> bool:
    """Whether a text is a saved listing page: its frame says so, or its lines without exception.

    Without the frame, three titles at least alternate with abstracts; nearly every abstract
    repeats words of its title and speaks of itself as papers do.
    """
    lines = [" ".join(line.split()) for line in head.splitlines()]
    if head and not head.endswith("\n") and len(lines) > 20:
        lines.pop()  # cut by the end of the head
    framed = any(map(_FRAME_MARK.match, [line for line in lines if line][:_FRAME_LINES]))
    texts = [_GLUED.sub("", line) for line in lines if line and not _FRAME.fullmatch(line)]
    kinds = [_prose(line) for line in texts]
    pairs = [
        (texts[place], texts[place + 1])
        for place, (a, b) in enumerate(pairwise(kinds))
        if not a and b
    ]
    if framed:
        return bool(pairs)
    return (
        len(pairs) >= _ENOUGH_PAIRS
        and len(pairs) >= 0.45 * len(texts)
        and sum(_is_entry(*pair) for pair in pairs) >= 0.8 * len(pairs)
    )


def _is_entry(title: str, abstract: str) -> bool:
    """Whether two lines read like a title and its abstract, whatever stands around them."""
    return (
        len(title.split()) >= 3
        and title[0].isalnum()
        and not title.endswith((".", ",", ";", ":"))
        and len(abstract) >= 200
        and (_SCHOLARLY.search(abstract) is not None)
        and _Line(0, title).likeness(_Line(0, abstract)) >= 0.2
    )


def read_listing(stream: TextIO, source: str) -> Iterator[Paper | Rejection]:
    """The papers of a saved page, and what had to be left out."""
    page = _Page(source)
    block = _Block()
    ends_in_line = False
    for number, line in numbered_lines(stream):
        if line is None:
            yield page.rejected(_Line(number, ""), "the line is too long to be an abstract")
            continue
        ends_in_line = not line.endswith("\n")
        text = _GLUED.sub("", " ".join(line.replace("\ufeff", " ").split()), count=1)
        if _FRAME.fullmatch(text):
            continue
        if _prose(text):
            block.abstracts.append(_Line(number, text))
            held = block.abstracts
        else:
            if block.abstracts:
                yield from page.resolved(block)
                block = _Block()
            block.titles.append(_Line(number, text))
            held = block.titles
        if len(held) > _MOST_WAITING:
            yield from page.resolved(block)
            block = _Block()
    yield from page.resolved(block, cut=ends_in_line)


@dataclass
class _Page:
    source: str

    def rejected(self, line: _Line, reason: str) -> Rejection:
        return Rejection(source=self.source, where=f"line {line.number}", reason=reason)

    def resolved(self, block: _Block, *, cut: bool = False) -> Iterator[Paper | Rejection]:
        """The paper of a block, and rejections for its other lines, in the page's order.

        Args:
            block: a run of titles and the run of abstracts after it.
            cut: the page ends with this block's last line, without a line end.

        """
        results: list[tuple[int, Paper | Rejection]] = []
        title, abstract = self._pair(block)
        results += [
            (line.number, self._lone_title(line, last=cut and not block.abstracts))
            for line in block.titles
            if line is not title
        ]
        results += [
            (line.number, self.rejected(line, "an abstract without a title before it"))
            for line in block.abstracts
            if line is not abstract
        ]
        if title and abstract:
            last = abstract is block.abstracts[-1]
            results.append((title.number, self._paper(title, abstract, cut=cut and last)))
        return iter([result for _, result in sorted(results, key=lambda pair: pair[0])])

    def _pair(self, block: _Block) -> tuple[_Line | None, _Line | None]:
        """The title and abstract that belong together.

        Normally the last title and the first abstract. Where several stand together, a line of
        the page's frame may be among them: then the abstract repeats the true title's words, and
        hardly any of that line's. (Measured on 571 real entries: an abstract taken away never
        misleads this; one of 16 usual frame lines, put behind the title, does in 4.5%.)
        """
        if not block.titles or not block.abstracts:
            return None, None
        title, abstract = block.titles[-1], block.abstracts[0]
        for other in block.abstracts[1:]:
            if title.likeness(abstract) < 0.3 and title.likeness(other) >= 0.5:
                abstract = other
        for other in reversed(block.titles[-6:-1]):
            weak, strong = title.likeness(abstract), other.likeness(abstract)
            if len(title.text.split()) <= _FRAME_WORDS and (
                (strong and not weak) or (strong >= 0.3 and strong > 1.5 * weak)
            ):
                title = other
        return title, abstract

    def _lone_title(self, line: _Line, *, last: bool) -> Rejection:
        shown = line.text if len(line.text) <= 80 else line.text[:79] + "…"
        if last:
            return self.rejected(line, f"the page ends before an abstract of “{shown}”")
        return self.rejected(line, f"no abstract after “{shown}” (or it is not a title)")

    def _paper(self, title: _Line, abstract: _Line, *, cut: bool) -> Paper | Rejection:
        if cut and not _is_whole(abstract.text):
            return self.rejected(title, "the page ends in the middle of this paper's abstract")
        raw = {"title": title.text, "abstract": abstract.text}
        clean = {"title": clean_text(title.text), "abstract": clean_abstract(abstract.text)}
        return Paper(
            title=clean["title"],
            abstract=clean["abstract"],
            source=self.source,
            original={name: text for name, text in raw.items() if text != clean[name]},
        )


def _is_whole(abstract: str) -> bool:
    """Whether an abstract ends like one: a sentence, an address, a list of keywords."""
    endings = (_SENTENCE_END, _ADDRESS_END, _KEYWORDS_END)
    return any(ending.search(abstract) for ending in endings)
