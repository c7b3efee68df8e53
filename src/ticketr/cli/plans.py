"""The lines of a push's plan: what would be created, and of what is changed, where it differs."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.sync import Action

#: How much of a part's text a plan shows in a row.
_SHOWN = 60
#: How much of that stands before the first character that differs.
_BEFORE = 20
#: Changed lines of one part that a plan shows.
_LINES = 8


def plan_lines(action: Action) -> list[str]:
    """Say what would be sent of one issue.

    Args:
        action: What would be done with it.

    Returns:
        Lines, not clean yet.
    """
    name = f"{action.key} {action.title}" if action.key else action.title
    lines = [f"{action.action} {name} ({action.path})"]
    for part, old, new in action.changes:
        if action.action == "create":
            lines.append(f"    {part}: {_around(' '.join(new.split()), 0)}")
        elif "\n" in old + new or max(len(old), len(new)) > _SHOWN:
            lines += (f"    {part}:", *(f"        {line}" for line in _differences(old, new)))
        else:
            lines.append(f"    {part}: {old or '(empty)'} -> {new or '(empty)'}")
    return lines


def _differences(old: str, new: str) -> list[str]:
    """Show the lines that differ, not more than somebody wants to read in a plan."""
    found = [line for line in _changed(old.split("\n"), new.split("\n")) if line[2:].strip()]
    if not found:
        return ["(blank lines)"]
    more = len(found) - _LINES
    rest = [f"... and {more} more lines; ticketr diff shows them all"] if more > 0 else []
    return [*found[:_LINES], *rest]


def _changed(old: list[str], new: list[str]) -> Iterator[str]:
    for tag, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            continue
        for before, after in zip_longest(old[a:b], new[c:d]):
            start = _alike(before or "", after or "")
            for sign, line in (("-", before), ("+", after)):
                if line is not None:
                    yield f"{sign} {_around(line, start)}"


def _alike(one: str, other: str) -> int:
    """Count the characters that two lines begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _around(line: str, place: int) -> str:
    """Cut a line around a place in it."""
    begin = 0 if len(line) <= _SHOWN else max(0, min(place - _BEFORE, len(line) - _SHOWN))
    end = begin + _SHOWN
    return f"{'...' if begin else ''}{line[begin:end]}{'...' if end < len(line) else ''}"
