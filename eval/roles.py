"""Fits the models that tell what a sentence does in its abstract (`assistant.review.roles`).

    python -m eval.roles FOLDER

FOLDER holds the public files ``cs_train.jsonl`` and ``cs_test.jsonl`` (CSAbstruct, Apache-2.0),
``nicta.txt`` (NICTA-PIBOSO, training part) and CSV files with a column ``abstract`` whose
structured abstracts label themselves ("METHODS: …"). A fifth of the structured abstracts and
the test file are held out; what the models do on them stands in each file's note.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from assistant.files import write_atomically
from assistant.review.roles import ROLES, Role, features
from assistant.text import sentences

FITTED = Path(__file__).parents[1] / "assistant" / "fitted"
Labelled = list[tuple[str, Role]]
_HEADING = re.compile(r"(?:(?<=^)|(?<=[.!?)\s]))([A-Z][A-Z &/]{3,40}):\s")
_AIM = re.compile(
    r"\b(?:aims?|aimed|objectives?|purpose|goal|sought|we (?:investigate|evaluate|examine|assess"
    r"|compare|determine|study|studie)d?)\b",
    re.IGNORECASE,
)
_OF_HEADING: tuple[tuple[str, Role], ...] = (
    ("BACKGROUND", "background"), ("INTRODUCTION", "background"), ("CONTEXT", "background"),
    ("OBJECTIVE", "aim"), ("AIM", "aim"), ("PURPOSE", "aim"),
    ("METHOD", "method"), ("DESIGN", "method"), ("PARTICIPANTS", "method"), ("SETTING", "method"),
    ("RESULT", "result"), ("FINDING", "result"), ("CONCLUSION", "result"),
)  # fmt: skip
_CS: dict[str, Role] = {"background": "background", "objective": "aim", "method": "method",
                        "result": "result"}  # fmt: skip
_NICTA: dict[str, Role] = {"background": "background", "population": "method", "outcome": "result",
                           "intervention": "method", "study design": "method"}  # fmt: skip


def main(folder: Path) -> None:
    """Fits, measures, writes the four files."""
    structured = [a for file in sorted(folder.glob("*.csv")) for a in _structured(file)]
    held = structured[::5]
    train = [*_cs(folder / "cs_train.jsonl"), *_nicta(folder / "nicta.txt")]
    train += [a for n, a in enumerate(structured) if n % 5]
    tests = {"computer science": _cs(folder / "cs_test.jsonl"), "structured medical": held}
    names, fitted = _fit(train)
    rows = {what: _accuracy(test, names, fitted) for what, test in tests.items()}
    note = f"{len(train)} abstracts; share of sentences right: " + ", ".join(
        f"{what} {share:.3f}" for what, share in rows.items()
    )
    print(note)
    for n, role in enumerate(ROLES):
        weights = {f: round(float(w), 3) for f, w in zip(names, fitted[n][1], strict=True) if w}
        made = {"intercept": round(float(fitted[n][0]), 4), "weights": weights, "note": note}
        write_atomically(FITTED / f"role_{role}.json", json.dumps(made) + "\n")


def _fit(train: list[Labelled]) -> tuple[list[str], list[tuple[float, np.ndarray]]]:
    """Sparse logistic regressions, one a role."""
    from sklearn.feature_extraction import DictVectorizer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    rows = [features(s, n, len(a)) for a in train for n, (s, _) in enumerate(a)]
    labels = np.array([role for a in train for _, role in a])
    count = Counter(name for row in rows for name in row)
    vectorizer = DictVectorizer()
    table = vectorizer.fit_transform(
        [{k: v for k, v in row.items() if count[k] >= 15} for row in rows]
    )
    table.indices, table.indptr = table.indices.astype("int32"), table.indptr.astype("int32")
    made = []
    for role in ROLES:
        model = LogisticRegression(l1_ratio=1.0, solver="liblinear", C=0.35, max_iter=300)
        model.fit(table, labels == role)
        made.append((float(model.intercept_[0]), model.coef_[0]))
    return [str(name) for name in vectorizer.get_feature_names_out()], made


def _accuracy(
    test: list[Labelled], names: list[str], fitted: list[tuple[float, np.ndarray]]
) -> float:
    models = [(i, dict(zip(names, w, strict=True))) for i, w in fitted]
    right = total = 0
    for abstract in test:
        for n, (text, role) in enumerate(abstract):
            found = features(text, n, len(abstract))
            odds = [i + sum(w.get(f, 0.0) * v for f, v in found.items()) for i, w in models]
            right += ROLES[int(np.argmax(odds))] == role
            total += 1
    return right / max(1, total)


def _cs(file: Path) -> list[Labelled]:
    abstracts = []
    for line in file.read_text("utf-8").splitlines():
        row = json.loads(line)
        pairs = zip(row["sentences"], row["labels"], strict=True)
        abstracts.append([(text, _CS[label]) for text, label in pairs if label in _CS])
    return abstracts


def _nicta(file: Path) -> list[Labelled]:
    abstracts: list[Labelled] = []
    for line in file.read_text("utf-8").splitlines():
        label, _, text = line.partition("\t")
        if line.startswith("###"):
            abstracts.append([])
        elif label in _NICTA:
            abstracts[-1].append((text, _NICTA[label]))
    return abstracts


def _aimed(sentence: str, role: Role) -> Role:
    """An aim that stands at the end of a background is an aim."""
    return "aim" if role == "background" and _AIM.search(sentence) else role


def _structured(file: Path) -> list[Labelled]:
    """Abstracts with headings; these are cut off, so that the words have to tell."""
    made = []
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            parts = _HEADING.split(row.get("abstract") or "")
            abstract: Labelled = []
            for heading, text in zip(parts[1::2], parts[2::2], strict=True):
                role = next((r for h, r in _OF_HEADING if h in heading), None)
                if role:
                    abstract += [(text[a:b], _aimed(text[a:b], role)) for a, b in sentences(text)]
            if len({role for _, role in abstract}) >= 3:
                made.append(abstract)
    return made


if __name__ == "__main__":
    csv.field_size_limit(10**7)
    main(Path(sys.argv[1]))
