from __future__ import annotations

from typing import get_args

import pytest

from ticketr.terminal import Style, sgr


@pytest.mark.parametrize("name", get_args(Style))
def test_every_style_is_known_and_ends_where_it_should(name: Style) -> None:
    text = sgr("x", name)

    assert text.startswith("\x1b[")
    assert text.endswith("mx\x1b[m")


def test_styles_are_distinct() -> None:
    assert len({sgr("x", name) for name in get_args(Style)}) == len(get_args(Style))


def test_styles_are_put_together() -> None:
    assert sgr("x", "bold", "cyan", "on_blue") == "\x1b[1;36;44mx\x1b[m"


def test_without_colours_the_attributes_except_dim_are_left() -> None:
    assert sgr("x", "bold", "dim", "reverse", "red", "on_blue", colors=False) == "\x1b[1;7mx\x1b[m"
    assert sgr("x", "italic", "underline", "strike", colors=False) == "\x1b[3;4;9mx\x1b[m"
    assert sgr("x", "red", colors=False) == "x"


def test_no_style_and_no_text_need_no_sequence() -> None:
    assert sgr("x") == "x"
    assert sgr("", "bold") == ""
