"""What can go wrong between ticketr and Jira.

The tree::

    TicketrError
     └── JiraError             .url, without user, query or fragment
          ├── BadSite          the site's address cannot be used
          ├── InsecureSite     plain http to another machine
          ├── WrongSite        the token belongs to another site
          ├── BadToken         the token cannot be sent at all
          ├── ConnectFailed    nobody answered at that address
          ├── TlsFailed        the certificate was not accepted
          ├── ConnectionLost   the connection broke before the answer was whole
          ├── NoAnswer         connected, then silence
          ├── Redirected       3xx; redirects are never followed
          ├── Rejected         4xx; .status and Jira's own words
          │    ├── BadRequest            400
          │    ├── AuthenticationFailed  401
          │    ├── Forbidden             403
          │    ├── NotFound              404
          │    └── RateLimited           429
          ├── ServerError      5xx
          ├── IssuesUnavailable  some of several issues could not be given
          └── BadAnswer        no JSON, or not of the expected shape

An error's ``args`` are its facts, so that it can be pickled; its message is built from them when
it is shown. Words that came from a server are cleaned and clipped before they become a fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jira.errors._answers import (
    BadAnswer,
    IssuesUnavailable,
    Redirected,
    ServerError,
)
from ticketr.jira.errors._base import JiraError
from ticketr.jira.errors._connections import ConnectFailed, ConnectionLost, NoAnswer, TlsFailed
from ticketr.jira.errors._refusals import (
    REJECTIONS,
    TOKEN_PAGE,
    AuthenticationFailed,
    BadRequest,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
)
from ticketr.jira.errors._unsent import BadSite, BadToken, InsecureSite, WrongSite

__all__ = [
    "REJECTIONS",
    "TOKEN_PAGE",
    "AuthenticationFailed",
    "BadAnswer",
    "BadRequest",
    "BadSite",
    "BadToken",
    "ConnectFailed",
    "ConnectionLost",
    "Forbidden",
    "InsecureSite",
    "IssuesUnavailable",
    "JiraError",
    "NoAnswer",
    "NotFound",
    "RateLimited",
    "Redirected",
    "Rejected",
    "ServerError",
    "TlsFailed",
    "WrongSite",
    "certainly_failed",
    "may_have_happened",
]

if TYPE_CHECKING:
    from collections.abc import Collection

#: Errors of requests that were not sent.
_UNSENT = (BadSite, BadToken, ConnectFailed, InsecureSite, TlsFailed, WrongSite)


def may_have_happened(error: BaseException) -> bool:
    """Tell whether a request may have been carried out because its answer was lost or unusable.

    A request that failed so must not be sent again unless it can be carried out twice. For a
    write that was refused, `certainly_failed` is the stricter question.

    Args:
        error: What the request raised.

    Returns:
        Whether Jira may have carried it out; false for an error that no request raised.
    """
    return isinstance(error, ConnectionLost | NoAnswer | ServerError | BadAnswer)


def certainly_failed(error: JiraError, fields: Collection[str]) -> bool:
    """Tell whether a write was certainly not carried out, whatever the answer says.

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
