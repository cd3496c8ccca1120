"""Blind grades: the answers of two runs in one file, in random order, graded 0 to 3 by readers.

`sheet` writes the file that readers fill in, and a key beside it that they do not look at;
`graded` reads their grades back: means, shares, what one side has over the other with a paired
test, how far two readers agree, and how well the confidence foretells a good answer.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.data import EvalError
from eval.statistics import calibration_error, mean_interval, paired

RUBRIC = """\
# Answers to grade

Be the researcher who asked. Read the question, then the answer as it stands, then what is known
of the right answer, and put a number behind "grade:" of every answer. A few words behind
"faults:" help. Answers of two versions of a program stand in random order; some questions occur
twice. Do not look for the key before you are done.

| grade | |
|---|---|
| 3 | I would forward it as it is: the question is answered first, rightly and completely enough; nothing misleads, nothing is beside the point. What the papers do not hold is said. |
| 2 | Useful: the answer is there and right, but a sentence is beside the point, the answer is not first, something obvious is missing, or the wording is clumsy. |
| 1 | Of little use: another question is answered, or what answers has to be dug out; or an absent answer is hinted at without being said. |
| 0 | Harmful or empty: wrong, answered though the papers do not hold it, refused though they do, or broken text. |

Of a question that the papers cannot answer: 3 where that is said and the nearest papers make
sense, 2 where it is said, 1 where an answer is only suggested, 0 where it is answered.
"""  # noqa: E501
GOOD = 2
_ITEM = re.compile(r"^## (\d+)\s*$", re.MULTILINE)
_GRADE = re.compile(r"^grade:[ \t]*([0-3])[ \t]*$", re.MULTILINE)
_ENTERED = re.compile(r"^grade:[ \t]*(\S.*)?$", re.MULTILINE)

Rows = dict[str, dict[str, Any]]
"""Question file and id → what a run says about the question."""


def rows_of(path: Path) -> Rows:
    """The answers of a saved run of ``answers``, or of its ``--details``.

    Raises:
        EvalError: it holds no answers.
    """
    from eval import runs  # noqa: PLC0415

    found: Any = None
    if path.is_file():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise EvalError(f"{path} is not JSON.") from None
    details = (found if isinstance(found, dict) else runs.load(path)).get("details", found)
    try:
        rows = {f"{name}/{row['id']}": row for name, of in details.items()
                for row in of if not row["left_out"]}  # fmt: skip
    except (AttributeError, KeyError, TypeError):
        raise EvalError(
            f"{path} holds no answers.", "Make some: eval answers … --details."
        ) from None
    return rows


def sheet(first: Rows, second: Rows, out: Path, *, questions: int, seed: int) -> int:
    """Writes the sheet and its key; returns the number of answers to grade.

    The same ``questions`` questions of both sides are taken, kinds in turn; where both say the
    same, the answer stands there once and its grade counts for both.

    Raises:
        EvalError: the two share no question, or the sheet exists already.
    """
    shared = sorted(first.keys() & second.keys())
    if not shared:
        raise EvalError("The two runs share no question.")
    if out.exists():
        raise EvalError(f"{out} exists already, maybe with grades in it.", "Name another file.")
    chance = random.Random(seed)  # noqa: S311
    items = []
    for name in _in_turn(shared, first, chance)[:questions]:
        if _shown(first[name]) == _shown(second[name]):
            items.append((name, "AB", first[name]))
        else:
            items += [(name, "A", first[name]), (name, "B", second[name])]
    chance.shuffle(items)
    text = RUBRIC + "".join(f"\n## {n}\n\n{_shown(row)}\n\ngrade: \nfaults: \n"
                            for n, (_, _, row) in enumerate(items, 1))  # fmt: skip
    key = {
        "sheet": out.name,
        "items": [
            {"n": n, "question": name, "side": side, "kind": row["kind"],
             "confidence": row["confidence"], "words": row["words"], "status": row["status"]}
            for n, (name, side, row) in enumerate(items, 1)
        ],
    }  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    _key_of(out).write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")
    return len(items)


def _in_turn(names: Sequence[str], rows: Rows, chance: random.Random) -> list[str]:
    """The questions in random order, one of each kind after the other."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(rows[name]["kind"], []).append(name)
    for of_kind in kinds.values():
        chance.shuffle(of_kind)
    ordered = []
    while any(kinds.values()):
        ordered += [of_kind.pop() for of_kind in kinds.values() if of_kind]
    return ordered


