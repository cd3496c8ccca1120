"""Kills writers at random moments and at the n-th system call, and looks at what is left.

    python -m tests.kills --kills 300 [--seed 14] [--only sync]

Each command that writes is started in a process of its own, over a library in a folder and over
one on a Chroma server, and ended (SIGKILL; now and then Ctrl-C) somewhere in its work: at a random
moment, or, where strace is installed, at its n-th system call that changes a file or a socket.
Then the library must open and be whole, nothing that was there may be lost or double, no lock may
be left, and the same command must finish, with the result of a run that nobody interrupted. In
some runs it is the Chroma server that is killed. Prints the seed first and a table last.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parent))

from chroma_server import Server
from fake_embedder import FakeEmbedder
from filelock import FileLock
from processes import contents, make_papers, start_command

from assistant import store
from assistant.conversations import ConversationStore
from assistant.library import Library
from assistant.review.screening import Screening
from assistant.settings import Settings
from assistant.sources.memory import SourceMemory
from assistant.watch import Likes, Watches

OLD, NEW = make_papers(40, version="first"), make_papers(80, version="second, which is another,")
OWNER = "somebody"
WORKS, PAGE = 60, 10
CALLS = (
    "write,pwrite64,writev,fsync,fdatasync,ftruncate,rename,renameat,unlink,unlinkat,mkdir,"
    "linkat,link,sendto"
)
SECONDS = 90.0
"""In which a command that was not interrupted ends, whatever the machine does besides."""

Check = Callable[["Place"], None]


@dataclass
class Place:
    """One library and what lies beside it, for one victim."""

    folder: Path
    store: str | None
    openalex: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def library_folder(self) -> Path:
        return self.folder / "library"

    def env(self) -> dict[str, str]:
        own = {
            "ASSISTANT_LIBRARY": str(self.folder / self.folder.name),
            "ASSISTANT_CACHE": str(self.folder / "cache"),
            "ASSISTANT_CONFIG": str(self.folder / "config.toml"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "ASSISTANT_SOURCES__OPENALEX__URL": self.openalex,
            "ASSISTANT_SOURCES__OPENALEX__INTERVAL": "0",
        }
        if self.store is None:
            own["ASSISTANT_LIBRARY"] = str(self.library_folder)
        else:
            own["ASSISTANT_STORE"] = self.store
        return own | self.environment

    def open(self, **more: Any) -> Library:
        """The library as another process finds it."""
        name = self.library_folder if self.store is None else self.folder / self.folder.name
        fake = FakeEmbedder()
        chosen = Settings.load(
            library=name, store=self.store or "", cache=self.folder / "cache", **more
        )
        return Library(chosen, lambda: fake)


@dataclass(frozen=True)
class Victim:
    """A command; ``arguments`` with {folder} and {library}; ``again``: exit codes of a rerun."""

    name: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    prepare: Check = lambda _: None
    least: Callable[[], set[str]] = lambda: {paper.id for paper in OLD}
    again: tuple[int, ...] = (0,)
    stores: tuple[str, ...] = ("folder", "server")


def _watching(place: Place) -> None:
    library = place.open()
    library.path.mkdir(parents=True, exist_ok=True)
    Watches(library).add("first", "topic1")
    library.ingest(make_papers(44, version="first")[40:])
    Likes(library.path).set(OLD[3].id, True)
    library.close()


def _screening(place: Place) -> None:
    rows = "".join(f'"{paper.title}",{n % 2}\n' for n, paper in enumerate(OLD) if paper.title)
    (place.folder / "decisions.csv").write_text(f"title,included\n{rows}", "utf-8")


def _damaged(place: Place) -> None:
    shutil.rmtree(place.library_folder / "chroma")


VICTIMS = [
    Victim("ingest", ("ingest", "{folder}/new.jsonl", "--quiet")),
    Victim("sync", ("sync", "openalex:wells", "--quiet")),
    Victim(
        "reindex",
        ("ingest", "--reindex", "--quiet"),
        (("ASSISTANT_CHUNKING__MAX_TOKENS", "24"),),
    ),
    Victim(
        "review",
        ("review", "topic3 things", "--papers", "6", "--force", "-o", "{folder}/r.md",
         "-o", "{folder}/r.docx", "-o", "{folder}/r.json"),
    ),
    Victim(
        "screen",
        ("screen", "topic3 things", "--file", "{folder}/screening.json", "--import",
         "{folder}/decisions.csv", "--status"),
        prepare=_screening,
    ),
    Victim(
        "watch",
        ("watch", "add", "second", "--query", "topic2"),
        prepare=_watching,
        again=(0, 1),
    ),
    Victim("digest", ("digest", "-k", "3"), prepare=_watching),
    Victim(
        "remove",
        ("papers", "remove", *(paper.id for paper in OLD[5:25]), "--yes"),
        least=lambda: {paper.id for paper in [*OLD[:5], *OLD[25:]]},
        again=(0, 1),
    ),
    Victim("copy", ("library", "copy", "{library}", "{folder}/copied"), stores=("folder",)),
    Victim("repair", ("doctor", "--repair"), prepare=_damaged, stores=("folder",)),
]  # fmt: skip


# -- the world around ----------------------------------------------------------------------------


class _OpenAlex(BaseHTTPRequestHandler):
    """Sixty works on six pages."""

    def do_GET(self) -> None:
        at = parse_qs(urlsplit(self.path).query).get("cursor", ["*"])[0]
        first = 0 if at == "*" else int(at)
        works = [
            {
                "id": f"https://openalex.org/W{n}",
                "doi": f"https://doi.org/10.1000/w{n}",
                "title": f"Wells of Depth {n}",
                "publication_year": 2000 + n % 20,
                "abstract_inverted_index": {"Wells": [0], "run": [1], "dry": [2], f"n{n}.": [3]},
            }
            for n in range(first, min(first + PAGE, WORKS))
        ]
        following = str(first + PAGE) if first + PAGE < WORKS else None
        body = json.dumps({"meta": {"count": WORKS, "next_cursor": following}, "results": works})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def _openalex() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _OpenAlex)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


# -- one kill ------------------------------------------------------------------------------------


class Killer:
    """Kills, checks, counts. ``server``: a Chroma server, started when first wanted."""

    def __init__(self, base: Path, seed: int, openalex: str) -> None:
        self.base, self.openalex = base, openalex
        self.chance = random.Random(seed)
        self.server = Server(base / "server")
        self.counts: Counter[str] = Counter()
        self._number = 0
        self._old = base / "old"
        self._expected: dict[tuple[str, str], tuple[float, int, Any]] = {}
        made = Place(self._old, None, openalex)
        self._old.mkdir()
        (self._old / "config.toml").touch()
        library = made.open()
        with mock.patch.dict(store._HNSW, batch_size=10, sync_threshold=30):
            library.ingest(OLD)  # Chroma writes its graph at every step: more to break
        library.close()
        (self._old / "new.jsonl").write_text(
            "".join(paper.model_dump_json(exclude={"id"}) + "\n" for paper in NEW), "utf-8"
        )

    def close(self) -> None:
        self.server.stop()

    def place(self, victim: Victim, store: str) -> Place:
        """A fresh copy of the old library for ``victim``."""
        self._number += 1
        folder = self.base / f"{victim.name}-{self._number}"
        shutil.copytree(self._old, folder)
        made = Place(folder, None, self.openalex, dict(victim.environment))
        if store == "server":
            from_folder = made.open()
            made.store = self.server.address
            from_folder.copy_to(made.open())
            from_folder.close()
        victim.prepare(made)
        return made

    def expected(self, victim: Victim, store: str) -> tuple[float, int, Any]:
        """Seconds, system calls of the busiest thread and final state of an uninterrupted run."""
        key = victim.name, store
        if key not in self._expected:
            place = self.place(victim, store)
            calls = 0
            if _strace():
                self._run(victim, place, trace=place.folder / "calls.txt")
                lines = (place.folder / "calls.txt").read_text("utf-8", "replace").splitlines()
                calls = max(Counter(line.split()[0] for line in lines).values())
                place = self.place(victim, store)
            begun = time.perf_counter()
            code, told = self._run(victim, place)
            assert code == 0, (victim.name, told)
            self._expected[key] = time.perf_counter() - begun, calls, self.state(place)
        return self._expected[key]

    def _run(
        self,
        victim: Victim,
        place: Place,
        *,
        after: float | None = None,
        how: signal.Signals = signal.SIGKILL,
        call: int | None = None,
        trace: Path | None = None,
    ) -> tuple[int, str]:
        """Exit code and what was told; ended after so many seconds or at the n-th call."""
        names = {"folder": place.folder, "library": place.library_folder}
        arguments = [part.format(**names) for part in victim.arguments]
        process, go, told = start_command(arguments, place.env(), place.folder / "told.txt")
        tracer = None
        if call is not None or trace is not None:
            tracer = _traced(process.pid, call, trace)
        go()
        process.join(SECONDS if after is None else after)
        if after is not None and process.is_alive():
            os.kill(process.pid, how)
            process.join(SECONDS)
        if process.is_alive():
            process.kill()
            raise AssertionError(f"{victim.name}: it never ends: {told()}")
        if tracer is not None:
            tracer.wait(30)
        return process.exitcode, told()

    def kill(self, victim: Victim, store: str) -> None:
        """One kill, and all that must hold after it."""
        seconds, calls, final = self.expected(victim, store)
        place = self.place(victim, store)
        at: dict[str, Any]
        if calls and self.chance.random() < 0.5:
            at = {"call": self.chance.randint(1, calls)}
        elif self.chance.random() < 0.2:
            at = {"after": self.chance.uniform(0, 0.8 * seconds), "how": signal.SIGINT}
        else:
            at = {"after": self.chance.uniform(0, 0.8 * seconds)}
        code, told = self._run(victim, place, **at)
        what = f"{victim.name} {store} {at} -> {code}"
        self._judge(victim, place, code, told, what)
        code, told = self._run(victim, place)
        assert code in victim.again, f"{what}: again: {code} {told}"
        assert "Traceback" not in told, f"{what}: {told}"
        found = self.state(place)
        assert found == final, f"{what}: {_difference(found, final)}"
        left = [p.name for p in place.folder.rglob("*.part*") if "library" in str(p.parent)]
        assert not left, f"{what}: {left}"
        shutil.rmtree(place.folder)

    def _judge(self, victim: Victim, place: Place, code: int, told: str, what: str) -> None:
        ended = {0: "finished before", -signal.SIGKILL: "killed", 130: "interrupted"}
        assert "Traceback" not in told, f"{what}: {told}"
        if code == -signal.SIGINT:
            code = 130  # before the program itself was there
        assert code in ended, f"{what}: {told}"
        self.counts[
            f"{victim.name}/{'folder' if place.store is None else 'server'}/{ended[code]}"
        ] += 1
        if place.store is None:
            with FileLock(place.library_folder / "lock", timeout=0):
                pass
        if victim.name == "repair":
            library = place.open()
            assert {paper.id for paper in library.papers()} >= victim.least(), what
            library.close()
        else:
            self.whole(place, victim.least(), what)

    def whole(self, place: Place, least: set[str], what: str) -> None:
        """Records and collection hold the same papers, each once; what was there is there."""
        library = place.open()
        held = list(library.papers())
        assert len({paper.id for paper in held}) == len(held), what
        assert {paper.id for paper in held} >= least, f"{what}: lost"
        there = contents(library)
        records = library.ready(check=False)
        assert records.pending == [], what
        assert set(there) == {paper.id for paper in held}, f"{what}: collection and records differ"
        assert all(there[paper.id].paper == paper for paper in held), what
        rows = sum(len(stored.vectors) for stored in there.values())
        assert len(library.store()) == records.chunks == rows, f"{what}: rows"
        assert records.sound() == "ok", f"{what}: {records.sound()}"
        known = {p.content_hash for p in (*OLD, *NEW, *make_papers(44, version="first"))}
        assert all(p.content_hash in known or (p.source or "").startswith("openalex") for p in held)
        self._beside(library)
        library.close()

    def _beside(self, library: Library) -> None:
        """The small files are the old ones or the new ones: they are read."""
        Watches(library).all()
        assert len(Likes(library.path).all()) <= 1
        SourceMemory(library.path).all()

    def state(self, place: Place) -> Any:
        """What a finished command has left, less what differs from run to run."""
        tokens = int(place.environment.get("ASSISTANT_CHUNKING__MAX_TOKENS", "96"))
        library = place.open(chunking={"max_tokens": tokens})
        papers = {
            name: (s.paper.content_hash, s.vectors.round(5).tolist())
            for name, s in sorted(contents(library).items())
        }
        arrived = [name for _, name in sorted((name, name) for name in Watches(library).since(""))]
        found: dict[str, Any] = {
            "papers": papers,
            "watches": [watch.name for watch in Watches(library).all()],
            "arrived": arrived,
            "likes": Likes(library.path).all(),
            "sources": [
                (name, source.mark, source.cursor)
                for name, source in SourceMemory(library.path).all().items()
            ],
        }
        library.close()
        if (place.folder / "screening.json").exists():
            found["screened"] = Screening.load(place.folder / "screening.json").final()
        if (place.folder / "r.json").exists():
            found["review"] = json.loads((place.folder / "r.json").read_text())["themes"]
            assert (place.folder / "r.docx").read_bytes()[-22:-18] == b"PK\5\6"
        return found

    # ------------------------------------------------------------------ others than commands

    def kill_server(self) -> None:
        """The Chroma server goes while papers come in: one sentence, and nothing is lost."""
        victim = VICTIMS[0]
        seconds, _, final = self.expected(victim, "server")
        place = self.place(victim, "server")
        names = {"folder": place.folder, "library": place.library_folder}
        arguments = [part.format(**names) for part in victim.arguments]
        process, go, told = start_command(arguments, place.env(), place.folder / "told.txt")
        go()
        process.join(self.chance.uniform(0, 0.8 * seconds))
        self.server.kill()
        process.join(SECONDS)
        assert not process.is_alive(), "ingest into a killed server: it never ends"
        assert process.exitcode in (0, 1), told()
        assert "Traceback" not in told(), told()
        assert "defect" not in told(), told()
        if process.exitcode:
            assert "server" in told(), told()
        self.server.start()
        place.store = self.server.address
        self.whole(place, {paper.id for paper in OLD}, "the server was killed")
        code, said = self._run(victim, place)
        assert code == 0, said
        assert self.state(place) == final
        self.counts["the server itself/server/killed"] += 1

    def kill_conversation(self) -> None:
        """Who keeps a conversation is killed: what was said to be kept is there, whole."""
        self._number += 1
        folder = self.base / f"conversations-{self._number}"
        folder.mkdir()
        process, go, told = start_command(
            ["call processes.keep_conversations"], {}, folder / "told.txt"
        )
        go()
        process.join(self.chance.uniform(0.01, 0.5))
        process.kill()
        process.join()
        kept = [line.split() for line in told().splitlines(keepends=True) if line.endswith("\n")]
        store = ConversationStore(folder)
        states = {
            turn.id: turn.data.get("n", -1)
            for one in store.conversations(OWNER)
            for turn in store.path(one.id)
        }
        for turn, n in kept:
            assert states[turn] >= int(n), (turn, n, states[turn])
        assert len(states) - len({turn for turn, _ in kept}) in (0, 1)
        store.close()
        self.counts["conversation/folder/killed"] += 1


def _difference(found: Any, wanted: Any) -> str:
    parts = [key for key in wanted if found.get(key) != wanted[key]]
    lost = set(wanted["papers"]) ^ set(found["papers"])
    return f"differs in {parts}; papers in one only: {sorted(lost)[:5]}"


def _strace() -> str | None:
    return shutil.which("strace")


def _traced(pid: int, call: int | None, log: Path | None) -> subprocess.Popen[str]:
    """strace at the process, attached; it kills at the ``call``-th call of a thread."""
    command = [_strace() or "strace", "-f", "-p", str(pid), "-e", f"trace={CALLS}"]
    command += ["-o", str(log or os.devnull), "-e", "signal=none"]
    if call is not None:
        command += ["-e", f"inject={CALLS}:signal=KILL:when={call}"]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    line = tracer.stderr.readline()
    assert "attached" in line, line
    threading.Thread(target=tracer.stderr.read, daemon=True).start()  # it must not block
    return tracer


def run(
    kills: int, seed: int, only: str | None = None, tell: Callable[[str], None] = print
) -> Counter[str]:
    """So many kills that hit, over all victims and stores in turn; the counts by victim and end."""
    tell(f"seed {seed}")
    with tempfile.TemporaryDirectory() as base, _openalex() as openalex:
        killer = Killer(Path(base), seed, openalex)
        works: list[tuple[str, Callable[[], None]]] = [
            (f"{victim.name} {store}", lambda v=victim, s=store: killer.kill(v, s))  # type: ignore[misc]
            for victim in VICTIMS
            for store in victim.stores
        ]
        works += [("server", killer.kill_server), ("conversation", killer.kill_conversation)]
        works = [work for work in works if not only or only in work[0]]
        # those in whom most can break come more often
        works += [work for work in works if work[0].split()[0] in ("ingest", "sync", "review")]
        killer.chance.shuffle(works)
        try:
            number = done = 0
            while done < kills:
                name, work = works[number % len(works)]
                number += 1
                work()
                before, done = done, sum(n for w, n in killer.counts.items() if "finished" not in w)
                if done // 10 > before // 10:
                    tell(f"{done} of {kills} ({name})")
        finally:
            killer.close()
    return killer.counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", help="victims whose name holds this")
    given = parser.parse_args()
    counts = run(given.kills, given.seed, given.only, lambda line: print(line, flush=True))
    for name in sorted(counts):
        print(f"{counts[name]:4}  {name}")
    kills = sum(count for name, count in counts.items() if "finished" not in name)
    print(f"{kills:4}  kills: nothing lost, nothing double, no stale lock, all finished")
    return 0


if __name__ == "__main__":
    sys.exit(main())
