"""What a literature review is: themes, sentences with verdicts, a table, references, and how
it came about.

Plain pydantic models; ``model_dump(mode="json")`` is the whole review, with its plan and what
was found on the way. A sentence's ``text`` holds its markers, ``[1]``; the numbers are those of
``references``, by first appearance in the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field, field_validator

from assistant.paper import Paper
from assistant.results import Mode, Sentence, Support, Usage

__all__ = [
    "COLUMNS",
    "Cell",
    "Certainty",
    "Counts",
    "LeftOut",
    "MapPoint",
    "NumberRow",
    "Paragraph",
    "Plan",
    "Quote",
    "Reference",
    "Review",
    "ReviewCandidate",
    "ReviewEstimate",
    "ReviewProgress",
    "ReviewSentence",
    "SearchStep",
    "TableRow",
    "Theme",
    "Verdicts",
]

_MARK = re.compile(r"\[(\d{1,4})\]")
Status = Literal["written", "thin", "absent"]
COLUMNS = ("method", "result", "scale", "limits")
"""Columns of the comparison table, after the paper."""


Certainty = Literal["sure", "likely"]
"""Of a cell: a fitted model is sure of it, or it is the nearest that there is."""


class Quote(BaseModel):
    """One citation of one sentence: the paper's number, its own words, and the verdict."""

    number: int
    text: str
    support: Support
    score: float = Field(description="of the check, in [0, 1]")
    why: str = ""


class ReviewSentence(Sentence):
    """A sentence; ``quotes`` has one entry a citation.

    ``support`` is "none" where the review speaks of itself (how many papers, which themes), else
    the verdict of its weakest part.
    """

    quotes: list[Quote] = Field(default_factory=list)

    def pieces(self) -> Iterator[tuple[str, int | None]]:
        """The text in pieces, each with the number cited behind it.

        What stands in brackets inside a quotation is the abstract's own, and no citation.
        """
        masked = self.text
        for quote in self.quotes:
            for part in quote.text.split(" … "):
                masked = masked.replace(part, "\0" * len(part))
        done = 0
        for mark in _MARK.finditer(masked):
            if int(mark[1]) in self.citations:
                yield self.text[done : mark.start()], int(mark[1])
                done = mark.end()
        yield self.text[done:], None


class Paragraph(BaseModel):
    """A run of sentences."""

    sentences: list[ReviewSentence]


class Theme(BaseModel):
    """A theme: its name, what distinguishes it, its papers by number, its section."""

    name: str
    terms: list[str] = Field(default_factory=list, description="distinctive terms, best first")
    papers: list[int] = Field(default_factory=list, description="numbers of its papers")
    paragraphs: list[Paragraph] = Field(default_factory=list)

    @property
    def sentences(self) -> Iterator[ReviewSentence]:
        """All sentences of the section."""
        return (sentence for paragraph in self.paragraphs for sentence in paragraph.sentences)


class Cell(BaseModel):
    """A filled cell: ``text`` stands in ``quote``, and ``quote`` in the abstract, as they are."""

    text: str
    citation: int
    quote: str
    support: Support = "supported"
    certainty: Certainty = "sure"
    corrected: bool = Field(False, description="by a person: its text is theirs")


class TableRow(BaseModel):
    """One paper of the comparison table; a cell is None where the abstract does not say."""

    number: int
    title: str
    theme: str = ""
    method: Cell | None = None
    result: Cell | None = None
    scale: Cell | None = None
    limits: Cell | None = None


class NumberRow(BaseModel):
    """A reported number: what is measured, on which data, how much, against what."""

    what: str
    value: str
    cell: Cell
    data: str = ""
    against: str = ""


class Reference(BaseModel):
    """A cited paper; ``relevance`` is the estimated chance that it is about the topic."""

    number: int
    paper: Paper
    theme: str = ""
    relevance: float = 0.0
    new: bool = Field(False, description="was not in the review that this one follows")
    by_hand: bool = Field(False, description="named by the person, not found by the search")
    key: str = Field("", description="what it is cited by in every export of the library")

    @field_validator("paper", mode="before")
    @classmethod
    def _id_follows(cls, value: object) -> object:
        """Lets a review be read again from its JSON, where the paper's id is shown."""
        return {k: v for k, v in value.items() if k != "id"} if isinstance(value, dict) else value


class SearchStep(BaseModel):
    """One query and what it brought."""

    query: str
    why: str
    found: int = Field(description="papers looked at")
    new: int = Field(description="relevant ones that no query before had brought")


