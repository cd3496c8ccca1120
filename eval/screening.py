"""Screening simulated on a labelled set, as ASReview does: WSS@95 and the recall curve.

    python -m eval.screening SET.csv... BEIR-FOLDER...

A set has columns ``title``, ``abstract`` and ``included`` (or ``label_included``). Each run
begins from one included and one excluded paper by chance; the model is trained again after
every tenth decision. Of a BEIR folder the first queries with enough relevant papers are screened
in the order of the embedding model until decisions say more: how far off is the estimate of what
is unfound, and what has been found where a stop is suggested?
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.embedding import open_embedder
from assistant.review.screening import Decision, Ranker, Screening, Verdict
from assistant.settings import Settings
from eval.data import RetrievalSet, read_beir

_LOOKS, _ENOUGH, _TOPICS = (20, 50, 100, 200, 400), 18, 8
"""Decisions at which the estimate is compared; relevant papers of a topic; topics of a set."""
_RUNS, _BATCH, _AT = 3, 10, (0.05, 0.1, 0.2, 0.3, 0.5)


def measure(path: Path) -> dict[str, Any]:
    """Papers, inclusions, WSS@95 (mean and of each run), recall after shares of the papers."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if f"{row['title']}{row['abstract']}".strip()]
    texts = {str(n): f"{row['title']}. {row['abstract']}" for n, row in enumerate(rows)}
    label = "label_included" if "label_included" in rows[0] else "included"
    truth = {str(n): float(row[label]) == 1 for n, row in enumerate(rows)}
    vectors = open_embedder(Settings.load()).embed([text[:1000] for text in texts.values()])
    ranker = Ranker(texts, np.asarray(vectors, np.float32))
    saved, recalls = [], []
    for run in range(_RUNS):
        chance = random.Random(run)  # noqa: S311  no secret
        seeds = [chance.choice([p for p in truth if truth[p] is yes]) for yes in (True, False)]
        found = np.cumsum(simulated(ranker, truth, seeds, batch=_BATCH))
        needed = int(np.argmax(found >= np.ceil(0.95 * found[-1]))) + 1
        saved.append(round(1 - needed / len(found) - 0.05, 4))
        recalls.append([float(found[int(len(found) * share) - 1] / found[-1]) for share in _AT])
    return {
        "set": path.stem,
        "papers": len(rows),
        "included": sum(truth.values()),
        "wss95": round(float(np.mean(saved)), 4),
        "runs": saved,
        "recall": dict(zip(map(str, _AT), np.mean(recalls, axis=0).round(3).tolist(), strict=True)),
    }


def simulated(
    ranker: Ranker, truth: Mapping[str, bool], seeds: Sequence[str], batch: int = 1
) -> list[bool]:
    """The labels in the order of asking; ``seeds`` are decided beforehand and not counted."""
    verdicts: dict[str, Verdict] = {p: "include" if truth[p] else "exclude" for p in seeds}
    found: list[bool] = []
    while len(verdicts) < len(truth):
        for paper in ranker.ranked(verdicts)[:batch]:
            verdicts[paper] = "include" if truth[paper] else "exclude"
            found.append(truth[paper])
    return found


def estimates(folder: Path) -> dict[str, Any]:
    """By papers decided: topics, estimated and true unfound, mean error; recall at stops."""
    judged, read = read_beir(folder)
    papers = {paper.source_id or paper.id: paper for paper in read()}
    texts = {name: f"{paper.title}. {paper.abstract}" for name, paper in papers.items()}
    embedder = open_embedder(Settings.load())
    vectors = np.asarray(embedder.embed([text[:1000] for text in texts.values()]), np.float32)
    rows: dict[int, list[tuple[float, int]]] = {at: [] for at in _LOOKS}
    stops: list[float] = []
    for query, relevant in _topics(judged, set(texts)):
        near = np.argsort(-(vectors @ embedder.embed_query(query)), kind="stable")
        names = list(texts)
        order = {names[n]: texts[names[n]] for n in near}
        ranker = Ranker(order, vectors[near])
        screening = Screening(topic=query, papers=list(order))
        while len(screening.decisions) < max(_LOOKS):
            for paper in ranker.ranked(screening.final())[:5]:
                verdict: Verdict = "include" if paper in relevant else "exclude"
                screening.decide(Decision(paper_id=paper, verdict=verdict))
            at = len(screening.decisions)
            estimate = screening.estimate(ranker.chances(screening.final()))
            left = len(relevant) - estimate.included
            if at in rows and estimate.unfound is not None:
                rows[at].append((estimate.unfound, left))
            if estimate.stop:  # the first time: who heeds it, stops
                stops.append(estimate.included / len(relevant))
                break
    told = {
        str(at): {
            "topics": len(pairs),
            "estimated": round(float(np.mean([e for e, _ in pairs])), 1),
            "true": round(float(np.mean([t for _, t in pairs])), 1),
            "error": round(float(np.mean([abs(e - t) for e, t in pairs])), 1),
        }
        for at, pairs in rows.items()
        if pairs
    }
    recall = (
        {"mean": round(float(np.mean(stops)), 3), "least": round(min(stops), 3)} if stops else {}
    )
    return {"set": folder.name, "unfound": told, "stops": len(stops), "recall": recall}


def _topics(judged: RetrievalSet, held: set[str]) -> Iterator[tuple[str, set[str]]]:
    found = 0
    for name, query in judged.queries.items():
        relevant = {d for d, grade in judged.qrels[name].items() if grade > 0} & held
        if len(relevant) >= _ENOUGH and found < _TOPICS:
            found += 1
            yield query, relevant


if __name__ == "__main__":
    csv.field_size_limit(10**7)
    for name in map(Path, sys.argv[1:]):
        print(json.dumps(estimates(name) if name.is_dir() else measure(name)), flush=True)
