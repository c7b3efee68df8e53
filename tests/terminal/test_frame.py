from __future__ import annotations

import re

from hypothesis import given, strategies as st

from ticketr.terminal.frame import diff
from ticketr.terminal.styles import sgr

_PART = re.compile(r"\x1b\[([0-9;]*)([HKm])|([^\x1b]+)")


def shown(rows: list[str], sent: str, height: int) -> list[str]:
    """Return the characters on a screen after this output."""
    screen = [*rows, *[""] * (height - len(rows))]
    row = 0
    for numbers, kind, text in _PART.findall(sent):
        if kind == "H":
            row = int(numbers.split(";")[0]) - 1
        elif kind == "K":
            screen[row] = ""
        elif not kind:
            screen[row] += text
    return screen


rows = st.lists(st.text("abc é中", max_size=6), max_size=6)


@given(rows, rows)
def test_the_difference_turns_one_frame_into_the_other(before: list[str], after: list[str]) -> None:
    height = max(len(before), len(after))

    assert shown(before, diff(before, after), height) == [*after, *[""] * (height - len(after))]


@given(rows)
def test_equal_frames_differ_by_nothing(frame: list[str]) -> None:
    assert diff(frame, list(frame)) == ""


def test_only_changed_rows_are_written() -> None:
    assert diff(["one", "two", "three"], ["one", "2", "three"]) == "\x1b[2;1H\x1b[K2"


def test_a_row_that_was_there_is_cleared() -> None:
    assert diff(["one", "two"], ["one"]) == "\x1b[2;1H\x1b[K"


def test_unknown_rows_are_all_written_even_empty_ones() -> None:
    assert diff([None, None, None], ["one", ""]) == (
        "\x1b[1;1H\x1b[Kone\x1b[2;1H\x1b[K\x1b[3;1H\x1b[K"
    )


def test_a_style_does_not_run_on_into_the_next_row() -> None:
    assert diff([], ["\x1b[31mred", "plain"]) == (
        "\x1b[1;1H\x1b[K\x1b[31mred\x1b[m\x1b[2;1H\x1b[Kplain"
    )


def test_a_changed_style_is_a_change() -> None:
    assert diff([sgr("x", "bold")], ["x"]) == "\x1b[1;1H\x1b[Kx"
