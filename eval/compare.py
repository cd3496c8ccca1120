"""Two runs of the same verb side by side: what is better, by how much, and whether it is sure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eval.data import EvalError
from eval.statistics import paired

_QUIET = ("curve", "per_query", "n", "low", "high", "positive", "negative", "p")


def compare(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Differences of ``second`` to ``first``; paired tests where both have the questions."""
    if first["verb"] != second["verb"]:
        raise EvalError(f"A run of {first['verb']} and one of {second['verb']} do not compare.")
    ours, theirs = dict(_leaves(second["results"])), dict(_leaves(first["results"]))
    rows = [
        {"measure": path, "a": theirs[path], "b": value, "difference": value - theirs[path]}
        for path, value in ours.items()
        if path in theirs and value != theirs[path]
    ]
    return {
        "a": first["name"],
        "b": second["name"],
        "of": first["verb"],
        "changed_settings": _settings(first, second),
        "tests": list(_tests(first, second)),
        "differences": rows,
        "same": sum(path in theirs and ours[path] == theirs[path] for path in ours),
    }


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Numbers of a result with their paths; of a mean with an interval only the mean."""
    if isinstance(value, dict):
        if "mean" in value and "low" in value:
            if value["mean"] is not None:
                yield path, float(value["mean"])
            return
        for key, inner in value.items():
            if key not in _QUIET:
                yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            name = inner.get("stage") or inner.get("parameter") or inner.get("papers") or n \
                if isinstance(inner, dict) else n  # fmt: skip
            yield from _leaves(inner, f"{path}[{name}]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def _settings(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    before = dict(_flat(first["environment"].get("settings", {})))
    after = dict(_flat(second["environment"].get("settings", {})))
    return [
        f"{name}: {before.get(name)} → {after.get(name)}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _tests(first: dict[str, Any], second: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Paired tests over the questions that both runs have."""
    if first["verb"] == "retrieval":
        for name in first["results"].keys() & second["results"].keys():
            before = {s["stage"]: s["per_query"] for s in first["results"][name]["stages"]}
            after = {s["stage"]: s["per_query"] for s in second["results"][name]["stages"]}
            for stage in before.keys() & after.keys():
                yield _test(f"{name}, {stage}: nDCG@10", before[stage], after[stage])
    if first["verb"] == "answers":
        for name in first.get("details", {}).keys() & second.get("details", {}).keys():
            for title, value in _OF_ANSWERS.items():
                before, after = (
                    {
                        row["id"]: found
                        for row in run["details"][name]
                        if not row["left_out"] and (found := value(row)) is not None
                    }
                    for run in (first, second)
                )
                yield _test(f"{name}: {title}", before, after)


def _test(title: str, before: dict[str, float], after: dict[str, float]) -> dict[str, Any]:
    shared = sorted(before.keys() & after.keys())
    return {"test": title, **paired([after[q] for q in shared], [before[q] for q in shared])}


def _facts(row: dict[str, Any]) -> float | None:
    wanted = len(row["facts_found"]) + len(row["facts_missing"])
    return len(row["facts_found"]) / wanted if wanted else None


def _cited(row: dict[str, Any]) -> float | None:
    return row["cited_gold"] / len(row["gold_titles"]) if row["gold_titles"] else None


def _first(row: dict[str, Any]) -> float | None:
    first = row.get("fact_first")
    return None if first is None else float(first)


def _understood(row: dict[str, Any]) -> float | None:
    understood = row.get("resolved")
    return None if understood is None else float(understood)


def _right(row: dict[str, Any]) -> float | None:
    """Answered when answerable, refused when absent."""
    return (
        None
        if row["kind"] == "library"
        else float((row["status"] == "answered") == (row["kind"] != "absent"))
    )


_OF_ANSWERS = {
    "gold facts in the answer": _facts,
    "a gold fact in the first sentence": _first,
    "citation recall": _cited,
    "answered or refused rightly": _right,
    "follow-ups understood": _understood,
}
