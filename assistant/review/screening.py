"""Screening for a systematic review: include, exclude, maybe; the most useful paper next.

A `Screening` is a file of decisions over the papers of a library: who decided what, why, by
which criterion. A linear model over words and meaning, trained on the decisions so far, says
which undecided paper is likeliest to be included; it is asked next. How many inclusions are
still unfound is estimated from that model, its chances being set right on the decisions, and the
run of exclusions since the last inclusion; it is an estimate and says so.
"""

from __future__ import annotations

import csv
import io
import math
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from assistant.errors import LibraryError, SourceError
from assistant.escaping import spreadsheet
from assistant.files import read_sealed, write_sealed
from assistant.filters import Filters
from assistant.paper import Paper, normalised_title
from assistant.text import terms

__all__ = [
    "CONSENSUS",
    "Criteria",
    "Decision",
    "Estimate",
    "Ranker",
    "Screening",
    "agreement",
    "decisions_csv",
    "prisma_svg",
    "read_criteria",
    "read_decisions",
]

Floats = NDArray[np.float32]
Verdict = Literal["include", "exclude", "maybe"]
CONSENSUS = "consensus"
"""The reviewer whose decision settles what the others disagree on."""
_STOP_AFTER = 0.05
"""Share of the papers that may be excluded in a row before stopping is suggested."""
_LEAST_RUN = 20


class Decision(BaseModel):
    """What one reviewer decided on one paper, and why: the name of a criterion, or own words."""

    paper_id: str
    verdict: Verdict
    reviewer: str = "me"
    reason: str = ""


class Criteria(BaseModel):
    """Reasons to include and to exclude, by their one-letter keys in the order of the file."""

    include: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)

    def words(self, text: str) -> dict[str, list[str]]:
        """Each criterion → the words of ``text`` that it rests on, as they stand there."""
        found: dict[str, list[str]] = {}
        forms = [(word, set(terms(word))) for word in re.findall(r"[^\W_][\w-]*", text)]
        for criterion in (*self.include, *self.exclude):
            wanted = set(terms(criterion))
            held = {word.casefold(): word for word, stems in reversed(forms) if stems & wanted}
            if held:
                found[criterion] = list(reversed(held.values()))
        return found

    def __str__(self) -> str:
        """As `read_criteria` reads them."""
        lines = [f"include: {one}" for one in self.include]
        return "\n".join([*lines, *(f"exclude: {one}" for one in self.exclude)])


class Estimate(BaseModel):
    """How far the screening is; ``unfound`` is an estimate of inclusions among the undecided."""

    papers: int
    decided: int
    included: int
    unfound: float | None
    since_last: int = Field(description="exclusions in a row")
    stop: bool

    def __str__(self) -> str:
        parts = [f"{self.decided:,} of {self.papers:,} decided, {self.included:,} included"]
        if self.unfound is not None:
            parts.append(f"about {self.unfound:.0f} more by estimate")
        if self.stop:
            parts.append(f"{self.since_last} excluded in a row: stopping may be reasonable")
        return "; ".join(parts) + "."


