"""A table as CSV, XLSX, Markdown, LaTeX, HTML and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from html import escape
from pathlib import Path

from assistant.errors import ConfigurationError
from assistant.escaping import latex as tex
from assistant.escaping import markdown as escaped
from assistant.escaping import spreadsheet, xml
from assistant.review.rendering.blocks import LEGEND, MARKS
from assistant.review.rendering.documents import longtable
from assistant.review.table import Row, Table

__all__ = ["FORMATS", "format_of"]


def _notes(table: Table) -> list[str]:
    """What stands below a table; the marks are explained where there are any."""
    cells = (cell for row in table.rows for held in row.cells.values() for cell in held)
    return [*table.notes, *[LEGEND] * any(MARKS[cell.certainty] for cell in cells)]


def _texts(row: Row, table: Table, *, marks: bool = True) -> list[str]:
    return [
        "; ".join(c.text + (MARKS[c.certainty] if marks else "") for c in row.cells.get(name, []))
        for name in table.columns
    ]


def _csv(table: Table) -> str:
    """A column of text, then one with the sentences it stands in, for each."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    heads = [head for name in table.columns for head in (name, f"{name}: sentence")]
    writer.writerow(["paper_id", "key", "title", *map(spreadsheet, heads)])
    for row in table.rows:
        texts = [
            text
            for name in table.columns
            for text in (row.text(name), " | ".join(_sentences(row, name)))
        ]
        writer.writerow([*map(spreadsheet, (row.paper_id, row.key, row.title, *texts))])
    return out.getvalue()


def _sentences(row: Row, name: str) -> list[str]:
    return list(dict.fromkeys(cell.quote for cell in row.cells.get(name, []) if cell.quote))


def _xlsx(table: Table) -> bytes:
    """A cell's sentences stand in its comment; what is likely, not sure, is in italics."""
    from openpyxl import Workbook  # type: ignore[import-untyped]  # noqa: PLC0415
    from openpyxl.comments import Comment  # type: ignore[import-untyped]  # noqa: PLC0415
    from openpyxl.styles import Alignment, Font  # type: ignore[import-untyped]  # noqa: PLC0415

    book = Workbook()
    sheet = book.active
    sheet.append(["key", "paper", *map(xml, table.columns)])
    for cell in sheet[1]:
        cell.font, cell.data_type = Font(bold=True), "s"
    for n, row in enumerate(table.rows, 2):
        for column, text in enumerate((row.key, row.title, *_texts(row, table, marks=False)), 1):
            cell = sheet.cell(n, column)
            cell.value, cell.data_type = xml(text), "s"  # never a formula
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        for column, name in enumerate(table.columns, 3):
            if quotes := _sentences(row, name):
                sheet.cell(n, column).comment = Comment(xml(" ".join(quotes)), "assistant")
            if any(c.certainty == "likely" for c in row.cells.get(name, [])):
                sheet.cell(n, column).font = Font(italic=True)
    for letter in "BCDEFGHIJKLMNOPQRSTUV"[: len(table.columns) + 1]:
        sheet.column_dimensions[letter].width = 36
    sheet.freeze_panes = "C2"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _markdown(table: Table) -> str:
    lines = [f"| paper | {' | '.join(map(escaped, table.columns))} |"]
    lines.append("|" + " --- |" * (len(table.columns) + 1))
    rows = (map(escaped, (row.title, *_texts(row, table))) for row in table.rows)
    lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += [line for note in _notes(table) for line in ("", escaped(note))]
    return "\n".join(lines) + "\n"


def _latex(table: Table) -> str:
    rows = [[tex(row.title), *map(tex, _texts(row, table))] for row in table.rows]
    lines = longtable(["paper", *map(tex, table.columns)], rows)
    return "\n".join([*lines, *(f"\n{tex(note)}" for note in _notes(table))]) + "\n"


def _html(table: Table) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in ("paper", *table.columns))
    rows = [f"<tr><th>{escape(row.title)}</th>{_html_cells(row, table)}</tr>" for row in table.rows]
    style = "td,th{border:1px solid #ccc;padding:.4em;vertical-align:top;text-align:left}"
    title = escape(table.topic or "All papers")
    notes = "".join(f"<p>{escape(note)}</p>" for note in _notes(table))
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title>"
        f"<style>table{{border-collapse:collapse;font:14px system-ui}}{style}</style>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>{notes}</html>\n"
    )


def _html_cells(row: Row, table: Table) -> str:
    return "".join(
        f"<td title='{escape(' '.join(_sentences(row, name)))}'>{escape(text)}</td>"
        for name, text in zip(table.columns, _texts(row, table), strict=True)
    )


def _json(table: Table) -> str:
    return table.model_dump_json(indent=1) + "\n"


FORMATS: dict[str, Callable[[Table], str | bytes]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "md": _markdown,
    "tex": _latex,
    "html": _html,
    "json": _json,
}
"""Extension of a file → its writer."""


def format_of(path: Path) -> str:
    """The format that the name of a file asks for.

    Raises:
        ConfigurationError: there is no such format.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise ConfigurationError(f"A table cannot be written as {path.name!r}.", f"Use {known}.")
    return form
