"""What may be asked: questions that the library surely holds an answer to.

They are made of phrases that several papers share in their titles and abstracts, and those that
lead on from an answer are tried, by extraction, before they are shown.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from assistant.assistant import Assistant
from assistant.filters import Filters
from assistant.paper import Paper
from assistant.results import Answer
from assistant.text import terms
from assistant.themes import phrase, runs_of

__all__ = ["follow_ups", "questions_about"]

_SHOWN_TITLE = 110
"""Characters of a title that is short enough to be asked about."""
_MOST = 3
_TRIED = 5
"""Questions that are tried for an answer, at the most."""
_READ = 400
"""Titles that the first questions are made of."""
_LONGEST = 4
"""Words of a phrase."""
_TRIED_PHRASES = 30
"""Phrases that titles share of which the first questions are chosen."""
_SHARE = 0.02
"""Share of the abstracts that write what is asked about at the beginning."""
_SMALL = re.compile(r"[^A-Z]|.+[A-Z\d]")
"""A word in small letters, or one that is always written with others ("LLM")."""
_WHICH, _KNOWN = "Which papers are about {}?", "What is known about {}?"
_OFFERED = re.compile(r"\(ask: papers on ([^()]+)\)")
"""How an answer says that there is more."""
_LIMITS = "What are the limits of {}?"


def questions_about(assistant: Assistant) -> list[str]:
    """Three questions to begin with: what many titles share, and a paper of its own."""
    every = max(1, len(assistant.library) // _READ)
    papers = list(islice(assistant.library.papers(), 0, None, every))
    heads = [paper.title.partition(":")[0] for paper in papers]  # what follows says how
    shared = _subjects(_shared(heads, set(), assistant)[:_TRIED_PHRASES], papers)
    found = [form.format(one) for form, one in zip((_WHICH, _KNOWN), shared, strict=False)]
    middle = len(papers) // 2
    titles = dict.fromkeys(_about(*papers[middle:], *papers[:middle]))
    return [*found, *islice(titles, _MOST - len(found))]


def follow_ups(
    assistant: Assistant,
    answer: Answer,
    filters: Filters | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> list[str]:
    """Questions that lead on from ``answer`` and that the library answers, by its own verdict.

    Args:
        assistant: of the library; a language model is not asked.
        answer: with its passages.
        filters: the papers that were asked.
        wanted: whether there still is time for it; asked before each is tried.
    """
    settings = assistant.settings
    if settings.llm:
        assistant = assistant.derived(settings.model_copy(update={"llm": None}))
    found: list[str] = []
    once = {tuple(terms(question)): question for question in _candidates(assistant, answer)}
    for question in islice(once.values(), _TRIED):
        if len(found) == _MOST or not wanted():
            break
        tried = assistant.ask(question, filters=filters)
        if tried.status == "answered" and tried.citations:
            found.append(question)
    return found


def _candidates(assistant: Assistant, answer: Answer) -> Iterator[str]:
    """What could be asked on: of the phrases that the papers read share, then of one paper."""
    cited = assistant.library.get([citation.paper_id for citation in answer.citations])
    known = {paper.id for paper in cited}
    near = assistant.library.get([p.paper_id for p in answer.passages if p.paper_id not in known])
    asked = set(terms(f"{answer.question} {answer.standalone_question}"))
    texts = [paper.text for paper in (*cited, *near)]
    titles = " . ".join(paper.title for paper in (*cited, *near)).casefold()
    shared = [one for one in _shared(texts, asked, assistant) if one.casefold() in titles]
    yield from map(_WHICH.format, _OFFERED.findall(answer.answer))
    forms = (_KNOWN, _WHICH, _LIMITS)
    yield from (form.format(one) for form, one in zip(forms, shared, strict=False))
    named = [paper for paper in near if _name(paper)][: _MOST - 1]
    yield from (_KNOWN.format(_name(paper)) for paper in named)
    yield from _about(*(paper for paper in (*near, *cited[1:]) if paper not in named))


def _name(paper: Paper) -> str:
    """What a paper names itself at the head of its title; empty where it does not."""
    name, colon, _ = paper.title.partition(":")
    return name if colon and len(name.split()) < _LONGEST else ""


def _shared(texts: Sequence[str], asked: set[str], assistant: Assistant) -> list[str]:
    """Phrases that stand by themselves in more than one text, the most telling first."""
    idf = assistant.library.statistics.idf
    counts: Counter[tuple[str, ...]] = Counter()
    forms: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for text in texts:
        found = dict(phrase(run) for run, _ in runs_of(text) if 1 < len(run) <= _LONGEST)
        counts.update(found.keys())
        for key, form in found.items():
            forms[key][form] += 1
    scored = sorted(
        (-count * sum(map(idf, key)) / len(key), key)
        for key, count in counts.items()
        if count > 1 and key and not set(key) <= asked
    )
    chosen: list[tuple[str, ...]] = []
    for _, key in scored:
        if not any(set(key) & set(other) for other in chosen):
            chosen.append(key)
    return [forms[key].most_common(1)[0][0] for key in chosen]


def _subjects(phrases: Sequence[str], papers: Sequence[Paper]) -> list[str]:
    """Those of ``phrases`` that many abstracts write, not all, and in small letters: the name of
    a place or a species is not.
    """
    texts = [paper.abstract for paper in papers if paper.abstract]
    if not texts:
        return list(phrases)
    chosen = []
    for one in phrases:
        written = re.compile(rf"\b{re.escape(one)}", re.IGNORECASE)
        found = [match.group() for text in texts if (match := written.search(text))]
        small = sum(all(map(_SMALL.match, text.split())) for text in found)
        if _SHARE * len(texts) <= len(found) <= len(texts) / 2 and 2 * small > len(found):
            chosen.append(one)
    return chosen


def _about(*papers: Paper) -> Iterator[str]:
    for paper in papers:
        if 0 < len(paper.title) <= _SHOWN_TITLE:
            yield f"What does “{paper.title.rstrip('.')}” find?"
