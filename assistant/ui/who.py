"""Who asks by plain HTTP: the visitor, and what of the page they may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from assistant.filters import Filters, chosen_years
from assistant.ui.answers import Answers
from assistant.ui.turns import LibraryName
from assistant.ui.visitors import COOKIE, Shelf, Visitor

__all__ = ["Here", "Page", "Who"]

_YEAR = 365 * 24 * 3600


class Page:
    """What the routes share: the libraries, the questions in work, pictures of what is done."""

    def __init__(self, shelf: Shelf, picture_of: Callable[[str, bool], dict[str, Any]]) -> None:
        self.shelf = shelf
        self.store = shelf.store
        self.answers = Answers(shelf.store, shelf.settings.server)
        self.picture_of = picture_of


class Here:
    """Who asks: the visitor, whose conversations they may see, and their login if they have one."""

    def __init__(self, page: Page, visitor: Visitor, owner: str, login: str) -> None:
        self.page, self.store, self.answers = page, page.store, page.answers
        self.visitor, self.owner, self.login = visitor, owner, login

    def resolved(self, filters: Filters, years: str, name: LibraryName) -> Filters:
        """What was chosen, with the years of a text like "2019, 2021-2023".

        A tag of the visitor's own stands for the papers that have it and those of its name.

        Raises:
            QuestionError: a year is none.
        """
        if years.strip(" ,"):
            filters = filters.model_copy(update=chosen_years(years))
        if not filters.tag:
            return filters
        wanted = {tag.casefold() for tag in filters.tag}
        marks = self.store.marks(self.owner).values()
        own = {m.paper for m in marks if wanted & {tag.casefold() for tag in m.tags}}
        if not own:
            return filters
        by_tag = Filters(tag=filters.tag)
        library = self.visitor.assistant(name).library
        own |= {paper.id for paper in library.papers() if by_tag.fits(paper)}
        ids = own & set(filters.ids) if filters.ids else own
        return filters.model_copy(update={"tag": (), "ids": tuple(sorted(ids))})


def _here(request: Request, response: Response) -> Here:
    page: Page = request.app.state.page
    if COOKIE not in request.cookies:
        # put into the request, too, so that this very question belongs to the browser
        name = page.shelf.new_cookie()
        request.cookies[COOKIE] = name
        response.set_cookie(
            COOKIE,
            name,
            max_age=_YEAR,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
    login = str(request.scope.get("login") or "")
    return Here(page, page.shelf.visitor(request), page.shelf.owner(request), login)


Who = Annotated[Here, Depends(_here)]
