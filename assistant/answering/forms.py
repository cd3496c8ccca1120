"""The form of a question: what kind of answer it asks for, told from its grammar.

Only question words, function words and the nouns of scholarship ("papers", "methods", "data
sets") are looked at, never a topic, so that it works the same in every field. `asking` gives the
form with the topic that is left when the words around it are taken away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant.answering.question import HOW_MUCH, VERB, without_kind
from assistant.text import STOP_WORDS, terms

__all__ = [
    "Asking", "Form", "asking", "asks", "bare_topic", "evidence_text", "may_be_term", "measured",
    "no_topic", "opened", "parts", "polite", "thing",
]  # fmt: skip

Form = Literal[
    "fact", "list", "definition", "explanation", "comparison", "yes_no", "limits", "two", "paper",
    "about_library", "talk",
]  # fmt: skip


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PAPERS = _set(
    "paper papers work works study studies article articles abstract abstracts publication"
    " publications research trial trials literature document documents reference references"
    " anything something everything overview summary survey review evidence"
)
_MEANS = _set(
    "method methods approach approaches technique techniques algorithm algorithms way ways option"
    " options strategy strategies tool tools metric metrics measure measures framework frameworks"
    " system systems instrument instruments test tests treatment treatments solution solutions"
    " alternative alternatives"
)
_WANT = _set(
    "list show find give name get search recommend suggest collect point need want looking"
    " summarize summarise sum review provide write"
)
_AROUND = _set(
    "recent relevant other more another different main new existing available short brief quick"
    " good key useful library collection written published done found tried said known existing"
    " exist exists there here me us anyone anybody people others wrote writes worked works working"
    " looked looks look studied studies say says"
)
"""Words that may stand between those that ask for papers and the topic."""
_ON = _set(
    "about on of in for to into regarding concerning around with from that which where using use"
    " uses used deal deals dealing talk talks talking discuss discusses discussing treat treats"
    " treating address addresses cover covers covering mention mentions consider describe describes"
    " examine study investigate explore focus focuses relate related relating apply applying build"
    " builds building based propose present introduce develop report"
)
"""Words that lead from the papers to their topic."""
_DOING = _set(
    "work works worked working builds studied studies wrote writes published looked tried"
)
_ANYONE = _set("anyone anybody people others somebody someone there you we")
_QUANTITY = _set("any some more all every the a an these your my")
_FUNCTION = STOP_WORDS | _set("whats whos s")
_TAIL = re.compile(r"[\s,]+(?:please|pls|plz|thanks|thank you|thx)\W*$", re.IGNORECASE)
_OPENED = re.compile(
    r"^\W*(?:(?:please|hi|hello|hey|ok(?:ay)?|so|well|thanks|and|but|then|also|or|now|interesting"
    r"|nice|great|cool|sure|quick question|question)\b[-–,.!:]*\s*)+",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"^\W*(?:(?:can|could|would|will) you (?:please |kindly )?(?=(?:list|show|find|give|tell"
    r"|explain|compare|summari[sz]e|describe|name|define|search|recommend|point)\b)"
    r"|(?:i|we)(?:'d| would)? (?:want|like|need|wish) (?:to (?:know|learn|understand|find out)"
    r"|you to)\s*(?:about\s+(?=what|how|why|which|who)|if\s+|whether\s+)?"
    r"|(?:do you (?:happen to )?know|tell me|i wonder|i was wondering|any idea"
    r"|(?:can|could) you tell me)"
    r"[, ]+(?=what|how|why|which|who|where|when|if|whether)(?:if |whether )?)",
    re.IGNORECASE,
)
_CLAIM = re.compile(
    r"^\W*(?:is it (?:really |actually |still )?(?:true|correct|right|so|known|a fact|the case)"
    r"(?: to say)? (?:that )?|would (?:you|it be (?:right|fair|correct) to) say (?:that )?"
    r"|am i right (?:(?:in thinking|to think) )?that "
    r"|(?:i|we)(?:['’]ve| have)? (?:(?:heard|was told|were told)(?: somewhere)?(?: that)?[, ]+"
    r"|(?:read|thought|think|believe|assume|understand)(?: somewhere)? that[, ]+)"
    r"|(?:people|some|many|they|it is) (?:say|claim|think|believe|said|claimed)(?: that)?[, ]+)",
    re.IGNORECASE,
)
"""What a claim is put in whose truth is asked for."""
_CLAIM_TAIL = re.compile(
    r"[\s,;.–—-]+(?:(?:is (?:that|this|it) )?(?:right|true|correct|so|the case)|am i right"
    r"|(?:is|are|do|does)n['’]?t (?:it|they|that)(?: so)?)\W*$",
    re.IGNORECASE,
)
_WHATS = re.compile(r"^(\W*(?:what|who|how|where))['’]?s\b", re.IGNORECASE)
_DETAIL = re.compile(
    r"^\W*(?:the )?(?:[\w-]+ ){0,2}?(?:doses?|dosage|weight|mass|prices?|costs?|speed|velocity"
    r"|incidence|prevalence|rates?|means?|numbers?|values?|temperatures?|frequency|percentage|proportion|share|size|length"
    r"|width|height|thickness|angle|age|duration|accuracy|recall|precision|error|score|name|date|year"
    r"|p value|amount|range|level|concentration|count|ratio|power|pressure|time)\s+"
    r"(?:(?:in|per) \w+\s+)?(?:of|in|per|at|for|to|given|when|with)\b",
    re.IGNORECASE,
)
"""Key words that ask for one figure or name, not for papers: "dose of X given to Y"."""
_HERE = re.compile(
    r"\s+(?:(?:are|is) )?(?:in|from|of) (?:the|this|my|your) (?:library|collection|papers)$"
    r"|\s+(?:are there|are available|exist|do you have|you have|(?:have|has) been \w+ed|here)$"
    r"|\s+(?:papers|studies|articles|publications|abstracts)$",
    re.IGNORECASE,
)
_VERSUS = re.compile(r"\s+(?:vs\.?|versus)\s+", re.IGNORECASE)
_ASKS_AFTER = re.compile(
    r"(?:[\s,;:.?–—-]+(?:so |and )?(?:what|which|who|how|is|are|does|do|any)|[\s,]+what['’]?s)\b"
    r".*\b(?:differ\w*|better|best|compare\w*|comparison|prefer\w*|choose|faster|stronger)\W*$",
    re.IGNORECASE,
)
"""What stands behind the sides of a comparison and only asks for it."""
_MEASURE = re.compile(
    r"\b(?:accuracy|error|precision|recall|scores?|auc|f1|map|bleu|fps|perplexity|latency|speed|speedup"
    r"|rate|cost|price|size|mass|weight|length|width|height|depth|dose|dosage|age|duration|temperature"
    r"|frequency|incidence|prevalence|percentage|proportion|share|ratio|amount|range|density|power"
    r"|throughput|parameters?|flops)"
    r"(?:\s+(?:rates?|on|in|at|for|of|with)\b.*)?$",
    re.IGNORECASE,
)
_COMPARE = (
    re.compile(
        r"^\W*how (?:do|does|is|are|did) (?P<a>.+?) and (?P<b>.+?) (?:compare|differ)\b", re.I
    ),
    re.compile(
        r"^\W*how (?:do|does|is|are|did) (?P<a>.+?) (?:compare|differ)\w*"
        r" (?:to|with|from|against|and) (?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:^\W*(?:compare|contrast)|\b(?:differences?|comparisons?|trade-?offs?|distinction"
        r"|distinguishes|advantages?|benefits?|superiority))\s+(?:(?:between|of)\s+)?(?P<a>.+?)\s+"
        r"(?:and|with|to|from|against|over)\s+(?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"^\W*(?:is|are|was|were|does|do|did|can) (?P<a>.+?) "
        r"(?:(?:(?:much|far|any|really|always|generally|significantly|clearly|still|even) )?"
        r"(?:\w{3,}er|more \w+|less \w+|worse|superior|inferior)(?: \w+){0,3}? (?:than|to)"
        r"|outperforms?|beats?|surpass(?:es)?|exceeds?) (?P<b>.+)",
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
)
_EITHER = re.compile(
    r"^(?!i\b|we\b)(?P<a>[^\s,:;?!]+(?: [^\s,:;?!]+){0,3}?)\s+or\s+(?P<b>(?:(?! of )[^,:;?!])+?)"
    r"(?:\s*(?:[,:;?–—]|\s-)\s*(?:which|what|any|who|is there|better|difference)\b.*|\?)\s*$",
    re.IGNORECASE,
)
"""Two things without a verb, and the question which: "A or B: which is better?"."""
_ASPECT = re.compile(r"\s*[:,;–—]\s.*$|\s+(?:before|after|when|while|during|as|if)\s.*$", re.I)
_AFTER = re.compile(r"\s+(?:for|in|on|with|at|under)\s.*$", re.IGNORECASE)
_DEFINITION = re.compile(
    r"""^\W*(?:
      (?:what|who)(?:\s+is|\s+are|\s+was|\s+were)\s+(?:meant\s+by\s+)?(?P<what>.+)
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
_DETAIL_NOUN = re.compile(
    r"(?:\w+ )?(?:effects?|impacts?|influence|roles?|accurac\w+|sizes?|causes?|aims?|goals?"
    r"|purposes?|rates?|numbers?|results?|performance|differences?|relation\w*|uses?|importance|advantages?"
    r"|disadvantages?|benefits?|limits?|limitations?|value|values|cost|costs|mean|average|frequency"
    r"|incidence|prevalence|origins?|nature|structure|function|meaning|definition|state|status|level"
    r"|levels|share|proportion|fraction|percentage|amount|age|mass|name|year|date|place|author"
    r"|authors|title|main \w+)\s+of\b",
    re.IGNORECASE,
)
"""What of a thing is asked for, which is no name of a thing of its own."""
_WITHIN = re.compile(r"^(?P<term>[\w-]+(?: [\w-]+){0,2}) (?:in|for) (?:[\w-]+ ?){1,4}$")
_LIMITS = re.compile(
    r"\b(?:limits?|limitations?|limited|drawbacks?|weakness(?:es)?|disadvantages?|shortcomings?"
    r"|pitfalls?|downsides?|problems? (?:with|of)|open (?:problems?|questions?|challenges?)"
    r"|challenges|risks|side effects?|dangers?|fails?|breaks? down)\b",
    re.IGNORECASE,
)
_DATA_ASKED = re.compile(
    r"^\W*(?:(?:on|with|from) )?(?:which|what) (?:\w+ )?(?:data ?sets?|benchmarks?|corpora"
    r"|corpus|data)(?: \w+)? (?=(?:was|were|is|are|do|does|did|has|have|used)\b)",
    re.IGNORECASE,
)
_AUXILIARY = re.compile(rf"^\W*{VERB}(?:n['’]?t| not)?\s+\w", re.IGNORECASE)
_WH = r"(?:what|which|who|whose|whom|how|why|when|where)"
_INTERROGATIVE = re.compile(
    rf"^\W*(?:(?:in|on|at|for|with|by|to|from|of|under) )?{_WH}\b", re.IGNORECASE
)
_ANY_INTERROGATIVE = re.compile(rf"\?|\b{_WH}\b", re.IGNORECASE)
_NEXT_QUESTION = re.compile(
    rf"\?\s+(?=\w)|[,;]?\s+(?:and|or)(?:\s+also)?\s+(?={_WH}\b"
    r"|(?:does|do|is|are|can|did|has|have|should)\s+\w+\s+\w|does it\b)",
    re.IGNORECASE,
)
_TWICE = re.compile(
    rf"^(?P<asks>\W*{_WH}\b.{{3,}}?)\s(?P<prep>in|for|of|on|with|at)\s(?P<one>\S+(?: \S+){{0,3}}?)"
    r",? and (?P=prep) (?P<two>[^,?]+)\??$",
    re.IGNORECASE,
)
"""One question asked of two things: "what is the share in A and in B"."""
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
    comparison compares. ``means``: the kind of thing that is wanted ("methods", "limitations",
    "data sets"), if not papers. ``why``: a reason is wanted. ``papers``: they are asked for in
    so many words. ``hint``: "X in Y" where a definition of X is only likely to be meant.
    """

    form: Form
    topic: str
    sides: tuple[str, ...] = ()
    means: str = ""
    why: bool = False
    papers: bool = False
    hint: str = ""


def parts(question: str) -> list[str]:
    """The questions that ``question`` is made of, each with its question mark; often just one."""
    found: list[str] = []
    rest = question.strip()
    if len(rest.split()) > _LONG:
        return [question]
    if (twice := _TWICE.match(rest)) and not _comparison(rest):
        first, second = (f"{twice['asks']} {twice['prep']} {twice[n]}?" for n in ("one", "two"))
        return [first, second]
    at = 0
    for cut in _NEXT_QUESTION.finditer(rest):
        before, after = rest[at : cut.start()], rest[cut.end() :]
        if _asks(before) and terms(before) and terms(after) and len(found) < _MOST_PARTS - 1:
            found.append(before.rstrip(" ,;?") + "?")
            at = cut.end()
    found.append(rest[at:])
    return found


def _asks(text: str) -> bool:
    plain = polite(text)
    return bool(_interrogates(plain) or _list(plain)) and not _VERSUS.search(plain)


def asking(question: str) -> Asking:
    """The form of ``question`` and its topic."""
    text, claimed = _unframed(question)
    bare = text.strip(" \t?.!")
    if claimed:
        papers = _list(re.sub(r"^there (?:is|are) ", "", bare, flags=re.I), keywords=False)
        return papers if papers and papers.papers else Asking("yes_no", bare_topic(bare))
    question_mark = text.rstrip().endswith("?")
    if len(text.split()) > _LONG and (not question_mark or _ANY_INTERROGATIVE.search(bare)):
        return Asking("list", question)
    return (
        _comparison(text)
        or _limits(bare)
        or _suffixed(bare)
        or _list(bare)
        or _definition(bare)
        or _other(bare)
        or _key_words(text)
    )


def opened(question: str) -> str:
    """``question`` without the words that only open it: "and", "ok, so", "please"."""
    rest = _OPENED.sub("", question, count=1)
    return rest if rest.strip(" ?.!") else question


def polite(question: str) -> str:
    """``question`` without the words around it: of politeness, or that ask if a claim is true.

    "what's" is "what is".
    """
    return _unframed(question)[0]


def _unframed(question: str) -> tuple[str, bool]:
    """``question`` without the words around it, and whether a claim is left, not a question."""
    text, claimed = _TAIL.sub("", question.strip()), False
    for _ in range(3):
        text = opened(text)
        if (found := _CLAIM.match(text)) and terms(text[found.end() :]):
            text, claimed = _CLAIM_TAIL.sub("", text[found.end() :]), True
            continue
        found = _POLITE.match(text)
        if not found or not text[found.end() :].strip(" ?.!"):
            break
        text = text[found.end() :]
        claimed = re.search(r"\b(?:if|whether)\s+$", found.group(), re.I) is not None
    if not claimed and (tail := _CLAIM_TAIL.search(text)) and not _asks_itself(text):
        text, claimed = text[: tail.start()], True
    return _WHATS.sub(r"\1 is", text), claimed


def asks(text: str) -> bool:
    """Whether ``text`` is put as a question, not as a topic."""
    return text.rstrip().endswith("?") or _interrogates(polite(text))


def _asks_itself(text: str) -> bool:
    return _interrogates(text) or len(terms(text)) < 3


def _interrogates(text: str) -> bool:
    """Whether ``text`` begins with a question word or an auxiliary."""
    return bool(_INTERROGATIVE.match(text) or _AUXILIARY.match(text))


def measured(topic: str) -> bool:
    """Whether ``topic``, words without a question, ends in what is measured: "X error on Y"."""
    return _MEASURE.search(topic.strip(" ?.!")) is not None


def _comparison(text: str) -> Asking | None:
    bare = text.strip(" \t?.!")
    if versus := _VERSUS.search(bare):
        after = versus.end()
        bare = bare[:after] + _ASKS_AFTER.sub("", bare[after:])
        plain = re.sub(
            r"^\W*(?:compare|comparison of|what about|(?:which|what) (?:one )?is better[:,]?"
            r"|(?:what (?:is|are) )?the differences? (?:between|of))\s+",
            "",
            bare,
            flags=re.IGNORECASE,
        )
        sides = [side for piece in _VERSUS.split(plain) for side in re.split(r",\s+", piece)]
        return _compared(sides, bare)
    for pattern in _COMPARE:
        if found := pattern.search(bare):
            first = re.split(r",\s+(?=\w)", found["a"])
            second = re.split(r",?\s+and\s+|,\s+", found["b"]) if len(first) > 1 else [found["b"]]
            return _compared([*first, *second], bare)
    wants = _interrogates(bare) or _list(bare, keywords=False)
    found = None if wants else _EITHER.match(text)
    return _compared([found["a"], found["b"]], bare) if found else None


def _compared(sides: list[str], text: str) -> Asking | None:
    trimmed = [_side(side) for side in sides]
    if len(trimmed) > 1 and not _AFTER.search(trimmed[0]):
        trimmed[-1] = _AFTER.sub("", trimmed[-1])  # what is said of all sides stands at the end
    whole = all(terms(side) and len(side.split()) <= _SIDE_WORDS for side in trimmed)
    trimmed = list(dict.fromkeys(trimmed))
    if not whole or not 2 <= len(trimmed) <= _MOST_SIDES:
        return None
    return Asking("comparison", text, tuple(trimmed))


def _side(text: str) -> str:
    """A side of a comparison without its article and what is said of both at either end."""
    before, colon, after = text.partition(": ")
    text = after if colon and len(terms(before)) > 1 and terms(after) and _asks(before) else text
    plain = _ASPECT.sub("", text.strip(" ?.!:,"))
    plain = re.sub(r"^\W*(?:and|or|the|a|an|using|between)\s+", "", plain, flags=re.I)
    return re.sub(r"\s+(?:better|worse|instead|differ|compare)$", "", plain, flags=re.I)


def _limits(text: str) -> Asking | None:
    found = _LIMITS.search(text)
    if (
        found
        and not _WHY.match(text)
        and (_INTERROGATIVE.match(text) or not terms(text[: found.start()]))
    ):
        rest = text[found.end() :]
        means = re.sub(
            r" (?:with|of)$|^(?:limited|fails?|breaks? down)$", "", found.group().lower()
        )
        topic = bare_topic(rest) if terms(rest) else bare_topic(text[: found.start()])
        return Asking("limits", topic, means=means or "limits")
    data = _DATA_ASKED.match(text)
    return Asking("limits", bare_topic(text[data.end() :]), means="their data") if data else None


def _list(text: str, keywords: bool = True) -> Asking | None:
    """What papers or means are asked for, by the words before the topic."""
    tokens = re.findall(r"\S+", text)
    bare = [re.sub(r"^\W+|\W+$", "", token).casefold() for token in tokens]
    end = 0
    while end < len(bare) and (
        bare[end] in _FUNCTION
        or not bare[end]
        or any(bare[end] in held for held in (_PAPERS, _MEANS, _WANT, _AROUND, _ON))
    ):
        end += 1
    run = bare[:end]
    topic = bare_topic(_HERE.sub("", " ".join(tokens[end:]).strip(" ,.?!")))
    kind = next((word for word in run if word in _MEANS), "")
    if no_topic(topic) or not run:
        return None
    told = set(run)
    wh = run[0] in ("which", "what") or run[0] in _WANT
    there = run[0] in ("is", "are", "what") and "there" in run[:3]
    asked = (
        (run[0] in ("do", "have", "what") and {"have", "got"} & told and {"we", "you"} & told)
        or (run[0] == "what" and {"known", "done", "tried", "found"} & told)
        or (run[0] == "who" and told & _DOING)
        or (run[0] in ("has", "does", "did") and told & _DOING and told & (_ANYONE | _PAPERS))
        or run[0] in ("summarize", "summarise", "overview", "summary", "survey")
    )
    papers = bool(told & _PAPERS) and (wh or there or _leads(run, _PAPERS))
    how = run[0] in ("how", "why", "when", "where") or "abstract" in run
    if (papers or asked or there) and not how:
        return Asking("list", topic, means=kind, papers=True)
    plural = kind.endswith("s")
    if kind and not how and ((wh and plural) or _leads(run, _MEANS)):
        return Asking("list", topic, means=kind)
    if keywords and bare[0] in ("list", "find", "search"):
        return Asking("list", topic)
    return None


def _leads(run: list[str], nouns: frozenset[str]) -> bool:
    """Whether one of ``nouns`` comes first, with a word that leads to its topic."""
    passing = (_QUANTITY | _AROUND) - nouns
    first = next((n for n, word in enumerate(run) if word not in passing), 0)
    return run[first] in nouns and any(word in _ON for word in run[first + 1 :])


def _key_words(text: str) -> Asking:
    """Words without a question: papers on them, or with a question mark what is behind them."""
    bare = text.strip(" \t?.!")
    detail = _DETAIL.match(bare) and (len(terms(bare)) > 3 or re.search(r"\bthe\b", bare))
    wants = text.rstrip().endswith("?") or _ANY_INTERROGATIVE.search(bare)
    if wants or detail or re.match(r"^\W*(?:i|we|my|our)\b", bare, re.IGNORECASE):
        return Asking("fact", bare_topic(bare))
    return Asking("list", _HERE.sub("", bare))


def _suffixed(text: str) -> Asking | None:
    """What "X meaning" asks for, which else would be a list of papers on meaning."""
    found = _DEFINITION.match(text)
    return _definition(text) if found and found.lastgroup == "suffixed" else None


def _term_asked(text: str) -> tuple[str, bool]:
    """What is to be defined, and whether in so many words; empty where nothing is."""
    found = _DEFINITION.match(_AUDIENCE.sub("", _AUDIENCE.sub("", text)))
    if not found:
        return "", False
    term = next(group for group in found.groups() if group)
    return term.strip(" ?.!,"), found.lastgroup != "what"


def _definition(text: str) -> Asking | None:
    term, told = _term_asked(text)
    if not term:
        return None
    without = re.sub(r"^(?:the concept of|the term|the idea of|the notion of)\s+", "", term)
    definite = without.lower().startswith("the ")
    without = re.sub(r"^(?:the|a|an)\s+", "", without, flags=re.IGNORECASE)
    if re.match(r"(?:how|why|what|whether|if)\b", without, re.IGNORECASE):
        return asking(without) if told else None
    if not terms(without) or len(without.split()) > _TERM_WORDS:
        return None
    if (inner := _WITHIN.match(without)) and not definite and not _RELATION.search(inner["term"]):
        return Asking("definition", inner["term"], hint=without)
    if _RELATION.search(without) or (definite and re.search(r"\bof\b", without)):
        return Asking("list", without) if told else None
    return Asking("definition", without)


def may_be_term(text: str) -> str:
    """What "what is the price of anarchy?" asks to define, if that is the name of a thing."""
    term, _ = _term_asked(text)
    bare = re.sub(r"^the\s+", "", term, flags=re.IGNORECASE)
    named = bare != term and re.search(r"\bof\b", bare) and len(bare.split()) <= _TERM_WORDS
    return bare if named and terms(bare) and not _DETAIL_NOUN.match(bare) else ""


def _other(text: str) -> Asking | None:
    topic = bare_topic(text)
    if _WHY.match(text):
        return Asking("explanation", topic, why=True)
    if re.match(r"^\W*how\b", text, re.IGNORECASE) and not HOW_MUCH.match(text):
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
    bare = word.strip(",.;:?!'\"()")
    if len(bare) == 1 and bare.isupper() and bare not in "AI":
        return False  # vitamin D
    return bare.casefold() in STOP_WORDS or not re.search(r"\w", word)


def thing(question: str) -> str:
    """What a later "it" may mean: the topic of ``question``, up to what is asked of it."""
    asked = asking(question)
    if asked.form in {"definition", "list"}:
        return asked.topic
    topic = bare_topic(polite(question))
    cut = _RELATION.search(topic)
    return bare_topic(topic[: cut.start()]) if cut and cut.start() else topic


def no_topic(question: str) -> bool:
    """Whether ``question`` names nothing but papers and means: "is there another method?"."""
    bare = (re.sub(r"^\W+|\W+$", "", word).casefold() for word in question.split())
    none = _FUNCTION | _PAPERS | _MEANS | _WANT | _AROUND
    return all(w in none or {w, w.removesuffix("ed"), w.removesuffix("d")} & _ON for w in bare if w)


def evidence_text(question: str) -> str:
    """What must be found in an abstract that answers: the topic, where the form tells it."""
    asked = asking(question)
    if asked.form == "comparison":
        return " ".join(asked.sides)
    if asked.form in {"list", "definition", "limits"} and len(question.split()) <= _LONG:
        return asked.hint or asked.topic
    return bare_topic(without_kind(polite(question)))
