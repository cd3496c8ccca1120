"""Generative answering: understand, retrieve, write, search again, verify, mend.

`GenerativeAnswerer.stream` gives the same events as extraction does. Nothing of one question
outlives it: every stream has its own `_Turn`. An endpoint that fails ends the stream with an
ErrorEvent, which holds what there is of the answer; there is no falling back to extraction.

The steps, and the calls that they take:

    understand   one small call for searches in the model's words; no call where the library is
                 plainly about something else
    write        one call; sentences are shown as they end, but for those that say that
                 something is missing
    search again one small call and a second draft, where the first says that something is missing
    verify       one call: verdicts, proofs, and sentences that stand for those that do not

"quick" leaves out all but writing; "deep" asks after each draft what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from assistant.answering.checking import Checked, SentenceChecks, says_missing
from assistant.answering.citations import Marker, Numbering, RawSentence, SentenceReader
from assistant.answering.languages import language
from assistant.answering.papers import fit, fuse
from assistant.answering.replies import (
    Head,
    Repeats,
    citing_grammar,
    echoes,
    read_loose_citations,
    smuggles,
    without_absent,
)
from assistant.answering.understanding import (
    Plan,
    cited_titles,
    condensed,
    plan_from_reply,
    queries_of,
)
from assistant.answering.verifying import Correction, Verification
from assistant.conversation import small_talk, standalone
from assistant.endpoint.chat import Cancellation, Delta, Endpoint, Finished, Waiting
from assistant.endpoint.ledger import Ledger, count_tokens
from assistant.errors import ContextTooLong, CostCapReached, EndpointError, ReplyEmpty
from assistant.filters import Filters
from assistant.paper import normalised_title
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
from assistant.retrieved import Retrieval, RetrievedPaper
from assistant.settings import GenerationSettings, Settings, Verify

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage

    from assistant.answering.evidence import PassageReader
    from assistant.answering.support import SupportChecker
    from assistant.embedding import Embedder
    from assistant.retrieval import PaperRetriever

__all__ = ["Effort", "GenerativeAnswerer", "Judgement", "open_answerer"]

Effort = Literal["quick", "normal", "deep"]

_SMALL_REPLY = 400
_A_VERDICT = 140
"""Tokens of a reply for each sentence that is verified."""
_MORE_SEARCHES = 2
_NEAREST = 3
_FOUND = 20
"""Papers of each search; as many of them go into the prompt as its tokens allow."""
_OFF_TOPIC = 0.3
"""Best cosine below which a question that the filter calls absent is plainly off topic."""
_UNRELATED = 0.15
"""Best cosine below which a paper that shares no word with the question is left out."""
_LEAST_REPLY = 160
_SMALL_WINDOW = 4000
"""Tokens of a context window below which the short prompt is used."""
_WORTH = {"supported": 1.0, "unchecked": 0.7, "partial": 0.5, "unsupported": 0.0}


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


@dataclass
class _Turn:
    """One question on its way to its answer."""

    question: str
    turns: Sequence[Message]
    effort: Effort
    verify: Verify
    filters: Filters | None
    ledger: Ledger
    cancellation: Cancellation | None
    notes: list[str]
    plan: Plan
    most: int | None = None
    """Papers that may be read, where a person says so."""
    started: float = field(default_factory=time.perf_counter)
    retrieved: float | None = None
    confidence: float = 0.0
    off_topic: bool = True
    papers: list[RetrievedPaper] = field(default_factory=list)
    first: Retrieval | None = None
    """What the plain search found: its nearest papers are named where nothing answers."""
    searched: list[str] = field(default_factory=list)
    draft: _Draft | None = None
    kept: _Draft | None = None
    """The draft before this one, whole."""

    @property
    def nearest(self) -> str:
        """The titles nearest to the question, in quotation marks."""
        papers = self.first.papers[:_NEAREST] if self.first else ()
        return "; ".join(f"“{found.paper.label}”" for found in papers)


class _Draft:
    """What has been written so far: sentences with what stands before each, numbers, checks."""

    def __init__(
        self, given: list[RetrievedPaper], checks: SentenceChecks, question: str = ""
    ) -> None:
        self.given = given
        self.checks = checks
        self.question = question
        self.numbering = Numbering()
        self.leads: list[str] = []
        self.sentences: list[Sentence] = []
        self.repeats = Repeats()
        self.pending = ""
        self.absent = False
        self.lacking = False
        """Whether it says that something is missing."""
        self.withheld: list[tuple[RawSentence, str]] = []
        self.circling = False
        self.finish = "stop"
        self.rules = ""
        """The system's part of the prompt."""
        self.texts = [f"{found.paper.title}\n{found.told}" for found in given]

    @property
    def text(self) -> str:
        """The whole text."""
        pairs = zip(self.leads, self.sentences, strict=True)
        return "".join(lead + s.text for lead, s in pairs).strip()

    @property
    def worth(self) -> float:
        """In [0, 1]: how much of what it claims stands; 0 where it claims nothing."""
        claims = [_WORTH[s.support] for s in self.sentences if s.support in _WORTH]
        return sum(claims) / len(claims) if claims else 0.0


