"""``/api``: ask, search, list, show, export, remove and add papers, described by OpenAPI."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Query, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from assistant.assistant import Assistant
from assistant.errors import AssistantError, SourceError
from assistant.exporting import FORMATS, MEDIA_TYPES, record
from assistant.filters import Filters
from assistant.results import Answer, ErrorEvent, Event, IngestReport, Message, SearchResult
from assistant.server import news, screening
from assistant.server.failing import DEFECT, EVENT_STREAM, FAILURES, Refused, Teller, log, told
from assistant.server.filtering import Chosen, chosen
from assistant.server.streams import begun, data

__all__ = ["api_router"]

_MOST_TURNS = 200
_Filters = Annotated[Filters | None, Depends(chosen)]
_Words = Annotated[str, Query(max_length=1000, description="all of them in the paper")]


class Question(Chosen):
    """What is asked, of which papers. ``history``: the turns before it, oldest first."""

    question: str = Field(min_length=1, max_length=100_000)
    history: list[Message] = Field(default_factory=list, max_length=_MOST_TURNS)
    effort: Literal["quick", "normal", "deep"] | None = None
    stream: bool = Field(False, description="send the events of the work, as server-sent events")


_FILES: dict[str, Any] = {
    media: {
        "schema": {"type": "array", "items": {"type": "object"}}
        if name == "csl"
        else {"type": "string"}
    }
    for name, (media, _) in MEDIA_TYPES.items()
}


class Papers(BaseModel):
    """A page of the papers of the library; ``total`` counts all that fit."""

    total: int
    papers: list[dict[str, Any]]


class Removed(BaseModel):
    """A paper that was removed."""

    paper_id: str
    title: str


def api_router(
    assistant: Assistant, tell: Teller, *, max_files: int, writable: bool = True
) -> APIRouter:
    """The routes over one assistant; not ``writable``: over the sample library."""
    router = APIRouter(prefix="/api", tags=["library"], responses=FAILURES)

    @router.post(
        "/ask",
        response_model=Answer,
        responses={200: {"content": EVENT_STREAM}},
    )
    async def ask(asked: Question) -> Any:
        """Answers a question; every sentence cites its papers."""
        if asked.stream:
            events = assistant.astream(
                asked.question, asked.history, effort=asked.effort, filters=asked.filters()
            )
            return StreamingResponse(
                _sse(await begun(events), tell), media_type="text/event-stream"
            )
        return await assistant.aask(
            asked.question, asked.history, effort=asked.effort, filters=asked.filters()
        )

    @router.get("/search")
    def search(
        q: Annotated[
            str, Query(min_length=1, max_length=10_000, description="words or a question")
        ],
        filters: _Filters,
        k: Annotated[int, Query(ge=1, le=100, description="papers to find")] = 8,
    ) -> list[SearchResult]:
        """The papers that fit best, each with its best sentence."""
        return assistant.search(q, k, filters=filters)

    @router.get("/papers")
    def papers(
        filters: _Filters,
        words: _Words = "",
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Papers:
        """The papers of the library, in the order in which they came."""
        found = list(assistant.library.chosen(words, filters))
        shown = [record(paper) for paper in islice(found, offset, offset + limit)]
        return Papers(total=len(found), papers=shown)

    @router.get("/export", responses={200: {"content": _FILES}}, response_class=StreamingResponse)
    def export(
        filters: _Filters,
        form: Annotated[
            Literal["jsonl", "bibtex", "ris", "csl", "csv"], Query(alias="format")
        ] = "jsonl",
        words: _Words = "",
    ) -> StreamingResponse:
        """The papers as a file; each has the same key in every format and every export."""
        media, extension = MEDIA_TYPES[form]
        pieces = FORMATS[form](assistant.library.chosen(words, filters), assistant.citation_keys())
        name = f'attachment; filename="papers.{extension}"'
        return StreamingResponse(
            pieces, media_type=f"{media}; charset=utf-8", headers={"Content-Disposition": name}
        )

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
            raise Refused(413, f"At most {max_files} files at once.", param="files")
        return await run_in_threadpool(_ingested, assistant, files)

    news.add_routes(router, assistant, writable=writable)
    screening.add_routes(router, assistant)
    return router


def _check_writable(writable: bool) -> None:
    if not writable:
        raise Refused(409, "This is the sample library, which stays as it is.")


async def _sse(events: AsyncIterator[Event], tell: Teller) -> AsyncIterator[str]:
    try:
        async for event in events:
            values = event.model_dump(mode="json")
            if isinstance(event, ErrorEvent):
                message = tell.of(event)
                values |= {"message": message, **told(message, "server_error")}
            yield data(values, event.type)
    except AssistantError as error:
        yield data({"type": "error", **told(tell(error), "server_error")}, "error")
    except Exception:  # noqa: BLE001  the status has been sent: the error goes into the stream
        log.exception("a stream broke off")
        yield data({"type": "error", **told(DEFECT, "server_error")}, "error")


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
