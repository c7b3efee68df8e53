"""Show progress as plain lines without control characters, for pipes, logs and screen readers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticketr import JobProgress, JobStatus
from ticketr.statusline.batch import SAME_BATCH_IDLE_SECONDS
from ticketr.statusline.render import (
    count_text,
    failure_words,
    last_message_or_outcome,
    message_or_name,
    rounded_percent,
)
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr import JobSnapshot
    from ticketr.statusline.batch import JobsSinceIdle

#: A running job gets a line after so many seconds, or after so much progress.
LINE_DUE_AFTER_SECONDS = 10.0
LINE_DUE_AFTER_PERCENT = 10.0
#: A new message or total, such as of the next phase of the work, gets a line at once, but at most
#: so many in each `LINE_DUE_AFTER_SECONDS`.
MAX_MESSAGE_LINE_BURST = 5

_EMPTY_PROGRESS = JobProgress("", 0, 0, "", 0)


def progress_text(snapshot: JobSnapshot) -> str:
    """Return a running job's progress as one line, like ``Pulling tickets: 45/120 (38%)``."""
    words = message_or_name(snapshot)
    progress = snapshot.progress
    if progress is None or progress.total <= 0:
        return words
    counts = f"{count_text(progress.current)}/{count_text(progress.total)}"
    return f"{words}: {counts} ({rounded_percent(progress)}%)"


@dataclass(slots=True)
class _LastLine:
    """The last line about a job.

    Attributes:
        progress: The job's progress at that time.
        printed_at: The time of the line.
        new_message_line_times: The times of the latest lines with a new message or total.
    """

    progress: JobProgress
    printed_at: float
    new_message_line_times: list[float] = field(default_factory=list)


class PlainLineSelector:
    """Selects the snapshots that get a line.

    Pure except for its memory of the last lines.
    """

    def __init__(self) -> None:
        self._last: dict[str, _LastLine] = {}
        self._began: float | None = None  # of the batch with a line, until its end is printed
        self._percentage = 0.0
        self._at = -math.inf

    def line(self, snapshot: JobSnapshot, now: float) -> str | None:
        """Return the line to print for a snapshot, and remember it; None if nothing new is to be printed.

        Args:
            snapshot: A job's snapshot.
            now: The time in seconds by any monotonic clock.
        """
        if snapshot.status.is_terminal:
            last = self._last.pop(snapshot.id, None)
            return self._named_if_others_run(self._final_text(snapshot, last), snapshot)
        if snapshot.status is not JobStatus.RUNNING or not self._note_line_if_due(snapshot, now):
            return None
        return self._named_if_others_run(self._running_text(snapshot), snapshot)

    def batch_line(self, batch: JobsSinceIdle, now: float, *, is_last: bool = False) -> str | None:
        """Return the line to print for a batch of many jobs, and remember it; None if none is due.

        Args:
            batch: The batch.
            now: The time in seconds by Trio's clock.
            is_last: Whether no job follows, so that the end is printed at once.
        """
        self._last.clear()
        if not batch.remaining:
            if self._began is None or not (
                is_last or now >= batch.idle_since + SAME_BATCH_IDLE_SECONDS
            ):
                return None
            self._began = None
            bad = failure_words(batch.failed, batch.cancelled)
            return ", ".join([f"{batch.total} jobs {'ended' if bad else 'completed'}", *bad])
        percentage = 0.0 if batch.is_total_unknown(now) else batch.progress.percentage
        is_new = self._began != batch.began_at
        is_due = (
            now - self._at >= LINE_DUE_AFTER_SECONDS
            or percentage - self._percentage >= LINE_DUE_AFTER_PERCENT
        )
        if not (is_new or is_due):
            return None
        self._began, self._at = batch.began_at, now
        self._percentage = percentage if is_new else max(percentage, self._percentage)
        return _ended_of_total_text(batch, now)

    def end_due_at(self, batch: JobsSinceIdle) -> float:
        """Return the time at which the end of a batch is to be printed; infinite if never.

        Args:
            batch: The batch.
        """
        is_open = self._began is None or batch.remaining > 0
        return math.inf if is_open else batch.idle_since + SAME_BATCH_IDLE_SECONDS

    def _note_line_if_due(self, snapshot: JobSnapshot, now: float) -> bool:
        """Return whether a snapshot gets a line, and remember it if so."""
        progress = snapshot.progress or _EMPTY_PROGRESS
        last = self._last.get(snapshot.id)
        if last is None:
            self._last[snapshot.id] = _LastLine(progress, now, [now])
            return True
        old = last.progress
        gained = progress.percentage - old.percentage
        is_due = now - last.printed_at >= LINE_DUE_AFTER_SECONDS or gained >= LINE_DUE_AFTER_PERCENT
        has_moved = progress.total and progress.current != old.current
        is_new_message = progress.message != old.message and not has_moved
        if is_new_message or progress.total != old.total:
            times = last.new_message_line_times
            last.new_message_line_times = [at for at in times if now - at < LINE_DUE_AFTER_SECONDS]
            if len(last.new_message_line_times) >= MAX_MESSAGE_LINE_BURST and not is_due:
                return False
            last.new_message_line_times.append(now)
        elif not is_due:
            return False
        last.progress, last.printed_at = progress, now
        return True

    def _running_text(self, snapshot: JobSnapshot) -> str:
        progress = snapshot.progress
        if progress is None or not (progress.message or progress.total):
            return f"{clean(snapshot.name)} started"
        return progress_text(snapshot)

    def _final_text(self, snapshot: JobSnapshot, last: _LastLine | None) -> str:
        """Return how a job ended; mark a message that was printed before as done."""
        words = last_message_or_outcome(snapshot)
        is_repeated = last is not None and words == clean(last.progress.message)
        if is_repeated and snapshot.status is JobStatus.COMPLETED:
            return f"{progress_text(snapshot)}, done"
        return words

    def _named_if_others_run(self, words: str, snapshot: JobSnapshot) -> str:
        """Put the job's name before the text if other jobs run."""
        name, others = clean(snapshot.name), self._last.keys() - {snapshot.id}
        return f"{name}: {words}" if others and not words.startswith(name) else words


def _ended_of_total_text(batch: JobsSinceIdle, now: float) -> str:
    words = f"{batch.ended} of {batch.total} jobs"
    if not batch.is_total_unknown(now):
        words += f" ({rounded_percent(batch.progress)}%)"
    return ", ".join([words, *failure_words(batch.failed, batch.cancelled)])
