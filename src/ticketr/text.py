"""Clean, measure, cut and wrap text for a terminal.

A title from Jira may contain control sequences. In a terminal, they could set the clipboard, move
the cursor, or trigger a reply that arrives like typed input.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import wcwidth

if TYPE_CHECKING:
    from collections.abc import Iterator

# A control sequence is removed as a whole, or its rest would remain as text. It begins with ESC or
# with the one-character (C1) form. Every part after the introducer is optional, so cut-off
# sequences match, too, and no character is scanned twice. An operating system command or similar
# string ends, as in a terminal, at its terminator or at a character that cancels it: ESC, CAN, SUB.
_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"
    "|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x18\x1a\x1b\x9c]*(?:\x07|\x9c|\x1b\\\\)?"
    "|\x1b[ -/]*[0-~]"
)

_SPACE = "\t\n\v\f\r\x85\u2028\u2029"
_CONTROL = "\x00-\x1f\x7f-\x9f"
_SURROGATE = "\ud800-\udfff"
# Characters without width that change the look or the meaning of their neighbours: soft hyphen,
# grapheme joiner, fillers, directional marks, byte order mark, annotations, variation selectors
# for ideographs, tags. The joiner and non-joiner (U+200D, U+200C), which emoji, Persian and Indic
# scripts need, and the plain variation selectors stay.
_INVISIBLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)

_UNSAFE = re.compile(f"\r\n|[{_SPACE}{_CONTROL}{_SURROGATE}{_INVISIBLE}]")
_REPLACED = re.compile(f"[{_CONTROL}{_SURROGATE}]")
_SPACES = frozenset(("\r\n", *_SPACE))

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
    }
)


def _safe(found: re.Match[str]) -> str:
    unsafe = found[0]
    if unsafe in _SPACES:
        return " "
    return "\ufffd" if _REPLACED.match(unsafe) else ""


def clean(text: str) -> str:
    """Make untrusted text safe to show on one line of a terminal.

    Control sequences are removed, line ends and tabs become a space, other control characters and
    lone surrogates become U+FFFD, and invisible characters that reorder or hide text are removed.
    The result contains no control characters.

    Args:
        text: Any text.

    Returns:
        The safe text; the same object if nothing has to change.
    """
    if (text.isascii() and text.isprintable()) or _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(_safe, _SEQUENCE.sub("", text))


def width(text: str) -> int:
    """Return the number of cells that clean text occupies in a terminal."""
    return len(text) if text.isascii() else wcwidth.width(text, control_codes="ignore")


def graphemes(text: str) -> Iterator[str]:
    """Return the characters as a person counts them: with accents, joined emoji and flags."""
    return iter(text) if text.isascii() else wcwidth.iter_graphemes(text)


def to_ascii(text: str) -> str:
    """Return clean text in ASCII and of about the same width.

    Quotation marks, dashes and similar characters become those of ASCII, and any other character
    becomes as many question marks as it has cells.
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
