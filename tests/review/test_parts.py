"""The parts: roles, cells, names, forms of a topic, themes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.paper import Paper
from assistant.review.candidates import forms_of, uninflected
from assistant.review.cells import Material, data_set_names
from assistant.review.comparing import across, counted, name_of
from assistant.review.judging import is_question
from assistant.review.model import Quote, ReviewSentence
from assistant.roles import role_scores
from assistant.text import sentences
from assistant.themes import OTHER, grouped, projected

MEDICAL = (
    "Asthma is common in childhood. The aim of this study was to see whether swimming helps. "
    "We looked at 410 children with asthma who swam and were compared with a control group. "
    "Mean peak flow was 82.5 l/min in swimmers (p < 0.05). "
    "The ratio of the mean duration was 1.4 ms. Swimming was well tolerated. "
    "Further studies are needed to find the best dose."
)
MACHINES = (
    "Large models are slow. We propose Cutter, a method that prunes layers. "
    "Experiments on the ImageNet dataset show that Cutter reaches an accuracy of 81.5% and reduces "
    "memory by 2.5x. "
    "It reduces the cost that dominates the memory by 15x compared with plain pruning. "
    "Cutter gives a 3.1x speedup."
)


def material(abstract: str, title: str = "A Paper", number: int = 1) -> Material:
    texts = [abstract[a:b] for a, b in sentences(abstract)]
    made = Material(Paper(title=title, abstract=abstract), texts, (), data_set_names([texts]))
    made.number = number
    return made


def test_roles_in_two_fields() -> None:
    for abstract, wanted in (
        (MEDICAL, ["background", "aim", "method", "result", "result"]),
        (MACHINES, ["background", "aim"]),
    ):
        texts = [abstract[a:b] for a, b in sentences(abstract)]
        found = [max(row.items(), key=lambda item: item[1])[0] for row in role_scores(texts)]
        pairs = zip(found, wanted, strict=False)
        assert all(f == w or {f, w} == {"aim", "method"} for f, w in pairs)


def test_cells_of_a_medical_abstract() -> None:
    read = material(MEDICAL)
    assert [c.text for c in read.sample_size()] == ["410 children"]
    assert [c.text for c in read.p_values()] == ["p < 0.05"]
    assert "Mean peak flow was 82.5 l/min" in [c.text for c in read.values()]
    assert [c.text for c in read.compared_with()] == ["a control group"]
    assert read.approach is not None
    assert read.approach.text.startswith("The aim of this study")
    assert read.aim == read.approach
    left = read.left_open()
    assert left is not None
    assert left.text == "Further studies are needed to find the best dose."


def test_cells_of_an_abstract_on_machines() -> None:
    read = material(MACHINES, "Cutter: Pruning")
    assert [c.text for c in read.data()] == ["ImageNet"]
    texts = [c.text for c in read.values()]
    assert "accuracy of 81.5%" in texts
    assert "reduces memory by 2.5x" in texts
    assert "3.1x speedup" in texts
    assert [c.text for c in read.values("accuracy")] == ["accuracy of 81.5%"]


def test_a_cut_removes_no_subject_and_no_verb() -> None:
    """What is reduced is the cost, not the memory; what was measured is a ratio."""
    texts = [c.text for c in material(MACHINES).values()]
    assert not any("15x" in text for text in texts)
    assert "The ratio of the mean duration was 1.4 ms" in [
        c.text for c in material(MEDICAL).values()
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "Llama 3.1 was used.", "A boy of 14 was seen.", "In 1998 the age was 15.",
        "We train a model of 70B parameters.", "It is 8 times smaller.",
        "The accuracy of finding just 3 ripe lemons was 75%.", "Its size was 12.5%.",
        "The costs per lemon of 5.93 are low.", "The effect is clear at the 5% level.",
    ],
)  # fmt: skip
def test_what_is_no_result_is_no_number(sentence: str) -> None:
    assert material(f"We did it. {sentence}").values() == []


@given(st.lists(st.sampled_from([*MEDICAL.split(), *MACHINES.split(), "1.5%", "(p", "of"])))
def test_every_cell_stands_in_its_sentence_and_that_in_the_abstract(words: list[str]) -> None:
    abstract = " ".join(words)
    if not abstract.strip():
        return
    read = material(abstract)
    cells = [read.approach, read.left_open(), read.finding, *read.values()]
    cells += [*read.sample_size(), *read.p_values(), *read.data(), *read.compared_with()]
    for cell in cells:
        if cell is not None:
            assert cell.text in cell.quote or cell.quote in cell.text
            assert cell.text in abstract
            assert cell.quote in abstract


@pytest.mark.parametrize(
    ("abstract", "sizes"),
    [
        ("Independence was measured by a scale of function (N = 13). Gains were kept.", ["N = 13"]),
        ("Gains were kept by some (n = 13). They were lost by others (n = 9).", []),
        ("The profile has an index (n = 0.6). It is faint at S/N = 10.", []),
    ],
)
def test_the_only_count_in_brackets_is_likely_the_sample(abstract: str, sizes: list[str]) -> None:
    read = material(abstract).sample_size()
    assert [cell.text for cell in read if cell.certainty == "likely"] == sizes


@pytest.mark.parametrize(
    ("paper", "name"),
    [
        (Paper(title="Cutter: Pruning", abstract="Cutter prunes."), "Cutter"),
        (Paper(title="GPTQ-2: Pruning", abstract="We show."), "GPTQ-2"),
        (Paper(title="Letter: On Salt", abstract="We show."), "“Letter: On Salt”"),
        (Paper(title="On the Pruning of Experts", abstract="x y."), "“On the Pruning of Experts”"),
        (Paper(title="On Salt", authors=("Ada King", "Bo Lee"), year=1979), "King and Lee 1979"),
        (Paper(title="On Salt", authors=("A B", "C D", "E F"), year=1979), "B et al. 1979"),
    ],
)
def test_names(paper: Paper, name: str) -> None:
    assert name_of(paper) == name


def test_a_long_title_is_cut_and_says_so() -> None:
    name = name_of(Paper(title="Pruning " * 250, abstract="x y."))
    assert len(name) < 100
    assert name.endswith(" …”")


def test_acronyms_both_ways() -> None:
    papers = [Paper(title="T", abstract="We study retrieval-augmented generation (RAG) here.")]
    assert forms_of("RAG", papers) == [("retrieval-augmented generation", "“RAG” in full")]
    briefs = [form for form, _ in forms_of("retrieval-augmented generation safety", papers)]
    assert briefs == ["RAG safety"]
    virtual = Paper(
        title="T",
        abstract="Virtual-reality (VR) simulators. A 2-D virtual reality (2DVR) programme.",
    )
    assert [form for form, _ in forms_of("virtual realities for surgery", [virtual])] == [
        "VR for surgery"
    ]
    assert ("salt", "a part of the topic") in forms_of("salt and sugar", [])


def test_a_topic_is_no_question_though_it_names_what_one_asks_for() -> None:
    for topic in ("side effects of statins", "accuracy of the SIR model", "limits of computation"):
        assert not is_question(topic)
    for topic in ("does light help trees", "why do reeds bend", "how old are the dunes?"):
        assert is_question(topic)


def test_inflections_of_a_word_are_one_and_derivations_another() -> None:
    assert uninflected("embeddings") == uninflected("embedding")
    assert uninflected("gendered") == uninflected("genders") == uninflected("gender")
    assert uninflected("tokens") != uninflected("tokenization")


def test_an_acronym_that_nobody_spells_out_finds_its_compound() -> None:
    papers = [Paper(title="MHD mach cones", abstract="Waves of magnetohydrodynamic flow. Nothing.")]
    assert ("magnetohydrodynamic", "what “MHD” may stand for") in forms_of("MHD", papers)
    assert forms_of("NAS", [Paper(title="NAS", abstract="Nanoparticles are small.")]) == []


def test_brackets_of_a_quotation_are_no_citation() -> None:
    text = "A: “as in [1] and [2].” [2]"
    quote = Quote(number=2, text="as in [1] and [2].", support="supported", score=1.0)
    said = ReviewSentence(text=text, citations=[2], quotes=[quote])
    assert list(said.pieces()) == [("A: “as in [1] and [2].” ", 2), ("", None)]


@pytest.mark.parametrize(
    ("sentence", "named", "value"),
    [
        ("Pruning 8 experts reduces peak memory by 8%.", "reduces peak memory by", "8%"),
        ("It costs less than 8% accuracy degradation in sorting.",
         "accuracy degradation in sorting", "less than 8%"),
        ("It reaches an accuracy of 92.3%.", "accuracy", "92.3%"),
        ("We reduce the cost of sorting by about 50%.",
         "reduce the cost of sorting by", "about 50%"),
        ("It yields an improvement of over 20% in sorting accuracy.",
         "improvement … in sorting accuracy", "over 20%"),
        ("It shows an average accuracy above 73% even in the rain.",
         "average accuracy", "above 73%"),
        ("Lemons reach a high accuracy near 98.3%.", "high accuracy", "near 98.3%"),
        ("It finds 92% accuracy in sorting red and yellow lemons.", "accuracy", "92%"),
    ],
)  # fmt: skip
def test_a_number_is_named_whole_with_what_bounds_it(sentence: str, named: str, value: str) -> None:
    read = material(f"We sort lemons here. {sentence}").numbers_read
    assert [(one.named, one.value) for one in read] == [(named, value)]


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ("Zinc was lower compared with the controls and correlated positively with age.",
         "the controls"),
        ("Zinc was lower compared with controls and treated patients.",
         "controls and treated patients"),
    ],
)  # fmt: skip
def test_what_is_compared_with_ends_before_the_next_verb(sentence: str, what: str) -> None:
    assert [c.text for c, _ in material(sentence).comparators_read] == [what]


@pytest.mark.parametrize(
    "sentence",
    [
        "The load of shells has been worked out by Baker (1914) in full.",
        "Baker (1914) and Cook have concluded that shells fail under load.",
        "In two previous papers the authors have found that shells fail.",
        "It is well known that shells fail under a load of 5 kg.",
    ],
)
def test_the_work_of_others_is_no_result(sentence: str) -> None:
    own = "We found that shells of clay hold a load of 7 kg."
    read = material(f"{sentence} {own}", "Shells under load")
    assert {cell.text for cell in read.contribution if cell} == {own}


def test_the_problem_is_what_turns_the_praise_round() -> None:
    read = material(
        "Sorting of lemons has become common practice in recent years. However, sorting lemons "
        "by hand remains slow and costly. We propose Zester, a machine that sorts lemons."
    )
    cell = read.problem
    assert cell is not None
    assert cell.text.startswith("However, sorting")


def test_shared_data_is_said_once_and_cites_both() -> None:
    text = "We test it. Scores on the ImageNet dataset are given in this work."
    first, second = material(text, "One", 1), material(text + " Also more.", "Two", 2)
    said = across([first, second])[0]
    assert said.text == "“One” [1] and “Two” [2] use the same data: “ImageNet”."
    assert [q.text for q in said.quotes] == [first.sentences[1]] * 2


def test_two_papers_of_one_title_are_not_set_side_by_side() -> None:
    text = "We test it. Scores on the ImageNet dataset are given in this work."
    title = "Sorting Yellow Lemons on Large Farms"
    assert across([material(text, title, 1), material(text, f"{title}.", 2)]) == []


def _vectors(kinds: list[int]) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 16))
    rows = np.stack([centres[k] + 0.05 * rng.normal(size=16) for k in kinds])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_themes_are_named_by_what_a_majority_holds() -> None:
    kinds = [0] * 4 + [1] * 4 + [2] * 3
    texts = ["sweat salt here", "lung volume here", ""]
    vectors = _vectors(kinds)
    themes = grouped(
        vectors,
        [f"{texts[k]} number {chr(97 + n)}" for n, k in enumerate(kinds)],
        [f"On {texts[k]}." for k in kinds],
    )  # fmt: skip
    assert {"sweat salt", "lung volume"} <= {t.name.casefold() for t in themes}
    for theme in themes:
        holders = [m for m in theme.members if kinds[m] == ("sweat" not in theme.name.casefold())]
        assert theme.name == OTHER or holders == theme.members
    assert sorted(m for t in themes for m in t.members) == list(range(11))


def test_a_paper_that_does_not_hold_the_name_is_not_in_the_theme() -> None:
    texts = ["sweat salt here"] * 3 + ["mud roofs there"] + ["lung volume here"] * 4
    titles = [f"{text} number {chr(97 + n)}" for n, text in enumerate(texts)]
    themes = grouped(_vectors([0] * 4 + [1] * 4), titles, [f"On {text}." for text in texts])
    (theme,) = (t for t in themes if t.name == "Sweat salt")
    assert sorted(theme.members) == [0, 1, 2]
    assert 3 in next(t.members for t in themes if t.name == OTHER)


def test_few_papers_and_those_that_share_nothing_have_no_themes() -> None:
    vectors = _vectors([0] * 3 + [1] * 3)
    for count, texts in ((6, ["sweat salt here"] * 3 + ["lung volume here"] * 3),
                         (8, [f"topic{chr(97 + n)} alone" for n in range(8)])):  # fmt: skip
        titles = [f"{text} number {chr(97 + n)}" for n, text in enumerate(texts)]
        (theme,) = grouped(np.resize(vectors, (count, 16)), titles, [f"On {t}." for t in texts])
        assert theme.name == "All papers"
        assert theme.members == list(range(count))


def test_what_is_mentioned_once_is_no_theme() -> None:
    told = ["Sweat salt of children. Sweat salt of adults."] * 4
    beside = ["Lungs grow with age. Age matters."] * 3
    beside.append("Lungs grow with age. Age matters. Sweat salt was not looked at.")
    titles = [f"Study {chr(97 + n)}" for n in range(8)]
    titles[4:] = [f"Lung growth {chr(97 + n)}" for n in range(4)]
    themes = grouped(_vectors([0] * 4 + [1] * 4), titles, told + beside)
    assert {t.name: sorted(t.members) for t in themes} == {
        "Sweat salt": [0, 1, 2, 3], "Lung growth": [4, 5, 6, 7]
    }  # fmt: skip


def test_what_the_rest_writes_as_well_names_no_theme() -> None:
    told = [f"{kind} here. {kind} again." for kind in ["Sweat salt"] * 4 + ["Lung volume"] * 4]
    shared = [*told[:4], *(f"{text} Sweat salt was seen." for text in told[4:])]
    titles = [f"Study {chr(97 + n)}" for n in range(8)]
    names = {
        theme.name
        for texts in (told, shared)
        for theme in grouped(_vectors([0] * 4 + [1] * 4), titles, texts)
    }
    assert "Sweat salt" in names
    assert {t.name for t in grouped(_vectors([0] * 4 + [1] * 4), titles, shared)} == {"All papers"}


def test_the_head_of_the_topic_alone_names_no_theme() -> None:
    """Among papers that write of lemon machines, "machine" says no more than "lemon"."""
    told = ["The lemon machine is new. A lemon machine sorts."] * 4
    told += ["Peel of fruit is thin. Peel dries."] * 4 + ["Seeds of fruit are big. Seeds dry."] * 4
    titles = [f"{('Machine', 'Thin peel', 'Big seeds')[n // 4]} {chr(97 + n)}" for n in range(12)]
    vectors = _vectors([n // 4 for n in range(12)])
    themes = grouped(vectors, titles, told, "lemon", idf=lambda _: 3.0)
    assert "Machine" not in {theme.name for theme in themes}


def test_a_word_is_named_as_most_write_it() -> None:
    told = ["The learning rule is new. This learning rule holds."] * 4
    told += ["The bursts are long. Bursts of cells stop."] * 4
    titles = [f"{'A rule' if n < 4 else 'Bursts'} {chr(97 + n)}" for n in range(8)]
    themes = grouped(_vectors([0] * 4 + [1] * 4), titles, told, idf=lambda _: 3.0)
    assert {theme.name for theme in themes} == {"Learning rule", "Bursts"}


def test_the_main_sentence_is_shown_though_no_column_is_sure() -> None:
    main = "Steel hulls of small ships corrode slowly beside zinc plates."
    read = material(
        "Ships are made of many things. Paint is sold in tins by a number of makers. " + main,
        "Corrosion of Steel Hulls beside Zinc Plates",
    )
    assert main in [cell.text for cell in read.contribution if cell]


def test_a_finding_is_near_its_title_and_not_the_last_aside() -> None:
    finding = "Sorting lemons by colour was found to double the yield of the farms."
    read = material(
        f"The aim was to study lemons on farms. {finding} Nine farmers preferred red boxes by 5%.",
        "Sorting Lemons by Colour Doubles the Yield",
    )
    assert read.contribution[1] is not None
    assert read.contribution[1].text == finding


def test_the_plane_is_within_bounds() -> None:
    for count in (1, 2, 3, 9):
        flat = projected(_vectors([n % 3 for n in range(count)]))
        assert flat.shape == (count, 2)
        assert flat.min() >= 0
        assert flat.max() <= 1


@pytest.mark.parametrize(
    ("number", "said"), [(1, "one paper"), (3, "three papers"), (40, "40 papers")]
)
def test_counting(number: int, said: str) -> None:
    assert counted(number) == said


@pytest.mark.parametrize(
    "sentence", ["It results in 75.47±12.8% accuracy.", "It results in 75.47 ± 12.8% accuracy."]
)
def test_a_deviation_is_no_result(sentence: str) -> None:
    found = material(f"We decode movements. {sentence}").numbers_read
    assert "12.8%" not in [one.value for one in found]


def test_a_value_stands_with_its_deviation() -> None:
    found = material("We decode movements. The accuracy was 75.47±12.8% in the test.").numbers_read
    assert [one.value for one in found] == ["75.47±12.8%"]
