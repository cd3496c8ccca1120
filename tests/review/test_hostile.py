"""A review of papers whose texts are hostile: shown in every format, obeyed in none."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from assistant.escaping import web_address
from assistant.exporting import FORMATS
from assistant.paper import Paper
from assistant.review.model import Review
from assistant.review.rendering import render, rendered
from assistant.watch import Digest, DigestPaper, WatchDigest

from .conftest import Make, expert_papers, other_papers

NASTY = [
    "[Experts](javascript:alert(1)) Pruned",
    "![Experts](https://evil.example/p.png) Merged",
    "<img src=x onerror=alert(1)> Experts Shared",
    "=HYPERLINK(1) Experts",
    r"[\input{/etc/passwd}] Experts \write18{id} 50% & #1 $x_1^2$ {~} \end{filecontents*}",
    "| Experts | ``` </w:t><w:hyperlink r:id='x'/> <?xml?> ]]> \u202e\u0000\u001b[31m",
]


class Tags(HTMLParser):
    """The tags of a page, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.fixture
def review(make: Make) -> Review:
    papers = [
        paper.model_copy(
            update={
                "title": f"{NASTY[n % len(NASTY)]} {n}",
                "abstract": f"{paper.abstract} <script>alert(2)</script> ![x](http://e.example/)",
                "url": ["javascript:alert(3)", 'https://x.example/"><script>'][n % 2],
            }
        )
        for n, paper in enumerate(expert_papers())
    ]
    return make(
        [Paper.model_validate(p.model_dump(exclude={"id"})) for p in papers] + list(other_papers())
    ).review("expert pruning")


def test_markdown_holds_no_link_and_no_image(review: Review) -> None:
    text = render(review, "md")
    page = Tags(MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text))
    assert not page.tags & {"script", "img", "a", "iframe"}
    assert any(nasty.partition(" ")[0] in text.replace("\\", "") for nasty in NASTY)


def test_html_holds_only_its_own_links(review: Review) -> None:
    page = Tags(render(review, "html"))
    assert not page.tags & {"script", "img", "iframe"}
    assert all(link.startswith(("#", "http://", "https://")) for link in page.links)
    assert not [link for link in page.links if "<" in link or '"' in link]


def test_the_table_runs_nothing(review: Review) -> None:
    for row in csv.reader(io.StringIO(render(review, "csv"))):
        assert not [cell for cell in row if cell.lstrip()[:1] in ("=", "+", "@", "-")]


_COMMANDS = (
    "textbackslash textasciitilde textasciicircum lbrace rbrace textless textgreater textbar "
    "documentclass usepackage title date begin end maketitle section item hline endhead small "
    "raggedright arraybackslash linewidth cite bibliographystyle bibliography jobname textquotedbl"
).split()


def test_latex_holds_only_its_own_commands(review: Review) -> None:
    text = render(review, "tex")
    used = set(re.findall(r"\\([A-Za-z]+)", text))
    assert not {"input", "write", "immediate", "include", "openin", "href", "url"} & used
    assert text.count(r"\end{filecontents*}") == 1
    assert text.count(r"\end{document}") == 1
    body, before = text.partition(r"\begin{document}")[2], ""
    for line in body.splitlines():
        assert not re.search(r"(?<!\\)(?:\\\\)*[%#$]", line), line
        assert not re.match(r"\\item\s*\[", line), line
        assert not (before.endswith(r"\\") and re.match(r"\s*[\[*]", line)), line
        before = line
        assert line.count("{") - line.count(r"\{") == line.count("}") - line.count(r"\}"), line


def test_a_word_file_holds_text_and_no_field(review: Review) -> None:
    import zipfile  # noqa: PLC0415
    from xml.etree import ElementTree  # noqa: PLC0415

    from docx import Document  # noqa: PLC0415

    data = rendered(review, "docx")
    assert isinstance(data, bytes)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        body = archive.read("word/document.xml").decode()
        links = archive.read("word/_rels/document.xml.rels").decode()
    ElementTree.fromstring(body)
    tags = set(re.findall(r"<w:(\w+)", body))
    assert not tags & {"hyperlink", "fldSimple", "instrText", "object", "drawing", "pict"}
    assert "TargetMode" not in links
    assert not [name for name in names if "vba" in name or "embed" in name]
    document = Document(io.BytesIO(data))
    shown = [p.text for p in document.paragraphs]
    shown += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert "onerror=alert(1)" in "\n".join(shown).casefold()  # shown, and only shown


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_no_export_of_papers_runs_or_ends_early(review: Review, form: str) -> None:
    from assistant.reading import FORMATS as READERS  # noqa: PLC0415

    papers = [reference.paper for reference in review.references]
    text = "".join(FORMATS[form](papers))
    assert "\0" not in text
    assert "\u202e" not in text  # taken out when the paper was made
    readers = {"bibtex": "bibtex", "ris": "ris", "csv": "csv", "jsonl": "jsonl", "csl": "json"}
    found = [
        result
        for result in READERS[readers[form]].read(io.StringIO(text), "again")
        if isinstance(result, Paper)
    ]
    assert len(found) == len(papers)  # nobody's title ended a record or began another
    if form == "csv":
        for row in csv.reader(io.StringIO(text)):
            assert not [cell for cell in row if cell.lstrip()[:1] in ("=", "+", "@")]


def test_a_digest_links_only_to_the_web(review: Review) -> None:
    papers = [
        DigestPaper(
            paper_id=r.paper.id, title=r.paper.title, authors=["<b>A</b> [x](javascript:1)"],
            url=["javascript:alert(1)", "https://ok.example/?a=1", "https://x.example/><b>"][n % 3],
            score=1.0, why="near ![x](https://evil.example/x.png)",
            sentence="<img src=x> | [a](javascript:b)", resembles=["<script>", "[x]: javascript:y"],
        )
        for n, r in enumerate(review.references)
    ]  # fmt: skip
    watch = WatchDigest(watch="<i>w</i>", since="2026", new=9, papers=papers, others=["[a](b:c)"])
    made = Digest(at="2026-11-26T00:00:00", watches=[watch])
    for page in (
        Tags(made.render("html")),
        Tags(MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(made.render("md"))),
    ):
        assert not page.tags & {"script", "img", "iframe", "b", "i"}
        assert page.links
        assert all(web_address(link) for link in page.links)


def test_references_have_the_keys_of_the_library(review: Review) -> None:
    keys = [reference.key for reference in review.references]
    assert all(keys)
    assert len(set(keys)) == len(keys)
    assert re.findall(r"@\w+\{([^,]+),", render(review, "bib")) == keys
    assert re.findall(r"^ID  - (.*)$", render(review, "ris"), re.M) == keys
