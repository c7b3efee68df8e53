"""The workspace's folder: its lock, finding the tickets in it, and those in files that cannot be read.

The text of a broken file shows which keys it holds, or would hold once it is repaired. Until then these
tickets must not be written anywhere else, pushed, or taken for missing.

Go's Ticketr kept a hash of each ticket in ``.ticketr.state``. A ticket that still has this hash was
not edited, so Jira's version may replace it without a conflict. The hash is SHA-256 over the texts
of the ticket, joined without a separator, as the program's source and its files show.

Synchronous, for a worker thread.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import stat
from collections.abc import Container, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from ticketr._errors import TicketrError
from ticketr._lazy import compile_on_use
from ticketr.app.config import LOCK_FILE, STATE_FILE, StateFolder, open_write_folder, read_text
from ticketr.app.sync.concurrency import FILES_PER_THREAD_VISIT
from ticketr.app.sync.errors import DuplicateKey, FileFailed, WorkspaceBusy
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.workspace.files import (
    NOT_A_FILE_REASON,
    TEMPORARY_PREFIX,
    lf_and_chomp,
    wrap_errors,
)
from ticketr.app.tickets import Ticket, TicketFile, is_key, parse

# A key, and what people write instead of one: in lower case, with another dash, with zeros.
_POSSIBLE_KEY = compile_on_use(
    r"(?<![A-Za-z0-9_])_*(?P<word>[A-Za-z][A-Za-z0-9_]*)"
    "[-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"
    r"0*(?P<number>[1-9][0-9]*)(?![A-Za-z0-9_])"
)


def find_possible_keys(name: str, data: bytes) -> frozenset[str]:
    """Find the keys that a file may hold which cannot be parsed: those in its text and its name.

    Args:
        name: The file, relative to the workspace.
        data: Its bytes; empty if they cannot be read.
    """
    # Without NUL, UTF-16 is ASCII.
    text = data.replace(b"\0", b"").decode("utf-8", errors="replace")
    keys = (f"{match['word'].upper()}-{match['number']}" for match in _POSSIBLE_KEY.finditer(text))
    stem = name.rpartition("/")[2].removesuffix(".md")
    return frozenset(filter(is_key, (*keys, stem)))


def broken_file_or_folder_of(path: str, broken: Container[str]) -> str | None:
    """Return the broken file that a path names, or the unreadable folder around it.

    Args:
        path: A path relative to the workspace.
        broken: The files and folders that cannot be read.
    """
    places = (path, *(parent.as_posix() for parent in PurePosixPath(path).parents))
    return next((place for place in places if place in broken), None)


#: The folder for attachments, beside the file of the ticket; each ticket has its own in it.
ATTACHMENT_FOLDER = "attachments"
#: The folder of templates of drafts, in the workspace's own folder.
TEMPLATE_FOLDER = "templates"
_SYMLINK_NOT_WRITTEN_REASON = (
    "the file, or a folder on the way to it, is a link; nothing is written through a link"
)
_SKIPPED_FOLDER_REASON = "no tickets are kept in a hidden folder, templates/ or below attachments/"
# What parse takes for a ticket's heading, or refuses as nearly one; NUL is a sign of UTF-16.
_TICKET_LIKE_PATTERN = re.compile(rb"#[ \t]*(?:TICKET|STORY|T[A-Z]{4,6}[ \t]*:)|\0")


@dataclass(frozen=True, slots=True)
class TicketLocation:
    """The place of a ticket in a file.

    Attributes:
        path: Its file, relative to the workspace, with ``/``.
        top_level_key: The key of its top-level ticket: its own, or its parent's. It may be
            empty where the file cannot be read.
        change_refusal: Why the ticket must not be changed; empty if it may.
    """

    path: str
    top_level_key: str
    change_refusal: str = ""


@dataclass(frozen=True, slots=True)
class LocalTicket:
    """A ticket in a file, with its text.

    Attributes:
        path: The file, relative to the workspace.
        ticket: The ticket.
        comparable_text: Its text, comparable with a base.
    """

    path: str
    ticket: Ticket
    comparable_text: str


class Store:
    """The ticket files of one workspace, named by their paths relative to it.

    Methods that read a file raise `FileFailed` if it cannot be read, and `TicketSyntaxError` if it
    cannot be parsed.

    Args:
        root: The workspace's folder; `make_state_folder` creates it if it does not exist.
        own: The name of ticketr's own folder in it, which `walk` skips.
        mark: The user's mark, which its state file must have; None to accept any file.

    Attributes:
        own: The folder with the state and all else of ticketr's own.
        state_path: The state file, which the first writer creates.
    """

    def __init__(self, root: Path, own: str, mark: str | None = None) -> None:
        self.root = root
        self._prefix = f"{root}/"  # thousands of files: no Path for each
        self.mark = mark
        self.folder = StateFolder(root / own)
        self.own = self.folder.path
        self.state_path = self.own / STATE_FILE
        self._writable: set[str] = set()  # folders that are reached by no link
        self._lock: int | None = None  # the descriptor of the lock file, while it is held

    def make_state_folder(self) -> None:
        """Make ticketr's own folder with those above it, and see that git ignores it.

        Raises:
            WrongFileKind: A link or the like has a name of ticketr's own.
            FileFailed: The folder cannot be made or written.
        """
        with wrap_errors(self.root, "write into"):
            self.folder.make()

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the workspace for one job; the system frees it however the process ends.

        Raises:
            WorkspaceBusy: Another process holds it.
            WrongFileKind: A link or the like has its name.
            FileFailed: The lock file cannot be opened.
        """
        with wrap_errors(self.own / LOCK_FILE, "lock"):
            descriptor = self.folder.open_file(LOCK_FILE, os.O_RDWR | os.O_CREAT)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                pid = os.read(descriptor, 32).decode(errors="replace").strip()
                who = f"process {pid}" if pid else "another process"
                advice = "wait until it has ended and try again"
                raise WorkspaceBusy(f"{self.root} is being changed by {who}; {advice}") from error
            # For the message of the next one only; the lock itself is the kernel's.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            self._lock = descriptor
            yield
        finally:
            self._lock = None
            os.close(descriptor)

    def require_unmoved(self) -> None:
        """Check that a locked workspace is still where it was.

        If its folder was renamed or replaced, files would go to another place than the state, and
        another process could hold the lock there.

        Raises:
            FileFailed: It is not.
        """
        if self._lock is None:
            return
        held = os.fstat(self._lock)
        with suppress(OSError):
            file_stat = os.lstat(self.own / LOCK_FILE)
            if (file_stat.st_dev, file_stat.st_ino) == (held.st_dev, held.st_ino):
                return
        reason = (
            f"it, or {self.own.name} in it, was moved, removed or replaced meanwhile; "
            "put it back, or go on in the new place"
        )
        raise FileFailed(self.root, "write into", reason)

    def walk(self) -> Iterator[list[str]]:
        """Go through the workspace folder by folder, in a fixed order.

        While the workspace is locked, temporary files of killed processes are removed. Without the
        lock, another process may be writing them; this process's own may be in use by a thread.

        Yields:
            Some files of one folder that may hold tickets, or an empty list. Anything with the name
            of a ticket's file is included, even if it is not a file. A folder that cannot be listed
            is left out; see `find_why_walk_misses`. Files below ``attachments`` are left out, since
            strangers name and write them, and so are templates.
        """
        own = f"{TEMPORARY_PREFIX}{os.getpid()}-"
        for folder, folders, names in os.walk(self.root):
            relative = folder.removeprefix(str(self.root)).lstrip("/")
            # Hidden folders (.git, .ticketr, an editor's) hold no tickets.
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            for name in names:
                is_left = name.startswith(TEMPORARY_PREFIX) and not name.startswith(own)
                if is_left and self._lock is not None:
                    with suppress(OSError):
                        Path(folder, name).unlink()
            if not is_outside_skipped_folders(relative):
                yield []
                continue
            prefix = f"{relative}/" if relative else ""
            named = [
                f"{prefix}{name}"
                for name in sorted([*names, *filter(_is_key_and_md, folders)])
                if name.endswith(".md") and not name.startswith(".")
            ]
            # A folder may hold thousands of files, or none; the caller must be able to stop.
            for start in range(0, max(1, len(named)), FILES_PER_THREAD_VISIT):
                yield list(
                    filter(self._exists_or_is_key_md, named[start : start + FILES_PER_THREAD_VISIT])
                )

    def _exists_or_is_key_md(self, name: str) -> bool:
        """Return whether a name is a file of the workspace, or could be the file of a ticket."""
        path = self.root / name
        try:
            if path.is_file():  # if a link's target is in the workspace, that is found itself
                return not path.is_symlink()
        except OSError:  # reading the file will give the error
            return True
        return _is_key_and_md(path.name)

    def relative_path(self, path: Path) -> str:
        """Return a file's path relative to the workspace, with ``/``."""
        text = str(path)
        if text.startswith(self._prefix):  # pathlib takes ten times as long
            return text[len(self._prefix) :]
        return path.relative_to(self.root).as_posix()

    def size_of(self, name: str) -> int:
        """Return the size of a file in bytes; 0 if it cannot be found out."""
        try:
            return os.stat(f"{self.root}/{name}").st_size  # noqa: PTH116 - thousands of files: no Path for each
        except OSError:  # reading the file reports it
            return 0

    def read_file(self, name: str, *, known: TicketFile | None = None) -> TicketFile:
        """Read a file."""
        with self._convert_read_errors(name):
            text = self.read_bytes(name).decode("utf-8")
        return known if known is not None and text == known.text else parse(text, source=name)

    def read_tickets(self, name: str) -> tuple[Ticket, ...]:
        """Read a file's tickets; a file without a heading that looks like one may hold anything."""
        return tuple(local.ticket for local in self.read_local_tickets(name))

    def holds_key(self, name: str, key: str) -> bool:
        """Return whether a file holds a key; False if the file does not exist."""
        if not (self.root / name).is_file():
            return False
        return key in chain.from_iterable(ticket.keys() for ticket in self.read_tickets(name))

    def read_local_tickets(self, name: str) -> list[LocalTicket]:
        """Read a file's tickets with their texts; a file that holds none gives none."""
        with self._convert_read_errors(name):
            data = self.read_bytes(name)
            if not _TICKET_LIKE_PATTERN.search(data):
                return []
            text = data.decode("utf-8")
        file = parse(text, source=name)
        return [
            LocalTicket(name, ticket, lf_and_chomp(file.text[span]))
            for ticket, span in zip(file.tickets, file.text_slices, strict=True)
        ]

    def possible_keys(self, name: str) -> frozenset[str]:
        """Find the keys that a file may hold which cannot be read as tickets."""
        data = b""
        with suppress(OSError, FileFailed):
            data = self.read_bytes(name)
        return find_possible_keys(name, data)

    def find_why_walk_misses(self, name: str) -> FileFailed | None:
        """Return why `walk` does not find a file: a folder that cannot be listed, or no file there.

        Returns:
            The error of that folder or file; None if there is nothing of that name.
        """
        path = self.root / name
        try:
            for folder in reversed(path.parents):
                if not folder.is_relative_to(self.root) or not folder.is_dir():
                    continue
                with wrap_errors(folder, "read"):
                    if not os.access(folder, os.R_OK | os.X_OK):
                        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            with wrap_errors(path, "read"):
                if path.exists() and not path.is_file():
                    return FileFailed(path, "read", NOT_A_FILE_REASON, concerns_one_file=True)
        except FileFailed as error:
            return error
        return None

    @contextmanager
    def _convert_read_errors(self, name: str) -> Generator[None]:
        """Convert the errors of reading a file to `FileFailed`, which says why."""
        try:
            name.encode()
        except UnicodeEncodeError:
            reason = "its name is not UTF-8; rename it"
            raise FileFailed(self.root / name, "read", reason, concerns_one_file=True) from None
        with wrap_errors(f"{self.root}/{name}", "read"):
            try:
                yield
            except FileNotFoundError:
                self._refuse_dangling_link(self.root / name, "read")  # which says more
                raise

    def read_bytes(self, name: str) -> bytes:
        """Read what a regular file holds: a named pipe would wait for ever, a device never end.

        Raises:
            FileFailed: Something that is not a file has the name.
            OSError: It cannot be read.
        """
        descriptor = os.open(f"{self.root}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            file_stat = os.fstat(descriptor)
            if not stat.S_ISREG(file_stat.st_mode):
                raise FileFailed(
                    self.root / name, "read", NOT_A_FILE_REASON, concerns_one_file=True
                )
            data = os.read(descriptor, file_stat.st_size + 1)
            # Nearly always: one call of the system instead of five.
            if len(data) == file_stat.st_size:
                return data
            with open(descriptor, "rb", buffering=0, closefd=False) as file:
                return data + file.readall()
        finally:
            os.close(descriptor)

    def write_refusal(self, name: str) -> str:
        """Return why a file is not to be written; empty if it may be.

        This is for plans and errors. Each write checks for itself, see `open_write_folder`.

        Raises:
            FileFailed: The name, or a folder on the way, is a link that leads nowhere.
        """
        if not is_outside_skipped_folders(name):
            return _SKIPPED_FOLDER_REASON
        folder = name.rpartition("/")[0]
        path = f"{self.root}/{name}"
        if os.path.islink(path):  # noqa: PTH114 - thousands of files: no Path for each
            self._refuse_dangling_link(Path(path))
            return _SYMLINK_NOT_WRITTEN_REASON
        if folder not in self._writable:
            try:
                with open_write_folder(self.root, folder):
                    pass
            except OSError as error:  # the write gives any other error, and makes a missing folder
                self._refuse_dangling_link(self.root / folder)
                if error.errno == errno.ELOOP:
                    return _SYMLINK_NOT_WRITTEN_REASON
            self._writable.add(folder)
        return ""

    def _refuse_dangling_link(self, path: Path, action: str = "write") -> None:
        """Refuse to use a link to what is not there: it may be meant for another place."""
        for ancestor in (path, *path.parents):
            if os.path.exists(ancestor):  # noqa: PTH110 - which a loop of links does not either
                return
            if os.path.islink(ancestor):  # noqa: PTH114
                reason = "it is a link that leads nowhere; remove it"
                raise FileFailed(ancestor, action, reason, concerns_one_file=True)


def is_outside_skipped_folders(path: str) -> bool:
    """Return whether a file, or a folder with its files, may hold tickets.

    Args:
        path: The file or folder, relative to the workspace.
    """
    names = path.split("/") if path != "." else [""]
    if names[0].casefold() == TEMPLATE_FOLDER:
        return False
    return not any(name.startswith(".") or name.casefold() == ATTACHMENT_FOLDER for name in names)


def _is_key_and_md(name: str) -> bool:
    """Return whether a name is that of a ticket's own file."""
    return name.endswith(".md") and is_key(name.removesuffix(".md"))


GO_STATE_FILE = ".ticketr.state"
#: The largest file to read, in bytes; that program writes about 200 for each ticket.
MAX_GO_STATE_BYTES = 8 * 1024 * 1024


def go_hash(ticket: Ticket) -> str:
    """Return the hash that the Go program would store for a ticket.

    Returns:
        64 hexadecimal digits.
    """
    return hashlib.sha256("".join(_hashed_texts(ticket)).encode()).hexdigest()


def _hashed_texts(ticket: Ticket) -> Iterator[str]:
    yield ticket.title
    yield ticket.description
    yield from ticket.acceptance_criteria
    for name in sorted(ticket.fields):
        yield name
        yield ticket.fields[name]
    for task in ticket.tasks:
        yield from _hashed_texts(task)


def read_go_hashes(root: Path) -> dict[str, str]:
    """Read the hashes that the Go program stored in a folder.

    Returns:
        The hash of each ticket at that program's last sync, by key; empty if the file does not
        exist or cannot be read.
    """
    try:
        state = json.loads(read_text(root / GO_STATE_FILE, max_bytes=MAX_GO_STATE_BYTES) or "{}")
    except (TicketrError, ValueError, RecursionError):
        return {}
    if not isinstance(state, dict):
        return {}
    hashes = (
        (key, entry.get("local_hash")) for key, entry in state.items() if isinstance(entry, dict)
    )
    return {key: text_hash for key, text_hash in hashes if isinstance(text_hash, str)}


def broken_among(
    paths: Iterable[str], broken: Mapping[str, TicketrError]
) -> dict[str, TicketrError]:
    """Return the errors that concern some files, such as a key that is in one of them and in another.

    Args:
        paths: The files, relative to the workspace.
        broken: The errors of files and folders, by their paths.
    """
    named = {broken_file_or_folder_of(path, broken) or path for path in paths}
    return {
        path: error
        for path, error in broken.items()
        if path in named
        or (
            isinstance(error, DuplicateKey)
            and not named.isdisjoint((error.first_path, error.second_path))
        )
    }


def notes_on(broken: Mapping[str, TicketrError]) -> list[Note]:
    """Say what is wrong with files."""
    return [
        Note(error.key if isinstance(error, DuplicateKey) else "", path, str(error), Code.BROKEN)
        for path, error in broken.items()
    ]
