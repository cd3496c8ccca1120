"""MCP: the library as tools, resources and prompts of another assistant, at ``/mcp``.

A tool's result comes once as a short text, for the model to read, and once as structured data,
for the program; whole abstracts are resources, ``paper://library/ID``.
"""

from __future__ import annotations

import asyncio
import json
from itertools import islice
from typing import Annotated, Any
from urllib.parse import quote

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError, UnexpectedToolError
from mcp.server.mcpserver.resources import ResourceSecurity
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

from assistant.assistant import Assistant
from assistant.endpoint import Cancellation
from assistant.errors import AssistantError
from assistant.exporting import record
from assistant.paper import Paper
from assistant.results import Answer, SearchResult
from assistant.review.rendering import render
from assistant.server import news, screening
from assistant.server.failing import Teller
from assistant.server.filtering import YEAR, Chosen
from assistant.server.streams import references
from assistant.settings import Settings

__all__ = ["make_tools", "paper_uri"]

_LISTED = 1000
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
Year = Annotated[str | None, Field(description=f"only papers of: {YEAR}")]
Names = Annotated[list[str] | None, Field(description="only papers that one of these is part of")]


class Found(BaseModel):
    """What a search found."""

    result: list[SearchResult]


def paper_uri(paper_id: str) -> str:
    """Where a paper's resource is."""
    return f"paper://library/{quote(paper_id, safe='')}"


class _Server(MCPServer[Any]):
    """Says what a tool raises of ours in words for who asked."""

    def __init__(self, tell: Teller, name: str, **about: Any) -> None:
        super().__init__(name, **about)
        self._tell = tell

    async def call_tool(self, name: str, *arguments: Any, **more: Any) -> Any:
        """As `MCPServer.call_tool`."""
        try:
            return await super().call_tool(name, *arguments, **more)
        except UnexpectedToolError as error:
            if not isinstance(error.__cause__, AssistantError):
                raise
            raise ToolError(f"Error executing tool {name}: {self._tell(error.__cause__)}") from None


def make_tools(assistant: Assistant, tell: Teller) -> MCPServer[Any]:
    """The tools, resources and prompts over one assistant."""
    server = _Server(
        tell,
        "abstract-assistant",
        title="Abstract Assistant",
        instructions=(
            "Answers questions over a library of research-paper abstracts. Every sentence of an "
            "answer cites papers by title; where status is not 'answered', the library does not "
            "hold the answer: say so."
        ),
        log_level="ERROR",
    )
    _add_tools(server, assistant)
    news.add_tools(server, assistant)
    screening.add_tools(server, assistant)
    _add_resources(server, assistant, tell)
    _add_prompts(server, assistant.settings)
    return server


def _add_tools(server: MCPServer[Any], assistant: Assistant) -> None:
    @server.tool(title="Ask the library", annotations=_READS)
    async def ask(
        question: Annotated[str, Field(description="a whole question, in a sentence")],
        year: Year = None,
        venue: Names = None,
        author: Names = None,
        source: Names = None,
        tag: Names = None,
    ) -> Annotated[CallToolResult, Answer]:
        """Answers a question from the papers, with citations and their supporting quotes."""
        filters = _chosen(year, venue, author, source, tag).filters()
        answer = await assistant.aask(question, filters=filters)
        text = answer.answer + references(answer)
        if answer.status != "answered":
            text = f"(not answered by this library: {answer.status})\n{text}"
        # the abstracts are resources: a client reads those that it wants
        return _result(text, answer.model_copy(update={"passages": []}))

    @server.tool(title="Search the library", annotations=_READS)
    def search(
        query: Annotated[str, Field(description="words or a question")],
        k: Annotated[int, Field(ge=1, le=50, description="papers to find")] = 8,
        year: Year = None,
        venue: Names = None,
        author: Names = None,
        source: Names = None,
        tag: Names = None,
    ) -> Annotated[CallToolResult, Found]:
        """Finds the papers that fit best, each with its best sentence."""
        filters = _chosen(year, venue, author, source, tag).filters()
        found = assistant.search(query, k, filters=filters)
        lines = [f"{r.rank}. {r.title} <{paper_uri(r.paper_id)}>\n   {r.passage}" for r in found]
        return _result("\n".join(lines) or "Nothing was found.", Found(result=found))

    @server.tool(title="Get a paper", annotations=_READS)
    def get_paper(
        name: Annotated[str, Field(description="id, DOI, arXiv id or title")],
    ) -> Annotated[CallToolResult, dict[str, Any]]:
        """One paper with its abstract and what else is known."""
        paper = assistant.library.paper(name)
        return _result(_as_text(paper), record(paper))

    @server.tool(title="Review the literature", structured_output=False, annotations=_READS)
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
        finally:
            cancellation.set()  # a client that left waits for no language model
        return render(made, "md")


def _add_resources(server: MCPServer[Any], assistant: Assistant, tell: Teller) -> None:
    @server.resource(
        "paper://library", name="papers", title="Papers of the library", mime_type="text/plain"
    )
    def papers() -> str:
        """The papers with their addresses, the first thousand."""
        shown = islice(assistant.library.papers(), _LISTED)
        lines = [f"{paper_uri(paper.id)}\t{paper.label}" for paper in shown]
        total = len(assistant.library)
        if total > len(lines):
            lines.append(f"… and {total - len(lines):,} more; search finds them.")
        return "\n".join(lines) or "The library holds no paper yet."

    @server.resource(
        "paper://library/{name}",
        name="paper",
        title="A paper",
        mime_type="application/json",
        security=ResourceSecurity(exempt_params={"name"}),  # a title, which opens no file
    )
    def paper(name: str) -> str:
        """One paper, by id, DOI, arXiv id or title, as JSON with its abstract."""
        try:
            return json.dumps(record(assistant.library.paper(name)), ensure_ascii=False)
        except AssistantError as error:
            raise ResourceError(tell(error)) from None


def _add_prompts(server: MCPServer[Any], settings: Settings) -> None:
    def written(name: str, **values: str) -> str:
        from assistant.prompting import Prompts  # noqa: PLC0415

        return "\n".join(str(m.content) for m in Prompts(settings.prompts)[name].messages(**values))

    @server.prompt(title="Answer from the library")
    def answer(question: str) -> str:
        """A question, answered from the papers of the library and nothing else."""
        return written("mcp_answer", question=question)

    @server.prompt(title="Compare two papers")
    def compare(first: str, second: str) -> str:
        """Two papers, by id, DOI, arXiv id or title, compared by their abstracts."""
        return written("mcp_compare", first=first, second=second)

    @server.prompt(title="Review the literature")
    def literature_review(topic: str) -> str:
        """A literature review of a topic, from the papers of the library."""
        return written("mcp_review", topic=topic)


def _chosen(
    year: str | None,
    venue: list[str] | None,
    author: list[str] | None,
    source: list[str] | None,
    tag: list[str] | None,
) -> Chosen:
    return Chosen(
        year=year, venue=venue or [], author=author or [], source=source or [], tag=tag or []
    )


def _result(text: str, structured: BaseModel | dict[str, Any]) -> CallToolResult:
    data = structured.model_dump(mode="json") if isinstance(structured, BaseModel) else structured
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=data)


def _as_text(paper: Paper) -> str:
    """A paper as a person or a model reads it."""
    about = [", ".join(paper.authors), paper.venue or "", str(paper.year or ""), paper.link or ""]
    lines = [paper.label, " · ".join(part for part in about if part), paper.abstract]
    return "\n\n".join(line for line in lines if line)
