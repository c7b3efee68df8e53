"""A line of text that is being typed, as a value. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Self

from ticketr.app.tui.keymap import KeyAction
from ticketr.text import clean, graphemes, width

#: The most characters of a line, and of a text of several lines; more are not taken.
MAX_LENGTH, MAX_TEXT = 4_000, 32_000
#: The most characters that a cell is expected to hold, such as accents.
MAX_CHARACTERS_PER_CELL = 8
_WORD_BEFORE_CURSOR_PATTERN = re.compile(r"\S*\s*$")


def clean_lines(text: str) -> str:
    """Return a text whose lines are cleaned one by one."""
    return "\n".join(clean(line) for line in text.expandtabs(4).splitlines())


@dataclass(frozen=True, slots=True)
class TextInput:
    """A line of text with a cursor.

    Attributes:
        text: What was typed, cleaned; in no repr, since it may be a secret.
        cursor: The index of the character at the cursor; ``len(text)`` at the end.
        keeps_pasted_lines: Whether a pasted text keeps its lines.
    """

    text: str = field(default="", repr=False)
    cursor: int = 0
    keeps_pasted_lines: bool = False

    @classmethod
    def of(cls, text: str, *, keeps_pasted_lines: bool = False) -> Self:
        """Return a line with a text, and the cursor at its end."""
        cleaned = clean_lines(text)[:MAX_TEXT] if keeps_pasted_lines else clean(text)[:MAX_LENGTH]
        return cls(cleaned, len(cleaned), keeps_pasted_lines)

    def with_typed(self, text: str) -> TextInput:
        """Return the line with a text inserted at the cursor; a pasted one may have several lines."""
        cleaned = clean_lines(text) if self.keeps_pasted_lines and len(text) > 1 else clean(text)
        added = cleaned[: (MAX_TEXT if self.keeps_pasted_lines else MAX_LENGTH) - len(self.text)]
        whole = self.text[: self.cursor] + added + self.text[self.cursor :]
        return replace(self, text=whole, cursor=self.cursor + len(added))

    def edited(self, action: KeyAction | None) -> TextInput | None:
        """Return the line after a key for editing; None if the action edits nothing."""
        before, after = self.text[: self.cursor], self.text[self.cursor :]
        match action:
            case KeyAction.BACKSPACE:
                kept = before[: len(before) - len(_last_grapheme(before))]
                return replace(self, text=kept + after, cursor=len(kept))
            case KeyAction.DELETE_WORD:
                kept = _WORD_BEFORE_CURSOR_PATTERN.sub("", before)
                return replace(self, text=kept + after, cursor=len(kept))
            case KeyAction.DELETE_LINE:
                return replace(self, text=after, cursor=0)
            case KeyAction.CURSOR_LEFT:
                return replace(self, cursor=len(before) - len(_last_grapheme(before)))
            case KeyAction.CURSOR_RIGHT:
                return replace(self, cursor=self.cursor + len(next(iter(graphemes(after)), "")))
            case KeyAction.CURSOR_START:
                return replace(self, cursor=0)
            case KeyAction.CURSOR_END:
                return replace(self, cursor=len(self.text))
            case _:
                return None

    def visible_part(self, cells: int, *, hide: bool = False) -> str:
        """Return the part around the cursor that fits into so many cells.

        Args:
            cells: The width, at least 2.
            hide: Whether to show a dot for each character, as of a token.
        """
        text, cursor = self.text.replace("\n", "↵"), "▏"
        before, after = text[: self.cursor], text[self.cursor :]
        if hide:
            before, after = "•" * len(before), "•" * len(after)
        before = before[-MAX_CHARACTERS_PER_CELL * cells :]
        while width(before) + width(cursor) > cells:
            before = before[1:]
        room = cells - width(before) - width(cursor)
        end = 0
        for grapheme in graphemes(after):
            room -= width(grapheme)
            if room < 0:
                break
            end += len(grapheme)
        return f"{before}{cursor}{after[:end]}"


def _last_grapheme(text: str) -> str:
    last = ""
    for last in graphemes(text):  # noqa: B007 - the last one is wanted
        pass
    return last
