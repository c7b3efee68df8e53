"""Progress as plain lines, for pipes, logs and screen readers: no control characters at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr import JobProgress, JobSnapshot

#: A running job has a new line at most this often, unless it gained this much or said
#: something new.
SECONDS = 10.0
PERCENT = 10.0


def progress_text(progress: JobProgress) -> str:
    """Write progress as one line, like ``Pulling tickets: 45/120 (38%)``."""
    message = clean(progress.message)
    if not progress.total:
        return message
    percent = f"{_whole_percent(progress)}%"
    return f"{message}: {progress.current:g}/{progress.total:g} ({percent})"


def _whole_percent(progress: JobProgress) -> int:
    """Round as people do, but say 100 only of what is complete."""
    rounded = round(progress.percentage)
    return min(rounded, 99) if progress.current < progress.total else rounded


class PlainLines:
    """Decides which of a job's snapshots are worth a line; pure but for what it remembers."""

    def __init__(self) -> None:
        self._message = ""
        self._time = 0.0
        self._percentage = 0.0

    def line(self, snapshot: JobSnapshot, now: float) -> str | None:
        """Give the line to print for a snapshot, or None.

        Args:
            snapshot: the job's state.
            now: the time in seconds, by any steady clock.
        """
        progress = snapshot.progress
        if progress is None or not progress.message:
            return None
        if snapshot.status.is_terminal:
            return clean(progress.message)
        is_new = progress.message != self._message
        is_due = now - self._time >= SECONDS or progress.percentage - self._percentage >= PERCENT
        if not is_new and not is_due:
            return None
        self._message, self._time = progress.message, now
        self._percentage = progress.percentage
        return progress_text(progress)
