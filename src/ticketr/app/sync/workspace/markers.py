"""Finds files with conflict markers: those of ``resolve``, and git's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.app.sync.errors import FileFailed
from ticketr.app.tickets import CONFLICT, TicketSyntaxError

if TYPE_CHECKING:
    from ticketr.app.sync.workspace.store import Store

_MARKERS = (b"<<<<<<<", b">>>>>>>")


@dataclass(frozen=True, slots=True)
class ConflictMarker:
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


def find_conflict_markers(store: Store) -> Iterator[ConflictMarker]:
    """Find the files of tickets that hold conflict markers; what cannot be read is left out."""
    for path in (path for paths in store.walk() for path in paths):
        if (marker := find_conflict_marker(store, store.name_of(path))) is not None:
            yield marker


def find_conflict_marker(store: Store, name: str) -> ConflictMarker | None:
    """Look for conflict markers in a file; None where there are none, or no such file."""
    try:
        data = store.content(name)
        if any(marker in data for marker in _MARKERS):  # so few that they can be read once more
            store.tickets(name)
    except TicketSyntaxError as error:
        return ConflictMarker(name, error.line) if CONFLICT.match(error.text) else None
    except (OSError, FileFailed):
        return None
    return None
