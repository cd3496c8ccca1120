from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from assistant.errors import LibraryNotFound, SourceError
from assistant.library import Library
from assistant.paper import Paper
from assistant.settings import SourcesSettings
from assistant.sources.enriching import Enrichment, EnrichProgress

TEXT = "Owls hunt at night and hear a mouse below the snow from thirty metres away."
TITLE = "Owls That Hear: Mice, Snow and the Night"


def inverted(text: str) -> dict[str, list[int]]:
    return {word: [n] for n, word in enumerate(text.split())}


def work(number: int, title: str = TITLE, text: str = TEXT, **more: Any) -> dict[str, Any]:
    return {
        "id": f"https://openalex.org/W{number}",
        "title": title,
        "doi": f"https://doi.org/10.1000/owl{number}",
        "publication_year": 2021,
        "authorships": [{"author": {"display_name": "Eve Strix"}}],
        "primary_location": {"source": {"display_name": "Night Birds"}},
        "abstract_inverted_index": inverted(text),
        **more,
    }


class OpenAlex:
    """Answers searches for titles with the works that it holds."""

    def __init__(self, server: HTTPServer) -> None:
        self.works: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.settings = SourcesSettings(
            openalex={"url": server.url_for("").rstrip("/"), "interval": 0}, backoff=0, retries=0
        )
        server.expect_request("/works").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.args["filter"])
        return Response(json.dumps({"meta": {"count": len(self.works)}, "results": self.works}))


@pytest.fixture
def openalex(httpserver: HTTPServer) -> OpenAlex:
    return OpenAlex(httpserver)


@pytest.fixture
def enrichment(library: Library, openalex: OpenAlex) -> Enrichment:
    library.ingest([Paper(title=TITLE, abstract=TEXT, source="page.txt")])
    return Enrichment(library, openalex.settings)


def test_what_is_missing_is_filled_in_and_the_id_stays(
    enrichment: Enrichment, openalex: OpenAlex, library: Library
) -> None:
    before = library.paper(TITLE)
    openalex.works = [work(9, "Owls"), work(1, TITLE.upper())]
    told: list[EnrichProgress] = []
    report = enrichment.run(told.append)
    assert (report.lacking, report.filled, report.left) == (1, 1, [])
    assert report.fields == {"authors": 1, "year": 1, "venue": 1, "doi": 1}
    paper = library.paper(TITLE)
    assert (paper.authors, paper.year, paper.venue) == (("Eve Strix",), 2021, "Night Birds")
    assert (paper.doi, paper.id, paper.title) == ("10.1000/owl1", before.id, TITLE)
    assert paper.source == "page.txt"
    assert openalex.asked == ["title.search:Owls That Hear Mice Snow and the Night"]
    assert (told[-1].asked, told[-1].total) == (1, 1)
    assert len(library) == 1


def test_what_is_known_is_never_replaced(library: Library, openalex: OpenAlex) -> None:
    library.ingest([Paper(title=TITLE, abstract=TEXT, authors=("E. Strix",), year=2020)])
    openalex.works = [work(1)]
    Enrichment(library, openalex.settings).run()
    paper = library.paper(TITLE)
    assert (paper.authors, paper.year, paper.venue) == (("E. Strix",), 2020, "Night Birds")


@pytest.mark.parametrize(
    ("works", "reason"),
    [
        ([], "knows no paper with this title"),
        ([work(1, "Owls That Hear: Mice, Snow and the Day")], "knows no paper with this title"),
        ([work(1, text="Quite another story on birds of ours")], "it may be another"),
        (
            [work(1), work(2, authorships=[{"author": {"display_name": "Al Bubo"}}])],
            "several papers have this title",
        ),
    ],
)
def test_what_is_not_sure_is_left_and_said(
    works: list[dict[str, Any]],
    reason: str,
    enrichment: Enrichment,
    openalex: OpenAlex,
    library: Library,
) -> None:
    openalex.works = works
    report = enrichment.run()
    assert report.filled == 0
    assert reason in report.left[0].reason
    assert library.paper(TITLE).authors == ()
    again = enrichment.run()
    assert (again.left, again.asked_before) == ([], 1)  # asked once
    assert len(openalex.asked) == 1
    assert len(enrichment.run(again=True).left) == 1


