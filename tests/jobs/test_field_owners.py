"""A field of an object of the queue is written in the module of its class.

``field_owners`` tells how the class of an object is found, and what counts as a write.
"""

from __future__ import annotations

from pathlib import Path

from field_owners import misplaced_writes

import ticketr

JOBS = Path(ticketr.__file__).parent / "jobs"

NOT_YET = frozenset(
    {
        "_clock: QueueCore.cut_off_at",
        "_clock: QueueCore.deadlock_check_at",
        "_clock: QueueCore.deadlock_check_due",
        "_clock: QueueCore.timer_scope",
        "_closing: QueueCore.cancels_delayed_jobs",
        "_closing: QueueCore.cut_off_at",
        "_closing: QueueCore.cut_off_cause",
        "_closing: QueueCore.draining",
        "_closing: QueueCore.refusing",
        "_closing: QueueCore.stuck_warning_at",
        "_closing: QueueCore.stuck_warning_interval",
        "_closing: Submission.refusal",
        "_core: FinishedJobs.jobs",
        "_core: KeySlot.jobs",
        "_core: Submission.is_resumed",
        "_core: Submission.record",
        "_core: Submission.refusal",
        "_queue: QueueCore.returning_submits",
        "_wait_graph: QueueState.waiting_count",
        "_wait_graph: Wait.deadline",
        "_wait_graph: Wait.is_refused",
        "_wait_graph: Wait.scope",
        "_wait_graph: WaitingJob.waits",
        "_worker: QueueCore.deadline",
        "_worker: QueueCore.deadlock_check_due",
        "_worker: QueueCore.idle",
        "_worker: QueueCore.wakeup_pending",
        "_worker: WaitGraph.queue_tasks",
        "_worker: WaitGraph.workers",
    }
)
"""What is still written elsewhere; nothing may be added."""


def test_every_field_is_written_by_its_owner() -> None:
    assert misplaced_writes(JOBS).keys() == NOT_YET
