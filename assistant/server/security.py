"""What stands between the network and the app: who may come in, and what leaves with an answer.

One ASGI middleware around everything, the page and MCP included:

- on loopback the Host header must name loopback (a web page elsewhere cannot get here by
  pointing its own name at 127.0.0.1), and an Origin must be the server's own (CORS is closed);
- elsewhere a token (programs) or a login with a password (people) is asked for; wrong ones of
  both kinds are counted together, and who makes too many has to wait;
- bodies are limited in size, also where they come without a length;
- nothing but our own files, styles and scripts may be loaded by the page (CSP).
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import math
import secrets
from collections import OrderedDict
from html import escape
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.errors import ConfigurationError
from assistant.server.failing import told
from assistant.server.guesses import Guesses, digest
from assistant.settings import ServerSettings

__all__ = ["Guard", "check_host", "is_loopback"]

COOKIE = "assistant_session"
MAX_BODY = 24_000_000
"""Bytes of a request that is no upload: a long conversation fits in."""
_OPEN = frozenset({"/health"})
_UPLOADS = ("/gradio_api/upload", "/api/ingest")
_SHUT = ("/gradio_api/file", "/gradio_api/proxy", "/gradio_api/stream", "/monitoring", "/file")
"""Doors of Gradio that nothing here uses: they read files and fetch addresses."""
_MOST_SESSIONS = 10_000
_NOBODY = digest(secrets.token_urlsafe())
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Abstract Assistant"'}
log = logging.getLogger("assistant.server")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'; "
        "form-action 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    if host.lower().rstrip(".") in ("localhost", "localhost.localdomain"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_host(host: str, server: ServerSettings) -> None:
    """That a server on ``host`` would not be open to everybody.

    Raises:
        ConfigurationError: it would be.
    """
    secrets = {"token": server.token, "password": server.password}
    secrets |= {f"password of {name}": secret for name, secret in server.users.items()}
    for name, secret in secrets.items():
        if secret is not None and len(secret.get_secret_value()) < 8:
            where = "USERS" if name.startswith("password of") else name.upper()
            raise ConfigurationError(
                f"The server's {name} is shorter than 8 characters.",
                f"Set a longer one in ASSISTANT_SERVER__{where}.",
            )
    if is_loopback(host) or any(secrets.values()):
        return
    raise ConfigurationError(
        f"On {host} others on the network could use this library, and nothing keeps them out.",
        "Set ASSISTANT_SERVER__PASSWORD (for people) or ASSISTANT_SERVER__TOKEN (for programs), "
        "or leave out --host.",
    )


class Guard:
    """The middleware.

    Args:
        app: what it stands before.
        host: the address that the server listens on.
        settings: the token, the password and the limits.
        guesses: counts wrong tokens and passwords.
    """

    def __init__(
        self, app: ASGIApp, *, host: str, settings: ServerSettings, guesses: Guesses | None = None
    ) -> None:
        self._app = app
        self._loopback = is_loopback(host)
        self._settings = settings
        self._token = _secret(settings.token)
        # login name → password; "": who comes without a name
        self._people = {name: _secret(secret) for name, secret in settings.users.items()}
        if settings.password is not None:
            self._people[""] = _secret(settings.password)
        self._guesses = guesses or Guesses()
        # each with its login name; they end with the process
        self._sessions: OrderedDict[bytes, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there is no websocket here
            await send({"type": "websocket.close", "code": 1008})
            return
        headers, path = Headers(scope=scope), str(scope["path"])
        answer = self._refused(headers, path)
        if answer is None and (self._token or self._people) and path not in _OPEN:
            answer = await self._at_the_door(scope, receive, headers)
        limit = self._settings.max_upload if path.startswith(_UPLOADS) else MAX_BODY
        if answer is None and _length(headers) > limit:
            answer = _error(413, f"The body is larger than {limit:,} bytes.")
        if answer is not None:
            await answer(scope, receive, _with_headers(send))
            return
        await self._app(scope, _limited(receive, limit), _with_headers(send))

    def _refused(self, headers: Headers, path: str) -> Response | None:
        host = headers.get("host", "")
        if self._loopback and not is_loopback(_name_of(host)):
            return _error(421, "This server answers only under the name of this machine.")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return _error(403, "Requests from other pages are not answered.")
        if any(path == shut or path.startswith((f"{shut}/", f"{shut}=")) for shut in _SHUT):
            return _error(404, "Not found.")
        return None

    async def _at_the_door(
        self, scope: Scope, receive: Receive, headers: Headers
    ) -> Response | None:
        """What somebody is answered who may not come in; None: they may."""
        path, method = str(scope["path"]), str(scope["method"])
        session = self._session(headers)
        if session is not None:
            scope["login"] = self._sessions[session]
            if path == "/logout":
                return self._logout(method, session)
            return RedirectResponse("/", 303) if path == "/login" else None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and given.strip():
            return self._bearer(scope, given.strip())
        if path == "/login" and method == "POST" and self._people:
            return await self._login(scope, receive)
        return self._asked_for(path, headers)

    def _asked_for(self, path: str, headers: Headers) -> Response:
        """What somebody is answered who brings nothing."""
        if path == "/logout":
            return RedirectResponse("/login", 303)
        if self._people:
            if path == "/login":
                return HTMLResponse(self._door(""))
            if "text/html" in headers.get("accept", ""):
                return HTMLResponse(self._door(""), 401, _CHALLENGE)
        return _error(
            401, "A token is needed: Authorization: Bearer …", "invalid_api_key", _CHALLENGE
        )

    def _session(self, headers: Headers) -> bytes | None:
        """The session that the request's cookie names, if it is one of ours."""
        for cookie in headers.get("cookie", "").split(";"):
            name, _, value = cookie.strip().partition("=")
            # by their digests, whose salt nobody knows: the time of the look-up says nothing
            if name == COOKIE and (found := digest(value)) in self._sessions:
                return found
        return None

    def _bearer(self, scope: Scope, given: str) -> Response | None:
        address = _address(scope)
        if (wait := self._guesses.wait(address)) > 0:
            return _too_often(wait)
        guess = digest(given)
        # a password is for /login: a program's door takes the token alone
        if self._token is not None and hmac.compare_digest(guess, self._token):
            return None
        self._note(address, guess, "token")
        challenge = {"WWW-Authenticate": f'{_CHALLENGE["WWW-Authenticate"]}, error="invalid_token"'}
        return _error(401, "This token is not the server's.", "invalid_api_key", challenge)

    async def _login(self, scope: Scope, receive: Receive) -> Response:
        body = await _read(receive, 4096)
        form = parse_qs(body.decode("utf-8", "replace"))
        name, given = (form.get(field, [""])[0].strip() for field in ("name", "password"))
        address = _address(scope)
        if (wait := self._guesses.wait(address)) > 0:
            said = f"Too many tries; wait {math.ceil(wait)} seconds."
            return HTMLResponse(self._door(said), 429, {"Retry-After": str(math.ceil(wait))})
        wanted = self._people.get(name)
        if not hmac.compare_digest(digest(given), wanted or _NOBODY) or wanted is None:
            self._note(address, digest(f"{name}\n{given}"), "password")
            return HTMLResponse(self._door("That was not it; try again."), 401, _CHALLENGE)
        session = secrets.token_urlsafe(32)
        self._sessions[digest(session)] = name
        while len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
        log.info("%s logged in from %s", name or "somebody", address)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE, session, httponly=True, samesite="strict", secure=scope["scheme"] == "https"
        )
        return response

    def _logout(self, method: str, session: bytes) -> Response:
        if method != "POST":
            return HTMLResponse(_form("/logout", "", "<button>Log out</button>"))
        self._sessions.pop(session, None)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    def _note(self, address: str, guess: bytes, what: str) -> None:
        """Counts a wrong guess and writes it down; never what was guessed."""
        if not self._guesses.wrong(address, guess):
            return
        log.warning("a wrong %s from %s", what, address)
        if self._guesses.wait(address) > 0:
            log.warning("%s made too many wrong guesses, and has to wait", address)

    def _door(self, said: str) -> str:
        """The form that asks who it is."""
        told = f'<p role="alert">{escape(said)}</p>' if said else ""
        names = any(self._people)
        name = (
            '<label for="name">Name</label><input id="name" name="name" autofocus '
            f'autocomplete="username"{"" if "" in self._people else " required"}>'
        )
        field = (
            '<label for="password">Password</label><input id="password" name="password" '
            f'type="password" autocomplete="current-password"{"" if names else " autofocus"} '
            "required><button>Open</button>"
        )
        return _form("/login", told, (name if names else "") + field)


