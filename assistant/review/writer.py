"""A review without a language model, from search to references."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.answering.support import SupportChecker
from assistant.embedding import Embedder
from assistant.errors import QuestionError
from assistant.results import Mode
from assistant.retrieval import PaperRetriever
from assistant.review.drafting import Draft, DraftSentence, Verifier
from assistant.review.extractive import Material, Part, open_questions, overview, section
from assistant.review.model import (
    Counts,
    MapPoint,
    Paragraph,
    Plan,
    Reference,
    Review,
    ReviewProgress,
    ReviewSentence,
    Theme,
    Verdicts,
)
from assistant.review.roles import read
from assistant.review.search import Found, find
from assistant.review.table import row
from assistant.review.themes import Cluster, Clustering, cluster, projected
from assistant.review.wording import counted, joined, name_of
from assistant.text import terms

__all__ = ["Prepared", "assembled", "checked_topic", "prepare", "write"]

MOST_TOPIC = 400
"""Characters of a topic that are read."""
_THIN = 3
_HOW = (
    "It is made without a language model: its sentences are the abstracts' own, chosen by rules "
    "and shortened, with their subject named; what it says of the papers was compared with their "
    "abstracts, sentence by sentence"
)

_REASONS = {"no abstract": "without an abstract", "dropped by hand": "by hand"}

OnProgress = Callable[[ReviewProgress], None]


@dataclass
class Prepared:
    """What is known before the first sentence: papers, what each says, themes."""

    topic: str
    found: Found
    held: int
    clustering: Clustering
    material: Material
    draft: Draft
    started: float
    notes: list[str]


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
    embedder: Embedder,
    *,
    papers: int,
    include: Sequence[int] = (),
    exclude: Sequence[int] = (),
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
    found = find(topic, retriever, wanted=papers, include=include, exclude=exclude)
    index = retriever.rank(topic, 1).index
    held = len(index)
    if papers > held:
        notes.append(f"{papers:,} papers were asked for, and the library holds {held:,}.")
    tell(ReviewProgress(step=f"reading {len(found.papers)} papers", done=1, total=4))
    readings = [read(used, found.topic_vector) for used in found.papers]
    clustering = cluster(found.papers, embedder, topic, [r.method for r in readings])
    verifier = Verifier(SupportChecker(embedder, index.idf), found.papers)
    material = Material(found.papers, readings, verifier)
    return Prepared(topic, found, held, clustering, material, Draft(verifier), started, notes)


def write(prepared: Prepared, on_progress: OnProgress | None = None) -> Review:
    """The review, without a language model."""
    tell = on_progress or (lambda _: None)
    if not prepared.found.papers:
        return _absent(prepared)
    clusters, material = prepared.clustering.clusters, prepared.material
    tell(ReviewProgress(step=f"writing {counted(len(clusters), 'theme')}", done=2, total=4))
    opens = open_questions(clusters, material)
    sections = [section(group, material) for group in clusters]
    opening = overview(clusters, material, prepared.topic)
    tell(ReviewProgress(step="checking every sentence", done=3, total=4))
    review = assembled(prepared, opening, sections, opens)
    tell(ReviewProgress(step="done", done=4, total=4))
    return review


def assembled(
    prepared: Prepared,
    opening: Sequence[DraftSentence],
    sections: Sequence[Sequence[Part]],
    opens: Sequence[DraftSentence],
    *,
    mode: Mode = "extractive",
    model: str | None = None,
    plan: Plan | None = None,
) -> Review:
    """The whole document: numbered, checked, with its table and references."""
    draft, found, clusters = prepared.draft, prepared.found, prepared.clustering.clusters
    scope = draft.all(_scope(prepared, mode, model))
    opened = draft.all(opening)
    themes = []
    for group, parts in zip(clusters, sections, strict=True):
        paragraphs = [
            Paragraph.model_validate({"kind": kind, "sentences": draft.all(said)})
            for kind, said in parts
        ]
        themes.append(Theme(name=group.name, terms=group.terms, paragraphs=paragraphs))
    questions = draft.all(opens)
    theme_of: dict[int, int] = {}
    for n, (group, theme) in enumerate(zip(clusters, themes, strict=True)):
        theme.papers = sorted(draft.numbers[m] for m in group.members)
        theme_of |= dict.fromkeys(group.members, n)
    numbered = draft.numbers.papers
    rows = [
        row(p, found.papers[p], prepared.material.readings[p], draft, themes[theme_of[p]].name)
        for p in numbered
    ]
    flat = projected(prepared.clustering.features)
    review = Review(
        topic=prepared.topic,
        title=f"Literature review: {prepared.topic}",
        status="thin" if len(found.papers) < _THIN else "written",
        mode=mode,
        model=model,
        scope=scope,
        overview=opened,
        themes=themes,
        table=rows,
        open_questions=questions,
        references=[
            Reference(
                number=n,
                paper=found.papers[p].paper,
                theme=themes[theme_of[p]].name,
                relevance=found.papers[p].relevance,
                by_hand=found.papers[p].by_hand,
            )
            for n, p in enumerate(numbered, 1)
        ],
        counts=_counts(prepared),
        searches=found.steps,
        left_out=found.left_out,
        map=[
            MapPoint(
                number=n,
                x=round(float(flat[p][0]), 4),
                y=round(float(flat[p][1]), 4),
                theme=theme_of[p],
            )
            for n, p in enumerate(numbered, 1)
        ],
        plan=_plan(prepared, plan),
        notes=list(prepared.notes),
        seconds=round(time.perf_counter() - prepared.started, 2),
    )
    review.verdicts = tally(review.sentences)
    return review


def tally(sentences: object) -> Verdicts:
    """Counts the verdicts of sentences."""
    verdicts = Verdicts()
    for sentence in sentences if hasattr(sentences, "__iter__") else ():
        if isinstance(sentence, ReviewSentence):
            name = "own" if sentence.support == "none" else sentence.support
            setattr(verdicts, name, getattr(verdicts, name) + 1)
    return verdicts


# ---------------------------------------------------------------------- the frame


def _counts(prepared: Prepared) -> Counts:
    found = prepared.found
    used = len(found.papers)
    return Counts(
        held=prepared.held,
        found=found.looked_at,
        relevant=found.relevant,
        used=used,
        left_out=max(0, found.looked_at - used),
    )


def _scope(prepared: Prepared, mode: Mode, model: str | None) -> list[DraftSentence]:
    """How the library was searched, and how many papers were found, read, used, left out."""
    found, used = prepared.found, len(prepared.found.papers)
    searches = counted(len(found.steps), "query", "queries")
    said = [
        f"Of the {prepared.held:,} papers of the library, {searches} on “{prepared.topic}” brought "
        f"{found.looked_at:,} to look at; {found.relevant:,} of them {_are(found.relevant)} about "
        f"the topic by the "
        f"estimate of their relevance, and this review rests on {used:,}"
    ]
    reasons: dict[str, int] = {}
    for paper in found.left_out:
        if paper.why != "too little about the topic":
            reasons[paper.why] = reasons.get(paper.why, 0) + 1
    if reasons:
        told = joined([f"{n} {_REASONS.get(why, why)}" for why, n in reasons.items()])
        said.append(f"Left out were {told}")
    by_hand = sum(p.by_hand for p in found.papers)
    if by_hand:
        said.append(f"{by_hand} of the papers {'was' if by_hand == 1 else 'were'} named by hand")
    if used < _THIN:
        said.append("That is little: the library hardly holds this topic, and the review is short")
    if not any(p.sentences for p in found.papers):
        said.append("None of them has an abstract, so that nothing can be said but their titles")
    said.append(_HOW if mode == "extractive" else _written_by(model))
    return [DraftSentence([(text, [])], own=True) for text in said]


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _written_by(model: str | None) -> str:
    return (
        f"It is written by the language model {model or 'of the settings'} from the abstracts; "
        "every sentence was compared with the abstracts that it cites, and what was not supported "
        "was rewritten once"
    )


def _plan(prepared: Prepared, plan: Plan | None) -> Plan:
    plan = plan or Plan()
    papers, material = prepared.found.papers, prepared.material
    plan.expansion = prepared.found.expansion
    plan.theme_counts = {str(k): v for k, v in prepared.clustering.scores.items()}
    for group in prepared.clustering.clusters:
        plan.name_candidates[group.name] = group.candidates
        plan.order[group.name] = [papers[m].paper.id for m in group.members]
    for used, reading in zip(papers, material.readings, strict=True):
        places = {
            role: getattr(reading, role) for role in ("problem", "method", "result", "limits")
        }
        plan.roles[used.paper.id] = {
            role: used.sentences[place] for role, place in places.items() if place is not None
        }
    return plan


def _absent(prepared: Prepared) -> Review:
    """The library holds nothing on the topic."""
    found = prepared.found
    text = (
        f"This library holds nothing on “{prepared.topic}”: of its {prepared.held:,} papers "
        f"{found.looked_at:,} were looked at, and none is about it"
    )
    if found.relevant and any(paper.why == "no abstract" for paper in found.left_out):
        text = (
            f"The library holds {counted(found.relevant)} that may be about “{prepared.topic}”, "
            f"and "
            "none of them has an abstract: there is nothing to review"
        )
    said = [text]
    if found.nearest:
        said.append(f"Its nearest papers are {joined([f'“{t}”' for t in _short(found.nearest)])}")
    review = Review(
        topic=prepared.topic,
        title=f"Literature review: {prepared.topic}",
        status="absent",
        scope=[ReviewSentence(text=f"{s}.") for s in said],
        counts=_counts(prepared),
        searches=found.steps,
        left_out=found.left_out,
        notes=list(prepared.notes),
        seconds=round(time.perf_counter() - prepared.started, 2),
    )
    review.verdicts = tally(review.sentences)
    return review


def _short(titles: Sequence[str]) -> list[str]:
    return [t if len(t) <= 120 else f"{t[:117].rstrip()}…" for t in titles]


def names(prepared: Prepared, group: Cluster) -> list[str]:
    """What the text calls the papers of a theme."""
    return [name_of(prepared.found.papers[m].paper) for m in group.members]
