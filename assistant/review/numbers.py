"""Reported numbers: a number with its unit, what it measures, and the words around it.

Fragments are the abstract's own words, cut at the bounds of clauses; nothing is computed of
them, and numbers of different papers are put side by side only under the kind of thing that
they measure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.review.wording import clean

__all__ = ["KINDS", "Figure", "figures", "scale_of"]

Kind = Literal["speed", "size", "quality"]
KINDS: dict[Kind, str] = {
    "speed": "speed",
    "size": "size, memory or compute",
    "quality": "quality",
}
"""Kind → what the text calls it."""

_UNIT = (
    r"(?:%|percent\b|percentage points?|points?\b|x\b|×|X\b|-?\s?fold\b|\s?times\b|[- ]bits?\b"
    r"|\s?(?:GB|MB|KB|TB|GiB|ms|hours?|minutes?|days?|seconds?|tokens?/s\w*|FPS|fps|TFLOPS|G?FLOPs"
    r"|MACs|mIoU|mAP|dB|cm|mm|km|W|kWh|orders? of magnitude)\b"
    r"|\s?(?:[BM]|billion|million|trillion)\b(?= (?:total |activated |active |trainable )?param))"
)
_NUMBER = re.compile(
    rf"(?<![\w.-])[~+<>≈-]?\d+(?:,\d{{3}})*(?:\.\d+)?\s?{_UNIT}|(?<![\w.])\d+\.\d{{1,3}}(?![\w.%])"
)
_SPEED = re.compile(
    r"\b(?:faster|quicker|speed-?ups?|speeds?|latency|throughput|accelerat\w+|tokens?/s\w*|fps"
    r"|inference time|training time|runtime|wall-?clock|slower|hours?|minutes?|seconds?|days?)\b",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"\b(?:memory|parameters?|params?|compress\w*|footprint|size|smaller|storage|GB|MB|TB|bits?"
    r"|FLOPs?|MACs?|compute|computation\w*|energy|KV|sparsity|sparse|cost|tokens|reduction of"
    r"|pruned"
    r"|activated|data)\b",
    re.IGNORECASE,
)
_QUALITY = re.compile(
    r"\b(?:accura\w+|perplexity|BLEU|FID|mAP|mIoU|AP|F1|score|points?|WER|error|performance"
    r"|MMLU|GSM8K|MATH-?500|ImageNet|HumanEval|benchmarks?|AUC|AUROC|Top-?1|pass@\d|PSNR|SSIM"
    r"|success|recall|precision|win rate|CIDEr|quality|outperform\w*"
    r"|improve\w*|gains?|surpass\w*|better)\b",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r",\s+|;\s+|:\s+|\s+(?:while|whereas|but|although|though|when|where|which|that|with|yet)\s+"
    r"|\s+and\s+(?=\w+(?:s|ing|ed)\s)"
)
_SCALE = re.compile(
    r"\b\d[\d.,]*\s?(?:[BMKT]|billion|million|trillion|thousand)?[- ]?(?:\+\s?)?"
    r"(?:total |activated |training |trainable |different |diverse |real-world |downstream |public "
    r"|benchmark |unique |popular |challenging |open-source )?"
    r"(?:parameters?|params|tokens|images|videos|datasets?|tasks|languages|benchmarks?|samples"
    r"|examples|hours|GPUs|NPUs|TPUs|patients|participants|subjects|cells|models|domains|pairs"
    r"|environments|games|channels|documents|sentences|questions|problems)\b"
    r"|\b\d+(?:\.\d+)?[BM]\b(?=[ ,.);-])",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:ImageNet(?:-\d+K|-1k)?|CIFAR-?10{1,2}\b|GLUE|SuperGLUE|SQuAD|MMLU|GSM8K|MATH-?500|MATH"
    r"|AIME(?:\s?\d+)?|COCO|ADE20[Kk]|WikiText-?2|C4|HumanEval|MBPP|LibriSpeech|NAS-Bench-\d+|KITTI"
    r"|nuScenes|MS-?MARCO|BEIR|WMT\s?\d*|CelebA|LSUN|FFHQ|Cityscapes|VTAB(?:-1k)?|Kinetics(?:-\d+)?"
    r"|LLaMA-?\d?(?:\.\d)?|Llama[- ]?\d(?:\.\d)?|OPT|BLOOM|Mixtral|DeepSeek-\w+|Qwen\d?(?:\.\d)?"
    r"|GPT-?\d(?:\.\d)?|BERT|Stable Diffusion|Cambridge structural|GazeCapture|GPQA|AMC|DROP)\b"
)
_MOST = 24
"""Words of a fragment."""
_AROUND = 48
"""Characters around a number in which it says what it measures."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A reported number: ``text`` is the fragment, ``sentence`` the place of its sentence."""

    kind: Kind
    text: str
    sentence: int


