"""Conversations and reviews: one SQLite database in the library's folder, which loses nothing.

A conversation is a tree of turns: a question that is edited, or asked again, begins a branch,
and the branch before it stays. What is shown is the path to the conversation's ``leaf``. Who
appends says so and never sends what was there before: two windows cannot overwrite each other.
A deleted conversation leaves its id behind, so that nobody brings it back unasked. Everything
has an owner: the login, else the browser, that it belongs to.

What a turn or a review holds besides its question or topic is JSON that this module does not
look into. Several processes may use one database at once.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import ConversationNotFound, LibraryError, SourceError
from assistant.files import forget, missing, remember

__all__ = [
    "FILE",
    "Conversation",
    "ConversationStore",
    "Mark",
    "State",
    "StoredReview",
    "StoredTurn",
    "new_id",
    "salvage",
]

FILE = "conversations.sqlite3"
FORMAT = "abstract-assistant conversations"
State = Literal["waiting", "running", "done"]

_MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE conversations (
      id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL DEFAULT '',
      pinned INTEGER NOT NULL DEFAULT 0, folder TEXT NOT NULL DEFAULT '', leaf TEXT,
      created REAL NOT NULL, updated REAL NOT NULL, deleted REAL, revision INTEGER NOT NULL);
    CREATE INDEX conversations_of ON conversations (owner, updated);
    CREATE TABLE turns (
      n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
      conversation TEXT NOT NULL REFERENCES conversations (id), parent TEXT,
      state TEXT NOT NULL, question TEXT NOT NULL, data TEXT NOT NULL,
      created REAL NOT NULL, seen REAL NOT NULL);
    CREATE INDEX turns_of ON turns (conversation, n);
    CREATE TABLE reviews (
      id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, data TEXT NOT NULL,
      created REAL NOT NULL, deleted REAL);
    CREATE TABLE marks (
      owner TEXT NOT NULL, paper TEXT NOT NULL, liked INTEGER NOT NULL DEFAULT 0,
      tags TEXT NOT NULL DEFAULT '[]', note TEXT NOT NULL DEFAULT '', updated REAL NOT NULL,
      PRIMARY KEY (owner, paper));
    CREATE TABLE revision (n INTEGER NOT NULL);
    INSERT INTO revision VALUES (0);
    """,
)
"""Each brings the schema from its place to the next; ``PRAGMA user_version`` counts them."""

_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_LOST_AFTER = 20.0
"""Seconds after which work that nobody has vouched for is taken to be lost with its process."""


def new_id() -> str:
    """An id that nobody guesses."""
    return uuid.uuid4().hex


class Conversation(BaseModel):
    """A conversation without its turns; ``busy``: a question is in work, or waits."""

    id: str
    title: str = ""
    pinned: bool = False
    folder: str = ""
    created: float = 0.0
    updated: float = 0.0
    revision: int = 0
    busy: bool = False


class StoredTurn(BaseModel):
    """A question and what became of it. ``branches``: all turns with its parent, itself too."""

    model_config = ConfigDict(frozen=True)

    id: str
    parent: str | None = None
    state: State = "done"
    question: str
    data: dict[str, Any] = Field(default_factory=dict)
    created: float = 0.0
    branches: tuple[str, ...] = ()


class StoredReview(BaseModel):
    """A written review as it lies in the library's folder."""

    id: str
    title: str
    created: float
    data: dict[str, Any] = Field(default_factory=dict)


class Mark(BaseModel):
    """What a person thinks of a paper; ``at``: when they thought so, in seconds."""

    paper: str
    liked: bool = False
    tags: tuple[str, ...] = ()
    note: str = ""
    at: float = 0.0


class _Exported(BaseModel):
    id: str = Field("", max_length=80)
    title: str = Field("", max_length=400)
    pinned: bool = False
    folder: str = Field("", max_length=120)
    created: float = 0.0
    updated: float = 0.0
    leaf: str | None = None
    turns: list[StoredTurn] = Field(default_factory=list, max_length=10_000)


