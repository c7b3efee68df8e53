"""Open and close a queue: a nursery, a fixed number of workers, and the core that they share."""

from __future__ import annotations

import logging
import math
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Final, Literal, NoReturn, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr._errors import JobCancelled, QueueClosed
from ticketr.jobs._arguments import check_around, checked_retry, checked_timeout
from ticketr.jobs._core import QueueCore, QueueOptions
from ticketr.jobs._groups import leaves
from ticketr.jobs._handle import JobContext
from ticketr.jobs._job import CancelCause, JobSnapshot
from ticketr.jobs._queue import JobQueue
from ticketr.jobs._registry import Keep
from ticketr.jobs._retry import Retry
from ticketr.jobs._scheduling.schedule import Rate, checked_rate
from ticketr.jobs._shutdown import (
    end_repeats_and_pauses,
    error_to_raise,
    refuse_and_cancel_pending,
    refuse_submits,
    wait_until_idle,
)
from ticketr.jobs._sqlite.history import JobHistory, Recorder, check_has_history_methods
from ticketr.jobs._sqlite.store import SqliteStore, check_store
from ticketr.jobs._timer import run_timer_and_bulk_actions
from ticketr.jobs._trio import split_cancelled
from ticketr.jobs._values import (
    check_sync_callable,
    checked_count,
    checked_seconds,
    checked_whole,
    safe_repr,
)
from ticketr.jobs._worker import work

logger = logging.getLogger("ticketr.jobs")

NOT_ENTERED_MESSAGE: Final = "the queue is not open: use `async with open_job_queue(...) as queue`"
MAX_WORKERS: Final = 100_000
"""The most workers of a queue: each is a task, and all start when the block is entered."""


def open_job_queue(
    *,
    workers: int = 1,
    max_pending: float | None = 10,
    keep: Keep = Keep(),  # noqa: B008 - frozen
    retry: Retry | None = None,
    timeout: float | None = None,
    rate: Rate | None = None,
    key_concurrency: float = 1,
    history: JobHistory | None = None,
    store: SqliteStore | None = None,
    on_job_error: Callable[[JobSnapshot], object] | None = None,
    on_error: Literal["report", "cancel"] = "report",
    around: Callable[[JobContext], AbstractAsyncContextManager[object]] | None = None,
) -> AbstractAsyncContextManager[JobQueue]:
    """Open a job queue for the length of an ``async with`` block.

    ::

        async with open_job_queue(workers=3) as queue:
            handle = await queue.submit(download, "https://example.com/a")
            print(await handle.result())

    At its normal end the block waits until no job is pending or running. An exception of the body
    cancels all jobs at once, and leaves the block as it is, not in a group. An error of a job does
    not leave the block, but an interrupt such as KeyboardInterrupt does.

    Cancellation:
        Cancels all jobs. The pending ones are never called.

    Args:
        workers: How many jobs can run at once.
        max_pending: With how many jobs that wait for a worker, or for the pause or rate of the
            queue, a submit has to wait; None or ``math.inf`` for no limit.
        keep: How much to remember of jobs that have ended.
        retry: When to try again a job that fails; None for never. A submit may give a rule of its
            own.
        timeout: How many seconds each attempt of a job may take; None or ``math.inf`` for no limit.
            A submit may give a limit of its own.
        rate: How fast attempts of jobs may start; None for no limit. See
            :meth:`JobQueue.set_rate`.
        key_concurrency: How many jobs with the same key may run at once; ``math.inf`` for no limit.
            See :meth:`JobQueue.set_concurrency`.
        history: Where to keep a record of every job that has ended. No job waits for it. The end of
            the block does, for 5 seconds at most.
        store: Where to keep the jobs that have not ended, so that they outlive the process; None for
            nowhere. The opening takes up what is left. See :class:`SqliteStore`.
        on_job_error: Called with the snapshot of a job that has failed, at its end, unless a task
            waits for it then. The default logs the failure to ``ticketr.jobs``. The function may
            use the queue, and sees the context variables with which the queue was opened. An error
            that it raises is logged.
        on_error: What the failure of a job means for the others. ``"report"``: nothing.
            ``"cancel"``: the first failure cancels the body and all jobs, also if somebody waits for
            the job. It leaves the block in an ``ExceptionGroup``, as in a nursery, and is not given
            to ``on_job_error``, which still gets later failures of other jobs.
        around: Called with the :class:`JobContext` of each attempt. It returns an async context
            manager, and the queue calls the job's function inside that. The attempt's time limit and
            context variables hold for both. An error of the context manager is an error of the
            attempt. If it swallows an error of the function, the attempt's value is None. It cannot
            swallow a cancellation.

    Raises:
        TypeError, ValueError: An argument is invalid.
        RuntimeError: The block is entered a second time, or outside Trio.
        StoreFailed, StoreInUse: Raised by the block: the store cannot be used, or another queue has
            it open.
    """
    if type(keep) is not Keep:
        raise TypeError(f"keep must be a Keep, such as Keep(jobs=100), not {safe_repr(keep)}")
    if on_job_error is not None:
        check_sync_callable("on_job_error", on_job_error)
    if history is not None:
        check_has_history_methods(history)
    if store is not None:
        check_store(store)
    if around is not None:
        check_around(around)
    if on_error not in ("report", "cancel"):
        raise ValueError(f"on_error must be 'report' or 'cancel', not {safe_repr(on_error)}")
    return QueueBlock(
        QueueOptions(
            workers=checked_whole("workers", workers, 1, MAX_WORKERS),
            max_pending=math.inf
            if max_pending is None
            else checked_count("max_pending", max_pending, 1),
            keep=keep,
            retry=None if retry is None else checked_retry(retry),
            timeout=math.inf if timeout is None else checked_timeout(timeout),
            rate=None if rate is None else checked_rate(rate),
            key_concurrency=checked_count("key_concurrency", key_concurrency, 1),
            history=history,
            store=store,
            on_job_error=on_job_error,
            cancels_on_failed_job=on_error == "cancel",
            around=around,
        )
    )


