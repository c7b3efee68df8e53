"""Repeats and their handles: jobs that are run again and again, at their due times.

A repeat is not a job: each of its runs is one, and is submitted when it is due. While a run is
pending or running, no other is: due times that pass meanwhile are skipped and counted. A repeat
ends when it is cancelled, when its function of the due time fails, or when the queue begins to end.
"""

from __future__ import annotations

import itertools
import logging
from functools import partial
from typing import TYPE_CHECKING, final

from trio.lowlevel import enable_ki_protection

from ticketr._errors import DuplicateJob, QueueClosed
from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._job import JobErrorInfo
from ticketr.jobs._record import snapshot_of
from ticketr.jobs._scheduling.priority_queue import PriorityQueue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._job import JobID, JobSnapshot
    from ticketr.jobs._maps.due_times import DueTimes
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._trio_internals import OwnerThread

logger = logging.getLogger("ticketr.jobs")


@final
class Repeat:
    """One repeat.

    Attributes:
        id: Its ID; that of its n-th run is ``<id>#n``.
        number: Its place in the order of the calls.
        template: The record that its runs are copies of; None once it has ended, and for one that
            a store could not load.
        due_times: Its due times; None like the template.
        is_due_used: Whether the current due time has had its run.
        is_behind: Whether the current due time is past, and more are to be skipped.
        is_paused: Whether no run is to be submitted.
        is_running: Whether a run is pending or running.
        last: The last run; None before the first.
        runs: The number of runs that were submitted.
        missed: The number of due times without a run.
        every: The same for its store, as text.
        is_restored: Whether a store has given it back, and no call has asked for it since.
        runs_missed: Whether the latest due time that was missed has a run after all.
        missed_at: That due time, until the run is submitted; None for none.
    """

    __slots__ = (
        "due_times",
        "every",
        "id",
        "is_behind",
        "is_due_used",
        "is_paused",
        "is_restored",
        "is_running",
        "last",
        "missed",
        "missed_at",
        "number",
        "runs",
        "runs_missed",
        "template",
    )

    def __init__(
        self,
        repeat_id: JobID,
        number: int,
        template: JobRecord | None,
        due_times: DueTimes | None,
        *,
        is_behind: bool,
    ) -> None:
        self.id: JobID = repeat_id
        self.number: int = number
        self.template: JobRecord | None = template
        self.due_times: DueTimes | None = due_times
        self.is_due_used: bool = False
        self.is_behind: bool = is_behind
        self.is_paused: bool = False
        self.is_running: bool = False
        self.last: JobRecord | None = None
        self.runs: int = 0
        self.missed: int = 0
        self.every: str = ""
        self.is_restored: bool = False
        self.runs_missed: bool = False
        self.missed_at: datetime | None = None

    def restore(
        self,
        every: str,
        *,
        is_due_used: bool,
        is_paused: bool,
        runs: int,
        missed: int,
        runs_missed: bool = False,
    ) -> None:
        """Write what a store gives back."""
        self.every, self.is_restored, self.runs_missed = every, True, runs_missed
        self.is_due_used, self.is_paused = is_due_used, is_paused
        self.runs, self.missed = runs, missed

    def is_waiting(self) -> bool:
        """Tell whether it waits for its due time."""
        return self.due_times is not None and not self.is_running and not self.is_paused

    def skip_past(self, now: float, offset: float, *, is_counted: bool = True) -> None:
        """Go on to the first due time that has had no run and is not past.

        Raises:
            BaseException: What the user's function of the due time raises.
        """
        times = self.due_times
        if times is None or not (self.is_due_used or times.due_at < now):
            return
        skipped = times.advance(now, offset) + (not self.is_due_used)
        self.is_due_used = False
        self.is_behind = times.due_at < now
        if is_counted:
            self.missed += skipped
            if skipped and self.runs_missed:
                self.missed_at = times.previous(offset)


def call_in_context(
    template: JobRecord, function: Callable[[datetime], datetime], due: datetime
) -> datetime:
    """Call a user's function of a due time in the context variables of the repeat's jobs."""
    return template.context.copy().run(function, due)


