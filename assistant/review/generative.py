"""A review written by a language model: plan, sections in order, overview; checked and repaired.

The model first judges: it names the themes, moves papers between them, and says which are off
the topic. Then it writes a section at a time from that section's papers and the cells that were
read out of them, seeing the section before. What the abstracts do not support is rewritten, and
left out if it still is not. The overview comes last, from the table. Every call goes through the
reply cache: an interrupted review, asked for again, goes on where it was.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from assistant.addressing import told
from assistant.answering.evidence import PassageReader
from assistant.answering.understanding import json_reply
from assistant.endpoint.chat import Cancellation, Delta, Endpoint, Waiting
from assistant.endpoint.ledger import Ledger, count_tokens, price_of
from assistant.errors import EndpointError
from assistant.prompting import Prompts, boundary
from assistant.review.cells import Material
from assistant.review.checking import Checker
from assistant.review.comparing import Statement, across, list_of
from assistant.review.model import (
    Paragraph,
    Plan,
    Review,
    ReviewEstimate,
    ReviewProgress,
    ReviewSentence,
)
from assistant.review.writer import Prepared, assembled, write
from assistant.settings import Settings
from assistant.themes import Theme as Group

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage

__all__ = ["ReviewWriter"]

_PLAN_TOKENS, _OVERVIEW_TOKENS, _REPAIR_TOKENS = 1200, 600, 900
_NAME_WORDS, _NAME_CHARACTERS = 8, 80
_REPAIRS = 2
"""Times that a section's unsupported sentences are rewritten before they are left out."""
_REPAIRED = 0.5
"""Share of the sections that are expected to need a repair; for the estimate."""

_OFF = re.compile(r"^\W*off[ -](?:the )?topic:?\W*((?:\[\d+\][\s,;]*)+)\W*$", re.I | re.M)
_JUDGED_OFF = "Found for this theme, and off the topic in the language model's judgement: "

OnProgress = Callable[[ReviewProgress], None]


