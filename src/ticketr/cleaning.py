"""Clean untrusted text for a terminal.

A title from Jira may contain control sequences. In a terminal, they could set the clipboard, move
the cursor, or trigger a reply that arrives like typed input.

No package beside the standard library is loaded, so that a command that measures no text starts
quickly.
"""

from __future__ import annotations

import re

# A control sequence is removed as a whole, or its rest would remain as text. It begins with ESC or
# with the one-character (C1) form. Every part after the introducer is optional, so cut-off
# sequences match, too, and no character is scanned twice. An operating system command or similar
# string ends, as in a terminal, at its terminator or at a character that cancels it: ESC, CAN, SUB.
_CONTROL_SEQUENCE_PATTERN = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"
    "|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x18\x1a\x1b\x9c]*(?:\x07|\x9c|\x1b\\\\)?"
    "|\x1b[ -/]*[0-~]"
)

_TAB_AND_LINE_ENDS = "\t\n\v\f\r\x85\u2028\u2029"
_CONTROL_RANGES = "\x00-\x1f\x7f-\x9f"
_SURROGATE_RANGE = "\ud800-\udfff"
# Characters without width that change the look or the meaning of their neighbours: soft hyphen,
# grapheme joiner, fillers, directional marks, byte order mark, annotations, variation selectors
# for ideographs, tags. The joiner and non-joiner (U+200D, U+200C), which emoji, Persian and Indic
# scripts need, and the plain variation selectors stay.
_INVISIBLE_RANGES = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)

_UNSAFE_PATTERN = re.compile(
    f"\r\n|[{_TAB_AND_LINE_ENDS}{_CONTROL_RANGES}{_SURROGATE_RANGE}{_INVISIBLE_RANGES}]"
)
_SHOWN_AS_U_FFFD_PATTERN = re.compile(f"[{_CONTROL_RANGES}{_SURROGATE_RANGE}]")
_SHOWN_AS_SPACE = frozenset(("\r\n", *_TAB_AND_LINE_ENDS))


def _safe_replacement(match: re.Match[str]) -> str:
    unsafe = match[0]
    if unsafe in _SHOWN_AS_SPACE:
        return " "
    return "\ufffd" if _SHOWN_AS_U_FFFD_PATTERN.match(unsafe) else ""


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
    if (text.isascii() and text.isprintable()) or _UNSAFE_PATTERN.search(text) is None:
        return text
    return _UNSAFE_PATTERN.sub(_safe_replacement, _CONTROL_SEQUENCE_PATTERN.sub("", text))
