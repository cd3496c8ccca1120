"""When a call is made again, and after how long: for chat and for embeddings alike."""

from __future__ import annotations

import random
from dataclasses import dataclass

from assistant.endpoint import failures

__all__ = ["Retries"]

_FIRST_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Retries:
    """``most``: further tries; ``longest``: seconds that an endpoint may ask to wait."""

    most: int
    longest: float

    def pause(self, error: BaseException, attempt: int) -> float | None:
        """Seconds until the next try; None where another try is of no use."""
        if attempt > self.most or not failures.may_pass(error):
            return None
        response = getattr(error, "response", None)
        asked = failures.retry_after(response.headers) if response is not None else None
        if asked is not None:
            return asked if asked <= self.longest else None
        pause = _FIRST_PAUSE * 2.0 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311
        return min(pause, self.longest)

    def why(self, error: BaseException, pause: float, attempt: int) -> str:
        """What a person is told meanwhile."""
        status = getattr(error, "status_code", None)
        reason = {None: "the connection was lost", 429: "rate limited (429)"}.get(
            status, f"the endpoint failed ({status})"
        )
        seconds = f"{pause:.0f} s" if pause >= 1 else "a moment"
        return f"{reason}; trying again in {seconds} ({attempt} of {self.most})"
