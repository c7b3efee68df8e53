"""Count the jobs of a batch, and estimate their rate and the time to completion. Pure.

A batch is the jobs from one idle time of the queue to the next.

The rate is smoothed exponentially twice, with weights that fall to a tenth in 15 seconds, so that
progress in batches gives a steady estimate. Time without reports counts as no progress, so the
estimate for a job that hangs grows. A stalled job has no estimate: it has made no progress for twice
its longest step, for example since a server is down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ticketr import JobProgress, JobStatus

if TYPE_CHECKING:
    from ticketr import JobSnapshot, QueueStatistics


#: Seconds after which the weight of a measurement has fallen to a tenth.
RATE_WINDOW_SECONDS = 15.0
#: The fewest steps and seconds for an estimate, and the longest estimate in seconds.
MIN_ESTIMATE_STEPS = 3
MIN_ESTIMATE_SECONDS = 2.0
MAX_ETA = 99 * 3600.0
#: A job is stalled after so many times the longest time that it took for a step.
STALLED_FACTOR = 2.0

_DECAY = -math.log(10) / RATE_WINDOW_SECONDS


def _new_weight(seconds: float) -> float:
    """Return the weight, from 0 to 1, of the last seconds against all the time before."""
    return -math.expm1(_DECAY * seconds)


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """The rate of one job in one phase of its work, in which its total stays the same.

    Attributes:
        began: The time at which the phase began.
        total: The amount to do; 0 if unknown.
        current: The amount that was done at the last step.
        at: The time of the last step.
        steps: The number of reports with progress.
        single: The rate, smoothed once; too low by the weight of the time before the phase.
        double: The rate, smoothed twice; too low in the same way.
        longest: The longest time for a step. One for which the job was stalled counts in part, so
            that one outage does not make the next one look usual.
    """

    began: float
    total: float
    current: float
    at: float
    steps: int = 0
    single: float = 0.0
    double: float = 0.0
    longest: float = 0.0

    def update(self, current: float, total: float, now: float) -> RateEstimate:
        """Return the estimate after a report.

        Another total, or a lower current amount, begins a new phase.
        """
        if total != self.total or current < self.current:
            return RateEstimate(now, total, current, now)
        if current == self.current:
            return self
        if now <= self.at:  # no time has passed; the next step counts this progress, too
            return replace(self, steps=self.steps + 1)
        new = _new_weight(now - self.at)
        rate = (current - self.current) / (now - self.at)
        single = self.single * (1 - new) + rate * new
        double = self.double * (1 - new) + single / _new_weight(now - self.began) * new
        took = now - self.at
        counted = took if self.steps < MIN_ESTIMATE_STEPS else min(took, self.stalled_after)
        longest = max(self.longest, counted)
        return RateEstimate(
            self.began, total, current, now, self.steps + 1, single, double, longest
        )

    @property
    def stalled_after(self) -> float:
        """The seconds without progress after which the job is stalled."""
        return max(MIN_ESTIMATE_SECONDS, STALLED_FACTOR * self.longest)

    def rate(self, now: float) -> float:
        """Return the amount per second; 0 at the beginning."""
        if now <= self.began:
            return 0.0
        new = _new_weight(max(now - self.at, 0.0))
        whole = _new_weight(now - self.began)
        single = self.single * (1 - new) / whole
        return (self.double * (1 - new) + single * new) / whole

    def eta(self, current: float, now: float) -> float | None:
        """Return the seconds to completion, or None if there is no estimate.

        Args:
            current: The amount that is done.
            now: The time.
        """
        if current >= self.total > 0:
            return 0.0
        if self.steps < MIN_ESTIMATE_STEPS or now - self.began < MIN_ESTIMATE_SECONDS:
            return None
        if now - self.at > self.stalled_after:
            return None
        rate = self.rate(now)
        left = (self.total - current) / rate if rate > 0 else math.inf
        return left if left <= MAX_ETA else None


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


#: A batch of at least so many jobs is shown in numbers.
MIN_BATCH_JOBS = 5
#: A queue that is idle for at most so many seconds goes on with its batch, so that ``queue.run`` in
#: a loop is one batch.
IDLE_SECONDS = 2.0
#: The number of submitted jobs counts as the total once it has stayed the same for half of the
#: batch's time, but after at most so many seconds.
STEADY_SECONDS = 10.0
#: A task that waits for room to submit makes the total unknown for so many seconds.
UNKNOWN_SECONDS = 1.0

_NO_ESTIMATE = RateEstimate(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Batch:
    """The jobs since the queue was last idle, in numbers.

    Attributes:
        before: The numbers of completed, failed and cancelled jobs before the batch; None before
            the first count.
        began: The time at which the batch began.
        completed: The number of completed jobs.
        failed: The number of failed jobs.
        cancelled: The number of cancelled jobs.
        running: The number of running jobs.
        pending: The number of pending jobs, with those between two attempts.
        unknown_until: The time until which the total counts as unknown, since more jobs come.
        idle_since: The time at which the last job ended; infinite while one is left.
        estimate: The estimate of the rate at which jobs end.
    """

    before: tuple[int, int, int] | None = None
    began: float = -math.inf
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    running: int = 0
    pending: int = 0
    unknown_until: float = -math.inf
    idle_since: float = -math.inf
    estimate: RateEstimate = _NO_ESTIMATE

    @property
    def ended(self) -> int:
        """The number of jobs that have ended."""
        return self.completed + self.failed + self.cancelled

    @property
    def left(self) -> int:
        """The number of jobs that have not ended."""
        return self.running + self.pending

    @property
    def total(self) -> int:
        """The number of submitted jobs."""
        return self.ended + self.left

    @property
    def is_many(self) -> bool:
        """Whether the jobs are shown in numbers instead of one by one."""
        # The sum is `total`, without its three calls: each frame asks several times.
        return (
            self.completed + self.failed + self.cancelled + self.running + self.pending
            >= MIN_BATCH_JOBS
        )

    @property
    def status(self) -> JobStatus:
        """The status of the whole batch: running, or the worst end of its jobs."""
        if self.left:
            return JobStatus.RUNNING
        if self.failed:
            return JobStatus.FAILED
        return JobStatus.CANCELLED if self.cancelled else JobStatus.COMPLETED

    @property
    def progress(self) -> JobProgress:
        """The ended jobs of those submitted, as the progress of one job."""
        return JobProgress("", self.ended, self.total, "", 0)

    def total_is_unknown(self, now: float) -> bool:
        """Return whether more jobs may come, so that the total counts as unknown."""
        return self.left > 0 and now < self.unknown_until

    def elapsed(self, now: float) -> float:
        """Return the seconds from the beginning to the end, or until now."""
        return min(now, self.idle_since if not self.left else now) - self.began + 1e-6

    def eta(self, now: float) -> float | None:
        """Return the seconds to completion, or None if there is no estimate."""
        return replace(self.estimate, total=float(self.total)).eta(self.ended, now)

    def count(self, statistics: QueueStatistics, now: float, ended_at: float) -> Batch:
        """Return the batch after a look at the queue: this one, or the next one.

        Args:
            statistics: The queue's statistics.
            now: The time, in seconds by Trio's clock.
            ended_at: The time at which the last job ended.
        """
        counts = (statistics.completed, statistics.failed, statistics.cancelled)
        before = counts if self.before is None else self.before
        counted = (before[0] + self.completed, before[1] + self.failed, before[2] + self.cancelled)
        left = statistics.pending + statistics.running
        if not left and counts == counted and not self.left:
            return self if self.before is not None else replace(self, before=before)
        old = self
        if now - self.idle_since > IDLE_SECONDS:
            old, before = Batch(began=now, estimate=RateEstimate(now, 0.0, 0.0, now)), counted
        completed, failed, cancelled = (
            new - base for new, base in zip(counts, before, strict=True)
        )
        ended = completed + failed + cancelled
        unknown_until = old.unknown_until
        if statistics.submitters_waiting:
            unknown_until = now + UNKNOWN_SECONDS
        elif ended and ended + left > old.total:
            unknown_until = now + min(now - old.began, STEADY_SECONDS)
        return Batch(
            before=before,
            began=old.began,
            completed=completed,
            failed=failed,
            cancelled=cancelled,
            running=statistics.running,
            pending=statistics.pending,
            unknown_until=unknown_until,
            idle_since=math.inf if left else max(ended_at, old.began),
            estimate=old.estimate.update(ended, 0.0, now),
        )
