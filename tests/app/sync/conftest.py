"""What tests of pull, push and sync share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fakes.pulls import Bench
from fakes.stores import make_store
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.sync import State, Store


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: MockClock) -> Bench:
    """A Jira of twelve issues, and a folder, in virtual time.

    DEMO-3 has the sub-tasks DEMO-4 and 5, DEMO-9 none.
    """
    return Bench(make_site(tickets=12, seed=1), tmp_path / "work")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A workspace's files, without a site."""
    return make_store(tmp_path / "tickets")


@pytest.fixture
def state(store: Store) -> Iterator[State]:
    """The state of the workspace ``store``, open."""
    with closing(State(store.state_path)) as state:
        yield state
