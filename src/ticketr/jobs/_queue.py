"""The job queue as its users see it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Hashable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import Any, Literal, TypeVar, TypeVarTuple, Unpack, final, overload

import trio
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint_if_cancelled

from ticketr._errors import StoreFailed
from ticketr.jobs._arguments import JobOptions, checked_priority, make_record, refuse_options
from ticketr.jobs._core import QueueCore
from ticketr.jobs._deadlock import refuse_wait_for_all, wait_for_jobs
from ticketr.jobs._handle import Job, JobContext, JobHandle
from ticketr.jobs._job import (
    CancelCause,
    CancelOutcome,
    JobID,
    JobSnapshot,
    JobStatus,
    QueueStatistics,
)
from ticketr.jobs._maps.repeat import RepeatHandle
from ticketr.jobs._progress import JobProgress
from ticketr.jobs._record import JobRecord, progress_of, snapshot_of
from ticketr.jobs._scheduling.schedule import Rate, checked_rate
from ticketr.jobs._shutdown import refuse_submits, shorten_grace_and_cancel_delayed, wait_until_idle
from ticketr.jobs._sqlite.history import FinishedJob, finished_in_memory
from ticketr.jobs._trio import QueueFull, protect_methods_from_ki, wait_despite_interrupts
from ticketr.jobs._updates import Updates
from ticketr.jobs._values import (
    checked_count,
    checked_key,
    checked_member,
    checked_seconds,
    checked_str,
    checked_whole,
    reason_text,
    safe_repr,
)

A = TypeVar("A")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@final
@protect_methods_from_ki
class JobQueue:
    """Runs jobs on a fixed number of workers; made by :func:`ticketr.open_job_queue`."""

    def __init__(self, core: QueueCore) -> None:
        self._core = core

    @property
    def _core_in_owner_run(self) -> QueueCore:
        """The core, if this runs in the Trio run that opened the queue; else RuntimeError."""
        self._core.subscriptions.owner_run.check()
        return self._core

    async def submit(
        self,
        job: Job[T] | Callable[[JobContext, *Ts], Awaitable[T]],
        /,
        *args: *Ts,
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
        core = self._core
        record = make_record(core, job, args, options)
        if core.store is not None:
            core.store.pack_into_record(record, job, args, waits_for_write=True)
            return JobHandle(await core.submit(record))
        await checkpoint_if_cancelled()
        entered = core.try_enter_or_join(record)
        if entered is None:
            return JobHandle(await core.wait_for_room(record))
        core.waker.note_submit_returning(record)
        try:
            await cancel_shielded_checkpoint()
        finally:
            core.waker.wake_after_submit()
        return JobHandle(entered)

    def submit_nowait(
        self,
        job: Job[T] | Callable[[JobContext, *Ts], Awaitable[T]],
        /,
        *args: *Ts,
        **options: Unpack[JobOptions],
    ) -> JobHandle[T]:
        """Submit a job now or not at all, otherwise as :meth:`submit` does.

        Raises:
            QueueFull: ``max_pending`` jobs wait for a worker, and this is not called inside a job of
                the queue.
            RuntimeError: The queue has a store, and this cannot wait until the job is on disk.
        """
        core = self._core_in_owner_run
        if core.store is not None:
            raise RuntimeError(
                "submit_nowait() cannot wait until a job is in the store: use await submit()"
            )
        entered = core.try_enter_or_join(make_record(core, job, args, options))
        if entered is None:
            raise QueueFull(core.schedule.max_pending)
        core.waker.wake_one()
        return JobHandle(entered)

    async def run(
        self,
        job: Job[T] | Callable[[JobContext, *Ts], Awaitable[T]],
        /,
        *args: *Ts,
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
        core = self._core
        record = make_record(core, job, args, options)
        if core.store is not None:
            core.store.pack_into_record(record, job, args, waits_for_write=True)
        entered = await core.submit(record)
        handle: JobHandle[T] = JobHandle(entered)
        if entered is not record:
            return await handle.result()
        try:
            return await handle.result()
        except BaseException:
            core.cancel(record, CancelCause.SCOPE, "the caller of run() was cancelled")

            async def wait_ended_and_written() -> None:  # noqa: ASYNC910 - the caller has passed a checkpoint
                await wait_for_jobs(core, record.live_self, record.wait_ended, is_refusable=False)
                if core.store is not None:
                    await core.store.wait_end_written(record)

            await wait_despite_interrupts(wait_ended_and_written)  # noqa: ASYNC102 - it is shielded
            core.reporter.report_if_unseen_failure(record)
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
        An error of the items cancels all jobs, and the iteration raises it. A map that is never
        iterated runs all items, drops the values and raises the first failure. Several tasks may
        iterate; each result goes to one of them.

        Cancellation:
            Cancelling the iteration loses no result. Cancelling the block cancels the jobs that are
            left.

        Args:
            function: An async function that is called with a :class:`JobContext` and an item.
            items: An iterable or async iterable, which may be infinite. A generator is closed at
                the end of the map.
            ordered: Whether the results come in the order of the items, or as the jobs end.
            outcomes: Whether to give each job's final :class:`JobSnapshot`, that of a failed one
                too, instead of the values. Its ``item`` is the job's item.
            options: See :class:`JobOptions`; they apply to each job, except ``id`` and
                ``on_conflict``, which are refused.

        Raises:
            TypeError, ValueError: The function, the items or an option is invalid.
            JobFailed, JobCancelled, JobTimedOut: Raised by the iteration, as ``result()`` of a
                handle does.
            QueueClosed: Raised by the iteration, after the results of the jobs that were submitted:
                the queue takes no more.
            WouldDeadlock: Raised by the iteration inside a job that keeps the others from ending.
        """
        self._core.subscriptions.owner_run.check()
        reason = "each job has an ID of its own, and waits for its key"
        refuse_options("map()", options, ("id", "on_conflict"), reason)
        from ticketr.jobs._maps.map import JobMap  # noqa: PLC0415 - only for a map

        return JobMap(
            self._core,
            function,
            items,
            options,
            ordered=bool(ordered),
            outcomes=bool(outcomes),
        )

    def repeat(
        self,
        job: Job[object] | Callable[[JobContext, *Ts], Awaitable[object]],
        /,
        *args: *Ts,
        every: float | Callable[[datetime], datetime],
        first: float | datetime = 0.0,
        missed: Literal["skip", "run_once"] = "skip",
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
            missed: What to do about due times that pass while a run has not ended, or while the
                store is not open: skip them, or make one run at once for the latest of them.
                ``handle.missed`` counts them in any case.
            options: ``id`` (of the repeat), ``name``, ``key``, ``priority``, ``retry``, ``tags``
                and ``timeout``, which hold for each run.

        Raises:
            QueueClosed: The queue takes no more jobs, or its block is being left.
            DuplicateJob: A repeat has this ID, or a live job has the ID of the first run.
            TypeError, ValueError: The job, a due time or an option is invalid.
        """
        self._core.subscriptions.owner_run.check()
        reason = "each run is a job of its own that starts at its due time, by every= and first="
        refused = ("after", "after_any_end", "delay", "start_by", "within", "on_conflict", "once")
        refuse_options("repeat()", options, refused, reason)
        if missed not in ("skip", "run_once"):
            raise ValueError(f"missed must be 'skip' or 'run_once', not {safe_repr(missed)}")
        template, makes_up = make_record(self._core, job, args, options), missed == "run_once"
        repeats, store, stored = self._core.repeats, self._core.store, ""
        if store is not None:
            from ticketr.jobs._sqlite.rows import pack_every  # noqa: PLC0415 - only with a store

            if not template.extras.given_id:
                raise ValueError(
                    "a repeat of a queue with a store needs an id, by which the next opening knows it"
                )
            store.pack_into_record(template, job, args, waits_for_write=False)
            stored = pack_every(every, store.codec, makes_up_latest_missed=makes_up)
        repeat = repeats.start(template, every, first, stored, makes_up_latest_missed=makes_up)
        return RepeatHandle(repeat, self._core)

    def repeats(self) -> list[RepeatHandle]:
        """Return the repeats that have not ended, in the order of their calls.

        With a store these are also the repeats that only its file knows: those of an earlier
        opening that no call has taken over, and those whose function cannot be loaded, which have
        no due times.
        """
        core = self._core_in_owner_run
        return [RepeatHandle(repeat, core) for repeat in core.repeats.live.values()]

    def cancel_repeat(self, repeat_id: JobID) -> bool:
        """End a repeat, as :meth:`RepeatHandle.cancel` does.

        Args:
            repeat_id: The ID of the repeat.

        Returns:
            False if no repeat has this ID, so that nothing changed.

        Raises:
            TypeError: The ID is not text.
        """
        wanted = checked_str("repeat_id", repeat_id)
        return any(handle.cancel() for handle in self.repeats() if handle.id == wanted)

    def unloaded(self) -> dict[JobID, str]:
        """Return the jobs of the store that could not be loaded: why not, by the ID of the job.

        They stay in the file and are not run; no new job can have such an ID. The next opening tries
        to load them again. Empty without a store.
        """
        store = self._core_in_owner_run.store
        unloaded = {} if store is None else store.unloaded
        return {job_id: [*problems.values()][-1] for job_id, problems in unloaded.items()}

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
        core, wanted = self._core_in_owner_run, checked_str("job_id", job_id)
        if core.store is None or not core.store.discard_unloaded(wanted):
            await trio.lowlevel.checkpoint()
            return False
        await core.store.wait_all_written()
        return True

    # Change jobs and the queue

    def cancel(
        self, job_id: JobID | JobHandle[object], *, reason: str | None = None
    ) -> CancelOutcome:
        """Stop a job; never blocks and never raises.

        A pending job has ended when this returns, and its function is never called. A
        running one is interrupted at its next checkpoint.

        This cannot wait for a store: if the process is killed at once, the next opening may run the
        job. :meth:`request_cancel` waits.

        Args:
            job_id: The job's ID, or a handle of it.
            reason: Goes into the ``trio.Cancelled`` that the job sees.
        """
        return self._core.cancel(self._core.find(job_id), CancelCause.USER, reason_text(reason))

    async def request_cancel(
        self, job_id: JobID | JobHandle[object], *, reason: str | None = None
    ) -> CancelOutcome:
        """Stop a job as :meth:`cancel` does; return when the end of a pending one is in the store.

        Cancellation:
            The job is stopped in any case.

        Args:
            job_id: The job's ID, or a handle of it.
            reason: Goes into the ``trio.Cancelled`` that the job sees.
        """
        core, record = self._core, self._core.find(job_id)
        outcome = core.cancel(record, CancelCause.USER, reason_text(reason))
        await trio.lowlevel.checkpoint()
        if core.store is not None and record is not None:
            await core.store.wait_end_written(record)
        return outcome

    def cancel_all(
        self, *, key: Hashable = None, tag: str | None = None, reason: str | None = None
    ) -> dict[JobID, CancelOutcome]:
        """Stop every live job, as :meth:`cancel` does.

        Args:
            key: Only those with this key.
            tag: Only those with this tag.
            reason: Goes into the ``trio.Cancelled`` that the jobs see.

        Returns:
            What was done, by the ID of the job; of two jobs with an ID, to the one that supersedes.

        Raises:
            TypeError: The key cannot be hashed, or the tag is not text.
        """
        words = reason_text(reason)
        live = [job for job in self._live_and_ended_records(key, tag) if not job.status.is_terminal]
        # Those that start after others go first, or these would cancel them.
        waits_for_predecessors = self._core.schedule.waits_for_predecessors
        order = [job for job in reversed(live) if waits_for_predecessors(job)]
        order += [job for job in live if not waits_for_predecessors(job)]
        done = {job: self._core.cancel(job, CancelCause.USER, words) for job in order}
        return {job.id: done[job] for job in live}

    async def retry(self, job_id: JobID | JobHandle[object]) -> JobHandle[object]:
        """Run a failed job again: submit a new job with its ID, function, arguments and options.

        The new job counts the attempts on, and its ``retry`` begins anew; it has no ``after``,
        ``delay`` and ``start_by``, and sees the context variables as they are now. Handles, readers,
        a map and a repeat of the failed job keep its end.

        The queue keeps what it needs for that as long as the record of the failed job. With a store
        that holds after a restart, too, and this returns when the new job is on disk.

        Cancellation:
            A retry that is cancelled has submitted nothing.

        Args:
            job_id: The job's ID, or a handle of a job with this ID.

        Raises:
            UnknownJob: No job with this ID is known.
            DuplicateJob: The job has not ended, or is retried already.
            ValueError: It has not failed.
            QueueClosed: The queue takes no more jobs, or stopped to while this waited for room.
            NotSendable, StoreFailed: The store cannot load the job, or not keep the new one.
        """
        core = self._core
        failed = self._core.find_or_raise(self._core.find_or_raise(job_id).id)
        record = await core.copy_failed_to_resubmit(failed)
        try:
            entered = await core.submit(record)
        except StoreFailed:
            core.registry.restore_id(failed, record)
            raise
        if core.store is None:
            await cancel_shielded_checkpoint()
        return JobHandle(entered)

    def run_now(self, job_id: JobID | JobHandle[object]) -> bool:
        """End a job's delay, or its wait for the next attempt: it is due now.

        Returns:
            False if the job did not wait for a time, so that nothing changed.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        core, record = self._core, self._core.find_or_raise(job_id)
        if not core.schedule.make_due_now(record, core.now()):
            return False
        core.notify_changed_and_wake_worker([record])
        return True

    def set_priority(self, job_id: JobID | JobHandle[object], priority: int) -> bool:
        """Give a job another priority.

        Returns:
            False if the job had ended, so that nothing changed.

        Raises:
            UnknownJob: No job with this ID is known.
            TypeError, ValueError: The priority is not a whole number, or beyond 1e9.
        """
        core, record = self._core, self._core.find_or_raise(job_id)
        priority = checked_priority(priority)
        if record.status.is_terminal:
            return False
        record.set_options({"priority": priority})
        if record.status is JobStatus.PENDING:
            core.schedule.rerank(record)
        core.notify_changed_and_wake_worker([record])
        return True

    def pause(self, key: Hashable = None) -> None:
        """Start no more jobs; those that run go on.

        The pause is lifted when the queue begins to end.

        Args:
            key: Pause only the jobs with this key.

        Raises:
            TypeError: The key cannot be hashed.
        """
        self._set_paused(key, is_paused=True)

    def resume(self, key: Hashable = None) -> None:
        """Undo a pause of the queue, or a pause of a key; neither of them lifts the other.

        Args:
            key: Undo the pause of this key; None for that of the queue.

        Raises:
            TypeError: The key cannot be hashed.
        """
        self._set_paused(key, is_paused=False)

    def _set_paused(self, key: Hashable, *, is_paused: bool) -> None:
        """Begin or lift a pause, unless the queue has begun to end.

        Then all pauses are lifted, and its own stands for the jobs that are being cut off.
        """
        key, core = checked_key(key), self._core_in_owner_run
        if not core.phase.is_ending:
            change = partial(core.schedule.set_paused, is_paused=is_paused)
            core.change_pause_or_limit(key, change, marks_changed=True)

    def set_rate(self, rate: Rate | None, key: Hashable = None) -> None:
        """Limit how fast attempts start: those of all jobs, or those of the jobs with a key.

        The rate of the queue and that of a key both hold. A job that waits for a rate holds neither
        a worker nor its key, and holds up no job of another key. A new rate keeps count of the
        starts that the one before it has seen. The rate of a key holds until it is set to None,
        also while no job has the key.

        Args:
            rate: The rate; None for no limit.
            key: Limit only the jobs with this key.

        Raises:
            TypeError: It is not a rate, or the key cannot be hashed.
        """
        rate = None if rate is None else checked_rate(rate)
        key, core = checked_key(key), self._core_in_owner_run
        if not core.phase.is_queue_over:
            change = partial(core.schedule.set_rate, rate=rate, now=core.now())
            core.change_pause_or_limit(key, change)

    def set_concurrency(self, n: float | None, key: Hashable = None) -> None:
        """Let at most so many jobs run at once: of the whole queue, or of those with a key.

        A lower limit interrupts no job. The limit of a key holds also while no job has the key.

        Args:
            n: The most jobs, at least 1; of the queue at most its ``workers``. None is the default
                again: the ``workers``, or the ``key_concurrency`` of the queue.
            key: Limit only the jobs with this key; ``math.inf`` is no limit then.

        Raises:
            TypeError, ValueError: It is not such a number, or the key cannot be hashed.
        """
        key, core = checked_key(key), self._core_in_owner_run
        if key is None:
            most = core.workers
            limit: float | None = most if n is None else checked_whole("n", n, 1, most)
        else:
            limit = None if n is None else checked_count("n", n, 1)
        if not core.phase.is_queue_over:
            change = partial(core.schedule.set_queue_or_key_concurrency, limit=limit)
            core.change_pause_or_limit(key, change)

    async def wait_idle(self) -> None:
        """Wait until no job is pending or running.

        Cancellation:
            Never touches a job.

        Raises:
            WouldDeadlock: Called by a job of this queue.
        """
        refuse_wait_for_all(self._core_in_owner_run, "the queue to be idle, which includes itself")
        await wait_until_idle(self._core)

    async def shutdown(self, *, grace: float | None = None) -> None:
        """Take no more jobs, wait until all jobs have ended, and close the queue.

        May be called more than once; a later call can only shorten the grace.

        Cancellation:
            Ends the wait alone; the shutdown goes on.

        Args:
            grace: After how many seconds to cancel the jobs that have not ended; their
                clean-up is still waited for, and those that wait for a time are cancelled
                at once. None or ``math.inf``: they may take as long as they like.

        Raises:
            WouldDeadlock: Called without a limit by a job of this queue.
            TypeError, ValueError: The grace is not a number of seconds.
        """
        core = self._core_in_owner_run
        limit = math.inf if grace is None else checked_seconds("grace", grace, allow_inf=True)
        if limit == math.inf:
            refuse_wait_for_all(core, "the end of all jobs, itself included")
        if not core.phase.is_queue_over:  # or it may be another run that asks
            refuse_submits(core, will_cancel_pending=limit <= 0)
            if limit != math.inf:
                shorten_grace_and_cancel_delayed(core, limit)
        await wait_until_idle(core)

    # Ask about jobs

    def _live_and_ended_records(self, key: Hashable, tag: str | None) -> list[JobRecord]:
        """Return the known jobs with this key and tag, in the order of submission; None means any."""
        key = checked_key(key)
        tag = None if tag is None else checked_str("tag", tag)
        self._core.evict_records_unless_closed()
        return self._core.registry.live_and_ended_jobs(key, tag)

    def handle(self, job_id: JobID | JobHandle[object]) -> JobHandle[object]:
        """Return a handle of a job that is known by its ID.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        return JobHandle(self._core.find_or_raise(job_id))

    def status(self, job_id: JobID | JobHandle[object]) -> JobStatus:
        """Return the status of a job.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        return self._core.find_or_raise(job_id).status

    def snapshot(self, job_id: JobID | JobHandle[object]) -> JobSnapshot:
        """Return the state of a job as it is now.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        return snapshot_of(self._core.find_or_raise(job_id))

    def jobs(
        self, *, status: JobStatus | None = None, key: Hashable = None, tag: str | None = None
    ) -> list[JobSnapshot]:
        """Return the known jobs in the order in which they were submitted.

        Args:
            status: Only those with this status.
            key: Only those with this key.
            tag: Only those with this tag.

        Raises:
            TypeError, ValueError: An argument is invalid.
        """
        only = None if status is None else checked_member("status", status, JobStatus)
        return [
            snapshot_of(record)
            for record in self._live_and_ended_records(key, tag)
            if only is None or record.status is only
        ]

    def watch(self, *, until_idle: bool = False) -> Updates[JobSnapshot]:
        """Read every change of every job as it happens; ends when the queue is closed.

        Args:
            until_idle: Whether to end before that, when no job is pending or running and all is
                read.
        """
        return self._core.subscriptions.watch(snapshot_of, until_idle=until_idle)

    def progress(self, *, until_idle: bool = False) -> Updates[JobProgress]:
        """Read what the jobs report as they report it; ends when the queue is closed.

        Args:
            until_idle: Whether to end before that, when no job is pending or running and all is
                read.
        """
        return self._core.subscriptions.watch(progress_of, only_reports=True, until_idle=until_idle)

    async def history(
        self,
        *,
        limit: int = 50,
        status: JobStatus | None = None,
        id: JobID | JobHandle[object] | None = None,  # noqa: A002 - as a submit calls it
    ) -> list[FinishedJob]:
        """Return the jobs that ended last, the newest first, those of earlier runs included.

        Without a history these are the ones that the queue itself remembers.

        Cancellation:
            Changes nothing.

        Args:
            limit: The most jobs to return.
            status: Return only jobs that ended with this status.
            id: Return only jobs with this ID, or with that of this handle. Jobs of earlier runs may
                have had the same ID. A handle of another queue is an unknown ID.

        Raises:
            HistoryFailed: The history could not be read.
            TypeError, ValueError: An argument is invalid.
        """
        core = self._core_in_owner_run
        limit = checked_whole("limit", limit, 0)
        status = None if status is None else checked_member("status", status, JobStatus)
        if type(id) is JobHandle and id.record_if_of_queue(core) is None:
            limit = 0
        job_id = None if id is None else checked_str("id", id.id if type(id) is JobHandle else id)
        if core.recorder is not None:
            return await core.recorder.read_with_unsaved(limit=limit, status=status, job_id=job_id)
        await trio.lowlevel.checkpoint()
        core.evict_records_unless_closed()
        return finished_in_memory(core.registry.ended, limit=limit, status=status, job_id=job_id)

    def statistics(self) -> QueueStatistics:
        """Return the queue in numbers."""
        core = self._core
        return QueueStatistics(
            workers=core.workers,
            pending=core.schedule.pending,
            running=len(core.running),
            completed=core.registry.completed_count,
            failed=core.registry.unsuccessful[JobStatus.FAILED],
            cancelled=core.registry.unsuccessful[JobStatus.CANCELLED],
            evicted=core.registry.evicted_count,
            submitters_waiting=len(core.schedule.submissions),
            unrecorded=core.recorder.lost if core.recorder is not None else 0,
            wait_seconds=core.wait_seconds,
            run_seconds=core.run_seconds,
        )

    def __repr__(self) -> str:
        core, phase = self._core, self._core.phase
        state = "closed" if phase.is_queue_over else "closing" if phase.is_refusing else "open"
        return (
            f"<JobQueue {state}: {len(core.running)} running, "
            f"{core.schedule.pending} pending, {core.workers} workers>"
        )
