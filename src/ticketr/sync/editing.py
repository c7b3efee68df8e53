"""Writes tickets into the files of a workspace without ever losing any.

Synchronous, for a worker thread. A file is replaced in one step (a temporary file beside it, then
a rename), and it is read again just before, so that what an editor saved a moment ago is seen.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace as changed
from enum import Enum
from itertools import count
from typing import TYPE_CHECKING

from ticketr.sync.files import comparable, file_errors, mode_of, replace_file
from ticketr.tickets import parse, replace, rewrite, safe_file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from ticketr.sync.merge import Clash, Merged
    from ticketr.sync.store import Store
    from ticketr.tickets import Ticket, TicketFile

    #: Joins what stands in a file with what is to be written there.
    Merge: TypeAlias = "Callable[[Ticket], Merged]"


_EMPTY = parse("")


class Written(Enum):
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
    """

    outcome: Written
    path: str
    reason: str = ""
    clashes: tuple[Clash, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """One ticket that is to be written.

    Attributes:
        ticket: the ticket, with a key.
        text: it as text, LF line ends.
        bases: texts that were written, or were about to be when a pull was killed; empty for a
            ticket that never was.
        merge: joins what stands in the file, where that is none of these texts, with the ticket.
    """

    ticket: Ticket
    text: str
    bases: Collection[str]
    merge: Merge


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
            return [WriteResult(Written.KEPT, name, reason) for _ in writes]
        mode = mode_of(target)
        file = _EMPTY if mode is None else self._read(name)
        at = {ticket.key: index for index, ticket in enumerate(file.tickets)}
        is_ours = joins or not file.text.strip()
        changes: dict[int, Ticket] = {}
        added: list[Ticket] = []
        results: list[WriteResult] = []
        for write in writes:
            index = at.get(write.ticket.key)
            if index is not None:
                ticket, result = self._settle(name, file, index, write)
                if ticket is not None:
                    changes[index] = ticket
            elif is_ours:
                added.append(write.ticket)
                result = WriteResult(Written.NEW, name)
            else:
                result = WriteResult(Written.KEPT, name, "the file holds something else")
            results.append(result)
        if changes or added:
            new = rewrite(file, changes, added)
            replace_file(target, new.text, mode)
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
            return None, WriteResult(Written.UNCHANGED, name)
        if comparable(here) in map(comparable, write.bases):
            return write.ticket, WriteResult(Written.UPDATED, name)
        merged = write.merge(file.tickets[index])
        if merged.clashes:
            reason = "changed here and in Jira: " + ", ".join(map(str, merged.clashes))
            return None, WriteResult(Written.CONFLICT, name, reason, merged.clashes)
        if merged.ticket == file.tickets[index]:
            return None, WriteResult(Written.UNCHANGED, name)
        if merged.dropped:
            self.put_aside(write.ticket.key or "", here)
        return merged.ticket, WriteResult(Written.MERGED, name)

    def write_key(self, name: str, draft: Ticket, key: str, *, parent: str | None) -> bool:
        """Write the key that Jira gave to a draft into its file, and see it on disk.

        Args:
            name: the file, relative to the workspace.
            draft: the draft as it was when the issue was asked for, without tasks. One that was
                edited since is known by its title, if no other draft there has it.
            key: the key.
            parent: the key of the ticket whose task it is; None for a ticket of its own.

        Returns:
            Whether it was done; False if the draft does not stand there.

        Raises:
            FileFailed: the file cannot be read or written.
            TicketSyntaxError: it cannot be read as tickets.
        """
        target = self._store.target(name)
        mode = None if target is None else mode_of(target)
        if target is None or mode is None:
            return False
        file = self._store.read(name)
        found = _with_key(file.tickets, draft, key, parent)
        if found is None:
            return False
        index, ticket = found
        replace_file(target, replace(file, index, ticket), mode, durable=True)
        return True

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
        target = self._store.target(name)
        mode = None if target is None else mode_of(target)
        if target is None or mode is None:
            return False
        file = self._store.read(name)
        for ticket, span in zip(file.tickets, file.spans, strict=True):
            if ticket.key == key:
                here = file.text[span.start : span.end]
                end = "\r\n" if "\r\n" in here else "\n"
                text = change(comparable(here)).replace("\n", end)
                tail = here[len(here.rstrip("\r\n")) :]
                whole = f"{file.text[: span.start]}{text}{tail}{file.text[span.end :]}"
                replace_file(target, whole, mode, durable=True)
                return True
        return False

    def put_aside(self, key: str, text: str) -> Path:
        """Keep a text that is about to be given up in ticketr's own folder.

        Raises:
            FileFailed: it cannot be written; then it must not be given up.
        """
        for name in _numbered(safe_file_name(key)):
            path = self._store.own / "trash" / name
            if not path.exists():
                replace_file(str(path), text, None, durable=True)
                return path
        raise AssertionError("the names never end")

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
        if target is None or mode_of(target) is None:
            return None
        file = self._store.read(name)
        alone = len(file.tickets) == 1 and not file.preamble.strip()
        if not alone or file.tickets[0].key != key or comparable(file.text) != comparable(base):
            return None
        aside = self.put_aside(key, file.text)
        with file_errors(target, "remove"):
            os.unlink(target)  # noqa: PTH108
        return aside


def _with_key(
    tickets: Sequence[Ticket], draft: Ticket, key: str, parent: str | None
) -> tuple[int, Ticket] | None:
    """Find the ticket that a draft is, or is a task of, and give it with the key in its place."""
    if parent is None:
        at = _find_draft(tickets, draft)
        return None if at is None else (at, changed(tickets[at], key=key))
    for index, ticket in enumerate(tickets):
        if ticket.key == parent and (at := _find_draft(ticket.tasks, draft)) is not None:
            tasks = list(ticket.tasks)
            tasks[at] = changed(tasks[at], key=key)
            return index, changed(ticket, tasks=tuple(tasks))
    return None


def _find_draft(tickets: Sequence[Ticket], draft: Ticket) -> int | None:
    """Find a draft among tickets: the same one, or the only one with its title."""
    drafts = [index for index, each in enumerate(tickets) if each.key is None]
    same = [index for index in drafts if changed(tickets[index], tasks=()) == draft]
    alike = [index for index in drafts if tickets[index].title == draft.title]
    if same:
        return same[0]
    return alike[0] if len(alike) == 1 else None


def _numbered(name: str) -> Iterator[str]:
    """Give a name and then others like it: ``A.md``, ``A.2.md``, ``A.3.md``."""
    yield name
    stem, _, suffix = name.rpartition(".")
    yield from (f"{stem}.{number}.{suffix}" for number in count(2))
