"""Every format with its own marks: what is read, and texts that are none of them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading import FORMATS, SourceReader, detect, read
from assistant.results import Rejection

WHOLE = {
    "title": "Rhythms of slow snails",
    "abstract": "Snails keep a rhythm of nine hours.",
    "authors": ("Ada Moss", "Ben van der Weg"),
    "year": 2021,
    "venue": "Journal of Invented Biology",
    "doi": "10.1234/snail_1",
}

ATOM = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>A query</title><entry>
<id>http://arxiv.org/abs/2101.00001v2</id><published>2021-01-02T00:00:00Z</published>
<title>Rhythms of slow
 snails</title><summary>Snails keep a rhythm of nine hours.</summary>
<author><name>Ada Moss</name></author><author><name>Ben van der Weg</name></author>
<arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">10.1234/snail_1</arxiv:doi>
<arxiv:journal_ref xmlns:arxiv="http://arxiv.org/schemas/atom">Journal of Invented Biology
</arxiv:journal_ref><category term="q-bio.PE"/></entry></feed>"""
PUBMED_XML = """<?xml version="1.0"?><!DOCTYPE PubmedArticleSet SYSTEM "http://a.b/c.dtd">
<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>7</PMID><Article><Journal><JournalIssue>
<PubDate><Year>2021</Year></PubDate></JournalIssue><Title>Journal of Invented Biology</Title>
</Journal><ArticleTitle>Rhythms of <i>slow</i> snails</ArticleTitle><Abstract><AbstractText>
Snails keep a rhythm of nine hours.</AbstractText></Abstract><AuthorList><Author><LastName>Moss
</LastName><ForeName>Ada</ForeName></Author><Author><LastName>van der Weg</LastName><ForeName>Ben
</ForeName></Author></AuthorList></Article></MedlineCitation><PubmedData><ArticleIdList>
<ArticleId IdType="doi">10.1234/snail_1</ArticleId></ArticleIdList></PubmedData></PubmedArticle>
</PubmedArticleSet>"""
JATS = """<article xmlns:xlink="http://www.w3.org/1999/xlink"><front><journal-meta>
<journal-title-group><journal-title>Journal of Invented Biology</journal-title>
</journal-title-group></journal-meta><article-meta><article-id pub-id-type="doi">10.1234/snail_1
</article-id><title-group><article-title>Rhythms of slow snails</article-title></title-group>
<contrib-group><contrib contrib-type="author"><name><surname>Moss</surname><given-names>Ada
</given-names></name></contrib><contrib><name><surname>van der Weg</surname><given-names>Ben
</given-names></name></contrib></contrib-group><pub-date><year>2021</year></pub-date>
<abstract><p>Snails keep a rhythm of nine hours.</p></abstract></article-meta></front>
<body><sec><title>Introduction</title><p>Long text.</p></sec></body></article>"""
WOS = """FN Clarivate
VR 1.0
PT J
AU Moss, A
   van der Weg, B
AF Moss, Ada
   van der Weg, Ben
TI Rhythms of slow
   snails
SO Journal of Invented Biology
AB Snails keep a rhythm of nine hours.
DE snail; rhythm
PY 2021
DI 10.1234/snail_1
ER

EF
"""
ENDNOTE = """%0 Journal Article
%T Rhythms of slow snails
%A Moss, Ada
%A van der Weg, Ben
%J Journal of Invented Biology
%D 2021
%R 10.1234/snail_1
%K snail
rhythm
%X Snails keep a rhythm of nine hours.
"""
PUBMED_TEXT = """1. Journal of Invented Biology. 2021 Mar;3(1):1-9. doi: 10.1234/snail_1.

Rhythms of slow snails.

Moss A(1), van der Weg B(2).

Author information:
(1)Somewhere.

Snails keep a rhythm
of nine hours.

Copyright 2021 Somebody.

DOI: 10.1234/snail_1
PMID: 7
"""
DUBLIN_CORE = """<OAI-PMH><ListRecords><record><header><identifier>oai:x:1</identifier></header>
<metadata><oai_dc:dc xmlns:oai_dc="a" xmlns:dc="b"><dc:title>Rhythms of slow snails</dc:title>
<dc:creator>Moss, Ada</dc:creator><dc:creator>van der Weg, Ben</dc:creator><dc:date>2021-03-01
</dc:date><dc:source>Journal of Invented Biology</dc:source><dc:description>Snails keep a rhythm of
nine hours.</dc:description><dc:identifier>https://doi.org/10.1234/snail_1</dc:identifier>
</oai_dc:dc></metadata></record></ListRecords></OAI-PMH>"""
PEOPLE = [{"given": "Ada", "family": "Moss"}, {"given": "Ben", "family": "van der Weg"}]
SERVICES = {
    "crossref": {
        "status": "ok",
        "message": {
            "items": [
                {
                    "DOI": "10.1234/snail_1",
                    "title": ["Rhythms of slow snails"],
                    "abstract": "<jats:p>Snails keep a rhythm of nine hours.</jats:p>",
                    "author": PEOPLE,
                    "issued": {"date-parts": [[2021, 3]]},
                    "container-title": ["Journal of Invented Biology"],
                    "funder": [{"name": "A fund", "DOI": "10.1234/fund"}],
                }
            ]
        },
    },
    "pages": [
        {
            "page": 1,
            "response": {
                "docs": [
                    {
                        "title_s": ["Rhythms of slow snails"],
                        "abstract_s": ["Snails keep a rhythm of nine hours."],
                        "authFullName_s": ["Ada Moss", "Ben van der Weg"],
                        "publicationDateY_i": 2021,
                        "journalTitle_s": "Journal of Invented Biology",
                        "doiId_s": "10.1234/snail_1",
                    }
                ]
            },
        }
    ],
    "by id": {
        "result": {
            "uids": ["7"],
            "7": {
                "title": "Rhythms of slow snails",
                "abstract": [{"label": "", "text": "Snails keep a rhythm of nine hours."}],
                "authors": [{"name": "Ada Moss"}, {"name": "Ben van der Weg"}],
                "pubdate": "2021 Mar",
                "fulljournalname": "Journal of Invented Biology",
                "articleids": [{"idtype": "doi", "value": "10.1234/snail_1"}],
            },
        }
    },
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("xml", ATOM),
        ("xml", PUBMED_XML),
        ("xml", JATS),
        ("xml", DUBLIN_CORE),
        ("wos", WOS),
        ("endnote", ENDNOTE),
        *(("json", json.dumps(answer)) for answer in SERVICES.values()),
    ],
)
def test_one_paper_in_many_forms(name: str, text: str) -> None:
    assert detect(text, "any") is FORMATS[name]
    (paper,) = FORMATS[name].read(io.StringIO(text), "here")
    assert isinstance(paper, Paper)
    assert {field: getattr(paper, field) for field in WHOLE} == WHOLE


