"""Extractive answering: the answer first, in an abstract's own sentences, in the question's form.

The way of a question: what it is about the library itself is told from the records (`about`);
the rest is cut into its parts, each is searched, its papers are read (`evidence`), judged
(`confidence`), and laid out (`layouts`) in its form (`forms`). What the library does not hold
is said, with what is missing by name.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from assistant.acronyms import long_forms
from assistant.answering.about import AboutLibrary, tell_by_year, tell_record
from assistant.answering.absence import missing_note
from assistant.answering.calibration import Calibrations
from assistant.answering.confidence import Assessment, Judge, trusted
from assistant.answering.cues import REASON
from assistant.answering.draft import Draft
from assistant.answering.evidence import PassageReader
from assistant.answering.forms import (
    Asking,
    Form,
    asking,
    bare_topic,
    may_be_term,
    measured,
    no_topic,
    parts,
    polite,
    thing,
)
from assistant.answering.layouts import Layout
from assistant.answering.membership import alternatives, on_topic
from assistant.answering.question import Question, compact
from assistant.answering.spelling import (
    Vocabulary,
    as_held,
    base_forms,
    corrections,
    missing_words,
    with_corrections,
)
from assistant.answering.told import called, is_compared, is_defined, is_titled, is_told
from assistant.conversation import Resolved, lean_on, leaning, resolved, small_talk
from assistant.embedding import Embedder, WordEmbedder
from assistant.filters import Filters
from assistant.languages import ENGLISH, content_of, language_of
from assistant.library import Library
from assistant.paper import Paper
from assistant.results import CLOSEST, Answer, Message, Passage, Status
from assistant.retrieval import PaperRetriever
from assistant.settings import Settings
from assistant.text import STOP_WORDS, terms

__all__ = ["ExtractiveAnswerer", "open_answerer"]

_DEFINITION_HELD = 0.95
"""Confidence where a sentence defines what is asked by its name."""
_FOLLOWS_FROM = 0.15
"""Confidence from which something near is shown to one who goes on asking."""
NO_MORE = "The papers shown say no more on it than this:"
NO_REASON = "The papers shown give no reason in so many words; what else they say:"
ABSENT = "This library does not hold the answer."
NOTE = (
    "This answer is made of sentences of the abstracts. For written answers connect a language "
    "model: set OPENAI_API_KEY (or OPENAI_BASE_URL) and ASSISTANT_LLM."
)
_CLOSEST_QUOTES = 2
_NAMED_WHEN_ABSENT = 3
_TOPICAL, _OFTEN, _DETAIL = 0.85, 0.03, 4
"""Rarity in English from which a word may name a topic, unless so many of the papers hold it, and
content words up to which a question without one may be about what was shown."""
_AS_GOOD, _CALLED = 2.0, 5
"""Log-odds below a sentence that was shown within which a new one is worth its words, and papers
among which the one that is called so is looked for."""
_NAMING = 0.35
"""Rarity in English from which a word has to be said by a paper that is about a subject."""
_MOST_ON = 200
"""Papers that are looked at to count those on a topic."""
_BEST: dict[Status, int] = {"answered": 2, "closest": 1, "absent": 0}


@dataclass(frozen=True)
class _Part:
    """One question of those that were asked, with what was found for it."""

    asked: Asking
    assessment: Assessment
    lead: str = ""
    closest: str = CLOSEST
    """What is said before the nearest sentences, where none answers."""


class ExtractiveAnswerer:
    """Answers questions with sentences of the abstracts.

    Args:
        library: that is asked.
        retriever: over it.
        reader: of passages.
        settings: thresholds and length.
        judge: what the papers found are worth.
    """

    def __init__(
        self,
        library: Library,
        retriever: PaperRetriever,
        reader: PassageReader,
        settings: Settings,
        judge: Judge,
    ) -> None:
        self._library = library
        self._retriever = retriever
        self._reader = reader
        self._settings = settings.answer
        self._most = settings.retrieval.top_k
        self._judge = judge
        self._vocabulary: tuple[str, Vocabulary] | None = None

    @property
    def retriever(self) -> PaperRetriever:
        """What finds its papers."""
        return self._retriever

    @property
    def most(self) -> int:
        """Papers that are told."""
        return self._most

    def over(self, retriever: PaperRetriever, k: int) -> ExtractiveAnswerer:
        """The same answerer with another retriever, whose first ``k`` papers are told."""
        other = copy.copy(self)
        other._retriever, other._most = retriever, k
        return other

    def answer(
        self, question: str, turns: Sequence[Message] = (), filters: Filters | None = None
    ) -> Answer:
        """The answer to ``question``; ``turns`` are those before it, oldest first."""
        draft = Draft()
        meant = resolved(question, turns, self._alike)
        told = self._of_shown(question, meant, draft) if meant.fields or meant.picks else None
        if told or (told := self._told(question, meant.asked, draft, filters)):
            return told
        language = language_of(question)
        read = None if language == ENGLISH else self._read_as(question, language)
        if read:
            meant = Resolved(read, read)
        leans = not meant.told and meant.text.startswith(meant.asked)
        asked = parts(meant.asked) if leans else [meant.text]
        found = self._all_parts(asked, meant, filters)
        if turns and len(found) == 1 and meant.asked == question and not (read or meant.told):
            meant, found = self._leant(question, turns, meant, found, filters)
        found = [_near(self._unseen(part, meant), bool(turns)) for part in found]
        retriever = self._retriever.filtered(filters) if filters else self._retriever
        layout = Layout(draft, retriever, self._reader, self._settings)
        layout.brief = len(found) > 1
        layout.again = bool(meant.said)
        notes: list[str] = []
        written: list[Status] = []
        if read:
            draft.say(f"The question seems to be in {language}; read as “{read}”:")
        for text, part in zip(asked, found, strict=True):
            if len(found) > 1:
                draft.say(text)
            written.append(self._write(part, layout, draft, notes, language, meant))
        status = max(written, key=_BEST.__getitem__)
        form: Form = found[0].asked.form if len(found) == 1 else "two"
        if status != "absent":
            notes.append(NOTE)
        return Answer(
            question=question,
            standalone_question=meant.text,
            answer=draft.text,
            answered=status == "answered",
            status=status,
            confidence=min(
                trusted(part.assessment.confidence, part.asked.form)
                for part, turned_out in zip(found, written, strict=True)
                if turned_out == status
            ),
            form=form,
            citations=draft.citations,
            sentences=draft.sentences,
            passages=_passages(found, self._most),
            notes=notes,
        )

    def of_records(
        self, question: str, turns: Sequence[Message] = (), filters: Filters | None = None
    ) -> Answer | None:
        """The answer to a question about the library itself, from its records; None for others.

        Only of the library as a whole, not of what ``turns`` have shown.
        """
        meant = resolved(question, turns, self._alike) if turns else Resolved(question, question)
        if meant.fields or meant.picks or meant.asked != question:
            return None  # of papers that were shown
        return self._about(question, question, Draft(), filters)

    def _about(
        self, question: str, meant: str, draft: Draft, filters: Filters | None
    ) -> Answer | None:
        # made for each question: it would hold this answerer, and what that holds, in a circle
        find = partial(self._papers_on, filters=filters)
        about = AboutLibrary(self._library, find, _rarity_of(self._reader.embedder), filters)
        if not about.answer(meant, draft):
            return None
        return _unjudged(question, meant, draft, "about_library", "answered", 1.0)

    def _told(
        self, question: str, meant: str, draft: Draft, filters: Filters | None
    ) -> Answer | None:
        """The answer to what is known without reading: talk, and what the library holds."""
        if told := self._about(question, meant, draft, filters):
            return told
        reply = small_talk(question, len(self._library))
        if reply is None:
            return None
        draft.say(reply)
        return _unjudged(question, meant, draft, "talk", "answered", 1.0)

    def _alike(self, text: str, others: Sequence[str]) -> list[float]:
        """The cosine of ``text`` to each of ``others``."""
        vectors = self._reader.embedder.embed([text, *others])
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]

    def _of_shown(self, question: str, meant: Resolved, draft: Draft) -> Answer | None:
        """What is asked of papers that were shown, and told without judging a sentence.

        Their records, or which of them hold what is wanted. None where no paper can be told.
        """
        ids = self._told_of(meant.among)
        if not ids:
            return None
        if meant.fields in {("newest",), ("oldest",)}:
            papers = [self._library.paper(paper) for paper in ids]
            tell_by_year(papers, draft, oldest=meant.fields == ("oldest",))
            return _unjudged(question, meant.text, draft, "about_library", "answered", 1.0)
        if meant.fields:
            for paper in ids:
                tell_record(self._library.paper(paper), meant.fields, draft)
            return _unjudged(question, meant.text, draft, "about_library", "answered", 1.0)
        sure = trusted(self._settings.answered_from, "list")
        if self._pick(meant.picks, ids, draft):
            return _unjudged(question, meant.text, draft, "list", "answered", sure)
        low = min(sure, self._settings.closest_from)
        return _unjudged(question, meant.text, draft, "list", "closest", low)

    def _pick(self, wanted: str, ids: Sequence[str], draft: Draft) -> bool:
        """Writes which of the papers ``ids`` hold all weighty words of ``wanted``."""
        found = self._retriever.find(wanted, len(ids), _within(None, *ids))
        question = Question.read(wanted, found.vector, found.statistics, self._reader.embedder)
        weighty = _weighty(question)
        holding = []
        for paper in found:
            kept = paper.paper
            record = f"{kept.title} {' '.join(kept.authors)} {kept.venue or ''} {kept.year or ''}"
            held = compact(wanted) in compact(f"{record} {kept.abstract}")
            if held or weighty <= set(terms(f"{record} {kept.abstract}")):
                holding.append(paper)
        shown = f"the {len(ids)} papers shown" if len(ids) > 1 else "the paper shown"
        if not holding:
            draft.say(f"None of {shown} mentions “{wanted}”." if len(ids) > 1 else
                      f"{shown.capitalize()} does not mention “{wanted}”.")  # fmt: skip
            return False
        draft.say(f"Of {shown}, {len(holding)} mention{'s' * (len(holding) == 1)} “{wanted}”:")
        for paper in holding:
            telling = [
                (len(weighty & set(terms(text))), float(paper.vectors[n] @ found.vector), n)
                for n, text in enumerate(paper.sentences)
            ]
            best = max(telling, default=(0, 0.0, 0))
            if not best[0] or not draft.quote(paper, [best[2]], full_title=True):
                draft.title(paper.paper)
        return True

    def _unseen(self, part: _Part, meant: Resolved) -> _Part:
        """``part`` for one who has read what the last answer quoted: what is new, or that none is.

        A sentence that was shown comes again only where nothing else is as good, and then it is
        said, and is no answer, unless it is one of several and alone holds what is asked for now.
        A reason that is asked for has to be told as one.
        """
        if not meant.follows or part.asked.form in {"list", "definition", "paper"}:
            return part
        before, low = part.assessment, min(part.assessment.confidence, self._settings.closest_from)
        if meant.subject:
            subject = Question.read(
                meant.subject, before.asked.vector, before.statistics, self._reader.embedder
            )
            before = replace(before, needs=frozenset(_weighty(subject)))
            if not before.candidates:
                before = replace(part.assessment, confidence=low, status="closest")
        fresh = replace(before, seen=meant.follows)
        old, new = before.candidates[:1], fresh.candidates[:1]
        if meant.among and part.asked.why:
            reasons = [c for c in fresh.candidates if REASON.search(c.text)]
            if reasons and reasons[0].score >= new[0].score - 2 * _AS_GOOD:
                better = (c.text for c in fresh.candidates if c.score > reasons[0].score)
                return replace(part, assessment=replace(fresh, seen=(*fresh.seen, *better)))
            fresh = replace(fresh, confidence=low, status="closest")
            return replace(part, assessment=fresh, closest=NO_REASON)
        own = {t for w in meant.asked.split() if not no_topic(w) for t in terms(w)}
        others = tuple(quote for quote in meant.follows if not own <= set(terms(quote)))
        if own and 0 < len(others) < len(meant.follows):  # one of those shown is asked for
            fresh = replace(before, seen=others)
            new = fresh.candidates[:1]
        if not old or (new and new[0].score >= old[0].score - _AS_GOOD):
            return replace(part, assessment=fresh)
        before = replace(before, confidence=low, status="closest")
        return replace(part, assessment=before, closest=NO_MORE)

    def _papers_on(self, topic: str, filters: Filters | None = None) -> list[Paper]:
        """The papers of the library on ``topic``, best first."""
        found = self._retriever.find(topic, _MOST_ON, filters)
        return [paper.paper for paper in on_topic(topic, found, self._reader.embedder).sure]

    # ------------------------------------------------------------------ one part

    def _leant(
        self,
        question: str,
        turns: Sequence[Message],
        meant: Resolved,
        found: list[_Part],
        filters: Filters | None,
    ) -> tuple[Resolved, list[_Part]]:
        """A question that names no topic of its own, as it is meant after ``turns``.

        "How many took part?" stands on its own by its words, and yet is asked of what was shown.
        "What data did they use?" leans on it, and stays with the one paper that was shown.
        """
        before, leans = found[0].assessment, meant.text != question
        if len(before.asked.states.words) > _DETAIL or not self._is_common(before.asked):
            return meant, found
        other = leaning(question, turns)
        if leans and (not other.paper or found[0].asked.form == "list"):
            return meant, found
        if before.status == "answered" and not leans:
            return meant, found
        part = self._part(other.text, question, other, filters)
        after = part.assessment
        if leans and before.status == "answered" and _first(before) == _first(after):
            return meant, found
        if after.status != "answered" and (leans or after.confidence <= before.confidence):
            return meant, found
        return other, [part]

    def _is_common(self, question: Question) -> bool:
        """Whether no word of ``question`` may name a topic: all are common, in English or here."""
        often = _OFTEN * question.statistics.papers_held
        return all(
            rare < _TOPICAL or min(map(question.statistics.document_frequency, terms(word))) > often
            for word, rare in zip(question.states.words, question.rarity, strict=True)
        )

    def _all_parts(
        self, asked: Sequence[str], meant: Resolved, filters: Filters | None
    ) -> list[_Part]:
        """What is found for each question of one breath; a later one may lean on the first."""
        if not asked[1:]:
            return [self._part(meant.text, meant.asked, meant, filters)]
        if about := meant.text[len(meant.asked) :]:  # all lean on what was said before
            return [self._part(f"{text}{about}", text, meant, filters) for text in asked]
        first = self._part(asked[0], asked[0], meant, filters)
        found = [first]
        for text in asked[1:]:
            completed = lean_on(text, asked[0])
            part = self._part(completed, text, meant, filters)
            if completed == text and part.assessment.status != "answered":
                about = f"{text} (about: {thing(asked[0])})"  # it may lean without saying so
                other = self._part(about, text, meant, filters)
                part = other if other.assessment.status == "answered" else part
            elif completed.endswith(f"{asked[0]})") and first.assessment.status == "answered":
                # "and what does that gain": of the paper that answers the first question
                part = self._part(
                    completed, text, meant, _within(filters, _first(first.assessment))
                )
            found.append(part)
        return found

    def _part(self, text: str, said: str, meant: Resolved, filters: Filters | None) -> _Part:
        """What is found for one question; with its slips mended, where that is what answers.

        ``said``: what of ``text`` was asked in this turn, without what it leans on.
        """
        filters = self._narrowed(meant, filters)
        plain = self._assessed(text, said, meant, filters)
        if plain.assessment.status == "answered":
            return plain
        if sure := self._in_full(plain, text, said, meant, filters) or self._defined(plain):
            return sure
        missing = missing_words(plain.assessment.question.text, plain.assessment.statistics)
        slips = [word for word in missing if self._is_no_word(word)]
        made = corrections(slips, self._words())
        if not made:
            return plain
        mended = with_corrections(text, made)
        other = self._assessed(mended, with_corrections(said, made), meant, filters)
        offered = f"Did you mean “{mended}”?"
        if other.assessment.status == "answered":
            words = _listed([f"“{correction.word}”" for correction in made], "or")
            lead = f"No abstract here mentions {words}. {offered} For that:"
            return _Part(other.asked, other.assessment, lead)
        better = other.assessment.confidence > plain.assessment.confidence
        if better and other.assessment.status != "absent":
            return _Part(plain.asked, plain.assessment, offered)
        return plain

    def _defined(self, plain: _Part) -> _Part | None:
        """``plain`` as one that answers, where a sentence defines what is asked by its name."""
        asked, assessment = plain.asked, plain.assessment
        if asked.form != "definition" or not is_defined(asked.topic, assessment):
            return None
        return _Part(asked, self._sure(assessment, _DEFINITION_HELD))

    def _in_full(
        self, plain: _Part, text: str, said: str, meant: Resolved, filters: Filters | None
    ) -> _Part | None:
        """``plain`` with its short forms as the papers found spell them out, if that answers."""
        statistics = plain.assessment.statistics
        often = _OFTEN * statistics.papers_held  # what most of a library is about tells nothing
        papers = (found.paper for found in plain.assessment.retrieval)
        spelled = long_forms(paper.text for paper in papers)
        stands_for: dict[str, tuple[str, str]] = {}
        for (long, short), _ in spelled.most_common():
            stands_for.setdefault(short.casefold(), (short, long))
        typed = {
            word: stands_for[word.casefold()]
            for word in re.findall(r"[\w-]+", text)
            if word.casefold() in stands_for
            and (word.isupper() or word not in STOP_WORDS)
            and max(map(statistics.document_frequency, terms(word)), default=0) <= max(often, 5)
        }
        if not typed:
            return None
        full, meaning = text, said
        for word, (_, long) in typed.items():
            whole = re.compile(rf"\b{re.escape(word)}\b")
            full, meaning = whole.sub(long, full), whole.sub(long, meaning)
        other = self._assessed(full, meaning, meant, filters)
        if other.assessment.status != "answered":
            return None
        told = [f"“{short}” is short for “{long}”" for short, long in typed.values()]
        return _Part(plain.asked, other.assessment, f"{_listed(told)} here:")

    def _assessed(self, text: str, said: str, meant: Resolved, filters: Filters | None) -> _Part:
        asked = asking(said)
        if said != text:
            form: Form = "fact" if asked.form == "definition" else asked.form
            asked = replace(asked, topic=bare_topic(text), form=form)
        held = self._library.statistics
        text, said = (as_held(polite(piece), held) for piece in (text, said))
        asked = replace(asked, sides=tuple(as_held(side, held) for side in asked.sides))
        if meant.beside:
            asked = Asking("comparison", text, tuple(name for name, _ in meant.beside))
        if meant.paper and meant.whole:
            asked = replace(asked, form="paper")
        assessment = self._judge.assess(
            text, asked, self._retriever, filters, said=said, without=meant.said
        )
        if meant.judged and assessment.retrieval:
            near = _within(filters, *(p.paper.id for p in assessment.retrieval))
            own = self._judge.assess(meant.judged, Asking("fact", ""), self._retriever, near)
            confidence = min(assessment.confidence, own.confidence)
            status = self._judge.status(confidence)
            assessment = replace(assessment, confidence=confidence, status=status)
        if asked.form == "comparison" and assessment.status != "answered":
            assessment = self._by_side(asked.sides, assessment, filters)
        if asked.form == "list" and assessment.status != "answered":
            assessment = self._by_side(alternatives(asked.topic), assessment, filters, every=False)
        named = assessment.question.names or called(assessment)
        if named and asked.form == "list" and not asked.papers and measured(asked.topic):
            asked = replace(asked, form="fact")
        if asked.form == "fact" and (term := may_be_term(said)) and is_defined(term, assessment):
            asked = Asking("definition", term)
        is_said = {"list": is_titled, "comparison": is_compared(asked.sides)}.get(
            asked.form, is_told
        )
        if assessment.status != "answered" and is_said(assessment):
            assessment = self._sure(assessment)
        return _Part(asked, assessment)

    def _sure(self, assessment: Assessment, least: float = 0.0) -> Assessment:
        """``assessment`` as one that answers, with a confidence of ``least`` or more."""
        sure = max(assessment.confidence, self._settings.answered_from, least)
        return replace(assessment, confidence=sure, status=self._judge.status(sure))

    def _by_side(
        self,
        sides: Sequence[str],
        joint: Assessment,
        filters: Filters | None,
        *,
        every: bool = True,
    ) -> Assessment:
        """``joint`` with the confidence of its least sure side, for a comparison may stand on
        both; of its surest where not ``every`` one is wanted.
        """
        each = [
            self._judge.assess(side, Asking("list", side), self._retriever, filters).confidence
            for side in sides
        ]
        confidence = (min if every else max)(each, default=0.0)
        if confidence <= joint.confidence:
            return joint
        return replace(joint, confidence=confidence, status=self._judge.status(confidence))

    def _narrowed(self, meant: Resolved, filters: Filters | None) -> Filters | None:
        """``filters`` narrowed to the papers that are spoken of, as far as they can be told."""
        if meant.beside:
            filters = _within(filters, *self._told_of(meant.beside))
        for spoken_of in (((meant.paper, ""),) if meant.paper else (), meant.among):
            if papers := self._told_of(spoken_of):
                filters = _within(filters, *papers)
        return filters

    def _told_of(self, shown: Sequence[tuple[str, str]]) -> list[str]:
        """The ids of papers that were shown, each by its quotation or name, as far as told."""
        found = (self._paper(quote or name) for name, quote in shown)
        return list(dict.fromkeys(paper for paper in found if paper))

    def _paper(self, name: str) -> str:
        """The id of the paper that a title, or a sentence of it, tells; empty if none."""
        found = [paper.paper for paper in self._retriever.find(name, _CALLED)]
        told = [p.id for p in found if name in p.abstract or p.label.startswith(name)]
        return next(iter([*told, *(paper.id for paper in found)]), "")

    def _read_as(self, question: str, language: str) -> str | None:
        """``question`` in words of the library, where each of its own is surely one of them."""
        own = content_of(question, language)
        read = [self._words().cognate(word) for word in own]
        return " ".join(word for word in read if word) if own and all(read) else None

    def _is_no_word(self, word: str) -> bool:
        """Whether the embedding model knows neither ``word`` nor what it is a form of: a slip."""
        pieces = self._reader.embedder.count_tokens
        return all(pieces(form) > 1 for form in (word, *base_forms(word)))

    def _words(self) -> Vocabulary:
        """The library's words, collected anew when its papers have changed."""
        version = self._library.version
        if self._vocabulary is None or self._vocabulary[0] != version:
            self._vocabulary = (version, Vocabulary(self._library.papers))
        return self._vocabulary[1]

    # ------------------------------------------------------------------ writing

    def _write(
        self,
        part: _Part,
        layout: Layout,
        draft: Draft,
        notes: list[str],
        language: str,
        meant: Resolved,
    ) -> Status:
        """Writes one part; returns what it turned out to be."""
        assessment = part.assessment
        status = assessment.status
        if part.lead and status == "answered":
            draft.say(part.lead)
        if self._write_on(part, layout, meant):
            return "answered"
        if meant.said and (status != "answered" or part.asked.form == "list"):
            return self._nothing_more(layout, draft, meant)
        if status == "answered" and layout.write(part.asked, assessment):
            return status
        if (status == "absent" and not (meant.paper or meant.among)) or not assessment.candidates:
            self._write_absent(part, draft, language)
            return "absent"
        draft.say(part.closest)
        if part.closest == CLOSEST and (note := missing_note(assessment)):
            draft.say(note)
        layout.closest(assessment, 1 if part.closest == NO_MORE else _CLOSEST_QUOTES)
        if part.asked.form == "list" and part.closest == CLOSEST:
            layout.maybe(part.asked, assessment)
        if part.lead and status != "answered":
            notes.append(part.lead)
        return "closest"

    def _write_on(self, part: _Part, layout: Layout, meant: Resolved) -> bool:
        """Writes what is asked of papers that were shown: it needs no judgement any more."""
        if part.asked.form == "paper":
            return layout.paper(part.assessment)
        if meant.beside:
            return layout.beside(part.asked, part.assessment)
        more = meant.said and part.asked.form == "list"
        return bool(more) and layout.write(part.asked, part.assessment)

    def _nothing_more(self, layout: Layout, draft: Draft, meant: Resolved) -> Status:
        """What is like what was shown, where nothing else is on the same topic."""
        draft.say("Nothing more is found here than what was shown.")
        last = meant.said[-1]
        like = self._judge.assess(last, Asking("list", last), self._retriever, without=meant.said)
        if not like.retrieval:
            return "absent"
        draft.say("Like it:")
        layout.closest(like, _CLOSEST_QUOTES)
        return "closest"

    def _write_absent(self, part: _Part, draft: Draft, language: str) -> None:
        assessment = part.assessment
        if language != ENGLISH:
            draft.say(
                "Whether this library holds the answer cannot be told: the question seems to be "
                f"in {language}, and without a language model questions are matched in English "
                "only. Ask it in English, or connect a language model."
            )
            return
        draft.say(ABSENT)
        if note := missing_note(assessment):
            draft.say(note)
        if part.lead:
            draft.say(part.lead)
        near = assessment.retrieval[:_NAMED_WHEN_ABSENT] if assessment.is_near else ()
        if near:
            titles = _listed([f"“{found.paper.label}”" for found in near])
            are = "The nearest paper is" if len(near) == 1 else "The nearest papers are"
            draft.say(f"{are} {titles}.")


