"""The embedded model for tests that ask about something else: what it has computed stays known.

A text's vector depends on the text alone, so that a vector which is looked up is the one that
would be computed, bit for bit. Tests of the model itself, and those for which it matters how long
it takes, use `real_embedder`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from assistant.embedding import Embedder, TextStates, Vectors, WordEmbedder
from eval.embedders import RememberingEmbedder, Wrapped

_QUESTIONS, _READINGS = 2048, 64


class RememberingQuestions(Wrapped):
    """Questions, and what was read last, stay known in this process; papers are computed."""

    def __init__(self, embedder: Embedder) -> None:
        assert isinstance(embedder, WordEmbedder)
        super().__init__(embedder)

        @lru_cache(_QUESTIONS)
        def question(text: str) -> Vectors:
            return _fixed(embedder.embed_query(text))

        @lru_cache(_READINGS)
        def read(text: str) -> TextStates:
            states = embedder.read(text)
            return replace(states, last=_fixed(states.last), lower=_fixed(states.lower))

        self._question, self.read = question, read

    def embed_query(self, text: str) -> Vectors:
        return self._question(text)


class Remembering(RememberingEmbedder):
    """Papers are looked up, too: in ``folder``, which all workers share."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        super().__init__(RememberingQuestions(embedder), folder)
        self._db.execute("pragma synchronous = off")  # it need not outlive the machine

    def close(self) -> None:
        self._db.close()


def _fixed(array: Vectors) -> Vectors:
    """``array``, which nobody may change from now on: others get it, too."""
    array.setflags(write=False)
    return array
