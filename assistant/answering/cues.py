"""Cues: what the words of a sentence tell of its part in an abstract, in any field.

Only function words and the verbs and nouns of scholarship are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assistant.answering.evidence import NUMBER
from assistant.answering.forms import Asking
from assistant.answering.question import Question
from assistant.fitted import load
from assistant.roles import ROLES, chances
from assistant.text import terms, words

__all__ = [
    "COMPARES",
    "CUES",
    "DEFINED",
    "REASON",
    "SUPPOSES",
    "aims",
    "cues",
    "defines",
    "phrase",
    "worth",
]

_AT_THE_START = 5
"""Characters that may stand before what a sentence begins with."""
DEFINED = 1.5
"""From which a sentence counts as one that defines."""
_SAYS_LITTLE = 6
"""Words below which a sentence hardly says anything: "They call it QBism."."""
_OFTEN = r"(?:commonly|often|widely|usually|generally|frequently|sometimes|long|traditionally)"
_HELD = r"(?:thought|believed|assumed|concluded|claimed|held|said|argued|supposed|considered to)\b"
_THOUGHT = re.compile(
    rf"\b(?:is|are|was|were|been|be) {_OFTEN} {_HELD}|\b(?:has|have|had) {_OFTEN} been {_HELD}",
    re.IGNORECASE,
)
"""What others hold, in so many words; not what patients often said."""
_WINDOW = 60
"""Characters on both sides of a number that tell what it is a number of."""
_ASKS_FINDING = re.compile(
    r"\b(?:effects?|affects?|impacts?|influences?|outcomes?|results?|findings?|gains?|benefits?"
    r"|compar\w*|vs|versus)\b",
    re.IGNORECASE,
)
REASON = re.compile(
    r"\b(?:because|due to|owing to|since|as a result of|caused by|stems? from|arises? from"
    r"|results? from|attribut\w+ to|explains?|reason|which (?:makes?|leads?|causes?))\b",
    re.IGNORECASE,
)
_MEANS = re.compile(
    r"\b(?:by (?:\w+ly )?\w+ing|through|via|using|based on|relies on|uses?)\b", re.I
)
_LIMIT = re.compile(
    r"\b(?:limit\w*|fail\w*|degrad\w*|drawbacks?|difficult\w*|challeng\w*|cannot|unable|lack\w*"
    r"|suffer\w*|risks?|adverse|side effects?|disadvantag\w*|shortcomings?|inadequa\w*"
    r"|invalid|restrict\w*|break\w* down|insufficient|impractical)\b",
    re.IGNORECASE,
)
_HINTS_LIMIT = re.compile(
    r"\b(?:however|but|poor\w*|worse|only|cost\w*|unless|not|despite|although)\b", re.IGNORECASE
)
_BEST = re.compile(
    r"\b(?:best|outperform\w*|superior|better|state[- ]of[- ]the[- ]art|highest|lowest|most"
    r"|exceed\w*|surpass\w*|first choice|preferred|recommended)\b",
    re.IGNORECASE,
)
_IS = re.compile(
    r"\s*,?\s*(?:is|are|was|were)\s+(?:\w+ly )?(?:an?|the(?! same| subject| case)|one|any|when)\b"
    r"|\s*,?\s*(?:(?:can|may) be|is|are) (?:\w+ly )?(?:defined|characteri[sz]ed"
    r"|regarded|described) (?:as|by)\b"
    r"|\s*,?\s*(?:refers? to|means|denotes?|stands? for|consists? in)\b"
    r"|\s*,?\s*(?:states?|says|asserts?|holds|posits?|postulates?|claims) that\b",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"^\s*(?:phenomenon|effect|method|technique|approach|model|theory|principle|paradigm"
    r"|algorithm|mechanism|hypothesis|syndrome|condition)(?=\s)",
    re.IGNORECASE,
)
"""What a thing is called beside its name: "the X effect is …"."""
_BETWEEN = re.compile(r"\s*(?::|[–—-]{1,2}\s|,? i\.?e\.?,?\s|,? that is\b)", re.IGNORECASE)
_APPOSITION = re.compile(
    r"\s*,\s+(?:an?|the|one|in which|where|(?:which|that) (?:is|are))\b", re.IGNORECASE
)
_NO_PREPOSITION = "".join(
    rf"(?<!\b{word})" for word in "of on in for with to by from and or about between under".split()
)
_INTRODUCES = re.compile(
    r"\b(?:propose|introduce|present|develop|describe|articulate|called|termed|dubbed|named"
    r"|known as)\s+(?:(?:the|an?|new|novel|simple|notion|concept|idea|of|here)\s+"
    r"|[\w-]+ [\w-]+, )*\W*$"
    r"|\b(?:we|i) (?:call|term|dub)\b(?! (?:for|on|into|upon|attention)\b)"
    r"[^.;:]{0,120}?"
    rf"{_NO_PREPOSITION}\s(?:the|an?)?\W*$",
    re.IGNORECASE,
)
_CALLS = re.compile(
    r"\b(?:we|i|authors?) (?:\w+ly )?(?:define|characteri[sz]e|formali[sz]e)\s(?:the\s|an?\s)?\W*$",
    re.IGNORECASE,
)
_AS = re.compile(
    r"\W*\bas (?:an?|any|one|the)\b(?! (?:function|result|consequence|whole|step)\b)", re.IGNORECASE
)
_DATA = re.compile(
    r"\b(?:data ?sets?|benchmarks?|corpora|corpus|data|trained on|evaluat\w+ on|tested on"
    r"|experiments? (?:on|with)|samples? (?:of|from)|measured (?:on|in))\b",
    re.IGNORECASE,
)
COMPARES = re.compile(
    r"\b(?:than|compar\w+|versus|vs|whereas|respectively|no (?:\w+ )?(?:differences?|effects?)"
    r"|differ(?:s|ed|ent\w*|ences?)?"
    r"|similar\w*|the same|outperform\w*|surpass\w*|match(?:es|ed)?|exceed\w*|relative to|superior"
    r"|inferior|equal\w*|in contrast|unlike|as \w+ as|most (?:\w+ )?(?:successful|effective)"
    r"|highest|lowest|best|worst|greatest|largest|smallest|strongest|fastest)\b",
    re.IGNORECASE,
)
SUPPOSES = re.compile(r"^\W*(?:why|how|since|given|as|because)\b", re.IGNORECASE)
_CLAUSE = re.compile(
    r"\W*(?:for|in|on|at|by|with|to|from|of|after|before|although|while|if|when|as|since|because"
    r"|given|despite|unlike|under|during)\b",
    re.IGNORECASE,
)
"""A sentence that begins with a clause, whose comma opens no apposition."""
_TELLS = re.compile(
    r"\s+(?:is|are|has|have|aims?|seeks?|works?|refers?|consists?|uses?|allows?|enables?"
    r"|provides?|offers?|can|reduces?|combines?)\b",
    re.IGNORECASE,
)
_AIM = re.compile(
    r"\b(?:(?:we|i|this (?:paper|study|work|article|report)|the (?:authors?|paper))"
    r" (?:have |has |here |also |then |further(?:more)? |\w+ed and )*"
    r"(?:stud(?:y|ied|ies)|review\w*|investigat\w+|examin\w+"
    r"|describ\w+|discuss\w*|analy[sz]\w+|compared?|evaluat\w+|assess\w*|test(?:ed)?|address\w*"
    r"|report(?:s|ed)? (?:on |an? |the )*(?:[\w-]+ )?"
    r"(?:comparison|study|experiments?|trial|test)s?)"
    r"|(?:ha(?:s|ve) been|is|are|was|were) (?:reviewed|studied|investigated|examined|discussed"
    r"|described|presented|analy[sz]ed|conducted|undertaken|carried out|performed|done|evaluated"
    r"|assessed|designed))\b",
    re.IGNORECASE,
)
"""A sentence that tells what was studied, not what came of it."""
_ASKS_BEST = re.compile(r"\b(?:best|most|strongest|leading|state of the art|sota|optimal)\b", re.I)
_SAYS = {"why": REASON, "how": _MEANS, "comparison": COMPARES, "best": _BEST}
"""Words that the sentence which answers often has, by the kind of question."""
_KINDS = "why how definition limits comparison whether number best finding other".split()
CUES = (
    *(f"{kind}_{part}" for kind in _KINDS for part in (*ROLES, "aims")),
    *(f"{kind}_says" for kind in _SAYS),
    "limits_plain", "limits_hint", "number_near", "defines",
)  # fmt: skip
"""Names of all cues; their weights are fitted by ``python -m eval.fit`` (`assistant.fitted`)."""


Cues = dict[str, float]


def cues(asked: Asking, question: Question) -> Callable[[str], Cues]:
    """What the words of a sentence tell of its being what ``asked`` wants, by name (`CUES`).

    Its role is told by its words alone: with its place among the others, fewer of the wanted facts
    came first in three of four sets.
    """
    kind = _kind(asked, question)
    topic = phrase(asked.topic) if asked.form == "definition" else None
    plain, hint = (_DATA, _DATA) if "data" in asked.means else (_LIMIT, _HINTS_LIMIT)

    def told(sentence: str) -> Cues:
        found: Cues = {f"{kind}_{role}": share for role, share in chances(sentence).items()}
        found[f"{kind}_aims"] = aims(sentence)
        if kind in _SAYS:
            found[f"{kind}_says"] = float(_SAYS[kind].search(sentence) is not None)
        if asked.form == "limits":
            found["limits_plain"] = float(plain.search(sentence) is not None)
            found["limits_hint"] = float(hint.search(sentence) is not None)
        if question.wants_number and asked.form != "yes_no":
            found["number_near"] = _number_near(sentence, question)
        if topic:
            found["defines"] = defines(sentence, topic)
        return found

    return told


def worth(asked: Asking, question: Question) -> Callable[[str], float]:
    """What a sentence is worth beside its score, in the form of the question, in log-odds."""
    told, model = cues(asked, question), load("cues")
    return lambda sentence: model.log_odds_of_few(told(sentence)) - _doubts(sentence)


def _kind(asked: Asking, question: Question) -> str:
    """Which of `_KINDS` a question is of: what decides what a role is worth."""
    if asked.form == "explanation":
        return "why" if asked.why else "how"
    if asked.form in {"definition", "limits", "comparison"}:
        return asked.form
    if asked.form == "yes_no":
        return "whether"
    if question.wants_number:
        return "number"
    if _ASKS_BEST.search(question.text):
        return "best"
    return "finding" if _ASKS_FINDING.search(question.text) else "other"


def aims(sentence: str) -> float:
    """What it costs that a sentence tells what was studied, not what came of it."""
    return 1.0 * bool(_AIM.search(sentence))


def _doubts(sentence: str) -> float:
    """What it costs that a sentence tells what is commonly thought, or next to nothing."""
    return 1.0 * bool(_THOUGHT.search(sentence)) + 1.0 * (len(sentence.split()) < _SAYS_LITTLE)


def _number_near(sentence: str, question: Question) -> float:
    """Share of the question's words, by weight, that stand around one number of ``sentence``."""
    shares = (
        question.coverage(
            set(terms(sentence[max(0, found.start() - _WINDOW) : found.end() + _WINDOW]))
        )
        for found in NUMBER.finditer(sentence)
    )
    return max(shares, default=0.0)