class _File(BaseModel):
    format: Literal["abstract-assistant conversations"]
    version: Literal[1]
    conversations: list[_Exported] = Field(default_factory=list)
    reviews: list[StoredReview] = Field(default_factory=list)
    marks: list[Mark] = Field(default_factory=list)


class ConversationStore:
    """The database; one object may be used from several threads.

    Args:
        folder: of the library; made if need be. None: in memory, for a folder that cannot be
            written.

    Raises:
        LibraryError: it cannot be opened, or a newer program made it.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        with _told(folder):
            if folder is not None:
                if folder / FILE in missing(folder):
                    raise LibraryError(
                        f"The conversations in {folder} are gone: {FILE} was there.",
                        "Restore it from a copy, or run 'assistant doctor --repair' to begin anew.",
                    )
                folder.mkdir(parents=True, exist_ok=True)
                # readable by its owner only: these are somebody's questions
                os.close(os.open(folder / FILE, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(
                ":memory:" if folder is None else folder / FILE,
                check_same_thread=False,
                isolation_level=None,
                timeout=10.0,
            )
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._migrate()
            if folder is not None:
                remember(folder / FILE)

    def close(self) -> None:
        """Closes the database."""
        with self._lock:
            self._db.close()

    # ------------------------------------------------------------------ conversations

    def revision(self, owner: str) -> int:
        """Grows with every change of a conversation of ``owner``."""
        found = self._one("SELECT max(revision) FROM conversations WHERE owner = ?", owner)
        return int(found[0] or 0) if found else 0

    def conversations(self, owner: str, words: str = "") -> list[Conversation]:
        """Those of ``owner`` whose title, questions or answers hold all ``words``.

        Pinned ones come first, then the newest.
        """
        query = (
            "SELECT c.*, EXISTS (SELECT 1 FROM turns t WHERE t.conversation = c.id "
            "AND t.state <> 'done' AND t.seen > ?) AS busy FROM conversations c "
            "WHERE c.owner = ? AND c.deleted IS NULL"
        )
        values: list[Any] = [time.time() - _LOST_AFTER, owner]
        for word in words.split()[:12]:
            query += (
                " AND (c.title LIKE ? ESCAPE '~' OR EXISTS (SELECT 1 FROM turns t WHERE "
                "t.conversation = c.id AND (t.question LIKE ? ESCAPE '~' OR "
                "json_extract(t.data, '$.answer.answer') LIKE ? ESCAPE '~')))"
            )
            values += [f"%{_escaped(word)}%"] * 3
        rows = self._all(f"{query} ORDER BY c.pinned DESC, c.updated DESC", *values)
        return [Conversation.model_validate(dict(row)) for row in rows]

    def conversation(self, owner: str, name: str) -> Conversation:
        """The conversation with the id ``name``.

        Raises:
            ConversationNotFound: ``owner`` has none, or it was deleted.
        """
        row = self._one("SELECT * FROM conversations WHERE id = ? AND owner = ?", name, owner)
        if row is None:
            raise ConversationNotFound(
                "This conversation is not here.", "It may belong to another library or person."
            )
        if row["deleted"] is not None:
            raise ConversationNotFound(
                "This conversation was deleted.", "Begin a new one: what you wrote is kept."
            )
        return Conversation.model_validate(dict(row))

    def path(self, name: str, to: str | None = None) -> list[StoredTurn]:
        """The turns of a conversation from its first to its leaf, or to the turn ``to``."""
        turns = {turn.id: turn for turn in self._tree(name)}
        row = self._one("SELECT leaf FROM conversations WHERE id = ?", name)
        at = turns.get(to or (row["leaf"] if row else None) or "")
        found: list[StoredTurn] = []
        while at is not None:
            found.append(at)
            at = turns.get(at.parent or "")
        return found[::-1]

    def waiting(self, name: str) -> list[StoredTurn]:
        """The questions of a conversation that wait to be answered, in their order."""
        return [turn for turn in self._tree(name) if turn.state == "waiting"]

    def turn(self, owner: str, name: str) -> tuple[str, StoredTurn]:
        """A turn of ``owner``, with the id of its conversation.

        Raises:
            ConversationNotFound: there is none.
        """
        row = self._one("SELECT conversation FROM turns WHERE id = ?", name)
        if row is not None:
            self.conversation(owner, row[0])
            for turn in self._tree(row[0]):
                if turn.id == name:
                    return row[0], turn
        raise ConversationNotFound("This question is not here any more.")

    def append(
        self,
        owner: str,
        name: str,
        question: str,
        data: dict[str, Any],
        *,
        instead_of: str | None = None,
        turn: str | None = None,
    ) -> StoredTurn | None:
        """Adds a question that waits to be answered; a conversation begins with its first.

        Args:
            instead_of: the turn that this one is a branch beside; the leaf of the conversation
                is its parent if not given, whatever the window that asks has seen.
            turn: its id, chosen by who asks, who may then safely ask again after a broken line.

        Returns:
            The turn; None where it was here already.

        Raises:
            ConversationNotFound: it was deleted, or is another's, or ``instead_of`` is not in it.
        """
        now, made = time.time(), turn or new_id()
        with self._writing() as revision:
            if self._one("SELECT 1 FROM turns WHERE id = ?", made):
                return None
            known = self._one("SELECT owner FROM conversations WHERE id = ?", name)
            if known is None:
                self._db.execute(
                    "INSERT INTO conversations (id, owner, title, created, updated, revision) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (name, owner, " ".join(question.split())[:80], now, now, revision),
                )
            self.conversation(owner, name)
            if instead_of is None:
                row = self._one("SELECT leaf AS parent FROM conversations WHERE id = ?", name)
            else:
                row = self._one(
                    "SELECT parent FROM turns WHERE id = ? AND conversation = ?", instead_of, name
                )
            if row is None:
                raise ConversationNotFound("This question is not here any more.")
            self._db.execute(
                "INSERT INTO turns (id, conversation, parent, state, question, data, created, "
                "seen) VALUES (?, ?, ?, 'waiting', ?, ?, ?, ?)",
                (made, name, row["parent"], question, _json(data), now, now),
            )
            self._db.execute(
                "UPDATE conversations SET leaf = ?, updated = ?, revision = ? WHERE id = ?",
                (made, now, revision, name),
            )
        return StoredTurn(
            id=made,
            parent=row["parent"],
            state="waiting",
            question=question,
            data=data,
            created=now,
        )

    def save(self, turn: str, state: State, data: dict[str, Any]) -> None:
        """Keeps what has become of a turn so far. One that was deleted meanwhile stays so."""
        with self._writing() as revision:
            self._db.execute(
                "UPDATE turns SET state = ?, data = ?, seen = ? WHERE id = ?",
                (state, _json(data), time.time(), turn),
            )
            self._touch(revision, turn)

    def vouch(self, turns: Sequence[str]) -> None:
        """Says that these turns are still in work."""
        marks = ",".join("?" * len(turns))
        with self._lock, _told(self.folder):
            self._db.execute(
                f"UPDATE turns SET seen = ? WHERE id IN ({marks})",  # noqa: S608  question marks
                (time.time(), *turns),
            )

    def choose(self, owner: str, turn: str) -> str:
        """Shows the branch of ``turn``, to its newest end; gives the conversation's id."""
        name, chosen = self.turn(owner, turn)
        children: dict[str | None, str] = {}
        for one in self._tree(name):
            children[one.parent] = one.id  # the newest
        leaf = chosen.id
        while leaf in children:
            leaf = children[leaf]
        with self._writing() as revision:
            self._db.execute(
                "UPDATE conversations SET leaf = ?, revision = ? WHERE id = ?",
                (leaf, revision, name),
            )
        return name

    def withdraw(self, owner: str, turn: str) -> str:
        """Takes back a question that still waits; gives the conversation's id."""
        name, found = self.turn(owner, turn)
        with self._writing() as revision:
            gone = self._db.execute(
                "DELETE FROM turns WHERE id = ? AND state = 'waiting'", (turn,)
            ).rowcount
            if gone:
                self._db.execute(
                    "UPDATE turns SET parent = ? WHERE parent = ?", (found.parent, turn)
                )
                self._db.execute(
                    "UPDATE conversations SET leaf = ? WHERE id = ? AND leaf = ?",
                    (found.parent, name, turn),
                )
                self._db.execute(
                    "UPDATE conversations SET revision = ? WHERE id = ?", (revision, name)
                )
        return name

    def change(
        self,
        owner: str,
        name: str,
        *,
        title: str | None = None,
        pinned: bool | None = None,
        folder: str | None = None,
    ) -> None:
        """Renames, pins, or files a conversation.

        Raises:
            ConversationNotFound: there is none.
        """
        self.conversation(owner, name)
        with self._writing() as revision:
            self._db.execute(
                "UPDATE conversations SET title = coalesce(?, title), "
                "pinned = coalesce(?, pinned), folder = coalesce(?, folder), revision = ? "
                "WHERE id = ?",
                (title, pinned, folder, revision, name),
            )

    def delete(self, owner: str, name: str) -> None:
        """Deletes a conversation for good; its id is remembered, and nothing else of it."""
        self.conversation(owner, name)
        with self._writing() as revision:
            self._db.execute("DELETE FROM turns WHERE conversation = ?", (name,))
            self._db.execute(
                "UPDATE conversations SET deleted = ?, title = '', folder = '', leaf = NULL, "
                "revision = ? WHERE id = ?",
                (time.time(), revision, name),
            )

    # ------------------------------------------------------------------ reviews and marks

    def keep_review(self, owner: str, title: str, data: dict[str, Any]) -> str:
        """Keeps a written review; gives its id."""
        made = new_id()
        with self._writing():
            self._db.execute(
                "INSERT INTO reviews (id, owner, title, data, created) VALUES (?, ?, ?, ?, ?)",
                (made, owner, title[:400], _json(data), time.time()),
            )
        return made

    def reviews(self, owner: str) -> list[StoredReview]:
        """Those of ``owner``, the newest first, without what they hold."""
        rows = self._all(
            "SELECT id, title, created FROM reviews WHERE owner = ? AND deleted IS NULL "
            "ORDER BY created DESC",
            owner,
        )
        return [StoredReview.model_validate(dict(row)) for row in rows]

    def review(self, owner: str, name: str) -> StoredReview:
        """The review with the id ``name``.

        Raises:
            ConversationNotFound: there is none.
        """
        row = self._one(
            "SELECT * FROM reviews WHERE id = ? AND owner = ? AND deleted IS NULL", name, owner
        )
        if row is None:
            raise ConversationNotFound("This review is not here.", "It may have been deleted.")
        return StoredReview(
            id=row["id"], title=row["title"], created=row["created"], data=json.loads(row["data"])
        )

    def delete_review(self, owner: str, name: str) -> None:
        """Deletes a review for good."""
        self.review(owner, name)
        with self._writing():
            self._db.execute(
                "UPDATE reviews SET deleted = ?, data = '{}', title = '' WHERE id = ?",
                (time.time(), name),
            )

    def marks(self, owner: str) -> dict[str, Mark]:
        """What ``owner`` thinks of papers, by the paper's id."""
        rows = self._all("SELECT * FROM marks WHERE owner = ?", owner)
        return {row["paper"]: _mark(row) for row in rows}

    def mark(self, owner: str, mark: Mark) -> None:
        """Keeps what ``owner`` thinks of a paper, in place of what they thought before."""
        with self._writing():
            self._db.execute(
                "INSERT INTO marks (owner, paper, liked, tags, note, updated) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (owner, paper) DO UPDATE SET "
                "liked = excluded.liked, tags = excluded.tags, note = excluded.note, "
                "updated = excluded.updated WHERE excluded.updated >= marks.updated",
                (owner, *_columns(mark)),
            )

    # ------------------------------------------------------------------ one file

    def exported(self, owner: str, only: str | None = None) -> dict[str, Any]:
        """Everything of ``owner`` (or the one conversation ``only``), branches too, as JSON."""
        found = self.conversations(owner)
        if only is not None:
            found = [self.conversation(owner, only)]
        made: dict[str, Any] = {"format": FORMAT, "version": 1, "conversations": []}
        for one in found:
            row = self._one("SELECT leaf FROM conversations WHERE id = ?", one.id)
            turns = [t.model_dump(exclude={"branches"}) for t in self._tree(one.id)]
            kept = one.model_dump(exclude={"busy", "revision"})
            made["conversations"].append({**kept, "leaf": row and row["leaf"], "turns": turns})
        if only is None:
            reviews = [self.review(owner, one.id) for one in self.reviews(owner)]
            made["reviews"] = [one.model_dump() for one in reviews]
            made["marks"] = [one.model_dump() for one in self.marks(owner).values()]
        return made

    def imported(self, owner: str, text: str | bytes) -> tuple[int, int]:
        """Takes in what `exported` gave; what is here already stays as it is.

        Returns:
            conversations and reviews that were added.

        Raises:
            SourceError: it is no such file.
        """
        try:
            file = _File.model_validate_json(text)
        except ValidationError:
            raise SourceError(
                "This file holds no conversations.", "Choose one that was exported here."
            ) from None
        with self._writing() as revision:
            conversations = sum(
                self._import_one(owner, one, revision) for one in file.conversations
            )
            reviews = sum(self._import_review(owner, review) for review in file.reviews)
            known = self.marks(owner)
            for mark in file.marks:
                if mark.paper not in known:
                    self._db.execute(
                        "INSERT INTO marks VALUES (?, ?, ?, ?, ?, ?)",
                        (owner, *_columns(mark)),
                    )
        return conversations, reviews

    def _import_one(self, owner: str, one: _Exported, revision: int) -> bool:
        known = self._one("SELECT owner, deleted FROM conversations WHERE id = ?", one.id)
        if known is not None and known["owner"] == owner and known["deleted"] is None:
            return False
        # whose id is taken, by another or by one that was deleted, gets new ones throughout
        fresh = known is not None or not _ID.fullmatch(one.id)
        taken = {
            turn.id for turn in one.turns if self._one("SELECT 1 FROM turns WHERE id = ?", turn.id)
        }
        taken |= {turn.id for turn in one.turns if not _ID.fullmatch(turn.id)}
        names = {t.id: new_id() if fresh or t.id in taken else t.id for t in one.turns}
        name = new_id() if fresh else one.id
        self._db.execute(
            "INSERT INTO conversations (id, owner, title, pinned, folder, leaf, created, updated, "
            "revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                name,
                owner,
                one.title,
                one.pinned,
                one.folder,
                names.get(one.leaf or "", next(reversed(names.values()), None)),
                one.created,
                one.updated,
                revision,
            ),
        )
        earlier: set[str | None] = set()  # a parent comes before its children: no circles
        for turn in one.turns:
            parent = names[turn.parent] if turn.parent in earlier and turn.parent else None
            earlier.add(turn.id)
            self._db.execute(
                "INSERT INTO turns (id, conversation, parent, state, question, data, created, "
                "seen) VALUES (?, ?, ?, 'done', ?, ?, ?, 0)",
                (
                    names[turn.id],
                    name,
                    parent,
                    turn.question,
                    _json(turn.data),
                    turn.created,
                ),
            )
        return True

    def _import_review(self, owner: str, one: StoredReview) -> bool:
        known = self._one("SELECT owner, deleted FROM reviews WHERE id = ?", one.id)
        if known is not None and known["owner"] == owner and known["deleted"] is None:
            return False
        name = new_id() if known or not _ID.fullmatch(one.id) else one.id
        self._db.execute(
            "INSERT INTO reviews (id, owner, title, data, created) VALUES (?, ?, ?, ?, ?)",
            (name, owner, one.title[:400], _json(one.data), one.created),
        )
        return True

    # ------------------------------------------------------------------ inside

    def _tree(self, name: str) -> list[StoredTurn]:
        """All turns of a conversation, the oldest first; lost work is told as done."""
        rows = self._all("SELECT * FROM turns WHERE conversation = ? ORDER BY n", name)
        beside: dict[str | None, list[str]] = {}
        for row in rows:
            beside.setdefault(row["parent"], []).append(row["id"])
        lost = time.time() - _LOST_AFTER
        turns = []
        for row in rows:
            data, state = json.loads(row["data"]), row["state"]
            if state != "done" and row["seen"] < lost:
                data, state = {**data, "stopped": True}, "done"
            turns.append(
                StoredTurn(
                    id=row["id"],
                    parent=row["parent"],
                    state=state,
                    question=row["question"],
                    data=data,
                    created=row["created"],
                    branches=tuple(beside[row["parent"]]),
                )
            )
        return turns

    def _touch(self, revision: int, turn: str) -> None:
        self._db.execute(
            "UPDATE conversations SET revision = ?, updated = ? WHERE deleted IS NULL AND id = "
            "(SELECT conversation FROM turns WHERE id = ?)",
            (revision, time.time(), turn),
        )

    @contextmanager
    def _writing(self) -> Iterator[int]:
        """A transaction; gives the number of this change."""
        with self._lock, _told(self.folder):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.execute("UPDATE revision SET n = n + 1")
                yield int(self._db.execute("SELECT n FROM revision").fetchone()[0])
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _migrate(self) -> None:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            if version > len(_MIGRATIONS):
                self._db.execute("ROLLBACK")
                raise LibraryError(
                    f"The conversations in {self.folder} were kept by a newer version.",
                    "Update abstract-assistant, or move that file away.",
                )
            for step in _MIGRATIONS[version:]:
                for statement in step.split(";"):
                    if statement.strip():
                        self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
            self._db.execute("COMMIT")

    def _one(self, query: str, *values: Any) -> sqlite3.Row | None:
        with self._lock, _told(self.folder):
            row: sqlite3.Row | None = self._db.execute(query, values).fetchone()
            return row

    def _all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock, _told(self.folder):
            return self._db.execute(query, values).fetchall()


