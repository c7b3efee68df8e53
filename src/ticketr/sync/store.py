"""The workspace's folder: its lock, and finding the tickets in it.

Synchronous, for a worker thread.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from ticketr.config import LOCK_FILE, OwnFolder
from ticketr.sync.errors import WorkspaceBusy
from ticketr.sync.files import TEMPORARY, comparable, file_errors
from ticketr.sync.threads import CHUNK, chunks
from ticketr.tickets import parse

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

    from ticketr.tickets import Ticket, TicketFile

# What parse takes for a ticket's heading, or refuses as nearly one; NUL is a sign of UTF-16.
_TICKETISH = re.compile(rb"#[ \t]*(?:TICKET|STORY)|\0")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ticket stands.

    Attributes:
        path: its file, relative to the workspace, with ``/``.
        head: the key of the top-level ticket it stands in; its own, or its parent's.
    """

    path: str
    head: str


@dataclass(frozen=True, slots=True)
class LocalTicket:
    """A ticket as it stands in a file.

    Attributes:
        path: the file, relative to the workspace.
        ticket: the ticket.
        text: its text, comparable with a base.
    """

    path: str
    ticket: Ticket
    text: str


class Store:
    """The ticket files of one workspace.

    Args:
        root: the workspace's folder; it is made where it does not exist.
        own: ticketr's own folder in it, left out of every search.
        mark: what its state file bears if this user made it; None to take any.
    """

    def __init__(self, root: Path, own: str, mark: str | None = None) -> None:
        self.root = root
        self.mark = mark
        self.folder = OwnFolder(root / own)
        self._folders: dict[str, str] = {}  # where each folder really is
        self._is_locked = False

    @property
    def own(self) -> Path:
        """The folder with the state and all else of ticketr's own."""
        return self.folder.path

    @property
    def state_path(self) -> Path:
        """The file with the last sync; it is there once something has opened it to write."""
        return self.own / "state.db"

    def prepare(self) -> None:
        """Make the folders, and see that git ignores ticketr's own.

        Raises:
            UnsafePath: a link or the like has a name of ticketr's own.
            FileFailed: the folder cannot be made or written.
        """
        with file_errors(self.root, "write into"):
            self.folder.make()

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the workspace for one job; the system frees it however the process ends.

        Raises:
            WorkspaceBusy: another process holds it.
            UnsafePath: a link or the like has its name.
            FileFailed: the lock file cannot be opened.
        """
        with file_errors(self.own / LOCK_FILE, "lock"):
            descriptor = self.folder.open_file(LOCK_FILE, os.O_RDWR | os.O_CREAT)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                pid = os.read(descriptor, 32).decode(errors="replace").strip()
                raise WorkspaceBusy(self.root, pid) from error
            # For the message of the next one only; the lock itself is the kernel's.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            self._is_locked = True
            yield
        finally:
            self._is_locked = False
            os.close(descriptor)

    def walk(self) -> Iterator[list[Path]]:
        """Go through the workspace folder by folder, in a fixed order.

        While the workspace is locked, what a killed process left of a half-written file goes; its
        file is whole without it. At other times it may be what another process writes just now.

        Yields:
            A few of those files of one folder that may hold tickets; none where it has none.
        """
        for folder, folders, names in os.walk(self.root):
            # Hidden folders (.git, .ticketr, an editor's) hold nobody's tickets.
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for name in names:
                if self._is_locked and name.startswith(TEMPORARY):
                    with suppress(OSError):
                        (self.root / folder / name).unlink()
            named = [
                self.root / folder / name
                for name in sorted(names)
                if name.endswith(".md") and not name.startswith(".")
            ]
            # A folder may hold thousands, or none, and whoever walks must be able to stop.
            for paths in chunks(named, CHUNK) if named else [[]]:
                # Reading a named pipe would wait for ever, in a thread that nobody can cancel.
                yield [path for path in paths if path.is_file() and self.target(self.name_of(path))]

    def name_of(self, path: Path) -> str:
        """Give a file's path relative to the workspace, with ``/``."""
        return path.relative_to(self.root).as_posix()

    def read(self, name: str, *, known: TicketFile | None = None) -> TicketFile:
        """Read a file.

        Args:
            name: its path, relative to the workspace.
            known: what it held before; given back where it still does.

        Raises:
            TicketSyntaxError: it cannot be read as tickets.
            FileFailed: it cannot be read.
        """
        data = self._bytes(name)
        if known is not None and data == known.text.encode():
            return known
        return self._parse(name, data)

    def tickets(self, name: str) -> tuple[Ticket, ...]:
        """Read a file's tickets; a file without a heading that looks like one may hold anything.

        Args:
            name: its path, relative to the workspace.

        Raises:
            TicketSyntaxError: it cannot be read as tickets.
            FileFailed: it cannot be read.
        """
        data = self._bytes(name)
        return self._parse(name, data).tickets if _TICKETISH.search(data) else ()

    def holds(self, name: str, key: str) -> bool:
        """Tell whether a key stands in a file; False where there is no such file.

        Args:
            name: its path, relative to the workspace.
            key: the key, of a ticket or of a sub-task.

        Raises:
            TicketSyntaxError: it cannot be read as tickets.
            FileFailed: it cannot be read.
        """
        if not (self.root / name).is_file():
            return False
        return key in chain.from_iterable(each.keys() for each in self.tickets(name))

    def places(self, paths: Iterable[Path]) -> list[tuple[str, Place]]:
        """Find every ticket with a key in some files, wherever people put it.

        Args:
            paths: files that ``walk`` gave. Those without anything that looks like a ticket's
                heading may hold whatever they like.

        Returns:
            Each key with its place, in reading order.

        Raises:
            TicketSyntaxError: a file cannot be read as tickets.
            FileFailed: a file cannot be read.
        """
        return [
            (each.key, Place(name, ticket.key or ""))
            for path in paths
            for name in [self.name_of(path)]
            for ticket in self.tickets(name)
            for each in (ticket, *ticket.tasks)
            if each.key is not None
        ]

    def local(self, name: str) -> list[LocalTicket]:
        """Read a file's tickets with their texts; a file that holds none gives none.

        Args:
            name: its path, relative to the workspace.

        Raises:
            TicketSyntaxError: it cannot be read as tickets.
            FileFailed: it cannot be read.
        """
        data = self._bytes(name)
        if not _TICKETISH.search(data):
            return []
        file = self._parse(name, data)
        return [
            LocalTicket(name, ticket, comparable(file.text[span.start : span.end]))
            for ticket, span in zip(file.tickets, file.spans, strict=True)
        ]

    def _bytes(self, name: str) -> bytes:
        path = self.root / name
        with file_errors(path, "read"):
            return path.read_bytes()

    def _parse(self, name: str, data: bytes) -> TicketFile:
        with file_errors(self.root / name, "read"):
            text = data.decode("utf-8")
        return parse(text, source=name)

    def target(self, name: str) -> str | None:
        """Give the file behind a name, links followed; None if it lies outside the workspace."""
        folder, _, base = name.rpartition("/")
        for each in ("", folder):
            if each not in self._folders:
                self._folders[each] = os.path.realpath(self.root / each)
        target = f"{self._folders[folder]}/{base}"
        if os.path.islink(target):  # noqa: PTH114 - thousands of files: no Path for each
            target = os.path.realpath(target)
        return target if target.startswith(f"{self._folders['']}/") else None
