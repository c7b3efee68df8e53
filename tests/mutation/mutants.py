"""All mutants of the queue: each is one guard taken out, and a promise broken.

A list like this is not made by a machine on purpose. What a machine changes is mostly either
nothing or everything; what is here is what somebody might do who tidies up the queue and does
not see what a line is for.
"""

from __future__ import annotations

from typing import Final

from mutation import (
    argument_checks,
    attempt_outcomes,
    deadlocks,
    misbehaving_code,
    owner_thread,
    room_and_times,
    running_jobs,
    scheduling,
    shutdown,
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
    *owner_thread.MUTANTS,
    *updates_and_history.MUTANTS,
    *shutdown.MUTANTS,
]
