"""An answer's text as it is sent: cut at a stop text or at the most tokens, however it comes.

The text arrives in pieces of any size, and leaves in pieces; where it is cut does not depend on
how it came. Tokens are estimated, rather too many than too few: five letters are one, and so is
every mark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["Cutter"]

_TOKEN = re.compile(r"\s*(?:[^\W_]{1,5}|[^\s])|\s+")


class Cutter:
    """Takes pieces of text and gives what may be sent of them.

    Args:
        stop: where any of these begins, the text ends.
        most: tokens; None: as long as it is.

    Attributes:
        finish: "stop" or "length": why the text ended.
        ended: nothing more will be given.
    """

    def __init__(self, stop: Sequence[str] = (), most: int | None = None) -> None:
        self._stop = [text for text in stop if text]
        self._left = most
        self._held = ""
        self.finish = "stop"
        self.ended = False

    def take(self, piece: str) -> str:
        """What may be sent now; the rest may be the beginning of a stop text, or of a token."""
        if self.ended:
            return ""
        text = self._held + piece
        first = self._first(text)
        safe = len(text) - max((_overlap(text, stop) for stop in self._stop), default=0)
        if first is not None and first <= safe:  # else another, which began earlier, may still end
            sent = self._counted(text[:first], whole=True)
            self.ended, self._held = True, ""
            return sent
        ready, self._held = text[:safe], text[safe:]
        if self._left is not None:
            return self._counted(ready, whole=False)
        return ready

    def end(self) -> str:
        """What is left when the text is whole."""
        if self.ended:
            return ""
        text, self._held, self.ended = self._held, "", True
        return self._counted(text[: self._first(text)], whole=True)

    def _first(self, text: str) -> int | None:
        """Where the first stop text in ``text`` begins; None where there is none."""
        found = [at for stop in self._stop if (at := text.find(stop)) >= 0]
        return min(found, default=None)

    def _counted(self, text: str, *, whole: bool) -> str:
        """``text`` up to the most tokens; not ``whole``: its last token may still grow."""
        if self._left is None:
            return text
        at = 0
        tokens = list(_TOKEN.finditer(text))
        for n, token in enumerate(tokens):
            if not whole and n == len(tokens) - 1:
                self._held = text[at:] + self._held
                return text[:at]
            if token[0].isspace():  # at the end of the text: it costs nothing
                break
            if self._left == 0:
                self.finish, self.ended, self._held = "length", True, ""
                return text[:at]
            self._left -= 1
            at = token.end()
        return text[:at]


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of ``text`` may be the beginning of ``stop``."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
