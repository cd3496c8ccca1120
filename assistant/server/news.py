"""``/api`` and MCP: what is new and what is like what: sync, digest, likes, similar papers."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field

from assistant.assistant import Assistant
from assistant.results import SearchResult
from assistant.server.failing import Refused
from assistant.sources.syncing import SyncReport
from assistant.watch import Digest, Likes

__all__ = ["add_routes", "add_tools"]

Sources = Annotated[
    list[str],
    Field(max_length=50, description="such as arxiv:cs.CL; all that are remembered, if empty"),
]
Limit = Annotated[int | None, Field(ge=1, le=100_000, description="records of each source")]


class SyncRequest(BaseModel):
    """Which sources are to be read."""

    sources: Sources = Field(default_factory=list)
    limit: Limit = None


class Liking(BaseModel):
    """What somebody thinks of a paper; ``liked`` null takes it back."""

    paper: str = Field(min_length=1, max_length=2000, description="id, DOI, arXiv id or title")
    liked: bool | None


def add_routes(router: APIRouter, assistant: Assistant, *, writable: bool) -> None:
    """The routes over one assistant; not ``writable``: over the sample library."""

    def check() -> None:
        if not writable:
            raise Refused(409, "This is the sample library, which stays as it is.")

    @router.post("/sync")
    def sync(asked: SyncRequest) -> SyncReport:
        """Adds what is new at services, and at feeds that the library remembers."""
        check()
        return _synced(assistant, asked.sources, asked.limit)

    @router.get("/similar/{name:path}")
    def similar(
        name: str, k: Annotated[int, Query(ge=1, le=100, description="papers to find")] = 8
    ) -> list[SearchResult]:
        """The papers most like one of the library."""
        return assistant.similar(name, k)

    @router.get("/digest")
    def digest(
        watch: Annotated[
            str | None, Query(max_length=1000, description="its name; else all")
        ] = None,
        since: Annotated[date | None, Query(description="else since its last digest")] = None,
        k: Annotated[int, Query(ge=1, le=100, description="papers to tell whole")] = 10,
    ) -> Digest:
        """What is new, ranked by what was liked; asking does not count as having seen it."""
        check()
        return assistant.digest(watch, since=since, k=k)

    @router.post("/likes")
    def like(asked: Liking) -> dict[str, Any]:
        """Likes or dislikes a paper: digests show more or less of its kind."""
        check()
        paper = assistant.library.paper(asked.paper)
        Likes(assistant.library.path).set(paper.id, asked.liked)
        return {"paper_id": paper.id, "title": paper.label, "liked": asked.liked}


def add_tools(server: MCPServer[Any], assistant: Assistant) -> None:
    """The tools over one assistant."""

    @server.tool(title="Sync the library")
    async def sync(sources: Sources, limit: Limit = None) -> SyncReport:
        """Adds what is new at services (arxiv:…, pubmed:…, …), and at remembered feeds."""
        return await asyncio.to_thread(_synced, assistant, sources, limit)

    @server.tool(title="Papers like a paper")
    def similar(
        name: Annotated[str, Field(description="id, DOI, arXiv id or title")],
        k: Annotated[int, Field(ge=1, le=50, description="papers to find")] = 8,
    ) -> list[SearchResult]:
        """Finds the papers of the library that are most like one of them."""
        return assistant.similar(name, k)

    @server.tool(title="What is new")
    def digest(
        watch: Annotated[str | None, Field(description="name of a watch; else all")] = None,
        since: Annotated[date | None, Field(description="else since the last digest")] = None,
    ) -> Digest:
        """New papers, ranked by what was liked, each with why and a sentence of its abstract."""
        return assistant.digest(watch, since=since)


def _synced(assistant: Assistant, sources: list[str], limit: int | None) -> SyncReport:
    """Whoever is not at this machine must not make it ask any address that they like."""
    assistant.sources().check_remote(sources)
    return assistant.sync(sources, limit=limit)
