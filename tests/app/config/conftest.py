from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from fakes.keyrings import keyring_in_use, no_keyring


@pytest.fixture(autouse=True)
def nobody_has_a_keyring() -> Generator[None]:
    """Keep the tests away from the keyring of the user who runs them."""
    with keyring_in_use(no_keyring()):
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a user's config folder that does not exist yet."""
    return tmp_path / "config" / "ticketr"
