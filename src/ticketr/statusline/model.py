"""What a status line knows: pure, fed with snapshots and the time, asked for a line."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.statusline.eta import RateEstimate
from ticketr.statusline.render import SPINS, ended_line, running_line

if TYPE_CHECKING:
    from ticketr import JobID, JobSnapshot
    from ticketr.statusline.style import LineStyle


@dataclass(frozen=True, slots=True)
class Runner:
    """A running job.

    Attributes:
        snapshot: its newest state.
        pace: how fast it goes.
    """

    snapshot: JobSnapshot
    pace: RateEstimate

    @property
    def since(self) -> float:
        """When it was started."""
        started = self.snapshot.started_at
        return self.snapshot.submitted_at if started is None else started

    def elapsed(self, now: float) -> float:
        """Give the seconds it has run, none of them lost to rounding."""
        return now - self.since + 1e-6


@dataclass(frozen=True, slots=True)
class StatusModel:
    """What is known of a queue's jobs; never changes, each change is a new one.

    Attributes:
        running: the running jobs, the oldest first.
        last: the job that ended last, shown until the next one runs; None before that.
        failed: how many jobs have failed since the last time that none was running.
    """

    running: tuple[Runner, ...] = ()
    last: JobSnapshot | None = None
    failed: int = 0

    def see(self, snapshot: JobSnapshot, now: float) -> StatusModel:
        """Take in a job's new state.

        Args:
            snapshot: The state; those of one job come in their order.
            now: The time, in seconds by Trio's clock.

        Returns:
            What is known now.
        """
        known = next((each for each in self.running if each.snapshot.id == snapshot.id), None)
        if snapshot.status is JobStatus.RUNNING:
            return self._goes_on(known, snapshot, now)
        rest = tuple(each for each in self.running if each is not known)
        if not snapshot.status.is_terminal:  # pending, perhaps again after an attempt that failed
            return self if known is None else replace(self, running=rest)
        is_new = not self.running
        failed = (0 if is_new else self.failed) + (snapshot.status is JobStatus.FAILED)
        return StatusModel(rest, snapshot, failed)

    def _goes_on(self, known: Runner | None, snapshot: JobSnapshot, now: float) -> StatusModel:
        progress = snapshot.progress
        current, total = (progress.current, progress.total) if progress else (0.0, 0.0)
        if known is None:
            new = Runner(snapshot, RateEstimate(now, total, current, now))
            running = tuple(sorted((*self.running, new), key=lambda each: each.since))
            return StatusModel(running, self.last, self.failed if self.running else 0)
        new = Runner(snapshot, known.pace.see(current, total, now))
        running = tuple(new if each is known else each for each in self.running)
        return StatusModel(running, self.last, self.failed)

    @property
    def named_job(self) -> JobID | None:
        """The running job that the line speaks of, which is the one to cancel; None if idle."""
        return self.running[0].snapshot.id if self.running else None

    @property
    def shown(self) -> JobSnapshot | None:
        """The job that the line speaks of, running or ended; None if there is nothing to say."""
        return self.running[0].snapshot if self.running else self.last

    def line(self, width: int, now: float, style: LineStyle, *, hint: str = "esc cancel") -> str:
        """Draw the line: plain text, exactly ``width`` cells.

        Args:
            width: How many cells.
            now: The time, in seconds by Trio's clock.
            style: Which characters to use, and whether anything may move.
            hint: How to cancel the job, if there is a way.
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
                eta=None if progress is None else first.pace.eta(progress.current, now),
                others=len(self.running) - 1,
                failed=self.failed,
                hint=hint,
            )
        if self.last is not None:
            others = self.failed - (self.last.status is JobStatus.FAILED)
            return ended_line(self.last, width, style, failed=others)
        return " " * max(width, 0)

    def next_change(self, now: float, style: LineStyle) -> float:
        """Give the time at which the line will look different though no job has changed.

        Args:
            now: The time, in seconds by Trio's clock.
            style: Whether anything may move.
        """
        if not self.running:
            return math.inf
        first = self.running[0]
        is_counted = first.snapshot.progress is not None and first.snapshot.progress.total > 0
        if style.motion and not is_counted:
            return (math.floor(now * SPINS) + 1) / SPINS
        return first.since + math.floor(first.elapsed(now)) + 1