def test_pubmed_abstracts_as_text() -> None:
    assert detect(PUBMED_TEXT, "x.txt") is FORMATS["pubmedtext"]
    (paper,) = FORMATS["pubmedtext"].read(io.StringIO(PUBMED_TEXT), "here")
    assert isinstance(paper, Paper)
    assert (paper.title, paper.abstract) == ("Rhythms of slow snails.", WHOLE["abstract"])
    assert paper.authors == ("Moss A", "van der Weg B")
    assert (paper.venue, paper.year, paper.doi) == (WHOLE["venue"], 2021, WHOLE["doi"])
    assert paper.source_id == "7"


def test_keywords_become_tags() -> None:
    (paper,) = FORMATS["wos"].read(io.StringIO(WOS), "here")
    assert isinstance(paper, Paper)
    assert paper.tags == ("snail", "rhythm")
    (paper,) = FORMATS["endnote"].read(io.StringIO(ENDNOTE), "here")
    assert isinstance(paper, Paper)
    assert paper.tags == ("snail", "rhythm")


def test_eric_begins_its_records_otherwise_than_pubmed() -> None:
    text = "\nOWN - ERIC\nTI  - One\nAU  - Moss, Ada\n\nOWN - ERIC\nTI  - Two\n"
    found = list(FORMATS["pubmed"].read(io.StringIO(text), "here"))
    assert [p.title for p in found if isinstance(p, Paper)] == ["One", "Two"]
    text = "PMID- 1\nOWN - NLM\nTI  - One\n\nPMID- 2\nOWN - NLM\nTI  - Two\n"
    found = list(FORMATS["pubmed"].read(io.StringIO(text), "here"))
    assert [p.title for p in found if isinstance(p, Paper)] == ["One", "Two"]


