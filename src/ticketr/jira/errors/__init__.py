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
    "is_unsure",
    "may_be_done",
]

if TYPE_CHECKING:
    from collections.abc import Collection

#: What keeps a request from being sent at all.
_UNSENT = (BadSite, BadToken, ConnectFailed, InsecureSite, TlsFailed, WrongSite)


def is_unsure(error: BaseException) -> bool:
    """Tell whether a request may have been carried out although it failed.

    A refusal is sure, and so is a connection that was never made. After anything else a create
    must not be repeated before somebody has looked whether it happened.

    Args:
        error: What the request raised.

    Returns:
        Whether nobody knows. An error that does not come from a request is sure.
    """
    return isinstance(error, ConnectionLost | NoAnswer | ServerError | BadAnswer)


def may_be_done(error: JiraError, fields: Collection[str]) -> bool:
    """Tell whether a change may have been carried out, whatever the answer says.

    Something that stands before Jira can refuse what Jira carries out, and Jira can fail after it
    has. Only a request that was not sent is certain, and a refusal for what was sent.

    Args:
        error: What the request raised.
        fields: The IDs of the fields that were sent.

    Returns:
        Whether somebody has to look before the change is asked for again.
    """
    if isinstance(error, _UNSENT):
        return False
    return not (
        isinstance(error, BadRequest) and any(name in fields for name, _ in error.field_errors)
    )
