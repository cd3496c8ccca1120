"""From what the openai client raises to errors that say what was tried and what to do.

`explain` knows the ways in which servers speak of the same thing: OpenAI's codes, and the
plain sentences of vLLM, Ollama, llama.cpp and LM Studio.
"""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from assistant.endpoint.target import Target
from assistant.errors import (
    ContentFiltered,
    ContextTooLong,
    EndpointError,
    EndpointFailed,
    EndpointSlow,
    EndpointUnreachable,
    KeyRefused,
    ModelUnknown,
    QuotaExhausted,
    RateLimited,
    ReplyCut,
    ReplyMalformed,
)

if TYPE_CHECKING:
    import openai

__all__ = ["CALL_ERRORS", "explain", "may_pass", "retry_after", "unsupported_parameter"]

# What a call may raise besides the errors of openai and httpx, when a reply has another shape
# than the protocol's: a body that is no JSON, a null where a list belongs, an unknown role.
CALL_ERRORS = (ValueError, TypeError, AttributeError, KeyError, IndexError)

_SHOWN = 200
_CONTEXT = re.compile(
    r"context[ _](?:length|window|size)|maximum context|max_model_len|too many tokens"
    r"|(?:prompt|input|request) (?:is )?too (?:long|large)|exceeds? the available context"
    r"|max_tokens must be at least 1",  # what is left of the window: less than nothing
    re.IGNORECASE,
)
_QUOTA = re.compile(r"insufficient_quota|quota|billing|credit|balance|payment", re.IGNORECASE)
_FILTER = re.compile(r"content[_ ]?(?:filter|policy|management)|responsible ai", re.IGNORECASE)
_PARAMETERS = ("temperature", "max_tokens", "stream_options")
_NO_SYSTEM = re.compile(
    r"system (?:role|message|prompt)s?\b.{0,40}(?:not|un)\s?support|unsupported.{0,20}system"
    r"|does(?: not|n't) support.{0,20}system|developer instruction is not enabled"
    r"|roles must alternate",
    re.IGNORECASE,
)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a reply asks to wait: ``retry-after-ms``, or ``Retry-After`` in either form."""
    milliseconds, value = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds:
            return max(0.0, float(milliseconds) / 1000)
        if value:
            return max(0.0, float(value))
    except ValueError:
        when = email.utils.parsedate_tz(value or "")
        if when:
            return max(0.0, email.utils.mktime_tz(when) - time.time())
    return None


def may_pass(error: BaseException) -> bool:
    """Whether the same call may succeed a little later."""
    import httpx  # noqa: PLC0415
    import openai  # noqa: PLC0415

    if isinstance(error, openai.RateLimitError):
        return not _QUOTA.search(_said(error))
    if isinstance(error, openai.APIStatusError):
        return error.status_code in (408, 409) or error.status_code >= 500
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return False  # it has been waited for long enough
    if isinstance(error, openai.APIConnectionError | httpx.TransportError):
        # a line that was lost is worth another try, a host that is not there is not
        return not _nobody_there(error)
    return False


def unsupported_parameter(error: BaseException) -> str | None:
    """The parameter of ours that a server refuses to take at all, if that is what it says.

    Reasoning models take no temperature, and ``max_completion_tokens`` for ``max_tokens``;
    old servers know no ``stream_options``, templates of some models no "system".
    """
    import openai  # noqa: PLC0415

    if isinstance(error, openai.APIStatusError) and _NO_SYSTEM.search(_said(error)):
        return "system"
    if not isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
        return None
    said = _said(error)
    if _CONTEXT.search(said):
        return None
    refused = re.search(
        r"unsupported|not support|unrecogni[sz]ed|unknown|extra|not permitted|unexpected"
        r"|only the default",
        said,
        re.IGNORECASE,
    )
    if not refused:
        return None
    named = error.param if isinstance(error.param, str) else ""
    return next((p for p in _PARAMETERS if p == named), None) or next(
        (p for p in _PARAMETERS if p in said), None
    )


def explain(error: BaseException, target: Target, *, begun: bool = False) -> EndpointError:
    """``error`` as one of ours. ``begun``: a part of the reply has already come."""
    import httpx  # noqa: PLC0415
    import openai  # noqa: PLC0415

    if isinstance(error, EndpointError):
        return error
    if isinstance(error, openai.APIStatusError):
        return _from_status(error, target)
    if isinstance(error, openai.APIConnectionError | httpx.HTTPError):
        timed_out = isinstance(error, openai.APITimeoutError | httpx.TimeoutException)
        if begun and not timed_out:
            return cut(target)
        return _from_connection(error, target, timed_out=timed_out)
    if isinstance(error, openai.APIError):  # an error that came as an event of the stream
        return _from_event(error, target)
    return ReplyMalformed(
        f"What {target} sent is no reply in the format of OpenAI's {target.names.service}.",
        f"Check {target.names.url}: it usually ends with /v1.",
    )


def cut(target: Target) -> ReplyCut:
    """The stream ended before the model had finished."""
    return ReplyCut(f"The reply of {target} broke off in the middle.", "Ask again.")


def filtered(target: Target) -> ContentFiltered:
    """The provider's filter said no."""
    return ContentFiltered(
        f"The provider's content filter stopped the reply of {target}.",
        "Put the question in other words, or use another model.",
    )


