"""The names that sources go by: ``arxiv:cs.CL``, ``zotero:users/12``, the address of a feed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.errors import SourceError
from assistant.sources import (
    arxiv,
    crossref,
    feed,
    hfpapers,
    openalex,
    pubmed,
    semanticscholar,
    zotero,
)
from assistant.sources.base import Service

__all__ = ["HELP", "SourceName"]

_SERVICES: dict[str, Service] = {
    "arxiv": arxiv.SERVICE,
    "openalex": openalex.SERVICE,
    "semanticscholar": semanticscholar.SERVICE,
    "pubmed": pubmed.SERVICE,
    "crossref": crossref.SERVICE,
    "hf-papers": hfpapers.SERVICE,
    "zotero": zotero.SERVICE,
    "doi": crossref.BY_DOI,
}
HELP = (
    "Sources are arxiv:QUERY (or category, or ids), openalex:QUERY, semanticscholar:QUERY, "
    "pubmed:QUERY, crossref:QUERY, hf-papers:DATE..DATE, zotero:LIBRARY[/COLLECTION], doi:DOI,… "
    "and the address of a feed."
)


@dataclass(frozen=True)
class SourceName:
    """A source as a person names it; ``str()`` of it is what the library remembers."""

    service: Service
    query: str

    @classmethod
    def parse(cls, text: str) -> SourceName:
        """The source that ``text`` names.

        Raises:
            SourceError: it names none.
        """
        text = " ".join(text.split())
        if re.match(r"https?://[^/\s]+", text, re.IGNORECASE):
            return cls(feed.SERVICE, text)
        name, colon, query = text.partition(":")
        service = _SERVICES.get(name.lower().replace("_", "-"))
        query = query.strip()
        if not colon or service is None:
            hint = "" if colon else " A file is added by 'assistant ingest'."
            raise SourceError(f"{text!r} is no source that can be synced.", HELP + hint)
        if not query:
            raise SourceError(f"{text!r} says no query.", HELP)
        return cls(service, query)

    @property
    def is_address(self) -> bool:
        """Whether it is a feed, by its web address."""
        return self.service is feed.SERVICE

    def __str__(self) -> str:
        if self.is_address:
            return self.query
        name = "doi" if self.service is crossref.BY_DOI else self.service.name
        return f"{name}:{self.query}"
