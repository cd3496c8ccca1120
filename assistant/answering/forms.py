"""The form of a question: what kind of answer it asks for, told from its grammar.

Only question words, function words and the nouns of scholarship ("papers", "methods", "data
sets") are looked at, never a topic, so that it works the same in every field. `asking` gives the
form with the topic that is left when the words around it are taken away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant.text import STOP_WORDS, terms

__all__ = ["Asking", "Form", "asking", "bare_topic", "evidence_text", "parts", "polite"]

Form = Literal[
    "fact", "list", "definition", "explanation", "comparison", "yes_no", "limits", "two", "paper",
    "about_library", "talk",
]  # fmt: skip

_PAPERS = (
    r"(?:papers?|works?|stud(?:y|ies)|articles?|abstracts?|publications?|research|literature"
    r"|documents?|references?)"
)
_MEANS = (
    r"(?:methods?|approach(?:es)?|techniques?|algorithms?|ways?|options?|strategies|tools?"
    r"|data ?sets?|benchmarks?|metrics?|measures?|frameworks?|systems?|instruments?|tests?"
    r"|treatments?|corpora|solutions?|alternatives?)"
)
_ON = r"(?:on|about|of|in|for|to|into|regarding|concerning|around|with|from|that|which|where|who)"
_TAIL = re.compile(r"[\s,]+(?:please|pls|plz|thanks|thank you|thx)\W*$", re.IGNORECASE)
_DETAIL = re.compile(
    r"^\W*(?:the )?(?:[\w-]+ ){0,2}?(?:doses?|dosage|weight|mass|prices?|costs?|speed|velocity"
    r"|incidence|prevalence|rates?|means?|numbers?|values?|temperatures?|frequency|percentage|proportion|share|size|length"
    r"|width|height|thickness|angle|age|duration|accuracy|recall|precision|error|score|name|date|year"
    r"|p value|amount|range|level|concentration|count|ratio|power|pressure|time)\s+"
    r"(?:(?:in|per) \w+\s+)?(?:of|in|per|at|for|to|given|when|with)\b",
    re.IGNORECASE,
)
"""Key words that ask for one figure or name, not for papers: "dose of X given to Y"."""
_POLITE = re.compile(
    r"^\W*(?:(?:please|hi|hello|hey|ok(?:ay)?|so|well|thanks)\b[,!.]?\s*"
    r"|(?:can|could|would|will) you (?:please |kindly )?(?=(?:list|show|find|give|tell|explain"
    r"|compare|summari[sz]e|describe|name|define|search|recommend|point)\b)"
    r"|(?:i|we)(?:'d| would)? (?:want|like|need|wish) (?:to (?:know|learn|understand|find out)"
    r"|you to)\s*(?:about\s+(?=what|how|why|which|who)|if\s+|whether\s+)?"
    r"|(?:do you know|tell me|i wonder|i was wondering|any idea|can you tell me)"
    r"[, ]+(?=what|how|why|which|who|where|when|if|whether)(?:if |whether )?"
    r"|(?:quick )?question:\s*)",
    re.IGNORECASE,
)
_LINK = (
    r"(?:(?:that|which|who)\s+)?(?:(?:are|is|were|was|have been|has been|do|does|can|could"
    r"|might)\s+)?(?:there\s+)?(?:written |published |available |here |in (?:the|this|my|your) "
    r"library )?"
    r"(?:about|on|(?:deal|deals|dealing|concerned|concern) with|(?:talk|talks|talking|speak|write"
    r"|writes) (?:about|of)|(?:discuss|treat|address|cover|mention|consider|concern|describe"
    r"|examine|stud(?:y|ie)|investigat|explor)(?:e?s|ing|e|ed|y)?|(?:look|looks|looking) at"
    r"|(?:focus|focuses|focusing) on|(?:work|works|working) on|relat(?:ed|ing) to|regarding"
    r"|concerning|for|of|in|with|to)\b"
)
_LIST = re.compile(
    rf"""^\W*(?:
      (?:which|what)\s+(?:of\s+(?:the|these|your|my)\s+)?(?:other\s+|recent\s+|more\s+)?{_PAPERS}\b
        \s*(?:(?:in|of|from)\s+(?:the|this|my|your)\s+library\s+)?(?:do\s+you\s+(?:have|know)\s*)?
     |(?:list|show|find|give|name|get|search(?:\ for)?|recommend|suggest|collect|point\ me\ to
        |looking\ for|i\ (?:need|want|am\ looking\ for)|we\ (?:need|want))\s*(?:me\s+|us\s+)?
        (?:all\s+|some\s+|any\s+|the\s+|every\s+|a\s+few\s+|more\s+|your\s+|\d+\s+)*
        (?:recent\s+|relevant\s+|other\s+)?{_PAPERS}\b
        \s*(?:(?:in|of|from)\s+(?:the|this|my|your)\s+library\s+)?
     |(?:is|are)\s+there\s+(?:any\s+|some\s+|a\s+|an\s+|more\s+|other\s+|also\s+)*
        (?:[\w-]+\s+){{0,2}}?(?:{_PAPERS}|one|ones|anything|something|evidence|{_MEANS})\b\s*
     |(?:is|are)\s+there\s+(?:an?|any|some)\s+(?!(?:\w+\s+)?(?:limit|difference|reason)\b)
     |(?:do\ you\ have|have\ you\ got|does\ (?:the|this)\ library\ (?:have|hold|contain))\s+
        (?:any\s+|some\s+|a\s+)*(?:{_PAPERS}|anything|something)?\s*
     |(?:any|some|more|all|recent|the)?\s*(?:{_PAPERS}|anything|something|overview|summary|survey
        |review)\s+(?=(?:on|about|of|that|which|for|dealing|regarding|concerning|using|in|with)\b)
     |(?:(?:give|write|make|provide|show)\s+(?:me\s+|us\s+)?)?(?:a\s+|an\s+|the\s+)?
        (?:short\s+|brief\s+|quick\s+)?(?:overview|summary|survey|review|introduction)\s+
        (?:of|on|about|to)\s+(?:the\s+)?(?:(?:{_PAPERS}|state\ of\ the\ art|field)\s+)?
     |(?:summari[sz]e|review|sum\ up)\s+(?:all\s+|the\s+|these\s+|your\s+|what\s+the\s+)*
        (?:{_PAPERS}\s+)?(?:say\s+)?
     |what\s+(?:is|are)\s+(?:already\s+)?known\s+(?=about|on|of)
     |what\s+do\s+(?:we|you)\s+know\s+(?=about|on|of)
     |what(?:'s|\s+is)\s+there\s+(?=about|on)
     |who\s+(?:builds?|works?)\s+(?=on)
     |what\s+(?:has|have)\s+(?:been|people|others|anyone)\s+
        (?:done|published|written|found|tried|said|studied)\s+
     |what\s+do(?:es)?\s+(?:the|these|your|my|this)\s+(?:{_PAPERS}|library|abstracts)\s+say\s+
     |(?:who|has\ any(?:one|body)|does\ any(?:one|body)|did\ any(?:one|body))\s+
        (?:(?:has|have|had)\s+)?(?:worked|works|work|wrote|writes|published|publishes|studied
        |studies|looked|tried|researches)\s+
     |(?:which|what)\s+(?:\w+\s+){{0,2}}?{_MEANS}\s+(?=(?:exist|are|is|have|has|do|does|can|could
        |were|was|help|work|for|of|to|in)\b)
     |{_MEANS}\s+(?=(?:for|to|of)\b)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_LIST_REST = re.compile(
    rf"^(?:exists?\s+|(?:use|using|apply|applying|build(?:ing)?\s+(?:up)?on|based\s+on|propose|present"
    rf"|introduce|develop|report)s?\s+|{_LINK}\s+|{_ON}\s+)+",
    re.IGNORECASE,
)
_HERE = re.compile(
    r"\s+(?:(?:are|is) )?(?:in|from|of) (?:the|this|my|your) (?:library|collection|papers)$"
    r"|\s+(?:are there|are available|exist|do you have|you have|(?:have|has) been \w+ed)$",
    re.IGNORECASE,
)
_LIST_ASKS = re.compile(
    rf"^\W*(?:which|what|list|name|show|find)\b.*?\b(?P<means>{_MEANS})\b", re.IGNORECASE
)
_VERSUS = re.compile(r"\s+(?:vs\.?|versus)\s+", re.IGNORECASE)
_COMPARE = (
    re.compile(
        r"^\W*(?:how (?:do|does|is|are|did) )(?P<a>.+?) (?:compare|compared|differ|different)s?"
        r" (?:to|with|from|against|and) (?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(r"^\W*how (?:do|does|are) (?P<a>.+?) and (?P<b>.+?) (?:compare|differ)\b", re.I),
    re.compile(
        r"\b(?:differences?|comparisons?|trade-?offs?|contrast|distinction|distinguishes)\s+"
        r"(?:between\s+)?(?P<a>.+?)\s+(?:and|from|with)\s+(?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"^\W*(?:compare|contrast)\s+(?P<a>.+?)\s+(?:and|with|to|against)\s+(?P<b>.+)", re.I
    ),
    re.compile(
        r"^\W*(?:is|are|was|were|does|do|did|can) (?P<a>.+?) "
        r"(?:(?:much|far|any|really|always|generally|significantly|clearly|still|even) )?"
        r"(?:better|worse|faster|slower|cheaper|safer|stronger|weaker|larger|smaller|higher|lower"
        r"|(?:more|less) \w+|outperforms?|beats?|superior|inferior)(?: \w+){0,3}? "
        r"(?:than|to) (?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"^\W*(?:is|are|does|do|did|can) (?P<a>.+?) (?:outperform|beat|surpass|exceed) (?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"^\W*(?:which|what) (?:\w+ )?(?:is|are|works?|performs?|does) "
        r"(?:better|best|worse|safer|faster|cheaper|more \w+)[^:,]*[:,]\s*(?P<a>.+?)\s+or\s+"
        r"(?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"^\W*(?:should|shall|would|is it better to) (?:i|we|one|you)? ?(?:use |choose |prefer |"
        r"take |pick )?(?P<a>.+?)\s+(?:or|rather than|instead of)\s+(?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:advantages?|benefits?|gains?|superiority) of (?P<a>.+?) over (?P<b>.+)",
        re.IGNORECASE,
    ),
)
_DEFINITION = re.compile(
    r"""^\W*(?:
      (?:what|who)(?:'s|\s+is|\s+are|\s+was|\s+were)\s+(?:meant\s+by\s+)?(?P<what>.+)
     |what\s+does\s+(?P<mean>.+?)\s+(?:mean|stand\s+for|refer\s+to)
     |(?:define|explain|describe)\s+(?:to\s+me\s+)?(?:what\s+(?P<subject>.+?)\s+(?:is|are|means?)
        |(?P<term>.+))
     |tell\s+me\s+(?:more\s+)?about\s+(?P<about>.+)
     |(?:definition|meaning|explanation)\s+of\s+(?P<meaning>.+)
     |(?P<suffixed>.+?)[,:]?\s+(?:definition|meaning|explained)
    )\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
_AUDIENCE = re.compile(
    r"[\s,]+(?:to me|for me|to a (?:beginner|layman|child|novice)|for (?:beginners|dummies)"
    r"|(?:like|as if) i(?:'m| am| were) .*|in (?:simple|plain|short|a few|one|two) .*|simply"
    r"|briefly|please|exactly)\s*[?.!]*$",
    re.IGNORECASE,
)
_RELATION = re.compile(
    r"\b(?:for|in|on|by|to|with|between|when|that|than|from|as|used|using|at|if|which|who|whose"
    r"|does|do|is|are|was|were|best|most|least|better|should|would|can|could|after|before|during"
    r"|under|and)\b",
    re.IGNORECASE,
)
_LIMITS = re.compile(
    r"\b(?:limitations?|drawbacks?|weakness(?:es)?|disadvantages?|shortcomings?|pitfalls?|downsides?"
    r"|open (?:problems?|questions?|challenges?)|challenges|risks?|side effects?)\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"^\W*how\s+(?:many|much|long|often|far|fast|large|big|small|old|well|accurate(?:ly)?|good|high"
    r"|low|likely|common|frequent(?:ly)?|strong(?:ly)?|effective(?:ly)?|efficient(?:ly)?|close"
    r"|deep|few|expensive|safe|reliable)\b",
    re.IGNORECASE,
)
_AUXILIARY = re.compile(
    r"^\W*(?:is|are|was|were|am|do|does|did|can|could|has|have|had|will|would|should|may|might"
    r"|must)(?:n't| not)?\s+\w",
    re.IGNORECASE,
)
_INTERROGATIVE = re.compile(
    r"^\W*(?:(?:in|on|at|for|with|by|to|from|of|under) )?(?:what|which|who|whose|whom|how|why|when"
    r"|where)\b",
    re.IGNORECASE,
)
_ANY_INTERROGATIVE = re.compile(r"\?|\b(?:what|which|who|whose|whom|how|why|when|where)\b", re.I)
_NEXT_QUESTION = re.compile(
    r"\?\s+(?=\w)|[,;]?\s+(?:and|or)(?:\s+also)?\s+(?=(?:what|which|how|why|who|when|where|whose)\b"
    r"|(?:does|do|is|are|can|did|has|have|should)\s+\w+\s+\w)",
    re.IGNORECASE,
)
_WHY = re.compile(r"^\W*(?:why|how come|what (?:causes?|makes|explains|leads to))\b", re.IGNORECASE)
_LONG = 45
"""Words from which a question tells a story: it asks for what there is on it."""
_TERM_WORDS = 7
_MOST_PARTS = 3
_SIDE_WORDS, _MOST_SIDES = 8, 4


@dataclass(frozen=True, slots=True)
class Asking:
    """What a question asks for.

    ``topic`` is what it is about, without the words that ask. ``sides`` are the things that a
    comparison compares. ``means``: the kind of thing that a list is of ("methods"), if not
    papers. ``why``: a reason is wanted.
    """

    form: Form
    topic: str
    sides: tuple[str, ...] = ()
    means: str = ""
    why: bool = False


def parts(question: str) -> list[str]:
    """The questions that ``question`` is made of, each with its question mark; often just one."""
    found: list[str] = []
    rest = question.strip()
    if len(rest.split()) > _LONG:
        return [question]
    at = 0
    for cut in _NEXT_QUESTION.finditer(rest):
        before, after = rest[at : cut.start()], rest[cut.end() :]
        asks = _asks(before)
        if asks and terms(before) and terms(after) and len(found) < _MOST_PARTS - 1:
            found.append(before.rstrip(" ,;?") + "?")
            at = cut.end()
    found.append(rest[at:])
    return found


def _asks(text: str) -> bool:
    plain = polite(text)
    return bool(
        _INTERROGATIVE.match(plain) or _AUXILIARY.match(plain) or _LIST.match(plain)
    ) and not _VERSUS.search(plain)


def asking(question: str) -> Asking:
    """The form of ``question`` and its topic."""
    text = polite(question)
    bare = text.strip(" \t?.!")
    if text.rstrip().endswith("?") and not (
        _ANY_INTERROGATIVE.search(bare)
        or _AUXILIARY.match(bare)
        or _LIST.match(bare)
        or _VERSUS.search(bare)
    ):  # key words with a question mark want what is behind the words, not papers
        return Asking("fact", bare_topic(bare))
    if len(text.split()) > _LONG:
        return Asking("list", question)
    return (
        _comparison(bare)
        or _limits(bare)
        or _suffixed(bare)
        or _list(bare)
        or _definition(bare)
        or _other(bare)
        or Asking("fact", bare_topic(bare))
    )


def polite(question: str) -> str:
    """``question`` without the words of politeness around it."""
    text = _TAIL.sub("", question.strip())
    for _ in range(3):
        found = _POLITE.match(text)
        if not found or not text[found.end() :].strip(" ?.!"):
            break
        text = text[found.end() :]
    return text


def _comparison(text: str) -> Asking | None:
    if _VERSUS.search(text):
        plain = re.sub(
            r"^\W*(?:compare|comparison of|what about|which is better[:,]?)\s+", "", text
        )
        sides = [side for piece in _VERSUS.split(plain) for side in re.split(r",\s+", piece)]
        return _compared(sides, text)
    for pattern in _COMPARE:
        if found := pattern.search(text):
            first = re.split(r",\s+(?=\w)", found["a"])
            second = re.split(r",?\s+and\s+|,\s+", found["b"]) if len(first) > 1 else [found["b"]]
            return _compared([*first, *second], text)
    return None


def _compared(sides: list[str], text: str) -> Asking | None:
    trimmed = [_side(side) for side in sides]
    whole = all(terms(side) and len(side.split()) <= _SIDE_WORDS for side in trimmed)
    if not whole or not 2 <= len(trimmed) <= _MOST_SIDES:
        return None
    return Asking("comparison", text, tuple(dict.fromkeys(trimmed)))


def _side(text: str) -> str:
    """A side of a comparison without its article and what is said of both at the end."""
    plain = re.sub(r"^\W*(?:and|or|the|a|an|using)\s+", "", text.strip(" ?.!:,"), flags=re.I)
    return re.sub(r"\s+(?:better|worse|instead|differ|compare)$", "", plain, flags=re.I)


def _limits(text: str) -> Asking | None:
    found = _LIMITS.search(text)
    if not found or not (_INTERROGATIVE.match(text) or found.start() < 12):
        return None
    rest = text[found.end() :]
    topic = bare_topic(rest) if terms(rest) else bare_topic(text)
    return Asking("limits", topic, means=found.group().lower())


def _list(text: str) -> Asking | None:
    found = _LIST.match(text)
    means = _LIST_ASKS.match(text)
    kind = means["means"].lower() if means else ""
    if found:
        rest = text[found.end() :]
        topic = _HERE.sub("", _LIST_REST.sub("", rest)).strip(" ,.?!")
        if terms(topic):
            return Asking("list", topic, means=kind)
        return None
    if not _ANY_INTERROGATIVE.search(text) and not _AUXILIARY.match(text):
        if _DEFINITION.match(text) or re.match(r"^\W*(?:i|we|my|our)\b", text, re.IGNORECASE):
            return None
        if _DETAIL.match(text) and (len(terms(text)) > 3 or re.search(r"\bthe\b", text)):
            return Asking("fact", bare_topic(text))
        return Asking("list", text)
    return None


def _suffixed(text: str) -> Asking | None:
    """What "X meaning" asks for, which else would be a list of papers on meaning."""
    found = _DEFINITION.match(text)
    return _definition(text) if found and found.lastgroup == "suffixed" else None


def _definition(text: str) -> Asking | None:
    plain = _AUDIENCE.sub("", _AUDIENCE.sub("", text))
    found = _DEFINITION.match(plain)
    if not found:
        return None
    told = found.lastgroup != "what"
    term = next(group for group in found.groups() if group).strip(" ?.!,")
    without = re.sub(r"^(?:the concept of|the term|the idea of|the notion of)\s+", "", term)
    definite = without.lower().startswith("the ")
    without = re.sub(r"^(?:the|a|an)\s+", "", without, flags=re.IGNORECASE)
    if re.match(r"(?:how|why|what|whether|if)\b", without, re.IGNORECASE):
        return asking(without) if told else None
    if not terms(without) or len(without.split()) > _TERM_WORDS:
        return None
    if _RELATION.search(without) or (definite and re.search(r"\bof\b", without)):
        return Asking("list", without) if told else None
    return Asking("definition", without)


def _other(text: str) -> Asking | None:
    topic = bare_topic(text)
    if _WHY.match(text):
        return Asking("explanation", topic, why=True)
    if re.match(r"^\W*how\b", text, re.IGNORECASE) and not _AMOUNT.match(text):
        return Asking("explanation", topic)
    if re.match(r"^\W*(?:explain|describe)\b", text, re.IGNORECASE):
        return Asking("explanation", topic)
    if _AUXILIARY.match(text):
        return Asking("yes_no", topic)
    return None


def bare_topic(text: str) -> str:
    """``text`` without the question and function words at its beginning and end."""
    words = text.strip(" \t?.!,").split()
    while words and _function(words[0]):
        words.pop(0)
    while words and _function(words[-1]):
        words.pop()
    return " ".join(words)


def _function(word: str) -> bool:
    return word.strip(",.;:?!'\"()").casefold() in STOP_WORDS or not re.search(r"\w", word)


def evidence_text(question: str) -> str:
    """What must be found in an abstract that answers: the topic, where the form tells it."""
    asked = asking(question)
    if asked.form == "comparison":
        return " ".join(asked.sides)
    if asked.form in {"list", "definition", "limits"} and len(question.split()) <= _LONG:
        return asked.topic
    return bare_topic(question)
