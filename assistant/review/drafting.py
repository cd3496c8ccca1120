"""A review while it is written: sentences that cite papers by place, checked and then numbered.

Papers are named by their place in the list of used papers until the document stands; `finish`
gives the numbers by first appearance. Every sentence that says what a paper says is checked
against that paper's abstract by the `SupportChecker`, claim by claim; words that stand in the
abstract as they are need no model to be found there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from assistant.answering.support import Source, SupportChecker, Verdict
from assistant.results import Support
from assistant.review.model import Quote, ReviewSentence
from assistant.review.search import UsedPaper
from assistant.review.wording import clean
from assistant.text import terms

__all__ = ["Claim", "Draft", "DraftSentence", "Numbers", "Verifier", "worst"]

_RANK: dict[Support, int] = {"supported": 2, "partial": 1, "unsupported": 0}
_SURE, _CERTAIN = 0.65, 0.8
VERBATIM = "the abstract's own words"


def marked(numbers: Sequence[int]) -> str:
    """Citations such as [1][2]; a run of more than four as [3]–[9]."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return "".join(
        f"[{run[0]}]–[{run[-1]}]" if len(run) > 4 else "".join(f"[{n}]" for n in run)
        for run in runs
    )


def worst(supports: Iterable[Support]) -> Support:
    """The weakest of some verdicts."""
    return min(supports, key=lambda s: _RANK[s])


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sentence says of one paper: ``text`` is checked against it.

    ``terms_only``: the sentence says no more than that the paper speaks of ``text``.
    """

    paper: int
    text: str
    terms_only: bool = False


@dataclass
class DraftSentence:
    """Pieces of text, each with the papers cited after it; claims to check. ``own``: about the
    review itself, nothing to check.
    """

    pieces: list[tuple[str, list[int]]]
    claims: list[Claim] = field(default_factory=list)
    own: bool = False
    end: str = "."
    joint: bool = False

    @classmethod
    def of(cls, text: str, papers: Sequence[int], *, own: bool = False) -> DraftSentence:
        """A sentence whose citations stand at its end."""
        bare = text.rstrip()
        end = bare[-1] if bare[-1:] in ".!?…" else "."
        body = bare.removesuffix(end).rstrip() if bare.endswith(end) else bare
        if end == "…":
            body, end = f"{body} …", "."
        claims = [] if own else [Claim(p, text) for p in papers]
        return cls([(body, list(papers))], claims, own, end)

    @property
    def papers(self) -> list[int]:
        """The papers that it cites, in order, each once."""
        return list(dict.fromkeys(p for _, papers in self.pieces for p in papers))

    def also(self, paper: int) -> None:
        """Another paper says the same."""
        text, papers = self.pieces[-1]
        if paper not in papers:
            papers.append(paper)
            self.claims.append(Claim(paper, self.claims[0].text if self.claims else text))


class Numbers:
    """Numbers for the reader: 1, 2, … by first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}

    def __getitem__(self, paper: int) -> int:
        return self._numbers.setdefault(paper, len(self._numbers) + 1)

    @property
    def papers(self) -> list[int]:
        """The papers in the order of their numbers."""
        return list(self._numbers)


