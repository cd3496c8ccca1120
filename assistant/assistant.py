"""The facade: everything that a front end can ask for, and nothing that it can see.

    from assistant import Assistant

    assistant = Assistant.open("my-library")
    assistant.ingest(["papers.bib"])
    print(assistant.ask("Which papers prune experts without retraining?"))

All front ends (terminal, page, server, notebooks) call this class and hold no logic of their
own. One object may be used from several threads and tasks at once.
"""

from __future__ import annotations

import asyncio
import copy
import ctypes
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import date
from functools import cached_property
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from assistant.answering.streams import events_of, extractive_events
from assistant.asked_filters import Asked, asked_filters
from assistant.errors import AssistantError, ConfigurationError, LibraryNotFound, QuestionError
from assistant.files import missing
from assistant.filters import Filters
from assistant.library import Library
from assistant.paper import Paper, squeeze
from assistant.results import (
    Answer,
    DoneEvent,
    ErrorEvent,
    Event,
    IngestReport,
    Message,
    Rejection,
    SearchResult,
)
from assistant.seams import GivenRetriever, as_embedder
from assistant.settings import Settings
from assistant.text import words

if TYPE_CHECKING:
    import numpy as np
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms import LLM
    from llama_index.vector_stores.chroma import ChromaVectorStore
    from numpy.typing import NDArray

    from assistant.answering.evidence import PassageReader
    from assistant.answering.extractive import ExtractiveAnswerer
    from assistant.answering.generative import Effort, GenerativeAnswerer
    from assistant.embedding import Embedder
    from assistant.endpoint import Cancellation
    from assistant.filters import Filters
    from assistant.reading import SourceReader
    from assistant.retrieval import PaperRetriever
    from assistant.retrieved import Retrieval, RetrievedPaper
    from assistant.review.cells import Material
    from assistant.review.generative import ReviewWriter
    from assistant.review.model import Review, ReviewCandidate, ReviewEstimate, ReviewProgress
    from assistant.review.screening import Screening
    from assistant.review.screenings import Screenings
    from assistant.review.session import ScreeningSession
    from assistant.review.table import Corrections, Table
    from assistant.review.writer import Prepared
    from assistant.settings import Verify
    from assistant.sources.enriching import EnrichmentService, EnrichProgress, EnrichReport
    from assistant.sources.syncing import OnProgress, Sync, SyncReport
    from assistant.watch import Digest

__all__ = ["Assistant"]

DEFAULT_COLUMNS = "method, result, sample size, data set, compared with"
"""Of a table."""
MAX_QUESTION = 4000
"""Characters of a question that are read; the rest is cut off, and the answer says so."""
MOST_SCREENED = 20_000
"""Papers of a screening, the nearest to its topic: of each the model keeps words and meaning."""

FROM_RECORDS = "Told from the library's records; no language model was asked."

History = Sequence[Message | dict[str, str]]
Sources = Sequence[str | Path | Paper | Mapping[str, Any]] | str | Path | Paper | Mapping[str, Any]


