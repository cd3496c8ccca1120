"""Who may come in, how much they may send, and what they cannot reach."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from live import Live

from assistant.errors import ConfigurationError
from assistant.server.running import serve as run_server
from assistant.server.security import check_host, is_loopback
from assistant.settings import Settings

from .conftest import Serve

PASSWORD = "correct horse battery"
TOKEN = "token-0123456789"


@pytest.fixture
def locked(serve: Serve) -> Live:
    return serve(host="0.0.0.0", server={"password": PASSWORD, "token": TOKEN})


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.evil.com", False),
        ("127.0.0.1.evil.com", False),
        ("", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_open_address_needs_a_secret(tmp_path: Path) -> None:
    settings = Settings.load(library=tmp_path)
    with pytest.raises(ConfigurationError, match="ASSISTANT_SERVER__PASSWORD"):
        run_server(settings, host="0.0.0.0", port=0, browser=False, tell=lambda _: None)
    with pytest.raises(ConfigurationError, match="8 characters"):
        check_host("0.0.0.0", Settings.load(server={"token": "short"}).server)
    check_host("0.0.0.0", Settings.load(server={"token": TOKEN}).server)
    check_host("127.0.0.1", settings.server)


def test_without_the_secret_nothing_is_told(locked: Live) -> None:
    for path in ("/api/papers", "/v1/models", "/api/openapi.json", "/mcp", "/", "/fonts/x"):
        reply = httpx.get(locked.url + path)
        assert reply.status_code == 401, path
        assert "Pruning" not in reply.text
    assert httpx.get(f"{locked.url}/health").json() == {"status": "ok"}
    for wrong in ("Bearer wrong", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x"):
        reply = httpx.get(f"{locked.url}/api/papers", headers={"Authorization": wrong})
        assert reply.status_code == 401, wrong


def test_the_token_opens(locked: Live) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.get(f"{locked.url}/api/papers", headers=headers).json()["total"] == 3


def test_the_password_opens_for_people(locked: Live) -> None:
    with httpx.Client(base_url=locked.url) as browser:
        page = browser.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 401
        assert 'type="password"' in page.text
        assert browser.post("/login", data={"password": "wrong"}).status_code == 401
        came = browser.post("/login", data={"password": PASSWORD})
        assert came.status_code == 303
        cookie = came.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert PASSWORD not in cookie
        assert browser.get("/api/papers").status_code == 200
    with httpx.Client(base_url=locked.url, cookies={"assistant_session": "forged"}) as other:
        assert other.get("/api/papers").status_code == 401


def test_other_names_and_pages_are_refused(client: httpx.Client, server: Live) -> None:
    rebound = client.get("/api/papers", headers={"Host": "evil.example"})
    assert rebound.status_code == 421
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        reply = client.get("/api/papers", headers={"Origin": origin})
        assert reply.status_code == 403, origin
        assert "access-control-allow-origin" not in reply.headers
    own = client.get("/api/papers", headers={"Origin": server.url})
    assert own.status_code == 200
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert client.options("/api/ask", headers=asked).status_code == 403


def test_bodies_are_limited(serve: Serve) -> None:
    server = serve(server={"max_upload": 2000, "max_files": 2})
    url = f"{server.url}/api/ingest"
    big = [("files", ("a.jsonl", b"x" * 5000))]
    assert httpx.post(url, files=big).status_code == 413
    many = [("files", (f"{n}.jsonl", b"{}")) for n in range(3)]
    assert httpx.post(url, files=many).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1000

    # without a length: the request is cut, whatever the reply is then
    content = endless()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with contextlib.suppress(httpx.TransportError):
        assert httpx.post(url, content=content, headers=headers).status_code >= 400
    assert httpx.get(f"{server.url}/health").status_code == 200


def test_headers_of_every_reply(client: httpx.Client) -> None:
    for path in ("/health", "/api/papers", "/nowhere"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


def test_a_password_is_in_no_message() -> None:
    settings = Settings.load(server={"password": PASSWORD, "token": TOKEN})
    assert PASSWORD not in repr(settings)
    assert TOKEN not in str(settings)
