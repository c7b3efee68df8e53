"""Test the words that save, use and forget filters."""

from __future__ import annotations

import pytest

from ticketr.app.tickets import InvalidFilter, check_saved, split_command, with_saved

SAVED = {"late": 'status="To Do" -@priya', "q": "x"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("status=done", ("status=done", "", "")),
        ("status=done save:late", ("status=done", "save", "late")),
        ("  SAVE:Late  ", ("", "save", "Late")),
        ("a save:", ("a", "save", "")),
        ("forget:late", ("", "forget", "late")),
        ("save:a b", ("save:a b", "", "")),
        ("unsave:late", ("unsave:late", "", "")),
    ],
)
def test_the_last_word_may_be_a_command(text: str, found: tuple[str, str, str]) -> None:
    assert split_command(text) == found


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("use:late edited", 'status="To Do" -@priya edited'),
        ("a USE:q use:q", "a x x"),
        ('"use:late"', '"use:late"'),
        ("reuse:late", "reuse:late"),
        ("", ""),
    ],
)
def test_a_saved_filter_stands_for_its_text(text: str, full: str) -> None:
    assert with_saved(text, SAVED) == full


@pytest.mark.parametrize(
    ("text", "at", "problem"),
    [
        ("a use:lat", 6, "no filter is saved as lat; saved are late, q"),
        ("use:", 4, "no filter is saved as no name; saved are late, q"),
        ("-use:late", 0, "a saved filter cannot be negated"),
    ],
)
def test_a_name_that_is_not_saved_is_an_error(text: str, at: int, problem: str) -> None:
    with pytest.raises(InvalidFilter) as raised:
        with_saved(text, SAVED)
    assert (raised.value.position, raised.value.problem) == (at, problem)
    with pytest.raises(InvalidFilter, match=r"no filter is saved as x: \"x\"$"):
        with_saved("use:x", {})


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("a", "late-1", ""),
        ("a", "übrig", ""),
        ("a", "", "A name follows save:"),
        ("a", "../x", "A name follows save:"),
        ("a", "x" * 41, "A name follows save:"),
        (" ", "late", "Type the filter before save:"),
        ("x" * 2001, "late", "A filter of more than 2000 characters cannot be saved"),
    ],
)
def test_what_cannot_be_saved_says_why(text: str, name: str, words: str) -> None:
    assert check_saved(text, name).startswith(words)
    assert bool(check_saved(text, name)) == bool(words)
