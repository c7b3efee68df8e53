"""The errors that ticketr raises.

The tree::

    TicketrError
     ├── QueueClosed       the queue takes no more jobs
     ├── QueueFull         no room, and the caller would not wait
     ├── UnknownJob        no job with this ID is known
     ├── DuplicateJob      a live job has this ID already
     ├── WouldDeadlock     the wait could never end
     ├── HistoryFailed     a history of jobs cannot be read or written
     ├── RetryLater        raised by a job: try it again later
     ├── GiveUp            raised by a job: do not try it again
     └── JobError          what became of a job, raised by ``result()``
          ├── JobFailed    its function raised
          ├── JobCancelled it was cancelled
          └── JobTimedOut  its own time limit passed

Each takes the facts, keeps them as attributes and words its own message from
them; the facts are also what pickle carries, so that an error crosses a process
border whole. An error outside the queue is a dataclass of its facts.
"""

from __future__ import annotations

from dataclasses import fields


class TicketrError(Exception):
    """The base of every error that ticketr raises on purpose.

    Nurseries wrap errors in groups, so one base class lets a program write
    ``except* TicketrError``.
    """

    def __post_init__(self) -> None:
        """Keep the facts of an error that is a dataclass as its ``args``, for pickle."""
        facts = fields(self)  # type: ignore[arg-type]  # a dataclass calls this, and nothing else
        Exception.__init__(self, *(getattr(self, fact.name) for fact in facts if fact.init))


class QueueClosed(TicketrError):
    """Raised by a submit once the queue is shutting down or closed."""

    def __str__(self) -> str:
        return "the job queue is closed: it takes no more jobs"


class QueueFull(TicketrError):
    """Raised by ``submit_nowait`` when as many jobs are pending as may be.

    Attributes:
        max_pending: How many jobs may be pending.
    """

    def __init__(self, max_pending: float) -> None:
        super().__init__(max_pending)
        self.max_pending = max_pending

    def __str__(self) -> str:
        return f"{self.max_pending} jobs are pending already: await submit() to wait for room"


class UnknownJob(TicketrError):
    """Raised when a job is asked for by an ID that the queue does not know (any more).

    Attributes:
        job_id: The ID asked for.
    """

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"no job {self.job_id!r} is known: it never was, or its record was dropped"


class DuplicateJob(TicketrError):
    """Raised by a submit whose ``id`` or ``key`` belongs to a job that has not ended.

    Attributes:
        job_id: The ID of that job.
        key: The key, if that was what counted.
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
        job_id: The job that would wait.
        awaited: What it would wait for, in words.
    """

    def __init__(self, job_id: str, awaited: str) -> None:
        super().__init__(job_id, awaited)
        self.job_id = job_id
        self.awaited = awaited

    def __str__(self) -> str:
        return f"job {self.job_id!r} would wait for ever for {self.awaited}"


class HistoryFailed(TicketrError):
    """Raised when a history of jobs cannot be read or written. No job fails of it.

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


class RetryLater(TicketrError):
    """Raised by a job that wants to be tried again later; that uses up no attempt.

    Attributes:
        delay: After how many seconds.
    """

    def __init__(self, delay: float = 0.0) -> None:
        try:
            is_other = issubclass(type(delay), (str, bytes, bool))  # which float() would take
            seconds = float("nan") if is_other else float(delay)
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
    """Raised by a job that no further attempt can help: it has failed."""


class JobError(TicketrError):
    """The base of what ``result()`` raises for a job that gave no value.

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

    Attributes:
        job_id: The job's ID.
        name: The job's name.
        error_type: The name of the error's class.
        message: The error's own message.
    """

    def __init__(self, job_id: str, name: str, error_type: str, message: str) -> None:
        super().__init__(job_id, name, error_type, message)
        self.error_type = error_type
        self.message = message

    def __str__(self) -> str:
        said = f"{self.error_type}: {self.message}" if self.message else self.error_type
        return f"job {self.job_id!r} ({self.name}) failed: {said}"


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
