"""Fits the models that answer without a language model, and writes them to assistant/fitted/.

    python -m eval.fit --data FOLDER     (the folder that ASSISTANT_TEST_DATA names)

``evidence``: whether an abstract answers a question. ``confidence``: what the best evidence is
worth, beside how near the library is to the question. ``selection``: whether a sentence states a
wanted fact. ``membership``: whether a paper is on a topic.

Learns from the project's own questions over the sample library and the saved listing pages, from
the short questions of questions/fit.txt, from the queries of the retrieval sets (in their own
library, with all their papers taken out, and in libraries of other fields) and from titles; never
from the questions in FOLDER, nor from held-out.jsonl. Figures are cross-validated by question.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assistant import Assistant, Settings
from assistant.answering.calibration import Calibrations
from assistant.answering.forms import asking, evidence_text
from assistant.answering.membership import membership_features
from assistant.answering.question import Question as Asked
from assistant.answering.selection import sentence_features
from assistant.paper import Paper, normalised_title
from assistant.sample import SAMPLE_PAPERS
from eval.data import QUESTIONS, read_beir, read_questions
from eval.facts import states

FITTED = Path(__file__).parents[1] / "assistant" / "fitted"
READ = 5
"""Papers whose evidence is read for the confidence."""
EVIDENCE = (
    "standing best_sentence_cosine second_sentence_cosine exact_coverage soft_coverage "
    "title_coverage sentence_coverage matched unmatched lack second_lack lack_aligned "
    "second_lack_aligned name_missing unknown has_focus focus_coverage number_missing coverage"
).split()
LEXICAL = "coverage exact_coverage name_missing number_missing".split()
CONFIDENCE = "evidence short short_evidence above".split()
SELECTION = (
    "cosine coverage evidence paper_score number wanted_number position background soft "
    "soft_with_title length dangles rel_evidence rank"
).split()
MEMBERSHIP = "coverage lack title_coverage often cosine_share standing_share".split()
SETS = ("cystic_fibrosis", "cranfield", "medline1033")
TEMPLATES = (
    "What is known about {}?", "papers on {}", "{}", "Which papers deal with {}?",
    "Is there work on {}?", "How does {} work?", "What are the results on {}?",
)  # fmt: skip
_ALIKE = 0.62
"""Cosine of two papers from which they may answer the same question."""

Array = NDArray[np.float64]
Features = dict[str, float]


@dataclass
class Case:
    """One question in one library, with the features of what was found for it."""

    kind: str
    answerable: bool
    taken_out: bool
    short: float
    above: float
    passages: list[tuple[Features, bool]] = field(default_factory=list)
    sentences: list[tuple[Features, bool, int]] = field(default_factory=list)

    def weighed(self) -> Iterator[tuple[Features, bool, float]]:
        """Its passages for the fit of the evidence, each with its weight."""
        rows = self.passages[:READ]
        if self.kind == "short" and self.answerable:  # which paper answers is not written down
            rows = [(max(rows, key=lambda r: _covered(r[0]))[0], True)]
        for features, right in rows:
            yield features, right, self._weight(right)

    def _weight(self, right: bool) -> float:
        sure = right or self.taken_out
        weights = {
            "absent": 2.0,
            "foreign": 0.5,
            "set": 0.7 if sure else 0.2,
            "title": 0.6 if sure else 0.1,
            "short": 3.0 if right else 1.0,
        }
        return weights.get(self.kind, 1.0)


def _covered(features: Features) -> float:
    return features["sentence_coverage"] + features["soft_coverage"]


class Asker:
    """Asks one library, and keeps the cases."""

    def __init__(self, assistant: Assistant, cases: list[Case], folder: Path) -> None:
        self.assistant, self.cases = assistant, cases
        self.retriever, self.reader = assistant._retriever(), assistant._reader()
        embedder = self.reader.embedder
        self.near_from = (
            Calibrations(assistant.library, embedder, folder).of(self.retriever).near_from
        )

    def ask(
        self,
        question: str,
        kind: str,
        gold: Collection[str] = (),
        *,
        answerable: bool | None = None,
        without: Collection[str] = (),
        facts: Sequence[str] = (),
    ) -> None:
        """Adds the case of ``question``; ``without``: ids of papers that are taken out."""
        found = self.retriever.find(question, 8 + len(without))
        papers = [paper for paper in found if paper.paper.id not in without][:8]
        wanted = evidence_text(question) or question
        vector = self.reader.embedder.embed_query(wanted)
        asked = Asked.read(wanted, vector, found.statistics, self.reader.embedder)
        nearest = max((paper.best_cosine for paper in papers[:READ]), default=0.0)
        case = Case(
            kind,
            bool(gold) if answerable is None else answerable,
            bool(without),
            asked.short,
            nearest - self.near_from,
        )
        for rank, (paper, reading) in enumerate(
            zip(papers, self.reader.read(asked, papers), strict=True)
        ):
            right = paper.paper.id in gold
            case.passages.append((reading.features, right))
            for place, text in enumerate(paper.sentences if facts else ()):
                features = sentence_features(asked, paper, reading, place)
                states_it = right and any(states(text, fact) for fact in facts)
                case.sentences.append((features | {"rank": float(rank == 0)}, states_it, rank))
        self.cases.append(case)

    def with_twin(self, question: str, kind: str, gold: Collection[str], **given: Any) -> None:
        """The case of ``question``, and that with all its papers taken out."""
        self.ask(question, kind, gold, **given)
        if gold:
            self.ask(question, kind, answerable=False, without=gold)

    def own_questions(self, name: str) -> None:
        """The questions of a file of this project."""
        ids = {normalised_title(p.title): p.id for p in self.assistant.library.papers() if p.title}
        for question in read_questions(QUESTIONS / f"{name}.jsonl"):
            titles = map(normalised_title, question.gold_titles)
            gold = {ids[title] for title in titles if title in ids}
            if question.kind != "follow":
                facts = question.gold_facts if question.kind == "fact" else ()
                self.with_twin(
                    question.question,
                    question.kind,
                    gold,
                    answerable=question.answerable,
                    facts=facts,
                )

    def titles(self, number: int, chance: random.Random) -> None:
        """Questions made of titles, with and without the papers like the one that has it."""
        papers = [p for p in self.assistant.library.papers() if p.title and p.abstract]
        ids, vectors = self.assistant.library.vectors()
        place = {name: n for n, name in enumerate(ids)}
        for paper in chance.sample(papers, min(number, len(papers))):
            question = chance.choice(TEMPLATES).format(_topic(paper, chance))
            self.ask(question, "title", {paper.id})
            alike = np.flatnonzero(vectors @ vectors[place[paper.id]] > _ALIKE)
            without = {paper.id, *(ids[n] for n in alike)}
            self.ask(question, "title", answerable=False, without=without)


def _topic(paper: Paper, chance: random.Random) -> str:
    """A title, or what stands behind its colon, cut to a few words."""
    head, _, tail = paper.title.partition(":")
    words = (tail if len(tail.split()) > 1 else head).strip(" .").split()
    return " ".join(words[: chance.choice((3, 4, 5, 7))] if len(words) > 7 else words)


def gather(data: Path, folder: Path) -> tuple[list[Case], list[list[tuple[Features, bool]]]]:
    """All cases, and for each list question the features of the papers found."""
    cases: list[Case] = []
    chance = random.Random(1)  # noqa: S311
    askers: dict[str, Asker] = {}
    queries: dict[str, list[str]] = {}
    listing = Assistant(Settings.load(library=folder / "listing"))
    listing.ingest(sorted((data / "seeds").iterdir()))
    askers["listing"] = Asker(listing, cases, folder)
    for name in ("listing-pages", "listing-pages-2"):
        askers["listing"].own_questions(name)
        queries.setdefault("listing", []).extend(
            question.question for question in read_questions(QUESTIONS / f"{name}.jsonl")
        )
    sample = Assistant(Settings.load(library=folder / "sample"))
    sample.ingest([SAMPLE_PAPERS])
    Asker(sample, cases, folder).own_questions("sample")
    for name in SETS:
        assistant = Assistant(Settings.load(library=folder / name))
        found, papers = read_beir(data / "ir" / name)
        assistant.library.ingest(papers())
        askers[name] = Asker(assistant, cases, folder)
        queries[name] = list(found.queries.values())
        for query in chance.sample(sorted(found.queries), min(60, len(found.queries))):
            gold = {f"id:{paper}" for paper, grade in found.qrels[query].items() if grade > 0}
            askers[name].with_twin(found.queries[query], "set", gold)
    for name, asker in askers.items():
        if name != "medline1033":  # its papers have no titles
            asker.titles(60, chance)
        for other, texts in queries.items():
            for text in chance.sample(texts, 25) if other != name else ():
                asker.ask(text, "foreign", answerable=False)
    for library, line in _short_questions():
        askers[library].ask(line[1:], "short", answerable=line[0] == "+")
    return cases, _lists(askers)


def _short_questions() -> Iterator[tuple[str, str]]:
    """(library, line) of questions/fit.txt: a line is "+" or "-" and the question."""
    library = ""
    for line in (QUESTIONS / "fit.txt").read_text("utf-8").splitlines():
        if line.startswith("@"):
            library = {"lib545": "listing"}.get(line[1:], line[1:])
        elif line:
            yield library, line


def _lists(askers: dict[str, Asker]) -> list[list[tuple[Features, bool]]]:
    """Every second list question of the plain ones: features of the papers, and who is gold."""
    fields = {"ml": "listing", "medicine": "cystic_fibrosis", "aeronautics": "cranfield"}
    found: list[list[tuple[Features, bool]]] = []
    for name, library in fields.items():
        asker = askers[library]
        lists = [
            q for q in read_questions(QUESTIONS / f"plain-{name}.jsonl") if str(q.kind) == "list"
        ]
        for question in lists[::2]:
            topic = asking(question.question).topic
            papers = asker.retriever.find(topic, 60)
            embedder = asker.reader.embedder
            asked = Asked.read(topic, papers.vector, papers.statistics, embedder)
            best = max(paper.cosine for paper in papers)
            top = max(paper.standing for paper in papers)
            gold = {normalised_title(title) for title in question.gold_titles}
            found.append(
                [
                    (
                        membership_features(asked, paper, best, top),
                        normalised_title(paper.paper.title) in gold,
                    )
                    for paper in papers
                ]
            )
    return found


# ---------------------------------------------------------------------- fitting


def fit(
    rows: Sequence[tuple[Features, bool, float]], names: Sequence[str], strength: float
) -> tuple[float, dict[str, float]]:
    """Intercept and weights of a logistic model, in the features' own units."""
    x = np.array([[features[name] for name in names] for features, *_ in rows])
    y = np.array([int(right) for _, right, _ in rows])
    weights = np.array([weight for *_, weight in rows])
    model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=5000))
    model.fit(x, y, logisticregression__sample_weight=weights)
    scale, logit = model[0], model[-1]
    fitted: Array = logit.coef_[0] / scale.scale_
    intercept = float(logit.intercept_[0] - (fitted * scale.mean_).sum())
    return intercept, dict(zip(names, map(float, fitted), strict=True))


