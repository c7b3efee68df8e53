"""Queries for issues, in JQL, and single questions to Jira without a job.

For a question the workspace is not locked. A cancellation ends the request at once; none of them changes
anything in Jira.
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.app import jira
from ticketr.app.config.checks import NameOrUserNamedField
from ticketr.app.sync.compare import mapping
from ticketr.app.sync.concurrency import open_log
from ticketr.app.sync.errors import BadQuery
from ticketr.cleaning import clean

if TYPE_CHECKING:
    from ticketr.app.sync.session import SessionOptions
    from ticketr.app.sync.state.state import State


#: Minutes that a search for changes looks back beyond the last pull: Jira's index lags behind.
OVERLAP_MINUTES = 5

_ORDER_BY_PATTERN = re.compile(r"\border\s+by\b(?=(?:[^\"']|\"[^\"]*\"|'[^']*')*$)", re.IGNORECASE)


def unordered_jql_or_project_query(project: str | None, jql: str | None) -> str:
    """Write the query for a pull, without an order of its own.

    Args:
        project: A project's key; not used if ``jql`` is given.
        jql: The user's own query. Its ORDER BY is removed, since it has no effect on files.
    """
    if jql is None:
        return f'project = "{project}"'
    order = _ORDER_BY_PATTERN.search(jql)
    return jql[: order.start()].strip() if order else jql.strip()


def changed_since(query: str, *, seen: float, now: float) -> str:
    """Ask for the issues of a query that have changed since a moment of Jira's clock.

    The span is counted back from Jira's own present, so neither this computer's clock nor a
    time zone matters.
    """
    minutes = max(0, math.ceil((now - seen) / 60)) + OVERLAP_MINUTES
    return f"({query}) AND updated >= -{minutes}m ORDER BY key ASC"


@asynccontextmanager
async def open_site_client(options: SessionOptions) -> AsyncGenerator[jira.JiraClient]:
    """Open a client for the site of a workspace."""
    async with (
        open_log(options["root"], options.get("run_sync")) as log,
        jira.open_jira(
            options["credentials"], transport=options.get("transport"), log=log.write_unredacted
        ) as client,
    ):
        yield client


async def search_ids(options: SessionOptions, jql: str) -> tuple[str, ...]:
    """Return the IDs of the issues that a query finds.

    Args:
        options: The options of the workspace's jobs.
        jql: The query.

    Raises:
        BadQuery: Jira does not understand the query.
        JiraError: The request failed.
    """
    async with open_site_client(options) as client:
        try:
            return await client.search_ids(jql)
        except jira.BadRequest as error:
            raise BadQuery(error.detail or str(error)) from error


def keys_of(state: State, ids: Collection[str]) -> frozenset[str]:
    """Return the keys of issues, as far as the last sync has recorded them. Synchronous.

    Args:
        state: The state of the workspace.
        ids: The IDs of issues.
    """
    known = state.known_issues_by_id()
    return frozenset(known[text].key for text in ids if text in known)


async def read_next_statuses(options: SessionOptions, key: str) -> tuple[str, ...]:
    """Return the statuses that one transition of an issue leads to, in Jira's order.

    Args:
        options: The options of the workspace's jobs.
        key: The issue's key.

    Raises:
        JiraError: The request failed.
    """
    async with open_site_client(options) as client:
        transitions = await client.transitions(key)
    return tuple(
        dict.fromkeys(transition.to_status for transition in transitions if transition.to_status)
    )


async def read_allowed_values_and_if_all(
    options: SessionOptions, key: str, field: str
) -> tuple[tuple[str, ...], bool]:
    """Return the values that a field of an issue can have, and whether these are all.

    Args:
        options: The options of the workspace's jobs.
        key: The issue's key.
        field: The ID or the name of the field. For a person, the values are the names of those to
            whom issues of the project can be assigned.

    Returns:
        The values in Jira's order; none if any is possible, or the site does not list them.

    Raises:
        JiraError: A request failed.
    """
    async with open_site_client(options) as client:
        fields = await client.fields_for_edit(key)
        wanted = next((known for known in fields if field in (known.id, known.name)), None)
        if wanted is None:
            return (), False
        if "user" not in (wanted.schema_type, wanted.item_type):
            return tuple(_values_of(wanted)), True
        users = await client.top_assignable_users(key.rpartition("-")[0], "")
    return tuple(user.display_name for user in users), len(users) < jira.MAX_FOUND_USERS


async def read_last_change(options: SessionOptions, key: str, until: str) -> jira.LastChange | None:
    """Return the last change of an issue that its history names, up to a moment.

    Args:
        options: The options of the workspace's jobs.
        key: The issue's key.
        until: The moment, as Jira writes it; with another text, the newest change.

    Raises:
        JiraError: The request failed.
    """
    async with open_site_client(options) as client:
        return await client.last_change(key, until)


#: What people call a kind of value.
_KIND_WORDS_BY_SCHEMA_TYPE = {
    "string": "text",
    "option": "choice",
    "option-with-child": "choice of two steps",
    "user": "person",
    "datetime": "date and time",
    "issuetype": "issue type",
    "securitylevel": "security level",
}
#: What people call a list of values of a kind.
_PLURAL_BY_ITEM_TYPE = {
    "string": "labels",
    "option": "choices",
    "user": "people",
    "group": "groups",
    "version": "versions",
    "component": "components",
}


@dataclass(frozen=True, slots=True)
class SchemaField:
    """A field that new issues of a project can have.

    Attributes:
        name: The name of its line or section in a file; where files do not keep it, its name in
            Jira.
        id: Its ID.
        kind: What it holds, in words.
        values: The names of its allowed values; empty if any is allowed, or the site lists none.
        types: The names of the issue types that have it.
        required: The names of the issue types that need a value.
        is_kept: Whether the files of the workspace keep it.
        reason: Why no file can keep it; empty if one can.
    """

    name: str
    id: str
    kind: str
    values: tuple[str, ...]
    types: tuple[str, ...]
    required: tuple[str, ...]
    is_kept: bool
    reason: str

    @property
    def values_text(self) -> str:
        """The allowed values as a list in a file."""
        return mapping.field_text([*self.values])


async def read_schema(
    client: jira.JiraClient, project: str, fields_in_settings: Iterable[NameOrUserNamedField] = ()
) -> tuple[SchemaField, ...]:
    """Ask a site for the fields of a project's issues.

    Args:
        client: The client.
        project: The project's key.
        fields_in_settings: The fields that the settings of the workspace name.

    Returns:
        The fields: those that the files keep first, as they are in files, then the others by name.

    Raises:
        JiraError: A request failed.
        UnknownFieldInSettings: The site lacks one of the fields in the settings.
        UnsupportedFieldInSettings: A file cannot hold one of them.
    """
    site = await client.fields()
    columns = mapping.Columns.of(site, fields_in_settings)
    by_type = {
        issue_type.name: await client.fields_for_create(project, issue_type.id)
        for issue_type in await client.creatable_issue_types(project)
    }
    return _join_types(by_type, columns, site)


def _join_types(
    by_type: Mapping[str, Sequence[jira.ScreenField]],
    columns: mapping.Columns,
    site: Iterable[jira.Field],
) -> tuple[SchemaField, ...]:
    """Join the fields of the issue types of a project.

    Args:
        by_type: The fields of each issue type, by its name.
        columns: The fields that files keep.
        site: Every field of the site.
    """
    names = {field_id: name for name, field_id in columns.line_and_section_fields}
    site = tuple(site)
    rich = {field.id for field in site if mapping.has_rich_text_section(field)}
    reasons = {field.id: why for field in site if (why := mapping.why_file_cannot_hold(field))}
    first: dict[str, jira.ScreenField] = {}
    for fields in by_type.values():
        for field in fields:
            first.setdefault(field.id, field)
    schema_fields = [
        _join_field(
            field,
            by_type,
            names.get(field.id),
            reasons.get(field.id, ""),
            holds_text=field.id in rich,
        )
        for field in first.values()
        if field.id not in mapping.IDS_WITHOUT_LINES and field.id != "project"
    ]
    order = [field_id for _, field_id in columns.line_and_section_fields]

    def place(field: SchemaField) -> tuple[int, str]:
        return (order.index(field.id) if field.is_kept else len(order), field.name.casefold())

    return tuple(sorted(schema_fields, key=place))


def _join_field(
    first: jira.ScreenField,
    by_type: Mapping[str, Sequence[jira.ScreenField]],
    known: str | None,
    reason: str,
    *,
    holds_text: bool,
) -> SchemaField:
    """Return a field as all issue types together have it; ``known`` is its name in files, if any."""
    having = {
        name: field for name, fields in by_type.items() for field in fields if field.id == first.id
    }
    values = dict.fromkeys(clean(text) for field in having.values() for text in _values_of(field))
    required = (
        clean(name) for name, field in having.items() if field.required and not field.has_default
    )
    return SchemaField(
        name=clean(known or first.name),
        id=first.id,
        kind=("rich text" if holds_text else "sprint" if known == "Sprint" else _kind_of(first)),
        values=tuple(values),
        types=tuple(map(clean, having)),
        required=tuple(required),
        is_kept=known is not None,
        reason=reason,
    )


def _kind_of(field: jira.ScreenField) -> str:
    if field.schema_type == "array":
        return _PLURAL_BY_ITEM_TYPE.get(field.item_type, f"list of {field.item_type or 'values'}")
    return clean(_KIND_WORDS_BY_SCHEMA_TYPE.get(field.schema_type, field.schema_type or "text"))


def _values_of(field: jira.ScreenField) -> Iterable[str]:
    for allowed in field.allowed_values:
        yield allowed.name
        for child in allowed.children:
            yield f"{allowed.name} > {child.name}"
