"""Screening by plain HTTP, as the page's script asks for it. Not part of the public API.

A screening belongs to the library, not to one visitor: reviewers work on it together, each under
their login, or the name that they give. Every decision names the paper that it is about and what
the window showed of it, so that no window overwrites what another did.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from assistant.errors import DecisionStands, QuestionError
from assistant.filters import Filters
from assistant.review.screening import CONSENSUS, Verdict, read_criteria
from assistant.review.screenings import Screenings
from assistant.review.session import Form, ScreeningSession
from assistant.ui import exports, screen_render
from assistant.ui.who import Here, Who

__all__ = ["router"]

router = APIRouter(prefix="/page/screenings", include_in_schema=False)

Name = Annotated[str, Path(pattern=r"^[\w-]{1,80}$")]
Reviewer = Annotated[str, Query(max_length=60)]
Short = Annotated[str, Query(max_length=400)]
_MOST_TEXT = 50_000_000
"""Characters of a file of decisions."""


class Started(BaseModel):
    """A screening to start."""

    topic: str = Field(max_length=4000)
    criteria: str = Field("", max_length=20_000)
    most: int = Field(0, ge=0, le=1_000_000)
    filters: Filters = Filters()
    year: str = Field("", max_length=400)


class Decided(BaseModel):
    """A decision; ``now``: the one that the window showed, "" for none; ``shown``: the paper that
    is before the reader's eyes, which stays there.
    """

    reviewer: str = Field("", max_length=60)
    paper: str = Field(max_length=400)
    verdict: Verdict | Literal[""]
    reason: str = Field("", max_length=300)
    now: Verdict | Literal[""] = ""
    settles: bool = False
    shown: str = Field("", max_length=400)


class Text(BaseModel):
    """Criteria, or a file of decisions."""

    text: str = Field(max_length=_MOST_TEXT)
    reviewer: str = Field("", max_length=60)
    every: Verdict | None = None


@router.get("")
def screenings(who: Who) -> dict[str, str]:
    return {"html": screen_render.start(_screenings(who).all())}


@router.post("")
def start(who: Who, asked: Started) -> dict[str, str]:
    library = who.visitor.library
    name = _screenings(who).start(
        asked.topic,
        read_criteria(asked.criteria),
        who.resolved(asked.filters, asked.year, library),
        asked.most,
    )
    return {"name": name}


@router.delete("/{name}")
def delete(who: Who, name: Name) -> dict[str, bool]:
    reviewers = {d.reviewer for d in _session(who, name).screening.decisions}
    if not who.page.shelf.trusted and reviewers - {who.login}:
        raise QuestionError(
            "Others decided in this screening.", "Whoever runs the server can delete its file."
        )
    _screenings(who).delete(name)
    return {"done": True}


@router.get("/{name}")
def at_work(who: Who, name: Name, reviewer: Reviewer = "", paper: Short = "") -> dict[str, Any]:
    session, look = _session(who, name), _look(who, reviewer)
    shown = session.next(look.reviewer, paper)
    html = screen_render.at_work(session, look, shown, name)
    return {"html": html, "topic": session.screening.topic, **_state(session, look, paper)}


@router.get("/{name}/revision")
def revision(who: Who, name: Name) -> dict[str, str]:
    return {"revision": _session(who, name).revision}


@router.get("/{name}/more")
def more(
    who: Who,
    name: Name,
    reviewer: Reviewer = "",
    show: Short = "",
    words: Short = "",
    page: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> dict[str, Any]:
    session, look = _session(who, name), _look(who, reviewer)
    look = look._replace(show=show if show in screen_render.SHOWN else "", words=words, page=page)
    progress, below = screen_render.more(session, look, session.estimate())
    return {"progress": progress, "more": below}


@router.get("/{name}/card")
def card(who: Who, name: Name, reviewer: Reviewer = "", paper: Short = "") -> dict[str, Any]:
    return _state(_session(who, name), _look(who, reviewer), paper)


@router.post("/{name}/decide")
def decide(who: Who, name: Name, given: Decided) -> dict[str, Any]:
    session, look = _session(who, name), _look(who, given.reviewer)
    as_who = CONSENSUS if given.settles else look.reviewer
    reason = " ".join(given.reason.split())
    stood = ""
    try:
        session.decide(given.paper, given.verdict or None, reason, as_who, instead_of=given.now)
    except DecisionStands as error:
        stood = str(error)
    title = session.papers[given.paper].label
    verdict = screen_render.PAST[given.verdict] if given.verdict else "Not decided"
    why = f" ({reason})" if reason and given.verdict else ""
    told = stood or f"{verdict}{why}: {title}"
    return {"told": told, "stood": bool(stood), **_state(session, look, given.shown)}


@router.post("/{name}/undo")
def undo(who: Who, name: Name, reviewer: Reviewer = "") -> dict[str, Any]:
    session, look = _session(who, name), _look(who, reviewer)
    paper = session.undo(look.reviewer)
    told = f"Taken back: {paper.label}" if paper else "There is nothing to take back."
    return {"told": told, **_state(session, look, paper.id if paper else "")}


@router.put("/{name}/criteria")
def criteria(who: Who, name: Name, given: Text) -> dict[str, Any]:
    found = read_criteria(given.text)
    if given.text.strip() and not (found.include or found.exclude):
        raise QuestionError("No line is a criterion.", "Begin each with “include:” or “exclude:”.")
    session = _session(who, name)
    session.judge_by(found)
    return {"told": f"{len(found.include) + len(found.exclude)} criteria are kept."}


@router.post("/{name}/import")
def take_in(who: Who, name: Name, given: Text) -> dict[str, str]:
    session = _session(who, name)
    made = session.bring_in(given.text, _look(who, given.reviewer).reviewer, given.every)
    return {"told": str(made)}


@router.get("/{name}/export")
def export(who: Who, name: Name, form: Form) -> dict[str, str]:
    session = _session(who, name)
    keys = who.page.shelf.assistant(who.visitor.library).citation_keys()
    ending = "csl.json" if form == "csl" else form
    file = exports.file_name(session.screening.topic, ending)
    return {"name": file, "text": session.written(form, keys)}


def _screenings(who: Here) -> Screenings:
    return who.page.shelf.assistant(who.visitor.library).screenings


def _session(who: Here, name: str) -> ScreeningSession:
    return _screenings(who).session(name)


def _look(who: Here, reviewer: str) -> screen_render.Look:
    """Who decides: the login, else the name that is given.

    Raises:
        QuestionError: the name is the one that settles conflicts.
    """
    name = who.login or " ".join(reviewer.split()) or "me"
    if name == CONSENSUS:
        raise QuestionError(f"“{CONSENSUS}” is no reviewer's name.", "Choose another one.")
    return screen_render.Look(name, bool(who.login), who.visitor.library)


def _state(session: ScreeningSession, look: screen_render.Look, shown: str = "") -> dict[str, Any]:
    """The paper to decide on, as the page draws it."""
    paper = session.next(look.reviewer, shown)
    return {
        "revision": session.revision,
        "reviewer": look.reviewer,
        "paper": paper.id if paper else "",
        "card": screen_render.card(session, look, paper),
    }
