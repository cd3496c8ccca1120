"""Every sentence of an answer against the papers that it cites; repaired where that is possible.

A sentence whose papers do not support it gets the citation of another retrieved paper that does;
if there is none, it stays as it is, marked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.answering.citations import RawSentence
from assistant.answering.papers import GivenPaper
from assistant.results import Citation, Sentence, Support

if TYPE_CHECKING:
    from assistant.answering.support import Source, SupportChecker, Verdict

__all__ = ["Checked", "SentenceChecks", "is_claim"]

_RANK: dict[str, int] = {"supported": 2, "partial": 1, "unsupported": 0}
SURE = 0.65
"""Score from which another paper takes the place of a cited one that does not support."""
_DIGIT = re.compile(r"\d")
_SAYS = (
    r"(?:say|said|state|mention|report|discuss|cover|address|provide|specif|describ|contain|give"
    r"|name|answer|compare|include|evaluat|hold|explain|indicat|quantif|tell|disclos)\w*"
)
_MISSING = re.compile(
    rf"\b(?:do(?:es)? not|don['’]t|doesn['’]t|did not|never|not|nor|neither|nothing|none|no"
    rf"(?: \w+)?)\b[^.]{{0,60}}?\b{_SAYS}"
    r"|\bis (?:missing|not given)\b",
    re.IGNORECASE,
)
_PAPERS = re.compile(
    r"\b(?:papers?|abstracts?|passages?|sources?|librar\w+|texts?|nothing|none of them)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on a sentence; "none" where it claims nothing."""

    support: str
    quote: str = ""
    why: str = ""


def is_claim(text: str) -> bool:
    """Whether a sentence says something that a paper has to support.

    Headings, questions, the beginnings of lists, and sentences about what the papers do not
    say (without a number in them) claim nothing.
    """
    bare = text.strip().lstrip("-*•#> ").strip()
    if len(bare) < 12 or text.lstrip().startswith("#") or bare.endswith((":", "?", "：", "？")):
        return False
    missing = _MISSING.search(bare) and _PAPERS.search(bare)
    return bool(_DIGIT.search(bare)) or not missing


class SentenceChecks:
    """The checks of one draft.

    Args:
        given: the papers that the model was given; their numbers begin at 1.
        checker: None where there are no papers, and nothing to check.
    """

    def __init__(self, given: Sequence[GivenPaper], checker: SupportChecker | None) -> None:
        self._given = given
        self._checker = checker
        self._sources: list[Source] | None = None
        self._uses: dict[int, list[tuple[int, Verdict]]] = defaultdict(list)
        self._ceilings: dict[int, Support] = {}
        self.dropped = 0
        self.moved = 0

    def check(self, index: int, raw: RawSentence, *, claims: bool = True) -> Checked:
        """The verdict on the sentence ``index``; may change which paper it cites.

        ``claims`` is False where nothing that is said can be a claim, and no citation counts.
        """
        text, fabricated = raw.text, raw.dropped > 0
        self.dropped += raw.dropped
        if self._checker is None or not claims or not re.search(r"\w", text):
            raw.markers[:] = [type(marker)(()) for marker in raw.markers]
            return Checked("none")
        if not raw.numbers and not fabricated:
            silent = raw.silent and not _DIGIT.search(text)
            if silent or not is_claim(text):
                return Checked("none")
            return Checked("unsupported", why="cites no paper")
        verdicts = self._checker.check_sources(text, self._all_sources())
        cited = {n: verdicts[n - 1] for n in raw.numbers}
        whole = self._whole(text, cited)
        if whole is None or whole.support == "unsupported":
            better = self._better(verdicts, raw.numbers)
            if better is not None and raw.markers:
                raw.cite(better)
                self.moved += 1
                cited, whole = {better: verdicts[better - 1]}, verdicts[better - 1]
        for number, verdict in cited.items():
            self._uses[number].append((index, verdict))
        if whole is None:
            return Checked("unsupported", why="cites a paper that was not given")
        return Checked(whole.support, whole.quote, whole.why)

    def citation(self, given: int, number: int) -> Citation:
        """The citation of a paper, by the best of its uses.

        ``given`` is the number that the model knows it by, ``number`` the reader's.
        """
        paper = self._given[given - 1].paper
        uses = [(self._capped(i, v.support), v) for i, v in self._uses.get(given, [])]
        support, verdict = max(uses, key=lambda use: (_RANK[use[0]], use[1].score))
        return Citation(
            number=number,
            paper_id=paper.id,
            title=paper.label,
            url=paper.link,
            quote=verdict.quote,
            support=support,
            support_score=round(verdict.score, 4),
            why=verdict.why,
        )

    def overrule(self, index: int, sentence: Sentence) -> None:
        """Holds the citations of a sentence down to what a second check found."""
        if sentence.support in _RANK:
            self._ceilings[index] = sentence.support  # type: ignore[assignment]

    @property
    def notes(self) -> list[str]:
        """What was done to the citations, for the reader."""
        notes = []
        if self.dropped:
            one = self.dropped == 1
            what = (
                "1 citation of a paper that was" if one else f"{self.dropped} citations of papers"
            )
            notes.append(f"{what}{'' if one else ' that were'} never given: left out.")
        if self.moved:
            what = "1 citation was" if self.moved == 1 else f"{self.moved} citations were"
            notes.append(f"{what} moved to the paper that supports the sentence.")
        return notes

    # ------------------------------------------------------------------ inside

    def _all_sources(self) -> list[Source]:
        from assistant.answering.support import Source  # noqa: PLC0415

        if self._sources is None:
            self._sources = [
                Source(tuple(g.sentences), g.vectors, g.paper.title) for g in self._given
            ]
        return self._sources

    def _whole(self, text: str, cited: dict[int, Verdict]) -> Verdict | None:
        """The verdict on the sentence against all that it cites together."""
        if not cited:
            return None
        best = max(cited.values(), key=lambda v: (_RANK[v.support], v.score))
        if len(cited) == 1 or best.support == "supported" or self._checker is None:
            return best
        sources = self._all_sources()
        joined = self._checker.check_joined(text, [sources[n - 1] for n in cited])
        return max((best, joined), key=lambda v: (_RANK[v.support], v.score))

    def _better(self, verdicts: Sequence[Verdict], cited: Sequence[int]) -> int | None:
        others = [n for n in range(1, len(verdicts) + 1) if n not in cited]
        others = [
            n
            for n in others
            if verdicts[n - 1].support == "supported" and verdicts[n - 1].score >= SURE
        ]
        return max(others, key=lambda n: verdicts[n - 1].score, default=None)

    def _capped(self, index: int, support: Support) -> Support:
        ceiling = self._ceilings.get(index, "supported")
        return min((support, ceiling), key=lambda s: _RANK[s])
