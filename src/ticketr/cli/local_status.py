"""What commands read from a workspace without a request to Jira."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr._errors import TicketrError
from ticketr.cli.ownership import own_mark
from ticketr.config import STATE_FOLDER
from ticketr.sync import State, Store, read_state, take_survey

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ticketr.sync import LocalSurvey, Loss


def open_store(root: Path) -> Store:
    """Return the files of a workspace; a state file in it must be the user's.

    Raises:
        ConfigError: See `own_mark`, as for its other errors.
    """
    store = Store(root, STATE_FOLDER)
    # Without a state file no mark is needed, so none is created in the user's settings.
    return Store(root, STATE_FOLDER, own_mark(root)) if store.state_path.exists() else store


def open_state(store: Store) -> AbstractContextManager[State]:
    """Open the state of a workspace to change it.

    Raises:
        StateFailed: The state file cannot be used.
        FileFailed: The folder cannot be written.
        ConfigError: See `own_mark`, as for its other errors.
    """
    mark = own_mark(store.root)
    store.prepare()
    return closing(State(store.state_path, mark))


def survey(store: Store, state: State) -> LocalSurvey:
    """Compare every ticket in the workspace with the last sync.

    Raises:
        StateFailed: The state cannot be read.
    """
    recent = state.creations.recent()
    return trio.run(partial(take_survey, store, state, trio.to_thread.run_sync, recent=recent))


def find_losses(root: Path) -> tuple[Loss, ...]:
    """Return what a push would remove in Jira, as far as the files show it.

    A workspace that cannot be read has no losses, as in `count_writes`.
    """
    store = open_store(root)
    try:
        with read_state(store) as state:
            return survey(store, state).losses(state)
    except TicketrError:
        return ()


def count_writes(root: Path) -> int:
    """Return how many issues a push would create or change, as far as the files show it.

    A workspace that cannot be read counts as 0: the push reports the error before it sends
    anything. Broken files are left out, as by the push.
    """
    store = open_store(root)
    try:
        with read_state(store) as state:
            return survey(store, state).writes
    except TicketrError:
        return 0
