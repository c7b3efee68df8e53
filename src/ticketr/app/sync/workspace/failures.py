"""Turns errors of the operating system into `FileFailed`, and decides how many files each concerns.

That decides whether a job leaves out one file or ends. The number of the error tells most: a folder
in the place of a file concerns that file, a full disk every file. "Permission denied" may be about
the file or about its folder. A folder refuses the temporary file beside the target; a file (an
immutable one, or another user's in a folder such as ``/tmp``) refuses the rename, and then the error
names two files. A folder below the workspace's own refuses its own files alone, with "Read-only file
system" too, since the state of the workspace was written a moment before.

Synchronous, for a worker thread.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ticketr._errors import TicketrError
from ticketr.app.sync.errors import FileFailed
from ticketr.app.tickets import TicketSyntaxError

#: Errors of the operating system that concern one file only, in any operation.
_ALONE = frozenset((errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.ENXIO))
_DENIED = frozenset((errno.EACCES, errno.EPERM))
#: Further errors that concern one file only, when it is read.
_UNREADABLE = _DENIED | {errno.ENOENT}
#: Further ones when it is written: it is larger than a limit, a mount point, a running program, or
#: another file that has appeared.
_UNWRITABLE = frozenset((errno.EFBIG, errno.EBUSY, errno.ETXTBSY, errno.EEXIST))
#: Errors by which a folder refuses a new file.
_REFUSED = _DENIED | {errno.EROFS}
#: The actions that need to write into a folder.
_IN_FOLDER = frozenset(("lock", "write into"))
_WRITE_THERE = "let your account write there"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt to change a file.

    Attributes:
        is_done: Whether it was changed.
        problem: Why it cannot be read or written; None if it can.
    """

    is_done: bool
    problem: TicketrError | None = None


def attempt(change: Callable[[], bool]) -> Attempt:
    """Change a file that may have become unreadable or unwritable since it was looked at.

    Args:
        change: Returns whether it has changed the file.

    Raises:
        FileFailed: ``change`` raised it, and it concerns not this file alone.
    """
    try:
        return Attempt(change())
    except TicketSyntaxError as error:
        return Attempt(is_done=False, problem=error)
    except FileFailed as error:
        if not error.alone:
            raise
        return Attempt(is_done=False, problem=error)


@contextmanager
def file_errors(path: Path | str, action: str) -> Generator[None]:
    """Convert errors of the operating system to `FileFailed`, which names the action and the file."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _DENIED and (action == "read" or _is_rename(error)):
            reason = f"{reason}; let your account {action} it, or move it away"
        elif error.errno in _REFUSED and action in _IN_FOLDER:
            reason = f"{reason}; {_WRITE_THERE}"
        raise FileFailed(Path(path), action, reason, _concerns_one_file(error, action)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        reason = f"line {line} is not UTF-8; save the file as UTF-8"
        raise FileFailed(Path(path), action, reason, alone=True) from error


@contextmanager
def folder_errors(folder: str, root: str) -> Generator[None]:
    """Convert an error by which a folder refuses a new file to `FileFailed`, which names the folder.

    Args:
        folder: The folder of the file; it may be missing.
        root: The workspace's folder. If that refuses, every file is concerned.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSED or _is_rename(error):
            raise
        place = folder
        while len(place) > len(root) and not os.path.isdir(place):  # noqa: PTH112 - a str
            place = place.rpartition("/")[0]
        reason = f"{error.strerror}; {_WRITE_THERE}"
        raise FileFailed(Path(place), "write into", reason, alone=place != root) from error


def _concerns_one_file(error: OSError, action: str) -> bool:
    """Return whether an error leaves other files usable."""
    if error.errno in _ALONE:
        return True
    if action == "read":
        return error.errno in _UNREADABLE
    is_about_file = _is_rename(error) or action == "remove"
    return error.errno in _UNWRITABLE or (error.errno in _DENIED and is_about_file)


def _is_rename(error: OSError) -> bool:
    return error.filename2 is not None
