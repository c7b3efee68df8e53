"""Repeats and their handles: jobs that are run again and again, at their due times.

A repeat is not a job: each of its runs is one, and is submitted when it is due. While a run is
pending or running, no other is: due times that pass meanwhile are skipped and counted. A repeat
ends when it is cancelled, when its function of the due time fails, or when the queue begins to end.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar, final

from ticketr._errors import DuplicateJob, QueueClosed
from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._job import JobErrorInfo, JobID, JobSnapshot
from ticketr.jobs._maps.due_times import DueTimes, make_due_times
from ticketr.jobs._record import JobRecord, snapshot_of
from ticketr.jobs._scheduling.schedule import PriorityQueue
from ticketr.jobs._trio import protect_methods_from_ki

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore

logger = logging.getLogger("ticketr.jobs")


@final
@dataclass(eq=False, slots=True)
class Repeat:
    """One repeat.

    Attributes:
        id: Its ID; that of its n-th run is ``<id>#n``.
        creation_order: Its place in the order in which the repeats were made.
        template: The record that its runs are copies of; None once it has ended, and for one that
            a store could not load.
        due_times: Its due times; None like the template.
        every_as_stored: The seconds or the function of its due times, as text for a store.
        is_restored_unclaimed: Whether a store has given it back, and no call has asked for it since.
        is_due_handled: Whether the current due time has had its run, or is past and is to have
            none.
        is_paused: Whether no run is to be submitted.
        last_run: The last run; None before the first.
        submitted_runs: The number of runs that were submitted.
        missed: The number of due times without a run.
        counts_skipped_as_missed: Whether the due times that are skipped next count as missed.
        makes_up_latest_missed: Whether the latest due time that was missed has a run after all.
        makeup_due_at: That due time, until the run is submitted; None for none.
    """

    id: JobID
    creation_order: int
    template: JobRecord | None = None
    due_times: DueTimes | None = None
    every_as_stored: str = ""
    is_restored_unclaimed: bool = False
    is_due_handled: bool = False
    is_paused: bool = False
    last_run: JobRecord | None = None
    submitted_runs: int = 0
    missed: int = 0
    counts_skipped_as_missed: bool = True
    makes_up_latest_missed: bool = False
    makeup_due_at: datetime | None = None

    @property
    def has_live_run(self) -> bool:
        """Whether a run is pending or running."""
        return self.last_run is not None and not self.last_run.status.is_terminal

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its due time."""
        return self.due_times is not None and not self.has_live_run and not self.is_paused

    def skip_past_due_times(self, now: float, offset: float) -> None:
        """Go on to the first due time that has had no run and is not past, or a part of the way.

        Raises:
            BaseException: What the user's function of the due time raises.
        """
        times = self.due_times
        assert times is not None  # it waits
        if self.is_due_handled or times.due_at < now:
            skipped = times.advance(now, offset) + (not self.is_due_handled)
            self.is_due_handled = times.due_at < now
            skipped += self.is_due_handled
            if self.counts_skipped_as_missed:
                self.missed += skipped
            if self.counts_skipped_as_missed and self.makes_up_latest_missed and skipped:
                latest = times.due_utc if self.is_due_handled else times.due_utc_before_current
                self.makeup_due_at = latest(offset)
        self.counts_skipped_as_missed = self.counts_skipped_as_missed or not self.is_due_handled


def call_in_context(
    template: JobRecord, function: Callable[[datetime], datetime], due: datetime
) -> datetime:
    """Call a user's function of a due time in the context variables of the repeat's jobs."""
    return template.context.copy().run(function, due)


