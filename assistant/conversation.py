"""Conversations: what was said before in, a question that stands on its own out.

A question that is whole stands alone, whatever was said before. One that leans on the turns
before it is resolved against what was shown: "[2]", "the second one", "the last paper" become
that paper; "another" leaves out what was shown already; "it", "and on ImageNet?" get the topic
of the last question that stood alone.

Greetings and thanks are answered here: they need neither papers nor a model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answering.draft import LABELLED
from assistant.answering.forms import asking, no_topic, opened, thing
from assistant.attribution import CUT
from assistant.results import Message
from assistant.text import terms

__all__ = [
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
_TOPIC_WORDS = 6
_LOOKED_BACK = 4
"""Answers in which what a question points to is looked for, the last one first."""
_ANSWER_WORDS = 40

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
    itself is asked for, not a detail of it. ``said``: quotations that were shown and are not to
    be shown again. ``beside``: names and quotations of papers that are to be compared.
    """

    text: str
    asked: str
    paper: str = ""
    whole: bool = False
    said: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()

    @property
    def told(self) -> bool:
        """Whether papers that were shown are spoken of by name."""
        return bool(self.paper or self.said or self.beside)


def references_in(answer: str) -> dict[int, str]:
    """Number → title of the references at the end of an answer."""
    return {int(r["number"]): r["title"].strip() for r in _REFERENCE.finditer(answer)}


def without_references(answer: str) -> str:
    """An answer without the references at its end."""
    return _REFERENCE.sub("", answer).strip()


def leans(question: str) -> bool:
    """Whether ``question`` can hardly be understood without what was said before."""
    rest = opened(question)
    joined = re.match(r"^\W*(?:\w+[-–,.! ]+)?(?:and|but|so|or|then)\b", question, re.IGNORECASE)
    if (joined and rest != question) or _OPENING.search(rest) or _BARE.match(question):
        return True
    if no_topic(question):
        return True
    if _MARK.search(question) or _ORDINAL.search(question):
        return True
    found = _POINTING.search(question)
    before = re.sub(r"\bhow \w+", "", question[: found.start()], flags=re.I) if found else ""
    if found and len(terms(before)) < 2:
        return True  # else what it points to stands before it, in the question itself
    return bool(_PREPOSITION.match(question) and len(terms(question)) <= 3)


def resolved(question: str, turns: Sequence[Message]) -> Resolved:
    """``question`` as it is meant after ``turns`` (oldest first)."""
    asked = [turn.content for turn in turns if turn.role == "user"]
    if not asked:
        return Resolved(question, question)
    said = [turn.content for turn in turns if turn.role == "assistant"]
    shown = [_shown(answer) for answer in reversed(said[-_LOOKED_BACK:])]
    for find in (_several, _pointing):
        for papers in shown:
            if pointing := find(question, papers):
                return pointing
    if (another := _another(question, turns)) is not None:
        return another
    if not leans(question):
        return Resolved(question, question)
    if (named := _named(question, _last_whole(asked))) is not None:
        return Resolved(named, named)
    return Resolved(_completed(question, asked, said), question)


def _pointing(question: str, shown: dict[int, tuple[str, str]]) -> Resolved | None:
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
    before = [resolved(t.content, turns[:n]) for n, t in enumerate(turns) if t.role == "user"]
    whole = [m.text for m in before if m.text == m.asked and not m.paper and not m.beside]
    topic = (whole or [before[0].text])[-1]
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


def _completed(question: str, asked: Sequence[str], said: Sequence[str]) -> str:
    context = [_topic(asked)]
    if said and not _ABOUT_ELSE.match(opened(question)):  # what was shown would be shown again
        context.append(_beginning(said[-1]))
    about = " ".join(part for part in context if part)
    return f"{question} (about: {about})"


def leaning(question: str, turns: Sequence[Message]) -> Resolved:
    """``question`` as it is meant if it leans on ``turns`` without saying so.

    Where the last answer shows one paper only, that is spoken of, unless it is asked for others.
    """
    asked = [turn.content for turn in turns if turn.role == "user"]
    said = [turn.content for turn in turns if turn.role == "assistant"]
    shown = _shown(said[-1]) if said and not _ABOUT_ELSE.match(opened(question)) else {}
    text = _completed(question, asked, said)
    if len(shown) != 1:
        return Resolved(text, question)
    (name, quote), *_ = shown.values()
    return Resolved(f"{question} (about: {name})", question, quote or name)


def _shown(answer: str) -> dict[int, tuple[str, str]]:
    """Number → (name, quotation) of the papers that an answer shows."""
    found: dict[int, tuple[str, str]] = {}
    for line in _LINE.finditer(answer):
        name = line["name"].rpartition(LABELLED)[2].strip()
        found.setdefault(int(line["number"]), (name, line["quote"].split(CUT)[0]))
    for number, title in references_in(answer).items():
        found.setdefault(number, (title, ""))
    for mark in _NAMED_MARK.finditer(answer):
        name = mark["name"].rpartition(LABELLED)[2].strip()
        found.setdefault(int(mark["number"]), (name, ""))
    return found


def _several(question: str, shown: dict[int, tuple[str, str]]) -> Resolved | None:
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


def _pointed(question: str, shown: dict[int, tuple[str, str]]) -> tuple[str, int] | None:
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


def _last_whole(asked: Sequence[str]) -> str:
    """The last question of the conversation that stood on its own."""
    return next((text for text in reversed(asked) if not leans(text)), asked[0])


def _topic(asked: Sequence[str]) -> str:
    """The last question of the conversation that stood on its own, and the last leaning on it."""
    start = max((n for n, text in enumerate(asked) if n == 0 or not leans(text)), default=0)
    kept = [asked[start], *([asked[-1]] if len(asked) - 1 > start else [])]
    return " ".join(" ".join(text.split()[:_ANSWER_WORDS]) for text in kept)


def _beginning(said: str) -> str:
    """The first sentence of an answer, without its markers; of quotations, the first."""
    if quotation := _LINE.search(said):
        return " ".join(f"{quotation['name']}: {quotation['quote']}".split()[:_ANSWER_WORDS])
    plain = re.sub(r"\s*\[\d+(?:\s*[,–-]\s*\d+)*\]", "", said.strip())
    first = re.split(r"(?<=[.!?])[”\s]", plain, maxsplit=1)[0]
    titles = " ".join(re.findall(r"\[([^\]]{12,})\]", plain))
    words = " ".join(first.split()[:_ANSWER_WORDS])
    return words if not titles or titles in words else f"{words} {titles}"


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
