"""Model a job queue with lists and loops, and without awaits.

The model is compared after all consequences of an action. So an action changes the records at once,
and ``settle`` then applies all consequences: late jobs expire, interrupted ones end, and free
workers take the best jobs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ticketr import (
    CancelCause,
    CancelOutcome,
    DuplicateJob,
    JobStatus,
    OnConflict,
    QueueClosed,
    QueueFull,
)

AGING = 30.0
"""Seconds of waiting that weigh as much as one point of priority."""
BACK_OFF = 2.0
"""Seconds before the second attempt; they double with each."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The options of a submit."""

    label: int = 0
    priority: int = 0
    key: str | None = None
    id: str | None = None
    on_conflict: OnConflict | None = None
    delay: float = 0.0
    start_by: float = float("inf")
    attempts: int = 1
    stubborn: bool = False
    """Goes on when it is interrupted, until it is told how to end."""


@dataclass(eq=False)
class ModelJob:
    """A job in the queue."""

    wish: Wish
    priority: int
    submitted_at: float
    due_at: float
    after: ModelJob | None = None
    status: JobStatus = JobStatus.PENDING
    attempt: int = 0
    snoozes: int = 0
    cancel_requested: bool = False
    cancel_cause: CancelCause | None = None
    started_at: float | None = None
    finished_at: float | None = None
    done: int | None = None
    """What it reported last in this attempt."""

    @property
    def is_live(self) -> bool:
        return self.status in {JobStatus.PENDING, JobStatus.RUNNING}

    @property
    def rank(self) -> float:
        return self.due_at - AGING * self.priority


@dataclass(eq=False)
class Submission:
    """The result of a submit: a job (another one if it was joined), a refusal, or none yet."""

    wish: Wish
    job: ModelJob | None = None
    refusal: type[Exception] | None = None


