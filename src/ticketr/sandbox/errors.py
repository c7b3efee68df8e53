"""What can go wrong in the sandbox.

The tree::

    TicketrError
     └── SandboxError
          ├── CannotListen   the address could not be bound
          ├── BadFaults      what was asked to go wrong is not understood
          ├── Refused        a request is answered with an error of Jira's shape
          └── JqlError       a query is not understood, or names what does not exist
"""

from __future__ import annotations

from ticketr._errors import TicketrError


class SandboxError(TicketrError):
    """The base of the sandbox's errors."""


class CannotListen(SandboxError):
    """The sandbox could not bind its address.

    Attributes:
        host: The host that was asked for.
        port: The port that was asked for.
        reason: What the operating system said.
    """

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(host, port, reason)
        self.host = host
        self.port = port
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"cannot listen on {self.host} port {self.port}: {self.reason}; "
            "port 0 takes any free port"
        )


class BadFaults(SandboxError):
    """A specification of faults that is not understood.

    Attributes:
        text: The specification.
        problem: What is wrong with it.
    """

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(text, problem)
        self.text = text
        self.problem = problem

    def __str__(self) -> str:
        return f"the faults {self.text!r} are not understood: {self.problem}"


class Refused(SandboxError):
    """A request that Jira would answer with an error.

    Attributes:
        status: The HTTP status.
        message: The entry of ``errorMessages``.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


class JqlError(SandboxError):
    """A query that Jira would refuse.

    Attributes:
        message: What is wrong, in Jira's words.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