def log_odds(model: tuple[float, dict[str, float]], features: Features) -> float:
    """Of the positive class."""
    return model[0] + sum(weight * features[name] for name, weight in model[1].items())


def fit_evidence(cases: Sequence[Case], names: Sequence[str]) -> tuple[Any, list[float]]:
    """The model, and each case's best evidence by models that have not seen it."""
    best = [0.0] * len(cases)
    for train, test in KFold(8, shuffle=True, random_state=1).split(cases):
        model = fit([row for n in train for row in cases[n].weighed()], names, 0.03)
        for n in test:
            best[n] = max((log_odds(model, f) for f, _ in cases[n].passages[:READ]), default=0.0)
    return fit([row for case in cases for row in case.weighed()], names, 0.03), best


def fit_confidence(cases: Sequence[Case], best: Sequence[float], names: Sequence[str]) -> Any:
    """Platt's scaling of the best evidence, beside what else is known of the question."""
    rows = []
    for case, evidence in zip(cases, best, strict=True):
        if not (case.taken_out or case.kind == "title"):
            rows.append(
                (
                    _confidence_features(case, evidence),
                    case.answerable,
                    1.0 if case.kind == "short" else 0.4,
                )
            )
    return fit(rows, names, 10.0)


def _confidence_features(case: Case, evidence: float) -> Features:
    return {
        "evidence": evidence,
        "short": case.short,
        "short_evidence": case.short * evidence,
        "above": case.above,
    }


