"""What is asked: a question that stands on its own, the searches for it, or no search at all."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.endpoint.ledger import count_tokens
from assistant.results import Message

__all__ = ["Plan", "condensed", "is_plain", "json_reply", "plan_from_reply"]

_MOST_QUERIES = 4
_LONGEST_QUERY = 300
_PLAIN_WORDS = 28

_PARTS = re.compile(
    r"\?.*\?|;|\bcompar|\bversus\b|\bvs\b|\bdiffer|\band (?:how|what|which|why|who|when|where"
    r"|does|do|is|are|can)\b|\bas well as\b|\bon the other hand\b|\bboth\b",
    re.IGNORECASE,
)
_MARKERS = re.compile(r"\s*\[\d+(?:,\s*\d+)*\]")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with a question.

    ``library``: papers are needed. ``understood``: a model has made the question stand on its
    own; otherwise it goes into a prompt as it was asked, beside the history.
    """

    question: str
    searches: list[str] = field(default_factory=list)
    library: bool = True
    understood: bool = False


def is_plain(question: str) -> bool:
    """Whether a question without a history is one search: short, and of one part."""
    return len(question.split()) <= _PLAIN_WORDS and not _PARTS.search(question)


def condensed(turns: Sequence[Message], tokens: int) -> str:
    """The last turns as text, oldest first, in about so many tokens; without citation numbers.

    Each turn may take half of what is left, so that a long answer does not push out the
    question before it.
    """
    lines: list[str] = []
    for turn in reversed(turns):
        text = _MARKERS.sub("", " ".join(turn.content.split()))
        most = tokens // 2
        if most < 16:
            break
        if count_tokens(text) > most:
            text = text.encode("utf-8", "replace")[: most * 3].decode("utf-8", "ignore") + " …"
        line = f"{turn.role}: {text}"
        tokens -= count_tokens(line)
        lines.append(line)
    return "\n".join(reversed(lines))


def plan_from_reply(reply: str, question: str, asked: str) -> Plan:
    """The plan that a model's reply describes; what it leaves out or gets wrong is ours.

    ``asked`` is the question made to stand on its own without a model.
    """
    said = json_reply(reply)
    if not isinstance(said, dict):
        return Plan(asked, [asked])
    standalone = said.get("question")
    if not isinstance(standalone, str) or not standalone.strip():
        standalone = asked
    standalone = " ".join(standalone.split())[:1000]
    searches = _queries(said.get("queries"))
    library = said.get("library") is not False
    if standalone == question and len(searches) == 1:
        searches = [question]  # a plain question is its own best search
    elif standalone not in searches:
        searches = [standalone, *searches][: _MOST_QUERIES + 1]
    return Plan(standalone, searches or [standalone], library, understood=True)


def _queries(value: object) -> list[str]:
    if not isinstance(value, list):
        return []
    texts = [" ".join(q.split())[:_LONGEST_QUERY] for q in value if isinstance(q, str)]
    return list(dict.fromkeys(text for text in texts if text))[:_MOST_QUERIES]


def json_reply(reply: str) -> object:
    """The JSON value in a reply, whatever stands around it; None if there is none."""
    for opener, closer in ("{}", "[]") if reply.find("[") != 0 else ("[]", "{}"):
        start, end = reply.find(opener), reply.rfind(closer)
        if 0 <= start < end:
            try:
                return json.loads(reply[start : end + 1])
            except (ValueError, RecursionError):
                continue
    return None


def queries_of(reply: str) -> list[str]:
    """The searches that a reply about sufficiency asks for; none if it says "enough"."""
    said = json_reply(reply)
    if not isinstance(said, dict) or said.get("enough") is True:
        return []
    return _queries(said.get("queries"))
