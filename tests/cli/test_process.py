"""What only a process of its own shows: pipes, signals, the time of a start."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scripted_server import Reply, ScriptedServer

HERE = Path(__file__).resolve().parent
FAKE = [sys.executable, str(HERE / "with_fake.py")]
REAL = [sys.executable, "-c", "import sys; from assistant.cli import main; sys.exit(main())"]


def _run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    settings: dict[str, object] = {"capture_output": True, "encoding": "utf-8", "timeout": 120}
    done: subprocess.CompletedProcess[str] = subprocess.run(  # type: ignore[call-overload]
        command, **(settings | options), check=False
    )
    return done


def _many(folder: Path, count: int) -> str:
    path = folder / "many.jsonl"
    line = '{{"title": "Paper {0} {1}", "abstract": "It is number {0}."}}\n'
    path.write_text("".join(line.format(n, "x" * 300) for n in range(count)), encoding="utf-8")
    return str(path)


def test_codes_streams_and_head(tmp_path: Path) -> None:
    many = _many(tmp_path, 400)
    done = _run([*FAKE, "ingest", many, "--json"])
    assert done.returncode == 0
    assert json.loads(done.stdout)["added"] == 400
    # more than a pipe holds, to a reader that takes one line
    with subprocess.Popen(
        [*FAKE, "papers", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        assert writer.stdout.readline().startswith(b"Paper 0 ")
        writer.stdout.close()
        assert writer.stderr.read() == b""
        assert writer.wait(60) == 0
    assert _run([*FAKE, "papers", "show", "nothing"]).returncode == 1
    assert _run([*FAKE, "papers", "shout"]).returncode == 2


def _stored(library: Path) -> int:
    """Papers that another process has stored so far."""
    for file in library.glob("papers-*.sqlite"):
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database,
        ):
            return int(database.execute("SELECT COUNT(*) FROM papers").fetchone()[0])
    return 0


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_ctrl_c_while_papers_come_in(tmp_path: Path) -> None:
    many = _many(tmp_path, 2400)
    command = [*FAKE, "--slow", "ingest", many]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as writing:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and _stored(tmp_path / "library") < 256:
            time.sleep(0.05)
        time.sleep(0.3)
        writing.send_signal(signal.SIGINT)
        out, err = writing.communicate(timeout=60)
    assert writing.returncode == 130
    assert out == ""
    assert err.splitlines()[-1].endswith("the same command again finishes.")
    assert "Traceback" not in err
    report = json.loads(_run([*FAKE, "ingest", many, "--json"]).stdout)
    assert report["unchanged"] >= 128
    assert report["unchanged"] + report["added"] == 2400


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_ctrl_c_stops_the_request_at_the_provider(tmp_path: Path) -> None:
    source = tmp_path / "papers.jsonl"
    abstract = "Experts of a mixture are pruned without retraining."
    source.write_text(json.dumps({"title": "Pruning Experts", "abstract": abstract}) + "\n")
    assert _run([*FAKE, "ingest", str(source)]).returncode == 0
    with ScriptedServer(Reply("Experts are pruned. " * 50, chunk=4, between=0.2)) as server:
        options = ["--llm", "scripted", "--base-url", server.url]
        with subprocess.Popen(
            [*FAKE, "ask", "Which experts are pruned without retraining?", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as asking:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not server.open:
                time.sleep(0.05)
            time.sleep(0.5)
            asking.send_signal(signal.SIGINT)
            out, err = asking.communicate(timeout=30)
        assert (asking.returncode, out) == (130, "")
        assert err.startswith("Interrupted")
        assert err.count("\n") == 1
        assert server.wait_gone()


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from assistant.cli import main; main(['--help']); "
        "heavy = {'pydantic', 'pydantic_settings', 'rich', 'numpy', 'chromadb', 'onnxruntime', "
        "'llama_index', 'assistant.settings', 'assistant.assistant'}; "
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = _run([sys.executable, "-c", code])
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name == "nt", reason="the time of children is POSIX's")
def test_help_takes_little_more_than_typer() -> None:
    def seconds(command: list[str]) -> float:
        before = os.times()
        assert _run(command).returncode == 0
        after = os.times()
        return after.children_user - before.children_user

    ours, typers = [*REAL, "--help"], [sys.executable, "-c", "import typer"]
    pairs = [(seconds(ours), seconds(typers)) for _ in range(7)]  # in turn: the machine is shared
    assert min(a for a, _ in pairs) < 2.5 * min(b for _, b in pairs)
