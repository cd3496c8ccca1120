"""Conversations: what was said before in, a question that stands on its own out.

A question that is whole stands alone, whatever was said before. One that leans on the turns
before it is resolved against what was shown: "[2]", "the second one", "the last paper" become
that paper; "another" leaves out what was shown already; "and hedge funds?" is the question before
of another subject; "who wrote that?" and "which of these …?" are of the papers that were shown;
"why?" asks them for what was not shown yet; "it", "and on ImageNet?" get the topic of the last
question that stood alone. What a reply says of its own, without a paper, is never a topic.

Greetings and thanks are answered here: they need neither papers nor a model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.answering.draft import LABELLED
from assistant.answering.forms import asking, bare_topic, no_topic, opened, polite, thing
from assistant.attribution import CUT
from assistant.results import Message
from assistant.text import STOP_WORDS, terms

__all__ = [
    "Alike",
    "Resolved",
    "lean_on",
    "leaning",
    "leans",
    "references_in",
    "resolved",
    "small_talk",
    "standalone",
    "without_references",
]

_OPENING = re.compile(
    r"^\W*(?:what about|how about|what if|what of|same|compared? (?:with|to)|by how much"
    r"|in what way|such as|like what|for example|for instance|any(?:thing)? (?:else|other|more)"
    r"|more|others?|another|tell me more|go on|continue|details?|(?:show|list|give)(?: me)? more"
    r"|which (?:ones?|of (?:them|these|those))|(?:the )?rest)\b",
    re.IGNORECASE,
)
_PAPERS = re.compile(r"^\W*(?:which|what) (?:other )?(?:papers|studies|works|articles)\b", re.I)
_ABOUT_ELSE = re.compile(r"^\W*(?:what|how) (?:about|of)\b", re.IGNORECASE)
_BARE = re.compile(
    r"^\W*(?:why|how|how so|when|where|who|which one|really|how much|how many|and)\W*$", re.I
)
_PREPOSITION = re.compile(
    r"^\W*(?:in|on|for|with|without|at|under|over|by|to|from)\b", re.IGNORECASE
)
_POINTING = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|he|she|his|her|else|instead"
    r"|(?:this|that|these|those|the same|the latter|the former)"
    r"(?: (?:paper|work|method|approach|model|one|idea|study|result|technique|system|algorithm"
    r"|benchmark|data ?set|author|treatment|drug|test|trial|finding|effect|theory|experiment)s?)?"
    r"|the (?:other|others|authors|paper|method|approach|study|result|results|first|second|third"
    r"|last) ?(?=\W*$|(?:one|paper|method|do|does|did|is|are|was|were|use|uses|report|find)\b))\b",
    re.IGNORECASE,
)
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_THING = (
    r"(?:ones?|papers?|works?|stud(?:y|ies)|articles?|methods?|approach(?:es)?|models?|results?"
    r"|abstracts?|references?|sources?|of (?:them|these|those))"
)
_ORDINAL = re.compile(
    rf"\b(?:the )?(?P<nth>{'|'.join(_ORDINALS)}|1st|2nd|3rd|[4-9]th|10th|last|latter|former|final)"
    rf"(?: {_THING})\b|\bthe (?P<alone>{'|'.join(_ORDINALS)}|last|latter|former)\b(?=\W*$"
    r"|\s+(?:do|does|did|is|was|has|have|use|uses|report|reports|achieve|achieves|work|works)\b)"
    r"|\b(?:number|paper|no\.?|reference|source|ref\.?)\s*#?(?P<number>\d{1,2})\b(?!\s*(?:%|bit))",
    re.IGNORECASE,
)
_MARK = re.compile(r"\[(\d{1,2})\]")
_ANOTHER = re.compile(
    r"\b(?:another|(?<!the )others?|else|different|further|more)\b", re.IGNORECASE
)
_MORE = re.compile(
    r"^\W*(?:(?:please )?(?:show|give|list|tell|find)?(?: me)?(?: some| any)? ?(?:more|others?"
    r"|the rest|another)(?: (?:one|ones|papers?|of (?:them|these|those)|please))*"
    r"|(?:are there |is there |any )(?:any )?(?:more|others?|another|other (?:papers?|ones?))"
    r"|what else|anything else|next|continue|go on)\W*$",
    re.IGNORECASE,
)
_LINE = re.compile(r"(?:^|\n)(?P<name>[^\n“]+?): “(?P<quote>[^\n]*?)” \[(?P<number>\d+)\]")
_REFERENCE = re.compile(
    r"^(?:References\n)?\[(?P<number>\d+)\] +(?P<title>\S[^\n]*?)(?: https?://\S+)?$", re.MULTILINE
)
"""A line of the references at the end of an answer, as `Answer` and the web's doors write them."""
_NAMED_MARK = re.compile(r"(?:^|; )(?P<name>[^\n“”]{3,}?) \[(?P<number>\d+)\]", re.MULTILINE)
_COMPARES = re.compile(r"\b(?:compar\w+|differ\w*|versus|vs)\b", re.IGNORECASE)
_FIRST_FEW = re.compile(
    r"\b(?:the )?(?:first |top |last )?(two|three|both|2|3)\b(?: of (?:them|these|those)"
    r"| papers?| ones?| methods?)?\W*$",
    re.IGNORECASE,
)
_IT = re.compile(
    r"\b(?:it|they|them|this|that|these|those|(?:this|that|the) (?:method|approach|technique|model"
    r"|idea|topic|treatment|effect|theory|system))\b",
    re.IGNORECASE,
)
_NO_DETAIL = frozenset(
    terms(
        "tell show give read explain describe summarize summarise say said find found paper papers"
        " detail details abstract one ones know learn see please pls work study article say says"
        " summary content information info interesting"
    )
)
"""What may be asked about a paper without asking for a detail of it, as stems."""
_REF = (
    rf"(?:it|this|that|these|those|them|they|both|(?:(?:the|this|that|these|those)\s+)?(?:{'|'.join(_ORDINALS)}"
    r"|last|latter|former|top|main)?\s*(?:papers?|stud(?:y|ies)|articles?|works?|research|ones?)"
    rf"|the\s+(?:{'|'.join(_ORDINALS)}|last|latter|former)|(?:papers?\s+|number\s+)?\[?\d\]?)"
)
_OF_REF = rf"(?:\s+(?:of|for|to|on|by|behind|from)\s+{_REF})?"
_RECORD = re.compile(
    rf"""(?:(?:tell|give|show|list|name)\s+(?:me\s+)?|what(?:['’]?s|\s+is|\s+are|\s+was|\s+were)\s+)?(?:
      (?P<authors>who\s+(?:wrote|authored|published|did|made|conducted|is\s+behind)\s+{_REF}
        |(?:who(?:['’]s|\s+is|\s+are|\s+were)\s+)?(?:the\s+|its\s+|their\s+)?authors?(?:\s+names?)?{_OF_REF}
        |who\s+(?:is|was|are|were)\s+{_REF}\s+(?:written\s+|published\s+)?by|by\s+whom(?:\s+(?:is|was)\s+{_REF}.*)?
        |whose\s+(?:paper|study|work|article)\s+is\s+(?:it|this|that))
     |(?P<year>when(?:\s+(?:was|were|did)\s+{_REF}\s+(?:published|written|released|come\s+out|appear))?
        |(?:in\s+|from\s+)?(?:what|which)\s+year(?:\s+(?:is|was|are|were)\s+{_REF}(?:\s+(?:from|of|published|written))?)?
        |how\s+(?:old|recent|new)\s+(?:is|are)\s+{_REF}
        |(?:the\s+|its\s+|their\s+)?(?:publication\s+)?(?:year|date)(?:\s+of\s+publication)?{_OF_REF})
     |(?P<venue>where(?:\s+(?:was|were|did)\s+{_REF}\s+(?:published|appear|printed|come\s+out))?
        |(?:in\s+)?(?:what|which)\s+(?:journal|venue|conference|proceedings)
          (?:\s+(?:is|was|are|were|did|published)\s+{_REF}.*)?
        |(?:the\s+|its\s+|their\s+)?(?:journal|venue){_OF_REF})
     |(?P<doi>(?:the\s+|its\s+|their\s+|a\s+)?dois?{_OF_REF})
     |(?P<link>(?:the\s+|its\s+|their\s+|a\s+)?(?:links?|urls?|pdfs?|web\s*(?:site|page|address)){_OF_REF}
        |where\s+(?:can|could|do)\s+i\s+(?:find|read|get|download|see)\s+{_REF})
     |(?P<title>(?:the\s+|its\s+)?(?:full\s+|whole\s+)?titles?{_OF_REF}|what\s+is\s+{_REF}\s+called))
    (?:\s+(?:in|please))?""",
    re.IGNORECASE | re.VERBOSE,
)
"""What is asked of the record of a paper that was shown."""
_LIST_THEM = re.compile(
    r"(?:list|show|name|give)(?: me)?(?: all(?: of)?)? (?:them|those|these)(?: all)?", re.I
)
"""The papers that were shown are wanted, by their titles."""
_ONLY_LATER = frozenset({"when", "where"})
"""What is asked of a record only where another field of it is asked for in the same breath."""
_PICK = re.compile(
    r"(?:(?:which|what)(?: ones?| papers?| studies)?"
    r"(?: of (?:these|those|them|the (?:papers|studies)))|which ones?"
    r"|(?:do|does|is|are|was|were|did|has|have) any (?:one )?of (?:these|those|them))"
    r"(?: papers?| studies| ones?| articles?)?\s+(?P<rest>.+)",
    re.IGNORECASE,
)
_RANKS = re.compile(
    r"\b(?:better|best|worse|worst|(?:more|most|less|least) \w+"
    r"|(?:is|are|was|were|the) \w+(?:er|est))\b",
    re.IGNORECASE,
)
"""What cannot be told by whether a paper holds the words: "which of these is larger"."""
_SWITCH = re.compile(
    r"^\W*(?:(?:and|or|but|so|ok(?:ay)?|then|now)[, ]+)*(?P<lead>(?:what|how) (?:about|of)"
    r"|(?:the )?same (?:question )?(?:for|of|about|with)|and|or)\s+"
    r"(?P<subject>(?:(?P<prep>in|on|for|with|at|under|from|among|about|without|of|by)\s+)?[^?!.]+)\W*$",
    re.IGNORECASE,
)
_NO_SUBJECT = re.compile(
    r"^(?:the|what|which|who|how|why|when|where|does|do|did|is|are|was|were|can|could|has|have|will"
    r"|would|should|if|it|its|they|their|this|that|these|those|not|then|also|other|others|more)\b",
    re.IGNORECASE,
)
_NEW_TOPIC = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|so|well|right|now|thanks?|great)[,.! ]+)*(?:for )?"
    r"(?:an? )?(?:another|other|new|different|next|change of) (?:topic|question|subject|thing)"
    r"(?:\s*[:,.;–—]|\s-\s)\s*",
    re.IGNORECASE,
)
"""What says that nothing before counts any more."""
_OF_THESE = (
    r"(?: of (?:them|(?:the|these|those) (?:papers|studies|articles|works|two|three|few)"
    r"|these|those))"
)
_BY_AGE = re.compile(
    rf"(?:which|what)(?:(?: ones?| papers?)?{_OF_THESE}| ones?"
    r"|(?: paper| study| article)(?= (?:came|appeared)\b)|)"
    r" (?:(?:is|was|are|were)(?: the)? (?P<age>newest|latest|most recent|oldest|earliest|newer"
    r"|older|more recent)(?: ones?)?"
    r"|(?:(?:is|was|were|are) (?:the )?(?:published|written) (?:the )?|(?:came|appeared) (?:out )?)"
    r"(?P<order>first|last|earliest|latest|earlier|later)"
    r"|(?:is|was) (?:the )?(?P<nth>first|last) (?:to be )?(?:published|written))",
    re.IGNORECASE,
)
"""Which of the papers that were shown is the newest, or the oldest."""
_NEWER = re.compile(
    r"^\W*(?:(?:and|so|ok(?:ay)?)[, ]+)?(?:(?:are|is) there |do you have |have you |show me |any "
    r"|some |something |anything |what about )*(?P<how>newer|more recent|later|older|earlier)"
    r"(?: papers?| works?| studies| ones?| research| results?| articles?)?"
    r"(?: (?:on|about|than|of) (?:that|this|it|these|those|them))?\W*$",
    re.IGNORECASE,
)
_PAPERS_ON = re.compile(
    r"^\W*(?:(?:how many|which|what|the|all|any|some|list|show|find|give|me|(?:are|is) there"
    r"|do you have|newest|latest|oldest|earliest|most recent|recent)\s+)*"
    r"(?:papers?|works?|studies|articles?|research)\b(?: \w+){0,3}? (?:on|about)\s",
    re.IGNORECASE,
)
_AUTHORED = re.compile(
    r"\b(?:papers?|works?|studies|articles?|written|published)\b[^?]*\bby [A-Z]|\bwho wrote\b"
)
_WHY = re.compile(
    r"^\W*(?:(?:and|but|so)[, ]+)?(?:why(?: (?:is|was) (?:that|this|it)(?: so)?| so| not)?"
    r"|how (?:so|come)|for what reason|what is the reason)\W*$",
    re.IGNORECASE,
)
_OF_LIBRARY = re.compile(
    r"\b(?:(?:19|20)\d\d|journals?|authors?|venues?|conferences?|topics?|titles?|years?|many|most"
    r"|main|newest|oldest|latest|dates?|does|hold|contain)\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"(?:This library|The library|Nothing (?:in|more)|No (?:abstract|paper|publication|author)s?"
    r"|None of|The papers? shown|Whether this|\d[\d,]* papers?)\b"
)
"""How replies begin that say something of the library, not of a paper."""
_SIMILAR, _TIED, _WHOLE, _SPAN_WORDS = 0.33, 0.02, 0.6, 4
"""Cosine from which a part of the question before is of the kind of what takes its place; by how
much less an earlier part may have, and what share of it a word beside it that is of the same part;
and words of a part."""
_TOPIC_WORDS = 6
_LOOKED_BACK = 4
"""Answers in which what a question points to is looked for, the last one first."""
_ANSWER_WORDS = 40
_ASKED_OF = 10
"""Papers that were shown, of which a question without a topic may be asked."""
_FUNCTIONS = r"(?:" + "|".join(sorted(STOP_WORDS)) + r")\b"

_GREETING = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day))(?: there| again| everyone)?",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:(?:ok(?:ay)?|great|perfect|good|super)[, ]+)?(?:thanks|thank you|thx|cheers)"
    r"(?: (?:a lot|so much|very much|again))?",
    re.IGNORECASE,
)
_FAREWELL = re.compile(r"(?:good ?bye|bye|see you(?: later)?|that(?:'s| is) all)", re.IGNORECASE)
_ABILITIES = re.compile(
    r"(?:(?:so )?what (?:can|do|could) (?:you|this|it|the assistant) do(?: for me| here)?"
    r"|who are you|what are you|what is this|help(?: me)?(?: please)?|please help(?: me)?"
    r"|(?:can|could) you help(?: me)?(?: with (?:something|my (?:research|work)))?|i need help"
    r"|how (?:do|can|should) i (?:use (?:you|this|it)|start|ask(?: (?:you|questions?))?)"
    r"|how do(?:es)? (?:you|this|it) work|what (?:can|should|could) i ask(?: you)?(?: here)?"
    r"|what (?:kind|sort)s? of questions (?:can|do|could) (?:i|you) (?:ask|answer)"
    r"|what questions can you answer)",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"how (?:many|much) (?:papers|abstracts|documents|articles)"
    r" (?:do you (?:have|hold|know)|are (?:there|in (?:the|this|your) library)"
    r"|does (?:the|this|your) library (?:have|hold|contain)|have you got)"
    r"(?: in (?:the|this|your) library)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A question as it is meant.

    ``text`` stands on its own; ``asked`` is what of it was asked in this turn. ``paper``: what
    tells the one paper that is spoken of, its title or a sentence of it; ``whole``: the paper
    itself is asked for, not a detail of it. ``said``: quotations that were shown, of papers that
    are not to be shown again. ``beside``: names and quotations of papers that are to be compared.

    ``among``: names and quotations of the papers that were shown, of which alone it is asked:
    ``fields`` of their records; which of them hold what ``picks`` says; else a sentence.
    ``follows``: what the last answer quoted; to repeat it is no answer. ``judged``: what must be
    found for an answer, ``text`` less what was shown. ``subject``: what is new in ``text``; no
    paper that does not mention it answers.
    """

    text: str
    asked: str
    paper: str = ""
    whole: bool = False
    said: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    among: tuple[tuple[str, str], ...] = ()
    fields: tuple[str, ...] = ()
    picks: str = ""
    follows: tuple[str, ...] = ()
    judged: str = ""
    subject: str = ""

    @property
    def told(self) -> bool:
        """Whether papers that were shown are spoken of by name."""
        return bool(self.paper or self.said or self.beside or self.among)


def references_in(answer: str) -> dict[int, str]:
    """Number → title of the references at the end of an answer."""
    return {int(r["number"]): r["title"].strip() for r in _REFERENCE.finditer(answer)}


def without_references(answer: str) -> str:
    """An answer without the references at its end."""
    return _REFERENCE.sub("", answer).strip()


def leans(question: str) -> bool:
    """Whether ``question`` can hardly be understood without what was said before."""
    rest, question = opened(question), polite(question) if _asks_truth(question) else question
    joined = re.match(r"^\W*(?:\w+[-–,.! ]+)?(?:and|but|so|or|then)\b", question, re.IGNORECASE)
    if (joined and rest != question) or _OPENING.search(rest) or _BARE.match(question):
        return True
    if no_topic(question):
        return True
    if _points(question):
        return True
    found = _POINTING.search(question)
    before = re.sub(r"\bhow \w+", "", question[: found.start()], flags=re.I) if found else ""
    if found and len(terms(before)) < 2:
        return True  # else what it points to stands before it, in the question itself
    return bool(_PREPOSITION.match(question) and len(terms(question)) <= 3)


Shown = dict[int, tuple[str, str]]
"""Number → name and quotation of the papers that an answer shows."""
Alike = Callable[[str, Sequence[str]], Sequence[float]]
"""How alike a text is to each of others, as a cosine."""


def _asks_truth(question: str) -> bool:
    """Whether ``question`` puts a claim in words that ask if it is true: no "it" points back."""
    return asking(question).form == "yes_no" and polite(question) != opened(question)


def resolved(  # noqa: PLR0911  one return a way of meaning
    question: str, turns: Sequence[Message], alike: Alike | None = None
) -> Resolved:
    """``question`` as it is meant after ``turns`` (oldest first).

    ``alike`` tells which part of the question before another subject takes the place of; without
    it only one that ends in the same word.
    """
    asked = [turn.content for turn in turns if turn.role == "user"]
    said = [turn.content for turn in turns if turn.role == "assistant"]
    if not asked:
        return Resolved(question, question)
    shown = [_shown(answer) for answer in reversed(said[-_LOOKED_BACK:])]
    pointing = (
        find(question, papers)
        for find in (_recorded, _several, _pointing)
        for papers in _lists_first(question, shown)
    )
    told = (
        _alone(question, asked, alike)
        or _aged(question, shown)
        or _picking(question, shown)
        or next(filter(None, pointing), None)
        or _another(question, turns)
    )
    if told:
        return told
    if not leans(question):
        return Resolved(question, question)
    wholes, slot = _wholes(asked, alike)
    if (switched := _switched(question, (wholes or [""])[-1], alike, slot)) is not None:
        subject = _subject(question)
        named = bare_topic(subject["subject"]) if subject else ""
        return Resolved(switched, switched, follows=_quoted(said), subject=named)
    if (one := _of_one(question, asked[-1], shown)) is not None:
        return one
    before = next((text for text in reversed(wholes) if not _of_library(text)), "")
    if (whole := _named(question, before)) is not None:
        return Resolved(whole, whole)
    is_why = before and _WHY.match(question)
    return _why(before, said, shown) if is_why else _leant_on(question, before, asked, said)


def _lists_first(question: str, shown: Sequence[Shown]) -> list[Shown]:
    """The answers in which ``question`` points to papers: by an ordinal, to one of several."""
    found = _ORDINAL.search(question)
    nth = ((found["nth"] or found["alone"] or "") if found else "").lower()
    one = nth in {"last", "final"} and found and found[0].lower().endswith(("one", "ones"))
    if not (nth in _ORDINALS or one or _LIST_THEM.match(polite(question))):
        return list(shown)
    return sorted(shown, key=lambda papers: len(papers) < 2)


def _of_one(question: str, before: str, shown: Sequence[Shown]) -> Resolved | None:
    """A question with "it" or "they" after ``before``, which asked for one paper by its number,
    or for its record.
    """
    if not shown or len(shown[0]) != 1 or not _IT.search(question):
        return None
    if not _points(before) and _recorded(before, shown[0]) is None:
        return None
    ((name, quote),) = shown[0].values()
    return Resolved(f"{question} (about: {name})", question, quote or name)


def _why(before: str, said: Sequence[str], shown: Sequence[Shown]) -> Resolved:
    """The reason of what was asked ``before``, told by the papers that were shown."""
    auxiliary = asking(before).form in {"yes_no", "comparison"} and before.endswith("?")
    why = f"why {opened(before) if auxiliary else bare_topic(polite(before))}"
    spoken_of = next((tuple(found.values()) for found in shown if found), ())
    return Resolved(why, why, among=spoken_of, follows=_quoted(said))


def _points(question: str) -> bool:
    """Whether ``question`` points to one of the papers that were shown."""
    return bool(_MARK.search(question) or _ORDINAL.search(question))


def _pointing(question: str, shown: Shown) -> Resolved | None:
    """A question that points to a paper that was shown, with its name."""
    if (pointed := _pointed(question, shown)) is None:
        return None
    phrase, number = pointed
    name, quote = shown[number]
    text = " ".join(question.replace(phrase, name, 1).split())
    rest = [t for t in terms(question.replace(phrase, " ")) if t not in _NO_DETAIL]
    return Resolved(text, text, quote or name, not rest)


def _another(question: str, turns: Sequence[Message]) -> Resolved | None:
    """A question for more of what was asked before, without what was shown."""
    more = _ANOTHER.search(question) or _MORE.match(question)
    if not more or not (leans(question) or no_topic(question)):
        return None
    said = [turn.content for turn in turns if turn.role == "assistant"]
    quotes = tuple(quote or name for turn in said for name, quote in _shown(turn).values())
    asked = [turn.content for turn in turns if turn.role == "user"]
    topic = (_wholes(asked)[0] or asked)[-1]
    if no_topic(question) or _MORE.match(question):
        return Resolved(topic, topic, said=quotes)
    return Resolved(f"{question} (about: {topic})", question, said=quotes)


def _named(question: str, before: str) -> str | None:
    """``question`` with the topic of the question ``before`` in the place of its pronoun.

    None where that question is not about one short topic, or no pronoun stands for it.
    """
    topic, pronoun = thing(before), _IT.search(question)
    if no_topic(question) and _PAPERS.search(question):  # "which papers study it?"
        return f"papers on {topic}"
    if pronoun is None or not 1 <= len(topic.split()) <= _TOPIC_WORDS:
        return None
    asked = asking(before)
    of_one = asked.form in {"definition", "list"} and not asked.means
    if not of_one and not _COMPARES.search(question):
        return None
    return _IT.sub(lambda _: topic, opened(question), count=1)


def standalone(question: str, turns: Sequence[Message]) -> str:
    """``question``, completed from the turns before it (oldest first) where it leans on them."""
    return resolved(question, turns).text


def lean_on(question: str, other: str) -> str:
    """``question``, completed with the topic of ``other``, which was asked in the same breath."""
    if not leans(question):
        return question
    return _named(question, other) or f"{question} (about: {other})"


def _leant_on(question: str, before: str, asked: Sequence[str], said: Sequence[str]) -> Resolved:
    """``question`` with what it leans on: the topic ``before`` and the beginning of what was said.

    What was shown would be shown again where another subject is asked about.
    """
    topic = _cut(before) if before in asked else before
    if before and asked[-1] != before and leans(asked[-1]) and not _of_library(asked[-1]):
        topic = f"{topic} {_cut(asked[-1])}"
    other = _subject(question)
    quotes = not _ABOUT_ELSE.match(opened(question)) and (other is None or other["prep"])
    shown = _beginning(said[-1]) if said and quotes else ""
    about = " ".join(part for part in (topic, shown) if part)
    if not about:
        return Resolved(question, question)
    line = _LINE.search(said[-1]) if shown else None
    judged = f"{question} (about: {line['name']})" if line else ""
    text = f"{question} (about: {about})"
    return Resolved(text, question, follows=_quoted(said), judged=judged)


def leaning(question: str, turns: Sequence[Message]) -> Resolved:
    """``question`` as it is meant if it leans on ``turns`` without saying so.

    It is asked of the papers that the last answer shows, unless it is asked for others.
    """
    asked = [turn.content for turn in turns if turn.role == "user"]
    said = [turn.content for turn in turns if turn.role == "assistant"]
    shown = _shown(said[-1]) if said and not _ABOUT_ELSE.match(opened(question)) else {}
    if len(shown) != 1:
        wholes = [text for text in _wholes(asked)[0] if not _of_library(text)]
        meant = _leant_on(question, (wholes or [""])[-1], asked, said)
        return replace(meant, among=tuple(shown.values())[:_ASKED_OF])
    (name, quote), *_ = shown.values()
    text = f"{question} (about: {name})"
    return Resolved(text, question, quote or name, follows=_quoted(said))


def _recorded(question: str, shown: Shown) -> Resolved | None:
    """A question about the record of papers that were shown: who wrote them, when, where."""
    fields: list[str] = []
    for piece in re.split(r",?\s+and\s+|\?\s+", polite(question).strip(" ?.!")):
        found = _RECORD.fullmatch(piece)
        if not (found or _LIST_THEM.fullmatch(piece)):
            return None
        if not fields and piece.lower() in _ONLY_LATER:
            return None
        fields.append(found.lastgroup or "" if found else "paper")
    pointed = _pointed(question, shown)
    papers = [shown[pointed[1]]] if pointed else list(shown.values())
    if not papers:
        return None
    text = f"{question} (about: {'; '.join(name for name, _ in papers)})"
    told = [field for field in fields if field != "paper"] or fields
    return Resolved(text, question, among=tuple(papers), fields=tuple(told))


def _alone(question: str, asked: Sequence[str], alike: Alike | None) -> Resolved | None:
    """``question`` without the words that announce another topic, or, where newer or older papers
    on the topic before are asked for, in words that stand alone.
    """
    new = _NEW_TOPIC.match(question)
    if new and terms(question[new.end() :]):
        return Resolved(question[new.end() :], question[new.end() :])
    if not (found := _NEWER.match(question)):
        return None
    wholes = _wholes(asked, alike)[0]
    topic = next((_topic(text) for text in reversed(wholes) if _has_topic(text)), "")
    which = "oldest" if found["how"].lower() in {"older", "earlier"} else "newest"
    text = f"the {which} papers on {topic}"
    return Resolved(text, text) if terms(topic) else None


def _has_topic(question: str) -> bool:
    """Whether ``question`` asks for a matter, not for what the records hold."""
    if _PAPERS_ON.match(question):
        return True
    return not (_of_library(question) or _AUTHORED.search(question))


def _topic(question: str) -> str:
    """The whole topic of ``question``, without the words that ask for papers on it."""
    asked = asking(question)
    if asked.form in {"definition", "list"} and not _PAPERS_ON.match(question):
        return asked.topic
    return bare_topic(_PAPERS_ON.sub("", polite(question)))


def _aged(question: str, shown: Sequence[Shown]) -> Resolved | None:
    """Which of the papers that were shown, two or more, is the newest or the oldest."""
    found = _BY_AGE.fullmatch(polite(question).strip(" ?.!"))
    papers = next((tuple(one.values()) for one in shown if len(one) > 1), ())
    if not found or not papers:
        return None
    how = (found["age"] or found["order"] or found["nth"]).lower()
    oldest = how in {"oldest", "earliest", "older", "first", "earlier"}
    return Resolved(question, question, among=papers, fields=("oldest" if oldest else "newest",))


def _picking(question: str, shown: Sequence[Shown]) -> Resolved | None:
    """A question which of the papers that were shown have something: "which of these …".

    Of the last answers until two papers are told.
    """
    found = _PICK.match(opened(question))
    wanted = bare_topic(found["rest"]) if found else ""
    while " " in wanted and no_topic(wanted.split()[0]):
        wanted = wanted.partition(" ")[2]  # "mention", "use"
    papers: dict[tuple[str, str], None] = {}
    for answer in shown:
        papers |= dict.fromkeys(answer.values()) if len(papers) < 2 else {}
    if found is None or not papers or not terms(wanted) or _RANKS.search(found["rest"]):
        return None
    return Resolved(question, question, among=tuple(papers), picks=wanted)


def _subject(question: str) -> re.Match[str] | None:
    """The subject that ``question`` names in place of the one before: "and hedge funds?"."""
    found = _SWITCH.match(question)
    if not found or _NO_SUBJECT.match(found["subject"]) or no_topic(found["subject"]):
        return None
    return None if len(found["subject"].split()) > _TOPIC_WORDS else found


def _switched(question: str, before: str, alike: Alike | None, slot: str = "") -> str | None:
    """The question ``before`` with the subject that ``question`` names in the place of its own.

    With a preposition, in place of what follows the same one there, if it is there; in place of
    ``slot``, where that is known to be the subject. None where nothing is of its kind.
    """
    found = _subject(question)
    if found is None or not before:
        return None
    subject = found["subject"].strip()
    if found["prep"]:
        place = rf"\b{found['prep']}\s+(?:the |an? )?(?:[\w-]+(?: (?!{_FUNCTIONS})[\w-]+){{0,3}})"
        if same := list(re.finditer(place, before, re.IGNORECASE)):
            return f"{before[: same[-1].start()]}{subject}{before[same[-1].end() :]}"
        subject = subject[len(found["prep"]) :].strip()
        span = _of_its_kind(subject, before, alike)
        return f"{before[: span[0]]}{subject}{before[span[1] :]}" if span else None
    asked = asking(before)
    if not slot and asked.form in {"list", "definition"} and not asked.means:
        slot = asked.topic
    at = before.rfind(slot) if slot else -1
    span = (at, at + len(slot)) if at >= 0 else _of_its_kind(subject, before, alike)
    if span:
        return f"{before[: span[0]]}{subject}{before[span[1] :]}"
    return None


def _of_its_kind(subject: str, before: str, alike: Alike | None) -> tuple[int, int] | None:
    """From where to where ``before`` names a thing of the kind of ``subject``."""
    spans = _spans(before)
    size, head = len(subject.split()), terms(subject)[-1:]
    headed = [s for s in spans if terms(before[slice(*s)])[-1:] == head]
    if fits := [s for s in headed if len(before[slice(*s)].split()) <= size]:
        return max(fits, key=lambda s: s[1] - s[0])
    scores = alike(subject, [before[slice(*s)] for s in spans]) if alike and spans else []
    best = max(scores, default=0.0)
    if best < _SIMILAR:
        return None
    told = dict(zip(spans, scores, strict=True))
    first = next(s for s in spans if told[s] >= best - _TIED)
    words = [s for s in spans if " " not in before[slice(*s)] and told[s] >= _WHOLE * best]
    for word in words:  # "grey herons", not "grey"
        first = (first[0], word[1]) if word[0] - first[1] == 1 else first
    for word in reversed(words):
        first = (word[0], first[1]) if first[0] - word[1] == 1 else first
    return first


def _spans(text: str) -> list[tuple[int, int]]:
    """From where to where the phrases of ``text`` reach that hold no function word."""
    spans: list[tuple[int, int]] = []
    run: list[tuple[int, int]] = []
    for word in [*re.finditer(r"[\w’'&/-]+", text), None]:
        function = word is None or (word[0].casefold() in STOP_WORDS and not word[0].isupper())
        joined = not run or word is None or text[run[-1][1] : word.start()].isspace()
        if function or not joined:
            spans += [
                (run[n][0], run[m][1])
                for n in range(len(run))
                for m in range(n, min(len(run), n + _SPAN_WORDS))
            ]
            run = []
        if word is not None and not function:
            run.append(word.span())
    return spans


def _quoted(said: Sequence[str]) -> tuple[str, ...]:
    """The quotations of the last answer."""
    return tuple(line["quote"] for line in _LINE.finditer(said[-1])) if said else ()


def _shown(answer: str) -> Shown:
    """Number → (name, quotation) of the papers that an answer shows."""
    found: Shown = {}
    for line in _LINE.finditer(answer):
        name = line["name"].rpartition(LABELLED)[2].strip()
        found.setdefault(int(line["number"]), (name, line["quote"].split(CUT)[0]))
    for number, title in references_in(answer).items():
        found.setdefault(number, (title, ""))
    for mark in _NAMED_MARK.finditer(answer):
        name = mark["name"].rpartition(LABELLED)[2].strip()
        found.setdefault(int(mark["number"]), (name, ""))
    return found


def _several(question: str, shown: Shown) -> Resolved | None:
    """A comparison of papers that were shown, with their names: "compare [1] and [3]"."""
    if not _COMPARES.search(question):
        return None
    numbers = [int(n) for n in _MARK.findall(question) if int(n) in shown]
    if found := _FIRST_FEW.search(question):
        most = {"two": 2, "both": 2, "three": 3, "2": 2, "3": 3}[found[1].lower()]
        numbers = sorted(shown)[:most]
    if len(numbers) < 2:
        return None
    papers = tuple(shown[number] for number in numbers)
    text = f"Compare {' and '.join(name for name, _ in papers)}"
    return Resolved(text, text, beside=papers)


def _pointed(question: str, shown: Shown) -> tuple[str, int] | None:
    """The words of ``question`` that point to a paper that was shown, and its number."""
    if not shown:
        return None
    if (mark := _MARK.search(question)) and int(mark[1]) in shown:
        return mark[0], int(mark[1])
    found = _ORDINAL.search(question)
    number = _number(found, sorted(shown)) if found else None
    return (found[0], number) if found and number in shown and number is not None else None


def _number(found: re.Match[str], numbers: Sequence[int]) -> int | None:
    """The number of the paper that an ordinal means, of those that were shown."""
    if found["number"]:
        return int(found["number"])
    word = (found["nth"] or found["alone"]).lower()
    if word in {"last", "latter", "final"}:
        return numbers[-1]
    if word == "former":
        return numbers[0]
    place = _ORDINALS.index(word) if word in _ORDINALS else int(re.sub(r"\D", "", word)) - 1
    return numbers[place] if place < len(numbers) else None


def _wholes(asked: Sequence[str], alike: Alike | None = None) -> tuple[list[str], str]:
    """The questions of the conversation that stand on their own, as they are meant.

    Then the subject of the last, where it took the place of another one's.
    """
    found: list[str] = []
    slot = ""
    for text in asked:
        of_shown = _RECORD.fullmatch(text.strip(" ?.!")) or _PICK.match(opened(text))
        if of_shown or (_COMPARES.search(text) and _FIRST_FEW.search(text)):
            continue
        if not leans(text):
            found.append(text)
            slot = ""
        elif found and (whole := _switched(text, found[-1], alike, slot)):
            found.append(whole)
            subject = _subject(text)
            slot = subject["subject"].strip() if subject and not subject["prep"] else ""
        elif found and (whole := _named(text, found[-1])):
            found.append(whole)
            slot = ""
    return found or [text for text in asked[:1] if not _of_library(text)], slot


def _of_library(question: str) -> bool:
    """Whether ``question`` is about the library itself, so that no topic stands in it."""
    return no_topic(_OF_LIBRARY.sub(" ", question))


def _cut(text: str) -> str:
    return " ".join(text.split()[:_ANSWER_WORDS])


def _beginning(said: str) -> str:
    """The first sentence of an answer that cites, without its markers; of quotations, the first.

    What the program says of its own, about the library or what it lacks, is left out.
    """
    if quotation := _LINE.search(said):
        return _cut(f"{quotation['name']}: {quotation['quote']}")
    parts = re.split(r"\n|(?<=[.!?\]])\s+", said.strip())
    own = "" if _OWN.match(said) else parts[0]
    cites = next((part for part in parts if _MARK.search(part)), own)
    first = re.sub(r"\s*\[\d+(?:\s*[,–-]\s*\d+)*\]", "", cites)
    titles = " ".join(re.findall(r"\[([^\]]{12,})\]", said))
    return _cut(first) if not titles or titles in first else f"{_cut(first)} {titles}".strip()


def small_talk(question: str, papers: int) -> str | None:
    """The reply to what needs neither papers nor a model; None for everything else."""
    bare = question.strip(" \t\n.!?…,").lower()
    if _COUNT.fullmatch(bare):
        return f"The library holds {papers:,} paper{'' if papers == 1 else 's'}."
    if _ABILITIES.fullmatch(bare):
        return (
            f"I answer questions from the {papers:,} abstracts in this library. Every sentence of "
            "an answer cites papers by title and is checked against the abstracts that it cites; "
            "when the library does not hold an answer, I say so. Ask about a method, a result, a "
            "comparison, or which papers treat a subject; you can ask on from an answer."
        )
    if _GREETING.fullmatch(bare):
        return "Hello. Ask me something about the papers in this library."
    if _THANKS.fullmatch(bare):
        return "You are welcome."
    if _FAREWELL.fullmatch(bare):
        return "Goodbye."
    return None
