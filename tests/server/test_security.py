"""Who may come in, how much they may send, and what they cannot reach."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from live import Live
from scripted_server import ScriptedServer, failure

from assistant.errors import ConfigurationError
from assistant.server.running import serve as run_server
from assistant.server.security import check_host, is_loopback
from assistant.settings import Settings

from .conftest import QUESTION, Serve

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


def test_a_password_opens_the_login_and_nothing_else(locked: Live) -> None:
    for path in ("/api/papers", "/v1/models", "/mcp"):
        reply = httpx.get(locked.url + path, headers={"Authorization": f"Bearer {PASSWORD}"})
        assert reply.status_code == 401, path
    # and the token is no password
    assert httpx.post(f"{locked.url}/login", data={"password": TOKEN}).status_code == 401


def test_a_401_says_how_to_come_in(locked: Live) -> None:
    for kind in ("application/json", "text/html"):
        reply = httpx.get(f"{locked.url}/api/papers", headers={"Accept": kind})
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"] == 'Bearer realm="Abstract Assistant"'
    wrong = httpx.get(f"{locked.url}/api/papers", headers={"Authorization": "Bearer wrong"})
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]
    assert wrong.json()["error"].keys() == {"message", "type", "param", "code"}


def test_guesses_at_every_door_count_together(
    locked: Live, caplog: pytest.LogCaptureFixture
) -> None:
    login = f"{locked.url}/login"
    seen = []
    for n in range(3):
        headers = {"Authorization": f"Bearer guess-{n}"}
        seen.append(httpx.get(f"{locked.url}/v1/models", headers=headers).status_code)
        seen.append(httpx.post(login, data={"password": f"guess {n}"}).status_code)
    assert seen == [401] * 5 + [429]
    # what is right is not looked at either, so that nothing is learnt
    right = httpx.get(f"{locked.url}/api/papers", headers={"Authorization": f"Bearer {TOKEN}"})
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 60
    late = httpx.post(login, data={"password": PASSWORD})
    assert late.status_code == 429
    assert "wait" in late.text
    assert "set-cookie" not in late.headers
    told = [r.getMessage() for r in caplog.records if r.name == "assistant.server"]
    assert any("wrong token from 127.0.0.1" in line for line in told)
    assert any("wrong password from 127.0.0.1" in line for line in told)
    assert any("has to wait" in line for line in told)
    assert "guess" not in "".join(told).replace("guesses", "")


def test_a_thousand_guesses_at_once(locked: Live) -> None:
    async def guess() -> list[int]:
        async with httpx.AsyncClient(base_url=locked.url, timeout=60) as client:

            async def one(n: int) -> int:
                headers = {"Authorization": f"Bearer {n}"}
                return (await client.get("/api/papers", headers=headers)).status_code

            return await asyncio.gather(*(one(n) for n in range(300)))

    statuses = asyncio.run(guess())
    assert statuses.count(401) == 5
    assert statuses.count(429) == 295


def test_who_is_logged_in_stays_so_while_others_guess(locked: Live) -> None:
    with httpx.Client(base_url=locked.url) as browser:
        browser.post("/login", data={"password": PASSWORD})
        for n in range(7):
            httpx.post(f"{locked.url}/login", data={"password": str(n)})
        assert browser.get("/api/papers").status_code == 200


def test_logout(locked: Live) -> None:
    with httpx.Client(base_url=locked.url) as browser, httpx.Client(base_url=locked.url) as other:
        assert browser.get("/login").status_code == 200
        browser.post("/login", data={"password": PASSWORD})
        other.post("/login", data={"password": PASSWORD})
        kept = dict(browser.cookies)
        assert 'action="/logout"' in browser.get("/logout").text
        assert browser.get("/api/papers").status_code == 200  # looking logs nobody out
        out = browser.post("/logout")
        assert (out.status_code, out.headers["location"]) == (303, "/login")
        assert browser.get("/api/papers").status_code == 401
        # the server has forgotten the session, not the browser alone
        assert httpx.get(f"{locked.url}/api/papers", cookies=kept).status_code == 401
        assert other.get("/api/papers").status_code == 200


def test_behind_https_the_cookie_is_secure(locked: Live) -> None:
    plain = httpx.post(f"{locked.url}/login", data={"password": PASSWORD})
    assert "secure" not in plain.headers["set-cookie"].lower()
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    behind = httpx.post(f"{locked.url}/login", data={"password": PASSWORD}, headers=headers)
    assert "secure" in behind.headers["set-cookie"].lower()


def test_errors_for_others_hold_no_address_and_no_key(serve: Serve) -> None:
    key = "sk-verysecret-123456"
    with ScriptedServer() as script:
        script.answer = lambda _: failure(401, f"Incorrect API key provided: {key[:9]}***3456")
        endpoint = {"llm": "m", "openai_base_url": script.url, "openai_api_key": key}
        server = serve(host="0.0.0.0", server={"token": TOKEN}, **endpoint)
        body = {"question": QUESTION}
        chat = {"messages": [{"role": "user", "content": QUESTION}]}
        with httpx.Client(
            base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
        ) as client:
            replies = [
                client.post("/api/ask", json=body),
                client.post("/api/ask", json={**body, "stream": True}),
                client.post("/v1/chat/completions", json=chat),
                client.post("/v1/chat/completions", json={**chat, "stream": True}),
                client.post("/v1/responses", json={"input": QUESTION}),
                client.post("/v1/responses", json={"input": QUESTION, "stream": True}),
            ]
        address = script.url.removeprefix("http://").removesuffix("/v1")
    for reply in replies:
        assert "language model could not answer" in reply.text
        assert address not in reply.text
        assert "sk-" not in reply.text
        assert "3456" not in reply.text
    assert [reply.status_code for reply in replies] == [502, 200, 502, 200, 502, 200]


def test_on_this_machine_errors_say_everything(serve: Serve) -> None:
    server = serve(llm="m", openai_base_url="http://127.0.0.1:9/v1", openai_api_key="k" * 20)
    reply = httpx.post(f"{server.url}/api/ask", json={"question": QUESTION}, timeout=60)
    assert reply.status_code == 502
    assert "127.0.0.1:9" in reply.text


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


def test_one_password_tried_on_many_names_is_many_guesses(serve: Serve) -> None:
    server = serve(host="0.0.0.0", server={"users": {"ada": "ada's own secret"}})
    seen = [
        httpx.post(f"{server.url}/login", data={"name": f"n{n}", "password": "the same"})
        for n in range(7)
    ]
    assert [reply.status_code for reply in seen] == [401] * 5 + [429] * 2


def test_a_users_password_has_to_be_long(tmp_path: Path) -> None:
    check_host("0.0.0.0", Settings.load(server={"users": {"ada": "long enough"}}).server)
    with pytest.raises(ConfigurationError, match=r"password of ada.*ASSISTANT_SERVER__USERS"):
        check_host("0.0.0.0", Settings.load(server={"users": {"ada": "short"}}).server)
