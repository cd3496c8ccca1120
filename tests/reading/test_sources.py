"""Files, folders, standard input, gzip and encodings."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.errors import AssistantError, SourceError
from assistant.paper import Paper
from assistant.reading import FORMATS, SourceReader, detect, read
from assistant.results import Rejection

GOOD = b'{"title": "A"}\n{"title": "B"}\n'


def titles(found: object) -> list[str]:
    return [r.title for r in found if isinstance(r, Paper)]  # type: ignore[attr-defined]


def rejected(found: object) -> list[tuple[str, str, str]]:
    return [(r.source, r.where, r.reason) for r in found if isinstance(r, Rejection)]  # type: ignore[attr-defined]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, content: bytes) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content)
    return name


class TestWhatIsRead:
    def test_a_file_under_the_name_that_was_given(self, here: Path) -> None:
        write("a.jsonl", GOOD)
        assert {p.source for p in read("a.jsonl")} == {"a.jsonl"}
        assert {p.source for p in read(here / "a.jsonl")} == {str(here / "a.jsonl")}

    def test_a_folder_in_order_without_hidden_and_unknown_files(self, here: Path) -> None:
        write("d/b.jsonl", b'{"title": "3"}\n')
        write("d/a.json", b'[{"title": "1"}]')
        write("d/c/z.csv.gz", gzip.compress(b"title,year\n4,2000\n"))
        write("d/.hidden.jsonl", GOOD)
        write("d/.git/x.jsonl", GOOD)
        write("d/README.md", b"title")
        write("d/aa.bib", b"@misc{k, title={2}}")
        found = list(read(["d"]))
        assert titles(found) == ["1", "2", "3", "4"]
        assert [p.source for p in found] == [
            str(Path("d", name)) for name in ("a.json", "aa.bib", "b.jsonl", "c/z.csv.gz")
        ]

    def test_questions_and_judgements_of_a_test_collection_are_no_papers(self, here: Path) -> None:
        write("beir/corpus.jsonl", b'{"_id": "1", "title": "", "text": "Owls hear mice."}\n')
        write("beir/queries.jsonl", b'{"_id": "1", "text": "what do owls hear", "metadata": {}}\n')
        write("beir/qrels/test.tsv", b"query-id\tcorpus-id\tscore\n1\t1\t1\n")
        found = list(read(["beir"]))
        assert [p.abstract for p in found if isinstance(p, Paper)] == ["Owls hear mice."]
        assert sorted(where for _, where, _ in rejected(found)) == ["file", "line 1"]

    def test_standard_input(self) -> None:
        found = list(read("-", stdin=io.BytesIO(GOOD)))
        assert titles(found) == ["A", "B"]
        assert found[0].source == "standard input"
        assert titles(read(["-"], stdin=io.BytesIO(gzip.compress(GOOD)))) == ["A", "B"]

    def test_standard_input_of_the_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stdin = io.TextIOWrapper(io.BytesIO(GOOD))
        monkeypatch.setattr("sys.stdin", stdin)
        assert titles(read("-")) == ["A", "B"]
        assert not stdin.closed

    def test_gzip_whatever_the_name(self, here: Path) -> None:
        write("a.jsonl.gz", gzip.compress(GOOD))
        write("plain.gz.jsonl", gzip.compress(GOOD) + gzip.compress(b'{"title": "C"}'))
        assert titles(read(["a.jsonl.gz", "plain.gz.jsonl"])) == ["A", "B", "A", "B", "C"]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
    def test_a_pipe(self, here: Path) -> None:
        os.mkfifo("pipe")
        writer = threading.Thread(target=Path("pipe").write_bytes, args=(GOOD,))
        writer.start()
        reader = SourceReader("pipe")
        assert reader.total_bytes is None
        assert titles(reader) == ["A", "B"]
        writer.join()


class TestProgress:
    def test_share_of_bytes(self, here: Path) -> None:
        line = json.dumps({"title": "T", "abstract": os.urandom(500).hex()}).encode() + b"\n"
        content = line * 5_000
        write("a.jsonl", content)
        write("b.jsonl.gz", packed := gzip.compress(content))
        reader = SourceReader(["a.jsonl", "missing", "b.jsonl.gz"])
        assert reader.total_bytes == len(content) + len(packed)
        assert reader.bytes_read == 0
        found = iter(reader)
        next(found)
        assert 0 < reader.bytes_read < len(content) / 2
        assert len(titles(found)) == 9_999
        assert reader.bytes_read == reader.total_bytes

    def test_unknown_for_standard_input(self, here: Path) -> None:
        write("a.jsonl", GOOD)
        assert SourceReader(["a.jsonl", "-"]).total_bytes is None


PROBLEMS = [
    ("none.jsonl", None, "There is no file or folder none.jsonl. Check the path."),
    ("https://a.b/c", None, "https://a.b/c is a web address. Save it as a file and give that."),
    ("empty.jsonl", b"", "empty.jsonl is empty."),
    ("blank.txt", b" \n\n", "blank.txt is empty."),
    ("mark.txt", b"\xef\xbb\xbf\n", "mark.txt is empty."),
    ("a.pdf", b"%PDF-1.7\n", "a.pdf is a PDF, not a text. Export titles and abstracts as text."),
    ("a.bib", bytes(range(256)) * 9, "a.bib is a binary file, not a text."),
    ("a.csv", b"x,y\n1,2\n", "a.csv has no column for titles or abstracts; its first line is: x,y"),
    ("a.ris", b"hello\n", "a.ris does not hold what its name says: no RIS in it."),
    (
        "notes",
        b"hello\n",
        "notes holds no papers in a form that can be read. These can be: JSON Lines",
    ),
    ("list.json", b"[]", "list.json holds no papers."),
    ("head.csv", b"title,abstract\n", "head.csv holds no papers."),
    ("bad.jsonl.gz", b"\x1f\x8bnonsense", "bad.jsonl.gz cannot be unpacked: the compressed data"),
    ("nul\0name", None, "There is no file or folder nul\0name. Check the path."),
]


class TestProblems:
    @pytest.mark.parametrize(("name", "content", "sentence"), PROBLEMS)
    def test_alone_it_is_an_error(
        self, here: Path, name: str, content: bytes | None, sentence: str
    ) -> None:
        if content is not None:
            write(name, content)
        with pytest.raises(SourceError) as caught:
            list(read(name))
        assert str(caught.value).startswith(sentence)

    @pytest.mark.parametrize(("name", "content", "sentence"), PROBLEMS)
    def test_among_others_it_is_a_rejection(
        self, here: Path, name: str, content: bytes | None, sentence: str
    ) -> None:
        if content is not None:
            write(name, content)
        write("good.jsonl", GOOD)
        found = list(read([name, "good.jsonl"]))
        assert titles(found) == ["A", "B"]
        ((source, where, reason),) = rejected(found)
        assert (source, where) == (name, "file")
        assert sentence.startswith(reason) or reason.startswith(sentence)

    def test_folders(self, here: Path) -> None:
        Path("empty").mkdir()
        with pytest.raises(
            SourceError, match=r"The folder empty holds no file of papers\. Known are"
        ):
            list(read("empty"))
        write("d/a.txt", b"remember the milk\n")
        write("d/b.jsonl", GOOD)
        found = list(read("d"))
        assert titles(found) == ["A", "B"]
        assert [where for _, where, _ in rejected(found)] == ["file"]

    def test_none_of_several(self, here: Path) -> None:
        write("empty.jsonl", b"")
        with pytest.raises(
            SourceError, match="None of the 2 sources could be read; the first: There"
        ):
            list(read(["none", "empty.jsonl"]))

    def test_no_permission(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(path: Path, mode: str) -> object:
            raise PermissionError(13, "Permission denied")

        write("a.jsonl", GOOD)
        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(SourceError, match=r"a\.jsonl cannot be read: Permission denied\."):
            list(read("a.jsonl"))

    def test_an_error_of_the_disk(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Broken(io.BytesIO):
            def read1(self, size: int | None = -1, /) -> bytes:
                if self.tell() > 100_000:
                    raise OSError(5, "Input/output error")
                return super().read1(size)

        found = list(read("-", stdin=Broken(GOOD * 10_000)))
        assert len(titles(found)) > 1_000
        assert rejected(found) == [
            ("standard input", "file", "standard input cannot be read: Input/output error.")
        ]

    def test_a_truncated_archive_gives_what_there_is(self, here: Path) -> None:
        lines = b"".join(b'{"title": "%s"}\n' % os.urandom(50).hex().encode() for _ in range(5_000))
        packed = gzip.compress(lines)
        write("a.jsonl.gz", packed[: len(packed) // 2])
        found = list(read("a.jsonl.gz"))
        assert len(titles(found)) > 2_000
        last = rejected(found)[-1]
        reason = "the compressed data end too early; what comes before was read"
        assert last == ("a.jsonl.gz", "file", reason)
        assert len(rejected(found)) <= 2


TITLE = "Größe und naïve Schrödinger-Brücken"
RUSSIAN = "Мы предлагаем новый метод обучения нейронных сетей для задач классификации"


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
    def test_unicode(self, here: Path, encoding: str) -> None:
        write("a.csv", f"title,year\n{TITLE},2000\n".encode(encoding))
        reader = SourceReader("a.csv")
        assert titles(reader) == [TITLE]
        assert reader.notes == []

    @pytest.mark.parametrize(
        ("encoding", "title"), [("cp1252", TITLE), ("latin-1", TITLE), ("cp1251", RUSSIAN)]
    )
    def test_others_are_guessed_and_noted(self, here: Path, encoding: str, title: str) -> None:
        write("a.csv", f"title,year\n{title},2000\n".encode(encoding))
        reader = SourceReader("a.csv")
        assert titles(reader) == [title]
        assert len(reader.notes) == 1
        assert reader.notes[0].startswith("a.csv is not in UTF-8; it was read as cp125")

    def test_stray_bytes_behind_the_head(self, here: Path) -> None:
        stray = '{"title": "naïve"}\n'.encode("cp1252")
        write("a.jsonl", GOOD * 5_000 + stray + '{"title": "naïve"}\n'.encode())
        assert titles(read("a.jsonl"))[-2:] == ["naïve", "naïve"]

    def test_a_character_cut_in_two_by_the_end_of_the_head(self, here: Path) -> None:
        for shift in range(4):
            line = json.dumps({"title": "x" * (shift + 1) + "😀" * 30_000}, ensure_ascii=False)
            write("a.jsonl", line.encode())
            reader = SourceReader("a.jsonl")
            (paper,) = reader
            assert paper.title.endswith("😀")  # type: ignore[union-attr]
            assert reader.notes == []


class TestDetection:
    @pytest.mark.parametrize(
        ("head", "name", "expected"),
        [
            (b'{"title": "A"}\n', "x.jsonl", "jsonl"),
            (b'{"title": "A"}\n', "x.json", "jsonl"),
            (b'{"title": "A", "abstract": "cut', "x.jsonl", "jsonl"),
            (b'{"title": "A", "abstract": "cut', "x.json", "json"),
            (b'{"title": \n{"title": "A"}\n', "x", "jsonl"),
            (b'{\n  "title": "A"\n}', "x.json", "json"),
            (b'[{"title": "A"}]', "x.jsonl", "json"),
            (b'{"data": [{"title": "A"}]}', "", "json"),
            (b"@article{a,\n title={A}}", "x.txt", "bibtex"),
            (b"% made by hand\n\n@string{a = {b}}\n", "-", "bibtex"),
            (b"TY  - JOUR\nTI  - A title\nAB  - We show it. It is long.\n", "x.txt", "ris"),
            (b"PMID- 12\n", "pubmed.txt", "pubmed"),
            (b"title,abstract\nA,B\n", "x.txt", "csv"),
            (b"title\nA\n", "x.csv", "csv"),
            (b"Id\tTitle\n1\tA\n", "", "csv"),
            (
                b"Daily Papers\n\nA Title\n\nWe show that abstracts are enough. They are.\n",
                "",
                "listing",
            ),
            (b"FN Clarivate\nVR 1.0\nPT J\nAU Doe, J\nTI A title\n", "x.ris", "wos"),
            (b"PT\tAU\tTI\tSO\tUT\nJ\tDoe, J\tA\tB\t1\n", "x.txt", "csv"),
            (b"%0 Journal Article\n%T A title\n", "x.txt", "endnote"),
            (b"<?xml version='1.0'?>\n<feed><entry><title>A</title></entry></feed>", "x", "xml"),
            (b"1. J Things. 2020 Jan.\n\nA.\n\nDoe J.\n\nPMID: 12\n", "x.txt", "pubmedtext"),
        ],
    )
    def test_by_content_then_by_name(self, head: bytes | str, name: str, expected: str) -> None:
        assert detect(head, name) is FORMATS[expected]

    def test_extensions_belong_to_one_format(self) -> None:
        extensions = [e for known in FORMATS.values() for e in known.extensions]
        assert len(extensions) == len(set(extensions))


NAMES = ["a.txt", "a.jsonl", "a.json", "a.csv", "a.tsv", "a.bib", "a.ris", "a.nbib", "a.gz", "a"]
CONTENT = st.binary(max_size=300) | st.text(max_size=200).map(
    lambda text: text.encode("utf-8", "replace")
)
STARTS = [
    b"",
    b"\x1f\x8b\x08\0",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xff\xfe\0\0",
    b"\xef\xbb\xbf",
    b"[{",
    b"@a{b,",
]
STARTS += [b"title,", b"TY  - ", b'{"title": "', gzip.compress(b"title,x\n")[:-3]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=st.sampled_from(NAMES), start=st.sampled_from(STARTS), rest=CONTENT)
def test_any_bytes_give_results_or_an_assistant_error(
    tmp_path: Path, name: str, start: bytes, rest: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(start + rest)
    try:
        found = list(read(path))
    except AssistantError:
        return
    for result in found:
        assert isinstance(result, Paper | Rejection)
        result.model_dump_json()
