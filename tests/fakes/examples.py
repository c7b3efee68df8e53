"""How many examples a test of a law draws: in the gate a part, under ``make stress`` all."""

from __future__ import annotations

import os

from hypothesis import settings

IN_STRESS = "TICKETR_STRESS" in os.environ
USUAL = 100 if IN_STRESS else 30
"""How many examples a test draws that does not say a number."""


def examples(number: int, *, in_gate: int) -> settings:
    """Return settings for a test whose examples take very different times."""
    return settings(max_examples=number if IN_STRESS else in_gate, deadline=None)
