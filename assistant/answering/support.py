"""Does an abstract support a sentence? A local check, a few milliseconds, without a model call.

A sentence is compared with the sentences of the abstract: by the cosine of their vectors, by
the terms that they share (weighted by idf), and by the particulars that must agree: numbers with
their units and with what they are said of, names, directions, negation, "all" and "always", who
does what to whom. A logistic model (assistant/fitted/support.json) makes one score of these;
``python -m eval.support_fit`` fits it on pairs made from abstracts and their retellings. Where the
embedding model is the program's own, a cross-encoder reads sentence and abstract together, too
(``fitted/entailment.onnx``); where it is not, or several abstracts are taken together, the model
without that (``fitted/support-lexical.json``) decides.

A text in another language than the abstract cannot be compared: its verdict says "not checked".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.answering.attachment import (
    Company,
    Held,
    Turn,
    crossed_words,
    number_company,
    swapped_numbers,
    turned_round,
    turns,
    word_company,
)
from assistant.answering.evidence import PassageReader, PassageText
from assistant.answering.particulars import (
    Number,
    Particulars,
    acronym_of,
    bare_claim,
    bare_name,
    label_of,
    measure_of,
)
from assistant.attribution import CUT
from assistant.embedding import WordEmbedder
from assistant.fitted import load
from assistant.languages import differs
from assistant.results import Support
from assistant.text import terms, words

if TYPE_CHECKING:
    from assistant.embedding import Embedder

__all__ = [
    "FEATURES",
    "OTHER_LANGUAGE",
    "RANK",
    "READ",
    "Source",
    "SupportChecker",
    "Verdict",
    "proof",
]

Floats = NDArray[np.float32]

FEATURES = (
    "cosine",  # of the nearest sentence of the abstract
    "cosine_mean",  # to the middle of the abstract
    "terms_sentence",  # share of the sentence's terms (by idf) in the best sentence
    "copied",  # share of its word pairs in the best sentence
    "number_missing",  # 1 if a number in digits is not in the abstract
    "numbers_missing",  # share of them
    "numbers_found",  # 1 if it has numbers and all are there
    "spelled_missing",  # 1 if a number in words is not in the abstract
    "name_missing",
    "names_missing",
    "names_found",
    "turned_round",  # "higher" for "lower", "A above B" for "B above A", "did" for "did not"
    "turned_in_copy",  # … in a sentence that is a copy otherwise
    "negated_copy",
    "negation_lost_in_copy",
    "words_new_in_copy",  # words that the abstract does not have, in a copy otherwise
    "number_moved",  # another number of the abstract keeps its company: more than .1, .25
    "number_moved_far",
    "numbers_crossed",  # two numbers of a sentence have changed places
    "words_crossed",  # two words have changed places
    "words_crossed_in_copy",
    "thing_changed",  # a number counts something else than in the abstract
    "measure_changed",  # a number has another unit than in the abstract
    "absolute_new",  # "all", "always", "eliminates": not in the abstract
    "hedge_lost",  # … where the abstract hedges
    "cause_new",  # "because", "leads to": not in the nearest sentences
    "denied_new",  # share of its terms that it denies and the abstract affirms
    "affirmed_new",  # … the other way round
    "label",  # begins with a label and a colon
)
READ = "entailed"
"""The feature beside `FEATURES` that the cross-encoder gives: log-odds that a sentence of the
abstract bears the claim out, within `_SURELY` of 0."""
SUPPORTED, PARTIAL = 0.5, 0.3
"""Scores from which a sentence counts as supported, or in part."""
RANK: dict[str, int] = {"unsupported": 0, "partial": 1, "supported": 2}
"""What is better supported has a higher one."""

_SURELY = 8.0
_COPY = 0.95
"""Score of a sentence of the abstract, word for word."""
_STRANGE = 0.2
"""Cosine, and share of terms, below which a sentence has nothing to do with an abstract."""
DIFFERS = "not in the abstract"
SWAPPED = "belongs to something else in the abstract"
OTHER_LANGUAGE = "not checked: written in another language than the abstract"
OPPOSITE = "the abstract seems to say the opposite"
_THE_SAME = 0.8
"""Share of terms, each way, from which two sentences say the same but for a negation."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a paper supports a sentence: ``score`` in [0, 1], the best ``quote``, and why."""

    support: Support
    score: float
    quote: str
    why: str

    @property
    def order(self) -> tuple[int, float]:
        """By which the better of two verdicts is told: the support first, then the score."""
        return RANK[self.support], self.score