class LeftOut(BaseModel):
    """A paper that was looked at and is not in the review, and why."""

    paper_id: str
    title: str
    relevance: float
    why: str


class Counts(BaseModel):
    """``held`` in the library, ``found`` by the searches, ``relevant`` of them, ``used``."""

    held: int = 0
    found: int = 0
    relevant: int = 0
    used: int = 0
    left_out: int = 0


class Verdicts(BaseModel):
    """How many sentences are supported, partial, unsupported; ``own``: about the review itself."""

    supported: int = 0
    partial: int = 0
    unsupported: int = 0
    own: int = 0


class MapPoint(BaseModel):
    """Where a paper lies on the theme map; ``x`` and ``y`` in [0, 1]."""

    number: int
    x: float
    y: float
    theme: int


class Plan(BaseModel):
    """What a language model planned and replied, so that a person can see how it came about."""

    outline: dict[str, str] = Field(default_factory=dict, description="theme → its focus")
    replies: list[str] = Field(default_factory=list)


class Review(BaseModel):
    """A literature review. ``absent``: the library holds nothing on the topic, and it says so."""

    topic: str
    title: str
    status: Status
    mode: Mode = "extractive"
    model: str | None = None
    scope: list[ReviewSentence] = Field(default_factory=list)
    overview: list[ReviewSentence] = Field(default_factory=list)
    answers: list[ReviewSentence] = Field(
        default_factory=list, description="to a yes-or-no question"
    )
    themes: list[Theme] = Field(default_factory=list)
    table: list[TableRow] = Field(default_factory=list)
    numbers: list[NumberRow] = Field(default_factory=list)
    across: list[ReviewSentence] = Field(
        default_factory=list, description="what papers share, and where they differ"
    )
    disagreements: list[ReviewSentence] = Field(default_factory=list)
    open_questions: list[ReviewSentence] = Field(default_factory=list)
    references: list[Reference] = Field(default_factory=list)
    counts: Counts = Field(default_factory=Counts)
    verdicts: Verdicts = Field(default_factory=Verdicts)
    searches: list[SearchStep] = Field(default_factory=list)
    beyond: list[LeftOut] = Field(
        default_factory=list, description="about the topic too, beyond the papers asked for"
    )
    related: list[LeftOut] = Field(default_factory=list, description="listed, not written about")
    left_out: list[LeftOut] = Field(default_factory=list)
    map: list[MapPoint] = Field(default_factory=list)
    plan: Plan = Field(default_factory=Plan)
    notes: list[str] = Field(default_factory=list)
    usage: Usage | None = None
    seconds: float = 0.0

    @property
    def extent(self) -> list[str]:
        """How many papers, and themes that have a name of their own, where there are any."""
        named = sum(bool(theme.terms) for theme in self.themes)
        counts = [(self.counts.used, "paper"), *([(named, "theme")] if named else [])]
        return [f"{number:,} {noun}{'s' * (number != 1)}" for number, noun in counts]

    @property
    def sentences(self) -> Iterator[ReviewSentence]:
        """Every sentence in the order of the document."""
        yield from self.scope
        yield from self.answers
        yield from self.overview
        for theme in self.themes:
            yield from theme.sentences
        yield from self.across
        yield from self.disagreements
        yield from self.open_questions


class ReviewCandidate(BaseModel):
    """A paper that a review would use (ring "core") or list ("related"), and why.

    ``relevance``: the chance that it is about the topic.
    """

    paper: Paper
    relevance: float
    ring: Literal["core", "related"] = "core"
    why: str = ""
    by_hand: bool = False


class ReviewEstimate(BaseModel):
    """What writing a review with the language model will take, before it begins."""

    papers: int
    themes: int
    calls: int
    prompt_tokens: int
    completion_tokens: int = Field(description="at most")
    cost_usd: float | None = None

    def __str__(self) -> str:
        cost = "" if self.cost_usd is None else f", ${self.cost_usd:.2f} at most"
        return (
            f"{self.papers} papers in {self.themes} themes: about {self.calls} calls, "
            f"{self.prompt_tokens:,} tokens in, at most {self.completion_tokens:,} out{cost}."
        )


class ReviewProgress(BaseModel):
    """Where the work stands: ``done`` of ``total`` steps, tokens so far, seconds to go."""

    step: str
    done: int
    total: int
    tokens: int = 0
    seconds_left: float | None = None
