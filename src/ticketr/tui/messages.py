"""The events of the app as values; all of them arrive on one channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr import JobSnapshot
    from ticketr.sync import Loss
    from ticketr.tui.job_kind import JobKind
    from ticketr.tui.rows import ListRow


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key was pressed; `name` is as in the table of keys, like ``"j"`` or ``"KEY_UP"``."""

    name: str


@dataclass(frozen=True, slots=True)
class Resized:
    """The terminal has a new size, in cells."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Continued:
    """The app continues after a suspend; files may have changed meanwhile."""


@dataclass(frozen=True, slots=True)
class JobChanged:
    """A job of the queue has changed."""

    snapshot: JobSnapshot


@dataclass(frozen=True, slots=True)
class TicketsFound:
    """Tickets were found in files; their rows replace earlier ones of the same tickets.

    Attributes:
        tickets: The rows of each ticket.
        edited: The keys of issues among them that were edited here.
    """

    tickets: tuple[tuple[ListRow, ...], ...]
    edited: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FilesRead:
    """Every file has been read.

    Attributes:
        rows: The rows of all tickets and of broken files, in order.
        edited: The keys of issues that were edited here since the last sync.
        conflicts: The conflicting parts of each conflicting ticket, by its key.
        broken: The cleaned error of each broken file.
    """

    rows: tuple[ListRow, ...]
    edited: frozenset[str] = frozenset()
    conflicts: Mapping[str, str] = field(default_factory=dict)
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WritesCounted:
    """The writes and losses of a push or sync were found; the answer to `CountWrites`.

    Attributes:
        kind: The kind of the job.
        writes: How many issues the job would create or change.
        lost: What the job would remove in Jira.
    """

    kind: JobKind
    writes: int
    lost: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class DetailLoaded:
    """The text of an issue was read; the answer to `LoadDetail`."""

    row: ListRow
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClashLoaded:
    """The diff of a conflicting ticket was read; the answer to `LoadClash`."""

    row: ListRow
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DetailReread:
    """The text of the open issue was read again; the answer to `RereadDetail`."""

    row: ListRow
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """A request of the user failed."""

    words: str


@dataclass(frozen=True, slots=True)
class LeaveAsked:
    """A signal or a hang-up of the terminal ends the app."""


Message = (
    KeyPressed
    | Resized
    | Continued
    | JobChanged
    | TicketsFound
    | FilesRead
    | WritesCounted
    | DetailLoaded
    | ClashLoaded
    | DetailReread
    | Failed
    | LeaveAsked
)
