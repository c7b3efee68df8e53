"""The user's mark in the history of a workspace's jobs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ticketr._errors import HistoryFailed
from ticketr.config import STATE_FOLDER, add_mark, has_mark, require_database

if TYPE_CHECKING:
    from pathlib import Path

#: The file with the history, in ticketr's own folder.
HISTORY = "history.db"


def bears_mark(root: Path, mark: str) -> bool:
    """Tell whether the history of a workspace has the user's mark; True where it holds no job.

    A file that cannot be used is left to what opens it.

    Raises:
        FileFailed: The file cannot be read.
        UnsafePath: It is a link or the like.
    """
    import sqlite3

    from ticketr.sync import readable

    with readable(root / STATE_FOLDER / HISTORY) as path:
        if path is None:
            return True
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                kinds = {row[0] for row in database.execute("SELECT type FROM sqlite_master")}
                # SQLite runs triggers and views by itself, and one from a stranger may never end.
                if kinds & {"trigger", "view"} or has_mark(database, mark):
                    return True
                return database.execute("SELECT 1 FROM jobs LIMIT 1").fetchone() is None
        except sqlite3.Error:
            return True


def sign_history(root: Path, mark: str) -> None:
    """Write the user's mark into the history of a workspace.

    Raises:
        HistoryFailed: The file cannot be changed.
        UnsafePath: It is a link or the like.
    """
    import sqlite3

    path = root / STATE_FOLDER / HISTORY
    require_database(path)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            add_mark(database, mark)
    except sqlite3.Error as error:
        raise HistoryFailed(str(path), str(error)) from error