def figures(sentences: Sequence[str], places: Sequence[int]) -> list[Figure]:
    """The numbers that the sentences at ``places`` report, at most one a kind and sentence."""
    found: list[Figure] = []
    for place in places:
        text = clean(sentences[place])
        kinds: set[Kind] = set()
        for match in _NUMBER.finditer(text):
            fragment = _fragment(text, match.start(), match.end())
            kind = _kind(text, match, fragment)
            if kind is None or kind in kinds:
                continue
            if fragment and not any(_same(fragment, f.text) for f in found):
                kinds.add(kind)
                found.append(Figure(kind, fragment, place))
    return found


def _same(one: str, other: str) -> bool:
    """Whether one fragment holds the other, or they begin alike."""
    return one in other or other in one or one.split()[:6] == other.split()[:6]


_BEGUN = re.compile(
    r"^(?:for (?:instance|example)\W+)?(?:at|on|with|under|in|for|when|using|by|from"
    r"|compared)\b",
    re.I,
)
_OPENING = re.compile(
    r"^(?:(?:for instance|for example|specifically|concretely),|e\.g\.,?|and|or|but|while|thereby"
    r"|thus|also)\s+",
    re.IGNORECASE,
)
_SPEED_UNIT = re.compile(r"tokens?/s|fps|\bms\b|hours?|minutes?|days?|seconds?", re.IGNORECASE)
_SIZE_UNIT = re.compile(r"[GMKT]i?B\b|bits?\b|FLOPs?|MACs|param", re.IGNORECASE)
_MULTIPLE = re.compile(r"(?:x|×|fold|times)\s?$", re.IGNORECASE)
_COUNT = re.compile(r"(?:[BM]|billion|million|trillion)$")
_CHANGE = re.compile(
    r"\b(?:compress\w*|reduc\w+|achiev\w+|smaller|fewer|less|only|retain\w*|outperform\w*|compar\w+"
    r"|match\w*|surpass\w*|us(?:es|ing) only|requir\w+|without)\b",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"(?:\b(?:of|to|from|by|is|at|score|accuracy|error)|[:=(]|\b(?:achiev|reach|obtain)\w+)\s*$"
)


def _kind(text: str, match: re.Match[str], fragment: str) -> Kind | None:
    """What the number measures: by its unit, else by the nearest word that says so."""
    number, count = match.group(), _COUNT.search(match.group().strip())
    version = re.fullmatch(r"[~+<>≈-]?[\d.,]+\s?", number)
    if version and not _SAID.search(text[: match.start()]):
        return None  # such as Llama 3.1
    if _SPEED_UNIT.search(number):
        return "speed"
    if "bit" in number:
        return _kind_of_bits(fragment)
    if count or _SIZE_UNIT.search(number):
        # how large something is, is not what came of it
        return "size" if not count or _CHANGE.search(fragment) else None
    return _nearest_kind(text, match, fragment)


