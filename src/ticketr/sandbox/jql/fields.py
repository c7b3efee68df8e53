"""The fields of JQL: their values, how a literal is read, and how they sort.

A field returns an issue's values as a tuple. An empty tuple is EMPTY; of several values, such
as labels, any may match.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from ticketr.sandbox.data import catalogue
from ticketr.sandbox.errors import JqlError
from ticketr.sandbox.jql.dates import read_date

if TYPE_CHECKING:
    from datetime import datetime

    from ticketr.sandbox.data.issue import Issue
    from ticketr.sandbox.data.site import Site

EQUALITY: Final = frozenset({"=", "!=", "in", "not in"})
ORDERING: Final = frozenset({"<", "<=", ">", ">="})
EMPTINESS: Final = frozenset({"is", "is not"})
MATCHING: Final = frozenset({"~", "!~"})
_SET: Final = EQUALITY | EMPTINESS
_ORDERED: Final = _SET | ORDERING


@dataclass(frozen=True, slots=True)
class QueryContext:
    """The context in which a query is compiled."""

    site: Site
    now: datetime


#: (context, field as written, literal) -> a value to compare with the field's values.
LiteralReader = Callable[[QueryContext, str, str], Any]


@dataclass(frozen=True, slots=True)
class JqlField:
    """A field of JQL.

    Attributes:
        names: The field's names, in lower case.
        operators: The operators that the field supports.
        values: Returns an issue's values of the field.
        read: Reads a literal.
        sort: Returns the sort key of an issue; None if the field cannot be sorted by.
        read_bound: Reads a literal after ``<`` and ``>``, if that differs from `read`.
        is_date: Whether the field holds a time.
        is_user: Whether the field holds a user.
    """

    names: tuple[str, ...]
    operators: frozenset[str]
    values: Callable[[Issue], tuple[Any, ...]]
    read: LiteralReader
    sort: Callable[[Issue], Any] | None = None
    read_bound: LiteralReader | None = None
    is_date: bool = False
    is_user: bool = False


def _missing(field: str, literal: str) -> JqlError:
    return JqlError(f"The value '{literal}' does not exist for the field '{field}'.")


def _named(things: Iterable[Any]) -> LiteralReader:
    """Return a reader of records by ID or name; case is ignored."""
    known: dict[str, int] = {}
    for thing in things:
        known[str(thing.id)] = thing.id
        known[thing.name.lower()] = thing.id

    def read(_: QueryContext, field: str, literal: str) -> int:
        found = known.get(literal.lower())
        if found is None:
            raise _missing(field, literal)
        return found

    return read


def _project(context: QueryContext, field: str, literal: str) -> int:
    project = context.site.project(literal)
    if project is not None:
        return project.id
    for candidate in context.site.projects:
        if candidate.name.lower() == literal.lower():
            return candidate.id
    raise _missing(field, literal)


def _issue(context: QueryContext, field: str, literal: str) -> int:
    issue = context.site.find(literal)
    if issue is None:
        kind = "ID" if _is_number(literal) else "key"
        raise JqlError(f"An issue with {kind} '{literal}' does not exist for field '{field}'.")
    return issue.id


def _issue_bound(context: QueryContext, field: str, literal: str) -> int:
    return int(literal) if _is_number(literal) else _issue(context, field, literal)


def _is_number(literal: str) -> bool:
    return literal.isascii() and literal.isdigit() and len(literal) < 19


def _user(context: QueryContext, field: str, literal: str) -> str:
    for user in context.site.users:
        if literal.lower() in {user.account_id.lower(), user.email.lower(), user.name.lower()}:
            return user.account_id
    raise _missing(field, literal)


def _date(context: QueryContext, field: str, literal: str) -> int:
    instant = read_date(literal, now=context.now, zone=context.site.user.zone)
    if instant is None:
        raise JqlError(
            f"Date value '{literal}' for field '{field}' is invalid. Valid formats include: "
            "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period "
            "format e.g. '-5d', '4w 2d'."
        )
    return instant


def _number(_: QueryContext, field: str, literal: str) -> float:
    try:
        number = float(literal)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise JqlError(f"The value '{literal}' for field '{field}' is not a number.")
    return number


def _text(_: QueryContext, _field: str, literal: str) -> str:
    return literal.lower()


def _simple(
    names: tuple[str, ...],
    operators: frozenset[str],
    read: LiteralReader,
    value: Callable[[Issue], Any],
    *,
    is_date: bool = False,
) -> JqlField:
    """Return a field that has exactly one value, by which it sorts."""
    return JqlField(names, operators, lambda issue: (value(issue),), read, value, is_date=is_date)


def _user_field(name: str) -> JqlField:
    """Return a field that holds a user, and sorts by the user's name."""

    def values(issue: Issue) -> tuple[str, ...]:
        user = getattr(issue, name)
        return () if user is None else (user.account_id,)

    def sort(issue: Issue) -> tuple[bool, str]:
        user = getattr(issue, name)
        return (user is None, "" if user is None else user.name.lower())

    return JqlField((name,), _SET, values, _user, sort, is_user=True)


_FIELDS: Final = (
    JqlField(
        ("project",),
        _SET,
        lambda issue: (issue.project.id,),
        _project,
        lambda issue: issue.project.key,
    ),
    JqlField(
        ("key", "issuekey", "issue", "id"),
        _ORDERED,
        lambda issue: (issue.id,),
        _issue,
        lambda issue: (issue.project.key, issue.number),
        _issue_bound,
    ),
    JqlField(
        ("parent",),
        _SET,
        lambda issue: () if issue.parent is None else (issue.parent,),
        _issue,
        lambda issue: (issue.parent is None, issue.parent or 0),
    ),
    _simple(("status",), _SET, _named(catalogue.STATUSES), attrgetter("status.id")),
    JqlField(
        ("statuscategory",),
        _SET,
        lambda issue: (issue.status.category.id,),
        _named(catalogue.CATEGORIES),
    ),
    JqlField(
        ("issuetype", "type"),
        _SET,
        lambda issue: (issue.type.id,),
        _named(catalogue.ISSUE_TYPES),
        lambda issue: issue.type.name,
    ),
    JqlField(
        ("priority",),
        _SET,
        lambda issue: (issue.priority.id,),
        _named(catalogue.PRIORITIES),
        lambda issue: -issue.priority.id,  # ascending begins with the least urgent
    ),
    _user_field("assignee"),
    _user_field("reporter"),
    JqlField(
        ("labels",), _SET, lambda issue: tuple(label.lower() for label in issue.labels), _text
    ),
    _simple(("summary",), MATCHING | EMPTINESS, _text, lambda issue: issue.summary.lower()),
    _simple(("created", "createddate"), _ORDERED, _date, attrgetter("created"), is_date=True),
    _simple(("updated", "updateddate"), _ORDERED, _date, attrgetter("updated"), is_date=True),
    JqlField(
        ("story points", "cf[10016]"),
        _ORDERED,
        lambda issue: () if issue.story_points is None else (issue.story_points,),
        _number,
        lambda issue: (issue.story_points is None, issue.story_points or 0.0),
    ),
)
_BY_NAME: Final = {name: field for field in _FIELDS for name in field.names}


def find_field(name: str) -> JqlField | None:
    """Find a field by its name; case is ignored."""
    return _BY_NAME.get(name.lower())
