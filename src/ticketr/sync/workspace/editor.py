"""Replaces the ticket files of a workspace without losing what is saved in them meanwhile.

Synchronous, for a worker thread. A file is replaced in one step (a temporary file beside it, then
a rename), and only if it is still as it was read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from ticketr.sync.workspace.files import (
    comparable,
    file_errors,
    replace_file,
    retry_if_changed,
    stamp_of,
)
from ticketr.tickets import parse, safe_file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ticketr.sync.workspace.files import FileStamp
    from ticketr.sync.workspace.store import Store
    from ticketr.tickets import TicketFile


_EMPTY = parse("")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file as it was when it was read.

    Attributes:
        name: Its path, relative to the workspace.
        target: The file behind that name, links followed.
        stamp: What tells whether it was saved since; None if there was no file.
        file: Its text and tickets; empty if there was no file.
    """

    name: str
    target: str
    stamp: FileStamp | None
    file: TicketFile


class Editor:
    """Changes the ticket files of one workspace.

    Args:
        store: The workspace.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: tuple[str, TicketFile] | None = None

    def read(self, name: str) -> Snapshot | None:
        """Read a file that is to be replaced; None if it is a link out of the workspace.

        A file that still holds what this editor wrote last is not parsed again.

        Args:
            name: The file, relative to the workspace.

        Raises:
            FileFailed: The file cannot be read.
            TicketSyntaxError: It cannot be read as tickets.
        """
        target = self._store.target(name)
        if target is None:
            return None
        stamp = stamp_of(target)
        if stamp is None:
            return Snapshot(name, target, None, _EMPTY)
        known = self._last[1] if self._last is not None and self._last[0] == name else None
        return Snapshot(name, target, stamp, self._store.read(name, known=known))

    def replace(self, snapshot: Snapshot, new: TicketFile | str, *, durable: bool = True) -> None:
        """Give a file another text.

        Args:
            snapshot: The file as it was read.
            new: What it is to hold.
            durable: Whether it must outlive a loss of power.

        Raises:
            FileChanged: The file was saved since it was read, and is left alone.
            FileFailed: The file cannot be written; it is as it was.
        """
        text = new if isinstance(new, str) else new.text
        if text != snapshot.file.text or snapshot.stamp is None:
            replace_file(snapshot.target, text, snapshot.stamp, durable=durable)
        self._last = None if isinstance(new, str) else (snapshot.name, new)

    def rewrite(self, name: str, key: str, change: Callable[[str], str]) -> bool:
        """Change the text of one ticket; what comes out need not be a ticket any more.

        Args:
            name: The file, relative to the workspace.
            key: The ticket's key.
            change: Given the text with LF line ends and without the last of them, as is its
                answer.

        Returns:
            Whether it was done; False if the ticket does not stand there.

        Raises:
            FileFailed: The file cannot be read or written.
            TicketSyntaxError: It cannot be read as tickets.
        """

        def whole(file: TicketFile) -> str | None:
            for ticket, span in zip(file.tickets, file.spans, strict=True):
                if ticket.key == key:
                    here = file.text[span.start : span.end]
                    end = "\r\n" if "\r\n" in here else "\n"
                    text = change(comparable(here)).replace("\n", end)
                    tail = here[len(here.rstrip("\r\n")) :]
                    return f"{file.text[: span.start]}{text}{tail}{file.text[span.end :]}"
            return None

        return self.change(name, whole)

    def change(self, name: str, change: Callable[[TicketFile], TicketFile | str | None]) -> bool:
        """Give a file another text, which outlives a loss of power.

        Args:
            name: The file, relative to the workspace.
            change: Returns what the file is to hold; None leaves it as it is.

        Returns:
            Whether the file holds what `change` returned.

        Raises:
            FileFailed: The file cannot be read or written.
            TicketSyntaxError: It cannot be read as tickets.
        """

        def attempt() -> bool:
            snapshot = self.read(name)
            if snapshot is None or snapshot.stamp is None:
                return False
            new = change(snapshot.file)
            if new is not None:
                self.replace(snapshot, new)
            return new is not None

        return retry_if_changed(attempt)

    def put_aside(self, key: str, text: str) -> Path:
        """Keep a text that is about to be replaced in ticketr's own folder.

        Raises:
            UnsafePath: A link or the like has a name of ticketr's own.
            FileFailed: It cannot be written; then it must not be replaced.
        """
        with file_errors(self._store.own, "write into"):
            return self._store.folder.put_aside(_numbered(safe_file_name(key)), text)

    def prune(self, name: str, key: str, base: str) -> Path | None:
        """Move a file into ticketr's own folder, if it holds one unedited ticket and no more.

        Args:
            name: The file, relative to the workspace.
            key: The key of its ticket.
            base: The ticket's text when it was last in step with Jira.

        Returns:
            Where it is now; None if it was left where it is.

        Raises:
            FileFailed: The file cannot be read or moved.
            TicketSyntaxError: It cannot be read as tickets.
        """
        snapshot = self.read(name)
        if snapshot is None or snapshot.stamp is None:
            return None
        file, target = snapshot.file, snapshot.target
        alone = len(file.tickets) == 1 and not file.preamble.strip()
        if not alone or file.tickets[0].key != key or comparable(file.text) != comparable(base):
            return None
        aside = self.put_aside(key, file.text)
        if stamp_of(target) != snapshot.stamp:  # saved since it was read
            return None
        with file_errors(target, "remove"):
            os.unlink(target)  # noqa: PTH108 - a str
        return aside


def _numbered(name: str) -> Iterator[str]:
    """Return a name and then others like it: ``A.md``, ``A.2.md``, ``A.3.md``."""
    yield name
    stem, _, suffix = name.rpartition(".")
    yield from (f"{stem}.{number}.{suffix}" for number in count(2))
