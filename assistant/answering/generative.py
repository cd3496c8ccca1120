"""Generative answering: understand, retrieve, write, cite, check, and search again if asked to.

`GenerativeAnswerer.stream` gives the same events as extraction does. Nothing of one question
outlives it: every stream has its own `_Turn`. An endpoint that fails ends the stream with an
ErrorEvent, which holds what there is of the answer; there is no falling back to extraction.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from assistant.answering.checking import Checked, SentenceChecks
from assistant.answering.citations import Numbering, RawSentence, SentenceReader
from assistant.answering.papers import GivenPaper, fit, fuse
from assistant.answering.understanding import (
    Plan,
    condensed,
    is_plain,
    plan_from_reply,
    queries_of,
)
from assistant.answering.verifying import Verification
from assistant.conversation import small_talk, standalone
from assistant.errors import ContextTooLong, CostCapReached, EndpointError
from assistant.llm.endpoint import Cancellation, Delta, Endpoint, Finished, Waiting
from assistant.llm.ledger import Ledger, count_tokens
from assistant.prompting import Prompts, boundary
from assistant.results import (
    Answer,
    CitationEvent,
    DoneEvent,
    ErrorEvent,
    Event,
    Message,
    Sentence,
    StatusEvent,
    TextEvent,
    Timings,
    VerdictEvent,
)
from assistant.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage

    from assistant.answering.evidence import PassageReader
    from assistant.answering.support import SupportChecker
    from assistant.embedding import Embedder
    from assistant.index import SearchIndex
    from assistant.retrieval import PaperRetriever, Ranking

__all__ = ["Effort", "GenerativeAnswerer", "Judgement", "open_answerer"]

Effort = Literal["quick", "normal", "deep"]

ABSENT = "NOT_IN_LIBRARY"
"""What the prompt asks a model to begin with when no paper answers."""
_SMALL_REPLY = 400
_MORE_SEARCHES = 2
_NEAREST = 3


class Judgement(Protocol):
    """What `assistant.answering.confidence.assess` gives: the knowledge filter.

    ``relevant``: positions in the ranking of the papers that pass, best first.
    """

    @property
    def confidence(self) -> float: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def relevant(self) -> list[int]: ...  # noqa: D102


@dataclass
class _Turn:
    """One question on its way to its answer."""

    question: str
    turns: Sequence[Message]
    effort: Effort
    verify: bool
    ledger: Ledger
    cancellation: Cancellation | None
    notes: list[str]
    plan: Plan
    started: float = field(default_factory=time.perf_counter)
    retrieved: float | None = None
    confidence: float = 0.0
    papers: list[GivenPaper] = field(default_factory=list)
    nearest: list[str] = field(default_factory=list)
    draft: _Draft | None = None
    kept: _Draft | None = None
    """The draft before this one, whole."""


class _Draft:
    """What has been written so far: text, sentences, numbers, checks."""

    def __init__(self, given: list[GivenPaper], checks: SentenceChecks) -> None:
        self.given = given
        self.checks = checks
        self.numbering = Numbering()
        self.text = ""
        self.sentences: list[Sentence] = []
        self.absent = False
        self.finish = "stop"

    @property
    def supported(self) -> bool:
        """Whether any sentence rests on a paper."""
        return any(s.support in ("supported", "partial") for s in self.sentences)


class GenerativeAnswerer:
    """Answers by a language model over retrieved papers. Safe in several threads at once.

    Args:
        checker: gives the support checker for an index.
        assess: judges which papers of a ranking are worth reading for a question.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        endpoint: Endpoint,
        prompts: Prompts,
        retriever: PaperRetriever,
        checker: Callable[[SearchIndex], SupportChecker],
        assess: Callable[[Ranking, str], Judgement],
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._prompts = prompts
        self._retriever = retriever
        self._checker = checker
        self._assess = assess

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
        verify: bool | None = None,
        cancellation: Cancellation | None = None,
    ) -> Iterator[Event]:
        """The events of answering; the last one is a DoneEvent or an ErrorEvent.

        ``papers``: how many the library holds. ``effort``, ``verify``: as the settings say if
        not given.
        """
        generation = self._settings.generation
        turn = _Turn(
            question,
            turns,
            effort or generation.effort,
            generation.verify if verify is None else verify,
            Ledger(generation.max_cost),
            cancellation,
            list(notes),
            Plan(question, [question]),
        )
        try:
            reply = small_talk(question, papers)
            if reply is not None:
                yield from self._say(turn, reply)
            else:
                yield from self._answer(turn, papers)
        except EndpointError as error:
            error.partial, error.usage = self._partial(turn, error), turn.ledger.usage
            yield ErrorEvent(message=str(error), partial=error.partial, error=error)

    # ------------------------------------------------------------------ the steps

    def _answer(self, turn: _Turn, papers: int) -> Iterator[Event]:
        yield from self._understand(turn)
        if not turn.plan.library:
            yield from self._converse(turn)
            return
        yield StatusEvent(text=f"searching {papers:,} papers")
        yield from self._search(turn, turn.plan.searches, told=len(turn.plan.searches) > 1)
        turn.retrieved = time.perf_counter()
        if not turn.papers:
            yield from self._abstain(turn)
            return
        if turn.effort == "deep":
            yield from self._write_deeply(turn)
        else:
            yield from self._write(turn)
        if turn.verify:
            yield from self._verify(turn)
        yield DoneEvent(answer=self._whole(turn))

    def _understand(self, turn: _Turn) -> Iterator[Event]:
        asked = standalone(turn.question, turn.turns)
        turn.plan = Plan(asked, [asked])
        if turn.effort == "quick" or (not turn.turns and is_plain(turn.question)):
            return
        history = self._history(turn)
        messages = self._prompts["understand"].messages(
            question=turn.question,
            history=history,
            boundary=boundary([turn.question, history]),
        )
        yield StatusEvent(text="understanding the question")
        reply = yield from self._small(turn, messages, "understanding the question")
        turn.plan = plan_from_reply(reply, turn.question, asked)

    def _search(self, turn: _Turn, queries: Sequence[str], *, told: bool) -> Iterator[Event]:
        """Adds what passes the relevance to the papers of the turn, best first."""
        found: list[tuple[Ranking, Sequence[int]]] = []
        for query in queries:
            if told:
                yield StatusEvent(text=f"searching: {query}")
            ranking = self._retriever.rank(query)
            assessment = self._assess(ranking, query)
            turn.confidence = max(turn.confidence, float(assessment.confidence))
            relevant = [] if assessment.status == "absent" else list(assessment.relevant)
            found.append((ranking, relevant))
            if not turn.nearest:
                places = ranking.places[:_NEAREST]
                turn.nearest = [ranking.index.paper(int(place)).label for place in places]
        most = self._settings.retrieval.top_k
        if turn.effort == "quick":
            most = max(3, most // 2)
        known = {given.paper.id for given in turn.papers}
        new = [given for given in fuse(found, most) if given.paper.id not in known]
        turn.papers += new

    def _write(self, turn: _Turn) -> Iterator[Event]:
        """One draft: its text as it comes, its sentences as they end and are checked."""
        draft, messages = self._prepared(turn)
        if turn.draft is not None and turn.draft.text:
            turn.kept = turn.draft
        turn.draft = draft
        count = len(draft.given)
        yield StatusEvent(text=f"reading {count} paper{'' if count == 1 else 's'}")
        head, reader = _Head(), SentenceReader([given.paper.label for given in draft.given])
        for piece in self._endpoint.stream(messages, turn.ledger, cancellation=turn.cancellation):
            if isinstance(piece, Waiting):
                yield StatusEvent(text=piece.text, waiting=True)
            elif isinstance(piece, Finished):
                draft.finish = piece.reason
            else:
                yield from self._read(draft, reader.feed(head.feed(piece.text)))
            draft.absent = head.absent
        yield from self._read(draft, reader.feed(head.finish()))
        yield from self._read(draft, reader.finish())
        draft.absent = head.absent

    def _read(self, draft: _Draft, parts: Iterator[str | RawSentence]) -> Iterator[Event]:
        for part in parts:
            if isinstance(part, str):
                yield from _shown(draft, part)
            else:
                yield from self._end_sentence(draft, part)

    def _end_sentence(self, draft: _Draft, raw: RawSentence) -> Iterator[Event]:
        """Checks a sentence that has ended, and shows its markers as they stand then."""
        index = len(draft.sentences)
        checked: Checked = draft.checks.check(index, raw, claims=not draft.absent)
        known = len(draft.numbering.given)
        rest = raw.shown_rest(draft.numbering.show)
        yield from _shown(draft, rest)
        sentence = Sentence(
            text=(raw.before + rest).strip(),
            citations=sorted(draft.numbering[n] for n in raw.numbers),
            support=checked.support,
            quote=checked.quote,
            why=checked.why,
        )
        draft.sentences.append(sentence)
        for given in draft.numbering.given[known:]:
            yield CitationEvent(citation=draft.checks.citation(given, draft.numbering[given]))
        yield VerdictEvent(index=index, sentence=sentence)

    def _write_deeply(self, turn: _Turn) -> Iterator[Event]:
        """Drafts, and searches for what they leave open; only the last draft is shown."""
        held: list[Event] = []
        for _ in range(_MORE_SEARCHES):
            try:
                held = yield from self._drafted(turn)
            except CostCapReached:
                if turn.kept is None:
                    raise
                yield from self._settle_for(turn, held)
                return
            known = len(turn.papers)
            yield StatusEvent(text="looking for what is missing")
            queries = yield from self._missing(turn)
            if queries:
                yield from self._search(turn, queries, told=True)
            if len(turn.papers) == known:
                yield from held
                return
            count = len(turn.papers) - known
            yield StatusEvent(text=f"found {count} more paper{'s' if count > 1 else ''}")
        try:
            yield from self._write(turn)
        except CostCapReached:
            yield from self._settle_for(turn, held)

    def _drafted(self, turn: _Turn) -> Generator[Event, None, list[Event]]:
        """Writes a draft without showing it; returns the events that would show it."""
        held: list[Event] = []
        for event in self._write(turn):
            if isinstance(event, StatusEvent):
                yield event
            else:
                held.append(event)
        return held

    def _settle_for(self, turn: _Turn, held: list[Event]) -> Iterator[Event]:
        """Shows the last draft that is whole, where the cost cap forbids another."""
        turn.draft = turn.kept
        turn.notes.append("Not written anew with all papers found, to stay under the cost cap.")
        yield from held

    def _missing(self, turn: _Turn) -> Generator[Event, None, list[str]]:
        """What a model would search for next; nothing if the draft is enough."""
        draft = turn.draft
        text = draft.text if draft else ""
        titles = [given.paper.label for given in turn.papers]
        messages = self._prompts["sufficiency"].messages(
            question=turn.plan.question,
            answer=text,
            titles=titles,
            boundary=boundary([turn.plan.question, text, *titles]),
        )
        reply = yield from self._small(turn, messages, "the search for what is missing")
        return [q for q in queries_of(reply) if q not in turn.plan.searches][:3]

    def _verify(self, turn: _Turn) -> Iterator[Event]:
        """Lets the model check the sentences that cite, and corrects their verdicts."""
        draft = turn.draft
        if draft is None or draft.absent:
            return
        verification = Verification(draft.sentences, draft.numbering, draft.given)
        if not verification.claims:
            return
        count = len(verification.claims)
        yield StatusEvent(text=f"checking {count} sentence{'' if count == 1 else 's'}")
        messages = self._prompts["support"].messages(
            claims=verification.claims, boundary=verification.boundary
        )
        reply = yield from self._small(turn, messages, "the check by the model", 1200)
        if not reply:
            return
        for index, sentence in verification.corrected(reply):
            draft.sentences[index] = sentence
            draft.checks.overrule(index, sentence)
            yield VerdictEvent(index=index, sentence=sentence)

    # ------------------------------------------------------------------ without papers

    def _say(self, turn: _Turn, text: str) -> Iterator[Event]:
        """An answer that the program itself knows."""
        yield TextEvent(text=text)
        sentences = [Sentence(text=text)]
        yield VerdictEvent(index=0, sentence=sentences[0])
        yield DoneEvent(answer=self._made(turn, text, sentences, "answered", 1.0))

    def _converse(self, turn: _Turn) -> Iterator[Event]:
        """A reply from the conversation alone."""
        messages = self._prompts["converse"].messages(
            question=turn.question,
            history=self._history(turn),
            language=self._settings.generation.language,
        )
        draft = turn.draft = _Draft([], SentenceChecks([], None))
        reader = SentenceReader([])
        for piece in self._endpoint.stream(messages, turn.ledger, cancellation=turn.cancellation):
            if isinstance(piece, Waiting):
                yield StatusEvent(text=piece.text, waiting=True)
            elif isinstance(piece, Delta):
                yield from self._read(draft, reader.feed(piece.text))
        yield from self._read(draft, reader.finish())
        yield DoneEvent(answer=self._made(turn, draft.text, draft.sentences, "answered", 1.0))

    def _abstain(self, turn: _Turn) -> Iterator[Event]:
        """No paper passes: no call, and the nearest titles."""
        text = "The library does not hold an answer to this question."
        if turn.nearest:
            titles = "; ".join(f"“{title}”" for title in turn.nearest)
            text += f" The nearest papers are {titles}."
        yield TextEvent(text=text)
        sentences = [Sentence(text=text)]
        yield VerdictEvent(index=0, sentence=sentences[0])
        yield DoneEvent(answer=self._made(turn, text, sentences, "absent", turn.confidence))

    # ------------------------------------------------------------------ calls and results

    def _small(
        self, turn: _Turn, messages: Sequence[ChatMessage], what: str, most: int = _SMALL_REPLY
    ) -> Generator[Event, None, str]:
        """The reply to a small call; empty, with a note, where the cost cap forbids it."""
        text = ""
        try:
            for piece in self._endpoint.stream(
                messages, turn.ledger, small=True, max_tokens=most, cancellation=turn.cancellation
            ):
                if isinstance(piece, Waiting):
                    yield StatusEvent(text=piece.text, waiting=True)
                elif isinstance(piece, Delta):
                    text += piece.text
        except CostCapReached:
            turn.notes.append(f"Left out to stay under the cost cap: {what}.")
        return text

    def _history(self, turn: _Turn) -> str:
        return condensed(turn.turns, self._settings.generation.history_tokens)

    def _prepared(self, turn: _Turn) -> tuple[_Draft, list[ChatMessage]]:
        """The papers that fit, and the messages to write an answer from them.

        Raises:
            ContextTooLong: not even one paper fits beside the question.
        """
        generation, history = self._settings.generation, self._history(turn)
        question = turn.plan.question if turn.plan.understood else turn.question
        budget = generation.passage_tokens
        window = self._endpoint.context_window()
        if window is not None:
            used = count_tokens(question + history) + generation.max_tokens + 900
            budget = min(budget, window - used)
        given, texts = fit(turn.papers, budget)
        if not given:
            raise ContextTooLong(
                f"The context window of {window} tokens leaves no room for a paper.",
                "Set --max-tokens lower, or take a model with a larger window.",
            )
        messages = self._prompts["answer"].messages(
            question=question,
            papers=[{"number": n, "text": text} for n, text in enumerate(texts, 1)],
            boundary=boundary([*texts, question, history]),
            history=history,
            language=generation.language,
        )
        checker = self._checker(given[0].ranking.index)
        return _Draft(given, SentenceChecks(given, checker)), messages

    def _whole(self, turn: _Turn) -> Answer:
        """The finished answer, with what there is to say about it."""
        draft = turn.draft
        if draft is None:
            raise AssertionError("an answer is written before it is finished")
        turn.notes += draft.checks.notes
        if draft.finish == "length":
            most = self._settings.generation.max_tokens
            turn.notes.append(f"Cut off at the most tokens that an answer may have ({most}).")
        if draft.absent:
            titles = "; ".join(f"“{title}”" for title in turn.nearest)
            turn.notes.append(f"The nearest papers are {titles}.")
            text = draft.text or "The papers of the library do not answer this question."
            return self._made(turn, text, draft.sentences, "closest", turn.confidence / 4)
        if not draft.supported:
            turn.notes.append("No sentence of this answer is supported by a paper that it cites.")
            return self._made(turn, draft.text, draft.sentences, "closest", turn.confidence / 4)
        return self._made(turn, draft.text, draft.sentences, "answered", turn.confidence)

    def _partial(self, turn: _Turn, error: EndpointError) -> Answer | None:
        """What there is of an answer that could not be finished."""
        if turn.draft is None or not turn.draft.text.strip():
            turn.draft = turn.kept
        draft = turn.draft
        if draft is None or not draft.text.strip():
            return None
        turn.notes += [*draft.checks.notes, f"This answer is not finished: {error.what}"]
        return self._made(turn, draft.text, draft.sentences, "closest", 0.0)

    def _made(
        self,
        turn: _Turn,
        text: str,
        sentences: list[Sentence],
        status: Literal["answered", "closest", "absent"],
        confidence: float,
    ) -> Answer:
        draft, ended = turn.draft, time.perf_counter()
        retrieved = turn.retrieved or ended
        citations = []
        if draft is not None and not draft.absent:
            citations = [
                draft.checks.citation(given, draft.numbering[given])
                for given in draft.numbering.given
            ]
        shown = draft.given if draft is not None and draft.given else turn.papers
        return Answer(
            question=turn.question,
            standalone_question=turn.plan.question,
            answer=text,
            answered=status == "answered",
            status=status,
            confidence=round(confidence, 4),
            mode="generative",
            model=self._endpoint.target.model,
            citations=citations,
            sentences=sentences,
            passages=[given.passage for given in shown],
            timings_ms=Timings(
                retrieve=(retrieved - turn.started) * 1000,
                answer=(ended - retrieved) * 1000,
                total=(ended - turn.started) * 1000,
            ),
            usage=turn.ledger.usage,
            notes=turn.notes,
        )


def open_answerer(
    settings: Settings, retriever: PaperRetriever, embedder: Embedder, reader: PassageReader
) -> GenerativeAnswerer:
    """The answerer of the endpoint and the prompts that the settings name.

    Raises:
        ConfigurationError: the endpoint, its key or a prompt cannot be used.
    """
    from assistant.answering.confidence import assess  # noqa: PLC0415
    from assistant.answering.support import SupportChecker  # noqa: PLC0415

    checkers: weakref.WeakKeyDictionary[SearchIndex, SupportChecker] = weakref.WeakKeyDictionary()

    def checker(index: SearchIndex) -> SupportChecker:
        if index not in checkers:
            checkers[index] = SupportChecker(embedder, _idf(index))
        return checkers[index]

    def judge(ranking: Ranking, asked: str) -> Judgement:
        found = retriever.find(asked, len(ranking))
        return assess(found, asked, reader, settings.answer)

    return GenerativeAnswerer(
        settings,
        endpoint=Endpoint(settings),
        prompts=Prompts(settings.prompts),
        retriever=retriever,
        checker=checker,
        assess=judge,
    )


def _idf(index: SearchIndex) -> Callable[[str], float]:
    """The index's idf, without keeping the index alive for it."""
    held = weakref.ref(index)

    def idf(term: str) -> float:
        alive = held()
        return alive.idf(term) if alive is not None else 1.0

    return idf


def _shown(draft: _Draft, text: str) -> Iterator[Event]:
    if text:
        draft.text += text
        yield TextEvent(text=text)


class _Head:
    """Notices whether a reply begins by saying that the library does not hold the answer."""

    def __init__(self) -> None:
        self._held, self._open = "", True
        self.absent = False

    def feed(self, text: str) -> str:
        """The text that may be read on; empty while the beginning is not clear."""
        if not self._open:
            return text
        self._held = (self._held + text).lstrip(" \t\r\n*`\"'")
        begin = self._held[: len(ABSENT)].upper().replace(" ", "_")
        if begin == ABSENT:
            self.absent = True
            self._held = self._held[len(ABSENT) :].lstrip(" \t\r\n*`\"':.,-–—")
            return self._release() if self._held else ""
        if ABSENT.startswith(begin):
            return ""
        return self._release()

    def finish(self) -> str:
        """What was held when the reply ended."""
        return self._release() if self._open and not self.absent else ""

    def _release(self) -> str:
        text, self._held, self._open = self._held, "", False
        return text
