"""A field of an object of sync is written in the module of its class.

``field_owners`` tells how the class of an object is found, and what counts as a write.
"""

from __future__ import annotations

from pathlib import Path

from field_owners import misplaced_writes

import ticketr.app.sync


def test_every_field_is_written_by_its_owner() -> None:
    assert ticketr.app.sync.__file__ is not None
    assert misplaced_writes(Path(ticketr.app.sync.__file__).parent) == {}
