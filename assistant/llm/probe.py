"""Testing an endpoint: is the key taken, is the model there, how soon does it speak."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel

from assistant.errors import AssistantError, EndpointError
from assistant.llm.endpoint import Delta, Endpoint
from assistant.llm.ledger import Ledger, price_of
from assistant.results import Usage
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.doctor import Check

__all__ = ["Probe", "examine", "probe"]


class Probe(BaseModel):
    """What a test call showed; ``error`` is empty when it went well. Holds no secret."""

    model: str
    endpoint: str = ""
    key: str = ""
    models: list[str] = []
    context_window: int | None = None
    price_known: bool = False
    first_token_ms: float | None = None
    usage: Usage | None = None
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the endpoint can be used."""
        return not self.error


def probe(settings: Settings) -> Probe:
    """Makes one call of a few tokens and says what came of it; raises nothing of ours."""
    from llama_index.core.llms import ChatMessage  # noqa: PLC0415

    result = Probe(model=settings.llm or "")
    try:
        endpoint = Endpoint(settings, cache=False)
    except AssistantError as error:
        result.error = str(error)
        return result
    result.endpoint, result.key = endpoint.target.shown_url, endpoint.target.masked_key
    result.price_known = price_of(endpoint.target) is not None
    ledger = Ledger()
    try:
        result.models = _models(endpoint)
        result.context_window = endpoint.context_window()
        started = time.perf_counter()
        # reasoning models think before they speak: 16 tokens would be all thought
        for piece in endpoint.stream(
            [ChatMessage(role="user", content="Reply with: ready")], ledger, max_tokens=256
        ):
            if isinstance(piece, Delta) and result.first_token_ms is None:
                result.first_token_ms = (time.perf_counter() - started) * 1000
    except AssistantError as error:
        result.error = str(error)
    finally:
        result.usage = ledger.usage
        endpoint.close()
    return result


def examine(settings: Settings) -> Iterator[Check]:
    """The endpoint as a check of the doctor's: key, address, model, time to the first token.

    Calls the endpoint, unlike the doctor's own checks: give it to `diagnose` as one ``more``.
    """
    from assistant.doctor import Check  # noqa: PLC0415

    if not settings.llm:
        return
    result = probe(settings)
    if not result.ok:
        yield Check(name="endpoint", state="broken", found=result.error)
        return
    window = f"{result.context_window:,} tokens" if result.context_window else "not told"
    price = "known" if result.price_known else "not known"
    yield Check(
        name="endpoint",
        found=f"{result.model} at {result.endpoint} ({result.key}) answers; first token after "
        f"{result.first_token_ms or 0:.0f} ms, context window {window}, price {price}",
        do="" if result.context_window else "Set ASSISTANT_ENDPOINT__CONTEXT_WINDOW.",
    )


def _models(endpoint: Endpoint) -> list[str]:
    try:
        return endpoint.models()
    except EndpointError:
        return []  # some servers list none and answer all the same; the call will tell
