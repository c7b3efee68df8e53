"""Rules of a state machine: each one does the same action on a queue and on the model.

The model has one order of simultaneous events. So a rule that starts two events which Trio runs in
any order is left out: an interrupted job that ends while submitters wait for its room, and two that
end together while others start after them. A repeat is due between two actions.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import trio
from fakes.queue_driver import BodyError, MapReader, QueueDriver, Reader, Submitter
from fakes.queue_model import QueueModel
from fakes.queue_model_parts import ModelJob, ModelMap, ModelRepeat, Submission, Wish
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ticketr import (
    CancelCause,
    DuplicateJob,
    JobContext,
    JobHandle,
    JobStatus,
    OnConflict,
    QueueClosed,
    QueueFull,
    Rate,
    RepeatHandle,
)

INDEX = st.integers(0, 20)
KEYS = st.sampled_from(["k", None, "k", None, "l"])
SECONDS = st.sampled_from([0.0, 0.0, 1.0, 2.0, 31.0])
PRIORITIES = st.sampled_from([0, 1, -1])
NEVER = float("inf")
RETRIES = st.sampled_from([(1, NEVER), (2, NEVER), (3, NEVER), (2, 9.0), (3, 9.0), (1, 1.0)])
"""Attempts, and the seconds for all of them."""
BODIES = st.sampled_from(["", "", "", "stubborn", "stubborn", "in_thread"])
AFTER = st.sampled_from([(), (), (0,), (1,), (3,), (0, 2), (1, 5)])
"""The jobs that one starts after, by index."""


def make_wish(retry: tuple[int, float], body: str, **options: Any) -> Wish:
    attempts, total = retry
    own: dict[str, Any] = {body: True} if body else {}
    waits = options.get("on_conflict") is OnConflict.WAIT
    if waits and options["id"] is not None and options["key"] is None:
        options["on_conflict"] = None
    if options.get("id") is None:
        options["once"] = False
    return Wish(attempts=attempts, total=total, **own, **options)


SIMPLE_WISHES = st.builds(make_wish, priority=PRIORITIES, key=KEYS, retry=RETRIES, body=BODIES)
TIMED_WISHES = st.builds(
    make_wish,
    priority=PRIORITIES,
    key=KEYS,
    delay=SECONDS,
    start_by=st.sampled_from([NEVER, NEVER, 0.0, 1.0, 5.0]),  # relative to the current time
    retry=RETRIES,
    body=BODIES,
    after_any_end=st.booleans(),
)
WISHES = st.builds(
    make_wish,
    priority=PRIORITIES,
    key=KEYS,
    delay=SECONDS,
    retry=RETRIES,
    body=BODIES,
    id=st.sampled_from([None, "x", "y"]),
    on_conflict=st.sampled_from(OnConflict),
    once=st.booleans(),
    after_any_end=st.booleans(),
)
RATES = st.sampled_from([(1.0, 1.0), (2.0, 2.0), (0.5, 1.0), None])
"""Seconds from start to start, and the starts that may come at once."""


def fraction(label: int) -> float:
    """Return a part of a second, of its own for each job: no two limits pass at one time.

    Nor is a job due when that of another passes, and makes room.
    """
    return label * 648055 % 2**20 / 2**20


def has_jobs(rules: QueueRules) -> bool:
    return bool(rules.handles)


def has_running(rules: QueueRules) -> bool:
    return bool(rules.model.running)


def is_time_to_end(rules: QueueRules) -> bool:
    return rules.labels > rules.lasts_for


class QueueRules(RuleBasedStateMachine):
    """All rules; a subclass adds what must hold after each of them."""

    driver: QueueDriver
    model: QueueModel

    def __init__(self) -> None:
        super().__init__()
        self.submissions: list[tuple[Submission, Submitter]] = []
        self.handles: dict[ModelJob, JobHandle[object]] = {}
        self.readers: list[tuple[Reader, JobHandle[object] | None, list[ModelJob]]] = []
        self.repeats: list[tuple[ModelRepeat, RepeatHandle]] = []
        self.maps: list[tuple[ModelMap, MapReader]] = []
        self.shutdowns: list[trio.Event] = []
        self.labels = 0
        self.checked_starts = 0
        self.checked_ends = 0
        self.left = self.left_normally = self.left_by_error = False

    @initialize(
        workers=st.integers(1, 3),
        max_pending=st.integers(1, 5),
        keep=st.sampled_from([99, 2, 0]),
        lasts_for=st.sampled_from([6, 12, 99]),
        first=st.lists(SIMPLE_WISHES, min_size=1, max_size=6),
        has_around=st.booleans(),
        cancels_on_error=st.sampled_from([False, False, True]),
    )
    def open(
        self,
        workers: int,
        max_pending: int,
        keep: int,
        lasts_for: int,
        first: list[Wish],
        has_around: bool,
        cancels_on_error: bool,
    ) -> None:
        self.lasts_for = lasts_for
        self.cancels_on_error = cancels_on_error
        self.has_around = has_around
        self.driver = QueueDriver(
            workers=workers,
            max_pending=max_pending,
            keep=keep,
            has_around=has_around,
            cancels_on_error=cancels_on_error,
        )
        self.model = QueueModel(workers, max_pending, keep, cancels_on_error)
        for wish in first:
            self.submit(wish, wait=True)
            self.agree()

    def agree(self) -> None:
        """Compare the queue with the model."""
        raise NotImplementedError

    # Objects that a rule picks by index.

    def some_job(self, index: int) -> ModelJob:
        known = [job for job in self.model.jobs if job in self.handles]
        return known[-1 - index % len(known)]

    def some_running(self, index: int) -> ModelJob:
        running = self.model.running
        return running[index % len(running)]

    def has_room_for_interrupts(self) -> bool:
        """Return whether no submitter from outside can enter when interrupted jobs end."""
        soft = [job for job in self.model.running if not job.wish.goes_on]
        return not (soft and self.model.outside)

    def has_order_of_interrupts(self) -> bool:
        """Return whether at most one of the jobs that an interrupt ends lets others start."""
        waits = {before for job in self.model.pending for before in job.starts_after}
        return len([job for job in waits if not job.wish.goes_on]) < 2

    def is_known_by_its_id(self, job: ModelJob) -> bool:
        kept = job.is_live or len(self.model.ended) <= self.model.keep
        return kept and not self.model.has_namesake(job)

    # Submits.

    @rule(wishes=st.lists(SIMPLE_WISHES, min_size=1, max_size=3))
    def submit_simply(self, wishes: list[Wish]) -> None:
        for wish in wishes:
            self.submit(wish, wait=True)

    @precondition(lambda self: not self.is_fragile)
    @rule(wish=SIMPLE_WISHES, is_strict=st.booleans())
    def submit_by_a_map(self, wish: Wish, is_strict: bool) -> None:
        wish = self.labelled(dataclasses.replace(wish, by_map=True))
        submission = self.model.submit(wish, wait=True)
        submitter = self.driver.map(wish, is_strict=is_strict)
        self.submissions.append((submission, submitter))
        self.model.settle()

    # Maps of several items. All of them are of the lowest priority, so a job that is submitted in
    # the instant in which another one ends is never the best. One map at a time submits jobs.

    @property
    def is_feeding(self) -> bool:
        """Whether a map may submit a job."""
        return any(one.is_feeding for one, _ in self.maps)

    @property
    def is_fragile(self) -> bool:
        """Whether a map is open that cancels all its jobs as soon as one gives no value.

        Several jobs may then end at one time, so nothing may wait for room meanwhile.
        """
        return any(one.is_strict and not one.is_over for one, _ in self.maps)

    @precondition(lambda self: not (self.is_feeding or self.cancels_on_error or self.is_fragile))
    @rule(
        wish=SIMPLE_WISHES,
        items=st.sampled_from([12, 12, 5, 2, 1]),
        is_ordered=st.booleans(),
        is_async=st.booleans(),
        is_strict=st.booleans(),
    )
    def map_items(
        self, wish: Wish, items: int, is_ordered: bool, is_async: bool, is_strict: bool
    ) -> None:
        if is_strict and self.model.outside:
            return
        self.labels += 1
        wish = dataclasses.replace(wish, label=f"m{self.labels}", priority=-1, total=NEVER)
        one = self.model.map(wish, items, is_ordered=is_ordered, is_strict=is_strict)
        wishes = [
            dataclasses.replace(wish, label=f"{wish.label}.{number + 1}") for number in range(items)
        ]
        reader = self.driver.map_all(
            wishes, wish.label, is_ordered=is_ordered, is_async=is_async, is_strict=is_strict
        )
        self.maps.append((one, reader))
        self.model.settle()

    @precondition(lambda self: self.maps and self.has_room_for_interrupts())
    @rule()
    def leave_the_last_map(self) -> None:
        one, reader = self.maps[-1]
        self.driver.run.do(reader.scope.cancel)
        if not (one.is_over or one.is_stopped):
            self.model.stop_map(one)
        self.model.settle()

    @rule(wish=TIMED_WISHES, after=AFTER)
    def submit_for_a_time(self, wish: Wish, after: tuple[int, ...]) -> None:
        self.submit(wish, wait=True, after=after)

    @rule(wish=WISHES, wait=st.booleans(), after=AFTER)
    def submit_whatever(self, wish: Wish, wait: bool, after: tuple[int, ...]) -> None:
        if wish.on_conflict is OnConflict.SUPERSEDE:
            wait = False
            if not self.has_room_for_interrupts():
                return
        self.submit(wish, wait=wait, after=after)

    def submit(self, wish: Wish, *, wait: bool, after: tuple[int, ...] = ()) -> None:
        jobs = [self.some_job(index) for index in after if self.handles]
        jobs = [job for job in jobs if not job.wish.map]  # several of a map may end together
        labels = tuple(job.wish.label for job in jobs)
        wish = self.labelled(dataclasses.replace(wish, after=labels))
        wait = wait and not self.is_fragile
        submission = self.model.submit(wish, wait=wait)
        handles = [self.handles[job] for job in jobs]
        submitter = self.driver.submit(wish, handles) if wait else self.submit_nowait(wish, handles)
        self.submissions.append((submission, submitter))
        self.model.settle()

    def labelled(self, wish: Wish) -> Wish:
        """Return a wish with the next label, and with times from now on."""
        self.labels += 1
        return dataclasses.replace(
            wish,
            label=str(self.labels),
            start_by=self.model.now + (wish.start_by and wish.start_by + fraction(self.labels)),
            total=wish.total + fraction(self.labels),
        )

    def submit_nowait(self, wish: Wish, after: list[JobHandle[object]]) -> Submitter:
        submitter = Submitter()
        try:
            submitter.handle = self.driver.submit_nowait(wish, after)
        except (DuplicateJob, QueueClosed, QueueFull) as refusal:
            submitter.refusal = type(refusal)
        return submitter

    def submitters(self) -> list[Submission]:
        """Return what waits for room, without the maps of several items."""
        return [submission for submission in self.model.outside if not submission.wish.map]

    @precondition(lambda self: self.submitters())
    @rule(index=INDEX)
    def a_submitter_gives_up(self, index: int) -> None:
        submission = self.submitters()[index % len(self.submitters())]
        submitter = dict(self.submissions)[submission]
        self.driver.run.do(submitter.scope.cancel)
        self.model.give_up(submission)
        self.submissions.remove((submission, submitter))
        assert submitter.scope.cancelled_caught

    # Time.

    @rule(seconds=st.sampled_from([1.0, 2.0, 29.0, 32.0]))
    def time_passes(self, seconds: float) -> None:
        end = self.model.now + seconds
        while self.model.now < end:
            self.model.now = min(end, self.model.next_time())
            self.driver.run.set_time(self.model.now)
            self.model.settle()
            self.find_handles()

    # Actions of jobs.

    @precondition(has_running)
    @rule(index=INDEX)
    def a_job_gives_a_value(self, index: int) -> None:
        self.a_job_ends(index, "value", 0.0)

    @precondition(has_running)
    @rule(index=INDEX)
    def a_job_fails(self, index: int) -> None:
        self.a_job_ends(index, "error", 0.0)

    @precondition(has_running)
    @rule(index=INDEX, delay=st.sampled_from([0.0, 3.0]))
    def a_job_asks_for_another_time(self, index: int, delay: float) -> None:
        self.a_job_ends(index, "later", delay)

    def behind_others(self) -> list[ModelJob]:
        """Return the running jobs of a map that are not the next to be read."""
        nexts = [one.unread[0].job for one, _ in self.maps if one.unread]
        return [job for job in self.model.running if job.wish.map and job not in nexts]

    @precondition(lambda self: bool(self.behind_others()))
    @rule()
    def a_job_of_a_map_ends_before_another(self) -> None:
        self.end_job(self.behind_others()[0], "value", 0.0)

    def a_job_ends(self, index: int, how: str, delay: float) -> None:
        self.end_job(self.some_running(index), how, delay)

    def end_job(self, job: ModelJob, how: str, delay: float) -> None:
        self.driver.end(job.wish.label, how, delay)
        self.model.end(job, how, delay)
        self.model.settle()

    def asked(self) -> list[ModelJob]:
        running = self.model.running
        return [job for job in running if job.cancel_requested or job.timed_out]

    @precondition(lambda self: bool(self.asked()))
    @rule(index=INDEX)
    def a_stubborn_job_gives_in(self, index: int) -> None:
        asked = self.asked()
        job = asked[index % len(asked)]
        self.driver.end(job.wish.label, "gives in", 0)
        self.model.end(job, "gives in")
        self.model.settle()

    @precondition(has_running)
    @rule(index=INDEX)
    def a_job_reports(self, index: int) -> None:
        job = self.some_running(index)
        if job.wish.in_thread:
            return
        job.done = (job.done or 0) + 1
        current = job.done

        def report(context: JobContext) -> None:
            assert context.attempt == job.attempt
            assert context.cancel_requested is job.cancel_requested
            context.report(current=current, total=100)

        self.driver.tell(job.wish.label, report)

    # Retries by hand. One is told from the job that failed by the time of its submit.

    def can_be_retried(self, job: ModelJob) -> bool:
        model = self.model
        return (
            job.status is JobStatus.FAILED
            and job in self.handles
            and model.is_kept(job)
            and job is model.last_with_id_of(job)
            and self.handles[job].id not in [submission.wish.id for submission in model.outside]
            and (model.has_room or not self.is_fragile)
        )

    def failed_jobs(self) -> list[ModelJob]:
        return [job for job in self.model.jobs if self.can_be_retried(job)]

    @precondition(lambda self: self.failed_jobs())
    @rule(index=INDEX)
    def retry(self, index: int) -> None:
        jobs = self.failed_jobs()
        self.retry_later(jobs[index % len(jobs)])

    @precondition(has_running)
    @rule(index=INDEX)
    def a_job_fails_and_is_retried(self, index: int) -> None:
        job = self.some_running(index)
        self.a_job_ends(index, "error", 0.0)
        self.find_handles()
        self.retry_later(job)

    def retry_later(self, job: ModelJob) -> None:
        self.time_passes(1.0)
        if self.can_be_retried(job):
            handle = self.handles[job]
            self.labels += 1
            submission = self.model.retry(job, str(self.labels), handle.id)
            self.submissions.append((submission, self.driver.retry(handle, str(self.labels))))
            self.model.settle()

    @precondition(has_jobs)
    @rule(index=INDEX)
    def retry_what_has_not_failed(self, index: int) -> None:
        job = self.some_job(index)
        if job.status is JobStatus.FAILED or not self.is_known_by_its_id(job):
            return
        refusal = self.driver.retry(self.handles[job], "refused").refusal
        assert refusal is (DuplicateJob if job.is_live else ValueError)
        self.driver.retried[self.handles[job].id].pop()

    # Actions on jobs.

    @precondition(has_jobs)
    @rule(index=INDEX)
    def cancel(self, index: int) -> None:
        job = self.some_job(index)
        assert self.driver.run.do(self.handles[job].cancel) is self.model.cancel(job)
        self.model.settle()

    def next_of_keys(self) -> list[ModelJob]:
        """Return jobs with a free key while no worker is free."""
        pending = [job for job in self.model.pending if job.wish.key is not None]
        return [job for job in pending if self.model.waiting_for(job) == "worker"]

    @precondition(lambda self: bool(self.next_of_keys()))
    @rule()
    def cancel_the_next_of_a_key(self) -> None:
        job = min(self.next_of_keys(), key=lambda job: job.rank)
        assert self.driver.run.do(self.handles[job].cancel) is self.model.cancel(job)
        self.model.settle()

    @rule(key=st.sampled_from(["k", "l", "k", "l", None]))
    def cancel_all(self, key: str | None) -> None:
        if not (self.has_room_for_interrupts() and self.has_order_of_interrupts()):
            return
        done = self.model.cancel_all(key)
        expected = {self.handles[job].id: outcome for job, outcome in done.items()}
        assert self.driver.run.do(lambda: self.driver.queue.cancel_all(key=key)) == expected
        self.model.settle()

    @precondition(has_jobs)
    @rule(index=INDEX, priority=PRIORITIES)
    def set_priority(self, index: int, priority: int) -> None:
        job = self.some_job(index)
        if not self.is_known_by_its_id(job):
            return
        job_id = self.handles[job].id
        changed = self.driver.run.do(lambda: self.driver.queue.set_priority(job_id, priority))
        assert changed is self.model.set_priority(job, priority)
        self.model.settle()

    @precondition(has_jobs)
    @rule(index=INDEX)
    def run_now(self, index: int) -> None:
        job = self.some_job(index)
        if not self.is_known_by_its_id(job):
            return
        job_id = self.handles[job].id
        changed = self.driver.run.do(lambda: self.driver.queue.run_now(job_id))
        assert changed is self.model.run_now(job)
        self.model.settle()

    @rule(key=KEYS)
    def pause(self, key: str | None) -> None:
        self.driver.run.do(lambda: self.driver.queue.pause(key))
        self.model.pause(key)
        self.model.settle()

    @precondition(lambda self: self.model.paused)
    @rule(index=INDEX)
    def resume(self, index: int) -> None:
        paused = sorted(self.model.paused, key=str)
        key = paused[index % len(paused)]
        self.driver.run.do(lambda: self.driver.queue.resume(key))
        self.model.paused.discard(key)
        self.model.settle()

    @rule(key=st.sampled_from([None, "k", "l"]), rate=RATES)
    def set_rate(self, key: str | None, rate: tuple[float, float] | None) -> None:
        if rate is None:
            self.driver.set_rate(key, None)
            self.model.lift_rate(key)
        else:
            interval, burst = rate
            self.driver.set_rate(key, Rate(1, per=interval, burst=burst))
            self.model.set_rate(key, interval, burst)
        self.model.settle()

    @rule(key=st.sampled_from([None, "k", "l"]), limit=st.sampled_from([None, 1, 2, 3]))
    def set_concurrency(self, key: str | None, limit: int | None) -> None:
        self.driver.set_concurrency(key, limit)
        self.model.set_concurrency(key, limit)
        self.model.settle()

    # Repeats. They are due between two actions, never in the instant in which a run ends.

    @precondition(lambda self: len(self.repeats) < 2)
    @rule(wish=SIMPLE_WISHES, every=st.sampled_from([1, 3, 7]), first=st.sampled_from([0, 4]))
    def repeat(self, wish: Wish, every: int, first: int) -> None:
        self.labels += 1
        wish = dataclasses.replace(wish, label=f"r{self.labels}", total=NEVER)
        repeat = self.model.repeat(wish, every, first + 0.25)
        try:
            handle = self.driver.repeat(wish, every, first + 0.25)
        except QueueClosed:
            assert repeat is None
        else:
            assert repeat is not None
            self.repeats.append((repeat, handle))

    @precondition(lambda self: self.repeats)
    @rule(index=INDEX, do=st.sampled_from(["pause or resume", "pause or resume", "run", "cancel"]))
    def steer_a_repeat(self, index: int, do: str) -> None:
        repeat, handle = self.repeats[index % len(self.repeats)]
        if do == "cancel":
            assert self.driver.run.do(handle.cancel) is self.model.end_repeat(repeat)
        elif do == "run":
            assert self.driver.run.do(handle.run_now) is self.model.run_repeat_now(repeat)
        else:
            is_paused = not repeat.is_paused
            self.driver.run.do(handle.pause if is_paused else handle.resume)
            self.model.pause_repeat(repeat, is_paused=is_paused)
        self.model.settle()
        self.find_handles()

    def find_handles(self) -> None:
        """Get handles of the jobs that repeats and maps have submitted.

        There is none of a job of a map that the queue has forgotten before anybody could ask for
        it: a strict map that fails cancels a job in the instant in which it has entered.
        """
        for one, _ in self.maps:
            entered = [submission.job for submission in one.jobs if submission.job is not None]
            new = [job for job in entered if self.model.is_kept(job) and job not in self.handles]
            if new:
                self.driver.note_labels(one.wish.label, [job.wish.label for job in new])
                for job in new:
                    self.handles[job] = self.driver.handle_of(job.wish.label)
        for repeat, _ in self.repeats:
            if repeat.run is not None and repeat.run not in self.handles:
                self.handles[repeat.run] = self.driver.handle_of(repeat.run.wish.label)
        for submission, submitter in self.submissions:
            if submission.wish.by_map and submission.job is not None and submitter.handle is None:
                submitter.handle = self.driver.handle_of(submission.wish.label)

    # Readers.

    @rule()
    def subscribe(self) -> None:
        reader = self.driver.add_reader(None)
        self.readers.append((reader, None, list(self.model.ended)))

    @precondition(has_jobs)
    @rule(index=INDEX)
    def subscribe_to_one(self, index: int) -> None:
        handle = self.handles[self.some_job(index)]
        self.readers.append((self.driver.add_reader(handle), handle, []))

    @precondition(lambda self: self.readers)
    @rule(index=INDEX, stall=st.booleans())
    def stall_or_read(self, index: int, stall: bool) -> None:
        reader, *_ = self.readers[index % len(self.readers)]
        self.driver.run.do(reader.stall if stall else reader.go_on.set)

    # The end.

    @precondition(is_time_to_end)
    @rule(grace=st.sampled_from([10.0, 3.0, None, 0.0]))
    def shut_down(self, grace: float | None) -> None:
        if self.is_fragile and grace is not None:
            return  # whichever of its jobs is cancelled first cancels the others, for its own cause
        self.shutdowns.append(self.driver.shut_down(grace))
        self.model.shut_down(grace)
        self.model.settle()

    @property
    def has_left(self) -> bool:
        return self.left or self.model.ending is not None

    @precondition(lambda self: not self.has_left and is_time_to_end(self))
    @rule(how=st.sampled_from(["normally", "by an error", "cancelled"]))
    def leave(self, how: str) -> None:
        if self.is_fragile and how != "normally":
            return  # the map is closed in the instant in which its jobs are cancelled
        self.left = True
        if how == "normally":
            self.driver.leave(None)
            self.model.leave()
            self.left_normally = True
        elif how == "by an error":
            self.left_by_error = True
            self.driver.leave(raise_body_error)
            self.model.abandon(CancelCause.SHUTDOWN)
        else:
            self.driver.leave(self.driver.outer.cancel)
            self.model.abandon(CancelCause.SCOPE)
        self.model.settle()


def raise_body_error() -> None:
    raise BodyError
