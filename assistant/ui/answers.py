"""Questions in work: each is answered by a thread of the server, whoever looks on.

A conversation has one question in work at a time; the next ones wait in sight, in their order.
What comes of a question is kept in the store as it comes, so that a reload, another window or
another process shows it. Who leaves loses nothing: an answer goes on until it is whole or is
stopped.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from assistant.conversations import ConversationStore, StoredTurn
from assistant.endpoint import Cancellation
from assistant.errors import AssistantError, LibraryNotFound
from assistant.results import (
    Answer,
    Citation,
    CitationEvent,
    DoneEvent,
    ErrorEvent,
    Event,
    Mode,
    Sentence,
    StatusEvent,
    TextEvent,
    VerdictEvent,
)
from assistant.settings import ServerSettings
from assistant.ui.suggestions import follow_ups
from assistant.ui.turns import Failure, Turn, history_of, turn_of
from assistant.ui.visitors import Visitor

__all__ = ["Answers", "Live"]

_KEPT_EVERY = 1.0
"""Seconds between two times that an unfinished answer is kept."""
_VOUCHED_EVERY = 5.0
_ENDS_WITHIN = 3.0

log = logging.getLogger("assistant.ui")


@dataclass
class Live:
    """What has been written of an answer so far. ``version`` grows with each change."""

    turn: Turn
    conversation: str
    started: float = field(default_factory=time.monotonic)
    text: str = ""
    citations: list[Citation] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    whole: bool = False
    version: int = 0
    here: bool = True
    mode: Mode = "extractive"
    cancellation: Cancellation = field(default_factory=Cancellation)

    @property
    def elapsed(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self.started

    def take(self, event: Event) -> None:
        """Takes the next event."""
        turn = self.turn
        if isinstance(event, StatusEvent):
            turn.steps = [*turn.steps, event.text][-60:]
        elif isinstance(event, TextEvent):
            self.text += event.text
        elif isinstance(event, CitationEvent):
            self.citations = [*self.citations, event.citation]
        elif isinstance(event, VerdictEvent):
            self.sentences = [*self.sentences[: event.index], event.sentence]
        elif isinstance(event, DoneEvent):
            turn.answer, self.whole = event.answer, True
        elif isinstance(event, ErrorEvent):
            error = event.error or AssistantError(event.message)
            turn.failure = Failure.of(error, here=self.here)
            turn.answer = event.partial
            if turn.answer is not None and not self.here:  # its notes repeat the error
                turn.answer = turn.answer.model_copy(update={"notes": []})
        self.version += 1

    def partial(self) -> Answer | None:
        """What there is, as an answer; None where there is nothing.

        Nothing has been compared or judged of it yet, and it does not pretend so.
        """
        if not self.text.strip():
            return None
        return Answer(
            question=self.turn.question,
            standalone_question=self.turn.question,
            answer=self.text,
            answered=False,
            status="closest",
            confidence=0.0,
            mode=self.mode,
            citations=self.citations,
            sentences=self.sentences,
        )


class Answers:
    """The questions in work of one server, over one store; as many at once as it may have."""

    def __init__(self, store: ConversationStore, settings: ServerSettings) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._visitors: dict[str, Visitor] = {}
        self._live: dict[str, Live] = {}
        self._busy: set[str] = set()
        # who waits for a language model is in nobody's way
        self._slots = {
            written: threading.BoundedSemaphore(settings.most(written=written))
            for written in (False, True)
        }
        self._most = settings.waiting + settings.most(written=False)
        self._closed = threading.Event()

    def begin(self, visitor: Visitor, conversation: str, turn: StoredTurn) -> None:
        """Answers a question that was appended, after those that wait before it."""
        with self._lock:
            self._visitors[turn.id] = visitor
            if len(self._visitors) == 1:
                threading.Thread(target=self._vouch, name="assistant-vouch", daemon=True).start()
            if conversation in self._busy:
                return
            self._busy.add(conversation)
        threading.Thread(
            target=self._work, args=(conversation,), name="assistant-answer", daemon=True
        ).start()

    def live(self, conversation: str) -> Live | None:
        """The question of a conversation that is in work here."""
        return self._live.get(conversation)

    @property
    def full(self) -> bool:
        """Whether no more questions are taken for now."""
        return len(self._visitors) >= self._most

    def busy(self, conversation: str) -> bool:
        """Whether something of a conversation is in work here."""
        return conversation in self._busy

    def stop(self, conversation: str) -> None:
        """Stops the question that is in work; the next one begins."""
        live = self._live.get(conversation)
        if live is not None:
            live.cancellation.set()

    def close(self) -> None:
        """Stops everything; what there is of each answer is kept."""
        self._closed.set()
        for live in list(self._live.values()):
            live.cancellation.set()
        until = time.monotonic() + _ENDS_WITHIN
        while self._live and time.monotonic() < until:
            time.sleep(0.02)

    def _vouch(self) -> None:
        while not self._closed.wait(_VOUCHED_EVERY):
            with self._lock:
                turns = list(self._visitors)
            if not turns:
                return
            try:
                self._store.vouch(turns)
            except AssistantError:
                log.warning("what is in work could not be vouched for", exc_info=True)

    def _work(self, conversation: str) -> None:
        try:
            while (turn := self._next(conversation)) is not None:
                visitor = self._visitors[turn.id]
                try:
                    with self._slots[visitor.has_answers_written]:
                        answered = self._answer(visitor, conversation, turn)
                    self._suggest(visitor, conversation, answered)
                finally:
                    with self._lock:
                        self._visitors.pop(turn.id, None)
        except Exception:
            log.exception("a conversation's questions could not be worked off")
            with self._lock:
                self._busy.discard(conversation)

    def _next(self, conversation: str) -> StoredTurn | None:
        """The next question that waits for this process; where there is none, the work ends."""
        with self._lock:
            if not self._closed.is_set():
                for turn in self._store.waiting(conversation):
                    if turn.id in self._visitors:
                        return turn
            self._busy.discard(conversation)
            return None

    def _suggest(self, visitor: Visitor, conversation: str, turn: Turn) -> None:
        """Adds what may be asked on, where nothing is waiting to be answered."""
        if turn.answer is None or turn.answer.status != "answered" or turn.stopped:
            return

        def wanted() -> bool:
            return not self._closed.is_set() and not self._store.waiting(conversation)

        try:
            turn.follow_ups = follow_ups(
                visitor.assistant(turn.library), turn.answer, turn.filters or None, wanted
            )
            if turn.follow_ups:
                self._store.save(turn.id, "done", turn.stored())
        except AssistantError:
            log.info("nothing could be suggested", exc_info=True)

    def _answer(self, visitor: Visitor, conversation: str, kept: StoredTurn) -> Turn:
        live = Live(turn_of(kept), conversation, here=visitor.shelf.trusted)
        turn = live.turn
        turn.state = "running"
        self._live[conversation] = live
        try:
            self._store.save(turn.id, "running", turn.stored())
            before = [turn_of(t) for t in self._store.path(conversation, kept.parent or "-")]
            self._stream(visitor, live, before)
        except Exception as error:  # noqa: BLE001  told, and logged where it is a defect
            turn.failure = visitor.failure(error)
        finally:
            if live.cancellation and not live.whole:
                turn.stopped, turn.failure = True, None
                turn.answer = turn.answer or live.partial()
            turn.state = "done"
            try:
                self._store.save(turn.id, "done", turn.stored())
            finally:
                self._live.pop(conversation, None)
        return turn

    def _stream(self, visitor: Visitor, live: Live, before: list[Turn]) -> None:
        turn = live.turn
        assistant = visitor.assistant(turn.library)
        if not len(assistant.library):
            raise LibraryNotFound("There is no paper in your library yet.", "Add some first.")
        live.mode = "generative" if assistant.settings.llm else "extractive"
        events = assistant.stream(
            turn.question,
            history_of(before),
            filters=turn.filters or None,
            cancellation=live.cancellation,
        )
        last = time.monotonic()
        for event in events:
            live.take(event)
            if not live.cancellation and time.monotonic() - last >= _KEPT_EVERY:
                last = time.monotonic()
                so_far = turn.model_copy(update={"answer": live.partial()})
                self._store.save(turn.id, "running", so_far.stored())
