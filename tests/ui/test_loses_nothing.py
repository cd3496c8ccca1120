"""What people write, ask and get is never lost: one test a way in which it once was.

Each asks in a real browser, of a server of its own, mostly with a scripted language model that
writes slowly enough to be interrupted.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live import Live
from scripted_server import Reply, ScriptedServer

from assistant.sample import SAMPLE_PAPERS

from .conftest import BROWSER, Serve, Visit
from .test_browser import PAPERS

pytestmark = BROWSER

Come = Callable[..., Visit]
LONG = "We prune experts of a mixture without any retraining [1]. "


@pytest.fixture
def slow(served: Serve, fresh_script: ScriptedServer) -> Live:
    """A page whose model answers with the question's last word, slowly."""

    def answer(body: dict[str, Any]) -> Reply:
        asked = body["messages"][-1]["content"]
        word = (re.findall(r"word(\w+)", asked) or ["none"])[-1]
        return Reply(f"About {word}: " + LONG * 8, between=0.05, chunk=12)

    fresh_script.answer = answer
    return served(
        *PAPERS,
        llm="scripted",
        openai_base_url=fresh_script.url,
        openai_api_key="sk-test",
        endpoint={"max_retries": 0},
    )


@pytest.fixture
def quick(served: Serve) -> Live:
    return served(*PAPERS)


def type_and_ask(page: Any, question: str) -> None:
    page.fill("#composer textarea", question)
    page.keyboard.press("Enter")


def idle(page: Any, timeout: float = 40_000) -> None:
    page.wait_for_selector("html:not([data-busy])", state="attached", timeout=timeout)


def test_enter_during_an_answer_waits_in_sight(visit: Come, slow: Live) -> None:
    page = visit(slow.url).open().page
    type_and_ask(page, "How are experts pruned, wordone?")
    page.wait_for_selector("#live .answer.caret")
    type_and_ask(page, "What does sparse attention save, wordtwo?")
    page.wait_for_selector("#live .turn.waits >> text=wordtwo")
    assert page.locator("#live .answer").count() == 1
    assert page.input_value("#composer textarea") == ""
    page.wait_for_selector("#thread .turn >> nth=1", timeout=60_000)
    idle(page)
    turns = page.locator("#thread .turn")
    assert turns.count() == 2
    assert "wordone" in turns.nth(0).locator(".question").inner_text()
    assert "About one" in turns.nth(0).locator(".answer").inner_text()
    assert "About two" not in turns.nth(0).inner_text()
    assert "About two" in turns.nth(1).locator(".answer").inner_text()


def test_a_waiting_question_can_be_taken_back(visit: Come, slow: Live) -> None:
    page = visit(slow.url).open().page
    type_and_ask(page, "How are experts pruned, wordone?")
    page.wait_for_selector("#live .answer.caret")
    type_and_ask(page, "What does sparse attention save, wordtwo?")
    page.click("#live .turn.waits [data-act=withdraw]")
    page.wait_for_selector("#live .turn.waits", state="detached")
    assert "wordtwo" in page.input_value("#composer textarea")
    idle(page)
    assert page.locator("#thread .turn").count() == 1


def test_an_answer_is_drawn_into_its_own_conversation(visit: Come, slow: Live) -> None:
    page = visit(slow.url).open().page
    type_and_ask(page, "How are experts pruned, wordone?")
    page.wait_for_selector("#live .answer.caret")
    page.click("text=New")
    page.wait_for_selector(".welcome")
    page.wait_for_timeout(600)
    assert page.locator("#live .turn").count() == 0
    assert "About one" not in page.inner_text("#talk")
    type_and_ask(page, "What does sparse attention save, wordtwo?")
    page.wait_for_selector("#thread .turn", timeout=60_000)
    idle(page)
    assert page.locator("#thread .turn").count() == 1
    assert "About two" in page.inner_text("#thread")
    page.click("#rail li >> text=wordone")
    page.wait_for_selector("#thread .turn >> text=About one", timeout=60_000)
    idle(page)
    assert page.locator("#thread .turn").count() == 1
    assert "About two" not in page.inner_text("#thread")


def test_a_reload_in_the_middle_shows_what_there_is_and_goes_on(visit: Come, slow: Live) -> None:
    page = visit(slow.url).open().page
    type_and_ask(page, "How are experts pruned, wordone?")
    page.wait_for_selector("#live .answer.caret")
    page.reload()
    page.wait_for_selector("#live .answer.caret >> text=About one")
    assert "wordone" in page.inner_text("#live .question")
    page.wait_for_selector("#thread .turn", timeout=60_000)
    idle(page)
    page.wait_for_selector("#thread .status")  # which only a whole answer has
    assert "Stopped" not in page.inner_text("#thread")


