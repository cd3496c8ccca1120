"""The language of a question or a text, told from its script or its function words.

The lists of function words of some thirty languages come with LlamaIndex. A short question is
judged only where it leaves little doubt, and else taken for English, in which nearly all
abstracts are written. Two texts in different languages cannot be compared word for word.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from functools import lru_cache

from assistant.text import words

__all__ = ["ENGLISH", "content_of", "differs", "language", "language_of"]

ENGLISH = "English"
_LANGUAGES = (
    "danish dutch finnish french german hungarian indonesian italian norwegian portuguese"
    " romanian spanish swedish turkish"
).split()
"""Those that a short question is told to be in."""
_SCRIPTS = {
    "cjk": "Chinese", "hiragana": "Japanese", "katakana": "Japanese", "hangul": "Korean",
    "cyrillic": "Russian", "arabic": "Arabic", "hebrew": "Hebrew", "greek": "Greek",
    "devanagari": "Hindi", "thai": "Thai", "bengali": "Bengali", "tamil": "Tamil",
}  # fmt: skip
_KANA = ("hiragana", "katakana")
# what asks, and "the", "of", "is" of these languages that their lists of stop words leave out
_ASKING = {
    "german": "welche welcher welches wie warum gibt es arbeiten über beim wieso weshalb wurde",
    "french": "quels quelles quel quelle comment pourquoi est-ce quoi existe-t-il sont combien",
    "spanish": "qué cuáles cuál cómo por qué cuántos existen hay sobre trabajos artículos",
    "italian": "quali quale come perché cosa esistono sono quanti della delle",
    "portuguese": "quais qual como por que quantos existem sobre são",
    "dutch": "welke hoe waarom hoeveel wordt worden",
}
_FEWEST = 2
"""Function words of a language that a text must hold to be taken for it."""
_LONG = 6
"""Words of a text without any English function word from which one of another language tells."""
_LATIN = "latin"
_OWN_LETTERS = 0.2
"""A sentence of Chinese or Russian may hold more letters of Latin names than of its own."""


def language_of(text: str) -> str:
    """The English name of the language that ``text`` is surely written in, else "English"."""
    if name := _SCRIPTS.get(_script(text)):
        return name
    held = words(text, accents=True)
    counts = {name: sum(word in _lists()[name] for word in held) for name in _LANGUAGES}
    english = sum(word in _lists()["english"] for word in held)
    most = max(counts.values())
    if most < max(_FEWEST, english + 1, 0.25 * len(held)):
        return ENGLISH
    likely = [name for name in _LANGUAGES if counts[name] == most]
    own = {name: sum(_only_in(word, name) for word in held) for name in likely}
    best = max(likely, key=own.__getitem__)
    return best.capitalize() if own[best] else ENGLISH


def content_of(text: str, name: str) -> list[str]:
    """The words of ``text`` that are no function words of the language ``name`` ("French")."""
    return [
        word for word in words(text, accents=True) if word not in _lists().get(name.casefold(), ())
    ]


def language(text: str, known: Collection[str] = ()) -> str:
    """The script (``"cjk"``, ``"cyrillic"`` …) or the language ("english"); "" if not clear.

    ``known``: words that tell nothing, since a text of another language holds them too.
    """
    script = _script(text)
    if script != _LATIN:
        return "cjk" if script in _KANA else script
    held = [word for word in words(text, accents=True) if word not in known]
    scores = {name: sum(word in stops for word in held) for name, stops in _lists().items()}
    best = max(scores, key=lambda name: scores[name], default="")
    english = scores.get("english", 0)
    few = not english and len(held) >= _LONG and best and scores[best]
    if not few and (not best or scores[best] < _FEWEST or scores[best] <= 1.5 * english):
        return "english" if english >= _FEWEST else ""
    return best


def differs(text: str, other: str) -> bool:
    """Whether two texts are clearly in two languages."""
    two = language(other)
    one = language(text, frozenset(words(other, accents=True)) if two == "english" else ())
    return bool(one and two) and one != two


def _only_in(word: str, name: str) -> bool:
    lists = _lists()
    return word in lists[name] and not any(
        word in lists[other] for other in (*_LANGUAGES, "english") if other != name
    )


def _script(text: str) -> str:
    """The script that ``text`` is written in; single Greek letters are no language."""
    counts: Counter[str] = Counter()
    for letter in re.findall(r"[^\W\d_]", text)[:400]:
        counts[
            _LATIN if letter.isascii() else unicodedata.name(letter, "").split(" ")[0].lower()
        ] += 1
    foreign = {name: n for name, n in counts.items() if name != _LATIN}
    own = sum(n for name, n in foreign.items() if name != "greek")
    if own >= _OWN_LETTERS * counts.total() and own:
        kana = next((name for name in _KANA if name in foreign), None)
        return kana or max(foreign, key=lambda name: (name != "greek") * foreign[name])
    return "greek" if 2 * counts["greek"] > counts.total() else _LATIN


@lru_cache(maxsize=1)
def _lists() -> dict[str, frozenset[str]]:
    """Language → its function words, cut into words as a text is."""
    from importlib.resources import files  # noqa: PLC0415

    folder = files("llama_index.core") / "_static" / "nltk_cache" / "corpora" / "stopwords"
    found: dict[str, frozenset[str]] = {}
    for entry in folder.iterdir():
        if entry.name not in ("README", "hinglish") and entry.is_file():
            told = f"{entry.read_text('utf-8')} {_ASKING.get(entry.name, '')}"
            found[entry.name] = frozenset(words(told, accents=True))
    return found
