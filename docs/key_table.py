"""Writes the table of keys into a page: ``python docs/key_table.py docs/app.md``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ticketr.app.tui.keymap import (
    DEFAULT_BINDINGS,
    TERMINAL_KEY_HELP_ROWS,
    TYPING_CONTEXTS,
    Binding,
    Context,
    name_of,
)

_BEGIN, _END = "<!-- keys -->", "<!-- end of keys -->"


def key_table() -> str:
    """Return the keys, what they do and where, and the names of their actions."""
    actions: dict[str, list[Binding]] = {}
    for row in DEFAULT_BINDINGS:
        name = "" if row.contexts == TYPING_CONTEXTS else row.name_in_settings
        actions.setdefault(name, []).append(row)
    # The keys that change a line of text follow the others, in one row.
    lines = ["| key | what it does | name |", "|---|---|---|"]
    lines += [_row(rows) for name, rows in sorted(actions.items(), key=lambda item: not item[0])]
    lines += [f"| `{keys}` | {words} | |" for keys, words in TERMINAL_KEY_HELP_ROWS]
    return "\n".join((_BEGIN, "", *lines, "", _END))


def _row(rows: list[Binding]) -> str:
    """Return the row of an action; where it counts is said unless that is the main screen."""
    texts: dict[str, str] = {}
    for row in rows:
        is_usual = not {Context.MAIN, Context.EVERYWHERE}.isdisjoint(row.contexts)
        texts.setdefault(
            row.help, "" if is_usual else f" ({', '.join(place.value for place in row.contexts)})"
        )
    keys = dict.fromkeys(key for row in rows for key in map(name_of, row.keys))
    shown = " ".join("`\\|`" if key == "|" else f"`{key}`" for key in keys)
    if len(set(texts.values())) == 1:
        words = ", ".join(texts) + next(iter(texts.values()))
    else:
        words = " · ".join(f"{text}{where}" for text, where in texts.items())
    names = ", ".join(dict.fromkeys(f"`{row.name_in_settings}`" for row in rows))
    return f"| {shown} | {words} | {names} |"


def _write(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{_BEGIN}.*{_END}", re.DOTALL)
    page.write_text(pattern.sub(lambda _: key_table(), text), encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
