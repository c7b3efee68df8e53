"""Read the literals of a query into values that can be compared with those of issues.

A reader takes the context, the field as it is written, and the literal. It returns one value,
or a tuple of several, any of which may match.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from jira_sandbox.data.kit import types_of
from jira_sandbox.data.workflow import statuses
from jira_sandbox.errors import JqlError
from jira_sandbox.jql.dates import read_date

if TYPE_CHECKING:
    from jira_sandbox.data.model import User
    from jira_sandbox.data.site import Site


@dataclass(frozen=True, slots=True)
class QueryContext:
    """The context in which a query is compiled."""

    site: Site
    now: datetime


LiteralReader = Callable[[QueryContext, str, str], Any]


def missing(field: str, literal: str) -> JqlError:
    """Return the error for a literal that names nothing."""
    return JqlError(f"The value '{literal}' does not exist for the field '{field}'.")


def named(things: Callable[[QueryContext], Iterable[Any]]) -> LiteralReader:
    """Return a reader of records by ID or name; case is ignored, and names may be shared."""

    def read(context: QueryContext, field: str, literal: str) -> tuple[Any, ...]:
        wanted = literal.lower()
        found = tuple(
            thing.id
            for thing in things(context)
            if wanted in {str(thing.id).lower(), name_of(thing).lower()}
        )
        if not found:
            raise missing(field, literal)
        return found

    return read


def name_of(thing: Any) -> str:
    """Return the name of a record, or the value of an option."""
    name: str = thing.name if hasattr(thing, "name") else thing.value
    return name


def all_statuses(context: QueryContext) -> Iterable[Any]:
    """Return the statuses of all projects."""
    every = (each for project in context.site.projects for each in statuses(project))
    return dict.fromkeys(every)


def all_types(context: QueryContext) -> Iterable[Any]:
    """Return the issue types of all projects."""
    every = (each for project in context.site.projects for each in types_of(project))
    return dict.fromkeys(every)


def read_project(context: QueryContext, field: str, literal: str) -> int:
    """Read a project by its ID, key or name."""
    project = context.site.project(literal)
    if project is not None:
        return project.id
    for candidate in context.site.projects:
        if candidate.name.lower() == literal.lower():
            return candidate.id
    raise missing(field, literal)


def read_issue(context: QueryContext, field: str, literal: str) -> int:
    """Read an issue by its ID or key."""
    issue = context.site.find(literal)
    if issue is None:
        kind = "ID" if _is_number(literal) else "key"
        raise JqlError(f"An issue with {kind} '{literal}' does not exist for field '{field}'.")
    return issue.id


def read_issue_bound(context: QueryContext, field: str, literal: str) -> int:
    """Read an issue after ``<`` and the like; the ID of a missing issue will do."""
    return int(literal) if _is_number(literal) else read_issue(context, field, literal)


def _is_number(literal: str) -> bool:
    return literal.isascii() and literal.isdigit() and len(literal) < 19


def find_user(context: QueryContext, field: str, literal: str) -> User:
    """Find a user by the account ID, the e-mail address or the name."""
    for user in context.site.users:
        if literal.lower() in {user.account_id.lower(), user.email.lower(), user.name.lower()}:
            return user
    raise missing(field, literal)


def read_user(context: QueryContext, field: str, literal: str) -> str:
    """Read a user's account ID."""
    return find_user(context, field, literal).account_id


def read_time(context: QueryContext, field: str, literal: str) -> int:
    """Read a date or a period as milliseconds since the epoch."""
    instant = read_date(literal, now=context.now, zone=context.site.user.zone)
    if instant is None:
        raise JqlError(
            f"Date value '{literal}' for field '{field}' is invalid. Valid formats include: "
            "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period "
            "format e.g. '-5d', '4w 2d'."
        )
    return instant


def to_wall_clock(context: QueryContext, instant: int) -> int:
    """Return the user's local time of an instant as if it were UTC, to compare with dates."""
    return instant + context.site.user.utc_offset // timedelta(milliseconds=1)


def read_day(context: QueryContext, field: str, literal: str) -> int:
    """Read a date for a field that holds days without a time."""
    return to_wall_clock(context, read_time(context, field, literal))


def read_number(_: QueryContext, field: str, literal: str) -> float:
    """Read a number."""
    try:
        number = float(literal)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise JqlError(f"The value '{literal}' for field '{field}' is not a number.")
    return number


def read_text(_: QueryContext, _field: str, literal: str) -> str:
    """Read a text, whose case is ignored."""
    return literal.lower()
