"""Names for themes: phrases that read as names, told from an abstract's words without a model.

A name is a phrase of two or three words (else one) that several papers of the theme use as a
unit (bounded by function words or punctuation), more often than the others do, at best in their
titles, and whose vector is near to the middle of the theme.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.embedding import Embedder
from assistant.review.search import UsedPaper, acronyms
from assistant.review.wording import clean, joined, name_of
from assistant.text import STOP_WORDS, terms

__all__ = ["SHARED", "Named", "names_for"]

Floats = NDArray[np.float32]
Key = tuple[str, ...]
"""Stems of a phrase."""

SHARED = 0.85
"""How much of what all papers share is taken out of their vectors."""
_CANDIDATES = 40
_WIDESPREAD = 0.25
"""Share of the other papers that may have a phrase made of the topic's own words."""

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*|[^\w\s]")
_BREAKERS = frozenset(
    re.findall(
        r"\S+",
        """
    propose proposes proposed introduce introduces introduced present presents presented show
    shows shown showing demonstrate demonstrates demonstrating achieve achieves achieving
    achieved outperform outperforms outperforming improve improves improving improved reduce
    reduces reducing reduced enable enables enabling use uses used using based existing novel
    new recent recently state-of-the-art various different significant significantly extensive
    experiments experiment results result paper papers work works study studies approach
    approaches method methods framework frameworks technique techniques strategy strategies
    however many several two three four five well known first second third provide provides
    providing effective effectively efficiently high higher low lower better best large-scale
    e.g i.e while whereas when lead leads leading make makes making maintain maintaining
    maintains preserve preserving allow allows allowing require requires requiring required
    remain remains often simple important importance main key specific specifically additionally
    furthermore moreover increase increases increasing increased explore explores investigate
    investigates develop developed apply applied applying consider substantial substantially
    respectively compared comparable superior popular common commonly widely major potential
    addition additional full fully given good great less need needs number numbers obtain offer
    offers original overall particular perform performance possible practical problem problems
    range real similar single small still task tasks type types variety via yet zero able across
    address addresses addressing aim aims among analysis applications available become becomes
    benefit benefits capabilities capability case cases challenge challenges challenging code
    comprehensive conduct contrast contribute cost costs current datasets dataset demand demands
    despite due early easy ensure ensuring entire especially evaluate evaluation evaluations
    even evidence example extend extends fact find findings finds focus follow following general
    generally growing help idea impact improvement improvements include includes including
    information insight insights instance issue issues lack largely level leverage leverages
    leveraging limit limitation limitations limited long means measure meet most much multiple
    mitigate mitigates offering open order paradigm performing perspective play plays previous
    prior promising quality reach reveal reveals rich role scenario scenarios seen setting
    settings solution solutions solve source step success suffer suffers suggest support
    systematically terms therefore thus today total toward towards traditional understand
    understanding unlike useful usually validate value values wide year years abstract authors
    author yields yield surpass surpasses surpassing state art also etc al comparing compare
    baseline baselines average strong remarkable robust facilitate facilitates exhibit exhibits
    thereby typically capture captures capturing encounter face faces hinder employ employs
    employing adopt adopts utilize utilizes utilizing combine combines combining called named
    termed observed observe observes verify verified confirm underlying inherent publicly github
    https http com www faster slower fast same consistently consistent critical crucial
    essential accurate accurately successfully demonstrated advanced advances advancement
    advancements rapid emergence emerged emerging powerful ability abilities enhance enhances
    enhancing enhanced scale scales optimize optimizes optimizing accelerate accelerates
    accelerating boost boosts aggressive prevailing building adding constant relevant central
    empirical direct literature set sets guide train trains billion million amount amounts
    real-world top-1 top-5 processing natural inspiring generates generate appropriate necessary
    suitable inspired driven motivated constrained conventional introducing
    """,
    )
)
_WEAK_ENDS = frozenset(
    re.findall(
        r"\S+",
        """
    efficient large small deep sparse dense dynamic static adaptive good standard hybrid big
    smaller larger pre fine downstream model-based trained pre-trained pretrained finetuned
    fine-tuned quantized pruned learned learnable activated selected fine-grained coarse-grained
    driven aware free specific agnostic
    """,
    )
)
_WEAK_HEADS = frozenset(
    re.findall(
        r"\S+",
        """
    model models network networks system systems training inference learning data parameter
    parameters performance accuracy language vision neural llm llms computation efficiency layer
    layers architecture architectures resource resources count counts
    """,
    )
)
_GENERIC = frozenset(
    re.findall(
        r"\S+",
        """
    capacity capacities device devices complexity bottleneck bottlenecks configuration
    configurations design designs process processes feature features knowledge sample samples
    budget budgets optimization generation setting dependencies reduction precision selection
    loss throughput latency memory weights weight activation activations bits bit gpu gpus gains
    gain accuracy error errors compensation depth scheme schemes procedure algorithm algorithms
    space search blocks scalability scaling inputs input outputs output tokens token deployment
    consumption footprint generalization robustness representation representations transformer
    transformers evaluation environment environments guarantees utility modules module size
    speedup speedups quality distribution distributions image images text corpus imagenet
    cifar-10 cifar-100 benchmark benchmarks reasoning decoding modeling regularization computing
    implementation implementations energy edge hardware literature context contexts building
    structure structures function functions supervision objective objectives dataset datasets
    application processing prediction predictions embedding embeddings attention experts expert
    parameterization empirical initialize cell cells step steps scores score response responses
    length dimension dimensionality
    """,
    )
)
_WEAK_END_STEMS = frozenset(
    t for word in _WEAK_ENDS if not word.endswith("ed") for t in terms(word)
)
_WEAK_STEMS = frozenset(t for word in _WEAK_HEADS for t in terms(word))
_NO_NAME = frozenset(
    ("large", "language", "models", "model", "deep", "learning", "neural", "networks")
)


