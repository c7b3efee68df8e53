"""The records of a site, independent of HTTP, JSON and JQL.

All records are frozen: an edit replaces a record in the `Site`. Times are whole milliseconds
since the epoch, Jira's precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

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
    """A project; `Site` holds its issues."""

    id: int
    key: str
    name: str
    description: str
    lead: User


@dataclass(frozen=True, slots=True)
class IssueType:
    """An issue type; level 1 is an epic, 0 a standard issue, -1 a sub-task."""

    id: int
    name: str
    description: str
    level: int

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
    """A status of the workflow."""

    id: int
    name: str
    description: str
    category: StatusCategory


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
    """A part of the project's product."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Version:
    """A release of the project's product."""

    id: int
    name: str
    released: bool
    release_date: date


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a select field."""

    id: int
    value: str


@dataclass(frozen=True, slots=True)
class Sprint:
    """A sprint of the project's board."""

    id: int
    name: str
    state: str
    goal: str
    start: int
    end: int


def to_millis(moment: datetime) -> int:
    """Convert an aware datetime to milliseconds since the epoch."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_millis(millis: int, zone: timezone) -> datetime:
    """Convert milliseconds since the epoch to a datetime in ``zone``."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)).astimezone(zone)
