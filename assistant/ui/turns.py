"""What the browser keeps: conversations, their turns, and how they are written out for reading.

The browser sends them back with each question, so nothing of a conversation stays on the
server. What comes back is validated here like anything else from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.results import Answer, Message

__all__ = ["Failure", "LibraryName", "Turn", "history_of", "markdown_of", "turns_of"]

LibraryName = Literal["own", "sample"]
MAX_TURNS = 200
_MAX_TEXT = 40_000


class Failure(BaseModel):
    """Why a question was not answered: what happened, what to do, and which card shows it."""

    what: str = Field(max_length=4000)
    do: str = Field("", max_length=4000)
    kind: Literal["error", "empty"] = "error"


class Turn(BaseModel):
    """A question, and what became of it. ``answer`` may be there beside ``failure``: in part."""

    model_config = ConfigDict(extra="ignore")

    question: str = Field(max_length=_MAX_TEXT)
    answer: Answer | None = None
    failure: Failure | None = None
    steps: list[str] = Field(default_factory=list, max_length=60)
    stopped: bool = False
    library: LibraryName = "own"
    rating: Literal["up", "down"] | None = None
    noted: bool = False

    def slim(self) -> Turn:
        """Without the texts of the passages, which the library has."""
        if self.answer is None:
            return self
        bare = [p.model_copy(update={"text": ""}) for p in self.answer.passages]
        return self.model_copy(update={"answer": self.answer.model_copy(update={"passages": bare})})


def turns_of(sent: object) -> list[Turn]:
    """The turns that a browser sent; those that are none are left out."""
    turns: list[Turn] = []
    for item in (sent if isinstance(sent, list) else [])[-MAX_TURNS:]:
        try:
            turns.append(Turn.model_validate(item))
        except ValidationError:
            continue
    return turns


def history_of(turns: Sequence[Turn]) -> list[Message]:
    """The turns as `Assistant.stream` takes them."""
    history: list[Message] = []
    for turn in turns:
        if turn.answer is not None and turn.answer.answer.strip():
            history.append(Message(role="user", content=turn.question))
            history.append(Message(role="assistant", content=turn.answer.answer))
    return history


def markdown_of(answer: Answer) -> str:
    """The answer with its references, as Markdown."""
    lines = [answer.answer.strip()]
    for citation in answer.citations:
        title = f"[{citation.title}]({citation.url})" if citation.url else citation.title
        verdict = "" if citation.support == "supported" else f" *({citation.support})*"
        lines.append(f"{citation.number}. {title}{verdict}\n   > {citation.quote}".rstrip(" >\n"))
    if answer.citations:
        lines.insert(1, "**References**")
    return "\n\n".join(lines) + "\n"
