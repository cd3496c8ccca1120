"""How an answer is laid out: one layout for each form of question.

The answer first, then its evidence, each under its paper's name, in the abstracts' sentences.
No layout edits a sentence; none fills up a budget: what adds nothing is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assistant.answering.confidence import Assessment
from assistant.answering.cues import (
    COMPARES,
    DEFINED,
    SUPPOSES,
    aims,
    cues,
    defines,
    phrase,
    worth,
)
from assistant.answering.draft import Draft
from assistant.answering.evidence import NUMBER, PassageReader
from assistant.answering.forms import Asking
from assistant.answering.membership import MOST_MAYBE, Members, alternatives, on_topic
from assistant.answering.question import SPELLED, Question, compact
from assistant.answering.selection import Candidate, candidates
from assistant.answering.spelling import as_held
from assistant.answering.stance import finds_none, turns
from assistant.answering.told import naming
from assistant.attribution import answers_nothing, dangles, quotation
from assistant.filters import Filters
from assistant.retrieval import PaperRetriever
from assistant.retrieved import RetrievedPaper
from assistant.settings import AnswerSettings
from assistant.telling import most_telling
from assistant.text import terms, words
from assistant.themes import grouped

__all__ = ["MAYBE", "Layout"]

MAYBE = "Perhaps on it, too"
"""What the line begins with that names the papers of which a list is not sure."""

_WITHIN = 2.0
"""Log-odds below the best sentence within which another one is worth its words."""
_ADDING, _TIED = 1.0, 0.45
"""Log-odds below a fact that holds words of the question, within which a further sentence is shown
that holds another of its words, and any. Of 117 second sentences in six question files, of which
28 state a fact that the first lacks, 71 were left, and 23 of the 28, at .75 and .35 before scores
spread a third wider."""
_TYPICAL = 60
"""Words beyond which a fact gets no further sentence that is longer than it is itself."""
_SAME = 0.92
"""Cosine from which two sentences say the same."""
_LISTED, _NAMED, _GROUPED = 10, 20, 16
"""Papers of a list with their key sentence, those that are named after them, and the size from
which those are named in groups."""
_NEARLY_ALL = 0.9
"""Share of the papers found from which there may be more on the topic than were found."""
_SHOWN = 2.0
"""Log-odds that it is worth to a paper's key sentence to hold the topic, which its title lacks."""
_PARTICULAR = 4
"""Content words from which a topic that one paper treats is a question for what it says."""
_DETAIL_OF = re.compile(r"^\w+ of \S", re.IGNORECASE)
"""One word of a thing: "redshift of 3C 273"."""
_TURNS = 2.5
"""Log-odds that it is worth to deny, or to turn round, what the question supposes."""
_DENIES = 0.7
"""Share of the question in a sentence that turns it, from which that is the answer."""
_DEEP, _DEFINING = 60, 30
"""Papers found on the topic of a definition, and those that are read for one."""
_READ = 24
"""Sentences, best first, that are read for what they say to the question."""
_SIDE_SENTENCES = 5
_ASPECT = 2.0
"""Log-odds that it is worth to hold in what respect things are to be compared."""
_MECHANISM = 3
_BUILDING_ON = 3
_BEGINS = 0.5
"""From which a sentence begins with what is to be defined."""
_SHORT_DEFINITION = 14
"""Words below which a defining sentence only names, and the next one tells."""
_MENTIONED = 0.5
"""Share of a side's idf that a sentence which speaks of it holds."""


