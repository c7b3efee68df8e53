"""The jobs of a queue: by ID, by key, those that conflict, and those that have ended and are kept."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import trio

from ticketr._errors import DuplicateJob
from ticketr.jobs._job import CANCELLED, COMPLETED, FAILED, RUNNING, JobID, JobStatus, OnConflict
from ticketr.jobs._record import JobRecord
from ticketr.jobs._scheduling.schedule import KeySlot, Schedule
from ticketr.jobs._values import checked_count, checked_seconds


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
        object.__setattr__(self, "age", checked_seconds("age", self.age, allow_inf=True))


@final
class JobRegistry:
    """The jobs that a queue knows: the live ones, and those that have ended and are kept.

    Also written in ``_core``, for speed: a job that enters or ends.

    Attributes:
        ids: The next number of an ID that the queue makes up.
        submitted: The number of jobs that have entered.
        by_id: The live jobs and those that are kept. An ID belongs to the job that got it last.
        keys: The slots of the keys of live jobs, and of those that are paused or have a rate.
        ended: The jobs that have ended and are kept, in the order in which they ended.
        evict_above: Call ``evict`` when more than so many are kept: several at once take less time.
        evict_after: Call ``evict`` when a job ends after this time.
        unsuccessful: How many jobs have failed, and how many were cancelled, by status. To count
            those that have completed would cost each of them time; their number follows.
    """

    def __init__(
        self, schedule: Schedule, running: Mapping[trio.lowlevel.Task, JobRecord], keep: Keep
    ) -> None:
        self._schedule = schedule
        self._running = running
        self.keep = keep
        self.ids: itertools.count[int] = itertools.count(1)
        self.submitted: int = 0
        self.by_id: dict[JobID, JobRecord] = {}
        self.keys: dict[Hashable, KeySlot] = {}
        self.ended: deque[JobRecord] = deque()
        self.evict_above: float = keep.jobs + keep.jobs // 16
        self.evict_after: float = -math.inf
        self.unsuccessful: dict[JobStatus, int] = {FAILED: 0, CANCELLED: 0}

    # What a store gives back

    def number_ids_from(self, number: int) -> None:
        """Make up IDs from this number on, since earlier ones are in a store."""
        self.ids = itertools.count(number)

    def count_restored_ended_job(self) -> int:
        """Count a job that a store gives back after its end as submitted, and return its number."""
        self.submitted += 1
        return self.submitted

    def restore_ended(self, records: Sequence[JobRecord]) -> None:
        """Keep jobs that have ended in an earlier opening of the queue's store, in this order."""
        self.ended.extend(records)
        for record in records:
            if record.status in self.unsuccessful:
                self.unsuccessful[record.status] += 1
            same_id = self.by_id.get(record.id)
            is_later = same_id is None or same_id.number < record.number
            if same_id is None or (same_id.status.is_terminal and is_later):
                self.by_id[record.id] = record

    # Keys and conflicts

    def slot_of_key_or_queue(self, key: Hashable) -> KeySlot:
        """Return the slot of a key, a new one if it has none; for None that of the queue."""
        if key is None:
            return self._schedule.queue_slot
        return self.keys.get(key) or self.keys.setdefault(key, KeySlot(key))

    def remove_unused(self, slot: KeySlot) -> None:
        """Remove the slot of a key that no live job has, with no pause and no limit of its own."""
        if slot.is_unused:
            self.keys.pop(slot.key, None)

    def job_to_join_and_superseded(
        self, record: JobRecord
    ) -> tuple[JobRecord | None, Sequence[JobRecord]]:
        """Return the job that a new one is joined to, and the live ones that it supersedes.

        Raises:
            DuplicateJob: It is rejected.
        """
        extras = record.extras
        if extras.given_id:
            same_id = self.by_id.get(extras.given_id)
            if extras.once and same_id is not None and same_id.status is COMPLETED:
                return same_id, ()
            live = [] if same_id is None or same_id.status.is_terminal else [same_id]
        elif extras.key is None or extras.on_conflict in (None, OnConflict.WAIT):
            live = []
        else:
            slot = self.keys.get(extras.key)
            live = [] if slot is None else [*slot.live_jobs]
        if not live or extras.on_conflict is OnConflict.SUPERSEDE:
            return None, live
        first = next((job for job in live if job.status is RUNNING), live[0])
        if extras.on_conflict is not OnConflict.JOIN:
            raise DuplicateJob(first.id, None if extras.given_id else extras.key)
        return first, ()

    def running_job(self, job_id: JobID) -> JobRecord | None:
        """Return the running job with an ID, which one that supersedes it may have by now."""
        return next((job for job in self._running.values() if job.id == job_id), None)

    def free_id_and_key(self, record: JobRecord) -> None:
        """Free the ID and the key of a job that has ended for others."""
        extras = record.extras
        if extras.on_conflict is OnConflict.SUPERSEDE:
            superseded = [job for job in extras.predecessors if job.id == record.id]
            if superseded and self.by_id.get(record.id) is record:
                self.by_id[record.id] = superseded[-1]
        if extras.key_slot is not None:
            extras.key_slot.remove_live_job(record)
            self.remove_unused(extras.key_slot)

    def restore_id(self, failed: JobRecord, unwritten_retry: JobRecord) -> None:
        """Give its ID back to a failed job whose retry could not be written."""
        if self.by_id.get(failed.id) is unwritten_retry and failed in self.ended:
            self.by_id[failed.id] = failed

    # Jobs that have ended

    def evict(self, now: float) -> None:
        """Drop surplus and old records."""
        ended, keep = self.ended, self.keep
        while ended and (len(ended) > keep.jobs or ended[0].finished_at < now - keep.age):
            record = ended.popleft()
            if self.by_id.get(record.id) is record:
                del self.by_id[record.id]
            if record.status is FAILED:
                record.drop_kept_call()
        self.evict_after = ended[0].finished_at + keep.age if ended else -math.inf

    def live_and_ended_jobs(self, key: Hashable, tag: str | None) -> list[JobRecord]:
        """Return the jobs with this key and tag, None for any, in the order of submission."""
        # An ended job whose ID another job has taken can no longer be looked up.
        ended = [job for job in self.ended if self.by_id.get(job.id) is job]
        jobs = [*ended, *self._running.values(), *self._schedule.pending_dependents_first()]
        return [
            job
            for job in sorted(jobs, key=lambda job: job.number)
            if (tag is None or tag in job.extras.tags) and (key is None or job.extras.key == key)
        ]

    @property
    def all_ended_count(self) -> int:
        """The number of jobs that have ended."""
        return self.submitted - self._schedule.pending - len(self._running)

    @property
    def completed_count(self) -> int:
        """The number of jobs that have completed."""
        return self.all_ended_count - self.unsuccessful[FAILED] - self.unsuccessful[CANCELLED]

    @property
    def evicted_count(self) -> int:
        """The number of ended jobs whose record was dropped."""
        return self.all_ended_count - int(min(len(self.ended), self.keep.jobs))
