"""Jobs that start after other jobs.

A job can only name jobs that were submitted before it, so there are no cycles. A job that waits
knows the jobs that it waits for, and each of these knows it. Both links are removed once it is
decided whether the job runs, so no record keeps another one alive for longer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, final

from ticketr.jobs._job import COMPLETED, CancelCause

if TYPE_CHECKING:
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._scheduling.schedule import Schedule
    from ticketr.jobs._timer import Timer


@final
@dataclass(frozen=True, slots=True)
class After:
    """The options ``after``, as handles or IDs, and ``after_any_end`` of a submit."""

    jobs: tuple[object, ...]
    any_end: bool


@final
class JobLinks:
    """The jobs that a job waits for, and those that wait for it.

    Attributes:
        predecessors: The jobs whose end it waits for, and whether it starts although that one fails
            or is cancelled.
        dependents: The jobs that wait for its end.
    """

    __slots__ = ("dependents", "predecessors")

    def __init__(self) -> None:
        self.predecessors: dict[JobRecord, bool] = {}
        self.dependents: dict[JobRecord, None] = {}

    def add(self, predecessor: JobRecord, *, any_end: bool) -> None:
        """Wait for a job, unless it does already."""
        self.predecessors.setdefault(predecessor, any_end)

    def forget(self, predecessor: JobRecord) -> None:
        """Stop waiting for a job."""
        del self.predecessors[predecessor]

    def add_dependent(self, dependent: JobRecord) -> None:
        """Note that a job waits for this one."""
        self.dependents[dependent] = None

    def drop_dependent(self, dependent: JobRecord) -> None:
        """Note that a job no longer waits for this one."""
        self.dependents.pop(dependent, None)


class QueueState(Protocol):
    """The part of a queue that dependencies use."""

    @property
    def schedule(self) -> Schedule: ...
    @property
    def timer(self) -> Timer: ...
    @property
    def now(self) -> Callable[[], float]: ...

    def mark_changed(self, records: Iterable[JobRecord]) -> None:
        """Note that these jobs wait for something else from now on."""

    def cancel_pending(self, record: JobRecord, cause: CancelCause) -> None:
        """End a pending job without a request to cancel it, unless it has ended by now."""


@final
class Dependencies:
    """Starts and cancels the jobs of a queue that wait for the end of others."""

    __slots__ = ("_core", "_doomed", "_is_cancelling")

    def __init__(self, core: QueueState) -> None:
        self._core = core
        self._doomed: deque[JobRecord] = deque()
        self._is_cancelling: bool = False

    def resolve(self, record: JobRecord, after: After, find: Callable[[object], JobRecord]) -> None:
        """Find the jobs that a new one starts after."""
        links = JobLinks()
        for job in after.jobs:
            links.add(find(job), any_end=after.any_end)
        record.set_links(links)

    def connect(self, record: JobRecord) -> None:
        """Link a new job to those that it starts after; drop the links to those that ended."""
        links = record.extras.links
        if links is None:
            return
        for predecessor, any_end in [*links.predecessors.items()]:
            if not predecessor.status.is_terminal:
                own = predecessor.extras.links or JobLinks()
                own.add_dependent(record)
                predecessor.set_links(own)
            elif any_end or predecessor.status is COMPLETED:
                links.forget(predecessor)
        self._drop_unused(record)

    def job_ended(self, record: JobRecord) -> None:
        """Start or cancel the jobs that wait for this one alone, or for its success."""
        links, core = record.extras.links, self._core
        if links is None:
            return
        record.set_links(None)
        for predecessor in links.predecessors:
            if (others := predecessor.extras.links) is not None:
                others.drop_dependent(record)
                self._drop_unused(predecessor)
        released: list[JobRecord] = []
        for dependent in links.dependents:
            waits = dependent.extras.links
            assert waits is not None
            if record.status is not COMPLETED and not waits.predecessors[record]:
                self._doomed.append(dependent)
            else:
                waits.forget(record)
                if not waits.predecessors:
                    released.append(dependent)
        for dependent in released:
            self._drop_unused(dependent)
            core.schedule.end_wait_after(dependent, core.now())
        if links.dependents:
            core.timer.wake_at(core.schedule.next_time())
            core.mark_changed(released)
            self._cancel_doomed()

    def _cancel_doomed(self) -> None:
        """Cancel what can never start.

        Each may have dependents, so this is a loop.
        """
        if self._is_cancelling:
            return
        self._is_cancelling = True
        try:
            while self._doomed:
                self._core.cancel_pending(self._doomed.popleft(), CancelCause.DEPENDENCY)
        finally:
            self._is_cancelling = False

    def _drop_unused(self, record: JobRecord) -> None:
        links = record.extras.links
        if links is not None and not links.predecessors and not links.dependents:
            record.set_links(None)


def is_doomed(record: JobRecord) -> bool:
    """Return whether a job can never start, since one before it failed or was cancelled."""
    links = record.extras.links
    return links is not None and any(
        job.status.is_terminal and job.status is not COMPLETED and not any_end
        for job, any_end in links.predecessors.items()
    )
