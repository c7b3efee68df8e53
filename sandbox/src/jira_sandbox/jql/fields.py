"""The fields of JQL: their values, how a literal is read, and how they sort."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.data import catalogue
from jira_sandbox.data.model import to_millis
from jira_sandbox.jql import readers
from jira_sandbox.jql.extra_fields import EXTRA_FIELDS, merge
from jira_sandbox.jql.field import (
    EMPTINESS,
    EQUALITY,
    MATCHING,
    ORDERED_OPERATORS,
    ORDERING,
    PAST,
    UNORDERED_OPERATORS,
    JqlField,
    Values,
)
from jira_sandbox.jql.readers import LiteralReader, QueryContext, named, read_text
from jira_sandbox.jql.texts import comment_texts, description_texts, every_text

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue

_TEXT_OPERATORS: Final = MATCHING | EMPTINESS


def _one_value(value: Callable[[Issue], Any]) -> Values:
    """Return the values of a field that has one value or none."""

    def values(issue: Issue) -> tuple[Any, ...]:
        found = value(issue)
        return () if found is None else (found,)

    return values


def _ids(name: str) -> Values:
    """Return the IDs of the records in an attribute."""
    return lambda issue: tuple(each.id for each in getattr(issue, name))


def _sort_by(value: Callable[[Issue], Any]) -> Callable[[Issue], Any]:
    """Return a sort key that puts empty values last."""

    def key(issue: Issue) -> tuple[bool, Any]:
        found = value(issue)
        return (found is None, 0 if found is None else found)

    return key


def _single_value_field(
    names: tuple[str, ...], operators: frozenset[str], read: LiteralReader, name: str
) -> JqlField:
    """Return a field that has one value or none, by which it sorts."""
    value = attrgetter(name)
    return JqlField(names, operators, _one_value(value), read, _sort_by(value))


def _time_field(names: tuple[str, ...], name: str) -> JqlField:
    value = attrgetter(name)
    return JqlField(
        names,
        ORDERED_OPERATORS,
        _one_value(value),
        readers.read_time,
        _sort_by(value),
        is_date=True,
    )


def _user_field(name: str, history: str = "") -> JqlField:
    """Return a field that holds a user, and sorts by the user's name."""

    def values(issue: Issue) -> tuple[str, ...]:
        user = getattr(issue, name)
        return () if user is None else (user.account_id,)

    def sort(issue: Issue) -> tuple[bool, str]:
        user = getattr(issue, name)
        return (user is None, "" if user is None else user.name.lower())

    operators = UNORDERED_OPERATORS | PAST if history else UNORDERED_OPERATORS
    return JqlField(
        (name,), operators, values, readers.read_user, sort, is_user=True, history=history
    )


def _users_field(names: tuple[str, ...], users: Callable[[Issue], Iterable[Any]]) -> JqlField:
    def values(issue: Issue) -> tuple[str, ...]:
        return tuple(user.account_id for user in users(issue))

    return JqlField(names, UNORDERED_OPERATORS, values, readers.read_user, is_user=True)


def _count_field(names: tuple[str, ...], count: Callable[[Issue], float]) -> JqlField:
    return JqlField(
        names, EQUALITY | ORDERING, lambda issue: (count(issue),), readers.read_number, count
    )


def _due(issue: Issue) -> int | None:
    if issue.due is None:
        return None
    return to_millis(datetime.combine(issue.due, time(), tzinfo=UTC))


def _resolution(issue: Issue) -> int | None:
    if issue.resolved is None:
        return None
    return (issue.resolution or catalogue.RESOLUTIONS[0]).id


def _creator(issue: Issue) -> tuple[Any, ...]:
    return (issue.creator or issue.reporter,)


def _link_values(issue: Issue) -> tuple[Any, ...]:
    """Return what a query can call the links: their types, and their words from this side."""
    sides = [
        link.kind.outward if link.source == issue.id else link.kind.inward for link in issue.links
    ]
    return (*(link.kind.id for link in issue.links), *sides)


def _read_link_type(context: QueryContext, field: str, literal: str) -> tuple[Any, ...]:
    """Read a type of links by ID or name, or its words from one side: ``is blocked by``."""
    words = {side for kind in catalogue.LINK_TYPES for side in (kind.outward, kind.inward)}
    if literal.lower() in words:
        return (literal.lower(),)
    ids: tuple[Any, ...] = named(lambda _: catalogue.LINK_TYPES)(context, field, literal)
    return ids


