"""LaTeX residue becomes readable, prose stays as it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.reading.latex import readable

RESIDUE = [
    (r"Towards $\infty$-LLMs", "Towards ∞-LLMs"),
    (r"the \textit{new} one", "the new one"),
    (r"\textbf{\emph{very \textit{deep}}}", "very deep"),
    (r"na\"{\i}ve and na\"ively", "naïve and naïvely"),
    (r"Schr\"odinger, Fr\'echet, \v{S}koda, gar\c{c}on", "Schrödinger, Fréchet, Škoda, garçon"),
    (r"Stra\ss e, {\o}re", "Straße, øre"),
    (r"\textless2MB", "<2MB"),
    (r"30\% of 40% and 5 \& 6", "30% of 40% and 5 & 6"),
    (r"O(\log P) rounds", "O(log P) rounds"),
    (r"$10^{-3}$ for $n\times n$", "10⁻³ for n×n"),
    (r"$O(\log P)$ with $p = 5\%$ noise", "O(log P) with p = 5% noise"),
    (r"HyperZ$\cdot$Z", "HyperZ·Z"),
    (r"UNIT_{cut}, x1_{x>0}, R^{C-1}, n^{1.5}", "UNIT_cut, x1_(x>0), R^(C-1), n^1.5"),
    (r"in $\mathcal{O}(n \log n)$ over $\mathbb{R}^d$", "in O(n log n) over ℝ^d"),
    (r"{\em labeled} data, {\sc Name}, {\Psi}", "labeled data, Name, Ψ"),
    ("{B}ERT and Open{AI}", "BERT and OpenAI"),
    ("Fig.~2, et~al, networks~(DNNs), use~proxies", "Fig. 2, et al, networks (DNNs), use proxies"),
    ("a ``quoted'' word and ``another\"", "a “quoted” word and “another”"),
    (r"20\,hours, e.g.\ that", "20 hours, e.g. that"),
    (
        r"our \method{} beats \red{all} with \model, always",
        "our method beats all with model, always",
    ),
    (r"\url{https://a.b/c_d%20e} and \href{https://q.r}{here}", "https://a.b/c_d%20e and here"),
    (r"https://a.b/\~user/x\_y", "https://a.b/~user/x_y"),
    (r"as shown \cite{someone2020}", "as shown "),
]

PROSE = [
    "gains of ~2% over 10~30% and 1M~60M (~5%)",
    "snake_case_name and x^2 and __init__",
    "https://host.edu/~user/some_file.html#part",
    "training cost as low as $95, compared to $100 before",
    "between $5-$10 million, or US$5 and A$6",
    "spent $5 million on models and $7 million on data",
    "sets {1, 2, 3} and {Name-A, OTHER} and 8{255}",
    "100% sure, 50% less # not a comment",
    "a | b < c > d & e",
    r"broken \textit{never closed",
    "broken $x^{ formula",
    r"a digit \d and \1",
    "",
]


@pytest.mark.parametrize(("latex", "expected"), RESIDUE)
def test_residue_becomes_readable(latex: str, expected: str) -> None:
    assert readable(latex) == expected


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"$1+\frac{e}{e-1}\approx 2.58$", "1+e/(e-1)≈2.58"),
        (r"$\frac{a+b}{c}$", "(a+b)/c"),
        (r"$\frac{1}{2}$", "1/2"),
        (r"$\tfrac{1}{2}x^2$", "(1/2)x²"),
        (r"$O(\frac{n^2}{\log n})$", "O(n²/(log n))"),
        (r"$\frac12$ of them", "1/2 of them"),
        (r"$e^{\frac{1}{2}}$", "e^(1/2)"),
        (r"$a/\frac{b}{c}$", "a/(b/c)"),
    ],
)
def test_a_fraction_on_one_line_is_the_same_number(latex: str, expected: str) -> None:
    assert readable(latex) == expected


@pytest.mark.parametrize("text", PROSE)
def test_prose_stays(text: str) -> None:
    assert readable(text) == text


def test_bibtex_braces_only_protect() -> None:
    assert readable(r"{The {BERT} Model} in Z{\"u}rich", braces=True) == "The BERT Model in Zürich"


def test_text_never_becomes_nothing() -> None:
    assert readable(r"\cite{a}") == r"\cite{a}"


PIECES = [*"\\{}$^_~%&`'\"[]() a1B"]
PIECES += [r"\alpha", r"\textit{", r"\begin{a}", r"\end{a}", r"\frac", r"\mine", "``"]
LATEX_LIKE = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@given(LATEX_LIKE | st.text(max_size=60))
@example(r"\\\\\\%")
@example(r"$\$$\$")
@example(r"\begin{tabular}a&b\end{tabular}")
@example(r"\verb|x| \[ \( $$ $")
def test_never_raises_and_is_idempotent(text: str) -> None:
    once = readable(text)
    assert readable(once) == once
    readable(text, braces=True)


@pytest.mark.parametrize(
    "piece", ["{", "\\a{", "$x ", "\\begin{a}", "\\'{", "{\\a ", "``", "\\[", "_{", "a~"]
)
def test_hostile_repetition_takes_linear_time(piece: str) -> None:
    started = time.perf_counter()
    readable(piece * 5_000)
    assert time.perf_counter() - started < 5