def test_entities_are_not_expanded_and_nothing_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden words", encoding="utf-8")
    text = (
        f'<!DOCTYPE f [<!ENTITY s SYSTEM "file://{tmp_path}/secret"><!ENTITY a "aaaaaaaaaa">'
        '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        "<feed><entry><title>Snails &s; &b; end</title><doi>10.1000/s</doi></entry></feed>"
    )
    (paper,) = FORMATS["xml"].read(io.StringIO(text), "here")
    assert isinstance(paper, Paper)
    assert paper.title == "Snails end"


POST = "<item><title>New boots {n}</title><description>They came on Monday.</description>{}</item>"


EMBASE = f""""TITLE","{"Snails sleep with open eyes, " * 4}"
"SOURCE","Journal of Snails (2022) 3:4 (1-9). Date of Publication: 1 Apr 2022"
"AUTHOR NAMES","Moss A.","Fir B."
"ABSTRACT","Snails sleep.

They sleep for 3 hours."
"DOI","10.1234/sleep"

"TITLE","Naps"
"AUTHOR NAMES","Berg K."
"""


def test_embase_by_rows() -> None:
    assert detect(EMBASE, "records.csv").name == "embase"
    found = list(FORMATS["embase"].read(io.StringIO(EMBASE), "here"))
    first, second = (p for p in found if isinstance(p, Paper))
    assert first.title.startswith("Snails sleep with open eyes, Snails")
    assert (first.year, first.venue, first.doi) == (2022, "Journal of Snails", "10.1234/sleep")
    assert first.authors == ("Moss A.", "Fir B.")
    assert first.abstract.split() == "Snails sleep. They sleep for 3 hours.".split()
    assert (second.title, second.authors) == ("Naps", ("Berg K.",))


def test_years_of_days_and_of_milliseconds() -> None:
    table = "Title,Publication Date\nSnails,20220301\n"
    (paper,) = FORMATS["csv"].read(io.StringIO(table), "here")
    assert isinstance(paper, Paper)
    assert paper.year == 2022
    note = {"pdate": 1705340800000, "content": {"title": {"value": "Snails"}}}
    (paper,) = FORMATS["json"].read(io.StringIO(json.dumps({"notes": [note]})), "here")
    assert isinstance(paper, Paper)
    assert paper.year == 2024


@pytest.mark.parametrize("mark", ["", "<author>Ada Moss</author>"])
def test_a_feed_of_news_is_refused(mark: str) -> None:
    feed = f"<rss><channel>{POST * 3}</channel></rss>".replace("{}", mark)
    with pytest.raises(SourceError, match=r"here is a feed of news: none .* names several authors"):
        list(FORMATS["xml"].read(io.StringIO(feed), "here"))


@pytest.mark.parametrize(
    "mark",
    [
        "<author>Ada Moss</author><author>Bo Fir</author>",
        "<doi>10.1000/boots</doi>",
        "<journal>Boots</journal>",
    ],
)
def test_a_feed_with_a_mark_of_a_paper_is_read_whole(mark: str) -> None:
    posts = [POST.replace("{n}", str(n)).replace("{}", mark if n == 2 else "") for n in range(4)]
    feed = f"<rss><channel>{''.join(posts)}</channel></rss>"
    found = list(FORMATS["xml"].read(io.StringIO(feed), "here"))
    assert [p.title for p in found if isinstance(p, Paper)] == [f"New boots {n}" for n in range(4)]


