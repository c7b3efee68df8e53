"""The table of keys: their actions, and their texts in the help, the action bar and the palette.

No other module knows a key. The help, the action bar, the palette and docs/app.md are made from
this table, so they agree with what the keys do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from ticketr.app.tui.key_names import key_of, name_of


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
    LOG = "the log"
    QUESTION = "a question"
    WAYS = "the ways to begin"
    FIRST_RUN = "the first run"


class KeyAction(Enum):
    """The action of a key."""

    ACCEPT = auto()
    ACCEPT_LOSS = auto()
    ADD = auto()
    ADD_WORKSPACE = auto()
    ALL_JIRAS = auto()
    ALL_YOURS = auto()
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
    FOLD = auto()
    HALF_DOWN = auto()
    HALF_UP = auto()
    HELP = auto()
    JOBS = auto()
    LOG = auto()
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
    PREVIOUS = auto()
    PREVIOUS_HIT = auto()
    PREVIOUS_PANEL = auto()
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
    SETTLE = auto()
    SHOW_TOKEN = auto()
    CHECK = auto()
    SORT = auto()
    SOURCE = auto()
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


@dataclass(frozen=True, slots=True)
class Binding:
    """One row of the table.

    Attributes:
        action: The action of the keys.
        keys: The keys' names, as the terminal reports them.
        shown: The keys' names for people.
        help: The text in the help and the palette.
        contexts: The places in which the keys have this action.
        hint: The word in the action bar; empty for none.
    """

    action: KeyAction
    keys: tuple[str, ...]
    shown: str
    help: str
    contexts: tuple[Context, ...]
    hint: str = ""

    @property
    def name(self) -> str:
        """The name of the action in the user's settings, as ``page-down``."""
        return self.action.name.lower().replace("_", "-")

    @property
    def first(self) -> str:
        """The first key, as people call it; empty if it has no key."""
        return next(iter(self.shown.split()), "")


_C, _A = Context, KeyAction
#: The places with a list, and those with a line to type.
_LIST_CONTEXTS = (_C.MAIN, _C.JOBS, _C.PLAN, _C.CONFLICT, _C.DIFF, _C.CHOICE, _C.HELP, _C.LOG)
_LINE_CONTEXTS = (_C.INPUT, _C.PALETTE, _C.FIRST_RUN)

