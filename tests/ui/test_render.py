"""Answers as HTML: escaping, chips, marks, cards."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from fake_embedder import FakeEmbedder
from hypothesis import given
from hypothesis import strategies as st

from assistant import Assistant, Settings
from assistant.conversations import StoredTurn
from assistant.filters import Filters
from assistant.paper import Paper
from assistant.results import CLOSEST, Answer, Citation, IngestReport, Passage, Rejection, Sentence
from assistant.retrieved import RetrievedPaper
from assistant.review.screening import Criteria, Screening
from assistant.review.screenings import Listed
from assistant.review.session import ScreeningSession
from assistant.ui import exports, render, screen_render
from assistant.ui.markdown import paper_html, safe_link, to_html
from assistant.ui.suggestions import questions_about
from assistant.ui.turns import Failure, Turn, history_of, markdown_of, turn_of

EVIL = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>"


def citation(number: int = 1, **changes: object) -> Citation:
    values: dict[str, object] = {
        "number": number,
        "paper_id": f"title:{number}",
        "title": f"Paper {number}",
        "url": "https://example.org/1",
        "quote": "It halves memory.",
        "support": "supported",
        "support_score": 0.9,
        "why": "nearly the abstract's words",
    }
    return Citation.model_validate(values | changes)


def answer(**changes: object) -> Answer:
    values: dict[str, object] = {
        "question": "Why?",
        "standalone_question": "Why?",
        "answer": "It halves memory [1]. It is free.",
        "answered": True,
        "status": "answered",
        "confidence": 0.9,
        "citations": [citation()],
        "sentences": [
            Sentence(text="It halves memory [1].", citations=[1], support="supported"),
            Sentence(text="It is free.", support="unsupported"),
        ],
        "passages": [
            Passage(paper_id="title:1", title="Paper 1", text="…", score=0.9),
            Passage(paper_id="title:2", title=f"Near {EVIL}", text="…", score=0.5),
        ],
    }
    return Answer.model_validate(values | changes)


def tags(html: str) -> set[str]:
    return set(re.findall(r"<([a-z]+)", html))


def attributes(html: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(name for name, _ in attrs)

    Reader().feed(html)
    return found


def test_markers_become_chips_and_unsupported_sentences_are_marked() -> None:
    made = answer()
    html = to_html(made.answer, made.citations, made.sentences)
    assert html.count("<button") == 1
    assert 'data-quote="It halves memory."' in html
    assert '<span class="said unsupported">It is free.</span>' in html
    assert ">not supported</span>" in html


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("a [1, 2]", [1, 2]), ("a [1][2].", [1, 2]), ("a [1–3]", [1, 2, 3]), ("a [9]", [])],
)
def test_all_ways_of_writing_markers(text: str, numbers: list[int]) -> None:
    html = to_html(text, [citation(1), citation(2), citation(3)])
    assert [int(n) for n in re.findall(r'data-number="(\d)"', html)] == numbers
    assert "[" not in html


def test_a_partial_sentence_colours_its_chip() -> None:
    sentence = Sentence(text="So [1].", citations=[1], support="partial", quote="Other.")
    html = to_html("So [1].", [citation()], [sentence])
    assert 'class="chip partial"' in html
    assert 'data-quote="Other."' in html


@pytest.mark.parametrize(
    "text",
    [
        EVIL,
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](data:text/html,<script>1</script>)",
        "![a](https://192.0.2.1/x.png)",
        '<https://x.org/"onmouseover=alert(1)>',
        "[a]: javascript:alert(1)\n\n[a]",
        "`" + EVIL + "`",
        "[1](javascript:alert(1))",
        "\ue000u\ue003" + EVIL,
    ],
)
def test_nothing_in_a_text_runs_or_fetches(text: str) -> None:
    html = to_html(
        text, [citation(title=EVIL, quote=EVIL)], [Sentence(text=text, support="partial")]
    )
    assert tags(html) <= {"p", "a", "em", "strong", "code", "button", "span", "ul", "li"}
    links = re.findall(r'href="([^"]*)"', html)
    assert all(link.startswith("http") for link in links)
    assert not [name for name in attributes(html) if name.startswith("on")]


def test_links_are_web_addresses() -> None:
    assert safe_link("https://a.org/b") == "https://a.org/b"
    for url in (None, "", "javascript:1", "//x", "http:", "file:///etc", "http://[", "data:x"):
        assert safe_link(url) is None


def test_a_turn_escapes_everything() -> None:
    turn = Turn(
        question=EVIL,
        answer=answer(notes=[EVIL], citations=[citation(title=EVIL, why=EVIL)]),
        failure=Failure(what=EVIL, do=EVIL),
        steps=[EVIL],
    )
    panel = render.source_panel(
        Paper(title=EVIL, abstract=f"{EVIL} It halves memory.", authors=(EVIL,), venue=EVIL),
        number=EVIL[:4],
        quote="It halves memory.",
        support="supported",
        score=0.5,
        why=EVIL,
    )
    report = render.report(IngestReport(rejected=[Rejection(source=EVIL, where=EVIL, reason=EVIL)]))
    live = render.live(turn, answer(answer=EVIL))
    for html in (
        render.turn(turn, last=True),
        panel,
        report,
        live,
        render.welcome("own", 3, [EVIL]),
    ):
        assert "<img" not in html
        assert "<script" not in html
        assert "&lt;img" in html
    assert "<mark" in panel


def test_absent_offers_the_nearest_papers() -> None:
    made = answer(
        status="absent",
        answered=False,
        citations=[],
        answer="This library does not hold the answer. Its nearest paper is “Paper 1”.",
        sentences=[Sentence(text="This library does not hold the answer.")],
    )
    html = render.turn(Turn(question="Why?", answer=made), last=True)
    assert "card absent" in html
    assert html.count('data-act="source"') == 2
    assert 'class="score"' not in html  # which would call the best of nothing near
    assert "Its nearest paper" not in html.split("data-text")[0]


def test_the_quote_is_found_whatever_its_white_space() -> None:
    paper = Paper(title="A", abstract="First. It  HALVES memory now. Last.")
    panel = render.source_panel(paper, quote="it halves\nmemory now.", support="partial")
    assert '<mark class="partial">It HALVES memory now.</mark>' in panel
    assert "<mark" not in render.source_panel(paper, quote="Not there.", support="partial")


def test_markdown_of_an_answer() -> None:
    text = markdown_of(answer())
    assert text.startswith("It halves memory [1]. It is free.\n\n**References**\n\n1. [Paper 1](")
    assert "> It halves memory." in text


def test_sentences_of_abstracts_stand_by_themselves_and_lists_are_lists() -> None:
    title = "It *halves* 2. [1] memory"
    text = f"2 papers here:\n{title}: “It halves memory.” [1]\nPaper 2: “It is free.” [2]\nAlso: X."
    cited = [citation(title=title), citation(2)]
    made = answer(form="list", answer=text, citations=cited, sentences=[])
    html = render.turn(Turn(question="Which?", answer=made), last=False)
    shown = html[html.index('class="answer"') : html.index('class="sources"')]
    assert shown.count("<li>") == 2
    assert shown.count("<p>") == 2
    assert "<strong>It *halves* 2. [1] memory</strong>" in shown
    assert "\n\n- **It" in markdown_of(made)
    told = made.model_copy(update={"form": "fact"})
    assert markdown_of(told).startswith("2 papers here:\n\nIt")
    written = told.model_copy(update={"mode": "generative"})
    assert markdown_of(written).startswith(text)


def test_a_turn_is_kept_and_read_again() -> None:
    turn = Turn(question="Why?", answer=answer())
    kept = turn.stored()
    assert kept["answer"]["passages"][0]["text"] == ""
    again = turn_of(StoredTurn(id="t", question="Why?", data=kept))
    assert again.answer is not None
    asked, said = history_of([again])
    assert (asked.role, said.role) == ("user", "assistant")
    assert again.answer.cited_titles[0] in said.content  # "others" leaves out what was named
    odd = turn_of(StoredTurn(id="t", question="Why?", data={"answer": {"answer": 3}}))
    assert odd.failure is not None
    assert odd.question == "Why?"


LAYOUTS = (
    "{0}\n\n{1}\n",
    "- {0}\n- {1}\n- {2}\n",
    "1. {0}\n2. {1}\n   - {2}\n",
    "> {0}\n>\n> {1}\n",
    "## {0}\n\n{1} {2}\n",
    "| Paper | Finding |\n|---|---|\n| {0} | {1} |\n| other | {2} |\n",
    "**{0}** {1} *{2}*\n",
    "Intro:\n\n* {0}\n\n  {1}\n\n* {2}\n",
)


@given(
    layout=st.sampled_from(LAYOUTS),
    marked=st.booleans(),
    with_signs=st.booleans(),
    supports=st.tuples(*[st.sampled_from(["supported", "partial", "unsupported", "none"])] * 3),
)
def test_marks_never_break_the_form(
    layout: str, marked: bool, with_signs: bool, supports: tuple[str, ...]
) -> None:
    plain = ["Memory falls by **half** on `x`", "It is _free_ for all", "Nobody has tried $x_1$"]
    told = [f"{one} [{n}]." if marked else f"{one}." for n, one in enumerate(plain, 1)]
    text = layout.format(*told)
    lines = [line for line in text.splitlines() if any(one in line for one in told)]
    texts = lines if with_signs and len(lines) == 3 else told
    sentences = [
        Sentence(text=one, citations=[n] if marked else [], support=support)
        for n, (one, support) in enumerate(zip(texts, supports, strict=False), 1)
        if any(t in text for t in (one, told[n - 1]))
    ]
    html = to_html(text, [citation(n) for n in (1, 2, 3)], sentences)
    bare = to_html(text, [citation(n) for n in (1, 2, 3)])
    assert _form(html) == _form(bare)
    shown = [s for s in sentences if _letters(s.text) in _letters(text)]
    for kind in ("partial", "unsupported"):
        assert html.count(f'<span class="flag {kind}">') == sum(s.support == kind for s in shown)


def _form(html: str) -> list[str]:
    """The blocks and the emphasis, without what marks and chips add."""
    return [tag for tag in re.findall(r"</?[a-z0-9]+", html) if tag[-4:] not in ("span", "tton")]


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def test_what_stands_in_a_paper_is_text_but_for_its_formulas() -> None:
    quote = "It maps *R* to [0,1] with <b>_x_</b>, costs $5 to $10 (P < 0.05): $O(n_1 n_2)$ [2]."
    cited = citation(title="A [2] of *stars*", quote=quote)
    text = f"“A [2] of *stars*”: {quote} [1]"
    html = to_html(text, [cited, citation(2)], [Sentence(text=text, citations=[1], quote=quote)])
    assert re.findall(r'data-number="(\d)"', html) == ["1"]
    assert tags(html) == {"p", "button", "span"}
    assert 'data-tex="O(n_1 n_2)"' in html
    seen = re.sub(r"<button.*?</button>", "", html)
    assert unescape(re.sub(r"<[^>]+>", "", seen)).strip() == f"“A [2] of *stars*”: {quote}"


def test_formulas_in_abstracts() -> None:
    html = paper_html(r"In $O(n^2)$ or \(x < y\), for $5 and $10, \[z\] <b>")
    assert re.findall('data-tex="([^"]*)"', html) == ["O(n^2)", "x &lt; y", "z"]
    assert html.endswith(" &lt;b&gt;")


@pytest.mark.parametrize(
    ("status", "words", "part"),
    [
        ("answered", "Answered from the library", "answers"),
        ("closest", "No direct answer", "related"),
        ("absent", "Not in this library", "related"),
    ],
)
def test_status_and_confidence_are_said_and_supported_is_of_a_sentence(
    status: str, words: str, part: str
) -> None:
    made = answer(status=status, answered=status == "answered", confidence=0.61)
    html = render.turn(Turn(question="Why?", answer=made), last=True)
    assert words in html
    assert "fair confidence" in html.lower()
    assert "61%" in html
    assert f'<span class="flag {part}">{part}</span>' in html
    assert ">Supported<" not in html
    related = 'data-related="1"' in html
    assert related is (status != "answered")
    panel = render.source_panel(Paper(title="A", abstract="B."), support="supported", related=True)
    assert "does not answer" in panel
    assert "is supported" not in panel


def test_that_it_is_no_answer_is_said_once() -> None:
    made = answer(status="closest", answered=False, answer=f"{CLOSEST}\nOwls hunt [1].")
    html = render.turn(Turn(question="Why?", answer=made), last=True)
    assert html.count("No direct answer") == 1
    assert "Nothing in this library" not in html
    assert html.count("that the library answers") == 1


def test_first_questions_are_of_subjects(tmp_path: Path) -> None:
    assistant = Assistant(Settings.load(library=tmp_path), embedder=FakeEmbedder())
    places = ["South Dakota", "Sierra Nevada"]
    papers = [
        Paper(title=f"Owls of the {places[n % 2]} {n}", abstract=f"In {places[n % 2]} owls live.")
        for n in range(8)
    ]
    papers += [
        Paper(title=f"Effects of salvage logging {n}", abstract="We study salvage logging here.")
        for n in range(3)
    ]
    assistant.library.ingest(papers)
    questions = questions_about(assistant)
    assistant.close()
    assert questions[0] == "Which papers are about salvage logging?"
    assert not any(place.casefold() in " ".join(questions[:1]) for place in places)


def test_a_long_list_names_its_papers_once_in_sight() -> None:
    cited = [citation(number=n, title=f"Owls {n}", paper_id=f"p{n}") for n in range(1, 6)]
    listed = "\n".join(f"Owls {n} [{n}]" for n in range(1, 6))
    made = answer(answer=listed, citations=cited, form="about_library")
    html = render.turn(Turn(question="Which?", answer=made), last=True)
    assert "<summary>Sources: 5 papers</summary>" in html
    short = answer(answer="Owls hunt [1].", citations=cited[:1])
    assert "<h2>Sources</h2>" in render.turn(Turn(question="Which?", answer=short), last=True)


def test_a_snapshot_runs_nothing_and_says_what_it_is() -> None:
    turn = Turn(question=EVIL, answer=answer(citations=[citation(title=EVIL, quote=EVIL)]))
    page = exports.of_turns(None, [turn], EVIL, "html")["text"]  # type: ignore[arg-type]
    assert "<img" not in page
    assert "<script" not in page
    assert "<button" not in page
    assert "<sup>[1]</sup>" in page
    assert "not supported" in page
    assert page.startswith("<!doctype html>")


def test_what_only_some_papers_do_not_hold_is_not_said_of_the_library() -> None:
    chosen = Filters(years=(2019, 2021), author=(EVIL,))
    absent = answer(answered=False, status="absent", citations=[], passages=[])
    shown = render.turn(Turn(question="Why?", answer=absent, filters=chosen), last=True)
    assert "Not in this library" not in shown
    assert "Not in the papers that were asked" in shown
    assert "No paper of the library fits: of 2019 or 2021, by" in shown
    assert 'data-act="ask-all"' in shown
    assert EVIL not in shown
    assert "ask-all" not in render.turn(Turn(question="Why?", answer=absent), last=True)


def test_a_screening_shows_what_papers_and_reviewers_write_as_text() -> None:
    paper = Paper(title=f"Bees {EVIL}", abstract=f"Bees cost $a < b$ {EVIL} animals.", year=2020)
    mean = np.ones(4, np.float32)
    found = RetrievedPaper(paper, 1.0, 1.0, 1.0, 0.0, 0.0, (), mean, lambda: mean[None])
    session = ScreeningSession(
        Screening(
            topic=f"bees {EVIL}",
            criteria=Criteria(include=["bees"], exclude=[f"animals {EVIL}"]),
        ),
        [found],
    )
    look = screen_render.Look(EVIL, named=False, library="own")
    card = screen_render.at_work(session, look, paper, "bees")
    assert '<mark class="for">Bees</mark>' in card
    assert '<mark class="against">animals</mark>' in card
    assert 'data-tex="a &lt; b"' in card
    session.decide(paper.id, "exclude", EVIL, EVIL)
    progress, below = screen_render.more(session, look, session.estimate())
    listed = screen_render.start([Listed(
        name="bees", topic=EVIL, papers=1, decided=1, included=0, changed=0.0
    )])  # fmt: skip
    for html in (card, progress, below, listed):
        assert EVIL not in html
        assert "script" not in tags(html)