def fit_selection(cases: Sequence[Case], evidence: Any) -> tuple[Any, float]:
    """The model, and the share of fact questions whose first sentence states a fact."""
    facts = [case for case in cases if any(right for _, right, _ in case.sentences)]
    for case in facts:
        values = [log_odds(evidence, features) for features, _ in case.passages]
        for features, _, rank in case.sentences:
            features["evidence"] = values[rank]
            features["rel_evidence"] = values[rank] - max(values[:READ])

    def rows(chosen: Sequence[Case]) -> list[tuple[Features, bool, float]]:
        return [(f, right, 1.0) for c in chosen for f, right, rank in c.sentences if rank < READ]

    first: list[bool] = []
    for train, test in KFold(8, shuffle=True, random_state=0).split(facts):
        model = fit(rows([facts[n] for n in train]), SELECTION, 0.5)
        first += [_first_is_right(rows([facts[n]]), model) for n in test]
    return fit(rows(facts), SELECTION, 0.5), float(np.mean(first))


def _first_is_right(rows: Sequence[tuple[Features, bool, float]], model: Any) -> bool:
    """Whether the likeliest sentence states a wanted fact."""
    return max(rows, key=lambda row: log_odds(model, row[0]))[1]


def _auroc(cases: Sequence[Case], score: Callable[[Case, float], float], best: Any) -> float:
    values = [score(case, evidence) for case, evidence in zip(cases, best, strict=True)]
    return float(roc_auc_score([case.answerable for case in cases], values))