class Screening(BaseModel):
    """The state of a screening, kept as one JSON file; ``found`` and the like feed PRISMA."""

    topic: str
    criteria: Criteria = Field(default_factory=Criteria)
    papers: list[str] = Field(default_factory=list, description="ids, in the order of the search")
    decisions: list[Decision] = Field(default_factory=list)
    identified: int = Field(0, description="records before duplicates were removed")
    filters: Filters = Filters()
    most: int = Field(0, description="papers at the most, the nearest first; 0: all")
    created: float = Field(0.0, description="when it was started, in seconds")

    @classmethod
    def load(cls, file: Path) -> Screening:
        """Reads it.

        Raises:
            SourceError: it cannot be read.
        """
        try:
            return cls.model_validate_json(read_sealed(file))
        except (OSError, ValidationError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise SourceError(  # told on other machines, too: without the folder
                f"The screening in {file.name} cannot be read ({reason}).",
                "Name a file that 'assistant screen' wrote.",
            ) from None

    def save(self, file: Path) -> None:
        """Writes it whole.

        Raises:
            LibraryError: it cannot be written.
        """
        try:
            in_library = any((up / "library.json").exists() for up in file.absolute().parents[:2])
            write_sealed(file, self.model_dump_json(indent=1), remembered=in_library)
        except OSError as error:
            raise LibraryError(
                f"The screening cannot be kept in {file} ({error.strerror}).", "Name another file."
            ) from None

    def decide(self, decision: Decision) -> None:
        """Adds a decision; the same reviewer's earlier one on the paper goes."""
        self.decisions = [
            d for d in self.decisions
            if (d.paper_id, d.reviewer) != (decision.paper_id, decision.reviewer)
        ]  # fmt: skip
        self.decisions.append(decision)

    def by_paper(self) -> dict[str, dict[str, Decision]]:
        """Each decided paper → reviewer → what they decided, the paper decided last at the end."""
        found: dict[str, dict[str, Decision]] = {}
        for decision in self.decisions:
            found[decision.paper_id] = {
                **found.pop(decision.paper_id, {}),
                decision.reviewer: decision,
            }
        return found

    def final(self) -> dict[str, Verdict]:
        """Each decided paper's verdict: the consensus, or what all agree on, else maybe."""
        return {paper: _verdict(said) for paper, said in self.by_paper().items()}

    def conflicts(self) -> list[str]:
        """The papers on which reviewers disagree, and no consensus was found."""
        return [
            paper for paper, said in self.by_paper().items()
            if CONSENSUS not in said and len({d.verdict for d in said.values()}) > 1
        ]  # fmt: skip

    def estimate(self, chances: Mapping[str, float]) -> Estimate:
        """How far it is; ``chances`` of the undecided, as `Ranker.chances` gives them."""
        final = self.final()
        known = [final[p] for p in dict.fromkeys(d.paper_id for d in self.decisions)]
        run = next((n for n, v in enumerate(reversed(known)) if v == "include"), len(known))
        enough = max(_LEAST_RUN, math.ceil(_STOP_AFTER * len(self.papers)))
        unfound = sum(chances.get(p, 0.0) for p in self.papers if p not in final)
        included = known.count("include")
        return Estimate(
            papers=len(self.papers),
            decided=len(known),
            included=included,
            unfound=round(unfound, 1) if chances else None,
            since_last=run,
            stop=included > 0 and run >= enough and unfound < 0.05 * included + 0.5,
        )

    def prisma(self) -> dict[str, int]:
        """Counts of a PRISMA flow: records, screened, excluded by reason, included."""
        final = self.final()
        counts = {
            "identified": max(self.identified, len(self.papers)),
            "duplicates removed": max(0, self.identified - len(self.papers)),
            "screened": len(final),
            "excluded": sum(v == "exclude" for v in final.values()),
            "maybe": sum(v == "maybe" for v in final.values()),
            "included": sum(v == "include" for v in final.values()),
            "not screened": len(self.papers) - len(final),
        }
        reasons = Counter(
            {d.paper_id: d.reason or "no reason given" for d in self.decisions
             if final[d.paper_id] == d.verdict == "exclude"}.values()
        )  # fmt: skip
        return counts | {f"excluded: {reason}": n for reason, n in reasons.most_common()}


def _verdict(said: Mapping[str, Decision]) -> Verdict:
    if CONSENSUS in said:
        return said[CONSENSUS].verdict
    verdicts = {decision.verdict for decision in said.values()}
    return verdicts.pop() if len(verdicts) == 1 else "maybe"


class Ranker:
    """Which of the papers are likeliest to be included, by the decisions so far.

    Args:
        texts: title and abstract of each paper, by id, in the order of the search.
        vectors: (papers, dimension), unit means of their chunks, in the same order.
    """

    def __init__(self, texts: Mapping[str, str], vectors: Floats) -> None:
        from scipy.sparse import csr_matrix, hstack  # noqa: PLC0415
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415

        self._place = {paper: n for n, paper in enumerate(texts)}
        weigh = TfidfVectorizer(
            tokenizer=terms, token_pattern=None, lowercase=False, sublinear_tf=True,
            min_df=2 if len(texts) > 50 else 1,
        )  # fmt: skip
        rows = csr_matrix(hstack([weigh.fit_transform(texts.values()), csr_matrix(vectors)]))
        rows.indices, rows.indptr = rows.indices.astype(np.int32), rows.indptr.astype(np.int32)
        self._rows = rows

    def ranked(self, verdicts: Mapping[str, Verdict]) -> list[str]:
        """The undecided papers, the one to ask next first; the search's order until both kinds
        of decision are there.
        """
        rest = [paper for paper in self._place if paper not in verdicts]
        decisions = self._decisions(verdicts)
        if decisions is None:
            return rest
        return sorted(rest, key=lambda p: (-float(decisions[self._place[p]]), self._place[p]))

    def chances(self, verdicts: Mapping[str, Verdict]) -> dict[str, float]:
        """The chance of each undecided paper to be included; empty before a model can be had.

        The model's decisions are set right by a logistic curve on papers that it was not trained
        on: five folds of the decided ones, and the undecided, who are first presumed excluded (as
        Cormack and Grossman's AutoTAR does), then counted once by the chances that follow. Who is
        decided was chosen as the likeliest: without the others the curve is far too hopeful.
        """
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

        decided = [(p, v) for p, v in verdicts.items() if v != "maybe" and p in self._place]
        labels = np.array([v == "include" for _, v in decided])
        whole = self._decisions(verdicts)
        if whole is None or labels.sum() < 5 or (~labels).sum() < 5:
            return {}
        held_out = np.zeros(len(decided))
        for fold in range(5):
            train = {p: v for n, (p, v) in enumerate(decided) if n % 5 != fold}
            decisions = self._decisions(train)
            for n in range(fold, len(decided), 5):
                held_out[n] = 0.0 if decisions is None else decisions[self._place[decided[n][0]]]
        rest = [p for p in self._place if p not in verdicts]
        if not rest:
            return {}
        values = whole[[self._place[p] for p in rest]]
        chances = np.zeros(len(rest))
        for _ in range(2):
            curve = LogisticRegression(C=100.0).fit(
                np.concatenate([held_out, values, values])[:, None],
                np.repeat([*labels, True, False], [1] * len(labels) + [len(rest)] * 2),
                np.concatenate([np.ones(len(labels)), chances, 1 - chances]),
            )
            chances = curve.predict_proba(values[:, None])[:, 1]
        return dict(zip(rest, map(float, chances), strict=True))

    def _decisions(self, verdicts: Mapping[str, Verdict]) -> NDArray[np.float64] | None:
        """(papers,) the linear model's decision for each; None without both kinds of verdict."""
        from sklearn.svm import LinearSVC  # noqa: PLC0415

        known = [(self._place[p], v == "include") for p, v in verdicts.items()
                 if v != "maybe" and p in self._place]  # fmt: skip
        labels = [label for _, label in known]
        if not any(labels) or all(labels):
            return None
        model = LinearSVC(C=0.5, class_weight="balanced", random_state=0)
        model.fit(self._rows[[place for place, _ in known]], labels)
        return np.asarray(model.decision_function(self._rows), np.float64)


def read_criteria(text: str) -> Criteria:
    """Lines "include: …" and "exclude: …"; other lines are comments."""
    made = Criteria()
    for line in text.splitlines():
        kind, colon, what = line.strip().lstrip("-* ").partition(":")
        if colon and kind.strip().casefold() in ("include", "exclude") and what.strip():
            getattr(made, kind.strip().casefold()).append(" ".join(what.split()))
    return made


def agreement(decisions: Iterable[Decision]) -> dict[str, float]:
    """Cohen's kappa of each pair of reviewers ("a / b"), over the papers that both decided."""
    by_reviewer: dict[str, dict[str, Verdict]] = {}
    for decision in decisions:
        if decision.reviewer == CONSENSUS:
            continue
        by_reviewer.setdefault(decision.reviewer, {})[decision.paper_id] = decision.verdict
    names = sorted(by_reviewer)
    found: dict[str, float] = {}
    for n, one in enumerate(names):
        for other in names[n + 1 :]:
            both = [p for p in by_reviewer[one] if p in by_reviewer[other]]
            if not both:
                continue
            pairs = [(by_reviewer[one][p], by_reviewer[other][p]) for p in both]
            same = sum(a == b for a, b in pairs) / len(pairs)
            left, right = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
            chance = sum(left[v] * right[v] for v in left) / len(pairs) ** 2
            found[f"{one} / {other}"] = 1.0 if chance == 1 else (same - chance) / (1 - chance)
    return found


# ---------------------------------------------------------------------- in and out

_YES = {"1", "include", "included", "yes", "true", "relevant", "asreview_relevant"}
_NO = {"0", "exclude", "excluded", "no", "false", "irrelevant", "asreview_irrelevant"}
_RAYYAN = re.compile(r'"([^"]+)"=>"(Included|Excluded|Maybe)"')
_ASREVIEW = re.compile(r"\bASReview_(?:ir)?relevant\b", re.IGNORECASE)


def read_decisions(
    text: str,
    papers: Sequence[Paper],
    reviewer: str = "imported",
    every: Verdict | None = None,
) -> tuple[list[Decision], int]:
    """Decisions of a file of ASReview, Rayyan or Covidence, and how many found no paper.

    CSV or TSV. ASReview: a column ``included``/``label_included``/``asreview_label``; Rayyan: the
    reviewers' votes in ``notes`` ("RAYYAN-INCLUSION"); Covidence and others: ``decision``,
    ``status`` or ``verdict``. RIS: both write into the notes. A record is matched by DOI, id, or
    title.

    Args:
        every: what is taken for a record without a verdict: Covidence writes one file for the
            included and one for the excluded.

    Raises:
        SourceError: the file holds no decision.
    """
    known: dict[str, str] = {}
    for paper in papers:
        for name in (paper.doi, paper.source_id, paper.id, paper.title_key):
            if name:
                known.setdefault(name.casefold(), paper.id)
    made: list[Decision] = []
    lost = found = 0
    for record in _records(text.removeprefix("\ufeff")):
        votes = _votes(record, reviewer)
        if not votes and every and any(record.values()):
            votes = [(reviewer, every, record.get("exclusion reason", ""))]
        if not votes:
            continue
        found += 1
        doi = re.sub(r"^https?://(?:dx\.)?doi\.org/", "", record.get("doi", "").casefold())
        names = [
            doi,
            *(record.get(n, "").casefold() for n in ("id", "record_id", "paper_id", "key")),
        ]
        names.append(normalised_title(record.get("title") or record.get("primary_title") or ""))
        paper_id = next((known[name] for name in names if name and name in known), None)
        if paper_id is None:
            lost += 1
            continue
        made += [
            Decision(paper_id=paper_id, verdict=verdict, reviewer=who, reason=why)
            for who, verdict, why in votes
        ]
    if not found:
        raise SourceError(
            "The file holds no decisions.",
            "Give a CSV, TSV or RIS file of ASReview or Rayyan, or one with a column 'decision'.",
        )
    return made, lost


def _records(text: str) -> Iterator[dict[str, str]]:
    """The records of a CSV, TSV or RIS file; names of columns in small letters."""
    if re.match(r"\s*TY  ?-", text):
        import rispy  # type: ignore[import-untyped]  # noqa: PLC0415

        for entry in rispy.loads(text):
            notes = " | ".join([*entry.get("notes", []), *entry.get("notes_abstract", [])])
            yield {
                "title": str(entry.get("title") or entry.get("primary_title") or ""),
                "doi": str(entry.get("doi") or ""),
                "id": str(entry.get("id") or ""),
                "notes": notes,
            }
        return
    tabs = "\t" in text.partition("\n")[0]
    for row in csv.DictReader(io.StringIO(text), delimiter="\t" if tabs else ","):
        yield {(k or "").strip().casefold(): (v or "").strip() for k, v in row.items()
               if not isinstance(v, list)}  # fmt: skip


def _votes(record: Mapping[str, str], reviewer: str) -> list[tuple[str, Verdict, str]]:
    notes = record.get("notes", "")
    if "RAYYAN-INCLUSION" in notes:
        verdicts: dict[str, Verdict] = {
            "Included": "include", "Excluded": "exclude", "Maybe": "maybe",
        }  # fmt: skip
        reasons = re.search(r"RAYYAN-EXCLUSION-REASONS:\s*([^|]+)", notes)
        why = reasons[1].strip() if reasons else ""
        return [(who, verdicts[said], why) for who, said in _RAYYAN.findall(notes)]
    told = _ASREVIEW.search(notes)
    for value in (told[0] if told else "", *(
        record.get(name, "") for name in ("included", "label_included", "asreview_label", "label",
                                          "decision", "status", "verdict"))):  # fmt: skip
        value = value.casefold().removesuffix(".0")  # noqa: PLW2901
        why = record.get("reason") or record.get("exclusion reason") or ""
        verdict: Verdict | None = None
        if value in _YES:
            verdict = "include"
        elif value in _NO or value.startswith("exclude"):
            verdict = "exclude"
        elif value == "maybe":
            verdict = "maybe"
        if verdict:
            return [(record.get("reviewer") or reviewer, verdict, why)]
    return []


def decisions_csv(screening: Screening, papers: Mapping[str, Paper]) -> str:
    """One line a decision, as `read_decisions` reads it; undecided papers with none."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["paper_id", "title", "doi", "year", "decision", "reviewer", "reason"])
    by_paper = screening.by_paper()
    for paper_id in screening.papers:
        paper = papers.get(paper_id)
        known = [paper_id, paper.title if paper else "", (paper.doi if paper else "") or "",
                 str(paper.year or "") if paper else ""]  # fmt: skip
        decided = by_paper.get(paper_id, {})
        said = [[d.verdict, d.reviewer, d.reason] for d in decided.values()] or [["", "", ""]]
        for one in said:
            writer.writerow([*map(spreadsheet, [*known, *one])])
    return out.getvalue()


def prisma_svg(screening: Screening) -> str:
    """The flow of records as a diagram."""
    counts = screening.prisma()
    reasons = [
        line for k, n in counts.items() if k.startswith("excluded: ")
        for line in textwrap.wrap(f"{k.removeprefix('excluded: ')}: {n}", 44)
    ]  # fmt: skip
    rows: tuple[tuple[list[str], list[str]], ...] = (
        (
            [f"Records identified: {counts['identified']}"],
            [f"Duplicates removed: {counts['duplicates removed']}",
             f"Not screened: {counts['not screened']}"],
        ),
        (
            [f"Records screened: {counts['screened']}"],
            [f"Excluded: {counts['excluded']}", *reasons],
        ),
        ([f"Included: {counts['included']}", f"Maybe, to be settled: {counts['maybe']}"], []),
    )  # fmt: skip
    parts: list[str] = []
    y = 10

    def box(x: int, lines: Sequence[str]) -> int:
        height = 18 * len(lines) + 16
        parts.append(f"<rect x='{x}' y='{y}' width='330' height='{height}' rx='6'/>")
        parts.extend(
            f"<text x='{x + 12}' y='{y + 22 + 18 * n}'>{escape(line)}</text>"
            for n, line in enumerate(lines)
        )
        return y + height

    for left, right in rows:
        foot = bottom = box(10, left)
        if right:
            bottom = max(foot, box(400, right))
            parts.append(f"<path d='M340 {y + 17}H392'/>")
            parts.append(f"<path d='M175 {foot}V{bottom + 22}'/>")
        y = bottom + 30
    style = (
        "rect{fill:#fff;stroke:#345}text{font:14px system-ui,sans-serif;fill:#123}"
        "path{stroke:#345;marker-end:url(#tip)}"
    )
    tip = (
        "<marker id='tip' viewBox='0 0 8 8' refX='1' refY='4' markerWidth='8' markerHeight='8' "
        "orient='auto'><path d='M0 0L8 4L0 8z' style='fill:#345;marker-end:none'/></marker>"
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 740 {y - 20}'>"
        f"<style>{style}</style><defs>{tip}</defs>{''.join(parts)}</svg>\n"
    )
