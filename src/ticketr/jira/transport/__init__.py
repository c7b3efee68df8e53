"""The HTTP transport of the client: one protocol, one adapter for each package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ticketr.jira.transport.base import (
    ANSWER_WITHIN,
    CONNECT_WITHIN,
    LARGEST_BODY,
    WHOLE_WITHIN,
    Request,
    Response,
    Transport,
)
from ticketr.jira.transport.errors import AsksMissing

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

__all__ = ["AsksMissing", "HttpPackage", "Request", "Response", "Transport", "open_transport"]

#: The packages that can speak HTTP; the first is the default.
HttpPackage = Literal["httpx", "asks"]


def open_transport(
    name: HttpPackage = "httpx",
    *,
    answer_within: float = ANSWER_WITHIN,
    whole_within: float = WHOLE_WITHIN,
    connect_within: float = CONNECT_WITHIN,
    largest_body: int = LARGEST_BODY,
    verify: ssl.SSLContext | None = None,
) -> Transport:
    """Make the transport of one package, loading that package alone.

    Args:
        name: The package.
        answer_within: The longest silence, in seconds, between two pieces of an answer.
        whole_within: The longest that one answer may take, in seconds.
        connect_within: The longest wait, in seconds, for a connection.
        largest_body: The largest answer, in bytes, decompressed.
        verify: What to check certificates against; the default is those that certifi brings, or
            those that ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` names.

    Returns:
        The transport, to be opened by ``async with``.

    Raises:
        AsksMissing: It is to be asks, and asks cannot be used; opening may raise it too.
        ValueError: There is no such package.
    """
    return _adapter(name)(
        answer_within=answer_within,
        whole_within=whole_within,
        connect_within=connect_within,
        largest_body=largest_body,
        verify=verify,
    )


def _adapter(name: str) -> Callable[..., Transport]:
    """Load an adapter; each takes longer to import than all of ticketr."""
    if name == "httpx":
        from ticketr.jira.transport._httpx import HttpxTransport  # noqa: PLC0415 - see above

        return HttpxTransport
    if name == "asks":
        try:
            from ticketr.jira.transport._asks import AsksTransport  # noqa: PLC0415 - see above
        except ImportError as error:
            raise AsksMissing(str(error)) from error
        return AsksTransport
    raise ValueError(f"no package {name!r} speaks HTTP here: use 'httpx' or 'asks'")
