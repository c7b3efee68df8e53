"""Opens the folders of a workspace that something is written into.

A git repository can bring links, and a file that is written into ``.git`` can make git run a
program. So everything that is written below a workspace's folder is written by a descriptor of this
module: no link below the workspace is followed, and no hidden folder is opened but ticketr's own.
The workspace's folder itself, which the user names, may be reached by links.

Synchronous. The operating system's errors are raised as they are.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

LINK_REASON = "is a link, and nothing is written through a link; move it away"
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def open_write_folder(
    root: Path | str, folder: str = "", *, make: bool = False, is_own: bool = False
) -> Generator[int]:
    """Open a folder of a workspace to write into it by its descriptor.

    Args:
        root: The workspace's folder.
        folder: The folder, relative to that, with ``/``.
        make: Whether to make what is missing of it. The workspace's own folder is never made: a new
            one would be empty, and hide from the user where the other files went.
        is_own: Whether its first part is ticketr's own folder, which is hidden.

    Raises:
        OSError: A link or a hidden folder is on the way, or the system refused.
    """
    here = os.open(root, _FLAGS)
    try:
        names = folder.split("/") if folder else []
        for number, name in enumerate(names):
            path = "/".join(names[: number + 1])
            if name.startswith(".") and (number or not is_own):
                reason = f"{path} is hidden, and nothing is written into a hidden folder"
                raise OSError(errno.ELOOP, reason, name)
            outer, here = here, _open(path, here, make=make)
            os.close(outer)
        yield here
    finally:
        os.close(here)


def _open(path: str, within: int, *, make: bool) -> int:
    """Open the last folder of a path by the descriptor of the folder around it."""
    name = path.rpartition("/")[2]
    try:
        return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=within)
    except FileNotFoundError:
        if not make:
            raise
    except OSError as error:
        if stat.S_ISLNK(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, f"{path} {LINK_REASON}", name) from error
        raise
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=within)
    return _open(path, within, make=False)
