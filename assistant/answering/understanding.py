"""What is asked: a question that stands on its own, the searches for it, or no search at all.

Greetings, "what can you do" and "how many papers do you hold" are answered here, without a
model: what the program is, and what the library holds, are facts that it knows itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.llm.ledger import count_tokens
from assistant.results import Message

__all__ = ["Plan", "condensed", "is_plain", "json_reply", "plan_from_reply", "small_talk"]

_MOST_QUERIES = 4
_LONGEST_QUERY = 300
_PLAIN_WORDS = 28

_GREETING = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day))(?: there| again| everyone)?",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:(?:ok(?:ay)?|great|perfect|good)[, ]+)?(?:thanks|thank you|thx|cheers)"
    r"(?: (?:a lot|so much|very much|again))?",
    re.IGNORECASE,
)
_ABILITIES = re.compile(
    r"(?:what can (?:you|this) do(?: for me)?|who are you|what are you|help"
    r"|how (?:do|can) i use (?:you|this)|how do you work)",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"how (?:many|much) (?:papers|abstracts|documents|articles)"
    r" (?:do you (?:have|hold|know)|are (?:there|in (?:the|this|your) library)"
    r"|does (?:the|this|your) library (?:have|hold|contain)|have you got)"
    r"(?: in (?:the|this|your) library)?",
    re.IGNORECASE,
)
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


def small_talk(question: str, papers: int) -> str | None:
    """The reply to what needs neither papers nor a model; None for everything else."""
    bare = question.strip(" \t\n.!?…,").lower()
    if _COUNT.fullmatch(bare):
        return f"The library holds {papers:,} paper{'' if papers == 1 else 's'}."
    if _ABILITIES.fullmatch(bare):
        return (
            f"I answer questions from the {papers:,} abstracts in this library. Every sentence of "
            "an answer cites papers by title and is checked against the abstracts that it cites; "
            "when the library does not hold an answer, I say so. Ask about a method, a result, a "
            "comparison, or which papers treat a subject; you can ask on from an answer."
        )
    if _GREETING.fullmatch(bare):
        return "Hello. Ask me something about the papers in this library."
    if _THANKS.fullmatch(bare):
        return "You are welcome."
    return None


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
