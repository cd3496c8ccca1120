"""A review written by a language model: plan, sections, overview; checked, and repaired once.

Papers, themes and the table are those of the review without a model. The model names the themes,
then writes a section at a time from that section's papers only (a few sections at once), and
the overview from the sections. Every call goes through the reply cache: an interrupted review,
asked for again, goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from assistant.answering.checking import is_claim
from assistant.answering.citations import RawSentence, SentenceReader
from assistant.answering.understanding import json_reply
from assistant.endpoint.chat import Cancellation, Delta, Endpoint, Waiting
from assistant.endpoint.ledger import Ledger, count_tokens, price_of
from assistant.errors import EndpointError
from assistant.prompting import Prompts, boundary
from assistant.review.drafting import DraftSentence
from assistant.review.extractive import Part, open_questions
from assistant.review.model import Plan, Review, ReviewEstimate, ReviewProgress
from assistant.review.themes import Cluster
from assistant.review.wording import clean, joined, name_of
from assistant.review.writer import Prepared, assembled
from assistant.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage

__all__ = ["ReviewWriter"]

AT_ONCE = 3
"""Sections that are written at the same time."""
_PLAN_TOKENS, _OVERVIEW_TOKENS, _REPAIR_TOKENS = 700, 600, 900
_NAME_WORDS, _NAME_CHARACTERS = 8, 80
_REPAIRED = 0.35
"""Share of the sections that are expected to need a repair; for the estimate."""

OnProgress = Callable[[ReviewProgress], None]


@dataclass
class _Section:
    """One theme on its way to its text."""

    group: Cluster
    focus: str = ""
    parts: list[Part] = field(default_factory=list)


class ReviewWriter:
    """Writes reviews by the language model of the settings. Safe in several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._endpoint = Endpoint(settings, cache=True)
        self._prompts = Prompts(settings.prompts)

    def close(self) -> None:
        """Closes the connections to the endpoint."""
        self._endpoint.close()

    def estimate(self, prepared: Prepared) -> ReviewEstimate:
        """Calls, tokens and cost of writing it, at most; nothing is called."""
        groups = prepared.clustering.clusters
        batches = [batch for group in groups for batch in self._batches(prepared, group)]
        per_section = self._settings.generation.max_tokens
        prompts = [sum(count_tokens(_paper_text(prepared, m)) for m in b) + 700 for b in batches]
        titles = sum(count_tokens(p.paper.label) + 4 for p in prepared.found.papers)
        prompt_tokens = (
            titles + 600 + sum(prompts) + int(_REPAIRED * sum(prompts)) + len(batches) * per_section
        )
        completion = _PLAN_TOKENS + _OVERVIEW_TOKENS + len(batches) * per_section
        completion += int(_REPAIRED * len(batches)) * _REPAIR_TOKENS
        price = price_of(self._endpoint.target)
        return ReviewEstimate(
            papers=len(prepared.found.papers),
            themes=len(groups),
            calls=2 + len(batches) + round(_REPAIRED * len(batches)),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion,
            cost_usd=price.cost(prompt_tokens, completion) if price else None,
        )

    def write(
        self,
        prepared: Prepared,
        on_progress: OnProgress | None = None,
        cancellation: Cancellation | None = None,
    ) -> Review:
        """The review.

        Raises:
            EndpointError: the endpoint failed; what was written is kept, and the same call goes on
                from there.
        """
        job = _Job(self, prepared, on_progress, cancellation)
        try:
            return job.run()
        except EndpointError as error:
            error.usage = job.ledger.usage
            raise

    # ------------------------------------------------------------------ parts

    def _batches(self, prepared: Prepared, group: Cluster) -> list[list[int]]:
        """The papers of a theme, as many in a call as fit."""
        budget = self._settings.generation.passage_tokens
        batches: list[list[int]] = [[]]
        used = 0
        for m in group.members:
            size = count_tokens(_paper_text(prepared, m))
            if batches[-1] and used + size > budget:
                batches.append([])
                used = 0
            batches[-1].append(m)
            used += size
        return batches


