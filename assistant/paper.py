"""Paper: what a reader yields, what the library holds, what an answer cites.

A paper is cleaned when it is made: titles and abstracts lose control characters and doubled
white space; ids lose the decoration that they are found with (``https://doi.org/…``,
``arXiv:…v2``). `Paper.id` is its identity, which does not depend on where it was read.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator, model_validator

__all__ = ["Paper", "PaperNames", "balanced", "is_preprint", "normalised_title"]

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_ARXIV = re.compile(r"(?:[a-z-]+(?:\.[a-z]{2})?/\d{7}|\d{4}\.\d{4,5})", re.IGNORECASE)
_CONTROL = re.compile(
    # C0, C1, and what turns the direction of the text or has no width
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
_LABEL_WORDS = 12
_LONG_URL = 100
_PAIRS = (("(", ")"), ("[", "]"), ("<", ">"))
_PREPRINT = re.compile(  # registrants of preprint servers; 10.1101 has journals besides
    r"10\.(?:1101/(?:\d{6}$|20\d\d\.)|64898/|21203/|20944/|31234/|31219/|31235/|31223/|26434/"
    r"|36227/|2139/ssrn|22541/|48550/|51094/|55458/|2196/preprints)",
    re.IGNORECASE,
)
_ARXIV_VENUE = re.compile(r"\b(?:arxiv|corr|biorxiv|medrxiv|preprint|ssrn)\b", re.IGNORECASE)
_STRAY = re.compile(r"[*†‡§¶#]\s*$|^\[.*\]\.?$|[$\\{}]|&\w+;|</?\w+>|\ufffd")
MAX_TAGS = 200


def squeeze(text: str) -> str:
    """``text`` as one line: NFC, without control characters, white space runs as one space."""
    if text.isprintable() and "  " not in text and unicodedata.is_normalized("NFC", text):
        return text.strip(" ")  # it is one already; no control character is printable
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())


@lru_cache(maxsize=4096)  # a paper is asked for its id dozens of times on its way in
def normalised_title(title: str) -> str:
    """A title for comparing: NFKD without accents, lower case, letters and digits only."""
    if not title.isascii():
        title = unicodedata.normalize("NFKD", title)
        title = "".join(c for c in title if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", title.casefold()))


def balanced(name: str) -> str:
    """An id without the punctuation of the sentence around it, and its unmatched brackets."""
    name = name.rstrip(".,;:")
    while name and any(
        name.endswith(closing) and name.count(closing) > name.count(opening)
        for opening, closing in _PAIRS
    ):
        name = name[:-1].rstrip(".,;:")
    return name


_MEETING = re.compile(r"\b(?:proceedings|proc\.|conference|workshop|symposium)", re.IGNORECASE)
_SERVER = re.compile(r"\b(?:arxiv|corr|biorxiv|medrxiv|preprint)\b", re.IGNORECASE)


def is_preprint(doi: str | None) -> bool:
    """Whether a DOI is one that a preprint server gives."""
    return doi is not None and _PREPRINT.match(doi) is not None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class PaperNames(NamedTuple):
    """What tells one paper from another, to compare papers without reading them whole."""

    id: str
    doi: str | None
    arxiv_id: str | None
    title_key: str
    source: str | None
    source_id: str | None
    abstract_hash: str
    text_hash: str
    content_hash: str


Form = Literal["article", "conference", "preprint", "thesis", "chapter", "book", "report"]


class Paper(BaseModel):
    """A title and an abstract, with what else is known. Immutable.

    ``title`` may be empty when the abstract is not (some collections have none); show
    `label` then. ``original`` keeps the fields that cleaning changed, as they were read.
    ``source_id`` is the name that the source itself gives to the record (a BEIR ``_id``, a
    BibTeX key, a PubMed id).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    abstract: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str | None = None
    url: str | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    source: str | None = Field(None, description="file or stream that it was read from")
    source_id: str | None = None
    kind: Literal["abstract", "digest"] = "abstract"
    form: Form | None = Field(None, description="what the record calls itself")
    tags: tuple[str, ...] = Field((), description="keywords of the source, and a person's own")
    also: tuple[str, ...] = Field((), description="ids of its other versions: doi:… of a preprint")
    key: str | None = Field(None, description="the id that a library gave it, once, for good")
    original: dict[str, str] = Field(default_factory=dict)

    @field_validator("title", "abstract", mode="before")
    @classmethod
    def _one_line(cls, value: object) -> object:
        return squeeze(value) if isinstance(value, str) else value

    @field_validator("venue", "url", "doi", "arxiv_id", "source_id", mode="before")
    @classmethod
    def _empty_is_unknown(cls, value: object) -> object:
        return (squeeze(value) or None) if isinstance(value, str) else value

    @field_validator("doi")
    @classmethod
    def _bare_doi(cls, value: str | None) -> str | None:
        found = _DOI.search(value or "")
        return balanced(found.group()).lower() if found else None

    @field_validator("arxiv_id")
    @classmethod
    def _bare_arxiv(cls, value: str | None) -> str | None:
        found = _ARXIV.search(value or "")
        return found.group().lower() if found else None

    @property
    def text(self) -> str:
        """Title and abstract as one text."""
        return f"{self.title}. {self.abstract}"

    @model_validator(mode="after")
    def _says_something(self) -> Paper:
        if not self.title_key and not self.abstract:
            raise ValueError("neither a title nor an abstract")
        return self

    @property
    def title_key(self) -> str:
        """The title as `normalised_title` compares it; empty for an untitled paper."""
        return normalised_title(self.title)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def id(self) -> str:
        """Identity, which does not depend on where the paper was read.

        What its library calls it, else ``doi:…``, else ``arxiv:…``, else ``title:…`` (a hash of
        the normalised title), else ``text:…`` (a hash of the untitled abstract).
        """
        if self.key:
            return self.key
        if self.doi:
            return f"doi:{self.doi}"
        if self.arxiv_id:
            return f"arxiv:{self.arxiv_id}"
        if self.title_key:
            return f"title:{_digest(self.title_key)}"
        return f"text:{_digest(self.abstract)}"

    @property
    def label(self) -> str:
        """What a person is shown as the title: the title, else the abstract's first words."""
        if self.title:
            return self.title
        words = self.abstract.split()
        return " ".join(words[:_LABEL_WORDS]) + ("…" if len(words) > _LABEL_WORDS else "")

    @property
    def implied_form(self) -> Form | None:
        """What the venue and the identifiers say, where the record calls itself nothing."""
        venue = self.venue or ""
        if (not venue or _SERVER.search(venue)) and (self.arxiv_id or is_preprint(self.doi)):
            return "preprint"
        if _MEETING.search(venue):
            return "conference"
        return "article" if venue else None

    def has_words(self, words: Iterable[str]) -> bool:
        """Whether each of the (casefolded) words occurs somewhere in the record."""
        parts = (self.title, self.abstract, *self.authors, self.venue, self.year, self.id)
        text = " ".join(str(part) for part in parts if part).casefold()
        return all(word in text for word in words)

    @property
    def text_hash(self) -> str:
        """Changes when the title or the abstract does: what has been embedded is stale then."""
        return _digest(self.title, self.abstract)

    @property
    def link(self) -> str | None:
        """Where to read it: the url if it is a web address, else the DOI's or arXiv's page.

        The DOI's is also given in place of a long one, or one with a query: a service's own.
        """
        own = self.url is not None and re.match(r"https?://", self.url, re.IGNORECASE)
        if own and not (self.doi and ("?" in (self.url or "") or len(self.url or "") > _LONG_URL)):
            return self.url
        if self.doi:
            return f"https://doi.org/{self.doi}"
        return f"https://arxiv.org/abs/{self.arxiv_id}" if self.arxiv_id else None

    @property
    def content_hash(self) -> str:
        """Changes with anything that a person sees: all but where it was read, and its id."""
        shown = self.model_dump_json(
            exclude={"id", "key", "source", "source_id", "original"}, exclude_defaults=True
        )
        return _digest(shown)

    @property
    def names(self) -> PaperNames:
        """What tells this paper from others."""
        return PaperNames(
            self.id,
            self.doi,
            self.arxiv_id,
            self.title_key,
            self.source,
            self.source_id,
            _digest(self.abstract),
            self.text_hash,
            self.content_hash,
        )

    def merged(self, newer: Paper, *, fill: bool = False) -> Paper:
        """The same paper, under its id, richer by what ``newer`` knows, field by field.

        Where both know something, ``newer`` counts, unless it is poorer: a title or venue in
        capitals or with stray marks, fewer authors, an abstract that is cut off or a digest.

        Args:
            newer: another record of the paper.
            fill: only what is missing or poor here is taken (from a record of the same run).
        """
        text = self._richer_text(newer, fill=fill)
        titled = newer if self._better_title(newer, fill=fill) else self
        written = {"title": titled.original.get("title"), "abstract": text.original.get("abstract")}
        dois = _published_first(self.doi, newer.doi)
        also = dict.fromkeys([*self.also, *newer.also, *(f"doi:{doi}" for doi in dois[1:])])
        latest = self if fill or self._is_published_unlike(newer) else newer
        return Paper(
            title=titled.title or self.title or newer.title,
            abstract=text.abstract,
            authors=_richer_authors(self.authors, newer.authors),
            year=latest.year or self.year or newer.year,
            venue=_better_venue(self.venue, newer.venue, fill=fill),
            url=(None if fill else newer.url) or self.url or newer.url,
            doi=next(iter(dois), None),
            arxiv_id=self.arxiv_id or newer.arxiv_id,
            source=self.source or newer.source,
            source_id=(self if self.source else newer).source_id,
            kind=text.kind,
            form=latest.form or self.form or newer.form,
            tags=tuple(dict.fromkeys([*self.tags, *newer.tags]))[:MAX_TAGS],
            also=tuple(also),
            key=self.id,
            original={name: was for name, was in written.items() if was},
        )

    def _richer_text(self, newer: Paper, *, fill: bool) -> Paper:
        """Which of the two has the abstract."""
        if not newer.abstract or not self.abstract:
            return newer if newer.abstract else self
        if newer.kind != self.kind:
            return newer if newer.kind == "abstract" else self
        ours, theirs = normalised_title(self.abstract), normalised_title(newer.abstract)
        if ours == theirs:
            poor = self.abstract.isupper() or _STRAY.search(self.abstract)
            return newer if poor and not _STRAY.search(newer.abstract) else self
        if ours.startswith(theirs) or theirs.startswith(ours):
            return self if len(ours) > len(theirs) else newer
        return self if fill or newer.abstract.isupper() else newer

    def _better_title(self, newer: Paper, *, fill: bool) -> bool:
        if not newer.title or not self.title:
            return bool(newer.title)
        ours, theirs = _typesetting(self.title), _typesetting(newer.title)
        if self.title_key == newer.title_key or fill:
            return theirs > ours
        return theirs >= ours

    def _is_published_unlike(self, newer: Paper) -> bool:
        """Whether this is a published version and ``newer`` a preprint."""
        published = bool(self.doi and not is_preprint(self.doi))
        return published and bool(not newer.doi or is_preprint(newer.doi))


