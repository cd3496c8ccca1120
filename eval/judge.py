"""The six measures of retrieval-augmented generation as a judge model grades them.

The definitions are those of RAGAS (Es et al., 2024, arXiv:2309.15217), with prompts of our own
in ``prompts/eval_*.md``. The judge is the language model of the settings; its replies are kept
on disk, so that grading the same answers again makes no call. A reply that cannot be read
is left out and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from assistant.embedding import Embedder
from assistant.prompting import Prompt, Prompts, boundary
from assistant.settings import Settings
from eval.answers import Judged
from eval.data import Question
from eval.facts import without_markers
from eval.statistics import mean_interval

AS_JUDGED = {
    "faithfulness": "share of the answer's claims that the judge finds in the papers read",
    "answer_correctness": "F1 of the statements of answer and reference, as the judge matches them",
    "answer_relevancy": "mean cosine of the question to three questions that the judge makes of "
    "the answer; 0 where it is noncommittal",
    "context_precision": "average precision of the papers that the judge calls useful",
    "context_recall": "share of the reference's statements that the judge finds in the papers",
    "answer_similarity": "cosine of the answer's vector to the reference's; no judge needed",
}
_GIVEN = {
    "eval_faithfulness": "claims papers boundary",
    "eval_correctness": "question answer reference boundary",
    "eval_relevancy": "answer boundary",
    "eval_context": "question reference papers boundary",
}
_JSON = re.compile(r"[\[{].*[\]}]", re.DOTALL)

Ask = Callable[[list[Any]], str]
"""Chat messages in, the reply's text out."""


class _Variables:
    """What a prompt gets; it must use all of it."""

    def __init__(self, names: str) -> None:
        self.given = self.needed = frozenset(names.split())


class Judge:
    """Grades answers through ``ask``; counts replies that could not be read."""

    def __init__(self, ask: Ask, embedder: Embedder, prompts: Prompts | None = None) -> None:
        self._ask = ask
        self._embedder = embedder
        folder = (prompts or Prompts()).folder
        self._prompts = {
            name: Prompt(name, folder / f"{name}.md", _Variables(names))  # type: ignore[arg-type]
            for name, names in _GIVEN.items()
        }
        self.unreadable = 0

    def grade(self, judged: Judged, question: Question) -> dict[str, float]:
        """The measures of one answer, without those whose reply could not be read."""
        answer = without_markers(judged.answer)
        papers = [{"number": n, "title": "", "text": t} for n, t in enumerate(judged.contexts, 1)]
        claims = [
            {"number": n, "text": without_markers(text)}
            for n, (text, _) in enumerate(judged.claims, 1)
        ]
        asked, reference = judged.standalone_question, question.answer
        grades: dict[str, float | None] = {
            "faithfulness": self._faithfulness(claims, papers) if claims else None,
            "answer_correctness": self._correctness(asked, answer, reference),
            "answer_relevancy": self._relevancy(asked, answer),
            "answer_similarity": self._cosine(answer, [reference]),
            **self._context(asked, reference, papers),
        }
        return {name: grade for name, grade in grades.items() if grade is not None}

    def _faithfulness(
        self, claims: list[dict[str, Any]], papers: list[dict[str, Any]]
    ) -> float | None:
        reply = self._reply("eval_faithfulness", claims=claims, papers=papers)
        try:
            found = {int(row["n"]): bool(row["supported"]) for row in reply}
            return float(np.mean([found[claim["number"]] for claim in claims]))
        except (TypeError, KeyError, ValueError):
            self.unreadable += 1
            return None

    def _correctness(self, question: str, answer: str, reference: str) -> float | None:
        reply = self._reply(
            "eval_correctness", question=question, answer=answer, reference=reference
        )
        try:
            both, wrong, missing = (float(reply[key]) for key in ("both", "wrong", "missing"))
        except (TypeError, KeyError, ValueError):
            self.unreadable += 1
            return None
        return both / (both + (wrong + missing) / 2) if both else 0.0

    def _relevancy(self, question: str, answer: str) -> float | None:
        reply = self._reply("eval_relevancy", answer=answer)
        try:
            if reply["noncommittal"]:
                return 0.0
            return self._cosine(question, [str(text) for text in reply["questions"]])
        except (TypeError, KeyError, ValueError):
            self.unreadable += 1
            return None

    def _context(
        self, question: str, reference: str, papers: list[dict[str, Any]]
    ) -> dict[str, float | None]:
        reply = self._reply("eval_context", question=question, reference=reference, papers=papers)
        try:
            useful = [bool(value) for value in reply["useful"]][: len(papers)]
            stated, missing = float(reply["stated"]), float(reply["missing"])
        except (TypeError, KeyError, ValueError):
            self.unreadable += 1
            return {}
        ranks = [n for n, value in enumerate(useful, 1) if value]
        precision = float(np.mean([i / n for i, n in enumerate(ranks, 1)])) if ranks else 0.0
        recall = stated / (stated + missing) if stated + missing else None
        return {"context_precision": precision, "context_recall": recall}

    def _cosine(self, text: str, others: Sequence[str]) -> float:
        vectors = self._embedder.embed([text, *others])
        return float(np.mean(vectors[1:] @ vectors[0]))

    def _reply(self, name: str, **variables: Any) -> Any:
        texts = [json.dumps(value, ensure_ascii=False) for value in variables.values()]
        messages = self._prompts[name].messages(**variables, boundary=boundary(texts))
        found = _JSON.search(self._ask(messages))
        try:
            return json.loads(found.group()) if found else None
        except ValueError:
            return None


def endpoint_of(settings: Settings) -> Ask:
    """The language model of the settings as a judge; replies are kept on disk.

    Raises:
        ConfigurationError: no model is configured.
    """
    from assistant.endpoint import Delta, Endpoint, Ledger  # noqa: PLC0415

    endpoint = Endpoint(settings, cache=True)

    def ask(messages: list[Any]) -> str:
        pieces = endpoint.stream(messages, Ledger())
        return "".join(piece.text for piece in pieces if isinstance(piece, Delta))

    return ask


def measure(
    judged: Sequence[Judged], questions: Sequence[Question], judge: Judge
) -> dict[str, Any]:
    """The six measures over the answerable questions."""
    by_id = {question.id: question for question in questions}
    values: dict[str, list[float]] = {name: [] for name in AS_JUDGED}
    for one in judged:
        if one.kind != "absent" and not one.left_out:
            for name, grade in judge.grade(one, by_id[one.id]).items():
                values[name].append(grade)
    return {
        name: {
            **mean_interval(found),
            "by": "no model needed" if name == "answer_similarity" else "judge model",
            "is": AS_JUDGED[name],
        }
        for name, found in values.items()
    } | {"unreadable_replies": judge.unreadable}
