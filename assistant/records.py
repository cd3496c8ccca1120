"""The local database: records, words and small vectors of the papers of one Chroma collection.

Chroma holds the truth and finds what is near; this file, derived from it, holds what a question
needs besides: the records, a full-text index (SQLite FTS5), the counts of words, and the
vectors once more as int8, so that every candidate is scored by both sides. It is a mirror: lost
or damaged, it is made again from the collection (`assistant.library`).

    meta               version (grows with every change) and pending (see `Records.mark`)
    papers             one row a paper, in the order in which they came
    scoring            what a candidate is scored with: its words and its chunk vectors
    sentence_vectors   int8, unit rows times 127; made when first wanted where they are missing
    words, terms       contentless FTS5 over the stems; stem → number of papers

Every row carries a CRC-32 that is compared when it is read: a damaged byte is never an answer.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from assistant.files import writable
from assistant.filters import Filters
from assistant.paper import Paper, PaperNames
from assistant.text import Span, terms

__all__ = ["Records", "RecordsDamaged", "Scoring", "StoredPaper", "bag_of", "quantised"]

Floats = NDArray[np.float32]

FORMAT = 1
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE papers (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, doi TEXT, arxiv_id TEXT,
    title_key TEXT NOT NULL, source TEXT, source_id TEXT, abstract_hash TEXT NOT NULL,
    text_hash TEXT NOT NULL, content_hash TEXT NOT NULL,
    year INTEGER, venue TEXT, authors TEXT, tags TEXT,
    chunks INTEGER NOT NULL, revision INTEGER NOT NULL,
    record TEXT NOT NULL, spans BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX by_title ON papers (title_key);
CREATE INDEX by_revision ON papers (revision);
CREATE TABLE scoring (
    place INTEGER PRIMARY KEY, length INTEGER NOT NULL, norm REAL NOT NULL,
    words BLOB NOT NULL, counts BLOB NOT NULL, vectors BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE sentence_vectors (
    place INTEGER PRIMARY KEY, vectors BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(
    stems, content='', tokenize='unicode61 remove_diacritics 0');
CREATE TABLE terms (term TEXT PRIMARY KEY, papers INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('version', 0), ('length', 0);
"""
_NAMES = "id, doi, arxiv_id, title_key, source, source_id, abstract_hash, text_hash, content_hash"
_SOME = 500
"""Parameters of one statement: SQLite allows 999 everywhere."""
_MANY_POSTINGS = 20_000
"""Rows that the full-text index may have to rank for one question: beyond it the commonest words
are left out of the search for candidates (never out of their scores)."""

_CHECKED = 32 * 2**20
"""Bytes of a file up to which SQLite checks all its pages when it is opened: rows that a page of
zeros has lost have no CRC that could be wrong. Of larger ones ``doctor`` does it."""
_DAMAGE = ("malformed", "no such table", "not a database", "decode", "corrupt", "disk I/O error")
"""What SQLite says of a damaged file where it does not call it damaged."""


class RecordsDamaged(Exception):
    """The file is no database, another program's, or holds other bytes than were written."""


@dataclass(frozen=True, slots=True)
class StoredPaper:
    """One paper as it is stored: ``vectors`` (chunks, dimension) float32, unit rows.

    ``sentence_vectors``: (sentences, dimension) float32, or None where they are not made yet.
    """

    paper: Paper
    spans: tuple[Span, ...]
    vectors: Floats
    revision: int
    sentence_vectors: Floats | None = None


@dataclass(frozen=True, slots=True)
class Scoring:
    """What papers are scored with; one entry a paper in ``places``.

    ``lengths``: terms of a paper. ``norms``: length of the mean of its chunks. ``words``,
    ``counts``: hashes of its different stems and how often each occurs; ``word_starts``:
    (papers + 1,) where a paper's begin. ``vectors``: (chunks, dimension); ``chunk_starts``:
    (papers + 1,).
    """

    places: NDArray[np.int64]
    lengths: Floats
    norms: Floats
    words: NDArray[np.uint32]
    counts: Floats
    word_starts: NDArray[np.int64]
    vectors: Floats
    chunk_starts: NDArray[np.int64]


