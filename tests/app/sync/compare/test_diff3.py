from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from types import FrameType
from typing import TypeAlias

from fakes.examples import examples
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from merge3 import Merge3

from ticketr.app.sync.compare import diff3
from ticketr.app.sync.compare.diff3 import Chunk, merge_chunks

# Few different lines, so that most texts share some and repeat others.
lines = st.sampled_from(["", "", "a", "b", "c", "d", "é", "e\u0301"])
texts = st.lists(lines, max_size=9)
thorough = examples(400, in_gate=50)


Stretch: TypeAlias = "tuple[str, ...] | Chunk"


def joined(chunks: Sequence[Chunk]) -> list[Stretch]:
    """The lines of neighbours that do not clash, as one stretch, and the conflicts."""
    stretches: list[Stretch] = []
    for clashes, some in groupby(chunks, key=lambda chunk: chunk.merged is None):
        if clashes:
            stretches += some
        else:
            stretches.append(tuple(line for chunk in some for line in chunk.merged or ()))
    return [stretch for stretch in stretches if stretch != ()]


def merge_lines(base: Sequence[str], local: Sequence[str], remote: Sequence[str]) -> list[Stretch]:
    return joined(merge_chunks(base, local, remote))


def merged(stretches: Sequence[Stretch]) -> list[str]:
    """The merged text, which must not have clashed."""
    assert all(isinstance(each, tuple) for each in stretches), stretches
    return [line for each in stretches if isinstance(each, tuple) for line in each]


def by_merge3(base: Sequence[str], local: Sequence[str], remote: Sequence[str]) -> list[Stretch]:
    """What another program makes of the same texts, in our terms."""
    found: list[Stretch] = []
    groups = Merge3(base, local, remote).merge_groups()
    for clashes, some in groupby(groups, key=lambda group: group[0] == "conflict"):
        if clashes:
            found += [Chunk(*(tuple(lines) for lines in group[1:])) for group in some]
        else:
            found.append(tuple(line for group in some for line in group[1]))
    return [each for each in found if each != ()]


def calls(work: Callable[[], object]) -> int:
    """How many functions some work calls: what it costs on any machine."""
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


@settings(examples(400, in_gate=100), suppress_health_check=[HealthCheck.filter_too_much])
@given(*[st.lists(st.sampled_from("abcdefg"), max_size=9)] * 3)
def test_what_another_program_merges_without_a_clash_is_merged_alike(
    base: list[str], local: list[str], remote: list[str]
) -> None:
    theirs = by_merge3(base, local, remote)
    assume(all(isinstance(each, tuple) for each in theirs))

    assert merge_lines(base, local, remote) == theirs


def paragraphs(*texts: str) -> list[str]:
    return "\n\n".join(texts).split("\n") if texts else []


def test_a_paragraph_that_both_sides_have_added_stands_once() -> None:
    base, local = paragraphs(*"abcde"), paragraphs(*"abXcde")
    remote = paragraphs("a", "b", "X", "c", "New d", "e")

    assert merged(merge_lines(base, local, remote)) == remote


@st.composite
def edits(draw: st.DrawFn, text: list[str], word: str) -> list[str]:
    """A text in which some paragraphs were changed, some added, and none taken out."""
    edited: list[str] = []
    for number, paragraph in enumerate(text):
        match draw(st.sampled_from(["keep", "keep", "keep", "change", "add"])):
            case "keep":
                edited.append(paragraph)
            case "change":
                edited.append(f"{paragraph}, {word} changed")
            case _:
                edited += [paragraph, f"{word} {number}"]
    return edited


@thorough
@given(st.data())
def test_edits_that_both_sides_have_are_never_there_twice(data: st.DataObject) -> None:
    text = [f"paragraph {number}" for number in range(data.draw(st.integers(1, 8)))]
    both = data.draw(edits(text, "both"))
    later = data.draw(edits(both, "later"))

    stretches = merge_lines(paragraphs(*text), paragraphs(*both), paragraphs(*later))

    if all(isinstance(each, tuple) for each in stretches):
        assert merged(stretches) == paragraphs(*later)
    local = data.draw(edits(both, "here"))
    stretches = merge_lines(paragraphs(*text), paragraphs(*local), paragraphs(*later))
    lines = [line for each in stretches if isinstance(each, tuple) for line in each]
    assert all(lines.count(line) <= 1 for line in lines if line)


