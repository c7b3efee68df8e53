"""Random operations on a queue and on a simple model of it, which must agree.

After each operation, once the queue is quiescent, both agree on every job, on the order of starts
and on all statistics.
"""

from __future__ import annotations

import pytest
from fakes.internals import core_of
from fakes.queue_driver import Reader
from fakes.queue_model_parts import ModelJob
from fakes.queue_rules import QueueRules
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from ticketr import JobSnapshot, JobStatus


class QueueMachine(QueueRules):
    is_true = True

    # Checks after each rule.

    @invariant()
    def agree(self) -> None:
        self.is_true = False
        if self.left_normally and self.model.is_idle:
            self.model.refuse()
        self.find_handles()
        self.submitters_agree()
        self.maps_agree()
        self.starts_agree()
        for job, handle in self.handles.items():
            assert facts_of(handle.snapshot()) == self.expected_facts(job)
        self.driver_agrees_on_all()
        self.repeats_agree()
        for done in self.shutdowns:
            assert done.is_set() is self.model.is_idle
        self.readers_are_true()
        self.is_true = True

    def submitters_agree(self) -> None:
        for submission, submitter in self.submissions:
            assert submitter.refusal is submission.refusal
            assert (submitter.handle is None) is (submission.job is None)
            if submitter.handle is not None and submission.job is not None:
                assert (
                    self.driver.label_of(submitter.handle.snapshot()) == submission.job.wish.label
                )
                self.handles.setdefault(submission.job, submitter.handle)

    def maps_agree(self) -> None:
        for one, reader in self.maps:
            labels = reader.read
            if one.is_stopped:
                assert {*labels} <= {submission.wish.label for submission in one.jobs}
            elif one.is_ordered:
                assert labels == one.read
            else:
                assert sorted(labels) == sorted(one.read)
            jobs = [submission.job for submission in one.jobs if submission.job is not None]
            assert reader.ended is (one.is_over and not any(job.is_live for job in jobs))

    def starts_agree(self) -> None:
        new = slice(self.checked_starts, None)
        real, expected = self.driver.starts[new], self.model.starts[new]
        if self.model.attempts_ended > self.checked_ends:
            # A worker that has just run a job may be one step behind an idle one.
            real, expected = sorted(real), sorted(expected)
        assert real == expected
        self.checked_starts = len(self.model.starts)
        self.checked_ends = self.model.attempts_ended

    def repeats_agree(self) -> None:
        for repeat, handle in self.repeats:
            assert (handle.runs, handle.missed) == (repeat.runs, repeat.missed)
            assert (handle.next_at is not None) is repeat.is_waiting
            latest = handle.snapshot()
            assert (None if latest is None else latest.id) == (
                None if repeat.run is None else repeat.run.wish.label
            )

    def expected_facts(self, job: ModelJob) -> tuple[object, ...]:
        return (
            *(job.status, job.attempt, job.priority, self.model.waiting_for(job)),
            *(job.cancel_requested, job.cancel_cause, job.done),
            *(job.submitted_at, job.due_at, job.started_at, job.finished_at),
        )

    def driver_agrees_on_all(self) -> None:
        model, queue = self.model, self.driver.queue
        counts, running = queue.statistics(), model.running
        assert (counts.pending, counts.running) == (len(model.pending), len(running))
        assert counts.completed == len(model.with_status(JobStatus.COMPLETED))
        assert counts.failed == len(model.with_status(JobStatus.FAILED))
        assert counts.cancelled == len(model.with_status(JobStatus.CANCELLED))
        assert (counts.evicted, counts.submitters_waiting) == (model.evicted, len(model.outside))
        assert core_of(queue).waker.returning_submits == 0
        listed = self.driver.run.do(queue.jobs)
        names = {self.driver.label_of(job) for job in listed if not job.status.is_terminal}
        assert names == {job.wish.label for job in model.jobs if job.is_live}
        # An ended job may be replaced by one with the same ID.
        forgotten = len(model.ended) - (len(listed) - len(names))
        namesakes = len([job for job in model.ended if model.has_namesake(job)])
        assert model.evicted <= forgotten <= model.evicted + namesakes
        jobs = [job for job in listed if job.status is JobStatus.RUNNING]
        assert len(jobs) <= counts.workers
        assert self.driver.managers == (len(jobs) if self.has_around else 0)
        idle = counts.running < model.limits.get(None, counts.workers)
        assert not (idle and any(job.waiting_for == "worker" for job in listed))

    def labelled_snapshots(self, reader: Reader) -> list[JobSnapshot]:
        """Return what a reader has seen, without the jobs of maps that got no label."""
        maps = {one.wish.label for one, _ in self.maps}
        return [seen for seen in reader.seen if self.driver.label_of(seen) not in maps]

    def readers_are_true(self) -> None:
        for reader, *_ in self.readers:
            last: dict[str, JobSnapshot] = {}
            for snapshot in self.labelled_snapshots(reader):
                label = self.driver.label_of(snapshot)
                before = last.get(label)
                assert before is None or before.revision < snapshot.revision
                assert before is None or not before.status.is_terminal
                last[label] = snapshot

    # The end of a run.

    def teardown(self) -> None:
        if not hasattr(self, "driver"):
            return
        try:
            if self.is_true:
                self.end_all()
        finally:
            self.driver.close()

    def end_all(self) -> None:
        self.agree()
        for reader, *_ in self.readers:
            self.driver.run.do(reader.go_on.set)
        while self.submitters():
            self.a_submitter_gives_up(0)
        if self.is_fragile:
            self.leave_the_last_map()
            self.agree()
        if self.has_left:
            self.shut_down(0.0)
        else:
            self.leave("by an error")
        while self.model.running:
            self.a_job_ends(0, "value", 0)
            self.agree()
        self.readers_have_had_the_last_word()
        failed = {job.wish.label for job in self.model.with_status(JobStatus.FAILED)}
        if self.model.fatal is not None:
            failed.remove(self.model.fatal.wish.label)
        told = self.driver.told
        assert len(set(told)) == len(told)
        seen = {
            submission.wish.label for submission, _ in self.submissions if submission.wish.by_map
        } | {submission.wish.label for one, _ in self.maps for submission in one.jobs}
        assert failed - seen <= {*told} <= failed
        assert (self.driver.left is not None) is (
            self.left_by_error or self.model.fatal is not None
        )

    def readers_have_had_the_last_word(self) -> None:
        for reader, only, ended_before in self.readers:
            assert reader.ended
            seen = self.labelled_snapshots(reader)
            last = {self.driver.label_of(snapshot): snapshot for snapshot in seen}
            jobs = [handle for job, handle in self.handles.items() if job not in ended_before]
            expected = [handle.snapshot() for handle in jobs if only in {None, handle}]
            assert last == {self.driver.label_of(snapshot): snapshot for snapshot in expected}


def facts_of(job: JobSnapshot) -> tuple[object, ...]:
    done = None if job.progress is None else int(job.progress.current)
    return (
        *(job.status, job.attempt, job.priority, job.waiting_for),
        *(job.cancel_requested, job.cancel_cause, done),
        *(job.submitted_at, job.due_at, job.started_at, job.finished_at),
    )


gate = settings(
    max_examples=50,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    report_multiple_bugs=False,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.unmeasured
def test_a_queue_does_what_its_model_does() -> None:
    run_state_machine_as_test(QueueMachine, settings=gate)


@pytest.mark.stress
def test_a_queue_does_what_its_model_does_in_long_runs() -> None:
    many = settings(gate, max_examples=2500, stateful_step_count=100, derandomize=False)
    run_state_machine_as_test(QueueMachine, settings=many)
