"""Evidence: how likely it is that a paper's abstract answers a question, and which sentence does.

Retrieval scores tell what a question is about, not whether the answer is there. What tells
more is the evidence for each part of the question: how well each of its words is matched by
some word of the abstract (by stem, or by the cosine of their states in context: "soft
coverage"), whether the things it names occur, whether there is a number where one is wanted.
Logistic models join these (`assistant.fitted`); ``python -m eval.fit`` fits them on questions
whose gold papers are known, with the other retrieved papers, the papers that are found when
all of the topic are taken out, and the gold papers less the sentence that answers, as the
negatives. A cross-encoder that reads question and abstract together says of every sentence how
likely it answers.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assistant.answering.cross_encoder import UNREAD, CrossEncoder, Window, joined, windows
from assistant.answering.entailment import EntailmentModel, nearest, together
from assistant.answering.question import Question, WordStates, compact, word_states
from assistant.embedding import Embedder, TextStates, WordEmbedder
from assistant.fitted import LogisticModel, load
from assistant.retrieved import FEW, RetrievedPaper
from assistant.text import terms

__all__ = ["NUMBER", "PassageReader", "PassageText", "Reading"]

Floats = NDArray[np.float32]

NUMBER = re.compile(r"(?<!\w)(?<!\w[.,-])\d+(?:[.,]\d+)*")
"""A number of its own: none that belongs to a name (GN-z11, CIFAR-10, v1.5)."""
_EXACT = 0.9
"""Similarity of two words with the same stem; states of one word differ with its context."""
_UNLIKE = 0.4
"""A word of the question whose best match is less similar than this has none."""
_HIT = 0.55
"""Similarity from which a word of the question is met by one of the sentence."""
_READ_CHARACTERS = 1700
"""Of title and abstract: about what the model takes in."""
_SHORT = (
    "standing best_sentence_cosine exact_coverage soft_coverage sentence_coverage unmatched"
    " lack_aligned unknown"
).split()
"""What weighs more where the question is short, and each of its words has to be found."""
_PER_COSINE = 6.0
"""By this the cosine tells the standing in a small library, by what it is in larger ones."""
_REMEMBERED = 160
"""Passages whose states are kept, some 500 kB each."""


@dataclass(frozen=True, slots=True)
class PassageText:
    """One abstract as evidence reads it.

    ``vectors``: (sentences, dimension) unit rows; ``standing``: by how many standard deviations
    the question's cosine to its nearest chunk is above that to the library's chunks.
    """

    title: str
    sentences: Sequence[str]
    vectors: Floats
    standing: float

    @classmethod
    def of(cls, found: RetrievedPaper) -> PassageText:
        """``found`` as evidence reads it."""
        return cls(found.paper.title, found.sentences, found.vectors, found.standing)


@dataclass(frozen=True, slots=True)
class _Read:
    """A passage that has been read: its content words, the sentence of each (-1 for the title),
    and what the cross-encoder reads, nothing without a `WordEmbedder`.
    """

    words: WordStates
    places: NDArray[np.int64]
    windows: tuple[Window, ...]
    sentences: int


def _read(title: str, sentences: tuple[str, ...], embedder: Embedder) -> _Read:
    text, starts = joined(title, sentences)
    states: TextStates | None = None
    seen: tuple[Window, ...] = ()
    if isinstance(embedder, WordEmbedder):
        states = embedder.read(text)
        seen = tuple(windows(embedder, title, sentences, states))
    words = word_states(text[:_READ_CHARACTERS], states)
    return _Read(
        words, np.searchsorted(starts, words.starts, side="right") - 1, seen, len(sentences)
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """What one passage holds of one question.

    ``log_odds`` that it answers. ``hit``: (sentences,) share of the question's words, by their
    weight, that each sentence or the title meets; ``added``: how well the sentence matches the
    words that the title lacks; ``inside``: share of the question's words, those that few
    sentences of the abstract have before those that stand in many; ``answers``: log-odds that
    each sentence answers, by the cross-encoder (0 without a `WordEmbedder`).
    """

    log_odds: float
    features: dict[str, float]
    hit: Floats
    added: Floats
    inside: Floats
    answers: Floats


class PassageReader:
    """Reads passages for questions, and claims beside passages; remembers what the model makes of
    the passages that were read lately for questions.

    Safe in several threads.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self._encoder, self._claims = CrossEncoder(), EntailmentModel()
        # of the model alone: a memory that held this reader would keep both until a collection
        self._remembered = lru_cache(_REMEMBERED)(partial(_read, embedder=embedder))
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, "assistant-reader")

    @property
    def model(self) -> LogisticModel:
        """The model that fits what the embedding model can tell."""
        return load("evidence" if isinstance(self.embedder, WordEmbedder) else "evidence-lexical")

    def read(self, question: Question, papers: Sequence[RetrievedPaper]) -> list[Reading]:
        """What each of ``papers`` holds of ``question``."""
        passages = [PassageText.of(paper) for paper in papers]
        reads = list(self._threads.map(self._read, passages))  # on all cores
        answers = self._answers(question.said, reads)
        return [self._reading(question, *one) for one in zip(passages, reads, answers, strict=True)]

    def answers(self, question: str, passages: Sequence[PassageText]) -> list[Floats]:
        """For each of ``passages``, (sentences,) log-odds that each answers; see `Reading`."""
        return self._answers(question, list(self._threads.map(self._read, passages)))

    def reading(self, question: Question, passage: PassageText) -> Reading:
        """What ``passage`` holds of ``question``."""
        read = self._read(passage)
        (answers,) = self._answers(question.said, [read])
        return self._reading(question, passage, read, answers)

    def entailed(self, claim: str, vector: Floats, passages: Sequence[PassageText]) -> Floats:
        """(passages,) log-odds that a sentence of each bears the claim out; NaN of one that is
        not read: without a `WordEmbedder`, or where a claim leaves no room.

        Of a passage those sentences are read whose vectors are nearest to ``vector``, the claim's.
        """
        if not isinstance(self.embedder, WordEmbedder):
            return np.full(len(passages), np.nan, np.float32)
        embedder = self.embedder
        self._claims.open()

        def odds(passage: PassageText) -> float:
            heard = [n for n, text in enumerate(passage.sentences) if text]
            if not heard:
                return UNREAD
            read = [heard[n] for n in nearest(passage.vectors[heard] @ vector)]
            kept = {n: passage.sentences[n] for n in read}
            found = self._claims.read(together(embedder, claim, passage.title, kept))
            return float(np.logaddexp.reduce(found)) if len(found) else np.nan

        return np.array(list(self._threads.map(odds, passages)), np.float32)

    def _answers(self, question: str, reads: Sequence[_Read]) -> list[Floats]:
        if not isinstance(self.embedder, WordEmbedder):
            return [np.zeros(read.sentences, np.float32) for read in reads]
        states = self.embedder.read(question).lower
        self._encoder.open()

        def odds(read: _Read) -> Floats:
            return self._encoder.read(states, read.windows, read.sentences)

        return list(self._threads.map(odds, reads))

    def _reading(
        self, question: Question, passage: PassageText, read: _Read, answers: Floats
    ) -> Reading:
        title_terms = set(terms(passage.title))
        bags = [set(terms(sentence)) for sentence in passage.sentences]
        bag = title_terms.union(*bags)
        letters = compact(f"{passage.title} {' '.join(passage.sentences)}")
        similar, exact = self._matches(question, read.words)
        sentence_of = read.places
        best: Floats = np.max(similar, axis=1, initial=0.0)
        held = exact.any(axis=1)
        rare, aligned = question.rarity, question.rarity * question.alignment
        cosines = np.sort(passage.vectors @ question.vector)[::-1]
        lacking = np.sort((1 - best) * rare)[::-1]
        lacking_aligned = np.sort((1 - best) * aligned)[::-1]
        few = question.statistics.papers_held < FEW
        standing = _PER_COSINE * _at(cosines, 0) if few else passage.standing
        likeliest = np.sort(answers)[::-1]
        numbered = any(NUMBER.search(sentence) for sentence in passage.sentences)
        by_sentence = _best_by_sentence(similar, sentence_of, len(passage.sentences))
        in_title: Floats = np.max(similar[:, sentence_of < 0], axis=1, initial=0.0)
        titled: list[Floats] = [np.maximum(row, in_title) for row in by_sentence]
        with_title = _each(titled, aligned)
        hit = _each([np.asarray(row > _HIT, np.float32) for row in titled], aligned)
        added = _each(by_sentence, aligned * np.clip(1 - in_title, 0, 1))
        features = {
            "standing": standing,
            "best_sentence_cosine": _at(cosines, 0),
            "second_sentence_cosine": _at(cosines, 1),
            "coverage": question.coverage(bag),
            "exact_coverage": _weighted(np.asarray(held, dtype=np.float32), aligned),
            "soft_coverage": _weighted(best, aligned),
            "title_coverage": _weighted(in_title, aligned),
            "sentence_coverage": float(with_title.max(initial=0.0)),
            "matched": float((np.maximum(best - _UNLIKE, 0) * rare).sum()),
            "unmatched": _weighted(np.asarray(best < _UNLIKE, dtype=np.float32), rare),
            "lack": _at(lacking, 0),
            "second_lack": _at(lacking, 1),
            "lack_aligned": _at(lacking_aligned, 0),
            "second_lack_aligned": _at(lacking_aligned, 1),
            "name_missing": float(any(name not in letters for name in question.names)),
            "unknown": question.unknown,
            "has_focus": float(question.focus.any()),
            "lacks_focus": _lacking(similar[:, sentence_of >= 0], question.focus),
            "number_missing": float(question.wants_number and not numbered),
            "answers": _at(likeliest, 0) if likeliest.size else UNREAD,
            "second_answers": _at(likeliest, 1) if len(likeliest) > 1 else UNREAD,
        }
        features |= {f"short_{name}": question.short * features[name] for name in _SHORT}
        features["short"] = question.short
        inside = _inside(question, bags)
        return Reading(
            self.model.log_odds(features),
            features,
            hit,
            added,
            inside,
            answers,
        )

    def _matches(self, question: Question, states: WordStates) -> tuple[Floats, NDArray[np.bool_]]:
        """(question words, passage words): similarity in [-1, 1], and whether stems agree."""
        exact = _stems(question.states)[:, None] == _stems(states)[None, :]
        exact |= _joined(question.states, states) | _joined(states, question.states).T
        similar: Floats = question.states.vectors @ states.vectors.T
        if not states.vectors.shape[1]:
            similar = np.zeros(exact.shape, np.float32)
        return np.where(exact, np.maximum(similar, np.float32(_EXACT)), similar), exact

    def _read(self, passage: PassageText) -> _Read:
        return self._remembered(passage.title, tuple(passage.sentences))


