"""The commands, their arguments and their help; what they do is in the modules beside this one.

Each command imports its module when it runs, so that ``--help`` loads nothing but this file and
typer. A new command is a function here and a module beside.
"""

# ruff: noqa: D301  (\b keeps the lines of examples apart; raw, it would be printed)

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from assistant.cli.terminal import Interrupted, PipeClosed

__all__ = ["app"]


class _Guarded(TyperGroup):
    """Passes on what typer would swallow: Ctrl-C, and a reader of our output that is gone."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("Interrupted; the library is as it was.") from None
        except BrokenPipeError:
            raise PipeClosed from None


_PLAIN: dict[str, Any] = {
    "add_completion": False,
    "no_args_is_help": True,
    "rich_markup_mode": None,  # rich's help would take as long to load as all the rest
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
}
app = typer.Typer(cls=_Guarded, **_PLAIN)
papers_app = typer.Typer(**_PLAIN)
cache_app = typer.Typer(**_PLAIN)
watch_app = typer.Typer(**_PLAIN)
library_app = typer.Typer(**_PLAIN)

Library = Annotated[
    str | None,
    typer.Option(
        "--library",
        metavar="NAME|PATH",
        help="Name or folder of the library, a Chroma server's address, or 'sample'; to ask, "
        "also several: 'ml,medicine'. [default: from the settings]",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]
Year = Annotated[
    str | None,
    typer.Option(
        "--year",
        metavar="YEARS",
        help="2022, 2021..2024 or 2021..; several with commas.",
        show_default=False,
    ),
]
Venue = Annotated[
    list[str] | None,
    typer.Option("--venue", metavar="TEXT", help="Part of the venue's name; repeatable."),
]
Author = Annotated[
    list[str] | None,
    typer.Option("--author", metavar="TEXT", help="Part of an author's name; repeatable."),
]
Source = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="TEXT", help="Part of where it came from; repeatable."),
]
Tag = Annotated[
    list[str] | None, typer.Option("--tag", metavar="TEXT", help="A keyword; repeatable.")
]
Count = Annotated[
    int | None,
    typer.Option("-k", min=1, max=1000, metavar="N", help="Papers to find.", show_default=False),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--llm",
        metavar="MODEL",
        help="Language model that writes; '' for none. [default: ASSISTANT_LLM]",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Its OpenAI-compatible server, such as http://localhost:11434/v1.",
        show_default=False,
    ),
]
Effort = Annotated[
    Literal["quick", "normal", "deep"] | None,
    typer.Option(
        "--effort",
        help="quick: one call; normal; deep: looks for what the first answer left open.",
        show_default=False,
    ),
]
Verify = Annotated[
    Literal["model", "local", "off"] | None,
    typer.Option(
        "--verify",
        help="Who checks what a model wrote: the model too (one more call), the local checker, "
        "nobody.",
        show_default=False,
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        "--max-tokens",
        min=16,
        metavar="N",
        help="Longest reply of the model, in tokens.",
        show_default=False,
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        metavar="USD",
        help="US dollars that an answer or review may cost; it stops before.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="NAME",
        help="Language to write in. [default: that of the question]",
        show_default=False,
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(f"assistant {version('abstract-assistant')}")
        raise typer.Exit


@app.callback()
def assistant(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Ask a library of research-paper abstracts.

    Every sentence of an answer cites papers by title, with the sentence that supports it; what
    the library does not hold, it says.

    \b
    See it at work:      assistant demo
    Add your papers:     assistant ingest papers.bib more.csv folder/
    Ask:                 assistant ask "Which papers prune experts without retraining?"
    Talk:                assistant chat
    Something is wrong:  assistant doctor

    Settings: environment variables ASSISTANT_… or a TOML file; 'assistant doctor' names it.
    """
    del version


@app.command()
def demo(
    question: Annotated[
        str | None,
        typer.Argument(
            metavar="[QUESTION]", help="Another question than the usual.", show_default=False
        ),
    ] = None,
) -> None:
    """Answer a question from the sample papers that come along.

    \b
    Examples:
      assistant demo
      assistant demo "Is there anything on gaze estimation with one eye?"
    """
    from assistant.cli import showcase  # noqa: PLC0415

    showcase.demo(question)


