"""A language model out of a file: ``--llm path/to/model.gguf``, served on loopback.

The server is llama.cpp's own, inside the package xllamacpp (the extra ``local``). It listens on
127.0.0.1 only, at a port of the system's choice, and wants a key that nobody else knows.
"""

from __future__ import annotations

import os
import secrets
import struct
import threading
from pathlib import Path
from typing import Any

from assistant.errors import ConfigurationError

__all__ = ["LocalModel", "is_file", "parameters_in"]

_SUFFIX = ".gguf"
_MAGIC = b"GGUF"
_CONTEXT = 8192
"""Tokens of the context window: a prompt of papers and an answer; more takes memory."""


def is_file(model: str) -> bool:
    """Whether a model's name is that of a file to be run here."""
    return model.casefold().endswith(_SUFFIX)


class LocalModel:
    """A GGUF file and the server that runs it; `start` loads it, `close` ends it.

    Raises:
        ConfigurationError: there is no such file, it is no GGUF file, or xllamacpp is missing.
    """

    def __init__(self, path: Path, *, context: int | None = None) -> None:
        self.path = path.expanduser()
        self.context = context or _CONTEXT
        self.key = secrets.token_urlsafe(16)
        self._server: Any = None
        self._url = ""
        self._lock = threading.Lock()
        _checked(self.path)

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def running(self) -> bool:
        """Whether it has been loaded."""
        return bool(self._url)

    def start(self) -> str:
        """Loads the model if that has not been done; the base address of its server.

        Raises:
            ConfigurationError: xllamacpp is not installed, or cannot load the file.
        """
        with self._lock:
            if not self._url:
                self._url = f"{self._started()}/v1"
            return self._url

    def close(self) -> None:
        """Ends the server and frees the model."""
        with self._lock:
            self._server, self._url = None, ""

    def _started(self) -> str:
        try:
            import xllamacpp  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: PLC0415
        except ImportError:
            raise ConfigurationError(
                f"Running {self.path.name} here needs the package xllamacpp, which is missing.",
                "Install it: pip install 'abstract-assistant[local]'.",
            ) from None
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(self.path)
        parameters.n_ctx = self.context
        parameters.n_parallel = 1
        parameters.cpuparams.n_threads = _cores()
        parameters.api_keys = [self.key]
        parameters.ui = False
        parameters.endpoint_slots = False
        parameters.verbosity = 0
        try:
            self._server = xllamacpp.Server(parameters)
            return str(self._server.listening_address)
        except (RuntimeError, ValueError, OSError) as error:
            why = str(error).strip() or "no reason given"
            raise ConfigurationError(
                f"The model {self.path} cannot be loaded: {why}.",
                "Check that the file is whole, and that there is memory for it.",
            ) from None


def parameters_in(path: Path) -> float:
    """About how many parameters a file holds, by its size: four bits and a half for each."""
    return path.stat().st_size * 8 / 4.5


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _checked(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic, version = file.read(4), file.read(4)
    except OSError as error:
        raise ConfigurationError(
            f"The model {path} cannot be read: {error.strerror or error}.",
            "Give the path of a GGUF file with --llm or ASSISTANT_LLM.",
        ) from None
    if magic != _MAGIC or len(version) < struct.calcsize("<I"):
        raise ConfigurationError(
            f"The file {path} is no GGUF file.", "Download it again, or name another one."
        )
