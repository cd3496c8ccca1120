"""A draft: lines of an extractive answer, and the papers that they quote, one number a paper.

A line is one `Sentence` of the answer. What is quoted stands under its paper's name, letter for
letter: ``SCOPE: “The sentence.” [1]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assistant.attribution import quotation, short_name
from assistant.paper import Paper
from assistant.results import Citation, Sentence
from assistant.retrieved import RetrievedPaper

__all__ = ["LABELLED", "Draft"]

LABELLED = " — "
"""What stands between the label of a line and the names of papers in it."""
_WHY = "a sentence of the abstract, letter for letter"


class Draft:
    """Collects lines; numbers the papers in the order in which they are first cited."""

    def __init__(self) -> None:
        self.sentences: list[Sentence] = []
        self.citations: list[Citation] = []
        self._numbers: dict[str, int] = {}

    @property
    def text(self) -> str:
        """The answer's text: a line a sentence."""
        return "\n".join(sentence.text for sentence in self.sentences)

    @property
    def cites(self) -> frozenset[str]:
        """Ids of the papers that are cited."""
        return frozenset(self._numbers)

    def say(self, text: str) -> None:
        """A line of the program's own; nothing is claimed of a paper in it."""
        self.sentences.append(Sentence(text=text))

    def quote(
        self,
        found: RetrievedPaper,
        places: Iterable[int],
        *,
        full_title: bool = False,
        label: str = "",
    ) -> bool:
        """A line with the sentences of ``found`` at ``places``; False where none can stand alone.

        Args:
            full_title: the whole title before the quotation, in place of what the paper is
                called for short.
            label: what the line is there for, before it.
        """
        text = quotation(found.paper.abstract, found.spans, places)
        if not text:
            return False
        name = found.paper.label if full_title else short_name(found.paper)
        number = self._number(found.paper, text)
        before = f"{label}{LABELLED}" if label else ""
        self.sentences.append(
            Sentence(
                text=f"{before}{name.rstrip(' .')}: “{text}” [{number}]",
                citations=[number],
                support="supported",
                quote=text,
                why=_WHY,
            )
        )
        return True

    def title(self, paper: Paper, after: str = "") -> None:
        """A line with the title of ``paper``, and what the records say of it."""
        number = self._number(paper, "")
        text = f"{paper.label} [{number}]{after}"
        self.sentences.append(Sentence(text=text, citations=[number]))

    def name_all(self, label: str, papers: Sequence[RetrievedPaper], after: str = "") -> None:
        """One line with the titles of ``papers``, and before them what they are there for."""
        numbers = [self._number(found.paper, "") for found in papers]
        titles = "; ".join(
            f"{found.paper.label} [{number}]" for found, number in zip(papers, numbers, strict=True)
        )
        self.sentences.append(Sentence(text=f"{label}{LABELLED}{titles}{after}", citations=numbers))

    def whole(self, paper: Paper) -> None:
        """A line with the whole abstract of ``paper``."""
        number = self._number(paper, paper.abstract)
        self.sentences.append(
            Sentence(
                text=f"{paper.label}: “{paper.abstract}” [{number}]",
                citations=[number],
                support="supported",
                quote=paper.abstract,
                why=_WHY,
            )
        )

    def _number(self, paper: Paper, quote: str) -> int:
        number = self._numbers.get(paper.id)
        if number is not None:
            cited = self.citations[number - 1]
            if quote and not cited.quote:
                cited.quote, cited.support_score = quote, 1.0
            return number
        number = self._numbers[paper.id] = len(self.citations) + 1
        self.citations.append(
            Citation(
                number=number,
                paper_id=paper.id,
                title=paper.label,
                url=paper.link,
                quote=quote,
                support="supported",
                support_score=1.0,
                why=_WHY if quote else "",
            )
        )
        return number
