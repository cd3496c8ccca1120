"""The wheel: what is no Python goes along, and the program finds it where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from assistant.prompting import PROMPTS

ROOT = Path(__file__).parent.parent
LOOK = """
from pathlib import Path
import assistant
from assistant.prompting import PROMPTS, Prompts
from assistant.sample import SAMPLE_PAPERS
prompts = Prompts()
print(Path(assistant.__file__).parent, prompts.folder, len(PROMPTS), SAMPLE_PAPERS.is_file())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (made,) = folder.glob("*.whl")
    return made


def _pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_prompts_sample_and_types_are_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {f"assistant/prompts/{path.name}" for path in (ROOT / "prompts").glob("*.md")}
    assert wanted >= {f"assistant/prompts/{name}.md" for name in PROMPTS}
    missing = (wanted | {"assistant/sample/papers.jsonl", "assistant/py.typed"}) - names
    assert not missing
    others = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "assistant").rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    }
    assert others <= names
    assert not [name for name in names if name.startswith(("tests/", "eval/", "prompts/"))]


@pytest.mark.slow
def test_nothing_is_in_it_that_git_does_not_know(wheel: Path) -> None:
    """No cache, no key, no library, no editor's file: what is kept under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "assistant", "prompts"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no checkout")
    known = {
        f"assistant/{name}" if name.startswith("prompts/") else name
        for name in listed.stdout.splitlines()
    }
    with zipfile.ZipFile(wheel) as archive:
        size = sum(member.file_size for member in archive.infolist())
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        rest = {name.partition(".dist-info/")[2] for name in archive.namelist()} - {""}
    assert held == known
    assert rest == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    assert size < 40_000_000


@pytest.mark.slow
def test_every_prompt_is_read_from_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    _pip("install", "--quiet", "--no-deps", "--no-index", "--target", str(place), str(wheel))
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env={**os.environ, "PYTHONPATH": str(place)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    package = place / "assistant"
    assert done.stdout.split() == [
        str(package),
        str(package / "prompts"),
        str(len(PROMPTS)),
        "True",
    ]
