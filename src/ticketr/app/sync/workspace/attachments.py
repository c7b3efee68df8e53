"""Files on disk that are attachments: those that texts show, and those that a pull downloads.

Only a picture inside the workspace is read: a path may come from a stranger's clone, and must not
send another file of this computer to Jira. Synchronous, for a worker thread.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from ticketr.app.config import NEW_FILE_FLAGS
from ticketr.app.jira import Attachment
from ticketr.app.sync.compare.attachments import possible_names
from ticketr.app.sync.compare.grafting import PictureToAttach
from ticketr.app.sync.errors import FileFailed
from ticketr.app.sync.workspace.files import TEMPORARY_PREFIX, make_file_folder, wrap_errors

#: The endings of files that are attached.
ATTACHABLE_ENDINGS = frozenset(
    "avif bmp gif heic ico jpeg jpg mov mp4 png svg tif tiff webm webp".split()  # noqa: SIM905
)
_CHUNK_BYTES = 1024 * 1024
#: The end of each message on the file of a picture that is not attached.
_PICTURE_NOT_ATTACHED_ENDING = ", so it is not attached, and leads nowhere in Jira"
#: Why such a file is not attached.
_NOT_BESIDE_TICKET_REASON = "is not a file beside the file of the ticket"
_OUTSIDE_REASON = "leads out of the workspace, or to something hidden"
_NOT_PICTURE_ENDING_REASON = "is not a picture by its ending, such as .png, .jpg or .svg"
_NOT_PLAIN_FILE_REASON = "is not a plain file"
_EMPTY_REASON = "is an empty file"


class _UnusablePicture(Exception):
    """Raised when a path leads to nothing that may be attached; the message says why."""


def check_pictures(
    root: Path, ticket_file: str, addresses: Iterable[str]
) -> dict[str, PictureToAttach]:
    """Return what is known of the files that a description shows, by their addresses.

    Args:
        root: The workspace's folder.
        ticket_file: The file of the ticket, relative to that.
        addresses: The addresses of the pictures, relative to the file of the ticket.
    """
    return {
        address: _check_picture(root, ticket_file, address, f"ticketr-upload-{number}")
        for number, address in enumerate(addresses)
    }


def _check_picture(root: Path, ticket_file: str, address: str, mark: str) -> PictureToAttach:
    problem = _NOT_BESIDE_TICKET_REASON
    before = f"{Path(ticket_file).parent.as_posix()}/"
    # Another program writes a blank as %20, and a name may have a real percent sign.
    for path in dict.fromkeys((address, unquote(address))):
        try:
            name, size = _usable_picture(root, path if path.startswith("/") else f"{before}{path}")
        except _UnusablePicture as error:
            problem = str(error)
        else:
            return PictureToAttach(name, size, fake_media_id=mark)
    return PictureToAttach(address, problem=problem + _PICTURE_NOT_ATTACHED_ENDING)


def _usable_picture(root: Path, path: str) -> tuple[str, int]:
    """Return the place in the workspace and the size of a picture."""
    if "\0" in path:
        raise _UnusablePicture(_NOT_BESIDE_TICKET_REASON)
    real = os.path.realpath(root / path)
    if path.startswith("/") or not Path(real).is_relative_to(os.path.realpath(root)):
        raise _UnusablePicture(_OUTSIDE_REASON)
    name = Path(real).relative_to(os.path.realpath(root))
    try:
        file_stat = os.stat(real)  # noqa: PTH116
    except OSError:
        raise _UnusablePicture(_NOT_BESIDE_TICKET_REASON) from None
    if any(part.startswith(".") for part in name.parts):
        raise _UnusablePicture(_OUTSIDE_REASON)
    if not stat.S_ISREG(file_stat.st_mode):
        raise _UnusablePicture(_NOT_PLAIN_FILE_REASON)
    if name.suffix[1:].casefold() not in ATTACHABLE_ENDINGS:
        raise _UnusablePicture(_NOT_PICTURE_ENDING_REASON)
    if not file_stat.st_size:
        raise _UnusablePicture(_EMPTY_REASON)
    return name.as_posix(), file_stat.st_size


@dataclass(frozen=True, slots=True)
class OpenPicture:
    """A picture that is about to be attached.

    Attributes:
        file: The open file.
        name: Its name.
        size: How many bytes it has.
        digest: The SHA-256 of its content.
    """

    file: IO[bytes]
    name: str
    size: int
    digest: str


def open_picture(root: Path, path: str, max_bytes: int | None) -> OpenPicture:
    """Open a picture and read it once.

    Args:
        root: The workspace's folder.
        path: The picture, relative to that.
        max_bytes: The most bytes that it may have; None for any number.

    Raises:
        FileFailed: It cannot be read, has too many bytes, or is no longer what was looked at.
    """
    target = Path(os.path.realpath(root)) / path
    try:
        _, size = _usable_picture(root, path)
    except _UnusablePicture as error:
        reason = f"it {error}{_PICTURE_NOT_ATTACHED_ENDING}"
        raise FileFailed(target, "read", reason, concerns_one_file=True) from None
    if max_bytes is not None and size > max_bytes:
        raise FileFailed(
            target,
            "read",
            f"it has {size:,} bytes; the site takes {max_bytes:,}",
            concerns_one_file=True,
        )
    with wrap_errors(target, "read"):
        descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        file = os.fdopen(descriptor, "rb")
        try:
            return OpenPicture(file, target.name, size, _digest_checking_size(file, target, size))
        except BaseException:
            file.close()
            raise


def _digest_checking_size(file: IO[bytes], target: Path, size: int) -> str:
    """Return the digest of a file; raise `FileFailed` if it has not exactly this size."""
    digest = hashlib.sha256()
    left = size
    while portion := file.read(min(_CHUNK_BYTES, left)):
        digest.update(portion)
        left -= len(portion)
    if left or file.read(1):
        raise FileFailed(target, "read", "something writes to it right now", concerns_one_file=True)
    file.seek(0)
    return digest.hexdigest()


def find_missing_and_blocked(
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
        there = next((name for name in names if _has_size(folder / name, attachment.size)), None)
        free = next((name for name in names if not os.path.lexists(folder / name)), None)
        if there is not None:
            taken.add(there)
        elif free is not None:
            taken.add(free)
            missing.append((attachment, free))
        else:
            blocked.append(attachment)
    return missing, blocked


def _has_size(path: Path, size: int | None) -> bool:
    """Return whether there is a file of this size, and no link."""
    with suppress(OSError):
        file_stat = path.lstat()
        return stat.S_ISREG(file_stat.st_mode) and file_stat.st_size == size
    return False


class DownloadBeingWritten:
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
        self._temporary = f"{TEMPORARY_PREFIX}{os.getpid()}-{id(self)}"
        with ExitStack() as stack:
            place = self._target.relative_to(root).as_posix()
            self._folder, self._name = stack.enter_context(make_file_folder(root, place))
            descriptor = os.open(self._temporary, NEW_FILE_FLAGS, 0o666, dir_fd=self._folder)
            self._file = stack.enter_context(os.fdopen(descriptor, "wb"))
            self._open = stack.pop_all()

    def write(self, portion: bytes) -> None:
        """Write the next portion."""
        with wrap_errors(self._target, "write"):
            self._file.write(portion)

    def link_to_target(self) -> None:
        """Give the file its name by a hard link, which never replaces a file.

        Raises:
            FileFailed: There is a file of that name now; it stays as it is.
        """
        here = self._folder
        with wrap_errors(self._target, "write"):
            self._file.close()
            os.link(
                self._temporary, self._name, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False
            )

    def close(self) -> None:
        """Remove the rest of a file that is not finished."""
        with suppress(OSError, FileFailed), self._open:
            os.unlink(self._temporary, dir_fd=self._folder)
