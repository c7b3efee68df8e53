"""What has changed between two versions of an issue, part by part and word by word."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from fakes.examples import examples
from fakes.ticket_texts import texts
from fakes.ticket_versions import Versions, versions
from hypothesis import given, strategies as st
from rows import for_each

from ticketr.app.sync import WordDiffPiece, word_diff
from ticketr.app.sync.compare.diff import (
    Change,
    CorePart,
    Part,
    RichTextPart,
    are_equivalent,
    criteria_of,
    find_changes,
    part_texts,
)
from ticketr.app.tickets import Ticket


def ticket(description: str = "", *criteria: str, **fields: str) -> Ticket:
    return Ticket("A", "AB-1", description, fields, criteria)


@given(versions)
def test_an_issue_can_be_made_of_its_parts_again(three: Versions) -> None:
    for issue in (three.local, *three.local.tasks):
        found = part_texts(issue)
        again = Ticket(
            found[CorePart.TITLE],
            issue.key,
            found[CorePart.DESCRIPTION],
            {part: text for part, text in found.items() if isinstance(part, str)},
            criteria_of(found[CorePart.CRITERIA]),
            rich_texts={
                part.name: text for part, text in found.items() if isinstance(part, RichTextPart)
            },
        )
        assert again == replace(issue, tasks=())


@given(versions)
def test_an_issue_changes_nothing_of_itself(three: Versions) -> None:
    assert find_changes(three.local, three.local) == ()


@given(versions)
def test_all_that_a_newer_version_mentions_and_says_otherwise_is_a_change(three: Versions) -> None:
    old, new = part_texts(three.base), part_texts(three.local)

    found = {each.part: (each.old, each.new) for each in find_changes(three.base, three.local)}

    for part, text in new.items():
        before = old.get(part, "")
        assert found.pop(part, None) == (
            None if are_equivalent(part, text, before) else (before, text)
        )
    assert not found


def test_a_field_may_be_called_as_a_part_of_every_issue_is() -> None:
    before = ticket("Words.", Description="one", Title="two")
    after = ticket("Words.", Description="1", Title="two")

    (change,) = find_changes(before, after)

    assert change == Change("Description", "one", "1")
    assert change.name == Change(CorePart.DESCRIPTION, "", "").name == "Description"


def test_criteria_are_one_part_and_stand_one_a_line() -> None:
    (change,) = find_changes(ticket("", "a"), ticket("", "a\n- b", "c"))

    assert change.part is CorePart.CRITERIA
    assert change.old == "a"
    assert change.new.count("\n") == 1
    assert criteria_of(change.new) == ("a\n- b", "c")


def test_a_field_that_is_mentioned_without_a_value_is_emptied() -> None:
    assert find_changes(ticket(Labels="ui"), ticket(Labels="")) == (Change("Labels", "ui", ""),)
    assert find_changes(ticket(), ticket(Labels="")) == ()


def test_a_description_and_criteria_that_are_gone_are_emptied() -> None:
    assert find_changes(ticket("Words.", "a"), ticket()) == (
        Change(CorePart.DESCRIPTION, "Words.", ""),
        Change(CorePart.CRITERIA, "a", ""),
    )


@pytest.mark.parametrize(
    ("part", "one", "other"),
    [
        (CorePart.DESCRIPTION, "* one\n* two", "- one\n- two"),
        (CorePart.DESCRIPTION, "one\n\n\n\ntwo", "one\n\ntwo"),
        (CorePart.DESCRIPTION, "a line\nand its rest", "a line and its rest"),
        (CorePart.DESCRIPTION, "__bold__", "**bold**"),
        (CorePart.CRITERIA, "__bold__\nb", "**bold**\nb"),
        ("Status", "in progress", "In Progress"),
    ],
)
def test_what_jira_cannot_tell_apart_is_alike(part: Part, one: str, other: str) -> None:
    assert are_equivalent(part, one, other)


@for_each(
    ("part", "one", "other"),
    [
        (CorePart.DESCRIPTION, "one\ntwo", "one\n\ntwo"),
        (CorePart.DESCRIPTION, "one  \ntwo", "one\ntwo"),
        (CorePart.DESCRIPTION, "    code", "code"),
        (CorePart.DESCRIPTION, "One", "one"),
        (CorePart.CRITERIA, "a\nb", "a b"),
        (CorePart.CRITERIA, "__bold__", "bold"),
        (CorePart.TITLE, "**bold**", "__bold__"),
        (CorePart.TITLE, "One", "one"),
        ("Summary", "* one", "- one"),
        ("Priority", "high", "High"),
    ],
)
def test_what_jira_can_tell_apart_is_not_alike(part: Part, one: str, other: str) -> None:
    assert not are_equivalent(part, one, other)


def test_words_that_jira_would_not_get_are_a_change_all_the_same() -> None:
    assert not are_equivalent(CorePart.DESCRIPTION, "- a\n\n  # never said", "- a")
    assert not are_equivalent(CorePart.CRITERIA, "- # never said", "- # nor this")


@given(st.sampled_from([*CorePart, "Status"]), texts, texts)
def test_alike_has_no_first_and_second(part: Part, one: str, other: str) -> None:
    assert are_equivalent(part, one, one)
    assert are_equivalent(part, one, other) == are_equivalent(part, other, one)


words = st.text(alphabet="ab. \n\té", max_size=30)


@for_each(
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
        (
            "one\n two",
            "one two",
            (("same", "one"), ("removed", "\n "), ("added", " "), ("same", "two")),
        ),
        (
            "größe, dann",
            "größe; dann",
            (("same", "größe"), ("removed", ","), ("added", ";"), ("same", " dann")),
        ),
    ],
)
def test_words_are_the_same_removed_or_added(
    before: str, after: str, pieces: tuple[WordDiffPiece, ...]
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
