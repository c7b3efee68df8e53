"""Rules of a state machine: each one does the same action on a queue and on the model.

The model has one order of simultaneous events. So a rule that starts two events which Trio runs in
any order is left out: an interrupted job that ends while submitters wait for its room, and two that
end together while others start after them. A repeat is due between two actions.
"""

from __future__ import annotations

import dataclasses

from fakes.queue_driver_parts import BodyError
from fakes.queue_model_parts import ModelJob, Wish
from fakes.queue_submit_rules import (
    INDEX,
    KEYS,
    NEVER,
    PRIORITIES,
    RATES,
    SIMPLE_WISHES,
    SubmitRules,
    has_jobs,
    has_running,
    is_time_to_end,
)
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ticketr import (
    CancelCause,
    JobContext,
    QueueClosed,
    Rate,
)


class QueueRules(SubmitRules):
    """All rules; a subclass adds what must hold after each of them."""

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
