"""Fits the models that answer without a language model, and writes them to assistant/fitted/.

    python -m eval.fit --data FOLDER --abstracts FOLDER

(the folder that ASSISTANT_TEST_DATA names, and that of the clones that `eval.abstracts` reads)
and keeps the digests of what it wrote in eval/fitted.sha256, which a test compares.

``evidence``: whether an abstract answers a question. ``confidence``: what the best evidence is
worth, beside how near the library is to the question. ``selection``: which sentence states a
wanted fact, with ``cues``: what its words tell of that. ``trust``: how often an answer of such a
confidence is good. (Whether a paper is on a topic: `eval.membership`.)

Learns from the project's own questions over the sample library, the saved listing pages and two
retrieval sets, from the short questions of questions/fit.txt, from the queries of the retrieval
sets (in their own library, with all their papers taken out, and in libraries of other fields),
from titles, and from sentences/chosen.jsonl, which no cross-encoder has learned from; never
from the questions in FOLDER, nor from a held-out.jsonl.

Figures are of fields that were left out: what is said of medicine comes from models that have
seen machine learning and aeronautics only. ``trust`` is fitted on answers of such models.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assistant import Assistant, Settings
from assistant.answering.calibration import Calibrations
from assistant.answering.confidence import trust_features
from assistant.answering.cues import CUES, cues
from assistant.answering.evidence import Reading
from assistant.answering.forms import asking, evidence_text
from assistant.answering.question import Question as Asked
from assistant.answering.selection import sentence_features
from assistant.attribution import answers_nothing, quotation
from assistant.fitted import load
from assistant.paper import Paper
from assistant.retrieved import RetrievedPaper
from assistant.sample import SAMPLE_PAPERS
from eval.abstracts import SENTENCES, Abstracts
from eval.answers import Judged, measure
from eval.data import QUESTIONS, GoldFinder, Question, json_lines, read_beir, read_questions
from eval.facts import states
from eval.seams import Finder
from eval.withheld import Withholding

FITTED = Path(__file__).parents[1] / "assistant" / "fitted"
SEAL = Path(__file__).with_name("fitted.sha256")
"""What the last whole run wrote: the form that `sha256sum --check` reads."""
READ = 5
"""Papers whose evidence is read for the confidence."""
EVIDENCE = (
    "standing best_sentence_cosine second_sentence_cosine exact_coverage soft_coverage "
    "title_coverage sentence_coverage matched unmatched lack second_lack lack_aligned "
    "second_lack_aligned name_missing unknown has_focus lacks_focus number_missing coverage "
    "answers second_answers"
).split()
LEXICAL = "coverage exact_coverage name_missing number_missing".split()
CONFIDENCE = "evidence short short_evidence above has_focus lacks_focus matched".split()
SELECTION = (
    "answers rel_evidence paper_score wanted_number unit counted cosine inside hit soft_new"
).split()
CHOICE = [*SELECTION, *CUES]
"""What is fitted together for the choice of a sentence; written as two models."""
TRUST = "answerable list definition explanation comparison".split()
NAMES = {
    "evidence": EVIDENCE,
    "evidence-lexical": LEXICAL,
    "confidence": CONFIDENCE,
    "confidence-lexical": ["evidence"],
    "selection": SELECTION,
    "selection-lexical": [name for name in SELECTION if name != "answers"],
    "cues": list(CUES),
    "trust": TRUST,
}
SETS = ("cystic_fibrosis", "cranfield", "medline1033")
FIELDS = {
    "listing": "machine learning",
    "sample": "machine learning",
    "cystic_fibrosis": "medicine",
    "medline1033": "medicine",
    "cranfield": "aeronautics",
    "chosen": "many",
}
FILES = {
    "listing": ("plain-ml", "listing-pages", "listing-pages-2"),
    "sample": ("sample",),
    "cystic_fibrosis": ("plain-medicine",),
    "cranfield": ("plain-aeronautics",),
}
"""Question files by library; the plain ones weigh as much as they would among people's."""
TEMPLATES = (
    "What is known about {}?", "papers on {}", "{}", "Which papers deal with {}?",
    "Is there work on {}?", "How does {} work?", "What are the results on {}?",
)  # fmt: skip
BESIDE = 80
"""Abstracts of each source among those that were written about (`Asker.written`)."""
_ALIKE = 0.62
"""Cosine of two papers from which they may answer the same question."""

Array = NDArray[np.float64]
Features = dict[str, float]


