"""Reviews as documents."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.errors import ConfigurationError
from assistant.escaping import markdown as escaped
from assistant.paper import Paper
from assistant.reading import read
from assistant.review.model import COLUMNS, Review
from assistant.review.rendering import FORMATS, bundles, format_of, render, rendered
from assistant.review.rendering.blocks import SECTIONS, table_of
from assistant.ui.review_render import document as page_document

from .conftest import Make, expert_papers, other_papers

VOID = {"meta", "circle", "rect", "br", "link", "img"}


class Page(HTMLParser):
    """Ids, links and visible text of a page; fails on tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.resources: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
            if name in ("src", "data", "srcset"):
                self.resources.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def review(experts: Assistant) -> Review:
    return experts.review("mixture of experts")


def test_markdown(review: Review) -> None:
    text = render(review, "md")
    assert text.startswith("# Literature review: mixture of experts\n")
    heads = re.findall(r"^## (.*)$", text, re.M)
    assert heads[:4] == ["Scope", "Overview", "Contributions", "Reported numbers"]
    rest = ["Across the papers"] * bool(review.across)
    rest += ["Left open by the papers", "References"]
    rest += [SECTIONS["beyond"]] * bool(review.beyond)
    rest += [SECTIONS["related"]] * bool(review.related)
    assert heads[4:] == rest
    table = [line for line in text.splitlines() if line.startswith("|")]
    columns, filled = table_of(review)
    assert len(table) == 4 + len(filled) + len(review.numbers)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {len(columns) + 3, 6}
    assert [row.number for row in filled] == [r.number for r in review.references]
    for name in columns:
        assert sum(getattr(row, name) is not None for row in filled) * 10 > len(review.table)
    below = text[text.index("## Left open") : text.index("## References")]
    told = [c.text for row in filled for name in columns if (c := getattr(row, name))]
    assert told
    assert not any(f"“{words}”" in below for words in told)
    assert "sentences about the papers" not in text  # they are the papers' own


def test_the_page_leaves_out_what_has_no_cell(review: Review) -> None:
    columns, filled = table_of(review)
    shown = page_document(review, "own")
    assert filled
    assert shown.count('<th scope="row">') == len(filled)
    assert shown.count('<th scope="rowgroup"') == len(review.themes)
    assert shown.count('<th scope="col">') == 1 + len(columns)
    empty = [row.model_copy(update=dict.fromkeys(COLUMNS)) for row in review.table]
    assert "Contributions" not in page_document(review.model_copy(update={"table": empty}), "own")


def test_html_is_one_whole_file(review: Review) -> None:
    page = Page(render(review, "html"))
    assert page.resources == []
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert len(set(page.ids)) == len(page.ids)
    inner = {link[1:] for link in page.links if link.startswith("#")}
    assert inner <= set(page.ids)
    assert {f"ref-{r.number}" for r in review.references} <= inner
    outer = {link for link in page.links if not link.startswith("#")}
    assert outer == {r.paper.link for r in review.references if r.paper.link}
    assert page.tags.count("circle") == len(review.references)
    quote = next(s.quotes[0].text for s in review.sentences if s.quotes)
    assert all(part in page.text for part in quote.split(" … "))


def test_bibtex_and_ris_hold_the_cited_papers(review: Review, tmp_path: Path) -> None:
    wanted = {r.paper.title for r in review.references}
    for form in ("bib", "ris"):
        path = tmp_path / f"references.{form}"
        path.write_text(render(review, form), encoding="utf-8")
        papers = [paper for paper in read([path]) if isinstance(paper, Paper)]
        assert {paper.title for paper in papers} == wanted
        assert len(papers) == len(wanted)


def test_csv_of_the_table(review: Review) -> None:
    rows = list(csv.DictReader(io.StringIO(render(review, "csv"))))
    assert [int(row["number"]) for row in rows] == [row.number for row in review.table]
    for row, held in zip(rows, review.table, strict=True):
        for column in COLUMNS:
            cell = getattr(held, column)
            assert row[column] == (cell.text if cell else "")


def test_json_of_the_whole(review: Review) -> None:
    assert json.loads(render(review, "json")) == review.model_dump(mode="json")


def test_markup_is_shown_not_obeyed(make: Make) -> None:
    nasty = '<img src=x onerror="alert(1)"> *Expert* [Pruning](javascript:x) | `of` Mixtures & More'
    papers = [
        Paper(
            title=nasty,
            abstract=expert_papers()[0].abstract + " <script>alert(2)</script> falls by 5% | *so*.",
            url='https://example.org/"><script>',
        ),
        *expert_papers()[1:],
    ]
    review = make([*papers, *other_papers()]).review("<i>expert pruning</i>")
    page = Page(render(review, "html"))
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert "i" not in page.tags
    assert "<img src=x" in page.text
    text = render(review, "md")
    assert "<img" not in text.replace("\\<img", "")
    table = [line for line in text.splitlines() if line.startswith("|")]
    columns, _ = table_of(review)
    themed = len(review.themes) > 1
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {len(columns) + 2 + themed, 6}
    assert "<script" not in render(review, "md").replace("\\<script", "")


