"""Wording: a sentence of an abstract so that it reads well apart from its abstract.

Lead-ins that point to what stood before go ("However, ", "In this paper, "); "we", "it" and
"this method" become the authors or the paper by name; of an over-long sentence the parts that
matter for the question are kept, and "…" stands for the rest. Nothing else is touched: every
word that remains is the abstract's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answering.evidence import NUMBER
from assistant.answering.question import Question
from assistant.paper import Paper
from assistant.text import STOP_WORDS, terms

__all__ = ["short_name", "shortened", "standing_alone"]

_TOO_SHORT = 8
"""Characters that must remain of a sentence."""
LONG = 50
"""Words from which a sentence is shortened."""

_LEAD_IN = re.compile(
    r"""^(?:
        (?:however|moreover|furthermore|additionally|in\ addition|specifically|in\ particular
          |notably|finally|besides|thus|therefore|hence|consequently|as\ a\ result|accordingly
          |remarkably|importantly|interestingly|surprisingly|more\ importantly|in\ this\ way
          |to\ this\ end|in\ this\ (?:paper|work|study|article|report|survey)|in\ contrast
          |on\ the\ other\ hand|meanwhile|overall|in\ summary|in\ conclusion|in\ short|indeed
          |also|then|further|first(?:ly)?|second(?:ly)?|third(?:ly)?|lastly|here|crucially
          |that\ is|concretely|in\ other\ words|for\ this\ (?:purpose|reason)|subsequently
          |inspired\ by\ (?:this|these|that)[^,]{0,60}|motivated\ by\ (?:this|these)[^,]{0,60}
          |to\ (?:address|tackle|overcome|mitigate|solve|bridge|fill|achieve|alleviate)
             \ (?:this|these|that|it)\b[^,]{0,60}
        ),\s+
        |(?:and|but|yet|so)\ (?=[a-z])
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_THING = (
    r"(?:method|approach|model|framework|technique|strategy|system|algorithm|architecture"
    r"|network|paper|work|study|solution|scheme|procedure|pipeline|mechanism|design|module"
    r"|benchmark|dataset|data\ set|survey|tool|library|formulation|proposal|paradigm)"
)
_THIS_THING = re.compile(
    rf"^(?:this|the\ proposed|the\ resulting|our(?:\ proposed|\ new|\ novel)?|the\ present)"
    rf"\ (?:simple\ |new\ |novel\ )?{_THING}\b(?=\ [a-z])(?!\ of\b)",
    re.IGNORECASE | re.VERBOSE,
)
_IT = re.compile(
    r"^it(?=\ (?!is\ (?:well|known|important|possible|clear|shown|found|crucial)))", re.I
)
_LATER_IT = re.compile(
    r"^((?:on|in|at|for|with|across|under|over|by|from|when|while|after|during)\ [^.;:]{2,70}?\ )"
    r"(?:this|it|the\ (?:proposed\ )?(?:method|approach|model|framework))"
    r"(?=\ (?:also\ |even\ )?(?:is|was|has|can|could|makes?|[a-z]{2,}s)\b)",
    re.IGNORECASE | re.VERBOSE,
)
_WE = re.compile(r"^we(?=\ )", re.IGNORECASE)
_THEY = re.compile(r"^they(?=\ )", re.IGNORECASE)
_OUR_RESULTS = re.compile(
    r"^our (?P<what>(?:\w+ ){0,3}?(?:findings|results?|experiments?|evaluations?|analys[ie]s"
    r"|stud(?:y|ies)|work|theory|framework|investigation|observations?|contributions?|code|benchmark|proofs?))"
    r"\b(?! of)",
    re.IGNORECASE,
)
_ENUMERATOR = re.compile(r"^\W*(?:\(?(?:\d|[ivx]{1,4}|[a-e])\)|\d\.)\s+")
_MARKER = re.compile(r"\[(\d+(?:\s*[,–-]\s*\d+)*)\]")  # the abstract's own would look like ours
_I = re.compile(r"^I(?=\ (?:then\ |also\ |first\ |further\ )?[a-z])", re.VERBOSE)
_INNER_WE, _INNER_OUR = re.compile(r"\bwe\b"), re.compile(r"\bour\b")
_INNER = (
    (re.compile(r"\bI\b(?= [a-z])"), "the author"),
    (re.compile(r"\bmy\b"), "the author's"),
    (re.compile(r"\bwe\b"), "they"),
    (re.compile(r"\bour\b"), "their"),
    (re.compile(r"\bours\b"), "theirs"),
    (re.compile(r"\bus\b"), "them"),
    (re.compile(r"\bourselves\b"), "themselves"),
)
_PART = re.compile(r"(?<=[;:])\s+|(?<=,)\s+|\s+(?=\((?:\d|[ivx]+|[a-e])\)\s)|\s+(?=\d\)\s)")
_PARENTHESIS = re.compile(r"\s*\([^()]{25,}\)")


def short_name(paper: Paper) -> str:
    """What people call the paper: the name before the colon of its title, else the title."""
    head, colon, _ = paper.label.partition(":")
    if colon and 0 < len(head.split()) <= 4 and re.search(r"[A-Z0-9]", head):
        return head.strip()
    return f"“{paper.label}”"


def standing_alone(text: str, paper: Paper, *, named: bool) -> str:
    """``text`` without lead-in and with its subject named.

    Args:
        named: whether the sentence before it in the answer is of the same paper, so that
            "the authors" and "it" are clear already.
    """
    sentence = _without_lead_in(_ENUMERATOR.sub("", _MARKER.sub(r"(\1)", text.strip())))
    name = short_name(paper)
    we, ours, i = _WE.match(sentence), _OUR_RESULTS.match(sentence), _I.match(sentence)
    if ours:
        of = "" if named else f" of {name}"
        sentence = f"The {ours['what']}{of}" + sentence[ours.end() :]
    elif i:
        subject = "The author" if named else f"The author of {name}"
        sentence = subject + sentence[i.end() :]
    elif we:
        subject = "The authors" if named else f"The authors of {name}"
        sentence = subject + sentence[we.end() :]
    elif not named:
        for pattern in (_THIS_THING, _IT):
            found = pattern.match(sentence)
            if found:
                sentence = name + sentence[found.end() :]
                break
        else:
            found = _THEY.match(sentence)
            if found:
                sentence = f"In {name}, they" + sentence[found.end() :]
            sentence = _LATER_IT.sub(rf"\g<1>{_escaped(name)}", sentence, count=1)
    if not named and name not in sentence:
        sentence = _with_somebody(sentence, name)
    for pattern, replacement in _INNER:
        sentence = pattern.sub(replacement, sentence)
    sentence = re.sub(r"^(?:Our|our)\b", "Their" if named else f"In {name}, their", sentence)
    sentence = _capitalised(sentence)
    return sentence if sentence[-1:] in ".!?" else sentence.rstrip(" ,;:") + "."


def _with_somebody(sentence: str, name: str) -> str:
    """``sentence`` with the paper named where it speaks of "we" or "our" further on."""
    if _INNER_WE.search(sentence):
        return _INNER_WE.sub(f"the authors of {_escaped(name)}", sentence, count=1)
    if _INNER_OUR.search(sentence) and not sentence.startswith(("Our", "our")):
        first = sentence.split(" ", 1)[0].casefold()
        if first in STOP_WORDS:
            sentence = sentence[0].lower() + sentence[1:]
        return f"In {name}, {sentence}"
    return sentence


def _escaped(name: str) -> str:
    """``name`` as the replacement of a substitution takes it."""
    return name.replace("\\", r"\\")


def _without_lead_in(sentence: str) -> str:
    for _ in range(2):
        found = _LEAD_IN.match(sentence)
        if not found or len(sentence) - found.end() < _TOO_SHORT:
            break
        sentence = _capitalised(sentence[found.end() :])
    return sentence


def _capitalised(sentence: str) -> str:
    """With a capital first letter, unless the first word is a name such as "u-μP" or "xLSTM"."""
    first = sentence.split(" ", 1)[0]
    if re.search(r"[A-Z\d]", first[1:]):
        return sentence
    return sentence[:1].upper() + sentence[1:]


def shortened(text: str, question: Question, words: int = LONG) -> str:
    """``text`` cut to about ``words`` words around what matters for ``question``.

    The first part stays, as it holds the subject; then the parts that share most with the
    question, or hold a number when one is wanted, in their order.
    """
    if len(text.split()) <= words:
        return text
    text = _PARENTHESIS.sub("", text)
    parts = _PART.split(text)
    if len(text.split()) <= words or len(parts) < 3:
        return text
    kept = {0}
    used = len(parts[0].split())
    for n in sorted(range(1, len(parts)), key=lambda n: -_worth(parts[n], question)):
        size = len(parts[n].split())
        if used + size <= words or len(kept) == 1:
            kept.add(n)
            used += size
    return _joined(parts, sorted(kept))


def _worth(part: str, question: Question) -> float:
    numbered = 0.25 * (question.wants_number and NUMBER.search(part) is not None)
    return question.coverage(set(terms(part))) + numbered


def _joined(parts: Sequence[str], kept: Sequence[int]) -> str:
    pieces: list[str] = []
    for at, n in enumerate(kept):
        if at and kept[at - 1] != n - 1:
            pieces[-1] = pieces[-1].rstrip(",;")
            pieces.append("…")
        pieces.append(parts[n])
    joined = " ".join(pieces)
    if kept[-1] != len(parts) - 1:
        joined = joined.rstrip(",;: ") + " …"
    return joined
