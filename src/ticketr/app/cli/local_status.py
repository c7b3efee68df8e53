"""What commands read from a workspace without a request to Jira."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path

import trio

from ticketr.app.cli.ownership import own_mark
from ticketr.app.config import STATE_FOLDER
from ticketr.app.sync import LocalSurvey, State, Store, take_survey


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
