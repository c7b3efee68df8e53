"""The jobs of a queue: by ID, by key, and those that have ended and are kept."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, final

from ticketr.jobs._job import JobStatus, OnConflict
from ticketr.jobs._key_table import KeyTable
from ticketr.jobs._retention import FinishedJobs

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import trio

    from ticketr.jobs._job import JobID
    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._retention import Keep
    from ticketr.jobs._schedule import Schedule
    from ticketr.jobs._wall_clock import WallClock


@final
class Registry:
    """The jobs of one queue. Also written in ``_core``, for speed: a job that enters or ends.

    Attributes:
        by_id: The live jobs and those that are kept. An ID belongs to the job that got it last.
        keys: The keys of the live jobs, and those that are paused or have a rate.
        finished: The jobs that have ended and are kept.
        totals: How many jobs have ended, by status.
    """

    __slots__ = (
        "_ids",
        "_numbers",
        "_running",
        "_schedule",
        "_wall_clock",
        "by_id",
        "finished",
        "keys",
        "totals",
    )

    def __init__(
        self,
        schedule: Schedule,
        running: Mapping[trio.lowlevel.Task, JobRecord],
        keep: Keep,
        wall_clock: WallClock,
    ) -> None:
        self._schedule = schedule
        self._running = running
        self._wall_clock = wall_clock
        self._ids = itertools.count(1)
        self._numbers = itertools.count()
        self.by_id: dict[JobID, JobRecord] = {}
        self.keys: KeyTable[JobRecord] = KeyTable()
        self.finished: FinishedJobs = FinishedJobs(self.by_id, keep)
        self.totals: dict[JobStatus, int] = dict.fromkeys(JobStatus, 0)

    def conflicts(self, record: JobRecord, key_slot: KeySlot[JobRecord] | None) -> list[JobRecord]:
        """Return the live job with the new job's ID, or without an ID those with its key.

        Args:
            record: The new job.
            key_slot: The slot of its key, if the key is in use.
        """
        if record.id:
            same_id = self.by_id.get(record.id)
            return [] if same_id is None or same_id.status.is_terminal else [same_id]
        if key_slot is None or record.on_conflict is OnConflict.WAIT:
            return []
        return [*key_slot.jobs]

    def add_key(self, record: JobRecord, key_slot: KeySlot[JobRecord] | None) -> None:
        """Enter a new job under its key, whose own code may raise.

        Args:
            record: The job.
            key_slot: The slot of its key, if the key is in use.
        """
        key_slot = key_slot or self.keys.add(record.key)
        key_slot.add(record)
        record.set_key_slot(key_slot)

    def add(self, record: JobRecord, now: float) -> None:
        """Number a new job, and give it an ID if it has none.

        The job can be asked for once it is in ``by_id``, which has to be when it is scheduled.
        """
        job_id = record.id
        if not job_id:
            job_id = f"job-{next(self._ids)}"
            while job_id in self.by_id:  # a submit has chosen that one
                job_id = f"job-{next(self._ids)}"
        record.accept(job_id, next(self._numbers), now, self._wall_clock)

    def free(self, record: JobRecord) -> None:
        """Free the ID and the key of a job that has ended for others."""
        if record.id_holder is not None:
            predecessor = self._schedule.predecessor(record)
            if predecessor is not None and self.by_id.get(record.id) is record:
                self.by_id[record.id] = predecessor
        if record.key_slot is not None:
            record.key_slot.discard(record)
            self.remove_unused(record.key_slot)

    def remove_unused(self, key_slot: KeySlot[JobRecord]) -> None:
        """Remove the slot of a key that no live job has, no pause and no rate."""
        if not key_slot.jobs and not self._schedule.needs_key(key_slot):
            self.keys.remove(key_slot)

    def select(self, key: Hashable, key_hash: int, tag: str | None) -> list[JobRecord]:
        """Return the jobs with this key and tag, None for any, in the order of submission."""
        # An ended job whose ID another one has by now cannot be asked for.
        ended = [job for job in self.finished.jobs if self.by_id.get(job.id) is job]
        jobs = [*ended, *self._running.values(), *self._schedule.jobs()]
        return [
            job
            for job in sorted(jobs, key=lambda job: job.number)
            if (key is None or (job.key_slot is not None and job.key_slot.matches(key, key_hash)))
            and (tag is None or tag in job.tags)
        ]

    @property
    def evicted(self) -> int:
        """The number of ended jobs whose record was dropped."""
        return sum(self.totals.values()) - self.finished.kept
