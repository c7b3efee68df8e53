"""What a new job does about the live jobs that have its ID or its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ticketr._errors import DuplicateJob
from ticketr.jobs._dependencies import is_doomed
from ticketr.jobs._job import RUNNING, OnConflict
from ticketr.jobs._links import JobLinks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._registry import Registry


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
    key_slot: KeySlot[JobRecord] | None = None
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
    key_slot = None if extras.key is None else registry.keys.find(extras.key)
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
        key_slot = conflicts.key_slot or registry.keys.add(extras.key)
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
    record: JobRecord, registry: Registry, key_slot: KeySlot[JobRecord] | None
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
