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
        "_context: JobRecord.report",
        "_context: JobRecord.revision",
        "_handle: JobRecord.ended",
        "_handle: JobRecord.outcome_seen",
        "_ledger: FinishedJobs.jobs",
        "_ledger: JobRecord.args",
        "_ledger: JobRecord.attempt",
        "_ledger: JobRecord.cancel_cause",
        "_ledger: JobRecord.cancel_requested",
        "_ledger: JobRecord.context",
        "_ledger: JobRecord.due_at",
        "_ledger: JobRecord.ended",
        "_ledger: JobRecord.finished_at",
        "_ledger: JobRecord.function",
        "_ledger: JobRecord.id",
        "_ledger: JobRecord.id_holder",
        "_ledger: JobRecord.key_slot",
        "_ledger: JobRecord.number",
        "_ledger: JobRecord.outcome_seen",
        "_ledger: JobRecord.report",
        "_ledger: JobRecord.result",
        "_ledger: JobRecord.retry",
        "_ledger: JobRecord.retry_context",
        "_ledger: JobRecord.revision",
        "_ledger: JobRecord.scope",
        "_ledger: JobRecord.started_at",
        "_ledger: JobRecord.status",
        "_ledger: JobRecord.submitted_at",
        "_ledger: JobRecord.waiting_reason",
        "_ledger: JobRecord.worker",
        "_ledger: KeySlot.jobs",
        "_ledger: Submission.is_resumed",
        "_ledger: Submission.record",
        "_ledger: Submission.refusal",
        "_options: JobRecord.due_at",
        "_options: JobRecord.id",
        "_options: JobRecord.key",
        "_options: JobRecord.name",
        "_options: JobRecord.on_conflict",
        "_options: JobRecord.priority",
        "_options: JobRecord.retry",
        "_options: JobRecord.start_by",
        "_options: JobRecord.tags",
        "_options: JobRecord.timeout",
        "_queue: Ledger.returning_submits",
        "_retention: JobRecord.outcome_seen",
        "_schedule: JobRecord.due_at",
        "_schedule: JobRecord.id_holder",
        "_schedule: JobRecord.pending_queue",
        "_schedule: JobRecord.waiting_reason",
        "_steering: JobRecord.priority",
        "_wait_graph: QueueState.waiting_count",
        "_wait_graph: Wait.deadline",
        "_wait_graph: Wait.is_refused",
        "_wait_graph: Wait.scope",
        "_wait_graph: WaitingJob.waits",
        "_worker: JobRecord.cancel_cause",
        "_worker: JobRecord.error",
        "_worker: JobRecord.exception",
        "_worker: JobRecord.outcome_seen",
        "_worker: JobRecord.uncounted_retries",
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
