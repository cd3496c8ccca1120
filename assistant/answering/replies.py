"""A reply while it comes: what it says of the library as a whole, and when it goes in circles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from assistant.addressing import CODE
from assistant.answering.citations import Marker, RawSentence
from assistant.paper import normalised_title
from assistant.text import words

__all__ = [
    "ABSENT",
    "Head",
    "Repeats",
    "citing_grammar",
    "echoes",
    "read_loose_citations",
    "smuggles",
    "without_absent",
]

ABSENT = "NOT_IN_LIBRARY"
"""What the prompt asks a model to begin with when no paper answers."""
_AROUND = " \t\r\n*`\"':.,-–—_"
_ABSENT = re.compile(r"[*`\"']*\bNOT[ _]IN[ _]LIBRARY\b[*`\"']*[:.,–—-]*\s*")
_TIMES = 3


def without_absent(text: str) -> tuple[str, bool]:
    """``text`` without the word for "not in the library", and whether it was there."""
    bare, found = _ABSENT.subn("", text)
    return (bare.strip(), True) if found else (text, False)


class Head:
    """Notices whether a reply begins by saying that the library does not hold the answer.

    What comes instead is given on letter for letter.
    """

    def __init__(self) -> None:
        self._held, self._open = "", True
        self.absent = False

    def feed(self, text: str) -> str:
        """The text that may be read on; empty while the beginning is not clear."""
        if not self._open:
            return text
        self._held += text
        begin = self._held.lstrip(_AROUND).upper().replace(" ", "_")
        if begin.startswith(ABSENT):
            self.absent = True
            rest = re.sub(r"^.*?NOT[ _]IN[ _]LIBRARY", "", self._held, flags=re.I | re.S)
            rest = rest.lstrip(_AROUND)
            if rest:
                self._held = rest
                return self._release()
            return ""
        return "" if ABSENT.startswith(begin) else self._release()

    def finish(self) -> str:
        """What was held when the reply ended."""
        return self._release() if self._open and not self.absent else ""

    def _release(self) -> str:
        text, self._held, self._open = self._held, "", False
        return text


class Repeats:
    """Notices a model that says the same sentence, or the same two in turn, again and again."""

    def __init__(self) -> None:
        self._said: Counter[str] = Counter()

    def again(self, text: str) -> bool:
        """Whether ``text`` is said for the third time."""
        key = " ".join(words(text))
        if len(key) < 12:
            return False
        self._said[key] += 1
        return self._said[key] >= _TIMES


def citing_grammar(papers: int) -> str:
    """Sentences that end with the number of a paper, or NOT_IN_LIBRARY; llama.cpp's notation."""
    numbers = " | ".join(f'"{n}"' for n in range(1, papers + 1))
    return (
        f'root ::= "{ABSENT}" | sentence (" " sentence){{0,4}}\n'
        'sentence ::= [A-Z0-9] [^\\[\\]\\n]{12,300} " [" number "]."\n'
        f"number ::= {numbers}\n"
    )


_PARENTHESIS = re.compile(
    r"\s*\(\s*(?:(?:papers?|sources?|abstracts?|refs?\.?)\s*)?(\d{1,2}(?:\s*(?:,|and|&)\s*\d{1,2})*)"
    r"\s*\)(?=[\s.;,!?]*$|[.;,])",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:paper|source|abstract)(?: \d{1,2}|s \d{1,2}(?:\s*(?:,|and|&)\s*\d{1,2})*)\b", re.I
)


def read_loose_citations(raw: RawSentence, count: int) -> None:
    """Takes "(1)" and "paper 1" for citations where a sentence has none in brackets.

    ``count``: papers that were given. "(1)" goes, since the marker is set at the end of the
    sentence; "paper 1" stays in the text.
    """
    if raw.markers:
        return
    whole = raw.before + raw.rest
    numbers: list[int] = []
    for pattern in (_PARENTHESIS, _NAMED):
        for found in pattern.finditer(whole):
            numbers += [int(n) for n in re.findall(r"\d+", found.group())]
    known = tuple(dict.fromkeys(n for n in numbers if 1 <= n <= count))
    if not known or len(known) < len(set(numbers)):
        return
    bare = _PARENTHESIS.sub("", whole)
    end = re.search(r"[.!?…]*\s*$", bare)
    at = end.start() if end else len(bare)
    raw.before = ""
    raw.markers.append(Marker(known))
    raw.rest = f"{bare[:at]} {raw.sign(len(raw.markers) - 1)}{bare[at:]}"


def echoes(text: str, question: str, titles: Iterable[str]) -> bool:
    """Whether a sentence is no statement: the question again, or the title of a paper."""
    key = normalised_title(re.sub(r"^\W*(?:\d{1,2}[.)]\s*)?", "", text))
    if not key:
        return False
    if any(key == normalised_title(title) for title in titles):
        return True
    asked, said = words(question), words(text)
    return len(said) > 2 and bool(set(said) <= set(asked)) and len(said) >= 0.8 * len(asked)


_ADDRESS = re.compile(r"(?:\w+:)?//[^\s)\]>\"']+|\bwww\.\S+", re.IGNORECASE)
_RUN = 8
"""Words in a row that nobody but the prompt puts so."""


def smuggles(text: str, papers: Sequence[str], rules: str) -> bool:
    """Whether a sentence brings what no answer needs and no paper holds: an address, code or
    markup, or the words of the prompt (``rules``).
    """
    given = "\n".join(papers)
    found = [*_ADDRESS.findall(text), *(match.group() for match in CODE.finditer(text))]
    if any(piece not in given for piece in found):
        return True
    said, prompt, held = words(text), f" {' '.join(words(rules))} ", f" {' '.join(words(given))} "
    runs = (f" {' '.join(said[n : n + _RUN])} " for n in range(len(said) - _RUN + 1))
    return any(run in prompt and run not in held for run in runs)
