"""What is measured on: retrieval sets in the BEIR layout, question files, libraries of papers.

Libraries made for a measurement live in a cache folder, under a name that changes with the
papers, the embedding model and the chunking, so that a second run starts at once; vectors are
remembered by text, so that another chunking embeds only what is new.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import ir_measures
import numpy as np
from assistant.index import SearchIndex
from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, Field

from assistant import Assistant
from assistant.embedding import Embedder, Vectors, WordEmbedder, open_embedder
from assistant.errors import AssistantError
from assistant.paper import Paper, normalised_title
from assistant.results import Message, Rejection
from assistant.settings import APP, Settings

Kind = Literal["fact", "find", "multi", "absent", "follow"]
Notify = Callable[[str], None]

QUESTIONS = Path(__file__).with_name("questions")
_PACKAGE = Path(__file__).parents[1] / "assistant"


class Question(BaseModel):
    """One line of a question file; see eval/README.md for what the kinds mean."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: Kind
    question: str
    history: list[Message] = Field(default_factory=list)
    gold_titles: list[str] = Field(default_factory=list)
    gold_facts: list[str] = Field(default_factory=list)
    answer: str = ""
    absent_type: str | None = None

    @property
    def answerable(self) -> bool:
        """Whether the library holds an answer."""
        return self.kind != "absent"


def read_questions(path: Path) -> list[Question]:
    """The questions of a JSON Lines file.

    Raises:
        EvalError: it cannot be read, or a line is not a question.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise EvalError(f"{path} cannot be read: {error.strerror}.") from None
    questions = []
    for number, line in enumerate(lines, 1):
        try:
            questions += [Question.model_validate_json(line)] if line.strip() else []
        except ValueError as error:
            reason = " ".join(str(error).split())
            raise EvalError(f"{path}, line {number}, is not a question: {reason}") from None
    return questions


class EvalError(AssistantError):
    """Something that the person who measures can mend."""


@dataclass(frozen=True)
class RetrievalSet:
    """Queries with judged documents: ``qrels[query][document]`` is the relevance, > 0 if any."""

    name: str
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]

    def judgements(self) -> list[ir_measures.Qrel]:
        """The judgements as ir-measures takes them."""
        return [
            ir_measures.Qrel(query, document, relevance)
            for query, judged in self.qrels.items()
            for document, relevance in judged.items()
        ]


def read_beir(folder: Path) -> tuple[RetrievalSet, Callable[[], Iterator[Paper]]]:
    """A BEIR folder: the set, and its papers (each keyed by the ``_id`` of its record)."""
    qrels_file = next(
        (p for p in (folder / "qrels.tsv", folder / "qrels" / "test.tsv") if p.is_file()), None
    )
    for needed in ("corpus.jsonl", "queries.jsonl"):
        if not (folder / needed).is_file():
            raise EvalError(f"{folder} has no {needed}: it is not a BEIR folder.")
    if qrels_file is None:
        raise EvalError(f"{folder} has neither qrels.tsv nor qrels/test.tsv.")
    qrels: dict[str, dict[str, int]] = {}
    for line in qrels_file.read_text(encoding="utf-8").splitlines():
        query, document, relevance = line.split("\t")
        if relevance.strip().lstrip("-").isdigit():  # the header is not
            qrels.setdefault(query, {})[document] = int(relevance)
    records = _json_lines(folder / "queries.jsonl")
    queries = {str(r["_id"]): str(r["text"]) for r in records if str(r["_id"]) in qrels}

    corpus = folder / "corpus.jsonl"

    def papers() -> Iterator[Paper]:
        for record in _json_lines(corpus):
            title, text = str(record.get("title") or ""), str(record.get("text") or "")
            if normalised_title(title) or text.strip():
                name = str(record["_id"])
                yield Paper(
                    title=title,
                    abstract=text,
                    key=f"id:{name}",
                    source=corpus.name,  # which tells its records apart by their ids
                    source_id=name,
                )

    return RetrievalSet(folder.resolve().name, queries, qrels), papers


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


# ---------------------------------------------------------------------- gold titles


@dataclass
class GoldFinder:
    """Finds the papers that gold titles name, loosely about case, punctuation and LaTeX."""

    index: SearchIndex
    _by_title: dict[str, list[int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for place, paper in enumerate(self.index.papers()):
            self._by_title.setdefault(paper.title_key, []).append(place)

    def places(self, question: Question) -> list[list[int]]:
        """For every gold title of ``question``, the places of the papers that have it.

        Raises:
            EvalError: no paper of the library has one of the titles.
        """
        found = []
        for title in question.gold_titles:
            places = self._by_title.get(normalised_title(title)) or self._loosely(title)
            if not places:
                raise EvalError(
                    f"The gold title {title!r} of question {question.id} is not in the library.",
                    "Give the papers that the questions were written for with --papers.",
                )
            found.append(places)
        return found

    def _loosely(self, title: str) -> list[int]:
        from assistant.reading.latex import readable  # noqa: PLC0415

        return self._by_title.get(normalised_title(readable(title)), [])


# ---------------------------------------------------------------------- libraries


class RememberingEmbedder:
    """An embedder that looks a text up on disk before it embeds it; same vectors, bit for bit."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._inner = embedder
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(embedder.fingerprint.encode()).hexdigest()[:12]
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            folder / f"vectors-{name}.sqlite", check_same_thread=False, timeout=60
        )
        self._db.execute("create table if not exists vectors (hash blob primary key, vector blob)")

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._inner.dimension

    @property
    def name(self) -> str:
        """Name for people."""
        return self._inner.name

    @property
    def fingerprint(self) -> str:
        """Of the model that computes the vectors."""
        return self._inner.fingerprint

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """As the model does it; only texts that were never seen are computed."""
        hashes = [hashlib.sha256(text.encode("utf-8", "replace")).digest()[:16] for text in texts]
        with self._lock:
            known = {key: self._look_up(key) for key in set(hashes)}
        new = list({h: i for i, h in enumerate(hashes) if known[h] is None}.items())
        if new:
            computed = self._inner.embed([texts[i] for _, i in new], progress)
            with self._lock, self._db:
                self._db.executemany(
                    "insert or replace into vectors values (?, ?)",
                    [(key, row.tobytes()) for (key, _), row in zip(new, computed, strict=True)],
                )
            known.update({key: row for (key, _), row in zip(new, computed, strict=True)})
        rows = np.empty((len(texts), self.dimension), dtype=np.float32)
        for n, key in enumerate(hashes):
            rows[n] = known[key]
        return rows

    def _look_up(self, key: bytes) -> Vectors | None:
        found = self._db.execute("select vector from vectors where hash = ?", (key,)).fetchone()
        return None if found is None else np.frombuffer(found[0], dtype=np.float32)

    def embed_query(self, text: str) -> Vectors:
        """Never remembered: questions are timed."""
        return self._inner.embed_query(text)

    def count_tokens(self, text: str) -> int:
        """As the model counts them."""
        return self._inner.count_tokens(text)


