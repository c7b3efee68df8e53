"""Changing what a pending job waits for: its time, a pause, its priority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jobs._job import JobStatus

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.jobs._job import JobRecord
    from ticketr.jobs._ledger import Ledger


def run_now(ledger: Ledger, record: JobRecord) -> bool:
    """End a job's wait for a time; False if there is none."""
    ledger.hub.home.check()
    if not ledger.schedule.hurry(record, ledger.now()):
        return False
    ledger.tell([record])
    return True


def pause(ledger: Ledger, key: Hashable) -> None:
    """Start no more jobs, or none with this key."""
    ledger.hub.home.check()
    if not ledger.leaving:
        ledger.schedule.pause(key)
        ledger.tell(_pending(ledger, key))


def resume(ledger: Ledger, key: Hashable) -> None:
    """Undo a pause."""
    ledger.hub.home.check()
    ledger.schedule.resume(key)
    ledger.tell(_pending(ledger, key))


def _pending(ledger: Ledger, key: Hashable) -> list[JobRecord]:
    jobs = ledger.schedule.jobs() if key is None else ledger.of_key.get(key, ())
    return [record for record in jobs if record.status is JobStatus.PENDING]


def set_priority(ledger: Ledger, record: JobRecord, priority: int) -> bool:
    """Give a live job another priority; False if it has ended."""
    ledger.hub.home.check()
    if record.status.is_terminal:
        return False
    record.priority = priority
    if record.status is JobStatus.PENDING:
        ledger.schedule.rank_anew(record)
    ledger.tell([record])
    return True