def word_hash(term: str) -> int:
    """A stem as 32 bits."""
    return zlib.crc32(term.encode("utf-8", "surrogatepass"))


def bag_of(paper: Paper, title_repeats: int) -> list[str]:
    """The stems of a paper as BM25 counts them: its title ``title_repeats`` times."""
    return terms(paper.title) * title_repeats + terms(paper.abstract)


def quantised(vectors: Floats) -> bytes:
    """Unit rows as int8."""
    return np.rint(np.asarray(vectors) * 127).astype(np.int8).tobytes()


class Records:
    """The database in the file ``path``. Safe in several threads and processes.

    Args:
        path: of the file; made if it is missing and ``make`` is set.
        dimension: of the vectors.
        title_repeats: times that a title's words count.
        make: the file where it is missing.

    Raises:
        RecordsDamaged: it is missing and not to be made, or is not such a database.
        OSError, sqlite3.Error: it cannot be opened.
    """

    def __init__(self, path: Path, dimension: int, *, title_repeats: int, make: bool) -> None:
        self.path = path
        self.dimension = dimension
        self._title_repeats = title_repeats
        self._lock = threading.RLock()
        if not make and not path.is_file():
            raise RecordsDamaged(f"{path} is missing")
        with self.errors():
            self._db = _connected(path)
        try:
            self._prepare(make)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, make: bool) -> None:
        with self.errors():
            found = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            tables = int(self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0])
            if make and not found and not tables:
                # rows of some 2 kB leave a seventh of pages of the usual 4 kB empty
                self._db.execute("PRAGMA page_size=8192")
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={FORMAT};COMMIT;")
            elif found != FORMAT:
                raise RecordsDamaged(f"{self.path} is of format {found}, not {FORMAT}")
            elif self.path.stat().st_size <= _CHECKED:
                wrong = self._quick_check()
                if wrong != "ok":
                    raise RecordsDamaged(f"{self.path}: {wrong}")

    def _quick_check(self) -> str:
        return str(self._one("PRAGMA quick_check(1)"))

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Tells a damaged file from a full disk or a lock."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if any(sign in str(error) for sign in _DAMAGE):
                raise RecordsDamaged(f"{self.path}: {error}") from error
            raise
        except sqlite3.DatabaseError as error:
            raise RecordsDamaged(f"{self.path}: {error}") from error

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock, self.errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("UPDATE meta SET value = value + 1 WHERE key = 'version'")
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self.errors():
            return self._db.execute(query, values).fetchall()

    def _one(self, query: str, values: Sequence[Any] = ()) -> Any:
        rows = self._all(query, values)
        return rows[0][0] if rows else None

    # ------------------------------------------------------------------ what is held

    @property
    def version(self) -> int:
        """Grows with every change, whoever makes it."""
        return int(self._one("SELECT value FROM meta WHERE key = 'version'") or 0)

    def __len__(self) -> int:
        return int(self._one("SELECT COUNT(*) FROM papers"))

    @property
    def empty(self) -> bool:
        """Whether there is no paper; cheaper than counting them."""
        return self._one("SELECT 1 FROM papers LIMIT 1") is None

    @property
    def chunks(self) -> int:
        """Chunks of all papers: rows that the collection should hold."""
        return int(self._one("SELECT SUM(chunks) FROM papers") or 0)

    @property
    def mean_length(self) -> float:
        """Terms of a paper, on average."""
        total = int(self._one("SELECT value FROM meta WHERE key = 'length'") or 0)
        return total / max(1, len(self))

    def names(self) -> Iterator[PaperNames]:
        """What tells the papers apart, in their order."""
        for row in self._all(f"SELECT {_NAMES} FROM papers ORDER BY place"):  # noqa: S608
            yield PaperNames(*row)

    def ids(self) -> list[str]:
        """Ids of all papers, in their order."""
        return [row[0] for row in self._all("SELECT id FROM papers ORDER BY place")]

    def places(self, ids: Sequence[str]) -> dict[str, int]:
        """Id → place, of those that are held."""
        found: dict[str, int] = {}
        for some in _pieces(ids):
            query = f"SELECT id, place FROM papers WHERE id IN ({_marks(some)})"  # noqa: S608
            found.update(self._all(query, some))
        return found

    def all_places(self, filters: Filters | None = None) -> NDArray[np.int64]:
        """Places of all papers that fit, ascending."""
        where, values = self.where(filters)
        rows = self._all(f"SELECT place FROM papers WHERE {where} ORDER BY place", values)  # noqa: S608
        return np.array([row[0] for row in rows], dtype=np.int64)

    def named(self, name: str, title_key: str) -> list[str]:
        """Ids of the papers with this id, DOI, arXiv id or normalised title."""
        lower = name.strip().lower()
        if self._one("SELECT 1 FROM papers WHERE id = ?", (name,)):
            return [name]
        query = "SELECT id FROM papers WHERE doi = ? OR arxiv_id = ? OR (title_key = ? AND ? != '')"
        return [row[0] for row in self._all(query, (lower, lower, title_key, title_key))]

    def papers(self, places: Sequence[int] | None = None) -> Iterator[Paper]:
        """The papers at ``places``, in that order; all, in their order, if not given.

        Raises:
            RecordsDamaged: a row is not what was written.
        """
        wanted = self.all_places() if places is None else places
        for some in _pieces([int(place) for place in wanted]):
            found = {place: paper for place, paper, _ in self._read(some)}
            yield from (found[place] for place in some if place in found)

    def stored(self, places: Sequence[int]) -> dict[int, tuple[Paper, tuple[Span, ...]]]:
        """Place → the paper, and the spans of its sentences."""
        return {
            place: (paper, spans)
            for some in _pieces([int(place) for place in places])
            for place, paper, spans in self._read(some)
        }

    def _read(self, places: Sequence[int]) -> Iterator[tuple[int, Paper, tuple[Span, ...]]]:
        query = f"SELECT place, record, spans, crc FROM papers WHERE place IN ({_marks(places)})"  # noqa: S608
        for place, record, spans, crc in self._all(query, places):
            self._check(crc, record.encode("utf-8", "surrogatepass"), spans)
            pairs = np.frombuffer(spans, np.uint32).reshape(-1, 2)
            yield (
                place,
                Paper.model_validate_json(record),
                tuple(Span(int(start), int(end)) for start, end in pairs),
            )

    def _check(self, crc: int, *parts: bytes) -> None:
        if _crc(*parts) != crc:
            raise RecordsDamaged(f"{self.path}: a row is not what was written")

    def counts(self, column: str) -> list[tuple[str, int]]:
        """Values of ``source``, ``venue`` or ``year`` with their papers, most first."""
        query = (
            f"SELECT {column}, COUNT(*) FROM papers WHERE {column} IS NOT NULL "  # noqa: S608
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return [(str(value), int(count)) for value, count in self._all(query)]

    # ------------------------------------------------------------------ words

    def document_frequency(self, term: str) -> int:
        """Papers that hold the stem."""
        return int(self._one("SELECT papers FROM terms WHERE term = ?", (term,)) or 0)

    def vocabulary(self) -> dict[str, int]:
        """Stem → papers that hold it."""
        return dict(self._all("SELECT term, papers FROM terms"))

    def lexical(
        self, question_terms: Sequence[str], most: int, filters: Filters | None = None
    ) -> list[int]:
        """Places of the best papers by FTS5's BM25, best first; the rarest words find them."""
        frequency = {term: self.document_frequency(term) for term in dict.fromkeys(question_terms)}
        used: list[str] = []
        postings = 0
        for term in sorted((t for t in frequency if frequency[t]), key=lambda t: frequency[t]):
            if used and postings + frequency[term] > _MANY_POSTINGS:
                break
            used.append(term)
            postings += frequency[term]
        if not used:
            return []
        wanted = " OR ".join(f'"{term}"' for term in used)
        if not filters:
            query = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?"
            return [row[0] for row in self._all(query, (wanted, most))]
        where, values = self.where(filters)
        query = (
            "SELECT words.rowid FROM words JOIN papers ON papers.place = words.rowid "  # noqa: S608
            f"WHERE words MATCH ? AND {where} ORDER BY rank LIMIT ?"
        )
        return [row[0] for row in self._all(query, (wanted, *values, most))]

    # ------------------------------------------------------------------ filters

    def where(self, filters: Filters | None) -> tuple[str, list[Any]]:
        """A condition on ``papers``, and its values."""
        if not filters:
            return "1", []
        conditions: list[tuple[str, list[Any]]] = []
        if filters.first_year is not None:
            conditions.append(("papers.year >= ?", [filters.first_year]))
        if filters.last_year is not None:
            conditions.append(("papers.year <= ?", [filters.last_year]))
        if filters.years:
            years = json.dumps(filters.years)
            conditions.append(("papers.year IN (SELECT value FROM json_each(?))", [years]))
        for column, wanted in filters.columns.items():
            any_of = " OR ".join([f"contains(papers.{column}, ?)"] * len(wanted))
            conditions.append((f"({any_of})", [text.casefold() for text in wanted]))
        if filters.ids:
            ids = json.dumps(filters.ids)
            conditions.append(("papers.id IN (SELECT value FROM json_each(?))", [ids]))
        return (
            " AND ".join(condition for condition, _ in conditions),
            [value for _, values in conditions for value in values],
        )

    def values(self, column: str, wanted: Sequence[str]) -> list[str]:
        """The whole values of ``venue``, ``authors``, ``source`` or ``tags`` that hold one of
        ``wanted`` as a part, as they are written.
        """
        found: dict[str, None] = {}
        parts = [text.casefold() for text in wanted]
        where = " OR ".join([f"contains({column}, ?)"] * len(parts))
        for (value,) in self._all(f"SELECT DISTINCT {column} FROM papers WHERE {where}", parts):  # noqa: S608
            for one in str(value).split("\n"):
                if any(part in one.casefold() for part in parts):
                    found[one] = None
        return list(found)

    # ------------------------------------------------------------------ vectors

    def scoring(self, places: Sequence[int]) -> Scoring:
        """What the papers at ``places`` are scored with; those that are gone are left out.

        Raises:
            RecordsDamaged: a row is not what was written.
        """
        rows: dict[int, tuple[Any, ...]] = {}
        for some in _pieces([int(place) for place in places]):
            query = f"SELECT * FROM scoring WHERE place IN ({_marks(some)})"  # noqa: S608
            rows.update((row[0], row) for row in self._all(query, some))
        held = [rows[int(place)] for place in places if int(place) in rows]
        for row in held:
            self._check(row[6], row[3], row[4], row[5])
        words, counts, vectors = ([row[column] for row in held] for column in (3, 4, 5))
        block = np.frombuffer(b"".join(vectors), np.int8).reshape(-1, self.dimension)
        return Scoring(
            np.array([row[0] for row in held], np.int64),
            np.array([row[1] for row in held], np.float32),
            np.array([row[2] for row in held], np.float32),
            np.frombuffer(b"".join(words), np.uint32),
            np.frombuffer(b"".join(counts), np.uint8).astype(np.float32),
            _starts(counts),
            block.astype(np.float32) / np.float32(127),
            _starts(vectors) // self.dimension,
        )

    def sentence_vectors(self, place: int) -> Floats | None:
        """(sentences, dimension) unit rows; None where they are not made yet."""
        query = "SELECT vectors, crc FROM sentence_vectors WHERE place = ?"
        rows = self._all(query, (int(place),))
        if not rows:
            return None
        self._check(rows[0][1], rows[0][0])
        block = np.frombuffer(rows[0][0], np.int8).reshape(-1, self.dimension)
        return block.astype(np.float32) / np.float32(127)

    def keep_sentence_vectors(self, place: int, vectors: Floats) -> None:
        """Keeps what has been made for a question; changes no answer, so no version."""
        with self._lock, self.errors():
            block = quantised(vectors)
            self._db.execute(
                "INSERT OR REPLACE INTO sentence_vectors VALUES (?, ?, ?)",
                (int(place), block, _crc(block)),
            )

    def means(self) -> tuple[list[str], Floats]:
        """Ids of all papers, and (papers, dimension) unit means of their chunks."""
        ids: list[str] = []
        rows: list[Floats] = []
        query = (
            "SELECT id, words, counts, vectors, scoring.crc FROM papers "
            "JOIN scoring USING (place) ORDER BY place"
        )
        for paper_id, words, counts, vectors, crc in self._all(query):
            self._check(crc, words, counts, vectors)
            block = np.frombuffer(vectors, np.int8).reshape(-1, self.dimension)
            mean = block.mean(axis=0, dtype=np.float32)
            ids.append(paper_id)
            rows.append(mean / max(float(np.linalg.norm(mean)), 1e-6))
        none = np.zeros((0, self.dimension), np.float32)
        return ids, np.stack(rows) if rows else none

    # ------------------------------------------------------------------ writing

    def mark(self, ids: Sequence[str], *, gone: bool = False) -> None:
        """Writes down whose rows in the collection are about to change, or (``gone``) to go.

        `put` and `remove` take the mark away; one that is found later is of a killed writer: what
        the collection holds of those papers is looked up then, and a removal is finished.
        """
        key = "going" if gone else "pending"
        with self._changing():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, "\n".join(ids)))

    @property
    def pending(self) -> list[str]:
        """Ids of the papers that a killed writer may have left half-changed, or half-removed."""
        return [*self._marked("pending"), *self.going]

    @property
    def going(self) -> list[str]:
        """Ids of the papers that a killed writer was removing."""
        return self._marked("going")

    def _marked(self, key: str) -> list[str]:
        value = self._one("SELECT value FROM meta WHERE key = ?", (key,))
        return str(value).split("\n") if value else []

    def put(self, papers: Iterable[StoredPaper]) -> None:
        """Adds papers or replaces them, at their places; all or none."""
        with self._changing():
            changes: Counter[str] = Counter()
            for stored in papers:
                self._put(stored, changes)
            self._settle(changes)

    def touch(self) -> None:
        """Raises the version: the collection beside it has been made anew."""
        with self._changing():
            pass

    def remove(self, ids: Sequence[str]) -> None:
        """Removes papers; all or none."""
        with self._changing():
            changes: Counter[str] = Counter()
            for place in self.places(ids).values():
                self._take_out(place, changes)
            self._settle(changes)
            self._db.execute("DELETE FROM meta WHERE key = 'going'")

    def _settle(self, changes: Mapping[str, int]) -> None:
        """The counts of words, and the mark."""
        self._db.executemany(
            "INSERT INTO terms VALUES (?, ?) ON CONFLICT (term) "
            "DO UPDATE SET papers = papers + excluded.papers",
            [(term, change) for term, change in changes.items() if change],
        )
        gone = [(term,) for term, change in changes.items() if change < 0]
        self._db.executemany("DELETE FROM terms WHERE term = ? AND papers <= 0", gone)
        self._db.execute("DELETE FROM meta WHERE key = 'pending'")

    def _bag(self, paper: Paper) -> list[str]:
        return bag_of(paper, self._title_repeats)

    def _put(self, stored: StoredPaper, changes: Counter[str]) -> None:
        paper = stored.paper
        place = self.places([paper.id]).get(paper.id)
        if place is not None:
            self._take_out(place, changes)
        spans = np.array(stored.spans, dtype=np.uint32).reshape(-1, 2).tobytes()
        record = paper.model_dump_json(exclude={"id"}, exclude_defaults=True)
        names = paper.names
        place = self._db.execute(
            "INSERT INTO papers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                place,
                *names,
                paper.year,
                paper.venue,
                "\n".join(paper.authors) or None,
                "\n".join(paper.tags) or None,
                len(stored.vectors),
                stored.revision,
                record,
                spans,
                _crc(record.encode("utf-8", "surrogatepass"), spans),
            ),
        ).lastrowid
        bag = self._bag(paper)
        counted = Counter(bag)
        words = np.array([word_hash(term) for term in counted], np.uint32).tobytes()
        counts = np.minimum(list(counted.values()) or np.zeros(0), 255).astype(np.uint8).tobytes()
        vectors = quantised(stored.vectors)
        norm = float(np.linalg.norm(stored.vectors.mean(axis=0)))
        self._db.execute(
            "INSERT INTO scoring VALUES (?, ?, ?, ?, ?, ?, ?)",
            (place, len(bag), norm, words, counts, vectors, _crc(words, counts, vectors)),
        )
        if stored.sentence_vectors is not None:
            block = quantised(stored.sentence_vectors)
            self._db.execute(
                "INSERT INTO sentence_vectors VALUES (?, ?, ?)", (place, block, _crc(block))
            )
        self._db.execute("INSERT INTO words (rowid, stems) VALUES (?, ?)", (place, " ".join(bag)))
        self._db.execute("UPDATE meta SET value = value + ? WHERE key = 'length'", (len(bag),))
        changes.update(dict.fromkeys(counted, 1))

    def _take_out(self, place: int, changes: Counter[str]) -> None:
        record = self._one("SELECT record FROM papers WHERE place = ?", (place,))
        bag = self._bag(Paper.model_validate_json(record))
        self._db.execute(
            "INSERT INTO words (words, rowid, stems) VALUES ('delete', ?, ?)",
            (place, " ".join(bag)),
        )
        for table in ("papers", "scoring", "sentence_vectors"):
            self._db.execute(f"DELETE FROM {table} WHERE place = ?", (place,))  # noqa: S608
        self._db.execute("UPDATE meta SET value = value - ? WHERE key = 'length'", (len(bag),))
        changes.subtract(dict.fromkeys(set(bag), 1))

    def settle_journal(self) -> None:
        """Writes what is in the journal into the file itself, so that it can be moved."""
        with self._lock, self.errors():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def revisions(self, ids: Sequence[str] | None = None) -> dict[str, tuple[int, int]]:
        """Id → (chunks, revision), of these papers or of all."""
        query = "SELECT id, chunks, revision FROM papers"
        if ids is None:
            rows = self._all(query)
        else:
            rows = [
                row
                for some in _pieces(ids)
                for row in self._all(f"{query} WHERE id IN ({_marks(some)})", some)
            ]
        return {paper_id: (chunks, revision) for paper_id, chunks, revision in rows}

    @property
    def last_revision(self) -> int:
        """Of the paper that was written last."""
        return int(self._one("SELECT MAX(revision) FROM papers") or 0)

    def sound(self) -> str:
        """What is wrong, by SQLite's own check, every row's CRC and a recount of the words.

        "ok" where nothing is.
        """
        counted: Counter[str] = Counter()
        try:
            found = self._quick_check()
            if found != "ok":
                return found
            for some in _pieces([int(place) for place in self.all_places()]):
                for _, paper, _ in self._read(some):
                    counted.update(set(self._bag(paper)))
                if len(self.scoring(some).places) != len(some):
                    return "a paper without its words"
            if counted != self.vocabulary():
                return "the counts of words are not those of the papers"
            with self._lock, self.errors():
                self._db.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        except (RecordsDamaged, ValueError) as error:
            return str(error)
        return "ok"