_FIELDS: Final = (
    JqlField(
        ("project",),
        UNORDERED_OPERATORS,
        lambda issue: (issue.project.id,),
        readers.read_project,
        lambda issue: issue.project.key,
    ),
    JqlField(
        ("key", "issuekey", "issue", "id", "workitem"),
        ORDERED_OPERATORS,
        lambda issue: (issue.id,),
        readers.read_issue,
        lambda issue: (issue.project.key, issue.number),
        readers.read_issue_bound,
    ),
    _single_value_field(
        ("parent", "epic link", "parentepic", "cf[10014]"),
        UNORDERED_OPERATORS,
        readers.read_issue,
        "parent",
    ),
    JqlField(
        ("status",),
        UNORDERED_OPERATORS | PAST,
        lambda issue: (issue.status.id,),
        named(readers.all_statuses),
        lambda issue: issue.status.id,
        history="status",
    ),
    JqlField(
        ("statuscategory",),
        UNORDERED_OPERATORS,
        lambda issue: (issue.status.category.id,),
        named(lambda _: catalogue.CATEGORIES),
        lambda issue: catalogue.CATEGORIES.index(issue.status.category),
    ),
    JqlField(
        ("issuetype", "type", "worktype"),
        UNORDERED_OPERATORS,
        lambda issue: (issue.type.id,),
        named(readers.all_types),
        lambda issue: issue.type.name,
    ),
    JqlField(
        ("priority",),
        ORDERED_OPERATORS | PAST,
        lambda issue: (issue.priority.id,),
        named(lambda _: catalogue.PRIORITIES),
        lambda issue: -issue.priority.id,  # ascending begins with the least urgent
        lambda context, field, literal: (
            -named(lambda _: catalogue.PRIORITIES)(context, field, literal)[0]
        ),
        ordered=lambda issue: (-issue.priority.id,),
        history="priority",
    ),
    JqlField(
        ("resolution",),
        UNORDERED_OPERATORS | PAST,
        _one_value(_resolution),
        named(lambda _: catalogue.RESOLUTIONS),
        _sort_by(_resolution),
        history="resolution",
    ),
    _user_field("assignee", "assignee"),
    _user_field("reporter", "reporter"),
    _users_field(("creator",), _creator),
    _users_field(("watcher",), attrgetter("watching")),
    _users_field(("voter",), attrgetter("voters")),
    _users_field(("worklogauthor",), lambda issue: [each.author for each in issue.worklogs]),
    JqlField(
        ("labels",),
        UNORDERED_OPERATORS,
        lambda issue: tuple(label.lower() for label in issue.labels),
        read_text,
    ),
    JqlField(
        ("component",),
        UNORDERED_OPERATORS,
        _ids("components"),
        named(lambda context: context.site.registry.components()),
        lambda issue: [each.name for each in issue.components],
    ),
    JqlField(
        ("fixversion",),
        UNORDERED_OPERATORS,
        _ids("fix_versions"),
        named(lambda context: context.site.registry.versions()),
        lambda issue: [each.name for each in issue.fix_versions],
    ),
    JqlField(
        ("sprint", "cf[10020]"),
        UNORDERED_OPERATORS,
        _ids("sprints"),
        named(lambda context: context.site.registry.sprints()),
        lambda issue: [each.id for each in issue.sprints],
    ),
    JqlField(
        ("issuelinktype",),
        UNORDERED_OPERATORS,
        _link_values,
        _read_link_type,
    ),
    JqlField(
        ("summary",),
        _TEXT_OPERATORS,
        lambda issue: (issue.summary.lower(),),
        read_text,
        lambda issue: issue.summary.lower(),
    ),
    JqlField(("description",), _TEXT_OPERATORS, description_texts, read_text),
    JqlField(("comment",), _TEXT_OPERATORS, comment_texts, read_text),
    JqlField(("text",), MATCHING, every_text, read_text),
    _time_field(("created", "createddate"), "created"),
    _time_field(("updated", "updateddate"), "updated"),
    _time_field(("resolved", "resolutiondate"), "resolved"),
    _time_field(("statuscategorychangeddate",), "moved"),
    JqlField(
        ("due", "duedate"),
        ORDERED_OPERATORS,
        _one_value(_due),
        readers.read_day,
        _sort_by(_due),
        is_day=True,
    ),
    JqlField(
        ("worklogdate",),
        ORDERED_OPERATORS,
        lambda issue: tuple(each.started for each in issue.worklogs),
        readers.read_time,
        is_date=True,
    ),
    JqlField(
        ("attachments",),
        EMPTINESS,
        lambda issue: tuple(file.id for file in issue.attachments),
        read_text,
    ),
    _single_value_field(
        ("story points", "cf[10016]"), ORDERED_OPERATORS, readers.read_number, "story_points"
    ),
    JqlField(
        ("platform", "cf[10031]"),
        UNORDERED_OPERATORS,
        lambda issue: () if issue.platform is None else (issue.platform.id,),
        named(lambda _: catalogue.PLATFORMS),
    ),
    _count_field(("votes",), lambda issue: len(issue.voters)),
    _count_field(("watchers",), lambda issue: len(issue.watching)),
    _count_field(("hierarchylevel",), lambda issue: issue.type.level),
    JqlField(
        ("rank", "cf[10019]"),
        frozenset(),
        _one_value(attrgetter("place")),
        read_text,
        attrgetter("place"),
    ),
    *EXTRA_FIELDS,
)


def _by_name() -> dict[str, JqlField]:
    known: dict[str, JqlField] = {}
    for field in _FIELDS:
        for name in field.names:
            known[name] = merge(known[name], field) if name in known else field
    return known


_BY_NAME: Final = _by_name()


def find_field(name: str) -> JqlField | None:
    """Find a field by its name; case is ignored."""
    return _BY_NAME.get(name.lower())


__all__ = ["QueryContext", "find_field"]
