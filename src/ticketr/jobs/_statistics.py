"""The queue in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatistics:
    """The queue in numbers. Every job ever submitted is in one of the middle five.

    Attributes:
        workers: How many jobs can run at once.
        pending: How many jobs wait to run.
        running: How many jobs run.
        completed: How many have completed since the queue was opened.
        failed: How many have failed.
        cancelled: How many were cancelled.
        evicted: Of how many ended jobs the record was dropped.
        submitters_waiting: How many tasks wait in ``submit`` for room.
        unrecorded: How many ended jobs the history could not keep.
    """

    workers: int
    pending: int
    running: int
    completed: int
    failed: int
    cancelled: int
    evicted: int
    submitters_waiting: int
    unrecorded: int = 0
