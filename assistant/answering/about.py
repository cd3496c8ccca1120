"""What a question asks of the library itself, told exactly from its records.

How many papers, on which topics, the newest, by whom, of which years, from where, the list of
them, one abstract. What the records do not hold (no dates, no authors) is said, with the command
that would fetch it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assistant.answering.authors import one_name
from assistant.answering.draft import Draft
from assistant.answering.forms import polite
from assistant.asked_filters import NOBODY, names_no_topic
from assistant.errors import PaperNotFound
from assistant.filters import Filters
from assistant.library import Library
from assistant.paper import Paper
from assistant.text import STOP_WORDS, terms, words

__all__ = ["AboutLibrary", "tell_by_year", "tell_record"]

_PAPERS = (
    r"(?:papers?|works?|abstracts?|articles?|publications?|documents?|studies|entries|records)"
)
_LIBRARY = r"(?:library|collection|corpus|database|data ?base|archive|set|knowledge base)"
_HERE = (
    rf"(?:\s+(?:(?:are\s+)?(?:there\s+)?(?:in|from|of)\s+(?:the|this|my|your|our)\s+{_LIBRARY}"
    r"|do\s+you\s+(?:have|hold|know)|you\s+have|are\s+(?:there|here)|(?:in\s+)?here|there))?"
)
_LEAD = (
    r"(?:(?:please|can you|could you|tell me|show me|give me|i want to see|i'd like to see)\s+)*"
)
_MANY = 10
_TOPICS = 10
_FETCH = "'assistant enrich' looks up what is missing"

_TOPICS_ASKED = re.compile(
    rf"""{_LEAD}(?:
      (?:what|which)\s+(?:are\s+)?(?:the\s+)?(?:\w+\s+){{0,2}}
        (?:topics?|subjects?|areas?|themes?|fields?|domains?|questions)\b.*
     |what\s+(?:is|are|'s)\s+(?:in\s+)?(?:the|this|my|your|these)\s+(?:{_LIBRARY}|{_PAPERS})
        (?:\s+(?:all\s+)?(?:about|on|cover|contain))?
     |what\s+do(?:es)?\s+(?:the|this|my|your|these)\s+(?:{_LIBRARY}|{_PAPERS})\s+
        (?:contain|cover|hold|have|deal\s+with|talk\s+about|treat|include)
     |what\s+(?:do|can)\s+you\s+(?:know|tell\s+me|have)(?:\s+about)?
     |(?:an?\s+)?(?:overview|summary|description)\s+of\s+(?:the|this|my|your)\s+{_LIBRARY}
     |(?:summari[sz]e|describe)\s+(?:the|this|my|your)\s+{_LIBRARY}
     |what\s+kinds?\s+of\s+{_PAPERS}\s+.*
     |(?:the\s+)?(?:\w+\s+)?(?:topics|subjects|themes)\b.*
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_COUNT = re.compile(
    rf"""{_LEAD}(?:
      how\s+(?:many|much)\s+(?:of\s+the\s+)?{_PAPERS}{_HERE}
     |how\s+(?:big|large)\s+is\s+(?:the|this|your|my)\s+{_LIBRARY}
     |(?:what\s+is\s+the\s+)?(?:number|count|size)\s+of\s+(?:all\s+)?(?:the\s+)?
        (?:{_PAPERS}|{_LIBRARY}){_HERE}
     |(?:the\s+)?size\s+of\s+(?:the|this)\s+{_LIBRARY}
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_COUNT_TOPIC = re.compile(
    rf"""{_LEAD}(?:how\s+many|(?:what\s+is\s+the\s+)?number\s+of)\s+(?:of\s+(?:the|these|your)\s+)?
      {_PAPERS}\s+(?:(?:are\s+)?(?:there\s+)?(?:in|of)\s+(?:the|this|your)\s+{_LIBRARY}\s+)?
      (?:are\s+there\s+|do\s+you\s+have\s+|exist\s+|here\s+)?
      (?:(?:that|which)\s+)?(?:are\s+)?
      (?:about|on|deal(?:s|ing)?\s+with|discuss(?:es)?|mention(?:s|ing)?|treat|cover(?:ing)?|address
        |talk\s+about|stud(?:y|ied)|consider|use|concern(?:ed\s+with)?|relate(?:d)?\s+to)\s+
      (?P<topic>.+?){_HERE}""",
    re.IGNORECASE | re.VERBOSE,
)
_HOW_MANY = re.compile(
    rf"{_LEAD}(?:how\s+many|how\s+much|(?:what\s+is\s+)?(?:the\s+)?(?:number|count))\b", re.I
)
_NEGATED = re.compile(r"\b(?:no|not|without)\b|n['’]t\b", re.IGNORECASE)
_NEWEST = re.compile(
    rf"""{_LEAD}(?:(?:what|which)\s+(?:is|are)\s+)?(?:list\s+)?(?:the\s+)?
      (?:\d+\s+)?(?P<which>most\s+recent|newest|latest|recent|oldest|earliest|last|first)\s+(?:\d+\s+)?
      (?:published\s+)?(?:{_PAPERS}|ones?|things?|(?=(?:on|about)\s))
      (?:\s*\b(?:on|about)\s+(?P<topic>.+?))?{_HERE}
     |{_LEAD}(?:which|what)\s+(?:{_PAPERS})\s+(?:is|are)\s+(?:the\s+)?
      (?P<which2>most\s+recent|newest|latest|oldest|earliest){_HERE}
     |{_LEAD}what\s+is\s+(?:new|the\s+newest)(?:\s+here)?""",
    re.IGNORECASE | re.VERBOSE,
)
_BY = re.compile(
    rf"""{_LEAD}(?:
      (?:(?:which|what|list|show|find|all|any|how\s+many|are\s+there|is\s+there|do\s+you\s+have)\s+)*
        (?:me\s+)?(?:all\s+|any\s+|some\s+|the\s+|a\s+)*{_PAPERS}\s+
        (?:(?:are|is|were|was|have\s+been|that\s+are)\s+)?(?:written\s+|authored\s+|published\s+)?
        (?:by|from\s+the\s+author)\s+(?P<by>.+?)
     |what\s+(?:has|have|did|does)\s+(?P<what>.+?)\s+(?:written|write|published|publish|authored)
     |(?:did|has|have)\s+(?P<did>.+?)\s+(?:write|written|publish|published|authored?)\b.*
     |(?:which|what)\s+(?:of\s+(?:the|these)\s+)?(?:{_PAPERS}\s+)?(?:are|is)\s+by\s+(?P<are>.+?)
    ){_HERE}""",
    re.IGNORECASE | re.VERBOSE,
)
_WROTE = re.compile(
    rf"""{_LEAD}(?:
      who\s+(?:wrote|authored|published|are\s+the\s+authors?\s+of|is\s+the\s+author\s+of)\s+
        (?:the\s+papers?\s+(?:on\s+|about\s+|called\s+)?)?(?P<title>.+)
     |(?:the\s+)?authors?\s+of\s+(?:the\s+papers?\s+(?:on\s+|about\s+|called\s+)?)?(?P<of>.+)
     |who\s+is\s+(?P<by>.+?)\s+by
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_ON_TOPIC = re.compile(rf"\b{_PAPERS} (?:on|about)\s", re.IGNORECASE)
_MEANT = 4
"""Papers on a topic that may be meant where "the paper on" it is asked for."""
_AUTHORS = re.compile(
    rf"""{_LEAD}(?:
      (?:who|which\s+authors?|what\s+authors?)\s+(?:are|is|has|have|wrote|appear|published)\b.*
        \b(?:authors?|most\s+papers?|most\s+often|most\s+frequent\w*|library|most)\b.*?
        (?:\s(?:on|about)\s(?P<topic>(?!this\b|here\b).+))?
     |(?:who\s+are\s+|list\s+)?(?:the\s+)?(?:main\s+|most\s+frequent\s+|all\s+)?authors
        (?:\s+(?:in|of)\s+.*)?
     |which\s+authors(?:\s+are\s+there)?{_HERE}
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_YEARS = re.compile(
    rf"""{_LEAD}(?:
      (?:from\s+)?(?:which|what)\s+(?:years?|dates?|period|time\s+span|time)\b.*
     |how\s+(?:old|recent|new|up[ -]to[ -]date)\s+(?:is|are)\s+(?:the|these|your|this)\s+
        (?:{_PAPERS}|{_LIBRARY})
     |when\s+(?:were|was)\s+(?:the|these|your)\s+(?:{_PAPERS})\s+(?:published|written)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_VENUES = re.compile(
    rf"""{_LEAD}(?:(?:which|what)\s+(?:journals?|venues?|conferences?)\b.*
      |(?:from\s+)?where\s+(?:were|are|do)\s+(?:the|these)\s+{_PAPERS}\s+(?:published|from|come.*))""",
    re.IGNORECASE | re.VERBOSE,
)
_LACKING = re.compile(
    rf"""{_LEAD}(?:(?P<many>how\s+many|(?:what\s+is\s+the\s+)?number\s+of)
        |(?:(?:which|what|list|show|find|are\s+there|all|any|me)\s+)+)\s*(?:of\s+)?(?:the\s+)?{_PAPERS}\s+
      (?:here\s+|there\s+|in\s+(?:the|this|my)\s+{_LIBRARY}\s+)?(?:(?:that|which)\s+)?
      (?:are\s+|do\s+|come\s+)?(?:(?P<held>have|has|with|hold)\s+(?!no\b)
        |(?:have\s+no|has\s+no|with\s+no|with\s*out|not\s+have|don['’]?t\s+have|lack(?:ing)?|(?:are\s+)?missing|miss)\s+)
      (?:an?\s+|any\s+|the\s+|their\s+|stored\s+|known\s+)*(?:publication\s+)?
      (?P<field>abstract|title|author|year|date|doi|journal|venue|link|url|keyword|tag)s?{_HERE}""",
    re.IGNORECASE | re.VERBOSE,
)
_FIELDS = {
    "author": "authors",
    "date": "year",
    "journal": "venue",
    "url": "link",
    "keyword": "tags",
    "tag": "tags",
}
_ALL = re.compile(
    rf"""{_LEAD}(?:(?:list|show|name|give|print|display)\s+(?:me\s+)?(?:all\s+)?(?:of\s+)?
      (?:the\s+|your\s+|my\s+)?(?:all\s+)?(?:{_PAPERS}|titles?|everything){_HERE}
     |(?:what|which)\s+(?:{_PAPERS})\s+(?:are\s+(?:there|here|in\s+.*)|do\s+you\s+have.*|exist)
     |(?:the\s+)?(?:list|titles)\s+of\s+(?:all\s+)?(?:the\s+)?{_PAPERS}{_HERE})""",
    re.IGNORECASE | re.VERBOSE,
)
_ABSTRACT = re.compile(
    rf"""{_LEAD}(?:(?:show|give|read|print|display|what\s+is|see|open|quote)\s+)*(?:me\s+)?
      (?:the\s+)?(?:full\s+|whole\s+|complete\s+)?(?:abstract|text)\s+(?:of|for)\s+
      (?:the\s+paper\s+)?(?P<title>.+)""",
    re.IGNORECASE | re.VERBOSE,
)
_WHEN = re.compile(
    rf"""{_LEAD}(?:when\s+(?:was|were)|(?:in\s+)?(?:what|which)\s+year\s+(?:was|is))\s+
      (?:the\s+paper\s+)?(?P<title>.+?)\s+(?:published|written|released|from)""",
    re.IGNORECASE | re.VERBOSE,
)

_OF_RECORDS = frozenset(
    terms(
        "topic subject area theme field domain question kind main major frequent often common"
        " cover contain treat deal include talk discuss hold know summarize summarise describe"
        " overview summary description author journal venue conference period time span old new"
        " recent latest come"
    )
)
"""Stems of what the records tell, with which a question may end without naming a topic."""

Finder = Callable[[str], Sequence[Paper]]


@dataclass(frozen=True, slots=True)
class AboutLibrary:
    """Answers what is asked of ``library`` itself.

    ``find``: the papers on a topic, best first, for "how many are about …". ``rarity``: how
    rare a word is in English, in [0, 1], by which a common one is no topic. ``filters``: only
    these papers are counted and told.
    """

    library: Library
    find: Finder
    rarity: Callable[[str], float]
    filters: Filters | None = None

    def answer(self, question: str, draft: Draft) -> bool:
        """Writes the answer into ``draft``; False where the question is of another kind."""
        bare = polite(" ".join(question.split())).strip(" .?!,")
        for pattern, reply in self._replies():
            found = pattern.fullmatch(bare)
            if found:
                given = next((g for g in found.groupdict().values() if g), "")
                if reply(draft, given.strip(" “”\"'"), found):
                    return True
        return (
            bool(self.filters)
            and names_no_topic(bare, self._named())
            and self._filtered(draft, bare)
        )

    def _named(self) -> set[str]:
        """Stems of the authors that the filters name, which are no topic."""
        return set(terms(" ".join(self.filters.author))) if self.filters else set()

    def _is_of_records(self, question: str) -> bool:
        """Whether the records tell all that ``question`` speaks of."""
        return names_no_topic(question, _OF_RECORDS | self._named())

    def _held(self) -> list[Paper]:
        """The papers that are asked of."""
        wanted = self.filters
        return [paper for paper in self.library.papers() if not wanted or wanted.fits(paper)]

    def _total(self, n: int) -> str:
        """How many papers are asked of, ``n``, as the head of a sentence."""
        if not self.filters:
            return f"The library holds {_papers(n)}"
        return f"{n:,} of the {_papers(len(self.library))} here {_are(n)} {self.filters}"

    def _filtered(self, draft: Draft, bare: str) -> bool:
        """Those that fit the filters, where nothing else is asked: how many, or which."""
        found = self._held()
        by_year = bool(self.filters and self.filters.by_year)
        undated = sum(not paper.year for paper in self.library.papers()) if by_year else 0
        if undated and undated == len(self.library):
            draft.say(f"No publication dates are stored in this library; {_FETCH}.")
            return True
        draft.say(f"{self._total(len(found))}.")
        if not _HOW_MANY.match(bare):
            _name(draft, found)
        _undated(draft, undated)
        return True

    def _replies(
        self,
    ) -> Iterator[tuple[re.Pattern[str], Callable[[Draft, str, re.Match[str]], bool]]]:
        yield _COUNT, self._count
        yield _COUNT_TOPIC, self._count_topic
        yield _NEWEST, self._newest
        yield _LACKING, self._lacking
        yield _ABSTRACT, self._abstract
        yield _WHEN, self._when
        yield _WROTE, self._wrote
        yield _AUTHORS, self._authors
        yield _VENUES, self._venues
        yield _BY, self._by
        yield _YEARS, self._years
        yield _TOPICS_ASKED, self._topics
        yield _ALL, self._all

    # ------------------------------------------------------------------ replies

    def _count(self, draft: Draft, _: str, found: re.Match[str]) -> bool:
        if self.filters:
            return self._filtered(draft, found.group())
        draft.say(f"{self._total(len(self.library))}.")
        return True

    def _lacking(self, draft: Draft, _: str, found: re.Match[str]) -> bool:
        asked, held = found["field"].lower(), self._held()
        field = _FIELDS.get(asked, asked)
        some = [paper for paper in held if bool(getattr(paper, field)) == bool(found["held"])]
        has = "has" if len(some) == 1 else "have"
        article = "" if field in {"authors", "tags"} else "an " if asked[0] in "au" else "a "
        what = (
            f"{article if found['held'] else 'no '}{asked + 's' * (field in {'authors', 'tags'})}"
        )
        draft.say(f"{len(some):,} of {_papers(len(held))} here {has} {what}.")
        if not found["many"]:
            _name(draft, some)
        return True

    def _count_topic(self, draft: Draft, topic: str, _: re.Match[str]) -> bool:
        stems = list(dict.fromkeys(terms(topic)))
        if not stems:
            return False
        on = list(self.find(topic))
        statistics = self.library.statistics
        if not on:
            draft.say(f"No paper here is about “{topic}”.")
        else:
            draft.say(f"{_papers(len(on))} here {_are(len(on))} about “{topic}”.")
        if len(stems) == 1 and not self.filters:
            held = statistics.document_frequency(stems[0])
            draft.say(f"{_papers(held)} of {len(self.library):,} mention the word.")
        _name(draft, on)
        return True

    def _newest(self, draft: Draft, given: str, found: re.Match[str]) -> bool:
        groups = found.groupdict()
        topic = groups.get("topic") or ""
        which = (groups.get("which") or groups.get("which2") or "newest").lower()
        papers = list(self.find(topic)) if topic else self._held()
        del given
        if topic and not papers:
            draft.say(f"No paper here is about “{topic}”.")
            return True
        oldest = which in {"oldest", "earliest", "first"}
        head = f"The {'oldest' if oldest else 'newest'} papers here, by year:"
        if not _by_year(papers, draft, head, oldest=oldest, most=_MANY):
            draft.say(f"No publication dates are stored in this library; {_FETCH}.")
        return True

    def _years(self, draft: Draft, _: str, found: re.Match[str]) -> bool:
        if not self._is_of_records(found.group()):
            return False
        held = self._held()
        years = Counter(paper.year for paper in held if paper.year)
        if not years:
            draft.say(f"No publication dates are stored in this library; {_FETCH}.")
            return True
        draft.say(f"The papers here are of {min(years)} to {max(years)}.")
        most = ", ".join(f"{year} ({n})" for year, n in years.most_common(5))
        draft.say(f"Most are of {most}.")
        _undated(draft, len(held) - sum(years.values()))
        return True

    def _by(self, draft: Draft, name: str, _: re.Match[str]) -> bool:
        if not name or len(name.split()) > 5 or set(words(name)) <= STOP_WORDS | NOBODY:
            return False
        papers = self._held()
        known = [paper for paper in papers if paper.authors]
        if not known:
            draft.say(
                f"No authors are stored in this library, so papers by {name} cannot be told; "
                f"{_FETCH}."
            )
            return True
        by = _written_by(name, known)
        author, on, topic = name.partition(" on " if " on " in name else " about ")
        if not by and topic and (theirs := _written_by(author, known)):
            by = _holding(topic, theirs)
            if not by:
                draft.say(
                    f"{_papers(len(theirs))} here {_are(len(theirs))} by {author}, none{on}{topic}."
                )
                _name(draft, theirs)
                return True
            if not terms(topic):  # "by Brandt on it"
                name = author
        if not by and _goes_on(name, known):
            return False  # "by Brandt discuss pruning": what is asked is not who
        draft.say(
            f"{_papers(len(by))} here {_are(len(by))} by {name}."
            if by
            else f"No paper here is by {name}."
        )
        _name(draft, by)
        if len(known) < len(papers):
            missing = len(papers) - len(known)
            draft.say(f"Of {_papers(missing)} the authors are not stored; {_FETCH}.")
        return True

    def _wrote(self, draft: Draft, title: str, found: re.Match[str]) -> bool:
        paper = self._paper(title)
        of = [paper] if paper else []
        if not of and (on := _ON_TOPIC.search(found.group())):
            topic = found.group()[on.end() :]
            of = _holding(topic, self.find(topic)) if terms(topic) else []
        if not 0 < len(of) <= _MEANT:
            return False
        for one in of:
            tell_record(one, ["authors"], draft)
        return True

    def _when(self, draft: Draft, title: str, _: re.Match[str]) -> bool:
        paper = self._paper(title)
        if paper is None:
            return False
        tell_record(paper, ["year"], draft)
        return True

    def _authors(self, draft: Draft, topic: str, found: re.Match[str]) -> bool:
        if not self._is_of_records(found.group().removesuffix(topic)):
            return False
        papers = list(self.find(topic)) if topic else self._held()
        person = one_name(name for paper in papers for name in paper.authors)
        counts = Counter(
            a for p in papers for a in dict.fromkeys(person[name] for name in p.authors)
        )
        if not counts:
            draft.say(f"No authors are stored in this library; {_FETCH}.")
            return True
        most = ", ".join(f"{name} ({n})" for name, n in counts.most_common(_MANY))
        many = f"{len(counts):,} author{'s' * (len(counts) != 1)}"
        draft.say(f"{many}; with most papers here: {most}.")
        if len(counts) < len(person):
            draft.say(
                "Names that differ in initials only are counted as one, where no other full name "
                f"here fits them ({len(person):,} spellings in all)."
            )
        return True

    def _venues(self, draft: Draft, _: str, found: re.Match[str]) -> bool:
        if not self._is_of_records(found.group()):
            return False
        counts = Counter(paper.venue for paper in self._held() if paper.venue)
        if not counts:
            draft.say(f"No journals or venues are stored in this library; {_FETCH}.")
            return True
        most = ", ".join(f"{name} ({n})" for name, n in counts.most_common(_MANY))
        draft.say(f"Most papers here are from {most}.")
        return True

    def _topics(self, draft: Draft, _: str, found: re.Match[str]) -> bool:
        if not self._is_of_records(found.group()):
            return False
        held = self._held()
        phrases = _phrases([paper.title for paper in held if paper.title], self.rarity)
        if not phrases:
            draft.say(f"{self._total(len(held))}; they share no words of their titles.")
            return True
        told = ", ".join(f"{phrase} ({n})" for phrase, n in phrases)
        draft.say(
            f"{self._total(len(held))}. What their titles speak of most, "
            f"with the number of titles: {told}."
        )
        draft.say("Ask “papers on …” for those on one topic, or “list all papers”.")
        return True

    def _all(self, draft: Draft, _: str, found: re.Match[str]) -> bool:
        if not self._is_of_records(found.group()):
            return False
        held = self._held()
        total, head = len(held), self._total(len(held))
        draft.say(f"{head}:" if total <= 2 * _MANY else f"{head}; the first {2 * _MANY}:")
        for paper in held[: 2 * _MANY]:
            _line(draft, paper)
        if total > 2 * _MANY:
            draft.say(f"{total - 2 * _MANY:,} more: 'assistant papers list' lists all.")
        return True

    def _abstract(self, draft: Draft, title: str, _: re.Match[str]) -> bool:
        paper = self._paper(title)
        if paper is None:
            draft.say(f"No paper here is called “{title}”.")
            near = list(self.find(title))[:3]
            if near:
                draft.say("The nearest titles:")
                for other in near:
                    _line(draft, other)
            return True
        if paper.abstract:
            draft.whole(paper)
        else:
            _line(draft, paper, f": its abstract is not stored; {_FETCH}.")
        return True

    def _paper(self, title: str) -> Paper | None:
        """The paper that is called so, wholly or by the name before the colon of its title."""
        try:
            return self.library.paper(title)
        except PaperNotFound:
            pass
        wanted = words(title)
        for paper in self.find(title):
            head = paper.label.partition(":")[0]
            if wanted in (words(head), words(paper.label)):
                return paper
            if len(wanted) > 3 and set(wanted) <= set(words(paper.label)):
                return paper
        return None


def tell_record(paper: Paper, fields: Sequence[str], draft: Draft) -> None:
    """A line with what is stored of ``paper``: authors, year, venue, doi, link, title; or "paper"
    for the line alone.
    """
    if list(fields) == ["paper"]:
        _line(draft, paper)
        return
    known = {
        "authors": f"is by {_joined(paper.authors)}" if paper.authors else "",
        "year": f"is of {paper.year}" if paper.year else "",
        "venue": f"appeared in {paper.venue}" if paper.venue else "",
        "doi": f"has the DOI {paper.doi}" if paper.doi else "",
        "link": f"is at {paper.link}" if paper.link else "",
        "title": "is its title",
    }
    named = {"venue": "journal", "doi": "DOI"}
    told = [known[field] for field in fields if known[field]]
    lacking = [named.get(field, field) for field in fields if not known[field]]
    line = f" {_joined(told)}." if told else ":"
    if lacking:
        are = "are" if lacking == ["authors"] or len(lacking) > 1 else "is"
        whose = "its" if not told else "Its"
        line += f" {whose} {_joined(lacking)} {are} not stored; {_FETCH}."
    _line(draft, paper, line)


def tell_by_year(papers: Sequence[Paper], draft: Draft, *, oldest: bool) -> None:
    """``papers`` in the order of their years, the newest first or the ``oldest``."""
    head = f"Of the papers shown, the {'oldest' if oldest else 'newest'} first:"
    if not _by_year(papers, draft, head, oldest=oldest):
        draft.say(f"No publication dates of them are stored; {_FETCH}.")


def _by_year(
    papers: Sequence[Paper], draft: Draft, head: str, *, oldest: bool, most: int | None = None
) -> bool:
    """A list of ``most`` of those ``papers`` that have a year, under ``head``; False where none
    has.
    """
    dated = sorted(
        (paper for paper in papers if paper.year),
        key=lambda paper: (paper.year or 0) * (1 if oldest else -1),
    )
    if dated:
        draft.say(head)
        for paper in dated[:most]:
            _line(draft, paper, f" ({paper.year})")
        _undated(draft, len(papers) - len(dated))
    return bool(dated)


def _written_by(name: str, papers: Sequence[Paper]) -> list[Paper]:
    """Those of ``papers`` of which ``name`` names an author."""
    wanted = words(name)
    return [p for p in papers if any(_is_author(wanted, author) for author in p.authors)]


def _goes_on(name: str, papers: Sequence[Paper]) -> bool:
    """Whether ``name`` begins with an author's and goes on: "Brandt discusses pruning"."""
    parts = name.split()
    return any(
        parts[n][0].islower() and parts[n] != "and" and _written_by(" ".join(parts[:n]), papers)
        for n in range(1, len(parts) - 1)
    )


def _holding(topic: str, papers: Sequence[Paper]) -> list[Paper]:
    """Those of ``papers`` that hold all words of ``topic``."""
    stems = set(terms(topic))
    return [paper for paper in papers if stems <= set(terms(paper.text))]


def _papers(n: int) -> str:
    return "1 paper" if n == 1 else f"{n:,} papers"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _line(draft: Draft, paper: Paper, after: str = "") -> None:
    draft.title(paper, after)


def _name(draft: Draft, papers: Sequence[Paper]) -> None:
    for paper in papers[: 2 * _MANY]:
        _line(draft, paper)
    if len(papers) > 2 * _MANY:
        draft.say(f"… and {len(papers) - 2 * _MANY:,} more.")


def _undated(draft: Draft, n: int) -> None:
    if n > 0:
        draft.say(f"Of {_papers(n)} the date is not stored; {_FETCH}.")


def _is_author(wanted: Sequence[str], author: str) -> bool:
    """Whether ``wanted`` names ``author``: the family name, and given names as far as told."""
    held = words(author)
    if not wanted or not held:
        return False
    return all(
        any(part == own or (len(part) == 1 and own.startswith(part)) or
            (len(own) == 1 and part.startswith(own)) for own in held)
        for part in wanted
    ) and any(part in held for part in wanted if len(part) > 1)  # fmt: skip


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _phrases(titles: Sequence[str], rarity: Callable[[str], float]) -> list[tuple[str, int]]:
    """What many titles share: phrases of one to three words and how many titles hold each.

    A phrase counts by the titles that hold it and its length, a single word by how rare it is
    in English; what shares most of its words with one that is told already is left out.
    """
    counts: Counter[tuple[str, ...]] = Counter()
    written: dict[tuple[str, ...], Counter[str]] = {}
    for title in titles:
        seen: set[tuple[str, ...]] = set()
        tokens = re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*|[^\s\w]", title)
        for size in (1, 2, 3):
            for start in range(len(tokens) - size + 1):
                piece = tokens[start : start + size]
                if any(w.casefold() in STOP_WORDS or not w[0].isalnum() for w in piece):
                    continue
                key = tuple(t for w in piece for t in terms(w))
                if not key or key in seen or all(w.isdigit() or len(w) < 2 for w in piece):
                    continue
                seen.add(key)
                written.setdefault(key, Counter())[" ".join(piece)] += 1
        counts.update(seen)
    least = max(2, len(titles) // 150)
    worth = {
        key: n * (rarity(written[key].most_common(1)[0][0]) if len(key) == 1 else len(key))
        for key, n in counts.items()
        if n >= least
    }
    told: list[tuple[str, ...]] = []
    for key in sorted(worth, key=lambda k: -worth[k]):
        if not any(_overlap(key, other) for other in told):
            told.append(key)
        if len(told) == _TOPICS:
            break
    return [(_lower(written[key].most_common(1)[0][0]), counts[key]) for key in told]


def _overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two phrases speak of the same: they share half of the shorter one."""
    return len(set(one) & set(other)) > 0.5 * min(len(one), len(other))


def _lower(phrase: str) -> str:
    """``phrase`` in small letters, but for words that are written otherwise ("LoRA")."""
    return " ".join(w.lower() if w[1:] == w[1:].lower() else w for w in phrase.split())
