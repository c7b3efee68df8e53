"""Replaces files whole or not at all.

Synchronous, for a worker thread.
"""

# Paths are text here, for descriptors and flags need the calls of os.
# ruff: noqa: PTH103, PTH116

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ticketr.config import replace_atomically, write_new
from ticketr.sync.errors import FileFailed
from ticketr.sync.workspace.failures import file_errors, folder_errors

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

TEMPORARY = ".ticketr-tmp-"
"""How the name of a half-written file begins; `Store.walk` removes those of killed processes."""

#: The reason if a folder, a named pipe, a socket or a device is in the place of a file.
NO_FILE = "something that is not a file has this name; move it away"
#: How many times a file is read and replaced if something else saves it meanwhile.
_ATTEMPTS = 100


class FileChanged(Exception):
    """Raised when a file was saved since it was read, so that it was not replaced."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


@dataclass(frozen=True, slots=True)
class FileStamp:
    """Shows whether a file was saved since it was read.

    Attributes:
        mode: Its permissions.
        stamp: Numbers that change whenever it is saved in place or replaced.
    """

    mode: int
    stamp: tuple[int, ...]


def stamp_of(target: str) -> FileStamp | None:
    """Return the stamp of a file; None if it does not exist.

    Raises:
        FileFailed: Its status cannot be read, or it is not a regular file.
    """
    with file_errors(target, "read"):
        try:
            found = os.stat(target)
        except FileNotFoundError:
            return None
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        # For a folder, the read error says what is wrong.
        raise FileFailed(Path(target), "write", NO_FILE, alone=True)
    stamp = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return FileStamp(stat.S_IMODE(found.st_mode), stamp)


def retry_if_changed(change: Callable[[], T]) -> T:
    """Read and replace a file, again from the start as long as it is saved in between.

    Raises:
        FileFailed: The file was saved at each of many attempts.
    """
    for _ in range(_ATTEMPTS - 1):
        with suppress(FileChanged):
            return change()
    try:
        return change()
    except FileChanged as error:
        reason = "something else saves it all the time"
        raise FileFailed(Path(error.target), "write", reason, alone=True) from None


def replace_file(
    target: str, text: str, was: FileStamp | None, *, root: str, durable: bool = False
) -> None:
    """Replace a file as a whole; create missing folders below the workspace's own.

    Args:
        target: The file.
        text: Its new content.
        was: Its stamp when it was read; the permissions stay. None for a new file.
        root: The workspace's folder, links followed.
        durable: Whether it must survive a loss of power. What Jira can give again need not.

    Raises:
        FileChanged: It was saved since it was read, and is unchanged. A save between the last
            check and the rename is not noticed.
        FileFailed: It cannot be written, and is unchanged.
    """
    folder = target.rpartition("/")[0]
    # A name made from the file's own name could be too long.
    temporary = f"{folder}/{TEMPORARY}{os.getpid()}-{threading.get_ident()}"

    def require_unchanged() -> None:
        if stamp_of(target) != was:
            raise FileChanged(target)

    def attempt() -> None:
        mode = None if was is None else was.mode
        replace_atomically(
            target, text, temporary, mode=mode, durable=durable, check=require_unchanged
        )

    with file_errors(target, "write"), folder_errors(folder, root):
        try:
            attempt()
        except FileNotFoundError:
            make_folders(folder, root)
            attempt()


def make_folders(folder: str, root: str) -> None:
    """Make a folder and what is missing on the way to it from the workspace's folder.

    Raises:
        FileNotFoundError: The workspace's own folder is gone. A new one would be empty, and hide
            from the user where the other files went.
    """
    if not os.path.isdir(root):  # noqa: PTH112 - a str
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    os.makedirs(folder, exist_ok=True)


def write_new_file(path: Path, text: str) -> bool:
    """Write a file that must not exist yet.

    Returns:
        Whether it was written; False if something has this name already.

    Raises:
        FileFailed: It cannot be written.
    """
    with file_errors(path, "write"):
        try:
            write_new(path, text)
        except FileExistsError:
            return False
    return True


def comparable(text: str) -> str:
    """Return a text without what a checkout may change: its line ends and trailing blank lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
