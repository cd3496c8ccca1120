"""Which licences may be installed: the command that CI runs, tried on licences of all kinds."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    path = ROOT / ".ci" / "licences.py"
    spec = importlib.util.spec_from_file_location("licences", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "strong"),
    [
        ("MIT", False),
        ("MPL-2.0 AND MIT", False),
        ("LGPL-3.0-or-later", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GNU Library or Lesser General Public License (LGPL)", False),
        ("Apache-2.0 OR GPL-3.0-only", False),
        ("GPL-3.0-only", True),
        ("GNU General Public License v2 (GPLv2)", True),
        ("AGPL-3.0", True),
        ("GNU Affero General Public License v3", True),
        ("MIT AND GPL-2.0-only", True),
        ("SSPL-1.0", True),
        ("Other/Proprietary License", True),
        ("CC-BY-NC-4.0", True),
    ],
)
def test_no_stronger_than_the_lgpl(licences: ModuleType, text: str, strong: bool) -> None:
    assert licences.strong(text) is strong


def test_everything_installed_is_free_enough(
    licences: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert licences.main() == 0, capsys.readouterr().err
    listed = capsys.readouterr().out
    assert "chromadb" in listed
    assert "abstract-assistant" not in listed


def test_what_is_imported_is_declared() -> None:
    imported: set[str] = set()
    for file in (ROOT / "assistant").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    outside = imported - sys.stdlib_module_names - {"assistant", "_typeshed", "llama_index"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["local"]]
    declared = {_plain(re.split(r"[<>=]", line)[0]) for line in lines}
    found = packages_distributions()
    missing = {
        name for name in outside
        if not declared & {_plain(of) for of in (*found.get(name, ()), name)}
    }  # fmt: skip
    assert missing == set()


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
