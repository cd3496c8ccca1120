"""The console script with the fake embedding model, for tests that need a process of their own.

python with_fake.py [--slow] ARGUMENTS…
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fakes import FakeEmbedder

import assistant.embedding
from assistant.cli import main


class SlowEmbedder(FakeEmbedder):
    """Takes a second a batch, so that a test has time to interrupt it."""

    def embed(self, texts: Sequence[str], progress=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        time.sleep(1.0)
        return super().embed(texts)


def _open(*_: object, **__: object) -> FakeEmbedder:
    return SlowEmbedder() if slow else FakeEmbedder()


if __name__ == "__main__":
    slow = "--slow" in sys.argv
    assistant.embedding.open_embedder = _open
    sys.exit(main([argument for argument in sys.argv[1:] if argument != "--slow"]))
