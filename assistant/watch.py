"""Watching: what is new in the library since the last digest, ranked by what a person liked.

A watch is a name with a question, papers that are liked, or both. What came into the library and
when it was noticed, the watches and the likes are kept in the library's folder, in three small
files that are written whole. A digest shows the best of what is new, each with why it is there,
a sentence of its abstract letter for letter, and what of the library it resembles; the rest is
listed by title, so that nothing is hidden.
"""

from __future__ import annotations

import html
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from assistant.attribution import quoted
from assistant.errors import LibraryError, LibraryNotFound, WatchError
from assistant.escaping import markdown, markdown_link, web_address
from assistant.files import read_sealed, write_sealed
from assistant.filters import Filters
from assistant.library import Library
from assistant.paper import Paper, squeeze
from assistant.profile import Profile
from assistant.retrieved import FEW
from assistant.taste import Fit, Read, rank_by_likes, standardised
from assistant.text import terms, words

if TYPE_CHECKING:
    from assistant.retrieval import PaperRetriever
    from assistant.retrieved import Retrieval, RetrievedPaper

__all__ = ["Digest", "DigestPaper", "Likes", "Watch", "WatchDigest", "Watches", "make_digest"]

Floats = NDArray[np.float32]

_SAMPLE = 600
"""Papers of the library that stand for what was not liked."""
_RANKED_BY_QUERY = 1000
_TITLES = 30
"""Titles of further new papers that a digest lists."""
_STANDS_OUT = 2.0
"""Deviations by which a paper's cosine to a query is above the library's: near it. Of papers of
another field none stood at more than 1.6, of the query's own field the first ten at 2.3 to 4.1."""
_PROFILE_WEIGHT = 0.5
_RESEMBLES = 2

_Stored = TypeVar("_Stored", bound=BaseModel)


# -- what is kept --------------------------------------------------------------------------------


class _Arrival(BaseModel):
    at: str
    ids: list[str]


class _Arrivals(BaseModel):
    """Papers by the moment at which they were noticed."""

    version: int = 1
    arrivals: list[_Arrival] = Field(default_factory=list)


class Watch(BaseModel):
    """What is watched for. ``since``: the moment of the last digest, ISO 8601 in UTC."""

    name: str
    query: str | None = None
    like: list[str] = Field(default_factory=list, description="ids of papers")
    since: str


class _Watches(BaseModel):
    version: int = 1
    watches: list[Watch] = Field(default_factory=list)


class _Likes(BaseModel):
    version: int = 1
    liked: dict[str, bool] = Field(default_factory=dict, description="by id; False: disliked")


