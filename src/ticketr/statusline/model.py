"""The state of a status line: updated with snapshots, drawn as a line. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.statusline.eta import RateEstimate
from ticketr.statusline.render import SPINNER_RATE, ended_line, running_line

if TYPE_CHECKING:
    from ticketr import JobID, JobSnapshot
    from ticketr.statusline.style import LineStyle


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A running job.

    Attributes:
        snapshot: The newest snapshot of the job.
        estimate: The estimate of its rate.
    """

    snapshot: JobSnapshot
    estimate: RateEstimate

    @property
    def since(self) -> float:
        """The time at which the job started."""
        started = self.snapshot.started_at
        return self.snapshot.submitted_at if started is None else started

    def elapsed(self, now: float) -> float:
        """Return the seconds that the job has run."""
        return now - self.since + 1e-6  # so that rounding loses no whole second


@dataclass(frozen=True, slots=True)
class StatusModel:
    """The immutable state of a queue's jobs.

    Attributes:
        running: The running jobs, the oldest first.
        last: The job that ended last, shown until the next one runs; None if no job has ended.
        failed: The number of jobs that have failed since the queue was last idle.
    """

    running: tuple[RunningJob, ...] = ()
    last: JobSnapshot | None = None
    failed: int = 0

    def see(self, snapshot: JobSnapshot, now: float) -> StatusModel:
        """Return the model after a job's new snapshot.

        Args:
            snapshot: The snapshot; a job's snapshots must come in their order.
            now: The time, in seconds by Trio's clock.
        """
        known = next((each for each in self.running if each.snapshot.id == snapshot.id), None)
        if snapshot.status is JobStatus.RUNNING:
            return self._update_running(known, snapshot, now)
        rest = tuple(each for each in self.running if each is not known)
        if not snapshot.status.is_terminal:  # pending, perhaps again after an attempt that failed
            return self if known is None else replace(self, running=rest)
        is_new = not self.running
        failed = (0 if is_new else self.failed) + (snapshot.status is JobStatus.FAILED)
        return StatusModel(rest, snapshot, failed)

    def _update_running(
        self, known: RunningJob | None, snapshot: JobSnapshot, now: float
    ) -> StatusModel:
        progress = snapshot.progress
        current, total = (progress.current, progress.total) if progress else (0.0, 0.0)
        if known is None:
            new = RunningJob(snapshot, RateEstimate(now, total, current, now))
            running = tuple(sorted((*self.running, new), key=lambda each: each.since))
            return StatusModel(running, self.last, self.failed if self.running else 0)
        new = RunningJob(snapshot, known.estimate.update(current, total, now))
        running = tuple(new if each is known else each for each in self.running)
        return StatusModel(running, self.last, self.failed)

    @property
    def named_job(self) -> JobID | None:
        """The ID of the running job that the line shows; None if no job runs."""
        return self.running[0].snapshot.id if self.running else None

    @property
    def shown(self) -> JobSnapshot | None:
        """The job that the line shows, running or ended; None before the first job."""
        return self.running[0].snapshot if self.running else self.last

    def line(self, width: int, now: float, style: LineStyle, *, hint: str = "esc cancel") -> str:
        """Return the line as plain text of exactly ``width`` cells.

        Args:
            width: The width in cells.
            now: The time, in seconds by Trio's clock.
            style: The characters to use, and whether anything may move.
            hint: How to cancel the job; empty for no hint.
        """
        if self.running:
            first = self.running[0]
            progress = first.snapshot.progress
            return running_line(
                first.snapshot,
                width,
                style,
                now=now,
                elapsed=first.elapsed(now),
                eta=None if progress is None else first.estimate.eta(progress.current, now),
                others=len(self.running) - 1,
                failed=self.failed,
                hint=hint,
            )
        if self.last is not None:
            others = self.failed - (self.last.status is JobStatus.FAILED)
            return ended_line(self.last, width, style, failed=others)
        return " " * max(width, 0)

    def next_change(self, now: float, style: LineStyle) -> float:
        """Return the time at which the line changes next if no job changes.

        Args:
            now: The time, in seconds by Trio's clock.
            style: Whether anything may move.
        """
        if not self.running:
            return math.inf
        first = self.running[0]
        is_counted = first.snapshot.progress is not None and first.snapshot.progress.total > 0
        if style.motion and not is_counted:
            return (math.floor(now * SPINNER_RATE) + 1) / SPINNER_RATE
        return first.since + math.floor(first.elapsed(now)) + 1
