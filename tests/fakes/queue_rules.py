"""Rules of a state machine: each one does the same action on a queue and on the model.

The model has one order of simultaneous events. So a rule that starts two events which Trio runs in
any order is left out: an interrupted job that ends while submitters wait for its room.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from fakes.queue_driver import BodyError, QueueDriver, Reader, Submitter
from fakes.queue_model import QueueModel, Submission, Wish
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ticketr import (
    CancelCause,
    DuplicateJob,
    JobContext,
    JobHandle,
    OnConflict,
    QueueClosed,
    QueueFull,
)

if TYPE_CHECKING:
    import trio
    from fakes.queue_model import ModelJob

INDEX = st.integers(0, 20)
KEYS = st.sampled_from(["k", None, "k", None, "l"])
SECONDS = st.sampled_from([0.0, 0.0, 1.0, 2.0, 31.0])
PRIORITIES = st.sampled_from([0, 1, -1])
NEVER = float("inf")
SIMPLE_WISHES = st.builds(
    Wish, priority=PRIORITIES, key=KEYS, attempts=st.integers(1, 3), stubborn=st.booleans()
)
TIMED_WISHES = st.builds(
    Wish,
    priority=PRIORITIES,
    key=KEYS,
    delay=SECONDS,
    start_by=st.sampled_from([NEVER, NEVER, 0.0, 1.0, 5.0]),  # relative to the current time
    attempts=st.integers(1, 3),
)
WISHES = st.builds(
    Wish,
    priority=PRIORITIES,
    key=KEYS,
    delay=SECONDS,
    attempts=st.integers(1, 3),
    stubborn=st.booleans(),
    id=st.sampled_from([None, "x", "y"]),
    on_conflict=st.sampled_from(OnConflict),
)


class QueueRules(RuleBasedStateMachine):
    """The rules; a subclass adds what must hold after each of them."""

    driver: QueueDriver
    model: QueueModel

    def __init__(self) -> None:
        super().__init__()
        self.submissions: list[tuple[Submission, Submitter]] = []
        self.handles: dict[ModelJob, JobHandle[object]] = {}
        self.readers: list[tuple[Reader, JobHandle[object] | None, list[ModelJob]]] = []
        self.shutdowns: list[trio.Event] = []
        self.labels = 0
        self.checked_starts = 0
        self.one_ended = False
        self.left = self.left_normally = self.left_by_error = False

    @initialize(
        workers=st.integers(1, 3),
        max_pending=st.integers(1, 5),
        keep=st.sampled_from([99, 2, 0]),
        lasts_for=st.sampled_from([6, 12, 99]),
        first=st.lists(SIMPLE_WISHES, min_size=1, max_size=6),
        has_around=st.booleans(),
    )
    def open(
        self,
        workers: int,
        max_pending: int,
        keep: int,
        lasts_for: int,
        first: list[Wish],
        has_around: bool,
    ) -> None:
        self.lasts_for = lasts_for
        self.has_around = has_around
        self.driver = QueueDriver(
            workers=workers, max_pending=max_pending, keep=keep, has_around=has_around
        )
        self.model = QueueModel(workers, max_pending, keep)
        for wish in first:
            self.submit(wish, wait=True)
            self.agree()

    def agree(self) -> None:
        """Compare the queue with the model."""
        raise NotImplementedError

    # Objects that a rule picks by index.

    def some_job(self, index: int) -> ModelJob:
        return self.model.jobs[-1 - index % len(self.model.jobs)]

    def some_running(self, index: int) -> ModelJob:
        running = self.model.running
        return running[index % len(running)]

    def has_jobs(self) -> bool:
        return bool(self.model.jobs)

    def has_running(self) -> bool:
        return bool(self.model.running)

    def has_room_for_interrupts(self) -> bool:
        """Return whether no submitter from outside can enter when interrupted jobs end."""
        soft = [job for job in self.model.running if not job.wish.stubborn]
        return not (soft and self.model.outside)

    def is_known_by_its_id(self, job: ModelJob) -> bool:
        kept = job.is_live or len(self.model.ended) <= self.model.keep
        return kept and not self.model.has_namesake(job)

    # Submits.

    @rule(wishes=st.lists(SIMPLE_WISHES, min_size=1, max_size=3))
    def submit_simply(self, wishes: list[Wish]) -> None:
        for wish in wishes:
            self.submit(wish, wait=True)

    @rule(wish=TIMED_WISHES)
    def submit_for_a_time(self, wish: Wish) -> None:
        self.submit(wish, wait=True)

    @rule(wish=WISHES, wait=st.booleans())
    def submit_whatever(self, wish: Wish, wait: bool) -> None:
        if wish.on_conflict is OnConflict.SUPERSEDE:
            wait = False
            if not self.has_room_for_interrupts():
                return
        self.submit(wish, wait=wait)

    def submit(self, wish: Wish, *, wait: bool) -> None:
        self.labels += 1
        start_by = self.model.now + wish.start_by
        wish = dataclasses.replace(wish, label=self.labels, start_by=start_by)
        submission = self.model.submit(wish, wait=wait)
        submitter = self.driver.submit(wish) if wait else self.submit_nowait(wish)
        self.submissions.append((submission, submitter))
        self.model.settle()

    def submit_nowait(self, wish: Wish) -> Submitter:
        submitter = Submitter()
        try:
            submitter.handle = self.driver.submit_nowait(wish)
        except (DuplicateJob, QueueClosed, QueueFull) as refusal:
            submitter.refusal = type(refusal)
        return submitter

    @precondition(lambda self: self.model.outside)
    @rule(index=INDEX)
    def a_submitter_gives_up(self, index: int) -> None:
        submission = self.model.outside[index % len(self.model.outside)]
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

    def a_job_ends(self, index: int, how: str, delay: float) -> None:
        job = self.some_running(index)
        self.driver.end(job.wish.label, how, delay)
        self.model.end(job, how, delay)
        self.one_ended = True
        self.model.settle()

    @precondition(lambda self: any(job.cancel_requested for job in self.model.running))
    @rule(index=INDEX)
    def a_stubborn_job_gives_in(self, index: int) -> None:
        asked = [job for job in self.model.running if job.cancel_requested]
        job = asked[index % len(asked)]
        self.driver.end(job.wish.label, "gives in", 0)
        self.model.end(job, "gives in")
        self.one_ended = True
        self.model.settle()

    @precondition(has_running)
    @rule(index=INDEX)
    def a_job_reports(self, index: int) -> None:
        job = self.some_running(index)
        job.done = (job.done or 0) + 1
        current = job.done

        def report(context: JobContext) -> None:
            assert context.attempt == job.attempt
            assert context.cancel_requested is job.cancel_requested
            context.report(current=current, total=100)

        self.driver.tell(job.wish.label, report)

    # Actions on jobs.

    @precondition(has_jobs)
    @rule(index=INDEX)
    def cancel(self, index: int) -> None:
        job = self.some_job(index)
        self.one_ended = True
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
        if not self.has_room_for_interrupts():
            return
        self.one_ended = True
        jobs = [job for job in self.model.jobs if key in {None, job.wish.key} and job.is_live]
        expected = {self.handles[job].id: self.model.cancel(job) for job in jobs}
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

    @precondition(lambda self: self.model.paused)
    @rule(index=INDEX)
    def resume(self, index: int) -> None:
        paused = sorted(self.model.paused, key=str)
        key = paused[index % len(paused)]
        self.driver.run.do(lambda: self.driver.queue.resume(key))
        self.model.paused.discard(key)
        self.model.settle()

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

    def is_time_to_end(self) -> bool:
        return self.labels > self.lasts_for

    @precondition(is_time_to_end)
    @rule(grace=st.sampled_from([10.0, 3.0, None, 0.0]))
    def shut_down(self, grace: float | None) -> None:
        self.one_ended = True
        self.shutdowns.append(self.driver.shut_down(grace))
        self.model.shut_down(grace)
        self.model.settle()

    @precondition(lambda self: not self.left and self.is_time_to_end())
    @rule(how=st.sampled_from(["normally", "by an error", "cancelled"]))
    def leave(self, how: str) -> None:
        self.left = True
        self.one_ended = True
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