@dataclass
class QueueModel:
    """A job queue; a job's number is its index in ``jobs``."""

    workers: int
    max_pending: int
    keep: int
    now: float = 0.0
    jobs: list[ModelJob] = field(default_factory=list)
    ended: list[ModelJob] = field(default_factory=list)
    outside: list[Submission] = field(default_factory=list)
    paused: set[str | None] = field(default_factory=set)
    starts: list[int] = field(default_factory=list)
    leaving: bool = False
    refusing: bool = False
    bounded: bool = False
    cut_off_at: float = float("inf")
    ending: CancelCause | None = None

    # Queries.

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

    @property
    def is_idle(self) -> bool:
        return not self.pending and not self.running

    def has_namesake(self, job: ModelJob) -> bool:
        """Return whether another job has the same ID."""
        named = [other for other in self.jobs if other.wish.id == job.wish.id]
        return job.wish.id is not None and len(named) > 1

    def obstacle(self, job: ModelJob) -> bool:
        """Return whether a job waits for the end of another."""
        other = job.after
        while other is not None:
            if other.is_live:
                return True
            other = other.after
        key = job.wish.key
        return key is not None and any(key == running.wish.key for running in self.running)

    def waiting_for(self, job: ModelJob) -> str | None:
        if job.status is not JobStatus.PENDING:
            return None
        if None in self.paused or job.wish.key in self.paused:
            return "paused"
        if job.due_at > self.now:
            return "time"
        return "key" if self.obstacle(job) else "worker"

    def next_time(self) -> float:
        """Return the time of the next event that needs no action."""
        times = [self.cut_off_at]
        for job in self.pending:
            times += [job.due_at, job.wish.start_by]
        times += [submission.wish.start_by for submission in self.outside]
        return min((time for time in times if time > self.now), default=float("inf"))

    # Actions.

    def submit(self, wish: Wish, *, wait: bool) -> Submission:
        submission = Submission(wish)
        try:
            submission.job = self._enter(wish)
        except QueueFull:
            if wait:
                self.outside.append(submission)
            else:
                submission.refusal = QueueFull
        except (QueueClosed, DuplicateJob) as refusal:
            submission.refusal = type(refusal)
        return submission

    def give_up(self, submission: Submission) -> None:
        self.outside.remove(submission)

    def _enter(self, wish: Wish, *, above: bool = False) -> ModelJob:
        if self.refusing:
            raise QueueClosed
        rivals = self._rivals(wish)
        way = wish.on_conflict or (OnConflict.REJECT if wish.id else OnConflict.WAIT)
        if rivals and way is OnConflict.JOIN:
            return next((job for job in rivals if job.status is JobStatus.RUNNING), rivals[0])
        if rivals and way is OnConflict.REJECT:
            raise DuplicateJob(str(rivals[0].wish.label), None)
        is_late = wish.start_by <= self.now
        victims = rivals if way is OnConflict.SUPERSEDE and not is_late else []
        inherits = any(victim.status is JobStatus.PENDING for victim in victims)
        if len(self.pending) >= self.max_pending and not (inherits or above):
            raise QueueFull(self.max_pending)
        job = ModelJob(wish, wish.priority, self.now, self.now + wish.delay)
        job.after = rivals[-1] if rivals and wish.id else None
        self.jobs.append(job)
        for victim in victims:
            self.cancel(victim, CancelCause.SUPERSEDED)
        return job

    def _rivals(self, wish: Wish) -> list[ModelJob]:
        live = [job for job in self.jobs if job.is_live]
        if wish.id:
            return [job for job in live if job.wish.id == wish.id][-1:]
        if wish.key is None or wish.on_conflict is None:
            return []
        return [job for job in live if job.wish.key == wish.key]

    def _admit(self) -> None:
        while self.outside and len(self.pending) < self.max_pending:
            first = max(self.outside, key=lambda submission: submission.wish.priority)
            self._let_in(first, above=False)

    def _let_in(self, submission: Submission, *, above: bool) -> None:
        self.outside.remove(submission)
        try:
            submission.job = self._enter(submission.wish, above=above)
        except DuplicateJob:
            submission.refusal = DuplicateJob

    def cancel(self, job: ModelJob, cause: CancelCause = CancelCause.USER) -> CancelOutcome:
        if not job.is_live:
            return CancelOutcome.ALREADY_FINISHED
        if job.cancel_requested:
            return CancelOutcome.ALREADY_REQUESTED
        job.cancel_requested, job.cancel_cause = True, cause
        if job.status is JobStatus.RUNNING:
            return CancelOutcome.REQUESTED
        self._finish(job, JobStatus.CANCELLED)
        self._admit()
        return CancelOutcome.CANCELLED

    def set_priority(self, job: ModelJob, priority: int) -> bool:
        if job.is_live:
            job.priority = priority
        return job.is_live

    def run_now(self, job: ModelJob) -> bool:
        if job.status is not JobStatus.PENDING or job.due_at <= self.now:
            return False
        job.due_at = self.now
        return True

    def pause(self, key: str | None) -> None:
        if not self.leaving:
            self.paused.add(key)

    def leave(self) -> None:
        """End the body of the block."""
        self.leaving = True
        self.paused.clear()

    def refuse(self) -> None:
        self.leave()
        self.refusing = True
        for submission in self.outside:
            submission.refusal = QueueClosed
        self.outside.clear()

    def shut_down(self, grace: float | None) -> None:
        self.refuse()
        if grace is None:
            return
        self.bounded = True
        for job in self.pending:
            if job.due_at > self.now:
                self.cancel(job, CancelCause.SHUTDOWN)
        if grace:
            self.cut_off_at = min(self.cut_off_at, self.now + grace)
        else:
            self._cut_off()

    def _cut_off(self) -> None:
        self.cut_off_at = float("inf")
        for job in self.pending + self.running:
            self.cancel(job, CancelCause.SHUTDOWN)

    def abandon(self, cause: CancelCause) -> None:
        """Leave the block by an exception or a cancellation from outside."""
        self.refuse()
        self.ending = cause
        for job in self.pending:
            job.cancel_cause = cause
            self._finish(job, JobStatus.CANCELLED)

    # Ends of jobs.

    def end(self, job: ModelJob, how: str, delay: float = 0.0) -> None:
        """End the function of a running job."""
        told = job.cancel_requested or self.ending is not None
        if how == "value":
            self._finish(job, JobStatus.COMPLETED)
        elif how == "gives in" or (how == "later" and told):
            job.cancel_cause = job.cancel_cause or self.ending
            self._finish(job, JobStatus.CANCELLED)
        elif how == "later":
            job.snoozes += 1
            self._put_back(job, delay)
        elif how == "error" and not told and job.attempt - job.snoozes < job.wish.attempts:
            self._put_back(job, BACK_OFF * 2 ** (job.attempt - job.snoozes - 1))
        else:
            self._finish(job, JobStatus.FAILED)

    def _put_back(self, job: ModelJob, delay: float) -> None:
        job.status, job.due_at = JobStatus.PENDING, self.now + delay
        if self.bounded and delay:
            self.cancel(job, CancelCause.SHUTDOWN)

    def _finish(self, job: ModelJob, status: JobStatus) -> None:
        job.status, job.finished_at = status, self.now
        self.ended.append(job)

    # Consequences.

    def settle(self) -> None:
        """Apply all consequences at this time."""
        if self.now >= self.cut_off_at and self.ending is None:
            self._cut_off()
        for job in self.running:
            if not job.wish.stubborn and (job.cancel_requested or self.ending is not None):
                self.end(job, "gives in")
        self._expire()
        while len(self.running) < self.workers:
            able = [job for job in self.pending if self.waiting_for(job) == "worker"]
            if not able:
                break
            self._start(min(able, key=lambda job: job.rank))
            self._admit()
            self._expire()

    def _start(self, job: ModelJob) -> None:
        job.status, job.started_at, job.done = JobStatus.RUNNING, self.now, None
        job.attempt += 1
        self.starts.append(job.wish.label)

    def _expire(self) -> None:
        while outside := [one for one in self.outside if one.wish.start_by <= self.now]:
            self._let_in(min(outside, key=lambda one: one.wish.start_by), above=True)
            self._admit()
        late = [job for job in self.pending if not job.attempt and job.wish.start_by <= self.now]
        for job in sorted(late, key=lambda job: job.wish.start_by):
            job.cancel_cause = CancelCause.EXPIRED
            self._finish(job, JobStatus.CANCELLED)
            self._admit()
        if late:
            self._expire()
