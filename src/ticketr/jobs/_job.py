"""What users see of a job: its status, its snapshots, and the outcomes of a cancel."""

from __future__ import annotations

import enum
import traceback
from dataclasses import dataclass, field, fields
from types import NoneType
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, final

from ticketr.jobs._progress import JobProgress, checked_field, iso_time
from ticketr.jobs._values import json_job_key_or_repr, json_value_or_repr, utf8_escaped

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from typing_extensions import TypeVar

    # Type checkers know it without its being installed: JobSnapshot alone is JobSnapshot[object].
    T_co = TypeVar("T_co", covariant=True, default=object)


else:
    from typing import TypeVar

    T_co = TypeVar("T_co", covariant=True)

JobID: TypeAlias = str
"""A job's ID: text, unique among the live jobs of its queue."""


class JobStatus(enum.StrEnum):
    """Where a job is in its life."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended; a job that has ended stays as it is."""
        return self is not PENDING and self is not RUNNING


# By these names in what is done for each job: Python 3.11 takes longer to look a member up by its
# class than to call a function.
PENDING: Final = JobStatus.PENDING
RUNNING: Final = JobStatus.RUNNING
COMPLETED: Final = JobStatus.COMPLETED
FAILED: Final = JobStatus.FAILED
CANCELLED: Final = JobStatus.CANCELLED


class CancelOutcome(enum.StrEnum):
    """What a ``cancel`` did."""

    CANCELLED = "cancelled"
    """The job was pending. It has ended, and its function is never called."""
    REQUESTED = "requested"
    """The job is running and will be interrupted at its next checkpoint."""
    ALREADY_REQUESTED = "already requested"
    """The job is still running, and a cancel was requested before."""
    ALREADY_FINISHED = "already finished"
    """The job had ended; nothing changed."""
    UNKNOWN = "unknown"
    """No job with this ID is known."""


class CancelCause(enum.StrEnum):
    """Why a job was stopped: the first cause that was recorded."""

    USER = "user"
    """Somebody called ``cancel``."""
    TIMEOUT = "timeout"
    """Its own time limit passed."""
    SUPERSEDED = "superseded"
    """Another job was submitted in its place."""
    EXPIRED = "expired"
    """It had not started by its ``start_by``."""
    SHUTDOWN = "shutdown"
    """Its queue ended."""
    SCOPE = "scope"
    """A cancel scope around the queue, or around ``run``, was cancelled."""
    DEPENDENCY = "dependency"
    """A job that it was to start after failed or was cancelled."""


class OnConflict(enum.StrEnum):
    """What a submit does about a live job with the same ID, or else with the same key."""

    WAIT = "wait"
    """The new job runs when the other has ended; for a key alone."""
    REJECT = "reject"
    """The submit raises ``DuplicateJob``."""
    JOIN = "join"
    """The submit gives the handle of the other; the new job is not taken."""
    SUPERSEDE = "supersede"
    """The other is cancelled; the new job runs when it has ended."""