def _from_status(error: openai.APIStatusError, target: Target) -> EndpointError:  # noqa: PLR0911
    said, status = _said(error), error.status_code
    if status in (401, 403):
        return KeyRefused(
            f"The endpoint refused the key for {target}{_quoted(error, target)}.",
            f"Check {target.names.key}, and that it may use this model.",
        )
    if status in (402, 429):
        return _too_many(error, target)
    if status == 404:
        return _not_found(error, target)
    if status == 413 or (status in (400, 422, 500) and _CONTEXT.search(said)):
        return _too_long(target)
    if status in (400, 422) and _FILTER.search(said):
        return filtered(target)
    if status == 400 and re.search(r"model\b.*not (?:found|exist)", said):
        return _unknown_model(error, target)
    do = "Ask again later." if status >= 500 else "Check the model's name and the address."
    return EndpointFailed(
        f"Calling {target} failed with HTTP {status}{_quoted(error, target)}.", do
    )


def _too_many(error: openai.APIStatusError, target: Target) -> EndpointError:
    if error.status_code == 402 or _QUOTA.search(_said(error)):
        return QuotaExhausted(
            f"The account of {target} has no quota left{_quoted(error, target)}.",
            "Waiting does not help: add credit or raise its limit at the provider.",
        )
    wait = retry_after(error.response.headers)
    when = f" It asks to wait {wait:.0f} s." if wait is not None else ""
    return RateLimited(
        f"Too many requests to {target}{_quoted(error, target)}.{when}",
        target.names.busy,
    )


def _too_long(target: Target) -> ContextTooLong:
    return ContextTooLong(
        f"The papers and the question do not fit into the context window of {target}.",
        "Set ASSISTANT_ENDPOINT__CONTEXT_WINDOW to what the model takes, or "
        "ASSISTANT_GENERATION__PASSAGE_TOKENS lower.",
    )


def _not_found(error: openai.APIStatusError, target: Target) -> EndpointError:
    if "model" in _said(error).lower():
        return _unknown_model(error, target)
    return EndpointUnreachable(
        f"There are no {target.names.service} at {target.shown_url} (HTTP 404).",
        f"Check {target.names.url}: it usually ends with /v1.",
    )


def _unknown_model(error: openai.APIStatusError, target: Target) -> EndpointError:
    return ModelUnknown(
        f"The endpoint {target.shown_url} has no model {target.model!r}{_quoted(error, target)}.",
        f"Name one that it has with {target.names.model}; 'assistant doctor' lists them.",
    )


def _from_connection(error: BaseException, target: Target, *, timed_out: bool) -> EndpointError:
    cause = error.__cause__
    if timed_out and not _nobody_there(error):
        return EndpointSlow(
            f"{_capital(target)} took the request and then was silent for too long.",
            f"Ask again, or set {target.names.timeout} higher; a local model may still load.",
        )
    if not _nobody_there(error):
        return EndpointUnreachable(
            f"The connection to {target.shown_url} was lost before a reply came.",
            "Ask again; if it stays so, look at the server.",
        )
    reason = str(cause) if cause and str(cause) else "no connection"
    return EndpointUnreachable(
        f"Nobody answers at {target.shown_url}: {target.masked(reason)[:_SHOWN].rstrip('.')}.",
        f"Check {target.names.url}, that the server runs, and the network.",
    )


def _from_event(error: openai.APIError, target: Target) -> EndpointError:
    said = _said(error)
    if _FILTER.search(said):
        return filtered(target)
    if _CONTEXT.search(said):
        return _too_long(target)
    return EndpointFailed(
        f"{_capital(target)} broke off its reply with an error{_quoted(error, target)}.",
        "Ask again later.",
    )


def _nobody_there(error: BaseException) -> bool:
    """Whether no connection could be made; told by name, since openai 3 has an httpx of its own."""
    names = {type(one).__name__ for one in (error, error.__cause__)}
    return not names.isdisjoint({"ConnectError", "ConnectTimeout"})


def _said(error: openai.APIError) -> str:
    """Everything that the reply says about the error, as one text to search in."""
    body = error.body if isinstance(error.body, str) else json.dumps(error.body, default=str)
    return f"{error.message} {body}"


def _quoted(error: openai.APIError, target: Target) -> str:
    """What the server says in its own words, one short line, without the key."""
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    if isinstance(body, dict) and not isinstance(message, str):
        message = next((v for v in (body.get("error"), body.get("detail")) if v), None)
    if not isinstance(message, str):
        return ""
    line = " ".join(target.masked(message).split())
    if not line or line.startswith("<"):  # a page of HTML says nothing to a person
        return ""
    return f' ("{line[:_SHOWN].rstrip(".")}")'


def _capital(target: Target) -> str:
    text = str(target)
    return text[:1].upper() + text[1:]
