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
from eval.answers import Judged, average_precision
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
Grades = dict[str, float]


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

    def grade(self, judged: Judged) -> Grades:
        """The measures of one answer, without those whose reply could not be read."""
        answer, asked = without_markers(judged.answer.answer), judged.answer.standalone_question
        papers = [{"number": n, "title": "", "text": passage.text}
                  for n, passage in enumerate(judged.answer.passages, 1)]  # fmt: skip
        claims: list[dict[str, Any]] = [{"number": n, "text": without_markers(sentence.text)}
                  for n, sentence in enumerate(judged.claims, 1)]  # fmt: skip
        of_both = {"question": asked, "reference": judged.asked.answer}

        def faithfulness(reply: Any) -> Grades:
            found = {int(row["n"]): bool(row["supported"]) for row in reply}
            return {"faithfulness": float(np.mean([found[claim["number"]] for claim in claims]))}

        def correctness(reply: Any) -> Grades:
            both, wrong, missing = (float(reply[key]) for key in ("both", "wrong", "missing"))
            return {"answer_correctness": both / (both + (wrong + missing) / 2) if both else 0.0}

        def relevancy(reply: Any) -> Grades:
            made = [] if reply["noncommittal"] else [str(text) for text in reply["questions"]]
            return {"answer_relevancy": self._cosine(asked, made) if made else 0.0}

        def context(reply: Any) -> Grades:
            useful = [bool(value) for value in reply["useful"]][: len(papers)]
            stated, missing = float(reply["stated"]), float(reply["missing"])
            ranks = [n for n, value in enumerate(useful, 1) if value]
            recall = {"context_recall": stated / (stated + missing)} if stated + missing else {}
            return {"context_precision": average_precision(ranks, len(papers)), **recall}

        return {
            **(self._graded("eval_faithfulness", faithfulness, claims=claims, papers=papers)
               if claims else {}),
            **self._graded("eval_correctness", correctness, answer=answer, **of_both),
            **self._graded("eval_relevancy", relevancy, answer=answer),
            **self._graded("eval_context", context, papers=papers, **of_both),
            "answer_similarity": self._cosine(answer, [judged.asked.answer]),
        }  # fmt: skip

    def _cosine(self, text: str, others: Sequence[str]) -> float:
        vectors = self._embedder.embed([text, *others])
        return float(np.mean(vectors[1:] @ vectors[0]))

    def _graded(self, name: str, read: Callable[[Any], Grades], **variables: Any) -> Grades:
        texts = [json.dumps(value, ensure_ascii=False) for value in variables.values()]
        messages = self._prompts[name].messages(**variables, boundary=boundary(texts))
        found = _JSON.search(self._ask(messages))
        try:
            return read(json.loads(found.group()) if found else None)
        except (TypeError, KeyError, ValueError):
            self.unreadable += 1
            return {}


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


def measure(judged: Sequence[Judged], judge: Judge) -> dict[str, Any]:
    """The six measures over the answerable questions that have a reference answer."""
    grades = [
        judge.grade(one)
        for one in judged
        if one.asked.answerable and not one.left_out and one.asked.answer
    ]
    return {
        name: {**mean_interval([g[name] for g in grades if name in g]), "is": what}
        for name, what in AS_JUDGED.items()
    } | {"unreadable_replies": judge.unreadable}
