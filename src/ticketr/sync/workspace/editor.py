"""Writes tickets into the files of a workspace without ever losing any.

Synchronous, for a worker thread. A file is replaced in one step (a temporary file beside it, then
a rename), and it is read again just before, so that what an editor saved a moment ago is seen.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import TYPE_CHECKING

from ticketr.sync.workspace.files import (
    comparable,
    file_errors,
    replace_file,
    retry_if_changed,
    stamp_of,
)
from ticketr.tickets import parse, rewrite, safe_file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from ticketr.sync.compare.merge import Clash, Merged
    from ticketr.sync.workspace.store import Store
    from ticketr.tickets import Ticket, TicketFile

    #: Joins what stands in a file with what is to be written there.
    Merge: TypeAlias = "Callable[[Ticket], Merged]"


_EMPTY = parse("")
#: Characters from which on a file is not synced to disk at each of its writes.
_LARGE = 200_000


class WriteOutcome(Enum):
    """What became of a ticket that was to be written."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MERGED = "merged"
    KEPT = "kept"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one ticket.

    Attributes:
        outcome: what was done.
        path: the file it stands in.
        reason: why it was kept; empty otherwise.
        clashes: what both sides have changed; empty unless that is a conflict.
        before: the ticket as it stood there, if it did and is not as it is to be.
        after: it as it stands there now, if it was replaced.
    """

    outcome: WriteOutcome
    path: str
    reason: str = ""
    clashes: tuple[Clash, ...] = ()
    before: Ticket | None = None
    after: Ticket | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """One ticket that is to be written.

    Attributes:
        ticket: the ticket, with a key.
        text: it as text, LF line ends.
        bases: texts that were written, or were about to be when a pull was killed; empty for a
            ticket that never was.
        merge: joins what stands in the file, where that is none of these texts, with the ticket.
        former: the key that it had before it was moved, under which it may stand there; None for
            one that was not.
    """

    ticket: Ticket
    text: str
    bases: Collection[str]
    merge: Merge
    former: str | None = None


class Editor:
    """Changes the ticket files of one workspace.

    Args:
        store: the workspace.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: tuple[str, TicketFile] | None = None

    def write(
        self, name: str, writes: Sequence[Write], *, joins: bool = False
    ) -> list[WriteResult]:
        """Write tickets into one file, in one go; what was edited there since is merged with them.

        Args:
            name: the file, relative to the workspace.
            writes: the tickets, none of them twice.
            joins: whether a ticket that is not in the file yet may be put behind others.

        Returns:
            What was done with each. A ticket that clashes with what stands in the file, or that
            would replace something else, is not written.

        Raises:
            FileFailed: the file cannot be read or written; then nothing of this was done.
            TicketSyntaxError: the file was changed and cannot be read as tickets.
        """
        target = self._store.target(name)
        if target is None:
            reason = "the file is a link out of the workspace"
            return [WriteResult(WriteOutcome.KEPT, name, reason) for _ in writes]
        return retry_if_changed(target, lambda: self._write(name, target, writes, joins=joins))

    def _write(
        self, name: str, target: str, writes: Sequence[Write], *, joins: bool
    ) -> list[WriteResult]:
        was = stamp_of(target)
        file = _EMPTY if was is None else self._read(name)
        at = {ticket.key: index for index, ticket in enumerate(file.tickets)}
        is_ours = joins or not file.text.strip()
        changes: dict[int, Ticket] = {}
        added: list[Ticket] = []
        results: list[WriteResult] = []
        for write in writes:
            index = at.get(write.ticket.key)
            if index is None and write.former is not None:
                index = at.get(write.former)
            if index is not None:
                ticket, result = self._settle(name, file, index, write)
                if ticket is not None:
                    changes[index] = ticket
            elif is_ours:
                added.append(write.ticket)
                result = WriteResult(WriteOutcome.NEW, name)
            else:
                result = WriteResult(WriteOutcome.KEPT, name, "the file holds something else")
            results.append(result)
        if changes or added:
            new = rewrite(file, changes, added)
            # Jira can give its own again; what people wrote, here or beside it, nobody can. But a
            # file of all tickets is written again and again in one pull, which must not take ages.
            merged = any(each.outcome is WriteOutcome.MERGED for each in results)
            shared = len(changes) < len(file.tickets) or bool(file.preamble.strip())
            precious = merged or (shared and len(new.text) < _LARGE)
            replace_file(target, new.text, was, durable=precious)
            self._last = (name, new)
        return results

    def _read(self, name: str) -> TicketFile:
        """Read a file; one that is as this editor left it need not be parsed again."""
        known = self._last[1] if self._last is not None and self._last[0] == name else None
        return self._store.read(name, known=known)

    def _settle(
        self, name: str, file: TicketFile, index: int, write: Write
    ) -> tuple[Ticket | None, WriteResult]:
        """Decide what is to stand in the place of a ticket; None to leave it as it is."""
        span = file.spans[index]
        here = file.text[span.start : span.end]
        if comparable(here) == comparable(write.text):
            return None, WriteResult(WriteOutcome.UNCHANGED, name)
        was = file.tickets[index]
        if comparable(here) in map(comparable, write.bases):
            return write.ticket, WriteResult(
                WriteOutcome.UPDATED, name, before=was, after=write.ticket
            )
        merged = write.merge(was)
        if merged.clashes:
            reason = "changed here and in Jira: " + ", ".join(map(str, merged.clashes))
            return None, WriteResult(WriteOutcome.CONFLICT, name, reason, merged.clashes, was)
        if merged.ticket == was:
            return None, WriteResult(WriteOutcome.UNCHANGED, name)
        if merged.dropped:
            self.put_aside(write.ticket.key or "", here)
        return merged.ticket, WriteResult(
            WriteOutcome.MERGED, name, before=was, after=merged.ticket
        )

    def rewrite(self, name: str, key: str, change: Callable[[str], str]) -> bool:
        """Change the text of one ticket; what comes out need not be a ticket any more.

        Args:
            name: the file, relative to the workspace.
            key: the ticket's key.
            change: given the text with LF line ends and without the last of them, as is its
                answer.

        Returns:
            Whether it was done; False if the ticket does not stand there.

        Raises:
            FileFailed: the file cannot be read or written.
            TicketSyntaxError: it cannot be read as tickets.
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
        """Give a file another text, and see it on disk.

        Args:
            name: The file, relative to the workspace.
            change: Returns what the file is to hold; None leaves it as it is.

        Returns:
            Whether the file holds what `change` returned.

        Raises:
            FileFailed: The file cannot be read or written.
            TicketSyntaxError: It cannot be read as tickets.
        """
        target = self._store.target(name)
        if target is None:
            return False

        def once() -> bool:
            was = stamp_of(target)
            file = None if was is None else self._read(name)
            new = None if file is None else change(file)
            if file is None or new is None:
                return False
            text = new if isinstance(new, str) else new.text
            if text != file.text:
                replace_file(target, text, was, durable=True)
            self._last = None if isinstance(new, str) else (name, new)
            return True

        return retry_if_changed(target, once)

    def put_aside(self, key: str, text: str) -> Path:
        """Keep a text that is about to be given up in ticketr's own folder.

        Raises:
            UnsafePath: a link or the like has a name of ticketr's own.
            FileFailed: it cannot be written; then it must not be given up.
        """
        with file_errors(self._store.own, "write into"):
            return self._store.folder.put_aside(_numbered(safe_file_name(key)), text)

    def prune(self, name: str, key: str, base: str) -> Path | None:
        """Move a file into ticketr's own folder, if it holds one unedited ticket and no more.

        Args:
            name: the file, relative to the workspace.
            key: the key of its ticket.
            base: the ticket's text when it was last in step with Jira.

        Returns:
            Where it is now; None if it was left where it is.

        Raises:
            FileFailed: the file cannot be read or moved.
            TicketSyntaxError: it cannot be read as tickets.
        """
        target = self._store.target(name)
        was = None if target is None else stamp_of(target)
        if target is None or was is None:
            return None
        file = self._store.read(name)
        alone = len(file.tickets) == 1 and not file.preamble.strip()
        if not alone or file.tickets[0].key != key or comparable(file.text) != comparable(base):
            return None
        aside = self.put_aside(key, file.text)
        if stamp_of(target) != was:  # saved this very moment
            return None
        with file_errors(target, "remove"):
            os.unlink(target)  # noqa: PTH108 - a str
        return aside


def _numbered(name: str) -> Iterator[str]:
    """Give a name and then others like it: ``A.md``, ``A.2.md``, ``A.3.md``."""
    yield name
    stem, _, suffix = name.rpartition(".")
    yield from (f"{stem}.{number}.{suffix}" for number in count(2))
