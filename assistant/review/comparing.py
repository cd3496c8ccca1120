"""What can truly be said across papers: each sentence follows from cells and cites both sides.

Alike: the same data, or a comparator with a name. Different: values of one measure, on one data
set, or on what need not be the same. Conflicting: the same quantity was found higher by one paper
and lower, or no different, by another; both sentences are quoted whole.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from assistant.answering.particulars import SMALL
from assistant.attribution import CUT, quoted, short_name
from assistant.paper import Paper
from assistant.review.cells import CHANGE, Material, Measured
from assistant.review.model import Cell, Quote, ReviewSentence
from assistant.text import STOP_WORDS, terms

__all__ = ["VERBATIM", "Statement", "across", "counted", "disagreements", "name_of"]

VERBATIM = "the abstract's own words"
_TITLE_WORDS = 8
_DISTINCT = re.compile(r"^(?=.{3})\S*(?:[A-Z]\S*[A-Z]|\d|-)\S*$")
"""A name that is no plain word."""
_SAME = 0.8
"""Share of the stems of two titles that both hold, from which on they are of one paper."""
_MOST = 4
"""Papers that one sentence sets side by side, and sentences of a kind, at the most."""
_SUMMARIES = frozenset(terms("average mean overall median total best highest lowest maximum"))
"""Stems that say how values were put together, not what was measured."""
_WORDS = ["no", *SMALL[:12]]


def counted(number: int, noun: str = "paper", plural: str = "") -> str:
    """Three papers, one paper, 14 papers; without a noun the number alone."""
    word = _WORDS[number] if number < len(_WORDS) else f"{number:,}"
    return f"{word} {noun if number == 1 else plural or noun + 's'}" if noun else word


def joined(parts: Sequence[str]) -> str:
    """One after the other: A, B and C."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def name_of(paper: Paper) -> str:
    """What the text calls a paper: its short name, else author and year, else its title, cut."""
    name = short_name(paper)
    known = name.casefold() in paper.abstract.casefold() or re.search(r"[A-Z\d]", name[1:])
    if name != paper.label and known:
        return name
    if paper.authors and paper.year:
        family = [author.split(",")[0] if "," in author else author.split()[-1]
                  for author in paper.authors]  # fmt: skip
        who = family[0] if len(family) == 1 else f"{family[0]} and {family[1]}"
        return f"{who if len(family) < 3 else f'{family[0]} et al.'} {paper.year}"
    words = paper.label.rstrip(".").split()
    if len(words) <= _TITLE_WORDS:
        return f"“{' '.join(words)}”"
    head = paper.label.partition(":")[0].split()
    words = head if 3 <= len(head) < len(words) else words
    kept = words[:_TITLE_WORDS]
    while len(kept) > 4 and kept[-1].casefold().strip("(,;:") in STOP_WORDS:
        kept.pop()  # a cut title does not end in "of the"
    return f"“{' '.join(kept).rstrip(',;:')} …”"


@dataclass
class Statement:
    """A sentence on its way: ``text`` with its marks, and what each citation rests on."""

    text: str = ""
    quotes: list[Quote] = field(default_factory=list)

    def add(self, text: str) -> Statement:
        """More text, of the review's own."""
        self.text += text
        return self

    def cite(self, material: Material, words: str, *, shown: str | None = None) -> Statement:
        """``shown`` (names the paper if not given) with its citation, resting on ``words``."""
        shown = name_of(material.paper) if shown is None else shown
        self.text += f"{shown} [{material.number}]"
        if all(q.number != material.number for q in self.quotes):
            self.quotes.append(
                Quote(
                    number=material.number, text=words, support="supported", score=1.0, why=VERBATIM
                )
            )
        return self

    def done(self) -> ReviewSentence:
        """The sentence of the review."""
        return ReviewSentence(
            text=self.text,
            citations=sorted({q.number for q in self.quotes}),
            support="supported" if self.quotes else "none",
            quote=self.quotes[0].text if self.quotes else "",
            why=VERBATIM if self.quotes else "",
            quotes=sorted(self.quotes, key=lambda q: q.number),
        )


def list_of(statement: Statement, held: Sequence[tuple[Material, str]]) -> Statement:
    """The names of papers, each with its citation and the words that it rests on."""
    for n, (material, words) in enumerate(held):
        if n:
            statement.add(" and " if n == len(held) - 1 else ", ")
        statement.cite(material, words)
    return statement


def across(materials: Sequence[Material]) -> list[ReviewSentence]:
    """What papers share and where they differ, by their cells."""
    materials = _distinct(materials)
    made = [*_namings(materials), *opposed(materials, alike=True)[:_MOST]]
    for kind, cells in (
        ("use the same data", {m.number: m.data() for m in materials}),
        ("compare with the same", {m.number: m.compared_with() for m in materials}),
    ):
        for words, held in _shared(materials, cells)[:_MOST]:
            if "compare" in kind and not any(map(_DISTINCT.match, words.split())):
                continue  # "existing methods" are another's in each paper
            said = list_of(Statement(), [(m, cell.quote) for m, cell in held])
            made.append(said.add(f" {kind}: “{words}”.").done())
    return made + _measures(materials) + _measures_apart(materials)


