"""A server in the test's own folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ticketr.cluster._connection import open_client
from ticketr.cluster._embedded import open_embedded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    import coredis


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "v"


@pytest.fixture
async def server(folder: Path) -> AsyncGenerator[coredis.Redis[bytes]]:
    """Return a client of the folder's server, which runs for the test."""
    async with open_embedded(folder) as address, open_client(address) as client:
        yield client