class Likes:
    """What a person liked and disliked among the papers; teaches all digests.

    The page and the terminal call `set`. A paper that has left the library is ignored.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "likes.json"

    def all(self) -> dict[str, bool]:
        """Whether it is liked (or disliked), by the paper's id, in the order of telling.

        Raises:
            LibraryError: the file cannot be read.
        """
        return _read(self._path, _Likes).liked

    def set(self, paper_id: str, liked: bool | None) -> None:
        """Likes it, dislikes it (False), or takes back either (None).

        Raises:
            LibraryError: the file cannot be read or written.
        """
        kept = self.all()
        kept.pop(paper_id, None)
        if liked is not None:
            kept[paper_id] = liked
        _write(self._path, _Likes(liked=kept))


class Watches:
    """The watches of a library, and when its papers were noticed."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._path = library.path / "watches.json"
        self._arrivals = library.path / "arrivals.json"

    def all(self) -> list[Watch]:
        """The watches, in the order in which they were added."""
        return _read(self._path, _Watches).watches

    def get(self, name: str) -> Watch:
        """The watch of this name.

        Raises:
            WatchError: there is none.
        """
        for watch in self.all():
            if watch.name.casefold() == name.casefold():
                return watch
        raise WatchError(f"There is no watch {name!r}.", "'assistant watch list' names them.")

    def add(self, name: str, query: str | None = None, like: Sequence[str] = ()) -> Watch:
        """Watches from now on.

        Args:
            name: what it is called.
            query: a question or words.
            like: papers of the library, as `Library.paper` takes them.

        Raises:
            WatchError: the name is taken or empty, or nothing says what to watch for.
            PaperNotFound: a paper of ``like`` is not in the library.
        """
        name, query = squeeze(name), squeeze(query or "") or None
        if not name:
            raise WatchError("The watch has no name.", "Give it one.")
        if any(w.name.casefold() == name.casefold() for w in self.all()):
            raise WatchError(f"There is a watch {name!r} already.", "Remove it first.")
        if not like and not (query and words(query)):
            raise WatchError(
                f"Nothing says what {name!r} watches for.", "Give --query TEXT or --like PAPER."
            )
        ids = list(dict.fromkeys(self._library.paper(paper).id for paper in like))
        self.notice()
        watch = Watch(name=name, query=query, like=ids, since=_now())
        _write(self._path, _Watches(watches=[*self.all(), watch]))
        return watch

    def remove(self, name: str) -> None:
        """Watches no longer; papers and likes stay.

        Raises:
            WatchError: there is no such watch.
        """
        gone = self.get(name)
        _write(self._path, _Watches(watches=[w for w in self.all() if w != gone]))

    def shown(self, names: Iterable[str], at: str) -> None:
        """A digest of these watches that was made at ``at`` has been seen: it counts from there."""
        seen = set(names)
        kept = [
            w.model_copy(update={"since": max(w.since, at)}) if w.name in seen else w
            for w in self.all()
        ]
        _write(self._path, _Watches(watches=kept))

    def notice(self) -> None:
        """Writes down which papers are new, with the moment; called after each change."""
        arrivals = _read(self._arrivals, _Arrivals).arrivals
        known = {paper_id for arrival in arrivals for paper_id in arrival.ids}
        new = [paper.id for paper in self._library.papers() if paper.id not in known]
        if new:
            arrivals.append(_Arrival(at=_now(), ids=new))
            _write(self._arrivals, _Arrivals(arrivals=arrivals))

    @property
    def used(self) -> bool:
        """Whether anybody watches here: what is new then has to be noticed."""
        return self._arrivals.exists()

    def since(self, moment: str) -> list[str]:
        """Ids of the papers that were noticed after ``moment``, the oldest first."""
        arrivals = _read(self._arrivals, _Arrivals).arrivals
        return [paper_id for a in arrivals if a.at > moment for paper_id in a.ids]


# -- what is shown -------------------------------------------------------------------------------


class DigestPaper(BaseModel):
    """A new paper: ``why`` it is shown, its key ``sentence``, what of the library it resembles."""

    paper_id: str
    title: str
    authors: list[str] = Field(default_factory=list)
    year: int | None = None
    venue: str | None = None
    url: str | None = None
    score: float
    why: str
    sentence: str = Field("", description="of the abstract, letter for letter")
    resembles: list[str] = Field(default_factory=list, description="titles of the library")


class WatchDigest(BaseModel):
    """What is new for one watch; ``near``: how many of it are near the query, all if None;
    ``others``: titles of new papers beyond ``papers``.
    """

    watch: str
    since: str
    new: int
    near: int | None = None
    papers: list[DigestPaper] = Field(default_factory=list)
    others: list[str] = Field(default_factory=list)

    @property
    def unnamed(self) -> int:
        """How many new papers are only counted."""
        return self.new - len(self.papers) - len(self.others)


class Digest(BaseModel):
    """What is new, by watch."""

    at: str
    watches: list[WatchDigest]

    def render(self, form: Literal["md", "html"]) -> str:
        """As a document."""
        return _html(self) if form == "html" else _markdown(self)


