"""Joins Jira and the ticket files."""

from __future__ import annotations

from ticketr.sync.errors import (
    DuplicateKey,
    FileFailed,
    OtherSite,
    StateFailed,
    SyncError,
    WorkspaceBusy,
)
from ticketr.sync.pull import PullJob, PullResult
from ticketr.sync.store import Store
from ticketr.sync.writer import Note

__all__ = [
    "DuplicateKey",
    "FileFailed",
    "Note",
    "OtherSite",
    "PullJob",
    "PullResult",
    "StateFailed",
    "Store",
    "SyncError",
    "WorkspaceBusy",
]