@dataclass(frozen=True)
class Source:
    """A paper to be checked against: the sentences of its abstract, their unit vectors
    (sentences, dimension) or None to have them embedded, its title, and in ``about`` what else
    is known of it: authors, venue, year.
    """

    sentences: Sequence[str]
    vectors: Floats | None = None
    title: str = ""
    about: str = ""

    @cached_property
    def read(self) -> _Read:
        """What is compared with a sentence; made once."""
        return _Read(self.sentences, self.title, self.about)


class _Read:
    """An abstract as the checker compares it."""

    def __init__(self, sentences: Sequence[str], title: str, about: str = "") -> None:
        texts = [title, *sentences]
        whole = " ".join(texts)
        self.sentence_terms = [frozenset(terms(s)) for s in sentences]
        self.pairs = [frozenset(pairwise(words(s))) for s in sentences]
        self.terms = frozenset(terms(whole))
        self.words = frozenset(words(whole))
        self.particulars = [_particulars(text) for text in texts]
        known = _particulars(about)
        self.numbers = [n for p in (*self.particulars, known) for n in p.numbers]
        self.held = [
            Held(number, company, place)
            for place, text in enumerate(texts)
            for number, company in _companies(text)
        ]
        self.absolutes = frozenset(a for p in self.particulars for a in p.absolutes)
        self.denied = frozenset(t for p in self.particulars for t in p.denied)
        self.affirmed = frozenset(t for p in self.particulars for t in p.affirmed)
        self.texts = texts
        self.tokens = frozenset(bare_name(t) for text in (*texts, about) for t in _tokens(text))
        self.names = frozenset(bare_name(name) for p in self.particulars for name in p.names)
        self.squeezed = _squeezed(whole)
        self.whole_sentences = frozenset(map(_squeezed, sentences))
        self.initials = acronym_of(whole)

    def has_name(self, name: str) -> bool:
        """Whether the abstract names it: as a word, joined or cut otherwise, or spelled out."""
        bare = bare_name(name)
        if bare in self.tokens or bare in self.names or (len(bare) >= 4 and bare in self.squeezed):
            return True
        parts = [bare_name(part) for part in name.replace("–", "-").replace("/", "-").split("-")]
        if len(parts) > 1:
            # "LLM-written": a name of the abstract with a common word
            pieces = name.replace("–", "-").replace("/", "-").split("-")
            known = [p in self.tokens or p.isdigit() for p in parts]
            if any(known) and all(k or q.islower() for k, q in zip(known, pieces, strict=True)):
                return True
        letters = name.rstrip("s")
        return letters.isupper() and len(letters) >= 2 and letters.casefold() in self.initials


def _squeezed(text: str) -> str:
    """The letters and digits of a text, in lower case."""
    return "".join(c for c in text.casefold() if c.isalnum())


@lru_cache(maxsize=4096)
def _particulars(text: str) -> Particulars:
    return Particulars.of(text)


_MOST_NUMBERS = 24
"""Numbers of one sentence that are compared; more is a table of data."""


@lru_cache(maxsize=4096)
def _companies(text: str) -> tuple[tuple[Number, Company], ...]:
    """The numbers in digits and the fractions of a text, with what they stand beside."""
    found = [n for n in _particulars(text).numbers if not n.spelled or len(n.readings) > 1]
    numbers = found[:_MOST_NUMBERS]
    return tuple(zip(numbers, number_company(text, numbers), strict=True))


@lru_cache(maxsize=4096)
def _turns(text: str) -> tuple[Turn, ...]:
    return tuple(turns(text, _particulars(text).directions))


