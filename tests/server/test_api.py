"""``/api`` and ``/health``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from live import Live

from assistant.settings import Settings

from .conftest import PAPERS, QUESTION, Serve


def test_ask(client: httpx.Client) -> None:
    answer = client.post("/api/ask", json={"question": QUESTION}).raise_for_status().json()
    assert answer["status"] == "answered"
    assert answer["citations"][0]["title"] == PAPERS[0]["title"]
    assert answer["citations"][0]["quote"] in PAPERS[0]["abstract"]


def test_ask_streams_the_events(client: httpx.Client) -> None:
    with client.stream("POST", "/api/ask", json={"question": QUESTION, "stream": True}) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in reply.iter_lines() if line]
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert kinds[0] == "status"
    assert {"text", "citation", "verdict"} <= set(kinds)
    assert kinds[-1] == "done"
    done = json.loads(lines[-1].removeprefix("data: "))
    assert done["answer"]["citations"]


def test_a_follow_up_takes_the_history(client: httpx.Client) -> None:
    history = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "Experts are pruned [1]."},
    ]
    body = {"question": "and how much memory does it save?", "history": history}
    answer = client.post("/api/ask", json=body).json()
    assert "experts" in answer["standalone_question"].lower()


def test_screening(client: httpx.Client) -> None:
    begun = {"topic": "Pruning experts ☃", "criteria": "exclude: animals", "year": "2020.."}
    made = client.post("/api/screenings", json=begun).raise_for_status().json()
    name, first = made["name"], made["next"]["id"]
    assert made["criteria"]["exclude"] == ["animals"]
    decision = {"paper_id": first, "verdict": "include", "reviewer": "ada"}
    told = client.post(f"/api/screenings/{name}/decisions", json=decision).json()
    assert told["estimate"]["included"] == 1
    assert not told["next"] or told["next"]["id"] != first
    client.post(f"/api/screenings/{name}/decisions", json={**decision, "verdict": "exclude",
                                                           "reviewer": "bo"})  # fmt: skip
    now = client.get(f"/api/screenings/{name}", params={"reviewer": "cy"}).json()
    assert now["conflicts"] == [first]
    assert now["agreement"] == {"ada / bo": 0.0}
    assert name in [one["name"] for one in client.get("/api/screenings").json()]
    assert client.get("/api/screenings/nowhere").status_code == 404
    wrong = client.post(f"/api/screenings/{name}/decisions", json={**decision, "paper_id": "x"})
    assert wrong.status_code == 404
    none = client.post("/api/screenings", json={"topic": "the"})
    assert none.status_code == 422
    assert "no word" in none.json()["error"]["message"]


def test_search(client: httpx.Client) -> None:
    found = client.get("/api/search", params={"q": "gaze eye", "k": 2}).json()
    assert [result["rank"] for result in found] == [1, 2]
    assert found[0]["title"] == PAPERS[1]["title"]


@pytest.mark.parametrize(
    ("chosen", "titles"),
    [
        ({"year": "2024"}, [PAPERS[0]["title"]]),
        ({"year": "..2023"}, [PAPERS[1]["title"]]),
        ({"author": ["lovelace", "nobody"]}, [PAPERS[0]["title"]]),
        ({"author": ["nobody"]}, []),
        ({"source": ["papers.jsonl"], "year": "2024.."}, [PAPERS[0]["title"]]),
        ({"venue": ["Journal"]}, []),
        ({"tag": ["gaze"]}, []),
    ],
)
def test_only_papers_that_fit(
    client: httpx.Client, chosen: dict[str, Any], titles: list[str]
) -> None:
    found = client.get("/api/search", params={"q": "experts memory", **chosen}).json()
    assert [result["title"] for result in found] == titles
    listed = client.get("/api/papers", params=chosen).json()
    assert [paper["title"] for paper in listed["papers"]] == titles
    if titles:
        answer = client.post("/api/ask", json={"question": QUESTION, **chosen}).json()
        assert {passage["title"] for passage in answer["passages"]} == set(titles)


def test_a_year_that_is_none_is_refused(client: httpx.Client) -> None:
    for reply in (
        client.get("/api/search", params={"q": "x", "year": "soon"}),
        client.get("/api/papers", params={"year": "20..24"}),
        client.post("/api/ask", json={"question": QUESTION, "year": "soon"}),
        client.post("/api/ask", json={"question": QUESTION, "colour": "red"}),
    ):
        assert reply.status_code == 422
        assert reply.json()["error"].keys() == {"message", "type", "param", "code"}


def test_exports_have_one_key_a_paper(client: httpx.Client) -> None:
    listed = client.get("/api/export", params={"format": "csl"})
    assert listed.headers["content-disposition"] == 'attachment; filename="papers.json"'
    keys = {entry["title"]: entry["id"] for entry in listed.json()}
    assert keys[PAPERS[0]["title"]] == "lovelace2024pruning"
    bibtex = client.get("/api/export", params={"format": "bibtex", "year": "2023.."}).text
    found = re.findall(r"@\w+\{([^,]+),", bibtex)
    assert found == [keys[PAPERS[0]["title"]], keys[PAPERS[1]["title"]]]
    assert client.get("/api/export", params={"format": "docx"}).status_code == 422


def test_the_description_is_a_page_of_our_own(client: httpx.Client, server: Live) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    named = re.findall(r"(?:src|href|url)\s*[=:]\s*[\"']([^\"']+)", page.text)
    assert len(named) >= 4
    for address in named:
        assert address.startswith("/")
        assert client.get(address).status_code == 200
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {"/api/ask", "/v1/responses", "/v1/chat/completions", "/health"} <= set(paths)


def test_every_error_has_the_same_body(client: httpx.Client) -> None:
    replies = [
        client.get("/nowhere"),
        client.get("/api/nowhere"),
        client.put("/api/ask"),
        client.post("/api/ask", content=b"{"),
        client.post("/api/ask", json={"question": "?"}),
        client.get("/api/search"),
        client.get("/api/papers/nobody"),
        client.get("/v1/models/gpt-9"),
        client.post("/v1/chat/completions", json={}),
        client.get("/api/papers", headers={"Origin": "https://evil.example"}),
        client.get("/api/papers", headers={"Host": "evil.example"}),
    ]
    for reply in replies:
        assert reply.status_code >= 400
        assert list(reply.json()) == ["error"]
        error = reply.json()["error"]
        assert error.keys() == {"message", "type", "param", "code"}, reply.url
        assert error["message"]


def test_papers_are_listed_shown_and_removed(client: httpx.Client) -> None:
    listed = client.get("/api/papers", params={"limit": 2}).json()
    assert listed["total"] == 3
    assert [paper["title"] for paper in listed["papers"]] == [p["title"] for p in PAPERS[:2]]
    assert client.get("/api/papers", params={"words": "GAZE 2023"}).json()["total"] == 1
    shown = client.get("/api/papers/doi:10.1000/prune_1").json()
    assert shown["abstract"] == PAPERS[0]["abstract"]
    gone = client.delete("/api/papers/2301.00001").json()
    assert [paper["title"] for paper in gone] == [PAPERS[1]["title"]]
    assert client.get("/api/papers/2301.00001").status_code == 404
    assert client.get("/api/papers").json()["total"] == 2


def test_ingest_reports(client: httpx.Client) -> None:
    lines = [
        json.dumps({"title": "A New Paper", "abstract": "It is new."}),
        json.dumps(PAPERS[0]),
        json.dumps({"year": 1999}),
    ]
    files = [("files", ("../../../etc/evil name.jsonl", "\n".join(lines).encode()))]
    report = client.post("/api/ingest", files=files).raise_for_status().json()
    assert (report["added"], report["unchanged"], len(report["rejected"])) == (1, 1, 1)
    assert report["rejected"][0]["source"] == "evil name.jsonl"
    assert client.get("/api/papers").json()["total"] == 4


@pytest.mark.parametrize(
    ("content", "name"), [(b"\x00\x01\x02", "x.bin"), (b"", "empty.csv"), (b"hello", "x.ris")]
)
def test_what_is_no_papers_is_refused_in_words(
    client: httpx.Client, content: bytes, name: str
) -> None:
    reply = client.post("/api/ingest", files=[("files", (name, content))])
    assert reply.status_code == 422
    message = reply.json()["error"]["message"]
    assert name in message
    assert "/tmp" not in message


def test_an_empty_library_says_so(serve: Serve) -> None:
    server = serve(filled=False)
    reply = httpx.post(f"{server.url}/api/ask", json={"question": "why?"})
    assert reply.status_code == 404
    assert "no library" in reply.json()["error"]["message"]
    assert httpx.get(f"{server.url}/api/papers").json() == {"total": 0, "papers": []}
    assert httpx.get(f"{server.url}/health").json() == {"status": "ok"}


def test_the_sample_library_is_not_written_to(serve: Serve, tmp_path: Path) -> None:
    settings = Settings.load(
        library=tmp_path / "cache" / "sample-library", cache=tmp_path / "cache"
    )
    with Live(settings) as server:
        files = [("files", ("x.jsonl", json.dumps(PAPERS[0]).encode()))]
        assert httpx.post(f"{server.url}/api/ingest", files=files, timeout=60).status_code == 409
        assert httpx.get(f"{server.url}/api/papers").json()["total"] == 120
        assert httpx.delete(f"{server.url}/api/papers/x").status_code == 409


def test_a_defect_leaves_no_trace(
    server: object, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("assistant.assistant.Assistant.search", broken)
    reply = client.get("/api/search", params={"q": "x"})
    assert reply.status_code == 500
    assert "secret detail" not in reply.text
    assert "Traceback" not in reply.text
