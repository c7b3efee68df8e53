"""What a job is to its author: the ``Job`` protocol, and the context that a job gets."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from typing import Protocol, TypeVar

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._job import RUNNING, JobID
from ticketr.jobs._record import JobRecord
from ticketr.jobs._updates import Subscriptions
from ticketr.jobs._values import checked_seconds

T_co = TypeVar("T_co", covariant=True)


class Job(Protocol[T_co]):
    """An object that can be submitted.

    A plain ``async def fn(context, *args)`` is a job as well.
    """

    @property
    def name(self) -> str:
        """The name of the job, for screens and logs."""
        ...

    async def execute(self, context: JobContext) -> T_co:
        """Do the work and return its value.

        Cancellation:
            Raises ``trio.Cancelled`` at a checkpoint. Clean up, and let it propagate. A job that
            returns a value instead has completed.
        """
        ...


class JobContext:
    """The first argument of a job's function: reports progress, and tells of cancellation.

    A queue makes it. In a test without a queue, :func:`ticketr.testing.make_context` does.

    ::

        async def copy(context: JobContext, files: Sequence[Path]) -> None:
            for number, file in enumerate(files, start=1):
                await copy_one(file)
                context.report(current=number, total=len(files), message=file.name)
    """

    __slots__ = ("_attempt", "_record", "_subscriptions")

    def __init__(self, record: JobRecord, subscriptions: Subscriptions) -> None:
        self._record = record
        self._subscriptions = subscriptions
        self._attempt = record.attempt

    @property
    def id(self) -> JobID:
        """The job's ID."""
        return self._record.id

    @property
    def name(self) -> str:
        """The job's name."""
        return self._record.name

    @property
    def key(self) -> Hashable:
        """The job's key; None if it has none."""
        return self._record.extras.key

    @property
    def tags(self) -> frozenset[str]:
        """The job's tags."""
        return self._record.extras.tags

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return self._attempt

    @property
    def scheduled_at(self) -> datetime | None:
        """The due time that this run of a repeat is for, in UTC; None for any other job."""
        return self._record.extras.scheduled_at

    @property
    def cancel_requested(self) -> bool:
        """Whether the job was asked to stop.

        A job need not check this: its next checkpoint raises ``trio.Cancelled``. Use it in long
        work between checkpoints.
        """
        return self._record.extras.cancel_requested

    @enable_ki_protection
    def report(
        self,
        *,
        current: float | None = None,
        total: float | None = None,
        message: str | None = None,
    ) -> None:
        """Report progress.

        This is not a checkpoint and never blocks. It ignores an argument that is not a number. It
        does nothing once this attempt has ended.

        Args:
            current: How much is done. None keeps the last value. It never exceeds the total, and
                does not decrease while the total stays the same.
            total: How much there is to do; 0 if that is unknown. None keeps the last value.
            message: What the job is doing. None keeps the last value.
        """
        self._subscriptions.owner_thread.check()
        record = self._record
        if record.status is not RUNNING or record.attempt != self._attempt:
            return  # a thread of the job may outlive its attempt
        record.add_report(current, total, message)
        if self._subscriptions.is_watched:
            self._subscriptions.notify_changed(record, is_report=True)

    def cleanup(self, seconds: float) -> trio.CancelScope:
        """Return a cancel scope for clean-up: shielded, with a time limit.

        ::

            try:
                ...
            finally:
                with context.cleanup(5):
                    await connection.aclose()

        Args:
            seconds: The most time that the clean-up may take.

        Raises:
            TypeError, ValueError: ``seconds`` is not a number of seconds, or is infinite.
        """
        limit = checked_seconds("the time for clean-up", seconds)
        return trio.CancelScope(relative_deadline=limit, shield=True)

    def __repr__(self) -> str:
        return f"<JobContext of {self._record.name!r}, id={self._record.id!r}>"
