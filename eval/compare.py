"""Two runs of the same verb side by side: what is better, by how much, and whether it is sure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from eval.data import EvalError
from eval.statistics import paired

_QUIET = {"per_query", "bins", "n", "low", "high", "positive", "negative", "p"}
Row = dict[str, Any]


def compare(first: Row, second: Row) -> Row:
    """Differences of ``second`` to ``first``; paired tests where both have the questions."""
    if first["verb"] != second["verb"]:
        raise EvalError(f"A run of {first['verb']} and one of {second['verb']} do not compare.")
    after, before = dict(_leaves(second["results"])), dict(_leaves(first["results"]))
    shared = [path for path in after if path in before]
    settings = [dict(_leaves(run["environment"].get("settings", {}), all_of_it=True))
                for run in (first, second)]  # fmt: skip
    return {
        "a": first["name"],
        "b": second["name"],
        "of": first["verb"],
        "changed_settings": [
            f"{name}: {settings[0].get(name)} → {settings[1].get(name)}"
            for name in sorted({*settings[0], *settings[1]})
            if settings[0].get(name) != settings[1].get(name)
        ],
        "tests": list(_tests(first, second)),
        "differences": [
            {"measure": p, "a": before[p], "b": after[p], "difference": after[p] - before[p]}
            for p in shared
            if before[p] != after[p]
        ],
        "same": sum(before[path] == after[path] for path in shared),
    }


def _leaves(value: Any, path: str = "", *, all_of_it: bool = False) -> Iterator[tuple[str, Any]]:
    """Numbers of a result with their paths, of a mean with an interval only the mean.

    ``all_of_it``: every value, whatever it is, as settings have them.
    """
    if isinstance(value, dict) and value.get("mean", path) is None:
        return
    if isinstance(value, dict) and "low" in value and "mean" in value:
        yield path, float(value["mean"])
    elif isinstance(value, dict):
        for key, inner in value.items():
            if all_of_it or key not in _QUIET:
                yield from _leaves(inner, f"{path}.{key}" if path else key, all_of_it=all_of_it)
    elif isinstance(value, list) and not all_of_it:
        for n, inner in enumerate(value):
            keys = ("stage", "papers", "topic")
            name = next((inner[k] for k in keys if k in inner), n) if isinstance(inner, dict) else n
            yield from _leaves(inner, f"{path}[{name}]")
    elif all_of_it or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield path, value


def _tests(first: Row, second: Row) -> Iterator[Row]:
    """Paired tests over the questions that both runs have."""
    if first["verb"] == "retrieval":
        for name in first["results"].keys() & second["results"].keys():
            before, after = (
                {s["stage"]: s["per_query"] for s in run["results"][name]["stages"]}
                for run in (first, second)
            )
            for stage in before.keys() & after.keys():
                yield _test(f"{name}, {stage}: nDCG@10", before[stage], after[stage])
    if first["verb"] == "answers":
        for name in first.get("details", {}).keys() & second.get("details", {}).keys():
            for title, value in _OF_ANSWERS.items():
                before, after = (
                    {
                        row["id"]: float(found)
                        for row in run["details"][name]
                        if not row["left_out"] and (found := value(row)) is not None
                    }
                    for run in (first, second)
                )
                yield _test(f"{name}: {title}", before, after)


def _test(title: str, before: dict[str, float], after: dict[str, float]) -> Row:
    shared = sorted(before.keys() & after.keys())
    return {"test": title, **paired([after[q] for q in shared], [before[q] for q in shared])}


def _facts(row: Row) -> float | None:
    wanted = len(row["facts_found"]) + len(row["facts_missing"])
    return len(row["facts_found"]) / wanted if wanted else None


def _cited(row: Row) -> float | None:
    return row["cited_gold"] / len(row["gold_titles"]) if row["gold_titles"] else None


def _right(row: Row) -> bool | None:
    """Answered when answerable, refused when absent."""
    if row["kind"] == "library":
        return None
    return bool((row["status"] == "answered") == (row["kind"] != "absent"))


_OF_ANSWERS: dict[str, Callable[[Row], float | None]] = {
    "gold facts in the answer": _facts,
    "a gold fact in the first sentence": lambda row: row.get("fact_first"),
    "citation recall": _cited,
    "answered or refused rightly": _right,
    "follow-ups understood": lambda row: row.get("resolved"),
    "words": lambda row: row["words"],
}
