"""The page in a real browser, as people use it.

Each visit also asserts that no request left loopback and nothing was an error in the console.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from live import Live
from scripted_server import Reply, ScriptedServer

from assistant.feedback import ratings
from assistant.sample import SAMPLE_PAPERS

from .conftest import BROWSER, Serve, Visit

pytestmark = BROWSER

Come = Callable[..., Visit]

LONG = " ".join(f"We prune expert {n} without retraining [1]." for n in range(90))

PAPERS = [
    {
        "title": "Pruning Experts Without Retraining",
        "abstract": "Mixtures of experts need much memory. We prune experts of a mixture without "
        "any retraining. Memory falls by 41% while accuracy stays the same.",
        "authors": ["Ada Lovelace"],
        "year": 2024,
        "doi": "10.1000/prune",
    },
    {
        "title": "Evil <img src=x onerror=\"window.hurt='title'\"> of Gaze Estimation",
        "abstract": "Gaze estimation with one eye <img src=x onerror=\"window.hurt='abstract'\"> "
        "<script>window.hurt='script'</script> [click](javascript:window.hurt='link') has an "
        "error of 2.3 cm. ![x](http://192.0.2.1/x.png) We estimate gaze from a single eye. "
        "Gaze estimation with one eye has an error of 2.3 cm.",
        "url": "javascript:window.hurt='url'",
    },
    {
        "title": "Sparse Attention for Long Documents",
        "abstract": "Attention over long documents is made sparse. It saves three quarters of "
        "the memory.",
    },
]


@pytest.fixture(scope="module")
def empty(served: Serve) -> Live:
    return served()


@pytest.fixture(scope="module")
def filled(served: Serve) -> Live:
    return served(*PAPERS)


@pytest.fixture(scope="module")
def script() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="module")
def written(served: Serve, script: ScriptedServer) -> Live:
    return served(
        *PAPERS,
        llm="scripted",
        generation={"effort": "quick"},
        openai_base_url=script.url,
        openai_api_key="sk-of-the-process",
        endpoint={"max_retries": 0},
    )


def test_first_visit_to_a_highlighted_sentence(visit: Come, empty: Live) -> None:
    there = visit(empty.url).open()
    page = there.page
    assert "0 papers" in page.inner_text("#state")
    assert page.locator(".welcome .ask").count() == 3
    there.shot("first-visit")
    page.click(".welcome .ask >> nth=1")
    turn = page.locator("#thread .turn").first
    turn.wait_for(timeout=90_000)  # the sample library is made first
    assert turn.locator(".sources .source").count() >= 2
    assert "120 papers" in page.inner_text("#state")
    assert "Sample library" in page.inner_text("#state")
    chip = turn.locator(".answer .chip").first
    chip.hover()
    title = chip.get_attribute("data-title")
    assert page.inner_text(".tip strong") == title
    assert page.inner_text(".tip q") == chip.get_attribute("data-quote")
    chip.click()
    page.wait_for_selector("#panel mark")
    assert page.inner_text("#panel h2") == title
    assert page.inner_text("#panel mark") == chip.get_attribute("data-quote")
    assert "sentence is supported" in page.inner_text("#panel .verdict")
    there.shot("source")
    page.keyboard.press("Escape")
    page.wait_for_selector("html:not([data-panel])", state="attached")
    follow = there.ask("and for vision models?")
    assert follow.locator(".answer").count() == 1
    page.reload()
    page.wait_for_selector("html[data-ready]")
    page.wait_for_selector("#thread .turn >> nth=1")
    assert page.locator("#rail li.current").count() == 1
    assert "vision models" in page.inner_text("#thread")


def test_an_absent_question_looks_different_and_offers_the_nearest(
    visit: Come, filled: Live
) -> None:
    there = visit(filled.url).open()
    turn = there.ask("What is the capital of Australia and who built it?")
    card = turn.locator(".card.absent, .card.closest")
    card.wait_for()
    assert turn.locator(".source").count() >= 1
    there.shot("absent")
    turn.locator(".source").first.click()
    there.page.wait_for_selector("#panel .abstract")


def test_what_papers_say_does_nothing(visit: Come, filled: Live) -> None:
    there = visit(filled.url).open()
    page = there.page
    turn = there.ask("What error has gaze estimation with one eye?")
    turn.locator(".answer .chip").first.click()
    page.wait_for_selector("#panel .abstract")
    assert "window.hurt='link'" in page.inner_text("#panel .abstract")  # to be read, not run
    page.click(".views [data-view=library]")
    page.wait_for_selector("#papers table")
    page.wait_for_selector("#map [data-points='3']")
    assert page.evaluate("window.hurt") is None
    links = page.evaluate("[...document.querySelectorAll('a')].map((a) => a.href)")
    assert not [link for link in links if link.startswith("javascript")]
    assert page.locator("#thread img, #panel img, #papers img").count() == 0


def test_what_a_model_writes_does_nothing_and_streams(
    visit: Come, written: Live, script: ScriptedServer
) -> None:
    script.answer = lambda _: Reply(
        "We prune experts of a mixture without any retraining [1]. The moon is made of "
        "**cheese** [1]. An image <img src=x onerror=\"window.hurt='model'\"> is here. See "
        "[this](javascript:window.hurt='m'), ![p](http://192.0.2.1/y.png) and "
        "<script>window.hurt=1</script>.",
        between=0.03,
    )
    there = visit(written.url).open()
    page = there.page
    page.fill("#composer textarea", "How are experts of a mixture pruned?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live .answer.caret")  # it is seen while it is written
    turn = page.locator("#thread .turn").first
    turn.wait_for()
    assert turn.locator(".flag.unsupported").count() >= 1
    assert turn.locator(".answer strong").inner_text() == "cheese"
    assert "left out" in turn.locator(".notes").first.inner_text()
    assert page.locator("#thread img").count() == 0
    assert page.evaluate("window.hurt") is None
    assert "scripted" in page.inner_text("#state")
    there.shot("written")


def test_stop_keeps_what_there_is(visit: Come, written: Live, script: ScriptedServer) -> None:
    script.answer = lambda _: Reply(LONG, between=0.05)
    there = visit(written.url).open()
    page = there.page
    page.fill("#composer textarea", "How are experts of a mixture pruned?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live .answer.caret")
    gone = script.gone
    page.click(".composer .stop")
    page.wait_for_selector("html:not([data-busy])", state="attached")
    assert "Stopped" in page.inner_text("#thread .turn")
    assert script.wait_gone(gone + 1)


def test_a_broken_endpoint_is_a_card_and_a_key_is_nowhere(
    visit: Come, filled: Live, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "sk-visitor-0123456789"
    there = visit(filled.url).open()
    page = there.page
    page.click(".views [data-view=settings]")
    page.wait_for_selector(".origins")
    page.get_by_label("A language model").check()
    page.get_by_label("Endpoint").fill("http://127.0.0.1:9/v1")
    page.get_by_label("Model", exact=True).fill("some-model")
    page.locator("#key input").fill(secret)
    page.click("#test")
    page.wait_for_selector("#connection .card.error")
    assert "some-model" not in page.inner_text(".origins")  # a test applies nothing
    assert "Extractive" in page.inner_text("#state")
    page.click("#use")
    page.wait_for_selector("#connection >> text=In use")
    assert page.locator("#key input").input_value() == ""
    assert "set" in page.inner_text(".origins")
    there.shot("settings")
    page.reload()  # they hold over it
    page.wait_for_selector(".origins >> text=some-model")
    assert page.get_by_label("Endpoint").input_value() == "http://127.0.0.1:9/v1"
    assert page.get_by_label("A language model").is_checked()
    assert page.locator("#key input").input_value() == ""
    page.click(".views [data-view=chat]")
    turn = there.ask("How are experts of a mixture pruned?")
    card = turn.locator(".card.error")
    assert "127.0.0.1:9" in card.inner_text()
    assert "some-model" in page.inner_text("#state")
    there.shot("broken-endpoint")
    stored = page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert secret not in page.content() + stored
    written = capfd.readouterr()
    assert secret not in written.out + written.err
    other = visit(filled.url).open()  # the settings are this visitor's only
    assert "Extractive" in other.page.inner_text("#state")


def test_upload_with_progress_report_map_and_removal(
    visit: Come, served: Serve, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    library = served()
    there = visit(library.url).open("/#library")
    page = there.page
    data = request.getfixturevalue("page_data")
    bad = tmp_path / "bad.jsonl"
    bad.write_text(json.dumps({"year": 2020}) + "\n", encoding="utf-8")
    page.set_input_files("#upload input[type=file]", [str(data or SAMPLE_PAPERS), str(bad)])
    page.wait_for_selector(".progress[aria-valuenow]")
    there.shot("upload")
    page.wait_for_selector(".counts", timeout=90_000)
    counts = dict(re.findall(r"(\w+)\n([\d,]+)", page.inner_text(".counts")))
    added = int(counts["Added"])
    assert added >= 50
    assert counts["Rejected"] == "1"
    assert "bad.jsonl" in page.inner_text(".rejected")
    assert f"{added} papers" in page.inner_text("#state")
    page.wait_for_selector(f"#map [data-points='{added}']", timeout=60_000)
    assert page.locator("#map .legend li").count() >= 2

    page.fill("#paper-words", "network")
    page.wait_for_function(f"!document.querySelector('.pager').innerText.startsWith('{added} ')")
    page.fill("#paper-words", "")
    page.wait_for_function(f"document.querySelector('.pager').innerText.startsWith('{added} ')")
    page.click("#papers th.title button")
    page.wait_for_selector("#papers th.title[aria-sort]")
    titles = page.locator("#papers td .link").all_inner_texts()
    assert titles == sorted(titles, key=str.casefold)

    page.locator("#papers .danger").first.click()
    page.click("dialog >> text=Keep")
    page.wait_for_function("!document.querySelector('dialog')")
    page.locator("#papers .danger").first.click()
    page.click("dialog .danger")
    page.wait_for_function(f"document.querySelector('.pager').innerText.startsWith('{added - 1} ')")
    assert titles[0] not in page.locator("#papers td .link").all_inner_texts()


@pytest.fixture
def page_data() -> Path | None:
    """A saved listing page, where there is one."""
    named = os.environ.get("ASSISTANT_TEST_DATA")
    found = sorted((Path(named) / "seeds").glob("*.txt")) if named else []
    return found[0] if found else None


def test_the_map_highlights_and_opens_papers(visit: Come, empty: Live) -> None:
    there = visit(empty.url).open()
    page = there.page
    page.click(".welcome .ask >> nth=1")
    page.wait_for_selector("#thread .sources")
    cited = page.locator("#thread .sources ol >> nth=0").locator("> li").count()
    page.click(".views [data-view=library]")
    page.wait_for_selector(f"#map [data-points='120'][data-lit='{cited}']", timeout=60_000)
    page.evaluate("document.querySelector('#map canvas').scrollIntoView({block: 'center'})")
    paper = page.locator("#thread .sources .source").first.get_attribute("data-paper")
    x, y = page.evaluate("(id) => mapPoint(id)", paper)
    page.mouse.move(x, y)
    title = page.inner_text(".tip strong")
    page.click("#map [data-zoom=in]")
    page.click("#map [data-zoom=all]")
    page.mouse.click(x, y)
    page.wait_for_selector("#panel h2")
    assert page.inner_text("#panel h2") == title
    there.shot("map")


def test_a_review_from_a_topic_to_a_download(visit: Come, empty: Live) -> None:
    there = visit(empty.url).open("/#review")
    page = there.page
    page.fill("#review-topic", "medieval castles")
    page.keyboard.press("Enter")
    page.click("#review-live .card.empty [data-act=sample]")  # it looks again in the sample
    absent = page.locator("#review-result .card.absent")
    absent.wait_for()
    assert "holds nothing on “medieval castles”" in absent.inner_text()
    assert absent.locator(".source").count() == 3
    topic = "quantization of large language models"
    page.fill("#review-topic", topic)
    page.keyboard.press("Enter")
    page.wait_for_selector(".candidates li >> nth=2")
    before = page.locator(".candidates li").count()
    dropped = page.locator(".candidates label").first.evaluate("(l) => l.firstChild.textContent")
    page.locator(".candidates input").first.uncheck()
    assert f"{before - 1} of {before} chosen" in page.inner_text("#review-found")
    page.fill(".include input", "No Such Paper")
    page.keyboard.press("Enter")
    page.wait_for_selector("#review-found [role=alert]")
    added = json.loads(SAMPLE_PAPERS.read_text("utf-8").splitlines()[0])["title"]
    page.fill(".include input", added)
    page.keyboard.press("Enter")
    page.wait_for_selector(f".candidates li >> nth={before}")
    assert not page.locator(".candidates input").first.is_checked()
    page.wait_for_function("document.querySelector('.include input').value === ''")
    there.shot("review-found")
    page.click("[data-act=compose]")
    page.wait_for_selector(".progress[aria-valuenow]")
    page.wait_for_selector(".review .refs")
    assert page.inner_text(".review h2") == f"Literature review: {topic}"
    assert {"Scope", "Contributions", "References"} <= set(
        page.locator(".review h3").all_inner_texts()
    )
    cited = page.inner_text(".review .refs")
    assert 1 < page.locator(".review .refs li").count() <= before  # what is only related is not
    assert dropped not in cited
    assert added in cited
    there.shot("review")
    page.evaluate(
        "[...document.querySelectorAll('.review .answer .chip[data-quote]')].find("
        "(c) => c.dataset.quote && c.dataset.quote !== c.dataset.title).click()"
    )
    page.wait_for_selector("#panel mark")
    page.keyboard.press("Escape")
    for form, begins in (("md", f"# Literature review: {topic}"), ("html", "<!doctype html>")):
        with page.expect_download() as download:
            page.click(f"[data-act=save][data-form={form}]")
        text = Path(download.value.path()).read_text(encoding="utf-8")
        assert text.startswith(begins)
        assert topic in text
    assert download.value.suggested_filename == "quantization-of-large-language-models.html"
    with page.expect_download() as download:
        page.click("[data-act=save][data-form=docx]")
    assert zipfile.is_zipfile(download.value.path())


def test_what_papers_say_does_nothing_in_a_review(
    visit: Come, filled: Live, tmp_path: Path
) -> None:
    there = visit(filled.url).open("/#review")
    page = there.page
    page.fill("#review-topic", 'gaze estimation with one eye <img src=x onerror="window.hurt=1">')
    page.keyboard.press("Enter")
    page.wait_for_selector(".candidates li")
    page.click("[data-act=compose]")
    page.wait_for_selector(".review .refs")
    assert "of Gaze Estimation" in page.inner_text(".review .refs")
    with page.expect_download() as download:
        page.click("[data-act=save][data-form=html]")
    saved = tmp_path / "review.html"
    download.value.save_as(saved)
    alone = there.context.new_page()
    alone.goto(saved.as_uri())
    for seen in (page, alone):
        assert "window.hurt" in seen.inner_text("body")
        assert seen.evaluate("window.hurt") is None
        links = seen.evaluate("[...document.querySelectorAll('a')].map((a) => a.href)")
        assert not [link for link in links if link.startswith("javascript")]
    assert page.locator(".review img").count() == 0
    assert alone.locator("img").count() == 0


def test_a_written_review_tells_its_cost_first_and_stops(
    visit: Come, written: Live, script: ScriptedServer
) -> None:
    script.answer = lambda _: Reply(LONG, between=0.1)
    there = visit(written.url).open("/#review")
    page = there.page
    page.fill("#review-topic", "pruning experts of a mixture")
    page.keyboard.press("Enter")
    page.wait_for_selector("#review-cost p")
    assert "tokens in, at most" in page.inner_text("#review-cost")
    requests = len(script.requests)
    page.click("[data-act=compose]")
    page.wait_for_selector(".progress[aria-valuenow]")
    while len(script.requests) == requests:  # until the model is asked
        page.wait_for_timeout(50)
    gone = script.gone
    page.click("[data-act=halt]")
    page.wait_for_selector("#review-live >> text=Stopped")
    assert script.wait_gone(gone + 1)
    assert page.locator(".review").count() == 0


def test_another_library_asks_other_questions(visit: Come, served: Serve) -> None:
    page = visit(served(*PAPERS).url).open().page
    before = page.inner_text(".welcome")
    page.click(".views [data-view=settings]")
    page.get_by_role("radio", name="Sample library").check()
    page.click("#use")
    page.wait_for_selector("#connection >> text=In use", timeout=90_000)
    page.wait_for_selector("#state >> text=Sample library")
    page.click(".views [data-view=chat]")
    page.wait_for_function(
        "text => document.querySelector('.welcome').innerText !== text", arg=before
    )
    assert "Sample library" in page.inner_text("#state")
    assert page.inner_text(".welcome .ask") not in before


def test_conversations_are_renamed_exported_deleted(visit: Come, served: Serve) -> None:
    there = visit(served(*PAPERS).url).open()
    page = there.page
    there.ask("How are experts pruned without retraining?")
    page.click("#rail .more")
    page.click("text=Rename")
    page.keyboard.type("About pruning")
    page.keyboard.press("Enter")
    assert page.inner_text("#rail li .open") == "About pruning"
    here = "document.activeElement.getAttribute('aria-label')"
    page.wait_for_function(f"{here} === 'More on “About pruning”'")
    page.keyboard.press("Enter")  # the keys are where they were
    page.get_by_role("menuitem", name="Pin", exact=True).click()
    page.wait_for_selector("#rail .folder >> text=Pinned")
    assert page.evaluate(here) == "More on “About pruning”"
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Unpin").click()
    page.wait_for_selector("#rail .folder", state="detached")
    for choice, begins in (
        ("Markdown", "# About pruning"),
        ("JSON", "{"),
        ("HTML page", "<!doctype html>"),
    ):
        page.click("#rail .more")
        with page.expect_download() as download:
            page.click(f"text=Export as {choice}")
        text = Path(download.value.path()).read_text(encoding="utf-8")
        assert text.startswith(begins)
        assert "Pruning Experts Without Retraining" in text
    page.click("text=New")
    page.wait_for_selector(".welcome")
    there.ask("What does sparse attention save?")
    page.wait_for_selector("#rail li >> nth=1")
    page.fill("#rail-words", "save documents")  # words of a question and of its answer
    page.wait_for_function("document.querySelectorAll('#rail li').length === 1")
    page.fill("#rail-words", "")
    page.wait_for_function("document.querySelectorAll('#rail li').length === 2")
    page.click("#rail li >> text=About pruning")
    page.wait_for_selector("#thread >> text=How are experts pruned")
    page.click("#rail li.current .more")
    page.click(".menu >> text=Delete")
    page.click("dialog .danger")
    page.wait_for_selector(".welcome")
    page.wait_for_function("document.querySelectorAll('#rail li').length === 1")


def test_edit_again_copy_bibtex_and_rate(visit: Come, filled: Live) -> None:
    there = visit(filled.url).open()
    page = there.page
    there.ask("How are experts pruned without retraining?")
    page.click("#thread [data-act=copy]")
    page.wait_for_selector(".toast")
    rich = page.evaluate(
        "navigator.clipboard.read().then((c) => c[0].getType('text/html')).then((b) => b.text())"
    )
    assert "<sup>[1]</sup>" in rich
    assert "<script" not in rich
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "**References**" in copied
    assert "[Pruning Experts Without Retraining](https://doi.org/10.1000/prune)" in copied
    with page.expect_download() as download:
        page.click("#thread [data-act=bibtex]")
    bibtex = Path(download.value.path()).read_text(encoding="utf-8")
    assert bibtex.count("@") == page.locator("#thread .sources ol >> nth=0").locator("> li").count()
    assert "Pruning Experts Without Retraining" in bibtex
    page.click("#thread [data-rating=down]")
    page.fill(".rate-note input", "too long")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=the note is kept")
    kept = list(ratings(filled.settings.library))
    assert (kept[-1].rating, kept[-1].note) == ("down", "too long")
    assert kept[-1].cited_titles
    page.locator("#thread .question").hover()
    page.click("#thread [data-act=edit]")
    assert page.input_value("#composer textarea") == "How are experts pruned without retraining?"
    page.fill("#composer textarea", "What does sparse attention save?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#thread >> text=sparse attention save")
    assert page.locator("#thread .turn").count() == 1
    page.click("#thread [data-act=retry]")
    page.wait_for_selector("html[data-answers='3']:not([data-busy])", state="attached")
    assert page.locator("#thread .turn").count() == 1
    page.click("#thread [data-act=link]")
    page.wait_for_selector(".toast >> text=Link")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "?q=What%20does%20sparse" in link
    page.goto(link)
    page.wait_for_selector(".welcome")
    assert page.input_value("#composer textarea") == "What does sparse attention save?"
    assert "?q=" not in page.url


def test_by_keyboard(visit: Come, filled: Live) -> None:
    there = visit(filled.url).open()
    page = there.page
    there.ask("How are experts pruned without retraining?")
    page.locator(".answer .chip").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel mark")
    page.wait_for_function("document.activeElement.classList.contains('panel')")
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.classList.contains('chip')")
    page.keyboard.press("/")
    page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    assert page.input_value("#composer textarea") == "one\ntwo"
    bare = page.evaluate(
        "[...document.querySelectorAll('button, input, textarea, select, a')].filter((e) =>"
        "e.offsetParent && !(e.textContent.trim() || e.ariaLabel || e.title || e.labels?.length"
        "|| e.placeholder)).map((e) => e.outerHTML.slice(0, 120))"
    )
    assert bare == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_light_and_dark_wide_and_narrow(visit: Come, filled: Live, scheme: str, width: int) -> None:
    there = visit(filled.url, color_scheme=scheme, size=(width, 844)).open()
    page = there.page
    there.ask("How are experts pruned without retraining?")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = page.evaluate(
        "getComputedStyle(document.querySelector('.gradio-container')).backgroundColor"
    )
    assert (sum(map(int, re.findall(r"\d+", dark)[:3])) < 200) is (scheme == "dark")
    there.shot(f"answer-{scheme}-{width}")
    page.locator(".answer .chip").first.click()
    page.wait_for_selector("#panel mark")
    there.shot(f"source-{scheme}-{width}")
    page.keyboard.press("Escape")
    for view, there_is in (
        ("review", "#review-view input"),
        ("library", "#papers table"),
        ("settings", ".origins"),
    ):
        page.click(f".views [data-view={view}]")
        page.wait_for_selector(there_is)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        there.shot(f"{view}-{scheme}-{width}")
    if width == 390:
        page.click(".views [data-view=chat]")
        page.click("#menu-button")
        page.wait_for_selector("html[data-rail]", state="attached")
        there.shot(f"rail-{scheme}-{width}")


def test_no_file_is_read_through_the_page(filled: Live) -> None:
    with httpx.Client(base_url=filled.url) as client:
        for path in (
            "/gradio_api/file=/etc/passwd",
            "/gradio_api/file=../../pyproject.toml",
            f"/gradio_api/file={filled.settings.library / 'library.json'}",
            "/gradio_api/proxy=http://127.0.0.1:1/",
            "/fonts/../page.js",
            "/fonts/%2e%2e/page.js",
            "/monitoring",
        ):
            reply = client.get(path)
            assert reply.status_code in (403, 404, 405), path
            assert "root:" not in reply.text


@pytest.mark.parametrize("path", ["file", "link", "address"])
def test_no_file_is_taken_in_that_was_not_uploaded(
    path: str, filled: Live, tmp_path: Path, script: ScriptedServer
) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_text(json.dumps({"title": "Secret", "abstract": "Secret."}), encoding="utf-8")
    given = {
        "file": str(secret),
        "link": f"{os.environ['GRADIO_TEMP_DIR']}/../{secret.relative_to(tmp_path.parent)}",
        "address": f"{script.url}/models",
    }[path]
    with httpx.Client(base_url=filled.url, timeout=20) as client:
        config = client.get("/config").json()
        upload = next(d for d in config["dependencies"] if d["targets"][0][1] == "upload")
        body = {
            "data": [[{"path": given, "meta": {"_type": "gradio.FileData"}}], None],
            "fn_index": upload["id"],
            "session_hash": path,
            "trigger_id": upload["targets"][0][0],
        }
        client.post("/gradio_api/queue/join", json=body)
        with client.stream("GET", f"/gradio_api/queue/data?session_hash={path}") as stream:
            told = [json.loads(line[5:]) for line in stream.iter_lines() if line[:5] == "data:"]
        done = next(message for message in told if message["msg"] == "process_completed")
        assert done["success"] is False
        assert "Traceback" not in json.dumps(told)
        assert client.get("/api/papers").json()["total"] == len(PAPERS)