#: The rows are in the order of the help and of the action bar.
TABLE = (
    Binding(_A.OPEN, ("KEY_ENTER",), "Enter", "read the ticket; again: full width", (_C.MAIN,), "read"),
    Binding(_A.ACCEPT, ("KEY_ENTER",), "Enter", "carry it out", (_C.PLAN, _C.CONFLICT), "carry out"),
    Binding(
        _A.ACCEPT, ("KEY_ENTER",), "Enter", "take it",
        (_C.INPUT, _C.PALETTE, _C.CHOICE), "take",
    ),
    Binding(_A.ACCEPT, ("KEY_ENTER",), "Enter", "do it", (_C.QUESTION,), "do it"),
    Binding(_A.ACCEPT, ("KEY_ENTER",), "Enter", "begin this way", (_C.WAYS,), "begin"),
    Binding(
        _A.ACCEPT, ("KEY_ENTER",), "Enter", "take it and go on; on the button: carry it out",
        (_C.FIRST_RUN,), "next",
    ),
    Binding(_A.CONNECT, ("c",), "c", "connect to Jira", (_C.WAYS,), "connect"),
    Binding(_A.OPEN_FOLDER, ("o",), "o", "open a folder", (_C.WAYS,), "open"),
    Binding(_A.ADD_WORKSPACE, ("a",), "a", "add a workspace", (_C.WORKSPACES,), "add"),
    Binding(_A.OPEN, ("KEY_ENTER",), "Enter", "show the tickets of the job", (_C.JOBS,), "tickets"),
    Binding(_A.EDIT, ("e",), "e", "edit the file at this line, in $EDITOR", (_C.MAIN, _C.DIFF, _C.PLAN), "edit"),
    Binding(_A.SETTLE, ("c",), "c", "settle the ticket's conflict", (_C.MAIN,), "settle"),
    Binding(_A.STATUS, ("t",), "t", "choose another status", (_C.MAIN,), "status…"),
    Binding(_A.COMMENT, ("m",), "m", "write a comment", (_C.MAIN,)),
    Binding(_A.DIFF, ("d",), "d", "show what was changed here", (_C.MAIN,), "diff"),
    Binding(_A.DIFF, ("d",), "d", "close what was changed here", (_C.DIFF,)),
    Binding(_A.ADD, ("a",), "a", "add a ticket or a sub-task", (_C.MAIN,), "add"),
    Binding(_A.SELECT, (" ",), "Space", "choose tickets for one change of all", (_C.MAIN,)),
    Binding(_A.CHANGE, ("b",), "b", "change the chosen tickets", (_C.MAIN,), "change…"),
    Binding(_A.SELECT, (" ",), "Space", "leave it out, or take it in again", (_C.PLAN,), "leave out"),
    Binding(_A.ACCEPT_LOSS, ("!",), "!", "accept what would be lost in Jira", (_C.PLAN,)),
    Binding(_A.SEARCH, ("/",), "/", "search as you type; in the ticket: its text", (_C.MAIN,)),
    Binding(_A.NEXT_HIT, ("n",), "n", "the next hit", (_C.MAIN,)),
    Binding(_A.PREVIOUS_HIT, ("N",), "N", "the hit before", (_C.MAIN,)),
    Binding(_A.FILTER, ("f",), "f", "show only some tickets", (_C.MAIN,)),
    Binding(_A.SORT, ("S",), "S", "sort by another field", (_C.MAIN,)),
    Binding(_A.SOURCE, ("|",), "|", "show the ticket as its file holds it", (_C.MAIN,)),
    Binding(_A.UNDO, ("u",), "u", "take back what was settled or changed last", (_C.MAIN, _C.CONFLICT)),
    Binding(_A.PULL, ("P", "KEY_F2"), "P F2", "pull from Jira", (_C.MAIN,), "pull"),
    Binding(_A.PUSH, ("p", "KEY_F3"), "p F3", "show what a push would write", (_C.MAIN,), "push…"),
    Binding(_A.SYNC, ("s", "KEY_F4"), "s F4", "show what a sync would write", (_C.MAIN,), "sync…"),
    Binding(_A.BROWSER, ("o",), "o", "open the ticket in the browser", (_C.MAIN,), "browser"),
    Binding(_A.COPY_KEY, ("y",), "y", "copy the ticket's key", (_C.MAIN,)),
    Binding(_A.COPY_KEY, ("y",), "y", "copy the job's error", (_C.JOBS,), "copy error"),
    Binding(_A.COPY_ADDRESS, ("Y",), "Y", "copy the ticket's address", (_C.MAIN,)),
    Binding(_A.JOBS, ("J",), "J", "show or close the jobs", (_C.MAIN, _C.JOBS)),
    Binding(_A.LOG, ("L",), "L", "show the log", (_C.MAIN, _C.JOBS)),
    Binding(_A.PALETTE, (":", "KEY_CTRL_P"), ": Ctrl+P", "find a command by its name", (_C.MAIN,)),
    Binding(_A.RELOAD, ("r",), "r", "read the files again", (_C.MAIN,)),
    Binding(_A.TAKE_YOURS, ("KEY_LEFT", "h"), "←", "take yours", (_C.CONFLICT,), "yours"),
    Binding(_A.TAKE_JIRAS, ("KEY_RIGHT", "l"), "→", "take Jira's", (_C.CONFLICT,), "Jira's"),
    Binding(_A.TAKE_BOTH, ("m",), "m", "take both", (_C.CONFLICT,), "both"),
    Binding(_A.EDIT, ("e",), "e", "edit both texts by hand", (_C.CONFLICT,), "edit by hand"),
    Binding(_A.ALL_YOURS, ("A",), "A", "take yours everywhere", (_C.CONFLICT,), "all yours"),
    Binding(_A.ALL_JIRAS, ("B",), "B", "take Jira's everywhere", (_C.CONFLICT,), "all Jira's"),
    Binding(_A.CANCEL_JOB, ("x",), "x", "cancel the job", (_C.JOBS,), "cancel"),
    Binding(_A.RAISE, ("+",), "+", "raise the job's priority", (_C.JOBS,), "priority"),
    Binding(_A.LOWER, ("-",), "-", "lower the job's priority", (_C.JOBS,)),
    Binding(_A.RUN_NOW, ("!",), "!", "run the job before all others", (_C.JOBS,), "run now"),
    Binding(_A.RUN_AGAIN, ("R",), "R", "run the job again", (_C.JOBS,), "run again"),
    Binding(_A.NEXT, ("]",), "]", "the next one", (_C.MAIN, _C.CONFLICT)),
    Binding(_A.PREVIOUS, ("[",), "[", "the one before", (_C.MAIN, _C.CONFLICT)),
    Binding(_A.PANEL_1, ("1",), "1", "go to the workspaces", (_C.MAIN,)),
    Binding(_A.PANEL_2, ("2",), "2", "go to the tickets", (_C.MAIN,)),
    Binding(_A.PANEL_3, ("3",), "3", "go to the open ticket", (_C.MAIN,)),
    Binding(_A.NEXT_PANEL, ("KEY_TAB",), "Tab", "the next panel; in a ticket of full width: its sub-tasks", (_C.MAIN,)),
    Binding(_A.NEXT_PANEL, ("KEY_TAB",), "Tab", "the next field", (_C.FIRST_RUN,)),
    Binding(_A.NEXT_PANEL, ("KEY_TAB",), "Tab", "complete", (_C.PALETTE,), "complete"),
    Binding(_A.NEXT_PANEL, ("KEY_TAB",), "Tab", "in a filter: the saved ones and the names for queries", (_C.INPUT,)),
    Binding(_A.PREVIOUS_PANEL, ("KEY_BTAB",), "Shift+Tab", "the panel before", (_C.MAIN,)),
    Binding(_A.PREVIOUS_PANEL, ("KEY_BTAB",), "Shift+Tab", "the field before", (_C.FIRST_RUN,)),
    Binding(_A.UNFOLD, ("l", "KEY_RIGHT"), "→ l", "show the sub-tasks", (_C.TICKETS,)),
    Binding(_A.FOLD, ("h", "KEY_LEFT"), "← h", "hide the sub-tasks; in the ticket: back", (_C.MAIN,)),
    Binding(_A.UP, ("KEY_UP", "k"), "↑ k", "one up", (*_LIST_CONTEXTS, _C.WAYS)),
    Binding(_A.DOWN, ("KEY_DOWN", "j"), "↓ j", "one down", (*_LIST_CONTEXTS, _C.WAYS)),
    Binding(_A.UP, ("KEY_UP",), "↑", "one up", (_C.PALETTE, _C.FIRST_RUN)),
    Binding(_A.DOWN, ("KEY_DOWN",), "↓", "one down", (_C.PALETTE, _C.FIRST_RUN)),
    Binding(_A.PAGE_UP, ("KEY_PGUP", "KEY_CTRL_B"), "PgUp", "a page up", (*_LIST_CONTEXTS, _C.PALETTE)),
    Binding(_A.PAGE_DOWN, ("KEY_PGDOWN", "KEY_CTRL_F"), "PgDn", "a page down", (*_LIST_CONTEXTS, _C.PALETTE)),
    Binding(_A.HALF_UP, ("KEY_CTRL_U",), "Ctrl+U", "half a page up", _LIST_CONTEXTS),
    Binding(_A.HALF_DOWN, ("KEY_CTRL_D",), "Ctrl+D", "half a page down", _LIST_CONTEXTS),
    Binding(_A.TOP, ("KEY_HOME", "g"), "Home g", "to the first", _LIST_CONTEXTS),
    Binding(_A.BOTTOM, ("KEY_END", "G"), "End G", "to the last", _LIST_CONTEXTS),
    Binding(_A.CURSOR_LEFT, ("KEY_LEFT",), "←", "one character left", _LINE_CONTEXTS),
    Binding(_A.CURSOR_RIGHT, ("KEY_RIGHT",), "→", "one character right", _LINE_CONTEXTS),
    Binding(_A.CURSOR_START, ("KEY_HOME", "KEY_CTRL_A"), "Home", "to the start", _LINE_CONTEXTS),
    Binding(_A.CURSOR_END, ("KEY_END", "KEY_CTRL_E"), "End", "to the end", _LINE_CONTEXTS),
    Binding(_A.BACKSPACE, ("KEY_BACKSPACE", "KEY_CTRL_H"), "Backspace", "delete a character", _LINE_CONTEXTS),
    Binding(_A.DELETE_WORD, ("KEY_CTRL_W",), "Ctrl+W", "delete a word", _LINE_CONTEXTS),
    Binding(_A.DELETE_LINE, ("KEY_CTRL_U",), "Ctrl+U", "delete the line", _LINE_CONTEXTS),
    Binding(_A.SHOW_TOKEN, ("KEY_CTRL_T",), "Ctrl+T", "show or hide the token", (_C.FIRST_RUN,), "show token"),
    Binding(_A.OPEN_PAGE, ("KEY_CTRL_O",), "Ctrl+O", "open the page for tokens", (_C.FIRST_RUN,), "token page"),
    Binding(_A.CHECK, ("KEY_F5",), "F5", "check what was typed", (_C.FIRST_RUN,), "check"),
    Binding(
        _A.ESCAPE, ("KEY_ESCAPE",), "Esc",
        "close what is open, else cancel the job that is shown, else go back", (_C.EVERYWHERE,), "back",
    ),
    Binding(
        _A.CLOSE, ("q",), "q", "back, as Esc",
        (_C.JOBS, _C.PLAN, _C.CONFLICT, _C.DIFF, _C.CHOICE, _C.QUESTION, _C.HELP, _C.LOG),
    ),
    Binding(_A.HELP, ("?", "KEY_F1"), "? F1", "show or close this help", (_C.EVERYWHERE,), "all"),
    Binding(_A.REDRAW, ("KEY_CTRL_L",), "Ctrl+L", "draw the screen again", (_C.EVERYWHERE,)),
    Binding(_A.QUIT, ("q", "KEY_F10", "KEY_CTRL_C"), "q F10", "leave", (_C.EVERYWHERE,)),
)  # fmt: skip
#: Keys that the terminal itself handles, for the help.
TERMINAL_KEYS = (("Ctrl+Z", "suspend; fg brings it back"), ("Ctrl+C", "leave"))
#: Contexts in which printable characters are text.
TYPING = frozenset((Context.INPUT, Context.PALETTE, Context.FIRST_RUN))
#: The contexts of the main screen's panels, in which those of the main screen count, too.
_PANELS = frozenset((Context.TICKETS, Context.WORKSPACES, Context.DETAIL))


