"""A PostgreSQL server for the tests of this folder, with a database for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.postgres import Postgres, skip_without_postgres

pytest.importorskip("procrastinate", reason="needs the extra procrastinate")

from fakes.engines import Engine


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    skip_without_postgres()
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture
def engine(server: Postgres, tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(server, tmp_path)
    yield engine
    engine.close()


@pytest.fixture
def own_engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine whose server the test may stop."""
    skip_without_postgres()
    server = Postgres()
    engine = Engine(server, tmp_path)
    yield engine
    engine.close()
    server.remove()