NOT_PAPERS = {
    "notes.txt": "# Minutes\n\nWe met on Monday and spoke about snails, which nobody had seen for a"
    " while. It was agreed that we look for them. The next meeting is in May. Bring boots.\n",
    "minutes.txt": "Budget of the garden\nThe budget was discussed at length, and we found that the"
    " fence costs more than was thought. It will be looked at again. Nobody objected to it.\n\n"
    "Any other business\nWe were told that the gate squeaks, and that oil has been bought for it in"
    " the meantime. It will be applied. The key is with the warden as ever, who is in on Friday.\n",
    "mail.txt": "Dear Ada,\n\nthe snails have arrived, and they are in the box that stands behind"
    " the door of the shed. Please give them salad. They do not like cress. I come on Friday.\n",
    "readme.md": "# snailclock\n\nReads the clocks of snails and writes what they say into a table"
    " that others can read. It has no dependencies. It is not fast. It was never meant to be.\n\n"
    "## Citation\n\n"
    + "Please cite us if you use it in your work on snails or on slugs. "
    * 30
    + "\n"
    "```\n@article{a, title={Clocks of snails}, year={2020}}\n```\n",
    "code.py": "import snails\n\n\nclass Clock:\n    def read(self):\n        # We read the clock"
    " of the snail, and this takes a while, for it is slow. It cannot be helped. So it is.\n"
    "        return snails.read(1)\n",
    "page.html": "<!doctype html><html><body><h2>Snails</h2><p>We show that snails are slow.</p>"
    "</body></html>",
    "page.json": json.dumps({"content": "<html><title>Snails</title></html>"}),
    "settings.json": json.dumps(
        {"name": "snails", "description": "A tool for snails. It is slow."}
    ),
    "prices.csv": "name,price,description\nSnail,3,A slow one\n",
    "films.csv": "movieId,title,genres\n1,The Snail (1995),Adventure|Animation\n",
    "goods.tsv": "Title\tPrice\tStock\nA snail of glass\t59\t3\n",
    "questions.tsv": "id\ttext\n1\twhat do snails eat\n2\thow slow is a snail\n",
    "dump.sql": "CREATE TABLE papers (id INT, title TEXT, abstract TEXT);\n"
    "INSERT INTO papers VALUES (1,'Snails','They are slow.');\n",
    "search.json": json.dumps(
        {"docs": [{"location": "a/#b", "title": "Snails", "text": "We keep them."}]}
    ),
    "recipes.json": json.dumps([{"title": "Snails", "ingredients": ["snail"], "method": "Boil."}]),
    "pages.json": json.dumps({"pages": {"7": {"pageid": 7, "title": "Snail", "extract": "Slow."}}}),
    "contexts.json": json.dumps(
        {"data": [{"title": "Snail", "paragraphs": [{"context": "Slow"}]}]}
    ),
    "story.txt": "The snail\n\n" + "Once there was a snail, and it was slow. " * 40 + "\n",
    "log.txt": "2021-01-01 12:00:00 INFO snail started with 3 workers, and all of them were slow\n"
    * 9,
}


@pytest.mark.parametrize("name", NOT_PAPERS)
def test_what_is_no_list_of_papers_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(NOT_PAPERS[name], encoding="utf-8")
    try:
        found = list(read(name))
    except SourceError:
        return
    assert found
    assert not [result for result in found if isinstance(result, Paper)]


def test_a_refusal_names_what_can_be_read() -> None:
    with pytest.raises(SourceError) as caught:
        detect(NOT_PAPERS["notes.txt"], "notes.txt")
    for known in FORMATS.values():
        assert known.description in str(caught.value)


