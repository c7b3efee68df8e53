"""A field of an object of the queue is written in the module of its class.

How the class of an object is found, and what counts as a write, says ``field_owners``.
"""

from __future__ import annotations

from pathlib import Path

from field_owners import misplaced_writes

import ticketr

JOBS = Path(ticketr.__file__).parent / "jobs"

NOT_YET = frozenset(
    {
        "_clock: Ledger.cut_off_at",
        "_clock: Ledger.deadlock_check_at",
        "_clock: Ledger.deadlock_check_due",
        "_clock: Ledger.timer_scope",
        "_closing: Ledger.cancels_delayed_jobs",
        "_closing: Ledger.cut_off_at",
        "_closing: Ledger.cut_off_cause",
        "_closing: Ledger.draining",
        "_closing: Ledger.refusing",
        "_closing: Ledger.stuck_warning_at",
        "_closing: Ledger.stuck_warning_interval",
        "_closing: Submission.refusal",
        "_ledger: FinishedJobs.jobs",
        "_ledger: KeySlot.jobs",
        "_ledger: Submission.is_resumed",
        "_ledger: Submission.record",
        "_ledger: Submission.refusal",
        "_queue: Ledger.returning_submits",
        "_wait_graph: QueueState.waiting_count",
        "_wait_graph: Wait.deadline",
        "_wait_graph: Wait.is_refused",
        "_wait_graph: Wait.scope",
        "_wait_graph: WaitingJob.waits",
        "_worker: Ledger.deadline",
        "_worker: Ledger.deadlock_check_due",
        "_worker: Ledger.idle",
        "_worker: Ledger.wakeup_pending",
        "_worker: WaitGraph.queue_tasks",
        "_worker: WaitGraph.workers",
    }
)
"""What is still written elsewhere; nothing may be added."""


def test_every_field_is_written_by_its_owner() -> None:
    assert misplaced_writes(JOBS).keys() == NOT_YET
