"""Records a second, and the memory, of reading large files: no library, no embedding.

    python -m eval.reading_speed SOURCE… [--records 100000] [--folder FOLDER]

writes files of real abstracts repeated with noise (`eval.bench_worker`), with invented authors,
years, venues and ids, in each of `FORMS`; reads each in a process of its own; and prints a line
a form: records, rejections, seconds of the clock and of the processor, records a second of the
processor (which another program on the machine slows down less), and the peak memory in MB after
a tenth of the records and after all. Memory is flat where the two are alike.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO
from xml.sax.saxutils import escape

from assistant.paper import Paper
from assistant.reading import read

Known = dict[str, Any]
_GIVEN = "Ada Bo Chen Dana Eun Femi Gül Hana Ilse João Kim Łucja".split()
_FAMILY = "Okoro Sánchez Wang van-Dam Müller O'Neill Sato Novák Ahmed Brandt".split()


def known_of(paper: Paper, number: int) -> Known:
    """What a real record says besides, invented."""
    names = [f"{_GIVEN[(number + n) % 12]} {_FAMILY[(number * 7 + n) % 10]}" for n in range(4)]
    return {
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": names,
        "year": 1990 + number % 36,
        "venue": f"Journal of Synthetic Results {number % 90}",
        "doi": f"10.5555/{number:07}",
        "arxiv": f"{1000 + number // 90_000:04}.{10_000 + number % 90_000:05}",
        "tags": ["cs.CL", "stat.ML"],
    }


def write_csv(records: Iterator[Known], out: TextIO) -> None:
    """As Scopus exports it."""
    table = csv.writer(out)
    table.writerow("Authors|Title|Year|Source title|DOI|Link|Abstract|Author Keywords".split("|"))
    for r in records:
        link = f"https://example.org/{r['doi']}"
        table.writerow(["; ".join(r["authors"]), r["title"], r["year"], r["venue"], r["doi"], link,
                        r["abstract"], "; ".join(r["tags"])])  # fmt: skip


def write_bibtex(records: Iterator[Known], out: TextIO) -> None:
    """As a reference manager writes it."""
    for number, r in enumerate(records):
        fields = {"title": f"{{{r['title']}}}", "author": " and ".join(r["authors"]),
                  "year": r["year"], "journal": r["venue"], "doi": r["doi"],
                  "abstract": r["abstract"], "keywords": ", ".join(r["tags"])}  # fmt: skip
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
        out.write(f"@article{{key{number},\n{lines}\n}}\n\n")


def write_snapshot(records: Iterator[Known], out: TextIO) -> None:
    """As arXiv's metadata come: an object a line."""
    for r in records:
        line = {"id": r["arxiv"], "submitter": r["authors"][0], "authors": ", ".join(r["authors"]),
                "title": r["title"], "comments": "12 pages", "journal-ref": r["venue"],
                "doi": r["doi"], "report-no": None, "categories": " ".join(r["tags"]),
                "license": None, "abstract": f"  {r['abstract']}\n",
                "versions": [{"version": "v1", "created": f"Mon, 2 Apr {r['year']} 19:18:42 GMT"}],
                "update_date": f"{r['year']}-11-26",
                "authors_parsed": [[*reversed(n.split()), ""] for n in r["authors"]]}  # fmt: skip
        out.write(json.dumps(line) + "\n")


def write_atom(records: Iterator[Known], out: TextIO) -> None:
    """As arXiv's API answers."""
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">')
    for r in records:
        names = "".join(f"<author><name>{escape(n)}</name></author>" for n in r["authors"])
        out.write(
            f"<entry><id>http://arxiv.org/abs/{r['arxiv']}v1</id><title>{escape(r['title'])}"
            f"</title><published>{r['year']}-04-02T19:18:42Z</published>"
            f"<summary>{escape(r['abstract'])}</summary>{names}"
            f'<category term="{r["tags"][0]}"/></entry>\n'
        )
    out.write("</feed>\n")


FORMS: dict[str, Callable[[Iterator[Known], TextIO], None]] = {
    "scopus.csv": write_csv,
    "manager.bib": write_bibtex,
    "arxiv.jsonl": write_snapshot,
    "arxiv.atom": write_atom,
}


def timed(file: Path, records: int) -> Known:
    """What reading ``file`` takes in this process."""
    papers = rejected = early = 0
    started, worked = time.perf_counter(), time.process_time()
    for result in read(file):
        papers += isinstance(result, Paper)
        rejected += not isinstance(result, Paper)
        if papers == records // 10:
            early = _peak_mb()
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    return {"papers": papers, "rejected": rejected, "seconds": round(seconds, 1),
            "processor_seconds": round(worked, 1), "a_second": round(papers / worked),
            "early_mb": early, "peak_mb": _peak_mb()}  # fmt: skip


def _peak_mb() -> int:
    """Of this process alone: what `resource` tells begins with the peak of the one it came from."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Writes the files that are missing, and reads each in a process of its own."""
    from eval.bench_worker import papers_up_to, real_papers  # noqa: PLC0415  heavy

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sources", nargs="+", help="real papers")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "reading")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    real = real_papers(options.sources)
    for name, write in FORMS.items():
        file = options.folder / f"{options.records}-{name}"
        if not file.is_file():
            papers = enumerate(papers_up_to(real, options.records))
            with file.open("w", encoding="utf-8", newline="") as out:
                write((known_of(paper, number) for number, paper in papers), out)
        call = "import sys, pathlib; from eval.reading_speed import timed"
        call += "; print(timed(pathlib.Path(sys.argv[1]), int(sys.argv[2])))"
        command = [sys.executable, "-c", call, str(file), str(options.records)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(name, done.stdout.strip(), flush=True)


if __name__ == "__main__":
    main()
