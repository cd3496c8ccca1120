"""What of a field is the abstract: its parts with their headings, without what is around it.

`abstract_text` takes the abstract as a source has it (a text, a list of parts, an object of
sections) and gives one text. Headings stay, apart from their sentences ("Results: We …").
Copyright lines and notes of databases at the end, "Abstract:" at the beginning, and words that
only say that there is no abstract are left out; the authors' sentences are not touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from assistant.reading.latex import readable
from assistant.reading.markup import plain, unescaped

__all__ = ["clean_abstract", "clean_text", "flattened", "is_placeholder"]

_NOTHING = re.compile(
    r"""(?: \W* | n/?a\.? | n\.a\. | null | none | nan | nil | undefined | unknown | \#n/?a
      | tba | tbd | not\ applicable | abstract | summary
      | (?:the\ |an?\ )?(?:abstract|summary)\ (?:is\ |was\ )?(?:not\ |un)
            (?:available|provided|supplied|found|present)
      | (?:there\ is\ )?no\ (?:abstract|summary)(?:\ text)?
            (?:\ (?:is\ |was\ )?(?:available|provided|supplied|found|present|given))?
      | (?:this|the)\ (?:article|paper|record|item|document|publication)
            \ (?:has|have|contains|does\ not\ (?:have|contain))\ (?:no|an?)\ abstract
      | not\ available | unavailable | no\ (?:data|information)(?:\ available)?
      )(?:\ (?:for|in|on)\ (?:this|the)\ \w+)?""",
    re.VERBOSE,
)

_YEAR = r"(?:19|20)\d\d"
_SIGN = r"(?:©|℗|\(\s*[cC]\s*\)|&copy;)"
_OWNED = (  # a notice of copyright, from its sign to the end
    rf"(?:(?:Crown\s+)?Copyright\s*:?\s*{_SIGN}?|{_SIGN})\s*(?:Copyright\s*)?,?\s*"
    rf"(?:{_YEAR}\b|(?:by\s+)?(?:The\s+)?Author|(?:the\s+)?[A-Z][^.!?]{{1,90}}?\b{_YEAR}\b"
    r"|[A-Z][\w&.,' -]{1,80}$)"
)
_BEHIND = re.compile(
    rf"""(?: (?<=\s){_SIGN}\s*{_YEAR}\b.{{0,400}}
           | (?<=[.!?)\]”"’'»]\s)(?: {_OWNED}.{{0,400}}
             | (?:[^.!?]{{0,80}}\.?\s)?All\ rights\ (?:are\ )?reserved\.?
             | Published\ (?:by|in)\ [A-Z][^!?]{{1,150}}
             | (?:This|The)\ (?:article|work|paper)\ is\ (?:protected\ by\ copyright
                 |licensed\ under|distributed\ under|published\ under).{{0,300}}
             | This\ is\ an\ open[ -]access\ article.{{0,400}}
             )
           | \(?\s*Psyc(?:INFO|Info)\s+Database\s+Record.{{0,400}}
           | \[ABSTRACT\ FROM\ (?:AUTHOR|PUBLISHER)S?\].{{0,1500}}
           | (?<=[.!?)\]”"’'»]\s)Copyright\ of\ .{{3,200}}\ is\ the\ property\ of\ .{{0,1200}}
           | \[(?:This|Abstract)\ [^\]]{{0,80}}(?:corrected|shortened|truncated)[^\]]{{0,80}}\]
       )\s*$""",
    re.VERBOSE | re.DOTALL,
)
_HINTS: tuple[str, ...] = (
    "©",
    "℗",
    "(c)",
    "(C)",
    "opyright",
    "eserved",
    "ublished",
    "Psyc",
    "ABSTRACT FROM",
)
_HINTS += ("licensed", "distributed", "open access", "open-access", "[This", "[Abstract", "( c")
"""One of these stands in every notice: most abstracts need not be searched."""
_BEFORE = re.compile(
    r"\s*(?:\[?(?:Abstract|ABSTRACT|Summary|SUMMARY)\]?\s*(?:[:—–]|\.(?=\s)|-(?=\s))\s*"
    r"|ABSTRACT\s+(?=[A-Z][a-z])|Abstract(?=[A-Z][a-z]))"
)

# Headings of structured abstracts, in every field that writes them.
_PARTS = (
    "Aims?(?: and [Oo]bjectives?)?|Background(?: and (?:[Aa]ims?|[Oo]bjectives?|[Pp]urpose))?"
    "|Conclusions?|Context|Data [Ss]ources?|Design(?:/methodology/approach)?|Discussion"
    "|Findings|Implications|Importance|Introduction|Limitations|Main [Oo]utcome [Mm]easures?"
    "|Materials? and [Mm]ethods|Measurements?|Methods?|Methodology|Motivation|Objectives?"
    "|Originality/value|Outcomes?|Participants|Patients(?: and [Mm]ethods)?|Practical implications"
    "|Purpose|Rationale|Research limitations/implications|Results?|Setting|Significance"
    "|Study [Dd]esign|Summary"
)
_GLUED_PART = re.compile(rf"(?P<before>^|[.!?:)\]]\s*|\s)(?P<name>{_PARTS})(?=[A-Z][a-z]*\b)")
_GLUED_HINT = re.compile(rf"(?:{_PARTS})(?=[A-Z])")
_CAPITALS_HINT = re.compile(r"[.!?][A-Z][A-Z /&,-]{3}")
_COLON_HINT = re.compile(r":[A-Z\d]")
_GLUED_CAPITALS = re.compile(r"(?<=[a-z0-9%)\]][.!?])(?=[A-Z][A-Z /&,-]{3,60}:)")
_TIGHT_COLON = re.compile(r"(?:(?<=^)|(?<=[.!?] ))([A-Z][A-Z /&,-]{3,60}):(?=[A-Z\d])")


def is_placeholder(text: str) -> bool:
    """Whether a text only says that there is none."""
    if len(text) > 120:
        return False
    bare = " ".join(text.casefold().split()).strip("[](){}<>.:;*\"'“” ")
    return _NOTHING.fullmatch(bare) is not None


def clean_text(text: str, *, bibtex: bool = False) -> str:
    """A title, a name, a venue, a sentence: without mark-up and LaTeX."""
    if "\\&" in text:  # Web of Science escapes what is escaped already: "p\&lt;0.05"
        text = re.sub(r"\\&(?=#?\w{2,8};)", "&", text)
    text = readable(plain(text), braces=bibtex)
    return unescaped(text) if "&" in text else text


def clean_abstract(text: str, *, bibtex: bool = False) -> str:
    """The abstract alone; empty where the text only says that there is none."""
    if is_placeholder(text):
        return ""
    text = " ".join(clean_text(text, bibtex=bibtex).split())
    if begun := _BEFORE.match(text):
        text = text[begun.end() :]
    text = _without_notices(text)
    return "" if is_placeholder(text) else _parted(text)


def flattened(value: object, depth: int = 0) -> str:
    """A structured abstract as one text: a list of parts, an object of sections, or both."""
    if depth > 6:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return " ".join(filter(None, (flattened(part, depth + 1) for part in value)))
    if not isinstance(value, Mapping):
        return ""
    named = {str(name).casefold(): part for name, part in value.items()}
    label = next((named[n] for n in _LABELS if isinstance(named.get(n), str)), "")
    body = next((named[n] for n in _BODIES if named.get(n)), None)
    if body is not None:
        return _labelled(str(label), flattened(body, depth + 1))
    parts = [_labelled(str(name), flattened(part, depth + 1)) for name, part in value.items()]
    return " ".join(filter(None, parts))


_LABELS = ("label", "heading", "section", "name", "title", "nlmcategory", "@label")
_BODIES = ("text", "value", "content", "body", "abstract", "paragraphs", "sections", "#text", "p")


def _labelled(label: str, text: str) -> str:
    label = label.strip().rstrip(":.")
    if not label or not text or label.casefold() in ("abstract", "p", "text", "unlabelled"):
        return text
    return f"{label}: {text}"


def _without_notices(text: str) -> str:
    """Without what publishers and databases write behind an abstract."""
    tail = text[-2000:]
    if not any(map(tail.__contains__, _HINTS)):
        return text
    for _ in range(4):
        found = _BEHIND.search(text, max(0, len(text) - 2000))
        if found is None or found.start() == 0:
            break
        text = text[: found.start()].rstrip(" (\t")
    return text


def _parted(text: str) -> str:
    """Headings that run into the sentence behind them, apart from it."""
    if _CAPITALS_HINT.search(text):
        text = _GLUED_CAPITALS.sub(" ", text)
    if _COLON_HINT.search(text):
        text = _TIGHT_COLON.sub(r"\1: ", text)
    if _GLUED_HINT.search(text) and len(_GLUED_PART.findall(text)) >= 2:  # one alone may be a name
        text = _GLUED_PART.sub(r"\g<before>\g<name>: ", text)
    return text
