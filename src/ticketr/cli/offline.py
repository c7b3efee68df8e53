"""What commands need that look at a workspace without asking Jira."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ticketr.config import STATE_FOLDER

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ticketr.sync import LocalSurvey, State, Store


def open_store(root: Path) -> Store:
    """Give the files of a workspace."""
    from ticketr.sync import Store

    return Store(root, STATE_FOLDER)


def open_state(store: Store) -> AbstractContextManager[State]:
    """Open the state of a workspace; one that was never pulled has an empty one.

    Raises:
        StateFailed: it cannot be used.
        FileFailed: the folder cannot be written.
    """
    from ticketr.sync import State

    store.prepare()
    return closing(State(store.own / "state.db"))


def survey(store: Store, state: State) -> LocalSurvey:
    """Compare every ticket in the workspace with the last sync.

    Raises:
        DuplicateKey: a key stands in two places.
        TicketSyntaxError: a file cannot be read as tickets.
        FileFailed: a file cannot be read.
    """
    from ticketr.sync import LocalSurvey

    found = LocalSurvey()
    for paths in store.walk():
        found.add(store, state, paths)
    return found


def count_writes(root: Path) -> int:
    """Count the issues that a push would create or change, as far as that shows here."""
    store = open_store(root)
    with open_state(store) as state:
        return survey(store, state).writes
