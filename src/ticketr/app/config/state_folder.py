"""The folder ``.ticketr`` in a workspace: nothing in it is opened through a link.

A git repository can bring a folder of that name, or a link in its place, with links in it. So the
folder and every file on the way to it is looked at by itself and opened without following a link.
What is not what it should be is refused before anything is read or written. Hard links cannot be
refused, since backups make them; git carries none.

Synchronous. The operating system's errors are raised as they are.
"""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ticketr._errors import TicketrError
from ticketr.app.config.errors import WrongFileKind
from ticketr.app.config.files import open_write_folder, replace_atomically, write_new

#: The folder's name: state, lock, history, trash. It ignores itself in git.
STATE_FOLDER = ".ticketr"
LOCK_FILE = "lock"
GITIGNORE_FILE = ".gitignore"
TRASH_FOLDER = "trash"
#: The file of the last sync.
STATE_FILE = "state.db"
#: SQLite files: the last sync, the history of jobs, the site of a demo.
STATE_HISTORY_DEMO_DATABASES = (STATE_FILE, "history.db", "demo.db")

#: The endings of the files that SQLite opens for a database.
_DATABASE_AND_SIDE_FILE_SUFFIXES = ("", "-wal", "-shm", "-journal")
_SAFE_OPEN_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
#: The kinds of files, by the first sign of what `stat.filemode` returns.
_FILE_KIND_NAMES = {
    "l": "a link",
    "d": "a folder",
    "-": "a file",
    "p": "a named pipe",
    "s": "a socket",
}


@dataclass(frozen=True, slots=True)
class StateFolder:
    """ticketr's own folder in one workspace, which need not exist."""

    path: Path

    def check_file_kinds(self) -> None:
        """Check that ticketr's files and folders in it are plain files and folders.

        Raises:
            WrongFileKind: Something is not.
        """
        refuse_wrong_file_kind(self.path, "a folder")
        refuse_wrong_file_kind(self.path / TRASH_FOLDER, "a folder")
        for name in (LOCK_FILE, GITIGNORE_FILE):
            refuse_wrong_file_kind(self.path / name, "a file")
        for name in STATE_HISTORY_DEMO_DATABASES:
            refuse_database_links(self.path / name)

    def make(self) -> None:
        """Create the folder, and make git ignore it.

        Raises:
            WrongFileKind: Something else has its name, or that of the file that git reads.
        """
        refuse_wrong_file_kind(self.path, "a folder")
        self.path.mkdir(parents=True, exist_ok=True)
        ignore_file = self.path / GITIGNORE_FILE
        if not ignore_file.exists():
            with self._open_descriptor() as folder, suppress(FileExistsError):
                write_new(folder, GITIGNORE_FILE, "*\n")
        refuse_wrong_file_kind(ignore_file, "a file")

    def open_file(self, name: str, flags: int) -> int:
        """Open a file of the folder by its descriptor.

        Raises:
            WrongFileKind: Something else has that name.
        """
        with self._open_descriptor() as folder:
            refuse_wrong_file_kind(self.path / name, "a file")
            return os.open(name, flags | _SAFE_OPEN_FLAGS, 0o666, dir_fd=folder)

    def replace(self, name: str, text: str) -> None:
        """Replace a file in one step, or create it; it need not outlive a loss of power.

        Raises:
            WrongFileKind: Something else has that name.
        """
        with self._open_descriptor() as folder:
            refuse_wrong_file_kind(self.path / name, "a file")
            replace_atomically(folder, name, text, mode=None, durable=False)

    def find_free_trash_path(self, candidate_names: Iterable[str]) -> Path:
        """Return where `put_in_trash` would write a text now; nothing is changed.

        Args:
            candidate_names: The names; one of them must be free.
        """
        paths = (self.path / TRASH_FOLDER / name for name in candidate_names)
        return next(path for path in paths if not os.path.lexists(path))

    def put_in_trash(self, candidate_names: Iterable[str], text: str) -> Path:
        """Write a text to the trash, under the first of some names that is free.

        It is on the disk when this returns.

        Args:
            candidate_names: The names; they may be infinite.
            text: The text.

        Raises:
            WrongFileKind: Something else has the name of the trash.
        """
        self.make()
        with self._open_descriptor(TRASH_FOLDER) as folder:
            for name in candidate_names:
                with suppress(FileExistsError):
                    write_new(folder, name, text, durable=True)
                    os.fsync(folder)
                    return self.path / TRASH_FOLDER / name
        raise AssertionError("there is always another name")

    def remove_from_trash(self, path: Path) -> None:
        """Remove a text that `put_in_trash` has written."""
        with self._open_descriptor(TRASH_FOLDER) as folder:
            os.unlink(path.name, dir_fd=folder)

    def _open_descriptor(self, inner: str = "") -> AbstractContextManager[int]:
        """Open the folder, or a folder in it that is made if it is missing.

        Raises:
            WrongFileKind: Something else has its name.
        """
        refuse_wrong_file_kind(self.path / inner, "a folder")
        name = f"{self.path.name}/{inner}" if inner else self.path.name
        return open_write_folder(self.path.parent, name, make=bool(inner), is_in_state_folder=True)