class GenerativeAnswerer:
    """Answers by a language model over retrieved papers. Safe in several threads at once.

    Args:
        checker: compares sentences with abstracts, by the words of a library.
        assess: judges which papers of a retrieval are worth reading for a question.
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
        turn = _Turn(
            question,
            turns,
            chosen,
            _verification(verify, chosen, generation),
            filters,
            Ledger(generation.max_cost),
            cancellation,
            list(notes),
            Plan(question, [question]),
            most=k,
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
        asked = standalone(turn.question, turn.turns)
        turn.plan = Plan(asked, [asked])
        yield StatusEvent(text=f"searching {papers:,} papers")
        turn.first = self._retriever.find(asked, _FOUND, turn.filters)
        plain = self._judged(turn, asked, turn.first)
        turn.retrieved = time.perf_counter()
        if turn.off_topic and not turn.turns:
            yield from self._abstain(turn)
            return
        yield from self._understand(turn, asked)
        if not turn.plan.library:
            yield from self._converse(turn)
            return
        yield from self._search(turn, turn.plan.searches, known={asked: plain})
        if not turn.papers or turn.off_topic:
            yield from self._abstain(turn)
            return
        if turn.effort == "deep":
            yield from self._write_deeply(turn)
        else:
            yield from self._write(turn, withhold=turn.effort != "quick")
            if turn.effort != "quick":
                yield from self._look_again(turn)
        yield from self._finish(turn)

    def _finish(self, turn: _Turn) -> Iterator[Event]:
        if turn.verify == "model":
            yield from self._verify(turn)
        yield DoneEvent(answer=self._whole(turn))

    def _understand(self, turn: _Turn, asked: str) -> Iterator[Event]:
        for waiting in self._endpoint.begin():
            yield StatusEvent(text=waiting.text, waiting=True)
        if turn.effort == "quick":
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

    def _search(
        self,
        turn: _Turn,
        queries: Sequence[str],
        known: dict[str, list[RetrievedPaper]] | None = None,
    ) -> Iterator[Event]:
        """Adds what is found to the papers of the turn, best first, off-topic papers left out."""
        found: list[list[RetrievedPaper]] = []
        filters = turn.filters or turn.plan.filters
        for query in queries:
            if len(queries) > 1 or known is None:
                yield StatusEvent(text=f"searching: {query}")
            turn.searched.append(query)
            judged = (known or {}).get(query) if filters == turn.filters else None
            if judged is None:
                judged = self._judged(turn, query, self._find(turn, query, filters))
            found.append(judged)
        most = self._settings.retrieval.top_k
        most = max(3, most // 2) if turn.effort == "quick" else max(most, _FOUND)
        most = turn.most or most
        held = {paper.paper.id for paper in turn.papers}
        turn.papers += [paper for paper in fuse(found, most) if paper.paper.id not in held]

    def _find(self, turn: _Turn, query: str, filters: Filters | None) -> Retrieval:
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

    def _judged(self, turn: _Turn, query: str, found: Retrieval) -> list[RetrievedPaper]:
        """The papers in the order of the knowledge filter, without those surely off topic."""
        if not len(found):
            return []
        judgement = self._assess(found, query)
        turn.confidence = max(turn.confidence, float(judgement.confidence))
        nearest = max(paper.best_cosine for paper in found)
        foreign = language(query) not in ("", "english")
        if judgement.status != "absent" or nearest >= _OFF_TOPIC or foreign:
            turn.off_topic = False
        first = [n for n in judgement.relevant if n < len(found)]
        order = first + [n for n in range(len(found)) if n not in first]
        related = [n for n in order if found[n].bm25 > 0 or found[n].best_cosine >= _UNRELATED]
        return [found[n] for n in related]

    def _write(self, turn: _Turn, *, withhold: bool = False) -> Iterator[Event]:
        """One draft, sentence by sentence, each checked as it ends.

        ``withhold``: sentences that say that something is missing are kept back until it has
        been searched for.
        """
        draft, messages, most = self._prepared(turn)
        if turn.draft is not None and turn.draft.text:
            turn.kept = turn.draft
        turn.draft = draft
        count = len(draft.given)
        yield StatusEvent(text=f"reading {count} paper{'' if count == 1 else 's'}")
        yield from self._compose(turn, draft, messages, most, withhold=withhold)

    def _compose(
        self,
        turn: _Turn,
        draft: _Draft,
        messages: Sequence[ChatMessage],
        most: int,
        *,
        withhold: bool,
    ) -> Iterator[Event]:
        draft.rules = "\n".join(str(m.content) for m in messages if m.role == "system")
        head, reader = Head(), SentenceReader([found.paper.label for found in draft.given])
        small = self._endpoint.is_small and bool(draft.given)
        pieces = self._endpoint.stream(
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
                draft.finish = piece.reason
            else:
                read = reader.feed(head.feed(piece.text))
                draft.absent = head.absent
                yield from self._read(draft, read, withhold=withhold)
            if draft.circling:
                pieces.close()  # type: ignore[attr-defined]
                turn.notes.append("The model repeated itself and was stopped.")
                break
        else:
            yield from self._read(draft, reader.feed(head.finish()), withhold=withhold)
            draft.absent = head.absent
            yield from self._read(draft, reader.finish(), withhold=withhold)

    def _read(
        self, draft: _Draft, parts: Iterator[str | RawSentence], *, withhold: bool
    ) -> Iterator[Event]:
        for part in parts:
            if isinstance(part, str):
                draft.pending += part
                continue
            lead = draft.pending[: len(draft.pending) - len(part.before)]
            draft.pending = ""
            if draft.circling or draft.repeats.again(part.text):
                draft.circling = True
                return
            missing = self._reads_as_missing(draft, part)
            if missing:
                draft.lacking = True
                if withhold:
                    draft.withheld.append((part, lead))
                    continue
            yield from self._end_sentence(draft, part, lead)

    @staticmethod
    def _reads_as_missing(draft: _Draft, raw: RawSentence) -> bool:
        """Whether a sentence says that something is missing; takes the word for it out."""
        before, late = without_absent(raw.before)
        rest, later = without_absent(raw.rest)
        if late or later:
            raw.before, raw.rest = before, rest
        return draft.absent or late or later or raw.silent or says_missing(raw.text)

    def _end_sentence(self, draft: _Draft, raw: RawSentence, lead: str) -> Iterator[Event]:
        """Checks a sentence that has ended, and shows it with its markers as they stand then."""
        index = len(draft.sentences)
        read_loose_citations(raw, len(draft.given))
        if not (raw.before + raw.rest).strip():
            return
        titles = [found.paper.label for found in draft.given]
        if smuggles(f"{lead}{raw.before}{raw.rest}", draft.texts, draft.rules):
            draft.checks.refused += 1
            return
        if draft.question and echoes(raw.text, draft.question, titles):
            checked = Checked("none", why="a title, or the question again")
        else:
            checked = draft.checks.check(index, raw, claims=not draft.absent)
        known = len(draft.numbering.given)
        text = (raw.before + raw.shown_rest(draft.numbering.show)).strip()
        sentence = Sentence(
            text=text,
            citations=sorted(draft.numbering[n] for n in raw.numbers),
            support=checked.support,
            quote=checked.quote,
            why=checked.why,
        )
        draft.leads.append(lead)
        draft.sentences.append(sentence)
        yield TextEvent(text=(lead if index else lead.lstrip()) + text)
        for given in draft.numbering.given[known:]:
            if draft.checks.is_used(given):
                yield CitationEvent(citation=draft.checks.citation(given, draft.numbering[given]))
        yield VerdictEvent(index=index, sentence=sentence)

    # ------------------------------------------------------------------ searching again

    def _look_again(self, turn: _Turn) -> Iterator[Event]:
        """Searches for what the draft says is missing, and writes anew if that finds more.

        A draft of which nothing has been shown is replaced; else the new one is shown when it
        is whole, by the answer at the end.
        """
        draft = turn.draft
        if draft is None or not draft.lacking:
            return
        more = yield from self._found_more(turn)
        if more:
            shown = bool(draft.sentences)
            try:
                for event in self._write(turn):
                    if not shown or isinstance(event, StatusEvent):
                        yield event
            except CostCapReached:
                turn.draft = turn.kept or draft
            else:
                return
        for raw, lead in draft.withheld:
            yield from self._end_sentence(draft, raw, lead)
        draft.withheld = []

    def _found_more(self, turn: _Turn) -> Generator[Event, None, int]:
        """Searches for what is missing; how many papers that brought."""
        known = len(turn.papers)
        yield StatusEvent(text="looking for what is missing")
        queries = yield from self._missing(turn)
        if queries:
            before = list(turn.papers)
            turn.papers = []
            yield from self._search(turn, queries)
            new = [p for p in turn.papers if p.paper.id not in {b.paper.id for b in before}]
            turn.papers = _woven(before, new)
        count = len(turn.papers) - known
        if count:
            yield StatusEvent(text=f"found {count} more paper{'s' if count > 1 else ''}")
        return count

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
            more = yield from self._found_more(turn)
            if not more:
                yield from held
                return
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
        parts = [draft.text, *(raw.text for raw, _ in draft.withheld)] if draft else []
        text = " ".join(part for part in parts if part) or "Nothing here answers the question."
        titles = [found.paper.label for found in (draft.given if draft else [])]
        messages = self._prompts["sufficiency"].messages(
            question=turn.plan.question,
            answer=text,
            titles=titles,
            boundary=boundary([turn.plan.question, text, *titles]),
        )
        reply = yield from self._small(turn, messages, "the search for what is missing")
        return [q for q in queries_of(reply) if q not in turn.searched][:3]

    # ------------------------------------------------------------------ verifying and mending

    def _verify(self, turn: _Turn) -> Iterator[Event]:
        """Lets the model check every claim; what does not stand is mended, dropped or marked."""
        draft = turn.draft
        if draft is None or draft.absent:
            return
        verification = Verification(draft.sentences, draft.numbering, draft.given)
        if not verification.claims or not verification.papers:
            return
        count = len(verification.claims)
        messages = self._prompts["support"].messages(
            claims=verification.claims,
            papers=verification.papers,
            boundary=verification.boundary,
        )
        most = _SMALL_REPLY + _A_VERDICT * count
        window = self._endpoint.context_window()
        size = sum(count_tokens(str(m.content)) for m in messages)
        if window is not None and size + most > window:
            turn.notes.append("Too long for the model's window: checked by comparison only.")
            return
        yield StatusEvent(text=f"checking {count} sentence{'' if count == 1 else 's'}")
        reply = yield from self._small(turn, messages, "the check by the model", most)
        corrections = list(verification.corrections(reply))
        if reply and not corrections:
            turn.notes.append("The model's check could not be read: checked by comparison only.")
        yield from self._mend(turn, draft, corrections)

    def _mend(
        self, turn: _Turn, draft: _Draft, corrections: Sequence[Correction]
    ) -> Iterator[Event]:
        mended = dropped = 0
        claims = sum(s.support != "none" for s in draft.sentences)
        gone: set[int] = set()
        for correction in corrections:
            place, sentence = correction.place, correction.sentence
            if correction.text == "" and len(gone) + 1 < claims:
                gone.add(place)
                dropped += 1
                continue
            if correction.text:
                rewritten = self._rewritten(draft, place, correction.text)
                if rewritten is not None:
                    sentence = rewritten
                    mended += 1
            draft.sentences[place] = sentence
            draft.checks.overrule(place, sentence)
            yield VerdictEvent(index=place, sentence=sentence)
        for place in sorted(gone, reverse=True):
            draft.checks.forget(place)
            draft.leads[place], draft.sentences[place] = "", Sentence(text="")
        kept = [n for n, s in enumerate(draft.sentences) if s.text]
        draft.leads = [draft.leads[n] for n in kept]
        draft.sentences = [draft.sentences[n] for n in kept]
        if mended or dropped:
            turn.notes.append(_mending(mended, dropped))

    def _rewritten(self, draft: _Draft, place: int, text: str) -> Sentence | None:
        """The sentence that the model puts in the place of one; None where it cites nothing."""
        given = {draft.numbering[g]: g for g in draft.numbering.given}
        if smuggles(text, draft.texts, draft.rules):
            return None
        reader = SentenceReader([draft.given[g - 1].paper.label for _, g in sorted(given.items())])
        raws = [p for p in (*reader.feed(text), *reader.finish()) if isinstance(p, RawSentence)]
        numbers = list(dict.fromkeys(n for raw in raws for n in raw.numbers))
        if not numbers:
            return None
        own = RawSentence("", "", "", [Marker(tuple(given[n] for n in numbers))])
        own.before = " ".join(raw.text for raw in raws)
        draft.checks.forget(place)
        checked = draft.checks.check(place, own)
        shown = " ".join(
            (raw.before + raw.shown_rest(lambda ns: "".join(f"[{n}]" for n in sorted(ns)))).strip()
            for raw in raws
        )
        cited = sorted(draft.numbering[g] for g in own.numbers)
        doubted = checked.support == "unsupported" or checked.why.startswith("not in the abstract")
        return Sentence(
            text=shown,
            citations=cited,
            support="partial" if doubted else "supported",
            quote=checked.quote,
            why=checked.why if doubted else "put right by the model after its check",
        )

    # ------------------------------------------------------------------ without new papers

    def _say(self, turn: _Turn, text: str) -> Iterator[Event]:
        """An answer that the program itself knows."""
        yield TextEvent(text=text)
        sentences = [Sentence(text=text)]
        yield VerdictEvent(index=0, sentence=sentences[0])
        yield DoneEvent(answer=self._made(turn, text, sentences, "answered", 1.0))

    def _converse(self, turn: _Turn) -> Iterator[Event]:
        """A reply about the conversation; it may cite the papers that were cited there."""
        papers = self._papers_of_before(turn)
        given, texts = fit(papers, self._settings.generation.passage_tokens)
        history = self._history(turn)
        messages = self._prompts["converse"].messages(
            question=turn.question,
            history=history,
            papers=[{"number": n, "text": text} for n, text in enumerate(texts, 1)],
            boundary=boundary([*texts, turn.question, history]),
            language=self._settings.generation.language,
        )
        draft = turn.draft = _Draft(given, self._checks(turn, given))
        yield from self._compose(
            turn, draft, messages, self._settings.generation.max_tokens, withhold=False
        )
        turn.confidence = 1.0
        if turn.verify == "model" and given:
            yield from self._verify(turn)
        turn.notes += draft.checks.notes
        yield DoneEvent(answer=self._made(turn, draft.text, draft.sentences, "answered", 1.0))

    def _papers_of_before(self, turn: _Turn) -> list[RetrievedPaper]:
        """The papers that the last answer cites, by their titles, else those found again."""
        said = [t.content for t in turn.turns if t.role == "assistant"]
        asked = [t.content for t in turn.turns if t.role == "user"]
        titles = {normalised_title(title) for title in (cited_titles(said[-1]) if said else [])}
        if not said or not asked:
            return []
        found = self._retriever.find(asked[-1], _FOUND, turn.filters)
        if not titles:
            return list(found.papers[: self._settings.retrieval.top_k])
        held = [p for p in found if normalised_title(p.paper.label) in titles]
        for title in cited_titles(said[-1]):
            if normalised_title(title) not in {normalised_title(p.paper.label) for p in held}:
                nearest = self._retriever.find(title, 1, turn.filters)
                held += [p for p in nearest if normalised_title(p.paper.label) in titles]
        return held

    def _abstain(self, turn: _Turn) -> Iterator[Event]:
        """Plainly off topic: no call, and the nearest titles."""
        text = "The library does not hold an answer to this question."
        if turn.nearest:
            text += f" The nearest papers are {turn.nearest}."
        yield TextEvent(text=text)
        sentences = [Sentence(text=text)]
        yield VerdictEvent(index=0, sentence=sentences[0])
        yield DoneEvent(answer=self._made(turn, text, sentences, "absent", turn.confidence))

    # ------------------------------------------------------------------ calls and results

    def _small(
        self, turn: _Turn, messages: Sequence[ChatMessage], what: str, most: int = _SMALL_REPLY
    ) -> Generator[Event, None, str]:
        """The reply to a small call; empty, with a note, where the cap forbids it or none comes."""
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
        except ReplyEmpty:
            turn.notes.append(f"The model said nothing in {what}: gone on without.")
        return text

    def _history(self, turn: _Turn) -> str:
        return condensed(turn.turns, self._settings.generation.history_tokens)

    def _checks(self, turn: _Turn, given: Sequence[RetrievedPaper]) -> SentenceChecks:
        checker = self._checker(turn.first) if given and turn.first is not None else None
        return SentenceChecks(given, checker, compare=turn.verify != "off")

    def _prepared(self, turn: _Turn) -> tuple[_Draft, list[ChatMessage], int]:
        """The papers that fit, the messages to write from them, and the longest reply.

        Raises:
            ContextTooLong: not even one paper fits beside the question.
        """
        generation, history = self._settings.generation, self._history(turn)
        question = turn.plan.question if turn.plan.understood else turn.question
        budget, most = generation.passage_tokens, generation.max_tokens
        window = self._endpoint.context_window()
        if window is not None:
            fixed = self._size(self._answer_messages(question, [], history)) + 64
            if window - fixed - most < generation.passage_tokens:
                most = max(_LEAST_REPLY, min(most, (window - fixed) // 3))
            budget = min(budget, window - fixed - most)
        given, texts = fit(turn.papers, budget)
        if not given and history and window is not None:
            history = ""  # a small window holds a paper rather than what was said before
            fixed = self._size(self._answer_messages(question, [], history)) + 64
            given, texts = fit(turn.papers, window - fixed - most)
        if not given:
            raise ContextTooLong(
                f"The context window of {window} tokens leaves no room for a paper.",
                "Take a model, or a setting of the server, with a larger window.",
            )
        checks = self._checks(turn, given)
        draft = _Draft(given, checks, turn.question)
        return draft, self._answer_messages(question, texts, history), most

    def _answer_messages(
        self, question: str, texts: Sequence[str], history: str
    ) -> list[ChatMessage]:
        window = self._endpoint.context_window()
        short = self._endpoint.is_small or (window is not None and window < _SMALL_WINDOW)
        return self._prompts["answer_short" if short else "answer"].messages(
            question=question,
            papers=[{"number": n, "text": text} for n, text in enumerate(texts, 1)],
            boundary=boundary([*texts, question, history]),
            history=history,
            language=self._settings.generation.language,
        )

    @staticmethod
    def _size(messages: Sequence[ChatMessage]) -> int:
        return sum(count_tokens(str(m.content or "")) + 4 for m in messages)

    def _whole(self, turn: _Turn) -> Answer:
        """The finished answer, with what there is to say about it."""
        draft = turn.draft
        if draft is None:
            raise AssertionError("an answer is written before it is finished")
        turn.notes += draft.checks.notes
        if draft.finish == "length":
            most = self._settings.generation.max_tokens
            turn.notes.append(f"Cut off at the most tokens that an answer may have ({most}).")
        worth = draft.worth
        low = turn.confidence / 4
        if draft.absent:
            if turn.nearest:
                turn.notes.append(f"The nearest papers are {turn.nearest}.")
            text = draft.text or "The papers of the library do not answer this question."
            return self._made(turn, text, draft.sentences, "closest", low)
        if not draft.text:
            text = "What the model wrote does not answer the question, and is not shown."
            return self._made(turn, text, [Sentence(text=text)], "closest", 0.0)
        if worth == 0:
            turn.notes.append("No sentence of this answer is supported by a paper that it cites.")
            return self._made(turn, draft.text, draft.sentences, "closest", low)
        if any(s.support == "unchecked" for s in draft.sentences):
            turn.notes.append(
                "Written in another language than the abstracts, and not checked against them."
                if turn.verify != "off"
                else "Not checked against the abstracts."
            )
        # a model that found support for what it says is evidence that the library answers
        confidence = (0.4 + 0.6 * turn.confidence) * worth
        status: Literal["answered", "closest"] = "answered" if worth > 0.5 else "closest"
        return self._made(turn, draft.text, draft.sentences, status, confidence)

    def _partial(self, turn: _Turn, error: EndpointError) -> Answer | None:
        """What there is of an answer that could not be finished."""
        if turn.draft is None or not turn.draft.text:
            turn.draft = turn.kept
        draft = turn.draft
        if draft is None or not draft.text:
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
                if draft.checks.is_used(given)
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
            passages=[found.passage for found in shown],
            timings_ms=Timings(
                retrieve=(retrieved - turn.started) * 1000,
                answer=(ended - retrieved) * 1000,
                total=(ended - turn.started) * 1000,
            ),
            usage=turn.ledger.usage,
            notes=list(dict.fromkeys(turn.notes)),
        )


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


def _woven(before: Sequence[RetrievedPaper], new: Sequence[RetrievedPaper]) -> list[RetrievedPaper]:
    """The new papers right after the first few of the old: a prompt is cut at its end."""
    return [*before[:_NEAREST], *new, *before[_NEAREST:]]


def _mending(mended: int, dropped: int) -> str:
    counts = ((mended, "put right"), (dropped, "left out"))
    parts = [f"{n} sentence{'s' if n > 1 else ''} {what}" for n, what in counts if n]
    return f"After its check: {', '.join(parts)}."


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
    from assistant.answering.confidence import assess  # noqa: PLC0415
    from assistant.answering.support import SupportChecker  # noqa: PLC0415

    def checker(found: Retrieval) -> SupportChecker:
        return SupportChecker(embedder, found.statistics.idf)

    def judge(found: Retrieval, asked: str) -> Judgement:
        return assess(found, asked, reader, settings.answer)

    return GenerativeAnswerer(
        settings,
        endpoint=Endpoint(settings, llm=llm),
        prompts=Prompts(settings.prompts),
        retriever=retriever,
        checker=checker,
        assess=judge,
    )
