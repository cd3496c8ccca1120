"""Sections without a language model: sentences of the abstracts, chosen, ordered, joined.

A section says what its papers speak of, where they start from, what each does (neighbours in
meaning follow one another), which numbers they report (grouped by what is measured), what they
found, and which limits they name. Sentences of several papers that say the same become one
sentence that cites them all. Nothing is said twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant.review.drafting import Claim, DraftSentence, Verifier
from assistant.review.numbers import KINDS, Figure, Kind, figures
from assistant.review.roles import BOILERPLATE, VACUOUS, Reading, points_back
from assistant.review.search import UsedPaper
from assistant.review.themes import Cluster
from assistant.review.wording import attributed, clean, counted, joined, name_of, prose
from assistant.text import terms, words

__all__ = ["Material", "Part", "open_questions", "overview", "section"]

Floats = NDArray[np.float32]

TWIN = 0.88
"""Cosine from which two sentences say the same, if they also share their words."""
NEAR = 0.8
"""Cosine from which a second sentence of a section is not worth its words."""
ALIKE = 0.65
"""Cosine from which two papers may start from the same problem."""
MOST_APPROACHES = 12
"""Papers of a theme whose approach gets a sentence; further ones are named."""
_MOST_FIGURES = 7
_MOST_FINDINGS = 5
_MOST_LIMITS = 3
_MOST_OPEN = 6
_MOST_OVERVIEW = 5
_ADDS = re.compile(
    r"^(?:\S+ ){1,4}also\b|^(?:furthermore|moreover|additionally|in addition)\b", re.IGNORECASE
)
_OURS = re.compile(r"\b(?:we|our|us|this (?:paper|work|study))\b", re.IGNORECASE)
_SURVEY = re.compile(r"\b(?:survey|review|overview|taxonomy)\b", re.IGNORECASE)

Part = tuple[str, list[DraftSentence]]
"""Kind of a paragraph, and its sentences."""


@dataclass
class Material:
    """What the document is written from, and what it has said already."""

    papers: Sequence[UsedPaper]
    readings: Sequence[Reading]
    verifier: Verifier
    said: dict[tuple[int, int], DraftSentence] = field(default_factory=dict)

    def vector(self, paper: int, place: int) -> Floats:
        """(dimension,) of a sentence."""
        row: Floats = self.papers[paper].vectors[place]
        return row

    def sentence(self, paper: int, place: int) -> str:
        """The text of a sentence."""
        return self.papers[paper].sentences[place]

    def _joined(self, twin: DraftSentence, paper: int) -> bool:
        """Makes ``twin`` the sentence of both papers, if it is true of both."""
        first = next(key for key, sentence in self.said.items() if sentence is twin)
        raw = clean(self.sentence(*first))
        if len(twin.pieces) != 1 or not self.verifier.supports(paper, raw):
            return False
        text = prose(attributed(raw, self.papers[first[0]].paper, named=True))
        shared = DraftSentence.of(text, [*twin.papers, paper])
        twin.pieces, twin.end = shared.pieces, shared.end
        twin.claims = [Claim(p, raw) for p in twin.papers]
        return True

    def twin(self, paper: int, place: int) -> DraftSentence | None:
        """The sentence of another paper that says the same and was said already."""
        ours = set(words(self.sentence(paper, place)))
        for (other, there), sentence in self.said.items():
            if float(self.vector(paper, place) @ self.vector(other, there)) < TWIN:
                continue
            theirs = set(words(self.sentence(other, there)))
            if len(ours & theirs) > 0.7 * min(len(ours), len(theirs)):
                return sentence
        return None

    def of_the_field(self, paper: int, place: int) -> bool:
        """Whether a sentence tells about the field: it stands before the paper's own part."""
        own = self.readings[paper].method
        ours = _OURS.search(self.sentence(paper, place))
        return own is not None and place < own and not ours

    def nearest_said(self, paper: int, place: int) -> float:
        """Cosine to the nearest sentence that was said."""
        vector = self.vector(paper, place)
        return max((float(vector @ self.vector(*key)) for key in self.said), default=0.0)

    def say(self, paper: int, place: int, *, named: bool = False) -> DraftSentence | None:
        """The sentence, worded to stand alone; None where it, or its twin, was said already."""
        if (paper, place) in self.said:
            return None
        twin = self.twin(paper, place)
        if twin is not None and self._joined(twin, paper):
            self.said[(paper, place)] = twin
            return None
        raw = self.sentence(paper, place)
        named = named or self.of_the_field(paper, place)
        text = prose(attributed(raw, self.papers[paper].paper, named=named))
        said = self.said[(paper, place)] = DraftSentence.of(text, [paper])
        # a title in quotation marks is our way to say whose sentence it is, no claim of the paper
        name = name_of(self.papers[paper].paper)
        if name.startswith("“"):
            bare = text.replace(f"In {name}, ", "").replace(name, "the paper")
            said.claims = [Claim(paper, bare[:1].upper() + bare[1:])]
        return said


