"""Each service but arXiv in its documented answers, over several pages, twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from assistant.errors import SourceError
from assistant.library import Library
from assistant.sources.base import today
from tests.sources.conftest import MakeSync, titles

Json = dict[str, Any]


class Asked(list[dict[str, str]]):
    """The parameters of each request, in order."""


def serve(server: HTTPServer, path: str, *answers: Any) -> Asked:
    """Answers requests one after the other; the last answer stays."""
    asked, left = Asked(), list(answers)

    def answer(request: Request) -> Response:
        asked.append(request.args.to_dict())
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Response):
            return Response(found.get_data(), found.status_code, found.headers)
        return Response(json.dumps(found), mimetype="application/json")

    server.expect_request(path).respond_with_handler(answer)
    return asked


# -- OpenAlex ------------------------------------------------------------------------------------


def work(number: int, **more: Any) -> Json:
    return {
        "id": f"https://openalex.org/W{number}",
        "doi": f"https://doi.org/10.1000/w{number}",
        "title": f"Wells of Depth {number}",
        "publication_year": 2020 + number,
        "is_retracted": False,
        "authorships": [{"author": {"display_name": "Ida Brunn"}}, {"author": None}],
        "primary_location": {
            "landing_page_url": f"https://example.org/w{number}",
            "source": {"display_name": "Journal of Wells"},
        },
        "keywords": [{"display_name": "Groundwater"}],
        "abstract_inverted_index": {"Wells": [0], "dry": [2], "run": [1], "out.": [3]},
        **more,
    }


def test_openalex(httpserver: HTTPServer, make_sync: MakeSync, library: Library) -> None:
    asked = serve(
        httpserver,
        "/openalex/works",
        {
            "meta": {"count": 4, "next_cursor": "b"},
            "results": [work(1), work(2, is_retracted=True)],
        },
        {"meta": {"count": 4, "next_cursor": "c"}, "results": [work(3), {"id": None}, None]},
        {"meta": {"count": 4, "next_cursor": None}, "results": []},
        {"meta": {"count": 1, "next_cursor": None}, "results": [work(3, title="Deep Wells")]},
    )
    report = make_sync(email="a@example.org").run(["openalex:deep wells"])
    assert [a["cursor"] for a in asked] == ["*", "b", "c"]
    assert {(a["search"], a["mailto"]) for a in asked} == {("deep wells", "a@example.org")}
    assert (report.added, len(report.rejected), report.sources[0].withdrawn) == (2, 1, 1)
    paper = library.paper("10.1000/w3")
    assert (paper.abstract, paper.venue, paper.year) == (
        "Wells run dry out.",
        "Journal of Wells",
        2023,
    )
    assert (paper.authors, paper.tags) == (("Ida Brunn",), ("Groundwater",))
    again = make_sync().run()
    assert asked[-1]["filter"].startswith("from_publication_date:20")
    assert (again.updated, again.read) == (1, 1)
    assert titles(library) == ["Deep Wells", "Wells of Depth 1"]


def test_openalex_asks_for_changes_where_the_key_allows_it(
    httpserver: HTTPServer, make_sync: MakeSync
) -> None:
    page = {"meta": {"count": 1, "next_cursor": None}, "results": [work(1)]}
    asked = serve(httpserver, "/openalex/works", page, Response("plan", 403), page)
    make_sync(keys={"openalex": "k"}).run(["openalex:primary_topic.id:T1"])
    assert asked[0]["filter"] == "primary_topic.id:T1"
    assert "search" not in asked[0]
    make_sync(keys={"openalex": "k"}).run()
    assert asked[1]["filter"] == f"primary_topic.id:T1,from_updated_date:{today()}"
    assert "from_publication_date" in asked[2]["filter"]


# -- Semantic Scholar ----------------------------------------------------------------------------


def test_semantic_scholar(httpserver: HTTPServer, make_sync: MakeSync, library: Library) -> None:
    def entry(number: int, **more: Any) -> Json:
        return {
            "paperId": f"s{number}",
            "title": f"Kites in Wind {number}",
            "abstract": "Kites fly.",
            "authors": [{"authorId": "1", "name": "Lu Feng"}],
            "year": 2024,
            "venue": "Kite Conference",
            "externalIds": {"DOI": f"10.1000/k{number}", "ArXiv": f"2401.0000{number}"},
            "url": f"https://example.org/k{number}",
            **more,
        }

    asked = serve(
        httpserver,
        "/semanticscholar/graph/v1/paper/search/bulk",
        Response('{"message": "Too Many Requests"}', 429),
        {"total": 3, "token": "next", "data": [entry(1), entry(2, abstract=None)]},
        {"total": 3, "token": None, "data": ["?", entry(3)]},
    )
    report = make_sync(keys={"semanticscholar": "secret"}).run(["semanticscholar:kites"])
    assert [a.get("token") for a in asked] == [None, None, "next"]
    assert httpserver.log[0][0].headers["x-api-key"] == "secret"
    assert (report.added, len(report.rejected)) == (3, 1)
    paper = library.paper("2401.00003")
    assert (paper.doi, paper.venue, paper.authors) == (
        "10.1000/k3",
        "Kite Conference",
        ("Lu Feng",),
    )
    make_sync().run()
    assert asked[-1]["publicationDateOrYear"].endswith(":")


# -- PubMed --------------------------------------------------------------------------------------


def article(number: int, kind: str = "Journal Article", title: str = "") -> str:
    return f"""<PubmedArticle><MedlineCitation><PMID Version="1">{number}</PMID><Article>
    <Journal><JournalIssue><PubDate><MedlineDate>2021 Nov-Dec</MedlineDate></PubDate>
    </JournalIssue><Title>Journal of Salt</Title></Journal>
    <ArticleTitle>{title or f"Salt and <i>H<sub>2</sub>O</i> {number}"}.</ArticleTitle>
    <Abstract><AbstractText Label="BACKGROUND">Salt is <b>eaten</b>.</AbstractText>
    <AbstractText Label="RESULTS">Pressure fell by 4 mmHg.</AbstractText></Abstract>
    <AuthorList><Author><LastName>Nair</LastName><ForeName>Asha</ForeName></Author>
    <Author><LastName>Berg</LastName><Initials>K</Initials></Author>
    <Author ValidYN="N"><LastName>Wrong</LastName></Author>
    <Author><CollectiveName>SALT Group</CollectiveName></Author></AuthorList>
    <PublicationTypeList><PublicationType>{kind}</PublicationType></PublicationTypeList>
    </Article><KeywordList><Keyword>sodium</Keyword></KeywordList></MedlineCitation>
    <PubmedData><ArticleIdList><ArticleId IdType="doi">10.1000/salt{number}</ArticleId>
    </ArticleIdList><ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.9/other
    </ArticleId></ArticleIdList></Reference></ReferenceList></PubmedData></PubmedArticle>"""


def article_set(*articles: str) -> Response:
    return Response(
        "<?xml version='1.0'?><!DOCTYPE PubmedArticleSet PUBLIC '-//NLM//DTD PubMedArticle//EN' "
        "'https://dtd.example/pubmed.dtd'>"
        f"<PubmedArticleSet>{''.join(articles)}</PubmedArticleSet>"
    )


def test_pubmed(httpserver: HTTPServer, make_sync: MakeSync, library: Library) -> None:
    found = {"esearchresult": {"count": "250", "webenv": "W", "querykey": "1"}}
    searched = serve(httpserver, "/pubmed/esearch.fcgi", found)
    fetched = serve(
        httpserver,
        "/pubmed/efetch.fcgi",
        article_set(article(1), "<PubmedArticle/>", article(2, "Retracted Publication")),
        Response("<PubmedArticleSet><Pubmed"),
        article_set(article(3)),
        article_set(article(3, "Retracted Publication")),
        article_set("<DeleteCitation><PMID Version='1'>1</PMID></DeleteCitation>"),
    )
    report = make_sync(keys={"pubmed": "k"}).run(["pubmed:salt AND pressure"])
    assert [f["retstart"] for f in fetched] == ["0", "200", "200"]
    assert (fetched[0]["WebEnv"], fetched[0]["api_key"]) == ("W", "k")
    assert (report.added, len(report.rejected)) == (2, 1)
    paper = library.paper("10.1000/salt3")
    assert paper.abstract == "BACKGROUND: Salt is eaten. RESULTS: Pressure fell by 4 mmHg."
    assert (paper.title, paper.year, paper.venue) == ("Salt and H₂O 3.", 2021, "Journal of Salt")
    assert (paper.authors, paper.tags) == (
        ("Asha Nair", "K Berg", "SALT Group"),
        ("sodium",),
    )
    assert make_sync().run().removed == ["Salt and H₂O 3.", "Salt and H₂O 1."]
    assert len(library) == 0
    assert (searched[-1]["datetype"], searched[-1]["maxdate"]) == ("mdat", "3000")


def test_pubmed_says_what_it_does_not_hand_out(httpserver: HTTPServer, make_sync: MakeSync) -> None:
    found = {"esearchresult": {"count": "12000", "webenv": "W", "querykey": "1"}}
    serve(httpserver, "/pubmed/esearch.fcgi", found)
    with pytest.raises(SourceError, match=r"12,000 records.*Narrow it"):
        make_sync().run(["pubmed:cancer"])


# -- Crossref ------------------------------------------------------------------------------------


def deposit(number: int, **more: Any) -> Json:
    return {
        "DOI": f"10.1000/c{number}",
        "title": [f"Copper Roofs {number}"],
        "abstract": "<jats:title>Abstract</jats:title><jats:p>Copper turns green.</jats:p>",
        "author": [{"given": "Eva", "family": "Holm"}, {"name": "Roof Society"}],
        "container-title": ["Roofs"],
        "issued": {"date-parts": [[2023, 4]]},
        "published-online": {"date-parts": [[2022]]},
        "URL": f"https://doi.org/10.1000/c{number}",
        **more,
    }


def items(*works: Json, cursor: str | None = "n") -> Json:
    return {"message": {"total-results": 3, "items": list(works), "next-cursor": cursor}}


def test_crossref(httpserver: HTTPServer, make_sync: MakeSync, library: Library) -> None:
    retracted = [{"type": "retraction", "DOI": "10.1000/r"}]
    asked = serve(
        httpserver,
        "/crossref/works",
        items(deposit(1), {"DOI": "10.1000/empty"}),
        items(deposit(2, **{"updated-by": retracted})),
        items(),
        items(deposit(1, **{"updated-by": retracted}), cursor=None),
    )
    report = make_sync().run(["crossref:copper roofs"])
    assert [a["cursor"] for a in asked] == ["*", "n", "n"]
    assert (report.added, len(report.rejected)) == (1, 1)
    paper = library.paper("10.1000/c1")
    assert (paper.abstract, paper.year, paper.venue) == ("Copper turns green.", 2022, "Roofs")
    assert paper.authors == ("Eva Holm", "Roof Society")
    assert make_sync().run().removed == ["Copper Roofs 1"]
    assert "from-index-date:20" in asked[-1]["filter"]


def test_dois(httpserver: HTTPServer, make_sync: MakeSync, library: Library) -> None:
    serve(httpserver, "/crossref/works/10.1000/c1", {"message": deposit(1)})
    serve(httpserver, "/crossref/works/10.1000/none", Response("Resource not found.", 404))
    report = make_sync().run(["doi:10.1000/c1,https://doi.org/10.1000/none"])
    assert titles(library) == ["Copper Roofs 1"]
    assert [r.reason for r in report.rejected] == ["Crossref does not know this DOI"]


# -- Hugging Face --------------------------------------------------------------------------------


def test_daily_papers(httpserver: HTTPServer, make_sync: MakeSync, library: Library) -> None:
    def listed(number: int) -> Json:
        paper = {
            "id": f"2601.1000{number}",
            "title": f"Daily Bread {number}",
            "summary": "We bake\nbread.",
            "authors": [{"name": "Jo Miller"}],
            "publishedAt": "2026-01-02T00:00:00.000Z",
        }
        return {"paper": paper, "publishedAt": "2026-01-03T00:00:00.000Z"}

    asked = serve(
        httpserver, "/hf_papers/api/daily_papers", [listed(1)], Response("", 404), [listed(2), 5]
    )
    report = make_sync().run(["hf-papers:2026-01-02..2026-01-04"])
    assert [a["date"] for a in asked] == ["2026-01-02", "2026-01-03", "2026-01-04"]
    assert (report.added, len(report.rejected)) == (2, 1)
    paper = library.paper("2601.10002")
    assert (paper.abstract, paper.authors, paper.year) == ("We bake bread.", ("Jo Miller",), 2026)
    make_sync().run()
    assert [a["date"] for a in asked[3:]] == ["2026-01-04"]


@pytest.mark.parametrize(
    "query", ["yesterday", "2026-02-30", "2026-02-03..2026-02-01", "2999-01-01"]
)
def test_what_is_no_range_of_dates(query: str, make_sync: MakeSync) -> None:
    with pytest.raises(SourceError, match=r"date|begins after"):
        make_sync().run([f"hf-papers:{query}"])


# -- Zotero --------------------------------------------------------------------------------------


def test_zotero(httpserver: HTTPServer, make_sync: MakeSync, library: Library) -> None:
    def item(key: str, title: str, **more: Any) -> Json:
        data = {
            "key": key,
            "itemType": "journalArticle",
            "title": title,
            "abstractNote": f"About {title}.",
            "creators": [
                {"creatorType": "author", "firstName": "Kit", "lastName": "Wen"},
                {"creatorType": "editor", "name": "Nobody"},
            ],
            "date": "12 May 2019",
            "publicationTitle": "Ships",
            "extra": "arXiv:1905.00001 [cs]" if key == "AAAAAAAA" else "",
            "tags": [{"tag": "to read"}],
            **more,
        }
        return {"key": key, "version": 7, "data": data}

    def page(items: list[Json], total: int, version: int) -> Response:
        headers = {"Total-Results": str(total), "Last-Modified-Version": str(version)}
        return Response(json.dumps(items), 200, headers)

    path = "/zotero/groups/12/collections/ABCD2345/items/top"
    asked = serve(
        httpserver,
        path,
        page([item("AAAAAAAA", "Oars"), item("BBBBBBBB", "Sails")], 4, 7),
        page([item("CCCCCCCC", "Notes", itemType="note"), item("DDDDDDDD", "Keels")], 4, 8),
        page([item("BBBBBBBB", "Sails of Flax"), item("DDDDDDDD", "Keels", deleted=1)], 2, 9),
    )
    deleted = serve(httpserver, "/zotero/groups/12/deleted", {"items": ["AAAAAAAA"]})
    sync = make_sync(keys={"zotero": "private"})
    report = sync.run(["zotero:groups/12/ABCD2345"])
    assert [a["start"] for a in asked] == ["0", "2"]
    assert httpserver.log[0][0].headers["Zotero-API-Key"] == "private"
    assert report.added == 3
    paper = library.paper("Oars")
    assert (paper.year, paper.venue, paper.authors) == (2019, "Ships", ("Kit Wen",))
    assert (paper.arxiv_id, paper.tags) == ("1905.00001", ("to read",))
    again = sync.run()
    assert asked[-1]["since"] == deleted[0]["since"] == "7"
    assert sorted(again.removed) == ["Keels", "Oars"]
    assert titles(library) == ["Sails of Flax"]


def test_what_is_no_zotero_library(make_sync: MakeSync) -> None:
    with pytest.raises(SourceError, match="names no Zotero library"):
        make_sync().run(["zotero:my papers"])


# -- feeds ---------------------------------------------------------------------------------------

RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"><channel><title>New</title>
<item><title>Clay &amp; Kilns</title><link>https://example.org/clay</link>
<description>&lt;p&gt;Clay is fired &lt;i&gt;slowly&lt;/i&gt;.&lt;/p&gt;</description>
<dc:creator>Mo Adler, Pia Lund, Ed Roy</dc:creator><pubDate>Mon, 02 Mar 2026 00:00:00 GMT</pubDate>
<prism:publicationName>Pots</prism:publicationName><prism:doi>10.1000/clay</prism:doi></item>
<item><title>Glass</title><link>https://arxiv.org/abs/2603.00001</link>
<description>arXiv:2603.00001v1 Announce Type: new
Abstract: Glass melts at p &lt; 0.05.</description></item><item><link>https://x.org</link></item>
</channel></rss>"""


