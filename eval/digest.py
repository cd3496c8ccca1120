"""How well a digest ranks what is new: ``python -m eval.digest``.

The papers of a library are split in two by chance. Of each labelled topic, five relevant papers
of the one half are liked, and the other half is ranked as if it were new. Measured are the share
of relevant papers among the first ten, for topics with at least ten in that half, and among the
first R, R being all of that half, for every topic with at least three. Ten splits, fixed seeds.
Topics are a JSON Lines file of ``{"topic", "relevant": [title]}``; or a BEIR folder, whose
queries are the topics.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant import Assistant, Paper
from assistant.paper import normalised_title
from assistant.taste import Read, rank_by_likes, standardised

Floats = NDArray[np.float32]
Ranker = Callable[[list[int], list[int], list[int]], Floats]

_LIKES, _SPLITS, _SAMPLE = 5, 10, 600


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of each way to rank."""
    parser = argparse.ArgumentParser(prog="python -m eval.digest", description=__doc__)
    parser.add_argument("--library", required=True, type=Path, help="that holds the papers")
    parser.add_argument("--topics", required=True, type=Path, help="labels, or a BEIR folder")
    chosen = parser.parse_args(arguments)
    library = Assistant.open(chosen.library).library
    papers = list(library.papers())
    ids, vectors = library.vectors()
    place = {paper_id: n for n, paper_id in enumerate(ids)}
    ordered = vectors[[place[paper.id] for paper in papers]]
    topics = _topics(chosen.topics, papers)
    rankers = _rankers([f"{p.title}. {p.abstract}" for p in papers], ordered)
    print(f"{len(papers):,} papers, {len(topics):,} topics, {_LIKES} likes, {_SPLITS} splits")
    for name, ranker in rankers.items():
        at_ten, at_all = _measure(topics, len(papers), ranker)
        print(
            f"{name:10} precision@10 {np.mean(at_ten) if at_ten else float('nan'):.3f} "
            f"({len(at_ten)} rankings)   R-precision {np.mean(at_all):.3f} ({len(at_all)})"
        )


def _topics(path: Path, papers: Sequence[Paper]) -> list[list[int]]:
    """Places of the relevant papers of each topic."""
    wanted: dict[str, set[str]] = defaultdict(set)
    if path.is_dir():
        known = {str(p.source_id): n for n, p in enumerate(papers)}
        qrels = path / "qrels.tsv"
        lines = (qrels if qrels.exists() else path / "qrels" / "test.tsv").read_text().splitlines()
        for line in lines[1:]:
            query, document, grade = line.split("\t")[:3]
            if int(grade) > 0:
                wanted[query].add(document)
    else:
        known = {normalised_title(p.title): n for n, p in enumerate(papers)}
        for line in path.read_text(encoding="utf-8").splitlines():
            topic = json.loads(line)
            wanted[topic["topic"]] = set(map(normalised_title, topic["relevant"]))
    return [[known[name] for name in names if name in known] for names in wanted.values()]


def _rankers(texts: Sequence[str], vectors: Floats) -> dict[str, Ranker]:
    summed: dict[tuple[int, ...], Floats] = {}

    def both(new: list[int], liked: list[int], old: list[int]) -> Floats:
        key = (*liked, -1, *new)
        if key not in summed:
            summed[key] = ranked(new, liked, old)
        return summed[key]

    def ranked(new: list[int], liked: list[int], old: list[int]) -> Floats:
        rest = [n for n in old if n not in set(liked)]
        sample = random.Random(0).sample(rest, min(_SAMPLE, len(rest)))  # noqa: S311
        told = [Read([texts[n] for n in some], vectors[some]) for some in (new, liked, sample)]
        fits = rank_by_likes(told[0], told[1], others=told[2])
        return np.array([fit.score for fit in fits], np.float32)

    def centroid(new: list[int], liked: list[int], old: list[int]) -> Floats:
        del old
        scores: Floats = vectors[new] @ vectors[liked].mean(axis=0)
        return scores

    def machines(new: list[int], liked: list[int], old: list[int]) -> Floats:
        return both(new, liked, old) - standardised(centroid(new, liked, old))

    return {"centroid": centroid, "machines": machines, "both": both}


def _measure(
    topics: Sequence[Sequence[int]], papers: int, ranker: Ranker
) -> tuple[list[float], list[float]]:
    at_ten: list[float] = []
    at_all: list[float] = []
    for seed in range(_SPLITS):
        chance = random.Random(seed)  # noqa: S311
        order = chance.sample(range(papers), papers)
        old, new = order[: papers // 2], order[papers // 2 :]
        held = set(old)
        for relevant in topics:
            known = [n for n in relevant if n in held]
            wanted = set(relevant) - held
            if len(known) < _LIKES or len(wanted) < 3:
                continue
            liked = chance.sample(sorted(known), _LIKES)
            # what is relevant and not liked is not told to anybody
            scores = ranker(new, liked, old)
            first = [new[n] in wanted for n in np.argsort(-scores, kind="stable")]
            at_all.append(float(np.mean(first[: len(wanted)])))
            if len(wanted) >= 10:
                at_ten.append(float(np.mean(first[:10])))
    return at_ten, at_all


if __name__ == "__main__":
    main()