# ---------------------------------------------------------------------- a section


def section(group: Cluster, material: Material) -> list[Part]:
    """The paragraphs of one theme; every paper of it is cited in one of them."""
    parts: list[Part] = [
        ("background", [*_spoken_of(group, material), *_starting_points(group, material)]),
        ("approach", _approaches(group, material)),
        ("numbers", [*_numbers(group, material), *_findings(group, material)]),
        ("limits", _limits(group, material)),
    ]
    cited = {p for _, said in parts for sentence in said for p in sentence.papers}
    missing = [m for m in group.members if m not in cited]
    if missing:
        parts[1][1].append(_also(missing, material))
    return [(kind, said) for kind, said in parts if said]


def _spoken_of(group: Cluster, material: Material) -> list[DraftSentence]:
    """Which papers speak of what the theme is named after: a fact, found by their words."""
    size = len(group.members)
    if size < 3:
        return []
    pieces: list[tuple[str, list[int]]] = []
    claims: list[Claim] = []
    for term in _named_terms(group):
        claimed = [Claim(m, term, terms_only=True) for m in group.members]
        holders = [c for c in claimed if material.verifier.verdict(c).support == "supported"]
        if len(holders) < 2:
            continue
        whole = len(holders) == size
        many = "all" if whole else counted(len(holders), "")
        first = f"Of the {counted(size)} here, {many} use the term “{term}”"
        if whole:
            first = f"All {counted(size)} here use the term “{term}”"
        text = f", and {many} “{term}”" if pieces else first
        pieces.append((text, [c.paper for c in holders]))
        claims += holders
    return [DraftSentence(pieces, claims)] if pieces else []


def _named_terms(group: Cluster) -> list[str]:
    """The terms that the theme's name is made of."""
    name = group.name.casefold()
    parts = {name, *name.split(" and ")}
    return [term for term in group.terms if term.casefold() in parts][:2]


def _starting_points(group: Cluster, material: Material) -> list[DraftSentence]:
    """One or two problems that most of the theme's papers start from, with all who say so."""
    stated = [
        (m, place)
        for m in group.members
        if (place := material.readings[m].problem) is not None
        and not points_back(material.sentence(m, place))
    ]
    if not stated:
        return []
    vectors = np.stack([material.vector(m, place) for m, place in stated])
    centrality = (vectors @ vectors.T).mean(axis=1)
    salience = np.array([material.readings[m].salience[place] for m, place in stated])
    order = np.argsort(-(centrality + 0.5 * salience).round(5), kind="stable")
    said: list[DraftSentence] = []
    for n in order:
        m, place = stated[int(n)]
        if material.nearest_said(m, place) >= NEAR:
            continue
        sentence = _as_shared(m, place, material)
        if sentence is None:
            continue
        for other, there in stated:
            close = float(material.vector(other, there) @ material.vector(m, place)) >= ALIKE
            text = sentence.claims[0].text
            if other != m and close and material.verifier.supports(other, text, surely=True):
                sentence.also(other)
        said.append(sentence)
        if len(said) == 2:
            break
    return said


def _as_shared(paper: int, place: int, material: Material) -> DraftSentence | None:
    """A sentence about the field rather than the paper: without naming the paper."""
    raw = material.sentence(paper, place)
    if re.search(r"\b(?:we|our|us)\b", raw, re.IGNORECASE):
        return material.say(paper, place)
    return material.say(paper, place, named=True)


