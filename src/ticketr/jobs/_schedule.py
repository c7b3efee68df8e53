"""What runs next, and which submit may enter. Pure: it awaits nothing and knows no clock.

A memory channel could not be this: it is first in, first out, nothing can be taken
out of its middle, and closing its last receiver throws away what is in it.

Priorities and ageing. A job's rank is the time at which it was due, less ``AGING`` seconds for each
point of its priority. All jobs age at the same pace, so the order of two jobs never changes, and a
heap will do. No job waits for ever: it runs before every job of a higher priority that comes late
enough after it.

Keys. A job whose key is held moves to the queue of that key only when it would be the next to run;
it holds no worker there. When the key is free again, the first of its queue moves back to the ready
jobs, where a better one may have come meanwhile. So the queue of a key can be left alone while jobs
come and go, and a key is never given to a job that has ended. A job may also wait for the end of
another one, whose ID it has.

Rates. While the rate of the queue has no start left, no job is taken; a key without a start left is
as a key that is held. Each attempt takes a start when it begins (see ``_rates``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, final

from ticketr.jobs._extras import NO_EXTRAS
from ticketr.jobs._job import PENDING
from ticketr.jobs._priority_queue import PriorityQueue
from ticketr.jobs._rates import RateLimits
from ticketr.jobs._room import WaitingSubmissions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._rates import Rate
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._submission import Submission

AGING: Final = 30.0
"""How many seconds of waiting weigh as much as one point of priority."""


@final
class Schedule:
    """The pending jobs in the order in which they will run, and the submits that wait for room.

    While a submit waits there is no room: code that makes room calls :meth:`next_admitted` before
    another task can enter.
    """

    def __init__(self, max_pending: float) -> None:
        self.max_pending = max_pending
        self.pending: int = 0
        self.submissions: WaitingSubmissions = WaitingSubmissions()
        self.is_paused: bool = False
        self.is_stopped: bool = False  # paused, or the queue's rate has no start left
        self.rates: RateLimits[KeySlot[JobRecord]] | None = None  # None until one is set
        self.is_time_dependent: bool = False  # whether anything may wait for a time
        self._ready = PriorityQueue["JobRecord"]()
        # By the key, or the job, that they wait for.
        self.blocked: dict[KeySlot[JobRecord] | JobRecord, PriorityQueue[JobRecord]] = {}
        self._delayed = PriorityQueue["JobRecord"]()  # by when they are due
        self._after = PriorityQueue["JobRecord"]()  # those that start after others
        self._expiring = PriorityQueue["JobRecord"]()  # by when they must have started
        self._key_holders: dict[KeySlot[JobRecord], JobRecord] = {}
        self._paused_keys: set[KeySlot[JobRecord]] = set()

    def add(self, record: JobRecord, now: float) -> None:
        """Add a job that enters, or that is to be tried again."""
        self.pending += 1
        due_at, extras = record.due_at, record.extras
        if extras is NO_EXTRAS and due_at <= now:  # as nearly always
            record.pending_queue = self._ready
            self._ready.push(record, due_at, record.number)
            return
        if extras.start_by is not None and not record.attempt:
            self._expiring.push(record, extras.start_by, record.number)
            self.is_time_dependent = True
        if extras.links is not None and extras.links.predecessors:
            self._put(record, self._after)
        elif due_at > now:
            record.pending_queue = self._delayed
            self._delayed.push(record, due_at, record.number)
            self.is_time_dependent = True
        else:
            self._put(record, self._ready)

    def _put(self, record: JobRecord, queue: PriorityQueue[JobRecord]) -> None:
        record.pending_queue = queue
        queue.push(record, record.due_at - record.extras.priority * AGING, record.number)

    def peek(self) -> JobRecord | None:
        """Return the job to run next; None if none can run."""
        return None if self.is_stopped else self._first_ready()

    def _first_ready(self) -> JobRecord | None:
        """Return the first job that no other job and no key blocks; move those before it."""
        while (entry := self._ready.first()) is not None:
            record = entry[2]
            blocker = self._blocker(record)
            if blocker is None:
                return record
            queue = self.blocked.setdefault(blocker, PriorityQueue())
            self._ready.pop()
            self._put(record, queue)
        return None

    def _blocker(self, record: JobRecord) -> KeySlot[JobRecord] | JobRecord | None:
        """Return the key or job that blocks a job; None if nothing does."""
        if (predecessor := self.predecessor(record)) is not None:
            return predecessor
        key_slot = record.extras.key_slot
        return key_slot if key_slot is not None and self._is_blocked(key_slot) else None

    def _is_blocked(self, blocker: KeySlot[JobRecord] | JobRecord) -> bool:
        """Tell whether a key is held, paused or has no start left; an ended job blocks none."""
        return (
            blocker in self._key_holders
            or blocker in self._paused_keys
            or (self.rates is not None and blocker in self.rates.empty)
        )

    def predecessor(self, record: JobRecord) -> JobRecord | None:
        """Return the live job whose ID a pending one has, and whose end it waits for."""
        while (holder := record.extras.id_holder) is not None and holder.status.is_terminal:
            record.set_id_holder(holder.extras.id_holder)
        return holder

    def blocking_job(self, record: JobRecord) -> JobRecord | None:
        """Return the job that blocks a pending one: the holder of its ID or its key."""
        key_slot = record.extras.key_slot
        if key_slot is None:
            return self.predecessor(record)
        return self.predecessor(record) or self._key_holders.get(key_slot)

    def take(self) -> JobRecord | None:
        """Remove and return the job to run next; it holds its key from here on."""
        while not self.is_stopped and (record := self._ready.pop()) is not None:
            if record.extras is not NO_EXTRAS and not self._may_run(record):
                continue
            self.pending -= 1
            if self.is_time_dependent and record in self._expiring:
                self._expiring.discard(record)
            return record
        return None

    def _may_run(self, record: JobRecord) -> bool:
        """Give the first job its key and return True, or move it to where it has to wait."""
        blocker = self._blocker(record)
        if blocker is None:
            if record.extras.key_slot is not None:
                self._key_holders[record.extras.key_slot] = record
            return True
        self._put(record, self.blocked.setdefault(blocker, PriorityQueue()))
        return False

    def discard(self, record: JobRecord) -> None:
        """Remove a job that is not to run."""
        record.pending_queue.discard(record)
        self.pending -= 1
        record.pending_queue = self._ready  # that of a key may be gone soon
        if self.is_time_dependent and record in self._expiring:
            self._expiring.discard(record)
        if record.extras.key_slot is not None:
            self._unblock_next(record.extras.key_slot)

    def release_key(self, record: JobRecord) -> None:
        """Free the key of a job that stops running, and make the first that waits for it ready."""
        key_slot = record.extras.key_slot
        assert key_slot is not None  # it has a key
        del self._key_holders[key_slot]
        self._unblock_next(key_slot)

    def unblock_successors(self, record: JobRecord) -> None:
        """Make the first job ready that waits for the end of this one."""
        self._unblock_next(record)

    def _unblock_next(self, blocker: KeySlot[JobRecord] | JobRecord) -> None:
        queue = self.blocked.get(blocker)
        if queue is None:
            return
        if not self._is_blocked(blocker) and (record := queue.pop()) is not None:
            self._put(record, self._ready)
        if not queue:
            del self.blocked[blocker]

    def rerank(self, record: JobRecord) -> None:
        """Move a job to the place of its new priority."""
        queue = record.pending_queue
        if queue is not self._delayed and queue is not self._after:
            queue.discard(record)
            self._put(record, self._ready)

    def jobs(self) -> list[JobRecord]:
        """Return the pending jobs; before each job those that start after it."""
        queues = [self._delayed, self._ready, *self.blocked.values()]
        return [*reversed([*self._after]), *(record for queue in queues for record in queue)]

    # Time

    def next_time(self) -> float:
        """Return when to call :meth:`due` and :meth:`expired` next."""
        when = min(
            self._delayed.first_rank(),
            self._expiring.first_rank(),
            self.submissions.by_deadline.first_rank(),
            math.inf if self.rates is None else self.rates.empty.first_rank(),
        )
        self.is_time_dependent = when != math.inf
        return when

    def delayed(self, now: float) -> Iterator[JobRecord]:
        """Yield the jobs that are not due, then those that wait for a rate.

        The caller ends each one. If another job then waits for a rate, it comes later: a job can
        only have waited for one that was submitted before it.
        """
        yield from [record for record in reversed([*self._after]) if record.due_at > now]
        yield from [*self._delayed]
        if self.rates is not None and self.rates.empty:
            for record in sorted(self.jobs(), key=lambda job: job.number):
                if record.status is PENDING and self.waiting_for(record) == "rate":
                    yield record

    def due(self, now: float) -> list[JobRecord]:
        """Make the jobs ready that have become due, and return them."""
        due: list[JobRecord] = []
        while self._delayed.first_rank() <= now and (record := self._delayed.pop()) is not None:
            self._put(record, self._ready)
            due.append(record)
        return due

    def expired(self, now: float) -> list[JobRecord]:
        """Return the pending jobs that should have started by now; they stay pending."""
        late: list[JobRecord] = []
        while self._expiring.first_rank() <= now and (record := self._expiring.pop()) is not None:
            late.append(record)
        return late

    def make_due(self, record: JobRecord, now: float) -> bool:
        """Make a job due now; return False if it is not delayed."""
        if record.pending_queue is self._after and record.due_at > now:
            record.due_at = now
            return True
        if record.pending_queue is not self._delayed:
            return False
        self._delayed.discard(record)
        record.due_at = now
        self._put(record, self._ready)
        return True

    # Jobs that start after others

    def waits_after(self, record: JobRecord) -> bool:
        """Tell whether a job is pending and waits for the end of those that it starts after."""
        return record in self._after

    def end_wait_after(self, record: JobRecord, now: float) -> None:
        """Make a job ready, or delayed, for which those that it starts after have ended."""
        self._after.discard(record)
        if record.due_at > now:
            record.pending_queue = self._delayed
            self._delayed.push(record, record.due_at, record.number)
        else:
            self._put(record, self._ready)

    # Pauses

    def pause(self, key: KeySlot[JobRecord] | None) -> None:
        """Start no more jobs, or none with this key."""
        if key is None:
            self.is_paused = self.is_stopped = True
        else:
            self._paused_keys.add(key)

    def needs_key(self, key: KeySlot[JobRecord]) -> bool:
        """Tell whether a key is paused or has a rate, also while no job has it."""
        return key in self._paused_keys or (self.rates is not None and key in self.rates)

    def resume(self, key: KeySlot[JobRecord] | None) -> None:
        """Undo a pause."""
        if key is None:
            self.is_paused = False
            self._update_stopped()
        elif key in self._paused_keys:
            self._paused_keys.discard(key)
            self._unblock_next(key)

    def lift_pauses(self) -> list[JobRecord]:
        """Undo every pause; return the jobs that wait for something else from now on."""
        if not (self.is_paused or self._paused_keys):
            return []
        paused = [record for record in self.jobs() if self.waiting_for(record) == "paused"]
        self.is_paused = False
        self._update_stopped()
        self._paused_keys.clear()
        for blocker in [*self.blocked]:
            self._unblock_next(blocker)
        return paused

    def waiting_for(self, record: JobRecord) -> str:
        """Return what keeps a pending job from running."""
        if self.is_paused_for(record):
            return "paused"
        if record.pending_queue is self._after:
            return "after"
        if record.pending_queue is self._delayed:
            return "time"
        if self.blocking_job(record) is not None:
            return "key"
        is_limited = self.rates is not None and self.rates.blocks(record.extras.key_slot)
        return "rate" if is_limited else "worker"

    # Rates

    def set_rate(self, key: KeySlot[JobRecord] | None, rate: Rate | None, now: float) -> None:
        """Give the queue or a key another rate; None for no limit."""
        self.rates = self.rates or RateLimits()
        self.rates.set(key, rate, now)
        self._rate_changed(key)

    def take_starts(self, record: JobRecord, now: float) -> None:
        """Take the starts of an attempt that begins."""
        if self.rates is not None:
            self.rates.take(record.extras.key_slot, now)
            self._update_stopped()

    def refill_rates(self, now: float) -> bool:
        """Let the rates have the starts that they have got by now; return whether any has."""
        refilled = self.rates.refill(now) if self.rates is not None else []
        for key in refilled:
            self._rate_changed(key)
        return bool(refilled)

    def _rate_changed(self, key: KeySlot[JobRecord] | None) -> None:
        self._update_stopped()
        if key is not None:
            self._unblock_next(key)

    def _update_stopped(self) -> None:
        self.is_stopped = self.is_paused or (self.rates is not None and None in self.rates.empty)

    @property
    def starts_by_rate(self) -> bool:
        """Whether a pending job can start as soon as a rate has a start again."""
        if self.is_paused or self.rates is None or not self.rates.empty:
            return False
        return self._first_ready() is not None or any(
            key in self.blocked and key not in self._key_holders and key not in self._paused_keys
            for key in self.rates.empty
            if key is not None
        )

    # What may change without a running job that ends

    @property
    def has_delayed(self) -> bool:
        """Whether a pending job waits for a time."""
        return len(self._delayed) > 0

    @property
    def may_expire(self) -> bool:
        """Whether a pending job ends if it is not started in time."""
        return len(self._expiring) > 0

    @property
    def has_pauses(self) -> bool:
        """Whether a pause may keep a pending job from running."""
        return self.is_paused or not self._paused_keys.isdisjoint(self.blocked)

    def waits_for_time(self, record: JobRecord) -> bool:
        """Tell whether a job is pending and not due."""
        return record in self._delayed

    def expires(self, record: JobRecord) -> bool:
        """Tell whether a pending job ends if it is not started in time."""
        return record in self._expiring

    def is_paused_for(self, record: JobRecord) -> bool:
        """Tell whether a pause keeps a pending job from running."""
        return self.is_paused or record.extras.key_slot in self._paused_keys

    # Submits that wait for room

    def add_submission(self, submission: Submission) -> None:
        """Add a submit that waits for room."""
        self.submissions.add(submission)
        self.is_time_dependent |= submission.record.extras.start_by is not None

    def next_admitted(self) -> Submission | None:
        """Remove and return the next submit if there is room; the caller adds its job."""
        return self.submissions.pop() if self.pending < self.max_pending else None