class TestMostlyRejected:
    BAD = '{"x": 1}\n'
    GOOD = '{"title": "A paper", "abstract": "It is one."}\n'

    def results(self, text: str, *, force: bool = False) -> list[Paper | Rejection]:
        return list(SourceReader("-", stdin=io.BytesIO(text.encode()), force=force))

    def test_nothing_of_it_is_taken_and_the_reason_is_told(self) -> None:
        found = self.results(self.GOOD + self.BAD * 2)
        assert all(isinstance(result, Rejection) for result in found)
        first = found[0]
        assert isinstance(first, Rejection)
        assert first.where == "file"
        assert first.reason.startswith("2 of 3 records cannot be read, so nothing of it was taken")
        assert len(found) == 3

    def test_force_takes_what_there_is(self) -> None:
        found = self.results(self.GOOD + self.BAD * 2, force=True)
        assert [type(result) for result in found] == [Paper, Rejection, Rejection]

    def test_half_and_half_is_taken(self) -> None:
        assert len(self.results((self.GOOD + self.BAD) * 3)) == 6

    def test_a_long_file_that_turns_bad_is_given_up(self) -> None:
        good = "".join(self.GOOD.replace("A paper", f"P{n}") for n in range(1_500))
        found = self.results(good + self.BAD * 20_000)
        papers = [result for result in found if isinstance(result, Paper)]
        assert len(papers) == 1_500
        last = found[-1]
        assert isinstance(last, Rejection)
        assert last.reason.endswith("the rest was not read")
        assert len(found) < 3_000

    def test_rejections_without_end_are_counted_not_kept(self) -> None:
        found = self.results((self.GOOD + self.BAD) * 3_000)
        assert sum(isinstance(result, Paper) for result in found) == 3_000
        rejected = [result for result in found if isinstance(result, Rejection)]
        assert len(rejected) == 1_001
        assert rejected[-1].reason.startswith("2,000 more records were rejected (2,000 times: ")


class TestShiftedCells:
    def papers(self, text: str) -> tuple[list[Paper], list[Rejection]]:
        found = list(FORMATS["csv"].read(io.StringIO(text), "here"))
        papers = [result for result in found if isinstance(result, Paper)]
        return papers, [result for result in found if isinstance(result, Rejection)]

    def test_what_is_inside_a_rejected_record_is_no_record(self) -> None:
        text = 'title,abstract,year\n"A,"b\nc,"d\ne, f\n"g\nB,Fine.,2020\nC,Fine.,2021\n'
        papers, rejected = self.papers(text)
        assert [paper.title for paper in papers] == ["B", "C"]
        assert len(rejected) == 1

    def test_marks_that_nobody_doubled(self) -> None:
        text = 'title,abstract,year\n"A "good" snail","It is.",2020\n"B","It was.",2021\n'
        papers, rejected = self.papers(text)
        assert [(paper.year, paper.abstract) for paper in papers] == [
            (2020, "It is."),
            (2021, "It was."),
        ]
        assert rejected == []

    def test_a_cell_more_than_the_header_has_names(self) -> None:
        text = 'title,abstract,year,more\n"A","It is.",2020,x,y\nB,"It, was",in,May,x\n'
        papers, rejected = self.papers(text)
        assert [paper.title for paper in papers] == ["A", "B"]
        text = "title,abstract,year\nA,It is, as it was,2020\n"
        papers, rejected = self.papers(text)
        assert papers == []
        assert [rejection.reason for rejection in rejected] == ["4 values, but 3 columns"]


class TestFoldersAndNames:
    def test_what_is_skipped_is_told_by_kind(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text(TestMostlyRejected.GOOD, encoding="utf-8")
        for name in ("b.pdf", "c.pdf", "d.py", ".e", "Makefile"):
            (tmp_path / name).write_text("x", encoding="utf-8")
        (tmp_path / "loop").symlink_to(tmp_path)
        (tmp_path / "root").symlink_to("/")
        (tmp_path / "self.csv").symlink_to(tmp_path / "self.csv")
        mkfifo = getattr(__import__("os"), "mkfifo", None)
        if mkfifo is not None:
            mkfifo(tmp_path / "pipe.bib")
        reader = SourceReader(tmp_path)
        assert len(list(reader)) == 1
        (note,) = reader.notes
        for kind in ("2 .pdf", "1 .py", "1 hidden", "2 links to folders", "1 without extension"):
            assert kind in note
        assert "1 links that lead nowhere" in note
        assert mkfifo is None or "1 pipes and devices" in note

    def test_a_name_that_is_no_utf8(self, tmp_path: Path) -> None:
        path = bytes(tmp_path) + b"/caf\xe9\n.jsonl"
        try:
            with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123  a name of bytes
                file.write(TestMostlyRejected.GOOD)
        except OSError:
            pytest.skip("this file system takes no such name")
        (paper,) = SourceReader(tmp_path)
        assert isinstance(paper, Paper)
        assert paper.source == f"{tmp_path}/caf\ufffd\ufffd.jsonl"
        paper.model_dump_json()
