"""Joins Jira and the ticket files."""

from __future__ import annotations

from ticketr.sync.actions import Action
from ticketr.sync.errors import (
    DuplicateKey,
    FileFailed,
    NoConflict,
    OtherSite,
    RenamedProject,
    StateFailed,
    SyncError,
    UnknownField,
    UnsupportedField,
    WorkspaceBusy,
)
from ticketr.sync.files import write_new_file
from ticketr.sync.jobs import PullJob, PushJob, SyncJob, SyncResult
from ticketr.sync.journal import Conflict, Creation
from ticketr.sync.local import LocalSurvey
from ticketr.sync.losses import Loss, known_losses
from ticketr.sync.mapping import Columns
from ticketr.sync.marks import Marked, marked_file, marked_files
from ticketr.sync.merge import Side
from ticketr.sync.notes import Code, Note
from ticketr.sync.plan import Work
from ticketr.sync.pull import PullResult
from ticketr.sync.push import PushResult
from ticketr.sync.reading import bears_mark, sign_state
from ticketr.sync.resolve import Take, conflict_of, resolve
from ticketr.sync.session import OnWritten
from ticketr.sync.state import State
from ticketr.sync.store import Store

__all__ = [
    "Action",
    "Code",
    "Columns",
    "Conflict",
    "Creation",
    "DuplicateKey",
    "FileFailed",
    "LocalSurvey",
    "Loss",
    "Marked",
    "NoConflict",
    "Note",
    "OnWritten",
    "OtherSite",
    "PullJob",
    "PullResult",
    "PushJob",
    "PushResult",
    "RenamedProject",
    "Side",
    "State",
    "StateFailed",
    "Store",
    "SyncError",
    "SyncJob",
    "SyncResult",
    "Take",
    "UnknownField",
    "UnsupportedField",
    "Work",
    "WorkspaceBusy",
    "bears_mark",
    "conflict_of",
    "known_losses",
    "marked_file",
    "marked_files",
    "resolve",
    "sign_state",
    "write_new_file",
]
