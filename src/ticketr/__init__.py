"""A job queue for Trio: live progress and honest cancellation.

::

    from ticketr import open_job_queue

    async with open_job_queue(workers=2) as queue:
        handle = await queue.submit(work, 10)

All that a program may rely on is in this module; the rest of the package is the
terminal app built on it, and the works behind both.

The queue, and Trio with it, is imported when the first of its names is looked up, so that a command
such as ``ticketr --help`` does not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._errors import (
    DuplicateJob,
    GiveUp,
    HistoryFailed,
    JobCancelled,
    JobError,
    JobFailed,
    JobTimedOut,
    NotSendable,
    QueueClosed,
    RetryLater,
    StoreFailed,
    StoreInUse,
    TicketrError,
    TooManyKills,
    UnknownJob,
    WouldDeadlock,
)
from ticketr._version import __version__

if TYPE_CHECKING:
    from ticketr.jobs import (
        CancelCause,
        CancelOutcome,
        CancelOutcomes,
        FinishedJob,
        Job,
        JobContext,
        JobErrorInfo,
        JobHandle,
        JobHistory,
        JobID,
        JobOptions,
        JobProgress,
        JobQueue,
        Jobs,
        JobSnapshot,
        JobStatus,
        Keep,
        OnConflict,
        QueueFull,
        QueueStatistics,
        Rate,
        RepeatHandle,
        Retry,
        SqliteHistory,
        SqliteStore,
        Updates,
        in_thread,
        open_job_queue,
        plain,
    )

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
    "Jobs",
    "Keep",
    "NotSendable",
    "OnConflict",
    "QueueClosed",
    "QueueFull",
    "QueueStatistics",
    "Rate",
    "RepeatHandle",
    "Retry",
    "RetryLater",
    "SqliteHistory",
    "SqliteStore",
    "StoreFailed",
    "StoreInUse",
    "TicketrError",
    "TooManyKills",
    "UnknownJob",
    "Updates",
    "WouldDeadlock",
    "__version__",
    "in_thread",
    "open_job_queue",
    "plain",
]

# Tracebacks and reprs name things where users find them.
for _thing in [*globals().values()]:
    if isinstance(_thing, type):
        _thing.__module__ = __name__


if not TYPE_CHECKING:  # pragma: no branch - to a type checker, any name would seem to exist

    def __getattr__(name: str) -> object:
        """Import the queue when one of its names is looked up for the first time."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ticketr import jobs  # noqa: PLC0415 - not before

        globals().update((each, getattr(jobs, each)) for each in jobs.__all__)
        return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "annotations"})
