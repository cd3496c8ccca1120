"""What makes the page good to use, in a real browser: sources of one's choice, own marks, keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from live import Live
from scripted_server import Reply, ScriptedServer

from .conftest import BROWSER, Serve, Visit
from .test_browser import PAPERS

pytestmark = BROWSER

Come = Callable[..., Visit]


@pytest.fixture(scope="module")
def filled(served: Serve) -> Live:
    return served(*PAPERS)


def test_likes_tags_and_notes_stay_and_are_found(visit: Come, served: Serve) -> None:
    there = visit(served(*PAPERS).url).open()
    page = there.page
    turn = there.ask("How are experts pruned without retraining?")
    turn.locator(".sources .source").first.click()
    page.wait_for_selector("#panel .marks")
    assert page.locator("#panel .similar .source").count() == 2
    page.click("#panel [data-act=like]")
    page.fill("#panel [name=tags]", "thesis, read next")
    page.fill("#panel [name=note]", "the baseline")
    page.reload()  # at once
    page.wait_for_selector("html[data-ready]")
    page.click(".views [data-view=library]")
    page.wait_for_selector("#papers .tag >> text=thesis")
    page.wait_for_selector("#map [data-points='3']")
    page.fill("#paper-words", "read next")
    page.wait_for_selector("#papers >> text=1 of 3 papers")
    page.click("#papers td .link")
    page.wait_for_selector("#panel .marks")
    assert page.input_value("#panel [name=note]") == "the baseline"
    assert page.get_attribute("#panel [data-act=like]", "aria-pressed") == "true"


def test_a_question_can_be_put_to_chosen_papers(visit: Come, filled: Live) -> None:
    there = visit(filled.url).open()
    page = there.page
    page.click(".scope summary")
    page.fill(".scope-form [name=year]", "2023-, 2019")
    page.keyboard.press("Enter")
    page.fill(".scope-form [name=author]", "nobody")
    page.keyboard.press(",")
    page.keyboard.type("Lovelace")  # what is not a chip yet counts, too
    assert page.inner_text("#scope-text") == "2023- or 2019, nobody or Lovelace"
    page.click(".scope-form [data-value=nobody]")
    assert page.inner_text("#scope-text") == "2023- or 2019, Lovelace"
    turn = there.ask("How are experts pruned without retraining?")
    assert "of 2019 or 2023 to 2100, by Lovelace" in turn.locator(".scope-note").inner_text()
    page.reload()
    page.wait_for_selector("#thread .turn")
    assert (
        page.inner_text("#scope-text") == "2023- or 2019, Lovelace"
    )  # it stays with the conversation
    page.click(".scope summary")
    page.click("[data-act=all-papers]")
    assert page.inner_text("#scope-text") == "all papers"
    turn.locator(".sources .source").first.click()
    page.click("#panel [data-act=only-paper]")
    assert "Pruning Experts" in page.inner_text("#scope-text")
    second = there.ask("How much memory is saved?")
    assert "1 chosen papers" in second.locator(".scope-note").inner_text()
    page.click("[data-act=all-papers]")
    source = page.get_attribute("#scope-sources option", "value")
    assert source == "papers.jsonl"  # what the library has is offered, without its folder
    page.fill(".scope-form [name=source]", source)
    third = there.ask("What does sparse attention save?")
    assert "source papers.jsonl" in third.locator(".scope-note").inner_text()


def test_a_question_can_go_to_another_library(visit: Come, filled: Live) -> None:
    there = visit(filled.url).open()
    page = there.page
    page.click(".scope summary")
    page.select_option(".scope-form [name=library]", "sample")
    assert page.inner_text("#scope-text") == "sample library"
    page.fill("#composer textarea", "What does quantising a 70B model to two bits cost?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#thread .sources .source[data-library=sample]", timeout=90_000)
    assert "3 papers · Your library" in page.inner_text("#state")


def test_the_answer_in_work_is_in_sight_and_what_is_read_of_it_stays(
    visit: Come, served: Serve, fresh_script: ScriptedServer
) -> None:
    text = "".join(f"We prune expert {n} without retraining [1].\n\n" for n in range(40))
    fresh_script.answer = lambda _: Reply(text, between=0.05, chunk=40)
    endpoint = {"openai_base_url": fresh_script.url, "openai_api_key": "sk-test"}
    there = visit(served(*PAPERS, llm="scripted", **endpoint).url, size=(1000, 500)).open()
    page = there.page
    top = "document.querySelector('#live .question').getBoundingClientRect().top"
    for n in range(2):  # the second begins below what is in sight
        page.fill("#composer textarea", f"How are experts of a mixture pruned, {n}?")
        page.keyboard.press("Enter")
        page.wait_for_selector("#live .answer.caret p >> nth=12")
        assert 0 < page.evaluate(top) < 160
        page.evaluate("getSelection().selectAllChildren(document.querySelector('#live .answer p'))")
        page.wait_for_selector("#live .answer.caret p >> nth=18")
        assert page.evaluate("getSelection().toString()").startswith("We prune expert 0")
        page.mouse.move(500, 200)
        page.mouse.wheel(0, -200)
        page.wait_for_timeout(200)
        at = page.evaluate("scrollY")
        page.wait_for_selector("#live .answer.caret p >> nth=24")
        assert page.evaluate("scrollY") == at  # who reads above is left there
        page.wait_for_selector("html:not([data-busy])", state="attached", timeout=60_000)


def test_follow_ups_lead_on(visit: Come, empty_sample: Live) -> None:
    there = visit(empty_sample.url).open()
    page = there.page
    page.click(".welcome .ask >> nth=1")
    page.wait_for_selector("#thread .follow-ups .ask", timeout=90_000)
    asked = page.locator(".follow-ups .ask").all_inner_texts()
    assert 1 < len(set(asked)) <= 3
    for n in range(2):  # the library answers them, as it was tried
        page.click(".rail-head [data-act=new]")
        page.fill("#composer textarea", asked[n])
        page.keyboard.press("Enter")
        page.wait_for_selector("#thread .turn .status")
        assert "Answered" in page.inner_text("#thread .turn .status")


@pytest.fixture
def empty_sample(served: Serve) -> Live:
    return served()


def test_menus_keys_and_the_sheet(visit: Come, filled: Live) -> None:
    there = visit(filled.url).open()
    page = there.page
    there.ask("How are experts pruned without retraining?")
    page.locator("#thread [data-act=export]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=menu]")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "HTML page"
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "Markdown"
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.textContent") == "RIS"
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert Path(download.value.path()).read_text("utf-8").startswith("TY  - ")
    assert page.evaluate("document.activeElement.dataset.act") == "export"
    page.keyboard.press("?")
    page.wait_for_selector("dialog.keys")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.keys", state="detached")
    page.keyboard.press("Control+k")
    page.wait_for_function("document.activeElement.id === 'rail-words'")
    page.keyboard.press("Alt+n")
    page.wait_for_selector(".welcome")
    page.keyboard.press("Enter")
    assert "Write a question first" in page.inner_text("#composer-hint")


@pytest.mark.parametrize("height", [900, 520])
def test_what_has_the_focus_is_never_behind_the_composer(
    visit: Come, filled: Live, height: int
) -> None:
    there = visit(filled.url, size=(1000, height)).open()
    page = there.page
    for question in ("How are experts pruned?", "What does sparse attention save?"):
        there.ask(question)
    page.locator(".unused summary").evaluate_all("all => all.forEach((one) => one.click())")
    page.click(".scope summary")  # the composer is higher now
    covered, seen = [], 0
    for key in ["Shift+Tab"] * 25 + ["Tab"] * 25:
        page.keyboard.press(key)
        where = page.evaluate(
            "(() => { const at = document.activeElement, box = at.getBoundingClientRect();"
            "const edge = (id) => document.querySelector(id).getBoundingClientRect();"
            "return at.closest('#thread') && [at.outerHTML.slice(0, 90), box.top - "
            "edge('#bar').bottom, edge('#composer').top - box.bottom] })()"
        )
        if where:
            seen += 1
            covered += [where] if min(where[1:]) < 0 else []
    assert covered == []
    assert seen > 10


def test_conversations_are_pinned_and_put_into_folders(visit: Come, served: Serve) -> None:
    there = visit(served(*PAPERS).url).open()
    page = there.page
    for question in ("How are experts pruned?", "What does sparse attention save?"):
        there.ask(question)
        page.click(".rail-head [data-act=new]")
        page.wait_for_selector(".welcome")
    page.wait_for_selector("#rail li >> nth=1")
    page.click("#rail li:has-text('experts') .more", force=True)
    page.click(".menu >> text=Pin")
    page.wait_for_selector("#rail li.folder >> text=Pinned")
    page.click("#rail li:has-text('attention') .more", force=True)
    page.click(".menu >> text=Move to folder")
    page.keyboard.type("Thesis")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rail li.folder >> text=Thesis")
    page.reload()
    page.wait_for_selector("#rail li.folder >> text=Thesis")
    rows = [row.strip("⋯ \n") for row in page.locator("#rail li").all_inner_texts()]
    assert [row.split()[0] for row in rows] == ["Pinned", "How", "Thesis", "What"]


def test_a_flagged_list_and_table_keep_their_form_and_math_is_set(
    visit: Come, served: Serve, fresh_script: ScriptedServer
) -> None:
    fresh_script.answer = lambda _: Reply(
        "Three things [1].\n\n- Whales were **asked** in Peru.\n- It takes $O(n^2)$ steps in "
        "Bremen [1].\n\n| What | Found |\n|---|---|\n| Whales | They like cheese [1] |\n",
        between=0.02,
    )
    live = served(
        *PAPERS, llm="scripted", openai_base_url=fresh_script.url, openai_api_key="sk-test"
    )
    there = visit(live.url).open()
    turn = there.ask("How are experts of a mixture pruned?")
    answer = turn.locator(".answer")
    assert answer.locator("ul > li").count() == 2
    assert answer.locator("ul > li strong").inner_text() == "asked"
    assert answer.locator("table td").count() == 2
    assert answer.locator("li .flag.unsupported").count() >= 1
    assert "- Whales" not in answer.inner_text()
    assert "|" not in answer.inner_text()
    answer.locator(".katex").first.wait_for()
    region = there.page.locator("#progress-told")
    assert "Whales" in region.text_content()
    assert region.get_attribute("aria-live") == "polite"


def test_a_silent_model_is_seen_to_be_waited_for(
    visit: Come, served: Serve, fresh_script: ScriptedServer
) -> None:
    fresh_script.answer = lambda _: Reply("We prune experts [1].", before=4.5)
    live = served(
        *PAPERS, llm="scripted", openai_base_url=fresh_script.url, openai_api_key="sk-test"
    )
    page = visit(live.url).open().page
    page.fill("#composer textarea", "How are experts of a mixture pruned?")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "/^[2-9] s$/.test(document.querySelector('#live .elapsed')?.textContent)"
    )


def test_a_conversation_as_one_page_that_runs_nothing(
    visit: Come, filled: Live, tmp_path: Path
) -> None:
    there = visit(filled.url).open()
    page = there.page
    there.ask("What error has gaze estimation with one eye?")
    page.click("#rail li.current .more")
    with page.expect_download() as download:
        page.click("text=Export as HTML page")
    saved = tmp_path / "snapshot.html"
    download.value.save_as(saved)
    alone = there.context.new_page()
    alone.goto(saved.as_uri())
    assert "Gaze estimation with one eye has an error of 2.3 cm." in alone.inner_text("body")
    assert alone.evaluate("window.hurt") is None
    assert alone.locator("script, img, button").count() == 0


def test_conversations_kept_by_an_earlier_version_in_the_browser_are_taken_over(
    visit: Come, served: Serve
) -> None:
    there = visit(served(*PAPERS).url)
    old = {
        "id": "0a1b2c3d-old",
        "title": "Before",
        "updated": 1.7e12,
        "turns": [{"question": "Why?"}],
    }
    there.context.add_init_script(
        "if (!sessionStorage.once) { sessionStorage.once = 1; localStorage.setItem("
        f"'abstract-assistant.conversation.{old['id']}', {json.dumps(json.dumps(old))}); }}"
    )
    page = there.open().page
    page.click("#rail li >> text=Before")
    page.wait_for_selector("#thread .turn >> text=Why?")
    assert (
        page.evaluate("Object.keys(localStorage).filter((k) => k.includes('conversation.'))") == []
    )
