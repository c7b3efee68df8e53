"""Effects as values: `state.update` returns them, and the app carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.sync import Loss
    from ticketr.tui.job_kind import JobKind
    from ticketr.tui.rows import ListRow


@dataclass(frozen=True, slots=True)
class StartJob:
    """Submit a job.

    Attributes:
        kind: The kind of the job.
        accepted: The losses in Jira that the job may cause.
    """

    kind: JobKind
    accepted: frozenset[Loss] = frozenset()


@dataclass(frozen=True, slots=True)
class CountWrites:
    """Find what a push or sync would write and lose in Jira, before it starts."""

    kind: JobKind


@dataclass(frozen=True, slots=True)
class Resolve:
    """Resolve the conflict of a ticket; `take` is ``"local"``, ``"remote"`` or ``"merge"``."""

    key: str
    take: str


@dataclass(frozen=True, slots=True)
class Reload:
    """Read the files again, and their differences from the last sync."""


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Cancel a job."""

    job_id: str


@dataclass(frozen=True, slots=True)
class LoadDetail:
    """Read an issue's text from its file."""

    row: ListRow


@dataclass(frozen=True, slots=True)
class LoadClash:
    """Read both versions of a conflicting ticket; the row is the ticket's or a sub-task's."""

    row: ListRow


@dataclass(frozen=True, slots=True)
class RereadDetail:
    """Read the text of the open issue again, since its file may have changed."""

    row: ListRow


@dataclass(frozen=True, slots=True)
class Redraw:
    """Draw every row again."""


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
