"""No host is asked that nobody asked for: not by ingest, ask, review, doctor, nor by the page.

Each command runs in a process of its own whose sockets are watched (an audit hook, which sees
every library's), and again where the machine allows it in a network namespace without any network,
which holds for code that is no Python too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.embedding import Embedder
from assistant.sample import SAMPLE_PAPERS

ROOT = Path(__file__).parent.parent
GUARD = """
import os, sys

def _watch(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host and not host.startswith(("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")):
        with open(os.environ["WATCHED"], "a") as log:
            log.write(f"{event} {host} by {sys.argv}\\n")

sys.addaudithook(_watch)
"""
DRIVER = """
import json, sys
from assistant.cli import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["assistant", *command]
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    print("exit", code or 0, command[0], file=sys.stderr)
"""
TOPIC = "quantization of large language models"
QUESTION = "How does sparse pre-training compare with dense?"
VISIT = f"""
import httpx, json, socket, subprocess, sys, time
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
ui = ["ui", "--library", "sample", "--no-browser", "--port", str(port)]
command = [sys.executable, "-c", sys.argv[1], json.dumps([ui])]
process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
try:
    with httpx.Client(base_url=f"http://127.0.0.1:{{port}}", timeout=60) as client:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                client.get("/health").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.2)
        assert "gradio" in client.get("/").text
        assert client.get("/docs").status_code == 200
        reply = client.post("/api/ask", json={{"question": "{QUESTION}"}})
        assert reply.raise_for_status().json()["citations"]
finally:
    process.terminate()
    process.wait(30)
"""
LOOPBACK = """
import fcntl, socket, struct
with socket.socket() as any_socket:  # a new namespace has a loopback that is down: IFF_UP
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1).ljust(40, b"\\0"))
"""


@pytest.fixture
def watched(tmp_path: Path, real_embedder: Embedder, model_cache: Path) -> dict[str, str]:
    """The environment of a process whose sockets are watched; the weights are there already."""
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    return {
        **os.environ,
        "PYTHONPATH": f"{guard}{os.pathsep}{ROOT}",
        "WATCHED": str(tmp_path / "watched.txt"),
        "ASSISTANT_CACHE": str(model_cache),
        "ASSISTANT_LIBRARY": str(tmp_path / "library"),
        "no_proxy": "*",
    }


def asked(environment: dict[str, str]) -> str:
    path = Path(environment["WATCHED"])
    return path.read_text(encoding="utf-8") if path.exists() else ""


def commands(tmp_path: Path) -> str:
    return json.dumps(
        [
            ["ingest", str(SAMPLE_PAPERS), "--quiet"],
            ["search", "pruning"],
            ["ask", QUESTION],
            ["review", TOPIC, "--papers", "4", "-o", str(tmp_path / "review.html")],
            ["papers", "export", "-o", str(tmp_path / "papers.csv")],
            ["doctor"],
        ]
    )


def ran(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=240
    )


def test_the_guard_sees_what_is_asked(watched: dict[str, str]) -> None:
    script = "import socket\ntry: socket.getaddrinfo('example.invalid', 80)\nexcept OSError: pass"
    ran([sys.executable, "-c", script], watched)
    assert "socket.getaddrinfo example.invalid" in asked(watched)


@pytest.mark.slow
def test_the_commands_ask_no_host(watched: dict[str, str], tmp_path: Path) -> None:
    done = ran([sys.executable, "-c", DRIVER, commands(tmp_path)], watched)
    exits = [line for line in done.stderr.splitlines() if line.startswith("exit ")]
    assert [line.split()[1] for line in exits] == ["0"] * 6, done.stderr[-2000:]
    assert asked(watched) == ""


@pytest.mark.slow
def test_the_page_asks_no_host(watched: dict[str, str]) -> None:
    done = ran([sys.executable, "-c", VISIT, DRIVER], watched)
    assert done.returncode == 0, done.stderr[-2000:]
    assert asked(watched) == ""


@pytest.mark.slow
def test_the_commands_need_no_network_at_all(watched: dict[str, str], tmp_path: Path) -> None:
    done = ran([*alone(), sys.executable, "-c", DRIVER, commands(tmp_path)], watched)
    exits = [line for line in done.stderr.splitlines() if line.startswith("exit ")]
    assert [line.split()[1] for line in exits] == ["0"] * 6, done.stderr[-2000:]
    assert "References" in (tmp_path / "review.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_needs_no_network_but_its_own_machine(watched: dict[str, str]) -> None:
    done = ran([*alone(), sys.executable, "-c", LOOPBACK + VISIT, DRIVER], watched)
    assert done.returncode == 0, done.stderr[-2000:]


def alone() -> list[str]:
    """What a command is begun with to run in a network namespace of its own."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], check=False).returncode:
        pytest.skip("this machine lets nobody make a network namespace")
    return [unshare, "-rn"]


def test_telemetry_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the libraries could send is switched off by the program, not by whoever starts it."""
    for name in ("GRADIO_ANALYTICS_ENABLED", "ANONYMIZED_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)
    code = (
        "import assistant.server.app as app, os\n"
        "from assistant.settings import Settings\n"
        "import tempfile, pathlib\n"
        "made = app.create_app(Settings.load(library=pathlib.Path(tempfile.mkdtemp())))\n"
        "import gradio, gradio.analytics, huggingface_hub.constants as hub\n"
        "print(gradio.analytics.analytics_enabled(), hub.HF_HUB_DISABLE_TELEMETRY)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = ran([sys.executable, "-W", "ignore", "-c", code], environment)
    assert done.stdout.split() == ["False", "True"], done.stderr[-2000:]
