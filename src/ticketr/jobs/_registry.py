"""The jobs of a queue: by ID, by key, those that conflict, and those that have ended and are kept."""

from __future__ import annotations

import itertools
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

from ticketr._errors import DuplicateJob
from ticketr.jobs._job import CANCELLED, FAILED, RUNNING, OnConflict
from ticketr.jobs._scheduling.dependencies import is_doomed
from ticketr.jobs._scheduling.links import JobLinks
from ticketr.jobs._scheduling.schedule import KeySlot
from ticketr.jobs._values import checked_count, checked_seconds

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    import trio

    from ticketr.jobs._job import JobID, JobStatus
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._scheduling.schedule import Schedule


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


@final
class Registry:
    """The jobs of one queue.

    Also written in ``_core``, for speed: a job that enters or ends.

    Attributes:
        ids: The next number of an ID that the queue makes up.
        submitted: The number of jobs that have entered.
        by_id: The live jobs and those that are kept. An ID belongs to the job that got it last.
        keys: The keys of the live jobs, and those that are paused or have a limit.
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
        self.keys: dict[Hashable, KeySlot] = {}
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

    def slot_of(self, key: Hashable) -> KeySlot:
        """Return the slot of a key, a new one if it has none."""
        return self.keys.get(key) or self.keys.setdefault(key, KeySlot(key))

    def remove_unused(self, key_slot: KeySlot) -> None:
        """Remove the slot of a key that no live job has, with no pause and no limit of its own."""
        if key_slot.is_unused:
            self.keys.pop(key_slot.key, None)

    def select(self, key: Hashable, tag: str | None) -> list[JobRecord]:
        """Return the jobs with this key and tag, None for any, in the order of submission."""
        # An ended job whose ID another job has taken can no longer be looked up.
        ended = [job for job in self.finished.jobs if self.by_id.get(job.id) is job]
        jobs = [*ended, *self._running.values(), *self._schedule.jobs()]
        return [
            job
            for job in sorted(jobs, key=lambda job: job.number)
            if (tag is None or tag in job.extras.tags)
            and (key is None or (job.extras.key_slot is not None and job.extras.key == key))
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


class Conflicts(NamedTuple):
    """What a new job does about the live jobs that have its ID or its key.

    Attributes:
        joined: The live job whose handle the submit returns; the new job does not enter then.
        key_slot: The slot of its key, if the key is in use.
        superseded: The jobs that are cancelled for it.
        running: The running job among these that has its ID: it starts when that has ended.
        is_id_taken: Whether a live job keeps the ID, which it comes too late to supersede.
    """

    joined: JobRecord | None = None
    key_slot: KeySlot | None = None
    superseded: Sequence[JobRecord] = ()
    running: JobRecord | None = None
    is_id_taken: bool = False


def find_conflicts(record: JobRecord, registry: Registry, now: float) -> Conflicts:
    """Find what a new job conflicts with, and decide what to do about that.

    Raises:
        DuplicateJob: It is rejected.
        BaseException: The key's own code raised it.
    """
    extras = record.extras
    key_slot = None if extras.key is None else registry.keys.get(extras.key)
    if not (extras.on_conflict or extras.id):
        return Conflicts(key_slot=key_slot)
    jobs = _conflicting(record, registry, key_slot)
    if jobs and extras.on_conflict is not OnConflict.SUPERSEDE:
        return Conflicts(joined=_join(record, jobs))
    if (extras.start_by is not None and extras.start_by <= now) or is_doomed(record):
        return Conflicts(key_slot=key_slot, is_id_taken=bool(jobs and extras.id))
    running = registry.running_job(extras.id) if jobs and extras.id else None
    return Conflicts(None, key_slot, jobs, running)


def claim(
    record: JobRecord, registry: Registry, conflicts: Conflicts, *, is_deferred: bool = False
) -> None:
    """Queue a new job behind those with its key and ID; the key's methods may raise anything.

    Args:
        record: The new job.
        registry: The jobs of the queue.
        conflicts: What it conflicts with.
        is_deferred: Whether those that it supersedes are cancelled later, the pending ones too.
    """
    extras = record.extras
    if extras.key is not None:
        key_slot = registry.slot_of(extras.key)
        key_slot.add(record)
        record.set_key_slot(key_slot)
    superseded = [*conflicts.superseded] if is_deferred and extras.id else []
    if conflicts.running is not None:
        superseded.append(conflicts.running)
    if superseded:
        links = extras.links or JobLinks()
        for job in superseded:
            links.add(job, any_end=True)
        record.set_links(links)


def _conflicting(
    record: JobRecord, registry: Registry, key_slot: KeySlot | None
) -> list[JobRecord]:
    """Return the live job with the new job's ID, or without an ID those with its key."""
    extras = record.extras
    if extras.id:
        same_id = registry.by_id.get(extras.id)
        return [] if same_id is None or same_id.status.is_terminal else [same_id]
    if key_slot is None or extras.on_conflict is OnConflict.WAIT:
        return []
    return [*key_slot.jobs]


def _join(record: JobRecord, conflicts: list[JobRecord]) -> JobRecord:
    """Return the job that a new one is joined to, or raise ``DuplicateJob``."""
    extras = record.extras
    running = (conflict for conflict in conflicts if conflict.status is RUNNING)
    first = next(running, conflicts[0])
    if extras.on_conflict is OnConflict.JOIN:
        return first
    raise DuplicateJob(first.id, None if extras.id else extras.key)
