"""Everything that speaks HTTP to Jira.

`open_jira` gives a `JiraClient`; `adf` turns Jira's rich text into Markdown and back; `errors` is
the tree of what can go wrong.
"""

from __future__ import annotations

from ticketr.jira.client import JiraClient, open_jira
from ticketr.jira.credentials import Credentials
from ticketr.jira.errors import (
    AuthenticationFailed,
    BadAnswer,
    BadRequest,
    BadSite,
    ConnectFailed,
    ConnectionLost,
    Forbidden,
    InsecureSite,
    JiraError,
    NoAnswer,
    NotFound,
    RateLimited,
    Redirected,
    Rejected,
    ServerError,
    TlsFailed,
    WrongSite,
)
from ticketr.jira.limits import RetryRule
from ticketr.jira.models import (
    BulkFetched,
    Field,
    Issue,
    Project,
    SearchPage,
    SearchResult,
    ServerInfo,
    User,
)

__all__ = [
    "AuthenticationFailed",
    "BadAnswer",
    "BadRequest",
    "BadSite",
    "BulkFetched",
    "ConnectFailed",
    "ConnectionLost",
    "Credentials",
    "Field",
    "Forbidden",
    "InsecureSite",
    "Issue",
    "JiraClient",
    "JiraError",
    "NoAnswer",
    "NotFound",
    "Project",
    "RateLimited",
    "Redirected",
    "Rejected",
    "RetryRule",
    "SearchPage",
    "SearchResult",
    "ServerError",
    "ServerInfo",
    "TlsFailed",
    "User",
    "WrongSite",
    "open_jira",
]
