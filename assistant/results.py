"""What you get back: search results, answers and their parts, ingest reports, events.

Plain pydantic models; ``model_dump(mode="json")`` is what ``--json`` prints. The fields of
these models are contracts: others may be added, none is renamed or removed.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Answer",
    "Citation",
    "CitationEvent",
    "DoneEvent",
    "ErrorEvent",
    "Event",
    "IngestReport",
    "Message",
    "Passage",
    "Rejection",
    "SearchResult",
    "Sentence",
    "StatusEvent",
    "Support",
    "TextEvent",
    "Timings",
    "Usage",
    "VerdictEvent",
]

CLOSEST = "Nothing in this library answers this directly; the closest is:"
Support = Literal["supported", "partial", "unsupported"]
Status = Literal["answered", "closest", "absent"]
Mode = Literal["extractive", "generative"]


class Message(BaseModel):
    """One turn of a conversation, as chat models take it."""

    role: Literal["user", "assistant"]
    content: str


class SearchResult(BaseModel):
    """One paper of a search: ``rank`` from 1, ``score`` in [0, 1], higher is better."""

    rank: int
    paper_id: str
    title: str
    score: float
    passage: str


class Passage(BaseModel):
    """The text of one retrieved paper as given to the answerer, with its score in [0, 1]."""

    paper_id: str
    title: str
    text: str
    score: float
    url: str | None = None


class Citation(BaseModel):
    """A cited paper: its number in the text, the quote that supports, and the verdict on it.

    ``support_score`` is in [0, 1]; ``why`` says in a few words what the verdict rests on.
    """

    number: int
    paper_id: str
    title: str
    url: str | None = None
    quote: str
    support: Support
    support_score: float
    why: str = ""


class Sentence(BaseModel):
    """One sentence of an answer, the numbers that it cites, and its own verdict.

    ``support`` is the best verdict of its citations; "none" where nothing is claimed (a
    transition, a greeting), "unsupported" where something is claimed and nothing is cited.
    ``quote`` is the sentence of an abstract that supports it best (in an extractive answer the
    words of the abstract that it shows, letter for letter, pieces between marked cuts "…"),
    ``why`` what the verdict rests on, in a few words.
    """

    text: str
    citations: list[int] = Field(default_factory=list)
    support: str = "none"
    quote: str = ""
    why: str = ""


class Timings(BaseModel):
    """Milliseconds of wall time."""

    retrieve: float = 0.0
    answer: float = 0.0
    total: float = 0.0


class Usage(BaseModel):
    """Tokens spent at an endpoint, summed over all calls of an answer; cost where known.

    ``estimated`` says that the endpoint did not report the tokens of some call. Usages add up:
    ``sum(usages, Usage())`` is what a conversation has cost.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    calls: int = 0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        costs = [u.cost_usd for u in (self, other) if u.calls or u.cost_usd is not None]
        known = [cost for cost in costs if cost is not None]
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost_usd=sum(known) if known and len(known) == len(costs) else None,
            calls=self.calls + other.calls,
            estimated=self.estimated or other.estimated,
        )


class Answer(BaseModel):
    """An answer: text, its sentences, its citations, and what it rests on.

    ``confidence`` in [0, 1] is calibrated: of answers with .8, some eight of ten are good (a
    right paper, and a right fact where one is asked for). ``form`` says how the sentences are
    laid out: "fact", "list", "definition", "explanation", "comparison", "yes_no", "limits", "two"
    (questions in one), "about_library", "talk". ``notes`` are for the reader and are not part of
    the answer's text; ``filtered`` is the one of them that says which papers alone were asked
    where the question's own words name a filter ("since 2022").
    """

    question: str
    standalone_question: str
    answer: str
    answered: bool
    status: Status
    confidence: float
    form: str = "fact"
    mode: Mode = "extractive"
    model: str | None = None
    citations: list[Citation] = Field(default_factory=list)
    sentences: list[Sentence] = Field(default_factory=list)
    passages: list[Passage] = Field(default_factory=list)
    timings_ms: Timings = Field(default_factory=Timings)
    usage: Usage | None = None
    notes: list[str] = Field(default_factory=list)
    filtered: str = ""

    @property
    def cited_titles(self) -> list[str]:
        """Titles of the cited papers, in the order of their numbers."""
        return [citation.title for citation in self.citations]

    @property
    def body(self) -> str:
        """The text without the line that it is no answer, for what says so beside it."""
        return self.answer.removeprefix(f"{CLOSEST}\n")

    def __str__(self) -> str:
        references = [f"[{c.number}] {c.title}" for c in self.citations]
        if all(title in self.answer for title in self.cited_titles):
            references = []  # a list of papers names them itself
        parts = [[self.answer], references, [self.filtered] if self.filtered else []]
        return "\n\n".join("\n".join(lines) for lines in parts if lines)


class Rejection(BaseModel):
    """A record that was not taken in: which source, where in it, why."""

    source: str
    where: str
    reason: str


class IngestReport(BaseModel):
    """What an ingest did: ``read`` = added + updated + unchanged + duplicates."""

    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = Field(default_factory=list)
    seconds: float = 0.0


class StatusEvent(BaseModel):
    """A step of the work begins: "searching: …", "reading 8 papers".

    ``waiting``: nothing is done for a while, because the endpoint is to be asked again.
    """

    type: Literal["status"] = "status"
    text: str
    waiting: bool = False


class TextEvent(BaseModel):
    """The next piece of the answer's text."""

    type: Literal["text"] = "text"
    text: str


class CitationEvent(BaseModel):
    """A paper has been cited for the first time."""

    type: Literal["citation"] = "citation"
    citation: Citation


class VerdictEvent(BaseModel):
    """A sentence has been checked; ``index`` is its place in ``Answer.sentences``."""

    type: Literal["verdict"] = "verdict"
    index: int
    sentence: Sentence


class DoneEvent(BaseModel):
    """The answer is whole."""

    type: Literal["done"] = "done"
    answer: Answer


class ErrorEvent(BaseModel):
    """The answer could not be finished; ``partial`` holds what there is of it.

    The last event of its stream. ``error`` is what `Assistant.ask` raises in its place; it is
    no part of the JSON.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    type: Literal["error"] = "error"
    message: str
    partial: Answer | None = None
    error: Exception | None = Field(None, exclude=True, repr=False)


Event = Annotated[
    StatusEvent | TextEvent | CitationEvent | VerdictEvent | DoneEvent | ErrorEvent,
    Field(discriminator="type"),
]
