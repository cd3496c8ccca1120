"""MCP with the real ``mcp`` client."""

from __future__ import annotations

import asyncio
from typing import Any

from live import Live
from mcp import Client

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
    assert {"ask", "search", "get_paper"} <= set(names)
    assert answer.structured_content["citations"][0]["title"] == PAPERS[0]["title"]
    assert found.structured_content["result"][0]["title"] == PAPERS[1]["title"]
    assert PAPERS[1]["abstract"] in str(paper.content)


def test_what_cannot_be_done_is_told(serve: Serve) -> None:
    _, missing = call(serve(), ("get_paper", {"name": "No Such Paper"}))
    assert missing.is_error
    assert "No Such Paper" in str(missing.content)
