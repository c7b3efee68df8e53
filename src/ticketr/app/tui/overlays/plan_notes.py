"""What a plan says below its entries: what Jira would lose, and what is left alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from ticketr.app.sync import Code
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.overlays.plan_rows import INDENT, padded_name
from ticketr.app.tui.status_row import without_places
from ticketr.app.tui.styled import Line, Span, wrap_line
from ticketr.app.tui.theme import Theme, mark
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr.app.sync import Note, PushPlan


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a plan.

    Attributes:
        title: Its title.
        items: The lines of each of its items.
        rest: Lines below them that are no item.
        is_strong: Whether its title stands out.
    """

    title: str
    items: Sequence[Sequence[Line]]
    rest: Sequence[Line] = ()
    is_strong: bool = True


def left_of(plan: PushPlan) -> tuple[Note, ...]:
    """Return what is left alone, without what the plan is not about."""
    return tuple(entry for entry in plan.left if entry.code is not Code.UNNAMED)


def count_notes(plan: PushPlan) -> int:
    """Return the number of items of all sections."""
    return len(plan.losses) + len(plan.literals) + len(left_of(plan))


def sections(
    plan: PushPlan, at: int, keymap: KeyMap, cells: int, theme: Theme, *, accepts: bool
) -> Iterator[Section]:
    """Yield the sections below the entries; those without items are left out.

    Args:
        plan: The plan.
        at: The index of the selected item; negative for none.
        keymap: The keys, for how to accept losses.
        cells: The width of the screen.
        theme: Colours and characters.
        accepts: Whether the losses are accepted.
    """
    bars = ("▌" if number == at else " " for number in count())
    if plan.losses:
        only_links = all(loss.is_link for loss in plan.losses)
        title = f"Would be {'removed' if only_links else 'lost'} in Jira"
        accept = keymap.hint(KeyAction.ACCEPT_LOSS, Context.PLAN, "accepts it", before="; ")
        word = "and is accepted" if accepts else f"so it is not sent{accept}"
        texts = [f"{clean(loss.words)} in {clean(loss.place)}, {word}" for loss in plan.losses]
        yield Section(title, [_note_lines(next(bars), text, cells) for text in texts])
    if plan.literals:
        names = [clean(literal.key or f'draft "{literal.title}"') for literal in plan.literals]
        texts = [clean(literal.reason) for literal in plan.literals]
        named = zip(names, texts, strict=True)
        items = [_note_lines(next(bars), f"{name}: {text}", cells) for name, text in named]
        yield Section("Plain text in Jira", items, is_strong=False)
    if plan.left:
        left = left_of(plan)
        others = len(plan.left) - len(left)
        words = f" {others} more edited, but not chosen here"
        rest = [(mark(" ·"), Span(words))] if others else []
        title = f"Left alone  {len(plan.left)}"
        does = "on the list settles it"
        settle = keymap.hint(KeyAction.SETTLE, Context.MAIN, does, before="; ")
        items = [_left_alone_lines(next(bars), entry, settle, cells, theme) for entry in left]
        yield Section(title, items, rest, is_strong=False)


def _note_lines(bar: str, words: str, cells: int) -> Sequence[Line]:
    return wrap_line((Span(bar), mark("!"), Span(f" {words}")), cells, rest="   ")


def _left_alone_lines(
    bar: str, left: Note, settle: str, cells: int, theme: Theme
) -> Sequence[Line]:
    name = padded_name(left.key or left.title or left.path)
    path = clean(left.path)
    # The place is at the end, so the reason need not begin with it.
    reason = re.sub(rf"^{re.escape(path)}:[\d:]*\s*", "", clean(left.reason))
    if left.code is Code.CONFLICT:  # the command for it is named for a terminal
        reason = f"{reason.partition('; run ticketr ')[0]}{settle}"
    reason = without_places(reason, cells - len(INDENT), theme)
    place = f" ({path}:{left.line})" if left.line else "" if path in reason else f" ({path})"
    line = (mark("!"), Span(f" {name}{reason}{place}"))
    return wrap_line(line, max(8, cells - 3), first=f"{bar} ", rest=INDENT)
