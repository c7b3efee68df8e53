"""Changing what a pending job waits for: its time, a pause, its priority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jobs._job import JobStatus

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.jobs._key_table import KeySlot
    from ticketr.jobs._ledger import Ledger
    from ticketr.jobs._record import JobRecord


def run_now(ledger: Ledger, record: JobRecord) -> bool:
    """End a job's wait for a time; False if there is none."""
    ledger.subscriptions.owner_thread.check()
    if not ledger.schedule.make_due(record, ledger.now()):
        return False
    ledger.mark_changed([record])
    return True


def pause(ledger: Ledger, key: Hashable) -> None:
    """Start no more jobs, or none with this key."""
    ledger.subscriptions.owner_thread.check()
    if ledger.draining:
        return
    key_slot = None if key is None else ledger.key_table.find(key) or ledger.key_table.add(key)
    ledger.schedule.pause(key_slot)
    ledger.mark_changed(_pending(ledger, key_slot))


def resume(ledger: Ledger, key: Hashable) -> None:
    """Undo a pause."""
    ledger.subscriptions.owner_thread.check()
    key_slot = None if key is None else ledger.key_table.find(key)
    if key is not None and key_slot is None:
        return  # no job has it, and no pause
    ledger.schedule.resume(key_slot)
    if key_slot is not None and not key_slot.jobs:
        ledger.key_table.remove(key_slot)
    ledger.mark_changed(_pending(ledger, key_slot))


def _pending(ledger: Ledger, key_slot: KeySlot[JobRecord] | None) -> list[JobRecord]:
    jobs = ledger.schedule.jobs() if key_slot is None else key_slot.jobs
    return [record for record in jobs if record.status is JobStatus.PENDING]


def set_priority(ledger: Ledger, record: JobRecord, priority: int) -> bool:
    """Give a live job another priority; False if it has ended."""
    ledger.subscriptions.owner_thread.check()
    if record.status.is_terminal:
        return False
    record.set_priority(priority)
    if record.status is JobStatus.PENDING:
        ledger.schedule.rerank(record)
    ledger.mark_changed([record])
    return True
