"""Render a status line as plain text of an exact width. Pure.

In a narrow terminal, parts are dropped in this order: the hint, half of the bar, the elapsed
time, the rest of the bar, the ETA, the counts, the number of other jobs. The message is cut only
if it is long or little else is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.text import clean, clip, fit, width as width_of

if TYPE_CHECKING:
    from ticketr import JobProgress, JobSnapshot
    from ticketr.statusline.batch import JobsSinceIdle, RunningJob
    from ticketr.statusline.style import Glyphs, LineStyle


#: Numbers below this are written without an exponent.
EXPONENT_THRESHOLD = 1e15


def rounded_percent(progress: JobProgress) -> int:
    """Return the percentage, rounded; 100 only if all is done."""
    rounded = int(progress.percentage + 0.5)
    return min(rounded, 99) if progress.current < progress.total else rounded


def count_text(value: float) -> str:
    """Format a count, with up to two decimals if it is not whole."""
    if abs(value) >= EXPONENT_THRESHOLD:
        return f"{value:.3g}"
    if value == int(value):
        return str(int(value))
    return f"{value:.2f}".rstrip("0").rstrip(".")


def duration(seconds: float) -> str:
    """Format a time like ``12s``, ``2m05s``, ``1h07m`` or ``3d04h``."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"


def ago(seconds: float) -> str:
    """Format how long ago something was, like ``now``, ``4m ago``, ``2h ago`` or ``3d ago``."""
    minutes = max(int(seconds), 0) // 60
    for size, unit in ((24 * 60, "d"), (60, "h"), (1, "m")):
        if minutes >= size:
            return f"{minutes // size}{unit} ago"
    return "now"


def message_or_name(snapshot: JobSnapshot) -> str:
    """Return the job's clean message, or its name if it has none."""
    progress = snapshot.progress
    return clean(progress.message if progress and progress.message else snapshot.name)


def failure_words(failed: int, cancelled: int) -> list[str]:
    """Return the numbers of failed and cancelled jobs as words, without those that are 0."""
    counts = {"failed": failed, "cancelled": cancelled}
    return [f"{count} {what}" for what, count in counts.items() if count]


def last_message_or_outcome(snapshot: JobSnapshot) -> str:
    """Return a clean text on how a job ended.

    The job's last message is used, unless the job failed or was cancelled and the message does
    not say so.
    """
    progress = snapshot.progress
    words = clean(progress.message) if progress else ""
    name = clean(snapshot.name)
    if snapshot.status is JobStatus.FAILED:
        reason = clean((snapshot.error.message or snapshot.error.type) if snapshot.error else "")
        if words and reason in words:
            return words
        kind = clean(snapshot.error.type) if snapshot.error else ""
        return f"{name} failed: {reason}" if reason == kind else f"{name} failed: {kind}: {reason}"
    if snapshot.status is JobStatus.CANCELLED:
        if "cancel" in words.casefold():
            return words
        if progress is None or progress.total <= 0:
            return f"{name} cancelled"
        return f"{name} cancelled at {count_text(progress.current)}/{count_text(progress.total)}"
    return words or f"{name} completed"


#: The spinner's frames per second.
SPINNER_FRAMES_PER_SECOND = 10
#: Cells of the bar, and of the short one in a narrower terminal.
BAR, SHORT_BAR = 20, 10
#: A message of at most so many cells is not cut while another part can be dropped.
MIN_MESSAGE_CELLS = 16


@dataclass(frozen=True, slots=True)
class LineLayout:
    """The parts of a line.

    Attributes:
        bar_cells: The cells of the bar; 0 for none.
        has_amounts: Whether to show the current amount and the total.
        has_elapsed: Whether to show the elapsed time.
        has_eta: Whether to show the time to completion.
        has_job_counts: Whether to show the numbers of other running jobs and of failed ones.
        has_hint: Whether to show how to cancel.
    """

    bar_cells: int = 0
    has_amounts: bool = False
    has_elapsed: bool = False
    has_eta: bool = False
    has_job_counts: bool = False
    has_hint: bool = False


