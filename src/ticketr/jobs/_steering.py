"""Changing what a pending job waits for: its time, a pause, its priority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jobs._job import JobStatus

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.jobs._job import JobRecord
    from ticketr.jobs._keys import LiveKey
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
    if ledger.leaving:
        return
    lane = None if key is None else ledger.keys.find(key) or ledger.keys.add(key)
    ledger.schedule.pause(lane)
    ledger.tell(_pending(ledger, lane))


def resume(ledger: Ledger, key: Hashable) -> None:
    """Undo a pause."""
    ledger.hub.home.check()
    lane = None if key is None else ledger.keys.find(key)
    if key is not None and lane is None:
        return  # no job has it, and no pause
    ledger.schedule.resume(lane)
    if lane is not None and not lane.jobs:
        ledger.keys.forget(lane)
    ledger.tell(_pending(ledger, lane))


def _pending(ledger: Ledger, lane: LiveKey[JobRecord] | None) -> list[JobRecord]:
    jobs = ledger.schedule.jobs() if lane is None else lane.jobs
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
