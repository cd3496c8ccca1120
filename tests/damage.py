# ruff: noqa: T201
"""Damages every file of a library in every way, and looks at what comes out.

    python -m tests.damage [--seeds 2] [--papers FILE] [--only FILE]

A library of real papers with all that grows beside it (watches, likes, remembered sources, a
screening, conversations, calibration, map, prepared weights) is copied; one file is truncated,
emptied, zeroed, flipped in one bit and in forty, or deleted. Then questions are asked, papers are
listed, a digest is made, the screening and the conversations are read, each in a process of its
own. Right is: the answer of before, or exit 1 with one clear sentence. After ``doctor --repair``
all must be as before, or what is lost must have been named. Prints a table by file and damage.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import re
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))

from processes import open_library, start_command

from assistant import store
from assistant.conversations import ConversationStore, new_id
from assistant.errors import AssistantError
from assistant.review.screening import Decision, Screening
from assistant.sources.memory import RememberedSource, SourceMemory
from assistant.watch import Likes

ROOT = Path(__file__).parent.parent
SECONDS = 120.0
QUESTIONS = ["How does sparse pre-training compare with dense?", "expert pruning"]
COMMANDS = {
    "ask": ["ask", QUESTIONS[0], "--json"],
    "search": ["search", QUESTIONS[1], "--json"],
    "filter": ["search", QUESTIONS[1], "--json", "--year", "2024.."],
    "list": ["papers", "list", "--json"],
    "similar": ["similar", "{paper}", "--json"],
    "digest": ["digest", "--since", "2020-01-01", "--json"],
    "sources": ["sync", "--list", "--json"],
    "screen": ["screen", "pruning", "--file", "{library}/screening.json", "--status", "--json"],
}


def truncated(data: bytes, _: random.Random) -> bytes:
    return data[: len(data) // 2]


def emptied(*_: Any) -> bytes:
    return b""


def zeroed(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(max(1, len(data)))
    return data[:at] + bytes(min(4096, len(data) - at)) + data[at + 4096 :]


def flipped(count: int) -> Callable[[bytes, random.Random], bytes]:
    def flip(data: bytes, chance: random.Random) -> bytes:
        changed = bytearray(data)
        for _ in range(count):
            changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return bytes(changed)

    return flip


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes] | None] = {
    "truncated": truncated,
    "emptied": emptied,
    "zeroed": zeroed,
    "one bit": flipped(1),
    "forty bits": flipped(40),
    "deleted": None,
}


def probe(place: Path, repair: str = "") -> int:
    """What every command says, as JSON in ``place``; then ``doctor --repair``, if asked for."""
    from assistant.cli import main  # noqa: PLC0415

    def run(arguments: list[str]) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(arguments)
        return code, out.getvalue(), err.getvalue()

    paper = (place / "paper.txt").read_text() if (place / "paper.txt").exists() else "none"
    names = {"library": place / "library", "paper": paper}
    found: dict[str, Any] = {}
    for name, arguments in COMMANDS.items():
        code, out, err = run([argument.format(**names) for argument in arguments])
        out = re.sub(r'"(timings_ms|at)": (\{[^}]*\}|"[^"]*")', "", out)
        found[name] = (code, out, err)
    found["conversations"] = _conversations(place / "library")
    if repair:
        found["repair"] = run(["doctor", "--repair"])
    (place / "probed.json").write_text(json.dumps(found), "utf-8")
    return 0


def _conversations(folder: Path) -> tuple[int, str, str]:
    try:
        store = ConversationStore(folder)
        told = [
            [one.title, [(t.question, t.data) for t in store.path(one.id)]]
            for one in store.conversations("me")
        ]
        marks = [mark.model_dump(exclude={"at"}) for mark in store.marks("me").values()]
        store.close()
        return 0, json.dumps([told, marks]), ""
    except AssistantError as error:
        return 1, "", str(error)
    except Exception as error:  # noqa: BLE001
        return 3, "", f"defect: {error!r}"


def grow(place: Path, papers: str) -> int:
    """A library with all that can lie in its folder."""
    from assistant.cli import main  # noqa: PLC0415

    with mock.patch.dict(store._HNSW, batch_size=10, sync_threshold=100):
        assert main(["ingest", papers, "--quiet"]) == 0  # so few have a graph of Chroma's, too
    assert main(["watch", "add", "pruning", "--query", "expert pruning"]) == 0
    folder = place / "library"
    library = open_library(folder)
    liked = library.ready(check=False).ids()[3]
    library.close()
    (place / "paper.txt").write_text(liked)
    Likes(folder).set(liked, True)
    SourceMemory(folder).save("arxiv:cs.CL", RememberedSource(mark="2026-01-01", papers=4))
    decision = Decision(paper_id=liked, verdict="include")
    Screening(topic="pruning", papers=[liked], decisions=[decision]).save(folder / "screening.json")
    talks, name = ConversationStore(folder), new_id()
    turn = talks.append("me", name, "Why prune?", {"n": 1})
    assert turn is not None
    talks.save(turn.id, "done", {"answer": {"answer": "Because memory falls by 41%. " * 30}})
    talks.close()
    return 0


class Stage:
    """A library with all that grows beside it, and what its commands say while it is whole."""

    def __init__(self, base: Path, papers: Path) -> None:
        self.base, self.whole = base, base / "whole"
        self.whole.mkdir(exist_ok=True)
        (self.whole / "config.toml").touch()
        failed_to_grow = self.run(["call damage.grow", str(papers)], self.whole)
        assert not failed_to_grow, failed_to_grow
        self.expected = self.told(self.whole)
        self.expected = self.told(self.whole)  # what a question makes is there by now
        failed = {key: got for key, got in self.expected.items() if got[0]}
        assert not failed, failed
        self.files = sorted(
            path.relative_to(self.whole)
            for path in self.whole.rglob("*")
            if path.is_file()
            and path.stat().st_size
            and path.name not in ("config.toml", "paper.txt", "told.txt", "probed.json")
            and not path.name.endswith(("-wal", "-shm"))
        )

    def run(self, arguments: list[str], place: Path) -> str:
        environment = {
            "ASSISTANT_LIBRARY": str(place / "library"),
            "ASSISTANT_CACHE": str(place / "cache"),
            "ASSISTANT_CONFIG": str(place / "config.toml"),
            "XDG_DATA_HOME": str(place / "data"),
        }
        process, go, told = start_command(arguments, environment, place / "told.txt")
        go()
        process.join(SECONDS)
        if process.is_alive():
            process.kill()
            return "HANGS"
        return "" if process.exitcode == 0 else f"DEFECT: ended with {process.exitcode} {told()}"

    def told(self, place: Path, repair: str = "") -> dict[str, tuple[int, Any, str]]:
        """Command → exit code, result less times, and what was told beside it."""
        (place / "probed.json").unlink(missing_ok=True)
        ended = self.run(["call damage.probe", repair], place)
        if ended:
            return {"all": (99 if ended == "HANGS" else 98, "", ended)}
        found = json.loads((place / "probed.json").read_text("utf-8"))
        return {key: tuple(got) for key, got in found.items()}

    def damage(self, file: Path, name: str, seed: int) -> list[str]:
        """What came of one damage: a word for each command, and one for the repair."""
        place = Path(tempfile.mkdtemp(dir=self.base))
        shutil.copytree(self.whole, place, dirs_exist_ok=True)
        chance = random.Random(f"{file}{name}{seed}")
        target, change = place / file, DAMAGES[name]
        if change is None:
            target.unlink()
        else:
            target.write_bytes(change(target.read_bytes(), chance))
        told = self.told(place, "repair")
        if "all" in told:  # it crashed before it came to the repair
            self.run(["doctor", "--repair"], place)
        repaired = told.pop("repair", (0, "", ""))
        words = [f"{key}: {self._word(key, *got)}" for key, got in told.items()]
        words = [word for word in words if not word.endswith("as before")]
        if re.search("defect|Traceback", repaired[2]) or repaired[0] not in (0, 1):
            words.append(f"repair: DEFECT {repaired[2][-200:]!r}")
        for key, got in self.told(place).items():
            word = self._word(key, *got)
            if word == "ANOTHER ANSWER" and target.name in repaired[2]:
                word = "lost, and named"
            if word != "as before":
                words.append(f"after repair {key}: {word} {got[2][-160:]!r}")
        shutil.rmtree(place)
        return words

    def _word(self, key: str, code: int, out: str, err: str) -> str:
        if code == 99:
            return "HANGS"
        if "Traceback" in err or "defect" in err or code not in (0, 1):
            return f"DEFECT {err[-200:]!r}"
        if code == 1:
            return f"one sentence {err[-120:]!r}"
        return "as before" if out == self.expected[key][1] else "ANOTHER ANSWER"


def kind(file: Path) -> str:
    """What a file is called in the table."""
    name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "graph", str(file))
    name = re.sub(r"papers-[0-9a-f]+", "papers", name)
    return re.sub(r"[0-9a-f]{24}", "…", name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--papers", type=Path, default=ROOT / "assistant/sample/papers.jsonl")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    bad = 0
    table: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as base:
        stage = Stage(Path(base), given.papers)
        for file in stage.files:
            if given.only not in f"{file} {kind(file)}":
                continue
            for name in DAMAGES:
                for seed in range(given.seeds if "bit" in name or name == "zeroed" else 1):
                    words = stage.damage(file, name, seed)
                    worst = (
                        "bad"
                        if any(re.search("ANOTHER|DEFECT|HANGS", word) for word in words)
                        else "lost, said so"
                        if any("after repair" in word for word in words)
                        else "said, mended"
                        if words
                        else "as before"
                    )
                    bad += worst == "bad"
                    table[kind(file)][worst] += 1
                    print(f"{kind(file):45} {name:10} {worst:14} {'; '.join(words)}", flush=True)
    print()
    columns = ["as before", "said, mended", "lost, said so", "bad"]
    print(f"| file | {' | '.join(columns)} |\n|---|---|---|---|---|")
    for name, counts in table.items():
        print(f"| {name} | {' | '.join(str(counts[c]) for c in columns)} |")
    return bad


if __name__ == "__main__":
    sys.exit(main())
