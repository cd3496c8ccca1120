"""The sample library: 120 papers, each abstract told again in our own words ("digests").

It serves the demo, the first visit and the tests; it is not a source to cite from.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["SAMPLE_PAPERS"]

SAMPLE_PAPERS = Path(__file__).with_name("papers.jsonl")
"""JSON Lines that the readers know, one digest a line."""
