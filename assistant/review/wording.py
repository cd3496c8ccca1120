"""Wording for reviews: sentences of abstracts with their subject named, short names, fragments.

On top of `assistant.answering.wording`: "We propose X, a method that …" becomes "X is a method
that …", "we show" becomes "X shows", and a sentence without a subject of its own is led in by
"In X, …". Every other word stays the abstract's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answering.wording import short_name, standing_alone
from assistant.paper import Paper
from assistant.text import STOP_WORDS

__all__ = [
    "VERBS",
    "attributed",
    "clean",
    "clipped",
    "counted",
    "joined",
    "name_of",
    "prose",
    "unopened",
]

LONG = 56
"""Words above which a sentence of a section is clipped."""
_TITLE_WORDS = 9
_TITLE_CHARACTERS = 90
VERBS = {
    "propose": "proposes", "introduce": "introduces", "present": "presents", "show": "shows",
    "develop": "develops", "describe": "describes", "design": "designs", "study": "studies",
    "investigate": "investigates", "explore": "explores", "examine": "examines",
    "demonstrate": "demonstrates", "find": "finds", "observe": "observes", "prove": "proves",
    "provide": "provides", "analyze": "analyzes", "analyse": "analyses", "evaluate": "evaluates",
    "compare": "compares", "extend": "extends", "revisit": "revisits", "consider": "considers",
    "offer": "offers", "establish": "establishes", "apply": "applies", "adopt": "adopts",
    "leverage": "leverages", "exploit": "exploits", "formulate": "formulates", "argue": "argues",
    "identify": "identifies", "devise": "devises", "conduct": "conducts", "use": "uses",
    "address": "addresses", "report": "reports", "derive": "derives", "suggest": "suggests",
    "benchmark": "benchmarks", "build": "builds", "create": "creates", "achieve": "achieves",
    "reveal": "reveals", "train": "trains", "test": "tests", "review": "reviews",
    "survey": "surveys", "discuss": "discusses", "perform": "performs", "employ": "employs",
    "focus": "focuses", "aim": "aims", "take": "takes", "make": "makes", "reduce": "reduces",
    "improve": "improves", "obtain": "obtains", "compress": "compresses", "answer": "answers",
    "scale": "scales", "pose": "poses", "combine": "combines", "integrate": "integrates",
    "replace": "replaces", "highlight": "highlights", "verify": "verifies", "validate": "validates",
    "characterize": "characterizes", "quantify": "quantifies",
    "seek": "seeks", "undertake": "undertakes", "tackle": "tackles", "attribute": "attributes",
}  # fmt: skip
_NEW = "(?:propose|introduce|present|develop|describe|design|devise|offer|build)"
_INSPIRED = re.compile(r"(?:inspired|motivated|drawing|building|based|grounded)\b", re.IGNORECASE)
_ADVERB = r"(?P<adverb>\w+ly |also |then |first |further |thus |therefore )?"
_ARTICLE = r"(?:an?|the|one|two|three|four|compatible|designed|tailored|capable|able|built|aimed)"
_THIS_PAPER = re.compile(
    r"^(?:this|the present|our|the) (?:paper|work|study|article|survey|report|manuscript)\b"
    r"(?! (?:of|on)\b)",
    re.IGNORECASE,
)
_SUBJECTLESS = re.compile(
    r"^(?:in this (?:paper|work|study|article|survey|report)|here),?\s+", re.IGNORECASE
)
_PURPOSE = re.compile(
    r"^(?:(?:to|for|in order to|motivated by|inspired by|building (?:up)?on|based on|with|given"
    r"|by|in response)\b[^,.;]{1,60}\b(?:this|these|that|those|such|above)\b[^,.;]{0,80}"
    r"|for instance|for example|for the first time|in response|in this (?:paper|work|study|article"
    r"|survey)|in light of this|on this basis|as a (?:remedy|solution|result)|additionally"
    r"|in contrast to [^,.;]{1,60}|to fill (?:in )?[^,.;]{1,40}gap"
    r"|for this (?:purpose|reason)|to do so|to that end|to this end|to the best of our knowledge"
    r"|as a first step|in this technical report|on the one hand|on the other hand|in detail"
    r"|at the same time|nevertheless|nonetheless|taken together|unfortunately|in fact|as such|hence"
    r"|\w+ing (?:this|these|that|those|such) [^,.;]{1,60}),\s+",
    re.IGNORECASE,
)
_MARKS = re.compile(r"\s*\[\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*\]")
_CLAUSE = re.compile(r"(?<=\w)\.\s+(?=[A-Z])|,\s+|;\s+|:\s+|\s+--+\s*|\s+[–—]\s+")
_SUBORDINATE = re.compile(
    r"(?:[^,]{0,120}, )?(?:although|while|despite|when|if|by|with|to|given|for|in|using|unlike|as"
    r"|because|since|under|on|at|compared|motivated|based|building|due|through|from|without)\b",
    re.IGNORECASE,
)
_PARENTHESIS = re.compile(r"\s*\([^()]{12,}\)")
_LATEX = (
    (re.compile(r"\\(?:text(?:bf|it|tt|sc)?|emph|math(?:rm|bf|cal))\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\(?:times|cdot)\b"), "×"),
    (re.compile(r"\\(?:sim|approx)\b"), "~"),
    (re.compile(r"\\([%&_#$])"), r"\1"),
    (re.compile(r"\$([^$]{1,40})\$"), r"\1"),
    (re.compile(r"\\?[{}]"), ""),
    (re.compile(r"``|''"), '"'),
    (re.compile(r"(?<=\d)times\b"), "×"),
    (re.compile(r"\bsim(?=\d)"), "~"),
    (re.compile(r"(?<=[a-z])x201[34](?=[a-z])"), "–"),
    (re.compile(r"\bgeq (?=\d)"), "≥ "),
)  # fmt: skip


def clean(text: str) -> str:
    """``text`` without LaTeX that a reader would stumble over, and without reference marks."""
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    return " ".join(_MARKS.sub("", text).split())


def name_of(paper: Paper) -> str:
    """What the text calls the paper.

    The name before the colon of its title if its abstract uses that name, too; else the title in
    quotation marks, without what stands behind the colon, and cut if it is long.
    """
    head, colon, _ = clean(paper.label).partition(":")
    head = head.strip()
    if colon and 0 < len(head.split()) <= 4 and re.search(r"[A-Z0-9]", head):
        known = not paper.abstract or head.casefold() in paper.abstract.casefold()
        if len(head.split()) == 1 or known:
            return head[:_TITLE_CHARACTERS]
    title = re.sub(r"[\"“”]", "'", clean(paper.label))
    if colon and len(head.split()) >= 3:
        title = title.partition(":")[0].strip()
    words = title.split()
    if len(words) <= _TITLE_WORDS + 2 and len(title) <= _TITLE_CHARACTERS:
        return f"“{title}”"
    short = " ".join(words[:_TITLE_WORDS])[:_TITLE_CHARACTERS].rstrip(" ,;:-")
    return f"“{short}…”"


def attributed(text: str, paper: Paper, *, named: bool = False) -> str:
    """A sentence of ``paper``'s abstract that can stand anywhere in a review.

    Args:
        named: whether the sentence before it is of the same paper, or it is about the field.
    """
    name = name_of(paper)
    sentence = unopened(clean(text))
    sentence = re.sub(rf"\b[Oo]ur (?={re.escape(name)}\b)", "", sentence)
    ours = _THIS_PAPER.match(sentence)
    if ours and not named:
        predicate = sentence[ours.end() :].strip()
        defined = _as_definition(re.sub(r"^(\w+?)s\b", r"\1", predicate), name)
        sentence = defined or f"{name} {predicate}"
    if not named:
        sentence = _with_subject(sentence, name)
    stands = standing_alone(sentence, paper, named=named)
    usual = clean(short_name(paper))
    if usual != name:
        stands = re.sub(
            rf"^((?:The (?:[\w-]+ ){{1,6}}of |In |For )?){re.escape(usual)}(?=[ ,’'])",
            lambda found: found[1] + name,
            stands,
        )
    if not named and not _names(stands, name):
        stands = f"In {name}, {_lowered(stands, paper.abstract)}"
    return stands


def unopened(sentence: str) -> str:
    """Without phrases at its beginning that point to what stood before."""
    for pattern in (_PURPOSE, _SUBJECTLESS, _PURPOSE):
        sentence = _capitalised(pattern.sub("", sentence))
    return sentence


def _with_subject(sentence: str, name: str) -> str:
    """Names who "we" are: X is a …; (…,) X shows; else the authors of X show."""
    found = re.match(rf"^(?P<lead>[^.;]{{0,160}}?, )?[Ww]e {_ADVERB}(?P<verb>\w+)\b", sentence)
    if not found:
        return re.sub(r"^([^,.;]{0,120}, )it (?=\w+s\b)", lambda m: f"{m[1]}{name} ", sentence)
    lead, verb = found["lead"] or "", found["verb"]
    rest = sentence[found.end() :]
    if not lead or _INSPIRED.match(lead):
        defined = _as_definition(f"{verb}{rest}", name)
        if defined:
            return f"{lead}{defined}"
    again = re.search(r"\b(?:and|or|then)(?: \w+ly| then| also)? (\w+)\b", rest)
    plural = (
        verb not in VERBS
        or (again is not None and again[1] in VERBS)
        or (_names(rest, name) and not name.startswith("“"))
    )
    if plural:
        return _capitalised(f"{lead}the authors of {name} {found['adverb'] or ''}{verb}{rest}")
    return f"{lead}{name} {found['adverb'] or ''}{VERBS[verb]}{rest}"


def _as_definition(predicate: str, name: str) -> str:
    """What "propose X, a …" says of X, where X is the paper's name; empty where it is not."""
    bare = re.escape(name)
    follows = rf"(?P<what>{_ARTICLE}\b.*)$"
    patterns = (
        rf"^{_NEW} {bare}(?: \([^()]*\))?(?:,| -+| [–—])? (?:which is )?{follows}",
        rf"^{_NEW} (?P<full>[^,()]{{3,90}}) \({bare}\)(?:,| -+| [–—]) {follows}",
        rf"^{_NEW} (?P<kind>{_ARTICLE} [^,.;()]{{3,80}}?)(?:, |,? (?:called|named|termed|dubbed"
        rf"|namely|"
        rf"coined),? | ){bare}(?: \([^()]*\))?,? (?P<tail>(?:that|which|for|to) .*)$",
        rf"^{_NEW} {bare}(?: \([^()]*\))?, (?:which|that) (?P<does>(?:\(\w\) )?\w+s\b.*)$",
    )
    for pattern in patterns:
        found = re.match(pattern, predicate)
        if not found:
            continue
        parts = found.groupdict()
        if parts.get("does"):
            return f"{name} {parts['does']}"
        if parts.get("kind"):
            return f"{name} is {parts['kind']} {parts['tail']}"
        full = f" ({parts['full']})" if parts.get("full") else ""
        return f"{name}{full} is {parts['what']}"
    return ""


