"""A screening at work: the papers, the decisions, what to ask next, how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant.paper import Paper
from assistant.retrieved import RetrievedPaper
from assistant.review.screening import (
    Decision,
    Estimate,
    Ranker,
    Screening,
    Verdict,
    agreement,
    read_decisions,
)

__all__ = ["ScreeningSession"]

_TRAIN_AGAIN = 5
"""Decisions after which the model is trained again."""


class ScreeningSession:
    """Screening of some papers by one reviewer at a time; not for several threads at once.

    Args:
        screening: what was decided so far.
        found: the papers, in the order of the search.
        file: where each decision is kept at once; nowhere if None.
    """

    def __init__(
        self, screening: Screening, found: Sequence[RetrievedPaper], file: Path | None = None
    ) -> None:
        self.screening = screening
        self.papers = {paper.paper.id: paper.paper for paper in found}
        self._file = file
        screening.papers = list(dict.fromkeys([*screening.papers, *self.papers]))
        self._ranker = Ranker(
            {p.paper.id: f"{p.paper.title}. {p.paper.abstract}" for p in found},
            np.stack([p.mean for p in found]),
        )
        self._order: list[str] = []
        self._trained_on: tuple[str, int] = ("", -1)

    def next(self, reviewer: str = "me") -> Paper | None:
        """The paper to decide on next; None when all are decided."""
        mine = {d.paper_id: d.verdict for d in self.screening.decisions if d.reviewer == reviewer}
        name, count = self._trained_on
        if name != reviewer or not 0 <= len(mine) - count < _TRAIN_AGAIN:
            self._order = self._ranker.ranked(mine)
            self._trained_on = (reviewer, len(mine))
        return next((self.papers[p] for p in self._order if p not in mine), None)

    def decide(
        self, paper_id: str, verdict: Verdict, reason: str = "", reviewer: str = "me"
    ) -> None:
        """Keeps a decision."""
        self.screening.decide(
            Decision(paper_id=paper_id, verdict=verdict, reviewer=reviewer, reason=reason)
        )
        self._keep()

    def undo(self, reviewer: str = "me") -> Paper | None:
        """Takes the last decision of ``reviewer`` back, and gives its paper."""
        mine = [d for d in self.screening.decisions if d.reviewer == reviewer]
        if not mine:
            return None
        self.screening.decisions.remove(mine[-1])
        self._keep()
        self._trained_on = ("", -1)
        self._order.insert(0, mine[-1].paper_id)
        return self.papers.get(mine[-1].paper_id)

    def bring_in(self, text: str, reviewer: str = "imported") -> tuple[int, int]:
        """Decisions of another program's CSV: how many were taken, how many found no paper."""
        made, lost = read_decisions(text, list(self.papers.values()), reviewer)
        for decision in made:
            self.screening.decide(decision)
        self._keep()
        return len(made), lost

    def estimate(self) -> Estimate:
        """How far it is, and how much is unfound by estimate."""
        final = self.screening.final()
        return self.screening.estimate(self._ranker.chances(final))

    def agreement(self) -> dict[str, float]:
        """Cohen's kappa of each pair of reviewers."""
        return agreement(self.screening.decisions)

    def _keep(self) -> None:
        if self._file is not None:
            self.screening.save(self._file)
