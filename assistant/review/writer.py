"""A review from search to references: what both kinds of it share, and the one without a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.acronyms import long_forms
from assistant.answering.evidence import PassageReader
from assistant.attribution import quoted
from assistant.errors import QuestionError
from assistant.filters import Filters
from assistant.results import Mode
from assistant.retrieval import PaperRetriever
from assistant.review.candidates import CORE, Candidate, Found, find
from assistant.review.cells import CHANGE, Material, data_set_names
from assistant.review.comparing import (
    Statement,
    across,
    counted,
    disagreements,
    joined,
    name_of,
)
from assistant.review.model import (
    Counts,
    MapPoint,
    NumberRow,
    Paragraph,
    Plan,
    Reference,
    Review,
    ReviewProgress,
    ReviewSentence,
    TableRow,
    Theme,
    Verdicts,
)
from assistant.text import terms
from assistant.themes import OTHER, grouped, projected
from assistant.themes import Theme as Group

__all__ = ["Prepared", "assembled", "checked_topic", "materials_of", "prepare", "write"]

MOST_TOPIC = 400
"""Characters of a topic that are read."""
_THIN = 3
_MOST_THEMES, _PER_THEME = 8, 15
_MOST_ANSWERS = 8
_MOST_NUMBERS = 3
"""Numbers of one paper in the table of numbers."""
_HOW = (
    "It is made without a language model: what stands in quotation marks are the abstracts' own "
    "words, letter for letter, chosen by fitted models; what is said across papers follows from "
    "the cells of the tables"
)

OnProgress = Callable[[ReviewProgress], None]


@dataclass
class Prepared:
    """What is known before the first sentence: papers, what each says, themes.

    ``materials`` has one entry a core paper, in the order of ``found.core``; its ``number`` is
    what the paper is cited by.
    """

    topic: str
    found: Found
    groups: list[Group]
    materials: list[Material]
    started: float
    notes: list[str]

    def regroup(self, groups: list[Group]) -> None:
        """Other themes: the papers are numbered in their order."""
        self.groups = [group for group in groups if group.members]
        for n, place in enumerate((m for g in self.groups for m in g.members), 1):
            self.materials[place].number = n


def checked_topic(topic: str) -> tuple[str, list[str]]:
    """The topic as it will be read, and notes on what was done to it.

    Raises:
        QuestionError: it holds no word, or none that tells a topic.
    """
    text = " ".join(topic.split())
    if not any(c.isalnum() for c in text):
        raise QuestionError("The topic holds no word.", "Name one, such as “expert pruning”.")
    if not terms(text):
        raise QuestionError(
            f"The topic {text[:60]!r} holds no word that tells what it is about.",
            "Name one, such as “expert pruning”.",
        )
    if len(text) <= MOST_TOPIC:
        return text, []
    note = f"Of a topic of {len(text):,} characters the first {MOST_TOPIC} were read."
    return text[:MOST_TOPIC].strip(), [note]


def prepare(
    topic: str,
    retriever: PaperRetriever,
    reader: PassageReader,
    *,
    papers: int,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    filters: Filters | None = None,
    on_progress: OnProgress | None = None,
) -> Prepared:
    """Searches, reads and clusters.

    Raises:
        QuestionError: see `checked_topic`.
    """
    started = time.perf_counter()
    topic, notes = checked_topic(topic)
    tell = on_progress or (lambda _: None)
    tell(ReviewProgress(step="searching", done=0, total=4))
    found = find(
        topic,
        retriever,
        reader,
        wanted=papers,
        include=include,
        exclude=exclude,
        filters=filters,
    )
    held = found.statistics.papers_held
    if papers > held:
        notes.append(f"{papers:,} papers were asked for, and the library holds {held:,}.")
    tell(ReviewProgress(step=f"reading {len(found.core)} papers", done=1, total=4))
    materials = materials_of(found.core, found.vector)
    prepared = Prepared(topic, found, [], materials, started, notes)
    prepared.regroup(_themes(found, topic))
    return prepared


def materials_of(papers: Sequence[Candidate], vector: np.ndarray | None = None) -> list[Material]:
    """What can be read out of each paper; ``vector`` is the topic's."""
    names = data_set_names(p.sentences for p in papers)
    made = []
    for paper in papers:
        near = [] if vector is None else paper.found.nearness(vector)
        found = paper.found
        made.append(Material(paper.paper, found.read_out, near, names, reader=found.reader))
    return made


