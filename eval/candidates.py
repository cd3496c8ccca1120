"""Which papers a review takes for its topic, against labels; and the fit of the model behind it.

    python -m eval.candidates measure LIBRARY LABELS.jsonl...
    python -m eval.candidates fit LIBRARY TOPICS.jsonl [LIBRARY TOPICS.jsonl]...

Labels are lines ``{"id", "topic", "kind", "labels": {paper id: [reader one, reader two]}}`` with
core, related or off for each paper of a pool (the first twenty of the review's candidates, of
search and of BM25). **Core** is what both readers call so; papers outside the pool are not
counted. Average precision is that of the order of candidates; precision and recall are those of
the papers that the review is written about. A *false absence* is a topic with a core paper on
which the review says that the library holds nothing; a *false presence* the reverse.

Topics to fit on are lines ``{"topic", "relevant": [titles], "unclear": [titles]}``; what is
unclear is left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant import Assistant
from assistant.answering.evidence import PassageReader
from assistant.embedding import open_embedder
from assistant.files import write_atomically
from assistant.paper import normalised_title
from assistant.retrieval import PaperRetriever
from assistant.review.candidates import Candidate, find, weighed

MODEL = Path(__file__).parents[1] / "assistant" / "fitted" / "topic.json"
_SHOWN = 30


def average_precision(order: Sequence[bool], relevant: int | None = None) -> float | None:
    """Mean of the precision at each relevant place; None where nothing is relevant."""
    hits = np.asarray(order, float)
    total = int(hits.sum()) if relevant is None else relevant
    if not total:
        return None
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / total)


def kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Cohen's kappa of two readers."""
    from sklearn.metrics import cohen_kappa_score  # noqa: PLC0415

    one, two = zip(*pairs, strict=True)
    return float(cohen_kappa_score(one, two))


def measured(
    line: Mapping[str, Any], retriever: PaperRetriever, reader: PassageReader
) -> dict[str, Any]:
    """One topic: what the review does, beside plain search."""
    labels: Mapping[str, Sequence[str]] = line["labels"]
    core = {paper for paper, given in labels.items() if set(given) == {"core"}}
    order, _, _ = weighed(line["topic"], retriever, reader, wanted=_SHOWN)
    found = find(line["topic"], retriever, reader, wanted=_SHOWN)
    search = [paper.paper.id for paper in retriever.find(line["topic"], 100)]
    ranked = [c.paper.id for c in order]
    used = [c.paper.id for c in found.core]
    judged = [paper for paper in used if paper in labels]
    right = sum(paper in core for paper in judged)
    lenient = sum("core" in labels[paper] for paper in judged)

    def precision(papers: Sequence[str]) -> float | None:
        kept = dict.fromkeys(paper for paper in papers if paper in labels)
        return average_precision([paper in core for paper in kept], len(core))

    return {
        "id": line["id"],
        "kind": line["kind"],
        "topic": line["topic"],
        "core": len(core),
        "used": len(used),
        "judged": len(judged),
        "ap": precision(ranked),
        "ap_search": precision(search),
        "precision": right / len(judged) if judged and core else None,
        "precision_of_either": lenient / len(judged) if judged else None,
        "recall": len(core & set(used)) / len(core) if core else None,
        "false_absence": bool(core) and not used,
        "false_presence": not core and bool(used),
    }


def measure(library: str, files: Sequence[Path]) -> dict[str, Any]:
    """Every topic of the files, and their means."""
    lines = [json.loads(row) for file in files for row in file.read_text("utf-8").splitlines()]
    with Assistant.open(library) as assistant:
        reader = PassageReader(open_embedder(assistant.settings))
        rows = [measured(line, assistant.retriever, reader) for line in lines]
    pairs = [(a, b) for line in lines for a, b in line["labels"].values()]
    means = {
        name: round(float(np.mean(values)), 3)
        for name in ("ap", "ap_search", "precision", "precision_of_either", "recall")
        if (values := [row[name] for row in rows if row[name] is not None])
    }
    return {
        "topics": rows,
        "mean": means,
        "false_absences": sum(row["false_absence"] for row in rows),
        "false_presences": sum(row["false_presence"] for row in rows),
        "labels": len(pairs),
        "readers_agree": round(sum(a == b for a, b in pairs) / len(pairs), 3),
        "kappa": round(kappa(pairs), 3),
    }


# ---------------------------------------------------------------------- the fit

Rows = list[tuple[list[Candidate], list[bool], int]]


def read(library: str, file: Path) -> Rows:
    """Candidates of each topic of a file, which of them are relevant, and how many are at all."""
    made: Rows = []
    with Assistant.open(library) as assistant:
        reader = PassageReader(open_embedder(assistant.settings))
        for row in file.read_text("utf-8").splitlines():
            line = json.loads(row)
            relevant = set(map(normalised_title, line["relevant"]))
            unclear = set(map(normalised_title, line.get("unclear", ()))) - relevant
            order, _, _ = weighed(line["topic"], assistant.retriever, reader)
            kept = [c for c in order if c.paper.title_key not in unclear]
            made.append((kept, [c.paper.title_key in relevant for c in kept], len(relevant)))
    return made


def fitted(sets: Sequence[Rows]) -> tuple[list[str], np.ndarray, float]:
    """Names, weights and intercept of a logistic regression; every set, every topic alike."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    names = list(sets[0][0][0][0].features)
    rows, labels, weights = [], [], []
    for topics in sets:
        for candidates, relevant, _ in topics:
            rows += [[c.features[name] for name in names] for c in candidates]
            labels += relevant
            weights += [1e4 / len(topics) / max(1, len(candidates))] * len(candidates)
    model = LogisticRegression(C=1000, max_iter=3000).fit(rows, labels, sample_weight=weights)
    return names, model.coef_[0], float(model.intercept_[0])


def fit(given: Sequence[tuple[str, Path]]) -> None:
    """Fits, measures with each set left out in turn, and writes the model."""
    sets = {file.stem: read(library, file) for library, file in given}
    notes = []
    for name, topics in sets.items():
        held = [t for t in topics if t[2]]
        if not held or len(sets) < 2:
            continue
        names, weights, _ = fitted([rows for other, rows in sets.items() if other != name])
        scores = []
        for candidates, relevant, total in held:
            odds = [float(weights @ [c.features[n] for n in names]) for c in candidates]
            order = np.argsort([-o for o in odds], kind="stable")
            scores.append(average_precision([relevant[place] for place in order], total))
        notes.append(f"{name} {np.mean([s for s in scores if s is not None]):.3f} of {len(held)}")
    names, weights, intercept = fitted(list(sets.values()))
    count = sum(map(len, sets.values()))
    note = f"{count} topics, each set of equal weight; average precision with that set left out: "
    made = {
        "intercept": round(intercept, 3),
        "weights": {n: round(float(w), 3) for n, w in zip(names, weights, strict=True)},
        "note": note + ", ".join(notes),
    }
    write_atomically(MODEL, json.dumps(made) + "\n")
    print(made["note"])


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "fit":
        fit([(one, Path(two)) for one, two in zip(rest[::2], rest[1::2], strict=True)])
    else:
        print(json.dumps(measure(rest[0], list(map(Path, rest[1:]))), indent=1))
