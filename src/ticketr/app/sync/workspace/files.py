"""Replaces files completely or not at all; an error of the operating system becomes `FileFailed`.

Whether a job leaves out one file or ends, the number of the error tells most: a folder in the place of a
file concerns that file, a full disk every file. "Permission denied" may be about the file or about its
folder. A folder refuses the temporary file beside the target; a file (an immutable one, or another
user's in a folder such as ``/tmp``) refuses the rename, and then the error names two files. A folder
below the workspace's own refuses its own files alone, with "Read-only file system" too, since the state
of the workspace was written a moment before.

Synchronous, for a worker thread.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ticketr._errors import TicketrError
from ticketr.app.config import LINK_REFUSED_REASON, open_write_folder, replace_atomically
from ticketr.app.sync.errors import FileFailed
from ticketr.app.tickets import TicketSyntaxError

#: Errors of the operating system that concern one file only, in any operation.
_ONE_FILE_ERRNOS = frozenset(
    (errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.ENXIO)
)
_DENIED_ERRNOS = frozenset((errno.EACCES, errno.EPERM))
#: Further errors that concern one file only, when it is read.
_ONE_FILE_READ_ERRNOS = _DENIED_ERRNOS | {errno.ENOENT}
#: Further ones when it is written: too large, a mount point, a running program, or a new file.
_ONE_FILE_WRITE_ERRNOS = frozenset((errno.EFBIG, errno.EBUSY, errno.ETXTBSY, errno.EEXIST))
#: Errors by which a folder refuses a new file.
_FOLDER_UNWRITABLE_ERRNOS = _DENIED_ERRNOS | {errno.EROFS}
#: The actions of `FileFailed` that need to write into a folder.
_ACTIONS_WRITING_INTO_FOLDER = frozenset(("lock", "write into"))
_WRITE_ADVICE = "let your account write there"


def attempt_change(change: Callable[[], bool]) -> bool | TicketrError:
    """Change a file that may have become unreadable or unwritable since it was looked at.

    Args:
        change: Returns whether it has changed the file.

    Returns:
        Whether it was changed, or why it cannot be read or written.

    Raises:
        FileFailed: ``change`` raised it, and it concerns not this file alone.
    """
    try:
        return change()
    except (TicketSyntaxError, FileFailed) as error:
        if isinstance(error, FileFailed) and not error.concerns_one_file:
            raise
        return error


@contextmanager
def wrap_errors(path: Path | str, action: str) -> Generator[None]:
    """Convert errors of the operating system to `FileFailed`, which names the action and the file."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _DENIED_ERRNOS and (action == "read" or _is_from_rename(error)):
            reason = f"{reason}; let your account {action} it, or move it away"
        elif error.errno in _FOLDER_UNWRITABLE_ERRNOS and action in _ACTIONS_WRITING_INTO_FOLDER:
            reason = f"{reason}; {_WRITE_ADVICE}"
        raise FileFailed(Path(path), action, reason, _concerns_one_file(error, action)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        reason = f"line {line} is not UTF-8; save the file as UTF-8"
        raise FileFailed(Path(path), action, reason, concerns_one_file=True) from error


def _concerns_one_file(error: OSError, action: str) -> bool:
    """Return whether an error leaves other files usable."""
    if error.errno in _ONE_FILE_ERRNOS:
        return True
    if action == "read":
        return error.errno in _ONE_FILE_READ_ERRNOS
    is_denied = error.errno in _DENIED_ERRNOS and (_is_from_rename(error) or action == "remove")
    return is_denied or error.errno in _ONE_FILE_WRITE_ERRNOS


def _is_from_rename(error: OSError) -> bool:
    return error.filename2 is not None


# Paths are text here, for descriptors and flags need the calls of os.


T = TypeVar("T")

TEMPORARY_PREFIX = ".ticketr-tmp-"
"""How the name of a half-written file begins; `Store.walk` removes those of killed processes."""

#: The reason if a folder, a named pipe, a socket or a device is in the place of a file.
NOT_A_FILE_REASON = "something that is not a file has this name; move it away"
#: How many times a file is read and replaced if something else saves it meanwhile.
_MAX_REPLACE_ATTEMPTS = 100


class FileChanged(Exception):
    """Raised with the path of a file that was not replaced, since it was saved after it was read."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """Shows whether a file was saved since it was read.

    Attributes:
        permissions: Its permission bits.
        change_numbers: Numbers that change whenever it is saved in place or replaced.
    """

    permissions: int
    change_numbers: tuple[int, ...]


def stamp_of(target: str, *, dir_fd: int | None = None) -> FileStamp | None:
    """Return the stamp of a file; None if it does not exist.

    Args:
        target: The file.
        dir_fd: The descriptor of its folder, if that is open.

    Raises:
        FileFailed: Its status cannot be read, or it is not a regular file.
    """
    name = target if dir_fd is None else target.rpartition("/")[2]
    with wrap_errors(target, "read"):
        try:
            file_stat = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        except FileNotFoundError:
            return None
    if stat.S_ISLNK(file_stat.st_mode):
        raise FileFailed(Path(target), "write", f"it {LINK_REFUSED_REASON}", concerns_one_file=True)
    if not stat.S_ISREG(file_stat.st_mode) and not stat.S_ISDIR(file_stat.st_mode):
        # For a folder, the read error says what is wrong.
        raise FileFailed(Path(target), "write", NOT_A_FILE_REASON, concerns_one_file=True)
    stamp = (file_stat.st_ino, file_stat.st_size, file_stat.st_mtime_ns, file_stat.st_ctime_ns)
    return FileStamp(stat.S_IMODE(file_stat.st_mode), stamp)


def retry_if_changed(change: Callable[[], T]) -> T:
    """Read and replace a file, again from the start as long as it is saved in between.

    Raises:
        FileFailed: The file was saved at each of many attempts.
    """
    for _ in range(_MAX_REPLACE_ATTEMPTS - 1):
        with suppress(FileChanged):
            return change()
    try:
        return change()
    except FileChanged as error:
        reason = "something else saves it all the time"
        raise FileFailed(Path(error.args[0]), "write", reason, concerns_one_file=True) from None


def replace_file(
    root: str, name: str, text: str, stamp: FileStamp | None, *, durable: bool = False
) -> None:
    """Replace a file as a whole; create missing folders below the workspace's own.

    Args:
        root: The workspace's folder.
        name: The file, relative to that.
        text: Its new content.
        stamp: Its stamp when it was read; the permissions stay. None for a new file.
        durable: Whether it must survive a loss of power. What Jira can give again need not.

    Raises:
        FileChanged: It was saved since it was read, and is unchanged. A save between the last
            check and the rename is not noticed.
        FileFailed: It cannot be written, and is unchanged.
    """
    target = f"{root}/{name}"
    with make_file_folder(root, name) as (folder, base):

        def require_unchanged() -> None:
            if stamp_of(target, dir_fd=folder) != stamp:
                raise FileChanged(target)

        replace_atomically(
            folder,
            base,
            text,
            # A name made from the file's own name could be too long.
            temporary=f"{TEMPORARY_PREFIX}{os.getpid()}-{threading.get_ident()}",
            mode=None if stamp is None else stamp.permissions,
            durable=durable,
            check=require_unchanged,
        )


@contextmanager
def make_file_folder(root: Path | str, name: str) -> Generator[tuple[int, str]]:
    """Make the folder of a file in the workspace and open it, in order to write the file.

    Args:
        root: The workspace's folder.
        name: The file, relative to that.

    Yields:
        The descriptor of the folder, and the file's name in it.

    Raises:
        FileFailed: A link or a hidden folder is on the way, or the system refused, here or in the
            block. If a folder refuses the file, the error names that folder.
    """
    folder, _, base = name.rpartition("/")
    with wrap_errors(f"{root}/{name}", "write"):
        try:
            with open_write_folder(root, folder, make=True) as descriptor:
                yield descriptor, base
        except OSError as error:
            if error.errno not in _FOLDER_UNWRITABLE_ERRNOS or _is_from_rename(error):
                raise
            place = Path(root, folder)
            while place != Path(root) and not place.is_dir():
                place = place.parent
            reason = f"{error.strerror}; {_WRITE_ADVICE}"
            is_alone = place != Path(root)  # else every file is concerned
            raise FileFailed(place, "write into", reason, is_alone) from error


def lf_and_chomp(text: str) -> str:
    """Return a text without what a checkout may change: its line ends and trailing blank lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
