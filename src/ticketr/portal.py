"""A job queue for threads that are not Trio's: a portal into a Trio run.

::

    from ticketr.portal import JobPortal

    with JobPortal(workers=4) as portal:
        future = portal.submit(work, 10)
        print(future.result())

``JobPortal`` runs Trio in a thread of its own. ``open_portal_queue`` does the same for a program whose
Trio run has the main thread.
"""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Unpack, cast, final

import trio

from ticketr import JobCancelled, JobError, JobStatus, QueueClosed, QueueFull, open_job_queue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import Self

    from ticketr import Job, JobHandle, JobOptions, JobProgress, JobQueue, JobSnapshot

T = TypeVar("T")
OnProgress: TypeAlias = "Callable[[JobProgress], object] | None"
OnJobError: TypeAlias = "Callable[[JobSnapshot], object] | None"

__all__ = ["JobFuture", "JobPortal", "PortalQueue", "open_portal_queue"]

logger: logging.Logger = logging.getLogger("ticketr.jobs")


@final
class JobFuture(Future[T]):
    """The outcome of a job, for other threads: a ``concurrent.futures.Future``.

    Its exception is what the job's function raised, or ``JobTimedOut``. ``asyncio.wrap_future()``
    makes it awaitable. Its callbacks run in Trio's thread.
    """

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        super().__init__()
        self._token = token
        self._handle: JobHandle[T] | None = None
        self._is_cancel_requested = False

    def cancel(self) -> bool:
        """Cancel the job, also while it runs; never blocks.

        The future ends when the job has ended: as cancelled, or with a value or an error if the job
        came to its end first.

        Returns:
            False if the future has ended otherwise, else True.
        """
        if self.done():
            return self.cancelled()
        self._is_cancel_requested = True
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self.job_submitted, self._handle)
        return True

    def running(self) -> bool:
        """Return whether the job is running."""
        handle = self._handle
        return not self.done() and handle is not None and handle.status is JobStatus.RUNNING

    def job_submitted(self, handle: JobHandle[T] | None) -> None:
        """Note the job in Trio's thread, and cancel it if that was asked; internal."""
        self._handle = self._handle or handle
        if self._handle is not None and self._is_cancel_requested:
            self._handle.cancel()

    def end(self, error: BaseException | None, value: T | None = None) -> None:
        """End the future, unless it has ended; internal."""
        with suppress(InvalidStateError):
            if isinstance(error, JobCancelled | CancelledError):
                if super().cancel():
                    self.set_running_or_notify_cancel()
            elif error is not None:
                self.set_exception(error)
            else:
                self.set_result(cast("T", value))


