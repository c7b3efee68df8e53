"""What runs next, and which submit may enter. Pure: it awaits nothing and knows no clock.

A memory channel cannot do this: it is first in, first out, nothing can be taken
out of its middle, and closing its last receiver throws away what is in it.

Order. A job of higher priority runs first; of two equal ones, the one that was due first (at its
submit, or at the end of a delay or back-off), then the one that was submitted first. The order of
two jobs does not depend on the time, so a heap will do.

Keys. Of the jobs with a key only the best is ready, while the key is free; the others wait in the
queue of the key. So all ready jobs can start as soon as there are workers, and a key is never given
to a job that has ended.

Room. Only ready jobs take room. One that becomes ready is never refused, so there may be more.

Rates. While the rate of the queue has no start left, no job is taken; a key without a start left
counts as held. Each attempt takes a start when it begins (see ``rates``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

from ticketr.jobs._job import PENDING
from ticketr.jobs._scheduling.pending import PendingJobs
from ticketr.jobs._scheduling.priority_queue import PriorityQueue
from ticketr.jobs._scheduling.rates import RateLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._scheduling.rates import Rate
    from ticketr.jobs._submission import Submission


@final
class Schedule(PendingJobs):
    """The pending jobs in the order in which they will run, and the submits that wait for room.

    While a submit waits there is no room: code that makes room calls :meth:`next_admitted` before
    another task can enter.
    """

    # Declared again for type checkers, since this class is what writes them.
    pending: int
    is_paused: bool
    is_stopped: bool
    is_time_dependent: bool
    rates: RateLimits[KeySlot[JobRecord]] | None
    _suspects: list[JobRecord] | None

    def add_plain(self, record: JobRecord, now: float) -> None:
        """Add a job that enters and has no extras, as :meth:`add` does; it is due now."""
        self.pending += 1
        ready = record.pending_queue = self.ready
        ready.push(record, 0, record.number, now)

    def add(self, record: JobRecord, now: float) -> None:
        """Add a job that enters, or that is to be tried again."""
        self.pending += 1
        due_at, extras = record.due_at, record.extras
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
            self._make_ready(record)

    def _make_ready(self, record: JobRecord) -> None:
        key = record.extras.key_slot
        if key is None:
            self._put(record, self.ready)
        elif (chosen := self._chosen.get(key)) is None and not self._is_blocked(key):
            self._chosen[key] = record
            self._put(record, self.ready)
        else:
            queue = self.blocked.setdefault(key, PriorityQueue())
            self._put(record, queue)
            if chosen is not None and queue.entries[record] < self.ready.entries[chosen]:
                self._choose_ready(key)
        if self._suspects is not None and self.rates is not None:
            self._suspects.append(record)

    def _put(self, record: JobRecord, queue: PriorityQueue[JobRecord]) -> None:
        """Add a job to a queue, at the place of its priority."""
        record.pending_queue = queue
        queue.push(record, -record.extras.priority, record.number, record.due_at)

    def _choose_ready(self, key: KeySlot[JobRecord]) -> None:
        """Let the best job of a key be ready, and no other, if the key lets it start."""
        chosen = self._chosen.pop(key, None)
        if chosen is not None:
            self.ready.discard(chosen)
            self._put(chosen, self.blocked.setdefault(key, PriorityQueue()))
        queue = self.blocked.get(key)
        if queue is None:
            return
        if not self._is_blocked(key) and (record := queue.pop()) is not None:
            self._chosen[key] = record
            self._put(record, self.ready)
            if self._suspects is not None and self.rates is not None:
                self._suspects.append(record)
        if not queue:
            del self.blocked[key]

    def peek(self) -> JobRecord | None:
        """Return the job to run next; None if none can run."""
        first = None if self.is_stopped else self.ready.first()
        return None if first is None else first[3]

    def take(self) -> JobRecord | None:
        """Remove and return the job to run next; it holds its key from here on."""
        if self.is_stopped or (record := self.ready.pop()) is None:
            return None
        key = record.extras.key_slot
        if key is not None:
            del self._chosen[key]
            self._key_holders[key] = record
        self.pending -= 1
        if self.is_time_dependent and record in self._expiring:
            self._expiring.discard(record)
        return record

    def discard(self, record: JobRecord) -> None:
        """Remove a job that is not to run."""
        record.pending_queue.discard(record)
        self.pending -= 1
        record.pending_queue = self.ready  # that of a key may be gone soon
        if self.is_time_dependent and record in self._expiring:
            self._expiring.discard(record)
        self._unchoose(record)

    def _unchoose(self, record: JobRecord) -> None:
        """Let another job of the key be ready, if this one was."""
        key = record.extras.key_slot
        if key is not None:
            if self._chosen.get(key) is record:
                del self._chosen[key]
            self._choose_ready(key)

    def release_key(self, record: JobRecord) -> None:
        """Free the key of a job that stops running, and make the first that waits for it ready."""
        key_slot = record.extras.key_slot
        assert key_slot is not None  # it has a key
        del self._key_holders[key_slot]
        self._key_changed(key_slot)

    def rerank(self, record: JobRecord) -> None:
        """Move a job to the place of its new priority."""
        queue = record.pending_queue
        if queue is not self._delayed and queue is not self._after:
            queue.discard(record)
            self._unchoose(record)
            self._make_ready(record)

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

    def delayed(self, now: float) -> list[JobRecord]:
        """Return the jobs that are not due.

        From now on :meth:`newly_limited` yields the jobs that wait for a rate.
        """
        self._suspects = [] if self.rates is None else self.jobs()[::-1]
        later = [record for record in reversed([*self._after]) if record.due_at > now]
        return [*later, *self._delayed]

    @property
    def has_newly_limited(self) -> bool:
        """Whether :meth:`newly_limited` yields anything."""
        is_limited = self.rates is not None and None in self.rates.empty
        return bool(self._suspects) or (is_limited and bool(self.ready))

    def newly_limited(self) -> Iterator[JobRecord | None]:
        """Yield the jobs that have begun to wait for a rate; the caller ends each.

        Yield None for each of the other jobs that are looked at.
        """
        while self._suspects:
            record = self._suspects.pop()
            is_limited = record.status is PENDING and self.waiting_for(record) == "rate"
            yield record if is_limited else None
        while self.rates is not None and None in self.rates.empty:
            if (first := self.ready.first()) is None:
                return
            yield first[3]

    def due(self, now: float) -> list[JobRecord]:
        """Make the jobs ready that have become due, and return them."""
        due: list[JobRecord] = []
        while self._delayed.first_rank() <= now and (record := self._delayed.pop()) is not None:
            self._make_ready(record)
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
        self._make_ready(record)
        return True

    # Jobs that start after others

    def end_wait_after(self, record: JobRecord, now: float) -> None:
        """Make a job ready, or delayed, for which those that it starts after have ended."""
        self._after.discard(record)
        if record.due_at > now:
            record.pending_queue = self._delayed
            self._delayed.push(record, record.due_at, record.number)
        else:
            self._make_ready(record)

    # Pauses

    def pause(self, key: KeySlot[JobRecord] | None) -> None:
        """Start no more jobs, or none with this key."""
        if key is None:
            self.is_paused = self.is_stopped = True
        else:
            self._paused_keys.add(key)
            self._choose_ready(key)

    def resume(self, key: KeySlot[JobRecord] | None) -> None:
        """Undo a pause."""
        if key is None:
            self.is_paused = False
            self._update_stopped()
        elif key in self._paused_keys:
            self._paused_keys.discard(key)
            self._choose_ready(key)

    def lift_pauses(self) -> list[JobRecord]:
        """Undo every pause; return the jobs that wait for something else from now on."""
        if not (self.is_paused or self._paused_keys):
            return []
        paused = [record for record in self.jobs() if self.waiting_for(record) == "paused"]
        self.is_paused = False
        self._update_stopped()
        self._paused_keys.clear()
        for key in [*self.blocked]:
            self._choose_ready(key)
        return paused

    # Rates

    def set_rate(self, key: KeySlot[JobRecord] | None, rate: Rate | None, now: float) -> None:
        """Give the queue or a key another rate; None for no limit."""
        if self.rates is None:
            self.rates = RateLimits()
        self.rates.set(key, rate, now)
        self._rate_changed(key)

    def take_starts(self, record: JobRecord, now: float) -> None:
        """Take the starts of an attempt that begins."""
        if self.rates is not None:
            self.rates.take(record.extras.key_slot, now)
            self._update_stopped()

    def refill_rates(self, now: float) -> bool:
        """Give the rates the starts that are due; return whether any rate got one."""
        refilled = self.rates.refill(now) if self.rates is not None else []
        for key in refilled:
            self._rate_changed(key)
        return bool(refilled)

    def _rate_changed(self, key: KeySlot[JobRecord] | None) -> None:
        self._update_stopped()
        if key is not None:
            self._key_changed(key)

    def _key_changed(self, key: KeySlot[JobRecord]) -> None:
        """Make the first of the jobs that wait for a key ready, if the key lets it start."""
        self._choose_ready(key)
        if self._suspects is not None and self.rates is not None and key in self.rates.empty:
            self._suspects += key.jobs

    def _update_stopped(self) -> None:
        self.is_stopped = self.is_paused or (self.rates is not None and None in self.rates.empty)

    # Submits that wait for room

    def is_held(self, record: JobRecord, key: KeySlot[JobRecord] | None) -> bool:
        """Tell whether a new job with this key would not be ready, or not beside another one."""
        links = record.extras.links
        return (
            record.extras.delay > 0
            or (key is not None and (key in self._chosen or self._is_blocked(key)))
            or (links is not None and any(not job.status.is_terminal for job in links.predecessors))
        )

    def add_submission(self, submission: Submission) -> None:
        """Add a submit that waits for room."""
        self.submissions.add(submission)
        self.is_time_dependent |= submission.record.extras.start_by is not None

    def next_admitted(self) -> Submission | None:
        """Remove and return the next submit if there is room; the caller adds its job."""
        return self.submissions.pop() if self.has_room else None
