"""The language of a question, told from its function words or its script.

Short texts are judged only where they leave little doubt: what is not surely another language
is taken for English, in which nearly all abstracts are written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

__all__ = ["ENGLISH", "language_of"]

ENGLISH = "English"
_LANGUAGES = (
    "danish dutch finnish french german hungarian indonesian italian norwegian portuguese"
    " romanian spanish swedish turkish"
).split()
_SCRIPTS = {
    "CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean",
    "CYRILLIC": "Russian", "ARABIC": "Arabic", "HEBREW": "Hebrew", "GREEK": "Greek",
    "DEVANAGARI": "Hindi", "THAI": "Thai", "BENGALI": "Bengali", "TAMIL": "Tamil",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
# what asks, and "the", "of", "is" of these languages that their lists of stop words leave out
_ASKING = {
    "german": "welche welcher welches wie warum gibt es arbeiten über beim wieso weshalb wurde",
    "french": "quels quelles quel quelle comment pourquoi est-ce quoi existe-t-il sont combien",
    "spanish": "qué cuáles cuál cómo por qué cuántos existen hay sobre",
    "italian": "quali quale come perché cosa esistono sono quanti della delle",
    "portuguese": "quais qual como por que quantos existem sobre são",
    "dutch": "welke hoe waarom hoeveel wordt worden",
}


@lru_cache(maxsize=1)
def _function_words() -> dict[str, frozenset[str]]:
    """Language → its function words, from the lists that come with LlamaIndex."""
    folder = files("llama_index.core").joinpath("_static", "nltk_cache", "corpora", "stopwords")
    lists: dict[str, frozenset[str]] = {}
    for name in ("english", *_LANGUAGES):
        listed = folder.joinpath(name).read_text("utf-8").split()
        lists[name] = frozenset(word.casefold() for word in listed) | frozenset(
            _ASKING.get(name, "").split()
        )
    return lists


def language_of(text: str) -> str:
    """The English name of the language that ``text`` is surely written in, else "English"."""
    found = _by_script(text)
    if found:
        return found
    words = [word.casefold() for word in _WORD.findall(text)]
    counts = {name: sum(word in held for word in words) for name, held in _function_words().items()}
    english = counts.pop("english")
    best = max(counts, key=lambda name: (counts[name], _own(words, name)))
    least = max(2, english + 1, 0.25 * len(words))
    return best.capitalize() if counts[best] >= least and _own(words, best) else ENGLISH


def _own(words: Sequence[str], name: str) -> int:
    """Words that only the list of language ``name`` holds."""
    lists = _function_words()
    return sum(
        word in lists[name] and not any(word in held for n, held in lists.items() if n != name)
        for word in words
    )


def _by_script(text: str) -> str | None:
    """The language whose script most letters are of, if it is not the Latin one."""
    letters = [character for character in text if character.isalpha()]
    counts: dict[str, int] = {}
    for letter in letters:
        if letter.isascii():
            continue
        script = unicodedata.name(letter, "").split(" ")[0]
        counts[script] = counts.get(script, 0) + 1
    if not counts:
        return None
    script = max(counts, key=lambda name: counts[name])
    if script not in _SCRIPTS or counts[script] < 0.3 * len(letters):
        return None
    if script == "CJK" and counts.get("HIRAGANA", 0) + counts.get("KATAKANA", 0):
        return "Japanese"
    return _SCRIPTS[script]
