"""Nothing that axe-core finds: in every state of the page, wide and narrow, light and dark."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from scripted_server import Reply, ScriptedServer

from .conftest import BROWSER, Serve, Visit
from .test_browser import PAPERS

pytestmark = BROWSER

Come = Callable[..., Visit]
WRITTEN = (
    "## What was found\n\nThree things [1].\n\n- Whales were **asked** in Peru.\n- It takes "
    "$O(n^2)$ steps in Bremen [1].\n\n| What | Found |\n|---|---|\n| Whales | They like cheese "
    "[1] |\n\nWe prune experts of a mixture without any retraining [1]. "
)


def found(page: Any, *, stands: bool = False) -> list[str]:
    """What axe says is wrong: the rule, and where. ``stands``: a picture was just taken."""
    if not stands:
        page.wait_for_timeout(300)  # until what slides and fades stands
    problems = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in problems for node in one["nodes"]]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1400, "dark")])
def test_axe_finds_nothing(
    visit: Come,
    served: Serve,
    fresh_script: ScriptedServer,
    tmp_path: Path,
    scheme: str,
    width: int,
) -> None:
    looked = threading.Event()  # however long axe takes, the first answer is still being written

    def reply(body: dict[str, Any]) -> Reply:
        answers = PAPERS[0]["title"] in str(body)  # the papers are given to what writes the answer
        return Reply(WRITTEN * 3, between=0.01, chunk=20, until=looked if answers else None)

    fresh_script.answer = reply
    endpoint = {"openai_base_url": fresh_script.url, "openai_api_key": "sk-test"}
    live = served(*PAPERS, llm="scripted", endpoint={"max_retries": 0}, **endpoint)
    there = visit(live.url, color_scheme=scheme, size=(width, 844)).open()
    page = there.page
    wrong: dict[str, list[str]] = {}

    def look(state: str) -> None:
        there.shot(f"axe-{state}-{scheme}-{width}")
        if problems := found(page, stands=True):
            wrong[state] = problems

    look("welcome")
    page.click(".scope summary")
    look("scope")
    page.click(".scope summary")
    page.fill("#composer textarea", "How are experts of a mixture pruned?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live .answer.caret table")
    page.fill("#composer textarea", "And what is lost?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live .turn.waits")
    look("streaming")
    assert page.locator("html[data-busy]").count() == 1, "it was looked at too late"
    page.click("#live [data-act=withdraw]")
    page.wait_for_selector("#live .turn.waits", state="detached")  # before the answer is done
    looked.set()
    page.wait_for_selector("html:not([data-busy])", state="attached", timeout=60_000)
    page.wait_for_selector("#thread .answer .flag")
    page.locator(".unused summary").evaluate_all("all => all.forEach((one) => one.click())")
    page.click("#thread [data-rating=down]")
    page.wait_for_selector(".rate-note")
    look("answer")
    page.locator("#thread [data-act=export]").click()
    page.wait_for_selector("[role=menu]")
    look("menu")
    page.keyboard.press("Escape")
    page.locator(".answer .chip").first.click()
    page.wait_for_selector("#panel .marks")
    look("panel")
    page.keyboard.press("Escape")
    page.locator(".answer .chip").first.hover()
    look("tip")
    page.locator("#thread [data-act=edit]").first.dispatch_event("click")
    look("editing")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.wait_for_selector("dialog.keys")
    look("shortcuts")
    page.keyboard.press("Escape")
    if width < 860:
        page.click("#menu-button")
        page.wait_for_timeout(300)
    page.click("#rail .more")
    look("conversation-menu")
    page.click(".menu >> text=Delete")
    page.wait_for_selector("dialog.ask-first")
    look("sure")
    page.click("dialog >> text=Keep")
    page.keyboard.press("Escape")

    page.click(".views [data-view=review]")
    page.fill("#review-topic", "pruning experts of a mixture")
    page.keyboard.press("Enter")
    page.wait_for_selector(".candidates li")
    look("review-found")
    page.click("[data-act=compose]")
    page.wait_for_selector("#review-live .progress")
    look("review-in-work")
    page.wait_for_selector(".review .refs", timeout=90_000)
    look("review")

    page.click(".views [data-view=library]")
    page.wait_for_selector("#map [data-points='3']")
    bad = tmp_path / "bad.jsonl"
    lines = [{"year": 2020}, {"title": "Whales", "abstract": "Whales sing in the sea."}]
    bad.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    page.set_input_files("#upload input[type=file]", [str(bad)])
    page.wait_for_selector("#report .rejected")
    look("library")
    page.click(".views [data-view=settings]")
    page.wait_for_selector(".origins")
    page.click("#test")
    page.wait_for_selector("#connection .card")
    look("settings")
    page.click(".views [data-view=chat]")
    fresh_script.answer = lambda _: Reply(status=500, error={"error": {"message": "broken"}})
    there.ask("What is sparse attention for?")
    look("error")
    assert wrong == {}
