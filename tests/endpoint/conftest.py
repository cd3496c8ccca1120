"""A scripted server, and settings and endpoints that point to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.endpoint import Endpoint
from assistant.settings import Settings
from tests.scripted_server import ScriptedServer

KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "ASSISTANT_LLM"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    empty = tmp_path / "empty.toml"
    empty.touch()
    monkeypatch.setenv("ASSISTANT_CONFIG", str(empty))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def settings_for(server: ScriptedServer, tmp_path: Path) -> Callable[..., Settings]:
    def make(**overrides: Any) -> Settings:
        given = {
            "llm": "scripted",
            "openai_base_url": server.url,
            "openai_api_key": KEY,
            "cache": tmp_path / "cache",
            **overrides,
        }
        return Settings.load(**given)

    return make


@pytest.fixture
def endpoint_for(settings_for: Callable[..., Settings]) -> Iterator[Callable[..., Endpoint]]:
    made: list[Endpoint] = []

    def make(*, cache: bool | None = None, **overrides: Any) -> Endpoint:
        made.append(Endpoint(settings_for(**overrides), cache=cache))
        return made[-1]

    yield make
    for endpoint in made:
        endpoint.close()
