"""Paper: what a reader yields, what the library holds, what an answer cites.

A paper is cleaned when it is made: titles and abstracts lose control characters and doubled
white space; ids lose the decoration that they are found with (``https://doi.org/…``,
``arXiv:…v2``). `Paper.id` is its identity, which does not depend on where it was read.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator, model_validator

__all__ = ["Paper", "PaperNames", "normalised_title"]

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_ARXIV = re.compile(r"(?:[a-z-]+(?:\.[a-z]{2})?/\d{7}|\d{4}\.\d{4,5})", re.IGNORECASE)
_CONTROL = re.compile(
    # C0, C1, and what turns the direction of the text or has no width
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
_LABEL_WORDS = 12


def squeeze(text: str) -> str:
    """``text`` as one line: NFC, without control characters, white space runs as one space."""
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())


@lru_cache(maxsize=4096)  # a paper is asked for its id dozens of times on its way in
def normalised_title(title: str) -> str:
    """A title for comparing: NFKD without accents, lower case, letters and digits only."""
    decomposed = unicodedata.normalize("NFKD", title)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return " ".join(re.findall(r"[^\W_]+", bare))


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
    tags: tuple[str, ...] = Field((), description="keywords of the source, and a person's own")
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
        return found.group().rstrip(".,;)").lower() if found else None

    @field_validator("arxiv_id")
    @classmethod
    def _bare_arxiv(cls, value: str | None) -> str | None:
        found = _ARXIV.search(value or "")
        return found.group().lower() if found else None

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
    def text_hash(self) -> str:
        """Changes when the title or the abstract does: what has been embedded is stale then."""
        return _digest(self.title, self.abstract)

    @property
    def link(self) -> str | None:
        """Where to read it: the url if it is a web address, else the DOI's or arXiv's page."""
        if self.url and re.match(r"https?://", self.url, re.IGNORECASE):
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

    def merged(self, newer: Paper) -> Paper:
        """The same paper, under its id, with every field that ``newer`` knows taken from it.

        An abstract takes the place of a digest, never the other way round.
        """
        known = newer.model_dump(exclude={"id", "key"}, exclude_defaults=True)
        if newer.abstract:
            known["kind"] = newer.kind
            if newer.kind == "digest" and self.kind == "abstract" and self.abstract:
                known = {k: v for k, v in known.items() if k not in ("title", "abstract", "kind")}
        kept = self.model_dump(exclude={"id", "original"})
        return Paper.model_validate({**kept, **known, "key": self.id})