@dataclass(frozen=True, slots=True)
class Named:
    """A theme's name, and the phrases that it was chosen from, best first."""

    name: str
    candidates: list[str]


def names_for(
    groups: Sequence[Sequence[int]], papers: Sequence[UsedPaper], embedder: Embedder, topic: str
) -> list[Named]:
    """A name for each group of papers (places), no two alike."""
    corpus = _Corpus(papers, embedder, topic)
    taken: list[set[str]] = []
    named: list[Named] = []
    for group in groups:
        ranked: list[Key] = []
        for strict in (True, False):
            ranked = corpus.ranked(group, alone=len(groups) == 1, strict=strict)
            if any(not _taken(key, taken) for key in ranked):
                break
        shown = [corpus.shown(key) for key in ranked]
        name = corpus.chosen(ranked, shown, group, taken) or _around(group, papers)
        taken.append(set(terms(name.partition(" and ")[0])))
        named.append(Named(name, shown[:12]))
    return named


@dataclass(frozen=True, slots=True)
class _Use:
    """How a group uses a phrase: papers of it, titles of it, papers beyond it."""

    held: int
    titled: int
    outside: int


class _Corpus:
    """The phrases of all papers of a review."""

    def __init__(self, papers: Sequence[UsedPaper], embedder: Embedder, topic: str) -> None:
        self._papers, self._embedder = papers, embedder
        self._phrases = [_phrases(p) for p in papers]
        self._titles = [set(terms(p.paper.title)) for p in papers]
        self._bags = [set(terms(f"{p.paper.title} {p.paper.abstract}")) for p in papers]
        self._forms: dict[Key, Counter[str]] = defaultdict(Counter)
        for found in self._phrases:
            for key, forms in found.items():
                self._forms[key].update(forms)
        self._short = {t for a in acronyms(topic) for t in (*terms(a), *terms(f"{a}s"))}
        self._topic = set(terms(topic)) | self._short

    def shown(self, key: Key) -> str:
        """The usual form of a phrase; acronyms and names keep their capitals."""
        forms = self._forms[key]
        return min(forms, key=lambda f: (-forms[f], f))

    def ranked(self, group: Sequence[int], *, alone: bool, strict: bool) -> list[Key]:
        """The phrases of a group that would make a name, best first.

        Args:
            alone: there is no other group.
            strict: not what the others have as well.
        """
        size, others = len(group), max(1, len(self._papers) - len(group))
        scores: dict[Key, float] = {}
        uses = self._uses(group)
        for key, use in uses.items():
            if (use.held < 2 and size > 1) or not self._fits(key, use):
                continue
            if not alone and self._common(key, group, strict=strict):
                continue
            inside = use.held / size
            margin = inside - use.outside / others
            if margin <= 0.05 and not alone:
                continue
            # titles name things; what no title has is often half a sentence
            weight = (0.7 if len(key) == 1 else 1.0) * (1.0 if use.titled else 0.5)
            scores[key] = weight * (margin * float(np.sqrt(inside)) + 0.8 * use.titled / size)
        for key in list(scores):  # "large reasoning" says less than "large reasoning models"
            if any(
                set(key) < set(other) and uses[other].held >= 0.7 * uses[key].held
                for other in scores
            ):
                del scores[key]
        return self._by_meaning(scores, group, alone=alone)

    def chosen(
        self,
        ranked: Sequence[Key],
        shown: Sequence[str],
        group: Sequence[int],
        taken: Sequence[set[str]],
    ) -> str:
        """The best phrase; with a second one where the first tells of few of the papers."""
        free = [n for n in range(len(ranked)) if not _taken(ranked[n], taken)]
        if not free:
            return ""
        first = free[0]
        holders = {m for m in group if ranked[first] in self._phrases[m]}
        name = shown[first]
        if len(holders) < 0.6 * len(group):
            best, gain = None, 0
            for n in free[1:6]:
                if set(ranked[n]) & set(ranked[first]) or (" " in name and " " not in shown[n]):
                    continue
                new = sum(ranked[n] in self._phrases[m] for m in group if m not in holders)
                if new > gain:
                    best, gain = n, new
            if best is not None and gain >= max(2, len(group) // 5):
                name = f"{name} and {shown[best]}"
        return name[:1].upper() + name[1:]

    def _uses(self, group: Sequence[int]) -> dict[Key, _Use]:
        members = set(group)
        held: Counter[Key] = Counter()
        titled: Counter[Key] = Counter()
        outside: Counter[Key] = Counter()
        for place, found in enumerate(self._phrases):
            if place in members:
                held.update(found.keys())
                titled.update(key for key in found if set(key) <= self._titles[place])
            else:
                outside.update(found.keys())
        return {key: _Use(held[key], titled[key], outside[key]) for key in held}

    def _fits(self, key: Key, use: _Use) -> bool:
        """Whether a phrase says anything, by its words."""
        bare = {t for t in key if t not in _WEAK_STEMS}
        words = self.shown(key).split()
        said = bare - self._topic  # "sparse mixture" says no more than "sparse"
        return not (
            bare <= self._short
            or all(word.casefold() in _WEAK_HEADS | _GENERIC for word in words)
            or (said and said <= _WEAK_END_STEMS)
            or (len(key) == 1 and not _nominal(words[0], use.titled))
        )

    def _common(self, key: Key, group: Sequence[int], *, strict: bool) -> bool:
        """Whether the other papers have a phrase's words about as often."""
        bare = {t for t in key if t not in _WEAK_STEMS}
        size, others = len(group), max(1, len(self._papers) - len(group))
        within = sum(bare <= self._bags[m] for m in group) / size
        beyond = (sum(bare <= bag for bag in self._bags) - within * size) / others
        if bare <= self._topic and beyond > _WIDESPREAD:
            return True  # what the whole review is about
        return strict and beyond > 0.4 and within - beyond < 0.3

    def _by_meaning(
        self, scores: dict[Key, float], group: Sequence[int], *, alone: bool
    ) -> list[Key]:
        """Ordered by score and by nearness to the middle of the group."""
        best = sorted(scores, key=lambda k: (-scores[k], k))[:_CANDIDATES]
        if not best:
            return []
        middle = np.mean([self._papers[m].vector for m in group], axis=0)
        everything = np.mean([p.vector for p in self._papers], axis=0)
        direction = _unit(middle - (0 if alone else SHARED * everything))
        vectors = self._embedder.embed([self.shown(key) for key in best])
        near = vectors @ direction + 0.5 * (vectors @ _unit(middle))
        final = {k: scores[k] / scores[best[0]] + float(near[n]) for n, k in enumerate(best)}
        return sorted(best, key=lambda k: (-round(final[k], 5), k))


def _unit(vector: Floats) -> Floats:
    unit: Floats = vector / max(float(np.linalg.norm(vector)), 1e-6)
    return unit


def _taken(key: Sequence[str], names: Sequence[set[str]]) -> bool:
    """Whether another name says the same: by the beginnings of its words ("router", "routing")."""
    ours = {t[:4] for t in key}
    return any(ours <= {t[:4] for t in name} for name in names)


def _around(group: Sequence[int], papers: Sequence[UsedPaper]) -> str:
    """The name of a theme that no phrase tells: its most central papers."""
    names = [name_of(papers[m].paper) for m in group[:2]]
    return "Around " + joined(names if len(" ".join(names)) <= 70 else names[:1])


def _nominal(word: str, titles: int) -> bool:
    """Whether one word may be a name alone: titles have it, and it says what is done."""
    low = word.casefold()
    if low in _GENERIC or low in _WEAK_HEADS or len(low) < 4:
        return False
    doing = re.search(r"(?:ing|tion|sion|ment|ers?|ors?|sis|ity|ics)$", low)
    return titles >= (1 if doing else 2) and not re.search(r"\d", low)


def _phrases(used: UsedPaper) -> dict[Key, Counter[str]]:
    """Stems of each phrase that a paper uses as a unit → the forms that it has there."""
    found: dict[Key, Counter[str]] = defaultdict(Counter)
    for text in (used.paper.title, *used.sentences):
        run: list[str] = []
        for word in [*_WORD.findall(clean(text)), "."]:
            if _continues(word):
                run.append(word)
                continue
            _take(run, found)
            run = []
    return found


def _continues(word: str) -> bool:
    low = word.casefold()
    return (
        low not in STOP_WORDS
        and low not in _BREAKERS
        and len(low) > 1
        and word[0].isalpha()
        and not low.endswith("ly")
    )


def _take(run: Sequence[str], found: dict[Key, Counter[str]]) -> None:
    """Counts the phrases at the end of a run of words: its head with what stands before it."""
    for end in range(len(run), 0, -1):
        for length in (1, 2, 3):
            start = end - length
            if start < 0 or (end < len(run) and length < 2):
                continue  # inside a run, one word is half a phrase
            words = run[start:end]
            key = tuple(dict.fromkeys(t for w in words for t in terms(w)))
            heads = {w.casefold() for w in words}
            if (
                not key
                or len(key) > 4
                or words[-1].casefold() in _WEAK_ENDS
                or heads <= _NO_NAME
                or heads <= _WEAK_HEADS
                or (length == 1 and words[0].casefold() in _WEAK_HEADS)
                or re.fullmatch(r"\w*[a-z]ed", words[-1].casefold())
            ):
                continue
            form = " ".join(w if _is_name(w) else w.casefold() for w in words)
            if len(key) <= 3:
                found[key][form] += 1
        if end < len(run) or run[-1].casefold() not in _WEAK_HEADS:
            break


def _is_name(word: str) -> bool:
    return bool(re.search(r"[A-Z\d]", word[1:]))
