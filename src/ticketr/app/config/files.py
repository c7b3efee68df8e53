"""Writes files safely: atomically, for the user alone, and only below a workspace's own folders.

A git repository can bring links, and a file that is written into ``.git`` can make git run a
program. So everything that is written below a workspace's folder is written by a descriptor of
`open_write_folder`: no link below the workspace is followed, and no hidden folder is opened but
ticketr's own. The workspace's folder itself, which the user names, may be reached by links.

Synchronous. The operating system's errors are raised as they are.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import stat
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ticketr.app.config.errors import NotPrivate, convert_os_errors
from ticketr.app.config.tomlfile import read_text

#: Names another folder than the system's usual one.
CONFIG_FOLDER_VARIABLE = "TICKETR_CONFIG_DIR"


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's folder of settings, which need not exist."""
    if named := environ.get(CONFIG_FOLDER_VARIABLE, ""):
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
        SettingsAccessFailed: The system refused to read it.
    """
    text = read_text(
        path, check=lambda status: _check_owner_and_mode(path, status, 0o077, "open it", 600)
    )
    if text is not None:
        with convert_os_errors(path.parent, "look at"):
            _require_unwritable_by_others(path.parent)
    return text


def _check_owner_and_mode(
    path: Path, status: os.stat_result, forbidden_bits: int, action: str, wanted_mode: int
) -> None:
    # A file of root's is fine, since root can read and change everything anyway.
    if status.st_uid not in {os.geteuid(), 0}:
        raise NotPrivate(
            str(path),
            f"it belongs to another user (number {status.st_uid})",
            f"use a folder of your own, named in {CONFIG_FOLDER_VARIABLE}",
        )
    if status.st_mode & forbidden_bits:
        problem = f"others can {action} (mode {status.st_mode & 0o777:o})"
        raise NotPrivate(str(path), problem, f"chmod {wanted_mode} {shlex.quote(str(path))}")


def _require_unwritable_by_others(folder: Path) -> None:
    _check_owner_and_mode(folder, folder.stat(), 0o022, "put files into it", 700)


def write_private(path: Path, text: str) -> None:
    """Replace a file of the user's folder in one step, or make it; hold ``lock_config_folder`` meanwhile.

    Where the path is a link, its target is replaced. The text is on the disk when this returns.

    Raises:
        SettingsAccessFailed: The system refused; the old file is unchanged.
    """
    with convert_os_errors(path, "write"):
        real = path.resolve()
        with open_write_folder(real.parent) as folder:
            replace_atomically(folder, real.name, text, mode=0o600)


@contextmanager
def lock_config_folder(folder: Path) -> Generator[None]:
    """Create the user's folder if it is missing, and lock it against other processes.

    Without the lock, two processes that add an entry at once would lose one of them.

    Raises:
        NotPrivate: Others could put files into it.
        SettingsAccessFailed: The system refused.
    """
    with convert_os_errors(
        folder, "make", f"; let {CONFIG_FOLDER_VARIABLE} name a folder that can be written"
    ):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_unwritable_by_others(folder)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with convert_os_errors(folder, "lock"):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


#: Open a file that must not be there yet; with O_EXCL, a link of the name is a file that exists.
NEW_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


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
    data = text.encode()
    permissions = 0o666 if mode is None else mode
    descriptor = os.open(name, NEW_FILE_FLAGS, permissions, dir_fd=folder)
    try:
        try:
            if mode is not None:
                os.fchmod(descriptor, mode)
            while data:
                data = data[os.write(descriptor, data) :]
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise


LINK_REFUSED_REASON = "is a link, and nothing is written through a link; move it away"
_READ_ONLY_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def open_write_folder(
    root: Path | str, folder: str = "", *, make: bool = False, is_in_state_folder: bool = False
) -> Generator[int]:
    """Open a folder of a workspace to write into it by its descriptor.

    Args:
        root: The workspace's folder.
        folder: The folder, relative to that, with ``/``.
        make: Whether to make what is missing of it. The workspace's own folder is never made: a new
            one would be empty, and hide from the user where the other files went.
        is_in_state_folder: Whether its first part is ticketr's own folder, which is hidden.

    Raises:
        OSError: A link or a hidden folder is on the way, or the system refused.
    """
    here = os.open(root, _READ_ONLY_FOLDER_FLAGS)
    try:
        names = folder.split("/") if folder else []
        for number, name in enumerate(names):
            path = "/".join(names[: number + 1])
            if name.startswith(".") and (number or not is_in_state_folder):
                reason = f"{path} is hidden, and nothing is written into a hidden folder"
                raise OSError(errno.ELOOP, reason, name)
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=here)
            try:
                inner = os.open(name, _READ_ONLY_FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=here)
            except OSError as error:
                status = os.stat(name, dir_fd=here, follow_symlinks=False)
                if stat.S_ISLNK(status.st_mode):
                    raise OSError(errno.ELOOP, f"{path} {LINK_REFUSED_REASON}", name) from error
                raise
            os.close(here)
            here = inner
        yield here
    finally:
        os.close(here)
