"""Everything that speaks HTTP to Jira.

`open_jira` opens a `JiraClient`; `adf` converts Jira's rich text to Markdown and back; `errors` has
the tree of errors.

A module is imported when the first of its names is looked up, so that a command that sends nothing
does not wait for what speaks HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._lazy import import_on_use, type_checking_imports

if TYPE_CHECKING:
    from ticketr.app.jira.attachments import CHUNK_BYTES, AttachmentSettings, Upload
    from ticketr.app.jira.client import JiraClient, open_jira
    from ticketr.app.jira.credentials import Credentials, gateway_site
    from ticketr.app.jira.errors import (
        AuthenticationFailed,
        BadAnswer,
        BadRequest,
        JiraError,
        NotFound,
        RateLimited,
        Redirected,
        Rejected,
    )
    from ticketr.app.jira.issues import MAX_CREATED_PER_REQUEST, BulkProgress, Worklog
    from ticketr.app.jira.models import (
        AllowedValue,
        Attachment,
        BulkFetched,
        Created,
        Field,
        Issue,
        LastChange,
        Project,
        ScreenField,
        Transition,
        User,
    )
    from ticketr.app.jira.rest_api import ask_cloud_id, check_cloud
    from ticketr.app.jira.retry import (
        MAX_REQUESTED_WAIT,
        certainly_failed,
        may_have_happened,
    )
    from ticketr.app.jira.site import MAX_FOUND_USERS, IssueType

_MODULE_BY_NAME = type_checking_imports(__name__, __file__)

if not TYPE_CHECKING:  # pragma: no branch - to a type checker, any name would seem to exist
    __all__ = list(_MODULE_BY_NAME)
    __getattr__ = import_on_use(__name__, _MODULE_BY_NAME)
