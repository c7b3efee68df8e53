"""The job queue as its users see it: submitting jobs, one by one, for many items, or repeatedly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, TypeVarTuple, Unpack, final, overload

import trio
from trio.lowlevel import (
    cancel_shielded_checkpoint,
    checkpoint_if_cancelled,
    enable_ki_protection,
)

from ticketr.jobs._admission import wait_for_room
from ticketr.jobs._control import QueueControl
from ticketr.jobs._deadlock import wait_for_jobs
from ticketr.jobs._exceptions import QueueFull
from ticketr.jobs._job import CancelCause
from ticketr.jobs._options import (
    JobOptions,
    make_record,
    refuse_options_of_one_run,
)
from ticketr.jobs._repeat_handle import RepeatHandle
from ticketr.jobs._sqlite.store_submit import submit_durably
from ticketr.jobs._values import checked_text

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Awaitable,
        Callable,
        Iterable,
    )
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from ticketr.jobs._context import Job, JobContext
    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._handle import JobHandle
    from ticketr.jobs._job import JobID, JobSnapshot
    from ticketr.jobs._retry import Retry

A = TypeVar("A")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@final
class JobQueue(QueueControl):
    """Runs jobs on a fixed number of workers; made by :func:`ticketr.open_job_queue`."""

    def __init__(self, core: QueueCore, timeout: float, retry: Retry | None) -> None:
        super().__init__(core)
        self._timeout = timeout
        self._retry = retry

    @overload
    async def submit(self, job: Job[T], /, **options: Unpack[JobOptions]) -> JobHandle[T]: ...

    @overload
    async def submit(
        self,
        job: Callable[[JobContext, *Ts], Awaitable[T]],
        /,
        *args: *Ts,
        **options: Unpack[JobOptions],
    ) -> JobHandle[T]: ...

    @enable_ki_protection
    async def submit(
        self,
        job: Job[T] | Callable[..., Awaitable[T]],
        /,
        *args: object,
        **options: Unpack[JobOptions],
    ) -> JobHandle[T]:
        """Submit a job; wait for room while too many are pending.

        The job sees the context variables as they are now. Called inside a job of this queue, it
        never waits for room.

        Cancellation:
            A submit that is cancelled has submitted nothing.

        Args:
            job: A :class:`Job`, or an async function that is called with a
                :class:`JobContext` and ``args``.
            args: Arguments for the function.
            options: See :class:`JobOptions`.

        Raises:
            QueueClosed: The queue takes no more jobs, or stopped to while this waited.
            NotSendable, StoreFailed: The queue has a store, which cannot keep the job.
            DuplicateJob: A job with this ID, or key, has not ended (see ``on_conflict``).
            TypeError, ValueError: The job or an option is invalid.
        """
        record = make_record(job, args, self._timeout, self._retry, options)
        core = self._core
        if core.store is not None:
            return await submit_durably(core, core.store, record, job, args)
        await checkpoint_if_cancelled()
        handle: JobHandle[T] | None = core.enter(record)
        if handle is None:
            return await wait_for_room(core, record)
        core.dispatcher.job_submitted(record)
        try:
            await cancel_shielded_checkpoint()
        finally:
            core.dispatcher.submit_returned()
        return handle

    @overload
    def submit_nowait(self, job: Job[T], /, **options: Unpack[JobOptions]) -> JobHandle[T]: ...

    @overload
    def submit_nowait(
        self,
        job: Callable[[JobContext, *Ts], Awaitable[T]],
        /,
        *args: *Ts,
        **options: Unpack[JobOptions],
    ) -> JobHandle[T]: ...

    @enable_ki_protection
    def submit_nowait(
        self,
        job: Job[T] | Callable[..., Awaitable[T]],
        /,
        *args: object,
        **options: Unpack[JobOptions],
    ) -> JobHandle[T]:
        """Submit a job now or not at all, otherwise as :meth:`submit` does.

        Raises:
            QueueFull: ``max_pending`` jobs wait for a worker, and this is not called inside a job of
                the queue.
            RuntimeError: The queue has a store, and this cannot wait until the job is on disk.
        """
        self._core.subscriptions.owner_thread.check()
        if self._core.store is not None:
            raise RuntimeError(
                "submit_nowait() cannot wait until a job is in the store: use await submit()"
            )
        record = make_record(job, args, self._timeout, self._retry, options)
        handle: JobHandle[T] | None = self._core.enter(record)
        if handle is None:
            raise QueueFull(self._core.schedule.max_pending)
        self._core.dispatcher.wake()
        return handle

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

    @enable_ki_protection
    async def run(
        self,
        job: Job[T] | Callable[..., Awaitable[T]],
        /,
        *args: object,
        **options: Unpack[JobOptions],
    ) -> T:
        """Submit a job, wait until it has ended, and return what its function returned.

        Cancellation:
            Cancels the job, and returns only when it has ended; but a job that this has
            merely joined goes on.

        Raises:
            QueueClosed, DuplicateJob: As :meth:`submit` does.
            WouldDeadlock: Called inside a job that keeps this one from ending.
            JobFailed: The function raised; the ``__cause__`` is what it raised.
            JobCancelled: The job was cancelled by somebody else.
            JobTimedOut: The job's time limit passed.
        """
        record = make_record(job, args, self._timeout, self._retry, options)
        core = self._core
        handle: JobHandle[T] | None
        if core.store is not None:
            handle = await submit_durably(core, core.store, record, job, args)
        else:
            await checkpoint_if_cancelled()
            handle = core.enter(record)
            if handle is None:
                handle = await wait_for_room(core, record)
            else:
                core.dispatcher.wake()
        if handle.record_in(self._core) is not record:
            return await handle.result()
        try:
            return await handle.result()
        except BaseException:
            self._core.cancel(record, CancelCause.SCOPE, "the caller of run() was cancelled")
            with trio.CancelScope(shield=True):  # noqa: ASYNC912 - the job was cancelled
                await wait_for_jobs(core, record.unended, record.wait_ended, is_refusable=False)
                if core.store is not None:
                    await core.store.wait_end_written(record)
            core.failures.report_if_unseen(record)
            raise

    @overload
    def map(
        self,
        function: Callable[[JobContext, A], Awaitable[T]],
        items: Iterable[A] | AsyncIterable[A],
        /,
        *,
        ordered: bool = True,
        outcomes: Literal[False] = False,
        **options: Unpack[JobOptions],
    ) -> AbstractAsyncContextManager[AsyncIterator[T]]: ...

    @overload
    def map(
        self,
        function: Callable[[JobContext, A], Awaitable[T]],
        items: Iterable[A] | AsyncIterable[A],
        /,
        *,
        ordered: bool = True,
        outcomes: Literal[True],
        **options: Unpack[JobOptions],
    ) -> AbstractAsyncContextManager[AsyncIterator[JobSnapshot[T]]]: ...

    @enable_ki_protection
    def map(
        self,
        function: Callable[[JobContext, Any], Awaitable[object]],
        items: Iterable[object] | AsyncIterable[object],
        /,
        *,
        ordered: bool = True,
        outcomes: bool = False,
        **options: Unpack[JobOptions],
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Run a function as a job for each item, and give the results as an async iterator.

        ::

            async with queue.map(download, urls) as pages:
                async for page in pages:
                    print(page)

        Items are drawn and submitted as there is room, and at most ``workers`` + ``max_pending``
        jobs (2 * ``workers`` without a limit) are submitted and not read: a slow reader slows the
        map down. At a failure the other jobs are cancelled, and the iteration raises it.
        Leaving the block early cancels the jobs that are left, with the cause SCOPE; it is left
        when all jobs have ended. A failure that was not read then goes to ``on_job_error``.
        An error of the items cancels all jobs, and the iteration raises it.

        Cancellation:
            Cancelling the iteration loses no result. Cancelling the block cancels the jobs that are
            left.

        Args:
            function: An async function that is called with a :class:`JobContext` and an item.
            items: An iterable or async iterable, which may be infinite. A generator is closed at
                the end of the map.
            ordered: Whether the results come in the order of the items, or as the jobs end.
            outcomes: Whether to give each job's final :class:`JobSnapshot`, that of a failed one
                too, instead of the values.
            options: See :class:`JobOptions`; they apply to each job, ``id`` to none.

        Raises:
            TypeError, ValueError: The function, the items or an option is invalid.
            JobFailed, JobCancelled, JobTimedOut: Raised by the iteration, as ``result()`` of a
                handle does.
            QueueClosed: Raised by the iteration: the queue takes no more jobs.
            WouldDeadlock: Raised by the iteration inside a job that keeps the others from ending.
        """
        self._core.subscriptions.owner_thread.check()
        from ticketr.jobs._items import check_items  # noqa: PLC0415 - only for a map
        from ticketr.jobs._map import JobMap  # noqa: PLC0415 - the same
        from ticketr.jobs._map_jobs import template_of  # noqa: PLC0415 - the same

        template = template_of(function, self._timeout, self._retry, options)
        check_items(items)
        return JobMap(self._core, template, items, ordered=bool(ordered), outcomes=bool(outcomes))

    @overload
    def repeat(
        self,
        job: Job[object],
        /,
        *,
        every: float | Callable[[datetime], datetime],
        first: float | datetime = 0.0,
        **options: Unpack[JobOptions],
    ) -> RepeatHandle: ...

    @overload
    def repeat(
        self,
        job: Callable[[JobContext, *Ts], Awaitable[object]],
        /,
        *args: *Ts,
        every: float | Callable[[datetime], datetime],
        first: float | datetime = 0.0,
        **options: Unpack[JobOptions],
    ) -> RepeatHandle: ...

    @enable_ki_protection
    def repeat(
        self,
        job: Job[object] | Callable[..., Awaitable[object]],
        /,
        *args: object,
        every: float | Callable[[datetime], datetime],
        first: float | datetime = 0.0,
        **options: Unpack[JobOptions],
    ) -> RepeatHandle:
        """Run a job again and again, until the queue begins to end.

        The due times are ``first + n * every`` from this call. A due time that passes while a run
        has not ended is skipped and counted. Each run is a job of its own, with the ID ``<id>#n``;
        it is submitted when it is due, above ``max_pending``, and sees the context variables as
        they are now. A run that fails or is cancelled does not end the repeat. Between two runs
        there is no job, so the repeat does not keep the block open.

        Args:
            job: As for :meth:`submit`.
            args: Arguments for the function.
            every: The seconds from one due time to the next, at least 0.001; or a function that
                returns the next due time for a due time, both datetimes with a time zone. It is
                given UTC. If it raises or returns no later time, that is logged and the repeat
                ends.
            first: The seconds until the first run, or its due time as a datetime with a time zone.
                Due times that are past are skipped.
            options: ``id`` (of the repeat), ``name``, ``key``, ``priority``, ``retry``, ``tags``
                and ``timeout``, which hold for each run.

        Raises:
            QueueClosed: The queue takes no more jobs, or its block is being left.
            DuplicateJob: A repeat has this ID, or a live job has the ID of the first run.
            TypeError, ValueError: The job, a due time or an option is invalid.
        """
        self._core.subscriptions.owner_thread.check()
        refuse_options_of_one_run(options)
        template = make_record(job, args, self._timeout, self._retry, options)
        repeats, store, stored = self._core.repeats, self._core.store, ""
        if store is not None:
            from ticketr.jobs._sqlite.store_repeats import pack_every  # noqa: PLC0415 - only with a store

            if not template.extras.id:
                raise ValueError(
                    "a repeat of a queue with a store needs an id, by which the next opening knows it"
                )
            store.pack(template, job, args, is_awaited=False)
            stored = pack_every(every, store.allowed)
        return RepeatHandle(repeats.start(template, every, first, stored), repeats)

    @enable_ki_protection
    def repeats(self) -> list[RepeatHandle]:
        """Return the repeats that have not ended, in the order of their calls.

        With a store these are also the repeats that only its file knows: those of an earlier
        opening that no call has taken over, and those whose function cannot be loaded, which have
        no due times.
        """
        repeats = self._core.repeats
        repeats.check_thread()
        return [RepeatHandle(repeat, repeats) for repeat in repeats.live()]

    @enable_ki_protection
    def cancel_repeat(self, repeat_id: JobID) -> bool:
        """End a repeat, as :meth:`RepeatHandle.cancel` does.

        Args:
            repeat_id: The ID of the repeat.

        Returns:
            False if no repeat has this ID, so that nothing changed.

        Raises:
            TypeError: The ID is not text.
        """
        wanted = checked_text("repeat_id", repeat_id)
        return any(handle.cancel() for handle in self.repeats() if handle.id == wanted)

    def unloaded(self) -> dict[JobID, str]:
        """Return the jobs of the store that could not be loaded: why not, by the ID of the job.

        They stay in the file and are not run; no new job can have such an ID. The next opening tries
        to load them again. Empty without a store.
        """
        self._core.subscriptions.owner_thread.check()
        store = self._core.store
        return {} if store is None else dict(store.unloaded)

    @enable_ki_protection
    async def discard(self, job_id: JobID) -> bool:
        """Delete a job of the store that could not be loaded; return when that is written.

        Args:
            job_id: The ID of a job that :meth:`unloaded` has.

        Cancellation:
            The job is deleted in any case.

        Returns:
            False if there is no such job, so that nothing changed.

        Raises:
            TypeError: The ID is not text.
        """
        core, wanted = self._core, checked_text("job_id", job_id)
        core.subscriptions.owner_thread.check()
        if core.store is None or not core.store.discard(wanted):
            await trio.lowlevel.checkpoint()
            return False
        await core.store.wait_all_written()
        return True
