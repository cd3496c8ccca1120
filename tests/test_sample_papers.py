"""The sample library's digests: ours, of real papers, in our own words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assistant.paper import Paper, normalised_title
from assistant.results import Rejection

RUN = 8


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[n : n + RUN]) for n in range(len(words) - RUN + 1)}


def test_there_are_enough_and_they_are_marked(sample_papers: list[Paper]) -> None:
    assert len(sample_papers) >= 100
    assert len({paper.id for paper in sample_papers}) == len(sample_papers)
    for paper in sample_papers:
        assert paper.kind == "digest"
        assert 60 <= len(paper.abstract.split()) <= 120, paper.title
        assert paper.abstract.endswith(".")


@pytest.mark.corpus
def test_no_digest_copies_its_original(
    sample_papers: list[Paper], seed_records: list[Paper | Rejection], corpus_data: Path
) -> None:
    originals = {r.title_key: r for r in seed_records if isinstance(r, Paper)}
    pages = set()
    for digest in sample_papers:
        original = originals[normalised_title(digest.title)]
        raw = original.original.get("title", original.title)
        assert digest.title in (original.title, raw), digest.title
        raw_abstract = original.original.get("abstract", "")
        assert not runs(digest.abstract) & runs(original.abstract), digest.title
        assert not runs(digest.abstract) & runs(raw_abstract), digest.title
        pages.add(Path(original.source or "").name)
    assert len(pages) == len(list((corpus_data / "seeds").iterdir()))
