"""Chunks: whole sentences, the title before each, nothing lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.chunking import TITLE_TOKENS, Chunk, chunk_paper
from assistant.embedding import Embedder
from assistant.paper import Paper
from assistant.text import sentences


def count(text: str) -> int:
    return len(text.split())


def chunks_of(paper: Paper, tokens: int = 16) -> list[Chunk]:
    return chunk_paper(paper, sentences(paper.abstract), count, tokens)


def test_whole_sentences_with_the_title_before_each_chunk() -> None:
    paper = Paper(title="A Title", abstract="One two three. Four five six. Seven eight nine ten.")
    assert [c.text for c in chunks_of(paper, 7)] == [
        "A Title. One two three. Four five six.",
        "A Title. Seven eight nine ten.",
    ]
    question = Paper(title="Why?", abstract="Because.")
    assert [c.text for c in chunks_of(question)] == ["Why? Because."]


def test_a_paper_without_abstract_is_one_chunk_of_its_title() -> None:
    assert [c.text for c in chunks_of(Paper(title="Only a title"))] == ["Only a title"]


def test_a_paper_without_title_is_its_text_alone() -> None:
    assert [c.text for c in chunks_of(Paper(abstract="Only this."))] == ["Only this."]


def test_a_long_title_leaves_room_for_the_text() -> None:
    paper = Paper(title="word " * 500, abstract="The text.")
    assert count(chunks_of(paper)[0].text) <= TITLE_TOKENS + 2


@given(
    st.lists(st.text(alphabet="abc ,", min_size=1, max_size=300), min_size=1, max_size=8),
    st.integers(2, 30),
)
def test_chunks_hold_every_word_once_and_fit(parts: list[str], tokens: int) -> None:
    paper = Paper(title="T", abstract=". ".join(part.capitalize() for part in parts))
    chunks = chunks_of(paper, tokens)
    bodies = [paper.abstract[c.span.start : c.span.end] for c in chunks]
    assert " ".join(bodies).split() == paper.abstract.split() or not paper.abstract
    assert all(count(body) <= tokens for body in bodies)


def test_a_text_without_spaces_is_cut_between_characters() -> None:
    paper = Paper(title="T", abstract="深" * 1000)
    chunks = chunk_paper(paper, sentences(paper.abstract), len, 96)
    assert "".join(paper.abstract[c.span.start : c.span.end] for c in chunks) == paper.abstract
    assert all(c.span.end - c.span.start <= 96 for c in chunks)


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=2000))
def test_any_text_gives_at_least_one_chunk(text: str) -> None:
    assert chunks_of(Paper(title="T", abstract=text))


def test_chunks_of_the_sample_fit_into_the_model(
    sample_papers: list[Paper], real_embedder: Embedder
) -> None:
    for paper in sample_papers:
        spans = sentences(paper.abstract)
        for chunk in chunk_paper(paper, spans, real_embedder.count_tokens, 96):
            assert real_embedder.count_tokens(chunk.text) <= 254
