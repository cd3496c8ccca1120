"""Enriching: authors, years, venues and DOIs that the library's papers lack, by their titles.

Only what is missing is filled in, and only from a record that is surely the same paper: its
DOI is the same, or its title is, letter for letter but case and punctuation, and nothing else
that both know (abstract, year, first author) speaks against it. What is left is named with the
reason, and not asked for again until ``again`` is said.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from assistant.errors import LibraryError, LibraryNotFound
from assistant.files import read_sealed, write_sealed
from assistant.library import Library
from assistant.paper import Paper, normalised_title
from assistant.results import Rejection
from assistant.settings import SourcesSettings
from assistant.sources import crossref, openalex
from assistant.sources.base import Service
from assistant.sources.http import Http, NotFound
from assistant.text import words

__all__ = ["EnrichProgress", "EnrichReport", "Enrichment", "EnrichmentService", "LeftOut"]

EnrichmentService = Literal["openalex", "crossref"]
FILE = "enriched.json"
FIELDS = ("authors", "year", "venue", "doi", "arxiv_id", "url")
_WANTED = ("authors", "year", "venue", "doi")
_BATCH = 25
"""Papers filled in and written together: what a kill can lose."""
_SAME_TEXT, _OTHER_TEXT = 0.5, 0.25
"""Jaccard similarity of two abstracts' words: from the first they are one, below the second two."""
_TELLING_WORDS = 5
"""Words of a title that tell a paper where no abstract can be compared."""


class LeftOut(BaseModel):
    """A paper for which nothing was filled in, and why."""

    paper_id: str
    title: str
    reason: str


class EnrichReport(BaseModel):
    """What an enrichment did: of ``lacking`` papers, ``filled``; ``fields`` counts each field."""

    lacking: int = 0
    filled: int = 0
    fields: dict[str, int] = Field(default_factory=dict)
    left: list[LeftOut] = Field(default_factory=list)
    asked_before: int = 0


class EnrichProgress(BaseModel):
    """How far it is: papers asked for, filled, in all; seconds left."""

    asked: int
    filled: int
    total: int
    seconds_left: float


class _Asked(BaseModel):
    """What papers still lacked when a service was asked for them, by service and id."""

    version: int = 1
    papers: dict[str, str] = Field(default_factory=dict)


class Enrichment:
    """Fills in what the papers of ``library`` lack, from one service."""

    def __init__(
        self,
        library: Library,
        settings: SourcesSettings,
        notify: Callable[[str], None] = lambda _: None,
        service: EnrichmentService = "openalex",
    ) -> None:
        self._library = library
        self._settings = settings
        self._notify = notify
        self._service: Service = crossref.SERVICE if service == "crossref" else openalex.SERVICE
        self._memory = library.path / FILE

    def run(
        self,
        on_progress: Callable[[EnrichProgress], None] | None = None,
        *,
        limit: int | None = None,
        again: bool = False,
    ) -> EnrichReport:
        """Asks for each paper that lacks authors, year, venue or DOI.

        Interrupted, what was filled in is kept. ``again``: also for those that an earlier run
        could not fill in.

        Raises:
            SourceError: the service cannot be asked.
            LibraryError: the library holds no paper, or cannot be written.
        """
        asked = {} if again else self._asked()
        papers = list(self._library.papers())
        if not papers:
            raise LibraryNotFound(
                f"The library at {self._library.path} holds no paper yet.",
                "Add papers with 'assistant ingest FILE' or 'assistant sync SOURCE'.",
            )
        lacking = [p for p in papers if _missing(p)]
        left = [p for p in lacking if asked.get(self._key(p)) != _missing(p)]
        dois = {p.doi: p.id for p in papers if p.doi}
        report = EnrichReport(lacking=len(lacking), asked_before=len(lacking) - len(left))
        wanted = left[:limit]
        filled: list[Paper] = []
        started = time.monotonic()
        try:
            with Http(self._service, self._settings, self._notify) as http:
                for n, paper in enumerate(wanted, 1):
                    better = self._better(http, paper, dois, report)
                    asked[self._key(paper)] = _missing(better)
                    if better is not paper:
                        filled.append(better)
                    if len(filled) >= _BATCH:
                        self._keep(filled, asked)
                    if on_progress is not None:
                        seconds = (time.monotonic() - started) / n * (len(wanted) - n)
                        on_progress(
                            EnrichProgress(
                                asked=n,
                                filled=report.filled,
                                total=len(wanted),
                                seconds_left=seconds,
                            )
                        )
        finally:
            self._keep(filled, asked)
        return report

    def _better(
        self, http: Http, paper: Paper, dois: dict[str, str], report: EnrichReport
    ) -> Paper:
        """The paper with what could be filled in; the same object where that is nothing."""
        found = self._found(http, paper)
        better, new = (paper, []) if isinstance(found, str) else _filled(paper, found, dois)
        if not new:
            reason = found if isinstance(found, str) else f"{self._service.label} knows no more"
            report.left.append(LeftOut(paper_id=paper.id, title=paper.label, reason=reason))
            return paper
        report.filled += 1
        for name in new:
            report.fields[name] = report.fields.get(name, 0) + 1
        return better

    def _keep(self, filled: list[Paper], asked: dict[str, str]) -> None:
        """Writes what was filled in, then that it was asked for."""
        if filled:
            self._library.ingest(filled)
            filled.clear()
        self._remember(asked)

    def _found(self, http: Http, paper: Paper) -> list[Paper] | str:
        """The records that surely are ``paper``, the best first; else why there is none."""
        if paper.doi and (record := self._by_doi(http, paper.doi)) is not None:
            return [record]
        if not paper.title_key:
            return "it has no title"
        candidates = [c for c in self._by_title(http, paper) if _same_title(c, paper)]
        if not candidates:
            return f"{self._service.label} knows no paper with this title"
        sure = [c for c in candidates if _is_same(c, paper)]
        if not sure:
            return "a paper with this title was found, but it may be another"
        if len({_family(c) for c in sure if c.authors}) > 1:
            return "several papers have this title"
        return sorted(sure, key=_poorness)

    def _by_doi(self, http: Http, doi: str) -> Paper | None:
        try:
            if self._service is crossref.SERVICE:
                record = crossref.record(crossref.work(http, doi), self._service.label)
            else:
                record = openalex.record(openalex.works(http)[f"doi:{doi}"], self._service.label)
        except NotFound:
            return None
        return None if isinstance(record, Rejection) else record

    def _by_title(self, http: Http, paper: Paper) -> Iterator[Paper]:
        title = " ".join(re.findall(r"[^\W_]+", paper.title))
        read: Callable[[Any, str], Paper | Rejection] = openalex.record
        works: Iterable[Any]
        if self._service is crossref.SERVICE:
            read = crossref.record
            works = crossref.asked(http, query_bibliographic=title, limit=5).get("items") or ()
        else:
            works = openalex.works(http).search_filter(title=title).get(per_page=5)
        records = (read(work, self._service.label) for work in works if isinstance(work, Mapping))
        yield from (record for record in records if isinstance(record, Paper))

    def _key(self, paper: Paper) -> str:
        """What one service does not know, another may."""
        return f"{self._service.name} {paper.id}"

    def _asked(self) -> dict[str, str]:
        try:
            return _Asked.model_validate_json(read_sealed(self._memory)).papers
        except (OSError, ValueError):
            return {}  # they are asked for once more

    def _remember(self, asked: dict[str, str]) -> None:
        if not asked:
            return
        try:
            write_sealed(self._memory, _Asked(papers=asked).model_dump_json())
        except OSError as error:
            raise LibraryError(
                f"{self._memory} cannot be written: {error.strerror or error}."
            ) from None


