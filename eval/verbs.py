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
from eval.data import (
    QUESTIONS,
    Bench,
    EvalError,
    RetrievalSet,
    read_beir,
    read_lines,
    read_questions,
)

Options = argparse.Namespace
Results = dict[str, Any]


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


def retrieval(options: Options) -> Results:
    """The verb ``retrieval``."""
    measured_on = bench_of(options)
    results: Results = {}
    for folder in options.folders:
        judged, assistant = opened(measured_on, options, folder)
        results[judged.name] = ranking.measure(judged, assistant, measured_on.embedder)
    return finished(options, results)


def answering(options: Options) -> Results:
    """The verb ``answers``."""
    measured_on = bench_of(options)
    results: Results = {}
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
    return finished(options, results, details=rows)


def finished(options: Options, results: Results, **more: Any) -> Results:
    """The run, saved unless that is not wanted; what is in ``more`` is saved, not shown."""
    where = runs.environment(settings_of(options), options.command)
    run = {"verb": options.verb, "environment": where, "results": results}
    if not options.no_save:
        runs.note(f"saved as {runs.save({**run, **more}).stem}")
    return run


def benchmark(options: Options) -> Results:
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
    return finished(options, bench.measure(plan))


def checking_pairs(options: Options) -> Results:
    """The verb ``pairs``."""
    measured_on = bench_of(options)
    pairs = {
        file.stem: read_lines(file, checker.LabelledPair, "a labelled pair")
        for file in options.files
    }
    checks = checker.Checks(_papers(options), measured_on.embedder)
    results = {name: checker.labelled(found, checks) for name, found in pairs.items()}
    rows = {name: result.pop("rows") for name, result in results.items()}
    return finished(options, results, details=rows)


def checking(options: Options) -> Results:
    """The verb ``checker``."""
    measured_on = bench_of(options)
    papers = [*_papers(options), *_papers_of([SAMPLE_PAPERS])]  # digests: true in other words
    checks = checker.Checks(papers, measured_on.embedder)
    results = checker.made(papers, checks, options.seed)
    return finished(options, results)


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


def reviewing(options: Options) -> Results:
    """The verb ``reviews``."""
    measured_on = bench_of(options)
    file = options.topics or reviews.TOPICS
    assistant = library_for(measured_on, options, file)
    found = reviews.measure(assistant, reviews.read_topics(file), options.sizes, runs.note)
    return finished(options, found)


def comparing(options: Options) -> Results:
    """The verb ``compare``."""
    results = compare.compare(runs.load(options.a), runs.load(options.b))
    return finished(options, results)


def grading(options: Options) -> Results:
    """The verb ``blind``: makes a sheet of two runs, or reads the grades of filled-in sheets."""
    if options.read:
        results = blind.graded([Path(path) for path in options.read], options.key)
        return finished(options, results)
    if len(options.runs) != 2 or options.out is None:
        raise EvalError(
            "A sheet is made of two runs.",
            "Say: eval blind RUN-A RUN-B --out SHEET.md; later: eval blind --read SHEET.md",
        )
    first, second = (blind.rows_of(path) for path in options.runs)
    made = blind.sheet(first, second, options.out, questions=options.questions, seed=options.seed)
    runs.note(f"written: {options.out}, {made} answers to grade")
    return {"verb": "blind", "results": {"sheet": str(options.out), "answers": made}}


def reporting(options: Options) -> Results:
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
    return {"verb": "report", "results": {"runs": [r["name"] for r in found], "markdown": table}}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text)
    runs.note(f"written: {path}")


VERBS: dict[str, Callable[[Options], Results]] = {
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


def show(run: Results) -> None:
    """Prints the tables of ``run``."""
    if run["verb"] == "report":
        print(run["results"]["markdown"], end="")
    tables.show(run)
