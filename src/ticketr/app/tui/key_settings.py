"""The keys of the user: the table ``[keys]`` of ``config.toml`` as a `KeyMap`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ticketr.app.tui.key_names import key_of, name_of
from ticketr.app.tui.keymap import TABLE, TYPING, Binding, Context, KeyAction, KeyMap, places_around

if TYPE_CHECKING:
    from ticketr.app.config import Table

_NAMES: Final = {row.name: row.action for row in TABLE}
#: Keys that keep their actions, so that every screen can be left, and that no key which opens a
#: plan or a question also answers it.
_RESERVED: Final = {
    "KEY_ENTER": (KeyAction.ACCEPT, KeyAction.OPEN),
    "KEY_ESCAPE": (KeyAction.ESCAPE,),
    "KEY_CTRL_C": (KeyAction.QUIT,),
}
#: Actions that no other key can have.
_FIXED: Final = {KeyAction.ACCEPT: "KEY_ENTER", KeyAction.ESCAPE: "KEY_ESCAPE"}
#: Keys that never reach the app.
_TAKEN: Final = {"KEY_CTRL_Z": "suspends the app", "KEY_CTRL_\\": "ends a program that hangs"}


def keymap_of(table: Table) -> KeyMap:
    """Return the bindings of the app with those that the user has changed.

    Args:
        table: Names of actions, each with a key or a list of keys; an empty list leaves the action
            to the palette. An action that the table does not have keeps its keys.

    Raises:
        BadFile: A value is not a key, a key must keep its action, or a key would have two actions
            in one place; ``UnknownKey`` for a name that is not an action.
    """
    table.refuse_unknown(_NAMES)
    given = {_NAMES[name]: _keys(table, name) for name in table.names()}
    rows = tuple(_bound(row, given) for row in TABLE)
    _refuse_clashes(rows, given, table)
    return KeyMap(rows)


def _keys(table: Table, name: str) -> tuple[str, ...]:
    """Return the keys of an action in the order in which the user has named them."""
    action = _NAMES[name]
    keys: list[str] = []
    for text in table.texts(name) if table.is_list(name) else (table.text(name) or "",):
        key = key_of(text)
        if key is None:
            raise table.bad(
                name, f'{name}: there is no key {text!r}; write "p", "Ctrl+F", "F5" or "Space"'
            )
        if key in _TAKEN:
            raise table.bad(name, f"{name}: {name_of(key)} {_TAKEN[key]}; choose another key")
        owners = _RESERVED.get(key, (action,))
        if action not in owners:
            words = " and ".join(owner.name.lower() for owner in owners)
            raise table.bad(name, f"{name}: {name_of(key)} is only for {words}; choose another key")
        keys.append(key)
    fixed = _FIXED.get(action)
    if fixed is not None and keys != [fixed]:
        raise table.bad(name, f"{name} stays on {name_of(fixed)}, and has no other key")
    if action is KeyAction.QUIT:
        keys.append("KEY_CTRL_C")
    return tuple(dict.fromkeys(keys))


def _bound(row: Binding, given: Mapping[KeyAction, tuple[str, ...]]) -> Binding:
    """Return a row with the user's keys; where text is typed, a character is not a key."""
    if row.action not in given:
        return row
    keys = given[row.action]
    if TYPING.intersection(row.contexts):
        # What is typed there could otherwise not be corrected or left.
        keys = tuple(key for key in keys if len(key) > 1) or row.keys
    shown = " ".join(name_of(key) for key in keys if key != "KEY_CTRL_C")
    return replace(row, keys=keys, shown=shown)


def _refuse_clashes(
    rows: tuple[Binding, ...], given: Mapping[KeyAction, tuple[str, ...]], table: Table
) -> None:
    """Check that each key has one action in each place, except keys that the app itself shares."""
    shared = {(context, one.action, two.action) for context, _, one, two in _clashes(TABLE)}
    for context, key, one, two in _clashes(rows):
        if (context, one.action, two.action) not in shared:
            named = two if two.action in given else one
            words = f"{name_of(key)} would be both {one.name} and {two.name}"
            raise table.bad(named.name, f"{words} in {context.value}; give one of them another key")


def _clashes(rows: tuple[Binding, ...]) -> Iterator[tuple[Context, str, Binding, Binding]]:
    """Yield each key that has two actions in a place, the place, and the bindings."""
    for context in Context:
        owners: dict[str, Binding] = {}
        for key, row in _pressed_in(context, rows):
            other = owners.setdefault(key, row)
            if other.action is not row.action:
                yield context, key, other, row


def _pressed_in(context: Context, rows: tuple[Binding, ...]) -> Iterator[tuple[str, Binding]]:
    """Yield the keys that have an action in a place, those of the places around it included."""
    around = tuple(places_around(context))
    for row in rows:
        for place in around:
            if place not in row.contexts:
                continue
            for key in row.keys:
                if not (context in TYPING and place is Context.EVERYWHERE and len(key) == 1):
                    yield key, row
