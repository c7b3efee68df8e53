"""The table of keys: their actions, and their texts in the help, the action bar and the palette.

No other module knows a key. The help, the action bar, the palette and docs/app.md are made from
this table, so they agree with what the keys do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import Final, NamedTuple

from ticketr.app.config import Table

#: The keys that are not characters: the terminal's names without their prefix, and the names for
#: people, the shown one first.
_NAMES_BY_TERMINAL_KEY_NAME: Final = {
    "ENTER": ("Enter", "Return"),
    "ESCAPE": ("Esc", "Escape"),
    "TAB": ("Tab",),
    "BTAB": ("Shift+Tab", "Backtab"),
    "BACKSPACE": ("Backspace",),
    "DELETE": ("Delete", "Del"),
    "INSERT": ("Insert", "Ins"),
    "HOME": ("Home",),
    "END": ("End",),
    "PGUP": ("PgUp", "PageUp"),
    "PGDOWN": ("PgDn", "PageDown", "PgDown"),
    "UP": ("↑", "Up"),
    "DOWN": ("↓", "Down"),
    "LEFT": ("←", "Left"),
    "RIGHT": ("→", "Right"),
    **{f"F{number}": (f"F{number}",) for number in range(1, 25)},
}
_TERMINAL_NAME_BY_TYPED_NAME: Final = {
    text.lower().replace("-", "+"): name
    for name, names in _NAMES_BY_TERMINAL_KEY_NAME.items()
    for text in names
}
_MODIFIERS: Final = ("CTRL", "ALT", "SHIFT")
#: Keys that a terminal cannot tell from others.
_EQUIVALENT_KEYS: Final = {
    "KEY_CTRL_H": "KEY_BACKSPACE",
    "KEY_CTRL_I": "KEY_TAB",
    "KEY_CTRL_J": "KEY_ENTER",
    "KEY_CTRL_M": "KEY_ENTER",
    "KEY_CTRL_[": "KEY_ESCAPE",
    "KEY_SHIFT_TAB": "KEY_BTAB",
}


def key_of(name: str) -> str | None:
    """Return the key that the terminal reports for a name; None if there is no such key.

    Args:
        name: A character, which counts as it is, or a name such as ``Ctrl+F``, ``F5``, ``PgDn``
            or ``Space``, in letters of any size.
    """
    if len(name) == 1 and name not in "↑↓←→":
        return name if name.isprintable() else None
    words = name.strip().split("+")
    if words[-2:] == ["", ""]:  # the key + with modifiers
        words = [*words[:-2], "+"]
    *modifiers, key = words
    wanted = {modifier.strip().upper() for modifier in modifiers}
    if not key or len(wanted) < len(modifiers) or not wanted <= set(_MODIFIERS):
        return None
    return _terminal_name_of_typed_key(wanted, key.strip())


def name_of(key: str) -> str:
    """Return the name for people of a key that the terminal reports."""
    if key == " ":
        return "Space"
    if not key.startswith("KEY_"):
        return key
    name = key.removeprefix("KEY_")
    modifiers = []
    while name not in _NAMES_BY_TERMINAL_KEY_NAME:
        first, under, rest = name.partition("_")
        if first not in _MODIFIERS or not under or not rest:
            break
        modifiers.append(first.capitalize())
        name = rest
    shown = _NAMES_BY_TERMINAL_KEY_NAME.get(name, (name.capitalize(),))[0]
    return "+".join((*modifiers, shown))


def _terminal_name_of_typed_key(modifiers: set[str], key: str) -> str | None:
    """Return the terminal's name of a key that is pressed together with others."""
    is_character = len(key) == 1 and key not in "↑↓←→"
    if key.lower() == "space":
        return {(): " ", ("CTRL",): "KEY_CTRL_SPACE"}.get(tuple(modifiers))
    if is_character and modifiers <= {"SHIFT"}:
        return key.upper() if modifiers else key
    if is_character and "SHIFT" in modifiers and "CTRL" in modifiers:
        return None  # a terminal reports it as the key without Shift
    if not is_character:
        name = _TERMINAL_NAME_BY_TYPED_NAME.get(key.lower())
        if name is None:
            return None
        key = name
    held = [modifier for modifier in _MODIFIERS if modifier in modifiers]
    named = f"KEY_{'_'.join((*held, key.upper()))}"
    return _EQUIVALENT_KEYS.get(named, named)


