"""Which papers a review of a topic is written about, and which it only lists.

The library is searched for several forms of the topic: as it was given, its parts, and its
acronyms in full (and the other way round) where papers found write "long form (SHORT)". A linear
model is then trained on the surest papers against the least likely ones, and a fitted model
(`assistant.fitted`, ``topic``) weighs what speaks for a paper: the search, its cosine to the
topic, how much of the topic's words it holds, that linear model, and what its abstract holds of
the topic when both are read together (`assistant.answering.evidence`). What it judges likely is
**core** and written about; what holds the topic's words, or stands near, is **related** and
listed; the rest is off topic. Where nobody says a short topic in one sentence, nothing is core,
unless the topic is a question: that is answered in other words. Nothing is called absent that any
paper mentions.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assistant.acronyms import long_forms
from assistant.answering.evidence import PassageReader
from assistant.filters import Filters
from assistant.fitted import load
from assistant.paper import Paper
from assistant.reading.abstracts import clean_text
from assistant.results import Passage
from assistant.retrieval import PaperRetriever
from assistant.retrieved import Retrieval, RetrievedPaper, Statistics
from assistant.review.judging import Told, is_question, told
from assistant.review.model import LeftOut, SearchStep
from assistant.text import STOP_WORDS, terms, words

__all__ = ["CORE", "Candidate", "Found", "about", "everything", "find", "forms_of", "weighed"]

Floats = NDArray[np.float32]

CORE = 0.25
"""Chance from which a paper is written about."""
RELATED = 0.08
"""Chance from which a paper is listed."""
_LOOKED_AT = 100
"""Papers that each form of the topic brings, at least."""
_LISTED = 60
"""Papers that are neither core nor related and are told with why."""
_SAME = 0.9
"""Cosine from which on two papers of one title are the same one: a preprint, a later edition."""
_SURE = 8
"""Papers that stand for the topic when the linear model is trained."""
_LEAST_SHARE, _LEAST_COSINE, _SYNONYM = 0.5, 0.4, 0.5
"""A paper below both is not about the topic, however well it does among the others; nor is one
below the last cosine where a word of a short topic stands in no paper of the library."""
_LIKE = 1.0
"""Decision of the linear model from which a paper that holds the topic's only word is about it;
one that holds several words of a topic needs no more than 0."""
_SHORT_TOPIC = 4
"""Stems of a topic whose every word counts."""
_TOLD = 0.7
"""Share of a short topic's words that one sentence of some paper must hold."""
_DERIVED = 0.5
"""What a word of the same stem counts beside the only word of a topic."""
_SURELY = 0.5
"""Chance from which a paper is about a topic that nobody says in one sentence."""
_PART, _A_PART = 0.5, "a part of the topic"
"""What a part of the topic counts beside the whole; why it was searched for."""
_READ = 30
"""Papers that are read with the topic beyond those that are wanted; the rest is taken to hold as
little as the least of them."""
_AND = re.compile(r"\s*(?:[,;/]|\band\b|\bor\b|\bversus\b|\bvs\.?(?=\s))\s*", re.IGNORECASE)
_COMPOUND = re.compile(r"(?<![\w-])[^\W\d_]{2,}-[^\W\d_]{2,}(?![\w-])")
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|e)?s?$")
_ACRONYM = re.compile(r"\b(?=\w*[A-Z]\w*[A-Z])[A-Za-z]{2,6}\b")


def uninflected(text: str) -> frozenset[str]:
    """The content words of a text, without what makes a plural, a past or a participle of one."""
    return frozenset(_ENDING.sub("", w) for w in words(text) if w not in STOP_WORDS)


