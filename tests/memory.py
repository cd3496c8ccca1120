# ruff: noqa: T201
"""Asks one process many questions and tells its memory: ``python -m tests.memory [--count 5000]``.

The questions are made of the titles of the library's papers, so that most differ; every 50th
opens another library, asks it and closes it. Prints resident MB at every 500 questions.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path

from assistant import Assistant, Settings
from assistant.text import words

FORMS = ["What is said of {}?", "How does {} work?", "papers on {}", "Why {}?", "{}", "Does {}?"]


def resident() -> int:
    """MB that the process holds (Linux)."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--library", type=Path, required=True)
    given = parser.parse_args()
    chance = random.Random(14)
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / f"library-{n}" for n in range(4)]
        for place in places:
            shutil.copytree(given.library, place)
        assistant = Assistant(Settings.load(library=places[0]))
        titles = [paper.label for paper in assistant.library.papers()]
        started = time.monotonic()
        for n in range(given.count + 1):
            if n % 500 == 0:
                print(f"{n:5} questions: {resident():4} MB, {time.monotonic() - started:.0f} s",
                      flush=True)  # fmt: skip
            said = words(chance.choice(titles))
            at = chance.randrange(max(1, len(said) - 3))
            question = chance.choice(FORMS).format(" ".join(said[at : at + chance.randint(2, 5)]))
            assistant.ask(question)
            if n % 50 == 49:
                other = Assistant(Settings.load(library=places[1 + n // 50 % 3]))
                other.ask(question)
                other.close()
        assistant.close()
    return 0


if __name__ == "__main__":
    main()
