"""Which idle worker is woken, and when.

Idle workers wait on a memory channel. What it carries are wake-ups, not jobs: another job may be
the best by the time the worker runs, so a worker that is woken asks the schedule again.

One wake-up at a time. Trio runs the tasks that became ready in the same instant in random order. If
every submit woke a worker of its own, the third job could start before the first. So at most one
wake-up is under way; the worker that it wakes takes the best job there is by then, and wakes the
next worker before it starts on that. A worker that has finished a job looks for another by itself,
but leaves the last one to the worker that is being woken.

Returning submits. To wake a worker takes longer than to run a small job. So while any job runs, no
worker is woken for a job whose submit is about to return: the submit itself looks one step later
whether its job is still pending, and only then wakes a worker. A worker that finds nothing to do
meanwhile does not wait on the channel: it looks again one step later, when the next job is often
there. Until then it counts as the worker that is being woken, without a message in the channel.

Contexts. A wake-up also switches the worker's context to that of the best job, which saves the
worker a checkpoint (see ``switch_context``). A job without context variables can do without.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Sized
from typing import final

import trio
from trio.lowlevel import cancel_shielded_checkpoint

from ticketr.jobs._record import JobRecord
from ticketr.jobs._scheduling.schedule import Schedule
from ticketr.jobs._trio import switch_context


@final
class WorkerWaker:
    """Wakes the idle workers of one queue.

    Attributes:
        idle: The workers without a job, in the order in which the channel wakes them. A worker that
            looks again without a message is first.
        returning_submits: How many submits are about to return.
        wakeup_pending: Whether the first idle worker is being woken.
    """

    def __init__(self, schedule: Schedule, running: Sized, workers: int) -> None:
        self._schedule = schedule
        self._running = running
        self.idle: deque[trio.lowlevel.Task] = deque()
        self.returning_submits: int = 0
        self.wakeup_pending: bool = False
        self.wakeup_sender: trio.MemorySendChannel[None]
        self.wakeup_receiver: trio.MemoryReceiveChannel[None]
        self.wakeup_sender, self.wakeup_receiver = trio.open_memory_channel[None](workers)

    def wake_one(self) -> None:
        """Wake an idle worker, if there is one and a job could run.

        If a worker is being woken already, this only switches its context.
        """
        if not self.idle:
            return
        record = self._schedule.peek()
        if record is None:
            return
        # The context of an idle worker is blank, so it will do for a job without variables.
        if record.call[2] or self.wakeup_pending:
            switch_context(self.idle[0], record.call[2])
        if not self.wakeup_pending:
            self.wakeup_pending = True
            self.wakeup_sender.send_nowait(None)

    def wake_one_unless_submits_do(self) -> None:
        """Wake the next worker, unless submits that are about to return will do it."""
        if self._schedule.pending > self.returning_submits:
            self.wake_one()

    def note_submit_returning(self, record: JobRecord) -> None:
        """Note that the submit of a job is about to return; :meth:`wake_after_submit` has to follow.

        Wake an idle worker now, unless :meth:`wake_after_submit` can do it.
        """
        self.returning_submits += 1
        if self.idle and (record.call[2] if self.wakeup_pending else not self._running):
            self.wake_one()

    def wake_after_submit(self) -> None:
        """Wake a worker if none has taken the submitted job by now."""
        self.returning_submits -= 1
        if self.idle and not self.wakeup_pending and self._schedule.pending:
            self.wake_one()

    def wait_for_wakeup(self, worker: trio.lowlevel.Task) -> Awaitable[None]:
        """Return what an idle worker awaits until it is time to ask the schedule again.

        The worker does the rest itself, which saves each job a coroutine (see ``_worker``).
        """
        if self.returning_submits and not self.wakeup_pending:
            self.wakeup_pending = True
            self.idle.appendleft(worker)
            return cancel_shielded_checkpoint()  # noqa: ASYNC105 - the worker awaits it
        self.idle.append(worker)
        return self.wakeup_receiver.receive()

    def stop_waiting(self, worker: trio.lowlevel.Task) -> None:
        """Stop counting a worker as idle, whether it was woken or cancelled.

        If one worker is cancelled, all are, and none is woken again. An interrupt may come before
        the worker was counted.
        """
        self.wakeup_pending = False
        if worker in self.idle:  # nearly always as the first
            self.idle.remove(worker)
