"""What can go wrong in the sandbox.

The tree::

    TicketrError
     └── SandboxError
          ├── CannotListen   the address could not be bound
          ├── DataFailed     the file that keeps a site cannot be used
          ├── OtherSeed      the site in a file was begun in another way
          ├── BadFaults      what was asked to go wrong is not understood
          ├── Refused        a request is answered with an error of Jira's shape
          └── JqlError       a query is not understood, or names what does not exist
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._errors import TicketrError

if TYPE_CHECKING:
    from pathlib import Path


class SandboxError(TicketrError):
    """The base of the sandbox's errors."""


class CannotListen(SandboxError):
    """The sandbox could not bind its address.

    Attributes:
        host: The host that was asked for.
        port: The port that was asked for.
        reason: What the operating system said.
        data: The file that remembers this port, if nobody asked for it just now.
    """

    def __init__(self, host: str, port: int, reason: str, data: str = "") -> None:
        super().__init__(host, port, reason, data)
        self.host = host
        self.port = port
        self.reason = reason
        self.data = data

    def __str__(self) -> str:
        what = f"cannot listen on {self.host} port {self.port}: {self.reason}"
        if self.data:
            return (
                f"{what}; folders know the site in {self.data} by this address, "
                "so end whatever has the port now, or begin another site"
            )
        return f"{what}; port 0 takes any free port"


class DataFailed(SandboxError):
    """The file that keeps a site cannot be opened, read or written.

    Attributes:
        path: The file.
        problem: What is wrong with it.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"the site's file {self.path} cannot be used: {self.problem}"


class OtherSeed(SandboxError):
    """The site in a file was begun with other issues than those that are asked for now.

    Attributes:
        path: The file.
        option: The option that says otherwise.
        given: What it says.
        begun: What the site was begun with.
    """

    def __init__(self, path: Path, option: str, given: int, begun: str) -> None:
        super().__init__(path, option, given, begun)
        self.path = path
        self.option = option
        self.given = given
        self.begun = begun

    def __str__(self) -> str:
        return (
            f"the site in {self.path} was begun with --{self.option} {self.begun}, "
            f"not {self.given}: leave that out to go on with it, or begin another one elsewhere"
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


class RequestRefused(SandboxError):
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