@final
class Repeats:
    """The repeats of one queue.

    Attributes:
        runs: The runs that have not ended, with their repeats.
        observer: Called with each repeat that has changed or ended; None for no such call.
    """

    __slots__ = (
        "_live",
        "_numbers",
        "_owner_thread",
        "_queue",
        "_scheduled",
        "observer",
        "runs",
    )

    def __init__(self, queue: QueueCore, owner_thread: OwnerThread) -> None:
        self._queue = queue
        self._owner_thread = owner_thread
        self._live: dict[JobID, Repeat] = {}
        self._scheduled = PriorityQueue[Repeat]()
        self._numbers = itertools.count(1)
        self.runs: dict[JobRecord, Repeat] = {}
        self.observer: Callable[[Repeat], None] | None = None

    def observe(self, observer: Callable[[Repeat], None]) -> None:
        """From now on, call a function with each repeat that changes or ends."""
        self.observer = observer

    def _changed(self, repeat: Repeat) -> None:
        # A late run is noted when it is submitted: a process that is killed before finds it again.
        if self.observer is not None and repeat.missed_at is None:
            self.observer(repeat)

    def next_time(self) -> float:
        """Return when the next run is due."""
        return self._scheduled.first_rank()

    def start(
        self,
        template: JobRecord,
        every: object,
        first: object,
        stored: str = "",
        *,
        runs_missed: bool = False,
    ) -> Repeat:
        """Begin a repeat; submit its first run if that is due.

        Args:
            template: The record that its runs are copies of.
            every: The seconds between two due times, or a function of a due time.
            first: The seconds until the first due time, or that time.
            stored: The same as ``every`` for the queue's store, as text.
            runs_missed: Whether the latest due time that was missed has a run after all.

        Raises:
            QueueClosed: The queue has begun to end.
            DuplicateJob: Another repeat has this ID, or a live job that of the first run.
            TypeError, ValueError: The due times are invalid.
        """
        if self._queue.phase.draining:
            raise QueueClosed

        from ticketr.jobs._maps.due_times import make_due_times  # noqa: PLC0415 - only for a repeat

        now, offset = self._queue.now(), self._queue.wall_clock.offset()
        times = make_due_times(every, first, now, offset, partial(call_in_context, template))
        if times.due_at < now:
            times.advance(now, offset)
        number = next(self._numbers)
        repeat_id = template.extras.id or f"repeat-{number}"
        while not template.extras.id and repeat_id in self._live:
            number = next(self._numbers)
            repeat_id = f"repeat-{number}"
        if repeat_id in self._live:
            if not self._live[repeat_id].is_restored:
                raise DuplicateJob(repeat_id, None)
            self._live[repeat_id].runs_missed = runs_missed
            return self._take_over(self._live[repeat_id], template, times, stored)
        repeat = Repeat(repeat_id, number, template, times, is_behind=times.due_at < now)
        repeat.every, repeat.runs_missed = stored, runs_missed
        self._live[repeat_id] = repeat
        try:
            if times.due_at <= now and not repeat.is_behind:
                self._submit_due(repeat)
            else:
                self._schedule(repeat)
        except BaseException:
            self._remove(repeat)
            raise
        self._changed(repeat)
        return repeat

    def restore(self, repeat: Repeat, run: JobRecord | None) -> None:
        """Go on with a repeat that a store gives back.

        Args:
            repeat: The repeat.
            run: Its run that has not ended, if there is one.
        """
        self._live[repeat.id] = repeat
        if run is not None:
            repeat.is_running = True
            repeat.last = run
            self.runs[run] = repeat
        self.go_on(repeat)

    def live(self) -> list[Repeat]:
        """Return the repeats that have not ended, in the order of their calls."""
        return [*self._live.values()]

    def is_live(self, repeat: Repeat) -> bool:
        """Tell whether a repeat has not ended."""
        return self._live.get(repeat.id) is repeat

    def next_number(self) -> int:
        """Return the place of another repeat in the order of the calls."""
        return next(self._numbers)

    def _take_over(
        self, repeat: Repeat, template: JobRecord, times: DueTimes, stored: str
    ) -> Repeat:
        """Give a repeat of the store its new job, and new due times if these are others."""
        repeat.is_restored = False
        repeat.template = template
        if repeat.every != stored:
            self.unschedule(repeat)
            repeat.every, repeat.due_times, repeat.is_due_used = stored, times, False
            self.go_on(repeat, is_counted=False)
        self._changed(repeat)
        return repeat

    def submit_due_runs(self, now: float) -> None:
        """Submit the runs that are due by now."""
        due: list[Repeat] = []
        while self._scheduled.first_rank() <= now and (repeat := self._scheduled.pop()) is not None:
            due.append(repeat)
        for repeat in due:
            if (
                not repeat.is_waiting() or repeat in self._scheduled
            ):  # the user's own code ran meanwhile
                continue
            if repeat.is_behind:
                self.go_on(repeat)
                continue
            try:
                self._submit_due(repeat)
            except Exception as error:  # noqa: BLE001 - the code of a key may raise anything
                text = JobErrorInfo.of(error).traceback
                run_id = f"{repeat.id}#{repeat.runs + 1}"
                logger.error("run %r was not submitted:\n%s", run_id, text)  # noqa: TRY400
                repeat.missed += 1
                self.go_on(repeat)

    def _submit_due(self, repeat: Repeat) -> None:
        due = repeat.missed_at
        if due is None:
            assert repeat.due_times is not None  # it is due
            repeat.is_due_used = True
            due = repeat.due_times.wall_time(self._queue.wall_clock.offset())
        self.submit_run(repeat, due)

    def submit_run(self, repeat: Repeat, scheduled_at: datetime | None = None) -> None:
        """Submit a run of a repeat that has none, with the due time that it is for."""
        template = repeat.template
        assert template is not None  # it has not ended
        if repeat in self._scheduled:
            self._scheduled.discard(repeat)
        record = template.copy(f"{repeat.id}#{repeat.runs + 1}", scheduled_at)
        repeat.missed_at = None
        repeat.is_running = True  # a key's own code may use the repeat
        try:
            self._queue.let_in(record)
        except BaseException:
            repeat.is_running = False
            raise
        repeat.runs += 1
        repeat.last = record
        self.runs[record] = repeat
        self._changed(repeat)

    def run_ended(self, record: JobRecord) -> None:
        """Wait for the next due time after a run."""
        repeat = self.runs.pop(record)
        repeat.is_running = False
        self.go_on(repeat)

    def go_on(self, repeat: Repeat, *, is_counted: bool = True) -> None:
        """Wait for the next due time of a repeat, unless it has ended or does not wait."""
        if not repeat.is_waiting():
            return
        queue = self._queue
        try:
            repeat.skip_past(queue.now(), queue.wall_clock.offset(), is_counted=is_counted)
        except BaseException as error:  # noqa: ASYNC103, BLE001 - the user's function
            self._end_with(repeat, error)
            return  # noqa: ASYNC104 - it is logged, or leaves by the block
        if repeat.is_waiting() and repeat not in self._scheduled:  # the function may have used it
            self._schedule(repeat)
            self._changed(repeat)

    def _schedule(self, repeat: Repeat) -> None:
        assert repeat.due_times is not None
        is_late = repeat.missed_at is not None and not repeat.is_behind
        time = self._queue.now() if is_late else repeat.due_times.due_at
        self._scheduled.push(repeat, time, repeat.number)
        self._queue.timer.wake_at(time)

    def unschedule(self, repeat: Repeat) -> None:
        """Stop waiting for the next due time of a repeat."""
        if repeat in self._scheduled:
            self._scheduled.discard(repeat)

    def _end_with(self, repeat: Repeat, error: BaseException) -> None:
        """End a repeat whose function of the due time has failed."""
        self.end(repeat)
        if not has_only_exceptions(error):
            self._queue.interrupt(error)
            return
        text = JobErrorInfo.of(error).traceback
        logger.error("repeat %r has ended, since every() gave no next time:\n%s", repeat.id, text)

    def end(self, repeat: Repeat) -> None:
        """End a repeat; a run that has been submitted goes on."""
        if self._live.get(repeat.id) is repeat:
            self.unschedule(repeat)
            self._remove(repeat)
            self._changed(repeat)

    def _remove(self, repeat: Repeat) -> None:
        del self._live[repeat.id]
        repeat.due_times = repeat.template = repeat.missed_at = None

    def end_all(self) -> None:
        """End all repeats, since the queue begins to end.

        A store keeps them.
        """
        self.observer = None
        for repeat in [*self._live.values()]:
            self.end(repeat)

    def set_paused(self, repeat: Repeat, *, is_paused: bool) -> None:
        """Pause or resume a repeat."""
        if repeat.is_paused is is_paused or repeat.due_times is None:
            return
        repeat.is_paused = is_paused
        if is_paused:
            repeat.missed_at = None
            self.unschedule(repeat)
        else:
            self.go_on(repeat, is_counted=False)
        self._changed(repeat)

    def check_thread(self) -> None:
        """Raise ``RuntimeError`` if called outside of the queue's Trio run."""
        self._owner_thread.check()

    def wall_time_offset(self) -> float:
        """Return wall-clock time minus Trio's, in seconds."""
        return self._queue.wall_clock.offset()


