"""A job queue for Trio: live progress and honest cancellation.

::

    from ticketr import open_job_queue

    async with open_job_queue(workers=2) as queue:
        handle = await queue.submit(work, 10)

All that a program may rely on is in this module; the rest of the package is the
terminal app built on it, and the works behind both.

Nearly nothing is imported before one of the names is looked up: a command such as ``ticketr --help``
does not wait for Trio, and Ctrl+C finds the program ready for it.
"""

from __future__ import annotations

from ticketr._version import __version__

TYPE_CHECKING = False  # `typing` takes longer to import than all else here
if TYPE_CHECKING:
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
    from ticketr.jobs import (
        CancelCause,
        CancelOutcome,
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
        drain_on_signals,
        in_thread,
        open_job_queue,
        plain,
    )

__all__ = [
    "CancelCause",
    "CancelOutcome",
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
    "drain_on_signals",
    "in_thread",
    "open_job_queue",
    "plain",
]

if not TYPE_CHECKING:  # pragma: no branch - to a type checker, any name would seem to exist

    def __getattr__(name: str) -> object:
        """Import the errors, or the queue, when one of their names is looked up first."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ticketr import _errors  # noqa: PLC0415 - not before

        members = vars(_errors)
        if name not in members:
            from ticketr import jobs  # noqa: PLC0415 - likewise

            members = members | vars(jobs)
        globals().update((public, members[public]) for public in __all__ if public in members)
        return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "annotations"})