def _near(part: _Part, goes_on: bool) -> _Part:
    """``part``, called close to one who ``goes_on`` asking where it is hardly: it leans on more."""
    assessment = part.assessment
    if not goes_on or assessment.status != "absent" or assessment.confidence < _FOLLOWS_FROM:
        return part
    return replace(part, assessment=replace(assessment, status="closest"))


def _unjudged(
    question: str, meant: str, draft: Draft, form: Form, status: Status, confidence: float
) -> Answer:
    """An answer that stands in ``draft`` without any paper having been judged for it."""
    return Answer(
        question=question,
        standalone_question=meant,
        answer=draft.text,
        answered=status == "answered",
        status=status,
        confidence=confidence,
        form=form,
        citations=draft.citations,
        sentences=draft.sentences,
    )


def _within(filters: Filters | None, *papers: str) -> Filters:
    """``filters`` narrowed to papers, given by id."""
    return (filters or Filters()).model_copy(update={"ids": papers})


def _first(assessment: Assessment) -> str:
    """The id of the paper whose sentence comes first; empty if none."""
    return next((best.paper.paper.id for best in assessment.candidates), "")


def _weighty(question: Question) -> set[str]:
    """The stems of ``question`` that must be said: of names, and of words that are not common."""
    rare = zip(question.states.words, question.rarity, strict=True)
    said = {t for w, rarity in rare if rarity >= _NAMING or w[0].isupper() for t in terms(w)}
    return said or set(question.terms)


def _passages(found: Sequence[_Part], most: int) -> list[Passage]:
    """The best papers that were found, those of several parts in turns, each once."""
    passages: dict[str, Passage] = {}
    for n in range(most):
        for part in found:
            if n < len(part.assessment.retrieval):
                passage = part.assessment.retrieval[n].passage
                passages.setdefault(passage.paper_id, passage)
    return list(passages.values())[:most]


def _rarity_of(embedder: Embedder) -> Callable[[str], float]:
    """How rare a word is in English, where the model tells; else all are alike."""
    return embedder.word_rarity if isinstance(embedder, WordEmbedder) else lambda _: 0.5


def _listed(items: Sequence[str], last: str = "and") -> str:
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def open_answerer(
    settings: Settings, library: Library, retriever: PaperRetriever, reader: PassageReader
) -> ExtractiveAnswerer:
    """The answerer over ``library``, with its calibration kept in the cache."""
    judge = Judge(reader, settings.answer, Calibrations(library, reader.embedder, settings.cache))
    return ExtractiveAnswerer(library, retriever, reader, settings, judge)
