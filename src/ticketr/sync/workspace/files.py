"""Replaces files whole or not at all, and turns the system's errors into `FileFailed`.

Synchronous, for a worker thread.
"""

# Paths are text here, for descriptors and flags need the calls of os.
# ruff: noqa: PTH103, PTH116

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ticketr.config import replace_atomically, write_new
from ticketr.sync.errors import FileFailed
from ticketr.tickets import TicketSyntaxError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")

TEMPORARY = ".ticketr-tmp-"
"""How the name of a half-written file begins; `Store.walk` removes those of killed processes."""

#: The reason if a folder, a named pipe, a socket or a device is in the place of a file.
NO_FILE = "something that is not a file has this name; move it away"
#: Errors of the operating system that concern one file only, in any operation.
_ALONE = frozenset((errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.ENXIO))
_DENIED = frozenset((errno.EACCES, errno.EPERM))
#: Further errors that concern one file only, when it is read.
_UNREADABLE = _DENIED | {errno.ENOENT}

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
        raise FileFailed(Path(error.target), "write", reason) from None


def unless_broken(change: Callable[[], bool]) -> bool:
    """Change a file that may have become unreadable since it was looked at.

    Returns:
        What ``change`` returns; False if the file cannot be read as tickets, or not at all.

    Raises:
        FileFailed: ``change`` raised it, and it concerns not this file alone.
    """
    try:
        return change()
    except TicketSyntaxError:
        return False
    except FileFailed as error:
        if not error.alone:
            raise
        return False


def replace_file(target: str, text: str, was: FileStamp | None, *, durable: bool = False) -> None:
    """Replace a file as a whole; create missing folders.

    Args:
        target: The file.
        text: Its new content.
        was: Its stamp when it was read; the permissions stay. None for a new file.
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

    with file_errors(target, "write"):
        try:
            attempt()
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            attempt()


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


@contextmanager
def file_errors(path: Path | str, action: str) -> Generator[None]:
    """Convert errors of the operating system to `FileFailed`, which names the action and the file."""
    try:
        yield
    except OSError as error:
        alone = error.errno in _ALONE or (action == "read" and error.errno in _UNREADABLE)
        reason = error.strerror or str(error)
        if action == "read" and error.errno in _DENIED:
            reason = f"{reason}; let your account read it, or move it away"
        raise FileFailed(Path(path), action, reason, alone) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        reason = f"line {line} is not UTF-8; save the file as UTF-8"
        raise FileFailed(Path(path), action, reason, alone=True) from error
