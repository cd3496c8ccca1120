"""Conversations and reviews in the library's folder: nothing is lost, nothing comes back."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.conversations import FILE, ConversationStore, Mark, StoredTurn
from assistant.errors import ConversationNotFound, LibraryError, SourceError

ME, OTHER = "local", "browser:other"


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "library")


def ask(
    store: ConversationStore, question: str, *, name: str = "conversation-1", **how: str
) -> StoredTurn:
    made = store.append(ME, name, question, {}, **how)  # type: ignore[arg-type]
    assert made is not None
    return made


def questions(store: ConversationStore, name: str = "conversation-1") -> list[str]:
    return [turn.question for turn in store.path(name)]


def test_a_question_is_there_at_once_and_in_another_process(tmp_path: Path) -> None:
    first = ConversationStore(tmp_path)
    turn = ask(first, "Why?")
    other = ConversationStore(tmp_path)  # as another process would open it
    assert questions(other) == ["Why?"]
    assert other.conversations(ME)[0].busy
    first.save(turn.id, "done", {"answer": {"answer": "So."}})
    assert other.path("conversation-1")[0].data == {"answer": {"answer": "So."}}
    assert not other.conversations(ME)[0].busy
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_windows_append_whatever_they_have_seen(store: ConversationStore) -> None:
    threads = [threading.Thread(target=ask, args=(store, f"Q{n}")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(questions(store)) == sorted(f"Q{n}" for n in range(12))


def test_asking_the_same_turn_again_changes_nothing(store: ConversationStore) -> None:
    ask(store, "Why?", turn="turn-0001")
    assert store.append(ME, "conversation-1", "Why?", {}, turn="turn-0001") is None
    assert questions(store) == ["Why?"]


def test_an_edit_is_a_branch_and_the_old_one_can_be_shown(store: ConversationStore) -> None:
    first = ask(store, "First?")
    second = ask(store, "Second?")
    edited = ask(store, "First, edited?", instead_of=first.id)
    assert questions(store) == ["First, edited?"]
    assert store.path("conversation-1")[0].branches == (first.id, edited.id)
    store.choose(ME, first.id)
    assert [turn.id for turn in store.path("conversation-1")] == [first.id, second.id]
    ask(store, "Third?")
    assert questions(store) == ["First?", "Second?", "Third?"]


def test_a_deleted_conversation_stays_deleted(store: ConversationStore) -> None:
    turn = ask(store, "Why?")
    exported = json.dumps(store.exported(ME))
    store.delete(ME, "conversation-1")
    store.save(turn.id, "done", {"late": True})
    with pytest.raises(ConversationNotFound, match="deleted"):
        store.append(ME, "conversation-1", "Still here?", {})
    assert store.conversations(ME) == []
    assert b"Why?" not in _text_of(store)
    # who brings it back on purpose gets it under another name
    assert store.imported(ME, exported) == (1, 0)
    assert store.conversations(ME)[0].id != "conversation-1"


def _text_of(store: ConversationStore) -> bytes:
    assert store.folder is not None
    rows = sqlite3.connect(store.folder / FILE).iterdump()
    return "\n".join(rows).encode()


def test_people_do_not_see_each_other(store: ConversationStore) -> None:
    turn = ask(store, "Mine?")
    review = store.keep_review(ME, "Mine", {"a": 1})
    store.mark(ME, Mark(paper="p", liked=True))
    assert store.conversations(OTHER) == store.reviews(OTHER) == []
    assert store.marks(OTHER) == {}
    for act in (
        lambda: store.conversation(OTHER, "conversation-1"),
        lambda: store.turn(OTHER, turn.id),
        lambda: store.append(OTHER, "conversation-1", "Yours?", {}),
        lambda: store.choose(OTHER, turn.id),
        lambda: store.withdraw(OTHER, turn.id),
        lambda: store.delete(OTHER, "conversation-1"),
        lambda: store.change(OTHER, "conversation-1", title="Stolen"),
        lambda: store.review(OTHER, review),
        lambda: store.delete_review(OTHER, review),
        lambda: store.exported(OTHER, "conversation-1"),
    ):
        with pytest.raises(ConversationNotFound):
            act()
    assert questions(store) == ["Mine?"]


def test_a_mark_that_was_sent_earlier_and_comes_later_changes_nothing(
    store: ConversationStore,
) -> None:
    store.mark(ME, Mark(paper="p", note="second", at=2.0))
    store.mark(ME, Mark(paper="p", note="first", at=1.0))
    assert store.marks(ME)["p"].note == "second"


def test_they_are_found_by_words_of_questions_and_answers(store: ConversationStore) -> None:
    turn = ask(store, "How are experts pruned?", name="pruning")
    store.save(turn.id, "done", {"answer": {"answer": "Memory falls by 41%_exactly."}})
    ask(store, "What of gaze?", name="gaze")
    found = [c.id for c in store.conversations(ME, "MEMORY experts")]
    assert found == ["pruning"]
    assert [c.id for c in store.conversations(ME, "41%_ex")] == ["pruning"]
    assert store.conversations(ME, "41_%") == []


def test_renamed_pinned_and_filed(store: ConversationStore) -> None:
    for name in ("a", "b"):
        ask(store, name, name=name)
    store.change(ME, "a", title="First", pinned=True, folder="Thesis")
    first = store.conversations(ME)[0]
    assert (first.id, first.title, first.pinned, first.folder) == ("a", "First", True, "Thesis")


def test_a_waiting_question_is_taken_back_and_the_next_one_stays(store: ConversationStore) -> None:
    first, second, third = (ask(store, question) for question in "abc")
    store.save(first.id, "done", {})
    store.withdraw(ME, second.id)
    assert questions(store) == ["a", "c"]
    store.save(third.id, "running", {})
    store.withdraw(ME, third.id)  # it is in work: it stays
    assert questions(store) == ["a", "c"]


def test_work_of_a_process_that_died_is_told_as_stopped(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = ask(store, "Why?")
    store.save(turn.id, "running", {"steps": ["searching"]})
    assert store.path("conversation-1")[0].state == "running"
    monkeypatch.setattr("assistant.conversations._LOST_AFTER", -1.0)
    lost = store.path("conversation-1")[0]
    assert lost.state == "done"
    assert lost.data == {"steps": ["searching"], "stopped": True}


def test_one_file_out_and_in(store: ConversationStore, tmp_path: Path) -> None:
    first = ask(store, "First?")
    ask(store, "Edited?", instead_of=first.id)
    store.keep_review(ME, "Topic", {"review": 1})
    store.mark(ME, Mark(paper="p", tags=("read",), note="good"))
    text = json.dumps(store.exported(ME))
    other = ConversationStore(tmp_path / "other")
    assert other.imported(ME, text) == (1, 1)
    assert other.imported(ME, text) == (0, 0)
    assert json.loads(json.dumps(other.exported(ME)))["conversations"][0]["turns"] == [
        turn | {"state": "done"} for turn in json.loads(text)["conversations"][0]["turns"]
    ]
    assert other.marks(ME)["p"].tags == ("read",)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "x", "version": 1}', b"\xff\xfe"])
def test_other_files_are_refused(store: ConversationStore, text: str | bytes) -> None:
    with pytest.raises(SourceError, match="no conversations"):
        store.imported(ME, text)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8))
def test_a_file_whose_turns_go_in_circles_is_taken_in(pairs: list[tuple[int, int]]) -> None:
    turns = [{"id": f"t{a}", "parent": f"t{b}", "question": "?"} for a, b in dict(pairs).items()]
    store = ConversationStore(None)
    file = {
        "format": "abstract-assistant conversations",
        "version": 1,
        "conversations": [{"id": "circles-1", "leaf": "t1", "turns": turns}],
    }
    assert store.imported(ME, json.dumps(file)) == (1, 0)
    name = store.conversations(ME)[0].id
    assert len(store.path(name)) <= len(turns)


def test_ids_of_a_file_are_ids_or_made_anew() -> None:
    store, evil = ConversationStore(None), 'a"><img src=x onerror=alert(1)>'
    file = {
        "format": "abstract-assistant conversations",
        "version": 1,
        "conversations": [{"id": evil, "leaf": evil, "turns": [{"id": evil, "question": "?"}]}],
        "reviews": [{"id": evil, "title": "T", "created": 1.0}],
    }
    assert store.imported(ME, json.dumps(file)) == (1, 1)
    one = store.conversations(ME)[0]
    for name in (one.id, store.path(one.id)[0].id, store.reviews(ME)[0].id):
        assert name.isalnum()


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    ConversationStore(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryError, match="newer version"):
        ConversationStore(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="could not be read or kept"):
        ConversationStore(tmp_path / "file" / "library")
