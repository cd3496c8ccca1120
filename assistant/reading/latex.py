"""LaTeX residue in titles and abstracts, turned into text that a person reads.

`readable` promises: it never raises, it is idempotent, and text without LaTeX comes back
untouched. Abstracts are prose with LaTeX in it, not LaTeX documents, so only the pieces that are
unmistakably LaTeX (macros, formulas, accents, escapes, braced sub- and superscripts, ties) go to
pylatexenc, each by itself; numbers above and below the line become Unicode's (10⁻³, CO₂). Macros
that lost their backslash on the way are mended where a number says so (``sim50%``, ``8times``).
What means something else in prose stays: ``30% of``, ``about ~2%``, ``snake_case``, ``$95``,
addresses with ``~`` and ``_``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pylatexenc.latex2text import LatexNodes2Text  # type: ignore[import-untyped]
    from pylatexenc.latexwalker import LatexMacroNode  # type: ignore[import-untyped]
    from pylatexenc.macrospec import LatexContextDb  # type: ignore[import-untyped]

__all__ = ["readable", "script"]

_MARKS = ("\\", "$", "~", "{", "}", "``")
_ROUNDS = 5  # residue that was escaped twice needs two passes; more than five is not LaTeX

_INTEREST = re.compile(r"\\|\$|[_^]\{|\{[A-Z]+\}|[\w.,)\]}]~|``")
_LOST_BACKSLASH = re.compile(
    r"(?<![\w\\])(?P<sign>sim|approx|leq|geq|pm|textless|textgreater)"
    r"(?=\d[\d.,]*(?:\\?%|[×x](?!\w)|[kKMBGT](?!\w)|[KMGT]B\b|[^\w]|$))"
    r"|(?<=\d)(?P<times>times)(?![A-Za-z])"
)
_SIGNS = {"sim": "∼", "approx": "≈", "leq": "≤", "geq": "≥", "pm": "±"}
_SIGNS |= {"textless": "<", "textgreater": ">"}
_LOST_HINT = re.compile(r"\d(?:t|(?<=[mqrsx]\d))")
"""How a lost sign or ``times`` meets its number: most texts need not be searched further."""

# The inside of braces, nested up to three deep; possessive, so that it never backtracks.
_INSIDE = r"(?:[^{}\\]|\\.)*+"
for _depth in range(3):
    _INSIDE = rf"(?:[^{{}}\\]|\\.|\{{{_INSIDE}\}})*+"

_SEGMENT = re.compile(
    rf"""
    (?=[\\${{}}_^`~]|https?:)(?:
      (?P<address>https?://[^\s{{}}<>"$]+)
    | \\(?:url|path)\s*\{{(?P<target>[^{{}}]*)\}}
    | \\href\s*\{{[^{{}}]*\}}\s*\{{(?P<shown>{_INSIDE})\}}
    | (?P<environment>\\begin\{{(?P<name>\w+\*?)\}}.{{0,5000}}?\\end\{{(?P=name)\}})
    | (?P<dollars>\${{1,2}})(?=\S)(?P<sure>(?=[^$]{{0,400}}?[\\^_]))?
        (?P<formula>(?:[^$\\]|\\.){{1,400}}?)(?<=\S)(?P=dollars)(?(sure)|(?!\d))
    | (?P<display>\\\[.{{1,400}}?\\\]|\\\(.{{1,400}}?\\\))
    | (?P<accent>\\["'`^~=.]\s?(?:\{{{_INSIDE}\}}|\\[ij](?![A-Za-z])|[A-Za-z])
               | \\[cvHudbkrt](?:\s?\{{{_INSIDE}\}}|\s+[A-Za-z](?![A-Za-z])))
    | (?P<group>\{{\s*\\(?![{{}}]){_INSIDE}\}})
    | (?P<letter>\\(?:ss|oe|OE|ae|AE|aa|AA|o|O|l|L|i|j))(?:\{{\}}|\s(?=[a-z])|(?![A-Za-z]))
    | (?P<macro>\\[A-Za-z]+\*?(?:\[[^\[\]]*\])?(?:\{{{_INSIDE}\}})*)
    | \\(?P<escape>[%&_\#${{}}])
    | (?P<space>\\[\s,;:!/\\-])
    | (?P<script>[_^]\{{{_INSIDE}\}})
    | ``(?P<quoted>[^`]{{1,400}}?)(?:''|")
    | (?<=[A-Za-z])\{{(?P<after>[A-Z]+)\}} | \{{(?P<before>[A-Z]+)\}}(?=[A-Za-z])
    | (?P<tie>(?:(?<=[^\W\d_][^\W\d_])|(?<=[.,)\]}}]))~(?=[\w\\(\[$])|(?<=\d)~(?=[^\W\d_]))
    | (?P<brace>[{{}}])
    )""",
    re.VERBOSE | re.DOTALL,
)
_MACRO = re.compile(r"\\([A-Za-z]+)\*?(\s*\{\s*\}|(?=\s*\{))?")
_COMPOUND_SCRIPT = re.compile(r"([_^])\{([^{}()]*[\w)}\s][-+=<>,/|\s][^{}()]*)\}")
_SCRIPT = re.compile(
    r"([_^])(?:\{\s*([-+−]?\d*[-+−]?)\s*\}|(\d))|\\text(super|sub)script\s*\{([^{}]*)\}"
)
_DEGREE = re.compile(r"\^(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))\s*")
_SUPERSCRIPT = dict(zip("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ", strict=True))
_SUBSCRIPT = dict(zip("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎", strict=True))
_ADDRESS_ESCAPE = re.compile(r"\\([_%#&~$])(?:\{\})?")
_ONE_SIDED_OPERATOR = re.compile(r"(?<=[^\s(])([×·≤≥±→∼≈≪≫∈]) (?=\S)|(?<=\S) ([→∈])(?=\S)")
# What leaves nothing to read: switches of the type, references to what an abstract does not hold.
_SWITCHES = ("bf", "cal", "em", "it", "large", "rm", "sc", "sf", "sl", "small", "tt")
_REFERENCES = ("cite", "citep", "citet", "footnote", "label")
_FRACTIONS = ("frac", "nicefrac")
_FRACTION = re.compile(r"\\[dtcs]frac(?![A-Za-z])")
"""Fractions that only look otherwise."""
_OPERAND = re.compile(r"[\w.′']*|√?\([^()]*\)")
_MULTIPLIED = re.compile(
    r"\s*(?:[A-Za-z0-9(\[{]|\\(?:left|log|ln|exp|sqrt|[dt]?frac|sum|prod|alpha|beta|gamma|delta"
    r"|epsilon|varepsilon|lambda|mu|nu|pi|rho|sigma|tau|phi|varphi|omega|theta|kappa|eta)\b)"
)
"""What is multiplied by the fraction that stands before it."""
_STYLED_LETTER = re.compile("[\U0001d400-\U0001d7ff]+")


def readable(text: str, *, braces: bool = False) -> str:
    """``text`` with its LaTeX turned into Unicode; unchanged where it cannot be understood.

    Args:
        text: a title, an abstract, a name.
        braces: drop bare braces as well, as in BibTeX, where they only protect capitals.

    """
    if not _is_marked(text) and not (braces and ("-" in text or "`" in text)):
        return _mended(text)
    current = _one_pass(_typeset(text) if braces else text, braces=braces)
    for _ in range(_ROUNDS):
        following = _one_pass(current, braces=False)
        if following == current:
            break
        current = following
    else:
        return text
    if braces:
        current = _quoted(current)
    return current if current.strip() else text


def script(text: str, *, above: bool) -> str:
    """``text`` above or below the line, as Unicode has it; as it is where Unicode does not."""
    letters = _SUPERSCRIPT if above else _SUBSCRIPT
    return "".join(letters.get(c, c) for c in text) if all(c in letters for c in text) else text


def _mended(text: str) -> str:
    """Macros before and behind numbers that lost their backslash: ``sim50%``, ``8times``."""

    def replacement(match: re.Match[str]) -> str:
        return "×" if match["times"] else _SIGNS[match["sign"]]

    return _LOST_BACKSLASH.sub(replacement, text) if _LOST_HINT.search(text) else text


def _is_marked(text: str) -> bool:
    """Whether one of the marks stands in the text without which there is no LaTeX."""
    return any(map(text.__contains__, _MARKS))


def _typeset(text: str) -> str:
    """What BibTeX's own notation means: marks protected by braces, runs of hyphens."""
    if "{" in text:
        text = re.sub(r"\{(``|\'\'|\"|-{1,3})\}", r"\1", text)
    if "--" not in text:
        return text
    text = re.sub(r"(?<!-)---(?!-)", "—", text)
    return re.sub(r"(?<![-\W])--(?![-\W])|(?<= )--(?= )", "–", text)


def _quoted(text: str) -> str:
    """Quotation marks of TeX that did not come in pairs."""
    return text.replace("``", "“").replace("''", "”")


def _one_pass(text: str, *, braces: bool) -> str:
    text = _mended(text)
    if not _is_marked(text) or not (braces or _INTEREST.search(text)):
        return text

    def replacement(match: re.Match[str]) -> str:
        if match["brace"]:
            return "" if braces else match["brace"]
        return _segment(match)

    return _SEGMENT.sub(replacement, text)


def _segment(match: re.Match[str]) -> str:
    """The readable form of one piece that `_SEGMENT` found."""
    kind = match.lastgroup or ""
    whole = match.group()
    if kind in ("target", "shown", "escape", "after", "before"):
        text = match[kind]
    elif kind == "quoted":
        text = f"“{match[kind]}”"
    elif kind == "address":
        text = _ADDRESS_ESCAPE.sub(r"\1", whole)
    elif kind in ("tie", "space"):
        text = "" if whole in ("\\-", "\\/", "\\!") else " "
    elif kind == "formula":
        text = _converted(whole, formula=True) if _is_formula(match[kind]) else whole
    else:
        text = _converted(match["letter"] or whole, formula=kind in ("display", "script"))
    return text


def _is_formula(inside: str) -> bool:
    """Whether what stands between two dollar signs is a formula, not prose between two prices."""
    bare = re.sub(r"\\[A-Za-z]+(\{[^{}]*\})?", "", inside)
    if re.search(r"[A-Za-z]{3,}\s+[A-Za-z]{3,}", bare):
        return False
    price = inside[0].isdigit() and not re.search(r"[\\^_=<>+]", inside)
    return not (price and (" " in inside or inside.count("(") != inside.count(")")))


@lru_cache(maxsize=4096)
def _converted(latex: str, *, formula: bool = False) -> str:
    """One piece through pylatexenc; as it was when that fails."""
    source = _FRACTION.sub(r"\\frac", _DEGREE.sub("°", latex))
    if formula or "script" in latex:
        source = _SCRIPT.sub(_unicode_script, source)
    source = _COMPOUND_SCRIPT.sub(r"\1{(\2)}", source) if formula else source
    source = _MACRO.sub(_without_unknown, re.sub(r"(?<!\\)%", r"\\%", source))
    if source[:1] in ("_", "^"):
        source = f"${source}$"
    try:
        text: str = _converter().latex_to_text(source, tolerant_parsing=False)
    except Exception:  # noqa: BLE001  a piece that cannot be parsed is not worth a paper
        return latex
    text = _STYLED_LETTER.sub(lambda m: unicodedata.normalize("NFKC", m.group()), text)
    text = " ".join(text.split())
    return _ONE_SIDED_OPERATOR.sub(r"\1\2", text) if formula else text


def _unicode_script(match: re.Match[str]) -> str:
    if match[4]:
        return script(match[5], above=match[4] == "super")
    return script(match[2] or match[3] or "", above=match[1] == "^")


def _without_unknown(match: re.Match[str]) -> str:
    """An author's own macro: its argument is what is read, else its name; never nothing."""
    name, follows = match.group(1), match.group(2)
    if name in ("begin", "end") or _texts().get_macro_spec(name) is not None:
        return match.group()
    return name if follows is None or follows else ""


@cache
def _texts() -> LatexContextDb:
    """What pylatexenc knows of macros, with what abstracts need besides."""
    from pylatexenc.latex2text import (  # noqa: PLC0415  heavy, and few papers need it
        MacroTextSpec,
        get_default_latex_context_db,
    )

    texts = get_default_latex_context_db()
    own = {
        "textless": "<",
        "textgreater": ">",
        "textbraceleft": "{",
        "textbraceright": "}",
        **dict.fromkeys(_SWITCHES + _REFERENCES, ""),
    }
    specs = [MacroTextSpec(name, simplify_repl=text) for name, text in own.items()]
    specs += [MacroTextSpec(name, simplify_repl=_fraction) for name in _FRACTIONS]
    texts.add_context_category("abstracts", macros=specs, prepend=True)
    return texts


def _fraction(node: LatexMacroNode, l2tobj: LatexNodes2Text) -> str:
    """A fraction on one line, in brackets where it would else be read as another."""
    upper, lower = (l2tobj.nodelist_to_text([part]).strip() for part in node.nodeargs)
    line = f"{_bracketed(upper)}/{_bracketed(lower)}"
    source = node.parsing_state.s
    before, following = source[: node.pos].rstrip(), source[node.pos + node.len :]
    raised = before.endswith(("^{", "_{")) and following.startswith("}")
    after = before[-1:].isdigit() or before.endswith(("/", "^", "_"))
    return f"({line})" if raised or after or _MULTIPLIED.match(following) else line


def _bracketed(text: str) -> str:
    """``text`` as one operand."""
    return text if _OPERAND.fullmatch(text) else f"({text})"


@cache
def _converter() -> LatexNodes2Text:
    import logging  # noqa: PLC0415

    from pylatexenc.latex2text import LatexNodes2Text  # noqa: PLC0415  see _texts

    # It warns of every oddity; a person who adds papers can do nothing about them.
    logging.getLogger("pylatexenc").setLevel(logging.CRITICAL)
    return LatexNodes2Text(latex_context=_texts(), math_mode="text", keep_comments=True)
