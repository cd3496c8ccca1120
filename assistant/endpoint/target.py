"""What is called: address, key and model, as they are sent and as they may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from assistant.errors import ConfigurationError
from assistant.settings import Settings

__all__ = ["Target"]

OPENAI = "https://api.openai.com/v1"
NO_KEY = "none"
"""Sent where a server of one's own needs no key; the client refuses to send nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint and the model that is asked for there. Its `str` holds no secret."""

    base_url: str
    key: str
    model: str

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
        base_url = _address(settings.openai_base_url or OPENAI)
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
        return cls(base_url, key or NO_KEY, model)

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

    def masked(self, text: str) -> str:
        """``text`` with the key replaced, should it hold it."""
        if self.key == NO_KEY:
            return text
        return text.replace(self.key, "…" + (self.key[-4:] if len(self.key) >= 12 else ""))

    def __str__(self) -> str:
        return f"the model {self.model!r} at {self.shown_url} ({self.masked_key})"

    __repr__ = __str__


def _address(url: str) -> str:
    url = url.strip().rstrip("/").removesuffix("/chat/completions").rstrip("/")
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        valid = False
    if not valid:
        raise ConfigurationError(
            "OPENAI_BASE_URL is no web address.",
            "It looks like http://localhost:11434/v1 or https://api.openai.com/v1.",
        )
    return url
