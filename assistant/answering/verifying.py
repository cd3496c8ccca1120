"""The check of a draft by the model itself: one call, every sentence, each abstract once.

The model sees the sentences with their markers, the abstracts by the same numbers, and what the
local check doubts. It gives a verdict, the words that prove it, and, where a sentence does not
stand, the sentence that would. Words that prove are compared as strings: a quotation that no
abstract holds proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.answering.checking import SPEAKS
from assistant.answering.citations import Numbering
from assistant.answering.papers import prompt_text
from assistant.answering.particulars import Particulars, bare_claim
from assistant.answering.understanding import json_reply
from assistant.attribution import CUT
from assistant.prompting import boundary
from assistant.results import Sentence
from assistant.retrieved import RetrievedPaper

__all__ = ["Claim", "Correction", "Verification"]

_VERDICTS = ("unsupported", "partial", "supported")
_SHORTEST_QUOTE = 12
_CUTS = re.compile(r"\s*(?:\.\.\.|…)\s*")
_MARKERS = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence to be checked, with its markers, and what the local check doubts."""

    number: int
    sentence: str
    doubt: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What changes: the sentence at ``place`` gets a verdict, or another text ("" drops it).

    ``stands``: the sentence holds, and only gets the markers that it lacked. ``proven``: the words
    that are to prove it, or the text in its place, stand in the papers that it cites.
    """

    place: int
    sentence: Sentence
    text: str | None = None
    stands: bool = False
    proven: bool = True


class Verification:
    """The sentences of a draft that claim something, and what the model says about them."""

    def __init__(
        self,
        sentences: Sequence[Sentence],
        numbering: Numbering,
        given: Sequence[RetrievedPaper],
    ) -> None:
        self._sentences = sentences
        self._places = [n for n, s in enumerate(sentences) if s.support != "none"]
        self.claims = [
            Claim(number, sentences[place].text, _doubt(sentences[place]))
            for number, place in enumerate(self._places, 1)
        ]
        self._papers = {numbering[g]: given[g - 1] for g in numbering.given}
        self.beside = False
        """Whether the model has said that the reply does not answer the question."""

    @property
    def papers(self) -> list[dict[str, object]]:
        """The cited abstracts, each once, by the reader's numbers."""
        return [{"number": n, "text": prompt_text(p)} for n, p in sorted(self._papers.items())]

    def boundary(self, question: str) -> str:
        """The word that sets the question, the claims and the abstracts off."""
        texts = [question, *(c.sentence for c in self.claims)]
        return boundary([*texts, *(str(paper["text"]) for paper in self.papers)])

    def corrections(self, reply: str) -> Iterator[Correction]:
        """What the reply changes, in the order of the sentences, each sentence once."""
        said = json_reply(reply)
        done: set[int] = set()
        for item in said if isinstance(said, list) else [said]:
            if not isinstance(item, dict):
                continue
            self.beside = self.beside or item.get("answers") is False
            if item.get("verdict") not in _VERDICTS:
                continue
            number = item.get("n")
            if not isinstance(number, int) or not 1 <= number <= len(self.claims):
                continue
            if number not in done:
                done.add(number)
                yield self._correction(self._places[number - 1], item)

    def _correction(self, place: int, item: dict[str, object]) -> Correction:
        sentence, verdict = self._sentences[place], str(item["verdict"])
        quote, whole, proven = self._proof(sentence, item.get("quotes"))
        reason = item.get("why")
        why = (
            f"the model: {reason}" if isinstance(reason, str) and reason else "checked by the model"
        )
        if verdict == "supported" and not whole:
            if item.get("quotes"):
                verdict, why = "partial", "the words that should prove it are not in the abstract"
            elif sentence.support != "supported":
                verdict, why = "partial", "the model names no words that prove it"
        if verdict == "supported" and sentence.support == "unsupported" and self._strange(sentence):
            verdict, proven = "unsupported", []
            why = "a name or a number that no abstract holds is not proven by a quotation"
        if sentence.why == SPEAKS:  # what obeys an order also says that it is proven
            verdict, why, quote, proven = "unsupported", SPEAKS, "", []
        checked = sentence.model_copy(
            update={
                "support": verdict,
                "why": why,
                "quote": quote or sentence.quote,
            }
        )
        text = item.get("text")
        text = text.strip() if isinstance(text, str) else None
        if item["verdict"] != "supported":
            return Correction(place, checked, text, proven=whole)
        if sentence.citations or not proven:
            return Correction(place, checked)
        markers = "".join(f"[{n}]" for n in proven)
        return Correction(place, checked, text or f"{sentence.text} {markers}", stands=True)

    def _strange(self, sentence: Sentence) -> bool:
        """Whether a sentence brings a name or a number that none of the papers holds."""
        said = Particulars.of(bare_claim(_MARKERS.sub("", sentence.text)))
        held = "\n".join(str(paper["text"]) for paper in self.papers).casefold()
        given = Particulars.of(held).numbers
        numbers = [n for n in said.numbers if any(sign.isdigit() for sign in n.shown)]
        return any(name.casefold() not in held for name in said.names) or any(
            not any(number.agrees(other) for other in given) for number in numbers
        )

    def _proof(self, sentence: Sentence, quotes: object) -> tuple[str, bool, list[int]]:
        """The words of abstracts that are quoted, whether all are there, and in which papers."""
        given = [q for q in quotes if isinstance(q, str)] if isinstance(quotes, list) else []
        pieces = [piece for quote in given for piece in _CUTS.split(quote)]
        pieces = [piece for piece in pieces if len(piece) >= _SHORTEST_QUOTE]
        cited = [n for n in sentence.citations if n in self._papers] or sorted(self._papers)
        found: dict[str, int] = {}
        missing = not pieces
        for piece in pieces:
            held = ((_held(piece, self._papers[n]), n) for n in cited)
            words, number = next((one for one in held if one[0]), ("", 0))
            missing = missing or not words
            if words:
                found.setdefault(words, number)
        return CUT.join(found), not missing, sorted(set(found.values()))


def _doubt(sentence: Sentence) -> str:
    return "" if sentence.support == "supported" else sentence.why


def _held(quote: str, found: RetrievedPaper) -> str:
    """The words of the paper that ``quote`` gives, but for case and punctuation; else empty."""
    pattern = r"[\W_]+".join(map(re.escape, re.findall(r"[^\W_]+", quote)))
    held = re.search(pattern + r"[^\w\s]*", f"{found.paper.title}\n{found.told}", re.IGNORECASE)
    return held.group() if held and pattern else ""
