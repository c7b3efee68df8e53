"""The sizes of the benchmarks: full ones, or toy ones with which each part ends within seconds."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

#: Set by ``run.py --toy``, also for the processes that a benchmark starts.
VARIABLE = "TICKETR_TOY_BENCHMARKS"


def size(full: T, *, toy: T) -> T:
    """Return the size to measure with."""
    return toy if VARIABLE in os.environ else full