def test_what_one_service_does_not_know_another_is_asked_for(
    enrichment: Enrichment, openalex: OpenAlex, library: Library, httpserver: HTTPServer
) -> None:
    openalex.works = []
    enrichment.run()
    httpserver.expect_request("/crossref/works").respond_with_json({"message": {"items": []}})
    address = {"url": httpserver.url_for("/crossref"), "interval": 0}
    settings = SourcesSettings(**{"backoff": 0.01, "crossref": address})
    report = Enrichment(library, settings, service="crossref").run()
    assert ["Crossref knows no paper" in left.reason for left in report.left] == [True]


def test_a_short_title_needs_an_abstract(library: Library, openalex: OpenAlex) -> None:
    library.ingest([Paper(title="Owls", abstract=TEXT)])
    openalex.works = [work(1, "Owls", abstract_inverted_index=None)]
    assert Enrichment(library, openalex.settings).run().filled == 0


def test_a_doi_that_another_paper_has_is_not_taken(
    enrichment: Enrichment, openalex: OpenAlex, library: Library
) -> None:
    other = Paper(title="Another", doi="10.1000/owl1", authors=("A",), year=2001, venue="V")
    library.ingest([other])
    openalex.works = [work(1)]
    enrichment.run()
    assert len(library) == 2
    assert library.paper(TITLE).doi is None
    assert library.paper(TITLE).year == 2021


def test_a_preprint_and_its_publication_give_one_paper_both_ids(
    enrichment: Enrichment, openalex: OpenAlex, library: Library
) -> None:
    preprint = work(2, doi="https://doi.org/10.48550/arxiv.2101.00001", primary_location=None)
    openalex.works = [preprint, work(1)]
    enrichment.run()
    paper = library.paper(TITLE)
    assert (paper.doi, paper.arxiv_id, paper.venue) == ("10.1000/owl1", "2101.00001", "Night Birds")


def test_no_network_keeps_what_was_filled_in(
    enrichment: Enrichment, openalex: OpenAlex, library: Library, httpserver: HTTPServer
) -> None:
    library.ingest([Paper(title="A Second Paper on Something Else", abstract="Text of it.")])
    openalex.works = [work(1)]

    def break_off(progress: EnrichProgress) -> None:
        del progress
        httpserver.clear()
        httpserver.expect_request("/works").respond_with_data("", status=503)

    with pytest.raises(SourceError, match="503"):
        enrichment.run(break_off)
    assert library.paper(TITLE).year == 2021


def test_an_empty_library_is_said(library: Library, openalex: OpenAlex) -> None:
    with pytest.raises(LibraryNotFound, match="assistant sync SOURCE"):
        Enrichment(library, openalex.settings).run()


def test_crossref(library: Library, httpserver: HTTPServer) -> None:
    library.ingest([Paper(title=TITLE, abstract=TEXT)])
    found = {
        "DOI": "10.1000/owl1",
        "title": [TITLE],
        "author": [{"given": "Eve", "family": "Strix"}],
        "issued": {"date-parts": [[2021]]},
        "container-title": ["Night Birds"],
    }
    httpserver.expect_request("/works").respond_with_json({"message": {"items": [found]}})
    settings = SourcesSettings(crossref={"url": httpserver.url_for(""), "interval": 0})
    assert Enrichment(library, settings, service="crossref").run().filled == 1
    assert library.paper("10.1000/owl1").venue == "Night Birds"


def test_a_paper_with_a_doi_is_asked_for_by_it(library: Library, httpserver: HTTPServer) -> None:
    library.ingest([Paper(title="Birds of the Night", abstract=TEXT, doi="10.1000/owl(1)/a")])
    path = "/works/doi:10.1000/owl(1)/a"
    httpserver.expect_request(path).respond_with_json(
        work(1, doi="https://doi.org/10.1000/owl(1)/a")
    )
    httpserver.expect_request("/works/10.1000/owl(1)/a").respond_with_data("", status=404)
    httpserver.expect_request("/works").respond_with_json({"message": {"items": []}})
    address = {"url": httpserver.url_for("").rstrip("/"), "interval": 0}
    settings = SourcesSettings(**{"crossref": address, "openalex": address})
    report = Enrichment(library, settings, service="crossref").run()
    assert ["Crossref knows no paper" in left.reason for left in report.left] == [True]
    assert Enrichment(library, settings).run().filled == 1
    assert library.paper("10.1000/owl(1)/a").authors == ("Eve Strix",)
