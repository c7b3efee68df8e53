"""Formats a push's plan: what it would create, and the differences of what it would change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING

from ticketr.app.sync import Action, Code

if TYPE_CHECKING:
    from ticketr.app.sync import LeftAlone, PlanEntry, PushPlan

#: The most characters of a text that a plan shows on a line.
_WIDTH = 60
#: The characters shown before the first one that differs.
_CONTEXT = 20
#: The most changed lines of one part that a plan shows.
_MAX_LINES = 8
#: The most lines of what is left alone.
_MAX_LEFT = 20


def plan_lines(planned: Action | PlanEntry) -> list[str]:
    """Return what would be sent of one issue.

    Returns:
        Lines, not cleaned yet.
    """
    lines = [heading(planned)]
    for part, old, new in _changes(planned):
        if not planned.key:
            lines.append(f"    {part}: {_excerpt(' '.join(new.split()), 0)}")
        elif part == "Status" and planned.way:
            lines.append(f"    {part}: {planned.way}")
        elif "\n" in old + new or max(len(old), len(new)) > _WIDTH:
            lines += (f"    {part}:", *(f"        {line}" for line in _differences(old, new)))
        else:
            lines.append(f"    {part}: {old or '(empty)'} -> {new or '(empty)'}")
    return lines


def heading(planned: Action | PlanEntry) -> str:
    """Return what would become of one issue, in a line that is not cleaned yet."""
    name = f"{planned.key} {planned.title}" if planned.key else planned.title
    return f"{'update' if planned.key else 'create'} {name} ({planned.path})"


def left_lines(left: Sequence[LeftAlone]) -> list[str]:
    """Return what a push would leave alone and why, a line for each; not cleaned yet.

    Tickets that were not named are only counted.
    """
    listed = [entry for entry in left if entry.code is not Code.UNNAMED]
    lines = [
        f"left alone: {entry.name}{_place_words(entry)}: {entry.reason}"
        for entry in listed[:_MAX_LEFT]
    ]
    if len(listed) > _MAX_LEFT:
        lines.append(f"... and {len(listed) - _MAX_LEFT} more; ticketr status lists them all")
    if unnamed := len(left) - len(listed):
        lines.append(
            f"left alone: {unnamed} more that {'were' if unnamed > 1 else 'was'} not named"
        )
    return lines


def skipped_lines(plan: PushPlan) -> list[str]:
    """Return what is not pushed because other tickets were named; see `left_lines`."""
    skipped = {Code.UNNAMED, Code.MISSING}
    return left_lines([entry for entry in plan.left if entry.code in skipped])


def _place_words(left: LeftAlone) -> str:
    return "" if left.path in {"", left.name} else f" ({left.path})"


def _changes(planned: Action | PlanEntry) -> Sequence[tuple[str, str, str]]:
    """Return the name, the old text and the new text of each part."""
    if isinstance(planned, Action):
        return planned.changes
    return [(part.name, part.before, part.after) for part in planned.parts]


def _differences(old: str, new: str) -> list[str]:
    """Return the lines that differ, at most `_MAX_LINES` of them."""
    texts = [line for line in _changed_lines(old.split("\n"), new.split("\n")) if line[2:].strip()]
    if not texts:
        return ["(blank lines)"]
    more = len(texts) - _MAX_LINES
    rest = [f"... and {more} more lines; ticketr diff shows them all"] if more > 0 else []
    return [*texts[:_MAX_LINES], *rest]


def _changed_lines(old: list[str], new: list[str]) -> Iterator[str]:
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
