"""Fenced code blocks: the lines in which nothing is a heading.

A fence that is never closed is nobody's friend here: Markdown lets it run to the end of the
file, and so the tickets below it would silently become code. The parser refuses such a file, and
the renderer escapes such a line, so the tickets of a file cannot reach into each other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ticketr.tickets.grammar import TICKET, section_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPENING = re.compile(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})")
_DEEPEST = 3


def opening(line: str) -> str | None:
    """Return the run of backticks or tildes with which a line opens a code block, or None."""
    found = _OPENING.match(line)
    return None if found is None else found[1]


def _is_closing(line: str, fence: str) -> bool:
    run = line.strip()
    return (
        run.startswith(fence)
        and not run.strip(fence[0])
        and len(line) - len(line.lstrip(" ")) <= _DEEPEST
    )


def closing(lines: Sequence[str], start: int) -> int | None:
    """Find the line that closes the code block opened at ``start``.

    Returns:
        Its index. None if the block is not closed, or if it swallows a heading and then
        something that opens another block of its kind: most likely its own closing line is
        missing, and the one found would be another block's.
    """
    fence = opening(lines[start])
    assert fence is not None
    swallowed = False
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if fence in line:
            if _is_closing(line, fence):
                return index
            if swallowed and (opening(line) or "").startswith(fence):
                return None
        if not swallowed and line.startswith("#"):
            swallowed = is_heading(line)
    return None


def is_heading(line: str) -> bool:
    """Return whether a line would be a heading of ours if it stood outside a code block."""
    return line.startswith(TICKET) or section_of(line) is not None
