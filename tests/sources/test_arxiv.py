from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from assistant.library import Library
from assistant.sources.arxiv import searched
from tests.sources.conftest import MakeSync, titles

Entry = dict[str, str]


def entry(number: int, updated: str, **more: str) -> Entry:
    return {
        "id": f"2601.{number:05d}",
        "title": f"On Bridges of Length {number}",
        "summary": f"We build bridges of length {number} & measure p < 0.05. They hold.",
        "updated": updated,
        **more,
    }


def atom(entries: Sequence[Entry], total: int) -> str:
    shown = "".join(
        f"""<entry><id>http://arxiv.org/abs/{e["id"]}v2</id><updated>{e["updated"]}</updated>
        <published>2026-01-01T00:00:00Z</published><title>{escape(e["title"])}</title>
        <summary>  {escape(e["summary"])}
        </summary><author><name>Ada Pont</name></author><author><name>Bo Ruíz</name></author>
        <arxiv:comment xmlns:arxiv="http://arxiv.org/schemas/atom">{e.get("comment", "9 pages")}
        </arxiv:comment><arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom"
        >10.1000/{e["id"]}</arxiv:doi>
        <category term="cs.CE" scheme="http://arxiv.org/schemas/atom"/></entry>"""
        for e in entries
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">
    <title>ArXiv Query</title><id>http://arxiv.org/api/x</id>
    <opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">{total}
    </opensearch:totalResults>{shown}</feed>"""


class Arxiv:
    """arXiv with some papers, two a page; answers of ``first`` come before its own."""

    def __init__(self, server: HTTPServer, entries: list[Entry]) -> None:
        self.entries = entries
        self.first: list[Response] = []
        self.asked: list[dict[str, str]] = []
        server.expect_request("/arxiv/query").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.args.to_dict())
        if self.first:
            return self.first.pop(0)
        if "id_list" in request.args:
            wanted = request.args["id_list"].split(",")
            return Response(atom([e for e in self.entries if e["id"] in wanted], len(wanted)))
        ordered = sorted(self.entries, key=lambda e: e["updated"], reverse=True)
        start = int(request.args["start"])
        return Response(atom(ordered[start : start + 2], len(ordered)))


@pytest.fixture
def arxiv(httpserver: HTTPServer) -> Arxiv:
    return Arxiv(httpserver, [entry(n, f"2026-01-0{n}T10:00:00Z") for n in range(1, 6)])


def test_pages_are_read_to_the_end_with_all_that_is_known(
    arxiv: Arxiv, make_sync: MakeSync, library: Library
) -> None:
    report = make_sync().run(["arxiv:cs.CE"])
    assert (report.read, report.added, len(report.rejected)) == (5, 5, 0)
    assert [a["start"] for a in arxiv.asked] == ["0", "2", "4"]
    assert arxiv.asked[0]["search_query"] == "cat:cs.CE"
    paper = library.paper("2601.00003")
    assert paper.title == "On Bridges of Length 3"
    assert paper.abstract == "We build bridges of length 3 & measure p < 0.05. They hold."
    assert paper.authors == ("Ada Pont", "Bo Ruíz")
    assert (paper.year, paper.doi, paper.tags) == (2026, "10.1000/2601.00003", ("cs.CE",))
    assert (paper.source, paper.url) == ("arxiv:cs.CE", "https://arxiv.org/abs/2601.00003")


def test_the_next_sync_asks_for_what_is_new_or_changed_only(
    arxiv: Arxiv, make_sync: MakeSync, library: Library
) -> None:
    make_sync().run(["arxiv:cs.CE"])
    arxiv.asked.clear()
    arxiv.entries.append(entry(7, "2026-02-01T00:00:00Z"))
    changed = {"updated": "2026-02-02T00:00:00Z", "summary": "We took the bridges down again."}
    arxiv.entries[0].update(changed)
    report = make_sync().run()
    assert (report.added, report.updated, report.unchanged, report.read) == (1, 1, 0, 2)
    assert library.paper("2601.00001").abstract == "We took the bridges down again."
    assert len(arxiv.asked) == 2
    assert make_sync().run().read == 0


def test_withdrawn_papers_are_not_taken_in_and_are_taken_out(
    arxiv: Arxiv, make_sync: MakeSync, library: Library
) -> None:
    arxiv.entries[1]["comment"] = "This paper has been withdrawn by the authors"
    report = make_sync().run(["arxiv:cs.CE"])
    assert (report.added, report.removed) == (4, [])
    arxiv.entries[2].update(
        updated="2026-03-01T00:00:00Z", summary="This paper has been withdrawn due to an error."
    )
    report = make_sync().run()
    assert report.removed == ["On Bridges of Length 3"]
    assert "On Bridges of Length 3" not in titles(library)
    assert len(library) == 3


def test_what_passes_is_waited_for(arxiv: Arxiv, make_sync: MakeSync, waits: list[str]) -> None:
    arxiv.first = [
        Response("slow down", 429, {"Retry-After": "0.02"}),
        Response("busy", 503),
        Response("<html>maintenance</html>"),
        Response(atom([], 5)),  # arXiv's empty pages
    ]
    assert make_sync().run(["arxiv:cs.CE"]).added == 5
    assert len(waits) == 4
    assert "too many requests" in waits[0]


def test_an_interrupted_sync_goes_on_where_it_stopped(
    arxiv: Arxiv, make_sync: MakeSync, library: Library
) -> None:
    def interrupt(progress: object) -> None:
        del progress
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_sync().run(["arxiv:cs.CE"], interrupt)
    assert len(library) == 2
    arxiv.asked.clear()
    arxiv.entries.append(entry(8, "2026-02-01T00:00:00Z"))  # moves all others back by one
    report = make_sync().run()
    assert [a["start"] for a in arxiv.asked] == ["2", "4"]
    assert (report.added, report.unchanged) == (3, 1)
    assert make_sync().run().added == 1
    assert len(library) == 6


def test_a_failure_under_way_keeps_what_came_and_goes_on(
    arxiv: Arxiv, make_sync: MakeSync, library: Library
) -> None:
    sync = make_sync(retries=0)

    def then_break(progress: object) -> None:
        del progress
        arxiv.first = [Response("down", 503)]

    report = sync.run(["arxiv:cs.CE"], then_break)
    assert len(library) == 2
    assert "503" in (report.sources[0].error or "")
    arxiv.first = []
    assert make_sync().run().added == 3


def test_a_first_run_takes_the_newest_that_are_wanted(
    arxiv: Arxiv, make_sync: MakeSync, library: Library
) -> None:
    report = make_sync().run(["arxiv:cs.CE"], limit=3)
    assert report.sources[0].finished
    assert titles(library) == [f"On Bridges of Length {n}" for n in (3, 4, 5)]
    assert make_sync().run().read == 0


def test_ids_are_asked_for_by_id(arxiv: Arxiv, make_sync: MakeSync, library: Library) -> None:
    make_sync().run(["arxiv:2601.00001,2601.00004"])
    assert titles(library) == ["On Bridges of Length 1", "On Bridges of Length 4"]
    assert arxiv.asked[0]["id_list"] == "2601.00001,2601.00004"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("cs.CL", "cat:cs.CL"),
        ("hep-th", "cat:hep-th"),
        ("cond-mat.str-el", "cat:cond-mat.str-el"),
        ("au:curie AND ti:radium", "au:curie AND ti:radium"),
        ('bridges "steel rope"', 'all:bridges AND all:"steel rope"'),
        ("transformer", "all:transformer"),
    ],
)
def test_queries_in_the_language_of_arxiv(query: str, wanted: str) -> None:
    assert searched(query) == wanted
