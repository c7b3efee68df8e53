"""What runs next, and which submit may enter. Pure: it awaits nothing and knows no clock.

A memory channel cannot do this: it is first in, first out, nothing can be taken
out of its middle, and closing its last receiver throws away what is in it.

Order. A job of higher priority runs first; of two equal ones, the one that was due first (at its
submit, or at the end of a delay or back-off), then the one that was submitted first. The order of
two jobs does not depend on the time, so a heap will do.

Keys. Of the jobs with a key, the best are ready: as many as the key lets start. The others wait in
the queue of the key. So all ready jobs can start as soon as there are workers.

Room. Only ready jobs take room. One that becomes ready is never refused, so there may be more.

Rates. While the rate of the queue has no start left, no job is taken; while that of a key has none,
no job of the key is ready. Each attempt takes a start when it begins.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Hashable, Iterator, Sized
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, final

from ticketr.jobs._values import checked_number, checked_seconds, safe_repr

if TYPE_CHECKING:
    from ticketr.jobs._core import WaitingSubmit
    from ticketr.jobs._record import JobRecord

T = TypeVar("T", bound="Hashable")
Entry: TypeAlias = tuple[float, float, int, T]
"""A rank, a time, a number, and the item that has them."""

MAX_EXCESS_STALE_ENTRIES: Final = 32
"""By how many the stale entries may exceed the valid ones before all stale ones are dropped."""


@final
@dataclass(eq=False, repr=False, slots=True)
class PriorityQueue(dict[T, Entry[T]]):
    """Items, each with its entry, ordered by rank, the lowest first, then by time, then by number.

    Most items arrive in order and are appended to a deque, which is quicker than a heap. An item
    that belongs before the last one goes to a heap. A removed item's entry is not searched for: it
    is stale, and stays until it is first, or until more than half of all entries are stale.
    """

    _in_order: deque[Entry[T]] = field(default_factory=deque)
    _heap: list[Entry[T]] = field(default_factory=list)

    def push(self, item: T, rank: float, unique_number: int, time: float = 0.0) -> None:
        """Add an item; the lowest rank comes first."""
        entry = self[item] = (rank, time, unique_number, item)
        queue = self._in_order
        if not queue or queue[-1] < entry:
            queue.append(entry)
        else:
            heappush(self._heap, entry)

    def first(self) -> Entry[T] | None:
        """Return the entry of the first item; None if there is none."""
        queue, heap = self._in_order, self._heap
        while queue and self.get(queue[0][3]) is not queue[0]:
            queue.popleft()
        while heap and self.get(heap[0][3]) is not heap[0]:
            heappop(heap)
        if heap and (not queue or heap[0] < queue[0]):
            return heap[0]
        return queue[0] if queue else None

    def first_rank(self) -> float:
        """Return the rank of the first item; infinity if there is none."""
        first = self.first()
        return math.inf if first is None else first[0]

    def take(self) -> T | None:
        """Remove and return the first item; None if there is none."""
        if self._in_order and not self._heap:  # nearly always; the first is seldom stale
            oldest = self._in_order.popleft()
            item = oldest[3]
            if self.get(item) is oldest:
                del self[item]
                return item
        entry = self.first()
        if entry is None:
            return None
        if self._in_order and self._in_order[0] is entry:
            self._in_order.popleft()
        else:
            heappop(self._heap)
        item = entry[3]
        del self[item]
        return item

    def take_until(self, rank: float) -> Iterator[T]:
        """Remove and return the items up to this rank, one by one."""
        while (first := self.first()) is not None and first[0] <= rank:
            self.take()
            yield first[3]

    def discard(self, item: T) -> bool:
        """Remove an item, from the middle or from the front; return False if it is not there."""
        entry, queue = self.pop(item, None), self._in_order
        if entry is None:
            return False
        if queue and queue[0] is entry:
            queue.popleft()
        elif queue and queue[-1] is entry:
            queue.pop()
        elif len(queue) + len(self._heap) > 2 * len(self) + MAX_EXCESS_STALE_ENTRIES:
            self._in_order = deque(sorted(self.values()))
            self._heap = []
        return True


@final
@dataclass(frozen=True, slots=True)
class Rate:
    """A limit on how fast attempts start.

    A bucket holds ``burst`` starts and is full at first. Each start of an attempt takes one, and
    one comes back every ``per / count`` seconds. ``Rate(10)`` is ten a second: one each tenth of a
    second. Any span shorter than ``per`` seconds has at most ``burst + count - 1`` starts.

    Attributes:
        count: How many starts come back in ``per`` seconds; above 0.
        per: The time in which they come back, in seconds; above 0.
        burst: The starts that may come at once after a rest; at least 1.

    Raises:
        TypeError, ValueError: One of these is no such number.
    """

    count: float
    per: float = 1.0
    burst: float = 1.0

    def __post_init__(self) -> None:
        count = checked_number("count", self.count)
        per = checked_seconds("per", self.per)
        burst = checked_number("burst", self.burst, 1)
        if burst == math.inf:
            raise ValueError("burst must be finite, not inf")
        if count <= 0 or not 0 < per / count < math.inf:
            raise ValueError(f"{count} starts in {per} seconds is no rate; None is no limit")
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "per", per)
        object.__setattr__(self, "burst", burst)


@final
class Bucket:
    """The starts that a rate has left.

    Times are computed by multiplication from the moment at which the bucket was last full, so
    rounding errors do not grow with the number of starts.
    """

    __slots__ = ("_burst", "_full_at", "_interval", "_taken")

    def __init__(self, rate: Rate, predecessor: Bucket | None = None, now: float = 0.0) -> None:
        """Make a bucket that is full, or that holds what its predecessor holds now."""
        self._burst = rate.burst
        self._interval = rate.per / rate.count
        self._full_at = -math.inf if predecessor is None else now
        level = self._burst if predecessor is None else predecessor.level(now)
        self._taken = max(0.0, self._burst - level)  # since then

    def level(self, now: float) -> float:
        """Return how many starts it holds."""
        return self._burst - max(0.0, self._taken - (now - self._full_at) / self._interval)

    def ready_at(self) -> float:
        """Return from when on it holds a start; -inf if it always did."""
        return self._full_at + (self._taken + 1 - self._burst) * self._interval

    def take(self, now: float) -> None:
        """Take one start out."""
        if now > self._full_at + self._taken * self._interval:
            self._full_at, self._taken = now, 0.0
        self._taken += 1


def checked_rate(rate: object) -> Rate:
    """Return a rate as it was given; raise ``TypeError`` if it is not a ``Rate``."""
    if not isinstance(rate, Rate):
        raise TypeError(f"rate must be a Rate, such as Rate(10, per=1.0), not {safe_repr(rate)}")
    return rate


@final
@dataclass(eq=False, slots=True)
class KeySlot:
    """A key that a live job has, or that is paused or has a limit of its own.

    Attributes:
        key: The key.
        live_jobs: The live jobs with this key.
        ready: Those that could start, but for a worker, or for a pause or the rate of the queue.
        running: Those that run.
        is_paused: Whether none of them may start.
        concurrency: The most that run at once; None for the ``key_concurrency`` of the queue.
        bucket: The starts that its rate has left; None for no rate.
    """

    key: Hashable
    live_jobs: dict[JobRecord, None] = field(default_factory=dict)
    ready: dict[JobRecord, None] = field(default_factory=dict)
    running: dict[JobRecord, None] = field(default_factory=dict)
    is_paused: bool = False
    concurrency: float | None = None
    bucket: Bucket | None = None

    def add_live_job(self, job: JobRecord) -> None:
        """Note that a live job has the key."""
        self.live_jobs[job] = None

    def remove_live_job(self, job: JobRecord) -> None:
        """Note that a job with the key has ended."""
        del self.live_jobs[job]

    @property
    def is_unused(self) -> bool:
        """Whether no live job has the key, and it has no pause and no limit of its own."""
        has_limit = self.is_paused or self.concurrency is not None or self.bucket is not None
        return not (self.live_jobs or has_limit)


@final
@dataclass(eq=False)
class Schedule:
    """The pending jobs in the order in which they will run, and the submits that wait for room.

    While a submit waits there is no room: code that makes room calls
    :meth:`take_submission_if_room` before another task can enter.

    Attributes:
        max_pending: The number of ready jobs with which submits wait for room.
        queue_concurrency: The most jobs that run at once.
        key_concurrency: The most jobs of a key that run at once, unless the key has its own limit.
        pending: The number of pending jobs.
        ready: The jobs that can start, but for a worker, or a pause or the rate of the queue.
        blocked: The other jobs that are due, by their keys.
        submissions: The submits that wait for room.
        queue_slot: The pause and the rate of the queue, as those of a key; it has no jobs.
        is_queue_paused_or_rate_limited: Whether the queue is paused, or its rate has no start left.
        has_had_rates: Whether the queue or a key has, or has had, a rate.
        is_time_dependent: Whether anything may wait for a time.
    """

    max_pending: float
    _running: Sized
    queue_concurrency: float
    key_concurrency: float
    pending: int = 0
    ready: PriorityQueue[JobRecord] = field(default_factory=PriorityQueue)
    blocked: dict[KeySlot, PriorityQueue[JobRecord]] = field(default_factory=dict)
    submissions: PriorityQueue[WaitingSubmit] = field(default_factory=PriorityQueue)
    queue_slot: KeySlot = field(default_factory=lambda: KeySlot(None))
    is_queue_paused_or_rate_limited: bool = False
    has_had_rates: bool = False
    is_time_dependent: bool = False
    # Jobs by when they are due, those that start after others, and jobs by when they must start.
    _delayed: PriorityQueue[JobRecord] = field(default_factory=PriorityQueue)
    _dependent: PriorityQueue[JobRecord] = field(default_factory=PriorityQueue)
    _expiring: PriorityQueue[JobRecord] = field(default_factory=PriorityQueue)
    _push_numbers: Iterator[int] = field(default_factory=itertools.count)
    # The keys that have no start left, or that of the queue, by when they get one.
    _rate_limited_by_next_start: PriorityQueue[KeySlot] = field(default_factory=PriorityQueue)

    def pending_dependents_first(self) -> list[JobRecord]:
        """Return the pending jobs; before each job those that start after it."""
        blocked = itertools.chain.from_iterable(self.blocked.values())
        return [*reversed(self._dependent), *self._delayed, *self.ready, *blocked]

    def waiting_for(self, record: JobRecord) -> str:
        """Return what keeps a pending job from running."""
        slot = record.extras.key_slot
        if self.queue_slot.is_paused or (slot is not None and slot.is_paused):
            return "paused"
        if record.pending_queue is self._dependent:
            return "after"
        if record.pending_queue is self._delayed:
            return "time"
        if slot is not None and record not in slot.ready:
            is_full = len(slot.running) + len(slot.ready) >= self._concurrency_of(slot)
            return "key" if is_full else "rate"
        return "rate" if self.queue_slot in self._rate_limited_by_next_start else "worker"

    # Entering, running and ending

    def add_without_extras(self, record: JobRecord, now: float) -> None:
        """Add a job that enters and has no extras, as :meth:`add` does; it is due now."""
        self.pending += 1
        ready = record.pending_queue = self.ready
        ready.push(record, 0, record.number, now)

    def add(self, record: JobRecord, now: float) -> None:
        """Add a job that enters, or that is to be tried again."""
        self.pending += 1
        extras = record.extras
        if extras.start_by is not None and not record.attempt:
            self._expiring.push(record, extras.start_by, record.number)
            self.is_time_dependent = True
        if extras.predecessors:
            self._put(record, self._dependent)
        else:
            self._add_without_predecessors(record, now)

    def _add_without_predecessors(self, record: JobRecord, now: float) -> None:
        """Add a job that waits for no other one."""
        if record.due_at > now:
            record.pending_queue = self._delayed
            self._delayed.push(record, record.due_at, record.number)
            self.is_time_dependent = True
        else:
            self._make_ready_or_block(record)

    def _put(self, record: JobRecord, queue: PriorityQueue[JobRecord]) -> None:
        """Add a job to a queue, at the place of its priority."""
        record.pending_queue = queue
        queue.push(record, -record.extras.priority, record.number, record.due_at)

    def peek(self) -> JobRecord | None:
        """Return the job to run next; None if none can run."""
        if self.is_queue_paused_or_rate_limited or len(self._running) >= self.queue_concurrency:
            return None
        first = self.ready.first()
        return None if first is None else first[3]

    def take(self) -> JobRecord | None:
        """Remove and return the job to run next."""
        if self.is_queue_paused_or_rate_limited or len(self._running) >= self.queue_concurrency:
            return None
        record = self.ready.take()
        if record is None:
            return None
        slot = record.extras.key_slot
        if slot is not None:
            del slot.ready[record]
            slot.running[record] = None
        self.pending -= 1
        if self.is_time_dependent:
            self._expiring.discard(record)
        return record

    def discard(self, record: JobRecord) -> None:
        """Remove a job that is not to run."""
        self.pending -= 1
        self._expiring.discard(record)
        self._remove_and_ready_next_of_key(record)
        record.pending_queue = self.ready  # that of a key may be gone soon

    def _remove_and_ready_next_of_key(self, record: JobRecord) -> None:
        """Remove a job from its queue, and let another one of the key be ready in its place."""
        record.pending_queue.discard(record)
        slot = record.extras.key_slot
        if slot is not None:
            slot.ready.pop(record, None)
            self._fill_or_trim_ready_of_key(slot)

    def rerank(self, record: JobRecord) -> None:
        """Move a job to the place of its new priority."""
        queue = record.pending_queue
        if queue is not self._delayed and queue is not self._dependent:
            self._remove_and_ready_next_of_key(record)
            self._make_ready_or_block(record)

    # Keys

    def _make_ready_or_block(self, record: JobRecord) -> None:
        """Make a job ready; if its key has no place for it, only in place of a worse one."""
        slot = record.extras.key_slot
        if slot is None:
            self._put(record, self.ready)
            return
        queue = self.blocked.setdefault(slot, PriorityQueue())
        self._put(record, queue)
        first = queue.first()
        if slot.ready and first is not None and first[3] is record and self._has_max_ready(slot):
            worst = max(slot.ready, key=self.ready.__getitem__)
            if first < self.ready[worst]:
                self._move_ready_to_key_queue(worst)
        self._fill_or_trim_ready_of_key(slot)

    def _move_ready_to_key_queue(self, record: JobRecord) -> None:
        """Move a ready job to the queue of its key."""
        slot = record.extras.key_slot
        assert slot is not None  # it has a key
        self.ready.discard(record)
        del slot.ready[record]
        self._put(record, self.blocked.setdefault(slot, PriorityQueue()))

    def _fill_or_trim_ready_of_key(self, slot: KeySlot) -> None:
        """Let as many jobs of a key be ready as it lets start, the best ones; block the others."""
        places = self._max_ready_of_key(slot)
        if len(slot.ready) > places:
            best_first = sorted(slot.ready, key=self.ready.__getitem__)
            for record in best_first[int(places) :]:
                self._move_ready_to_key_queue(record)
        queue = self.blocked.get(slot)
        if queue is None:
            return
        while len(slot.ready) < places and (best := queue.take()) is not None:
            slot.ready[best] = None
            self._put(best, self.ready)
        if not queue:
            del self.blocked[slot]

    def _concurrency_of(self, slot: KeySlot) -> float:
        return self.key_concurrency if slot.concurrency is None else slot.concurrency

    def _max_ready_of_key(self, slot: KeySlot) -> float:
        """Return how many jobs of a key may be ready."""
        if slot.is_paused or slot in self._rate_limited_by_next_start:
            return 0
        return max(0, self._concurrency_of(slot) - len(slot.running))

    def _has_max_ready(self, slot: KeySlot) -> bool:
        return len(slot.ready) >= self._max_ready_of_key(slot)

    def release_key(self, record: JobRecord) -> None:
        """Note that a job with a key stops running."""
        slot = record.extras.key_slot
        assert slot is not None  # it has a key
        del slot.running[record]
        self._fill_or_trim_ready_of_key(slot)

    def key_holders_blocking(self, record: JobRecord) -> list[JobRecord]:
        """Return the running jobs of which one has to end before a pending job can start."""
        slot = record.extras.key_slot
        if slot is None or record in slot.ready or len(slot.running) < self._concurrency_of(slot):
            return []
        return [*slot.running]

    def set_queue_or_key_concurrency(self, slot: KeySlot, limit: float | None) -> None:
        """Let so many jobs of the queue, or of a key, run at once; None for a key's default."""
        if slot is not self.queue_slot:
            slot.concurrency = limit
        elif limit is not None:
            self.queue_concurrency = limit
        self._recheck_after_limit_change(slot)

    # Pauses

    def set_paused(self, slot: KeySlot, *, is_paused: bool) -> None:
        """Start no more jobs, or none with this key; or undo that."""
        slot.is_paused = is_paused
        self._recheck_after_limit_change(slot)

    def _recheck_after_limit_change(self, slot: KeySlot) -> None:
        """Look which jobs may start after a change of a pause, a rate or a limit."""
        if slot is self.queue_slot:
            self.is_queue_paused_or_rate_limited = (
                slot.is_paused or slot in self._rate_limited_by_next_start
            )
        else:
            self._fill_or_trim_ready_of_key(slot)

    # Time

    def next_wake_time(self) -> float:
        """Return when a job is due or must have started, or a rate has a start again; inf for never.

        Set ``is_time_dependent``.
        """
        when = min(
            self._delayed.first_rank(),
            self._expiring.first_rank(),
            self._rate_limited_by_next_start.first_rank(),
        )
        self.is_time_dependent = when != math.inf
        return when

    def make_due_ready(self, now: float) -> list[JobRecord]:
        """Make the jobs ready that have become due, and return them."""
        due = [*self._delayed.take_until(now)]
        for record in due:
            self._make_ready_or_block(record)
        return due

    def pending_newly_past_start_by(self, now: float) -> list[JobRecord]:
        """Return the pending jobs that should have started by now; they stay pending."""
        return [*self._expiring.take_until(now)]

    def make_due_now(self, record: JobRecord, now: float) -> bool:
        """Make a job due now; return False if it is not to be due later."""
        if record.status.is_terminal or record.due_at <= now:
            return False
        record.due_at = now
        if self._delayed.discard(record):  # or it starts after others
            self._make_ready_or_block(record)
        return True

    def find_delayed_or_rate_limited(self, now: float) -> list[JobRecord]:
        """Return the jobs that are not due, or whose rate has no start left."""
        later = [record for record in reversed(self._dependent) if record.due_at > now]
        limited = [
            record
            for slot, queue in [(self.queue_slot, self.ready), *self.blocked.items()]
            if self.queue_slot in self._rate_limited_by_next_start
            or slot in self._rate_limited_by_next_start
            for record in queue
        ]
        return [*later, *self._delayed, *limited]

    # Rates

    def set_rate(self, slot: KeySlot, rate: Rate | None, now: float) -> None:
        """Give the queue or a key another rate; None for no limit."""
        self.has_had_rates = True
        slot.bucket = None if rate is None else Bucket(rate, slot.bucket, now)
        self._rate_limited_by_next_start.discard(slot)
        self._note_if_rate_limited(slot, now)

    def consume_rates(self, record: JobRecord, now: float) -> None:
        """Take the starts of an attempt that begins."""
        for slot in (self.queue_slot, record.extras.key_slot):
            if slot is not None and slot.bucket is not None:
                slot.bucket.take(now)
                self._note_if_rate_limited(slot, now)

    def _note_if_rate_limited(self, slot: KeySlot, now: float) -> None:
        if slot.bucket is not None and slot.bucket.ready_at() > now:
            self._rate_limited_by_next_start.push(
                slot, slot.bucket.ready_at(), next(self._push_numbers)
            )
        self._recheck_after_limit_change(slot)

    def refill_due_rates(self, now: float) -> list[KeySlot]:
        """Give the rates the starts that are due; return whose rates got one."""
        refilled = [*self._rate_limited_by_next_start.take_until(now)]
        for slot in refilled:
            self._recheck_after_limit_change(slot)
        return refilled

    # Jobs that start after others

    def waits_for_predecessors(self, record: JobRecord) -> bool:
        """Tell whether a job is pending and waits for the end of those that it starts after."""
        return record in self._dependent

    def end_wait_for_predecessors(self, record: JobRecord, now: float) -> None:
        """Make a job ready, or delayed, for which those that it starts after have ended."""
        self._dependent.discard(record)
        self._add_without_predecessors(record, now)

    # Submits that wait for room

    @property
    def has_ready_room(self) -> bool:
        """Whether another job may become ready by entering."""
        return len(self.ready) < self.max_pending

    def would_not_be_ready(self, record: JobRecord, slot: KeySlot | None) -> bool:
        """Tell whether a new job with this key would not be ready, or not beside another one."""
        if record.extras.delay > 0 or (slot is not None and self._has_max_ready(slot)):
            return True
        return any(not job.status.is_terminal for job in record.extras.predecessors)

    def add_submission(self, submission: WaitingSubmit) -> None:
        """Add a submit that waits for room; they enter by priority, then by arrival."""
        priority = submission.record.extras.priority
        self.submissions.push(submission, -priority, next(self._push_numbers))

    def take_submission_if_room(self) -> WaitingSubmit | None:
        """Remove and return the next submit if there is room; the caller adds its job."""
        return self.submissions.take() if self.has_ready_room else None
