"""Whether a text states a wanted fact, loosely: spaces, case, "2x"/"2×", "two"/"2", "1,000"."""

from __future__ import annotations

import re
import unicodedata

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBERS = {word: n for n, word in enumerate(_ONES)} | {
    word: 10 * n for n, word in enumerate(_TENS, 2)
}
_TENS_AND_ONES = re.compile(rf"\b({'|'.join(_TENS)})[ -]({'|'.join(_ONES[1:10])})\b")
_NUMBER_WORD = re.compile(rf"\b({'|'.join(_NUMBERS)})(?=\b|fold)")
_DASHES = re.compile(r"[‐-―−]")
_MARKERS = re.compile(r"\s*\[\d+(?:\s*[,–-]\s*\d+)*\]")
_UNITS = (
    (re.compile(r"(\d)\s*(?:percent|per cent|pct)\b"), r"\1%"),
    (re.compile(r"(\d)\s*%"), r"\1%"),
    (re.compile(r"(\d)\s*(?:×|x\b|-?\s*times\b|-?\s*fold\b)"), r"\1x"),
    (re.compile(r"(\d)[ -]*(?:billions?|bn)\b"), r"\1b"),
    (re.compile(r"(\d)[ -]*(?:millions?|mn)\b"), r"\1m"),
    (re.compile(r"(\d)[ -]*thousands?\b"), r"\1k"),
    (re.compile(r"\b(\d+)k\b"), r"\g<1>000"),
)


def without_markers(text: str) -> str:
    """``text`` without its citation markers."""
    return _MARKERS.sub("", text)


def normalised(text: str) -> str:
    """``text`` with one way of writing for what people write in several."""
    text = _DASHES.sub("-", unicodedata.normalize("NFKC", text)).casefold()
    text = text.replace("’", "'").replace("\\%", "%")
    text = re.sub(r"(?<=\d)[,\u202f](?=\d{3}(?!\d))", "", text)
    text = re.sub(r"(\d)\.0+(?![\d.])", r"\1", text)
    text = _TENS_AND_ONES.sub(lambda m: str(_NUMBERS[m[1]] + _NUMBERS[m[2]]), text)
    text = _NUMBER_WORD.sub(lambda m: str(_NUMBERS[m[1]]), text)
    for pattern, replacement in _UNITS:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def states(text: str, fact: str) -> bool:
    """Whether ``text`` holds ``fact``; a number of the fact must be a whole number there.

    >>> states("It is two times as fast, with 1,400 GPUs.", "2x") and not states("2410", "41")
    True
    """
    wanted = normalised(fact)
    pieces = re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+|[^\s\w-]", wanted)
    if not pieces:
        return False
    pattern = r"[\s-]*".join(map(re.escape, pieces))
    if pieces[0][0].isdigit():
        pattern = r"(?<![\d.])" + pattern
    elif pieces[0][0].isalpha():
        pattern = r"(?<![^\W\d_])" + pattern
    if pieces[-1][-1].isdigit():
        pattern += r"(?!\d|\.\d)"
    return re.search(pattern, normalised(without_markers(text))) is not None
