"""Fenced code blocks, in which no line is a heading.

In Markdown a fence that is never closed runs to the end of the file, so the tickets below it would
silently become code. The parser refuses such a file, and the renderer escapes such a line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ticketr.app.tickets.grammar import TICKET, section_of

_OPENING = re.compile(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})")
_MOST_INDENT = 3


def opening(line: str) -> str | None:
    """Return the backticks or tildes by which a line opens a code block, or None."""
    match = _OPENING.match(line)
    return None if match is None else match[1]


def _is_closing(line: str, fence: str) -> bool:
    run = line.strip()
    return (
        run.startswith(fence)
        and not run.strip(fence[0])
        and len(line) - len(line.lstrip(" ")) <= _MOST_INDENT
    )


def closing(lines: Sequence[str], start: int) -> int | None:
    """Return the index of the line that closes the code block opened at ``start``.

    Returns:
        The index. None if the block is not closed, or if it contains a heading and then an opening
        line of its kind: most likely its own closing line is missing, and the one found would
        belong to another block.
    """
    fence = opening(lines[start])
    assert fence is not None
    has_heading = False
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if fence in line:
            if _is_closing(line, fence):
                return index
            if has_heading and (opening(line) or "").startswith(fence):
                return None
        if not has_heading and line.startswith("#"):
            has_heading = is_heading(line)
    return None


def is_heading(line: str) -> bool:
    """Return whether a line would be a heading of the format outside of a code block."""
    return line.startswith(TICKET) or section_of(line) is not None
