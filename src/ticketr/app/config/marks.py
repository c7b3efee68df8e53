"""The user's mark in state files and histories, which proves that this user made them.

A git repository can bring a state file in ``.ticketr``, which would make the repository's changes
look like the user's edits, and a history of jobs that never ran. So each of these files that ticketr
makes holds the user's mark: a random text that is kept in the user's own folder of settings. One
mark for all files needs no list of them, and a workspace that is moved keeps its mark.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.app.config.files import exclusive, read_private, write_private
from ticketr.app.config.tomlfile import edited, read_table
from ticketr.app.config.user_config import read_user_config

if TYPE_CHECKING:
    import sqlite3

MARKS_FILE = "marks.toml"

_MARK_NAME, _UNMARKED_NAME = "mark", "unmarked"
_MARK_FORM = re.compile(r"[0-9a-f]{64}")
_FIRST_LINES = """\
# The mark by which ticketr knows the state files that you made; keep it to yourself. Without it you
# are asked once about each of your workspaces whether it is yours.
"""


@dataclass(frozen=True, slots=True)
class Marks:
    """The mark of a user's state files, and which older state files lack it.

    Attributes:
        mark: What they bear, 64 hexadecimal digits; in no repr.
        unmarked: The folders of workspaces that were in the user's config before there were marks,
            and whose state files bear none yet.
    """

    mark: str = field(repr=False)
    unmarked: tuple[str, ...] = ()

    def is_older(self, root: Path) -> bool:
        """Return whether a workspace was the user's before there were marks."""
        return os.path.realpath(root) in map(os.path.realpath, self.unmarked)

    def without(self, root: Path) -> Marks:
        """Return the same without a workspace whose state file has the mark now."""
        real = os.path.realpath(root)
        left = tuple(text for text in self.unmarked if os.path.realpath(text) != real)
        return replace(self, unmarked=left)


def open_marks(folder: Path) -> Marks:
    """Read the user's mark; make one if the user has none yet.

    Args:
        folder: The user's folder of settings, which is made if it does not exist.

    Raises:
        ConfigError: The file, or the config, cannot be used.
        SettingsFailed: The system refused.
    """
    marks = read_marks(folder)
    if marks is not None:
        return marks
    with exclusive(folder):
        marks = read_marks(folder)  # another process may have made it meanwhile
        if marks is None:
            marks = new_marks(folder)
            _write(folder, marks)
    return marks


def has_mark(database: sqlite3.Connection, mark: str) -> bool:
    """Return whether a database has a mark."""
    try:
        rows = database.execute("SELECT 1 FROM mark WHERE value = ?", (mark,)).fetchall()
    except database.OperationalError:  # an older version made it
        return False
    return bool(rows)


def add_mark(database: sqlite3.Connection, mark: str) -> None:
    """Add a mark to a database; it may have several."""
    database.execute("CREATE TABLE IF NOT EXISTS mark (value TEXT PRIMARY KEY) WITHOUT ROWID")
    database.execute("INSERT OR IGNORE INTO mark VALUES (?)", (mark,))


def read_marks(folder: Path) -> Marks | None:
    """Read the user's mark; return None if the user has none yet.

    Raises:
        ConfigError: The file cannot be used.
        SettingsFailed: The system refused.
    """
    path = folder / MARKS_FILE
    text = read_private(path)
    if text is None:
        return None
    table = read_table(path, text)
    table.refuse_unknown((_MARK_NAME, _UNMARKED_NAME))
    mark = table.text(_MARK_NAME) or ""
    if not _MARK_FORM.fullmatch(mark):
        raise table.bad(_MARK_NAME, "this is not a mark; move the file away, and a new one is made")
    return Marks(mark, table.texts(_UNMARKED_NAME))


def new_marks(folder: Path) -> Marks:
    """Return a new mark, without storing it.

    Raises:
        ConfigError: The config cannot be used.
        SettingsFailed: The system refused to read it.
    """
    # Imported here, since a completion reads marks and has to be quick.
    import secrets  # noqa: PLC0415 - see above

    config = read_user_config(folder)
    known = tuple(str(entry.folder) for entry in config.workspaces.values())
    return Marks(secrets.token_hex(32), known)


def note_marked(folder: Path, root: Path) -> None:
    """Record that the state file of a workspace has the mark now.

    Raises:
        ConfigError: The file cannot be used.
        SettingsFailed: The system refused to write it.
    """
    with exclusive(folder):
        marks = read_marks(folder)
        if marks is not None and marks.is_older(root):
            _write(folder, marks.without(root))


def _write(folder: Path, marks: Marks) -> None:
    path = folder / MARKS_FILE
    values: dict[str, str | list[str]] = {_MARK_NAME: marks.mark}
    if marks.unmarked:
        values[_UNMARKED_NAME] = list(marks.unmarked)
    write_private(path, edited(path, _FIRST_LINES, lambda document: document.update(values)))
