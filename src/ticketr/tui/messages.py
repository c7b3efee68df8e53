"""What can happen to the app, as values: all of it arrives as a message on one channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr import JobSnapshot
    from ticketr.sync import Loss
    from ticketr.tui.job_kind import JobKind
    from ticketr.tui.rows import IssueRow


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key; `name` as in the table of keys, like ``"j"`` or ``"KEY_UP"``."""

    name: str


@dataclass(frozen=True, slots=True)
class Resized:
    """The terminal has another size, in cells."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class CameBack:
    """The app runs again after a suspend; files may have been edited meanwhile."""


@dataclass(frozen=True, slots=True)
class JobChanged:
    """A job of the queue has changed."""

    snapshot: JobSnapshot


@dataclass(frozen=True, slots=True)
class TicketsFound:
    """Tickets stand in files now: each one's rows replace those that it had.

    Attributes:
        tickets: The rows of each.
        edited: Keys of issues among them that are known to be edited here.
    """

    tickets: tuple[tuple[IssueRow, ...], ...]
    edited: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FilesRead:
    """Every file has been read.

    Attributes:
        rows: All the tickets that stand in files, and the broken files, in order.
        edited: Keys of issues that were edited here since the last sync.
        conflicts: For each ticket that both sides have changed, what clashes.
        broken: What is wrong with files, clean, a line a file.
    """

    rows: tuple[IssueRow, ...]
    edited: frozenset[str] = frozenset()
    conflicts: Mapping[str, str] = field(default_factory=dict)
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WritesCounted:
    """A push or sync would write so many issues; asked for by `CountWrites`.

    Attributes:
        work: What would be done.
        writes: How many issues it would create or change.
        lost: What it would take away in Jira.
    """

    work: JobKind
    writes: int
    lost: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class DetailLoaded:
    """The text of an issue, asked for by `LoadDetail`."""

    row: IssueRow
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClashLoaded:
    """Both versions of a ticket, line by line, asked for by `LoadClash`."""

    row: IssueRow
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DetailReread:
    """The text of the open issue as it is now, asked for by `RereadDetail`."""

    row: IssueRow
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Something that the user asked for could not be done."""

    words: str


@dataclass(frozen=True, slots=True)
class LeaveAsked:
    """A signal, or the terminal's end, asks the app to leave."""


Message = (
    KeyPressed
    | Resized
    | CameBack
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
