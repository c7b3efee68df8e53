"""An issue: its fields and what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from jira_sandbox.data.model import (
        Adf,
        Component,
        IssueType,
        Option,
        Priority,
        Project,
        Resolution,
        Sprint,
        Status,
        User,
        Version,
    )
    from jira_sandbox.data.parts import Attachment, Comment, History, Link, RemoteLink, Worklog


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue, sub-tasks included.

    Attributes:
        creator: The user who created the issue; None stands for the reporter.
        resolved: The time of the resolution; None for an unresolved issue.
        resolution: The resolution; None in a resolved issue stands for the default one.
        moved: The time of the last change of the status category; None if it never changed.
        properties: The entity properties, by key.
        original_estimate: The first estimate in seconds.
        remaining_estimate: The time that is still needed, in seconds.
        values: The values of the fields in `EXTRA_FIELDS`, by ID; a field without one is missing.
        links: The links from and to the issue; the other issue holds each of them, too.
        history: The changes, the oldest first.
        watchers: The users who watch the issue; None stands for the reporter.
        rank: The place in boards, the smallest first; None stands for the issue's number.
    """

    id: int
    number: int
    project: Project
    type: IssueType
    status: Status
    priority: Priority
    summary: str
    description: Adf | None
    reporter: User
    created: int
    updated: int
    assignee: User | None = None
    parent: int | None = None
    resolved: int | None = None
    due: date | None = None
    labels: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    fix_versions: tuple[Version, ...] = ()
    story_points: float | None = None
    sprints: tuple[Sprint, ...] = ()
    platform: Option | None = None
    release_note: str | None = None
    reviewer: User | None = None
    ready: int | None = None
    creator: User | None = None
    moved: int | None = None
    resolution: Resolution | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    original_estimate: int | None = None
    remaining_estimate: int | None = None
    comments: tuple[Comment, ...] = ()
    worklogs: tuple[Worklog, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    links: tuple[Link, ...] = ()
    remote_links: tuple[RemoteLink, ...] = ()
    history: tuple[History, ...] = ()
    watchers: tuple[User, ...] | None = None
    voters: tuple[User, ...] = ()
    rank: float | None = None

    @property
    def key(self) -> str:
        """The key that people use, such as ``DEMO-7``."""
        return f"{self.project.key}-{self.number}"

    @property
    def seconds_spent(self) -> int | None:
        """The time that was spent in seconds; None without a worklog."""
        return sum(worklog.seconds for worklog in self.worklogs) if self.worklogs else None

    @property
    def watching(self) -> tuple[User, ...]:
        """The users who watch the issue."""
        return (self.reporter,) if self.watchers is None else self.watchers

    @property
    def place(self) -> float:
        """The rank among all issues."""
        return float(self.number) if self.rank is None else self.rank

    def parts(self) -> Iterator[Comment | Worklog | Attachment | Link | RemoteLink]:
        """Return everything in the issue whose ID comes from the counter for parts."""
        yield from self.comments
        yield from self.worklogs
        yield from self.attachments
        yield from self.links
        yield from self.remote_links


class IssueValues(TypedDict, total=False):
    """The attributes of an `Issue` that a request may set, as keywords."""

    priority: Priority
    description: Adf | None
    reporter: User
    assignee: User | None
    parent: int | None
    due: date | None
    labels: tuple[str, ...]
    components: tuple[Component, ...]
    fix_versions: tuple[Version, ...]
    story_points: float | None
    sprints: tuple[Sprint, ...]
    platform: Option | None
    release_note: str | None
    reviewer: User | None
    ready: int | None
    creator: User | None
    resolution: Resolution | None
    properties: Mapping[str, Any]
    values: Mapping[str, Any]
    original_estimate: int | None
    remaining_estimate: int | None
    comments: tuple[Comment, ...]
    worklogs: tuple[Worklog, ...]
    attachments: tuple[Attachment, ...]
    links: tuple[Link, ...]
    remote_links: tuple[RemoteLink, ...]
    history: tuple[History, ...]
    watchers: tuple[User, ...] | None
    voters: tuple[User, ...]
    rank: float | None


class IssueEdits(IssueValues, total=False):
    """The attributes that a request may change in an existing issue, as keywords."""

    type: IssueType
    summary: str