def make_digest(
    library: Library,
    retriever: PaperRetriever,
    name: str | None = None,
    *,
    since: date | None = None,
    k: int = 10,
    with_profile: bool = False,
) -> Digest:
    """What is new since the last digest (or ``since``), for one watch or for all.

    Without any watch, everything new is ranked by the likes. It counts as seen only when
    `Watches.shown` is told so.

    Raises:
        WatchError: there is no watch of this name, or none and nothing says since when.
        LibraryNotFound: there is no paper.
    """
    watches = Watches(library)
    watches.notice()
    now = _now()
    chosen = [watches.get(name)] if name else watches.all()
    if not chosen:
        if since is None:
            raise WatchError(
                "Nothing is watched yet.",
                "Add a watch: assistant watch add NAME --query TEXT; or give --since DATE.",
            )
        chosen = [Watch(name="What is new", since=now)]
    ranker = _Ranker(library, retriever, with_profile)
    shown = []
    for watch in chosen:
        moment = since.isoformat() if since else watch.since
        shown.append(ranker.digest(watch, moment, watches.since(moment), k))
    return Digest(at=now, watches=shown)


class _Ranker:
    """The library's papers and vectors, read once for all watches of a digest."""

    def __init__(self, library: Library, retriever: PaperRetriever, with_profile: bool) -> None:
        self._retriever = retriever
        self._papers = {paper.id: paper for paper in library.papers()}
        if not self._papers:
            raise LibraryNotFound("The library holds no paper.", "Add some: assistant sync SOURCE.")
        ids, self._vectors = library.vectors()
        self._place = {paper_id: n for n, paper_id in enumerate(ids)}
        self._likes = Likes(library.path).all()
        self._interests = Profile(library.path).interests() if with_profile else []

    def digest(self, watch: Watch, since: str, new: Sequence[str], k: int) -> WatchDigest:
        liked = self._known([*watch.like, *(i for i, liked in self._likes.items() if liked)])
        disliked = self._known(i for i, liked in self._likes.items() if not liked)
        known = {*liked, *disliked}
        ids = [i for i in self._known(new) if i not in known]
        if not ids:
            return WatchDigest(watch=watch.name, since=since, new=0)
        old = [i for i in self._place if i not in set(ids)]
        near: int | None = None
        scores = np.zeros(len(ids), np.float32)
        fits: list[Fit] = [Fit(0.0)] * len(ids)
        if liked:
            fits = self._fits(ids, liked, disliked, old)
            scores += standardised(np.array([fit.score for fit in fits], np.float32))
        if watch.query:
            most = min(len(ids), _RANKED_BY_QUERY)
            found = self._retriever.find(watch.query, most, Filters(ids=tuple(ids)))
            by_query = {paper.paper.id: paper.score for paper in found}
            scores += standardised(np.array([by_query.get(i, 0.0) for i in ids], np.float32))
        if self._interests:
            scores += _PROFILE_WEIGHT * standardised(self._by_interest(ids))
        order = np.argsort(-scores, kind="stable")
        if watch.query and not liked and not self._interests:
            held = _near(watch.query, found)
            far = [ids[n] not in held for n in order]
            order, near = order[np.argsort(far, kind="stable")], len(held)
        target = self._target(watch, liked)
        best = [
            self._entry(ids[n], float(scores[n]), fits[n], watch, liked, old, target)
            for n in order[: k if near is None else min(k, near)]
        ]
        others = [self._papers[ids[n]].label for n in order[len(best) : len(best) + _TITLES]]
        return WatchDigest(
            watch=watch.name, since=since, new=len(ids), near=near, papers=best, others=others
        )

    def _known(self, ids: Iterable[str]) -> list[str]:
        return [i for i in dict.fromkeys(ids) if i in self._place and i in self._papers]

    def _of(self, ids: Sequence[str]) -> Floats:
        vectors: Floats = self._vectors[[self._place[i] for i in ids]]
        return vectors

    def _fits(
        self, ids: Sequence[str], liked: Sequence[str], disliked: Sequence[str], old: Sequence[str]
    ) -> list[Fit]:
        rest = [i for i in old if i not in {*liked, *disliked}]
        sample = random.Random(0).sample(rest, min(_SAMPLE, len(rest)))  # noqa: S311
        new, good, bad, others = map(self._read, (ids, liked, disliked, sample))
        return rank_by_likes(new, good, disliked=bad, others=others)

    def _read(self, ids: Sequence[str]) -> Read:
        return Read([self._papers[i].text for i in ids], self._of(ids))

    def _by_interest(self, ids: Sequence[str]) -> Floats:
        """The cosine to the nearest interest."""
        wanted = np.stack([self._retriever.find(text, 1).vector for text in self._interests])
        nearest: Floats = (self._of(ids) @ wanted.T).max(axis=1)
        return nearest

    def _target(self, watch: Watch, liked: Sequence[str]) -> Floats | None:
        """The direction that key sentences are chosen by."""
        if watch.query:
            return self._retriever.find(watch.query, 1).vector
        if not liked:
            return None
        mean: Floats = self._of(liked).mean(axis=0)
        unit: Floats = mean / max(float(np.linalg.norm(mean)), 1e-6)
        return unit

    def _entry(
        self,
        paper_id: str,
        score: float,
        fit: Fit,
        watch: Watch,
        liked: Sequence[str],
        old: Sequence[str],
        target: Floats | None,
    ) -> DigestPaper:
        paper = self._papers[paper_id]
        near = self._nearest(paper_id, [i for i in old if i not in set(liked)], _RESEMBLES)
        return DigestPaper(
            paper_id=paper_id,
            title=paper.label,
            authors=list(paper.authors),
            year=paper.year,
            venue=paper.venue,
            url=paper.link,
            score=round(score, 3),
            why=self._why(paper, fit, watch, liked),
            sentence=self._sentence(paper_id, target),
            resembles=[self._papers[i].label for i in near],
        )

    def _nearest(self, paper_id: str, among: Sequence[str], count: int) -> list[str]:
        if not among:
            return []
        cosines = self._of(among) @ self._of([paper_id])[0]
        return [among[n] for n in np.argsort(-cosines)[:count]]

    def _why(self, paper: Paper, fit: Fit, watch: Watch, liked: Sequence[str]) -> str:
        reasons = []
        if liked:
            like = self._papers[self._nearest(paper.id, liked, 1)[0]].label
            reason = f"nearest to “{like}”, which you liked"
            if fit.words:
                reason += f"; your likes share its {', '.join(f'“{word}”' for word in fit.words)}"
            reasons.append(reason)
        if watch.query:
            held = set(words(paper.text))
            shared = [w for w in dict.fromkeys(words(watch.query)) if w in held and len(w) > 3]
            named = ", ".join(f"“{word}”" for word in shared)
            reasons.append(f"it speaks of {named}" if shared else "near in meaning to the query")
        reasons = reasons or ["it is new"]
        text = "; ".join(reasons)
        return f"{text[0].upper()}{text[1:]}."

    def _sentence(self, paper_id: str, target: Floats | None) -> str:
        """The sentence nearest to ``target`` that stands alone, else to the paper's own mean."""
        vector = self._of([paper_id])[0] if target is None else target
        found = self._retriever.read([paper_id], vector)
        if not found or not found[0].sentences:
            return ""
        paper = found[0]
        for n in np.argsort(-(paper.vectors @ vector)):
            if text := quoted(paper.sentences, int(n)):
                return text
        return paper.sentences[0]


