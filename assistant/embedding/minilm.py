"""all-MiniLM-L6-v2 (22.7 million parameters, 384 dimensions, 256 tokens) on ONNX Runtime.

The model is built from the published weights (`assistant.embedding.graph`) at the first use on a
machine and kept in the cache folder. Two things are chosen so that a vector depends on nothing
but its text:

* one text a call, without padding, on as many single-threaded workers as there are cores:
  dynamic quantisation takes one scale for everything in a call, so batch-mates would change a
  vector (and this way is the fastest, too);
* int8 weights of 7 bits (``reduce_range``): with all 8, processors without VNNI saturate and
  give other vectors.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from tokenizers import Tokenizer

from assistant.embedding import weights
from assistant.embedding.base import TextStates, Vectors
from assistant.embedding.parallel import in_parallel
from assistant.errors import WeightsError
from assistant.files import write_atomically

if TYPE_CHECKING:
    from tokenizers import Encoding

    from assistant.settings import Settings

MODEL = "all-MiniLM-L6-v2"
DIMENSION = 384
MAX_TOKENS = 256
"""Tokens that the model was trained to take in, [CLS] and [SEP] included; the rest is cut off."""

GRAPH_VERSION = 1
"""Raise it when the graph or its quantisation changes: the vectors are then other ones."""
FILE_VERSION = 2
"""Raise it when the prepared file changes: it is then made anew, of the weights that are here."""
LOWER_LAYERS = 3
"""Of the six: what they make of a text is its *lower states*."""

_CLS, _SEP = 101, 102
_LONG = 20_000  # characters; only the start of longer texts is tokenised, if that is enough
_PATIENCE = 30.0  # seconds for the texts under way when interrupted; they take milliseconds
_LOCK_SECONDS = 900.0  # a second process waits so long while the first fetches

Precision = Literal["int8", "fp32"]


_FIRST_WORD = 1996
"""Place of the first whole word ("the") in the vocabulary; single characters stand before."""


class MiniLM:
    """The embedded model, ready to embed. Get one from `MiniLM.open`.

    Args:
        model: the prepared ONNX model's bytes.
        tokenizer: content of ``tokenizer.json``.
        precision: what ``model`` was prepared for.
        threads: workers; all cores that this process may use when None.
    """

    def __init__(
        self, model: bytes, tokenizer: str, precision: Precision, threads: int | None = None
    ) -> None:
        self._session = open_session(model)
        self._tokenizer: Tokenizer = Tokenizer.from_str(tokenizer)
        # the published file pads to 128; we cut ourselves, so that counting needs no second one
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._precision = precision
        self._threads = threads or _cores()

    @classmethod
    def open(cls, settings: Settings, *, notify: Callable[[str], None] | None = None) -> MiniLM:
        """Open the prepared model, after fetching and preparing it if this is the first use.

        Args:
            settings: of ``embedding``: precision, weights and threads are used.
            notify: called with a short note before something that takes long.

        Raises:
            WeightsError: the weights are missing, damaged or not to be had.
        """
        chosen = settings.embedding
        if chosen.weights is not None:
            weights.check_configured(chosen.weights)
        folder = model_folder(settings)
        files = _load(folder, chosen.precision)
        if files is None:
            files = _prepare(folder, chosen.precision, chosen.weights, notify or _silent)
        return cls(*files, precision=chosen.precision, threads=chosen.threads)

    @property
    def dimension(self) -> int:
        """384."""
        return DIMENSION

    @property
    def name(self) -> str:
        """Model and precision."""
        return f"{MODEL}/{self._precision}"

    @property
    def fingerprint(self) -> str:
        """Model, precision, version of the graph, start of the weights' SHA-256, dimension."""
        digest = weights.SHA256[weights.SAFETENSORS][:16]
        return f"{self.name}:g{GRAPH_VERSION}:{digest}:{DIMENSION}"

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of ``texts``: shape (len(texts), 384), rows of length 1, order kept.

        Texts are tokenised one by one as workers get to them, so memory beside the result does
        not grow with their number. An interrupt stops within one text's time.

        Args:
            texts: any strings; beyond 256 tokens they are cut off.
            progress: called about ten times a second with the number of texts just done.
        """
        vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)

        def embed_one(row: int) -> int:
            vectors[row] = self.embed_query(texts[row])
            return 1

        in_parallel(embed_one, len(texts), self._threads, progress, patience=_PATIENCE)
        return vectors

    def embed_query(self, text: str) -> Vectors:
        """Vector of one text: shape (384,), length 1."""
        ids = _with_ends(self._encode_start(text).ids)
        row: Vectors = self._run(["vector"], ids)[0][0]
        return row

    def read(self, text: str) -> TextStates:
        """What it makes of each token of ``text``, cut off at 256 tokens, in one pass."""
        encoding = self._encode_start(text)
        last, lower = self._run(["states", "lower"], _with_ends(encoding.ids))
        most = MAX_TOKENS - 2
        return TextStates(last[0], lower[0], encoding.offsets[:most], encoding.ids[:most])

    def count_tokens(self, text: str) -> int:
        """Number of WordPiece tokens of ``text``, without [CLS] and [SEP], nothing cut off."""
        return len(self._encode(text).ids)

    def word_rarity(self, word: str) -> float:
        """How rare ``word`` is in English, in [0, 1].

        WordPiece's vocabulary is ordered by frequency: the logarithm of a word's place in it is
        a free measure. What is not a whole word there is rare; digits lie in the middle.
        """
        place = self._tokenizer.token_to_id(word.lower())
        if place is None:
            return 1.0
        if place < _FIRST_WORD:
            return 0.5 if word.isdigit() else 0.1
        return float(np.clip(np.log((place - _FIRST_WORD + 96) / 100) / np.log(286), 0, 1))

    def _encode_start(self, text: str) -> Encoding:
        """Tokens of ``text``, surely all that the model takes in; quick for whole books, too."""
        if len(text) > _LONG:
            encoding = self._encode(text[:_LONG])
            # a word of more than 100 letters is one token, so at most 100 tokens can be other
            # ones because a word was cut
            if len(encoding.ids) >= MAX_TOKENS + 100:
                return encoding
        return self._encode(text)

    def _encode(self, text: str) -> Encoding:
        try:
            return self._tokenizer.encode(text, add_special_tokens=False)
        except TypeError:  # half of a surrogate pair, as broken JSON escapes give
            clean = text.encode("utf-8", "replace").decode("utf-8")
            return self._tokenizer.encode(clean, add_special_tokens=False)

    def _run(self, outputs: list[str], ids: NDArray[np.int64]) -> list[Vectors]:
        found: list[Vectors] = self._session.run(outputs, {"ids": ids})
        return found


# -- the prepared model in the cache -------------------------------------------------------------


def model_folder(settings: Settings) -> Path:
    """Folder of the cache in which the embedded model's files are kept."""
    return settings.cache.expanduser() / "models" / MODEL