@app.command()
def ingest(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...", help="Files or folders; '-' is standard input.", show_default=False
        ),
    ] = None,
    library: Library = None,
    reindex: Annotated[
        bool, typer.Option("--reindex", help="Embed the papers that are there anew.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would come out; add nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take papers also of a file that is mostly rejected.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")] = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, metavar="N", help="Cores that embed. [default: all]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add papers to the library, and update those that changed.

    Takes what databases, reference managers and services export (BibTeX, RIS, EndNote, PubMed,
    Web of Science, CSV, JSON, XML, …) and saved listing pages, also gzipped. A record that cannot
    be used is reported, the rest goes in; a file that holds no papers is refused. Interrupted,
    the same command again finishes the job.

    \b
    Examples:
      assistant ingest papers.bib
      assistant ingest page-1.txt page-2.txt exports/
      zcat snapshot.jsonl.gz | assistant ingest -
      assistant ingest savedrecs.txt --dry-run
      assistant ingest --reindex          (after another embedding model was chosen)
    """
    if not sources and not reindex:
        raise typer.BadParameter(
            "name files or folders, or '-' for standard input (or give --reindex).",
            param_hint="SOURCE...",
        )
    from assistant.cli import adding  # noqa: PLC0415

    if dry_run:
        adding.preview(sources or [], force=force, as_json=as_json)
        return
    adding.ingest(
        sources or [],
        library=library,
        reindex=reindex,
        force=force,
        quiet=quiet,
        workers=workers,
        as_json=as_json,
    )


@app.command()
def sync(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Services and feeds; all that were synced before, where none is named.",
            show_default=False,
        ),
    ] = None,
    library: Library = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, metavar="N", help="Records of each source, at most."),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Read from the beginning, not what is new only.")
    ] = False,
    list_them: Annotated[bool, typer.Option("--list", help="List what is remembered.")] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget the sources; their papers stay.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")] = False,
    as_json: Json = False,
) -> None:
    """Add what is new at services and feeds.

    The library remembers each source by its name, and how far it was read: the next sync asks
    for what is new or changed since, and goes on where one was interrupted. No host is asked but
    those named. Keys and an e-mail are settings, such as ASSISTANT_SOURCES__OPENALEX__KEY and
    ASSISTANT_SOURCES__EMAIL.

    \b
    Examples:
      assistant sync arxiv:cs.CL --limit 500        (a category, a query or ids)
      assistant sync 'pubmed:asthma AND children' 'openalex:deep sea mining'
      assistant sync 'crossref:copper roofs' 'semanticscholar:"kite wind power"'
      assistant sync hf-papers:2026-11-01..2026-11-07 zotero:groups/123456/ABCD2345
      assistant sync doi:10.1038/nature14539 https://journals.plos.org/plosone/feed/atom
      assistant sync                                (what is new at all of them)
    """
    from assistant.cli import syncing  # noqa: PLC0415

    if list_them or forget:
        syncing.remembered(sources or [], library=library, forget=forget, as_json=as_json)
        return
    syncing.sync(
        sources or [],
        library=library,
        limit=limit,
        restart=restart,
        quiet=quiet,
        as_json=as_json,
    )


@app.command()
def enrich(
    library: Library = None,
    service: Annotated[
        Literal["openalex", "crossref"], typer.Option("--from", help="Whom to ask.")
    ] = "openalex",
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Papers to ask for, at most.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also those that were asked for in vain before.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")] = False,
    as_json: Json = False,
) -> None:
    """Fill in authors, years, venues and DOIs that papers lack.

    Each paper is looked for by its DOI or title. Only what is missing is filled in, and only
    where it is surely the same paper; what is left is told with the reason.

    \b
    Examples:
      assistant enrich
      assistant enrich --from crossref --limit 50
    """
    from assistant.cli import syncing  # noqa: PLC0415

    syncing.enrich(
        library=library, service=service, limit=limit, again=again, quiet=quiet, as_json=as_json
    )


@app.command()
def search(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="Words or a question; '-' is standard input.")
    ],
    *,
    library: Library = None,
    k: Count = None,
    year: Year = None,
    venue: Venue = None,
    author: Author = None,
    source: Source = None,
    tag: Tag = None,
    as_json: Json = False,
) -> None:
    """Find the papers that fit best, each with its best sentence.

    \b
    Examples:
      assistant search "sparse attention for long documents"
      assistant search "gaze estimation" -k 3 --json
      assistant search "gaze estimation" --year 2021..2024 --author brandt
    """
    from assistant.cli import asking  # noqa: PLC0415

    asking.search(
        query,
        library=library,
        k=k,
        as_json=as_json,
        filters={"year": year, "venue": venue, "author": author, "source": source, "tag": tag},
    )


@app.command()
def similar(
    paper: Annotated[str, typer.Argument(metavar="ID|TITLE", help="Id, DOI, arXiv id or title.")],
    library: Library = None,
    k: Count = None,
    as_json: Json = False,
) -> None:
    """Find the papers of the library that are most like one of them.

    \b
    Examples:
      assistant similar "Attention Is All You Need"
      assistant similar 1706.03762 -k 5 --json
    """
    from assistant.cli import watching  # noqa: PLC0415

    watching.similar(paper, library=library, k=k, as_json=as_json)


@app.command()
def digest(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Of a watch; else all.", show_default=False),
    ] = None,
    *,
    library: Library = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="What was noticed since, as 2026-11-01."),
    ] = None,
    k: Annotated[
        int, typer.Option("-k", min=1, max=1000, metavar="N", help="Papers to show in full.")
    ] = 10,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to: .md or .html."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what is new since the last digest, ranked by what you liked.

    Each paper comes with why it is there, a sentence of its abstract and what of the library it
    resembles. The next digest begins where this one ends, unless --since was given.

    \b
    Examples:
      assistant sync && assistant digest
      assistant digest pruning -o digest.html
      assistant digest --since 2026-11-01 -k 20
    """
    from assistant.cli import watching  # noqa: PLC0415

    watching.digest(name, library=library, since=since, k=k, output=output, as_json=as_json)