class ReviewWriter:
    """Writes reviews by the language model of the settings, or ``llm``. Safe in several threads."""

    def __init__(self, settings: Settings, reader: PassageReader, llm: LLM | None = None) -> None:
        self.settings, self.reader = settings, reader
        self.endpoint = Endpoint(settings, cache=True, llm=llm)
        self.prompts = Prompts(settings.prompts)

    def close(self) -> None:
        """Closes the connections to the endpoint."""
        self.endpoint.close()

    def estimate(self, prepared: Prepared) -> ReviewEstimate:
        """Calls, tokens and cost of writing it, at most; nothing is called."""
        batches = [b for group in prepared.groups for b in self.batches(prepared, group.members)]
        per_section = self.settings.generation.max_tokens
        sizes = [
            sum(count_tokens(_text(prepared.materials[m])) + 120 for m in b) + 1000 + per_section
            for b in batches
        ]
        repairs = round(_REPAIRED * len(batches))
        plan = sum(count_tokens(_read_out(m)) + 40 for m in prepared.materials) + 700
        prompt_tokens = (
            2 * plan + sum(sizes) + int(_REPAIRED * sum(sizes)) + len(batches) * per_section
        )
        completion = _PLAN_TOKENS + _OVERVIEW_TOKENS + len(batches) * per_section
        completion += repairs * _REPAIR_TOKENS
        price = price_of(self.endpoint.target)
        return ReviewEstimate(
            papers=len(prepared.materials),
            themes=len(prepared.groups),
            calls=2 + len(batches) + repairs,
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

    def batches(self, prepared: Prepared, members: Sequence[int]) -> list[list[int]]:
        """The papers of a theme, as many in a call as fit."""
        budget = self.settings.generation.passage_tokens
        batches: list[list[int]] = [[]]
        used = 0
        for m in members:
            size = count_tokens(_text(prepared.materials[m]))
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
        self.writer, self.prepared, self.settings = writer, prepared, writer.settings
        self.ledger = Ledger(self.settings.generation.max_cost)
        self.plan = Plan()
        self._report_to, self._cancellation = on_progress, cancellation
        self._done, self._total, self._started = 0, 2, time.perf_counter()
        self._former = ""

    def run(self) -> Review:
        """Plan, sections, overview."""
        prepared = self.prepared
        if not prepared.found.core:
            return write(prepared)
        self._judge()
        if not prepared.found.core:
            return write(prepared)
        self._total = 2 + sum(
            len(self.writer.batches(prepared, group.members)) for group in prepared.groups
        )
        statistics = prepared.found.statistics
        self._checker = Checker(
            self.writer.reader, statistics.idf, prepared.materials, prepared.found.core
        )
        sections = [self._section(group) for group in prepared.groups]
        review = assembled(
            prepared,
            self._overview(sections),
            sections,
            mode="generative",
            model=self.writer.endpoint.target.model,
            plan=self.plan,
        )
        review.usage = self.ledger.usage
        return review

    # ------------------------------------------------------------------ the plan

    def _judge(self) -> None:
        """Lets the model name the themes, move papers, and put aside what is off the topic."""
        prepared = self.prepared
        themes = [
            {
                "number": n,
                "terms": ", ".join(group.terms) or group.name,
                "papers": [self._outlined(prepared.materials[m]) for m in group.members],
            }
            for n, group in enumerate(prepared.groups, 1)
        ]
        messages = self.writer.prompts["review_plan"].messages(
            topic=prepared.topic,
            themes=themes,
            boundary=boundary([prepared.topic, *map(str, themes)]),
            language=self.settings.generation.language,
        )
        reply = json_reply(self._call(messages, _PLAN_TOKENS, small=True))
        reply = reply if isinstance(reply, dict) else {"themes": reply}
        by_number = {m.number: place for place, m in enumerate(prepared.materials)}
        self._name(reply.get("themes"), by_number)
        off = reply.get("off")
        by_hand = [c.by_hand for c in prepared.found.core]
        dropped = {by_number[n] for n in _numbers(off) if n in by_number}
        self._drop({place for place in dropped if not by_hand[place]})
        self.plan.outline = {g.name: self.plan.outline.get(g.name, "") for g in prepared.groups}
        self._step(f"planned {len(prepared.groups)} themes")

    @staticmethod
    def _outlined(material: Material) -> dict[str, object]:
        does, finds = material.approach, material.finding
        return {
            "number": material.number,
            "title": material.paper.label[:200],
            "does": does.text if does else "",
            "finds": finds.text if finds else "",
        }

    def _name(self, listed: object, by_number: dict[int, int]) -> None:
        """Names and members as the model gave them, where they can be used."""
        groups = self.prepared.groups
        used: set[str] = set()
        place_of = {m: n for n, group in enumerate(groups) for m in group.members}
        for item in listed if isinstance(listed, list) else []:
            if not isinstance(item, dict) or not isinstance(item.get("number"), int):
                continue
            n = item["number"] - 1
            name = " ".join(str(item.get("name") or "").split()).strip(" .:#*")
            fits = 0 < len(name.split()) <= _NAME_WORDS and len(name) <= _NAME_CHARACTERS
            if not (0 <= n < len(groups)):
                continue
            if fits and name.casefold() not in used:
                used.add(name.casefold())
                groups[n].name = name[:1].upper() + name[1:]
                self.plan.outline[groups[n].name] = str(item.get("focus") or "")[:300]
            place_of |= {by_number[p]: n for p in _numbers(item.get("papers")) if p in by_number}
        moved = [
            Group(g.name, [m for m in place_of if place_of[m] == n], g.terms)
            for n, g in enumerate(groups)
        ]
        self.prepared.regroup(moved)

    def _drop(self, off: set[int]) -> None:
        """Papers that the model holds to be off the topic leave the review; it says so."""
        prepared = self.prepared
        if not off:
            return
        kept = [place for place in range(len(prepared.materials)) if place not in off]
        titles = "; ".join(prepared.materials[place].paper.label for place in sorted(off))
        prepared.notes.append(f"The language model left out as off the topic: {titles}.")
        new = {place: n for n, place in enumerate(kept)}
        prepared.materials = [prepared.materials[place] for place in kept]
        prepared.found.core = [prepared.found.core[place] for place in kept]
        prepared.regroup(
            [Group(g.name, [new[m] for m in g.members if m in new], g.terms)
             for g in prepared.groups]
        )  # fmt: skip

    # ------------------------------------------------------------------ sections

    def _section(self, group: Group) -> list[Paragraph]:
        """The text of one section, checked and repaired; no paper of it is lost."""
        paragraphs: list[Paragraph] = []
        off: set[int] = set()
        materials = [self.prepared.materials[m] for m in group.members]
        shared = " ".join(sentence.text for sentence in across(materials))
        for batch in self.writer.batches(self.prepared, group.members):
            given = [self._given(self.prepared.materials[m]) for m in batch]
            allowed = [self.prepared.materials[m].number for m in batch]
            texts = [*(str(paper) for paper in given), group.name, self._former, shared]
            messages = self.writer.prompts["review_section"].messages(
                topic=self.prepared.topic,
                theme=group.name,
                focus=self.plan.outline.get(group.name)
                or "what the papers do alike, and where they differ",
                papers=given,
                former=self._former,
                shared=shared,
                boundary=boundary(texts),
                language=self.settings.generation.language,
            )
            reply = self._call(messages, self.settings.generation.max_tokens)
            off |= {int(n) for line in _OFF.findall(reply) for n in re.findall(r"\d+", line)}
            for text in _OFF.sub("", reply).split("\n\n"):
                sentences = self._repaired(self._checker.read(text, allowed), given, allowed)
                if sentences:
                    paragraphs.append(Paragraph(sentences=sentences))
            self._step(f"wrote “{group.name}”")
        cited = {n for p in paragraphs for s in p.sentences for n in s.citations}
        missing = [m for m in materials if m.number not in cited]
        for lead, left in (
            ("Also in this theme: ", [m for m in missing if m.number not in off]),
            (_JUDGED_OFF, [m for m in missing if m.number in off]),
        ):
            if left:
                titled = [(m, m.paper.title) for m in left]
                sentence = list_of(Statement(lead), titled).add(".").done()
                paragraphs.append(Paragraph(sentences=[sentence]))
        self._former = " ".join(s.text for p in paragraphs for s in p.sentences)[-2000:]
        return paragraphs

    @staticmethod
    def _given(material: Material) -> dict[str, object]:
        return {
            "number": material.number,
            "text": _text(material),
            "cells": _read_out(material),
        }

    def _repaired(
        self,
        sentences: list[ReviewSentence],
        given: Sequence[dict[str, object]],
        allowed: Sequence[int],
    ) -> list[ReviewSentence]:
        """The sentences, rewritten until their papers support them, or left out."""
        for _ in range(_REPAIRS):
            failing = [n for n, s in enumerate(sentences) if s.support == "unsupported"]
            if not failing:
                break
            listed = [
                {"number": k, "text": sentences[n].text, "why": sentences[n].why}
                for k, n in enumerate(failing, 1)
            ]
            texts = [*map(str, given), *map(str, listed)]
            messages = self.writer.prompts["review_repair"].messages(
                sentences=listed,
                papers=given,
                boundary=boundary(texts),
                language=self.settings.generation.language,
            )
            reply = json_reply(self._call(messages, _REPAIR_TOKENS))
            anew: dict[int, list[ReviewSentence]] = {}
            for item in reply if isinstance(reply, list) else [reply]:
                if not isinstance(item, dict) or not isinstance(item.get("n"), int):
                    continue
                if 1 <= item["n"] <= len(failing) and isinstance(item.get("text"), str):
                    anew[failing[item["n"] - 1]] = self._checker.read(item["text"], allowed)
            if not anew:
                break
            sentences = [s for n, old in enumerate(sentences) for s in anew.get(n, [old])]
        return [s for s in sentences if s.support != "unsupported"]

    def _overview(self, sections: Sequence[Sequence[Paragraph]]) -> list[ReviewSentence]:
        """The opening paragraph, from the table and the sections as they stand."""
        texts = [
            {"name": group.name, "text": " ".join(s.text for p in parts for s in p.sentences)}
            for group, parts in zip(self.prepared.groups, sections, strict=True)
        ]
        ordered = sorted(self.prepared.materials, key=lambda m: m.number)
        table = "\n".join(f"[{m.number}] {_read_out(m)}" for m in ordered)
        messages = self.writer.prompts["review_overview"].messages(
            topic=self.prepared.topic,
            sections=texts,
            table=table,
            boundary=boundary([table, *(text["text"] for text in texts)]),
            language=self.settings.generation.language,
        )
        reply = self._call(messages, _OVERVIEW_TOKENS)
        self._step("wrote the overview")
        read = self._checker.read(reply, [m.number for m in ordered])
        given = [{"number": m.number, "text": _read_out(m)} for m in ordered]
        return self._repaired(read, given, [m.number for m in ordered])

    # ------------------------------------------------------------------ calls

    def _call(self, messages: Sequence[ChatMessage], most: int, *, small: bool = False) -> str:
        """The reply; kept in the plan, too."""
        text = ""
        pieces = self.writer.endpoint.stream(
            messages,
            self.ledger,
            small=small,
            max_tokens=most,
            cancellation=self._cancellation,
        )
        for piece in pieces:
            if isinstance(piece, Delta):
                text += piece.text
            elif isinstance(piece, Waiting):
                self._report(piece.text)
        self.plan.replies.append(text)
        return text

    def _step(self, what: str) -> None:
        self._done += 1
        self._report(what)

    def _report(self, what: str) -> None:
        if self._report_to is None:
            return
        usage, elapsed = self.ledger.usage, time.perf_counter() - self._started
        left = elapsed / self._done * (self._total - self._done) if self._done else None
        self._report_to(
            ReviewProgress(
                step=what,
                done=self._done,
                total=self._total,
                tokens=usage.prompt_tokens + usage.completion_tokens,
                seconds_left=round(left, 1) if left is not None else None,
            )
        )


def _numbers(value: object) -> list[int]:
    return [n for n in value if isinstance(n, int)] if isinstance(value, list) else []


def _text(material: Material) -> str:
    return f"{material.paper.title}\n{told(material.paper.abstract, material.sentences)}".strip()


def _read_out(material: Material) -> str:
    """A paper in one line, for the plan and the overview."""
    cells = [material.approach, material.finding]
    parts = [cell.text for cell in cells if cell]
    named = [*material.sample_size(), *material.data(), *material.compared_with()]
    parts += [cell.text for cell in named]
    return f"{material.paper.label[:160]}: {' | '.join(dict.fromkeys(parts))}"
