"""What the app is to do in the world, as values: the state decides, the app carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.sync import Loss
    from ticketr.tui.job_kind import JobKind
    from ticketr.tui.rows import IssueRow


@dataclass(frozen=True, slots=True)
class StartJob:
    """Submit a job.

    Attributes:
        work: What it does.
        accepted: What it may take away in Jira.
    """

    work: JobKind
    accepted: frozenset[Loss] = frozenset()


@dataclass(frozen=True, slots=True)
class CountWrites:
    """Find what a push or sync would write and take away, before it is begun."""

    work: JobKind


@dataclass(frozen=True, slots=True)
class Resolve:
    """Settle the conflict of a ticket; `take` is ``"local"``, ``"remote"`` or ``"merge"``."""

    key: str
    take: str


@dataclass(frozen=True, slots=True)
class Reload:
    """Read the files anew, and how they differ from the last sync."""


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Cancel a job."""

    job_id: str


@dataclass(frozen=True, slots=True)
class LoadDetail:
    """Read an issue's text from its file."""

    row: IssueRow


@dataclass(frozen=True, slots=True)
class LoadClash:
    """Read both versions of a ticket that has a conflict; the row is its own or a sub-task's."""

    row: IssueRow


@dataclass(frozen=True, slots=True)
class RereadDetail:
    """Read the text of the open issue again, since its file may have changed."""

    row: IssueRow


@dataclass(frozen=True, slots=True)
class Redraw:
    """Draw every row again, whatever the screen is thought to show."""


@dataclass(frozen=True, slots=True)
class Leave:
    """End the app."""


Effect = (
    StartJob
    | CountWrites
    | Resolve
    | Reload
    | CancelJob
    | LoadDetail
    | LoadClash
    | RereadDetail
    | Redraw
    | Leave
)