#: From the richest to the poorest; the first with room for the message is used.
LAYOUTS = (
    LineLayout(
        BAR, has_amounts=True, has_elapsed=True, has_eta=True, has_job_counts=True, has_hint=True
    ),
    LineLayout(BAR, has_amounts=True, has_elapsed=True, has_eta=True, has_job_counts=True),
    LineLayout(SHORT_BAR, has_amounts=True, has_elapsed=True, has_eta=True, has_job_counts=True),
    LineLayout(SHORT_BAR, has_amounts=True, has_eta=True, has_job_counts=True),
    LineLayout(has_amounts=True, has_eta=True, has_job_counts=True),
    LineLayout(has_amounts=True, has_job_counts=True),
    LineLayout(has_job_counts=True),
    LineLayout(),
)
#: The layouts for a job whose total is unknown.
UNKNOWN_TOTAL_LAYOUTS = (
    LineLayout(has_amounts=True, has_elapsed=True, has_job_counts=True, has_hint=True),
    LineLayout(has_amounts=True, has_elapsed=True, has_job_counts=True),
    LineLayout(has_amounts=True, has_job_counts=True),
    LineLayout(has_job_counts=True),
    LineLayout(),
)


def running_line(
    job: RunningJob,
    width: int,
    now: float,
    style: LineStyle,
    *,
    others: int = 0,
    failed: int = 0,
    hint: str = "",
) -> str:
    """Render a running job, as in `[████░░] 45% (54/120) Pulling | 12s | ETA 15s`.

    Args:
        job: The job.
        width: The width in cells.
        now: The time, in seconds by Trio's clock.
        style: The characters to use, and whether anything may move.
        others: The number of other running jobs.
        failed: The number of jobs that have failed in the meantime.
        hint: How to cancel the job; empty for no hint.
    """
    snapshot, elapsed = job.snapshot, job.elapsed(now)
    words = message_or_name(snapshot)
    progress = snapshot.progress
    is_counted = progress is not None and progress.total > 0
    eta = None if progress is None else job.estimate.eta(progress.current, now)
    needed = min(width_of(words), MIN_MESSAGE_CELLS)
    before = after = ""
    for layout in LAYOUTS if is_counted else UNKNOWN_TOTAL_LAYOUTS:
        before = _prefix(progress, style, now, layout)
        counts = _amounts_text(progress) if layout.has_amounts and not is_counted else ""
        after = counts + _suffix(is_counted, elapsed, eta, others, failed, layout)
        if snapshot.cancel_requested:
            hint = "cancelling"
        if layout.has_hint and hint:
            after += f"   {hint}"
        if len(before) + needed + len(after) <= width:
            break
    room = width - len(before) - width_of(after)  # each character of `before` takes one cell
    words = clip(words, max(room, 0), ellipsis=style.glyphs.ellipsis)
    line, rest = before + words + after, room - width_of(words)
    return line + " " * rest if rest >= 0 else fit(line, width, ellipsis=style.glyphs.ellipsis)


def batch_line(batch: JobsSinceIdle, width: int, style: LineStyle, *, now: float, hint: str) -> str:
    """Render many jobs, as in `[████░░] 45% 54 of 120 jobs | 12s | ETA 15s | 3 failed`.

    There is no bar while more jobs are being submitted. Failures are always shown.

    Args:
        batch: The jobs.
        width: The width in cells.
        style: The characters to use, and whether anything may move.
        now: The time.
        hint: How to cancel; empty for no hint.
    """
    is_counted = not batch.is_total_unknown(now)
    progress = batch.progress if is_counted else None
    style = replace(style, motion=style.motion and batch.running > 0)
    bad = "".join(f" | {failure}" for failure in failure_words(batch.failed, batch.cancelled))
    for layout in LAYOUTS if is_counted else UNKNOWN_TOTAL_LAYOUTS:
        before = _prefix(progress, style, now, replace(layout, has_amounts=False))
        after = _suffix(is_counted, batch.elapsed(now), batch.eta(now), 0, 0, layout) + bad
        if layout.has_hint and hint:
            after += f"   {hint}"
        line = f"{before}{batch.ended} of {batch.total} jobs{after}"
        if len(line) <= width:
            return line.ljust(width)
    return fit(f"{batch.ended}/{batch.total}{bad}", width, ellipsis=style.glyphs.ellipsis)


