"""A screening at work: the papers, the decisions, what to ask next, how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
from filelock import FileLock, Timeout

from assistant.errors import DecisionStands, LibraryError, LibraryLocked, PaperNotFound
from assistant.paper import Paper
from assistant.retrieved import RetrievedPaper
from assistant.review.screening import (
    Criteria,
    Decision,
    Estimate,
    Ranker,
    Screening,
    Verdict,
    agreement,
    decisions_csv,
    prisma_svg,
    read_decisions,
)

__all__ = ["FORMS", "Form", "Imported", "ScreeningSession"]

_TRAIN_AGAIN = 5
"""Decisions after which the model is trained again."""
_WAIT = 10.0
"""Seconds to wait for another process that writes."""
Form = Literal["csv", "bib", "ris", "csl", "svg", "json"]
FORMS: tuple[Form, ...] = get_args(Form)
"""What a screening is written as: all decisions, the included papers (three), PRISMA, all."""


class Imported(NamedTuple):
    """What became of decisions of another program: ``kept``: the reviewer's own stood already."""

    taken: int
    kept: int
    lost: int

    def __str__(self) -> str:
        parts = [f"Decisions taken: {self.taken:,}"]
        parts += [f"stood already: {self.kept:,}"] if self.kept else []
        parts += [f"not among the papers: {self.lost:,}"] if self.lost else []
        return "; ".join(parts) + "."


