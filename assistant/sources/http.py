"""Asking a service: one polite HTTP client with time limits, waits and clear errors for all.

arXiv, OpenAlex, Semantic Scholar, PubMed and Crossref are asked through the field's own clients
(arxiv, pyalex, semanticscholar, Biopython's Entrez, habanero), which build the requests, turn
the pages and read the answers. Each is given an `Http` in the place of its session: of their
own they heed no Retry-After, keep keys in globals of their module, follow redirections to any
host and know no other address than the service's own.

Not so two: pyzotero (1.16) needs bibtexparser below 2, the readers of files need 2; and
huggingface_hub's `list_daily_papers` (2.4) finds a title only where the day's list repeats it
beside the paper, ends at the first entry that is no object, and asks through one session and
one key for the whole process, which Gradio uses too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any, NoReturn, Self, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from assistant.errors import SourceError
from assistant.settings import SourcesSettings

__all__ = ["Host", "Http", "Malformed", "NotFound"]

Found = TypeVar("Found")

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_BYTES = 200_000_000
_MOST_REDIRECTS = 5


class Malformed(Exception):
    """An answer is not what the service documents; it may be so only this time."""


class NotFound(SourceError):
    """The service has no such record."""


class _MayPass(Exception):
    """Something that is tried again; ``wait`` in seconds where the service named it."""

    def __init__(self, what: str, wait: float | None = None, *, unreachable: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.wait = wait
        self.unreachable = unreachable


@dataclass(frozen=True)
class Host:
    """Who is asked, and how.

    ``url``: its base address where no setting gives another; "" where the query is the address.
    ``interval``: seconds between two requests, as its terms ask. ``key_header`` and
    ``key_parameter`` say how a key is sent.
    """

    name: str
    label: str
    url: str
    interval: float = 0.0
    key_header: str = ""
    key_prefix: str = ""
    key_parameter: str = ""
    email_parameter: str = ""

    @property
    def setting(self) -> str:
        """Its group of settings, and the middle of its environment variables."""
        return self.name.replace("-", "_")


class Http:
    """One service for one sync; a context manager.

    Args:
        service: whom to ask.
        settings: addresses, keys, time limits.
        notify: told when it waits.
        url: base address, where neither the settings nor the service have one (feeds).
    """

    def __init__(
        self,
        service: Host,
        settings: SourcesSettings,
        notify: Callable[[str], None] = lambda _: None,
        url: str = "",
    ) -> None:
        own = settings.of(service.setting)
        self.service = service
        self.base = (own.url or service.url or url).rstrip("/")
        self.host = urlsplit(self.base).netloc.rpartition("@")[2]
        self.email = own.email or settings.email
        self.has_key = own.key is not None
        self._settings = settings
        self._interval = service.interval if own.interval is None else own.interval
        self.notify = notify
        self._asked = 0.0
        agent = f"abstract-assistant/{version('abstract-assistant')}"
        headers = {"User-Agent": f"{agent} (mailto:{self.email})" if self.email else agent}
        secrets: dict[str, str] = {}
        if own.key is not None:
            if service.key_header:
                headers[service.key_header] = service.key_prefix + own.key.get_secret_value()
            if service.key_parameter:
                secrets[service.key_parameter] = own.key.get_secret_value()
        if self.email and service.email_parameter:
            secrets[service.email_parameter] = self.email
        try:
            timeout = httpx.Timeout(settings.timeout, connect=settings.connect_timeout)
            transport = _WithSecrets(self.base, secrets)
            self._client = httpx.Client(headers=headers, timeout=timeout, transport=transport)
        except (ValueError, UnicodeError):
            raise SourceError(
                f"The key or e-mail for {service.label} holds characters that cannot be sent.",
                f"Correct ASSISTANT_SOURCES__{service.setting.upper()}__KEY.",
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def tried(self, ask: Callable[[], Found]) -> Found:
        """What ``ask`` yields, which asks through `get`; again where what went wrong may pass.

        Args:
            ask: raises `Malformed`, or what a client raises that stumbles, where the answer is
                not what it should be.

        Raises:
            NotFound: status 404 or 410.
            SourceError: what went wrong did not pass, or cannot.
        """
        attempts = Retrying(
            stop=self._stop,
            retry=retry_if_exception_type(_MayPass),
            wait=self._wait,
            sleep=time.sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            found: Found = attempts(self._once, ask)
        except _MayPass as error:
            kept = "what came before is kept; the same command later goes on there."
            do = f"Look after the network; {kept}" if error.unreachable else kept.capitalize()
            raise SourceError(error.what, do) from None
        return found

    def _once(self, ask: Callable[[], Found]) -> Found:
        try:
            return ask()
        except Malformed as error:
            self._unusable(str(error))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            self._unusable("it is not what the service documents")

    def _unusable(self, why: str) -> NoReturn:
        raise _MayPass(
            f"The answer of {self.service.label} ({self.host}) cannot be used: {why}."
        ) from None

    def _stop(self, state: RetryCallState) -> bool:
        """A host that is not there is tried twice, what may pass as often as the settings say."""
        error = state.outcome.exception() if state.outcome else None
        most = self._settings.retries
        if isinstance(error, _MayPass) and error.unreachable:
            most = min(most, 1)
        return state.attempt_number > most

    def get(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        **_: object,
    ) -> httpx.Response:
        """One request, in the form in which clients ask a session of requests or httpx.

        Args:
            url: under the service's own address or the one that stands for it, or what follows
                it; its query may hold parameters. Another host is not asked.
            params: of the query; those that say nothing are left out.
            headers: of this request only; who we are is said already.
            data: makes it a POST of a form.
            _: what else clients tell their session (authentication, time limits) is known.

        Raises:
            NotFound: status 404 or 410.
            SourceError: it cannot be asked, or not so. What may pass is caught by `tried`.
        """
        time.sleep(max(0.0, self._asked + self._interval - time.monotonic()))
        label = self.service.label
        more = {k: v for k, v in (headers or {}).items() if k.lower() != "user-agent"}
        if data is not None:
            more["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            response = self._followed(self._target(url, params or {}), more, data)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise _MayPass(f"{label} ({self.host}) cannot be reached.", unreachable=True) from None
        except httpx.TimeoutException:
            raise _MayPass(f"{label} ({self.host}) did not answer in time.") from None
        except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError):
            raise _MayPass(f"The connection to {label} ({self.host}) broke off.") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError):
            raise SourceError(f"{self.base!r} is no web address that can be asked.") from None
        except httpx.HTTPError as error:
            kind = type(error).__name__
            raise SourceError(f"{label} ({self.host}) could not be asked ({kind}).") from None
        finally:
            self._asked = time.monotonic()
        self._check(response)
        return response

    def _target(self, url: str, params: Mapping[str, Any]) -> httpx.URL:
        for base in filter(None, (self.service.url, self.base)):
            if url.startswith(base):
                url = url.removeprefix(base)
                break
        if url and url[0] not in "/?":
            raise SourceError(f"{self.service.label} is not to be asked at {url.split('?')[0]}.")
        path, _, query = url.partition("?")
        asked = {**httpx.QueryParams(query), **params}
        said = {name: value for name, value in asked.items() if value not in (None, "")}
        return httpx.URL(self.base + path).copy_merge_params(said)

    def _followed(
        self, target: httpx.URL, headers: dict[str, str], data: bytes | None
    ) -> httpx.Response:
        """The answer, after redirections that stay on the host that was asked for."""
        for _ in range(_MOST_REDIRECTS):
            response = self._read(target, headers, data)
            if not response.has_redirect_location:
                return response
            target = target.join(response.headers["location"])
            if target.host != urlsplit(self.base).hostname:
                raise SourceError(
                    f"{self.service.label} ({self.host}) sends us on to another host, "
                    f"{target.host}, which was not asked for.",
                    "If you trust it, give that address instead.",
                )
        raise SourceError(f"{self.service.label} ({self.host}) sends us round in circles.")

    def _read(self, url: httpx.URL, headers: dict[str, str], data: bytes | None) -> httpx.Response:
        method = "GET" if data is None else "POST"
        with self._client.stream(method, url, headers=headers, content=data) as response:
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise SourceError(
                        f"{self.service.label} ({self.host}) sends more than "
                        f"{_MOST_BYTES // 1_000_000} MB in one answer."
                    )
        plain = {
            k: v
            for k, v in response.headers.items()
            if k not in ("content-encoding", "content-length", "transfer-encoding")
        }
        return httpx.Response(
            response.status_code, headers=plain, content=bytes(body), request=response.request
        )

    def _check(self, response: httpx.Response) -> None:
        status, label = response.status_code, self.service.label
        if response.is_success or status == httpx.codes.NOT_MODIFIED:
            return
        if status in _PASSING:
            busy = status == httpx.codes.TOO_MANY_REQUESTS
            what = "gets too many requests" if busy else f"is out of order (status {status})"
            raise self._busy(f"{label} ({self.host}) {what}.", response)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            variable = f"ASSISTANT_SOURCES__{self.service.setting.upper()}__KEY"
            keyed = self.service.key_header or self.service.key_parameter
            raise SourceError(
                f"{label} ({self.host}) refuses the request (status {status}).",
                f"{'Correct' if self.has_key else 'Set'} {variable}." if keyed else "",
            )
        if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            raise NotFound(f"{label} ({self.host}) has no such thing (status {status}).")
        raise SourceError(
            f"{label} ({self.host}) does not take the request (status {status}).",
            "Look at the query.",
        )

    def _busy(self, what: str, response: httpx.Response) -> Exception:
        wait = max(_seconds(response.headers.get(n, "")) for n in ("retry-after", "backoff"))
        if wait > self._settings.max_wait:
            return SourceError(
                f"{what[:-1]} and asks to wait {wait:,.0f} s.",
                "What came before is kept; the same command later goes on there.",
            )
        return _MayPass(what, wait or None)

    def _wait(self, state: RetryCallState) -> float:
        """Seconds: as the service says, else twice as long each time."""
        error = state.outcome.exception() if state.outcome else None
        named = error.wait if isinstance(error, _MayPass) else None
        backoff = self._settings.backoff * 2.0 ** (state.attempt_number - 1)
        return min(named if named is not None else backoff, self._settings.max_wait)

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _MayPass) and state.next_action is not None:
            self.notify(f"{error.what} Asked again in {state.next_action.sleep:,.0f} s.")


class _WithSecrets(httpx.BaseTransport):
    """Joins a key to the query on the wire only: logs, messages and errors hold none.

    One host is spoken to, through the proxy that the environment names for it.
    """

    def __init__(self, base: str, secrets: Mapping[str, str]) -> None:
        parts = urlsplit(base)
        named = getproxies()
        proxy = named.get(parts.scheme) or named.get("all")
        if proxy and proxy_bypass(parts.hostname or ""):
            proxy = None
        self._inner = httpx.HTTPTransport(proxy=proxy)
        self._secrets = dict(secrets)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to the request with its secrets."""
        if self._secrets:
            url = request.url.copy_merge_params(self._secrets)
            request = httpx.Request(
                request.method,
                url,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Closes the connections."""
        self._inner.close()


def _seconds(header: str) -> float:
    """Of a Retry-After: seconds, or a date; 0 where it says nothing."""
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0
