"""The job queue: a nursery, a fixed number of workers, and the books between them."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, Unpack, final, overload

import trio
from trio.lowlevel import enable_ki_protection

from ticketr._errors import QueueFull, UnknownJob
from ticketr.jobs._ending import what_leaves
from ticketr.jobs._groups import split_cancelled
from ticketr.jobs._handle import JobHandle, until_ended
from ticketr.jobs._job import CancelCause, JobRecord
from ticketr.jobs._ledger import Ledger
from ticketr.jobs._numbers import Keep, log_failure
from ticketr.jobs._options import JobOptions, checked_priority, checked_timeout, record_of
from ticketr.jobs._recorder import Recorder, remembered
from ticketr.jobs._schedule import Submission
from ticketr.jobs._worker import keep_time, work

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable

    from ticketr.jobs._context import Job, JobContext
    from ticketr.jobs._finished import FinishedJob
    from ticketr.jobs._history import JobHistory
    from ticketr.jobs._job import CancelOutcome, JobID, JobSnapshot, JobStatus
    from ticketr.jobs._numbers import QueueStatistics
    from ticketr.jobs._progress import JobProgress
    from ticketr.jobs._retry import Retry
    from ticketr.jobs._updates import Updates

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@final
class JobQueue:
    """Runs jobs on a fixed number of workers; made by :func:`open_job_queue`."""

    def __init__(self, ledger: Ledger, timeout: float, retry: Retry | None) -> None:
        self._ledger = ledger
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
        """Hand in a job, waiting for room while too many are pending.

        The job sees the context variables as they are now.

        Cancellation:
            A submit that is cancelled has submitted nothing.

        Args:
            job: A :class:`Job`, or an async function that is called with a
                :class:`JobContext` and ``args``.
            args: Arguments for the function.
            options: See :class:`JobOptions`.

        Raises:
            QueueClosed: The queue takes no more jobs, or stopped to while this waited.
            DuplicateJob: A job with this ID, or key, has not ended (see ``on_conflict``).
            WouldDeadlock: Called inside a job that alone could make room.
        """
        record = record_of(job, args, self._timeout, self._retry, **options)
        return JobHandle(await self._enter(record), self._ledger)

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
        """Hand in a job now or not at all, otherwise as :meth:`submit` does.

        Raises:
            QueueFull: As many jobs are pending as may be.
        """
        record = record_of(job, args, self._timeout, self._retry, **options)
        return JobHandle(self._ledger.enter(record), self._ledger)

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
        """Submit a job and return its result, as if it were called here.

        Cancellation:
            Cancels the job, and returns only when it has ended; but a job that this has
            merely joined goes on.

        Raises:
            JobFailed: The function raised; the ``__cause__`` is what it raised.
            JobCancelled: The job was cancelled by somebody else.
            JobTimedOut: The job's time limit passed.
        """
        record = record_of(job, args, self._timeout, self._retry, **options)
        handle = JobHandle[T](await self._enter(record), self._ledger)
        if not handle.is_of(record):
            return await handle.result()
        try:
            return await handle.result()
        except BaseException:
            self._ledger.cancel(record, CancelCause.SCOPE, "the caller of run() was cancelled")
            if not record.status.is_terminal:
                with trio.CancelScope(shield=True):
                    await until_ended(record, self._ledger)
            raise

    @enable_ki_protection
    def cancel(self, job_id: JobID, *, reason: str | None = None) -> CancelOutcome:
        """Stop a job; never blocks and never raises.

        A pending job has ended when this returns, and its function is never called. A
        running one is interrupted at its next checkpoint.

        Args:
            job_id: The job's ID.
            reason: Goes into the ``trio.Cancelled`` that the job sees.
        """
        return self._ledger.cancel(self._ledger.find(job_id), CancelCause.USER, reason)

    @enable_ki_protection
    def cancel_all(
        self, *, key: Hashable = None, tag: str | None = None, reason: str | None = None
    ) -> dict[JobID, CancelOutcome]:
        """Stop every live job, as :meth:`cancel` does.

        Args:
            key: Only those with this key.
            tag: Only those with this tag.
            reason: Goes into the ``trio.Cancelled`` that the jobs see.

        Returns:
            What was done, by the ID of the job.
        """
        live = [job for job in self._ledger.known(key, tag) if not job.status.is_terminal]
        return {job.id: self._ledger.cancel(job, CancelCause.USER, reason) for job in live}

    @enable_ki_protection
    def run_now(self, job_id: JobID) -> bool:
        """End a job's delay, or its wait for the next attempt: it is due now.

        Returns:
            False if the job did not wait for a time, so that nothing changed.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        return self._ledger.run_now(self._find(job_id))

    @enable_ki_protection
    def pause(self, key: Hashable = None) -> None:
        """Start no more jobs; those that run go on. Lifted when the queue begins to end.

        Args:
            key: Pause only the jobs with this key.
        """
        self._ledger.pause(key)

    @enable_ki_protection
    def resume(self, key: Hashable = None) -> None:
        """Undo a pause of the queue, or one of this key: each is lifted by itself."""
        self._ledger.resume(key)

    @enable_ki_protection
    def set_priority(self, job_id: JobID, priority: int) -> bool:
        """Give a job another priority.

        Returns:
            False if the job had ended, so that nothing changed.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        return self._ledger.set_priority(self._find(job_id), checked_priority(priority))

    def status(self, job_id: JobID) -> JobStatus:
        """Where a job is in its life.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        return self._find(job_id).status

    def snapshot(self, job_id: JobID) -> JobSnapshot:
        """A job as it is now.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        return self._find(job_id).snapshot()

    @enable_ki_protection
    def jobs(
        self, *, status: JobStatus | None = None, key: Hashable = None, tag: str | None = None
    ) -> list[JobSnapshot]:
        """The jobs that are known, in the order in which they were submitted.

        Args:
            status: Only those that are there in their life.
            key: Only those with this key.
            tag: Only those with this tag.
        """
        return [
            record.snapshot()
            for record in self._ledger.known(key, tag)
            if status is None or record.status is status
        ]

    @enable_ki_protection
    def watch(self) -> Updates[JobSnapshot]:
        """Read every change of every job as it happens; ends when the queue is closed."""
        return self._ledger.hub.watch(JobRecord.snapshot)

    @enable_ki_protection
    def progress(self) -> Updates[JobProgress]:
        """Read what the jobs report as they report it; ends when the queue is closed."""
        return self._ledger.hub.read_progress(JobRecord.last_report)

    @enable_ki_protection
    async def wait_idle(self) -> None:
        """Wait until no job is pending or running.

        Raises:
            WouldDeadlock: Called inside a job.
        """
        self._ledger.waits.forbid("the queue to be idle, which includes itself")
        await until_idle(self._ledger)

    @enable_ki_protection
    async def shutdown(self, *, grace: float | None = None) -> None:
        """Take no more jobs, let those there are end, and close the queue.

        May be called more than once; a later call can only shorten the grace.

        Cancellation:
            The shutdown goes on; what is cut short is the waiting for it.

        Args:
            grace: After how many seconds to cancel the jobs that have not ended; their
                clean-up is still waited for, and those that wait for a time are cancelled
                at once. None: they may take as long as they like.

        Raises:
            WouldDeadlock: Called inside a job without a limit.
        """
        if grace is None:
            self._ledger.waits.forbid("the end of all jobs, itself included")
        elif not grace >= 0:
            raise ValueError(f"grace must be a number of seconds, not {grace!r}")
        self._ledger.refuse()
        if grace is not None:
            self._ledger.shorten_grace(grace)
        await until_idle(self._ledger)

    @enable_ki_protection
    async def history(
        self, *, limit: int = 50, status: JobStatus | None = None
    ) -> list[FinishedJob]:
        """The jobs that ended last, the newest first, those of earlier runs included.

        Without a history these are the ones that the queue itself remembers.

        Args:
            limit: How many at most.
            status: Only those that ended like this.

        Raises:
            HistoryFailed: The history could not be read.
        """
        if limit < 0:
            raise ValueError(f"limit must not be negative: {limit}")
        recorder = self._ledger.recorder
        if recorder is not None:
            return await recorder.read(limit=limit, status=status)
        await trio.lowlevel.checkpoint()
        self._ledger.refresh()
        ended = [record.snapshot() for _, record in self._ledger.ended]
        return remembered(ended, limit=limit, status=status)

    def statistics(self) -> QueueStatistics:
        """The queue in numbers."""
        return self._ledger.statistics()

    def __repr__(self) -> str:
        ledger = self._ledger
        state = "closed" if ledger.closed else "closing" if ledger.refusing else "open"
        return (
            f"<JobQueue {state}: {len(ledger.running)} running, "
            f"{ledger.schedule.pending} pending, {ledger.workers} workers>"
        )

    async def _enter(self, record: JobRecord) -> JobRecord:
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            record = self._ledger.enter(record)
        except QueueFull:
            return await self._wait_for_room(record)
        await trio.lowlevel.cancel_shielded_checkpoint()
        return record

    async def _wait_for_room(self, record: JobRecord) -> JobRecord:
        schedule = self._ledger.schedule
        submission = Submission(record, trio.lowlevel.current_task())

        def give_up(_: object) -> trio.lowlevel.Abort:
            schedule.leave(submission)
            return trio.lowlevel.Abort.SUCCEEDED

        with self._ledger.waits.waiting(None):
            schedule.line_up(submission)
            await trio.lowlevel.wait_task_rescheduled(give_up)
        if submission.refusal is not None:
            raise submission.refusal
        return submission.record

    @enable_ki_protection
    def _find(self, job_id: JobID) -> JobRecord:
        record = self._ledger.find(job_id)
        if record is None:
            raise UnknownJob(job_id)
        return record


@asynccontextmanager
@enable_ki_protection
async def open_job_queue(
    *,
    workers: int = 1,
    max_pending: int | None = 10,
    keep: Keep = Keep(),  # noqa: B008  # frozen
    retry: Retry | None = None,
    timeout: float | None = None,  # noqa: ASYNC109  # each job's, not this function's
    history: JobHistory | None = None,
    on_job_error: Callable[[JobSnapshot], object] | None = None,
) -> AsyncGenerator[JobQueue, None]:
    """Open a job queue for the length of an ``async with`` block.

    ::

        async with open_job_queue(workers=3) as queue:
            handle = await queue.submit(download, "https://example.com/a")
            print(await handle.result())

    Left normally, the block waits until no job is pending or running. Left by an
    exception, it cancels all jobs at once; the exception comes out as it is, not in a
    group. What a job raises never comes out here, except an interrupt such as
    KeyboardInterrupt.

    Cancellation:
        Cancels all jobs; the pending ones are never called.

    Args:
        workers: How many jobs can run at once.
        max_pending: How many jobs can be pending; None for no limit.
        keep: How much to remember of jobs that have ended.
        retry: When to try a job again that fails, unless it is submitted with a rule of
            its own; None for never.
        timeout: How many seconds a job may run at a time, unless it is submitted with a limit of
            its own; None for no limit.
        history: Where to leave a record of every job that has ended. It never keeps a job
            waiting; the end of the block waits for it, for 5 seconds at most.
        on_job_error: Called with a job's snapshot if it failed and nobody asked for its
            outcome until its record was dropped or the queue ended. The default logs it
            to ``ticketr.jobs``.
    """
    if workers < 1 or (max_pending is not None and max_pending < 1):
        raise ValueError(f"workers and max_pending must be at least 1: {workers}, {max_pending}")
    ledger = Ledger(
        workers=workers,
        max_pending=math.inf if max_pending is None else max_pending,
        keep=keep,
        on_job_error=on_job_error or log_failure,
    )
    ledger.recorder = Recorder(history) if history is not None else None
    queue = JobQueue(ledger, math.inf if timeout is None else checked_timeout(timeout), retry)
    body: BaseException | None = None
    spill: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_time, ledger)
            if ledger.recorder is not None:
                nursery.start_soon(ledger.recorder.write)
            for number in range(1, workers + 1):
                nursery.start_soon(work, ledger, name=f"ticketr worker {number}")
            try:
                yield queue
                ledger.leave()
                if not ledger.is_idle:
                    await until_idle(ledger)
            except BaseException as error:
                body = error
                is_cancel = split_cancelled(error)[1] is None
                ledger.abandon(CancelCause.SCOPE if is_cancel else CancelCause.SHUTDOWN)
                raise
            ledger.refuse()
            nursery.cancel_scope.cancel("the job queue is closed")
    except BaseExceptionGroup as group:
        spill = group
    if ledger.recorder is not None:
        await ledger.recorder.flush()
    ledger.end()
    leaving = what_leaves(body, ledger.fatal, spill)
    if leaving is not None:
        try:
            raise leaving
        finally:
            del body, spill, leaving  # their tracebacks hold this frame


async def until_idle(ledger: Ledger) -> None:
    """Return when no job is pending or running; a checkpoint in any case."""
    while True:
        if ledger.is_idle:
            await trio.lowlevel.checkpoint()
        else:
            await ledger.quiet().wait()
        if ledger.is_idle:
            return
