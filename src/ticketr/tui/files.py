"""Reads tickets for the screen, and settles conflicts. Synchronous, for a worker thread."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ticketr.sync import LocalSurvey, State, Take, resolve
from ticketr.text import clean
from ticketr.tickets import render_ticket
from ticketr.tui.messages import MarksFound
from ticketr.tui.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr.sync import Store
    from ticketr.tui.rows import Row


def read_rows(store: Store, name: str) -> list[tuple[Row, ...]]:
    """Read the rows of each ticket in a file.

    Args:
        store: the workspace's files.
        name: the file, relative to the workspace.

    Raises:
        FileFailed: it cannot be read.
        TicketSyntaxError: it cannot be read as tickets.
    """
    return [rows_of(ticket, name) for ticket in store.tickets(name)]


def read_detail(store: Store, row: Row) -> tuple[str, ...]:
    """Read an issue's text, clean, line by line; empty where it is no longer there.

    Raises:
        FileFailed: its file cannot be read.
        TicketSyntaxError: its file cannot be read as tickets.
    """
    for ticket in store.read(row.path).tickets:
        for found, issue in zip(rows_of(ticket, row.path), (ticket, *ticket.tasks), strict=True):
            if found.order == row.order:
                return tuple(clean(line) for line in render_ticket(issue).splitlines())
    return ()


def survey_files(store: Store, survey: LocalSurvey, *, anew: bool = False) -> Iterator[None]:
    """Compare the files with the last sync, some at a time.

    Args:
        store: the workspace's files.
        survey: what was found goes there.
        anew: whether to begin a state where nothing was pulled yet: drafts can be pushed all the
            same. Else there is nothing to compare with then.

    Yields:
        Nothing; after each folder, so that whoever waits can be cancelled.

    Raises:
        TicketrError: a file or the state cannot be read.
    """
    path = store.state_path
    if anew:
        store.prepare()
    elif not path.exists():
        return
    with closing(State(path)) as state:
        for paths in store.walk():
            survey.add(store, state, paths)
            yield


def read_marks(store: Store, survey: LocalSurvey) -> MarksFound:
    """Put together what the screen shows of a survey, and the conflicts.

    Raises:
        StateFailed: the state cannot be read.
    """
    path = store.state_path
    if not path.exists():
        return MarksFound(frozenset(), {})
    with closing(State(path)) as state:
        conflicts = {each.key: ", ".join(each.parts) for each in state.conflicts.all()}
    return MarksFound(frozenset(key for work in survey.works for key in work.edits), conflicts)


def settle(store: Store, key: str, take: str) -> None:
    """Settle the conflict of a ticket.

    Raises:
        TicketrError: it cannot be settled; the words say why.
    """
    with store.lock(), closing(State(store.state_path)) as state:
        resolve(store, state, key, Take(take))