def test_a_reload_right_after_enter_keeps_the_question(visit: Come, slow: Live) -> None:
    page = visit(slow.url).open().page
    type_and_ask(page, "How are experts pruned, wordone?")
    page.reload()
    page.wait_for_selector("#talk .turn >> text=wordone")
    page.wait_for_selector("#thread .answer >> text=About one", timeout=60_000)
    assert page.locator("#talk .turn").count() == 1


def test_who_leaves_finds_the_answer_when_they_come_back(visit: Come, slow: Live) -> None:
    first = visit(slow.url).open()
    type_and_ask(first.page, "How are experts pruned, wordone?")
    first.page.wait_for_selector("#live .answer.caret")
    address = first.page.url.removeprefix(slow.url)
    first.page.close()
    other = visit(slow.url).open(address)  # another browser
    other.page.wait_for_selector("#thread .answer >> text=About one", timeout=60_000)
    assert other.page.locator("#rail li >> text=wordone").count() == 1


def test_two_windows_append_and_see_each_other(visit: Come, quick: Live) -> None:
    there = visit(quick.url).open()
    one = there.page
    there.ask("How are experts pruned without retraining?")
    two = there.context.new_page()
    two.goto(one.url)
    two.wait_for_selector("#thread .turn")
    type_and_ask(two, "What does sparse attention save?")
    one.wait_for_selector("#thread .turn >> nth=1")
    type_and_ask(one, "What error has gaze estimation?")
    two.wait_for_selector("#thread .turn >> nth=2")
    for page in (one, two):
        page.wait_for_function("document.querySelectorAll('#thread .question p').length === 3")
        questions = page.locator("#thread .question p").all_inner_texts()
        assert [q.split()[0] + q.split()[1] for q in questions] == [
            "Howare",
            "Whatdoes",
            "Whaterror",
        ]
    assert one.locator("#rail li").count() == 1


def test_a_deleted_conversation_stays_deleted(visit: Come, quick: Live) -> None:
    there = visit(quick.url).open()
    one = there.page
    there.ask("How are experts pruned without retraining?")
    two = there.context.new_page()
    two.goto(one.url)
    two.wait_for_selector("#thread .turn")
    two.fill("#composer textarea", "Is it still here?")
    deleted = two.url.partition("?c=")[2]
    one.click("#rail .more")
    one.click(".menu >> text=Delete")
    one.click("dialog .danger")
    one.wait_for_selector(".welcome")
    two.wait_for_selector(".welcome")
    assert two.input_value("#composer textarea") == "Is it still here?"
    status = two.evaluate(
        "(id) => fetch(`page/conversations/${id}/ask`, {method: 'POST', headers: "
        "{'Content-Type': 'application/json'}, body: JSON.stringify({text: 'Why?'})})"
        ".then((r) => r.status)",
        deleted,
    )
    assert status == 404
    for page in (one, two):
        page.reload()
        page.wait_for_selector("html[data-ready]")
        page.wait_for_selector(".welcome")
        assert page.locator("#rail li").count() == 0
    there.trouble.clear()  # the browser tells of each 404


def test_nothing_depends_on_the_storage_of_the_browser(visit: Come, quick: Live) -> None:
    there = visit(quick.url).open()
    page = there.page
    there.ask("How are experts pruned without retraining?")
    page.evaluate(
        "(() => { for (let size = 1e6; size >= 1; size /= 10) try { for (let i = 0; ; i++) "
        "localStorage.setItem(`full-${size}-${i}`, 'x'.repeat(size)); } catch {} })()"
    )
    for word in ("sparse attention", "gaze estimation"):
        page.click("text=New")
        page.wait_for_selector(".welcome")
        there.ask(f"What is said of {word}?")
    page.reload()
    page.wait_for_selector("#rail li >> nth=2")
    assert page.locator("#rail li").count() == 3


def test_another_port_of_the_same_library_knows_it(
    visit: Come, quick: Live, tmp_path: Path
) -> None:
    there = visit(quick.url).open()
    there.ask("How are experts pruned without retraining?")
    with Live(quick.settings, page=True) as again:
        other = visit(again.url).open(there.page.url.removeprefix(quick.url))
        other.page.wait_for_selector("#thread .turn >> text=experts pruned")
        other.page.close()