@dataclass(eq=False)
class Candidate:
    """A paper that was looked at: ``relevance`` is the estimated chance that it is about it.

    ``share``: of the topic's words, by idf, that it holds; ``together``: that one sentence or its
    title holds; ``phrase``: 1 where they follow each other; ``short``: the topic is of few words,
    each of which is needed; ``told``: what its abstract holds, read with the topic; ``why``: what
    speaks for it.
    """

    found: RetrievedPaper
    relevance: float = 0.0
    share: float = 0.0
    title_share: float = 0.0
    together: float = 0.0
    phrase: float = 0.0
    search: float = 0.0
    linear: float = 0.0
    told: Told = field(default_factory=Told)
    by_hand: bool = False
    short: bool = False

    @property
    def paper(self) -> Paper:
        """The paper."""
        return self.found.paper

    @property
    def sentences(self) -> tuple[str, ...]:
        """Of the abstract, letter for letter."""
        return self.found.sentences

    @property
    def passage(self) -> Passage:
        """As answers show it."""
        return self.found.passage

    @cached_property
    def stems(self) -> list[list[str]]:
        """Of the title, and of each sentence, in order."""
        return [terms(self.paper.title), *map(terms, self.sentences or [self.paper.abstract])]

    @cached_property
    def words(self) -> frozenset[str]:
        """Of title and abstract, uninflected."""
        return uninflected(f"{self.paper.title} {self.paper.abstract}")

    def holds(self, stems: AbstractSet[str]) -> bool:
        """Whether all of these stand in title and abstract: another spelling that it writes."""
        return not stems or stems <= set().union(*self.stems)

    @property
    def why(self) -> str:
        """The judgement in words."""
        if self.by_hand:
            return "named by hand"
        held = "all" if self.share > 0.99 else "most" if self.share > 0.6 else "few"
        where = ", also in its title" if self.title_share > 0.6 else ""
        near = "like" if self.linear > 0 else "unlike"
        return f"holds {held} of the topic's words{where}; {near} the surest papers"

    @property
    def features(self) -> dict[str, float]:
        """What the fitted model weighs."""
        return {
            "cosine": self.found.cosine,
            "search": self.search,
            "linear": self.linear,
            "titled": self.title_share * self.short,
            "missing": (1.0 - self.share) * self.short,
            "phrase": self.phrase * self.short,
            "told": self.told.log_odds,
        }


@dataclass
class Found:
    """What a search brought.

    ``core``: written about, most relevant first; ``beyond``: about it too, but more than were
    asked for; ``related``: listed; ``unused``: why, and how many, that are about it too are in
    neither of the first two; ``mentions``: how many of those looked at hold all of the topic's
    words; ``left_out``: all that are beyond or related, and some of the others.
    """

    topic: str
    vector: Floats
    statistics: Statistics
    core: list[Candidate] = field(default_factory=list)
    beyond: list[Candidate] = field(default_factory=list)
    related: list[Candidate] = field(default_factory=list)
    steps: list[SearchStep] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    looked_at: int = 0
    relevant: int = 0
    unused: Counter[str] = field(default_factory=Counter)
    mentions: int = 0
    nearest: list[str] = field(default_factory=list)


def find(
    topic: str,
    retriever: PaperRetriever,
    reader: PassageReader,
    *,
    wanted: int,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    filters: Filters | None = None,
) -> Found:
    """The papers for a review of ``topic``; ``include`` and ``exclude`` are ids of papers."""
    candidates, steps, first = weighed(topic, retriever, reader, wanted=wanted, filters=filters)
    vector, statistics = first.vector, first.statistics
    known = {c.paper.id: c for c in candidates}
    if named := retriever.read([i for i in include if i not in known], vector):
        for paper, held in zip(named, told(topic, named, statistics, reader), strict=True):
            known[paper.paper.id] = Candidate(paper, told=held)
    for name in include:
        if name in known:
            known[name].by_hand = True
    found = Found(topic, vector, statistics, steps=steps, looked_at=len(candidates))
    order = sorted(known.values(), key=lambda c: (not c.by_hand, -c.relevance, c.paper.id))
    likely = [c for c in order if c.relevance >= CORE or c.by_hand]
    found.mentions = sum(c.share > 0.99 for c in order)
    if not likely:  # nobody is surely about it: who mentions it is what there is
        likely = [c for c in order if c.share > 0.99]
    found.relevant = len(likely)
    found.nearest = [c.paper.label for c in order[:3]]
    _draw_the_line(found, order, likely, wanted=wanted, dropped=set(exclude))
    return found


def about(
    topic: str,
    retriever: PaperRetriever,
    reader: PassageReader,
    *,
    wanted: int,
    filters: Filters | None = None,
) -> tuple[list[Candidate], Floats]:
    """The papers about a topic or that mention it, best first, and the topic's vector."""
    order, _, first = weighed(topic, retriever, reader, wanted=wanted, filters=filters)
    kept = [c for c in order if c.sentences and (c.relevance >= CORE or c.share > 0.99)]
    return kept[:wanted], first.vector


def everything(ids: Sequence[str], retriever: PaperRetriever) -> list[Candidate]:
    """These papers, without a topic."""
    if not ids:
        return []
    some = retriever.find("paper", 1)
    return [Candidate(paper) for paper in retriever.read(ids, np.zeros_like(some.vector))]


