"""One step of the benchmark in a process of its own, so that its memory is its own.

    python -m eval.bench_worker '{"step": "ask", "library": "…", …}'

prints one JSON object. Papers beyond the real ones are real abstracts repeated with noise: a
copy has the sentences of one abstract in another order, one of them left out and one of another
abstract put in, and a number in its title. Their vectors are those of the real texts plus a
little noise, not computed again: the times of such steps are without embedding.
"""

from __future__ import annotations

import hashlib
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from assistant import Assistant
from assistant.embedding import Vectors, WordEmbedder, open_embedder
from assistant.errors import AssistantError
from assistant.paper import Paper, normalised_title
from assistant.settings import Settings
from assistant.text import sentences
from eval.bench_page import page
from eval.data import EvalError, read_questions
from eval.seams import assistant_over, retriever_of
from eval.starter import open_starter
from eval.statistics import percentiles

NOISE = 0.15
"""Length of the noise added to a reused unit vector: cosine to the real one about .989."""
_PREFIX = 32
_REFERENCE_TEXTS = 128
_ASKED_FOR_MEMORY = 30


def real_papers(sources: Sequence[str]) -> list[Paper]:
    """The distinct papers of ``sources``."""
    from assistant.reading import read  # noqa: PLC0415

    papers = {paper.id: paper for paper in read(list(sources)) if isinstance(paper, Paper)}
    return list(papers.values())


def papers_up_to(real: Sequence[Paper], size: int, start: int = 0) -> Iterator[Paper]:
    """Papers number ``start`` to ``size``: the real ones first, then noisy copies."""
    bodies = [[p.abstract[a:b] for a, b in sentences(p.abstract)] for p in real]
    for number in range(start, size):
        copy, place = divmod(number, len(real))
        if copy == 0:
            yield real[place]
            continue
        chance = random.Random(number)  # noqa: S311
        body = list(bodies[place])
        chance.shuffle(body)
        body = [*body[1:], chance.choice(chance.choice(bodies) or [""])]
        yield Paper.model_validate(
            {"title": f"{real[place].title} ({copy})", "abstract": " ".join(body)}
        )