def write(name: str, model: tuple[float, dict[str, float]], note: str) -> None:
    """Writes one model to assistant/fitted/."""
    intercept, weights = model
    rounded = {feature: round(weight, 4) for feature, weight in weights.items()}
    content = {"intercept": round(intercept, 4), "weights": rounded, "note": note}
    text = json.dumps(content, ensure_ascii=False, indent=2)
    (FITTED / f"{name}.json").write_text(f"{text}\n", "utf-8")
    print(f"{name}: {note}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Fits and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSISTANT_TEST_DATA"))
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("name the folder with the listing pages: --data, or ASSISTANT_TEST_DATA")
    with tempfile.TemporaryDirectory() as folder:
        cases, lists = gather(options.data, Path(folder))
    for suffix, names, used in (("", EVIDENCE, CONFIDENCE), ("-lexical", LEXICAL, ["evidence"])):
        evidence, best = fit_evidence(cases, names)
        confidence = fit_confidence(cases, best, used)
        short = [n for n, case in enumerate(cases) if case.kind == "short"]
        auroc = _auroc(
            [cases[n] for n in short],
            lambda case, value: log_odds(confidence, _confidence_features(case, value)),  # noqa: B023
            [best[n] for n in short],
        )
        write(f"evidence{suffix}", evidence, f"Whether an abstract answers: {len(cases)} cases.")
        note = f"Whether the library answers: AUROC {auroc:.3f} on {len(short)} short questions."
        write(f"confidence{suffix}", confidence, note)
        if not suffix:
            selection, first = fit_selection(cases, evidence)
            note = f"Whether a sentence states a wanted fact: the first one does for {first:.1%}."
            write("selection", selection, note)
    rows = [(f, right, 1.0 / max(1, sum(r for _, r in of))) for of in lists for f, right in of]
    intercept, weights = fit(rows, MEMBERSHIP, 1.0)
    note = f"Whether a paper is on a topic: {len(lists)} list questions; half a unit for recall."
    write("membership", (intercept + 0.5, weights), note)


if __name__ == "__main__":
    main()
