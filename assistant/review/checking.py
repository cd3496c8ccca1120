"""Sentences of a language model in a review: read, compared with the abstracts, given verdicts.

The checker is that of answers (`assistant.answering.support`); numbers are the review's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from assistant.answering.checking import is_claim
from assistant.answering.citations import RawSentence, SentenceReader
from assistant.answering.evidence import PassageReader
from assistant.answering.support import Source, SupportChecker
from assistant.review.candidates import Candidate
from assistant.review.cells import Material
from assistant.review.model import Quote, ReviewSentence

__all__ = ["Checker"]

_SURE = 0.65


class Checker:
    """Reads and checks what a model wrote about the papers of a review."""

    def __init__(
        self,
        reader: PassageReader,
        idf: Callable[[str], float],
        materials: Sequence[Material],
        papers: Sequence[Candidate],
    ) -> None:
        self._checker = SupportChecker(reader.embedder, idf, reader)
        pairs = sorted(zip(materials, papers, strict=True), key=lambda pair: pair[0].number)
        self._labels = [m.paper.label for m, _ in pairs]
        self._sources = {m.number: _source(m, p) for m, p in pairs}

    def read(self, text: str, allowed: Sequence[int]) -> list[ReviewSentence]:
        """The sentences of a reply; numbers that were not given are left out of them."""
        reader = SentenceReader(self._labels)
        parts = [*reader.feed(text), *reader.finish()]
        raw = [part for part in parts if isinstance(part, RawSentence)]
        made = (self._sentence(one, allowed) for one in raw)
        return [sentence for sentence in made if sentence is not None]

    def _sentence(self, raw: RawSentence, allowed: Sequence[int]) -> ReviewSentence | None:
        text = " ".join(raw.text.split()).lstrip("#*->• ").strip()
        if not any(c.isalnum() for c in text) or raw.text.lstrip().startswith("#"):
            return None  # a heading was not asked for
        numbers = [n for n in dict.fromkeys(raw.numbers) if n in allowed]
        if not numbers:
            if not is_claim(text) and not raw.dropped:
                return ReviewSentence(text=text)
            why = "cites no paper"
            return ReviewSentence(text=text, support="unsupported", why=why)
        whole, each = self._checker.check_together(text, [self._sources[n] for n in numbers])
        if whole.support == "unsupported":
            others = {n: self._sources[n] for n in allowed if n not in numbers}
            better = self._checker.surest(text, others, _SURE)
            if better is not None:
                number, whole = better
                numbers, each = [number], [whole]
        end = text[-1] if text[-1:] in ".!?…" else "."
        marks = "".join(f"[{n}]" for n in sorted(numbers))
        quotes = [
            Quote(number=n, text=v.quote, support=v.support, score=round(v.score, 4), why=v.why)
            for n, v in sorted(zip(numbers, each, strict=True), key=lambda pair: pair[0])
        ]
        return ReviewSentence(
            text=f"{text.removesuffix(end).rstrip()} {marks}{end}",
            citations=sorted(numbers),
            support=whole.support,
            quote=whole.quote,
            why=whole.why,
            quotes=quotes,
        )


def _source(material: Material, paper: Candidate) -> Source:
    """The sentences that were read, the others without a vector."""
    if not material.sentences:
        return Source((), None, material.paper.title)
    kept = tuple(material.sentences)
    vectors = paper.found.vectors * np.array([[bool(text)] for text in kept])
    return Source(kept, vectors, material.paper.title)
