"""The errors that ticketr raises.

The tree::

    TicketrError
     ├── QueueClosed       the queue takes no more jobs
     ├── QueueFull         submit_nowait() found no room
     ├── UnknownJob        the queue knows no job with this ID
     ├── DuplicateJob      a live job has this ID or key already
     ├── WouldDeadlock     the wait could never end
     ├── HistoryFailed     a job history cannot be read or written
     ├── NotSendable       another process could not run the job
     ├── StoreFailed       a store of jobs cannot be read or written
     ├── StoreInUse        another queue has the store open
     ├── TooManyKills      a job's process has ended too often
     ├── RetryLater        raised by a job: retry it later
     ├── GiveUp            raised by a job: do not retry it
     └── JobError          raised by result() for a job without a result
          ├── JobFailed    its function raised
          ├── JobCancelled it was cancelled
          └── JobTimedOut  its own time limit passed

``QueueFull`` is in ``ticketr.jobs``, since it is a ``trio.WouldBlock`` too.

Each error takes its facts, keeps them as attributes and builds its message from them. Pickle carries
the facts, so an error arrives complete in another process. An error outside the queue is a dataclass
of its facts.
"""

from __future__ import annotations

from dataclasses import fields


class TicketrError(Exception):
    """The base of every error that ticketr raises on purpose.

    Nurseries raise errors in groups: catch them with ``except* TicketrError``.
    """

    def __post_init__(self) -> None:
        """Keep the facts of an error that is a dataclass as its ``args``, for pickle."""
        facts = fields(self)  # type: ignore[arg-type]  # a dataclass calls this, and nothing else
        Exception.__init__(self, *(getattr(self, fact.name) for fact in facts if fact.init))


class QueueClosed(TicketrError):
    """Raised by a submit to a queue that is shutting down or closed."""

    def __str__(self) -> str:
        return "the job queue is closed: it takes no more jobs"


class UnknownJob(TicketrError):
    """Raised when the queue knows no job with an ID, or has dropped its record.

    Attributes:
        job_id: The ID asked for.
    """

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"no job {self.job_id!r} is known: it never was, or its record was dropped"


class DuplicateJob(TicketrError):
    """Raised by a submit whose ``id`` or ``key`` belongs to a live job.

    Attributes:
        job_id: The ID of that job.
        key: The key, if the conflict is about it; None if it is about the ID.
    """

    def __init__(self, job_id: str, key: object = None) -> None:
        super().__init__(job_id, key)
        self.job_id = job_id
        self.key = key

    def __str__(self) -> str:
        if self.key is not None:
            try:
                key = repr(self.key)
            except Exception:  # noqa: BLE001 - it is any object of the user's
                key = "that cannot be shown"
            return f"job {self.job_id!r} of the same key {key} has not ended"
        return f"job {self.job_id!r} has not ended: its ID is free again once it has"


class WouldDeadlock(TicketrError):
    """Raised inside a job by a wait that could never end.

    Attributes:
        job_id: The ID of the job that would wait.
        awaited: What it would wait for, as text.
    """

    def __init__(self, job_id: str, awaited: str) -> None:
        super().__init__(job_id, awaited)
        self.job_id = job_id
        self.awaited = awaited

    def __str__(self) -> str:
        return f"job {self.job_id!r} would wait for ever for {self.awaited}"


class HistoryFailed(TicketrError):
    """Raised when a job history cannot be read or written.

    It never fails a job.

    Attributes:
        path: The file.
        problem: What is wrong with it.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"the job history {self.path} cannot be used: {self.problem}"


class NotSendable(TicketrError):
    """Raised by a submit if the job or a value of it would not reach another process as it is.

    ``JobQueue.retry`` raises it if the store cannot load the job.

    Attributes:
        what: Which part of the job it is, such as ``"argument 1['when']"``.
        value: That part as text.
        problem: What is wrong with it, and what to do about that.
    """

    def __init__(self, what: str, value: str, problem: str) -> None:
        super().__init__(what, value, problem)
        self.what = what
        self.value = value
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.what} cannot be sent: {self.value} {self.problem}"


class StoreFailed(TicketrError):
    """Raised when a store of jobs cannot be read or written.

    What was on disk before stays there.

    Attributes:
        path: The file.
        problem: What is wrong with it.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"the store of jobs {self.path} cannot be used: {self.problem}"