@final
class QueueBlock:
    """The block of a queue.

    Entering and leaving it are protected from KeyboardInterrupt.

    ``asynccontextmanager`` would set the traceback of the body's error, which a class of the user's
    may refuse. So this is a class.
    """

    def __init__(self, options: QueueOptions) -> None:
        self._options = options
        self._core: QueueCore | None = None
        # Also in a run with strict_exception_groups=False: __aexit__ expects a group.
        self._nursery = trio.open_nursery(strict_exception_groups=True)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name!r} cannot be used, since {NOT_ENTERED_MESSAGE}")

    def __enter__(self) -> NoReturn:
        raise TypeError(NOT_ENTERED_MESSAGE)

    def __exit__(self, *_: object) -> None:
        """Be here, so that ``with`` calls ``__enter__``."""

    @enable_ki_protection
    async def __aenter__(self) -> JobQueue:
        if self._core is not None:
            raise RuntimeError("a queue's block is entered once: call open_job_queue() again")
        if not trio.lowlevel.in_trio_task():
            raise RuntimeError(
                "open_job_queue() needs Trio: enter its block in an async function that is run by"
                " trio.run(), not by asyncio or another library"
            )
        history, store = self._options.history, self._options.store
        core = self._core = QueueCore(self._options)
        recorder = None if history is None else Recorder(history, core.interrupt)
        if store is not None:
            from ticketr.jobs._sqlite.opening import open_store  # noqa: PLC0415 - only with a store

            await open_store(core, store)
        nursery = await self._nursery.__aenter__()
        core.attach(nursery.cancel_scope, recorder)
        nursery.start_soon(run_timer_and_bulk_actions, core)
        if core.store is not None:
            nursery.start_soon(core.store.run)
        if recorder is not None:
            nursery.start_soon(recorder.run)
        for number in range(1, core.workers + 1):
            nursery.start_soon(work, core, name=f"ticketr worker {number}")
        return JobQueue(core)

    @enable_ki_protection
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        core = self._core
        assert core is not None  # it was entered
        body = await finish_jobs(core) if error is None else error  # noqa: ASYNC102 - there is no error in this case
        if body is None:
            refuse_submits(core)
        else:
            is_cancel = split_cancelled(body)[1] is None
            refuse_and_cancel_pending(
                core, CancelCause.SCOPE if is_cancel else CancelCause.SHUTDOWN
            )
        if core.recorder is not None:
            core.recorder.stop_background_writes_and_set_deadline()
        core.scope.cancel("the job queue is closed")
        nursery_error: BaseException | None = None
        try:
            await self._nursery.__aexit__(None, None, None)  # noqa: ASYNC102 - it waits for its own
        except BaseExceptionGroup as group:
            nursery_error = group
        if core.store is not None or core.recorder is not None:
            try:
                # In tasks of their own: Ctrl+C goes to the main task, even inside a shield.
                with trio.CancelScope(shield=True):
                    async with trio.open_nursery(strict_exception_groups=True) as closing:
                        if core.store is not None:
                            closing.start_soon(core.store.close)
                        if core.recorder is not None:
                            closing.start_soon(core.recorder.write_rest_and_close)
            except BaseExceptionGroup as group:
                core.fatal += leaves(group)
        core.reporter.report_unseen_failures()
        leaving = error_to_raise(body, core.fatal, nursery_error, core.failed_job_error)
        try:
            if leaving is not None and leaving is not error:
                raise leaving
            return leaving is None  # noqa: ASYNC910 - leaving the nursery is a checkpoint
        finally:
            del body, error, nursery_error, leaving  # their tracebacks hold this frame


