"""Files that are downloaded into the workspace, beside those of the tickets.

Synchronous, for a worker thread.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.app.config import open_new
from ticketr.app.sync.compare.attachments import possible_names
from ticketr.app.sync.errors import FileFailed
from ticketr.app.sync.workspace.files import TEMPORARY, file_errors, open_to_write
from ticketr.app.sync.workspace.store import ATTACHMENTS

if TYPE_CHECKING:
    from ticketr.app.jira import Attachment


def attachment_folder(root: Path, ticket_file: str, key: str) -> Path:
    """Return the folder for the attachments of an issue.

    Args:
        root: The workspace's folder.
        ticket_file: The file of its ticket, relative to that; empty if it has none.
        key: The issue's key.
    """
    return root / Path(ticket_file).parent / ATTACHMENTS / key


def missing_files(
    folder: Path, attachments: Iterable[Attachment]
) -> tuple[list[tuple[Attachment, str]], list[Attachment]]:
    """Find out which attachments are not in their folder yet.

    Args:
        folder: The folder.
        attachments: The attachments of one issue, in Jira's order.

    Returns:
        The missing ones with the names that they get, and those for which other files of their
        names are in the way.
    """
    taken: set[str] = set()
    missing: list[tuple[Attachment, str]] = []
    blocked: list[Attachment] = []
    for attachment in attachments:
        names = [
            name for name in possible_names(attachment.name, attachment.id) if name not in taken
        ]
        there = next((name for name in names if _is_there(folder / name, attachment.size)), None)
        free = next((name for name in names if not os.path.lexists(folder / name)), None)
        if there is not None:
            taken.add(there)
        elif free is not None:
            taken.add(free)
            missing.append((attachment, free))
        else:
            blocked.append(attachment)
    return missing, blocked


def _is_there(path: Path, size: int | None) -> bool:
    """Return whether there is a file of this size, and no link."""
    with suppress(OSError):
        file_stat = path.lstat()
        return stat.S_ISREG(file_stat.st_mode) and file_stat.st_size == size
    return False


class Download:
    """A file that is being written, and that gets its name only once it is complete.

    Args:
        root: The workspace's folder.
        folder: The folder of the file, in it.
        name: The file's name.

    Raises:
        FileFailed: The folder cannot be made, or a link or a hidden folder is on the way to it.
    """

    def __init__(self, root: Path, folder: Path, name: str) -> None:
        self._target = folder / name
        self._temporary = f"{TEMPORARY}{os.getpid()}-{id(self)}"
        with ExitStack() as stack:
            place = self._target.relative_to(root).as_posix()
            self._folder, self._name = stack.enter_context(open_to_write(root, place))
            self._file = stack.enter_context(
                os.fdopen(open_new(self._folder, self._temporary), "wb")
            )
            self._open = stack.pop_all()

    def write(self, portion: bytes) -> None:
        """Write the next portion."""
        with file_errors(self._target, "write"):
            self._file.write(portion)

    def finish(self) -> None:
        """Give the file its name.

        Raises:
            FileFailed: There is a file of that name now; it stays as it is.
        """
        here = self._folder
        with file_errors(self._target, "write"):
            self._file.close()
            # Unlike a rename, this never replaces a file.
            os.link(
                self._temporary, self._name, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False
            )

    def close(self) -> None:
        """Remove the rest of a file that is not finished."""
        with suppress(OSError, FileFailed), self._open:
            os.unlink(self._temporary, dir_fd=self._folder)
