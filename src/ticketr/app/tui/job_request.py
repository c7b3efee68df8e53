"""What a job is asked to do, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.sync import BulkChange, BulkIssue, Loss, PushPlan


class JobKind(Enum):
    """The kind of a job; the value is its verb."""

    PULL = "pull"
    PUSH = "push"
    SYNC = "sync"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """A change of many issues in Jira.

    Attributes:
        issues: The issues.
        change: What is changed.
    """

    issues: tuple[BulkIssue, ...]
    change: BulkChange


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a job is asked to do.

    Attributes:
        kind: The kind of the job.
        accepted: The losses in Jira that the job may cause.
        confirmed: The plan that was confirmed; None for a pull.
        keys: The tickets to which it is limited; empty for all.
        bulk: What a change of many issues does; None for other jobs.
    """

    kind: JobKind
    accepted: frozenset[Loss] = frozenset()
    confirmed: PushPlan | None = None
    keys: tuple[str, ...] = ()
    bulk: BulkRequest | None = None