def _typesetting(title: str) -> int:
    """How well a title is set; only comparable for two forms of one title."""
    letters = [c for c in title if c.isalpha()]
    shouted = len(letters) > 8 and sum(c.isupper() for c in letters) > 0.8 * len(letters)
    return -4 * shouted - 2 * bool(_STRAY.search(title)) - title.endswith((".", "…", "..."))


def _better_venue(ours: str | None, theirs: str | None, *, fill: bool) -> str | None:
    if not ours or not theirs:
        return ours or theirs

    def rank(venue: str) -> tuple[bool, int, int]:
        preprint = _ARXIV_VENUE.search(venue) is not None
        return not preprint, _typesetting(venue.rstrip(".")), -venue.count(".")

    if rank(theirs) != rank(ours):
        return theirs if rank(theirs) > rank(ours) else ours
    return ours if fill or normalised_title(ours) == normalised_title(theirs) else theirs


def _richer_authors(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """The longer list; of two equally long ones that with fuller names, else the newer."""
    if len(ours) != len(theirs):
        return max(ours, theirs, key=len)
    letters = [sum(c.isalpha() for name in names for c in name) for names in (ours, theirs)]
    return ours if letters[0] >= letters[1] else theirs


def _published_first(ours: str | None, theirs: str | None) -> list[str]:
    """The DOI of the published version, then that of the preprint where they differ."""
    dois = list(dict.fromkeys(doi for doi in (ours, theirs) if doi))
    if len(dois) == 2 and is_preprint(dois[0]) == is_preprint(dois[1]):
        return dois[:1]
    return sorted(dois, key=is_preprint)
