"""What is called: address, key and model, as they are sent and as they may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from assistant.errors import ConfigurationError
from assistant.settings import Settings

__all__ = ["CHAT", "EMBEDDINGS", "LOOPBACK", "NO_KEY", "OPENAI", "Names", "Target", "address"]

OPENAI = "https://api.openai.com/v1"
LOOPBACK = "http://127.0.0.1/v1"
"""Of a model that runs in this process, before its port is known."""
NO_KEY = "none"
"""Sent where a server of one's own needs no key; the client refuses to send nothing."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a person has to know of one use of endpoints: its settings by their names."""

    what: str
    service: str
    model: str
    url: str
    key: str
    timeout: str
    busy: str


CHAT = Names(
    "model",
    "chat completions",
    "--llm or ASSISTANT_LLM",
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
    "ASSISTANT_ENDPOINT__TIMEOUT",
    "Ask again later, or set ASSISTANT_ENDPOINT__MAX_RETRIES higher.",
)
EMBEDDINGS = Names(
    "embedding model",
    "embeddings",
    "ASSISTANT_EMBEDDING__MODEL",
    "ASSISTANT_EMBEDDING__BASE_URL or OPENAI_BASE_URL",
    "ASSISTANT_EMBEDDING__API_KEY or OPENAI_API_KEY",
    "ASSISTANT_EMBEDDING__TIMEOUT",
    "Wait, raise the limit there, or lower ASSISTANT_EMBEDDING__THREADS.",
)


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint and the model that is asked for there. Its `str` holds no secret."""

    base_url: str
    key: str
    model: str
    names: Names = CHAT
    parameters: tuple[tuple[str, str], ...] = ()
    """Of the address, such as Azure's ``api-version``."""

    @classmethod
    def from_settings(cls, settings: Settings, *, small: bool = False) -> Target:
        """The target of the settings; ``small``: of the small steps.

        Raises:
            ConfigurationError: no model is set, the address is none, or OpenAI's key is missing.
        """
        model = (settings.llm_small if small else None) or settings.llm
        if not model:
            raise ConfigurationError(
                "No language model is configured.", "Name one with --llm or ASSISTANT_LLM."
            )
        base_url, parameters = address(settings.openai_base_url or OPENAI)
        secret = settings.openai_api_key
        key = secret.get_secret_value().strip() if secret else ""
        if not key and base_url == OPENAI:
            raise ConfigurationError(
                f"The model {model!r} is to be called at OpenAI ({OPENAI}), and there is no key.",
                "Set OPENAI_API_KEY; for a server of your own set OPENAI_BASE_URL instead.",
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigurationError(
                "OPENAI_API_KEY holds characters that no key has.", "Copy it again."
            )
        return cls(base_url, key or NO_KEY, model, CHAT, parameters)

    @property
    def masked_key(self) -> str:
        """The key as it may be shown: its last four characters, if it is long enough."""
        if self.key == NO_KEY:
            return "no key"
        return f"key …{self.key[-4:]}" if len(self.key) >= 12 else "key …"

    @property
    def shown_url(self) -> str:
        """The address without the user, the password and the parameters that it may hold."""
        parts = urlsplit(self.base_url)
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
        return urlunsplit(shown)

    @property
    def local(self) -> bool:
        """Whether the server runs on this machine: no proxy stands between."""
        return urlsplit(self.base_url).hostname in ("localhost", "127.0.0.1", "::1")

    @property
    def query(self) -> dict[str, str]:
        """Parameters that go with every call."""
        return dict(self.parameters)

    @property
    def headers(self) -> dict[str, str]:
        """Headers that go with every call besides the bearer token: Azure's own for the key."""
        host = urlsplit(self.base_url).hostname or ""
        azure = host.endswith((".azure.com", ".azure.us", ".azure.cn"))
        return {"api-key": self.key} if azure and self.key != NO_KEY else {}

    def masked(self, text: str) -> str:
        """``text`` with the key replaced, should it hold it."""
        if self.key == NO_KEY:
            return text
        return text.replace(self.key, "…" + (self.key[-4:] if len(self.key) >= 12 else ""))

    def __str__(self) -> str:
        return f"the {self.names.what} {self.model!r} at {self.shown_url} ({self.masked_key})"

    __repr__ = __str__


def address(url: str, setting: str = CHAT.url) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The base address that a person gave, and the parameters after its question mark.

    A bare host ("http://localhost:11434") gets the "/v1" under which Ollama, vLLM, llama.cpp and
    LM Studio speak this protocol.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        valid = False
    if not valid:
        raise ConfigurationError(
            f"{setting} is no web address.",
            "It looks like http://localhost:11434/v1 or https://api.openai.com/v1.",
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/") or "/v1"
    bare = parts._replace(path=path, query="", fragment="")
    return urlunsplit(bare), tuple(parse_qsl(parts.query))