class StoreInUse(TicketrError):
    """Raised by the opening of a queue whose store another queue has open.

    Attributes:
        path: The file.
        pid: The process of that queue; None if that is not known.
    """

    def __init__(self, path: str, pid: int | None) -> None:
        super().__init__(path, pid)
        self.path = path
        self.pid = pid

    def __str__(self) -> str:
        owner = "another process" if self.pid is None else f"process {self.pid}"
        return f"the store of jobs {self.path} is open in {owner}: a store has one queue at a time"


class TooManyKills(TicketrError):
    """The error of a job whose process ended too often while it ran.

    Attributes:
        kills: How often the process has ended.
    """

    def __init__(self, kills: int) -> None:
        super().__init__(kills)
        self.kills = kills

    def __str__(self) -> str:
        times = "once" if self.kills == 1 else f"{self.kills} times"
        return f"the process ended {times} while the job ran, and it may not be started again"


class RetryLater(TicketrError):
    """Raise it in a job to have it retried later; that uses up no attempt of its retry rule.

    In an exception group it counts only if it is the only error. So does :class:`GiveUp`.

    Attributes:
        delay: The seconds until the next attempt.
    """

    def __init__(self, delay: float = 0.0) -> None:
        try:
            is_no_number = issubclass(type(delay), (str, bytes, bool))  # float() accepts these
            seconds = float("nan") if is_no_number else float(delay)
        except Exception:  # noqa: BLE001 - the value's own code
            seconds = float("nan")
        if not 0 <= seconds < float("inf"):
            what = f"{seconds:g}" if seconds == seconds else f"{type(delay).__name__}"  # nan
            raise ValueError(f"delay must be a number of seconds, not {what}")
        super().__init__(seconds)
        self.delay = seconds

    def __str__(self) -> str:
        return f"to be tried again after {self.delay:g} s"


class GiveUp(TicketrError):
    """Raise it in a job that is not to be retried: the job has failed."""


class JobError(TicketrError):
    """The base of the errors that ``result()`` raises for a job without a result.

    Attributes:
        job_id: The job's ID.
        name: The job's name.
    """

    def __init__(self, job_id: str, name: str, *facts: object) -> None:
        super().__init__(job_id, name, *facts)
        self.job_id = job_id
        self.name = name


class JobFailed(JobError):
    """Raised by ``result()`` when the job's function raised; that error is the ``__cause__``.

    A note has the job's own traceback.

    Attributes:
        job_id: The job's ID.
        name: The job's name.
        error_type: The class name of the error.
        message: The error's own message.
    """

    def __init__(self, job_id: str, name: str, error_type: str, message: str) -> None:
        super().__init__(job_id, name, error_type, message)
        self.error_type = error_type
        self.message = message

    def __str__(self) -> str:
        reason = f"{self.error_type}: {self.message}" if self.message else self.error_type
        return f"job {self.job_id!r} ({self.name}) failed: {reason}"


class JobCancelled(JobError):
    """Raised by ``result()`` when the job was cancelled.

    Attributes:
        job_id: The job's ID.
        name: The job's name.
        cause: Why it was cancelled, a ``CancelCause``.
    """

    def __init__(self, job_id: str, name: str, cause: str) -> None:
        super().__init__(job_id, name, cause)
        self.cause = cause

    def __str__(self) -> str:
        return f"job {self.job_id!r} ({self.name}) was cancelled (cause: {self.cause})"


class JobTimedOut(JobError):
    """Raised by ``result()`` when the job's own time limit passed.

    Attributes:
        job_id: The job's ID.
        name: The job's name.
        timeout: The limit in seconds.
    """

    def __init__(self, job_id: str, name: str, timeout: float) -> None:
        super().__init__(job_id, name, timeout)
        self.timeout = timeout

    def __str__(self) -> str:
        return f"job {self.job_id!r} ({self.name}) timed out after {self.timeout:g} s"


# Tracebacks and reprs name things where users find them.
for _thing in [*globals().values()]:
    if isinstance(_thing, type):
        _thing.__module__ = "ticketr"
