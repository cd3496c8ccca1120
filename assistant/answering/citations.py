"""Citations out of a stream of text: markers parsed, sentences cut, numbers made anew.

A model cites by [1], [2, 3], [1-3], 【1】 or [Title of a paper], anywhere in a stream that may be
cut anywhere. Three small machines, each fed piece by piece, none of which depends on where the
pieces are cut:

    MarkerParser      text, and Markers in it: numbers that were given to the model
    SentenceReader    text that may be shown at once, and whole sentences with their markers
    Numbering         numbers by first appearance, for the reader

[0] is the model's way to mark a sentence that rests on no paper because it says what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from assistant.paper import normalised_title

__all__ = ["Marker", "MarkerParser", "Numbering", "RawSentence", "SentenceReader"]

LONGEST = 320
"""Characters between brackets that may still be a title."""
_WIDEST = 40  # papers that a range such as [1-40] may name
_PAIRS = {"[": "]", "【": "】", "［": "］"}
_STOPS = re.compile(r"[\[\]【】［］\n]")
_OPENERS = re.compile(r"[\[【［]")
_HALF = re.compile(r"[\[【［][\s\d,;#^–-]*")

_WORD_BEFORE = r"(?:papers?|sources?|refs?|references?|documents?|abstracts?|passages?)\.?\s*"
_ONE = rf"(?:{_WORD_BEFORE})?[#^]?\s*\d{{1,6}}(?:\s*(?:[-–—~]|to)\s*[#^]?\d{{1,6}})?"
_NUMBERS = re.compile(rf"\s*{_ONE}(?:(?:\s*(?:[,;、，&]|and)\s*|\s+){_ONE})*\s*", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,6})(?:\s*(?:[-–—~]|to)\s*[#^]?(\d{1,6}))?")
_SOURCE_SUFFIX = re.compile(r"(?::\d+)?†.*", re.DOTALL)  # 【4:0†source】, as OpenAI's tools write


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation in the text: numbers as given to the model, each once, in the order written.

    ``dropped`` counts numbers that were never given; ``silent`` is [0].
    """

    numbers: tuple[int, ...]
    dropped: int = 0
    silent: bool = False


class MarkerParser:
    """Finds the markers in a stream.

    Args:
        titles: of the papers that were given; their numbers are 1, 2, …
    """

    def __init__(self, titles: Sequence[str]) -> None:
        self._count = len(titles)
        self._titles: dict[str, int] = {}
        for number, title in enumerate(titles, 1):
            self._titles.setdefault(normalised_title(title), number)
        self._held = ""

    def feed(self, piece: str) -> Iterator[str | Marker]:
        """Everything that is certain once ``piece`` has come."""
        self._held += piece
        while self._held:
            opener = _OPENERS.search(self._held)
            if opener is None:
                yield self._take(len(self._held))
                return
            if opener.start():
                yield self._take(opener.start())
            stop = _STOPS.search(self._held, 1)
            end = stop.start() if stop else len(self._held)
            if end > LONGEST:
                yield self._take(1)
            elif stop is None:
                return  # may still become a marker
            elif stop.group() != _PAIRS[self._held[0]]:
                yield self._take(max(1, end))
            else:
                marker = self._read(self._held[1:end])
                text = self._take(end + 1)
                yield text if marker is None else marker

    def finish(self) -> Iterator[str | Marker]:
        """What was held back, the stream being over; half a marker is nothing to read."""
        rest = self._take(len(self._held))
        if rest and not _HALF.fullmatch(rest):
            yield rest

    def _take(self, length: int) -> str:
        text, self._held = self._held[:length], self._held[length:]
        return text

    def _read(self, inside: str) -> Marker | None:
        """The marker that a bracket holds; None if it is an ordinary bracket."""
        inside = _SOURCE_SUFFIX.sub("", " ".join(inside.split()))
        if _NUMBERS.fullmatch(inside):
            return self._numbers(inside)
        number = self._title(inside)
        return Marker((number,)) if number else None

    def _numbers(self, inside: str) -> Marker | None:
        numbers: list[int] = []
        for first, last in _RANGE.findall(inside):
            start, end = int(first), int(last or first)
            if 0 < end - start <= _WIDEST:
                numbers.extend(range(start, end + 1))
            else:
                numbers.extend([start, end] if last else [start])
        if 0 in numbers:
            # [0, 1] is an interval, not a citation
            return Marker((), silent=True) if set(numbers) == {0} else None
        given = tuple(dict.fromkeys(n for n in numbers if n <= self._count))
        return Marker(given, dropped=len({n for n in numbers if n > self._count}))

    def _title(self, inside: str) -> int | None:
        key = normalised_title(inside)
        if key in self._titles:
            return self._titles[key] if key else None
        if len(key.split()) < 3:
            return None
        begun = {n for title, n in self._titles.items() if title.startswith(key)}
        return begun.pop() if len(begun) == 1 else None


