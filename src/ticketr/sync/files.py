"""Files, replaced whole or not at all, and the operating system's errors in our own words.

Synchronous, for a worker thread.
"""

from __future__ import annotations

import os
import stat
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.sync.errors import FileFailed

if TYPE_CHECKING:
    from collections.abc import Generator

TEMPORARY = ".ticketr-tmp-"
"""How the name of a half-written file begins; whoever finds one of a killed process removes it."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def mode_of(target: str) -> int | None:
    """Give a file's permissions; None if there is no file.

    Raises:
        FileFailed: it cannot be looked at, or is no file.
    """
    with file_errors(target, "read"):
        try:
            mode = os.stat(target).st_mode  # noqa: PTH116
        except FileNotFoundError:
            return None
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a folder's error has words already
        raise FileFailed(Path(target), "write", "something that is no file has this name")
    return stat.S_IMODE(mode)


def replace_file(target: str, text: str, mode: int | None, *, durable: bool = False) -> None:
    """Put a whole file in place.

    Few system calls, since each lets another thread take over: a pull makes thousands of files.

    Args:
        target: the file; folders that are missing are made.
        text: all of it.
        mode: its permissions; None for those of a new file.
        durable: whether it must outlive a loss of power; what Jira can give again need not.

    Raises:
        FileFailed: it cannot be written. What was there before is whole.
    """
    folder = target.rpartition("/")[0]
    # Not made of the file's own name, which may be as long as a name can be.
    temporary = f"{folder}/{TEMPORARY}{os.getpid()}-{threading.get_ident()}"
    with file_errors(target, "write"):
        try:
            descriptor = os.open(temporary, _NEW, 0o666)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
            descriptor = os.open(temporary, _NEW, 0o666)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123
                if mode is not None:
                    os.fchmod(descriptor, mode)
                file.write(text.encode("utf-8"))
                if durable:
                    file.flush()
                    os.fsync(descriptor)
            os.replace(temporary, target)  # noqa: PTH105
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
            raise


def write_new_file(path: Path, text: str) -> bool:
    """Write a file that must not be there yet.

    Returns:
        Whether it was written; False if something has this name already.

    Raises:
        FileFailed: it cannot be written.
    """
    with file_errors(path, "write"):
        try:
            descriptor = os.open(path, _NEW, 0o666)
        except FileExistsError:
            return False
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123
            file.write(text)
    return True


def comparable(text: str) -> str:
    """Text without what a checkout may change by itself: line ends and the blank lines after."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


@contextmanager
def file_errors(path: Path | str, action: str) -> Generator[None]:
    """Turn the system's errors into `FileFailed`, which says what was to be done with which file."""
    try:
        yield
    except OSError as error:
        raise FileFailed(Path(path), action, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise FileFailed(Path(path), action, f"line {line} is not UTF-8") from error
