"""The search index: what a question is compared with, derived from the library's collection.

An index is a folder of plain arrays, mapped from disk and never changed after it is made:

    meta.json          recipe, generation, counts
    papers.jsonl       one paper a line, in index order; paper_offsets.npy: where each begins
    names.json         what tells the papers apart, see `PaperNames`
    vectors.npy        (chunks, dimension) float32, unit rows; chunk_starts.npy: (papers + 1,);
                           mean_norms.npy: (papers,) length of the mean of a paper's chunks
    coarse.npy         (chunks, 96) float32, the rows of ``vectors`` in the 96 directions in
                           which they vary most, coarse_basis.npy: (dimension, 96); only in an
                           index of more than ``exact_rows`` chunks
    sentences.npy      (sentences, 2) character spans; sentence_starts.npy: (papers + 1,)
    sentence_vectors.npy   (sentences, dimension) int8, unit rows times 127
    and the arrays of `assistant.lexical`

A reader maps one and keeps it as long as it likes; a writer makes the next beside it, mostly by
copying. Nothing is pickled. Whatever is lost here is made again from the collection.
"""

from __future__ import annotations

import json
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

from assistant.lexical import Lexicon, LexiconBuilder, loaded, mapped
from assistant.paper import Paper, PaperNames
from assistant.text import Span, terms

__all__ = ["IndexBuilder", "IndexMeta", "IndexRow", "SearchIndex", "build_index"]

FORMAT = 3
COARSE = 96
"""Directions of ``coarse.npy``: a quarter of the bytes to read for each question."""
_COARSE_SAMPLE = 20_000
_BLOCK = 65_536

Floats = NDArray[np.float32]
Places = NDArray[np.int64]


class IndexMeta(BaseModel):
    """What an index was made from. Two indexes with the same meta answer alike."""

    format: int = FORMAT
    generation: int
    fingerprint: str
    bm25_k1: float
    bm25_b: float
    title_repeats: int
    exact_rows: int = 200_000
    papers: int = 0
    chunks: int = 0
    sentences: int = 0
    dimension: int = 0

    @property
    def recipe(self) -> tuple[object, ...]:
        """What must agree with the settings for the index to be of use."""
        return (
            self.format,
            self.fingerprint,
            self.bm25_k1,
            self.bm25_b,
            self.title_repeats,
            self.exact_rows,
        )


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
        self.rows = self.columns = 0

    def append(self, block: NDArray[Any]) -> None:
        if len(block):
            self.columns = block.shape[1]
            self._file.write(np.ascontiguousarray(block, dtype=self._dtype).data)
            self.rows += len(block)

    def close(self) -> None:
        self._file.close()

    def finish(self) -> None:
        """Moves the rows into the ``.npy`` file, a piece at a time."""
        self._file.close()
        with self._path.open("wb") as out, self._raw.open("rb") as rows:
            np.lib.format.write_array_header_1_0(
                out,
                {
                    "descr": np.lib.format.dtype_to_descr(self._dtype),
                    "fortran_order": False,
                    "shape": (self.rows, self.columns),
                },
            )
            shutil.copyfileobj(rows, out, 1 << 22)
        self._raw.unlink()


