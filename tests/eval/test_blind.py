"""A sheet to grade tells nothing of whose an answer is, and its grades come back to their sides."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from eval import blind
from eval.data import EvalError


def _row(n: int, answer: str, kind: str) -> dict[str, Any]:
    return {
        "id": f"q{n}", "kind": kind, "left_out": False, "question": f"Question {n}?",
        "history": ["Before?", "Yes."] if kind == "follow" else [], "status": "answered",
        "answer": answer, "cited_titles": ["A paper"], "gold_titles": ["A paper"],
        "facts_found": ["41"], "facts_missing": [], "confidence": 0.8, "words": n,
    }  # fmt: skip


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Two files of details that differ in all answers but the first."""
    kinds = ["fact", "list", "follow"] * 3
    paths = []
    for side in ("old", "new"):
        rows = [_row(n, "The same." if not n else f"{side} {n}", k) for n, k in enumerate(kinds)]
        paths.append(tmp_path / f"{side}.json")
        paths[-1].write_text(json.dumps({"set": [*rows, {**rows[0], "left_out": True}]}))
    return paths[0], paths[1]


def _filled(sheet: Path, out: Path, grade: Any) -> Path:
    """The sheet with the grade that ``grade`` gives the text of each answer."""
    pieces = re.split(r"(?m)(?=^## \d+$)", sheet.read_text())
    filled = [pieces[0]] + [
        re.sub(r"(?m)^grade: $", f"grade: {grade(piece)}", piece) for piece in pieces[1:]
    ]
    out.write_text("".join(filled))
    return out


def test_grades_come_back_to_their_sides(runs: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = map(blind.rows_of, runs)
    sheet = tmp_path / "sheet.md"
    assert blind.sheet(first, second, sheet, questions=9, seed=3) == 17  # one answer is the same
    text = sheet.read_text()
    assert "0.8" not in text
    assert "> Before?" in text
    key = tmp_path / "sheet.key.json"
    one = _filled(sheet, tmp_path / "one.md", lambda p: 3 if "new" in p else 1)
    two = _filled(sheet, tmp_path / "two.md", lambda p: 2 if "new" in p else 1)
    found = blind.graded([one, two], key)
    assert found["readers"] == 2
    assert found["sides"]["A"]["grade"]["mean"] == 1.0
    assert found["sides"]["B"]["grade"]["mean"] > 2.2
    assert found["difference"]["mean"] > 1.2
    assert set(found["sides"]["B"]["kinds"]) == {"fact", "list", "follow"}
    assert 0 < found["agreement"]["equal"] < 1
    good = 8 / 9  # all but the one that is the same; each was shown with a confidence of .8
    assert found["sides"]["B"]["calibration"]["ece"] == pytest.approx(good - 0.8, abs=1e-3)


def test_equal_answers_are_graded_once_and_count_for_both(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    rows = blind.rows_of(runs[0])
    sheet = tmp_path / "sheet.md"
    assert blind.sheet(rows, rows, sheet, questions=9, seed=0) == 9
    found = blind.graded([_filled(sheet, sheet, lambda _: 2)])
    assert found["sides"]["A"] == found["sides"]["B"]
    assert found["difference"]["p"] == 1.0


@pytest.mark.parametrize("entered", ["", "4", "good"])
def test_what_is_no_grade_is_said(runs: tuple[Path, Path], tmp_path: Path, entered: str) -> None:
    rows = blind.rows_of(runs[0])
    sheet = tmp_path / "sheet.md"
    blind.sheet(rows, rows, sheet, questions=2, seed=0)
    _filled(sheet, sheet, lambda _: entered)
    with pytest.raises(EvalError, match="not 0, 1, 2 or 3"):
        blind.graded([sheet])


def test_a_sheet_is_never_written_over(runs: tuple[Path, Path], tmp_path: Path) -> None:
    rows = blind.rows_of(runs[0])
    sheet = tmp_path / "sheet.md"
    blind.sheet(rows, rows, sheet, questions=2, seed=0)
    with pytest.raises(EvalError, match="exists"):
        blind.sheet(rows, rows, sheet, questions=2, seed=0)
    with pytest.raises(EvalError, match="share no question"):
        blind.sheet(rows, {}, tmp_path / "other.md", questions=2, seed=0)
