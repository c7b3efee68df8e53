from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from fakes.states import app_state, pressed, snapshot
from rows import for_each

from ticketr import JobStatus
from ticketr.app import config
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, call_in
from ticketr.app.tui.jobs_state import end_of
from ticketr.app.tui.keymap import (
    DEFAULT_BINDINGS,
    Context,
    KeyAction,
    KeyMap,
    key_of,
    keymap_with_user_keys,
    name_of,
)
from ticketr.app.tui.main.palette import Palette
from ticketr.app.tui.overlays.pages import help_lines
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.services.jobs import start_job
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.text_input import TextInput
from ticketr.app.tui.update import update
from ticketr.terminal import Key
from ticketr.terminal.terminfo import TerminalKind

Keys: TypeAlias = Callable[[str], KeyMap]
DRAFT = Ticket("Not there yet")
THEME = Theme()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Return a function that reads the lines of a table [keys]."""

    def read(lines: str) -> KeyMap:
        path = tmp_path / "config.toml"
        path.touch(mode=0o600)
        path.write_text(f'use = "work"\n\n[keys]\n{lines}', encoding="utf-8")
        return keymap_with_user_keys(config.read_keymap_table(tmp_path))

    return read


def test_without_a_table_the_keys_are_those_of_the_app(tmp_path: Path) -> None:
    assert keymap_with_user_keys(config.read_keymap_table(tmp_path)) == KeyMap()


def test_keys_take_the_place_of_those_of_an_action(keys: Keys) -> None:
    keymap = keys('push = "W"\npage-down = ["PgDn", "Ctrl+F", "Ctrl+V"]\n')

    assert keymap.action("W", Context.TICKETS) is KeyAction.PUSH
    assert keymap.action("p", Context.TICKETS) is None
    assert keymap.action("KEY_CTRL_V", Context.DIFF) is KeyAction.PAGE_DOWN
    assert keymap.action("P", Context.TICKETS) is KeyAction.PULL


def test_two_actions_may_change_keys(keys: Keys) -> None:
    keymap = keys('push = "P"\npull = "p"\n')

    assert keymap.action("P", Context.MAIN) is KeyAction.PUSH
    assert keymap.action("p", Context.MAIN) is KeyAction.PULL


@pytest.mark.parametrize(
    ("lines", "key", "context", "action", "loser", "rest"),
    [
        ('push = "P"\n', "P", Context.TICKETS, KeyAction.PUSH, KeyAction.PULL, ""),
        ('pull = "?"\n', "?", Context.DETAIL, KeyAction.PULL, KeyAction.HELP, "F1"),
        ('pull = "Right"\n', "KEY_RIGHT", Context.TICKETS, KeyAction.PULL, KeyAction.UNFOLD, "l"),
        ('quit = "Home"\n', "KEY_HOME", Context.JOBS, KeyAction.QUIT, KeyAction.TOP, "g"),
        ('edit = "k"\n', "k", Context.MAIN, KeyAction.EDIT, KeyAction.UP, "↑"),
    ],
)
def test_a_key_of_the_user_is_taken_from_the_action_that_has_it_by_default(
    lines: str,
    key: str,
    context: Context,
    action: KeyAction,
    loser: KeyAction,
    rest: str,
    keys: Keys,
) -> None:
    keymap = keys(lines)

    assert keymap.action(key, context) is action
    assert keymap.key_name(loser, context) == rest
    assert any(row.action is loser for row in keymap.bindings_by_context[context].all_bindings)
    other = keymap.action("k", Context.HELP)
    assert other is KeyAction.UP  # where nothing else has it, it stays


def test_an_action_may_have_no_key_and_stays_in_the_palette(keys: Keys) -> None:
    keymap = keys("sync = []\nhelp = []\n")
    state = replace(app_state(), keymap=keymap)
    rows = draw_screen(state, 0.0, THEME)

    assert keymap.action("s", Context.MAIN) is None
    assert "sync" not in rows[-2]
    assert not any("sync" in line for line in help_lines(keymap, Context.TICKETS, 80))
    palette = Palette(lambda *_: None, input=TextInput.of("sync"))
    shown = draw_screen(state.opened(palette), 0.0, THEME)
    assert any("show what a sync would write" in row for row in shown)


def test_where_text_is_typed_a_character_is_text_and_the_keys_stay(keys: Keys) -> None:
    keymap = keys('up = "z"\ncursor-left = ["b", "Ctrl+B"]\npage-up = "PgUp"\n')

    assert keymap.action("z", Context.TICKETS) is KeyAction.UP
    assert keymap.action("KEY_UP", Context.TICKETS) is None
    assert keymap.action("z", Context.PALETTE) is None
    assert keymap.action("KEY_UP", Context.PALETTE) is KeyAction.UP
    assert keymap.action("b", Context.INPUT) is None
    assert keymap.action("KEY_CTRL_B", Context.INPUT) is KeyAction.CURSOR_LEFT


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        (
            'edit = "E"\nadd = "E"\n',
            5,
            "E would be both edit and add in the main screen; give one of them another key",
        ),
        ('edit = "E"\npsh = "b"\n', 5, "unknown key 'psh', did you mean 'push'?"),
        (
            'push = "Hyper+P"\n',
            4,
            'push: there is no key \'Hyper+P\'; write "p", "Ctrl+F", "F5" or "Space"',
        ),
        ('push = ""\n', 4, 'push: there is no key \'\'; write "p", "Ctrl+F", "F5" or "Space"'),
        ("push = 3\n", 4, "push must be text in quotes, and here is a number"),
        ('push = "Esc"\n', 4, "push: Esc is only for escape; choose another key"),
        ('push = "Ctrl+C"\n', 4, "push: Ctrl+C is only for quit; choose another key"),
        ('push = "Enter"\n', 4, "push: Enter is only for accept and open; choose another key"),
        ('push = "Ctrl+M"\n', 4, "push: Enter is only for accept and open; choose another key"),
        ('push = "Ctrl+Z"\n', 4, "push: Ctrl+Z suspends the app; choose another key"),
        ('accept = "y"\n', 4, "accept stays on Enter, and has no other key"),
        ("escape = []\n", 4, "escape stays on Esc, and has no other key"),
    ],
)
def test_what_cannot_be_is_an_error_with_its_line(
    lines: str, line: int, words: str, keys: Keys, tmp_path: Path
) -> None:
    with pytest.raises(config.BadFile) as caught:
        keys(lines)

    assert str(caught.value) == f"{tmp_path}/config.toml:{line}: {words}"


def test_ctrl_c_leaves_whatever_else_does(keys: Keys) -> None:
    keymap = keys('quit = "Q"\naccept = "Enter"\nescape = ["Esc"]\n')

    assert keymap.action("q", Context.MAIN) is None
    for key in ("Q", "KEY_CTRL_C"):
        assert keymap.action(key, Context.PLAN) is KeyAction.QUIT
    assert keymap.action("KEY_CTRL_C", Context.INPUT) is KeyAction.QUIT
    assert keymap.key_name(KeyAction.QUIT, Context.MAIN) == "Q"


def test_no_key_of_the_app_has_two_actions_in_one_place(keys: Keys) -> None:
    every = {row.name_in_settings for row in DEFAULT_BINDINGS} - {"accept", "escape"}

    for name in every:
        keys_of = {row.keys for row in DEFAULT_BINDINGS if row.name_in_settings == name}
        if len(keys_of) == 1:  # naming the keys that an action has changes nothing
            names = (name_of(key) for key in keys_of.pop() if key != "KEY_CTRL_C")
            listed = ", ".join(f"'{key}'" for key in names)
            keys(f"{name} = [{listed}]\n")


def test_the_help_and_the_action_bar_show_the_keys_of_the_user(keys: Keys) -> None:
    keymap = keys('help = "F9"\nedit = ["Ctrl+E", "Alt+E", "Insert"]\n')
    state = replace(app_state(DRAFT), keymap=keymap)

    bar = draw_screen(state, 0.0, THEME)[-2]
    lines = help_lines(keymap, Context.TICKETS, 80)

    assert bar.startswith(" Enter read  Ctrl+E edit  ")
    assert bar.rstrip().endswith("F9 all")
    assert "Ctrl+E Alt+E Insert edit the file at this line, in $EDITOR" in lines


def test_hints_name_the_keys_of_the_user(keys: Keys) -> None:
    keymap = keys(
        'help = "F9"\npull = "F8"\npush = "F7"\nfilter = "F6"\njobs = "F11"\nundo = "D"\n'
        'panel-2 = "F12"\nsearch = "F5"\n'
    )
    state = replace(app_state(DRAFT), keymap=keymap)

    assert pressed(state, "z").notice == "z does nothing here; F9 lists the keys"
    assert pressed(state, "KEY_CTRL_Q").notice == "Ctrl+Q does nothing here; F9 lists the keys"
    assert pressed(state, "o").notice == (
        "Jira does not have this ticket yet; F7 shows what a push would create"
    )
    hints = ((KeyAction.PUSH, "sends it"), (KeyAction.UNDO, "takes it back"))
    settled = messages.Notice("DEMO-1 is resolved", is_error=False, hints=hints)
    assert update(state, settled, 0.0)[0].notice == (
        "DEMO-1 is resolved; F7 sends it, D takes it back"
    )
    assert pressed(state, "1", "S").notice == "Only tickets are sorted; F12 goes to them"
    assert pressed(state, "n").notice == "Nothing was searched yet; F5 searches"
    cancelled = snapshot(JobStatus.CANCELLED)
    assert end_of(cancelled, keymap).text == "Cancelled · F8 goes on"
    assert end_of(cancelled, keys("pull = []\n")).text == "Cancelled"
    empty = draw_screen(replace(app_state(), keymap=keymap), 0.0, THEME)
    assert any("No tickets here yet. Press F8 to pull from Jira" in row for row in empty)


def test_a_key_of_the_user_does_what_the_key_before_did(keys: Keys) -> None:
    state = replace(app_state(DRAFT), keymap=keys('pull = "F8"\n'))

    _, asked = update(state, Key("KEY_F8"), 0.0)

    assert asked == (call_in("work", start_job, JobRequest(JobKind.PULL)),)


@for_each(
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
    assert key_of(name) == reported.char_or_key_name


@for_each(
    "name", ["", "pp", "Hyper+P", "Ctrl+", "Ctrl+Ctrl+P", "Ctrl+Shift+P", "Alt+Space", "F99", "\t"]
)
def test_what_is_no_key_is_none(name: str) -> None:
    assert key_of(name) is None


@for_each("key", sorted({key for row in DEFAULT_BINDINGS for key in row.keys}))
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
