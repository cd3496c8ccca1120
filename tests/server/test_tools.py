"""MCP with the real ``mcp`` client."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from live import Live
from mcp import Client, MCPError

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


def test_an_agent_screens_under_a_name_of_its_own(server: Live) -> None:
    names, begun = call(server, ("start_screening", {"topic": "pruning of experts"}))
    assert {"start_screening", "next_to_screen", "decide_on"} <= set(names)
    name, paper = (begun.structured_content[key] for key in ("name", "next"))
    decided = {"name": name, "paper_id": paper["id"], "verdict": "include", "reason": "on topic"}
    _, told, again, lost = call(
        server,
        ("decide_on", decided),
        ("next_to_screen", {"name": name, "reviewer": "ada"}),
        ("next_to_screen", {"name": "nowhere"}),
    )
    assert told.structured_content["estimate"]["decided"] == 1
    assert told.structured_content["next"]["id"] != paper["id"]
    assert again.structured_content["next"]["id"] == paper["id"]
    assert lost.is_error


def test_a_result_comes_once_as_text_and_once_as_data(server: Live) -> None:
    _, answer, found = call(
        server, ("ask", {"question": QUESTION}), ("search", {"query": "gaze", "k": 2})
    )
    (text,) = answer.content
    assert "retraining" in text.text
    assert f"[1] {PAPERS[0]['title']}" in text.text
    assert "{" not in text.text
    assert answer.structured_content["answer"] in text.text
    assert answer.structured_content["passages"] == []
    assert [line[:2] for line in found.content[0].text.splitlines()[::2]] == ["1.", "2."]


def test_filters(server: Live) -> None:
    _, answer, found, wrong = call(
        server,
        ("ask", {"question": QUESTION, "year": "2023"}),
        ("search", {"query": "memory", "author": ["lovelace"]}),
        ("search", {"query": "memory", "year": "soon"}),
    )
    cited = {c["title"] for c in answer.structured_content["citations"]}
    assert cited <= {PAPERS[1]["title"]}
    assert [r["title"] for r in found.structured_content["result"]] == [PAPERS[0]["title"]]
    assert wrong.is_error
    assert "no range of years" in wrong.content[0].text


def test_papers_are_resources_and_prompts_are_offered(server: Live) -> None:
    async def run() -> None:
        async with Client(f"{server.url}/mcp") as client:
            (templates,) = (await client.list_resource_templates()).resource_templates
            assert templates.uri_template == "paper://library/{name}"
            (listed,) = (await client.list_resources()).resources
            (contents,) = (await client.read_resource(listed.uri)).contents
            lines = [line.split("\t") for line in contents.text.splitlines()]
            assert [title for _, title in lines] == [paper["title"] for paper in PAPERS]
            for (uri, _), paper in zip(lines, PAPERS, strict=True):
                (read,) = (await client.read_resource(uri)).contents
                assert json.loads(read.text)["abstract"] == paper["abstract"]
            with pytest.raises(MCPError, match="No Such Paper"):
                await client.read_resource("paper://library/No%20Such%20Paper")
            prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
            assert set(prompts) == {"answer", "compare", "literature_review"}
            got = await client.get_prompt("compare", {"first": "One", "second": "Two"})
            assert '"One" and "Two"' in got.messages[0].content.text

    asyncio.run(run())


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
