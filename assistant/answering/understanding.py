"""What is asked: a question that stands on its own, the searches for it, or no search at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assistant.conversation import references_in, without_references
from assistant.endpoint.ledger import count_tokens
from assistant.filters import Filters
from assistant.results import Message

__all__ = ["Plan", "condensed", "json_reply", "plan_from_reply", "queries_of"]

_MOST_QUERIES = 4
_LONGEST_QUERY = 300
_LONGEST_QUESTION = 1000

_MARKERS = re.compile(r"\s*\[\d+(?:,\s*\d+)*\]")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with a question.

    ``library``: papers are needed. ``understood``: a model has made the question stand on its
    own; otherwise it goes into a prompt as it was asked, beside the history. ``filters``: who
    wrote the papers and when, where the question says so.
    """

    question: str
    searches: list[str] = field(default_factory=list)
    library: bool = True
    understood: bool = False
    filters: Filters | None = None


def condensed(turns: Sequence[Message], tokens: int) -> str:
    """The last turns as text, oldest first, in about so many tokens; without citation numbers.

    The titles that an answer cites are kept. Each turn may take half of what is left, so that
    a long answer does not push out the question before it.
    """
    lines: list[str] = []
    for turn in reversed(turns):
        body, titles = turn.content, list[str]()
        if turn.role == "assistant":
            body, titles = without_references(body), list(references_in(body).values())
        text = _MARKERS.sub("", " ".join(body.split()))
        most = tokens // 2
        if most < 16:
            break
        if count_tokens(text) > most:
            text = text.encode("utf-8", "replace")[: most * 3].decode("utf-8", "ignore") + " …"
        if titles:
            text += f" (papers cited: {'; '.join(titles)})"
        line = f"{turn.role}: {text}"
        tokens -= count_tokens(line)
        lines.append(line)
    return "\n".join(reversed(lines))


def plan_from_reply(reply: str, asked: str) -> Plan:
    """The plan that a model's reply describes; what it leaves out or gets wrong is ours.

    ``asked`` is the question made to stand on its own without a model.
    """
    said = json_reply(reply)
    if not isinstance(said, dict):
        return Plan(asked, [asked])
    standalone = said.get("question")
    if not isinstance(standalone, str) or not standalone.strip():
        standalone = asked
    standalone = " ".join(standalone.split())[:_LONGEST_QUESTION]
    searches = _queries(said.get("queries"))
    # the model's words first: they find more than those of a person
    searches = list(dict.fromkeys([*searches, standalone]))
    library = said.get("library") is not False
    return Plan(standalone, searches, library, True, _filters(said))


def _filters(said: dict[str, object]) -> Filters | None:
    """Authors and years that the question asks for."""
    authors = said.get("authors")
    named = [a.strip() for a in authors if isinstance(a, str)] if isinstance(authors, list) else []
    years = said.get("years")
    known = [y for y in years if isinstance(y, int)] if isinstance(years, list) else []
    filters = Filters(
        author=tuple(name for name in named if name),
        first_year=min(known, default=None),
        last_year=max(known) if len(known) > 1 else None,
    )
    return filters or None


def _queries(value: object) -> list[str]:
    if not isinstance(value, list):
        return []
    texts = [" ".join(q.split())[:_LONGEST_QUERY] for q in value if isinstance(q, str)]
    return list(dict.fromkeys(text for text in texts if text))[:_MOST_QUERIES]


def json_reply(reply: str) -> object:
    """The JSON value in a reply, whatever stands around it; None if there is none.

    Of an array that broke off, the objects that are whole.
    """
    reply = reply.rpartition("</think>")[2]
    for opener, closer in ("{}", "[]") if reply.find("[") != 0 else ("[]", "{}"):
        start, end = reply.find(opener), reply.rfind(closer)
        if 0 <= start < end:
            try:
                return json.loads(reply[start : end + 1])
            except (ValueError, RecursionError):
                continue
    return list(_whole_objects(reply)) or None


def _whole_objects(reply: str) -> Iterator[object]:
    decoder, at = json.JSONDecoder(), reply.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(reply, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield value
        at = reply.find("{", end)


def queries_of(reply: str) -> list[str]:
    """The searches that a reply about sufficiency asks for; none if it says "enough"."""
    said = json_reply(reply)
    if not isinstance(said, dict) or said.get("enough") is True:
        return []
    return _queries(said.get("queries"))
