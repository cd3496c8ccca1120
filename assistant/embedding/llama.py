"""The two meetings with LlamaIndex, and the only module here that imports it.

`EndpointEmbedder` asks an OpenAI-compatible endpoint for vectors, through LlamaIndex's
``OpenAILikeEmbedding``; `LlamaEmbedding` shows any `Embedder` to LlamaIndex. What goes wrong,
when to try again, and what it took are `assistant.endpoint`'s, as for chat.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import httpx
import numpy as np
import openai
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from pydantic import PrivateAttr

from assistant.embedding.base import Embedder, Vectors
from assistant.embedding.parallel import in_parallel
from assistant.endpoint import failures
from assistant.endpoint.ledger import Ledger, count_tokens
from assistant.endpoint.retries import Retries
from assistant.endpoint.target import EMBEDDINGS, NO_KEY, OPENAI, Target, address
from assistant.errors import ConfigurationError, EndpointError, ReplyMalformed
from assistant.results import Usage
from assistant.settings import Settings

_CONNECT_SECONDS = 3.0  # an endpoint that is not there is told within this time
_FURTHER_TRIES = 2  # of a call that the endpoint refuses for the moment (429, 5xx)
_LONGEST_WAIT = 20.0  # seconds that an endpoint may ask to wait
_CALLS_AT_ONCE = 4
_CHARACTERS_A_TOKEN = 4
_BATCH_OF_LLAMA = 512


class EndpointEmbedder:
    """Vectors from an OpenAI-compatible endpoint. Get one from `open_embedder`.

    Args:
        model: name that the endpoint knows the model by.
        base_url: of the endpoint, None for OpenAI's own.
        api_key: sent as bearer token; None for endpoints that want none.
        batch_size: texts in one call.
        timeout: seconds for an answer; connecting has three seconds whatever this says.
        calls_at_once: calls under way at the same time.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        batch_size: int = 64,
        timeout: float = 30.0,
        calls_at_once: int = _CALLS_AT_ONCE,
    ) -> None:
        self._model = model
        self._base_url = base_url
        self.target = Target(base_url or OPENAI, api_key or NO_KEY, model, EMBEDDINGS)
        self.ledger = Ledger()
        self._retries = Retries(_FURTHER_TRIES, _LONGEST_WAIT)
        self._batch_size = batch_size
        self._calls_at_once = calls_at_once
        self._dimension: int | None = None
        self._lock = threading.Lock()
        http = openai.DefaultHttpxClient()
        weakref.finalize(self, http.close)
        self._client = OpenAILikeEmbedding(
            http_client=http,
            model_name=model,
            api_base=self.target.base_url,
            api_key=self.target.key,
            default_headers=self.target.headers,
            embed_batch_size=batch_size,
            # both the client and LlamaIndex around it would retry, also what is hopeless (a
            # refused connection takes them 12 seconds): `_call` retries instead
            max_retries=0,
            timeout=timeout,
            additional_kwargs={"timeout": httpx.Timeout(timeout, connect=_CONNECT_SECONDS)},
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> EndpointEmbedder:
        """The endpoint that the settings name; nothing is called yet.

        Raises:
            ConfigurationError: the model is missing, or the key where OpenAI itself is asked, or
                the address is none.
        """
        chosen = settings.embedding
        url = chosen.base_url or settings.openai_base_url
        secret = chosen.api_key or settings.openai_api_key
        key = secret.get_secret_value().strip() if secret else ""
        if not chosen.model:
            raise ConfigurationError(
                "The embedding provider is an endpoint and no embedding model is named.",
                "Set ASSISTANT_EMBEDDING__MODEL (for example text-embedding-3-small), or "
                "ASSISTANT_EMBEDDING__PROVIDER=minilm for the embedded model.",
            )
        if not key and not url:
            raise ConfigurationError(
                "The embedding endpoint is OpenAI's and there is no key for it.",
                "Set OPENAI_API_KEY, or ASSISTANT_EMBEDDING__BASE_URL for another endpoint.",
            )
        if not key.isascii():
            raise ConfigurationError(
                "The key of the embedding endpoint has characters that no key can have.",
                "Copy it again into OPENAI_API_KEY or ASSISTANT_EMBEDDING__API_KEY.",
            )
        base_url = address(url, EMBEDDINGS.url)[0] if url else None
        return cls(
            chosen.model,
            base_url=base_url,
            api_key=key or None,
            batch_size=chosen.batch_size,
            timeout=chosen.timeout,
            calls_at_once=chosen.threads or _CALLS_AT_ONCE,
        )

    @property
    def dimension(self) -> int:
        """Length of a vector; calls the endpoint the first time.

        Raises:
            EndpointError: the endpoint did not answer with a vector.
        """
        if self._dimension is None:
            self._call(["dimension"])
        assert self._dimension is not None  # noqa: S101  (`_call` sets it or raises)
        return self._dimension

    @property
    def name(self) -> str:
        """Model and where it runs."""
        return f"{self._model} at {self.target.shown_url}"

    @property
    def fingerprint(self) -> str:
        """``openai:<host>:<model>:<dimension>``; host "default" is OpenAI's own.

        Raises:
            EndpointError: the dimension had to be asked for, and was not told.
        """
        host = (urlsplit(self._base_url).hostname or "") if self._base_url else "default"
        return f"openai:{host}:{self._model}:{self.dimension}"

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of ``texts``: shape (len(texts), dimension), rows of length 1, order kept.

        Raises:
            EndpointError: the endpoint did not answer, or not with vectors.
        """
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        size = self._batch_size
        first = self._call(texts[:size])  # alone: it tells the dimension, or that nothing works
        if progress is not None:
            progress(len(first))
        vectors = np.empty((len(texts), first.shape[1]), dtype=np.float32)
        vectors[:size] = first

        def embed_batch(number: int) -> int:
            batch = slice((number + 1) * size, (number + 2) * size)
            vectors[batch] = self._call(texts[batch])
            return len(texts[batch])

        rest = -(-len(texts) // size) - 1
        in_parallel(embed_batch, rest, self._calls_at_once, progress)
        return vectors

    def embed_query(self, text: str) -> Vectors:
        """Vector of one text: shape (dimension,), length 1.

        Raises:
            EndpointError: the endpoint did not answer, or not with a vector.
        """
        row: Vectors = self._call([text])[0]
        return row

    def count_tokens(self, text: str) -> int:
        """An estimate: a token for every four characters, as English has in most tokenizers.

        The endpoint's own tokenizer is not known here, and nothing is downloaded to know it.
        """
        return -(-len(text) // _CHARACTERS_A_TOKEN)

    def _call(self, texts: Sequence[str]) -> Vectors:
        """One call: shape (len(texts), dimension). Tries again what may pass (429, 5xx)."""
        # the API refuses empty texts, and JSON has no halves of surrogate pairs
        wanted = [
            text.encode("utf-8", "replace").decode("utf-8") if text.strip() else "-"
            for text in texts
        ]
        attempt = 0
        while True:
            try:
                found = self._client.get_text_embedding_batch(wanted)
                break
            except (openai.OpenAIError, httpx.HTTPError) as error:
                attempt += 1
                pause = self._retries.pause(error, attempt)
                if pause is None:
                    raise failures.explain(error, self.target) from error
                time.sleep(pause)
            except failures.CALL_ERRORS:
                # what the client makes of an answer that is not an embeddings answer
                raise self._not_vectors() from None
        self.ledger.add(
            Usage(prompt_tokens=sum(map(count_tokens, wanted)), calls=1, estimated=True)
        )
        return self._checked(found, len(wanted))

    def _checked(self, found: list[list[float]], count: int) -> Vectors:
        """``found`` as rows of length 1, after a look at its shape."""
        try:
            vectors = np.asarray(found, dtype=np.float32)
        except (TypeError, ValueError):
            raise self._not_vectors() from None
        if vectors.ndim != 2 or vectors.shape[0] != count or not np.isfinite(vectors).all():
            raise self._not_vectors()
        with self._lock:
            self._dimension = self._dimension or vectors.shape[1]
        if vectors.shape[1] != self._dimension:
            raise EndpointError(
                f"At {self.target.shown_url} came vectors of {vectors.shape[1]} numbers after "
                f"vectors of {self._dimension}.",
                "Another model answers there now; start again with one model.",
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        normed: Vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
        return normed

    def _not_vectors(self) -> ReplyMalformed:
        return ReplyMalformed(
            f"What came from {self.target} is not one vector a text.",
            "Check the base URL (most end in /v1) and that the model is one for embeddings.",
        )


class LlamaEmbedding(BaseEmbedding):
    """Any `Embedder` as a LlamaIndex embedding model; the asynchronous calls use a thread."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(model_name=embedder.name, embed_batch_size=_BATCH_OF_LLAMA)
        self._embedder = embedder

    @classmethod
    def class_name(cls) -> str:
        """Name in LlamaIndex's serialised forms."""
        return "LlamaEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return _plain(self._embedder.embed_query(query))

    def _get_text_embedding(self, text: str) -> list[float]:
        return _plain(self._embedder.embed_query(text))

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return [_plain(row) for row in self._embedder.embed(texts)]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)


def _plain(vector: Vectors) -> list[float]:
    numbers: list[float] = vector.tolist()
    return numbers