def _names(sentence: str, name: str) -> bool:
    bare = name.strip("“”…")
    return bare.casefold() in sentence.casefold()


def _lowered(sentence: str, abstract: str) -> str:
    """With a small first letter, unless the first word is a name or an acronym."""
    first = re.split(r"[ ,-]", sentence, maxsplit=1)[0]
    if re.search(r"[A-Z\d]", first[1:]) or first == "I":
        return sentence
    low = first.lower()
    usual = low in STOP_WORDS or first in _COMMON_FIRST or f" {low}" in abstract
    return sentence[:1].lower() + sentence[1:] if usual else sentence


_COMMON_FIRST = frozenset(
    re.findall(
        r"\S+",
        """Experiments Experimental Extensive Results Empirical Empirically Evaluations Evaluation
    Compared Using Many Based Building Theoretical Theoretically Numerical Quantitative Qualitative
    Comprehensive Ablation Large Recent Existing Current Traditional Conventional Across Among
    Unlike Notably Starting Simulation Simulations Applying Analysis Tests Various Several
    Different Removing Evaluated Evaluating Performance Accuracy Gains Progress Leveraging
    Although While Despite Whereas Though Alleviating Optimal Combining Implemented""",
    )
)


def _capitalised(sentence: str) -> str:
    first = sentence.split(" ", 1)[0]
    if re.search(r"[A-Z\d]", first[1:]):
        return sentence
    return sentence[:1].upper() + sentence[1:]