_word_company = lru_cache(maxsize=4096)(word_company)


def _tokens(text: str) -> list[str]:
    return [t for word in text.split() for t in (word, *word.replace("/", "-").split("-"))]


class SupportChecker:
    """Checks sentences against abstracts. Safe in several threads at once.

    Args:
        embedder: embeds the sentence (and abstracts whose vectors are not given).
        idf: the weight of a (stemmed) term, as `SearchIndex.idf` gives it.
        reader: reads a claim and an abstract together, if one is at hand.
    """

    def __init__(
        self,
        embedder: Embedder,
        idf: Callable[[str], float],
        reader: PassageReader | None = None,
    ) -> None:
        self._embedder = embedder
        self._idf = lru_cache(maxsize=50_000)(idf)
        self._reader = reader if self.knows_words else None

    @property
    def knows_words(self) -> bool:
        """Whether its vectors are those of the program's own model."""
        return isinstance(self._embedder, WordEmbedder)

    def check(
        self,
        sentence: str,
        paper_sentences: Sequence[str],
        vectors: Floats | None = None,
        title: str = "",
    ) -> Verdict:
        """The verdict on ``sentence`` against one paper.

        ``vectors``: (sentences, dimension) unit vectors of ``paper_sentences``, if at hand.
        """
        return self.check_sources(sentence, [Source(tuple(paper_sentences), vectors, title)])[0]

    def check_sources(self, sentence: str, sources: Sequence[Source]) -> list[Verdict]:
        """The verdict on ``sentence`` against each paper; the sentence is embedded once."""
        sentence = bare_claim(sentence)
        vector = self._embedder.embed_query(sentence)
        said = _particulars(sentence)
        entailed = self.entailed(sentence, vector, sources)
        return [
            self._verdict(sentence, said, vector, source, odds)
            for source, odds in zip(sources, entailed, strict=True)
        ]

    def entailed(
        self, sentence: str, vector: Floats, sources: Sequence[Source]
    ) -> list[float | None]:
        """The feature `READ` for each source; None where nobody reads, or there is no sentence."""
        read = [source for source in sources if any(source.sentences)]
        if self._reader is None or not read:
            return [None] * len(sources)
        passages = [
            PassageText(source.title, source.sentences, self._vectors(source), 0.0)
            for source in read
        ]
        odds = self._reader.entailed(bare_claim(sentence), vector, passages)
        found = iter(np.clip(odds, -_SURELY, _SURELY).tolist())
        given = [next(found) if any(source.sentences) else math.nan for source in sources]
        return [None if math.isnan(one) else one for one in given]

    def check_together(
        self, sentence: str, sources: Sequence[Source]
    ) -> tuple[Verdict, list[Verdict]]:
        """The verdict on ``sentence`` against what it cites, one paper or more: the best of each
        alone, and of all joined where none alone supports it; and that of each.
        """
        each = self.check_sources(sentence, sources)
        best = max(each, key=lambda verdict: verdict.order)
        if len(sources) > 1 and best.support != "supported":
            joined = self.check_joined(sentence, sources)
            best = max(best, joined, key=lambda verdict: verdict.order)
        return best, each

    def surest(
        self, sentence: str, sources: Mapping[int, Source], least: float
    ) -> tuple[int, Verdict] | None:
        """Which of ``sources`` supports ``sentence`` best, by a score of ``least`` at least; the
        lowest number of equals.
        """
        found = zip(sources, self.check_sources(sentence, list(sources.values())), strict=True)
        sure = [(n, v) for n, v in found if v.support == "supported" and v.score >= least]
        return max(sure, key=lambda one: (one[1].score, -one[0]), default=None)

    def check_joined(self, sentence: str, sources: Sequence[Source]) -> Verdict:
        """The verdict on ``sentence`` against all papers as if they were one."""
        vectors = [self._vectors(source) for source in sources]
        joined = Source(
            tuple(s for source in sources for s in source.sentences),
            np.concatenate(vectors) if vectors else None,
            " ".join(source.title for source in sources),
            " ".join(source.about for source in sources),
        )
        sentence = bare_claim(sentence)
        vector = self._embedder.embed_query(sentence)
        return self._verdict(sentence, _particulars(sentence), vector, joined, None)

    def features(self, sentence: str, vector: Floats, source: Source) -> Floats:
        """(len(FEATURES),) what the logistic model is given; ``vector`` is the sentence's."""
        sentence = bare_claim(sentence)
        return self._compare(sentence, _particulars(sentence), vector, source)[0]

    # ------------------------------------------------------------------ inside

    def _vectors(self, source: Source) -> Floats:
        if source.vectors is not None:
            return source.vectors
        return self._embedder.embed(list(source.sentences))

    def _verdict(
        self,
        sentence: str,
        said: Particulars,
        vector: Floats,
        source: Source,
        entailed: float | None,
    ) -> Verdict:
        features, best = self._compare(sentence, said, vector, source)
        quote = source.sentences[best] if source.sentences else source.title
        if differs(sentence, " ".join(source.sentences)):
            return Verdict("partial", PARTIAL, quote, OTHER_LANGUAGE)
        named = dict(zip(FEATURES, map(float, features), strict=True))
        model = load("support-lexical")
        if entailed is not None:
            model, named[READ] = load("support"), entailed
        score = float(1 / (1 + math.exp(-model.log_odds(named))))
        if _squeezed(sentence) in source.read.whole_sentences:
            score = max(score, _COPY)  # whatever the model makes of it
        differs_by = _differences(said, source.read) or self._denied(sentence, said, source, best)
        if differs_by:
            score = min(score, SUPPORTED - 0.01)
        if named["cosine"] < _STRANGE and named["terms_sentence"] < _STRANGE:
            score = min(score, PARTIAL - 0.01)
        support: Support = (
            "supported" if score >= SUPPORTED else "partial" if score >= PARTIAL else "unsupported"
        )
        return Verdict(support, score, quote, differs_by or _reason(named, support))

    def _denied(self, sentence: str, said: Particulars, source: Source, best: int) -> str:
        """Whether the best sentence says the same with a "not" more or less; in words."""
        if not source.sentences:
            return ""
        theirs = _particulars(source.sentences[best])
        if not (said.denied & theirs.affirmed or theirs.denied & said.affirmed):
            return ""
        bag, held = frozenset(terms(sentence)), source.read.sentence_terms[best]
        alike = min(self._share(bag, held), self._share(held, bag)) >= _THE_SAME
        return OPPOSITE if alike else ""

    def _compare(
        self, sentence: str, said: Particulars, vector: Floats, source: Source
    ) -> tuple[Floats, int]:
        """The features, and the place of the best sentence of the abstract."""
        read, bag = source.read, frozenset(terms(sentence))
        vectors = (
            self._vectors(source)
            if source.sentences
            else self._embedder.embed([source.title])  # nothing but a title
        )
        cosines = vectors @ vector
        shared = np.array([self._share(bag, held) for held in read.sentence_terms] or [0.0])
        closeness = cosines + 0.5 * shared
        best = int(np.argmax(closeness))
        order = np.argsort(-closeness)[:3]
        pairs = frozenset(pairwise(words(sentence)))
        copied = max((len(pairs & held) for held in read.pairs), default=0) / max(1, len(pairs))
        nearest = [int(i) for i in order if int(i) < len(source.sentences)]
        negations = _negation_features(said, read, nearest)
        new = sum(word not in read.words for word in words(sentence))
        around = [source.sentences[i] for i in nearest]
        turned = turned_round(_turns(sentence), [t for s in around for t in _turns(s)], self._idf)
        values = [
            float(cosines.max()),
            _middle(vectors, vector),
            float(shared.max()),
            copied,
            *_number_features(said, read),
            *_name_features(said, read),
            turned,
            turned * copied,
            negations[0] * copied,
            negations[1] * copied,
            min(new, 3) / 3 * max(0.0, 2 * copied - 1),
            *self._swap_features(sentence, source, around, copied),
            *_strength_features(said, read, nearest),
            self._share(bag, (said.denied & read.affirmed) - read.denied),
            self._share(bag, (said.affirmed & read.denied) - read.affirmed),
            float(bool(label_of(sentence))),
        ]
        return np.array(values, dtype=np.float32), best

    def _swap_features(
        self, sentence: str, source: Source, around: Sequence[str], copied: float
    ) -> list[float]:
        """Numbers and words that stand where others stand in the abstract."""
        said = _companies(sentence)
        moved, crossed = swapped_numbers(
            [n for n, _ in said], [c for _, c in said], source.read.held, self._idf
        )
        crossed_by_words = max(
            0.0, crossed_words(_word_company(sentence), _joined(around), self._idf)
        )
        return [
            max(0.0, moved - 0.1),
            float(moved > 0.25),
            max(0.0, crossed),
            crossed_by_words,
            crossed_by_words * copied,
            float(any(_counts_else(sentence, n, source.read.held) for n, _ in said)),
            float(any(_measured_else(sentence, n, source.read) for n, _ in said)),
        ]

    def _share(self, wanted: frozenset[str], held: frozenset[str]) -> float:
        """The part of ``wanted``, weighted by idf, that is in ``held``; 0 of nothing."""
        total = sum(self._idf(term) for term in wanted)
        return sum(self._idf(term) for term in wanted & held) / total if total else 0.0


