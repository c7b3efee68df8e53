"""The names of keys: those of people, as ``Ctrl+F``, and those that the terminal reports. Pure."""

from __future__ import annotations

from typing import Final

#: The keys that are not characters: the terminal's names without their prefix, and the names for
#: people, the shown one first.
_SPECIAL: Final = {
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
_BY_NAME: Final = {
    text.lower().replace("-", "+"): name for name, names in _SPECIAL.items() for text in names
}
_MODIFIERS: Final = ("CTRL", "ALT", "SHIFT")
_PREFIX = "KEY_"
#: Keys that a terminal cannot tell from others.
_SAME: Final = {
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
    return _pressed_with(wanted, key.strip())


def name_of(key: str) -> str:
    """Return the name for people of a key that the terminal reports."""
    if key == " ":
        return "Space"
    if not key.startswith(_PREFIX):
        return key
    name = key.removeprefix(_PREFIX)
    modifiers = []
    while name not in _SPECIAL:
        first, under, rest = name.partition("_")
        if first not in _MODIFIERS or not under or not rest:
            break
        modifiers.append(first.capitalize())
        name = rest
    shown = _SPECIAL[name][0] if name in _SPECIAL else name.capitalize()
    return "+".join((*modifiers, shown))


def _pressed_with(modifiers: set[str], key: str) -> str | None:
    """Return the terminal's name of a key that is pressed together with others."""
    is_character = len(key) == 1 and key not in "↑↓←→"
    if key.lower() == "space":
        return {(): " ", ("CTRL",): "KEY_CTRL_SPACE"}.get(tuple(modifiers))
    if is_character and modifiers <= {"SHIFT"}:
        return key.upper() if modifiers else key
    if is_character and "SHIFT" in modifiers and "CTRL" in modifiers:
        return None  # a terminal reports it as the key without Shift
    if not is_character:
        name = _BY_NAME.get(key.lower())
        if name is None:
            return None
        key = name
    held = [modifier for modifier in _MODIFIERS if modifier in modifiers]
    named = f"{_PREFIX}{'_'.join((*held, key.upper()))}"
    return _SAME.get(named, named)
