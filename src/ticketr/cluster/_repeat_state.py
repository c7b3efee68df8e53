"""What the server keeps of a repeat, and what of that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from ticketr.cluster._keys import TaskName
from ticketr.jobs._due_times import utc
from ticketr.jobs._job import JobStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ticketr.jobs._job import JobID


@dataclass(frozen=True, slots=True)
class RepeatState:
    """A repeat as the server knows it.

    Attributes:
        id: Its ID.
        name: The name of its runs.
        runs: The number of runs that were submitted, those by ``run_now()`` included.
        missed: The number of due times that had no run, since one had not ended or no worker lived.
        next_at: The next due time in UTC; None during a run, in a pause, and after the end.
        last_status: How the newest run ended that has ended; None if there is none.
        last_at: When it ended, in UTC.
        is_running: Whether a run is pending or running.
        is_paused: Whether no run is to be submitted.
        has_ended: Whether it was cancelled, or its ``every`` function has failed.
    """

    id: JobID
    name: str
    runs: int
    missed: int
    next_at: datetime | None
    last_status: JobStatus | None
    last_at: datetime | None
    is_running: bool
    is_paused: bool
    has_ended: bool


@final
class KeptRepeat:
    """A repeat as the server keeps it.

    Attributes:
        id: Its ID.
        task: The name with which its job and its ``every`` are signed.
        version: Counts its changes.
        runs: The number of runs that were submitted.
        missed: The number of due times without a run.
        due: The current due time, in seconds since 1970.
        is_running: Whether a run has not ended.
        is_paused: Whether no run is to be submitted.
        has_ended: Whether there are no more runs.
        told: All of it, as the server has told it.
    """

    def __init__(self, told: Mapping[str, bytes]) -> None:
        self.id: Final = told["id"].decode()
        self.task: Final = TaskName.of(told["task"].decode())
        self.version: Final = told["version"]
        self.runs: Final = int(told["runs"])
        self.missed: Final = int(told["missed"])
        self.due: Final = float(told["due"])
        self.is_running: Final = told["is_running"] == b"1"
        self.is_paused: Final = told["paused"] == b"1"
        self.has_ended: Final = told["ended"] == b"1"
        self.told: Final = told

    def state(self) -> RepeatState:
        """Return what is shown of it."""
        is_waiting = not (self.is_running or self.is_paused or self.has_ended)
        last_status, last_at = self.told.get("last_status"), self.told.get("last_at")
        return RepeatState(
            id=self.id,
            name=self.told["name"].decode(),
            runs=self.runs,
            missed=self.missed,
            next_at=utc(self.due) if is_waiting else None,
            last_status=None if last_status is None else JobStatus(last_status.decode()),
            last_at=None if last_at is None else utc(float(last_at)),
            is_running=self.is_running,
            is_paused=self.is_paused,
            has_ended=self.has_ended,
        )