@dataclass(frozen=True)
class KeyMap:
    """The bindings in force: the table's, or the user's.

    Attributes:
        table: The bindings.
    """

    table: tuple[Binding, ...] = TABLE
    _by_key: Mapping[tuple[Context, str], Binding] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        by_key = {
            (place, key): row for row in self.table for place in row.contexts for key in row.keys
        }
        object.__setattr__(self, "_by_key", by_key)

    def binding(self, key: str, context: Context) -> Binding | None:
        """Return the binding of a key in a context, or None."""
        is_text = context in TYPING and len(key) == 1
        for place in places_around(context):
            binding = self._by_key.get((place, key))
            if binding is not None and not (is_text and place is Context.EVERYWHERE):
                return binding
        return None

    def action(self, key: str, context: Context) -> KeyAction | None:
        """Return the action of a key in a context, or None."""
        binding = self.binding(key, context)
        return None if binding is None else binding.action

    def of(self, action: KeyAction, context: Context) -> Binding | None:
        """Return the first binding of an action in a context, or None."""
        return next((row for row in self.in_context(context) if row.action is action), None)

    def key(self, action: KeyAction, context: Context) -> str:
        """Return the name for people of an action's first key; empty if it has none.

        Where text is typed, a character is not a key of the actions that count everywhere.
        """
        keys = (key for row in self.in_context(context) if row.action is action for key in row.keys)
        return next((name_of(key) for key in keys if self.action(key, context) is action), "")

    def hint(self, action: KeyAction, context: Context, does: str, *, before: str = "") -> str:
        """Return a hint such as ``P goes on``; empty if the action has no key.

        Args:
            action: The action.
            context: The place in which its key is pressed.
            does: What the key does, in words that follow its name.
            before: What is before the hint, such as ``"; "``.
        """
        key = self.key(action, context)
        return f"{before}{key} {does}" if key else ""

    def shown_in(self, row: Binding, context: Context) -> str:
        """Return the shown names of a row's keys, without keys that do something else in a context."""
        keys = ((name, key_of(name)) for name in row.shown.split())
        return " ".join(
            name for name, key in keys if key is None or self.binding(key, context) is row
        )

    def in_context(self, context: Context) -> Iterator[Binding]:
        """Yield the bindings that have an effect in a context, in the table's order.

        One whose keys all mean something else there, as of a context within, is left out; one
        that the user has left without keys is not.
        """
        places = set(places_around(context))
        for row in self.table:
            is_bare = not row.keys and not places.isdisjoint(row.contexts)
            if is_bare or any(self.binding(key, context) is row for key in row.keys):
                yield row


def places_around(context: Context) -> Iterable[Context]:
    """Yield a context and those that enclose it, the innermost first."""
    yield context
    if context in _PANELS:
        yield Context.MAIN
    yield Context.EVERYWHERE
