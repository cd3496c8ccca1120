"""Runs: what was measured, with what, where; saved as JSON and read again to compare."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assistant.settings import Settings

ROOT = Path(__file__).parents[1]
RUNS = Path(__file__).with_name("runs")
PROGRAM = (sys.executable, "-c", "import sys; from assistant.cli import main; sys.exit(main())")
"""The console script, also where it is not installed."""
BY_SET = ("retrieval", "answers", "reviews", "pairs")
"""Verbs whose results are by set of questions."""
_PACKAGES = (
    "llama-index-core",
    "chromadb",
    "onnxruntime",
    "numpy",
    "ir-measures",
    "scikit-learn",
    "scipy",
)


def environment(settings: Settings, command: Sequence[str]) -> dict[str, Any]:
    """Where a number comes from: command, code, settings, versions, machine."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": " ".join(["python -m eval", *map(portable, command)]),
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": len(_git("status", "--porcelain").splitlines()),
        "code": code_digest(),
        "settings": settings.model_dump(
            mode="json", include={"embedding", "chunking", "retrieval", "answer", "llm"}
        ),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_gb": _memory_gb(),
        },
    }


def portable(argument: str) -> str:
    """An argument without this machine's folders: a run is read elsewhere too."""
    path = Path(argument)
    if not path.is_absolute():
        return argument
    for name, root in (("$ASSISTANT_TEST_DATA", os.environ.get("ASSISTANT_TEST_DATA")), ("", ROOT)):
        if root and path.is_relative_to(root):
            return str(Path(name) / path.relative_to(root))
    return f"…/{path.name}"


def save(run: dict[str, Any], folder: Path | None = None) -> Path:
    """Writes ``run`` under a name made of its verb and time; returns where."""
    folder = folder or RUNS
    folder.mkdir(parents=True, exist_ok=True)
    stamp = run["environment"]["time"][:19].replace(":", "").replace("-", "")
    path = folder / f"{run['verb']}-{stamp}.json"
    n = 1
    while path.exists():
        n += 1
        path = folder / f"{run['verb']}-{stamp}-{n}.json"
    path.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def load(path: Path) -> dict[str, Any]:
    """A saved run; a bare name is looked up among the runs."""
    from eval.data import EvalError  # noqa: PLC0415

    for candidate in (path, RUNS / path, RUNS / f"{path}.json"):
        if candidate.is_file():
            try:
                run: dict[str, Any] = json.loads(candidate.read_text(encoding="utf-8"))
            except ValueError:
                raise EvalError(f"{candidate} is not a saved run.") from None
            if "verb" not in run or "results" not in run:
                raise EvalError(f"{candidate} is not a saved run.")
            return {**run, "name": candidate.stem}
    raise EvalError(f"There is no run {path}.", f"The saved ones are in {RUNS.name}/ of eval.")


def newest(verb: str, folder: Path | None = None) -> list[dict[str, Any]]:
    """The newest runs of ``verb`` that together cover every set ever measured.

    An older run keeps only what no newer one says something about.
    """
    chosen: list[dict[str, Any]] = []
    covered: set[str] = set()
    for path in sorted((folder or RUNS).glob(f"{verb}-*.json"), reverse=True):
        run = load(path)
        if verb not in BY_SET:
            return [run]
        fresh = {k: v for k, v in run["results"].items() if k not in covered}
        if fresh:
            chosen.append({**run, "results": fresh})
            covered |= fresh.keys()
    return chosen


def _git(*arguments: str) -> str:
    try:
        return subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def code_digest() -> str:
    """Changes with any line of the package: a commit does not tell of unsaved work."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "assistant").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None


def note(text: str) -> None:
    """A line for the person who waits: on stderr, so that ``--json`` stays clean."""
    print(text, file=sys.stderr, flush=True)