class ReusingEmbedder:
    """Vectors of the real texts with noise for texts that begin alike; counts its seconds."""

    def __init__(self, embedder: WordEmbedder, real: Sequence[Paper] | None) -> None:
        self._inner = embedder
        self.seconds = 0.0
        self._known: dict[str, Vectors] = {}
        if real is not None:
            texts = [p.title for p in real]
            texts += [p.abstract[a:b] for p in real for a, b in sentences(p.abstract)]
            vectors = embedder.embed(texts)
            self._known = {t[:_PREFIX]: v for t, v in zip(texts, vectors, strict=True)}
            self._pool = vectors
            self._noise = np.random.default_rng(1)

    dimension = property(lambda self: self._inner.dimension)
    name = property(lambda self: self._inner.name)
    fingerprint = property(lambda self: self._inner.fingerprint)

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Computed where no real papers were given, reused with noise where they were."""
        started = time.perf_counter()
        vectors = self._reused(texts) if self._known else self._inner.embed(texts, progress)
        self.seconds += time.perf_counter() - started
        return vectors

    def _reused(self, texts: Sequence[str]) -> Vectors:
        rows = np.stack([self._of(text) for text in texts])
        noise = self._noise.standard_normal(rows.shape, dtype=np.float32)
        rows = rows + noise * np.float32(NOISE / np.sqrt(rows.shape[1]))
        normed: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return normed

    def _of(self, text: str) -> Vectors:
        found = self._known.get(text[:_PREFIX])
        if found is None:
            at = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
            found = self._pool[at % len(self._pool)]
        return found

    def embed_query(self, text: str) -> Vectors:
        """Always computed."""
        started = time.perf_counter()
        vector = self._inner.embed_query(text)
        self.seconds += time.perf_counter() - started
        return vector

    def embed_spans(self, text: str, spans: Sequence[tuple[int, int]]) -> tuple[Vectors, Vectors]:
        """Always computed."""
        started = time.perf_counter()
        found = self._inner.embed_spans(text, spans)
        self.seconds += time.perf_counter() - started
        return found

    def word_rarity(self, word: str) -> float:
        """As the model tells."""
        return self._inner.word_rarity(word)

    def count_tokens(self, text: str) -> int:
        """As the model counts."""
        return self._inner.count_tokens(text)


def _embedder(task: dict[str, Any], *, reuse: bool = False) -> ReusingEmbedder:
    real = real_papers(task["papers"]) if reuse else None
    embedder = open_embedder(Settings.load())
    if not isinstance(embedder, WordEmbedder):
        raise EvalError("The benchmark is of the embedded model; the settings name an endpoint.")
    return ReusingEmbedder(embedder, real)


def embed(task: dict[str, Any]) -> dict[str, Any]:
    """Abstracts and questions a second."""
    embedder = open_embedder(Settings.load())
    texts = [f"{p.title}. {p.abstract}" for p in real_papers(task["papers"])][:_REFERENCE_TEXTS]
    embedder.embed(texts[:8])
    started = time.perf_counter()
    embedder.embed(texts)
    seconds = time.perf_counter() - started
    times = [_timed(embedder.embed_query, question) for question in _questions(task)[:50]]
    return {"abstracts_per_second": round(len(texts) / seconds, 1), "query_ms": percentiles(times)}


def ingest(task: dict[str, Any]) -> dict[str, Any]:
    """Adds papers up to ``size``, for about ``minutes``; tells how far it came."""

    def add(papers: Iterator[Paper], embedder: ReusingEmbedder) -> None:
        _ours(task["library"], embedder).library.ingest(papers)

    return _ingested(task, add)


def _ours(folder: str, embedder: ReusingEmbedder) -> Assistant:
    return assistant_over(Settings.load(library=Path(folder)), embedder)


def _ingested(
    task: dict[str, Any], add: Callable[[Iterator[Paper], ReusingEmbedder], None]
) -> dict[str, Any]:
    real = real_papers(task["papers"])
    size, start = int(task["size"]), int(task["start"])
    embedder = _embedder(task, reuse=size > len(real))
    embedder.seconds = 0.0
    timed = _Timed(papers_up_to(real, size, start), float(task["minutes"]) * 60)
    started = time.perf_counter()
    add(timed, embedder)
    return {
        "done": start + timed.count,
        "seconds": round(time.perf_counter() - started, 2),
        "seconds_embedding": round(embedder.seconds, 2),
        "computed": size <= len(real),
        "memory_mb": _peak_mb(),
        "disk_mb": disk_mb(Path(task["library"])),
    }


class _Timed(Iterator[Any]):
    """What ``items`` yields until the time is up; counts them."""

    def __init__(self, items: Iterator[Any], seconds: float) -> None:
        self._items, self._end, self.count = items, time.monotonic() + seconds, 0

    def __next__(self) -> Any:
        if time.monotonic() > self._end:
            raise StopIteration
        item = next(self._items)
        self.count += 1
        return item


def again(task: dict[str, Any]) -> dict[str, Any]:
    """The same papers once more: nothing should be embedded or written."""
    embedder = _embedder(task)
    assistant = _ours(task["library"], embedder)
    papers = list(papers_up_to(real_papers(task["papers"]), int(task["size"])))
    started = time.perf_counter()
    report = assistant.library.ingest(iter(papers))
    return {
        "seconds": round(time.perf_counter() - started, 3),
        "seconds_embedding": round(embedder.seconds, 3),
        "unchanged": report.unchanged,
        "added": report.added + report.updated,
    }


def ask(task: dict[str, Any]) -> dict[str, Any]:
    """The first question of a process, and the memory of one that has answered many."""
    embedder = _embedder(task)
    assistant = _ours(task["library"], embedder)
    return _memory(task, embedder, assistant.ask)


def starter_ask(task: dict[str, Any]) -> dict[str, Any]:
    """The same of the starter's retrieval; it has no answer without a language model."""
    embedder = _embedder(task)
    index = open_starter(task["library"], embedder)[2]
    return _memory(task, embedder, index.as_retriever(similarity_top_k=8).retrieve)