def _load(folder: Path, precision: Precision) -> tuple[bytes, str] | None:
    """The prepared model and its tokenizer, or None if one is missing, damaged or unreadable.

    Hashing the 23 MB takes some 15 ms, a small price for never running a damaged model.
    """
    path = model_path(folder, precision)
    try:
        recorded = _record_path(path).read_text(encoding="ascii").split()[0]
        model = path.read_bytes()
        tokenizer = (folder / weights.TOKENIZER).read_bytes()
    except (OSError, ValueError, IndexError):
        return None
    if hashlib.sha256(model).hexdigest() != recorded:
        return None
    if hashlib.sha256(tokenizer).hexdigest() != weights.SHA256[weights.TOKENIZER]:
        return None
    return model, tokenizer.decode("utf-8")


def _prepare(
    folder: Path, precision: Precision, configured: Path | None, notify: Callable[[str], None]
) -> tuple[bytes, str]:
    """Fetch what is missing, build the model, keep it; one process at a time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=_LOCK_SECONDS):
            files = _load(folder, precision)  # another process may have been faster
            if files is not None:
                return files
            weights.remove_leftovers(folder)
            weights.provide(folder, configured, notify)
            notify("Preparing the embedding model (seconds, once) ...")
            from assistant.embedding import graph  # noqa: PLC0415  (onnx: slow, rarely needed)

            path = model_path(folder, precision)
            model = graph.build(folder / weights.SAFETENSORS, precision)
            digest = weights.write_verified(path, [model])
            # the form that `sha256sum --check` reads
            record = f"{digest}  {path.name}\n"
            write_atomically(_record_path(path), record)
            for old in set(folder.glob(f"{precision}-g*.onnx*")) - {path, _record_path(path)}:
                old.unlink(missing_ok=True)
            files = _load(folder, precision)
    except Timeout:
        raise WeightsError(
            f"Another process has been preparing the embedding model in {folder} for too long.",
            "Wait for it or end it, then try again.",
        ) from None
    except OSError as error:
        raise WeightsError(
            f"The embedding model cannot be kept in {folder}: {error.strerror or error}.",
            "Make room or grant access there, or set ASSISTANT_CACHE to another folder.",
        ) from error
    if files is None:
        raise WeightsError(
            f"The embedding model in {folder} changed while it was written.",
            "Check the disk, remove the folder and try again.",
        )
    return files


def model_path(folder: Path, precision: Precision) -> Path:
    """The prepared model in ``folder``."""
    return folder / f"{precision}-g{FILE_VERSION}.onnx"


def _record_path(model: Path) -> Path:
    return model.with_name(f"{model.name}.sha256")


def open_session(model: bytes) -> onnxruntime.InferenceSession:
    """``model``, ready to run on one thread.

    Raises:
        WeightsError: this ONNX Runtime cannot open it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the texts are what runs in parallel
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; they come as exceptions anyway
    # more makes int8 slower (it fuses Add + LayerNormalization) and opening twice as long
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions have no common base
        raise WeightsError(
            f"ONNX Runtime {onnxruntime.__version__} cannot open the embedding model: {error}.",
            "Upgrade onnxruntime, or say in an issue which version and processor this is.",
        ) from error


# -- small things --------------------------------------------------------------------------------


def _with_ends(ids: list[int]) -> NDArray[np.int64]:
    """[CLS], what fits of ``ids``, [SEP]: shape (1, tokens)."""
    return np.array([[_CLS, *ids[: MAX_TOKENS - 2], _SEP]], dtype=np.int64)


def _cores() -> int:
    """Processors that this process may use (containers and taskset give it fewer)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _silent(_: object) -> None:
    pass
