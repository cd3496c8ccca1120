"""One step of the benchmark in a process of its own, so that its memory is its own.

    python -m eval.bench_worker '{"step": "ask", "library": "…", …}'

prints one JSON object. Papers beyond the real ones are real abstracts repeated with noise: a
copy has the sentences of one abstract in another order, one of them left out and one of another
abstract put in, and a number in its title. Their vectors are those of the real texts plus a
little noise, not computed again: the times of such steps are without embedding.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant import Assistant
from assistant.embedding import open_embedder
from assistant.errors import AssistantError
from assistant.paper import Paper
from assistant.settings import Settings
from assistant.text import sentences
from eval.bench_page import page
from eval.data import GoldFinder, read_questions
from eval.embedders import TimedEmbedder
from eval.starter import Starter
from eval.statistics import percentiles

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


def _embedder(task: dict[str, Any], *, reuse: bool = False) -> TimedEmbedder:
    texts: list[str] = []
    if reuse:
        real = real_papers(task["papers"])
        texts = [p.title for p in real]
        texts += [p.abstract[a:b] for p in real for a, b in sentences(p.abstract)]
    return TimedEmbedder(open_embedder(Settings.load()), texts)


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


def _ours(folder: str, embedder: TimedEmbedder) -> Assistant:
    return Assistant(Settings.load(library=Path(folder)), embedder=embedder)


def ingest(task: dict[str, Any]) -> dict[str, Any]:
    """Adds papers up to ``size``, for about ``minutes``; tells how far it came.

    ``of`` says into which pipeline: "ours" or "starter".
    """
    real = real_papers(task["papers"])
    size, start = int(task["size"]), int(task["start"])
    embedder = _embedder(task, reuse=size > len(real))
    timed = _Timed(papers_up_to(real, size, start), float(task["minutes"]) * 60)
    started = time.perf_counter()
    if task["of"] == "ours":
        _ours(task["library"], embedder).library.ingest(timed)
    else:
        Starter(task["library"], embedder).ingest(timed)
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
    """The first question of a process, and the memory of one that has answered some.

    The starter only retrieves: it has no answer without a language model.
    """
    embedder = _embedder(task)
    embedder.embed_query("warm")
    work: Callable[[str], Any] = (
        _ours(task["library"], embedder).ask
        if task["of"] == "ours"
        else Starter(task["library"], embedder).find
    )
    times = [_timed(work, question) for question in _questions(task)[:_ASKED_FOR_MEMORY]]
    own = _own_memory_mb()
    return {"first_ms": round(times[0], 1), "memory_mb": _peak_mb(), "own_memory_mb": own}


def _questions(task: dict[str, Any]) -> list[str]:
    return [q.question for q in read_questions(Path(task["questions"]))][: task.get("queries")]


def quality(task: dict[str, Any]) -> dict[str, Any]:
    """Share of fact and find questions whose gold paper is in the first 8, both pipelines."""
    embedder = _embedder(task)
    questions = [q for q in read_questions(Path(task["questions"])) if q.kind in ("fact", "find")]
    assistant, starter = _ours(task["ours"], embedder), Starter(task["starter"], embedder)
    finder, ours, theirs = GoldFinder(assistant.library.papers()), 0, 0
    for question in questions:
        golds = finder.ids(question)
        told = [found.title for found in assistant.search(question.question, 8)]
        ours += _holds_all(golds, told, finder)
        told = [node.metadata["title"] for node in starter.find(question.question)]
        theirs += _holds_all(golds, told, finder)
    shares = {"ours": ours / len(questions), "starter": theirs / len(questions)}
    return {"questions": len(questions), **{key: round(v, 4) for key, v in shares.items()}}


def _holds_all(golds: Sequence[set[str]], titles: Iterable[str], finder: GoldFinder) -> bool:
    """Whether each gold paper is among those with ``titles``."""
    found = set().union(*map(finder.papers, titles))
    return all(gold & found for gold in golds)


def turns(task: dict[str, Any]) -> dict[str, Any]:
    """Every question to every library in turn: times that a busy machine slows down alike.

    ``ours`` and ``starter`` name folders by size.
    """
    embedder = _embedder(task)
    questions = _questions(task)
    works: dict[str, Callable[[str], Any]] = {"embed": embedder.embed_query}
    for size, folder in task["ours"].items():
        assistant = _ours(folder, embedder)
        works[f"ours-{size}"] = assistant.retriever.find
        works[f"ask-{size}"] = assistant.ask
    for size, folder in task["starter"].items():
        works[f"starter-{size}"] = Starter(folder, embedder).find
    times: dict[str, list[float]] = {name: [] for name in works}
    for n, question in enumerate([*questions[:10], *questions]):
        for name, work in works.items():
            took = _timed(work, question)
            if n >= 10:  # the first ten warm up
                times[name].append(took)
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
