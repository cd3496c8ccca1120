"""Calls to an OpenAI-compatible endpoint: streamed, retried, counted, and stopped on request.

Every call is a stream, made by LlamaIndex's ``OpenAILike`` on an event loop of the endpoint's
own thread. The caller's side is a plain iterator: closing it, or the `Cancellation` that was
given, cancels the task on the loop, which closes the connection, at whatever point the call
is. So a person who has gone stops the request at the provider, also before its first token.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from assistant.endpoint import failures
from assistant.endpoint.cache import ReplyCache
from assistant.endpoint.ledger import Ledger, count_tokens, price_of
from assistant.endpoint.local import LocalModel, is_file, parameters_in
from assistant.endpoint.retries import Retries
from assistant.endpoint.spoken import SpokenText
from assistant.endpoint.target import LOOPBACK, NO_KEY, Target
from assistant.errors import (
    Cancelled,
    ConfigurationError,
    EndpointError,
    EndpointUnreachable,
    KeyRefused,
    ReplyEmpty,
)
from assistant.results import Usage
from assistant.settings import Settings

if TYPE_CHECKING:
    import httpx
    from llama_index.core.llms import LLM, ChatMessage
    from llama_index.llms.openai_like import OpenAILike

__all__ = ["Cancellation", "Delta", "Endpoint", "Finished", "Piece", "Waiting"]

T = TypeVar("T")
_SMALL = 3e9
_THINKING = 3000
"""Tokens that a model which thinks before it speaks may have for that, besides its reply."""
_ASKING = 5.0
"""Seconds within which an endpoint has to say which models it has."""
_WINDOW_FIELDS = (
    "loaded_context_length", "max_model_len", "context_length", "context_window",
    "max_context_length",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The call is repeated after a pause; ``text`` tells a person why, and how long."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The reply is whole ("stop"), or as long as it may be ("length")."""

    reason: str
    usage: Usage


Piece = Delta | Waiting | Finished


class Cancellation:
    """Stops what it was given to, from any thread. Once set it stays set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Future[None]] = set()
        self._is_set = False

    def __bool__(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Stops the calls that run, and all that would begin."""
        with self._lock:
            self._is_set = True
            running = list(self._running)
        for future in running:
            future.cancel()

    def watch(self, future: Future[None]) -> None:
        """Stops this call too when it is set."""
        with self._lock:
            self._running.add(future)
            stopped = self._is_set
        future.add_done_callback(self._forget)
        if stopped:
            future.cancel()

    def _forget(self, future: Future[None]) -> None:
        with self._lock:
            self._running.discard(future)


@dataclass(slots=True)
class _Call:
    """One call on its way: what is asked, and what has come of it."""

    target: Target
    messages: Sequence[ChatMessage]
    prompt_tokens: int
    max_tokens: int
    text: str = ""
    finish: str | None = None
    usage: Usage | None = None
    grammar: str | None = None
    capped: bool = False
    """Whether a person has set how much it may cost."""
    thoughts: str = ""
    earlier: Usage | None = None
    """What an attempt before this one has cost."""

    def count(self) -> Usage:
        """What the endpoint reports to have counted, or our estimate; with the cost."""
        usage = self.usage or Usage(
            prompt_tokens=self.prompt_tokens,
            completion_tokens=count_tokens(self.text + self.thoughts),
            estimated=True,
        )
        if self.earlier is not None:
            usage = usage + self.earlier
        price = price_of(self.target)
        cost = price.cost(usage.prompt_tokens, usage.completion_tokens) if price else None
        return usage.model_copy(update={"calls": 1, "cost_usd": cost})