@final
class RepeatHandle:
    """A job that is run again and again; made by :meth:`JobQueue.repeat`.

    Each run is a job of its own, with the ID ``<id>#n``. A repeat ends by :meth:`cancel`, when its
    ``every`` function raises or gives no later time, and when the queue begins to end.
    """

    __slots__ = ("_repeat", "_repeats")

    def __init__(self, repeat: Repeat, repeats: Repeats) -> None:
        self._repeat = repeat
        self._repeats = repeats

    @property
    def id(self) -> JobID:
        """The ID of the repeat."""
        return self._repeat.id

    @property
    def runs(self) -> int:
        """The number of runs that were submitted, those by :meth:`run_now` included.

        With a store it goes on at the next opening, and so does :attr:`missed`.
        """
        return self._repeat.runs

    @property
    def missed(self) -> int:
        """The number of due times that passed during a run, or while the store was not open."""
        return self._repeat.missed

    @property
    def next_at(self) -> datetime | None:
        """The next due time as a UTC datetime; None during a run, in a pause, and after the end."""
        repeat = self._repeat
        if repeat.due_times is None or not repeat.is_waiting():
            return None
        return repeat.due_times.wall_time(self._repeats.wall_time_offset())

    def snapshot(self) -> JobSnapshot[object] | None:
        """Return the state of the last run as it is now; None before the first."""
        return snapshot_of(self._repeat.last) if self._repeat.last is not None else None

    @enable_ki_protection
    def cancel(self) -> bool:
        """End the repeat.

        A run that has been submitted goes on; cancel it by its ID.

        Returns:
            False if the repeat had ended, so that nothing changed.
        """
        self._repeats.check_thread()
        had_ended = not self._repeats.is_live(self._repeat)
        self._repeats.end(self._repeat)
        return not had_ended

    @enable_ki_protection
    def run_now(self) -> bool:
        """Submit a run now, also in a pause.

        The due times stay as they are.

        Returns:
            False if a run is pending or running or the repeat has ended, so that nothing changed.

        Raises:
            DuplicateJob: A live job has the ID of the run.
        """
        self._repeats.check_thread()
        repeat = self._repeat
        if repeat.due_times is None or repeat.is_running:
            return False
        try:
            self._repeats.submit_run(repeat, repeat.missed_at)
        finally:
            if not repeat.is_running:
                self._repeats.go_on(repeat)
        return True

    @enable_ki_protection
    def pause(self) -> None:
        """Submit no more runs; a run that has been submitted goes on.

        Due times that pass in the pause are skipped, and do not count as missed.
        """
        self._repeats.check_thread()
        self._repeats.set_paused(self._repeat, is_paused=True)

    @enable_ki_protection
    def resume(self) -> None:
        """End a pause: the next run is at the first due time that is not past."""
        self._repeats.check_thread()
        self._repeats.set_paused(self._repeat, is_paused=False)

    def __repr__(self) -> str:
        repeat = self._repeat
        state = (
            "ended"
            if not self._repeats.is_live(repeat)
            else "not loaded"
            if repeat.due_times is None
            else "running"
            if repeat.is_running
            else "paused"
            if repeat.is_paused
            else "waiting"
        )
        return (
            f"<RepeatHandle id={repeat.id!r}, {state}, {repeat.runs} runs, {repeat.missed} missed>"
        )
