"""The kinds of jobs that the app starts."""

from __future__ import annotations

from enum import Enum


class JobKind(Enum):
    """A kind of job between the workspace and Jira."""

    PULL = "pull"
    PUSH = "push"
    SYNC = "sync"