def _approaches(group: Cluster, material: Material) -> list[DraftSentence]:
    """What each paper does; neighbours in meaning follow one another."""
    stated = {
        m: place
        for m in group.members[:MOST_APPROACHES]
        if (place := material.readings[m].method) is not None
    }
    said: list[DraftSentence] = []
    for m in _chain(list(stated), lambda m: material.vector(m, stated[m])):
        sentence = material.say(m, stated[m])
        if sentence is not None:
            said.append(sentence)
    return said


def _chain(members: list[int], vector: object) -> list[int]:
    """From the first, always on to the nearest that is left."""
    if not members or not callable(vector):
        return members
    order, left = [members[0]], members[1:]
    while left:
        here = vector(order[-1])
        following = max(left, key=lambda m: (round(float(here @ vector(m)), 5), -m))
        order.append(following)
        left.remove(following)
    return order


def _numbers(group: Cluster, material: Material) -> list[DraftSentence]:
    """Reported numbers, side by side under what they measure, each in its paper's words."""
    found: dict[Kind, list[tuple[int, Figure]]] = {kind: [] for kind in KINDS}
    for m in group.members:
        reading = material.readings[m]
        seen: set[Kind] = set()
        places = [p for p in reading.results if (m, p) not in material.said]
        for figure in figures(material.papers[m].sentences, places):
            if figure.kind not in seen:
                seen.add(figure.kind)
                found[figure.kind].append((m, figure))
    said = []
    for kind, named in KINDS.items():
        entries = found[kind][:_MOST_FIGURES]
        if len(entries) < 2:
            continue
        for m, figure in entries:
            # the fragment tells what the sentence has to tell
            material.said.setdefault((m, figure.sentence), DraftSentence.of(figure.text, [m]))
        pieces: list[tuple[str, list[int]]] = []
        for n, (m, figure) in enumerate(entries):
            head = f"{_capital(counted(len(entries)))} report figures on {named}:" if not n else ";"
            name = name_of(material.papers[m].paper)
            told = figure.text.removeprefix(f"{name} ")
            pieces.append((f"{head} {name}, “{told}”", [m]))
        said.append(DraftSentence(pieces, [Claim(m, f.text) for m, f in entries]))
    return said


def _findings(group: Cluster, material: Material) -> list[DraftSentence]:
    """Best results of papers whose numbers were not told, and the most telling others."""
    said: list[DraftSentence] = []
    for m in group.members:
        if len(said) == _MOST_FINDINGS:
            break
        told = any((m, p) in material.said for p in material.readings[m].results)
        if told:
            continue
        for place in material.readings[m].results:
            sentence = material.sentence(m, place)
            if points_back(sentence) or material.nearest_said(m, place) >= NEAR:
                continue
            if VACUOUS.search(sentence) and not re.search(r"\d", sentence):
                continue
            made = material.say(m, place)
            if made is not None:
                said.append(made)
            break
    return said


def _limits(group: Cluster, material: Material) -> list[DraftSentence]:
    """Trade-offs and limits that the papers name."""
    said: list[DraftSentence] = []
    for m in group.members:
        place = material.readings[m].limits
        if place is None or points_back(material.sentence(m, place)):
            continue
        if material.nearest_said(m, place) >= NEAR:
            continue
        made = material.say(m, place)
        if made is not None:
            said.append(made)
        if len(said) == _MOST_LIMITS:
            break
    return said


def _also(missing: Sequence[int], material: Material) -> DraftSentence:
    pieces = [
        (("Also in this theme: " if not n else "; ") + name_of(material.papers[m].paper), [m])
        for n, m in enumerate(missing)
    ]
    return DraftSentence(pieces, own=True)


# ---------------------------------------------------------------------- around the sections