class Context(Enum):
    """A place in which keys have a meaning; the value is its name in the help."""

    EVERYWHERE = "everywhere"
    MAIN = "the main screen"
    TICKETS = "the ticket list"
    WORKSPACES = "the workspaces"
    DETAIL = "the open ticket"
    JOBS = "the jobs"
    PLAN = "a plan"
    CONFLICT = "a conflict"
    DIFF = "a diff"
    PALETTE = "the palette"
    CHOICE = "a list to choose from"
    INPUT = "a line to type"
    HELP = "this help"
    QUESTION = "a question"
    START_MENU = "the ways to begin"
    FIRST_RUN = "the first run"


class KeyAction(Enum):
    """The action of a key; see `Binding.name_in_settings`."""

    ACCEPT = auto()
    ACCEPT_LOSS = auto()
    ADD = auto()
    ADD_WORKSPACE = auto()
    ALL_JIRAS = auto()
    ALL_YOURS = auto()
    ASSIGN = auto()
    ATTACH = auto()
    BACKSPACE = auto()
    BOTTOM = auto()
    BROWSER = auto()
    CANCEL_JOB = auto()
    CHANGE = auto()
    CLOSE = auto()
    CONNECT = auto()
    COPY_ADDRESS = auto()
    COPY_KEY = auto()
    CURSOR_END = auto()
    CURSOR_LEFT = auto()
    CURSOR_RIGHT = auto()
    CURSOR_START = auto()
    DELETE_LINE = auto()
    DELETE_WORD = auto()
    DIFF = auto()
    DOWN = auto()
    EDIT = auto()
    ESCAPE = auto()
    FILTER = auto()
    FIX_VERSION = auto()
    FOLD = auto()
    HALF_DOWN = auto()
    HALF_UP = auto()
    HELP = auto()
    IN_EDITOR = auto()
    JOBS = auto()
    LABELS = auto()
    LOG_IN = auto()
    LOWER = auto()
    NEXT = auto()
    NEXT_HIT = auto()
    NEXT_PANEL = auto()
    OPEN = auto()
    OPEN_FOLDER = auto()
    OPEN_PAGE = auto()
    PAGE_DOWN = auto()
    PAGE_UP = auto()
    PALETTE = auto()
    PANEL_1 = auto()
    PANEL_2 = auto()
    PANEL_3 = auto()
    PARENT = auto()
    PREVIOUS = auto()
    PREVIOUS_HIT = auto()
    PREVIOUS_PANEL = auto()
    PRIORITY = auto()
    PULL = auto()
    PUSH = auto()
    QUIT = auto()
    RAISE = auto()
    REDRAW = auto()
    RELOAD = auto()
    RUN_AGAIN = auto()
    RUN_NOW = auto()
    SEARCH = auto()
    SELECT = auto()
    SELECT_ALL = auto()
    REPLY = auto()
    RESOLVE = auto()
    SHOW_TOKEN = auto()
    CHECK = auto()
    SORT = auto()
    SPRINT = auto()
    STATUS = auto()
    COMMENT = auto()
    SYNC = auto()
    TAKE_BOTH = auto()
    TAKE_JIRAS = auto()
    TAKE_YOURS = auto()
    TOP = auto()
    UNDO = auto()
    UNFOLD = auto()
    UP = auto()
    WORKLOG = auto()


@dataclass(frozen=True, slots=True)
class Binding:
    """One row of the table.

    Attributes:
        action: The action of the keys.
        keys: The keys' names, as the terminal reports them.
        help: The text in the help and the palette.
        contexts: The places in which the keys have this action.
        hint: The word in the action bar; empty for none.
    """

    action: KeyAction
    keys: tuple[str, ...]
    help: str
    contexts: tuple[Context, ...]
    hint: str = ""

    @property
    def name_in_settings(self) -> str:
        """The name of the action in the user's settings, as ``page-down``."""
        return self.action.name.lower().replace("_", "-")


_C, _A = Context, KeyAction
#: The places with a list, and those with a line to type, in which printable characters are text.
_LIST_CONTEXTS = (_C.MAIN, _C.JOBS, _C.PLAN, _C.CONFLICT, _C.DIFF, _C.HELP)
TYPING_CONTEXTS = (_C.INPUT, _C.PALETTE, _C.CHOICE, _C.FIRST_RUN)

