"""The person's interests: a list that they can read and edit, kept in the library's folder.

Used, where the setting ``profile`` says so, to rank a digest and papers of a search that score
alike. It never hides a paper or an answer, and it never leaves the folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import LibraryError
from assistant.files import write_atomically
from assistant.paper import squeeze

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.retrieved import RetrievedPaper

__all__ = ["FILE", "Profile", "by_interest"]

FILE = "interests.txt"
_HEAD = "# What you are interested in, one thing a line. Edit as you like.\n"
_ALIKE = 0.02
"""Scores of a search that differ by less are a tie."""


class Profile:
    """The interests in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def interests(self) -> list[str]:
        """They, in the order of the file.

        Raises:
            LibraryError: the file cannot be read.
        """
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise LibraryError(
                f"{self.path}, the list of interests, cannot be read: {error}.", "Correct it."
            ) from None
        kept = (squeeze(line) for line in lines if not line.lstrip().startswith("#"))
        return list(dict.fromkeys(line for line in kept if line))

    def add(self, interest: str) -> None:
        """Adds a line.

        Raises:
            LibraryError: it says nothing, or cannot be written.
        """
        if not squeeze(interest):
            raise LibraryError("The interest says nothing.", "Write it in a few words.")
        self._write([*self.interests(), squeeze(interest)])

    def remove(self, interest: str) -> bool:
        """Removes a line; False where there is none such."""
        known = self.interests()
        kept = [line for line in known if line.casefold() != squeeze(interest).casefold()]
        if len(kept) < len(known):
            self._write(kept)
        return len(kept) < len(known)

    def _write(self, interests: Sequence[str]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lines = "".join(f"{line}\n" for line in dict.fromkeys(interests))
            write_atomically(self.path, _HEAD + lines)
        except OSError as error:
            raise LibraryError(
                f"{self.path} cannot be written: {error.strerror or error}."
            ) from None


def by_interest(
    papers: Sequence[RetrievedPaper], interests: NDArray[np.float32]
) -> list[RetrievedPaper]:
    """``papers`` in their order, ties ordered by the nearness to any interest.

    Args:
        papers: best first; those that score within `_ALIKE` of the first of a run are its ties.
        interests: (interests, dimension) their unit vectors.
    """
    nearness = [float((interests @ paper.mean).max()) for paper in papers]
    ordered: list[int] = []
    while len(ordered) < len(papers):
        start = end = len(ordered)
        while end < len(papers) and papers[start].score - papers[end].score < _ALIKE:
            end += 1
        ordered += sorted(range(start, end), key=lambda n: -nearness[n])
    return [papers[n] for n in ordered]