def test_a_feed(httpserver: HTTPServer, make_sync: MakeSync, library: Library) -> None:
    seen: list[str | None] = []

    def answer(request: Request) -> Response:
        seen.append(request.headers.get("If-None-Match"))
        if seen[-1] == '"1"':
            return Response("", 304)
        return Response(RSS, 200, {"ETag": '"1"'}, mimetype="application/rss+xml")

    httpserver.expect_request("/journal.rss").respond_with_handler(answer)
    address = httpserver.url_for("/journal.rss")
    report = make_sync().run([address])
    assert (report.added, len(report.rejected)) == (2, 1)
    clay = library.paper("10.1000/clay")
    assert (clay.title, clay.abstract) == ("Clay & Kilns", "Clay is fired slowly.")
    assert (clay.authors, clay.venue, clay.year) == (
        ("Mo Adler", "Pia Lund", "Ed Roy"),
        "Pots",
        2026,
    )
    assert library.paper("2603.00001").abstract == "Glass melts at p < 0.05."
    assert make_sync().run().read == 0
    assert seen == [None, '"1"']


def test_a_page_is_no_feed(httpserver: HTTPServer, make_sync: MakeSync) -> None:
    httpserver.expect_request("/").respond_with_data("<html><body>Hello</body></html>")
    with pytest.raises(SourceError, match="no RSS or Atom feed"):
        make_sync().run([httpserver.url_for("/")])
