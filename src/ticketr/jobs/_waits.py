"""Waits of jobs that could never end, found before they begin.

A job that waits for another job holds its worker meanwhile. If what it waits for
needs a worker, and every worker is held by a job that waits in the same way, nobody
moves again. So each wait inside a job is looked at first: can what it waits for
still come about by a job that is free to go on, or by a worker that is free?

Which job a task belongs to is read from the task tree: the job whose worker is the
task itself or an ancestor of it. A context variable would not do: a task that a job
starts in somebody else's nursery inherits the variable, but the job does not wait
for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import trio

from ticketr._errors import WouldDeadlock
from ticketr.jobs._job import JobRecord, JobStatus

if TYPE_CHECKING:
    from ticketr.jobs._schedule import Schedule


@final
class Waits:
    """Which running jobs wait, and for what: a job, or (None) room in the queue."""

    def __init__(
        self, running: dict[trio.lowlevel.Task, JobRecord], workers: int, schedule: Schedule
    ) -> None:
        self._running = running
        self._workers = workers
        self._schedule = schedule
        self._waits: dict[JobRecord, list[JobRecord | None]] = {}

    def current_job(self) -> JobRecord | None:
        """The job that the current task belongs to, if any."""
        task, running = trio.lowlevel.current_task(), self._running
        while (job := running.get(task)) is None and (nursery := task.parent_nursery) is not None:
            task = nursery.parent_task
        return job

    def forbid(self, awaited: str) -> None:
        """Refuse a wait that includes the end of the job that waits."""
        if (waiter := self.current_job()) is not None:
            raise WouldDeadlock(waiter.id, awaited)

    def begin(self, waiter: JobRecord, target: JobRecord | None) -> None:
        """Tell that a job is about to wait, if that can end; it says when it does.

        Args:
            waiter: The job that waits.
            target: The job that is waited for; None: room in the queue.
        """
        if not self._can_come(target, {waiter}):
            raise WouldDeadlock(waiter.id, _words(waiter, target))
        self._waits.setdefault(waiter, []).append(target)

    def end(self, waiter: JobRecord, target: JobRecord | None) -> None:
        """The wait is over, however it ended."""
        waits = self._waits[waiter]
        waits.remove(target)
        if not waits:
            del self._waits[waiter]

    def _can_come(self, target: JobRecord | None, asked: set[JobRecord]) -> bool:
        if target is None:
            # The next pending job to be started leaves room behind.
            return any(self._can_come(record, asked) for record in self._schedule.jobs())
        if target.status is JobStatus.RUNNING:
            return self._can_end(target, asked)
        if (obstacle := self._schedule.waits_for_end_of(target)) is not None:
            # When that has ended, its worker is free too.
            return self._can_come(obstacle, asked)
        if len(self._running) < self._workers:
            return True
        return any(self._can_end(record, asked) for record in self._running.values())

    def _can_end(self, record: JobRecord, asked: set[JobRecord]) -> bool:
        if record in asked:
            return False
        asked.add(record)
        waits = self._waits.get(record)
        # Its cancellation ends its waits too.
        return (
            waits is None
            or record.cancel_requested
            or any(self._can_come(target, asked) for target in waits)
        )


def _words(waiter: JobRecord, target: JobRecord | None) -> str:
    if target is None:
        return "room in the queue that only its own end could make"
    if target is waiter:
        return "itself"
    if target.status is JobStatus.PENDING:
        if target.key is not None and target.key == waiter.key:
            return f"job {target.id!r}, which needs the key that this job holds"
        return f"job {target.id!r}, which needs the worker that this job holds"
    return f"job {target.id!r}, which waits for this one"