class Layout:
    """Writes answers into a draft.

    ``write`` returns False where its form finds nothing that may be shown.
    """

    def __init__(
        self,
        draft: Draft,
        retriever: PaperRetriever,
        reader: PassageReader,
        settings: AnswerSettings,
    ) -> None:
        self._draft = draft
        self._retriever = retriever
        self._reader = reader
        self._added = settings.max_sentences - 1
        self._words = settings.max_words
        self._shown: list[Candidate] = []
        self.again = False
        """Whether it is asked for what has not been shown yet."""
        self.brief = False
        """Whether it is one answer of several, each as short as can be."""

    def write(self, asked: Asking, assessment: Assessment) -> bool:
        """Answers a question in its form."""
        writers: dict[str, Callable[[Asking, Assessment], bool]] = {
            "list": self._list,
            "definition": self._definition,
            "comparison": self._comparison,
            "explanation": self._explanation,
            "limits": self._limits,
            "yes_no": self._yes_no,
        }
        return writers.get(asked.form, self._fact)(asked, assessment)

    def closest(self, assessment: Assessment, most: int) -> None:
        """What is related, where nothing answers: the best sentence of the nearest papers."""
        used: set[str] = set()
        for candidate in assessment.candidates:
            far = candidate.score < assessment.candidates[0].score - _WITHIN
            if len(used) == most or (used and far):
                return
            if candidate.paper.paper.id not in used and self._take(candidate):
                used.add(candidate.paper.paper.id)

    def paper(self, assessment: Assessment) -> bool:
        """One paper itself: what it does and what it finds, in the order of its abstract."""
        if not assessment.retrieval:
            return False
        found = assessment.retrieval[0]
        places = _telling(found, assessment.asked)[:_MECHANISM]
        if not places or not self._draft.quote(found, places, full_title=True):
            self._draft.title(found.paper)
        return True

    # ------------------------------------------------------------------ forms

    def _fact(self, asked: Asking, assessment: Assessment) -> bool:
        question = assessment.asked
        ranked = _ranked(assessment.candidates, worth(replace(asked, form="fact"), question))
        if SUPPOSES.search(question.text) and not question.wants_number:
            ranked = self._turned(ranked, question)
        if question.wants_number:
            numbered = [c for c in ranked if NUMBER.search(c.text) or question.counts(c.text)]
            if not numbered or numbered[0].score < ranked[0].score - 2 * _WITHIN:
                if question.asks_for_number and not SPELLED.search(ranked[0].text):
                    self._draft.say("A figure for this was not found; what is said of it:")
            elif not self._denies(ranked[0], question):
                ranked = [numbered[0], *(c for c in ranked if c is not numbered[0])]
        return self._best(ranked, self._added, fact=question)

    def _explanation(self, asked: Asking, assessment: Assessment) -> bool:
        ranked = _ranked(assessment.candidates, worth(asked, assessment.asked))
        ranked = self._turned(ranked, assessment.asked)
        if not ranked:
            return False
        best = ranked[0]
        if self._denies(best, assessment.asked):
            if asked.why and finds_none(assessment.asked, best.text):
                self._draft.say("The question supposes a change; the abstract reports none:")
            return self._best(ranked, 1)
        beside = [
            c
            for c in ranked[1:8]
            if c.paper is best.paper
            and abs(c.position - best.position) <= 2
            and c.score >= best.score - 2.5 * _WITHIN
            and not self._repeats(c, [best])
            and quotable(c)
        ]
        places = [best.position]
        room = self._words
        for candidate in beside[: _MECHANISM - 1]:
            room -= len(candidate.text.split())
            if room >= 0:
                places.append(candidate.position)
        if self._repeats(best, self._shown) or not self._draft.quote(best.paper, places):
            return self._best(ranked, self._added)
        self._shown += [c for c in ranked if c.paper is best.paper and c.position in places]
        others = [
            c for c in ranked if c.paper is not best.paper and c.score >= best.score - _WITHIN
        ]
        self._best(others, 0)
        return True

    def _yes_no(self, asked: Asking, assessment: Assessment) -> bool:
        ranked = _ranked(assessment.candidates, worth(asked, assessment.asked))
        chosen: dict[str, Candidate] = {}
        for candidate in ranked:
            if candidate.score < ranked[0].score - _WITHIN or len(chosen) > self._added:
                break
            if quotable(candidate):
                chosen.setdefault(candidate.paper.paper.id, candidate)
        self._draft.say("What the abstracts say:")
        return self._best(list(chosen.values()), self._added)

    def _limits(self, asked: Asking, assessment: Assessment) -> bool:
        ranked = _ranked(assessment.candidates, worth(asked, assessment.asked))
        tells = cues(asked, assessment.asked)
        held = ((c, tells(c.text)) for c in ranked)
        told = [c for c, found in held if found["limits_plain"] or found["limits_hint"]]
        if not told:
            self._draft.say(f"Abstracts rarely tell {asked.means}; the nearest that is said:")
        return self._best(told or ranked, self._added)

    def _definition(self, asked: Asking, assessment: Assessment) -> bool:
        pattern = naming(asked.topic, assessment.retrieval)
        on, defining = self._defining(asked.topic, pattern, assessment)
        written = 0
        for paper, place in defining:
            if written == self._added or paper.paper.id in self._draft.cites:
                continue
            following = paper.sentences[place + 1 : place + 2]
            goes_on = any(dangles(s) or defines(s, pattern) >= 1 for s in following)
            short = len(paper.sentences[place].split()) < _SHORT_DEFINITION
            places = [place, place + 1] if short and goes_on else [place]
            written += self._draft.quote(paper, places)
        ranked = _ranked(assessment.candidates, worth(asked, assessment.asked))
        if not written:
            if asked.hint:
                return self._fact(asked, assessment)
            if not ranked or defines(ranked[0].text, pattern) < _BEGINS:
                lack = f"A definition of “{asked.topic}” was not found; what is said of it:"
                self._draft.say(lack)
            if not self._best(ranked, len(on) <= _BUILDING_ON):
                return False
        elif written == 1:
            quoted = self._draft.sentences[-1].quote or ""
            told = [c for c in ranked if c.text not in quoted and defines(c.text, pattern) >= 1]
            self._best(told, 0)
        others = [p for p in on if p.paper.id not in self._draft.cites]
        if others and not asked.hint:
            more = len(others) - _BUILDING_ON
            after = f"; and {more} more (ask: papers on {asked.topic})." if more > 0 else "."
            self._draft.name_all("Papers here on it", others[:_BUILDING_ON], after)
        return True

    def _defining(
        self, topic: str, pattern: re.Pattern[str], assessment: Assessment
    ) -> tuple[list[RetrievedPaper], list[tuple[RetrievedPaper, int]]]:
        """The papers on ``topic``, and the sentences of theirs that define it, best first."""
        found, stems = self._retriever.find(topic, _DEEP), set(terms(topic))
        near = on_topic(topic, found, self._reader.embedder).sure or found[:_DEFINING]
        if self.again:
            left = {p.paper.id for p in assessment.retrieval}
            near = [p for p in near if p.paper.id in left]
        on = [p for p in near if _speaks(p, pattern, stems)]
        read = on[:_DEFINING] or [p for p in assessment.retrieval if _speaks(p, pattern, stems)]
        told: list[tuple[float, int, RetrievedPaper, int]] = []
        for rank, paper in enumerate(read):
            about = len(stems) / max(1, len(set(terms(paper.paper.title)) | stems))
            for place, text in enumerate(paper.sentences):
                how = defines(text, pattern)
                if how >= DEFINED and not answers_nothing(text):
                    like = float(paper.vectors[place] @ found.vector)
                    told.append((how + about + like, -rank, paper, place))
        told.sort(key=lambda one: one[:2], reverse=True)
        return on, [(paper, place) for _, _, paper, place in told[: _MECHANISM + 1]]

    def _list(self, asked: Asking, assessment: Assessment) -> bool:
        members, perhaps = self._members(asked, assessment)
        size = len(assessment.question.states.words)
        few = 2 if size > _PARTICULAR else 1
        asks_papers = asked.papers or self.again
        particular = size >= _PARTICULAR or _DETAIL_OF.search(asked.topic)
        if len(members) <= few and particular and not asks_papers:
            return self._fact(asked, assessment)  # so particular that it asks for a detail
        if not members:
            return False
        listed = 3 if self.brief else _LISTED
        topic = f" on “{asked.topic}”" if len(asked.topic.split()) <= 12 else ""
        rest = members[listed:]
        more = " more" * self.again
        least = " or more" * (len(members) > _NEARLY_ALL * len(assessment.retrieval) > _NAMED)
        head = f"{len(members)}{more} paper{'s' * (len(members) != 1)}{least} here{topic}"
        self._draft.say(f"{head}; the first {listed} with what they say:" if rest else f"{head}:")
        for found in members[:listed]:
            places = _telling(found, assessment.asked, asked.topic)[:1]
            if not places or not self._draft.quote(found, places, full_title=True):
                self._draft.title(found.paper)
        named, left = rest[: _NAMED - listed], len(members) - max(_NAMED, listed)
        for name, group in self._groups(named, asked.topic, len(members)):
            self._draft.name_all(name, group, ".")
        if left > 0:
            self._draft.say(f"And {left} more (ask: show more).")
        if not self.brief:
            self._name_maybe(perhaps)
        return True

    def maybe(self, asked: Asking, assessment: Assessment) -> None:
        """Names what may be on the topic of a list, where nothing surely is."""
        sure, perhaps = self._members(asked, assessment)
        left = [p for p in (*sure, *perhaps) if p.paper.id not in self._draft.cites]
        self._name_maybe(left[:MOST_MAYBE])

    def _name_maybe(self, papers: Sequence[RetrievedPaper]) -> None:
        if papers:
            titles = "; ".join(f"“{found.paper.label}”" for found in papers)
            self._draft.say(f"{MAYBE}: {titles}.")

    def _members(
        self, asked: Asking, assessment: Assessment
    ) -> tuple[list[RetrievedPaper], list[RetrievedPaper]]:
        """The papers on the topic, or on either of two, and those that may be; where more are
        asked for, those that have not been shown.
        """
        found, shown = assessment.retrieval, set[str]()
        topic = as_held(asked.topic, found.statistics)
        if self.again:
            before = {paper.paper.id for paper in found}
            found = self._retriever.find(found.question, _DEEP)
            shown = {paper.paper.id for paper in found} - before
        members = self._either(topic)
        if not members.sure:
            members = on_topic(topic, found, self._reader.embedder)
        left = [p for p in members.sure if p.paper.id not in shown]
        return left, [] if self.again else members.perhaps

    def _either(self, asked: str) -> Members:
        """The papers on one or the other, where "A or B" is asked for: those on both come first."""
        topics = alternatives(asked)
        if any(len(terms(topic)) >= _PARTICULAR for topic in topics):
            return Members([], [])
        on: dict[str, RetrievedPaper] = {}
        perhaps: dict[str, RetrievedPaper] = {}
        times: dict[str, int] = {}
        for topic in topics:
            found = self._retriever.find(topic, _DEEP)
            members = on_topic(topic, found, self._reader.embedder)
            for paper in members.sure:
                on.setdefault(paper.paper.id, paper)
                times[paper.paper.id] = times.get(paper.paper.id, 0) + 1
            perhaps |= {paper.paper.id: paper for paper in members.perhaps}
        near = [paper for name, paper in perhaps.items() if name not in on][:MOST_MAYBE]
        return Members(sorted(on.values(), key=lambda p: -times[p.paper.id]), near)

    def _groups(
        self, papers: Sequence[RetrievedPaper], topic: str, of: int
    ) -> Iterator[tuple[str, list[RetrievedPaper]]]:
        """Names and papers: in groups by subject where there are many, else in one."""
        if of < _GROUPED or len(papers) < _GROUPED // 2:
            if papers:
                yield "Also", list(papers)
            return
        themes = grouped(
            np.stack([found.mean for found in papers]),
            [found.paper.title for found in papers],
            [found.paper.abstract for found in papers],
            avoid=topic,
            most=4,
        )
        for theme in themes:
            name = f"Also on {theme.name.lower()}" if theme.terms else "Also"
            yield name, [papers[n] for n in sorted(theme.members)]

    # ------------------------------------------------------------------ comparison

    def _comparison(self, asked: Asking, assessment: Assessment) -> bool:
        sides = [_Side.of(side, asked.sides, assessment) for side in asked.sides]
        both = [
            c
            for c in assessment.candidates
            if all(
                side.in_text(f"{c.paper.paper.title} {c.paper.paper.abstract}") for side in sides
            )
        ]
        tells, question = worth(asked, assessment.asked), assessment.asked
        of_sides = {t for side in asked.sides for t in terms(side)}
        aspect = {t: weight for t, weight in question.idf.items() if t not in of_sides}

        def compares(candidate: Candidate) -> float:
            text, title = candidate.text, candidate.paper.paper.title
            titled = all(side.in_text(title) for side in sides)  # and need not be named again
            here = len(sides) if titled else sum(side.in_text(text) for side in sides)
            bag = set(terms(text))
            told = sum(weight for t, weight in aspect.items() if t in bag)
            shared = told / (sum(aspect.values()) or 1.0)
            return tells(text) + _ASPECT * shared + 0.75 * here

        scored = (replace(c, score=c.score + compares(c)) for c in both)
        ranked = sorted(scored, key=lambda c: -c.score)
        direct = [c for c in ranked if COMPARES.search(c.text)]
        of_each = [self._of_side(side) for side in asked.sides]
        if direct and self._best(direct, 1):
            own = [
                [c for c in told if _called(side, c)]
                for side, told in zip(asked.sides, of_each, strict=True)
            ]
            if all(own):
                self._beside(own, asked)
            return True
        self._draft.say("A comparison of them was not found; of each:")
        return self._beside(of_each, asked)

    def beside(self, asked: Asking, assessment: Assessment) -> bool:
        """The papers that were found side by side, as they are named in ``asked``'s sides."""
        told: list[list[Candidate]] = []
        for name in asked.sides:
            paper = next((p for p in assessment.retrieval if p.paper.label.startswith(name)), None)
            told.append(self._of_side(name, Filters(ids=(paper.paper.id,))) if paper else [])
        return self._beside(told, asked, labelled=False)

    def _beside(
        self, told: Sequence[list[Candidate]], asked: Asking, *, labelled: bool = True
    ) -> bool:
        """One sentence of each side, on the same aspect where two have one."""
        picked: dict[int, Candidate] = {n: found[0] for n, found in enumerate(told) if found}
        if len(told) == 2 and all(told):
            own = {t for side in asked.sides for t in terms(side)}
            pairs = [
                (_aspect(one, other, own) + one.score + other.score, one, other)
                for one in told[0]
                for other in told[1]
                if one.text != other.text
            ]
            if pairs:
                _, picked[0], picked[1] = max(pairs, key=lambda pair: pair[0])
        found_any = False
        for n, side in enumerate(asked.sides):
            if n in picked and self._take(picked[n], label=_capital(side) if labelled else ""):
                found_any = True
            elif n not in picked and not self._named(side):
                self._draft.say(f"Nothing on “{side}” was found.")
        return found_any

    def _of_side(self, side: str, filters: Filters | None = None) -> list[Candidate]:
        """The best sentences of the library, or of one paper, on one side of a comparison."""
        found = self._retriever.find(side, 5, filters)
        question = Question.read(side, found.vector, found.statistics, self._reader.embedder)
        readings = self._reader.read(question, found[:3])
        pattern, stems = phrase(side), frozenset(terms(side))
        fitting = [
            replace(c, score=c.score + defines(c.text, pattern) - aims(c.text))
            for c in candidates(question, found[:3], readings)
            if quotable(c)
            and (
                filters is not None
                or stems <= set(terms(f"{c.text} {c.paper.paper.title}"))
                or compact(side) in compact(c.text)
            )
        ]
        return sorted(fitting, key=lambda c: -c.score)[:_SIDE_SENTENCES]

    def _named(self, side: str) -> bool:
        """Whether a paper that is found for ``side`` has its name."""
        found = self._retriever.find(side, 5)
        return any(compact(side) in compact(paper.paper.text) for paper in found)

    # ------------------------------------------------------------------ parts of them

    def _turned(self, ranked: Sequence[Candidate], question: Question) -> list[Candidate]:
        """``ranked`` with what denies or turns round the question's supposition further up."""
        scored = (
            replace(c, score=c.score + _TURNS * turns(question, c.text, c.paper.paper.title))
            for c in ranked[:_READ]
        )
        return sorted(scored, key=lambda c: -c.score) + list(ranked[_READ:])

    def _denies(self, candidate: Candidate, question: Question) -> bool:
        """Whether ``candidate`` seems to say otherwise than ``question`` supposes."""
        return turns(question, candidate.text, candidate.paper.paper.title) >= _DENIES

    def _best(self, ranked: Sequence[Candidate], added: int, fact: Question | None = None) -> bool:
        """The first of ``ranked`` that can stand alone, and at most ``added`` more that add.

        ``fact``: the question, of which the further ones must add words where the first has some.
        """
        first: Candidate | None = None
        room, within = self._words, _WITHIN
        lacking: set[str] = set(fact.terms) if fact else set()
        for candidate in ranked:
            size, held = len(candidate.text.split()), set(terms(candidate.text))
            if first is None:
                first = candidate if self._take(candidate) else None
                if first and fact:
                    within = _ADDING if lacking & held else _WITHIN
                    room, lacking = max(size, _TYPICAL - size), lacking - held
                continue
            less = first.score - candidate.score
            if added <= self.brief or less > within:
                break
            adds = size <= room and (within == _WITHIN or lacking & held)
            if (adds or less <= _TIED) and self._take(candidate):
                added, room, lacking = added - 1, room - size, lacking - held
        return first is not None

    def _take(self, candidate: Candidate, label: str = "") -> bool:
        """Quotes ``candidate`` if nothing that is shown says the same and it can stand alone."""
        if self._repeats(candidate, self._shown):
            return False
        if any(_overlap(candidate, other) for other in self._shown):
            return False
        if not self._draft.quote(candidate.paper, [candidate.position], label=label):
            return False
        self._shown.append(candidate)
        return True

    def _repeats(self, candidate: Candidate, shown: Iterable[Candidate]) -> bool:
        """Whether something of ``shown`` says the same; never where the numbers differ."""
        numbers = NUMBER.findall(candidate.text)
        ours = set(words(candidate.text))
        for other in shown:
            if other.paper.paper.id == candidate.paper.paper.id and (
                other.position == candidate.position
            ):
                return True
            if NUMBER.findall(other.text) != numbers:
                continue
            theirs = set(words(other.text))
            alike = float(
                candidate.paper.vectors[candidate.position] @ other.paper.vectors[other.position]
            )
            if alike >= _SAME or len(ours & theirs) > 0.75 * min(len(ours), len(theirs)):
                return True
        return False


