"""Is a text in another language than an abstract? Then a comparison of words says nothing.

By script where that tells, else by the function words of some thirty languages, whose lists
come with LlamaIndex.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

from assistant.text import words

__all__ = ["differs", "language"]

_FEWEST = 2
"""Function words of a language that a text must hold to be taken for it."""
_LONG = 6
"""Words of a text without any English function word from which one of another language tells."""
_LATIN = "latin"


def language(text: str, known: Collection[str] = ()) -> str:
    """The script (``"cjk"``, ``"cyrillic"`` …) or the language ("english"); "" if not clear.

    ``known``: words that tell nothing, since a text of another language holds them too.
    """
    script = _script(text)
    if script != _LATIN:
        return script
    held = [word for word in words(text) if word not in known]
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
    one = language(text, frozenset(words(other)) if two == "english" else ())
    return bool(one and two) and one != two


def _script(text: str) -> str:
    counts: dict[str, int] = {}
    for letter in re.findall(r"[^\W\d_]", text)[:400]:
        name = _LATIN if letter.isascii() else unicodedata.name(letter, "").split(" ")[0].lower()
        counts[name] = counts.get(name, 0) + 1
    if not counts:
        return ""
    most = max(counts, key=lambda name: counts[name])
    # a sentence of Chinese or Russian may hold more letters of Latin names than of its own
    own = sum(n for name, n in counts.items() if name not in (_LATIN, "greek"))
    foreign = max((n for n in counts if n not in (_LATIN, "greek")), default=most, key=counts.get)  # type: ignore[arg-type]
    if own >= 0.2 * sum(counts.values()):
        return "cjk" if foreign in ("cjk", "hiragana", "katakana") else foreign
    return _LATIN


@lru_cache(maxsize=1)
def _lists() -> dict[str, frozenset[str]]:
    """Language → its function words."""
    from importlib.resources import files  # noqa: PLC0415

    folder = files("llama_index.core") / "_static" / "nltk_cache" / "corpora" / "stopwords"
    found: dict[str, frozenset[str]] = {}
    if folder.is_dir():
        for entry in folder.iterdir():
            if entry.name not in ("README", "hinglish") and entry.is_file():
                found[entry.name] = frozenset(entry.read_text("utf-8").split())
    return found
