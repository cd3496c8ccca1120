"""The search index: what a question is compared with, derived from the library's collection.

An index is a folder of plain arrays, mapped from disk and never changed after it is made:

    meta.json          recipe, generation, counts
    papers.jsonl       one paper a line, in index order; paper_offsets.npy: where each begins
    vectors.npy        (chunks, dimension) float32, unit rows; chunk_starts.npy: (papers + 1,);
                           mean_norms.npy: (papers,) length of the mean of a paper's chunks
    sentences.npy      (sentences, 2) character spans; sentence_starts.npy: (papers + 1,)
    sentence_vectors.npy   (sentences, dimension) int8, unit rows times 127
    bm25/              bm25s arrays and vocabulary

A reader maps one and keeps it as long as it likes; a writer makes the next beside it. Nothing
is pickled. Whatever is lost here is made again from the collection.
"""

from __future__ import annotations

import logging
import mmap
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from assistant.paper import Paper
from assistant.text import Span, terms

__all__ = ["IndexMeta", "IndexRow", "SearchIndex", "build_index"]

FORMAT = 1
_PADDING_TERM = "\x00"  # bm25s cannot index a corpus without any term

Floats = NDArray[np.float32]


class IndexMeta(BaseModel):
    """What an index was made from. Two indexes with the same meta answer alike."""

    format: int = FORMAT
    generation: int
    fingerprint: str
    bm25_k1: float
    bm25_b: float
    title_repeats: int
    papers: int = 0
    chunks: int = 0
    sentences: int = 0
    dimension: int = 0

    @property
    def recipe(self) -> tuple[object, ...]:
        """What must agree with the settings for the index to be of use."""
        return (self.format, self.fingerprint, self.bm25_k1, self.bm25_b, self.title_repeats)


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One paper with its vectors.

    ``vectors``: (chunks, dimension) float32, unit rows. ``sentence_vectors``: (sentences,
    dimension) int8, unit rows times 127.
    """

    paper: Paper
    vectors: Floats
    spans: list[Span]
    sentence_vectors: NDArray[np.int8]


class _Appender:
    """Writes the rows of a two-dimensional ``.npy`` file whose length is not known yet."""

    def __init__(self, path: Path, dtype: str) -> None:
        self._raw = path.with_suffix(".raw")
        self._path, self._dtype = path, np.dtype(dtype)
        self._file: IO[bytes] = self._raw.open("wb")
        self.rows, self._columns = 0, 0

    def append(self, block: NDArray[Any]) -> None:
        if len(block):
            self._columns = block.shape[1]
            self._file.write(np.ascontiguousarray(block, dtype=self._dtype).tobytes())
            self.rows += len(block)

    def finish(self) -> None:
        """Moves the rows into the ``.npy`` file, a piece at a time."""
        self._file.close()
        shape = (self.rows, self._columns)
        with self._path.open("wb") as out, self._raw.open("rb") as rows:
            np.lib.format.write_array_header_1_0(
                out,
                {
                    "descr": np.lib.format.dtype_to_descr(self._dtype),
                    "fortran_order": False,
                    "shape": shape,
                },
            )
            shutil.copyfileobj(rows, out, 1 << 22)
        self._raw.unlink()


def build_index(folder: Path, rows: Iterable[IndexRow], meta: IndexMeta) -> IndexMeta:
    """Writes ``rows`` as an index into ``folder`` (made anew) and returns the filled-in meta.

    Memory holds one row at a time, and the term ids of all papers.
    """
    bm25s = _bm25s()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    vectors = _Appender(folder / "vectors.npy", "<f4")
    sentence_vectors = _Appender(folder / "sentence_vectors.npy", "|i1")
    spans = _Appender(folder / "sentences.npy", "<u4")
    chunk_starts, sentence_starts, paper_offsets = [0], [0], [0]
    mean_norms: list[float] = []
    vocabulary: dict[str, int] = {_PADDING_TERM: 0}
    term_ids: list[list[int]] = []
    with (folder / "papers.jsonl").open("wb") as papers:
        for row in rows:
            line = row.paper.model_dump_json(exclude={"id"}, exclude_defaults=True).encode()
            papers.write(line + b"\n")
            paper_offsets.append(paper_offsets[-1] + len(line) + 1)
            vectors.append(row.vectors)
            mean_norms.append(float(np.linalg.norm(row.vectors.mean(axis=0))))
            sentence_vectors.append(row.sentence_vectors)
            spans.append(np.array(row.spans, dtype=np.uint32).reshape(-1, 2))
            chunk_starts.append(vectors.rows)
            sentence_starts.append(spans.rows)
            bag = terms(row.paper.title) * meta.title_repeats + terms(row.paper.abstract)
            term_ids.append([vocabulary.setdefault(t, len(vocabulary)) for t in bag] or [0])
    for appender in (vectors, sentence_vectors, spans):
        appender.finish()
    np.save(folder / "chunk_starts.npy", np.array(chunk_starts, dtype=np.int64))
    np.save(folder / "mean_norms.npy", np.array(mean_norms, dtype=np.float32))
    np.save(folder / "sentence_starts.npy", np.array(sentence_starts, dtype=np.int64))
    np.save(folder / "paper_offsets.npy", np.array(paper_offsets, dtype=np.int64))
    if term_ids:
        bm25 = bm25s.BM25(k1=meta.bm25_k1, b=meta.bm25_b, method="lucene")
        bm25.index(
            bm25s.tokenization.Tokenized(ids=term_ids, vocab=vocabulary), show_progress=False
        )
        bm25.save(folder / "bm25", show_progress=False)
    filled = meta.model_copy(
        update={
            "papers": len(term_ids),
            "chunks": vectors.rows,
            "sentences": spans.rows,
            "dimension": vectors._columns,  # noqa: SLF001
        }
    )
    (folder / "meta.json").write_text(filled.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return filled


def _bm25s() -> Any:
    """The library bm25s, which logs every step at DEBUG unless it is told not to."""
    import bm25s  # noqa: PLC0415

    logging.getLogger("bm25s").setLevel(logging.WARNING)
    return bm25s


def _mapped(path: Path) -> NDArray[Any]:
    """The array of ``path``, mapped; read whole where there is nothing to map."""
    array = np.load(path, mmap_mode="r", allow_pickle=False) if path.stat().st_size > 256 else None
    return array if array is not None else np.load(path, allow_pickle=False)


class SearchIndex:
    """A mapped index. Papers are named by their place, 0 ≤ i < `len`; safe in any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta = IndexMeta.model_validate_json((folder / "meta.json").read_text("utf-8"))
        self.vectors: Floats = _mapped(folder / "vectors.npy")
        self.chunk_starts: NDArray[np.int64] = np.load(folder / "chunk_starts.npy")
        self.mean_norms: Floats = np.load(folder / "mean_norms.npy")
        self._spans = _mapped(folder / "sentences.npy")
        self._sentence_starts: NDArray[np.int64] = np.load(folder / "sentence_starts.npy")
        self._sentence_vectors = _mapped(folder / "sentence_vectors.npy")
        self._paper_offsets: NDArray[np.int64] = np.load(folder / "paper_offsets.npy")
        with (folder / "papers.jsonl").open("rb") as papers:
            # an empty file cannot be mapped
            self._papers: mmap.mmap | bytes = (
                mmap.mmap(papers.fileno(), 0, access=mmap.ACCESS_READ) if self.meta.papers else b""
            )

    def __len__(self) -> int:
        return self.meta.papers

    def paper(self, i: int) -> Paper:
        """The paper at place ``i``."""
        start, end = self._paper_offsets[i], self._paper_offsets[i + 1]
        return Paper.model_validate_json(self._papers[start:end])

    def papers(self) -> Iterator[Paper]:
        """All papers in index order."""
        return (self.paper(i) for i in range(len(self)))

    def rows(self) -> Iterator[IndexRow]:
        """All papers with their vectors, for making the next index."""
        return (self.row(i) for i in range(len(self)))

    def row(self, i: int) -> IndexRow:
        """The paper at place ``i`` with its vectors."""
        return IndexRow(
            self.paper(i), self.chunk_vectors(i), self.spans(i), self._sentence_block(i)
        )

    def chunk_vectors(self, i: int) -> Floats:
        """(chunks, dimension) unit vectors of the paper at place ``i``."""
        return self.vectors[self.chunk_starts[i] : self.chunk_starts[i + 1]]

    def spans(self, i: int) -> list[Span]:
        """The sentences of the abstract at place ``i``."""
        block = self._spans[self._sentence_starts[i] : self._sentence_starts[i + 1]]
        return [Span(int(start), int(end)) for start, end in block]

    def sentence_vectors(self, i: int) -> Floats:
        """(sentences, dimension) unit vectors of the sentences at place ``i``."""
        return self._sentence_block(i).astype(np.float32) / np.float32(127)

    def _sentence_block(self, i: int) -> NDArray[np.int8]:
        block: NDArray[np.int8] = self._sentence_vectors[
            self._sentence_starts[i] : self._sentence_starts[i + 1]
        ]
        return block

    @cached_property
    def place(self) -> dict[str, int]:
        """Paper id → place."""
        return {paper.id: i for i, paper in enumerate(self.papers())}

    @cached_property
    def _bm25(self) -> Any:
        return _bm25s().BM25.load(self.folder / "bm25", mmap=True, show_progress=False)

    def bm25(self, question_terms: list[str]) -> Floats:
        """(papers,) BM25 scores; a term that the question repeats counts as often."""
        known = self._bm25.get_tokens_ids(question_terms) if len(self) else []
        if not known:
            return np.zeros(len(self), dtype=np.float32)
        scores: Floats = self._bm25.get_scores(known)
        return scores

    def document_frequency(self, term: str) -> int:
        """Papers that hold the (stemmed) term."""
        token = self._bm25.vocab_dict.get(term) if len(self) else None
        if token is None:
            return 0
        starts = self._bm25.scores["indptr"]
        return int(starts[token + 1] - starts[token])

    def idf(self, term: str) -> float:
        """ln(1 + (N - n + 0.5) / (n + 0.5)), the Lucene form, N papers, n of them with the term."""
        n, total = self.document_frequency(term), len(self)
        return float(np.log1p((total - n + 0.5) / (n + 0.5)))
