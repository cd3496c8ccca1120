"""Sweeps: every parameter of retrieval and of answering, several values, several sets.

One parameter is changed at a time, the others keep the values of the settings. Questions are
split in two halves by a hash of their ids: values are chosen on the one half ("dev"), and the
other half ("held out"), together with sets that were named as held out, says whether the choice
carries over. The score of a value is the mean over the sets of the mean over their questions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ir_measures
import numpy as np
from ir_measures import nDCG

from assistant import Assistant
from assistant.settings import AnswerSettings, RetrievalSettings
from eval import answers
from eval.data import Bench, Question
from eval.ranking import Scored, Set
from eval.statistics import paired

RETRIEVAL: dict[str, Sequence[float]] = {
    "dense_weight": (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0),
    "best_chunk_weight": (0.0, 0.25, 0.5, 0.75, 1.0),
    "bm25_k1": (0.9, 1.2, 1.5, 1.8, 2.2),
    "bm25_b": (0.4, 0.6, 0.75, 0.9),
    "title_repeats": (0, 1, 2, 3),
}
ANSWERING: dict[str, Sequence[float]] = {
    "max_sentences": (3, 4, 5, 6, 7),
    "max_words": (80, 100, 130, 160),
    "read_papers": (3, 4, 5, 6, 8),
    "answered_from": (0.2, 0.3, 0.4, 0.5, 0.6),
}
_REFUSALS = {"answered_from"}
"""Parameters scored by right refusals and right answers; the others by the facts found."""
_INDEXED = {"bm25_k1", "bm25_b", "title_repeats"}
_NOISE = 0.05
"""A difference on the held-out questions counts when its p is below this."""

Values = dict[str, dict[str, float]]
"""Set → question → score."""


def held_out(question_id: str) -> bool:
    """Whether a question belongs to the half that nothing is chosen on."""
    return hashlib.sha256(question_id.encode()).digest()[0] % 2 == 1


def retrieval(
    sets: Mapping[str, Set], only_held_out: Iterable[str], notify: Callable[[str], None]
) -> list[dict[str, Any]]:
    """nDCG@10 for every value of every parameter of retrieval."""
    apart = set(only_held_out)
    found = []
    for name, values in RETRIEVAL.items():
        notify(f"retrieval.{name}…")
        default = getattr(next(iter(sets.values())).settings, name)
        scores = {
            value: {label: _retrieved(measured, name, value) for label, measured in sets.items()}
            for value in sorted({*values, default})
        }
        found.append(verdict(f"retrieval.{name}", default, scores, apart))
    return found


def _retrieved(measured: Set, name: str, value: float) -> dict[str, float]:
    settings: RetrievalSettings = measured.settings.model_copy(update={name: value})
    if name in _INDEXED and value != getattr(measured.settings, name):
        with measured.variant({name: value}) as index:
            return ndcg(measured, measured.ranked(index, settings))
    return ndcg(measured, measured.ranked(measured.index, settings))


def ndcg(measured: Set, scored: Scored) -> dict[str, float]:
    """Query → nDCG@10."""
    run = [
        ir_measures.ScoredDoc(query, document, score)
        for query, documents in scored.items()
        for document, score in documents.items()
    ]
    values = dict.fromkeys(measured.judged.queries, 0.0)
    for metric in ir_measures.iter_calc([nDCG @ 10], measured.judged.judgements(), run):
        values[metric.query_id] = float(metric.value)
    return values


def answering(
    bench: Bench,
    files: Mapping[str, tuple[Assistant, Sequence[Question]]],
    only_held_out: Iterable[str],
    notify: Callable[[str], None],
) -> list[dict[str, Any]]:
    """The score of every value of every parameter of answering; see `_REFUSALS`."""
    found = []
    for name, values in ANSWERING.items():
        if name not in AnswerSettings.model_fields:
            continue
        notify(f"answer.{name}…")
        default = getattr(bench.settings.answer, name)
        scores: dict[float, Values] = {}
        words: dict[float, float] = {}
        for value in sorted({*values, default}):
            changed = bench.settings.answer.model_copy(update={name: value})
            scores[value], words[value] = _answered(files, changed, refusals=name in _REFUSALS)
        result = verdict(f"answer.{name}", default, scores, set(only_held_out))
        for row in result["values"]:
            row["words"] = words[row["value"]]
        found.append(result)
    return found


def _answered(
    files: Mapping[str, tuple[Assistant, Sequence[Question]]],
    settings: AnswerSettings,
    *,
    refusals: bool,
) -> tuple[Values, float]:
    """The scores with ``settings``, and the mean length of an answer in words."""
    scores: Values = {}
    lengths: list[int] = []
    for label, (assistant, questions) in files.items():
        before = assistant.settings
        assistant.settings = before.model_copy(update={"answer": settings})
        asked = [q for q in questions if refusals or q.gold_facts]
        judged = answers.measure(assistant, asked)
        assistant.settings = before
        lengths += [j.words for j in judged]
        scores[label] = {
            j.id: float(j.refused == (j.kind == "absent"))
            if refusals
            else len(j.facts_found) / (len(j.facts_found) + len(j.facts_missing))
            for j in judged
        }
    return scores, round(float(np.mean(lengths)), 1)


# ---------------------------------------------------------------------- judging


def verdict(
    name: str, default: float, scores: Mapping[float, Values], apart: set[str]
) -> dict[str, Any]:
    """A parameter's values with their scores, the default beside the runner-up, and why."""
    rows = [
        {
            "value": value,
            "dev": _mean_over_sets(found, lambda label, q: label not in apart and not held_out(q)),
            "held_out": _mean_over_sets(found, lambda label, q: label in apart or held_out(q)),
        }
        for value, found in scores.items()
    ]
    others = [row for row in rows if row["value"] != default]
    ours = next(row for row in rows if row["value"] == default)
    runner_up = max(others, key=lambda row: (row["dev"], row["held_out"]))
    difference = _held_out_difference(scores[default], scores[runner_up["value"]], apart)
    return {
        "parameter": name,
        "default": ours,
        "runner_up": runner_up,
        "difference": difference,
        "reason": _reason(ours, runner_up, difference),
        "values": rows,
    }


def _mean_over_sets(found: Values, wanted: Callable[[str, str], bool]) -> float:
    means = []
    for label, scores in found.items():
        chosen = [score for question, score in scores.items() if wanted(label, question)]
        if chosen:
            means.append(float(np.mean(chosen)))
    return round(float(np.mean(means)), 4) if means else 0.0


def _held_out_difference(ours: Values, theirs: Values, apart: set[str]) -> dict[str, Any]:
    """Default minus runner-up on the held-out questions of all sets together."""
    pairs = [
        (score, theirs[label][question])
        for label, scores in ours.items()
        for question, score in scores.items()
        if label in apart or held_out(question)
    ]
    return paired([a for a, _ in pairs], [b for _, b in pairs])


def _reason(ours: dict[str, Any], other: dict[str, Any], difference: dict[str, Any]) -> str:
    ahead_dev = ours["dev"] >= other["dev"]
    sure = difference["p"] < _NOISE
    gap = f"{100 * (difference['mean'] or 0):+.2f} points held out, p = {difference['p']:.2f}"
    if ahead_dev:
        return f"best on dev; {gap}"
    if not sure:
        lead = 100 * (other["dev"] - ours["dev"])
        return f"the runner-up leads on dev by {lead:.2f}; {gap}: within noise"
    if (difference["mean"] or 0) > 0:
        return f"the runner-up leads on dev only; {gap}"
    return f"the runner-up is better on both halves; {gap}: consider it"
