"""Schemathesis over the OpenAPI description: no 500, and every reply is as it is described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from fake_embedder import FakeEmbedder
from hypothesis import HealthCheck, given, settings
from live import Live
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from assistant.assistant import Assistant
from assistant.settings import Settings

from .conftest import PAPERS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    folder = tmp_path_factory.mktemp("fuzzed")
    with pytest.MonkeyPatch.context() as patch:
        fake = FakeEmbedder()
        patch.setattr("assistant.embedding.open_embedder", lambda *_, **__: fake)
        made = Settings.load(library=folder / "library", cache=Path(folder / "cache"))
        source = folder / "papers.jsonl"
        source.write_text("\n".join(map(json.dumps, PAPERS)), encoding="utf-8")
        Assistant(made).ingest([source])
        with Live(made) as server:
            yield schemathesis.openapi.from_url(f"{server.url}/api/openapi.json")


def test_no_request_is_a_defect(api: schemathesis.BaseSchema) -> None:
    seen = set()
    for found in api.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=25,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def send(case: schemathesis.Case) -> None:
            response = case.call()
            case.validate_response(response, checks=CHECKS)
            assert "Traceback" not in response.text

        send()
        seen.add(f"{operation.method.upper()} {operation.path}")
    assert len(seen) >= 12