Models = dict[str, tuple[float, dict[str, float]]]


@dataclass
class Case:
    """One question in one library, with the features of what was found for it.

    ``file``: the question file that it is of. ``sentences``: features, the rank of the paper, and
    whether it answers.
    """

    library: str
    file: str
    kind: str
    answerable: bool
    taken_out: bool
    short: float
    above: float
    absent_type: str | None = None
    passages: list[tuple[Features, bool]] = field(default_factory=list)
    sentences: list[tuple[Features, int, bool]] = field(default_factory=list)

    @property
    def field(self) -> str:
        """The field of science."""
        return FIELDS[self.library]

    @property
    def plain(self) -> bool:
        """Whether it is asked as people ask."""
        return self.file.startswith("plain") or self.kind == "short"

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
            "written": 0.4 if sure or not self.answerable else 0.1,
        }
        return weights.get(self.kind, 1.0)


def _covered(features: Features) -> float:
    return features["sentence_coverage"] + features["soft_coverage"]


class Asker:
    """Asks one library, and keeps the cases."""

    def __init__(self, name: str, assistant: Assistant, cases: list[Case], folder: Path) -> None:
        self.name, self.assistant, self.cases = name, assistant, cases
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
        of: Question | None = None,
        places: Collection[int] = (),
        file: str = "",
    ) -> None:
        """Adds the case of ``question``; ``without``: ids of papers that are taken out, ``places``:
        of the sentences of the gold paper that answer it.
        """
        form = asking(question)
        retriever: Finder = self.retriever
        if without:
            weight = self.assistant.settings.retrieval.dense_weight
            retriever = Withholding(self.retriever, frozenset(without), weight)
        search = form.topic if form.form in {"list", "definition"} else question
        papers = retriever.find(search, 8)
        embedder = self.reader.embedder
        wanted = evidence_text(question) or question
        whole = Asked.read(question, papers.vector, papers.statistics, embedder)
        vector = embedder.embed_query(wanted)
        asked = Asked.read(wanted, vector, papers.statistics, embedder, question)
        nearest = max((paper.best_cosine for paper in papers), default=0.0)
        case = Case(
            self.name,
            file,
            kind,
            bool(gold) if answerable is None else answerable,
            bool(without),
            asked.short,
            nearest - self.near_from,
            of.absent_type if of else None,
        )
        facts = of.gold_facts if of and not without and kind not in {"two", "library"} else ()
        told = cues(form, whole)
        readings = self.reader.read(asked, list(papers))
        for rank, (paper, reading) in enumerate(zip(papers, readings, strict=True)):
            right = paper.paper.id in gold
            case.passages.append((reading.features, right))
            if (facts or places) and rank < READ:
                for place, features, text in _sentences(whole, paper, reading):
                    answers = place in places or any(states(text, fact) for fact in facts)
                    known = features | told(paper.sentences[place])
                    case.sentences.append((known, rank, right and answers))
        self.cases.append(case)

    def with_twin(self, question: str, kind: str, gold: Collection[str], **given: Any) -> None:
        """The case of ``question``, and that with all its papers taken out."""
        self.ask(question, kind, gold, **given)
        if gold:
            given["answerable"] = False
            self.ask(question, kind, without=gold, **given)

    def written(self, folder: Path) -> None:
        """Every second question of sentences/chosen.jsonl, and a twin of every eighth."""
        listed = Abstracts(folder).listed(list(json_lines(SENTENCES / "chosen-papers.jsonl")))
        held = {paper.title: paper.id for paper in self.assistant.library.papers()}
        lines = list(json_lines(SENTENCES / "chosen.jsonl"))
        for n, line in enumerate(lines[::2]):
            gold = {held[listed[line["p"]].title]} if line["a"] else set()
            places = [place - 1 for place in line["a"]]
            self.ask(line["q"], "written", gold, places=places, file="chosen")
            if gold and n % 4 == 0:
                self.ask(line["q"], "written", answerable=False, without=gold, file="chosen")

    def questions(self) -> list[Question]:
        """The project's own over this library that stand alone."""
        files = FILES.get(self.name, ())
        return [q for name in files for q in self._of(name)]

    def _of(self, name: str) -> list[Question]:
        found = read_questions(QUESTIONS / f"{name}.jsonl")
        return [q for q in found if q.kind not in {"follow", "library", "language"}]

    def own_questions(self) -> None:
        """Their cases."""
        finder = GoldFinder(self.assistant.library.papers())
        for name in FILES.get(self.name, ()):
            for question in self._of(name):
                gold = set().union(*map(finder.papers, question.gold_titles))
                answerable = question.answerable
                self.with_twin(
                    question.question,
                    question.kind,
                    gold if answerable else (),
                    answerable=answerable,
                    of=question,
                    file=name,
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


def _sentences(
    asked: Asked, paper: RetrievedPaper, reading: Reading
) -> Iterator[tuple[int, Features, str]]:
    """Place and features of each sentence that may be shown, and what is shown with it."""
    for place, text in enumerate(paper.sentences):
        shown = quotation(paper.paper.abstract, paper.spans, [place])
        if shown and not answers_nothing(text):
            yield place, sentence_features(asked, paper, reading, place), shown


def _topic(paper: Paper, chance: random.Random) -> str:
    """A title, or what stands behind its colon, cut to a few words."""
    head, _, tail = paper.title.partition(":")
    words = (tail if len(tail.split()) > 1 else head).strip(" .").split()
    return " ".join(words[: chance.choice((3, 4, 5, 7))] if len(words) > 7 else words)


def gather(data: Path, clones: Path, folder: Path) -> tuple[list[Case], dict[str, Asker]]:
    """All cases, and who asked each library."""
    cases: list[Case] = []
    chance = random.Random(1)  # noqa: S311
    askers: dict[str, Asker] = {}
    queries: dict[str, list[str]] = {}
    for name in ("listing", "sample", *SETS):
        assistant = Assistant(Settings.load(library=folder / name))
        if name in SETS:
            found, papers = read_beir(data / "ir" / name)
            assistant.library.ingest(papers())
        else:
            seeds = sorted((data / "seeds").iterdir())
            assistant.ingest(seeds if name == "listing" else [SAMPLE_PAPERS])
        asker = askers[name] = Asker(name, assistant, cases, folder)
        asker.own_questions()
        if name in SETS:
            queries[name] = list(found.queries.values())
            for query in chance.sample(sorted(found.queries), min(60, len(found.queries))):
                gold = {f"id:{paper}" for paper, grade in found.qrels[query].items() if grade > 0}
                asker.with_twin(found.queries[query], "set", gold)
        elif name == "listing":
            queries[name] = [question.question for question in asker.questions()]
        print(f"{name}: {len(cases)} cases", flush=True)
    _ask_others(askers, queries, chance)
    assistant = Assistant(Settings.load(library=folder / "chosen"))
    assistant.ingest(list(_chosen(clones)))
    askers["chosen"] = Asker("chosen", assistant, cases, folder)
    askers["chosen"].written(clones)
    print(f"chosen: {len(cases)} cases", flush=True)
    return cases, askers


def _chosen(clones: Path) -> Iterator[Paper]:
    """The abstracts that sentences/chosen.jsonl asks, among others of their sources."""
    collections, lines = Abstracts(clones), list(json_lines(SENTENCES / "chosen-papers.jsonl"))
    others = [
        one for source in sorted({line["s"] for line in lines})
        for one in collections.some(source, BESIDE)
    ]  # fmt: skip
    for one in {p.digest: p for p in [*others, *collections.listed(lines).values()]}.values():
        yield Paper(title=one.title, abstract=" ".join(one.sentences))


def _ask_others(
    askers: dict[str, Asker], queries: dict[str, list[str]], chance: random.Random
) -> None:
    """Titles as questions, those of other fields, and the short ones of questions/fit.txt."""
    for name, asker in askers.items():
        if name not in {"sample", "medline1033"}:  # few papers; and papers without titles
            asker.titles(60, chance)
        for other, texts in queries.items():
            for text in chance.sample(texts, 25) if name not in {other, "sample"} else ():
                asker.ask(text, "foreign", answerable=False)
    for library, line in _short_questions():
        askers[library].ask(line[1:], "short", answerable=line[0] == "+")


def _short_questions() -> Iterator[tuple[str, str]]:
    """(library, line) of questions/fit.txt: a line is "+" or "-" and the question."""
    library = ""
    for line in (QUESTIONS / "fit.txt").read_text("utf-8").splitlines():
        if line.startswith("@"):
            library = {"lib545": "listing"}.get(line[1:], line[1:])
        elif line:
            yield library, line


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


Evidence = tuple[float, Features]
"""The best of a case: log-odds, and the features of that paper."""


def best_evidence(case: Case, model: Any) -> Evidence:
    """Of the papers that are read."""
    found = [(log_odds(model, features), features) for features, _ in case.passages[:READ]]
    return max(found, key=lambda pair: pair[0], default=(0.0, {}))


def fit_evidence(cases: Sequence[Case], names: Sequence[str]) -> tuple[Any, list[Evidence]]:
    """The model, and each case's best evidence by models that have not seen it."""
    best: list[Evidence] = [(0.0, {})] * len(cases)
    for train, test in KFold(8, shuffle=True, random_state=1).split(cases):
        model = fit([row for n in train for row in cases[n].weighed()], names, 0.03)
        for n in test:
            best[n] = best_evidence(cases[n], model)
    return fit([row for case in cases for row in case.weighed()], names, 0.03), best


def fit_confidence(cases: Sequence[Case], best: Sequence[Evidence], names: Sequence[str]) -> Any:
    """Platt's scaling of the best evidence, beside what else is known of the question."""
    rows = [
        (_confidence_features(case, evidence), case.answerable, _weight(case))
        for case, evidence in zip(cases, best, strict=True)
        if case.kind != "title" and case.passages
    ]
    return fit(rows, names, 0.1)


def _weight(case: Case) -> float:
    """Questions as people ask them decide; those of other fields are many and easy.

    Twins: only of plain questions, and little, since another paper may still answer.
    """
    if not case.plain:
        known = 0.2 if case.kind == "written" else 0.8 if case.file else 0.2
        return 0.0 if case.taken_out else known
    return 0.25 if case.taken_out else 2.0 if case.absent_type == "detail" else 1.0


def _confidence_features(case: Case, evidence: Evidence) -> Features:
    """As `assistant.answering.confidence.confidence_features`, of a case."""
    value, features = evidence
    return {
        "evidence": value,
        "short": case.short,
        "short_evidence": case.short * value,
        "above": case.above,
        **{name: features[name] for name in ("has_focus", "lacks_focus", "matched")},
    }


def fit_selection(
    cases: Sequence[Case], evidence: Any, names: Sequence[str]
) -> tuple[float, dict[str, float]]:
    """Conditional logit: of the sentences found for a question, which one answers?"""
    asked = [case for case in cases if any(right for _, _, right in case.sentences)]
    tables = [_table(case, evidence, names) for case in asked]
    everything = np.concatenate([table for table, _ in tables])
    mean, scale = everything.mean(0), everything.std(0) + 1e-9
    sizes = Counter(case.file for case in asked)
    weights = np.array([1 / np.sqrt(sizes[case.file]) for case in asked])
    weights /= weights.mean()

    def loss(w: Array) -> tuple[float, Array]:
        total, slope = _PRIOR * float(w @ w) / 2, _PRIOR * w
        for (table, right), weight in zip(tables, weights, strict=True):
            x = (table - mean) / scale
            value = x @ w
            chance = np.exp(value - value.max())
            chance /= chance.sum()
            share = float(chance[right].sum())
            total -= weight * float(np.log(share + 1e-12))
            slope = slope - weight * (x.T @ (np.where(right, chance / share, 0) - chance))
        return total, slope

    found: Array = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B").x / scale
    return 0.0, dict(zip(names, map(float, found), strict=True))


_PRIOR = 5.0
"""Precision of the weights of standardised features."""


def _table(case: Case, evidence: Any, names: Sequence[str]) -> tuple[Array, NDArray[np.bool_]]:
    """(sentences, features), and (sentences,) which answer."""
    values = [log_odds(evidence, features) for features, _ in case.passages[:READ]]
    rows = []
    for features, rank, _ in case.sentences:
        known = {**features, "rel_evidence": values[rank] - max(values)}
        rows.append([known.get(name, 0.0) for name in names])
    return np.array(rows), np.array([right for _, _, right in case.sentences])


def _fact_first(case: Case, models: Models) -> bool:
    """Whether the likeliest sentence states a wanted fact."""
    table, right = _table(case, models["evidence"], CHOICE)
    known = {**models["selection"][1], **models["cues"][1]}
    return bool(right[int(np.argmax(table @ np.array([known[name] for name in CHOICE])))])


def fit_all(cases: Sequence[Case]) -> Models:
    """All models but that of trust, which shows the confidence as it is."""
    models: Models = {"trust": (0.0, {"answerable": 1.0})}
    for suffix, names, used in (("", EVIDENCE, CONFIDENCE), ("-lexical", LEXICAL, ["evidence"])):
        models[f"evidence{suffix}"], best = fit_evidence(cases, names)
        models[f"confidence{suffix}"] = fit_confidence(cases, best, used)
    for name in ("selection-lexical", "selection"):
        own = NAMES[name]
        _, weights = fit_selection(cases, models["evidence"], [*own, *CUES])
        models[name] = 0.0, {feature: weights[feature] for feature in own}
    models["cues"] = 0.0, {feature: weights[feature] for feature in CUES}  # of the last
    return models


def left_out(
    cases: Sequence[Case], askers: dict[str, Asker]
) -> tuple[list[Judged], dict[str, list[str]]]:
    """Answers in each field by models that have seen the others only; notes of each model."""
    judged: list[Judged] = []
    notes: dict[str, list[str]] = {"evidence": [], "confidence": [], "selection": []}
    for name in dict.fromkeys(FIELDS.values()):
        models = fit_all([case for case in cases if case.field != name])
        for model, fitted in models.items():
            write(model, fitted, f"without {name}")
        load.cache_clear()
        for asker in askers.values():
            if FIELDS[asker.name] == name and asker.questions():
                judged += measure(asker.assistant, asker.questions())
        plain = [
            c
            for c in cases
            if c.field == name and (c.plain or c.kind == "written") and not c.taken_out
        ]
        best = [best_evidence(case, models["evidence"]) for case in plain]
        notes["evidence"].append(f"{name} {_auroc(plain, [value for value, _ in best]):.3f}")
        sure = [
            log_odds(models["confidence"], _confidence_features(case, found))
            for case, found in zip(plain, best, strict=True)
        ]
        notes["confidence"].append(f"{name} {_auroc(plain, sure):.3f}")
        stated = [
            _fact_first(case, models)
            for case in plain
            if any(right for _, _, right in case.sentences)
        ]
        notes["selection"].append(f"{name} {np.mean(stated):.0%} of {len(stated)}")
        print(name, {model: note[-1] for model, note in notes.items()}, flush=True)
    return judged, notes


def fit_trust(judged: Sequence[Judged]) -> tuple[float, dict[str, float]]:
    """How often an answer is good, by its confidence and form; each file of equal weight."""
    prefix = Counter(re.sub(r"\d.*", "", one.asked.id) for one in judged)
    rows = [
        (
            trust_features(one.confidence, one.answer.form),
            one.good,
            len(judged) / prefix[re.sub(r"\d.*", "", one.asked.id)] / len(prefix),
        )
        for one in judged
    ]
    return fit(rows, TRUST, 1.0)


def _auroc(cases: Sequence[Case], values: Sequence[float]) -> float:
    return float(roc_auc_score([case.answerable for case in cases], values))


def digests() -> dict[str, str]:
    """SHA-256 of each model's file, by name."""
    files = [FITTED / f"{name}.json" for name in NAMES]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


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
    parser.add_argument("--abstracts", type=Path, required=True, help="folder with the clones")
    parser.add_argument("--libraries", type=Path, help="folder to keep what is ingested for it in")
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("name the folder with the listing pages: --data, or ASSISTANT_TEST_DATA")
    for name, used in NAMES.items():  # nothing of a former fit goes into this one
        write(name, (0.0, dict.fromkeys(used, 0.0)), "not fitted yet")
    with tempfile.TemporaryDirectory() as folder:
        cases, askers = gather(options.data, options.abstracts, options.libraries or Path(folder))
        judged, notes = left_out(cases, askers)
    models = fit_all(cases)
    said = {name: f"Fields left out: {', '.join(found)}." for name, found in notes.items()}
    write("evidence", models["evidence"], f"Whether an abstract answers, AUROC. {said['evidence']}")
    write(
        "confidence",
        models["confidence"],
        f"Whether the library answers, AUROC. {said['confidence']}",
    )
    write(
        "selection",
        models["selection"],
        f"Which sentence states a wanted fact, the first does for. {said['selection']}",
    )
    write("cues", models["cues"], "What words tell of a sentence's being wanted; with selection.")
    for name in ("evidence-lexical", "confidence-lexical", "selection-lexical"):
        write(name, models[name], "The same without the states of words.")
    note = f"How often an answer is good: {len(judged)} answers of fields left out of the fit."
    write("trust", fit_trust(judged), note)
    SEAL.write_text("".join(f"{digest}  {name}\n" for name, digest in digests().items()), "utf-8")


if __name__ == "__main__":
    main()