def weighed(
    topic: str,
    retriever: PaperRetriever,
    reader: PassageReader,
    *,
    wanted: int = 30,
    filters: Filters | None = None,
) -> tuple[list[Candidate], list[SearchStep], Retrieval]:
    """All papers looked at, best first, the searches that brought them, and what the first found.

    Mark-up is no word of a topic, as it is none of a title.
    """
    topic = clean_text(topic)
    first, order, steps, forms = _searched(topic, retriever, max(_LOOKED_AT, 3 * wanted), filters)
    _share_words(order, [(topic, ""), *forms], first.statistics)
    _train_linear(order)
    stems = set(terms(topic))
    short = len(stems) <= _SHORT_TOPIC
    for candidate in order:
        candidate.short = short
    _read(topic, order, first.statistics, reader, wanted + _READ)
    unheld = short and any(first.statistics.document_frequency(stem) == 0 for stem in stems)
    whole = short and not is_question(topic) and all(why != _A_PART for _, why in forms)
    for candidate in order:
        candidate.relevance = _relevance(candidate, len(stems), unheld, whole)
    if whole and all(c.together < _TOLD and c.relevance < _SURELY for c in order):
        for candidate in order:  # nobody says the topic: whoever comes near is listed
            candidate.relevance = min(candidate.relevance, CORE - 0.01)
    order.sort(key=lambda c: (-c.relevance, c.paper.id))
    return order, steps, first


def _relevance(candidate: Candidate, stems: int, unheld: bool, whole: bool) -> float:
    """The estimated chance that a paper is about a topic of so many ``stems``.

    ``unheld``: one of them stands in no paper; ``whole``: each of them is needed.
    """
    chance = 1.0 / (1.0 + math.exp(-load("topic").log_odds(candidate.features)))
    named = candidate.title_share > 0.99  # its title holds the whole topic
    if named or (candidate.phrase and candidate.linear > (_LIKE if stems == 1 else 0.0)):
        chance = max(chance, CORE)
    far = candidate.found.cosine < (_SYNONYM if unheld else _LEAST_COSINE)
    if far and candidate.share < (0.99 if unheld else _LEAST_SHARE):
        chance *= RELATED  # the best of a library that does not hold the topic
    if whole and stems == 2 and not unheld and candidate.share < 0.99:
        chance = min(chance, CORE - 0.01)  # a white dwarf is no dwarf galaxy
    return round(chance, 4)


def _searched(
    topic: str, retriever: PaperRetriever, k: int, filters: Filters | None
) -> tuple[Retrieval, list[Candidate], list[SearchStep], list[tuple[str, str]]]:
    """What the search for the topic brought, all that its other forms brought beside it, each
    search, and the forms with where they come from.
    """
    first = retriever.find(topic, k, filters)
    candidates = {p.paper.id: Candidate(p, search=p.score) for p in first}
    steps = [SearchStep(query=topic, why="the topic itself", found=len(first), new=len(first))]
    papers = [c.paper for c in candidates.values()]
    spelled = _spelled(topic, papers, first.statistics)
    forms = [*spelled, *forms_of(topic, papers)]
    first_ids = set(candidates)
    for form, why in forms:
        retrieval = retriever.find(form, k, filters)
        needed = set(terms(form)) - set(terms(topic)) if (form, why) in spelled else set()
        beyond = [p.paper.id for p in retrieval if p.paper.id not in candidates]
        read = {p.paper.id: Candidate(p) for p in retriever.read(beyond, first.vector)}
        new = {name: one for name, one in read.items() if one.holds(needed)}
        candidates |= new
        part = _PART if why == _A_PART else 1.0
        for paper in retrieval:
            known = candidates.get(paper.paper.id)
            if known and known.holds(needed) and (paper.paper.id not in first_ids or part == 1.0):
                known.search = max(known.search, part * paper.score)
        steps.append(SearchStep(query=form, why=why, found=len(retrieval), new=len(new)))
    return first, list(candidates.values()), steps, forms


