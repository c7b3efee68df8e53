"""The last row of the screen: the job that is shown, and how many others there are. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ticketr.app.tui.jobs_state import end_now, seconds_of
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.styled import Span
from ticketr.app.tui.theme import Theme, mark
from ticketr.statusline.render import duration
from ticketr.text import clip, width

if TYPE_CHECKING:
    from ticketr.app.tui.state import AppState

#: The least cells for the first part of an end, before the rest is cut instead.
LEAST_CAUSE = 20
#: The folders of an absolute path, which take the room of what matters.
_FOLDERS = re.compile(r"(?<![^\s'\"(])(?:/[^/\s]+)+/(?=[^/\s])")
#: The address of a request, at the end of an error that begins with the name of its site.
_ADDRESS = re.compile(r" \(https?://[^\s)]+\)$")


def status_row(state: AppState, now: float, theme: Theme) -> str:
    """Return the last row of the screen.

    Args:
        state: The state to show.
        now: The time, in seconds by Trio's clock.
        theme: Colours and characters.
    """
    if state.status.running or state.status.last is None:
        others = len(state.jobs.live) - 1
        key = state.keymap.key(KeyAction.JOBS, Context.MAIN)
        more = f" +{others} {key}".rstrip() if others > 0 else ""
        does_cancel = not state.overlays and not state.workspace.waiting
        hint = "esc cancel" if does_cancel else ""
        line = state.status.line(state.width - width(more), now, theme.line_style, hint=hint)
        return f"{line}{more}"
    last = state.status.last
    end = end_now(state, last)
    room = state.width - width(end.mark) - 1
    words = _fit_words(f"{end.words} | {duration(seconds_of(last))}", room, theme)
    return theme.row((mark(end.mark), Span(f" {words}")), state.width)


def without_places(words: str, room: int, theme: Theme) -> str:
    """Return words; without room for them, with absolute paths as names alone.

    The address of a request, which is beside the name of its site, is left out then, too.
    """
    if width(words) <= room:
        return words
    return _FOLDERS.sub(f"{theme.ellipsis}/", _ADDRESS.sub("", words))


def _fit_words(words: str, room: int, theme: Theme) -> str:
    """Cut the first part of an end, such as a long error, so that the count and the key stay.

    The key stays rather than the count, if there is no room for both.
    """
    dot = theme.text(" · ")
    first, *others = theme.text(words).split(dot)
    for rest in (others, others[-1:]):
        end = "".join(f"{dot}{text}" for text in rest)
        left = room - width(end)
        if width(first) <= left:
            return f"{first}{end}"
        if left >= LEAST_CAUSE:
            first = without_places(first, left, theme)
            return f"{clip(first, left, ellipsis=theme.ellipsis)}{end}"
    return words
