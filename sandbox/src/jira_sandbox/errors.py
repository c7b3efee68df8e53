"""The errors of the sandbox.

The tree::

    SandboxError
     ├── CannotListen   the address could not be bound
     ├── DataFailed     the file that keeps a site cannot be used
     ├── OtherSeed      the site in a file was generated with other options
     ├── BadFaults      a specification of faults is invalid
     ├── RequestRefused a request is answered with an error of Jira's shape
     └── JqlError       a query is invalid, or names what does not exist
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path


class SandboxError(Exception):
    """The base of the sandbox's errors."""

    def __post_init__(self) -> None:
        """Keep the facts of an error as its ``args``, for pickle."""
        facts = fields(self)  # type: ignore[arg-type]  # each error is a dataclass
        Exception.__init__(self, *(getattr(self, fact.name) for fact in facts))


@dataclass(eq=False, repr=False)
class CannotListen(SandboxError):
    """The sandbox could not bind its address.

    Attributes:
        host: The requested host.
        port: The requested port.
        reason: The operating system's error message.
        data: The site's file, if the port comes from there; else empty.
    """

    host: str
    port: int
    reason: str
    data: str = ""

    def __str__(self) -> str:
        what = f"cannot listen on {self.host} port {self.port}: {self.reason}"
        if self.data:
            return (
                f"{what}; workspaces use this address for the site in {self.data}, "
                "so stop the program that uses the port, or start a new site"
            )
        return f"{what}; port 0 takes any free port"


@dataclass(eq=False, repr=False)
class DataFailed(SandboxError):
    """The file that keeps a site cannot be opened, read or written.

    Attributes:
        path: The file.
        problem: What is wrong with it.
    """

    path: Path
    problem: str

    def __str__(self) -> str:
        return f"the site's file {self.path} cannot be used: {self.problem}"


@dataclass(eq=False, repr=False)
class OtherSeed(SandboxError):
    """The site in a file was generated with other options than those given now.

    Attributes:
        path: The file.
        option: The name of the option that differs.
        given: Its value now.
        begun: Its value when the site was generated.
    """

    path: Path
    option: str
    given: int
    begun: str

    def __str__(self) -> str:
        return (
            f"the site in {self.path} was made with --{self.option} {self.begun}, not "
            f"{self.given}: leave the option out to use this site, or give another file"
        )


@dataclass(eq=False, repr=False)
class BadFaults(SandboxError):
    """A specification of faults is invalid.

    Attributes:
        text: The specification.
        problem: What is wrong with it.
    """

    text: str
    problem: str

    def __str__(self) -> str:
        return f"the faults {self.text!r} are invalid: {self.problem}"


@dataclass(eq=False, repr=False)
class RequestRefused(SandboxError):
    """Jira would answer the request with an error.

    Attributes:
        status: The HTTP status.
        message: The entry of ``errorMessages``.
    """

    status: int
    message: str

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


@dataclass(eq=False, repr=False)
class JqlError(SandboxError):
    """Jira would refuse the query.

    Attributes:
        message: Jira's error message.
    """

    message: str
