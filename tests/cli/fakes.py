"""Stand-ins for the command line's tests: a quick embedding model and made-up answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from assistant.embedding import Vectors
from assistant.results import Answer, Citation, Passage, Sentence


class FakeEmbedder:
    """A bag of hashed words: texts with common words are near. Counts what it embeds."""

    dimension = 64

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.embedded = 0
        self.interrupt_after: int | None = None

    @property
    def fingerprint(self) -> str:
        return f"{self.name}:{self.dimension}"

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        if self.interrupt_after is not None and self.embedded >= self.interrupt_after:
            raise KeyboardInterrupt
        self.embedded += len(texts)
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        vector = np.full(self.dimension, 0.01, dtype=np.float32)
        for word in text.lower().split():
            vector[hashlib.sha256(word.strip(".,?!").encode()).digest()[0] % self.dimension] += 1
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def made_answer(**changes: object) -> Answer:
    """A whole answer with one supported, one partial and one unsupported sentence."""
    values: dict[str, object] = {
        "question": "Which pruning works?",
        "standalone_question": "Which pruning works?",
        "answer": "Magnitude pruning works [1]. It halves memory [2]. It is free.",
        "answered": True,
        "status": "answered",
        "confidence": 0.9,
        "citations": [
            Citation(
                number=1,
                paper_id="title:1",
                title="Pruning [bold]by[/bold] Magnitude",
                url="https://example.org/1",
                quote="We prune by magnitude.",
                support="supported",
                support_score=0.9,
            ),
            Citation(
                number=2,
                paper_id="title:2",
                title="Half the Memory",
                quote="Memory falls.",
                support="partial",
                support_score=0.4,
            ),
        ],
        "sentences": [
            Sentence(text="Magnitude pruning works [1].", citations=[1], support="supported"),
            Sentence(text="It halves memory [2].", citations=[2], support="partial"),
            Sentence(text="It is free.", support="unsupported"),
        ],
        "passages": [
            Passage(paper_id="title:9", title="A Near Paper", text="…", score=0.3, url=None)
        ],
        "notes": ["This is extraction."],
    }
    return Answer.model_validate(values | changes)
