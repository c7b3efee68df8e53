"""The errors of the cluster, below ``TicketrError``.

The tree::

    TicketrError
     ├── ClusterUnavailable    the server cannot be reached, does not answer, or takes no calls
     ├── ClusterMisconfigured  the address, the secret or the server's settings are wrong
     ├── RemoteError           what a job raised in another process, as text
     └── JobError
          └── JobLost          the job's workers died again and again, or the server forgot it
"""

from __future__ import annotations

from dataclasses import dataclass

from ticketr._errors import JobError, TicketrError


@dataclass(eq=False, repr=False)
class ClusterUnavailable(TicketrError):
    """Raised when the server cannot be reached, does not answer, or takes no calls.

    It takes none while its disk is full, its memory is used up, or it refuses the password. Trying
    again may help.

    Attributes:
        server: The server's address, without a password.
        problem: What went wrong.
    """

    server: str
    problem: str

    def __str__(self) -> str:
        return f"the server {self.server} cannot be used now: {self.problem}"


@dataclass(eq=False, repr=False)
class ClusterMisconfigured(TicketrError, ValueError):
    """Raised for a wrong address, secret or setting of the server.

    Trying again does not help.

    Attributes:
        subject: What is wrong: the server's address without a password, or an argument's name.
        problem: What is wrong with it, and what to do.
    """

    subject: str
    problem: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}"


class RemoteError(TicketrError):
    """An error that a job raised in another process, as text; the cause of a ``JobFailed``.

    The traceback is also a note of the error, so that Python prints it.

    Attributes:
        error_type: The class name of the error.
        message: The error's own message.
        traceback: Its traceback, as text.
    """

    def __init__(self, error_type: str, message: str, traceback: str = "") -> None:
        super().__init__(error_type, message, traceback)
        self.error_type = error_type
        self.message = message
        self.traceback = traceback
        if traceback:
            self.add_note(f"In the worker:\n{traceback.rstrip()}")

    def __str__(self) -> str:
        return f"{self.error_type}: {self.message}" if self.message else self.error_type


class JobLost(JobError):
    """Raised by ``result()`` when a job can neither run nor tell how it ended.

    The workers that ran it died again and again, or the server has forgotten it.

    Attributes:
        job_id: The job's ID.
        name: The job's name.
        deaths: How many workers died while they ran it, or lost their lease; 0 if the server has
            forgotten the job.
    """

    def __init__(self, job_id: str, name: str, deaths: int) -> None:
        super().__init__(job_id, name, deaths)
        self.deaths = deaths

    def __str__(self) -> str:
        if not self.deaths:
            return f"job {self.job_id!r} ({self.name}) was lost: the server has forgotten it"
        return (
            f"job {self.job_id!r} ({self.name}) was given up: {self.deaths} workers died"
            " while they ran it, or lost their lease"
        )
