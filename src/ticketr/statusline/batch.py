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
TENTH_WEIGHT_AFTER_SECONDS = 15.0
#: The fewest steps and seconds for an estimate, and the longest estimate in seconds.
MIN_ESTIMATE_STEPS = 3
MIN_ESTIMATE_SECONDS = 2.0
MAX_ETA_SECONDS = 99 * 3600.0
#: A job is stalled after so many times the longest time that it took for a step.
STALLED_AFTER_LONGEST_STEPS = 2.0

_DECAY_EXPONENT_PER_SECOND = -math.log(10) / TENTH_WEIGHT_AFTER_SECONDS


def _new_weight(seconds: float) -> float:
    """Return the weight, from 0 to 1, of the last seconds against all the time before."""
    return -math.expm1(_DECAY_EXPONENT_PER_SECOND * seconds)


@dataclass(frozen=True, slots=True)
class ProgressRateEstimate:
    """The rate of progress of a job, or of a batch, in one phase: while its total stays the same.

    Attributes:
        measured_since: The time at which the phase began, and with it the measurement.
        work_total: The amount to do; 0 if unknown.
        last_amount: The amount that was done at the last step.
        last_step_at: The time of the last step.
        steps: The number of reports with progress.
        smoothed_once_uncorrected: The rate, smoothed once; too low by the weight of the time before
            the phase.
        smoothed_twice_uncorrected: The rate, smoothed twice; too low in the same way.
        longest_step_seconds: The longest time for a step. One for which the job was stalled counts
            in part, so that one outage does not make the next one look usual.
    """

    measured_since: float
    work_total: float
    last_amount: float
    last_step_at: float
    steps: int = 0
    smoothed_once_uncorrected: float = 0.0
    smoothed_twice_uncorrected: float = 0.0
    longest_step_seconds: float = 0.0

    def update(self, current: float, total: float, now: float) -> ProgressRateEstimate:
        """Return the estimate after a report.

        Another total, or a lower current amount, begins a new phase.
        """
        if total != self.work_total or current < self.last_amount:
            return ProgressRateEstimate(now, total, current, now)
        if current == self.last_amount:
            return self
        if now <= self.last_step_at:  # no time has passed; the next step counts this progress, too
            return replace(self, steps=self.steps + 1)
        took = now - self.last_step_at
        new, whole = _new_weight(took), _new_weight(now - self.measured_since)
        rate = (current - self.last_amount) / took
        single = self.smoothed_once_uncorrected * (1 - new) + rate * new
        double = self.smoothed_twice_uncorrected * (1 - new) + single / whole * new
        counted = took if self.steps < MIN_ESTIMATE_STEPS else min(took, self.stalled_after_seconds)
        longest = max(self.longest_step_seconds, counted)
        return ProgressRateEstimate(
            self.measured_since, total, current, now, self.steps + 1, single, double, longest
        )

    @property
    def stalled_after_seconds(self) -> float:
        """The seconds without progress after which the job is stalled."""
        return max(MIN_ESTIMATE_SECONDS, STALLED_AFTER_LONGEST_STEPS * self.longest_step_seconds)

    def rate(self, now: float) -> float:
        """Return the amount per second; 0 at the beginning."""
        if now <= self.measured_since:
            return 0.0
        new = _new_weight(max(now - self.last_step_at, 0.0))
        whole = _new_weight(now - self.measured_since)
        single = self.smoothed_once_uncorrected * (1 - new) / whole
        return (self.smoothed_twice_uncorrected * (1 - new) + single * new) / whole

    def eta(self, current: float, now: float) -> float | None:
        """Return the seconds to completion, or None if there is no estimate.

        Args:
            current: The amount that is done.
            now: The time.
        """
        if current >= self.work_total > 0:
            return 0.0
        if self.steps < MIN_ESTIMATE_STEPS or now - self.measured_since < MIN_ESTIMATE_SECONDS:
            return None
        if now - self.last_step_at > self.stalled_after_seconds:
            return None
        rate = self.rate(now)
        left = (self.work_total - current) / rate if rate > 0 else math.inf
        return left if left <= MAX_ETA_SECONDS else None


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A running job.

    Attributes:
        snapshot: The newest snapshot of the job.
        estimate: The estimate of its rate.
    """

    snapshot: JobSnapshot
    estimate: ProgressRateEstimate

    @property
    def started_at(self) -> float:
        """The time at which the job started."""
        started = self.snapshot.started_at
        return self.snapshot.submitted_at if started is None else started

    def elapsed(self, now: float) -> float:
        """Return the seconds that the job has run."""
        return now - self.started_at + 1e-6  # so that rounding loses no whole second


#: A batch of at least so many jobs is shown in numbers.
MIN_JOBS_FOR_COUNTS = 5
#: A queue that is idle for at most so many seconds goes on with its batch, so that ``queue.run`` in
#: a loop is one batch.
SAME_BATCH_IDLE_SECONDS = 2.0
#: The number of submitted jobs counts as the total once it has stayed the same for half of the
#: batch's time, but after at most so many seconds.
MAX_WAIT_FOR_STEADY_TOTAL_SECONDS = 10.0
#: A task that waits for room to submit makes the total unknown for so many seconds.
UNKNOWN_TOTAL_SECONDS_AFTER_SUBMIT_WAIT = 1.0

_EMPTY_RATE_ESTIMATE = ProgressRateEstimate(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class JobsSinceIdle:
    """The jobs since the queue was last idle, in numbers.

    Attributes:
        ended_before: The numbers of completed, failed and cancelled jobs before the batch; None
            before the first update.
        began_at: The time at which the batch began.
        completed: The number of completed jobs.
        failed: The number of failed jobs.
        cancelled: The number of cancelled jobs.
        running: The number of running jobs.
        pending: The number of pending jobs, with those between two attempts.
        total_unknown_until: The time until which the total counts as unknown, since more jobs come.
        idle_since: The time at which the last job ended; infinite while one is left.
        estimate: The estimate of the rate at which jobs end.
    """

    ended_before: tuple[int, int, int] | None = None
    began_at: float = -math.inf
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    running: int = 0
    pending: int = 0
    total_unknown_until: float = -math.inf
    idle_since: float = -math.inf
    estimate: ProgressRateEstimate = _EMPTY_RATE_ESTIMATE

    @property
    def ended(self) -> int:
        """The number of jobs that have ended."""
        return self.completed + self.failed + self.cancelled

    @property
    def remaining(self) -> int:
        """The number of jobs that have not ended."""
        return self.running + self.pending

    @property
    def total(self) -> int:
        """The number of submitted jobs."""
        return self.ended + self.remaining

    @property
    def is_shown_as_batch(self) -> bool:
        """Whether the jobs are shown in numbers instead of one by one."""
        # The sum is `total`, without its three calls: each frame asks several times.
        ended = self.completed + self.failed + self.cancelled
        return ended + self.running + self.pending >= MIN_JOBS_FOR_COUNTS

    @property
    def status(self) -> JobStatus:
        """The status of the whole batch: running, or the worst end of its jobs."""
        if self.remaining:
            return JobStatus.RUNNING
        if self.failed:
            return JobStatus.FAILED
        return JobStatus.CANCELLED if self.cancelled else JobStatus.COMPLETED

    @property
    def progress(self) -> JobProgress:
        """The ended jobs of those submitted, as the progress of one job."""
        return JobProgress("", self.ended, self.total, "", 0)

    def is_total_unknown(self, now: float) -> bool:
        """Return whether more jobs may come, so that the total counts as unknown."""
        return self.remaining > 0 and now < self.total_unknown_until

    def elapsed(self, now: float) -> float:
        """Return the seconds from the beginning to the end, or until now."""
        return min(now, self.idle_since if not self.remaining else now) - self.began_at + 1e-6

    def eta(self, now: float) -> float | None:
        """Return the seconds to completion, or None if there is no estimate."""
        return replace(self.estimate, work_total=float(self.total)).eta(self.ended, now)

    def update_or_next(
        self, statistics: QueueStatistics, now: float, ended_at: float
    ) -> JobsSinceIdle:
        """Return the batch after a look at the queue: this one, or the next one.

        Args:
            statistics: The queue's statistics.
            now: The time, in seconds by Trio's clock.
            ended_at: The time at which the last job ended.
        """
        counts = (statistics.completed, statistics.failed, statistics.cancelled)
        before = counts if self.ended_before is None else self.ended_before
        counted = (before[0] + self.completed, before[1] + self.failed, before[2] + self.cancelled)
        left = statistics.pending + statistics.running
        if not left and counts == counted and not self.remaining:
            return self if self.ended_before is not None else replace(self, ended_before=before)
        old = self
        if now - self.idle_since > SAME_BATCH_IDLE_SECONDS:
            old = JobsSinceIdle(began_at=now, estimate=ProgressRateEstimate(now, 0.0, 0.0, now))
            before = counted
        completed, failed, cancelled = (new - was for new, was in zip(counts, before, strict=True))
        ended = completed + failed + cancelled
        unknown_until = old.total_unknown_until
        if statistics.submitters_waiting:
            unknown_until = now + UNKNOWN_TOTAL_SECONDS_AFTER_SUBMIT_WAIT
        elif ended and ended + left > old.total:
            unknown_until = now + min(now - old.began_at, MAX_WAIT_FOR_STEADY_TOTAL_SECONDS)
        return JobsSinceIdle(
            ended_before=before,
            began_at=old.began_at,
            completed=completed,
            failed=failed,
            cancelled=cancelled,
            running=statistics.running,
            pending=statistics.pending,
            total_unknown_until=unknown_until,
            idle_since=math.inf if left else max(ended_at, old.began_at),
            estimate=old.estimate.update(ended, 0.0, now),
        )
