"""BibTeX and RIS of exactly the cited papers, and the comparison table as CSV."""

from __future__ import annotations

import csv
import io

from assistant.escaping import spreadsheet
from assistant.exporting import FORMATS
from assistant.review.model import COLUMNS, Review

__all__ = ["bibtex", "csl", "ris", "table_csv"]


def bibtex(review: Review) -> str:
    """The references as BibTeX, in the order of their numbers."""
    return _written("bibtex", review)


def ris(review: Review) -> str:
    """The references as RIS, in the order of their numbers."""
    return _written("ris", review)


def csl(review: Review) -> str:
    """The references as CSL-JSON, in the order of their numbers."""
    return _written("csl", review)


def _written(form: str, review: Review) -> str:
    keys = {reference.paper.id: reference.key for reference in review.references}
    papers = [reference.paper for reference in review.references]
    # a review that was saved before its papers had keys makes them among themselves
    return "".join(FORMATS[form](papers, keys if all(keys.values()) else None))


def table_csv(review: Review) -> str:
    """The comparison table, a paper a row; a filled cell is the paper's own words."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["number", "paper_id", "paper", "theme", *COLUMNS])
    ids = {reference.number: reference.paper.id for reference in review.references}
    for row in review.table:
        cells = [getattr(row, column) for column in COLUMNS]
        texts = [cell.text if cell else "" for cell in cells]
        texts = [ids[row.number], row.title, row.theme, *texts]
        writer.writerow([row.number, *map(spreadsheet, texts)])
    return out.getvalue()
