"""The handle of a repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from trio.lowlevel import enable_ki_protection

from ticketr.jobs._record import snapshot_of

if TYPE_CHECKING:
    from datetime import datetime

    from ticketr.jobs._job import JobID, JobSnapshot
    from ticketr.jobs._maps.repeat import Repeat, Repeats


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
            self._repeats.submit_run(repeat)
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