def _near(query: str, found: Retrieval) -> set[str]:
    """The ids of what stands out of the library for the query, or holds half of its words by
    their weight; of all where the library is small.
    """
    if found.statistics.papers_held < FEW:
        return {one.paper.id for one in found}
    weights = {stem: found.statistics.idf(stem) for stem in terms(query)}
    least = sum(weights.values()) / 2

    def holds(one: RetrievedPaper) -> bool:
        held = set(terms(one.paper.text))
        shared = sum(weight for stem, weight in weights.items() if stem in held)
        return shared > 0 and shared >= least

    return {one.paper.id for one in found if one.standing >= _STANDS_OUT or holds(one)}


# -- documents -----------------------------------------------------------------------------------


def _byline(paper: DigestPaper) -> str:
    names = ", ".join(paper.authors[:3]) + (" and others" if len(paper.authors) > 3 else "")
    return " · ".join(filter(None, (names, paper.venue, str(paper.year or ""))))


def _markdown(digest: Digest) -> str:
    lines = [f"# What is new, {digest.at[:10]}", ""]
    for watch in digest.watches:
        lines += [f"## {markdown(watch.watch)}", "", _counted(watch), ""]
        for n, paper in enumerate(watch.papers, 1):
            lines.append(f"{n}. **{markdown_link(paper.title, paper.url)}**  ")
            parts = [markdown(_byline(paper)), markdown(paper.why)]
            parts += [f"> {markdown(paper.sentence)}"] if paper.sentence else []
            resembles = "; ".join(map(markdown, paper.resembles))
            parts += [f"Resembles: {resembles}"] if resembles else []
            lines += [f"\n   {part}" for part in parts if part]
            lines.append("")
        if watch.others:
            lines += ["### Also new", "", *(f"- {markdown(title)}" for title in watch.others), ""]
        if watch.unnamed:
            lines += [f"And {watch.unnamed:,} more.", ""]
    return "\n".join(lines)