@app.command()
def ask(
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="The question; '-' is standard input.")
    ],
    *,
    library: Library = None,
    k: Count = None,
    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            metavar="FILE",
            help="The turns before: a JSON list of {role, content}.",
            show_default=False,
        ),
    ] = None,
    year: Year = None,
    venue: Venue = None,
    author: Author = None,
    source: Source = None,
    tag: Tag = None,
    as_json: Json = False,
    llm: Model = None,
    base_url: BaseUrl = None,
    effort: Effort = None,
    verify: Verify = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    language: Language = None,
) -> None:
    """Answer a question; every sentence cites its papers.

    Without a language model the answer is made of sentences of the abstracts. With one it is
    written; OPENAI_API_KEY is its key, and each sentence is checked against what it cites. An
    answer that breaks off is printed as far as it came, then the error; --json prints a whole
    answer or nothing. Exit code 1 for both.

    \b
    Examples:
      assistant ask "Which papers prune experts without retraining?"
      assistant ask --library sample "What does sparsity during pre-training save?"
      assistant ask "and for vision models?" --history turns.json
      assistant ask "What works for small data?" --year 2022.. --venue ICML
      assistant ask "What works for small data?" --library ml,medicine
      assistant ask - --json < question.txt
      assistant ask "..." --llm gpt-5-mini --effort deep --max-cost 0.05
      assistant ask "..." --llm qwen3:8b --base-url http://localhost:11434/v1
    """
    from assistant.cli import asking  # noqa: PLC0415

    model = {
        "llm": llm,
        "base_url": base_url,
        "effort": effort,
        "verify": verify,
        "max_tokens": max_tokens,
        "max_cost": max_cost,
        "language": language,
    }
    asking.ask(
        question,
        library=library,
        k=k,
        history=history,
        as_json=as_json,
        model=model,
        filters={"year": year, "venue": venue, "author": author, "source": source, "tag": tag},
    )