class Endpoint:
    """The endpoint of the settings. Safe in several threads at once; `close` it when done.

    Args:
        cache: keep replies on disk and use them again; as the settings say if not given.
        llm: any chat model of LlamaIndex, called in place of an endpoint.

    Raises:
        ConfigurationError: see `Target.from_settings`.
    """

    def __init__(
        self, settings: Settings, *, cache: bool | None = None, llm: LLM | None = None
    ) -> None:
        self._settings = settings.endpoint
        self._local: LocalModel | None = None
        self._given = llm
        if llm is not None:
            self.target = self.small_target = Target(LOOPBACK, NO_KEY, llm.metadata.model_name)
        elif settings.llm and is_file(settings.llm):
            self._local = LocalModel(Path(settings.llm), context=self._settings.context_window)
            self.target = self.small_target = Target(LOOPBACK, self._local.key, self._local.name)
        else:
            self.target = Target.from_settings(settings)
            self.small_target = Target.from_settings(settings, small=True)
        self._max_tokens = settings.generation.max_tokens
        use_cache = settings.generation.cache if cache is None else cache
        self._cache = ReplyCache(settings) if use_cache else None
        self._loop = _LoopThread()
        self._models: dict[str, OpenAILike] = {}
        self._dialects: dict[str, dict[str, Any]] = {}
        self._window: int | None = self._settings.context_window
        self._window_known = self._window is not None
        self._retries = Retries(self._settings.max_retries, self._settings.max_wait)
        self._thinkers: set[str] = set()
        self._lock = threading.Lock()

    # ------------------------------------------------------------------ calls

    def begin(self) -> Iterator[Waiting]:
        """Loads a model of one's own machine, and says so; nothing to do for others.

        Raises:
            ConfigurationError: it cannot be loaded.
        """
        if self._local is None or self._local.running:
            return
        yield Waiting(f"loading {self._local.path.name}")
        url = self._local.start()
        self.target = self.small_target = replace(self.target, base_url=url)

    @property
    def is_small(self) -> bool:
        """Whether the model is a file of fewer than three billion parameters."""
        return self._local is not None and parameters_in(self._local.path) < _SMALL

    def stream(
        self,
        messages: Sequence[ChatMessage],
        ledger: Ledger,
        *,
        small: bool = False,
        max_tokens: int | None = None,
        grammar: str | None = None,
        cancellation: Cancellation | None = None,
    ) -> Generator[Piece, None, None]:
        """The reply to ``messages``, piece by piece, `Finished` last.

        ``grammar``: what the reply may look like, in llama.cpp's notation; for a model out of a
        file only. Retries what may pass, as long as no text has come; tells so by `Waiting`.

        Raises:
            EndpointError: with what has been spent, ``error.usage``, already in the ledger.
        """
        yield from self.begin()
        target = self.small_target if small else self.target
        prompt_tokens = sum(count_tokens(str(m.content or "")) + 4 for m in messages)
        wanted = max_tokens or self._max_tokens
        if target.model in self._thinkers:
            wanted += self._room_to_think(prompt_tokens + wanted)
        limit = ledger.afford(price_of(target), prompt_tokens, wanted, target)
        call = _Call(target, messages, prompt_tokens, limit, capped=ledger.cap is not None)
        call.grammar = grammar if self._local is not None else None
        key = self._cache_key(call)
        kept = self._cache.get(key) if self._cache else None
        if kept:
            yield Delta(kept[0])
            yield Finished(kept[1], Usage())
            return
        try:
            yield from self._counted(call, ledger, cancellation)
        except EndpointError as error:
            error.usage = ledger.usage
            raise
        if self._cache:
            self._cache.put(key, call.text, call.finish or "stop")
        yield Finished(call.finish or "stop", call.count())

    def models(self) -> list[str]:
        """Names of the models that the endpoint says it has.

        Raises:
            EndpointError: it cannot be asked.
        """
        for _ in self.begin():
            pass
        return [str(model.get("id", "")) for model in self._ask_models()]

    def context_window(self) -> int | None:
        """Tokens that the model takes: as set, as known, as the endpoint says; else None.

        Raises:
            EndpointError: the endpoint cannot be reached, or refuses the key.
        """
        if self._local is not None:
            return self._local.context
        if self._given is not None:
            return self._settings.context_window or self._given.metadata.context_window
        with self._lock:
            if not self._window_known:
                price = price_of(self.target)
                self._window = price.context_window if price else None
                if self._window is None:
                    self._window = self._asked_window()
                self._window_known = True
            return self._window

    def close(self) -> None:
        """Stops what still runs and closes the connections."""
        self._loop.close()
        if self._local is not None:
            self._local.close()

    # ------------------------------------------------------------------ inside

    def _counted(
        self, call: _Call, ledger: Ledger, cancellation: Cancellation | None
    ) -> Iterator[Piece]:
        """`_run`, with what it has cost put down, however it ends."""
        try:
            yield from self._run(call, cancellation)
        finally:
            if call.text or call.usage or call.earlier:
                ledger.add(call.count())

    def _run(self, call: _Call, cancellation: Cancellation | None) -> Iterator[Piece]:
        """The pieces of ``call`` as they come from the loop's thread."""
        pieces: queue.SimpleQueue[Piece | BaseException | None] = queue.SimpleQueue()
        future = self._loop.submit(self._pump(call, pieces.put))
        stopped = Cancelled("The call was stopped.")
        future.add_done_callback(lambda done: pieces.put(stopped) if done.cancelled() else None)
        if cancellation is not None:
            cancellation.watch(future)
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                if isinstance(piece, Delta):
                    call.text += piece.text
                yield piece
        finally:
            future.cancel()

    async def _pump(self, call: _Call, put: Callable[[Piece | BaseException | None], None]) -> None:
        """Makes the call, with its retries, and puts what comes of it; None ends it."""
        import httpx  # noqa: PLC0415
        import openai  # noqa: PLC0415

        attempt, begun = 0, False
        try:
            while True:
                try:
                    async for text in self._texts(call):
                        begun = True
                        put(Delta(text))
                    if not begun and self._only_thought(call):
                        put(Waiting("the model is thinking"))
                        continue
                    if not begun:
                        raise _empty(call)
                    put(None)
                    return
                except (openai.OpenAIError, httpx.HTTPError, *failures.CALL_ERRORS) as error:
                    if not begun and self._adapt(call.target, error):
                        continue
                    attempt += 1
                    pause = self._retries.pause(error, attempt) if not begun else None
                    if pause is None:
                        raise failures.explain(error, call.target, begun=begun) from error
                    put(Waiting(self._retries.why(error, pause, attempt)))
                    await asyncio.sleep(pause)
        except Exception as error:  # noqa: BLE001  (the caller's thread raises it again)
            put(error)

    def _only_thought(self, call: _Call) -> bool:
        """Whether all tokens went into thinking; it then gets more of them, once."""
        model = call.target.model
        if call.finish != "length" or model in self._thinkers or call.capped:
            return False
        self._thinkers.add(model)
        call.earlier = call.usage or Usage(
            prompt_tokens=call.prompt_tokens, completion_tokens=call.max_tokens, estimated=True
        )
        call.usage, call.thoughts = None, ""
        call.max_tokens += self._room_to_think(call.prompt_tokens + call.max_tokens)
        return True

    def _room_to_think(self, taken: int) -> int:
        """Tokens that a thinking model gets besides its reply, as far as the window allows."""
        window = self._local.context if self._local is not None else self._window
        return _THINKING if window is None else max(0, min(_THINKING, window - taken))

    async def _texts(self, call: _Call) -> AsyncIterator[str]:
        """The text of one attempt, without what a model thinks before it answers."""
        llm = self._llm(call.target)
        spoken_text = SpokenText()
        call.finish, spoken = None, False
        chunks = await llm.astream_chat(self._messages(call), **self._parameters(call))
        async for chunk in chunks:
            _note(call, chunk.raw)
            text = spoken_text.feed(chunk.delta or "")
            if text:
                spoken = True
                yield text
        rest = spoken_text.finish()
        if rest:
            spoken = True
            yield rest
        if call.finish == "content_filter":
            raise failures.filtered(call.target)
        if call.finish is None and spoken and self._given is None:
            raise failures.cut(call.target)

    def _adapt(self, target: Target, error: BaseException) -> bool:
        """Learns that a model refuses a parameter; False where that is not the trouble."""
        refused = failures.unsupported_parameter(error)
        dialect = self._dialects.setdefault(target.model, {})
        if refused is None or refused in dialect:
            return False
        dialect[refused] = True
        return True

    def _messages(self, call: _Call) -> list[ChatMessage]:
        """The messages; in one of the user's where the model knows no system role."""
        messages = list(call.messages)
        if "system" not in self._dialects.get(call.target.model, {}) or len(messages) < 2:
            return messages
        text = "\n\n".join(str(m.content or "") for m in messages)
        return [type(messages[-1])(role="user", content=text)]

    def _parameters(self, call: _Call) -> dict[str, Any]:
        if self._given is not None:
            return {}  # another provider's model has parameters of its own
        from openai import omit  # noqa: PLC0415

        refused = self._dialects.get(call.target.model, {})
        parameters: dict[str, Any] = {"timeout": self._timeout()}
        if call.grammar:
            parameters["extra_body"] = {"grammar": call.grammar}
        if call.target.query:
            parameters["extra_query"] = call.target.query
        length = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
        parameters[length] = call.max_tokens
        if "stream_options" not in refused:
            parameters["stream_options"] = {"include_usage": True}
        if "temperature" in refused:
            parameters["temperature"] = omit
        return parameters

    def _llm(self, target: Target) -> LLM:
        """The model; made once, on the loop's thread, unless it was given."""
        if self._given is not None:
            return self._given
        if target.model not in self._models:
            from llama_index.llms.openai_like import OpenAILike  # noqa: PLC0415

            try:
                options: dict[str, Any] = {  # types: the class takes more than it declares
                    "model": target.model,
                    "api_base": target.base_url,
                    "api_key": target.key,
                    "is_chat_model": self._settings.chat,
                    "context_window": self._window or 0,
                    "temperature": self._settings.temperature,
                    "max_retries": 0,
                    "async_http_client": self._loop.client(self._make_client),
                    "default_headers": target.headers,
                }
                self._models[target.model] = OpenAILike(**options)
            except ValueError as error:
                raise ConfigurationError(
                    f"The model {target.model!r} cannot be used: {error}",
                    "Name a model that speaks chat completions with --llm or ASSISTANT_LLM.",
                ) from None
        return self._models[target.model]

    def _timeout(self, seconds: float | None = None) -> httpx.Timeout:
        """The longest silence, and within it the longest time until a host has answered.

        Given with every call, because ``OpenAILike`` knows only one number.
        """
        import httpx  # noqa: PLC0415

        longest = self._settings.timeout if seconds is None else seconds
        return httpx.Timeout(longest, connect=self._settings.connect_timeout)

    def _make_client(self) -> httpx.AsyncClient:
        from openai import DefaultAsyncHttpxClient  # noqa: PLC0415

        return DefaultAsyncHttpxClient(timeout=self._timeout(), trust_env=not self.target.local)

    def _ask_models(self) -> list[dict[str, Any]]:
        async def ask() -> list[dict[str, Any]]:
            import httpx  # noqa: PLC0415
            import openai  # noqa: PLC0415

            client = openai.AsyncOpenAI(
                api_key=self.target.key,
                base_url=self.target.base_url,
                max_retries=0,
                timeout=self._timeout(_ASKING),
                http_client=self._loop.client(self._make_client),
                default_headers=self.target.headers,
                default_query=self.target.query,
            )
            try:
                page = await client.models.list()
                return [model.model_dump() for model in page.data or []]
            except (openai.OpenAIError, httpx.HTTPError, *failures.CALL_ERRORS) as error:
                raise failures.explain(error, self.target) from error

        return self._loop.submit(ask()).result()

    def _asked_window(self) -> int | None:
        try:
            models = self._ask_models()
        except EndpointError as error:
            # an endpoint that lists no models may still answer
            unlisted = getattr(error.__cause__, "status_code", None) == 404
            if isinstance(error, KeyRefused | EndpointUnreachable) and not unlisted:
                raise
            return None
        for model in models:
            if model.get("id") == self.target.model or len(models) == 1:
                meta = model.get("meta")
                sizes = [model.get(field) for field in _WINDOW_FIELDS]
                sizes += [meta.get("n_ctx") for _ in (1,) if isinstance(meta, dict)]
                found = next((s for s in sizes if isinstance(s, int) and s >= 512), None)
                if found:
                    return found
        return None

    def _cache_key(self, call: _Call) -> str:
        messages = [{"role": m.role.value, "content": str(m.content)} for m in call.messages]
        parameters = [call.max_tokens, self._settings.temperature, self._settings.chat]
        return ReplyCache.key(call.target.base_url, call.target.model, messages, parameters)


