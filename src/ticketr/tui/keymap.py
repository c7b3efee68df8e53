"""The table of keys: their actions, and their texts in the help and the action bar.

No other module knows a key. The help and the action bar are made from this table, so they agree
with what the keys do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class KeyAction(Enum):
    """The action of a key."""

    UP = auto()
    DOWN = auto()
    PAGE_UP = auto()
    PAGE_DOWN = auto()
    TOP = auto()
    BOTTOM = auto()
    OPEN = auto()
    PULL = auto()
    PUSH = auto()
    SYNC = auto()
    RESOLVE = auto()
    NOTES = auto()
    BACK = auto()
    ESCAPE = auto()
    HELP = auto()
    REDRAW = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class Binding:
    """One row of the table.

    Attributes:
        action: The action of the keys.
        keys: The keys' names, as the terminal reports them.
        shown: The keys' names for people.
        help: The text in the help.
        hint: The word in the action bar; empty for none.
    """

    action: KeyAction
    keys: tuple[str, ...]
    shown: str
    help: str
    hint: str = ""


TABLE = (
    Binding(KeyAction.UP, ("KEY_UP", "k"), "↑ k", "one up"),
    Binding(KeyAction.DOWN, ("KEY_DOWN", "j"), "↓ j", "one down"),
    Binding(KeyAction.PAGE_UP, ("KEY_PGUP", "KEY_CTRL_B"), "PgUp", "a page up"),
    Binding(KeyAction.PAGE_DOWN, ("KEY_PGDOWN", "KEY_CTRL_F", " "), "PgDn", "a page down"),
    Binding(KeyAction.TOP, ("KEY_HOME", "g"), "Home g", "to the first"),
    Binding(KeyAction.BOTTOM, ("KEY_END", "G"), "End G", "to the last"),
    Binding(KeyAction.OPEN, ("KEY_ENTER", "l", "KEY_RIGHT"), "Enter", "read the ticket", "open"),
    Binding(KeyAction.BACK, ("h", "KEY_LEFT"), "← h", "back to the list"),
    Binding(KeyAction.PULL, ("P", "KEY_F2"), "P F2", "pull from Jira", "pull"),
    Binding(KeyAction.PUSH, ("p", "KEY_F3"), "p F3", "push what was edited here to Jira", "push"),
    Binding(KeyAction.SYNC, ("s", "KEY_F4"), "s F4", "sync: pull, merge and push", "sync"),
    Binding(KeyAction.RESOLVE, ("r",), "r", "settle the selected ticket's conflict", "resolve"),
    Binding(
        KeyAction.NOTES,
        ("n",),
        "n",
        "broken files, and what the last job says of single tickets",
        "notes",
    ),
    Binding(
        KeyAction.ESCAPE,
        ("KEY_ESCAPE",),
        "Esc",
        "close what is open, or cancel the running job, or go back",
        "cancel",
    ),
    Binding(KeyAction.HELP, ("?", "KEY_F1"), "? F1", "show or close this help", "help"),
    Binding(KeyAction.REDRAW, ("KEY_CTRL_L",), "Ctrl+L", "read the files again, redraw the screen"),
    Binding(KeyAction.QUIT, ("q", "KEY_F10", "KEY_CTRL_C"), "q F10", "leave", "quit"),
)
#: Keys that the terminal itself handles, for the help.
ELSEWHERE = (("Ctrl+Z", "suspend; fg brings it back"), ("Ctrl+C", "leave"))

_ACTIONS = {key: binding.action for binding in TABLE for key in binding.keys}
_BINDINGS = {binding.action: binding for binding in TABLE}


def key_action(key: str) -> KeyAction | None:
    """Return the action of a key, or None."""
    return _ACTIONS.get(key)


def binding_of(action: KeyAction) -> Binding:
    """Return the table's row for an action."""
    return _BINDINGS[action]
