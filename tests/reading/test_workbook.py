"""Excel workbooks: read as the same CSV, and bounded."""

from __future__ import annotations

import csv
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading import read, workbook
from assistant.reading.sources import SourceReader

HEADER = ["Authors", "Title", "Year", "Source title", "DOI", "Abstract", "Author Keywords"]
ROWS = [
    ["Moss, A.; van der Weg, B.", "Rhythms of slow snails", 2021, "Journal of Invented Biology",
     "10.1234/snail_1", "Snails keep a rhythm\nof nine hours.", "snails; rhythm"],
    ["Okoro, T.", "Bells, \"cast\" in one piece", 1998.0, "Foundry", None,
     "Bells ring, when struck.", None],
]  # fmt: skip


def made(path: Path, *rows: list[object], before: str = "About this export") -> Path:
    book = openpyxl.Workbook()
    book.active.append([before])
    sheet = book.create_sheet("Records")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def rewritten(source: Path, target: Path, **parts: bytes) -> Path:
    """The workbook with parts replaced whose names end so."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            stem = Path(part.filename).stem
            new.writestr(part.filename, parts.get(stem, old.read(part)))
    return target


def papers(path: Path) -> list[Paper]:
    found = list(read(path))
    assert all(isinstance(paper, Paper) for paper in found), found
    return [paper for paper in found if isinstance(paper, Paper)]


def test_a_workbook_is_read_as_the_same_csv(tmp_path: Path) -> None:
    banner = [["Export of 26 November"], []]
    book = made(tmp_path / "scopus.xlsx", *banner, HEADER, *ROWS)
    text = tmp_path / "scopus.csv"
    with text.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([HEADER, *([*ROWS[:1], [*ROWS[1]]])])
    without = {"source", "original"}
    ours = [paper.model_dump(exclude=without) for paper in papers(book)]
    theirs = [paper.model_dump(exclude=without) for paper in papers(text)]
    assert ours == theirs
    assert [paper["year"] for paper in ours] == [2021, 1998]
    assert ours[0]["authors"] == ("A. Moss", "B. van der Weg")


def test_dates_and_a_wrong_dimension(tmp_path: Path) -> None:
    book = made(tmp_path / "a.xlsx", ["Title", "Publication date"], ["Bells", datetime(2019, 5, 1)])
    with zipfile.ZipFile(book) as parts:
        sheet = parts.read("xl/worksheets/sheet2.xml").replace(b'ref="A1:B2"', b'ref="A1"')
    assert b'ref="A1"' in sheet
    found = papers(rewritten(book, tmp_path / "b.xlsx", sheet2=sheet))
    assert [(paper.title, paper.year) for paper in found] == [("Bells", 2019)]


def test_a_workbook_without_papers_is_refused(tmp_path: Path) -> None:
    prices = made(tmp_path / "prices.xlsx", ["Item", "Price"], ["Nails", 3])
    with pytest.raises(SourceError, match="no column for titles or abstracts"):
        list(read(prices))


@pytest.mark.parametrize("begin", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600])
def test_an_old_workbook_is_refused_in_a_sentence(tmp_path: Path, begin: bytes) -> None:
    old = tmp_path / "savedrecs.xls"
    old.write_bytes(begin)
    with pytest.raises(SourceError, match=r"savedrecs.xls is an old or a protected Office file"):
        list(read(old))


@pytest.mark.parametrize("kept", [4, 200, -30])
def test_a_damaged_workbook_is_refused(tmp_path: Path, kept: int) -> None:
    whole = made(tmp_path / "whole.xlsx", HEADER, *ROWS).read_bytes()
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(whole[:kept])
    with pytest.raises(SourceError, match=r"broken.xlsx cannot be read as an Excel workbook"):
        list(read(broken))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    whole = made(tmp_path / "whole.xlsx", HEADER, *ROWS)
    zeros = bytes(workbook._LARGEST_PART + 1)
    bomb = rewritten(whole, tmp_path / "bomb.xlsx", styles=zeros)
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(SourceError, match="unpacks to more"):
        list(read(bomb))


def test_one_text_in_many_cells_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_MOST_WRITTEN", 1 << 16)
    rows = [["Bells", "x" * 1000]] * 200
    with pytest.raises(SourceError, match="unpacks to more"):
        list(read(made(tmp_path / "many.xlsx", ["Title", "Abstract"], *rows)))


def test_entities_are_refused_and_far_rows_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = made(tmp_path / "a.xlsx", ["Title"], ["Title", "Abstract"], ["Bells", "They ring."])
    with zipfile.ZipFile(book) as parts:
        sheet = parts.read("xl/worksheets/sheet2.xml")
    doctype = b'<!DOCTYPE x [<!ENTITY a "bells">]>' + sheet
    with pytest.raises(SourceError, match="cannot be read"):
        list(read(rewritten(book, tmp_path / "b.xlsx", sheet2=doctype)))
    monkeypatch.setattr(workbook, "_MOST_ROWS", 1 << 10)
    far = sheet.replace(b'<row r="3"', b'<row r="900000000"')
    assert far != sheet
    assert len(list(SourceReader(rewritten(book, tmp_path / "c.xlsx", sheet2=far)))) <= 1
