"""The Markdown that others show: all tables (eval/RESULTS.md), and the README's short ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eval.data import EvalError
from eval.runs import portable
from eval.tables import Table, auroc, mean, number, of_run, percent

Results = dict[str, Any]
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_BM25, _DENSE, _PROGRAM = _STAGES = ("BM25 of the program", "dense of the program", "the program")


def everything(found: Sequence[dict[str, Any]]) -> str:
    """All tables of the runs, and where each run comes from."""
    by_verb = _together(found)
    parts = []
    if retrieval := by_verb.get("retrieval"):
        parts.append(_ranking(retrieval).markdown())
    if answers := by_verb.get("answers"):
        parts.append(_answers(answers).markdown())
    for verb in ("blind", "pairs", "checker", "reviews", "bench"):
        for table in (table for run in found if run["verb"] == verb for table in of_run(run)):
            title = table.title[:1].upper() + table.title[1:]
            parts += [f"**{title}**", table.markdown(), *([table.note] if table.note else [])]
    parts.append("\n".join(f"- {_origin(run['environment'])}" for run in found))
    return "\n\n".join(parts) + "\n"


def short(found: Sequence[dict[str, Any]]) -> str:
    """What the README shows: a table of quality by set of questions, one of the rest."""
    by_verb = _together(found)
    parts = [_answers(by_verb["answers"]).markdown()] if "answers" in by_verb else []
    rows = _retrieval_rows(by_verb.get("retrieval", {}))
    rows += _pair_rows(by_verb.get("pairs", {}))
    rows += _checker_rows(by_verb.get("checker", {}))
    rows += _review_rows(by_verb.get("reviews", {}))
    rows += _bench_rows(by_verb.get("bench", {}))
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
    path.write_text(before + begin + text + end + after, encoding="utf-8")


def _together(found: Sequence[dict[str, Any]]) -> dict[str, Results]:
    """Verb → the results of all its runs, those of the first run where several have one."""
    by_verb: dict[str, Results] = {}
    for run in found:
        by_verb[run["verb"]] = {**run["results"], **by_verb.get(run["verb"], {})}
    return by_verb


def _ranking(results: Results) -> Table:
    names = ["nDCG@10", "Recall@5", "Recall@10", "Recall@100", "MRR@10"]
    rows = []
    for label, result in results.items():
        stages = _stages(result)
        rows += [
            [
                f"{label}: {shown}",
                f"{result['papers']:,}",
                *(mean(stages[shown][name]) for name in names),
            ]
            for shown in _STAGES
            if shown in stages
        ]
    return Table("", ["retrieval, points", "papers", *names], rows)


def _stages(result: Results) -> dict[str, Any]:
    return {stage["stage"]: stage["measures"] for stage in result["stages"]}


def _answers(columns: Results) -> Table:
    def follow(result: Results) -> str:
        return " / ".join(mean(rate) for rate in result["follow_ups"].values()) or "–"

    def sure(result: Results) -> str:
        return (f"{number(result['abstention']['calibration']['ece'])} / "
                f"{mean(result['abstention']['good_when_sure'])}")  # fmt: skip

    lines: list[tuple[str, Callable[[Results], str]]] = [
        ("gold paper in the top 8, fact and find, %",
         lambda r: percent(r["fact_and_find"]["gold_in_top_8"])),
        ("gold facts in the answer, %", lambda r: percent(r["answerable"]["facts"])),
        ("a gold fact in the first sentence, %", lambda r: percent(r["answerable"]["fact_first"])),
        ("citation recall by title, answerable, %",
         lambda r: percent(r["answerable"]["citation_recall"])),
        ("lists: recall on the first page / precision, %",
         lambda r: f"{mean(r['lists']['recall'])} / {mean(r['lists']['precision'])}"),
        ("follow-ups understood, by type, %", follow),
        ("words of an answer, median / most",
         lambda r: f"{r['answerable']['words_median']:.0f} / {r['answerable']['words_most']}"),
        ("refused when absent, %", lambda r: percent(r["abstention"]["refused_when_absent"])),
        ("refused when present, %", lambda r: percent(r["abstention"]["refused_when_present"])),
        ("AUROC of the confidence", lambda r: auroc(r["abstention"]["confidence"])),
        ("calibration error / good answers of those with .8 or more, %", sure),
        ("a question, ms, p50 / p95",
         lambda r: f"{1000 * r['seconds']['p50']:.0f} / {1000 * r['seconds']['p95']:.0f}"),
    ]  # fmt: skip
    rows = [[title, *(shown(r) for r in columns.values())] for title, shown in lines]
    heading = ["answers", *(f"{n} ({r['questions']} questions)" for n, r in columns.items())]
    return Table("", heading, rows)


def _retrieval_rows(results: Results) -> list[list[str]]:
    return [
        [
            f"nDCG@10 on {label}, {result['papers']:,} papers, points (its halves)",
            f"{mean(stages[_PROGRAM]['nDCG@10'])} (BM25 {mean(stages[_BM25]['nDCG@10'])}, "
            f"dense {mean(stages[_DENSE]['nDCG@10'])})",
        ]
        for label, result in results.items()
        if (stages := _stages(result))
    ]


def _pair_rows(results: Results) -> list[list[str]]:
    return [
        [
            f"support of {result['pairs']} hand-labelled sentences ({label}): AUROC; true flagged, "
            "false caught, %",
            f"{auroc(result['auroc'])}; {percent(result['true_flagged'])}, "
            f"{percent(result['false_caught'])}",
        ]
        for label, result in results.items()
    ]


def _checker_rows(results: Results) -> list[list[str]]:
    kinds = results.get("kinds", {})
    if not kinds:
        return []
    names = ", ".join(kind.replace("_", " ") for kind in kinds)
    figures = ", ".join(f"{row['auroc']:.3f}" for row in kinds.values())
    return [[f"support checker, AUROC: {names}", figures]]


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
    lines: list[tuple[str, Callable[[Results], str]]] = [
        ("an extractive answer, p50, ms", lambda row: f"{row['ask_ms']:.0f}"),
        ("retrieval, p50, ms (against the LlamaIndex starter)", _with_ratio("search_ms")),
        ("memory of a process that asks, MB", _with_ratio("memory_mb")),
        ("… without the index, which is mapped", lambda row: f"{row['own_memory_mb']:.0f}"),
        ("disk, MB", _with_ratio("disk_mb")),
        ("the page in a browser, ms (against Gradio's own chat)", _with_ratio("page_ms")),
    ]
    rows = [
        [f"{title}, {papers} papers", " / ".join(shown(row) for row in sizes)]
        for title, shown in lines
    ]
    if cold := results.get("cold"):
        rows.append(["`ask` from a cold start, against the imports of Chroma, LlamaIndex and ONNX "
                     "Runtime alone", f"{cold['ask_over_stack']:.2f}×"])  # fmt: skip
    return rows


def _with_ratio(key: str) -> Callable[[Results], str]:
    def shown(row: Results) -> str:
        value = row.get(key)
        if value is None:
            return "–"
        against = row.get("ratio", {}).get(key)
        figure = number(float(value), 1 if value < 100 else 0)
        return figure if against is None else f"{figure} ({against:.2f}×)"

    return shown


def _origin(where: dict[str, Any]) -> str:
    """Command, day, code and machine of a run, in a line of Markdown."""
    machine = where["machine"]
    command = " ".join(map(portable, where["command"].split()))
    return (
        f"`{command}` · {where['time'][:10]} · code {where['code']} · "
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB"
    )
