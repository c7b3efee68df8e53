"""Find jobs by ID, handle, key or tag: the live ones, and the ended ones that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ticketr._errors import UnknownJob
from ticketr.jobs._handle import JobHandle
from ticketr.jobs._values import checked_key, checked_text, exact_str, safe_repr

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._job import JobID
    from ticketr.jobs._record import JobRecord


def find(core: QueueCore, job: JobID | JobHandle[object]) -> JobRecord | None:
    """Return the record of the job with this ID or handle; None if the queue does not know it."""
    refresh(core)
    if type(job) is JobHandle:
        return job.record_in(core)
    if not issubclass(type(job), str):
        return None
    return core.registry.by_id.get(exact_str(job))


def id_of(core: QueueCore, job: JobID | JobHandle[object]) -> JobID:
    """Return the ID of a job; for a handle of another queue the empty text, which no job has.

    Raises:
        TypeError: It is neither an ID nor a handle.
    """
    if type(job) is JobHandle:
        return job.id if job.record_in(core) is not None else ""
    return checked_text("id", job)


def find_predecessor(core: QueueCore, job: object) -> JobRecord:
    """Return the record of a job that another one is to start after.

    Raises:
        UnknownJob: No job with this ID is known.
        ValueError: The handle is of another queue.
    """
    wanted = cast("JobID | JobHandle[object]", job)
    record = find(core, wanted)
    if record is not None:
        return record
    if type(job) is JobHandle:
        raise ValueError(f"after takes jobs of the same queue, not {safe_repr(job)}")
    raise unknown(wanted)


def unknown(job: JobID | JobHandle[object]) -> UnknownJob:
    """Return the error for a job that is not found."""
    job_id = job.id if type(job) is JobHandle else job
    return UnknownJob(exact_str(job_id) if issubclass(type(job_id), str) else safe_repr(job_id))


def known(core: QueueCore, key: Hashable, tag: str | None) -> list[JobRecord]:
    """Return the known jobs with this key and tag, in the order of submission; None means any."""
    key = checked_key(key)
    tag = None if tag is None else checked_text("tag", tag)
    refresh(core)
    return core.registry.select(key, tag)


def refresh(core: QueueCore) -> None:
    """Evict records that have become too old; a closed queue stays as it is."""
    core.subscriptions.owner_thread.check()
    if not core.phase.closed:
        core.registry.finished.evict(core.now())
