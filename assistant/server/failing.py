"""Errors as HTTP: a status, one sentence what happened, one what to do; never a traceback."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from assistant import errors

__all__ = ["DEFECT", "install", "status_of", "told"]

DEFECT = "Something went wrong inside the program; this is a defect. Its terminal says more."
log = logging.getLogger("assistant.server")

_STATUSES: dict[type[errors.AssistantError], int] = {
    errors.QuestionError: 422,
    errors.SourceError: 422,
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


def status_of(error: errors.AssistantError) -> int:
    """The status that says best what happened; 503 where only the server's owner can mend it."""
    for kind in type(error).__mro__:
        if kind in _STATUSES:
            return _STATUSES[kind]
    return 503


def told(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """The body of an error, as OpenAI's clients read it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def install(app: FastAPI) -> None:
    """Lets ``app`` answer with these errors."""

    @app.exception_handler(errors.AssistantError)
    async def _ours(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, errors.AssistantError)  # noqa: S101
        status = status_of(error)
        kind = "invalid_request_error" if status < 500 else "server_error"
        return JSONResponse(told(str(error), kind, type(error).__name__), status)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        return JSONResponse(
            told(f"{where or 'the body'}: {first['msg']}", "invalid_request_error"), 422
        )

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        return JSONResponse(
            told(str(error.detail), "invalid_request_error"), error.status_code, error.headers
        )

    @app.exception_handler(Exception)
    async def _defect(_: Request, error: Exception) -> JSONResponse:
        log.error("a request could not be answered", exc_info=error)
        return JSONResponse(told(DEFECT, "server_error"), 500)
