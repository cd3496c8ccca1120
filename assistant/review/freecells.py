"""Free columns, read by a language model: copied from the abstract, looked up there, or empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from assistant.addressing import told
from assistant.answering.understanding import json_reply
from assistant.endpoint.chat import Cancellation, Delta, Endpoint
from assistant.endpoint.ledger import Ledger, count_tokens, price_of
from assistant.prompting import Prompts, boundary
from assistant.results import Usage
from assistant.review.cells import Material
from assistant.review.model import Cell, ReviewEstimate
from assistant.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

__all__ = ["FreeCells"]

_REPLY_TOKENS = 60
"""Of a filled cell, at most, for the estimate."""


class FreeCells:
    """Fills columns by the language model of the settings; replies are kept, so it resumes."""

    def __init__(self, settings: Settings, llm: LLM | None = None) -> None:
        self._settings = settings
        self._endpoint = Endpoint(settings, cache=True, llm=llm)
        self._prompts = Prompts(settings.prompts)

    def close(self) -> None:
        """Closes the connections to the endpoint."""
        self._endpoint.close()

    def estimate(self, materials: Sequence[Material], columns: Sequence[str]) -> ReviewEstimate:
        """What it will take; nothing is called."""
        batches = self._batches(materials)
        tokens = sum(count_tokens(_text(m)) + 15 for m in materials) + 300 * len(batches)
        replies = len(materials) * len(columns) * _REPLY_TOKENS
        price = price_of(self._endpoint.target)
        return ReviewEstimate(
            papers=len(materials),
            themes=0,
            calls=len(batches),
            prompt_tokens=tokens,
            completion_tokens=replies,
            cost_usd=price.cost(tokens, replies) if price else None,
        )

    def read(
        self,
        materials: Sequence[Material],
        columns: Sequence[str],
        on_progress: Callable[[int, int], None] | None = None,
        cancellation: Cancellation | None = None,
    ) -> tuple[dict[tuple[str, str], list[Cell]], Usage]:
        """The cells by paper id and column, and what they cost.

        Raises:
            EndpointError: the endpoint failed; the same call goes on where it was.
        """
        found: dict[tuple[str, str], list[Cell]] = {}
        ledger, done = Ledger(self._settings.generation.max_cost), 0
        for batch in self._batches(materials):
            given = [{"number": n, "text": _text(m)} for n, m in enumerate(batch, 1)]
            messages = self._prompts["review_cells"].messages(
                columns="; ".join(columns),
                papers=given,
                boundary=boundary([str(paper["text"]) for paper in given]),
                language=self._settings.generation.language,
            )
            most = max(self._settings.generation.max_tokens, _REPLY_TOKENS * len(batch))
            pieces = self._endpoint.stream(
                messages, ledger, max_tokens=most, cancellation=cancellation
            )
            reply = json_reply("".join(p.text for p in pieces if isinstance(p, Delta)))
            for item in reply if isinstance(reply, list) else []:
                self._take(item, batch, columns, found)
            done += len(batch)
            if on_progress:
                on_progress(done, len(materials))
        return found, ledger.usage

    @staticmethod
    def _take(
        item: object,
        batch: Sequence[Material],
        columns: Sequence[str],
        found: dict[tuple[str, str], list[Cell]],
    ) -> None:
        """One object of a reply, if its text stands in the abstract."""
        if not isinstance(item, dict):
            return
        number, column, text = item.get("paper"), item.get("column"), item.get("text")
        if not isinstance(number, int) or not 1 <= number <= len(batch) or column not in columns:
            return
        material = batch[number - 1]
        text = " ".join(str(text or "").split())
        place = next((n for n, s in enumerate(material.sentences) if text and text in s), None)
        if place is not None:
            cell = material.cell(text, place, "likely")
            found.setdefault((material.paper.id, str(column)), []).append(cell)

    def _batches(self, materials: Sequence[Material]) -> list[list[Material]]:
        budget, used = self._settings.generation.passage_tokens, 0
        batches: list[list[Material]] = []
        for material in materials:
            size = count_tokens(_text(material))
            if not batches or used + size > budget:
                batches.append([])
                used = 0
            batches[-1].append(material)
            used += size
        return batches


def _text(material: Material) -> str:
    return f"{material.paper.title}\n{told(material.paper.abstract, material.sentences)}".strip()
