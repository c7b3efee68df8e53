"""Changing what pending jobs wait for: a time, a pause, a rate, their priority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jobs._job import JobStatus

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._rates import Rate
    from ticketr.jobs._record import JobRecord


def run_now(core: QueueCore, record: JobRecord) -> bool:
    """Make a delayed job due; return False if it is not delayed."""
    core.subscriptions.owner_thread.check()
    if not core.schedule.make_due(record, core.now()):
        return False
    core.mark_changed([record])
    return True


def pause(core: QueueCore, key: Hashable) -> None:
    """Start no more jobs, or none with this key."""
    core.subscriptions.owner_thread.check()
    if core.phase.draining:
        return
    key_slot = None if key is None else core.registry.keys.find(key) or core.registry.keys.add(key)
    core.schedule.pause(key_slot)
    core.mark_changed(_pending(core, key_slot))


def resume(core: QueueCore, key: Hashable) -> None:
    """Undo a pause."""
    core.subscriptions.owner_thread.check()
    key_slot = None if key is None else core.registry.keys.find(key)
    if key is not None and key_slot is None:
        return  # no job has it, and no pause
    core.schedule.resume(key_slot)
    if key_slot is not None:
        core.registry.remove_unused(key_slot)
    core.mark_changed(_pending(core, key_slot))


def set_rate(core: QueueCore, rate: Rate | None, key: Hashable) -> None:
    """Limit how many jobs may start in a time, of all or with this key; None for no limit."""
    core.subscriptions.owner_thread.check()
    keys = core.registry.keys
    key_slot = None if key is None else keys.find(key)
    if core.phase.closed or (key_slot is None and key is not None and rate is None):
        return
    if key_slot is None and key is not None:
        key_slot = keys.add(key)
    core.schedule.set_rate(key_slot, rate, core.now())
    if key_slot is not None:
        core.registry.remove_unused(key_slot)
    core.timer.wake_at(core.schedule.next_time())
    core.mark_changed(())


def _pending(core: QueueCore, key_slot: KeySlot[JobRecord] | None) -> list[JobRecord]:
    jobs = core.schedule.jobs() if key_slot is None else key_slot.jobs
    return [record for record in jobs if record.status is JobStatus.PENDING]


def set_priority(core: QueueCore, record: JobRecord, priority: int) -> bool:
    """Give a live job another priority; return False if it has ended."""
    core.subscriptions.owner_thread.check()
    if record.status.is_terminal:
        return False
    record.set_priority(priority)
    if record.status is JobStatus.PENDING:
        core.schedule.rerank(record)
    core.mark_changed([record])
    return True
