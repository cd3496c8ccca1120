"""The sample library: made of the papers that come with the program, in the folder of the cache.

It is made at the first use, and again when those papers or the embedding settings change. It
belongs to the program: front ends answer from it and never write to it.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from assistant.assistant import Assistant
from assistant.errors import LibraryError, LibraryMismatch
from assistant.library import CUTTING
from assistant.paper import normalised_title
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import Settings

__all__ = ["make_sample", "sample_folder", "sample_is_made"]

_STAMP = "sample.sha256"


def sample_folder(settings: Settings) -> Path:
    """Where the sample library lies."""
    return settings.cache.expanduser() / "sample-library"


def sample_is_made(assistant: Assistant) -> bool:
    """Whether the sample library is there, of these papers and settings."""
    try:
        stamp = (assistant.library.path / _STAMP).read_text(encoding="ascii")
    except (OSError, ValueError):
        return False
    return stamp == _version(assistant.settings)


def make_sample(assistant: Assistant) -> None:
    """Makes the sample library, or brings it up to date.

    Args:
        assistant: over the library in `sample_folder`.

    Raises:
        LibraryError: it cannot be written.
    """
    path = assistant.library.path
    try:
        _fill(assistant)
        (path / _STAMP).write_text(_version(assistant.settings), encoding="ascii")
    except OSError as error:
        raise LibraryError(
            f"The sample library at {path} cannot be written: {error.strerror or error}.",
            "Make room or grant access there, or set ASSISTANT_CACHE to another folder.",
        ) from None


def _fill(assistant: Assistant) -> None:
    """Makes the library hold the sample's papers, all of them and no other."""
    library = assistant.library
    if len(library):
        try:
            library.ready()
        except LibraryMismatch:
            library.reindex()
    assistant.ingest(SAMPLE_PAPERS)
    lines = SAMPLE_PAPERS.read_text(encoding="utf-8").splitlines()
    wanted = {normalised_title(json.loads(line)["title"]) for line in lines if line.strip()}
    gone = [paper.id for paper in library.papers() if paper.title_key not in wanted]
    if gone:
        library.remove(gone)


def _version(settings: Settings) -> str:
    """Changes when the sample has to be made again."""
    embedding = settings.embedding.model_dump(include={"provider", "precision", "model"})
    chunking, program = settings.chunking.model_dump(), version("abstract-assistant")
    rest = json.dumps([embedding, chunking, program, CUTTING], sort_keys=True)
    return hashlib.sha256(SAMPLE_PAPERS.read_bytes() + rest.encode()).hexdigest()
