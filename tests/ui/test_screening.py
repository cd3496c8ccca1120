"""Screening in a real browser: keys, undo, two windows, import and export, and axe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live import Live

from .conftest import BROWSER, Serve, Visit
from .test_accessible import found
from .test_browser import PAPERS

pytestmark = BROWSER

Come = Callable[..., Visit]
HOSTILE = {
    "title": "Experts <b>bold</b> and <script>alert(1)</script>",
    "abstract": "Trials of experts <img src=x onerror=alert(2)> cost $a < b$ animals.",
    "authors": ["Mallory <i>"],
    "year": 2021,
}
CRITERIA = "include: experts of a mixture\nexclude: about animals\nexclude: no <b>trial</b>"


@pytest.fixture
def live(served: Serve) -> Live:
    return served(*PAPERS, HOSTILE)


@pytest.fixture(scope="module")
def filled(served: Serve) -> Live:
    return served(*PAPERS, HOSTILE)


def begun(there: Visit, topic: str = "pruning experts") -> Any:
    """A screening, started on the page."""
    page = there.open("/#screen").page
    page.fill("[data-form=screen-start] [name=topic]", topic)
    page.fill("[data-form=screen-start] [name=criteria]", CRITERIA)
    page.click("[data-form=screen-start] .first")
    page.wait_for_selector(".screening article")
    page.wait_for_selector("[data-part=prisma]")
    return page


def title(page: Any) -> str:
    return str(page.inner_text("#screen-title"))


def press(page: Any, key: str) -> str:
    """Decides by a key; gives the title of the paper that it was about."""
    before = title(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)
    page.wait_for_function(
        "(t) => (document.querySelector('#screen-title') || {}).innerText !== t", arg=before
    )
    return before


def decided(page: Any) -> dict[str, str]:
    """Title → the decision that the list shows."""
    page.wait_for_timeout(400)
    if not page.locator("[data-part=decided][open]").count():
        page.click("[data-part=decided] summary")
    rows = page.locator(".decided li")
    return {
        row.locator(".link").inner_text(): row.locator("select").first.input_value()
        for row in rows.all()
    }


def test_decisions_by_key_undo_and_reload(visit: Come, live: Live) -> None:
    there = visit(live.url)
    page = begun(there)
    assert page.url.endswith("?s=pruning-experts#screen")
    assert page.locator(".screen-grid .abstract mark.for").count()
    included = press(page, "i")
    page.wait_for_function("document.querySelector('#screen-told').textContent")
    assert page.inner_text("#screen-told") == f"Included: {included}"
    page.wait_for_selector("#screen-progress >> text=1 of 4 decided by you")
    excluded = press(page, "2")
    assert "no <b>trial</b>" in page.inner_text("#screen-last")
    third = press(page, "u")
    assert title(page) == excluded
    assert third not in decided(page)
    page.reload()
    page.wait_for_selector(".screening article")
    assert title(page) == excluded  # where it was left
    page.fill(".screen-do [name=reason]", "it is about iron")  # letters typed decide nothing
    page.keyboard.press("Enter")
    page.wait_for_selector("#screen-last >> text=it is about iron")
    assert decided(page) == {included: "include", excluded: "exclude"}
    for key in "em":
        last = title(page)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(key)
        page.wait_for_selector(f"#screen-last >> text={last[:20]}")
    page.wait_for_selector("text=All papers are decided")
    assert page.locator(".screen-do [data-verdict]:enabled").count() == 0
    page.locator(f".decided li:has-text('{included[:20]}') select").select_option("maybe")
    page.wait_for_selector(f"#screen-last >> text=Maybe: {included[:20]}")
    page.uncheck(".screen-foot [name=keys]")
    page.keyboard.press("u")
    page.wait_for_timeout(300)
    assert page.locator("text=All papers are decided").count()  # the keys are switched off


def test_two_windows_and_two_reviewers(visit: Come, live: Live) -> None:
    there = visit(live.url)
    page = begun(there)
    other = there.context.new_page()
    other.goto(page.url)
    other.wait_for_selector(".screening article")
    assert title(other) == title(page)
    first = title(page)
    # the second window is told only after it has decided on what it still shows
    other.route("**/card?*", lambda route: route.abort())
    other.route("**/revision", lambda route: route.abort())
    press(page, "i")
    other.keyboard.press("e")
    other.wait_for_selector(".toast >> text=your decision on this paper is: include")
    assert title(other) == title(page)
    second = press(other, "m")
    assert decided(other) == {first: "include", second: "maybe"}

    browser = visit(live.url)  # another one, in which Bo decides
    bo = browser.open("/#screen").page
    bo.click(".screenings .link")
    bo.wait_for_selector(".screening article")
    bo.fill(".screen-head [name=reviewer]", "Bo")
    bo.keyboard.press("Enter")
    bo.wait_for_selector("#screen-progress >> text=0 of 4 decided by you")
    assert title(bo) == first
    press(bo, "e")
    bo.wait_for_selector("[data-part=reviewers] >> text=conflicts (1)")
    assert "1 decided by you" not in bo.inner_text("#screen-progress")
    bo.click("[data-part=reviewers] summary")
    bo.click("[data-act=screen-conflicts]")
    bo.wait_for_selector(".decided .choices select >> nth=1")
    assert "me: included" in bo.inner_text(".decided li")
    before = title(bo)
    bo.locator(".decided .choices select").nth(1).select_option("include")
    bo.wait_for_selector("[data-part=reviewers] summary:not(:has-text('conflicts'))")
    assert title(bo) == before  # what is read stays before the eyes
    page.wait_for_selector("[data-part=reviewers] >> text=Reviewers (3)", timeout=15_000)
    kept = Path(live.settings.library) / "screenings" / "pruning-experts.json"
    assert len(json.loads(kept.read_text("utf-8"))["decisions"]) == 4


def test_past_decisions_come_in_and_all_goes_out(visit: Come, live: Live, tmp_path: Path) -> None:
    there = visit(live.url)
    page = begun(there)
    past = tmp_path / "asreview.csv"
    past.write_text(
        f"title,asreview_label\n{PAPERS[0]['title']},1\n{PAPERS[2]['title']},0\nNowhere,1\n",
        "utf-8",
    )
    page.click("[data-part=files] summary")
    with page.expect_file_chooser() as chooser:
        page.click("[data-form=screen-import] button")
    chooser.value.set_files(str(past))
    page.wait_for_selector(".toast >> text=Decisions taken: 2; not among the papers: 1.")
    assert decided(page) == {PAPERS[0]["title"]: "include", PAPERS[2]["title"]: "exclude"}
    page.click("[data-part=files] summary")
    made = {}
    for form in ("csv", "ris", "bib", "csl", "svg", "json"):
        with page.expect_download() as download:
            page.click(f"[data-act=screen-save][data-form={form}]")
        assert download.value.suggested_filename.startswith("pruning-experts.")
        made[form] = Path(download.value.path()).read_text("utf-8")
    assert made["csv"].count("include") == 1
    assert made["ris"].count("TY  -") == made["bib"].count("@") == 1
    assert "Included: 1" in made["svg"]
    assert json.loads(made["csl"])[0]["title"] == PAPERS[0]["title"]
    page.click("[data-part=criteria] summary")
    page.fill(".criteria textarea", "nothing of the kind")
    page.click("text=Save criteria")
    page.wait_for_selector(".toast >> text=No line is a criterion")
    page.fill(".criteria textarea", "exclude: sparse attention")
    page.click("text=Save criteria")
    page.wait_for_selector("aside[aria-label=Criteria] >> text=sparse attention")
    page.click("text=All screenings")
    page.click(".screenings [data-act=unscreen]")
    page.click("dialog .danger")
    page.wait_for_selector(".screenings", state="detached")
    page.go_back()
    page.wait_for_selector(".toast >> text=This screening is not here")
    page.fill("[data-form=screen-start] [name=topic]", "experts")
    page.click("[data-form=screen-start] summary")
    page.fill("[data-form=screen-start] [name=year]", "2021, 2023")
    page.click("[data-form=screen-start] .first")
    page.wait_for_selector(".screen-head >> text=1 paper · of 2021 or 2023")
    # the browser notes what was refused, as it was to be
    refused = [line for line in there.trouble if "422" in line or "404" in line]
    there.trouble = [line for line in there.trouble if line not in refused]
    assert len(refused) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_axe_finds_nothing_and_the_keyboard_is_enough(
    visit: Come, filled: Live, scheme: str, width: int
) -> None:
    there = visit(filled.url, color_scheme=scheme, size=(width, 844))
    page = there.open("/#screen").page
    wrong = {"start": found(page)}
    page.focus("[data-form=screen-start] [name=topic]")
    page.keyboard.type("experts")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-part=prisma]")
    for _ in range(3):  # include, exclude, include: by Tab and Enter alone
        before = title(page)
        page.focus(".screen-do [data-verdict=include]")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "(t) => document.querySelector('#screen-title').innerText !== t", arg=before
        )
        # the focus stays, so that the next one can be decided at once
        assert page.evaluate("document.activeElement.dataset.verdict") == "include"
        assert page.evaluate("scrollX") == 0
        if title(page).startswith("Experts <b>"):
            break
    there.shot(f"screen-{scheme}-{width}")
    wrong["work"] = found(page, stands=True)
    for part in ("decided", "reviewers", "criteria", "files", "prisma"):
        page.focus(f"[data-part={part}] summary")
        page.keyboard.press("Enter")
    there.shot(f"screen-parts-{scheme}-{width}")
    wrong["parts"] = found(page, stands=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert {state: said for state, said in wrong.items() if said} == {}
