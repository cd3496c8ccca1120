"""What each verb of ``python -m eval`` does: opens, measures, saves, shows."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assistant import Assistant
from assistant.paper import Paper
from assistant.sample import SAMPLE_PAPERS
from assistant.settings import Settings
from eval import (
    answers,
    bench,
    compare,
    figures,
    judge,
    rag,
    ranking,
    report,
    reviews,
    runs,
    sweep,
    tables,
)
from eval.data import QUESTIONS, Bench, EvalError, read_beir, read_questions

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


def library_for(bench: Bench, options: Options, file: Path) -> Assistant:
    """The library that the questions of ``file`` are about.

    ``--papers`` are read into ``--library`` (into the cache without it). The project's own
    sample questions know their library.
    """
    if options.papers:
        return bench.library_of(options.papers, options.library)
    if options.library:
        return bench.open(options.library)
    if file.resolve() == (QUESTIONS / "sample.jsonl").resolve():
        return bench.library_of([SAMPLE_PAPERS])
    raise EvalError(
        f"Which papers are the questions of {file} about?", "Say it by --library or --papers."
    )


def opened(measured_on: Bench, options: Options, place: Path) -> ranking.Set:
    """The retrieval set of a BEIR folder or a question file, with its library."""
    if place.is_dir():
        judged, papers = read_beir(place)
        assistant = measured_on.library(judged.name, papers)
    else:
        assistant = library_for(measured_on, options, place)
        judged = ranking.questions_as_set(
            place.stem, read_questions(place), assistant.library.index()
        )
    runs.note(f"{judged.name}: {len(judged.queries)} queries")
    return ranking.Set(measured_on, judged, assistant)


def retrieval(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``retrieval``."""
    measured_on = bench_of(options)
    results: dict[str, Any] = {}
    for folder in options.folders:
        measured = opened(measured_on, options, folder)
        results[measured.judged.name] = ranking.measure(measured, quick=options.quick)
    return finished(options, command, measured_on.settings, results)


def answering(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``answers``."""
    measured_on = bench_of(options)
    results: dict[str, Any] = {}
    rows: dict[str, Any] = {}
    for file in options.files:
        assistant = library_for(measured_on, options, file)
        questions = read_questions(file)
        runs.note(f"{file.stem}: {len(questions)} questions")
        judged = answers.measure(assistant, questions, leave_out=options.leave_out)
        results[file.stem] = answers.summary(judged)
        results[file.stem]["rag"] = rag.measure(
            judged, questions, assistant.library.index(), measured_on.embedder
        )
        if options.judge:
            grader = judge.Judge(judge.endpoint_of(measured_on.settings), measured_on.embedder)
            results[file.stem]["judged"] = judge.measure(judged, questions, grader)
        rows[file.stem] = answers.details(judged)
    if options.details:
        options.details.write_text(
            json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
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


def sweeping(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``sweep``."""
    measured_on = bench_of(options)
    apart = [Path(place) for place in options.held_out]
    places = [*options.places, *apart]
    names = [place.stem for place in apart]
    sets = {place.stem: opened(measured_on, options, place) for place in places}
    files = {
        place.stem: (sets[place.stem].assistant, read_questions(place))
        for place in places
        if place.is_file()
    }
    found = [] if options.only == "answer" else sweep.retrieval(sets, names, runs.note)
    if files and options.only != "retrieval":
        found += sweep.answering(measured_on, files, names, runs.note)
    results = {"sets": list(sets), "held_out": names, "parameters": found}
    return finished(options, command, measured_on.settings, results)


def checking(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``checker``."""
    measured_on = bench_of(options)
    from assistant.reading import read  # noqa: PLC0415
    from eval import support  # noqa: PLC0415

    if not options.papers:
        raise EvalError(
            "The pairs are made from whole abstracts, and the sample library holds digests.",
            "Give papers with --papers, such as saved listing pages.",
        )
    found = read([*options.papers, str(SAMPLE_PAPERS)])  # digests: true in other words
    papers = [paper for paper in found if isinstance(paper, Paper)]
    scored = support.check(papers, measured_on.embedder, options.seed)
    return finished(options, command, measured_on.settings, support.summary(scored))


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
    run = finished(options, command, settings_of(options), results)
    if not options.no_save:
        name = f"compare-{results['a']}-{results['b']}.html"
        _write(options.out or runs.RUNS / name, report.page([run], "Two runs compared"))
    return run


def reporting(options: Options, command: Sequence[str]) -> dict[str, Any]:
    """The verb ``report``: of the runs named, else of the newest of each verb."""
    named = [runs.load(path) for path in options.runs]
    found = named or [
        run for verb in report.HEADINGS if verb != "compare" for run in runs.newest(verb)
    ]
    if not found:
        raise EvalError("There is no saved run to report.", "Measure first: python -m eval …")
    out = options.out or runs.RUNS / "report.html"
    _write(out, report.page(found))
    table = figures.everything(found)
    if options.markdown:
        _write(options.markdown, table)
    if options.readme:
        figures.put_between_marks(options.readme, figures.short(found))
        runs.note(f"written: {options.readme}")
    return {
        "verb": "report",
        "environment": runs.environment(settings_of(options), command),
        "results": {"page": str(out), "runs": [run["name"] for run in found], "markdown": table},
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    runs.note(f"written: {path}")


VERBS: dict[str, Callable[[Options, Sequence[str]], dict[str, Any]]] = {
    "retrieval": retrieval,
    "answers": answering,
    "bench": benchmark,
    "sweep": sweeping,
    "checker": checking,
    "reviews": reviewing,
    "compare": comparing,
    "report": reporting,
}


def show(run: dict[str, Any]) -> None:
    """Prints the tables of ``run``."""
    if run["verb"] == "report":
        print(run["results"]["markdown"], end="")
    tables.show(run)
