"""What of a reply is meant for a reader: not what a model thinks, not the marks of its template."""

from __future__ import annotations

import re

__all__ = ["SpokenText"]

_OPEN, _CLOSE = "<think>", "</think>"
_END = re.compile(
    r"<\|(?:im_end|im_start|eot_id|end|endoftext|end_of_text|return|eom_id)\|>"
    r"|</s>|<end_of_turn>|<｜[^｜<>]{1,30}｜>"
)
_ROLE = re.compile(r"<\|im_start\|>(?:assistant\b)?(?=[\s<])")
_HALF_ROLE = re.compile(r"<(?:\|[a-z_]{0,8}\|?)?|<\|im_start\|>a?s?s?i?s?t?a?n?t?")
"""A template's opening of the reply, whole and begun."""
_MAY_BECOME = re.compile(r"<(?:\|[a-z_|]{0,16}|/s?|e[a-z_]{0,11}|｜[^｜<>]{0,30}｜?)?$")


class SpokenText:
    """Drops a leading ``<think>…</think>``, and ends at a mark such as ``<|im_end|>``.

    Some local servers send both as text. The pieces may be cut anywhere.
    """

    def __init__(self) -> None:
        self._held, self._state = "", "start"

    def feed(self, text: str) -> str:
        """What may be given on once ``text`` has come."""
        if self._state == "ended":
            return ""
        self._held += text
        if self._state == "start":
            begin = _ROLE.sub("", self._held.lstrip()).lstrip()
            if begin.startswith(_OPEN):
                self._state = "thinking"
            elif _OPEN.startswith(begin) or _HALF_ROLE.fullmatch(begin):
                return ""  # may still become one
            else:
                self._state, self._held = "text", begin
        if self._state == "thinking":
            _, closed, after = self._held.partition(_CLOSE)
            after = after.lstrip()
            if not closed or not after:
                return ""
            self._state, self._held = "text", after
        return self._until_end()

    def finish(self) -> str:
        """What was held back when the stream ended."""
        held, self._held = self._held, ""
        return held if self._state in ("start", "text") else ""

    def _until_end(self) -> str:
        ended = _END.search(self._held)
        if ended is not None:
            text, self._state, self._held = self._held[: ended.start()], "ended", ""
            return text
        unclear = _MAY_BECOME.search(self._held)
        at = unclear.start() if unclear else len(self._held)
        text, self._held = self._held[:at], self._held[at:]
        return text
