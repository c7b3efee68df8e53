"""What users see of a job: snapshots of its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jobs._job import FAILED, PENDING, JobSnapshot
from ticketr.jobs._progress import JobProgress
from ticketr.jobs._record import NO_REPORT

if TYPE_CHECKING:
    from ticketr.jobs._record import JobRecord


def progress_of(record: JobRecord) -> JobProgress:
    """Return what a job reported last."""
    # A new attempt drops the reports of the one before. Until it reports, the revision of the
    # record stands for that of a report, so a late reader sees that the old ones are out of date.
    current, total, message, revision = record.report
    return JobProgress(record.id, current, total, message, revision or record.revision)


def snapshot_of(record: JobRecord) -> JobSnapshot:
    """Return a job as it is now."""
    status, extras = record.status, record.extras
    has_report = record.attempt and record.report is not NO_REPORT
    return JobSnapshot(
        id=record.id,
        name=record.name,
        status=status,
        revision=record.revision,
        key=extras.key,
        tags=extras.tags,
        priority=extras.priority,
        attempt=record.attempt,
        progress=progress_of(record) if has_report else None,
        waiting_for=record.queue.waiting_for(record) if status is PENDING else None,
        cancel_requested=extras.cancel_requested,
        cancel_cause=extras.cancel_cause,
        submitted_at=record.submitted_at,
        due_at=record.due_at,
        started_at=record.started_at if record.attempt else None,
        finished_at=record.finished_at if status.is_terminal else None,
        error=record.error if status is FAILED else None,
        result=record.result if status.is_terminal else None,
        wall_offset=record.queue.wall_clock.offset(),
    )
