"""Pairs of a sentence and a paper, for measuring and fitting the support checker.

A true sentence is one of the abstract, the same lightly reworded, or one of a digest of the
paper: an independent retelling, as a model writes it. False ones are made from true ones: held
against the neighbouring paper, or with a number, a name or a direction changed.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.answering.particulars import Particulars, bare_name
from assistant.paper import Paper
from assistant.text import sentences, terms

__all__ = ["CHANGES", "Pair", "make_pairs", "neighbours"]

CHANGES = (
    "wrong_paper",
    "other_paper",
    "number_changed",
    "number_swapped",
    "numbers_exchanged",
    "thing_changed",
    "name_changed",
    "words_exchanged",
    "direction_changed",
    "made_absolute",
    "made_causal",
)
_A_PAPER = 3
"""Sentences taken from each abstract."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence, the paper that it cites, whether that supports it (``label`` 1), and how it
    was made: ``kind`` "right" or one of `CHANGES`; ``style`` "copy", "light" or "digest".
    ``origin`` numbers the true sentence that it was made from.
    """

    sentence: str
    paper: Paper
    kind: str
    label: int
    style: str
    origin: int


def make_pairs(papers: Sequence[Paper], seed: int = 0) -> list[Pair]:
    """Pairs from abstracts, and from digests of the same papers where ``papers`` holds some.

    Every true sentence gives a right pair and one pair of each kind that it allows.
    """
    chance = random.Random(seed)  # noqa: S311
    abstracts = {p.title_key: p for p in papers if p.kind == "abstract" and p.abstract}
    known = list(abstracts.values())
    near = dict(zip(abstracts, neighbours(known), strict=True))
    names = {key: _names(paper) for key, paper in abstracts.items()}
    pairs: list[Pair] = []
    for origin, (sentence, paper, style) in enumerate(_true(papers, abstracts, chance)):
        other = known[near[paper.title_key]]
        pairs.append(Pair(sentence, paper, "right", 1, style, origin))
        pairs.append(Pair(sentence, other, "wrong_paper", 0, style, origin))
        stranger = chance.choice(known)
        if stranger.title_key != paper.title_key:
            pairs.append(Pair(sentence, stranger, "other_paper", 0, style, origin))
        changed = {
            "number_changed": _number_changed(sentence, paper, chance),
            "number_swapped": _number_swapped(sentence, paper, chance),
            "name_changed": _name_changed(sentence, paper, names[other.title_key], chance),
            "direction_changed": _direction_changed(sentence, chance),
            "numbers_exchanged": _numbers_exchanged(sentence),
            "thing_changed": _thing_changed(sentence, paper, chance),
            "words_exchanged": _words_exchanged(sentence, chance),
            "made_absolute": _made_absolute(sentence, chance),
            "made_causal": _made_causal(sentence, known[near[paper.title_key]], paper, chance),
        }
        pairs += [
            Pair(text, paper, kind, 0, style, origin)
            for kind, text in changed.items()
            if text is not None and text != sentence
        ]
    return pairs


def neighbours(papers: Sequence[Paper]) -> list[int]:
    """For each paper the place of the one whose words are most like its own (tf-idf cosine)."""
    bags = [Counter(terms(f"{p.title} {p.abstract}")) for p in papers]
    documents = Counter(term for bag in bags for term in bag)
    telling = [term for term, n in documents.items() if 1 < n < len(papers) / 3]
    vocabulary = {term: column for column, term in enumerate(telling)}
    matrix = np.zeros((len(papers), max(1, len(vocabulary))), np.float32)
    for row, bag in enumerate(bags):
        for term, count in bag.items():
            if term in vocabulary:
                weight = np.log(len(papers) / documents[term])
                matrix[row, vocabulary[term]] = (1 + np.log(count)) * weight
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-6)
    alike = matrix @ matrix.T
    np.fill_diagonal(alike, -1)
    return [int(i) for i in np.argmax(alike, axis=1)]


def _true(
    papers: Sequence[Paper], abstracts: dict[str, Paper], chance: random.Random
) -> Iterator[tuple[str, Paper, str]]:
    for paper in abstracts.values():
        spans = [s for s in sentences(paper.abstract) if s.end - s.start > 40]
        for start, end in chance.sample(spans, min(_A_PAPER, len(spans))):
            text = paper.abstract[start:end]
            yield text, paper, "copy"
            light = _reworded(text, chance)
            if light != text:
                yield _laid_out(light, chance), paper, "light"
    for paper in papers:
        original = abstracts.get(paper.title_key)
        if paper.kind == "digest" and original is not None:
            for start, end in sentences(paper.abstract):
                if end - start > 30:
                    yield _laid_out(paper.abstract[start:end], chance), original, "digest"


# -- true in other words -------------------------------------------------------------------------

_REWORDINGS: list[tuple[str, str]] = [
    (r"^(?:In this (?:work|paper|study|article), )?[Ww]e\b", "The authors"),
    (r"\bwe\b", "they"),
    (r"\b[Oo]ur\b", "the"),
    (r"^(?:Furthermore|Moreover|Additionally|In addition|However|Specifically), (\w)", r"\1"),
    (r"(\d)\s?%", r"\1 percent"),
    (r"(\d)(?:x|×)(?!\w)", r"\1 times"),
    (r"(\d),(\d{3})\b", r"\1\2"),
    (r"\bdemonstrates?\b", "shows"),
    (r"\bproposes?\b", "introduces"),
    (r"\boutperforms\b", "surpasses"),
    (r"\butiliz(?:e|ing|es)\b", "using"),
    (r"\b(?:significantly|substantially|notably) ", ""),
    (r"\bapproach\b", "method"),
    (r"\bimproves\b", "enhances"),
    (r"\breduces\b", "lowers"),
    (r"\blarge language models\b", "LLMs"),
    (r"\bLLMs\b", "large language models"),
]


def _reworded(text: str, chance: random.Random) -> str:
    for pattern, by in chance.sample(_REWORDINGS, len(_REWORDINGS)):
        if chance.random() < 0.75:
            text = re.sub(pattern, by, text)
    if chance.random() < 0.4:  # the first clause alone is true as well
        first = re.split(r"; |, which |, while |, whereas |, leading to |, and ", text, maxsplit=1)[
            0
        ]
        if len(first.split()) >= 8:
            text = first.rstrip(".,") + "."
    return text[:1].upper() + text[1:]


_LABELS = ("Speed", "Result", "Method", "Cost", "Data", "Finding", "In short", "Limits", "Why")


def _laid_out(text: str, chance: random.Random) -> str:
    """Some sentences as an item of a list, with a label, a rounded number, or as a cell."""
    kind = chance.random()
    number = re.search(r"\b(\d{2,3})\.\d(?=\s?%)", text)
    if number and kind < 0.3:
        rounded = round(float(number.group()))
        return f"{text[: number.start()]}about {rounded}{text[number.end() :]}"
    lowered = text[:1].lower() + text[1:] if not text[1:2].isupper() else text
    if kind < 0.06:
        return f"- {text}"
    if kind < 0.12:
        return f"{chance.randint(1, 5)}. **{chance.choice(_LABELS)}:** {lowered}"
    if kind < 0.18:
        return f"- {chance.choice(_LABELS)}: {lowered}"
    return text


# -- false ---------------------------------------------------------------------------------------

_DIGITS = re.compile(r"(?<![\w.,-])\d[\d,]*(?:\.\d+)?(?![\w,]*\d)")


def _number_changed(sentence: str, paper: Paper, chance: random.Random) -> str | None:
    """Another number of the same look, which the paper does not hold."""
    held = set(re.findall(r"\d[\d,.]*\d|\d", f"{paper.title} {paper.abstract}"))
    found = list(_DIGITS.finditer(sentence))
    if not found:
        return None
    number = chance.choice(found)
    text = number.group()
    decimals = len(text.partition(".")[2])
    value = float(text.replace(",", ""))
    for _ in range(20):
        factor = chance.choice((0.4, 0.6, 0.8, 0.9, 1.1, 1.25, 1.5, 2.0, 3.0))
        new = value * factor + chance.choice((0, 1))
        shown = f"{new:,.{decimals}f}" if "," in text else f"{new:.{decimals}f}"
        if shown not in held and float(shown.replace(",", "")) != value:
            return sentence[: number.start()] + shown + sentence[number.end() :]
    return None


def _number_swapped(sentence: str, paper: Paper, chance: random.Random) -> str | None:
    """A number of the same paper in the place of another; the hardest to notice."""
    found = list(_DIGITS.finditer(sentence))
    if not found:
        return None
    number = chance.choice(found)
    after = sentence[number.end() : number.end() + 1]
    others = [
        other.group()
        for other in _DIGITS.finditer(paper.abstract)
        if paper.abstract[other.end() : other.end() + 1] == after and other.group() not in sentence
    ]
    if not others:
        return None
    return sentence[: number.start()] + chance.choice(others) + sentence[number.end() :]


def _names(paper: Paper) -> list[str]:
    found = [n for n in Particulars.of(paper.abstract).names if sum(c.isupper() for c in n) > 1]
    return [name for name in found if len(name) > 2]


def _name_changed(
    sentence: str, paper: Paper, others: Sequence[str], chance: random.Random
) -> str | None:
    """A name of the neighbouring paper in the place of one of this."""
    whole = bare_name(f"{paper.title} {paper.abstract}".replace(" ", ""))
    strange = [name for name in others if bare_name(name) not in whole]
    own = [n for n in Particulars.of(sentence).names if sum(c.isupper() for c in n) > 1]
    if not strange or not own:
        return None
    name = chance.choice(own)
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", chance.choice(strange), sentence)


_OPPOSITES = [
    ("increases", "decreases"), ("increase", "decrease"), ("increasing", "decreasing"),
    ("improves", "degrades"), ("improve", "degrade"), ("improved", "degraded"),
    ("improving", "degrading"), ("improvements", "losses"), ("improvement", "loss"),
    ("reduces", "raises"), ("reduce", "raise"), ("reducing", "raising"), ("reduced", "raised"),
    ("reduction", "increase"), ("higher", "lower"), ("high", "low"), ("larger", "smaller"),
    ("large", "small"), ("more", "less"), ("better", "worse"), ("best", "worst"),
    ("faster", "slower"), ("fast", "slow"), ("outperforms", "underperforms"),
    ("outperform", "underperform"), ("surpasses", "trails"), ("exceeds", "falls short of"),
    ("beats", "loses to"), ("with", "without"), ("before", "after"), ("superior", "inferior"),
    ("efficient", "inefficient"), ("effective", "ineffective"), ("enables", "prevents"),
    ("allows", "prevents"), ("strong", "weak"), ("fewer", "more"), ("less", "more"),
    ("accelerates", "delays"), ("robust", "brittle"), ("positive", "negative"),
    ("longer", "shorter"), ("simple", "complicated"), ("cheaper", "dearer"), ("gains", "losses"),
    ("rises", "falls"), ("rose", "fell"), ("stable", "unstable"), ("matches", "misses"),
]  # fmt: skip
_ANTONYMS = {a: b for pair in _OPPOSITES for a, b in (pair, pair[::-1])} | {"lower": "higher"}
_VERB = re.compile(
    r"\b(is|are|was|were|can|does|do|has|have|will|achieves|shows|provides|requires|leads|uses"
    r"|needs|keeps|works|performs)\b"
)


_DENIED = re.compile(
    r"\b(is|are|was|were|can|do|does|did|will|has|have|may)(?: not|not|n['’]t)\b ?"
)
_AFFIRMED = r"\1 "


def _direction_changed(sentence: str, chance: random.Random) -> str | None:
    """One word turned into its opposite, or the verb negated."""
    changes: list[str] = []
    for found in re.finditer(r"[A-Za-z]+", sentence):
        opposite = _ANTONYMS.get(found.group())
        if opposite is not None:
            changes.append(sentence[: found.start()] + opposite + sentence[found.end() :])
    denied = _DENIED.search(sentence)
    if denied is not None and chance.random() < 0.7:
        return sentence[: denied.start()] + denied.expand(_AFFIRMED) + sentence[denied.end() :]
    verb = _VERB.search(sentence)
    if verb is not None and (not changes or chance.random() < 0.15):
        auxiliary = verb.group() in ("is", "are", "was", "were", "can", "does", "do", "will")
        text = f"{verb.group()} not" if auxiliary else f"never {verb.group()}"
        changes = [sentence[: verb.start()] + text + sentence[verb.end() :]]
    return chance.choice(changes) if changes else None


def _numbers_exchanged(sentence: str) -> str | None:
    """The first two numbers of one unit, each in the place of the other."""
    found = list(_DIGITS.finditer(sentence))
    for one, two in itertools.pairwise(found):
        units = [sentence[n.end() : n.end() + 1].strip() for n in (one, two)]
        if units[0] == units[1] and one.group() != two.group():
            between = sentence[one.end() : two.start()]
            after = sentence[two.end() :]
            return f"{sentence[: one.start()]}{two.group()}{between}{one.group()}{after}"
    return None


_COUNTED = re.compile(r"\d(?:[\w.,]*\d)?(?:\s+(?:million|billion))?[\s-]+([a-z]{4,}s)\b")


def _thing_changed(sentence: str, paper: Paper, chance: random.Random) -> str | None:
    """Another plural of the abstract in the place of what a number counts."""
    found = _COUNTED.search(sentence)
    plurals = set(re.findall(r"\b[a-z]{4,}[^s\W]s\b", paper.abstract)) - set(sentence.split())
    if found is None or found[1] in ("times", "points") or not plurals:
        return None
    other: str = chance.choice(sorted(plurals))
    return sentence[: found.start(1)] + other + sentence[found.end(1) :]


_TURNING = re.compile(r"\b(?:from|than|over|into|by|against|before|after|outperforms?|to|of)\b")


def _words_exchanged(sentence: str, chance: random.Random) -> str | None:
    """The names or words before and after one that makes a difference of their order."""
    places = list(_TURNING.finditer(sentence))
    chance.shuffle(places)
    for place in places:
        before = re.search(r"([\w-]{4,})[ ]$", sentence[: place.start()])
        after = re.match(r" (?:the |an? )?([\w-]{4,})", sentence[place.end() :])
        if before is None or after is None or not terms(before[1]) or not terms(after[1]):
            continue
        start, end = place.end() + after.start(1), place.end() + after.end(1)
        middle = sentence[before.end(1) : start]
        return f"{sentence[: before.start(1)]}{after[1]}{middle}{before[1]}{sentence[end:]}"
    return None


_STRONGER = [
    (r"\b(?:most|many|some|several|certain|various)\b", "all"),
    (r"\b(?:can|may|might|could) (?=[a-z]+\b)", "always "),
    (r"\b(?:often|usually|typically|generally)\b", "always"),
    (r"\b(?:reduces?|mitigates?|alleviates?|lowers?|decreases?)\b", "eliminates"),
    (r"\b(?:suggests?|indicates?|shows?)\b", "proves"),
    (r"\b(?:up to|about|approximately|nearly)\b ?", "always "),
    (r"\bimproves\b", "completely solves"),
]


def _made_absolute(sentence: str, chance: random.Random) -> str | None:
    """Stronger than it is: "all" for "most", "eliminates" for "reduces"."""
    for pattern, by in chance.sample(_STRONGER, len(_STRONGER)):
        changed = re.sub(pattern, by, sentence, count=1)
        if changed != sentence:
            return changed
    return f"{sentence.rstrip('.')} in every case." if chance.random() < 0.3 else None


def _made_causal(sentence: str, other: Paper, paper: Paper, chance: random.Random) -> str | None:
    """A reason that the abstract does not give, of words of its own or of a neighbour's."""
    if chance.random() < 0.6 or len(sentence.split()) > 30:
        return None
    source = paper if chance.random() < 0.5 else other
    parts = [source.abstract[a:b].rstrip(".") for a, b in sentences(source.abstract)]
    parts = [p for p in parts if 5 < len(p.split()) < 16 and p not in sentence]
    if not parts:
        return None
    reason = chance.choice(parts)
    return f"{sentence.rstrip('.')} because {reason[:1].lower()}{reason[1:]}."
