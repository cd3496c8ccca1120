"""Every sentence of an answer against the papers that it cites; repaired where that is possible.

A sentence whose papers do not support it, or that cites none, gets the citation of a retrieved
paper that does; if there is none, it stays as it is, marked. The proof of a sentence is as many
sentences of the abstract as hold its numbers and names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assistant.answering.citations import RawSentence
from assistant.answering.papers import about
from assistant.answering.particulars import Particulars, bare_claim
from assistant.answering.support import (
    OTHER_LANGUAGE,
    RANK,
    Source,
    SupportChecker,
    Verdict,
    proof,
)
from assistant.results import Citation, Sentence, Support
from assistant.retrieved import RetrievedPaper

__all__ = ["SPEAKS", "Checked", "SentenceChecks", "is_claim", "says_missing"]

SPEAKS = "not proven: the sentence that says it speaks to its reader"

SURE = 0.75
"""Score from which another paper takes the place of a cited one that does not support."""
_ATTRIBUTED = 0.6
"""Score from which a paper is cited for a sentence that cites none."""
_CARRIED = 0.1
"""What a score loses at least without the sentence that carried it; the rest is read in another
light, too."""
_DIGIT = re.compile(r"\d")
_SHORTEST = 12
_LEAD = re.compile(
    r"^\W*(?:there (?:are|is)|here (?:are|is)|they (?:are|do)|yes|no|in (?:short|sum|all))?\W*"
    r"(?:(?:the )?(?:two|three|four|five|six|seven|eight|nine|ten|several|some|both|various|all"
    r"|many|a few|following)\b)",
    re.IGNORECASE,
)
_LEAD_WORDS = 9
_TALK = re.compile(
    r"\b(?:mentioned|named|listed|cited|given|discussed|said|covered)\b[^.]{0,20}"
    r"\b(?:before|above|earlier|so far|already|previously|below)\b"
    r"|\bas (?:said|noted|mentioned|listed) (?:above|before|earlier)\b",
    re.IGNORECASE,
)
_SAYS = (
    r"(?:say|said|state|mention|report|discuss|cover|address|provide|specif|describ|contain|give"
    r"|name|answer|compare|include|evaluat|hold|explain|indicat|quantif|tell|disclos)\w*"
)
_MISSING = re.compile(
    rf"\b(?:do(?:es)? not|don['’]t|doesn['’]t|did not|never|not|nor|neither|nothing|none|no"
    rf"(?: \w+)?)\b[^.]{{0,60}}?\b{_SAYS}"
    rf"|\b{_SAYS} (?:\w+ )?no(?:ne|thing)?\b"
    r"|\bis (?:missing|not given)\b",
    re.IGNORECASE,
)
_PAPERS = re.compile(
    r"\b(?:papers?|abstracts?|passages?|sources?|librar\w+|texts?|nothing|none of them)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on a sentence; "none" where it claims nothing, "unchecked" where the text is
    in another language than the abstract, or nothing is to be checked.
    """

    support: str
    quote: str = ""
    why: str = ""


def says_missing(text: str) -> bool:
    """Whether a sentence says that the papers do not say something."""
    return bool(_MISSING.search(text) and _PAPERS.search(text))


def is_claim(text: str) -> bool:
    """Whether a sentence says something that a paper has to support.

    Headings, questions, the beginnings of lists ("Two methods learn such masks."), words about
    the conversation, and sentences about what the papers do not say (without a number in them)
    claim nothing. A number alone ("62%.") is a claim.
    """
    bare = bare_claim(text).strip()
    if text.lstrip().startswith("#") or bare.endswith((":", "?", "：", "？")):
        return False
    if re.fullmatch(r"[-|:\s]*", bare):
        return False  # the line of a table
    if _DIGIT.search(bare):
        return True
    if len(bare) < _SHORTEST or says_missing(bare) or _TALK.search(bare):
        return False
    lead = _LEAD.match(bare) and len(bare.split()) <= _LEAD_WORDS
    return not (lead and not Particulars.of(bare).names)


