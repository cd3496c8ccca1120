"""What each verb of ``python -m eval`` does: opens, measures, saves, shows."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assistant import Assistant
from assistant.files import write_atomically
from assistant.paper import Paper
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import Settings
from eval import (
    answers,
    bench,
    blind,
    checker,
    compare,
    figures,
    judge,
    ranking,
    reviews,
    runs,
    tables,
)
from eval.data import QUESTIONS, Bench, EvalError, RetrievalSet, read_beir, read_questions

Options = argparse.Namespace


def settings_of(options: Options) -> Settings:
    """The settings with those of ``--set`` on top."""
    groups: dict[str, Any] = {}
    base = Settings.load()
    for given in options.set:
        name, equals, value = given.partition("=")
        group, dot, field = name.partition(".")
        if not equals or not dot:
            raise EvalError(f"--set takes group.name=value, not {given!r}.")
        groups.setdefault(group, dict(getattr(base, group, None) or {}))[field] = _value(value)
    return Settings.load(**groups)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def bench_of(options: Options) -> Bench:
    """The bench that the options describe."""
    return Bench(settings_of(options), runs.note, options.cache)


def library_for(measured_on: Bench, options: Options, file: Path) -> Assistant:
    """The library that the questions of ``file`` are about.

    ``--papers`` are read into ``--library`` (into the cache without it); a BEIR folder among
    them is read as such. The project's own sample questions know their library.
    """
    if options.papers:
        beir = Path(options.papers[0])
        if len(options.papers) == 1 and (beir / "corpus.jsonl").is_file():
            judged, papers = read_beir(beir)
            return measured_on.library(judged.name, papers)
        return measured_on.library_of(options.papers, options.library)
    if options.library:
        return measured_on.open(options.library)
    if file.resolve() == (QUESTIONS / "sample.jsonl").resolve():
        return measured_on.library_of([SAMPLE_PAPERS])
    raise EvalError(
        f"Which papers are the questions of {file} about?", "Say it by --library or --papers."
    )


def opened(measured_on: Bench, options: Options, place: Path) -> tuple[RetrievalSet, Assistant]:
    """The retrieval set of a BEIR folder or a question file, with its library."""
    if place.is_dir():
        judged, papers = read_beir(place)
        assistant = measured_on.library(judged.name, papers)
    else:
        assistant = library_for(measured_on, options, place)
        judged = ranking.questions_as_set(place.stem, read_questions(place), assistant)
    runs.note(f"{judged.name}: {len(judged.queries)} queries")
    return judged, assistant


def retrieval(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``retrieval``."""
    measured_on = bench_of(options)
    results: dict[str, Any] = {}
    for folder in options.folders:
        judged, assistant = opened(measured_on, options, folder)
        results[judged.name] = ranking.measure(judged, assistant)
    return finished(options, command, measured_on.settings, results)


