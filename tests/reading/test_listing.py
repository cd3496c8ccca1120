"""Saved listing pages: both layouts, whole and damaged; miniatures, and the real pages."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import pytest

from assistant.paper import Paper
from assistant.reading import read
from assistant.reading.listing import is_listing, read_listing
from assistant.results import Rejection

ENTRIES = [
    (
        "Small Parsers, Large Effects: A Study of Careful Reading",
        "Reading files is where most programs meet the world. We study 12 parsers and find that"
        " those which judge each line by itself lose fewer records. Our parser is careful.",
    ),
    (
        "Is a Short Abstract Enough?",
        "We show that a short abstract is enough for most questions.",
    ),
    (
        "xLine: A Title That Goes On and On to Test Whether Long Titles Are Taken for Abstracts by"
        " a Rule That Looks at Length Alone, With Evaluation on Ten Benchmarks and Four Languages",
        "Long titles exist. In this work, we count them in four languages, and show that length"
        " alone does not tell titles from abstracts. Code: https://example.org/long-titles",
    ),
    (
        "Counting Commas in Prose",
        "Commas are frequent in prose and rare in titles (see www.example.org), which makes"
        " them useful; however, the full stop is more useful still. Key words: commas, stops",
    ),
]
HEADER = ["new", "Get trending papers in your email inbox!", "Subscribe", "Daily Papers"]
HEADER += ["byAK and the research community", "Aug 25"]


def spaced(entries: list[tuple[str, str]] = ENTRIES, header: list[str] = HEADER) -> str:
    return "\n\n".join([*header, *(line for entry in entries for line in entry)])


def dense(entries: list[tuple[str, str]] = ENTRIES) -> str:
    header = "Get trending papers in your email inbox once a day!\nSubscribe"
    return header + "\n".join(line for entry in entries for line in entry)


def results(page: str) -> tuple[list[tuple[str, str]], list[Rejection]]:
    found = list(read_listing(io.StringIO(page), "page.txt"))
    papers = [(r.title, r.abstract) for r in found if isinstance(r, Paper)]
    return papers, [r for r in found if isinstance(r, Rejection)]


@pytest.mark.parametrize(
    "page", [spaced(), dense(), spaced() + "\n", dense().replace("\n", "\r\n")]
)
def test_both_layouts(page: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(page.encode()), encoding="utf-8")
    found = list(read_listing(stream, "page.txt"))
    assert [(p.title, p.abstract) for p in found if isinstance(p, Paper)] == ENTRIES
    assert len(found) == len(ENTRIES)


def test_a_missing_abstract_loses_its_entry_and_says_so() -> None:
    page = "\n\n".join([*HEADER, ENTRIES[0][0], ENTRIES[1][0], ENTRIES[1][1], *ENTRIES[2]])
    papers, rejected = results(page)
    assert papers == ENTRIES[1:3]
    assert [r.where for r in rejected] == ["line 13"]
    assert rejected[0].reason == f"no abstract after “{ENTRIES[0][0]}” (or it is not a title)"


def test_a_missing_title_loses_its_entry_and_says_so() -> None:
    papers, rejected = results("\n".join([*ENTRIES[0], ENTRIES[1][1], *ENTRIES[2]]))
    assert papers == [ENTRIES[0], ENTRIES[2]]
    assert rejected == [
        Rejection(source="page.txt", where="line 3", reason="an abstract without a title before it")
    ]


@pytest.mark.parametrize("place", range(9))
@pytest.mark.parametrize(
    "line", ["Trending this week", "42", "Jul 29", "Subscribe", "Sign up", "·"]
)
def test_a_header_line_more_loses_nothing(line: str, place: int) -> None:
    lines = [line for entry in ENTRIES for line in entry]
    papers, rejected = results("\n".join([*HEADER, *lines[:place], line, *lines[place:]]))
    assert papers == ENTRIES
    assert len(rejected) <= 1


def test_a_sentence_of_the_frame_between_title_and_abstract() -> None:
    note = "Sign up and miss no news."
    papers, rejected = results("\n".join([ENTRIES[0][0], note, ENTRIES[0][1], *ENTRIES[1]]))
    assert papers == ENTRIES[:2]
    assert [r.where for r in rejected] == ["line 2"]


@pytest.mark.parametrize("page", [spaced(), dense()])
def test_cut_anywhere_only_the_last_entry_suffers(page: str) -> None:
    for end in range(len(page)):
        papers, _ = results(page[:end])
        whole = [entry for entry in ENTRIES if 0 <= page.find(entry[1]) <= end - len(entry[1])]
        assert papers[: len(whole)] == whole
        assert len(papers) <= len(whole) + 1
        for title, abstract in papers[len(whole) :]:  # cut behind a sentence: cannot be noticed
            assert (title, abstract[0]) == (ENTRIES[len(whole)][0], ENTRIES[len(whole)][1][0])
            assert (
                abstract.endswith((".", ")", "https://")) or "//" in abstract or "Key w" in abstract
            )


def test_a_page_that_ends_in_an_abstract_says_so() -> None:
    papers, rejected = results(spaced([*ENTRIES[1:], ENTRIES[0]])[:-11])
    assert papers == ENTRIES[1:]
    assert [r.reason for r in rejected] == ["the page ends in the middle of this paper's abstract"]
    page = spaced(ENTRIES[:2]) + "\n\n" + ENTRIES[2][0]
    assert "the page ends before an abstract of “xLine" in results(page)[1][0].reason


def test_latex_is_cleaned_and_the_original_kept() -> None:
    title, abstract = r"On $\infty$-Parsers", r"We gain 30\% over na\"{\i}ve parsers. It is good."
    (paper,) = read_listing(io.StringIO(f"{title}\n{abstract}\n"), "page.txt")
    assert isinstance(paper, Paper)
    assert (paper.title, paper.abstract) == (
        "On ∞-Parsers",
        "We gain 30% over naïve parsers. It is good.",
    )
    assert paper.original == {"title": title, "abstract": abstract}
    assert paper.source == "page.txt"


def test_a_glued_subscribe_is_cut_off_but_subscribers_stay() -> None:
    for title in ("Subscribers and Their Habits", "Subscribe or Not", "Subscribed Topics"):
        assert results(f"{title}\n{ENTRIES[1][1]}\n")[0] == [(title, ENTRIES[1][1])]
    assert results(f"SubscribexLine: A Title\n{ENTRIES[1][1]}")[0][0][0] == "xLine: A Title"


def test_what_is_a_listing() -> None:
    assert is_listing(spaced())
    assert is_listing(dense())
    assert not is_listing("\n".join(HEADER))
    assert not is_listing("just some words\nand some more\n")


SEEDS = Path(os.environ.get("ASSISTANT_TEST_DATA", ""), "seeds")
PAGES = sorted(SEEDS.glob("*.txt")) if "ASSISTANT_TEST_DATA" in os.environ else []
corpus = [
    pytest.mark.corpus,
    pytest.mark.skipif(len(PAGES) < 4, reason="ASSISTANT_TEST_DATA holds no seeds/*.txt"),
]


class TestRealPages:
    pytestmark = corpus

    def test_all_entries_of_all_pages(self) -> None:
        counts, titles = [], set()
        for page in PAGES:
            found = list(read(page))
            papers = [paper for paper in found if isinstance(paper, Paper)]
            assert len(papers) == len(found)
            counts.append(len(papers))
            titles |= {paper.title_key for paper in papers}
        assert counts == [80, 273, 108, 110]
        assert len(titles) == 545

    @pytest.mark.parametrize("number", range(4))
    def test_damaged_pages_lose_only_what_is_damaged(self, number: int) -> None:
        text = PAGES[number].read_text(encoding="utf-8")
        whole = {title for title, _ in results(text)[0]}
        lines = text.split("\n")
        chance = random.Random(number)
        missing = 0
        for _ in range(15):
            place = chance.randrange(20, len(lines) - 4)
            for damaged, lost in (
                (lines[:place] + lines[place + 1 :], 1),
                ([*lines[:place], "Trending on this page", *lines[place:]], 0),
                ([*lines[:place], "Upvoted", "17 comments", *lines[place:]], 0),
            ):
                papers, rejected = results("\n".join(damaged))
                kept = {title for title, _ in papers}
                missing += len(whole - kept) > lost
                assert len(whole - kept) <= 1
                assert len(kept - whole) <= 1
                assert len(rejected) <= 2
        assert missing <= 2  # a line of the frame that shares a word with the abstract

    @pytest.mark.parametrize("number", range(4))
    def test_cut_at_any_byte(self, number: int, tmp_path: Path) -> None:
        content = PAGES[number].read_bytes()
        whole = results(content.decode())[0]
        chance = random.Random(number)
        for _ in range(15):
            path = tmp_path / "cut.txt"
            path.write_bytes(content[: chance.randrange(20_000, len(content))])
            papers = [(r.title, r.abstract) for r in read(path) if isinstance(r, Paper)]
            same = sum(a == b for a, b in zip(papers, whole, strict=False))
            assert same >= len(papers) - 1
            reached = path.stat().st_size
            complete = sum(
                0
                <= content.find(r.original.get("abstract", r.abstract).encode())
                <= reached - len(r.original.get("abstract", r.abstract).encode())
                for r in read_listing(io.StringIO(content.decode()), "page.txt")
                if isinstance(r, Paper)
            )
            assert same >= complete - 1
