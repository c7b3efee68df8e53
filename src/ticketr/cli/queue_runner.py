"""Runs one job of the queue for a command: its progress, signals, the end."""

from __future__ import annotations

import gc
import logging
import signal
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Generic, TypeVar, TypeVarTuple

import trio

from ticketr import JobStatus, open_job_queue
from ticketr.statusline import StatusLine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ticketr import Job, JobHandle, JobHistory, JobQueue, JobSnapshot

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

#: When the garbage collector looks at the youngest objects, the younger ones and all: a look at
#: 5,000, or 15,000, takes some milliseconds. What a conversion leaves behind is full of cycles, so it
#: must not be left to grow; a look at all objects of a pull takes longest and finds next to nothing.
GARBAGE = (5_000, 2, 500)

_log = logging.getLogger("ticketr")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class JobOutcome(Generic[T]):
    """How a command's job ended.

    Attributes:
        snapshot: The job's last state.
        result: Its value; None unless it completed.
        signal: The signal that cancelled it, if one did.
    """

    snapshot: JobSnapshot
    result: T | None
    signal: signal.Signals | None


def run(async_fn: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run a command's async part.

    What is loaded by now stays until the end, so the garbage collector need not look at it each
    time: that made pauses of some 30 ms in a pull. And a pull makes many objects that live for a
    moment, so it need not look as often as it does by default either.
    """
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    return trio.run(async_fn, *args)


async def run_with_lines(
    job: Job[T], *, plain: bool = True, history: JobHistory | None = None
) -> JobOutcome[T]:
    """Run a job, as `run_side_by_side` runs several."""
    (ended,) = await run_side_by_side([job], plain=plain, history=history)
    return ended


async def run_side_by_side(
    jobs: Sequence[Job[T]],
    *,
    keys: Sequence[str] = (),
    plain: bool = True,
    history: JobHistory | None = None,
) -> list[JobOutcome[T]]:
    """Run jobs at the same time, their progress on standard error.

    That is plain lines, or a status line in a terminal.

    SIGINT, SIGTERM and SIGHUP cancel the job and leave it the time that its own clean-up takes;
    a second signal ends the process as it would have without us.

    Cancellation:
        Cancels the jobs and waits until they have ended.

    Args:
        jobs: The jobs.
        keys: The queue's key for each of them, if they have any.
        plain: Whether it is plain lines in a terminal, too.
        history: Where the jobs are remembered.

    Returns:
        How each of them ended.
    """
    received: list[signal.Signals] = []
    async with (
        open_job_queue(workers=len(jobs), max_pending=None, history=history) as queue,
        StatusLine(queue, plain=plain, hint="ctrl+c cancel"),
    ):
        handles = [
            await queue.submit(job, key=key)
            for job, key in zip_longest(jobs, keys[: len(jobs)])
            if job is not None
        ]
        async with trio.open_nursery() as nursery:
            await nursery.start(_cancel_on_signal, queue, handles, received)
            for handle in handles:
                await handle.wait()
            nursery.cancel_scope.cancel()
        return [await _ended(handle, received) for handle in handles]


async def _ended(handle: JobHandle[T], received: Sequence[signal.Signals]) -> JobOutcome[T]:
    snapshot = handle.snapshot()
    if snapshot.error is not None:
        _log.debug("the job failed:\n%s", snapshot.error.traceback)
    result = await handle.result() if snapshot.status is JobStatus.COMPLETED else None
    cancelled = snapshot.status is JobStatus.CANCELLED
    return JobOutcome(snapshot, result, received[0] if received and cancelled else None)


async def _cancel_on_signal(
    queue: JobQueue,
    handles: Sequence[JobHandle[T]],
    received: list[signal.Signals],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with trio.open_signal_receiver(*_SIGNALS) as signals:
        task_status.started()
        async for number in signals:
            received.append(signal.Signals(number))
            for handle in handles:
                queue.cancel(handle.id, reason=received[-1].name)
            for each in _SIGNALS:  # whoever asks twice means it
                signal.signal(each, signal.SIG_DFL)