def _overlap(one: Candidate, other: Candidate) -> bool:
    """Whether one's quotation, with the sentences that it leans on, holds the other's sentence."""
    if one.paper.paper.id != other.paper.paper.id:
        return False
    return one.text in _quoted(other) or other.text in _quoted(one)


def _quoted(candidate: Candidate) -> str:
    found = candidate.paper
    return quotation(found.paper.abstract, found.spans, [candidate.position]) or ""


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a comparison: its name without spaces, and the stems that only it has, with
    their weights.
    """

    name: str
    weights: dict[str, float]

    @classmethod
    def of(cls, side: str, sides: Sequence[str], assessment: Assessment) -> _Side:
        others = {t for other in sides if other != side for t in terms(other)}
        own = [t for t in terms(side) if t not in others] or terms(side)
        return cls(compact(side), {t: assessment.statistics.idf(t) for t in own})

    def in_text(self, text: str) -> bool:
        """Whether ``text`` speaks of this side."""
        if self.name in compact(text):
            return True
        bag = set(terms(text))
        held = sum(weight for term, weight in self.weights.items() if term in bag)
        return held >= _MENTIONED * sum(self.weights.values())


def quotable(candidate: Candidate) -> bool:
    """Whether the sentence can stand alone, or with those before it."""
    found = candidate.paper
    return bool(quotation(found.paper.abstract, found.spans, [candidate.position]))


def _called(side: str, candidate: Candidate) -> bool:
    """Whether the sentence is of a paper whose title begins with ``side``."""
    return candidate.paper.paper.label.casefold().startswith(side.casefold())


def _ranked(found: Sequence[Candidate], adds: Callable[[str], float]) -> list[Candidate]:
    """``found`` with what else speaks for a sentence in its score, best first."""
    scored = (replace(c, score=c.score + adds(c.text)) for c in found)
    return sorted(scored, key=lambda c: -c.score)


def _aspect(one: Candidate, other: Candidate, own: set[str]) -> float:
    """How much two sentences speak of the same, beside the sides that are compared."""
    shared = (set(terms(one.text)) & set(terms(other.text))) - own
    numbers = bool(NUMBER.search(one.text)) == bool(NUMBER.search(other.text))
    return 0.5 * min(len(shared), 4) + 0.3 * numbers


def _speaks(found: RetrievedPaper, pattern: re.Pattern[str], topic: set[str]) -> bool:
    """Whether a paper is on a topic, not only near it: in its title, or with its very words."""
    return topic <= set(terms(found.paper.title)) or pattern.search(found.paper.text) is not None


def _telling(found: RetrievedPaper, question: Question, topic: str = "") -> list[int]:
    """The places of the sentences that tell what the paper is to the question, best first.

    Where the title shows less than half of ``topic``, the sentence is to show it.
    """
    near, wanted = found.nearness(question.vector), set(terms(topic)) & set(question.terms)
    shown = [0.0] * len(found.sentences)
    if question.coverage(set(terms(found.paper.title)) & wanted) < 0.5 * question.coverage(wanted):
        shown = [_SHOWN * question.coverage(set(terms(s)) & wanted) for s in found.sentences]
    return most_telling(found.paper.title, found.sentences, near, shown)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
