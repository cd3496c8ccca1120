"""What the field's own clients bring with them: new ways to fail, and settings of their own."""

from __future__ import annotations

import json
from typing import Any

import pyalex
import pytest
from Bio import Entrez
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from assistant.errors import SourceError
from assistant.library import Library
from assistant.settings import SourcesSettings
from assistant.sources import arxiv, openalex
from assistant.sources.http import Http
from tests.sources.conftest import MakeSync, titles
from tests.sources.test_arxiv import Arxiv, atom, entry
from tests.sources.test_services import article, article_set, deposit, items, serve, work


def interrupt(_: object) -> None:
    raise KeyboardInterrupt


def test_every_client_says_who_we_are(httpserver: HTTPServer, make_sync: MakeSync) -> None:
    """And not who it is: a service that minds writes to the address that the settings name."""
    Arxiv(httpserver, [entry(1, "2026-01-01T00:00:00Z")])
    serve(httpserver, "/openalex/works", {"meta": {"count": 1}, "results": [work(1)]})
    serve(httpserver, "/semanticscholar/graph/v1/paper/search/bulk", {"total": 0, "data": []})
    serve(httpserver, "/crossref/works", items(deposit(1), cursor=None))
    found = {"esearchresult": {"count": "1", "webenv": "W", "querykey": "1"}}
    serve(httpserver, "/pubmed/esearch.fcgi", found)
    serve(httpserver, "/pubmed/efetch.fcgi", article_set(article(1)))
    named = "arxiv openalex semanticscholar crossref pubmed".split()
    report = make_sync(email="a@example.org").run([f"{name}:ropes" for name in named])
    assert [s.error for s in report.sources] == [None] * 5
    agents = {request.headers["User-Agent"] for request, _ in httpserver.log}
    assert len(agents) == 1
    assert "(mailto:a@example.org)" in agents.pop()


# -- arxiv ---------------------------------------------------------------------------------------


@pytest.fixture
def five(httpserver: HTTPServer) -> Arxiv:
    return Arxiv(httpserver, [entry(n, f"2026-01-0{n}T10:00:00Z") for n in range(1, 6)])


def test_half_a_feed_is_not_taken_for_a_whole_one(
    five: Arxiv, make_sync: MakeSync, waits: list[str]
) -> None:
    half = atom(five.entries[3:], 5)
    five.first = [Response(half[: half.index("Length 5")])]
    assert make_sync().run(["arxiv:cs.CE"]).added == 5
    assert "no Atom feed of arXiv" in waits[0]


def test_what_arxiv_says_is_told(five: Arxiv, make_sync: MakeSync) -> None:
    said = atom([], 1).replace(
        "</feed>",
        "<entry><id>http://arxiv.org/api/errors#start</id><title>Error</title>"
        "<summary>start must be an integer</summary></entry></feed>",
    )
    five.first = [Response(said)] * 2
    with pytest.raises(SourceError, match="it says: start must be an integer"):
        make_sync(retries=1).run(["arxiv:cs.CE"])


def test_an_entry_without_a_date_is_rejected_and_the_rest_read(
    five: Arxiv, make_sync: MakeSync, library: Library
) -> None:
    whole = atom(five.entries[3:], 5)
    five.first = [Response(whole.replace("<updated>2026-01-05T10:00:00Z</updated>", ""))]
    report = make_sync().run(["arxiv:cs.CE"])
    assert (report.added, [r.reason for r in report.rejected]) == (4, ["no id, or no date"])
    assert [a["start"] for a in five.asked] == ["0", "2", "4"]
    assert report.sources[0].finished


def test_arxiv_asks_for_no_more_than_it_hands_out(
    five: Arxiv, make_sync: MakeSync, waits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arxiv, "_MOST", 3)
    assert make_sync().run(["arxiv:cs.CE"]).added == 4
    assert "newest 3 papers of a query, of 5" in waits[-1]


# -- pyalex --------------------------------------------------------------------------------------


def test_filters_reach_openalex_as_they_were_written(
    httpserver: HTTPServer, make_sync: MakeSync
) -> None:
    page = {"meta": {"count": 1, "next_cursor": None}, "results": [work(1)]}
    asked = serve(httpserver, "/openalex/works", page)
    query = "authorships.author.id:A1|A2,cited_by_count:>5,title.search:a+b"
    make_sync().run([f"openalex:{query}"])
    assert asked[0]["filter"] == query
    make_sync().run(["openalex:salt & pepper: 50%"])
    assert asked[1]["search"] == "salt & pepper: 50%"


