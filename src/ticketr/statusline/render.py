"""Draws a status line as plain text of an exact width. Pure.

Where room is short, parts go in an order: first the hint, then half of the bar, the time passed,
the rest of the bar, the time to go, the counts, the number of other jobs. The words are cut only
when little else is left, or when they are long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.statusline.words import duration, ending, message_of, number, whole_percent
from ticketr.text import clip, fit, width as width_of

if TYPE_CHECKING:
    from ticketr import JobProgress, JobSnapshot
    from ticketr.statusline.style import Glyphs, LineStyle

#: Frames a second of the spinner.
SPINS = 10
#: Cells of the bar, and of the short one where there is less room.
BAR, SHORT_BAR = 20, 10
#: Words that are no longer than this are not cut while another part can go.
WORDS = 16


@dataclass(frozen=True, slots=True)
class Layout:
    """Which parts a line has.

    Attributes:
        bar: cells of the bar; 0 for none.
        counts: how much is done of how much.
        elapsed: the time passed.
        eta: the time to go.
        more: how many other jobs run.
        hint: how to cancel.
    """

    bar: int = 0
    counts: bool = False
    elapsed: bool = False
    eta: bool = False
    more: bool = False
    hint: bool = False


#: From the richest to the poorest; the first that has room for the words is taken.
LAYOUTS = (
    Layout(BAR, counts=True, elapsed=True, eta=True, more=True, hint=True),
    Layout(BAR, counts=True, elapsed=True, eta=True, more=True),
    Layout(SHORT_BAR, counts=True, elapsed=True, eta=True, more=True),
    Layout(SHORT_BAR, counts=True, eta=True, more=True),
    Layout(counts=True, eta=True, more=True),
    Layout(counts=True, more=True),
    Layout(more=True),
    Layout(),
)
#: The same for a job that cannot say how much there is to do.
OPEN_LAYOUTS = (
    Layout(counts=True, elapsed=True, more=True, hint=True),
    Layout(counts=True, elapsed=True, more=True),
    Layout(counts=True, more=True),
    Layout(more=True),
    Layout(),
)


def running_line(
    snapshot: JobSnapshot,
    width: int,
    style: LineStyle,
    *,
    now: float,
    elapsed: float,
    eta: float | None,
    others: int,
    failed: int,
    hint: str,
) -> str:
    """Draw the line of a running job, as in `[████░░] 45% (54/120) Pulling | 12s | ETA 15s`.

    Args:
        snapshot: The job.
        width: How many cells.
        style: Which characters to use, and whether anything may move.
        now: The time, which turns the spinner.
        elapsed: How many seconds the job has run.
        eta: How many seconds are left; None if that is unknown.
        others: How many other jobs run.
        failed: How many jobs have failed meanwhile.
        hint: How to cancel the job, if there is a way.
    """
    words = message_of(snapshot)
    progress = snapshot.progress
    is_counted = progress is not None and progress.total > 0
    needed = min(width_of(words), WORDS)
    before = after = ""
    for layout in LAYOUTS if is_counted else OPEN_LAYOUTS:
        before = _before(progress, style, now, layout)
        counts = _counts(progress) if layout.counts and not is_counted else ""
        after = counts + _after(is_counted, elapsed, eta, others, failed, layout)
        if snapshot.cancel_requested:
            hint = "cancelling"
        if layout.hint and hint:
            after += f"   {hint}"
        if len(before) + needed + len(after) <= width:
            break
    ellipsis = style.glyphs.ellipsis
    room = width - len(before) - width_of(after)  # each character of ours takes one cell
    words = clip(words, max(room, 0), ellipsis=ellipsis)
    rest = room - width_of(words)
    line = before + words + after
    return line + " " * rest if rest >= 0 else fit(line, width, ellipsis=ellipsis)


def _before(progress: JobProgress | None, style: LineStyle, now: float, layout: Layout) -> str:
    """Draw what stands before the words."""
    glyphs = style.glyphs
    if progress is None or progress.total <= 0:
        return f"{_spinner(glyphs, now) if style.motion else glyphs.still} "
    parts = [_bar(progress, glyphs, layout.bar)] if layout.bar else []
    parts.append(f"{whole_percent(progress)}%")
    if layout.counts:
        parts.append(_counts(progress).lstrip())
    return " ".join(parts) + " "


def _counts(progress: JobProgress | None) -> str:
    if progress is None:
        return ""
    if progress.total > 0:
        return f" ({number(progress.current)}/{number(progress.total)})"
    return f" ({number(progress.current)})" if progress.current else ""


def _bar(progress: JobProgress, glyphs: Glyphs, cells: int) -> str:
    """Draw the bar; it is full only when all is done."""
    full = int(cells * progress.percentage / 100)
    return f"[{glyphs.full * full}{glyphs.empty * (cells - full)}]"


def _spinner(glyphs: Glyphs, now: float) -> str:
    return glyphs.spinner[int(now * SPINS) % len(glyphs.spinner)]


def _after(
    is_counted: bool,  # noqa: FBT001 - of one call
    elapsed: float,
    eta: float | None,
    others: int,
    failed: int,
    layout: Layout,
) -> str:
    """Write what stands after the words."""
    parts = []
    if layout.elapsed:
        parts.append(duration(elapsed))
    if layout.eta and is_counted:
        parts.append(
            f"ETA {'--:--' if eta is None else duration(max(round(eta), 1 if eta > 0 else 0))}"
        )
    if layout.more and others:
        parts.append(f"+{others} more")
    if layout.more and failed:
        parts.append(f"{failed} failed")
    return "".join(f" | {part}" for part in parts)


def ended_line(snapshot: JobSnapshot, width: int, style: LineStyle, *, failed: int) -> str:
    """Draw the line of a job that has ended, as in `✓ Pull complete: 500 tickets | 12s`.

    Args:
        snapshot: The job.
        width: How many cells.
        style: Which characters to use.
        failed: How many other jobs had failed meanwhile.
    """
    glyphs = style.glyphs
    mark = {
        JobStatus.COMPLETED: glyphs.completed,
        JobStatus.FAILED: glyphs.failed,
        JobStatus.CANCELLED: glyphs.cancelled,
    }[snapshot.status]
    after = f" | {failed} failed" if failed else ""
    if snapshot.started_at is not None and snapshot.finished_at is not None:
        after = f" | {duration(snapshot.finished_at - snapshot.started_at + 1e-6)}{after}"
    words = ending(snapshot)
    room = width - len(mark) - 1 - len(after)
    if room < min(width_of(words), WORDS):
        after, room = "", max(width - len(mark) - 1, 0)
    ellipsis = glyphs.ellipsis
    line = f"{mark} {clip(words, room, ellipsis=ellipsis)}{after}"
    return fit(line, width, ellipsis=ellipsis)
