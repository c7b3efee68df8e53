"""Progress as plain lines, for pipes, logs and screen readers: no control characters at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.statusline.words import ending, message_of, number, whole_percent
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr import JobSnapshot

#: A running job has a new line at most this often, unless it gained this much.
SECONDS = 10.0
PERCENT = 10.0
#: What is no progress but news, like the next phase of the work, is told at once, but not more
#: often than this in that time.
NEWS = 5


def progress_text(snapshot: JobSnapshot) -> str:
    """Write a running job's progress as one line, like ``Pulling tickets: 45/120 (38%)``."""
    words = message_of(snapshot)
    progress = snapshot.progress
    if progress is None or progress.total <= 0:
        return words
    counts = f"{number(progress.current)}/{number(progress.total)}"
    return f"{words}: {counts} ({whole_percent(progress)}%)"


@dataclass(slots=True)
class _Told:
    """What was last told of a job."""

    message: str
    total: float
    current: float
    percentage: float
    at: float
    news: list[float] = field(default_factory=list)


class PlainLines:
    """Decides which of the jobs' snapshots are worth a line; pure but for what it remembers."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}

    def line(self, snapshot: JobSnapshot, now: float) -> str | None:
        """Give the line to print for a snapshot, or None.

        Args:
            snapshot: The state of one of the jobs.
            now: The time in seconds, by any steady clock.
        """
        if snapshot.status.is_terminal:
            told = self._told.pop(snapshot.id, None)
            return self._named(self._last_words(snapshot, told), snapshot, len(self._told))
        if snapshot.status is not JobStatus.RUNNING or not self._is_worth_it(snapshot, now):
            return None
        return self._named(self._words(snapshot), snapshot, len(self._told) - 1)

    def _is_worth_it(self, snapshot: JobSnapshot, now: float) -> bool:
        """Decide, and remember what is told."""
        progress = snapshot.progress
        message, total, current, percentage = "", 0.0, 0.0, 0.0
        if progress is not None:
            message, total = progress.message, progress.total
            current, percentage = progress.current, progress.percentage
        told = self._told.get(snapshot.id)
        if told is None:
            self._told[snapshot.id] = _Told(message, total, current, percentage, now, [now])
            return True
        is_said = message != told.message and (not total or current == told.current)
        if is_said or total != told.total:
            told.news = [each for each in told.news if now - each < SECONDS]
            if len(told.news) >= NEWS and not self._is_due(told, percentage, now):
                return False
            told.news.append(now)
        elif not self._is_due(told, percentage, now):
            return False
        told.message, told.total, told.current = message, total, current
        told.percentage, told.at = percentage, now
        return True

    def _is_due(self, told: _Told, percentage: float, now: float) -> bool:
        return now - told.at >= SECONDS or percentage - told.percentage >= PERCENT

    def _words(self, snapshot: JobSnapshot) -> str:
        progress = snapshot.progress
        if progress is None or not (progress.message or progress.total):
            return f"{clean(snapshot.name)} started"
        return progress_text(snapshot)

    def _last_words(self, snapshot: JobSnapshot, told: _Told | None) -> str:
        """Say how it ended; what was said already, without new words for the end, is marked."""
        words = ending(snapshot)
        is_old = told is not None and told.message and words == clean(told.message)
        if is_old and snapshot.status is JobStatus.COMPLETED:
            return f"{progress_text(snapshot)}, done"
        return words

    def _named(self, words: str, snapshot: JobSnapshot, others: int) -> str:
        """Say which job it is where several run at once."""
        name = clean(snapshot.name)
        return f"{name}: {words}" if others and not words.startswith(name) else words
