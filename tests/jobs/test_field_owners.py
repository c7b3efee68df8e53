"""A field of an object of the queue is written in the module of its class.

``field_owners`` tells how the class of an object is found, and what counts as a write.
"""

from __future__ import annotations

from pathlib import Path

from field_owners import misplaced_writes

import ticketr

JOBS = Path(ticketr.__file__).parent / "jobs"

NOT_YET: frozenset[str] = frozenset()
"""What is still written elsewhere; nothing may be added."""


def test_every_field_is_written_by_its_owner() -> None:
    assert misplaced_writes(JOBS).keys() == NOT_YET
