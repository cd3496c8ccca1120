"""Visitors: their choices, and what is never shared; ratings; origins; the map."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from fake_embedder import FakeEmbedder
from live import Live
from starlette.requests import Request

from assistant.conversations import Mark
from assistant.exporting import FORMATS
from assistant.feedback import FILE, Rating, rate, ratings
from assistant.library import Library
from assistant.librarymap import LibraryMap, MapMaker
from assistant.origins import origin
from assistant.paper import Paper
from assistant.results import Citation
from assistant.settings import Settings
from assistant.ui import exports, shelves
from assistant.ui.turns import Turn
from assistant.ui.visitors import COOKIE, Choices, Shelf, Visitor

from .conftest import GRADIO

pytestmark = GRADIO


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    fake = FakeEmbedder()
    monkeypatch.setattr("assistant.embedding.open_embedder", lambda *_, **__: fake)
    settings = Settings.load(
        library=tmp_path / "own", openai_api_key="sk-of-the-process", llm="theirs"
    )
    return Shelf(settings)


def choose(**values: object) -> Choices:
    return Choices.model_validate(values)


def test_an_assistant_of_ones_own_over_the_same_library(shelf: Shelf) -> None:
    one, other = Visitor(shelf), Visitor(shelf)
    one.choose(choose(llm="mine", api_key="sk-mine", effort="deep", top_k=3))
    assistant = one.assistant()
    assert assistant is one.assistant()
    assert assistant.library is shelf.assistant("own").library
    assert assistant.settings.llm == "mine"
    assert assistant.settings.generation.effort == "deep"
    assert assistant.settings.retrieval.top_k == 3
    assert other.assistant() is shelf.assistant("own")
    assert shelf.assistant("own").settings.llm == "theirs"
    assert "sk-mine" not in repr(one) + repr(one.choices) + repr(one.settings())


def test_the_key_of_the_process_goes_to_no_other_endpoint(shelf: Shelf) -> None:
    visitor = Visitor(shelf)
    visitor.choose(choose(base_url="http://127.0.0.1:9/v1", llm="mine"))
    settings = visitor.settings()
    assert settings.openai_base_url == "http://127.0.0.1:9/v1"
    assert settings.openai_api_key is None


def test_a_stranger_cannot_make_the_server_call_addresses(shelf: Shelf) -> None:
    shelf.trusted = False
    visitor = Visitor(shelf)
    visitor.choose(choose(base_url="http://10.0.0.1/v1", llm="mine"))
    assert visitor.settings().openai_base_url is None


def test_ratings_are_read_again(tmp_path: Path) -> None:
    rating = Rating(
        id="c/0", rating="up", question="Why?", answer="So.", status="answered", mode="extractive"
    )
    rate(tmp_path, rating)
    rate(tmp_path, rating.model_copy(update={"rating": "down", "note": "line\nbreak"}))
    rate(tmp_path, rating.model_copy(update={"id": "c/1"}))
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write("{half a line")
    assert [(r.id, r.rating, r.note) for r in ratings(tmp_path)] == [
        ("c/0", "down", "line\nbreak"),
        ("c/1", "up", ""),
    ]
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    assert list(ratings(tmp_path / "nowhere")) == []


def test_where_a_setting_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[retrieval]\ntop_k = 5\n", encoding="utf-8")
    monkeypatch.setenv("ASSISTANT_CONFIG", str(config))
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    assert origin("retrieval", "top_k") == f"file: {config}"
    assert origin("openai_base_url") == "environment: OPENAI_BASE_URL"
    assert origin("generation", "effort") == "default"
    monkeypatch.setenv("ASSISTANT_RETRIEVAL__TOP_K", "6")
    assert origin("retrieval", "top_k") == "environment: ASSISTANT_RETRIEVAL__TOP_K"


def test_a_browser_keeps_its_settings_and_another_does_not_see_them(shelf: Shelf) -> None:
    def request(cookie: str) -> Request:
        headers = [(b"cookie", f"{COOKIE}={cookie}".encode())]
        return Request({"type": "http", "headers": headers})

    mine, other = shelf.new_cookie(), shelf.new_cookie()
    shelf.visitor(request(mine)).choose(choose(llm="mine"))
    assert shelf.visitor(request(mine)).settings().llm == "mine"
    assert shelf.visitor(request(other)).settings().llm == "theirs"
    assert shelf.visitor(None).settings().llm == "theirs"
    assert shelf.owner(request(mine)) == shelf.owner(request(other)) == "local"
    shelf.trusted = False
    assert shelf.owner(request(mine)) != shelf.owner(request(other))


def test_a_change_of_settings_leaves_what_is_in_work_alone(shelf: Shelf) -> None:
    visitor = Visitor(shelf)
    visitor.choose(choose(llm="one"))
    before = visitor.assistant()
    visitor.choose(choose(llm="two"))
    assert before.settings.llm == "one"
    assert visitor.assistant().settings.llm == "two"


def test_trying_settings_takes_none_of_them(shelf: Shelf) -> None:
    visitor = Visitor(shelf)
    tried = choose(llm="tried", api_key="sk-tried")
    assert visitor.settings(choices=tried).llm == "tried"
    assert visitor.settings().llm == "theirs"


def test_people_with_names_have_conversations_of_their_own(shelf: Shelf) -> None:
    users = {"ada": "ada's own secret", "émile": "émile's own secret"}
    guarded = Settings.load(server={"users": users}).server
    settings = shelf.settings.model_copy(update={"server": guarded, "llm": None})

    def enter(name: str, password: str) -> httpx.Client:
        browser = stack.enter_context(httpx.Client(base_url=server.url, timeout=20))
        browser.post("/login", data={"name": name, "password": password})
        return browser

    def titles(browser: httpx.Client) -> list[str]:
        found = browser.get("/page/conversations").json()["conversations"]
        return [one["title"] for one in found]

    with ExitStack() as stack:
        server = stack.enter_context(Live(settings, page=True, host="0.0.0.0"))
        one, again = enter("ada", users["ada"]), enter("ada", users["ada"])  # two browsers of hers
        other, wrong = enter("émile", users["émile"]), enter("ada", users["émile"])
        nameless = enter("", users["ada"])
        assert 'name="name"' in wrong.get("/login").text
        assert {wrong.get("/api/papers").status_code, nameless.get("/api/papers").status_code} == {
            401
        }
        one.get("/page/conversations")
        asked = one.post("/page/conversations/0123456789/ask", json={"text": "Why?"})
        assert asked.status_code == 200
        assert titles(one) == titles(again) == ["Why?"]
        assert titles(other) == []
        assert other.get("/page/conversations/0123456789").status_code == 404
        one.post("/logout")
        one.post("/login", data={"name": "émile", "password": users["émile"]})
        assert titles(one) == []  # the same browser, and somebody else


def test_reviewers_decide_under_their_logins(shelf: Shelf) -> None:
    users = {"ada": "ada's own secret", "bo": "bo's own secret"}
    guarded = Settings.load(server={"users": users}).server
    settings = shelf.settings.model_copy(update={"server": guarded, "llm": None})
    paper = Paper(title="Owls", abstract="Owls hunt voles at night.")
    shelf.assistant("own").ingest([paper])
    with Live(settings, page=True, host="0.0.0.0") as server, ExitStack() as stack:
        ada, bo = (
            stack.enter_context(httpx.Client(base_url=server.url, timeout=20)) for _ in users
        )
        ada.post("/login", data={"name": "ada", "password": users["ada"]})
        bo.post("/login", data={"name": "bo", "password": users["bo"]})
        name = ada.post("/page/screenings", json={"topic": "owls"}).json()["name"]
        where = f"/page/screenings/{name}"
        decision = {"paper": paper.id, "verdict": "include", "reviewer": "somebody else"}
        assert ada.post(f"{where}/decide", json=decision).json()["reviewer"] == "ada"
        assert bo.get(where, params={"reviewer": "ada"}).json()["paper"] == paper.id
        stands = ada.post(f"{where}/decide", json={**decision, "verdict": "exclude"}).json()
        assert stands["stood"]
        bo.post(f"{where}/decide", json={**decision, "verdict": "exclude"})
        more = ada.get(f"{where}/more").json()["more"]
        assert "bo: excluded" in more
        assert "somebody else" not in more
        gone = bo.delete(where)
        assert gone.status_code == 422
        assert "Others decided" in gone.json()["error"]["message"]
        file = shelf.assistant("own").library.path / "screenings" / f"{name}.json"
        file.write_text(file.read_text("utf-8").replace("include", "exclude"), "utf-8")
        damaged = bo.get(where)
        assert damaged.status_code == 422
        assert str(file.parent) not in damaged.text
        assert bo.get("/page/screenings").status_code == 200


def test_the_map_is_made_once_and_kept(
    sample_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = MapMaker(tmp_path / "maps").map(sample_library)
    assert len(made.ids) == len(made.x) == len(made.theme) == 120
    assert all(0 <= value <= 1 for value in made.x + made.y)
    assert set(made.theme) == set(range(len(made.themes)))
    # how many there are is asserted of real vectors, in the browser: these mean nothing
    assert len(set(made.themes)) == len(made.themes) >= 1
    files = list((tmp_path / "maps").iterdir())
    assert len(files) == 1
    monkeypatch.setattr("assistant.librarymap._places", None)
    assert MapMaker(tmp_path / "maps").map(sample_library) == made  # nothing is laid out again
    monkeypatch.undo()
    for damaged in ("{", files[0].read_text(encoding="utf-8").replace("0.", "1.", 1)):
        files[0].write_text(damaged, encoding="utf-8")
        assert MapMaker(tmp_path / "maps").map(sample_library) == made


@pytest.mark.parametrize("papers", [1, 2, 3, 5, 13])
def test_small_libraries_have_a_map_too(
    papers: int, sample_library: Library, tmp_path: Path
) -> None:
    ids = [paper.id for paper in sample_library.papers()]
    sample_library.remove(ids[papers:])
    made = MapMaker(tmp_path / "maps").map(sample_library)
    assert len(made.ids) == papers
    assert all(made.themes)


def test_old_points_keep_place_theme_and_colour(
    sample_library: Library, sample_papers: list[Paper], tmp_path: Path
) -> None:
    later, gone = sample_papers[80:], sample_papers[3]
    sample_library.remove([paper.id for paper in later])
    maker = MapMaker(tmp_path / "maps")
    before = maker.map(sample_library)
    sample_library.remove([gone.id])
    sample_library.ingest(later)
    after = maker.map(sample_library)
    assert len(after.ids) == 119
    assert after.themes == before.themes
    old = {i: (x, y, t) for i, x, y, t in zip(*_columns(before), strict=True)}
    new = {i: (x, y, t) for i, x, y, t in zip(*_columns(after), strict=True)}
    assert all(new[name] == old[name] for name in new if name in old)
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y, _ in new.values())
    # another process, which has only the file, draws the same
    assert MapMaker(tmp_path / "maps").map(sample_library) == after


def _columns(made: LibraryMap) -> tuple[list[str], list[float], list[float], list[int]]:
    return made.ids, made.x, made.y, made.theme


def test_the_list_is_found_sorted_and_turned(sample_library: Library) -> None:
    rows = shelves.Rows().of(sample_library)
    every = shelves.listing(rows, None, shelves.wanted({}), writable=True)
    assert "120 papers" in every
    assert every.count('data-act="remove"') == shelves.PAGE
    want = shelves.wanted({"words": "PRUNING training", "sort": "title-"})
    found = shelves.listing(rows, None, want, writable=False)
    assert "of 120 papers" in found
    assert 'data-act="remove"' not in found
    marked = rows[7]
    own = {marked.id: Mark(paper=marked.id, tags=("thesis zwölf",), liked=True)}
    by_tag = shelves.wanted({"words": "Zwölf"})
    found = shelves.listing(rows, None, by_tag, writable=False, marks=own)
    assert "1 of 120 papers" in found
    assert '<span class="tag">thesis zwölf</span>' in found
    last = shelves.listing(rows, None, shelves.wanted({"page": "999"}), writable=True)
    assert last.count("<tr><td>") == 120 - 3 * shelves.PAGE or "disabled" in last
    wild = shelves.wanted({"sort": "'; drop", "page": "-1", "theme": "x", "words": "<b>" * 999})
    assert wild.sort == "added"
    assert "<b>" not in shelves.listing(rows, None, wild, writable=True)


def test_a_paper_has_one_key_in_every_export(shelf: Shelf) -> None:
    shelf = Shelf(Settings.load(library=shelf.settings.library))  # without a language model
    papers = [
        Paper(title=f"{animal} hunt voles", abstract="They do.", authors=("Ada Owl",), year=2020)
        for animal in ("Owls", "Foxes", "Cats")
    ]
    shelf.assistant("own").ingest(papers)
    quoted = Citation(
        number=1, paper_id=papers[2].id, title=papers[2].title, quote="They do.",
        support="supported", support_score=1.0,
    )  # fmt: skip
    answer = shelf.assistant("own").ask("Owls?").model_copy(update={"citations": [quoted]})
    turn = Turn(question="Owls?", answer=answer, library="own")
    cited = {papers[2].id}
    keys = shelf.assistant("own").citation_keys()
    whole = "".join(FORMATS["bibtex"](papers, keys))  # as the terminal and the API write it
    for form in ("bib", "ris", "csl"):
        text = exports.of_turns(shelf, [turn], "Owls", form)["text"]
        assert all((keys[paper.id] in text) == (paper.id in cited) for paper in papers)
    assert all(f"{{{keys[paper.id]}," in whole for paper in papers)
    assert len(set(keys.values())) == 3
