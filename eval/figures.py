"""The Markdown that others show: all tables (eval/RESULTS.md), and the README's short ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.files import write_atomically
from eval.data import EvalError
from eval.runs import portable
from eval.tables import Table, answers_of, beside, of_run, pairs_of, percent

Results = dict[str, Any]
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
VERBS = ("retrieval", "answers", "blind", "pairs", "checker", "reviews", "bench")
"""Verbs whose runs are reported, in this order."""


def everything(found: Sequence[dict[str, Any]]) -> str:
    """All tables of the runs, and where each run comes from."""
    by_verb = _together(found)
    parts = []
    for verb in VERBS:
        for table in of_run({"verb": verb, "results": by_verb[verb]}) if verb in by_verb else ():
            title = table.title[:1].upper() + table.title[1:]
            parts += [f"**{title}**", table.markdown(), *([table.note] if table.note else [])]
    parts.append("\n".join(f"- {_origin(run['environment'])}" for run in found))
    return "\n\n".join(parts) + "\n"


def short(found: Sequence[dict[str, Any]]) -> str:
    """What the README shows: of every verb one table, or its means."""
    by_verb = _together(found)
    makers: dict[str, Callable[[Results], list[Table]]] = {
        "answers": lambda results: [answers_of(results)],
        "blind": lambda results: of_run({"verb": "blind", "results": results}),
        "pairs": lambda results: [pairs_of(results)],
        "retrieval": lambda results: of_run({"verb": "retrieval", "results": results}),
        "reviews": lambda results: [_reviews(results)],
        "bench": lambda results: of_run({"verb": "bench", "results": results})[:2],
    }
    tables = [table for verb, make in makers.items() if verb in by_verb
              for table in make(by_verb[verb])]  # fmt: skip
    return "\n\n".join(replace(t, columns=[t.title, *t.columns[1:]]).markdown() for t in tables)


def _reviews(results: Results) -> Table:
    lines = [
        ("labelled papers cited (of those that have room), %", "mean.coverage_possible", percent),
        ("citations supported, %", "mean.citation_precision", percent),
        ("sentences that repeat another, %", "mean.repetition", percent),
    ]
    columns = {f"at most {size} papers": result for size, result in results.items()}
    return beside("reviews", columns, lines)


def put_between_marks(path: Path, text: str) -> None:
    """Puts ``text`` between the lines `BEGIN` and `END` of a file.

    Raises:
        EvalError: the file has no such lines.
    """
    try:
        before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN + "\n")
    except OSError as error:
        raise EvalError(f"{path} cannot be read: {error.strerror}.") from None
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise EvalError(f"{path} has no lines {BEGIN} and {END}.", "Add them where the table goes.")
    write_atomically(path, before + begin + text + end + after)


def _together(found: Sequence[dict[str, Any]]) -> dict[str, Results]:
    """Verb → the results of all its runs, those of the first run where several have one."""
    by_verb: dict[str, Results] = {}
    for run in found:
        by_verb[run["verb"]] = {**run["results"], **by_verb.get(run["verb"], {})}
    return by_verb


def _origin(where: dict[str, Any]) -> str:
    """Command, day, code and machine of a run, in a line of Markdown."""
    machine = where["machine"]
    command = " ".join(map(portable, where["command"].split()))
    return (
        f"`{command}` · {where['time'][:10]} · code {where['code']} · "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB"
    )