def answering(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``answers``."""
    measured_on = bench_of(options)
    results: dict[str, Any] = {}
    rows: dict[str, Any] = {}
    for file in options.files:
        questions = read_questions(file)
        assistant = library_for(measured_on, options, file)
        runs.note(f"{file.stem}: {len(questions)} questions")
        judged = answers.measure(
            assistant, questions, leave_out=options.leave_out, notify=runs.note
        )
        results[file.stem] = answers.summary(judged)
        if options.judge:
            grader = judge.Judge(judge.endpoint_of(measured_on.settings), measured_on.embedder)
            results[file.stem]["judged"] = judge.measure(judged, grader)
        rows[file.stem] = answers.details(judged)
    if options.details:
        _write(options.details, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return finished(options, command, measured_on.settings, results, details=rows)


def finished(
    options: Options,
    command: Sequence[str],
    settings: Settings,
    results: dict[str, Any],
    **more: Any,
) -> dict[str, Any]:
    """The run, saved unless that is not wanted; what is in ``more`` is saved, not shown."""
    run = {
        "verb": options.verb,
        "environment": runs.environment(settings, command),
        "results": results,
    }
    if not options.no_save:
        runs.note(f"saved as {runs.save({**run, **more}).stem}")
    return run


def benchmark(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``bench``."""
    measured_on = bench_of(options)
    plan = bench.Plan(
        papers=[str(Path(p).resolve()) for p in options.papers or [SAMPLE_PAPERS]],
        questions=(options.questions or QUESTIONS / "sample.jsonl").resolve(),
        sizes=options.sizes or bench.SIZES,
        folder=measured_on.folder,
        minutes=options.minutes,
    )
    if options.fresh:
        plan.clear()
    plan.load()
    return finished(options, command, measured_on.settings, bench.measure(plan))


def checking_pairs(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``pairs``."""
    measured_on = bench_of(options)
    pairs = {file.stem: checker.read_pairs(file) for file in options.files}
    checks = checker.Checks(_papers(options), measured_on.embedder)
    results = {name: checker.labelled(found, checks) for name, found in pairs.items()}
    rows = {name: result.pop("rows") for name, result in results.items()}
    return finished(options, command, measured_on.settings, results, details=rows)


def checking(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``checker``."""
    measured_on = bench_of(options)
    papers = [*_papers(options), *_papers_of([SAMPLE_PAPERS])]  # digests: true in other words
    checks = checker.Checks(papers, measured_on.embedder)
    if options.fit:
        model = checker.fit(papers, checks, options.seed, measured_on.embedder)
        _write(options.fit, json.dumps(model, indent=1) + "\n")
    results = checker.made(papers, checks, options.seed)
    return finished(options, command, measured_on.settings, results)


def _papers(options: Options) -> list[Paper]:
    if not options.papers:
        raise EvalError(
            "Which papers are the sentences held against?",
            "Give their abstracts with --papers, such as saved listing pages.",
        )
    return _papers_of(options.papers)


def _papers_of(sources: Sequence[str | Path]) -> list[Paper]:
    from assistant.reading import read  # noqa: PLC0415

    return [paper for paper in read(sources) if isinstance(paper, Paper)]


def reviewing(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``reviews``."""
    measured_on = bench_of(options)
    file = options.topics or reviews.TOPICS
    assistant = library_for(measured_on, options, file)
    found = reviews.measure(assistant, reviews.read_topics(file), options.sizes, runs.note)
    return finished(options, command, measured_on.settings, found)


def comparing(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``compare``."""
    results = compare.compare(runs.load(options.a), runs.load(options.b))
    return finished(options, command, settings_of(options), results)


def grading(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``blind``: makes a sheet of two runs, or reads the grades of filled-in sheets."""
    if options.read:
        results = blind.graded([Path(path) for path in options.read], options.key)
        return finished(options, command, settings_of(options), results)
    if len(options.runs) != 2 or options.out is None:
        raise EvalError(
            "A sheet is made of two runs.",
            "Say: eval blind RUN-A RUN-B --out SHEET.md; later: eval blind --read SHEET.md",
        )
    first, second = (blind.rows_of(path) for path in options.runs)
    made = blind.sheet(first, second, options.out, questions=options.questions, seed=options.seed)
    runs.note(f"written: {options.out}, {made} answers to grade")
    return {"verb": "blind", "results": {"sheet": str(options.out), "answers": made}}


def reporting(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``report``: of the runs named, else of the newest of each verb."""
    named = [runs.load(path) for path in options.runs]
    found = named or [run for verb in figures.VERBS for run in runs.newest(verb)]
    if not found:
        raise EvalError("There is no saved run to report.", "Measure first: python -m eval …")
    table = figures.everything(found)
    if options.markdown:
        _write(options.markdown, table)
    if options.readme:
        figures.put_between_marks(options.readme, figures.short(found) + "\n")
        runs.note(f"written: {options.readme}")
    return {
        "verb": "report",
        "environment": runs.environment(settings_of(options), command),
        "results": {"runs": [run["name"] for run in found], "markdown": table},
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text)
    runs.note(f"written: {path}")


VERBS: dict[str, Callable[[Options, Sequence[str]], dict[str, Any]]] = {
    "retrieval": retrieval,
    "answers": answering,
    "blind": grading,
    "pairs": checking_pairs,
    "checker": checking,
    "bench": benchmark,
    "reviews": reviewing,
    "compare": comparing,
    "report": reporting,
}


def show(run: dict[str, Any]) -> None:
    """Prints the tables of ``run``."""
    if run["verb"] == "report":
        print(run["results"]["markdown"], end="")
    tables.show(run)
