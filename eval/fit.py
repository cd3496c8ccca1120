"""Fits the two logistic models of answering, and the calibration of the confidence.

    python -m eval.fit --data FOLDER     (the folder that ASSISTANT_TEST_DATA names)

Learns from the project's own questions over the sample library and the saved listing pages
(never from the questions in FOLDER, nor from held-out.jsonl), cross-validated by question, and
prints the figures and the constants to paste into assistant/answering/weights.py.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assistant import Assistant, Settings
from assistant.answering.evidence import PassageReader, PassageText, passage_text
from assistant.answering.question import Question as Asked
from assistant.answering.selection import sentence_features
from assistant.chunking import chunk_paper
from assistant.paper import Paper
from assistant.retrieval import Ranking
from assistant.sample import SAMPLE_PAPERS
from assistant.text import Span
from eval.data import QUESTIONS, GoldFinder, Question, read_questions
from eval.facts import states

READ = 5
"""Papers whose evidence is read for the confidence."""
CHOSEN_FROM = 8
"""Papers whose sentences may be chosen."""
EVIDENCE_FEATURES = (
    "standing best_sentence_cosine second_sentence_cosine exact_coverage soft_coverage matched "
    "unmatched second_lack second_lack_aligned name_missing has_focus focus_coverage "
    "number_missing"
).split()
LEXICAL_FEATURES = "coverage exact_coverage name_missing number_missing".split()
SELECTION_FEATURES = (
    "cosine coverage evidence paper_score number wanted_number position background"
).split()
ABSENT_WEIGHT = 2.0

Array = NDArray[np.float64]


@dataclass
class Row:
    """A passage (or a sentence) of one question, with its features and whether it is right."""

    features: dict[str, float]
    right: bool
    rank: int
    kind: str = "held"  # "held", or "cut": the gold paper less the sentences that answer


@dataclass
class Case:
    """One question with what was found for it."""

    question: Question
    asked: Asked
    ranking: Ranking
    passages: list[Row] = field(default_factory=list)
    sentences: list[Row] = field(default_factory=list)


def cases(assistant: Assistant, reader: PassageReader, questions: Sequence[Question]) -> list[Case]:
    """Features of the passages of every question that stands on its own."""
    index = assistant.library.index()
    finder = GoldFinder(index)
    retriever = assistant._retriever()
    found = []
    for question in questions:
        if question.kind == "follow":
            continue
        ranking = retriever.rank(question.question, CHOSEN_FROM)
        asked = Asked.read(question.question, ranking.vector, index, reader.embedder)
        gold = {place for places in finder.places(question) for place in places}
        case = Case(question, asked, ranking)
        for n in range(len(ranking)):
            held = int(ranking.places[n]) in gold
            features = reader.features(asked, passage_text(ranking, n))
            case.passages.append(Row(features, held, n))
        if question.kind == "fact":
            for place in sorted(gold)[:1]:
                cut = _without_answer(reader, ranking, place, question.gold_facts)
                if cut is not None:
                    case.passages.append(Row(reader.features(asked, cut), False, 0, "cut"))
        found.append(case)
    return found


def _without_answer(
    reader: PassageReader, ranking: Ranking, place: int, facts: Sequence[str]
) -> PassageText | None:
    """The paper at ``place`` without the sentences that state any of ``facts``."""
    index = ranking.index
    paper, spans = index.paper(place), index.spans(place)
    texts = [paper.abstract[start:end] for start, end in spans]
    kept = [n for n, text in enumerate(texts) if not any(states(text, fact) for fact in facts)]
    if not 0 < len(kept) < len(texts):
        return None
    left = [texts[n] for n in kept]
    shorter = Paper(title=paper.title, abstract=" ".join(left))
    places, at = [], 0
    for text in left:
        places.append(Span(at, at + len(text)))
        at += len(text) + 1
    chunks = chunk_paper(shorter, places, reader.embedder.count_tokens, 96)
    best = float(np.max(reader.embedder.embed([c.text for c in chunks]) @ ranking.vector))
    standing = (best - ranking.mean_cosine) / ranking.cosine_deviation
    return PassageText(paper.title, left, index.sentence_vectors(place)[kept], standing)


def add_sentences(case: Case, evidence: Sequence[float], gold_titles: Sequence[str]) -> None:
    """Features of every sentence of a fact question's papers, right where a fact stands."""
    for n, log_odds in enumerate(evidence):
        place = int(case.ranking.places[n])
        paper = case.ranking.index.paper(place)
        spans = case.ranking.index.spans(place)
        vectors = case.ranking.index.sentence_vectors(place)
        for position, (start, end) in enumerate(spans):
            text = paper.abstract[start:end]
            features = sentence_features(
                case.asked,
                text,
                cosine=float(vectors[position] @ case.asked.vector),
                paper_score=float(case.ranking.scores[n]),
                evidence=log_odds,
                position=position / max(1, len(spans) - 1),
            )
            right = paper.title in gold_titles and any(
                states(text, fact) for fact in case.question.gold_facts
            )
            case.sentences.append(Row(features, right, n))


def _model(strength: float) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=3000))


def _matrix(rows: Sequence[Row], names: Sequence[str]) -> Array:
    return np.array([[row.features[name] for name in names] for row in rows], dtype=float)


