"""Effects as values: `state.update` returns them, and `services` carry them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.tui.job_request import JobRequest


class Effect:
    """Something that the app does outside of its state; every effect is a subclass."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Leave(Effect):
    """End the app."""


@dataclass(frozen=True, slots=True)
class Redraw(Effect):
    """Draw every row again."""


@dataclass(frozen=True, slots=True)
class StartJob(Effect):
    """Submit a job.

    Attributes:
        workspace: The name of the job's workspace.
        request: What the job is to do.
    """

    workspace: str
    request: JobRequest


@dataclass(frozen=True, slots=True)
class CancelJob(Effect):
    """Cancel a job."""

    job_id: str


@dataclass(frozen=True, slots=True)
class ReadFiles(Effect):
    """Read the files of a workspace, and their differences from the last sync."""

    workspace: str


@dataclass(frozen=True, slots=True)
class ReadDetail(Effect):
    """Read an issue from its file.

    Attributes:
        workspace: The name of its workspace.
        path: Its file, relative to the workspace.
        order: The order of its row in the list.
    """

    workspace: str
    path: str
    order: tuple[str, int, str, int]
