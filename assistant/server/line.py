"""Back-pressure: so many requests in work, so many that wait, and word for the rest when to come.

One ASGI middleware before what costs work. /health, the page's files and lists of papers pass by.
"""

from __future__ import annotations

import asyncio
import math
import time

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.server.failing import told

__all__ = ["Line"]

_COSTLY = (
    ("POST", "/api/ask"),
    ("GET", "/api/search"),
    ("POST", "/api/ingest"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/responses"),
    ("POST", "/mcp"),
)
_LONGEST_WAIT = 60.0
"""Seconds that a request waits for its turn; then it is told to come back, too."""


class Line:
    """The middleware.

    Args:
        app: what it stands before.
        at_once: requests in work.
        waiting: requests that wait for their turn.
        longest: seconds that one waits.
    """

    def __init__(
        self, app: ASGIApp, *, at_once: int, waiting: int, longest: float = _LONGEST_WAIT
    ) -> None:
        self._app = app
        self._turns = asyncio.Semaphore(at_once)
        self._at_once, self._most_waiting, self._longest = at_once, waiting, longest
        self._waiting = 0
        self._usual = 1.0  # seconds that a request takes, smoothed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through in its turn, or says when to come back."""
        if scope["type"] != "http" or (scope["method"], scope["path"].rstrip("/")) not in _COSTLY:
            await self._app(scope, receive, send)
            return
        if not await self._turn():
            await self._busy()(scope, receive, send)
            return
        started = time.monotonic()
        try:
            await self._app(scope, receive, send)
        finally:
            self._turns.release()
            self._usual += 0.1 * (time.monotonic() - started - self._usual)

    async def _turn(self) -> bool:
        """Whether the request's turn has come; False: there are too many, or it took too long."""
        if self._turns.locked() and self._waiting >= self._most_waiting:
            return False
        self._waiting += 1
        try:
            async with asyncio.timeout(self._longest):
                await self._turns.acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        return True

    def _busy(self) -> JSONResponse:
        seconds = self._usual * (self._waiting + 1) / self._at_once
        after = str(min(max(math.ceil(seconds), 1), 120))
        body = told(
            f"Too many questions at once; try again in {after} s.", "server_error", "overloaded"
        )
        return JSONResponse(body, 503, {"Retry-After": after})
