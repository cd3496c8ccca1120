"""JSON Lines, JSON, CSV, BibTeX, RIS and PubMed files: fields, bad records, round trips."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading import FORMATS, read
from assistant.reading.abstracts import is_placeholder
from assistant.results import Rejection

Results = list[Paper | Rejection]


def results(name: str, text: str) -> Results:
    return list(FORMATS[name].read(io.StringIO(text, newline=None), "here"))


def papers(name: str, text: str) -> list[Paper]:
    found = results(name, text)
    assert [r for r in found if isinstance(r, Rejection)] == []
    return [r for r in found if isinstance(r, Paper)]


def rejections(found: Results) -> list[tuple[str, str]]:
    return [(r.where, r.reason) for r in found if isinstance(r, Rejection)]


def one(record: object) -> Paper:
    (paper,) = papers("jsonl", json.dumps(record))
    return paper


class TestFields:
    def test_arxiv_snapshot(self) -> None:
        paper = one(
            {
                "id": "hep-th/9901001",
                "submitter": "A. Person",
                "authors": "C. Bal\\'azs, E. L. Berger (ANL) and C.-P. Yuan",
                "title": "Towards $\\infty$\n  of things",
                "comments": "3 pages",
                "journal-ref": "Phys.Rev.D76:013009,2007",
                "doi": None,
                "report-no": None,
                "categories": "hep-th",
                "license": None,
                "abstract": "  We show that $10^{-3}$ is\nsmall.\n",
                "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
                "update_date": "2008-11-26",
                "authors_parsed": [
                    ["Balázs", "C.", ""],
                    ["Berger", "E. L.", ""],
                    ["Yuan", "C.-P.", "Jr"],
                ],
            }
        )
        assert paper.model_dump(exclude={"key"}) == {
            "title": "Towards ∞ of things",
            "abstract": "We show that 10⁻³ is small.",
            "authors": ("C. Balázs", "E. L. Berger", "C.-P. Yuan Jr"),
            "year": 2007,
            "venue": "Phys.Rev.D76:013009,2007",
            "url": None,
            "doi": None,
            "arxiv_id": "hep-th/9901001",
            "source": "here",
            "source_id": "hep-th/9901001",
            "kind": "abstract",
            "form": None,
            "tags": ("hep-th",),
            "also": (),
            "original": {
                "title": "Towards $\\infty$\n  of things",
                "abstract": "We show that $10^{-3}$ is\nsmall.",
            },
            "id": "arxiv:hep-th/9901001",
        }

    def test_semantic_scholar(self) -> None:
        paper = one(
            {
                "paperId": "649def",
                "externalIds": {"DOI": "10.1/X", "ArXiv": "2401.01234v2", "CorpusId": 5},
                "title": "T",
                "abstract": None,
                "tldr": {"text": "x"},
                "year": 2024,
                "authors": [{"authorId": "1", "name": "Jo Doe"}, {"name": "Kim Roe"}],
                "journal": {"name": "J. of Things", "volume": "2"},
                "url": "https://example.org/p",
            }
        )
        assert (paper.title, paper.abstract, paper.arxiv_id) == ("T", "", "2401.01234")
        assert (paper.authors, paper.venue, paper.year) == (
            ("Jo Doe", "Kim Roe"),
            "J. of Things",
            2024,
        )
        assert (paper.source_id, paper.url) == ("649def", "https://example.org/p")

    def test_openalex_and_crossref(self) -> None:
        paper = one(
            {
                "id": "https://openalex.org/W1",
                "doi": "https://doi.org/10.5555/ABC",
                "display_name": "Of Birds",
                "publication_year": 1999,
                "authorships": [{"author": {"display_name": "Jo Doe"}}],
                "abstract_inverted_index": {"fly": [1], "Birds": [0], "high.": [2]},
            }
        )
        assert (paper.title, paper.abstract, paper.doi) == (
            "Of Birds",
            "Birds fly high.",
            "10.5555/abc",
        )
        assert (paper.authors, paper.year) == (("Jo Doe",), 1999)
        paper = one(
            {
                "DOI": "10.5555/2",
                "title": ["First", "Zweitens"],
                "abstract": "<jats:p>We gain 5 &amp; 6 &lt; 7 in"
                " <jats:italic>E. coli</jats:italic>.</jats:p>",
                "author": [{"given": "Jo", "family": "Doe"}, {"first": "Kim", "last": "Roe"}],
                "issued": {"date-parts": [[2021, 5, 1]]},
                "container-title": ["J. of Things"],
            }
        )
        assert (paper.title, paper.abstract) == ("First", "We gain 5 & 6 < 7 in E. coli.")
        assert (paper.authors, paper.year, paper.venue) == (
            ("Jo Doe", "Kim Roe"),
            2021,
            "J. of Things",
        )

    @pytest.mark.parametrize(
        ("written", "names"),
        [
            ("A and B; C", ("A", "B", "C")),
            ("Doe, J. and Roe, K. L.", ("J. Doe", "K. L. Roe")),
            ("Doe, J., Roe, K.", ("J. Doe", "K. Roe")),
            ("John Doe, Kim Roe and Max Moe", ("John Doe", "Kim Roe", "Max Moe")),
            ("John Doe, Kim Roe, and Max Moe", ("John Doe", "Kim Roe", "Max Moe")),
            ("van Dam, Jan; Garcia Marquez, Gabriel", ("Jan van Dam", "Gabriel Garcia Marquez")),
            ("John Doe (MIT), Kim Roe (ETH)", ("John Doe", "Kim Roe")),
            (["Doe, Jane", "Kim Roe"], ("Jane Doe", "Kim Roe")),
            (["Doe, Jane A. (jane.doe@uni.edu)", "Roe, Kim"], ("Jane A. Doe", "Kim Roe")),
            ("Doe, Jane <jane@uni.edu>; Roe, Kim", ("Jane Doe", "Kim Roe")),
            (["Jane Doe; jane@uni.edu"], ("Jane Doe",)),
            (
                ["Jane Doe https://orcid.org/0000-0002-1825-0097", "Wei Wang (王伟)"],
                ("Jane Doe", "Wei Wang (王伟)"),
            ),
            (["Doe, Jane (0000-0002-1825-0097)", "Bo Li [55084313400]"], ("Jane Doe", "Bo Li")),
            ([], ()),
        ],
    )
    def test_authors(self, written: object, names: tuple[str, ...]) -> None:
        assert one({"title": "T", "authors": written}).authors == names

    def test_identifiers(self) -> None:
        assert one({"title": "T", "_id": "2401.01234"}).arxiv_id == "2401.01234"
        assert one({"title": "T", "id": "10.5555/12"}).doi == "10.5555/12"
        assert (
            one({"title": "T", "url": "https://arxiv.org/pdf/2401.01234v3"}).arxiv_id
            == "2401.01234"
        )
        posted = one({"title": "T", "doi": "10.48550/arXiv.2401.01234"})
        assert (posted.doi, posted.arxiv_id) == (None, "2401.01234")
        numbered = one({"title": "T", "id": 17})
        assert (numbered.source_id, numbered.doi, numbered.arxiv_id) == ("17", None, None)

    def test_digest_stays_digest_and_anything_else_is_an_abstract(self) -> None:
        assert one({"title": "T", "kind": "digest"}).kind == "digest"
        assert one({"title": "T", "kind": "novel"}).kind == "abstract"

    def test_halves_of_characters(self) -> None:
        assert one({"title": "a \ud83d\ude00 b \ud800"}).title == "a 😀 b \ufffd"


class TestJsonLines:
    def test_bad_lines_lose_only_themselves(self) -> None:
        text = '{"title": "A"}\n\n{"title": \n[1]\n"x"\n'
        text += '{"text": "only text"}\n{"id": 3}\n{"title": "B"}'
        found = results("jsonl", text)
        assert [p.label for p in found if isinstance(p, Paper)] == ["A", "B"]
        assert rejections(found) == [
            ("line 3", "not valid JSON: Expecting value"),
            ("line 4", "not an object with a title and an abstract, but a list"),
            ("line 5", "not an object with a title and an abstract, but a text"),
            ("line 6", "neither a title nor an abstract (its fields: text)"),
            ("line 7", "neither a title nor an abstract (its fields: id)"),
        ]

    def test_deeply_nested_line(self) -> None:
        found = results("jsonl", "[" * 100_000 + '\n{"title": "B"}')
        assert rejections(found) == [("line 1", "not valid JSON: nested too deep")]


class TestJson:
    @pytest.mark.parametrize(
        "document",
        [
            [{"title": "A"}, {"title": "B"}],
            {"total": 2, "data": [{"title": "A"}, {"title": "B"}], "next": None},
            {"status": "ok", "message": {"items": [{"title": "A"}, {"title": "B"}]}},
        ],
    )
    def test_array_alone_or_in_an_object(self, document: object) -> None:
        assert [p.title for p in papers("json", json.dumps(document, indent=1))] == ["A", "B"]

    def test_a_single_record(self) -> None:
        record = {"title": "A", "authors": ["Jo Doe"], "references": [{"title": "other"}]}
        (paper,) = papers("json", json.dumps(record, indent=2))
        assert (paper.title, paper.authors) == ("A", ("Jo Doe",))

    def test_what_stands_before_a_mistake_is_kept(self) -> None:
        found = results(
            "json", '[{"title": "A"}, {"title": 3}, 7, {"title": "B" "x"}, {"title": "C"}]'
        )
        assert [p.title for p in found if isinstance(p, Paper)] == ["A", "3"]
        (number, mistake) = rejections(found)
        assert number == ("record 3", "not an object with a title and an abstract, but a number")
        assert mistake[0] == "record 4"
        assert mistake[1].startswith("not valid JSON from here on")

    def test_an_array_that_is_cut_off(self) -> None:
        found = results("json", '[{"title": "A"}, {"title": "B')
        assert [p.title for p in found if isinstance(p, Paper)] == ["A"]
        assert [where for where, _ in rejections(found)] == ["record 2"]


EXPORTS = {
    "Ovid": (
        "VN,DB,UI,TI,SO,AU,FA,NJ,AB,DO,PT,ID,DP,YR,KW",
        'Ovid,MEDLINE,17,Of Owls.,"J Owls. 5(7):4-6, 2020 07.","Doe J\n\nvan Dam K",'
        '"Doe, Jane\n\nvan Dam, Kim L",Journal of Owls,Owls hunt.,https://dx.doi.org/10.5555/a,'
        'Journal Article,10.5555/a [doi],2020 07,2020,*Owls;  *Voles',
    ),
    "Ovid, an older base": (
        "DB,UI,TI,SO,AU,AB,DO,DP",
        'Embase,17,Of Owls.,"Journal of Owls. 5(7):4-6, 2020 07.","Doe, Jane\nvan Dam, Kim L",'
        "Owls hunt.,10.5555/a,2020 Jul 1",
    ),
    "Scopus": (
        "Authors,Author full names,Title,Year,Source title,DOI,Link,Abstract,Source,EID",
        '"Doe J.; van Dam K.L.","Doe, Jane (55); van Dam, Kim L (66)",Of Owls,2020,'
        "Journal of Owls,10.5555/a,https://x.org/a,Owls hunt.,Scopus,2-s2.0-1",
    ),
    "Web of Science": (
        "Publication Type,Authors,Author Full Names,Article Title,Source Title,Abstract,"
        "Publication Date,Publication Year,DOI,UT (Unique WOS ID)",
        'J,"Doe, J; van Dam, KL","Doe, Jane; van Dam, Kim L",Of Owls,Journal of Owls,Owls hunt.,'
        "JUL,2020,10.5555/a,WOS:1",
    ),
    "ProQuest": (
        "Title,Abstract,StoreId,Authors,digitalObjectIdentifier,entryDate,pubdate,pubtitle,year",
        'Of Owls,Owls hunt.,1,"Doe, Jane;van Dam, Kim L",10.5555/a,"Mar 4, 2021",4-Jul-20,'
        "Journal of Owls,2020",
    ),
    "EBSCO": (
        "Article Title,Author,Journal Title,Publication Date,DOI,PLink,Abstract",
        'Of Owls,"Doe, Jane; van Dam, Kim L",Journal of Owls,"Jul2020, Vol. 5",10.5555/a,'
        "https://x.org/a,Owls hunt.",
    ),
    "EBSCO, the new page": (
        "an,title,abstract,contributors,doi,longDBName,plink,publicationDate,source,subjects",
        'A1,Of Owls,Owls hunt.,"Doe, Jane; van Dam, Kim L",10.5555/a,GreenFILE,https://x.org/a,'
        "20200701,Journal of Owls,OWLS",
    ),
    "Embase": (
        "Title,Author Names,Source Title,Publication Year,Abstract,DOI,Embase Accession ID",
        'Of Owls,"Doe, Jane; van Dam, Kim L",Journal of Owls,2020,Owls hunt.,10.5555/a,L1',
    ),
    "Lens": (
        "Lens ID,Title,Date Published,Publication Year,Source Title,Author/s,Abstract,DOI",
        "1-2,Of Owls,2020-07-01,2020,Journal of Owls,Jane Doe; Kim L van Dam,Owls hunt.,10.5555/a",
    ),
    "Dimensions": (
        "Rank,Publication ID,DOI,Title,Abstract,Source title,Publication date,PubYear,Authors",
        "1,pub.1,10.5555/a,Of Owls,Owls hunt.,Journal of Owls,2020-07-01,2020,"
        '"Doe, Jane; van Dam, Kim L"',
    ),
    "Publish or Perish": (
        "Cites,Authors,Title,Year,Source,ArticleURL,GSRank,DOI,Abstract",
        '5,"Jane Doe, Kim L van Dam",Of Owls,2020,Journal of Owls,https://x.org/a,1,10.5555/a,'
        "Owls hunt.",
    ),
}  # fmt: skip


class TestCsv:
    @pytest.mark.parametrize("service", EXPORTS)
    def test_the_columns_of_well_known_services(self, service: str) -> None:
        header, row = EXPORTS[service]
        (paper,) = papers("csv", f"{header}\n{row}\n")
        assert (paper.title, paper.abstract, paper.year) == ("Of Owls", "Owls hunt.", 2020)
        assert paper.authors == ("Jane Doe", "Kim L van Dam")
        assert (paper.venue, paper.doi) == ("Journal of Owls", "10.5555/a")

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_delimiters_and_names_of_columns(self, delimiter: str) -> None:
        rows = [["Paper Title", "ABSTRACT_text", "Publication Year"], ["A, b; c", "X\ny", "2020"]]
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter).writerows(rows)
        (paper,) = papers("csv", out.getvalue())
        assert (paper.title, paper.abstract, paper.year) == ("A, b; c", "X y", 2020)

    def test_no_usable_header(self) -> None:
        with pytest.raises(
            SourceError, match="no column for titles or abstracts; its first line is"
        ):
            results("csv", "query,corpus,score\n1,2,3\n")

    def test_an_unclosed_quotation_mark_loses_one_record(self) -> None:
        found = results("csv", 'title,abstract\nA,x\nB,"never closed\nC,y\n"D","z"\nE,"w"\n')
        assert [p.title for p in found if isinstance(p, Paper)] == ["A", "C", "D", "E"]
        assert [where for where, _ in rejections(found)] == ["line 3"]

    def test_too_many_values(self) -> None:
        found = results("csv", "title,abstract\nA,x,y\nB,z\n")
        assert rejections(found) == [("line 2", "3 values, but 2 columns")]

    def test_quotation_marks_in_tab_separated_files(self) -> None:
        (paper,) = papers("csv", 'title\tabstract\n"Foo" is bar\tWe say "yes"\n')
        assert (paper.title, paper.abstract) == ('"Foo" is bar', 'We say "yes"')

    def test_line_numbers_behind_records_of_many_lines(self) -> None:
        found = results("csv", 'title,abstract,id\nA,"x\ny\nz",1\n\n,,7\n')
        assert rejections(found) == [("line 6", "neither a title nor an abstract")]

    def test_huge_fields_and_the_limit_of_the_process(self) -> None:
        limit = csv.field_size_limit()
        (paper,) = papers("csv", "title,abstract\nA," + "word " * 90_000)
        assert len(paper.abstract) == 449_999
        assert csv.field_size_limit() == limit


class TestBibtex:
    def test_an_entry(self) -> None:
        (paper,) = papers(
            "bibtex",
            """% a comment
            @comment{ignored @article{no, title={no}} }
            @string{jot = "J. of " # "Things"}
            @Article{doe2020,
              Title = {The {BERT} Model in Z{\\"u}rich},
              author = "Doe, Jane and {van Dam}, Jan and M{\\"u}ller, Karl",
              abstract = {We gain 30\\% (see @misc{x, y}) in a
                 set of \\{1, 2\\}.},
              journal = jot, year = 2020, month = jan,
              eprint = {2401.01234}, archivePrefix = {arXiv}, doi = {10.5555/ab_c},
            }""",
        )
        assert paper.title == "The BERT Model in Zürich"
        assert paper.abstract == "We gain 30% (see @miscx, y) in a set of {1, 2}."
        assert paper.authors == ("Jane Doe", "Jan van Dam", "Karl Müller")
        assert (paper.venue, paper.year) == ("J. of Things", 2020)
        assert (paper.doi, paper.arxiv_id, paper.source_id) == (
            "10.5555/ab_c",
            "2401.01234",
            "doe2020",
        )

    def test_broken_entries_lose_only_themselves(self) -> None:
        found = results(
            "bibtex",
            "@article{a, title={A}}\n"
            "@article{b, title={B}, abstract={never closed\n}\n"
            "@misc{c, title={C}, title={twice}}\n"
            "@misc{d, title={D} year=2000}\n"
            "@misc{e title={E}}\n"
            "@misc(f, title={F (f)})\n"
            "@misc{g, year=2000}\n"
            "@misc{h, title={H}, abstract={the file ends",
        )
        assert [p.title for p in found if isinstance(p, Paper)] == ["A", "C", "F (f)"]
        assert rejections(found) == [
            ("entry 2 (line 2)", "a brace is not closed in this entry"),
            ("entry 4 (line 5)", "a comma is missing after the field title"),
            ("entry 5 (line 6)", "not a valid BibTeX entry"),
            ("entry 7 (line 8)", "neither a title nor an abstract (its fields: year, id)"),
            ("entry 8 (line 9)", "the file ends in the middle of this entry"),
        ]

    def test_eprints_elsewhere_are_no_arxiv_ids(self) -> None:
        text = "@misc{a, title={A}, eprint={2401.01234}, eprinttype={jstor}}"
        assert papers("bibtex", text)[0].arxiv_id is None


class TestRis:
    def test_a_record(self) -> None:
        text = (
            "\nTY  - JOUR\nT1  - A Title\n  that goes on\nAU  - Doe, Jane\nAU  - Roe, K.\n"
            "N2  - First line.\n\nSecond line.\nPY  - 2001/02/03\nJO  - J. of Things\n"
            "DO  - 10.5555/1\nUR  - https://a.b\nID  - 7\nER  - \n\n"
            "TY  - CONF\nTI  - B\nAB  - Y\nT2  - Proc.\n"
            "TY - JOUR\nTI - C\nER -\n"
            "TY  - JOUR\nPY  - 2000\nER  - \n"
        )
        found = results("ris", text)
        assert rejections(found) == [
            ("record 4 (line 24)", "neither a title nor an abstract (its fields: year)")
        ]
        first, second, third = (p for p in found if isinstance(p, Paper))
        assert (first.title, first.abstract) == ("A Title that goes on", "First line. Second line.")
        assert (first.authors, first.year) == (("Jane Doe", "K. Roe"), 2001)
        assert (first.venue, first.doi, first.url) == ("J. of Things", "10.5555/1", "https://a.b")
        assert (second.title, second.abstract, second.venue) == ("B", "Y", "Proc.")
        assert third.title == "C"

    def test_pubmed(self) -> None:
        text = (
            "PMID- 1\nTI  - A title\n      in two lines.\nAB  - We study\n      things.\n"
            "FAU - Doe, Jane\nAU  - Doe J\nDP  - 2003 Jul\nJT  - J. of Things\n"
            "LID - 10.5555/1 [doi]\n\nPMID- 2\nTI  - B\n"
        )
        first, second = papers("pubmed", text)
        assert (first.title, first.abstract) == ("A title in two lines.", "We study things.")
        assert (first.authors, first.year, first.doi) == (("Jane Doe",), 2003, "10.5555/1")
        assert (first.source_id, second.source_id) == ("1", "2")


TEXT = st.text(
    st.characters(categories=["L", "N", "Zs"], include_characters=".,:;()-+?!'\"/%=<>|#@*é"),
    min_size=1,
    max_size=60,
).filter(lambda text: any(c.isalnum() for c in text) and not is_placeholder(text))
RECORDS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5)


def _as_jsonl(records: list[tuple[str, str]]) -> str:
    return "".join(json.dumps({"title": t, "abstract": a}) + "\n" for t, a in records)


def _as_json(records: list[tuple[str, str]]) -> str:
    return json.dumps([{"title": t, "abstract": a} for t, a in records], ensure_ascii=False)


def _as_csv(records: list[tuple[str, str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([("title", "abstract"), *records])
    return out.getvalue()


def _as_ris(records: list[tuple[str, str]]) -> str:
    return "".join(f"TY  - JOUR\nTI  - {t}\nAB  - {a}\nER  - \n\n" for t, a in records)


def _as_bibtex(records: list[tuple[str, str]]) -> str:
    def escaped(text: str) -> str:
        return re.sub("-(?=-)", "-{}", text.replace("%", r"\%").replace("#", r"\#"))  # no dash

    entries = enumerate(records)
    return "".join(
        f"@article{{k{n},\n title = {{{escaped(t)}}},\n abstract = {{{escaped(a)}}}\n}}\n"
        for n, (t, a) in entries
    )


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("jsonl", _as_jsonl),
        ("json", _as_json),
        ("csv", _as_csv),
        ("ris", _as_ris),
        ("bibtex", _as_bibtex),
    ],
)
@given(records=RECORDS)
@example(records=[("0", "<?xml")])
@example(records=[("0", "0--"), ("a---b", "c--d")])
@example(records=[("<!DOCTYPE", "a declaration of types"), ("a", "<?xml version is told first")])
def test_what_is_written_is_read_back(
    name: str, write: Callable[[list[tuple[str, str]]], str], records: list[tuple[str, str]]
) -> None:
    expected = [Paper(title=t, abstract=a) for t, a in records]
    found = papers(name, write(records))
    assert [(p.title, p.abstract) for p in found] == [(p.title, p.abstract) for p in expected]


@pytest.mark.parametrize("name", list(FORMATS))
@given(
    pieces=st.lists(
        st.sampled_from(
            [*'{}[]",:;@()#\n\t\\|=-', "title", "abstract", "TY  - ", "ER  - ", "AB  - "]
        )
        | st.sampled_from(
            ["@article{a,", "null", "1e999", "9" * 400, "PMID- 1\n", "\ud800", "TI  - x"]
        )
        | st.text(max_size=8),
        max_size=30,
    )
)
def test_any_text_only_gives_results_or_a_source_error(name: str, pieces: list[str]) -> None:
    try:
        found = results(name, "".join(pieces))
    except SourceError:
        return
    assert all(isinstance(result, Paper | Rejection) for result in found)


COLLECTIONS = Path(os.environ.get("ASSISTANT_TEST_DATA", "missing"), "ir")


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "count", "rejected"),
    [("cranfield", 1398, 2), ("cystic_fibrosis", 1239, 0), ("medline1033", 1033, 0)],
)
def test_beir_collections(name: str, count: int, rejected: int) -> None:
    path = COLLECTIONS / name / "corpus.jsonl"
    if not path.is_file():
        pytest.skip("ASSISTANT_TEST_DATA holds no ir/*/corpus.jsonl")
    found = list(read(path))
    assert sum(isinstance(result, Paper) for result in found) == count
    assert sum(isinstance(result, Rejection) for result in found) == rejected


class _Endless(io.TextIOBase):
    """A text of any length that exists a piece at a time."""

    def __init__(self, head: str, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._held = head

    def _fill(self, enough: Callable[[str], bool]) -> None:
        while not enough(self._held) and (piece := next(self._pieces, "")):
            self._held += piece

    def read(self, size: int | None = -1, /) -> str:
        wanted = size or 0
        self._fill(lambda held: len(held) >= wanted)
        taken, self._held = self._held[:wanted], self._held[wanted:]
        return taken

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        self._fill(lambda held: "\n" in held)
        line, end, self._held = self._held.partition("\n")
        return line + end


WORDS = "word " * 150
STREAMS = {
    "jsonl": ("", '{{"title": "T{n}", "abstract": "' + WORDS + '"}}\n'),
    "json": ('{"data": [{"title": "T"}', ',{{"title": "T{n}", "abstract": "' + WORDS + '"}}'),
    "csv": ("title,abstract\n", 'T{n},"' + WORDS + '"\n'),
    "embase": ("", '"TITLE","T{n}"\n"ABSTRACT","' + WORDS + '"\n\n'),
    "ris": ("", "TY  - JOUR\nTI  - T{n}\nAB  - " + WORDS + "\nER  - \n"),
    "xml": (
        "<feed>",
        "<entry><title>T{n}</title><doi>10.1000/{n}</doi><summary>"
        + WORDS
        + "</summary></entry>\n",
    ),
    "wos": ("", "PT J\nTI T{n}\nAB " + WORDS + "\nER\n\n"),
    "endnote": ("", "%0 Journal Article\n%T T{n}\n%X " + WORDS + "\n\n"),
    "pubmedtext": (
        "",
        "{n}. J Things. 2020 Jan.\n\nT{n}\n\nDoe J.\n\n" + WORDS + "\n\nPMID: {n}\n\n",
    ),
    "pubmed": ("", "PMID- 1\nTI  - T{n}\nAB  - " + WORDS + "\n\n"),
    "bibtex": ("", "@article{{k{n}, title={{T{n}}}, abstract={{" + WORDS + "}}}}\n"),
    "listing": ("", "The Title Number {n}\n\nThis number is {n}. " + WORDS + "\n\n"),
}


@pytest.mark.parametrize("name", list(FORMATS))
def test_memory_does_not_grow_with_the_file(name: str) -> None:
    head, pattern = STREAMS[name]
    count = 2_500  # two megabytes
    pieces = (pattern.format(n=n) for n in range(count))
    stream: TextIO = _Endless(head, pieces)  # type: ignore[assignment]
    found = FORMATS[name].read(stream, "here")
    for _ in range(100):  # imports and caches
        next(found)
    tracemalloc.start()
    try:
        rest = sum(isinstance(result, Paper) for result in found)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rest >= count - 101
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "written",
    [
        {"name": "left-pad", "version": "1.0.0", "description": "Pads.", "author": "Ann Bell"},
        {"$schema": "x", "title": "Tag", "description": "A tag.", "type": "object"},
        {"examples": {"AddTag": [{"id": "a", "title": "To add a tag", "description": "Adds."}]}},
        {"members": {"title": {"shape": "Text"}, "description": {"shape": "Text"}}},
    ],
)
def test_a_name_and_a_description_are_no_paper(written: object) -> None:
    assert not [r for r in results("json", json.dumps(written)) if isinstance(r, Paper)]


@pytest.mark.parametrize(
    "written",
    [
        {"title": "Slow snails", "abstract": None},
        {"title": "Slow snails", "summary": "They crawl."},
        {"title": "Slow snails", "description": "They crawl.", "year": 2020},
        {"name": "Slow snails", "description": "They crawl.", "doi": "10.1234/snail"},
    ],
)
def test_little_is_told_of_a_paper_and_enough(written: object) -> None:
    (paper,) = results("json", json.dumps([written]))
    assert isinstance(paper, Paper)