def _best_by_sentence(similar: Floats, places: NDArray[np.int64], sentences: int) -> list[Floats]:
    """For each sentence, (question words,), the similarity of the word that matches best."""
    return [np.max(similar[:, places == n], axis=1, initial=0.0) for n in range(sentences)]


def _each(by_sentence: Sequence[Floats], weights: Floats) -> Floats:
    """(sentences,) weighted mean of each."""
    return np.array([_weighted(row, weights) for row in by_sentence], np.float32)


def _inside(question: Question, bags: Sequence[set[str]]) -> Floats:
    """(sentences,) share of the question's stems that each holds, by idf in the library times
    the logarithm of (sentences + 1) / (sentences with it).
    """
    held = {t: sum(t in bag for bag in bags) for t in question.idf}
    weights = {t: question.idf[t] * np.log((len(bags) + 1) / n) for t, n in held.items() if n}
    total = sum(weights.values()) or 1.0
    return np.array([sum(w for t, w in weights.items() if t in bag) / total for bag in bags])


def _stems(states: WordStates) -> NDArray[np.int64]:
    """(words,) the stem of each content word, as a number that is equal where stems are."""
    return np.array([hash(tuple(terms(word))) for word in states.words], dtype=np.int64)


def _joined(one: WordStates, other: WordStates) -> NDArray[np.bool_]:
    """(words of ``one``, words of ``other``): whether a word is two neighbours of ``other``, as
    "CIFAR10" is "CIFAR-10".
    """
    found = np.zeros((len(one.words), len(other.words)), bool)
    at: defaultdict[str, list[int]] = defaultdict(list)
    for n, (word, following) in enumerate(pairwise(other.words)):
        if other.starts[n + 1] - other.starts[n] - len(word) == 1:
            at[f"{word}{following}".casefold()] += [n, n + 1]
    for n, word in enumerate(one.words):
        found[n, at.get(word.casefold(), [])] = True
    return found


def _lacking(similar: Floats, focus: NDArray[np.bool_]) -> float:
    """How far the words of ``focus`` are from any word of the abstract: mean, in [0, 2]."""
    best: Floats = np.max(similar[focus], axis=1, initial=0.0)
    return float((1 - best).mean()) if focus.any() else 0.0


def _at(values: Floats, n: int) -> float:
    return float(values[n]) if len(values) > n else 0.0


def _weighted(values: Floats, weights: Floats) -> float:
    """Weighted mean; 0 where nothing has weight."""
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total > 1e-6 else 0.0