class Assistant:
    """Answers questions over a library of abstracts.

    Args:
        settings: where the library is and how it is used; read from the environment and the
            configuration file if not given.
        embedder: turns text into vectors; a LlamaIndex embedding model will do.
        retriever: finds the papers of a question; any LlamaIndex retriever will do, whose nodes
            are abstracts with a ``title`` in their metadata.
        store: a LlamaIndex Chroma vector store whose collection is to hold the library.
        llm: a LlamaIndex language model that writes: answers, reviews, free columns of tables.
        notify: told in one line about what takes long or waits; nobody is told by default.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        embedder: Embedder | BaseEmbedding | None = None,
        retriever: BaseRetriever | None = None,
        store: ChromaVectorStore | None = None,
        llm: LLM | None = None,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings or Settings.load()
        self._notify = notify
        self._lock = threading.RLock()
        self._given_retriever, self._given_llm = retriever, llm
        if llm is not None:  # every door asks the settings whether a model writes
            name = llm.metadata.model_name
            self.settings = self.settings.model_copy(update={"llm": name})
        self._opened_embedder: Embedder | None = None if embedder is None else as_embedder(embedder)
        self._given_embedder = self._opened_embedder
        self._opened_retriever: PaperRetriever | None = None
        self._opened_generative: GenerativeAnswerer | None = None
        self._opened_extractive: ExtractiveAnswerer | None = None
        self._opened_reader: PassageReader | None = None
        self._opened_review_writer: ReviewWriter | None = None
        self._citation_keys: tuple[str, Mapping[str, str]] = ("", {})
        self._is_derived = False
        self.library = Library(self.settings, self._embedder, notify, store)

    @classmethod
    def open(cls, path: str | Path, **settings: Any) -> Assistant:
        """An assistant over the library in the folder ``path``; it need not exist yet."""
        return cls(Settings.load(library=Path(path), **settings))

    # ------------------------------------------------------------------ papers

    def ingest(
        self,
        sources: Sources | SourceReader,
        on_progress: Callable[[IngestReport], None] | None = None,
    ) -> IngestReport:
        """Adds papers, records (dicts), and those of files, folders, or "-"; see `Library.ingest`.

        A `SourceReader` in place of names lets the caller see how far the reading is.

        Raises:
            SourceError: nothing could be read at all.
            LibraryError: the library cannot be written, or is being written by another.
        """
        from assistant.reading import SourceReader  # noqa: PLC0415

        records = iter(sources) if isinstance(sources, SourceReader) else _records(sources)
        # what cannot be read at all is told before a model is fetched or a folder made
        first = list(islice(records, 1))
        return self.library.ingest(chain(first, records), on_progress)

    def citation_keys(self) -> Mapping[str, str]:
        """Id of each paper → the key that it is cited by in every export; see `citation_keys`."""
        from assistant.exporting import citation_keys  # noqa: PLC0415

        version = self.library.version if len(self.library) else ""
        with self._lock:
            made, keys = self._citation_keys
            if made != version:
                keys = citation_keys(self.library.papers())
                self._citation_keys = version, keys
            return keys

    def sync(
        self,
        sources: Sequence[str] | str = (),
        on_progress: OnProgress | None = None,
        *,
        limit: int | None = None,
        restart: bool = False,
        notify: Callable[[str], None] | None = None,
    ) -> SyncReport:
        """Adds what is new at services and feeds since the last time; see `sources.syncing.Sync`.

        ``notify`` is told when a service makes us wait.

        Raises:
            SourceError: a name is none, or nothing could be read.
            LibraryError: the library cannot be written.
        """
        from assistant.watch import Watches  # noqa: PLC0415

        names = [sources] if isinstance(sources, str) else list(sources)
        report = self.sources(notify).run(names, on_progress, limit=limit, restart=restart)
        if report.added and (watches := Watches(self.library)).used:
            watches.notice()
        return report

    def enrich(
        self,
        on_progress: Callable[[EnrichProgress], None] | None = None,
        *,
        service: EnrichmentService = "openalex",
        limit: int | None = None,
        again: bool = False,
    ) -> EnrichReport:
        """Fills in authors, years, venues and DOIs that papers lack; see `sources.enriching`.

        Raises:
            SourceError: the service cannot be asked; what was filled in is kept.
            LibraryError: the library cannot be written.
        """
        from assistant.sources.enriching import Enrichment  # noqa: PLC0415

        notify = self._notify or (lambda _: None)
        enrichment = Enrichment(self.library, self.settings.sources, notify, service)
        return enrichment.run(on_progress, limit=limit, again=again)

    def digest(self, watch: str | None = None, *, since: date | None = None, k: int = 10) -> Digest:
        """What is new since the last digest, ranked by what was liked; see `assistant.watch`.

        Raises:
            WatchError: there is no such watch, or none at all.
            LibraryNotFound: there is no paper.
        """
        from assistant.watch import make_digest  # noqa: PLC0415

        profile = self.settings.profile
        return make_digest(
            self.library, self._retriever(), watch, since=since, k=k, with_profile=profile
        )

    def similar(self, paper: str, k: int | None = None) -> list[SearchResult]:
        """The ``k`` papers of the library most like ``paper``, each with its nearest sentence.

        Raises:
            PaperNotFound: no paper of the library is called so.
        """
        one = self.library.paper(paper)
        text = f"{one.title}. {one.abstract}" if one.title else one.abstract
        k = k or self.settings.retrieval.top_k
        found = self._retriever().find(text, k + 1)
        return _results([near for near in found if near.paper.id != one.id][:k], found.vector)

    def sources(self, notify: Callable[[str], None] | None = None) -> Sync:
        """What the library remembers of its sources (``.memory``), and the syncing of them."""
        from assistant.sources.syncing import Sync  # noqa: PLC0415

        notify = notify or self._notify or (lambda _: None)
        return Sync(self.library, self.settings.sources, notify)

    # ------------------------------------------------------------------ questions

    def search(
        self, query: str, k: int | None = None, *, filters: Filters | None = None
    ) -> list[SearchResult]:
        """The ``k`` best papers for ``query`` that fit ``filters``, each with its best passage."""
        found = self._retriever(filters).find(_checked(query)[0], k)
        return _results(self._by_interest(found), found.vector)

    def ask(
        self,
        question: str,
        history: History = (),
        *,
        effort: Effort | None = None,
        verify: Verify | bool | None = None,
        filters: Filters | None = None,
        k: int | None = None,
    ) -> Answer:
        """Answers ``question``; ``history`` holds the turns before it, oldest first.

        ``effort`` and ``verify`` are of an answer written by a language model; as the settings
        say if not given. ``filters``: only these papers; filters that the question names in
        words ("since 2022") hold where none are given. ``k``: papers that are retrieved.

        Raises:
            QuestionError: there is no word in the question.
            LibraryNotFound: there is no paper to answer from.
            EndpointError: the endpoint failed; ``error.partial`` is what there is of the answer.
        """
        for event in self.stream(
            question, history, effort=effort, verify=verify, filters=filters, k=k
        ):
            if isinstance(event, DoneEvent):
                return event.answer
            if isinstance(event, ErrorEvent):
                raise event.error or AssistantError(event.message)
        raise AssertionError("a stream ends with its answer or an error")  # pragma: no cover

    def stream(
        self,
        question: str,
        history: History = (),
        *,
        effort: Effort | None = None,
        verify: Verify | bool | None = None,
        filters: Filters | None = None,
        k: int | None = None,
        cancellation: Cancellation | None = None,
    ) -> Generator[Event, None, None]:
        """The events of answering ``question``: steps, text, citations, verdicts, the answer.

        The last event is a DoneEvent, or an ErrorEvent where an endpoint failed under way.
        Closing the iterator, or setting ``cancellation`` from any thread, stops the work, also
        at the provider of a language model.

        Raises:
            AssistantError: the work cannot begin, as `ask` says.
        """
        turns = [Message.model_validate(turn) for turn in history]
        question, notes = _checked(question)
        asked = Asked(question) if filters else self._asked(question)
        if asked.note:
            notes.append(asked.note)
        filters, papers = filters or asked.filters, len(self.library)
        answerer = self._extractive(k)
        told = answerer.of_records(asked.text, turns, filters) if self.settings.llm else None
        if told is not None:  # exactly, where a model would count what it has been given to read
            told.notes = [*notes, FROM_RECORDS]
            events = events_of(told)
        elif self.settings.llm:
            events = self._generative().stream(
                asked.text,
                turns,
                papers=papers,
                notes=notes,
                effort=effort,
                verify=verify,
                filters=filters,
                k=k,
                cancellation=cancellation,
            )
        else:
            events = extractive_events(
                asked.text, turns, papers=papers, notes=notes, answerer=answerer, filters=filters
            )
        with closing(cast("Generator[Event, None, None]", events)):
            for event in events:
                if isinstance(event, DoneEvent):
                    event.answer.question = question
                    event.answer.filtered = asked.note
                yield event

    async def aask(
        self,
        question: str,
        history: History = (),
        *,
        effort: Effort | None = None,
        verify: Verify | bool | None = None,
        filters: Filters | None = None,
        k: int | None = None,
    ) -> Answer:
        """`ask` for async code; the work runs in a thread."""
        async for event in self.astream(
            question, history, effort=effort, verify=verify, filters=filters, k=k
        ):
            if isinstance(event, DoneEvent):
                return event.answer
            if isinstance(event, ErrorEvent):
                raise event.error or AssistantError(event.message)
        raise AssertionError("a stream ends with its answer or an error")  # pragma: no cover

    async def astream(
        self,
        question: str,
        history: History = (),
        *,
        effort: Effort | None = None,
        verify: Verify | bool | None = None,
        filters: Filters | None = None,
        k: int | None = None,
    ) -> AsyncIterator[Event]:
        """`stream` for async code; each step runs in a thread of this stream's own.

        Cancelling the task, or closing the iterator, stops the work as `stream` says.
        """
        from assistant.endpoint import Cancellation  # noqa: PLC0415

        cancellation = Cancellation()
        events = self.stream(
            question,
            history,
            effort=effort,
            verify=verify,
            filters=filters,
            k=k,
            cancellation=cancellation,
        )
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, "assistant-stream")
        try:
            while (event := await loop.run_in_executor(thread, next, events, None)) is not None:
                yield event
        finally:
            cancellation.set()  # a step that still runs ends at once
            thread.submit(events.close)
            thread.shutdown(wait=False)

    def derived(self, settings: Settings) -> Assistant:
        """An assistant with other settings for retrieval and answers, over the same library.

        What is slow to open is shared; connections to a language model are its own.

        Raises:
            WeightsError: the embedding model cannot be opened.
        """
        with self._lock:
            self._reader()
            other = copy.copy(self)
        other.settings, other._is_derived = settings, True
        other._lock = threading.RLock()
        other._opened_retriever = other._opened_generative = other._opened_review_writer = None
        other._opened_extractive = None
        return other

    @property
    def retriever(self) -> PaperRetriever:
        """What finds the papers: a LlamaIndex retriever, for anybody's query engine.

        Raises:
            LibraryNotFound: there is no paper to find.
        """
        return self._retriever()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------ reviews

    def review(
        self,
        topic: str,
        papers: int = 30,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        on_progress: Callable[[ReviewProgress], None] | None = None,
        *,
        filters: Filters | None = None,
        since: Review | None = None,
        cancellation: Cancellation | None = None,
    ) -> Review:
        """A literature review of ``topic``, from at most ``papers`` papers of the library.

        Written by the language model of the settings, where one is set, else made of sentences
        of the abstracts. A topic that the library does not hold gives a review that says so
        (``status`` "absent").

        Args:
            include: ids or titles of papers that it has to use; they count among ``papers``.
            exclude: ids or titles of papers that it must not use.
            on_progress: told what is being done, how far it is, tokens and time left.
            filters: only papers that fit them.
            since: an earlier review of the topic: papers that it did not use are marked as new.
            cancellation: stops the calls of a language model when set, from any thread.

        Raises:
            QuestionError: the topic holds no word that tells it, or ``papers`` is less than 1.
            PaperNotFound: no paper of the library is called so.
            LibraryNotFound: there is no paper to review.
            EndpointError: the endpoint failed; the same call goes on where it was.
        """
        prepared = self._prepared_review(topic, papers, include, exclude, on_progress, filters)
        if self.settings.llm:
            made = self._review_writer().write(prepared, on_progress, cancellation)
        else:
            from assistant.review.writer import write  # noqa: PLC0415

            made = write(prepared, on_progress)
        keys = self.citation_keys() if made.references else {}
        known = {reference.paper.id for reference in since.references} if since else set()
        for reference in made.references:
            reference.key = keys.get(reference.paper.id, "")
            reference.new = since is not None and reference.paper.id not in known
        return made

    def review_candidates(
        self,
        topic: str,
        papers: int = 30,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        filters: Filters | None = None,
    ) -> list[ReviewCandidate]:
        """The papers that `review` would use (ring "core"), then those it would list ("related").

        Raises:
            AssistantError: as `review`.
        """
        from assistant.review.candidates import find  # noqa: PLC0415
        from assistant.review.model import ReviewCandidate  # noqa: PLC0415

        topic, used, dropped = self._review_names(topic, papers, include, exclude)
        found = find(
            topic,
            self._retriever(),
            self._reader(),
            wanted=papers,
            include=used,
            exclude=dropped,
            filters=filters,
        )
        return [
            ReviewCandidate(
                paper=c.paper, relevance=c.relevance, by_hand=c.by_hand, ring=ring, why=c.why
            )
            for ring, papers_of in (("core", found.core), ("related", found.related))
            for c in papers_of
        ]

    def preview_review(
        self,
        topic: str,
        papers: int = 30,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        filters: Filters | None = None,
    ) -> ReviewEstimate | None:
        """What `review` would take of the language model, without a call; None without a model.

        Raises:
            AssistantError: as `review`.
        """
        if not self.settings.llm:
            return None
        prepared = self._prepared_review(topic, papers, include, exclude, None, filters)
        return self._review_writer().estimate(prepared)

    def table(
        self,
        topic: str | None = None,
        columns: str | Sequence[str] = DEFAULT_COLUMNS,
        papers: int = 100,
        *,
        metric: str | None = None,
        filters: Filters | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        cancellation: Cancellation | None = None,
    ) -> Table:
        """A table over the papers about ``topic``, or over all; each cell is a verbatim quotation.

        Args:
            topic: None for the whole library.
            columns: any names, such as "sample size, accuracy=value, compared with"; those that
                cannot be read by form alone are filled by the language model, if one is set. Of
                the default ones, those that no paper fills are left out.
            papers: rows at the most, where there is a topic.
            metric: in place of columns, one row for each number that measures this.
            filters: only papers that fit them.
            on_progress: papers that the language model has read, of how many.

        Raises:
            QuestionError: no column, or a topic that holds no word.
            LibraryNotFound: there is no paper.
            EndpointError: the endpoint failed; the same call goes on where it was.
        """
        from assistant.review.table import (  # noqa: PLC0415
            checked_columns,
            leaderboard,
            reader_of,
            tabulated,
        )

        names = checked_columns(columns)
        materials = self._table_materials(topic, papers, filters)
        if metric:
            return leaderboard(materials, metric)
        free, usage, open_ = None, None, [name for name in names if not reader_of(name)[1]]
        if self.settings.llm and open_:
            from assistant.review.freecells import FreeCells  # noqa: PLC0415

            cells = FreeCells(self.settings, self._given_llm)
            try:
                free, usage = cells.read(materials, open_, on_progress, cancellation)
            finally:
                cells.close()
        made = tabulated(
            materials,
            names,
            topic=topic,
            keys=self.citation_keys(),
            corrections=self.table_corrections(),
            free=free,
        )
        made.usage = usage
        return made.without_empty_columns() if columns == DEFAULT_COLUMNS else made

    def preview_table(
        self,
        topic: str | None = None,
        columns: str | Sequence[str] = DEFAULT_COLUMNS,
        papers: int = 100,
        *,
        filters: Filters | None = None,
    ) -> ReviewEstimate | None:
        """What `table` would take of the language model, without a call; None where nothing."""
        from assistant.review.freecells import FreeCells  # noqa: PLC0415
        from assistant.review.table import checked_columns, reader_of  # noqa: PLC0415

        open_ = [name for name in checked_columns(columns) if not reader_of(name)[1]]
        if not self.settings.llm or not open_:
            return None
        cells = FreeCells(self.settings, self._given_llm)
        try:
            return cells.estimate(self._table_materials(topic, papers, filters), open_)
        finally:
            cells.close()

    def table_corrections(self) -> Corrections:
        """What was put in the place of cells; ``.keep(paper_id, column, text)`` adds to it."""
        from assistant.review.table import Corrections  # noqa: PLC0415

        return Corrections(self.library.path / "table-corrections.json")

    def screen(
        self,
        topic: str,
        *,
        criteria: str = "",
        file: Path | None = None,
        filters: Filters | None = None,
    ) -> ScreeningSession:
        """A screening of the library for a systematic review: ``.next()``, ``.decide(…)``.

        Args:
            topic: the papers are asked in its order until decisions say more.
            criteria: lines "include: …" and "exclude: …".
            file: where the decisions are kept; one that is there is gone on with.
            filters: of a new one: only papers that fit them.

        Raises:
            QuestionError: the topic holds no word that tells it.
            SourceError: the file holds no screening.
            ConfigurationError: it holds one of another topic.
            LibraryNotFound: there is no paper that fits.
        """
        from assistant.review.screening import Screening, read_criteria  # noqa: PLC0415

        if file and (file.exists() or file in missing(file.parent)):
            kept = Screening.load(file)
            if squeeze(kept.topic).casefold() != squeeze(topic).casefold():
                raise ConfigurationError(
                    f"{file} holds the decisions on “{kept.topic}”.",
                    "Ask for that topic to go on with them, or name another file with --file.",
                )
            session = self._screening(kept, file, topic=topic)
        else:
            session = self._screening(Screening(topic=topic, filters=filters or Filters()), file)
        if criteria:
            session.judge_by(read_criteria(criteria))
        return session

    @cached_property
    def screenings(self) -> Screenings:
        """The screenings that are kept in the library's folder, by name."""
        from assistant.review.screenings import Screenings  # noqa: PLC0415

        return Screenings(self.library.path, lambda: self.library.version, self._screening)

    def _screening(self, kept: Screening, file: Path | None, topic: str = "") -> ScreeningSession:
        """A session over the papers that ``kept`` asks for."""
        from assistant.review.session import ScreeningSession  # noqa: PLC0415
        from assistant.review.writer import checked_topic  # noqa: PLC0415

        text, _ = checked_topic(topic or kept.topic)
        if not kept.papers and (kept.most or len(self.library)) > MOST_SCREENED:
            kept.most = MOST_SCREENED
        found = self._retriever().find(text, kept.most or len(self.library), kept.filters)
        if not found.papers:
            raise LibraryNotFound("No paper fits what was chosen.", "Choose other papers.")
        return ScreeningSession(kept, found.papers, file)

    def _table_materials(
        self, topic: str | None, papers: int, filters: Filters | None
    ) -> list[Material]:
        from assistant.review.candidates import about, everything  # noqa: PLC0415
        from assistant.review.writer import checked_topic, materials_of  # noqa: PLC0415

        retriever = self._retriever()
        if topic is None:
            wanted = (p for p in self.library.papers() if not filters or filters.fits(p))
            return materials_of(everything([p.id for p in wanted], retriever))
        text, _ = checked_topic(topic)
        chosen, vector = about(text, retriever, self._reader(), wanted=papers, filters=filters)
        return materials_of(chosen, vector)

    def _prepared_review(
        self,
        topic: str,
        papers: int,
        include: Sequence[str],
        exclude: Sequence[str],
        on_progress: Callable[[ReviewProgress], None] | None,
        filters: Filters | None = None,
    ) -> Prepared:
        from assistant.review.writer import prepare  # noqa: PLC0415

        _, used, dropped = self._review_names(topic, papers, include, exclude)
        return prepare(
            topic,
            self._retriever(),
            self._reader(),
            papers=papers,
            include=used,
            exclude=dropped,
            filters=filters,
            on_progress=on_progress,
        )

    def _review_names(
        self, topic: str, papers: int, include: Sequence[str], exclude: Sequence[str]
    ) -> tuple[str, list[str], list[str]]:
        """The topic as it is read, and the ids of what is to be used and what is not."""
        from assistant.review.writer import checked_topic  # noqa: PLC0415

        text, _ = checked_topic(topic)
        if papers < 1:
            raise QuestionError("A review needs at least one paper.", "Ask for 1 or more.")
        self._retriever()
        return (
            text,
            [self.library.paper(name).id for name in include],
            [self.library.paper(name).id for name in exclude],
        )

    def _review_writer(self) -> ReviewWriter:
        with self._lock:
            if self._opened_review_writer is None:
                from assistant.review.generative import ReviewWriter  # noqa: PLC0415

                self._opened_review_writer = ReviewWriter(
                    self.settings, self._reader(), self._given_llm
                )
            return self._opened_review_writer

    def close(self) -> None:
        """Closes the connections to a language model and, unless it is derived from another, the
        library's files; lets go of the embedding model and of what is kept of papers. The next
        question opens them again.
        """
        with self._lock:
            self._opened_embedder = self._given_embedder
            self.__dict__.pop("screenings", None)  # it holds this assistant, too: a circle
            self._opened_reader = self._opened_extractive = self._opened_retriever = None
            answerer, self._opened_generative = self._opened_generative, None
            writer, self._opened_review_writer = self._opened_review_writer, None
        if writer is not None:
            writer.close()
        if answerer is not None:
            answerer.close()
        if not self._is_derived:
            self.library.close()
            _give_back()

    # ------------------------------------------------------------------ inside

    def _by_interest(self, found: Retrieval) -> Sequence[RetrievedPaper]:
        """What was found, ties ordered by the person's interests where the settings say so."""
        if not self.settings.profile:
            return found.papers
        from assistant.profile import Profile, by_interest  # noqa: PLC0415

        interests = Profile(self.library.path).interests()
        if not interests:
            return found.papers
        return by_interest(found.papers, self._embedder().embed(interests))

    def _asked(self, question: str) -> Asked:
        """Which papers the question itself says that it means, where the records can tell."""
        if self._given_retriever is not None:
            return Asked(question)
        ask = self.library.asked
        return asked_filters(
            question,
            lambda: {int(year) for year, _ in ask(lambda records: records.counts("year"))},
            lambda name: ask(lambda records: records.values("authors", [name])),
        )

    def _embedder(self) -> Embedder:
        with self._lock:
            if self._opened_embedder is None:
                from assistant.embedding import open_embedder  # noqa: PLC0415

                self._opened_embedder = open_embedder(self.settings, notify=self._notify)
            return self._opened_embedder

    def _reader(self) -> PassageReader:
        with self._lock:
            if self._opened_reader is None:
                from assistant.answering.evidence import PassageReader  # noqa: PLC0415

                self._opened_reader = PassageReader(self._embedder())
            return self._opened_reader

    def _extractive(self, k: int | None = None) -> ExtractiveAnswerer:
        """The answerer without a language model, made when it is first needed."""
        with self._lock:
            if k is not None:
                return self._extractive().over(self._retriever(k=k), k)
            if self._opened_extractive is None:
                from assistant.answering.extractive import open_answerer  # noqa: PLC0415

                self._opened_extractive = open_answerer(
                    self.settings, self.library, self._retriever(), self._reader()
                )
            return self._opened_extractive

    def _generative(self) -> GenerativeAnswerer:
        """The answerer of the configured language model, made when it is first needed."""
        with self._lock:
            if self._opened_generative is None:
                from assistant.answering.generative import open_answerer  # noqa: PLC0415

                self._opened_generative = open_answerer(
                    self.settings,
                    self._retriever(),
                    self._embedder(),
                    self._reader(),
                    self._given_llm,
                )
            return self._opened_generative

    def _retriever(self, filters: Filters | None = None, k: int | None = None) -> PaperRetriever:
        with self._lock:
            if filters or k is not None:
                return self._retriever().filtered(filters, k)
            if self._opened_retriever is None:
                from assistant.retrieval import PaperRetriever  # noqa: PLC0415

                if self._given_retriever is not None:
                    given: Any = self._given_retriever
                    if not hasattr(given, "find"):  # else one of ours, over one library or several
                        top_k = self.settings.retrieval.top_k
                        given = GivenRetriever(given, self._embedder(), top_k)
                    self._opened_retriever = cast("PaperRetriever", given)
                    return self._opened_retriever
                self.library.ready()  # says what is wrong with it before anything else is loaded
                self._opened_retriever = PaperRetriever(
                    self.library, self._embedder(), self.settings.retrieval
                )
            return self._opened_retriever


