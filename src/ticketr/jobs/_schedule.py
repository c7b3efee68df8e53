"""What runs next, and who may enter. Pure: it awaits nothing and knows no clock.

A memory channel could not be this: it is first in, first out, nothing can be taken
out of its middle, and closing its last receiver throws away what is in it.

Priorities and ageing. A job's rank is the time at which it was due, less ``AGING``
seconds for each point of its priority. All that wait grow older at the same pace, so
the order of two of them never changes, and a heap will do. Nobody waits for ever: a
job goes before every job of a higher priority that comes late enough after it.

Keys. A job whose key is taken goes to the line of that key only when it would be the
next to run; it holds no worker there. When the key is free again, the best of its line
goes back among the ready ones, where it may meet a better one that has come meanwhile.
So a line can be left alone while jobs come and go, and a key is never given to a job
that has ended. A job may also wait for the end of another one, whose ID it has.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from ticketr.jobs._line import Line

if TYPE_CHECKING:
    import trio

    from ticketr.jobs._job import JobRecord
    from ticketr.jobs._keys import LiveKey

AGING: Final = 30.0
"""How many seconds of waiting weigh as much as one point of priority."""


@final
@dataclass(eq=False, slots=True)
class Submission:
    """A job whose submitter waits for room.

    Attributes:
        record: The job; after its entry, the job that it was joined to.
        task: The task that waits.
        refusal: Why the job did not get in after all.
        is_answered: Whether the task goes on with its next step.
    """

    record: JobRecord
    task: trio.lowlevel.Task
    refusal: Exception | None = None
    is_answered: bool = False


@final
class Schedule:
    """The pending jobs in the order in which they will run, and the line of those outside.

    As long as somebody is outside there is no room: whoever makes room calls :meth:`let_in`
    before another task can enter.
    """

    def __init__(self, max_pending: float) -> None:
        self.max_pending = max_pending
        self.pending: int = 0
        self.outside: int = 0  # how many wait for room
        self.is_paused: bool = False
        self.minds_time: bool = False  # whether anything may wait for a time
        self._ready = Line["JobRecord"]()
        self.blocked: dict[
            LiveKey[JobRecord] | JobRecord, Line[JobRecord]
        ] = {}  # by key, or by who is waited for
        self._timed = Line["JobRecord"]()  # by when they are due
        self._expiring = Line["JobRecord"]()  # by when they must have started
        self._holders: dict[LiveKey[JobRecord], JobRecord] = {}
        self._paused_keys: set[LiveKey[JobRecord]] = set()
        self._outside = Line[Submission]()
        self._expiring_outside = Line[Submission]()  # by when their jobs must have started
        self._arrivals = itertools.count()
        self._why = self.waiting_for  # made once, not for each job

    def add(self, record: JobRecord, now: float) -> None:
        """Let a job enter, or come back."""
        self.pending += 1
        record.why_pending = self._why
        if record.start_by is not None and not record.attempt:
            self._expiring.push(record, record.start_by, record.number)
            self.minds_time = True
        due_at = record.due_at
        if due_at > now:
            record.line = self._timed
            self._timed.push(record, due_at, record.number)
            self.minds_time = True
        else:
            record.line = self._ready
            rank = due_at - record.priority * AGING if record.priority else due_at
            self._ready.push(record, rank, record.number)

    def _put(self, record: JobRecord, line: Line[JobRecord]) -> None:
        record.line = line
        line.push(record, record.due_at - record.priority * AGING, record.number)

    def peek(self) -> JobRecord | None:
        """The job to run next; None if there is none that could."""
        if self.is_paused:
            return None
        while (place := self._ready.first()) is not None:
            record = place[2]
            obstacle = self._obstacle(record)
            if obstacle is None:
                return record
            line = self.blocked.setdefault(obstacle, Line())
            self._ready.pop()
            self._put(record, line)
        return None

    def _obstacle(self, record: JobRecord) -> LiveKey[JobRecord] | JobRecord | None:
        """The line that a job belongs in; None if nothing is in its way."""
        if (predecessor := self.predecessor(record)) is not None:
            return predecessor
        if record.lane in self._holders or record.lane in self._paused_keys:
            return record.lane
        return None

    def predecessor(self, record: JobRecord) -> JobRecord | None:
        """The live job that had the ID of a pending one before."""
        while record.after is not None and record.after.status.is_terminal:
            record.after = record.after.after
        return record.after

    def waits_for_end_of(self, record: JobRecord) -> JobRecord | None:
        """The job that keeps a pending one from running: its ID's or its key's holder."""
        if record.lane is None:
            return self.predecessor(record)
        return self.predecessor(record) or self._holders.get(record.lane)

    def take(self) -> JobRecord | None:
        """Take out the job to run next; it holds its key from here on."""
        while not self.is_paused and (record := self._ready.pop()) is not None:
            if (record.lane is not None or record.after is not None) and not self._may_run(record):
                continue
            self.pending -= 1
            record.line = None
            if self.minds_time and record in self._expiring:
                self._expiring.discard(record)
            return record
        return None

    def _may_run(self, record: JobRecord) -> bool:
        """Give a job that was first its key, or put it where it has to wait."""
        obstacle = self._obstacle(record)
        if obstacle is None:
            if record.lane is not None:
                self._holders[record.lane] = record
            return True
        self._put(record, self.blocked.setdefault(obstacle, Line()))
        return False

    def discard(self, record: JobRecord) -> None:
        """Take out a job that is not to run."""
        assert record.line is not None
        record.line.discard(record)
        self.pending -= 1
        record.line = None
        if self.minds_time and record in self._expiring:
            self._expiring.discard(record)
        if record.lane is not None:
            self._offer(record.lane)

    def release(self, record: JobRecord) -> None:
        """A job with a key stops running: the key goes to the best that waits for it."""
        lane = record.lane
        assert lane is not None  # it has a key
        del self._holders[lane]
        self._offer(lane)

    def ended(self, record: JobRecord) -> None:
        """A job has ended: who waits for that is free to go on."""
        self._offer(record)

    def _offer(self, obstacle: LiveKey[JobRecord] | JobRecord) -> None:
        line = self.blocked.get(obstacle)
        if line is None:
            return
        is_free = obstacle not in self._holders and obstacle not in self._paused_keys
        if is_free and (record := line.pop()) is not None:
            self._put(record, self._ready)
        if not line:
            del self.blocked[obstacle]

    def rank_anew(self, record: JobRecord) -> None:
        """Put a job where its priority now has it."""
        line = record.line
        if line is not None and line is not self._timed:
            line.discard(record)
            self._put(record, self._ready)

    def jobs(self) -> list[JobRecord]:
        """The pending jobs."""
        lines = [self._timed, self._ready, *self.blocked.values()]
        return [record for line in lines for record in line]

    # Time

    def next_time(self) -> float:
        """When to call :meth:`due` and :meth:`expired` next."""
        when = min(
            self._timed.first_rank(),
            self._expiring.first_rank(),
            self._expiring_outside.first_rank(),
        )
        self.minds_time = when != math.inf
        return when

    def timed(self) -> list[JobRecord]:
        """The jobs that are not due yet."""
        return list(self._timed)

    def due(self, now: float) -> list[JobRecord]:
        """The jobs that have become due; they are ready from here on."""
        due: list[JobRecord] = []
        while self._timed.first_rank() <= now and (record := self._timed.pop()) is not None:
            self._put(record, self._ready)
            due.append(record)
        return due

    def expired(self, now: float) -> list[JobRecord]:
        """The pending jobs that should have started by now; they are still pending."""
        late: list[JobRecord] = []
        while self._expiring.first_rank() <= now and (record := self._expiring.pop()) is not None:
            late.append(record)
        return late

    def hurry(self, record: JobRecord, now: float) -> bool:
        """Make a job due now; False if it does not wait for a time."""
        if record.line is not self._timed:
            return False
        self._timed.discard(record)
        record.due_at = now
        self._put(record, self._ready)
        return True

    # Pauses

    def pause(self, key: LiveKey[JobRecord] | None) -> None:
        """Start no more jobs, or none with this key."""
        if key is None:
            self.is_paused = True
        else:
            self._paused_keys.add(key)

    def is_paused_key(self, key: LiveKey[JobRecord]) -> bool:
        """Tell whether jobs with this key are paused by it."""
        return key in self._paused_keys

    def resume(self, key: LiveKey[JobRecord] | None) -> None:
        """Undo a pause."""
        if key is None:
            self.is_paused = False
        elif key in self._paused_keys:
            self._paused_keys.discard(key)
            self._offer(key)

    def lift_pauses(self) -> list[JobRecord]:
        """Undo every pause; these jobs wait for something else from now on."""
        if not (self.is_paused or self._paused_keys):
            return []
        paused = [record for record in self.jobs() if self.waiting_for(record) == "paused"]
        self.is_paused = False
        self._paused_keys.clear()
        for obstacle in [*self.blocked]:
            self._offer(obstacle)
        return paused

    def waiting_for(self, record: JobRecord) -> str | None:
        """What keeps a job from running."""
        if record.line is None:
            return None
        if self.is_held(record):
            return "paused"
        if record.line is self._timed:
            return "time"
        return "worker" if self.waits_for_end_of(record) is None else "key"

    # What may change without a running job that ends

    @property
    def has_timed(self) -> bool:
        """Whether a pending job waits for a time."""
        return len(self._timed) > 0

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
        return record in self._timed

    def expires(self, record: JobRecord) -> bool:
        """Tell whether a pending job ends if it is not started in time."""
        return record in self._expiring

    def is_held(self, record: JobRecord) -> bool:
        """Tell whether a pause keeps a pending job from running."""
        return self.is_paused or record.lane in self._paused_keys

    # Outside

    def line_up(self, submission: Submission) -> None:
        """Wait outside for room: the highest priority enters first, then who came first."""
        self.outside += 1
        number, start_by = next(self._arrivals), submission.record.start_by
        self._outside.push(submission, -submission.record.priority, number)
        if start_by is not None:
            self._expiring_outside.push(submission, start_by, number)
            self.minds_time = True

    def is_outside(self, submission: Submission) -> bool:
        """Tell whether a submission still waits for room."""
        return submission in self._outside

    def place_outside(self, submission: Submission) -> tuple[float, int]:
        """Return what orders a submission that waits among the others: less is sooner."""
        rank, number, _ = self._outside.place(submission)
        return rank, number

    def leave(self, submission: Submission) -> bool:
        """Give up waiting outside; False if it is too late for that."""
        if submission not in self._outside:
            return False
        self._outside.discard(submission)
        self._note_gone(submission)
        return True

    def let_in(self) -> Submission | None:
        """Take the next out of the line if there is room; the caller adds its job."""
        if self.pending >= self.max_pending or (submission := self._outside.pop()) is None:
            return None
        self._note_gone(submission)
        return submission

    def _note_gone(self, submission: Submission) -> None:
        self.outside -= 1
        if submission in self._expiring_outside:
            self._expiring_outside.discard(submission)

    def expired_outside(self, now: float) -> Submission | None:
        """Return a submission that waits for room and whose job should have started by now."""
        place = self._expiring_outside.first()
        return place[2] if place is not None and place[0] <= now else None

    def send_away(self) -> list[Submission]:
        """Dissolve the line."""
        turned_away = list(self._outside)
        self._outside, self._expiring_outside = Line(), Line()
        self.outside = 0
        return turned_away