@final
@dataclass(eq=False)
class Repeats:
    """The repeats of one queue.

    Attributes:
        shows_failures_to_reader: False, since a failed run is reported (see ``JobCollector``).
        live: The repeats that have not ended, by ID, in the order of their calls.
        creation_orders: The places of further repeats in that order.
        scheduled: The repeats that wait, by when their next runs are due.
    """

    shows_failures_to_reader: ClassVar[bool] = False

    _queue: QueueCore
    live: dict[JobID, Repeat] = field(default_factory=dict)
    scheduled: PriorityQueue[Repeat] = field(default_factory=PriorityQueue)
    creation_orders: Iterator[int] = field(default_factory=partial(itertools.count, 1))

    def _store_change(self, repeat: Repeat) -> None:
        """Note a change or an end in the store; the end of the queue changes nothing there."""
        # A late run is noted when it is submitted: a process that is killed before finds it again.
        queue = self._queue
        if queue.store is not None and repeat.makeup_due_at is None and not queue.phase.is_ending:
            queue.store.repeat_changed(repeat)

    # The beginning

    def start(
        self,
        template: JobRecord,
        every: object,
        first: object,
        every_as_stored: str = "",
        *,
        makes_up_latest_missed: bool = False,
    ) -> Repeat:
        """Begin a repeat, or take over one of the store; submit its first run if that is due.

        Args:
            template: The record that its runs are copies of.
            every: The seconds between two due times, or a function of a due time.
            first: The seconds until the first due time, or that time.
            every_as_stored: The same as ``every`` for the queue's store, as text.
            makes_up_latest_missed: Whether the latest due time that was missed has a run after all.

        Raises:
            QueueClosed: The queue has begun to end.
            DuplicateJob: Another repeat has this ID, or a live job that of the first run.
            TypeError, ValueError: The due times are invalid.
        """
        if self._queue.phase.is_ending:
            raise QueueClosed
        now, offset = self._queue.now(), self._queue.wall_clock.offset()
        times = make_due_times(every, first, now, offset, partial(call_in_context, template))
        if times.due_at < now:
            times.advance(now, offset)
        number, wanted = next(self.creation_orders), template.extras.given_id
        while (repeat_id := wanted or f"repeat-{number}") in self.live and not wanted:
            number = next(self.creation_orders)
        new = Repeat(repeat_id, number, is_restored_unclaimed=True)
        repeat = self.live.setdefault(repeat_id, new)
        if not repeat.is_restored_unclaimed:
            raise DuplicateJob(repeat_id, None)
        repeat.template, repeat.is_restored_unclaimed = template, False
        repeat.makes_up_latest_missed = makes_up_latest_missed
        if repeat.due_times is None or repeat.every_as_stored != every_as_stored:
            repeat.every_as_stored, repeat.due_times = every_as_stored, times
            self._wait_or_submit_first(repeat, times, now)
        self._store_change(repeat)
        return repeat

    def _wait_or_submit_first(self, repeat: Repeat, times: DueTimes, now: float) -> None:
        """Wait for the first of new due times, or submit its run."""
        repeat.is_due_handled = times.due_at < now
        repeat.counts_skipped_as_missed = not repeat.is_due_handled
        self.scheduled.discard(repeat)
        try:
            if repeat.is_waiting and times.due_at == now:
                self._submit_due(repeat)
        except BaseException:
            self.end(repeat)
            raise
        self._schedule_at_due_time(repeat)

    def restore(self, repeat: Repeat, run: JobRecord | None) -> None:
        """Go on with a repeat that a store gives back.

        Args:
            repeat: The repeat.
            run: Its run that has not ended, if there is one.
        """
        self.live[repeat.id] = repeat
        if run is not None:
            repeat.last_run = run
            run.collect_by(self)
        self._schedule_next(repeat)

    # The runs

    def submit_due_runs(self, now: float) -> None:
        """Submit the runs that are due by now."""
        for repeat in [*self.scheduled.take_until(now)]:
            if not repeat.is_waiting or repeat in self.scheduled:
                continue  # the user's own code ran meanwhile
            if not repeat.is_due_handled:
                try:
                    self._submit_due(repeat)
                except Exception as error:  # noqa: BLE001 - the code of a key may raise anything
                    text = JobErrorInfo.of(error).traceback
                    run_id = f"{repeat.id}#{repeat.submitted_runs + 1}"
                    logger.error("run %r was not submitted:\n%s", run_id, text)  # noqa: TRY400
                    repeat.missed += repeat.makeup_due_at is None
                    repeat.makeup_due_at = None
            self._schedule_next(repeat)

    def _submit_due(self, repeat: Repeat) -> None:
        due = repeat.makeup_due_at
        if due is None:
            assert repeat.due_times is not None  # it is due
            repeat.is_due_handled = True
            due = repeat.due_times.due_utc(self._queue.wall_clock.offset())
        self.submit_run(repeat, due)

    def submit_run(self, repeat: Repeat, scheduled_at: datetime | None) -> None:
        """Submit a run of a repeat that has none, with the due time that it is for."""
        template = repeat.template
        assert template is not None  # it has not ended
        job_id = f"{repeat.id}#{repeat.submitted_runs + 1}"
        record = template.copy(job_id, template.context.copy(), scheduled_at)
        record.collect_by(self)
        self._queue.try_enter_or_join(record, is_forced=True)
        self._queue.waker.wake_one()
        self.scheduled.discard(repeat)
        repeat.submitted_runs += 1
        repeat.last_run, repeat.makeup_due_at = record, None
        self._store_change(repeat)

    def job_ended(self, record: JobRecord) -> None:
        """Wait for the next due time after a run."""
        repeat = self.live.get(record.id.rpartition("#")[0])
        if repeat is not None and repeat.last_run is record:
            self._schedule_next(repeat)

    def _schedule_next(self, repeat: Repeat) -> None:
        """Wait for the next due time of a repeat, unless it has ended or does not wait."""
        if not repeat.is_waiting:
            return
        try:
            repeat.skip_past_due_times(self._queue.now(), self._queue.wall_clock.offset())
        except BaseException as error:  # noqa: ASYNC103, BLE001 - the user's function
            self.end(repeat)
            if not has_only_exceptions(error):
                self._queue.interrupt(error)
            else:
                text, reason = JobErrorInfo.of(error).traceback, "since every() gave no next time"
                logger.error("repeat %r has ended, %s:\n%s", repeat.id, reason, text)  # noqa: TRY400
            return  # noqa: ASYNC104 - it is logged, or leaves by the block
        self._schedule_at_due_time(repeat)
        self._store_change(repeat)

    def _schedule_at_due_time(self, repeat: Repeat) -> None:
        """Wait for the due time of a repeat, unless the user's function has used it meanwhile."""
        if repeat.due_times is not None and repeat.is_waiting and repeat not in self.scheduled:
            # One that is late is due now.
            time = repeat.due_times.due_at if repeat.makeup_due_at is None else -math.inf
            self.scheduled.push(repeat, time, repeat.creation_order)
            self._queue.timer.wake_at(time)

    # The end

    def end(self, repeat: Repeat) -> bool:
        """End a repeat; a run that has been submitted goes on. Return False if it had ended."""
        if self.live.get(repeat.id) is not repeat:
            return False
        self.scheduled.discard(repeat)
        del self.live[repeat.id]
        repeat.due_times = repeat.template = repeat.makeup_due_at = None
        self._store_change(repeat)
        return True

    def set_paused(self, repeat: Repeat, *, is_paused: bool) -> None:
        """Pause or resume a repeat."""
        if repeat.is_paused is is_paused or repeat.due_times is None:
            return
        repeat.is_paused = is_paused
        if is_paused:
            repeat.makeup_due_at = None
            self.scheduled.discard(repeat)
        elif not repeat.has_live_run:
            repeat.counts_skipped_as_missed = False
            self._schedule_next(repeat)
        self._store_change(repeat)