class PortalQueue:
    """Takes jobs from other threads for the queue of a Trio run; see :func:`open_portal_queue`.

    Attributes:
        queue: The queue, for use in its own Trio run.
    """

    queue: JobQueue

    def __init__(self, on_job_error: OnJobError = None) -> None:
        self._on_job_error = on_job_error
        self._is_closed = False
        self._pid = os.getpid()
        self._nursery: trio.Nursery | None = None

    def open(self, queue: JobQueue, nursery: trio.Nursery) -> None:
        """Take jobs from now on, in the Trio run of this call; internal."""
        self._token = trio.lowlevel.current_trio_token()
        self.queue, self._nursery = queue, nursery

    def submit(
        self,
        job: Job[T] | Callable[..., Awaitable[T]],
        /,
        *args: object,
        on_progress: OnProgress = None,
        **options: Unpack[JobOptions],
    ) -> JobFuture[T]:
        """Submit a job from any thread; never blocks.

        The job sees the context variables as they are now. The future has the error of a submit
        that the queue refuses, such as ``DuplicateJob``.

        Args:
            job: As for :meth:`ticketr.JobQueue.submit`.
            args: Arguments for the function.
            on_progress: Called in Trio's thread with what the job reports; of reports that come faster
                than it returns, with the newest. All jobs wait while it runs, so it must not block.
                An error that it raises is logged.
            options: See :class:`ticketr.JobOptions`.

        Raises:
            QueueClosed: The queue takes no more jobs.
            RuntimeError: The portal is not open, or this process is a fork of the portal's.
        """
        self._refuse_fork()
        if self._nursery is None:
            raise RuntimeError("the portal is not open: submit in its 'with' block")
        future: JobFuture[T] = JobFuture(self._token)
        submit = partial(self._submit, future, on_progress, job, *args, **options)
        if self._is_closed:
            raise QueueClosed
        try:
            self._token.run_sync_soon(copy_context().run, submit)
        except trio.RunFinishedError:
            raise QueueClosed from None
        return future

    def _submit(
        self,
        future: JobFuture[Any],
        on_progress: OnProgress,
        job: Any,
        /,
        *args: Any,
        **options: Any,
    ) -> None:
        """Submit a job in Trio's thread, in the context of the submitter."""
        assert self._nursery is not None  # it is open
        later = None
        try:
            future.job_submitted(self.queue.submit_nowait(job, *args, **options))
        except (QueueFull, RuntimeError):  # it has to wait, for room or until it is in the store
            later = partial(self.queue.submit, job, *args, **options)
        except Exception as error:  # noqa: BLE001 - the submitter gets it
            future.end(error)
            return
        try:
            self._nursery.start_soon(self._follow, future, later, on_progress)
        except RuntimeError:  # the block has ended, and a queue with a store has not said so
            future.end(QueueClosed())

    async def _follow(
        self,
        future: JobFuture[Any],
        later: Callable[[], Awaitable[JobHandle[Any]]] | None,
        on_progress: OnProgress,
    ) -> None:
        """Follow a job to its end, and end its future.

        The shield needs no limit: the end of the queue's block ends each job and each submit.
        """
        try:
            with trio.CancelScope(shield=True):
                if later is not None:
                    future.job_submitted(await later())
                handle = future._handle  # noqa: SLF001 - the same module
                assert handle is not None
                if on_progress is not None:
                    await tell_progress(handle, on_progress)
                try:
                    future.end(None, await handle.result())
                except JobError as error:
                    if self._on_job_error is not None and handle.status is JobStatus.FAILED:
                        call_logged(self._on_job_error, handle.snapshot())
                    future.end(original_error(error))
        except BaseException as error:  # noqa: ASYNC103 - an Exception is the submitter's
            future.end(error)
            if not isinstance(error, Exception):
                raise

    def _refuse_fork(self) -> None:
        if os.getpid() != self._pid:
            raise RuntimeError(
                f"the portal was opened in process {self._pid}, and a fork has no threads: open a"
                " portal in each process, after the fork"
            )

    def refuse_submits(self) -> None:
        """Take no more jobs from now on."""
        self._is_closed = True


async def tell_progress(
    handle: JobHandle[Any], on_progress: Callable[[JobProgress], object]
) -> None:
    """Call a function with what a job reports, until the job has ended."""
    with handle.watch() as updates:
        told, snapshot = 0, handle.snapshot()  # a reader gets later changes only
        while True:
            if snapshot.progress is not None and snapshot.progress.revision != told:
                told = snapshot.progress.revision
                call_logged(on_progress, snapshot.progress)
            try:
                snapshot = await anext(updates)
            except StopAsyncIteration:
                return


def call_logged(function: Callable[[T], object], value: T) -> None:
    """Call a function of the user's, and log its error."""
    try:
        function(value)
    except Exception:
        logger.exception("a function that was called about a job raised")


def original_error(error: JobError) -> BaseException:
    """Return what the job's function raised, with the traceback as a note."""
    original = error.__cause__ or error
    with suppress(Exception):  # a class of the user's may refuse notes
        for note in {*error.__notes__}.difference(getattr(original, "__notes__", ())):
            original.add_note(note)
    return original


