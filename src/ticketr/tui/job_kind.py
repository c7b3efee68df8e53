"""What the app can have a job do."""

from __future__ import annotations

from enum import Enum


class JobKind(Enum):
    """One kind of job between the workspace and Jira; the values are the words for it."""

    PULL = "pull"
    PUSH = "push"
    SYNC = "sync"
