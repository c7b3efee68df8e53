"""Finding jobs: those that live, and those that have ended and are not forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._errors import UnknownJob
from ticketr.jobs._handle import JobHandle
from ticketr.jobs._values import checked_key, checked_text, exact_str, safe_repr

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._job import JobID
    from ticketr.jobs._record import JobRecord


def find(core: QueueCore, job: JobID | JobHandle[object]) -> JobRecord | None:
    """The job with this ID, unless it never was or is forgotten; or that of a handle of ours."""
    refresh(core)
    if type(job) is JobHandle:
        return job.record_in(core)
    if not issubclass(type(job), str):
        return None
    return core.records.get(exact_str(job))


def unknown(job: JobID | JobHandle[object]) -> UnknownJob:
    """The error for a job that is not found."""
    job_id = job.id if type(job) is JobHandle else job
    return UnknownJob(exact_str(job_id) if issubclass(type(job_id), str) else safe_repr(job_id))


def known(core: QueueCore, key: Hashable, tag: str | None) -> list[JobRecord]:
    """The jobs that are known, with this key and tag if they are not None.

    They come in the order in which they were submitted.
    """
    key_hash = hash(checked_key(key))
    tag = None if tag is None else checked_text("tag", tag)
    refresh(core)
    # One that has ended makes way for who has its ID by now; of those that live none does.
    ended = [job for job in core.finished_jobs.jobs if core.records.get(job.id) is job]
    jobs = [*ended, *core.running.values(), *core.schedule.jobs()]
    return [
        job
        for job in sorted(jobs, key=lambda job: job.number)
        if (key is None or (job.key_slot is not None and job.key_slot.matches(key, key_hash)))
        and (tag is None or tag in job.tags)
    ]


def refresh(core: QueueCore) -> None:
    """Forget what is too old by now; a closed queue stays as it was."""
    core.subscriptions.owner_thread.check()
    if not core.closed:
        core.finished_jobs.evict(core.now())