#: The rows are in the order of the help and of the action bar.
DEFAULT_BINDINGS = (
    Binding(_A.OPEN, ("KEY_ENTER",), "read the ticket; again: full width", (_C.MAIN,), "read"),
    Binding(_A.ACCEPT, ("KEY_ENTER",), "carry it out", (_C.PLAN, _C.CONFLICT), "carry out"),
    Binding(_A.ACCEPT, ("KEY_ENTER",), "take it", (_C.INPUT, _C.PALETTE, _C.CHOICE), "take"),
    Binding(_A.ACCEPT, ("KEY_ENTER",), "do it", (_C.QUESTION,), "do it"),
    Binding(_A.ACCEPT, ("KEY_ENTER",), "begin this way", (_C.START_MENU,), "begin"),
    Binding(_A.ACCEPT, ("KEY_ENTER",), "take it and go on; on the button: carry it out", (_C.FIRST_RUN,), "next"),
    Binding(_A.CONNECT, ("c",), "connect to Jira", (_C.START_MENU,), "connect"),
    Binding(_A.OPEN_FOLDER, ("o",), "open a folder", (_C.START_MENU,), "open"),
    Binding(_A.ADD_WORKSPACE, ("a",), "add a workspace", (_C.WORKSPACES,), "add"),
    Binding(_A.OPEN, ("KEY_ENTER",), "show the tickets of the job", (_C.JOBS,), "tickets"),
    Binding(_A.EDIT, ("e",), "edit the file at this line, in $EDITOR", (_C.MAIN, _C.DIFF, _C.PLAN), "edit"),
    Binding(_A.IN_EDITOR, ("KEY_CTRL_O",), "in a comment: write it in $EDITOR", (_C.INPUT,)),
    Binding(_A.RESOLVE, ("c",), "resolve the ticket's conflict", (_C.MAIN,), "resolve"),
    Binding(_A.STATUS, ("t",), "choose another status", (_C.MAIN,), "status…"),
    Binding(_A.ASSIGN, ("i",), "assign to a person", (_C.MAIN,), "assign…"),
    Binding(_A.LABELS, ("L",), "add or remove a label", (_C.MAIN,)),
    Binding(_A.PRIORITY, ("!",), "set the priority", (_C.MAIN,)),
    Binding(_A.SPRINT, ("I",), "move to a sprint (iteration)", (_C.MAIN,)),
    Binding(_A.PARENT, ("U",), "put under a parent", (_C.MAIN,)),
    Binding(_A.FIX_VERSION, ("v",), "add or remove a fix version", (_C.MAIN,)),
    Binding(_A.COMMENT, ("m",), "write a comment", (_C.MAIN,)),
    Binding(_A.REPLY, ("M",), "reply to a comment, or edit your own", (_C.MAIN,)),
    Binding(_A.ATTACH, ("F",), "attach a file", (_C.MAIN,)),
    Binding(_A.WORKLOG, ("w",), "log work", (_C.MAIN,)),
    Binding(_A.DIFF, ("d",), "show what was changed here", (_C.MAIN,), "diff"),
    Binding(_A.DIFF, ("d",), "close what was changed here", (_C.DIFF,)),
    Binding(_A.ADD, ("a",), "add a ticket or a sub-task", (_C.MAIN,), "add"),
    Binding(_A.SELECT, (" ",), "choose tickets for one change of all", (_C.MAIN,)),
    Binding(_A.SELECT_ALL, ("A",), "choose all tickets that are listed; again: none", (_C.MAIN,)),
    Binding(_A.CHANGE, ("b",), "change any field of the chosen tickets, else of this one", (_C.MAIN,), "change…"),
    Binding(_A.SELECT, (" ",), "leave it out, or take it in again", (_C.PLAN,), "leave out"),
    # No letters: one that means nothing in a plan shows that somebody types a word.
    Binding(_A.UNFOLD, ("KEY_RIGHT",), "show what is changed in its texts", (_C.PLAN,), "unfold"),
    Binding(_A.FOLD, ("KEY_LEFT",), "hide that again", (_C.PLAN,), "fold"),
    Binding(_A.DIFF, ("d",), "show all of what is changed, on a screen of its own", (_C.PLAN,), "diff"),
    Binding(_A.ACCEPT_LOSS, ("!",), "accept what would be lost in Jira", (_C.PLAN,)),
    Binding(_A.SEARCH, ("/",), "search as you type; in the ticket: its text", (_C.MAIN,)),
    Binding(_A.NEXT_HIT, ("n",), "the next hit", (_C.MAIN,)),
    Binding(_A.PREVIOUS_HIT, ("N",), "the hit before", (_C.MAIN,)),
    Binding(_A.FILTER, ("f",), "show only some tickets", (_C.MAIN,)),
    Binding(_A.SORT, ("S",), "sort by another field, choose columns", (_C.MAIN,)),
    Binding(_A.UNDO, ("u",), "take back what was resolved or changed last", (_C.MAIN, _C.CONFLICT)),
    Binding(_A.PULL, ("P",), "pull from Jira", (_C.MAIN,), "pull"),
    Binding(_A.PUSH, ("p",), "show what a push would write", (_C.MAIN,), "push…"),
    Binding(_A.SYNC, ("s",), "show what a sync would write", (_C.MAIN,), "sync…"),
    Binding(_A.BROWSER, ("o",), "open the chosen tickets, else this one, in the browser", (_C.MAIN,), "browser"),
    Binding(_A.COPY_KEY, ("y",), "copy the keys of the chosen tickets, else of this one", (_C.MAIN,)),
    Binding(_A.COPY_KEY, ("y",), "copy the job's error", (_C.JOBS,), "copy error"),
    Binding(_A.COPY_ADDRESS, ("Y",), "copy the addresses of the chosen tickets, else of this one", (_C.MAIN,)),
    Binding(_A.JOBS, ("J",), "show or close the jobs", (_C.MAIN, _C.JOBS)),
    Binding(_A.LOG_IN, ("C",), "log in to this Jira again, with a new token", (_C.MAIN,)),
    Binding(_A.PALETTE, (":", "KEY_CTRL_P"), "find a command by its name", (_C.MAIN,)),
    Binding(_A.RELOAD, ("r",), "read the files again", (_C.MAIN,)),
    Binding(_A.TAKE_YOURS, ("KEY_LEFT", "h"), "take yours", (_C.CONFLICT,), "yours"),
    Binding(_A.TAKE_JIRAS, ("KEY_RIGHT", "l"), "take Jira's", (_C.CONFLICT,), "Jira's"),
    Binding(_A.TAKE_BOTH, ("m",), "take both", (_C.CONFLICT,), "both"),
    Binding(_A.EDIT, ("e",), "edit both texts by hand", (_C.CONFLICT,), "edit by hand"),
    Binding(_A.ALL_YOURS, ("A",), "take yours everywhere", (_C.CONFLICT,), "all yours"),
    Binding(_A.ALL_JIRAS, ("B",), "take Jira's everywhere", (_C.CONFLICT,), "all Jira's"),
    Binding(_A.CANCEL_JOB, ("x",), "cancel the job", (_C.JOBS,), "cancel"),
    Binding(_A.RAISE, ("+",), "raise the job's priority", (_C.JOBS,), "priority"),
    Binding(_A.LOWER, ("-",), "lower the job's priority", (_C.JOBS,)),
    Binding(_A.RUN_NOW, ("!",), "run the job before all others", (_C.JOBS,), "run now"),
    Binding(_A.RUN_AGAIN, ("R",), "run the job again", (_C.JOBS,), "run again"),
    Binding(_A.NEXT, ("]",), "the next one", (_C.MAIN, _C.CONFLICT)),
    Binding(_A.PREVIOUS, ("[",), "the one before", (_C.MAIN, _C.CONFLICT)),
    Binding(_A.PANEL_1, ("1",), "go to the workspaces", (_C.MAIN,)),
    Binding(_A.PANEL_2, ("2",), "go to the tickets", (_C.MAIN,)),
    Binding(_A.PANEL_3, ("3",), "go to the open ticket", (_C.MAIN,)),
    Binding(_A.NEXT_PANEL, ("KEY_TAB",), "the next panel; in a ticket of full width: its sub-tasks", (_C.MAIN,)),
    Binding(_A.NEXT_PANEL, ("KEY_TAB",), "the next field", (_C.FIRST_RUN,)),
    Binding(_A.NEXT_PANEL, ("KEY_TAB",), "complete", (_C.PALETTE,), "complete"),
    Binding(_A.NEXT_PANEL, ("KEY_TAB",), "in a filter: the names for queries", (_C.INPUT,)),
    Binding(_A.PREVIOUS_PANEL, ("KEY_BTAB",), "the panel before", (_C.MAIN,)),
    Binding(_A.PREVIOUS_PANEL, ("KEY_BTAB",), "the field before", (_C.FIRST_RUN,)),
    Binding(_A.UNFOLD, ("KEY_RIGHT", "l"), "show the sub-tasks", (_C.TICKETS,)),
    Binding(_A.FOLD, ("KEY_LEFT", "h"), "hide the sub-tasks; in the ticket: back", (_C.MAIN,)),
    Binding(_A.UP, ("KEY_UP", "k"), "one up", (*_LIST_CONTEXTS, _C.START_MENU)),
    Binding(_A.DOWN, ("KEY_DOWN", "j"), "one down", (*_LIST_CONTEXTS, _C.START_MENU)),
    Binding(_A.UP, ("KEY_UP",), "one up", (_C.PALETTE, _C.CHOICE, _C.FIRST_RUN)),
    Binding(_A.DOWN, ("KEY_DOWN",), "one down", (_C.PALETTE, _C.CHOICE, _C.FIRST_RUN)),
    Binding(_A.PAGE_UP, ("KEY_PGUP", "KEY_CTRL_B"), "a page up", (*_LIST_CONTEXTS, _C.PALETTE, _C.CHOICE)),
    Binding(_A.PAGE_DOWN, ("KEY_PGDOWN", "KEY_CTRL_F"), "a page down", (*_LIST_CONTEXTS, _C.PALETTE, _C.CHOICE)),
    Binding(_A.HALF_UP, ("KEY_CTRL_U",), "half a page up", _LIST_CONTEXTS),
    Binding(_A.HALF_DOWN, ("KEY_CTRL_D",), "half a page down", _LIST_CONTEXTS),
    Binding(_A.TOP, ("KEY_HOME", "g"), "to the first", _LIST_CONTEXTS),
    Binding(_A.BOTTOM, ("KEY_END", "G"), "to the last", _LIST_CONTEXTS),
    Binding(_A.CURSOR_LEFT, ("KEY_LEFT",), "one character left", TYPING_CONTEXTS),
    Binding(_A.CURSOR_RIGHT, ("KEY_RIGHT",), "one character right", TYPING_CONTEXTS),
    Binding(_A.CURSOR_START, ("KEY_HOME", "KEY_CTRL_A"), "to the start", TYPING_CONTEXTS),
    Binding(_A.CURSOR_END, ("KEY_END", "KEY_CTRL_E"), "to the end", TYPING_CONTEXTS),
    Binding(_A.BACKSPACE, ("KEY_BACKSPACE", "KEY_CTRL_H"), "delete a character", TYPING_CONTEXTS),
    Binding(_A.DELETE_WORD, ("KEY_CTRL_W",), "delete a word", TYPING_CONTEXTS),
    Binding(_A.DELETE_LINE, ("KEY_CTRL_U",), "delete the line", TYPING_CONTEXTS),
    Binding(_A.SHOW_TOKEN, ("KEY_CTRL_T",), "show or hide the token", (_C.FIRST_RUN,), "show token"),
    Binding(_A.OPEN_PAGE, ("KEY_CTRL_O",), "open the page for tokens", (_C.FIRST_RUN,), "token page"),
    Binding(_A.CHECK, ("KEY_F5",), "check what was typed", (_C.FIRST_RUN,), "check"),
    Binding(_A.ESCAPE, ("KEY_ESCAPE",), "close what is open, else cancel the job that is shown, else go back", (_C.EVERYWHERE,), "back"),
    Binding(_A.CLOSE, ("q",), "back, as Esc", (_C.JOBS, _C.PLAN, _C.CONFLICT, _C.DIFF, _C.QUESTION, _C.HELP)),
    Binding(_A.HELP, ("?", "KEY_F1"), "show or close this help", (_C.EVERYWHERE,), "all"),
    Binding(_A.REDRAW, ("KEY_CTRL_L",), "draw the screen again", (_C.EVERYWHERE,)),
    Binding(_A.QUIT, ("q", "KEY_F10", "KEY_CTRL_C"), "leave", (_C.EVERYWHERE,)),
)  # fmt: skip
#: Keys that the terminal itself handles, for the help.
TERMINAL_KEY_HELP_ROWS = (("Ctrl+Z", "suspend; fg brings it back"),)
#: The contexts of the main screen's panels, in which those of the main screen count, too.
_CONTEXTS_WITH_MAIN_KEYS = frozenset((Context.TICKETS, Context.WORKSPACES, Context.DETAIL))
#: Each context with those that enclose it, the innermost first.
_INNER_TO_OUTER_CONTEXTS = {
    context: (context, *((_C.MAIN,) if context in _CONTEXTS_WITH_MAIN_KEYS else ()), _C.EVERYWHERE)
    for context in Context
}


