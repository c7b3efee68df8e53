"""Everything that speaks HTTP to Jira.

`open_jira` opens a `JiraClient`; `adf` converts Jira's rich text to Markdown and back; `errors` has
the tree of errors.
"""

from __future__ import annotations

from ticketr.jira.attachments import PORTION, Attachment, AttachmentSettings, Upload
from ticketr.jira.bulk import BulkProgress
from ticketr.jira.client import JiraClient, open_jira
from ticketr.jira.createmeta import Allowed, CreateField, IssueType
from ticketr.jira.credentials import Credentials, gateway_site
from ticketr.jira.errors import (
    AuthenticationFailed,
    BadAnswer,
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    JiraError,
    NotFound,
    RateLimited,
    Redirected,
    Rejected,
)
from ticketr.jira.issues import MOST_CREATED
from ticketr.jira.links import LinkType
from ticketr.jira.models import (
    BulkFetched,
    Created,
    Field,
    Issue,
    Project,
    ServerInfo,
    Transition,
    User,
)
from ticketr.jira.outcome import certainly_failed, may_have_happened
from ticketr.jira.retry import LONGEST_WAIT, RetryPolicy
from ticketr.jira.tenant import ask_cloud_id, ask_server_info
from ticketr.jira.worklogs import Worklog

__all__ = [
    "LONGEST_WAIT",
    "MOST_CREATED",
    "PORTION",
    "Allowed",
    "Attachment",
    "AttachmentSettings",
    "AuthenticationFailed",
    "BadAnswer",
    "BadRequest",
    "BulkFetched",
    "BulkProgress",
    "ConnectFailed",
    "ConnectionLost",
    "CreateField",
    "Created",
    "Credentials",
    "Field",
    "Issue",
    "IssueType",
    "JiraClient",
    "JiraError",
    "LinkType",
    "NotFound",
    "Project",
    "RateLimited",
    "Redirected",
    "Rejected",
    "RetryPolicy",
    "ServerInfo",
    "Transition",
    "Upload",
    "User",
    "Worklog",
    "ask_cloud_id",
    "ask_server_info",
    "certainly_failed",
    "gateway_site",
    "may_have_happened",
    "open_jira",
]
