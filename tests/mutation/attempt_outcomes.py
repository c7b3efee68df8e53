"""Mutants of how a job ends and is cancelled."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

MUTANTS: Final = [
    # Outcomes
    Mutant(
        "a time limit that passes after a cancel wins",
        "_worker.py",
        "            cancel_requested=record.extras.cancel_requested,\n",
        "            cancel_requested=record.extras.cancel_requested and trio.current_time() < record.scope.deadline,\n",
        "test_worker.py::test_a_cancel_asked_for_beats_the_time_limit",
    ),
    Mutant(
        "Cancelled in a group is taken for an error",
        "_cancelled.py",
        "    return group.split(trio.Cancelled)\n",
        "    return None, error\n",
        "test_ending.py::test_a_job_that_fails_while_everything_is_cancelled_has_failed",
    ),
    Mutant(
        "a cancel that came too late takes the value away",
        "_worker.py",
        "    if value is CAUGHT:\n",
        "    if value is CAUGHT or record.extras.cancel_requested:\n",
        "test_worker.py::test_a_running_job_that_is_cancelled",
    ),
    Mutant(
        "a Cancelled of a closed scope leaves its worker",
        "_outcome.py",
        "    if cancelled is not None and not is_cancelled_outside:\n",
        "    if False:\n",
        "test_worker.py::test_how_a_job_with_a_limit_ends_without_a_cancel",
    ),
    Mutant(
        "an outer Cancelled beside an error is swallowed",
        "_outcome.py",
        "Outcome(FAILED, error=rest, leaving=cancelled)",
        "Outcome(FAILED, error=rest)",
        "test_outcome.py::test_an_exception_fails_the_job_and_leaves_the_cancelled_beside_it",
    ),
    Mutant(
        "an outer Cancelled is swallowed",
        "_outcome.py",
        "return Outcome(CANCELLED, CancelCause.SCOPE, leaving=error)",
        "return Outcome(CANCELLED, CancelCause.SCOPE)",
        "test_outcome.py::test_a_cancelled_leaves_if_a_scope_around_the_queue_is_cancelled",
    ),
    Mutant(
        "an outer Cancelled does not leave the block",
        "_ending.py",
        "return body if body is not None else next(iter(leaves(cancelled)), None)",
        "return body",
        "test_ending.py::test_a_cancel_that_reaches_only_the_workers_goes_on",
    ),
    Mutant(
        "a KeyboardInterrupt stays in its job",
        "_outcome.py",
        "return Outcome(FAILED, error=rest, is_fatal=True)",
        "return Outcome(FAILED, error=rest)",
        "test_ending.py::test_an_interrupt_in_a_job_while_the_block_waits",
    ),
    Mutant(
        "a KeyboardInterrupt in a group of errors fails the job",
        "_outcome.py",
        "    if not has_only_exceptions(rest):\n        return Outcome",
        "    if not (rest is None or any(has_only_exceptions(leaf) for leaf in rest.exceptions if True)):\n        return Outcome",
        "test_ending.py::test_an_interrupt_among_errors_of_a_job_leaves_with_them",
    ),
    Mutant(
        "one interrupt of two is lost",
        "_ending.py",
        "errors = [unwrap_single(error) for error in fatal]",
        "errors = [unwrap_single(error) for error in fatal[:1]]",
        "test_ending.py::test_interrupts_of_two_jobs_leave_together",
    ),
    Mutant(
        "the body's error is lost beside an interrupt",
        "_ending.py",
        "        errors.insert(0, own)\n",
        "        pass\n",
        "test_ending.py::test_an_interrupt_and_an_error_of_the_body_leave_together",
    ),
    Mutant(
        "a job is protected from Ctrl+C",
        "_worker.py",
        "@disable_ki_protection\nasync def work",
        "@enable_ki_protection\nasync def work",
        "test_worker.py::test_ctrl_c_in_a_job_is_delivered_there_and_nowhere_else",
    ),
    # Causes
    Mutant(
        "the second cancel cause replaces the first",
        "_record.py",
        "        if cause is not None and self.extras.cancel_cause is None:\n",
        "        if cause is not None:\n",
        "test_retry.py::test_after_a_cancel_there_is_no_further_attempt",
    ),
    Mutant(
        "a second cancel writes over the first",
        "_core.py",
        "        if record.extras.cancel_requested:\n"
        "            return CancelOutcome.ALREADY_REQUESTED\n",
        "",
        "test_worker.py::test_a_running_job_that_is_cancelled",
    ),
    Mutant(
        "the cause of a queue's own end is SCOPE",
        "_worker.py",
        "    if cause is CancelCause.SCOPE and core.phase.cut_off_cause is not None:\n        cause = core.phase.cut_off_cause\n",
        "",
        "test_ending.py::test_an_exception_in_the_body_cancels_everything_and_leaves_unchanged",
    ),
    Mutant(
        "a second reason for the queue's end hides the first",
        "_phase.py",
        "        if self.cut_off_cause is None:\n            self.cut_off_cause = cause\n",
        "        self.cut_off_cause = cause\n",
        "test_ending.py::test_an_exception_in_the_body_cancels_everything_and_leaves_unchanged",
    ),
    # Cancels
    Mutant(
        "a cancel of an ended job returns REQUESTED",
        "_core.py",
        "        if record.status.is_terminal:\n            return CancelOutcome.ALREADY_FINISHED\n",
        "",
        "test_worker.py::test_a_running_job_that_is_cancelled",
    ),
    Mutant(
        "a job cancelled while pending stays in its queue",
        "_schedule.py",
        "        record.pending_queue.discard(record)\n        self.pending -= 1\n",
        "        self.pending -= 1\n",
        "test_worker.py::test_a_pending_job_that_is_cancelled_is_never_called",
    ),
    Mutant(
        "a job cancelled before its first step is called",
        "_worker.py",
        "        await checkpoint()\n",
        "        await trio.lowlevel.cancel_shielded_checkpoint()\n",
        "test_worker.py::test_a_job_cancelled_between_taking_and_first_step_is_not_called",
    ),
    Mutant(
        "the reason of a cancel is dropped",
        "_core.py",
        "record.scope.cancel(reason)",
        "record.scope.cancel()",
        "test_worker.py::test_the_reason_of_a_cancel_reaches_the_job",
    ),
    Mutant(
        "a job that run() merely joined is cancelled with it",
        "_queue.py",
        "        if handle.record_in(self._core) is not record:\n            return await handle.result()\n",
        "",
        "test_keys.py::test_a_run_that_has_joined_leaves_the_job_alone",
    ),
    Mutant(
        "a cancelled run() does not cancel its job",
        "_queue.py",
        "            self._core.cancel(record, CancelCause.SCOPE,",
        "            _ = (record, CancelCause.SCOPE,",
        "test_queue.py::test_cancelling_run_cancels_the_job_and_waits_for_its_clean_up",
    ),
    Mutant(
        "a cancelled run() returns before its job has ended",
        "_queue.py",
        "with trio.CancelScope(shield=True), handle.watch()",
        "with trio.CancelScope(), handle.watch()",
        "test_queue.py::test_cancelling_run_cancels_the_job_and_waits_for_its_clean_up",
    ),
    Mutant(
        "cancel_and_wait only waits",
        "_handle.py",
        "        self.cancel(reason=reason)\n",
        "",
        "test_handle.py::test_cancel_and_wait",
    ),
    Mutant(
        "a job cancelled from outside before its first step is called",
        "_worker.py",
        "        await checkpoint_if_cancelled()\n",
        "        pass\n",
        "test_ending.py::test_a_job_that_a_worker_takes_under_an_outer_cancel_is_not_called",
    ),
    # A limit for all attempts together
    Mutant(
        "a wait that ends after the total of a retry rule is begun",
        "_outcome.py",
        "    if delay is None or record.has_used_total(now + delay):\n",
        "    if delay is None:\n",
        "test_retry.py::test_no_attempt_begins_after_the_total",
    ),
    Mutant(
        "an attempt begins at the very end of the total",
        "_record.py",
        "        return has_total and time >= self.total_ends_at\n",
        "        return has_total and time > self.total_ends_at\n",
        "test_retry.py::test_no_attempt_begins_after_the_total",
    ),
    Mutant(
        "the total of a retry rule cuts off no attempt",
        "_record.py",
        "min(now + self.timeout, self.total_ends_at)",
        "now + self.timeout",
        "test_retry.py::test_total_cuts_the_attempt_that_runs",
    ),
    Mutant(
        "a total replaces the time limit of one attempt",
        "_record.py",
        "min(now + self.timeout, self.total_ends_at)",
        "self.total_ends_at",
        "test_retry.py::test_timeout_of_one_attempt_holds_beside_the_total",
    ),
    Mutant(
        "each attempt begins the total again",
        "_record.py",
        "        if self.attempt == 1:\n            self.total_ends_at",
        "        if self.attempt:\n            self.total_ends_at",
        "test_retry.py::test_no_attempt_begins_after_the_total",
    ),
    Mutant(
        "the error of an attempt that the total cuts off names another limit",
        "_record.py",
        "            self.timeout = total  #",
        "            pass  #",
        "test_retry.py::test_total_cuts_the_attempt_that_runs",
    ),
]