def refuse_wrong_file_kind(path: Path, expected: str) -> None:
    """Check what a path is, if anything is there; a link to such a thing is another one.

    Args:
        path: The path.
        expected: ``"a folder"`` or ``"a file"``, which is an ordinary one.

    Raises:
        WrongFileKind: It is something else.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:  # it is not there, or opening it tells why not
        return
    kind = _FILE_KIND_NAMES.get(stat.filemode(mode)[0], "a device")
    if kind != expected:
        raise WrongFileKind(str(path), kind, expected)


def refuse_database_links(path: Path) -> None:
    """Check that none of the files that SQLite opens is a link, since SQLite follows links.

    Raises:
        WrongFileKind: The file, one that SQLite opens beside it, or their folder is something else.
    """
    refuse_wrong_file_kind(path.parent, "a folder")
    for end in _DATABASE_AND_SIDE_FILE_SUFFIXES:
        refuse_wrong_file_kind(path.with_name(f"{path.name}{end}"), "a file")


#: The file, in ticketr's own folder.
LIST_VIEW_FILE = "app.json"
#: The most bytes of it that are read.
MAX_LIST_VIEW_FILE_BYTES = 512 * 1024
#: Held while the file is replaced, which threads of one app may do at once: they use one temporary file.
_LIST_VIEW_THREAD_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class SavedListView:
    """How a list was shown last.

    Attributes:
        filter_text: The filter, as it was typed.
        sort_name: The name of the sort; empty if it is not known.
        hidden_columns: The names of the columns that are hidden.
    """

    filter_text: str = ""
    sort_name: str = ""
    hidden_columns: frozenset[str] = frozenset()


def read_saved_list_view(folder: StateFolder) -> SavedListView:
    """Return what is remembered; a file that makes no sense is ignored."""
    try:
        with os.fdopen(folder.open_file(LIST_VIEW_FILE, os.O_RDONLY), "rb") as file:
            saved: Any = json.loads(file.read(MAX_LIST_VIEW_FILE_BYTES))
        return SavedListView(
            str(saved.get("filter", "")),
            str(saved.get("sort", "")),
            frozenset(map(str, saved.get("hidden", ()))),
        )
    except (OSError, ValueError, RecursionError, AttributeError, TypeError, TicketrError):
        return SavedListView()


def store_list_view(folder: StateFolder, view: SavedListView) -> None:
    """Store how a list is shown.

    Raises:
        OSError: The file cannot be written.
        WrongFileKind: Something else has its name.
    """
    shown = {
        "filter": view.filter_text,
        "sort": view.sort_name,
        "hidden": sorted(view.hidden_columns),
    }
    with _LIST_VIEW_THREAD_LOCK:
        folder.make()
        folder.replace(LIST_VIEW_FILE, json.dumps(shown))