def _joined(texts: Sequence[str]) -> dict[str, list[Company]]:
    """The company of the words of several sentences."""
    found: dict[str, list[Company]] = {}
    for text in texts:
        for stem, companies in _word_company(text).items():
            found.setdefault(stem, []).extend(companies)
    return found


def _number_features(said: Particulars, read: _Read) -> list[float]:
    digits = [n for n in said.numbers if not n.spelled]
    missing = _missing_numbers(said, read)
    spelled = any(n.spelled and not _has_number(n, read) for n in said.numbers)
    return [
        float(bool(missing)),
        len(missing) / max(1, len(digits)),
        float(bool(digits) and not missing),
        float(spelled),
    ]


_PROOFS = 3


def proof(sentence: str, quote: str, sources: Sequence[Source]) -> str:
    """``quote`` with the other sentences that hold the claim's numbers and names.

    In the order of the abstracts, three at most, cuts marked.
    """
    said = _particulars(bare_claim(sentence))
    chosen = [quote]
    texts = [text for source in sources for text in source.sentences]
    needed: list[Number | str] = [*said.numbers, *said.names]
    for wanted in needed:
        if not any(_holds(text, wanted) for text in chosen) and len(chosen) < _PROOFS:
            chosen += [text for text in texts if _holds(text, wanted)][:1]
    ordered = [text for text in texts if text in chosen] or [quote]
    return CUT.join(dict.fromkeys(ordered))


