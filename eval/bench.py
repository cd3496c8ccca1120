"""Speed and scale: embedding, ingesting, asking, cold start, the page, memory and disk, by size.

Every step runs in a fresh process (`eval.bench_worker`) and is written down when it is done, so
that an interrupted benchmark goes on where it stopped. Beside each of our steps runs the same
step of a plain LlamaIndex pipeline (``VectorStoreIndex`` over ``ChromaVectorStore``, the same
embedded model, its defaults otherwise), so that a busy machine is busy for both.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.files import write_atomically
from eval import runs
from eval.data import EvalError

SIZES = (545, 10_000, 100_000)
QUERIES = 100
COLD_ROUNDS = 5
STACK = "import chromadb, llama_index.core, onnxruntime"
GROWING = (
    "ask_ms", "search_ms", "again_s", "ingest_rest_s", "memory_mb", "disk_mb", "page_start_s",
    "page_ms",
)  # fmt: skip


@dataclass
class Plan:
    """What to measure, and where the state and the libraries are."""

    papers: list[str]
    questions: Path
    sizes: Sequence[int]
    folder: Path
    minutes: float
    notify: Callable[[str], None] = runs.note

    def __post_init__(self) -> None:
        name = hashlib.sha256("\0".join(self.papers).encode()).hexdigest()[:8]
        self.folder = self.folder / f"bench-{name}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file = self.folder / "state.json"
        self.state: dict[str, Any] = {}
        self.code = runs.code_digest()
        self._end = time.monotonic() + self.minutes * 60

    def load(self) -> None:
        """Takes up what an earlier call has finished (each step notes the code that it ran)."""
        if self._file.is_file():
            self.state = json.loads(self._file.read_text(encoding="utf-8"))

    def clear(self) -> None:
        """Forgets earlier runs, libraries included."""
        shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        self.state = {}

    def keep(self, name: str, result: dict[str, Any]) -> dict[str, Any]:
        """Writes the result of a step down."""
        self.state[name] = {**result, "code": self.code}
        write_atomically(self._file, json.dumps(self.state, indent=1) + "\n")
        return result

    @property
    def minutes_left(self) -> float:
        """Until the time box of this call is used up."""
        return (self._end - time.monotonic()) / 60

    def step(self, name: str, **task: Any) -> dict[str, Any]:
        """The result of a step; measured unless it has been."""
        if name in self.state:
            return dict(self.state[name])
        self._check_time()
        return self.keep(name, self.run(task))

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Runs a task in a process of its own."""
        size = f" {task['size']:,}" if "size" in task else ""
        self.notify(f"{task['step']}{size}…")
        given = {"papers": self.papers, "questions": str(self.questions), **task}
        return run_worker(given)

    def in_slices(self, name: str, size: int, library: str, of: str) -> dict[str, Any]:
        """An ingest that goes on where an earlier call left it."""
        done = self.state.get(name, {"done": 0, "seconds": 0.0, "seconds_embedding": 0.0})
        while done["done"] < size:
            self._check_time()
            minutes = max(0.2, self.minutes_left)
            task = {"step": "ingest", "of": of, "size": size, "library": library}
            part = self.run({**task, "start": done["done"], "minutes": minutes})
            for key in ("seconds", "seconds_embedding"):
                part[key] = round(part[key] + done[key], 2)
            done = self.keep(name, part)
        return dict(done)

    def _check_time(self) -> None:
        if self.minutes_left <= 0:
            raise TimeUp


class TimeUp(Exception):
    """The time box is used up."""


