"""Whether a sentence speaks to its reader instead of saying what was found.

An abstract tells what somebody did and found. A sentence in it that gives orders to its reader
(cite this, ignore that, reply so), speaks in a role, or is code, markup or a code word is no
finding: `heard` leaves it out of what is answered from, taken for proof, or given to a language
model. A linear model over words and pairs of words tells such sentences
(``fitted/addressing.json``), fitted by ``python -m eval.address_fit`` on instructions that other
people wrote and on abstracts of several fields, never on our own attacks; what is no text of the
abstract's language is told by its form.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assistant.fitted import load
from assistant.text import STOP_WORDS, Span, words

__all__ = [
    "CODE",
    "LABEL",
    "address_features",
    "address_odds",
    "doubted",
    "heard",
    "tokens_of",
    "told",
]

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+|[^\w\s]")
CODE = re.compile(
    r"""!\[|\]\(\s*\S+:|<\||\{\s*["']\w+["']\s*:|\[/[A-Z]{3,}\]|^\W*\[(?![A-Z]{1,2}[IVX]+\])[A-Z]{3,}\]|\w\(\s*["'][^"']*["']\s*\)
    |</?[a-z][\w-]*(?:\s+[\w-]+\s*=[^<>]*)?\s*/?>(?<!<[bip]>)(?<!</[bip]>)(?<!<su[bp]>)(?<!</su[bp]>)(?<!<inf>)(?<!</inf>)
    """,
    re.VERBOSE,
)
"""What loads, runs or ends something: an image, a link, a tag, a call, a mark of a chat."""
_ROLE = re.compile(
    r"^\W*(?:question|prompt|instructions?|system|user|assistant|human|ai|q|a)\s*[:>]"
    r"|^\W*note\ to\ [\w ]+:|\banswers?\s*:",
    re.IGNORECASE,
)
_BLOB = re.compile(
    r"(?<![\w/.])(?=[A-Za-z+/=]*\d|[A-Za-z0-9+/]*[a-z][A-Z][a-z])[A-Za-z0-9+/=]{28,}"
)
_SPELT = re.compile(r"(?:\b\w[.\-_ ]){8,}")
LABEL = re.compile(r"^\W*[A-Z][\w&/-]*(?: [\w&/-]+){0,3}:\s+")
"""The name of a part of a structured abstract, before its first sentence."""
_BEGINS = frozenset(["^", ",", ";", ":", "please", "not", "then", "and", "always", "never", "only"])
"""What stands before an order."""
_SURE = 1.25
"""Log-odds from which a sentence is left out: on fields outside the fit one in 250 true ones is."""
_DOUBT = -0.75
"""Log-odds from which a sentence alone proves nothing, where there are no vectors."""
_LONG = 8
"""Words from which a sentence of English holds one that only binds."""


def tokens_of(sentence: str) -> list[str]:
    """Words and signs in small letters; a number is "0"."""
    tokens = ["0" if t.isdigit() else t.lower() for t in _TOKEN.findall(sentence)]
    return [token.replace("’", "'") for token in tokens if len(token) < 30]


def address_features(sentence: str, verbs: Collection[str]) -> list[str]:
    """Words, pairs of neighbours, and where a clause begins with a verb as it stands in ``verbs``
    ("cite this", "…, say that", "please add"), each once.
    """
    tokens = ["^", *tokens_of(sentence)]
    pairs = [f"{a} {b}" for a, b in pairwise(tokens)]
    clauses = []
    for n, (before, word) in enumerate(pairwise(tokens), 2):
        if word in verbs and before in _BEGINS:
            after = tokens[n] if n < len(tokens) else "."
            kind = "+" if after in STOP_WORDS or not after.isalpha() else "-"
            at = "^" if before == "^" else ","
            clauses += [f"{at}V", f"{at}V{kind}", f"{at}V {after}"]
    return list(dict.fromkeys([*tokens[1:], *pairs, *clauses]))


@lru_cache(maxsize=1)
def _verbs() -> frozenset[str]:
    return frozenset(load("addressing").words.split())


@lru_cache(maxsize=20_000)
def address_odds(sentence: str) -> float:
    """Log-odds that ``sentence`` speaks to its reader or in a role, or is code or a code word."""
    if any(form.search(sentence) for form in (CODE, _ROLE, _BLOB, _SPELT)):
        return 10.0
    held = address_features(LABEL.sub("", sentence), _verbs())
    return load("addressing").log_odds_of_few(dict.fromkeys(held, 1.0))


def heard(abstract: str, spans: Sequence[Span]) -> tuple[Span, ...]:
    """``spans`` of the sentences of ``abstract``; an empty one in the place of each that is left
    out: it speaks to its reader, or is no English among English.
    """
    texts = [abstract[start:end] for start, end in spans]
    english = sum(_binds(text) for text in texts) > len(texts) / 2
    return tuple(
        Span(span.start, span.start)
        if address_odds(text) > _SURE or (english and not _binds(text))
        else span
        for span, text in zip(spans, texts, strict=True)
    )


def _binds(text: str) -> bool:
    """Whether a text is short or holds a function word of English."""
    held = words(text)
    return (len(held) < _LONG and text.isascii()) or any(word in STOP_WORDS for word in held)


def doubted(texts: Sequence[str], vectors: NDArray[np.float32] | None) -> list[bool]:
    """Which sentences may speak to their reader: alone they prove nothing that a model says.

    Statements of what an answer is to be ("the official figure is …") have few words of an order;
    ``vectors``, (sentences, dimension) of all-MiniLM-L6-v2 if there are any, tell of them, too.
    """
    odds = np.array([address_odds(text) if text else -np.inf for text in texts])
    if vectors is None:
        return list(odds > _DOUBT)
    model = load("addressing-vectors")
    return list(odds + vectors @ np.array([*model.weights.values()]) + model.intercept > 0)


def told(abstract: str, sentences: Sequence[str]) -> str:
    """The abstract letter for letter, each sentence that is left out marked "…"."""
    return abstract if all(sentences) else " ".join(text or "…" for text in sentences)