async def finish_jobs(core: QueueCore) -> BaseException | None:
    """Wait for the jobs after the body's normal end; return the error that ends the wait early."""
    try:
        end_repeats_and_pauses(core)
        while not core.is_idle or core.reporter.unreported_failures:  # on_job_error may submit
            await wait_until_idle(core)
    except BaseException as error:  # noqa: ASYNC103, BLE001 - it leaves by the block
        return error  # noqa: ASYNC104, ASYNC910 - it leaves by the block
    return None  # noqa: ASYNC910 - leaving the nursery is a checkpoint


@asynccontextmanager
async def drain_on_signals(queue: JobQueue, *, grace: float | None = None) -> AsyncGenerator[None]:
    """Shut a queue down on SIGTERM or SIGINT, for the length of an ``async with`` block.

    ::

        async with open_job_queue() as queue, drain_on_signals(queue, grace=10):
            async for request in requests:
                await queue.submit(handle, request)

    The first signal calls ``queue.shutdown(grace=grace)``, a second one ``queue.shutdown(grace=0)``.
    The body goes on meanwhile, so that it can use the results of the last jobs. When all jobs have
    ended, it is cancelled, and the program goes on after the block. So it does if the shutdown ends
    the body by ``QueueClosed``, or by ``JobCancelled`` with the cause ``SHUTDOWN``.

    A normal exit from the block waits until no job is pending or running. An exception leaves the
    block as the same object.

    Args:
        queue: The queue.
        grace: After how many seconds to cancel the jobs that have not ended. None or ``math.inf``:
            they may take as long as they like, unless a second signal comes.

    Raises:
        TypeError, ValueError: The grace is not a number of seconds.
        RuntimeError: This is not Python's main thread, which alone can receive signals.
    """
    if grace is not None:
        checked_seconds("grace", grace, allow_inf=True)
    draining = trio.Event()
    failure: BaseException | None = None
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_shut_down_on_signals, signals, queue, grace, draining, nursery)
            try:
                yield
            except BaseException as error:  # noqa: ASYNC103 - it leaves by the end of the block
                failure = split_cancelled(error)[1]
                if failure is None:
                    raise
            if failure is None or (draining.is_set() and _is_raised_by_queue_shutdown(failure)):
                failure = None
                await queue.wait_idle()
            nursery.cancel_scope.cancel()
    if failure is not None:
        try:
            raise failure
        finally:
            del failure  # its traceback refers to this frame


async def _shut_down_on_signals(
    signals: AsyncIterator[int],
    queue: JobQueue,
    grace: float | None,
    draining: trio.Event,
    nursery: trio.Nursery,
) -> None:
    """Begin the shutdown at the first signal, and end its grace at the next one."""
    async for number in signals:
        logger.info("%s: the job queue shuts down", signal.Signals(number).name)
        draining.set()
        nursery.start_soon(_shut_down_and_end, queue, grace, nursery.cancel_scope)
        grace = 0.0


async def _shut_down_and_end(queue: JobQueue, grace: float | None, block: trio.CancelScope) -> None:
    await queue.shutdown(grace=grace)
    block.cancel(reason="the job queue has shut down")


def _is_raised_by_queue_shutdown(error: BaseException) -> bool:
    """Return whether an error consists of what a shutdown raises in code that uses the queue."""
    return all(
        isinstance(leaf, QueueClosed)
        or (isinstance(leaf, JobCancelled) and leaf.cause == CancelCause.SHUTDOWN)
        for leaf in leaves(error)
    )
