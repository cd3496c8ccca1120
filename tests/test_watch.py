from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from assistant.assistant import Assistant
from assistant.attribution import is_verbatim
from assistant.embedding import Embedder
from assistant.errors import LibraryError, PaperNotFound, WatchError
from assistant.library import Library
from assistant.paper import Paper
from assistant.profile import Profile, by_interest
from assistant.retrieval import PaperRetriever
from assistant.settings import Settings
from assistant.taste import Read, rank_by_likes, standardised
from assistant.watch import Digest, Likes, Watches, make_digest

BEES = [
    Paper(
        title=f"Bees and Their Hives, Part {n}",
        abstract=f"Bees gather nectar in hive {n}. This makes honey. Winter kills {n} of ten bees.",
        authors=("Mel Apis",),
        year=2020 + n,
    )
    for n in range(1, 5)
]
SHIPS = [
    Paper(
        title=f"Steel Ships on the Sea, Part {n}",
        abstract=f"Steel hulls of {n} ships were bent. Rust weakens keels. Sailors see stars.",
    )
    for n in range(1, 5)
]


@pytest.fixture
def library(make_library: Callable[..., Library]) -> Library:
    library = make_library()
    library.ingest([*BEES[:2], *SHIPS[:2]])
    return library


@pytest.fixture
def digest(library: Library, embedder: Embedder) -> Callable[..., Digest]:
    settings = Settings().retrieval

    def make(name: str | None = None, **more: object) -> Digest:
        retriever = PaperRetriever(library, embedder, settings)
        return make_digest(library, retriever, name, **more)  # type: ignore[arg-type]

    return make


def test_only_what_came_since_ranked_by_what_is_liked(
    library: Library, digest: Callable[..., Digest]
) -> None:
    watches = Watches(library)
    watches.add("honey", like=[BEES[0].title])
    assert digest("honey").watches[0].new == 0
    library.ingest([*SHIPS[2:], *BEES[2:]])
    made = digest("HONEY", k=2)
    found = made.watches[0]
    assert found.new == 4
    assert {paper.title for paper in found.papers} == {BEES[2].title, BEES[3].title}
    assert set(found.others) == {SHIPS[2].title, SHIPS[3].title}
    first = found.papers[0]
    assert first.why.startswith(f"Nearest to “{BEES[0].title}”, which you liked; your likes share")
    assert "“honey”" in first.why
    assert first.resembles[0] == BEES[1].title
    abstract = library.paper(first.paper_id).abstract
    assert first.sentence
    assert is_verbatim(first.sentence, abstract)
    assert not first.sentence.startswith("This")
    watches.shown(["honey"], made.at)
    assert digest().watches[0].new == 0
    assert digest(since=date(2000, 1, 1)).watches[0].new == 7  # all but the liked one


def test_a_query_is_answered_with_what_is_near_it(
    make_library: Callable[..., Library], embedder: Embedder
) -> None:
    library = make_library()
    ships = [
        Paper(
            title=f"Steel Ships on the Sea, Part {n}",
            abstract=f"Steel hulls of {n} ships were bent. Rust weakens keels. Sailors see stars.",
        )
        for n in range(30)
    ]
    library.ingest([*BEES[:2], *ships[:20]])
    Watches(library).add("bees", query="honey bees")
    library.ingest(ships[20:])
    retriever = PaperRetriever(library, embedder, Settings().retrieval)
    made = make_digest(library, retriever, "bees")
    (found,) = made.watches
    assert (found.new, found.near, found.papers) == (10, 0, [])
    assert len(found.others) == 10
    assert "10 new papers" in made.render("md")
    assert "none near the query" in made.render("md")
    library.ingest(BEES[2:])
    (found,) = make_digest(library, retriever, "bees").watches
    assert (found.new, found.near) == (12, 2)
    assert {paper.title for paper in found.papers} == {BEES[2].title, BEES[3].title}


def test_words_said_to_be_shared_are_in_more_than_one_like(
    library: Library, digest: Callable[..., Digest]
) -> None:
    likes = [paper.title for paper in BEES[:2]]
    Watches(library).add("honey", like=likes)
    library.ingest([*BEES[2:], *SHIPS[2:]])
    texts = [f"{p.title} {p.abstract}".lower() for p in BEES[:2]]
    named = [
        word
        for paper in digest().watches[0].papers
        for word in re.findall("“([^”]+)”", paper.why.partition("your likes share")[2])
    ]
    assert "honey" in named
    assert [w for w in named if not all(part in t for t in texts for part in w.split())] == []


def test_two_words_are_shown_only_where_they_stand_together() -> None:
    liked = ["early diagnosis of gout", "the diagnosis of gout early"]
    vectors = np.eye(4, dtype=np.float32)
    texts = ["early diagnosis of gout", "ships"]
    others = Read(["gout", "diagnosis"], vectors[:2])
    fits = rank_by_likes(Read(texts, vectors[:2]), Read(liked, vectors[2:]), others=others)
    assert "early" in fits[0].words
    assert "diagnosis gout" not in fits[0].words


def test_what_is_too_much_to_name_is_counted(
    library: Library, digest: Callable[..., Digest]
) -> None:
    Watches(library).add("sea", "rust")
    library.ingest(Paper(title=f"Rust {n}", abstract=f"Rust eats {n} nails.") for n in range(40))
    made = digest(k=2)
    assert len(made.watches[0].others) < 38
    left = f"And {38 - len(made.watches[0].others)} more."
    assert left in made.render("md")
    assert left in made.render("html")