@dataclass(frozen=True)
class KeyMap:
    """The bindings in force: the table's, or the user's.

    Attributes:
        table: The bindings.
        keys_added_by_user: The keys that the user has added, each with its action. Other actions lose them there.
    """

    table: tuple[Binding, ...] = DEFAULT_BINDINGS
    keys_added_by_user: frozenset[tuple[KeyAction, str]] = frozenset()

    @cached_property
    def bindings_by_context(self) -> Mapping[Context, ContextBindings]:
        """What is bound in each context and those around it."""
        return {context: self._make_bindings_in_and_around(context) for context in Context}

    def _make_bindings_in_and_around(self, context: Context) -> ContextBindings:
        around = {*_INNER_TO_OUTER_CONTEXTS[context]}
        rows = tuple(row for row in self.table if not around.isdisjoint(row.contexts))
        keys = sorted(
            _outer_keys_first(context, rows),
            key=lambda pair: (pair[1].action, pair[0]) in self.keys_added_by_user,
        )
        by_key, names = dict(keys), dict[KeyAction, str]()
        for row in rows:
            for key in row.keys:
                if key in by_key and by_key[key].action is row.action:
                    names.setdefault(row.action, name_of(key))
        return ContextBindings(rows, by_key, names)

    def action(self, key: str, context: Context) -> KeyAction | None:
        """Return the action of a key in a context, or None."""
        binding = self.bindings_by_context[context].by_key.get(key)
        return None if binding is None else binding.action

    def key_name(self, action: KeyAction, context: Context) -> str:
        """Return the name for people of an action's first key; empty if it has none.

        Where text is typed, a character is not a key of the actions that count everywhere.
        """
        return self.bindings_by_context[context].key_name_by_action.get(action, "")

    def hint(self, action: KeyAction, context: Context, does: str, *, before: str = "") -> str:
        """Return a hint such as ``P goes on``; empty if the action has no key.

        Args:
            action: The action.
            context: The place in which its key is pressed.
            does: What the key does, in words that follow its name.
            before: What is before the hint, such as ``"; "``.
        """
        key = self.key_name(action, context)
        return f"{before}{key} {does}" if key else ""