def ended_batch_line(batch: JobsSinceIdle, width: int, style: LineStyle) -> str:
    """Render many jobs that have ended, as in `✗ 120 jobs ended | 12s | 3 failed`.

    Args:
        batch: The jobs.
        width: The width in cells.
        style: The characters to use.
    """
    bad = "".join(f" | {failure}" for failure in failure_words(batch.failed, batch.cancelled))
    mark = _end_mark(batch.status, style.glyphs)
    words = f"{mark} {batch.total} jobs {'ended' if bad else 'completed'}"
    took = f" | {duration(batch.elapsed(math.inf))}"
    for line in (f"{words}{took}{bad}", f"{words}{bad}", f"{mark} {batch.total} jobs{bad}"):
        if width_of(line) <= width:
            break
    return fit(line, width, ellipsis=style.glyphs.ellipsis)


def _end_mark(status: JobStatus, glyphs: Glyphs) -> str:
    """Return the sign of a status at which a job has ended."""
    return {
        JobStatus.COMPLETED: glyphs.completed,
        JobStatus.FAILED: glyphs.failed,
        JobStatus.CANCELLED: glyphs.cancelled,
    }[status]


def spinner(style: LineStyle, now: float) -> str:
    """Return the frame of the spinner at a time; a still mark where nothing may move."""
    if not style.motion:
        return style.glyphs.still_spinner
    frames = style.glyphs.spinner
    return frames[int(now * SPINNER_FRAMES_PER_SECOND) % len(frames)]


def next_spin(now: float) -> float:
    """Return the time of the spinner's next frame."""
    return (math.floor(now * SPINNER_FRAMES_PER_SECOND) + 1) / SPINNER_FRAMES_PER_SECOND


def _prefix(progress: JobProgress | None, style: LineStyle, now: float, layout: LineLayout) -> str:
    """Render the part before the message."""
    glyphs = style.glyphs
    if progress is None or progress.total <= 0:
        return f"{spinner(style, now)} "
    full = int(layout.bar_cells * progress.percentage / 100)  # it is full only if all is done
    empty = layout.bar_cells - full
    bar = f"[{glyphs.full_cell * full}{glyphs.empty_cell * empty}] " if layout.bar_cells else ""
    counts = _amounts_text(progress) if layout.has_amounts else ""
    return f"{bar}{rounded_percent(progress)}%{counts} "


def _amounts_text(progress: JobProgress | None) -> str:
    if progress is None:
        return ""
    if progress.total > 0:
        return f" ({count_text(progress.current)}/{count_text(progress.total)})"
    return f" ({count_text(progress.current)})" if progress.current else ""


def _suffix(
    is_counted: bool,  # noqa: FBT001 - there is a single call
    elapsed: float,
    eta: float | None,
    others: int,
    failed: int,
    layout: LineLayout,
) -> str:
    """Render the part after the message."""
    text = f" | {duration(elapsed)}" if layout.has_elapsed else ""
    if layout.has_eta and is_counted:
        left = "--:--" if eta is None else duration(max(round(eta), 1 if eta > 0 else 0))
        text += f" | ETA {left}"
    if layout.has_job_counts and others:
        text += f" | +{others} more"
    if layout.has_job_counts and failed:
        text += f" | {failed} failed"
    return text


def ended_line(snapshot: JobSnapshot, width: int, style: LineStyle, *, other_failed: int) -> str:
    """Render a job that has ended, as in `✓ Pull complete: 500 tickets | 12s`.

    Args:
        snapshot: The job.
        width: The width in cells.
        style: The characters to use.
        other_failed: The number of other jobs that have failed in the meantime.
    """
    glyphs = style.glyphs
    mark = _end_mark(snapshot.status, glyphs)
    after = f" | {other_failed} failed" if other_failed else ""
    if snapshot.started_at is not None and snapshot.finished_at is not None:
        after = f" | {duration(snapshot.finished_at - snapshot.started_at + 1e-6)}{after}"
    words = last_message_or_outcome(snapshot)
    room = width - len(mark) - 1 - len(after)
    if room < min(width_of(words), MIN_MESSAGE_CELLS):
        after, room = "", max(width - len(mark) - 1, 0)
    ellipsis = glyphs.ellipsis
    line = f"{mark} {clip(words, room, ellipsis=ellipsis)}{after}"
    return fit(line, width, ellipsis=ellipsis)