def _distinct(materials: Sequence[Material]) -> list[Material]:
    """Without papers whose title is nearly another's: a preprint, a second edition."""
    kept: list[tuple[set[str], Material]] = []
    for material in materials:
        stems = set(terms(material.paper.title))
        if all(len(stems & other) < _SAME * len(stems | other) or not stems for other, _ in kept):
            kept.append((stems, material))
    return [material for _, material in kept]


def _shared(
    materials: Sequence[Material], cells: dict[int, list[Cell]]
) -> list[tuple[str, list[tuple[Material, Cell]]]]:
    """Texts that two papers or more have in a column, the most common first."""
    by_text: dict[str, list[tuple[Material, Cell]]] = defaultdict(list)
    for material in materials:
        for cell in cells[material.number]:
            by_text[" ".join(terms(cell.text))].append((material, cell))
    shared = [
        (min((c.text for _, c in held), key=len), held) for held in by_text.values()
        if len({m.number for m, _ in held}) > 1
    ]  # fmt: skip
    return sorted(shared, key=lambda pair: (-len(pair[1]), pair[0]))


def _measures(materials: Sequence[Material]) -> list[ReviewSentence]:
    """Values of one measure on one data set side by side; no word is said on which is better."""

    def key(material: Material, one: Measured) -> tuple[str, ...]:
        data = material.data_in(one.place)
        return (*one.key, *data) if data else ()

    return [_side_by_side(held) for held in _shared_values(materials, key)]


def _measures_apart(materials: Sequence[Material]) -> list[ReviewSentence]:
    """Values of one measure that papers give on no data set that is named beside them; that they
    need not be on the same is said, too.
    """

    def key(material: Material, one: Measured) -> tuple[str, ...]:
        change = bool(CHANGE.fullmatch(one.named) or one.cues["change"] or CUT in one.named)
        if change or material.data_in(one.place):
            return ()
        return tuple(stem for stem in one.key if stem not in _SUMMARIES)

    how = ", which need not be on the same data"
    return [_side_by_side(held, how) for held in _shared_values(materials, key)]


Values = list[tuple[Material, int]]


def _shared_values(
    materials: Sequence[Material], key_of: Callable[[Material, Measured], tuple[str, ...]]
) -> list[Values]:
    """Results of one key that two papers or more give, one of each, the most common first; what
    has no key is left out.
    """
    by_key: dict[tuple[str, ...], Values] = defaultdict(list)
    for material in materials:
        keys = set()
        for n, one in enumerate(material.measured):
            key = key_of(material, one)
            if key and key not in keys and material.role(one.place) == "result":
                keys.add(key)
                by_key[key].append((material, n))
    shared = (held for held in by_key.values() if len(held) > 1)
    return sorted(shared, key=lambda held: -len(held))[:_MOST]


def _side_by_side(held: Values, how: str = "") -> ReviewSentence:
    """The values of one measure; the name is the shortest that one of the papers gives it."""
    what = min((m.measured[n].named for m, n in held), key=len)
    said = Statement(f"{'Both' if len(held) == 2 else 'Several'} give “{what}”{how}: ")
    for n, (material, place) in enumerate(held[:_MOST]):
        one = material.measured[place]
        said.add("; " if n else "").cite(
            material,
            material.sentences[one.place],
            shown=f"{name_of(material.paper)} “{one.text}”",
        )
    return said.add(".").done()


def _namings(materials: Sequence[Material]) -> list[ReviewSentence]:
    """Whose abstract names what another paper is called."""
    names = Counter(short_name(other.paper) for other in materials)
    made = []
    for material in materials:
        for other in materials:
            name = short_name(other.paper)
            own = other is material or name == short_name(material.paper)
            if own or names[name] > 1 or not _DISTINCT.search(name) or name == other.paper.label:
                continue
            wanted = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
            told = next((text for text in material.sentences if wanted.search(text)), None)
            if told and any(wanted.search(text) for text in other.sentences):
                said = Statement().cite(material, told).add(" writes of ")
                said.cite(other, other.paper.title, shown=name)
                made.append(said.add(f": “{told}”").done())
    return made[:_MOST]


def disagreements(materials: Iterable[Material], most: int = 4) -> list[ReviewSentence]:
    """Pairs of papers that found one quantity to go different ways, both sentences whole."""
    return opposed(materials, alike=False)[:most]


def opposed(materials: Iterable[Material], *, alike: bool) -> list[ReviewSentence]:
    """Pairs of papers on one quantity: it went the same way, or another."""
    by_what: dict[tuple[str, ...], list[tuple[Material, int, int]]] = defaultdict(list)
    for material in materials:
        for direction in material.directions:
            by_what[direction.what].append((material, direction.how, direction.place))
    made = []
    for found in by_what.values():
        one = found[0]
        other = next((f for f in found if (f[1] == one[1]) is alike and f[0] is not one[0]), None)
        if other is None:
            continue
        said = Statement()
        for n, (material, _, place) in enumerate((one, other)):
            words = quoted(material.sentences, place) or material.sentences[place]
            said.add((" Likewise " if alike else " But ") if n else "")
            said.cite(material, words, shown=f"{name_of(material.paper)}: “{words}”")
        made.append(said.done())
    return made
