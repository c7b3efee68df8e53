"""The jobs of a queue: by ID, by key, and those that have ended and are kept."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, final

from ticketr.jobs._job import CANCELLED, FAILED, OnConflict
from ticketr.jobs._key_table import KeyTable
from ticketr.jobs._retention import FinishedJobs

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import trio

    from ticketr.jobs._job import JobID, JobStatus
    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._retention import Keep
    from ticketr.jobs._schedule import Schedule


@final
class Registry:
    """The jobs of one queue.

    Also written in ``_core``, for speed: a job that enters or ends.

    Attributes:
        ids: The next number of an ID that the queue makes up.
        submitted: The number of jobs that have entered.
        by_id: The live jobs and those that are kept. An ID belongs to the job that got it last.
        keys: The keys of the live jobs, and those that are paused or have a rate.
        finished: The jobs that have ended and are kept.
        unsuccessful: How many jobs have failed, and how many were cancelled, by status. To count
            those that have completed would cost each of them time; their number follows.
    """

    __slots__ = (
        "_running",
        "_schedule",
        "by_id",
        "finished",
        "ids",
        "keys",
        "submitted",
        "unsuccessful",
    )

    def __init__(
        self,
        schedule: Schedule,
        running: Mapping[trio.lowlevel.Task, JobRecord],
        keep: Keep,
    ) -> None:
        self._schedule = schedule
        self._running = running
        self.ids: itertools.count[int] = itertools.count(1)
        self.submitted: int = 0
        self.by_id: dict[JobID, JobRecord] = {}
        self.keys: KeyTable[JobRecord] = KeyTable()
        self.finished: FinishedJobs = FinishedJobs(self.by_id, keep)
        self.unsuccessful: dict[JobStatus, int] = {FAILED: 0, CANCELLED: 0}

    def next_free_id(self) -> JobID:
        """Make up an ID that no submit has chosen."""
        job_id = f"job-{next(self.ids)}"
        while job_id in self.by_id:
            job_id = f"job-{next(self.ids)}"
        return job_id

    def continue_ids(self, number: int) -> None:
        """Make up IDs from this number on, since earlier ones are in a store."""
        self.ids = itertools.count(number)

    def next_number(self) -> int:
        """Return the number of a job that a store gives back after its end."""
        self.submitted += 1
        return self.submitted

    def restore_ended(self, records: Sequence[JobRecord]) -> None:
        """Keep jobs that have ended in an earlier opening of the queue's store, in this order."""
        self.finished.restore(records)
        for record in records:
            if record.status in self.unsuccessful:
                self.unsuccessful[record.status] += 1
            same_id = self.by_id.get(record.id)
            if same_id is None or same_id.status.is_terminal:
                self.by_id[record.id] = record

    def free(self, record: JobRecord) -> None:
        """Free the ID and the key of a job that has ended for others."""
        key_slot = record.extras.key_slot
        if record.extras.on_conflict is OnConflict.SUPERSEDE and record.extras.links is not None:
            superseded = [job for job in record.extras.links.predecessors if job.id == record.id]
            if superseded and self.by_id.get(record.id) is record:
                self.by_id[record.id] = superseded[-1]
        if key_slot is not None:
            key_slot.discard(record)
            self.remove_unused(key_slot)

    def running_job(self, job_id: JobID) -> JobRecord | None:
        """Return the running job with an ID, which one that supersedes it may have by now."""
        return next((job for job in self._running.values() if job.id == job_id), None)

    def remove_unused(self, key_slot: KeySlot[JobRecord]) -> None:
        """Remove the slot of a key that no live job has, no pause and no rate."""
        if not key_slot.jobs and not self._schedule.needs_key(key_slot):
            self.keys.remove(key_slot)

    def select(self, key: Hashable, key_hash: int, tag: str | None) -> list[JobRecord]:
        """Return the jobs with this key and tag, None for any, in the order of submission."""
        # An ended job whose ID another job has taken can no longer be looked up.
        ended = [job for job in self.finished.jobs if self.by_id.get(job.id) is job]
        jobs = [*ended, *self._running.values(), *self._schedule.jobs()]
        return [
            job
            for job in sorted(jobs, key=lambda job: job.number)
            if (tag is None or tag in job.extras.tags)
            and (
                key is None
                or ((slot := job.extras.key_slot) is not None and slot.matches(key, key_hash))
            )
        ]

    @property
    def ended(self) -> int:
        """The number of jobs that have ended."""
        return self.submitted - self._schedule.pending - len(self._running)

    @property
    def completed(self) -> int:
        """The number of jobs that have completed."""
        return self.ended - self.unsuccessful[FAILED] - self.unsuccessful[CANCELLED]

    @property
    def evicted(self) -> int:
        """The number of ended jobs whose record was dropped."""
        return self.ended - self.finished.kept