class ContextBindings(NamedTuple):
    """What is bound in a context and those around it.

    Attributes:
        all_bindings: The bindings, with keys there or without.
        by_key: The binding of each key.
        key_name_by_action: The name for people of the first key of each action that has one.
    """

    all_bindings: tuple[Binding, ...]
    by_key: Mapping[str, Binding]
    key_name_by_action: Mapping[KeyAction, str]

    def effective_key_names(self, row: Binding) -> str:
        """Return the names of a row's keys, without those that do something else here."""
        return " ".join(name_of(key) for key in row.keys if self.by_key.get(key) is row)


_ACTION_BY_NAME: Final = {row.name_in_settings: row.action for row in DEFAULT_BINDINGS}
#: Keys that keep their actions, so that every screen can be left, and that no key which opens a
#: plan or a question also answers it.
_ACTIONS_BY_RESERVED_KEY: Final = {
    "KEY_ENTER": (KeyAction.ACCEPT, KeyAction.OPEN),
    "KEY_ESCAPE": (KeyAction.ESCAPE,),
    "KEY_CTRL_C": (KeyAction.QUIT,),
}
#: Actions that no other key can have.
_FIXED_KEY_BY_ACTION: Final = {KeyAction.ACCEPT: "KEY_ENTER", KeyAction.ESCAPE: "KEY_ESCAPE"}
#: Keys that never reach the app.
_EFFECT_BY_UNBINDABLE_KEY: Final = {
    "KEY_CTRL_Z": "suspends the app",
    "KEY_CTRL_\\": "ends a program that hangs",
}