def overview(clusters: Sequence[Cluster], material: Material, topic: str) -> list[DraftSentence]:
    """The opening paragraph, after the sections are written: from sentences they left over."""
    said: list[DraftSentence] = []
    if len(clusters) > 1:
        listed = "; ".join(f"{_small(c.name)} ({len(c.members)})" for c in clusters)
        themes = counted(len(clusters), "theme")
        text = f"The {counted(len(material.papers))} fall into {themes}: {listed}"
        said.append(DraftSentence([(text, [])], own=True))
    # what surveys say of the field, then what each theme's papers report
    surveys = [n for n, p in enumerate(material.papers) if _SURVEY.search(p.paper.title)]
    said += [made for m in surveys[:2] if (made := _surveyed(m, material)) is not None]
    background = _background(clusters, material)
    if background is not None and not surveys:
        said.append(background)
    wanted = set(terms(topic))
    for cluster in clusters:
        made = _telling(cluster, material, wanted)
        if made is not None:
            said.append(made)
        if len(said) >= _MOST_OVERVIEW:
            break
    return said


def _surveyed(paper: int, material: Material) -> DraftSentence | None:
    """What a survey says that is nearest to the topic and was not said yet."""
    salience = material.readings[paper].salience
    for place in sorted(range(len(salience)), key=lambda p: -salience[p]):
        text = material.sentence(paper, place)
        if points_back(text) or BOILERPLATE.search(text) or (paper, place) in material.said:
            continue
        made = material.say(paper, place)
        if made is not None:
            return made
    return None


def _background(clusters: Sequence[Cluster], material: Material) -> DraftSentence | None:
    """The most central sentence about the field that no section has used."""
    found = [
        (m, place)
        for cluster in clusters
        for m in cluster.members
        for place in range(min(2, material.readings[m].method or 0))
        if (m, place) not in material.said
        and material.of_the_field(m, place)
        and not points_back(material.sentence(m, place))
    ]
    if len(found) < 3:
        return None
    vectors = np.stack([material.vector(*key) for key in found])
    centrality = (vectors @ vectors.T).mean(axis=1)
    best = found[int(np.argmax(centrality.round(5)))]
    return material.say(*best) if material.nearest_said(*best) < NEAR else None


def _telling(cluster: Cluster, material: Material, wanted: set[str]) -> DraftSentence | None:
    """What a theme's papers report and its section has not told, nearest to the topic."""
    best: tuple[float, int, int] | None = None
    for m in cluster.members:
        for place in _left_over(m, material):
            text = material.sentence(m, place)
            share = len(wanted & set(terms(text))) / max(1, len(wanted))
            late = 0.3 * place / max(1, len(material.papers[m].sentences) - 1)
            score = material.readings[m].salience[place] + 0.3 * share + late
            if best is None or score > best[0] + 1e-5:
                best = (score, m, place)
    if best is None or material.nearest_said(best[1], best[2]) >= NEAR:
        return None
    return material.say(best[1], best[2])


def _small(name: str) -> str:
    """A name within a sentence; acronyms keep their capitals."""
    first = name.split(" ", 1)[0]
    return name if re.search(r"[A-Z\d]", first[1:]) else f"{name[:1].lower()}{name[1:]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _left_over(paper: int, material: Material) -> list[int]:
    """Sentences of a paper that report something, stand alone and were not said; best first."""
    reading = material.readings[paper]
    return [
        p
        for p in reading.results
        if (paper, p) not in material.said
        and not points_back(material.sentence(paper, p))
        and not VACUOUS.search(material.sentence(paper, p))
        and not _ADDS.search(material.sentence(paper, p))
    ]


def open_questions(clusters: Sequence[Cluster], material: Material) -> list[DraftSentence]:
    """What the papers call open: first what they leave to others, then what they start from."""
    groups = (
        ("Left open by the papers themselves:", "open_late"),
        ("Named as open, and taken up in part by the paper that names it:", "open_early"),
    )
    said: list[DraftSentence] = []
    for lead, role in groups:
        found: list[DraftSentence] = []
        for cluster in clusters:
            for m in cluster.members:
                for place in getattr(material.readings[m], role):
                    text = material.sentence(m, place)
                    if points_back(text) or len(clean(text).split()) < 6:
                        continue
                    made = material.say(m, place)
                    if made is not None and len(found) < _MOST_OPEN:
                        found.append(made)
                    break
        if found:
            said += [DraftSentence([(lead.rstrip(":"), [])], own=True, end=":"), *found]
    return said


def by_name(papers: Sequence[UsedPaper], members: Sequence[int]) -> str:
    """Names of papers in a row."""
    return joined([name_of(papers[m].paper) for m in members])
