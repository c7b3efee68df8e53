"""Opens the state of a workspace, whose files have to be the user's own.

They may have come with a repository, so the state and the history bear the user's mark.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, closing
from pathlib import Path

from ticketr._errors import HistoryFailed
from ticketr.app import config, sync

#: The file with the history of jobs, in ticketr's own folder.
HISTORY_FILE = "history.db"


def open_store_requiring_owner_mark(root: Path) -> sync.Store:
    """Return the files of a workspace; a state file in it must be the user's.

    Raises:
        ConfigError: See `owner_mark_refusing_foreign_state`, as for its other errors.
    """
    store = sync.Store(root, config.STATE_FOLDER)
    # Without a state file no mark is needed, so none is created in the user's settings.
    return (
        sync.Store(root, config.STATE_FOLDER, owner_mark_refusing_foreign_state(root))
        if store.state_path.exists()
        else store
    )


def open_owner_marked_state_unlocked(store: sync.Store) -> AbstractContextManager[sync.State]:
    """Open the state of a workspace to change it.

    Raises:
        StateFailed: The state file cannot be used.
        FileFailed: The folder cannot be written.
        ConfigError: See `owner_mark_refusing_foreign_state`, as for its other errors.
    """
    mark = owner_mark_refusing_foreign_state(store.root)
    store.make_state_folder()
    return closing(sync.State(store.state_path, mark))


def owner_mark_refusing_foreign_state(root: Path) -> str:
    """Return the mark of a workspace's state file, or the mark that a new one gets.

    Raises:
        UntrustedState: The state file or the history does not have the user's mark.
        ConfigError: The user's settings cannot be used.
        SettingsAccessFailed: The user's mark cannot be kept.
    """
    mark = config.read_or_make_owner_mark(config.config_folder(os.environ))
    store = sync.Store(root, config.STATE_FOLDER, mark)
    try:
        unmarked = _find_unmarked_state_and_history(store)
    except sync.StateFailed:  # it cannot be used by anything; what opens it says so, in JSON too
        return mark
    if unmarked:
        raise config.UntrustedState(str(root), str(unmarked[0]))
    return mark


def mark_unmarked_state_and_history(root: Path) -> bool:
    """Mark the state file and the history of a workspace as the user's; their content stays.

    Returns:
        Whether a mark was written; False if they had it, or do not exist.

    Raises:
        ConfigError: The user's settings cannot be used.
        SettingsAccessFailed: The user's mark cannot be kept.
        StateFailed: The state file cannot be used or changed.
        HistoryFailed: The history cannot be changed.
    """
    mark = config.read_or_make_owner_mark(config.config_folder(os.environ))
    store = sync.Store(root, config.STATE_FOLDER, mark)
    unmarked = _find_unmarked_state_and_history(store)
    if store.state_path in unmarked:
        with closing(sync.State(store.state_path)) as state:
            state.add_owner_mark(mark)
    if store.own / HISTORY_FILE in unmarked:
        add_owner_mark_to_job_history(store.root, mark)
    return bool(unmarked)


def _find_unmarked_state_and_history(store: sync.Store) -> list[Path]:
    """Return which of the state file and the history of a workspace do not have the user's mark."""
    assert store.mark is not None
    unmarked: list[Path] = []
    try:
        with sync.read_state(store):
            pass
    except config.UntrustedState:
        unmarked.append(store.state_path)
    if not has_marked_or_empty_history(store.root, store.mark):
        unmarked.append(store.own / HISTORY_FILE)
    return unmarked


def has_marked_or_empty_history(root: Path, mark: str) -> bool:
    """Tell whether the history of a workspace has the user's mark; True where it holds no job.

    A file that cannot be used is left to what opens it.

    Raises:
        FileFailed: The file cannot be read.
        WrongFileKind: It is a link or the like.
    """
    import sqlite3

    with sync.readable_database(root / config.STATE_FOLDER / HISTORY_FILE) as path:
        if path is None:
            return True
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                kinds = {row[0] for row in database.execute("SELECT type FROM sqlite_master")}
                # SQLite runs triggers and views by itself, and one from a stranger may never end.
                if kinds & {"trigger", "view"} or config.has_owner_mark(database, mark):
                    return True
                return database.execute("SELECT 1 FROM jobs LIMIT 1").fetchone() is None
        except sqlite3.Error:
            return True


def add_owner_mark_to_job_history(root: Path, mark: str) -> None:
    """Write the user's mark into the history of a workspace.

    Raises:
        HistoryFailed: The file cannot be changed.
        WrongFileKind: It is a link or the like.
    """
    import sqlite3

    path = root / config.STATE_FOLDER / HISTORY_FILE
    config.refuse_database_links(path)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            config.add_owner_mark(database, mark)
    except sqlite3.Error as error:
        raise HistoryFailed(str(path), str(error)) from error
