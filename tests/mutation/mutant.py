"""What a mutant is."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One guard of the queue, taken out.

    Attributes:
        name: What goes wrong without it.
        file: The file in src/ticketr/jobs that has it.
        old: The guard: text that is in that file exactly once.
        new: What stands there instead.
        tests: Who notices, as pytest names them from tests/jobs, with spaces in between.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
