"""What a question asks for, as far as it can be told without a language model.

Its content words (with their states in the light of the whole question), the things it names,
whether it wants a number, and what of (its focus: "how many *parameters*").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import Embedder, TextStates, WordEmbedder
from assistant.retrieved import Statistics
from assistant.text import STOP_WORDS, plain_letters, terms, words

__all__ = [
    "HOW_MUCH",
    "SPELLED",
    "VERB",
    "Question",
    "WordStates",
    "compact",
    "content_words",
    "without_kind",
    "word_states",
]

Floats = NDArray[np.float32]

_WORD = re.compile(r"[^\W_]+")
_COMPOUND = re.compile(r"[^\W_]+(?:[-‐-―.][^\W_]+)*")
VERB = r"(?:is|are|was|were|am|do|does|did|can|could|has|have|had|will|would|should|may|might|must)"
HOW_MUCH = re.compile(
    rf"^\W*how\s+(?:many|much|few|long|often|far"
    rf"|(?!(?:{VERB}|exactly|precisely|actually|to|the)\b)[a-z-]+\s+(?:{VERB}|an?|the)\b)",
    re.IGNORECASE,
)
"""How *massive* is …: what stands between "how" and a verb is a measure, in every field."""
_WANTS_NUMBER = re.compile(
    r"\b(how (many|much|long|fast|large|big|often|far|frequent\w*|common)\b"
    r"|what (percentage|fraction|share|number|speed|accuracy|error|size|rate|factor|gain|score"
    r"|cost)|by what|percent|speed-?up|times|cost|rate|error|accuracy|ratio|size|fps|figure"
    r"|number)\b"
    r"|%|\$|\?\?"
    r"|^\W*(what (is|was|were|are) )?(the )?(\w+ ){0,2}(mass|weight|diameter|temperature"
    r"|angle|speed|velocity|pressure|height|length|width|thickness|dos(e|age)|incidence|prevalence|frequency"
    r"|duration|age|percentage|proportion|maximum|minimum|mean|average|numbers?|levels?"
    r"|concentration|ratio|recall|precision|weight|price|values?)\b",
    re.IGNORECASE,
)
_NO_WISH = re.compile(  # numbers that are spoken of, but not asked for
    r"^\W*(is|are) there\b[^.?!]*|\b(not|one|a single|a|any|the) number\b(?! of)"
    r"|\b(what|who|which \w+) (decides?|determines?|sets?|controls?|limits?) how \w+"
    r"|\b(at|for|with|without|same|no|low|high|extra|bit|learning|error|frame) (cost|rate)s?\b"
    r"|\b(several|many|at|some|three|two) times\b|\bone at a time\b",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"(?:\b(?:what|which)\s+(?:exact |total |overall )?"
    r"(?:(?:share|per ?cent(?:age)?|fraction|proportion)s?"
    r"|(?:number|amount|quantity)(?=\s+of\b))"
    r"|^\W*(?:(?:what|which)\s+(?:is|was|are|were)\s+)?(?:the\s+)?(?:exact |total |overall )?"
    r"(?:share|percentage|fraction|proportion|number|amount|quantity|rate|count)s?(?=\s+of\b))\b",
    re.IGNORECASE,
)
"""Words that say what kind of answer is wanted, and nothing of what it is about."""
_NOUNS = r"((?:[^\W_]+[- ]){0,3}?[^\W_]+)"
_AFTER = (
    r"(?:of|in|per|for|at|on|given|to|among|between|by|with|when|from|during|after|used|needed"
    r"|required)\b"
)
_COUNTED = re.compile(
    r"\b(?:how (?:many|much)|number of|amount of)\s+([^\W_]+(?: [^\W_]+)?)", re.IGNORECASE
)
_SPELLED = (
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty"
    r"|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|dozen"
)
SPELLED = re.compile(
    rf"\b(?:{_SPELLED}|half|thirds?|quarters?|twice|doubled?|tenfold)\b", re.IGNORECASE
)
"""A number in words."""
_NUMBERED = re.compile(rf"\b(?:\d[\d.,]*|{_SPELLED})\b((?:\W+[^\W_]+){{1,4}})", re.IGNORECASE)
_ASKED = re.compile(r"\b(?:which|what|whose)\s+((?:[^\W_]+[ -]?){1,3})", re.IGNORECASE)
_DETAIL_OF = re.compile(
    rf"^\W*(?:what|which)\s+(?:is|was|were|are)\s+(?:the\s+)?{_NOUNS}\s+{_AFTER}", re.I
)
"""What is the *mean age* of …: the grammar of English, so that it holds in every field."""
_KEYWORDS_OF = re.compile(rf"^\W*(?:the\s+)?{_NOUNS}\s+{_AFTER}", re.I)
_ASKS = re.compile(
    r"^\W*(?:what|which|who|how|why|when|where|is|are|do|does|did|can|was|were|has|have|had|should"
    r"|could|will|would|papers?|any|list|show|find)\b",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"\bhow (?:much|many|long|far|often|fast)\s+(?:do(?:es)?|did|will|would|can|is|are|was|were)\b"
    r"(.*)",
    re.IGNORECASE,
)
_NOT_FOCUS = frozenset(
    """approach approaches are aspect aspects can could did do does else evidence exactly feature
    features finding findings had happens has have is kind made makes method methods model models
    one ones paper papers should sort studies study type was way ways were will work
    would""".split()
)

_MONTHS = r"January|February|March|April|May|June|July|August|September|October|November|December"
_UNITS = {
    "time": (
        r"how (?:long|old|soon|often|fast)|duration|age|time|years?|period|lasts?|latency|when",
        r"years?|months?|weeks?|days?|hours?|hrs?|minutes?|min|seconds?|m?sec|ms|milliseconds?"
        r"|decades?|centur(?:y|ies)",
    ),
    "share": (
        r"percent\w*|fraction|share|proportion|incidence|prevalence|rates?|accura\w+|how (?:often"
        r"|well|much)|scores?|gains?|improve\w*|precision|recall",
        r"%|per ?cent|percentage",
    ),
    "times": (r"how (?:much )?fast\w*|speed-?ups?|factor|times|how much", r"times|-?fold|x|×"),
    "length": (
        r"how (?:far|deep|wide|tall|high|thick|large)|diameter|length|width|height|thickness"
        r"|distance|size|altitudes?",
        r"[cmknµ]?m|microns?|in|inch(?:es)?|ft|feet|foot|miles?|met(?:er|re)s?|k?pc",
    ),
    "mass": (
        r"how heavy|weigh\w*|mass|dos(?:es?|age)",
        r"[kmµ]?g|grams?|kilograms?|lbs?|pounds?|tons?|tonnes?",
    ),
    "temperature": (r"how (?:hot|cold|warm)|temperatures?", r"°|degrees?|deg|kelvin|k|c|f"),
    "memory": (r"memory|storage|disk|how (?:big|small|large)", r"[kmgt]i?b|bytes?|[kmgt]?bits?"),
}
"""Kinds of quantities: the words that ask for one, and the units that it is given in."""
_WANTED = {kind: re.compile(rf"\b(?:{asks})\b", re.I) for kind, (asks, _) in _UNITS.items()}
_WANTED["date"] = re.compile(r"\b(?:when|what (?:day|date|year)|which (?:day|date|year))\b", re.I)
_GIVEN = {
    kind: re.compile(rf"\d[\d.,]*\s*-?(?:{units})(?![a-z])", re.I)
    for kind, (_, units) in _UNITS.items()
}
_YEAR = r"(?:1\d\d\d|20[0-4]\d)"
_ENDS = (
    r"(?=\W*$|[,.;:)\]–—-]|\s(?:and|or|but|by|in|the|when|at|to|on|for|with|was|is|were|of|as|an?|after"
    r"|before|that|which|until|while|he|she|they|we|it|from)\b)"
)
_NOT_COUNTED = r"(?!\d|[.,]\d|%|\s[a-z]+s\b|\s?(?:[kcmnµ]?m|[kmµ]?g|m?s|h|[kMG]?Hz|[kMG]?eV|K|x)\b)"
_GIVEN["date"] = re.compile(
    rf"\b(?:{_MONTHS})\s\d|\b\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?(?:{_MONTHS})\b"
    rf"|\b(?:[Ii]n|[Ss]ince|[Uu]ntil|[Dd]uring|[Yy]ear|early|late|mid)[\s-]{_YEAR}{_NOT_COUNTED}"
    rf"|(?:\b(?:from|by|around|[Bb]efore|[Aa]fter|of|to|and|[Pp]ublished)\s|[(,]\s?){_YEAR}{_ENDS}"
    r"|\b\d+\s(?:BC|AD|BCE|CE)\b"
)
_SHORT = 3
"""Content words up to which a question is as short as can be."""


@dataclass(frozen=True, slots=True)
class WordStates:
    """The content words of a text and their vectors, (words, dimension), unit rows or zeros."""

    words: tuple[str, ...]
    starts: tuple[int, ...]
    vectors: Floats


def compact(text: str) -> str:
    """``text`` in small letters without spaces, hyphens and accents: "GPT 4" is "GPT-4"."""
    return re.sub(r"[\s‐-―-]+", "", (text if text.isascii() else plain_letters(text)).casefold())


def without_kind(question: str) -> str:
    """``question`` without the words that only say what kind of answer it wants: "what share"."""
    return re.sub(r"^\s*of\b", "", _KIND.sub("", question)).strip()


def content_words(text: str) -> list[tuple[int, int, str]]:
    """(start, end, word) of every word of ``text`` that is not a stop word."""
    return [
        (found.start(), found.end(), found.group())
        for found in _WORD.finditer(text)
        if found.group().casefold() not in STOP_WORDS
    ]


def word_states(text: str, states: TextStates | None) -> WordStates:
    """The content words of ``text`` with their states; without ``states`` the vectors are empty.

    Words beyond what the model takes in have zeros.
    """
    found = content_words(text)
    if states is None:
        vectors = np.zeros((len(found), 0), np.float32)
    else:
        vectors = states.pooled([(start, end) for start, end, _ in found])
    return WordStates(
        tuple(word for *_, word in found), tuple(start for start, *_ in found), vectors
    )


@dataclass(frozen=True)
class Question:
    """A question against one library.

    ``vector`` is its unit vector, (dimension,). ``states`` are those of its content words;
    without a `WordEmbedder` their vectors are empty, (words, 0).
    """

    text: str
    vector: Floats
    statistics: Statistics
    states: WordStates
    rarity: Floats
    """(words,) how rare each content word is, in [0, 1]."""
    said: str = ""
    """The words in which it was asked, of which ``text`` may be the topic alone."""

    @classmethod
    def read(
        cls,
        text: str,
        vector: Floats,
        statistics: Statistics,
        embedder: Embedder,
        said: str = "",
    ) -> Question:
        """Reads ``text``; ``vector`` is what retrieval has embedded already."""
        states = word_states(
            text, embedder.read(text) if isinstance(embedder, WordEmbedder) else None
        )
        if isinstance(embedder, WordEmbedder):
            found = [embedder.word_rarity(word) for word in states.words]
        else:
            highest = statistics.idf("")  # of a term that no paper has
            found = [
                max((statistics.idf(t) for t in terms(word)), default=0.0) / highest
                for word in states.words
            ]
        rarity = np.array(found, np.float32)
        return cls(text, vector, statistics, states, rarity, said or text)

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """Its different stems, in order."""
        return tuple(dict.fromkeys(terms(self.text)))

    @cached_property
    def idf(self) -> dict[str, float]:
        """Stem → inverse document frequency in the library."""
        return {term: self.statistics.idf(term) for term in self.terms}

    @cached_property
    def total_idf(self) -> float:
        """Sum of `idf`; 1 for a question without a content word."""
        return sum(self.idf.values()) or 1.0

    @cached_property
    def alignment(self) -> Floats:
        """(words,) how much of the question's meaning each word carries: cosine, at least 0."""
        if not self.states.vectors.shape[1]:
            return np.ones(len(self.states.words), np.float32)
        aligned: Floats = np.maximum(self.states.vectors @ self.vector, np.float32(0))
        return aligned

    @cached_property
    def wants_number(self) -> bool:
        """Whether a number would answer it: "how complex is it?" may be answered without one."""
        return self.asks_for_number or HOW_MUCH.match(_NO_WISH.sub(" ", self.text)) is not None

    @cached_property
    def asks_for_number(self) -> bool:
        """Whether nothing but a number would answer it."""
        if without_kind(self.said) != self.said.strip():
            return True
        return _WANTS_NUMBER.search(_NO_WISH.sub(" ", self.text)) is not None

    @cached_property
    def quantities(self) -> tuple[str, ...]:
        """The kinds of quantities that may be asked for."""
        return tuple(kind for kind, asks in _WANTED.items() if asks.search(self.text))

    def gives(self, sentence: str) -> bool:
        """Whether ``sentence`` has a number in a unit of a kind that may be asked for."""
        return any(_GIVEN[kind].search(sentence) for kind in self.quantities)

    @cached_property
    def _counted(self) -> frozenset[str]:
        """Stems of what is to be counted: "how many *children*"."""
        return frozenset(t for found in _COUNTED.finditer(self.text) for t in terms(found[1]))

    def counts(self, sentence: str) -> bool:
        """Whether ``sentence`` has a number, in digits or words, of what is to be counted."""
        for found in _NUMBERED.finditer(sentence) if self._counted else ():
            for word in words(found[1]):
                if word in STOP_WORDS and word != "of":
                    break  # "in 1998 the herons"
                if not self._counted.isdisjoint(terms(word)):
                    return True
        return False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What it names, as `compact` makes it: words with inner capitals or digits ("GPT-4"),
        and capitalised words within it.
        """
        marked = [
            word
            for word in _COMPOUND.findall(self.text)
            if re.search(r"[A-Z]", word[1:] or "") or re.search(r"\d", word)
        ]
        capitalised = re.findall(r"(?<=[a-z,] )([A-Z][a-z]+)", self.text)
        return tuple(dict.fromkeys(compact(word) for word in marked + capitalised))

    @cached_property
    def focus(self) -> NDArray[np.bool_]:
        """(words,) which content words name the detail that is asked for ("how many *parameters*",
        "*price* per kilogram of X", "what was the mean *age* of X", "how much did X *cost*").
        """
        said, wanted = self.said, set[str]()
        for found in _COUNTED.finditer(said):
            wanted.update([w for w in found[1].lower().split() if not _unfocused(w)][:1])
        for found in _ASKED.finditer(said):
            for word in _WORD.findall(found[1].lower()):
                if _unfocused(word):
                    break
                wanted.add(word)
        if detail := _DETAIL_OF.match(said) or (
            None if _ASKS.match(said) else _KEYWORDS_OF.match(said)
        ):
            wanted.update(_WORD.findall(detail[1].lower()))
        if does := _DOES.search(said):
            clause = re.split(rf"\b{_AFTER}", does[1])[0]
            wanted.update([w for w in _WORD.findall(clause.lower()) if not _unfocused(w)][-1:])
        return np.array(
            [word.lower() in wanted and not _unfocused(word.lower()) for word in self.states.words],
            dtype=bool,
        )

    @property
    def short(self) -> float:
        """1 for a question of three content words or fewer, less the more it has."""
        return min(1.0, _SHORT / max(1, len(self.states.words)))

    @cached_property
    def unknown(self) -> float:
        """Largest weight, in [0, 1], of a content word that no paper of the library holds."""
        weights = [
            float(rare)
            for word, rare in zip(self.states.words, self.rarity, strict=True)
            if not any(self.statistics.document_frequency(term) for term in terms(word))
        ]
        return max(weights, default=0.0)

    def coverage(self, bag: set[str]) -> float:
        """Share of the question's idf that the stems in ``bag`` cover, in [0, 1]."""
        return sum(weight for term, weight in self.idf.items() if term in bag) / self.total_idf


def _unfocused(word: str) -> bool:
    return word in STOP_WORDS or word in _NOT_FOCUS