def keymap_with_user_keys(table: Table) -> KeyMap:
    """Return the bindings of the app with those that the user has changed.

    A key that the user gives to an action is taken from the others, which stay in the palette.

    Args:
        table: Names of actions, each with a key or a list of keys; an empty list leaves the action
            to the palette. An action that the table does not have keeps its keys.

    Raises:
        BadFile: A value is not a key, a key must keep its action, or the user gives a key to two
            actions in one place; ``UnknownKey`` for a name that is not an action.
    """
    table.refuse_unknown(_ACTION_BY_NAME)
    given = {_ACTION_BY_NAME[name]: _read_keys_of_action(table, name) for name in table.names()}
    rows = tuple(_with_user_keys(row, given) for row in DEFAULT_BINDINGS)
    shared = {
        (context, one.action, two.action)
        for context, _, one, two in _find_clashes(DEFAULT_BINDINGS)
    }
    for context, key, one, two in _find_clashes(rows):
        is_given = one.action in given and two.action in given
        if is_given and (context, one.action, two.action) not in shared:
            both = f"{one.name_in_settings} and {two.name_in_settings}"
            raise table.make_error(
                two.name_in_settings,
                f"{name_of(key)} would be both {both} in {context.value}; give one of them another key",
            )
    old = {(row.action, key) for row in DEFAULT_BINDINGS for key in row.keys}
    new = {(row.action, key) for row in rows for key in row.keys}
    return KeyMap(rows, frozenset(new - old))


