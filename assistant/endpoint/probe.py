"""Testing an endpoint: is the key taken, is the model there, how soon does it speak."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from assistant.endpoint.chat import Delta, Endpoint
from assistant.endpoint.ledger import Ledger, price_of
from assistant.errors import (
    AssistantError,
    ConfigurationError,
    EndpointError,
    EndpointUnreachable,
    KeyRefused,
    ModelUnknown,
)
from assistant.results import Usage
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.doctor import Check

__all__ = ["Probe", "examine", "probe"]


Part = Literal["", "settings", "endpoint", "key", "model", "reply"]
_COMFORTABLE = 8000
_RULES, _A_PAPER = 350, 300
"""Tokens of the short prompt, and of a paper."""
_NAMED = 12
"""Models that are named to a person; some endpoints have hundreds."""


class Probe(BaseModel):
    """What a test call showed; ``error`` is empty when it went well. Holds no secret.

    ``failed`` is the part that the error is about; ``error`` is ``what`` and ``do`` together.
    """

    model: str
    endpoint: str = ""
    key: str = ""
    models: list[str] = []
    context_window: int | None = None
    price_known: bool = False
    first_token_ms: float | None = None
    usage: Usage | None = None
    error: str = ""
    failed: Part = ""
    what: str = ""
    do: str = ""

    @property
    def ok(self) -> bool:
        """Whether the endpoint can be used."""
        return not self.error


def probe(settings: Settings) -> Probe:
    """Makes one call of a few tokens and says what came of it; raises nothing of ours."""
    from llama_index.core.llms import ChatMessage  # noqa: PLC0415

    result = Probe(model=settings.llm or "")
    once = settings.endpoint.model_copy(update={"max_retries": 0})  # a test waits for nothing
    try:
        endpoint = Endpoint(settings.model_copy(update={"endpoint": once}), cache=False)
    except AssistantError as error:
        return _failed(result, error)
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
        _failed(result, error)
    finally:
        result.usage = ledger.usage
        endpoint.close()
    return result


def examine(settings: Settings) -> Iterator[Check]:
    """The language model as checks of the doctor's: endpoint, key, model, time to first token.

    Calls the endpoint, unlike the doctor's own checks: give it to `diagnose` as one ``more``.
    What comes after a part that is broken cannot be known, and is not said.
    """
    from assistant.doctor import Check  # noqa: PLC0415

    if not settings.llm:
        return
    result = probe(settings)
    broken = Check(name=result.failed, state="broken", found=result.what, do=result.do)
    if result.failed in ("settings", "endpoint"):
        yield broken.model_copy(update={"name": "endpoint"})
        return
    yield Check(name="endpoint", found=f"{result.endpoint} answers")
    if result.failed == "key":
        yield broken
        return
    yield Check(
        name="key", found=f"{result.key}, taken" if result.key != "no key" else "none asked"
    )
    if result.failed == "model":
        do = f"{_named(result.models)}." if result.models else ""
        yield broken.model_copy(update={"do": f"{broken.do} {do}".strip()})
        return
    yield from _model_checks(result, settings)
    if result.failed:
        yield broken
        return
    yield Check(name="first token", found=f"after {result.first_token_ms or 0:.0f} ms")


def _model_checks(result: Probe, settings: Settings) -> Iterator[Check]:
    from assistant.doctor import Check  # noqa: PLC0415

    window = f"{result.context_window:,} tokens" if result.context_window else "not told"
    price = "known" if result.price_known else "not known"
    room = result.context_window
    if room is not None and room < _COMFORTABLE:
        papers = max(0, (room - _RULES - room // 3) // _A_PAPER)
        yield Check(
            name="context window",
            state="attention" if papers else "broken",
            found=f"{room:,} tokens hold about {papers} paper{'' if papers == 1 else 's'} beside "
            "the question and the answer.",
            do="Start the server with a larger context window (8,192 or more), such as "
            "Ollama's num_ctx, vLLM's --max-model-len, llama.cpp's -c.",
        )
    yield Check(
        name="model",
        found=f"{result.model}, context window {window}, price {price}",
        do="" if result.context_window else "Set ASSISTANT_ENDPOINT__CONTEXT_WINDOW.",
    )
    small = settings.llm_small
    if small and result.models and small not in result.models:
        yield Check(
            name="small model",
            state="attention",
            found=f"{small} is not among the models that the endpoint names.",
            do=f"Check ASSISTANT_LLM_SMALL. {_named(result.models)}.",
        )


def _failed(result: Probe, error: AssistantError) -> Probe:
    parts: list[tuple[type[AssistantError], Part]] = [
        (ConfigurationError, "settings"),
        (EndpointUnreachable, "endpoint"),
        (KeyRefused, "key"),
        (ModelUnknown, "model"),
    ]
    result.failed = next((part for kind, part in parts if isinstance(error, kind)), "reply")
    result.error, result.what, result.do = str(error), error.what, error.do
    return result


def _named(models: list[str]) -> str:
    shown = ", ".join(models[:_NAMED])
    more = f" and {len(models) - _NAMED} more" if len(models) > _NAMED else ""
    return f"It has: {shown}{more}"


def _models(endpoint: Endpoint) -> list[str]:
    try:
        return endpoint.models()
    except EndpointError:
        return []  # some servers list none and answer all the same; the call will tell