def _note(call: _Call, raw: Any) -> None:
    """Takes the reason of the end and the tokens from an event, where it holds them."""
    choices = getattr(raw, "choices", None)  # a model that was given may send anything
    if choices and choices[0].finish_reason:
        call.finish = choices[0].finish_reason
    delta = getattr(choices[0], "delta", None) if choices else None
    for name in ("reasoning_content", "reasoning"):
        thought = getattr(delta, name, None)
        if isinstance(thought, str):
            call.thoughts += thought
    usage = getattr(raw, "usage", None)
    if usage is not None and usage.prompt_tokens is not None:
        call.usage = Usage(
            prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens or 0
        )


def _empty(call: _Call) -> ReplyEmpty:
    if call.finish == "length":
        return ReplyEmpty(
            f"All {call.max_tokens} tokens that the reply of {call.target} may have went into "
            "thinking, and none into the answer.",
            "Set --max-tokens higher.",
        )
    return ReplyEmpty(
        f"The reply of {call.target} was empty.",
        "Ask again; if it stays so, check OPENAI_BASE_URL (it usually ends with /v1).",
    )


class _LoopThread:
    """An event loop in a daemon thread, begun by the first call; holds the HTTP client."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: dict[str, Any] = {}
        self._finalizer = weakref.finalize(self, _stop, self._state)

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        with self._lock:
            if not self._finalizer.alive:
                work.close()
                raise Cancelled("The connection to the language model has been closed.")
            if "loop" not in self._state:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(
                    target=loop.run_forever, name="assistant-endpoint", daemon=True
                )
                self._state.update(loop=loop, thread=thread)
                thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._state["loop"])

    def client(self, make: Callable[[], httpx.AsyncClient]) -> httpx.AsyncClient:
        """The one HTTP client of the loop; to be called on the loop's thread only."""
        if "client" not in self._state:
            self._state["client"] = make()
        client: httpx.AsyncClient = self._state["client"]
        return client

    def close(self) -> None:
        with self._lock:
            self._finalizer()


def _stop(state: dict[str, Any]) -> None:
    """Cancels the tasks of the loop, closes its client, ends its thread."""
    loop: asyncio.AbstractEventLoop | None = state.get("loop")
    if loop is None or loop.is_closed():
        return

    async def finish() -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if "client" in state:
            await state["client"].aclose()
        await loop.shutdown_asyncgens()
        await loop.shutdown_default_executor()

    with contextlib.suppress(TimeoutError):  # a task that cannot be stopped dies with its thread
        asyncio.run_coroutine_threadsafe(finish(), loop).result(timeout=5)
    loop.call_soon_threadsafe(loop.stop)
    state["thread"].join(timeout=5)
    if not state["thread"].is_alive():
        loop.close()
