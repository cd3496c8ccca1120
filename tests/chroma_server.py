"""A real Chroma server on loopback, for the tests: ``chroma run`` in a process of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """The server's address, once it answers."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("chroma")), "run"]
    options = ["--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/api/v2/heartbeat", timeout=1)
                break
            assert process.poll() is None, "the server ended"
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)
