"""Jobs that start after other jobs.

A job can only name jobs that were submitted before it, so there are no cycles. A job that waits
knows the jobs that it waits for, and each of these knows it. Both links are removed once it is
decided whether the job runs, so no record keeps another one alive for longer.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from ticketr.jobs._job import COMPLETED, CancelCause

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._record import JobRecord


@final
@dataclass(eq=False, slots=True)
class Dependencies:
    """Starts and cancels the jobs of a queue that wait for the end of others."""

    _core: QueueCore
    _doomed: deque[JobRecord] = field(default_factory=deque)

    def link_predecessors(self, record: JobRecord) -> None:
        """Link a new job to those that it starts after; drop the links to those that ended."""
        predecessors = record.extras.predecessors
        for predecessor, any_end in [*predecessors.items()]:
            if not predecessor.status.is_terminal:
                predecessor.add_dependent(record)
            elif any_end or predecessor.status is COMPLETED:
                del predecessors[predecessor]

    def release_or_cancel_dependents(self, record: JobRecord) -> None:
        """Start or cancel the jobs that wait for this one alone, or for its success."""
        core, doomed, released = self._core, self._doomed, list["JobRecord"]()
        is_outermost = not doomed
        dependents = record.unlink_all_and_return_dependents()
        for dependent in dependents:
            predecessors = dependent.extras.predecessors
            if record.status is not COMPLETED and not predecessors[record]:
                doomed.append(dependent)
            else:
                del predecessors[record]
                if not predecessors:
                    released.append(dependent)
        for dependent in released:
            core.schedule.end_wait_for_predecessors(dependent, core.now())
        if dependents:
            core.timer.wake_at(core.schedule.next_wake_time())
            core.notify_changed_and_wake_worker(released)
        while is_outermost and doomed:  # each may have dependents, which this loop cancels, too
            core.cancel_pending(doomed[0], CancelCause.DEPENDENCY)
            doomed.popleft()


def is_doomed(record: JobRecord) -> bool:
    """Return whether a job can never start, since one before it failed or was cancelled."""
    return any(
        job.status.is_terminal and job.status is not COMPLETED and not any_end
        for job, any_end in record.extras.predecessors.items()
    )
