"""``/api``: ask, search, list, show, remove and add papers, described by OpenAPI."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, HTTPException, Query, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from assistant.assistant import Assistant
from assistant.errors import SourceError
from assistant.exporting import record
from assistant.papersearch import holds
from assistant.results import Answer, ErrorEvent, Event, IngestReport, Message, SearchResult
from assistant.server.failing import told
from assistant.server.news import add_routes

__all__ = ["api_router", "begun"]

_MOST_TURNS = 200


class Question(BaseModel):
    """What is asked. ``history``: the turns before it, oldest first."""

    question: str = Field(min_length=1, max_length=100_000)
    history: list[Message] = Field(default_factory=list, max_length=_MOST_TURNS)
    effort: Literal["quick", "normal", "deep"] | None = None
    stream: bool = Field(False, description="send the events of the work, as server-sent events")


class Problem(BaseModel):
    """An error, in the words for a person."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Failed(BaseModel):
    """The body of every answer that is no success."""

    error: Problem


class Papers(BaseModel):
    """A page of the papers of the library; ``total`` counts all that fit."""

    total: int
    papers: list[dict[str, Any]]


class Removed(BaseModel):
    """A paper that was removed."""

    paper_id: str
    title: str


_FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failed}
    for status in (400, 401, 403, 404, 405, 409, 413, 421, 422, 429, 502, 503, 504)
}


def api_router(assistant: Assistant, *, max_files: int, writable: bool = True) -> APIRouter:
    """The routes over one assistant; not ``writable``: over the sample library."""
    router = APIRouter(prefix="/api", tags=["library"], responses=_FAILURES)

    @router.post(
        "/ask",
        response_model=Answer,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def ask(asked: Question) -> Any:
        """Answers a question; every sentence cites its papers."""
        if asked.stream:
            events = await begun(assistant, asked.question, asked.history, asked.effort)
            return StreamingResponse(_sse(events), media_type="text/event-stream")
        return await assistant.aask(asked.question, asked.history, effort=asked.effort)

    @router.get("/search")
    def search(
        q: Annotated[
            str, Query(min_length=1, max_length=10_000, description="words or a question")
        ],
        k: Annotated[int, Query(ge=1, le=100, description="papers to find")] = 8,
    ) -> list[SearchResult]:
        """The papers that fit best, each with its best sentence."""
        return assistant.search(q, k)

    @router.get("/papers")
    def papers(
        words: Annotated[str, Query(max_length=1000, description="all of them in the paper")] = "",
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Papers:
        """The papers of the library, in the order in which they came."""
        wanted = [word.casefold() for word in words.split()]
        found = [paper for paper in assistant.library.papers() if holds(paper, wanted)]
        shown = [record(paper) for paper in islice(found, offset, offset + limit)]
        return Papers(total=len(found), papers=shown)

    @router.get("/papers/{name:path}")
    def paper(name: str) -> dict[str, Any]:
        """One paper, by id, DOI, arXiv id or title."""
        return record(assistant.library.paper(name))

    @router.delete("/papers/{name:path}")
    def remove(name: str) -> list[Removed]:
        """Removes a paper from the library, everywhere."""
        _check_writable(writable)
        gone = assistant.library.remove([name])
        return [Removed(paper_id=paper.id, title=paper.label) for paper in gone]

    @router.post("/ingest")
    async def ingest(
        files: Annotated[list[UploadFile], File(description="in any format that is known")],
    ) -> IngestReport:
        """Adds the papers of the files, updates those that changed, and says what it did."""
        _check_writable(writable)
        if len(files) > max_files:
            raise HTTPException(413, f"At most {max_files} files at once.")
        return await run_in_threadpool(_ingested, assistant, files)

    add_routes(router, assistant, writable=writable)
    return router


def _check_writable(writable: bool) -> None:
    if not writable:
        raise HTTPException(409, "This is the sample library, which stays as it is.")


async def begun(
    assistant: Assistant, question: str, history: list[Message], effort: Any = None
) -> AsyncIterator[Event]:
    """The events of an answer, once it is certain that it can be begun.

    Raises:
        AssistantError: it cannot.
    """
    events = assistant.astream(question, history, effort=effort)
    first = await anext(events)

    async def all_of_them() -> AsyncIterator[Event]:
        yield first
        async for event in events:
            yield event

    return all_of_them()


async def _sse(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    async for event in events:
        data = event.model_dump(mode="json")
        if isinstance(event, ErrorEvent):
            data |= told(event.message, "server_error")
        yield f"event: {event.type}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _ingested(assistant: Assistant, files: list[UploadFile]) -> IngestReport:
    with tempfile.TemporaryDirectory(prefix="assistant-") as folder:
        paths = []
        for n, upload in enumerate(files):
            # only the end of the name counts, for its format; it is never a path
            name = PurePath((upload.filename or "file").replace("\\", "/")).name or "file"
            safe = (
                "".join(c for c in name if c.isalnum() or c in "._- ()")[-80:].lstrip(".") or "file"
            )
            place = Path(folder) / str(n)
            place.mkdir()
            with (place / safe).open("wb") as out:
                shutil.copyfileobj(upload.file, out)
            paths.append(place / safe)
        try:
            report = assistant.ingest(paths)
        except SourceError as error:
            # where the file lay is nobody's business, how it is called is
            told_of = error.what
            for path in paths:
                told_of = told_of.replace(str(path), path.name)
            raise SourceError(told_of, error.do) from None
        for rejection in report.rejected:
            rejection.source = PurePath(rejection.source).name
    return report