@final
@protect_methods_from_ki
class RepeatHandle:
    """A job that is run again and again; made by :meth:`JobQueue.repeat`.

    Each run is a job of its own, with the ID ``<id>#n``. A repeat ends by :meth:`cancel`, when its
    ``every`` function raises or gives no later time, and when the queue begins to end.
    """

    __slots__ = ("_core", "_repeat")

    def __init__(self, repeat: Repeat, core: QueueCore) -> None:
        self._repeat = repeat
        self._core = core

    @property
    def id(self) -> JobID:
        """The ID of the repeat."""
        return self._repeat.id

    @property
    def runs(self) -> int:
        """The number of runs that were submitted, those by :meth:`run_now` included.

        With a store it goes on at the next opening, and so does :attr:`missed`.
        """
        return self._repeat.submitted_runs

    @property
    def missed(self) -> int:
        """The number of due times that passed during a run, or while the store was not open."""
        return self._repeat.missed

    @property
    def next_at(self) -> datetime | None:
        """The next due time as a UTC datetime; None during a run, in a pause, and after the end."""
        times = self._repeat.due_times
        if times is None or not self._repeat.is_waiting:
            return None
        return times.due_utc(self._core.wall_clock.offset())

    def snapshot(self) -> JobSnapshot[object] | None:
        """Return the state of the last run as it is now; None before the first."""
        return snapshot_of(self._repeat.last_run) if self._repeat.last_run is not None else None

    def cancel(self) -> bool:
        """End the repeat.

        A run that has been submitted goes on; cancel it by its ID.

        Returns:
            False if the repeat had ended, so that nothing changed.
        """
        self._core.subscriptions.owner_run.check()
        return self._core.repeats.end(self._repeat)

    def run_now(self) -> bool:
        """Submit a run now, also in a pause.

        The due times stay as they are.

        Returns:
            False if a run is pending or running or the repeat has ended, so that nothing changed.

        Raises:
            DuplicateJob: A live job has the ID of the run.
        """
        self._core.subscriptions.owner_run.check()
        repeat = self._repeat
        if repeat.due_times is None or repeat.has_live_run:
            return False
        self._core.repeats.submit_run(repeat, repeat.makeup_due_at)
        return True

    def pause(self) -> None:
        """Submit no more runs; a run that has been submitted goes on.

        Due times that pass in the pause are skipped, and do not count as missed.
        """
        self._core.subscriptions.owner_run.check()
        self._core.repeats.set_paused(self._repeat, is_paused=True)

    def resume(self) -> None:
        """End a pause: the next run is at the first due time that is not past."""
        self._core.subscriptions.owner_run.check()
        self._core.repeats.set_paused(self._repeat, is_paused=False)

    def __repr__(self) -> str:
        repeat = self._repeat
        is_live = self._core.repeats.live.get(repeat.id) is repeat
        states = {
            "ended": not is_live,
            "not loaded": repeat.due_times is None,
            "running": repeat.has_live_run,
            "paused": repeat.is_paused,
        }
        state = next((name for name, holds in states.items() if holds), "waiting")
        counts = f"{repeat.submitted_runs} runs, {repeat.missed} missed"
        return f"<RepeatHandle id={repeat.id!r}, {state}, {counts}>"
