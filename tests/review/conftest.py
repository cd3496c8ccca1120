"""Libraries for reviews: the sample's papers, or papers written in the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from assistant.assistant import Assistant
from assistant.embedding import Embedder
from assistant.paper import Paper
from assistant.settings import Settings

Make = Callable[..., Assistant]

SHARED = "Mixtures of experts need much memory when they are served to many people at once."


def expert_papers() -> list[Paper]:
    """Ten papers on mixtures of experts: four prune, three quantize, three route."""
    made = []
    for n, name in enumerate(("Cutter", "Trimmer", "Shears", "Scythe")):
        made.append(
            Paper(
                title=f"{name}: Expert Pruning for Mixtures of Experts",
                abstract=f"{SHARED} However, it is unclear which experts of a mixture can be "
                f"dropped. We propose {name}, a method for expert pruning that drops experts by "
                f"score {n}. "
                f"Expert pruning by {name} reduces memory by {40 + n}% at a loss of 0.{n + 1} "
                "points of accuracy. Whether pruned experts hold rare knowledge remains an open "
                "question.",
                year=2020 + n,
            )
        )
    for n, name in enumerate(("Bitter", "Rounder", "Packer")):
        made.append(
            Paper(
                title=f"{name}: Expert Quantization with {n + 2} Bits",
                abstract="Weights of experts fill the memory of an accelerator. We introduce "
                f"{name}, an expert quantization scheme with {n + 2} bits per weight for mixtures "
                "of experts. "
                f"{name} is {n + 2}.5x faster than the uncompressed mixture of experts. "
                "It fails to help when the batch is small.",
                authors=("Ada Lovelace", "José Núñez"),
                doi=f"10.1000/{name.lower()}",
            )
        )
    for n, name in enumerate(("Pathway", "Switchyard", "Signpost")):
        made.append(
            Paper(
                title=f"{name}: Token Routing in Mixtures of Experts",
                abstract="Routers of mixtures of experts send too many tokens to few experts. This "
                f"paper presents {name}, a token routing layer that balances the load of experts. "
                f"With token routing by {name}, accuracy on ImageNet rises to {80 + n}.{n}%.",
            )
        )
    return made


def other_papers() -> list[Paper]:
    """Papers on other subjects, so that not everything is relevant."""
    subjects = ("tides", "bees", "glaciers", "violins", "bread", "comets", "harbours", "orchids")
    return [
        Paper(
            title=f"A Study of {subject.title()}",
            abstract=f"We study {subject} over many years. The {subject} changed slowly with the "
            f"weather of the coast, and {subject} were counted by hand.",
        )
        for subject in subjects
    ]


@pytest.fixture
def make(tmp_path: Path, remembering_embedder: Embedder) -> Make:
    """An assistant over ``papers``; settings by name."""

    def made(papers: Iterable[Paper], **settings: object) -> Assistant:
        assistant = Assistant(Settings.load(library=tmp_path / "library", **settings))
        assistant._opened_embedder = remembering_embedder
        assistant.library.ingest(papers)
        return assistant

    return made


@pytest.fixture(scope="session")
def experts(tmp_path_factory: pytest.TempPathFactory, remembering_embedder: Embedder) -> Assistant:
    """The papers on experts among others; only read."""
    assistant = Assistant(Settings(library=tmp_path_factory.mktemp("experts") / "library"))
    assistant._opened_embedder = remembering_embedder
    assistant.library.ingest([*expert_papers(), *other_papers()])
    return assistant


@pytest.fixture(scope="session")
def sample(
    tmp_path_factory: pytest.TempPathFactory,
    remembering_embedder: Embedder,
    sample_papers: list[Paper],
) -> Assistant:
    """The sample library; only read."""
    assistant = Assistant(Settings(library=tmp_path_factory.mktemp("reviewed") / "library"))
    assistant._opened_embedder = remembering_embedder
    assistant.library.ingest(sample_papers)
    return assistant
