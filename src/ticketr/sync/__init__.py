"""Joins Jira and the ticket files."""

from __future__ import annotations

from ticketr.sync.errors import (
    DuplicateKey,
    FileFailed,
    NoConflict,
    OtherSite,
    StateFailed,
    SyncError,
    UnknownField,
    WorkspaceBusy,
)
from ticketr.sync.jobs import PullJob, PushJob, SyncJob, SyncResult
from ticketr.sync.merge import Side
from ticketr.sync.notes import Code, Note
from ticketr.sync.pull import PullResult
from ticketr.sync.push import Action, PushResult
from ticketr.sync.resolve import Take, resolve
from ticketr.sync.session import OnWritten
from ticketr.sync.store import Store

__all__ = [
    "Action",
    "Code",
    "DuplicateKey",
    "FileFailed",
    "NoConflict",
    "Note",
    "OnWritten",
    "OtherSite",
    "PullJob",
    "PullResult",
    "PushJob",
    "PushResult",
    "Side",
    "StateFailed",
    "Store",
    "SyncError",
    "SyncJob",
    "SyncResult",
    "Take",
    "UnknownField",
    "WorkspaceBusy",
    "resolve",
]
