"""What users do to have jobs run in a cluster: submit them, many at once, or run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple, Unpack, cast, overload

import trio

from ticketr.cluster._control import ClusterControl

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ticketr.cluster._handle import ClusterHandle
    from ticketr.jobs._context import Job, JobContext
    from ticketr.jobs._options import JobOptions

A = TypeVar("A")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LAST_WORDS: Final = 10.0
"""Seconds that a cancelled ``run()`` waits for the end of its job."""
BATCH: Final = 200
"""Jobs that ``submit_many()`` hands to the server at once."""


class ClusterSubmits(ClusterControl):
    """The part of a cluster's queue that takes jobs."""

    # Submitting

    @overload
    async def submit(self, job: Job[T], /, **options: Unpack[JobOptions]) -> ClusterHandle[T]: ...

    @overload
    async def submit(
        self,
        job: Callable[[JobContext, *Ts], Awaitable[T]],
        /,
        *args: *Ts,
        **options: Unpack[JobOptions],
    ) -> ClusterHandle[T]: ...

    async def submit(
        self,
        job: Job[T] | Callable[..., Awaitable[T]],
        /,
        *args: object,
        **options: Unpack[JobOptions],
    ) -> ClusterHandle[T]:
        """Submit a job; wait for room while too many are pending, and for the server.

        It is taken once, however often the connection fails meanwhile.

        Cancellation:
            A submit that is cancelled has submitted nothing; but if the server does not answer
            within 2 seconds, it may have.

        Args:
            job: A :class:`~ticketr.Job`, or an async function that is called with a
                :class:`~ticketr.JobContext` and ``args``. Workers must be able to import it.
            args: Arguments for the function, which can be pickled.
            options: See :class:`~ticketr.JobOptions`. A key is text.

        Raises:
            QueueClosed: The block of the queue has been left.
            DuplicateJob: A job with this ID, or key, has not ended (see ``on_conflict``).
            UnknownJob: The server knows no job that ``after`` names.
            NotSendable: Another process could not rebuild the job.
            ClusterUnavailable: The server takes no jobs now; nothing was submitted.
            TypeError, ValueError: The job or an option is invalid.
        """
        submission = self._submitter.make(job, args, options)
        record = await self._submitter.enter(submission)
        return cast("ClusterHandle[T]", self._handle(record))

    async def submit_many(
        self,
        function: Callable[[JobContext, A], Awaitable[T]],
        items: Iterable[A],
        /,
        **options: Unpack[JobOptions],
    ) -> list[ClusterHandle[T]]:
        """Submit a function as a job for each item, many in one round trip.

        Cancellation:
            What has been submitted stays submitted, up to 200 jobs at a time; the rest is not.

        Args:
            function: An async function that is called with a :class:`~ticketr.JobContext` and an
                item. Workers must be able to import it.
            items: What can be pickled.
            options: See :class:`~ticketr.JobOptions`. They hold for each job. ``id`` and
                ``on_conflict`` are refused.

        Returns:
            The handles in the order of the items.

        Raises:
            QueueClosed: The block of the queue has been left.
            NotSendable: Another process could not rebuild a job; nothing was submitted.
            ClusterUnavailable: The server takes no jobs now; what was submitted before stays, the
                rest is not, as with a cancellation.
            TypeError, ValueError: The function or an option is invalid; nothing was submitted.
        """
        for option in ("id", "on_conflict"):
            if option in options:
                raise TypeError(f"submit_many() has no option {option!r}: it is for each job alone")
        submissions = [self._submitter.make(function, (item,), options) for item in items]
        for start in range(0, len(submissions), BATCH):
            await self._submitter.enter_batch(submissions[start : start + BATCH])
        await trio.lowlevel.checkpoint()
        handles: list[Any] = [self._handle(submission.record) for submission in submissions]
        return handles

    @overload
    async def run(self, job: Job[T], /, **options: Unpack[JobOptions]) -> T: ...

    @overload
    async def run(
        self,
        job: Callable[[JobContext, *Ts], Awaitable[T]],
        /,
        *args: *Ts,
        **options: Unpack[JobOptions],
    ) -> T: ...

    async def run(
        self,
        job: Job[T] | Callable[..., Awaitable[T]],
        /,
        *args: object,
        **options: Unpack[JobOptions],
    ) -> T:
        """Submit a job and return its result, as if it were called here.

        Cancellation:
            Cancels the job, and waits for its end, 10 seconds at most; but a job that this has
            merely joined goes on.

        Raises:
            QueueClosed, DuplicateJob, NotSendable, ClusterUnavailable: As :meth:`submit` does.
            JobFailed, JobCancelled, JobTimedOut, JobLost: As :meth:`ClusterHandle.result` does.
        """
        submission = self._submitter.make(job, args, options)
        try:
            handle = self._handle(await self._submitter.enter(submission))
            return cast("T", await handle.result())
        except trio.Cancelled:
            with trio.move_on_after(LAST_WORDS, shield=True):
                await self._submitter.cancel_and_wait(submission.record)
            raise
