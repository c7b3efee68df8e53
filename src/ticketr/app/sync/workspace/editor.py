"""Replaces and adds ticket files without losing what is saved meanwhile; finds conflict markers in them.

Synchronous, for a worker thread. A file is replaced in one step (a temporary file beside it, then
a rename), and only if it is still as it was read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.app import tickets
from ticketr.app.config import open_write_folder, write_new
from ticketr.app.sync.errors import FileFailed
from ticketr.app.sync.workspace.files import (
    FileStamp,
    lf_and_chomp,
    make_file_folder,
    replace_file,
    retry_if_changed,
    stamp_of,
    wrap_errors,
)

if TYPE_CHECKING:
    from ticketr.app.sync.workspace.store import Store


_NOT_IN_NAMES = re.compile(r"[^\w]+")
#: The most characters of a file's name; each may take four of the 255 bytes that a name has.
_MAX_NAME_CHARACTERS = 60


def write_drafts(root: Path, drafts: Sequence[tickets.Ticket], folder: str = "") -> Path:
    """Write drafts into a new file that is named after the title of the first.

    Args:
        root: The workspace's folder.
        drafts: The drafts.
        folder: The folder of the file, relative to that.

    Returns:
        The file.

    Raises:
        FileFailed: It cannot be written.
    """
    text = tickets.render(drafts)
    start = f"{folder}/" if folder else ""
    for name in _file_names(drafts[0].title):
        with (
            make_file_folder(root, f"{start}{name}") as (descriptor, base),
            suppress(FileExistsError),
        ):
            write_new(descriptor, base, text)
            return root / f"{start}{name}"
    raise AssertionError("there is always another name")


def _file_names(title: str) -> Iterator[str]:
    """Yield a file name for a title, then numbered ones."""
    stem = _NOT_IN_NAMES.sub("-", title.casefold()).strip("-_")[:_MAX_NAME_CHARACTERS].rstrip("-_")
    if not stem or tickets.is_key(stem.upper()):  # some file systems ignore case
        stem = f"draft-{stem}".rstrip("-")
    yield f"{stem}.md"
    yield from (f"{stem}-{number}.md" for number in count(2))


@dataclass(frozen=True, slots=True)
class FirstConflictMarker:
    """The first conflict marker in a file, which has to be edited until none is left.

    Attributes:
        path: The file, relative to the workspace.
        line: The line of the first marker, from 1.
    """

    path: str
    line: int

    def __str__(self) -> str:
        what = "this file has conflict markers; edit it until none is left, then sync"
        return f"{self.path}:{self.line}: {what}"


def first_marker_per_file(store: Store) -> Iterator[FirstConflictMarker]:
    """Find the files of tickets that hold conflict markers; what cannot be read is left out."""
    for name in chain.from_iterable(store.walk()):
        if (marker := find_conflict_marker(store, name)) is not None:
            yield marker


def find_conflict_marker(store: Store, name: str) -> FirstConflictMarker | None:
    """Look for conflict markers in a file; None where there are none, or no such file."""
    try:
        data = store.read_bytes(name)
        if b"<<<<<<<" in data or b">>>>>>>" in data:  # so few that they can be read once more
            store.read_tickets(name)
    except tickets.TicketSyntaxError as error:
        is_marker = tickets.CONFLICT_MARKER.match(error.line_text) is not None
        return FirstConflictMarker(name, error.line) if is_marker else None
    except (OSError, FileFailed):
        return None
    return None


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """A file as it was when it was read.

    Attributes:
        path: Its path, relative to the workspace.
        stamp: Shows whether it was saved since; None if there was no file.
        file: Its text and tickets; empty if there was no file.
    """

    path: str
    stamp: FileStamp | None
    file: tickets.TicketFile


@dataclass(eq=False)
class FileEditor:
    """Changes the ticket files of one workspace, named by their paths relative to it."""

    _store: Store
    _last_written: tuple[str, tickets.TicketFile] | None = field(default=None, init=False)

    def snapshot_if_writable(
        self, name: str, likely: tuple[tickets.Ticket, str] | None = None
    ) -> FileSnapshot | None:
        """Read a file in order to replace it; None if nothing is written there.

        A file that holds what this editor wrote last, or ``likely``, is not parsed.

        Args:
            name: The file.
            likely: A ticket that the file probably holds alone, and its text.

        Raises:
            FileFailed: The file cannot be read.
            TicketSyntaxError: It cannot be read as tickets.
        """
        if self._store.write_refusal(name):
            return None
        stamp = stamp_of(f"{self._store.root}/{name}")
        if stamp is None:
            return FileSnapshot(name, None, tickets.parse(""))
        last = self._last_written
        known = last[1] if last is not None and last[0] == name else None
        if known is None and likely is not None:
            ticket, text = likely
            known = tickets.TicketFile(text, "", (ticket,), (slice(0, len(text)),))
        return FileSnapshot(name, stamp, self._store.read_file(name, known=known))

    def replace_if_unchanged(
        self, snapshot: FileSnapshot, new: tickets.TicketFile, *, durable: bool = True
    ) -> None:
        """Replace the content of a file; if ``durable``, it survives a loss of power.

        Raises:
            FileChanged: The file was saved since it was read, and is unchanged.
            FileFailed: The file cannot be written, and is unchanged.
        """
        if new.text != snapshot.file.text or snapshot.stamp is None:
            root = str(self._store.root)
            replace_file(root, snapshot.path, new.text, snapshot.stamp, durable=durable)
        self._last_written = (snapshot.path, new)

    def try_change_durably(
        self, name: str, change: Callable[[tickets.TicketFile], tickets.TicketFile | str | None]
    ) -> bool:
        """Replace the content of a file durably; leave it if ``change`` returns None.

        Returns:
            Whether the file holds what ``change`` returned.

        Raises:
            FileFailed: The file cannot be read or written.
            TicketSyntaxError: It cannot be read as tickets.
        """

        def changed(text: str) -> str | None:
            new = change(tickets.parse(text, source=name))
            return new.text if isinstance(new, tickets.TicketFile) else new

        return self.try_change_text_durably(name, changed)

    def try_change_text_durably(self, name: str, change: Callable[[str], str | None]) -> bool:
        """Replace a text durably, as `try_change_durably`; it need not be readable as tickets."""

        def attempt() -> bool:
            self._store.require_unmoved()
            stamp = self._stamp_if_writable(name)
            if stamp is None:
                return False
            text = self._read_text(name)
            new = change(text)
            if new is not None and new != text:
                replace_file(str(self._store.root), name, new, stamp, durable=True)
            return new is not None

        return retry_if_changed(attempt)

    def put_in_trash(self, key: str | None, text: str) -> Path:
        """Keep a text in ticketr's own folder before it is replaced.

        Args:
            key: The key of the ticket; None for a draft.
            text: The text.

        Raises:
            WrongFileKind: A link or the like has the name of ticketr's folder.
            FileFailed: The text cannot be written, so it must not be replaced.
        """
        with wrap_errors(self._store.own, "write into"):
            name = "draft.md" if key is None else tickets.md_name_of_key(key)
            return self._store.folder.put_in_trash(_name_then_dot_numbered(name), text)

    def find_free_trash_path(self, key: str) -> Path:
        """Return where `put_in_trash` would keep a text now."""
        names = _name_then_dot_numbered(tickets.md_name_of_key(key))
        return self._store.folder.find_free_trash_path(names)

    def move_to_trash_if_same(self, name: str, key: str | None, text: str) -> Path | None:
        """Move a file into ticketr's own folder, if it holds a text and nothing else.

        Args:
            name: The file.
            key: The key of its ticket; None for a draft.
            text: The text. Line ends and blank lines at the end may differ.

        Returns:
            Its new path; None if it was not moved.

        Raises:
            FileFailed: The file cannot be read or moved.
        """
        stamp = self._stamp_if_writable(name)
        if stamp is None or lf_and_chomp(now := self._read_text(name)) != lf_and_chomp(text):
            return None
        aside = self.put_in_trash(key, now)
        path = f"{self._store.root}/{name}"
        parent, _, base = name.rpartition("/")
        try:
            with (
                wrap_errors(path, "remove"),
                open_write_folder(self._store.root, parent) as folder,
            ):
                if stamp_of(path, dir_fd=folder) != stamp:  # it was saved meanwhile
                    return None
                os.unlink(base, dir_fd=folder)
        except FileFailed:
            with suppress(OSError):
                self._store.folder.remove_from_trash(aside)  # else each run adds another copy
            raise
        return aside

    def _stamp_if_writable(self, name: str) -> FileStamp | None:
        """Return the stamp of a file that may be written; None if there is none."""
        return None if self._store.write_refusal(name) else stamp_of(f"{self._store.root}/{name}")

    def _read_text(self, name: str) -> str:
        with wrap_errors(f"{self._store.root}/{name}", "read"):
            return self._store.read_bytes(name).decode()


def _name_then_dot_numbered(name: str) -> Iterator[str]:
    """Yield a name, then numbered ones: ``A.md``, ``A.2.md``, ``A.3.md``."""
    yield name
    stem, _, suffix = name.rpartition(".")
    yield from (f"{stem}.{number}.{suffix}" for number in count(2))