def test_what_both_sides_begin_and_end_a_clash_with_is_agreed() -> None:
    assert merge_lines("abc", "aXlYc", "aXrYc") == [
        ("a", "X"),
        Chunk(("b",), ("l",), ("r",)),
        ("Y", "c"),
    ]
    assert merged(merge_lines("abc", "abYc", "aBYc")) == list("aBYc")


@thorough
@given(texts, texts, texts)
def test_swapped_sides_give_the_same_with_sides_swapped(
    base: list[str], local: list[str], remote: list[str]
) -> None:
    swapped = [
        Chunk(each.base, each.remote, each.local) if isinstance(each, Chunk) else each
        for each in merge_lines(base, remote, local)
    ]

    assert merge_lines(base, local, remote) == swapped


@thorough
@given(texts, texts, texts)
def test_no_line_is_invented_and_none_is_lost_but_what_one_side_took_out(
    base: list[str], local: list[str], remote: list[str]
) -> None:
    stretches = merge_lines(base, local, remote)

    kept = Counter[str]()
    for each in stretches:
        if isinstance(each, tuple):
            kept += Counter(each)
        else:
            kept += Counter(each.base or ()) | Counter(each.local) | Counter(each.remote)
    before, here, there = Counter(base), Counter(local), Counter(remote)
    assert kept <= here + there + before
    assert kept >= (here - before) | (there - before)  # what was added
    # Of lines that are alike, each side may have taken out another one.
    assert kept >= before - (before - here) - (before - there)


@thorough
@given(texts, texts, texts)
def test_only_what_both_sides_changed_differently_is_disputed(
    base: list[str], local: list[str], remote: list[str]
) -> None:
    for each in merge_lines(base, local, remote):
        if isinstance(each, Chunk):
            assert each.local not in {each.base, each.remote}
            assert each.remote != each.base
        else:
            assert each


@given(texts, texts)
def test_a_side_that_changed_nothing_gives_way(base: list[str], other: list[str]) -> None:
    assert merged(merge_lines(base, base, other)) == other
    assert merged(merge_lines(base, other, base)) == other


@given(texts, texts)
def test_sides_that_are_alike_are_no_matter(base: list[str], other: list[str]) -> None:
    assert merged(merge_lines(base, other, other)) == other


def test_changes_that_touch_clash_and_the_rest_is_agreed() -> None:
    assert merge_lines("abcd", "aBcd", "abCd") == [
        ("a",),
        Chunk(("b", "c"), ("B", "c"), ("b", "C")),
        ("d",),
    ]


def test_a_line_that_one_side_took_out_and_the_other_changed_clashes() -> None:
    assert merge_lines("abc", "ac", "aBc") == [
        ("a",),
        Chunk(("b",), (), ("B",)),
        ("c",),
    ]


def test_different_lines_added_in_one_place_clash() -> None:
    assert merge_lines([], ["mine"], ["theirs"]) == [Chunk((), ("mine",), ("theirs",))]


def test_a_long_text_of_equal_lines_is_no_more_work_than_its_lines() -> None:
    base = ["", "a"] * 1_000
    local, remote = [*base[:700], "mine", *base[700:]], ["a", *base, "theirs"]

    assert calls(lambda: merge_lines(base, local, remote)) < 20 * len(base)


def test_a_long_text_with_many_blank_lines_is_merged_all_the_same() -> None:
    base = [f"{number}" if number % 2 else "" for number in range(3_000)]
    local, remote = base.copy(), base.copy()
    local[1_001], remote[1_011] = "mine", "theirs"

    text = merged(merge_lines(base, local, remote))

    assert (text[1_001], text[1_011]) == ("mine", "theirs")
    assert len(text) == len(base)


@given(texts, texts)
def test_two_texts_are_told_apart_by_what_each_has(one: list[str], other: list[str]) -> None:
    mine: list[str] = []
    theirs: list[str] = []
    for each in diff3.compare_lines(one, other):
        assert (each.merged is None) == (each.local != each.remote)
        mine += each.local
        theirs += each.remote

    assert (mine, theirs) == (one, other)


def test_a_line_that_one_text_alone_has_is_told() -> None:
    assert joined(diff3.compare_lines("abc", "ab")) == [("a", "b"), Chunk(None, ("c",), ())]
    assert joined(diff3.compare_lines("ab", "xab")) == [Chunk(None, (), ("x",)), ("a", "b")]
    assert joined(diff3.compare_lines("", "")) == []