def _shown(row: dict[str, Any]) -> str:
    """What the reader sees of an answer: nothing that tells which run it is of."""
    before = "".join(f"> {' '.join(turn.split())}\n>\n" for turn in row.get("history", []))
    titles = "\n".join(f"[{n}] {title}" for n, title in enumerate(row["cited_titles"], 1))
    known = [*row["gold_titles"], *row["facts_found"], *row["facts_missing"]]
    absent = row["kind"] == "absent"
    right = row.get("reference") or ("the papers do not hold it" if absent else "see the papers")
    return (
        f"{before}**{row['question']}**\n\nstatus: {row['status']}\n\n{row['answer']}\n\n"
        f"{titles}\n\n*known: {'; '.join([right, *known])}*"
    )


def _key_of(sheet_path: Path) -> Path:
    return sheet_path.with_name(f"{sheet_path.stem}.key.json")


def graded(sheets: Sequence[Path], key: Path | None = None) -> dict[str, Any]:
    """What the grades of one sheet say, filled in by one or several readers (in copies of it).

    ``key``: where the sheet's key is, if it is not beside the sheet under its name.

    Raises:
        EvalError: a sheet has no key, lacks grades, or belongs to another key.
    """
    key = key or next((k for k in map(_key_of, sheets) if k.is_file()), _key_of(sheets[0]))
    if not key.is_file():
        raise EvalError(
            f"{key} is missing: which answer is whose is not known.", "Give --key FILE."
        )
    items = json.loads(key.read_text(encoding="utf-8"))["items"]
    readers = [_grades_of(path, len(items)) for path in sheets]
    grade = {item["n"]: float(np.mean([r[item["n"]] for r in readers])) for item in items}
    sides = {
        side: {i["question"]: grade[i["n"]] for i in items if side in i["side"]} for side in "AB"
    }
    shared = sorted(sides["A"].keys() & sides["B"].keys())
    return {
        "answers": len(items),
        "readers": len(readers),
        "sides": {side: _side(side, items, grade) for side in "AB"},
        "difference": paired([sides["B"][q] for q in shared], [sides["A"][q] for q in shared]),
        "agreement": _agreement(readers),
    }


def _grades_of(path: Path, items: int) -> dict[int, int]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EvalError(f"{path} cannot be read: {error.strerror}.") from None
    pieces = _ITEM.split(text)[1:]
    grades = {}
    for n, piece in zip(map(int, pieces[::2]), pieces[1::2], strict=True):
        entered = _ENTERED.findall(piece)[-1:]
        found = _GRADE.findall(piece)[-1:]
        if not found:
            what = f"{entered[0]!r}" if entered and entered[0] else "nothing"
            raise EvalError(f"{path}: the grade of answer {n} is {what}, not 0, 1, 2 or 3.")
        grades[n] = int(found[0])
    if set(grades) != set(range(1, items + 1)):
        raise EvalError(f"{path} has {len(grades)} answers, its key {items}.")
    return grades


def _side(side: str, items: Sequence[dict[str, Any]], grade: dict[int, float]) -> dict[str, Any]:
    mine = [item for item in items if side in item["side"]]
    grades = [grade[item["n"]] for item in mine]
    answered = [item for item in mine if item["status"] == "answered"]
    kinds = sorted({item["kind"] for item in mine})
    return {
        "grade": mean_interval(grades),
        "threes": mean_interval([g == 3 for g in grades]),
        "zeros": mean_interval([g == 0 for g in grades]),
        "words": float(np.median([item["words"] for item in mine])),
        "kinds": {
            kind: mean_interval([grade[i["n"]] for i in mine if i["kind"] == kind])
            for kind in kinds
        },
        "calibration": calibration_error(
            [item["confidence"] for item in answered],
            [grade[item["n"]] >= GOOD for item in answered],
        ),
    }


def _agreement(readers: Sequence[dict[int, int]]) -> dict[str, float] | None:
    """Of the first two readers: share of equal grades, and quadratically weighted kappa."""
    if len(readers) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score  # noqa: PLC0415

    first, second = ([reader[n] for n in sorted(reader)] for reader in readers[:2])
    kappa = cohen_kappa_score(first, second, weights="quadratic", labels=[0, 1, 2, 3])
    equal = np.mean([a == b for a, b in zip(first, second, strict=True)])
    return {"equal": round(float(equal), 4), "kappa": round(float(np.nan_to_num(kappa)), 4)}
