"""The functions of JQL: each returns the values that it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.data.model import to_millis
from jira_sandbox.errors import JqlError
from jira_sandbox.jql.dates import read_period
from jira_sandbox.jql.readers import all_types, find_user, read_issue, to_wall_clock

if TYPE_CHECKING:
    from jira_sandbox.jql import nodes
    from jira_sandbox.jql.field import JqlField
    from jira_sandbox.jql.readers import QueryContext

_BOUND: Final = re.compile(r"(start|end)of(day|week|month|year)")
_OFFSET: Final = re.compile(r"([+-]?)(\d{1,4})([yMwdhm]?)")
_UNITS: Final = {"day": "d", "week": "w", "month": "M", "year": "y"}


def call(
    function: nodes.Function, name: str, field: JqlField, context: QueryContext
) -> tuple[Any, ...]:
    """Return the values of a function.

    Args:
        function: The call.
        name: The field as it is written.
        field: The field that is compared with the values.
        context: The context of the query.

    Raises:
        JqlError: The function does not exist for the field.
    """
    wanted = function.name.lower()
    if field.is_user and wanted == "currentuser" and not function.arguments:
        return (context.site.user.account_id,)
    if field.is_date or field.is_day:
        instant = instant_of(function, context)
        if instant is not None:
            return (to_wall_clock(context, instant) if field.is_day else instant,)
    make = _RECORDS.get((field.names[0], wanted))
    if make is None:
        raise JqlError(
            f"Unable to find JQL function '{function.name}({', '.join(function.arguments)})' "
            f"for the field '{name}'."
        )
    return tuple(make(context, function.arguments))


def instant_of(function: nodes.Function, context: QueryContext) -> int | None:
    """Return the time that a function stands for; None if it is not a function of time."""
    wanted = function.name.lower()
    if wanted == "now" and not function.arguments:
        return to_millis(context.now.astimezone(UTC))
    match = _BOUND.fullmatch(wanted)
    if match is None:
        return None
    if len(function.arguments) > 1:
        raise _bad_period(function)
    local = context.now.astimezone(context.site.user.zone)
    begin = _begin(local, match[2])
    if match[1] == "end":
        begin = _shift(begin, 1, _UNITS[match[2]]) - timedelta(milliseconds=1)
    for text in function.arguments:
        begin = _offset(begin, text, _UNITS[match[2]], function)
    return to_millis(begin)


def _begin(local: datetime, unit: str) -> datetime:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return midnight - timedelta(days=midnight.weekday())
    if unit == "month":
        return midnight.replace(day=1)
    return midnight.replace(month=1, day=1) if unit == "year" else midnight


def _offset(moment: datetime, text: str, unit: str, function: nodes.Function) -> datetime:
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        period = read_period(text)
        if period is None:
            raise _bad_period(function)
        return moment + period
    count = int(match[2]) * (-1 if match[1] == "-" else 1)
    try:
        return _shift(moment, count, match[3] or unit)
    except (OverflowError, ValueError):
        raise _bad_period(function) from None


def _shift(moment: datetime, count: int, unit: str) -> datetime:
    if unit in {"M", "y"}:
        months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "y" else 1)
        year, month = divmod(months, 12)
        first = moment.replace(year=year, month=month + 1, day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        return first.replace(day=min(moment.day, (following - timedelta(days=1)).day))
    seconds = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60}[unit]
    return moment + timedelta(seconds=seconds * count)


def _bad_period(function: nodes.Function) -> JqlError:
    return JqlError(
        f"The arguments of the function '{function.name}' are not a single period such as '-1d'."
    )


def _sprints(state: str) -> Callable[[QueryContext, tuple[str, ...]], list[int]]:
    return lambda context, _: [
        sprint.id for sprint in context.site.registry.sprints() if sprint.state == state
    ]


def _types(*, subtask: bool) -> Callable[[QueryContext, tuple[str, ...]], list[int]]:
    return lambda context, _: [kind.id for kind in all_types(context) if kind.subtask == subtask]


def _versions(*, released: bool) -> Callable[[QueryContext, tuple[str, ...]], list[int]]:
    def find(context: QueryContext, projects: tuple[str, ...]) -> list[int]:
        known = [context.site.project(name) for name in projects] or [None]
        return [
            version.id
            for project in known
            for version in context.site.registry.versions(project)
            if version.released == released and not version.archived
        ]

    return find


def _linked(context: QueryContext, arguments: tuple[str, ...]) -> list[int]:
    if not 1 <= len(arguments) <= 2:
        raise JqlError("The function 'linkedIssues' takes an issue and a kind of link.")
    number = read_issue(context, "issue", arguments[0])
    issue = context.site.by_id[number]
    words = arguments[1].lower() if len(arguments) > 1 else None
    return [
        link.other(number)
        for link in issue.links
        if words in {None, (link.kind.outward if link.source == number else link.kind.inward)}
    ]


def _watched(context: QueryContext, _: tuple[str, ...]) -> list[int]:
    return [issue.id for issue in context.site if context.site.user in issue.watching]


def _voted(context: QueryContext, _: tuple[str, ...]) -> list[int]:
    return [issue.id for issue in context.site if context.site.user in issue.voters]


def _updated_by(context: QueryContext, arguments: tuple[str, ...]) -> list[int]:
    user = find_user(context, "issue", arguments[0]) if arguments else context.site.user
    return [
        issue.id
        for issue in context.site
        if any(history.author.account_id == user.account_id for history in issue.history)
    ]


#: The functions for records, by the field's first name and the function's name.
_RECORDS: Final[Mapping[tuple[str, str], Callable[[QueryContext, tuple[str, ...]], list[Any]]]] = {
    ("sprint", "opensprints"): _sprints("active"),
    ("sprint", "futuresprints"): _sprints("future"),
    ("sprint", "closedsprints"): _sprints("closed"),
    ("issuetype", "subtaskissuetypes"): _types(subtask=True),
    ("issuetype", "standardissuetypes"): _types(subtask=False),
    ("fixversion", "releasedversions"): _versions(released=True),
    ("fixversion", "unreleasedversions"): _versions(released=False),
    ("affectedversion", "releasedversions"): _versions(released=True),
    ("affectedversion", "unreleasedversions"): _versions(released=False),
    ("key", "linkedissues"): _linked,
    ("key", "linkedworkitems"): _linked,
    ("key", "watchedissues"): _watched,
    ("key", "votedissues"): _voted,
    ("key", "updatedby"): _updated_by,
}
