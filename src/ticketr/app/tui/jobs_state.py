"""The jobs of the queue, as the app shows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr import FinishedJob, JobSnapshot

#: The tag of every job that works on a workspace, before the workspace's name.
WORKSPACE_TAG = "workspace:"
#: The tag of every job, before its kind.
KIND_TAG = "kind:"
#: The most ended jobs of this run that are kept.
ENDED = 200


@dataclass(frozen=True)
class JobsState:
    """The jobs of the queue.

    Attributes:
        live: The running and waiting jobs, in the order in which they came.
        ended: The jobs of this run that have ended, the newest first.
        earlier: The jobs of earlier runs, the newest first; they are read when they are shown.
        today: The day on which they were read; None before.
        workspaces: The names of the workspaces whose jobs these are, by the keys of the jobs.
    """

    live: tuple[JobSnapshot, ...] = ()
    ended: tuple[JobSnapshot, ...] = ()
    earlier: tuple[FinishedJob, ...] = ()
    today: date | None = None
    workspaces: Mapping[str, str] = field(default_factory=dict)

    def see(self, snapshot: JobSnapshot) -> JobsState:
        """Return the jobs after a new snapshot of one."""
        if snapshot.status.is_terminal:
            live = tuple(
                job_snapshot for job_snapshot in self.live if job_snapshot.id != snapshot.id
            )
            return replace(self, live=live, ended=(snapshot, *self.ended[: ENDED - 1]))
        if any(job_snapshot.id == snapshot.id for job_snapshot in self.live):
            live = tuple(
                snapshot if job_snapshot.id == snapshot.id else job_snapshot
                for job_snapshot in self.live
            )
        else:
            live = (*self.live, snapshot)
        return replace(self, live=live)

    @property
    def running(self) -> tuple[JobSnapshot, ...]:
        """The running jobs."""
        return tuple(snapshot for snapshot in self.live if snapshot.status is JobStatus.RUNNING)

    @property
    def waiting(self) -> tuple[JobSnapshot, ...]:
        """The jobs that wait: for a worker, for another job of their workspace, or for a time."""
        return tuple(snapshot for snapshot in self.live if snapshot.status is JobStatus.PENDING)

    @property
    def starting(self) -> JobSnapshot | None:
        """The first job that waits for nothing but a worker, if any."""
        return next(
            (snapshot for snapshot in self.waiting if snapshot.waiting_for == "worker"), None
        )

    @cached_property
    def of_earlier_runs(self) -> tuple[FinishedJob, ...]:
        """The jobs of the history without those that ended in this run."""
        seen = {(snapshot.id, round(ended_at(snapshot))) for snapshot in self.ended}
        return tuple(
            job
            for job in self.earlier
            if not {(job.id, round(job.finished_at.timestamp()) + by) for by in (-1, 0, 1)} & seen
        )

    @cached_property
    def ids(self) -> list[str]:
        """What tells the jobs apart, in the order in which they are listed."""
        now = [snapshot.id for snapshot in (*self.running, *self.waiting, *self.ended)]
        return [*now, *map(id_of_earlier, self.of_earlier_runs)]

    def of_workspace(self, name: str) -> tuple[JobSnapshot, ...]:
        """Return the running and waiting jobs of a workspace."""
        return tuple(snapshot for snapshot in self.live if workspace_of(snapshot) == name)


def id_of_earlier(job: FinishedJob) -> str:
    """Return what tells a job of an earlier run from all others; IDs repeat from run to run."""
    return f"{job.run}/{job.number}"


def ended_at(snapshot: JobSnapshot) -> float:
    """Return when a job ended, in seconds of the wall clock."""
    return (snapshot.finished_at or 0.0) + (snapshot.wall_offset or 0.0)


def workspace_of(snapshot: JobSnapshot) -> str:
    """Return the name of a job's workspace; empty if it has none."""
    return _tag_value(snapshot, WORKSPACE_TAG)


def kind_of(snapshot: JobSnapshot) -> str:
    """Return the kind of a job, such as ``"pull"``; empty if it has none."""
    return _tag_value(snapshot, KIND_TAG)


def day_words(day: date, today: date | None) -> str:
    """Return a day for people: ``today``, ``yesterday``, or its date.

    Args:
        day: The day.
        today: The day of now; None if it is not known.
    """
    ago = -1 if today is None else (today - day).days
    return {0: "today", 1: "yesterday"}.get(ago, f"{day:%Y-%m-%d}")


def end_words(snapshot: JobSnapshot) -> str:
    """Return the end of a job in words, cleaned: its name, and its last message or its error."""
    message = snapshot.progress.message if snapshot.progress is not None else ""
    if snapshot.status is JobStatus.FAILED and snapshot.error is not None:
        message = snapshot.error.message
    return clean(f"{snapshot.name}: {message or snapshot.status.value}")


def _tag_value(snapshot: JobSnapshot, prefix: str) -> str:
    texts = (tag.removeprefix(prefix) for tag in snapshot.tags if tag.startswith(prefix))
    return next(texts, "")