@final
@dataclass(frozen=True, slots=True)
class JobErrorInfo:
    """An error as text, which holds nothing alive.

    Attributes:
        type: The name of the error's class.
        message: The error's own message.
        traceback: The whole traceback as Python prints it.
    """

    type: str
    message: str
    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> JobErrorInfo:
        """Describe an error, also one that cannot be printed."""
        kind = type(error).__name__
        try:
            message = str(error)
        except Exception as flaw:  # noqa: BLE001 - the error's own __str__ is user code
            message = f"<no message: {type(flaw).__name__} while printing it>"
        try:
            text = "".join(traceback.format_exception(error))
        except Exception:  # noqa: BLE001 - user code again
            text = ""
        if not text:  # the lines of its own at least
            lines = traceback.format_tb(error.__traceback__)
            text = "".join(["Traceback (most recent call last):\n", *lines, f"{kind}: {message}\n"])
        return cls(kind, message, text)

    def as_dict(self) -> dict[str, object]:
        """Return the error in JSON's types; what UTF-8 cannot encode is escaped."""
        texts = {"type": self.type, "message": self.message, "traceback": self.traceback}
        return {name: utf8_escaped(text) for name, text in texts.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> JobErrorInfo:
        """Return what :meth:`as_dict` gave.

        Raises:
            ValueError: A field is missing, or is not text.
        """
        return cls(*(checked_field(data, name, str) for name in ("type", "message", "traceback")))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JobSnapshot(Generic[T_co]):
    """A job at one moment.

    Times are on Trio's clock, as ``trio.current_time()`` gives them.

    Its type has the type of the result, as in ``JobSnapshot[int]``.

    Attributes:
        id: The job's ID.
        name: The job's name.
        status: Where it is in its life.
        revision: Rises with each change of the job: of two snapshots the newer has the higher one.
        key: At most one job of a key runs at a time; None if it has none.
        tags: The tags it was submitted with.
        priority: Higher runs first.
        attempt: How often its function was started, this time included; 0 before the first.
        progress: What it last reported in this attempt; None if nothing.
        waiting_for: What keeps a pending job from running, the first that holds of
            ``"paused"``, ``"after"``, ``"time"``, ``"key"``, ``"rate"`` and ``"worker"``; None if
            it is not pending. As other jobs take a key or a start of a rate, and as these are free
            again, this changes without a new revision.
        cancel_requested: Whether it was asked to stop.
        cancel_cause: Why it was stopped, or was asked to; None otherwise.
        submitted_at: When the queue took it.
        due_at: From when on it may run, after an attempt: run again.
        started_at: When a worker took it, for its latest attempt; None until then.
        finished_at: When it ended; None until then.
        error: What its function raised; None unless it failed.
        result: What its function returned; None unless it completed.
        wall_offset: What to add to these times to get the seconds since 1970 of the wall clock;
            None if that is not known. It does not count when snapshots are compared.
        item: The item that the job was for, if :meth:`JobQueue.map` gave this snapshot; None
            otherwise. The same holds for it.
    """

    id: JobID
    name: str
    status: JobStatus
    revision: int
    key: Hashable
    tags: frozenset[str]
    priority: int
    attempt: int
    progress: JobProgress | None
    waiting_for: str | None
    cancel_requested: bool
    cancel_cause: CancelCause | None
    submitted_at: float
    due_at: float
    started_at: float | None
    finished_at: float | None
    error: JobErrorInfo | None
    result: T_co | None
    wall_offset: float | None = field(default=None, compare=False, repr=False)
    item: object = field(default=None, compare=False)

    def as_dict(self) -> dict[str, object]:
        """Return the snapshot in JSON's types.

        The fields have their names; enumerations are given by value, tags as a sorted list, the
        progress and the error as dicts. A result, item or key that JSON cannot hold is given as its
        ``repr``: nan, a set, a dict with keys that are not texts, lists nested more than a hundred
        deep; and a key that is a tuple. What UTF-8 cannot encode is escaped in texts. Beside the
        times on Trio's clock there are those of the wall clock, ``submitted_wall``, ``due_wall``,
        ``started_wall`` and ``finished_wall``: ISO texts in UTC.
        """
        progress, error = self.progress, self.error
        times = {
            f"{name}_wall": f"{name}_at" for name in ("submitted", "due", "started", "finished")
        }
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "id": utf8_escaped(self.id),
            "name": utf8_escaped(self.name),
            "status": self.status.value,
            "key": json_job_key_or_repr(self.key),
            "tags": sorted(utf8_escaped(tag) for tag in self.tags),
            "progress": None if progress is None else progress.as_dict(),
            "cancel_cause": None if self.cancel_cause is None else self.cancel_cause.value,
            **{wall: iso_time(getattr(self, at), self.wall_offset) for wall, at in times.items()},
            "error": None if error is None else error.as_dict(),
            "result": json_value_or_repr(self.result),
            "item": json_value_or_repr(self.item),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> JobSnapshot[object]:
        """Return the snapshot that :meth:`as_dict` gave, with the texts that stand for objects.

        Args:
            data: The dict, which JSON may have carried. Other names in it are ignored.

        Raises:
            ValueError: A field is missing, or has a value that ``as_dict`` does not give.
        """
        job_id = checked_field(data, "id", str)
        progress = checked_field(data, "progress", dict, NoneType)
        error = checked_field(data, "error", dict, NoneType)
        cause = checked_field(data, "cancel_cause", str, NoneType)
        return JobSnapshot(
            id=job_id,
            name=checked_field(data, "name", str),
            status=JobStatus(checked_field(data, "status", str)),
            revision=checked_field(data, "revision", int),
            key=json_job_key_or_repr(checked_field(data, "key")),
            tags=frozenset(map(str, checked_field(data, "tags", list))),
            priority=checked_field(data, "priority", int),
            attempt=checked_field(data, "attempt", int),
            progress=None if progress is None else JobProgress.from_dict(job_id, progress),
            waiting_for=checked_field(data, "waiting_for", str, NoneType),
            cancel_requested=checked_field(data, "cancel_requested", bool),
            cancel_cause=None if cause is None else CancelCause(cause),
            submitted_at=checked_field(data, "submitted_at", int, float),
            due_at=checked_field(data, "due_at", int, float),
            started_at=checked_field(data, "started_at", int, float, NoneType),
            finished_at=checked_field(data, "finished_at", int, float, NoneType),
            error=None if error is None else JobErrorInfo.from_dict(error),
            result=json_value_or_repr(checked_field(data, "result")),
            wall_offset=checked_field(data, "wall_offset", int, float, NoneType),
            item=json_value_or_repr(checked_field(data, "item")),
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatistics:
    """The queue in numbers.

    Each submitted job is counted in one of ``pending`` to ``cancelled``.

    Attributes:
        workers: The number of workers: how many jobs can run at once.
        pending: The number of jobs that wait to run.
        running: The number of jobs that run.
        completed: The number of completed jobs since the queue was opened.
        failed: The number of failed jobs.
        cancelled: The number of cancelled jobs.
        evicted: The number of ended jobs whose record was dropped.
        submitters_waiting: The number of tasks that wait in ``submit`` for room.
        unrecorded: The number of ended jobs that the history could not keep.
        wait_seconds: How long jobs that were due waited for their attempts, all together.
        run_seconds: How long the attempts took that have ended, all together.
    """

    workers: int
    pending: int
    running: int
    completed: int
    failed: int
    cancelled: int
    evicted: int
    submitters_waiting: int
    unrecorded: int = 0
    wait_seconds: float = 0.0
    run_seconds: float = 0.0