def forms_of(topic: str, papers: Sequence[Paper]) -> list[tuple[str, str]]:
    """Other forms of the topic, each with where it comes from.

    Acronyms of the topic are written in full, and phrases of it as their acronym, as ``papers``
    write them; then come the parts that "and" or a comma joins.
    """
    found: dict[str, str] = {}
    given = {w.casefold().rstrip("s") for w in re.findall(r"[\w-]+", topic)}
    texts = (paper.text for paper in papers)
    spelled = [
        (long, short)
        for (long, short), _ in long_forms(texts).most_common()
        if short.casefold() in given or _with(short, long, topic)
    ]
    for long, short in spelled[:4]:
        if short.casefold() in given:
            full = re.sub(rf"\b{re.escape(short)}s?\b", long, topic, flags=re.IGNORECASE)
            found.setdefault(full, f"“{short}” in full")
        elif len(terms(long)) > 1:
            found.setdefault(_with(short, long, topic), f"“{long}” by its acronym")
    parts = [part.strip() for part in _AND.split(topic) if terms(part)]
    if len(parts) > 1:
        for part in parts[:6]:
            found.setdefault(part, _A_PART)
    for short in set(_ACRONYM.findall(topic)) - {short for _, short in spelled}:
        if long := _compound_of(short, papers):
            found.setdefault(topic.replace(short, long), f"what “{short}” may stand for")
    found.pop(topic, None)
    return list(found.items())[:6]


def _spelled(topic: str, papers: Sequence[Paper], statistics: Statistics) -> list[tuple[str, str]]:
    """The topic with "pass-through" and "pass through" in one word, and the other way round.

    In one word if the library holds it, with a hyphen if ``papers`` write it so.
    """
    found: dict[str, str] = {}
    for pair in re.finditer(r"\b(?=(([^\W\d_]+)([- ])([^\W\d_]+))\b)", topic):
        whole, first, between, second = pair.groups()
        stem = terms(first + second)
        if (between == "-" or terms(first)) and stem and statistics.document_frequency(stem[0]):
            found[whole] = first + second
    texts = (f"{paper.title} {paper.abstract}" for paper in papers)
    hyphened = {c.casefold() for text in texts for c in _COMPOUND.findall(text)}
    joined = {compound.replace("-", ""): compound for compound in sorted(hyphened)}
    for word in re.findall(r"(?<![\w-])[^\W\d_]+(?![\w-])", topic):
        if word.casefold() in joined:
            found[word] = joined[word.casefold()]
    return [(topic.replace(one, other), f"“{one}” as “{other}”") for one, other in found.items()]


def _with(short: str, long: str, topic: str) -> str:
    """The topic with ``short`` where it says ``long``, in whichever endings; empty if nowhere."""
    held = [m for m in re.finditer(r"[^\W_]+", topic) if terms(m[0])]
    stems, wanted = [terms(m[0])[0] for m in held], terms(long)
    for n in range(len(stems) - len(wanted) + 1):
        if wanted and stems[n : n + len(wanted)] == wanted:
            return f"{topic[: held[n].start()]}{short}{topic[held[n + len(wanted) - 1].end() :]}"
    return ""


def _compound_of(short: str, papers: Sequence[Paper]) -> str:
    """For an acronym that no paper spells out, the compound that the papers with it write.

    Its parts begin with the letters: "magneto-hydro-dynamic"; empty where there is none.
    """
    letters = short.casefold()
    parts = "".join(rf"[aeio]-?{letter}\w{{2,}}" for letter in letters[1:])
    compound = re.compile(rf"\b{letters[0]}\w{{2,}}{parts}")
    texts = [paper.text.casefold() for paper in papers]
    using = [text for text in texts if re.search(rf"\b{letters}\b", text)]
    held = Counter(word for text in using for word in set(compound.findall(text)))
    return max(held, key=lambda word: (held[word], word), default="")


def _share_words(
    candidates: Sequence[Candidate], forms: Sequence[tuple[str, str]], statistics: Statistics
) -> None:
    """How much of the topic, in whichever form, each paper and its title hold."""
    for form, why in forms:
        wanted = terms(form)
        weights = {stem: statistics.idf(stem) for stem in wanted}
        weight = sum(weights.values()) or 1.0
        # "tokens" and "tokenization" share a stem, and are two subjects
        alone = next(iter(uninflected(form)), "") if len(wanted) == 1 else ""
        whole = _PART if why == _A_PART else 1.0  # a part of the topic is not the whole of it
        for candidate in candidates:
            parts = [sum(weights[t] for t in weights.keys() & part) for part in candidate.stems]
            held = weights.keys() & set().union(*candidate.stems)
            if held and alone and alone not in candidate.words:
                parts = [_DERIVED * part for part in parts]
            share = min(sum(weights[t] for t in held), max(parts) if alone else weight) / weight
            candidate.share = max(candidate.share, whole * share)
            candidate.title_share = max(candidate.title_share, whole * parts[0] / weight)
            candidate.together = max(candidate.together, whole * max(parts) / weight)
            exact = not alone or alone in candidate.words
            if whole == 1.0 and exact and any(_follow(wanted, part) for part in candidate.stems):
                candidate.phrase = 1.0


