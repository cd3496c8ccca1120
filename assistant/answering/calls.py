"""The calls that an answer takes: what each asks, from which prompt, within which window."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING

from assistant.answering.composition import Composition
from assistant.answering.papers import fit, prompt_text
from assistant.answering.replies import citing_grammar
from assistant.answering.turn import Turn
from assistant.answering.understanding import Plan, condensed, plan_from_reply, queries_of
from assistant.answering.verifying import Correction, Verification
from assistant.endpoint.chat import Delta, Endpoint, Finished, Waiting
from assistant.endpoint.ledger import count_tokens
from assistant.errors import ContextTooLong, CostCapReached, ReplyEmpty
from assistant.prompting import Prompts, boundary
from assistant.results import Event, StatusEvent, Usage
from assistant.retrieved import RetrievedPaper
from assistant.settings import GenerationSettings

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage

__all__ = ["Calls"]

_SMALL_REPLY = 400
_A_VERDICT, _SHORT_VERDICT = 140, 80
"""Tokens of a reply for each sentence that is verified; what a small window has to leave."""
_SHARE, _A_SEARCH, _AGAIN = (0.42, 0.55), 0.1, 0.25
"""Of the tokens for papers, what a draft gets that is not to be deep: at least and at most, for
each search; and besides what it cites, where one was written before. With searches in the model's
words the papers that answered 22 questions of one part stood within .41 of them, those of 5 of
several within .48.
"""
_LEAST_REPLY = 160
_SMALL_WINDOW = 4000
"""Tokens of a context window below which the short prompt is used."""
_MARGIN = 64
_LONG = 1500
"""Tokens of a prompt from which an estimate of their number can be relied on."""


class Calls:
    """Asks the language model. Safe in several threads: what a question is about is in its turn."""

    def __init__(
        self, endpoint: Endpoint, prompts: Prompts, generation: GenerationSettings
    ) -> None:
        self.endpoint = endpoint
        self._prompts = prompts
        self._generation = generation

    def understand(self, turn: Turn, asked: str) -> Generator[Event, None, Plan]:
        """What to search for, in the model's words; ``asked`` where it says nothing of use."""
        history = self._history(turn)
        messages = self._prompts["understand"].messages(
            question=turn.question,
            history=history,
            boundary=boundary([turn.question, history]),
        )
        yield StatusEvent(text="understanding the question")
        self.endpoint.context_window()  # how much a model may think hangs on it
        reply = yield from self._small(turn, messages, "understanding the question")
        return plan_from_reply(reply, asked)

    def missing(self, turn: Turn) -> Generator[Event, None, list[str]]:
        """What to search for next; nothing where the draft is enough."""
        draft = turn.draft
        text = draft.whole if draft else ""
        text = text or "Nothing here answers the question."
        titles = [found.paper.label for found in (draft.given if draft else ())]
        messages = self._prompts["sufficiency"].messages(
            question=turn.plan.question,
            answer=text,
            titles=titles,
            searches=turn.searched,
            boundary=boundary([turn.plan.question, text, *titles, *turn.searched]),
        )
        reply = yield from self._small(turn, messages, "the search for what is missing")
        return [q for q in queries_of(reply) if q not in turn.searched][:3]

    def verify(self, turn: Turn, draft: Composition) -> Generator[Event, None, list[Correction]]:
        """What the model, checking every claim, would change."""
        verification = Verification(draft.sentences, draft.numbering, draft.given)
        if draft.absent or not verification.claims or not verification.papers:
            return []
        count = len(verification.claims)
        question = turn.plan.question
        messages = self._prompts["support"].messages(
            question=question,
            claims=verification.claims,
            papers=verification.papers,
            boundary=verification.boundary(question),
        )
        most = _SMALL_REPLY + _A_VERDICT * count
        window = self.endpoint.context_window()
        if window is not None:
            most = min(most, window - _size(messages))
        if most < _SHORT_VERDICT * count:
            turn.notes.append("Too long for the model's window: checked by comparison only.")
            return []
        yield StatusEvent(text=f"checking {count} sentence{'' if count == 1 else 's'}")
        reply = yield from self._small(turn, messages, "the check by the model", most)
        corrections = list(verification.corrections(reply))
        draft.beside = verification.beside
        if reply and not corrections:
            turn.notes.append("The model's check could not be read: checked by comparison only.")
        return corrections

    def write(self, turn: Turn, *, withhold: bool) -> Iterator[Event]:
        """A draft from the papers of the turn, as many as fit.

        Raises:
            ContextTooLong: not even one paper fits beside the question.
        """
        given, messages, most = self._prepared(turn)
        count = len(given)
        draft = Composition(given, turn.checks(given), turn.question, withhold)
        turn.former, turn.draft = turn.draft, draft
        yield StatusEvent(text=f"reading {count} paper{'' if count == 1 else 's'}")
        yield from self._compose(turn, draft, messages, most)

    def converse(self, turn: Turn, papers: Sequence[RetrievedPaper]) -> Iterator[Event]:
        """A reply about the conversation, which may cite ``papers``."""
        given, texts = fit(papers, self._generation.passage_tokens)
        history = self._history(turn)
        messages = self._prompts["converse"].messages(
            question=turn.question,
            history=history,
            papers=_numbered(texts),
            boundary=boundary([*texts, turn.question, history]),
            language=self._generation.language,
        )
        turn.draft = Composition(given, turn.checks(given))
        yield from self._compose(turn, turn.draft, messages, self._generation.max_tokens)

    # ------------------------------------------------------------------ inside

    def _compose(
        self, turn: Turn, draft: Composition, messages: Sequence[ChatMessage], most: int
    ) -> Iterator[Event]:
        draft.rules = "\n".join(str(m.content) for m in messages if m.role == "system")
        small = self.endpoint.is_small and bool(draft.given)
        pieces = self.endpoint.stream(
            messages,
            turn.ledger,
            max_tokens=most,
            grammar=citing_grammar(len(draft.given)) if small else None,
            cancellation=turn.cancellation,
        )
        for piece in pieces:
            if isinstance(piece, Waiting):
                yield StatusEvent(text=piece.text, waiting=True)
            elif isinstance(piece, Finished):
                yield from draft.end(piece.reason)
                _note_cut(turn, piece.usage, _size(messages))
            else:
                yield from draft.feed(piece.text)
            if draft.circling:
                pieces.close()
                turn.notes.append("The model repeated itself and was stopped.")
                return

    def _small(
        self, turn: Turn, messages: Sequence[ChatMessage], what: str, most: int = _SMALL_REPLY
    ) -> Generator[Event, None, str]:
        """The reply to a small call; empty, with a note, where the cap forbids it or none comes."""
        text = ""
        try:
            for piece in self.endpoint.stream(
                messages, turn.ledger, small=True, max_tokens=most, cancellation=turn.cancellation
            ):
                if isinstance(piece, Waiting):
                    yield StatusEvent(text=piece.text, waiting=True)
                elif isinstance(piece, Delta):
                    text += piece.text
        except CostCapReached:
            turn.notes.append(f"Left out to stay under the cost cap: {what}.")
        except ReplyEmpty:
            turn.notes.append(f"The model said nothing in {what}: gone on without.")
        return text

    def _history(self, turn: Turn) -> str:
        return condensed(turn.turns, self._generation.history_tokens)

    def _prepared(self, turn: Turn) -> tuple[list[RetrievedPaper], list[ChatMessage], int]:
        """The papers that fit, the messages to write from them, and the longest reply."""
        question = turn.plan.question if turn.plan.understood else turn.question
        window, most = self.endpoint.context_window(), self._generation.max_tokens
        wanted = self._generation.passage_tokens
        if turn.effort != "deep":
            share = _AGAIN if turn.draft else max(_SHARE[0], _A_SEARCH * len(turn.searched))
            kept = [prompt_text(found) for found in turn.draft.cited] if turn.draft else []
            wanted = int(wanted * min(_SHARE[1], share)) + sum(map(count_tokens, kept))
        # a small window holds a paper rather than what was said before
        for history in dict.fromkeys((self._history(turn), "")):
            budget, longest = wanted, most
            if window is not None:
                room = window - _MARGIN - _size(self._answer(question, [], history))
                if room - most < wanted:
                    longest = max(_LEAST_REPLY, min(most, room // 3))
                budget = min(budget, room - longest)
            given, texts = fit(turn.papers, budget)
            if given:
                return given, self._answer(question, texts, history), longest
        raise ContextTooLong(
            f"The context window of {window} tokens leaves no room for a paper.",
            "Take a model, or a setting of the server, with a larger window.",
        )

    def _answer(self, question: str, texts: Sequence[str], history: str) -> list[ChatMessage]:
        window = self.endpoint.context_window()
        short = self.endpoint.is_small or (window is not None and window < _SMALL_WINDOW)
        return self._prompts["answer_short" if short else "answer"].messages(
            question=question,
            papers=_numbered(texts),
            boundary=boundary([*texts, question, history]),
            history=history,
            language=self._generation.language,
        )


def _numbered(texts: Sequence[str]) -> list[dict[str, object]]:
    return [{"number": n, "text": text} for n, text in enumerate(texts, 1)]


def _note_cut(turn: Turn, usage: Usage, sent: int) -> None:
    """Says so where a server read far less than it was sent, as Ollama does without a word."""
    read = usage.prompt_tokens
    if not usage.estimated and sent >= _LONG and 0 < read < sent / 2:
        turn.notes.append(
            f"The server read {read:,} tokens of about {sent:,}: its window is smaller, and papers "
            "or rules are missing. Give it a larger one (Ollama: OLLAMA_CONTEXT_LENGTH), or set "
            f"ASSISTANT_ENDPOINT__CONTEXT_WINDOW to {read}."
        )


def _size(messages: Sequence[ChatMessage]) -> int:
    return sum(count_tokens(str(m.content or "")) + 4 for m in messages)
