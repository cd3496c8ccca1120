"""MCP: the library as tools of another assistant, at ``/mcp`` (streamable HTTP)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from assistant.assistant import Assistant
from assistant.errors import AssistantError
from assistant.exporting import record
from assistant.llm import Cancellation
from assistant.results import Answer, SearchResult
from assistant.review.rendering import render
from assistant.server.news import add_tools

__all__ = ["make_tools"]


def make_tools(assistant: Assistant) -> MCPServer[Any]:
    """The tools over one assistant."""
    server: MCPServer[Any] = MCPServer(
        "abstract-assistant",
        title="Abstract Assistant",
        instructions=(
            "Answers questions over a library of research-paper abstracts. Every sentence of an "
            "answer cites papers by title; where status is not 'answered', the library does not "
            "hold the answer: say so."
        ),
        log_level="ERROR",
    )

    @server.tool(title="Ask the library")
    async def ask(
        question: Annotated[str, Field(description="a whole question, in a sentence")],
    ) -> Answer:
        """Answers a question from the papers, with citations and their supporting quotes."""
        try:
            return await assistant.aask(question)
        except AssistantError as error:
            raise ToolError(str(error)) from None

    @server.tool(title="Search the library")
    def search(
        query: Annotated[str, Field(description="words or a question")],
        k: Annotated[int, Field(ge=1, le=50, description="papers to find")] = 8,
    ) -> list[SearchResult]:
        """Finds the papers that fit best, each with its best sentence."""
        try:
            return assistant.search(query, k)
        except AssistantError as error:
            raise ToolError(str(error)) from None

    @server.tool(title="Get a paper")
    def get_paper(
        name: Annotated[str, Field(description="id, DOI, arXiv id or title")],
    ) -> dict[str, Any]:
        """One paper with its abstract and what else is known."""
        try:
            return record(assistant.library.paper(name))
        except AssistantError as error:
            raise ToolError(str(error)) from None

    @server.tool(title="Review the literature", structured_output=False)
    async def review(
        topic: Annotated[str, Field(description="what the review is about, in a few words")],
        papers: Annotated[int, Field(ge=1, le=200, description="papers to use at most")] = 20,
    ) -> str:
        """Writes a literature review as Markdown: themes, a comparison table, references.

        Where the library holds nothing on the topic, the review says so and cites nothing.
        """
        cancellation = Cancellation()
        try:
            made = await asyncio.to_thread(
                assistant.review, topic, papers, cancellation=cancellation
            )
        except AssistantError as error:
            raise ToolError(str(error)) from None
        finally:
            cancellation.set()  # a client that left waits for no language model
        return render(made, "md")

    add_tools(server, assistant)
    return server
