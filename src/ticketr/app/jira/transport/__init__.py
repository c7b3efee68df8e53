"""The HTTP transport of the client: one protocol, one adapter for each package."""

from __future__ import annotations

from typing import Any, Literal

from ticketr.app.jira.transport.base import AsksMissing, Request, Response, Transport

__all__ = ["AsksMissing", "HttpPackage", "Request", "Response", "Transport", "make_transport"]

#: The packages that can speak HTTP; the first is the default.
HttpPackage = Literal["httpx", "asks"]


def make_transport(name: HttpPackage = "httpx", **options: Any) -> Transport:
    """Make the transport of one package, loading that package alone.

    Args:
        name: The package.
        options: Attributes of `TransportLimitsAndTls`, by name.

    Returns:
        The transport, to be opened by ``async with``.

    Raises:
        AsksMissing: It is to be asks, and asks cannot be used; opening may raise it too.
    """
    # Each takes longer to import than all of ticketr.
    if name == "httpx":
        from ticketr.app.jira.transport._httpx import HttpxTransport  # noqa: PLC0415 - see above

        return HttpxTransport(**options)
    try:
        from ticketr.app.jira.transport._asks import AsksTransport  # noqa: PLC0415 - see above
    except ImportError as error:
        raise AsksMissing(str(error)) from error
    return AsksTransport(**options)