def test_a_query_ranks_what_is_new(library: Library, digest: Callable[..., Digest]) -> None:
    Watches(library).add("sea", "How does rust weaken steel ships?")
    library.ingest([*BEES[2:], *SHIPS[2:]])
    papers = digest().watches[0].papers
    assert [p.title.split()[0] for p in papers] == ["Steel", "Steel", "Bees", "Bees"]
    assert "“rust”" in papers[0].why
    assert "“steel”" in papers[0].why


def test_likes_and_dislikes_teach(library: Library, digest: Callable[..., Digest]) -> None:
    library.ingest(SHIPS[2:3])
    Watches(library).add("all", like=[SHIPS[0].title, BEES[0].title])
    library.ingest([BEES[2], SHIPS[3]])
    likes = Likes(library.path)
    for paper in SHIPS[:3]:
        likes.set(library.paper(paper.title).id, False)
    likes.set(library.paper(BEES[1].title).id, True)
    assert digest().watches[0].papers[0].title == BEES[2].title
    likes.set(library.paper(SHIPS[0].title).id, None)
    assert list(likes.all().values()) == [False, False, True]


def test_a_paper_that_has_gone_is_forgotten(
    library: Library, digest: Callable[..., Digest]
) -> None:
    Watches(library).add("honey", like=[BEES[0].title])
    library.remove([BEES[0].title])
    library.ingest(BEES[2:])
    assert digest().watches[0].papers[0].why == "It is new."


def test_documents_show_texts_as_they_are(library: Library, digest: Callable[..., Digest]) -> None:
    Watches(library).add("<b>*honey*</b>", "bees")
    library.ingest([Paper(title="Bees <script> & [hives](x)", abstract="Bees *hum* at <5 Hz.")])
    made = digest()
    page = made.render("html")
    assert "<script>" not in page
    assert "Bees &lt;script&gt; &amp; [hives](x)" in page
    assert "Bees *hum* at &lt;5 Hz." in page
    text = made.render("md")
    assert r"Bees \<script\> & \[hives\]\(x)" in text
    assert r"> Bees \*hum\* at \<5 Hz." in text


def test_watches_that_cannot_be(library: Library, digest: Callable[..., Digest]) -> None:
    watches = Watches(library)
    with pytest.raises(WatchError, match="Nothing is watched yet"):
        digest()
    with pytest.raises(WatchError, match="Nothing says"):
        watches.add("x", "…")
    with pytest.raises(WatchError, match="no name"):
        watches.add(" ", "bees")
    with pytest.raises(PaperNotFound):
        watches.add("x", like=["No Such Paper"])
    watches.add("x", "bees")
    with pytest.raises(WatchError, match="already"):
        watches.add("X", "ships")
    with pytest.raises(WatchError, match="no watch 'y'"):
        digest("y")
    watches.remove("x")
    assert watches.all() == []
    (library.path / "likes.json").write_text("[")
    with pytest.raises(LibraryError, match=r"likes\.json cannot be read"):
        Likes(library.path).all()


def test_the_profile_is_a_list_that_one_edits(tmp_path: Path) -> None:
    profile = Profile(tmp_path)
    assert profile.interests() == []
    profile.add("small  models")
    profile.add("bees")
    profile.path.write_text(profile.path.read_text() + "\n  honey \n# not this\n")
    assert profile.interests() == ["small models", "bees", "honey"]
    assert profile.remove("Bees")
    assert not profile.remove("wasps")
    assert Profile(tmp_path).interests() == ["small models", "honey"]


def test_the_profile_ranks_a_digest_only_where_it_is_wanted(
    library: Library, digest: Callable[..., Digest]
) -> None:
    Watches(library).add("all", like=[BEES[0].title, SHIPS[0].title])
    library.ingest([SHIPS[2], BEES[2]])
    Profile(library.path).add("rust on steel hulls")
    plain = [p.score for p in digest().watches[0].papers]
    ranked = digest(with_profile=True).watches[0].papers
    assert ranked[0].title == SHIPS[2].title
    assert sorted(plain) != sorted(p.score for p in ranked)


def test_ties_only_are_ordered_by_interest(library: Library, embedder: Embedder) -> None:
    retriever = PaperRetriever(library, embedder, Settings().retrieval)
    found = retriever.find("steel ships and bees", 4).papers
    interest = embedder.embed(["Bees gather nectar. This makes honey."])

    def titles(*scores: float) -> list[str]:
        papers = [replace(p, score=s) for p, s in zip(ordered, scores, strict=True)]
        return [p.paper.title.split()[0] for p in by_interest(papers, interest)]

    ordered = sorted(found, key=lambda p: p.paper.title, reverse=True)  # ships first
    assert titles(0.9, 0.895, 0.89, 0.885) == ["Bees", "Bees", "Steel", "Steel"]
    assert titles(0.9, 0.8, 0.795, 0.6) == ["Steel", "Bees", "Steel", "Bees"]
    assert titles(0.9, 0.8, 0.7, 0.6) == ["Steel", "Steel", "Bees", "Bees"]


def test_ranking_survives_texts_without_words() -> None:
    vectors = np.eye(3, dtype=np.float32)
    fits = rank_by_likes(Read(["…", "!", "?"], vectors), Read(["…"], vectors[1:2]))
    assert int(np.argmax([fit.score for fit in fits])) == 1
    assert standardised(np.ones(3, np.float32)).tolist() == [0, 0, 0]


def test_similar_papers_leave_the_paper_itself_out(library: Library, embedder: Embedder) -> None:
    assistant = Assistant(Settings.load(library=library.path), embedder=embedder)
    found = assistant.similar(BEES[0].title, 2)
    assert (found[0].rank, found[0].title) == (1, BEES[1].title)
    assert len(found) == 2
    assert is_verbatim(found[0].passage, BEES[1].abstract)
    with pytest.raises(PaperNotFound):
        assistant.similar("No Such Paper", 2)