class IndexBuilder:
    """Makes an index in ``folder`` (made anew), paper by paper, in index order.

    Papers that ``old`` holds already are kept by copying their bytes; memory holds no more than
    the numbers of terms and what tells the papers apart.
    """

    def __init__(self, folder: Path, meta: IndexMeta, old: SearchIndex | None = None) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder, self._meta, self._old = folder, meta, old
        self._vectors = _Appender(folder / "vectors.npy", "<f4")
        self._sentence_vectors = _Appender(folder / "sentence_vectors.npy", "|i1")
        self._spans = _Appender(folder / "sentences.npy", "<u4")
        self._papers = (folder / "papers.jsonl").open("wb")
        self._names: list[PaperNames] = []
        # one piece a paper, or a run of papers that is kept; joined at the end
        self._paper_sizes: list[Places] = []
        self._chunks: list[Places] = []
        self._sentences: list[Places] = []
        self._mean_norms: list[Floats] = []
        self._lexicon = LexiconBuilder()
        self._new_places = np.full(len(old) if old is not None else 0, -1, dtype=np.int64)

    def __enter__(self) -> IndexBuilder:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._papers, self._vectors, self._sentence_vectors, self._spans):
            file.close()

    def add(self, row: IndexRow) -> None:
        """A paper that is new, or has changed."""
        line = row.paper.model_dump_json(exclude={"id"}, exclude_defaults=True).encode() + b"\n"
        bag = terms(row.paper.title) * self._meta.title_repeats + terms(row.paper.abstract)
        self._lexicon.add(len(self._names), bag)
        self._names.append(row.paper.names)
        self._papers.write(line)
        self._vectors.append(row.vectors)
        self._sentence_vectors.append(row.sentence_vectors)
        self._spans.append(np.array(row.spans, dtype=np.uint32).reshape(-1, 2))
        mean_norm = np.linalg.norm(row.vectors.mean(axis=0))
        self._mean_norms.append(np.array([mean_norm], dtype=np.float32))
        self._paper_sizes.append(np.array([len(line)]))
        self._chunks.append(np.array([len(row.vectors)]))
        self._sentences.append(np.array([len(row.spans)]))

    def keep(self, start: int, end: int) -> None:
        """The papers of the old index from place ``start`` to before ``end``."""
        old = self._old
        if old is None or start >= end:
            return
        self._new_places[start:end] = np.arange(end - start) + len(self._names)
        self._names.extend(old.names[start:end])
        run = slice(start, end + 1)
        chunks, sentences = old.chunk_starts[run], old.sentence_starts[run]
        offsets = old.paper_offsets[run]
        self._papers.write(old.paper_bytes(start, end))
        for first in range(int(chunks[0]), int(chunks[-1]), _BLOCK):
            self._vectors.append(old.vectors[first : min(first + _BLOCK, int(chunks[-1]))])
        block = slice(int(sentences[0]), int(sentences[-1]))
        self._sentence_vectors.append(old.sentence_blocks[block])
        self._spans.append(old.sentence_spans[block])
        self._mean_norms.append(old.mean_norms[start:end])
        self._paper_sizes.append(np.diff(offsets))
        self._chunks.append(np.diff(chunks))
        self._sentences.append(np.diff(sentences))

    def finish(self) -> IndexMeta:
        """Writes what remains, and returns the meta with its counts filled in."""
        folder, papers = self._folder, len(self._names)
        self._papers.close()
        for appender in (self._vectors, self._sentence_vectors, self._spans):
            appender.finish()
        np.save(folder / "paper_offsets.npy", _starts(self._paper_sizes))
        np.save(folder / "chunk_starts.npy", _starts(self._chunks))
        np.save(folder / "sentence_starts.npy", _starts(self._sentences))
        norms = np.concatenate(self._mean_norms) if papers else np.zeros(0, np.float32)
        np.save(folder / "mean_norms.npy", norms)
        names = json.dumps(self._names, separators=(",", ":"))
        (folder / "names.json").write_text(names, encoding="ascii")
        old_lexicon = self._old.lexicon if self._old is not None else None
        self._lexicon.save(folder, papers, old_lexicon, self._new_places)
        if self._vectors.rows > self._meta.exact_rows:
            _write_coarse(folder)
        filled = self._meta.model_copy(
            update={
                "papers": papers,
                "chunks": self._vectors.rows,
                "sentences": self._spans.rows,
                "dimension": self._vectors.columns,
            }
        )
        text = filled.model_dump_json(indent=2) + "\n"
        (folder / "meta.json").write_text(text, encoding="utf-8")
        return filled


def build_index(folder: Path, rows: Iterable[IndexRow], meta: IndexMeta) -> IndexMeta:
    """Writes ``rows`` as an index into ``folder`` (made anew) and returns the filled-in meta."""
    with IndexBuilder(folder, meta) as builder:
        for row in rows:
            builder.add(row)
        return builder.finish()


