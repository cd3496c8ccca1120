"""Where a text is cut does not depend on how it came."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.server.cutting import Cutter


def cut(pieces: list[str], stop: list[str], most: int | None = None) -> tuple[str, str]:
    cutter = Cutter(stop, most)
    text = "".join(cutter.take(piece) for piece in pieces) + cutter.end()
    return text, cutter.finish


@pytest.mark.parametrize(
    ("text", "stop", "most", "wanted"),
    [
        ("Experts are pruned [1].", [], None, ("Experts are pruned [1].", "stop")),
        ("Experts are pruned [1].", ["pruned"], None, ("Experts are ", "stop")),
        ("Experts are pruned [1].", ["[2]", "[1]"], None, ("Experts are pruned ", "stop")),
        ("a b c d", [], 2, ("a b", "length")),
        ("a b c d", [], 4, ("a b c d", "stop")),
        ("a b c d", ["c"], 2, ("a b", "stop")),
        ("incomprehensible", [], 2, ("incomprehe", "length")),
        ("", ["x"], 3, ("", "stop")),
        ("a", ["", "a"], None, ("", "stop")),
    ],
)
def test_cut(text: str, stop: list[str], most: int | None, wanted: tuple[str, str]) -> None:
    got = cut([text], stop, most)
    assert (got[0].rstrip() if most else got[0], got[1]) == wanted


@given(
    st.lists(st.text("ab [1]\n.", max_size=6), max_size=12),
    st.lists(st.text("ab[1]", min_size=1, max_size=4), max_size=3),
    st.one_of(st.none(), st.integers(1, 12)),
)
def test_pieces_of_any_size(pieces: list[str], stop: list[str], most: int | None) -> None:
    whole = "".join(pieces)
    got = cut(pieces, stop, most)
    assert got == cut([whole], stop, most)
    assert got == cut(list(whole), stop, most)
    assert whole.startswith(got[0])
    assert not any(text in got[0] for text in stop)
    if most is not None:
        assert len(re.findall(r"[^\W_]{1,5}|[^\s]", got[0])) <= most
