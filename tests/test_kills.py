"""Twenty kills of all kinds; three hundred: ``python -m tests.kills --kills 300``."""

from __future__ import annotations

import os

import pytest
from kills import run


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_whoever_is_killed_nothing_is_lost_and_the_same_command_finishes() -> None:
    told: list[str] = []
    counts = run(20, 20261126, tell=told.append)
    kills = sum(count for name, count in counts.items() if "finished" not in name)
    assert kills >= 20
    assert told[0] == "seed 20261126"
    stores = {name.split("/")[1] for name in counts}
    assert stores == {"folder", "server"}
