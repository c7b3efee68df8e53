from __future__ import annotations

import pytest

from ticketr.app.tui.key_names import key_of, name_of
from ticketr.app.tui.keymap import TABLE
from ticketr.terminal.terminfo import TerminalKind


@pytest.mark.parametrize(
    ("name", "bytes_of_it"),
    [
        ("p", "p"),
        ("P", "P"),
        ("shift+p", "P"),
        ("+", "+"),
        ("Space", " "),
        ("Ctrl+Space", "\0"),
        ("Ctrl+F", "\x06"),
        ("ctrl+f", "\x06"),
        ("Ctrl+H", "\x08"),
        ("Ctrl+I", "\t"),
        ("Ctrl+M", "\r"),
        ("Ctrl+J", "\n"),
        ("Ctrl+[", "\x1b"),
        ("Ctrl+]", "\x1d"),
        ("Alt+x", "\x1bx"),
        ("Alt+Shift+X", "\x1bX"),
        ("Alt+?", "\x1b?"),
        ("Ctrl+Alt+P", "\x1b\x10"),
        ("F5", "\x1b[15~"),
        ("f12", "\x1b[24~"),
        ("Ctrl+F5", "\x1b[15;5~"),
        ("Shift+F1", "\x1b[1;2P"),
        ("Tab", "\t"),
        ("Shift+Tab", "\x1b[Z"),
        ("Enter", "\r"),
        ("Escape", "\x1b"),
        ("Backspace", "\x7f"),
        ("Del", "\x1b[3~"),
        ("PgDn", "\x1b[6~"),
        ("Ctrl+PageUp", "\x1b[5;5~"),
        ("Home", "\x1b[H"),
        ("↑", "\x1b[A"),
        ("Ctrl+Shift+Right", "\x1b[1;6C"),
    ],
)
def test_a_name_is_the_key_that_the_terminal_reports(name: str, bytes_of_it: str) -> None:
    reported = TerminalKind("xterm-256color").key(bytes_of_it)

    assert reported is not None
    assert key_of(name) == reported.name


@pytest.mark.parametrize(
    "name", ["", "pp", "Hyper+P", "Ctrl+", "Ctrl+Ctrl+P", "Ctrl+Shift+P", "Alt+Space", "F99", "\t"]
)
def test_what_is_no_key_is_none(name: str) -> None:
    assert key_of(name) is None


@pytest.mark.parametrize("key", sorted({key for row in TABLE for key in row.keys}))
def test_each_key_of_the_table_has_a_name_that_leads_back(key: str) -> None:
    same = {"KEY_CTRL_H": "KEY_BACKSPACE"}

    assert key_of(name_of(key)) == same.get(key, key)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("KEY_CTRL_ALT_PGDOWN", "Ctrl+Alt+PgDn"),
        ("KEY_CTRL__", "Ctrl+_"),
        ("KEY_CENTER", "Center"),
        ("KEY_BTAB", "Shift+Tab"),
        (" ", "Space"),
        ("ä", "ä"),
    ],
)
def test_a_key_has_a_name_for_people(key: str, name: str) -> None:
    assert name_of(key) == name