def _nearest_kind(text: str, match: re.Match[str], fragment: str) -> Kind | None:
    """What the nearest word says that a number measures."""
    number = match.group()
    patterns: tuple[tuple[Kind, re.Pattern[str]], ...] = (
        ("speed", _SPEED), ("size", _SIZE), ("quality", _QUALITY),
    )  # fmt: skip
    multiple = bool(_MULTIPLE.search(number))
    if multiple and not _ERROR.search(fragment):  # "8.1x" is never an accuracy
        patterns = patterns[:2]
    around = text[max(0, match.start() - _AROUND) : match.end() + _AROUND]
    for place in (fragment, around):
        centre = place.find(number.strip())
        nearest = [
            (min(abs(word.start() - centre) for word in words), kind)
            for kind, pattern in patterns
            if (words := list(pattern.finditer(place)))
        ]
        if nearest:
            return min(nearest)[1]
        if multiple:
            return "speed" if _SPEED.search(text) else None
    return None


def _kind_of_bits(fragment: str) -> Kind | None:
    """Bits alone are a setting; with what came of them they are a result."""
    if _SMALLER.search(fragment):
        return "size"
    return "quality" if _QUALITY.search(fragment) and not _SPEED.search(fragment) else None


_ERROR = re.compile(r"\b(?:perplexity|errors?|loss|FID|WER)\b")
_SMALLER = re.compile(r"\b(?:compress\w*|reduc\w+|less than|smaller|fewer|down to|below)\b", re.I)


def _cuts(text: str) -> list[tuple[int, int]]:
    """(start, end) of what stands between clauses; not inside brackets."""
    return [
        (m.start(), m.end())
        for m in _BOUND.finditer(text)
        if text.count("(", 0, m.start()) <= text.count(")", 0, m.start())
    ]


def _fragment(text: str, start: int, end: int) -> str:
    """The clause around a number, in whole words; a short clause takes in its neighbours."""
    bounds = _cuts(text)
    begins, ends = [0, *(b for _, b in bounds)], [*(a for a, _ in bounds), len(text)]
    left = max(b for b in begins if b <= start)
    right = min(e for e in ends if e >= end)
    opening = re.match(r"(?:for (?:instance|example)|specifically|concretely), ", text, re.I)
    if opening:
        begins = [opening.end(), *(b for b in begins if b > opening.end())]
        left = max([b for b in begins if b <= start], default=left)
    while len(text[left:right].split()) < 5 and left > begins[0]:
        left = max((b for b in begins if b < left), default=begins[0])
    while len(text[left:right].split()) < 5 and right < len(text):
        right = min((e for e in ends if e > right), default=len(text))
    if _BEGUN.match(text[left:right]) and len(text[left:right].split()) < 9 and right < len(text):
        right = min((e for e in ends if e > right), default=len(text))
    fragment = text[left:right].strip(" .,;:")
    fragment = _OPENING.sub("", fragment)
    words = fragment.split()
    if len(words) > _MOST:
        centre = len(text[left:start].split())
        first = max(0, min(centre - _MOST // 2, len(words) - _MOST))
        fragment = " ".join(words[first : first + _MOST])
        fragment = ("… " if first else "") + fragment
        fragment += " …" if first + _MOST < len(words) else ""
    if any(fragment.count(a) != fragment.count(b) for a, b in ("()", "[]", "{}")):
        for opener, closer in ("()", "[]", "{}"):
            if fragment.count(opener) > fragment.count(closer):
                cut = fragment[: fragment.rindex(opener)].rstrip(" ,;")
                fragment = cut if cut and text[start:end] in cut else fragment + " …"
    return fragment if len(fragment.split()) >= 3 else ""


def scale_of(sentences: Sequence[str], places: Sequence[int]) -> list[tuple[str, int]]:
    """Sizes of models and data, and well-known data sets, as (words, place of the sentence)."""
    found: dict[str, tuple[str, int]] = {}
    for place in places:
        text = clean(sentences[place])
        for match in [*_SCALE.finditer(text), *_NAMED.finditer(text)]:
            words = match.group().strip()
            key = words.casefold()
            before = text[: match.start()].rstrip().rsplit(" ", 1)[-1]
            if "gpu" in key and re.fullmatch(r"NVIDIA|RTX|GTX|GeForce|x|×", before):
                continue  # the name of a card
            if not any(key in other or other in key for other in found):
                found[key] = (words, place)
    return list(found.values())[:6]
