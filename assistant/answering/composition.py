"""What a model writes, sentence by sentence: shown as each ends, numbered anew, checked, mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from assistant.answering.checking import SPEAKS, Checked, SentenceChecks, says_missing
from assistant.answering.citations import Marker, Numbering, RawSentence, SentenceReader
from assistant.answering.replies import (
    Head,
    Repeats,
    echoes,
    read_loose_citations,
    smuggles,
    without_absent,
)
from assistant.answering.support import DIFFERS
from assistant.answering.verifying import Correction
from assistant.results import Citation, CitationEvent, Event, Sentence, TextEvent, VerdictEvent
from assistant.retrieved import RetrievedPaper

__all__ = ["Composition"]

_WORTH = {"supported": 1.0, "unchecked": 0.7, "partial": 0.5, "unsupported": 0.0}


@dataclass
class Composition:
    """One text over the papers that were ``given``, from its first piece on.

    ``leads`` are what stands before each sentence. ``absent``: the model says that nothing
    answers; ``lacking``: that something is missing; ``circling``: that it repeats itself, from
    where on nothing more is read.
    """

    given: Sequence[RetrievedPaper]
    checks: SentenceChecks
    question: str = ""
    withhold: bool = False
    """Whether sentences that say that something is missing are kept back until `release`."""
    rules: str = ""
    """The system's part of the prompt, which is not to be shown."""
    numbering: Numbering = field(default_factory=Numbering)
    leads: list[str] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    absent: bool = False
    lacking: bool = False
    circling: bool = False
    beside: bool = False
    """Whether it is found not to answer the question."""
    finish: str = "stop"
    remarks: list[str] = field(default_factory=list)
    """What was done to it, for the reader, besides what the checks did."""

    def __post_init__(self) -> None:
        self._head = Head()
        self._texts = [
            "\n".join((found.paper.title, *trusted))
            for found, trusted in zip(self.given, self.checks.trusted, strict=True)
        ]
        self._titles = [found.paper.label for found in self.given]
        self._reader = SentenceReader(self._titles)
        self._repeats = Repeats()
        self._pending = ""
        self._withheld: list[tuple[RawSentence, str]] = []

    @property
    def text(self) -> str:
        """What stands there, whole."""
        pairs = zip(self.leads, self.sentences, strict=True)
        return "".join(lead + s.text for lead, s in pairs).strip()

    @property
    def whole(self) -> str:
        """The text with the sentences that are kept back."""
        return " ".join(part for part in (self.text, *(r.text for r, _ in self._withheld)) if part)

    @property
    def worth(self) -> float:
        """In [0, 1]: how much of what it claims stands; 0 where it claims nothing."""
        claims = [_WORTH[s.support] for s in self.sentences if s.support in _WORTH]
        return sum(claims) / len(claims) if claims else 0.0

    @property
    def said(self) -> list[tuple[RetrievedPaper, list[str]]]:
        """The papers that it cites, and what it says with each; nothing in another language."""
        if any(s.support == "unchecked" for s in self.sentences):
            return []
        return [
            (found, [s.text for s in self.sentences if n in s.citations])
            for n, found in enumerate(self.cited, 1)
        ]

    @property
    def cited(self) -> list[RetrievedPaper]:
        """The papers that it cites, in the reader's order."""
        return [self.given[number - 1] for number in self.numbering.given]

    @property
    def citations(self) -> list[Citation]:
        """The papers that a sentence rests on."""
        used = [n for n in self.numbering.given if self.checks.is_used(n)]
        return [] if self.absent else [self._citation(n) for n in used]

    @property
    def notes(self) -> list[str]:
        """What was done to it, for the reader."""
        return [*self.checks.notes, *self.remarks]

    # ------------------------------------------------------------------ reading

    def feed(self, piece: str) -> Iterator[Event]:
        """The next piece of the reply."""
        parts = self._reader.feed(self._head.feed(piece))
        self.absent = self._head.absent
        yield from self._read(parts)

    def end(self, finish: str) -> Iterator[Event]:
        """The reply is over; ``finish`` is the reason."""
        self.finish = finish
        yield from self._read(self._reader.feed(self._head.finish()))
        self.absent = self._head.absent
        yield from self._read(self._reader.finish())

    def release(self) -> Iterator[Event]:
        """Shows the sentences that were kept back."""
        withheld, self._withheld = self._withheld, []
        for raw, lead in withheld:
            yield from self._end_sentence(raw, lead)

    def _read(self, parts: Iterable[str | RawSentence]) -> Iterator[Event]:
        for part in parts:
            if isinstance(part, str):
                self._pending += part
                continue
            lead = self._pending[: len(self._pending) - len(part.before)]
            self._pending = ""
            if self.circling or self._repeats.again(part.text):
                self.circling = True
                return
            missing = self._says_missing(part)
            self.lacking = self.lacking or missing
            if missing and self.withhold:
                self._withheld.append((part, lead))
            else:
                yield from self._end_sentence(part, lead)

    def _says_missing(self, raw: RawSentence) -> bool:
        """Whether a sentence says that something is missing; takes the word for it out."""
        before, late = without_absent(raw.before)
        rest, later = without_absent(raw.rest)
        if late or later:
            raw.before, raw.rest = before, rest
        return self.absent or late or later or raw.silent or says_missing(raw.text)

    def _end_sentence(self, raw: RawSentence, lead: str) -> Iterator[Event]:
        """Checks a sentence that has ended, and shows it with its markers as they stand then."""
        index = len(self.sentences)
        read_loose_citations(raw, len(self.given))
        if not (raw.before + raw.rest).strip():
            return
        if smuggles(f"{lead}{raw.before}{raw.rest}", self._texts, self.rules):
            self.checks.refused += 1
            return
        if self.question and echoes(raw.text, self.question, self._titles):
            checked = Checked("none", why="a title, or the question again")
        else:
            checked = self.checks.check(index, raw, claims=not self.absent)
        known = len(self.numbering.given)
        text = (raw.before + raw.shown_rest(self.numbering.show)).strip()
        sentence = Sentence(
            text=text,
            citations=sorted(self.numbering[n] for n in raw.numbers),
            support=checked.support,
            quote=checked.quote,
            why=checked.why,
        )
        self.leads.append(lead)
        self.sentences.append(sentence)
        yield TextEvent(text=(lead if index else lead.lstrip()) + text)
        for given in self.numbering.given[known:]:
            if self.checks.is_used(given):
                yield CitationEvent(citation=self._citation(given))
        yield VerdictEvent(index=index, sentence=sentence)

    def _citation(self, given: int) -> Citation:
        return self.checks.citation(given, self.numbering[given])

    # ------------------------------------------------------------------ mending

    def mend(self, corrections: Sequence[Correction]) -> Iterator[Event]:
        """Puts right, drops or marks the sentences that a second check is about.

        At least one claim stays, marked, so that there is something to read.
        """
        claims = sum(s.support != "none" for s in self.sentences)
        gone: set[int] = set()
        mended = 0
        for correction in corrections:
            place, sentence = correction.place, correction.sentence
            if correction.text == "" and len(gone) + 1 < claims:
                gone.add(place)
                continue
            rewritten = self._rewritten(place, correction) if correction.text else None
            mended += rewritten is not None and not correction.stands
            self.sentences[place] = sentence = rewritten or sentence
            self.checks.overrule(place, sentence)
            yield VerdictEvent(index=place, sentence=sentence)
        for place in gone:
            self.checks.forget(place)
        kept = [n for n in range(len(self.sentences)) if n not in gone]
        self.leads = [self.leads[n] for n in kept]
        self.sentences = [self.sentences[n] for n in kept]
        counts = ((mended, "put right"), (len(gone), "left out"))
        parts = [f"{n} sentence{'s' if n > 1 else ''} {what}" for n, what in counts if n]
        if parts:
            self.remarks.append(f"After its check: {', '.join(parts)}.")

    def _rewritten(self, place: int, correction: Correction) -> Sentence | None:
        """The sentence that the model puts in the place of one; None where it cites nothing."""
        if smuggles(correction.text or "", self._texts, self.rules):
            return None
        reader = SentenceReader([paper.paper.label for paper in self.cited])
        parts = (*reader.feed(correction.text or ""), *reader.finish())
        raws = [part for part in parts if isinstance(part, RawSentence)]
        numbers = list(dict.fromkeys(n for raw in raws for n in raw.numbers))
        if not numbers:
            return None
        given = [self.numbering.given[n - 1] for n in numbers]
        own = RawSentence("", " ".join(raw.text for raw in raws), "", [Marker(tuple(given))])
        self.checks.forget(place)
        checked = self.checks.check(place, own)
        shown = " ".join(
            (raw.before + raw.shown_rest(lambda ns: "".join(f"[{n}]" for n in sorted(ns)))).strip()
            for raw in raws
        )
        speaks = checked.why == SPEAKS
        doubt = checked.why if speaks or checked.why.startswith(DIFFERS) else ""
        if not (doubt or correction.proven):
            doubt = "put right by the model, which names no words that prove it"
        cited = sorted(self.numbering[g] for g in own.numbers)
        if correction.stands:
            return correction.sentence.model_copy(update={"text": shown, "citations": cited})
        return Sentence(
            text=shown,
            citations=cited,
            support="unsupported" if speaks else "partial" if doubt else "supported",
            quote=checked.quote,
            why=doubt or "put right by the model after its check",
        )