def _read_keys_of_action(table: Table, name: str) -> tuple[str, ...]:
    """Return the keys of an action in the order in which the user has named them."""
    action = _ACTION_BY_NAME[name]
    keys: list[str] = []
    for text in table.texts(name) if table.is_list(name) else (table.text(name) or "",):
        key = key_of(text)
        if key is None:
            raise table.make_error(
                name, f'{name}: there is no key {text!r}; write "p", "Ctrl+F", "F5" or "Space"'
            )
        if effect := _EFFECT_BY_UNBINDABLE_KEY.get(key):
            raise table.make_error(name, f"{name}: {name_of(key)} {effect}; choose another key")
        owners = _ACTIONS_BY_RESERVED_KEY.get(key, (action,))
        if action not in owners:
            words = " and ".join(owner.name.lower() for owner in owners)
            raise table.make_error(
                name, f"{name}: {name_of(key)} is only for {words}; choose another key"
            )
        keys.append(key)
    fixed = _FIXED_KEY_BY_ACTION.get(action)
    if fixed is not None and keys != [fixed]:
        raise table.make_error(name, f"{name} stays on {name_of(fixed)}, and has no other key")
    if action is KeyAction.QUIT:
        keys.append("KEY_CTRL_C")
    return tuple(dict.fromkeys(keys))


def _with_user_keys(row: Binding, given: Mapping[KeyAction, tuple[str, ...]]) -> Binding:
    """Return a row with the user's keys; where text is typed, a character is not a key."""
    if row.action not in given:
        return row
    keys = given[row.action]
    if any(context in TYPING_CONTEXTS for context in row.contexts):
        # What is typed there could otherwise not be corrected or left.
        keys = tuple(key for key in keys if len(key) > 1) or row.keys
    return replace(row, keys=keys)


def _find_clashes(rows: tuple[Binding, ...]) -> Iterator[tuple[Context, str, Binding, Binding]]:
    """Yield each key that has two actions in a place, the place, and the bindings."""
    for context in Context:
        owners: dict[str, Binding] = {}
        for key, row in _outer_keys_first(context, rows):
            other = owners.setdefault(key, row)
            if other.action is not row.action:
                yield context, key, other, row


def _outer_keys_first(context: Context, rows: tuple[Binding, ...]) -> Iterator[tuple[str, Binding]]:
    """Yield the keys that have an action in a place; what is bound further inside comes later."""
    for place in reversed(_INNER_TO_OUTER_CONTEXTS[context]):
        is_text = context in TYPING_CONTEXTS and place is Context.EVERYWHERE
        for row in rows:
            if place in row.contexts:
                yield from ((key, row) for key in row.keys if len(key) > 1 or not is_text)
