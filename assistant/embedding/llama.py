"""The two meetings with LlamaIndex, and the only module here that imports it.

`EndpointEmbedder` asks an OpenAI-compatible endpoint for vectors, through LlamaIndex's
``OpenAILikeEmbedding``; `LlamaEmbedding` shows any `Embedder` to LlamaIndex.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import httpx
import numpy as np
import openai
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.embeddings.openai.utils import DEFAULT_OPENAI_API_BASE
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from pydantic import PrivateAttr

from assistant.embedding.base import Embedder, Vectors
from assistant.embedding.parallel import in_parallel
from assistant.errors import ConfigurationError, EndpointError
from assistant.settings import Settings

_CONNECT_SECONDS = 3.0  # an endpoint that is not there is told within this time
_TRIES = 3  # of a call that the endpoint refuses for the moment (429, 5xx)
_LONGEST_WAIT = 20.0  # seconds between two tries, whatever the endpoint asks for
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
        self._api_key = api_key
        self._batch_size = batch_size
        self._calls_at_once = calls_at_once
        self._timeout = timeout
        self._dimension: int | None = None
        self._lock = threading.Lock()
        self._client = OpenAILikeEmbedding(
            model_name=model,
            api_base=base_url or DEFAULT_OPENAI_API_BASE,
            api_key=api_key or "none",
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
        base_url = chosen.base_url or settings.openai_base_url
        secret = chosen.api_key or settings.openai_api_key
        key = secret.get_secret_value().strip() if secret else ""
        if not chosen.model:
            raise ConfigurationError(
                "The embedding provider is an endpoint and no embedding model is named.",
                "Set ASSISTANT_EMBEDDING__MODEL (for example text-embedding-3-small), or "
                "ASSISTANT_EMBEDDING__PROVIDER=minilm for the embedded model.",
            )
        if base_url and urlsplit(base_url).scheme not in {"http", "https"}:
            raise ConfigurationError(
                f"The address of the embedding endpoint, {_shown(base_url)!r}, does not begin "
                "with http:// or https://.",
                "Correct ASSISTANT_EMBEDDING__BASE_URL or OPENAI_BASE_URL.",
            )
        if not key and not base_url:
            raise ConfigurationError(
                "The embedding endpoint is OpenAI's and there is no key for it.",
                "Set OPENAI_API_KEY, or ASSISTANT_EMBEDDING__BASE_URL for another endpoint.",
            )
        if not key.isascii():
            raise ConfigurationError(
                "The key of the embedding endpoint has characters that no key can have.",
                "Copy it again into OPENAI_API_KEY or ASSISTANT_EMBEDDING__API_KEY.",
            )
        return cls(
            chosen.model,
            base_url=base_url or None,
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
        return f"{self._model} at {self._place}"

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

    @property
    def _place(self) -> str:
        return _shown(self._base_url or DEFAULT_OPENAI_API_BASE)

    def _call(self, texts: Sequence[str]) -> Vectors:
        """One call: shape (len(texts), dimension). Tries again what may pass (429, 5xx)."""
        # the API refuses empty texts, and JSON has no halves of surrogate pairs
        wanted = [
            text.encode("utf-8", "replace").decode("utf-8") if text.strip() else "-"
            for text in texts
        ]
        for tried in range(1, _TRIES + 1):
            try:
                found = self._client.get_text_embedding_batch(wanted)
                break
            except openai.APIStatusError as error:
                if tried == _TRIES or not _may_pass(error):
                    raise self._refused(error) from None
                time.sleep(_wait(error, tried))
            except openai.APIConnectionError as error:
                raise self._unreachable(error) from None
            except (openai.OpenAIError, AttributeError, TypeError, ValueError):
                # what the client makes of an answer that is not an embeddings answer
                raise self._not_vectors() from None
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
                f"The embedding endpoint {self._place} gave vectors of {vectors.shape[1]} "
                f"numbers after vectors of {self._dimension}.",
                "Another model answers there now; start again with one model.",
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        normed: Vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
        return normed

    # -- what went wrong, in one sentence --------------------------------------------------------

    def _refused(self, error: openai.APIStatusError) -> EndpointError:
        status, said = error.status_code, self._said(error)
        if status in {401, 403}:
            return EndpointError(
                f"The embedding endpoint {self._place} refused the key ({status}{said}).",
                "Check ASSISTANT_EMBEDDING__API_KEY or OPENAI_API_KEY.",
            )
        if status == 404:
            return EndpointError(
                f"The embedding endpoint {self._place} does not know the model "
                f"{self._model!r}, or has no embeddings under this address ({status}{said}).",
                "Check ASSISTANT_EMBEDDING__MODEL and the base URL (most end in /v1).",
            )
        if status == 429:
            return EndpointError(
                f"The embedding endpoint {self._place} takes no more calls now ({status}{said}).",
                "Wait, raise the limit there, or lower ASSISTANT_EMBEDDING__THREADS.",
            )
        return EndpointError(
            f"The embedding endpoint {self._place} refused the call for the model "
            f"{self._model!r} ({status}{said}).",
            "Check the endpoint and ASSISTANT_EMBEDDING__MODEL.",
        )

    def _unreachable(self, error: openai.APIConnectionError) -> EndpointError:
        cause = error.__cause__
        if isinstance(error, openai.APITimeoutError) and not isinstance(
            cause, httpx.ConnectTimeout
        ):
            return EndpointError(
                f"The embedding endpoint {self._place} did not answer in {self._timeout:g} s.",
                "Try again, or raise ASSISTANT_EMBEDDING__TIMEOUT.",
            )
        reason = self._masked(str(cause or error)).rstrip(".")
        return EndpointError(
            f"The embedding endpoint {self._place} cannot be reached ({reason}).",
            "Check that it runs, and ASSISTANT_EMBEDDING__BASE_URL or OPENAI_BASE_URL.",
        )

    def _not_vectors(self) -> EndpointError:
        return EndpointError(
            f"The embedding endpoint {self._place} answered with something that is not one "
            f"vector a text from the model {self._model!r}.",
            "Check the base URL (most end in /v1) and that the model is one for embeddings.",
        )

    def _said(self, error: openai.APIStatusError) -> str:
        """The endpoint's own words, short and without the key."""
        body = error.body
        said = body.get("message") if isinstance(body, dict) else None
        if not isinstance(said, str) or not said.strip():
            return ""
        said = " ".join(self._masked(said).split()).rstrip(".")
        return f": {said[:200]}{'…' if len(said) > 200 else ''}"

    def _masked(self, text: str) -> str:
        return text.replace(self._api_key, "***") if self._api_key else text


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


def _shown(url: str) -> str:
    """``url`` without the user name and password that it may carry."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _may_pass(error: openai.APIStatusError) -> bool:
    if error.status_code == 429:
        return error.code != "insufficient_quota"
    return error.status_code >= 500


def _wait(error: openai.APIStatusError, tried: int) -> float:
    """Seconds until the next try: what the endpoint asks for, else 1, 2, ..."""
    try:
        wanted = float(error.response.headers["retry-after"])
    except (KeyError, ValueError):
        wanted = float(tried)
    return min(max(wanted, 0.0), _LONGEST_WAIT)
