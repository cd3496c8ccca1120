"""Public abstracts that questions were written for, found again by the digest of their text.

Nobody's abstract stands in this repository: `Abstracts` reads them from two public collections
whose clones lie in one folder, arxiv_archive (GitHub: staeiou; metadata of arXiv, CC0) and
systematic-review-datasets (GitHub: asreview; records of published reviews, MIT).
"""

from __future__ import annotations

import csv
import hashlib
import lzma
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.text import sentences
from eval.data import EvalError

__all__ = ["SENTENCES", "Abstract", "Abstracts"]

SENTENCES = Path(__file__).with_name("sentences")
"""What was written over them; its README is the data's card."""
_ARXIV = "arxiv_archive/processed_data/20200101/per_category/{}.tsv.xz"
_REVIEWS = "systematic-review-datasets/datasets/{}.csv"
_LENGTH = range(500, 2201)
"""Characters of an abstract."""
_SENTENCES = range(4, 17)
_FOREIGN = 30
"""Characters beyond ASCII up to which an abstract is taken for English."""
_SINCE = "2005"


@dataclass(frozen=True, slots=True)
class Abstract:
    """A paper's title and the sentences of its abstract; ``digest`` names it."""

    digest: str
    source: str
    title: str
    sentences: tuple[str, ...]


class Abstracts:
    """The collections in ``folder``. A source is "arxiv:CATEGORY" or "review:PATH"."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        csv.field_size_limit(10**7)

    def of(self, source: str, *, every: bool = False) -> Iterator[Abstract]:
        """Those of ``source`` that are of a common length, or ``every`` one; each title once.

        Raises:
            EvalError: the clone is not there.
        """
        seen: set[str] = set()
        for title, abstract in self._records(source, every=every):
            head, text = " ".join(title.split()), " ".join(abstract.split())
            if not head or not text or head.lower() in seen:
                continue
            foreign = sum(ord(letter) > 127 for letter in text) > _FOREIGN
            if not every and (len(text) not in _LENGTH or foreign):
                continue
            seen.add(head.lower())
            digest = hashlib.sha256(f"{head}\n{text}".encode()).hexdigest()[:10]
            parts = tuple(text[span.start : span.end] for span in sentences(text))
            if every or len(parts) in _SENTENCES:
                yield Abstract(digest, source, head, parts)

    def some(self, source: str, number: int) -> list[Abstract]:
        """``number`` of ``source``, drawn the same way each time."""
        found = list(self.of(source))
        random.Random(source).shuffle(found)  # noqa: S311
        return found[:number]

    def listed(
        self, lines: Sequence[Mapping[str, Any]], *, every: bool = False
    ) -> dict[str, Abstract]:
        """By digest, those that ``lines`` of a list of papers in `SENTENCES` name.

        ``every``: whatever their length. Says which source has fewer than it had.
        """
        wanted = {(line["s"], line["p"]) for line in lines}
        sources = sorted({source for source, _ in wanted})
        found = {
            one.digest: one
            for source in sources
            for one in self.of(source, every=every)
            if (source, one.digest) in wanted
        }
        for source in sources:
            gone = [name for of, name in wanted if of == source and name not in found]
            if gone:
                print(f"{source}: {len(gone)} papers are not there any more")
        return found

    def _records(self, source: str, *, every: bool) -> Iterator[tuple[str, str]]:
        kind, _, name = source.partition(":")
        path = self._folder / (_ARXIV if kind == "arxiv" else _REVIEWS).format(name)
        if not path.is_file():
            raise EvalError(
                f"{path} is missing.",
                f"Clone staeiou/arxiv_archive and asreview/systematic-review-datasets into "
                f"{self._folder}.",
            )
        if kind == "arxiv":
            with lzma.open(path, "rt", encoding="utf-8", errors="replace", newline="") as text:
                for row in csv.DictReader(text, delimiter="\t"):
                    own = row["primary_cat"] == name and (row["created"] or "") >= _SINCE
                    if every or own:
                        yield row["title"] or "", row["abstract"] or ""
        else:
            with path.open(encoding="utf-8", errors="replace", newline="") as text:
                for row in csv.DictReader(text):
                    yield row.get("title") or "", row.get("abstract") or ""