def _themes(found: Found, topic: str) -> list[Group]:
    if not found.core:
        return []
    vectors = np.stack([p.found.mean for p in found.core])
    titles = [p.paper.title for p in found.core]
    texts = [p.paper.abstract for p in found.core]
    stems = set(terms(topic))
    held = long_forms(f"{title}. {text}" for title, text in zip(titles, texts, strict=True))
    shorts = [short for long, short in held if stems <= set(terms(long))]  # names of it, too
    avoid = " ".join([topic, *(step.query for step in found.steps), *shorts])
    most = max(_MOST_THEMES, len(titles) // _PER_THEME)
    return grouped(vectors, titles, texts, avoid, found.statistics.idf, most)


# ---------------------------------------------------------------------- without a model


def write(prepared: Prepared, on_progress: OnProgress | None = None) -> Review:
    """The review, without a language model."""
    tell = on_progress or (lambda _: None)
    if not prepared.found.core:
        return _absent(prepared)
    tell(ReviewProgress(step=f"writing {counted(len(prepared.groups), 'theme')}", done=2, total=4))
    sections = [_section(prepared, group) for group in prepared.groups]
    review = assembled(prepared, _overview(prepared), sections)
    tell(ReviewProgress(step="done", done=4, total=4))
    return review


def _section(prepared: Prepared, group: Group) -> list[Paragraph]:
    """A line a paper."""
    lines: dict[tuple[str, ...], list[Material]] = {}
    for member in group.members:
        material = prepared.materials[member]
        lines.setdefault(_words(material), []).append(material)
    return [Paragraph(sentences=[_line(w, m) for w, m in lines.items()])]


def _words(material: Material) -> tuple[str, ...]:
    """What a paper does and what it found, in its own words."""
    found = [cell.text for cell in material.contribution if cell]
    words = tuple(sorted(found, key=material.paper.abstract.find))
    return words or (material.paper.title,)


def _line(words: tuple[str, ...], materials: Sequence[Material]) -> ReviewSentence:
    """One paper, or several that say the same, with their words."""
    said = " ".join(f"“{text}”" for text in words)
    statement = Statement()
    for n, material in enumerate(materials[:-1]):
        statement.add(", " if n else "").cite(material, " … ".join(words))
    last = materials[-1]
    statement.add(" and " if len(materials) > 1 else "")
    return statement.cite(last, " … ".join(words), shown=f"{name_of(last.paper)}: {said}").done()


def _overview(prepared: Prepared) -> list[ReviewSentence]:
    """Which themes there are, and how many papers stand in each."""
    groups = prepared.groups
    total = len(prepared.found.core)
    if len(groups) == 1:
        return []
    names = [f"{g.name} ({len(g.members)})" for g in groups if g.name != OTHER]
    beside = sum(len(g.members) for g in groups if g.name == OTHER)
    text = f"The {total} papers fall into {counted(len(names), 'theme')}: {joined(names)}"
    alone = f"; {beside} stand{'s' * (beside == 1)} in none" if beside else ""
    return [ReviewSentence(text=f"{text}{alone}.")]


def answers(prepared: Prepared) -> list[ReviewSentence]:
    """Of a topic that is a question, what the papers say to it, the likeliest first.

    Yes or no is the reader's to judge: told by words alone, it was wrong too often.
    """
    said = []
    for candidate, material in zip(prepared.found.core, prepared.materials, strict=True):
        place = candidate.told.place
        words = quoted(material.sentences, place) if place is not None else None
        if words:
            shown = f"{name_of(material.paper)}: “{words}”"
            sentence = Statement().cite(material, words, shown=shown).done()
            said.append((candidate.told.score, sentence))
    said.sort(key=lambda pair: -pair[0])
    return [sentence for _, sentence in said[:_MOST_ANSWERS]]


# ---------------------------------------------------------------------- the frame


def assembled(
    prepared: Prepared,
    opening: Sequence[ReviewSentence],
    sections: Sequence[Sequence[Paragraph]],
    *,
    mode: Mode = "extractive",
    model: str | None = None,
    plan: Plan | None = None,
) -> Review:
    """The whole document, with its tables and references."""
    found, materials = prepared.found, prepared.materials
    theme_of = {m: n for n, group in enumerate(prepared.groups) for m in group.members}
    order = sorted(theme_of, key=lambda m: materials[m].number)
    flat = projected(np.stack([p.found.mean for p in found.core]))
    themes = [
        Theme(
            name=group.name,
            terms=group.terms,
            papers=sorted(materials[m].number for m in group.members),
            paragraphs=list(parts),
        )
        for group, parts in zip(prepared.groups, sections, strict=True)
    ]
    ordered = [materials[m] for m in order]
    beyond = {c.paper.id for c in found.beyond}
    related = {c.paper.id for c in found.related}
    review = Review(
        topic=prepared.topic,
        title=f"Literature review: {prepared.topic}",
        status="thin" if len(order) < _THIN else "written",
        mode=mode,
        model=model,
        scope=_scope(prepared, mode, model),
        overview=list(opening),
        answers=answers(prepared),
        themes=themes,
        table=[_row(materials[m], themes[theme_of[m]].name) for m in order],
        numbers=_numbers(ordered),
        across=across(ordered) if mode == "extractive" else [],
        disagreements=disagreements(ordered),
        open_questions=_open_questions(ordered),
        references=[
            Reference(
                number=materials[m].number,
                paper=materials[m].paper,
                theme=themes[theme_of[m]].name,
                relevance=found.core[m].relevance,
                by_hand=found.core[m].by_hand,
            )
            for m in order
        ],
        counts=_counts(prepared),
        searches=found.steps,
        beyond=[left for left in found.left_out if left.paper_id in beyond],
        related=[left for left in found.left_out if left.paper_id in related],
        left_out=found.left_out,
        map=[
            MapPoint(
                number=materials[m].number,
                x=round(float(flat[m][0]), 4),
                y=round(float(flat[m][1]), 4),
                theme=theme_of[m],
            )
            for m in order
        ],
        plan=plan or Plan(),
        notes=list(prepared.notes),
        seconds=round(time.perf_counter() - prepared.started, 2),
    )
    review.verdicts = tally(review.sentences)
    return review


def tally(sentences: Iterable[ReviewSentence]) -> Verdicts:
    """Counts the verdicts of sentences."""
    verdicts = Verdicts()
    for sentence in sentences:
        name = "own" if sentence.support == "none" else sentence.support
        setattr(verdicts, name, getattr(verdicts, name) + 1)
    return verdicts


def _row(material: Material, theme: str) -> TableRow:
    scale = [*material.sample_size(), *material.data()]
    method, result = material.contribution
    return TableRow(
        number=material.number,
        title=material.paper.label,
        theme=theme,
        method=method,
        result=result,
        scale=scale[0] if scale else None,
        limits=material.left_open(),
    )


def _numbers(materials: Sequence[Material]) -> list[NumberRow]:
    """Numbers that results report, those that several papers measure first."""
    rows: list[tuple[tuple[str, ...], NumberRow]] = []
    for material in materials:
        sure = [
            m for m in material.measured
            if material.role(m.place) == "result" and not CHANGE.fullmatch(m.named)
        ]  # fmt: skip
        for one in sure[:_MOST_NUMBERS]:
            sentence = material.sentences[one.place]
            row = NumberRow(
                what=one.named,
                value=one.value,
                cell=material.cell(one.text, one.place),
                data="; ".join(material.data_in(one.place)),
                against="; ".join(c.text for c in material.compared_with() if c.quote == sentence),
            )
            rows.append((one.key, row))
    counts: dict[tuple[str, ...], set[int]] = {}
    for key, row in rows:
        counts.setdefault(key, set()).add(row.cell.citation)
    rows.sort(key=lambda pair: (-len(counts[pair[0]]), pair[0], pair[1].cell.citation))
    return [row for _, row in rows]


def _open_questions(materials: Sequence[Material]) -> list[ReviewSentence]:
    said: dict[tuple[str, ...], list[Material]] = {}
    for material in materials:
        cell = material.left_open()
        if cell is not None:
            said.setdefault((cell.text,), []).append(material)
    return [_line(words, holders) for words, holders in said.items()]


def _counts(prepared: Prepared) -> Counts:
    found = prepared.found
    used = len(found.core)
    return Counts(
        held=prepared.found.statistics.papers_held,
        found=found.looked_at,
        relevant=found.relevant,
        used=used,
        left_out=max(0, found.looked_at - used),
    )


def _scope(prepared: Prepared, mode: Mode, model: str | None) -> list[ReviewSentence]:
    """How the library was searched, and how many papers were found, used, listed."""
    found, used = prepared.found, len(prepared.found.core)
    held = prepared.found.statistics.papers_held
    searches = counted(len(found.steps), "query", "queries")
    said = [
        f"Of the {held:,} papers of the library, {searches} on “{prepared.topic}” brought "
        f"{found.looked_at:,} to look at; this review is written about {used:,} of them"
        f"{_listed_beside(found)}"
    ]
    unsure = _unsure(found)
    if unsure:
        said.append(f"None of them is surely about the topic: {counted(found.mentions)} mention it")
    for why, number in found.unused.items():
        said.append(f"{number:,} more {_about(number, unsure=unsure)}, and left out: {why}")
    by_hand = sum(p.by_hand for p in found.core)
    if by_hand:
        said.append(f"{by_hand} of the papers {'was' if by_hand == 1 else 'were'} named by hand")
    if used < _THIN:
        said.append("That is little: the library hardly holds this topic, and the review is short")
    if not any(p.sentences for p in found.core):
        said.append("None of them has an abstract, so that nothing can be said but their titles")
    said.append(_HOW if mode == "extractive" else _written_by(model))
    return [ReviewSentence(text=f"{text}.") for text in said]


def _unsure(found: Found) -> bool:
    """Whether none of the papers that are written about is surely about the topic."""
    core = found.core
    return bool(core) and all(p.relevance < CORE and not p.by_hand for p in core)


def _about(number: int, *, unsure: bool) -> str:
    """What is said of so many papers beside those that are written about."""
    if unsure:
        return "mentions it" if number == 1 else "mention it"
    return f"{'is' if number == 1 else 'are'} by estimate about it"


def _listed_beside(found: Found) -> str:
    """Which papers the review names and is not written about; empty where there are none."""
    kinds = {
        _about(len(found.beyond), unsure=_unsure(found)): len(found.beyond),
        "is related" if len(found.related) == 1 else "are related": len(found.related),
    }
    listed = [f"{number:,} more that {what}" for what, number in kinds.items() if number]
    return f" and lists {joined(listed)}" if listed else ""


def _written_by(model: str | None) -> str:
    return (
        f"It is written by the language model {model or 'of the settings'} from the abstracts; "
        "every sentence was compared with the abstracts that it cites, what was not supported was "
        "rewritten, and what was still not supported was left out"
    )


def _absent(prepared: Prepared) -> Review:
    """Nothing to write about, and why."""
    found = prepared.found
    near = [left for left in found.left_out if left.why.startswith("related")]
    if near and not found.mentions:
        text = (
            f"No paper of this library is surely about “{prepared.topic}”, and none says it in one "
            f"sentence: {counted(len(near))} that {'comes' if len(near) == 1 else 'come'} near "
            f"{'is' if len(near) == 1 else 'are'} listed, and no review is written"
        )
    elif found.mentions or any(paper.why == "no abstract" for paper in found.left_out):
        text = (
            f"{counted(max(found.mentions, 1)).capitalize()} of this library may be about "
            f"“{prepared.topic}”, and there is nothing to review in their abstracts"
        )
    else:
        text = (
            f"This library holds nothing on “{prepared.topic}”: of its "
            f"{prepared.found.statistics.papers_held:,} papers "
            f"{found.looked_at:,} were looked at, and none names it or was found to be about it"
        )
    said = [text]
    if found.nearest:
        nearest = [t if len(t) <= 120 else f"{t[:117].rstrip()}…" for t in found.nearest]
        said.append(f"Its nearest papers are {joined([f'“{t}”' for t in nearest])}")
    review = Review(
        topic=prepared.topic,
        title=f"Literature review: {prepared.topic}",
        status="absent",
        scope=[ReviewSentence(text=f"{s}.") for s in said],
        counts=_counts(prepared),
        searches=found.steps,
        related=near,
        left_out=found.left_out,
        notes=list(prepared.notes),
        seconds=round(time.perf_counter() - prepared.started, 2),
    )
    review.verdicts = tally(review.sentences)
    return review
