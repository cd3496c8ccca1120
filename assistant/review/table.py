"""The comparison table, by rules: each cell in the paper's own words, or empty."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.review.drafting import Claim, Draft
from assistant.review.model import Cell, TableRow
from assistant.review.numbers import figures, scale_of
from assistant.review.roles import Reading
from assistant.review.search import UsedPaper
from assistant.review.wording import VERBS, clean, clipped, unopened

__all__ = ["row"]

_WORDS = {"problem": 24, "method": 28, "result": 26, "limits": 30}
_LEAD = re.compile(
    r"^(?:however|in response|nevertheless|for this reason|in this technical report"
    r"|to alleviate [^,]{0,60}|moreover|furthermore|additionally|specifically|in addition"
    r"|nevertheless|yet|but"
    r"|unfortunately|in this (?:paper|work|study|survey)|to (?:address|tackle|overcome|mitigate"
    r"|solve)"
    r" (?:this|these|that)[^,]{0,60}|to this end|motivated by [^,]{0,60}|building on [^,]{0,60}"
    r"|for instance|for example|in particular|therefore|thus|notably|finally|overall),\s*",
    re.IGNORECASE,
)


def row(place: int, used: UsedPaper, reading: Reading, draft: Draft, theme: str) -> TableRow:
    """The row of one paper; ``place`` is its place among the used papers."""
    texts: dict[str, tuple[str, int]] = {}
    for role in ("problem", "method", "limits"):
        sentence = getattr(reading, role)
        if sentence is not None:
            texts[role] = (_cell(used.sentences[sentence], _WORDS[role]), sentence)
    reported = figures(used.sentences, reading.results)[:2]
    if reported:
        texts["result"] = ("; ".join(f.text for f in reported), reported[0].sentence)
    elif reading.result is not None:
        texts["result"] = (_cell(used.sentences[reading.result], _WORDS["result"]), reading.result)
    scale = scale_of(used.sentences, range(len(used.sentences)))
    if scale:
        texts["scale"] = ("; ".join(text for text, _ in scale), scale[0][1])
    cells: dict[str, Cell] = {}
    number = draft.numbers[place]
    for role, (text, sentence) in texts.items():
        parts = text.split("; ") if role in ("result", "scale") else [text]
        verdicts = [draft.verifier.verdict(Claim(place, part)) for part in parts]
        weakest = min(verdicts, key=lambda v: v.score)
        cells[role] = Cell(
            text=text,
            citation=number,
            quote=used.sentences[sentence],
            support=weakest.support,
        )
    return TableRow(number=number, title=clean(used.paper.label), theme=theme, **cells)


def _cell(sentence: str, words: int) -> str:
    text = unopened(clean(sentence))
    for _ in range(2):
        text = _LEAD.sub("", text)
    we = re.match(r"^we (?:\w+ly |also |first |then )?(\w+)\b", text, re.IGNORECASE)
    if we and we[1] in VERBS:
        text = VERBS[we[1]] + text[we.end() :]
    text = re.sub(r"^this (?:paper|work|study|article) (?=\w+s\b)", "", text, flags=re.IGNORECASE)
    return clipped(text[:1].upper() + text[1:], words).rstrip(".")


def filled(rows: Sequence[TableRow]) -> int:
    """How many cells are filled."""
    return sum(
        getattr(row, column) is not None
        for row in rows
        for column in ("problem", "method", "result", "scale", "limits")
    )
