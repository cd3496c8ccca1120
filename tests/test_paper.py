"""Papers: cleaning, identity, merging."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assistant.paper import Paper, normalised_title


@pytest.mark.parametrize(
    ("given_doi", "bare"),
    [
        ("https://doi.org/10.1000/XYZ.1", "10.1000/xyz.1"),
        ("doi: 10.1000/abc(12)3.", "10.1000/abc(12)3"),
        ("(see 10.1000/abc(12)).", "10.1000/abc(12)"),
        ("10.5555/12345678", "10.5555/12345678"),
        ("not a doi", None),
        ("", None),
    ],
)
def test_a_doi_is_bare(given_doi: str, bare: str | None) -> None:
    assert Paper(title="A", doi=given_doi).doi == bare


@pytest.mark.parametrize(
    ("given_id", "bare"),
    [
        ("arXiv:2401.01234v3", "2401.01234"),
        ("https://arxiv.org/abs/0704.0001", "0704.0001"),
        ("hep-th/9901001v2", "hep-th/9901001"),
        ("math.GT/0309136", "math.gt/0309136"),
        ("none", None),
    ],
)
def test_an_arxiv_id_is_bare_and_without_version(given_id: str, bare: str | None) -> None:
    assert Paper(title="A", arxiv_id=given_id).arxiv_id == bare


def test_texts_are_one_line_without_control_characters() -> None:
    paper = Paper(title=" A\n title\u200b\x00 ", abstract="One.\r\n\tTwo.\ufeff")
    assert paper.title == "A title"
    assert paper.abstract == "One. Two."


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = Paper(title="x", abstract=text).abstract
    assert Paper(title="x", abstract=once).abstract == once
    assert unicodedata.is_normalized("NFC", once)


@given(st.text())
def test_a_title_compares_with_itself_in_any_case(text: str) -> None:
    key = normalised_title(text)
    assert normalised_title(key) == key
    assert normalised_title(f"  {text}!? ") == key


def test_accents_punctuation_and_case_do_not_make_another_title() -> None:
    assert normalised_title("Naïve  Bayes: a Re-Visit!") == normalised_title(
        "naive bayes a re visit"
    )
    assert normalised_title("深度学习") != ""


def test_identity_takes_the_strongest_name() -> None:
    everything = {"title": "T", "abstract": "A.", "doi": "10.1/x", "arxiv_id": "2401.00001"}
    assert Paper(**everything, key="kept").id == "kept"
    assert Paper(title="T", doi="10.1234/x", arxiv_id="2401.00001").id == "doi:10.1234/x"
    assert Paper(title="T", arxiv_id="2401.00001v9").id == "arxiv:2401.00001"
    assert Paper(title="T").id == Paper(title="t!", abstract="Whatever.").id
    assert Paper(abstract="Some words.").id.startswith("text:")
    assert Paper(abstract="Some words.").id != Paper(abstract="Other words.").id


def test_a_paper_says_something() -> None:
    with pytest.raises(ValidationError, match="neither a title nor an abstract"):
        Paper(title="?!", abstract="  ")


def test_an_untitled_paper_is_labelled_by_its_first_words() -> None:
    assert Paper(abstract="a b c").label == "a b c"
    assert Paper(abstract=" ".join("abcdefghijklmnop")).label == "a b c d e f g h i j k l…"


def test_link_prefers_the_web_address_and_never_a_script() -> None:
    assert Paper(title="T", url="https://e.org/1", doi="10.1234/x").link == "https://e.org/1"
    served = "https://www.scopus.com/inward/record.uri?eid=2-s2.0-1&partnerID=40"
    assert Paper(title="T", url=served, doi="10.1234/x").link == "https://doi.org/10.1234/x"
    assert Paper(title="T", url=served).link == served
    long = f"https://e.org/{'a' * 150}"
    assert Paper(title="T", url=long, doi="10.1234/x").link == "https://doi.org/10.1234/x"
    assert Paper(title="T", url="javascript:alert(1)").link is None
    assert Paper(title="T", url="x", doi="10.1234/x").link == "https://doi.org/10.1234/x"
    assert Paper(title="T", arxiv_id="2401.00001").link == "https://arxiv.org/abs/2401.00001"


def test_merging_keeps_the_id_and_takes_what_is_newly_known() -> None:
    old = Paper(title="A Title", abstract="Old.", year=2020, venue="V", source="a")
    merged = old.merged(Paper(title="A title", abstract="New.", doi="10.1234/x", source="b"))
    assert merged.id == old.id
    assert (merged.abstract, merged.doi, merged.year, merged.venue) == (
        "New.",
        "10.1234/x",
        2020,
        "V",
    )
    assert merged.merged(Paper(title="A Title")).abstract == "New."


def test_a_poorer_record_replaces_nothing() -> None:
    good = Paper(
        title="Lichen clocks keep time",
        abstract="We count lichens. They keep time.",
        authors=("Mara Quill", "Tobi Okoro"),
        venue="Journal of Fictional Botany",
    )
    poor = Paper(
        title="LICHEN CLOCKS KEEP TIME *",
        abstract="We count lichens. They",
        authors=("M Quill",),
        venue="JOURNAL OF FICTIONAL BOTANY",
    )
    assert good.merged(poor).content_hash == good.content_hash
    mended = poor.merged(good)
    assert (mended.title, mended.abstract) == (good.title, good.abstract)
    assert (mended.authors, mended.venue) == (good.authors, good.venue)


def test_filling_takes_only_what_is_missing() -> None:
    first = Paper(title="T", abstract="One.", url="https://a.b/1", tags=("x",))
    second = Paper(title="T", abstract="Another.", url="https://a.b/2", year=2020, tags=("y",))
    filled = first.merged(second, fill=True)
    assert (filled.abstract, filled.url, filled.year) == ("One.", "https://a.b/1", 2020)
    assert filled.tags == ("x", "y")
    assert first.merged(second).abstract == "Another."


def test_the_source_that_brought_a_paper_in_stays() -> None:
    first = Paper(title="T", source="a.bib", source_id="k")
    merged = first.merged(Paper(title="T", abstract="A.", source="b.ris", source_id="7"))
    assert (merged.source, merged.source_id, merged.abstract) == ("a.bib", "k", "A.")


def test_the_original_belongs_to_the_text_that_is_kept() -> None:
    first = Paper(title="On ∞", abstract="Old.", original={"title": "On $\\infty$"})
    merged = first.merged(
        Paper(title="ON ∞", abstract="New 5%.", original={"abstract": "New 5\\%."})
    )
    assert merged.original == {"title": "On $\\infty$", "abstract": "New 5\\%."}


def test_a_digest_gives_way_to_the_abstract_and_not_the_other_way_round() -> None:
    digest = Paper(title="T", abstract="Told again.", kind="digest")
    abstract = Paper(title="T", abstract="The abstract itself.")
    assert digest.merged(abstract).kind == "abstract"
    assert digest.merged(abstract).abstract == "The abstract itself."
    assert abstract.merged(digest).content_hash == abstract.content_hash
    assert Paper(title="T").merged(digest).kind == "digest"


def test_hashes_see_what_they_should() -> None:
    paper = Paper(title="T", abstract="A.", source="one")
    assert paper.content_hash == Paper(title="T", abstract="A.", source="two").content_hash
    richer = Paper(title="T", abstract="A.", doi="10.1234/x")
    assert paper.text_hash == richer.text_hash
    assert paper.content_hash != richer.content_hash
    assert paper.text_hash != Paper(title="T A.").text_hash


def test_a_paper_comes_back_from_json_as_it_went() -> None:
    paper = Paper(title="T", abstract="A.", authors=("A B",), original={"title": "$T$"}, key="k")
    assert Paper.model_validate_json(paper.model_dump_json(exclude={"id"})) == paper