def run_worker(task: dict[str, Any]) -> dict[str, Any]:
    """One step of `eval.bench_worker`."""
    done = subprocess.run(
        [sys.executable, "-m", "eval.bench_worker", json.dumps(task)],
        cwd=runs.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise EvalError(f"The step {task['step']} failed: {done.stderr.strip()[-600:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def measure(plan: Plan) -> dict[str, Any]:
    """All steps, as far as the time box allows, smallest size first."""
    whole = True
    try:
        plan.step("embed", step="embed")
        for size in plan.sizes:
            _size(plan, size)
            if size == min(plan.sizes):
                _small_only(plan, size)
            _in_turns(plan)
    except TimeUp:
        whole = False
        plan.notify("the time is up; run the same command again to go on")
    return {"finished": whole, **summary(plan.state, plan.sizes)}


def _size(plan: Plan, size: int) -> None:
    folders = {of: str(plan.folder / f"{of}-{size}") for of in ("ours", "starter")}
    for of, folder in folders.items():
        plan.in_slices(f"ingest-{of}-{size}", size, folder, of)
    for of, folder in folders.items():
        plan.step(f"ask-{of}-{size}", step="ask", size=size, library=folder, of=of)
    plan.step(f"again-{size}", step="again", size=size, library=folders["ours"])
    plan.step(f"page-{size}", step="page", size=size, **folders)


def _in_turns(plan: Plan) -> None:
    """The questions again, to all libraries that there are by now, in turns."""
    ready = [n for n in plan.sizes if f"again-{n}" in plan.state]
    folders = {of: {str(n): str(plan.folder / f"{of}-{n}") for n in ready}
               for of in ("ours", "starter")}  # fmt: skip
    plan.step(f"turns-{len(ready)}", step="turns", queries=QUERIES, **folders)


def _small_only(plan: Plan, size: int) -> None:
    """What one size is enough for."""
    ours, starter = plan.folder / f"ours-{size}", plan.folder / f"starter-{size}"
    plan.step("quality", step="quality", ours=str(ours), starter=str(starter))
    if "cold" not in plan.state:
        plan.keep("cold", cold_start(ours, plan.notify))


def cold_start(library: Path, notify: Callable[[str], None]) -> dict[str, Any]:
    """Seconds of whole processes, in turns: the stack's imports, one question, the help."""
    question = "Which papers prune experts of a mixture without retraining?"
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "stack_imports": [sys.executable, "-c", STACK],
        "help": [*runs.PROGRAM, "--help"],
        "ask": [*runs.PROGRAM, "ask", question, "--library", str(library)],
    }
    notify("cold starts…")
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(COLD_ROUNDS + 1):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, cwd=runs.ROOT, capture_output=True, check=True)
            if turn:  # the first fills the disk cache
                times[name].append(time.perf_counter() - started)
    result = {f"{name}_s": round(statistics.median(found), 3) for name, found in times.items()}
    pairs = zip(times["ask"], times["stack_imports"], strict=True)
    result["ask_over_stack"] = round(statistics.median(a / b for a, b in pairs), 3)
    return result


# ---------------------------------------------------------------------- summing up


def summary(state: dict[str, Any], sizes: Sequence[int]) -> dict[str, Any]:
    """A row a size, the ratios to the starter, and the growth exponents."""
    rows = [row for size in sizes if (row := _row(state, size))]
    return {
        "codes": sorted({str(step.get("code")) for step in state.values()}),
        "embed": state.get("embed"),
        "cold": state.get("cold"),
        "quality": state.get("quality"),
        "sizes": rows,
        "growth": {
            key: exponent([(row["papers"], row[key]) for row in rows if row.get(key)])
            for key in GROWING
        },
    }


def _row(state: dict[str, Any], size: int) -> dict[str, Any] | None:
    """All that is known of a size; None until both pipelines have been asked in turns."""
    turns = [step for step in state.values() if f"ask-{size}" in step]
    if not turns:
        return None
    ours, starter = (_pipeline(state, of, size, turns[-1]) for of in ("ours", "starter"))
    whole = turns[-1][f"ask-{size}"]
    ours |= {
        "again_s": state[f"again-{size}"]["seconds"],
        "ask_ms": whole["p50"],
        "ask_p95_ms": whole["p95"],
        "embedding_share": round(turns[-1]["embed"]["p50"] / ours["search_ms"], 3),
    }
    ratio = {key: round(ours[key] / value, 2) for key, value in starter.items()
             if value and ours[key]}  # fmt: skip
    computed = state[f"ingest-ours-{size}"]["computed"]
    return {"papers": size, "computed": computed, **ours, "starter": starter, "ratio": ratio}


def _pipeline(state: dict[str, Any], of: str, size: int, turns: dict[str, Any]) -> dict[str, Any]:
    """What is measured of ours and of the starter alike."""
    ingest, asked = state[f"ingest-{of}-{size}"], state[f"ask-{of}-{size}"]
    page = state.get(f"page-{size}", {}).get(of, {})
    return {
        "ingest_s": ingest["seconds"],
        "ingest_rest_s": round(ingest["seconds"] - ingest["seconds_embedding"], 2),
        "ingest_memory_mb": ingest["memory_mb"],
        "disk_mb": ingest["disk_mb"],
        "search_ms": turns[f"{of}-{size}"]["p50"],
        "search_p95_ms": turns[f"{of}-{size}"]["p95"],
        "memory_mb": asked["memory_mb"],
        "own_memory_mb": asked["own_memory_mb"],
        "page_start_s": page.get("start_s"),
        "page_ms": page.get("page_ms"),
    }


def exponent(points: Sequence[tuple[float, float]]) -> float | None:
    """The b of a · size^b, fitted to the logarithms by least squares."""
    if len(points) < 2:
        return None
    sizes, values = np.log(np.asarray(points, dtype=np.float64)).T
    return round(float(np.polyfit(sizes, values, 1)[0]), 3) + 0.0
