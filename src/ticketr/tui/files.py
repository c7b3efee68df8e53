"""Reads tickets for the screen, and resolves conflicts. Synchronous, for a worker thread."""

from __future__ import annotations

import difflib
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, final

from ticketr.sync import LocalSurvey, State, Take, comparable, read_state, resolve
from ticketr.text import clean
from ticketr.tickets import render_ticket
from ticketr.tui.messages import FilesRead, TicketsFound
from ticketr.tui.rows import merge, row_of_broken, rows_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from ticketr.sync import Loss, Store
    from ticketr.tui.rows import ListRow


@final
class WorkspaceReader:
    """Reads every file once, and compares it with the last sync."""

    def __init__(self, store: Store, state: State) -> None:
        self._store = store
        self._state = state
        self._survey = LocalSurvey()
        self._tickets: list[tuple[ListRow, ...]] = []
        self._broken: list[ListRow] = []
        #: What a push would remove in Jira; empty until `find_losses`.
        self.lost: tuple[Loss, ...] = ()

    @property
    def writes(self) -> int:
        """The number of issues that a push would write, as far as the files show it."""
        return self._survey.writes

    def take(self, paths: Iterable[Path]) -> TicketsFound:
        """Read some more files.

        Returns:
            The tickets in them.

        Raises:
            StateFailed: The state cannot be read.
        """
        tickets: list[tuple[ListRow, ...]] = []
        begin = len(self._survey.local_changes)
        for path in paths:
            seen = self._survey.scan(self._store, self._state, path)
            tickets += (rows_of(ticket, seen.path) for ticket in seen.tickets)
            if seen.error is not None:
                has_rows = bool(seen.tickets)
                self._broken.append(row_of_broken(seen.path, str(seen.error), has_rows=has_rows))
        self._tickets += tickets
        return TicketsFound(tuple(tickets), self._edited(begin))

    def all_files(self) -> FilesRead:
        """Return the content of all files, after the last of them was read.

        Raises:
            StateFailed: The state cannot be read.
        """
        conflicts = {
            each.key: f"{each.key}: {each.parts_text}" for each in self._state.conflicts.all()
        }
        rows = sorted((*merge((), self._tickets), *self._broken), key=lambda row: row.order)
        broken = tuple(row.title for row in self._broken)
        return FilesRead(tuple(rows), self._edited(), conflicts, broken)

    def find_losses(self) -> None:
        """Find what a push would remove in Jira, as far as the files show it.

        Raises:
            StateFailed: The state cannot be read.
        """
        self.lost = self._survey.losses(self._state)

    def _edited(self, begin: int = 0) -> frozenset[str]:
        return frozenset(
            key for local_change in self._survey.local_changes[begin:] for key in local_change.edits
        )


@contextmanager
def empty_state() -> Generator[State]:
    """Open an empty state, to show tickets even if the last sync cannot be read."""
    with closing(State(Path(":memory:"))) as state:
        yield state


def read_detail(store: Store, row: ListRow) -> tuple[str, ...]:
    """Return an issue's cleaned lines; empty if the file does not hold it any more.

    Raises:
        FileFailed: Its file cannot be read.
        TicketSyntaxError: Its file cannot be read as tickets.
    """
    for ticket in store.read(row.path).tickets:
        for found, issue in zip(rows_of(ticket, row.path), (ticket, *ticket.tasks), strict=True):
            if found.order == row.order:
                return tuple(clean(line) for line in render_ticket(issue).splitlines())
    return ()


def read_clash(store: Store, row: ListRow) -> tuple[str, ...]:
    """Return the cleaned line diff between a conflicting ticket here and in Jira.

    Args:
        store: The workspace's files.
        row: The row of the ticket, or of a sub-task of it.

    Raises:
        TicketrError: The ticket's file or the state cannot be read.
    """
    here = (each.text for each in store.local(row.path) if each.ticket.key == row.head)
    with read_state(store) as state:
        conflict = state.conflicts.of(row.head)
    there = comparable(conflict.text) if conflict is not None else ""
    lines = difflib.unified_diff(
        next(here, "").split("\n"), there.split("\n"), row.path, f"{row.head} in Jira", lineterm=""
    )
    return tuple(map(clean, lines))


def resolve_conflict(store: Store, key: str, take: str) -> None:
    """Resolve the conflict of a ticket.

    Raises:
        TicketrError: The conflict cannot be resolved; the message says why.
    """
    with store.lock(), closing(State(store.state_path, store.mark)) as state:
        resolve(store, state, key, Take(take))
