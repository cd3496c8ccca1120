"""Text of papers, made safe for what it is written into: Markdown, HTML, LaTeX, tables, Word.

A title or an abstract is somebody else's text. Wherever it is put into a document, it is shown
letter for letter and never obeyed: no link, no image, no script, no formula of a spreadsheet.
Every writer of a document takes its text through one of these.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import urlsplit

__all__ = [
    "html",
    "latex",
    "markdown",
    "markdown_link",
    "spreadsheet",
    "unguarded",
    "web_address",
    "xml",
]

_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~$]|&(?=#?\w+;)|(?<=\])[(:]")
_FIRST = re.compile(r"^(?:([-+=])|(\d+)([.)])(?=\s|$))")
_CITATION = re.compile(r"\\\[(\d{1,4}(?:\s*[,–-]\s*\d{1,4})*)\\\]")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*%?")
# = + - @ and their wide twins, which some spreadsheets take for the same
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_ADDRESS = re.compile("[\\s\x00-\x20\"'<>\\\\^`{|}\x7f-\x9f]")


def markdown(text: str, *, citations: bool = False) -> str:
    """``text`` as one line of Markdown that shows it as it is.

    Args:
        text: anything.
        citations: marks such as [2] or [1, 3] are the document's own and stay without a
            backslash; what follows them can make no link of them.
    """
    shown = _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))
    shown = _FIRST.sub(
        lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", shown
    )
    return _CITATION.sub(r"[\1]", shown) if citations else shown


def markdown_link(text: str, url: str | None) -> str:
    """``text`` as a link to ``url``; only as text where that is no address of the web."""
    address = web_address(url)
    return f"[{markdown(text)}](<{address}>)" if address else markdown(text)


def html(text: str) -> str:
    """``text`` for the inside of an element or of an attribute in quotation marks."""
    return escape(text)


def latex(text: str) -> str:
    """``text`` with LaTeX's own characters escaped; all others stay as they are (UTF-8)."""
    named = {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
    if not _balanced(text):  # BibTeX counts escaped braces, too
        named |= {"{": r"\textbraceleft{}", "}": r"\textbraceright{}"}
    return re.sub(r"[\\{}~^#$%&_]", lambda found: named.get(found[0], "\\" + found[0]), text)


def spreadsheet(text: str) -> str:
    """``text`` for a cell of a CSV file: what a spreadsheet would run as a formula gets a ' first.

    A bare number stays one.
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text.strip()):
        return f"'{text}"
    return text


def unguarded(cell: str) -> str:
    """A cell that `spreadsheet` wrote, as it was before."""
    return cell[1:] if cell[:1] == "'" and spreadsheet(cell[1:]) == cell else cell


def xml(text: str) -> str:
    """``text`` without the characters that XML (and so a Word file) cannot hold; not escaped."""
    return _NOT_XML.sub("", text)


def web_address(url: str | None) -> str | None:
    """``url`` if it is an http(s) address that can stand in any document, else None."""
    if not url or _NOT_ADDRESS.search(url):
        return None
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname)
    except ValueError:
        return None
    return url if named and parts.scheme.lower() in ("http", "https") else None


def _balanced(text: str) -> bool:
    depth = 0
    for brace in re.findall(r"[{}]", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0
