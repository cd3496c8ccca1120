"""The check of sentences by the model itself, on request, on top of the local one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.answering.citations import Numbering
from assistant.answering.papers import GivenPaper, without_marks
from assistant.answering.understanding import json_reply
from assistant.prompting import boundary
from assistant.results import Sentence

__all__ = ["Claim", "Verification"]

_VERDICTS = ("unsupported", "partial", "supported")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence to be checked, and the abstracts that it cites, as the prompt gets them."""

    number: int
    sentence: str
    text: str


class Verification:
    """The sentences of a draft that cite papers, and what the model says about them."""

    def __init__(
        self, sentences: Sequence[Sentence], numbering: Numbering, given: Sequence[GivenPaper]
    ) -> None:
        self._sentences = sentences
        by_number = {numbering[g]: given[g - 1].paper for g in numbering.given}
        self.claims: list[Claim] = []
        self._places: dict[int, int] = {}
        for place, sentence in enumerate(sentences):
            if not sentence.citations:
                continue
            papers = [by_number[n] for n in sentence.citations]
            text = "\n\n".join(without_marks(f"{p.title}\n{p.abstract}") for p in papers)
            number = len(self.claims) + 1
            self.claims.append(Claim(number, without_marks(sentence.text), text))
            self._places[number] = place

    @property
    def boundary(self) -> str:
        """The word that sets the claims and abstracts off."""
        return boundary([*(c.sentence for c in self.claims), *(c.text for c in self.claims)])

    def corrected(self, reply: str) -> Iterator[tuple[int, Sentence]]:
        """The sentences whose verdict changes, with their places.

        What the local check found to differ (a number, a name) the model cannot overrule: it
        may only lower such a verdict. Otherwise the model's verdict stands.
        """
        said = json_reply(reply)
        for item in said if isinstance(said, list) else [said]:
            if not isinstance(item, dict) or item.get("verdict") not in _VERDICTS:
                continue
            place = self._places.get(item["n"]) if isinstance(item.get("n"), int) else None
            if place is None:
                continue
            sentence, verdict = self._sentences[place], str(item["verdict"])
            if sentence.why.startswith("not in the abstract"):
                verdict = min(verdict, sentence.support, key=_VERDICTS.index)
            if verdict != sentence.support:
                why = item.get("why") if isinstance(item.get("why"), str) else ""
                said_why = f"the model: {why}" if why else "the model's verdict"
                yield place, sentence.model_copy(update={"support": verdict, "why": said_why})
