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

from assistant.answering.draft import Draft
from assistant.answering.forms import polite
from assistant.errors import PaperNotFound
from assistant.filters import Filters
from assistant.library import Library
from assistant.paper import Paper
from assistant.text import STOP_WORDS, terms, words

__all__ = ["AboutLibrary", "tell_record"]

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
      (?:what|which)\s+(?:\w+\s+)?(?:topics?|subjects?|areas?|themes?|fields?|domains?|questions)\b.*
        \b(?:{_LIBRARY}|you|papers|here|cover(?:ed)?|there)\b.*
     |what\s+(?:is|are|'s)\s+(?:in\s+)?(?:the|this|my|your|these)\s+(?:{_LIBRARY}|{_PAPERS})
        (?:\s+(?:all\s+)?(?:about|on|cover|contain))?
     |what\s+do(?:es)?\s+(?:the|this|my|your|these)\s+(?:{_LIBRARY}|{_PAPERS})\s+
        (?:contain|cover|hold|have|deal\s+with|talk\s+about|treat|include)
     |what\s+(?:do|can)\s+you\s+(?:know|tell\s+me|have)(?:\s+about)?
     |(?:an?\s+)?(?:overview|summary|description)\s+of\s+(?:the|this|my|your)\s+{_LIBRARY}
     |(?:summari[sz]e|describe)\s+(?:the|this|my|your)\s+{_LIBRARY}
     |what\s+kinds?\s+of\s+{_PAPERS}\s+.*
     |(?:the\s+)?(?:main\s+)?(?:topics|subjects|themes)(?:\s+of\s+(?:the|this)\s+{_LIBRARY})?
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
_NEWEST = re.compile(
    rf"""{_LEAD}(?:(?:what|which)\s+(?:is|are)\s+)?(?:list\s+)?(?:the\s+)?
      (?:\d+\s+)?(?P<which>most\s+recent|newest|latest|recent|oldest|earliest|last|first)\s+(?:\d+\s+)?
      (?:published\s+)?(?:{_PAPERS})(?:\s+(?:on|about)\s+(?P<topic>.+?))?{_HERE}
     |{_LEAD}(?:which|what)\s+(?:{_PAPERS})\s+(?:is|are)\s+(?:the\s+)?
      (?P<which2>most\s+recent|newest|latest|oldest|earliest){_HERE}
     |{_LEAD}what\s+is\s+(?:new|the\s+newest)(?:\s+here)?""",
    re.IGNORECASE | re.VERBOSE,
)
_BY = re.compile(
    rf"""{_LEAD}(?:
      (?:(?:which|what|list|show|find|all|any|are\s+there|is\s+there|do\s+you\s+have)\s+)*
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
        (?:the\s+paper\s+(?:on\s+|about\s+|called\s+)?)?(?P<title>.+)
     |(?:the\s+)?authors?\s+of\s+(?P<of>.+)
     |who\s+is\s+(?P<by>.+?)\s+by
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_AUTHORS = re.compile(
    rf"""{_LEAD}(?:
      (?:who|which\s+authors?|what\s+authors?)\s+(?:are|is|has|have|wrote|appear|published)\b.*
        \b(?:authors?|most\s+papers?|most\s+often|most\s+frequent\w*|library|most)\b.*
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
_OF_YEAR = re.compile(
    rf"""{_LEAD}(?:(?:which|what|list|show|any|all|are\s+there)\s+)*(?:me\s+)?(?:the\s+|any\s+)?
      {_PAPERS}\s+(?:(?:are|were|is)\s+)?(?:there\s+)?(?:published\s+|written\s+|dated\s+)?
      (?P<how>in|from|since|before|after|until|of)\s+(?P<year>(?:19|20)\d\d){_HERE}""",
    re.IGNORECASE | re.VERBOSE,
)
_VENUES = re.compile(
    rf"""{_LEAD}(?:(?:which|what)\s+(?:journals?|venues?|conferences?)\b.*
      |(?:from\s+)?where\s+(?:were|are|do)\s+(?:the|these)\s+{_PAPERS}\s+(?:published|from|come.*))""",
    re.IGNORECASE | re.VERBOSE,
)
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

_NO_TOPIC = frozenset(
    terms("paper papers work works article articles study studies list find published written")
)
"""Stems that name papers and no topic of theirs."""

Finder = Callable[[str], Sequence[Paper]]


@dataclass(frozen=True, slots=True)
class AboutLibrary:
    """Answers what is asked of ``library`` itself.

    ``find``: the papers on a topic, best first, for "how many are about …". ``rarity``: how
    rare a word is in English, in [0, 1], by which a common one is no topic.
    """

    library: Library
    find: Finder
    rarity: Callable[[str], float]

    def answer(self, question: str, draft: Draft) -> bool:
        """Writes the answer into ``draft``; False where the question is of another kind."""
        bare = polite(" ".join(question.split())).strip(" .?!,")
        for pattern, reply in self._replies():
            found = pattern.fullmatch(bare)
            if found:
                given = next((g for g in found.groupdict().values() if g), "")
                if reply(draft, given.strip(" “”\"'"), found):
                    return True
        return False

    def answer_filtered(self, question: str, filters: Filters, draft: Draft) -> bool:
        """As `answer`, where nothing but papers that fit ``filters`` is asked for."""
        if any(term not in _NO_TOPIC for term in terms(polite(question))):
            return False
        found = [paper for paper in self.library.papers() if filters.fits(paper)]
        draft.say(f"{_papers(len(found))} here {_are(len(found))} {filters}.")
        _name(draft, found)
        return True

    def _replies(
        self,
    ) -> Iterator[tuple[re.Pattern[str], Callable[[Draft, str, re.Match[str]], bool]]]:
        yield _COUNT, self._count
        yield _COUNT_TOPIC, self._count_topic
        yield _NEWEST, self._newest
        yield _OF_YEAR, self._of_year
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

    def _count(self, draft: Draft, _: str, __: re.Match[str]) -> bool:
        draft.say(f"The library holds {_papers(len(self.library))}.")
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
        if len(stems) == 1:
            held = statistics.document_frequency(stems[0])
            draft.say(f"{_papers(held)} of {len(self.library):,} mention the word.")
        _name(draft, on)
        return True

    def _newest(self, draft: Draft, given: str, found: re.Match[str]) -> bool:
        groups = found.groupdict()
        topic = groups.get("topic") or ""
        which = (groups.get("which") or groups.get("which2") or "newest").lower()
        papers = list(self.find(topic)) if topic else list(self.library.papers())
        dated = [paper for paper in papers if paper.year]
        del given
        if not dated:
            draft.say(f"No publication dates are stored in this library; {_FETCH}.")
            return True
        oldest = which in {"oldest", "earliest", "first"}
        dated.sort(key=lambda p: (p.year or 0) if oldest else -(p.year or 0))
        shown = dated[:_MANY]
        draft.say(f"The {'oldest' if oldest else 'newest'} papers here, by year:")
        for paper in shown:
            _line(draft, paper, f" ({paper.year})")
        _undated(draft, len(papers) - len(dated))
        return True

    def _years(self, draft: Draft, _: str, found: re.Match[str]) -> bool:
        if re.search(r"\b(?:did|does|was|is)\b", found.group()) and not re.search(
            r"\b(?:paper|librar|publish|collection|here|cover)", found.group(), re.IGNORECASE
        ):
            return False
        years = Counter(paper.year for paper in self.library.papers() if paper.year)
        if not years:
            draft.say(f"No publication dates are stored in this library; {_FETCH}.")
            return True
        draft.say(f"The papers here are of {min(years)} to {max(years)}.")
        most = ", ".join(f"{year} ({n})" for year, n in years.most_common(5))
        draft.say(f"Most are of {most}.")
        _undated(draft, len(self.library) - sum(years.values()))
        return True

    def _of_year(self, draft: Draft, _: str, found: re.Match[str]) -> bool:
        how, year = found["how"].lower(), int(found["year"])
        fits: dict[str, Callable[[int], bool]] = {
            "since": lambda y: y >= year,
            "after": lambda y: y > year,
            "before": lambda y: y < year,
            "until": lambda y: y <= year,
        }
        test: Callable[[int], bool] = fits.get(how, lambda y: y == year)
        dated = [paper for paper in self.library.papers() if paper.year]
        if not dated:
            draft.say(f"No publication dates are stored in this library; {_FETCH}.")
            return True
        found_papers = [p for p in dated if test(p.year or 0)]
        draft.say(f"{_papers(len(found_papers))} here {_are(len(found_papers))} {how} {year}.")
        _name(draft, found_papers)
        return True

    def _by(self, draft: Draft, name: str, _: re.Match[str]) -> bool:
        if not name or len(name.split()) > 5 or set(words(name)) <= STOP_WORDS:
            return False
        papers = list(self.library.papers())
        known = [paper for paper in papers if paper.authors]
        if not known:
            draft.say(
                f"No authors are stored in this library, so papers by {name} cannot be told; "
                f"{_FETCH}."
            )
            return True
        wanted = words(name)
        by = [p for p in known if any(_is_author(wanted, author) for author in p.authors)]
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

    def _wrote(self, draft: Draft, title: str, _: re.Match[str]) -> bool:
        paper = self._paper(title)
        if paper is None:
            return False
        tell_record(paper, ["authors"], draft)
        return True

    def _when(self, draft: Draft, title: str, _: re.Match[str]) -> bool:
        paper = self._paper(title)
        if paper is None:
            return False
        tell_record(paper, ["year"], draft)
        return True

    def _authors(self, draft: Draft, _: str, __: re.Match[str]) -> bool:
        counts = Counter(a for paper in self.library.papers() for a in paper.authors)
        if not counts:
            draft.say(f"No authors are stored in this library; {_FETCH}.")
            return True
        most = ", ".join(f"{name} ({n})" for name, n in counts.most_common(_MANY))
        draft.say(f"{len(counts):,} authors; with most papers here: {most}.")
        return True

    def _venues(self, draft: Draft, _: str, __: re.Match[str]) -> bool:
        counts = Counter(paper.venue for paper in self.library.papers() if paper.venue)
        if not counts:
            draft.say(f"No journals or venues are stored in this library; {_FETCH}.")
            return True
        most = ", ".join(f"{name} ({n})" for name, n in counts.most_common(_MANY))
        draft.say(f"Most papers here are from {most}.")
        return True

    def _topics(self, draft: Draft, _: str, __: re.Match[str]) -> bool:
        phrases = _phrases([p.title for p in self.library.papers() if p.title], self.rarity)
        if not phrases:
            draft.say(f"The library holds {_papers(len(self.library))} without titles.")
            return True
        told = ", ".join(f"{phrase} ({n})" for phrase, n in phrases)
        draft.say(
            f"The library holds {_papers(len(self.library))}. What their titles speak of most, "
            f"with the number of titles: {told}."
        )
        draft.say("Ask “papers on …” for those on one topic, or “list all papers”.")
        return True

    def _all(self, draft: Draft, _: str, __: re.Match[str]) -> bool:
        total = len(self.library)
        head = f"The library holds {_papers(total)}"
        draft.say(f"{head}:" if total <= 2 * _MANY else f"{head}; the first {2 * _MANY}:")
        for n, paper in enumerate(self.library.papers()):
            if n == 2 * _MANY:
                break
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
    """A line with what is stored of ``paper``: of authors, year, venue, doi, link or title."""
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
