"""Tells whether a failed request may have been carried out."""

from __future__ import annotations

from collections.abc import Collection

from ticketr.app.jira.errors import (
    BadAnswer,
    BadRequest,
    BadSite,
    BadToken,
    ConnectFailed,
    ConnectionLost,
    InsecureSite,
    JiraError,
    NoAnswer,
    ServerError,
    TlsFailed,
    WrongSite,
)

#: Errors of requests that were not sent.
_UNSENT = (BadSite, BadToken, ConnectFailed, InsecureSite, TlsFailed, WrongSite)


def may_have_happened(error: BaseException) -> bool:
    """Return whether a request may have been carried out because its answer was lost or unusable.

    Such a request must not be sent again unless it can be carried out twice. `certainly_failed`
    is stricter, for writes that were refused.

    Returns:
        Whether Jira may have carried it out; false for an error that no request raised.
    """
    return isinstance(error, ConnectionLost | NoAnswer | ServerError | BadAnswer)


def certainly_failed(error: JiraError, fields: Collection[str]) -> bool:
    """Return whether a write was certainly not carried out, whatever the answer says.

    A gateway can refuse a write that Jira carries out, and Jira can fail after it has carried it
    out. Only two cases are certain: the request was not sent, or Jira names a field that was sent.

    Args:
        error: What the request raised.
        fields: The IDs of the fields that were sent.

    Returns:
        Whether the write can be repeated without a look at what Jira has.
    """
    if isinstance(error, _UNSENT):
        return True
    return isinstance(error, BadRequest) and any(name in fields for name, _ in error.field_errors)