def _connected(path: Path) -> sqlite3.Connection:
    may_write = writable(path.parent) and (not path.exists() or writable(path))
    name = path.absolute().as_uri()
    if not may_write:
        journal = path.with_name(f"{path.name}-wal")
        if journal.exists() and journal.stat().st_size:  # SQLite would have to write to read it
            copied = Path(tempfile.mkdtemp(prefix="assistant-records-")) / path.name
            shutil.copyfile(path, copied)
            shutil.copyfile(journal, copied.with_name(journal.name))
            name = copied.as_uri()
        else:
            name += "?mode=ro&immutable=1"
    database = sqlite3.connect(
        name, uri=True, timeout=30.0, isolation_level=None, check_same_thread=False
    )
    database.create_function("contains", 2, _contains, deterministic=True)
    if may_write:
        database.execute("PRAGMA synchronous=NORMAL")
    return database


def _contains(value: str | None, part: str) -> bool:
    """The values of a column stand a line each; ``part`` is in lower case."""
    return value is not None and any(part in line.casefold() for line in str(value).split("\n"))


def _crc(*parts: bytes) -> int:
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc


def _starts(blocks: Sequence[bytes]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([len(block) for block in blocks])]).astype(np.int64)


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _pieces(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _SOME):
        yield values[start : start + _SOME]
