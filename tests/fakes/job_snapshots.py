"""Snapshots of jobs, made by hand for what is drawn from them."""

from __future__ import annotations

from datetime import UTC, datetime

from ticketr import FinishedJob, JobErrorInfo, JobProgress, JobSnapshot, JobStatus

_ENDED = datetime(2026, 1, 2, tzinfo=UTC)
#: A job of an earlier run, as a history has it.
EARLIER = FinishedJob(
    run="r", number=1, id="7", name="Pull work", key="/work", status=JobStatus.COMPLETED,
    attempts=1, submitted_at=_ENDED, started_at=_ENDED, finished_at=_ENDED, cancel_cause=None,
    error_type=None, error_message=None, current=1, total=1, message="Done", result=None,
)  # fmt: skip


def snapshot(
    id: str = "1",  # noqa: A002
    *,
    name: str = "Pull DEMO",
    status: JobStatus = JobStatus.RUNNING,
    current: float = 0,
    total: float = 0,
    message: str | None = None,
    started: float | None = 0.0,
    finished: float | None = None,
    error: JobErrorInfo | None = None,
    cancel_requested: bool = False,
) -> JobSnapshot:
    """A job at one moment; without a message, it has not reported yet."""
    return JobSnapshot(
        id=id,
        name=name,
        status=status,
        revision=1,
        key=None,
        tags=frozenset(),
        priority=0,
        attempt=1,
        progress=None if message is None else JobProgress(id, current, total, message, 1),
        waiting_for=None,
        cancel_requested=cancel_requested,
        cancel_cause=None,
        submitted_at=0.0,
        due_at=0.0,
        started_at=started,
        finished_at=finished,
        error=error,
        result=None,
    )


def failed(id: str = "1", *, message: str | None = None, finished: float = 12.0) -> JobSnapshot:  # noqa: A002
    """A job that failed with a ValueError."""
    return snapshot(
        id,
        status=JobStatus.FAILED,
        message=message,
        current=54,
        total=120,
        finished=finished,
        error=JobErrorInfo("ValueError", "no such thing", ""),
    )
