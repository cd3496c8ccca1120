"""Hostile files: every bound holds, and mutated records neither crash nor hang a reader.

`FUZZ_MUTATIONS` sets how many mutations a format gets (some by default; 10,000 for a long run).
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.errors import SourceError
from assistant.paper import Paper
from assistant.reading import FORMATS, SourceReader
from assistant.results import Rejection

from .test_formats import ATOM, ENDNOTE, JATS, PUBMED_TEXT, PUBMED_XML, SERVICES, WOS

MUTATIONS = int(os.environ.get("FUZZ_MUTATIONS", "60"))
SECONDS = 5.0
MEGABYTE = 1 << 20

Results = list[Paper | Rejection]


def results(name: str, text: str) -> Results:
    try:
        return list(FORMATS[name].read(io.StringIO(text), "here"))
    except SourceError:
        return []


def reasons(found: Results) -> str:
    return " ".join(result.reason for result in found if isinstance(result, Rejection))


BOMBS: dict[str, tuple[str, Callable[[], str], str]] = {
    "nested arrays": ("json", lambda: "[" * 200_000, "nested too deep"),
    "nested objects": ("json", lambda: '{"a":' * 100_000, "nested too deep"),
    "nested arrays in a line": ("jsonl", lambda: "[" * 200_000 + "\n", "nested too deep"),
    "nothing but arrays": ("json", lambda: "[" + "[]," * 160_000, "no paper"),
    "nothing but names": (
        "json",
        lambda: "{" + "".join(f'"k{n}":1,' for n in range(160_000)),
        "no paper",
    ),
    "a record without end": (
        "json",
        lambda: '[{"title":"a","x":[' + "[]," * 130_000 + "1]}]",
        "the record is too large",
    ),
    "strings that double": (
        "bibtex",
        lambda: (
            '@string{a0="0123456789"}\n'
            + "".join(f"@string{{a{n + 1}=a{n}#a{n}}}\n" for n in range(60))
            + "@article{x, title=a60}"
        ),
        "too long for a paper",
    ),
    "braces": ("bibtex", lambda: "@article{x, title={" + "{" * 300_000, "ends in the middle"),
    "elements without end": ("xml", lambda: "<feed><entry>" + "<a>" * 100_000, "not valid XML"),
    "entities that multiply": (
        "xml",
        lambda: (
            '<!DOCTYPE l [<!ENTITY a "0123456789">'
            + "".join(f'<!ENTITY a{n} "{(f"&a{n - 1};" if n else "&a;") * 10}">' for n in range(12))
            + "]><feed><entry><title>&a11;</title></entry></feed>"
        ),
        "not valid XML",
    ),
    "a record of elements": ("xml", lambda: "<feed><entry>" + "<b/>" * 1_000_000, "too large"),
    "a start tag without end": (
        "xml",
        lambda: "<feed><item " + "".join(f'a{n}="1" ' for n in range(1_200_000)),
        "too large",
    ),
    "a value without end": ("ris", lambda: "TY  - JOUR\nAB  - " + "word\n" * 400_000, "too long"),
    "quotation marks": ("csv", lambda: "title,abstract\n" + '"a,b\n' * 200_000, "was not read"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_rejected_soon_and_in_little_memory(name: str) -> None:
    kind, make, reason = BOMBS[name]
    stream = io.StringIO(make())
    tracemalloc.start()
    started = time.perf_counter()
    try:
        found = list(FORMATS[kind].read(stream, "here"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reason in reasons(found)
    assert peak < 200 * MEGABYTE
    assert time.perf_counter() - started < 60  # traced, and on a busy machine


def test_what_stands_before_and_behind_a_bomb_is_kept() -> None:
    doubled = "".join(f"@string{{a{n + 1}=a{n}#a{n}}}\n" for n in range(60))
    text = f'@misc{{a, title={{A}}}}\n@string{{a0="01234"}}\n{doubled}@misc{{x, title=a60}}\n'
    found = results("bibtex", text + "@misc{b, title={B}}\n")
    assert [result.title for result in found if isinstance(result, Paper)] == ["A", "B"]
    found = results("jsonl", '{"title": "A"}\n' + "[" * 100_000 + '\n{"title": "B"}\n')
    assert [result.title for result in found if isinstance(result, Paper)] == ["A", "B"]


def test_an_archive_that_unpacks_to_very_much() -> None:
    packed = gzip.compress(b'[{"title":"' + b"a" * (60 * MEGABYTE))
    found = list(SourceReader("-", stdin=io.BytesIO(packed)))
    assert "longer than any paper" in reasons(found)


@pytest.mark.parametrize(
    "piece",
    "{|\\a{|$x |<sub>|<math>|&amp;|<tex-math>|© 2010 |BackgroundA. |Copyright |sim5|10.1000/a("
    "|A and |a, b, |(a |<!--|http://a".split("|"),
)
def test_a_long_field_takes_linear_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    record = {"title": text, "abstract": text, "authors": text, "doi": text, "url": text}
    started = time.perf_counter()
    results("jsonl", json.dumps(record) + "\n")
    results("bibtex", f"@article{{a, title={{T}}, author={{{text}}}, abstract={{{text}}}}}")
    assert time.perf_counter() - started < 4 * SECONDS  # five fields, twice


SHAPES: dict[str, list[str]] = {
    "jsonl": ['{"title": "Snails", "abstract": "They keep time.", "authors": ["Ada Moss"]}\n' * 3],
    "json": [json.dumps(answer, indent=1) for answer in SERVICES.values()],
    "xml": [ATOM, PUBMED_XML, JATS],
    "pubmed": ["PMID- 1\nTI  - Snails\n      keep time\nAB  - They do.\nFAU - Moss, Ada\n\n" * 2],
    "wos": [WOS],
    "endnote": [ENDNOTE],
    "ris": ["TY  - JOUR\nTI  - Snails\nAU  - Moss, Ada\nAB  - They do.\nPY  - 2021\nER  - \n" * 2],
    "bibtex": [
        '@string{j = "J. of Snails"}\n@article{a, title={{S}nails in $\\alpha$}, author={Moss, Ada'
        ' and {van der} Weg, Ben}, journal=j, year=2021, abstract="They \\"{o} do."}\n' * 2
    ],
    "csv": ['title,abstract,year,doi\n"Snails, slow","They ""do"".",2021,10.1234/a\n' * 2],
    "embase": ['"TITLE","Slow snails"\n"AUTHOR NAMES","Moss A.","Fir B."\n"DOI","10.1234/a"\n' * 2],
    "pubmedtext": [PUBMED_TEXT],
    "listing": ["Daily Papers\n\nRhythms of Slow Snails\n\nWe show that snails do. They do.\n" * 2],
}
PIECES = ["{", "}", "[", "]", '"', "\\", "<", ">", "&", "\n", "\t", "\0", "$", ",", ";", "%", "@"]
PIECES += [
    "\ufeff",
    "\u2028",
    "\ud800",
    "\\ud800",
    "é",
    "title",
    "<![CDATA[",
    "&a;",
    "null",
    "1e999",
    "-",
]
PIECES += ["\r", "# ", "ER  - ", "TY  - ", "PMID: ", "%0 ", "PT J\n", "{{{{", "[[[[", "    "]


def mutated(text: str, chance: random.Random) -> str:
    """A text with some pieces taken out, doubled, moved, or put in."""
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 1, 2, 8, 40]))
        piece = chance.choice(
            ["", text[start:end] * 2, chance.choice(PIECES), chance.choice(PIECES) * 50]
        )
        text = text[:start] + piece + text[end:]
    return text


@pytest.mark.parametrize("name", list(FORMATS))
def test_mutated_records_neither_crash_nor_hang(name: str) -> None:
    chance = random.Random(name)
    slowest = 0.0
    for _ in range(MUTATIONS):
        text = mutated(chance.choice(SHAPES[name]), chance)
        if name not in ("json", "jsonl"):  # what a file can hold; JSON can write more
            text = text.encode("utf-8", "replace").decode()
        started = time.perf_counter()
        for result in results(name, text):
            assert isinstance(result, Paper | Rejection)
            result.model_dump_json()
        slowest = max(slowest, time.perf_counter() - started)
    assert slowest < SECONDS


def test_every_format_is_mutated() -> None:
    assert set(SHAPES) == set(FORMATS)


def test_a_device_without_end_is_refused() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero here")
    with pytest.raises(SourceError):
        list(SourceReader("/dev/zero"))