def test_editing_begins_a_version_and_the_old_one_stays(visit: Come, quick: Live) -> None:
    there = visit(quick.url).open()
    page = there.page
    there.ask("How are experts pruned without retraining?")
    there.ask("What does sparse attention save?")
    page.locator("#thread .question").first.hover()
    page.locator("#thread [data-act=edit]").first.click()
    page.fill("#composer textarea", "What error has gaze estimation?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#thread .turn >> text=error has gaze")
    idle(page)
    assert page.locator("#thread .turn").count() == 1
    assert "2 of 2" in page.inner_text("#thread .branches")
    page.click("#thread [aria-label='The version before']")
    page.wait_for_selector("#thread .turn >> nth=1")
    assert "sparse attention" in page.inner_text("#thread")
    page.reload()
    page.wait_for_selector("#thread .turn >> nth=1")
    page.click("#thread [aria-label='The next version']")
    page.wait_for_selector("#thread .turn >> text=error has gaze")


def test_back_forward_and_drafts(visit: Come, quick: Live) -> None:
    there = visit(quick.url).open()
    page = there.page
    there.ask("How are experts pruned without retraining?")
    page.click("text=New")
    page.wait_for_selector(".welcome")
    there.ask("What does sparse attention save?")
    page.fill("#composer textarea", "half a thought")
    page.click(".views [data-view=library]")
    page.wait_for_selector("#papers table")
    page.go_back()
    page.wait_for_selector("html[data-view=chat]", state="attached")
    assert "sparse attention" in page.inner_text("#thread")
    page.click("#rail li >> text=experts pruned")
    page.wait_for_selector("#thread .turn >> text=experts pruned")
    assert page.input_value("#composer textarea") == ""
    page.go_back()
    page.wait_for_selector("#thread .turn >> text=sparse attention")
    assert page.input_value("#composer textarea") == "half a thought"
    page.go_forward()
    page.wait_for_selector("#thread .turn >> text=experts pruned")
    page.go_back()
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.input_value("#composer textarea") == "half a thought"


def test_a_written_review_survives_and_is_deleted_only_when_asked(visit: Come, quick: Live) -> None:
    there = visit(quick.url).open("/#review")
    page = there.page
    page.fill("#review-topic", "pruning experts of a mixture")
    page.keyboard.press("Enter")
    page.wait_for_selector(".candidates li")
    page.click("[data-act=compose]")
    page.wait_for_selector(".review .refs")
    page.wait_for_function("location.search.includes('r=')")
    page.reload()
    page.wait_for_selector(".review .refs")
    address = page.url.removeprefix(quick.url)
    other = visit(quick.url).open(address).page
    other.wait_for_selector(".review .refs")
    assert "pruning experts of a mixture" in other.inner_text(".review h2")
    with other.expect_download() as download:
        other.click("[data-act=save][data-form=md]")
    assert "pruning experts" in Path(download.value.path()).read_text("utf-8")
    if other.locator(".kept[open]").count() == 0:
        other.click(".kept summary")
    other.click(".kept [data-act=unkeep]")
    other.click("dialog .danger")
    other.wait_for_selector(".kept", state="detached")


def test_a_reload_while_a_review_is_written_goes_on(
    visit: Come, slow: Live, fresh_script: ScriptedServer
) -> None:
    page = visit(slow.url).open("/#review").page
    page.fill("#review-topic", "pruning experts of a mixture")
    page.keyboard.press("Enter")
    page.wait_for_selector(".candidates li")
    page.click("[data-act=compose]")
    page.wait_for_selector("#review-live .progress")
    while not fresh_script.requests:
        page.wait_for_timeout(50)
    page.reload()
    page.wait_for_selector("#review-live .progress")
    gone = fresh_script.gone
    page.click("[data-act=halt]")
    page.wait_for_selector("#review-live >> text=Stopped")
    assert fresh_script.wait_gone(gone + 1)