class RememberingWordEmbedder(RememberingEmbedder):
    """The same for a model that tells of the words inside a text, which is not remembered."""

    def __init__(self, embedder: WordEmbedder, folder: Path) -> None:
        super().__init__(embedder, folder)
        self._of_words = embedder

    def embed_spans(self, text: str, spans: Sequence[tuple[int, int]]) -> tuple[Vectors, Vectors]:
        """As the model does it."""
        return self._of_words.embed_spans(text, spans)

    def word_rarity(self, word: str) -> float:
        """As the model tells."""
        return self._of_words.word_rarity(word)


def remembering(embedder: Embedder, folder: Path) -> RememberingEmbedder:
    """``embedder``, its vectors of papers kept in ``folder``."""
    if isinstance(embedder, WordEmbedder):
        return RememberingWordEmbedder(embedder, folder)
    return RememberingEmbedder(embedder, folder)


@dataclass
class Bench:
    """Makes and opens libraries for measurements; one embedding model for all of them."""

    settings: Settings = field(default_factory=Settings.load)
    notify: Notify = lambda _: None
    cache: Path | None = None
    given: RememberingEmbedder | None = None
    """An embedding model that is open already; else that of the settings is opened."""

    @property
    def folder(self) -> Path:
        """Where the libraries of measurements live."""
        named = os.environ.get("ASSISTANT_EVAL_CACHE")
        return self.cache or (Path(named) if named else user_cache_path(APP) / "eval")

    @cached_property
    def embedder(self) -> RememberingEmbedder:
        """The embedding model."""
        if self.given is not None:
            return self.given
        return remembering(open_embedder(self.settings, notify=self.notify), self.folder)

    def open(self, path: Path) -> Assistant:
        """The assistant over the library in the folder ``path``."""
        # every setting as in the bench's own, so that a sweep can change one
        settings = self.settings.model_copy(update={"library": path})
        assistant = Assistant(settings, notify=self.notify)
        assistant._opened_embedder = self.embedder
        return assistant

    def library(self, name: str, papers: Callable[[], Iterable[Paper | Rejection]]) -> Assistant:
        """A library of ``papers``, made if it is not there yet."""
        key = self._key(papers())
        path = self.folder / f"{name}-{key}"
        assistant = self.open(path)
        if not (path / "complete").exists():
            self.notify(f"making the library {name}…")
            assistant.library.ingest(papers())
            (path / "complete").touch()
        return assistant

    def library_of(self, sources: Sequence[str | Path], path: Path | None = None) -> Assistant:
        """A library of what the readers find in ``sources``, at ``path`` or in the cache."""
        from assistant.reading import read  # noqa: PLC0415

        if path is None:
            name = Path(str(sources[0])).stem if len(sources) == 1 else "papers"
            return self.library(name, lambda: read(sources))
        assistant = self.open(path)
        assistant.ingest(list(sources))
        return assistant

    def _key(self, papers: Iterable[Paper | Rejection]) -> str:
        digest = hashlib.sha256(self.embedder.fingerprint.encode())
        digest.update(str(self.settings.chunking.max_tokens).encode())
        # another code makes another library; it costs little, as the vectors are remembered
        for path in sorted(_PACKAGE.glob("*.py")):
            digest.update(path.read_bytes())
        for paper in papers:
            if isinstance(paper, Paper):
                digest.update(repr(paper.names).encode())
        return digest.hexdigest()[:12]