def _records(sources: Sources) -> Iterator[Paper | Rejection]:
    """What the sources hold, in their order: papers as they are, records, and files."""
    from assistant.reading import SourceReader  # noqa: PLC0415
    from assistant.reading.fields import paper_from  # noqa: PLC0415

    each = [sources] if isinstance(sources, str | Path | Paper | Mapping) else list(sources)
    for given, group in groupby(each, lambda one: isinstance(one, Paper | Mapping)):
        if not given:
            yield from SourceReader(cast("list[str | Path]", list(group)))
            continue
        for number, one in enumerate(group, 1):
            if isinstance(one, Paper):
                yield one
            else:
                yield paper_from(one, source="Python", where=f"record {number}")


def _results(papers: Sequence[RetrievedPaper], vector: NDArray[np.float32]) -> list[SearchResult]:
    """Papers with their places and their sentences nearest to ``vector``."""
    return [
        SearchResult(
            rank=n,
            paper_id=paper.paper.id,
            title=paper.paper.label,
            score=round(paper.score, 4),
            passage=paper.best_passage(vector),
        )
        for n, paper in enumerate(papers, 1)
    ]


def _give_back() -> None:
    """Gives memory back to the system (glibc): the holes, and from now on also what is larger
    than 1 MB as soon as it is let go of.

    Weights and what is kept of papers leave holes else, some 15 MB for each library opened and
    closed: glibc puts large pieces among the small ones once it has been given one back.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library
        library, threshold = ctypes.CDLL(None), -3  # M_MMAP_THRESHOLD of malloc.h
        library.mallopt(threshold, 1 << 20)
        library.malloc_trim(0)


def _checked(question: str) -> tuple[str, list[str]]:
    """The question as it will be read, and notes on what was done to it."""
    text = squeeze(question.encode("utf-8", "replace").decode("utf-8"))
    if not words(text):
        raise QuestionError("The question holds no word.", "Ask something, in a sentence or words.")
    if len(text) <= MAX_QUESTION:
        return text, []
    note = f"Of a question of {len(text):,} characters the first {MAX_QUESTION:,} were read."
    return text[:MAX_QUESTION], [note]
