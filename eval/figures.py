"""The Markdown that others show: all tables (eval/RESULTS.md), and the README's short ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.files import write_atomically
from eval.data import EvalError
from eval.runs import portable
from eval.tables import Table, answers_of, at, mean, of_run, pairs_of, percent, rounded

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
    """What the README shows: answers and labelled pairs by set, then a table of the rest."""
    by_verb = _together(found)
    parts = [answers_of(by_verb["answers"]).markdown()] if "answers" in by_verb else []
    parts += [pairs_of(by_verb["pairs"]).markdown()] if "pairs" in by_verb else []
    rows = [
        *_retrieval_rows(by_verb.get("retrieval", {})),
        *_review_rows(by_verb.get("reviews", {})),
        *_bench_rows(by_verb.get("bench", {})),
    ]
    if kinds := by_verb.get("checker", {}).get("kinds"):
        names = ", ".join(kind.replace("_", " ") for kind in kinds)
        figures = ", ".join(f"{row['auroc']:.3f}" for row in kinds.values())
        rows.append([f"support checker, AUROC: {names}", figures])
    if rows:
        parts.append(Table("", ["what", "figure"], rows).markdown(numeric=False))
    return "\n\n".join(parts) + "\n"


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


def _retrieval_rows(results: Results) -> list[list[str]]:
    rows = []
    for label, result in results.items():
        bm25, dense, program = (mean(s["measures"]["nDCG@10"]) for s in result["stages"])
        title = f"nDCG@10 on {label}, {result['papers']:,} papers, points (its halves)"
        rows.append([title, f"{program} (BM25 {bm25}, dense {dense})"])
    return rows


def _review_rows(results: Results) -> list[list[str]]:
    return [
        [
            f"reviews of at most {size} papers: labelled papers cited (of those that have room), "
            "citations supported, sentences that repeat another, %",
            ", ".join(
                percent(result["mean"][key])
                for key in ("coverage_possible", "citation_precision", "repetition")
            ),
        ]
        for size, result in results.items()
    ]


def _bench_rows(results: Results) -> list[list[str]]:
    sizes = results.get("sizes", [])
    if not sizes:
        return []
    papers = " / ".join(f"{row['papers']:,}" for row in sizes)
    lines = [
        ("an extractive answer, p50, ms", "ask_ms"),
        ("retrieval, p50, ms (against the LlamaIndex starter)", "search_ms"),
        ("retrieval, p95, ms (against the starter)", "search_p95_ms"),
        ("memory of a process that asks, MB (against the starter)", "memory_mb"),
        ("disk, MB (against the starter)", "disk_mb"),
        ("the page in a browser, ms (against Gradio's own chat)", "page_ms"),
    ]
    rows = [
        [f"{title}, {papers} papers", " / ".join(_with_ratio(row, key) for row in sizes)]
        for title, key in lines
    ]
    if cold := at(results, "cold.ask_over_stack"):
        rows.append(["`ask` from a cold start, against the imports of Chroma, LlamaIndex and ONNX "
                     "Runtime alone", f"{cold:.2f}×"])  # fmt: skip
    return rows


def _with_ratio(row: Results, key: str) -> str:
    value, ratio = row[key], row["ratio"].get(key)
    shown = rounded(1 if (value or 0) < 100 else 0)(value)
    return shown if ratio is None else f"{shown} ({ratio:.2f}×)"


def _origin(where: dict[str, Any]) -> str:
    """Command, day, code and machine of a run, in a line of Markdown."""
    machine = where["machine"]
    command = " ".join(map(portable, where["command"].split()))
    return (
        f"`{command}` · {where['time'][:10]} · code {where['code']} · "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB"
    )