def test_markdown_with_keys(review: Review) -> None:
    text = render(review, "keys.md")
    assert {f"[@{r.key}]" for r in review.references} <= set(re.findall(r"\[@[^\]]+\]", text))
    assert not re.search(r"(?<!@)\[\d+\]", text.partition("## References")[0])
    assert text.count("::: {#refs}") == 1
    assert all(escaped(left.title) in text for left in review.related)
    assert all(f"{{{r.key}," in render(review, "bib") for r in review.references)


def test_latex_cites_what_its_bibliography_holds(review: Review) -> None:
    text = render(review, "tex")
    cited = set(re.findall(r"\\cite\{([^}]+)\}", text))
    assert cited == {r.key for r in review.references}
    assert all(f"{{{key}," in text for key in cited)
    assert text.count(r"\begin{longtable}") == text.count(r"\end{longtable}") == 2
    for name in ("itemize", "landscape", "document", "filecontents*"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}")


def test_word_with_references_of_a_style(review: Review) -> None:
    from docx import Document  # noqa: PLC0415

    texts = {}
    for style in ("apa", "ieee"):
        made = rendered(review, "docx", style)
        assert isinstance(made, bytes)
        document = Document(io.BytesIO(made))
        texts[style] = "\n".join(p.text for p in document.paragraphs)
        assert len(document.tables) == 2
        assert len(document.tables[0].rows) == 1 + len(table_of(review)[1])
    authored = next(r for r in review.references if r.paper.authors)
    assert "Lovelace" in texts["apa"].partition("References")[2]
    assert f"[{authored.number}]" in texts["ieee"] or "[1]" in texts["ieee"]
    with pytest.raises(ConfigurationError, match="no citation style"):
        rendered(review, "docx", "no-such-style")


def test_formulas_in_the_csv_are_text(make: Make) -> None:
    paper = Paper(title="=1+1 Expert Pruning", abstract=expert_papers()[0].abstract)
    review = make([paper, *expert_papers()[1:], *other_papers()]).review("expert pruning")
    rows = list(csv.DictReader(io.StringIO(render(review, "csv"))))
    assert "'=1+1 Expert Pruning" in {row["paper"] for row in rows}


def test_every_format_of_a_review_of_nothing(experts: Assistant) -> None:
    review = experts.review("gene editing by CRISPR")
    for form in FORMATS:
        render(review, form)
    assert "holds nothing" in render(review, "md")
    assert "holds nothing" in Page(render(review, "html")).text


def test_the_format_follows_the_name() -> None:
    assert format_of(Path("a/b.MD")) == "md"
    assert format_of(Path("a.htm")) == "html"
    with pytest.raises(ConfigurationError):
        format_of(Path("review.odt"))


def test_notes_link_the_review_to_a_note_a_paper(review: Review) -> None:
    packed = zipfile.ZipFile(io.BytesIO(rendered(review, "zip")))
    names = set(packed.namelist())
    keys = {reference.key for reference in review.references}
    assert names == {
        "review.md", "references.bib", "references.ris", *(f"papers/{key}.md" for key in keys)
    }  # fmt: skip
    text = packed.read("review.md").decode()
    assert set(re.findall(r"\[\[([^\]|]+)\]\]", text)) == keys
    for reference in review.references:
        note = packed.read(f"papers/{reference.key}.md").decode()
        _, head, body = note.split("---\n", 2)
        known = {
            name: json.loads(value)
            for name, _, value in (row.partition(": ") for row in head.splitlines())
        }
        assert known["title"] == reference.paper.label
        assert known["citekey"] == reference.key
        assert known.get("doi") == reference.paper.doi
        assert escaped(reference.paper.abstract) in body
    assert packed.read("references.ris").decode().count("TY  - ") == len(keys)


def test_a_pdf_is_printed_or_it_is_said_what_is_missing(
    review: Review, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if any(shutil.which(name) for name in bundles._BROWSERS):
        made = rendered(review, "pdf")
        assert isinstance(made, bytes)
        assert made.startswith(b"%PDF-")
        assert len(made) > 10_000
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="printed by Chromium"):
        rendered(review, "pdf")
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/false\n")
    broken.chmod(0o755)
    with pytest.raises(ConfigurationError, match="did not print"):
        rendered(review, "pdf")


def test_latex_knows_every_character_of_the_document(make: Make) -> None:
    papers = [p.model_copy(update={"title": f"{p.title} ≥ β‑H₂ 中 ½"}) for p in expert_papers()]
    text = render(make([*papers, *other_papers()]).review("mixture of experts"), "tex")
    declared = dict(re.findall(r"\\DeclareUnicodeCharacter\{([0-9A-F]{4,6})\}\{(.*)\}", text))
    assert {f"{ord(c):04X}" for c in text if not c.isascii()} == set(declared)
    assert declared["03B2"] == r"\ensuremath{\beta}"
    assert declared["4E2D"] == "[U+4E2D]"
