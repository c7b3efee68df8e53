"""How long the records of ended jobs are kept."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ticketr.jobs._values import checked_count, checked_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ticketr.jobs._job import JobID
    from ticketr.jobs._record import JobRecord


@final
@dataclass(frozen=True, slots=True)
class Keep:
    """How many records of ended jobs a queue keeps, and for how long.

    Live jobs are never dropped.

    Attributes:
        jobs: The largest number of records; ``math.inf`` for no limit. Surplus records are dropped
            once there are a sixteenth more, or when the queue is asked for a job.
        age: The age in seconds beyond which a record is dropped; ``math.inf`` for no limit. Old
            records are dropped when another job ends, or when the queue is asked for a job.
    """

    jobs: float = 1000
    age: float = 3600.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "jobs", checked_count("jobs", self.jobs, 0))
        object.__setattr__(self, "age", checked_seconds("age", self.age, limit=True))


@final
class FinishedJobs:
    """The records of ended jobs that a queue still keeps.

    Also written in ``_core``: a new one.

    Attributes:
        jobs: These records, in the order in which the jobs ended.
        evict_above: Call ``evict`` when there are more records than this.
        evict_after: Call ``evict`` when a job ends after this time.
    """

    __slots__ = (
        "_max_age",
        "_max_jobs",
        "_records",
        "evict_above",
        "evict_after",
        "jobs",
    )

    def __init__(self, records: dict[JobID, JobRecord], keep: Keep) -> None:
        self._records = records  # all records of the queue, by ID
        self._max_jobs, self._max_age = keep.jobs, keep.age
        # Evicting several at once is faster, and so is comparing with a whole number.
        self.evict_above: float = (
            keep.jobs if keep.jobs == math.inf else int(keep.jobs + keep.jobs / 16)
        )
        self.evict_after: float = -math.inf
        self.jobs: deque[JobRecord] = deque()

    def evict(self, now: float) -> None:
        """Drop surplus and old records."""
        jobs = self.jobs
        while jobs and (len(jobs) > self._max_jobs or jobs[0].finished_at < now - self._max_age):
            record = jobs.popleft()
            if self._records.get(record.id) is record:
                del self._records[record.id]
        self.evict_after = jobs[0].finished_at + self._max_age if jobs else -math.inf

    def restore(self, records: Iterable[JobRecord]) -> None:
        """Keep jobs that have ended in an earlier opening of the queue's store."""
        self.jobs.extend(records)

    def evict_exactly(self) -> None:
        """Make ``evict`` due as soon as there is one surplus record."""
        self.evict_above = self._max_jobs

    @property
    def kept(self) -> int:
        """The number of ended jobs that can still be asked for."""
        return int(min(len(self.jobs), self._max_jobs))
