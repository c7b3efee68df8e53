"""The type of a mutant."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """A change that breaks one guarantee of the queue.

    Attributes:
        name: What the change breaks.
        file: The changed file in src/ticketr/jobs.
        old: The text to replace, which is in that file exactly once.
        new: The text to put there instead.
        tests: The tests that must fail, as pytest names them from tests/jobs, separated by spaces.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
