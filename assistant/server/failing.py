"""Errors as HTTP: a status, one sentence what happened, one what to do; never a traceback.

Every body is ``{"error": {"message", "type", "param", "code"}}``, as OpenAI's clients read it.
Who is on another machine is not told paths, addresses or keys of this one: the terminal is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from assistant import errors
from assistant.results import ErrorEvent

__all__ = [
    "DEFECT",
    "EVENT_STREAM",
    "FAILURES",
    "Failed",
    "Refused",
    "Teller",
    "install",
    "status_of",
    "told",
]

DEFECT = "Something went wrong inside the program; this is a defect. Its terminal says more."
log = logging.getLogger("assistant.server")

_STATUSES: dict[type[errors.AssistantError], int] = {
    errors.QuestionError: 422,
    errors.SourceError: 422,
    errors.ConversationNotFound: 404,
    errors.ScreeningNotFound: 404,
    errors.DecisionStands: 409,
    errors.PaperNotFound: 404,
    errors.LibraryNotFound: 404,
    errors.WatchError: 404,
    errors.LibraryMismatch: 409,
    errors.LibraryLocked: 503,
    errors.RateLimited: 429,
    errors.ContextTooLong: 413,
    errors.EndpointSlow: 504,
    errors.EndpointError: 502,
}


class Problem(BaseModel):
    """An error, in the words for a person."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Failed(BaseModel):
    """The body of every answer that is no success."""

    error: Problem


FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failed, "description": words}
    for status, words in {
        400: "The request cannot be done as it is asked.",
        401: "A token or a login is needed.",
        403: "Requests from other pages are not answered.",
        404: "There is no such thing here.",
        405: "This is asked in another way.",
        409: "The library is not in a state for this.",
        413: "Too large.",
        421: "Not under this name.",
        422: "A value is wrong.",
        429: "Too many wrong tokens, or a language model that is asked too often.",
        500: "A defect of the program.",
        502: "The language model failed.",
        503: "Too busy; Retry-After says when to come back.",
        504: "The language model was silent.",
    }.items()
}
"""What can happen besides success, for the description of the API."""


EVENT_STREAM: dict[str, Any] = {
    "text/event-stream": {
        "schema": {
            "type": "object",
            "description": "one event: its name, where it has one, and JSON as its data",
            "required": ["data"],
            "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
        }
    }
}
"""How a stream is described."""


class Refused(HTTPException):
    """A request that is refused, with the parameter that it is about."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(status, message)
        self.param = param
        self.code = code


class Teller:
    """Puts errors into words for who asked.

    Args:
        here: only this machine can ask, so that its paths and addresses may be told.
    """

    def __init__(self, *, here: bool) -> None:
        self._here = here

    def __call__(self, error: errors.AssistantError) -> str:
        """The message; what is held back goes to the terminal."""
        message = error.worded(here=self._here)
        if message != str(error):
            log.warning("%s", error)
        return message

    def of(self, event: ErrorEvent) -> str:
        """The message of a stream's last event."""
        if isinstance(event.error, errors.AssistantError):
            return self(event.error)
        return event.message if self._here else DEFECT


def status_of(error: errors.AssistantError) -> int:
    """The status that says best what happened; 503 where only the server's owner can mend it."""
    for kind in type(error).__mro__:
        if kind in _STATUSES:
            return _STATUSES[kind]
    return 503


def told(
    message: str, kind: str, code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def install(app: FastAPI, tell: Teller) -> None:
    """Lets ``app`` answer with these errors."""

    @app.exception_handler(errors.AssistantError)
    async def _ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, errors.AssistantError)  # noqa: S101
        status = status_of(error)
        if status == 422 and _is_openai(request):
            status = 400
        kind = "invalid_request_error" if status < 500 else "server_error"
        headers = {"Retry-After": "5"} if status in (429, 503) else None
        return JSONResponse(told(tell(error), kind, type(error).__name__), status, headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
        unknown = first["type"] == "extra_forbidden"
        what = "there is no such parameter" if unknown else first["msg"]
        code = "unknown_parameter" if unknown else "invalid_value"
        body = told(f"{where or 'the body'}: {what}", "invalid_request_error", code, where or None)
        return JSONResponse(body, 400 if _is_openai(request) else 422)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        code, param = getattr(error, "code", None), getattr(error, "param", None)
        body = told(str(error.detail), "invalid_request_error", code, param)
        headers: Mapping[str, str] | None = error.headers
        return JSONResponse(body, error.status_code, headers)

    @app.exception_handler(Exception)
    async def _defect(_: Request, error: Exception) -> JSONResponse:
        log.error("a request could not be answered", exc_info=error)
        return JSONResponse(told(DEFECT, "server_error"), 500)


def _is_openai(request: Request) -> bool:
    """Whether OpenAI's API is spoken, where a wrong value is a 400."""
    return request.url.path.startswith("/v1/")
