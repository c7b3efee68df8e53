"""Replaces a file atomically, so that no reader ever sees half of it."""

# Paths are text where descriptors and flags need the calls of os.
# ruff: noqa: PTH123

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ticketr.app.config.errors import SettingsFailed

#: A link of the name is not followed either: with O_EXCL it is a file that exists.
_NEW_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


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
        descriptor = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if mode is None and real.exists():
                mode = real.stat().st_mode & 0o777
            replace_atomically(descriptor, real.name, text, mode=mode)
        finally:
            os.close(descriptor)


def replace_atomically(
    folder: int,
    name: str,
    text: str,
    *,
    temporary: str | None = None,
    mode: int | None,
    durable: bool = True,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Write a temporary file and rename it: it replaces the other completely or not at all.

    A link of that name is replaced, and not followed.

    Few system calls, since each lets another thread take over: a pull makes thousands of files.

    Args:
        folder: The descriptor of the folder; for one in a workspace see `open_write_folder`.
        name: The file to replace or create.
        text: All of its new text.
        temporary: A name in the same folder that no file has; None for one that is made from the
            file's and the ID of this process.
        mode: Its permissions; None for those of any new file.
        durable: Whether it must outlive a loss of power.
        check: Called just before the rename; what it raises leaves the target unchanged.

    Raises:
        OSError: The system refused; the old file is unchanged.
    """
    if temporary is None:
        temporary = f".{name}.{os.getpid()}.new"
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)  # left by a killed process with the same ID
    write_new(folder, temporary, text, mode=mode, durable=durable)
    try:
        check()
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    if durable:
        with suppress(OSError):  # as far as the system does that for a folder
            os.fsync(folder)


def write_new(
    folder: int,
    name: str,
    text: str,
    *,
    mode: int | None = None,
    durable: bool = False,
) -> None:
    """Write a file that must not be there yet, completely or not at all.

    Args:
        folder: The descriptor of the folder; for one in a workspace see `open_write_folder`.
        name: The file.
        text: All of its text.
        mode: Its permissions; None for those of any new file.
        durable: Whether it must outlive a loss of power.

    Raises:
        FileExistsError: Something has that name.
        OSError: The system refused.
    """
    descriptor = open_new(folder, name, mode)
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
            os.unlink(name, dir_fd=folder)
        raise


def open_new(folder: int, name: str, mode: int | None = None) -> int:
    """Create a file that must not be there yet, and return its descriptor.

    Args:
        folder: The descriptor of the folder.
        name: The file.
        mode: Its permissions, less those that the umask takes; None for those of any new file.

    Raises:
        FileExistsError: Something has that name.
        OSError: The system refused.
    """
    return os.open(name, _NEW_FILE_FLAGS, 0o666 if mode is None else mode, dir_fd=folder)


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