def _starts(sizes: list[Places]) -> Places:
    """(n + 1,) where each of n pieces begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, np.int64), *sizes]))]).astype(
        np.int64
    )


def _write_coarse(folder: Path) -> None:
    """The vectors in their first principal directions (about the origin: cosines are wanted)."""
    vectors = mapped(folder / "vectors.npy")
    sample = np.asarray(vectors[:: max(1, len(vectors) // _COARSE_SAMPLE)], dtype=np.float64)
    _, directions = np.linalg.eigh(sample.T @ sample)
    basis = np.ascontiguousarray(directions[:, ::-1][:, :COARSE].astype(np.float32))
    coarse = _Appender(folder / "coarse.npy", "<f4")
    for start in range(0, len(vectors), _BLOCK):
        coarse.append(vectors[start : start + _BLOCK] @ basis)
    coarse.finish()
    np.save(folder / "coarse_basis.npy", basis)


class SearchIndex:
    """A mapped index. Papers are named by their place, 0 ≤ i < `len`; safe in any thread.

    Everything is opened here, so that a folder which is removed later stays readable.

    Raises:
        OSError, ValueError: a file is missing, or does not fit the others.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta = IndexMeta.model_validate_json((folder / "meta.json").read_text("utf-8"))
        if self.meta.format != FORMAT:
            raise ValueError(f"an index of format {self.meta.format}, not {FORMAT}")
        self.vectors: Floats = mapped(folder / "vectors.npy")
        self.chunk_starts: Places = loaded(folder / "chunk_starts.npy")
        self.mean_norms: Floats = loaded(folder / "mean_norms.npy")
        self.sentence_spans: NDArray[np.uint32] = mapped(folder / "sentences.npy")
        self.sentence_starts: Places = loaded(folder / "sentence_starts.npy")
        self.sentence_blocks: NDArray[np.int8] = mapped(folder / "sentence_vectors.npy")
        self.paper_offsets: Places = loaded(folder / "paper_offsets.npy")
        self.lexicon = Lexicon(folder, self.meta.bm25_k1, self.meta.bm25_b)
        self._coarse: tuple[Floats, Floats] | None = None
        if self.meta.chunks > self.meta.exact_rows:
            self._coarse = mapped(folder / "coarse.npy"), loaded(folder / "coarse_basis.npy")
        with (folder / "papers.jsonl").open("rb") as papers:
            # an empty file cannot be mapped
            self._papers: mmap.mmap | bytes = (
                mmap.mmap(papers.fileno(), 0, access=mmap.ACCESS_READ) if self.meta.papers else b""
            )
        with (folder / "names.json").open("rb") as names:
            self._names = mmap.mmap(names.fileno(), 0, access=mmap.ACCESS_READ)
        self._check()

    def _check(self) -> None:
        """That every array is as long as the meta says: a part of a file is not taken for it."""
        meta = self.meta
        ends = {
            "chunks": (self.chunk_starts, meta.chunks, len(self.vectors)),
            "sentences": (self.sentence_starts, meta.sentences, len(self.sentence_spans)),
            "sentence vectors": (self.sentence_starts, meta.sentences, len(self.sentence_blocks)),
            "papers": (self.paper_offsets, len(self._papers), len(self._papers)),
        }
        for name, (starts, expected, held) in ends.items():
            if len(starts) != meta.papers + 1 or not int(starts[-1]) == expected == held:
                raise ValueError(f"the {name} of the index in {self.folder} are not whole")
        if not len(self.mean_norms) == len(self.lexicon.lengths) == meta.papers:
            raise ValueError(f"the index in {self.folder} is not whole")
        if self._names[-2:] != (b"]]" if meta.papers else b"[]"):
            raise ValueError(f"the names of the index in {self.folder} are not whole")
        if self._coarse is not None and len(self._coarse[0]) != meta.chunks:
            raise ValueError(f"the coarse vectors of the index in {self.folder} are not whole")

    def __len__(self) -> int:
        return self.meta.papers

    @property
    def papers_held(self) -> int:
        """Number of papers."""
        return self.meta.papers

    def paper(self, i: int) -> Paper:
        """The paper at place ``i``."""
        return Paper.model_validate_json(self.paper_bytes(i, i + 1))

    def papers(self) -> Iterator[Paper]:
        """All papers in index order."""
        return (self.paper(i) for i in range(len(self)))

    def paper_bytes(self, start: int, end: int) -> bytes:
        """The lines of the papers from place ``start`` to before ``end``."""
        return self._papers[int(self.paper_offsets[start]) : int(self.paper_offsets[end])]

    def rows(self) -> Iterator[IndexRow]:
        """All papers with their vectors."""
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
        block = self.sentence_spans[self.sentence_starts[i] : self.sentence_starts[i + 1]]
        return [Span(int(start), int(end)) for start, end in block]

    def sentence_vectors(self, i: int) -> Floats:
        """(sentences, dimension) unit vectors of the sentences at place ``i``."""
        return self._sentence_block(i).astype(np.float32) / np.float32(127)

    def _sentence_block(self, i: int) -> NDArray[np.int8]:
        return self.sentence_blocks[self.sentence_starts[i] : self.sentence_starts[i + 1]]

    @cached_property
    def names(self) -> list[PaperNames]:
        """What tells the papers apart, in index order."""
        return [PaperNames(*names) for names in json.loads(self._names[:])]

    @cached_property
    def place(self) -> dict[str, int]:
        """Paper id → place."""
        return {names.id: i for i, names in enumerate(self.names)}

    @property
    def has_coarse(self) -> bool:
        """Whether `coarse_cosines` can be asked."""
        return self._coarse is not None

    def coarse_cosines(self, vector: Floats) -> Floats:
        """(chunks,) the cosines of all chunks to ``vector``, roughly, from ``coarse.npy``."""
        if self._coarse is None:
            raise ValueError("an index of this size has no coarse vectors")
        coarse, basis = self._coarse
        cosines: Floats = coarse @ (vector @ basis)
        return cosines

    def paper_of(self, chunks: NDArray[np.integer[Any]]) -> Places:
        """The places of the papers of ``chunks`` (row numbers of `vectors`), as often as named."""
        places: Places = np.searchsorted(self.chunk_starts, chunks, side="right") - 1
        return places

    def bm25(self, question_terms: list[str]) -> Floats:
        """(papers,) BM25 scores; a term that the question repeats counts as often."""
        return self.lexicon.scores(question_terms)

    def document_frequency(self, term: str) -> int:
        """Papers that hold the (stemmed) term."""
        return self.lexicon.document_frequency(term)

    def idf(self, term: str) -> float:
        """ln(1 + (N - n + 0.5) / (n + 0.5)), the Lucene form, N papers, n of them with the term."""
        return self.lexicon.idf(term)
