"""Two texts compared word by word."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from fakes.examples import examples
from hypothesis import given, strategies as st

from ticketr.app.sync import Piece, word_diff

words = st.text(alphabet="ab. \n\té", max_size=30)


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("", "", ()),
        ("one two", "one two", (("same", "one two"),)),
        ("", "one two", (("added", "one two"),)),
        ("one two", "", (("removed", "one two"),)),
        (
            "is good enough for a first release.",
            "is good enough for the second release.",
            (
                ("same", "is good enough for "),
                ("removed", "a first"),
                ("added", "the second"),
                ("same", " release."),
            ),
        ),
        (
            "is good enough",
            "is not good enough",
            (("same", "is "), ("added", "not "), ("same", "good enough")),
        ),
        ("one\n two", "one two", (("same", "one"), ("removed", "\n"), ("same", " two"))),
        (
            "größe, dann",
            "größe; dann",
            (("same", "größe"), ("removed", ","), ("added", ";"), ("same", " dann")),
        ),
    ],
)
def test_words_are_the_same_removed_or_added(
    before: str, after: str, pieces: tuple[Piece, ...]
) -> None:
    assert word_diff(before, after) == pieces


@examples(300, in_gate=30)
@given(words, words)
def test_the_pieces_are_both_texts(before: str, after: str) -> None:
    pieces = word_diff(before, after)

    assert "".join(text for kind, text in pieces if kind != "added") == before
    assert "".join(text for kind, text in pieces if kind != "removed") == after
    assert all(text for _, text in pieces)
    assert all(one[0] != other[0] for one, other in pairwise(pieces))


def test_the_middles_of_very_long_texts_are_not_compared() -> None:
    rising = " ".join(map(str, range(3_000)))

    pieces = word_diff(f"one {rising} two", f"one {rising[::-1]} two")

    assert [kind for kind, _ in pieces] == ["same", "removed", "added", "same"]
    assert (pieces[0], pieces[-1]) == (("same", "one "), ("same", " two"))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kinds", [2, 20, 200, 2_000])
def test_long_texts_are_compared_quickly(kinds: int) -> None:
    source = random.Random(kinds)
    before, after = (" ".join(str(source.randrange(kinds)) for _ in range(2_000)) for _ in "ab")

    assert word_diff(before, after)
