"""``/api`` and MCP: screening for a systematic review: start, what comes next, decide, how far."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field

from assistant.assistant import Assistant
from assistant.exporting import record
from assistant.review.screening import Criteria, Estimate, Verdict, read_criteria
from assistant.review.screenings import Listed
from assistant.server.filtering import Chosen

__all__ = ["add_routes", "add_tools"]

Lines = Annotated[str, Field(max_length=20_000, description='lines "include: …" and "exclude: …"')]
Reviewer = Annotated[str, Field(min_length=1, max_length=60, description="who decides")]
Name = Annotated[str, Path(max_length=80, description="of the screening")]
Reason = Annotated[str, Field(max_length=300, description="a criterion, or own words")]


class Start(Chosen):
    """A screening to start, of the papers that are chosen."""

    topic: str = Field(min_length=1, max_length=4000, description="the question of the review")
    criteria: Lines = ""
    most: int = Field(0, ge=0, le=1_000_000, description="papers at the most; 0: all")


class Deciding(BaseModel):
    """A decision; ``verdict`` null takes it back."""

    paper_id: str = Field(max_length=400)
    verdict: Verdict | None
    reason: Reason = ""
    reviewer: Reviewer = "me"


class Standing(BaseModel):
    """How far a screening is; ``next``: the paper to decide on, null when all are decided."""

    name: str
    topic: str
    criteria: Criteria
    estimate: Estimate
    said: str
    prisma: dict[str, int]
    agreement: dict[str, float]
    conflicts: list[str]
    next: dict[str, Any] | None


def add_routes(router: APIRouter, assistant: Assistant) -> None:
    """The routes over one assistant; a login decides under its own name."""

    @router.get("/screenings")
    def screenings() -> list[Listed]:
        """The screenings of the library, that which was changed last first."""
        return assistant.screenings.all()

    @router.post("/screenings")
    def start(asked: Start) -> Standing:
        """Starts a screening."""
        return _started(assistant, asked)

    @router.get("/screenings/{name}")
    def standing(
        request: Request,
        name: Name,
        reviewer: Annotated[str, Query(min_length=1, max_length=60)] = "me",
    ) -> Standing:
        """How far it is, and the paper that is most useful to decide on next."""
        return _standing(assistant, name, _who(request, reviewer))

    @router.post("/screenings/{name}/decisions")
    def decide(request: Request, name: Name, given: Deciding) -> Standing:
        """Keeps a decision; gives what comes next."""
        who = _who(request, given.reviewer)
        assistant.screenings.session(name).decide(given.paper_id, given.verdict, given.reason, who)
        return _standing(assistant, name, who)


def add_tools(server: MCPServer[Any], assistant: Assistant) -> None:
    """The tools over one assistant."""

    @server.tool(title="Start a screening")
    def start_screening(
        topic: Annotated[str, Field(description="the question of the systematic review")],
        criteria: Lines = "",
    ) -> Standing:
        """Starts screening the library for a systematic review; gives its name, and a paper."""
        return _started(assistant, Start(topic=topic, criteria=criteria), "mcp")

    @server.tool(title="The next paper to screen")
    def next_to_screen(
        name: Annotated[str, Field(description="of the screening")], reviewer: Reviewer = "mcp"
    ) -> Standing:
        """The paper that is most useful to decide on next, the criteria, and how far it is."""
        return _standing(assistant, name, reviewer)

    @server.tool(title="Decide on a paper")
    def decide_on(
        name: Annotated[str, Field(description="of the screening")],
        paper_id: str,
        verdict: Verdict,
        reason: Reason = "",
        reviewer: Reviewer = "mcp",
    ) -> Standing:
        """Keeps an include, exclude or maybe with its reason; gives the paper that comes next."""
        assistant.screenings.session(name).decide(paper_id, verdict, reason, reviewer)
        return _standing(assistant, name, reviewer)


def _who(request: Request, reviewer: str) -> str:
    return str(request.scope.get("login") or reviewer)


def _started(assistant: Assistant, asked: Start, reviewer: str = "me") -> Standing:
    criteria = read_criteria(asked.criteria)
    name = assistant.screenings.start(asked.topic, criteria, asked.filters(), asked.most)
    return _standing(assistant, name, reviewer)


def _standing(assistant: Assistant, name: str, reviewer: str) -> Standing:
    session = assistant.screenings.session(name)
    estimate, waiting = session.estimate(), session.next(reviewer)
    kept = session.screening
    return Standing(
        name=name,
        topic=kept.topic,
        criteria=kept.criteria,
        estimate=estimate,
        said=str(estimate),
        prisma=kept.prisma(),
        agreement=session.agreement(),
        conflicts=kept.conflicts(),
        next=record(waiting) if waiting else None,
    )
