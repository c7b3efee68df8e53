"""What the app is to do in the world, as values: the state decides, the app carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.tui.rows import Row


@dataclass(frozen=True, slots=True)
class StartPull:
    """Submit a pull."""


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Cancel a job."""

    job_id: str


@dataclass(frozen=True, slots=True)
class LoadDetail:
    """Read an issue's text from its file."""

    row: Row


@dataclass(frozen=True, slots=True)
class Redraw:
    """Draw every row again, whatever the screen is thought to show."""


@dataclass(frozen=True, slots=True)
class Leave:
    """End the app."""


Effect = StartPull | CancelJob | LoadDetail | Redraw | Leave
