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
    return core.registry.by_id.get(exact_str(job))


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
    return core.registry.select(key, key_hash, tag)


def refresh(core: QueueCore) -> None:
    """Forget what is too old by now; a closed queue stays as it was."""
    core.subscriptions.owner_thread.check()
    if not core.phase.closed:
        core.registry.finished.evict(core.now())