def test_two_keys_in_one_process(httpserver: HTTPServer, make_sync: MakeSync) -> None:
    before = dict(pyalex.config)
    page = {"meta": {"count": 1, "next_cursor": None}, "results": [work(1)]}
    asked = serve(httpserver, "/openalex/works", page)
    for key in ("one", "two"):
        make_sync(keys={"openalex": key}).run(["openalex:wells"])
    assert [a["api_key"] for a in asked] == ["one", "two"]
    assert dict(pyalex.config) == before


def test_a_client_cannot_ask_another_host(httpserver: HTTPServer) -> None:
    settings = SourcesSettings(openalex={"url": httpserver.url_for("").rstrip("/")})
    with Http(openalex.SERVICE, settings) as http:
        for url in ("https://content.openalex.org/works/W1", "https://api.openalex.org.x/works"):
            with pytest.raises(SourceError, match="is not to be asked at"):
                openalex.works(http)._get_from_url(url)
    assert not httpserver.log


# -- semanticscholar -----------------------------------------------------------------------------


def test_semantic_scholar_goes_on_where_it_stopped(
    httpserver: HTTPServer, make_sync: MakeSync, library: Library
) -> None:
    def page(number: int, token: str | None) -> dict[str, Any]:
        kite = {"paperId": f"k{number}", "title": f"Kites {number}", "abstract": "They fly."}
        # without authors, and with one that is nothing
        return {"total": 3, "token": token, "data": [{**kite, "authors": [None]}]}

    path = "/semanticscholar/graph/v1/paper/search/bulk"
    asked = serve(httpserver, path, page(1, "b"), page(2, "c"), Response("", 503), page(3, None))
    with pytest.raises(KeyboardInterrupt):
        make_sync().run(["semanticscholar:kites & strings"], interrupt)
    assert make_sync().run().added == 2
    assert [a.get("token") for a in asked] == [None, "b", "c", "c"]
    assert {a["query"] for a in asked} == {"kites & strings"}
    assert titles(library) == ["Kites 1", "Kites 2", "Kites 3"]


# -- Entrez --------------------------------------------------------------------------------------


def test_a_long_query_is_posted_to_pubmed(httpserver: HTTPServer, make_sync: MakeSync) -> None:
    opener = Entrez._open
    posted: list[str] = []

    def answer(request: Request) -> Response:
        posted.append(request.form["term"])
        assert request.args["api_key"] == "k"
        return Response(json.dumps({"esearchresult": {"count": "0", "webenv": "", "querykey": ""}}))

    httpserver.expect_request("/pubmed/esearch.fcgi", method="POST").respond_with_handler(answer)
    query = " OR ".join(f"salt{number}[tiab]" for number in range(200))
    make_sync(keys={"pubmed": "k"}).run([f"pubmed:{query}"])
    assert posted == [query]
    assert (Entrez._open, Entrez.email, Entrez.api_key) == (opener, None, None)


def test_no_document_type_is_fetched(
    httpserver: HTTPServer, make_sync: MakeSync, loopback_only: list[str]
) -> None:
    """Nor an entity opened that the answer defines."""
    found = {"esearchresult": {"count": "1", "webenv": "W", "querykey": "1"}}
    serve(httpserver, "/pubmed/esearch.fcgi", found)
    bomb = (
        "<!DOCTYPE PubmedArticleSet SYSTEM 'https://dtd.example/new.dtd' [<!ENTITY a 'aaaa'>"
        "<!ENTITY f SYSTEM 'file:///etc/hostname'>]><PubmedArticleSet>"
        f"{article(1, title='Salt &a; &f;')}</PubmedArticleSet>"
    )
    serve(httpserver, "/pubmed/efetch.fcgi", Response(bomb))
    assert make_sync().run(["pubmed:salt"]).added == 1
    assert set(loopback_only) == {"localhost"}


# -- habanero ------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", ["nothing", []])
def test_a_message_of_crossref_that_is_something_else(
    message: Any, httpserver: HTTPServer, make_sync: MakeSync
) -> None:
    serve(httpserver, "/crossref/works", {"message": message})
    with pytest.raises(SourceError, match="The answer of Crossref"):
        make_sync(retries=0).run(["crossref:roofs"])
