"""Formats a push's plan: what it would create, and the differences of what it would change."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.sync import Action

#: The most characters of a text that a plan shows on a line.
_WIDTH = 60
#: The characters shown before the first one that differs.
_CONTEXT = 20
#: The most changed lines of one part that a plan shows.
_MAX_LINES = 8


def plan_lines(action: Action) -> list[str]:
    """Return what would be sent of one issue.

    Returns:
        Lines, not cleaned yet.
    """
    name = f"{action.key} {action.title}" if action.key else action.title
    lines = [f"{action.action} {name} ({action.path})"]
    for part, old, new in action.changes:
        if action.action == "create":
            lines.append(f"    {part}: {_excerpt(' '.join(new.split()), 0)}")
        elif "\n" in old + new or max(len(old), len(new)) > _WIDTH:
            lines += (f"    {part}:", *(f"        {line}" for line in _differences(old, new)))
        else:
            lines.append(f"    {part}: {old or '(empty)'} -> {new or '(empty)'}")
    return lines


def _differences(old: str, new: str) -> list[str]:
    """Return the lines that differ, at most `_MAX_LINES` of them."""
    found = [line for line in _changed(old.split("\n"), new.split("\n")) if line[2:].strip()]
    if not found:
        return ["(blank lines)"]
    more = len(found) - _MAX_LINES
    rest = [f"... and {more} more lines; ticketr diff shows them all"] if more > 0 else []
    return [*found[:_MAX_LINES], *rest]


def _changed(old: list[str], new: list[str]) -> Iterator[str]:
    for tag, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            continue
        for before, after in zip_longest(old[a:b], new[c:d]):
            start = _common_prefix_length(before or "", after or "")
            for sign, line in (("-", before), ("+", after)):
                if line is not None:
                    yield f"{sign} {_excerpt(line, start)}"


def _common_prefix_length(one: str, other: str) -> int:
    """Return how many characters two lines have in common at their start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((position for position, (a, b) in pairs if a != b), min(len(one), len(other)))


def _excerpt(line: str, position: int) -> str:
    """Return the part of a line around a position, at most `_WIDTH` characters."""
    start = max(0, min(position - _CONTEXT, len(line) - _WIDTH))
    end = start + _WIDTH
    return f"{'...' if start else ''}{line[start:end]}{'...' if end < len(line) else ''}"
