"""Sentences and terms: the two ways in which the rest of the package cuts text.

`sentences` gives character spans, so that a quote is always the abstract's own text.
`terms` gives stemmed content words for BM25 and for lexical overlap; both sides of every
comparison go through it.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktSentenceTokenizer  # type: ignore[import-untyped]
    from Stemmer import Stemmer  # type: ignore[import-not-found]

__all__ = ["STOP_WORDS", "Span", "plain_letters", "sentences", "terms", "words"]

# Function words and question words. They carry no topic, and a question is full of them.
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
    a about above after again against ain all also am an and any are aren as at be because been
    before being below between both but by can cannot could couldn d did didn do does doesn doing
    don down during each either else ever every few for from further get gets give given gives had
    hadn has hasn have haven having he her here hers herself him himself his how however i if in
    into is isn it its itself just let ll m ma may me might mightn more most much must mustn my
    myself needn neither no nor not now o of off on once one only or other our ours ourselves out
    over own per please re s same shan she should shouldn so some such t tell than that the their
    theirs them themselves then there these they this those through to too under until up upon us
    ve very via was wasn we were weren what when where whether which while who whom whose why will
    with within without won would wouldn y yet you your yours yourself yourselves
    """,
    )
)

_WORD = re.compile(r"[^\W_]+")
_ACCENTS = re.compile(r"(?<=[A-Za-z])[\u0300-\u036f]+")

# Punkt as it comes with LlamaIndex does not know these of scientific English.
_ABBREVIATIONS = re.findall(
    r"\S+",
    "e.g i.e et al etc vs resp cf approx w.r.t fig figs eq eqs sec ref refs no dr prof st "
    "i.i.d a.k.a incl ca def thm prop tab viz std dev",
)
_OPENERS, _CLOSERS = "([{", ")]}"
# where Punkt sees no end: "… curriculum.We conduct …", a Chinese full stop, what ends a turn of a
# chat, and a space before the full stop, as old collections in small letters have it
_GLUED = re.compile(
    r"(?<=[a-z)\]]{2}[.!?])(?=[A-Z][a-z]+ )"
    r"|(?:(?<=[。！？])|(?<=<\|im_end\|>)|(?<=<\|eot_id\|>)|(?<=<\|end\|>))\s*(?=\S)"
    r"|(?<= [.!?]) +(?=\S)"
)


class Span(NamedTuple):
    """Character range ``[start, end)`` in a text."""

    start: int
    end: int


def words(text: str, *, accents: bool = False) -> list[str]:
    """Lower-case words of ``text``: runs of letters and digits, stop words included.

    Figures above and below the line are figures: ``CO₂`` is ``co2``. Latin letters lose their
    accents, as people type them (``El Niño`` is ``el nino``), unless ``accents`` are to stay.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text) if accents else plain_letters(text)
    return _WORD.findall(text.casefold())


def plain_letters(text: str) -> str:
    """``text`` in compatible characters (NFKC), Latin letters without their accents."""
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text)))


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    return str(_stemmers.stemmer().stemWord(word))


class _Stemmers(threading.local):
    """A Snowball stemmer for each thread: one object must not be used by two at once."""

    _stemmer: Stemmer | None = None

    def stemmer(self) -> Stemmer:
        if self._stemmer is None:
            import Stemmer  # noqa: PLC0415

            self._stemmer = Stemmer.Stemmer("english")
        return self._stemmer


_stemmers = _Stemmers()


def terms(text: str) -> list[str]:
    """Stems (Porter2) of the content words of ``text``, in order, with repetitions."""
    return [_stem(word) for word in words(text) if word not in STOP_WORDS]


_INITIALS = re.compile(
    r"(?<![^\s(])(?:[A-Z]\.-?){3,}$"
    r"|(?:(?<=, )|(?<=\bof )|(?<=\bby )|(?<=\bwith )|(?<=\band ))(?:[A-Z]\.-?){2}$"
)
"""Three initials, or two where a name is likely: "by J.T.", not "at 5 P.M."."""
_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof)\.$")


@lru_cache(maxsize=1)
def _punkt() -> PunktSentenceTokenizer:
    from llama_index.core.utils import globals_helper  # noqa: PLC0415

    tokenizer: PunktSentenceTokenizer = deepcopy(globals_helper.punkt_tokenizer)
    tokenizer._params.abbrev_types.update(_ABBREVIATIONS)
    return tokenizer


def _open_brackets(text: str) -> int:
    return sum(text.count(c) for c in _OPENERS) - sum(text.count(c) for c in _CLOSERS)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """What Punkt cuts, cut again where the space after a full stop is missing."""
    for start, end in _punkt().span_tokenize(text):
        at = start
        for found in _GLUED.finditer(text[start:end]):
            yield at, start + found.start()
            at = start + found.end()
        yield at, end


def _begins(piece: str) -> bool:
    """Whether ``piece`` begins as a sentence does, with a word that is no name."""
    return next(iter(words(piece)), "") in STOP_WORDS


def sentences(text: str) -> list[Span]:
    """The sentences of ``text`` as spans, without surrounding white space, in order.

    Punkt decides, then pieces are joined again where it cut inside brackets, before a lower
    case word, after a lone enumerator ("2."), or between initials, or a title,
    and a name ("C.T.R. Wilson").
    """
    spans: list[Span] = []
    for start, end in _pieces(text):
        piece = text[start:end]
        if spans:
            before = text[spans[-1].start : spans[-1].end]
            broken = (
                (piece[0].islower() and not before.endswith((" .", " ?", " !")))
                or _open_brackets(before) > 0
                or re.fullmatch(r"\(?\w{1,2}[.)]", before)
                or (_INITIALS.search(before) and not _begins(piece))
                or _TITLE.search(before)
            )
            if broken and len(before) < 600:  # an unclosed bracket must not swallow the abstract
                spans[-1] = Span(spans[-1].start, end)
                continue
        spans.append(Span(start, end))
    return spans