@app.command()
def review(
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="In a few words; '-' is standard input.")
    ],
    *,
    library: Library = None,
    papers: Annotated[
        int, typer.Option("--papers", min=1, max=1000, metavar="N", help="Papers to use, at most.")
    ] = 30,
    include: Annotated[
        list[str] | None,
        typer.Option("--include", metavar="ID|TITLE", help="A paper to use; may be repeated."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="ID|TITLE", help="A paper to leave out; repeatable."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Where to: .md .keys.md .html .tex .docx .bib .ris .csl.json .csv .json; "
            "may be repeated.",
        ),
    ] = None,
    force: Force = False,
    style: Annotated[
        str, typer.Option("--style", metavar="CSL", help="Of a .docx: apa, ieee, vancouver, …")
    ] = "apa",
    since: Annotated[
        Path | None,
        typer.Option(
            "--since",
            metavar="FILE",
            help="An earlier review's .json: papers that are new since are marked.",
            show_default=False,
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Tell what a language model would cost, and stop.")
    ] = False,
    as_json: Json = False,
    llm: Model = None,
    base_url: BaseUrl = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    language: Language = None,
) -> None:
    """Write a literature review of a topic: themes, a comparison table, references.

    Without a language model it is made of sentences of the abstracts; with one it is written,
    and each sentence is checked against what it cites. Interrupted, the same command goes on
    where the model was.

    \b
    Examples:
      assistant review "mixture-of-experts compression" -o review.md
      assistant review "gaze estimation" --papers 10 -o review.html -o references.bib
      assistant review "expert pruning" -o review.docx --style ieee -o review.json
      assistant review "expert pruning" --since review.json -o new.md
    """
    from assistant.cli import reviewing  # noqa: PLC0415

    reviewing.review(
        topic,
        library=library,
        papers=papers,
        include=include or [],
        exclude=exclude or [],
        outputs=output or [],
        force=force,
        style=style,
        since=since,
        preview=preview,
        as_json=as_json,
        model={
            "llm": llm,
            "base_url": base_url,
            "max_tokens": max_tokens,
            "max_cost": max_cost,
            "language": language,
        },
    )


@app.command()
def table(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="[TOPIC]", help="In a few words; none with --all.", show_default=False
        ),
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All papers of the library.")] = False,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="NAMES", help="Separated by commas.", show_default=False),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option("--metric", metavar="NAME", help="A row for each number that measures it."),
    ] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="COLUMN", help="By its numbers, highest first.")
    ] = None,
    papers: Annotated[
        int, typer.Option("--papers", min=1, metavar="N", help="Rows at most.")
    ] = 100,
    library: Library = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("-o", "--output", metavar="FILE", help=".csv .xlsx .md .tex .html .json"),
    ] = None,
    force: Force = False,
    correct: Annotated[
        tuple[str, str, str] | None,
        typer.Option(
            "--correct", metavar="PAPER COLUMN TEXT", help="Put TEXT in a cell, for good, and stop."
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Tell what a language model would cost, and stop.")
    ] = False,
    as_json: Json = False,
    llm: Model = None,
    base_url: BaseUrl = None,
    max_cost: MaxCost = None,
) -> None:
    """Make a table over papers: any columns, each cell in the abstract's own words.

    Read without a language model: problem, method, result, limits, sample size, p-value, data
    set, compared with, name, numbers, METRIC=value, year, authors, venue, doi. Any other column
    needs one. (?) marks a cell whose sentence compares, so that the value may be another's.

    \b
    Examples:
      assistant table "sweat test" --columns "sample size, result, sensitivity=value"
      assistant table --all --columns "year, method, data set" -o papers.xlsx
      assistant table "image classification" --metric accuracy
      assistant table "sweat test" --correct "A Title" "sample size" "41 children"
    """
    if correct is None and (topic is None) == (not everything):
        raise typer.BadParameter("name a topic, or give --all.", param_hint="TOPIC")
    from assistant.cli import tabling  # noqa: PLC0415

    tabling.table(
        topic,
        columns=columns,
        metric=metric,
        sort=sort,
        papers=papers,
        library=library,
        outputs=output or [],
        force=force,
        correct=correct,
        preview=preview,
        as_json=as_json,
        model={"llm": llm, "base_url": base_url, "max_cost": max_cost},
    )


