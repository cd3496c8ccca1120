"""What readers think of answers: thumbs with a note, one JSON object a line.

The file lies in the library's folder and stays there. `ratings` reads it again; a later line
with the same ``id`` takes the place of an earlier one (a thumb first, then its note).
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from assistant.results import Message

__all__ = ["FILE", "Rating", "rate", "ratings"]

FILE = "feedback.jsonl"
_lock = threading.Lock()


class Rating(BaseModel):
    """One rated answer, with all that is needed to ask again and compare."""

    id: str = Field(max_length=100)
    at: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    rating: Literal["up", "down"]
    note: str = Field("", max_length=2000)
    question: str
    history: list[Message] = Field(default_factory=list)
    answer: str
    status: str
    mode: str
    model: str | None = None
    confidence: float = 0.0
    cited_ids: list[str] = Field(default_factory=list)
    cited_titles: list[str] = Field(default_factory=list)


def rate(folder: Path, rating: Rating) -> None:
    """Adds a rating to the file in ``folder``.

    Raises:
        OSError: it cannot be written.
    """
    line = rating.model_dump_json() + "\n"
    with _lock:
        # readable by its owner only: these are somebody's questions
        file = os.open(folder / FILE, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            os.write(file, line.encode("utf-8"))
        finally:
            os.close(file)


def ratings(folder: Path) -> Iterator[Rating]:
    """The newest rating of each answer, oldest first; bad lines are left out."""
    newest: dict[str, Rating] = {}
    try:
        lines = (folder / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            rating = Rating.model_validate(json.loads(line))
        except (ValueError, ValidationError):
            continue
        newest.pop(rating.id, None)
        newest[rating.id] = rating
    yield from newest.values()
