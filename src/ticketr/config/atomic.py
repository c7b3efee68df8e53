"""Replaces a file atomically, so that no reader ever sees half of it."""

# Paths are text where descriptors and flags need the calls of os.
# ruff: noqa: PTH105, PTH108, PTH123

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ticketr.config.errors import SettingsFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

_NEW_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_atomically(path: Path, text: str, *, mode: int | None = None) -> None:
    """Replace a file, or create it.

    Where the path is a link, its target is replaced. The text is on the disk when this returns.

    Args:
        path: The file.
        text: All of its new text.
        mode: Its permissions; else those that it has, or of any new file.

    Raises:
        SettingsFailed: The system refused; the old file is unchanged.
    """
    with settings_errors(path, "write"):
        real = path.resolve()
        if mode is None and real.exists():
            mode = real.stat().st_mode & 0o777
        replace_atomically(str(real), text, mode=mode)


def replace_atomically(
    target: str,
    text: str,
    temporary: str | None = None,
    *,
    mode: int | None,
    durable: bool = True,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Write a temporary file and rename it to a target: the target is replaced whole or not at all.

    Few system calls, since each lets another thread take over: a pull makes thousands of files.

    Args:
        target: The file to replace or create; not a link.
        text: All of its new text.
        temporary: A name in the same folder that no file has; None for one that is made from the
            target's and the ID of this process.
        mode: Its permissions; None for those of any new file.
        durable: Whether it must outlive a loss of power.
        check: Called just before the rename; what it raises leaves the target unchanged.

    Raises:
        OSError: The system refused; the old file is unchanged.
    """
    folder, _, name = target.rpartition("/")
    if temporary is None:
        temporary = f"{folder}/.{name}.{os.getpid()}.new"
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # left by a killed process with the same ID
    write_new(temporary, text, mode=mode, durable=durable)
    try:
        check()
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    if durable:
        _sync_folder(folder)


def write_new(
    path: Path | str,
    text: str,
    *,
    within: int | None = None,
    mode: int | None = None,
    durable: bool = False,
) -> None:
    """Write a file that must not be there yet, whole or not at all.

    Args:
        path: The file.
        text: All of its text.
        within: The descriptor of the folder that a relative path starts from.
        mode: Its permissions; None for those of any new file.
        durable: Whether it must outlive a loss of power.

    Raises:
        FileExistsError: Something has that name.
        OSError: The system refused.
    """
    descriptor = os.open(path, _NEW_FILE_FLAGS, 0o666 if mode is None else mode, dir_fd=within)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(text.encode())
            if durable:
                file.flush()
                os.fsync(descriptor)
    except BaseException:
        with suppress(OSError):
            os.unlink(path, dir_fd=within)
        raise


def _sync_folder(folder: str) -> None:
    """Write the folder's entries to the disk, as far as the system does that for a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def settings_errors(path: Path, action: str) -> Generator[None]:
    """Convert an OSError to SettingsFailed.

    Raises:
        SettingsFailed: The block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise SettingsFailed(str(path), action, error.strerror or str(error)) from error
