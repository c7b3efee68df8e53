"""Writes the table of keys as Markdown: ``python -m ticketr.app.tui.key_table docs/app.md``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ticketr.app.tui.keymap import TABLE, TERMINAL_KEYS

_BEGIN, _END = "<!-- keys -->", "<!-- end of keys -->"


def key_table() -> str:
    """Return the keys, the places in which they count, and what they do there."""
    rows = [
        (_code(row.shown), ", ".join(place.value for place in row.contexts), row.help, row.name)
        for row in TABLE
    ]
    lines = ["| key | where | what it does | name |", "|---|---|---|---|"]
    lines += [f"| {keys} | {where} | {words} | `{name}` |" for keys, where, words, name in rows]
    lines += [f"| `{keys}` | everywhere | {words} | |" for keys, words in TERMINAL_KEYS]
    return "\n".join((_BEGIN, "", *lines, "", _END))


def _code(shown: str) -> str:
    return " ".join("`\\|`" if key == "|" else f"`{key}`" for key in shown.split())


def _write(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{_BEGIN}.*{_END}", re.DOTALL)
    page.write_text(pattern.sub(lambda _: key_table(), text), encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
