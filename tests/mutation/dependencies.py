"""Mutants of jobs that start after others."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

AFTER = "test_dependencies.py::"

MUTANTS: Final = [
    Mutant(
        "a job does not wait for those before it",
        "_schedule.py",
        "        if extras.links is not None and extras.links.predecessors:\n",
        "        if False:\n",
        AFTER + "test_a_job_starts_when_all_before_it_have_completed_and_holds_no_worker",
    ),
    Mutant(
        "a job starts when one of those before it has completed",
        "_dependencies.py",
        "                if not waits.predecessors:\n",
        "                if dependent not in released:\n",
        AFTER + "test_a_job_starts_when_all_before_it_have_completed_and_holds_no_worker",
    ),
    Mutant(
        "a job starts after one that failed",
        "_dependencies.py",
        "if record.status is not COMPLETED and not waits.any_end:",
        "if False:",
        AFTER + "test_a_job_after_one_that_does_not_complete",
    ),
    Mutant(
        "after_any_end does not hold",
        "_dependencies.py",
        "if record.status is not COMPLETED and not waits.any_end:",
        "if record.status is not COMPLETED:",
        AFTER + "test_a_job_after_one_that_does_not_complete",
    ),
    Mutant(
        "after_any_end does not hold for a job that had ended",
        "_dependencies.py",
        "            elif links.any_end or predecessor.status is COMPLETED:\n",
        "            elif predecessor.status is COMPLETED:\n",
        AFTER + "test_a_job_after_one_that_does_not_complete",
    ),
    Mutant(
        "a job after one that had failed waits for ever",
        "_core.py",
        "            self.cancel_pending(record, CancelCause.DEPENDENCY)\n",
        "            pass\n",
        AFTER + "test_a_job_after_one_that_does_not_complete",
    ),
    Mutant(
        "a chain is cancelled by recursion",
        "_dependencies.py",
        "        if self._is_cancelling:\n            return\n",
        "",
        AFTER + "test_a_chain_of_20_000_is_cancelled_without_recursion",
    ),
    Mutant(
        "a doomed job supersedes others",
        "_conflicts.py",
        "not (is_late or is_doomed(record))",
        "not is_late",
        AFTER + "test_a_job_that_can_never_start_supersedes_no_other",
    ),
    Mutant(
        "a delay counts from the end of those before",
        "_schedule.py",
        "        self._after.discard(record)\n        if record.due_at > now:\n",
        "        self._after.discard(record)\n        record.due_at += now\n        if record.due_at > now:\n",
        AFTER + "test_a_delay_counts_from_the_submit",
    ),
    Mutant(
        "the end of those before ends a delay",
        "_schedule.py",
        "        self._after.discard(record)\n        if record.due_at > now:\n",
        "        self._after.discard(record)\n        if False:\n",
        AFTER + "test_a_delay_counts_from_the_submit",
    ),
    Mutant(
        "run_now does not end the delay of a job that waits for others",
        "_schedule.py",
        "        if record.pending_queue is self._after and record.due_at > now:\n",
        "        if False:\n",
        AFTER + "test_a_delay_counts_from_the_submit",
    ),
    Mutant(
        "a new priority starts a job before those that it waits for",
        "_schedule.py",
        "queue is not self._delayed and queue is not self._after:",
        "queue is not self._delayed:",
        AFTER + "test_what_a_job_waits_for_is_the_first_that_holds",
    ),
    Mutant(
        "a handle of another queue is an unknown job",
        "_lookup.py",
        "    if type(job) is JobHandle:\n        raise ValueError",
        "    if False:\n        raise ValueError",
        AFTER + "test_an_id_or_handle_that_is_unknown_is_refused",
    ),
    Mutant(
        "a cut off cancels a job before those that start after it",
        "_pending.py",
        "return [*reversed([*self._after]), *(",
        "return [*self._after, *(",
        AFTER + "test_cancel_all_and_a_cut_off_give_each_job_the_cause_that_was_asked_for",
    ),
    Mutant(
        "cancel_all cancels a job before those that start after it",
        "_control.py",
        "        order = [job for job in reversed(live) if waits_after(job)]\n",
        "        order = [job for job in live if waits_after(job)]\n",
        AFTER + "test_cancel_all_and_a_cut_off_give_each_job_the_cause_that_was_asked_for",
    ),
    Mutant(
        "what starts after a job is told of its end before the cancel from outside",
        "_worker.py",
        "        abandon(core, CancelCause.SCOPE)\n    retry = None\n",
        "        pass\n    retry = None\n",
        AFTER + "test_a_cancel_from_outside_has_one_cause_for_all_in_any_order_of_tasks",
    ),
    Mutant(
        "a bounded shutdown waits for the delay of a job that waits for others",
        "_schedule.py",
        "        yield from [record for record in reversed([*self._after]) if record.due_at > now]\n",
        "",
        AFTER + "test_a_bounded_shutdown_waits_for_those_that_are_due",
    ),
    Mutant(
        "a job may wait for one that starts after it",
        "_wait_targets.py",
        "                return (Predecessors(self.queue, record),)\n",
        "                return UNBLOCKED\n",
        AFTER + "test_a_job_may_not_wait_for_one_that_starts_after_it",
    ),
    Mutant(
        "one job that proceeds is hope for one that needs all to end",
        "_wait_targets.py",
        "return links is not None and links.any_end",
        "return False",
        AFTER + "test_another_job_before_it_is_hope_if_its_failure_ends_the_wait",
    ),
    Mutant(
        "one job that proceeds is not a hope for one that its failure ends",
        "_wait_targets.py",
        "return links is not None and links.any_end",
        "return True",
        AFTER + "test_another_job_before_it_is_hope_if_its_failure_ends_the_wait",
    ),
    Mutant(
        "a job that was given up is kept by the one that it waited for",
        "_dependencies.py",
        "                others.drop_dependent(record)\n",
        "                pass\n",
        AFTER + "test_a_job_holds_no_other_once_it_is_decided_what_becomes_of_it",
    ),
    Mutant(
        "a job that has ended is kept by the one that waited for it",
        "_dependencies.py",
        "                waits.forget(record)\n                if not",
        "                if len(waits.predecessors) > 1:\n"
        "                    continue\n"
        "                waits.forget(record)\n"
        "                if not",
        AFTER + "test_a_job_holds_no_other_once_it_is_decided_what_becomes_of_it",
    ),
]
