"""Format a job's numbers, times, message and end. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr import JobProgress, JobSnapshot

#: Numbers below this are written without an exponent.
LARGE = 1e15


def whole_percent(progress: JobProgress) -> int:
    """Return the percentage, rounded; 100 only if all is done."""
    rounded = int(progress.percentage + 0.5)
    return min(rounded, 99) if progress.current < progress.total else rounded


def number(value: float) -> str:
    """Format a count, with up to two decimals if it is not whole."""
    if abs(value) >= LARGE:
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


def message_of(snapshot: JobSnapshot) -> str:
    """Return the job's clean message, or its name if it has none."""
    progress = snapshot.progress
    return clean(progress.message if progress and progress.message else snapshot.name)


def progress_words(snapshot: JobSnapshot, elapsed: float) -> str:
    """Return a job's message, or else its name, with its percentage, or else the time it has run."""
    progress = snapshot.progress
    words = message_of(snapshot)
    if progress is not None and progress.total > 0:
        return f"{words} {whole_percent(progress)}%"
    return f"{words} {duration(elapsed)}"


def failures(failed: int, cancelled: int) -> list[str]:
    """Return the numbers of failed and cancelled jobs as words, without those that are 0."""
    counts = {"failed": failed, "cancelled": cancelled}
    return [f"{count} {what}" for what, count in counts.items() if count]


def end_message(snapshot: JobSnapshot) -> str:
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
        return f"{name} cancelled at {number(progress.current)}/{number(progress.total)}"
    return words or f"{name} completed"