def clipped(text: str, words: int) -> str:
    """``text`` in about ``words`` words: without brackets, then ended after a clause, by "…"."""
    text = text.strip()
    if len(text.split()) <= words:
        return text
    text = _PARENTHESIS.sub("", text)
    if len(text.split()) <= words:
        return text
    kept, subordinate = "", _SUBORDINATE.match(text) is not None
    for found in _CLAUSE.finditer(text):
        head = text[: found.start()]
        if len(head.split()) > words:
            break
        if head.count("(") == head.count(")"):
            if subordinate and not kept and found.group().startswith(","):
                subordinate = False  # what it is subordinate to follows
                continue
            kept = head
    if len(kept.split()) < max(6, words // 3):
        kept = " ".join(text.split()[:words])
    return kept.rstrip(" ,;:–-.") + " …"


def prose(text: str) -> str:
    """A sentence of a section, clipped where it is long."""
    return clipped(text, LONG)


def joined(parts: Sequence[str], last: str = "and") -> str:
    """One after the other: A, B and C."""
    if len(parts) <= 1:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve")  # fmt: skip


def counted(number: int, noun: str = "paper", plural: str = "") -> str:
    """Three papers, one paper, 14 papers; without a noun the number alone."""
    word = _WORDS[number] if number < len(_WORDS) else f"{number:,}"
    if not noun:
        return word
    return f"{word} {noun if number == 1 else plural or noun + 's'}"
