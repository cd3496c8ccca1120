"""``python -m eval VERB …``: see eval/README.md, or ``python -m eval VERB --help``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from assistant.errors import AssistantError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; prints tables, or JSON with ``--json``; saves the run."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    chosen = parser.parse_args(arguments)
    from eval import runs, verbs  # noqa: PLC0415  (--help does not pay for them)

    try:
        chosen.command = arguments
        run = verbs.VERBS[chosen.verb](chosen)
    except AssistantError as error:
        runs.note(str(error))
        return 1
    except KeyboardInterrupt:
        runs.note("stopped")
        return 130
    if chosen.json:
        print(json.dumps(run, indent=1, ensure_ascii=False))
    else:
        verbs.show(run)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, help_text: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=help_text, description=help_text)
        added.add_argument("--json", action="store_true", help="clean JSON on stdout")
        added.add_argument("--no-save", action="store_true", help="leave no run behind")
        added.add_argument("--cache", type=Path, help="folder for libraries made on the way")
        added.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE",
            help="a setting, such as retrieval.dense_weight=0.5",
        )  # fmt: skip
        return added

    def papers(added: argparse.ArgumentParser) -> None:
        added.add_argument("--library", type=Path, help="library that the questions are about")
        added.add_argument("--papers", nargs="+", metavar="SOURCE", help="its papers, read first")

    retrieval = verb("retrieval", "nDCG, recall and MRR of the program and of its halves")
    retrieval.add_argument("folders", nargs="+", type=Path, metavar="FOLDER",
                           help="BEIR folder, or question file")  # fmt: skip
    papers(retrieval)

    answers = verb("answers", "facts, lists, citations, abstention, follow-ups, words, seconds")
    answers.add_argument("files", nargs="+", type=Path, metavar="FILE")
    answers.add_argument("--judge", action="store_true",
                         help="have the configured language model grade them as well")  # fmt: skip
    answers.add_argument("--details", type=Path, metavar="OUT", help="every question, as JSON")
    answers.add_argument("--leave-out", action="store_true",
                         help="ask each answerable question also without its papers")  # fmt: skip
    papers(answers)

    blind = verb("blind", "answers of two runs in random order to grade, and the grades read back")
    blind.add_argument("runs", nargs="*", type=Path, metavar="RUN",
                       help="two saved runs of answers, or files of --details")  # fmt: skip
    blind.add_argument("--out", type=Path, metavar="SHEET", help="the Markdown file to fill in")
    blind.add_argument("--questions", type=int, default=50, help="how many, kinds in turn")
    blind.add_argument("--seed", type=int, default=0)
    blind.add_argument("--read", nargs="+", metavar="SHEET", help="sheets that are filled in")
    blind.add_argument("--key", type=Path, metavar="FILE", help="of the sheets, if not beside them")

    pairs = verb("pairs", "the support checker on sentences that were labelled by hand")
    pairs.add_argument("files", nargs="+", type=Path, metavar="FILE")
    pairs.add_argument("--papers", nargs="+", metavar="SOURCE", help="the papers that they cite")

    checker = verb("checker", "the support checker on pairs made from abstracts, by kind of error")
    checker.add_argument("--papers", nargs="+", metavar="SOURCE", help="papers to make pairs from")
    checker.add_argument("--seed", type=int, default=0)

    bench = verb("bench", "embed, ingest, ask, cold start, memory, disk, growth; resumable")
    bench.add_argument("--papers", nargs="+", metavar="SOURCE", help="real papers to begin with")
    bench.add_argument("--questions", type=Path, metavar="FILE", help="asked of them")
    bench.add_argument("--sizes", type=_sizes, default=None, metavar="N,N", help="papers")
    bench.add_argument("--minutes", type=float, default=30.0, help="then stop; resumable")
    bench.add_argument("--fresh", action="store_true", help="forget what was measured before")

    reviewed = verb("reviews", "reviews: coverage, citations, repetition, themes, seconds")
    reviewed.add_argument("--topics", type=Path, metavar="FILE", help="labelled topics")
    reviewed.add_argument("--sizes", type=_sizes, default=[30], metavar="N,N", help="papers")
    papers(reviewed)

    compared = verb("compare", "what differs between two saved runs, and whether it is sure")
    compared.add_argument("a", type=Path, metavar="A")
    compared.add_argument("b", type=Path, metavar="B")

    report = verb("report", "the tables of saved runs in Markdown")
    report.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="newest of each verb")
    report.add_argument("--markdown", type=Path, metavar="FILE", help="all tables, into a file")
    report.add_argument("--readme", type=Path, metavar="FILE",
                        help="the short tables, between the marks of this file")  # fmt: skip
    return parser


def _sizes(text: str) -> list[int]:
    return sorted(int(part.replace("_", "")) for part in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
