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

from assistant.answering.citations import Numbering
from assistant.answering.papers import prompt_text
from assistant.answering.particulars import bare_claim
from assistant.answering.understanding import json_reply
from assistant.attribution import CUT
from assistant.prompting import boundary
from assistant.results import Sentence
from assistant.retrieved import RetrievedPaper
from assistant.text import terms

__all__ = ["Claim", "Correction", "Verification"]

_VERDICTS = ("unsupported", "partial", "supported")
_BORNE = 0.3
_SHORTEST_QUOTE = 12


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence to be checked, with its markers, and what the local check doubts."""

    number: int
    sentence: str
    doubt: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What changes: the sentence at ``place`` gets a verdict, or another text ("" drops it)."""

    place: int
    sentence: Sentence
    text: str | None = None


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

    @property
    def papers(self) -> list[dict[str, object]]:
        """The cited abstracts, each once, by the reader's numbers."""
        return [{"number": n, "text": prompt_text(p)} for n, p in sorted(self._papers.items())]

    @property
    def boundary(self) -> str:
        """The word that sets the claims and abstracts off."""
        texts = [c.sentence for c in self.claims]
        return boundary([*texts, *(str(paper["text"]) for paper in self.papers)])

    def corrections(self, reply: str) -> Iterator[Correction]:
        """What the reply changes, in the order of the sentences, each sentence once."""
        said = json_reply(reply)
        done: set[int] = set()
        for item in said if isinstance(said, list) else [said]:
            if not isinstance(item, dict) or item.get("verdict") not in _VERDICTS:
                continue
            number = item.get("n")
            if not isinstance(number, int) or not 1 <= number <= len(self.claims):
                continue
            if number not in done:
                done.add(number)
                yield self._correction(self._places[number - 1], item)

    def _correction(self, place: int, item: dict[str, object]) -> Correction:
        sentence, verdict = self._sentences[place], str(item["verdict"])
        quote = self._proof(sentence, item.get("quotes"))
        reason = item.get("why")
        why = (
            f"the model: {reason}" if isinstance(reason, str) and reason else "checked by the model"
        )
        if verdict == "supported":
            if not quote and sentence.support != "supported":
                verdict, why = "partial", "the model names no words that prove it"
            elif quote and not quote[1]:
                verdict, why = "partial", "the words that should prove it are not in the abstract"
            elif (
                quote and sentence.support == "unsupported" and not _bears(sentence.text, quote[0])
            ):
                verdict, why = "unsupported", "the words that should prove it say something else"
        checked = sentence.model_copy(
            update={
                "support": verdict,
                "why": why,
                "quote": quote[0] if quote and quote[0] else sentence.quote,
            }
        )
        text = item.get("text")
        if verdict == "supported" or item["verdict"] == "supported" or not isinstance(text, str):
            return Correction(place, checked)
        return Correction(place, checked, text.strip())

    def _proof(self, sentence: Sentence, quotes: object) -> tuple[str, bool] | None:
        """The quotations that stand in an abstract, and whether all do; None if none is given."""
        if not isinstance(quotes, list):
            return None
        given = [q.strip() for q in quotes if isinstance(q, str) and len(q) >= _SHORTEST_QUOTE]
        if not given:
            return None
        papers = [self._papers[n] for n in sentence.citations if n in self._papers]
        texts = [f"{p.paper.title}\n{p.told}" for p in papers or self._papers.values()]
        found = [held for quote in given for held in [_held(quote, texts)] if held]
        return CUT.join(dict.fromkeys(found)), len(found) == len(given)


def _bears(text: str, quote: str) -> bool:
    """Whether a quotation holds a fair part of a sentence's words, and its numbers."""
    bare = bare_claim(text)
    wanted, held = set(terms(bare)), set(terms(quote))
    numbers = {term for term in wanted if term.isdigit()}
    return numbers <= held and len(wanted & held) >= _BORNE * len(wanted)


def _doubt(sentence: Sentence) -> str:
    return "" if sentence.support == "supported" else sentence.why


def _held(quote: str, texts: Sequence[str]) -> str:
    """The words of an abstract that ``quote`` gives, but for white space; else empty."""
    pattern = re.compile(r"\s+".join(re.escape(word) for word in quote.split()))
    return next((m.group() for text in texts if (m := pattern.search(text))), "")
