"""The README's first command, as it stands, in a fresh clone under a home of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shell_blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run(command: str, folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ASSISTANT_", "OPENAI_", "VIRTUAL_ENV", "XDG_", "PYTHON"))
    }
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**kept, "HOME": str(home), "PIP_CACHE_DIR": _pip_cache()},
        capture_output=True,
        text=True,
        timeout=900,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _pip_cache() -> str:
    found = subprocess.run(
        ["python3", "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or str(Path.home() / ".cache" / "pip")


@pytest.mark.slow
def test_the_first_command_ends_with_an_answer_twice(tmp_path: Path) -> None:
    clone, home = tmp_path / "clone", tmp_path / "elsewhere"
    home.mkdir()
    if (ROOT / ".git").exists():
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    else:  # an unpacked source archive
        shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(".venv"))
    command = shell_blocks()[0]
    for _ in range(2):
        done = run(command, clone, home)
        assert done.returncode == 0, done.stderr[-3000:]
        assert re.search(r"\[1\]", done.stdout)
        assert "assistant ingest" in done.stdout
        titles = (clone / "assistant" / "sample" / "papers.jsonl").read_text(encoding="utf-8")
        cited = re.findall(r"^\s*\[\d+\] (.+?)\s*$", done.stdout, re.MULTILINE)
        assert cited
        assert all(title[:40] in titles for title in cited)
    packages = clone / ".venv"
    assert not list(packages.glob("lib/python*/site-packages/torch"))


def test_the_second_command_is_the_one_that_tests() -> None:
    assert shell_blocks()[1].rstrip().endswith("-m pytest")
