"""Model a job queue with lists and loops, and without awaits.

The model is compared after all consequences of an action. So an action changes the records at once,
and ``settle`` then applies all consequences: late jobs expire, interrupted ones end, and free
workers take the best jobs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fakes.queue_model_parts import (
    BACK_OFF,
    ModelJob,
    ModelMap,
    ModelRate,
    ModelRepeat,
    Submission,
    Wish,
)

from ticketr import (
    CancelCause,
    CancelOutcome,
    DuplicateJob,
    JobStatus,
    OnConflict,
    QueueClosed,
    QueueFull,
)


@dataclass
class QueueModel:
    """A job queue; a job's number is its index in ``jobs``."""

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

    def last_with_id_of(self, job: ModelJob) -> ModelJob:
        """Return the last job with the ID of a job."""
        named = [other for other in self.jobs if other.wish.id == job.wish.id]
        return job if job.wish.id is None else named[-1]

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

    def retry(self, job: ModelJob, label: str, job_id: str) -> Submission:
        """Submit a failed job again; the failed one keeps its end, and has the same ID."""
        job.wish = replace(job.wish, id=job_id)
        no_times = replace(job.wish, delay=0.0, start_by=float("inf"), after=())
        wish = replace(
            no_times,
            label=label,
            priority=job.priority,
            on_conflict=OnConflict.REJECT,
            once=True,
            by_map=False,
            map="",
            retried=job,
        )
        return self.submit(wish, wait=True)

    def give_up(self, submission: Submission) -> None:
        self.outside.remove(submission)

    def _enter(self, wish: Wish, *, above: bool = False) -> ModelJob:
        if self.refusing:
            raise QueueClosed
        rivals = self._rivals(wish)
        way = wish.on_conflict or OnConflict.WAIT
        if wish.id and way is OnConflict.WAIT:
            joins = wish.once and wish.on_conflict is None
            way = OnConflict.JOIN if joins else OnConflict.REJECT
        if wish.once and not rivals and (completed := self._completed(wish.id)) is not None:
            return completed
        if rivals and way is OnConflict.JOIN:
            return next((job for job in rivals if job.status is JobStatus.RUNNING), rivals[0])
        if rivals and way is OnConflict.REJECT:
            raise DuplicateJob(rivals[0].wish.label, None)
        before = [job for job in self.jobs if job.wish.label in wish.after]
        is_doomed = not wish.after_any_end and any(
            job.status in {JobStatus.FAILED, JobStatus.CANCELLED} for job in before
        )
        victims = rivals if way is OnConflict.SUPERSEDE else []
        inherits = any(
            victim.status is JobStatus.PENDING and self.is_ready(victim) for victim in victims
        )
        is_full = not (self.has_room or inherits or above)
        job = ModelJob(wish, wish.priority, self.now, self.now + wish.delay)
        if wish.retried is not None:
            job.attempt = job.snoozes = wish.retried.attempt
            job.started_at = wish.retried.started_at
        if victims and wish.id:
            same_id = [other for other in self.running if other.wish.id == wish.id]
            job.superseded = [other for other in same_id if other not in before]
        job.starts_after = [other for other in before if other.is_live] + job.superseded
        ready = [other for other in self.pending if self.is_ready(other)]
        self.jobs.append(job)
        if is_full and len(ready) < len([one for one in self.pending if self.is_ready(one)]):
            self.jobs.remove(job)
            raise QueueFull(self.max_pending)
        for victim in victims:
            self.cancel(victim, CancelCause.SUPERSEDED)
        if is_doomed:
            self._end_pending(job, CancelCause.DEPENDENCY)
        return job

    def _rivals(self, wish: Wish) -> list[ModelJob]:
        live = [job for job in self.jobs if job.is_live]
        if wish.id:
            return [job for job in live if job.wish.id == wish.id][-1:]
        if wish.key is None or wish.on_conflict is None:
            return []
        return [job for job in live if job.wish.key == wish.key]

    def _completed(self, job_id: str | None) -> ModelJob | None:
        """Return the last job with an ID if it has completed and is known."""
        known = [job for job in self.ended[self.evicted :] if job.wish.id == job_id]
        return known[-1] if known and known[-1].status is JobStatus.COMPLETED else None

    def _admit(self) -> None:
        while self.outside and self.has_room:
            first = max(self.outside, key=lambda submission: submission.wish.priority)
            self._let_in(first)

    def _let_in(self, submission: Submission) -> None:
        self.outside.remove(submission)
        try:
            submission.job = self._enter(submission.wish)
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
        return CancelOutcome.CANCELLED

    def cancel_all(self, key: str | None) -> dict[ModelJob, CancelOutcome]:
        jobs = [job for job in self.jobs if key in {None, job.wish.key} and job.is_live]
        return self._cancel_each(jobs, CancelCause.USER)

    def _cancel_each(
        self, jobs: list[ModelJob], cause: CancelCause
    ) -> dict[ModelJob, CancelOutcome]:
        """Cancel jobs; those that start after others go first, or these would cancel them."""
        last = [job for job in reversed(jobs) if job.starts_after]
        others = [job for job in jobs if not job.starts_after]
        return {job: self.cancel(job, cause) for job in [*last, *others]}

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
            self._admit()

    def leave(self) -> None:
        """End the body of the block."""
        self.leaving = True
        self.paused.clear()
        for repeat in self.repeats:
            repeat.has_ended = True

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
        limited = [job for job in self.pending if self.is_due(job) and self.lacks_start(job)]
        self.bounded = True
        self._cancel_delayed()
        self._cancel_each(limited, CancelCause.SHUTDOWN)
        if not grace:
            self._cut_off()
        elif self.ending is None:  # else the queue's own tasks are being cancelled, its clock too
            self.cut_off_at = min(self.cut_off_at, self.now + grace)

    def _cancel_delayed(self) -> bool:
        """Cancel what waits for a time in a bounded shutdown; return whether any did."""
        delayed = [job for job in self.pending if self.bounded and self.is_delayed(job)]
        self._cancel_each(delayed, CancelCause.SHUTDOWN)
        return bool(delayed)

    def _cut_off(self) -> None:
        self.cut_off_at = float("inf")
        self._cancel_each(self.pending + self.running, CancelCause.SHUTDOWN)

    def abandon(self, cause: CancelCause) -> None:
        """Leave the block by an exception or a cancellation from outside."""
        self.refuse()
        self.cut_off_at = float("inf")
        self.ending = self.ending or cause
        for job in reversed(self.pending):
            self._end_pending(job, self.ending)

    def set_rate(self, key: str | None, interval: float, burst: float) -> None:
        """Give a key, or the queue, another rate, which keeps count of the starts so far."""
        old = self.rates.get(key)
        held = burst if old is None else min(burst, old.level(self.now))
        self.rates[key] = ModelRate(interval, burst, held, self.now)

    def set_concurrency(self, key: str | None, limit: int | None) -> None:
        self.limits.pop(key, None)
        if limit is not None:
            self.limits[key] = limit if key is not None else min(limit, self.workers)
        self._admit()

    def lift_rate(self, key: str | None) -> None:
        self.rates.pop(key, None)

    # Repeats.

    def repeat(self, wish: Wish, every: float, first: float) -> ModelRepeat | None:
        """Begin a repeat, unless the queue has begun to end."""
        if self.leaving:
            return None
        self.repeats.append(ModelRepeat(wish, every, self.now + first))
        return self.repeats[-1]

    def run_repeat_now(self, repeat: ModelRepeat) -> bool:
        if repeat.has_ended or repeat.has_run:
            return False
        self._submit_run(repeat)
        return True

    def pause_repeat(self, repeat: ModelRepeat, *, is_paused: bool) -> None:
        if repeat.is_paused and not is_paused:
            repeat.is_paused = False
            repeat.go_on(self.now, is_counted=False)
        repeat.is_paused = is_paused

    def end_repeat(self, repeat: ModelRepeat) -> bool:
        had_ended, repeat.has_ended = repeat.has_ended, True
        return not had_ended

    def _submit_run(self, repeat: ModelRepeat) -> None:
        repeat.runs += 1
        label = f"{repeat.wish.label}#{repeat.runs}"
        repeat.run = self._enter(replace(repeat.wish, label=label), above=True)

    def _submit_due_runs(self) -> None:
        due = [repeat for repeat in self.repeats if repeat.is_waiting and repeat.due <= self.now]
        for repeat in sorted(due, key=lambda repeat: repeat.due):
            repeat.due_is_used = True
            self._submit_run(repeat)

    # Maps.

    def map(self, wish: Wish, items: int, *, is_ordered: bool, is_strict: bool) -> ModelMap:
        window = self.workers + self.max_pending
        self.maps.append(ModelMap(wish, items, window, is_ordered, is_strict))
        return self.maps[-1]

    def _stop_map_of(self, job: ModelJob) -> None:
        """Stop the map of a job that has ended without a value, unless the map gives outcomes."""
        for one in self.maps:
            if one.is_strict and not one.is_stopped and one.wish.label == job.wish.map:
                self.stop_map(one)

    def _feed_maps(self) -> bool:
        """Submit the job of an item, if one has room; return whether anything happened."""
        return any(self._feed(one) for one in self.maps)

    def _feed(self, one: ModelMap) -> bool:
        one.read_all()
        if one.is_stopped or one.outside in self.outside:
            return False
        if one.outside is not None and one.outside.refusal is not None:
            one.refuse()
            return True
        one.outside = None
        if not one.left or len(one.unread) >= one.window:
            return False
        submission = self.submit(one.next_wish(), wait=True)
        one.jobs.append(submission)
        one.unread.append(submission)
        one.outside = submission if submission.job is None else None
        return True

    def stop_map(self, one: ModelMap) -> None:
        """Leave the block of a map, or let it fail."""
        one.is_stopped, one.left = True, 0
        if one.outside in self.outside:
            self.outside.remove(one.outside)
        one.outside = None
        for submission in one.jobs:
            if submission.job is not None:
                self.cancel(submission.job, CancelCause.SCOPE)

    # Ends of jobs.

    def end(self, job: ModelJob, how: str, delay: float = 0.0) -> None:
        """End the function of a running job."""
        told = job.cancel_requested or self.ending is not None
        self.attempts_ended += 1
        if how == "value":
            self._finish(job, JobStatus.COMPLETED)
        elif told and how in {"gives in", "later"}:
            job.cancel_cause = job.cancel_cause or self.ending
            self._finish(job, JobStatus.CANCELLED)
        elif how == "gives in":
            job.cancel_cause = CancelCause.TIMEOUT
            self._finish(job, JobStatus.FAILED)
        elif how == "later" and self.now + delay < job.total_ends_at:
            job.snoozes += 1
            self._put_back(job, delay)
        elif how == "error" and not told and self._may_try_again(job):
            self._put_back(job, self._back_off(job))
        else:
            if job.cancel_cause is None and self.now >= job.total_ends_at:
                job.cancel_cause = CancelCause.TIMEOUT
            self._finish(job, JobStatus.FAILED)

    def _back_off(self, job: ModelJob) -> float:
        return BACK_OFF * 2.0 ** (job.attempt - job.snoozes - 1)

    def _may_try_again(self, job: ModelJob) -> bool:
        has_time = self.now + self._back_off(job) < job.total_ends_at
        return has_time and job.attempt - job.snoozes < job.wish.attempts

    def _put_back(self, job: ModelJob, delay: float) -> None:
        job.status, job.due_at = JobStatus.PENDING, self.now + delay
        if self.bounded and delay:
            self.cancel(job, CancelCause.SHUTDOWN)

    def _end_pending(self, job: ModelJob, cause: CancelCause) -> None:
        """Cancel a job that nobody has asked to cancel, unless it has ended by now."""
        if job.status is JobStatus.PENDING:
            job.cancel_cause = cause
            self._finish(job, JobStatus.CANCELLED)

    def _finish(self, job: ModelJob, status: JobStatus) -> None:
        was_pending = job.status is JobStatus.PENDING
        job.status, job.finished_at = status, self.now
        self.ended.append(job)
        if status is not JobStatus.COMPLETED:
            self._stop_map_of(job)
        self._decide_those_after(job)
        if was_pending:
            self._admit()
        for repeat in self.repeats:
            if repeat.run is job:
                repeat.go_on(self.now)
        if status is JobStatus.FAILED and self.cancels_on_error:
            self.cancels_on_error, self.fatal = False, job
            self.abandon(CancelCause.SHUTDOWN)

    def _decide_those_after(self, job: ModelJob) -> None:
        """Release the jobs that start after one that has ended, or cancel them, and so on."""
        doomed: list[ModelJob] = []
        for other in self.pending:
            if job in other.starts_after:
                any_end = other.wish.after_any_end or job in other.superseded
                if job.status is JobStatus.COMPLETED or any_end:
                    other.starts_after.remove(job)
                else:
                    doomed.append(other)
        if self.doomed is not None:
            self.doomed += doomed
            return
        self.doomed = doomed
        while self.doomed:
            self._end_pending(self.doomed.pop(0), CancelCause.DEPENDENCY)
        self.doomed = None

    # Consequences.

    def settle(self) -> None:
        """Apply all consequences at this time."""
        if self.now >= self.cut_off_at:
            self._cut_off()
        for job in self.running:
            job.timed_out = self.now >= job.total_ends_at
        self._end_interrupted()
        self._expire()
        self._submit_due_runs()
        while self._start_all() or self._cancel_delayed() or self._feed_maps():
            self._end_interrupted()
            self._expire()

    def _start_all(self) -> bool:
        """Start the best jobs on all free workers; return whether there are any."""
        has_started = False
        while self._start_next():
            has_started = True
            self._expire()
        return has_started

    def _start_next(self) -> bool:
        """Start the best job on a free worker; return whether there is one."""
        able = [job for job in self.pending if self.waiting_for(job) == "worker"]
        if not able or len(self.running) >= self.limits.get(None, self.workers):
            return False
        self._start(min(able, key=lambda job: job.rank))
        self._cancel_delayed()
        return True

    def is_interrupted(self, job: ModelJob) -> bool:
        return job.cancel_requested or job.timed_out or self.ending is not None

    def _end_interrupted(self) -> None:
        while True:
            soft = [job for job in self.running if job.is_late or not job.wish.goes_on]
            job = next((job for job in soft if self.is_interrupted(job)), None)
            if job is None:
                return
            self.end(job, "gives in")

    def _start(self, job: ModelJob) -> None:
        job.status, job.started_at, job.done = JobStatus.RUNNING, self.now, None
        job.attempt += 1
        for rate in self.rates_of(job):
            rate.take(self.now)
        if job.total_ends_at == float("inf"):
            job.total_ends_at = self.now + job.wish.total
        self._admit()
        job.timed_out = job.is_late = self.now >= job.total_ends_at
        if not job.is_late:
            self.starts.append(job.wish.label)

    def _expire(self) -> None:
        late = [job for job in self.pending if not job.attempt and job.wish.start_by <= self.now]
        for job in sorted(late, key=lambda job: job.wish.start_by):
            self._end_pending(job, CancelCause.EXPIRED)
        if late:
            self._expire()
