"""Is a reply beside the point? Its sentences are read as if they were an abstract's.

A sentence may be true and answer nothing. Where no model judges that, the evidence that the
reply's own words give for the question (`evidence`) is held against that of the papers found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.answering.evidence import PassageText
from assistant.retrieved import RetrievedPaper

if TYPE_CHECKING:
    from assistant.answering.confidence import Assessment
    from assistant.answering.evidence import PassageReader

__all__ = ["Said", "is_beside"]

Said = Sequence[tuple[RetrievedPaper, Sequence[str]]]
"""Papers, and what a reply says with their citation."""
_LESS = 5.5
"""Log-odds that the best of a reply may be below the best abstract. Of sentences that state the
fact that is asked for (191, three fields) 3% are farther below, of the others of the same
abstracts (884) 22%."""


def is_beside(judged: Assessment, reader: PassageReader, said: Said) -> bool:
    """Whether what is ``said`` answers the question far less than the papers found could."""
    passages = [
        PassageText(found.paper.title, texts, reader.embedder.embed(texts), found.standing)
        for found, texts in said
        if texts
    ]
    if not passages or not judged.readings:
        return False
    best = max(reader.reading(judged.question, passage).log_odds for passage in passages)
    return best < max(judged.evidence) - _LESS
