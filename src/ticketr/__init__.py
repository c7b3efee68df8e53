"""A job queue for Trio: live progress and honest cancellation.

::

    from ticketr import open_job_queue

    async with open_job_queue(workers=2) as queue:
        handle = await queue.submit(work, 10)

All that a program may rely on is in this module; the rest of the package is the
terminal app built on it, and the works behind both.
"""

from __future__ import annotations

from ticketr._errors import (
    DuplicateJob,
    GiveUp,
    HistoryFailed,
    JobCancelled,
    JobError,
    JobFailed,
    JobTimedOut,
    QueueClosed,
    RetryLater,
    TicketrError,
    UnknownJob,
    WouldDeadlock,
)
from ticketr._version import __version__
from ticketr.jobs._adapters import in_thread, plain
from ticketr.jobs._context import Job, JobContext
from ticketr.jobs._exceptions import QueueFull
from ticketr.jobs._finished import FinishedJob
from ticketr.jobs._handle import JobHandle
from ticketr.jobs._history import JobHistory, SqliteHistory
from ticketr.jobs._job import (
    CancelCause,
    CancelOutcome,
    CancelOutcomes,
    JobErrorInfo,
    JobID,
    JobSnapshot,
    JobStatus,
    OnConflict,
)
from ticketr.jobs._open import open_job_queue
from ticketr.jobs._options import JobOptions
from ticketr.jobs._progress import JobProgress
from ticketr.jobs._queue import JobQueue
from ticketr.jobs._rates import Rate
from ticketr.jobs._repeat_handle import RepeatHandle
from ticketr.jobs._retention import Keep
from ticketr.jobs._retry import Retry
from ticketr.jobs._statistics import QueueStatistics
from ticketr.jobs._updates import Updates

__all__ = [
    "CancelCause",
    "CancelOutcome",
    "CancelOutcomes",
    "DuplicateJob",
    "FinishedJob",
    "GiveUp",
    "HistoryFailed",
    "Job",
    "JobCancelled",
    "JobContext",
    "JobError",
    "JobErrorInfo",
    "JobFailed",
    "JobHandle",
    "JobHistory",
    "JobID",
    "JobOptions",
    "JobProgress",
    "JobQueue",
    "JobSnapshot",
    "JobStatus",
    "JobTimedOut",
    "Keep",
    "OnConflict",
    "QueueClosed",
    "QueueFull",
    "QueueStatistics",
    "Rate",
    "RepeatHandle",
    "Retry",
    "RetryLater",
    "SqliteHistory",
    "TicketrError",
    "UnknownJob",
    "Updates",
    "WouldDeadlock",
    "__version__",
    "in_thread",
    "open_job_queue",
    "plain",
]

# Tracebacks and reprs name things where users find them.
for _name in __all__:
    if _name not in {"JobID", "__version__"}:
        globals()[_name].__module__ = __name__
del _name
