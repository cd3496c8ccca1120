"""Sources on the page, with services on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from live import Live
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from .conftest import BROWSER, Serve, Visit

pytestmark = BROWSER

Come = Callable[..., Visit]


class Crossref:
    """A service of bells; `hold` keeps its second page back."""

    def __init__(self, server: HTTPServer) -> None:
        self.bells, self.asked = 3, 0
        self.hold = threading.Event()
        self.hold.set()
        server.expect_request("/works").respond_with_handler(self._answer)
        self.url = server.url_for("").rstrip("/")

    def _answer(self, request: Request) -> Response:
        self.asked += 1
        if request.args.get("query") == "broken":
            return Response("", 503)
        at = int(request.args.get("cursor", "*").replace("*", "0"))
        if at:
            self.hold.wait(30)
        items = [self._bell(at)] if at < self.bells else []
        told = {"total-results": self.bells, "items": items, "next-cursor": str(at + 1)}
        return Response(json.dumps({"message": told}))

    @staticmethod
    def _bell(number: int) -> dict[str, Any]:
        return {
            "DOI": f"10.1000/b{number}",
            "title": [f"Bells Cast in Year {number}"],
            "abstract": f"<jats:p>Bells of the year {number} ring when they are struck.</jats:p>",
        }


@pytest.fixture
def bells(httpserver: HTTPServer) -> Iterator[Crossref]:
    service = Crossref(httpserver)
    yield service
    service.hold.set()


@pytest.fixture
def library(served: Serve, bells: Crossref) -> Live:
    crossref = {"url": bells.url, "interval": 0}
    return served(sources={"crossref": crossref, "backoff": 0, "retries": 1})


def test_a_source_is_named_synced_again_cancelled_and_forgotten(
    visit: Come, library: Live, bells: Crossref
) -> None:
    there = visit(library.url).open("/#library")
    page = there.page
    page.wait_for_selector("form[data-form=sync]")
    assert bells.asked == 0

    page.fill("#sources [name=source]", "bells, wherever they are")
    page.click("form[data-form=sync] button")
    page.wait_for_selector("#report .card.error >> text=is no source that can be synced")
    assert bells.asked == 0

    bells.hold.clear()
    page.fill("#sources [name=source]", "crossref:bells")
    page.click("form[data-form=sync] button")
    page.wait_for_selector("#report .upload >> text=read 1, stored 1")
    there.shot("sync-in-work")
    page.click("#report [data-act=cancel]")
    page.wait_for_selector("#report .upload >> text=stops")
    bells.hold.set()
    page.wait_for_selector("#report .card >> text=Cancelled")
    page.wait_for_selector(".synced >> text=unfinished")

    page.click(".synced [data-act=sync]")  # goes on where it stopped
    page.wait_for_selector(".synced li >> text=synced")
    assert "3 papers" in page.inner_text("#state")
    assert page.locator("#papers td .link").count() == 3

    bells.bells = 4
    page.click(".synced [data-act=sync]")
    page.wait_for_selector("#papers td .link >> nth=3")
    there.shot("sources")
    assert "4 papers, synced" in page.inner_text(".synced li")

    page.click(".synced [data-act=forget]")
    page.click("dialog .danger")
    page.wait_for_function("!document.querySelector('.synced')")
    assert page.locator("#papers td .link").count() == 4

    page.fill("#sources [name=source]", "crossref:broken")
    page.click("form[data-form=sync] button")
    page.wait_for_selector("#report .card.error >> text=503")


def test_nobody_from_afar_adds_the_address_of_a_feed(served: Serve, bells: Crossref) -> None:
    from assistant.ui.syncing import _job  # noqa: PLC0415
    from assistant.ui.visitors import Shelf, Visitor  # noqa: PLC0415

    live = served(sources={"backoff": 0})
    shelf = Shelf(live.settings, trusted=False)
    try:
        job = _job(Visitor(shelf), {"source": f"{bells.url}/feed"})
    finally:
        shelf.close()
    assert job.failure is not None
    assert "cannot be added from afar" in job.failure.what
    assert bells.asked == 0
