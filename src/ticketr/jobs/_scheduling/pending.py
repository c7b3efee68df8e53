"""The pending jobs of a queue, and what each of them waits for. Pure.

``schedule`` moves the jobs from one of these queues to another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jobs._scheduling.priority_queue import PriorityQueue
from ticketr.jobs._scheduling.room import WaitingSubmissions

if TYPE_CHECKING:
    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._scheduling.rates import RateLimits


class PendingJobs:
    """The part of a schedule that tells what a job waits for.

    Also written in ``_scheduling.schedule``.

    Attributes:
        max_pending: The most ready jobs with which another one may enter.
        pending: The number of pending jobs.
        ready: The jobs that can start, but for a worker, a pause or the rate of the queue.
        submissions: The submits that wait for room.
        is_paused: Whether no job may start.
        is_stopped: Whether it is paused, or the rate of the queue has no start left.
        rates: The rates of the queue and of keys; None until one is set.
        is_time_dependent: Whether anything may wait for a time.
        blocked: The jobs that wait for a key, by that.
    """

    def __init__(self, max_pending: float) -> None:
        self.max_pending: float = max_pending
        self.pending: int = 0
        self.submissions: WaitingSubmissions = WaitingSubmissions()
        self.is_paused: bool = False
        self.is_stopped: bool = False
        self.rates: RateLimits[KeySlot[JobRecord]] | None = None
        self.is_time_dependent: bool = False
        self.ready: PriorityQueue[JobRecord] = PriorityQueue()
        self.blocked: dict[KeySlot[JobRecord], PriorityQueue[JobRecord]] = {}
        self._delayed: PriorityQueue[JobRecord] = PriorityQueue()  # by when they are due
        self._after: PriorityQueue[JobRecord] = PriorityQueue()  # those that start after others
        self._expiring: PriorityQueue[JobRecord] = PriorityQueue()  # by when they must have started
        self._chosen: dict[KeySlot[JobRecord], JobRecord] = {}  # the ready job of each key
        self._key_holders: dict[KeySlot[JobRecord], JobRecord] = {}
        self._paused_keys: set[KeySlot[JobRecord]] = set()
        # Those that may have begun to wait for a rate; None unless that cancels them.
        self._suspects: list[JobRecord] | None = None

    def jobs(self) -> list[JobRecord]:
        """Return the pending jobs; before each job those that start after it."""
        queues = [self._delayed, self.ready, *self.blocked.values()]
        return [*reversed([*self._after]), *(record for queue in queues for record in queue)]

    def waiting_for(self, record: JobRecord) -> str:
        """Return what keeps a pending job from running."""
        if self.is_paused_for(record):
            return "paused"
        if record.pending_queue is self._after:
            return "after"
        if record.pending_queue is self._delayed:
            return "time"
        key = record.extras.key_slot
        if key is not None and (
            key in self._key_holders or self._chosen.get(key, record) is not record
        ):
            return "key"
        is_limited = self.rates is not None and self.rates.blocks(key)
        return "rate" if is_limited else "worker"

    @property
    def has_room(self) -> bool:
        """Whether another job may become ready by entering."""
        return len(self.ready.entries) < self.max_pending

    def needs_key(self, key: KeySlot[JobRecord]) -> bool:
        """Tell whether a key is paused or has a rate, also while no job has it."""
        return key in self._paused_keys or (self.rates is not None and key in self.rates)

    def _is_blocked(self, key: KeySlot[JobRecord]) -> bool:
        """Tell whether a key is held, paused or without a start left."""
        return (
            key in self._key_holders
            or key in self._paused_keys
            or (self.rates is not None and key in self.rates.empty)
        )

    def blocking_job(self, record: JobRecord) -> JobRecord | None:
        """Return the job that holds the key of a pending one."""
        key_slot = record.extras.key_slot
        return None if key_slot is None else self._key_holders.get(key_slot)

    def waits_after(self, record: JobRecord) -> bool:
        """Tell whether a job is pending and waits for the end of those that it starts after."""
        return record in self._after

    def is_paused_for(self, record: JobRecord) -> bool:
        """Tell whether a pause keeps a pending job from running."""
        return self.is_paused or record.extras.key_slot in self._paused_keys
