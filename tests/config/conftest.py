from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.keyrings import keyring_in_use, no_keyring

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@pytest.fixture(autouse=True)
def nobody_has_a_keyring() -> Generator[None]:
    """The keyring of whoever runs these tests is never touched."""
    with keyring_in_use(no_keyring()):
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder of settings that is not there yet."""
    return tmp_path / "config" / "ticketr"
