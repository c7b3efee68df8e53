"""Clean, measure, cut and wrap text for a terminal."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import wcwidth

from ticketr.cleaning import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["clean", "clip", "fit", "graphemes", "to_ascii", "width", "wrap"]

_IN_ASCII = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u2033\xab\xbb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\xa0\u2002\u2003\u2009\u202f", " "),
        "\u2022": "*",
        "\xb7": "-",
        "\xd7": "x",
        "\u2026": "...",
        "\u2192": "->",
        "\u2190": "<-",
        # What screens are drawn with, each in one cell.
        **dict.fromkeys("│▌▏", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼✓▪", "+"),
        **dict.fromkeys("─⊘◦░", "-"),
        **dict.fromkeys("▸↪", ">"),
        **dict.fromkeys("▾↓", "v"),
        **dict.fromkeys("○☐", "o"),
        **dict.fromkeys("●✗☑", "x"),
        "◐": "~",
        "█": "#",
        "↑": "^",
    }
)


def width(text: str) -> int:
    """Return the number of cells that clean text occupies in a terminal."""
    return len(text) if text.isascii() else wcwidth.width(text, control_codes="ignore")


def graphemes(text: str) -> Iterator[str]:
    """Return the characters as a person counts them: with accents, joined emoji and flags."""
    return iter(text) if text.isascii() else wcwidth.iter_graphemes(text)


def to_ascii(text: str) -> str:
    """Return clean text in ASCII and of about the same width.

    Quotation marks, dashes, frames and similar characters become those of ASCII, and any other
    character becomes as many question marks as it has cells.
    """
    if text.isascii():
        return text
    text = text.translate(_IN_ASCII)
    return "".join([g if g.isascii() else "?" * width(g) for g in graphemes(text)])


@lru_cache(maxsize=2048)
def clip(text: str, cells: int, *, ellipsis: str = "…") -> str:
    """Cut clean text to a maximum width, but never inside a grapheme.

    Args:
        text: Clean text.
        cells: The maximum width in cells; a negative one counts as 0.
        ellipsis: The end of a text that was cut.

    Returns:
        The cut text; the same object if it is not too wide.
    """
    if len(text) <= cells and text.isascii():
        return text
    if width(text) <= cells:
        return text
    room = cells - width(ellipsis)
    if room < 0:
        return _start(ellipsis, cells)
    return _start(text, room) + ellipsis


def _start(text: str, cells: int) -> str:
    """Return the longest beginning that fits into so many cells."""
    if cells <= 0:
        return ""
    if text.isascii():
        return text[:cells]
    end = used = 0
    for grapheme in wcwidth.iter_graphemes(text):
        used += width(grapheme)
        if used > cells:
            break
        end += len(grapheme)
    return text[:end]


@lru_cache(maxsize=2048)
def fit(text: str, cells: int, *, ellipsis: str = "…") -> str:
    """Cut or pad clean text to an exact width.

    Args:
        text: Clean text.
        cells: The width in cells; a negative one counts as 0.
        ellipsis: The end of a text that was cut.
    """
    shown = clip(text, cells, ellipsis=ellipsis)
    return shown + " " * (cells - width(shown))


def wrap(text: str, cells: int) -> tuple[str, ...]:
    """Break clean text into lines of a maximum width, between words if possible.

    Args:
        text: A line of clean text.
        cells: The maximum width in cells; at least 2, since some characters occupy two.

    Returns:
        The lines; one empty line for an empty text.
    """
    if width(text) <= cells:
        return (text,)
    # Continuation lines keep the indent, so that lists remain recognizable.
    indent = text[: len(text) - len(text.lstrip())]
    lines = wcwidth.wrap(
        text, max(cells, 2), control_codes="ignore", subsequent_indent=clip(indent, cells // 2)
    )
    return tuple(lines) or ("",)
