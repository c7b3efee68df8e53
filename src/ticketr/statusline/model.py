"""The state of a status line: updated with snapshots, drawn as a line. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.statusline import render
from ticketr.statusline.batch import JobsSinceIdle, ProgressRateEstimate, RunningJob

if TYPE_CHECKING:
    from ticketr import JobID, JobSnapshot, QueueStatistics
    from ticketr.statusline.style import LineStyle


@dataclass(frozen=True, slots=True)
class StatusModel:
    """The immutable state of a queue's jobs.

    Attributes:
        running: The running jobs by their IDs, the oldest first.
        last: The job that ended last, shown until the next one runs; None if no job has ended.
        failed: The number of jobs that have failed since the queue was last idle.
        batch: The jobs since the queue was last idle, in numbers; none if :meth:`count` is not
            called.
    """

    running: dict[JobID, RunningJob] = field(default_factory=dict)
    last: JobSnapshot | None = None
    failed: int = 0
    batch: JobsSinceIdle = field(default_factory=JobsSinceIdle)

    def see(self, snapshot: JobSnapshot, now: float) -> StatusModel:
        """Return the model after a job's new snapshot.

        Args:
            snapshot: The snapshot; a job's snapshots must come in their order.
            now: The time, in seconds by Trio's clock.
        """
        if snapshot.status is JobStatus.RUNNING:
            return self._add_or_update_running(snapshot, now)
        rest = self.running
        if snapshot.id in rest:
            rest = dict(rest)
            del rest[snapshot.id]
        if not snapshot.status.is_terminal:  # pending, perhaps again after an attempt that failed
            return self if rest is self.running else replace(self, running=rest)
        is_new = not self.running
        failed = (0 if is_new else self.failed) + (snapshot.status is JobStatus.FAILED)
        return StatusModel(rest, snapshot, failed, self.batch)

    def _add_or_update_running(self, snapshot: JobSnapshot, now: float) -> StatusModel:
        progress = snapshot.progress
        current, total = (progress.current, progress.total) if progress else (0.0, 0.0)
        known = self.running.get(snapshot.id)
        if known is not None:
            new = RunningJob(snapshot, known.estimate.update(current, total, now))
            running = {**self.running, snapshot.id: new}
            return StatusModel(running, self.last, self.failed, self.batch)
        new = RunningJob(snapshot, ProgressRateEstimate(now, total, current, now))
        newest = next(reversed(self.running.values()), new)
        running = {**self.running, snapshot.id: new}
        if newest.started_at > new.started_at:
            running = dict(sorted(running.items(), key=lambda item: item[1].started_at))
        return StatusModel(running, self.last, self.failed if self.running else 0, self.batch)

    def count(self, statistics: QueueStatistics, now: float) -> StatusModel:
        """Return the model after a look at the queue's numbers.

        Call it after :meth:`see`, before a line is drawn. Then five or more jobs are shown in
        numbers: `[████░░] 45% 54 of 120 jobs | 12s | ETA 15s`. The numbers begin at zero again with
        the first job after the queue was idle for two seconds.

        Args:
            statistics: The queue's statistics. Jobs that had ended before the first call are left
                out.
            now: The time, in seconds by Trio's clock.
        """
        finished_at = self.last.finished_at if self.last is not None else None
        ended_at = now if finished_at is None else finished_at
        batch = self.batch.update_or_next(statistics, now, ended_at)
        return self if batch is self.batch else replace(self, batch=batch)

    @property
    def shown_status(self) -> JobStatus | None:
        """The status of what the line shows; None before the first job."""
        if self.batch.is_shown_as_batch:
            return self.batch.status
        if self.running:
            return JobStatus.RUNNING
        return None if self.last is None else self.last.status

    @property
    def named_job(self) -> JobID | None:
        """The ID of the running job that the line shows; None if no job runs."""
        return next(iter(self.running), None)

    def line(self, width: int, now: float, style: LineStyle, *, hint: str = "esc cancel") -> str:
        """Return the line as plain text of exactly ``width`` cells.

        Args:
            width: The width in cells.
            now: The time, in seconds by Trio's clock.
            style: The characters to use, and whether anything may move.
            hint: How to cancel the job; empty for no hint.
        """
        batch, running = self.batch, self.running.values()
        if batch.is_shown_as_batch and not batch.remaining:
            return render.ended_batch_line(batch, width, style)
        if batch.is_shown_as_batch:
            if running and all(job.snapshot.cancel_requested for job in running):
                hint = "cancelling"
            return render.batch_line(batch, width, style, now=now, hint=hint)
        first = next(iter(running), None)
        if first is not None:
            others = len(running) - 1
            return render.running_line(
                first, width, now, style, others=others, failed=self.failed, hint=hint
            )
        if self.last is not None:
            others = self.failed - (self.last.status is JobStatus.FAILED)
            return render.ended_line(self.last, width, style, other_failed=others)
        return " " * max(width, 0)

    def next_change(self, now: float, style: LineStyle) -> float:
        """Return the time at which the line changes next if no job changes.

        Args:
            now: The time, in seconds by Trio's clock.
            style: Whether anything may move.
        """
        batch = self.batch
        if batch.is_shown_as_batch:
            if not batch.remaining:
                return math.inf
            if style.motion and batch.running and batch.is_total_unknown(now):
                return render.next_spin(now)
            return batch.began_at + math.floor(batch.elapsed(now)) + 1
        first = next(iter(self.running.values()), None)
        if first is None:
            return math.inf
        progress = first.snapshot.progress
        if style.motion and (progress is None or progress.total <= 0):
            return render.next_spin(now)
        return first.started_at + math.floor(first.elapsed(now)) + 1
