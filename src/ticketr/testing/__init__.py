"""Tools for your own tests: jobs and contexts to try things with, a sweep that cancels at every step.

::

    from ticketr.testing import cancel_at_every_step

    def test_a_transfer_can_be_cancelled_anywhere() -> None:
        summary = cancel_at_every_step(transfer, check=no_money_is_lost)
        assert summary.cancelled

:func:`cancel_at_every_step` works with any async function, not only with jobs.
"""

from __future__ import annotations

from ticketr.testing._context import FakeContext, make_context
from ticketr.testing._fake import FakeJob
from ticketr.testing._sweep import (
    Injection,
    Outcome,
    StepReport,
    SweepFailed,
    SweepSummary,
    cancel_at_every_step,
)

__all__ = [
    "FakeContext",
    "FakeJob",
    "Injection",
    "Outcome",
    "StepReport",
    "SweepFailed",
    "SweepSummary",
    "cancel_at_every_step",
    "make_context",
]

for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
