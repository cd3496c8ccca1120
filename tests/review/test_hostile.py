"""A review of papers whose texts are hostile: shown in every format, obeyed in none."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from assistant.paper import Paper
from assistant.review.model import Review
from assistant.review.rendering import render

from .conftest import Make, expert_papers, other_papers

NASTY = [
    "[Experts](javascript:alert(1)) Pruned",
    "![Experts](https://evil.example/p.png) Merged",
    "<img src=x onerror=alert(1)> Experts Shared",
    "=HYPERLINK(1) Experts",
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


def test_references_have_the_keys_of_the_library(review: Review) -> None:
    keys = [reference.key for reference in review.references]
    assert all(keys)
    assert len(set(keys)) == len(keys)
    assert re.findall(r"@\w+\{([^,]+),", render(review, "bib")) == keys
    assert re.findall(r"^ID  - (.*)$", render(review, "ris"), re.M) == keys