@app.command()
def screen(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The question of the review.")],
    *,
    criteria: Annotated[
        Path | None,
        typer.Option("--criteria", metavar="FILE", help='Lines "include: …" and "exclude: …".'),
    ] = None,
    file: Annotated[
        Path, typer.Option("--file", metavar="FILE", help="Where decisions are kept.")
    ] = Path("screening.json"),
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="One that the page started.")
    ] = None,
    reviewer: Annotated[
        str, typer.Option("--reviewer", metavar="NAME", help="Who decides.")
    ] = "me",
    imports: Annotated[
        list[Path] | None,
        typer.Option("--import", metavar="CSV", help="Decisions of ASReview, Rayyan, Covidence."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("-o", "--output", metavar="FILE", help=".csv, .bib, .ris, .csl, .json, .svg."),
    ] = None,
    force: Force = False,
    status: Annotated[
        bool, typer.Option("--status", help="Tell how far it is, and ask nothing.")
    ] = False,
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Screen the library for a systematic review: include, exclude or maybe, by key.

    The paper that is likeliest to be included comes next; each decision is kept at once, and
    the same command goes on. What is still unfound is estimated, and a stop is suggested.

    \b
    Examples:
      assistant screen "exercise in cystic fibrosis" --criteria criteria.txt
      assistant screen "exercise in cystic fibrosis" --import asreview.csv --status
      assistant screen "exercise in cystic fibrosis" -o decisions.csv -o prisma.svg
    """
    from assistant.cli import screening  # noqa: PLC0415

    screening.screen(
        topic,
        criteria=criteria,
        file=file,
        name=name,
        reviewer=reviewer,
        imports=imports or [],
        outputs=output or [],
        force=force,
        status=status,
        library=library,
        as_json=as_json,
    )


@app.command()
def chat(
    *,
    library: Library = None,
    llm: Model = None,
    base_url: BaseUrl = None,
    effort: Effort = None,
    verify: Verify = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    language: Language = None,
) -> None:
    """Ask in a conversation: follow-ups, sources on demand.

    Ctrl-C stops an answer, also at the provider of a language model; /help lists what else
    there is. From a pipe, each line is a question.

    \b
    Examples:
      assistant chat
      assistant chat --library sample
      assistant chat --llm gpt-5-mini --language French
    """
    from assistant.cli import chatting  # noqa: PLC0415

    model = {
        "llm": llm,
        "base_url": base_url,
        "effort": effort,
        "verify": verify,
        "max_tokens": max_tokens,
        "max_cost": max_cost,
        "language": language,
    }
    if not chatting.chat(library=library, model=model):
        raise typer.Exit(1)


@app.command()
def ui(
    library: Library = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="N", help="0 takes a free one.")
    ] = 7860,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Open the chat page; the same answers over HTTP (/v1, /api) and MCP (/mcp).

    Other machines can reach it only if --host says so and a password or token is set.

    \b
    Examples:
      assistant ui
      assistant ui --library sample --port 8000 --no-browser
      ASSISTANT_SERVER__PASSWORD=… assistant ui --host 0.0.0.0
    """
    from assistant.cli import page  # noqa: PLC0415

    page.ui(library=library, host=host, port=port, browser=browser)


@app.command()
def doctor(
    library: Library = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make what is damaged again from what is not.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the installation, the model, the library and the settings.

    Each line is "ok", or "!" with what to do. Exit code 1 if something is broken. Where a
    language model is configured it is called once, with a few tokens; else nobody is called.

    \b
    Examples:
      assistant doctor
      assistant doctor --json
      assistant doctor --repair
    """
    from assistant.cli import checkup  # noqa: PLC0415

    if not checkup.doctor(library=library, as_json=as_json, repair=repair):
        raise typer.Exit(1)


# -- papers --------------------------------------------------------------------------------------


@papers_app.callback()
def papers() -> None:
    """List, show, remove and export the papers of the library.

    \b
    Examples:
      assistant papers list transformer 2024
      assistant papers show "Attention Is All You Need"
      assistant papers remove arxiv:1706.03762
      assistant papers export --format bibtex -o papers.bib
    """


@papers_app.command("list")
def papers_list(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD]...", help="Only papers that hold all of these words."),
    ] = None,
    library: Library = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="At most so many.")
    ] = None,
    year: Year = None,
    venue: Venue = None,
    author: Author = None,
    source: Source = None,
    tag: Tag = None,
    as_json: Json = False,
) -> None:
    """List the papers: title, year, id. Piped, one paper a line, by tabs.

    \b
    Examples:
      assistant papers list
      assistant papers list diffusion --limit 20
      assistant papers list --year 2023 --venue ICML
      assistant papers list | cut -f1 | sort
    """
    from assistant.cli import papers as work  # noqa: PLC0415

    work.list_papers(
        words or [],
        library=library,
        limit=limit,
        as_json=as_json,
        filters={"year": year, "venue": venue, "author": author, "source": source, "tag": tag},
    )


@papers_app.command("show")
def papers_show(
    name: Annotated[str, typer.Argument(metavar="ID|TITLE", help="Id, DOI, arXiv id or title.")],
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Show one paper with its abstract.

    \b
    Examples:
      assistant papers show "Attention Is All You Need"
      assistant papers show 1706.03762 --json
    """
    from assistant.cli import papers as work  # noqa: PLC0415

    work.show(name, library=library, as_json=as_json)


@papers_app.command("remove")
def papers_remove(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|TITLE...", help="Ids, DOIs, arXiv ids or titles.", show_default=False
        ),
    ] = None,
    library: Library = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="FILE", help="All papers that this file brought in."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove papers from the library, everywhere.

    \b
    Examples:
      assistant papers remove "A Paper That Was Withdrawn"
      assistant papers remove 1706.03762 2401.04088 --yes
      assistant papers remove --source savedrecs.txt      (undoes an ingest)
    """
    if not names and source is None:
        raise typer.BadParameter("name papers, or give --source.", param_hint="ID|TITLE...")
    from assistant.cli.terminal import Terminal  # noqa: PLC0415

    if not yes and not Terminal().asks:
        raise typer.BadParameter("say --yes where nobody can be asked.", param_hint="--yes")
    from assistant.cli import papers as work  # noqa: PLC0415

    work.remove(names or [], source=source, library=library, yes=yes, as_json=as_json)


@papers_app.command("export")
def papers_export(
    library: Library = None,
    form: Annotated[
        Literal["jsonl", "bibtex", "ris", "csl", "csv"],
        typer.Option("--format", help="Of the file."),
    ] = "jsonl",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to; else standard output."),
    ] = None,
    force: Force = False,
) -> None:
    """Write all papers to a file that 'assistant ingest' reads again.

    A paper has the same key, of author, year and a word of the title, in every export.

    \b
    Examples:
      assistant papers export -o library.jsonl
      assistant papers export --format bibtex > library.bib
    """
    from assistant.cli import papers as work  # noqa: PLC0415

    work.export(library=library, form=form, output=output, force=force)


# -- cache ---------------------------------------------------------------------------------------


@cache_app.callback()
def cache() -> None:
    """See and clear kept replies of language models.

    A reply is kept under its model, messages and parameters, so that the same call is not paid
    for twice. Reviews keep replies; answers do with ASSISTANT_GENERATION__CACHE=true.

    \b
    Examples:
      assistant cache show
      assistant cache clear
    """


@cache_app.command("show")
def cache_show(as_json: Json = False) -> None:
    """Tell how many replies are kept, and where.

    \b
    Examples:
      assistant cache show
      assistant cache show --json
    """
    from assistant.cli import caching  # noqa: PLC0415

    caching.show(as_json=as_json)


@cache_app.command("clear")
def cache_clear(as_json: Json = False) -> None:
    """Remove the kept replies; papers and embedding models stay.

    \b
    Examples:
      assistant cache clear
    """
    from assistant.cli import caching  # noqa: PLC0415

    caching.clear(as_json=as_json)


# -- watches -------------------------------------------------------------------------------------

Papers = Annotated[
    list[str], typer.Argument(metavar="ID|TITLE...", help="Ids, DOIs, arXiv ids or titles.")
]


@watch_app.callback()
def watch() -> None:
    """Say what to watch for, and what you like; 'assistant digest' shows what is new.

    \b
    Examples:
      assistant watch add pruning --query "pruning of experts" --like 2310.16795
      assistant watch like "A Paper That I Liked"
      assistant watch interests --add "small models on phones"
      assistant digest pruning
    """


@watch_app.command("add")
def watch_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    library: Library = None,
    query: Annotated[
        str | None, typer.Option("--query", metavar="TEXT", help="A question, or words.")
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option("--like", metavar="ID|TITLE", help="A paper of the kind; repeatable."),
    ] = None,
) -> None:
    """Watch for papers on a question, like some papers, or both.

    \b
    Examples:
      assistant watch add gaze --query "gaze estimation with one eye"
      assistant watch add mine --like 10.1038/nature14539 --like "Deep Learning"
    """
    from assistant.cli import watching  # noqa: PLC0415

    watching.add(name, library=library, query=query, like=like or [])


@watch_app.command("list")
def watch_list(library: Library = None, as_json: Json = False) -> None:
    """List the watches: name, what for, since when.

    \b
    Examples:
      assistant watch list --json
    """
    from assistant.cli import watching  # noqa: PLC0415

    watching.list_watches(library=library, as_json=as_json)


@watch_app.command("remove")
def watch_remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the watch.")],
    library: Library = None,
) -> None:
    """Watch no longer; papers and likes stay.

    \b
    Examples:
      assistant watch remove gaze
    """
    from assistant.cli import watching  # noqa: PLC0415

    watching.remove(name, library=library)


@watch_app.command("like")
def watch_like(
    papers: Papers,
    library: Library = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
) -> None:
    """Like papers: digests show more of their kind.

    \b
    Examples:
      assistant watch like "Attention Is All You Need" 2310.16795
    """
    from assistant.cli import watching  # noqa: PLC0415

    watching.like(papers, library=library, liked=None if undo else True)


@watch_app.command("dislike")
def watch_dislike(papers: Papers, library: Library = None) -> None:
    """Dislike papers: digests show less of their kind.

    \b
    Examples:
      assistant watch dislike "A Paper of No Interest"
    """
    from assistant.cli import watching  # noqa: PLC0415

    watching.like(papers, library=library, liked=False)


@watch_app.command("interests")
def watch_interests(
    library: Library = None,
    add: Annotated[
        list[str] | None, typer.Option("--add", metavar="TEXT", help="Repeatable.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="TEXT", help="Repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List your interests, a file in the library's folder that you can edit.

    With ASSISTANT_PROFILE=true they rank digests, and papers that a search finds equally good.
    They never hide anything.

    \b
    Examples:
      assistant watch interests --add "small models on phones"
    """
    from assistant.cli import watching  # noqa: PLC0415

    watching.interests(library=library, add=add or [], remove=remove or [], as_json=as_json)


# -- libraries -----------------------------------------------------------------------------------


@library_app.callback()
def libraries() -> None:
    """Keep several libraries by name, and copy one from anywhere to anywhere.

    \b
    Examples:
      assistant library create medicine
      assistant ingest pubmed.nbib --library medicine
      assistant library use medicine
      assistant library copy medicine http://localhost:8000
    """


@library_app.command("list")
def library_list(as_json: Json = False) -> None:
    """List the named libraries, their papers and places."""
    from assistant.cli import libraries as work  # noqa: PLC0415

    work.list_libraries(as_json=as_json)


@library_app.command("create")
def library_create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is to be called.")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="PLACE", help="A folder, or a Chroma server's address."),
    ] = None,
) -> None:
    """Give a library a name.

    \b
    Examples:
      assistant library create medicine
      assistant library create shared --at http://host:8000
    """
    from assistant.cli import libraries as work  # noqa: PLC0415

    work.create(name, at)


@library_app.command("delete")
def library_delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the library.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take a library off the list, with its papers where its folder is the program's own."""
    from assistant.cli import libraries as work  # noqa: PLC0415

    work.delete(name, sure=yes)


@library_app.command("use")
def library_use(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the library; '-': the usual.")],
) -> None:
    """Choose the library that is meant where --library is not given."""
    from assistant.cli import libraries as work  # noqa: PLC0415

    work.use(name)


@library_app.command("copy")
def library_copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Name, folder or address.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Name, folder or address.")],
) -> None:
    """Copy a library with its vectors: folder, server or cloud to any of them.

    \b
    Examples:
      assistant library copy ./library http://localhost:8000
      assistant library copy http://localhost:8000 ./backup
    """
    from assistant.cli import libraries as work  # noqa: PLC0415

    work.copy(source, target)


app.add_typer(library_app, name="library")
app.add_typer(papers_app, name="papers")
app.add_typer(watch_app, name="watch")
app.add_typer(cache_app, name="cache")
