"""The job queue. Programs import it from ``ticketr``, not from here."""

from __future__ import annotations

from ticketr.jobs._arguments import JobOptions, in_thread, plain
from ticketr.jobs._handle import Job, JobContext, JobHandle
from ticketr.jobs._job import (
    CancelCause,
    CancelOutcome,
    JobErrorInfo,
    JobID,
    JobSnapshot,
    JobStatus,
    OnConflict,
    QueueStatistics,
)
from ticketr.jobs._maps.repeat import RepeatHandle
from ticketr.jobs._open import drain_on_signals, open_job_queue
from ticketr.jobs._progress import JobProgress
from ticketr.jobs._queue import JobQueue
from ticketr.jobs._registry import Keep
from ticketr.jobs._retry import Retry
from ticketr.jobs._scheduling.schedule import Rate
from ticketr.jobs._sqlite.history import FinishedJob, JobHistory, SqliteHistory
from ticketr.jobs._sqlite.store import SqliteStore
from ticketr.jobs._trio import QueueFull
from ticketr.jobs._updates import Updates

__all__ = [
    "CancelCause",
    "CancelOutcome",
    "FinishedJob",
    "Job",
    "JobContext",
    "JobErrorInfo",
    "JobHandle",
    "JobHistory",
    "JobID",
    "JobOptions",
    "JobProgress",
    "JobQueue",
    "JobSnapshot",
    "JobStatus",
    "Keep",
    "OnConflict",
    "QueueFull",
    "QueueStatistics",
    "Rate",
    "RepeatHandle",
    "Retry",
    "SqliteHistory",
    "SqliteStore",
    "Updates",
    "drain_on_signals",
    "in_thread",
    "open_job_queue",
    "plain",
]

# Tracebacks and reprs name things where users find them.
for _name in __all__:
    if _name != "JobID":
        globals()[_name].__module__ = "ticketr"
