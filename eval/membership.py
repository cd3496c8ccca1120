"""Fits the model that tells which papers are on a topic: assistant/fitted/membership.json.

    python -m eval.membership [--data FOLDER] [--libraries FOLDER]

It learns from the list questions of questions/plain-*.jsonl: of each the papers found, and which
of them are gold. All of these are learned from, so that figures on them flatter; what is printed is
of each library by the lists of the two others.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant import Assistant, Settings
from assistant.answering.forms import asking
from assistant.answering.membership import FROM, membership_features
from assistant.answering.question import Question
from eval.data import QUESTIONS, GoldFinder, read_beir, read_questions
from eval.fit import Features, fit, log_odds, write

__all__ = ["NAMES"]

LIBRARIES = {"ml": "listing", "medicine": "cystic_fibrosis", "aeronautics": "cranfield"}
"""Questions, and the library that they were asked of."""
NAMES = (
    "coverage lack title_coverage often cosine_share standing_share near_first "
    "near_first_standing alike_first alike_first_share"
).split()
_FOUND = 60
"""Papers of a question."""
Fitted = tuple[float, dict[str, float]]
"""Intercept and weights, in the features' own units."""


@dataclass(frozen=True)
class Listed:
    """The papers found for one list: their features, which are gold, and how many are wanted."""

    library: str
    papers: list[tuple[Features, bool]]
    wanted: int


def read(name: str, assistant: Assistant) -> list[Listed]:
    """The list questions of plain-``name``.jsonl, asked of their library."""
    finder, found = GoldFinder(assistant.library.papers()), list[Listed]()
    retriever, embedder = assistant._retriever(), assistant._reader().embedder
    for question in read_questions(QUESTIONS / f"plain-{name}.jsonl"):
        if str(question.kind) == "list":
            topic = asking(question.question).topic
            papers = retriever.find(topic, _FOUND)
            asked = Question.read(topic, papers.vector, papers.statistics, embedder)
            gold = set().union(*map(finder.papers, question.gold_titles))
            rows = membership_features(asked, list(papers))
            right = [paper.paper.id in gold for paper in papers]
            found.append(Listed(name, list(zip(rows, right, strict=True)), max(1, len(gold))))
    return found


def fit_lists(lists: Sequence[Listed]) -> Fitted:
    """The model of ``lists``; every one weighs as much as another."""
    middle = float(np.mean([1 / one.wanted for one in lists for _ in one.papers]))
    rows = [(*paper, 1 / one.wanted / middle) for one in lists for paper in one.papers]
    return fit(rows, NAMES, 1.0)


def figures(lists: Sequence[Listed], model: Fitted) -> tuple[float, float]:
    """Mean recall and precision of what the model alone takes in."""
    recall, precision = [], []
    for one in lists:
        taken = [right for features, right in one.papers if log_odds(model, features) >= FROM]
        recall.append(sum(taken) / one.wanted)
        if taken:
            precision.append(sum(taken) / len(taken))
    return float(np.mean(recall)), float(np.mean(precision))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fits, writes the model and prints how well it does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSISTANT_TEST_DATA"))
    parser.add_argument("--libraries", type=Path, help="folder to keep what is ingested for it in")
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("name the folder with the listing pages: --data, or ASSISTANT_TEST_DATA")
    lists: list[Listed] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, library in LIBRARIES.items():
            kept = (options.libraries or Path(folder)) / library
            assistant = Assistant(Settings.load(library=kept))
            if library == "listing":
                assistant.ingest(sorted((Path(options.data) / "seeds").iterdir()))
            else:
                assistant.library.ingest(read_beir(Path(options.data) / "ir" / library)[1]())
            lists += read(name, assistant)
    told = []
    for name in LIBRARIES:
        others = [one for one in lists if one.library != name]
        recall, precision = figures([o for o in lists if o.library == name], fit_lists(others))
        told.append(f"{name} {recall:.2f} ({precision:.2f})")
    note = (
        f"Whether a paper is on a topic: {len(lists)} list questions. Each field by the others, "
        f"recall and precision: {', '.join(told)}. python -m eval.membership"
    )
    write("membership", fit_lists(lists), note)


if __name__ == "__main__":
    main()
