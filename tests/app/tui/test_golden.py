"""Test every screen of the app at many sizes: against golden frames, and that no row is off.

After an intended change, ``TICKETR_GOLDEN=write`` writes the files again; read the diff.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from fakes.app_screens import SCREENS, main_state
from fakes.golden import check_golden, framed
from fakes.screens import plain
from hypothesis import given, strategies as st

from ticketr.app.tui.screen import screen
from ticketr.app.tui.theme import Theme
from ticketr.statusline import LineStyle
from ticketr.terminal import sgr
from ticketr.text import width

GOLDEN = Path(__file__).parent / "golden"
SIZES = ((200, 60), (100, 30), (80, 24), (60, 16), (40, 8))
COLORS = Theme(partial(sgr, colors=True), links=False)
ASCII = Theme(line_style=LineStyle(unicode=False, color=False), links=False)
NOW = 3.0


@pytest.fixture(autouse=True, scope="module")
def _utc() -> Iterator[None]:
    """Show times of day in UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_as_it_was_agreed(name: str) -> None:
    frames = {
        f"{cells}x{height}": framed(screen(SCREENS[name](main_state(cells, height)), NOW, COLORS))
        for cells, height in SIZES
    }
    frames["ascii"] = framed(screen(SCREENS[name](main_state(80, 24)), NOW, ASCII))

    check_golden(GOLDEN / f"{name}.txt", frames)


@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_the_main_screen_is_as_it_was_agreed(count: int) -> None:
    frames = {
        f"{cells}x{height}": framed(screen(main_state(cells, height, count), NOW, COLORS))
        for cells, height in SIZES
    }
    frames["ascii"] = framed(screen(main_state(80, 24, count), NOW, ASCII))

    check_golden(GOLDEN / f"main-{count}.txt", frames)


def assert_fits(rows: list[str], cells: int, height: int) -> None:
    assert len(rows) == height
    assert {width(plain(row)) for row in rows} == {cells}
    assert not any(mark in plain(row) for row in rows for mark in "\x1b\x07\x9b\u202e")


@given(
    name=st.sampled_from(["main", *SCREENS]),
    cells=st.integers(1, 210),
    height=st.integers(1, 64),
    ascii_only=st.booleans(),
)
def test_every_row_of_every_screen_is_exactly_as_wide_as_asked(
    name: str, cells: int, height: int, *, ascii_only: bool
) -> None:
    state = main_state(cells, height, 3)
    state = SCREENS[name](state) if name in SCREENS else state

    rows = screen(state, NOW, ASCII if ascii_only else COLORS)

    assert_fits(rows, cells, height)
    if ascii_only:
        assert all(row.isascii() for row in rows)


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("size", [(20, 4), (21, 5), (24, 6), (40, 8), (79, 13), (80, 12)])
@pytest.mark.parametrize("theme", [COLORS, ASCII], ids=["unicode", "ascii"])
def test_a_small_screen_has_no_row_that_is_off(
    name: str, size: tuple[int, int], theme: Theme
) -> None:
    assert_fits(screen(SCREENS[name](main_state(*size, 3)), NOW, theme), *size)


@pytest.mark.parametrize("size", [(19, 4), (20, 3), (5, 2), (1, 1)])
def test_a_screen_that_is_too_small_says_what_is_needed(size: tuple[int, int]) -> None:
    rows = screen(main_state(*size), NOW, Theme())

    assert_fits(rows, *size)
    words = "ticketr needs 20x4"
    assert rows[0].rstrip() == (words if size[0] >= len(words) else words[: size[0] - 1] + "…")
    assert not any(row.strip() for row in rows[1:])