class ScreeningSession:
    """Screening of some papers by several reviewers, threads and processes at once.

    Each change is made to what the file holds at that moment, under a lock: nobody's decision is
    overwritten by another's window.

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
        self.arrived = len(set(self.papers) - set(screening.papers)) if screening.papers else 0
        """Papers that came to the library since it was looked at last."""
        screening.papers = list(dict.fromkeys([*screening.papers, *self.papers]))
        self._file = file
        self._lock = threading.RLock()
        self._stamp: tuple[int, int] | None = None  # what the file holds now is read before use
        self._ranker = Ranker(
            {p.paper.id: p.paper.text for p in found},
            np.stack([p.mean for p in found]),
        )
        self._orders: dict[str, tuple[int, list[str]]] = {}
        self._taken_back: dict[str, str] = {}
        self._chances: tuple[int, dict[str, float]] = (-1, {})

    # ------------------------------------------------------------------ what to do

    def next(self, reviewer: str = "me", shown: str = "") -> Paper | None:
        """The paper to decide on next; None when all are decided.

        ``shown``: the one that is before the reviewer's eyes, which stays there until decided.
        """
        with self._lock:
            self._read_again()
            mine = self._mine(reviewer)
            for wanted in (shown, self._taken_back.get(reviewer, "")):
                if wanted in self.papers and wanted not in mine:
                    return self.papers[wanted]
            count, order = self._orders.get(reviewer, (-_TRAIN_AGAIN, []))
            if not 0 <= len(mine) - count < _TRAIN_AGAIN:
                order = self._ranker.ranked(mine)
                self._orders[reviewer] = (len(mine), order)
            return next((self.papers[p] for p in order if p not in mine), None)

    def is_learned(self, reviewer: str) -> bool:
        """Whether the reviewer's decisions say what comes next; until then the search does."""
        return len({v for v in self._mine(reviewer).values() if v != "maybe"}) > 1

    def estimate(self) -> Estimate:
        """How far it is, and how much is unfound by estimate, as of some decisions ago."""
        with self._lock:
            self._read_again()
            final = self.screening.final()
            count, chances = self._chances
            if not 0 <= len(final) - count < _TRAIN_AGAIN:
                chances = self._ranker.chances(final)
                self._chances = (len(final), chances)
            return self.screening.estimate(chances)

    def agreement(self) -> dict[str, float]:
        """Cohen's kappa of each pair of reviewers."""
        return agreement(self.screening.decisions)

    @property
    def revision(self) -> str:
        """Another with every change."""
        with self._lock:
            self._read_again()
            return "-".join(map(str, self._stamp or (len(self.screening.decisions),)))

    # ------------------------------------------------------------------ what is done

    def decide(
        self,
        paper_id: str,
        verdict: Verdict | None,
        reason: str = "",
        reviewer: str = "me",
        *,
        instead_of: Verdict | Literal["", "any"] = "any",
    ) -> None:
        """Keeps a decision, or takes it back (``verdict`` None).

        Args:
            instead_of: the reviewer's decision on this paper that they have before their eyes;
                "" where they see none.

        Raises:
            DecisionStands: they decided otherwise meanwhile; that stays.
            PaperNotFound: the paper is not among those to be screened.
        """
        if paper_id not in self.papers:
            raise PaperNotFound("This paper is not among those to be screened.")
        with self._changing() as kept:
            now = kept.by_paper().get(paper_id, {}).get(reviewer)
            if instead_of not in ("any", now.verdict if now else ""):
                told = now.verdict if now else "taken back"
                raise DecisionStands(
                    f"In another window your decision on this paper is: {told}.",
                    "It was left as it is.",
                )
            if verdict is not None:
                made = Decision(
                    paper_id=paper_id, verdict=verdict, reviewer=reviewer, reason=reason
                )
                kept.decide(made)
            elif now is not None:
                kept.decisions.remove(now)
        if self._taken_back.get(reviewer) == paper_id:
            del self._taken_back[reviewer]

    def undo(self, reviewer: str = "me") -> Paper | None:
        """Takes the last decision of ``reviewer`` back, and gives its paper, which comes next."""
        with self._changing() as kept:
            mine = [d for d in kept.decisions if d.reviewer == reviewer]
            if not mine:
                return None
            kept.decisions.remove(mine[-1])
        self._taken_back[reviewer] = mine[-1].paper_id
        return self.papers.get(mine[-1].paper_id)

    def judge_by(self, criteria: Criteria) -> None:
        """Takes other criteria."""
        with self._changing() as kept:
            kept.criteria = criteria

    def keep(self) -> None:
        """Writes down what there is, before anything is decided."""
        with self._changing():
            pass

    def bring_in(
        self, text: str, reviewer: str = "imported", every: Verdict | None = None
    ) -> Imported:
        """Decisions of another program's file, as `read_decisions` reads them.

        Raises:
            SourceError: it holds none.
        """
        made, lost = read_decisions(text, list(self.papers.values()), reviewer, every)
        with self._changing() as kept:
            known = {(d.paper_id, d.reviewer) for d in kept.decisions}
            new = [d for d in made if (d.paper_id, d.reviewer) not in known]
            for decision in new:
                kept.decide(decision)
        return Imported(len(new), len(made) - len(new), lost)

    def written(self, form: str, keys: Mapping[str, str] | None = None) -> str:
        """The screening as one of `FORMS`; ``keys``: of the library's papers."""
        from assistant.exporting import FORMATS  # noqa: PLC0415

        if form == "csv":
            return decisions_csv(self.screening, self.papers)
        if form == "svg":
            return prisma_svg(self.screening)
        if form == "json":
            return self.screening.model_dump_json(indent=1) + "\n"
        final = self.screening.final()
        included = [p for i, p in self.papers.items() if final.get(i) == "include"]
        writer = FORMATS["bibtex" if form == "bib" else form]
        return "".join(writer(included, keys) if keys else writer(included))

    # ------------------------------------------------------------------ inside

    def _mine(self, reviewer: str) -> dict[str, Verdict]:
        return {d.paper_id: d.verdict for d in self.screening.decisions if d.reviewer == reviewer}

    @contextmanager
    def _changing(self) -> Iterator[Screening]:
        """What the file holds, to be changed; written after it.

        Raises:
            LibraryLocked: another process has been writing for too long.
            LibraryError: it cannot be written.
        """
        file = self._file
        with self._lock:
            if file is None:
                yield self.screening
                self._stamp = (time.monotonic_ns(), 0)
                return
            try:
                with FileLock(file.with_name(f".{file.name}.lock"), timeout=_WAIT):
                    self._read_again()
                    yield self.screening
                    self.screening.save(file)
                    self._stamp = _stamp(file)
            except Timeout:
                raise LibraryLocked(
                    f"Another process has been writing to {file} for {_WAIT:.0f} seconds.",
                    "Try again when it is done.",
                ) from None
            except OSError as error:
                raise LibraryError(
                    f"The screening cannot be kept in {file} ({error.strerror}).",
                    "Mend the folder's permissions, or name another file.",
                ) from None

    def _read_again(self) -> None:
        """Takes in what another process wrote meanwhile."""
        stamp = _stamp(self._file) if self._file else self._stamp
        if stamp == self._stamp or stamp is None or self._file is None:
            return
        self.screening = Screening.load(self._file)
        self.screening.papers = list(dict.fromkeys([*self.screening.papers, *self.papers]))
        self._stamp = stamp


def _stamp(file: Path | None) -> tuple[int, int] | None:
    """When the file was written, and which it is; None where there is none."""
    try:
        found = file.stat() if file else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino) if found else None