def _missing(paper: Paper) -> str:
    """Names of what is wanted and not there, "" where nothing is."""
    return " ".join(name for name in _WANTED if not getattr(paper, name))


def _filled(
    paper: Paper, records: Sequence[Paper], dois: dict[str, str]
) -> tuple[Paper, list[str]]:
    """The paper with what it lacked, and the names of the fields that were filled in."""
    new: dict[str, Any] = {}
    for name in FIELDS:
        if getattr(paper, name):
            continue
        for record in records:
            value = getattr(record, name)
            # a DOI that another paper of the library has would make the two one
            if value and not (name == "doi" and dois.get(value, paper.id) != paper.id):
                new[name] = value
                break
    if "doi" in new:
        dois[new["doi"]] = paper.id
    told = [name for name in new if name != "url"]
    return (paper.model_copy(update={**new, "key": paper.id}), told) if told else (paper, [])


def _same_title(record: Paper, paper: Paper) -> bool:
    """Whether the titles differ in case, accents, punctuation and spaces at the most."""
    squeezed = (normalised_title(p.title).replace(" ", "") for p in (record, paper))
    return len(set(squeezed)) == 1


def _is_same(record: Paper, paper: Paper) -> bool:
    """Whether a record with the paper's title surely is the paper."""
    if paper.authors and record.authors and _family(record) not in _families(paper):
        return False
    if record.abstract and paper.abstract:
        alike = _overlap(record.abstract, paper.abstract)
        if alike >= _SAME_TEXT or alike < _OTHER_TEXT:
            return alike >= _SAME_TEXT
    if paper.year and record.year and abs(paper.year - record.year) > 2:
        return False
    return len(paper.title_key.split()) >= _TELLING_WORDS


def _overlap(one: str, other: str) -> float:
    ours, theirs = set(words(one)), set(words(other))
    return len(ours & theirs) / max(1, len(ours | theirs))


def _family(paper: Paper) -> str:
    """The first author's last word, for comparing."""
    return normalised_title(paper.authors[0]).rpartition(" ")[2] if paper.authors else ""


def _families(paper: Paper) -> set[str]:
    return {part for name in paper.authors for part in normalised_title(name).split()}


def _poorness(record: Paper) -> tuple[bool, bool, int]:
    """Published before preprint, then what says more."""
    return (not record.doi, not record.venue, -len(record.authors))
