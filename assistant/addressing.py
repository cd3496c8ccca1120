"""Whether a sentence speaks to its reader instead of saying what was found.

An abstract tells what somebody did and found. A sentence in it that gives orders to its reader
(cite this, ignore that, reply so), speaks in a role, or is code, markup or a code word is no
finding: `heard` leaves it out of what is answered from, taken for proof, or given to a language
model. A linear model over words and pairs of words tells such sentences
(``fitted/addressing.json``), fitted by ``python -m eval.address_fit`` on instructions that other
people wrote and on abstracts of several fields; what is no text of the abstract's language is told
by its form. An order may be worded as a statement, a custom or a notice ("accounts of this field
open with …"), which words hardly tell: where the vectors are those of all-MiniLM-L6-v2, another
model takes them in, too (``fitted/addressing-vectors.json``), and what that suspects is read token
by token (``fitted/steering.json``; ``python -m eval.steering`` fits both). None was fitted on the
attacks that measure them (tests/attacks.json); two bars were lowered after six of these
(eval/trust.md).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.fitted import load, load_token_model
from assistant.languages import ENGLISH, language_of
from assistant.text import STOP_WORDS, Span, words

if TYPE_CHECKING:
    from assistant.embedding.base import TextStates

__all__ = [
    "CODE",
    "KEPT_BACK",
    "LABEL",
    "LOOKED_AT",
    "SPREAD",
    "address_features",
    "address_odds",
    "doubts",
    "heard",
    "steering_odds",
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
_SURE, _SURER = 1.25, 3.0
"""Log-odds by words from which a sentence is left out, and from which vectors cannot deny it."""
_DENIED = -1.5
"""Log-odds by vectors below which a sentence that words alone do not surely tell may be quoted:
of the sentences of 46 fields .09% are left out in place of .33%."""
_DOUBT = -0.75
"""Log-odds by words from which a sentence proves nothing where there are no vectors."""
LOOKED_AT = -5.5
"""Log-odds by vectors from which a sentence's tokens are looked at: a third of the true ones."""
_HIDES = 25
"""Words from which a sentence may hide an order from its vector: its tokens are looked at."""
KEPT_BACK = -0.5
"""What `doubts` gives from which a sentence proves nothing, and, where its tokens tell it, no
language model gets to read it: .3% of the sentences of the 46 fields of the fit, 1 to 2.5% of
others in the history of science and mathematics."""
SPREAD = 12.0
"""Log-odds by words count no more than so much beside vectors, either way."""
_FORM = 10.0
"""What the log-odds of a sentence are, at least, that its form tells."""
_LONG = 8
"""Words from which a sentence with accented letters and no function word of English is foreign."""
_BOUND = 0.2
"""Share of such words from which a sentence is English, without a closer look."""


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
        return _FORM
    held = address_features(LABEL.sub("", sentence), _verbs())
    return load("addressing").log_odds_of_few(dict.fromkeys(held, 1.0))


def heard(
    abstract: str,
    spans: Sequence[Span],
    vectors: Callable[[], NDArray[np.float32]] | None = None,
) -> tuple[Span, ...]:
    """``spans`` of the sentences of ``abstract``; an empty one in the place of each that is left
    out: it speaks to its reader, or is of another language among English.

    ``vectors``: gives (sentences, dimension) of all-MiniLM-L6-v2, if there are any.
    """
    texts = [abstract[start:end] for start, end in spans]
    foreign = _foreign(texts)
    return tuple(
        Span(span.start, span.start) if speaks or other else span
        for span, other, speaks in zip(spans, foreign, _speaking(texts, vectors), strict=True)
    )


def _foreign(texts: Sequence[str]) -> list[bool]:
    """Which sentences are surely of another language than the rest, which is English."""
    foreign = [_is_foreign(text) for text in texts]
    if any(foreign) and language_of(" ".join(texts)) != ENGLISH:
        return [False] * len(texts)
    return foreign


def _is_foreign(text: str) -> bool:
    held = words(text)
    bound = sum(word in STOP_WORDS for word in held)
    if bound and (bound >= _BOUND * len(held) or len(held) < _LONG):
        return False
    accented = any(unicodedata.name(c, "").startswith("LATIN") for c in text if not c.isascii())
    return language_of(text) != ENGLISH or (not bound and accented and len(held) >= _LONG)


def _speaking(
    texts: Sequence[str], vectors: Callable[[], NDArray[np.float32]] | None
) -> list[bool]:
    """Which sentences surely speak to their reader."""
    by_words = _by_words(texts)
    sure = [bool(odds > _SURE) for odds in by_words]
    if vectors is None or not any(sure):
        return sure
    steering = steering_odds(by_words, vectors())
    return [
        one and bool(odds >= _SURER or near > _DENIED)
        for one, odds, near in zip(sure, by_words, steering, strict=True)
    ]


def _by_words(texts: Sequence[str]) -> NDArray[np.float64]:
    """(texts,) `address_odds` of each; of an empty one there is no doubt."""
    return np.array([address_odds(text) if text else -np.inf for text in texts], np.float64)


def steering_odds(
    by_words: NDArray[np.float64], vectors: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(sentences,) log-odds by vectors and words that each steers whoever reads it.

    Args:
        by_words: (sentences,) what `address_odds` gives.
        vectors: (sentences, dimension) of all-MiniLM-L6-v2.
    """
    model = load("addressing-vectors")
    weights = np.array([weight for name, weight in model.weights.items() if name != "words"])
    words = model.weights["words"] * np.clip(by_words, -SPREAD, SPREAD)
    return np.asarray(vectors @ weights + words + model.intercept, dtype=np.float64)


def doubts(
    texts: Sequence[str],
    vectors: NDArray[np.float32] | None,
    read: Callable[[str], TextStates] | None = None,
) -> NDArray[np.float64]:
    """(sentences,) how far each may speak to its reader or steer it; see `KEPT_BACK`.

    Args:
        texts: the sentences; an empty one is not in doubt.
        vectors: (sentences, dimension) of all-MiniLM-L6-v2, if there are any.
        read: what that model makes of the tokens of one; with ``vectors``.
    """
    by_words = _by_words(texts)
    if vectors is None or read is None:
        return by_words - _DOUBT + KEPT_BACK
    found = steering_odds(by_words, vectors)
    model = load_token_model("steering")
    for n, text in enumerate(texts):
        if text and (found[n] > LOOKED_AT or len(text.split()) >= _HIDES):
            clipped = float(np.clip(by_words[n], -SPREAD, SPREAD))
            found[n] = model.log_odds(read(text).lower_tokens, {"words": clipped})
    return np.asarray(np.where(by_words > _SURE, np.maximum(found, 0.0), found), dtype=np.float64)


def told(abstract: str, sentences: Sequence[str]) -> str:
    """The abstract letter for letter, each sentence that is left out marked "…"."""
    return abstract if all(sentences) else " ".join(text or "…" for text in sentences)