# A marker inside a sentence is held as one character of the private use area.
_FIRST, _LAST = 0xE000, 0xF8FF
_PRIVATE = f"[{chr(_FIRST)}-{chr(_LAST)}]"
_MARK = re.compile(_PRIVATE)
_SPACED_MARK = re.compile(rf"[ \t\u00a0]*({_PRIVATE})")
_CLOSERS = "\"'”’)»*_`」』）】]"
_LATIN_END, _WIDE_END = ".!?…", "。！？｡．"
_AFTER = re.compile(rf"([{re.escape(_CLOSERS)}]*)((?:[ \t\u00a0]|{_PRIVATE})*)")
_ENDS = re.compile(rf"[{re.escape(_LATIN_END + _WIDE_END)}\n]")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'“])(?:[A-Za-z]|e\.g|i\.e|et al|al|cf|vs|resp|ca|approx|fig|figs|eq|eqs|sec|"
    r"no|dr|prof|mr|ms|mrs|st|w\.r\.t|i\.i\.d|a\.k\.a|incl|viz|(?:\s*\d{1,3}))\Z",
    re.IGNORECASE,
)


@dataclass(slots=True)
class RawSentence:
    """One sentence as the model wrote it.

    ``before`` has been shown already, ``rest`` not: from the first marker on. ``lead`` is the
    white space before the sentence, shown already.
    """

    lead: str
    before: str
    rest: str
    markers: list[Marker] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The sentence without its markers."""
        return " ".join(_SPACED_MARK.sub("", self.before + self.rest).split())

    @property
    def numbers(self) -> list[int]:
        """The papers that it cites, by the numbers that the model was given."""
        return list(dict.fromkeys(n for marker in self.markers for n in marker.numbers))

    @property
    def dropped(self) -> int:
        """How many numbers it cites that were never given."""
        return sum(marker.dropped for marker in self.markers)

    @property
    def silent(self) -> bool:
        """Whether it says of itself that it rests on no paper."""
        return not self.numbers and any(marker.silent for marker in self.markers)

    @staticmethod
    def sign(marker: int) -> str:
        """The character that stands for a marker in the text, by its place in ``markers``."""
        return chr(_FIRST + marker)

    def cite(self, number: int) -> None:
        """Makes the last marker cite ``number`` alone, and empties the others.

        A sentence without a marker gets one at its end.
        """
        if not self.markers:
            at = len(self.rest.rstrip())
            self.rest = f"{self.rest[:at]} {self.sign(0)}{self.rest[at:]}"
            self.markers.append(Marker((number,)))
            return
        self.markers[:] = [Marker(()) for _ in self.markers[:-1]] + [Marker((number,))]

    def shown_rest(self, show: Callable[[tuple[int, ...]], str]) -> str:
        """``rest`` with each marker as ``show`` gives it; with the space before it if empty."""

        def put(found: re.Match[str]) -> str:
            text = show(self.markers[ord(found.group(1)) - _FIRST].numbers)
            return found.group(0)[:-1] + text if text else ""

        return _SPACED_MARK.sub(put, self.rest)


class SentenceReader:
    """Cuts a stream of text and markers into sentences while it comes.

    Yields text that may be shown at once, and a `RawSentence` as soon as one has ended. All
    text, and the rests of all sentences, in their order, are the whole of the stream.
    """

    def __init__(self, titles: Sequence[str]) -> None:
        self._parser = MarkerParser(titles)
        self._buffer, self._markers = "", list[Marker]()
        self._shown = 0  # characters of the buffer that have been given out
        self._looked = 0  # characters of the buffer that hold no end

    def feed(self, piece: str) -> Iterator[str | RawSentence]:
        """Everything that is certain once ``piece`` has come."""
        for part in self._parser.feed(piece):
            yield from self._add(part)

    def finish(self) -> Iterator[str | RawSentence]:
        """The rest: the last sentence, whether or not it has an end."""
        for part in self._parser.finish():
            yield from self._add(part)
        if self._buffer.strip():
            yield from self._end_at(len(self._buffer.rstrip()))
        self._buffer, self._shown, self._looked = "", 0, 0

    def _add(self, part: str | Marker) -> Iterator[str | RawSentence]:
        if isinstance(part, Marker):
            if len(self._markers) <= _LAST - _FIRST:
                self._buffer += chr(_FIRST + len(self._markers))
                self._markers.append(part)
        else:
            self._buffer += _MARK.sub("", part)
        while (end := self._find_end()) is not None:
            yield from self._end_at(end)
        yield from self._show()

    def _show(self) -> Iterator[str]:
        """Text up to the first marker, without white space that may stand before one."""
        mark = _MARK.search(self._buffer)
        safe = len(self._buffer[: mark.start() if mark else None].rstrip())
        if safe > self._shown:
            yield self._buffer[self._shown : safe]
            self._shown = safe

    def _end_at(self, end: int) -> Iterator[str | RawSentence]:
        """Gives out the sentence that ends at ``end`` and forgets it."""
        whole = self._buffer[:end]
        if not whole.strip():
            yield whole[self._shown :]
        else:
            if _MARK.search(whole) is None and self._shown < end:
                yield whole[self._shown :]
                self._shown = end
            lead = whole[: len(whole) - len(whole.lstrip())]
            if self._shown < len(lead):  # a marker opens the sentence
                yield whole[self._shown : len(lead)]
                self._shown = len(lead)
            yield RawSentence(
                lead, whole[len(lead) : self._shown], whole[self._shown :], self._markers
            )
        self._buffer, self._markers = self._buffer[end:], []
        self._shown, self._looked = 0, 0

    def _find_end(self) -> int | None:
        """Where the first sentence of the buffer ends; None while that is not certain."""
        buffer = self._buffer
        while (found := _ENDS.search(buffer, self._looked)) is not None:
            at = found.start()
            if buffer[at] == "\n":
                if buffer[:at].strip():
                    return at
                self._looked = at + 1
                continue
            after = _AFTER.match(buffer, at + 1)
            follows = after.end() if after else at + 1
            if follows == len(buffer):
                return None  # what follows decides
            gap = after.group(2) if after else ""
            if self._ends(at, gap, buffer[follows]):
                return at + 1 + len(after.group(1) if after else "") + len(gap.rstrip())
            self._looked = at + 1
        self._looked = len(buffer)
        return None

    def _ends(self, at: int, gap: str, follows: str) -> bool:
        """Whether the mark at ``at`` ends a sentence, before ``gap`` and the next character."""
        if self._buffer[at] in _WIDE_END or follows == "\n":
            return True
        if not gap or follows.islower():
            return False
        return self._buffer[at] != "." or not _ABBREVIATION.search(self._buffer[:at])


class Numbering:
    """Numbers for the reader: 1, 2, … by first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}

    def __getitem__(self, given: int) -> int:
        """The reader's number of the paper that the model knows as ``given``."""
        return self._numbers.setdefault(given, len(self._numbers) + 1)

    @property
    def given(self) -> list[int]:
        """The model's numbers of the cited papers, in the reader's order."""
        return list(self._numbers)

    def show(self, given: tuple[int, ...]) -> str:
        """A marker as the reader sees it: ``[1][2]``, ascending; empty for none."""
        return "".join(f"[{n}]" for n in sorted(self[g] for g in given))