class Verifier:
    """Checks claims against the used papers."""

    def __init__(self, checker: SupportChecker, papers: Sequence[UsedPaper]) -> None:
        self._checker = checker
        self._papers = papers
        self._sources = [Source(tuple(p.sentences), p.vectors, p.paper.title) for p in papers]
        self._cleaned: dict[int, list[str]] = {}

    def supports(self, paper: int, text: str, *, surely: bool = False) -> bool:
        """Whether ``paper`` supports ``text`` too."""
        verdict = self.verdict(Claim(paper, text))
        return verdict.support == "supported" and (verdict.score >= _CERTAIN or not surely)

    def verdict(self, claim: Claim) -> Verdict:
        """The verdict on one claim."""
        found = self._verbatim(claim)
        if found is not None:
            return found
        if claim.terms_only:
            return self._speaks_of(claim)
        return self._checker.check_sources(claim.text, [self._sources[claim.paper]])[0]

    def together(self, claims: Sequence[Claim]) -> Verdict:
        """The verdict on a sentence against all that it cites: the best of one, or of all."""
        text = claims[0].text
        found = [self.verdict(claim) for claim in claims]
        best = max(found, key=lambda v: (_RANK[v.support], v.score))
        if len(claims) == 1 or best.support == "supported":
            return best
        joined = self._checker.check_joined(text, [self._sources[c.paper] for c in claims])
        return max((best, joined), key=lambda v: (_RANK[v.support], v.score))

    def better(self, text: str, papers: Sequence[int]) -> int | None:
        """The one of ``papers`` that surely supports ``text``, if any does."""
        found = [(self.verdict(Claim(p, text)), p) for p in papers]
        sure = [(v.score, -p) for v, p in found if v.support == "supported" and v.score >= _SURE]
        return -max(sure)[1] if sure else None

    def _verbatim(self, claim: Claim) -> Verdict | None:
        wanted = claim.text.strip(" …").rstrip(".")
        if len(wanted) < 4:
            return None
        if claim.paper not in self._cleaned:
            used = self._papers[claim.paper]
            self._cleaned[claim.paper] = [clean(s) for s in [*used.sentences, used.paper.title]]
        originals = [*self._papers[claim.paper].sentences, self._papers[claim.paper].paper.title]
        for text, original in zip(self._cleaned[claim.paper], originals, strict=True):
            if wanted in text:
                return Verdict("supported", 1.0, original, VERBATIM)
        return None

    def _speaks_of(self, claim: Claim) -> Verdict:
        """Whether the stems of a phrase stand together in a sentence or the title."""
        used, wanted = self._papers[claim.paper], set(terms(claim.text))
        for text in [used.paper.title, *used.sentences]:
            if wanted and wanted <= set(terms(text)):
                return Verdict("supported", 1.0, text, "its words stand there")
        return Verdict("unsupported", 0.0, used.paper.title, "its words do not stand there")


@dataclass
class Draft:
    """Sentences to finish: verdicts and numbers."""

    verifier: Verifier
    numbers: Numbers = field(default_factory=Numbers)
    verdicts: dict[int, ReviewSentence] = field(default_factory=dict)

    def finish(self, sentence: DraftSentence) -> ReviewSentence:
        """The sentence with its numbers and verdicts."""
        text = ""
        for piece, papers in sentence.pieces:
            marks = marked(sorted({self.numbers[p] for p in papers}))
            text += piece + (f" {marks}" if marks else "")
        text += sentence.end
        quotes: dict[int, Quote] = {}
        for claim in sentence.claims:
            verdict, number = self.verifier.verdict(claim), self.numbers[claim.paper]
            quote = Quote(
                number=number,
                text=verdict.quote,
                support=verdict.support,
                score=round(verdict.score, 4),
                why=verdict.why,
            )
            held = quotes.get(number)
            if held is None or _RANK[quote.support] < _RANK[held.support]:
                quotes[number] = quote
        ordered = [quotes[n] for n in sorted(quotes)]
        weakest = min(ordered, key=lambda q: (_RANK[q.support], q.score), default=None)
        support, said, why = "none", "", ""
        if sentence.joint and sentence.claims:
            whole = self.verifier.together(sentence.claims)
            support, said, why = whole.support, whole.quote, whole.why
        elif weakest is not None:
            support, said, why = weakest.support, weakest.text, weakest.why
        elif not sentence.own:
            support, why = "unsupported", "cites no paper"
        return ReviewSentence(
            text=" ".join(text.split()),
            citations=sorted({self.numbers[p] for p in sentence.papers}),
            support=support,
            quote=said,
            why=why,
            quotes=ordered,
        )

    def all(self, sentences: Iterable[DraftSentence]) -> list[ReviewSentence]:
        """`finish` for each."""
        return [self.finish(sentence) for sentence in sentences]


Progress = Callable[[str, int, int], None]