def _secret(given: SecretStr | None) -> bytes | None:
    return None if given is None else digest(given.get_secret_value())


def _address(scope: Scope) -> str:
    """Who asks: behind a proxy on this machine, the one that the proxy names (uvicorn's work)."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _name_of(host: str) -> str:
    """The name in a Host header, without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _length(headers: Headers) -> int:
    try:
        return int(headers.get("content-length", "0"))
    except ValueError:
        return 0


def _error(
    status: int, message: str, code: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    return JSONResponse(told(message, "invalid_request_error", code), status, headers)


def _too_often(wait: float) -> Response:
    after = str(math.ceil(wait))
    message = f"Too many wrong tokens from this address; try again in {after} s."
    return _error(429, message, "rate_limit_exceeded", {"Retry-After": after})


async def _read(receive: Receive, most: int) -> bytes:
    body = b""
    while len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body[:most]


def _limited(receive: Receive, limit: int) -> Receive:
    """``receive`` that ends the request where the body grows beyond ``limit``."""
    seen = 0

    async def read() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                return {"type": "http.disconnect"}
        return message

    return read


def _with_headers(send: Send) -> Send:
    async def write(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            for name in [n for n in headers if n.lower().startswith("access-control-")]:
                del headers[name]
            if "server" in headers:
                del headers["server"]
        await send(message)

    return write


def _form(action: str, told: str, field: str) -> str:
    return f"""<!doctype html><html lang="en"><meta charset="utf-8">
<title>Abstract Assistant</title>
<meta name="viewport" content="width=device-width"><style>
:root {{ color-scheme: light dark; --accent: light-dark(#0b6b5a, #5cc4ad); }}
body {{ font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center;
min-height: 90vh;
background: light-dark(#fbfcfb, #111514); color: light-dark(#18211e, #e7ecea); }}
form {{ display: grid; gap: 14px; width: min(340px, 86vw); }} h1 {{ font-size: 24px; margin: 0; }}
input, button {{ font: inherit; padding: 10px 14px; border-radius: 8px; border: 1px solid #8888; }}
button {{ background: var(--accent); color: light-dark(#fff, #05211a); font-weight: 600;
border: 0; }}
p {{ margin: 0; }}</style><form method="post" action="{action}"><h1>Abstract Assistant</h1>{told}
{field}</form></html>"""
