from __future__ import annotations

from pathlib import Path

import pytest
from fakes.durable import RAN, REPAIRED


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()
    REPAIRED.clear()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the file of a store or of a history."""
    return tmp_path / "jobs.sqlite"