def _counted(watch: WatchDigest) -> str:
    if not watch.new:
        return f"No new paper since {watch.since[:10]}."
    papers = "paper" if watch.new == 1 else "papers"
    new = f"{watch.new:,} new {papers} since {watch.since[:10]}"
    if watch.near is None or watch.near == watch.new:
        return f"{new}; the nearest come first."
    near = f"{watch.near:,}" if watch.near else "none"
    return f"{new}, {near} near the query."


def _html(digest: Digest) -> str:
    body = [f"<h1>What is new, {digest.at[:10]}</h1>"]
    for watch in digest.watches:
        body.append(f"<h2>{html.escape(watch.watch)}</h2><p>{html.escape(_counted(watch))}</p><ol>")
        for paper in watch.papers:
            title = html.escape(paper.title)
            if address := web_address(paper.url):
                title = f'<a href="{html.escape(address)}">{title}</a>'
            parts = [f"<strong>{title}</strong>"]
            if byline := _byline(paper):
                parts.append(f"<small>{html.escape(byline)}</small>")
            parts.append(html.escape(paper.why))
            if paper.sentence:
                parts.append(f"<q>{html.escape(paper.sentence)}</q>")
            if paper.resembles:
                near = html.escape("; ".join(paper.resembles))
                parts.append(f"<small>Resembles: {near}</small>")
            body.append("<li>" + "".join(f"<p>{part}</p>" for part in parts) + "</li>")
        body.append("</ol>")
        if watch.others:
            titles = "".join(f"<li>{html.escape(title)}</li>" for title in watch.others)
            body.append(f"<h3>Also new</h3><ul>{titles}</ul>")
        if watch.unnamed:
            body.append(f"<p>And {watch.unnamed:,} more.</p>")
    style = "body{max-width:44em;margin:2em auto;padding:0 1em;font:1em/1.5 sans-serif}"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>What is new</title><style>{style} li p{{margin:.2em 0}}</style>\n"
        + "\n".join(body)
        + "\n</html>\n"
    )


# -- files ---------------------------------------------------------------------------------------


def _read(path: Path, form: type[_Stored]) -> _Stored:
    try:
        return form.model_validate_json(read_sealed(path))
    except FileNotFoundError:
        return form()
    except (OSError, ValueError):
        raise LibraryError(
            f"{path} cannot be read.",
            "Run 'assistant doctor --repair', which saves what can be saved, or correct it.",
        ) from None


def _write(path: Path, value: BaseModel) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sealed(path, value.model_dump_json(indent=1), remembered=True)
    except OSError as error:
        raise LibraryError(f"{path} cannot be written: {error.strerror or error}.") from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
