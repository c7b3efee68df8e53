"""Runs one job of the queue for a command: progress lines, signals, the end."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import trio

from ticketr import JobStatus, open_job_queue
from ticketr.cli.plain import PlainLines

if TYPE_CHECKING:
    from ticketr import Job, JobHandle, JobQueue, JobSnapshot

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """How a command's job ended.

    Attributes:
        snapshot: the job's last state.
        result: its value; None unless it completed.
        signal: the signal that cancelled it, if one did.
    """

    snapshot: JobSnapshot[T]
    result: T | None
    signal: signal.Signals | None


async def run_with_lines(job: Job[T]) -> Ended[T]:
    """Run a job, its progress as plain lines on standard error.

    SIGINT, SIGTERM and SIGHUP cancel the job and leave it the time that its own clean-up takes;
    a second signal ends the process as it would have without us.

    Raises:
        Exception: the one that the job failed with.

    Cancellation:
        Cancels the job and waits until it has ended.
    """
    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(job)
        received: list[signal.Signals] = []
        async with trio.open_nursery() as nursery:
            await nursery.start(_cancel_on_signal, queue, handle, received)
            await _print_lines(handle)
            snapshot = await handle.wait()
            nursery.cancel_scope.cancel()
    result = await handle.result() if snapshot.status is JobStatus.COMPLETED else None
    cancelled = snapshot.status is JobStatus.CANCELLED
    return Ended(snapshot, result, received[0] if received and cancelled else None)


async def _print_lines(handle: JobHandle[T]) -> None:
    lines = PlainLines()
    with handle.watch() as updates:
        async for snapshot in updates:
            if (line := lines.line(snapshot, trio.current_time())) is not None:
                say(line)


async def _cancel_on_signal(
    queue: JobQueue,
    handle: JobHandle[T],
    received: list[signal.Signals],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with trio.open_signal_receiver(*_SIGNALS) as signals:
        task_status.started()
        async for number in signals:
            received.append(signal.Signals(number))
            queue.cancel(handle.id, reason=received[-1].name)
            for each in _SIGNALS:  # whoever asks twice means it
                signal.signal(each, signal.SIG_DFL)


def say(line: str) -> None:
    """Print a line for people: on standard error, at once."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201
