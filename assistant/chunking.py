"""Chunks: the pieces of an abstract that are embedded, each with the title before it.

A chunk is a run of whole sentences of at most ``max_tokens`` tokens (title not counted), as
measured: chunks without the title lose 7-8 points of nDCG@10, chunks of 64, 96 and 128 tokens
and single sentences lie within 0.4 of each other, and 96 needs the fewest rows of those that
fit the model's 256 tokens together with any title. A sentence that is longer than a chunk is
cut between words, or where there are none (Chinese, Japanese) between characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assistant.paper import Paper
from assistant.text import Span

__all__ = ["Chunk", "chunk_paper"]

TITLE_TOKENS = 64
"""Of a longer title only the first words stand before each chunk: the text must have room."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of one abstract: ``text`` is embedded, ``span`` is its place in the abstract."""

    text: str
    span: Span


def chunk_paper(
    paper: Paper,
    spans: Sequence[Span],
    count_tokens: Callable[[str], int],
    max_tokens: int,
) -> list[Chunk]:
    """The chunks of ``paper``; at least one, also for a paper with only a title.

    Args:
        paper: whose abstract is cut.
        spans: the abstract's sentences, as `assistant.text.sentences` gives them.
        count_tokens: tokens of a text as the embedding model counts them.
        max_tokens: of one chunk, without the title.
    """
    title = _shortened(paper.title, count_tokens)
    packed = _pack(paper.abstract, spans, count_tokens, max_tokens)
    chunks = [
        Chunk(_titled(title, paper.abstract[start:end]), Span(start, end)) for start, end in packed
    ]
    return chunks or [Chunk(title, Span(0, 0))]


def _titled(title: str, body: str) -> str:
    if not title:
        return body
    return f"{title} {body}" if title[-1] in ".?!" else f"{title}. {body}"


def _shortened(title: str, count_tokens: Callable[[str], int]) -> str:
    kept = title.split()[:TITLE_TOKENS]
    while len(kept) > 1 and count_tokens(" ".join(kept)) > TITLE_TOKENS:
        kept = kept[: max(1, len(kept) * 3 // 4)]
    return " ".join(kept)[: TITLE_TOKENS * 12]


def _pack(
    text: str, spans: Sequence[Span], count_tokens: Callable[[str], int], max_tokens: int
) -> Iterator[Span]:
    """Runs of sentences, as long as ``max_tokens`` allows."""
    start = end = used = 0
    for span in spans:
        for piece, size in _cut(text, span, count_tokens, max_tokens):
            if used and used + size > max_tokens:
                yield Span(start, end)
                used = 0
            if not used:
                start = piece.start
            used, end = used + size, piece.end
    if used:
        yield Span(start, end)


def _cut(
    text: str, span: Span, count_tokens: Callable[[str], int], max_tokens: int
) -> Iterator[tuple[Span, int]]:
    """``span`` itself, or halves of it until each fits: between words where there are any.

    Each with its number of tokens.
    """
    body = text[span.start : span.end]
    size = count_tokens(body)
    if len(body) < 2 or size <= max_tokens:
        yield span, size
        return
    half = len(body) // 2
    space = body.find(" ", half)
    if space < 0:
        space = body.rfind(" ")
    end, start = (space, space + 1) if space > 0 else (half, half)
    yield from _cut(text, Span(span.start, span.start + end), count_tokens, max_tokens)
    yield from _cut(text, Span(span.start + start, span.end), count_tokens, max_tokens)
