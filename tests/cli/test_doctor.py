"""doctor: what is well, what is not, and that it changes nothing."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from assistant.conversations import ConversationStore, new_id
from assistant.doctor import Check, diagnose
from assistant.errors import AssistantError
from assistant.review.screening import Screening
from assistant.settings import Settings
from assistant.sources.memory import RememberedSource, SourceMemory
from assistant.watch import Likes

from .conftest import Run
from .fakes import FakeEmbedder


def _checks(result: object) -> dict[str, Check]:
    found = [Check.model_validate(check) for check in result.json["checks"]]  # type: ignore[attr-defined]
    return {check.name: check for check in found}


def _tree(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_a_fresh_machine_is_not_broken(run: Run, tmp_path: Path) -> None:
    before = _tree(tmp_path)
    result = run("doctor")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("ok python: ")
    assert any(line.startswith("! ") and "assistant ingest FILE" in line for line in lines)
    assert any(line.startswith("! ") and "the first command" in line for line in lines)
    assert lines[-1] == "Nothing is broken."
    assert _tree(tmp_path) == before


def test_a_filled_library(filled: Path, run: Run) -> None:
    before = _tree(filled)
    result = run("doctor", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["ok"] is True
    checks = _checks(result)
    assert checks["records"].found == "3 papers, sound"
    assert checks["filled by"].found.startswith("fake")
    assert checks["lock"].found == "free"
    assert "sound" in checks["database"].found
    # SQLite's journal comes and goes with whoever has the file open
    names = [
        {path for path, _ in tree if "sqlite-" not in path} for tree in (_tree(filled), before)
    ]
    assert names[0] == names[1]


def test_a_damaged_database_is_broken(filled: Path, run: Run) -> None:
    file = filled / "chroma" / "chroma.sqlite3"
    file.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    result = run("doctor")
    assert result.code == 1
    assert "is damaged" in result.out
    assert result.out.splitlines()[-1].startswith("One thing is broken: database")
    file.unlink()
    assert _checks(run("doctor", "--json"))["database"].state == "broken"


def test_a_lost_or_damaged_local_database_is_told_and_left(filled: Path, run: Run) -> None:
    file = next(filled.glob("papers-*.sqlite"))
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE papers SET record = replace(record, 'e', 'a') WHERE place = 2")
        database.commit()
    check = _checks(run("doctor", "--json"))["records"]
    assert check.state == "broken"
    assert "doctor --repair" in check.do
    file.write_bytes(b"garbage" * 2000)
    check = _checks(run("doctor", "--json"))["records"]
    assert check.state in ("attention", "broken")
    assert "damaged" in check.found
    assert file.read_bytes() == b"garbage" * 2000


def test_repair_makes_either_database_again_from_the_other(filled: Path, run: Run) -> None:
    before = run("papers", "list", "--json").json
    file = next(filled.glob("papers-*.sqlite"))
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE terms SET papers = papers + 1")
        database.commit()
    assert run("doctor").code == 1
    assert run("doctor", "--repair").code == 0
    for damage in (shutil.rmtree, _emptied):
        damage(filled / "chroma")
        assert run("doctor").code == 1
        result = run("doctor", "--repair")
        assert (result.code, "made again from the records: 3 papers" in result.err) == (0, True)
        assert run("papers", "list", "--json").json == before
        assert run("search", "pruning").code == 0
    assert "needs no repair" in run("doctor", "--repair").err


@pytest.mark.parametrize("info", [b"", b"garbage", None])
def test_what_only_the_records_hold_is_no_empty_folder(
    info: bytes | None, filled: Path, run: Run
) -> None:
    before, found = run("papers", "list", "--json").json, run("search", "pruning").out
    _emptied(filled / "chroma")
    if info is None:
        (filled / "library.json").unlink()
    else:
        (filled / "library.json").write_bytes(info)
    checks = _checks(run("doctor", "--json"))
    assert (checks["library"].state, checks["database"].state) == ("attention", "broken")
    asked = run("search", "pruning")
    assert asked.out == found if asked.code == 0 else "doctor --repair" in asked.err
    assert run("doctor", "--repair").code == 0
    assert run("papers", "list", "--json").json == before
    assert run("search", "pruning").out == found


def _conversing(folder: Path) -> None:
    store = ConversationStore(folder)
    store.append("me", new_id(), "Why prune?", {})
    store.close()


@pytest.mark.parametrize("how", [Path.unlink, lambda file: file.write_bytes(b"")])
@pytest.mark.parametrize(
    ("name", "write", "read"),
    [
        ("likes.json", lambda f: Likes(f).set("a", True), lambda f: Likes(f).all()),
        (
            "sources.json",
            lambda f: SourceMemory(f).save("arxiv:cs.CL", RememberedSource(mark="1", papers=4)),
            lambda f: SourceMemory(f).all(),
        ),
        (
            "screening.json",
            lambda f: Screening(topic="t").save(f / "screening.json"),
            lambda f: Screening.load(f / "screening.json"),
        ),
        ("conversations.sqlite3", _conversing, lambda f: ConversationStore(f).close()),
    ],
)
def test_what_was_kept_and_is_gone_is_not_taken_for_new(
    name: str,
    write: Callable[[Path], object],
    read: Callable[[Path], object],
    how: Callable[[Path], object],
    filled: Path,
    run: Run,
) -> None:
    write(filled)
    how(filled / name)
    with pytest.raises(AssistantError):
        read(filled)
    assert _checks(run("doctor", "--json"))[name].state == "broken"
    assert f"{name} was" in run("doctor", "--repair").err
    assert "needs no repair" in run("doctor", "--repair").err
    if name != "screening.json":
        read(filled)
    write(filled)
    read(filled)


def _emptied(chroma: Path) -> None:
    (chroma / "chroma.sqlite3").write_bytes(b"")


def test_a_lock_that_is_held(filled: Path, run: Run) -> None:
    with FileLock(filled / "lock"):
        result = run("doctor", "--json")
    check = _checks(result)["lock"]
    assert (result.code, check.state) == (0, "attention")
    assert "held" in check.found


def test_another_model_than_filled_it(
    filled: Path, run: Run, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder.name = "another"
    assert _checks(run("doctor", "--json"))["filled by"].state == "ok"  # no model here to compare
    monkeypatch.setattr("assistant.doctor._model", lambda _: iter([Check(name="model", found="")]))
    result = run("doctor", "--json")
    check = _checks(result)["filled by"]
    assert (result.code, check.state) == (1, "broken")
    assert "--reindex" in check.do


def test_a_settings_file_that_cannot_be_used(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("unknown = 1\n", encoding="utf-8")
    result = run("doctor", "--json")
    assert result.code == 1
    check = _checks(result)["settings"]
    assert check.state == "broken"
    assert "unknown" in check.found
    assert check.do


def test_settings_are_shown_and_secrets_are_not(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text("[retrieval]\ntop_k = 12\n", encoding="utf-8")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://me:hidden@models.example:8443/v1?token=hidden")
    monkeypatch.setenv("ASSISTANT_LLM", "some-model")
    monkeypatch.setenv("ASSISTANT_ENDPOINT__CONNECT_TIMEOUT", "0.2")
    result = run("doctor")
    assert result.code == 1
    assert "! endpoint: " in " ".join(result.out.split())
    assert str(tmp_path / "config.toml") in result.out
    assert "retrieval.top_k = 12" in result.out
    assert "some-model at https://models.example:8443/v1, a key is set" in result.out
    for secret in ("very-secret", "hidden"):
        assert secret not in result.out


def test_a_model_without_an_endpoint_is_broken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_LLM", "some-model")
    result = run("doctor", "--json")
    assert result.code == 1
    assert "OPENAI_API_KEY" in _checks(result)["language model"].do


def test_folders(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ASSISTANT_CACHE", str(tmp_path / "file" / "cache"))
    check = _checks(run("doctor", "--json"))["cache folder"]
    assert check.state == "broken"
    assert "ASSISTANT_CACHE" in check.do


@pytest.mark.parametrize(
    ("free", "state"), [(10 << 30, "ok"), (200 << 20, "attention"), (1, "broken")]
)
def test_room(free: int, state: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil._ntuple_diskusage(1 << 40, 0, free)  # type: ignore[attr-defined]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert _checks(run("doctor", "--json"))["library folder"].state == state


def test_a_look_of_ones_own_and_one_that_fails() -> None:
    def language_model(settings: Settings) -> Iterator[Check]:
        yield Check(name="language model answers", found=str(settings.llm))

    def fails(settings: Settings) -> Iterator[Check]:
        raise ZeroDivisionError(str(settings.llm))

    checks = diagnose(more=[language_model, fails])
    assert checks[-2].name == "language model answers"
    assert (checks[-1].name, checks[-1].state) == ("fails", "broken")
    assert json.dumps([check.model_dump() for check in checks])


def test_a_model_out_of_a_file_needs_no_endpoint(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "small.gguf"
    path.write_bytes(b"GGUF\3\0\0\0")
    monkeypatch.setenv("ASSISTANT_LLM", str(path))
    found = run("doctor", "--json").out
    assert "run here" in found
    assert "nor a key" not in found
    path.write_bytes(b"PK\3\4")
    assert "is no GGUF file" in run("doctor", "--json").out
