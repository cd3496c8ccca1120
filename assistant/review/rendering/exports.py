"""BibTeX and RIS of exactly the cited papers, and the comparison table as CSV."""

from __future__ import annotations

import csv
import io

from assistant.exporting import FORMATS
from assistant.review.model import COLUMNS, Review

__all__ = ["bibtex", "ris", "table_csv"]


def bibtex(review: Review) -> str:
    """The references as BibTeX, in the order of their numbers."""
    return "".join(FORMATS["bibtex"](reference.paper for reference in review.references))


def ris(review: Review) -> str:
    """The references as RIS, in the order of their numbers."""
    return "".join(FORMATS["ris"](reference.paper for reference in review.references))


def table_csv(review: Review) -> str:
    """The comparison table, a paper a row; a filled cell is the paper's own words."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["number", "paper_id", "paper", "theme", *COLUMNS])
    ids = {reference.number: reference.paper.id for reference in review.references}
    for row in review.table:
        cells = [getattr(row, column) for column in COLUMNS]
        texts = [_safe(cell.text) if cell else "" for cell in cells]
        writer.writerow([row.number, ids[row.number], _safe(row.title), _safe(row.theme), *texts])
    return out.getvalue()


def _safe(text: str) -> str:
    """Without what a spreadsheet would take for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
