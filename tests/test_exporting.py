"""Keys that stay, formats that others read, and tables that run nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from conftest import MakeLibrary
from fake_embedder import FakeEmbedder

from assistant.assistant import Assistant
from assistant.exporting import FORMATS, citation_keys
from assistant.paper import Paper
from assistant.reading import read
from assistant.settings import Settings


def paper(title: str, key: str | None = None, **more: object) -> Paper:
    known = {"title": title, "abstract": f"It is about {title}.", "key": key, **more}
    return Paper.model_validate(known)


TREES = [
    paper("On the Pruning of Trees", f"id:{n}", authors=["Ada Lovelace"], year=1843)
    for n in range(4)
]
OTHERS = [
    paper("Die Vermessung", authors=["Jörg Müller-Lüdenscheidt"], year=2020),
    paper("一 种 方法", authors=["王 小明"]),
    paper("", abstract="No title at all."),
]


def test_author_year_word() -> None:
    keys = citation_keys([*TREES[:1], *OTHERS])
    assert list(keys.values()) == [
        "lovelace1843pruning",
        "mullerludenscheidt2020die",
        "paper",
        "paper-" + keys[OTHERS[2].id].removeprefix("paper-"),
    ]


def test_no_two_share_one_and_a_new_paper_changes_none() -> None:
    keys = citation_keys([*TREES, *OTHERS])
    assert len(set(keys.values())) == len(keys)
    assert all(re.fullmatch(r"[a-z0-9]+(-[0-9a-f]+)?", key) for key in keys.values())
    for n in range(1, len(TREES)):
        some = citation_keys(TREES[:n])
        assert some == {paper.id: keys[paper.id] for paper in TREES[:n]}
    without_first = citation_keys(TREES[1:])
    changed = [p.id for p in TREES[1:] if without_first[p.id] != keys[p.id]]
    assert changed == [TREES[1].id]


def test_every_export_has_the_same_keys() -> None:
    papers = [*TREES, *OTHERS[:1]]
    keys = citation_keys(papers)
    part = [papers[4], papers[2]]  # some of the library, in another order
    wanted = [keys[p.id] for p in part]
    written = {form: "".join(FORMATS[form](part, keys)) for form in FORMATS}
    assert re.findall(r"@\w+\{([^,]+),", written["bibtex"]) == wanted
    assert re.findall(r"^ID  - (.*)$", written["ris"], re.M) == wanted
    assert [entry["id"] for entry in json.loads(written["csl"])] == wanted
    rows = list(csv.DictReader(io.StringIO(written["csv"])))
    assert [row["citation_key"] for row in rows] == wanted
    lines = [json.loads(line) for line in written["jsonl"].splitlines()]
    assert [line["citation_key"] for line in lines] == wanted


def test_csl_is_what_a_processor_takes(tmp_path: Path) -> None:
    full = paper(
        "A Title",
        authors=["Ada King Lovelace", "Plato", "R. van der Berg"],
        year=1843,
        venue="Odd Things",
        doi="10.1000/x",
        tags=["trees", "pruning"],
    )
    (entry,) = json.loads("".join(FORMATS["csl"]([full])))
    assert entry["type"] == "article-journal"
    assert entry["author"] == [
        {"family": "Lovelace", "given": "Ada King"},
        {"literal": "Plato"},
        {"family": "Berg", "given": "R.", "non-dropping-particle": "van der"},
    ]
    assert "AU  - van der Berg, R." in "".join(FORMATS["ris"]([full]))
    assert entry["issued"] == {"date-parts": [[1843]]}
    assert entry["container-title"] == "Odd Things"
    assert entry["keyword"] == "trees, pruning"
    assert json.loads("".join(FORMATS["csl"]([]))) == []
    file = tmp_path / "library.json"
    file.write_text("".join(FORMATS["csl"]([full, *OTHERS])), encoding="utf-8")
    for before, after in zip([full, *OTHERS], read(file), strict=True):
        assert isinstance(after, Paper)
        for field in ("title", "abstract", "authors", "year", "venue", "doi"):
            assert getattr(after, field) == getattr(before, field)


def test_a_table_runs_nothing_and_is_read_as_it_was(tmp_path: Path) -> None:
    papers = [
        paper("=HYPERLINK(evil)", authors=["@SUM", "Ada"], venue="+cmd|' /C calc'!A0"),
        paper("-2+3 is one", year=2001),
        paper("'quoted' title"),
    ]
    text = "".join(FORMATS["csv"](papers))
    for row in csv.DictReader(io.StringIO(text)):
        assert not any(
            value.lstrip()[:1] in ("=", "+", "@", "-") for value in row.values() if value
        )
    file = tmp_path / "table.csv"
    file.write_text(text, encoding="utf-8")
    for before, after in zip(papers, read(file), strict=True):
        assert isinstance(after, Paper)
        assert (after.title, after.venue) == (before.title, before.venue)
        assert after.authors == before.authors


def test_bidi_and_control_characters_leave_when_a_paper_is_made() -> None:
    made = paper("A \u202egnp.exe\u202c \u2066title\u2069\x1b[31m", abstract="\u061cB\x85C\x9b1m")
    assert made.title == "A gnp.exe title [31m"
    assert made.abstract == "B C 1m"


def test_the_keys_follow_the_library(
    tmp_path: Path, make_library: MakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeEmbedder()
    monkeypatch.setattr("assistant.embedding.open_embedder", lambda *_, **__: fake)
    assistant = Assistant(Settings.load(library=tmp_path / "library"))
    assert assistant.citation_keys() == {}
    file = tmp_path / "one.jsonl"
    file.write_text("".join(FORMATS["jsonl"](OTHERS[:1])), encoding="utf-8")
    assistant.ingest([file])
    assert list(assistant.citation_keys().values()) == ["mullerludenscheidt2020die"]
    file.write_text("".join(FORMATS["jsonl"](TREES[:1])), encoding="utf-8")
    assistant.ingest([file])
    assert list(assistant.citation_keys().values()) == [
        "mullerludenscheidt2020die",
        "lovelace1843pruning",
    ]


@pytest.mark.parametrize(
    ("entry", "kind", "field", "ris", "csl"),
    [
        ("@inproceedings{a, title={On Trees}, booktitle={Odd Meeting}}",
         "inproceedings", "booktitle", "CONF", "paper-conference"),
        ("@article{a, title={On Trees}, journal={Odd Things}}",
         "article", "journal", "JOUR", "article-journal"),
        ("@phdthesis{a, title={On Trees}, year=1999}", "phdthesis", None, "THES", "thesis"),
        ("@misc{a, title={On Trees}, eprint={2101.00001}, archiveprefix={arXiv}}",
         "misc", "eprint", "UNPB", "article"),
        ("@misc{a, title={On Trees}, howpublished={Proceedings of Odd Things}}",
         "inproceedings", None, "CONF", "paper-conference"),
    ],
)  # fmt: skip
def test_the_kind_of_an_entry_is_kept(
    tmp_path: Path, entry: str, kind: str, field: str | None, ris: str, csl: str
) -> None:
    file = tmp_path / "papers.bib"
    body = entry.removesuffix("}") + ", abstract={It is about trees, and says a little of them.}}"
    file.write_text(body)
    found = [p for p in read(file) if isinstance(p, Paper)]
    if "Proceedings" in entry:
        found = [p.model_copy(update={"venue": "Proceedings of Odd Things"}) for p in found]
    made = "".join(FORMATS["bibtex"](found))
    assert made.startswith(f"@{kind}{{")
    assert field is None or f"{field} = " in made
    assert f"TY  - {ris}" in "".join(FORMATS["ris"](found))
    assert json.loads("".join(FORMATS["csl"](found)))[0]["type"] == csl
    out = tmp_path / "again.bib"
    out.write_text(made)
    again = [p for p in read(out) if isinstance(p, Paper)]
    assert "".join(FORMATS["bibtex"](again)) == made
