"""Generative answering: understand, retrieve, write, search again, verify, mend.

`GenerativeAnswerer.stream` gives the same events as extraction does. Nothing of one question
outlives it: every stream has its own `Turn`. An endpoint that fails ends the stream with an
ErrorEvent, which holds what there is of the answer; there is no falling back to extraction.

The steps, and the calls that they take:

    understand   one small call for searches in the model's words; no call where the library is
                 plainly about something else
    write        one call; sentences are shown as they end, but for those that say that
                 something is missing
    search again one small call and a second draft, where the first says that something is
                 missing: from the papers that it cites and those that are new
    verify       one call: verdicts, proofs, and sentences that stand for those that do not

"quick" leaves out all but writing; "deep" asks after each draft what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from assistant.answering.beside import Said, is_beside
from assistant.answering.calls import Calls
from assistant.answering.papers import fuse
from assistant.answering.turn import Effort, Turn
from assistant.answering.understanding import Plan
from assistant.conversation import references_in, small_talk, standalone
from assistant.endpoint.chat import Cancellation, Endpoint
from assistant.endpoint.ledger import Ledger
from assistant.errors import CostCapReached, EndpointError
from assistant.filters import Filters
from assistant.languages import language
from assistant.paper import normalised_title
from assistant.prompting import Prompts
from assistant.results import (
    DoneEvent,
    ErrorEvent,
    Event,
    Message,
    Sentence,
    Status,
    StatusEvent,
    TextEvent,
    VerdictEvent,
)
from assistant.retrieved import Retrieval, RetrievedPaper
from assistant.settings import GenerationSettings, Settings, Verify

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from assistant.answering.evidence import PassageReader
    from assistant.answering.support import SupportChecker
    from assistant.embedding import Embedder
    from assistant.retrieval import PaperRetriever

__all__ = ["Effort", "GenerativeAnswerer", "Judgement", "open_answerer"]

_DRAFTS = {"quick": 1, "normal": 2, "deep": 3}
_FOUND = 20
"""Papers of each search; as many of them go into the prompt as its tokens allow."""
_OFF_TOPIC, _PLAINLY = 0.3, 0.18
"""Best cosine below which a question that the filter calls absent is off topic: after searching
in the model's words too; and without asking it, where everyday words may only be misspelt.
"""
_UNRELATED = 0.15
"""Best cosine below which a paper that shares no word with the question is left out."""


class Judgement(Protocol):
    """What the knowledge filter says of a `Retrieval`.

    ``relevant``: positions of the papers that pass, best first.
    """

    @property
    def confidence(self) -> float: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def relevant(self) -> list[int]: ...  # noqa: D102


class GenerativeAnswerer:
    """Answers by a language model over retrieved papers. Safe in several threads at once.

    Args:
        checker: compares sentences with abstracts, by the words of a library.
        assess: judges which papers of a retrieval are worth reading for a question.
        beside: whether what a reply says does not answer what was judged; None: not looked at.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        endpoint: Endpoint,
        prompts: Prompts,
        retriever: PaperRetriever,
        checker: Callable[[Retrieval], SupportChecker],
        assess: Callable[[Retrieval, str], Judgement],
        beside: Callable[[Judgement, Said], bool] | None = None,
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._calls = Calls(endpoint, prompts, settings.generation)
        self._retriever = retriever
        self._checker = checker
        self._assess = assess
        self._beside = beside

    def close(self) -> None:
        """Closes the connections to the endpoint."""
        self._endpoint.close()

    def stream(
        self,
        question: str,
        turns: Sequence[Message],
        *,
        papers: int,
        notes: Sequence[str] = (),
        effort: Effort | None = None,
        verify: Verify | bool | None = None,
        filters: Filters | None = None,
        k: int | None = None,
        cancellation: Cancellation | None = None,
    ) -> Iterator[Event]:
        """The events of answering; the last one is a DoneEvent or an ErrorEvent.

        ``papers``: how many the library holds. ``effort``, ``verify``: as the settings say if
        not given. ``filters``: only papers that fit are read; ``k``: so many at most. The
        DoneEvent's answer stands for all that was shown before: verifying may have changed a
        sentence.
        """
        generation = self._settings.generation
        chosen = effort or generation.effort
        turn = Turn(
            question,
            turns,
            chosen,
            _verification(verify, chosen, generation),
            filters,
            Ledger(generation.max_cost),
            cancellation,
            list(notes),
            Plan(question, [question]),
            self._endpoint.target.model,
            self._checker,
            most=k,
        )
        try:
            reply = small_talk(question, papers)
            if reply is not None:
                yield from _said(turn, reply, "answered", 1.0)
            else:
                yield from self._answer(turn, papers)
        except EndpointError as error:
            error.partial, error.usage = turn.partial(error.what), turn.ledger.usage
            yield ErrorEvent(message=str(error), partial=error.partial, error=error)

    # ------------------------------------------------------------------ the steps

    def _answer(self, turn: Turn, papers: int) -> Iterator[Event]:
        quick = turn.effort == "quick"
        asked = standalone(turn.question, turn.turns)
        turn.plan = Plan(asked, [asked])
        yield StatusEvent(text=f"searching {papers:,} papers")
        turn.first = self._retriever.find(asked, _FOUND, turn.filters)
        plain = self._judged(turn, asked, turn.first)
        turn.retrieved = time.perf_counter()
        bar = _OFF_TOPIC if quick else _PLAINLY
        if turn.foreign and turn.nearness < bar and not turn.turns:
            yield from _abstained(turn)
            return
        for waiting in self._endpoint.begin():
            yield StatusEvent(text=waiting.text, waiting=True)
        if not quick:
            turn.plan = yield from self._calls.understand(turn, asked)
        if not turn.plan.library:
            yield from self._converse(turn)
            return
        yield from self._search(turn, turn.plan.searches, known={asked: plain})
        if quick and turn.foreign and turn.turns:  # "shorter, please": no model was asked first
            turn.papers = fuse([self._papers_of_before(turn), turn.papers], _FOUND)
            turn.foreign = False
        if not turn.papers or (turn.foreign and turn.nearness < _OFF_TOPIC):
            yield from _abstained(turn)
            return
        yield from self._write(turn)
        if turn.verify == "model":
            yield from self._verify(turn)
        elif turn.verify == "local" and turn.judged and turn.draft and self._beside:
            said = turn.draft.said if turn.plan.question == asked else ()
            turn.draft.beside = self._beside(turn.judged, said)
        yield DoneEvent(answer=turn.finished(self._settings.generation.max_tokens))

    def _search(
        self,
        turn: Turn,
        queries: Sequence[str],
        known: dict[str, list[RetrievedPaper]] | None = None,
    ) -> Iterator[Event]:
        """Makes what is found the papers of the turn, best first, off-topic papers left out.

        The knowledge filter, which takes as long as all searches together, judges the nearest.
        """
        found: list[Sequence[RetrievedPaper]] = []
        judged: tuple[float, str, Retrieval] | None = None
        filters = turn.filters or turn.plan.filters
        for query in queries:
            if len(queries) > 1 or known is None:
                yield StatusEvent(text=f"searching: {query}")
            turn.searched.append(query)
            if known and query in known and filters == turn.filters:
                found.append(known[query])
                continue
            retrieval = self._find(turn, query, filters)
            nearness = max((paper.best_cosine for paper in retrieval), default=0.0)
            if nearness and (judged is None or nearness > judged[0]):
                judged = nearness, query, retrieval
            found.append(_related(retrieval.papers))
        if judged is not None:
            self._judged(turn, *judged[1:])
        most = self._settings.retrieval.top_k
        most = max(3, most // 2) if turn.effort == "quick" else max(most, _FOUND)
        turn.papers = fuse(found, turn.most or most)

    def _find(self, turn: Turn, query: str, filters: Filters | None) -> Retrieval:
        found = self._retriever.find(query, _FOUND, filters)
        if filters is not None and filters != turn.filters:
            note = f"Read as a filter: {filters}."
            if not len(found):
                note = (
                    f"No paper fits the filter that the question names ({filters}): all searched."
                )
                found = self._retriever.find(query, _FOUND, turn.filters)
            if note not in turn.notes:
                turn.notes.append(note)
        return found

    def _judged(self, turn: Turn, query: str, found: Retrieval) -> list[RetrievedPaper]:
        """The papers in the order of the knowledge filter, without those surely off topic."""
        if not len(found):
            return []
        judgement = self._assess(found, query)
        turn.judged = turn.judged or judgement
        turn.confidence = max(turn.confidence, float(judgement.confidence))
        turn.nearness = max(turn.nearness, *(paper.best_cosine for paper in found))
        if judgement.status != "absent" or language(query) not in ("", "english"):
            turn.foreign = False
        first = [n for n in judgement.relevant if n < len(found)]
        order = first + [n for n in range(len(found)) if n not in first]
        papers = [found[n] for n in order]
        # a question in another language shares no words with English abstracts
        return _related(papers) or (papers if not turn.foreign else [])

    # ------------------------------------------------------------------ drafts

    def _write(self, turn: Turn) -> Iterator[Event]:
        """Drafts, each followed by another where it leaves something open and a search finds more.

        The first is shown as it comes, but for what it says is missing; one that takes the
        place of what has been shown is shown by the answer at the end. Deep answers show their
        last draft only.
        """
        deep, hidden = turn.effort == "deep", list[Event]()
        for left in reversed(range(_DRAFTS[turn.effort])):
            draft = turn.draft
            try:
                hidden = yield from self._drafted(
                    turn, hide=turn.shown or (deep and left > 0), withhold=left > 0 and not deep
                )
            except CostCapReached:
                if draft is None:
                    raise
                turn.draft = draft
                turn.notes.append(
                    "Not written anew with all papers found, to stay under the cost cap."
                )
                break
            opens = left and turn.draft is not None and (deep or turn.draft.lacking)
            if not opens or not (yield from self._found_more(turn)):
                break
        if not turn.shown:
            yield from hidden
        if turn.draft is not None:
            yield from turn.draft.release()

    def _drafted(
        self, turn: Turn, *, hide: bool, withhold: bool
    ) -> Generator[Event, None, list[Event]]:
        """Writes a draft; returns the events that would show it, where they are to be hidden."""
        hidden: list[Event] = []
        for event in self._calls.write(turn, withhold=withhold):
            if hide and not isinstance(event, StatusEvent):
                hidden.append(event)
            else:
                turn.shown = turn.shown or isinstance(event, TextEvent)
                yield event
        return hidden

    def _found_more(self, turn: Turn) -> Generator[Event, None, int]:
        """Searches for what is missing; how many papers there are that no draft has read.

        The next draft is written from the papers that this one cites, then those that are new,
        then those that did not fit; into a deep answer what this one did not use goes last.
        """
        yield StatusEvent(text="looking for what is missing")
        queries = yield from self._calls.missing(turn)
        if not queries or turn.draft is None:
            return 0
        before, cited = turn.papers, turn.draft.cited
        read = {found.paper.id for found in turn.draft.given}
        yield from self._search(turn, queries)
        unread = [
            [found for found in papers if found.paper.id not in read and self._is_near(found)]
            for papers in (turn.papers, before)
        ]
        more = fuse(unread, 2 * _FOUND)
        unused = [found for found in turn.draft.given if found not in cited]
        turn.papers = [*cited, *more, *(unused if turn.effort == "deep" else ())]
        if more:
            count = len(more)
            yield StatusEvent(text=f"found {count} more paper{'s' if count > 1 else ''}")
        return len(more)

    @staticmethod
    def _is_near(found: RetrievedPaper) -> bool:
        return found.best_cosine >= _OFF_TOPIC

    def _verify(self, turn: Turn) -> Iterator[Event]:
        """Lets the model check every claim; what does not stand is mended, dropped or marked."""
        if turn.draft is not None:
            corrections = yield from self._calls.verify(turn, turn.draft)
            yield from turn.draft.mend(corrections)

    # ------------------------------------------------------------------ without new papers

    def _converse(self, turn: Turn) -> Iterator[Event]:
        """A reply about the conversation; it may cite the papers that were cited there."""
        yield from self._calls.converse(turn, self._papers_of_before(turn))
        turn.confidence = 1.0
        if turn.verify == "model":
            yield from self._verify(turn)
        draft = turn.draft
        if draft is not None:
            turn.notes += draft.notes
            yield DoneEvent(answer=turn.answer(draft.text, draft.sentences, "answered", 1.0))

    def _papers_of_before(self, turn: Turn) -> list[RetrievedPaper]:
        """The papers that the last answer cites, by their titles, else those found again."""
        said = [t.content for t in turn.turns if t.role == "assistant"]
        asked = [t.content for t in turn.turns if t.role == "user"]
        if not said or not asked:
            return []
        found = self._retriever.find(asked[-1], _FOUND, turn.filters)
        titles = references_in(said[-1]).values()
        if not titles:
            return list(found.papers[: self._settings.retrieval.top_k])
        wanted = {normalised_title(title) for title in titles}
        held = {normalised_title(p.paper.label): p for p in found}
        for title in titles:
            if normalised_title(title) not in held:
                nearest = self._retriever.find(title, 1, turn.filters)
                held |= {normalised_title(p.paper.label): p for p in nearest}
        return [paper for title, paper in held.items() if title in wanted]


def _related(papers: Sequence[RetrievedPaper]) -> list[RetrievedPaper]:
    return [p for p in papers if p.bm25 > 0 or p.best_cosine >= _UNRELATED]


def _said(turn: Turn, text: str, status: Status, confidence: float) -> Iterator[Event]:
    """An answer that takes no model."""
    sentence = Sentence(text=text)
    yield TextEvent(text=text)
    yield VerdictEvent(index=0, sentence=sentence)
    yield DoneEvent(answer=turn.answer(text, [sentence], status, confidence))


def _abstained(turn: Turn) -> Iterator[Event]:
    """Off topic: the nearest titles."""
    text = "The library does not hold an answer to this question."
    if turn.nearest:
        text += f" The nearest papers are {turn.nearest}."
    yield from _said(turn, text, "absent", turn.confidence)


def _verification(
    given: Verify | bool | None, effort: Effort, settings: GenerationSettings
) -> Verify:
    """How to verify: as asked, else as set; a quick answer takes no second call by default."""
    if given is True or given is False:
        return "model" if given else "local"
    if given is not None:
        return given
    unset = "verify" not in settings.model_fields_set
    return "local" if effort == "quick" and unset else settings.verify


def open_answerer(
    settings: Settings,
    retriever: PaperRetriever,
    embedder: Embedder,
    reader: PassageReader,
    llm: LLM | None = None,
) -> GenerativeAnswerer:
    """The answerer of the endpoint and the prompts that the settings name.

    ``llm``: a chat model of LlamaIndex in place of the endpoint.

    Raises:
        ConfigurationError: the endpoint, its key or a prompt cannot be used.
    """
    from assistant.answering.confidence import Assessment, assess  # noqa: PLC0415
    from assistant.answering.support import SupportChecker  # noqa: PLC0415

    def checker(found: Retrieval) -> SupportChecker:
        return SupportChecker(embedder, found.statistics.idf, reader)

    def judge(found: Retrieval, asked: str) -> Assessment:
        return assess(found, asked, reader, settings.answer)

    def beside(judged: Judgement, said: Said) -> bool:
        return isinstance(judged, Assessment) and is_beside(judged, reader, said)

    return GenerativeAnswerer(
        settings,
        endpoint=Endpoint(settings, llm=llm),
        prompts=Prompts(settings.prompts),
        retriever=retriever,
        checker=checker,
        assess=judge,
        beside=beside,
    )
