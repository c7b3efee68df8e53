"""Runs the jobs of a command in a queue, with their progress, and cancels them on signals."""

from __future__ import annotations

import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Generic, TypeVar, TypeVarTuple

import trio

from ticketr import JobStatus, open_job_queue
from ticketr.statusline import StatusLine

if TYPE_CHECKING:
    from ticketr import Job, JobHandle, JobHistory, JobQueue, JobSnapshot

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

#: The thresholds of the garbage collector's three generations. A collection of 3,000 objects takes
#: some milliseconds, in whatever step it begins. Conversions leave many cycles behind, so the young
#: generations must stay small; a full collection takes longest and finds next to nothing.
GARBAGE = (1_000, 2, 2_500)

#: The signals that cancel the jobs of a command.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_logger = logging.getLogger("ticketr")


@dataclass(frozen=True, slots=True)
class JobOutcome(Generic[T]):
    """The outcome of a command's job.

    Attributes:
        snapshot: The job's last snapshot.
        result: The job's result; None unless it completed.
        signal: The signal that cancelled the job, if one did.
    """

    snapshot: JobSnapshot
    result: T | None
    signal: signal.Signals | None


def run(async_fn: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run the async part of a command.

    The objects that exist now stay until the end, so they are hidden from the garbage collector:
    collecting them made pauses of some 30 ms in a pull. A pull creates many short-lived objects,
    so the collector also runs less often than by default.
    """
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    return trio.run(async_fn, *args)


async def run_one(
    job: Job[T], *, plain: bool = True, history: JobHistory | None = None
) -> JobOutcome[T]:
    """Run one job; see `run_all`."""
    (ended,) = await run_all([job], plain=plain, history=history)
    return ended


async def run_all(
    jobs: Sequence[Job[T]],
    *,
    keys: Sequence[str] = (),
    tags: Sequence[Iterable[str]] = (),
    plain: bool = True,
    history: JobHistory | None = None,
) -> list[JobOutcome[T]]:
    """Run jobs at the same time, and show their progress on standard error.

    The progress is a status line in a terminal, and plain lines elsewhere.

    SIGINT, SIGTERM and SIGHUP cancel the jobs and wait for their clean-up. A second signal has
    its default effect.

    Args:
        jobs: The jobs.
        keys: The queue key of each job, if the jobs have keys.
        tags: The tags of each job, if the jobs have tags.
        plain: Whether to print plain lines in a terminal, too.
        history: The history that records the jobs.

    Returns:
        The outcome of each job, in the order of `jobs`.

    Cancellation:
        Cancels the jobs and waits until they have ended.
    """
    async with (
        open_job_queue(
            workers=len(jobs),
            max_pending=None,
            history=history,
            on_job_error=lambda _: None,  # the caller gets every outcome
        ) as queue,
        StatusLine(queue, plain=plain, hint="ctrl+c cancel"),
    ):
        handles = [
            await queue.submit(job, key=key, tags=words or ())
            for job, key, words in zip_longest(jobs, keys[: len(jobs)], tags[: len(jobs)])
            if job is not None
        ]
        received = await _wait_for_all(queue, handles)
        return [await _outcome_of(handle, received) for handle in handles]


async def _wait_for_all(queue: JobQueue, handles: Sequence[JobHandle[Any]]) -> list[signal.Signals]:
    """Wait until the jobs of a queue have ended, and return the signals that came meanwhile."""
    received: list[signal.Signals] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(_cancel_on_signal, queue, handles, received)
        for handle in handles:
            await handle.wait()
        nursery.cancel_scope.cancel()
    return received


async def _outcome_of(handle: JobHandle[T], received: Sequence[signal.Signals]) -> JobOutcome[T]:
    snapshot = handle.snapshot()
    if snapshot.error is not None:
        _logger.debug("the job failed:\n%s", snapshot.error.traceback)
    result = await handle.result() if snapshot.status is JobStatus.COMPLETED else None
    cancelled = snapshot.status is JobStatus.CANCELLED
    return JobOutcome(snapshot, result, received[0] if received and cancelled else None)


async def _cancel_on_signal(
    queue: JobQueue,
    handles: Sequence[JobHandle[Any]],
    received: list[signal.Signals],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with trio.open_signal_receiver(*_SIGNALS) as signals:
        task_status.started()
        async for number in signals:
            received.append(signal.Signals(number))
            for signal_number in _SIGNALS:  # a second signal ends the process
                signal.signal(signal_number, signal.SIG_DFL)
            for handle in handles:
                queue.cancel(handle.id, reason=received[-1].name)