def fitted(
    groups: Sequence[Sequence[Row]],
    names: Sequence[str],
    strength: float,
    weights: Sequence[float] | None = None,
) -> tuple[list[Array], float, dict[str, float]]:
    """Out-of-fold log-odds of each group's rows, and the model fitted to all, unscaled."""
    rows = [row for group in groups for row in group]
    sizes = [len(group) for group in groups]
    x, y = _matrix(rows, names), np.array([row.right for row in rows], dtype=int)
    g = np.repeat(np.arange(len(groups)), sizes)
    w = np.repeat(np.asarray(weights if weights is not None else np.ones(len(groups))), sizes)
    out = np.zeros(len(rows))
    for train, test in GroupKFold(10).split(x, y, g):
        model = _model(strength)
        model.fit(x[train], y[train], logisticregression__sample_weight=w[train])
        out[test] = model.decision_function(x[test])
    model = _model(strength).fit(x, y, logisticregression__sample_weight=w)
    scale, logit = model[0], model[-1]
    coefficients = logit.coef_[0] / scale.scale_
    intercept = float(logit.intercept_[0] - (coefficients * scale.mean_).sum())
    parts = np.split(out, np.cumsum(sizes)[:-1])
    return parts, intercept, dict(zip(names, map(float, coefficients), strict=True))


def _evidence(all_cases: Sequence[Case], names: Sequence[str], title: str) -> list[Array]:
    groups = [
        [row for row in case.passages if row.kind == "cut" or row.rank < READ] for case in all_cases
    ]
    weights = [1.0 if case.question.answerable else ABSENT_WEIGHT for case in all_cases]
    out, intercept, coefficients = fitted(groups, names, 1.0, weights)
    best = np.array(
        [
            max(v for v, row in zip(values, group, strict=True) if row.kind == "held")
            for values, group in zip(out, groups, strict=True)
        ]
    )
    answerable = np.array([case.question.answerable for case in all_cases])
    left = [
        max(v for v, row in zip(values, group, strict=True) if row.kind == "held" and not row.right)
        for values, group, case in zip(out, groups, all_cases, strict=True)
        if case.question.answerable and any(row.kind == "held" and not row.right for row in group)
    ]
    platt = LogisticRegression(C=1e6).fit(best[:, None], answerable)
    slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    confidence = 1 / (1 + np.exp(-(slope * best + shift)))
    print(f"\n# {title}: {len(all_cases)} questions, cross-validated")
    print(f"#   answerable or absent: AUROC {roc_auc_score(answerable, best):.3f}")
    positives = best[answerable]
    print(
        "#   gold papers taken away: AUROC "
        f"{roc_auc_score([1] * len(positives) + [0] * len(left), [*positives, *left]):.3f}"
    )
    for share in (0.02, 0.05, 0.1):
        threshold = float(np.quantile(confidence[answerable], share))
        refused = float((confidence[~answerable] < threshold).mean())
        print(f"#   {share:.0%} false refusals: confidence {threshold:.3f}, {refused:.1%} refused")
    for kind in ("near", "detail", "false_premise", "far"):
        of_kind = np.array([case.question.absent_type == kind for case in all_cases])
        shown = float((confidence[of_kind] < np.quantile(confidence[answerable], 0.05)).mean())
        print(f"#     {kind} ({of_kind.sum()}): {shown:.0%} refused at 5%")
    print(f"{title} = LogisticModel({intercept:.4f}, {_shown(coefficients)})")
    print(f"{title}_CALIBRATION = ({slope:.4f}, {shift:.4f})")
    lowest = np.quantile(confidence[answerable], [0.01, 0.02, 0.05])
    print(f"#   quantiles of the answerable's confidence at 1, 2, 5%: {lowest.round(3)}")
    return out


def _shown(coefficients: dict[str, float]) -> str:
    return "{" + ", ".join(f'"{name}": {value:.4f}' for name, value in coefficients.items()) + "}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Fits and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSISTANT_TEST_DATA"))
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("name the folder with the listing pages: --data, or ASSISTANT_TEST_DATA")
    every: list[Case] = []
    with tempfile.TemporaryDirectory() as folder:
        for sources, files in (
            (sorted((options.data / "seeds").iterdir()), ("listing-pages", "listing-pages-2")),
            ([SAMPLE_PAPERS], ("sample",)),
        ):
            assistant = Assistant(Settings.load(library=Path(folder) / files[0]))
            assistant.ingest(sources)
            reader = PassageReader(assistant._embedder())
            for file in files:
                every += cases(assistant, reader, read_questions(QUESTIONS / f"{file}.jsonl"))
        _evidence(every, LEXICAL_FEATURES, "LEXICAL_EVIDENCE")
        out = _evidence(every, EVIDENCE_FEATURES, "EVIDENCE")
        facts = []
        later = {question.id for question in read_questions(QUESTIONS / "listing-pages-2.jsonl")}
        for case, values in zip(every, out, strict=True):
            if case.question.kind != "fact" or case.question.id in later:
                continue
            lowest = float(values.min())  # papers beyond those that were read
            evidence = [*map(float, values[:READ])] + [lowest] * (len(case.ranking) - READ)
            add_sentences(case, evidence[: len(case.ranking)], case.question.gold_titles)
            facts.append(case)
        groups = [case.sentences for case in facts]
        scores, intercept, coefficients = fitted(groups, SELECTION_FEATURES, 0.3)
        found = []
        for case, group, values in zip(facts, groups, scores, strict=True):
            first = [group[n] for n in np.argsort(-values)[:5]]
            found.append(any(row.right for row in first))
            del case
        print(f"\n# SELECTION: {len(facts)} fact questions, cross-validated")
        print(f"#   a sentence with a wanted fact among the first five: {np.mean(found):.1%}")
        print(f"SELECTION = LogisticModel({intercept:.4f}, {_shown(coefficients)})")


if __name__ == "__main__":
    main()
