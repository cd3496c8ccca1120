"""Fits the models that tell what a sentence does in its abstract (`assistant.roles`).

    python -m eval.roles FOLDER

FOLDER holds public files: ``cs_*.jsonl`` (CSAbstruct, Apache-2.0), ``samd.json`` (Scientific
Abstract Moves, CC BY 4.0), ``se/**.txt`` (abstracts of software engineering, annotated by the
Software Engineering Research Quality Coalition, CC BY 4.0) and CSV files whose structured
abstracts (column ``abstract``) label themselves ("METHODS: …"). The sets have equal weight; a
word counts only where two of them hold it, so that no field's own words do. What the models do
on each set when it is left out stands in each file's note. PubMedQA is not used: it measures us.
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
from assistant.roles import ROLES, Role, features
from assistant.text import sentences

FITTED = Path(__file__).parents[1] / "assistant" / "fitted"
Labelled = list[tuple[str, Role]]
_SMALL = 0.03
"""Weights below it are left out."""
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
    ("PATIENTS", "method"), ("INTERVENTION", "method"), ("MEASURE", "method"),
    ("RESULT", "result"), ("FINDING", "result"), ("CONCLUSION", "result"), ("LIMITATION", "result"),
)  # fmt: skip
_CODES: dict[str, Role] = {
    "background": "background", "BAC": "background", "GAP": "background", "gap": "background",
    "need": "background", "objective": "aim", "PUR": "aim", "CTN": "aim", "method": "method",
    "MTD": "method", "design": "method", "result": "result", "RST": "result", "CLN": "result",
    "IMP": "result", "conclusion": "result", "summary": "result", "limitation": "result",
    "fposs": "result", "fneed": "result",
}  # fmt: skip
_ANNOTATED = re.compile(r"(.*?)\{\{([^}]*)\}\}", re.DOTALL)
_LEAST, _SETS = 6, 2
"""Times that a word must stand in a set, and in how many sets."""


def main(folder: Path) -> None:
    """Fits, measures with each set left out, writes the four files."""
    structured = [a for file in sorted(folder.glob("*.csv")) for a in _structured(file)]
    sets = {
        "computer science": _cs(folder), "language": _moves(folder / "samd.json"),
        "software": _coded(folder / "se"), "structured medical": structured,
    }  # fmt: skip
    shares = []
    for name, held in sets.items():
        names, fitted = _fit([a for other, a in sets.items() if other != name])
        shares.append(f"{name} {_accuracy(held, names, fitted):.3f} of {len(held)} abstracts")
    names, fitted = _fit(list(sets.values()))
    note = "share of sentences right with that set left out: " + ", ".join(shares)
    print(note)
    for n, role in enumerate(ROLES):
        pairs = zip(names, fitted[n][1], strict=True)
        weights = {f: round(float(w), 3) for f, w in pairs if abs(w) >= _SMALL}
        made = {"intercept": round(float(fitted[n][0]), 4), "weights": weights, "note": note}
        write_atomically(FITTED / f"role_{role}.json", json.dumps(made) + "\n")


def _fit(sets: list[list[Labelled]]) -> tuple[list[str], list[tuple[float, np.ndarray]]]:
    """Sparse logistic regressions, one a role."""
    from sklearn.feature_extraction import DictVectorizer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    held: Counter[str] = Counter()
    rows: list[Counter[str]] = []
    weights: list[float] = []
    for abstracts in sets:
        own = [features(s, n, len(a)) for a in abstracts for n, (s, _) in enumerate(a)]
        count = Counter(name for row in own for name in row)
        held.update(name for name, times in count.items() if times >= _LEAST)
        rows += own
        weights += [1.0 / len(own)] * len(own)
    labels = np.array([role for abstracts in sets for a in abstracts for _, role in a])
    vectorizer = DictVectorizer(dtype=np.float32)
    table = vectorizer.fit_transform(
        [{k: v for k, v in row.items() if held[k] >= _SETS} for row in rows]
    )
    table.indices, table.indptr = table.indices.astype("int32"), table.indptr.astype("int32")
    weight = np.array(weights) * len(rows) / len(sets)
    made = []
    for role in ROLES:
        model = LogisticRegression(l1_ratio=1.0, solver="liblinear", C=0.3, max_iter=300)
        model.fit(table, labels == role, sample_weight=weight)
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


def _cs(folder: Path) -> list[Labelled]:
    abstracts = []
    for file in sorted(folder.glob("cs_*.jsonl")):
        for row in map(json.loads, file.read_text("utf-8").splitlines()):
            pairs = zip(row["sentences"], row["labels"], strict=True)
            abstracts.append([(text, _CODES[label]) for text, label in pairs if label in _CODES])
    return abstracts


def _moves(file: Path) -> list[Labelled]:
    abstracts: list[Labelled] = []
    for row in json.loads(file.read_text("utf-8")):
        if row["offset"] == 0:
            abstracts.append([])
        abstracts[-1].append((row["sentence"].strip(), _CODES[row["labels"]]))
    return abstracts


def _coded(folder: Path) -> list[Labelled]:
    """Abstracts with ``{{code}}`` after each sentence; headings and announcements left out."""
    abstracts = []
    for file in sorted(folder.glob("**/*.txt")):
        _, _, body = file.read_text("utf-8").partition("\n\n")
        made: Labelled = []
        for text, codes in _ANNOTATED.findall(body.split("\n---")[0]):
            first = re.match(r"[a-z]+", codes)
            role = _CODES.get(first.group()) if first and "-" not in codes else None
            if role and len(text.split()) > 2:
                made.append((" ".join(text.split()), role))
        if len(made) > 2:
            abstracts.append(made)
    return abstracts


def _of(heading: str) -> Role | None:
    return next((role for part, role in _OF_HEADING if part in heading.upper()), None)


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
                if role := _of(heading):
                    abstract += [(text[a:b], _aimed(text[a:b], role)) for a, b in sentences(text)]
            if len({role for _, role in abstract}) >= 3:
                made.append(abstract)
    return made


if __name__ == "__main__":
    csv.field_size_limit(10**7)
    main(Path(sys.argv[1]))
