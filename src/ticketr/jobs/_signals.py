"""Shut a queue down when the process is told to stop."""

from __future__ import annotations

import logging
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from ticketr._errors import JobCancelled, QueueClosed
from ticketr.jobs._exceptions import split_cancelled
from ticketr.jobs._groups import leaves
from ticketr.jobs._job import CancelCause
from ticketr.jobs._values import checked_seconds

if TYPE_CHECKING:
    from ticketr.jobs._queue import JobQueue

logger = logging.getLogger("ticketr.jobs")


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
        checked_seconds("grace", grace, limit=True)
    draining = trio.Event()
    failure: BaseException | None = None
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_receive, signals, queue, grace, draining, nursery)
            try:
                yield
            except BaseException as error:  # noqa: ASYNC103 - it leaves by the end of the block
                failure = split_cancelled(error)[1]
                if failure is None:
                    raise
            if failure is None or (draining.is_set() and _is_expected(failure)):
                failure = None
                await queue.wait_idle()
            nursery.cancel_scope.cancel()
    if failure is not None:
        try:
            raise failure
        finally:
            del failure  # its traceback refers to this frame


async def _receive(
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
        nursery.start_soon(_shut_down, queue, grace, nursery.cancel_scope)
        grace = 0.0


async def _shut_down(queue: JobQueue, grace: float | None, block: trio.CancelScope) -> None:
    await queue.shutdown(grace=grace)
    block.cancel(reason="the job queue has shut down")


def _is_expected(error: BaseException) -> bool:
    """Return whether an error consists of what a shutdown raises in code that uses the queue."""
    return all(
        isinstance(leaf, QueueClosed)
        or (isinstance(leaf, JobCancelled) and leaf.cause == CancelCause.SHUTDOWN)
        for leaf in leaves(error)
    )
