"""The base class of a queue's core: its parts, when it is idle, and how it is ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from ticketr.jobs._failures import FailureReporter
from ticketr.jobs._job import CancelCause
from ticketr.jobs._phase import Phase
from ticketr.jobs._schedule import Schedule
from ticketr.jobs._timer import Timer
from ticketr.jobs._updates import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.jobs._job import JobSnapshot
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._sqlite.recorder import Recorder
    from ticketr.jobs._sqlite.store_writer import StoreWriter
    from ticketr.jobs._updates import WaitForChange


class CoreBase:
    """The part of a queue's core that tells whether the queue is idle, and that ends it.

    Attributes:
        running: The running jobs, by worker.
        schedule: The pending jobs, and what runs next.
        phase: How far the queue is on the way to its end.
        timer: When the timer task has something to do.
        failures: Reports failures that nobody waits for.
        subscriptions: The readers of updates.
        recorder: Writes the history, if there is one.
        store: Keeps the jobs on disk, if there is a store.
        fatal: The error that has to leave by the queue's block.
        idle_event: Set when no job is pending or running; made by the first task that waits for it.
    """

    __slots__ = (
        "_scope",
        "failures",
        "fatal",
        "idle_event",
        "phase",
        "recorder",
        "running",
        "schedule",
        "store",
        "subscriptions",
        "timer",
    )

    def __init__(
        self,
        max_pending: float,
        on_job_error: Callable[[JobSnapshot], object] | None,
        wait_for_change: WaitForChange[JobRecord],
        *,
        cancel_on_error: bool,
    ) -> None:
        self.running: dict[trio.lowlevel.Task, JobRecord] = {}
        self.schedule: Schedule = Schedule(max_pending)
        self.phase: Phase = Phase()
        self.timer: Timer = Timer()
        self.failures: FailureReporter = FailureReporter(
            on_job_error, self.interrupt, self.timer.wake, cancels_queue=cancel_on_error
        )
        self.subscriptions: Subscriptions[JobRecord] = Subscriptions(wait_for_change)
        self.recorder: Recorder | None = None
        self.store: StoreWriter | None = None
        self.fatal: list[BaseException] = []
        self.idle_event: trio.Event | None = None
        self._scope: trio.CancelScope = trio.CancelScope()

    def attach(self, scope: trio.CancelScope, recorder: Recorder | None) -> None:
        """Take over the cancel scope around the queue's tasks, and the history's recorder."""
        self._scope = scope
        self.recorder = recorder

    def attach_store(self, store: StoreWriter) -> None:
        """Keep all jobs in a store from now on."""
        self.store = store
        self.subscriptions.observe(store.job_changed)

    @property
    def is_idle(self) -> bool:
        """Whether no job is pending or running."""
        return not self.running and not self.schedule.pending

    def expect_idle(self) -> trio.Event:
        """Return an event that is set when the queue is idle; it may be busy again by then."""
        if self.idle_event is None:
            self.idle_event = trio.Event()
        return self.idle_event

    def notify_idle(self) -> None:
        """Wake the tasks that wait for the queue to be idle; close a queue that refuses jobs."""
        if self.idle_event is not None:
            self.idle_event.set()
            self.idle_event = None
            self.subscriptions.notify_idle()
        if self.phase.refusing:
            self.phase.close()
            self.subscriptions.close()

    def interrupt(self, error: BaseException) -> None:
        """End the queue, and have this error leave by its block.

        It does not go through the nursery, which calls the error's ``repr`` and splits groups.
        """
        self.fatal.append(error)
        self.phase.note_cause(CancelCause.SHUTDOWN)
        self.cancel_tasks("a job or a callback raised what ends the program")

    def cancel_by_failure(self, error: BaseException) -> None:
        """End the queue because a job failed, and have its error leave by the block in a group."""
        self.failures.cancel_queue(error)
        self.phase.note_cause(CancelCause.SHUTDOWN)
        self.cancel_tasks("a job failed, and the queue was opened with on_error='cancel'")

    def cancel_tasks(self, reason: str) -> None:
        """Cancel the tasks of the queue, and with them the jobs that they run."""
        self._scope.cancel(reason)

    # What the steps of a job have in common

    def notify_pending(self, record: JobRecord) -> None:
        """Notify the timer and the readers that a job has become pending."""
        if self.schedule.is_time_dependent:
            self.timer.wake_at(self.schedule.next_time())
        self.subscriptions.notify_changed(record)
