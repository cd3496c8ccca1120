"""The six measures of retrieval-augmented generation, as far as they need no language model.

Some are defined without one and are measured as defined, some have an honest stand-in that is
another thing and is called so, one is not to be had. `WITHOUT_MODEL` says which is which, and
every table shows it. With a judge (`eval.judge`) all six are measured as they are defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from assistant.index import SearchIndex

from assistant.answering.support import Source, SupportChecker
from assistant.embedding import Embedder
from eval.answers import Judged
from eval.data import Question
from eval.facts import states, without_markers
from eval.statistics import mean_interval

WITHOUT_MODEL = {
    "faithfulness": (
        "stand-in",
        "share of the answer's sentences that the local support checker, asked anew, calls "
        "supported by the abstracts that they cite",
    ),
    "answer_correctness": (
        "stand-in",
        "share of the gold facts that the answer states: recall only, nothing says what else "
        "in it is wrong",
    ),
    "answer_relevancy": (
        "stand-in",
        "cosine of the question's vector to the answer's: topical closeness, not whether it "
        "answers",
    ),
    "context_precision": (
        "as defined",
        "average precision of the gold papers among the papers read (relevance by title)",
    ),
    "context_recall": (
        "as defined",
        "share of the gold facts that stand in the papers read; of the gold papers where a "
        "question has no gold fact",
    ),
    "answer_similarity": (
        "as defined",
        "cosine of the answer's vector to the reference answer's, by the embedded model",
    ),
}


def measure(
    judged: Sequence[Judged],
    questions: Sequence[Question],
    index: SearchIndex,
    embedder: Embedder,
) -> dict[str, Any]:
    """The six measures over the answerable questions, each with its definition."""
    faithfulness = Faithfulness(index, embedder)
    by_id = {question.id: question for question in questions}
    rows = [j for j in judged if j.kind != "absent" and not j.left_out]
    texts = [without_markers(j.answer) for j in rows]
    vectors = embedder.embed([*texts, *(j.standalone_question for j in rows),
                              *(by_id[j.id].answer for j in rows)])  # fmt: skip
    answer, question, reference = np.split(vectors, 3) if rows else (vectors,) * 3
    values = {
        "faithfulness": [faithfulness.of(j) for j in rows if j.claims],
        "answer_correctness": [
            len(j.facts_found) / (len(j.facts_found) + len(j.facts_missing))
            for j in rows
            if j.facts_found or j.facts_missing
        ],
        "answer_relevancy": np.sum(answer * question, axis=1).tolist(),
        "context_precision": [average_precision(j.gold_ranks, len(j.contexts)) for j in rows],
        "context_recall": [_recall(j, by_id[j.id]) for j in rows],
        "answer_similarity": [
            float(value)
            for value, j in zip(np.sum(answer * reference, axis=1), rows, strict=True)
            if by_id[j.id].answer
        ],
    }
    return {
        name: {**mean_interval(found), "by": WITHOUT_MODEL[name][0], "is": WITHOUT_MODEL[name][1]}
        for name, found in values.items()
    }


class Faithfulness:
    """What the support checker says of an answer, whatever the answer says of itself."""

    def __init__(self, index: SearchIndex, embedder: Embedder) -> None:
        self._index = index
        self._checker = SupportChecker(embedder, index.idf)

    def of(self, judged: Judged) -> float:
        """Share of the claims that the papers that they cite support."""
        return float(np.mean([self._supported(text, ids) for text, ids in judged.claims]))

    def _supported(self, text: str, paper_ids: Sequence[str]) -> bool:
        sources = [self._source(paper_id) for paper_id in paper_ids]
        if not sources:
            return False
        return self._checker.check_joined(without_markers(text), sources).support == "supported"

    def _source(self, paper_id: str) -> Source:
        place = self._index.place[paper_id]
        paper = self._index.paper(place)
        parts = tuple(paper.abstract[start:end] for start, end in self._index.spans(place))
        return Source(parts, self._index.sentence_vectors(place), paper.label)


def average_precision(gold_ranks: Sequence[int | None], read: int) -> float:
    """Mean of the precision at the rank of each gold paper; 0 for one that was not read."""
    ranks = sorted(rank for rank in gold_ranks if rank is not None and rank <= read)
    precisions = [found / rank for found, rank in enumerate(ranks, 1)]
    return sum(precisions) / len(gold_ranks) if gold_ranks else 0.0


def _recall(judged: Judged, question: Question) -> float:
    if question.gold_facts:
        text = " ".join(judged.contexts)
        return float(np.mean([states(text, fact) for fact in question.gold_facts]))
    read = [rank is not None and rank <= len(judged.contexts) for rank in judged.gold_ranks]
    return float(np.mean(read)) if read else 0.0
