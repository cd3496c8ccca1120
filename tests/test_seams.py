"""Seams: LlamaIndex objects of other makers in the place of ours, and the README's example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fake_embedder import FakeEmbedder
from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import ResponseMode, get_response_synthesizer
from llama_index.core.schema import TextNode

import assistant
from assistant import Assistant, Filters, Paper, Settings
from assistant.errors import ConfigurationError

PAPERS = [
    Paper(title="Owls", abstract="Owls hunt voles at night. They see well.", year=2021),
    Paper(title="Bees", abstract="Bees collect nectar by day. They dance.", year=2023),
]


def test_papers_dicts_and_files_go_in_together(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text('{"title": "Whales", "abstract": "Whales sing."}\n')
    with Assistant(Settings.load(library=tmp_path / "l"), embedder=FakeEmbedder()) as ours:
        record = {"title": "Cats", "abstract": "Cats sleep.", "year": 2020}
        report = ours.ingest([PAPERS[0], record, file])
        assert (report.added, len(ours.library)) == (3, 3)
        assert [p.title for p in ours.library.papers()] == ["Owls", "Cats", "Whales"]
        bad = ours.ingest([{"nothing": "here"}])
        assert (bad.added, len(bad.rejected)) == (0, 1)


def test_any_embedding_model(tmp_path: Path) -> None:
    ours = Assistant(Settings.load(library=tmp_path), embedder=MockEmbedding(embed_dim=8))
    ours.ingest(PAPERS)
    info = ours.library.info
    assert info is not None
    assert (info.dimension, "MockEmbedding" in info.fingerprint) == (8, True)
    assert ours.search("owls voles")[0].title == "Owls"  # by its words: the vectors are all alike
    with pytest.raises(ConfigurationError, match="no embedding model"):
        Assistant(Settings.load(library=tmp_path), embedder=object())  # type: ignore[arg-type]


def test_any_retriever(tmp_path: Path) -> None:
    nodes = [TextNode(text=p.abstract, metadata={"title": p.title, "year": p.year}) for p in PAPERS]
    index = VectorStoreIndex(nodes, embed_model=MockEmbedding(embed_dim=8))
    settings = Settings.load(library=tmp_path)
    ours = Assistant(settings, embedder=FakeEmbedder(), retriever=index.as_retriever())
    assert {r.title for r in ours.search("owls")} == {"Owls", "Bees"}
    assert [r.title for r in ours.search("x", filters=Filters(first_year=2022))] == ["Bees"]


def test_our_retriever_in_anybodys_query_engine(tmp_path: Path) -> None:
    ours = Assistant(Settings.load(library=tmp_path), embedder=FakeEmbedder())
    ours.ingest(PAPERS)
    from llama_index.core.llms import MockLLM  # noqa: PLC0415

    synthesizer = get_response_synthesizer(llm=MockLLM(), response_mode=ResponseMode.COMPACT)
    engine = RetrieverQueryEngine(ours.retriever, synthesizer)
    answer = engine.query("What do owls hunt?")
    assert answer.source_nodes[0].metadata["title"] == "Owls"
    assert "hunt voles" in str(answer)  # the mock repeats its prompt


def test_the_readmes_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("assistant.embedding.open_embedder", lambda *_, **__: FakeEmbedder())
    names: dict[str, object] = {}
    exec(example, names)
    assert "“Owls hunt voles at night.” [1]" in capsys.readouterr().out
    assert names["nodes"]


def test_every_public_name_is_there() -> None:
    for name in assistant.__all__:
        assert getattr(assistant, name) is not None
    assert {"Message", "Filters", "Answer", "Paper", "DoneEvent", "AssistantError"} <= set(
        assistant.__all__
    )
