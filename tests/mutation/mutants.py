"""All mutants of the queue.

They are written by hand on purpose: generated mutants mostly change either nothing or everything.
These are changes that an engineer might make who does not see what a line is for.
"""

from __future__ import annotations

from typing import Final

from mutation import (
    argument_checks,
    attempt_outcomes,
    deadlocks,
    dependencies,
    dispatch_and_registry,
    maps,
    misbehaving_code,
    owner_thread,
    rates,
    repeats,
    room_and_times,
    running_jobs,
    scheduling,
    shutdown,
    stores,
    updates_and_history,
)

MUTANTS: Final = [
    *attempt_outcomes.MUTANTS,
    *running_jobs.MUTANTS,
    *argument_checks.MUTANTS,
    *misbehaving_code.MUTANTS,
    *scheduling.MUTANTS,
    *room_and_times.MUTANTS,
    *deadlocks.MUTANTS,
    *dependencies.MUTANTS,
    *dispatch_and_registry.MUTANTS,
    *owner_thread.MUTANTS,
    *rates.MUTANTS,
    *repeats.MUTANTS,
    *updates_and_history.MUTANTS,
    *shutdown.MUTANTS,
    *maps.MUTANTS,
    *stores.MUTANTS,
]
