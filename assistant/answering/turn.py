"""One question on its way to its answer: what is known of it so far, and the answer it makes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from assistant.answering.checking import SentenceChecks
from assistant.answering.composition import Composition
from assistant.answering.understanding import Plan
from assistant.endpoint.chat import Cancellation
from assistant.endpoint.ledger import Ledger
from assistant.filters import Filters
from assistant.results import Answer, Message, Sentence, Status, Timings
from assistant.retrieved import Retrieval, RetrievedPaper
from assistant.settings import Verify

if TYPE_CHECKING:
    from assistant.answering.generative import Judgement
    from assistant.answering.support import SupportChecker

__all__ = ["Effort", "Turn"]

Effort = Literal["quick", "normal", "deep"]

_NEAREST = 3


@dataclass
class Turn:
    """A question with what was said before it, and what has come of it.

    ``most``: papers that may be read, where a person says so. ``first``: what the plain search
    found; its nearest papers are named where nothing answers. ``foreign``: whether every search
    is judged absent; ``nearness``: the best cosine of them all. ``former``: the draft before
    ``draft``, whole. ``shown``: whether text has reached the reader. ``judged``: the knowledge
    filter's word on the question as it was asked.
    """

    question: str
    turns: Sequence[Message]
    effort: Effort
    verify: Verify
    filters: Filters | None
    ledger: Ledger
    cancellation: Cancellation | None
    notes: list[str]
    plan: Plan
    model: str
    checker: Callable[[Retrieval], SupportChecker]
    most: int | None = None
    started: float = field(default_factory=time.perf_counter)
    retrieved: float | None = None
    confidence: float = 0.0
    foreign: bool = True
    nearness: float = 0.0
    papers: list[RetrievedPaper] = field(default_factory=list)
    first: Retrieval | None = None
    searched: list[str] = field(default_factory=list)
    draft: Composition | None = None
    former: Composition | None = None
    shown: bool = False
    judged: Judgement | None = None

    @property
    def nearest(self) -> str:
        """The titles nearest to the question, in quotation marks."""
        papers = self.first.papers[:_NEAREST] if self.first else ()
        return "; ".join(f"“{found.paper.label}”" for found in papers)

    def checks(self, given: Sequence[RetrievedPaper]) -> SentenceChecks:
        """The checks of a draft over these papers."""
        checker = self.checker(self.first) if given and self.first is not None else None
        return SentenceChecks(given, checker, compare=self.verify != "off")

    # ------------------------------------------------------------------ the answer

    def finished(self, most: int) -> Answer:
        """The answer that the draft makes, with what there is to say about it.

        ``most``: tokens that it was allowed.
        """
        draft = self.draft
        if draft is None:
            raise AssertionError("an answer is written before it is finished")
        self.notes += draft.notes
        if draft.finish == "length":
            self.notes.append(f"Cut off at the most tokens that an answer may have ({most}).")
        worth = draft.worth
        low = self.confidence / 4
        if draft.absent:
            if self.nearest:
                self.notes.append(f"The nearest papers are {self.nearest}.")
            text = draft.text or "The papers of the library do not answer this question."
            return self.answer(text, draft.sentences, "closest", low)
        if not draft.text:
            text = "What the model wrote does not answer the question, and is not shown."
            return self.answer(text, [Sentence(text=text)], "closest", 0.0)
        if draft.beside:
            self.notes.append("What it says does not answer the question.")
            return self.answer(draft.text, draft.sentences, "closest", low)
        if worth == 0:
            self.notes.append("No sentence of this answer is supported by a paper that it cites.")
            return self.answer(draft.text, draft.sentences, "closest", low)
        if any(s.support == "unchecked" for s in draft.sentences):
            self.notes.append(
                "Written in another language than the abstracts, and not checked against them."
                if self.verify != "off"
                else "Not checked against the abstracts."
            )
        # a model that found support for what it says is evidence that the library answers
        confidence = (0.4 + 0.6 * self.confidence) * worth
        status: Status = "answered" if worth > 0.5 else "closest"
        return self.answer(draft.text, draft.sentences, status, confidence)

    def partial(self, why: str) -> Answer | None:
        """What there is of an answer that could not be finished."""
        drafts = (self.draft, self.former)
        self.draft = draft = next((d for d in drafts if d is not None and d.text), None)
        if draft is None:
            return None
        self.notes += [*draft.notes, f"This answer is not finished: {why}"]
        return self.answer(draft.text, draft.sentences, "closest", 0.0)

    def answer(
        self, text: str, sentences: list[Sentence], status: Status, confidence: float
    ) -> Answer:
        """An answer of ``text``, with what is known of the turn."""
        draft, ended = self.draft, time.perf_counter()
        retrieved = self.retrieved or ended
        shown = draft.given if draft is not None and draft.given else self.papers
        return Answer(
            question=self.question,
            standalone_question=self.plan.question,
            answer=text,
            answered=status == "answered",
            status=status,
            confidence=round(confidence, 4),
            mode="generative",
            model=self.model,
            citations=draft.citations if draft is not None else [],
            sentences=sentences,
            passages=[found.passage for found in shown],
            timings_ms=Timings(
                retrieve=(retrieved - self.started) * 1000,
                answer=(ended - retrieved) * 1000,
                total=(ended - self.started) * 1000,
            ),
            usage=self.ledger.usage,
            notes=list(dict.fromkeys(self.notes)),
        )
