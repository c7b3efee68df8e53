"""Text that somebody else wrote, made fit to be shown.

A title from Jira can hold anything, and a terminal obeys what it is sent: a title could set the
clipboard, move the cursor, or ask a question whose answer arrives as if it had been typed.
"""

from __future__ import annotations

import re
from functools import lru_cache

import wcwidth

# A control sequence goes as a whole, or its rest would stand there as text. It may begin with
# ESC or with the one-character (C1) form. Every part after the introducer is optional, so that a
# cut-off sequence goes too, and no scan is ever done twice over the same characters. An operating
# system command and its kin run to their terminator, or, as in a terminal, to whatever cancels
# them: another ESC, CAN or SUB.
_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"
    "|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x18\x1a\x1b\x9c]*(?:\x07|\x9c|\x1b\\\\)?"
    "|\x1b[ -/]*[0-~]"
)

_SPACE = "\t\n\v\f\r\x85\u2028\u2029"
_CONTROL = "\x00-\x1f\x7f-\x9f"
_SURROGATE = "\ud800-\udfff"
# What takes no room and changes what its neighbours look like or are read as: soft hyphen,
# joiners of graphemes, fillers, directions, the byte order mark, annotations, variation selectors
# of ideographs, tags. The joiner and non-joiner (U+200D, U+200C) stay, since emoji, Persian and
# the scripts of India need them, and so do the plain variation selectors.
_INVISIBLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)

_UNSAFE = re.compile(f"\r\n|[{_SPACE}{_CONTROL}{_SURROGATE}{_INVISIBLE}]")
_REPLACED = re.compile(f"[{_CONTROL}{_SURROGATE}]")
_SPACES = frozenset(("\r\n", *_SPACE))


def _safe(found: re.Match[str]) -> str:
    unsafe = found[0]
    if unsafe in _SPACES:
        return " "
    return "\ufffd" if _REPLACED.match(unsafe) else ""


def clean(text: str) -> str:
    """Make untrusted text safe to show on one line of a terminal.

    Control sequences are removed as a whole, line ends and tabs become a space, any other control
    character and any lone surrogate becomes U+FFFD, invisible characters that reorder or hide
    text are removed. The result never holds a control character.

    Args:
        text: Any text at all.

    Returns:
        The text itself if there is nothing to change.
    """
    if (text.isascii() and text.isprintable()) or _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(_safe, _SEQUENCE.sub("", text))


def width(text: str) -> int:
    """Give the number of cells that clean text takes in a terminal."""
    return len(text) if text.isascii() else wcwidth.width(text, control_codes="ignore")


@lru_cache(maxsize=2048)
def clip(text: str, cells: int, *, ellipsis: str = "…") -> str:
    """Cut clean text so that it takes at most so many cells, never inside a character.

    Args:
        text: Clean text.
        cells: How many cells there are; none if below 0.
        ellipsis: What stands at the end of a text that was cut.

    Returns:
        The text itself if it is no wider than that.
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
    """Give as much of the beginning as has room."""
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
    """Cut or pad clean text so that it takes exactly so many cells.

    Args:
        text: Clean text.
        cells: How many cells there are; none if below 0.
        ellipsis: What stands at the end of a text that was cut.
    """
    shown = clip(text, cells, ellipsis=ellipsis)
    return shown + " " * (cells - width(shown))


def wrap(text: str, cells: int) -> tuple[str, ...]:
    """Break clean text into lines of at most so many cells, between words where it can.

    Args:
        text: Clean text, one line of it.
        cells: How many cells there are; at least 2, since some characters take two.

    Returns:
        The lines; one that is empty for an empty text.
    """
    if width(text) <= cells:
        return (text,)
    # A line that is broken keeps its indent, so that lists stay lists.
    indent = text[: len(text) - len(text.lstrip())]
    lines = wcwidth.wrap(
        text, max(cells, 2), control_codes="ignore", subsequent_indent=clip(indent, cells // 2)
    )
    return tuple(lines) or ("",)
