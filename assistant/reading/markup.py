"""Mark-up inside titles and abstracts (HTML, JATS, MathML, escaped or not), turned into text.

`plain` promises: a tag goes only where its name is one that publishers use, so that ``p<0.05`` and
``<eos>`` stay; what stands in blocks stays apart; a heading ends with a colon; figures above and
below the line become Unicode's; formulas in MathML become a line of text; and text without
mark-up comes back untouched.
"""

from __future__ import annotations

import html
import re

from assistant.reading.latex import script

__all__ = ["plain", "unescaped"]

_ROUNDS = 3  # "&amp;amp;lt;" has been met; more than three is no accident
_BLOCKS = (
    "abstract abstracttext article blockquote body br dd disp-formula div dl dt item li list"
    " list-item ol p para sec section table td tr ul"
)
_HEADINGS = "h1 h2 h3 h4 h5 h6 label title"
_INLINE = (
    "a abbr alternatives b bold break cite code em ext-link fn font highlight i img"
    " inline-formula inline-graphic inline italic kbd mark math mi mn mo monospace mrow msub msup"
    " named-content overline q ref roman s sans-serif sc scp small span strike strong"
    " styled-content sub sup tex-math tt u underline uri xref"
)
_KINDS = {
    **dict.fromkeys(_BLOCKS.split(), "block"),
    **dict.fromkeys(_HEADINGS.split(), "heading"),
    **dict.fromkeys(_INLINE.split(), "inline"),
}
_TAG = re.compile(
    r"<(/?)(?:[a-z]+:)?([a-z][a-z0-9-]*)(?:\s+[\w:.-]{1,40}\s*=\s*[^<>]{0,2000})?\s*/?>",
    re.IGNORECASE,
)
# What an element holds ends at the next of its kind at the latest: no text is searched twice.
_MATH = re.compile(
    r"<((?:[a-z]+:)?math)\b(?:(?!<(?:[a-z]+:)?math\b).){0,20000}?</\1>", re.IGNORECASE | re.DOTALL
)
_TEX = re.compile(
    r"<((?:[a-z]+:)?tex-math)\b[^<>]{0,500}>((?:(?!<(?:[a-z]+:)?tex-math\b).){0,20000}?)</\1>",
    re.IGNORECASE | re.DOTALL,
)
_TEX_DOCUMENT = re.compile(r"\\begin\{document\}(.*?)\\end\{document\}", re.DOTALL)
_SCRIPT = re.compile(r"<((?:[a-z]+:)?su([bp]))\b[^<>]*>([^<>]{0,40})</\1>", re.IGNORECASE)
_HEADING = re.compile(
    r"<((?:[a-z]+:)?(?:h[1-6]|title|label))\b[^<>]*>([^<>]{0,200})</\1>\s*", re.IGNORECASE
)
_UNSEEN = re.compile(
    r"<!--(?:(?!<!--).){0,5000}?-->|<(script|style)\b(?:(?!<\1\b).){0,20000}?</\1>", re.I | re.S
)
_CDATA = re.compile(r"<!\[CDATA\[((?:(?!<!\[CDATA\[).){0,100000}?)\]\]>", re.DOTALL)
_RELATIONS = frozenset("=<>≤≥≈≃∼≡≠→←↔∈∝±×")


def unescaped(text: str) -> str:
    """``text`` without character references, however often they were escaped."""
    for _ in range(_ROUNDS):
        if "&" not in text or (following := html.unescape(text)) == text:
            break
        text = following
    return text


def plain(text: str) -> str:
    """``text`` without mark-up; see the module."""
    text = unescaped(text)
    if "<" not in text:
        return text
    text = _CDATA.sub(r"\1", _UNSEEN.sub(" ", text))
    if "tex-math" in text.lower():  # the same formula in MathML beside it would stand there twice
        text = _TEX.sub(_tex, _MATH.sub("", text))
    else:
        text = _MATH.sub(lambda found: _formula(found.group()), text)
    text = _SCRIPT.sub(lambda found: script(found[3], above=found[2].lower() == "p"), text)
    text = _HEADING.sub(_heading, text)
    return _TAG.sub(_without, text)


def _tex(found: re.Match[str]) -> str:
    document = _TEX_DOCUMENT.search(found[2])
    formula = (document[1] if document else found[2]).strip().strip("$").strip()
    return f"${formula}$" if formula else ""


def _heading(found: re.Match[str]) -> str:
    name = " ".join(found[2].split()).rstrip(":.")
    if not name or name.lower() == "abstract":
        return " "
    return f" {name}: "


def _without(found: re.Match[str]) -> str:
    kind = _KINDS.get(found[2].lower())
    if kind is None:
        return found.group()
    return "" if kind == "inline" else " "


def _formula(markup: str) -> str:
    """MathML as one line of text; nothing where it cannot be parsed."""
    from lxml import etree  # type: ignore[import-untyped]  # noqa: PLC0415  few papers need it

    bare = re.sub(r"(</?)[a-z]+:", r"\1", markup, flags=re.IGNORECASE)
    bare = re.sub(r"\sxmlns(:\w+)?=(\"[^\"]*\"|'[^']*')", "", bare)
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(bare, parser)
    except (etree.XMLSyntaxError, ValueError):
        return " "
    return "" if root is None else " ".join(_rendered(root).split())


def _rendered(node: object) -> str:
    """One element of MathML as text."""
    name = str(getattr(node, "tag", "")).lower()
    children = [_rendered(child) for child in node if isinstance(child.tag, str)]  # type: ignore[attr-defined]
    text = " ".join((getattr(node, "text", None) or "").split())
    match name, children:
        case ("annotation" | "annotation-xml", _):
            return ""
        case ("msub" | "msup", [base, raised]):
            return _scripted(base, raised, above=name == "msup")
        case ("msubsup", [base, below, above]):
            return _scripted(_scripted(base, below, above=False), above, above=True)
        case ("mfrac", [upper, lower]):
            return f"{_grouped(upper)}/{_grouped(lower)}"
        case ("msqrt" | "mroot", [inside, *_]):
            return f"√{_grouped(inside)}"
    spaced = name == "mo" and text in _RELATIONS
    return f" {text} " if spaced else text + "".join(children)


def _scripted(base: str, raised: str, *, above: bool) -> str:
    raised = "".join(raised.split())
    small = script(raised, above=above)
    if small != raised or not raised:
        return base + small
    return base + ("^" if above else "_") + _grouped(raised)


def _grouped(text: str) -> str:
    text = text.strip()
    return text if re.fullmatch(r"[\w.]*", text) else f"({text})"
