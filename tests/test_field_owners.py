"""The fields of an object are written in the module of its class; `field_owners` says how."""

from __future__ import annotations

from pathlib import Path

import pytest
from field_owners import misplaced_writes

import ticketr


@pytest.mark.parametrize("room", ["jobs", "app/sync"])
def test_every_field_is_written_by_its_owner(room: str) -> None:
    assert misplaced_writes(Path(ticketr.__file__).parent / room) == {}
