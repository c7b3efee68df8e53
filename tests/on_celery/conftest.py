"""RabbitMQ, and queues in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.celery_workers import Site
from fakes.rabbitmq import RabbitMQ


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """Return a node that all tests of a process share."""
    node = RabbitMQ()
    yield node
    node.close()


@pytest.fixture(scope="session")
def busy_site(rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a queue with a worker that all tests of a process share, and none may end."""
    site = Site(rabbitmq.url, tmp_path_factory.mktemp("celery"))
    site.start_worker(slots=4)
    yield site
    site.close()


@pytest.fixture
def site(rabbitmq: RabbitMQ, tmp_path: Path) -> Iterator[Site]:
    """Return a queue of the test's own, without workers."""
    site = Site(rabbitmq.url, tmp_path)
    yield site
    site.close()


@pytest.fixture
def own_rabbitmq() -> Iterator[RabbitMQ]:
    """Return a node that the test may stop."""
    node = RabbitMQ()
    yield node
    node.close()