def salvage(damaged: Path, folder: Path) -> int:
    """Copies the rows that can be read of a damaged database into a new one in ``folder``.

    Returns:
        How many rows.
    """
    forget(folder / FILE)
    store, count = ConversationStore(folder), 0
    with suppress(sqlite3.Error), closing(sqlite3.connect(damaged)) as old:
        for table in ("conversations", "turns", "reviews", "marks"):
            with suppress(sqlite3.Error):
                rows = iter(old.execute(f"SELECT * FROM {table}"))  # noqa: S608
                while True:
                    try:
                        row = next(rows)
                        marks = ",".join("?" * len(row))
                        store._db.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608
                        count += 1
                    except StopIteration:
                        break
    store.close()
    return count


def _mark(row: sqlite3.Row) -> Mark:
    tags = tuple(json.loads(row["tags"]))
    return Mark(
        paper=row["paper"], liked=row["liked"], tags=tags, note=row["note"], at=row["updated"]
    )


def _columns(mark: Mark) -> tuple[str, bool, str, str, float]:
    return mark.paper, mark.liked, _json(mark.tags), mark.note, mark.at or time.time()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _escaped(word: str) -> str:
    for sign in "~%_":
        word = word.replace(sign, f"~{sign}")
    return word


@contextmanager
def _told(folder: Path | None) -> Iterator[None]:
    """Turns what the disk and the database raise into one clear sentence."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise LibraryError(
            f"The conversations in {folder} could not be read or kept: {error}.",
            "Make room, or mend the folder's permissions.",
        ) from error