class _Job:
    """One review on its way."""

    def __init__(
        self,
        writer: ReviewWriter,
        prepared: Prepared,
        on_progress: OnProgress | None,
        cancellation: Cancellation | None,
    ) -> None:
        self.writer, self.prepared = writer, prepared
        self.settings = writer._settings
        self.ledger = Ledger(self.settings.generation.max_cost)
        self._tell, self._cancellation = on_progress, cancellation
        self._lock, self._done, self._started = Lock(), 0, time.perf_counter()
        groups = prepared.clustering.clusters
        self._total = 2 + sum(len(writer._batches(prepared, g)) for g in groups)
        self.plan = Plan()

    def run(self) -> Review:
        """Plan, sections, overview."""
        from assistant.review.writer import write  # noqa: PLC0415

        if not self.prepared.found.papers:
            return write(self.prepared)
        sections = [_Section(group) for group in self.prepared.clustering.clusters]
        self._name(sections)
        stop = Cancellation()
        with ThreadPoolExecutor(AT_ONCE, "assistant-review") as pool:
            running = [pool.submit(self._write, section, stop) for section in sections]
            try:
                for future in running:
                    future.result()
            except BaseException:
                stop.set()  # what runs beside the one that failed ends, too
                raise
        opening = self._overview(sections)
        opens = open_questions([s.group for s in sections], self.prepared.material)
        review = assembled(
            self.prepared,
            opening,
            [s.parts for s in sections],
            opens,
            mode="generative",
            model=self.writer._endpoint.target.model,
            plan=self.plan,
        )
        review.usage = self.ledger.usage
        return review

    def _name(self, sections: list[_Section]) -> None:
        """Lets the model name the themes; those that it does not name well keep their names."""
        papers = self.prepared.found.papers
        themes = [
            {
                "number": n,
                "terms": ", ".join(section.group.terms) or section.group.name,
                "titles": [clean(papers[m].paper.label)[:200] for m in section.group.members],
            }
            for n, section in enumerate(sections, 1)
        ]
        texts = [self.prepared.topic, *(t for theme in themes for t in map(str, theme.values()))]
        messages = self.writer._prompts["review_plan"].messages(
            topic=self.prepared.topic,
            themes=themes,
            boundary=boundary(texts),
            language=self.settings.generation.language,
        )
        said = json_reply(self._call(messages, _PLAN_TOKENS, small=True))
        listed = said.get("themes") if isinstance(said, dict) else said
        taken: set[str] = set()
        for item in listed if isinstance(listed, list) else []:
            if not isinstance(item, dict) or not isinstance(item.get("number"), int):
                continue
            n, name = item["number"] - 1, clean(str(item.get("name") or "")).strip(" .:#*")
            fits = 0 < len(name.split()) <= _NAME_WORDS and len(name) <= _NAME_CHARACTERS
            if 0 <= n < len(sections) and fits and name.casefold() not in taken:
                taken.add(name.casefold())
                sections[n].group.name = name[:1].upper() + name[1:]
                sections[n].focus = clean(str(item.get("focus") or ""))[:300]
        self.plan.outline = {s.group.name: s.focus for s in sections}
        self._step(f"planned {len(sections)} themes")

    def _write(self, section: _Section, stop: Cancellation) -> None:
        """The text of one section, checked and repaired; no paper of it is lost."""
        written: list[Part] = []
        for batch in self.writer._batches(self.prepared, section.group):
            given = [{"number": n, "text": self._text(m)} for n, m in enumerate(batch, 1)]
            messages = self.writer._prompts["review_section"].messages(
                topic=self.prepared.topic,
                theme=section.group.name,
                focus=section.focus or "what the papers do alike, and where they differ",
                papers=given,
                boundary=boundary([*(str(g["text"]) for g in given), section.group.name]),
                language=self.settings.generation.language,
            )
            reply = self._call(messages, self.settings.generation.max_tokens, stop=stop)
            paragraphs = [
                self._sentences(text, batch) for text in reply.split("\n\n") if text.strip()
            ]
            self._repair(paragraphs, batch, given, stop)
            written += [("approach", said) for said in paragraphs if said]
            self._step(f"wrote “{section.group.name}”")
        cited = {p for _, said in written for sentence in said for p in sentence.papers}
        missing = [m for m in section.group.members if m not in cited]
        if missing:
            names = joined([name_of(self.prepared.found.papers[m].paper) for m in missing])
            left = DraftSentence([(f"Also in this theme: {names}", list(missing))], own=True)
            written.append(("approach", [left]))
        section.parts = written

    def _repair(
        self,
        paragraphs: list[list[DraftSentence]],
        batch: Sequence[int],
        given: Sequence[dict[str, object]],
        stop: Cancellation,
    ) -> None:
        """Has the sentences rewritten, once, that their papers do not support."""
        verifier = self.prepared.draft.verifier
        failing: list[tuple[int, int, str]] = []
        for at, said in enumerate(paragraphs):
            for n, sentence in enumerate(said):
                if sentence.own:
                    continue
                verdict = verifier.together(sentence.claims) if sentence.claims else None
                if verdict is None or verdict.support == "unsupported":
                    failing.append((at, n, verdict.why if verdict else "cites no paper"))
        if not failing:
            return
        number = {m: n for n, m in enumerate(batch, 1)}
        listed = [
            {"number": k, "text": _with_numbers(paragraphs[at][n], number), "why": why}
            for k, (at, n, why) in enumerate(failing, 1)
        ]
        texts = [*(str(g["text"]) for g in given), *(str(item["text"]) for item in listed)]
        messages = self.writer._prompts["review_repair"].messages(
            sentences=listed,
            papers=given,
            boundary=boundary(texts),
            language=self.settings.generation.language,
        )
        reply = json_reply(self._call(messages, _REPAIR_TOKENS, stop=stop))
        for item in reply if isinstance(reply, list) else [reply]:
            if not isinstance(item, dict) or not isinstance(item.get("n"), int):
                continue
            if not 1 <= item["n"] <= len(failing) or not isinstance(item.get("text"), str):
                continue
            at, n, _ = failing[item["n"] - 1]
            anew = self._sentences(item["text"], batch)
            paragraphs[at][n] = anew[0] if anew else DraftSentence([], own=True, end="")
        for said_now in paragraphs:
            said_now[:] = [s for s in said_now if s.pieces]

    def _overview(self, sections: Sequence[_Section]) -> list[DraftSentence]:
        """The opening paragraph, from the sections as they stand."""
        papers = self.prepared.found.papers
        number = {m: m + 1 for m in range(len(papers))}
        texts = [
            {
                "name": section.group.name,
                "text": " ".join(
                    _with_numbers(s, number) for _, said in section.parts for s in said
                ),
            }
            for section in sections
        ]
        messages = self.writer._prompts["review_overview"].messages(
            topic=self.prepared.topic,
            sections=texts,
            boundary=boundary([text["text"] for text in texts]),
            language=self.settings.generation.language,
        )
        reply = self._call(messages, _OVERVIEW_TOKENS)
        self._step("wrote the overview")
        return self._sentences(reply, range(len(papers)))

    # ------------------------------------------------------------------ text

    def _sentences(self, text: str, batch: Sequence[int]) -> list[DraftSentence]:
        """The sentences of a reply; numbers that were never given are left out."""
        labels = [self.prepared.found.papers[m].paper.label for m in batch]
        reader = SentenceReader(labels)
        made: list[DraftSentence] = []
        for part in [*reader.feed(text), *reader.finish()]:
            if isinstance(part, RawSentence):
                sentence = self._sentence(part, batch)
                if sentence is not None:
                    made.append(sentence)
        return made

    def _sentence(self, raw: RawSentence, batch: Sequence[int]) -> DraftSentence | None:
        text = clean(raw.text).lstrip("#*->• ").strip()
        if not any(c.isalnum() for c in text):
            return None
        if raw.text.lstrip().startswith("#"):
            return None  # a heading, which was not asked for
        papers = [batch[n - 1] for n in raw.numbers if n <= len(batch)]
        if not papers:
            claims = is_claim(text) or raw.dropped > 0
            return DraftSentence([(text.rstrip("."), [])], own=not claims)
        verifier = self.prepared.draft.verifier
        sentence = DraftSentence.of(text, papers)
        sentence.joint = True
        if verifier.together(sentence.claims).support == "unsupported":
            better = verifier.better(text, [m for m in batch if m not in papers])
            if better is not None:
                sentence = DraftSentence.of(text, [better])
                sentence.joint = True
        return sentence

    def _text(self, paper: int) -> str:
        return _paper_text(self.prepared, paper)

    # ------------------------------------------------------------------ calls

    def _call(
        self,
        messages: Sequence[ChatMessage],
        most: int,
        *,
        small: bool = False,
        stop: Cancellation | None = None,
    ) -> str:
        """The reply; kept in the plan, too."""
        text = ""
        pieces = self.writer._endpoint.stream(
            messages,
            self.ledger,
            small=small,
            max_tokens=most,
            cancellation=stop if self._cancellation is None else self._cancellation,
        )
        for piece in pieces:
            if isinstance(piece, Delta):
                text += piece.text
            elif isinstance(piece, Waiting):
                self._report(piece.text)
        with self._lock:
            self.plan.replies.append(text)
        return text

    def _step(self, what: str) -> None:
        with self._lock:
            self._done += 1
        self._report(what)

    def _report(self, what: str) -> None:
        if self._tell is None:
            return
        usage, elapsed = self.ledger.usage, time.perf_counter() - self._started
        left = elapsed / self._done * (self._total - self._done) if self._done else None
        self._tell(
            ReviewProgress(
                step=what,
                done=self._done,
                total=self._total,
                tokens=usage.prompt_tokens + usage.completion_tokens,
                seconds_left=round(left, 1) if left is not None else None,
            )
        )


def _paper_text(prepared: Prepared, paper: int) -> str:
    known = prepared.found.papers[paper].paper
    return f"{known.title}\n{known.abstract}".strip()


def _with_numbers(sentence: DraftSentence, number: dict[int, int]) -> str:
    """The sentence with the numbers that the model knows the papers by."""
    text = ""
    for piece, papers in sentence.pieces:
        text += piece + "".join(f"[{number[p]}]" for p in papers if p in number)
    return text + sentence.end
