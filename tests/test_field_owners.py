from __future__ import annotations

from pathlib import Path

from field_owners import misplaced_writes

import ticketr


def test_every_field_of_the_queue_is_written_by_its_owner() -> None:
    assert misplaced_writes(Path(ticketr.__file__).parent / "jobs") == {}
