"""Vectors from an endpoint; what goes wrong there is said in one sentence, and soon."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.embedding import Embedder, as_llama_embedding, open_embedder
from assistant.embedding.minilm import MiniLM
from assistant.errors import ConfigurationError, EndpointError
from assistant.settings import Settings

MakeSettings = Callable[..., Settings]

KEY = "sk-good-0123456789"
TEXTS = [f"text number {number} " + "x" * number for number in range(23)]


def _vector(text: str) -> list[float]:
    """Not of length 1: the client has to see to that."""
    return [float(len(text)), 1.0, float(sum(text.encode()) % 97)]


REPLIES: dict[str, tuple[int, dict[str, object]]] = {
    "missing": (404, {"error": {"message": "model 'missing' not found,\n try pulling it first"}}),
    "full": (429, {"error": {"message": "No money.", "code": "insufficient_quota"}}),
    "broken": (500, {"error": {"message": "Out of memory."}}),
    "chat": (200, {"object": "chat.completion", "choices": []}),
}
"""What the models answer that never answer otherwise."""


class _Endpoint(ThreadingHTTPServer):
    """A small OpenAI-compatible endpoint; the model's name says how it behaves."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[dict[str, Any]] = []
        self.refusals = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: _Endpoint
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.calls.append(wanted)
        model, texts = wanted["model"], wanted["input"]
        key = self.headers["authorization"].removeprefix("Bearer ")
        if key not in {KEY, "none"}:
            self._send(401, {"error": {"message": f"Incorrect API key provided: {key}."}})
        elif model == "busy" and self.server.refusals < 2:
            self.server.refusals += 1
            self._send(503 if self.server.refusals == 1 else 429, {"error": {"message": "Later."}})
        elif model == "page":
            self._send_bytes(200, b"<html>Welcome</html>", "text/html")
        elif model in REPLIES:
            self._send(*REPLIES[model])
        else:
            time.sleep(2 if model == "slow" else 0)
            self._send_vectors(self._changed(model, [_vector(text) for text in texts]))

    def _changed(self, model: str, vectors: list[list[float]]) -> list[list[float]]:
        if model == "few":
            return vectors[:-1]
        if model == "ragged":
            return [vector[: 2 + index % 2] for index, vector in enumerate(vectors)]
        if model == "changing":
            return [vector[: 4 - len(self.server.calls)] for vector in vectors]
        return vectors

    def _send_vectors(self, vectors: list[list[float]]) -> None:
        data = [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        self._send(200, {"object": "list", "data": data, "model": "m", "usage": usage})

    def _send(self, status: int, value: object) -> None:
        self._send_bytes(status, json.dumps(value).encode(), "application/json")

    def _send_bytes(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if status in {429, 503}:
            self.send_header("retry-after", "0")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def endpoint() -> Iterator[_Endpoint]:
    with _Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def open_endpoint(
    endpoint: _Endpoint, tmp_path: Path, make_settings: MakeSettings
) -> Callable[..., Embedder]:
    def make(model: str = "good", **embedding: object) -> Embedder:
        given = {"base_url": endpoint.url, "api_key": KEY, **embedding}
        return open_embedder(make_settings(tmp_path, provider="openai", model=model, **given))

    return make


def test_vectors(open_endpoint: Callable[..., Embedder], endpoint: _Endpoint) -> None:
    embedder = open_endpoint(batch_size=4)
    assert endpoint.calls == []  # opening asks nothing
    steps: list[int] = []
    vectors = embedder.embed(TEXTS, steps.append)
    expected = np.array([_vector(text) for text in TEXTS])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected, rtol=1e-5)
    assert vectors.dtype == np.float32
    assert sum(steps) == len(TEXTS)
    assert [len(call["input"]) for call in endpoint.calls].count(4) == 5
    np.testing.assert_array_equal(embedder.embed_query(TEXTS[3]), vectors[3])
    assert isinstance(embedder, Embedder)


def test_identity(open_endpoint: Callable[..., Embedder], endpoint: _Endpoint) -> None:
    embedder = open_endpoint()
    assert embedder.name == f"good at {endpoint.url}"
    assert embedder.fingerprint == "openai:127.0.0.1:good:3"
    assert embedder.dimension == 3
    assert len(endpoint.calls) == 1
    assert embedder.embed([]).shape == (0, 3)


def test_odd_texts(open_endpoint: Callable[..., Embedder], endpoint: _Endpoint) -> None:
    assert np.isfinite(open_endpoint().embed(["", "  ", "\ud83d", "深\x00"])).all()
    assert all(text.strip() for text in endpoint.calls[0]["input"])  # the API refuses empty ones


def test_tokens_are_estimated(open_endpoint: Callable[..., Embedder]) -> None:
    embedder = open_endpoint()
    assert [embedder.count_tokens(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


def test_the_shared_openai_settings_are_the_second_choice(
    endpoint: _Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    monkeypatch.setenv("ASSISTANT_EMBEDDING__PROVIDER", "openai")
    monkeypatch.setenv("ASSISTANT_EMBEDDING__MODEL", "good")
    assert open_embedder(Settings.load()).embed_query("a").shape == (3,)


def test_a_busy_endpoint_is_asked_again(
    open_endpoint: Callable[..., Embedder], endpoint: _Endpoint
) -> None:
    assert open_endpoint("busy").embed_query("a").shape == (3,)
    assert len(endpoint.calls) == 3


@pytest.mark.parametrize(
    ("model", "calls", "says"),
    [
        ("missing", 1, r"has no model 'missing' \(\"model 'missing' not found, try"),
        ("full", 1, r"no quota left \(\"No money\"\)"),
        ("page", 1, "is not one vector a text"),
        ("chat", 1, "is not one vector a text"),
        ("few", 1, "is not one vector a text"),
        ("ragged", 1, "is not one vector a text"),
    ],
)
def test_what_is_hopeless_is_said_at_once(
    open_endpoint: Callable[..., Embedder], endpoint: _Endpoint, model: str, calls: int, says: str
) -> None:
    embedder = open_endpoint(model)
    begin = time.perf_counter()
    with pytest.raises(EndpointError, match=says) as caught:
        embedder.embed(["a", "b"])
    assert time.perf_counter() - begin < 2
    assert endpoint.url in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.do
    assert len(endpoint.calls) == calls


def test_a_wrong_key_is_not_shown(open_endpoint: Callable[..., Embedder]) -> None:
    with pytest.raises(
        EndpointError, match=r"refused the key for the embedding model .*…cret"
    ) as caught:
        open_endpoint(api_key="sk-wrong-secret").embed_query("a")
    assert "sk-wrong-secret" not in str(caught.value)
    assert "OPENAI_API_KEY" in caught.value.do


def test_a_password_in_the_address_is_not_shown(
    endpoint: _Endpoint, open_endpoint: Callable[..., Embedder]
) -> None:
    url = endpoint.url.replace("127", "person:secret@127")
    embedder = open_endpoint("missing", base_url=url)
    with pytest.raises(EndpointError) as caught:
        embedder.embed_query("a")
    assert "secret" not in str(caught.value) + embedder.name


def test_a_failing_endpoint(open_endpoint: Callable[..., Embedder], endpoint: _Endpoint) -> None:
    with pytest.raises(EndpointError, match=r"HTTP 500 \(\"Out of memory\"\)"):
        open_endpoint("broken").embed_query("a")
    assert len(endpoint.calls) == 3


def test_another_dimension_in_the_middle(open_endpoint: Callable[..., Embedder]) -> None:
    embedder = open_endpoint("changing", batch_size=2)
    with pytest.raises(EndpointError, match="vectors of 2 numbers after vectors of 3"):
        embedder.embed(["a", "b", "c"])


def test_a_slow_endpoint(open_endpoint: Callable[..., Embedder]) -> None:
    embedder = open_endpoint("slow", timeout=0.3)
    begin = time.perf_counter()
    with pytest.raises(EndpointError, match="was silent for too long"):
        embedder.embed_query("a")
    assert time.perf_counter() - begin < 1.5


def test_a_refused_connection_is_said_soon(open_endpoint: Callable[..., Embedder]) -> None:
    with socket.socket() as closed:  # bound but not listening
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        embedder = open_endpoint(base_url=url)
        begin = time.perf_counter()
        with pytest.raises(
            EndpointError, match=r"Nobody answers at .*refused|Nobody answers at"
        ) as caught:
            embedder.embed_query("a")
        assert time.perf_counter() - begin < 5
    assert url in str(caught.value)


def test_an_endpoint_that_does_not_accept_is_said_within_five_seconds(
    open_endpoint: Callable[..., Embedder],
) -> None:
    with socket.socket() as deaf, socket.socket() as waiting, socket.socket() as another:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for client in (waiting, another):  # fill the queue of connections
            client.setblocking(False)
            client.connect_ex(deaf.getsockname())
        time.sleep(0.1)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        embedder = open_endpoint(base_url=url, timeout=4.0)
        begin = time.perf_counter()
        with pytest.raises(EndpointError, match=r"Nobody answers|was silent"):
            embedder.embed_query("a")
        assert time.perf_counter() - begin < 5


@pytest.mark.parametrize(
    ("embedding", "says"),
    [
        ({"model": None, "api_key": KEY}, "ASSISTANT_EMBEDDING__MODEL"),
        ({"model": "m"}, "OPENAI_API_KEY"),
        ({"model": "m", "base_url": "localhost:11434"}, "is no web address"),
        ({"model": "m", "api_key": "sk-schlüssel"}, "Copy it again"),
    ],
)
def test_what_is_missing_in_the_settings(
    tmp_path: Path, make_settings: MakeSettings, embedding: dict[str, object], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        open_embedder(make_settings(tmp_path, provider="openai", **embedding))


def test_a_local_endpoint_needs_no_key(open_endpoint: Callable[..., Embedder]) -> None:
    assert open_endpoint(api_key=None).embed_query("a").shape == (3,)


# -- as a LlamaIndex model -----------------------------------------------------------------------


def test_llama_embedding_gives_the_embedders_vectors(minilm: MiniLM) -> None:
    llama = as_llama_embedding(minilm)
    texts = ["reefs", "proteins", "tokens"]
    expected = minilm.embed(texts).tolist()
    assert llama.model_name == "all-MiniLM-L6-v2/int8"
    assert llama.get_text_embedding_batch(texts) == expected
    assert llama.get_text_embedding("reefs") == expected[0]
    assert llama.get_query_embedding("reefs") == expected[0]

    async def both() -> tuple[list[list[float]], list[float], list[float]]:
        return (
            await llama.aget_text_embedding_batch(texts),
            await llama.aget_text_embedding("proteins"),
            await llama.aget_query_embedding("tokens"),
        )

    assert asyncio.run(both()) == (expected, expected[1], expected[2])


def test_llama_embedding_keeps_the_errors(open_endpoint: Callable[..., Embedder]) -> None:
    with pytest.raises(EndpointError, match="has no model"):
        as_llama_embedding(open_endpoint("missing")).get_query_embedding("a")
