"""All mutants of the queue: each is one guard taken out, and a promise broken.

A list like this is not made by a machine on purpose. What a machine changes is mostly either
nothing or everything; what is here is what somebody might do who tidies up the queue and does
not see what a line is for.
"""

from __future__ import annotations

from typing import Final

from mutation import (
    how_jobs_end,
    how_jobs_run,
    how_queues_end,
    what_is_called_elsewhere,
    what_is_odd,
    what_is_refused,
    what_is_told,
    what_never_ends,
    what_runs_next,
    what_waits,
)

MUTANTS: Final = [
    *how_jobs_end.MUTANTS,
    *how_jobs_run.MUTANTS,
    *what_is_refused.MUTANTS,
    *what_is_odd.MUTANTS,
    *what_runs_next.MUTANTS,
    *what_waits.MUTANTS,
    *what_never_ends.MUTANTS,
    *what_is_called_elsewhere.MUTANTS,
    *what_is_told.MUTANTS,
    *how_queues_end.MUTANTS,
]
