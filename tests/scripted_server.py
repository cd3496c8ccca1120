"""A scripted OpenAI-compatible server on loopback: what the tests of the endpoint talk to.

    with ScriptedServer() as server:
        server.replies.append(Reply("Pruning helps [1]."))
        settings = Settings.load(openai_base_url=server.url, llm="scripted")

Replies are taken in order, or chosen by ``server.answer`` (a function of the request's body).
Real sockets, real HTTP: a reply may be slow, cut, malformed, an error. ``server.requests`` holds
the bodies that came, ``server.gone`` counts the clients that hung up in the middle of a reply.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One scripted reply.

    ``text``: a string (sent in pieces of ``chunk`` characters) or the pieces themselves.
    ``status`` other than 200 sends ``error`` as the body. ``cut_after``: closes the line after
    so many pieces, ``raw_events``: sent as they are after the text. ``before``, ``between``:
    seconds of silence before the headers, and between the pieces.
    """

    text: str | Sequence[str] = ""
    chunk: int = 7
    status: int = 200
    error: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    finish: str | None = "stop"
    usage: tuple[int, int] | None = (100, 20)
    cut_after: int | None = None
    raw_events: Sequence[str] = ()
    raw_body: bytes | None = None
    content_type: str = "text/event-stream"
    before: float = 0.0
    between: float = 0.0
    until: threading.Event | None = None
    done: bool = True

    @property
    def pieces(self) -> list[str]:
        if not isinstance(self.text, str):
            return list(self.text)
        return [self.text[i : i + self.chunk] for i in range(0, len(self.text), self.chunk)]


def failure(status: int, message: str, code: str | None = None, **headers: str) -> Reply:
    """An error as OpenAI sends it."""
    body = {"error": {"message": message, "code": code, "type": code, "param": None}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, error=body, headers=named)


class ScriptedServer:
    """The server; a context manager. ``url`` is its base URL, ending with ``/v1``."""

    def __init__(self, *replies: Reply | str) -> None:
        self.replies: deque[Reply | str] = deque(replies)
        self.answer: Callable[[dict[str, Any]], Reply | str] | None = None
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.models: list[dict[str, Any]] | int = [{"id": "scripted", "max_model_len": 32_768}]
        self.gone = 0
        self.open = 0
        self.most_open = 0
        self.lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.script = self
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.hang_up()
        self._http.server_close()
        self._thread.join(5)

    def next_reply(self, body: dict[str, Any]) -> Reply:
        with self.lock:
            self.requests.append(body)
            if self.replies:
                return _reply(self.replies.popleft())
        if self.answer is not None:
            return _reply(self.answer(body))
        return failure(500, "the script has no more replies")

    def wait_gone(self, count: int = 1, timeout: float = 5.0) -> bool:
        """Waits until ``count`` clients have hung up in the middle of a reply."""
        end = time.monotonic() + timeout
        while self.gone < count and time.monotonic() < end:
            time.sleep(0.01)
        return self.gone >= count


def _reply(reply: Reply | str) -> Reply:
    return Reply(reply) if isinstance(reply, str) else reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True
    request_queue_size = 64
    script: ScriptedServer

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lines: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.lines.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.lines.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Ends the connections that clients keep open, so that their threads end."""
        for line in list(self.lines):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the play."""


class _GoneError(Exception):
    """The client has hung up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        models = self.server.script.models
        if isinstance(models, int):
            self._send_json(models, {"error": {"message": "no"}}, {})
        elif self.path == "/v1/models":
            self._send_json(200, {"object": "list", "data": models}, {})
        else:
            self._send_json(404, {"error": {"message": "not found"}}, {})

    def do_POST(self) -> None:
        script = self.server.script
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length) or b"{}")
        with script.lock:
            script.headers.append({k.lower(): v for k, v in self.headers.items()})
            script.open += 1
            script.most_open = max(script.most_open, script.open)
        try:
            if not self.path.endswith("completions"):
                self._send_json(404, {"detail": "Not Found"}, {})
                return
            self._play(script.next_reply(body), body)
        except (_GoneError, OSError):
            with script.lock:
                script.gone += 1
            self.close_connection = True
        finally:
            with script.lock:
                script.open -= 1

    def _play(self, reply: Reply, body: dict[str, Any]) -> None:
        self._silence(reply.before)
        if reply.status != 200:
            self._send_json(reply.status, reply.error or {}, reply.headers)
            return
        if reply.raw_body is not None:
            self._send(200, reply.raw_body, reply.content_type, reply.headers)
            return
        self.send_response(200)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chat = self.path.endswith("chat/completions")
        if chat:
            self._event(_chunk("", None, chat))  # the role comes first, as OpenAI sends it
        for n, piece in enumerate(reply.pieces):
            if reply.cut_after == n:
                self._hang_up()
                return
            self._event(_chunk(piece, None, chat))
            self._silence(reply.between)
        while reply.until is not None and not reply.until.is_set():
            self._silence(0.05)
        for raw in reply.raw_events:
            self._chunk(raw.encode())
        if reply.cut_after is not None:
            self._hang_up()
        else:
            self._end(reply, body, chat)

    def _end(self, reply: Reply, body: dict[str, Any], chat: bool) -> None:
        if reply.finish:
            self._event(_chunk("", reply.finish, chat))
        if reply.usage and body.get("stream_options", {}).get("include_usage"):
            event = _chunk("", None, chat)
            event["choices"] = []
            event["usage"] = {
                "prompt_tokens": reply.usage[0],
                "completion_tokens": reply.usage[1],
                "total_tokens": sum(reply.usage),
            }
            self._event(event)
        if reply.done:
            self._chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _silence(self, seconds: float) -> None:
        """Waits, and notices at once when the client hangs up meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.02))
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise _GoneError

    def _event(self, event: dict[str, Any]) -> None:
        self._chunk(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send_json(self, status: int, body: Any, headers: dict[str, str]) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", headers)

    def _send(self, status: int, data: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _chunk(text: str, finish: str | None, chat: bool) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0, "finish_reason": finish}
    if chat:
        choice["delta"] = {} if finish else {"role": "assistant", "content": text}
    else:
        choice["text"] = text
    return {
        "id": "scripted-1",
        "object": "chat.completion.chunk" if chat else "text_completion",
        "created": 0,
        "model": "scripted",
        "choices": [choice],
    }
