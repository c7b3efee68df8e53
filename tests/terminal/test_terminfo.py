from __future__ import annotations

import os

import pytest

from ticketr.terminal.events import Key
from ticketr.terminal.terminfo import TerminalKind


@pytest.mark.parametrize("name", ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"])
def test_colour_variables_change_no_movement(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = TerminalKind("xterm-256color")
    monkeypatch.setenv(name, "1")

    kind = TerminalKind("xterm-256color")

    assert (kind.enter, kind.leave) == (plain.enter, plain.leave)
    assert os.environ[name] == "1"


@pytest.mark.parametrize("name", ["xterm-256color", "tmux-256color", "linux", "vt100", "nonsense"])
def test_every_kind_of_terminal_is_entered_and_left(name: str) -> None:
    kind = TerminalKind(name)

    for mode in ("?1049h", "?25l", "?7l", "?2004h"):
        assert f"\x1b[{mode}" in kind.enter
    for mode in ("?1049l", "?25h", "?7h", "?2004l", "?2026l"):
        assert f"\x1b[{mode}" in kind.leave


def test_colours_are_counted() -> None:
    assert TerminalKind("vt100").colors < 8 <= TerminalKind("linux").colors


def test_a_character_types_itself_and_a_key_types_nothing() -> None:
    kind = TerminalKind("xterm-256color")

    assert kind.key("é") == Key("é", "é")
    assert kind.key("\x1b") == Key("KEY_ESCAPE", "")
    assert kind.key("\ufffd") is None
    assert kind.key("\x85") is None
