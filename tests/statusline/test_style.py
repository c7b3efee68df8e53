from __future__ import annotations

import io

import pytest
from rows import for_each

from ticketr.statusline import LineStyle


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def __init__(self, encoding: str | None = "utf-8", *, tty: bool = True) -> None:
        super().__init__()
        self._encoding, self._tty = encoding, tty

    @property
    def encoding(self) -> str | None:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._tty


@for_each(
    ("environ", "tty", "color"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": ""}, True, True),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"CLICOLOR": "0"}, True, False),
        ({"CLICOLOR": "1"}, True, True),
    ],
)
def test_the_environment_decides_on_colour(
    environ: dict[str, str], *, tty: bool, color: bool
) -> None:
    assert LineStyle.of(environ, Terminal(tty=tty)).color is color


@pytest.mark.parametrize(
    ("encoding", "environ", "unicode"),
    [
        ("utf-8", {}, True),
        ("UTF8", {}, True),
        ("utf_8", {}, True),
        ("ascii", {}, False),
        ("iso8859-1", {}, False),
        (None, {}, False),
        ("utf-8", {"TICKETR_ASCII": "1"}, False),
    ],
)
def test_only_utf_8_shows_more_than_ascii(
    encoding: str | None, environ: dict[str, str], *, unicode: bool
) -> None:
    assert LineStyle.of(environ, Terminal(encoding)).unicode is unicode


@pytest.mark.parametrize("name", ["TICKETR_NO_MOTION", "REDUCED_MOTION"])
def test_motion_can_be_switched_off(name: str) -> None:
    assert LineStyle.of({}, Terminal()).motion
    assert not LineStyle.of({name: "1"}, Terminal()).motion
