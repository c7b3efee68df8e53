"""What the code of a job sees of the queue that runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._job import RUNNING, JobID
from ticketr.jobs._values import checked_seconds

if TYPE_CHECKING:
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._updates import Subscriptions

T_co = TypeVar("T_co", covariant=True)


class Job(Protocol[T_co]):
    """What can be submitted: anything with a name and an ``execute`` method.

    A plain ``async def fn(context, *args)`` will do as well.
    """

    @property
    def name(self) -> str:
        """What to call it on a screen or in a log."""
        ...

    async def execute(self, context: JobContext) -> T_co:
        """Do the work and return its value.

        Cancellation:
            Comes as ``trio.Cancelled`` at a checkpoint and is to be let out, once the work is
            cleaned up. A value that is returned all the same counts.
        """
        ...


@final
class JobContext:
    """Given to the job's function: its line to the queue.

    ::

        async def copy(context: JobContext, files: Sequence[Path]) -> None:
            for number, file in enumerate(files, start=1):
                await copy_one(file)
                context.report(current=number, total=len(files), message=file.name)
    """

    __slots__ = ("_attempt", "_record", "_subscriptions")

    def __init__(self, record: JobRecord, subscriptions: Subscriptions[JobRecord]) -> None:
        self._record = record
        self._subscriptions = subscriptions
        self._attempt = record.attempt

    @property
    def id(self) -> JobID:
        """The job's ID."""
        return self._record.id

    @property
    def attempt(self) -> int:
        """How often the function was started, this time included."""
        return self._attempt

    @property
    def cancel_requested(self) -> bool:
        """Whether somebody asked the job to stop.

        A job need not look: the request arrives as ``trio.Cancelled`` at its next
        checkpoint. This is for work between checkpoints.
        """
        return self._record.cancel_requested

    @enable_ki_protection
    def report(
        self,
        *,
        current: float | None = None,
        total: float | None = None,
        message: str | None = None,
    ) -> None:
        """Tell how far the job is.

        Never blocks, raises or checkpoints, whoever watches and whatever it is given; does
        nothing once this attempt has ended. What is no number keeps the last one.

        Args:
            current: How much is done; None keeps the last. While the total stays the same it
                does not go down, and it is never more than the total.
            total: How much there is to do, 0 if that is unknown; None keeps the last.
            message: What the job is doing; None keeps the last.
        """
        self._subscriptions.owner_thread.check()
        record = self._record
        if record.status is not RUNNING or record.attempt != self._attempt:
            return  # a thread may have outlived its attempt
        record.add_report(current, total, message)
        if self._subscriptions.is_watched:
            self._subscriptions.notify_progress(record)

    def cleanup(self, seconds: float) -> trio.CancelScope:
        """A scope for clean-up that must not be interrupted, but not take for ever either.

        ::

            try:
                ...
            finally:
                with context.cleanup(5):
                    await connection.aclose()

        Args:
            seconds: How long the clean-up may take at most.

        Raises:
            TypeError, ValueError: They are no number of seconds, or without end.
        """
        limit = checked_seconds("the time for clean-up", seconds)
        return trio.CancelScope(relative_deadline=limit, shield=True)

    def __repr__(self) -> str:
        return f"<JobContext of {self._record.name!r}, id={self._record.id!r}>"
