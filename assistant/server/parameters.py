"""The parameters of OpenAI's two ways to ask: each is honoured, or refused with a 400.

Nothing is taken and ignored: a parameter that this server has no way to follow may have the one
value that says what is done anyway, and no other. Names that only label a request (``user``,
``metadata`` and the like) are taken, for they change no answer anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.results import Message
from assistant.server.failing import Refused
from assistant.server.filtering import Chosen
from assistant.settings import Settings

__all__ = ["MODEL", "ChatRequest", "ResponsesRequest"]

MODEL = "abstract-assistant"
_EFFORTS: Mapping[str, Literal["quick", "normal", "deep"]] = {
    "none": "quick",
    "minimal": "quick",
    "low": "quick",
    "medium": "normal",
    "high": "deep",
    "xhigh": "deep",
    "max": "deep",
}
_TEXT = ("text", "input_text", "output_text")
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Only = Annotated[Any, Field(None, description="only what is done anyway; see the message")]


class Part(BaseModel):
    """A piece of a message; only text is read."""

    model_config = ConfigDict(extra="ignore")

    type: str
    text: str | None = None


class Turn(BaseModel):
    """A message of the conversation.

    Instructions (of the system or the developer) are taken, but have no say: an answer rests on
    the library alone, and its notes say so.
    """

    model_config = ConfigDict(extra="allow")

    type: str | None = None
    role: str | None = None
    content: str | list[Part] | None = None

    def read(self, where: str) -> str:
        """The text in it.

        Raises:
            Refused: it holds something else than text.
        """
        if (self.type or "message") != "message":
            raise Refused(400, f"{where}: only messages are read, no {self.type!r}.", param=where)
        if self.role not in ("system", "developer", "user", "assistant"):
            raise Refused(400, f"{where}: messages of {self.role!r} are not read.", param=where)
        for name in ("tool_calls", "function_call", "audio"):
            if (self.model_extra or {}).get(name):
                raise Refused(400, f"{where}.{name}: only text is read.", param=f"{where}.{name}")
        if not isinstance(self.content, list):
            return self.content or ""
        for part in self.content:
            if part.type not in _TEXT:
                raise Refused(400, f"{where}.content: only text is read.", param=f"{where}.content")
        return "\n".join(part.text for part in self.content if part.text)


class Asked(BaseModel):
    """A request, read: the question, what was said before, and whether instructions came too."""

    question: str
    history: list[Message]
    instructed: bool


class _Request(BaseModel):
    """What both ways share."""

    model_config = ConfigDict(extra="forbid")

    # parameter → the values that say what is done anyway; null always does
    fine: ClassVar[dict[str, tuple[Any, ...]]] = {}

    model: str = Field(MODEL, max_length=200)
    stream: bool | None = False
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    top_logprobs: Only
    tools: Only
    tool_choice: Only
    parallel_tool_calls: bool | None = None
    service_tier: Only
    store: Only
    moderation: Only
    prompt_cache_options: Only
    metadata: dict[str, str] | None = Field(None, max_length=16)
    user: str | None = Field(None, max_length=1000)
    safety_identifier: str | None = Field(None, max_length=1000)
    prompt_cache_key: str | None = Field(None, max_length=1000)
    prompt_cache_retention: str | None = Field(None, max_length=100)
    filters: Chosen | None = Field(None, description="ours: which papers are asked")

    def check(self, settings: Settings) -> None:
        """That everything asked for can be done.

        Raises:
            Refused: a parameter that cannot be honoured, by its name.
        """
        if self.model != MODEL:
            raise Refused(
                400,
                f"There is no model {self.model!r}; this is {MODEL!r}.",
                param="model",
                code="model_not_found",
            )
        for name, values in self.fine.items():
            value = getattr(self, name)
            if value is not None and value not in values:
                allowed = ", ".join(map(repr, values))
                only = f" other than {allowed}" if allowed else ""
                raise Refused(
                    400,
                    f"{name}: a value{only} cannot be honoured here; leave it out.",
                    param=name,
                    code="unsupported_parameter",
                )
        # without a language model nothing is drawn: the likeliest answer is always given
        if settings.llm and self.top_p not in (None, 1):
            raise Refused(400, "top_p: only 1 can be honoured.", param="top_p")


_FINE: dict[str, tuple[Any, ...]] = {
    "top_logprobs": (0,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "moderation": (),
    "prompt_cache_options": (),
}


class StreamOptions(BaseModel):
    """Of a stream."""

    model_config = ConfigDict(extra="forbid")

    include_usage: bool | None = None
    include_obfuscation: Literal[False] | None = None


class ChatRequest(_Request):
    """``POST /v1/chat/completions``."""

    fine = {
        **_FINE,
        "audio": (),
        "frequency_penalty": (0,),
        "presence_penalty": (0,),
        "function_call": ("none", "auto"),
        "functions": ([],),
        "logit_bias": ({},),
        "logprobs": (False,),
        "modalities": (["text"],),
        "n": (1,),
        "prediction": (),
        "response_format": ({"type": "text"},),
        "verbosity": ("medium",),
        "web_search_options": (),
    }

    messages: list[Turn] = Field(min_length=1, max_length=1000)
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1, description="of the text; an estimate")
    max_completion_tokens: int | None = Field(None, ge=1, description="the same")
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    reasoning_effort: ReasoningEffort | None = None
    seed: int | None = None
    audio: Only
    frequency_penalty: Only
    presence_penalty: Only
    function_call: Only
    functions: Only
    logit_bias: Only
    logprobs: Only
    modalities: Only
    n: Only
    prediction: Only
    response_format: Only
    verbosity: Only
    web_search_options: Only

    def check(self, settings: Settings) -> None:
        """As `_Request.check`."""
        super().check(settings)
        if settings.llm and self.seed is not None:
            raise Refused(400, "seed: cannot be honoured with a language model.", param="seed")

    @property
    def most(self) -> int | None:
        """Tokens of the text, at most."""
        given = [n for n in (self.max_tokens, self.max_completion_tokens) if n is not None]
        return min(given, default=None)

    @property
    def stops(self) -> list[str]:
        """Where the text ends."""
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or ())

    @property
    def effort(self) -> Literal["quick", "normal", "deep"] | None:
        """How hard a language model is to work."""
        return _EFFORTS[self.reasoning_effort] if self.reasoning_effort else None

    def asked(self) -> Asked:
        """The question and what was said before.

        Raises:
            Refused: the last message is no question, or one holds something else than text.
        """
        return _asked(self.messages, "messages")


class Reasoning(BaseModel):
    """How hard a language model is to work."""

    model_config = ConfigDict(extra="forbid")

    effort: ReasoningEffort | None = None


class ResponsesRequest(_Request):
    """``POST /v1/responses``. Nothing is stored here: send the turns before with each question."""

    fine = {
        **_FINE,
        "access_programs": (),
        "background": (False,),
        "background_options": (),
        "context_management": ([],),
        "conversation": (),
        "image": (),
        "include": ([],),
        "max_tool_calls": (),
        "previous_response_id": (),
        "prompt": (),
        "text": ({}, {"format": {"type": "text"}}),
        "truncation": ("auto", "disabled"),
    }

    input: str | Annotated[list[Turn], Field(min_length=1, max_length=1000)]
    instructions: str | None = Field(None, max_length=1_000_000, description="has no say here")
    max_output_tokens: int | None = Field(None, ge=1, description="of the text; an estimate")
    reasoning: Reasoning | None = None
    stream_options: StreamOptions | None = None
    access_programs: Only
    background: Only
    background_options: Only
    context_management: Only
    conversation: Only
    image: Only
    include: Only
    max_tool_calls: Only
    previous_response_id: Only
    prompt: Only
    text: Only
    truncation: Only

    @property
    def effort(self) -> Literal["quick", "normal", "deep"] | None:
        """How hard a language model is to work."""
        effort = self.reasoning.effort if self.reasoning else None
        return _EFFORTS[effort] if effort else None

    def asked(self) -> Asked:
        """The question and what was said before.

        Raises:
            Refused: the last message is no question, or one holds something else than text.
        """
        turns = self.input
        if isinstance(turns, str):
            turns = [Turn(role="user", content=turns)]
        asked = _asked(turns, "input")
        asked.instructed = asked.instructed or bool(self.instructions)
        return asked


def _asked(turns: list[Turn], where: str) -> Asked:
    texts = [turn.read(f"{where}.{n}") for n, turn in enumerate(turns)]
    said = [
        Message(role="user" if turn.role == "user" else "assistant", content=text)
        for turn, text in zip(turns, texts, strict=True)
        if turn.role in ("user", "assistant") and text.strip()
    ]
    if not said or said[-1].role != "user":
        raise Refused(400, f"{where}: the last one must be a question of the user's.", param=where)
    return Asked(
        question=said[-1].content,
        history=said[:-1],
        instructed=any(turn.role in ("system", "developer") for turn in turns),
    )
