"""The type of a mutant."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Mutant(NamedTuple):
    """A change that breaks one guarantee of the queue.

    Attributes:
        name: What the change breaks.
        file: The changed file, in the room's folder of src/ticketr.
        old: The text to replace, which is in that file exactly once.
        new: The text to put there instead.
        tests: The tests that must fail, as pytest names them from the room's folder of tests,
            separated by spaces.
        room: The room that it is in.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
    room: str = "jobs"

    @property
    def path(self) -> Path:
        """The changed file, from the root of a checkout."""
        return Path("src/ticketr") / self.room / self.file

    @property
    def nodes(self) -> list[str]:
        """The tests as pytest names them from there."""
        return [f"tests/{self.room}/{test}" for test in self.tests.split()]
