"""A server in the test's own folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.valkeys import Valkey

from ticketr.cluster._connection import open_client
from ticketr.cluster._embedded import open_embedded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
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


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """Return a server that all tests of a process share; each takes a queue of its own."""
    server = Valkey(tmp_path_factory.mktemp("k"))
    yield server
    server.stop()


@pytest.fixture
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """Return a server that the test may stop."""
    server = Valkey(tmp_path_factory.mktemp("o"))
    yield server
    server.stop()


@pytest.fixture
def url(valkey: Valkey) -> str:
    return valkey.url
