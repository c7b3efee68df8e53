"""Snapshots of jobs, made by hand for what is drawn from them."""

from __future__ import annotations

from ticketr import JobErrorInfo, JobProgress, JobSnapshot, JobStatus


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
