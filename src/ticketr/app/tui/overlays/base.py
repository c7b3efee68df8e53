"""The base class of overlays, and what they share: box, scrolling, words. Pure."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set as AbstractSet
from difflib import unified_diff
from functools import lru_cache
from itertools import islice
from typing import ClassVar

from ticketr.app.sync import word_diff
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Span, Theme, tint_mark, wrap_line
from ticketr.text import clean, clip, fit, width

_STYLE_OR_LINK_SEQUENCE = re.compile("\x1b\\[[0-9;]*m|\x1b\\]8;[^\x07\x1b]*(?:\x07|\x1b\\\\)")


def boxed(
    below: Sequence[str],
    title: str,
    lines: Sequence[tuple[str, bool]],
    cells: int,
    screen_width: int,
    theme: Theme,
) -> list[str]:
    """Return the rows of a body with a box over its middle.

    The rows that the box covers lose their styles, so that no style is cut.

    Args:
        below: The rows without the box.
        title: The title in the frame of the box.
        lines: The lines of the box, and whether each is selected.
        cells: The width of the box without its frame.
        screen_width: The width of the screen.
        theme: Colours and characters.
    """
    height = min(len(lines), max(1, len(below) - 2))
    bar, corner = theme.ascii_if_needed("│"), theme.ascii_if_needed
    rule = theme.ascii_if_needed("─")
    name = clip(f" {theme.ascii_if_needed(title)} ", cells - 2)
    rows = [f"{corner('┌')}{rule}{name}{rule * (cells - 1 - width(name))}{corner('┐')}"]
    for text, is_selected in lines[:height]:
        shown = theme.fit(text, cells)
        rows.append(f"{bar}{theme.style(shown, 'reverse') if is_selected else shown}{bar}")
    rows.append(f"{corner('└')}{rule * cells}{corner('┘')}")
    begin = max(0, (len(below) - len(rows)) // 2)
    left = max(0, (screen_width - cells - 2) // 2)
    covered = list(below)
    for number, row in enumerate(rows[: len(below)], start=begin):
        under = _STYLE_OR_LINK_SEQUENCE.sub("", below[number])
        start = fit(under, left, ellipsis="") if left else ""
        rest = max(0, screen_width - left - cells - 2)
        covered[number] = start + row + _last_cells(under, rest)
    return covered


def _last_cells(text: str, cells: int) -> str:
    """Return the end of a row, of exactly so many cells."""
    size = width(text)
    start = clip(text, max(0, size - cells), ellipsis="")
    return text[len(start) :] if width(start) == size - cells else " " * cells


def moved_index(action: KeyAction, at: int, page: int, last: int) -> int | None:
    """Return the index that a key for moving leads to; None for any other action.

    Args:
        action: The action of the key.
        at: The index now.
        page: The number of lines on the screen.
        last: The greatest index.
    """
    to = {
        KeyAction.UP: at - 1,
        KeyAction.DOWN: at + 1,
        KeyAction.PAGE_UP: at - page,
        KeyAction.PAGE_DOWN: at + page,
        KeyAction.HALF_UP: at - page // 2,
        KeyAction.HALF_DOWN: at + page // 2,
        KeyAction.TOP: 0,
        KeyAction.BOTTOM: last,
    }.get(action)
    return None if to is None else max(0, min(last, to))


#: Seconds that a plan, conflict or question has to be on the screen before Enter is taken.
ENTER_IGNORED_SECONDS = 0.3


def is_enter_too_soon(state: AppState, shown_at: float, now: float) -> bool:
    """Return whether an Enter comes too soon to be an answer to what is on the screen.

    That is so while it is new, and after a key that had no meaning: then somebody types words.

    Args:
        state: The state.
        shown_at: The time at which it came on the screen; infinity if it has not.
        now: The time of the Enter, in seconds by Trio's clock.
    """
    return now < max(shown_at, state.swallow_keys_until) + ENTER_IGNORED_SECONDS


#: What is before and after each kind of piece of a text, and its styles.
_START_END_AND_STYLES_BY_DIFF_KIND: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "same": ("", "", ()),
    "removed": ("[-", "-]", ("red",)),
    "added": ("{+", "+}", ("green",)),
}


@lru_cache(maxsize=16)
def word_diff_lines(before: str, after: str, cells: int, first: str, rest: str) -> tuple[Line, ...]:
    """Return a change as wrapped lines: what is gone in ``[-...-]``, what is new in ``{+...+}``.

    A frame is drawn many times a second, and long texts take long to compare and to wrap.

    Args:
        before: The old text, not cleaned.
        after: The new text, not cleaned.
        cells: The width of the lines.
        first: What the first line begins with.
        rest: What the other lines begin with.
    """
    lines: list[Line] = [()]
    for kind, piece in word_diff(before, after):
        start, end, styles = _START_END_AND_STYLES_BY_DIFF_KIND[kind]
        first_piece, *others = f"{start}{piece}{end}".split("\n")
        lines[-1] = (*lines[-1], Span(clean(first_piece), styles))
        lines += [(Span(clean(text), styles),) for text in others]
    wrapped: list[Line] = []
    for line in lines:
        wrapped += wrap_line(line, cells, first=rest if wrapped else first, rest=rest)
    return tuple(wrapped)


@lru_cache(maxsize=64)
def line_diff_lines(before: str, after: str, cells: int, indent: str) -> tuple[Line, ...]:
    """Return a change line by line: what is gone after ``-``, what is new after ``+``.

    Args:
        before: The old text, not cleaned.
        after: The new text, not cleaned.
        cells: The width of the lines.
        indent: What each line begins with.
    """
    diff = unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
    lines: list[Line] = []
    for text in islice(diff, 3, None):  # without the names of two files, and the first place
        sign, rest = ("…", "") if text.startswith("@@") else (text[0], clean(text[1:]))
        line = (tint_mark(sign), Span(f" {rest}"))
        lines += wrap_line(line, cells, first=indent, rest=f"{indent}  ")
    return tuple(lines)


class Overlay(ABC):
    """Something that lies over the main screen; every overlay is a frozen dataclass."""

    __slots__ = ()

    #: Whether it hides everything below it.
    is_full_screen: ClassVar[bool] = True
    #: Whether it shows a spinner beside each running job.
    has_spinners: ClassVar[bool] = False

    @property
    @abstractmethod
    def context(self) -> Context:
        """The place whose keys have a meaning."""

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Return the step for a key with this action; None if it does nothing here."""
        return None

    def unavailable_actions(self, state: AppState) -> AbstractSet[KeyAction]:
        """Return the actions that have no effect now, so that the hints do not name them."""
        return frozenset()

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Return the step for a typed character or a paste; None if it takes no text."""
        return None

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Return the step for a message; None if it is not for this overlay."""
        return None

    def header_left_and_right(self, state: AppState) -> tuple[str, str] | None:
        """Return the left and right side of the first row; None to keep the main screen's."""
        return None

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body.

        Args:
            state: The state.
            below: The rows of the body without this overlay, for one that hides only some.
            now: The time, in seconds by Trio's clock.
            theme: Colours and characters.
        """
        return below
