"""The records of a site, independent of HTTP, JSON and JQL.

All records are frozen: an edit replaces a record in the `Site`. Times are whole milliseconds
since the epoch, Jira's precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

#: A document, or a node of one, in the Atlassian Document Format.
Adf = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A user; the UTC offset is fixed, so no time zone database is needed."""

    account_id: str
    name: str
    email: str
    time_zone: str = "Etc/UTC"
    utc_offset: timedelta = timedelta(0)

    @property
    def zone(self) -> timezone:
        """The time zone in which this user reads and writes dates."""
        return timezone(self.utc_offset)


@dataclass(frozen=True, slots=True)
class Project:
    """A project; `Site` holds its issues.

    Attributes:
        team_managed: Whether the project has its own issue types, statuses and fields.
    """

    id: int
    key: str
    name: str
    description: str
    lead: User
    team_managed: bool = False


@dataclass(frozen=True, slots=True)
class IssueType:
    """An issue type; level 1 is an epic, 0 a standard issue, -1 a sub-task.

    Attributes:
        project: The ID of the team-managed project that the type belongs to.
    """

    id: int
    name: str
    description: str
    level: int
    project: int | None = None

    @property
    def subtask(self) -> bool:
        """Whether issues of this type need a parent."""
        return self.level < 0


@dataclass(frozen=True, slots=True)
class StatusCategory:
    """One of Jira's three fixed groups of statuses."""

    id: int
    key: str
    name: str
    color: str


@dataclass(frozen=True, slots=True)
class Status:
    """A status of the workflow; see `IssueType` for `project`."""

    id: int
    name: str
    description: str
    category: StatusCategory
    project: int | None = None


@dataclass(frozen=True, slots=True)
class Priority:
    """A priority; the lower its ID, the more urgent."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """Why an issue is finished."""

    id: int
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a project's product.

    Attributes:
        project_id: The ID of its project; None for one that all company-managed projects have.
    """

    id: int
    name: str
    project_id: int | None = None
    description: str = ""
    lead: User | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A release of a project's product; see `Component` for `project_id`."""

    id: int
    name: str
    released: bool
    release_date: date | None
    project_id: int | None = None
    description: str = ""
    start_date: date | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a select field; only cascading ones have further choices below."""

    id: int
    value: str
    children: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Sprint:
    """A sprint of a board.

    Attributes:
        state: ``future``, ``active`` or ``closed``.
        start: The planned or real start; None if it is not planned.
        end: The planned end.
        complete: The real end of a closed sprint; None stands for the planned end.
        board: The ID of the board.
    """

    id: int
    name: str
    state: str
    goal: str
    start: int | None
    end: int | None
    complete: int | None = None
    board: int = 1


@dataclass(frozen=True, slots=True)
class Board:
    """A board; `type` is ``scrum``, ``kanban`` or ``simple``, and only the first has sprints."""

    id: int
    name: str
    type: str
    project: int


@dataclass(frozen=True, slots=True)
class SecurityLevel:
    """Who sees an issue."""

    id: int
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Group:
    """A group of users; its ID is a UUID."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Team:
    """A team of Atlassian's directory; its ID is a UUID."""

    id: str
    name: str


def to_millis(moment: datetime) -> int:
    """Convert an aware datetime to milliseconds since the epoch."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_millis(millis: int, zone: timezone) -> datetime:
    """Convert milliseconds since the epoch to a datetime in ``zone``."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)).astimezone(zone)
