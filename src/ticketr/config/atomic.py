"""Replaces a file atomically, so that no reader ever sees half of it."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ticketr.config.errors import SettingsFailed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


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
        beside = real.with_name(f".{real.name}.{os.getpid()}.new")
        with suppress(FileNotFoundError):
            beside.unlink()  # left by a killed process with the same ID
        if mode is None and real.exists():
            mode = real.stat().st_mode & 0o777
        descriptor = os.open(beside, _NEW, 0o666 if mode is None else mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if mode is not None:
                    os.fchmod(file.fileno(), mode)
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            beside.replace(real)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
        _sync_folder(real.parent)


def _sync_folder(folder: Path) -> None:
    """Write the folder's entry to the disk, too."""
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
