"""The user's own folder of settings, which only the user may read or change."""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ticketr.app.config.atomic import settings_errors, write_atomically
from ticketr.app.config.errors import NotPrivate
from ticketr.app.config.tomlfile import read_text

#: Names another folder than the system's usual one.
FOLDER_NAME = "TICKETR_CONFIG_DIR"


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's folder of settings, which need not exist."""
    if named := environ.get(FOLDER_NAME, ""):
        return Path(named).absolute()
    # Loaded only where it is needed: it takes as long as reading the settings.
    import platformdirs  # noqa: PLC0415 - see above

    return platformdirs.user_config_path("ticketr")


def read_private(path: Path) -> str | None:
    """Read a file that belongs to the user alone.

    Returns:
        Its text, or None where there is no such file.

    Raises:
        NotPrivate: Others can read it, or change it or its folder.
        BadFile: It is not an ordinary file, too large or no text.
        SettingsFailed: The system refused to read it.
    """
    text = read_text(path, check=lambda status: _check_file(path, status))
    if text is not None:
        with settings_errors(path.parent, "look at"):
            _check_folder(path.parent, path.parent.stat())
    return text


def _check_file(path: Path, status: os.stat_result) -> None:
    _check(path, status, 0o077, "open it", 600)


def _check_folder(folder: Path, status: os.stat_result) -> None:
    _check(folder, status, 0o022, "put files into it", 700)


def _check(path: Path, status: os.stat_result, others: int, action: str, wanted: int) -> None:
    _check_owner(path, status)
    if status.st_mode & others:
        problem = f"others can {action} (mode {status.st_mode & 0o777:o})"
        raise NotPrivate(str(path), problem, f"chmod {wanted} {shlex.quote(str(path))}")


def _check_owner(path: Path, status: os.stat_result) -> None:
    # A file of root's is fine, since root can read and change everything anyway.
    if status.st_uid not in {os.geteuid(), 0}:
        raise NotPrivate(
            str(path),
            f"it belongs to another user (number {status.st_uid})",
            f"use a folder of your own, named in {FOLDER_NAME}",
        )


def write_private(path: Path, text: str) -> None:
    """Replace a file of the user's folder in one step, or make it; hold ``exclusive`` meanwhile.

    Raises:
        SettingsFailed: The system refused to write it.
    """
    write_atomically(path, text, mode=0o600)


def prepare_config_folder(folder: Path) -> None:
    """Create the user's folder if it is missing, and check that it can be written to.

    Raises:
        NotPrivate: Others could put files into it.
        SettingsFailed: The system refused.
    """
    with exclusive(folder):
        pass


@contextmanager
def exclusive(folder: Path) -> Generator[None]:
    """Create the user's folder if it is missing, and lock it against other processes.

    Without the lock, two processes that add an entry at once would lose one of them.

    Raises:
        NotPrivate: Others could put files into it.
        SettingsFailed: The system refused.
    """
    with settings_errors(folder, "make"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_folder(folder, folder.stat())
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with settings_errors(folder, "lock"):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