class SentenceChecks:
    """The checks of one draft.

    Args:
        given: the papers that the model was given; their numbers begin at 1.
        checker: None where there are no papers, and nothing to check.
        compare: whether sentences are compared with abstracts at all.
    """

    def __init__(
        self,
        given: Sequence[RetrievedPaper],
        checker: SupportChecker | None,
        *,
        compare: bool = True,
    ) -> None:
        self._given = given
        self._checker = checker
        self._compare = compare
        self._sources: list[Source] | None = None
        self._doubted: dict[int, Source] = {}
        self._uses: dict[int, list[tuple[int, Verdict]]] = defaultdict(list)
        self._rulings: dict[int, Support] = {}
        self._in_table = False
        self.dropped = 0
        self.moved = 0
        self.attributed = 0
        self.refused = 0
        """Sentences that were not shown: `assistant.answering.replies.smuggles`."""

    @property
    def trusted(self) -> list[tuple[str, ...]]:
        """The sentences of each paper; empty those that may speak to their reader."""
        return [found.trusted for found in self._given]

    def check(self, index: int, raw: RawSentence, *, claims: bool = True) -> Checked:
        """The verdict on the sentence ``index``; may change which paper it cites.

        ``claims`` is False where nothing that is said can be a claim, and no citation counts.
        """
        text, fabricated = raw.text, raw.dropped > 0
        heads, self._in_table = not self._in_table and text.startswith("|"), text.startswith("|")
        self.dropped += raw.dropped
        if self._checker is None or not claims or not re.search(r"\w", text):
            raw.markers[:] = [type(marker)(()) for marker in raw.markers]
            return Checked("none")
        if not raw.numbers and not fabricated:
            silent = raw.silent and (says_missing(text) or not _DIGIT.search(text))
            if silent or not is_claim(text) or (heads and not _DIGIT.search(text)):
                return Checked("none")
            return self._uncited(index, raw, text)
        whole, cited = self._cited(text, raw)
        foreign = any(v.why == OTHER_LANGUAGE for v in cited.values())
        if whole is not None and not foreign and self._speaks(text, whole, list(cited)):
            whole = self._verdict_of("unsupported", Sentence(text=text, why=SPEAKS))
            cited = dict.fromkeys(cited, whole)
        for number, verdict in cited.items():
            self._uses[number].append((index, verdict))
        if whole is None:
            return Checked("unsupported", why="cites a paper that was not given")
        if foreign or not self._compare:
            return Checked("unchecked", "", OTHER_LANGUAGE if foreign else "not checked")
        quote = "" if whole.why == SPEAKS else self._proof(text, whole, list(cited))
        return Checked(whole.support, quote, whole.why)

    def _cited(self, text: str, raw: RawSentence) -> tuple[Verdict | None, dict[int, Verdict]]:
        """The verdict on a sentence against all that it cites, and against each; the paper that
        supports it takes the place of those which do not.
        """
        sources = dict(enumerate(self._all_sources(), 1))
        whole, cited = None, dict[int, Verdict]()
        if self._checker is None:
            return whole, cited
        if raw.numbers:
            whole, each = self._checker.check_together(text, [sources[n] for n in raw.numbers])
            cited = dict(zip(raw.numbers, each, strict=True))
        foreign = any(v.why == OTHER_LANGUAGE for v in cited.values())
        if raw.markers and not foreign and (whole is None or whole.support == "unsupported"):
            others = {n: source for n, source in sources.items() if n not in cited}
            better = self._checker.surest(text, others, SURE)
            if better is not None:
                number, whole = better
                raw.cite(number)
                self.moved += 1
                cited = {number: whole}
        return whole, cited

    def _speaks(self, text: str, whole: Verdict, cited: Sequence[int]) -> bool:
        """Whether the proof of a sentence, or what it lacks else, may speak to its reader."""
        sources = self._all_sources()
        if self._checker is None or not any(n in self._doubted for n in cited):
            return False
        rest = [self._doubted.get(n, sources[n - 1]) for n in cited]
        if not any(whole.quote in source.sentences for source in rest):
            return True
        left, _ = self._checker.check_together(text, rest)
        return RANK[left.support] < RANK[whole.support] and left.score < whole.score - _CARRIED

    def _uncited(self, index: int, raw: RawSentence, text: str) -> Checked:
        """Cites the paper that supports a sentence without a citation, if there is one."""
        if self._checker is None or not self._given or not self._compare:
            return Checked("unsupported", why="cites no paper")
        verdicts = self._checker.check_sources(text, self._all_sources())
        if all(v.why == OTHER_LANGUAGE for v in verdicts):
            return Checked("unchecked", "", OTHER_LANGUAGE)
        # a number without a word may be any paper's: it is the first's, or nobody's
        found = verdicts if re.search(r"[^\W\d_]{2}", text) else verdicts[:1]
        place = max(range(len(found)), key=lambda n: found[n].score)
        best = verdicts[place]
        if best.support != "supported" or best.score < _ATTRIBUTED:
            return Checked("unsupported", why="cites no paper, and none here says it")
        if self._speaks(text, best, [place + 1]):
            return Checked("unsupported", why=SPEAKS)
        raw.cite(place + 1)
        self.attributed += 1
        self._uses[place + 1].append((index, best))
        return Checked("supported", self._proof(text, best, [place + 1]), best.why)

    def reuse(self, index: int, given: int, sentence: Sentence) -> None:
        """Notes that a sentence, put in place of another, rests on a paper."""
        support = sentence.support if sentence.support in RANK else "partial"
        verdict = self._verdict_of(support, sentence)  # type: ignore[arg-type]
        self._uses[given].append((index, verdict))

    def forget(self, index: int) -> None:
        """Drops the uses of a sentence that has been taken out."""
        for uses in self._uses.values():
            uses[:] = [use for use in uses if use[0] != index]

    def is_used(self, given: int) -> bool:
        """Whether a sentence rests on this paper."""
        return bool(self._uses.get(given))

    def citation(self, given: int, number: int) -> Citation:
        """The citation of a paper, by the best of its uses.

        ``given`` is the number that the model knows it by, ``number`` the reader's.
        """
        paper = self._given[given - 1].paper
        uses = [(self._ruled(i, v.support), v) for i, v in self._uses.get(given, [])]
        support, verdict = max(uses, key=lambda use: (RANK[use[0]], use[1].score))
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
        """What a second check found takes the place of what was found here."""
        if sentence.support in RANK:
            self._rulings[index] = sentence.support  # type: ignore[assignment]

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
        if self.refused:
            what = "1 sentence" if self.refused == 1 else f"{self.refused} sentences"
            notes.append(
                f"{what} of the model with an address, code or words of the prompt: left out."
            )
        if self.moved:
            what = "1 citation was" if self.moved == 1 else f"{self.moved} citations were"
            notes.append(f"{what} moved to the paper that supports the sentence.")
        if self.attributed:
            what = "1 sentence" if self.attributed == 1 else f"{self.attributed} sentences"
            notes.append(f"{what} without a citation got that of the paper that says it.")
        return notes

    # ------------------------------------------------------------------ inside

    def _all_sources(self) -> list[Source]:
        if self._sources is None:
            self._sources = [
                Source(g.sentences, g.vectors, g.paper.title, about(g.paper)) for g in self._given
            ]
            for number, found in enumerate(self._given, 1):
                kept = self.trusted[number - 1]
                if kept != found.sentences:
                    vectors = found.vectors * np.array([[bool(text)] for text in kept])
                    source = self._sources[number - 1]
                    self._doubted[number] = replace(source, sentences=kept, vectors=vectors)
        return self._sources

    def _ruled(self, index: int, support: Support) -> Support:
        return self._rulings.get(index, support)

    def _proof(self, text: str, verdict: Verdict, cited: Sequence[int]) -> str:
        """The words that hold what the sentence says, from all that it cites."""
        sources = self._all_sources()
        return proof(text, verdict.quote, [sources[n - 1] for n in cited])

    @staticmethod
    def _verdict_of(support: Support, sentence: Sentence) -> Verdict:
        score = {"supported": 0.9, "partial": 0.4, "unsupported": 0.1}[support]
        return Verdict(support, score, sentence.quote, sentence.why)
