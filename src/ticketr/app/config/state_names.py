"""Reads keys and names out of a workspace's state file, for the completion of a shell.

A completion must answer within a moment, so it cannot load what a job loads. What the file holds is
decided in ``ticketr.app.sync.state``; a test holds this module against it. Nothing here changes a file,
and a file that does not have the user's mark gives nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from ticketr._errors import TicketrError
from ticketr.app.config.files import config_folder
from ticketr.app.config.state_folder import STATE_FILE, STATE_FOLDER, refuse_database_links
from ticketr.app.config.user_config import has_owner_mark, read_users_owner_mark

#: The most keys that are offered, and the most that are offered with their titles.
MAX_OFFERED_KEYS, MAX_TITLES = 5_000, 60
#: How many issues are looked at for names of statuses and people.
_MAX_SAMPLED_ISSUES = 3_000
#: Where the names are in the fields of an issue.
_ISSUE_PATH_BY_FIELD = {"status": "$.status.name", "assignee": "$.assignee.displayName"}


def find_known_keys(root: Path, environ: Mapping[str, str], start: str) -> list[tuple[str, str]]:
    """Return the keys that begin with a text, each with its title if there are few.

    Args:
        root: The workspace's folder.
        environ: The environment, usually ``os.environ``.
        start: The beginning of the keys, in upper case.
    """
    rows = _try_query_state(
        root,
        environ,
        "SELECT key FROM issue WHERE substr(key, 1, length(?1)) = ?1 LIMIT ?2",
        (start, MAX_OFFERED_KEYS),
    )
    keys = sorted((key for (key,) in rows), key=_project_and_number)
    if len(keys) > MAX_TITLES:
        return [(key, "") for key in keys]
    titles: dict[str, str] = dict(
        _try_query_state(
            root,
            environ,
            "SELECT key, json_extract(fields, '$.summary') FROM issue"
            " WHERE substr(key, 1, length(?1)) = ?1",
            (start,),
        )
    )
    return [(key, titles.get(key) or "") for key in keys]


def find_value_names(root: Path, environ: Mapping[str, str], field: str) -> list[str]:
    """Return the names that a field of the known issues has, sorted.

    Args:
        root: The workspace's folder.
        environ: The environment, usually ``os.environ``.
        field: ``"status"`` or ``"assignee"``.
    """
    sql = "SELECT DISTINCT json_extract(fields, ?) FROM (SELECT fields FROM issue LIMIT ?)"
    rows = _try_query_state(root, environ, sql, (_ISSUE_PATH_BY_FIELD[field], _MAX_SAMPLED_ISSUES))
    return sorted(name for (name,) in rows if name)


def _try_query_state(
    root: Path, environ: Mapping[str, str], query: str, values: tuple[object, ...]
) -> list[Any]:
    """Return the rows of a query on the state file; none if it is missing or cannot be used."""
    path = root / STATE_FOLDER / STATE_FILE
    try:
        refuse_database_links(path)
        mark = read_users_owner_mark(config_folder(environ))
        if mark is None or not path.exists():
            return []
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.execute("PRAGMA trusted_schema = OFF")
            kinds = {kind for (kind,) in db.execute("SELECT DISTINCT type FROM sqlite_master")}
            # SQLite runs triggers and views by itself, and one from a stranger may never end.
            if kinds & {"trigger", "view"} or not has_owner_mark(db, mark):
                return []
            return db.execute(query, values).fetchall()
    except (TicketrError, OSError, ValueError, sqlite3.Error):
        return []


def _project_and_number(key: str) -> tuple[str, int]:
    project, _, number = key.rpartition("-")
    return project, int(number) if number.isdecimal() else 0