def test_uploads_queue_and_their_reports_stay(visit: Come, served: Serve, tmp_path: Path) -> None:
    library = served()
    page = visit(library.url).open("/#library").page
    lines = SAMPLE_PAPERS.read_text("utf-8").splitlines()
    for name, some in (("first", lines[:60]), ("second", lines[60:90]), ("third", lines[90:120])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(some) + "\n", encoding="utf-8")
    for name in ("first", "second", "third"):  # the next while the one before is in work
        page.set_input_files("#upload input[type=file]", str(tmp_path / f"{name}.jsonl"))
        page.wait_for_selector(f"#report >> text={name}.jsonl")
    page.wait_for_selector("#report .counts >> nth=2", timeout=90_000)
    page.wait_for_selector("#map [data-points='120']", timeout=60_000)
    assert "120 papers" in page.inner_text("#state")
    page.reload()
    page.wait_for_selector("#report .counts >> nth=2")
    assert "second.jsonl" in page.inner_text("#report")
    page.click("[aria-label='Dismiss the report of second.jsonl']")
    page.wait_for_selector("#report >> text=second.jsonl", state="detached")
    page.reload()  # and it stays away
    page.wait_for_selector("#report .counts >> nth=1")
    assert "second.jsonl" not in page.inner_text("#report")


def test_an_upload_can_be_cancelled(
    visit: Come, served: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = served()
    page = visit(library.url).open("/#library").page
    many = tmp_path / "many.jsonl"
    with many.open("w", encoding="utf-8") as file:
        for n in range(6000):
            words = f"Paper {n} about subject {n * 7919 % 1000} and method {n * 104729 % 997}."
            file.write(json.dumps({"title": f"Paper {n}", "abstract": words}) + "\n")
    page.set_input_files("#upload input[type=file]", str(many))
    page.wait_for_selector("#report .progress")
    page.click("#report [data-act=cancel]")
    page.wait_for_selector("#report >> text=Cancelled", timeout=60_000)
    kept = int(re.findall(r"Added\n([\d,]+)", page.inner_text("#report"))[0].replace(",", ""))
    assert kept < 6000


def test_everything_goes_out_and_comes_in_as_one_file(
    visit: Come, quick: Live, served: Serve, tmp_path: Path
) -> None:
    there = visit(quick.url).open()
    page = there.page
    there.ask("How are experts pruned without retraining?")
    with page.expect_download() as download:
        page.click("[data-act=export-all]")
    saved = tmp_path / "conversations.json"
    download.value.save_as(saved)
    empty = served(*PAPERS)
    other = visit(empty.url).open().page
    for _ in range(2):  # the second time adds nothing
        with other.expect_file_chooser() as chooser:
            other.click("[data-act=import]")
        chooser.value.set_files(str(saved))
        other.wait_for_selector("#rail li")
    time.sleep(0.5)
    assert other.locator("#rail li").count() == 1
    other.click("#rail li .open")
    other.wait_for_selector("#thread .answer")


def test_a_server_for_several_people_keeps_them_apart(
    visit: Come, served: Serve, tmp_path: Path
) -> None:
    shared = served(*PAPERS, host="0.0.0.0", server={"password": "a long password"})

    def enter() -> Visit:
        there = visit(shared.url)
        there.page.goto(shared.url)
        there.page.fill("#password", "a long password")
        there.page.keyboard.press("Enter")
        there.page.wait_for_selector("html[data-ready]")
        there.trouble.clear()  # the 401 that asks for the password
        return there

    one, other = enter(), enter()
    one.ask("How are experts pruned without retraining?")
    assert one.page.locator("#rail li").count() == 1
    address = one.page.url
    other.page.reload()
    other.page.wait_for_selector(".welcome")
    assert other.page.locator("#rail li").count() == 0
    other.page.goto(address)
    other.page.wait_for_selector(".welcome")
    assert "experts are" not in other.page.inner_text("#thread")
    other.trouble.clear()  # the 404 that it was answered
    one.page.reload()
    one.page.wait_for_selector("#thread .turn")


def test_a_link_fills_the_box_and_does_not_ask(visit: Come, quick: Live) -> None:
    page = visit(quick.url).open("/?q=How+are+experts+pruned%3F").page
    page.wait_for_timeout(500)
    assert page.input_value("#composer textarea") == "How are experts pruned?"
    assert page.locator(".turn").count() == 0


def test_an_upload_that_is_done_at_once_is_reported_too(
    visit: Come, quick: Live, tmp_path: Path
) -> None:
    page = visit(quick.url).open("/#library").page
    page.wait_for_selector("#map [data-points='3']")
    known = tmp_path / "known.jsonl"
    known.write_text("\n".join(map(json.dumps, PAPERS)), encoding="utf-8")
    page.set_input_files("#upload input[type=file]", str(known))
    page.wait_for_selector("#report .counts")
    assert "Unchanged\n3" in page.inner_text("#report")
