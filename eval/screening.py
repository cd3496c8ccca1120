"""Screening simulated on a labelled set, as ASReview does: WSS@95 and the recall curve.

    python -m eval.screening SET.csv...

A set has columns ``title``, ``abstract`` and ``included`` (or ``label_included``). Each run
begins from one included and one excluded paper by chance; the model is trained again after
every tenth decision.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.embedding import open_embedder
from assistant.review.screening import Ranker, Verdict
from assistant.settings import Settings

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


if __name__ == "__main__":
    csv.field_size_limit(10**7)
    for name in sys.argv[1:]:
        print(json.dumps(measure(Path(name))), flush=True)
