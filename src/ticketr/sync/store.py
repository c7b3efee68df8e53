"""The workspace's folder: finding tickets in it and writing them without ever losing any.

Synchronous, for a worker thread. A file is replaced in one step (a temporary file beside it, then
a rename), and it is read again just before, so that what an editor saved a moment ago is seen.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.sync.errors import FileFailed, WorkspaceBusy
from ticketr.tickets import append, parse, replace, safe_file_name

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Iterator

    from ticketr.tickets import Ticket, TicketFile

_TEMPORARY = ".ticketr-tmp-"
# What parse takes for a ticket's heading, or refuses as nearly one; NUL is a sign of UTF-16.
_TICKETISH = re.compile(rb"#[ \t]*(?:TICKET|STORY)|\0")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ticket stands.

    Attributes:
        path: its file, relative to the workspace, with ``/``.
        head: the key of the top-level ticket it stands in; its own, or its parent's.
    """

    path: str
    head: str


class Written(Enum):
    """What became of a ticket that was to be written."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one ticket.

    Attributes:
        outcome: what was done.
        path: the file it stands in.
        reason: why it was kept; empty otherwise.
    """

    outcome: Written
    path: str
    reason: str = ""


class Store:
    """The ticket files of one workspace.

    Args:
        root: the workspace's folder; it is made where it does not exist.
        own: ticketr's own folder in it, left out of every search.
    """

    def __init__(self, root: Path, own: str) -> None:
        self.root = root
        self.own = root / own
        self._folders: dict[str, str] = {}  # where each folder really is

    def prepare(self) -> None:
        """Make the folders, and see that git ignores ticketr's own.

        Raises:
            FileFailed: the folder cannot be made or written.
        """
        with _file_errors(self.root, "write into"):
            self.own.mkdir(parents=True, exist_ok=True)
            ignore = self.own / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the workspace for one job; the system frees it however the process ends.

        Raises:
            WorkspaceBusy: another process holds it.
            FileFailed: the lock file cannot be opened.
        """
        path = self.own / "lock"
        with _file_errors(path, "lock"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                pid = os.read(descriptor, 32).decode(errors="replace").strip()
                raise WorkspaceBusy(self.root, pid) from error
            # For the message of the next one only; the lock itself is the kernel's.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def walk(self) -> Iterator[list[Path]]:
        """Go through the workspace folder by folder, in a fixed order.

        What a killed process left of a half-written file goes; its file is whole without it.

        Yields:
            Those files of one folder that may hold tickets; often none.
        """
        for folder, folders, names in os.walk(self.root):
            # Hidden folders (.git, .ticketr, an editor's) hold nobody's tickets.
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for name in names:
                if name.startswith(_TEMPORARY):
                    with suppress(OSError):
                        (self.root / folder / name).unlink()
            paths = (
                self.root / folder / name
                for name in sorted(names)
                if name.endswith(".md") and not name.startswith(".")
            )
            # Reading a named pipe would wait for ever, in a thread that nobody can cancel.
            yield [path for path in paths if path.is_file() and self._target(self.name_of(path))]

    def name_of(self, path: Path) -> str:
        """Give a file's path relative to the workspace, with ``/``."""
        return path.relative_to(self.root).as_posix()

    def read(self, name: str) -> TicketFile:
        """Read a file.

        Args:
            name: its path, relative to the workspace.

        Raises:
            TicketSyntaxError: it cannot be read as tickets.
            FileFailed: it cannot be read.
        """
        return self._parse(name, self._bytes(name))

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

    def write(
        self, ticket: Ticket, text: str, *, path: str | None, bases: Collection[str]
    ) -> WriteResult:
        """Write one ticket, unless that would lose something.

        Args:
            ticket: the ticket, with a key.
            text: the ticket as text, LF line ends.
            path: the file it was last found in, relative to the workspace; None for a new one.
            bases: texts that were written, or were about to be when a pull was killed; empty for
                a ticket that never was.

        Returns:
            What was done. A ticket that was edited since, or whose new file would replace
            something else, is kept as it is.

        Raises:
            FileFailed: the file cannot be read or written.
            InvalidKey: the key cannot be a file's name.
            TicketSyntaxError: the file was changed and cannot be read as tickets.
        """
        name = path or safe_file_name(ticket.key or "")
        target = self._target(name)
        if target is None:
            return WriteResult(Written.KEPT, name, "the file is a link out of the workspace")
        mode = _mode_of(target)
        if mode is None:
            _replace(target, text, mode)
            return WriteResult(Written.NEW, name)
        file = self.read(name)
        index = next((i for i, each in enumerate(file.tickets) if each.key == ticket.key), None)
        if index is None:
            if file.tickets or file.text.strip():
                return WriteResult(Written.KEPT, name, "the file holds something else")
            _replace(target, append(file, ticket), mode)
            return WriteResult(Written.NEW, name)
        span = file.spans[index]
        here = _comparable(file.text[span.start : span.end])
        if here == _comparable(text) or (not bases and file.tickets[index] == ticket):
            return WriteResult(Written.UNCHANGED, name)
        if not bases:
            reason = "it differs from Jira's and was never pulled into this folder"
            return WriteResult(Written.KEPT, name, reason)
        if here not in map(_comparable, bases):
            return WriteResult(Written.KEPT, name, "it was edited here")
        _replace(target, replace(file, index, ticket), mode)
        return WriteResult(Written.UPDATED, name)

    def _bytes(self, name: str) -> bytes:
        path = self.root / name
        with _file_errors(path, "read"):
            return path.read_bytes()

    def _parse(self, name: str, data: bytes) -> TicketFile:
        with _file_errors(self.root / name, "read"):
            text = data.decode("utf-8")
        return parse(text, source=name)

    def _target(self, name: str) -> str | None:
        """Give the file behind a name, links followed; None if it lies outside the workspace."""
        folder, _, base = name.rpartition("/")
        for each in ("", folder):
            if each not in self._folders:
                self._folders[each] = os.path.realpath(self.root / each)
        target = f"{self._folders[folder]}/{base}"
        if os.path.islink(target):  # noqa: PTH114  (thousands of files: no Path for each)
            target = os.path.realpath(target)
        return target if target.startswith(f"{self._folders['']}/") else None


def _mode_of(target: str) -> int | None:
    """Give a file's permissions; None if there is no file."""
    with _file_errors(target, "read"):
        try:
            mode = os.stat(target).st_mode  # noqa: PTH116
        except FileNotFoundError:
            return None
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a folder's error has words already
        raise FileFailed(Path(target), "write", "something that is no file has this name")
    return stat.S_IMODE(mode)


def _replace(target: str, text: str, mode: int | None) -> None:
    """Put a whole file in place; not synced to disk, since Jira can give it again.

    Few system calls, since each lets another thread take over: a pull makes thousands of files.
    """
    folder = target.rpartition("/")[0]
    # Not made of the file's own name, which may be as long as a name can be.
    temporary = f"{folder}/{_TEMPORARY}{os.getpid()}-{threading.get_ident()}"
    with _file_errors(target, "write"):
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
            os.replace(temporary, target)  # noqa: PTH105
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
            raise


def _comparable(text: str) -> str:
    """Text without what a checkout may change by itself: line ends and the blank lines after."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


@contextmanager
def _file_errors(path: Path | str, action: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise FileFailed(Path(path), action, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise FileFailed(Path(path), action, f"line {line} is not UTF-8") from error