@asynccontextmanager
async def open_portal_queue(
    block: AbstractAsyncContextManager[JobQueue],
    portal: PortalQueue | None = None,
    *,
    on_job_error: OnJobError = None,
) -> AsyncGenerator[PortalQueue, None]:
    """Open a queue that other threads submit to.

    ::

        async with open_portal_queue(open_job_queue(workers=4)) as portal:
            await trio.to_thread.run_sync(serve, portal)

    The block ends as that of the queue does.

    Args:
        block: What :func:`ticketr.open_job_queue` returned.
        portal: The portal to open; a new one by default.
        on_job_error: Called in Trio with the snapshot of each job that has failed, although its
            future tells of it, too. The queue calls its own for jobs without a future.
    """
    portal = PortalQueue(on_job_error) if portal is None else portal
    try:
        async with trio.open_nursery(strict_exception_groups=True) as nursery, block as queue:
            portal.open(queue, nursery)
            yield portal
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        raise group.exceptions[0] from None  # noqa: ASYNC123 - the nursery made the group
    finally:
        portal.refuse_submits()


@final
class JobPortal(PortalQueue):
    """A job queue in a thread of its own, for programs that are not Trio's.

    ::

        with JobPortal(workers=4, grace=5) as portal:
            future = portal.submit(download, "https://example.com/a", on_progress=print)
            print(future.result())

    At its normal end the block shuts the queue down. An exception of the body cancels all jobs.
    In both cases the block waits until they have ended. An exit or interrupt of a job ends the
    portal: all futures end, and the block raises it. It is entered once.

    Args:
        workers: How many jobs can run at once.
        grace: The seconds that due and running jobs have at the end of the block until they are
            cancelled. None waits for all jobs, delayed ones included.
        options: The other options of :func:`ticketr.open_job_queue`; ``max_pending`` is None.

    Raises:
        TypeError, ValueError: An argument is invalid.
    """

    def __init__(self, *, workers: int = 1, grace: float | None = None, **options: Any) -> None:
        super().__init__()
        self._block = open_job_queue(workers=workers, **{"max_pending": None, **options})
        if grace is not None and not grace >= 0:
            raise ValueError(f"grace must be a number of seconds, not {grace!r}")
        self._grace = grace
        self._opened: Future[None] = Future()
        self._error: BaseException | None = None
        self._thread = threading.Thread(  # noqa: TID251 - Trio itself runs in it
            target=copy_context().run, args=(self._run,), name="ticketr portal", daemon=True
        )

    def __enter__(self) -> Self:
        self._refuse_fork()
        self._thread.start()  # it raises RuntimeError the second time
        try:
            self._opened.result()
        except KeyboardInterrupt:
            self._opened.add_done_callback(lambda _: self._end(self._scope.cancel))
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if os.getpid() != self._pid:
            return  # the jobs are the other process's
        self.refuse_submits()
        self._end(self._scope.cancel if error is not None else self._leave.set)
        try:
            self._thread.join()
        except BaseException:  # a Ctrl+C cuts the jobs off
            self._end(self._scope.cancel)
            self._thread.join()
            raise
        if self._error is not None and error is not None:
            raise BaseExceptionGroup("the block and a job raised", [error, self._error])
        if self._error is not None:
            raise self._error

    def _end(self, how: Callable[[], object]) -> None:
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(how)

    def _run(self) -> None:
        try:
            trio.run(self._main)
        except BaseException as error:  # noqa: ASYNC103, BLE001 - the block raises it
            if self._opened.done():
                self._error = error
            else:
                self._opened.set_exception(error)

    async def _main(self) -> None:
        self._leave, self._scope = trio.Event(), trio.CancelScope()
        with self._scope:
            async with open_portal_queue(self._block, self):
                self._opened.set_result(None)
                await self._leave.wait()
                if self._grace is not None:
                    await self.queue.shutdown(grace=self._grace)