def phrase(topic: str) -> re.Pattern[str]:
    """Finds ``topic`` in a sentence, whatever its hyphens and plurals are."""
    pieces = [re.escape(re.sub(r"(?<=\w{3})e?s$", "", word)) for word in words(topic)]
    joined = r"\w{0,3}[\s‐-―-]+".join(pieces)
    return re.compile(rf"(?<![\w‐-]){joined}\w{{0,3}}\b(?!-)", re.IGNORECASE)


def defines(sentence: str, topic: re.Pattern[str]) -> float:
    """How much ``sentence`` looks like one that says what ``topic`` (a `phrase`) is.

    -1 without it; from 1.5 (`DEFINED`) it defines, from 1 it tells something of it.
    """
    found = topic.search(sentence)
    if not found:
        return -1.0
    before, after = sentence[: found.start()], sentence[found.end() : found.end() + 80]
    if re.search(r"\w\W+[A-Z][\w-]*\s$", before):
        return 0.0  # a part of a longer name
    start = 0.5 * (found.start() <= _AT_THE_START)
    introduced = _INTRODUCES.search(before) is not None
    spelled_out = after.startswith(")")
    after = re.sub(r"^\W*\([^)]*\)", "", after).lstrip("\"”’'")
    after = _KIND.sub("", after)
    inside = _CLAUSE.match(sentence) and "," not in before
    called = _CALLS.search(before) and _AS.match(after)
    if _IS.match(after) or _BETWEEN.match(after) or spelled_out or called:
        return 2.5 + start
    if _APPOSITION.match(after) and (not inside or after.count(",") > 1):
        return 2.0 + start + 0.5 * introduced
    tells = (1.0 + 0.8 * start) * bool(_TELLS.match(after))
    return 2.0 if introduced else max(tells, start)
