"""The words for a job's state: numbers, times, and how it ended. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr import JobProgress, JobSnapshot

#: Up to here a number is written out.
LARGE = 1e15


def whole_percent(progress: JobProgress) -> int:
    """Round as people do, but say 100 only of what is complete."""
    rounded = int(progress.percentage + 0.5)
    return min(rounded, 99) if progress.current < progress.total else rounded


def number(value: float) -> str:
    """Write a count, with decimals only where it has some."""
    if abs(value) >= LARGE:
        return f"{value:.3g}"
    if value == int(value):
        return str(int(value))
    return f"{value:.2f}".rstrip("0").rstrip(".")


def duration(seconds: float) -> str:
    """Write a time like ``12s``, ``2m05s``, ``1h07m`` or ``3d04h``."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"


def message_of(snapshot: JobSnapshot) -> str:
    """Give what the job says it is doing, clean; its name if it says nothing."""
    progress = snapshot.progress
    return clean(progress.message if progress and progress.message else snapshot.name)


def ending(snapshot: JobSnapshot) -> str:
    """Say in clean words how a job ended.

    Its own last words will do if they tell it; those of a job that did not get to say that it
    failed or was cancelled do not.
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
