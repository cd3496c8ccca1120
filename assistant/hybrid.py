"""Chroma Cloud and distributed Chroma: one Search request finds candidates by meaning and words.

There the words of a paper stand beside its vector as a sparse vector, on its first row: one
dimension a stem (its CRC-32), its value the part of BM25 that belongs to the paper,

    tf / (tf + k1 · (1 - b + b · length / 150))

The question's sparse vector carries idf · occurrences, so that the inner product is BM25 but for
the mean length, which nobody knows while papers are being added. The server ranks by both,
fuses by reciprocal ranks (Cormack et al., SIGIR 2009, k = 60), and filters. What it proposes is
scored exactly afterwards, as everywhere (`assistant.retrieval`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from assistant.paper import Paper
from assistant.records import bag_of, word_hash

if TYPE_CHECKING:
    import httpx
    from chromadb import Schema
    from chromadb.api.models.Collection import Collection
    from chromadb.base_types import SparseVector

__all__ = [
    "MOST_PREDICATES",
    "MOST_RESULTS",
    "ROWS_PER_WRITE",
    "make_patient",
    "paper_words",
    "schema",
    "search",
]

ROWS_PER_WRITE = 300
MOST_RESULTS = 300
MOST_PREDICATES = 8
"""Quotas of Chroma Cloud, by its documentation (docs.trychroma.com/cloud/quotas-limits)."""

_WORDS = "words"
"""Metadata key of the sparse vector."""
_LENGTH = 150
_K1, _B = 1.2, 0.75
_PATIENCE = 120
"""Seconds that a server may refuse for being asked too much."""


def schema(kept_only: Sequence[str]) -> Schema:
    """Of a new collection: cosine, an index of the words, none of what is only kept."""
    from chromadb import (  # noqa: PLC0415
        Schema,
        SparseVectorIndexConfig,
        StringInvertedIndexConfig,
        VectorIndexConfig,
    )

    made = Schema().create_index(VectorIndexConfig(space="cosine"))
    made.create_index(SparseVectorIndexConfig(), key=_WORDS)
    for key in kept_only:
        made.delete_index(StringInvertedIndexConfig(), key=key)
    return made


def paper_words(paper: Paper, title_repeats: int) -> dict[str, SparseVector]:
    """The metadata that holds the words of a paper; empty for one without any."""
    bag = bag_of(paper, title_repeats)
    norm = _K1 * (1 - _B + _B * len(bag) / _LENGTH)
    weights = {term: tf / (tf + norm) for term, tf in Counter(bag).items()}
    return {_WORDS: _sparse(weights)} if weights else {}


def search(
    collection: Collection,
    vector: NDArray[np.float32],
    words: Mapping[str, float],
    most: int,
    where: Mapping[str, Any] | None,
) -> list[str]:
    """Ids of rows, best first: at most ``most`` by the vector and ``most`` by the words."""
    from chromadb import K, Knn, Rrf, Search  # noqa: PLC0415

    most = min(most, MOST_RESULTS)
    far = 10.0 * most  # the rank of a row that only the other ranking holds
    ranks: list[Any] = [Knn(query=vector.tolist(), limit=most, default=far, return_rank=True)]
    if words:
        query = _sparse(words)
        ranks.append(Knn(query=query, key=_WORDS, limit=most, default=far, return_rank=True))
    request = Search(
        where=cast(Any, dict(where)) if where else None,
        rank=Rrf(ranks) if len(ranks) > 1 else ranks[0],
        limit=MOST_RESULTS,
        select=[K.SCORE.name],
    )
    return list(collection.search(request)["ids"][0])


def make_patient(session: httpx.Client) -> None:
    """Makes ``session`` wait and ask again where the server says that it is asked too much.

    Chroma's client raises at the first 429, and takes no transport.
    """
    import httpx  # noqa: PLC0415
    from tenacity import (  # noqa: PLC0415
        Retrying,
        retry_if_result,
        stop_after_delay,
        wait_random_exponential,
    )

    again = Retrying(
        retry=retry_if_result(
            lambda response: response.status_code == httpx.codes.TOO_MANY_REQUESTS
        ),
        wait=wait_random_exponential(0.5, 20),
        stop=stop_after_delay(_PATIENCE),
        before_sleep=lambda state: cast(Any, state.outcome).result().close(),
        retry_error_callback=lambda state: cast(Any, state.outcome).result(),
    )
    send = session._transport.handle_request
    session._transport.handle_request = lambda request: again(send, request)  # type: ignore[method-assign]


def _sparse(weights: Mapping[str, float]) -> SparseVector:
    from chromadb.base_types import SparseVector  # noqa: PLC0415

    by_place: dict[int, float] = {}
    for term, weight in weights.items():
        place = word_hash(term)
        by_place[place] = by_place.get(place, 0.0) + float(weight)
    places = sorted(by_place)
    return SparseVector(indices=places, values=[by_place[place] for place in places])
