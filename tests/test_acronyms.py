"""Short forms, as papers spell them out."""

from __future__ import annotations

from pathlib import Path

from assistant import Assistant
from assistant.acronyms import long_forms
from assistant.embedding import Embedder
from assistant.paper import Paper
from assistant.settings import Settings

PAPERS = [
    Paper(
        title="Trade in one order",
        abstract="We apply the uncertain and sequential trade (UST) model to two puzzles of trade."
        " It explains both of them.",
    ),
    Paper(
        title="Credit and stocks of goods",
        abstract="Prices follow the stock of goods. The findings are those of the UST model.",
    ),
    Paper(title="Herons in winter", abstract="Grey herons leave frozen lakes. They come back."),
    Paper(title="The sound of bridges", abstract="Bridges hum in the wind. Dampers stop it."),
]


def test_what_papers_spell_out() -> None:
    found = long_forms(
        [
            "the uncertain and sequential trade (UST) model",
            "of head-related transfer functions (HRTFs)",
            "We train with a 2-D virtual reality (2DVR) programme after a Data Release (5DR)",
            "Uncertain and Sequential Trade (UST), in all cases (seen by us), a model (ML)",
        ]
    )
    assert found[("uncertain and sequential trade", "UST")] == 2
    assert set(found) == {
        ("uncertain and sequential trade", "UST"),
        ("head-related transfer functions", "HRTF"),
        ("2-d virtual reality", "2DVR"),
    }


def test_a_short_form_is_asked_in_full(
    tmp_path: Path, remembered: Embedder, model_cache: Path
) -> None:
    with Assistant(Settings(library=tmp_path / "library", cache=model_cache)) as assistant:
        assistant.ingest(PAPERS)
        answer = assistant.ask("what is UST")
        assert answer.status == "answered"
        assert "“UST” is short for “uncertain and sequential trade” here:" in answer.answer
        assert answer.citations[0].title == "Trade in one order"
        assert assistant.ask("what is XQT").status != "answered"
