"""Hostile text in every kind of document: shown, never obeyed."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assistant.escaping import (
    html,
    latex,
    markdown,
    markdown_link,
    spreadsheet,
    unguarded,
    web_address,
    xml,
)

HOSTILE = [
    "[click](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "<img src=x onerror=alert(1)>",
    "<javascript:alert(1)>",
    "[2](https://evil.example) and [3][4]",
    "[5]: https://evil.example",
    "# not a heading",
    "- not a list",
    "1. not a list",
    "> not a quotation",
    "| not | a | table |",
    "`code` ~~gone~~ **bold** _soft_ $5 to $10",
    "&lt;script&gt; &amp; &#x41;",
    "--- === +++",
    r"a \ b \[ c",
    "```fence",
]


class _Seen(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(text: str) -> _Seen:
    return _Seen(MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("citations", [True, False])
def test_markdown_shows_it_letter_for_letter(text: str, citations: bool) -> None:
    page = shown(markdown(text, citations=citations))
    assert page.tags == ["p"]
    assert page.text.strip() == " ".join(text.split())


@given(st.text(st.sampled_from("[]()!<>*_`~#|-+=.:&;$\\ 12ab\"'{}^@/"), max_size=40))
def test_markdown_of_anything(text: str) -> None:
    wanted = " ".join(text.split())
    for made in (markdown(text), markdown(text, citations=True)):
        page = shown(made)
        assert page.tags in (["p"], [])
        assert page.text.strip() == wanted


def test_only_marks_of_the_document_are_citations() -> None:
    assert markdown("So it is [1, 2].", citations=True) == "So it is [1, 2]."
    assert markdown("A title with [2] in it") == r"A title with \[2\] in it"


def test_a_link_leads_where_it_says() -> None:
    page = shown(markdown_link("[a](b) | c", "https://example.org/a_(b)?c=*d*"))
    assert page.tags == ["p", "a"]
    assert page.text.strip() == "[a](b) | c"
    for url in (None, "javascript:alert(1)", "data:text/html,x", "https://", "//x.y/z"):
        assert shown(markdown_link("title", url)).tags == ["p"]


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://example.org/x", True),
        ("HTTP://example.org", True),
        ("javascript:alert(1)", False),
        (" https://example.org", False),
        ('https://example.org/"><script>', False),
        ("https://example.org/a b", False),
        ("https://[oops/", False),
        ("ftp://example.org", False),
        ("", False),
        (None, False),
    ],
)
def test_web_addresses(url: str | None, fine: bool) -> None:
    assert web_address(url) == (url if fine else None)


@given(st.text(max_size=60))
def test_html_is_text(text: str) -> None:
    page = _Seen(f"<p title='{html(text)}'>{html(text)}</p>")
    assert page.tags == ["p"]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd", "@SUM(A1)", "-2+3", "\t=x", "  =x", "\uff1dx", '=HYPERLINK("x")', "\r=1"],
)
def test_no_formula_in_a_table(text: str) -> None:
    cell = spreadsheet(text)
    assert cell == f"'{text}"
    assert unguarded(cell) == text
    line = io.StringIO()
    csv.writer(line).writerow([cell])
    assert next(csv.reader(io.StringIO(line.getvalue())))[0].lstrip()[0] == "'"


@pytest.mark.parametrize("text", ["-5", "+3.2%", "plain", "2024", "'quoted'", "", "a=b"])
def test_what_is_no_formula_stays(text: str) -> None:
    assert spreadsheet(text) == text
    assert unguarded(text) == text


@given(st.text(max_size=30))
def test_guarded_cells_are_read_as_they_were(text: str) -> None:
    if not text.startswith("'"):
        assert unguarded(spreadsheet(text)) == text


@given(st.text(max_size=60))
def test_latex_holds_no_command(text: str) -> None:
    made = latex(text)
    for known in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}"):
        made = made.replace(known, "")
    made = made.replace(r"\textbraceleft{}", "").replace(r"\textbraceright{}", "")
    assert not re.search(r"\\[a-zA-Z]", made)
    assert not re.search(r"(?<!\\)[%#$&_{}~^]", made)


@given(st.text(max_size=60))
def test_xml_can_hold_it(text: str) -> None:
    from xml.etree import ElementTree  # noqa: PLC0415

    element = ElementTree.Element("t")
    element.text = xml(text + "\x00\x0b\ufffe\ud800")
    assert ElementTree.fromstring(ElementTree.tostring(element)).tag == "t"
