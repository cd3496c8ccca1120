"""Answers as HTML: escaping, chips, marks, cards."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from assistant.paper import Paper
from assistant.results import Answer, Citation, IngestReport, Passage, Rejection, Sentence
from assistant.ui import render
from assistant.ui.markdown import safe_link, to_html
from assistant.ui.turns import Failure, Turn, history_of, markdown_of, turns_of

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
    live = render.live(EVIL, [EVIL], EVIL)
    for html in (render.thread([turn]), panel, report, live, render.welcome("own", 3, [EVIL])):
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
    html = render.thread([Turn(question="Why?", answer=made)])
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


def test_what_a_browser_sends_is_validated() -> None:
    good = Turn(question="Why?", answer=answer()).slim().model_dump(mode="json")
    assert good["answer"]["passages"][0]["text"] == ""
    turns = turns_of([good, {"question": 3}, "x", None, {"question": "a", "answer": {}}])
    assert [turn.question for turn in turns] == ["Why?"]
    assert [m.role for m in history_of(turns)] == ["user", "assistant"]
    assert turns_of({"a": 1}) == turns_of(None) == []
