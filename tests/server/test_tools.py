"""MCP with the real ``mcp`` client."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from live import Live
from mcp import Client

from assistant.assistant import Assistant
from assistant.embedding import Embedder
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import Settings

from .conftest import PAPERS, QUESTION, Serve


def call(server: Live, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    async def run() -> list[Any]:
        async with Client(f"{server.url}/mcp") as client:
            tools = await client.list_tools()
            results: list[Any] = [sorted(tool.name for tool in tools.tools)]
            for name, arguments in calls:
                results.append(await client.call_tool(name, arguments))
            return results

    return asyncio.run(run())


def test_the_tools_answer(server: Live) -> None:
    names, answer, found, paper = call(
        server,
        ("ask", {"question": QUESTION}),
        ("search", {"query": "gaze", "k": 1}),
        ("get_paper", {"name": "2301.00001"}),
    )
    assert {"ask", "search", "get_paper", "review"} <= set(names)
    assert answer.structured_content["citations"][0]["title"] == PAPERS[0]["title"]
    assert found.structured_content["result"][0]["title"] == PAPERS[1]["title"]
    assert PAPERS[1]["abstract"] in str(paper.content)


def test_what_cannot_be_done_is_told(serve: Serve) -> None:
    _, missing = call(serve(), ("get_paper", {"name": "No Such Paper"}))
    assert missing.is_error
    assert "No Such Paper" in str(missing.content)


def test_a_review_of_the_sample_library(
    tmp_path: Path, real_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.embedding.open_embedder", lambda *_, **__: real_embedder)
    settings = Settings.load(library=tmp_path / "library")
    Assistant(settings).ingest([SAMPLE_PAPERS])
    with Live(settings) as server:
        _, written, absent, wordless = call(
            server,
            ("review", {"topic": "quantization of large language models", "papers": 3}),
            ("review", {"topic": "medieval castles"}),
            ("review", {"topic": "the"}),
        )
    text = written.content[0].text
    assert text.startswith("# Literature review: quantization of large language models\n")
    references = text.split("## References")[1]
    assert re.findall(r"^(\d)\. ", references, re.MULTILINE) == ["1", "2", "3"]
    assert "This library holds nothing on “medieval castles”" in absent.content[0].text
    assert "## References" not in absent.content[0].text
    assert wordless.is_error
    assert "no word that tells what it is about" in str(wordless.content)
