"""Turns as the page shows them, and how they are written out for reading."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.conversations import State, StoredTurn
from assistant.errors import AssistantError, LibraryNotFound
from assistant.filters import Filters
from assistant.results import Answer, Message

__all__ = [
    "MAX_QUESTION",
    "Failure",
    "LibraryName",
    "Turn",
    "history_of",
    "laid_out",
    "markdown_of",
    "turn_of",
]

log = logging.getLogger("assistant.ui")

LibraryName = Literal["own", "sample"]
MAX_QUESTION = 20_000
_ASIDE = {"id", "state", "branches", "question"}
"""What the store keeps in columns of its own."""


class Failure(BaseModel):
    """Why a question was not answered: what happened, what to do, and which card shows it."""

    what: str = Field(max_length=4000)
    do: str = Field("", max_length=4000)
    kind: Literal["error", "empty"] = "error"

    @classmethod
    def of(cls, error: Exception, *, here: bool) -> Failure:
        """What ``error`` says; not ``here``: as somebody on another machine is told.

        They are told no path, address or key of this one; the terminal is.
        """
        if not isinstance(error, AssistantError):
            log.error("something went wrong inside the program", exc_info=error)
            return cls(
                what="Something went wrong inside the program; this is a defect.",
                do="Try again; the terminal that it was started from says more.",
            )
        kind: Literal["error", "empty"] = "empty" if type(error) is LibraryNotFound else "error"
        what = error.worded(here=here)
        if what != str(error):
            log.warning("%s", error)
            return cls(what=what, kind=kind)
        return cls(what=error.what[:4000], do=error.do[:4000], kind=kind)

    def __str__(self) -> str:
        return f"{self.what} {self.do}".strip()


class Turn(BaseModel):
    """A question, and what became of it. ``answer`` may be there beside ``failure``: in part."""

    model_config = ConfigDict(extra="ignore")

    id: str = ""
    state: State = "done"
    branches: tuple[str, ...] = ()
    question: str
    answer: Answer | None = None
    failure: Failure | None = None
    steps: list[str] = Field(default_factory=list)
    stopped: bool = False
    library: LibraryName = "own"
    filters: Filters = Filters()
    follow_ups: list[str] = Field(default_factory=list)
    rating: Literal["up", "down"] | None = None
    noted: bool = False

    def stored(self) -> dict[str, Any]:
        """As the store keeps it: without the texts of the passages, which the library has."""
        answer = self.answer
        if answer is not None:
            bare = [p.model_copy(update={"text": ""}) for p in answer.passages]
            answer = answer.model_copy(update={"passages": bare})
        kept = self.model_copy(update={"answer": answer})
        return kept.model_dump(mode="json", exclude_none=True, exclude=_ASIDE)


def turn_of(kept: StoredTurn) -> Turn:
    """The turn that the store kept; what cannot be read of it is told in its place."""
    named = {"id": kept.id, "state": kept.state, "branches": kept.branches}
    try:
        return Turn.model_validate({**kept.data, **named, "question": kept.question})
    except ValidationError:
        lost = Failure(what="This answer was kept in a form that cannot be read.", do="Ask again.")
        return Turn.model_validate({**named, "question": kept.question, "failure": lost})


def history_of(turns: Sequence[Turn]) -> list[Message]:
    """The turns as `Assistant.stream` takes them."""
    history: list[Message] = []
    for turn in turns:
        if turn.answer is not None and turn.answer.answer.strip():
            history.append(Message(role="user", content=turn.question))
            history.append(Message(role="assistant", content=str(turn.answer)))
    return history


def laid_out(answer: Answer) -> str:
    """The text as Markdown: sentences of abstracts each by itself, those of a list as a list."""
    if answer.mode != "extractive":
        return answer.answer
    titles = {citation.number: citation.title for citation in answer.citations}
    blocks: list[str] = []
    for line in answer.body.splitlines():
        number = re.search(r"\[(\d+)\]$", line) if answer.form == "list" else None
        if number is None:
            blocks += ["", line, ""]
            continue
        title = titles.get(int(number[1]), "")
        named = f"**{title}**{line[len(title) :]}" if title and line.startswith(title) else line
        blocks.append(f"- {named}")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(blocks)).strip()


def markdown_of(answer: Answer) -> str:
    """The answer with its references, as Markdown."""
    lines = [laid_out(answer)]
    for citation in answer.citations:
        title = f"[{citation.title}]({citation.url})" if citation.url else citation.title
        verdict = "" if citation.support == "supported" else f" *({citation.support})*"
        lines.append(f"{citation.number}. {title}{verdict}\n   > {citation.quote}".rstrip(" >\n"))
    if answer.citations:
        lines.insert(1, "**References**")
    return "\n\n".join(lines) + "\n"