def _memory(
    task: dict[str, Any], embedder: ReusingEmbedder, work: Callable[[str], Any]
) -> dict[str, Any]:
    embedder.embed_query("warm")
    questions = _questions(task)[:_ASKED_FOR_MEMORY]
    first = _timed(work, questions[0])
    for question in questions:
        work(question)
    return {
        "first_ms": round(first, 1),
        "memory_mb": _peak_mb(),
        "own_memory_mb": _own_memory_mb(),
    }


def _questions(task: dict[str, Any]) -> list[str]:
    return [q.question for q in read_questions(Path(task["questions"]))][: task.get("queries")]


def starter_ingest(task: dict[str, Any]) -> dict[str, Any]:
    """The same papers into the starter pipeline; see `ingest`."""
    from llama_index.core import Document  # noqa: PLC0415

    def add(papers: Iterator[Paper], embedder: ReusingEmbedder) -> None:
        build = open_starter(task["library"], embedder)[1]
        while batch := list(islice(papers, 5000)):  # Chroma's limit of one call is near
            build(
                [
                    Document(text=f"{p.title}\n\n{p.abstract}", metadata={"title": p.title})
                    for p in batch
                ]
            )

    return _ingested(task, add)


def quality(task: dict[str, Any]) -> dict[str, Any]:
    """Share of fact and find questions whose gold paper is in the first 8, both pipelines."""
    embedder = _embedder(task)
    questions = [q for q in read_questions(Path(task["questions"])) if q.kind in ("fact", "find")]
    assistant = _ours(task["ours"], embedder)
    index = open_starter(task["starter"], embedder)[2]
    retriever = index.as_retriever(similarity_top_k=8)
    ours, starter = 0, 0
    for question in questions:
        gold = {normalised_title(title) for title in question.gold_titles}
        ours += gold <= {normalised_title(r.title) for r in assistant.search(question.question, 8)}
        found = retriever.retrieve(question.question)
        starter += gold <= {normalised_title(node.metadata["title"]) for node in found}
    return {
        "questions": len(questions),
        "ours": round(ours / len(questions), 4),
        "starter": round(starter / len(questions), 4),
    }


def turns(task: dict[str, Any]) -> dict[str, Any]:
    """Every question to every library in turn: times that a busy machine slows down alike.

    ``ours`` and ``starter`` name folders by size.
    """
    embedder = _embedder(task)
    questions = _questions(task)
    works: dict[str, Callable[[str], Any]] = {"embed": embedder.embed_query}
    for size, folder in task["ours"].items():
        assistant = _ours(folder, embedder)
        works[f"ours-{size}"] = retriever_of(assistant).find
        works[f"ask-{size}"] = assistant.ask
    for size, folder in task["starter"].items():
        works[f"starter-{size}"] = (
            open_starter(folder, embedder)[2].as_retriever(similarity_top_k=8).retrieve
        )
    times: dict[str, list[float]] = {name: [] for name in works}
    for question in questions[:10]:  # warm
        for work in works.values():
            work(question)
    for question in questions:
        for name, work in works.items():
            times[name].append(_timed(work, question))
    return {name: percentiles(found) for name, found in times.items()}


# ---------------------------------------------------------------------- measuring


def _timed(work: Callable[[str], Any], text: str) -> float:
    """Milliseconds of ``work`` on ``text``."""
    started = time.perf_counter()
    work(text)
    return (time.perf_counter() - started) * 1000


def _peak_mb() -> float:
    """Largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def _own_memory_mb() -> float | None:
    """Resident memory now that is the process's own (mapped files left out), where Linux tells."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return round(int(kilobytes.get("RssAnon", 0)) / 1024, 1)


def disk_mb(folder: Path) -> float:
    """Bytes that the files of ``folder`` hold."""
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20, 1)


STEPS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "embed": embed,
    "ingest": ingest,
    "again": again,
    "ask": ask,
    "starter-ingest": starter_ingest,
    "starter-ask": starter_ask,
    "quality": quality,
    "turns": turns,
    "page": page,
}


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    try:
        print(json.dumps(STEPS[wanted["step"]](wanted)))
    except AssistantError as error:
        sys.exit(str(error))
