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
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, TypeVarTuple, Unpack, cast, final

import trio

from ticketr import JobCancelled, JobFailed, JobStatus, QueueClosed, QueueFull, open_job_queue

if TYPE_CHECKING:
    from ticketr import Job, JobContext, JobHandle, JobOptions, JobProgress, JobQueue

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
OnProgress: TypeAlias = "Callable[[JobProgress], object] | None"

__all__ = ["JobFuture", "JobPortal", "PortalQueue", "open_portal_queue"]

logger: logging.Logger = logging.getLogger("ticketr.jobs")


@final
class JobFuture(Future[T]):
    """The outcome of a job, for other threads: a ``concurrent.futures.Future``.

    Its exception is what the job's function raised, or ``JobTimedOut``. ``asyncio.wrap_future()``
    makes it awaitable. Its callbacks run in Trio's thread.

    Attributes:
        handle: The job, for use in Trio's thread; None until the queue has taken it.
    """

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        super().__init__()
        self.handle: JobHandle[T] | None = None
        self._token = token
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
            self._token.run_sync_soon(self.cancel_if_requested)
        return True

    def running(self) -> bool:
        """Return whether the job is running."""
        handle = self.handle
        return not self.done() and handle is not None and handle.status is JobStatus.RUNNING

    def cancel_if_requested(self) -> None:
        """Cancel the job if that was asked and the queue has taken it; internal."""
        if self.handle is not None and self._is_cancel_requested:
            self.handle.cancel()

    def end(self, error: BaseException | None, value: T | None = None) -> None:
        """End the future, unless it has ended; internal."""
        with suppress(InvalidStateError):
            if isinstance(error, JobCancelled):
                super().cancel()
                self.set_running_or_notify_cancel()
            elif error is not None:
                self.set_exception(unwrap_job_failed(error))
            else:
                self.set_result(cast("T", value))


class PortalQueue:
    """Takes jobs from other threads for the queue of a Trio run; see :func:`open_portal_queue`.

    Attributes:
        queue: The queue, for use in its own Trio run.
    """

    queue: JobQueue

    def __init__(self) -> None:
        self._nursery: trio.Nursery | None = None

    def open(self, queue: JobQueue, nursery: trio.Nursery) -> None:
        """Take jobs from now on, in the Trio run of this call; internal."""
        self._token, self._pid = trio.lowlevel.current_trio_token(), os.getpid()
        self.queue, self._nursery = queue, nursery

    def submit(
        self,
        job: Job[T] | Callable[[JobContext, *Ts], Awaitable[T]],
        /,
        *args: *Ts,
        on_progress: OnProgress = None,
        **options: Unpack[JobOptions],
    ) -> JobFuture[T]:
        """Submit a job from any thread; never blocks.

        The job sees the context variables as they are now. The future has the error of a submit
        that the queue refuses, such as ``DuplicateJob``, or ``QueueClosed`` while the block ends.

        Args:
            job: As for :meth:`ticketr.JobQueue.submit`.
            args: Arguments for the function.
            on_progress: Called in Trio's thread with what the job reports; of reports that come faster
                than it returns, with the newest. All jobs wait while it runs, so it must not block.
                An error that it raises is logged.
            options: See :class:`ticketr.JobOptions`.

        Raises:
            QueueClosed: The Trio run has ended.
            RuntimeError: The portal is not open, or this process is a fork of the portal's.
        """
        if self._nursery is None:
            raise RuntimeError("the portal is not open: submit in its 'with' block")
        if os.getpid() != self._pid:
            raise RuntimeError(
                f"the portal was opened in process {self._pid}, and a fork has no threads: open a"
                " portal in each process, after the fork"
            )
        future: JobFuture[T] = JobFuture(self._token)
        submit = partial(self._submit, future, on_progress, (job, *args), options)
        try:
            self._token.run_sync_soon(copy_context().run, submit)
        except trio.RunFinishedError:
            raise QueueClosed from None
        return future

    def _submit(
        self, future: JobFuture[Any], on_progress: OnProgress, args: Any, options: JobOptions
    ) -> None:
        """Submit a job in Trio's thread, in the context of the submitter."""
        assert self._nursery is not None  # it is open
        later = None
        try:
            future.handle = self.queue.submit_nowait(*args, **options)
            future.cancel_if_requested()
        except (QueueFull, RuntimeError):  # it has to wait, for room or until it is in the store
            later = partial(self.queue.submit, *args, **options)
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
                    future.handle = await later()
                    future.cancel_if_requested()
                assert future.handle is not None
                if on_progress is not None:
                    await forward_progress(future.handle, on_progress)
                future.end(None, await future.handle.result())
        except BaseException as error:  # noqa: ASYNC103 - an Exception is the submitter's
            future.end(error)
            if not isinstance(error, Exception):
                raise


async def forward_progress(
    handle: JobHandle[Any], on_progress: Callable[[JobProgress], object]
) -> None:
    """Call a function with what a job reports, until the job has ended."""
    with handle.watch() as updates:
        last_revision, snapshot = 0, handle.snapshot()  # a reader gets later changes only
        while True:
            if snapshot.progress is not None and snapshot.progress.revision != last_revision:
                last_revision = snapshot.progress.revision
                try:
                    on_progress(snapshot.progress)
                except Exception:
                    logger.exception("on_progress raised about job %r", handle.id)
            try:
                snapshot = await anext(updates)
            except StopAsyncIteration:
                return


def unwrap_job_failed(error: BaseException) -> BaseException:
    """Return what the function of a failed job raised, with the traceback as a note."""
    if not isinstance(error, JobFailed) or error.__cause__ is None:
        return error
    with suppress(Exception):  # a class of the user's may refuse notes
        for note in {*error.__notes__}.difference(getattr(error.__cause__, "__notes__", ())):
            error.__cause__.add_note(note)
    return error.__cause__


@asynccontextmanager
async def open_portal_queue(
    block: AbstractAsyncContextManager[JobQueue], portal: PortalQueue | None = None
) -> AsyncGenerator[PortalQueue, None]:
    """Open a queue that other threads submit to.

    ::

        async with open_portal_queue(open_job_queue(workers=4)) as portal:
            await trio.to_thread.run_sync(serve, portal)

    The block ends as that of the queue does.

    Args:
        block: What :func:`ticketr.open_job_queue` returned.
        portal: The portal to open; a new one by default.
    """
    portal = PortalQueue() if portal is None else portal
    try:
        async with trio.open_nursery(strict_exception_groups=True) as nursery, block as queue:
            portal.open(queue, nursery)
            yield portal
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        raise group.exceptions[0] from None  # noqa: ASYNC123 - the nursery made the group


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
            target=copy_context().run, args=(self._run_trio,), name="ticketr portal", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()  # it raises RuntimeError the second time
        self._opened.result()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._call_in_trio_soon(self._scope.cancel if error is not None else self._leave.set)
        try:
            self._thread.join()
        except BaseException:  # a Ctrl+C cuts the jobs off
            self._call_in_trio_soon(self._scope.cancel)
            self._thread.join()
            raise
        if self._error is not None and error is not None:
            raise BaseExceptionGroup("the block and a job raised", [error, self._error])
        if self._error is not None:
            raise self._error

    def _call_in_trio_soon(self, function: Callable[[], object]) -> None:
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(function)

    def _run_trio(self) -> None:
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
