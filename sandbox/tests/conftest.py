"""Settings of Hypothesis for the tests of the sandbox."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

IN_STRESS = "TICKETR_STRESS" in os.environ

# By default Hypothesis fails a test whose example takes 0.2 s, which a busy machine makes of any.
# The gate draws the same examples each time, so that no rare one fails it by chance.
settings.register_profile(
    "usual",
    settings(),
    deadline=None,
    max_examples=100 if IN_STRESS else 30,
    derandomize=not IN_STRESS,
)
settings.load_profile("usual")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that draw examples: `make stress` draws more of them."""
    if hasattr(getattr(item, "obj", None), "hypothesis"):
        item.add_marker("laws")
