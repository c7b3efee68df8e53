"""The records of the model of a job queue, and what is computed from them."""

from __future__ import annotations

from dataclasses import dataclass, field

from fakes.queue_model_parts import ModelJob, ModelMap, ModelRate, ModelRepeat, Submission

from ticketr import CancelCause, JobStatus


@dataclass
class QueueBooks:
    """The state of a queue; a job's number is its index in ``jobs``."""

    workers: int
    max_pending: int
    keep: int
    cancels_on_error: bool = False
    now: float = 0.0
    jobs: list[ModelJob] = field(default_factory=list)
    ended: list[ModelJob] = field(default_factory=list)
    outside: list[Submission] = field(default_factory=list)
    paused: set[str | None] = field(default_factory=set)
    rates: dict[str | None, ModelRate] = field(default_factory=dict)
    limits: dict[str | None, int] = field(default_factory=dict)
    """How many jobs of a key, or of the queue, may run at once, where that was set."""
    repeats: list[ModelRepeat] = field(default_factory=list)
    maps: list[ModelMap] = field(default_factory=list)
    doomed: list[ModelJob] | None = None
    """Those to cancel next, while jobs are cancelled since others have ended."""
    attempts_ended: int = 0
    fatal: ModelJob | None = None
    """The job whose failure has cancelled the others."""
    starts: list[str] = field(default_factory=list)
    leaving: bool = False
    refusing: bool = False
    bounded: bool = False
    cut_off_at: float = float("inf")
    ending: CancelCause | None = None

    def with_status(self, status: JobStatus) -> list[ModelJob]:
        return [job for job in self.jobs if job.status is status]

    @property
    def pending(self) -> list[ModelJob]:
        return self.with_status(JobStatus.PENDING)

    @property
    def running(self) -> list[ModelJob]:
        return self.with_status(JobStatus.RUNNING)

    @property
    def evicted(self) -> int:
        return max(0, len(self.ended) - self.keep)

    def is_kept(self, job: ModelJob) -> bool:
        """Return whether a job has not been forgotten."""
        return job.is_live or job in self.ended[self.evicted :]

    @property
    def is_idle(self) -> bool:
        return not self.pending and not self.running

    def has_namesake(self, job: ModelJob) -> bool:
        """Return whether another job has the same ID."""
        named = [other for other in self.jobs if other.wish.id == job.wish.id]
        return job.wish.id is not None and len(named) > 1

    def obstacle(self, job: ModelJob) -> bool:
        """Return whether a job waits for others with its key: those that run, or better ones."""
        key = job.wish.key
        if key is None:
            return False
        places = self.limits.get(key, 1) - len([it for it in self.running if it.wish.key == key])
        if places <= 0:
            return True
        others = [other for other in self.pending if other.wish.key == key and self.is_due(other)]
        best = sorted(others, key=lambda other: other.rank)[:places]
        return not self.lacks_start_of(key) and job not in best

    def is_due(self, job: ModelJob) -> bool:
        return not job.starts_after and job.due_at <= self.now

    def is_ready(self, job: ModelJob) -> bool:
        """Return whether a pending job could start, but for a worker, a pause or the queue's rate."""
        key = job.wish.key
        is_held = key is not None and (key in self.paused or self.lacks_start_of(key))
        return not is_held and self.is_due(job) and not self.obstacle(job)

    def lacks_start_of(self, key: str) -> bool:
        return key in self.rates and self.rates[key].level(self.now) < 1

    @property
    def has_room(self) -> bool:
        return len([job for job in self.pending if self.is_ready(job)]) < self.max_pending

    def waiting_for(self, job: ModelJob) -> str | None:
        if job.status is not JobStatus.PENDING:
            return None
        if None in self.paused or job.wish.key in self.paused:
            return "paused"
        if job.starts_after:
            return "after"
        if job.due_at > self.now:
            return "time"
        if self.obstacle(job):
            return "key"
        return "rate" if self.lacks_start(job) else "worker"

    def rates_of(self, job: ModelJob) -> list[ModelRate]:
        keys = {None, job.wish.key}
        return [rate for key, rate in self.rates.items() if key in keys]

    def lacks_start(self, job: ModelJob) -> bool:
        return any(rate.level(self.now) < 1 for rate in self.rates_of(job))

    def is_delayed(self, job: ModelJob) -> bool:
        """Return whether a pending job waits for a time, be it after others."""
        return job.due_at > self.now

    def next_time(self) -> float:
        """Return the time of the next event that needs no action."""
        times = [self.cut_off_at]
        for job in self.pending:
            times += [job.due_at, job.wish.start_by]
        times += [job.total_ends_at for job in self.running]
        times += [rate.ready_at(self.now) for rate in self.rates.values()]
        times += [repeat.due for repeat in self.repeats if repeat.is_waiting]
        return min((time for time in times if time > self.now), default=float("inf"))
