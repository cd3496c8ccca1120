"""How long a question takes against so many rows (chunks), and what it needs of memory.

    python -m eval.rows --library FOLDER --questions FILE [--rows 10000 100000]

Only the search index is made, not the Chroma collection that it is normally derived from: a
question reads nothing else, and a hundred thousand rows are then a matter of a minute. Rows
beyond the library's are its papers again, under numbered titles, their vectors with noise of
length .15 added. Every size is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from assistant.index import IndexRow, SearchIndex, build_index

from assistant import Assistant
from assistant.embedding import Vectors
from assistant.retrieval import rank
from eval.data import read_questions

NOISE = 0.15
WARM = 10


def repeated(index: SearchIndex, rows: int) -> Iterator[IndexRow]:
    """The papers of ``index`` again and again, with noise, until ``rows`` chunks are there."""
    noise = np.random.default_rng(7)
    made = turn = 0
    while made < rows:
        for row in index.rows():
            if made >= rows:
                return
            made += len(row.vectors)
            if not turn:
                yield row
                continue
            title = f"{row.paper.title} ({turn})"
            paper = row.paper.model_copy(update={"title": title, "key": f"{row.paper.id}~{turn}"})
            yield replace(row, paper=paper, vectors=_noisy(row.vectors, noise))
        turn += 1


def _noisy(vectors: Vectors, noise: np.random.Generator) -> Vectors:
    added = noise.standard_normal(vectors.shape, dtype=np.float32)
    added *= NOISE / np.linalg.norm(added, axis=1, keepdims=True)
    moved = vectors + added
    unit: Vectors = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return unit


def measure(library: Path, questions: Sequence[str], rows: int) -> dict[str, Any]:
    """p50 and p95 in milliseconds of retrieval, and of the question's embedding alone."""
    assistant = Assistant.open(library)
    embedder = assistant._embedder()
    settings = assistant.settings.retrieval
    with tempfile.TemporaryDirectory() as folder:
        index = assistant.library.index()
        if rows > index.meta.chunks:
            build_index(Path(folder) / "index", repeated(index, rows), index.meta)
            index = SearchIndex(Path(folder) / "index")
        before = _peak_mb()
        embedded, ranked = [], []
        for n, question in enumerate(questions):
            started = time.perf_counter()
            vector = embedder.embed_query(question)
            middle = time.perf_counter()
            rank(index, question, vector, settings, settings.top_k)
            ended = time.perf_counter()
            if n >= WARM:
                embedded.append((middle - started) * 1000)
                ranked.append((ended - started) * 1000)
        size = sum(file.stat().st_size for file in index.folder.rglob("*") if file.is_file())
        return {
            "rows": index.meta.chunks,
            "papers": len(index),
            "exact": index.meta.chunks <= settings.exact_rows,
            "retrieve_ms_p50": round(float(np.percentile(ranked, 50)), 2),
            "retrieve_ms_p95": round(float(np.percentile(ranked, 95)), 2),
            "of_that_embedding_p50": round(float(np.percentile(embedded, 50)), 2),
            "index_mb": round(size / 1e6, 1),
            "resident_mb": round(_peak_mb(), 1),
            "resident_mb_before_asking": round(before, 1),
        }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one JSON object a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[0, 10_000, 100_000])
    options = parser.parse_args(arguments)
    if len(options.rows) > 1:
        for rows in options.rows:  # a process of its own for each, for its own memory
            command = [sys.executable, "-m", "eval.rows", "--library", str(options.library)]
            command += ["--questions", str(options.questions), "--rows", str(rows)]
            subprocess.run(command, check=True)
        return
    questions = [question.question for question in read_questions(options.questions)]
    print(json.dumps(measure(options.library, questions, options.rows[0])))


if __name__ == "__main__":
    main()