def _follow(wanted: Sequence[str], stems: Sequence[str]) -> bool:
    """Whether the stems stand one after the other."""
    size = len(wanted)
    return any(list(wanted) == stems[n : n + size] for n in range(len(stems) - size + 1))


def _train_linear(candidates: Sequence[Candidate]) -> None:
    """A linear model of the surest papers against the least likely half, over words and meaning.

    Its standardised decision becomes `Candidate.linear`, at most 3 in size.
    """
    from scipy.sparse import csr_matrix, hstack  # noqa: PLC0415
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.svm import LinearSVC  # noqa: PLC0415

    sure = min(_SURE, len(candidates) // 4)
    if sure < 2:
        return
    order = sorted(candidates, key=lambda c: -(c.search + c.found.cosine))
    texts = [f"{c.paper.title} {c.paper.title} {c.paper.abstract}" for c in order]
    weigh = TfidfVectorizer(tokenizer=terms, token_pattern=None, lowercase=False, sublinear_tf=True)
    means = csr_matrix(np.stack([c.found.mean for c in order]))
    rows = csr_matrix(hstack([weigh.fit_transform(texts), means]))
    rows.indices, rows.indptr = rows.indices.astype(np.int32), rows.indptr.astype(np.int32)
    train = [*range(sure), *range(len(order) // 2, len(order))]
    labels = [1] * sure + [0] * (len(train) - sure)
    model = LinearSVC(C=1.0, class_weight="balanced", random_state=0).fit(rows[train], labels)
    decisions = model.decision_function(rows)
    decisions = (decisions - decisions.mean()) / max(float(decisions.std()), 1e-6)
    for candidate, decision in zip(order, decisions, strict=True):
        candidate.linear = float(np.clip(decision, -3.0, 3.0))


def _read(
    topic: str,
    candidates: Sequence[Candidate],
    statistics: Statistics,
    reader: PassageReader,
    most: int,
) -> None:
    """Reads the likeliest with the topic; the others are taken to be like the least of them."""
    model = load("topic")
    order = sorted(candidates, key=lambda c: -model.log_odds(c.features))
    read = [c for c in order if c.sentences][:most]
    least = 0.0
    for candidate, held in zip(
        read, told(topic, [c.found for c in read], statistics, reader), strict=True
    ):
        candidate.told = held
        least = min(least, held.log_odds)
    for candidate in set(candidates) - set(read):
        candidate.told = Told(least)


def _draw_the_line(
    found: Found,
    order: Sequence[Candidate],
    likely: Sequence[Candidate],
    *,
    wanted: int,
    dropped: set[str],
) -> None:
    """Core, related, and of every other paper why it is neither."""
    core = set(map(id, likely))
    means: dict[str, Floats] = {}
    others = 0
    for candidate in order:
        title = candidate.paper.title_key
        before = means.get(title) if title else None
        again = before is not None and float(before @ candidate.found.mean) > _SAME
        if candidate.paper.id in dropped:
            why = "dropped by hand"
        elif not candidate.sentences and not candidate.by_hand:
            why = "no abstract"
        elif id(candidate) in core and again and not candidate.by_hand:
            why = "another record of a paper that is in the review"
        elif id(candidate) in core and len(found.core) < wanted:
            found.core.append(candidate)
            means.setdefault(title, candidate.found.mean)
            continue
        elif id(candidate) in core:
            found.beyond.append(candidate)
            why = f"beyond the {wanted} papers that were asked for"
        elif found.nearest and (candidate.relevance >= RELATED or candidate.share > 0.99):
            found.related.append(candidate)
            why = f"related: {candidate.why}"
        else:
            why = f"off topic: {candidate.why}"
        named = why.startswith(("related", "beyond"))
        if id(candidate) in core and not named:
            found.unused[why] += 1
        others += not named
        if named or others <= _LISTED:
            found.left_out.append(
                LeftOut(
                    paper_id=candidate.paper.id,
                    title=candidate.paper.label,
                    relevance=candidate.relevance,
                    why=why,
                )
            )
