"""What is measured on: retrieval sets in the BEIR layout, question files, libraries of papers.

Libraries made for a measurement live in a cache folder, under a name that changes with the
papers, the embedding model and the chunking, so that a second run starts at once; vectors are
remembered by text, so that another chunking embeds only what is new.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import ir_measures
from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, Field

from assistant import Assistant
from assistant.embedding import open_embedder
from assistant.errors import AssistantError
from assistant.paper import Paper, normalised_title
from assistant.results import Message, Rejection
from assistant.settings import APP, Settings
from eval.embedders import RememberingEmbedder

Kind = Literal[
    "fact", "find", "multi", "list", "definition", "how", "compare", "yes_no", "limits", "two",
    "false_premise", "library", "misspelt", "language", "follow", "absent",
]  # fmt: skip
Notify = Callable[[str], None]
Line = TypeVar("Line", bound=BaseModel)

QUESTIONS = Path(__file__).with_name("questions")
_PACKAGE = Path(__file__).parents[1] / "assistant"


class Question(BaseModel):
    """One line of a question file; see eval/README.md for what the kinds mean."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: Kind
    question: str
    history: list[Message] = Field(default_factory=list)
    turns: list[str] = Field(default_factory=list)
    """Questions that are asked first, so that the history is what the program itself said."""
    gold_titles: list[str] = Field(default_factory=list)
    gold_facts: list[str] = Field(default_factory=list)
    answer: str = ""
    absent_type: str | None = None
    follow_type: str | None = None
    language: str = "en"

    @property
    def answerable(self) -> bool:
        """Whether the library holds an answer."""
        return self.kind != "absent"


def read_questions(path: Path) -> list[Question]:
    """The questions of a JSON Lines file; see `read_lines`."""
    return read_lines(path, Question, "a question")


def read_lines(path: Path, model: type[Line], what: str) -> list[Line]:
    """The lines of a JSON Lines file, each ``what``.

    Raises:
        EvalError: it cannot be read, or a line is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise EvalError(f"{path} cannot be read: {error.strerror}.") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found += [model.model_validate_json(line)] if line.strip() else []
        except ValueError as error:
            reason = " ".join(str(error).split())
            raise EvalError(f"{path}, line {number}, is not {what}: {reason}") from None
    return found


class EvalError(AssistantError):
    """Something that the person who measures can mend."""


@dataclass(frozen=True)
class RetrievalSet:
    """Queries with judged documents: ``qrels[query][document]`` is the relevance, > 0 if any."""

    name: str
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]
    by_source: bool = False
    """Documents are named by the ids of their source, else by those of the papers."""

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
    records = json_lines(folder / "queries.jsonl")
    queries = {str(r["_id"]): str(r["text"]) for r in records if str(r["_id"]) in qrels}

    corpus = folder / "corpus.jsonl"

    def papers() -> Iterator[Paper]:
        for record in json_lines(corpus):
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

    return RetrievalSet(folder.resolve().name, queries, qrels, by_source=True), papers


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file that this project wrote, or that a BEIR folder holds."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


# ---------------------------------------------------------------------- gold titles


class GoldFinder:
    """Finds the papers that gold titles name, loosely about case, punctuation and LaTeX.

    A title may be told by what stands before its colon, where no other begins so.
    """

    def __init__(self, papers: Iterable[Paper]) -> None:
        self._by_title: dict[str, set[str]] = {}
        self._by_head: dict[str, set[str]] = {}
        for paper in papers:
            self._by_title.setdefault(paper.title_key, set()).add(paper.id)
            head, colon, _ = paper.title.partition(":")
            if colon:
                self._by_head.setdefault(normalised_title(head), set()).add(paper.title_key)

    def ids(self, question: Question) -> list[set[str]]:
        """For every gold title of ``question`` the ids of the papers that have it.

        Titles such as "#2" name what an answer before shows, and are left out.

        Raises:
            EvalError: no paper of the library has one of the titles.
        """
        return [
            self._named(title, question.id)
            for title in question.gold_titles
            if not title.startswith("#")
        ]

    def papers(self, title: str) -> set[str]:
        """The ids of the papers that have ``title``; empty where none has."""
        from assistant.reading.latex import readable  # noqa: PLC0415

        keys = [normalised_title(title), normalised_title(readable(title))]
        heads = self._by_head.get(keys[0], set())
        keys += heads if len(heads) == 1 else ()
        return next((self._by_title[key] for key in keys if key in self._by_title), set())

    def _named(self, title: str, question_id: str) -> set[str]:
        found = self.papers(title)
        if not found:
            raise EvalError(
                f"The gold title {title!r} of question {question_id} is not in the library.",
                "Give the papers that the questions were written for with --papers.",
            )
        return found


# ---------------------------------------------------------------------- libraries


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
        return RememberingEmbedder(open_embedder(self.settings, notify=self.notify), self.folder)

    def open(self, path: Path) -> Assistant:
        """The assistant over the library in the folder ``path``."""
        # every setting as in the bench's own, so that a sweep can change one
        settings = self.settings.model_copy(update={"library": path})
        return Assistant(settings, embedder=self.embedder, notify=self.notify)

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
