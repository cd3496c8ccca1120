"""Filters that a question itself names: "since 2022", "in 2023", "by Brandt".

Only what is said in so many words, and only where the records can tell: an author must be one of
the library's. What was understood is said beside the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from assistant.filters import Filters
from assistant.text import terms

__all__ = ["NOBODY", "Asked", "asked_filters", "names_no_topic"]

_YEAR = r"(?:19|20)\d\d"
_PERIOD = re.compile(
    rf"""\b(?P<said>(?:(?:that|which)\s)?(?:(?:are|is|were|was|have\sbeen|has\sbeen)\s)?
        (?:published|written|dated|appeared|appearing|appear)\s)?
      (?:(?:from\s)?(?P<how>since|starting\s(?:in|from|with)|from|between|in|of|for|during|after|before|until
        |till|up\sto|through|prior\sto|(?:later|newer|more\srecent|earlier|older)\sthan
        |no\s(?:later|earlier)\sthan)\s)?
      (?:the\s)?(?:years?\s)?(?P<year>{_YEAR})(?:(?P<decade>['’]?s)
       |(?:\s?[-–—]\s?|\s(?:to|until|till|through|thru|up\sto)\s)
         (?:(?P<last>{_YEAR})|(?P<now>now|today|date|(?:the\s)?present))
       |(?P<others>(?:(?:,?\s(?:and|or)|,)\s{_YEAR})+)
       |,?\s(?:and|or)\s(?:(?P<later>later|newer|since|after(?:wards?)?)|(?P<older>earlier|before|older))
       |,?\s(?P<on>onwards?|forwards?|on(?=\W*$|,|\s(?:about|on|that|which|is|are|there)\b))
      )?(?![\w%]|[.,]\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_BY = re.compile(
    r"\b(?P<how>by|did|does|has|from) (?P<who>(?:[A-ZÀ-Þ][\w'’-]+)(?: [A-ZÀ-Þ][\w'’-]+){0,2})"
)
_OF_RECORDS = re.compile(
    r"^\W*(?:how many|(?:the )?number of|count)\b|\b(?:publish|writ|wrote|author)\w*", re.IGNORECASE
)
"""What is asked of the records, where the author is named with it."""


_PAPERS = re.compile(
    r"\b(?:papers?|preprints?|studies|articles?|works?|publications?|publish(?:ed)?|literature"
    r"|library|collection|topics?|themes?|authors?|journals?)\b",
    re.IGNORECASE,
)
"""A period is of publication where the question speaks of papers; else it may be of the matter."""
_OF_PAPERS = re.compile(rf"{_PAPERS.pattern}(?:\s(?:are|is|were|there|here))*\s*$", re.IGNORECASE)
_NO_TOPIC = frozenset(
    terms(
        "paper preprint work abstract article publication document study entry record literature"
        " library collection corpus database archive list find show name many count number total"
        " year publish published written wrote appear appeared exist available dated"
        " anything everything"
    )
)
"""Stems that name papers and where they are, and no topic of theirs."""


NOBODY = frozenset("people anyone anybody someone researchers scientists authors they".split())
"""Who is by no name an author, nor a topic: "what did people publish"."""
_SOMEBODY = re.compile(rf"\b(?:did|have|has) (?:{'|'.join(sorted(NOBODY))})\b", re.IGNORECASE)
_ASKS_WHAT = re.compile(r"\W*(?:what|which|anything|everything|how many|list|show)\b", re.I)
"""How a question for papers begins that does not name them: "what is there from 2008"."""
_SINCE = {"since", "starting in", "starting from", "starting with", "no earlier than"}
_UNTIL = {"until", "till", "up to", "through", "no later than"}
_AFTER = {"after", "later than", "newer than", "more recent than"}
_BEFORE = {"before", "prior to", "earlier than", "older than"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question without the period that it names, the filters that it names, and what to say."""

    text: str
    filters: Filters | None = None
    note: str = ""


def asked_filters(
    question: str, years: Callable[[], Collection[int]], authors: Callable[[str], list[str]]
) -> Asked:
    """What ``question`` says about which papers are meant.

    A period in which the library has no paper is one of the matter ("the crash of 1929"), unless
    nothing else is asked.

    Args:
        question: as it was asked.
        years: those of which the library has papers.
        authors: the library's authors whose names hold a text as a part.
    """
    filters, text, note = Filters(), question, ""
    found = _period(question)
    if found and not _PAPERS.search(question):
        rest = question.replace(found[0], " ", 1)
        found = found if _ASKS_WHAT.match(rest) and names_no_topic(rest) else None
    if found:
        said, filters = found
        held, text = years(), " ".join(question.replace(said, " ", 1).split())
        alone = names_no_topic(text)
        if not held and not alone:
            filters = Filters()
            note = (
                f"No paper of this library has a year, so “{said}” could not be heeded; "
                "'assistant enrich' looks years up."
            )
        elif not alone and not any(filters.holds(year) for year in held):
            note = f"No paper here is {filters}, so “{said}” is taken for a part of the matter."
            filters, text = Filters(), question
    for by in _BY.finditer(question):
        who = by["who"]
        named: tuple[str, ...] = (who,) if any(_is_name(who, name) for name in authors(who)) else ()
        if not named and " " in who:  # "Ada Lovelace" is "Ada K. Lovelace", too
            named = tuple(name for name in authors(who.split()[-1]) if _is_name(who, name))
        if named:
            filters = filters.model_copy(update={"author": named})
            text = _without(text, by)
            break
    if not filters:
        return Asked(text, None, note)
    return Asked(text, filters, note or f"Only papers {filters}, as the question says.")


def _without(question: str, by: re.Match[str]) -> str:
    """``question`` without the author that it names, who stands in no abstract; as it is where
    nothing else is asked, or it is asked of the records.
    """
    before, after = question.partition(by.group())[::2]
    doing = "" if by["how"] in ("by", "from") else f"{by['how']} we"
    rest = " ".join(f"{before} {doing} {after}".split())
    told = _OF_RECORDS.search(question) or re.match(r"\W*(?:on|about)\b", after)
    return question if told or names_no_topic(rest) or by.group() not in question else rest


def names_no_topic(question: str, besides: Collection[str] = ()) -> bool:
    """Whether ``question`` speaks of nothing but papers, and of stems that are in ``besides``."""
    bare = _SOMEBODY.sub(" ", question)
    return all(term in _NO_TOPIC or term in besides for term in terms(bare))


def _period(question: str) -> tuple[str, Filters] | None:
    """What of ``question`` says when papers were published, and what it means."""
    for found in _PERIOD.finditer(question):
        how = " ".join((found["how"] or "").lower().split())
        before, after = question[: found.start()], question[found.end() :]
        of_papers = bool(found["said"] or _OF_PAPERS.search(before))
        if not how and not (found["said"] or _PAPERS.match(after.lstrip())):
            continue  # "the 2008 papers" says it, "a 2008 crisis" does not
        if how in ("of", "for", "during") and not of_papers:
            continue  # "the crisis of 2008"
        return found.group().strip(), _meant(how, found)
    return None


def _meant(how: str, found: re.Match[str]) -> Filters:
    year = int(found["year"])
    if found["decade"] and year % 10 == 0:
        first, last = year, year + 9
    else:
        others = re.findall(_YEAR, f"{found['others'] or ''}{found['last'] or ''}")
        every = sorted({year, *map(int, others)})
        if found["others"] and how != "between":
            return Filters(years=tuple(every))
        first, last = every[0], every[-1]
    if found["now"] or found["later"] or found["on"] or how in _SINCE:
        return Filters(first_year=first)
    if found["older"] or how in _UNTIL:
        return Filters(last_year=last)
    if how in _AFTER:
        return Filters(first_year=last + 1)
    return (
        Filters(last_year=first - 1)
        if how in _BEFORE
        else Filters(first_year=first, last_year=last)
    )


def _is_name(wanted: str, author: str) -> bool:
    """Whether ``wanted`` is whole words of ``author``: "Li" is no part of "Lindholm"."""
    words = re.findall(r"[^\W_]+", author.casefold())
    return all(word in words for word in re.findall(r"[^\W_]+", wanted.casefold()))
