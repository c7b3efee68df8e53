"""How far a queue is on the way to its end. What is done on the way is in ``_shutdown``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from ticketr.jobs._job import CancelCause

FIRST_STUCK_WARNING: Final = 5.0
"""The seconds after which to warn of jobs that did not stop when they were cut off."""


@final
class Phase:
    """The steps that a queue has taken to its end.

    Attributes:
        draining: The block is being left, or the queue refuses jobs; nothing can be paused.
        refusing: The queue takes no more jobs.
        closed: Whether no job will change from now on.
        cancels_delayed_jobs: A job that waits for a time or a rate is cancelled at once.
        cut_off_cause: Why the jobs are being cut off; None while they are not.
        cut_off_at: When to cut off the jobs; infinite while that is not planned, or is done.
        stuck_warning_at: When to warn of jobs that did not stop.
    """

    __slots__ = (
        "_stuck_warning_interval",
        "cancels_delayed_jobs",
        "closed",
        "cut_off_at",
        "cut_off_cause",
        "draining",
        "refusing",
        "stuck_warning_at",
    )

    def __init__(self) -> None:
        self.draining: bool = False
        self.refusing: bool = False
        self.closed: bool = False
        self.cancels_delayed_jobs: bool = False
        self.cut_off_cause: CancelCause | None = None
        self.cut_off_at: float = math.inf
        self.stuck_warning_at: float = math.inf
        self._stuck_warning_interval: float = FIRST_STUCK_WARNING

    def start_draining(self) -> None:
        """Note that the end of the queue has begun."""
        self.draining = True

    def refuse(self) -> None:
        """Take no more jobs."""
        self.refusing = True

    def close(self) -> None:
        """Note that no job changes from now on."""
        self.closed = True

    def cancel_delayed_jobs(self) -> None:
        """From now on, cancel a job as soon as it waits for a time or a rate."""
        self.cancels_delayed_jobs = True

    def note_cause(self, cause: CancelCause) -> CancelCause:
        """Note why jobs are cut off, unless a cause is noted already; return the noted one."""
        if self.cut_off_cause is None:
            self.cut_off_cause = cause
        return self.cut_off_cause

    def cut_off_by(self, time: float) -> None:
        """Cut off the jobs at this time, if not before."""
        self.cut_off_at = min(self.cut_off_at, time)

    def is_cut_off_due(self, now: float) -> bool:
        """Return, once, whether the time has come to cut off the jobs."""
        is_due = now >= self.cut_off_at
        if is_due:
            self.cut_off_at = math.inf
        return is_due

    def expect_stop(self, now: float) -> None:
        """Plan to warn of the jobs that do not stop, now that they were cancelled."""
        self.stuck_warning_at = min(self.stuck_warning_at, now + self._stuck_warning_interval)

    def is_stuck_warning_due(self, now: float, *, has_running: bool) -> bool:
        """Return whether to warn now; the next warning takes twice as long."""
        if now < self.stuck_warning_at:
            return False
        self._stuck_warning_interval *= 2
        self.stuck_warning_at = now + self._stuck_warning_interval if has_running else math.inf
        return True