def _holds(text: str, wanted: Number | str) -> bool:
    if isinstance(wanted, str):
        return bare_name(wanted) in {bare_name(t) for t in _tokens(text)}
    return any(wanted.agrees(number) for number in _particulars(text).numbers)


def _middle(vectors: Floats, vector: Floats) -> float:
    """Cosine of ``vector`` to the mean of ``vectors``."""
    mean = vectors.mean(axis=0)
    return float(mean @ vector / max(1e-6, float(np.linalg.norm(mean))))


def _has_number(number: Number, read: _Read) -> bool:
    return any(number.agrees(other) for other in read.numbers)


def _name_features(said: Particulars, read: _Read) -> list[float]:
    missing = [name for name in said.names if not read.has_name(name)]
    return [
        float(bool(missing)),
        len(missing) / max(1, len(said.names)),
        float(bool(said.names) and not missing),
    ]


def _negation_features(said: Particulars, read: _Read, nearest: Sequence[int]) -> list[float]:
    """Whether a word is denied that the nearest sentences affirm, or the other way round.

    ``nearest``: places of the nearest sentences; particulars begin with the title's.
    """
    held = [read.particulars[i + 1] for i in nearest]
    denied = frozenset(t for p in held for t in p.denied)
    affirmed = frozenset(t for p in held for t in p.affirmed)
    return [
        float(bool((said.denied & affirmed) - denied)),
        float(bool((said.affirmed & denied) - affirmed)),
    ]


def _strength_features(said: Particulars, read: _Read, nearest: Sequence[int]) -> list[float]:
    """``nearest``: places of the nearest sentences; particulars begin with the title's."""
    held = [read.particulars[i + 1] for i in nearest]
    absolute = bool(said.absolutes) and not any(said.absolutes & p.absolutes for p in held)
    hedged = bool(held) and held[0].hedged and not said.hedged
    return [
        float(absolute),
        float(absolute and hedged),
        float(said.causes and not any(p.causes for p in held)),
    ]


_THING = re.compile(r"[\s-]*(?:(?:of|in) )?(?:the |its |all |these )?([A-Za-z][\w-]*)")
_NEAR = 0.25
"""Company that stands within about five words, with nothing between."""


def _counts_else(sentence: str, number: Number, held: Sequence[Held]) -> bool:
    """Whether what a number counts stands near that number nowhere in the abstract."""
    if number.unit == "%":
        return False  # a share of what it is a share of stands anywhere
    found = _THING.match(sentence, number.at + len(number.shown))
    thing = set(terms(found[1])) if found else set()
    places = [h.company for h in held if number.agrees(h.number)]
    near = [{stem for stem, weight in place.items() if weight >= _NEAR} for place in places]
    return bool(thing and places) and not any(thing <= stems for stems in near)


def _measured_else(sentence: str, number: Number, read: _Read) -> bool:
    """Whether a number has a unit, and in the abstract always another one."""
    mine = measure_of(sentence, number)
    theirs = [
        measure_of(read.texts[h.sentence], h.number) for h in read.held if number.agrees(h.number)
    ]
    theirs = [measure for measure in theirs if measure[0]]
    return bool(mine[0] and theirs) and not any(
        mine[0] == unit and (mine[1] == per or not mine[1] or not per) for unit, per in theirs
    )


def _missing_numbers(said: Particulars, read: _Read) -> list[Number]:
    """Numbers in digits that are neither in the abstract nor made of two that are."""
    missing = [n for n in said.numbers if not n.spelled and not _has_number(n, read)]
    return [n for n in missing if len(missing) > _MOST_NUMBERS or not _is_derived(n, said, read)]


def _is_derived(number: Number, said: Particulars, read: _Read) -> bool:
    """Whether it is made of two numbers of a sentence; a small one of two that are named, too."""

    def named(other: Number) -> bool:
        return any(n.agrees(other) for n in said.numbers if n is not number)

    return any(
        number.derives(one.number, two.number, small=named(one.number) and named(two.number))
        for i, one in enumerate(read.held)
        for two in read.held[i + 1 :]
        if one.sentence == two.sentence
    )


def _differences(said: Particulars, read: _Read) -> str:
    """The number or name that the abstract does not have, in words; empty if there is none."""
    missing = [n.shown for n in _missing_numbers(said, read)]
    missing += [name for name in said.names if not read.has_name(name)]
    return f"{DIFFERS}: {', '.join(missing[:3])}" if missing else ""


def _reason(named: dict[str, float], support: str) -> str:
    """What a verdict rests on, in a few words.

    That the abstract says the opposite is said only of a near copy that turns a word of it: a
    word alone ("not", "lower") says nothing.
    """
    if support == "supported":
        near = named["copied"] > 0.6
        return "nearly the abstract's words" if near else "the same in other words"
    much = named["terms_sentence"] > 0.5
    found = [
        (named["turned_in_copy"] > 0.15, OPPOSITE),
        (named["number_moved_far"] or named["numbers_crossed"] > 0.1, f"a number {SWAPPED}"),
        (named["measure_changed"], "a number has another unit in the abstract"),
        (named["thing_changed"] and much, "a number counts something else in the abstract"),
        (named["absolute_new"], "stronger than the abstract"),
        (support == "partial" or much, "only some of it is in the abstract"),
    ]
    return next((why for holds, why in found if holds), "little in common")
